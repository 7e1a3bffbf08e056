//! Exact fractions: the only arithmetic that evaluation uses (law: exactness).
//!
//! Small ones are `i128 / i128`, not reduced until they have to be; what does not fit even then is carried
//! as big integers. Nothing is ever cut. Equal as values, however they are written.

mod ops;
mod show;

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{Signed, ToPrimitive, Zero};
use rust_decimal::Decimal;
use std::cmp::Ordering;
use std::num::NonZero;

/// An exact rational number.
#[derive(Debug, Clone)]
pub struct Frac(Repr);

/// `den` is above zero, which leaves its zero to tell that it is `Big`: a line has five of these. `Big` only where the reduced fraction does not fit `Small`.
#[derive(Debug, Clone)]
enum Repr {
    Small { num: i128, den: NonZero<i128> },
    Big(Box<BigRational>),
}

/// The denominator of whole numbers.
const WHOLE: NonZero<i128> = NonZero::<i128>::new(1).expect("it is not zero");

/// The powers of ten that a decimal's scale can name.
const TENS: [i128; Decimal::MAX_SCALE as usize + 1] = {
    let mut tens = [1; Decimal::MAX_SCALE as usize + 1];
    let mut power = 1;
    while power < tens.len() {
        tens[power] = tens[power - 1] * 10;
        power += 1;
    }
    tens
};

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

impl Frac {
    /// 0
    pub const ZERO: Frac = Frac(Repr::Small { num: 0, den: WHOLE });
    /// 1
    pub const ONE: Frac = Frac(Repr::Small { num: 1, den: WHOLE });

    /// `num / den`; `None` where `den` is zero.
    pub fn ratio(num: i128, den: i128) -> Option<Frac> {
        match den.cmp(&0) {
            Ordering::Greater => Some(Frac::of(num, den)),
            Ordering::Less => Some(Frac::from_big(BigRational::new(num.into(), den.into()))),
            Ordering::Equal => None,
        }
    }

    /// Below zero, zero or above it.
    pub fn sign(&self) -> Ordering {
        match &self.0 {
            Repr::Small { num, .. } => num.cmp(&0),
            Repr::Big(big) => big.numer().cmp(&BigInt::zero()),
        }
    }

    /// Whether it is zero.
    pub fn is_zero(&self) -> bool {
        self.sign().is_eq()
    }

    /// Its magnitude.
    pub fn abs(&self) -> Frac {
        if self.sign().is_lt() { -self } else { self.clone() }
    }

    /// `self / divisor`; `None` where the divisor is zero.
    pub fn over(&self, divisor: &Frac) -> Option<Frac> {
        if divisor.is_zero() { None } else { Some(self * &divisor.inverse()) }
    }

    /// The largest whole number that is not above it.
    pub fn floor(&self) -> Frac {
        match &self.0 {
            Repr::Small { num, den } => Frac::of(num.div_euclid(den.get()), 1),
            Repr::Big(big) => Frac::from_big(big.floor()),
        }
    }

    /// Rounded to `decimals` decimal places (evaluation.md 3, step 11), as how many units of `10^-decimals` it is;
    /// `None` where that does not fit.
    pub fn units(&self, decimals: u32, rounding: Rounding) -> Option<i128> {
        if let Repr::Small { num, den } = &self.0
            && let Some(scaled) = 10i128.checked_pow(decimals).and_then(|scale| ops::times(*num, scale))
            && scaled != i128::MIN
        {
            return Some(quotient(scaled, den.get(), rounding));
        }
        self.units_big(decimals, rounding).to_i128()
    }

    /// Rounded to `decimals` decimal places, by magnitude.
    pub fn rounded(&self, decimals: u32, rounding: Rounding) -> Frac {
        match (self.units(decimals, rounding), 10i128.checked_pow(decimals)) {
            (Some(num), Some(den)) => Frac::of(num, den),
            _ => {
                let units = self.units_big(decimals, rounding);
                Frac::from_big(BigRational::new(units, BigInt::from(10).pow(decimals)))
            }
        }
    }

    /// As a decimal, where it is one of at most 28 digits.
    pub fn to_decimal(&self) -> Option<Decimal> {
        let decimals = self.finite_decimals().filter(|decimals| *decimals <= Decimal::MAX_SCALE)?;
        let units = self.units(decimals, Rounding::Floor)?;
        Decimal::try_from_i128_with_scale(units, decimals).ok()
    }

    /// Rounded to a decimal of `decimals` places; `None` where that has more than 28 digits.
    pub fn to_decimal_rounded(&self, decimals: u32, rounding: Rounding) -> Option<Decimal> {
        let units = self.units(decimals, rounding)?;
        Decimal::try_from_i128_with_scale(units, decimals).ok()
    }

    /// The same value in lowest terms: worth it once, before it multiplies many.
    pub fn reduced(self) -> Frac {
        match self.0 {
            Repr::Small { num, den } => {
                let (num, den) = ops::reduced(num, den.get());
                Frac::of(num, den)
            }
            Repr::Big(_) => self,
        }
    }

    /// All of them as numerators over one denominator; `None` where that does not fit `i128`.
    pub fn over_one_denominator<'f>(
        fractions: impl Iterator<Item = &'f Frac> + Clone,
    ) -> Option<(Vec<i128>, i128)> {
        let mut common = 1;
        for one in fractions.clone() {
            common = ops::least_common(common, one.small()?.1)?;
        }
        let mut numerators = Vec::with_capacity(fractions.size_hint().0);
        for one in fractions {
            let (num, den) = one.small()?;
            numerators.push(if den == common { num } else { ops::times(num, common / den)? });
        }
        Some((numerators, common))
    }

    /// `den` is above zero.
    #[inline]
    fn of(num: i128, den: i128) -> Frac {
        Frac(Repr::Small { num, den: NonZero::new(den).unwrap_or(WHOLE) })
    }

    #[inline]
    fn small(&self) -> Option<(i128, i128)> {
        match &self.0 {
            Repr::Small { num, den } => Some((*num, den.get())),
            Repr::Big(_) => None,
        }
    }

    fn units_big(&self, decimals: u32, rounding: Rounding) -> BigInt {
        let scaled = self.to_big() * BigRational::from_integer(BigInt::from(10).pow(decimals));
        let (num, den) = (scaled.numer().abs(), scaled.denom());
        let (whole, rest) = (&num / den, &num % den);
        let against_half = (&rest * 2u8).cmp(den);
        let odd = whole.bit(0);
        let magnitude =
            if rounds_up(rounding, rest.is_zero(), against_half, odd) { whole + 1 } else { whole };
        if scaled.is_negative() { -magnitude } else { magnitude }
    }

    fn to_big(&self) -> BigRational {
        match &self.0 {
            Repr::Small { num, den } => BigRational::new((*num).into(), den.get().into()),
            Repr::Big(big) => big.as_ref().clone(),
        }
    }

    fn from_big(big: BigRational) -> Frac {
        match (big.numer().to_i128(), big.denom().to_i128()) {
            (Some(num), Some(den)) => Frac::of(num, den),
            _ => Frac(Repr::Big(Box::new(big))),
        }
    }

    fn inverse(&self) -> Frac {
        match &self.0 {
            Repr::Small { num, den } if *num > 0 => Frac::of(den.get(), *num),
            Repr::Small { num, den } if *num != i128::MIN => Frac::of(-den.get(), -num),
            Repr::Small { .. } | Repr::Big(_) => Frac::from_big(self.to_big().recip()),
        }
    }
}

/// `num / den` rounded to a whole number by magnitude; `num` is not `i128::MIN`.
fn quotient(num: i128, den: i128, rounding: Rounding) -> i128 {
    let (whole, rest) = (num / den, (num % den).abs());
    let up = rounds_up(rounding, rest == 0, rest.cmp(&(den - rest)), whole % 2 != 0);
    if up { whole + num.signum() } else { whole }
}

fn rounds_up(rounding: Rounding, exact: bool, against_half: Ordering, odd: bool) -> bool {
    match rounding {
        Rounding::Floor => false,
        Rounding::Ceiling => !exact,
        Rounding::HalfUp => against_half.is_ge(),
        Rounding::HalfEven => against_half.is_gt() || (against_half.is_eq() && odd),
    }
}

impl Default for Frac {
    fn default() -> Self {
        Frac::ZERO
    }
}

impl From<Decimal> for Frac {
    fn from(value: Decimal) -> Self {
        Frac::of(value.mantissa(), TENS[value.scale() as usize])
    }
}

impl From<i64> for Frac {
    fn from(value: i64) -> Self {
        Frac::of(value.into(), 1)
    }
}

impl From<i128> for Frac {
    fn from(value: i128) -> Self {
        Frac::of(value, 1)
    }
}

#[cfg(test)]
mod tests;
