//! A workspace, and by what the job is done in it: the program, or the same functions within this process.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::plan::{History, Trouble};
use super::within::{self, Books};
use crate::naive::Word;
use crate::program::{Outcome, Workspace};

/// By what the job is done: the program, or the same functions within this process, which costs a tenth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hand {
    Program,
    Library,
}

/// A workspace and by what the job is done in it.
pub struct Place {
    pub workspace: Workspace,
    pub hand: Hand,
}

/// A workspace as a history begins: config, schemes, and an empty folder for each feed.
pub fn laid_out(history: &History, hand: Hand, config: &str) -> Place {
    let workspace = Workspace::new(config);
    for (plan, text) in history.schemes.iter().zip(history.scheme_files()) {
        workspace.write(&format!("schemes/{}.toml", plan.file), text);
    }
    for feed in &history.feeds {
        std::fs::create_dir_all(workspace.path(&format!("drop/{}", feed.name)))
            .expect("a folder can be made");
    }
    match hand {
        Hand::Program => {}
        Hand::Library => workspace.write("var/accrued.db", within::empty_store()),
    }
    Place { workspace, hand }
}

impl Place {
    /// Puts files where their feeds find them, one later than the other.
    pub fn drop_files(&mut self, history: &History, number: usize) {
        for file in &history.batches[number].files {
            self.workspace.drop(&history.path(file), history.bytes(file));
        }
        for (file, beside) in history.found(number) {
            if let Some(beside) = beside {
                self.workspace.drop(&format!("{}.ctl", history.path(file)), beside);
            }
        }
    }

    /// A command, killed after so many milliseconds.
    pub fn stumble(&self, after: u64, args: &[&str]) {
        self.workspace.killed(args, Duration::from_millis(after));
    }

    /// The run, disturbed: what it leaves is the next one's to finish.
    pub fn troubled(&self, as_of: &str, trouble: Trouble) {
        let args = ["run", "--as-of", as_of];
        match trouble {
            Trouble::Killed(after) => {
                self.workspace.killed(&args, Duration::from_millis(after));
            }
            Trouble::DiskFull(kib) => drop(self.workspace.within(kib, &args)),
        }
    }

    /// A run, undisturbed.
    pub fn run(&self, as_of: &str) -> Result<(), String> {
        match self.hand {
            Hand::Program => accrued(&self.workspace, &["run", "--as-of", as_of]).map(drop),
            Hand::Library => within::run(&self.workspace, as_of),
        }
    }

    /// What is read from the store now.
    pub fn books(&self) -> Result<Books, String> {
        within::books(&self.workspace)
    }

    /// Has the files of a feed read again; at least one was taken.
    pub fn reread(&self, feed: &str) -> Result<(), String> {
        match self.hand {
            Hand::Program => accrued(&self.workspace, &["reread", "--feed", feed]).map(drop),
            Hand::Library => within::reread(&self.workspace, feed),
        }
    }

    /// Closes a cycle without a file that will not come.
    pub fn close(&self, as_of: DateTime<Utc>, scheme: &str, cycle: &str) -> Result<(), String> {
        let said = ["close", scheme, cycle, "--reason", "it is late", "--as-of", &as_of.to_rfc3339()];
        match self.hand {
            Hand::Program => accrued(&self.workspace, &said).map(drop),
            Hand::Library => within::close(&self.workspace, as_of, scheme, cycle),
        }
    }

    /// A person's word on a hold.
    pub fn decide(&self, hold: i64, verdict: Word) -> Result<(), String> {
        let said = ["holds", verb(verdict), &hold.to_string(), "--reason", "checked"];
        match self.hand {
            Hand::Program => accrued(&self.workspace, &said).map(drop),
            Hand::Library => within::decide(&self.workspace, hold, verdict),
        }
    }
}

/// What a person types.
pub fn verb(verdict: Word) -> &'static str {
    match verdict {
        Word::Release => "release",
        Word::Discard => "discard",
    }
}

/// A command that must be done, with or without something that waits for a person.
pub fn accrued(workspace: &Workspace, args: &[&str]) -> Result<Outcome, String> {
    let outcome = workspace.accrued(args);
    if matches!(outcome.status, 0 | 3) { Ok(outcome) } else { Err(outcome.whole()) }
}
