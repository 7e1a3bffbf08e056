//! The journal: every input that can change the store, in order, hash-chained. Its `seq` is the store's own time.

use super::{ClockMode, Store};
use crate::domain::chain;
use anyhow::{Context, Result};
use rusqlite::OptionalExtension;
use serde_json::{Value, json};

/// Who writes, when and in which run: given once, stamped on everything a run writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp {
    /// RFC 3339, UTC, seconds
    pub at: String,
    /// number of the run; of a person's command the last run's
    pub run: i64,
    /// `accrued`, or an operating-system user
    pub actor: String,
}

/// One record.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// number, from 1, without gaps
    pub seq: i64,
    /// who and when
    pub stamp: Stamp,
    /// `run-started`, `config`, `scheme`, `schemes`, `looked`, `file`, `decision`, `posted`, `cycle-closed`, `published`,
    /// `run-finished`, ...
    pub kind: String,
    /// JSON
    pub body: String,
    /// lower-case hex
    pub hash: String,
}

impl Record {
    pub(super) fn hash_after(&self, previous: &str) -> String {
        chain::link(
            previous,
            &[
                &self.seq.to_string(),
                &self.stamp.at,
                &self.stamp.run.to_string(),
                &self.stamp.actor,
                &self.kind,
                &self.body,
            ],
        )
    }
}

impl Record {
    /// As one line of text, with its line end: JSON, the body as the text that was hashed.
    pub fn line(&self) -> String {
        let Record { seq, stamp, kind, body, hash } = self;
        let (at, run, actor) = (&stamp.at, stamp.run, &stamp.actor);
        format!(
            "{}\n",
            json!({"seq": seq, "at": at, "run": run, "actor": actor, "kind": kind, "body": body, "hash": hash})
        )
    }

    /// Out of such a line; none where it is none.
    pub fn of_line(line: &str) -> Option<Record> {
        let value: Value = serde_json::from_str(line).ok()?;
        let text = |key: &str| value[key].as_str().map(str::to_owned);
        Some(Record {
            seq: value["seq"].as_i64()?,
            stamp: Stamp { at: text("at")?, run: value["run"].as_i64()?, actor: text("actor")? },
            kind: text("kind")?,
            body: text("body")?,
            hash: text("hash")?,
        })
    }

    /// Whether it is what was written after the record with that hash.
    pub fn follows(&self, previous: &str) -> bool {
        self.hash_after(previous) == self.hash
    }
}

fn record(row: &rusqlite::Row<'_>) -> rusqlite::Result<Record> {
    Ok(Record {
        seq: row.get(0)?,
        stamp: Stamp { at: row.get(1)?, run: row.get(2)?, actor: row.get(3)? },
        kind: row.get(4)?,
        body: row.get(5)?,
        hash: row.get(6)?,
    })
}

impl Store {
    /// The number that the next record takes.
    pub fn next_seq(&self) -> Result<i64> {
        Ok(self
            .connection
            .query_row("SELECT coalesce(max(seq), 0) + 1 FROM journal", [], |row| row.get(0))?)
    }

    /// Appends a record and gives its number.
    pub fn append(&self, stamp: &Stamp, kind: &str, body: &Value) -> Result<i64> {
        let (last, previous) = self.journal_head()?;
        let mut record = Record {
            seq: last + 1,
            stamp: stamp.clone(),
            kind: kind.to_owned(),
            body: body.to_string(),
            hash: String::new(),
        };
        record.hash = record.hash_after(&previous);
        self.connection
            .prepare_cached("INSERT INTO journal VALUES (?1, ?2, ?3, ?4, ?5, ?6, unhex(?7))")?
            .execute((record.seq, &stamp.at, stamp.run, &stamp.actor, kind, &record.body, &record.hash))
            .context("cannot write to the journal")?;
        Ok(record.seq)
    }

    /// Number and chain hash of the last record.
    pub fn journal_head(&self) -> Result<(i64, String)> {
        let head = self
            .connection
            .prepare_cached("SELECT seq, lower(hex(hash)) FROM journal ORDER BY seq DESC LIMIT 1")?
            .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        Ok(head.unwrap_or((0, chain::GENESIS.to_owned())))
    }

    /// Walks the journal in order.
    pub fn each_record(&self, take: impl FnMut(Record) -> Result<()>) -> Result<()> {
        self.each_record_after(0, take)
    }

    /// Walks what follows a record, in order.
    pub fn each_record_after(&self, seq: i64, mut take: impl FnMut(Record) -> Result<()>) -> Result<()> {
        let mut select = self.connection.prepare(
            "SELECT seq, at, run, actor, kind, body, lower(hex(hash)) FROM journal WHERE seq > ?1 ORDER BY seq",
        )?;
        let mut rows = select.query([seq])?;
        while let Some(row) = rows.next()? {
            take(record(row)?)?;
        }
        Ok(())
    }

    /// The last record of a kind.
    pub fn last_record(&self, kind: &str) -> Result<Option<Record>> {
        self.last_record_upto(kind, i64::MAX)
    }

    /// The last record of a kind as it was when the record `upto` was the last of all.
    pub fn last_record_upto(&self, kind: &str, upto: i64) -> Result<Option<Record>> {
        Ok(self
            .connection
            .prepare_cached(
                "SELECT seq, at, run, actor, kind, body, lower(hex(hash)) FROM journal WHERE kind = ?1 AND seq <= ?2
                 ORDER BY seq DESC LIMIT 1",
            )?
            .query_row((kind, upto), record)
            .optional()?)
    }

    /// What was known when an entry was posted: the last record before the one that tells of its posting. `None` where no
    /// record does (entries of stores that older versions have made).
    pub fn known_when_posted(&self, entry: i64) -> Result<Option<i64>> {
        Ok(self
            .connection
            .prepare_cached(
                "SELECT seq - 1 FROM journal WHERE kind = 'posted' AND body ->> 'first' <= ?1 AND body ->> 'last' >= ?1
                 ORDER BY seq LIMIT 1",
            )?
            .query_row([entry], |row| row.get(0))
            .optional()?)
    }

    /// The last record that a run could know: the one before it was finished, or before the next run if it was killed.
    pub fn last_seq_of(&self, run: i64) -> Result<i64> {
        let after: Option<i64> = self.connection.query_row(
            "SELECT min(seq) FROM journal WHERE kind IN ('run-started', 'run-finished')
             AND seq > (SELECT min(seq) FROM journal WHERE kind = 'run-started' AND run = ?1)",
            [run],
            |row| row.get(0),
        )?;
        match after {
            Some(seq) => Ok(seq - 1),
            None => Ok(self.journal_head()?.0),
        }
    }

    /// Files that runs since the last finished one were told to read again and have not, in order of ingestion.
    pub fn left_to_reread(&self) -> Result<Vec<i64>> {
        let mut select = self.connection.prepare_cached(
            "SELECT DISTINCT file.seq FROM journal, json_each(journal.body, '$.reread.files') AS wanted
             JOIN file ON file.seq = wanted.value
             WHERE journal.kind = 'run-started' AND journal.seq > (SELECT coalesce(max(seq), 0) FROM journal WHERE kind = 'run-finished')
               AND NOT EXISTS (SELECT 1 FROM file AS again WHERE again.seq > journal.seq AND again.sha256 = file.sha256
                 AND again.feed = file.feed AND again.state IN ('ingested', 'refused'))
             ORDER BY coalesce(file.rank, file.seq), file.seq",
        )?;
        let rows = select.query_map([], |row| row.get(0))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// The chain hash of a record; `None` where there is no such record.
    pub fn record_hash(&self, seq: i64) -> Result<Option<String>> {
        Ok(self
            .connection
            .prepare_cached("SELECT lower(hex(hash)) FROM journal WHERE seq = ?1")?
            .query_row([seq], |row| row.get(0))
            .optional()?)
    }

    /// The instant of a record; `None` where there is no such record.
    pub fn instant_of(&self, seq: i64) -> Result<Option<String>> {
        Ok(self
            .connection
            .prepare_cached("SELECT at FROM journal WHERE seq = ?1")?
            .query_row([seq], |row| row.get(0))
            .optional()?)
    }

    /// Who wrote a record, when and in which run; `None` where there is no such record.
    pub fn stamp_of(&self, seq: i64) -> Result<Option<Stamp>> {
        Ok(self
            .connection
            .prepare_cached("SELECT at, run, actor FROM journal WHERE seq = ?1")?
            .query_row([seq], |row| Ok(Stamp { at: row.get(0)?, run: row.get(1)?, actor: row.get(2)? }))
            .optional()?)
    }

    /// The last record that was written at an instant or before; `None` where all were.
    pub fn known_at(&self, instant: &str) -> Result<Option<i64>> {
        Ok(self
            .connection
            .query_row("SELECT min(seq) - 1 FROM journal WHERE at > ?1", [instant], |row| row.get(0))?)
    }

    /// The last ledger entry that was posted when the record `upto` was the last.
    pub fn last_entry_upto(&self, upto: i64) -> Result<i64> {
        Ok(self.connection.query_row(
            "SELECT coalesce(max(coalesce(body ->> 'last', body ->> 'entry')), 0) FROM journal
             WHERE kind IN ('posted', 'run-finished') AND seq <= ?1",
            [upto],
            |row| row.get(0),
        )?)
    }

    /// The number of the last run, 0 before the first.
    pub fn last_run(&self) -> Result<i64> {
        Ok(self.last_record("run-started")?.map_or(0, |record| record.stamp.run))
    }

    /// Whose clock this store lives by and the instant of its last run; `None` before the first.
    pub fn clock(&self) -> Result<Option<(ClockMode, String)>> {
        let Some(record) = self.last_record("run-started")? else { return Ok(None) };
        let body: Value = serde_json::from_str(&record.body)?;
        let mode = if body["clock"] == ClockMode::Given.word() { ClockMode::Given } else { ClockMode::Real };
        Ok(Some((mode, record.stamp.at)))
    }
}
