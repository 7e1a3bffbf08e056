//! The moment a line, note or version speaks of: a plain date, or an instant with the offset it was written in.

use chrono::NaiveDate;

/// `invoice_date` as understood by the feed (evaluation.md 1.4). Two of them are equal content when
/// `same_moment` says so: the offset in which an instant was written is no part of its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// a plain date: the business date as it stands, whatever the zones
    Day(NaiveDate),
    /// an instant
    At {
        /// seconds since 1970-01-01T00:00:00Z
        epoch: i64,
        /// seconds east of UTC in which it was written (or which the feed's zone had then)
        offset: i32,
        /// what happened to a local time that the feed's clocks repeat or skip
        clock: ClockNote,
    },
}

/// A local time without an offset can be ambiguous (evaluation.md 1.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClockNote {
    /// nothing to say
    Plain,
    /// it occurred twice; the first occurrence was taken (`clock_repeated`)
    Repeated,
    /// it did not occur; moved on by the length of the gap (`clock_skipped`)
    Skipped,
}

impl When {
    /// The calendar date as written: of a plain date itself, of an instant in its own offset.
    /// Conflicts (31 days) and restarting numbers are measured on it.
    pub fn written_day(&self) -> NaiveDate {
        match *self {
            When::Day(day) => day,
            When::At { epoch, offset, .. } => {
                let days = (epoch + i64::from(offset)).div_euclid(86_400);
                chrono::DateTime::UNIX_EPOCH
                    .date_naive()
                    .checked_add_signed(chrono::Duration::days(days))
                    .unwrap_or(NaiveDate::MAX)
            }
        }
    }

    /// Equal as values: the same plain date, or the same instant in whatever offset.
    pub fn same_moment(&self, other: &When) -> bool {
        match (self, other) {
            (When::Day(a), When::Day(b)) => a == b,
            (When::At { epoch: a, .. }, When::At { epoch: b, .. }) => a == b,
            (When::Day(_), When::At { .. }) | (When::At { .. }, When::Day(_)) => false,
        }
    }
}
