//! A feed's folder, local or remote, behind one face. One connection serves a whole run of the feed; a large
//! file comes over a second one too.

use super::folder::Folder;
use super::sftp::Remote;
use super::{Archive, Archived, Cancel, Candidate, InboxFault, Listing, Place, Source};

/// An open feed. Both kinds name, refuse and check files by the same rules.
#[derive(Debug)]
pub enum Connection {
    /// `file:`
    Folder(Folder),
    /// `sftp:`, logged in
    Sftp(Box<Remote>),
}

impl Connection {
    /// Reaches the folder: of an SFTP server, connects, compares the host key, then logs in.
    ///
    /// # Errors
    /// `Refused` for another host key or a refused login, `Limit` for a folder that is not there, `Temporary` after
    /// the feed's `retries`.
    pub fn open(source: &Source, cancel: &Cancel) -> Result<Connection, InboxFault> {
        cancel.check()?;
        match &source.place {
            Place::Folder(folder) => Folder::open(source, folder, cancel).map(Connection::Folder),
            Place::Sftp(settings) => {
                Remote::open(source, settings, cancel).map(|remote| Connection::Sftp(Box::new(remote)))
            }
        }
    }

    /// One look at the folder: the feed's files in order of mtime, then name, and what was passed over.
    ///
    /// # Errors
    /// As `open`: a lost connection is made anew.
    pub fn list(&mut self) -> Result<Listing, InboxFault> {
        match self {
            Connection::Folder(folder) => folder.list(),
            Connection::Sftp(remote) => remote.list(),
        }
    }

    /// A fresh look at one name; `None` when it is gone or no file any more.
    ///
    /// # Errors
    /// As `list`.
    pub fn look(&mut self, name: &str) -> Result<Option<Candidate>, InboxFault> {
        match self {
            Connection::Folder(folder) => folder.look(name),
            Connection::Sftp(remote) => remote.look(name),
        }
    }

    /// Brings a file whole into the archive, or leaves nothing behind.
    ///
    /// # Errors
    /// `Changed` unless the bytes read, the size when opened, at the end and of a fresh look, and the mtime are all
    /// those of `file`; `Limit` for a file that may not be read; `Disk` for the archive; else as `list`.
    pub fn fetch(&mut self, file: &Candidate, archive: &Archive) -> Result<Archived, InboxFault> {
        match self {
            Connection::Folder(folder) => folder.fetch(file, archive),
            Connection::Sftp(remote) => remote.fetch(file, archive),
        }
    }
}
