//! Schemes: the TOML that managers write, as meant. Pure.
//!
//! `reader` is the file as typed, each value with its place (unknown keys refused), `resolve` makes a [`Scheme`] of it or every fault at once,
//! `canonical` gives the text whose SHA-256 is the version, `family` puts versions together by dates, `lint` warns of what is
//! likely a mistake. Does not: read files, know lines, or work out points.

mod canonical;
mod example;
mod family;
mod glob;
mod keys;
pub mod lint;
mod number;
mod ratio;
mod reader;
mod resolve;
#[cfg(test)]
mod sample;
mod sink;

pub use crate::domain::word::{fold, same_word};
pub use canonical::canonical;
pub use family::{Family, families};
pub use glob::Glob;

use crate::calendar::Calendar;
use crate::domain::frac::Rounding;
use crate::fault::{Fault, Faults};
use chrono::NaiveDate;
use chrono_tz::Tz;
use rust_decimal::Decimal;

/// A scheme version, checked: what it holds can be meant.
#[derive(Debug, Clone, PartialEq)]
pub struct Scheme {
    /// `a-z 0-9 -`
    pub id: String,
    /// for people
    pub name: String,
    /// for people
    pub company: String,
    /// of every amount and of the points' value
    pub currency: String,
    /// whose calendar decides the cycle
    pub timezone: Tz,
    /// first business date
    pub starts: NaiveDate,
    /// last business date
    pub ends: Option<NaiveDate>,
    /// cycles
    pub calendar: Calendar,
    /// minutes after midnight; a timestamp before it counts for the day before
    pub day_closes_at: u32,
    /// when points are posted
    pub post: Post,
    /// days after a cycle's last day before it closes
    pub grace_days: u32,
    /// whether a cycle waits for every expected sales file
    pub wait_for_files: bool,
    /// days after close from which differences are held
    pub lock_after_days: Option<u32>,
    /// which lines count
    pub earn: Earn,
    /// slabs in ascending order, gapless
    pub slabs: Vec<Slab>,
    /// how slabs are read
    pub slab_mode: SlabMode,
    /// what to do where several multipliers match
    pub stacking: Stacking,
    /// multipliers in file order
    pub multipliers: Vec<Multiplier>,
    /// what a tier has on top of its lines' points
    pub tier_bonuses: Vec<TierBonus>,
    /// `[[tier_level]]` in ascending order; empty: tiers come from slabs
    pub ladder: Vec<Level>,
    /// over what the tier is measured
    pub measured_over: MeasuredOver,
    /// to which lines a tier applies
    pub applies: Applies,
    /// most points per partner and cycle
    pub cap_per_cycle: Option<Decimal>,
    /// cap on what one invoice or one SKU earns
    pub cap_within: Option<CapWithin>,
    /// `[limits] accrual`
    pub limit_accrual: Option<Decimal>,
    /// how the sum is rounded
    pub rounding: Rounding,
    /// where
    pub round_at: RoundAt,
    /// decimals of a point, 0 to 6
    pub decimals: u32,
    /// money per point
    pub value: Option<Decimal>,
    /// months after the end of the cycle that earned them
    pub expire_after_months: Option<u32>,
    /// worked examples
    pub examples: Vec<Example>,
    /// SHA-256 (hex) of the canonical form: names, comments and examples are no part of it
    pub version: String,
    /// path as the user knows it
    pub path: String,
}

/// When points are posted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Post {
    /// nothing before the cycle closes
    AtClose,
    /// the standing after every run
    Continuous,
}

/// `[earn]`: lists are empty for "any".
#[derive(Debug, Clone, PartialEq)]
pub struct Earn {
    /// `on`
    pub on: EarnOn,
    /// `measure`
    pub measure: Measure,
    /// `payment_tolerance`
    pub payment_tolerance: Decimal,
    /// of invoices
    pub statuses: Vec<String>,
    /// of credit notes
    pub return_statuses: Vec<String>,
    /// matched without case
    pub channels: Vec<String>,
    /// matched without case
    pub partner_classes: Vec<String>,
    /// matched without case
    pub payment_methods: Vec<String>,
    /// matched without case
    pub currencies: Vec<String>,
    /// globs
    pub exclude_skus: Vec<Glob>,
    /// globs
    pub exclude_categories: Vec<Glob>,
    /// globs; empty: all
    pub only_skus: Vec<Glob>,
    /// globs; empty: all
    pub only_categories: Vec<Glob>,
    /// a SKU that the item master does not list
    pub unlisted_skus: Unlisted,
    /// a partner that the partner master does not list
    pub unlisted_partners: Unlisted,
    /// where a return counts
    pub returns: Returns,
}

/// What makes a line count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EarnOn {
    /// being invoiced
    Invoice,
    /// its invoice being paid in full
    Payment,
}

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// money
    Amount,
    /// pieces
    Quantity,
}

/// What happens to lines of a code that no master record lists (once there is a master).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unlisted {
    /// counts
    Earn,
    /// held until it is listed
    Hold,
    /// does not count
    Exclude,
}

/// Which cycle a return reduces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Returns {
    /// that of the invoice it names
    OriginalCycle,
    /// its own
    ReturnCycle,
}

/// How slabs are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SlabMode {
    /// the rate of the slab reached applies to all
    Whole,
    /// each band at its own rate
    Marginal,
}

/// A band of the measure.
#[derive(Debug, Clone, PartialEq)]
pub struct Slab {
    /// `from <= measure`
    pub from: Decimal,
    /// `measure < to`; `None` for the last
    pub to: Option<Decimal>,
    /// `None`: 0%
    pub rate: Option<Rate>,
    /// on top, for reaching it
    pub fixed: Decimal,
    /// empty: none of its own
    pub tier: String,
    /// most points from this slab
    pub cap: Option<Decimal>,
}

/// How a measure becomes points.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rate {
    /// `points / per` of the measure: `0.2%` is 0.2 per 100, `5 per 10` is 5 per 10
    Proportion {
        /// points
        points: Decimal,
        /// for so much of the measure
        per: Decimal,
    },
    /// `5 per full 10`: `floor(x / 10) * 5`
    PerFull {
        /// points
        points: Decimal,
        /// for each whole step of the measure
        per: Decimal,
    },
}

/// Where several multipliers match one line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stacking {
    /// the largest matching factor
    Highest,
    /// all of them
    Product,
}

/// A `[[multiplier]]`; empty lists match anything.
#[derive(Debug, Clone, PartialEq)]
pub struct Multiplier {
    /// for people
    pub name: String,
    /// globs
    pub skus: Vec<Glob>,
    /// globs
    pub categories: Vec<Glob>,
    /// matched without case
    pub channels: Vec<String>,
    /// exact
    pub tiers: Vec<String>,
    /// first business date
    pub from: Option<NaiveDate>,
    /// last business date
    pub to: Option<NaiveDate>,
    /// times the line's points; at least 0
    pub factor: Decimal,
}

/// A `[[tier_bonus]]`.
#[derive(Debug, Clone, PartialEq)]
pub struct TierBonus {
    /// exact
    pub tier: String,
    /// in hundredths, as written: `20%` is 20
    pub percent: Decimal,
}

/// A `[[tier_level]]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Level {
    /// exact
    pub name: String,
    /// of the tier measure
    pub from: Decimal,
}

/// Over what the tier is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MeasuredOver {
    /// the cycle's own measure
    Cycle,
    /// from the first cycle of the scheme's year
    YearToDate,
    /// the twelve months that end with the cycle
    TrailingTwelveMonths,
}

/// To which lines a tier reached mid-cycle applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Applies {
    /// all of the cycle
    Retroactive,
    /// those from the day it was reached
    FromCrossing,
    /// those of the next cycle
    NextCycle,
}

/// `per_invoice` or `per_sku`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CapWithin {
    /// most points from one invoice (its credit notes are part of it)
    Invoice(Decimal),
    /// most points from one SKU
    Sku(Decimal),
}

/// Where points are rounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoundAt {
    /// once, the sum
    Cycle,
    /// each line, its bonus, and the sum
    Line,
}

/// An `[[example]]`: sales of one partner and what they must give.
#[derive(Debug, Clone, PartialEq)]
pub struct Example {
    /// for people
    pub name: String,
    /// rows
    pub sales: Vec<ExampleSale>,
    /// points expected in the cycle of the example
    pub points: Decimal,
    /// tier expected (`Some("")`: none); `None`: not checked
    pub tier: Option<String>,
    /// cycle checked by name; `None`: that of its first sale
    pub cycle: Option<String>,
    /// line of the scheme file where it begins
    pub line: usize,
}

/// One row of an example: the canonical columns of `sales` (interfaces.md 3) with `date` for invoice_date.
#[derive(Debug, Clone, PartialEq)]
pub struct ExampleSale {
    /// canonical column -> text as written; dates and timestamps in ISO 8601
    pub cells: Vec<(String, String)>,
}

/// Reads a scheme file and checks it: the scheme and its warnings, or every fault at once, each with its place.
/// `path` is what messages call the file.
pub fn parse(path: &str, text: &str) -> Result<(Scheme, Vec<Fault>), Faults> {
    resolve::scheme(path, text)
}
