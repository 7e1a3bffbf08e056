//! One real run: take the lock, do the run, give the lock back, tell the world. The only place that wraps [`batch::run`] for
//! the store itself; rehearsals and proofs run it on copies, which need no lock and of which the world hears nothing.
//!
//! Answers for: that runs and decisions of people never write at once, that a lock is held for the run and not for the
//! process, and what is told outside of a run's end. Does not: decide when to run, or print.

mod hooks;
mod stopwatch;
mod told;

pub use told::METRICS_FILE;

use crate::batch::{self, Order, RealSchemes, Report};
use crate::clock;
use crate::config::Config;
use crate::inbox::InboxFault;
use crate::lock::{self, Lock, Taken};
use crate::scheme::Family;
use crate::store::{ClockMode, Store};
use anyhow::{Context, Result};
use chrono::{DateTime, Utc};
use std::fmt;
use std::fs;
use std::path::PathBuf;
use stopwatch::{Spent, Stopwatch};

/// The right to write to a data_dir, until it is dropped or used up by a run.
#[derive(Debug)]
pub struct Turn {
    lock: Lock,
}

/// Another run has the turn: exit 11.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Busy {
    /// data_dir
    pub folder: PathBuf,
    /// what the other run says of itself: `pid 4711 since 2026-07-06T02:30:00Z`; empty where it has only just started
    pub who: String,
}

impl fmt::Display for Busy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let who = if self.who.is_empty() { "it has only just started" } else { &self.who };
        write!(
            f,
            "another run holds the lock of {}: {who}; try again when it has ended",
            self.folder.display()
        )
    }
}

impl std::error::Error for Busy {}

/// Takes the turn of a config's data_dir, which is made if it is not there. Where another run has it, the error is
/// [`Busy`].
pub fn turn(config: &Config) -> Result<Turn> {
    let folder = &config.data_dir;
    fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    match lock::take(folder, &clock::stamp(clock::now()))? {
        Taken::Ours(lock) => Ok(Turn { lock }),
        Taken::Theirs(who) => Err(Busy { folder: folder.clone(), who }.into()),
    }
}

impl Turn {
    /// Does one run, whole, tells how it went in `metrics.prom`, gives the turn back, however it ended, and calls hooks.
    pub fn run(self, config: &Config, schemes: RealSchemes, order: &Order) -> Result<Report> {
        let families = schemes.families.clone();
        let watch = Stopwatch::start();
        let done = batch::run(config, schemes, &watch.over(order));
        let number = match &done {
            Ok(report) => Some(report.run),
            Err(_) => number_of_broken(config, order),
        };
        self.tell((config, Some(&families)), order, (number, watch.stop()), done.as_ref());
        done
    }

    /// Tells of a run that could not even begin, and gives the turn back. A signal that comes meanwhile ends the telling.
    pub fn cannot_begin(self, config: &Config, order: &Order, fault: &anyhow::Error) {
        self.tell((config, None), order, (None, Stopwatch::start().stop()), Err(fault));
    }

    fn tell(
        self,
        (config, families): (&Config, Option<&[Family]>),
        order: &Order,
        (number, spent): (Option<i64>, Spent),
        done: Result<&Report, &anyhow::Error>,
    ) {
        let exit = match done {
            Ok(report) => report.exit().code(),
            Err(fault) => status_of(fault),
        };
        let measured = told::measured(number, order.now, exit, spent);
        told::metrics(config, families, order.now, Some(measured));
        drop(self.lock);
        let start = order.now;
        let ran = hooks::Ran { config, start, duration: spent.whole, number, exit, done };
        hooks::call_all(&ran, &order.cancel);
    }

    /// Gives the turn back after a person's decision, which `metrics.prom` tells of.
    pub fn end(self, config: &Config) {
        let families = batch::load_schemes(config).ok().map(|real| real.families);
        told::metrics(config, families.as_deref(), now_of(config), None);
    }
}

/// The number of a run that broke off, where it came as far as having one.
fn number_of_broken(config: &Config, order: &Order) -> Option<i64> {
    let store = Store::open_reading(&config.data_dir).ok()??;
    let started = store.last_record("run-started").ok()??;
    (started.stamp.at == clock::stamp(order.now)).then_some(started.stamp.run)
}

/// The instant as the store counts time.
fn now_of(config: &Config) -> DateTime<Utc> {
    let clock = Store::open_reading(&config.data_dir).ok().flatten().and_then(|store| store.clock().ok()?);
    let given = clock.filter(|(mode, _)| *mode == ClockMode::Given);
    let last = given.and_then(|(_, at)| DateTime::parse_from_rfc3339(&at).ok());
    last.map_or_else(clock::now, |at| at.to_utc())
}

/// The exit status of a run that broke off; 143 where a signal stopped it, whichever.
fn status_of(fault: &anyhow::Error) -> u8 {
    let status = |cause: &(dyn std::error::Error + 'static)| {
        if cause.is::<batch::Invalid>() {
            return Some(78);
        }
        Some(match cause.downcast_ref::<InboxFault>()? {
            InboxFault::Temporary(_) => batch::Exit::Temporary.code(),
            InboxFault::Refused(_) => batch::Exit::Refused.code(),
            InboxFault::Changed(_) | InboxFault::Limit(_) => batch::Exit::Waits.code(),
            InboxFault::Disk(_) => batch::Exit::Failed.code(),
            InboxFault::Stopped => 143,
        })
    };
    fault.chain().find_map(status).unwrap_or_else(|| batch::Exit::Failed.code())
}
