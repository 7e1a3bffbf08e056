//! SFTP, not there yet.
use super::{Archive, Archived, Cancel, Candidate, InboxFault, Listing, Sftp, Source};

/// An SFTP folder.
#[derive(Debug)]
pub struct Remote;

impl Remote {
    pub(super) fn open(_: &Source, _: &Sftp, _: &Cancel) -> Result<Remote, InboxFault> {
        Err(InboxFault::Limit("sftp is not there yet".to_owned()))
    }
    pub(super) fn list(&mut self) -> Result<Listing, InboxFault> {
        Ok(Listing::default())
    }
    pub(super) fn look(&mut self, _: &str) -> Result<Option<Candidate>, InboxFault> {
        Ok(None)
    }
    pub(super) fn fetch(&mut self, _: &Candidate, _: &Archive) -> Result<Archived, InboxFault> {
        Err(InboxFault::Stopped)
    }
}

/// The version of the linked libssh2.
pub fn libssh2_version() -> String {
    String::new()
}
