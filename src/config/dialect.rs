//! How a feed's files are to be read: `[feed.csv]`, `.columns`, `.defaults`, `.values` -> parts of `ingest::Layout`. Pure.

use super::columns::{AnyKind, words};
use super::dates;
use super::table::{Entry, Reading, Table};
use super::values::{Wrong, as_toml, delimiter, key_as_toml, not_a_word, text, word};
use crate::domain::decimal::DecimalMark;
use crate::fault::{Fault, nearest};
use crate::ingest::{CreditNotes, Encoding};
use std::collections::BTreeMap;
use toml::de::DeValue;

/// `[feed.csv]`
pub(super) struct Dialect {
    pub delimiter: u8,
    pub encoding: Encoding,
    pub decimal_mark: DecimalMark,
    pub dates: Vec<String>,
    pub credit_notes: CreditNotes,
}

/// Canonical name -> something.
pub(super) type ByColumn<T> = BTreeMap<String, T>;

/// Reads `[feed.csv]`.
pub(super) fn csv(feed: &mut Table<'_>, reading: &mut Reading<'_>) -> Dialect {
    let mut csv = feed.table(reading, "csv", "[feed.csv]");
    let encodings =
        [("utf-8", Encoding::Utf8), ("utf-16", Encoding::Utf16), ("windows-1252", Encoding::Windows1252)];
    let marks = [(".", DecimalMark::Point), (",", DecimalMark::Comma)];
    let notes = [("positive-or-negative", CreditNotes::PositiveOrNegative), ("signed", CreditNotes::Signed)];
    let dialect = Dialect {
        delimiter: csv.or(reading, "delimiter", b',', "\",\"", delimiter).value,
        encoding: csv.or(reading, "encoding", Encoding::Utf8, "\"utf-8\"", word(&encodings)).value,
        decimal_mark: csv.or(reading, "decimal_mark", DecimalMark::Point, "\".\"", word(&marks)).value,
        dates: formats(&mut csv, reading),
        credit_notes: csv
            .or(
                reading,
                "credit_notes",
                CreditNotes::PositiveOrNegative,
                "\"positive-or-negative\"",
                word(&notes),
            )
            .value,
    };
    csv.close(reading);
    dialect
}

/// `dates`: each wrong format is a fault of its own.
fn formats(csv: &mut Table<'_>, reading: &mut Reading<'_>) -> Vec<String> {
    let help = "write a list of formats: dates = [\"%d/%m/%Y\"]";
    let Some((value, at)) = csv.raw_list(reading, "dates") else {
        reading.note(csv.key("dates"), "[]".to_owned(), None);
        return Vec::new();
    };
    reading.note(csv.key("dates"), as_toml(value), Some(&at));
    let DeValue::Array(items) = value else {
        reading.wrong("dates", Wrong::kind("a list of date formats", value, help), at);
        return Vec::new();
    };
    let mut formats = Vec::new();
    for item in items.iter() {
        match text(item.get_ref()).and_then(|format| dates::check(&format).map(|()| format)) {
            Ok(format) => formats.push(format),
            Err(wrong) => reading.wrong("dates", wrong, item.span()),
        }
    }
    formats
}

/// Reads `[feed.columns]`: canonical name = header in the file.
pub(super) fn columns(
    feed: &mut Table<'_>,
    reading: &mut Reading<'_>,
    kind: Option<AnyKind>,
) -> ByColumn<String> {
    let table = feed.table(reading, "columns", "[feed.columns]");
    let mut found = BTreeMap::new();
    for entry in table.entries_among(reading, kind.map_or(&[], AnyKind::columns)) {
        reading.note(table.key(entry.key), as_toml(entry.value), Some(&entry.at));
        if let (true, Some(header)) = (is_column(reading, &table, &entry, kind), taken(reading, &entry, text))
        {
            found.insert(entry.key.to_owned(), header.trim().to_owned());
        }
    }
    found
}

/// Reads `[feed.defaults]`: canonical name = value where the file has no such column.
pub(super) fn defaults(
    feed: &mut Table<'_>,
    reading: &mut Reading<'_>,
    kind: Option<AnyKind>,
) -> ByColumn<String> {
    let table = feed.table(reading, "defaults", "[feed.defaults]");
    let mut found = BTreeMap::new();
    for entry in table.entries_among(reading, kind.map_or(&[], AnyKind::columns)) {
        reading.note(table.key(entry.key), as_toml(entry.value), Some(&entry.at));
        let read = |value: &DeValue<'_>| cell(value).and_then(|cell| canonical(entry.key, cell, value));
        if let (true, Some(value)) = (is_column(reading, &table, &entry, kind), taken(reading, &entry, read))
        {
            found.insert(entry.key.to_owned(), value);
        }
    }
    found
}

/// Reads `[feed.values.*]`: file's word = canonical word.
pub(super) fn values(
    feed: &mut Table<'_>,
    reading: &mut Reading<'_>,
    kind: Option<AnyKind>,
) -> ByColumn<BTreeMap<String, String>> {
    let table = feed.table(reading, "values", "[feed.values]");
    let mut found = BTreeMap::new();
    for entry in table.entries() {
        let known = is_column(reading, &table, &entry, kind);
        let DeValue::Table(words) = entry.value else {
            let help = format!(
                "write [feed.values.{}] and below it \"file's word\" = \"canonical word\"",
                entry.key
            );
            reading.wrong(entry.key, Wrong::kind("a table", entry.value, &help), entry.at);
            continue;
        };
        let shown = format!("[feed.values.{}]", entry.key);
        let words = Table::new(&table.key(entry.key), &shown, entry.at.clone(), Some(words));
        let words = words_of(&words, reading, entry.key);
        if known {
            found.insert(entry.key.to_owned(), words);
        }
    }
    found
}

fn words_of(table: &Table<'_>, reading: &mut Reading<'_>, column: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for entry in table.entries() {
        reading.note(table.key(entry.key), as_toml(entry.value), Some(&entry.at));
        let read = |value: &DeValue<'_>| cell(value).and_then(|cell| canonical(column, cell, value));
        if let Some(word) = taken(reading, &entry, read) {
            found.insert(entry.key.trim().to_owned(), word);
        }
    }
    found
}

fn taken<T>(
    reading: &mut Reading<'_>,
    entry: &Entry<'_>,
    read: impl FnOnce(&DeValue<'_>) -> Result<T, Wrong>,
) -> Option<T> {
    match read(entry.value) {
        Ok(value) => Some(value),
        Err(wrong) => {
            reading.wrong(&key_as_toml(entry.key), wrong, entry.at.clone());
            None
        }
    }
}

/// A cell's text; a whole number may stand without quotes.
fn cell(value: &DeValue<'_>) -> Result<String, Wrong> {
    match value {
        DeValue::Integer(number) if number.radix() == 10 => Ok(number.as_str().to_owned()),
        other => text(other).map(|text| text.trim().to_owned()),
    }
}

/// Where a column knows few words, the value must be one of them.
fn canonical(column: &str, value: String, written: &DeValue<'_>) -> Result<String, Wrong> {
    match words(column) {
        Some(known) if !known.contains(&value.as_str()) => Err(not_a_word(written, known)),
        Some(_) | None => Ok(value),
    }
}

/// Whether the key is a canonical column of the kind; where the kind itself is wrong nothing can be said.
fn is_column(reading: &mut Reading<'_>, table: &Table<'_>, entry: &Entry<'_>, kind: Option<AnyKind>) -> bool {
    let Some(known) = kind.map(AnyKind::columns) else {
        return true;
    };
    if known.contains(&entry.key) {
        return true;
    }
    let label = nearest(entry.key, known)
        .map_or_else(|| "not known".to_owned(), |near| format!("did you mean {near}?"));
    reading.faults.push(Fault::error(
        entry.key_at.clone(),
        format!("unknown column {} in {}", entry.key, table.shown),
        label,
        format!("canonical columns of this kind are {}", known.join(", ")),
    ));
    false
}
