//! A run done again from the journal: no feed is contacted, what looking came to and which files were taken is told.
//!
//! Answers for: what such a run is given, where it stops if the first one was killed, and what a run journals so that it can be
//! done again. Everything else is the same code as for any run.

use super::Run;
use super::fetching::{Fetched, Listed};
use super::report::{Exit, FeedFault};
use crate::inbox::{Archive, Archived, Candidate};
use crate::store::files::Sidecar;
use anyhow::{Result, anyhow};
use serde_json::{Value, json};

/// What the journal tells of a run that is done again.
#[derive(Debug, Clone, Default)]
pub struct Replay {
    /// files in the order taken, those among them that the run takes from the archive by itself
    pub files: Vec<Arrived>,
    /// what looking at the feeds came to
    pub looked: Looked,
    /// what could not be put away at its feed
    pub stuck: Vec<FeedFault>,
    /// what was recorded of its pushes: kind and body
    pub pushes: Vec<(String, Value)>,
    /// the run's last record: one that was killed stops there
    pub until: i64,
    /// version of the program that did it
    pub program: String,
    /// version of its time-zone data
    pub time_zone_data: String,
}

/// The record of what could not be put away at its feed once the store had it.
pub const STUCK: &str = "put-away-failed";

/// Faults as the journal keeps them.
pub(super) fn faults_body(faults: &[FeedFault]) -> Value {
    let body = |fault: &FeedFault| json!({ "feed": fault.feed, "exit": fault.exit.code(), "why": fault.why });
    json!({ "faults": faults.iter().map(body).collect::<Vec<_>>() })
}

/// Faults out of the journal.
pub fn faults_of(body: &Value) -> Vec<FeedFault> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let fault = |fault: &Value| FeedFault {
        feed: text(&fault["feed"]),
        exit: Exit::of_code(fault["exit"].as_u64()),
        why: text(&fault["why"]),
    };
    body["faults"].as_array().into_iter().flatten().map(fault).collect()
}

/// A file as its journal record tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrived {
    /// feed name
    pub feed: String,
    /// file name
    pub name: String,
    /// bytes as stored
    pub size: u64,
    /// nanoseconds since the epoch
    pub mtime: Option<i64>,
    /// lower-case hex
    pub sha256: String,
    /// the control totals that came beside it
    pub sidecar: Option<Sidecar>,
    /// journal sequence at which it was held, where the cause of that was found gone
    pub judged_again: Option<i64>,
}

impl Replay {
    /// The held files that the run has judged again and freed, in that order.
    pub(super) fn judged_again(&self) -> Vec<i64> {
        self.files.iter().filter_map(|file| file.judged_again).collect()
    }
}

/// What looking at the feeds came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Looked {
    /// whether every feed could be listed
    pub all: bool,
    /// feeds and files that could not be fetched
    pub faults: Vec<FeedFault>,
    /// names passed over that no earlier run had told of
    pub passed: usize,
}

impl Default for Looked {
    fn default() -> Looked {
        Looked { all: true, faults: Vec::new(), passed: 0 }
    }
}

impl Looked {
    /// As the journal keeps it.
    fn body(&self) -> Value {
        json!({ "all": self.all, "faults": faults_body(&self.faults)["faults"], "passed": self.passed })
    }

    /// Out of the journal; what it does not say is as usual.
    pub fn read(body: &Value) -> Looked {
        Looked {
            all: body["all"].as_bool().unwrap_or(true),
            faults: faults_of(body),
            passed: body["passed"].as_u64().and_then(|passed| usize::try_from(passed).ok()).unwrap_or(0),
        }
    }
}

/// The run that is done again went no further.
#[derive(Debug)]
pub struct Halted;

impl std::fmt::Display for Halted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the run that is replayed went no further")
    }
}

impl std::error::Error for Halted {}

impl<'c> Run<'c> {
    /// Whether to go on: not after a signal, nor beyond the last record of a run that is done again.
    pub(super) fn go_on(&self) -> Result<()> {
        self.order.cancel.check()?;
        match &self.order.replay {
            Some(replay) if self.store.journal_head()?.0 >= replay.until => Err(Halted.into()),
            Some(_) | None => Ok(()),
        }
    }

    /// Version of the program that the run's records and manifests name.
    pub(super) fn program(&self) -> &str {
        self.order.replay.as_ref().map_or(env!("CARGO_PKG_VERSION"), |replay| &replay.program)
    }

    /// Version of the time-zone data that they name.
    pub(super) fn time_zone_data(&self) -> &str {
        self.order.replay.as_ref().map_or(crate::clock::time_zone_data(), |replay| &replay.time_zone_data)
    }

    /// Journals what looking came to, unless every feed could be listed and nothing was odd.
    pub(super) fn note_looked(&mut self, listed: Listed) -> Result<()> {
        let looked = Looked {
            all: listed == Listed::All,
            faults: self.report.faults.clone(),
            passed: self.report.passed,
        };
        if looked == Looked::default() {
            return Ok(());
        }
        let stamp = self.stamp.clone();
        self.store.whole(|store| store.append(&stamp, "looked", &looked.body()).map(drop))
    }

    /// What looking came to the first time, journalled again.
    pub(super) fn look_again(&mut self, replay: &Replay) -> Result<Listed> {
        self.report.faults.clone_from(&replay.looked.faults);
        self.report.passed = replay.looked.passed;
        let listed = if replay.looked.all { Listed::All } else { Listed::NotAll };
        self.note_looked(listed)?;
        Ok(listed)
    }

    /// The files that were fetched: those after what the run has taken from the archive by itself, and before what it has
    /// judged again.
    pub(super) fn fetched_then(&self, replay: &Replay) -> Result<Vec<Fetched<'c>>> {
        let archive = Archive::of(&self.places.data);
        let taken = self.report.files.len();
        let fetched = |arrived: &Arrived| {
            let feed = self.config.feed(&arrived.feed).ok_or_else(|| {
                anyhow!(
                    "{} was taken from feed {}, which the config of then has not",
                    arrived.name,
                    arrived.feed
                )
            })?;
            let named =
                feed.source.pattern.matches(&arrived.name).ok_or_else(|| {
                    anyhow!("{} is no name of a file of feed {}", arrived.name, arrived.feed)
                })?;
            Ok(Fetched {
                feed,
                candidate: Candidate {
                    name: arrived.name.clone(),
                    size: arrived.size,
                    mtime: arrived.mtime,
                    named,
                },
                archived: Archived {
                    sha256: arrived.sha256.clone(),
                    size: arrived.size,
                    path: archive.path_of(&arrived.sha256),
                },
                sidecar: arrived.sidecar.clone(),
            })
        };
        replay.files.iter().skip(taken).filter(|file| file.judged_again.is_none()).map(fetched).collect()
    }
}
