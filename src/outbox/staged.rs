//! A folder in the making, under `data_dir/staging/`: files are added, then it is sealed with its manifest and flushed to disk.

use super::fault::OutboxFault;
use super::folder;
use super::stream::{FileStream, Written};
use crate::domain::chain;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Component, Path, PathBuf};

/// The file that a folder is known by; its hash stands for all bytes of the folder.
pub const MANIFEST: &str = "MANIFEST.csv";

/// A folder in the making.
#[derive(Debug)]
pub struct Staged {
    folder: PathBuf,
    inner: BTreeSet<PathBuf>,
    written: Vec<Written>,
    small: Small,
}

/// Whether small files wait for the one flush of the whole file system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Small {
    None,
    Unflushed,
}

/// A folder that is whole and on disk for good, ready to be placed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// where it waits
    pub folder: PathBuf,
    /// SHA-256 of its manifest, lower-case hex
    pub manifest_sha256: String,
}

impl Staged {
    /// Starts `staging/unique`, empty; what an earlier run has left under that name is removed.
    ///
    /// # Errors
    /// The disk's.
    pub fn begin(staging: &Path, unique: &str) -> Result<Staged, OutboxFault> {
        let folder = inside(staging, unique)?;
        folder::remove(&folder)?;
        folder::make(&folder)?;
        Ok(Staged { folder, inner: BTreeSet::new(), written: Vec::new(), small: Small::None })
    }

    /// Where it is made.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Starts a large file (`transactions.csv`). [`Staged::add`] what it gives when finished.
    ///
    /// # Errors
    /// The disk's.
    pub fn stream(&mut self, file: &str) -> Result<FileStream, OutboxFault> {
        let path = self.path(file)?;
        FileStream::create(&path, file)
    }

    /// Writes one of many small files (`partners/CODE.csv`); they are flushed together when the folder is sealed.
    ///
    /// # Errors
    /// The disk's.
    pub fn small(&mut self, file: &str, bytes: &[u8], rows: u64) -> Result<(), OutboxFault> {
        let path = self.path(file)?;
        fs::write(&path, bytes).map_err(OutboxFault::disk("write", &path))?;
        self.small = Small::Unflushed;
        self.written.push(Written {
            file: file.to_owned(),
            rows,
            sha256: sha256(bytes),
            bytes: bytes.len() as u64,
        });
        Ok(())
    }

    /// Takes note of a finished stream.
    pub fn add(&mut self, written: Written) {
        self.written.push(written);
    }

    /// What the manifest must list, in the order in which files were finished.
    pub fn written(&self) -> &[Written] {
        &self.written
    }

    /// Writes the manifest last and flushes everything: after this the folder survives a power cut.
    ///
    /// # Errors
    /// The disk's.
    pub fn seal(self, manifest: &[u8]) -> Result<Sealed, OutboxFault> {
        let path = self.folder.join(MANIFEST);
        let mut stream = FileStream::create(&path, MANIFEST)?;
        stream.append_bytes(manifest, 0)?;
        let manifest_sha256 = stream.finish()?.sha256;
        match self.small {
            Small::Unflushed => folder::flush_file_system(&self.folder)?,
            Small::None => {
                for inner in &self.inner {
                    folder::flush(inner)?;
                }
                folder::flush(&self.folder)?;
            }
        }
        Ok(Sealed { folder: self.folder, manifest_sha256 })
    }

    fn path(&mut self, file: &str) -> Result<PathBuf, OutboxFault> {
        let path = inside(&self.folder, file)?;
        if let Some(parent) = path.parent()
            && parent != self.folder
            && !self.inner.contains(parent)
        {
            folder::make(parent)?;
            self.inner.insert(parent.to_owned());
        }
        Ok(path)
    }
}

/// Removes what earlier runs have left in `staging`, but for the folders that `keep` knows: publications that are committed
/// and not in place yet.
///
/// # Errors
/// The disk's.
pub fn sweep(staging: &Path, keep: &dyn Fn(&str) -> bool) -> Result<(), OutboxFault> {
    let entries = match fs::read_dir(staging) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(OutboxFault::disk("list", staging)(error)),
    };
    for entry in entries {
        let entry = entry.map_err(OutboxFault::disk("list", staging))?;
        if !entry.file_name().to_str().is_some_and(keep) {
            folder::remove(&entry.path())?;
        }
    }
    Ok(())
}

/// SHA-256 of bytes, lower-case hex.
pub(super) fn sha256(bytes: &[u8]) -> String {
    chain::hex(&Sha256::digest(bytes))
}

/// `folder/name`, where `name` cannot lead out of it.
fn inside(folder: &Path, name: &str) -> Result<PathBuf, OutboxFault> {
    let plain = Path::new(name).components().all(|part| matches!(part, Component::Normal(_)));
    let path = folder.join(name);
    if plain && !name.is_empty() {
        return Ok(path);
    }
    let error = std::io::Error::new(std::io::ErrorKind::InvalidInput, "its name leads out of the folder");
    Err(OutboxFault::disk("write", &path)(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_folder_is_known_by_its_manifest() {
        let data = tempfile::tempdir().unwrap();
        let mut staged = Staged::begin(data.path(), "run-1").unwrap();
        let mut stream = staged.stream("statement.csv").unwrap();
        stream.append_bytes(b"a\nb\n", 1).unwrap();
        staged.add(stream.finish().unwrap());
        staged.small("partners/P1.csv", b"a\nb\n", 1).unwrap();
        let files: Vec<&str> = staged.written().iter().map(|written| written.file.as_str()).collect();
        assert_eq!(files, ["statement.csv", "partners/P1.csv"]);
        assert_eq!(staged.written()[0].sha256, staged.written()[1].sha256);
        let sealed = staged.seal(b"file,rows,sha256\n").unwrap();
        assert_eq!(sealed.manifest_sha256, sha256(b"file,rows,sha256\n"));
        assert_eq!(fs::read(sealed.folder.join("partners/P1.csv")).unwrap(), b"a\nb\n");
    }

    #[test]
    fn beginning_again_starts_empty() {
        let data = tempfile::tempdir().unwrap();
        let mut staged = Staged::begin(data.path(), "run-1").unwrap();
        staged.small("left.csv", b"x", 0).unwrap();
        let again = Staged::begin(data.path(), "run-1").unwrap();
        assert_eq!(fs::read_dir(again.folder()).unwrap().count(), 0);
    }

    #[test]
    fn no_name_leads_out_of_the_folder() {
        let data = tempfile::tempdir().unwrap();
        let mut staged = Staged::begin(data.path(), "run-1").unwrap();
        for name in ["../x", "/etc/x", "", "a/../../x"] {
            assert!(staged.small(name, b"", 0).is_err(), "{name}");
            assert!(Staged::begin(data.path(), name).is_err(), "{name}");
        }
    }

    #[test]
    fn sweeping_keeps_what_is_committed() {
        let data = tempfile::tempdir().unwrap();
        sweep(&data.path().join("none"), &|_| false).unwrap();
        for name in ["run-1", "run-2"] {
            Staged::begin(data.path(), name).unwrap().small("a/b", b"", 0).unwrap();
        }
        sweep(data.path(), &|name| name == "run-2").unwrap();
        assert!(!data.path().join("run-1").exists());
        assert!(data.path().join("run-2/a/b").exists());
    }

    #[test]
    fn a_read_only_place_is_named() {
        let message = Staged::begin(Path::new("/proc/accrued"), "run-1").unwrap_err().to_string();
        assert!(message.starts_with("cannot make folder /proc/accrued"), "{message}");
    }
}
