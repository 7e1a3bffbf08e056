//! Config: accrued.toml as typed (raw) -> checked settings, one struct for each room that needs one; every fault at once.

use crate::inbox::Source;
use crate::ingest::Layout;
use chrono::NaiveDate;
use chrono_tz::Tz;
use std::path::PathBuf;

/// All settings, checked, paths made absolute.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// the file it was read from
    pub path: PathBuf,
    /// its whole text (journalled)
    pub text: String,
    /// accrued.db, archive/, statements/, rejects/, outbox/, metrics.prom
    pub data_dir: PathBuf,
    /// every *.toml in it
    pub schemes_dir: PathBuf,
    /// for `serve`
    pub schedule: Option<Schedule>,
    /// `[publish]`
    pub publish: Publish,
    /// in file order
    pub feeds: Vec<Feed>,
    /// every setting in force and where it came from, for `config show`
    pub settings: Vec<Setting>,
}

/// `[schedule]`
#[derive(Debug, Clone, PartialEq)]
pub struct Schedule {
    /// checked by the cron crate
    pub cron: String,
    /// of the expression
    pub timezone: Tz,
    /// one run at start after downtime
    pub catch_up: bool,
    /// seconds
    pub retry: std::time::Duration,
    /// seconds
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

/// What a feed brings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "each is its word in interfaces.md 3")]
pub enum Kind {
    Sales,
    Partners,
    Items,
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

/// A setting in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// `feed.north-sales.csv.delimiter`
    pub key: String,
    /// as TOML would write it; paths resolved; never a secret (settings hold none)
    pub value: String,
    /// `accrued.toml:14`, `default`, `ACCRUED_DATA_DIR`
    pub origin: String,
}
