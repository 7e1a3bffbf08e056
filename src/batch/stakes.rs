//! What waits with the lines of one partner that are held by evaluation: lines, money, points, and in words why.

use super::evaluating::name_of;
use crate::calendar::Cycle;
use crate::domain::frac::{Frac, Rounding};
use crate::evaluate::{Converted, HeldLine, LineOutcome, Outside, Positions};
use crate::facts::settle::Line;
use crate::scheme::{Family, fold};
use crate::store::holds::NewHold;
use chrono::NaiveDate;
use rust_decimal::Decimal;
use std::collections::BTreeMap;

/// Decimals of money at stake.
const MONEY: u32 = 6;

/// What is held together: one cycle's (or none's) lines of one cause; those without a rate by currency.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Cause {
    cycle: Option<Cycle>,
    why: HeldLine,
    /// folded; empty where that is no matter
    currency: String,
}

/// How much of it there is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Stake {
    lines: u64,
    /// in the scheme's currency, or in that of the cause
    amount: Decimal,
    /// the earliest day for the rules
    first: Option<NaiveDate>,
    /// millionths of points that the cycle would have more; none where nobody can tell
    points: i64,
}

/// All of one partner's.
pub(super) type Stakes = BTreeMap<Cause, Stake>;

/// Gathers what is held.
pub(super) fn of(positions: &Positions, lines: &[Line<'_>]) -> Stakes {
    let mut stakes = Stakes::new();
    for outside in &positions.outside {
        if let Some(why) = outside.counts.held() {
            note_outside(&mut stakes, why, outside, lines);
        }
    }
    for position in &positions.positions {
        for outcome in &position.lines {
            if let Some(why) = outcome.counts.held() {
                note(&mut stakes, (position.cycle, why), outcome, lines);
            }
        }
    }
    stakes
}

/// Fills in the points at stake: what the positions would come to if only this cause were waived. Without a rate none can be
/// told. Gives nothing to do where nothing is held.
pub(super) fn weigh(stakes: &mut Stakes, positions: &Positions, waived: impl Fn(HeldLine) -> Positions) {
    for why in [HeldLine::FutureDate, HeldLine::PartnerUnlistedHeld, HeldLine::SkuUnlistedHeld] {
        if !stakes.keys().any(|cause| cause.why == why && cause.cycle.is_some()) {
            continue;
        }
        let would = waived(why);
        for (cause, stake) in stakes.iter_mut().filter(|(cause, _)| cause.why == why) {
            let Some(cycle) = cause.cycle else { continue };
            stake.points = points(&would, cycle).saturating_sub(points(positions, cycle));
        }
    }
}

fn points(positions: &Positions, cycle: Cycle) -> i64 {
    let position = positions.positions.iter().find(|position| position.cycle == cycle);
    position.map_or(0, |position| position.points.0)
}

fn note_outside(stakes: &mut Stakes, why: HeldLine, outside: &Outside, lines: &[Line<'_>]) {
    let amount = lines.get(outside.line).map_or(Decimal::ZERO, |line| line.row.amount);
    let cause = Cause { cycle: None, why, currency: String::new() };
    stakes.entry(cause).or_default().add(amount, outside.business_date);
}

fn note(stakes: &mut Stakes, (cycle, why): (Cycle, HeldLine), outcome: &LineOutcome, lines: &[Line<'_>]) {
    let Some(line) = lines.get(outcome.line) else { return };
    let (currency, amount) = match (outcome.converted, why) {
        (Converted::NoRate, HeldLine::NoFxRate) => (fold(line.row.currency), line.row.amount),
        (Converted::NoRate | Converted::AsItIs, _) => (String::new(), line.row.amount),
        (Converted::At(_), _) => (String::new(), money(&outcome.scheme_amount)),
    };
    let cause = Cause { cycle: Some(cycle), why, currency };
    stakes.entry(cause).or_default().add(amount, outcome.rule_date);
}

fn money(amount: &Frac) -> Decimal {
    amount.to_decimal_rounded(MONEY, Rounding::HalfEven).unwrap_or_default()
}

impl Stake {
    fn add(&mut self, amount: Decimal, day: NaiveDate) {
        self.lines += 1;
        self.amount = self.amount.saturating_add(amount);
        self.first = Some(self.first.map_or(day, |first| first.min(day)));
    }
}

/// The hold for a stake.
pub(super) fn hold(family: &Family, partner: &str, cause: &Cause, stake: &Stake) -> NewHold {
    let Cause { cycle, why, currency } = cause;
    let first = stake.first.unwrap_or_default();
    let (kind, detail) = match why {
        HeldLine::FutureDate => (
            "future_date",
            "dated after the run's day: counts when that day has come, or send a corrected line".to_owned(),
        ),
        HeldLine::PartnerUnlistedHeld => (
            "partner_unlisted_held",
            "the partner master does not list this partner: add it there".to_owned(),
        ),
        HeldLine::SkuUnlistedHeld => {
            ("sku_unlisted_held", "the item master does not list these SKUs: add them there".to_owned())
        }
        HeldLine::NoFxRate => ("no_fx_rate", no_rate(family, *cycle, currency, first)),
    };
    let subject = format!("{}|{}|{partner}", family.id, cycle.map_or(0, |cycle| cycle.0));
    NewHold {
        kind,
        subject: if currency.is_empty() { subject } else { format!("{subject}|{currency}") },
        scheme: family.id.clone(),
        cycle: cycle.map_or_else(String::new, |cycle| name_of(family, cycle)),
        partner: partner.to_owned(),
        file: None,
        line: None,
        lines: stake.lines,
        amount: stake.amount,
        points: stake.points,
        detail,
    }
}

fn no_rate(family: &Family, cycle: Option<Cycle>, currency: &str, first: NaiveDate) -> String {
    let version = cycle.and_then(|cycle| family.version_for(cycle)).or(family.versions.first());
    let to = version.map_or("", |version| version.currency.as_str());
    let from = currency.to_uppercase();
    format!(
        "no rate from {from} to {to} on or before {first}: send it in a file of an fx feed; the amount is in {from}"
    )
}
