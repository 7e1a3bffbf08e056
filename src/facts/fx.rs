//! Exchange rates: what the `fx` feeds said, and which rate holds on a day (evaluation.md 3.1).
//!
//! The rate of a day holds until the next one of its pair; before the first there is none. A pair is taken as written and
//! never turned round. Codes match without case.

use crate::domain::word::{fold, folded, same_word};
use chrono::NaiveDate;
use rust_decimal::Decimal;
use std::collections::HashMap;

/// One rate as a file said it: so many units of `to` for one of `from`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RateRecord {
    /// from this day on
    pub day: NaiveDate,
    /// code of the currency that amounts are in
    pub from: String,
    /// code of the currency that they are turned into
    pub to: String,
    /// above zero
    pub rate: Decimal,
}

/// A pair that some lines were converted by, or wait for, and the days of those lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// folded
    pub from: String,
    /// folded
    pub to: String,
    /// the earliest day
    pub first: NaiveDate,
    /// the latest day
    pub last: NaiveDate,
}

impl Asked {
    /// Notes one more line.
    pub fn note(all: &mut Vec<Asked>, (from, to): (&str, &str), day: NaiveDate) {
        let known = all.iter_mut().find(|asked| same_word(&asked.from, from) && same_word(&asked.to, to));
        match known {
            Some(asked) => {
                asked.first = asked.first.min(day);
                asked.last = asked.last.max(day);
            }
            None => all.push(Asked { from: fold(from), to: fold(to), first: day, last: day }),
        }
    }
}

/// Every rate that speaks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rates {
    /// by `to`, then by `from`, both folded: rates in order of their days, one a day
    pairs: HashMap<String, HashMap<String, Vec<(NaiveDate, Decimal)>>>,
}

impl Rates {
    /// Of records in the order in which they were said: of two for one pair and day the later speaks.
    pub fn new(said: impl IntoIterator<Item = RateRecord>) -> Rates {
        let mut rates = Rates::default();
        for record in said {
            let of_pair =
                rates.pairs.entry(fold(&record.to)).or_default().entry(fold(&record.from)).or_default();
            match of_pair.binary_search_by_key(&record.day, |(day, _)| *day) {
                Ok(at) => of_pair[at].1 = record.rate,
                Err(at) => of_pair.insert(at, (record.day, record.rate)),
            }
        }
        rates
    }

    /// How many units of `to` one of `from` is on a day; `None` where no rate of the pair is that old.
    pub fn on(&self, from: &str, to: &str, day: NaiveDate) -> Option<Decimal> {
        let of_pair = self.pairs.get(folded(to).as_ref())?.get(folded(from).as_ref())?;
        let until = of_pair.partition_point(|(from, _)| *from <= day);
        of_pair[..until].last().map(|(_, rate)| *rate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn day(day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 5, day).unwrap()
    }

    fn said(on: u32, from: &str, to: &str, rate: i64) -> RateRecord {
        RateRecord { day: day(on), from: from.into(), to: to.into(), rate: Decimal::from(rate) }
    }

    #[test]
    fn a_rate_holds_until_the_next_and_none_before_the_first() {
        let rates = Rates::new([said(20, "USD", "INR", 84), said(10, "usd", "inr", 83)]);
        let on = |at| rates.on("Usd", "INR", day(at)).map(|rate| rate.to_string());
        assert_eq!(on(9), None);
        assert_eq!(
            (on(10).as_deref(), on(19).as_deref(), on(20).as_deref()),
            (Some("83"), Some("83"), Some("84"))
        );
        assert_eq!(rates.on("USD", "INR", NaiveDate::MAX), Some(Decimal::from(84)));
    }

    #[test]
    fn a_pair_is_never_turned_round_nor_joined() {
        let rates = Rates::new([said(1, "USD", "INR", 83), said(1, "INR", "AED", 1)]);
        assert_eq!(rates.on("INR", "USD", day(1)), None);
        assert_eq!(rates.on("USD", "AED", day(1)), None);
        assert_eq!(rates.on("USD", "USD", day(1)), None);
    }

    #[test]
    fn a_rate_that_comes_again_speaks_for_its_day_alone() {
        let rates =
            Rates::new([said(1, "USD", "INR", 80), said(5, "USD", "INR", 83), said(1, "USD", "INR", 81)]);
        assert_eq!(rates.on("USD", "INR", day(4)), Some(Decimal::from(81)));
        assert_eq!(rates.on("USD", "INR", day(5)), Some(Decimal::from(83)));
    }

    proptest! {
        #[test]
        fn the_order_of_days_tells_nothing(days in proptest::collection::btree_set(1u32..28, 0..12), asked in 1u32..28, seed: u64) {
            let mut records: Vec<RateRecord> =
                days.iter().map(|at| said(*at, "USD", "INR", i64::from(*at))).collect();
            let rates = Rates::new(records.clone());
            records.sort_by_key(|record| (record.rate * Decimal::from(seed % 97 + 1)) % Decimal::from(31));
            prop_assert_eq!(&rates, &Rates::new(records));
            let expected = days.range(..=asked).next_back().map(|at| Decimal::from(*at));
            prop_assert_eq!(rates.on("USD", "INR", day(asked)), expected);
        }
    }
}
