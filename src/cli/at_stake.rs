//! The points that wait with a version or a payment that was set aside: what its partners would have more, in all schemes, if it
//! were released. Worked out when it is asked for, since it changes with everything else that is known of the partner.

use super::choice;
use super::held_files::Stake;
use super::session::Session;
use super::worked::Scene;
use crate::domain::points::Points;
use crate::facts::dossier::Dossier;
use crate::facts::settle::{Decision, Verdict};
use crate::scheme::Family;
use crate::store::holds::Hold;
use crate::store::{EVENT_CONFLICT, Store};
use anyhow::Result;
use std::collections::{BTreeMap, BTreeSet};

/// Most holds that are weighed: beyond that nobody reads them one by one.
const MOST: usize = 1_000;

/// Most rows of one number among which the partners are looked for whom it concerns.
const PARTIES: usize = 1_000;

/// Most of these partners that are told.
const OTHERS: usize = 3;

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
    pub(super) fn weigh(&mut self, hold: &Hold) -> Result<Option<Stake>> {
        let (Some(seq), Some(file_line)) = (hold.file, hold.line) else { return Ok(None) };
        if self.weighed == MOST || self.scenes.is_empty() {
            return Ok(None);
        }
        self.weighed += 1;
        match hold.kind.as_str() {
            "identity_conflict" | "rows_vanished" => self.of_version(hold, (seq, file_line)),
            EVENT_CONFLICT => {
                let points = self.of_payment((seq, file_line))?;
                Ok(Some(Stake::Told { points, words: String::new() }))
            }
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

    fn of_version(&self, hold: &Hold, (seq, file_line): (i64, u64)) -> Result<Option<Stake>> {
        let mut sums: BTreeMap<String, Points> = BTreeMap::new();
        let mut own = String::new();
        for scene in &self.scenes {
            let Some((rank, partner, partners)) = self.concerned(scene, hold, (seq, file_line))? else {
                return Ok(None);
            };
            own = partner;
            for partner in partners {
                let mut dossier = scene.dossier(self.store, &partner)?;
                let before = earned(scene, &dossier)?;
                let (at, verdict) = (i64::MAX - 1, Verdict::Release);
                dossier.decisions.push(Decision { at, rank, file_line, verdict });
                let after = earned(scene, &dossier)?;
                let sum = sums.entry(partner).or_insert(Points::ZERO);
                *sum = Points(sum.0.saturating_add(after.0.saturating_sub(before.0)));
            }
        }
        let points = sums.remove(&own).unwrap_or(Points::ZERO);
        Ok(Some(Stake::Told { points, words: of_others(&sums) }))
    }

    /// The place of a version's file in the order of ingestion, whose it says that the line is, and the partners whom its document
    /// concerns: that one, and those from whom it would take it.
    fn concerned(
        &self,
        scene: &Scene<'_>,
        hold: &Hold,
        row: (i64, u64),
    ) -> Result<Option<(i64, String, BTreeSet<String>)>> {
        let dossier = scene.dossier(self.store, &hold.partner)?;
        scene.look_whole(&dossier, &BTreeSet::new(), |_, said, _| {
            let version = said.iter().find(|said| (said.seq, said.row.file_line) == row)?;
            let of_number = said.iter().filter(|said| said.row.invoice_no == version.row.invoice_no);
            let parties = of_number.map(|said| said.row.partner_code.to_owned());
            let own = version.row.partner_code.to_owned();
            Some((version.rank, own.clone(), parties.take(PARTIES).chain([own]).collect()))
        })
    }
}

/// What partners would have who are not the one of the version.
fn of_others(sums: &BTreeMap<String, Points>) -> String {
    let told = |(partner, points): (&String, &Points)| {
        let (size, how) = (Points(points.0.saturating_abs()), if points.0 < 0 { "less" } else { "more" });
        format!("released now {partner} has {size} points {how}")
    };
    let moved = sums.iter().filter(|(_, points)| points.0 != 0);
    moved.take(OTHERS).map(told).collect::<Vec<_>>().join("; ")
}

fn earned(scene: &Scene<'_>, dossier: &Dossier) -> Result<Points> {
    scene.look(dossier, &BTreeSet::new(), |positions, _| {
        let points = positions.positions.iter().map(|position| position.points.0);
        Points(points.fold(0, i64::saturating_add))
    })
}
