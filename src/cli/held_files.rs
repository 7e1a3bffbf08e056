//! The points that wait with a file that is held whole: what an offline run would make of every partner and cycle once it is
//! released, worked out by doing that on a copy of the store. So it holds for any kind of file, also one that replaces others.
//!
//! Answers for: the copies, what they may cost, and the words. A file that cannot be told by the way says so, and how it can.

use super::moved::{Moved, moved};
use super::scratch::Scratch;
use super::session::Session;
use super::summary::counted;
use super::who;
use crate::batch::{self, Fetch, FileLine, Order, Progress, RealSchemes, Report};
use crate::clock;
use crate::config::Config;
use crate::domain::points::Points;
use crate::scheme::Family;
use crate::store::files::FileState;
use crate::store::holds::{Hold, HoldState};
use crate::store::journal::Stamp;
use crate::store::{FILE_HOLDS, Store};
use anyhow::{Context, Result};
use chrono::{DateTime, Utc};

/// Most bytes of stores copied and rows read (at [`ROW`] each) for one list: some seconds.
const BUDGET: u64 = 1 << 30;
/// What reading one row is worth in bytes copied.
const ROW: u64 = 1_000;
/// What one file is worth at least, however small the store: it takes a run.
const RUN: u64 = 32 << 20;
/// Most cycles told of one file.
const CYCLES: usize = 3;

const BASE: &str = ".weigh-base-";
const RELEASED: &str = ".weigh-file-";

/// What working it out may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    /// no more than [`BUDGET`]
    ByTheWay,
    /// whatever it takes
    Whole,
}

/// What waits with one file.
pub(super) enum Stake {
    /// in all schemes, and in words cycle by cycle
    Told { points: Points, words: String },
    /// why nobody can tell
    Untold(String),
}

/// Weighs files that are held whole.
pub(super) struct Weighing<'s> {
    session: &'s Session,
    config: &'s Config,
    store: &'s Store,
    extent: Extent,
    spent: u64,
    base: Option<Base>,
}

/// The store after an offline run with nothing released: what files are held against.
struct Base {
    store: Store,
    schemes: RealSchemes,
    order: Order,
    bytes: u64,
    _scratch: Scratch,
}

/// Whether a hold is on a whole file.
pub(super) fn is_of_file(hold: &Hold) -> bool {
    FILE_HOLDS.contains(&hold.kind.as_str())
}

impl<'s> Weighing<'s> {
    pub(super) fn of(
        session: &'s Session,
        config: &'s Config,
        store: &'s Store,
        extent: Extent,
    ) -> Weighing<'s> {
        Weighing { session, config, store, extent, spent: 0, base: None }
    }

    /// What waits with a file. A fault of the rehearsal is no reason not to say what waits; a signal is.
    pub(super) fn weigh(&mut self, hold: &Hold) -> Result<Stake> {
        let cost = self.cost(hold);
        if self.extent == Extent::ByTheWay && cost > BUDGET {
            return Ok(Stake::Untold(
                "its points take long to work out: accrued holds --points does".to_owned(),
            ));
        }
        let weighed = self.try_weigh(hold);
        self.spent = cost;
        weighed.or_else(|fault| {
            self.session.cancel()?.check()?;
            Ok(Stake::Untold(format!("its points cannot be told: {fault:#}")))
        })
    }

    /// In bytes, with all that was weighed before.
    fn cost(&self, hold: &Hold) -> u64 {
        let store = self.base.as_ref().map_or_else(|| 2 * bytes_of(self.config), |base| base.bytes);
        self.spent.saturating_add(store.max(RUN)).saturating_add(hold.lines.saturating_mul(ROW))
    }

    fn try_weigh(&mut self, hold: &Hold) -> Result<Stake> {
        let base = match &mut self.base {
            Some(base) => base,
            none => none.insert(Base::of(self.session, self.config, self.store)?),
        };
        if base.store.hold(hold.id)?.is_none_or(|hold| hold.state != HoldState::Open) {
            return Ok(Stake::Untold("its cause is gone: the next run takes it by itself".to_owned()));
        }
        let scratch = Scratch::begin(&self.config.data_dir, RELEASED)?;
        let mut copy = scratch.copy(&base.store)?;
        scratch.lead_to_archive(&self.config.data_dir)?;
        let stamp = Stamp {
            at: clock::stamp(base.order.now),
            run: copy.last_run()?,
            actor: base.order.actor.clone(),
        };
        copy.decide_hold(&stamp, hold.id, HoldState::Released, "to see what it would bring")?;
        drop(copy);
        let rehearsed = scratch.rehearsing(self.config);
        let report = batch::run(&rehearsed, base.schemes.clone(), &base.order)?;
        let after = Store::open_reading(&scratch.folder)?.context("a run makes a store")?;
        told(base, &after, &report)
    }
}

impl Base {
    fn of(session: &Session, config: &Config, store: &Store) -> Result<Base> {
        let (mode, last) = store.clock()?.context("there was no run yet")?;
        let last: DateTime<Utc> = DateTime::parse_from_rfc3339(&last)?.to_utc();
        let order = Order {
            now: session.now_for(store)?.max(last),
            clock: mode,
            feeds: Vec::new(),
            fetch: Fetch::Nothing,
            close: None,
            reread: None,
            actor: who::user(),
            cancel: session.cancel()?,
            progress: Progress::default(),
            replay: None,
            slot: None,
        };
        let schemes = session.schemes(config).ok().context("the schemes have faults (accrued check)")?;
        let scratch = Scratch::begin(&config.data_dir, BASE)?;
        drop(scratch.copy(store)?);
        scratch.lead_to_archive(&config.data_dir)?;
        let rehearsed = scratch.rehearsing(config);
        batch::run(&rehearsed, schemes.clone(), &order)?;
        let store = Store::open_reading(&scratch.folder)?.context("a run makes a store")?;
        Ok(Base { store, schemes, order, bytes: bytes_of(&rehearsed), _scratch: scratch })
    }
}

fn bytes_of(config: &Config) -> u64 {
    let size = |name: &str| std::fs::metadata(config.data_dir.join(name)).map_or(0, |of| of.len());
    size("accrued.db").saturating_add(size("accrued.db-wal"))
}

/// What the release did.
fn told(base: &Base, after: &Store, report: &Report) -> Result<Stake> {
    // others may follow that were held for what this one brings
    let Some(file) = report.files.first() else {
        let why = report.notices.last().map_or("a release would not read it", |(_, why)| why.as_str());
        return Ok(Stake::Untold(why.to_owned()));
    };
    let why_not = match file.state {
        FileState::Ingested => None,
        FileState::Refused => Some("be refused"),
        FileState::Held => Some("wait again"),
        FileState::Duplicate => Some("say nothing new"),
    };
    if let Some(why_not) = why_not {
        return Ok(Stake::Untold(format!("released now it would {why_not}: {}", file.detail)));
    }
    let mut points = Points::ZERO;
    let mut cycles = Vec::new();
    for family in &base.schemes.families {
        for moved in moved(&base.store, after, family)? {
            points = points.checked_add(moved.points).context("they are more than a ledger can hold")?;
            cycles.push(in_words(&moved, family));
        }
    }
    Ok(Stake::Told { points, words: sentence(&cycles, file) })
}

fn in_words(moved: &Moved, family: &Family) -> String {
    let sign = if moved.points.0 > 0 { "+" } else { "" };
    let (cycle, points) = (moved.name(family), moved.shown(family));
    format!("{} {cycle} {sign}{points} points ({})", family.id, counted(moved.partners, "partner"))
}

fn sentence(cycles: &[String], file: &FileLine) -> String {
    let mut words = match cycles {
        [] => "released now it moves no points".to_owned(),
        some => format!("released now: {}", some[..some.len().min(CYCLES)].join(", ")),
    };
    if cycles.len() > CYCLES {
        words += &format!(" and {} cycles more", cycles.len() - CYCLES);
    }
    for (rows, what) in [(file.counts.rejected, "rejected"), (file.counts.held, "held")] {
        if rows > 0 {
            words += &format!("; {} of it would be {what}", counted(rows, "row"));
        }
    }
    words
}
