//! `accrued run --dry-run`: a real run, on a copy of the store in a scratch data_dir that is removed afterwards.
//!
//! It needs no lock: the copy is one state of the store, whatever a run writes meanwhile.

use super::exit::Exit;
use super::listing::Listing;
use super::output::{Column, Format, number, text};
use super::progress::Watching;
use super::scratch::Scratch;
use super::session::Session;
use super::summary;
use crate::batch::{self, MAY_GO, Order, RealSchemes};
use crate::config::Config;
use crate::inbox::Archive;
use crate::scheme;
use crate::store::files::FileRow;
use crate::store::holds::HoldState;
use crate::store::ledger::Wanted;
use crate::store::{ClockMode, FILE_HOLDS, Store};
use anyhow::{Context, Result};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

const PREFIX: &str = ".dry-run-";
const POSTS: &str = "accrued run posts it";

/// Rehearses the order and says what it would do.
pub(super) fn run(
    session: &Session,
    config: &Config,
    schemes: RealSchemes,
    mut order: Order,
    watching: Watching,
) -> Result<Exit> {
    let scratch = Scratch::begin(&config.data_dir, PREFIX)?;
    let copied = copy(config, &scratch)?;
    if copied.clock == Some(ClockMode::Real) {
        // --as-of may rehearse on a store of the real clock (interfaces.md 2)
        order.clock = ClockMode::Real;
    }
    let decimals = decimals(&schemes.families);
    let rehearsed = scratch.rehearsing(config);
    let report = batch::run(&rehearsed, schemes, &order)?;
    watching.end();
    match session.asked_format() {
        Some(Format::Csv | Format::Json) => entries(session, &rehearsed, copied.last_entry, &decimals)?,
        Some(Format::Table) => {
            session.next(POSTS);
            summary::print(session, &rehearsed, &report, summary::Tense::Would)?;
            entries(session, &rehearsed, copied.last_entry, &decimals)?;
        }
        None => {
            session.next(POSTS);
            summary::print(session, &rehearsed, &report, summary::Tense::Would)?;
        }
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
    let clock = real.clock()?.map(|(mode, _)| mode);
    let copied = Copied { clock, last_entry: real.ledger_head()?.0 };
    link_known(config, scratch, &scratch.copy(&real)?)?;
    Ok(copied)
}

/// Files that a person has released, those that are judged again, and those that a killed run was to read again, are read from the
/// archive.
fn link_known(config: &Config, scratch: &Scratch, copy: &Store) -> Result<()> {
    let (from, to) = (Archive::of(&config.data_dir), Archive::of(&scratch.folder));
    let mut files = copy.left_to_reread()?;
    let released = FILE_HOLDS.map(|kind| (kind, HoldState::Released));
    for (kind, state) in released.into_iter().chain(MAY_GO.map(|kind| (kind, HoldState::Open))) {
        files.extend(copy.holds_of_kind(kind, state)?.into_iter().filter_map(|hold| hold.file));
    }
    for seq in files {
        let Some(FileRow { arrival, .. }) = copy.file(seq)? else { continue };
        for sha256 in arrival.sidecar.iter().map(|sidecar| &sidecar.sha256).chain([&arrival.sha256]) {
            link(&from.path_of(sha256), &to.path_of(sha256))?;
        }
    }
    Ok(())
}

fn link(from: &Path, to: &Path) -> Result<()> {
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    // of one that is not in the archive the run says what that means
    if from.exists() && !to.exists() && fs::hard_link(from, to).is_err() {
        fs::copy(from, to).with_context(|| format!("cannot copy {}", from.display()))?;
    }
    Ok(())
}
