//! The archive: every file ever taken, once, under its SHA-256: `archive/ab/abcdef...`. A file is there whole or not at all.

use super::partial::{Start, Temporary};
use super::{Archived, InboxFault};
use sha2::{Digest, Sha256};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// Downloads under way, in the archive's own file system so that a rename moves them.
const INCOMING: &str = ".incoming";

/// `data_dir/archive`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Archive {
    root: PathBuf,
}

impl Archive {
    /// The archive of a data_dir; nothing is touched yet.
    pub fn of(data_dir: &Path) -> Archive {
        Archive { root: data_dir.join("archive") }
    }

    /// Where the bytes with this SHA-256 (64 lower-case hex digits) are, or would be.
    pub fn path_of(&self, sha256: &str) -> PathBuf {
        self.root.join(sha256.get(..2).unwrap_or(sha256)).join(sha256)
    }

    /// Makes the folders and removes what a killed run left of its downloads, but for the few that can be resumed. Only for whoever holds the run's lock.
    ///
    /// # Errors
    /// Of the disk, with the path.
    pub fn prepare(&self) -> Result<(), InboxFault> {
        let incoming = self.incoming();
        DirBuilder::new()
            .recursive(true)
            .create(&incoming)
            .map_err(|e| InboxFault::disk(&incoming, "create", &e))?;
        self.sweep()?;
        sync_folder(self.root.parent().unwrap_or(&self.root))
    }

    /// Where downloads under way are.
    pub(super) fn incoming(&self) -> PathBuf {
        self.root.join(INCOMING)
    }

    /// An empty file to write a download to, which is never resumed; it removes itself unless it is kept.
    pub(super) fn begin(&self) -> Result<Start, InboxFault> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let folder = self.incoming();
        fs::create_dir_all(&folder).map_err(|e| InboxFault::disk(&folder, "create", &e))?;
        let name = format!("{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = folder.join(name);
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .open(&path)
            .map_err(|e| InboxFault::disk(&path, "create", &e))?;
        Ok(Start { temporary: Temporary::passing(path), file, hasher: Sha256::new(), size: 0 })
    }

    /// Whether these bytes are here already.
    pub fn holds(&self, sha256: &str, size: u64) -> bool {
        fs::symlink_metadata(self.path_of(sha256)).is_ok_and(|found| found.is_file() && found.len() == size)
    }

    /// Makes a finished download durable under its name, unless the same bytes are there already.
    pub(super) fn keep(
        &self,
        temporary: Temporary,
        file: &File,
        sha256: String,
        size: u64,
    ) -> Result<Archived, InboxFault> {
        let path = self.path_of(&sha256);
        if !self.holds(&sha256, size) {
            file.sync_data().map_err(|e| InboxFault::disk(temporary.path(), "write", &e))?;
            self.rename(temporary, &path)?;
        }
        Ok(Archived { sha256, size, path })
    }

    fn rename(&self, temporary: Temporary, path: &Path) -> Result<(), InboxFault> {
        let folder = path.parent().unwrap_or(&self.root);
        match fs::create_dir(folder) {
            Ok(()) => {}
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
            Err(e) => return Err(InboxFault::disk(folder, "create", &e)),
        }
        fs::rename(temporary.path(), path).map_err(|e| InboxFault::disk(path, "write", &e))?;
        sync_folder(folder)?;
        // also where a run that was killed made the folder
        sync_folder(&self.root)
    }
}

fn sync_folder(folder: &Path) -> Result<(), InboxFault> {
    File::open(folder).and_then(|f| f.sync_all()).map_err(|e| InboxFault::disk(folder, "write", &e))
}
