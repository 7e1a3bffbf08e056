//! Versions that were set aside when they arrived, seen again with all that is known by now.
//!
//! A local code may have come to mean the partner whom a version seemed to change, or another one; what contradicted may have
//! fallen silent. So a hold ends when its cause is gone, and one is opened where a contradiction has come to light.

use super::Run;
use super::evaluating::Scene;
use crate::facts::alias::Called;
use crate::facts::dossier::Dossier;
use crate::facts::settle::{Fate, Line, Said};
use crate::store::held_facts;
use crate::store::holds::{Hold, HoldState, NewHold, Opened};
use anyhow::Result;
use std::collections::BTreeSet;

/// Kinds of holds on versions of lines.
const KINDS: [&str; 2] = ["identity_conflict", "rows_vanished"];

/// What became of a partner's versions that were set aside.
#[derive(Debug, Default)]
pub(super) struct Aside {
    /// set aside now, and not decided by a person
    held: Vec<NewHold>,
    /// ids of holds whose version is set aside no longer
    gone: Vec<i64>,
}

/// Looks at them: `said` with their fates, and the holds that wait.
pub(super) fn review(
    dossier: &Dossier,
    said: &[Said<'_>],
    (fates, lines): (&[Fate], &[Line<'_>]),
    called: &Called<'_>,
    waiting: &[Hold],
) -> Aside {
    let mut aside = Aside::default();
    let ours = |said: &Said<'_>| said.row.partner_code == dossier.partner;
    for hold in waiting {
        let found = said.iter().zip(fates).find(|(said, _)| {
            Some(said.seq) == hold.file && Some(said.row.file_line) == hold.line && ours(said)
        });
        if found.is_some_and(|(_, fate)| !matches!(fate, Fate::Held(_))) {
            aside.gone.push(hold.id);
        }
    }
    if fates.iter().any(|fate| matches!(fate, Fate::Held(_))) {
        aside.held = held_facts(said.iter().zip(fates.iter().copied()), lines);
        aside.held.retain(|hold| hold.partner == dossier.partner && !is_decided(dossier, said, hold));
        for hold in &mut aside.held {
            // holds and decisions go by the code that the file gives
            let row = hold.file.zip(hold.line);
            if let Some(code) = row.and_then(|row| called.codes.get(&row)) {
                hold.partner = (*code).to_owned();
            }
        }
    }
    aside
}

fn is_decided(dossier: &Dossier, said: &[Said<'_>], hold: &NewHold) -> bool {
    let held = said.iter().find(|said| Some(said.seq) == hold.file && Some(said.row.file_line) == hold.line);
    dossier.decisions.iter().any(|decision| {
        held.is_some_and(|said| (said.rank, said.row.file_line) == (decision.rank, decision.file_line))
    })
}

impl Run<'_> {
    /// The holds that wait on versions under the codes of a dossier.
    pub(super) fn waiting_versions(&self, scene: &Scene<'_>, dossier: &Dossier) -> Result<Vec<Hold>> {
        let mut waiting = Vec::new();
        if scene.holds {
            let codes: BTreeSet<&str> = dossier.others.iter().map(|raw| raw.partner.as_str()).collect();
            for code in codes.into_iter().chain([dossier.partner.as_str()]) {
                waiting.extend(self.store.open_holds_of("", code)?);
            }
            waiting.retain(|hold| KINDS.contains(&hold.kind.as_str()));
        }
        Ok(waiting)
    }

    /// Ends and opens what a review found.
    pub(super) fn keep_aside(&mut self, seq: i64, aside: &Aside) -> Result<()> {
        for &id in &aside.gone {
            self.store.end_hold(id, HoldState::Gone, seq)?;
        }
        for new in &aside.held {
            let last = self.store.last_hold(new.kind, &new.subject)?;
            let opens = last.is_none_or(|last| last.state == HoldState::Gone);
            if opens && self.store.open_hold(seq, new)? == Opened::New {
                self.report.new_holds.push(new.clone());
            }
        }
        Ok(())
    }
}
