//! Amounts and rates as managers write them: `5 lakh`, `1.5 crore`, `0.2%`, `5 per full 10`. Exact.
//!
//! Answers for: what text is an amount or a rate, and why another is not. Does not: know keys or places.

use super::Rate;
use crate::domain::decimal::{self, DecimalMark};
use rust_decimal::Decimal;

/// How the number under a key can be written, for helps.
pub(super) fn forms(key: &str) -> &'static str {
    match key {
        "factor" => "write 2 or \"1.5\"",
        "value" => "write \"0.25\"",
        "points" | "cap" | "per_cycle" | "per_invoice" | "per_sku" | "accrual" => {
            "write 1500, \"1,500\", \"1500.50\" or \"15k\""
        }
        _ => {
            "write 500000, \"500000.50\", \"5,00,000\", \"5 lakh\", \"1.5 crore\", \"250k\" or \"2 million\""
        }
    }
}

/// How a rate can be written, for helps.
pub(super) const RATE_FORMS: &str =
    "write \"0.2%\" (of the measure), \"5 per 10\", or \"5 per full 10\" (whole steps only)";

/// Words after a number and the power of ten they stand for.
const UNITS: [(&str, u32); 8] = [
    ("k", 3),
    ("thousand", 3),
    ("lakh", 5),
    ("lakhs", 5),
    ("million", 6),
    ("millions", 6),
    ("crore", 7),
    ("crores", 7),
];

/// Most significant digits of an amount.
const MOST_DIGITS: u32 = 28;

/// Reads an amount: a plain decimal, grouped or not, and a unit in any case. At most 28 significant digits.
/// The error is a clause: `` `laks` is no unit: did you mean `lakh`? ``.
pub(super) fn amount(text: &str) -> Result<Decimal, String> {
    let text = text.trim();
    let number_ends = text.find(char::is_alphabetic).unwrap_or(text.len());
    let (number, unit) = (text[..number_ends].trim_end(), text[number_ends..].trim());
    if !unit.is_empty() && number.is_empty() {
        return Err(format!("`{text}` has no number"));
    }
    let value = decimal::parse(number, DecimalMark::Point).map_err(|fault| fault.to_string())?;
    times_power_of_ten(value, power(unit)?).ok_or_else(|| format!("it has more than {MOST_DIGITS} digits"))
}

fn power(unit: &str) -> Result<u32, String> {
    if unit.is_empty() {
        return Ok(0);
    }
    if let Some((_, power)) = UNITS.iter().find(|(word, _)| word.eq_ignore_ascii_case(unit)) {
        return Ok(*power);
    }
    let words: Vec<&str> = UNITS.iter().map(|(word, _)| *word).collect();
    Err(match crate::fault::nearest(unit, &words) {
        Some(word) => format!("`{unit}` is no unit: did you mean `{word}`?"),
        None => format!("`{unit}` is no unit: the units are k, thousand, lakh, million and crore"),
    })
}

/// `value` times ten to the `power`, exactly, or `None` where it has too many digits.
fn times_power_of_ten(value: Decimal, power: u32) -> Option<Decimal> {
    let value = value.normalize();
    let scale = value.scale();
    let up = 10_i128.checked_pow(power.saturating_sub(scale))?;
    let mantissa = value.mantissa().checked_mul(up)?;
    if mantissa.unsigned_abs() >= 10_u128.pow(MOST_DIGITS) {
        return None;
    }
    Decimal::try_from_i128_with_scale(mantissa, scale.saturating_sub(power)).ok()
}

/// Reads a rate. The error is a clause, as of [`amount`].
pub(super) fn rate(text: &str) -> Result<Rate, String> {
    let text = text.trim();
    if let Some(number) = text.strip_suffix('%') {
        return Ok(Rate::Proportion {
            points: not_below_nothing(amount(number)?)?,
            per: Decimal::ONE_HUNDRED,
        });
    }
    let words: Vec<&str> = text.split_whitespace().collect();
    let Some(at) = words.iter().position(|word| word.eq_ignore_ascii_case("per")) else {
        return Err(format!("`{text}` says neither `%` nor `per`"));
    };
    let points = not_below_nothing(amount(&words[..at].join(" "))?)?;
    let rest = &words[at + 1..];
    match rest.first() {
        Some(word) if word.eq_ignore_ascii_case("full") => {
            Ok(Rate::PerFull { points, per: step(&rest[1..])? })
        }
        Some(_) | None => Ok(Rate::Proportion { points, per: step(rest)? }),
    }
}

/// Reads a share such as `20%`, in hundredths.
pub(super) fn percent(text: &str) -> Result<Decimal, String> {
    let Some(number) = text.trim().strip_suffix('%') else {
        return Err(format!("`{}` does not end in `%`", text.trim()));
    };
    not_below_nothing(amount(number)?)
}

fn step(words: &[&str]) -> Result<Decimal, String> {
    let per = amount(&words.join(" "))?;
    if per <= Decimal::ZERO {
        return Err(format!("a step of {per} leads nowhere: what comes after `per` is above 0"));
    }
    Ok(per)
}

fn not_below_nothing(value: Decimal) -> Result<Decimal, String> {
    if value < Decimal::ZERO {
        return Err(format!("{value} is below nothing"));
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::str::FromStr;

    fn dec(text: &str) -> Decimal {
        Decimal::from_str(text).expect("a number in a test")
    }

    #[test]
    fn amounts_as_people_write_them() {
        let cases = [
            ("5 lakh", "500000"),
            ("1.5 crore", "15000000"),
            ("250k", "250000"),
            ("250 K", "250000"),
            ("2 million", "2000000"),
            ("8 Lakhs", "800000"),
            ("5,00,000", "500000"),
            ("500,000.25", "500000.25"),
            (" 7 ", "7"),
            ("-3", "-3"),
            ("0.000001 crore", "10"),
            ("0.123456789 lakh", "12345.6789"),
        ];
        for (text, value) in cases {
            assert_eq!(amount(text), Ok(dec(value)), "{text}");
        }
    }

    #[test]
    fn what_is_no_amount_says_why() {
        for text in ["", "lakh", "1e3", "1_000", "5 lahk", "₹5", "5 lakh rupees", "1/3", "5 lakh 2"] {
            assert!(amount(text).is_err(), "{text}");
        }
        assert!(amount("5 lahk").unwrap_err().contains("did you mean `lakh`"));
        assert!(amount("9999999999999999999999999999 crore").unwrap_err().contains("28 digits"));
    }

    #[test]
    fn rates_in_their_three_forms() {
        let of = |points: &str, per: &str| Rate::Proportion { points: dec(points), per: dec(per) };
        assert_eq!(rate("0.2%"), Ok(of("0.2", "100")));
        assert_eq!(rate("0.2 %"), Ok(of("0.2", "100")));
        assert_eq!(rate("5 per 10"), Ok(of("5", "10")));
        assert_eq!(rate("1 Per 1 lakh"), Ok(of("1", "100000")));
        assert_eq!(rate("5 per full 10"), Ok(Rate::PerFull { points: dec("5"), per: dec("10") }));
        assert_eq!(rate("0%"), Ok(of("0", "100")));
    }

    #[test]
    fn what_is_no_rate_says_why() {
        for text in [
            "",
            "0.2",
            "%",
            "-1%",
            "5 per",
            "per 10",
            "5 per 0",
            "5 per -1",
            "5 per full",
            "5 each 10",
            "1%%",
        ] {
            assert!(rate(text).is_err(), "{text}");
        }
        assert!(percent("20").is_err());
        assert_eq!(percent("20%"), Ok(dec("20")));
    }
}
