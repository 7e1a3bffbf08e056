//! Closed cycles, scheme texts and publications.

use super::Store;
use super::journal::Stamp;
use anyhow::{Context, Result};
use chrono::NaiveDate;
use rusqlite::OptionalExtension;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// A closed cycle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closed {
    /// by its first month
    pub cycle: i32,
    /// the day it closed, in the scheme's zone
    pub day: NaiveDate,
    /// SHA-256 of the scheme text it goes by (the last one pinned); `None` where no version was in force in it
    pub version: Option<String>,
    /// why it was closed without its files, or empty
    pub reason: String,
    /// journal sequence at which it was last bound to that text
    pub bound: i64,
}

/// A scheme text that was in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemeText {
    /// number in the store
    pub id: i64,
    /// SHA-256 of its canonical form
    pub version: String,
    /// scheme id
    pub scheme: String,
    /// where it was read from
    pub path: String,
    /// the file
    pub text: String,
}

/// A published folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publication {
    /// journal sequence
    pub seq: i64,
    /// scheme id
    pub scheme: String,
    /// by its first month
    pub cycle: i32,
    /// below data_dir
    pub folder: String,
    /// below data_dir, where it was made
    pub staging: String,
    /// SHA-256 of its MANIFEST.csv
    pub manifest: String,
    /// last ledger entry it tells of
    pub entry: i64,
}

fn publication(row: &rusqlite::Row<'_>) -> rusqlite::Result<Publication> {
    Ok(Publication {
        seq: row.get(0)?,
        scheme: row.get(1)?,
        cycle: row.get(2)?,
        folder: row.get(3)?,
        staging: row.get(4)?,
        manifest: row.get(5)?,
        entry: row.get(6)?,
    })
}

const PUBLICATION: &str = "SELECT seq, scheme, cycle, folder, staging, manifest, entry FROM publication";

impl Store {
    /// The number of a scheme text, journalled when it is first seen.
    pub fn scheme_text(
        &self,
        stamp: &Stamp,
        scheme: &str,
        version: &str,
        path: &str,
        text: &str,
    ) -> Result<i64> {
        if let Some(id) = self.version_id(version)? {
            return Ok(id);
        }
        let seq = self.append(
            stamp,
            "scheme",
            &json!({"scheme": scheme, "version": version, "path": path, "text": text}),
        )?;
        self.connection.execute(
            "INSERT INTO scheme_text (version, scheme, path, text, seq) VALUES (?1, ?2, ?3, ?4, ?5)",
            (version, scheme, path, text, seq),
        )?;
        Ok(self.connection.last_insert_rowid())
    }

    /// Journals which versions of all schemes a run goes by, where they are others than before.
    pub fn versions_in_force(&self, stamp: &Stamp, versions: &[&str]) -> Result<()> {
        let body = json!({ "versions": versions });
        let as_text = body.to_string();
        if self.last_record("schemes")?.is_none_or(|record| record.body != as_text) {
            self.append(stamp, "schemes", &body)?;
        }
        Ok(())
    }

    /// The number of a scheme version, if it was ever in force.
    pub fn version_id(&self, version: &str) -> Result<Option<i64>> {
        Ok(self
            .connection
            .prepare_cached("SELECT id FROM scheme_text WHERE version = ?1")?
            .query_row([version], |row| row.get(0))
            .optional()?)
    }

    /// Scheme texts ever in force, oldest first.
    pub fn scheme_texts(&self) -> Result<Vec<SchemeText>> {
        let mut select =
            self.connection.prepare("SELECT id, version, scheme, path, text FROM scheme_text ORDER BY id")?;
        let rows = select.query_map([], |row| {
            Ok(SchemeText {
                id: row.get(0)?,
                version: row.get(1)?,
                scheme: row.get(2)?,
                path: row.get(3)?,
                text: row.get(4)?,
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Closed cycles of a scheme, in order, each as it was pinned last.
    pub fn closed(&self, scheme: &str) -> Result<Vec<Closed>> {
        self.closed_upto(scheme, i64::MAX)
    }

    /// The same as it was when the journal record `upto` was the last.
    pub fn closed_upto(&self, scheme: &str, upto: i64) -> Result<Vec<Closed>> {
        let mut select = self.connection.prepare_cached(
            "SELECT last.cycle, first.day, (SELECT version FROM scheme_text WHERE id = last.version_id), first.reason, last.seq
             FROM close AS last JOIN close AS first ON first.scheme = last.scheme AND first.cycle = last.cycle
             WHERE last.scheme = ?1 AND last.seq <= ?2
               AND last.seq = (SELECT max(seq) FROM close WHERE scheme = last.scheme AND cycle = last.cycle AND seq <= ?2)
               AND first.seq = (SELECT min(seq) FROM close WHERE scheme = last.scheme AND cycle = last.cycle)
             ORDER BY last.cycle",
        )?;
        let rows = select.query_map((scheme, upto), |row| {
            Ok(Closed {
                cycle: row.get(0)?,
                day: row.get(1)?,
                version: row.get(2)?,
                reason: row.get(3)?,
                bound: row.get(4)?,
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Records that a cycle is closed (or, later, that it goes by another text).
    pub fn close(
        &self,
        stamp: &Stamp,
        scheme: &str,
        (cycle, name): (i32, &str),
        day: NaiveDate,
        version: Option<&str>,
        reason: &str,
    ) -> Result<i64> {
        let seq = self.append(
            stamp,
            "cycle-closed",
            &json!({"scheme": scheme, "cycle": name, "version": version, "reason": reason}),
        )?;
        let version_id = version.map(|version| self.version_id(version)).transpose()?.flatten();
        self.connection
            .execute(
                "INSERT INTO close VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                (scheme, cycle, seq, day, version_id, reason),
            )
            .context("cannot record that the cycle is closed")?;
        Ok(seq)
    }

    /// Records a publication that is staged and whole; it is put in place after the commit.
    pub fn publish(&self, stamp: &Stamp, publication: &Publication) -> Result<()> {
        let body: Value = json!({
            "scheme": publication.scheme, "folder": publication.folder, "manifest": publication.manifest,
            "entry": publication.entry,
        });
        let seq = self.append(stamp, "published", &body)?;
        self.connection
            .execute(
                "INSERT INTO publication VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0)",
                (
                    seq,
                    &publication.scheme,
                    publication.cycle,
                    &publication.folder,
                    &publication.staging,
                    &publication.manifest,
                    publication.entry,
                ),
            )
            .context("cannot record a publication")?;
        Ok(())
    }

    /// Publications that are recorded and not yet in place.
    pub fn unplaced(&self) -> Result<Vec<Publication>> {
        let mut select =
            self.connection.prepare_cached(&format!("{PUBLICATION} WHERE placed = 0 ORDER BY seq"))?;
        let rows = select.query_map([], publication)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// It is in place.
    pub fn placed(&self, seq: i64) -> Result<()> {
        self.connection.execute("UPDATE publication SET placed = 1 WHERE seq = ?1", [seq])?;
        Ok(())
    }

    /// Journal sequence of the last publication of a cycle, 0 before the first.
    pub fn last_publication(&self, scheme: &str, cycle: i32) -> Result<i64> {
        Ok(self
            .connection
            .prepare_cached("SELECT coalesce(max(seq), 0) FROM publication WHERE scheme = ?1 AND cycle = ?2")?
            .query_row((scheme, cycle), |row| row.get(0))?)
    }

    /// Number of the last revision of a cycle's papers, 0 before the first.
    pub fn last_revision(&self, scheme: &str, cycle: i32) -> Result<u32> {
        let mut select = self.connection.prepare_cached(
            "SELECT folder FROM publication WHERE scheme = ?1 AND cycle = ?2 ORDER BY seq DESC",
        )?;
        let mut rows = select.query((scheme, cycle))?;
        while let Some(row) = rows.next()? {
            if let Some((_, number)) = row.get_ref(0)?.as_str()?.rsplit_once("/rev-") {
                return number.parse().with_context(|| format!("a revision is numbered {number}"));
            }
        }
        Ok(0)
    }

    /// Every publication of a scheme and cycle, or of all.
    pub fn publications(&self, of: Option<(&str, i32)>) -> Result<Vec<Publication>> {
        let (scheme, cycle) = of.unzip();
        let mut select = self.connection.prepare_cached(&format!(
            "{PUBLICATION} WHERE (?1 IS NULL OR scheme = ?1) AND (?2 IS NULL OR cycle = ?2) ORDER BY seq"
        ))?;
        let rows = select.query_map((scheme, cycle), publication)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// The publications that must be in place: of a folder that is replaced the last, and of an open cycle's standing none
    /// once the cycle has closed.
    pub fn in_place(&self) -> Result<Vec<Publication>> {
        let all = self.publications(None)?;
        let waiting: BTreeSet<i64> = self.unplaced()?.into_iter().map(|one| one.seq).collect();
        let last: BTreeMap<&str, i64> = all.iter().map(|one| (one.folder.as_str(), one.seq)).collect();
        let stands = |one: &&Publication| {
            let closed = one
                .folder
                .strip_suffix("/current")
                .is_some_and(|cycle| last.contains_key(format!("{cycle}/rev-001").as_str()));
            last.get(one.folder.as_str()) == Some(&one.seq) && !closed && !waiting.contains(&one.seq)
        };
        Ok(all.iter().filter(stands).cloned().collect())
    }

    /// It waits to be put in place again.
    pub fn unplace(&self, seq: i64) -> Result<()> {
        self.connection.execute("UPDATE publication SET placed = 0 WHERE seq = ?1", [seq])?;
        Ok(())
    }

    /// The last ledger entry that a scheme's statements have told of.
    pub fn last_statement_entry(&self, scheme: &str) -> Result<i64> {
        Ok(self.connection.query_row(
            "SELECT coalesce(max(entry), 0) FROM publication WHERE scheme = ?1 AND folder LIKE '%/statement'",
            [scheme],
            |row| row.get(0),
        )?)
    }
}
