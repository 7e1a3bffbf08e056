//! What someone with the file could do behind the program's back: for `accrued demo --break` and tests alone, and only ever to a
//! copy.

use super::Store;
use crate::domain::points::Points;
use anyhow::{Context, Result, bail};
use rusqlite::Connection;
use std::path::Path;

impl Store {
    /// Copies the store to a file that is not there yet, and edits one digit of an entry in the copy: the trigger that
    /// refuses it is dropped, and put back as if nothing had been. The entry's points as they are and as the copy has them.
    pub fn copy_with_an_edited_digit(&self, copy: &Path, entry: i64) -> Result<(Points, Points)> {
        if copy.exists() {
            bail!("{} is there already: a copy is tampered with, never a store", copy.display());
        }
        let target = copy.to_str().with_context(|| format!("{} is not UTF-8", copy.display()))?;
        self.connection
            .execute("VACUUM INTO ?1", [target])
            .with_context(|| format!("cannot copy the store to {target}"))?;
        let copied = Connection::open(copy)?;
        let points: i64 =
            copied.query_row("SELECT points FROM ledger WHERE entry = ?1", [entry], |row| row.get(0))?;
        let edited = with_another_first_digit(points);
        let guard: String = copied.query_row(
            "SELECT sql FROM sqlite_schema WHERE type = 'trigger' AND name = 'ledger_keeps'",
            [],
            |row| row.get(0),
        )?;
        copied.execute_batch("DROP TRIGGER ledger_keeps")?;
        copied.execute("UPDATE ledger SET points = ?2 WHERE entry = ?1", [entry, edited])?;
        copied.execute_batch(&guard)?;
        Ok((Points(points), Points(edited)))
    }
}

fn with_another_first_digit(points: i64) -> i64 {
    let text = points.to_string();
    let Some(at) = text.find(|c: char| c.is_ascii_digit()) else { return points };
    let digit = if text.as_bytes().get(at) == Some(&b'9') { "1" } else { "9" };
    let edited = format!("{}{digit}{}", &text[..at], &text[at + 1..]);
    edited.parse().unwrap_or(points)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_digit_is_another() {
        assert_eq!(with_another_first_digit(2_460_000_000), 9_460_000_000);
        assert_eq!(with_another_first_digit(-900), -100);
        assert_eq!(with_another_first_digit(0), 9);
    }
}
