//! Zones, business dates and cycles. Pure; the one place that turns zone and wall clock into instants and back.
//!
//! Answers for: evaluation.md 1.4 and 1.5, cycle names (interfaces.md 4). Does not: read a clock.

use crate::domain::when::When;
use chrono::NaiveDate;
use chrono_tz::Tz;

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

impl Calendar {
    /// the cycle that contains a business date
    pub fn cycle_of(&self, _day: NaiveDate) -> Cycle {
        todo!()
    }
    /// the cycle after
    pub fn next(&self, _cycle: Cycle) -> Cycle {
        todo!()
    }
    /// the cycle before
    pub fn previous(&self, _cycle: Cycle) -> Cycle {
        todo!()
    }
    /// first and last day
    pub fn days(&self, _cycle: Cycle) -> (NaiveDate, NaiveDate) {
        todo!()
    }
    /// the name people use
    pub fn name(&self, _cycle: Cycle) -> String {
        todo!()
    }
    /// the cycle with this name, if it is one of this calendar's
    pub fn parse(&self, _name: &str) -> Option<Cycle> {
        todo!()
    }
    /// the first cycle of the scheme year that contains `cycle`
    pub fn year_start(&self, _cycle: Cycle) -> Cycle {
        todo!()
    }
    /// the months of a cycle, as (year, month)
    pub fn months(&self, _cycle: Cycle) -> Vec<(i32, u32)> {
        todo!()
    }
}

/// The business date of a moment in a scheme's zone; `day_closes_at` minutes are subtracted from the wall clock of timestamps.
pub fn business_date(_when: When, _zone: Tz, _day_closes_at: u32) -> NaiveDate {
    todo!()
}

/// Understands a local wall-clock time of a feed's zone (first occurrence where repeated, moved on by the gap where skipped).
pub fn local(_wall: chrono::NaiveDateTime, _zone: Tz) -> When {
    todo!()
}
