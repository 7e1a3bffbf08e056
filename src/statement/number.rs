//! Numbers as published files show them: plain digits, never grouped, no exponent. See the table in [`super`].
//!
//! Written by hand, since two million rows have four numbers each: no `format!`, no allocation, machine integers where they fit.

use crate::domain::frac::{Frac, Rounding};
use crate::domain::points::Points;
use rust_decimal::Decimal;

/// Most decimals of a number that is worked out; beyond it is shown rounded half-even.
pub const MOST: u32 = 6;

/// `10^MOST`
const MILLION: i128 = 1_000_000;

/// `00` to `99`.
pub(super) const PAIRS: [[u8; 2]; 100] = pairs();

const fn pairs() -> [[u8; 2]; 100] {
    let mut table = [[b'0'; 2]; 100];
    let mut value = 0;
    while value < 100 {
        table[value] = [b'0' + (value / 10) as u8, b'0' + (value % 10) as u8];
        value += 1;
    }
    table
}

/// A count or a number: `42`.
#[inline]
pub fn unsigned(out: &mut Vec<u8>, value: u64) {
    let mut digits = Digits::new();
    digits.put(value);
    out.extend_from_slice(digits.get());
}

/// A whole number: `-42`.
#[inline]
pub fn integer(out: &mut Vec<u8>, value: i64) {
    if value < 0 {
        out.push(b'-');
    }
    unsigned(out, value.unsigned_abs());
}

/// A number that a file or a scheme said: every digit that counts, with at least `least` decimals.
#[inline]
pub fn decimal(out: &mut Vec<u8>, value: Decimal, least: u32) {
    scaled(out, value.is_sign_negative(), value.mantissa().unsigned_abs(), value.scale(), least);
}

/// Points of the ledger or of a line: with at least `least` decimals, more only where the value has more.
#[inline]
pub fn points(out: &mut Vec<u8>, value: Points, least: u32) {
    if value.0 % Points::UNIT == 0 {
        integer(out, value.0 / Points::UNIT);
        zeros(out, least);
    } else {
        scaled(out, value.0 < 0, u128::from(value.0.unsigned_abs()), 6, least);
    }
}

/// A number that was worked out: at least `least` decimals; exact up to [`MOST`], else rounded half-even there and shown with
/// all of them, zeros too. The same digits as [`Frac::to_short`], without its allocations.
pub fn frac(out: &mut Vec<u8>, value: &Frac, least: u32) {
    match value.units(MOST, Rounding::HalfEven) {
        Some(units) => {
            let exact = Frac::ratio(units, MILLION).is_some_and(|shown| shown == *value);
            let least = if exact { least } else { least.max(MOST) };
            scaled(out, units < 0, units.unsigned_abs(), MOST, least);
        }
        None => out.extend_from_slice(value.to_short(least, MOST).as_bytes()),
    }
}

/// `magnitude / 10^scale`, with at least `least` decimals and no zeros after them. Zero has no sign.
#[inline]
fn scaled(out: &mut Vec<u8>, negative: bool, magnitude: u128, scale: u32, least: u32) {
    if negative && magnitude != 0 {
        out.push(b'-');
    }
    let mut digits = Digits::new();
    match (u64::try_from(magnitude), scale, least) {
        (Ok(small), 0, 0) => return unsigned(out, small),
        (Ok(small), 2, 2) => {
            digits.pair(small % 100);
            digits.mark();
            digits.put(small / 100);
            return out.extend_from_slice(digits.get());
        }
        (Ok(small), ..) => digits.put(small),
        (Err(_), ..) => digits.put_wide(magnitude),
    }
    let scale = scale as usize;
    digits.pad_to(scale + 1);
    let (whole, fraction) = digits.get().split_at(digits.get().len() - scale);
    out.extend_from_slice(whole);
    fraction_digits(out, fraction, least);
}

/// The mark and the decimals, if there are any to show.
#[inline]
fn fraction_digits(out: &mut Vec<u8>, fraction: &[u8], least: u32) {
    let least = least as usize;
    let mut shown = fraction;
    while shown.len() > least {
        match shown.split_last() {
            Some((b'0', before)) => shown = before,
            Some(_) | None => break,
        }
    }
    if !shown.is_empty() {
        out.push(b'.');
        out.extend_from_slice(shown);
        out.extend(std::iter::repeat_n(b'0', least.saturating_sub(shown.len())));
    } else {
        zeros(out, u32::try_from(least).unwrap_or(0));
    }
}

/// The decimals of a whole number.
#[inline]
fn zeros(out: &mut Vec<u8>, least: u32) {
    if least > 0 {
        out.push(b'.');
        out.extend(std::iter::repeat_n(b'0', least as usize));
    }
}

/// Digits, filled from the end. Wide enough for any `u128` and for 28 decimals with a zero before them.
struct Digits {
    bytes: [u8; 40],
    start: usize,
}

impl Digits {
    #[inline]
    fn new() -> Digits {
        Digits { bytes: [b'0'; 40], start: 40 }
    }

    #[inline]
    fn get(&self) -> &[u8] {
        &self.bytes[self.start..]
    }

    #[inline]
    fn put(&mut self, mut value: u64) {
        while value >= 100 {
            self.pair(value % 100);
            value /= 100;
        }
        if value >= 10 {
            self.pair(value);
        } else {
            self.start -= 1;
            self.bytes[self.start] = b'0' + value as u8;
        }
    }

    #[inline]
    fn pair(&mut self, value: u64) {
        self.start -= 2;
        self.bytes[self.start..self.start + 2].copy_from_slice(&PAIRS[value as usize]);
    }

    #[inline]
    fn mark(&mut self) {
        self.start -= 1;
        self.bytes[self.start] = b'.';
    }

    #[cold]
    fn put_wide(&mut self, mut value: u128) {
        while let Err(_wide) = u64::try_from(value) {
            // two digits at a time leave the rest to machine integers
            self.pair((value % 100) as u64);
            value /= 100;
        }
        self.put(value as u64);
    }

    #[inline]
    fn pad_to(&mut self, length: usize) {
        // the bytes before are zeros already
        self.start = self.start.min(self.bytes.len().saturating_sub(length));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::str::FromStr;

    fn shown(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    fn fraction(numerator: i128, denominator: i128, least: u32) -> String {
        shown(|out| frac(out, &Frac::ratio(numerator, denominator).unwrap(), least))
    }

    #[test]
    fn decimals_keep_what_counts() {
        for (value, least, text) in [
            ("100", 2, "100.00"),
            ("100.000", 2, "100.00"),
            ("100.0010", 2, "100.001"),
            ("-0.5", 2, "-0.50"),
            ("-0.00", 2, "0.00"),
            ("3.000", 0, "3"),
            ("0.05", 0, "0.05"),
            ("0", 0, "0"),
            ("120", 0, "120"),
            ("79228162514264337593543950335", 2, "79228162514264337593543950335.00"),
            ("-0.0000000000000000000000000001", 0, "-0.0000000000000000000000000001"),
            ("7.9228162514264337593543950335", 0, "7.9228162514264337593543950335"),
        ] {
            let value = Decimal::from_str(value).unwrap();
            assert_eq!(shown(|out| decimal(out, value, least)), text);
        }
    }

    #[test]
    fn points_have_the_schemes_decimals_or_more() {
        for (millionths, least, text) in [
            (1_000_000_000, 0, "1000"),
            (1_000_000_000, 2, "1000.00"),
            (-880_000_000, 0, "-880"),
            (-500_000, 0, "-0.5"),
            (1_500_000, 2, "1.50"),
            (1, 0, "0.000001"),
            (0, 0, "0"),
            (0, 3, "0.000"),
            (i64::MIN, 0, "-9223372036854.775808"),
        ] {
            assert_eq!(shown(|out| points(out, Points(millionths), least)), text);
        }
    }

    #[test]
    fn fractions_are_exact_to_six_decimals_and_rounded_half_even_beyond() {
        for (numerator, denominator, least, text) in [
            (1, 3, 0, "0.333333"),
            (2, 3, 0, "0.666667"),
            (-2, 3, 0, "-0.666667"),
            (1, 4, 0, "0.25"),
            (1, 4, 3, "0.250"),
            (1, 64, 0, "0.015625"),
            (1, 128, 0, "0.007812"),
            (3, 128, 0, "0.023438"),
            (1, 10_000_000, 0, "0.000000"),
            (-1, 10_000_000, 2, "0.000000"),
            (5, 10_000_000, 0, "0.000000"),
            (15, 10_000_000, 0, "0.000002"),
            (7, 1, 2, "7.00"),
            (i128::MAX, 1, 0, "170141183460469231731687303715884105727"),
            (i128::MIN, 3, 0, "-56713727820156410577229101238628035242.666667"),
            (1, i128::MAX, 0, "0.000000"),
            (20, 10, 0, "2"),
            (20_000_001, 10_000_000, 0, "2.000000"),
        ] {
            assert_eq!(fraction(numerator, denominator, least), text, "{numerator}/{denominator}");
        }
    }

    proptest! {
        #[test]
        fn fractions_of_any_size_are_written_alike(n in any::<i64>(), d in 1i64..2_000_000, least in 0u32..7) {
            let value = Frac::ratio(n.into(), d.into()).unwrap();
            prop_assert_eq!(shown(|out| frac(out, &value, least)), value.to_short(least, MOST));
        }

        #[test]
        fn decimals_read_back(mantissa in any::<i64>(), scale in 0u32..28, least in 0u32..7) {
            let value = Decimal::new(mantissa, scale);
            let text = shown(|out| decimal(out, value, least));
            prop_assert_eq!(Decimal::from_str(&text).unwrap(), value);
            let decimals = text.split_once('.').map_or(0, |(_, fraction)| fraction.len());
            prop_assert!(decimals >= least as usize);
            prop_assert!(decimals == least as usize || !text.ends_with('0'));
        }

        #[test]
        fn integers_are_plain(value in any::<i64>()) {
            prop_assert_eq!(shown(|out| integer(out, value)), value.to_string());
        }
    }
}
