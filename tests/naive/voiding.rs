//! interfaces.md 2, `max_void_percent`: how much of what a period's files say would be void with a newer file in their place.

use std::collections::{BTreeMap, BTreeSet};

use num_traits::{Signed, Zero};

use super::facts::{Facts, Key};
use super::number::{self, Frac};
use super::reading::{Kind, Sale};

/// Lines and their amounts, without their signs, currency by currency.
#[derive(Clone, Default)]
struct Sum {
    lines: usize,
    amounts: BTreeMap<String, Frac>,
}

impl Sum {
    fn of(rows: &[Sale], partners: Option<&BTreeSet<&str>>) -> Sum {
        let mut sum = Sum::default();
        let counts = |row: &&Sale| partners.is_none_or(|some| some.contains(row.cell("partner_code")));
        for row in rows.iter().filter(counts) {
            sum.lines += 1;
            *sum.amounts.entry(row.cell("currency").to_uppercase()).or_insert_with(Frac::zero) +=
                row.amount.abs();
        }
        sum
    }

    fn add(&mut self, other: Sum) {
        self.lines += other.lines;
        for (currency, amount) in other.amounts {
            *self.amounts.entry(currency).or_insert_with(Frac::zero) += amount;
        }
    }

    /// Without what is left of it.
    fn less(mut self, left: &Sum) -> Sum {
        self.lines -= left.lines;
        for (currency, amount) in &mut self.amounts {
            let left = left.amounts.get(currency).cloned().unwrap_or_else(Frac::zero);
            *amount = (&*amount - &left).max(Frac::zero());
        }
        self
    }
}

/// Whether of the lines in force that the replaced files carry, or of their amounts in some currency, more than so many of a hundred would be
/// said no longer.
pub fn too_much(before: &Facts, after: &Facts, carried: &BTreeSet<(Key, String)>, most: &Frac) -> bool {
    let (mut whole, mut void) = (Sum::default(), Sum::default());
    let in_force = |(key, _): &&(Key, String)| {
        key.0.kind != Kind::Cancellation && before.speaking.contains_key(key) && !before.cancelled(key)
    };
    // a document without line numbers may be of several partners
    let mut carriers: BTreeMap<&Key, BTreeSet<&str>> = BTreeMap::new();
    for (key, partner) in carried.iter().filter(in_force) {
        carriers.entry(key).or_default().insert(partner);
    }
    for (key, partners) in carriers {
        let was = Sum::of(&before.speaking[key].rows, Some(&partners));
        let is = after.speaking.get(key).map_or(Sum::default(), |version| Sum::of(&version.rows, None));
        whole.add(was.clone());
        if is.lines < was.lines {
            void.add(was.less(&is));
        }
    }
    let count = |n: usize| number::int(i64::try_from(n).expect("a count of rows"));
    let over = |part: &Frac, whole: &Frac| part * number::int(100) > whole * most;
    let some_currency = void.amounts.iter().any(|(currency, part)| over(part, &whole.amounts[currency]));
    over(&count(void.lines), &count(whole.lines)) || some_currency
}
