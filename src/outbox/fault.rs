//! What can go wrong between bytes and a disk, with the path and what to do about it.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// A fault of our own disk (exit 1). Nothing half done is left where a reader looks.
#[derive(Debug)]
pub enum OutboxFault {
    /// the disk refused
    Disk {
        /// what was tried: `write`, `rename`, ...
        doing: &'static str,
        /// where
        path: PathBuf,
        /// what the system says
        error: std::io::Error,
    },
    /// a folder stands where one is to be placed, and holds other bytes: published folders never change
    Differs {
        /// the folder that stands
        placed: PathBuf,
        /// the folder just written
        staged: PathBuf,
        /// the first file that is not the same
        file: String,
        /// what the folder that stands has: a SHA-256 or a size
        placed_has: String,
        /// what the folder just written has
        staged_has: String,
    },
}

impl OutboxFault {
    /// For `map_err`: the disk refused to do something at `path`.
    pub(super) fn disk(doing: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> OutboxFault {
        let path = path.to_owned();
        move |error| OutboxFault::Disk { doing, path, error }
    }
}

impl std::fmt::Display for OutboxFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            OutboxFault::Disk { doing, path, error } => {
                write!(f, "cannot {doing} {}: {error}; {}", path.display(), remedy(error.kind()))
            }
            OutboxFault::Differs { placed, staged, file, placed_has, staged_has } => write!(
                f,
                "{} is published already and differs from {}, which was to be placed there: {file} has {placed_has} there \
                 and {staged_has} here; a published folder never changes, so find out who changed it with `accrued verify \
                 statements`, move it away and run again",
                placed.display(),
                staged.display()
            ),
        }
    }
}

impl std::error::Error for OutboxFault {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            OutboxFault::Disk { error, .. } => Some(error),
            OutboxFault::Differs { .. } => None,
        }
    }
}

fn remedy(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "free some space there and run again",
        ErrorKind::ReadOnlyFilesystem => "make that file system writable and run again",
        ErrorKind::PermissionDenied => "let the user that runs accrued write there and run again",
        ErrorKind::CrossesDevices => "keep staging/ and the published folders on one file system",
        _ => "nothing was published; run again once the disk is well",
    }
}
