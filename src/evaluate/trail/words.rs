//! Numbers and rates as a person writes them.

use crate::domain::frac::{Frac, Rounding};
use crate::scheme::Rate;
use rust_decimal::Decimal;

/// More decimals than this are shown as a fraction.
const DECIMALS: u32 = 12;

/// Exact: digits with at least `least` decimals, `900,000.00`; a number that few decimals cannot say as a fraction with about
/// what it is, `20/3 (about 6.6667)`.
pub(super) fn exact(value: &Frac, least: u32) -> String {
    match value.finite_decimals().filter(|decimals| *decimals <= DECIMALS) {
        Some(decimals) => grouped(&value.to_plain(decimals.max(least), Rounding::Floor)),
        None => {
            let about = grouped(&value.to_plain(4, Rounding::HalfEven));
            format!("{} (about {about})", value.to_ratio())
        }
    }
}

/// A number that is surely a decimal.
pub(super) fn number(value: Decimal) -> String {
    grouped(&value.normalize().to_string())
}

/// `0.2%`, `5 per 10`, `5 per full 10`.
pub(super) fn rate(rate: Option<Rate>) -> String {
    match rate {
        None => "0%".to_string(),
        Some(Rate::Proportion { points, per }) if per == Decimal::ONE_HUNDRED => {
            format!("{}%", number(points))
        }
        Some(Rate::Proportion { points, per }) => format!("{} per {}", number(points), number(per)),
        Some(Rate::PerFull { points, per }) => format!("{} per full {}", number(points), number(per)),
    }
}

/// What is multiplied by what: `900,000.00 x 0.3%`, `99.99 / 10 x 5`, `floor(99.99 / 10) x 5`.
pub(super) fn times_rate(of: &str, at: Option<Rate>) -> String {
    match at {
        Some(Rate::Proportion { points, per }) if per != Decimal::ONE_HUNDRED => {
            format!("{of} / {} x {}", number(per), number(points))
        }
        Some(Rate::PerFull { points, per }) => format!("floor({of} / {}) x {}", number(per), number(points)),
        None | Some(Rate::Proportion { .. }) => format!("{of} x {}", rate(at)),
    }
}

/// `1 line`, `3 lines`.
pub(super) fn counted(lines: usize) -> String {
    if lines == 1 { "1 line".to_string() } else { format!("{lines} lines") }
}

/// `a + b - c`: a term below zero is taken away.
pub(super) fn sum_of(terms: &[String]) -> String {
    let mut text = String::new();
    for term in terms {
        match (text.is_empty(), term.strip_prefix('-')) {
            (true, _) => text.push_str(term),
            (false, Some(magnitude)) => text.push_str(&format!(" - {magnitude}")),
            (false, None) => text.push_str(&format!(" + {term}")),
        }
    }
    text
}

/// Groups of three: `-1234567.5` is `-1,234,567.5`.
fn grouped(plain: &str) -> String {
    let (sign, digits) = plain.strip_prefix('-').map_or(("", plain), |digits| ("-", digits));
    let (whole, part) = digits.split_once('.').map_or((digits, None), |(whole, part)| (whole, Some(part)));
    let mut text = String::from(sign);
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    if let Some(part) = part {
        text.push('.');
        text.push_str(part);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_for_people() {
        assert_eq!(grouped("1234567.5"), "1,234,567.5");
        assert_eq!(grouped("-123456"), "-123,456");
        assert_eq!(grouped("0.0001"), "0.0001");
        let third = Frac::ratio(20, 3).expect("a denominator");
        assert_eq!(exact(&third, 0), "20/3 (about 6.6667)");
        assert_eq!(exact(&Frac::from(900_000i64), 2), "900,000.00");
        assert_eq!(
            exact(&Frac::ratio(1, 10_000_000_000_000).expect("a denominator"), 0),
            "1/10000000000000 (about 0.0000)"
        );
        assert_eq!(sum_of(&["1".into(), "-2".into(), "3".into()]), "1 - 2 + 3");
        assert_eq!(counted(1), "1 line");
    }
}
