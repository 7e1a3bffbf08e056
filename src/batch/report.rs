//! What a run did, for its summary and its exit status.

use super::rereading::Known;
use crate::domain::points::Points;
use crate::store::files::{Counts, FileRow, FileState};
use crate::store::holds::{Hold, NewHold};
use crate::store::versions::MadeBy;

/// Exit status of a run (interfaces.md 1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// our own disk or store failed at something
    Failed,
    /// login refused or another host key
    Refused,
    /// network or server: safe to run again
    Temporary,
    /// done, but something new waits for a person
    Waits,
    /// done
    Done,
}

impl Exit {
    /// the status
    pub fn code(self) -> u8 {
        match self {
            Exit::Failed => 1,
            Exit::Refused => 12,
            Exit::Temporary => 5,
            Exit::Waits => 3,
            Exit::Done => 0,
        }
    }

    /// The exit with a status; one that no feed's fault has is a failure.
    pub fn of_code(code: Option<u64>) -> Exit {
        let all = [Exit::Failed, Exit::Refused, Exit::Temporary, Exit::Waits, Exit::Done];
        all.into_iter().find(|exit| Some(u64::from(exit.code())) == code).unwrap_or(Exit::Failed)
    }
}

/// Why a feed, or a file of it, could not be fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedFault {
    /// feed name
    pub feed: String,
    /// how it ends the run
    pub exit: Exit,
    /// in the reader's words
    pub why: String,
}

/// A file that this run took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileLine {
    /// feed name
    pub feed: String,
    /// file name
    pub name: String,
    /// what became of it
    pub state: FileState,
    /// a word, where it was not ingested
    pub reason: String,
    /// for people
    pub detail: String,
    /// its rows
    pub counts: Counts,
    /// lines that came under its name before, are in force, and are not in it any more
    pub gone: u64,
    /// whether the same bytes were refused before in the same words
    pub told: bool,
    /// the file with its rejects, below data_dir
    pub rejects: Option<String>,
    /// whether what is wrong with it was told before
    pub known: Known,
}

/// What a run did to one cycle of a scheme.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CycleLine {
    /// scheme id
    pub scheme: String,
    /// cycle name
    pub cycle: String,
    /// partners with an entry posted
    pub partners: u64,
    /// entries posted
    pub entries: u64,
    /// points posted, signed
    pub points: Points,
    /// whether it closed in this run
    pub closed: bool,
    /// folders published
    pub published: Vec<String>,
}

/// What a run did.
#[derive(Debug, Clone)]
pub struct Report {
    /// number of the run
    pub run: i64,
    /// its instant
    pub at: String,
    /// files taken
    pub files: Vec<FileLine>,
    /// feeds and files that could not be fetched
    pub faults: Vec<FeedFault>,
    /// files pushed: (push, how many)
    pub pushed: Vec<(String, u64)>,
    /// pushes, or files of them, that could not be done
    pub push_faults: Vec<FeedFault>,
    /// names passed over, files left for the next run: (feed, what)
    pub notices: Vec<(String, String)>,
    /// of the notices: names passed over (a link, a folder, a hostile name) that no earlier run has told of
    pub passed: usize,
    /// the version that made the run before, where it is another than this one
    pub other_version: Option<(MadeBy, MadeBy)>,
    /// holds opened in this run
    pub new_holds: Vec<NewHold>,
    /// holds that wait and were opened by a run that was killed before it could tell
    pub untold_holds: Vec<Hold>,
    /// files that such a run has refused or rejected rows of
    pub untold_files: Vec<FileRow>,
    /// holds that wait in all
    pub open_holds: usize,
    /// expected files that are overdue, new in this run: (feed, what)
    pub missing: Vec<(String, String)>,
    /// why the next cycle of a scheme does not close: (scheme, cycle, why)
    pub waiting: Vec<(String, String, String)>,
    /// partners evaluated
    pub evaluated: u64,
    /// by scheme and cycle
    pub cycles: Vec<CycleLine>,
    /// last ledger entry
    pub last_entry: i64,
    /// its chain hash
    pub head: String,
}

impl Report {
    /// Of a run that has done nothing yet.
    pub fn new(run: i64, at: &str) -> Report {
        Report {
            run,
            at: at.to_owned(),
            files: Vec::new(),
            faults: Vec::new(),
            pushed: Vec::new(),
            push_faults: Vec::new(),
            notices: Vec::new(),
            passed: 0,
            other_version: None,
            new_holds: Vec::new(),
            untold_holds: Vec::new(),
            untold_files: Vec::new(),
            open_holds: 0,
            missing: Vec::new(),
            waiting: Vec::new(),
            evaluated: 0,
            cycles: Vec::new(),
            last_entry: 0,
            head: String::new(),
        }
    }

    /// Of several exits the first of 1, 12, 5, 3, 0.
    pub fn exit(&self) -> Exit {
        let faults = || self.faults.iter().chain(&self.push_faults);
        let faulty = |exit: Exit| faults().any(|fault| fault.exit == exit);
        if faulty(Exit::Failed) {
            Exit::Failed
        } else if faulty(Exit::Refused) {
            Exit::Refused
        } else if faulty(Exit::Temporary) {
            Exit::Temporary
        } else if faulty(Exit::Waits) || self.waits_for_a_person() {
            Exit::Waits
        } else {
            Exit::Done
        }
    }

    fn waits_for_a_person(&self) -> bool {
        let wanting = |file: &FileLine| match file.state {
            FileState::Refused => !file.told,
            FileState::Held => true,
            FileState::Ingested => file.counts.rejected + file.counts.held + file.gone > 0,
            FileState::Duplicate => false,
        };
        !self.new_holds.is_empty()
            || !self.untold_holds.is_empty()
            || !self.untold_files.is_empty()
            || self.passed > 0
            || !self.missing.is_empty()
            || self.files.iter().any(|file| file.known == Known::News && wanting(file))
    }
}
