//! What a file moved: the lines in force before it was taken and after, compared fact by fact. Pure.
//!
//! Answers for: which facts came new, say something else now, or are said no longer, with their amounts as written. Does not:
//! judge whether that is too much.

use super::amounts::Amounts;
use super::content;
use super::identity::DocumentNo;
use super::money::Money;
use super::row::{DocType, Row};
use super::settle::{Line, NumberScope};
use super::texts::same;
use rust_decimal::Decimal;
use std::cmp::Ordering;
use std::collections::BTreeSet;

/// So many lines, and the sums of their amounts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sum {
    /// how many
    pub lines: u64,
    /// as written
    pub amounts: Amounts,
}

impl Sum {
    /// Puts a line on top.
    pub fn add(&mut self, currency: &str, amount: Decimal) {
        self.lines += 1;
        self.amounts.add(currency, amount);
    }

    /// Puts all of another on top.
    pub fn absorb(&mut self, other: &Sum) {
        self.lines += other.lines;
        self.amounts.absorb(&other.amounts);
    }
}

/// What changed among the lines in force.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Movement {
    /// of facts that did not speak before
    pub new: Sum,
    /// of facts that say something else: as they were
    pub before: Sum,
    /// and as they are
    pub after: Sum,
    /// of facts that speak no longer
    pub voided: Sum,
    /// the files that said what was superseded
    pub superseded: BTreeSet<i64>,
}

impl Movement {
    /// Puts another's figures on top.
    pub fn absorb(&mut self, other: Movement) {
        let sums = [
            (&mut self.new, &other.new),
            (&mut self.before, &other.before),
            (&mut self.after, &other.after),
            (&mut self.voided, &other.voided),
        ];
        for (own, other) in sums {
            own.absorb(other);
        }
        self.superseded.extend(other.superseded);
    }
}

/// Names a fact: a line, or a document without line numbers ("").
pub type FactKey<'a> = (DocumentNo<'a>, DocType, Option<i32>, &'a str);

/// The fact that a row is about.
pub fn key<'a>(space: i64, scope: NumberScope, row: &Row<'a>) -> FactKey<'a> {
    (DocumentNo::of(space, scope, row), row.doc_type, row.number_year, row.line_no)
}

/// The fact that a line is about.
pub fn key_of<'a>(line: &Line<'a>) -> FactKey<'a> {
    key(line.space, line.scope, &line.row)
}

/// A fact that speaks: its lines, of one version.
pub type Fact<'l, 'a> = (FactKey<'a>, &'l [Line<'a>]);

/// The facts among lines as [`super::settle::settle`] gives them, in order.
pub fn facts<'l, 'a>(lines: &'l [Line<'a>]) -> Vec<Fact<'l, 'a>> {
    lines.chunk_by(|a, b| key_of(a) == key_of(b)).map(|fact| (key_of(&fact[0]), fact)).collect()
}

/// One fact before and after: one of them is there.
#[derive(Debug, Clone, Copy)]
pub struct Change<'l, 'a> {
    /// empty: it did not speak
    pub before: &'l [Line<'a>],
    /// empty: it does not speak
    pub after: &'l [Line<'a>],
}

impl<'l, 'a> Change<'l, 'a> {
    /// Whether it says what it said.
    pub fn is_none(&self) -> bool {
        let rows = |lines: &'l [Line<'a>]| lines.iter().map(|line| &line.row).collect();
        content::same_rows(rows(self.before), rows(self.after))
    }
}

/// Every fact that speaks before or after, in order.
pub fn changes<'l, 'a>(before: &'l [Line<'a>], after: &'l [Line<'a>]) -> Vec<Change<'l, 'a>> {
    let (before, after) = (facts(before), facts(after));
    let (mut old, mut new) = (before.iter().peekable(), after.iter().peekable());
    let mut changes = Vec::with_capacity(after.len());
    loop {
        let order = match (old.peek(), new.peek()) {
            (None, None) => return changes,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(old), Some(new)) => old.0.cmp(&new.0),
        };
        let before = if order.is_le() { old.next().map_or(&[][..], |fact| fact.1) } else { &[] };
        let after = if order.is_ge() { new.next().map_or(&[][..], |fact| fact.1) } else { &[] };
        changes.push(Change { before, after });
    }
}

/// What a change of facts moves for one partner; for whoever they are of where none is named. Cancelled lines count for nothing.
pub fn moved(changes: &[Change<'_, '_>], partner: Option<&str>) -> Movement {
    let mut movement = Movement::default();
    for change in changes {
        let (before, after) = (in_force(change.before, partner), in_force(change.after, partner));
        match (before.lines, after.lines) {
            (0, 0) => {}
            (0, _) => movement.new.absorb(&after),
            (_, 0) => movement.voided.absorb(&before),
            (_, _) if change.is_none() => {}
            (_, _) => {
                movement.before.absorb(&before);
                movement.after.absorb(&after);
                movement.superseded.extend(change.before.iter().map(|line| line.seq));
            }
        }
    }
    movement
}

/// What a change of one payment or deposit moves, `before` and `after` being the rows that speak of it, one an invoice.
pub fn money_moved(before: &[Money], after: &[Money]) -> Movement {
    let mut movement = Movement::default();
    let of =
        |rows: &'_ [Money], row: &Money| rows.iter().position(|other| other.invoice_no == row.invoice_no);
    for now in after {
        match of(before, now).map(|at| &before[at]) {
            None => movement.new.add(&now.currency, now.amount),
            Some(was) if was.same(now) => {}
            Some(was) => {
                movement.before.add(&was.currency, was.amount);
                movement.after.add(&now.currency, now.amount);
            }
        }
    }
    for was in before.iter().filter(|was| of(after, was).is_none()) {
        movement.voided.add(&was.currency, was.amount);
    }
    movement
}

/// The lines of a fact that are in force, of one partner where one is named.
pub fn in_force(lines: &[Line<'_>], partner: Option<&str>) -> Sum {
    let counts = |line: &&Line<'_>| {
        !line.cancelled && partner.is_none_or(|partner| same(line.row.partner_code, partner))
    };
    let mut sum = Sum::default();
    // nearly always they are of one currency
    let (mut currency, mut run) = ("", Decimal::ZERO);
    for line in lines.iter().filter(counts) {
        if !same(line.row.currency, currency) {
            sum.amounts.add(currency, run);
            (currency, run) = (line.row.currency, Decimal::ZERO);
        }
        sum.lines += 1;
        run = run.saturating_add(line.row.amount);
    }
    sum.amounts.add(currency, run);
    sum
}
