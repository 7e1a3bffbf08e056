//! The same job as the binary's, done within this process: a run and what it leaves, without starting a program. Only what
//! costs is done here; what people read is read through the binary.

use std::path::Path;

use accrued::batch::{self, Fetch, Order, Progress};
use accrued::config::{self, Config};
use accrued::inbox::Cancel;
use accrued::store::files::{Counts, FileState};
use accrued::store::holds::Ended;
use accrued::store::ledger::{Wallet, Wanted};
use accrued::store::{ClockMode, Store};

use crate::program::Workspace;

/// An entry of the ledger, as far as a history is judged by it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub scheme: String,
    pub cycle: String,
    pub partner: String,
    pub kind: &'static str,
    /// millionths
    pub points: i64,
    pub hash: String,
}

/// What became of one file.
#[derive(Clone, Debug)]
pub struct File {
    pub feed: String,
    pub name: String,
    pub ingested: bool,
    pub counts: Counts,
}

/// A hold that waits for a person.
#[derive(Clone, Debug)]
pub struct Waiting {
    pub id: i64,
    pub kind: String,
    pub scheme: String,
    pub cycle: String,
    pub feed: String,
    pub name: String,
    pub line: u64,
}

type Done<T> = Result<T, String>;

fn told(fault: anyhow::Error) -> String {
    format!("{fault:#}")
}

fn config(workspace: &Workspace) -> Done<Config> {
    let path = workspace.path("accrued.toml");
    let text = std::fs::read_to_string(&path).map_err(|e| e.to_string())?;
    config::load(&path, &text, &|_| None).map_err(|faults| faults.render(false))
}

/// `accrued run --as-of INSTANT`.
pub fn run(workspace: &Workspace, as_of: &str) -> Done<()> {
    let config = config(workspace)?;
    let now = chrono::DateTime::parse_from_rfc3339(as_of).map_err(|e| e.to_string())?;
    let order = Order {
        now: now.to_utc(),
        clock: ClockMode::Given,
        feeds: vec![],
        fetch: Fetch::Feeds,
        close: None,
        reread: None,
        actor: "accrued".into(),
        cancel: Cancel::default(),
        progress: Progress::default(),
        replay: None,
    };
    let schemes = batch::load_schemes(&config).map_err(told)?;
    batch::run(&config, schemes, &order).map(drop).map_err(told)
}

fn store(workspace: &Workspace) -> Done<Store> {
    let store = Store::open_reading(Path::new(&workspace.path("var"))).map_err(told)?;
    store.ok_or("no run has made a store".into())
}

/// The instant of the last run.
pub fn last_run(workspace: &Workspace) -> Done<chrono::DateTime<chrono::Utc>> {
    let (_, at) = store(workspace)?.clock().map_err(told)?.ok_or("no run was made")?;
    at.parse().map_err(|e: chrono::ParseError| e.to_string())
}

/// Every entry, in order.
pub fn entries(workspace: &Workspace) -> Done<Vec<Entry>> {
    let mut entries = vec![];
    let take = |entry: accrued::domain::entry::Entry| {
        entries.push(Entry {
            scheme: entry.scheme,
            cycle: entry.cycle,
            partner: entry.partner_code,
            kind: entry.kind.word(),
            points: entry.points.0,
            hash: entry.hash,
        });
        Ok(())
    };
    store(workspace)?.each_entry(&Wanted::default(), take).map_err(told)?;
    Ok(entries)
}

/// Every wallet.
pub fn wallets(workspace: &Workspace) -> Done<Vec<Wallet>> {
    let mut wallets = vec![];
    let take = |wallet| {
        wallets.push(wallet);
        Ok(())
    };
    store(workspace)?.each_wallet(None, take).map_err(told)?;
    Ok(wallets)
}

/// Every hold that waits, oldest first.
pub fn holds(workspace: &Workspace) -> Done<Vec<Waiting>> {
    let Some(store) = Store::open_reading(Path::new(&workspace.path("var"))).map_err(told)? else {
        return Ok(vec![]);
    };
    let mut waiting = vec![];
    for hold in store.holds(Ended::Without).map_err(told)? {
        let file = match hold.file {
            Some(seq) => store.file(seq).map_err(told)?,
            None => None,
        };
        let (feed, name) = file.map(|f| (f.arrival.feed, f.arrival.name)).unwrap_or_default();
        let line = hold.line.unwrap_or(0);
        let (id, kind, scheme, cycle) = (hold.id, hold.kind, hold.scheme, hold.cycle);
        waiting.push(Waiting { id, kind, scheme, cycle, feed, name, line });
    }
    Ok(waiting)
}

/// Every file ever taken.
pub fn files(workspace: &Workspace) -> Done<Vec<File>> {
    let Some(store) = Store::open_reading(Path::new(&workspace.path("var"))).map_err(told)? else {
        return Ok(vec![]);
    };
    let rows = store.files(None).map_err(told)?;
    let file = |row: accrued::store::files::FileRow| File {
        feed: row.arrival.feed,
        name: row.arrival.name,
        ingested: row.state == FileState::Ingested,
        counts: row.counts,
    };
    Ok(rows.into_iter().map(file).collect())
}
