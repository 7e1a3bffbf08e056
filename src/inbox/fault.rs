//! What can go wrong at a feed.

use std::fmt;
use std::io;

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
