//! The same places, the other way: files that are pushed into a folder, local or on a server, over the same connections.
//!
//! A file is written under a name that begins with a dot, then renamed: who reads there sees it whole or not at all. What stands under
//! its name is never overwritten: the same bytes are as good as pushed, other bytes are told. Doing it again does nothing more, so a push that
//! was killed or cut off goes on where it was.

mod local;

use super::sftp::Remote;
use super::{Agreed, Cancel, InboxFault, Place, Source};
use crate::domain::chain;
use local::Local;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// Read and written at once.
const PIECE: usize = 1 << 20;

/// What a pushed file holds.
#[derive(Debug, Clone, Copy)]
pub enum Content<'c> {
    /// the bytes of a file of ours
    File(&'c Path),
    /// these
    Bytes(&'c [u8]),
}

/// A file on its way out.
#[derive(Debug, Clone, Copy)]
pub struct Outgoing<'o> {
    /// below the push's folder, parts separated by `/`; none of them empty, `.` or `..`
    pub path: &'o str,
    /// what it holds
    pub content: Content<'o>,
    /// bytes
    pub size: u64,
    /// of its bytes, lower-case hex: what is read must be this
    pub sha256: &'o str,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pushed {
    /// it is there now
    Now,
    /// the same bytes stood there
    Already,
    /// something else stands there, in words; it was left as it is
    Other(String),
}

/// Whether files can be made in a folder, as far as can be told without leaving any behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ground {
    /// they can
    Firm,
    /// it is not there, and is made with the first file
    Bare,
    /// a folder could be made in it and not be removed again: its name stays
    Marked(String),
}

/// A folder that files are pushed to.
#[derive(Debug)]
pub enum Outlet {
    /// `file:`; it is made with the first file that goes there
    Folder(Box<Local>),
    /// `sftp:`, logged in
    Sftp(Box<Remote>),
}

impl Outlet {
    /// Reaches the folder.
    ///
    /// # Errors
    /// As [`super::Connection::open`].
    pub fn open(source: &Source, cancel: &Cancel) -> Result<Outlet, InboxFault> {
        cancel.check()?;
        match &source.place {
            Place::Folder(folder) if folder.exists() && !folder.is_dir() => {
                Err(InboxFault::Limit(format!("{} is no folder; mend url", folder.display())))
            }
            Place::Folder(folder) => Ok(Outlet::Folder(Box::new(Local::of(folder.clone(), cancel.clone())))),
            Place::Sftp(settings) => {
                let mut remote = Remote::open(source, settings, cancel)?;
                remote.reach()?;
                Ok(Outlet::Sftp(Box::new(remote)))
            }
        }
    }

    /// What the connection rests on; `None` of a folder of this machine.
    pub fn agreed(&self) -> Option<Agreed> {
        match self {
            Outlet::Folder(_) => None,
            Outlet::Sftp(remote) => remote.agreed(),
        }
    }

    /// Whether files can be made in it. On a server an empty folder with a hidden name is made and removed, which whoever waits for
    /// files there does not hear of; of a folder of this machine the system is asked.
    ///
    /// # Errors
    /// `Limit` where they cannot, else as [`Outlet::open`].
    pub fn ground(&mut self) -> Result<Ground, InboxFault> {
        match self {
            Outlet::Folder(local) => local.ground(),
            Outlet::Sftp(remote) => remote.ground(),
        }
    }

    /// Pushes one file.
    ///
    /// # Errors
    /// `Disk` where our own file cannot be read or is not what it must be, `Limit` where the server refuses it, else as
    /// [`Outlet::open`]: a lost connection is made anew.
    pub fn put(&mut self, file: &Outgoing<'_>) -> Result<Pushed, InboxFault> {
        match self {
            Outlet::Folder(local) => local.put(file),
            Outlet::Sftp(remote) => remote.put(file),
        }
    }

    /// What was put stands under its name and stays, whatever becomes of the machine: to be asked before anything is recorded. On a
    /// server each file does so as it comes; on a disk of ours, where flushing costs more than writing, they wait for each other.
    ///
    /// # Errors
    /// `Disk`.
    pub fn settle(&mut self) -> Result<(), InboxFault> {
        match self {
            Outlet::Folder(local) => local.settle(),
            Outlet::Sftp(_) => Ok(()),
        }
    }
}

impl Outgoing<'_> {
    /// Its name, without the folders above it.
    pub(super) fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(self.path)
    }

    /// The name under which it is written: always the same, so that what a killed push has left is written over.
    pub(super) fn temporary(&self) -> String {
        format!(".accrued-{}.part", &chain::hex(&Sha256::digest(self.name().as_bytes()))[..16])
    }

    /// The folders above it, from the top.
    pub(super) fn folders(&self) -> Vec<&str> {
        self.path.match_indices('/').map(|(at, _)| &self.path[..at]).collect()
    }

    /// Gives its bytes to `write`, piece by piece; a fault if they are not what they must be.
    pub(super) fn each_piece(
        &self,
        write: &mut dyn FnMut(&[u8]) -> Result<(), InboxFault>,
    ) -> Result<(), InboxFault> {
        let found = match self.content {
            Content::Bytes(bytes) => {
                bytes.chunks(PIECE).try_for_each(&mut *write)?;
                chain::hex(&Sha256::digest(bytes))
            }
            Content::File(path) => {
                let mut file = File::open(path).map_err(|e| InboxFault::disk(path, "read", &e))?;
                hashed(
                    &mut |buffer| file.read(buffer).map_err(|e| InboxFault::disk(path, "read", &e)),
                    write,
                )?
            }
        };
        if found == self.sha256 {
            return Ok(());
        }
        let why = format!(
            "it was changed: its SHA-256 is {found}, published was {}; accrued verify tells more",
            self.sha256
        );
        let path = match self.content {
            Content::File(path) => path,
            Content::Bytes(_) => Path::new(self.path),
        };
        Err(InboxFault::disk(path, "push", &io::Error::other(why)))
    }
}

/// Reads to the end; the SHA-256 of everything.
pub(super) fn hashed(
    read: &mut dyn FnMut(&mut [u8]) -> Result<usize, InboxFault>,
    take: &mut dyn FnMut(&[u8]) -> Result<(), InboxFault>,
) -> Result<String, InboxFault> {
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; PIECE];
    loop {
        match read(&mut buffer)? {
            0 => return Ok(chain::hex(&hasher.finalize())),
            count => {
                hasher.update(&buffer[..count]);
                take(&buffer[..count])?;
            }
        }
    }
}

/// What stands there against what is pushed.
pub(super) fn compared(file: &Outgoing<'_>, size: u64, sha256: &str) -> Pushed {
    if sha256 == file.sha256 {
        return Pushed::Already;
    }
    other(file, &format!("{size} bytes with SHA-256 {sha256}"))
}

/// What stands there is no such file.
pub(super) fn other(file: &Outgoing<'_>, stands: &str) -> Pushed {
    Pushed::Other(format!(
        "{} stands there with {stands}, and was to be pushed with {} bytes and SHA-256 {}; it was left as it is: move it away, and the next run pushes the right one",
        file.path, file.size, file.sha256
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn outgoing<'o>(path: &'o str, bytes: &'o [u8], sha256: &'o str) -> Outgoing<'o> {
        Outgoing { path, content: Content::Bytes(bytes), size: bytes.len() as u64, sha256 }
    }

    fn outlet(folder: &Path) -> Outlet {
        Outlet::Folder(Box::new(Local::of(folder.to_owned(), Cancel::default())))
    }

    fn sha256(bytes: &[u8]) -> String {
        chain::hex(&Sha256::digest(bytes))
    }

    #[test]
    fn a_local_push_is_whole_once_and_never_overwrites() {
        let data = tempfile::tempdir().unwrap();
        let mut outlet = outlet(data.path());
        let (one, two, long) = (sha256(b"one"), sha256(b"two"), sha256(b"longer"));
        let path = "statements/club/2026-01/rev-001/summary.csv";
        let target = data.path().join(path);
        // what a killed push has left
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::write(target.with_file_name(outgoing(path, b"", "").temporary()), "half of something longer")
            .unwrap();
        assert_eq!(outlet.put(&outgoing(path, b"one", &one)).unwrap(), Pushed::Now);
        assert!(!target.exists(), "it is not on the disk yet");
        outlet.settle().unwrap();
        assert_eq!(outlet.put(&outgoing(path, b"one", &one)).unwrap(), Pushed::Already);
        for (bytes, hash) in [(&b"two"[..], &two), (b"longer", &long)] {
            let Pushed::Other(why) = outlet.put(&outgoing(path, bytes, hash)).unwrap() else {
                panic!("overwritten")
            };
            assert!(why.starts_with(&format!("{path} stands there with 3 bytes")), "{why}");
        }
        assert_eq!(fs::read(&target).unwrap(), b"one");
        assert_eq!(fs::read_dir(target.parent().unwrap()).unwrap().count(), 1);
        fs::create_dir(data.path().join("folder")).unwrap();
        assert!(matches!(outlet.put(&outgoing("folder", b"one", &one)).unwrap(), Pushed::Other(_)));
    }

    #[test]
    fn many_local_files_are_settled_together() {
        let data = tempfile::tempdir().unwrap();
        let mut outlet = outlet(data.path());
        let one = sha256(b"one");
        let paths: Vec<String> = (0..20).map(|n| format!("a/{}/{n}.csv", n % 3)).collect();
        for path in &paths {
            assert_eq!(outlet.put(&outgoing(path, b"one", &one)).unwrap(), Pushed::Now);
        }
        outlet.settle().unwrap();
        for path in &paths {
            assert_eq!(fs::read(data.path().join(path)).unwrap(), b"one");
            assert_eq!(outlet.put(&outgoing(path, b"one", &one)).unwrap(), Pushed::Already);
        }
        outlet.settle().unwrap();
        assert_eq!(fs::read_dir(data.path().join("a/0")).unwrap().count(), 7);
    }

    #[test]
    fn a_file_of_ours_that_was_changed_is_not_pushed() {
        let data = tempfile::tempdir().unwrap();
        let ours = data.path().join("ours.csv");
        fs::write(&ours, "changed").unwrap();
        let mut outlet = outlet(&data.path().join("out"));
        let sha256 = sha256(b"publish");
        let file = Outgoing { path: "a/ours.csv", content: Content::File(&ours), size: 7, sha256: &sha256 };
        let why = outlet.put(&file).unwrap_err().to_string();
        assert!(why.contains("ours.csv: it was changed: its SHA-256 is "), "{why}");
        assert!(!data.path().join("out/a/ours.csv").exists());
    }

    #[test]
    fn the_ground_of_a_local_folder_is_told_and_nothing_is_made() {
        let data = tempfile::tempdir().unwrap();
        let ground = |folder: &Path| outlet(folder).ground();
        assert_eq!(ground(data.path()).unwrap(), Ground::Firm);
        assert_eq!(ground(&data.path().join("a/b")).unwrap(), Ground::Bare);
        fs::write(data.path().join("file"), "").unwrap();
        assert!(matches!(ground(&data.path().join("file/b")), Err(InboxFault::Limit(_))));
        assert_eq!(fs::read_dir(data.path()).unwrap().count(), 1);
    }

    #[test]
    fn folders_are_made_from_the_top() {
        assert_eq!(outgoing("a/b/c.csv", b"", "").folders(), ["a", "a/b"]);
        assert!(outgoing("c.csv", b"", "").folders().is_empty());
    }
}
