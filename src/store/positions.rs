//! What was evaluated last for each scheme, cycle and partner: worked out from facts, kept to be quick.

use super::Store;
use crate::domain::points::Points;
use anyhow::{Context, Result};
use chrono::NaiveDate;
use rusqlite::{OptionalExtension, Row};

/// A position as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// cycle, by its first month
    pub cycle: i32,
    /// whose
    pub partner: String,
    /// what is due in all
    pub points: Points,
    /// the part over a limit
    pub held: Points,
    /// plain decimal
    pub measure: String,
    /// reached, empty for none
    pub tier: String,
    /// journal sequence up to which facts were known
    pub seq: i64,
    /// number of the scheme text it went by
    pub version_id: i64,
    /// what changed since the position before
    pub reason: String,
    /// evaluate again from this day
    pub wake_on: Option<NaiveDate>,
    /// hash of its rows in the papers
    pub papers: [u8; 32],
    /// hash of its rows in the papers published last, if any
    pub published: Option<[u8; 32]>,
}

fn kept(row: &Row<'_>) -> rusqlite::Result<Kept> {
    Ok(Kept {
        cycle: row.get(0)?,
        partner: row.get(1)?,
        points: Points(row.get(2)?),
        held: Points(row.get(3)?),
        measure: row.get(4)?,
        tier: row.get(5)?,
        seq: row.get(6)?,
        version_id: row.get(7)?,
        reason: row.get(8)?,
        wake_on: row.get(9)?,
        papers: row.get(10)?,
        published: row.get(11)?,
    })
}

const COLUMNS: &str =
    "cycle, partner, points, held, measure, tier, seq, version_id, reason, wake_on, papers, published";

impl Store {
    /// The positions of one partner in a scheme, in order of cycle.
    pub fn positions_of(&self, scheme: &str, partner: &str) -> Result<Vec<Kept>> {
        let mut select = self.connection.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM position WHERE partner = ?2 AND scheme = ?1 ORDER BY cycle"
        ))?;
        let rows = select.query_map((scheme, partner), kept)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Whether a scheme has any position yet.
    pub fn has_positions(&self, scheme: &str) -> Result<bool> {
        Ok(self.connection.query_row(
            "SELECT EXISTS (SELECT 1 FROM position WHERE scheme = ?1)",
            [scheme],
            |row| row.get(0),
        )?)
    }

    /// Keeps a position (what was published stays as it is).
    pub fn keep_position(&self, scheme: &str, position: &Kept) -> Result<()> {
        self.connection
            .prepare_cached(
                "INSERT INTO position VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)
                 ON CONFLICT (scheme, cycle, partner) DO UPDATE SET points = excluded.points, held = excluded.held,
                 measure = excluded.measure, tier = excluded.tier, seq = excluded.seq, version_id = excluded.version_id,
                 reason = excluded.reason, wake_on = excluded.wake_on, papers = excluded.papers",
            )?
            .execute(rusqlite::params![
                scheme,
                position.cycle,
                position.partner,
                position.points.0,
                position.held.0,
                position.measure,
                position.tier,
                position.seq,
                position.version_id,
                position.reason,
                position.wake_on,
                position.papers,
                position.published,
            ])
            .context("cannot keep a position")?;
        Ok(())
    }

    /// Walks the positions of one cycle in order of partner.
    pub fn each_position(
        &self,
        scheme: &str,
        cycle: i32,
        mut take: impl FnMut(Kept) -> Result<()>,
    ) -> Result<()> {
        let mut select = self.connection.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM position WHERE scheme = ?1 AND cycle = ?2 ORDER BY partner"
        ))?;
        let mut rows = select.query((scheme, cycle))?;
        while let Some(row) = rows.next()? {
            take(kept(row)?)?;
        }
        Ok(())
    }

    /// One position.
    pub fn position(&self, scheme: &str, cycle: i32, partner: &str) -> Result<Option<Kept>> {
        Ok(self
            .connection
            .prepare_cached(&format!(
                "SELECT {COLUMNS} FROM position WHERE scheme = ?1 AND cycle = ?2 AND partner = ?3"
            ))?
            .query_row((scheme, cycle, partner), kept)
            .optional()?)
    }

    /// The papers of these positions stand in what is published with this transaction.
    pub fn mark_published(&self, scheme: &str, cycle: i32, partner: Option<&str>) -> Result<()> {
        self.connection
            .prepare_cached(
                "UPDATE position SET published = papers WHERE scheme = ?1 AND cycle = ?2 AND (?3 IS NULL OR partner = ?3)",
            )?
            .execute((scheme, cycle, partner))?;
        Ok(())
    }

    /// Cycles in which a scheme has positions, first to last.
    pub fn cycles_with_positions(&self, scheme: &str) -> Result<Vec<i32>> {
        let mut cycles = Vec::new();
        let mut after = i32::MIN;
        loop {
            let next: Option<i32> = self
                .connection
                .prepare_cached("SELECT min(cycle) FROM position WHERE scheme = ?1 AND cycle > ?2")?
                .query_row((scheme, after), |row| row.get(0))?;
            match next {
                Some(cycle) => {
                    cycles.push(cycle);
                    after = cycle;
                }
                None => return Ok(cycles),
            }
        }
    }
}
