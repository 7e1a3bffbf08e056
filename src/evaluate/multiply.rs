//! Multipliers: evaluation.md 3, step 6.

use crate::domain::frac::Frac;
use crate::scheme::{Glob, Multiplier, Scheme, Stacking, same_word};
use chrono::NaiveDate;

/// What a multiplier looks at.
#[derive(Debug)]
pub(super) struct Traits<'t> {
    pub sku: &'t str,
    pub category: &'t str,
    pub channel: &'t str,
    /// empty for none
    pub tier: &'t str,
    /// the date it has for every rule
    pub date: NaiveDate,
}

/// The factor of a line; `None` where no multiplier matches.
pub(super) fn factor(scheme: &Scheme, line: &Traits<'_>) -> Option<Frac> {
    let mut matching = scheme.multipliers.iter().filter(|one| matches(one, line)).map(|one| one.factor);
    match scheme.stacking {
        Stacking::Highest => matching.max().map(Frac::from),
        Stacking::Product => {
            let first = Frac::from(matching.next()?);
            Some(matching.fold(first, |product, factor| &product * &Frac::from(factor)))
        }
    }
}

/// Every condition that a multiplier names must hold.
fn matches(multiplier: &Multiplier, line: &Traits<'_>) -> bool {
    multiplier.from.is_none_or(|from| from <= line.date)
        && multiplier.to.is_none_or(|to| line.date <= to)
        && any_glob(&multiplier.skus, line.sku)
        && any_glob(&multiplier.categories, line.category)
        && (multiplier.channels.is_empty()
            || multiplier.channels.iter().any(|one| same_word(one, line.channel)))
        && (multiplier.tiers.is_empty() || multiplier.tiers.iter().any(|one| one == line.tier))
}

fn any_glob(globs: &[Glob], text: &str) -> bool {
    globs.is_empty() || globs.iter().any(|glob| glob.matches(text))
}
