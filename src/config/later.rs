//! Keys of a feed that a later version brings to life: checked, and refused where they would ask for it. Pure.

use super::table::{Reading, Table};
use super::values::{Wrong, as_toml, percent, shown, word};
use crate::fault::nearest;
use rust_decimal::Decimal;

/// Reads `mode`, `max_void_percent`, `after` and `[feed.totals]`.
pub(super) fn check(table: &mut Table<'_>, reading: &mut Reading<'_>) {
    mode(table, reading);
    after(table, reading);
    totals(table, reading);
}

fn mode(table: &mut Table<'_>, reading: &mut Reading<'_>) {
    #[derive(Clone, Copy)]
    enum Mode {
        Append,
        Replace,
    }
    let mode = table.or(
        reading,
        "mode",
        Mode::Append,
        "\"append\"",
        word(&[("append", Mode::Append), ("replace", Mode::Replace)]),
    );
    match mode.value {
        Mode::Append => {}
        Mode::Replace => {
            let help =
                "write mode = \"append\": what a later file says of a line supersedes what was said before";
            reading.not_yet("mode = \"replace\"", mode.place(table), help);
        }
    }
    // at its default it says nothing that append would not do
    if let Some(most) = table.optional(reading, "max_void_percent", percent)
        && most.value != Decimal::from(5)
    {
        let at = most.place(table);
        reading.not_yet("max_void_percent", at, "remove the line: only a replacing file can void lines");
    }
}

fn after(table: &mut Table<'_>, reading: &mut Reading<'_>) {
    let Some((value, at)) = table.raw("after") else {
        reading.note(table.key("after"), "\"leave\"".to_owned(), None);
        return;
    };
    reading.note(table.key("after"), as_toml(value), Some(&at));
    let help = "write after = \"leave\": a file that was taken is not taken twice";
    match value.as_str() {
        Some("leave") => {}
        Some("delete") => reading.not_yet("after = \"delete\"", at, help),
        Some(text) if text.strip_prefix("move:").is_some_and(|dir| !dir.trim().is_empty()) => {
            reading.not_yet("after = \"move:DIR\"", at, help);
        }
        given => {
            let near = nearest(given.unwrap_or_default(), &["leave", "delete", "move:DIR"]);
            let label =
                near.map_or_else(|| "not one of them".to_owned(), |near| format!("did you mean {near:?}?"));
            let message = format!("cannot be {}", shown(value));
            reading.wrong("after", Wrong::new(message, label, help), at);
        }
    }
}

fn totals(table: &mut Table<'_>, reading: &mut Reading<'_>) {
    let mut totals = table.table(reading, "totals", "[feed.totals]");
    if let Some((value, at)) = totals.raw("rows") {
        reading.note(totals.key("rows"), as_toml(value), Some(&at));
        reading.not_yet(
            "[feed.totals] rows",
            at,
            "remove [feed.totals]; a trailer row would be read as data",
        );
    }
    totals.close(reading);
}
