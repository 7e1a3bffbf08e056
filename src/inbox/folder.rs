//! A feed's local folder (`file:`), by the same rules as a remote one: no link is followed, no file is taken that changes.

use super::intake::{self, Hashing, Plan};
use super::sieve::{self, Facts, Nature, Sort};
use super::{Archive, Archived, Cancel, Candidate, InboxFault, Listing, Source};
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Bytes read at once: large enough to spare calls, small enough for the processor's cache.
const BUFFER: usize = 256 * 1024;

/// An existing folder.
#[derive(Debug)]
pub struct Folder {
    source: Source,
    path: PathBuf,
    cancel: Cancel,
}

impl Folder {
    pub(super) fn open(source: &Source, path: &Path, cancel: &Cancel) -> Result<Folder, InboxFault> {
        match fs::metadata(path) {
            Ok(found) if found.is_dir() => {
                Ok(Folder { source: source.clone(), path: path.to_owned(), cancel: cancel.clone() })
            }
            Ok(_) => Err(InboxFault::Limit(format!("{} is not a folder; mend url", path.display()))),
            Err(error) => Err(folder_fault(path, &error)),
        }
    }

    pub(super) fn list(&mut self) -> Result<Listing, InboxFault> {
        let mut listing = Listing::default();
        for entry in fs::read_dir(&self.path).map_err(|e| folder_fault(&self.path, &e))? {
            self.cancel.check()?;
            let name = entry.map_err(|e| folder_fault(&self.path, &e))?.file_name();
            match sieve::sort(&self.source, name.as_bytes()) {
                Sort::Ours(name, named) => {
                    if let Some(facts) = self.facts(&name)? {
                        match sieve::candidate(&self.source, name, named, facts) {
                            Ok(file) => listing.files.push(file),
                            Err(passed) => listing.passed.push(passed),
                        }
                    }
                }
                Sort::Marker(of) => {
                    listing.markers.insert(of);
                }
                Sort::Refused(passed) => listing.passed.push(passed),
                Sort::Other => {}
            }
        }
        Ok(sieve::in_order(listing))
    }

    pub(super) fn look(&mut self, name: &str) -> Result<Option<Candidate>, InboxFault> {
        let Sort::Ours(name, named) = sieve::sort(&self.source, name.as_bytes()) else {
            return Ok(None);
        };
        let facts = self.facts(&name)?;
        Ok(facts.and_then(|facts| sieve::candidate(&self.source, name, named, facts).ok()))
    }

    /// `None` for a name that went between the listing and now.
    fn facts(&self, name: &str) -> Result<Option<Facts>, InboxFault> {
        match fs::symlink_metadata(self.path.join(name)) {
            Ok(found) => {
                Ok(Some(Facts { nature: nature(&found), size: Some(found.len()), mtime: Some(found.mtime()) }))
            }
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
            Err(e) => Err(folder_fault(&self.path, &e)),
        }
    }

    pub(super) fn fetch(&mut self, file: &Candidate, archive: &Archive) -> Result<Archived, InboxFault> {
        let Sort::Ours(..) = sieve::sort(&self.source, file.name.as_bytes()) else {
            return Err(InboxFault::Limit(format!("{:?} is not a name of this feed's files", file.name)));
        };
        let path = self.path.join(&file.name);
        let mut open = open(&path)?;
        let start = open.metadata().map_err(|e| read_fault(&path, &e))?;
        expect(&path, "when opened", file, &start)?;
        let mut read = 0;
        let draft = intake::take(
            archive,
            Plan { size: file.size, buffer: BUFFER, hashing: Hashing::WhileReading },
            &mut |buffer| {
                self.cancel.check()?;
                let got = read_some(&path, &mut open, buffer)?;
                read += got as u64;
                if read > file.size {
                    return Err(changed(&path, &format!("grew beyond its {} bytes while it was read", file.size)));
                }
                Ok(got)
            },
        )?;
        if draft.size != file.size {
            return Err(changed(&path, &format!("had {} bytes and ended after {}", file.size, draft.size)));
        }
        let end = open.metadata().map_err(|e| read_fault(&path, &e))?;
        let fresh = fs::symlink_metadata(&path).map_err(|e| read_fault(&path, &e))?;
        same(&path, &start, &end)?;
        same(&path, &start, &fresh)?;
        draft.keep(archive)
    }
}

fn nature(found: &Metadata) -> Nature {
    let kind = found.file_type();
    if kind.is_file() {
        Nature::File
    } else if kind.is_dir() {
        Nature::Folder
    } else if kind.is_symlink() {
        Nature::Symlink
    } else {
        Nature::Special
    }
}

/// Never through a link, and never waiting for the other end of a pipe.
fn open(path: &Path) -> Result<File, InboxFault> {
    OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK)
        .open(path)
        .map_err(|e| read_fault(path, &e))
}

fn read_some(path: &Path, file: &mut File, buffer: &mut [u8]) -> Result<usize, InboxFault> {
    loop {
        match file.read(buffer) {
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            other => return other.map_err(|e| read_fault(path, &e)),
        }
    }
}

/// The opened file is the one that was listed.
fn expect(path: &Path, when: &str, file: &Candidate, found: &Metadata) -> Result<(), InboxFault> {
    if found.is_file() && found.len() == file.size && Some(found.mtime()) == file.mtime {
        return Ok(());
    }
    let mtime = file.mtime.map_or("none".to_owned(), |m| m.to_string());
    Err(changed(
        path,
        &format!(
            "was listed with {} bytes and mtime {mtime}, {when} it had {} and {}",
            file.size,
            found.len(),
            found.mtime()
        ),
    ))
}

/// It is the same file with the same size and mtime, to the nanosecond.
fn same(path: &Path, start: &Metadata, now: &Metadata) -> Result<(), InboxFault> {
    let moment = |m: &Metadata| (m.dev(), m.ino(), m.len(), m.mtime(), m.mtime_nsec());
    if now.is_file() && moment(start) == moment(now) {
        return Ok(());
    }
    Err(changed(path, "was written to or replaced while it was read"))
}

fn changed(path: &Path, what: &str) -> InboxFault {
    InboxFault::Changed(format!("{} {what}; left for the next run", path.display()))
}

fn read_fault(path: &Path, error: &io::Error) -> InboxFault {
    match error.kind() {
        ErrorKind::NotFound => changed(path, "went away since it was listed"),
        ErrorKind::PermissionDenied => {
            InboxFault::Limit(format!("{} may not be read: {error}; let this user read it", path.display()))
        }
        _ if error.raw_os_error() == Some(libc::ELOOP) => {
            InboxFault::Limit(format!("{} is a symbolic link; these are never followed", path.display()))
        }
        _ => InboxFault::Temporary(format!("cannot read {}: {error}", path.display())),
    }
}

fn folder_fault(path: &Path, error: &io::Error) -> InboxFault {
    match error.kind() {
        ErrorKind::NotFound => InboxFault::Limit(format!(
            "folder {} does not exist; create it or mend url",
            path.display()
        )),
        ErrorKind::PermissionDenied => {
            InboxFault::Limit(format!("folder {} may not be read: {error}; let this user read it", path.display()))
        }
        _ => InboxFault::Temporary(format!("cannot read folder {}: {error}", path.display())),
    }
}
