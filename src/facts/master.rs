//! Master data: what the `partners` and `items` feeds said, and which record applies on a day (evaluation.md 2).

use chrono::NaiveDate;

/// A record of the partner master.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartnerRecord {
    /// first day it applies to; [`BEGINNING`] for the first record of a code without a date
    pub effective_from: NaiveDate,
    /// place in the order of ingestion; of two records for one day the later speaks
    pub seq: i64,
    /// as the master writes it
    pub name: String,
    /// matched without case
    pub class: String,
    /// matched without case
    pub channel: String,
    /// address for messages
    pub email: String,
    /// number for messages
    pub phone: String,
    /// start of a referral's window
    pub joined_on: Option<NaiveDate>,
    /// `no`: lines say `partner_inactive`
    pub active: bool,
    /// `no`: lines say `partner_untracked`
    pub tracked: bool,
    /// partner code of the referrer, or empty
    pub referred_by: String,
}

/// A record of the item master.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemRecord {
    /// first day it applies to; [`BEGINNING`] for the first record of a code without a date
    pub effective_from: NaiveDate,
    /// place in the order of ingestion; of two records for one day the later speaks
    pub seq: i64,
    /// as the master writes it
    pub name: String,
    /// category of lines whose file gives none
    pub category: String,
    /// `no`: lines say `sku_excluded`
    pub earns_points: bool,
    /// not before this day
    pub launched_on: Option<NaiveDate>,
}

/// Anything with a first day and an arrival.
pub trait Dated {
    /// first day it applies to
    fn effective_from(&self) -> NaiveDate;
    /// place in the order of ingestion
    fn seq(&self) -> i64;
    /// the same from another day on
    #[must_use]
    fn from(self, day: NaiveDate) -> Self;
    /// the same at another place in the order of ingestion
    #[must_use]
    fn at(self, seq: i64) -> Self;
}

impl Dated for PartnerRecord {
    fn from(self, day: NaiveDate) -> Self {
        PartnerRecord { effective_from: day, ..self }
    }
    fn at(self, seq: i64) -> Self {
        PartnerRecord { seq, ..self }
    }
    fn effective_from(&self) -> NaiveDate {
        self.effective_from
    }
    fn seq(&self) -> i64 {
        self.seq
    }
}

impl Dated for ItemRecord {
    fn from(self, day: NaiveDate) -> Self {
        ItemRecord { effective_from: day, ..self }
    }
    fn at(self, seq: i64) -> Self {
        ItemRecord { seq, ..self }
    }
    fn effective_from(&self) -> NaiveDate {
        self.effective_from
    }
    fn seq(&self) -> i64 {
        self.seq
    }
}

/// From the beginning: before any date that a file can have.
pub const BEGINNING: NaiveDate = match NaiveDate::from_ymd_opt(1, 1, 1) {
    Some(day) => day,
    None => NaiveDate::MIN,
};

/// Where a record's first day comes from (evaluation.md 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Day {
    /// the row gives it
    Given(NaiveDate),
    /// the first record of its code applies from the beginning, a later one from this day (the file's period, or the day of ingestion)
    Otherwise(NaiveDate),
}

impl Day {
    /// The day from which a record applies, by whether it is the first that was said of its code.
    pub fn from(self, place: Place) -> NaiveDate {
        match (self, place) {
            (Day::Given(day), Place::First | Place::Later) | (Day::Otherwise(day), Place::Later) => day,
            (Day::Otherwise(_), Place::First) => BEGINNING,
        }
    }
}

/// Which of a code's records one is, in the order in which they were said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// none was said before
    First,
    /// some was
    Later,
}

/// The record that applies on `day`: the latest `effective_from` on or before it, of those the latest arrival.
pub fn on<R: Dated>(records: &[R], day: NaiveDate) -> Option<&R> {
    records
        .iter()
        .filter(|record| record.effective_from() <= day)
        .max_by_key(|record| (record.effective_from(), record.seq()))
}
