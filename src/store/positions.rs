//! What was evaluated last for each scheme, cycle and partner: worked out from facts, kept to be quick.

use super::Store;
use super::rows::{self, Insert};
use crate::domain::points::Points;
use anyhow::{Context, Result};
use rusqlite::{OptionalExtension, Row};

/// A position as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// cycle, by its first month
    pub cycle: i32,
    /// whose
    pub partner: String,
    /// the partner's name as papers write it
    pub name: String,
    /// what is due in all
    pub points: Points,
    /// the part over a limit
    pub held: Points,
    /// plain decimal
    pub measure: String,
    /// reached, empty for none
    pub tier: String,
    /// number of the scheme text it went by
    pub version_id: i64,
    /// what changed since the position before
    pub reason: String,
    /// hash of its rows in the papers
    pub papers: [u8; 32],
    /// hash of its rows in the papers published last, if any
    pub published: Option<[u8; 32]>,
    /// the run that worked it out; 0 for one of those before that was kept
    pub run: i64,
}

fn kept(row: &Row<'_>) -> rusqlite::Result<Kept> {
    Ok(Kept {
        cycle: row.get(0)?,
        partner: row.get(1)?,
        name: row.get(2)?,
        points: Points(row.get(3)?),
        held: Points(row.get(4)?),
        measure: row.get(5)?,
        tier: row.get(6)?,
        version_id: row.get(7)?,
        reason: row.get(8)?,
        papers: row.get(9)?,
        published: row.get(10)?,
        run: row.get(11)?,
    })
}

/// Whether posting has dealt with a position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// it has, or will when the cycle closes
    Yes,
    /// not yet
    No,
}

/// Whether a scheme had positions before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// none: every one is new
    None,
    /// some: one may come again
    Some,
}

const COLUMNS: &str =
    "cycle, partner, name, points, held, measure, tier, version_id, reason, papers, published, run";

impl Store {
    /// The positions of one partner in a scheme, in order of cycle.
    pub fn positions_of(&self, scheme: &str, partner: &str) -> Result<Vec<Kept>> {
        let mut select = self.connection.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM position WHERE scheme = ?1 AND partner = ?2 ORDER BY cycle"
        ))?;
        let rows = select.query_map((scheme, partner), kept)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Whether a scheme has any position yet.
    pub fn known_positions(&self, scheme: &str) -> Result<Known> {
        let any = self.connection.query_row(
            "SELECT EXISTS (SELECT 1 FROM position WHERE scheme = ?1)",
            [scheme],
            |row| row.get(0),
        )?;
        Ok(if any { Known::Some } else { Known::None })
    }

    /// As many positions as are best kept at once.
    pub const POSITIONS_AT_ONCE: usize = 8 * rows::AT_ONCE;

    /// Keeps positions; `published` stays as it is unless the position carries one.
    pub fn keep_positions(&self, scheme: &str, known: Known, positions: &[(Kept, Settled)]) -> Result<()> {
        // a refusal rolls everything back: OR FAIL spares the copies of pages by which one statement alone could be undone
        const FIRST: Insert<'_> = Insert {
            into: "INSERT OR FAIL INTO position VALUES",
            row: "(?1, #, #, #, #, #, #, #, #, #, #, #, #, #)",
            after: "",
            shared: 1,
            at_once: rows::AT_ONCE,
        };
        const AGAIN: Insert<'_> = Insert {
            into: "INSERT INTO position VALUES",
            row: "(?1, #, #, #, #, #, #, #, #, #, #, #, #, #)",
            after: "ON CONFLICT (scheme, partner, cycle) DO UPDATE SET name = excluded.name, points = excluded.points,
             held = excluded.held, measure = excluded.measure, tier = excluded.tier, version_id = excluded.version_id, reason = excluded.reason, papers = excluded.papers,
             published = coalesce(excluded.published, published), settled = excluded.settled, run = excluded.run",
            shared: 1,
            at_once: rows::AT_ONCE,
        };
        let bind = |(position, settled): &(Kept, Settled), cells: &mut rows::Cells<'_, '_>| {
            cells.next(position.cycle)?;
            cells.next(&position.partner)?;
            cells.next(&position.name)?;
            cells.next(position.points.0)?;
            cells.next(position.held.0)?;
            cells.next(&position.measure)?;
            cells.next(&position.tier)?;
            cells.next(position.version_id)?;
            cells.next(&position.reason)?;
            cells.next(position.papers)?;
            cells.next(position.published)?;
            cells.next(*settled == Settled::Yes)?;
            cells.next(position.run)
        };
        let insert = match known {
            Known::None => FIRST,
            Known::Some => AGAIN,
        };
        insert
            .run(&self.connection, |cells| cells.next(scheme), positions, bind)
            .context("cannot keep positions")
    }

    /// Cycles with positions that posting has not dealt with, first to last.
    pub fn unsettled_cycles(&self, scheme: &str) -> Result<Vec<i32>> {
        let mut select = self.connection.prepare_cached(
            "SELECT DISTINCT cycle FROM position INDEXED BY position_unsettled WHERE scheme = ?1 AND settled = 0 ORDER BY cycle",
        )?;
        let rows = select.query_map([scheme], |row| row.get(0))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// The next positions of a cycle that posting has not dealt with, in order of partner.
    pub fn unsettled(&self, scheme: &str, cycle: i32) -> Result<Vec<Kept>> {
        let mut select = self.connection.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM position INDEXED BY position_unsettled WHERE scheme = ?1 AND cycle = ?2 AND settled = 0 ORDER BY partner"
        ))?;
        let rows = select.query_map((scheme, cycle), kept)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Posting has dealt with every position of a cycle.
    pub fn settle_cycle(&self, scheme: &str, cycle: i32) -> Result<()> {
        self.connection
            .prepare_cached(
                "UPDATE position INDEXED BY position_unsettled SET settled = 1 WHERE scheme = ?1 AND cycle = ?2 AND settled = 0",
            )?
            .execute((scheme, cycle))?;
        Ok(())
    }

    /// Posting must look at a position again.
    pub fn unsettle(&self, scheme: &str, cycle: i32, partner: &str) -> Result<()> {
        self.connection.execute(
            "UPDATE position SET settled = 0 WHERE scheme = ?1 AND cycle = ?2 AND partner = ?3",
            (scheme, cycle, partner),
        )?;
        Ok(())
    }

    /// Up to `count` positions of a cycle after a partner, in order of partner.
    pub fn positions_after(&self, scheme: &str, cycle: i32, after: &str, count: usize) -> Result<Vec<Kept>> {
        let mut select = self.connection.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM position WHERE scheme = ?1 AND cycle = ?2 AND partner > ?3 ORDER BY partner LIMIT ?4"
        ))?;
        let rows = select.query_map((scheme, cycle, after, count as i64), kept)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
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

    /// What a partner is called in a scheme's papers.
    pub fn name_of(&self, scheme: &str, partner: &str) -> Result<String> {
        let name = self
            .connection
            .prepare_cached(
                "SELECT name FROM position WHERE scheme = ?1 AND partner = ?2 ORDER BY cycle DESC LIMIT 1",
            )?
            .query_row((scheme, partner), |row| row.get(0))
            .optional()?;
        Ok(name.unwrap_or_default())
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

    /// The papers of this position stand in what is published with this transaction.
    pub fn mark_published(&self, scheme: &str, cycle: i32, partner: &str) -> Result<()> {
        self.connection
            .prepare_cached(
                "UPDATE position SET published = papers WHERE scheme = ?1 AND cycle = ?2 AND partner = ?3",
            )?
            .execute((scheme, cycle, partner))?;
        Ok(())
    }

    /// Cycles in which a scheme has positions, first to last: reads all of them.
    pub fn cycles_with_positions(&self, scheme: &str) -> Result<Vec<i32>> {
        let mut select = self
            .connection
            .prepare("SELECT DISTINCT cycle FROM position WHERE scheme = ?1 ORDER BY cycle")?;
        let cycles = select.query_map([scheme], |row| row.get(0))?;
        Ok(cycles.collect::<rusqlite::Result<_>>()?)
    }
}
