//! Payments against deposits, by `deposit_ref` and day: totals, and every variance above the tolerance.

use super::Line;
use super::bridge::DIFFERENCE;
use crate::config::Config;
use crate::domain::frac::Frac;
use crate::scheme::Family;
use crate::store::Store;
use crate::store::reconcile::Settlement;
use anyhow::Result;
use std::collections::BTreeMap;

/// What is summed up of one currency.
#[derive(Debug, Default)]
struct Totals {
    payments: i64,
    paid: Frac,
    deposits: i64,
    deposited: Frac,
    /// variances that are listed
    listed: Frac,
    /// those that are not
    within: Frac,
}

/// Prints every variance, then the totals; how many variances there are. Nothing where no deposit was ever said.
pub(super) fn compare(
    config: &Config,
    store: &Store,
    families: &[Family],
    print: &mut dyn FnMut(Line) -> Result<()>,
) -> Result<u64> {
    if !store.has_deposits()? {
        return Ok(0);
    }
    let tolerance = Frac::from(config.report.reconciliation_tolerance);
    let mut comparing =
        Comparing { tolerance, totals: BTreeMap::new(), variances: 0, print, days: Vec::new() };
    store.each_settlement(usual_currency(families), |settlement| comparing.take(settlement))?;
    comparing.end()
}

/// Of money that names none: the one that all schemes have.
fn usual_currency(families: &[Family]) -> &str {
    let mut currencies =
        families.iter().flat_map(|family| &family.versions).map(|version| version.currency.as_str());
    match currencies.next() {
        Some(first) if currencies.all(|other| other == first) => first,
        Some(_) | None => "",
    }
}

struct Comparing<'p> {
    tolerance: Frac,
    totals: BTreeMap<String, Totals>,
    variances: u64,
    print: &'p mut dyn FnMut(Line) -> Result<()>,
    /// of one reference and currency
    days: Vec<Settlement>,
}

impl Comparing<'_> {
    fn take(&mut self, day: Settlement) -> Result<()> {
        let other = self.days.first().is_some_and(|first| {
            (first.pool, &first.deposit_ref, &first.currency) != (day.pool, &day.deposit_ref, &day.currency)
        });
        if other {
            self.reference()?;
        }
        self.days.push(day);
        Ok(())
    }

    /// All days of one reference.
    fn reference(&mut self) -> Result<()> {
        let days = std::mem::take(&mut self.days);
        let variance = |day: &Settlement| &day.paid - &day.deposited;
        let together: Frac = days.iter().map(variance).collect::<Vec<_>>().iter().sum();
        let only_days = together.abs() <= self.tolerance;
        for day in &days {
            let variance = variance(day);
            let totals = self.totals.entry(day.currency.clone()).or_default();
            totals.payments += day.payments as i64;
            totals.paid += &day.paid;
            totals.deposits += day.deposits as i64;
            totals.deposited += &day.deposited;
            if variance.abs() <= self.tolerance {
                totals.within += &variance;
                continue;
            }
            totals.listed += &variance;
            self.variances += 1;
            let reason = match (day.payments, day.deposits) {
                _ if only_days && !day.deposit_ref.is_empty() => "another day",
                (_, 0) if day.deposit_ref.is_empty() => "no deposit_ref",
                (_, 0) => "no deposit",
                (0, _) => "no payment",
                (_, _) => "amount",
            };
            (self.print)(Line {
                section: "deposits",
                deposit_ref: day.deposit_ref.clone(),
                date: day.day.to_string(),
                currency: day.currency.clone(),
                item: "variance",
                reason: reason.to_owned(),
                rows: (day.payments + day.deposits) as i64,
                amount: variance,
                against: Some((day.paid.clone(), day.deposited.clone())),
                ..Line::default()
            })?;
        }
        Ok(())
    }

    fn end(mut self) -> Result<u64> {
        self.reference()?;
        for (currency, totals) in std::mem::take(&mut self.totals) {
            let head = Line { section: "deposits", currency, ..Line::default() };
            let left = &(&totals.paid - &totals.deposited) - &(&totals.listed + &totals.within);
            let lines = [
                ("paid", totals.payments, totals.paid),
                ("deposited", totals.deposits, totals.deposited),
                ("variances", 0, totals.listed),
                ("within_tolerance", 0, totals.within),
                (DIFFERENCE, 0, left),
            ];
            for (item, rows, amount) in lines {
                (self.print)(Line { item, rows, amount, ..head.clone() })?;
            }
        }
        Ok(self.variances)
    }
}
