//! What this version of the program, or of its time-zone data, makes otherwise of facts that another one has evaluated
//! (product.md, law "replay").
//!
//! Where a partner has news, and its position in a closed cycle was worked out by another version, the facts of then are
//! evaluated as well, by the rules of then. What that gives otherwise than was said then is the version's doing and not the news':
//! it is held for a person, and only the rest is posted. Nobody is evaluated for that alone; where all runs are of one version,
//! nothing is asked.

use super::Run;
use super::evaluating::{name_of, plain, subject};
use super::posting::waits_over_limit;
use crate::calendar::{Cycle, ZoneCache};
use crate::clock;
use crate::domain::points::Points;
use crate::evaluate::{Facts, Position, World, evaluate};
use crate::facts::dossier::Dossier;
use crate::facts::fx::Rates;
use crate::facts::master::ItemRecord;
use crate::scheme::Family;
use crate::store::Store;
use crate::store::holds::{Hold, HoldState, NewHold, Opened};
use crate::store::positions::Kept;
use crate::store::versions::{MadeBy, Since};
use anyhow::{Context, Result, anyhow};
use chrono::{DateTime, NaiveDate};
use rust_decimal::Decimal;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// The kind of its holds.
pub const KIND: &str = "other_version";
/// The reason of what is posted once a person has released one.
pub(super) const REASON: &str = "program version";

/// What runs of another version knew, as far as somebody has asked.
pub(super) struct Past {
    since: Since,
    known: HashMap<i64, Arc<Then>>,
}

/// What was known when the journal record `upto` was the last, and the rules of then.
struct Then {
    upto: i64,
    family: Family,
    /// cycles closed by then
    closed: BTreeSet<Cycle>,
    items: Option<HashMap<String, Vec<ItemRecord>>>,
    has_partner_master: bool,
    rates: Rates,
    today: NaiveDate,
}

/// The facts on which a partner's positions of another version rest.
pub(super) struct Earlier {
    then: Arc<Then>,
    dossier: Dossier,
    /// positions of runs before this one are of another version
    since: i64,
}

/// A position in figures.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Figures {
    points: Points,
    held: Points,
    measure: Decimal,
}

/// What two versions make of the same facts, where that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Otherwise {
    /// the run that said it then; 0 where that was not kept
    run: i64,
    was: Figures,
    is: Figures,
}

/// What is held of a position for that, and what a person has released and no run has posted yet.
#[derive(Debug, Clone, Default)]
pub(super) struct Drift {
    /// not to be posted
    pub(super) points: Points,
    /// the measure that goes with it
    pub(super) amount: Decimal,
    pub(super) released: Option<Hold>,
}

impl Past {
    /// What a partner's positions rest on, where some of them are in closed cycles and of another version.
    pub(super) fn of(
        &mut self,
        run: &Run<'_>,
        family: &Family,
        partner: &str,
        kept: &[Kept],
    ) -> Result<Option<Earlier>> {
        let older = || kept.iter().filter(|kept| kept.run < self.since.run);
        let upto =
            run.store.known_before(self.since.started, older().map(|kept| kept.run).max().unwrap_or(0))?;
        let then = match self.known.get(&upto) {
            Some(then) => Arc::clone(then),
            None => {
                let then = Arc::new(Then::load(run, family, upto)?);
                self.known.insert(upto, Arc::clone(&then));
                then
            }
        };
        let since = self.since.run;
        let asks = |cycle: &Cycle| is_older(kept, *cycle, since);
        if !then.closed.iter().any(asks) {
            return Ok(None);
        }
        let dossier = run.store.dossier(partner, Some(upto))?;
        Ok(Some(Earlier { then, dossier, since }))
    }
}

/// Whether no run of this version has worked out a partner's position in a cycle yet.
fn is_older(kept: &[Kept], cycle: Cycle, since: i64) -> bool {
    kept.iter().find(|kept| kept.cycle == cycle.0).is_none_or(|kept| kept.run < since)
}

impl Then {
    fn load(run: &Run<'_>, family: &Family, upto: i64) -> Result<Then> {
        let closed = run.store.closed_upto(&family.id, upto)?;
        // where the journal does not say, an early version has begun the store
        let families = super::families_upto(&run.store, upto)?.unwrap_or_default();
        let family = families.into_iter().find(|then| then.id == family.id).unwrap_or_else(|| family.clone());
        let started = run.store.last_record_upto("run-started", upto)?;
        let at = started.map_or(Ok(run.order.now), |record| {
            DateTime::parse_from_rfc3339(&record.stamp.at).map(|at| at.to_utc())
        })?;
        let today = family
            .versions
            .first()
            .map_or(at.date_naive(), |first| at.with_timezone(&first.timezone).date_naive());
        Ok(Then {
            upto,
            closed: closed.into_iter().map(|closed| Cycle(closed.cycle)).collect(),
            family,
            items: run.store.items(Some(upto))?,
            has_partner_master: run.store.has_partner_master(Some(upto))?,
            rates: run.store.rates(Some(upto))?,
            today,
        })
    }
}

impl Earlier {
    /// What this version makes otherwise of them, by cycle. `zone` is the scheme's.
    pub(super) fn otherwise(&self, zone: &ZoneCache, kept: &[Kept]) -> Result<BTreeMap<Cycle, Otherwise>> {
        let now = self.figures(zone, kept)?;
        let mut otherwise = BTreeMap::new();
        for &cycle in self.then.closed.iter().filter(|cycle| is_older(kept, **cycle, self.since)) {
            let before = kept.iter().find(|kept| kept.cycle == cycle.0);
            let was = before.map(Figures::of_kept).transpose()?.unwrap_or_default();
            let is = now.get(&cycle).cloned().unwrap_or_default();
            if was != is {
                otherwise.insert(cycle, Otherwise { run: before.map_or(0, |kept| kept.run), was, is });
            }
        }
        Ok(otherwise)
    }

    /// Whether a position is of another version.
    pub(super) fn is_of_another(&self, kept: &Kept) -> bool {
        kept.run < self.since && self.then.closed.contains(&Cycle(kept.cycle))
    }

    fn figures(&self, zone: &ZoneCache, kept: &[Kept]) -> Result<BTreeMap<Cycle, Figures>> {
        let Earlier { then, dossier, .. } = self;
        let world = World {
            family: &then.family,
            items: then.items.as_ref(),
            has_partner_master: then.has_partner_master,
            rates: &then.rates,
            waived: None,
            today: then.today,
            zone,
        };
        let facts = Facts::of(&world, dossier).with_context(|| format!("as of record {}", then.upto))?;
        let known: BTreeSet<Cycle> = kept.iter().map(|kept| Cycle(kept.cycle)).collect();
        let positions = evaluate(&world, &facts.subject(&known)).positions;
        positions.iter().map(|position| Ok((position.cycle, Figures::of(position)?))).collect()
    }
}

impl Figures {
    fn of(position: &Position) -> Result<Figures> {
        Figures::read(position.points, position.held_points, &plain(&position.measure))
    }

    fn of_kept(kept: &Kept) -> Result<Figures> {
        Figures::read(kept.points, kept.held, &kept.measure)
    }

    fn read(points: Points, held: Points, measure: &str) -> Result<Figures> {
        let measure = measure.parse().map_err(|_| anyhow!("{measure:?} is not a measure"))?;
        Ok(Figures { points, held, measure })
    }

    /// Without what waits over a limit.
    fn due(&self, store: &Store, subject: &str) -> Result<i64> {
        Ok(self.points.0 - waits_over_limit(store, subject, self.held)?)
    }
}

impl Run<'_> {
    /// The version that makes this run.
    pub(super) fn made_by(&self) -> MadeBy {
        MadeBy { program: self.program().to_owned(), time_zone_data: self.time_zone_data().to_owned() }
    }

    /// Tells that another version made the runs before, where this is the first since.
    pub(super) fn note_version(&mut self) -> Result<()> {
        let this = self.made_by();
        let since = self.store.since_another(&this)?;
        if since.is_some_and(|since| since.run == self.stamp.run) {
            self.report.other_version = self.store.last_by_another(&this)?.map(|(_, before)| (before, this));
        }
        Ok(())
    }

    /// What runs of another version knew; `None` where there was none.
    pub(super) fn past(&self) -> Result<Option<Past>> {
        let since = self.store.since_another(&self.made_by())?;
        Ok(since.map(|since| Past { since, known: HashMap::new() }))
    }

    /// Holds what this version makes otherwise of a position, with what waited of it before.
    pub(super) fn hold_drift(
        &mut self,
        family: &Family,
        kept: &Kept,
        otherwise: &Otherwise,
        seq: i64,
    ) -> Result<()> {
        let subject = subject(&family.id, kept);
        let (was, is) = (otherwise.was.due(&self.store, &subject)?, otherwise.is.due(&self.store, &subject)?);
        let points = is.checked_sub(was).context("the difference is more than a ledger can hold")?;
        if points == 0 {
            return Ok(());
        }
        let before = drift(&self.store, &subject)?;
        let all = points.checked_add(before.points.0).context("the sum is more than a ledger can hold")?;
        if all == 0 {
            return self.end_drift(&subject, seq);
        }
        let new = NewHold {
            kind: KIND,
            subject,
            scheme: family.id.clone(),
            cycle: name_of(family, Cycle(kept.cycle)),
            partner: kept.partner.clone(),
            file: None,
            line: None,
            lines: 0,
            amount: before.amount + otherwise.is.measure - otherwise.was.measure,
            points: all,
            detail: self.told(otherwise, (points, all))?,
        };
        if self.store.open_hold(seq, &new)? == Opened::New {
            self.report.new_holds.push(new);
        }
        Ok(())
    }

    /// This version says again what was said before others differed.
    fn end_drift(&self, subject: &str, seq: i64) -> Result<()> {
        match self.store.last_hold(KIND, subject)? {
            Some(hold) => self.store.end_hold(hold.id, HoldState::Gone, seq),
            None => Ok(()),
        }
    }

    fn told(&self, otherwise: &Otherwise, (points, all): (i64, i64)) -> Result<String> {
        let before = worked_out_by(&self.store, otherwise.run, &self.made_by())?.unwrap_or_default();
        let Otherwise { was, is, .. } = otherwise;
        let also = match Points(all - points) {
            Points::ZERO => String::new(),
            waited => format!(", beside {waited} that an earlier version made otherwise"),
        };
        Ok(format!(
            "{before} made {} points of a measure of {} here, {} makes {} of {} from the same facts and rules: the difference of {} is \
             not posted unless it is released{also}",
            was.points,
            was.measure.normalize(),
            self.made_by(),
            is.points,
            is.measure.normalize(),
            Points(points),
        ))
    }

    /// Posting deals with what a person has released.
    pub(super) fn carry_out(&self, released: &Hold) -> Result<()> {
        self.store.end_hold(released.id, HoldState::Done, self.store.journal_head()?.0)
    }
}

/// The version that this program is.
pub fn this_version() -> MadeBy {
    MadeBy {
        program: env!("CARGO_PKG_VERSION").to_owned(),
        time_zone_data: clock::time_zone_data().to_owned(),
    }
}

/// The version that has worked a position out, where it is another than this program. Of one that is not kept, and where the run
/// is not, the last other version that made a run answers.
pub fn by_another(store: &Store, kept: Option<&Kept>) -> Result<Option<MadeBy>> {
    let this = this_version();
    let before = worked_out_by(store, kept.map_or(0, |kept| kept.run), &this)?;
    Ok(before.filter(|before| *before != this))
}

fn worked_out_by(store: &Store, run: i64, this: &MadeBy) -> Result<Option<MadeBy>> {
    match store.made_by(run)? {
        Some(made_by) => Ok(Some(made_by)),
        None => Ok(store.last_by_another(this)?.map(|(_, made_by)| made_by)),
    }
}

/// What is held of a position, by the subject of its holds.
pub(super) fn drift(store: &Store, subject: &str) -> Result<Drift> {
    let mut drift = Drift::default();
    let Some(last) = store.last_hold(KIND, subject)? else { return Ok(drift) };
    match last.state {
        HoldState::Open | HoldState::Discarded => (drift.points, drift.amount) = (last.points, last.amount),
        HoldState::Released | HoldState::Done | HoldState::Gone => {}
    }
    drift.released = store.released_hold(KIND, subject)?;
    Ok(drift)
}

/// What was held of a position when the journal record `upto` was the last.
pub fn drift_upto(store: &Store, (scheme, cycle, partner): (&str, Cycle, &str), upto: i64) -> Result<Points> {
    let subject = super::evaluating::subject_of(scheme, cycle.0, partner);
    store.held_points_upto(KIND, &subject, upto)
}
