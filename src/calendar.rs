//! Zones, business dates and cycles. Pure; the one place that turns zone and wall clock into instants and back.
//!
//! Answers for: evaluation.md 1.4 and 1.5, cycle names (interfaces.md 4). Does not: read a clock.

mod compiled;
mod zone;

pub use compiled::{Difference, SystemZone, Zone, first_difference};
pub use zone::{ZoneCache, business_date, local};

use chrono::{Datelike, NaiveDate};

/// How long a cycle is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CycleLength {
    /// `2026-04`
    Month,
    /// `2026-Q2`, `FY2026-27-Q1`
    Quarter,
    /// `2026-H1`, `FY2026-27-H1`
    HalfYear,
    /// `2026`, `FY2026-27`
    Year,
}

impl CycleLength {
    /// How many months: 1, 3, 6 or 12.
    pub fn months(self) -> i32 {
        match self {
            CycleLength::Month => 1,
            CycleLength::Quarter => 3,
            CycleLength::HalfYear => 6,
            CycleLength::Year => 12,
        }
    }
}

/// The cycles of a scheme.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Calendar {
    /// length of a cycle
    pub length: CycleLength,
    /// month (1 to 12) in which the scheme's year starts
    pub year_starts: u32,
}

/// One cycle, named by its first month counted from year 0: `year * 12 + (month - 1)`.
/// Ordered as the calendar orders them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cycle(pub i32);

/// A month counted as [`Cycle`] counts them.
fn month_number(day: NaiveDate) -> i32 {
    day.year() * 12 + day.month0() as i32
}

/// Year and month (1 to 12) of a month counted as [`Cycle`] counts them.
fn year_month(number: i32) -> (i32, u32) {
    (number.div_euclid(12), number.rem_euclid(12) as u32 + 1)
}

/// The first day of a month, if dates reach that far.
fn first_day(number: i32) -> Option<NaiveDate> {
    let (year, month) = year_month(number);
    NaiveDate::from_ymd_opt(year, month, 1)
}

impl Calendar {
    /// the cycle that contains a business date
    pub fn cycle_of(&self, day: NaiveDate) -> Cycle {
        self.containing(month_number(day), self.length.months())
    }
    /// the cycle after
    pub fn next(&self, cycle: Cycle) -> Cycle {
        Cycle(cycle.0.saturating_add(self.length.months()))
    }
    /// the cycle before
    pub fn previous(&self, cycle: Cycle) -> Cycle {
        Cycle(cycle.0.saturating_sub(self.length.months()))
    }
    /// first and last day (what dates can say at most, at the ends of time)
    pub fn days(&self, cycle: Cycle) -> (NaiveDate, NaiveDate) {
        let last = first_day(self.next(cycle).0).and_then(|after| after.pred_opt());
        (first_day(cycle.0).unwrap_or(NaiveDate::MIN), last.unwrap_or(NaiveDate::MAX))
    }
    /// the name people use
    pub fn name(&self, cycle: Cycle) -> String {
        let (year, month) = year_month(cycle.0);
        if self.length == CycleLength::Month {
            return format!("{year:04}-{month:02}");
        }
        let start = self.year_start(cycle);
        let part = (cycle.0 - start.0) / self.length.months() + 1;
        let year = self.year_name(start);
        match self.length {
            CycleLength::Month | CycleLength::Year => year,
            CycleLength::Quarter => format!("{year}-Q{part}"),
            CycleLength::HalfYear => format!("{year}-H{part}"),
        }
    }
    /// the cycle with this name, if it is one of this calendar's
    pub fn parse(&self, name: &str) -> Option<Cycle> {
        let digits = name.trim_start_matches("FY").get(..4)?;
        let year: i32 = digits.parse().ok().filter(|_| digits.bytes().all(|b| b.is_ascii_digit()))?;
        let start = Cycle(year * 12 + self.year_offset());
        let year = (0..12).step_by(self.length.months() as usize).map(|month| Cycle(start.0 + month));
        // month cycles are named by the calendar year, which can begin before the scheme's year does
        let before = (1..=self.year_offset()).map(|month| Cycle(start.0 - month));
        year.chain(before).find(|cycle| self.cycle_at(*cycle) && self.name(*cycle) == name)
    }
    /// the first cycle of the scheme year that contains `cycle`
    pub fn year_start(&self, cycle: Cycle) -> Cycle {
        self.containing(cycle.0, 12)
    }
    /// the months of a cycle, as (year, month)
    pub fn months(&self, cycle: Cycle) -> Vec<(i32, u32)> {
        (0..self.length.months()).map(|month| year_month(cycle.0 + month)).collect()
    }
    /// which month of its cycle a date is in, from 0 (for a date in the cycle)
    pub fn month_within(&self, cycle: Cycle, day: NaiveDate) -> usize {
        usize::try_from(month_number(day) - cycle.0).unwrap_or(0)
    }

    /// Months from January to the start of the scheme's year, 0 to 11.
    fn year_offset(&self) -> i32 {
        (self.year_starts as i32 - 1).rem_euclid(12)
    }
    /// The period of `length` months that contains a month.
    fn containing(&self, month: i32, length: i32) -> Cycle {
        Cycle(month - (month - self.year_offset()).rem_euclid(length))
    }
    /// Whether a cycle of this calendar begins there.
    fn cycle_at(&self, cycle: Cycle) -> bool {
        self.containing(cycle.0, self.length.months()) == cycle
    }
    /// `2026`, or `FY2026-27` where the year does not start in January.
    fn year_name(&self, start: Cycle) -> String {
        let (year, _) = year_month(start.0);
        match self.year_offset() {
            0 => format!("{year:04}"),
            _ => format!("FY{year:04}-{:02}", (year + 1).rem_euclid(100)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn day(year: i32, month: u32, day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(year, month, day).expect("a real day")
    }
    fn calendar(length: CycleLength, year_starts: u32) -> Calendar {
        Calendar { length, year_starts }
    }
    const LENGTHS: [CycleLength; 4] =
        [CycleLength::Month, CycleLength::Quarter, CycleLength::HalfYear, CycleLength::Year];

    #[test]
    fn names_are_those_of_interfaces_md() {
        let on = day(2026, 6, 30);
        let cases = [
            (CycleLength::Month, 1, "2026-06"),
            (CycleLength::Month, 4, "2026-06"),
            (CycleLength::Quarter, 1, "2026-Q2"),
            (CycleLength::HalfYear, 1, "2026-H1"),
            (CycleLength::Year, 1, "2026"),
            (CycleLength::Quarter, 4, "FY2026-27-Q1"),
            (CycleLength::HalfYear, 4, "FY2026-27-H1"),
            (CycleLength::Year, 4, "FY2026-27"),
            (CycleLength::Year, 7, "FY2025-26"),
        ];
        for (length, starts, name) in cases {
            let calendar = calendar(length, starts);
            assert_eq!(calendar.name(calendar.cycle_of(on)), name);
        }
        let april = calendar(CycleLength::Quarter, 4);
        assert_eq!(april.name(april.cycle_of(day(2027, 3, 31))), "FY2026-27-Q4");
        assert_eq!(april.name(april.cycle_of(day(2000, 1, 1))), "FY1999-00-Q4");
    }

    #[test]
    fn names_of_other_calendars_are_refused() {
        let april = calendar(CycleLength::Quarter, 4);
        let january = calendar(CycleLength::Quarter, 1);
        assert_eq!(april.parse("2026-Q2"), None);
        assert_eq!(january.parse("FY2026-27-Q1"), None);
        for wrong in
            ["", "2026", "2026-Q5", "2026-Q0", "2026-q1", "2026-Q1 ", "FYFY2026-27-Q1", "+026-Q1", "é026-Q1"]
        {
            assert_eq!(january.parse(wrong), None, "{wrong}");
        }
        assert_eq!(april.parse("FY2026-28-Q1"), None);
        assert_eq!(calendar(CycleLength::Month, 4).parse("2026-13"), None);
    }

    #[test]
    fn a_cycle_has_its_months_and_days() {
        let april = calendar(CycleLength::Quarter, 4);
        let cycle = april.cycle_of(day(2028, 1, 15));
        assert_eq!(april.days(cycle), (day(2028, 1, 1), day(2028, 3, 31)));
        assert_eq!(april.months(cycle), [(2028, 1), (2028, 2), (2028, 3)]);
        assert_eq!(april.year_start(cycle), april.cycle_of(day(2027, 4, 1)));
        assert_eq!(april.month_within(cycle, day(2028, 3, 1)), 2);
        let february = calendar(CycleLength::Month, 1).cycle_of(day(2028, 2, 29));
        assert_eq!(calendar(CycleLength::Month, 1).days(february).1, day(2028, 2, 29));
    }

    #[test]
    fn the_ends_of_time_do_not_panic() {
        for length in LENGTHS {
            let calendar = calendar(length, 4);
            for on in [NaiveDate::MIN, NaiveDate::MAX, day(1900, 1, 1), day(9999, 12, 31)] {
                let cycle = calendar.cycle_of(on);
                let (first, last) = calendar.days(cycle);
                assert!(first <= on && on <= last, "{on}");
                calendar.name(cycle);
                calendar.next(cycle);
                calendar.previous(cycle);
            }
        }
    }

    proptest! {
        #[test]
        fn every_day_is_in_the_cycle_its_name_gives_back(days in 0..=2_958_465i32, length in 0usize..4, starts in 1u32..=12) {
            let calendar = calendar(LENGTHS[length], starts);
            let on = NaiveDate::from_num_days_from_ce_opt(days + 366).expect("in range");
            let cycle = calendar.cycle_of(on);
            let (first, last) = calendar.days(cycle);
            prop_assert!(first <= on && on <= last);
            prop_assert_eq!(calendar.next(cycle), calendar.cycle_of(last.succ_opt().expect("in range")));
            prop_assert_eq!(calendar.previous(calendar.next(cycle)), cycle);
            if on.year() < 9999 && on.year() > 0 {
                prop_assert_eq!(calendar.parse(&calendar.name(cycle)), Some(cycle));
            }
        }
    }
}
