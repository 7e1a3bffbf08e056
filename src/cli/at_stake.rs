//! The points that wait with a version or a payment that was set aside: what its partners would have more, in all schemes, if it
//! were released. Worked out when it is asked for, since it changes with everything else that is known of the partner.

use super::choice;
use super::session::Session;
use super::worked::Scene;
use crate::domain::points::Points;
use crate::facts::dossier::Dossier;
use crate::facts::settle::{Decision, Verdict};
use crate::scheme::Family;
use crate::store::holds::Hold;
use crate::store::{EVENT_CONFLICT, Store};
use anyhow::Result;
use std::collections::BTreeSet;

/// Most holds that are weighed: beyond that nobody reads them one by one.
const MOST: usize = 1_000;

/// Weighs versions and payments that wait.
pub(super) struct Scales<'s> {
    store: &'s Store,
    scenes: Vec<Scene<'s>>,
    weighed: usize,
}

impl<'s> Scales<'s> {
    /// By these schemes; without any nothing is weighed.
    pub(super) fn of(session: &Session, store: &'s Store, families: &'s [Family]) -> Result<Scales<'s>> {
        let scene = |family| Scene::of(store, family, choice::day_of(store, family, session.as_of())?, None);
        Ok(Scales { store, scenes: families.iter().map(scene).collect::<Result<_>>()?, weighed: 0 })
    }

    /// The points at stake; `None` where the hold is on no version of a line and on no payment, or nobody can tell.
    pub(super) fn points(&mut self, hold: &Hold) -> Result<Option<Points>> {
        let (Some(seq), Some(file_line)) = (hold.file, hold.line) else { return Ok(None) };
        if self.weighed == MOST || self.scenes.is_empty() {
            return Ok(None);
        }
        self.weighed += 1;
        match hold.kind.as_str() {
            "identity_conflict" | "rows_vanished" => self.of_version(hold, (seq, file_line)),
            EVENT_CONFLICT => self.of_payment((seq, file_line)).map(Some),
            _ => Ok(None),
        }
    }

    /// Of a payment: the invoices that it would pay, and those that it would pay no longer.
    fn of_payment(&self, (seq, file_line): (i64, u64)) -> Result<Points> {
        let mut sum = Points::ZERO;
        for partner in self.store.payers(seq, file_line)? {
            let payments = self.store.payments_if_released(&partner, (seq, file_line))?;
            for scene in &self.scenes {
                let mut dossier = scene.dossier(self.store, &partner)?;
                let before = earned(scene, &dossier)?;
                dossier.payments.clone_from(&payments);
                let after = earned(scene, &dossier)?;
                sum = Points(sum.0.saturating_add(after.0.saturating_sub(before.0)));
            }
        }
        Ok(sum)
    }

    fn of_version(&self, hold: &Hold, (seq, file_line): (i64, u64)) -> Result<Option<Points>> {
        let mut sum = Points::ZERO;
        for scene in &self.scenes {
            let Some((mut dossier, rank)) = self.dossier(scene, hold, (seq, file_line))? else {
                return Ok(None);
            };
            let before = earned(scene, &dossier)?;
            let (at, verdict) = (i64::MAX - 1, Verdict::Release);
            dossier.decisions.push(Decision { at, rank, file_line, verdict });
            let after = earned(scene, &dossier)?;
            let Some(sums) = sum.checked_add(Points(after.0.saturating_sub(before.0))) else {
                return Ok(None);
            };
            sum = sums;
        }
        Ok(Some(sum))
    }

    /// Of the partner whom the version names, under whatever code; and the place of its file in the order of ingestion.
    fn dossier(&self, scene: &Scene<'_>, hold: &Hold, row: (i64, u64)) -> Result<Option<(Dossier, i64)>> {
        let dossier = scene.dossier(self.store, &hold.partner)?;
        let found = scene.look_whole(&dossier, &BTreeSet::new(), |_, said, _| {
            let found = said.iter().find(|said| (said.seq, said.row.file_line) == row);
            found.map(|said| (said.row.partner_code.to_owned(), said.rank))
        })?;
        Ok(match found {
            Some((partner, rank)) if partner != hold.partner => {
                Some((scene.dossier(self.store, &partner)?, rank))
            }
            Some((_, rank)) => Some((dossier, rank)),
            None => None,
        })
    }
}

fn earned(scene: &Scene<'_>, dossier: &Dossier) -> Result<Points> {
    scene.look(dossier, &BTreeSet::new(), |positions, _| {
        let points = positions.positions.iter().map(|position| position.points.0);
        Points(points.fold(0, i64::saturating_add))
    })
}
