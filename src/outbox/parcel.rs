//! A folder anywhere on the machine's disks that appears whole or not at all (a backup): made beside its place, flushed, renamed.

use super::fault::OutboxFault;
use super::folder;
use std::fs;
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

/// Ending of the name under which it is made.
const MAKING: &str = ".accrued-partial";

/// A folder in the making. Dropped before [`Parcel::seal`], it is removed.
#[derive(Debug)]
pub struct Parcel {
    beside: PathBuf,
    target: PathBuf,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// somebody else may be at work in it
    Found,
    /// it is ours
    Begun,
    Sealed,
}

/// What stands where a parcel is to appear.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// nothing, or an empty folder
    Free,
    /// something
    Taken,
}

/// Whether a parcel may appear there.
///
/// # Errors
/// The disk's.
pub fn place(target: &Path) -> Result<Place, OutboxFault> {
    match fs::read_dir(target) {
        Ok(mut entries) => Ok(if entries.next().is_none() { Place::Free } else { Place::Taken }),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Place::Free),
        Err(error) if error.kind() == ErrorKind::NotADirectory => Ok(Place::Taken),
        Err(error) => Err(OutboxFault::disk("look at", target)(error)),
    }
}

impl Parcel {
    /// Makes the folder in which it is made; what a killed one has left there stays until [`Parcel::clear`].
    ///
    /// # Errors
    /// The disk's.
    pub fn at(target: &Path) -> Result<Parcel, OutboxFault> {
        let named = std::path::absolute(target).map_err(OutboxFault::disk("find", target))?;
        // `DIR/` and `DIR` are one
        let target: PathBuf = named.components().collect();
        let mut name = std::ffi::OsString::from(".");
        name.push(target.file_name().unwrap_or_default());
        name.push(MAKING);
        let beside = target.with_file_name(name);
        folder::make(&beside)?;
        Ok(Parcel { beside, target, state: State::Found })
    }

    /// Where it is made.
    pub fn folder(&self) -> &Path {
        &self.beside
    }

    /// Takes it over, empty but for `but` (who holds that has the folder).
    ///
    /// # Errors
    /// The disk's.
    pub fn clear(&mut self, but: &str) -> Result<(), OutboxFault> {
        self.state = State::Begun;
        let listed = fs::read_dir(&self.beside).map_err(OutboxFault::disk("list", &self.beside))?;
        for entry in listed {
            let entry = entry.map_err(OutboxFault::disk("list", &self.beside))?;
            if entry.file_name() == but {
                continue;
            }
            let path = entry.path();
            let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            let removed = if is_folder { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
            removed.map_err(OutboxFault::disk("remove", &path))?;
        }
        Ok(())
    }

    /// Where a file of it goes; the folders above it are made.
    ///
    /// # Errors
    /// The disk's.
    pub fn path(&self, inner: &str) -> Result<PathBuf, OutboxFault> {
        let path = self.beside.join(inner);
        if let Some(above) = path.parent() {
            fs::create_dir_all(above).map_err(OutboxFault::disk("make folder", above))?;
        }
        Ok(path)
    }

    /// Writes a small file.
    ///
    /// # Errors
    /// The disk's.
    pub fn write(&self, inner: &str, bytes: &[u8]) -> Result<(), OutboxFault> {
        let path = self.path(inner)?;
        fs::write(&path, bytes).map_err(OutboxFault::disk("write", &path))
    }

    /// Flushes everything and gives it its name. `lock` is removed before.
    ///
    /// # Errors
    /// The disk's; then nothing has appeared.
    pub fn seal(mut self, lock: &str) -> Result<(), OutboxFault> {
        let lock = self.beside.join(lock);
        fs::remove_file(&lock).map_err(OutboxFault::disk("remove", &lock))?;
        folder::flush_file_system(&self.beside)?;
        // an empty folder that stands there is replaced
        fs::rename(&self.beside, &self.target).map_err(OutboxFault::disk("rename to", &self.target))?;
        self.state = State::Sealed;
        folder::flush_parent(&self.target)
    }
}

impl Drop for Parcel {
    fn drop(&mut self) {
        match self.state {
            // what cannot be removed now is taken over by the next one for the same place
            State::Begun => drop(fs::remove_dir_all(&self.beside)),
            State::Found | State::Sealed => {}
        }
    }
}

/// A file that never changes, under another name: a second name of the same bytes where the file system can, else a copy.
///
/// # Errors
/// The disk's, with the path that it is about.
pub fn same_file(from: &Path, to: &Path) -> Result<(), OutboxFault> {
    if let Some(above) = to.parent() {
        fs::create_dir_all(above).map_err(OutboxFault::disk("make folder", above))?;
    }
    if fs::hard_link(from, to).is_ok() {
        return Ok(());
    }
    copy(from, to)
}

/// A copy of a file's bytes, without its owner and permissions.
///
/// # Errors
/// The disk's, with the path that it is about.
pub fn copy(from: &Path, to: &Path) -> Result<(), OutboxFault> {
    let mut read = fs::File::open(from).map_err(OutboxFault::disk("read", from))?;
    let mut write = fs::File::create(to).map_err(OutboxFault::disk("create", to))?;
    let mut buffer = vec![0; 1 << 20];
    loop {
        match read.read(&mut buffer) {
            Ok(0) => return write.sync_data().map_err(OutboxFault::disk("write", to)),
            Ok(count) => {
                io::Write::write_all(&mut write, &buffer[..count]).map_err(OutboxFault::disk("write", to))?;
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(OutboxFault::disk("read", from)(error)),
        }
    }
}

/// Gives a whole file its name, over whatever stands there.
///
/// # Errors
/// The disk's.
pub fn rename(from: &Path, to: &Path) -> Result<(), OutboxFault> {
    if let Some(above) = to.parent() {
        folder::make(above)?;
    }
    folder::rename(from, to)
}

/// Removes a folder and all in it. Fine if there is none.
///
/// # Errors
/// The disk's.
pub fn remove(path: &Path) -> Result<(), OutboxFault> {
    folder::remove(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn appears_whole_or_not_at_all() {
        let data = tempfile::tempdir().unwrap();
        let target = data.path().join("deep/backup");
        let begin = || {
            let mut parcel = Parcel::at(&target).unwrap();
            fs::write(parcel.folder().join("lock"), "").unwrap();
            parcel.clear("lock").unwrap();
            parcel
        };
        let parcel = begin();
        parcel.write("a/b", b"1").unwrap();
        drop(parcel);
        assert_eq!(fs::read_dir(data.path().join("deep")).unwrap().count(), 0);
        let parcel = begin();
        parcel.write("a/b", b"2").unwrap();
        // as if killed
        std::mem::forget(parcel);
        assert_eq!(place(&target).unwrap(), Place::Free);
        let parcel = begin();
        parcel.write("c", b"3").unwrap();
        parcel.seal("lock").unwrap();
        let names: Vec<_> = fs::read_dir(&target).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["c"]);
        assert_eq!(fs::read_dir(data.path().join("deep")).unwrap().count(), 1);
        assert_eq!(place(&target).unwrap(), Place::Taken);
        fs::remove_file(target.join("c")).unwrap();
        assert_eq!(place(&target).unwrap(), Place::Free);
        begin().seal("lock").unwrap();
    }

    #[test]
    fn a_folder_that_is_not_ours_is_left_alone() {
        let data = tempfile::tempdir().unwrap();
        let target = data.path().join("backup");
        let parcel = Parcel::at(&target).unwrap();
        let folder = parcel.folder().to_owned();
        drop(parcel);
        assert!(folder.exists());
    }
}
