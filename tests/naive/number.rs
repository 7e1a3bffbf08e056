//! Exact fractions: reading them from files and schemes, and the one place where they are rounded.

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{One, Signed, Zero};

/// Every number of the naive evaluator.
pub type Frac = BigRational;

pub fn int(n: i64) -> Frac {
    Frac::from_integer(BigInt::from(n))
}

/// A plain decimal: an optional sign, digits, and perhaps a point and digits.
pub fn plain(text: &str) -> Option<Frac> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.is_empty() || !format!("{whole}{part}").bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    if digits.ends_with('.') {
        return None;
    }
    let numerator: BigInt = format!("{whole}{part}").parse().ok()?;
    let value = Frac::new(numerator, BigInt::from(10).pow(part.len() as u32));
    Some(if negative { -value } else { value })
}

/// A number as a file writes it: the feed's decimal mark, and groups of digits by the other mark.
pub fn in_file(text: &str, mark: char) -> Option<Frac> {
    let group = if mark == ',' { '.' } else { ',' };
    let (whole, part) = match text.split_once(mark) {
        Some((whole, part)) => (whole, Some(part)),
        None => (text, None),
    };
    let groups: Vec<&str> = whole.trim_start_matches(['-', '+']).split(group).collect();
    let last = groups.len() - 1;
    let grouped_well = groups.iter().enumerate().all(|(i, g)| match (i, last) {
        (_, 0) => true,
        (0, _) => (1..=3).contains(&g.len()),
        (i, last) if i == last => g.len() == 3,
        _ => g.len() == 2 || g.len() == 3,
    });
    if !grouped_well {
        return None;
    }
    let bare: String = whole.chars().filter(|c| *c != group).collect();
    plain(&match part {
        Some(part) => format!("{bare}.{part}"),
        None => bare,
    })
}

/// A number as a scheme writes it: `500000`, `"0.5"`, `"5 lakh"`, `"1.5 crore"`, `"250k"`, `"2 million"`.
pub fn in_scheme(value: &toml::Value) -> Frac {
    if let Some(n) = value.as_integer() {
        return int(n);
    }
    let text = value.as_str().expect("a number in a scheme is an integer or quoted").trim();
    let words = [("lakh", 100_000), ("crore", 10_000_000), ("million", 1_000_000), ("k", 1000)];
    for (word, times) in words {
        if let Some(rest) = text.strip_suffix(word) {
            return plain(rest.trim()).expect("a decimal before its word") * int(times);
        }
    }
    plain(text).expect("a decimal")
}

/// `"20%"` is one fifth.
pub fn percent(text: &str) -> Frac {
    plain(text.trim().strip_suffix('%').expect("a percentage").trim()).expect("a decimal") / int(100)
}

/// evaluation.md 3: rounding is of the magnitude, and the sign is kept.
pub fn round(x: &Frac, how: &str, decimals: u32) -> Frac {
    let unit = Frac::from_integer(BigInt::from(10).pow(decimals));
    let scaled = x.abs() * &unit;
    let below = scaled.floor();
    let over = &scaled - &below;
    let half = Frac::new(BigInt::one(), BigInt::from(2));
    let up = match how {
        "floor" => false,
        "ceiling" => !over.is_zero(),
        "half-up" => over >= half,
        "half-even" => over > half || (over == half && (below.to_integer() % 2_u8).is_one()),
        other => panic!("no rounding is called {other}"),
    };
    let magnitude = (if up { below + Frac::one() } else { below }) / unit;
    if x.is_negative() { -magnitude } else { magnitude }
}

/// A fraction that is a decimal, plainly, without trailing zeros; another one as `n/d`.
pub fn show(x: &Frac) -> String {
    for places in 0..40_u32 {
        let scaled = x * Frac::from_integer(BigInt::from(10).pow(places));
        if scaled.is_integer() {
            let digits = scaled.to_integer().abs().to_string();
            let digits = format!("{digits:0>width$}", width = places as usize + 1);
            let (whole, part) = digits.split_at(digits.len() - places as usize);
            let sign = if x.is_negative() { "-" } else { "" };
            let point = if places > 0 { "." } else { "" };
            return format!("{sign}{whole}{point}{part}");
        }
    }
    x.to_string()
}
