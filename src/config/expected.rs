//! Which files must come, and when they are due (interfaces.md 2: `expected`, `due_days`, `distributors`). Pure.
//!
//! Weeks begin on Monday; quarters are those of the calendar. A file has come for a period when the period in its
//! name and this one share a day: a weekly file may carry any day of its week, a quarterly one any month of its quarter.

use super::{Expected, Feed};
use crate::inbox::pattern::Named;
use chrono::{Datelike, Days, Months, NaiveDate};

/// A file that must come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpectedFile {
    /// feed name
    pub feed: String,
    /// whose, where the feed lists distributors
    pub distributor: Option<String>,
    /// first day it covers
    pub first: NaiveDate,
    /// last day it covers
    pub last: NaiveDate,
    /// last day on which it is in time: `last` and `due_days`
    pub due: NaiveDate,
    /// the name it would have, for messages
    pub name: String,
}

impl ExpectedFile {
    /// Whether a file with this name is the one.
    pub fn is_met_by(&self, named: &Named) -> bool {
        let covers = named.period.is_some_and(|(first, last)| first <= self.last && self.first <= last);
        let whose = match (&self.distributor, &named.distributor) {
            (Some(wanted), Some(found)) => wanted == found,
            (Some(_), None) | (None, _) => true,
        };
        covers && whose
    }

    /// Whether it is missing on `day`: due before, and not there.
    pub fn is_overdue(&self, day: NaiveDate) -> bool {
        self.due < day
    }
}

/// The periods that overlap the days `from` to `to`, in order; none where nothing is expected.
pub fn periods(expected: Expected, from: NaiveDate, to: NaiveDate) -> Vec<(NaiveDate, NaiveDate)> {
    let mut periods = Vec::new();
    let mut day = from;
    while day <= to {
        let Some((first, last)) = period_of(expected, day) else { break };
        periods.push((first, last));
        let Some(next) = last.succ_opt() else { break };
        day = next;
    }
    periods
}

/// The period that contains a day; `None` where nothing is expected, or at the end of the calendar.
pub fn period_of(expected: Expected, day: NaiveDate) -> Option<(NaiveDate, NaiveDate)> {
    let months = |first_month: u32, count: u32| {
        let first = NaiveDate::from_ymd_opt(day.year(), first_month, 1)?;
        Some((first, first.checked_add_months(Months::new(count))?.pred_opt()?))
    };
    match expected {
        Expected::None => None,
        Expected::Daily => Some((day, day)),
        Expected::Weekly => {
            let first = day.checked_sub_days(Days::new(u64::from(day.weekday().num_days_from_monday())))?;
            Some((first, first.checked_add_days(Days::new(6))?))
        }
        Expected::Monthly => months(day.month(), 1),
        Expected::Quarterly => months(day.month0() / 3 * 3 + 1, 3),
    }
}

/// The files of a feed that must come for the days `from` to `to`: one for each period, or for each period and
/// distributor that lasts on one of these days in it.
pub fn files(feed: &Feed, from: NaiveDate, to: NaiveDate) -> Vec<ExpectedFile> {
    let mut files = Vec::new();
    for period in periods(feed.expected, from, to) {
        if feed.distributors.is_empty() {
            files.push(file(feed, period, None));
        }
        let mut codes: Vec<&str> = feed
            .distributors
            .iter()
            .filter(|distributor| distributor.lasts_in(period.0.max(from), period.1.min(to)))
            .map(|distributor| distributor.code.as_str())
            .collect();
        codes.sort_unstable();
        codes.dedup();
        files.extend(codes.into_iter().map(|code| file(feed, period, Some(code))));
    }
    files
}

fn file(feed: &Feed, period: (NaiveDate, NaiveDate), distributor: Option<&str>) -> ExpectedFile {
    let due_days = Days::new(u64::from(feed.due_days));
    ExpectedFile {
        feed: feed.name.clone(),
        distributor: distributor.map(str::to_owned),
        first: period.0,
        last: period.1,
        due: period.1.checked_add_days(due_days).unwrap_or(NaiveDate::MAX),
        name: feed.source.pattern.expected_name(period, distributor),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Distributor;

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("a date")
    }

    fn shown(expected: Expected, from: &str, to: &str) -> Vec<String> {
        periods(expected, day(from), day(to)).iter().map(|(first, last)| format!("{first}..{last}")).collect()
    }

    #[test]
    fn periods_overlap_the_range() {
        assert_eq!(shown(Expected::None, "2026-04-01", "2026-06-30"), Vec::<String>::new());
        assert_eq!(
            shown(Expected::Daily, "2026-02-28", "2026-03-01"),
            ["2026-02-28..2026-02-28", "2026-03-01..2026-03-01"]
        );
        assert_eq!(
            shown(Expected::Weekly, "2026-04-01", "2026-04-06"),
            ["2026-03-30..2026-04-05", "2026-04-06..2026-04-12"]
        );
        assert_eq!(
            shown(Expected::Monthly, "2026-12-31", "2027-01-01"),
            ["2026-12-01..2026-12-31", "2027-01-01..2027-01-31"]
        );
        assert_eq!(shown(Expected::Quarterly, "2026-05-01", "2026-05-31"), ["2026-04-01..2026-06-30"]);
        assert_eq!(shown(Expected::Monthly, "2026-05-02", "2026-05-01"), Vec::<String>::new());
        assert_eq!(periods(Expected::Monthly, NaiveDate::MAX, NaiveDate::MAX), []);
    }

    #[test]
    fn a_distributor_lasts_from_its_first_day_through_its_last() {
        let distributor =
            Distributor { code: "D1".to_owned(), from: Some(day("2026-04-10")), to: Some(day("2026-05-01")) };
        let in_period = |first: &str, last: &str| distributor.lasts_in(day(first), day(last));
        assert!(in_period("2026-04-01", "2026-04-10"), "its first day is one of it");
        assert!(!in_period("2026-04-01", "2026-04-09"));
        assert!(in_period("2026-05-01", "2026-05-31"), "and so is its last");
        assert!(!in_period("2026-05-02", "2026-05-31"));
    }
}
