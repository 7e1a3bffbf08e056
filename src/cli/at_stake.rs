//! The points that wait with a version that was set aside: what its partner would have more, in all schemes, if it were
//! released. Worked out when it is asked for, since it changes with everything else that is known of the partner.

use super::choice;
use super::session::Session;
use super::worked::Scene;
use crate::domain::points::Points;
use crate::facts::dossier::Dossier;
use crate::facts::settle::{Decision, Verdict};
use crate::scheme::Family;
use crate::store::Store;
use crate::store::holds::Hold;
use anyhow::Result;
use std::collections::BTreeSet;

/// Most holds that are weighed: beyond that nobody reads them one by one.
const MOST: usize = 1_000;

/// Weighs versions that wait.
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

    /// The points at stake; `None` where the hold is on no version of a line, or nobody can tell.
    pub(super) fn points(&mut self, hold: &Hold) -> Result<Option<Points>> {
        let (Some(seq), Some(file_line)) = (hold.file, hold.line) else { return Ok(None) };
        if !matches!(hold.kind.as_str(), "identity_conflict" | "rows_vanished") || self.weighed == MOST {
            return Ok(None);
        }
        self.weighed += 1;
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
        Ok((!self.scenes.is_empty()).then_some(sum))
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
