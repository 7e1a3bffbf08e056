//! How much of what earlier files said would be void (interfaces.md 2, `max_void_percent`): of their lines, and of their amounts,
//! each currency by itself, since amounts of two add up to nothing. Pure.

use crate::facts::amounts::Amounts;
use rust_decimal::Decimal;

/// So many lines, and their amounts by magnitude, so that sales and returns do not hide each other.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in super::super) struct Weight {
    /// how many
    pub lines: u64,
    amounts: Amounts,
}

impl Weight {
    /// Puts a line on top, or a part of one that is counted elsewhere.
    pub fn add(&mut self, lines: u64, currency: &str, amount: Decimal) {
        self.lines += lines;
        self.amounts.add(currency, amount.abs());
    }

    /// Puts all of another on top.
    pub fn absorb(&mut self, other: &Weight) {
        self.lines += other.lines;
        self.amounts.absorb(&other.amounts);
    }

    /// What is gone where only `left` is left of it.
    pub fn less(mut self, left: &Weight) -> Weight {
        self.lines = self.lines.saturating_sub(left.lines);
        self.amounts.less(&left.amounts);
        let gone = self.amounts.iter().filter(|(_, amount)| amount.is_sign_positive());
        Weight { lines: self.lines, amounts: gone.collect() }
    }
}

/// A part of a whole.
#[derive(Debug, Clone, Copy)]
struct Share {
    part: Decimal,
    whole: Decimal,
}

impl Share {
    fn is_over(self, most: Decimal) -> bool {
        self.part.saturating_mul(Decimal::ONE_HUNDRED) > self.whole.saturating_mul(most)
    }

    fn percent(self) -> Decimal {
        self.part.saturating_mul(Decimal::ONE_HUNDRED).checked_div(self.whole).unwrap_or_default()
    }

    fn shown(self) -> String {
        format!("{}%", self.percent().round_dp(2).normalize())
    }
}

/// Why the file is held, where more than `most` percent of the lines, or of the amounts in some currency, would be void. Told is
/// the currency that would lose the largest part.
pub(super) fn too_much_void(void: &Weight, carried: &Weight, most: Decimal) -> Option<String> {
    let lines = Share { part: void.lines.into(), whole: carried.lines.into() };
    let of = |currency: &str| void.amounts.iter().find(|(of, _)| *of == currency).map(|(_, amount)| amount);
    let shares = carried
        .amounts
        .iter()
        .map(|(currency, whole)| (currency, Share { part: of(currency).unwrap_or_default(), whole }));
    let amounts = shares.max_by_key(|(_, share)| share.percent());
    let (currency, amount) = amounts.unwrap_or(("", Share { part: Decimal::ZERO, whole: Decimal::ZERO }));
    if !lines.is_over(most) && !amount.is_over(most) {
        return None;
    }
    let currency = match carried.amounts.only() {
        Some(_) => String::new(),
        None if currency.is_empty() => " without a currency".to_owned(),
        None => format!(" {currency}"),
    };
    Some(format!(
        "it would void {} of {} lines ({}) and {} of {}{currency} in amount ({}) of its period, more than max_void_percent = \"{most}\" \
         allows: release it if they are meant to go",
        lines.part,
        lines.whole,
        lines.shown(),
        amount.part.normalize(),
        amount.whole.normalize(),
        amount.shown(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weight(all: &[(&str, i64)]) -> Weight {
        let mut weight = Weight::default();
        all.iter().for_each(|(currency, amount)| weight.add(1, currency, Decimal::from(*amount)));
        weight
    }

    fn told(void: &[(&str, i64)], carried: &[(&str, i64)]) -> Option<String> {
        let told = too_much_void(&weight(void), &weight(carried), Decimal::from(20))?;
        let end = told.find(" of its period")?;
        Some(told[..end].to_owned())
    }

    #[test]
    fn each_currency_is_weighed_by_itself() {
        let rupees = [("INR", 1_000_000); 9];
        let carried = [rupees.as_slice(), &[("USD", 90), ("usd", -10)]].concat();
        assert_eq!(told(&[("INR", 1_000_000)], &carried), None);
        let all_dollars = "it would void 2 of 11 lines (18.18%) and 100 of 100 USD in amount (100%)";
        assert_eq!(told(&[("USD", 90), ("usd", -10)], &carried).as_deref(), Some(all_dollars));
        let most_lines = "it would void 3 of 11 lines (27.27%) and 3000000 of 9000000 INR in amount (33.33%)";
        assert_eq!(told(&rupees[..3], &carried).as_deref(), Some(most_lines));
    }

    #[test]
    fn one_currency_is_not_named() {
        let only = "it would void 1 of 2 lines (50%) and 1 of 101 in amount (0.99%)";
        assert_eq!(told(&[("", 1)], &[("", 1), ("", 100)]).as_deref(), Some(only));
        assert_eq!(
            told(&[("INR", 0)], &[("INR", 0); 4]).as_deref(),
            Some("it would void 1 of 4 lines (25%) and 0 of 0 in amount (0%)")
        );
        assert_eq!(told(&[], &[]), None);
    }

    #[test]
    fn what_is_left_is_not_gone() {
        let gone = weight(&[("INR", 5), ("USD", 3)]).less(&weight(&[("INR", 9)]));
        assert_eq!(gone, weight(&[("USD", 3)]));
    }
}
