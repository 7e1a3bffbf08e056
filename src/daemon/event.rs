//! What the daemon tells of itself, in the order in which it happens.

use crate::batch::{Report, Scheduled, Slot};
use crate::config::Config;
use crate::job::Busy;
use chrono::{DateTime, Duration, Utc};
use std::time;

/// Something that happened.
#[derive(Debug)]
pub enum Event<'e> {
    /// config, store and lock are good
    Serving {
        /// what is gone by
        config: &'e Config,
        /// the next slot
        next: Option<&'e Slot>,
    },
    /// another run holds the lock: it is waited for
    Waits {
        /// who
        busy: &'e Busy,
    },
    /// the clock stands before what has run already: nothing is due until it has come there again
    ClockBehind {
        /// slots up to this instant have run
        until: DateTime<Utc>,
        /// how far it stands before that
        behind: Duration,
    },
    /// a slot was missed and `catch_up = false`
    Passed {
        /// the last that was missed
        slot: &'e Slot,
        /// the next
        next: Option<&'e Slot>,
    },
    /// a slot is not tried again
    GivesUp {
        /// which
        slot: &'e Slot,
        /// the next
        next: Option<&'e Slot>,
    },
    /// a run begins
    Begins {
        /// its slot; `None` where a person has asked for it
        scheduled: Option<&'e Scheduled>,
    },
    /// a run did its work, or as much of it as could be done
    Done {
        /// what it went by
        config: &'e Config,
        /// what it did
        report: &'e Report,
        /// its slot
        scheduled: Option<&'e Scheduled>,
    },
    /// a run has ended, after `Done` or without it
    Ended {
        /// its exit status
        exit: u8,
        /// why there is no report of it
        fault: Option<&'e anyhow::Error>,
        /// its slot
        scheduled: Option<&'e Scheduled>,
        /// when the slot is tried again
        again: Option<DateTime<Utc>>,
        /// the next slot
        next: Option<&'e Slot>,
    },
    /// a new config is in force
    Reloaded {
        /// what is gone by now
        config: &'e Config,
        /// the next slot
        next: Option<&'e Slot>,
    },
    /// a new config cannot be gone by: the old one stays
    NotReloaded {
        /// why
        fault: &'e anyhow::Error,
    },
    /// a signal has asked to stop
    Stopping {
        /// its name
        signal: &'static str,
        /// whether a run is under way
        running: bool,
    },
    /// a run did not end its step in time and was left: the store is consistent, the next run finishes the work
    Abandoned {
        /// after this time
        after: time::Duration,
    },
}
