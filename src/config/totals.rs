//! `[feed.totals]`: where a feed's control totals are (interfaces.md 2). Pure.

use super::table::{Reading, Table};
use super::values::{Wrong, as_toml, shown, text};
use crate::ingest::LastRow;
use toml::de::DeValue;

/// Where a file's control totals are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Totals {
    /// it has none
    None,
    /// in its last row: `TRAILER,rows,sum`
    Trailer,
    /// in a file beside it: its name, with `{name}` for that of the file
    Sidecar(String),
}

impl Totals {
    /// What the last row of a file is.
    pub(super) fn last_row(&self) -> LastRow {
        match self {
            Totals::Trailer => LastRow::Trailer,
            Totals::None | Totals::Sidecar(_) => LastRow::Data,
        }
    }

    /// The name of the file beside it.
    pub(super) fn sidecar(&self) -> Option<String> {
        match self {
            Totals::Sidecar(name) => Some(name.clone()),
            Totals::None | Totals::Trailer => None,
        }
    }
}

/// Reads the table.
pub(super) fn read(table: &mut Table<'_>, reading: &mut Reading<'_>) -> Totals {
    let mut own = table.table(reading, "totals", "[feed.totals]");
    let mut totals = Totals::None;
    if let Some((value, at)) = own.raw(reading, "rows") {
        reading.note(own.key("rows"), as_toml(value), Some(&at));
        match rows(value) {
            Ok(read) => totals = read,
            Err(wrong) => reading.wrong("rows", wrong, at),
        }
    }
    own.close(reading);
    totals
}

fn rows(value: &DeValue<'_>) -> Result<Totals, Wrong> {
    let help = "write rows = \"trailer\", or the name of a file beside it such as rows = \"{name}.ctl\"";
    let given = text(value)?;
    if given == "trailer" {
        return Ok(Totals::Trailer);
    }
    let around = given.split_once("{name}").map(|(before, after)| format!("{before}{after}"));
    let plain = |name: &String| !name.contains(['/', '{', '}']) && !name.chars().any(char::is_control);
    match around {
        Some(rest) if rest.is_empty() => {
            let why = "the file itself cannot be the file beside it";
            Err(Wrong::new(format!("cannot be {}", shown(value)), why, help))
        }
        Some(rest) if plain(&rest) => Ok(Totals::Sidecar(given)),
        Some(_) | None => Err(Wrong::new(format!("cannot be {}", shown(value)), "not one of them", help)),
    }
}
