//! One `[[feed]]` as typed -> as meant, with every fault in it. Pure.

use super::columns::{AnyKind, KINDS};
use super::paths::Scope;
use super::table::{Read, Reading, Table};
use super::values::{MONTHS, Wrong, percent, shown, size, text, text_as_toml, whole, word, zone};
use super::{Feed, awaited, dialect, later, place};
use crate::facts::settle::NumberScope;
use crate::fault::Fault;
use crate::inbox::pattern::Pattern;
use crate::inbox::{Complete, Source};
use rust_decimal::Decimal;
use std::ops::Range;
use std::time::Duration;
use toml::de::{DeTable, DeValue};

/// A feed and the places that faults between feeds point at.
pub(super) struct Placed {
    /// `None` where it has faults of its own
    pub feed: Option<Feed>,
    pub name: Option<Read<String>>,
    pub documents: Option<Read<String>>,
    pub number_scope: Read<NumberScope>,
    pub numbers_restart: Option<Read<u32>>,
    pub speaks_of_documents: bool,
    pub header: Range<usize>,
}

/// Reads one feed; `number` counts from 1, for a feed without a name.
pub(super) fn read(
    reading: &mut Reading<'_>,
    scope: Scope<'_>,
    number: usize,
    header: Range<usize>,
    entries: &DeTable<'_>,
) -> Placed {
    let mut table = Table::new(&format!("feed.{number}"), "[[feed]]", header.clone(), Some(entries));
    name_the_table(&mut table);
    let name = table.required(reading, "name", "add name = \"north-sales\"", folder_name);
    let kind = kind(&mut table, reading);
    let place = place::read(&mut table, reading, scope);
    let pattern = files(&mut table, reading);
    let distributors = awaited::distributors(&mut table, reading);
    let documents = table.optional(reading, "documents", text);
    let documents = documents.or_else(|| {
        let name = name.as_ref()?;
        reading.note(table.key("documents"), text_as_toml(&name.value), None);
        Some(Read { value: name.value.clone(), at: None })
    });
    let scopes = [("distributor", NumberScope::Distributor), ("space", NumberScope::Space)];
    let number_scope =
        table.or(reading, "number_scope", NumberScope::Distributor, "\"distributor\"", word(&scopes));
    let numbers_restart = table.optional(reading, "numbers_restart", word(&MONTHS));
    let expected = awaited::expected(&mut table, reading);
    let due_days = table.or(reading, "due_days", 5, "5", whole(0, 366)).value;
    let timezone = table.required(reading, "timezone", "add timezone = \"Asia/Kolkata\"", zone);
    let complete = complete(&mut table, reading);
    let max_reject_percent = table.or(reading, "max_reject_percent", Decimal::ONE, "\"1\"", percent).value;
    let max_bytes = table.or(reading, "max_bytes", 4 << 30, "\"4 GiB\"", size(1, 1 << 50)).value;
    let dialect = dialect::read(&mut table, reading, kind);
    later::check(&mut table, reading);
    awaited::expected_needs_period(reading, &expected, pattern.as_ref());
    awaited::who_is_expected(reading, &expected, pattern.as_ref(), &distributors, &dialect.defaults);
    let pattern = pattern.map(|read| {
        let codes = distributors.iter().map(|read| read.value.code.clone()).collect();
        if read.value.names_distributor() { read.value.with_distributors(codes) } else { read.value }
    });
    let speaks_of_documents = !matches!(kind, Some(AnyKind::Now(super::Kind::Partners | super::Kind::Items)));
    warn_of_idle_keys(&table, reading, speaks_of_documents);
    table.close(reading);
    let feed = (|| {
        let name = name.as_ref()?.value.clone();
        let Some(AnyKind::Now(kind)) = kind else { return None };
        let restart = numbers_restart.as_ref().map(|read| read.value);
        let layout = dialect.layout(timezone?.value, restart, max_bytes);
        Some(Feed {
            source: Source { feed: name.clone(), place: place?, pattern: pattern?, complete, max_bytes },
            name,
            kind,
            layout,
            documents: documents.as_ref()?.value.clone(),
            number_scope: number_scope.value,
            distributors: distributors.into_iter().map(|read| read.value).collect(),
            expected: expected.value,
            due_days,
            max_reject_percent,
        })
    })();
    Placed { feed, name, documents, number_scope, numbers_restart, speaks_of_documents, header }
}

/// Messages and settings call a feed by its name as soon as it has one.
fn name_the_table(table: &mut Table<'_>) {
    let entries = table.entries();
    if let Some(name) =
        entries.iter().find(|entry| entry.key == "name").and_then(|entry| entry.value.as_str())
    {
        let key = super::values::key_as_toml(name);
        table.rename(format!("feed.{key}"), format!("[[feed]] {}", text_as_toml(name)));
    }
}

/// A name that can be a folder's (rejects/FEED/) on any system.
fn folder_name(value: &DeValue<'_>) -> Result<String, Wrong> {
    let name = text(value)?;
    let help = "write letters, digits and - such as \"north-sales\"";
    let bad = name.chars().find(|c| c.is_control() || "/\\:*?\"<>|".contains(*c));
    let why = if let Some(bad) = bad {
        format!("{bad:?} cannot be in a folder's name")
    } else if name.starts_with('.') || name.ends_with('.') {
        "a folder's name cannot begin or end with a dot here".to_owned()
    } else if name.trim() != name {
        "a blank at its begin or end".to_owned()
    } else if name.len() > 100 {
        format!("{} bytes, more than 100", name.len())
    } else {
        return Ok(name);
    };
    Err(Wrong::new(format!("cannot be a folder's name: {}", shown(value)), why, help))
}

fn kind(table: &mut Table<'_>, reading: &mut Reading<'_>) -> Option<AnyKind> {
    let help = "sales, partners and items can be read";
    let read =
        |value: &DeValue<'_>| word(&KINDS)(value).map_err(|wrong| Wrong { help: help.to_owned(), ..wrong });
    let kind = table.required(reading, "kind", "add kind = \"sales\", \"partners\" or \"items\"", read)?;
    match kind.value {
        AnyKind::Now(_) => {}
        AnyKind::Later(_) => {
            let word = KINDS.iter().find(|(_, known)| *known == kind.value).map_or("", |(word, _)| *word);
            let at = kind.place(table);
            reading.not_yet(&format!("kind = {word:?}"), at, &format!("remove the feed; {help}"));
        }
    }
    Some(kind.value)
}

fn files(table: &mut Table<'_>, reading: &mut Reading<'_>) -> Option<Read<Pattern>> {
    let help = "write a name with * and ? and the period it covers: \"sales_{yyyy}-{mm}*.csv\"";
    table.required(reading, "files", "add files = \"sales_{yyyy}-{mm}*.csv\"", |value| {
        Pattern::new(&text(value)?)
            .map_err(|message| Wrong::new(format!("{message}: {}", shown(value)), "cannot be meant", help))
    })
}

fn complete(table: &mut Table<'_>, reading: &mut Reading<'_>) -> Complete {
    #[derive(Clone, Copy, PartialEq, Eq)]
    enum How {
        Stable,
        Marker,
    }
    let words = [("stable", How::Stable), ("marker", How::Marker)];
    let how = table.or(reading, "complete", How::Stable, "\"stable\"", word(&words));
    let settle = table.or(reading, "settle_seconds", 60, "60", whole(0, 86_400));
    match how.value {
        How::Stable => Complete::Stable { settle: Duration::from_secs(u64::from(settle.value)) },
        How::Marker => {
            if let Some(at) = settle.at {
                reading.warnings.push(Fault::warning(
                    at,
                    "settle_seconds does nothing with complete = \"marker\"",
                    "never waited for",
                    "remove the line",
                ));
            }
            Complete::Marker
        }
    }
}

/// Keys that only documents know, on a feed that brings none.
fn warn_of_idle_keys(table: &Table<'_>, reading: &mut Reading<'_>, speaks_of_documents: bool) {
    if speaks_of_documents {
        return;
    }
    for entry in table.entries() {
        if matches!(entry.key, "documents" | "number_scope" | "numbers_restart") {
            let message = format!("{} does nothing in a feed of master data", entry.key);
            reading.warnings.push(Fault::warning(
                entry.key_at,
                message,
                "has no documents",
                "remove the line",
            ));
        }
    }
}
