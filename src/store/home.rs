//! The write-ahead log brought into the store's own file beside a run, by a thread with a connection of its own: who writes goes
//! on meanwhile, and waits for it only at the end.
//!
//! Answers for: a log that is brought home as often as SQLite would do it by itself. Does not: empty the log (see
//! [`super::Store`], when it is dropped), or tell of a fault: what is not brought into the file is in the log, durable.

use super::Store;
use anyhow::{Context, Result};
use rusqlite::Connection;
use rusqlite::config::DbConfig;
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

/// Pages of the log that wait to be brought home before it is done: what SQLite does by itself.
const PAGES: i64 = 1_000;

/// The thread.
pub(super) struct Home {
    written: SyncSender<()>,
    thread: JoinHandle<()>,
}

impl Home {
    fn start(path: &Path) -> Result<Home> {
        let connection = Connection::open(path)?;
        connection.busy_timeout(Duration::ZERO)?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        // it knows of the log once it has read something
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
        let (written, told) = sync_channel(1);
        let thread = Builder::new().name("home".into()).spawn(move || bring(&connection, &told))?;
        Ok(Home { written, thread })
    }

    /// Something was committed.
    pub(super) fn note(&self) {
        // where one is noted and not yet looked at, that look will see this too
        let _ = self.written.try_send(());
    }

    /// Waits for what is under way.
    pub(super) fn end(self) {
        drop(self.written);
        let _ = self.thread.join();
    }
}

fn bring(connection: &Connection, told: &Receiver<()>) {
    for () in told {
        // a log that cannot be brought home now can be the next time, or by the next run
        let _ = waiting(connection)
            .and_then(|pages| if pages < PAGES { Ok(0) } else { checkpoint(connection, "PASSIVE") });
    }
}

/// Pages of the log that are not in the file.
fn waiting(connection: &Connection) -> rusqlite::Result<i64> {
    checkpoint(connection, "NOOP")
}

fn checkpoint(connection: &Connection, mode: &str) -> rusqlite::Result<i64> {
    connection.query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], |row| {
        let (pages, home): (i64, i64) = (row.get(1)?, row.get(2)?);
        Ok(pages - home)
    })
}

impl Store {
    /// From now on the write-ahead log is brought home beside whoever writes here, and not by a commit that makes it long.
    pub fn bring_home_beside(&mut self) -> Result<()> {
        let path = self.connection.path().map(Path::new).context("the store has no file")?;
        let home = Home::start(path).context("cannot open the store a second time")?;
        self.connection.pragma_update(None, "wal_autocheckpoint", 0)?;
        self.home = Some(home);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    fn commit(store: &mut Store, pages: usize) {
        store
            .whole(|store| {
                let mut insert = store
                    .connection
                    .prepare("INSERT INTO layout (text) VALUES (?1 || hex(randomblob(16000)))")?;
                (0..pages).try_for_each(|page| insert.execute([page]).map(drop))?;
                Ok(())
            })
            .unwrap();
    }

    #[test]
    fn a_long_log_comes_home_while_the_store_is_open_and_is_emptied_at_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(folder.path(), folder.path()).unwrap();
        store.bring_home_beside().unwrap();
        commit(&mut store, 10);
        assert!(waiting(&store.connection).unwrap() > 0, "a short log waits");
        commit(&mut store, 1_200);
        let deadline = Instant::now() + Duration::from_secs(60);
        while waiting(&store.connection).unwrap() > 0 {
            assert!(Instant::now() < deadline, "the log does not come home");
            std::thread::yield_now();
        }
        commit(&mut store, 10);
        drop(store);
        assert_eq!(std::fs::metadata(folder.path().join("accrued.db-wal")).unwrap().len(), 0);
        let store = Store::open_reading(folder.path()).unwrap().unwrap();
        let rows: i64 =
            store.connection.query_row("SELECT count(*) FROM layout", [], |row| row.get(0)).unwrap();
        assert_eq!(rows, 1_220);
    }
}
