//! Folders that outlive a power cut: made, renamed, exchanged and removed, with what holds their names flushed to disk.

use super::fault::OutboxFault;
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::Path;

/// Makes a folder and those above it; each new name is flushed to disk. Fine if it stands already.
pub(super) fn make(path: &Path) -> Result<(), OutboxFault> {
    match fs::create_dir(path) {
        Ok(()) => flush_parent(path),
        Err(error) if error.kind() == ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        Err(error) if error.kind() == ErrorKind::NotFound => match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() && !parent.exists() => {
                make(parent)?;
                make(path)
            }
            Some(_) | None => Err(OutboxFault::disk("make folder", path)(error)),
        },
        Err(error) => Err(OutboxFault::disk("make folder", path)(error)),
    }
}

/// Flushes the names in a folder to disk.
pub(super) fn flush(path: &Path) -> Result<(), OutboxFault> {
    File::open(path).and_then(|folder| folder.sync_all()).map_err(OutboxFault::disk("flush folder", path))
}

/// Flushes the folder that holds `path`.
pub(super) fn flush_parent(path: &Path) -> Result<(), OutboxFault> {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => flush(parent),
        Some(_) | None => flush(Path::new(".")),
    }
}

/// Flushes all of the file system that holds `folder`: for many small files one flush instead of one each.
pub(super) fn flush_file_system(folder: &Path) -> Result<(), OutboxFault> {
    File::open(folder)
        .and_then(|folder| rustix::fs::syncfs(folder).map_err(io::Error::from))
        .map_err(OutboxFault::disk("flush the file system of", folder))
}

/// Renames, and flushes both folders that hold the names.
pub(super) fn rename(from: &Path, to: &Path) -> Result<(), OutboxFault> {
    fs::rename(from, to).map_err(OutboxFault::disk("rename a staged folder to", to))?;
    flush_parent(to)?;
    flush_parent(from)
}

/// Whether the file system can exchange two names in one step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exchanged {
    /// done
    Yes,
    /// it cannot
    Unsupported,
}

/// Exchanges two folders in one step: at every instant each name leads to one of them, whole.
pub(super) fn exchange(a: &Path, b: &Path) -> Result<Exchanged, OutboxFault> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    use rustix::io::Errno;
    match renameat_with(CWD, a, CWD, b, RenameFlags::EXCHANGE) {
        Ok(()) => {
            flush_parent(b)?;
            flush_parent(a)?;
            Ok(Exchanged::Yes)
        }
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => Ok(Exchanged::Unsupported),
        Err(error) => Err(OutboxFault::disk("exchange", b)(error.into())),
    }
}

/// Removes a folder and all in it. Fine if there is none.
pub(super) fn remove(path: &Path) -> Result<(), OutboxFault> {
    match fs::remove_dir_all(path) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(OutboxFault::disk("remove", path)(error)),
    }
}
