//! A backup: the store in one state, the list of its archived files, heads of its chains; proved, then in place by one rename.
//!
//! The copy is made in one read transaction: what a run commits meanwhile neither waits for it nor gets into it, and no commit makes it
//! begin anew. The lock of data_dir is not taken.

use super::list::{self, ARCHIVE_LIST, Archived, Listed, MANIFEST, Manifest, STORE};
use super::published::{self, Standing};
use super::{Prove, unfinished};
use crate::clock;
use crate::inbox::{Archive, Cancel};
use crate::lock::{self, Taken};
use crate::outbox::check::file_sha256;
use crate::outbox::parcel::{self, Parcel, Place};
use crate::statement::manifest;
use crate::store::Store;
use anyhow::{Context, Result, bail};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// The lock of the folder in which a backup is made.
const LOCK: &str = "lock";
/// How often a state is copied anew where a run replaces or places a published folder while it is copied.
const TRIES: usize = 10;

/// Whether a backup holds copies of what never changes once it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Copies {
    /// archived and published files are listed: any program that copies files keeps them
    Listed,
    /// they are in the backup; on the same file system they take no room there
    Within,
}

/// How archived files are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// they are there, with their size
    Sizes,
    /// each is read and hashed
    Bytes,
}

/// A backup that is in place.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Backup {
    /// last ledger entry and its chain hash
    pub ledger: (i64, String),
    /// last journal record and its chain hash
    pub journal: (i64, String),
    /// the last run, where it was still at work (or was killed)
    pub unfinished: Option<i64>,
    /// archived files of its list
    pub files: u64,
    /// their bytes
    pub bytes: u64,
    /// archived files that are not as the list says: (path, how)
    pub amiss: Vec<(String, String)>,
}

/// Backs a data_dir up into a folder that is not there, or empty.
///
/// # Errors
/// Where the folder holds something, the disk fails, a signal came, or the copy is not proved: then nothing has appeared.
pub fn backup(
    data_dir: &Path,
    target: &Path,
    (copies, look): (Copies, Look),
    prove: Prove<'_>,
    cancel: &Cancel,
) -> Result<Backup> {
    match parcel::place(target)? {
        Place::Free => {}
        Place::Taken => bail!(
            "{} is there and holds something: a backup is a folder of its own, so name one that is not there yet",
            target.display()
        ),
    }
    let mut parcel = Parcel::at(target)?;
    let _lock = match lock::take(parcel.folder(), &clock::stamp(clock::now()))? {
        Taken::Ours(lock) => lock,
        Taken::Theirs(who) => bail!("another backup to {} is under way: {who}", target.display()),
    };
    let mut made = None;
    for _ in 0..TRIES {
        parcel.clear(LOCK)?;
        made = one_state(data_dir, &parcel, copies, cancel)?;
        if made.is_some() {
            break;
        }
    }
    let Some(copy) = made else {
        bail!("runs publish faster than what they publish can be copied; try again when they rest");
    };
    let done = finish(data_dir, &parcel, &copy, (copies, look), prove, cancel)?;
    drop(copy);
    parcel.seal(LOCK)?;
    Ok(done)
}

/// Copies one state of the store and the published folders that belong to it; none where a run took one of them away meanwhile.
fn one_state(data_dir: &Path, parcel: &Parcel, copies: Copies, cancel: &Cancel) -> Result<Option<Store>> {
    let store = Store::open_reading(data_dir)?
        .with_context(|| format!("there is no store in {} yet: nothing to back up", data_dir.display()))?;
    store.copy_alone(&parcel.path(STORE)?, &mut || Ok(cancel.check()?))?;
    drop(store);
    let copy = Store::open_reading(parcel.folder())?.context("the copy is gone")?;
    for waiting in copy.unplaced()? {
        let staged = format!("staging/{}", waiting.staging);
        let from = [data_dir.join(&staged), data_dir.join(&waiting.folder)];
        let to = parcel.folder().join(&staged);
        if !copied_from_one(&from, &to, &waiting.manifest)? {
            return Ok(None);
        }
    }
    if copies == Copies::Within {
        for publication in copy.in_place()? {
            cancel.check()?;
            let from = [data_dir.join(&publication.folder)];
            let is_replaced = publication.folder.ends_with("/current");
            let copied =
                copied_from_one(&from, &parcel.folder().join(&publication.folder), &publication.manifest)?;
            if !copied && is_replaced {
                return Ok(None);
            }
        }
    }
    Ok(Some(copy))
}

/// Copies the first of the folders that is whole. A run may move or replace it at any moment: what was copied is looked at.
fn copied_from_one(from: &[std::path::PathBuf], to: &Path, manifest: &str) -> Result<bool> {
    for folder in from {
        // fails where the folder goes away under us: then what there is of the copy says so
        let _ = published::same_folder(folder, to);
        if published::of_folder(to, manifest)? == Standing::Whole {
            return Ok(true);
        }
        parcel::remove(to)?;
    }
    Ok(false)
}

fn finish(
    data_dir: &Path,
    parcel: &Parcel,
    copy: &Store,
    (copies, look): (Copies, Look),
    prove: Prove<'_>,
    cancel: &Cancel,
) -> Result<Backup> {
    let faults = prove(copy)?;
    if let Some(first) = faults.first() {
        bail!(
            "the store is not sound, and a backup of it would not be good: {first}{} (accrued verify tells everything)",
            if faults.len() > 1 { format!(", and {} more", faults.len() - 1) } else { String::new() }
        );
    }
    let archived = list::archived(copy)?;
    let mut done = Backup {
        ledger: copy.ledger_head()?,
        journal: copy.journal_head()?,
        unfinished: unfinished(copy)?,
        ..Backup::default()
    };
    take_archive(data_dir, parcel, &archived, (copies, look), &mut done, cancel)?;
    parcel.write(ARCHIVE_LIST, &list::render(&archived)?)?;
    let mut names = vec![STORE.to_owned(), ARCHIVE_LIST.to_owned()];
    names.extend(manifests(parcel.folder(), "staging")?);
    names.extend(manifests(parcel.folder(), "statements")?);
    let manifest = Manifest {
        files: names.into_iter().map(|name| listed(parcel.folder(), name)).collect::<Result<_>>()?,
        ledger: done.ledger.clone(),
        journal: done.journal.clone(),
        at: clock::stamp(clock::now()),
        program: format!("accrued {}", env!("CARGO_PKG_VERSION")),
        tzdata: clock::time_zone_data().to_owned(),
    };
    parcel.write(MANIFEST, &manifest.render()?)?;
    Ok(done)
}

fn take_archive(
    data_dir: &Path,
    parcel: &Parcel,
    archived: &[Archived],
    (copies, look): (Copies, Look),
    done: &mut Backup,
    cancel: &Cancel,
) -> Result<()> {
    let (here, there) = (Archive::of(data_dir), Archive::of(parcel.folder()));
    let mut seen = BTreeSet::new();
    for one in archived.iter().filter(|one| seen.insert(&one.sha256)) {
        cancel.check()?;
        done.files += 1;
        done.bytes += one.size;
        let path = here.path_of(&one.sha256);
        if let Some(how) = amiss(&here, &path, one, look)? {
            done.amiss.push((path.display().to_string(), format!("{} of feed {} {how}", one.name, one.feed)));
        } else if copies == Copies::Within {
            parcel::same_file(&path, &there.path_of(&one.sha256))?;
        }
    }
    Ok(())
}

fn amiss(archive: &Archive, path: &Path, one: &Archived, look: Look) -> Result<Option<&'static str>> {
    if !archive.holds(&one.sha256, one.size) {
        return Ok(Some("is missing or has another size"));
    }
    let changed = match look {
        Look::Sizes => false,
        Look::Bytes => file_sha256(path)?.as_ref() != Some(&one.sha256),
    };
    Ok(changed.then_some("was changed"))
}

fn listed(root: &Path, file: String) -> Result<Listed> {
    let path = root.join(&file);
    let bytes = fs::metadata(&path).with_context(|| format!("cannot look at {}", path.display()))?.len();
    let sha256 = file_sha256(&path)?.with_context(|| format!("{} is gone", path.display()))?;
    Ok(Listed { file, bytes, sha256 })
}

/// Manifests of the folders below one, by their path from `root`.
fn manifests(root: &Path, inner: &str) -> Result<Vec<String>> {
    let mut found = Vec::new();
    let mut folders = vec![inner.to_owned()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(root.join(&folder)) else { continue };
        for entry in entries {
            let entry = entry?;
            let name = format!("{folder}/{}", entry.file_name().to_string_lossy());
            if entry.file_type()?.is_dir() {
                folders.push(name);
            } else if entry.file_name() == manifest::FILE_NAME {
                found.push(name);
            }
        }
    }
    found.sort();
    Ok(found)
}
