//! A scheme file edited in place: what that changes in closed cycles waits for a person (evaluation.md 4).
//!
//! Closed cycles go by the text that they were closed with (they are pinned to it). Here the partners are evaluated once by
//! today's file as well; where it makes a difference a hold says how much, and a release pins the cycle to today's text.

use super::Run;
use super::evaluating::name_of;
use crate::calendar::{Cycle, ZoneCache};
use crate::evaluate::{Payments, Subject, World, evaluate};
use crate::facts::dossier::Dossier;
use crate::facts::settle::settle;
use crate::scheme::Family;
use crate::store::holds::{Hold, HoldState, NewHold};
use anyhow::{Context, Result, anyhow};
use rust_decimal::Decimal;
use std::collections::{BTreeMap, BTreeSet};

const KIND: &str = "scheme_edited";
/// Partners read at once.
const BATCH: usize = 64;

/// What today's file would change in one closed cycle.
#[derive(Debug, Default)]
struct Change {
    partners: u64,
    points: i64,
}

impl Run<'_> {
    /// Carries out released edits and holds new ones; the family as the run then goes by it.
    pub(super) fn weigh_edits(&mut self, family: Family) -> Result<Family> {
        let today = family.unpinned();
        self.end_edits_taken_back(&family, &today)?;
        if !family.has_pins() {
            return Ok(family);
        }
        let mut undecided = BTreeMap::new();
        let mut released = false;
        for closed in self.store.closed(&family.id)? {
            let cycle = Cycle(closed.cycle);
            if !family.is_pinned(cycle) {
                continue;
            }
            let version = today.version_for(cycle).map(|scheme| scheme.version.clone());
            let last = self.store.last_hold(KIND, &subject(&family, cycle, version.as_deref()))?;
            match last.as_ref().map(|hold| (hold.state, hold)) {
                Some((HoldState::Released, hold)) => {
                    self.go_on()?;
                    self.pin_today(&family, cycle, closed.day, version.as_deref(), hold)?;
                    released = true;
                }
                Some((HoldState::Open | HoldState::Discarded, _)) => {}
                // it was weighed, and there was nothing to decide
                Some((HoldState::Gone, hold)) if self.store.ended_at_once(hold.id)? => {}
                // taken back or carried out since, and now it is there again
                Some((HoldState::Gone | HoldState::Done, _)) | None => {
                    undecided.insert(cycle, version);
                }
            }
        }
        if !undecided.is_empty() {
            self.hold_edits(&family, &today, &undecided)?;
        }
        if released { super::schemes::with_pins(&self.store, today) } else { Ok(family) }
    }

    /// Holds on edits that are no longer in the file end.
    fn end_edits_taken_back(&self, family: &Family, today: &Family) -> Result<()> {
        let seq = self.store.journal_head()?.0;
        let mut stand = Vec::new();
        for closed in self.store.closed(&family.id)? {
            let cycle = Cycle(closed.cycle);
            if family.is_pinned(cycle) {
                let version = today.version_for(cycle).map(|scheme| scheme.version.as_str());
                stand.push(subject(family, cycle, version));
            }
        }
        for hold in self.store.open_holds_of(&family.id, "")? {
            if hold.kind == KIND && !stand.contains(&hold.subject) {
                self.store.end_hold(hold.id, HoldState::Gone, seq)?;
            }
        }
        Ok(())
    }

    fn pin_today(
        &mut self,
        family: &Family,
        cycle: Cycle,
        day: chrono::NaiveDate,
        version: Option<&str>,
        hold: &Hold,
    ) -> Result<()> {
        let stamp = self.stamp.clone();
        let name = name_of(family, cycle);
        self.store.whole(|store| {
            let reason = format!("hold {} released", hold.id);
            let seq = store.close(&stamp, &family.id, (cycle.0, &name), day, version, &reason)?;
            store.end_hold(hold.id, HoldState::Done, seq)
        })
    }

    fn hold_edits(
        &mut self,
        family: &Family,
        today: &Family,
        undecided: &BTreeMap<Cycle, Option<String>>,
    ) -> Result<()> {
        let changes = self.changes(family, today, undecided)?;
        let seq = self.store.journal_head()?.0;
        for (&cycle, version) in undecided {
            let change = changes.get(&cycle);
            let new = NewHold {
                kind: KIND,
                subject: subject(family, cycle, version.as_deref()),
                scheme: family.id.clone(),
                cycle: name_of(family, cycle),
                partner: String::new(),
                file: None,
                line: None,
                lines: 0,
                amount: Decimal::ZERO,
                points: change.map_or(0, |change| change.points),
                detail: format!(
                    "the scheme file was edited after this cycle closed: {} partners would get other points",
                    change.map_or(0, |change| change.partners)
                ),
            };
            self.store.whole(|store| {
                store.end_holds(KIND, &format!("{}|{}|", family.id, cycle.0), HoldState::Gone, seq)?;
                store.open_hold(seq, &new)?;
                if change.is_none_or(|change| change.partners == 0) {
                    // nothing to decide; remembered, so that it is not weighed again
                    store.end_holds(KIND, &new.subject, HoldState::Gone, seq)?;
                }
                Ok(())
            })?;
            if change.is_some_and(|change| change.partners > 0) {
                self.report.new_holds.push(new);
            }
        }
        Ok(())
    }

    /// Evaluates every partner by today's file and compares with the positions that stand.
    fn changes(
        &self,
        family: &Family,
        today: &Family,
        undecided: &BTreeMap<Cycle, Option<String>>,
    ) -> Result<BTreeMap<Cycle, Change>> {
        let first = today.versions.first().context("a scheme has at least one version")?;
        let items = self.store.items(None)?;
        let rates = self.store.rates(None)?;
        let zone = ZoneCache::new(first.timezone);
        let world = World {
            family: today,
            items: items.as_ref(),
            has_partner_master: self.store.master_state()?.0,
            rates: &rates,
            waived: None,
            today: self.order.now.with_timezone(&first.timezone).date_naive(),
            zone: &zone,
        };
        let mut changes: BTreeMap<Cycle, Change> = BTreeMap::new();
        let mut after = String::new();
        loop {
            self.order.cancel.check()?;
            let dossiers = self.store.dossiers_after(&after, BATCH)?;
            let Some(last) = dossiers.last() else { return Ok(changes) };
            after.clone_from(&last.partner);
            for dossier in &dossiers {
                for (cycle, difference) in self.difference(family, &world, dossier, undecided)? {
                    let change = changes.entry(cycle).or_default();
                    change.partners += 1;
                    change.points = change.points.saturating_add(difference);
                }
            }
        }
    }

    fn difference(
        &self,
        family: &Family,
        world: &World<'_>,
        dossier: &Dossier,
        undecided: &BTreeMap<Cycle, Option<String>>,
    ) -> Result<Vec<(Cycle, i64)>> {
        let stands = self.store.positions_of(&family.id, &dossier.partner)?;
        let known_cycles: BTreeSet<Cycle> = stands.iter().map(|kept| Cycle(kept.cycle)).collect();
        let (said, called) =
            dossier.said_on(|when| world.business_date(when)).map_err(|fault| anyhow!(fault.0))?;
        let settled = settle(&said, &dossier.cancellations, &dossier.decisions);
        let subject = Subject {
            partner_code: &dossier.partner,
            lines: &settled.lines,
            masters: &dossier.masters,
            called: Some(&called),
            known_cycles: &known_cycles,
            payments: Payments::Said(&dossier.payments),
        };
        let would = evaluate(world, &subject);
        let mut differences = Vec::new();
        for &cycle in undecided.keys() {
            let due = would
                .positions
                .iter()
                .find(|position| position.cycle == cycle)
                .map_or(0, |position| position.points.0 - position.held_points.0);
            let stood = stands
                .iter()
                .find(|kept| kept.cycle == cycle.0)
                .map_or(0, |kept| kept.points.0 - kept.held.0);
            if due != stood {
                differences.push((cycle, due - stood));
            }
        }
        Ok(differences)
    }
}

/// Names an edit: scheme, cycle and the version that it would go by.
fn subject(family: &Family, cycle: Cycle, version: Option<&str>) -> String {
    format!("{}|{}|{}", family.id, cycle.0, version.unwrap_or("none"))
}
