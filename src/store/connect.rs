//! Opening the store, for a run or for reading.

use super::home::Home;
use super::migrate::{self, OtherForm};
use anyhow::{Context, Result, bail};
use rusqlite::backup::{Backup, StepResult};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Of a copy of the store.
const PAGES_AT_ONCE: std::ffi::c_int = 4_096;

/// The SQLite file of a data_dir. Dropped by who wrote, its write-ahead log is emptied and stays: see [`Store::rest`].
pub struct Store {
    pub(super) connection: Connection,
    pub(super) scratch: PathBuf,
    /// who brings the log home, where that is not left to commits
    pub(super) home: Option<Home>,
}

impl Drop for Store {
    fn drop(&mut self) {
        if let Some(home) = self.home.take() {
            home.end();
        }
        self.rest();
    }
}

/// Whose clock a store lives by: as its first run was (interfaces.md 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClockMode {
    /// the machine's
    Real,
    /// `--as-of`
    Given,
}

impl ClockMode {
    /// the word in the journal
    pub fn word(self) -> &'static str {
        match self {
            ClockMode::Real => "real",
            ClockMode::Given => "given",
        }
    }
}

impl Store {
    /// Opens the store for a run, making it if it is not there. `scratch` holds what is too large for memory.
    pub fn open(data_dir: &Path, scratch: &Path) -> Result<Store> {
        let path = data_dir.join("accrued.db");
        let mut connection =
            Connection::open(&path).with_context(|| format!("cannot open the store {}", path.display()))?;
        let fresh: i64 = connection
            .pragma_query_value(None, "page_count", |row| row.get(0))
            .context("cannot read the store")?;
        if fresh == 0 {
            connection.pragma_update(None, "page_size", 32_768)?;
        }
        let mode: String =
            connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
        if mode != "wal" {
            bail!(
                "the store {} cannot use a write-ahead log on this file system (it says {mode})",
                path.display()
            );
        }
        connection.pragma_update(None, "synchronous", "FULL")?;
        settings(&connection)?;
        migrate::migrate(&mut connection)
            .with_context(|| format!("cannot bring the store {} up to date", path.display()))?;
        Ok(Store { connection, scratch: scratch.to_path_buf(), home: None })
    }

    /// Opens the store for reading only; `None` where no run has made one yet.
    pub fn open_reading(data_dir: &Path) -> Result<Option<Store>> {
        let path = data_dir.join("accrued.db");
        match std::fs::File::open(&path) {
            Ok(_) => {}
            Err(fault) if fault.kind() == ErrorKind::NotFound => return Ok(None),
            Err(fault) if fault.kind() == ErrorKind::PermissionDenied => bail!(
                "this user may not read the store {}: its readers are the user who runs accrued and the members of its folder's group (as root: usermod -aG GROUP USER, then log in again)",
                path.display()
            ),
            Err(fault) => {
                return Err(fault).with_context(|| format!("cannot read the store {}", path.display()));
            }
        }
        match Store::open_file(&path) {
            // the first run is making it
            Err(fault) if fault.downcast_ref() == Some(&OtherForm::Older(0)) => Ok(None),
            opened => opened.map(Some),
        }
    }

    /// Opens a store for reading only, whatever its file is called.
    pub fn open_file(path: &Path) -> Result<Store> {
        let connection =
            reading(path).with_context(|| format!("cannot open the store {}", path.display()))?;
        settings(&connection)?;
        migrate::check_current(&connection)
            .with_context(|| format!("cannot read the store {}", path.display()))?;
        // one reading command sees one state, whatever a run writes meanwhile
        connection.execute_batch("BEGIN")?;
        let scratch = path.parent().unwrap_or(Path::new("")).to_path_buf();
        Ok(Store { connection, scratch, home: None })
    }

    /// Brings the write-ahead log into the file and empties it, as far as nobody reads it: who reads is not waited for.
    /// The log and its index are left in place. SQLite would remove them, and who may read the store but not write
    /// beside it could then not open it: whoever reads needs the index, and only a writer can make one.
    fn rest(&self) {
        if self.connection.is_readonly(rusqlite::MAIN_DB).unwrap_or(true) || !self.connection.is_autocommit()
        {
            return;
        }
        // what is not brought into the file now is in the log, durable, and comes with the next run
        let _ = self.connection.busy_timeout(std::time::Duration::ZERO);
        let _ = self.connection.pragma_update(None, "wal_checkpoint", "TRUNCATE");
    }

    /// Copies the store as it stands into another data_dir.
    pub fn copy_to(&self, data_dir: &Path) -> Result<()> {
        let path = data_dir.join("accrued.db");
        let mut copy =
            Connection::open(&path).with_context(|| format!("cannot make the store {}", path.display()))?;
        let backup = Backup::new(&self.connection, &mut copy)?;
        backup
            .run_to_completion(PAGES_AT_ONCE, std::time::Duration::ZERO, None)
            .with_context(|| format!("cannot copy the store to {}", path.display()))
    }

    /// Copies the store as it stands to a file that needs no other beside it. `go_on` is asked between pages and may end it. What a
    /// run writes meanwhile neither waits for the copy nor gets into it: it is of the state that this store was opened in.
    pub fn copy_alone(&self, path: &Path, go_on: &mut dyn FnMut() -> Result<()>) -> Result<()> {
        let cannot = || format!("cannot copy the store to {}", path.display());
        let mut copy = Connection::open(path).with_context(cannot)?;
        let backup = Backup::new(&self.connection, &mut copy)?;
        while backup.step(PAGES_AT_ONCE).with_context(cannot)? != StepResult::Done {
            go_on()?;
        }
        drop(backup);
        drop(copy);
        // it says that it has a write-ahead log, as its original has
        let copy = Connection::open(path).with_context(cannot)?;
        copy.pragma_update_and_check(None, "journal_mode", "DELETE", |_| Ok(())).with_context(cannot)
    }

    /// Everything written is in the store's own file; nothing stands beside it once this is dropped.
    pub fn settle(&self) -> Result<()> {
        self.connection
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
            .context("cannot write to the store")
    }

    /// Many small questions of one state: the locks that each would take are taken once.
    pub fn in_one_state<T>(&self, ask: impl FnOnce() -> Result<T>) -> Result<T> {
        self.connection.execute_batch("BEGIN").context("cannot read the store")?;
        let answer = ask();
        self.connection.execute_batch("COMMIT").context("cannot read the store")?;
        answer
    }

    /// Everything since the last commit stands or falls together.
    pub fn begin(&self) -> Result<()> {
        self.connection.execute_batch("BEGIN IMMEDIATE").context("cannot begin to write to the store")
    }

    /// Makes what was written since [`Store::begin`] last.
    pub fn commit(&self) -> Result<()> {
        self.connection.execute_batch("COMMIT").context("cannot write to the store")?;
        self.home.iter().for_each(Home::note);
        Ok(())
    }

    /// Forgets what was written since [`Store::begin`].
    pub fn rollback(&self) -> Result<()> {
        if self.connection.is_autocommit() {
            return Ok(());
        }
        self.connection.execute_batch("ROLLBACK").context("cannot undo what was written to the store")
    }

    /// Runs `work` in one transaction: all of it or, on an error, nothing.
    pub fn whole<T>(&mut self, work: impl FnOnce(&mut Store) -> Result<T>) -> Result<T> {
        self.begin()?;
        match work(self) {
            Ok(result) => {
                self.commit()?;
                Ok(result)
            }
            Err(fault) => {
                self.rollback()?;
                Err(fault)
            }
        }
    }

    /// SQLite's own check of the file's structure; `None` when it is sound.
    pub fn structure_fault(&self) -> Result<Option<String>> {
        let said: String = self.connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
        Ok((said != "ok").then_some(said))
    }
}

/// A connection that changes nothing. Who may not write beside the store shares the write-ahead log that a run has left there,
/// also while a run writes. Where there is none (a copy on a read-only disk) the file alone is the store.
fn reading(path: &Path) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    let probed = connection.query_row("SELECT EXISTS (SELECT 1 FROM sqlite_schema)", [], |_| Ok(()));
    let code = probed.as_ref().err().and_then(rusqlite::Error::sqlite_error_code);
    match (probed, code) {
        (Ok(()), _) => Ok(connection),
        (Err(_), Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen)) => {
            let log = std::fs::metadata(path.with_extension("db-wal")).map_or(0, |log| log.len());
            if log > 0 {
                bail!(
                    "a run is at work or was killed, and this user may not write to its folder: read it as the user who runs accrued, or after the next run"
                );
            }
            Ok(Connection::open_with_flags(as_it_lies(path), flags | OpenFlags::SQLITE_OPEN_URI)?)
        }
        (Err(fault), _) => Err(fault.into()),
    }
}

/// The name of a file that nobody changes, for SQLite.
fn as_it_lies(path: &Path) -> String {
    let mut name = "file:".to_owned();
    for &byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'/' | b'.' | b'-' | b'_' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => name.push(byte.into()),
            other => name.push_str(&format!("%{other:02x}")),
        }
    }
    name.push_str("?immutable=1");
    name
}

/// Instructions of SQLite's machine between two words of a long statement: some milliseconds.
const INSTRUCTIONS: std::ffi::c_int = 200_000;

impl Store {
    /// While statements work, `goes_on` is called every few milliseconds: where it says no, the statement that is under way
    /// ends with a fault for which [`was_interrupted`] is true, and its transaction can be undone.
    pub fn watch(&mut self, mut goes_on: impl FnMut() -> bool + Send + 'static) -> Result<()> {
        Ok(self.connection.progress_handler(INSTRUCTIONS, Some(move || !goes_on()))?)
    }

    /// For walking through once, beside another connection: pages that were read are not kept.
    pub fn keeping_few_pages(self) -> Result<Store> {
        self.connection.pragma_update(None, "cache_size", -1_024)?;
        Ok(self)
    }
}

/// Whether a fault is that of a statement which [`Store::watch`] has ended.
pub fn was_interrupted(fault: &anyhow::Error) -> bool {
    let code = |cause: &(dyn std::error::Error + 'static)| {
        cause.downcast_ref::<rusqlite::Error>().and_then(rusqlite::Error::sqlite_error_code)
    };
    fault.chain().any(|cause| code(cause) == Some(ErrorCode::OperationInterrupted))
}

fn settings(connection: &Connection) -> Result<()> {
    connection.busy_timeout(std::time::Duration::from_secs(10))?;
    // a file's facts come before its own record, which tells how they were judged: references are documentation
    connection.pragma_update(None, "foreign_keys", "OFF")?;
    connection.pragma_update(None, "trusted_schema", "OFF")?;
    connection.pragma_update(None, "recursive_triggers", "ON")?;
    connection.pragma_update(None, "cache_size", -16_384)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    // a statement keeps the plan it was prepared with, whatever is bound to it: else many are planned anew each time
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    // see Store::rest
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_that_the_first_run_is_making_is_none_yet() {
        let folder = tempfile::tempdir().unwrap();
        let making = Connection::open(folder.path().join("accrued.db")).unwrap();
        assert!(Store::open_reading(folder.path()).unwrap().is_none());
        making.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(())).unwrap();
        making.execute_batch("BEGIN IMMEDIATE; CREATE TABLE migration (number INTEGER)").unwrap();
        assert!(Store::open_reading(folder.path()).unwrap().is_none());
        making.execute_batch("ROLLBACK").unwrap();
        drop(Store::open(folder.path(), folder.path()).unwrap());
        assert!(Store::open_reading(folder.path()).unwrap().is_some());
    }
}
