//! One real run: take the lock, do the run, give the lock back, tell the world. The only place that wraps [`batch::run`] for
//! the store itself; rehearsals and proofs run it on copies, which need no lock and of which the world hears nothing.
//!
//! Answers for: that runs and decisions of people never write at once, that a lock is held for the run and not for the
//! process, and what is told outside of a run's end. Does not: decide when to run, or print.

use crate::batch::{self, Order, RealSchemes, Report};
use crate::clock;
use crate::config::Config;
use crate::lock::{self, Lock, Taken};
use anyhow::{Context, Result};
use std::fmt;
use std::fs;
use std::path::PathBuf;

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
    /// Does one run, whole, and gives the turn back, however it ended.
    pub fn run(self, config: &Config, schemes: RealSchemes, order: &Order) -> Result<Report> {
        let done = batch::run(config, schemes, order);
        drop(self.lock);
        done
    }
}
