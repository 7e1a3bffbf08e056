//! Single files that are replaced atomically: `rejects/FEED/NAME.SHA8.csv`, `metrics.prom`.

use super::fault::OutboxFault;
use super::folder;
use super::staged::sha256;
use super::stream::{FileStream, Written};
use std::fs;
use std::path::{Path, PathBuf};

/// What became of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Put {
    /// it is in place now
    Now,
    /// the same bytes stood there; they were not touched
    Already,
}

/// Puts a file whole in its place; folders above it are made.
///
/// # Errors
/// The disk's.
pub fn put(target: &Path, bytes: &[u8]) -> Result<Put, OutboxFault> {
    if fs::read(target).is_ok_and(|standing| standing == bytes) {
        return Ok(Put::Already);
    }
    let mut single = Single::begin(target)?;
    single.stream.append_bytes(bytes, 0)?;
    single.commit()?;
    Ok(Put::Now)
}

/// Takes a file away, if it is there.
///
/// # Errors
/// The disk's.
pub fn take_away(target: &Path) -> Result<(), OutboxFault> {
    match fs::remove_file(target) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(OutboxFault::disk("remove", target)(error))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// A file in the making beside its place, under a name that begins with `.`: for files that are too large for memory.
#[derive(Debug)]
pub struct Single {
    /// what is written
    pub stream: FileStream,
    beside: PathBuf,
    target: PathBuf,
}

impl Single {
    /// Starts a file that is to stand at `target`.
    ///
    /// # Errors
    /// The disk's.
    pub fn begin(target: &Path) -> Result<Single, OutboxFault> {
        if let Some(parent) = target.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            folder::make(parent)?;
        }
        let name = target.file_name().unwrap_or_default().to_string_lossy();
        // always the same name for a target, so that what a killed run has left is used again, and never too long a name
        let hash = sha256(name.as_bytes());
        let beside = target.with_file_name(format!(".accrued-{}.tmp", &hash[..16]));
        let stream = FileStream::create(&beside, &name)?;
        Ok(Single { stream, beside, target: target.to_owned() })
    }

    /// Puts it in place.
    ///
    /// # Errors
    /// The disk's; what stood at the target still stands there.
    pub fn commit(self) -> Result<Written, OutboxFault> {
        let written = self.stream.finish().inspect_err(|_fault| {
            // best effort: the next attempt would empty it anyway
            drop(fs::remove_file(&self.beside));
        })?;
        folder::rename(&self.beside, &self.target)?;
        Ok(written)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::MetadataExt;

    #[test]
    fn puts_replaces_and_leaves_the_same_bytes_alone() {
        let data = tempfile::tempdir().unwrap();
        let target = data.path().join("rejects/north/a.csv.1a2b3c4d.csv");
        assert_eq!(put(&target, b"one").unwrap(), Put::Now);
        let inode = fs::metadata(&target).unwrap().ino();
        assert_eq!(put(&target, b"one").unwrap(), Put::Already);
        assert_eq!(fs::metadata(&target).unwrap().ino(), inode);
        assert_eq!(put(&target, b"two").unwrap(), Put::Now);
        assert_eq!(fs::read(&target).unwrap(), b"two");
        assert_eq!(fs::read_dir(target.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn what_stood_there_stands_until_the_commit() {
        let data = tempfile::tempdir().unwrap();
        let target = data.path().join("metrics.prom");
        put(&target, b"old").unwrap();
        let mut killed = Single::begin(&target).unwrap();
        killed.stream.append_bytes(b"half", 0).unwrap();
        drop(killed);
        assert_eq!(fs::read(&target).unwrap(), b"old");
        assert_eq!(put(&target, b"new").unwrap(), Put::Now);
        assert_eq!(fs::read(&target).unwrap(), b"new");
        assert_eq!(fs::read_dir(data.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_folder_in_its_place_is_named() {
        let data = tempfile::tempdir().unwrap();
        let target = data.path().join("metrics.prom");
        fs::create_dir(&target).unwrap();
        let message = put(&target, b"x").unwrap_err().to_string();
        assert!(message.contains(&target.display().to_string()), "{message}");
    }
}
