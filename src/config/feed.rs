//! One `[[feed]]` as typed -> as meant, with every fault in it. Pure.

use super::columns::{AnyKind, KINDS};
use super::dialect::{self, ByColumn};
use super::paths::Scope;
use super::table::{Read, Reading, Table};
use super::values::{
    MONTHS, Wrong, as_toml, date, percent, shown, size, text, text_as_toml, whole, word, zone,
};
use super::{Distributor, Expected, Feed, after, mode, place, totals};
use crate::facts::settle::NumberScope;
use crate::fault::Fault;
use crate::inbox::pattern::{Grain, Pattern};
use crate::inbox::{Complete, Source};
use crate::ingest::Layout;
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
pub(super) fn read<'t>(
    reading: &mut Reading<'_>,
    scope: Scope<'t>,
    number: usize,
    header: Range<usize>,
    entries: &'t DeTable<'t>,
) -> Placed {
    let mut table =
        Table::new(&format!("feed.{number}"), "[[feed]]", header.clone(), Some(entries)).under(scope.over);
    name_the_table(&mut table, "feed");
    let name = table.required(reading, "name", "add name = \"north-sales\"", folder_name);
    let kind = kind(&mut table, reading);
    let place = place::read(&mut table, reading, scope);
    let pattern = files(&mut table, reading);
    let distributors = distributors(&mut table, reading);
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
    let expected = expected(&mut table, reading);
    let due_days = table.or(reading, "due_days", 5, "5", whole(0, 366)).value;
    let timezone = table.required(reading, "timezone", "add timezone = \"Asia/Kolkata\"", zone);
    let mode = mode::read(&mut table, reading, pattern.as_ref());
    let after = after::read(&mut table, reading, scope, place.as_ref(), pattern.as_ref());
    let complete = complete(&mut table, reading);
    let max_reject_percent = table.or(reading, "max_reject_percent", Decimal::ONE, "\"1\"", percent).value;
    let max_bytes = table.or(reading, "max_bytes", 4 << 30, "\"4 GiB\"", size(1, 1 << 50)).value;
    let dialect = dialect::csv(&mut table, reading);
    let columns = dialect::columns(&mut table, reading, kind);
    let defaults = dialect::defaults(&mut table, reading, kind);
    let values = dialect::values(&mut table, reading, kind);
    let totals = totals::read(&mut table, reading);
    expected_needs_period(reading, &expected, pattern.as_ref());
    who_is_expected(reading, &expected, pattern.as_ref(), &distributors, &defaults);
    let pattern = pattern.map(|read| {
        let codes = distributors.iter().map(|read| read.value.code.clone()).collect();
        if read.value.names_distributor() { read.value.with_distributors(codes) } else { read.value }
    });
    let speaks_of_documents = kind.is_none_or(AnyKind::speaks_of_documents);
    warn_of_idle_keys(&table, reading, speaks_of_documents);
    table.close(reading);
    let feed = (|| {
        let name = name.as_ref()?.value.clone();
        let Some(AnyKind::Now(kind)) = kind else { return None };
        let layout = Layout {
            delimiter: dialect.delimiter,
            encoding: dialect.encoding,
            decimal_mark: dialect.decimal_mark,
            dates: dialect.dates,
            credit_notes: dialect.credit_notes,
            columns,
            defaults,
            values,
            timezone: timezone?.value,
            numbers_restart: numbers_restart.as_ref().map(|read| read.value),
            max_bytes,
            last_row: totals.last_row(),
        };
        Some(Feed {
            source: Source {
                feed: name.clone(),
                place: place?,
                pattern: pattern?,
                complete,
                max_bytes,
                sidecar: totals.sidecar(),
                after,
            },
            name,
            kind,
            layout,
            documents: documents.as_ref()?.value.clone(),
            number_scope: number_scope.value,
            distributors: distributors.into_iter().map(|read| read.value).collect(),
            expected: expected.value,
            due_days,
            max_reject_percent,
            mode,
            totals,
        })
    })();
    Placed { feed, name, documents, number_scope, numbers_restart, speaks_of_documents, header }
}

/// Messages and settings call a feed (or a push: its `sort`) by its name as soon as it has one.
pub(super) fn name_the_table(table: &mut Table<'_>, sort: &str) {
    let entries = table.entries();
    if let Some(name) =
        entries.iter().find(|entry| entry.key == "name").and_then(|entry| entry.value.as_str())
    {
        let key = super::values::key_as_toml(name);
        table.rename(format!("{sort}.{key}"), format!("[[{sort}]] {}", text_as_toml(name)), "name");
    }
}

/// A name that can be a folder's (rejects/FEED/) on any system.
pub(super) fn folder_name(value: &DeValue<'_>) -> Result<String, Wrong> {
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
    let help = "sales, partners, items, fx, payments and deposits can be read";
    let read =
        |value: &DeValue<'_>| word(&KINDS)(value).map_err(|wrong| Wrong { help: help.to_owned(), ..wrong });
    let kind =
        table.required(reading, "kind", "add kind = \"sales\", \"partners\", \"items\" or \"fx\"", read)?;
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

fn expected(table: &mut Table<'_>, reading: &mut Reading<'_>) -> Read<Expected> {
    let words = [
        ("none", Expected::None),
        ("daily", Expected::Daily),
        ("weekly", Expected::Weekly),
        ("monthly", Expected::Monthly),
        ("quarterly", Expected::Quarterly),
    ];
    table.or(reading, "expected", Expected::None, "\"none\"", word(&words))
}

/// A file that must come can only be missed if its name tells a period as short as the one it is expected for.
fn expected_needs_period(
    reading: &mut Reading<'_>,
    expected: &Read<Expected>,
    pattern: Option<&Read<Pattern>>,
) {
    let (Some(at), Some(pattern)) = (expected.at.clone(), pattern) else { return };
    let (wanted, needs) = match expected.value {
        Expected::None => return,
        Expected::Daily | Expected::Weekly => (Grain::Day, "{yyyy}, {mm} and {dd}"),
        Expected::Monthly => (Grain::Month, "{yyyy} and {mm}"),
        Expected::Quarterly => (Grain::Quarter, "{yyyy} and {q}, or {yyyy} and {mm}"),
    };
    if pattern.value.grain().is_some_and(|grain| grain <= wanted) {
        return;
    }
    let fault = Fault::error(
        at,
        "expected files whose names do not tell which period they cover",
        "such a file could never be missed",
        format!("put {needs} into files, or write expected = \"none\""),
    );
    reading.faults.push(match pattern.at.clone() {
        Some(place) => fault.and(place, format!("needs {needs}")),
        None => fault,
    });
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

/// `distributors`: `"D17"`, or `{ code = "D17", from = 2026-04-01, to = 2027-03-31 }`.
fn distributors(table: &mut Table<'_>, reading: &mut Reading<'_>) -> Vec<Read<Distributor>> {
    let Some((value, at)) = table.raw_list(reading, "distributors") else {
        reading.note(table.key("distributors"), "[]".to_owned(), None);
        return Vec::new();
    };
    reading.note(table.key("distributors"), as_toml(value), Some(&at));
    let DeValue::Array(items) = value else {
        let help = "write distributors = [\"D17\"]";
        reading.wrong("distributors", Wrong::kind("a list of codes", value, help), at);
        return Vec::new();
    };
    items.iter().filter_map(|item| distributor(reading, item.get_ref(), item.span())).collect()
}

fn distributor(
    reading: &mut Reading<'_>,
    value: &DeValue<'_>,
    at: Range<usize>,
) -> Option<Read<Distributor>> {
    let DeValue::Table(entries) = value else {
        return match text(value) {
            Ok(code) => {
                let value = Distributor { code: code.trim().to_owned(), from: None, to: None };
                Some(Read { value, at: Some(at) })
            }
            Err(wrong) => {
                reading.wrong("a distributor", wrong, at);
                None
            }
        };
    };
    let mut table = Table::new("", "a distributor", at.clone(), Some(entries));
    // the list as a whole is noted already
    let noted = reading.settings.len();
    let code = table.required(reading, "code", "write { code = \"D17\", from = 2026-04-01 }", text);
    let from = table.optional(reading, "from", date);
    let to = table.optional(reading, "to", date);
    reading.settings.truncate(noted);
    if let (Some(from), Some(to)) = (&from, &to)
        && from.value > to.value
    {
        let fault = Fault::error(
            to.place(&table),
            format!("a distributor that ends on {}, before it begins on {}", to.value, from.value),
            "ends here",
            "swap the dates, or remove one",
        );
        reading.faults.push(fault.and(from.place(&table), "begins here"));
    }
    table.close(reading);
    let value = Distributor {
        code: code?.value.trim().to_owned(),
        from: from.map(|read| read.value),
        to: to.map(|read| read.value),
    };
    Some(Read { value, at: Some(at) })
}

/// Faults between `distributors`, `files`, `expected` and the default of distributor_code.
fn who_is_expected(
    reading: &mut Reading<'_>,
    expected: &Read<Expected>,
    pattern: Option<&Read<Pattern>>,
    distributors: &[Read<Distributor>],
    defaults: &ByColumn<String>,
) {
    let Some(pattern) = pattern else { return };
    let place = |read: &Read<Distributor>| read.at.clone().unwrap_or(0..0);
    if pattern.value.names_distributor() && distributors.is_empty() {
        reading.faults.push(Fault::error(
            pattern.at.clone().unwrap_or(0..0),
            "{distributor} in files, but distributors names none",
            "one of which?",
            "add distributors = [\"D17\", \"D18\"], or write * for it",
        ));
    }
    if let Some((one, other)) = overlapping(distributors, |one, other| one.code == other.code) {
        let message = format!("distributor {} is listed twice for the same days", other.value.code);
        let fault = Fault::error(
            place(other),
            message,
            "again",
            "remove one, or give them dates that do not overlap",
        );
        reading.faults.push(fault.and(place(one), "the first"));
    }
    if pattern.value.names_distributor() {
        if let Some(code) = defaults.get("distributor_code") {
            reading.faults.push(Fault::error(
                pattern.at.clone().unwrap_or(0..0),
                format!("distributor_code comes from the file's name, and [feed.defaults] says {code}"),
                "the name tells it",
                "remove distributor_code from [feed.defaults]",
            ));
        }
        return;
    }
    let Some((one, other)) = overlapping(distributors, |one, other| one.code != other.code) else { return };
    let message =
        format!("{} and {} share one file: nobody can tell whose it is", one.value.code, other.value.code);
    let help = "put {distributor} into files, or give them dates that do not overlap";
    match expected.value {
        Expected::None => reading.warnings.push(
            Fault::warning(place(other), message, "not the default of distributor_code", help)
                .and(place(one), "nor this one"),
        ),
        Expected::Daily | Expected::Weekly | Expected::Monthly | Expected::Quarterly => reading.faults.push(
            Fault::error(place(other), message, "whose file is missing?", help)
                .and(place(one), "or this one's?"),
        ),
    }
}

/// The first two distributors of the wanted sort whose days overlap.
fn overlapping(
    distributors: &[Read<Distributor>],
    wanted: impl Fn(&Distributor, &Distributor) -> bool,
) -> Option<(&Read<Distributor>, &Read<Distributor>)> {
    distributors.iter().enumerate().find_map(|(index, one)| {
        let other = distributors[index + 1..]
            .iter()
            .find(|other| wanted(&one.value, &other.value) && one.value.overlaps(&other.value))?;
        Some((one, other))
    })
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
