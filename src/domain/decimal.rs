//! Plain decimals as files write them: strict, exact, never through a binary float.
//!
//! Answers for: what text is a number (interfaces.md 3), and why another is not. Does not: trim, know columns,
//! or round. `Decimal::from_str` is not used: it takes `1e3` and `1_000` and refuses `5,00,000`.

use rust_decimal::Decimal;

/// Which character separates the whole from the fraction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DecimalMark {
    /// `1234.50`; groups with `,`
    Point,
    /// `1234,50`; groups with `.`
    Comma,
}

impl DecimalMark {
    /// the mark itself
    pub fn mark(self) -> char {
        char::from(self.bytes().0)
    }

    /// what separates groups of digits
    pub fn group(self) -> char {
        char::from(self.bytes().1)
    }

    fn bytes(self) -> (u8, u8) {
        match self {
            DecimalMark::Point => (b'.', b','),
            DecimalMark::Comma => (b',', b'.'),
        }
    }
}

/// Why a cell is not a number. Displayed in a reject, so in the reader's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NumberFault {
    /// nothing in the cell
    Empty,
    /// a character that no plain decimal has there (a currency sign, a letter, an exponent, an underscore, a second mark)
    Character(char),
    /// digit groups that are neither `1,00,000` nor `100,000`
    Grouping,
    /// more than 28 significant digits
    TooLong,
}

impl std::fmt::Display for NumberFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            NumberFault::Empty => f.write_str("it is empty"),
            NumberFault::Character(found) => write!(f, "{} {}", shown(*found), advice(*found)),
            NumberFault::Grouping => f.write_str(
                "its digits are grouped neither as 1,00,000 nor as 100,000 (or the decimal mark is another)",
            ),
            NumberFault::TooLong => write!(f, "it has more than {MOST_DIGITS} significant digits"),
        }
    }
}

fn shown(found: char) -> String {
    match found {
        '\u{2212}' => "`−` (U+2212)".to_string(),
        found if found.is_control() || found.is_whitespace() => format!("U+{:04X}", u32::from(found)),
        found => format!("`{found}`"),
    }
}

fn advice(found: char) -> &'static str {
    match found {
        '₹' | '$' | '€' | '£' | '¥' => "is a currency sign: write the number alone",
        '\u{2010}'..='\u{2015}' | '\u{2212}' => "is not the minus sign `-`",
        '(' | ')' => "is no sign: write `-` before the number",
        'e' | 'E' => "is not digits: write the number without an exponent",
        _ => "has no place there in a plain number",
    }
}

/// Most significant digits of a number: what a `Decimal` surely holds.
const MOST_DIGITS: usize = 28;
/// As many digits fit a `u64`, whatever they are.
const FAST_DIGITS: usize = 19;

/// Reads a plain decimal: optional sign, digits, optional mark and digits; groups of `1,00,000.00`
/// or `100,000.00` (interfaces.md 3). At most 28 significant digits; zeros that lead, or that end the fraction, do not
/// count. `.5` and `5.` are numbers, `.` alone is not. The scale is kept as written where it fits; `-0` is 0.
/// The caller trims.
pub fn parse(text: &str, mark: DecimalMark) -> Result<Decimal, NumberFault> {
    let bytes = text.as_bytes();
    let (point, _) = mark.bytes();
    let (negative, digits) = match bytes.first() {
        None => return Err(NumberFault::Empty),
        Some(b'-') => (true, &bytes[1..]),
        Some(b'+') => (false, &bytes[1..]),
        Some(_) => (false, bytes),
    };
    if let Some((value, scale)) = plain(digits, point) {
        return Ok(decimal(u128::from(value), scale, negative));
    }
    let body = &text[text.len() - digits.len()..];
    if body.is_empty() {
        return Err(NumberFault::Character(if negative { '-' } else { '+' }));
    }
    slow(body, mark).map(|(value, scale)| decimal(value, scale, negative))
}

/// Digits and at most one mark, few enough for a `u64`: nearly every cell. `None` leaves the verdict to [`slow`].
fn plain(digits: &[u8], point: u8) -> Option<(u64, u32)> {
    if digits.is_empty() || digits.len() > FAST_DIGITS {
        return None;
    }
    let mut value = 0_u64;
    let mut after_mark = None;
    for (at, &byte) in digits.iter().enumerate() {
        let digit = byte.wrapping_sub(b'0');
        if digit < 10 {
            value = value.wrapping_mul(10).wrapping_add(u64::from(digit)); // at most 19 digits: never wraps
        } else if byte == point && after_mark.is_none() && digits.len() > 1 {
            after_mark = Some(at + 1);
        } else {
            return None;
        }
    }
    let scale = after_mark.map_or(0, |at| digits.len() - at);
    Some((value, u32::try_from(scale).ok()?))
}

/// Any number, character by character: groups, many digits, and every fault.
fn slow(body: &str, mark: DecimalMark) -> Result<(u128, u32), NumberFault> {
    let (point, group) = (mark.mark(), mark.group());
    if let Some(stranger) = body.chars().find(|&c| !c.is_ascii_digit() && c != point && c != group) {
        return Err(NumberFault::Character(stranger));
    }
    let (whole, fraction) = body.split_once(point).unwrap_or((body, ""));
    if fraction.contains(point) {
        return Err(NumberFault::Character(point));
    }
    if fraction.contains(group) || !well_grouped(whole, group) {
        return Err(NumberFault::Grouping);
    }
    if whole.is_empty() && fraction.is_empty() {
        return Err(NumberFault::Character(point));
    }
    count(whole, fraction)
}

/// The digits as an integer and the number of them after the mark.
fn count(whole: &str, fraction: &str) -> Result<(u128, u32), NumberFault> {
    let digits = whole.bytes().filter(u8::is_ascii_digit).skip_while(|&digit| digit == b'0').count();
    let kept = if digits + fraction.len() > MOST_DIGITS { fraction.trim_end_matches('0') } else { fraction };
    let mut value = 0_u128;
    let mut significant = 0_usize;
    for byte in whole.bytes().chain(kept.bytes()).filter(u8::is_ascii_digit) {
        if significant == 0 && byte == b'0' {
            continue;
        }
        significant += 1;
        if significant > MOST_DIGITS {
            return Err(NumberFault::TooLong);
        }
        value = value * 10 + u128::from(byte - b'0');
    }
    match u32::try_from(kept.len()) {
        Ok(scale) if kept.len() <= MOST_DIGITS => Ok((value, scale)),
        _ => Err(NumberFault::TooLong),
    }
}

/// No groups, or a last one of three digits with twos (Indian) or threes (Western) before it and a shorter one first.
fn well_grouped(whole: &str, group: char) -> bool {
    let mut groups = whole.rsplit(group);
    let last = groups.next().map_or(0, str::len);
    let Some(next) = groups.clone().next() else { return true };
    let size = if groups.clone().count() == 1 {
        3
    } else if next.len() == 2 {
        2
    } else {
        3
    };
    let mut before = groups.clone().peekable();
    let mut sizes_fit = last == 3;
    while let Some(digits) = before.next() {
        sizes_fit &= match before.peek() {
            Some(_) => digits.len() == size,
            None => (1..=size).contains(&digits.len()),
        };
    }
    sizes_fit
}

fn decimal(value: u128, scale: u32, negative: bool) -> Decimal {
    // three words of the 96-bit mantissa: at most 28 digits, so nothing is cut
    #[expect(clippy::cast_possible_truncation, reason = "the words are taken on purpose")]
    let (low, middle, high) = (value as u32, (value >> 32) as u32, (value >> 64) as u32);
    Decimal::from_parts(low, middle, high, negative && value != 0, scale)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn point(text: &str) -> Result<String, NumberFault> {
        parse(text, DecimalMark::Point).map(|value| value.to_string())
    }

    fn comma(text: &str) -> Result<String, NumberFault> {
        parse(text, DecimalMark::Comma).map(|value| value.to_string())
    }

    #[test]
    fn plain_numbers() {
        for (text, value) in [
            ("0", "0"),
            ("007", "7"),
            ("1234.50", "1234.50"),
            ("-12", "-12"),
            ("+12.0", "12.0"),
            (".5", "0.5"),
            ("-.5", "-0.5"),
            ("5.", "5"),
            ("-0.00", "0.00"),
            ("9999999999999999999", "9999999999999999999"),
            ("9999999999999999999999999999", "9999999999999999999999999999"),
            ("0.0000000000000000000000000001", "0.0000000000000000000000000001"),
            ("00000000000000000000000000000000012.30", "12.30"),
            ("12.3000000000000000000000000000000000", "12.3"),
        ] {
            assert_eq!(point(text), Ok(value.to_string()), "{text}");
        }
    }

    #[test]
    fn groups_are_indian_or_western() {
        for (text, value) in [
            ("1,00,000.00", "100000.00"),
            ("100,000.00", "100000.00"),
            ("12,345", "12345"),
            ("10,00,00,000", "100000000"),
            ("-1,234,567", "-1234567"),
            ("123,456,789.5", "123456789.5"),
        ] {
            assert_eq!(point(text), Ok(value.to_string()), "{text}");
        }
        for text in [
            "1,5",
            "1,50",
            "1,0000",
            "100,00,000",
            "1,00,0000",
            "1,000,00",
            "1,00,000,000",
            ",000",
            "1,,000",
            "1,000,",
            "1.000,5",
            "1,",
            ",",
            "1000,000",
            "1,000,00,000",
        ] {
            assert_eq!(point(text), Err(NumberFault::Grouping), "{text}");
        }
    }

    #[test]
    fn the_other_mark() {
        assert_eq!(comma("1.234,50"), Ok("1234.50".to_string()));
        assert_eq!(comma("1.00.000,5"), Ok("100000.5".to_string()));
        assert_eq!(comma("1234,5"), Ok("1234.5".to_string()));
        assert_eq!(comma("1.5"), Err(NumberFault::Grouping));
        assert_eq!(comma("1,2,3"), Err(NumberFault::Character(',')));
    }

    #[test]
    fn what_is_no_plain_number() {
        for (text, stranger) in [
            ("1e3", 'e'),
            ("1_000", '_'),
            ("(100)", '('),
            ("₹100", '₹'),
            ("Rs.100", 'R'),
            ("\u{2212}5", '\u{2212}'),
            ("--5", '-'),
            ("5-", '-'),
            ("1 000", ' '),
            ("1.2.3", '.'),
            ("-", '-'),
            ("+", '+'),
            (".", '.'),
            ("-.", '.'),
            ("NaN", 'N'),
            ("٣", '٣'),
            ("0x10", 'x'),
            ("12%", '%'),
        ] {
            assert_eq!(point(text), Err(NumberFault::Character(stranger)), "{text}");
        }
        assert_eq!(point(""), Err(NumberFault::Empty));
    }

    #[test]
    fn too_many_digits() {
        for text in [
            "123456789012345678901234567890",
            "10000000000000000000000000000",
            "1.0000000000000000000000000001",
            "0.00000000000000000000000000001",
            "-99999999999999999999999999999",
        ] {
            assert_eq!(point(text), Err(NumberFault::TooLong), "{text}");
        }
        assert_eq!(point("0.00000000000000000000000000000000000"), Ok("0".to_string()));
    }

    #[test]
    fn faults_speak_to_the_reader() {
        let said = |text| parse(text, DecimalMark::Point).map_err(|fault| fault.to_string());
        assert_eq!(said("₹5"), Err("`₹` is a currency sign: write the number alone".into()));
        assert_eq!(said("1\u{7}"), Err("U+0007 has no place there in a plain number".into()));
        assert_eq!(said("\u{2212}5"), Err("`−` (U+2212) is not the minus sign `-`".into()));
    }

    proptest! {
        #[test]
        fn what_is_shown_is_read_back(mantissa in -9_999_999_999_999_999_999_999_999_999_i128..=9_999_999_999_999_999_999_999_999_999, scale in 0_u32..=28) {
            let value = Decimal::from_i128_with_scale(mantissa, scale);
            prop_assert_eq!(parse(&value.to_string(), DecimalMark::Point), Ok(value));
            let with_comma = value.to_string().replace('.', ",");
            prop_assert_eq!(parse(&with_comma, DecimalMark::Comma), Ok(value));
        }

        #[test]
        fn fast_and_slow_agree(text in "[0-9]{0,12}[.]?[0-9]{0,8}") {
            if let Some((value, scale)) = plain(text.as_bytes(), b'.') {
                prop_assert_eq!(slow(&text, DecimalMark::Point), Ok((u128::from(value), scale)));
            }
        }

        #[test]
        fn any_text_has_a_verdict(text in "\\PC{0,40}|[-+0-9.,e_ ]{0,40}") {
            let _ = parse(&text, DecimalMark::Point);
            let _ = parse(&text, DecimalMark::Comma);
        }

        #[test]
        fn grouping_changes_nothing(value in 0_u64..10_000_000_000) {
            for first in [2_usize, 3] {
                let digits = value.to_string();
                let mut grouped = String::new();
                for (at, digit) in digits.chars().enumerate() {
                    let left = digits.len() - at;
                    if at > 0 && (left == 3 || (left > 3 && (left - 3) % first == 0)) {
                        grouped.push(',');
                    }
                    grouped.push(digit);
                }
                prop_assert_eq!(parse(&grouped, DecimalMark::Point), Ok(Decimal::from(value)), "{}", grouped);
            }
        }
    }
}
