//! Everything published is in place as the journal recorded it, nothing else is beside it, and every account adds up:
//! opening + credits - debits = closing, and opening is the closing published before.

use super::Proof;
use crate::cli::summary::counted;
use crate::config::Config;
use crate::domain::points::Points;
use crate::outbox::check::{self, Finding};
use crate::statement::manifest;
use crate::statement::reading::{AccountRow, each_account_row};
use crate::store::Store;
use crate::store::cycles::Publication;
use anyhow::{Context, Result};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::BufReader;
use std::path::Path;

/// How often the store is read anew where a run publishes meanwhile.
const TRIES: usize = 5;

pub(super) fn prove(config: &Config, store: &Store) -> Result<Proof> {
    let mut proof = compare(config, store)?;
    let mut seen = store.journal_head()?;
    for _ in 0..TRIES {
        // a folder that is not as the store said may be one that a run has just published
        let fresh = Store::open_reading(&config.data_dir)?.context("the store is gone")?;
        let head = fresh.journal_head()?;
        if proof.broken.is_empty() || head == seen {
            break;
        }
        proof = compare(config, &fresh)?;
        seen = head;
    }
    Ok(proof)
}

fn compare(config: &Config, store: &Store) -> Result<Proof> {
    let mut proof = Proof::default();
    let in_force = store.in_place()?;
    let mut files = 0;
    let mut closings: BTreeMap<&str, BTreeMap<String, Points>> = BTreeMap::new();
    for publication in &in_force {
        let folder = config.data_dir.join(&publication.folder);
        files += of_folder(store, publication, &folder, &mut proof)?;
        if publication.folder.ends_with("/statement") {
            let before = closings.entry(&publication.scheme).or_default();
            accounts(&folder, &publication.folder, before, &mut proof)?;
        }
    }
    // what waits to be placed may be placed by a run while we look
    let waiting = store.unplaced()?;
    let known: BTreeSet<&str> = in_force.iter().chain(&waiting).map(|one| one.folder.as_str()).collect();
    foreign(&config.data_dir, "statements", &known, &mut proof)?;
    let folders = counted(in_force.len() as u64, "folder");
    proof.well = format!("{folders} with {}, every account adds up", counted(files, "file"));
    Ok(proof)
}

/// How many files are as the manifest says, whose own hash the journal has recorded.
fn of_folder(store: &Store, publication: &Publication, folder: &Path, proof: &mut Proof) -> Result<u64> {
    let path = folder.join(manifest::FILE_NAME);
    let what = |file: &str| format!("{}/{file}", publication.folder);
    match check::file_sha256(&path)? {
        Some(found) if found == publication.manifest => {}
        Some(found) => {
            proof.finds(
                what(manifest::FILE_NAME),
                format!(
                    "was changed: its SHA-256 is {found}, published was {} (journal record {})",
                    publication.manifest, publication.seq
                ),
            );
            return Ok(0);
        }
        None => {
            proof.finds(what(manifest::FILE_NAME), "is missing");
            return Ok(0);
        }
    }
    let bytes = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let manifest = manifest::parse(&bytes).with_context(|| format!("in {}", publication.folder))?;
    let mut expected: BTreeMap<String, String> =
        manifest.files.iter().map(|file| (file.file.clone(), file.sha256.clone())).collect();
    expected.insert(manifest::FILE_NAME.to_owned(), publication.manifest.clone());
    for finding in check::folder(folder, &expected)? {
        match finding {
            Finding::Missing { file } => proof.finds(what(&file), "is missing"),
            Finding::Changed { file, published, found } => proof.finds(
                what(&file),
                format!("was changed: its SHA-256 is {found}, published was {published}"),
            ),
            Finding::Extra { file } => proof.finds(what(&file), "was not published by accrued"),
        }
    }
    if manifest.last_entry > 0
        && store.entry_hash(manifest.last_entry)?.as_ref() != Some(&manifest.chain_hash)
    {
        proof.finds(
            what(manifest::FILE_NAME),
            format!(
                "was written over ledger entry {} with hash {}, which the ledger has not",
                manifest.last_entry, manifest.chain_hash
            ),
        );
    }
    Ok(expected.len() as u64)
}

/// One partner's account as it is read from a statement.
#[derive(Debug, Default)]
struct Account {
    partner: String,
    opening: Points,
    sum: Points,
}

/// Adds up every account of a statement, and keeps their closing balances for the next.
fn accounts(
    folder: &Path,
    shown: &str,
    before: &mut BTreeMap<String, Points>,
    proof: &mut Proof,
) -> Result<()> {
    let path = folder.join("statement.csv");
    if !path.exists() {
        return Ok(());
    }
    let file = fs::File::open(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let what = format!("{shown}/statement.csv");
    let mut account = Account::default();
    let mut faults = Vec::new();
    let read = each_account_row(BufReader::with_capacity(1 << 18, file), |row| {
        faults.extend(account.takes(row, before));
    });
    for how in faults {
        proof.finds(what.clone(), how);
    }
    if let Err(fault) = read {
        proof.finds(what, fault.to_string());
    }
    Ok(())
}

impl Account {
    /// What does not add up at this row, if anything does not.
    fn takes(&mut self, row: AccountRow, before: &mut BTreeMap<String, Points>) -> Option<String> {
        match row.kind.as_str() {
            "opening" => {
                let closed = before.get(&row.partner_code).copied().unwrap_or_default();
                *self = Account { partner: row.partner_code, opening: row.balance, sum: row.balance };
                (closed != row.balance).then(|| {
                    format!(
                        "partner {} opens with {}, and closed with {closed} in the statement before",
                        self.partner, row.balance
                    )
                })
            }
            "closing" => {
                before.insert(row.partner_code.clone(), row.balance);
                (self.partner != row.partner_code || self.sum != row.balance).then(|| {
                    format!(
                        "partner {} opens with {} and the entries make that {}, but the account closes with {}",
                        row.partner_code, self.opening, self.sum, row.balance
                    )
                })
            }
            _ => {
                self.sum = Points(self.sum.0.saturating_add(row.credit.0).saturating_sub(row.debit.0));
                (self.sum != row.balance).then(|| {
                    format!(
                        "partner {}: the entries make {}, the row says {}",
                        self.partner, self.sum, row.balance
                    )
                })
            }
        }
    }
}

/// Whatever stands below statements/ and belongs to no publication.
fn foreign(data_dir: &Path, inner: &str, known: &BTreeSet<&str>, proof: &mut Proof) -> Result<()> {
    let folder = data_dir.join(inner);
    let entries = match fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error).with_context(|| format!("cannot list {}", folder.display())),
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry?;
        names.push((entry.file_name().to_string_lossy().into_owned(), entry.file_type()?.is_dir()));
    }
    names.sort();
    for (name, is_folder) in names {
        let path = format!("{inner}/{name}");
        if known.contains(path.as_str()) {
            continue;
        }
        let leads_on =
            known.iter().any(|folder| folder.strip_prefix(&path).is_some_and(|rest| rest.starts_with('/')));
        if is_folder && leads_on {
            foreign(data_dir, &path, known, proof)?;
        } else {
            proof.finds(path, "was not published by accrued");
        }
    }
    Ok(())
}
