//! What can go wrong at a feed, and the flag that ends a run early.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// What went wrong at a feed. Messages name the feed's place, both values that disagree and what to do; never a secret.
#[derive(Debug)]
pub enum InboxFault {
    /// may pass: exit 5
    Temporary(String),
    /// login refused or another host key: exit 12, never retried
    Refused(String),
    /// this file changed under the reader: left for the next run
    Changed(String),
    /// our own disk: exit 1
    Disk(io::Error),
    /// a limit of ours, or a setting that cannot work: the file or feed is passed over, with the reason
    Limit(String),
    /// `Cancel` was set: exit 130 or 143
    Stopped,
}

impl fmt::Display for InboxFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            InboxFault::Temporary(why)
            | InboxFault::Refused(why)
            | InboxFault::Changed(why)
            | InboxFault::Limit(why) => f.write_str(why),
            InboxFault::Disk(error) => write!(f, "{error}"),
            InboxFault::Stopped => f.write_str("stopped by a signal"),
        }
    }
}

impl std::error::Error for InboxFault {}

impl InboxFault {
    /// Whether nothing more can be had of the feed in this run.
    pub(super) fn ends_the_feed(&self) -> bool {
        match self {
            InboxFault::Temporary(_) | InboxFault::Refused(_) | InboxFault::Stopped => true,
            InboxFault::Changed(_) | InboxFault::Disk(_) | InboxFault::Limit(_) => false,
        }
    }

    /// Whether what is here of a download may be gone on with.
    pub(super) fn may_pass(&self) -> bool {
        match self {
            InboxFault::Temporary(_) | InboxFault::Stopped => true,
            InboxFault::Refused(_) | InboxFault::Changed(_) | InboxFault::Disk(_) | InboxFault::Limit(_) => {
                false
            }
        }
    }

    /// A fault of our own disk, with the path that it is about.
    pub(super) fn disk(path: &std::path::Path, doing: &str, error: &io::Error) -> InboxFault {
        InboxFault::Disk(io::Error::new(error.kind(), format!("cannot {doing} {}: {error}", path.display())))
    }
}

/// The flag that a signal sets: whatever blocks in this room ends within a tenth of a second of it. Who asks it goes on: it
/// counts that, so that a watchdog can tell slow work from work that is stuck.
#[derive(Debug, Clone, Default)]
pub struct Cancel {
    flag: Arc<AtomicBool>,
    /// that of the whole, where this one is of a part
    above: Option<Arc<Cancel>>,
    beats: Arc<AtomicU64>,
}

impl Cancel {
    /// Over a flag that a signal handler sets.
    pub fn over(flag: Arc<AtomicBool>) -> Cancel {
        Cancel { flag, above: None, beats: Arc::default() }
    }

    /// One for a part of what this one ends: it ends with the whole, or by itself.
    pub(super) fn part(&self) -> Cancel {
        Cancel { flag: Arc::default(), above: Some(Arc::new(self.clone())), beats: Arc::clone(&self.beats) }
    }

    /// Ends what is under way.
    pub fn set(&self) {
        self.flag.store(true, Ordering::SeqCst);
    }

    /// Whether to end.
    pub fn is_set(&self) -> bool {
        self.flag.load(Ordering::SeqCst) || self.above.as_deref().is_some_and(Cancel::is_set)
    }

    /// Says that the work goes on: a step is done, or a wait under a time limit of ours has not ended yet.
    pub fn beat(&self) {
        self.beats.fetch_add(1, Ordering::Relaxed);
    }

    /// How often the work has said that it goes on.
    pub fn beats(&self) -> u64 {
        self.beats.load(Ordering::Relaxed)
    }

    /// `Err(Stopped)` once it is set; else the work goes on.
    pub fn check(&self) -> Result<(), InboxFault> {
        self.beat();
        if self.is_set() { Err(InboxFault::Stopped) } else { Ok(()) }
    }
}
