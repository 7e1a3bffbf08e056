//! A feed's folder on an SFTP server, by ssh2. A lost connection is made anew and what may pass is tried again; a refusal never.

mod crew;
mod dial;
mod download;
mod login;
mod offers;
mod pins;
mod several;
mod sharing;
mod shelf;
mod upload;
mod watchdog;
mod wire;

use super::sieve::{self, Facts, Nature, Sort};
use super::{Agreed, Archive, Archived, Cancel, Candidate, InboxFault, Listing, Sftp, Source};
use crew::Crew;
pub(super) use sharing::ROBUST;
use ssh2::{ErrorCode, FileStat};
use std::collections::BTreeMap;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use watchdog::{Limits, Watching};
use wire::Wire;

/// More names than any folder should have; a server that never ends its list must not fill our memory.
const MOST_NAMES: usize = 2_000_000;

/// First pause before trying again; doubled each time, up to the longest.
const PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Bytes read at once from a server that gives less than it is asked for: first these, then those. What libssh2 then asks for is one
/// request of four times as much, which is either granted whole or no more than the buffer, whatever the server's limit.
const FEW: [usize; 2] = [1024, 256];

/// Files up to this size are asked for whole by the first request; those ahead are all beyond the end.
const SMALL: u64 = 30_000;

/// A folder on a server, logged in.
#[derive(Debug)]
pub struct Remote {
    source: Source,
    settings: Sftp,
    cancel: Cancel,
    wire: Option<Wire>,
    /// ways to show a host key that worked
    methods: Option<Vec<&'static str>>,
    /// further connections that may help
    crew: Arc<Crew>,
    /// how long logging in took
    login: Duration,
    /// whether the server tells no more of a name by itself than in a list
    terse: AtomicBool,
    /// when this run is through with the feed, done or not
    until: Instant,
    /// folders that files are pushed into
    footing: Mutex<BTreeMap<String, Footing>>,
}

/// What is known of a folder that files are pushed into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Footing {
    /// it was made over this connection: nothing stands in it but what was put there
    Fresh,
    /// it is there
    Old,
}

/// What another try would be worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Prospect {
    /// it may work
    Fair,
    /// it would only take as long again
    Hopeless,
    /// the connection was kept and had been ended meanwhile, as servers do with idle ones: a fresh one is no second try
    Stale,
    /// in another way, from now on
    Otherwise,
}

impl Remote {
    pub(super) fn open(source: &Source, settings: &Sftp, cancel: &Cancel) -> Result<Remote, InboxFault> {
        let mut remote = Remote {
            source: source.clone(),
            settings: settings.clone(),
            cancel: cancel.clone(),
            wire: None,
            methods: None,
            crew: Crew::of(settings),
            login: Duration::ZERO,
            terse: AtomicBool::new(false),
            until: Instant::now() + settings.run_deadline,
            footing: Mutex::default(),
        };
        remote.trying(|_, _| Ok(()))?;
        Ok(remote)
    }

    pub(super) fn agreed(&self) -> Option<Agreed> {
        self.wire.as_ref().map(Wire::agreed)
    }

    pub(super) fn list(&mut self) -> Result<Listing, InboxFault> {
        self.trying(|remote, wire| Folder { remote, wire }.list())
    }

    pub(super) fn look(&mut self, name: &str) -> Result<Option<Candidate>, InboxFault> {
        self.trying(|remote, wire| Folder { remote, wire }.look(name))
    }

    pub(super) fn fetch(&mut self, file: &Candidate, archive: &Archive) -> Result<Archived, InboxFault> {
        loop {
            let fetched = self.trying(|remote, wire| Folder { remote, wire }.fetch(file, archive));
            match fetched {
                // a small file ends at once where more than it has was asked for ahead
                Err(InboxFault::Changed(_)) if file.size <= SMALL && self.still(file) && self.ask_less() => {}
                other => return other,
            }
        }
    }

    fn still(&mut self, file: &Candidate) -> bool {
        self.look(&file.name).is_ok_and(|now| now.as_ref() == Some(file))
    }

    /// Asks for less at once from now on, unless it is little already. Some servers give less of a file than they are asked for, which
    /// libssh2 takes only of the last answer that it waits for: it asks for four buffers ahead, and with small ones that is one request.
    fn ask_less(&mut self) -> bool {
        let Some(less) = FEW.into_iter().find(|few| *few < self.settings.read_buffer) else { return false };
        self.settings.read_buffer = less;
        tracing::info!(feed = %self.source.feed, bytes = less, "the server gives less than it is asked for: reads in small pieces");
        true
    }

    /// Does something over a connection, made anew where it is lost, `retries` times with growing pauses.
    fn trying<T>(
        &mut self,
        mut act: impl FnMut(&Remote, &Wire) -> Result<T, InboxFault>,
    ) -> Result<T, InboxFault> {
        let mut tried = 0;
        loop {
            let (outcome, prospect) = self.once(&mut act);
            match outcome {
                Err(InboxFault::Temporary(_))
                    if matches!(prospect, Prospect::Stale | Prospect::Otherwise) =>
                {
                    continue;
                }
                Err(InboxFault::Temporary(why))
                    if prospect == Prospect::Hopeless || tried == self.settings.retries =>
                {
                    return Err(InboxFault::Temporary(match tried {
                        0 => why,
                        _ => format!("{why} (tried {} times)", tried + 1),
                    }));
                }
                Err(InboxFault::Temporary(_)) => self.pause(tried)?,
                other => return other,
            }
            tried += 1;
        }
    }

    /// One try, and what another would be worth.
    fn once<T>(
        &mut self,
        act: &mut impl FnMut(&Remote, &Wire) -> Result<T, InboxFault>,
    ) -> (Result<T, InboxFault>, Prospect) {
        if let Err(stopped) = self.cancel.check() {
            return (Err(stopped), Prospect::Hopeless);
        }
        if self.is_late() {
            return (Err(self.late()), Prospect::Hopeless);
        }
        let kept = self.wire.is_some();
        let wire = match self.wire.take() {
            Some(wire) => wire,
            None => match self.log_in() {
                Ok(wire) => wire,
                Err(fault) => return (Err(fault), Prospect::Fair),
            },
        };
        let outcome = act(self, &wire);
        let outcome = match outcome {
            Err(InboxFault::Temporary(_)) if self.is_late() => Err(self.late()),
            other => other,
        };
        let prospect = match wire.dog.moved() {
            _ if wire.past_deadline() => Prospect::Hopeless,
            _ if wire.puzzled() && self.ask_less() => Prospect::Otherwise,
            false if kept => Prospect::Stale,
            true | false => Prospect::Fair,
        };
        match &outcome {
            Ok(_) | Err(InboxFault::Changed(_) | InboxFault::Limit(_)) => self.wire = Some(wire),
            Err(
                InboxFault::Temporary(_) | InboxFault::Refused(_) | InboxFault::Disk(_) | InboxFault::Stopped,
            ) => wire.cut(),
        }
        (outcome, prospect)
    }

    fn is_late(&self) -> bool {
        Instant::now() >= self.until
    }

    fn late(&self) -> InboxFault {
        let Sftp { host, port, run_deadline, .. } = &self.settings;
        let limit = dial::seconds(*run_deadline);
        InboxFault::Temporary(format!(
            "{host}:{port}: not through with this feed after {limit} (run_deadline)"
        ))
    }

    fn log_in(&mut self) -> Result<Wire, InboxFault> {
        let began = Instant::now();
        let wire = Wire::open(&self.settings, &self.cancel, &mut self.methods)?;
        self.login = began.elapsed();
        Ok(wire)
    }

    /// Waits before the next try: doubling, with jitter so that many feeds do not come back at once.
    fn pause(&self, tried: u32) -> Result<(), InboxFault> {
        let whole = PAUSE.saturating_mul(1 << tried.min(16)).min(LONGEST_PAUSE);
        let dice = RandomState::new().build_hasher().finish() % 512;
        self.cancel.rest(whole / 2 + (whole / 1024).saturating_mul(u32::try_from(dice).unwrap_or(0)))
    }
}

/// The folder over one connection.
struct Folder<'a> {
    remote: &'a Remote,
    wire: &'a Wire,
}

impl Folder<'_> {
    fn begin(&self) -> Watching<'_> {
        let settings = &self.remote.settings;
        let left = self.remote.until.saturating_duration_since(Instant::now());
        let (total, setting) = match settings.file_deadline {
            limit if limit <= left => (limit, ("file_deadline", limit)),
            _ => (left, ("run_deadline", settings.run_deadline)),
        };
        self.wire.dog.begin(Limits { idle: settings.idle_timeout, total, setting })
    }

    fn sftp(&self) -> Result<&ssh2::Sftp, InboxFault> {
        self.wire.sftp.as_ref().ok_or_else(|| InboxFault::Temporary("the connection is closed".to_owned()))
    }

    /// A plain name in the folder; the folder may be `/` or be written with a `/` behind it.
    fn path(&self, name: &str) -> PathBuf {
        PathBuf::from(format!("{}/{name}", self.remote.settings.folder.trim_end_matches('/')))
    }

    fn list(&self) -> Result<Listing, InboxFault> {
        let watching = self.begin();
        let source = &self.remote.source;
        let mut listing = sieve::empty(source);
        for (name, stat) in self.names(&watching)? {
            match sieve::sort(source, &name) {
                Sort::Ours(name, named) => {
                    let facts = self.facts(&name, &stat)?;
                    watching.progress();
                    match sieve::candidate(source, name, named, facts) {
                        Ok(file) => listing.files.push(file),
                        Err(passed) => listing.passed.push(passed),
                    }
                }
                Sort::Sidecar { of, name } => {
                    let facts = self.facts(&name, &stat)?;
                    sieve::accompany(source, &mut listing, of, name, facts);
                }
                Sort::Marker(of) => {
                    listing.markers.insert(of);
                }
                Sort::Refused(passed) => listing.passed.push(passed),
                Sort::Other => {}
            }
        }
        Ok(sieve::in_order(listing))
    }

    /// Raw names with what `lstat` says of them.
    fn names(&self, watching: &Watching<'_>) -> Result<Vec<(Vec<u8>, FileStat)>, InboxFault> {
        let folder = &self.remote.settings.folder;
        let mut open = self.sftp()?.opendir(folder).map_err(|e| self.folder_fault(&e))?;
        watching.progress();
        let mut names = Vec::new();
        loop {
            match open.readdir() {
                Ok((name, stat)) => names.push((name.as_os_str().as_bytes().to_vec(), stat)),
                // what ssh2 itself says at the end of a list
                Err(e) if e.code() == ErrorCode::Session(libssh2_sys::LIBSSH2_ERROR_FILE) => {
                    return Ok(names);
                }
                Err(e) => return Err(self.wire.fault(&format!("listing {folder}"), &e)),
            }
            watching.progress();
            if names.len() > MOST_NAMES {
                return Err(InboxFault::Limit(format!("{folder} lists more than {MOST_NAMES} names")));
            }
        }
    }

    /// Every field is optional: a server whose list does not tell all is asked about the name itself, and one that does not even then
    /// tell what it is, whether it is a link. Its list for people is nobody's promise and is not read.
    fn facts(&self, name: &str, stat: &FileStat) -> Result<Facts, InboxFault> {
        let whole = stat.perm.is_some() && stat.size.is_some() && stat.mtime.is_some();
        let asked = match whole || self.remote.terse.load(Ordering::Relaxed) {
            true => None,
            false => self.sftp()?.lstat(&self.path(name)).ok(),
        };
        if let Some(asked) = &asked {
            // one that tells no more then is not asked again for each name
            let same = (asked.perm.is_some(), asked.size.is_some(), asked.mtime.is_some())
                == (stat.perm.is_some(), stat.size.is_some(), stat.mtime.is_some());
            self.remote.terse.store(same, Ordering::Relaxed);
        }
        let stat = asked.as_ref().unwrap_or(stat);
        let nature = match stat.perm {
            Some(_) => nature(stat),
            None if self.sftp()?.readlink(&self.path(name)).is_ok() => Nature::Symlink,
            None => Nature::File,
        };
        Ok(Facts { nature, size: stat.size, mtime: mtime(stat) })
    }

    fn look(&self, name: &str) -> Result<Option<Candidate>, InboxFault> {
        let _watching = self.begin();
        let Some((name, named)) = sieve::fetched(&self.remote.source, name.as_bytes()) else {
            return Ok(None);
        };
        match self.sftp()?.lstat(&self.path(&name)) {
            Ok(stat) => {
                let facts = self.facts(&name, &stat)?;
                Ok(sieve::candidate(&self.remote.source, name, named, facts).ok())
            }
            Err(e) if no_such(&e) => Ok(None),
            Err(e) => Err(self.wire.fault(&format!("looking at {name}"), &e)),
        }
    }

    fn file_fault(&self, file: &Candidate, doing: &str, error: &ssh2::Error) -> InboxFault {
        if no_such(error) {
            changed(file, "went away since it was listed")
        } else if denied(error) {
            let user = &self.remote.settings.user;
            InboxFault::Limit(format!(
                "{} may not be read by {user}; mend its permissions on the server",
                file.name
            ))
        } else {
            self.wire.fault(&format!("{doing} {}", file.name), error)
        }
    }

    fn folder_fault(&self, error: &ssh2::Error) -> InboxFault {
        let Sftp { folder, host, user, .. } = &self.remote.settings;
        if no_such(error) {
            InboxFault::Limit(format!("folder {folder} does not exist on {host}; mend url"))
        } else if denied(error) {
            InboxFault::Limit(format!("folder {folder} on {host} may not be read by {user}"))
        } else {
            self.wire.fault(&format!("opening {folder}"), error)
        }
    }
}

fn changed(file: &Candidate, what: &str) -> InboxFault {
    InboxFault::Changed(format!("{} {what}; left for the next run", file.name))
}

fn no_such(error: &ssh2::Error) -> bool {
    matches!(
        error.code(),
        ErrorCode::SFTP(libssh2_sys::LIBSSH2_FX_NO_SUCH_FILE | libssh2_sys::LIBSSH2_FX_NO_SUCH_PATH)
    )
}

fn denied(error: &ssh2::Error) -> bool {
    error.code() == ErrorCode::SFTP(libssh2_sys::LIBSSH2_FX_PERMISSION_DENIED)
}

/// Whether the server has answered, so that the connection is as good as before.
fn answered(error: &ssh2::Error) -> bool {
    matches!(error.code(), ErrorCode::SFTP(_))
}

fn mtime(stat: &FileStat) -> Option<i64> {
    stat.mtime.and_then(|seconds| i64::try_from(seconds).ok()?.checked_mul(1_000_000_000))
}

fn nature(stat: &FileStat) -> Nature {
    match stat.file_type() {
        ssh2::FileType::RegularFile => Nature::File,
        ssh2::FileType::Directory => Nature::Folder,
        ssh2::FileType::Symlink => Nature::Symlink,
        ssh2::FileType::NamedPipe
        | ssh2::FileType::CharDevice
        | ssh2::FileType::BlockDevice
        | ssh2::FileType::Socket
        | ssh2::FileType::Other(_) => Nature::Special,
    }
}

/// The version of libssh2 that is linked in, and of the crate that brings it, for `--version` and `doctor`.
///
/// libssh2 tells it in its greeting: it is made to greet a socket of ours.
pub fn libssh2_version() -> String {
    format!("{} (libssh2-sys {LIBSSH2_SYS})", greeting_version().unwrap_or_else(|| "unknown".to_owned()))
}

/// Held to Cargo.lock by a test.
const LIBSSH2_SYS: &str = "0.3.4";

fn greeting_version() -> Option<String> {
    let (ours, mut theirs) = std::os::unix::net::UnixStream::pair().ok()?;
    let reader = std::thread::spawn(move || {
        let mut greeting = [0; 64];
        let got = theirs.read(&mut greeting).unwrap_or(0);
        String::from_utf8_lossy(greeting.get(..got).unwrap_or_default()).into_owned()
    });
    let mut session = ssh2::Session::new().ok()?;
    session.set_tcp_stream(ours);
    // ends when the other side closes: there is no server
    let _ = session.handshake();
    let greeting = reader.join().ok()?;
    greeting.trim().strip_prefix("SSH-2.0-libssh2_").map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_the_one_linked() {
        let version = libssh2_version();
        assert!(version.starts_with("1."), "{version}");
        let lock = include_str!("../../Cargo.lock");
        assert!(
            lock.contains(&format!("name = \"libssh2-sys\"\nversion = \"{LIBSSH2_SYS}\"")),
            "mend LIBSSH2_SYS"
        );
    }
}
