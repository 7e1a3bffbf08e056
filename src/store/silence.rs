//! Which files speak, and their order: a file that a newer one of its period replaced, or that was read again, is silent.
//!
//! Answers for: the table `silenced`, the conditions by which every reader of facts leaves out what silent files said, whom it
//! concerns that a file falls silent. Does not: decide which file replaces which, nor read facts.
//!
//! Nothing is removed: "as it stood at seq N" hears the files with `seq <= N` that were not silenced by a record up to N.

use super::Store;
use super::dossiers::scope;
use super::holds::HoldState;
use super::intake::parties_of;
use crate::facts::dossier::{Fallen, RawBundle};
use anyhow::{Context, Result};
use rusqlite::OptionalExtension;

/// SQL: whether the file `seq` (a column) had not fallen silent as of the journal record `upto` (a parameter).
pub(super) fn speaks(seq: &str, upto: &str) -> String {
    format!("NOT EXISTS (SELECT 1 FROM silenced WHERE silenced.seq = {seq} AND silenced.by <= {upto})")
}

/// SQL: the place of the file `seq` (a column) in the order of ingestion.
pub(super) fn rank(seq: &str) -> String {
    // hardly any file has another rank than its seq: the index over those that do is all that is looked at
    format!(
        "coalesce((SELECT ranked.rank FROM file AS ranked INDEXED BY file_ranked WHERE ranked.seq = {seq} AND ranked.rank IS NOT NULL), {seq})"
    )
}

/// Kinds of holds on rows of a file: their subject begins with its seq.
const ROW_HOLDS: [&str; 3] = ["identity_conflict", "rows_vanished", super::EVENT_CONFLICT];

impl Store {
    /// Lets files fall silent from the journal record `by` on, and marks all whose facts that moves. Part of the caller's
    /// transaction; `by` need not be written yet.
    pub(super) fn fall_silent(&self, files: &[i64], by: i64) -> Result<()> {
        for &seq in files {
            self.connection
                .prepare_cached("INSERT INTO silenced VALUES (?1, ?2)")?
                .execute((seq, by))
                .with_context(|| format!("cannot let file {seq} fall silent"))?;
            self.mark_spoken_of(seq)?;
            self.mark_converted_by(seq)?;
            self.mark_called_by(seq)?;
            self.mark_itemised_by(seq)?;
            for kind in ROW_HOLDS {
                self.end_holds(kind, &format!("{seq}:"), HoldState::Gone, by)?;
            }
        }
        Ok(())
    }

    /// The journal record since which a file is silent.
    pub fn silent_since(&self, seq: i64) -> Result<Option<i64>> {
        Ok(self
            .connection
            .prepare_cached("SELECT by FROM silenced WHERE seq = ?1")?
            .query_row([seq], |row| row.get(0))
            .optional()?)
    }

    /// What files said of a partner that have fallen silent after a journal record.
    pub fn fallen_since(&self, partner: &str, since: i64) -> Result<Vec<Fallen>> {
        let mut select = self.connection.prepare_cached(&format!(
            "SELECT by, bundle.seq, {}, bundle.space, space.scope, body FROM silenced JOIN bundle USING (seq)
             JOIN space ON space.id = bundle.space WHERE partner = ?1 AND by > ?2 ORDER BY bundle.seq, chunk",
            rank("bundle.seq")
        ))?;
        let rows = select.query_map((partner, since), |row| {
            let raw = RawBundle {
                partner: partner.to_owned(),
                seq: row.get(1)?,
                rank: row.get(2)?,
                space: row.get(3)?,
                scope: scope(row.get_ref(4)?.as_str()?),
                body: row.get(5)?,
            };
            Ok(Fallen { by: row.get(0)?, raw })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// The last journal record by which a file fell silent; 0 where none ever has.
    pub fn last_silence(&self) -> Result<i64> {
        Ok(self
            .connection
            .prepare_cached("SELECT coalesce(max(by), 0) FROM silenced")?
            .query_row([], |row| row.get(0))?)
    }

    /// Marks every partner of whom a file says something, and those who share document numbers with them.
    fn mark_spoken_of(&self, seq: i64) -> Result<()> {
        let (first, end) = (self.first_bundle(seq)?, self.first_bundle(seq + 1)?);
        let mark = |sql: &str, parameters: &[&dyn rusqlite::ToSql]| -> Result<()> {
            self.connection.prepare_cached(sql)?.execute(parameters).context("cannot mark partners")?;
            Ok(())
        };
        let of_several = if self.tells_distributors()? {
            let of_one = "INSERT OR IGNORE INTO stale_code SELECT partner, distributor FROM bundle WHERE id >= ?1 AND id < ?2 AND distributor IS NOT NULL";
            mark(of_one, &[&first, &end])?;
            " AND distributor IS NULL"
        } else {
            ""
        };
        mark(
            &format!(
                "INSERT OR IGNORE INTO stale SELECT partner FROM bundle WHERE id >= ?1 AND id < ?2{of_several}"
            ),
            &[&first, &end],
        )?;
        let of_partners = "SELECT issuer, number FROM link WHERE partner IN (SELECT partner FROM bundle WHERE id >= ?1 AND id < ?2)";
        mark(&format!("INSERT OR IGNORE INTO stale {}", parties_of(of_partners)), &[&first, &end])?;
        let cancelled = "SELECT issuer, number FROM cancellation WHERE seq = ?1";
        mark(&format!("INSERT OR IGNORE INTO stale {}", parties_of(cancelled)), &[&seq])?;
        self.mark_paid_in_stale(seq)?;
        mark("INSERT OR IGNORE INTO stale SELECT code FROM partner_record WHERE seq = ?1", &[&seq])
    }

    /// The first bundle of a file or of a later one. Bundles are numbered in order of their files, without gaps.
    pub(super) fn first_bundle(&self, seq: i64) -> Result<i64> {
        let (mut low, mut high): (i64, i64) = self
            .connection
            .prepare_cached("SELECT coalesce((SELECT min(id) FROM bundle), 1), coalesce((SELECT max(id) FROM bundle), 0) + 1")?
            .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let mut file_of =
            self.connection.prepare_cached("SELECT seq FROM bundle WHERE id >= ?1 ORDER BY id LIMIT 1")?;
        while low < high {
            let middle = low + (high - low) / 2;
            let file: i64 = file_of.query_row([middle], |row| row.get(0))?;
            if file < seq {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        Ok(low)
    }
}
