//! What each file moved: lines that came new, were superseded or voided, with the money in them, currency by currency.

use super::Store;
use crate::facts::amounts::Amounts;
use crate::facts::movement::{Movement, Sum};
use anyhow::{Context, Result};
use rusqlite::{OptionalExtension, Row};
use rust_decimal::Decimal;
use serde_json::Value;
use std::collections::BTreeMap;

/// What a file moved when it was taken. Amounts are as written.
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
    pub fn net(&self) -> Amounts {
        let mut net = self.new.amounts.clone();
        net.absorb(&self.after.amounts);
        net.less(&self.before.amounts);
        net.less(&self.voided.amounts);
        net
    }
}

fn moved(row: &Row<'_>) -> rusqlite::Result<Moved> {
    let sum = |lines: usize, amount: usize| -> rusqlite::Result<Sum> {
        Ok(Sum { lines: row.get(lines)?, amounts: amounts(row.get_ref(amount)?.as_str()?) })
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

/// As the store keeps them: a number, or what it is of each currency.
fn text(amounts: &Amounts) -> String {
    match amounts.only() {
        Some(sum) if amounts.iter().all(|(currency, _)| currency.is_empty()) => sum.normalize().to_string(),
        Some(_) | None => {
            let one =
                |(currency, sum): (&str, Decimal)| (currency.to_owned(), sum.normalize().to_string().into());
            Value::Object(amounts.iter().map(one).collect()).to_string()
        }
    }
}

fn amounts(text: &str) -> Amounts {
    let each: BTreeMap<String, String> = serde_json::from_str(text).unwrap_or_default();
    if each.is_empty() {
        return [("", text.parse().unwrap_or_default())].into_iter().collect();
    }
    each.iter().map(|(currency, sum)| (currency.as_str(), sum.parse().unwrap_or_default())).collect()
}

impl Store {
    /// What a file moved; `None` where it was not read, or brings no money.
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
        let text = |sum: &Sum| text(&sum.amounts);
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
            new: movement.new.clone(),
            before: movement.before.clone(),
            after: movement.after.clone(),
            voided: movement.voided.clone(),
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
