//! `balances/INSTANT.csv`: every wallet, as `accrued balances` prints them.

use super::cell::{comma, end, header, text};
use super::number;
use crate::domain::frac::Frac;
use crate::domain::points::Points;
use rust_decimal::Decimal;

/// The columns (interfaces.md 5).
const COLUMNS: [&str; 9] = [
    "scheme",
    "partner_code",
    "accumulated",
    "redeemed",
    "reserved",
    "expired",
    "available",
    "tier",
    "value",
];

/// One wallet.
#[derive(Debug, Clone, Copy)]
pub struct Row<'r> {
    /// scheme id
    pub scheme: &'r str,
    /// partner
    pub partner_code: &'r str,
    /// accumulated, redeemed, reserved, expired, available
    pub points: [Points; 5],
    /// reached last
    pub tier: &'r str,
    /// decimals of the scheme's points
    pub decimals: u32,
    /// money per point, where it has a value
    pub value: Option<Decimal>,
}

/// The header.
pub fn balances_header(out: &mut Vec<u8>) {
    header(out, COLUMNS);
}

/// A wallet's row.
pub fn balances_row(out: &mut Vec<u8>, row: &Row<'_>) {
    text(out, row.scheme);
    comma(out);
    text(out, row.partner_code);
    for points in row.points {
        comma(out);
        number::points(out, points, row.decimals);
    }
    comma(out);
    text(out, row.tier);
    comma(out);
    if let Some(value) = row.value {
        let [.., available] = row.points;
        number::frac(out, &(&available.to_frac() * &Frac::from(value)), 2);
    }
    end(out);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wallet_is_a_row_of_plain_numbers() {
        let mut out = Vec::new();
        balances_header(&mut out);
        let points = [1_500_500_000, 500_000_000, 0, 0, 1_000_500_000].map(Points);
        let value = Some(Decimal::new(25, 2));
        balances_row(
            &mut out,
            &Row { scheme: "club", partner_code: "=P1", points, tier: "Gold", decimals: 1, value },
        );
        balances_row(
            &mut out,
            &Row { scheme: "club", partner_code: "P,2", points, tier: "", decimals: 0, value: None },
        );
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "scheme,partner_code,accumulated,redeemed,reserved,expired,available,tier,value\n\
             club,'=P1,1500.5,500.0,0.0,0.0,1000.5,Gold,250.125\n\
             club,\"P,2\",1500.5,500,0,0,1000.5,,\n"
        );
    }
}
