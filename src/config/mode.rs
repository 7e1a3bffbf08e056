//! `mode` and `max_void_percent` of a feed (interfaces.md 2). Pure.

use super::table::{Read, Reading, Table};
use super::values::{percent, word};
use crate::fault::Fault;
use crate::inbox::pattern::Pattern;
use rust_decimal::Decimal;

/// What a later file of a feed does to earlier ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// its lines add and supersede
    Append,
    /// it speaks for its period instead of the file before it
    Replace {
        /// in hundredths: one that would void more of the period's lines or amount is held
        max_void_percent: Decimal,
    },
}

#[derive(Clone, Copy)]
enum Word {
    Append,
    Replace,
}

/// Reads both keys.
pub(super) fn read(
    table: &mut Table<'_>,
    reading: &mut Reading<'_>,
    pattern: Option<&Read<Pattern>>,
) -> Mode {
    let words = [("append", Word::Append), ("replace", Word::Replace)];
    let mode = table.or(reading, "mode", Word::Append, "\"append\"", word(&words));
    let most = table.or(reading, "max_void_percent", Decimal::from(5), "\"5\"", percent);
    match mode.value {
        Word::Append => {
            if let Some(at) = most.at.filter(|_| most.value != Decimal::from(5)) {
                reading.warnings.push(Fault::warning(
                    at,
                    "max_void_percent does nothing with mode = \"append\"",
                    "only a replacing file can void lines",
                    "remove the line, or write mode = \"replace\"",
                ));
            }
            Mode::Append
        }
        Word::Replace => {
            let at = mode.place(table);
            needs_period(reading, at, pattern);
            Mode::Replace { max_void_percent: most.value }
        }
    }
}

/// A file can only speak for a period that its name tells.
fn needs_period(reading: &mut Reading<'_>, at: std::ops::Range<usize>, pattern: Option<&Read<Pattern>>) {
    let Some(pattern) = pattern.filter(|pattern| pattern.value.grain().is_none()) else { return };
    let fault = Fault::error(
        at,
        "files that replace one another, whose names do not tell which period they cover",
        "which file would the newest replace?",
        "put {yyyy} and {mm} (or {q}, or {dd} too) into files, or write mode = \"append\"",
    );
    reading.faults.push(match pattern.at.clone() {
        Some(place) => fault.and(place, "needs a period"),
        None => fault,
    });
}
