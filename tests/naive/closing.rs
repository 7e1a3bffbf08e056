//! evaluation.md 4: which cycles have begun, and which of them have closed.

use std::collections::BTreeMap;

use chrono::{Datelike, Duration, Months, NaiveDate};

use super::Seen;
use super::rules::{Rules, Scheme};
use super::settings::Feed;
use super::time::Cycle;

/// First and last day.
pub type Days = (NaiveDate, NaiveDate);

/// What an ingested file came for, and the distributor that its name tells.
pub type Come = (Days, Option<String>);

/// What lets cycles close in a run.
pub struct Occasion<'a> {
    /// Every feed was listed.
    pub listed: bool,
    /// The cycle that a person closes.
    pub by_hand: Option<&'a str>,
    /// Sales feeds, each with the periods of the files of it that were ingested, and whose they are.
    pub come: Vec<(&'a Feed, Vec<Come>)>,
}

/// Every cycle from the first to today's (or the scheme's last), and whether it has closed.
pub fn cycles(
    rules: &Rules,
    today: NaiveDate,
    before: Option<&Seen>,
    occasion: &Occasion,
) -> Vec<(Cycle, bool)> {
    let calendar = &rules.first().calendar;
    let last = rules.last().ends.map_or(today, |ends| ends.min(today));
    let mut cycles = vec![];
    let mut open = false;
    let mut day = rules.first().starts;
    while day <= last {
        let cycle = calendar.cycle_of(day);
        day = cycle.last + Duration::days(1);
        let was_closed = before.is_some_and(|b| b.closed_on.contains_key(&cycle.name));
        let by_hand = occasion.by_hand == Some(cycle.name.as_str());
        open = open || !(was_closed || by_hand || due(rules, &cycle, today, occasion));
        cycles.push((cycle, !open));
    }
    cycles
}

fn due(rules: &Rules, cycle: &Cycle, today: NaiveDate, occasion: &Occasion) -> bool {
    let scheme = rules.of_cycle(cycle);
    today > cycle.last + Duration::days(scheme.grace_days)
        && occasion.listed
        && !(scheme.waits_for_files && lacks_files(rules, cycle, occasion))
}

/// Whether an expected sales file of the cycle's days, while its scheme is in force, has not come.
fn lacks_files(rules: &Rules, cycle: &Cycle, occasion: &Occasion) -> bool {
    let first = cycle.first.max(rules.first().starts);
    let last = rules.last().ends.map_or(cycle.last, |ends| ends.min(cycle.last));
    occasion.come.iter().any(|(feed, come)| {
        let met = |wanted: &Days, whose: Option<&str>| {
            come.iter().any(|((from, to), by)| {
                *from <= wanted.1
                    && wanted.0 <= *to
                    && (whose.is_none() || by.is_none() || whose == by.as_deref())
            })
        };
        expected(&feed.expected, first, last).iter().any(|wanted| {
            if feed.distributors.is_empty() {
                return !met(wanted, None);
            }
            let common = (wanted.0.max(first), wanted.1.min(last));
            let lasts = feed.distributors.iter().filter(|d| d.from <= common.1 && common.0 <= d.to);
            lasts.into_iter().any(|d| !met(wanted, Some(&d.code)))
        })
    })
}

/// The calendar's periods that share a day with these.
pub fn expected(every: &str, first: NaiveDate, last: NaiveDate) -> Vec<Days> {
    let days = |days: i64, mut from: NaiveDate| {
        let mut periods = vec![];
        while from <= last {
            periods.push((from, from + Duration::days(days - 1)));
            from += Duration::days(days);
        }
        periods
    };
    let months = match every {
        "none" => return vec![],
        "daily" => return days(1, first),
        "weekly" => return days(7, first - Duration::days(first.weekday().num_days_from_monday().into())),
        "monthly" => 1,
        "quarterly" => 3,
        other => panic!("the naive evaluator knows no {other} files"),
    };
    let begins = first.with_day(1).expect("a first day") - Months::new(first.month0() % months);
    let mut periods = vec![];
    let mut from = begins;
    while from <= last {
        let next = from + Months::new(months);
        periods.push((from, next - Duration::days(1)));
        from = next;
    }
    periods
}

/// The day on which each closed cycle closed: that of the first run that could close it.
pub fn closed_on(
    cycles: &[(Cycle, bool)],
    today: NaiveDate,
    before: Option<&Seen>,
) -> BTreeMap<String, NaiveDate> {
    let closed = cycles.iter().filter(|(_, closed)| *closed).map(|(cycle, _)| &cycle.name);
    let day = |name: &String| before.and_then(|b| b.closed_on.get(name)).copied().unwrap_or(today);
    closed.map(|name| (name.clone(), day(name))).collect()
}

/// Whether a difference of a cycle that closed that day is held now.
pub fn locked(scheme: &Scheme, closed_on: NaiveDate, today: NaiveDate) -> bool {
    scheme.lock_after_days.is_some_and(|days| today > closed_on + Duration::days(days))
}
