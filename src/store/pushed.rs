//! What was pushed out, append-only: by the journal's records, and by path to be quick.

use super::Store;
use super::journal::Stamp;
use anyhow::{Context, Result};
use rusqlite::OptionalExtension;
use serde_json::{Value, json};

/// Kind of the records of files pushed.
pub const PUSHED: &str = "pushed";
/// Kind of the records of files that are about to be pushed and that nothing else tells the name of.
pub const PUSHING: &str = "pushing";
/// Kind of the records of pushes that could not be done.
pub const PUSH_FAILED: &str = "push-failed";

/// A push and where it led: files go once to each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Destination<'d> {
    /// name of the push
    pub push: &'d str,
    /// `sftp://user@host:22/folder`, or a local folder
    pub place: &'d str,
}

/// A file that was pushed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushedFile {
    /// path below the push's folder
    pub path: String,
    /// lower-case hex
    pub sha256: String,
    /// bytes
    pub size: u64,
}

impl Store {
    /// Records files as pushed.
    pub fn note_pushed(&mut self, stamp: &Stamp, to: Destination<'_>, files: &[PushedFile]) -> Result<()> {
        let listed: Vec<Value> =
            files.iter().map(|file| json!([file.path, file.sha256, file.size])).collect();
        self.append_pushed(stamp, &json!({ "push": to.push, "place": to.place, "files": listed }))
    }

    /// The same as the record of an earlier time tells it.
    pub fn append_pushed(&mut self, stamp: &Stamp, body: &Value) -> Result<()> {
        self.whole(|store| {
            let seq = store.append(stamp, PUSHED, body)?;
            store
                .connection
                .prepare_cached(
                    "INSERT INTO pushed SELECT ?1 ->> 'push', ?1 ->> 'place', value ->> 0, value ->> 1, value ->> 2, ?2
                     FROM json_each(?1, '$.files')",
                )?
                .execute((body.to_string(), seq))
                .context("cannot record what was pushed")?;
            Ok(())
        })
    }

    /// Records a file that is about to be pushed: whoever comes after a kill knows under which name it may stand there.
    pub fn note_pushing(&mut self, stamp: &Stamp, to: Destination<'_>, file: &PushedFile) -> Result<()> {
        let body = json!({
            "push": to.push, "place": to.place, "path": file.path, "sha256": file.sha256, "size": file.size
        });
        self.whole(|store| store.append(stamp, PUSHING, &body).map(drop))
    }

    /// The file that was about to be pushed last, unless it is recorded as pushed.
    pub fn left_pushing(&self, to: Destination<'_>) -> Result<Option<PushedFile>> {
        let last = self
            .connection
            .prepare_cached(
                "SELECT body ->> 'path', body ->> 'sha256', body ->> 'size' FROM journal
                 WHERE kind = ?1 AND body ->> 'push' = ?2 AND body ->> 'place' = ?3 ORDER BY seq DESC LIMIT 1",
            )?
            .query_row((PUSHING, to.push, to.place), |row| {
                Ok(PushedFile { path: row.get(0)?, sha256: row.get(1)?, size: row.get(2)? })
            })
            .optional()?;
        match last {
            Some(file) if !self.is_pushed(to, &file.path)? => Ok(Some(file)),
            Some(_) | None => Ok(None),
        }
    }

    /// Whether a path was pushed.
    pub fn is_pushed(&self, to: Destination<'_>, path: &str) -> Result<bool> {
        Ok(self
            .connection
            .prepare_cached(
                "SELECT EXISTS (SELECT 1 FROM pushed WHERE push = ?1 AND place = ?2 AND path = ?3)",
            )?
            .query_row((to.push, to.place, path), |row| row.get(0))?)
    }

    /// What was pushed last below a folder (`balances/`).
    pub fn last_pushed(&self, to: Destination<'_>, below: &str) -> Result<Option<PushedFile>> {
        Ok(self
            .connection
            .prepare_cached(
                "SELECT path, sha256, size FROM pushed WHERE push = ?1 AND place = ?2 AND substr(path, 1, length(?3)) = ?3
                 ORDER BY seq DESC, path DESC LIMIT 1",
            )?
            .query_row((to.push, to.place, below), |row| {
                Ok(PushedFile { path: row.get(0)?, sha256: row.get(1)?, size: row.get(2)? })
            })
            .optional()?)
    }

    /// How many files were pushed, and the instant of the run that pushed last.
    pub fn pushed_so_far(&self, to: Destination<'_>) -> Result<(u64, Option<String>)> {
        let (count, last): (u64, Option<i64>) = self.connection.query_row(
            "SELECT count(*), max(seq) FROM pushed WHERE push = ?1 AND place = ?2",
            (to.push, to.place),
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        Ok((count, last.map(|seq| self.instant_of(seq)).transpose()?.flatten()))
    }
}
