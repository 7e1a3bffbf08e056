//! Positions worked out again from the facts in the store, for commands that read: as they stand, or as they stood.

use crate::calendar::{Cycle, ZoneCache};
use crate::evaluate::{Facts, Positions, World, evaluate};
use crate::facts::dossier::Dossier;
use crate::facts::fx::Rates;
use crate::facts::master::ItemRecord;
use crate::facts::settle::{Line, Said, Settled};
use crate::scheme::Family;
use crate::store::Store;
use anyhow::Result;
use chrono::NaiveDate;
use std::collections::{BTreeSet, HashMap};

/// What is the same for every partner of one scheme.
pub(super) struct Scene<'f> {
    pub(super) family: &'f Family,
    items: Option<HashMap<String, Vec<ItemRecord>>>,
    has_partner_master: bool,
    rates: Rates,
    today: NaiveDate,
    zone: ZoneCache,
    file_names: HashMap<i64, String>,
    upto: Option<i64>,
}

impl<'f> Scene<'f> {
    /// As the store stands; with `upto`, as it stood when that journal record was the last.
    pub(super) fn of(
        store: &Store,
        family: &'f Family,
        today: NaiveDate,
        upto: Option<i64>,
    ) -> Result<Scene<'f>> {
        Ok(Scene {
            family,
            items: store.items(upto)?,
            has_partner_master: store.has_partner_master(upto)?,
            rates: store.rates(upto)?,
            today,
            zone: ZoneCache::new(family.versions[0].timezone),
            file_names: store.file_names()?,
            upto,
        })
    }

    /// A partner's facts.
    pub(super) fn dossier(&self, store: &Store, partner: &str) -> Result<Dossier> {
        store.dossier(partner, self.upto)
    }

    /// Works out every position of a partner and looks at them. Cycles in `known` have one even without a line.
    pub(super) fn look<T>(
        &self,
        dossier: &Dossier,
        known: &BTreeSet<Cycle>,
        look: impl FnOnce(&Positions, &[Line<'_>]) -> T,
    ) -> Result<T> {
        self.look_whole(dossier, known, |positions, _, settled| look(positions, &settled.lines))
    }

    /// Likewise, and at everything said with what became of it.
    pub(super) fn look_whole<T>(
        &self,
        dossier: &Dossier,
        known: &BTreeSet<Cycle>,
        look: impl FnOnce(&Positions, &[Said<'_>], &Settled<'_>) -> T,
    ) -> Result<T> {
        let world = World {
            family: self.family,
            items: self.items.as_ref(),
            has_partner_master: self.has_partner_master,
            rates: &self.rates,
            waived: None,
            today: self.today,
            zone: &self.zone,
        };
        let facts = Facts::of(&world, dossier)?;
        Ok(look(&evaluate(&world, &facts.subject(known)), &facts.said, &facts.settled))
    }

    /// The name of the file that an ingestion took.
    pub(super) fn file_name(&self, seq: i64) -> &str {
        self.file_names.get(&seq).map_or("", String::as_str)
    }
}
