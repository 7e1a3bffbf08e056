//! The trail in words.

use super::Position;
use crate::facts::settle::Line;
use crate::scheme::Scheme;

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
    Vec::new()
}
