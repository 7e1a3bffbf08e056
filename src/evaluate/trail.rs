//! The trail of a position in words: one step for each step of evaluation.md 3 that did something, with a sum that a person
//! can check on a calculator. Digits are grouped: it is for people, and nothing reads it back.

mod tale;
mod words;

use super::Position;
use crate::facts::settle::Line;
use crate::scheme::Scheme;
use tale::Tale;

/// One step of the arithmetic, for `accrued explain`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// the word of evaluation.md 3: `convert`, `measure`, `slab`, `base`, `fixed points`, `line points`, `multipliers`, `caps within`,
    /// `rounded lines`, `tier`, `tier bonus`, `sum`, `caps`, `round`, `limit`
    pub name: &'static str,
    /// the sum as a person would write it: `900,000.00 x 0.3%`
    pub working: String,
    /// its result
    pub result: String,
}

/// The trail of a position in words and numbers, step by step. `lines` are those it was worked out from.
pub fn trail(scheme: &Scheme, position: &Position, lines: &[Line<'_>]) -> Vec<Step> {
    let tale = Tale::new(scheme, position, lines);
    let steps = [
        tale.convert(),
        Some(tale.measure()),
        Some(tale.slab()),
        tale.base(),
        tale.fixed(),
        tale.line_points(),
        tale.multipliers(),
        tale.caps_within(),
        tale.rounded_lines(),
        tale.tier(),
        tale.bonus(),
        Some(tale.sum()),
        tale.caps(),
        Some(tale.round()),
        tale.limit(),
    ];
    steps.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests;
