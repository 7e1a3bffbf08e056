//! The working papers of a cycle: what every column needs that is the same for all partners, and `summary.csv`.
//!
//! One row a partner, every number of evaluation.md 3 by its step. Order of partners and what `reason` says are the caller's.
//! The months, `measure`, `carried` and `to_next_tier` are in what the scheme measures: money with two decimals at
//! least, or pieces. Slab columns are those of the slab reached, empty below the first; the last slab has no `slab_to`.

use super::cell::{comma, end, header, plain, text};
use super::number::{decimal, frac, points};
use crate::calendar::CycleLength;
use crate::domain::frac::Frac;
use crate::evaluate::Position;
use crate::scheme::{Measure, Rate, Scheme, Slab};
use rust_decimal::Decimal;

/// What the papers of one scheme version and cycle share.
#[derive(Debug, Clone)]
pub struct Papers<'s> {
    /// the version that the cycle goes by
    pub(super) scheme: &'s Scheme,
    cycle: &'s str,
    months: usize,
    /// decimals of points, at least
    pub(super) points: u32,
    /// decimals of what is measured, at least
    measured: u32,
}

/// Decimals that money has at least.
pub(super) const MONEY: u32 = 2;

/// Decimals at least of what a scheme measures: money or pieces.
pub(super) fn measured_decimals(measure: Measure) -> u32 {
    match measure {
        Measure::Amount => MONEY,
        Measure::Quantity => 0,
    }
}

impl<'s> Papers<'s> {
    /// Papers of `cycle` (its name), which goes by `scheme`.
    pub fn new(scheme: &'s Scheme, cycle: &'s str) -> Papers<'s> {
        Papers {
            scheme,
            cycle,
            months: months(scheme.calendar.length),
            points: scheme.decimals,
            measured: measured_decimals(scheme.earn.measure),
        }
    }

    /// The header of `summary.csv`: as many `sales_N` as the cycle has months.
    pub fn summary_header(&self, out: &mut Vec<u8>) {
        let months: Vec<String> = (1..=self.months).map(|month| format!("sales_{month}")).collect();
        let columns = ["partner_code", "partner_name", "scheme", "cycle"];
        header(out, columns.into_iter().chain(months.iter().map(String::as_str)).chain(STEPS));
    }

    /// A partner's row. `reason` says why a revision came (`late line`, ...); it is empty in `rev-001`.
    pub fn summary_row(&self, out: &mut Vec<u8>, partner: Partner<'_>, position: &Position, reason: &str) {
        for cell in [partner.code, partner.name, &self.scheme.id, self.cycle] {
            text(out, cell);
            comma(out);
        }
        self.sales(out, position);
        self.slab(out, position.slab.and_then(|index| self.scheme.slabs.get(index)));
        self.arithmetic(out, position);
        self.tiers(out, position);
        text(out, reason);
        end(out);
    }

    fn sales(&self, out: &mut Vec<u8>, position: &Position) {
        for month in 0..self.months {
            match position.by_month.get(month) {
                Some(sales) => frac(out, sales, self.measured),
                None => decimal(out, Decimal::ZERO, self.measured),
            }
            comma(out);
        }
        for value in [&position.measure, &position.carried] {
            frac(out, value, self.measured);
            comma(out);
        }
    }

    fn slab(&self, out: &mut Vec<u8>, slab: Option<&Slab>) {
        let Some(slab) = slab else {
            return out.extend_from_slice(b",,,");
        };
        decimal(out, slab.from, self.measured);
        comma(out);
        if let Some(to) = slab.to {
            decimal(out, to, self.measured);
        }
        comma(out);
        rate(out, slab.rate);
        comma(out);
    }

    fn arithmetic(&self, out: &mut Vec<u8>, position: &Position) {
        let steps: [&Frac; 5] =
            [&position.base, &position.fixed, &position.multiplied, &position.bonus, &position.capped];
        for step in steps {
            frac(out, step, self.points);
            comma(out);
        }
        for total in [position.held_points, position.points] {
            points(out, total, self.points);
            comma(out);
        }
    }

    fn tiers(&self, out: &mut Vec<u8>, position: &Position) {
        for tier in [&position.tier, &position.tier_applied] {
            text(out, tier);
            comma(out);
        }
        if let Some((tier, missing)) = &position.next_tier {
            text(out, tier);
            comma(out);
            frac(out, missing, self.measured);
        } else {
            comma(out);
        }
        comma(out);
    }
}

/// The columns of `summary.csv` after the months.
const STEPS: [&str; 17] = [
    "measure",
    "carried",
    "slab_from",
    "slab_to",
    "rate",
    "base_points",
    "fixed_points",
    "multiplier_points",
    "bonus_points",
    "capped_points",
    "held_points",
    "points",
    "tier",
    "tier_applied",
    "next_tier",
    "to_next_tier",
    "reason",
];

/// Who a paper or statement speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Partner<'p> {
    /// compared exactly
    pub code: &'p str,
    /// the partner master's name if it has one, else that of the last file that names the partner
    pub name: &'p str,
}

fn months(length: CycleLength) -> usize {
    match length {
        CycleLength::Month => 1,
        CycleLength::Quarter => 3,
        CycleLength::HalfYear => 6,
        CycleLength::Year => 12,
    }
}

/// A rate as people say it: `0.3%`, `5 per 10`, `5 per full 10`; `0%` for a slab without one.
pub fn rate(out: &mut Vec<u8>, rate: Option<Rate>) {
    match rate {
        None => plain(out, "0%"),
        Some(Rate::Proportion { points, per }) if per == Decimal::ONE_HUNDRED => {
            decimal(out, points, 0);
            plain(out, "%");
        }
        Some(Rate::Proportion { points, per }) => worded_rate(out, points, " per ", per),
        Some(Rate::PerFull { points, per }) => worded_rate(out, points, " per full ", per),
    }
}

fn worded_rate(out: &mut Vec<u8>, points: Decimal, word: &str, per: Decimal) {
    decimal(out, points, 0);
    plain(out, word);
    decimal(out, per, 0);
}

#[cfg(test)]
mod tests {
    use super::super::sample::{decimal as number, fraction, nothing, scheme, whole};
    use super::*;
    use crate::domain::frac::Frac;

    const HEADER: &str = "partner_code,partner_name,scheme,cycle,sales_1,sales_2,sales_3,measure,carried,\
        slab_from,slab_to,rate,base_points,fixed_points,multiplier_points,bonus_points,capped_points,held_points,\
        points,tier,tier_applied,next_tier,to_next_tier,reason\n";

    fn gold() -> Position {
        Position {
            by_month: vec![fraction("500000"), fraction("399999.999"), Frac::ZERO],
            measure: fraction("899999.999"),
            slab: Some(1),
            base: fraction("2699.999997"),
            multiplied: Frac::ratio(1, 3).unwrap(),
            bonus: fraction("600"),
            capped: fraction("0.5"),
            held_points: whole(100),
            points: whole(3299),
            tier: "Gold".into(),
            tier_applied: "Gold".into(),
            next_tier: Some(("Platinum".into(), fraction("1100000.001"))),
            ..nothing()
        }
    }

    fn summary(scheme: &Scheme, cycle: &str, position: &Position, reason: &str) -> String {
        let papers = Papers::new(scheme, cycle);
        let mut out = Vec::new();
        papers.summary_header(&mut out);
        papers.summary_row(&mut out, Partner { code: "P1", name: "Asha, Sons" }, position, reason);
        let columns: Vec<usize> = csv::ReaderBuilder::new()
            .has_headers(false)
            .from_reader(out.as_slice())
            .records()
            .map(|row| row.expect("every row has as many cells as the header").len())
            .collect();
        assert_eq!(columns.len(), 2);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_partner_below_the_first_slab() {
        let text = summary(&scheme(), "FY2026-27-Q1", &nothing(), "");
        let row = "P1,\"Asha, Sons\",lighting,FY2026-27-Q1,0.00,0.00,0.00,0.00,0.00,,,,0,0,0,0,0,0,0,,,Silver,500000.00,\n";
        assert_eq!(text, format!("{HEADER}{row}"));
    }

    #[test]
    fn every_step_of_the_arithmetic_has_its_column() {
        let text = summary(&scheme(), "FY2026-27-Q1", &gold(), "late line, credit note");
        let row = "P1,\"Asha, Sons\",lighting,FY2026-27-Q1,500000.00,399999.999,0.00,899999.999,0.00,800000.00,2000000.00,\
            0.3%,2699.999997,0,0.333333,600,0.5,100,3299,Gold,Gold,Platinum,1100000.001,\"late line, credit note\"\n";
        assert_eq!(text, format!("{HEADER}{row}"));
    }

    #[test]
    fn the_last_slab_has_no_end_and_the_highest_tier_none_above() {
        let position = Position { slab: Some(2), next_tier: None, tier: "=Top".into(), ..gold() };
        let text = summary(&scheme(), "FY2026-27-Q1", &position, "");
        assert!(text.contains(",2000000.00,,0.5%,"), "{text}");
        assert!(text.ends_with(",3299,'=Top,Gold,,,\n"), "{text}");
    }

    #[test]
    fn pieces_months_and_decimals_are_the_schemes() {
        let mut pieces = scheme();
        pieces.earn.measure = Measure::Quantity;
        pieces.calendar.length = CycleLength::Month;
        pieces.decimals = 2;
        let text = summary(&pieces, "2026-04", &Position { by_month: vec![fraction("12.50")], ..gold() }, "");
        assert!(text.starts_with("partner_code,partner_name,scheme,cycle,sales_1,measure,"), "{text}");
        assert!(text.contains(",2026-04,12.5,899999.999,0,800000,2000000,0.3%,2699.999997,0.00,"), "{text}");
        assert!(text.contains(",600.00,0.50,100.00,3299.00,"), "{text}");
    }

    #[test]
    fn a_year_has_twelve_months_even_where_a_position_has_fewer() {
        let mut year = scheme();
        year.calendar.length = CycleLength::Year;
        let text = summary(&year, "FY2026-27", &gold(), "");
        assert!(text.contains(",sales_12,measure,"), "{text}");
    }

    #[test]
    fn rates_in_words() {
        let (five, ten) = (number("5.0"), number("10"));
        for (form, words) in [
            (None, "0%"),
            (Some(Rate::Proportion { points: number("0.30"), per: number("100") }), "0.3%"),
            (Some(Rate::Proportion { points: five, per: ten }), "5 per 10"),
            (Some(Rate::PerFull { points: five, per: ten }), "5 per full 10"),
            (Some(Rate::PerFull { points: five, per: number("100") }), "5 per full 100"),
        ] {
            let mut out = Vec::new();
            rate(&mut out, form);
            assert_eq!(String::from_utf8(out).unwrap(), words);
        }
    }
}
