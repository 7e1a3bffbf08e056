//! A feed's folder, local or remote, behind one face. One connection serves a whole run of the feed; where it pays, further ones
//! help to bring a large file or many.

use super::folder::Folder;
use super::sftp::Remote;
use super::{
    Agreed, Archive, Archived, Away, Brought, Cancel, Candidate, InboxFault, Listing, Place, Source, Taken,
    Wanted,
};

/// An open feed. Both kinds name, refuse and check files by the same rules.
#[derive(Debug)]
pub enum Connection {
    /// `file:`
    Folder(Box<Folder>),
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
            Place::Folder(folder) => {
                Folder::open(source, folder, cancel).map(|folder| Connection::Folder(Box::new(folder)))
            }
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

    /// What the connection rests on; `None` of a folder of this machine.
    pub fn agreed(&self) -> Option<Agreed> {
        match self {
            Connection::Folder(_) => None,
            Connection::Sftp(remote) => remote.agreed(),
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

    /// Brings files into the archive, each whole or not at all, in this order or several at once; `begun` hears of each as its
    /// download begins. What becomes of each, in the order wanted: once the feed cannot be reached any more (`Temporary`,
    /// `Refused`, `Stopped`), those that were not begun are left out.
    pub fn bring(&mut self, wanted: Vec<Wanted>, archive: &Archive, begun: Begun<'_>) -> Vec<Outcome> {
        match self {
            Connection::Sftp(remote) => remote.bring(wanted, archive, begun),
            Connection::Folder(folder) => one_by_one(wanted, begun, &mut |file| folder.fetch(file, archive)),
        }
    }

    /// Makes sure of the folder that taken files are moved to, where the feed's `after` names one.
    ///
    /// # Errors
    /// `Limit` for one that cannot be; else as `list`.
    pub fn make_room(&mut self) -> Result<(), InboxFault> {
        match self {
            Connection::Folder(folder) => folder.make_room(),
            Connection::Sftp(remote) => remote.make_room(),
        }
    }

    /// Does with a file that the store has what the feed's `after` says, and with its marker and control totals.
    ///
    /// # Errors
    /// `Changed` for a file that is another by now, which stays; `Limit` for one that may not be moved; else as `list`.
    pub fn put_away(&mut self, taken: &Taken) -> Result<Away, InboxFault> {
        match self {
            Connection::Folder(folder) => folder.put_away(taken),
            Connection::Sftp(remote) => remote.put_away(taken),
        }
    }
}

/// Hears of each file whose download begins.
pub type Begun<'b> = &'b (dyn Fn(&Candidate) + Sync);

/// What became of a file that was wanted.
pub type Outcome = (Wanted, Result<Brought, InboxFault>);

fn one_by_one(
    wanted: Vec<Wanted>,
    begun: Begun<'_>,
    fetch: &mut dyn FnMut(&Candidate) -> Result<Archived, InboxFault>,
) -> Vec<Outcome> {
    let mut outcomes = Vec::new();
    for one in wanted {
        begun(&one.file);
        let brought = pair(&one, fetch);
        let last = brought.as_ref().is_err_and(InboxFault::ends_the_feed);
        outcomes.push((one, brought));
        if last {
            break;
        }
    }
    outcomes
}

/// A file, and the control totals beside it.
pub(super) fn pair(
    wanted: &Wanted,
    fetch: &mut dyn FnMut(&Candidate) -> Result<Archived, InboxFault>,
) -> Result<Brought, InboxFault> {
    let file = fetch(&wanted.file)?;
    let sidecar = wanted.sidecar.as_ref().map(fetch).transpose()?;
    Ok(Brought { file, sidecar })
}
