//! The same job as the binary's, done within this process: a run and what it leaves, without starting a program. Only what
//! costs is done here; what people read is read through the binary.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use accrued::batch::{self, CloseByHand, Fetch, Order, Progress, Reread};
use accrued::calendar::Cycle;
use accrued::config::{self, Config};
use accrued::inbox::Cancel;
use accrued::store::files::{Counts, FileState};
use accrued::store::holds::{Ended, HoldState};
use accrued::store::journal::Stamp;
use accrued::store::ledger::{Wallet, Wanted};
use accrued::store::{ClockMode, Store};
use chrono::{DateTime, Utc};

use crate::naive::Word;
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
    pub partner: String,
    /// millionths at stake
    pub points: i64,
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

/// What a history is judged by, read at one moment.
#[derive(Default)]
pub struct Books {
    /// Every entry, in order.
    pub entries: Vec<Entry>,
    pub wallets: Vec<Wallet>,
    /// Every file ever taken.
    pub files: Vec<File>,
}

/// The bytes of a store as a first run makes it, before it writes anything into it. That takes as long as the rest of a run,
/// so that it is done once.
pub fn empty_store() -> &'static [u8] {
    static BYTES: OnceLock<Vec<u8>> = OnceLock::new();
    BYTES.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        drop(Store::open(folder.path(), folder.path()).expect("a store can be made"));
        std::fs::read(folder.path().join("accrued.db")).expect("a store is one file")
    })
}

/// A run at an instant that looks at no feed.
fn offline(now: DateTime<Utc>) -> Order {
    Order {
        now,
        clock: ClockMode::Given,
        feeds: vec![],
        fetch: Fetch::Nothing,
        close: None,
        reread: None,
        actor: "accrued".into(),
        cancel: Cancel::default(),
        progress: Progress::default(),
        replay: None,
        slot: None,
    }
}

fn done(workspace: &Workspace, order: Order) -> Done<()> {
    let config = config(workspace)?;
    let schemes = batch::load_schemes(&config).map_err(told)?;
    batch::run(&config, schemes, &order).map(drop).map_err(told)
}

/// `accrued run --as-of INSTANT`.
pub fn run(workspace: &Workspace, as_of: &str) -> Done<()> {
    let now = DateTime::parse_from_rfc3339(as_of).map_err(|e| e.to_string())?;
    done(workspace, Order { fetch: Fetch::Feeds, ..offline(now.to_utc()) })
}

/// `accrued close SCHEME CYCLE`.
pub fn close(workspace: &Workspace, as_of: DateTime<Utc>, scheme: &str, cycle: &str) -> Done<()> {
    let (scheme, cycle) = (scheme.to_owned(), cycle.to_owned());
    let close = Some(CloseByHand { scheme, cycle, reason: "it is late".into() });
    done(workspace, Order { close, ..offline(as_of) })
}

/// `accrued reread --feed FEED`, without the plan that is told before.
pub fn reread(workspace: &Workspace, feed: &str) -> Done<()> {
    let mut rows = store(workspace)?.files(None).map_err(told)?;
    rows.retain(|row| row.arrival.feed == feed);
    let ingested: BTreeSet<String> = rows
        .iter()
        .filter(|row| row.state == FileState::Ingested)
        .map(|row| row.arrival.sha256.clone())
        .collect();
    let mut refused = BTreeSet::new();
    rows.retain(|row| match row.state {
        FileState::Ingested => row.silent_since.is_none(),
        FileState::Refused => {
            !ingested.contains(&row.arrival.sha256) && refused.insert(row.arrival.sha256.clone())
        }
        FileState::Duplicate | FileState::Held => false,
    });
    rows.sort_by_key(|row| (row.arrival.rank.unwrap_or(row.seq), row.seq));
    let reread = Some(Reread { files: rows.iter().map(|row| row.seq).collect(), reason: String::new() });
    done(workspace, Order { reread, ..offline(last_run(workspace)?) })
}

/// `accrued holds release|discard ID`.
pub fn decide(workspace: &Workspace, hold: i64, verdict: Word) -> Done<()> {
    let data = workspace.path("var");
    let mut store = Store::open(&data, &data).map_err(told)?;
    let (_, at) = store.clock().map_err(told)?.ok_or("no run was made")?;
    let stamp = Stamp { at, run: store.last_run().map_err(told)?, actor: "somebody".into() };
    let state = match verdict {
        Word::Release => HoldState::Released,
        Word::Discard => HoldState::Discarded,
    };
    store.decide_hold(&stamp, hold, state, "checked").map(drop).map_err(told)
}

fn store(workspace: &Workspace) -> Done<Store> {
    let store = Store::open_reading(&workspace.path("var")).map_err(told)?;
    store.ok_or("no run has made a store".into())
}

/// The instant of the last run.
pub fn last_run(workspace: &Workspace) -> Done<DateTime<Utc>> {
    let (_, at) = store(workspace)?.clock().map_err(told)?.ok_or("no run was made")?;
    at.parse().map_err(|e: chrono::ParseError| e.to_string())
}

/// What the store holds now.
pub fn books(workspace: &Workspace) -> Done<Books> {
    let store = store(workspace)?;
    let mut books = Books { files: files_of(&store)?, ..Books::default() };
    let entry = |entry: accrued::domain::entry::Entry| {
        books.entries.push(Entry {
            scheme: entry.scheme,
            cycle: entry.cycle,
            partner: entry.partner_code,
            kind: entry.kind.word(),
            points: entry.points.0,
            hash: entry.hash,
        });
        Ok(())
    };
    store.each_entry(&Wanted::default(), entry).map_err(told)?;
    let wallet = |wallet| {
        books.wallets.push(wallet);
        Ok(())
    };
    store.each_wallet(None, wallet).map_err(told)?;
    Ok(books)
}

/// Every hold that waits, oldest first.
pub fn holds(workspace: &Workspace) -> Done<Vec<Waiting>> {
    let Some(store) = Store::open_reading(&workspace.path("var")).map_err(told)? else {
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
        let (partner, points) = (hold.partner, hold.points.0);
        waiting.push(Waiting { id, kind, scheme, cycle, partner, points, feed, name, line });
    }
    Ok(waiting)
}

/// Whether a cycle has been closed.
pub fn is_closed(workspace: &Workspace, scheme: &str, cycle: &str) -> Done<bool> {
    let config = config(workspace)?;
    let schemes = batch::load_schemes(&config).map_err(told)?;
    let Some(family) = schemes.families.iter().find(|family| family.id == scheme) else { return Ok(false) };
    let calendar = &family.versions[0].calendar;
    let closed = store(workspace)?.closed(scheme).map_err(told)?;
    Ok(closed.iter().any(|closed| calendar.name(Cycle(closed.cycle)) == cycle))
}

/// Every file ever taken.
pub fn files(workspace: &Workspace) -> Done<Vec<File>> {
    match Store::open_reading(&workspace.path("var")).map_err(told)? {
        Some(store) => files_of(&store),
        None => Ok(vec![]),
    }
}

fn files_of(store: &Store) -> Done<Vec<File>> {
    let rows = store.files(None).map_err(told)?;
    let file = |row: accrued::store::files::FileRow| File {
        feed: row.arrival.feed,
        name: row.arrival.name,
        ingested: row.state == FileState::Ingested,
        counts: row.counts,
    };
    Ok(rows.into_iter().map(file).collect())
}
