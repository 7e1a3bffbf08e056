//! Points as the ledger holds them.

use super::frac::{Frac, Rounding};
use rust_decimal::Decimal;
use std::fmt;

/// Points in millionths: exact for every scheme's `decimals` (0 to 6), summed as integers.
/// Range: about plus or minus 9.2 million million points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Points(pub i64);

impl Points {
    /// no points
    pub const ZERO: Points = Points(0);
    /// how many units make one point
    pub const UNIT: i64 = 1_000_000;
    /// decimals of a point that can be held
    pub const DECIMALS: u32 = 6;

    /// So many units of `10^-decimals`; `None` beyond the range or with more than 6 decimals.
    pub fn from_units(units: i128, decimals: u32) -> Option<Points> {
        let millionths = 10i128.pow(Points::DECIMALS.checked_sub(decimals)?);
        i64::try_from(units.checked_mul(millionths)?).ok().map(Points)
    }

    /// Exactly this many points; `None` beyond the range or with more than 6 decimals.
    pub fn from_decimal(points: Decimal) -> Option<Points> {
        let exact = Frac::from(points);
        let held = Points::from_units(exact.units(Points::DECIMALS, Rounding::Floor)?, Points::DECIMALS)?;
        (held.to_frac() == exact).then_some(held)
    }

    /// As an exact number.
    pub fn to_frac(self) -> Frac {
        Frac::ratio(self.0.into(), Points::UNIT.into()).unwrap_or_default()
    }

    /// The sum; `None` beyond the range.
    pub fn checked_add(self, other: Points) -> Option<Points> {
        self.0.checked_add(other.0).map(Points)
    }

    /// The difference; `None` beyond the range.
    pub fn checked_sub(self, other: Points) -> Option<Points> {
        self.0.checked_sub(other.0).map(Points)
    }

    /// Plain digits with exactly `decimals` places (what is finer is cut): `-12.50`.
    pub fn plain(self, decimals: u32) -> String {
        self.to_frac().to_plain(decimals, Rounding::Floor)
    }
}

/// Plain digits, as many decimals as it takes: `12.5`.
impl fmt::Display for Points {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_frac().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_of_any_decimals_up_to_six() {
        assert_eq!(Points::from_units(15, 0), Some(Points(15_000_000)));
        assert_eq!(Points::from_units(-1550, 2), Some(Points(-15_500_000)));
        assert_eq!(Points::from_units(1, 6), Some(Points(1)));
        assert_eq!(Points::from_units(1, 7), None);
        assert_eq!(Points::from_units(i128::from(i64::MAX), 0), None);
    }

    #[test]
    fn decimals_are_taken_whole_or_not_at_all() {
        let decimal = |text: &str| text.parse::<Decimal>().expect("a decimal");
        assert_eq!(Points::from_decimal(decimal("12.50")), Some(Points(12_500_000)));
        assert_eq!(Points::from_decimal(decimal("0.0000001")), None);
        assert_eq!(Points::from_decimal(decimal("79228162514264337593543950335")), None);
    }

    #[test]
    fn shown_plain() {
        assert_eq!(Points(12_500_000).plain(2), "12.50");
        assert_eq!(Points(-12_000_000).plain(0), "-12");
        assert_eq!(Points(12_500_000).to_string(), "12.5");
        assert_eq!(Points(i64::MIN).to_string(), "-9223372036854.775808");
        assert_eq!(Points(1).checked_add(Points(i64::MAX)), None);
        assert_eq!(Points(-2).checked_sub(Points(i64::MAX)), None);
    }
}
