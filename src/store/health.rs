//! How large the store is, how it grows, and whether its file is sound: for `doctor`, in bounded time.

use super::Store;
use anyhow::Result;
use rusqlite::ErrorCode;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

/// What came in a month.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Month {
    /// `2026-04`, by the instants of runs
    pub month: String,
    /// files taken
    pub files: i64,
    /// rows in them
    pub rows: i64,
    /// ledger entries posted
    pub entries: i64,
}

/// What SQLite says of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Checked {
    /// sound
    Sound,
    /// in its words
    Damaged(String),
    /// not within the time allowed
    NotDone,
}

/// The version of SQLite that is linked in.
pub fn sqlite_version() -> &'static str {
    rusqlite::version()
}

impl Store {
    /// What each month brought, in order.
    pub fn months(&self) -> Result<Vec<Month>> {
        let mut select = self.connection.prepare(
            "SELECT substr(at, 1, 7), count(*) FILTER (WHERE kind = 'file'),
                    coalesce(sum(CASE kind WHEN 'file' THEN body ->> 'rows' END), 0),
                    coalesce(sum(CASE kind WHEN 'posted' THEN (body ->> 'last') - (body ->> 'first') + 1 END), 0)
             FROM journal WHERE kind IN ('file', 'posted', 'run-started') GROUP BY 1 ORDER BY 1",
        )?;
        let month = |row: &rusqlite::Row<'_>| {
            Ok(Month { month: row.get(0)?, files: row.get(1)?, rows: row.get(2)?, entries: row.get(3)? })
        };
        let months = select.query_map([], month)?;
        Ok(months.collect::<rusqlite::Result<_>>()?)
    }

    /// Bytes of the archive, and of the largest file in it.
    pub fn archived_bytes(&self) -> Result<(u64, u64)> {
        Ok(self.connection.query_row(
            "SELECT coalesce(sum(size), 0), coalesce(max(size), 0) FROM (SELECT max(size) AS size FROM file GROUP BY sha256)",
            [],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?)
    }

    /// SQLite's quick check of the file's structure, for so long.
    pub fn quick_check(&self, within: Duration) -> Result<Checked> {
        let handle = self.connection.get_interrupt_handle();
        let (done, wait) = channel::<()>();
        let watching = std::thread::Builder::new().name("check".to_owned()).spawn(move || {
            if wait.recv_timeout(within) == Err(RecvTimeoutError::Timeout) {
                handle.interrupt();
            }
        })?;
        let said = self.connection.query_row("PRAGMA quick_check(1)", [], |row| row.get::<_, String>(0));
        drop(done);
        // it has nothing to say
        let _ = watching.join();
        match said {
            Ok(said) if said == "ok" => Ok(Checked::Sound),
            Ok(said) => Ok(Checked::Damaged(said)),
            Err(fault) if fault.sqlite_error_code() == Some(ErrorCode::OperationInterrupted) => {
                Ok(Checked::NotDone)
            }
            Err(fault) if fault.sqlite_error_code() == Some(ErrorCode::DatabaseCorrupt) => {
                Ok(Checked::Damaged(fault.to_string()))
            }
            Err(fault) => Err(fault.into()),
        }
    }
}
