//! Moving and deleting what was taken from a local folder. Never over another file, and to another file system by way of a copy that
//! is there whole or not at all.

use super::{Folder, moment};
use crate::inbox::away::{self, After, Away, Put, Shelf, Taken};
use crate::inbox::{Candidate, InboxFault};
use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

impl Folder {
    /// Makes sure of the folder that taken files are moved to.
    pub(in crate::inbox) fn make_room(&self) -> Result<(), InboxFault> {
        let After::Move(dir) = &self.source.after else { return Ok(()) };
        let there = self.path.join(dir);
        let fault = |e: io::Error| {
            InboxFault::Limit(format!(
                "files that were taken cannot be moved to {}: {e}; let this user write there, or mend after",
                there.display()
            ))
        };
        fs::create_dir_all(&there).map_err(fault)?;
        if fs::canonicalize(&there).map_err(fault)? == fs::canonicalize(&self.path).map_err(fault)? {
            return Err(InboxFault::Limit(away::same_folder(&there.display().to_string())));
        }
        Ok(())
    }

    /// Does with a file what the feed's `after` says.
    pub(in crate::inbox) fn put_away(&self, taken: &Taken) -> Result<Away, InboxFault> {
        self.cancel.check()?;
        match &self.source.after {
            After::Leave => Ok(Away::Gone),
            After::Delete => away::delete(&Local { folder: self, there: PathBuf::new() }, taken),
            After::Move(dir) => away::put_away(&Local { folder: self, there: self.path.join(dir) }, taken),
        }
    }
}

struct Local<'f> {
    folder: &'f Folder,
    there: PathBuf,
}

impl Shelf for Local<'_> {
    fn look(&self, name: &str) -> Result<Option<Candidate>, InboxFault> {
        self.folder.look_at(name)
    }

    fn put(&self, from: &str, to: &str, file: Option<&Candidate>) -> Result<Put, InboxFault> {
        let (from, to) = (self.folder.path.join(from), self.there.join(to));
        match carry(&from, &to) {
            Ok(()) => {}
            Err(e) if e.kind() == ErrorKind::AlreadyExists => return Ok(Put::Occupied),
            Err(e) if e.kind() == ErrorKind::NotFound && !from.exists() => return Ok(Put::Gone),
            Err(e) => return Err(unmovable(&from, &to, &e)),
        }
        let Some(file) = file else { return Ok(Put::Done) };
        let now = fs::symlink_metadata(&to).map_err(|e| unmovable(&from, &to, &e))?;
        // a file system may keep coarser times than the one that it came from
        if now.len() == file.size && file.mtime_seconds() == Some(moment(&now).div_euclid(1_000_000_000)) {
            return Ok(Put::Done);
        }
        carry(&to, &from).map_err(|e| unmovable(&to, &from, &e))?;
        Ok(Put::Another)
    }

    fn put_back(&self, from: &str, to: &str) -> Result<(), InboxFault> {
        let (from, to) = (self.there.join(from), self.folder.path.join(to));
        carry(&from, &to).map_err(|e| unmovable(&from, &to, &e))
    }

    fn remove(&self, name: &str) -> Result<(), InboxFault> {
        let path = self.folder.path.join(name);
        match fs::remove_file(&path) {
            Err(e) if e.kind() != ErrorKind::NotFound => Err(InboxFault::Limit(format!(
                "{} was taken and cannot be deleted: {e}; let this user write in its folder, or write after = \"leave\"",
                path.display()
            ))),
            Ok(()) | Err(_) => Ok(()),
        }
    }
}

fn unmovable(from: &Path, to: &Path, error: &io::Error) -> InboxFault {
    InboxFault::Limit(format!(
        "{} cannot be moved to {}: {error}; let this user write in both folders, or write after = \"leave\"",
        from.display(),
        to.display()
    ))
}

/// By renaming, else by a copy; never over what is there.
fn carry(from: &Path, to: &Path) -> io::Result<()> {
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        Ok(()) => Ok(()),
        Err(Errno::XDEV) => copy(from, to),
        // a file system that cannot promise it: nobody but us writes there
        Err(Errno::INVAL | Errno::NOSYS) => match fs::symlink_metadata(to) {
            Ok(_) => Err(ErrorKind::AlreadyExists.into()),
            Err(_) => fs::rename(from, to),
        },
        Err(error) => Err(error.into()),
    }
}

/// To another file system: what stands under the name there is whole, and the original goes after it.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    if fs::symlink_metadata(to).is_ok() {
        return Err(ErrorKind::AlreadyExists.into());
    }
    let name = to.file_name().unwrap_or_default().to_string_lossy();
    let beside = to.with_file_name(format!(".{name}.part"));
    let copied = copy_beside(from, &beside).and_then(|()| carry(&beside, to));
    if copied.is_err() {
        // the next run makes it anew
        let _ = fs::remove_file(&beside);
    }
    copied?;
    if let Some(folder) = to.parent() {
        File::open(folder)?.sync_all()?;
    }
    fs::remove_file(from)
}

fn copy_beside(from: &Path, beside: &Path) -> io::Result<()> {
    let mut source = OpenOptions::new().read(true).custom_flags(libc::O_NOFOLLOW).open(from)?;
    let start = source.metadata()?;
    let mut target = File::create(beside)?;
    io::copy(&mut source, &mut target)?;
    target.set_modified(start.modified()?)?;
    target.sync_all()?;
    let end = fs::symlink_metadata(from)?;
    if (end.len(), moment(&end)) != (start.len(), moment(&start)) || target.metadata()?.len() != start.len() {
        return Err(io::Error::other("it was written to meanwhile"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_carried_to_another_file_system_is_whole_and_never_lies_over_another() {
        let near = tempfile::tempdir().expect("a folder");
        let far = match tempfile::tempdir_in("/dev/shm") {
            Ok(far) => far,
            Err(_) => tempfile::tempdir().expect("a folder"),
        };
        let (from, to) = (near.path().join("s.csv"), far.path().join("s.csv"));
        fs::write(&from, b"abc").expect("written");
        let when = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_700_000_000);
        File::options().write(true).open(&from).and_then(|f| f.set_modified(when)).expect("touched");
        carry(&from, &to).expect("carried");
        assert_eq!(fs::read(&to).expect("there"), b"abc");
        assert_eq!(fs::metadata(&to).and_then(|m| m.modified()).expect("a time"), when);
        assert!(!from.exists());
        fs::write(&from, b"other").expect("written");
        assert_eq!(carry(&from, &to).expect_err("occupied").kind(), ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&to).expect("there"), b"abc");
        assert_eq!(fs::read_dir(far.path()).expect("a folder").count(), 1);
    }
}
