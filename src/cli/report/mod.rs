//! `accrued report reconciliation`: what each file says in all, held against what became of it, down to the cycles' measures; and
//! payments against deposits.
//!
//! Every part is a bridge: a total, the items that it falls into, and their difference, which is nothing unless store and
//! archive disagree. `facts` sums up what the store makes of each row, `archive` reads the files once more, `bridge` lays both
//! side by side, `deposits` compares payments with deposits.

mod archive;
mod bridge;
mod deposits;
mod facts;

use super::exit::{Exit, Fault};
use super::later;
use super::listing::{Listing, Titled};
use super::output::{Column, count, number, text};
use super::session::Session;
use super::shown::written;
use super::summary::counted;
use crate::domain::frac::Frac;
use crate::statement::number;
use anyhow::Result;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Which report
    #[arg(value_enum)]
    what: Option<What>,
    /// As pages in this folder (not yet supported)
    #[arg(long, value_name = "DIR")]
    html: Option<std::path::PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum What {
    /// Files against what became of their rows, and payments against deposits
    Reconciliation,
    /// Not yet supported
    Liability,
    /// Not yet supported
    Cycle,
    /// Not yet supported
    Tiers,
    /// Not yet supported
    Anomalies,
}

/// A row of the report.
#[derive(Debug, Clone, Default, PartialEq)]
struct Line {
    section: &'static str,
    feed: String,
    file: String,
    /// journal sequence of the file
    seq: Option<i64>,
    scheme: String,
    cycle: String,
    deposit_ref: String,
    date: String,
    currency: String,
    item: &'static str,
    reason: String,
    rows: i64,
    amount: Frac,
    /// of a variance
    against: Option<(Frac, Frac)>,
}

const COLUMNS: [Column; 15] = [
    text("section"),
    text("feed"),
    text("file"),
    count("seq"),
    text("scheme"),
    text("cycle"),
    text("deposit_ref"),
    text("date"),
    text("currency"),
    text("item"),
    text("reason"),
    count("rows"),
    number("amount"),
    number("paid"),
    number("deposited"),
];

const FOR_PEOPLE: [Titled; 12] = [
    ("section", "section"),
    ("feed", "feed"),
    ("file", "file"),
    ("scheme", "scheme"),
    ("cycle", "cycle"),
    ("deposit_ref", "deposit"),
    ("date", "date"),
    ("currency", "currency"),
    ("item", "item"),
    ("reason", "reason"),
    ("rows", "rows"),
    ("amount", "amount"),
];

impl Line {
    fn cells(&self) -> [String; 15] {
        let money = |amount: &Frac| written(|out| number::frac(out, amount, 2));
        let against = |side: fn(&(Frac, Frac)) -> &Frac| {
            self.against.as_ref().map_or(String::new(), |both| money(side(both)))
        };
        [
            self.section.to_owned(),
            self.feed.clone(),
            self.file.clone(),
            self.seq.map_or(String::new(), |seq| seq.to_string()),
            self.scheme.clone(),
            self.cycle.clone(),
            self.deposit_ref.clone(),
            self.date.clone(),
            self.currency.clone(),
            self.item.to_owned(),
            self.reason.clone(),
            self.rows.to_string(),
            money(&self.amount),
            against(|both| &both.0),
            against(|both| &both.1),
        ]
    }
}

pub(super) fn run(session: &Session, args: &Args) -> Result<Exit> {
    if args.html.is_some() {
        return later::not_yet("report --html");
    }
    match args.what {
        Some(What::Reconciliation) => reconciliation(session),
        Some(What::Liability) => later::not_yet("report liability"),
        Some(What::Cycle) => later::not_yet("report cycle"),
        Some(What::Tiers) => later::not_yet("report tiers"),
        Some(What::Anomalies) => later::not_yet("report anomalies"),
        None => Err(Fault::usage("which report? `accrued report reconciliation` is there")),
    }
}

fn reconciliation(session: &Session) -> Result<Exit> {
    let config = session.config()?;
    let store = session.store(&config)?;
    let families = session.families(&config, &store)?;
    let tally = facts::tally(&store, &families, session.as_of())?;
    let mut listing = Listing::begin(session, "report", &COLUMNS, &FOR_PEOPLE)?;
    let mut off = 0_u64;
    let mut print = |line: Line| {
        if line.item == bridge::DIFFERENCE && (line.rows != 0 || !line.amount.is_zero()) {
            off += 1;
        }
        listing.row(&line.cells())
    };
    let sources = archive::sources(&config, &store)?;
    bridge::files(&config, &store, &tally, &sources, &mut print)?;
    bridge::schemes(&families, &tally, &sources, &mut print)?;
    bridge::cycles(&families, &tally, &sources, &mut print)?;
    let variances = deposits::compare(&config, &store, &families, &mut print)?;
    listing.end(session)?;
    if variances > 0 {
        session.say(format_args!(
            "{} between payments and deposits above {}",
            counted(variances, "variance"),
            config.report.reconciliation_tolerance
        ));
    }
    if off > 0 {
        session.complain(format_args!(
            "error: {} other than zero: store and archive disagree; `accrued verify` tells what was changed",
            counted(off, "difference")
        ));
        return Ok(Exit::Found);
    }
    Ok(Exit::Done)
}
