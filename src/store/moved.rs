//! What each file moved: lines that came new, were superseded or voided, with the money in them.

use super::Store;
use crate::facts::movement::{Movement, Sum};
use anyhow::{Context, Result};
use rusqlite::{OptionalExtension, Row};
use rust_decimal::Decimal;

/// What a file moved when it was taken. Amounts are as written, of currencies together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Moved {
    /// lines in force that nobody had said
    pub new: Sum,
    /// lines that said something else before: as they were
    pub before: Sum,
    /// and as this file says
    pub after: Sum,
    /// lines that nobody says any more, or that were cancelled
    pub voided: Sum,
    /// lines that came under its name before and are in force although it does not carry them
    pub gone: Sum,
    /// a file with a later mtime, of which this one supersedes or replaces something
    pub older_than: Option<i64>,
}

impl Moved {
    /// What changed in all.
    pub fn net(&self) -> Decimal {
        let come = self.new.amount.saturating_add(self.after.amount);
        come.saturating_sub(self.before.amount).saturating_sub(self.voided.amount)
    }
}

fn moved(row: &Row<'_>) -> rusqlite::Result<Moved> {
    let sum = |lines: usize, amount: usize| -> rusqlite::Result<Sum> {
        Ok(Sum { lines: row.get(lines)?, amount: row.get_ref(amount)?.as_str()?.parse().unwrap_or_default() })
    };
    Ok(Moved {
        new: sum(0, 1)?,
        before: sum(2, 3)?,
        after: sum(2, 4)?,
        voided: sum(5, 6)?,
        gone: sum(7, 8)?,
        older_than: row.get(9)?,
    })
}

impl Store {
    /// What a file moved; `None` where it was not read, or is no sales file.
    pub fn moved(&self, seq: i64) -> Result<Option<Moved>> {
        Ok(self
            .connection
            .prepare_cached(
                "SELECT new_lines, new_amount, superseded_lines, superseded_before, superseded_after, voided_lines, voided_amount,
                     gone_lines, gone_amount, older_than FROM moved WHERE seq = ?1",
            )?
            .query_row([seq], moved)
            .optional()?)
    }

    pub(super) fn keep_moved(&self, seq: i64, moved: &Moved) -> Result<()> {
        let text = |sum: &Sum| sum.amount.normalize().to_string();
        self.connection
            .prepare_cached("INSERT INTO moved VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)")?
            .execute(rusqlite::params![
                seq,
                moved.new.lines,
                text(&moved.new),
                moved.after.lines.max(moved.before.lines),
                text(&moved.before),
                text(&moved.after),
                moved.voided.lines,
                text(&moved.voided),
                moved.gone.lines,
                text(&moved.gone),
                moved.older_than,
            ])
            .context("cannot keep what the file moved")?;
        Ok(())
    }

    /// Puts what a movement and a review found together.
    pub(super) fn moved_by(
        &self,
        mtime: Option<i64>,
        movement: &Movement,
        replaced: &[i64],
        gone: Sum,
    ) -> Result<Moved> {
        let touched: Vec<i64> = movement.superseded.iter().chain(replaced).copied().collect();
        Ok(Moved {
            new: movement.new,
            before: movement.before,
            after: movement.after,
            voided: movement.voided,
            gone,
            older_than: self.newest_beyond(mtime, &touched)?,
        })
    }

    /// Of some files, the one with the latest mtime beyond this one.
    fn newest_beyond(&self, mtime: Option<i64>, files: &[i64]) -> Result<Option<i64>> {
        let Some(mtime) = mtime else { return Ok(None) };
        let mut newest: Option<(i64, i64)> = None;
        let mut select = self.connection.prepare_cached("SELECT mtime FROM file WHERE seq = ?1")?;
        for &file in files {
            let theirs: Option<i64> = select.query_row([file], |row| row.get(0)).optional()?.flatten();
            // servers tell whole seconds
            if let Some(theirs) = theirs.filter(|theirs| theirs / SECOND > mtime / SECOND) {
                newest = newest.max(Some((theirs, file)));
            }
        }
        Ok(newest.map(|(_, file)| file))
    }
}

/// In nanoseconds, as mtimes are.
const SECOND: i64 = 1_000_000_000;
