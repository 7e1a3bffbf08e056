//! Amounts of several currencies, each added up by itself. Pure.

use rust_decimal::Decimal;
use std::collections::BTreeMap;

/// Most currencies that are told apart: a file may write anything into that cell, and these sums are for people.
const MOST: usize = 100;

/// Sums by currency in upper case; what came without a currency under "".
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Amounts {
    sums: BTreeMap<String, Decimal>,
    /// whether more than [`MOST`] were met: those that came after them are left out
    others: bool,
}

impl Amounts {
    /// Puts an amount on top. Currencies match without case.
    pub fn add(&mut self, currency: &str, amount: Decimal) {
        if amount.is_zero() {
            return;
        }
        let known = self.sums.iter_mut().find(|(known, _)| known.as_str() == currency);
        let sum = match known {
            Some((_, sum)) => sum,
            None => {
                let currency = currency.to_uppercase();
                if self.sums.len() >= MOST && !self.sums.contains_key(&currency) {
                    self.others = true;
                    return;
                }
                self.sums.entry(currency).or_default()
            }
        };
        *sum = sum.saturating_add(amount);
    }

    /// Puts all of another on top.
    pub fn absorb(&mut self, other: &Amounts) {
        self.others |= other.others;
        for (currency, amount) in &other.sums {
            self.add(currency, *amount);
        }
    }

    /// Takes all of another away.
    pub fn less(&mut self, other: &Amounts) {
        self.others |= other.others;
        for (currency, amount) in &other.sums {
            self.add(currency, -*amount);
        }
    }

    /// Each currency with its sum, in order, where that is not nothing.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Decimal)> {
        let all = self.sums.iter().map(|(currency, amount)| (currency.as_str(), *amount));
        all.filter(|(_, amount)| !amount.is_zero())
    }

    /// The sum, where there is at most one currency.
    pub fn only(&self) -> Option<Decimal> {
        let mut all = self.iter();
        match (all.next(), all.next(), self.others) {
            (None, _, false) => Some(Decimal::ZERO),
            (Some((_, sum)), None, false) => Some(sum),
            (Some(_), Some(_), _) | (_, _, true) => None,
        }
    }

    /// For people: `100 INR and 20 USD`; the bare number where no currency was said at all.
    pub fn words(&self, shown: impl Fn(Decimal) -> String) -> String {
        let several = self.others || self.iter().count() > 1;
        let mut told: Vec<String> = self
            .iter()
            .map(|(currency, amount)| match (currency, several) {
                ("", false) => shown(amount),
                ("", true) => format!("{} without a currency", shown(amount)),
                (currency, _) => format!("{} {currency}", shown(amount)),
            })
            .collect();
        if self.others {
            told.push(format!("more in other currencies than the first {MOST}"));
        }
        if told.is_empty() { shown(Decimal::ZERO) } else { told.join(" and ") }
    }
}

impl<'c> FromIterator<(&'c str, Decimal)> for Amounts {
    fn from_iter<I: IntoIterator<Item = (&'c str, Decimal)>>(all: I) -> Amounts {
        let mut amounts = Amounts::default();
        all.into_iter().for_each(|(currency, amount)| amounts.add(currency, amount));
        amounts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn amounts(all: &[(&str, i64)]) -> Amounts {
        all.iter().map(|(currency, amount)| (*currency, Decimal::from(*amount))).collect()
    }

    #[test]
    fn currencies_are_added_up_apart() {
        let mut all = amounts(&[("INR", 100), ("usd", 20), ("inr", 5), ("USD", 1)]);
        assert_eq!(all.words(|sum| sum.to_string()), "105 INR and 21 USD");
        assert_eq!(all.only(), None);
        let nothing_left = amounts(&[("USD", 7), ("INR", 5), ("inr", -5)]);
        assert_eq!(
            (nothing_left.only(), nothing_left.words(|sum| sum.to_string())),
            (Some(7.into()), "7 USD".into())
        );
        all.less(&amounts(&[("INR", 100)]));
        all.absorb(&amounts(&[("", 7)]));
        assert_eq!(all.words(|sum| sum.to_string()), "7 without a currency and 5 INR and 21 USD");
        assert_eq!(amounts(&[("", 3)]).words(|sum| sum.to_string()), "3");
        assert_eq!(amounts(&[("eur", 3)]).words(|sum| sum.to_string()), "3 EUR");
        assert_eq!(
            (Amounts::default().words(|sum| sum.to_string()), Amounts::default().only()),
            ("0".into(), Some(Decimal::ZERO))
        );
    }

    #[test]
    fn a_file_of_thousands_of_currencies_costs_no_more_than_one_of_a_hundred() {
        let mut all = Amounts::default();
        for number in 0..20_000 {
            all.add(&format!("X{number}"), Decimal::ONE);
        }
        all.add("X7", Decimal::ONE);
        assert_eq!((all.iter().count(), all.only()), (MOST, None));
        let words = all.words(|sum| sum.to_string());
        assert!(words.contains("2 X7 and "), "{words}");
        assert!(words.ends_with(" and more in other currencies than the first 100"), "{words}");
    }
}
