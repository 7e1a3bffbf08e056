//! Adding, multiplying and comparing: first as the fractions are written, then reduced, then with big integers.

use super::{Frac, Repr};
use std::cmp::Ordering;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Mul, Neg, Sub, SubAssign};

/// `a * b` where it fits; quick where both fit 64 bits.
pub(super) fn times(a: i128, b: i128) -> Option<i128> {
    match (i64::try_from(a), i64::try_from(b)) {
        (Ok(a), Ok(b)) => Some(i128::from(a).wrapping_mul(i128::from(b))), // cannot wrap
        _ => a.checked_mul(b),
    }
}

/// Greatest common divisor of two magnitudes, at least 1.
fn gcd(a: i128, b: i128) -> i128 {
    let (mut a, mut b) = (a.unsigned_abs(), b.unsigned_abs());
    while b != 0 {
        if let (Ok(x), Ok(y)) = (u64::try_from(a), u64::try_from(b)) {
            return i128::from(gcd_64(x, y));
        }
        (a, b) = (b, a % b);
    }
    i128::try_from(a.max(1)).unwrap_or(1)
}

fn gcd_64(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a.max(1)
}

pub(super) fn reduced(num: i128, den: i128) -> (i128, i128) {
    let by = gcd(num, den);
    if by == 1 { (num, den) } else { (num / by, den / by) }
}

/// The least common multiple of two denominators, if it fits.
pub(super) fn least_common(a: i128, b: i128) -> Option<i128> {
    if a == b || a % b == 0 {
        return Some(a);
    }
    times(a / gcd(a, b), b)
}

fn add_small((a, b): (i128, i128), (c, d): (i128, i128)) -> Option<(i128, i128)> {
    if b == d {
        return Some((a.checked_add(c)?, b));
    }
    if b > d && b % d == 0 {
        return Some((a.checked_add(times(c, b / d)?)?, b));
    }
    if d > b && d % b == 0 {
        return Some((times(a, d / b)?.checked_add(c)?, d));
    }
    Some((times(a, d)?.checked_add(times(c, b)?)?, times(b, d)?))
}

/// With the least common denominator.
fn add_reduced(x: (i128, i128), y: (i128, i128)) -> Option<(i128, i128)> {
    let ((a, b), (c, d)) = (reduced(x.0, x.1), reduced(y.0, y.1));
    let by = gcd(b, d);
    let num = times(a, d / by)?.checked_add(times(c, b / by)?)?;
    Some((num, times(b, d / by)?))
}

fn mul_small((a, b): (i128, i128), (c, d): (i128, i128)) -> Option<(i128, i128)> {
    Some((times(a, c)?, times(b, d)?))
}

fn mul_reduced(x: (i128, i128), y: (i128, i128)) -> Option<(i128, i128)> {
    let ((a, d), (c, b)) = (reduced(x.0, y.1), reduced(y.0, x.1));
    let ((a, b), (c, d)) = (reduced(a, b), reduced(c, d));
    mul_small((a, b), (c, d))
}

impl Add<&Frac> for &Frac {
    type Output = Frac;
    fn add(self, other: &Frac) -> Frac {
        if let (Some((a, b)), Some((c, d))) = (self.small(), other.small()) {
            if a == 0 {
                return other.clone();
            }
            if c == 0 {
                return self.clone();
            }
            let (x, y) = ((a, b), (c, d));
            if let Some((num, den)) = add_small(x, y).or_else(|| add_reduced(x, y)) {
                return Frac::of(num, den);
            }
        }
        Frac::from_big(self.to_big() + other.to_big())
    }
}

impl Mul<&Frac> for &Frac {
    type Output = Frac;
    fn mul(self, other: &Frac) -> Frac {
        if let (Some((a, b)), Some((c, d))) = (self.small(), other.small()) {
            if a == 0 || c == 0 {
                return Frac::ZERO;
            }
            let (x, y) = ((a, b), (c, d));
            if let Some((num, den)) = mul_small(x, y).or_else(|| mul_reduced(x, y)) {
                return Frac::of(num, den);
            }
        }
        Frac::from_big(self.to_big() * other.to_big())
    }
}

impl Neg for &Frac {
    type Output = Frac;
    fn neg(self) -> Frac {
        match &self.0 {
            Repr::Small { num, den } if *num != i128::MIN => Frac(Repr::Small { num: -num, den: *den }),
            Repr::Small { .. } | Repr::Big(_) => Frac::from_big(-self.to_big()),
        }
    }
}

impl Sub<&Frac> for &Frac {
    type Output = Frac;
    fn sub(self, other: &Frac) -> Frac {
        self + &-other
    }
}

impl AddAssign<&Frac> for Frac {
    fn add_assign(&mut self, other: &Frac) {
        if let (Repr::Small { num: a, den: b }, Repr::Small { num: c, den: d }) = (&mut self.0, &other.0)
            && b == d
            && let Some(sum) = a.checked_add(*c)
        {
            *a = sum;
            return;
        }
        *self = &*self + other;
    }
}

impl SubAssign<&Frac> for Frac {
    fn sub_assign(&mut self, other: &Frac) {
        *self += &-other;
    }
}

impl<'f> Sum<&'f Frac> for Frac {
    fn sum<I: Iterator<Item = &'f Frac>>(fractions: I) -> Frac {
        fractions.fold(Frac::ZERO, |mut sum, one| {
            sum += one;
            sum
        })
    }
}

impl PartialEq for Frac {
    fn eq(&self, other: &Frac) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Frac {}

impl PartialOrd for Frac {
    fn partial_cmp(&self, other: &Frac) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Frac {
    fn cmp(&self, other: &Frac) -> Ordering {
        if let (Some((a, b)), Some((c, d))) = (self.small(), other.small()) {
            if b == d {
                return a.cmp(&c);
            }
            if let (Some(left), Some(right)) = (times(a, d), times(c, b)) {
                return left.cmp(&right);
            }
        }
        self.to_big().cmp(&other.to_big())
    }
}
