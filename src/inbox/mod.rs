//! Inbox: where files come from. An SFTP folder or a local one by the same path: list, choose, look twice, download whole or not at all.
//!
//! One run does, feeds side by side: `Connection::open`, `list`; for each of them `complete::judge` with what the store knows of earlier looks,
//! wait once, look and `judge` again, `bring` what is ready into the `Archive`; once the store has it, `put_away`.
//! `outgoing` is the same places the other way: what is pushed into a folder.
//! `ssh2` types stay in `sftp.rs` and `sftp/`. Knows nothing of rows, schemes or the store: what was seen before is passed in.

pub mod archive;
mod away;
mod cancel;
pub mod complete;
mod connection;
mod contact;
mod fault;
mod folder;
mod intake;
pub mod outgoing;
mod partial;
pub mod pattern;
mod secret;
mod sftp;
mod sieve;

pub use archive::Archive;
pub use away::{After, Away, Taken};
pub use cancel::{Cancel, Limited, Woken};
pub use connection::Connection;
pub use contact::side_by_side;
pub use fault::InboxFault;
pub use outgoing::{Content, Ground, Outgoing, Outlet, Pushed};
pub use secret::Unsafe;
pub use sftp::libssh2_version;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

/// Where a feed's files are and how to get at them.
#[derive(Debug, Clone, PartialEq)]
pub struct Source {
    /// feed name, for messages
    pub feed: String,
    /// folder
    pub place: Place,
    /// which names are its files
    pub pattern: pattern::Pattern,
    /// how a file is known to be complete
    pub complete: Complete,
    /// largest download; larger ones are refused by name
    pub max_bytes: u64,
    /// name of the file with control totals that comes beside each file, `{name}` being that file's name
    pub sidecar: Option<String>,
    /// what becomes of a file once the store has it
    pub after: After,
}

/// Local or remote.
#[derive(Debug, Clone, PartialEq)]
pub enum Place {
    /// `file:drop/north`, made absolute
    Folder(PathBuf),
    /// `sftp://user@host:port/path`
    Sftp(Box<Sftp>),
}

/// `sftp://` and `[feed.ssh]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Sftp {
    /// host name or address
    pub host: String,
    /// 22
    pub port: u16,
    /// login name
    pub user: String,
    /// remote folder
    pub folder: String,
    /// at least one
    pub host_keys: Vec<HostKey>,
    /// how to log in
    pub login: Login,
    /// for TCP and the handshake
    pub connect_timeout: Duration,
    /// without a byte
    pub idle_timeout: Duration,
    /// for one file
    pub file_deadline: Duration,
    /// for all that one run does at the feed
    pub run_deadline: Duration,
    /// after what may pass
    pub retries: u32,
    /// bytes asked for at once
    pub read_buffer: usize,
    /// connections at work at once, at most
    pub connections: usize,
}

impl Sftp {
    /// Connections that the server may get of us at once; at least one. A small `read_buffer` says that it is a fragile one.
    pub fn at_once(&self) -> usize {
        if self.read_buffer >= sftp::ROBUST { self.connections.max(1) } else { 1 }
    }
}

/// A pinned host key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HostKey {
    /// `SHA256:` and base64 of the key's SHA-256
    Fingerprint(String),
    /// `known_hosts` file
    KnownHosts(PathBuf),
}

/// How to log in; secrets are read from files when needed and never printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Login {
    /// OpenSSH private key
    PrivateKey {
        /// key file
        path: PathBuf,
        /// file with its passphrase
        passphrase_file: Option<PathBuf>,
    },
    /// file with the password
    PasswordFile(PathBuf),
    /// ssh-agent
    Agent,
}

impl Login {
    /// The files that hold its secrets, by the setting that names each, with what makes one unsafe. None is read.
    pub fn secrets(&self) -> Vec<(&'static str, &std::path::Path, Result<(), Unsafe>)> {
        let files: Vec<(&'static str, &PathBuf)> = match self {
            Login::PrivateKey { path, passphrase_file } => {
                let passphrase = passphrase_file.as_ref().map(|file| ("passphrase_file", file));
                [Some(("private_key", path)), passphrase].into_iter().flatten().collect()
            }
            Login::PasswordFile(path) => vec![("password_file", path)],
            Login::Agent => Vec::new(),
        };
        let checked = |(key, path): (&'static str, &'_ PathBuf)| secret::check(secret::Named { key, path });
        files.into_iter().map(|(key, path)| (key, path.as_path(), checked((key, path)))).collect()
    }
}

/// How a file is known to be complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Complete {
    /// size and mtime unchanged between two looks so far apart on our clock
    Stable {
        /// `settle_seconds`
        settle: Duration,
    },
    /// `NAME.done` beside it
    Marker,
}

/// A name in a listing that can be a file of the feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// one plain path component
    pub name: String,
    /// bytes
    pub size: u64,
    /// nanoseconds since the epoch, if the server tells (servers tell whole seconds)
    pub mtime: Option<i64>,
    /// period, part and distributor that its name carries
    pub named: pattern::Named,
}

impl Candidate {
    /// Its mtime in whole seconds, by which files are put in order.
    pub fn mtime_seconds(&self) -> Option<i64> {
        self.mtime.map(|nanoseconds| nanoseconds.div_euclid(1_000_000_000))
    }
}

/// A name that was passed over and should be reported: a symlink, a hostile name, a folder named like a file, too large.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passed {
    /// the name, made printable
    pub name: String,
    /// why, in the reader's words
    pub why: String,
}

/// What a connection rests on: the host key that was shown, and the algorithms that both sides agreed on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agreed {
    /// `SHA256:...`
    pub fingerprint: String,
    /// `ssh-ed25519`
    pub host_key: String,
    /// key exchange
    pub key_exchange: String,
    /// of both directions, where they differ
    pub cipher: String,
    /// likewise; that of the cipher, where it authenticates by itself
    pub mac: String,
}

/// One look at a feed's folder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// in order of mtime, then name
    pub files: Vec<Candidate>,
    /// reported
    pub passed: Vec<Passed>,
    /// names of which `NAME.done` was seen
    pub markers: BTreeSet<String>,
    /// control totals by the name of the file that they are of; `None` where the feed has none
    pub sidecars: Option<BTreeMap<String, Candidate>>,
}

/// A file that a run wants, and the control totals that came beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// the file, as it was listed
    pub file: Candidate,
    /// its control totals
    pub sidecar: Option<Candidate>,
}

/// What was wanted, whole in the archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Brought {
    /// the file
    pub file: Archived,
    /// its control totals
    pub sidecar: Option<Archived>,
}

/// A file whole in the archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Archived {
    /// lower-case hex
    pub sha256: String,
    /// bytes as stored (packed)
    pub size: u64,
    /// where
    pub path: PathBuf,
}
