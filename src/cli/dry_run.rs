//! `accrued run --dry-run`: a real run, on a copy of the store in a scratch data_dir that is removed afterwards.
//!
//! It needs no lock: the copy is one state of the store, whatever a run writes meanwhile. A scratch folder that a killed
//! rehearsal has left is removed by the next one: nobody holds its lock.

use super::exit::Exit;
use super::listing::Listing;
use super::output::{Column, Format, number, text};
use super::progress::Watching;
use super::session::Session;
use super::summary;
use crate::batch::{self, Order, RealSchemes};
use crate::config::Config;
use crate::inbox::Archive;
use crate::lock::{self, Lock, Taken};
use crate::store::ledger::Wanted;
use crate::store::{ClockMode, Store};
use crate::{clock, scheme};
use anyhow::{Context, Result, bail};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

const PREFIX: &str = ".dry-run-";

/// Rehearses the order and says what it would do.
pub(super) fn run(
    session: &Session,
    config: &Config,
    schemes: RealSchemes,
    mut order: Order,
    watching: Watching,
) -> Result<Exit> {
    let scratch = Scratch::begin(&config.data_dir)?;
    let copied = copy(config, &scratch)?;
    if copied.clock == Some(ClockMode::Real) {
        // --as-of may rehearse on a store of the real clock (interfaces.md 2)
        order.clock = ClockMode::Real;
    }
    let decimals = decimals(&schemes.families);
    let rehearsed = Config { data_dir: scratch.folder.clone(), ..config.clone() };
    let report = batch::run(&rehearsed, schemes, &order)?;
    watching.end();
    match session.asked_format() {
        Some(Format::Csv | Format::Json) => entries(session, &rehearsed, copied.last_entry, &decimals)?,
        Some(Format::Table) => {
            summary::print(session, &rehearsed, &report, summary::Tense::Would)?;
            entries(session, &rehearsed, copied.last_entry, &decimals)?;
        }
        None => summary::print(session, &rehearsed, &report, summary::Tense::Would)?,
    }
    Ok(report.exit().into())
}

fn decimals(families: &[scheme::Family]) -> BTreeMap<String, u32> {
    families.iter().filter_map(|family| Some((family.id.clone(), family.versions.last()?.decimals))).collect()
}

const COLUMNS: [Column; 8] = [
    text("scheme"),
    text("cycle"),
    text("partner_code"),
    text("kind"),
    number("points"),
    number("amount"),
    text("tier"),
    text("reason"),
];

/// What would be posted, entry by entry.
fn entries(
    session: &Session,
    rehearsed: &Config,
    after: i64,
    decimals: &BTreeMap<String, u32>,
) -> Result<()> {
    let store = session.store(rehearsed)?;
    let names = COLUMNS.map(|column| (column.name(), column.name()));
    let mut table = Listing::begin(session, "run", &COLUMNS, &names)?;
    store.each_entry(&Wanted { after, ..Wanted::default() }, |entry| {
        let decimals = decimals.get(&entry.scheme).copied().unwrap_or(0);
        table.row(&[
            entry.scheme.as_str(),
            &entry.cycle,
            &entry.partner_code,
            entry.kind.word(),
            &entry.points.plain(decimals),
            &entry.amount.normalize().to_string(),
            &entry.tier,
            &entry.reason,
        ])
    })?;
    table.end(session).map(drop)
}

/// What the copy began with.
struct Copied {
    clock: Option<ClockMode>,
    last_entry: i64,
}

fn copy(config: &Config, scratch: &Scratch) -> Result<Copied> {
    let Some(real) = Store::open_reading(&config.data_dir)? else {
        return Ok(Copied { clock: None, last_entry: 0 });
    };
    real.copy_to(&scratch.folder)?;
    let clock = real.clock()?.map(|(mode, _)| mode);
    let copied = Copied { clock, last_entry: real.ledger_head()?.0 };
    drop(real);
    let copy = Store::open(&scratch.folder, &scratch.folder)?;
    // what a killed run has recorded and not placed is in the real staging; here nobody reads it
    for publication in copy.unplaced()? {
        copy.placed(publication.seq)?;
    }
    link_released(config, scratch, &copy)?;
    Ok(copied)
}

/// Files that a person has released are read from the archive.
fn link_released(config: &Config, scratch: &Scratch, copy: &Store) -> Result<()> {
    let (from, to) = (Archive::of(&config.data_dir), Archive::of(&scratch.folder));
    for hold in copy.released_holds("same_file_other_feed")? {
        let Some(file) = hold.file.map(|seq| copy.file(seq)).transpose()?.flatten() else { continue };
        let (from, to) = (from.path_of(&file.arrival.sha256), to.path_of(&file.arrival.sha256));
        if let Some(folder) = to.parent() {
            fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        }
        if fs::hard_link(&from, &to).is_err() {
            fs::copy(&from, &to).with_context(|| format!("cannot copy {}", from.display()))?;
        }
    }
    Ok(())
}

/// A data_dir for one rehearsal.
struct Scratch {
    folder: PathBuf,
    _lock: Lock,
}

impl Scratch {
    /// Below data_dir, where there is room for what is fetched; where that cannot be written, among the system's
    /// temporary files.
    fn begin(data_dir: &Path) -> Result<Scratch> {
        sweep(data_dir);
        let name = format!("{PREFIX}{}", std::process::id());
        let beside = data_dir.join(&name);
        let folder = match fs::create_dir(&beside) {
            Ok(()) => beside,
            Err(_) => {
                let elsewhere = std::env::temp_dir().join(format!("accrued{name}"));
                fs::create_dir(&elsewhere)
                    .with_context(|| format!("cannot make the folder {}", elsewhere.display()))?;
                elsewhere
            }
        };
        match lock::take(&folder, &clock::stamp(clock::now()))? {
            Taken::Ours(lock) => Ok(Scratch { folder, _lock: lock }),
            Taken::Theirs(who) => bail!("another dry run has {}: {who}", folder.display()),
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // what cannot be removed now is removed by the next rehearsal
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Removes what killed rehearsals have left.
fn sweep(data_dir: &Path) {
    let Ok(entries) = fs::read_dir(data_dir) else { return };
    for entry in entries.flatten() {
        if !entry.file_name().to_string_lossy().starts_with(PREFIX) {
            continue;
        }
        if let Ok(Taken::Ours(_free)) = lock::take(&entry.path(), "") {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}
