//! `accrued verify --deep` (product.md, law "replay"): journal and archive are fed to an empty store by the code of any run, with
//! the journal's instants, texts, files in the order taken, decisions and closes; then every row of the store and every
//! published byte is compared.
//!
//! It works in a folder of its own below data_dir, which is removed afterwards, and contacts no feed.

mod files;

use super::Proof;
use crate::batch;
use crate::cli::scratch::Scratch;
use crate::cli::session::Session;
use crate::cli::summary::counted;
use crate::config::Config;
use crate::domain::points::Points;
use crate::keep::{Replayed, Replayer};
use crate::store::Store;
use crate::store::compare::{Compared, Differences};
use anyhow::{Context, Result};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

const PREFIX: &str = ".deep-";

pub(super) fn prove(session: &Session, config: &Config, store: &Store) -> Result<Proof> {
    let mut proof = Proof::default();
    if !store.journal_breaks()?.is_empty() {
        proof.finds("journal", "is broken: what it says cannot be replayed");
        return Ok(proof);
    }
    let scratch = Scratch::begin(&config.data_dir, PREFIX)?;
    scratch.lead_to_archive(&config.data_dir)?;
    let mut replayer = Replayer::new(&session.cancel()?, &scratch.folder)?;
    store.each_record(|record| replayer.take(&record))?;
    let replayed = replayer.end()?;
    let versions = other_versions(&replayed);
    if let Some((what, why)) = &replayed.stopped {
        proof.finds(what, why);
    } else {
        compare(config, store, &scratch.folder, &replayed, &mut proof)?;
    }
    if replayed.begun_early {
        proof.differs = std::mem::take(&mut proof.broken);
    }
    if let Some(versions) = versions {
        proof.notes.push(versions);
        if !replayed.archive_changed {
            proof.differs.append(&mut proof.broken);
        }
    }
    proof.well =
        format!("{} replayed, every row and every published byte alike", counted(replayed.runs, "run"));
    Ok(proof)
}

/// Says which runs another program or other time-zone data made, if any.
fn other_versions(replayed: &Replayed) -> Option<String> {
    let this = batch::this_version();
    let others: Vec<String> = replayed
        .made_by
        .iter()
        .filter(|(made_by, _)| **made_by != this)
        .map(|(made_by, runs)| format!("{} by {made_by}", counted(*runs, "run")))
        .collect();
    (!others.is_empty()).then(|| {
        format!(
            "made by another version: {}; this is {this}: what differs here may be its doing, and is proposed, not posted (what was tampered with is named by the other checks)",
            others.join(", "),
        )
    })
}

fn compare(
    config: &Config,
    store: &Store,
    folder: &Path,
    replayed: &Replayed,
    proof: &mut Proof,
) -> Result<()> {
    let again = Store::open_reading(folder)?.context("the replayed store is gone")?;
    let compared = if replayed.unfinished.is_some() { Compared::Recorded } else { Compared::All };
    if let Some(run) = replayed.unfinished {
        proof.notes.push(format!(
            "run {run} has not finished: what the next run works out again (positions, holds) and places is not compared"
        ));
    }
    for differences in store.differences(&again, compared)? {
        tell(differences, proof);
    }
    postings(store, &again, proof)?;
    let waiting: BTreeSet<String> = store.unplaced()?.into_iter().map(|one| one.folder).collect();
    for root in ["statements", "rejects"] {
        files::compare(&config.data_dir, folder, root, &waiting, replayed.unfinished, proof)?;
    }
    Ok(())
}

fn tell(differences: Differences, proof: &mut Proof) {
    let told = differences.told.len() as u64;
    for how in differences.told {
        proof.finds("accrued.db", how);
    }
    if differences.rows > told {
        proof
            .finds("accrued.db", format!("{}: and {} more rows", differences.table, differences.rows - told));
    }
}

/// Where the sums of accruals and corrections differ: what would be posted to bring the ledger to what the replay gives.
fn postings(store: &Store, again: &Store, proof: &mut Proof) -> Result<()> {
    let mut schemes: BTreeSet<String> = BTreeSet::new();
    for side in [store, again] {
        schemes.extend(side.scheme_texts()?.into_iter().map(|text| text.scheme));
    }
    for scheme in schemes {
        let (posted, due) = (store.posted_sums(&scheme)?, again.posted_sums(&scheme)?);
        for (partner, cycle) in keys(&posted).union(&keys(&due)) {
            let of =
                |sums: &Sums| sums.get(*partner).and_then(|cycles| cycles.get(*cycle)).copied().unwrap_or(0);
            let (posted, due) = (of(&posted), of(&due));
            if posted != due {
                proof.finds(
                    format!("{scheme} {cycle} partner {partner}"),
                    format!(
                        "{} points are posted, the replay gives {}: a difference of {}, which is not posted",
                        Points(posted),
                        Points(due),
                        Points(due.saturating_sub(posted))
                    ),
                );
            }
        }
    }
    Ok(())
}

type Sums = BTreeMap<String, BTreeMap<String, i64>>;

fn keys(sums: &Sums) -> BTreeSet<(&str, &str)> {
    sums.iter()
        .flat_map(|(partner, cycles)| cycles.keys().map(move |cycle| (partner.as_str(), cycle.as_str())))
        .collect()
}
