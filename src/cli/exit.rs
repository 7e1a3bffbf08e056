//! How a command ends: the exit statuses of interfaces.md 1, and which failure has which.
//!
//! Answers for: one number for every end. Does not: print.

use crate::batch;
use crate::inbox::InboxFault;
use crate::job::Busy;
use std::fmt;
use std::io::ErrorKind;

/// How a command ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// done, also when there was nothing to do
    Done,
    /// failed; the message says what
    Failed,
    /// wrong usage
    Usage,
    /// done, but something waits for a person
    Waits,
    /// `verify`, `test` or `check --deny-warnings` found something
    Found,
    /// network or server: safe to run again
    Temporary,
    /// another run holds the lock
    Locked,
    /// login refused, or the host key is not the pinned one
    Refused,
    /// config or scheme invalid
    Invalid,
    /// stopped by this signal
    Stopped(u8),
}

impl Exit {
    /// the status
    pub(crate) fn code(self) -> u8 {
        match self {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::Waits => 3,
            Exit::Found => 4,
            Exit::Temporary => 5,
            Exit::Locked => 11,
            Exit::Refused => 12,
            Exit::Invalid => 78,
            Exit::Stopped(signal) => 128_u8.saturating_add(signal),
        }
    }
}

impl From<batch::Exit> for Exit {
    fn from(exit: batch::Exit) -> Exit {
        match exit {
            batch::Exit::Failed => Exit::Failed,
            batch::Exit::Refused => Exit::Refused,
            batch::Exit::Temporary => Exit::Temporary,
            batch::Exit::Waits => Exit::Waits,
            batch::Exit::Done => Exit::Done,
        }
    }
}

/// A failure with an exit status of its own: what, where, why and what next, in one or two sentences.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) exit: Exit,
    pub(crate) message: String,
}

impl Fault {
    /// Failed, for a reason that needs no other status.
    pub(crate) fn failed(message: impl Into<String>) -> anyhow::Error {
        Fault::with(Exit::Failed, message)
    }

    /// Asked for in a way that cannot be meant.
    pub(crate) fn usage(message: impl Into<String>) -> anyhow::Error {
        Fault::with(Exit::Usage, message)
    }

    /// With a status of its own.
    pub(crate) fn with(exit: Exit, message: impl Into<String>) -> anyhow::Error {
        Fault { exit, message: message.into() }.into()
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Fault {}

/// The end that a failure means. `signal` is the one that stopped us, if any did.
pub(super) fn of(fault: &anyhow::Error, signal: Option<u8>) -> Exit {
    for cause in fault.chain() {
        if let Some(fault) = cause.downcast_ref::<Fault>() {
            return fault.exit;
        }
        if cause.is::<Busy>() {
            return Exit::Locked;
        }
        if cause.is::<batch::Invalid>() {
            return Exit::Invalid;
        }
        if let Some(fault) = cause.downcast_ref::<InboxFault>() {
            return of_inbox(fault, signal);
        }
    }
    Exit::Failed
}

/// The end that a fault of a feed means.
pub(super) fn of_inbox(fault: &InboxFault, signal: Option<u8>) -> Exit {
    match fault {
        InboxFault::Temporary(_) => Exit::Temporary,
        InboxFault::Refused(_) => Exit::Refused,
        InboxFault::Changed(_) | InboxFault::Limit(_) => Exit::Waits,
        InboxFault::Disk(_) => Exit::Failed,
        InboxFault::Stopped => Exit::Stopped(signal.unwrap_or(2)),
    }
}

/// Whether nobody reads our output any more: no failure of ours.
pub(super) fn is_broken_pipe(fault: &anyhow::Error) -> bool {
    fault
        .chain()
        .filter_map(|cause| cause.downcast_ref::<std::io::Error>())
        .any(|error| error.kind() == ErrorKind::BrokenPipe)
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::{Context, anyhow};

    #[test]
    fn every_end_has_its_status() {
        let all = [
            (Exit::Done, 0),
            (Exit::Failed, 1),
            (Exit::Usage, 2),
            (Exit::Waits, 3),
            (Exit::Found, 4),
            (Exit::Temporary, 5),
            (Exit::Locked, 11),
            (Exit::Refused, 12),
            (Exit::Invalid, 78),
            (Exit::Stopped(2), 130),
            (Exit::Stopped(15), 143),
        ];
        for (exit, code) in all {
            assert_eq!(exit.code(), code);
        }
    }

    #[test]
    fn a_failure_keeps_its_status_through_every_context() {
        let stopped: anyhow::Error = InboxFault::Stopped.into();
        assert_eq!(of(&stopped.context("while fetching"), Some(15)), Exit::Stopped(15));
        let invalid: anyhow::Error = batch::Invalid(Vec::new()).into();
        assert_eq!(of(&invalid.context("a"), None), Exit::Invalid);
        let locked: anyhow::Result<()> = Err(Busy { folder: "var".into(), who: "pid 1".into() }.into());
        assert_eq!(of(&locked.context("b").expect_err("it failed"), None), Exit::Locked);
        assert_eq!(of(&anyhow!("disk"), None), Exit::Failed);
        let pipe = std::io::Error::from(ErrorKind::BrokenPipe);
        assert!(is_broken_pipe(&anyhow::Error::from(pipe).context("c")));
        assert!(!is_broken_pipe(&anyhow!("pipe")));
    }
}
