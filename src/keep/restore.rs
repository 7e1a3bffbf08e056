//! A backup put back into a data_dir that has no store.
//!
//! All is done in `data_dir/.restore` first: the copy is proved, then what was taken after the backup is taken again, by the code of
//! any run: as the journal beside the lost store tells it, where that is kept, else the archived files that the store does not know in
//! the order of the published manifests. Published folders that are gone are put in place, those that stand are compared and
//! never overwritten. The store gets its name last: killed at any instant, there is none yet and restoring begins anew.

use super::journal::{Follows, Tail};
use super::list::{self, ARCHIVE_LIST, Archived, MANIFEST, Manifest, STORE};
use super::published::{self, Standing, standing};
use super::replayer::{Replayed, Replayer};
use super::{Prove, unfinished, unknown};
use crate::batch::{self, Fetch, Order, Progress, RealSchemes};
use crate::config::Config;
use crate::inbox::{Archive, Cancel};
use crate::outbox::check::file_sha256;
use crate::outbox::staged::Sealed;
use crate::outbox::{lines, parcel, place, single};
use crate::statement::name;
use crate::store::cycles::Publication;
use crate::store::files::FileState;
use crate::store::{ClockMode, Store};
use anyhow::{Context, Result, anyhow, bail};
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Where a store is made ready, below data_dir.
const WORK: &str = ".restore";

/// Whether what was taken after the backup is taken again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Newer {
    /// it is
    Taken,
    /// the store is as it was backed up
    Left,
}

/// What a restore is asked to do. Whoever asks holds the lock of data_dir.
pub struct Restoring<'r> {
    /// where to
    pub config: &'r Config,
    /// the backup
    pub backup: &'r Path,
    /// about what came after it
    pub newer: Newer,
    /// the schemes of today, for files that no journal tells of
    pub schemes: &'r dyn Fn() -> Result<RealSchemes>,
    /// today, likewise; of a store that is given its time the instant given, if any
    pub now: (DateTime<Utc>, Option<DateTime<Utc>>),
    /// who restores
    pub actor: String,
    /// what is wrong with a store
    pub prove: Prove<'r>,
    /// set by a signal
    pub cancel: &'r Cancel,
}

/// What a restore came to.
#[derive(Debug, Default)]
pub struct Restored {
    /// instant of the backup
    pub backed_up: String,
    /// last ledger entry and its chain hash
    pub ledger: (i64, String),
    /// last journal record and its chain hash
    pub journal: (i64, String),
    /// runs that were done again
    pub runs: u64,
    /// records of the journal that tell of them
    pub records: u64,
    /// files that no journal told of, taken again in the order of the manifests: (feed, name)
    pub again: Vec<(String, String)>,
    /// archived files that no one tells of: (path, what is known)
    pub nameless: Vec<(String, String)>,
    /// the journal beside the store is of another one, or does not reach as far as the backup
    pub foreign_journal: bool,
    /// where what was done again came out otherwise than the journal says: another version of the program did it
    pub otherwise: bool,
    /// files of the archive's list that are not in the archive: (path, name)
    pub gone: Vec<(String, String)>,
    /// published folders put in place
    pub placed: u64,
    /// published folders that are gone and that nothing gives again
    pub missing: Vec<String>,
    /// published folders that stand with other bytes than were published: (folder, what differs)
    pub differs: Vec<(String, String)>,
    /// those of them that the restored store would write: publishing stops until they are gone
    pub stopped: u64,
}

/// Restores a backup.
///
/// # Errors
/// Where there is a store already, the backup is not as it was made, or what came after it cannot be taken again: then there is no store
/// as before.
pub fn restore(asked: &Restoring<'_>) -> Result<Restored> {
    let data_dir = &asked.config.data_dir;
    refuse_a_store(data_dir)?;
    let manifest = read_backup(asked.backup)?;
    let work = data_dir.join(WORK);
    parcel::remove(&work)?;
    let done = in_work(asked, &manifest, &work);
    if done.is_err() {
        // what cannot be removed now is removed by the next
        drop(parcel::remove(&work));
    }
    done
}

fn refuse_a_store(data_dir: &Path) -> Result<()> {
    if data_dir.join(STORE).symlink_metadata().is_ok() {
        bail!(
            "there is a store in {} already: nothing is restored over it; move {STORE} (with {STORE}-wal and {STORE}-shm, where they are) \
             away first, or name another data_dir",
            data_dir.display()
        );
    }
    Ok(())
}

/// The backup's manifest, once every file that it lists is as it says.
fn read_backup(backup: &Path) -> Result<Manifest> {
    let path = backup.join(MANIFEST);
    let bytes = fs::read(&path).with_context(|| {
        format!("{} is no whole backup: cannot read {}", backup.display(), path.display())
    })?;
    let manifest = Manifest::parse(&bytes)
        .with_context(|| format!("{} was changed: it is no manifest of a backup", path.display()))?;
    for needed in [STORE, ARCHIVE_LIST] {
        if !manifest.files.iter().any(|file| file.file == needed) {
            bail!("{} was changed: it does not list {needed}", path.display());
        }
    }
    for file in &manifest.files {
        let path = backup.join(&file.file);
        match file_sha256(&path)? {
            Some(found) if found == file.sha256 => {}
            Some(found) => bail!(
                "{} was changed since it was backed up: its SHA-256 is {found}, and {MANIFEST} says {}; restore another backup",
                path.display(),
                file.sha256
            ),
            None => bail!("{} is gone from the backup; restore another one", path.display()),
        }
    }
    Ok(manifest)
}

fn in_work(asked: &Restoring<'_>, manifest: &Manifest, work: &Path) -> Result<Restored> {
    let data_dir = &asked.config.data_dir;
    fs::create_dir_all(work).with_context(|| format!("cannot make the folder {}", work.display()))?;
    let mut done = Restored { backed_up: manifest.at.clone(), ..Restored::default() };
    let store = proved_copy(asked, manifest, work)?;
    take_files(asked, &store, &mut done)?;
    lead_to_archive(data_dir, work)?;
    let store = match asked.newer {
        Newer::Left => store,
        Newer::Taken => take_newer(asked, store, work, &mut done)?,
    };
    asked.cancel.check()?;
    publish(asked, &store, work, &mut done)?;
    write_rejects(asked.config, &store)?;
    done.ledger = store.ledger_head()?;
    done.journal = store.journal_head()?;
    store.settle()?;
    drop(store);
    give_name(data_dir, work)?;
    Ok(done)
}

/// The backup's store, copied, brought to today's form and proved.
fn proved_copy(asked: &Restoring<'_>, manifest: &Manifest, work: &Path) -> Result<Store> {
    let path = work.join(STORE);
    parcel::copy(&asked.backup.join(STORE), &path)?;
    let listed =
        manifest.files.iter().find(|file| file.file == STORE).context("it was listed a moment ago")?;
    if file_sha256(&path)?.as_ref() != Some(&listed.sha256) {
        bail!(
            "{} is not what was read from the backup: the disk does not keep what is written to it",
            path.display()
        );
    }
    let store = Store::open(work, &scratch(work)?)?;
    let (ledger, journal) = (store.ledger_head()?, store.journal_head()?);
    if ledger != manifest.ledger || journal != manifest.journal {
        bail!(
            "the heads of the backup's chains are not those that its {MANIFEST} tells: ledger {} {}, journal {} {}; restore another backup",
            ledger.0,
            ledger.1,
            journal.0,
            journal.1
        );
    }
    let faults = (asked.prove)(&store)?;
    if let Some(first) = faults.first() {
        bail!("the store of the backup is not sound: {first}; restore another backup");
    }
    Ok(store)
}

/// As a run has it.
fn scratch(work: &Path) -> Result<PathBuf> {
    let scratch = work.join("tmp");
    fs::create_dir_all(&scratch).with_context(|| format!("cannot make the folder {}", scratch.display()))?;
    Ok(scratch)
}

/// Archived files that the backup holds get into the archive; those that are nowhere are told.
fn take_files(asked: &Restoring<'_>, store: &Store, done: &mut Restored) -> Result<()> {
    let (archive, kept) = (Archive::of(&asked.config.data_dir), Archive::of(asked.backup));
    let mut seen = BTreeSet::new();
    for Archived { sha256, size, feed, name } in list::archived(store)? {
        asked.cancel.check()?;
        if !seen.insert(sha256.clone()) || archive.holds(&sha256, size) {
            continue;
        }
        let (from, to) = (kept.path_of(&sha256), archive.path_of(&sha256));
        if !kept.holds(&sha256, size) {
            done.gone.push((to.display().to_string(), format!("{name} of feed {feed}")));
            continue;
        }
        let beside = asked.config.data_dir.join(WORK).join("archived");
        parcel::copy(&from, &beside)?;
        if file_sha256(&beside)?.as_ref() != Some(&sha256) {
            bail!(
                "{} was changed since it was backed up: it is not what its name says; restore another backup",
                from.display()
            );
        }
        parcel::rename(&beside, &to)?;
    }
    Ok(())
}

fn lead_to_archive(data_dir: &Path, work: &Path) -> Result<()> {
    let archive = std::path::absolute(data_dir.join("archive"))?;
    fs::create_dir_all(&archive).with_context(|| format!("cannot make the folder {}", archive.display()))?;
    std::os::unix::fs::symlink(&archive, work.join("archive"))
        .with_context(|| format!("cannot lead {} to the archive", work.display()))
}

/// What came after the backup.
fn take_newer(asked: &Restoring<'_>, store: Store, work: &Path, done: &mut Restored) -> Result<Store> {
    let (seq, head) = store.journal_head()?;
    match Tail::read(&asked.config.data_dir, (seq, &head))? {
        Tail::After(tail) if tail.count() > 0 => {
            let store = done_again(asked, store, &tail, work, done)?;
            done.otherwise = store.journal_head()? != tail.last;
            Ok(store)
        }
        Tail::After(_) => Ok(store),
        tail @ (Tail::Absent | Tail::Foreign) => {
            done.foreign_journal = tail == Tail::Foreign;
            take_unknown(asked, store, work, done)
        }
    }
}

/// Does again what the journal beside the store tells, from where the backup ends; or from the very beginning, where the backup ends
/// in the middle of a run.
fn done_again(
    asked: &Restoring<'_>,
    store: Store,
    tail: &Follows,
    work: &Path,
    done: &mut Restored,
) -> Result<Store> {
    let replayed = if unfinished(&store)?.is_none() {
        let mut replayer = Replayer::new(asked.cancel, work)?;
        store.each_record(|record| replayer.recall(&record))?;
        drop(store);
        tail.each(&mut |record| replayer.take(record))?;
        replayer.end()?
    } else {
        let begun = work.join("begun.db");
        store.settle()?;
        drop(store);
        parcel::rename(&work.join(STORE), &begun)?;
        let mut replayer = Replayer::new(asked.cancel, work)?;
        Store::open_file(&begun)?.each_record(|record| replayer.take(&record))?;
        tail.each(&mut |record| replayer.take(record))?;
        replayer.end()?
    };
    if let Some((what, why)) = replayed.stopped {
        bail!(
            "what was taken after the backup cannot be taken again: {what} {why}; mend that and restore again, or leave it away with --as-backed-up"
        );
    }
    (done.runs, done.records) = (replayed.runs, tail.count());
    Store::open(work, &scratch(work)?)
}

/// Files that no journal tells of.
fn take_unknown(asked: &Restoring<'_>, store: Store, work: &Path, done: &mut Restored) -> Result<Store> {
    let found = unknown::find(asked.config, &store)?;
    let nameless = found.nameless.into_iter().map(|(path, what)| (path.display().to_string(), what));
    done.nameless = nameless.collect();
    if found.takes.is_empty() {
        return Ok(store);
    }
    done.again = found.takes.iter().map(|file| (file.feed.clone(), file.name.clone())).collect();
    let (clock, now) = match (store.clock()?, asked.now) {
        (Some((ClockMode::Given, last)), (_, None)) => {
            (ClockMode::Given, DateTime::parse_from_rfc3339(&last)?.to_utc())
        }
        (Some((ClockMode::Given, _)), (_, Some(given))) => (ClockMode::Given, given),
        (Some((ClockMode::Real, _)) | None, (now, _)) => (ClockMode::Real, now),
    };
    drop(store);
    let order = Order {
        now,
        clock,
        feeds: Vec::new(),
        fetch: Fetch::Feeds,
        close: None,
        reread: None,
        actor: asked.actor.clone(),
        cancel: asked.cancel.clone(),
        progress: Progress::default(),
        replay: Some(unknown::replay(found.takes)),
        slot: None,
    };
    let config = Config { data_dir: work.to_owned(), ..asked.config.clone() };
    batch::run(&config, (asked.schemes)()?, &order)?;
    done.runs = 1;
    Store::open(work, &scratch(work)?)
}

/// Published folders: what is gone is put in place, what stands is compared.
fn publish(asked: &Restoring<'_>, store: &Store, work: &Path, done: &mut Restored) -> Result<()> {
    let data_dir = &asked.config.data_dir;
    for waiting in store.unplaced()? {
        bring(asked, work, &waiting)?;
    }
    let mut gone = Vec::new();
    for publication in store.in_place()? {
        asked.cancel.check()?;
        match standing(data_dir, &publication)? {
            Standing::Whole => {}
            Standing::Missing => gone.push(publication),
            Standing::Other { .. } if publication.folder.ends_with("/current") => gone.push(publication),
            Standing::Other { file, published, found } => {
                let found = found.map_or("nothing".to_owned(), |found| format!("SHA-256 {found}"));
                let how = format!("{file} has {found} there, and SHA-256 {published} was published");
                done.differs.push((publication.folder.clone(), how));
                if bring(asked, work, &publication)? {
                    // placing it fails until the other one is gone: that stops publishing
                    store.unplace(publication.seq)?;
                    done.stopped += 1;
                }
            }
        }
    }
    rebuild(asked, store, work, &gone)?;
    for publication in gone {
        if bring(asked, work, &publication)? {
            put_in_place(data_dir, &publication)?;
            done.placed += 1;
        } else {
            done.missing.push(publication.folder);
        }
    }
    Ok(())
}

/// Brings a folder to staging from where its bytes are: made again just now, or in the backup. Whether it is anywhere.
fn bring(asked: &Restoring<'_>, work: &Path, publication: &Publication) -> Result<bool> {
    let to = asked.config.data_dir.join("staging").join(&publication.staging);
    let staged = format!("staging/{}", publication.staging);
    let again = work.join("again");
    let places = [
        work.join(&publication.folder),
        work.join(&staged),
        again.join(&publication.folder),
        asked.backup.join(&publication.folder),
        asked.backup.join(&staged),
    ];
    for from in places {
        if published::of_folder(&from, &publication.manifest)? != Standing::Whole {
            continue;
        }
        parcel::remove(&to)?;
        if from.starts_with(work) {
            parcel::rename(&from, &to)?;
        } else {
            copy_folder(&from, &to)?;
        }
        return Ok(true);
    }
    Ok(false)
}

fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    let files = published::files(from)?;
    let manifest = crate::statement::manifest::FILE_NAME;
    for file in files.keys().map(String::as_str).chain([manifest]) {
        let target = to.join(file);
        if let Some(above) = target.parent() {
            fs::create_dir_all(above)
                .with_context(|| format!("cannot make the folder {}", above.display()))?;
        }
        parcel::copy(&from.join(file), &target)?;
    }
    Ok(())
}

/// Folders that nobody has are what journal and archive give, where the archive is whole: all runs are done again, in a folder of
/// their own, and what they publish is there.
fn rebuild(asked: &Restoring<'_>, store: &Store, work: &Path, gone: &[Publication]) -> Result<()> {
    let found = |publication: &&Publication| {
        let places = [work.join(&publication.folder), asked.backup.join(&publication.folder)];
        let whole = |place| published::of_folder(place, &publication.manifest);
        Ok::<_, anyhow::Error>(
            places.iter().map(|place| whole(place)).collect::<Result<Vec<_>>>()?.contains(&Standing::Whole),
        )
    };
    let nowhere = gone.iter().map(|one| found(&one)).collect::<Result<Vec<_>>>()?.contains(&false);
    let archive = Archive::of(&asked.config.data_dir);
    let is_whole = list::archived(store)?.iter().all(|one| archive.holds(&one.sha256, one.size));
    if !nowhere || !is_whole {
        return Ok(());
    }
    let again = work.join("again");
    scratch(&again)?;
    lead_to_archive(&asked.config.data_dir, &again)?;
    let mut replayer = Replayer::new(asked.cancel, &again)?;
    store.each_record(|record| replayer.take(&record))?;
    // how far it comes is seen by the folders that it gives
    replayer.end().map(|_: Replayed| ())
}

fn put_in_place(data_dir: &Path, publication: &Publication) -> Result<()> {
    let target = data_dir.join(&publication.folder);
    let sealed = Sealed {
        folder: data_dir.join("staging").join(&publication.staging),
        manifest_sha256: publication.manifest.clone(),
    };
    if publication.folder.ends_with("/current") {
        place::replace(&sealed, &target)?;
    } else {
        place::place(&sealed, &target)?;
    }
    Ok(())
}

/// Reject files are of the last reading of their bytes; the store keeps what is in them.
fn write_rejects(config: &Config, store: &Store) -> Result<()> {
    let mut last = BTreeMap::new();
    for file in store.files(None)? {
        let name = name::reject_file(&file.arrival.name, &file.arrival.sha256);
        let path = config.data_dir.join("rejects").join(&file.arrival.feed).join(name);
        if file.counts.rejected > 0 {
            last.insert(path, (file.arrival.name, file.seq));
        } else if file.state == FileState::Ingested {
            last.remove(&path);
        }
    }
    for (path, (name, seq)) in last {
        single::put(&path, &batch::reject_bytes(store, &name, seq)?)?;
    }
    Ok(())
}

/// The store gets its name, and nothing of the lost one stays beside it that SQLite would take for its own.
fn give_name(data_dir: &Path, work: &Path) -> Result<()> {
    refuse_a_store(data_dir)?;
    for beside in ["wal", "shm"] {
        let path = data_dir.join(format!("{STORE}-{beside}"));
        lines::set_aside(&path, &format!("lost-{STORE}-{beside}"))?;
    }
    parcel::rename(&work.join(STORE), &data_dir.join(STORE))?;
    parcel::remove(work).map_err(|fault| anyhow!("the store is restored, but {fault}"))
}
