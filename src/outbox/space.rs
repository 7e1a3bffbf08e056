//! The disk under a folder: what is free, and whether we may write there.

use rustix::fs::{Access, StatVfsMountFlags, access, statvfs};
use std::io;
use std::path::Path;

/// What a file system has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Space {
    /// bytes that we may still write
    pub free: u64,
    /// bytes in all
    pub total: u64,
    /// files that may still be made; `None` where it has no such limit
    pub files_free: Option<u64>,
    /// mounted for reading only
    pub read_only: bool,
}

/// Of the file system under a path.
///
/// # Errors
/// The disk's.
pub fn space(path: &Path) -> io::Result<Space> {
    let found = statvfs(path)?;
    Ok(Space {
        free: found.f_bavail.saturating_mul(found.f_frsize),
        total: found.f_blocks.saturating_mul(found.f_frsize),
        files_free: (found.f_files > 0).then_some(found.f_favail),
        read_only: found.f_flag.contains(StatVfsMountFlags::RDONLY),
    })
}

/// Whether this user may make files in a folder; nothing is made.
///
/// # Errors
/// Why not.
pub fn writable(folder: &Path) -> io::Result<()> {
    Ok(access(folder, Access::WRITE_OK | Access::EXEC_OK)?)
}
