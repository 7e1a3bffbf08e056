//! The file as typed -> a [`Scheme`] as meant, or every fault at once. One file for each part of interfaces.md 4.
//!
//! Faults of one value (a wrong type, an unknown word) are found while reading; faults between values (a gap, an
//! unknown tier, something missing) only count where the file is TOML at all: in a broken one they would be echoes.

mod earn;
mod head;
mod points;
mod slabs;
mod syntax;
#[cfg(test)]
mod tests;
mod tiers;

pub(super) use tiers::Known;

use super::reader::{At, Section, Sink};
use super::{Scheme, canonical, example, lint};
use crate::fault::{Fault, Faults};
use std::ops::Range;
use toml::de::DeTable;

/// Where the parts of a scheme stand that a lint speaks of.
#[derive(Debug, Clone, Default)]
pub(super) struct Marks {
    /// of each slab: its header
    pub(super) slabs: Vec<Range<usize>>,
    /// of each multiplier: its header
    pub(super) multipliers: Vec<Range<usize>>,
}

/// Reads, checks and lints a scheme file. The warnings are in order of position.
pub(super) fn scheme(path: &str, text: &str) -> Result<(Scheme, Vec<Fault>), Faults> {
    let (scheme, marks) = read(path, text)?;
    let mut warned =
        Faults { path: path.to_owned(), text: text.to_owned(), faults: lint::file(&scheme, &marks) };
    warned.sort();
    Ok((scheme, warned.faults))
}

/// Reads and checks a scheme file.
pub(super) fn read(path: &str, text: &str) -> Result<(Scheme, Marks), Faults> {
    let (document, broken) = DeTable::parse_recoverable(text);
    let mut out = Sink::new(text);
    let read = sections(path, &mut Section::root(document.get_ref()), &mut out);
    let faults = if broken.is_empty() { out.all() } else { syntax::with_others(text, &broken, out.local()) };
    match read {
        Some(read) if faults.is_empty() => Ok(read),
        Some(_) | None => {
            let mut faults = Faults { path: path.to_owned(), text: text.to_owned(), faults };
            if faults.faults.is_empty() {
                faults
                    .faults
                    .push(Fault::missing("the scheme is not complete", "compare it with interfaces.md 4"));
            }
            faults.sort();
            shorten(&mut faults.faults);
            Err(faults)
        }
    }
}

/// Most faults that are told of one file: what has more is no scheme file at all.
const MOST_FAULTS: usize = 100;

fn shorten(faults: &mut Vec<Fault>) {
    let more = faults.len().saturating_sub(MOST_FAULTS);
    if more > 0 {
        faults.truncate(MOST_FAULTS);
        faults.push(Fault::missing(format!("{more} more faults are not shown"), "mend these first"));
    }
}

fn sections(path: &str, root: &mut Section<'_>, out: &mut Sink<'_>) -> Option<(Scheme, Marks)> {
    let head = head::scheme(root, out);
    let cycle = head::cycle(root, out);
    let earn = earn::earn(root, out);
    let slabs = slabs::slabs(root, out);
    let ladder = tiers::ladder(root, out);
    let tiers = tiers::known(&slabs, &ladder, out);
    let multipliers = points::multipliers(root, &tiers, out);
    let bonuses = tiers::bonuses(root, &tiers, out);
    let tier = tiers::tier(root, &ladder, out);
    let (cap_per_cycle, cap_within) = points::caps(root, out);
    let limit_accrual = points::limits(root, out);
    points::referral(root, out);
    let points = points::points(root, out);
    let calendar = cycle.as_ref().map(|cycle| cycle.calendar);
    let examples = example::examples(root, calendar, earn.measure, &tiers, out);
    root.finish(out);

    let (head, cycle, mode) = (head?, cycle?, slabs.mode?);
    let marks = Marks { slabs: slabs.marks(), multipliers: multipliers.marks };
    let mut scheme = Scheme {
        id: head.id,
        name: head.name,
        company: head.company,
        currency: head.currency,
        timezone: head.timezone,
        starts: head.starts,
        ends: head.ends,
        calendar: cycle.calendar,
        day_closes_at: cycle.day_closes_at,
        post: cycle.post,
        grace_days: cycle.grace_days,
        wait_for_files: cycle.wait_for_files,
        lock_after_days: cycle.lock_after_days,
        earn,
        slabs: slabs.resolved()?,
        slab_mode: mode,
        stacking: multipliers.stacking,
        multipliers: multipliers.list,
        tier_bonuses: bonuses,
        ladder: ladder.levels,
        measured_over: tier.measured_over,
        applies: tier.applies,
        cap_per_cycle,
        cap_within,
        limit_accrual,
        rounding: points.rounding,
        round_at: points.round_at,
        decimals: points.decimals,
        value: points.value,
        expire_after_months: None,
        examples,
        version: String::new(),
        path: path.to_owned(),
    };
    scheme.version = canonical::version(&scheme);
    Some((scheme, marks))
}

/// Something that interfaces.md 4 names and a later release brings.
fn not_yet(what: &str, place: &Range<usize>, out: &mut Sink<'_>) {
    let help = "remove it: this release cannot do it, and will not ignore it";
    out.error(place, format!("not yet supported: {what}"), "not yet supported", help);
}

fn plain<T>(value: Option<At<T>>) -> Option<T> {
    value.map(|at| at.value)
}
