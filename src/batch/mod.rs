//! One run: fetch -> ingest -> evaluate -> post -> publish. The only place where the rooms meet.

mod accounts;
mod answering;
mod aside;
mod awaited;
mod clearing;
mod closing;
mod desk;
mod drafting;
mod drift;
mod evaluating;
mod fetching;
mod holding;
mod journalling;
mod judging;
mod layouts;
mod periods;
mod posting;
mod progress;
mod publishing;
mod pushing;
mod reading;
mod reason;
mod replay;
mod report;
mod rereading;
mod schemes;
mod sheets;
mod slot;
mod stakes;
mod taking;
mod totals;
mod waiting;
mod worth;

pub use awaited::{Awaited, awaited};
pub use closing::{Missing, OpenCycle, Stays, missing_files, open_cycles, open_since, overdue};
pub use drift::{KIND as OTHER_VERSION, by_another, drift_upto, this_version};
pub use journalling::{JOURNAL_FILE, keep_journal};
pub use judging::MAY_GO;
pub use layouts::{kind_of_text, layout_of_text};
pub use posting::{over_limit_upto, withheld};
pub use progress::{Progress, Step};
pub use pushing::{place_of, waiting_for};
pub use replay::{Arrived, Halted, Looked, Replay, STUCK, faults_of};
pub use report::{CycleLine, Exit, FeedFault, FileLine, Report};
pub use rereading::{Known, Reread};
pub use schemes::{Invalid, RealSchemes, evaluated_families, families_upto, load_schemes, with_pins};
pub use slot::{Scheduled, Slot, Why};
pub use taking::{TOUCHED, layout_text, packing, reject_bytes};
pub use worth::worth;

use crate::clock;
use crate::config::{Beside, Config};
use crate::inbox::{Cancel, InboxFault};
use crate::outbox;
use crate::store::files::{FileRow, FileState};
use crate::store::holds::{Ended, Hold};
use crate::store::journal::Stamp;
use crate::store::{ClockMode, Store, was_interrupted};
use anyhow::{Context, Result, bail};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use std::path::PathBuf;

/// What a run is asked to do.
#[derive(Debug, Clone)]
pub struct Order {
    /// the one instant of the run
    pub now: DateTime<Utc>,
    /// whose clock that is
    pub clock: ClockMode,
    /// feeds to fetch from; empty: all
    pub feeds: Vec<String>,
    /// whether to fetch at all
    pub fetch: Fetch,
    /// a cycle that a person closes without its files
    pub close: Option<CloseByHand>,
    /// files that a person wants to be read again
    pub reread: Option<Reread>,
    /// who runs it
    pub actor: String,
    /// set by a signal
    pub cancel: Cancel,
    /// who watches
    pub progress: Progress,
    /// a run that is done again from the journal: it looks at no feed
    pub replay: Option<Replay>,
    /// the slot of the schedule that it stands for; a person's run stands for none
    pub slot: Option<Scheduled>,
}

/// A cycle that a person closes without a file that will not come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CloseByHand {
    /// scheme id
    pub scheme: String,
    /// cycle name
    pub cycle: String,
    /// why
    pub reason: String,
}

/// Whether a run looks at its feeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fetch {
    /// it does
    Feeds,
    /// `--offline`: it works with what the store has; no cycle closes
    Nothing,
}

/// Folders below data_dir.
#[derive(Debug, Clone)]
pub struct Places {
    /// accrued.db
    pub data: PathBuf,
    /// folders that are not in place yet
    pub staging: PathBuf,
    /// what is too large for memory
    pub scratch: PathBuf,
    /// published
    pub statements: PathBuf,
    /// reject files
    pub rejects: PathBuf,
}

impl Places {
    /// Of a config.
    pub fn of(config: &Config) -> Places {
        let data = config.data_dir.clone();
        Places {
            staging: data.join("staging"),
            scratch: data.join("tmp"),
            statements: data.join("statements"),
            rejects: data.join("rejects"),
            data,
        }
    }

    fn make(&self) -> Result<()> {
        for folder in [&self.data, &self.staging, &self.scratch, &self.statements, &self.rejects] {
            std::fs::create_dir_all(folder)
                .with_context(|| format!("cannot make the folder {}", folder.display()))?;
        }
        Ok(())
    }
}

/// What one run shares with all its steps.
pub(crate) struct Run<'r> {
    config: &'r Config,
    order: &'r Order,
    places: Places,
    stamp: Stamp,
    store: Store,
    report: Report,
    /// the earliest day for which a scheme waits for files
    open_since: Option<chrono::NaiveDate>,
}

/// The store of a config, made with its folders where it is not there, or brought up to date. The caller holds the lock of
/// data_dir.
pub fn open_store(config: &Config) -> Result<Store> {
    let places = Places::of(config);
    places.make()?;
    Store::open(&places.data, &places.scratch)
}

/// Does one run, whole. The caller holds the lock of data_dir.
pub fn run(config: &Config, schemes: RealSchemes, order: &Order) -> Result<Report> {
    match do_run(config, schemes, order) {
        // a statement that was ended, or a file that was read no further, since the whole was to end
        Err(fault)
            if order.cancel.is_set() && (was_interrupted(&fault) || taking::was_read_no_further(&fault)) =>
        {
            Err(InboxFault::Stopped.into())
        }
        done => done,
    }
}

fn do_run(config: &Config, schemes: RealSchemes, order: &Order) -> Result<Report> {
    let places = Places::of(config);
    let mut store = open_store(config)?;
    let cancel = order.cancel.clone();
    store.watch(move || cancel.check().is_ok())?;
    store.bring_home_beside()?;
    same_clock(&store, order)?;
    let stamp = Stamp { at: clock::stamp(order.now), run: store.last_run()? + 1, actor: order.actor.clone() };
    // every line that is logged on the way names its run
    let _logged = tracing::error_span!("run", run = stamp.run).entered();
    tracing::info!(at = %stamp.at, actor = %stamp.actor, "the run begins");
    let report = Report::new(stamp.run, &stamp.at);
    let mut run = Run { config, order, places, stamp, store, report, open_since: None };
    run.recover()?;
    let schemes = run.start(schemes)?;
    run.note_version()?;
    let listed = run.fetch_and_take()?;
    for family in schemes.families {
        run.go_on()?;
        let family = &run.carry_out_edits(family)?;
        loop {
            run.go_on()?;
            let plan = run.closing_plan(family, listed)?;
            let papers = run.evaluate(family, &plan)?;
            run.post(family, &plan, papers)?;
            run.rest_on(family)?;
            if !plan.more {
                break;
            }
        }
        run.hold_edits(family)?;
    }
    run.push()?;
    run.finish()
}

/// A store is of the real clock or of a given one, as its first run was, and time does not go back (interfaces.md 2).
fn same_clock(store: &Store, order: &Order) -> Result<()> {
    let Some((mode, last)) = store.clock()? else { return Ok(()) };
    if mode != order.clock {
        match mode {
            ClockMode::Real => bail!(
                "this store lives by the machine's clock: --as-of only reads and rehearses on it (`accrued run --dry-run --as-of ...`); use another data_dir to try things out"
            ),
            ClockMode::Given => bail!(
                "this store's first run was given its time: every run needs --as-of, at or after {last}"
            ),
        }
    }
    if clock::stamp(order.now) < last {
        bail!(
            "the last run was at {last}, this one would be at {}: a run cannot be earlier than the last",
            clock::stamp(order.now)
        );
    }
    Ok(())
}

/// The config as the journal keeps it: where it was, its text, and what stood over it.
fn config_body(config: &Config) -> Value {
    let mut body = json!({ "path": config.path.display().to_string(), "text": config.text });
    if !config.beside.is_empty() {
        body["beside"] = json!({ "variables": config.beside.variables, "flags": config.beside.flags });
    }
    body
}

/// What stood over a config, out of its record.
pub fn beside_of(body: &Value) -> Beside {
    let pairs = |value: &Value| {
        let pairs = value.as_object().into_iter().flatten();
        pairs.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned()))).collect()
    };
    Beside { variables: pairs(&body["beside"]["variables"]), flags: pairs(&body["beside"]["flags"]) }
}

impl Run<'_> {
    /// Finishes what a killed run has left: recorded publications get in place, the rest of staging goes.
    fn recover(&mut self) -> Result<()> {
        self.keep_journal()?;
        self.place_all()?;
        let waiting: Vec<String> = self.store.unplaced()?.into_iter().map(|one| one.staging).collect();
        outbox::staged::sweep(&self.places.staging, &|name| waiting.iter().any(|one| one == name))?;
        outbox::staged::sweep(&self.places.scratch, &|_| false)?;
        self.write_rejects_of(self.stamp.run - 1)
    }

    /// Journals the run's start with every text it goes by.
    fn start(&mut self, schemes: RealSchemes) -> Result<schemes::InForce> {
        let mut started = json!({
            "clock": self.order.clock.word(),
            "fetch": self.order.fetch == Fetch::Feeds,
            "feeds": self.order.feeds,
            "close": self.order.close.as_ref().map(|close| json!({
                "scheme": close.scheme, "cycle": close.cycle, "reason": close.reason,
            })),
            "program": self.program(),
            "time_zone_data": self.time_zone_data(),
        });
        if let Some(slot) = &self.order.slot {
            started["slot"] = slot.body();
        }
        if let Some(reread) = &self.order.reread {
            started["reread"] = reread.body();
        }
        let stamp = self.stamp.clone();
        let config = config_body(self.config);
        let as_text = config.to_string();
        self.store.whole(|store| {
            store.append(&stamp, "run-started", &started)?;
            if store.last_record("config")?.is_none_or(|record| record.body != as_text) {
                store.append(&stamp, "config", &config)?;
            }
            schemes::take_in_force(store, &stamp, schemes)
        })
    }

    /// What runs that were killed have held since the last one that told what it did.
    fn untold_holds(&self) -> Result<Vec<Hold>> {
        let seq_of =
            |kind| Ok::<_, anyhow::Error>(self.store.last_record(kind)?.map_or(0, |record| record.seq));
        let (told, started) = (seq_of("run-finished")?, seq_of("run-started")?);
        let untold = |hold: &Hold| told < hold.opened && hold.opened < started;
        Ok(self.store.holds(Ended::Without)?.into_iter().filter(untold).collect())
    }

    /// Files that such runs have refused, where that was no refusal told before, or have rejected rows of.
    fn untold_files(&self) -> Result<Vec<FileRow>> {
        let told = self.store.last_record("run-finished")?.map_or(0, |record| record.stamp.run);
        let mut files = Vec::new();
        for run in told + 1..self.stamp.run {
            for file in self.store.files_of_run(run)? {
                let wanting = match file.state {
                    FileState::Ingested => file.counts.rejected > 0,
                    FileState::Refused => {
                        !self.store.refused_before(&file.arrival, file.seq, &file.detail)?
                    }
                    // a held file has its hold, see above; a duplicate one wants nothing
                    FileState::Held | FileState::Duplicate => false,
                };
                if wanting {
                    files.push(file);
                }
            }
        }
        Ok(files)
    }

    fn finish(mut self) -> Result<Report> {
        self.go_on()?;
        self.order.progress.tell(Step::Publishing);
        self.note_missing()?;
        self.store.clear_stale()?;
        let (entry, head) = self.store.ledger_head()?;
        self.report.last_entry = entry;
        self.report.head = head.clone();
        self.report.untold_holds = self.untold_holds()?;
        self.report.untold_files = self.untold_files()?;
        self.report.open_holds = self.store.holds(Ended::Without)?.len();
        let finished = json!({ "exit": self.report.exit().code(), "entry": entry, "head": head });
        let stamp = self.stamp.clone();
        self.store.whole(|store| store.append(&stamp, "run-finished", &finished).map(drop))?;
        self.keep_journal()?;
        let exit = self.report.exit().code();
        tracing::info!(exit, entry, %head, "the run ends");
        Ok(self.report)
    }
}
