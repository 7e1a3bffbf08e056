//! Evaluate: position = f(facts, scheme, cycle), with the trail of every step. Pure: evaluation.md 1.5, 1.6 (dates), 2 and 3.
//!
//! Takes one partner's settled lines, that partner's master records, the item master and the versions of one scheme; nothing else.
//!
//! [`evaluate`] reads from top to bottom as the page does: `dates` (1.4 to 1.6), `counts` (2), `walk` (which cycles, what is
//! carried between them), `cycle` (3, one step after the other: `slab`, `multiply`, `caps`, `tiers`), `share_out` (each line's
//! part of the points). `trail` puts a position in words; [`Facts`] are what the store gives, settled.

mod caps;
mod counts;
mod cycle;
mod dates;
mod facts;
mod multiply;
mod paid;
mod share_out;
mod slab;
mod tiers;
mod trail;
mod walk;

#[cfg(test)]
mod tests;

pub use facts::{Facts, Unreadable};
pub use paid::Missing;
pub use trail::{Step, trail};

use crate::calendar::{Cycle, ZoneCache};
use crate::domain::frac::Frac;
use crate::domain::points::Points;
use crate::domain::when::When;
use crate::facts::alias::Called;
use crate::facts::fx::Rates;
use crate::facts::master::{ItemRecord, PartnerRecord};
use crate::facts::money::Payment;
use crate::facts::settle::Line;
use crate::scheme::Family;
use chrono::NaiveDate;
use rust_decimal::Decimal;
use std::collections::{BTreeSet, HashMap};

/// What is the same for every partner of a scheme in one run.
#[derive(Debug, Clone, Copy)]
pub struct World<'w> {
    /// versions of the scheme
    pub family: &'w Family,
    /// item master by SKU under [`crate::scheme::fold`]; `None`: there is no item master
    pub items: Option<&'w HashMap<String, Vec<ItemRecord>>>,
    /// whether any partner master record exists
    pub has_partner_master: bool,
    /// exchange rates
    pub rates: &'w Rates,
    /// the run's day in the scheme's zone; later dates are held
    pub today: NaiveDate,
    /// what would be if lines held for this cause counted; `None`: as things are
    pub waived: Option<HeldLine>,
    /// of the scheme's zone (another zone's is not used, only slower)
    pub zone: &'w ZoneCache,
}

impl World<'_> {
    /// The date in the scheme's zone that a line written so counts for (evaluation.md 1.4).
    pub fn business_date(&self, when: When) -> NaiveDate {
        dates::business(self, when)
    }
}

/// One partner's facts.
#[derive(Debug)]
pub struct Subject<'s> {
    /// partner code
    pub partner_code: &'s str,
    /// settled lines: this partner's, and lines of other partners that this partner's credit notes return
    /// (told apart by `row.partner_code`, see `called` too; the latter only lend dates and the question whether they count)
    pub lines: &'s [Line<'s>],
    /// master records of every partner code in `lines`
    pub masters: &'s HashMap<String, Vec<PartnerRecord>>,
    /// what the codes of lines mean on other days, where distributors have codes of their own
    pub called: Option<&'s Called<'s>>,
    /// cycles that must be given even if no line is in them now (they have a position already)
    pub known_cycles: &'s BTreeSet<Cycle>,
    /// what was paid, for schemes that earn on payment
    pub payments: Payments<'s>,
}

/// What is known of payments.
#[derive(Debug, Clone, Copy)]
pub enum Payments<'s> {
    /// those that speak for the invoices among the lines
    Said(&'s [Payment]),
    /// every invoice is taken as paid: the worked examples of a scheme tell nothing of payments
    TakenAsPaid,
}

/// Why a line in force does not count: the first that applies, in this order (evaluation.md 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs, reason = "each is its word in evaluation.md 2")]
pub enum WhyNot {
    Cancelled,
    BeforeScheme,
    AfterScheme,
    Status,
    Currency,
    Channel,
    PartnerUnlisted,
    PartnerClass,
    PartnerInactive,
    PartnerUntracked,
    PaymentMethod,
    SkuExcluded,
    CategoryExcluded,
    SkuUnlisted,
    Unpaid,
}

/// Why a line waits; it counts as soon as the cause is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs, reason = "each is its word in evaluation.md 2")]
pub enum HeldLine {
    FutureDate,
    PartnerUnlistedHeld,
    SkuUnlistedHeld,
    NoFxRate,
}

/// Whether a line counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Counts {
    /// it does
    Yes,
    /// it does not
    No(WhyNot),
    /// not yet
    Held(HeldLine),
}

impl Counts {
    /// Why it waits, if it does.
    pub fn held(self) -> Option<HeldLine> {
        match self {
            Counts::Held(why) => Some(why),
            Counts::Yes | Counts::No(_) => None,
        }
    }
}

/// How a line's amount became one in the scheme's currency (evaluation.md 3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Converted {
    /// it is in that currency
    AsItIs,
    /// at the rate of its day
    At(Decimal),
    /// it did not: no rate of the pair is that old
    NoRate,
}

/// A line in a cycle.
#[derive(Debug, Clone, PartialEq)]
pub struct LineOutcome {
    /// index into [`Subject::lines`]
    pub line: usize,
    /// its own business date in the scheme's zone
    pub business_date: NaiveDate,
    /// the date it has for every rule (that of its invoice for a credit note under `original-cycle`)
    pub rule_date: NaiveDate,
    /// whether it counts
    pub counts: Counts,
    /// `unknown_ref`, `clock_repeated`, `clock_skipped`; in this order
    pub notes: Vec<&'static str>,
    /// amount in the scheme's currency (quantity is in the row); zero where no rate is known
    pub scheme_amount: Frac,
    /// how it became that
    pub converted: Converted,
    /// its share of the base (step 5)
    pub share: Frac,
    /// the factor that multiplied it (step 6)
    pub factor: Frac,
    /// after the caps within (step 7); rounded where `round_at = "line"`
    pub earned: Frac,
    /// bonus (step 9)
    pub bonus: Frac,
    /// tier it has (step 8), as index into [`Position::line_tiers`]; `None` for none and for lines that do not count
    pub tier: Option<u16>,
    /// its part of the position's points, at the scheme's decimals: adds up to `Position::points` exactly
    pub points: Points,
}

/// What a partner has earned for a cycle; every number of evaluation.md 3 by its step.
#[derive(Debug, Clone, PartialEq)]
pub struct Position {
    /// which cycle
    pub cycle: Cycle,
    /// index into `Family::versions`
    pub version: usize,
    /// every line of the cycle whose version speaks, cancelled ones too, in order of (business date, invoice_no, distributor, doc_type,
    /// line_no, file order); line numbers that are digits in their order as numbers
    pub lines: Vec<LineOutcome>,
    /// for lines that are `unpaid`, in their order: what is missing
    pub missing: Vec<Missing>,
    /// the tiers that its lines have
    pub line_tiers: Vec<String>,
    /// in what the scheme measures: sum over counting lines by month of the cycle (of `rule_date`)
    pub by_month: Vec<Frac>,
    /// carried in from the cycle before (zero or negative; step 2)
    pub carried: Frac,
    /// step 2: counting lines and carried
    pub measure: Frac,
    /// index of the slab reached
    pub slab: Option<usize>,
    /// step 4
    pub base: Frac,
    /// the carried part's share of the base (belongs to no line)
    pub carried_share: Frac,
    /// step 4
    pub fixed: Frac,
    /// what multipliers added (step 6: after less before)
    pub multiplied: Frac,
    /// what caps cut (steps 7 and 10; the bands' own caps are within `base`), zero or positive
    pub capped: Frac,
    /// step 9
    pub bonus: Frac,
    /// step 10, before rounding
    pub sum: Frac,
    /// step 8: tier measure
    pub tier_measure: Frac,
    /// tier reached by the end of the cycle, empty for none
    pub tier: String,
    /// tier that applied to the last line (with `next-cycle` the one brought in), empty for none
    pub tier_applied: String,
    /// next tier above, with what is missing of the tier measure
    pub next_tier: Option<(String, Frac)>,
    /// next slab above (index), with what is missing of the measure
    pub next_slab: Option<(usize, Frac)>,
    /// step 11: what is due in all, limit or not. What the ledger cannot hold (over 9.2 million million points) stands at
    /// the most it can, and is held whole
    pub points: Points,
    /// step 12: the part of `points` over `[limits] accrual`, held
    pub held_points: Points,
    /// the day from which to evaluate again though no fact has come: when a line held as `future_date` stops being one,
    /// or a shortfall carried out of the run's own cycle reaches the next
    pub wake_on: Option<NaiveDate>,
}

impl Position {
    /// What is missing until the line at this place (in [`Position::lines`]) counts as paid.
    pub fn missing_of(&self, at: usize) -> Option<&Missing> {
        let found = self.missing.binary_search_by_key(&at, |missing| missing.at).ok()?;
        self.missing.get(found)
    }

    /// The tier that a line of this position has (step 8), empty for none.
    pub fn tier_of(&self, line: &LineOutcome) -> &str {
        line.tier.and_then(|tier| self.line_tiers.get(usize::from(tier))).map_or("", String::as_str)
    }
}

/// Lines of the partner that belong to no cycle of the scheme (before it starts, after it ends, in the future).
#[derive(Debug, Clone, PartialEq)]
pub struct Outside {
    /// index into [`Subject::lines`]
    pub line: usize,
    /// its own business date
    pub business_date: NaiveDate,
    /// `No(BeforeScheme | AfterScheme | Cancelled)`, or `Held(FutureDate)` where the scheme is not in force then either
    pub counts: Counts,
}

/// Everything a scheme makes of one partner.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Positions {
    /// in order of cycle: each that has a line, a carried shortfall or is in `known_cycles`
    pub positions: Vec<Position>,
    /// lines in no cycle
    pub outside: Vec<Outside>,
}

impl Positions {
    /// The earliest day from which this partner must be evaluated again though no fact has come.
    pub fn wake_on(&self) -> Option<NaiveDate> {
        let waiting = |outside: &&Outside| outside.counts == Counts::Held(HeldLine::FutureDate);
        let outside = self.outside.iter().filter(waiting).map(|outside| outside.business_date);
        self.positions.iter().filter_map(|position| position.wake_on).chain(outside).min()
    }
}

/// Works out every position of one partner under one scheme. The order of `subject.lines` changes nothing.
pub fn evaluate(world: &World<'_>, subject: &Subject<'_>) -> Positions {
    if world.family.versions.is_empty() {
        return Positions::default();
    }
    let dates = dates::of_lines(world, subject);
    let paid = paid::Paid::of(world, subject, &dates);
    let views = counts::of_lines(world, subject, &dates, &paid);
    walk::cycles(&walk::Scene { world, subject, dates: &dates, views: &views, paid: &paid })
}
