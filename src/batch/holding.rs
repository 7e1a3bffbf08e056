//! A scheme file edited in place: what that changes in closed cycles waits for a person (evaluation.md 4).
//!
//! Closed cycles go by the text that they were closed with (they are pinned to it). As long as there are such cycles, whoever is
//! evaluated is evaluated by today's file as well, and what that would give each partner more is kept. Where it makes a
//! difference a hold says how much, brought up to date by every run; a release pins the cycle to today's text.

use super::Run;
use super::evaluating::name_of;
use crate::calendar::Cycle;
use crate::evaluate::Positions;
use crate::scheme::Family;
use crate::store::cycles::Closed;
use crate::store::edits::EditChange;
use crate::store::holds::{Hold, HoldState, NewHold, Opened};
use anyhow::Result;
use rust_decimal::Decimal;

const KIND: &str = "scheme_edited";

impl Run<'_> {
    /// Carries out released edits; the family as the run then goes by it.
    pub(super) fn carry_out_edits(&mut self, family: Family) -> Result<Family> {
        let today = family.unpinned();
        self.end_edits_taken_back(&family, &today)?;
        if !family.has_pins() {
            return Ok(family);
        }
        let mut released = false;
        for (cycle, closed) in self.pinned(&family)? {
            let version = today.version_for(cycle).map(|scheme| scheme.version.clone());
            let last = self.store.last_hold(KIND, &subject(&family, cycle, version.as_deref()))?;
            if let Some(hold) = last.filter(|hold| hold.state == HoldState::Released) {
                self.go_on()?;
                self.pin_today(&family, cycle, closed.day, version.as_deref(), &hold)?;
                released = true;
            }
        }
        if released { super::schemes::with_pins(&self.store, today) } else { Ok(family) }
    }

    /// Closed cycles that go by another text than today's.
    fn pinned(&self, family: &Family) -> Result<Vec<(Cycle, Closed)>> {
        let closed = self.store.closed(&family.id)?.into_iter().map(|closed| (Cycle(closed.cycle), closed));
        Ok(closed.filter(|(cycle, _)| family.is_pinned(*cycle)).collect())
    }

    /// Holds on edits that are no longer in the file end.
    fn end_edits_taken_back(&self, family: &Family, today: &Family) -> Result<()> {
        let seq = self.store.journal_head()?.0;
        let mut stand = Vec::new();
        for (cycle, _) in self.pinned(family)? {
            let version = today.version_for(cycle).map(|scheme| scheme.version.as_str());
            stand.push(subject(family, cycle, version));
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

    /// Holds what today's file would change in closed cycles, once everybody concerned is evaluated and posted.
    pub(super) fn hold_edits(&mut self, family: &Family) -> Result<()> {
        if !family.has_pins() {
            return Ok(());
        }
        let today = family.unpinned();
        let seq = self.store.journal_head()?.0;
        for (cycle, _) in self.pinned(family)? {
            let version = today.version_for(cycle).map(|scheme| scheme.version.as_str());
            let change = self.store.edit_change(&family.id, cycle.0)?;
            let new = edited(family, (cycle, version), change);
            let last = self.store.last_hold(KIND, &new.subject)?;
            match last.map(|hold| hold.state) {
                // a person has decided about this text
                Some(HoldState::Released | HoldState::Discarded) => {}
                Some(HoldState::Open | HoldState::Gone | HoldState::Done) | None => {
                    self.keep_edit(family, cycle, seq, new, change)?;
                }
            }
        }
        Ok(())
    }

    fn keep_edit(
        &mut self,
        family: &Family,
        cycle: Cycle,
        seq: i64,
        new: NewHold,
        change: EditChange,
    ) -> Result<()> {
        let opened = self.store.whole(|store| {
            if change.partners == 0 {
                store.end_holds(KIND, &new.subject, HoldState::Gone, seq)?;
                return Ok(Opened::Known);
            }
            for other in store.open_holds_of(&family.id, "")? {
                let older = other.kind == KIND && other.subject != new.subject;
                if older && other.subject.starts_with(&format!("{}|{}|", family.id, cycle.0)) {
                    store.end_hold(other.id, HoldState::Gone, seq)?;
                }
            }
            store.open_hold(seq, &new)
        })?;
        if opened == Opened::New {
            self.report.new_holds.push(new);
        }
        Ok(())
    }
}

/// What today's file would give a partner more, for each closed cycle that goes by an older text: millionths of points.
/// `position` is what it has by the texts in force.
pub(super) fn differences(family: &Family, position: &Positions, by_today: &Positions) -> Vec<(i32, i64)> {
    let mut cycles: Vec<Cycle> =
        position.positions.iter().chain(&by_today.positions).map(|position| position.cycle).collect();
    cycles.sort_unstable();
    cycles.dedup();
    let due = |positions: &Positions, cycle| {
        let position = positions.positions.iter().find(|position| position.cycle == cycle);
        position.map_or(0, |position| position.points.0.saturating_sub(position.held_points.0))
    };
    let difference = |cycle| due(by_today, cycle).saturating_sub(due(position, cycle));
    let pinned = cycles.into_iter().filter(|cycle| family.is_pinned(*cycle));
    pinned.map(|cycle| (cycle.0, difference(cycle))).filter(|(_, points)| *points != 0).collect()
}

fn edited(family: &Family, (cycle, version): (Cycle, Option<&str>), change: EditChange) -> NewHold {
    let partners = match change.partners {
        1 => "1 partner".to_owned(),
        many => format!("{many} partners"),
    };
    NewHold {
        kind: KIND,
        subject: subject(family, cycle, version),
        scheme: family.id.clone(),
        cycle: name_of(family, cycle),
        partner: String::new(),
        file: None,
        line: None,
        lines: 0,
        amount: Decimal::ZERO,
        points: change.points,
        detail: format!(
            "the scheme file was edited after this cycle closed: {partners} would get other points"
        ),
    }
}

/// Names an edit: scheme, cycle and the version that it would go by.
fn subject(family: &Family, cycle: Cycle, version: Option<&str>) -> String {
    format!("{}|{}|{}", family.id, cycle.0, version.unwrap_or("none"))
}
