//! Plain decimals as files write them: strict, exact, never through a binary float.

use rust_decimal::Decimal;

/// Which character separates the whole from the fraction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DecimalMark {
    /// `1234.50`; groups with `,`
    Point,
    /// `1234,50`; groups with `.`
    Comma,
}

/// Why a cell is not a number. Displayed in a reject, so in the reader's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NumberFault {
    /// nothing in the cell
    Empty,
    /// a character that no plain decimal has (a currency sign, a letter, an exponent, an underscore)
    Character(char),
    /// digit groups that are neither `1,00,000` nor `100,000`
    Grouping,
    /// more than 28 significant digits
    TooLong,
}

impl std::fmt::Display for NumberFault {
    fn fmt(&self, _f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        todo!()
    }
}

/// Reads a plain decimal: optional sign, digits, optional mark and digits; groups of `1,00,000.00`
/// or `100,000.00` (interfaces.md 3). At most 28 significant digits.
pub fn parse(_text: &str, _mark: DecimalMark) -> Result<Decimal, NumberFault> {
    todo!()
}
