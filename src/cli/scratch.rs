//! A data_dir that is made for one command and removed afterwards. What a killed one has left is removed by the next: nobody
//! holds its lock.

use crate::clock;
use crate::config::Config;
use crate::inbox::After;
use crate::lock::{self, Lock, Taken};
use crate::store::Store;
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};

/// A data_dir for one rehearsal.
pub(super) struct Scratch {
    pub(super) folder: PathBuf,
    _lock: Lock,
}

impl Scratch {
    /// Below data_dir, where there is room for what is fetched; where that cannot be written, among the system's
    /// temporary files.
    pub(super) fn begin(data_dir: &Path, prefix: &str) -> Result<Scratch> {
        sweep(data_dir, prefix);
        let name = format!("{prefix}{}", std::process::id());
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
            Taken::Theirs(who) => bail!("another command has {}: {who}", folder.display()),
        }
    }

    /// The config for a run in it: what is only rehearsed moves nothing at the feeds and pushes nothing.
    pub(super) fn rehearsing(&self, config: &Config) -> Config {
        let mut rehearsed = Config { data_dir: self.folder.clone(), pushes: Vec::new(), ..config.clone() };
        rehearsed.feeds.iter_mut().for_each(|feed| feed.source.after = After::Leave);
        rehearsed
    }

    /// A copy of a store in it.
    pub(super) fn copy(&self, store: &Store) -> Result<Store> {
        store.copy_to(&self.folder)?;
        let copy = Store::open(&self.folder, &self.folder)?;
        // what a killed run has recorded and not placed is in the real staging; here nobody reads it
        for publication in copy.unplaced()? {
            copy.placed(publication.seq)?;
        }
        Ok(copy)
    }

    /// Its archive is that of a data_dir, for commands that only read it.
    pub(super) fn lead_to_archive(&self, data_dir: &Path) -> Result<()> {
        let archive = std::path::absolute(data_dir.join("archive"))?;
        std::os::unix::fs::symlink(&archive, self.folder.join("archive"))
            .with_context(|| format!("cannot lead {} to the archive", self.folder.display()))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // what cannot be removed now is removed by the next rehearsal
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Removes what killed rehearsals have left.
fn sweep(data_dir: &Path, prefix: &str) {
    let Ok(entries) = fs::read_dir(data_dir) else { return };
    for entry in entries.flatten() {
        if !entry.file_name().to_string_lossy().starts_with(prefix) {
            continue;
        }
        if let Ok(Taken::Ours(_free)) = lock::take(&entry.path(), "") {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}
