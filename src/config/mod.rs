//! Config: accrued.toml as typed (raw) -> checked settings, one struct for each room that needs one; every fault at once.
//!
//! Answers for: interfaces.md 2, whole. `table` is the file as typed, `values`, `paths`, `dates` and `place` make
//! values of it, `feed` and `dialect` feeds, `agree` what feeds owe each other; `locate` finds the file, `expected`
//! tells which files must come, `init` writes a first one. Does not: read files, the environment or the network
//! (they are passed in), nor check that what a path names is there.

mod after;
mod agree;
mod columns;
mod dates;
mod dialect;
pub mod expected;
mod feed;
mod hook;
pub mod init;
pub mod locate;
mod mode;
pub mod over;
mod paths;
mod place;
mod push;
mod resolve;
mod secrets;
mod table;
mod totals;
mod values;

pub use mode::Mode;
pub use over::Beside;
pub use paths::Environment;
pub use resolve::{load, load_under, names_feed};
pub use totals::Totals;

use crate::fault::{Fault, Faults};
use crate::inbox::Source;
use crate::inbox::pattern::Named;
use crate::ingest::Layout;
use chrono::NaiveDate;
use chrono_tz::Tz;
use std::path::PathBuf;

/// All settings, checked; relative paths are seen from the folder of the file as the user named it.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// the file it was read from
    pub path: PathBuf,
    /// its whole text (journalled)
    pub text: String,
    /// what stood over it (journalled)
    pub beside: Beside,
    /// accrued.db, archive/, statements/, rejects/, outbox/, metrics.prom
    pub data_dir: PathBuf,
    /// every *.toml in it
    pub schemes_dir: PathBuf,
    /// for `serve`
    pub schedule: Option<Schedule>,
    /// `[publish]`
    pub publish: Publish,
    /// `[report]`
    pub report: Report,
    /// in file order
    pub feeds: Vec<Feed>,
    /// in file order
    pub pushes: Vec<Push>,
    /// in file order
    pub hooks: Vec<Hook>,
    /// `[log]`
    pub log_format: LogFormat,
    /// every setting in force and where it came from, for `config show`
    pub settings: Vec<Setting>,
    /// what is likely a mistake, for `check`
    pub warnings: Vec<Fault>,
    /// what stops only those who contact a feed: see [`Config::ready_to_fetch`]
    pub deferred: Vec<Fault>,
}

impl Config {
    /// Refuses where the path of a secret names a variable that the environment does not have. `run`, `serve` and
    /// `check` ask this; commands that only read do not: `${CREDENTIALS_DIRECTORY}` is there for the service alone.
    pub fn ready_to_fetch(&self) -> Result<(), Faults> {
        if self.deferred.is_empty() { Ok(()) } else { Err(self.faults(self.deferred.clone())) }
    }

    /// Faults as found in this file, to be rendered.
    pub fn faults(&self, faults: Vec<Fault>) -> Faults {
        Faults { path: self.path.display().to_string(), text: self.text.clone(), faults }
    }

    /// The feed with this name.
    pub fn feed(&self, name: &str) -> Option<&Feed> {
        self.feeds.iter().find(|feed| feed.name == name)
    }
}

/// `[schedule]`
#[derive(Debug, Clone, PartialEq)]
pub struct Schedule {
    /// as written, checked by [`crate::schedule::Cron::new`]
    pub cron: String,
    /// of the expression
    pub timezone: Tz,
    /// one run at start after downtime
    pub catch_up: bool,
    /// after exit 5, again at this distance
    pub retry: std::time::Duration,
    /// for so long
    pub retry_for: std::time::Duration,
}

/// `[publish]`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Publish {
    /// transactions.csv
    pub transactions: bool,
    /// one statement file a partner
    pub partner_files: bool,
}

/// `[report]`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Report {
    /// a payment and its deposit may differ by so much
    pub reconciliation_tolerance: rust_decimal::Decimal,
}

/// What a feed brings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "each is its word in interfaces.md 3")]
pub enum Kind {
    Sales,
    Partners,
    Items,
    Fx,
    Payments,
    Deposits,
}

impl Kind {
    /// the word in interfaces.md 3
    pub const fn word(self) -> &'static str {
        match self {
            Kind::Sales => "sales",
            Kind::Partners => "partners",
            Kind::Items => "items",
            Kind::Fx => "fx",
            Kind::Payments => "payments",
            Kind::Deposits => "deposits",
        }
    }

    /// Whether the rows of its files are money.
    pub fn brings_money(self) -> bool {
        match self {
            Kind::Sales | Kind::Payments | Kind::Deposits => true,
            Kind::Partners | Kind::Items | Kind::Fx => false,
        }
    }
}

/// One `[[feed]]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Feed {
    /// unique
    pub name: String,
    /// what it brings
    pub kind: Kind,
    /// where from
    pub source: Source,
    /// how to read it
    pub layout: Layout,
    /// document space
    pub documents: String,
    /// within what an invoice number is unique
    pub number_scope: crate::facts::settle::NumberScope,
    /// who is expected, while it lasts
    pub distributors: Vec<Distributor>,
    /// which files must come
    pub expected: Expected,
    /// days after a period's end by which its files are due
    pub due_days: u32,
    /// in hundredths: `"1"` is 1%
    pub max_reject_percent: rust_decimal::Decimal,
    /// what a later file does to earlier ones
    pub mode: Mode,
    /// where its control totals are
    pub totals: Totals,
}

impl Feed {
    /// The distributor_code of a file's rows that give none: the one its name tells, else the only one that lasts
    /// in the period that its name tells (or the only one there is).
    pub fn distributor_of<'f>(&'f self, named: &'f Named) -> Option<&'f str> {
        if let Some(code) = &named.distributor {
            return Some(code);
        }
        let lasting = |distributor: &&Distributor| {
            named.period.is_none_or(|(first, last)| distributor.lasts_in(first, last))
        };
        let mut codes: Vec<&str> =
            self.distributors.iter().filter(lasting).map(|one| one.code.as_str()).collect();
        codes.dedup();
        match codes.as_slice() {
            [code] => Some(code),
            _ => None,
        }
    }

    /// How to read the file with this name: the feed's layout, with the default of distributor_code that the name
    /// gives. What `[feed.defaults]` says stands before it.
    pub fn layout_of(&self, named: &Named) -> Layout {
        let mut layout = self.layout.clone();
        if let Some(code) = self.distributor_of(named) {
            layout.defaults.entry("distributor_code".to_owned()).or_insert_with(|| code.to_owned());
        }
        layout
    }
}

/// One of `distributors`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Distributor {
    /// distributor_code
    pub code: String,
    /// first day it is expected for
    pub from: Option<NaiveDate>,
    /// last day
    pub to: Option<NaiveDate>,
}

impl Distributor {
    /// Whether it lasts on any day from `first` to `last`.
    pub fn lasts_in(&self, first: NaiveDate, last: NaiveDate) -> bool {
        self.from.is_none_or(|from| from <= last) && self.to.is_none_or(|to| first <= to)
    }

    /// Whether both last on some day.
    pub fn overlaps(&self, other: &Distributor) -> bool {
        self.lasts_in(other.from.unwrap_or(NaiveDate::MIN), other.to.unwrap_or(NaiveDate::MAX))
    }
}

/// Which files must come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is its word in interfaces.md 2")]
pub enum Expected {
    None,
    Daily,
    Weekly,
    Monthly,
    Quarterly,
}

/// One `[[hook]]`: a program that is told what happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hook {
    /// when it is called; no two alike
    pub on: Vec<HookEvent>,
    /// its file
    pub program: PathBuf,
    /// its arguments, as written
    pub arguments: Vec<String>,
    /// it has so long, from a second to ten minutes
    pub timeout: std::time::Duration,
}

/// On what a hook is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HookEvent {
    /// a run did its work: exit 0 or 3
    RunFinished,
    /// a run ended in another way, unless a signal stopped it
    RunFailed,
    /// a run refused files, or set some aside whole, that were not told before
    FileRefused,
    /// as run-finished, for watchdogs that wait for a sign
    Heartbeat,
}

impl HookEvent {
    /// every one
    pub const ALL: [HookEvent; 4] =
        [HookEvent::RunFinished, HookEvent::RunFailed, HookEvent::FileRefused, HookEvent::Heartbeat];

    /// as `on` writes it
    pub const fn word(self) -> &'static str {
        match self {
            HookEvent::RunFinished => "run-finished",
            HookEvent::RunFailed => "run-failed",
            HookEvent::FileRefused => "file-refused",
            HookEvent::Heartbeat => "heartbeat",
        }
    }
}

/// The form of what is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// journald where stderr is the journal, else text
    Auto,
    /// for people
    Text,
    /// one object a line
    Json,
    /// fields of the journal's own
    Journald,
}

impl LogFormat {
    /// every one
    pub const ALL: [LogFormat; 4] = [LogFormat::Auto, LogFormat::Text, LogFormat::Json, LogFormat::Journald];

    /// as `[log]` writes it
    pub const fn word(self) -> &'static str {
        match self {
            LogFormat::Auto => "auto",
            LogFormat::Text => "text",
            LogFormat::Json => "json",
            LogFormat::Journald => "journald",
        }
    }

    /// The one with a word.
    pub fn of_word(word: &str) -> Option<LogFormat> {
        LogFormat::ALL.into_iter().find(|format| format.word() == word)
    }
}

/// One `[[push]]`: a folder that what is published is pushed to.
#[derive(Debug, Clone, PartialEq)]
pub struct Push {
    /// unique among pushes
    pub name: String,
    /// where to, and how to get there
    pub source: Source,
    /// what goes there
    pub what: Vec<What>,
}

/// What is pushed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// accounts and working papers of closed cycles
    Statements,
    /// the wallets, whenever they have changed
    Balances,
    /// reject files
    Rejects,
}

/// A setting in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// `feed.north-sales.csv.delimiter`
    pub key: String,
    /// as TOML would write it; paths resolved; never a secret (settings hold none)
    pub value: String,
    /// `accrued.toml:14`, `default`, `ACCRUED_DATA_DIR`, `flag --set data_dir`
    pub origin: String,
    /// what it would be without that, the next one first: `"var" (accrued.toml:1)`, `default`; empty unless it came from beside
    /// the file
    pub stands_over: Vec<String>,
    /// the variable that sets it; `None` for what only the file gives
    pub variable: Option<String>,
}

#[cfg(test)]
mod tests;
