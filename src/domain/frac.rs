//! Exact fractions: the only arithmetic that evaluation uses (law: exactness).
//!
//! Small ones are `i128 / i128`; what does not fit is carried as big integers. Nothing is ever cut.

use rust_decimal::Decimal;

/// An exact rational number.
#[derive(Debug, Clone)]
pub struct Frac(());

/// How the magnitude is rounded; the sign is kept (evaluation.md 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rounding {
    /// towards zero
    Floor,
    /// halves away from zero
    HalfUp,
    /// halves to the even neighbour
    HalfEven,
    /// away from zero
    Ceiling,
}

impl From<Decimal> for Frac {
    fn from(_value: Decimal) -> Self {
        todo!()
    }
}
