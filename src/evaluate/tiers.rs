//! Tiers: what a measure reaches, and which one each line has: evaluation.md 3, step 8.

use super::walk::Counted;
use crate::domain::frac::Frac;
use crate::scheme::{Applies, Scheme};
use chrono::NaiveDate;

/// A place on a scheme's ladder: index into `[[tier_level]]`, or into the slabs where there is no ladder. Higher is better.
pub(super) type Rung = usize;

/// The tier that a measure reaches.
pub(super) fn reached(scheme: &Scheme, measure: &Frac) -> Option<Rung> {
    if scheme.ladder.is_empty() {
        // above zero only; a slab without a name keeps the one below
        let slab = super::slab::slab_of(scheme, measure)?;
        return scheme.slabs[..=slab].iter().rposition(|slab| !slab.tier.is_empty());
    }
    scheme.ladder.iter().rposition(|level| Frac::from(level.from) <= *measure)
}

/// Its name, empty for none.
pub(super) fn name(scheme: &Scheme, rung: Option<Rung>) -> &str {
    let Some(rung) = rung else { return "" };
    if scheme.ladder.is_empty() {
        scheme.slabs.get(rung).map_or("", |slab| slab.tier.as_str())
    } else {
        scheme.ladder.get(rung).map_or("", |level| level.name.as_str())
    }
}

/// The next tier above the one that a tier measure reaches, with what is missing.
pub(super) fn next(scheme: &Scheme, measure: &Frac) -> Option<(String, Frac)> {
    let current = name(scheme, reached(scheme, measure));
    let above = |from: &Frac| from > measure || (scheme.ladder.is_empty() && measure.sign().is_le());
    let levels = scheme.ladder.iter().map(|level| (level.from, level.name.as_str()));
    let slabs = scheme.slabs.iter().map(|slab| (slab.from, slab.tier.as_str()));
    let slabs = slabs.filter(|_| scheme.ladder.is_empty());
    levels
        .chain(slabs)
        .map(|(from, name)| (Frac::from(from), name))
        .find(|(from, name)| !name.is_empty() && *name != current && above(from))
        .map(|(from, name)| (name.to_string(), &from - measure))
}

/// Which tiers the lines of a cycle have.
#[derive(Debug, Default)]
pub(super) struct LineTiers<'s> {
    /// the names that occur, none twice
    pub names: Vec<&'s str>,
    /// for each counting line, index into `names`
    pub of_line: Vec<Option<u16>>,
    /// what the last line has, or would have had at the end of the cycle
    pub applied: &'s str,
}

/// What the tiers of a cycle's lines are worked out from.
#[derive(Debug)]
pub(super) struct Standing<'c, 's> {
    pub scheme: &'s Scheme,
    /// reached by the end of the cycle
    pub reached: Option<Rung>,
    /// brought in from the cycle before
    pub before: &'s str,
    /// the tier measure before the cycle's own lines
    pub opening: Frac,
    /// first day of the cycle
    pub first_day: NaiveDate,
    /// counting lines, in any order
    pub counted: &'c [Counted],
}

/// The tier of each counting line.
pub(super) fn of_lines<'s>(standing: &Standing<'_, 's>) -> LineTiers<'s> {
    match standing.scheme.applies {
        Applies::Retroactive => all(name(standing.scheme, standing.reached), standing.counted.len()),
        Applies::NextCycle => all(standing.before, standing.counted.len()),
        Applies::FromCrossing => from_crossing(standing),
    }
}

fn all(name: &str, lines: usize) -> LineTiers<'_> {
    let names: Vec<&str> = [name].into_iter().filter(|name| !name.is_empty()).collect();
    let tier = (!names.is_empty()).then_some(0);
    LineTiers { names, of_line: vec![tier; lines], applied: name }
}

/// The highest tier that the tier measure stands at when any day ends, from the first day of the cycle to the line's own.
fn from_crossing<'s>(standing: &Standing<'_, 's>) -> LineTiers<'s> {
    let mut by_day: Vec<usize> = (0..standing.counted.len()).collect();
    by_day.sort_by_key(|index| standing.counted[*index].rule);
    let mut tiers = LineTiers { of_line: vec![None; by_day.len()], ..LineTiers::default() };
    let mut stands = standing.opening.clone();
    // a first day with lines ends with them; without, it ends as the cycle opens
    let quiet_first_day =
        by_day.first().is_none_or(|index| standing.counted[*index].rule > standing.first_day);
    let mut best = if quiet_first_day { reached(standing.scheme, &stands) } else { None };
    for day in by_day.chunk_by(|a, b| standing.counted[*a].rule == standing.counted[*b].rule) {
        for index in day {
            stands += &standing.counted[*index].weight;
        }
        best = best.max(reached(standing.scheme, &stands));
        let tier = numbered(&mut tiers.names, name(standing.scheme, best));
        for index in day {
            tiers.of_line[*index] = tier;
        }
    }
    tiers.applied = name(standing.scheme, best);
    tiers
}

fn numbered<'s>(names: &mut Vec<&'s str>, name: &'s str) -> Option<u16> {
    if name.is_empty() {
        return None;
    }
    let known = names.iter().position(|one| *one == name);
    let index = known.unwrap_or_else(|| {
        names.push(name);
        names.len() - 1
    });
    u16::try_from(index).ok()
}
