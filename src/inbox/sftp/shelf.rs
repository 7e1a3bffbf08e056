//! Moving and deleting what was taken from a folder on a server. Renaming never overwrites here, whatever the server would do: the
//! name is looked at first.

use super::{Folder, Remote, answered, denied, mtime, no_such};
use crate::inbox::away::{self, After, Away, Put, Shelf, Taken};
use crate::inbox::{Candidate, InboxFault};
use ssh2::RenameFlags;
use std::path::{Path, PathBuf};

/// Of a folder that is made for files that were taken: its owner may write, others look.
const MODE: i32 = 0o755;

impl Remote {
    /// Makes sure of the folder that taken files are moved to.
    pub(in crate::inbox) fn make_room(&mut self) -> Result<(), InboxFault> {
        self.trying(|remote, wire| match &remote.source.after {
            After::Leave | After::Delete => Ok(()),
            After::Move(dir) => Folder { remote, wire }.make_room(dir),
        })
    }

    /// Does with a file what the feed's `after` says. One that was moved when the connection was lost is gone at the next try.
    pub(in crate::inbox) fn put_away(&mut self, taken: &Taken) -> Result<Away, InboxFault> {
        self.trying(|remote, wire| {
            let folder = Folder { remote, wire };
            match &remote.source.after {
                After::Leave => Ok(Away::Gone),
                After::Delete => away::delete(&folder, taken),
                After::Move(_) => away::put_away(&folder, taken),
            }
        })
    }
}

impl Folder<'_> {
    fn make_room(&self, dir: &str) -> Result<(), InboxFault> {
        let _watching = self.begin();
        let (there, here) = (self.room(dir), self.path(""));
        let sftp = self.sftp()?;
        match sftp.stat(&there) {
            Ok(_) => {}
            Err(e) if no_such(&e) => {
                sftp.mkdir(&there, MODE).map_err(|e| self.no_room(&there, &e))?;
            }
            Err(e) => return Err(self.no_room(&there, &e)),
        }
        // of a server that cannot tell, nothing is known
        match (sftp.realpath(&there), sftp.realpath(&here)) {
            (Ok(there), Ok(here)) if there == here => {
                Err(InboxFault::Limit(away::same_folder(&there.display().to_string())))
            }
            (Ok(_) | Err(_), Ok(_) | Err(_)) => Ok(()),
        }
    }

    /// The folder that files are moved to: an absolute one, or one of the feed's folder.
    fn room(&self, dir: &str) -> PathBuf {
        if dir.starts_with('/') { PathBuf::from(dir) } else { self.path(dir) }
    }

    fn there(&self, name: &str) -> PathBuf {
        match &self.remote.source.after {
            After::Move(dir) => self.room(dir).join(name),
            After::Leave | After::Delete => self.path(name),
        }
    }

    fn no_room(&self, there: &Path, error: &ssh2::Error) -> InboxFault {
        if answered(error) {
            InboxFault::Limit(format!(
                "files that were taken cannot be moved to {} on {}: {}; make that folder and let {} write there, or mend after",
                there.display(),
                self.remote.settings.host,
                said(error),
                self.remote.settings.user
            ))
        } else {
            self.wire.fault(&format!("looking at {}", there.display()), error)
        }
    }

    /// Renames unless there is something of that name.
    fn carry(&self, from: &Path, to: &Path) -> Result<Put, InboxFault> {
        let _watching = self.begin();
        let sftp = self.sftp()?;
        match sftp.lstat(to) {
            Ok(_) => return Ok(Put::Occupied),
            Err(e) if no_such(&e) => {}
            Err(e) => return Err(self.unmovable(from, "moved", &e)),
        }
        let flags = RenameFlags::ATOMIC | RenameFlags::NATIVE;
        match sftp.rename(from, to, Some(flags)) {
            Ok(()) => Ok(Put::Done),
            Err(e) if no_such(&e) && sftp.lstat(from).is_err_and(|e| no_such(&e)) => Ok(Put::Gone),
            // somebody was quicker
            Err(e) if answered(&e) && sftp.lstat(to).is_ok() => Ok(Put::Occupied),
            Err(e) => Err(self.unmovable(from, "moved", &e)),
        }
    }

    fn unmovable(&self, from: &Path, doing: &str, error: &ssh2::Error) -> InboxFault {
        if answered(error) {
            InboxFault::Limit(format!(
                "{} was taken and cannot be {doing} on {}: {}; let {} write there (moving needs one file system), or write after = \"leave\"",
                from.display(),
                self.remote.settings.host,
                said(error),
                self.remote.settings.user
            ))
        } else {
            self.wire.fault(&format!("putting {} away", from.display()), error)
        }
    }
}

impl Shelf for Folder<'_> {
    fn look(&self, name: &str) -> Result<Option<Candidate>, InboxFault> {
        Folder::look(self, name)
    }

    fn put(&self, from: &str, to: &str, file: Option<&Candidate>) -> Result<Put, InboxFault> {
        let (from, to) = (self.path(from), self.there(to));
        let put = self.carry(&from, &to)?;
        let (Put::Done, Some(file)) = (put, file) else { return Ok(put) };
        let _watching = self.begin();
        match self.sftp()?.lstat(&to) {
            Ok(now) if now.size == Some(file.size) && mtime(&now) == file.mtime => Ok(Put::Done),
            Ok(_) => {
                self.carry(&to, &from)?;
                Ok(Put::Another)
            }
            Err(e) => Err(self.wire.fault(&format!("looking at {}", to.display()), &e)),
        }
    }

    fn put_back(&self, from: &str, to: &str) -> Result<(), InboxFault> {
        self.carry(&self.there(from), &self.path(to)).map(|_| ())
    }

    fn remove(&self, name: &str) -> Result<(), InboxFault> {
        let _watching = self.begin();
        let path = self.path(name);
        match self.sftp()?.unlink(&path) {
            Ok(()) => Ok(()),
            Err(e) if no_such(&e) => Ok(()),
            Err(e) => Err(self.unmovable(&path, "deleted", &e)),
        }
    }
}

fn said(error: &ssh2::Error) -> &'static str {
    if denied(error) {
        "permission denied"
    } else if no_such(error) {
        "no such folder"
    } else {
        "the server refuses it"
    }
}
