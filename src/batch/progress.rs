//! What a run is doing right now, told to whoever watches. Changes nothing that the run does.

use std::fmt;
use std::sync::Arc;

/// A step under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step<'s> {
    /// logging in and listing
    Looking {
        /// feed name
        feed: &'s str,
    },
    /// waiting until files have stood unchanged for long enough
    Settling {
        /// how long
        seconds: u64,
    },
    /// bringing a file into the archive
    Fetching {
        /// feed name
        feed: &'s str,
        /// file name
        file: &'s str,
    },
    /// reading a file from the archive into the store
    Ingesting {
        /// feed name
        feed: &'s str,
        /// file name
        file: &'s str,
    },
    /// working out positions
    Evaluating {
        /// scheme id
        scheme: &'s str,
        /// partners done in this run
        partners: u64,
    },
    /// posting and publishing
    Posting {
        /// scheme id
        scheme: &'s str,
        /// cycle name
        cycle: &'s str,
    },
    /// putting folders in place, telling what is missing, ending the run
    Publishing,
}

type Watcher = dyn Fn(Step<'_>) + Send + Sync;

/// Who watches a run; nobody by default.
#[derive(Clone, Default)]
pub struct Progress(Option<Arc<Watcher>>);

impl Progress {
    /// Tells every step to `watcher`.
    pub fn to(watcher: impl Fn(Step<'_>) + Send + Sync + 'static) -> Progress {
        Progress(Some(Arc::new(watcher)))
    }

    /// Tells every step to `watcher` too.
    pub fn also(&self, watcher: impl Fn(Step<'_>) + Send + Sync + 'static) -> Progress {
        let first = self.clone();
        Progress::to(move |step| {
            watcher(step);
            first.tell(step);
        })
    }

    pub(super) fn tell(&self, step: Step<'_>) {
        if let Some(watcher) = &self.0 {
            watcher(step);
        }
    }
}

impl fmt::Debug for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Progress(watched)" } else { "Progress(unwatched)" })
    }
}
