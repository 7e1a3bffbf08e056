//! What is likely a mistake (interfaces.md 4): warnings, never refusals.
//!
//! `file` looks at one scheme, [`overlaps`] at all of them together, [`multipliers_without_items`] at a scheme and
//! the items that exist. Arithmetic is exact; multipliers and rounding are left aside.

use super::resolve::{self, Marks};
use super::{
    Applies, Earn, Family, Glob, MeasuredOver, Multiplier, Rate, Scheme, Slab, SlabMode, ratio, same_word,
};
use crate::fault::{Fault, Faults, Gravity};
use num_rational::BigRational;
use num_traits::{One, Zero};
use rust_decimal::Decimal;
use std::ops::Range;

/// The warnings of one scheme.
pub(super) fn file(scheme: &Scheme, marks: &Marks) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (index, place) in marks.slabs.iter().enumerate() {
        faults.extend(without_rate(scheme, index, place));
        faults.extend(cap_below_first(scheme, index, place));
        faults.extend(pays_less(scheme, index, place));
        faults.extend(never_reached(scheme, index, place));
    }
    for (multiplier, place) in scheme.multipliers.iter().zip(&marks.multipliers) {
        faults.extend(never_in_force(scheme, multiplier, place));
    }
    faults
}

fn without_rate(scheme: &Scheme, index: usize, place: &Range<usize>) -> Option<Fault> {
    let slab = scheme.slabs.get(index).filter(|slab| slab.rate.is_none())?;
    let message = format!("the slab from {} has no rate: it earns 0% of the measure", plain(slab.from));
    Some(Fault::warning(place.clone(), message, "no `rate`", "write rate = \"0%\" if that is meant"))
}

fn cap_below_first(scheme: &Scheme, index: usize, place: &Range<usize>) -> Option<Fault> {
    let slab = scheme.slabs.get(index)?;
    let cap = slab.cap?;
    let earned = match scheme.slab_mode {
        SlabMode::Whole => {
            let first = if slab.from.is_zero() { Decimal::ONE } else { slab.from };
            rate_of(slab, &ratio::of(first), Edge::At) + ratio::of(slab.fixed)
        }
        SlabMode::Marginal => rate_of(slab, &BigRational::one(), Edge::At),
    };
    if ratio::of(cap) >= earned {
        return None;
    }
    let message = format!(
        "the slab from {} is capped at {}, below the {} points that its first unit of the measure earns",
        plain(slab.from),
        plain(cap),
        shown(&earned)
    );
    Some(Fault::warning(
        place.clone(),
        message,
        "its cap always cuts",
        "raise `cap`, or lower `rate` or `points`",
    ))
}

/// The points just below a threshold against those on it.
fn pays_less(scheme: &Scheme, index: usize, place: &Range<usize>) -> Option<Fault> {
    let below = index.checked_sub(1)?;
    let threshold = scheme.slabs.get(index)?.from;
    let before = pays(scheme, below, threshold, Edge::Below);
    let after = pays(scheme, index, threshold, Edge::At);
    if after >= before {
        return None;
    }
    let message = format!(
        "selling more pays less: just below {} a partner has {} points, on it {}",
        plain(threshold),
        shown(&before),
        shown(&after)
    );
    let help = "raise this slab's rate, points or cap, or lower those of the slab before";
    Some(Fault::warning(place.clone(), message, "the slab that pays less", help))
}

/// A slab that changes nothing, since `per_cycle` is used up before it and it brings no tier.
fn never_reached(scheme: &Scheme, index: usize, place: &Range<usize>) -> Option<Fault> {
    let below = index.checked_sub(1)?;
    let slab = scheme.slabs.get(index)?;
    let cap = scheme.cap_per_cycle?;
    let before = uncapped(scheme, below, slab.from, Edge::Below);
    if !slab.tier.is_empty() || before < ratio::of(cap) {
        return None;
    }
    let message = format!(
        "the slab from {} can never be reached: per_cycle = {} is used up before it",
        plain(slab.from),
        plain(cap)
    );
    Some(Fault::warning(place.clone(), message, "pays nothing more", "raise `per_cycle`, or remove the slab"))
}

fn never_in_force(scheme: &Scheme, multiplier: &Multiplier, place: &Range<usize>) -> Option<Fault> {
    let too_early = multiplier.to.is_some_and(|to| to < scheme.starts);
    let too_late = multiplier.from.zip(scheme.ends).is_some_and(|(from, ends)| ends < from);
    if !too_early && !too_late {
        return None;
    }
    let message = format!("the multiplier {:?} lies outside the dates of the scheme", multiplier.name);
    let help = "check the year of its `from` and `to`";
    Some(Fault::warning(place.clone(), message, "never in force", help))
}

/// On which side of a threshold the measure stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Edge {
    /// as near below as can be
    Below,
    /// on it
    At,
}

/// What a measure at `edge` of `measure` in slab `index` pays in all: caps, fixed points and tier bonus.
fn pays(scheme: &Scheme, index: usize, measure: Decimal, edge: Edge) -> BigRational {
    let sum = uncapped(scheme, index, measure, edge);
    match scheme.cap_per_cycle {
        Some(cap) => sum.min(ratio::of(cap)),
        None => sum,
    }
}

/// The same before `per_cycle`.
fn uncapped(scheme: &Scheme, index: usize, measure: Decimal, edge: Edge) -> BigRational {
    let bonus = BigRational::one() + bonus(scheme, index);
    match scheme.slab_mode {
        SlabMode::Whole => {
            let Some(slab) = scheme.slabs.get(index) else { return BigRational::zero() };
            let sum = rate_of(slab, &ratio::of(measure), edge) * bonus + ratio::of(slab.fixed);
            cut(sum, slab.cap)
        }
        SlabMode::Marginal => {
            let mut base = BigRational::zero();
            let mut fixed = BigRational::zero();
            for slab in scheme.slabs.iter().take(index + 1) {
                let to = slab.to.map_or(measure, |to| to.min(measure));
                let side = if to == measure { edge } else { Edge::At };
                base += cut(rate_of(slab, &(ratio::of(to) - ratio::of(slab.from)), side), slab.cap);
                fixed += ratio::of(slab.fixed);
            }
            base * bonus + fixed
        }
    }
}

fn cut(sum: BigRational, cap: Option<Decimal>) -> BigRational {
    cap.map_or(sum.clone(), |cap| sum.min(ratio::of(cap)))
}

fn rate_of(slab: &Slab, measure: &BigRational, edge: Edge) -> BigRational {
    match slab.rate {
        None => BigRational::zero(),
        Some(Rate::Proportion { points, per }) => measure * ratio::of(points) / ratio::of(per),
        Some(Rate::PerFull { points, per }) => {
            let steps = measure / ratio::of(per);
            let whole = match edge {
                Edge::At => steps.floor(),
                Edge::Below => steps.ceil() - BigRational::one(),
            };
            whole.max(BigRational::zero()) * ratio::of(points)
        }
    }
}

/// The share on top for the tier that slab `index` brings, where a tier follows from the slab alone.
fn bonus(scheme: &Scheme, index: usize) -> BigRational {
    let follows = scheme.ladder.is_empty()
        && scheme.applies == Applies::Retroactive
        && scheme.measured_over == MeasuredOver::Cycle;
    let tier = scheme.slabs.iter().take(index + 1).rev().find(|slab| !slab.tier.is_empty());
    let Some(tier) = tier.filter(|_| follows) else { return BigRational::zero() };
    let bonus = scheme.tier_bonuses.iter().find(|bonus| bonus.tier == tier.tier);
    bonus.map_or(BigRational::zero(), |bonus| ratio::of(bonus.percent) / ratio::of(Decimal::ONE_HUNDRED))
}

fn plain(value: Decimal) -> String {
    value.normalize().to_string()
}

/// A fraction for people: whole, or cut to two decimals and said to be.
fn shown(value: &BigRational) -> String {
    if value.is_integer() {
        return value.to_integer().to_string();
    }
    let hundredths = (value * ratio::of(Decimal::ONE_HUNDRED)).floor().to_integer();
    let (whole, rest) = (&hundredths / 100, &hundredths % 100);
    format!("{whole}.{rest:0>2}")
}

/// Warns of a scheme's multipliers that match none of the items; each is (sku, category). No items: nothing is known.
/// `text` is the scheme's file, for the carets.
pub fn multipliers_without_items<'i>(
    scheme: &Scheme,
    text: &str,
    items: impl Iterator<Item = (&'i str, &'i str)> + Clone,
) -> Faults {
    let mut faults = Faults { path: scheme.path.clone(), text: text.to_owned(), faults: Vec::new() };
    if items.clone().next().is_none() {
        return faults;
    }
    let marks = resolve::read(&scheme.path, text).map(|(_, marks)| marks.multipliers).unwrap_or_default();
    for (index, multiplier) in scheme.multipliers.iter().enumerate() {
        let speaks = !multiplier.skus.is_empty() || !multiplier.categories.is_empty();
        if speaks && !items.clone().any(|(sku, category)| matches_item(multiplier, sku, category)) {
            let message = format!("the multiplier {:?} matches no item of the item master", multiplier.name);
            let help = "check the spelling of `skus` and `categories`; only * and ? are wildcards";
            let place = marks.get(index).cloned();
            faults.faults.push(Fault {
                gravity: Gravity::Warning,
                span: place,
                label: "matches nothing".into(),
                ..Fault::missing(message, help)
            });
        }
    }
    faults
}

fn matches_item(multiplier: &Multiplier, sku: &str, category: &str) -> bool {
    any_glob(&multiplier.skus, sku) && any_glob(&multiplier.categories, category)
}

fn any_glob(globs: &[Glob], text: &str) -> bool {
    globs.is_empty() || globs.iter().any(|glob| glob.matches(text))
}

/// Warns of each two schemes that pay for the same lines: their dates meet, and nothing in `[earn]` keeps their lines
/// apart. A fault of the file of the second (by id).
pub fn overlaps(families: &[Family]) -> Vec<Faults> {
    let mut warnings = Vec::new();
    for (index, one) in families.iter().enumerate() {
        for other in families.iter().skip(index + 1) {
            warnings.extend(meeting(one, other));
        }
    }
    warnings
}

fn meeting(one: &Family, other: &Family) -> Option<Faults> {
    let pairs = one.versions.iter().flat_map(|a| other.versions.iter().map(move |b| (a, b)));
    let (a, b) = pairs.into_iter().find(|(a, b)| dates_meet(a, b) && !apart(&a.earn, &b.earn))?;
    let from = a.starts.max(b.starts);
    let message = format!("the schemes {} and {} pay for the same lines, from {from} on", a.id, b.id);
    let help = format!(
        "keep them apart by channels, statuses, classes, SKUs or categories; the other is {}",
        a.path
    );
    let fault = Fault { gravity: Gravity::Warning, ..Fault::missing(message, help) };
    Some(Faults { path: b.path.clone(), text: String::new(), faults: vec![fault] })
}

fn dates_meet(a: &Scheme, b: &Scheme) -> bool {
    a.ends.is_none_or(|ends| b.starts <= ends) && b.ends.is_none_or(|ends| a.starts <= ends)
}

/// Whether no line can count for both.
fn apart(a: &Earn, b: &Earn) -> bool {
    let words = [
        (&a.statuses, &b.statuses),
        (&a.channels, &b.channels),
        (&a.partner_classes, &b.partner_classes),
        (&a.payment_methods, &b.payment_methods),
        (&a.currencies, &b.currencies),
    ];
    words.into_iter().any(|(one, other)| nothing_shared(one, other))
        || globs_apart(&a.only_skus, &b.only_skus)
        || globs_apart(&a.only_categories, &b.only_categories)
        || all_covered(&a.only_skus, &b.exclude_skus)
        || all_covered(&b.only_skus, &a.exclude_skus)
        || all_covered(&a.only_categories, &b.exclude_categories)
        || all_covered(&b.only_categories, &a.exclude_categories)
}

fn nothing_shared(one: &[String], other: &[String]) -> bool {
    !one.is_empty() && !other.is_empty() && !one.iter().any(|a| other.iter().any(|b| same_word(a, b)))
}

fn globs_apart(one: &[Glob], other: &[Glob]) -> bool {
    !one.is_empty() && !other.is_empty() && !one.iter().any(|a| other.iter().any(|b| a.meets(b)))
}

fn all_covered(only: &[Glob], excluded: &[Glob]) -> bool {
    !only.is_empty() && only.iter().all(|glob| excluded.iter().any(|wider| wider.covers(glob)))
}

#[cfg(test)]
mod tests {
    use super::super::sample::{SMALL, changed, scheme};
    use super::super::{families, parse};
    use super::*;

    fn warnings(text: &str) -> Vec<String> {
        let (_, warnings) = parse("x.toml", text).unwrap_or_else(|faults| panic!("{}", faults.render(false)));
        warnings.into_iter().map(|fault| fault.message).collect()
    }

    #[test]
    fn a_threshold_where_selling_more_pays_less() {
        assert_eq!(warnings(SMALL), Vec::<String>::new());
        let lower = warnings(&changed(SMALL, "rate = \"0.3%\"", "rate = \"0.1%\""));
        assert_eq!(lower, ["selling more pays less: just below 800000 a partner has 1600 points, on it 800"]);
        let equal = changed(SMALL, "rate = \"0.3%\"", "rate = \"0.2%\"");
        assert_eq!(warnings(&equal), Vec::<String>::new());
        let marginal =
            changed(&changed(SMALL, "\"whole\"", "\"marginal\""), "rate = \"0.3%\"", "rate = \"0.1%\"");
        assert_eq!(warnings(&marginal), Vec::<String>::new(), "bands only add");
        let fixed = changed(SMALL, "rate = \"0.2%\"", "rate = \"0.2%\"\npoints = 900");
        assert_eq!(warnings(&fixed).len(), 1, "2,500 below, 2,400 on it");
        let bonus = format!("{SMALL}[[tier_bonus]]\ntier = \"Silver\"\npercent = \"60%\"\n");
        assert_eq!(warnings(&bonus).len(), 1, "2,560 below, 2,400 on it");
    }

    #[test]
    fn whole_steps_just_below_a_threshold_are_one_fewer_only_where_the_threshold_is_a_step() {
        let steps = |per: &str, points: &str| {
            let text = changed(SMALL, "rate = \"0.2%\"", &format!("rate = \"1 per full {per}\""));
            warnings(&changed(&text, "rate = \"0.3%\"", &format!("rate = \"0%\"\npoints = {points}")))
        };
        assert_eq!(steps("8 lakh", "0"), Vec::<String>::new(), "no full step below 8 lakh");
        assert_eq!(steps("4 lakh", "1"), Vec::<String>::new());
        assert_eq!(steps("3 lakh", "1").len(), 1, "two full steps below 8 lakh");
    }

    #[test]
    fn a_cap_below_what_the_first_rupee_of_its_slab_earns() {
        assert_eq!(
            warnings(&changed(SMALL, "rate = \"0.3%\"", "rate = \"0.3%\"\ncap = 2400")),
            Vec::<String>::new()
        );
        assert_eq!(warnings(&changed(SMALL, "rate = \"0.3%\"", "rate = \"0.3%\"\ncap = 2399")).len(), 1);
    }

    #[test]
    fn a_slab_that_nothing_reaches_before_the_cap_of_the_cycle() {
        let text = SMALL.replace("tier = \"Silver\"\n", "").replace("tier = \"Gold\"\n", "");
        assert_eq!(warnings(&format!("{text}[cap]\nper_cycle = 1600\n")).len(), 1);
        assert_eq!(warnings(&format!("{text}[cap]\nper_cycle = 1601\n")), Vec::<String>::new());
        assert_eq!(
            warnings(&format!("{SMALL}[cap]\nper_cycle = 1600\n")),
            Vec::<String>::new(),
            "it brings a tier"
        );
    }

    #[test]
    fn a_multiplier_that_matches_no_item() {
        let text = format!("{SMALL}[[multiplier]]\nname = \"LED\"\nskus = [\"LDE-*\"]\nfactor = 2\n");
        let found = |items: &[(&str, &str)]| {
            multipliers_without_items(&scheme(&text), &text, items.iter().copied()).faults.len()
        };
        assert_eq!(found(&[("LED-9", "Lamps")]), 1);
        assert_eq!(found(&[("LED-9", "Lamps"), ("lde-1", "")]), 0);
        assert_eq!(found(&[]), 0, "no item master, nothing known");
        let shown =
            multipliers_without_items(&scheme(&text), &text, [("LED-9", "")].into_iter()).render(false);
        assert!(shown.contains("[[multiplier]]\n   | ^^^^^^^^^^^^^^ matches nothing"), "{shown}");
    }

    fn meeting(one: &str, other: &str) -> usize {
        let of = |id: &str, earn: &str| scheme(&format!("{}[earn]\n{earn}\n", changed(SMALL, "lamps", id)));
        overlaps(&families(vec![of("a", one), of("b", other)]).expect("two schemes")).len()
    }

    #[test]
    fn two_schemes_that_pay_for_the_same_lines() {
        assert_eq!(meeting("", ""), 1);
        assert_eq!(meeting("channels = [\"retail\"]", "channels = [\"projects\"]"), 0);
        assert_eq!(meeting("channels = [\"retail\"]", "channels = [\"RETAIL\", \"x\"]"), 1);
        assert_eq!(meeting("channels = [\"retail\"]", ""), 1);
        assert_eq!(meeting("only_skus = [\"LED-*\"]", "exclude_skus = [\"led*\"]"), 0);
        assert_eq!(meeting("only_skus = [\"LED-*\"]", "exclude_skus = [\"led-9\"]"), 1);
        assert_eq!(meeting("only_skus = [\"LED-*\"]", "only_skus = [\"OLED-*\"]"), 0);
        assert_eq!(meeting("only_skus = [\"LED-*\"]", "only_skus = [\"*-9\"]"), 1);
    }

    #[test]
    fn schemes_whose_dates_do_not_meet_pay_for_no_line_both() {
        let one = scheme(&changed(SMALL, "starts = 2026-04-01", "starts = 2026-04-01\nends = 2026-06-30"));
        let other = scheme(&changed(&changed(SMALL, "lamps", "bulbs"), "2026-04-01", "2026-07-01"));
        assert!(overlaps(&families(vec![one, other]).expect("two schemes")).is_empty());
    }
}
