//! Whose files a feed brings, and which of them must come: `distributors`, `expected`, and what they ask of `files`. Pure.

use super::dialect::ByColumn;
use super::table::{Read, Reading, Table};
use super::values::{Wrong, as_toml, date, text, word};
use super::{Distributor, Expected};
use crate::fault::Fault;
use crate::inbox::pattern::{Grain, Pattern};
use std::ops::Range;
use toml::de::DeValue;

pub(super) fn expected(table: &mut Table<'_>, reading: &mut Reading<'_>) -> Read<Expected> {
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
pub(super) fn expected_needs_period(
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

/// `distributors`: `"D17"`, or `{ code = "D17", from = 2026-04-01, to = 2027-03-31 }`.
pub(super) fn distributors(table: &mut Table<'_>, reading: &mut Reading<'_>) -> Vec<Read<Distributor>> {
    let Some((value, at)) = table.raw("distributors") else {
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
pub(super) fn who_is_expected(
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
