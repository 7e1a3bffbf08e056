//! Files that are pushed to a folder of this machine. They are written under other names, flushed together and then renamed in the order
//! in which they came: a flush for each of ten thousand small files would cost ten times what writing them costs.

use super::{Ground, Outgoing, Pushed, compared, hashed, other};
use crate::inbox::{Cancel, InboxFault};
use rustix::fs::{Access, access, syncfs};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// So few files are flushed one by one: a flush of the whole file system also waits for what others write there.
const FEW: usize = 8;

/// Such a folder; it is made with the first file.
#[derive(Debug)]
pub struct Local {
    folder: PathBuf,
    cancel: Cancel,
    /// written, and not under their names yet: (where, name)
    waiting: Vec<(PathBuf, PathBuf)>,
    /// folders whose names are not on the disk yet
    names: BTreeSet<PathBuf>,
}

impl Local {
    pub(super) fn of(folder: PathBuf, cancel: Cancel) -> Local {
        Local { folder, cancel, waiting: Vec::new(), names: BTreeSet::new() }
    }

    /// Of the folder itself, or of the nearest above it that is there.
    pub(super) fn ground(&self) -> Result<Ground, InboxFault> {
        let whole = std::path::absolute(&self.folder).unwrap_or_else(|_| self.folder.clone());
        let standing = whole.ancestors().find(|above| above.exists()).unwrap_or(&whole);
        let faulty = |why: String| {
            InboxFault::Limit(format!(
                "nothing can be made in {}: {why}; let this user write there, or mend url",
                standing.display()
            ))
        };
        match access(standing, Access::WRITE_OK | Access::EXEC_OK).map_err(io::Error::from) {
            Err(error) => Err(faulty(error.to_string())),
            Ok(()) if !standing.is_dir() => Err(faulty("it is no folder".to_owned())),
            Ok(()) if standing == whole => Ok(Ground::Firm),
            Ok(()) => Ok(Ground::Bare),
        }
    }

    /// Writes one file beside its name, which it gets when all that was put is settled.
    pub(super) fn put(&mut self, file: &Outgoing<'_>) -> Result<Pushed, InboxFault> {
        self.cancel.check()?;
        let target = self.folder.join(file.path);
        let above = file.folders().into_iter().map(|below| self.folder.join(below));
        self.names.extend(above.chain([self.folder.clone()]));
        if let Some(stands) = self.standing(file, &target)? {
            return Ok(stands);
        }
        let above = target.parent().unwrap_or(&self.folder);
        fs::create_dir_all(above).map_err(|e| InboxFault::disk(above, "create", &e))?;
        let beside = above.join(file.temporary());
        let mut draft = File::create(&beside).map_err(|e| InboxFault::disk(&beside, "create", &e))?;
        file.each_piece(&mut |piece| {
            self.cancel.check()?;
            draft.write_all(piece).map_err(|e| InboxFault::disk(&beside, "write", &e))
        })?;
        self.waiting.push((beside, target));
        Ok(Pushed::Now)
    }

    fn standing(&self, file: &Outgoing<'_>, target: &Path) -> Result<Option<Pushed>, InboxFault> {
        let found = match fs::symlink_metadata(target) {
            Ok(found) => found,
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(InboxFault::disk(target, "look at", &e)),
        };
        if !found.is_file() {
            return Ok(Some(other(file, "something that is no file")));
        }
        if found.len() != file.size {
            return Ok(Some(other(file, &format!("{} bytes", found.len()))));
        }
        let mut open = File::open(target).map_err(|e| InboxFault::disk(target, "read", &e))?;
        let mut read =
            |buffer: &mut [u8]| open.read(buffer).map_err(|e| InboxFault::disk(target, "read", &e));
        let sha256 = hashed(&mut read, &mut |_| self.cancel.check())?;
        Ok(Some(compared(file, found.len(), &sha256)))
    }

    /// Flushes what was written, gives each file its name, and flushes the names.
    pub(super) fn settle(&mut self) -> Result<(), InboxFault> {
        let waiting = std::mem::take(&mut self.waiting);
        flush(&waiting)?;
        for (beside, target) in waiting {
            fs::rename(&beside, &target).map_err(|e| InboxFault::disk(&target, "rename to", &e))?;
        }
        // one that could not be made holds nothing
        let made = std::mem::take(&mut self.names).into_iter().filter(|folder| folder.exists());
        for folder in made {
            flush_one(&folder)?;
        }
        Ok(())
    }
}

/// One by one, or all of each file system at once.
fn flush(waiting: &[(PathBuf, PathBuf)]) -> Result<(), InboxFault> {
    let mut written = waiting.iter().map(|(beside, _)| beside.as_path());
    if waiting.len() <= FEW {
        return written.try_for_each(flush_one);
    }
    let mut systems: BTreeMap<u64, &Path> = BTreeMap::new();
    for beside in written {
        let found = fs::metadata(beside).map_err(|e| InboxFault::disk(beside, "look at", &e))?;
        systems.insert(found.dev(), beside);
    }
    systems.into_values().try_for_each(|path| {
        let flushed = File::open(path).and_then(|open| syncfs(open).map_err(io::Error::from));
        flushed.map_err(|e| InboxFault::disk(path, "flush the disk of", &e))
    })
}

fn flush_one(path: &Path) -> Result<(), InboxFault> {
    let flushed = File::open(path).and_then(|open| open.sync_all());
    flushed.map_err(|e| InboxFault::disk(path, "write", &e))
}
