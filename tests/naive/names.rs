//! What a file's name says of the period and part it covers (interfaces.md 2, `files`).

use std::collections::BTreeMap;

use chrono::{Duration, Months, NaiveDate};

/// What names of one group share: of two of them the newer speaks, where a feed replaces.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Named {
    pub period: Option<(NaiveDate, NaiveDate)>,
    pub part: Option<String>,
    pub distributor: Option<String>,
}

/// Reads a name by its feed's pattern; None where it does not match.
pub fn read(pattern: &str, name: &str) -> Option<Named> {
    let mut found = BTreeMap::new();
    if !fits(pattern, name, &mut found) {
        return None;
    }
    let number = |what: &str| found.get(what).map(|digits| digits.parse::<u32>().expect("digits"));
    let day = |month, day| {
        NaiveDate::from_ymd_opt(number("yyyy").expect("a period has a year") as i32, month, day)
            .expect("a day")
    };
    let months = |first: NaiveDate, months| (first, first + Months::new(months) - Duration::days(1));
    let period = match (number("yyyy"), number("q"), number("mm"), number("dd")) {
        (None, ..) => None,
        (_, Some(quarter), ..) => Some(months(day(3 * quarter - 2, 1), 3)),
        (_, _, Some(month), Some(date)) => Some((day(month, date), day(month, date))),
        (_, _, Some(month), None) => Some(months(day(month, 1), 1)),
        (_, _, None, _) => Some(months(day(1, 1), 12)),
    };
    let word = |what: &str| found.get(what).cloned();
    Some(Named { period, part: word("part"), distributor: word("distributor") })
}

/// Placeholders take digits or as much as they can, `*` as little.
fn fits(pattern: &str, name: &str, found: &mut BTreeMap<&'static str, String>) -> bool {
    for (what, width) in [("yyyy", 4), ("mm", 2), ("dd", 2), ("q", 1)] {
        if let Some(rest) = pattern.strip_prefix(&format!("{{{what}}}")) {
            let Some(digits) = name.get(..width) else { return false };
            let fits = digits.bytes().all(|b| b.is_ascii_digit()) && fits(rest, &name[width..], found);
            if fits {
                found.insert(what, digits.into());
            }
            return fits;
        }
    }
    for what in ["part", "distributor"] {
        if let Some(rest) = pattern.strip_prefix(&format!("{{{what}}}")) {
            let length = (1..=name.len()).rev().find(|at| fits(rest, &name[*at..], found));
            if let Some(length) = length {
                found.insert(what, name[..length].into());
            }
            return length.is_some();
        }
    }
    if let Some(rest) = pattern.strip_prefix('*') {
        return (0..=name.len()).any(|at| fits(rest, &name[at..], found));
    }
    match (pattern.chars().next(), name.chars().next()) {
        (None, None) => true,
        (Some(a), Some(b)) if a == b || a == '?' => {
            fits(&pattern[a.len_utf8()..], &name[b.len_utf8()..], found)
        }
        _ => false,
    }
}
