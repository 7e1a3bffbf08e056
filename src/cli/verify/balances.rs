//! Convergence (product.md): for every partner, and every cycle that has posted, what was posted and is held is what
//! the facts in force give. Evaluated anew from facts, by the scheme texts that the last run went by.

use super::{Proof, unfinished};
use crate::batch;
use crate::calendar::{Cycle, ZoneCache};
use crate::cli::summary::counted;
use crate::domain::points::Points;
use crate::evaluate::{Facts, World, evaluate};
use crate::facts::dossier::Dossier;
use crate::facts::fx::Rates;
use crate::facts::master::ItemRecord;
use crate::scheme::{Family, Post};
use crate::store::Store;
use crate::store::positions::Kept;
use crate::store::versions::MadeBy;
use anyhow::{Context, Result};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Partners read at once.
const BATCH: usize = 64;

pub(super) fn prove(store: &Store) -> Result<Proof> {
    let mut proof = Proof::default();
    if let Some(run) = unfinished(store)? {
        proof.notes.push(format!("run {run} has not finished: balances are compared once the next run has"));
        proof.well = "not compared".into();
        return Ok(proof);
    }
    let Some(started) = store.last_record("run-started")? else {
        proof.well = "there was no run yet".into();
        return Ok(proof);
    };
    let now = chrono::DateTime::parse_from_rfc3339(&started.stamp.at)
        .with_context(|| format!("journal record {} has no instant", started.seq))?;
    let items = store.items(None)?;
    let rates = store.rates(None)?;
    let mut compared = Compared::default();
    for family in batch::evaluated_families(store)? {
        let first = family.versions.first().context("a scheme has at least one version")?;
        let zone = ZoneCache::new(first.timezone);
        let scene = Scene {
            store,
            family: &family,
            items: items.as_ref(),
            has_partner_master: store.master_state()?.0,
            rates: &rates,
            today: now.with_timezone(&first.timezone).date_naive(),
            zone: &zone,
            closed: store.closed(&family.id)?.into_iter().map(|closed| Cycle(closed.cycle)).collect(),
        };
        scene.compare(&mut compared, &mut proof)?;
    }
    proof.well = format!("{} re-evaluated from facts", counted(compared.positions, "position"));
    if compared.waiting > 0 {
        let partners = counted(compared.waiting, "partner");
        proof.notes.push(format!("{partners} with news for the next run: not compared"));
    }
    Ok(proof)
}

#[derive(Debug, Default)]
struct Compared {
    positions: u64,
    waiting: u64,
}

struct Scene<'s> {
    store: &'s Store,
    family: &'s Family,
    items: Option<&'s HashMap<String, Vec<ItemRecord>>>,
    has_partner_master: bool,
    rates: &'s Rates,
    today: chrono::NaiveDate,
    zone: &'s ZoneCache,
    closed: BTreeSet<Cycle>,
}

/// partner -> cycle name -> millionths of points
type Posted = BTreeMap<String, BTreeMap<String, i64>>;

impl Scene<'_> {
    fn compare(&self, compared: &mut Compared, proof: &mut Proof) -> Result<()> {
        let mut posted: Posted = self.store.posted_sums(&self.family.id)?;
        let mut after = String::new();
        loop {
            let dossiers = self.store.dossiers_after(&after, BATCH)?;
            let Some(last) = dossiers.last() else { break };
            after.clone_from(&last.partner);
            for dossier in &dossiers {
                if self.store.is_stale(&dossier.partner)? {
                    compared.waiting += 1;
                    posted.remove(&dossier.partner);
                } else {
                    let posted = posted.remove(&dossier.partner).unwrap_or_default();
                    self.partner(dossier, posted, compared, proof)?;
                }
            }
        }
        for (partner, cycles) in posted {
            self.without_facts(&partner, cycles, proof);
        }
        Ok(())
    }

    fn without_facts(&self, partner: &str, cycles: BTreeMap<String, i64>, proof: &mut Proof) {
        for (cycle, points) in cycles.into_iter().filter(|(_, points)| *points != 0) {
            let how = format!(
                "{} points are posted for cycle {cycle}, and no fact in force earns any",
                Points(points)
            );
            proof.finds(format!("{} partner {partner}", self.family.id), how);
        }
    }

    /// The other version that worked a position out, where what is posted and held is what it made: the difference is then
    /// that of two versions, and nobody has tampered with anything.
    fn of_another(&self, stands: Option<&Kept>, of: (&str, Cycle, &str), has: i64) -> Result<Option<MadeBy>> {
        let Some(before) = batch::by_another(self.store, stands)? else { return Ok(None) };
        let (points, held) = stands.map_or((Points::ZERO, Points::ZERO), |kept| (kept.points, kept.held));
        let withheld = batch::withheld(self.store, of, held, points.0.saturating_sub(has))?;
        Ok((has.saturating_add(withheld) == points.0).then_some(before))
    }

    fn partner(
        &self,
        dossier: &Dossier,
        mut posted: BTreeMap<String, i64>,
        compared: &mut Compared,
        proof: &mut Proof,
    ) -> Result<()> {
        let partner = dossier.partner.as_str();
        let world = World {
            family: self.family,
            items: self.items,
            has_partner_master: self.has_partner_master,
            rates: self.rates,
            waived: None,
            today: self.today,
            zone: self.zone,
        };
        let facts = Facts::of(&world, dossier)?;
        let kept = self.store.positions_of(&self.family.id, partner)?;
        let known: BTreeSet<Cycle> = kept.iter().map(|kept| Cycle(kept.cycle)).collect();
        for position in &evaluate(&world, &facts.subject(&known)).positions {
            let version = self.family.scheme(position.version);
            let name = version.calendar.name(position.cycle);
            let has = posted.remove(&name).unwrap_or(0);
            let posts = self.closed.contains(&position.cycle) || version.post == Post::Continuous;
            let gives = if posts { position.points.0 } else { 0 };
            let held = if posts { position.held_points } else { Points::ZERO };
            let of = (self.family.id.as_str(), position.cycle, partner);
            let withheld = batch::withheld(self.store, of, held, gives.saturating_sub(has))?;
            compared.positions += 1;
            if has.saturating_add(withheld) == gives {
                continue;
            }
            let what = format!("{} partner {partner}", self.family.id);
            let how = format!("cycle {name} has {} points posted and {} held", Points(has), Points(withheld));
            let gives = Points(gives);
            let stands = kept.iter().find(|kept| kept.cycle == position.cycle.0);
            match self.of_another(stands, of, has)? {
                Some(before) => proof.differs.push((
                    what,
                    format!(
                        "{how}, as {before} worked it out; {} makes {gives} of the facts in force",
                        batch::this_version()
                    ),
                )),
                None => proof.finds(what, format!("{how}, and the facts in force give {gives}")),
            }
        }
        self.without_facts(partner, posted, proof);
        Ok(())
    }
}
