//! Master data: what the `partners` and `items` feeds said, and which record applies on a day (evaluation.md 2).

use chrono::NaiveDate;

/// A record of the partner master.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartnerRecord {
    /// first day it applies to; `NaiveDate::MIN` for the first record of a code without a date
    pub effective_from: NaiveDate,
    /// ingestion; of two records for one day the later speaks
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
    /// first day it applies to; `NaiveDate::MIN` for the first record of a code without a date
    pub effective_from: NaiveDate,
    /// ingestion; of two records for one day the later speaks
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
    /// ingestion
    fn seq(&self) -> i64;
}

impl Dated for PartnerRecord {
    fn effective_from(&self) -> NaiveDate {
        self.effective_from
    }
    fn seq(&self) -> i64 {
        self.seq
    }
}

impl Dated for ItemRecord {
    fn effective_from(&self) -> NaiveDate {
        self.effective_from
    }
    fn seq(&self) -> i64 {
        self.seq
    }
}

/// The record that applies on `day`: the latest `effective_from` on or before it, of those the latest arrival.
pub fn on<R: Dated>(records: &[R], day: NaiveDate) -> Option<&R> {
    records
        .iter()
        .filter(|record| record.effective_from() <= day)
        .max_by_key(|record| (record.effective_from(), record.seq()))
}
