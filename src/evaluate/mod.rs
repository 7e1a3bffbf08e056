//! Evaluate: position = f(facts, scheme, cycle), with the trail of every step. Pure: evaluation.md 1.5, 1.6 (dates), 2 and 3.
//!
//! Takes one partner's settled lines, that partner's master records, the item master and the versions of one scheme; nothing else.

use crate::calendar::Cycle;
use crate::domain::frac::Frac;
use crate::domain::points::Points;
use crate::facts::master::{ItemRecord, PartnerRecord};
use crate::facts::settle::Line;
use crate::scheme::{Family, Scheme};
use chrono::NaiveDate;
use std::collections::{BTreeSet, HashMap};

/// What is the same for every partner of a scheme in one run.
#[derive(Debug)]
pub struct World<'w> {
    /// versions of the scheme
    pub family: &'w Family,
    /// item master by SKU folded to lower case; `None`: there is no item master
    pub items: Option<&'w HashMap<String, Vec<ItemRecord>>>,
    /// whether any partner master record exists
    pub has_partner_master: bool,
    /// the run's day in the scheme's zone; later dates are held
    pub today: NaiveDate,
}

/// One partner's facts.
#[derive(Debug)]
pub struct Subject<'s> {
    /// partner code
    pub partner_code: &'s str,
    /// settled lines: this partner's, and lines of other partners that this partner's credit notes return
    /// (told apart by `row.partner_code`; the latter only lend dates and the question whether they count)
    pub lines: &'s [Line<'s>],
    /// master records of every partner code in `lines`
    pub masters: &'s HashMap<String, Vec<PartnerRecord>>,
    /// cycles that must be given even if no line is in them now (they have a position already)
    pub known_cycles: &'s BTreeSet<Cycle>,
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

/// A line in a cycle.
#[derive(Debug, Clone)]
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
    /// amount in the scheme's currency (quantity is in the row)
    pub scheme_amount: Frac,
    /// its share of the base (step 5)
    pub share: Frac,
    /// the factor that multiplied it (step 6)
    pub factor: Frac,
    /// after the caps within (step 7); rounded where `round_at = "line"`
    pub earned: Frac,
    /// bonus (step 9)
    pub bonus: Frac,
    /// tier it has, empty for none (step 8)
    pub tier: String,
    /// its part of the position's points, at the scheme's decimals: adds up to `Position::points` exactly
    pub points: Points,
}

/// What a partner has earned for a cycle; every number of evaluation.md 3 by its step.
#[derive(Debug, Clone)]
pub struct Position {
    /// which cycle
    pub cycle: Cycle,
    /// index into `Family::versions`
    pub version: usize,
    /// every line in force of the cycle, cancelled ones too, in order of (business date, invoice_no, doc_type, line_no, file order)
    pub lines: Vec<LineOutcome>,
    /// sum over counting lines by month of the cycle (of `rule_date`)
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
    /// what caps cut (steps 7 and 10), zero or positive
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
    /// step 11: what is due in all, limit or not
    pub points: Points,
    /// step 12: the part of `points` over `[limits] accrual`, held
    pub held_points: Points,
    /// the earliest date held as `future_date`: evaluate again from that day
    pub wake_on: Option<NaiveDate>,
}

/// Lines of the partner that belong to no cycle of the scheme (before it starts, after it ends, in the future).
#[derive(Debug, Clone)]
pub struct Outside {
    /// index into [`Subject::lines`]
    pub line: usize,
    /// its own business date
    pub business_date: NaiveDate,
    /// `No(BeforeScheme | AfterScheme | Cancelled)` or `Held(FutureDate)`
    pub counts: Counts,
}

/// Everything a scheme makes of one partner.
#[derive(Debug, Clone, Default)]
pub struct Positions {
    /// in order of cycle: each that has a line, a carried shortfall or is in `known_cycles`
    pub positions: Vec<Position>,
    /// lines in no cycle
    pub outside: Vec<Outside>,
}

/// Works out every position of one partner under one scheme.
pub fn evaluate(_world: &World<'_>, _subject: &Subject<'_>) -> Positions {
    todo!()
}

/// One step of the arithmetic, for `accrued explain`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// `measure`, `slab`, `base`, ... (the words of evaluation.md 3)
    pub name: &'static str,
    /// the sum as a person would write it: `900,000.00 x 0.3%`
    pub working: String,
    /// its result
    pub result: String,
}

/// The trail of a position in words and numbers, step by step.
pub fn trail(_scheme: &Scheme, _position: &Position, _lines: &[Line<'_>]) -> Vec<Step> {
    todo!()
}
