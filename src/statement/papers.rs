//! The working papers of a cycle: what every column needs that is the same for all partners, and `summary.csv`.
//!
//! One row a partner, every number of evaluation.md 3 by its step. Order of partners and what `reason` says are the caller's.
//! The months, `measure`, `carried` and `to_next_tier` are in what the scheme measures: money with two decimals at
//! least, or pieces. Slab columns are those of the slab reached, empty below the first; the last slab has no `slab_to`.

use super::cell::{comma, end, header, plain, text};
use super::number::{decimal, frac, points};
use crate::calendar::CycleLength;
use crate::domain::frac::Frac;
use crate::evaluate::Position;
use crate::scheme::{Measure, Rate, Scheme, Slab};
use rust_decimal::Decimal;

/// What the papers of one scheme version and cycle share.
#[derive(Debug, Clone)]
pub struct Papers<'s> {
    /// the version that the cycle goes by
    pub(super) scheme: &'s Scheme,
    cycle: &'s str,
    months: usize,
    /// decimals of points, at least
    pub(super) points: u32,
    /// decimals of what is measured, at least
    measured: u32,
}

/// Decimals that money has at least.
pub(super) const MONEY: u32 = 2;

/// Decimals at least of what a scheme measures: money or pieces.
pub(super) fn measured_decimals(measure: Measure) -> u32 {
    match measure {
        Measure::Amount => MONEY,
        Measure::Quantity => 0,
    }
}

impl<'s> Papers<'s> {
    /// Papers of `cycle` (its name), which goes by `scheme`.
    pub fn new(scheme: &'s Scheme, cycle: &'s str) -> Papers<'s> {
        Papers {
            scheme,
            cycle,
            months: months(scheme.calendar.length),
            points: scheme.decimals,
            measured: measured_decimals(scheme.earn.measure),
        }
    }

    /// The header of `summary.csv`: as many `sales_N` as the cycle has months.
    pub fn summary_header(&self, out: &mut Vec<u8>) {
        let months: Vec<String> = (1..=self.months).map(|month| format!("sales_{month}")).collect();
        let columns = ["partner_code", "partner_name", "scheme", "cycle"];
        header(out, columns.into_iter().chain(months.iter().map(String::as_str)).chain(STEPS));
    }

    /// A partner's row. `reason` says why a revision came (`late line`, ...); it is empty in `rev-001`.
    pub fn summary_row(&self, out: &mut Vec<u8>, partner: Partner<'_>, position: &Position, reason: &str) {
        for cell in [partner.code, partner.name, &self.scheme.id, self.cycle] {
            text(out, cell);
            comma(out);
        }
        self.sales(out, position);
        self.slab(out, position.slab.and_then(|index| self.scheme.slabs.get(index)));
        self.arithmetic(out, position);
        self.tiers(out, position);
        text(out, reason);
        end(out);
    }

    fn sales(&self, out: &mut Vec<u8>, position: &Position) {
        for month in 0..self.months {
            match position.by_month.get(month) {
                Some(sales) => frac(out, sales, self.measured),
                None => decimal(out, Decimal::ZERO, self.measured),
            }
            comma(out);
        }
        for value in [&position.measure, &position.carried] {
            frac(out, value, self.measured);
            comma(out);
        }
    }

    fn slab(&self, out: &mut Vec<u8>, slab: Option<&Slab>) {
        let Some(slab) = slab else {
            return out.extend_from_slice(b",,,");
        };
        decimal(out, slab.from, self.measured);
        comma(out);
        if let Some(to) = slab.to {
            decimal(out, to, self.measured);
        }
        comma(out);
        rate(out, slab.rate);
        comma(out);
    }

    fn arithmetic(&self, out: &mut Vec<u8>, position: &Position) {
        let steps: [&Frac; 5] =
            [&position.base, &position.fixed, &position.multiplied, &position.bonus, &position.capped];
        for step in steps {
            frac(out, step, self.points);
            comma(out);
        }
        for total in [position.held_points, position.points] {
            points(out, total, self.points);
            comma(out);
        }
    }

    fn tiers(&self, out: &mut Vec<u8>, position: &Position) {
        for tier in [&position.tier, &position.tier_applied] {
            text(out, tier);
            comma(out);
        }
        if let Some((tier, missing)) = &position.next_tier {
            text(out, tier);
            comma(out);
            frac(out, missing, self.measured);
        } else {
            comma(out);
        }
        comma(out);
    }
}

/// The columns of `summary.csv` after the months.
const STEPS: [&str; 17] = [
    "measure",
    "carried",
    "slab_from",
    "slab_to",
    "rate",
    "base_points",
    "fixed_points",
    "multiplier_points",
    "bonus_points",
    "capped_points",
    "held_points",
    "points",
    "tier",
    "tier_applied",
    "next_tier",
    "to_next_tier",
    "reason",
];

/// Who a paper or statement speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Partner<'p> {
    /// compared exactly
    pub code: &'p str,
    /// the partner master's name if it has one, else that of the last file that names the partner
    pub name: &'p str,
}

fn months(length: CycleLength) -> usize {
    match length {
        CycleLength::Month => 1,
        CycleLength::Quarter => 3,
        CycleLength::HalfYear => 6,
        CycleLength::Year => 12,
    }
}

/// A rate as people say it: `0.3%`, `5 per 10`, `5 per full 10`; `0%` for a slab without one.
pub fn rate(out: &mut Vec<u8>, rate: Option<Rate>) {
    match rate {
        None => plain(out, "0%"),
        Some(Rate::Proportion { points, per }) if per == Decimal::ONE_HUNDRED => {
            decimal(out, points, 0);
            plain(out, "%");
        }
        Some(Rate::Proportion { points, per }) => worded_rate(out, points, " per ", per),
        Some(Rate::PerFull { points, per }) => worded_rate(out, points, " per full ", per),
    }
}

fn worded_rate(out: &mut Vec<u8>, points: Decimal, word: &str, per: Decimal) {
    decimal(out, points, 0);
    plain(out, word);
    decimal(out, per, 0);
}
