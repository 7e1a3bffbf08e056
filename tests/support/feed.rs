//! A feed on the test's server, and an archive of its own.
#![allow(dead_code, reason = "each test program uses its part of it")]

use super::sshd::Sshd;
use accrued::inbox::pattern::Pattern;
use accrued::inbox::{
    After, Archive, Cancel, Candidate, Complete, Connection, HostKey, InboxFault, Listing, Login, Place,
    Sftp, Source, Wanted,
};
use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;
use tempfile::TempDir;

/// Settings that reach the server by its pinned key, without retries.
pub fn settings(server: &Sshd) -> Sftp {
    Sftp {
        host: "127.0.0.1".to_owned(),
        port: server.addr.port(),
        user: super::sshd::user(),
        folder: server.outbound().to_str().expect("text").to_owned(),
        host_keys: vec![HostKey::Fingerprint(server.fingerprint("ed25519"))],
        login: Login::PrivateKey { path: server.user_key(), passphrase_file: None },
        connect_timeout: Duration::from_secs(20),
        idle_timeout: Duration::from_secs(60),
        file_deadline: Duration::from_secs(600),
        run_deadline: Duration::from_secs(3600),
        retries: 0,
        read_buffer: 1024 * 1024,
        connections: 4,
    }
}

/// The same through a proxy.
pub fn through(proxy: SocketAddr, server: &Sshd) -> Sftp {
    Sftp { port: proxy.port(), ..settings(server) }
}

/// A feed of `*.csv` where one look is enough.
pub fn source(sftp: Sftp) -> Source {
    Source {
        feed: "north".to_owned(),
        place: Place::Sftp(Box::new(sftp)),
        pattern: Pattern::new("*.csv").expect("a pattern"),
        complete: Complete::Stable { settle: Duration::ZERO },
        max_bytes: 4 << 30,
        sidecar: None,
        after: After::Leave,
    }
}

/// Connects and logs in.
pub fn open(sftp: Sftp) -> Result<Connection, InboxFault> {
    Connection::open(&source(sftp), &Cancel::default())
}

/// The message of a refusal (exit 12).
pub fn refused<T: std::fmt::Debug>(outcome: Result<T, InboxFault>) -> String {
    match outcome {
        Err(InboxFault::Refused(why)) => why,
        other => panic!("not refused: {other:?}"),
    }
}

/// The message of what may pass (exit 5).
pub fn temporary<T: std::fmt::Debug>(outcome: Result<T, InboxFault>) -> String {
    match outcome {
        Err(InboxFault::Temporary(why)) => why,
        other => panic!("not temporary: {other:?}"),
    }
}

/// The message of a file that changed under the reader.
pub fn changed<T: std::fmt::Debug>(outcome: Result<T, InboxFault>) -> String {
    match outcome {
        Err(InboxFault::Changed(why)) => why,
        other => panic!("not changed: {other:?}"),
    }
}

/// The message of a limit or of a setting that cannot work.
pub fn limit<T: std::fmt::Debug>(outcome: Result<T, InboxFault>) -> String {
    match outcome {
        Err(InboxFault::Limit(why)) => why,
        other => panic!("not a limit: {other:?}"),
    }
}

/// Names of a listing's files.
pub fn names(listing: &Listing) -> Vec<&str> {
    listing.files.iter().map(|file| file.name.as_str()).collect()
}

/// The one file of a listing.
pub fn only(listing: Listing) -> Candidate {
    let [file] = <[Candidate; 1]>::try_from(listing.files).expect("one file");
    file
}

/// All of a listing.
pub fn wanted(listing: Listing) -> Vec<Wanted> {
    listing.files.into_iter().map(|file| Wanted { file, sidecar: None }).collect()
}

/// An archive in a folder of its own.
pub struct Store {
    dir: TempDir,
    pub archive: Archive,
}

impl Store {
    pub fn new() -> Store {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let archive = Archive::of(dir.path());
        archive.prepare().expect("prepared");
        Store { dir, archive }
    }

    /// Every file in it that is whole.
    pub fn archived(&self) -> Vec<PathBuf> {
        self.files().into_iter().filter(|path| !path.to_string_lossy().contains("/.incoming/")).collect()
    }

    /// Every file in it, downloads under way and broken ones included.
    pub fn files(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let mut folders = vec![self.dir.path().join("archive")];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).expect("readable") {
                let path = entry.expect("entry").path();
                if path.is_dir() { folders.push(path) } else { found.push(path) }
            }
        }
        found
    }

    /// Returns once a download under way has written so many bytes.
    pub fn await_bytes(&self, bytes: u64) {
        let written = |path: &PathBuf| fs::metadata(path).is_ok_and(|found| found.len() >= bytes);
        while !self.files().iter().any(written) {
            std::thread::yield_now();
        }
    }
}
