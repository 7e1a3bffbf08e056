//! `[multipliers]`, `[[multiplier]]`, `[cap]`, `[limits]`, `[referral]`, `[points]`.

use super::super::reader::{At, Bound, Section, Sink};
use super::super::{CapWithin, Multiplier, RoundAt, Stacking};
use super::earn::{globs, words};
use super::tiers::Known;
use super::{not_yet, plain};
use crate::domain::frac::Rounding;
use chrono::NaiveDate;
use rust_decimal::Decimal;
use std::ops::Range;

/// Most months that `expire_after_months` takes: a century.
const MOST_MONTHS: u32 = 1_200;

/// Every multiplier.
pub(super) struct Multipliers {
    pub(super) stacking: Stacking,
    pub(super) list: Vec<Multiplier>,
    pub(super) marks: Vec<Range<usize>>,
}

pub(super) fn multipliers(root: &mut Section<'_>, known: &Known, out: &mut Sink<'_>) -> Multipliers {
    let mut section = root.section("multipliers", out);
    let stackings = [("highest", Stacking::Highest), ("product", Stacking::Product)];
    let stacking = plain(section.word("stacking", &stackings, out)).unwrap_or(Stacking::Highest);
    section.finish(out);
    let mut found = Multipliers { stacking, list: Vec::new(), marks: Vec::new() };
    for section in root.sections("multiplier", out) {
        found.marks.push(section.place.clone().unwrap_or_default());
        found.list.extend(multiplier(section, known, out));
    }
    found
}

fn multiplier(mut section: Section<'_>, known: &Known, out: &mut Sink<'_>) -> Option<Multiplier> {
    let name = plain(section.text("name", out)).unwrap_or_default();
    let skus = globs(&mut section, "skus", out);
    let categories = globs(&mut section, "categories", out);
    let channels = words(&mut section, "channels", out);
    let tiers = section.texts("tiers", out);
    for tier in &tiers {
        known.check(&tier.value, &tier.span, out);
    }
    let from = section.day("from", out);
    let to = section.day("to", out);
    if let (Some(from), Some(to)) = (&from, &to) {
        days_in_order(from, to, out);
    }
    let factor = section.amount("factor", Bound::NotBelowNothing, out);
    out.required(&section, "factor", "write what a line's points are multiplied by: factor = \"2\"");
    section.finish(out);
    Some(Multiplier {
        name,
        skus,
        categories,
        channels,
        tiers: tiers.into_iter().map(|tier| tier.value).collect(),
        from: plain(from),
        to: plain(to),
        factor: factor?.value,
    })
}

fn days_in_order(from: &At<NaiveDate>, to: &At<NaiveDate>, out: &mut Sink<'_>) {
    if to.value < from.value {
        let message = format!("the multiplier ends on {} before it starts on {}", to.value, from.value);
        out.between(&to.span, message, "ends here", (&from.span, "starts here"), "both days are part of it");
    }
}

pub(super) fn caps(root: &mut Section<'_>, out: &mut Sink<'_>) -> (Option<Decimal>, Option<CapWithin>) {
    let mut section = root.section("cap", out);
    let per_cycle = plain(section.amount("per_cycle", Bound::NotBelowNothing, out));
    let per_invoice = section.amount("per_invoice", Bound::NotBelowNothing, out);
    let per_sku = section.amount("per_sku", Bound::NotBelowNothing, out);
    section.finish(out);
    if let (Some(invoice), Some(sku)) = (&per_invoice, &per_sku) {
        let message = "per_invoice and per_sku cannot both be in force";
        let help = "keep one of them: a line cannot be cut for its invoice and for its SKU";
        out.between(&sku.span, message, "this one", (&invoice.span, "or this one"), help);
    }
    let invoice = per_invoice.map(|cap| CapWithin::Invoice(cap.value));
    (per_cycle, invoice.or(per_sku.map(|cap| CapWithin::Sku(cap.value))))
}

pub(super) fn limits(root: &mut Section<'_>, out: &mut Sink<'_>) -> Option<Decimal> {
    let mut section = root.section("limits", out);
    let accrual = section.amount("accrual", Bound::NotBelowNothing, out);
    if let Some(adjustment) = section.amount("adjustment", Bound::NotBelowNothing, out) {
        not_yet("limits.adjustment", &adjustment.span, out);
    }
    section.finish(out);
    plain(accrual)
}

pub(super) fn referral(root: &mut Section<'_>, out: &mut Sink<'_>) {
    let mut section = root.section("referral", out);
    if let Some(place) = section.place.clone() {
        not_yet("[referral]", &place, out);
    }
    section.amount("points", Bound::NotBelowNothing, out);
    section.amount("min_spend", Bound::NotBelowNothing, out);
    section.count("within_days", 0..=36_500, out);
    section.finish(out);
}

/// `[points]`.
pub(super) struct PointRules {
    pub(super) rounding: Rounding,
    pub(super) round_at: RoundAt,
    pub(super) decimals: u32,
    pub(super) value: Option<Decimal>,
}

pub(super) fn points(root: &mut Section<'_>, out: &mut Sink<'_>) -> PointRules {
    let mut section = root.section("points", out);
    let roundings = [
        ("floor", Rounding::Floor),
        ("half-up", Rounding::HalfUp),
        ("half-even", Rounding::HalfEven),
        ("ceiling", Rounding::Ceiling),
    ];
    let rounding = plain(section.word("rounding", &roundings, out)).unwrap_or(Rounding::Floor);
    let places = [("cycle", RoundAt::Cycle), ("line", RoundAt::Line)];
    let round_at = plain(section.word("round_at", &places, out)).unwrap_or(RoundAt::Cycle);
    let decimals = plain(section.count("decimals", 0..=6, out)).unwrap_or(0);
    let value = plain(section.amount("value", Bound::NotBelowNothing, out));
    if let Some(months) = section.count("expire_after_months", 0..=MOST_MONTHS, out) {
        not_yet("points.expire_after_months", &months.span, out);
    }
    section.finish(out);
    PointRules { rounding, round_at, decimals, value }
}
