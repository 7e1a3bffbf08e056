//! `metrics.prom`: gathered from the store while the turn is ours, so that no earlier run's is written over a later one's.

use crate::batch::{self, Places, Stays};
use crate::clock;
use crate::config::Config;
use crate::domain::entry::EntryKind;
use crate::metrics::{self, Counted, LastRun, Posted, SchemeTold, Stage, Told};
use crate::outbox;
use crate::scheme::Family;
use crate::store::Store;
use crate::store::files::FileState;
use crate::store::tally::{Measured, Moved, Totals};
use anyhow::{Context, Result};
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

/// The file, below data_dir.
pub const METRICS_FILE: &str = "metrics.prom";

/// The key of the whole among what was measured.
const WHOLE: &str = "";

/// What was measured of a run that has ended.
pub(super) fn measured(run: Option<i64>, start: DateTime<Utc>, exit: u8, spent: super::Spent) -> Measured {
    let micros = |time: Duration| i64::try_from(time.as_micros()).unwrap_or(i64::MAX);
    let stages =
        Stage::ALL.iter().zip(spent.stages).map(|(stage, time)| (stage.word().to_owned(), micros(time)));
    Measured {
        run,
        start: start.timestamp(),
        exit,
        micros: stages.chain([(WHOLE.to_owned(), micros(spent.whole))]).collect(),
    }
}

/// Writes it. What cannot be told, since the store or its schemes cannot be read, stands as it was told last. That it cannot be
/// written is told and changes nothing else: what was done is done.
pub(super) fn metrics(
    config: &Config,
    families: Option<&[Family]>,
    now: DateTime<Utc>,
    measured: Option<Measured>,
) {
    let target = config.data_dir.join(METRICS_FILE);
    let mut told = Told {
        program: env!("CARGO_PKG_VERSION").to_owned(),
        time_zone_data: clock::time_zone_data().to_owned(),
        run: measured.as_ref().map(last_run),
        ..Told::default()
    };
    if let Err(fault) = gather(&mut told, config, families, now, measured) {
        tracing::warn!("{} tells what it told before, but for the last run: {fault:#}", target.display());
    }
    // the first has none before it
    let before = fs::read_to_string(&target).unwrap_or_default();
    if let Err(fault) = outbox::single::put(&target, &metrics::render(&metrics::families(&told), &before)) {
        tracing::warn!("cannot tell how the run went in {}: {fault}", target.display());
    }
}

fn last_run(measured: &Measured) -> LastRun {
    let spent = |part: &str| {
        let micros = measured.micros.get(part).copied().unwrap_or_default();
        Duration::from_micros(u64::try_from(micros).unwrap_or_default())
    };
    LastRun {
        number: measured.run,
        start: measured.start,
        exit: measured.exit,
        duration: spent(WHOLE),
        stages: Stage::ALL.map(|stage| spent(stage.word())),
    }
}

fn gather(
    told: &mut Told,
    config: &Config,
    families: Option<&[Family]>,
    now: DateTime<Utc>,
    measured: Option<Measured>,
) -> Result<()> {
    let file = config.data_dir.join("accrued.db");
    if !file.is_file() {
        return Ok(());
    }
    let mut store = Store::open(&config.data_dir, &Places::of(config).scratch)?;
    match measured {
        Some(measured) => store.keep_measured(&measured)?,
        None => told.run = store.measured()?.as_ref().map(last_run),
    }
    store.keep_sums()?;
    told.counted = Some(counted(config, store.totals()?));
    let known = take_schemes(told, config, &store, families, now);
    drop(store);
    told.store_bytes = Some(file.metadata().context("cannot measure the store")?.len());
    told.log_bytes = Some(file.with_extension("db-wal").metadata().map_or(0, |log| log.len()));
    known
}

/// Schemes by which closed cycles go as they were closed; where their files cannot be read, as the last run went by them.
fn pinned(store: &Store, families: Option<&[Family]>) -> Result<Vec<Family>> {
    match families {
        Some(families) => families.iter().map(|family| batch::with_pins(store, family.clone())).collect(),
        None => Ok(batch::families_upto(store, i64::MAX)?.unwrap_or_default()),
    }
}

/// A feed of the config has every count from the beginning, so that its first file is seen as a change.
fn counted(config: &Config, totals: Totals) -> Counted {
    let Totals { runs_started, runs_finished, last_success, files, rows, rejects_open, .. } = totals;
    let posted = |moved: Moved| Posted {
        scheme: moved.scheme,
        kind: moved.kind,
        credit: moved.credit,
        debit: moved.debit,
    };
    let mut told = Counted {
        last_success,
        runs_started,
        runs_finished,
        files,
        rows,
        rejects_open,
        holds_open: totals.holds_open,
        last_entry: totals.last_entry,
        posted: totals.moved.into_iter().map(posted).collect(),
    };
    for feed in &config.feeds {
        let with = |word: &str| (feed.name.clone(), word.to_owned());
        for state in [FileState::Ingested, FileState::Duplicate, FileState::Refused, FileState::Held] {
            told.files.entry(with(state.word())).or_default();
        }
        for outcome in crate::store::tally::OUTCOMES {
            told.rows.entry(with(outcome)).or_default();
        }
        told.rejects_open.entry(feed.name.clone()).or_default();
    }
    told
}

fn take_schemes(
    told: &mut Told,
    config: &Config,
    store: &Store,
    families: Option<&[Family]>,
    now: DateTime<Utc>,
) -> Result<()> {
    let families = &pinned(store, families)?;
    let mut missing: BTreeMap<String, u64> = config.feeds.iter().map(|feed| (feed.name.clone(), 0)).collect();
    for awaited in batch::awaited(store, config, families, now)? {
        if awaited.given_up.is_none() {
            *missing.entry(awaited.missing.feed).or_default() += 1;
        }
    }
    told.missing = Some(missing);
    for family in families {
        for kind in [EntryKind::Accrual, EntryKind::Correction] {
            if let Some(counted) = &mut told.counted {
                begin_at_zero(&mut counted.posted, &family.id, kind.word());
            }
        }
    }
    let mut schemes = Vec::new();
    for family in families {
        let Some(version) = family.versions.last() else { continue };
        let today = now.with_timezone(&version.timezone).date_naive();
        let cycles = batch::open_cycles(store, config, family, today)?;
        let outstanding = told.counted.as_ref().map(|counted| counted.outstanding(&family.id));
        let worth = batch::worth(families, &family.id, outstanding.unwrap_or_default());
        schemes.push(SchemeTold {
            id: family.id.clone(),
            currency: version.currency.clone(),
            liability: (!worth.is_empty()).then_some(worth),
            waiting: cycles.iter().filter(|cycle| cycle.stays != Stays::Running).count(),
        });
    }
    told.schemes = Some(schemes);
    Ok(())
}

fn begin_at_zero(posted: &mut Vec<Posted>, scheme: &str, kind: &str) {
    let order = |posted: &Posted| (posted.scheme.as_str(), posted.kind.as_str()).cmp(&(scheme, kind));
    if let Err(at) = posted.binary_search_by(order) {
        let (scheme, kind) = (scheme.to_owned(), kind.to_owned());
        let (credit, debit) = Default::default();
        posted.insert(at, Posted { scheme, kind, credit, debit });
    }
}
