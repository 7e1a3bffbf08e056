//! Whether the store is what its own records say: chains, append-only guards, tables against the journal.

use super::Store;
use super::ledger::Wanted;
use crate::domain::chain;
use anyhow::Result;
use std::collections::BTreeMap;

/// What keeps the database from changing or deleting entries and records.
const GUARDS: [&str; 12] = [
    "journal_appends",
    "journal_holds",
    "journal_keeps",
    "ledger_appends",
    "ledger_holds",
    "ledger_keeps",
    "pushed_appends",
    "pushed_holds",
    "pushed_keeps",
    "silenced_appends",
    "silenced_holds",
    "silenced_keeps",
];

/// Rows that say something else than the journal record of the same number, and what they are.
const UNLIKE: [(&str, &str); 5] = [
    (
        "the file",
        "SELECT seq, name FROM file LEFT JOIN journal USING (seq) WHERE kind IS NOT 'file'
         OR (body ->> 'feed', body ->> 'name', body ->> 'size', body ->> 'sha256', body ->> 'state', body ->> 'rows',
             body ->> 'accepted', body ->> 'duplicate', body ->> 'superseding', body ->> 'outdated', body ->> 'held', body ->> 'rejected',
             body ->> 'rank')
         IS NOT (feed, name, size, sha256, state, rows, accepted, duplicate, superseding, outdated, held, rejected, rank)",
    ),
    (
        "the silence",
        "SELECT silenced.seq, name FROM silenced LEFT JOIN file USING (seq) LEFT JOIN journal ON journal.seq = by
         WHERE silenced.seq NOT IN (SELECT value FROM json_each(body -> 'silences'))",
    ),
    (
        "the scheme text",
        "SELECT seq, path FROM scheme_text LEFT JOIN journal USING (seq) WHERE kind IS NOT 'scheme'
         OR (body ->> 'scheme', body ->> 'version', body ->> 'path', body ->> 'text') IS NOT (scheme, version, path, text)",
    ),
    (
        "the close",
        "SELECT close.seq, close.scheme || ' ' || coalesce(body ->> 'cycle', '') FROM close LEFT JOIN journal ON journal.seq = close.seq
         LEFT JOIN scheme_text ON scheme_text.id = version_id WHERE kind IS NOT 'cycle-closed'
         OR (body ->> 'scheme', body ->> 'version', body ->> 'reason') IS NOT (close.scheme, scheme_text.version, reason)",
    ),
    (
        "the publication",
        "SELECT seq, folder FROM publication LEFT JOIN journal USING (seq) WHERE kind IS NOT 'published'
         OR (body ->> 'scheme', body ->> 'folder', body ->> 'manifest', body ->> 'entry') IS NOT (scheme, folder, manifest, entry)",
    ),
];

/// Journal records whose rows are gone.
const GONE: [(&str, &str); 5] = [
    (
        "silence",
        "SELECT journal.seq, body ->> 'name' FROM journal, json_each(body -> 'silences') AS one WHERE kind = 'file'
         AND NOT EXISTS (SELECT 1 FROM silenced WHERE silenced.seq = one.value AND by = journal.seq)",
    ),
    (
        "file",
        "SELECT seq, body ->> 'name' FROM journal WHERE kind = 'file' AND seq NOT IN (SELECT seq FROM file)",
    ),
    (
        "scheme text",
        "SELECT seq, body ->> 'path' FROM journal WHERE kind = 'scheme' AND seq NOT IN (SELECT seq FROM scheme_text)",
    ),
    (
        "close",
        "SELECT seq, body ->> 'scheme' || ' ' || (body ->> 'cycle') FROM journal WHERE kind = 'cycle-closed'
         AND seq NOT IN (SELECT seq FROM close)",
    ),
    (
        "publication",
        "SELECT seq, body ->> 'folder' FROM journal WHERE kind = 'published' AND seq NOT IN (SELECT seq FROM publication)",
    ),
];

impl Store {
    /// Every ledger entry whose hash, number or order is not what the entries before it make it, in words; none where
    /// the chain holds.
    pub fn ledger_breaks(&self) -> Result<Vec<String>> {
        let mut previous = chain::GENESIS.to_owned();
        let mut expected = 1;
        let mut found = Vec::new();
        self.each_entry(&Wanted::default(), |entry| {
            if entry.entry != expected {
                found.push(format!("ledger entry {expected} is missing: {} follows", entry.entry));
            } else if chain::entry_hash(&previous, &entry) != entry.hash {
                found.push(format!(
                    "ledger entry {} (partner {}, scheme {}, cycle {}) was changed after it was posted",
                    entry.entry, entry.partner_code, entry.scheme, entry.cycle
                ));
            }
            expected = entry.entry + 1;
            previous = entry.hash;
            Ok(())
        })?;
        Ok(found)
    }

    /// The same of the journal's records.
    pub fn journal_breaks(&self) -> Result<Vec<String>> {
        let mut previous = chain::GENESIS.to_owned();
        let mut expected = 1;
        let mut found = Vec::new();
        self.each_record(|record| {
            if record.seq != expected {
                found.push(format!("journal record {expected} is missing: {} follows", record.seq));
            } else if record.hash_after(&previous) != record.hash {
                found.push(format!(
                    "journal record {} ({}, {}) was changed after it was written",
                    record.seq, record.kind, record.stamp.at
                ));
            }
            expected = record.seq + 1;
            previous = record.hash;
            Ok(())
        })?;
        Ok(found)
    }

    /// Heads of the ledger's chain that the journal has recorded, by entry: (hash, journal sequence).
    pub fn recorded_heads(&self) -> Result<BTreeMap<i64, (String, i64)>> {
        let mut select = self.connection.prepare(
            "SELECT body ->> 'entry', body ->> 'head', seq FROM journal WHERE kind = 'run-finished' AND body ->> 'entry' > 0",
        )?;
        let rows = select.query_map([], |row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?))))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// The chain hash of one entry; `None` where there is no such entry.
    pub fn entry_hash(&self, entry: i64) -> Result<Option<String>> {
        use rusqlite::OptionalExtension;
        Ok(self
            .connection
            .prepare_cached("SELECT lower(hex(hash)) FROM ledger WHERE entry = ?1")?
            .query_row([entry], |row| row.get(0))
            .optional()?)
    }

    /// The entry with a chain hash (lower-case hex); `None` where the ledger has none.
    pub fn entry_of_hash(&self, hash: &str) -> Result<Option<i64>> {
        self.number_of_hash("SELECT min(entry) FROM ledger WHERE hash = unhex(?1)", hash)
    }

    /// The journal record with a chain hash (lower-case hex); `None` where the journal has none.
    pub fn record_of_hash(&self, hash: &str) -> Result<Option<i64>> {
        self.number_of_hash("SELECT min(seq) FROM journal WHERE hash = unhex(?1)", hash)
    }

    fn number_of_hash(&self, sql: &str, hash: &str) -> Result<Option<i64>> {
        Ok(self.connection.query_row(sql, [hash], |row| row.get(0))?)
    }

    /// Guards of ledger and journal that somebody has taken away.
    pub fn guards_gone(&self) -> Result<Vec<&'static str>> {
        let mut select = self.connection.prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger'")?;
        let there: Vec<String> = select.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
        Ok(GUARDS.into_iter().filter(|guard| !there.iter().any(|name| name == guard)).collect())
    }

    /// Rows of other tables that are not what the journal has recorded, in words.
    pub fn unlike_journal(&self) -> Result<Vec<String>> {
        let mut found = Vec::new();
        for (what, sql) in UNLIKE {
            self.each_named(sql, |seq, name| {
                found.push(format!("{what} {name} is not what journal record {seq} says of it"));
            })?;
        }
        for (what, sql) in GONE {
            self.each_named(sql, |seq, name| {
                found.push(format!(
                    "journal record {seq} tells of the {what} {name}, which is gone from the store"
                ));
            })?;
        }
        Ok(found)
    }

    /// Files whose rows do not add up: what was said of them, or the rejects that are kept, in words.
    pub fn miscounted_files(&self) -> Result<Vec<String>> {
        let mut found = Vec::new();
        self.each_named(
            "SELECT seq, name FROM file WHERE state = 'ingested'
             AND accepted + duplicate + superseding + outdated + held + rejected <> rows",
            |seq, name| found.push(format!("the rows of {name} (record {seq}) do not add up")),
        )?;
        self.each_named(
            "SELECT seq, name FROM file WHERE state = 'ingested' AND rejected <> (SELECT count(*) FROM reject WHERE reject.seq = file.seq)",
            |seq, name| {
                found.push(format!("{name} (record {seq}) has another number of rejects than were counted"));
            },
        )?;
        Ok(found)
    }

    fn each_named(&self, sql: &str, mut take: impl FnMut(i64, String)) -> Result<()> {
        let mut select = self.connection.prepare(sql)?;
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            take(row.get(0)?, row.get::<_, Option<String>>(1)?.unwrap_or_default());
        }
        Ok(())
    }

    /// Schemes that were evaluated, each with what its positions rest on.
    pub fn evaluated_schemes(&self) -> Result<Vec<(String, String)>> {
        let mut select = self.connection.prepare("SELECT scheme, rests_on FROM evaluated ORDER BY scheme")?;
        let rows = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Accruals and corrections of a scheme, summed: partner -> cycle name -> millionths of points.
    pub fn posted_sums(&self, scheme: &str) -> Result<BTreeMap<String, BTreeMap<String, i64>>> {
        let mut select = self.connection.prepare(
            "SELECT partner_code, cycle, sum(points) FROM ledger WHERE scheme = ?1 AND kind IN ('accrual', 'correction')
             GROUP BY partner_code, cycle",
        )?;
        let mut rows = select.query([scheme])?;
        let mut sums: BTreeMap<String, BTreeMap<String, i64>> = BTreeMap::new();
        while let Some(row) = rows.next()? {
            sums.entry(row.get(0)?).or_default().insert(row.get(1)?, row.get(2)?);
        }
        Ok(sums)
    }
}
