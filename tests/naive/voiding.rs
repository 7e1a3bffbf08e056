//! interfaces.md 2, `max_void_percent`: how much of what a period's files say would be void with a newer file in their place.

use std::collections::BTreeSet;

use num_traits::{Signed, Zero};

use super::facts::{Facts, Key};
use super::number::{self, Frac};
use super::reading::{Kind, Sale};

/// Lines and their amounts, without their signs.
struct Sum {
    lines: usize,
    amount: Frac,
}

impl Sum {
    fn of(rows: &[Sale]) -> Sum {
        let amount = rows.iter().fold(Frac::zero(), |sum, row| sum + row.amount.abs());
        Sum { lines: rows.len(), amount }
    }

    fn add(&mut self, other: Sum) {
        self.lines += other.lines;
        self.amount += other.amount;
    }

    /// Without what is left of it.
    fn less(self, left: &Sum) -> Sum {
        let amount = (self.amount - &left.amount).max(Frac::zero());
        Sum { lines: self.lines - left.lines, amount }
    }
}

/// Whether of the lines in force that the replaced files carry, or of their amounts, more than so many of a hundred would be
/// said no longer.
pub fn too_much(before: &Facts, after: &Facts, carried: &BTreeSet<Key>, most: &Frac) -> bool {
    let (mut whole, mut void) = (Sum::of(&[]), Sum::of(&[]));
    let in_force = |key: &&Key| {
        key.0.kind != Kind::Cancellation && before.speaking.contains_key(*key) && !before.cancelled(key)
    };
    for key in carried.iter().filter(in_force) {
        let was = Sum::of(&before.speaking[key].rows);
        let is = Sum::of(after.speaking.get(key).map_or(&[], |version| &version.rows));
        whole.add(Sum { lines: was.lines, amount: was.amount.clone() });
        if is.lines < was.lines {
            void.add(was.less(&is));
        }
    }
    let count = |n: usize| number::int(i64::try_from(n).expect("a count of rows"));
    let over = |part: Frac, whole: Frac| part * number::int(100) > whole * most;
    over(count(void.lines), count(whole.lines)) || over(void.amount, whole.amount)
}
