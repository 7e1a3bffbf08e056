//! Files that are pushed to a folder on a server: written under another name, looked at, renamed.

use super::{Folder, Footing, Remote, answered, denied, nature, no_such};
use crate::inbox::InboxFault;
use crate::inbox::outgoing::{self, Ground, Outgoing, Pushed};
use crate::inbox::sieve::Nature;
use ssh2::{FileStat, OpenFlags, OpenType, RenameFlags};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{MutexGuard, PoisonError};

/// Of a file that is pushed: its owner may write, others read.
const FILE_MODE: i32 = 0o644;
/// Of a folder that is made for it.
const FOLDER_MODE: i32 = 0o755;
/// Folder that is made and removed, to see that it can be.
const TRACE: &str = ".accrued-doctor";

impl Remote {
    /// Whether the folder is there.
    pub(in crate::inbox) fn reach(&mut self) -> Result<(), InboxFault> {
        self.trying(|remote, wire| {
            let folder = Folder { remote, wire };
            let _watching = folder.begin();
            let stat = folder.sftp()?.stat(&folder.path("")).map_err(|e| folder.folder_fault(&e))?;
            match nature(&stat) {
                Nature::File => Err(InboxFault::Limit(format!(
                    "{} on {} is no folder; mend url",
                    remote.settings.folder, remote.settings.host
                ))),
                Nature::Folder | Nature::Symlink | Nature::Special => Ok(()),
            }
        })
    }

    /// Whether a folder can be made in it and removed again.
    pub(in crate::inbox) fn ground(&mut self) -> Result<Ground, InboxFault> {
        self.trying(|remote, wire| Folder { remote, wire }.ground())
    }

    /// Pushes one file. One that was renamed when the connection was lost stands there at the next try.
    pub(in crate::inbox) fn put(&mut self, file: &Outgoing<'_>) -> Result<Pushed, InboxFault> {
        self.trying(|remote, wire| Folder { remote, wire }.put(file))
    }
}

impl Folder<'_> {
    fn put(&self, file: &Outgoing<'_>) -> Result<Pushed, InboxFault> {
        let target = self.path(file.path);
        let above = file.folders();
        let mut footing = Footing::Old;
        for folder in &above {
            footing = self.footing(folder)?;
        }
        if footing == Footing::Old
            && let Some(stands) = self.standing(file, &target)?
        {
            return Ok(stands);
        }
        // until it is through: at another try it may stand there
        above.last().into_iter().for_each(|folder| self.know(folder, Footing::Old));
        let put = self.put_new(file, &target)?;
        above.last().into_iter().for_each(|folder| self.know(folder, footing));
        Ok(put)
    }

    fn put_new(&self, file: &Outgoing<'_>, target: &Path) -> Result<Pushed, InboxFault> {
        let beside = target.with_file_name(file.temporary());
        self.write(file, &beside)?;
        let watching = self.begin();
        let flags = RenameFlags::ATOMIC | RenameFlags::NATIVE;
        match self.sftp()?.rename(&beside, target, Some(flags)) {
            Ok(()) => Ok(Pushed::Now),
            Err(error) => {
                drop(watching);
                // somebody was quicker, or the answer to an earlier try was lost
                match self.standing(file, target)? {
                    Some(stands) => Ok(stands),
                    None => Err(self.push_fault(target, "renamed", &error)),
                }
            }
        }
    }

    fn ground(&self) -> Result<Ground, InboxFault> {
        let trace = self.path(TRACE);
        let _watching = self.begin();
        let sftp = self.sftp()?;
        match sftp.mkdir(&trace, FOLDER_MODE) {
            Ok(()) => {}
            // somebody who was cut off has left it
            Err(error) if answered(&error) && sftp.lstat(&trace).is_ok() => {}
            Err(error) => return Err(self.push_fault(&self.path(""), "written to", &error)),
        }
        match sftp.rmdir(&trace) {
            Ok(()) => Ok(Ground::Firm),
            // somebody else looks too, and was quicker
            Err(error) if no_such(&error) => Ok(Ground::Firm),
            Err(error) if answered(&error) => Ok(Ground::Marked(trace.display().to_string())),
            Err(error) => Err(self.wire.fault(&format!("removing {}", trace.display()), &error)),
        }
    }

    /// What stands under the name of a file; none where nothing does.
    fn standing(&self, file: &Outgoing<'_>, target: &Path) -> Result<Option<Pushed>, InboxFault> {
        let watching = self.begin();
        let stat = match self.sftp()?.lstat(target) {
            Ok(stat) => stat,
            Err(error) if no_such(&error) => return Ok(None),
            Err(error) => return Err(self.push_fault(target, "looked at", &error)),
        };
        drop(watching);
        if stat.perm.is_some() && nature(&stat) != Nature::File {
            return Ok(Some(outgoing::other(file, "something that is no file")));
        }
        if let Some(size) = stat.size.filter(|size| *size != file.size) {
            return Ok(Some(outgoing::other(file, &format!("{size} bytes"))));
        }
        let sha256 = self.hash_of(target)?;
        Ok(Some(outgoing::compared(file, stat.size.unwrap_or(file.size), &sha256)))
    }

    fn hash_of(&self, target: &Path) -> Result<String, InboxFault> {
        let watching = self.begin();
        let mut open = self.sftp()?.open(target).map_err(|e| self.push_fault(target, "read", &e))?;
        let mut read = |buffer: &mut [u8]| {
            let count = open.read(buffer).map_err(|e| {
                self.wire.fault_saying(&format!("reading {}", target.display()), &e.to_string())
            })?;
            watching.progress();
            Ok(count)
        };
        outgoing::hashed(&mut read, &mut |_| Ok(()))
    }

    /// Makes sure of a folder, once: small files would cost more in asking than in sending.
    fn footing(&self, folder: &str) -> Result<Footing, InboxFault> {
        let known = self.lock_footing().get(folder).copied();
        if let Some(known) = known {
            return Ok(known);
        }
        let found = self.make_folder(&self.path(folder))?;
        self.know(folder, found);
        Ok(found)
    }

    fn know(&self, folder: &str, footing: Footing) {
        self.lock_footing().insert(folder.to_owned(), footing);
    }

    fn lock_footing(&self) -> MutexGuard<'_, BTreeMap<String, Footing>> {
        self.remote.footing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn make_folder(&self, folder: &Path) -> Result<Footing, InboxFault> {
        let _watching = self.begin();
        let sftp = self.sftp()?;
        match sftp.stat(folder) {
            Ok(_) => return Ok(Footing::Old),
            Err(error) if no_such(&error) => {}
            Err(error) => return Err(self.push_fault(folder, "looked at", &error)),
        }
        match sftp.mkdir(folder, FOLDER_MODE) {
            Ok(()) => Ok(Footing::Fresh),
            // somebody was quicker
            Err(error) if answered(&error) && sftp.stat(folder).is_ok() => Ok(Footing::Old),
            Err(error) => Err(self.push_fault(folder, "made", &error)),
        }
    }

    fn write(&self, file: &Outgoing<'_>, beside: &PathBuf) -> Result<(), InboxFault> {
        let watching = self.begin();
        let flags = OpenFlags::WRITE | OpenFlags::CREATE | OpenFlags::TRUNCATE;
        let mut open = self
            .sftp()?
            .open_mode(beside, flags, FILE_MODE, OpenType::File)
            .map_err(|e| self.push_fault(beside, "written", &e))?;
        let buffer = self.remote.settings.read_buffer.max(1);
        file.each_piece(&mut |piece| {
            for part in piece.chunks(buffer) {
                let mut rest = part;
                while !rest.is_empty() {
                    let count = open.write(rest).map_err(|e| self.write_fault(beside, &e))?;
                    rest = rest.get(count..).unwrap_or_default();
                    watching.progress();
                }
            }
            Ok(())
        })?;
        // a server that cannot flush to its disk says so; that is its own affair
        let _ = open.fsync();
        let stat: FileStat = open.stat().map_err(|e| self.push_fault(beside, "looked at", &e))?;
        drop(open);
        match stat.size.filter(|size| *size != file.size) {
            None => Ok(()),
            Some(size) => Err(InboxFault::Temporary(format!(
                "{} was written with {} bytes and has {size}",
                beside.display(),
                file.size
            ))),
        }
    }

    /// Of an error that has passed through `std` and lost its code: a disk that is full there says `failure`, and may have room later.
    fn write_fault(&self, beside: &Path, error: &std::io::Error) -> InboxFault {
        self.wire.fault_saying(&format!("writing {}", beside.display()), &error.to_string())
    }

    fn push_fault(&self, path: &Path, doing: &str, error: &ssh2::Error) -> InboxFault {
        let host = &self.remote.settings.host;
        if denied(error) {
            let user = &self.remote.settings.user;
            InboxFault::Limit(format!(
                "{} on {host} cannot be {doing}: permission denied; let {user} write there",
                path.display()
            ))
        } else if no_such(error) {
            InboxFault::Limit(format!(
                "{} on {host} cannot be {doing}: a folder above it went away",
                path.display()
            ))
        } else {
            self.wire.fault(&format!("{} cannot be {doing}", path.display()), error)
        }
    }
}
