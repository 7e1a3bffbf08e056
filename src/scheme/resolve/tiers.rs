//! Tiers: `[[tier_level]]`, `[[tier_bonus]]`, `[tier]`, and who may name which.

use super::super::number;
use super::super::reader::{At, Bound, Section, Sink};
use super::super::{Applies, Level, MeasuredOver, TierBonus, same_word};
use super::plain;
use super::slabs::Bands;
use crate::fault::nearest;
use std::ops::Range;

/// `[[tier_level]]` as read.
pub(super) struct Ladder {
    /// in ascending order
    pub(super) levels: Vec<Level>,
    names: Vec<At<String>>,
    /// whether every name could be read
    complete: bool,
}

/// The tiers that can be named.
pub(in crate::scheme) struct Known {
    names: Vec<String>,
    /// whether the list is whole: else an unknown name may be one that could not be read
    complete: bool,
}

/// `[tier]`.
pub(super) struct TierRules {
    pub(super) measured_over: MeasuredOver,
    pub(super) applies: Applies,
}

pub(super) fn ladder(root: &mut Section<'_>, out: &mut Sink<'_>) -> Ladder {
    let mut ladder = Ladder { levels: Vec::new(), names: Vec::new(), complete: true };
    let mut starts: Vec<At<rust_decimal::Decimal>> = Vec::new();
    for mut section in root.sections("tier_level", out) {
        let name = section.name("name", out);
        out.required(&section, "name", "write the tier's name: name = \"Gold\"");
        let from = section.amount("from", Bound::NotBelowNothing, out);
        out.required(&section, "from", "write where the tier starts: from = \"30 lakh\"");
        section.finish(out);
        if let Some(from) = &from {
            if let Some(twin) = starts.iter().find(|other| other.value == from.value) {
                let message = format!("two tier levels start at {}", from.value);
                out.between(
                    &from.span,
                    message,
                    "the second",
                    (&twin.span, "the first"),
                    "keep one of the two",
                );
            }
            starts.push(from.clone());
        }
        ladder.complete &= name.is_some();
        if let (Some(name), Some(from)) = (&name, &from) {
            ladder.levels.push(Level { name: name.value.clone(), from: from.value });
        }
        ladder.names.extend(name);
    }
    ladder.complete &= root.read_whole("tier_level", ladder.names.len());
    ladder.levels.sort_by_key(|level| level.from);
    ladder
}

/// Which tiers there are: of the ladder where there is one, else of the slabs.
pub(super) fn known(slabs: &Bands, ladder: &Ladder, out: &mut Sink<'_>) -> Known {
    let of_slabs: Vec<&At<String>> = slabs.list.iter().filter_map(|band| band.tier.as_ref()).collect();
    if ladder.names.is_empty() {
        slab_names(&of_slabs, out);
        let complete = ladder.complete && slabs.complete && slabs.list.iter().all(|band| !band.tier_unread);
        return Known { names: of_slabs.iter().map(|tier| tier.value.clone()).collect(), complete };
    }
    for tier in of_slabs {
        let message = format!("a slab names the tier `{}` beside a ladder of [[tier_level]]", tier.value);
        let help = "remove `tier` from the slab: with [[tier_level]] slabs name no tier";
        out.later(&tier.span, message, "the ladder decides the tier", help);
    }
    let names: Vec<&At<String>> = ladder.names.iter().collect();
    for (index, name) in names.iter().enumerate() {
        twins(name, &names[..index], "keep one of the two", out);
    }
    Known { names: names.iter().map(|name| name.value.clone()).collect(), complete: ladder.complete }
}

/// A tier may go on through neighbouring slabs, but cannot come back after another, nor change its letter case.
fn slab_names(names: &[&At<String>], out: &mut Sink<'_>) {
    let help = "a tier is one run of slabs: give this one another name, or none to keep the one below";
    for (index, name) in names.iter().enumerate() {
        let continues = index > 0 && names[index - 1].value == name.value;
        if !continues {
            twins(name, &names[..index], help, out);
        }
    }
}

fn twins(name: &At<String>, before: &[&At<String>], help: &str, out: &mut Sink<'_>) {
    let Some(twin) = before.iter().find(|other| same_word(&other.value, &name.value)) else { return };
    if twin.value == name.value {
        let message = format!("the tier `{}` is named twice", name.value);
        out.between(&name.span, message, "the second", (&twin.span, "the first"), help);
    } else {
        let message = format!("the tiers `{}` and `{}` differ only in letter case", twin.value, name.value);
        let help = "write a tier the same way everywhere";
        out.between(&name.span, message, "the second", (&twin.span, "the first"), help);
    }
}

impl Known {
    /// Refuses a name that is no tier of the scheme, exactly as it is written there.
    pub(in crate::scheme) fn check(&self, name: &str, place: &Range<usize>, out: &mut Sink<'_>) {
        if !self.complete || self.names.iter().any(|known| known == name) {
            return;
        }
        let names: Vec<&str> = self.names.iter().map(String::as_str).collect();
        let help = if let Some(other) = names.iter().find(|known| same_word(known, name)) {
            format!("tier names are exact: write \"{other}\"")
        } else if let Some(near) = nearest(name, &names) {
            format!("did you mean \"{near}\"?")
        } else if names.is_empty() {
            "the scheme has no tiers: name them in the slabs or in [[tier_level]]".to_owned()
        } else {
            let mut names = names;
            names.dedup();
            format!("the tiers are: {}", names.join(", "))
        };
        out.later(place, format!("no tier is named `{name}`"), "unknown tier", help);
    }
}

pub(super) fn bonuses(root: &mut Section<'_>, known: &Known, out: &mut Sink<'_>) -> Vec<TierBonus> {
    let mut bonuses = Vec::new();
    let mut named: Vec<At<String>> = Vec::new();
    for mut section in root.sections("tier_bonus", out) {
        let tier = section.name("tier", out);
        out.required(&section, "tier", "write whose bonus it is: tier = \"Gold\"");
        let help = "write a share of the points: percent = \"20%\"";
        let percent = section.parsed("percent", "a percentage", help, number::percent, out);
        out.required(&section, "percent", help);
        section.finish(out);
        let Some(tier) = tier else { continue };
        known.check(&tier.value, &tier.span, out);
        if let Some(twin) = named.iter().find(|other| other.value == tier.value) {
            let message = format!("the tier `{}` has two bonuses", tier.value);
            out.between(&tier.span, message, "the second", (&twin.span, "the first"), "keep one of the two");
        }
        if let Some(percent) = percent {
            bonuses.push(TierBonus { tier: tier.value.clone(), percent: percent.value });
        }
        named.push(tier);
    }
    bonuses
}

pub(super) fn tier(root: &mut Section<'_>, ladder: &Ladder, out: &mut Sink<'_>) -> TierRules {
    let mut section = root.section("tier", out);
    let windows = [
        ("cycle", MeasuredOver::Cycle),
        ("year-to-date", MeasuredOver::YearToDate),
        ("trailing-12-months", MeasuredOver::TrailingTwelveMonths),
    ];
    let measured_over = section.word("measured_over", &windows, out);
    let reach = [
        ("retroactive", Applies::Retroactive),
        ("from-crossing", Applies::FromCrossing),
        ("next-cycle", Applies::NextCycle),
    ];
    let applies = section.word("applies", &reach, out);
    section.finish(out);
    if let Some(window) = measured_over.as_ref().filter(|window| window.value != MeasuredOver::Cycle)
        && ladder.complete
        && ladder.levels.is_empty()
    {
        let message = "a tier that is not measured over the cycle needs levels of its own";
        let help = "add [[tier_level]] with `name` and `from`; slabs speak of the cycle's measure only";
        out.later(&window.span, message, "no [[tier_level]] in the file", help);
    }
    TierRules {
        measured_over: plain(measured_over).unwrap_or(MeasuredOver::Cycle),
        applies: plain(applies).unwrap_or(Applies::Retroactive),
    }
}
