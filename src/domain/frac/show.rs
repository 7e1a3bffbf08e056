//! Fractions in digits. Nothing here feeds arithmetic.

use super::{Frac, Repr, Rounding, ops};
use num_bigint::BigInt;
use num_traits::{One, Signed, Zero};
use std::fmt;

impl Frac {
    /// Plain digits with exactly `decimals` places, rounded by magnitude: `-1234.50`. Never `-0`.
    pub fn to_plain(&self, decimals: u32, rounding: Rounding) -> String {
        let units = match self.units(decimals, rounding) {
            Some(units) => {
                return with_point(units.unsigned_abs().to_string(), units < 0, decimals);
            }
            None => self.units_big(decimals, rounding),
        };
        with_point(units.abs().to_string(), units.is_negative(), decimals)
    }

    /// Plain digits for people: exact where it is a decimal with at least `least` and at most `most` places, else rounded
    /// (half-even) to `most` of them.
    pub fn to_short(&self, least: u32, most: u32) -> String {
        let decimals = self.finite_decimals().unwrap_or(most).clamp(least.min(most), most);
        self.to_plain(decimals, Rounding::HalfEven)
    }

    /// In lowest terms: `20/3`.
    pub fn to_ratio(&self) -> String {
        let big = self.to_big();
        format!("{}/{}", big.numer(), big.denom())
    }

    /// How many decimal places it takes to write it exactly; `None` where no number of them does.
    pub fn finite_decimals(&self) -> Option<u32> {
        match &self.0 {
            Repr::Small { num, den } => small_decimals(ops::reduced(*num, den.get()).1.unsigned_abs()),
            Repr::Big(_) => self.big_decimals(),
        }
    }

    pub(super) fn big_decimals(&self) -> Option<u32> {
        let mut rest = self.to_big().denom().clone();
        let mut count = |prime: u8| {
            let mut times = 0;
            while (&rest % prime).is_zero() {
                rest /= prime;
                times += 1;
            }
            times
        };
        let decimals = count(2u8).max(count(5u8));
        (rest == BigInt::one()).then_some(decimals)
    }
}

/// Decimal places of a fraction in lowest terms over `den`, which is above zero.
fn small_decimals(den: u128) -> Option<u32> {
    let twos = den.trailing_zeros();
    let mut rest = den >> twos;
    let mut fives = 0;
    while rest.is_multiple_of(5) {
        rest /= 5;
        fives += 1;
    }
    (rest == 1).then_some(twos.max(fives))
}

fn with_point(digits: String, negative: bool, decimals: u32) -> String {
    let places = decimals as usize;
    let digits = format!("{digits:0>width$}", width = places + 1);
    let (whole, part) = digits.split_at(digits.len() - places);
    let sign = if negative { "-" } else { "" };
    if places == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{part}") }
}

/// Exact: a plain decimal where it is one, else a reduced fraction: `1/3`.
impl fmt::Display for Frac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.finite_decimals() {
            Some(decimals) => f.write_str(&self.to_plain(decimals, Rounding::Floor)),
            None => f.write_str(&self.to_ratio()),
        }
    }
}
