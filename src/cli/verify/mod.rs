//! `accrued verify`: proves the store. Each check tries everything it can and names exactly what is broken and where.
//!
//! Answers for: chains, balances, archived files, published statements against the store's own records; with `--deep` the store
//! against what journal and archive give when they are replayed. Does not: repair.

mod balances;
mod chain;
mod deep;
mod files;
mod statements;

use super::exit::{Exit, Fault};
use super::output::{Column, Format, printable, text};
use super::session::Session;
use crate::config::Config;
use crate::store::Store;
use anyhow::Result;
use std::io::Write;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Only these; all of them by default
    #[arg(value_enum)]
    checks: Vec<Check>,
    /// Replay journal and archive into an empty store, beside data_dir's own, and compare every row and every published byte
    #[arg(long)]
    deep: bool,
    /// A chain head that was kept outside, from the summary of a run, a manifest or verify itself: says where in ledger or
    /// journal it stands, or that neither chain contains it
    #[arg(long, value_name = "HASH", value_parser = head)]
    head: Option<String>,
}

/// A whole hash: 64 hexadecimal digits.
fn head(typed: &str) -> Result<String, String> {
    let typed = typed.trim();
    let hex = typed.len() == 64 && typed.bytes().all(|byte| byte.is_ascii_hexdigit());
    if hex {
        return Ok(typed.to_ascii_lowercase());
    }
    Err("is no chain head: those are 64 hexadecimal digits, as a run prints them behind \"chain head\" and its entry".to_owned())
}

/// What is proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Check {
    /// ledger and journal are as they were written, and the other tables as the journal says
    Chain,
    /// posted and held are what the facts in force give, for every partner and cycle
    Balances,
    /// every file ever taken is in the archive, byte for byte
    Files,
    /// everything published is in place, byte for byte, and adds up
    Statements,
}

impl Check {
    const ALL: [Check; 4] = [Check::Chain, Check::Balances, Check::Files, Check::Statements];

    fn word(self) -> &'static str {
        match self {
            Check::Chain => "chain",
            Check::Balances => "balances",
            Check::Files => "files",
            Check::Statements => "statements",
        }
    }
}

/// What a check came to.
#[derive(Debug, Default)]
struct Proof {
    /// what was looked at, where it is well
    well: String,
    /// worth knowing, and no fault
    notes: Vec<String>,
    /// what is broken: where, and how
    broken: Vec<(String, String)>,
    /// what another version of the program or of the time-zone data makes otherwise
    differs: Vec<(String, String)>,
}

impl Proof {
    fn finds(&mut self, what: impl Into<String>, how: impl Into<String>) {
        self.broken.push((what.into(), how.into()));
    }
}

const COLUMNS: [Column; 4] = [text("check"), text("state"), text("what"), text("detail")];

pub(super) fn run(session: &Session, args: &Args) -> Result<Exit> {
    let config = session.config()?;
    let store = session.store(&config)?;
    let checks = if args.checks.is_empty() { &Check::ALL[..] } else { &args.checks };
    if args.head.is_some() && !checks.contains(&Check::Chain) {
        return Err(Fault::usage(
            "--head belongs to the check of the chains: accrued verify chain --head HASH",
        ));
    }
    let mut rows = Vec::new();
    let (mut broken, mut differs) = (0, 0);
    for check in checks {
        let proof = prove(*check, &config, &store, args.head.as_deref());
        broken += proof.broken.len();
        differs += proof.differs.len();
        rows.extend(told(check.word(), proof));
    }
    if args.deep {
        let proof = deep::prove(session, &config, &store)?;
        broken += proof.broken.len();
        differs += proof.differs.len();
        rows.extend(told("deep", proof));
    }
    print(session, &rows)?;
    if broken == 0 && differs > 0 {
        session.next("what differs is no damage: what this version makes otherwise, accrued run proposes once a partner has news");
        return Ok(Exit::Found);
    }
    if broken > 0 {
        session.next("restore data_dir from a backup, or keep it as it is for whoever looks into it");
        return Ok(Exit::Found);
    }
    Ok(Exit::Done)
}

/// A store that cannot even be read is a finding, not a failure of ours.
fn prove(check: Check, config: &Config, store: &Store, head: Option<&str>) -> Proof {
    let proved = match check {
        Check::Chain => chain::prove(store, head),
        Check::Balances => balances::prove(store),
        Check::Files => files::prove(config, store),
        Check::Statements => statements::prove(config, store),
    };
    proved.unwrap_or_else(|fault| {
        let mut proof = Proof::default();
        proof.finds("store", format!("{fault:#}"));
        proof
    })
}

/// What is broken in a store by itself: its chains, and its balances against its facts. Its files are another question.
pub(super) fn faults(store: &Store) -> Result<Vec<String>> {
    let mut proof = chain::prove(store, None)?;
    if store.last_run()? > 0 {
        proof.broken.extend(balances::prove(store)?.broken);
    }
    Ok(proof.broken.into_iter().map(|(what, how)| format!("{what}: {how}")).collect())
}

/// The last run, where it has not finished: what it left undone is the next one's.
fn unfinished(store: &Store) -> Result<Option<i64>> {
    let Some(started) = store.last_record("run-started")? else { return Ok(None) };
    let finished = store.last_record("run-finished")?.is_some_and(|finished| started.seq < finished.seq);
    Ok((!finished).then_some(started.stamp.run))
}

type Row = [String; 4];

fn told(check: &str, proof: Proof) -> Vec<Row> {
    let row = |state: &str, what: String, detail: String| [check.to_owned(), state.to_owned(), what, detail];
    let mut rows: Vec<Row> = proof.broken.into_iter().map(|(what, how)| row("broken", what, how)).collect();
    rows.extend(proof.differs.into_iter().map(|(what, how)| row("differs", what, how)));
    if rows.is_empty() {
        rows.push(row("ok", String::new(), proof.well));
    }
    rows.extend(proof.notes.into_iter().map(|note| row("note", String::new(), note)));
    rows
}

fn print(session: &Session, rows: &[Row]) -> Result<()> {
    if session.format() != Format::Table {
        let mut table = session.table("verify", &COLUMNS)?;
        for row in rows {
            table.row(row)?;
        }
        return table.end().map(drop);
    }
    let mut out = std::io::stdout().lock();
    for [check, state, what, detail] in rows {
        let what = if what.is_empty() { String::new() } else { format!("{}: ", printable(what)) };
        writeln!(out, "{check:<12}{state:<8}{what}{}", printable(detail))?;
    }
    Ok(out.flush()?)
}
