//! One connection to a server: dialled, its host key compared, logged in, its SFTP part begun; and what went wrong with it,
//! in words.

use super::dial::{dial, seconds};
use super::login::{self, Door};
use super::offers::{self, Offer};
use super::pins::{self, Pins, Verdict};
use super::watchdog::{Bark, Limits, Watchdog};
use crate::inbox::sieve::printable;
use crate::inbox::{Agreed, Cancel, InboxFault, Sftp};
use ssh2::{ErrorCode, MethodType, Session};
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// What libssh2 may take by itself: only a second line of defence behind the watchdog.
const SLACK: Duration = Duration::from_secs(30);

/// How long a farewell may take.
const FAREWELL: Duration = Duration::from_secs(2);

/// The one that costs least first: libssh2 has AES from OpenSSL and a ChaCha20 of its own, and the server's share counts too.
/// Measured for 226 MB on loopback: aes128-gcm 0.62 s of our processor and 0.40 s of the server's, chacha20 0.77 and 0.60.
const CIPHERS: &str = "aes128-gcm@openssh.com,aes256-gcm@openssh.com,chacha20-poly1305@openssh.com,aes128-ctr,aes256-ctr,\
                       aes192-ctr,aes256-cbc,aes192-cbc,aes128-cbc";

/// A connection that is logged in.
pub(super) struct Wire {
    // dropped in this order: the SFTP part says goodbye, then the session, then nobody watches any more
    pub sftp: Option<ssh2::Sftp>,
    session: Session,
    pub dog: Watchdog,
    at: String,
    /// an answer did not fit what was asked
    puzzled: AtomicBool,
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Wire({})", self.at)
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        let limits = Limits { idle: FAREWELL, total: FAREWELL, setting: ("farewell", FAREWELL) };
        let watching = self.dog.begin(limits);
        self.sftp = None;
        let _ = self.session.disconnect(None, "done", None);
        drop(watching);
        self.dog.shut();
    }
}

/// A connection with its keys exchanged, and who the server says it is.
struct Greeted {
    session: Session,
    dog: Watchdog,
    key: Vec<u8>,
}

/// Why keys were not exchanged.
enum NoKeys {
    /// in general
    Fault(InboxFault),
    /// the server can show none of the keys asked for
    NoSuchHostKey,
}

impl From<InboxFault> for NoKeys {
    fn from(fault: InboxFault) -> NoKeys {
        NoKeys::Fault(fault)
    }
}

impl Wire {
    /// Connects and logs in. `methods` are the ways to show a host key that worked last time; they are narrowed to
    /// those of the key found.
    pub(super) fn open(
        settings: &Sftp,
        cancel: &Cancel,
        methods: &mut Option<Vec<&'static str>>,
    ) -> Result<Wire, InboxFault> {
        let at = format!("{}:{}", settings.host, settings.port);
        let pins = Pins::read(&settings.host_keys, &settings.host, settings.port)?;
        let asked = methods.clone().unwrap_or_else(|| pins.methods());
        let Greeted { session, dog, key } = pinned(settings, cancel, &pins, asked, &at)?;
        *methods = Some(pins::methods_of(pins::key_type(&key)));
        let mut wire = Wire { sftp: None, session, dog, at, puzzled: AtomicBool::new(false) };
        wire.log_in(settings)?;
        Ok(wire)
    }

    fn log_in(&mut self, settings: &Sftp) -> Result<(), InboxFault> {
        let limit = settings.idle_timeout;
        let limits = Limits { idle: limit, total: limit, setting: ("idle_timeout", limit) };
        let watching = self.dog.begin(limits);
        let door = Door { user: &settings.user, at: &self.at };
        login::log_in(&self.session, door, &settings.login).map_err(|fault| match self.dog.bark() {
            Some(bark) => barked(bark, &self.at, "logging in"),
            None => fault,
        })?;
        let sftp = self.session.sftp().map_err(|e| self.no_sftp(settings, &e))?;
        drop(watching);
        self.sftp = Some(sftp);
        Ok(())
    }

    /// libssh2 speaks of a timeout whatever happened: where the connection still takes another channel, it is the
    /// server that has no SFTP for this user.
    fn no_sftp(&self, settings: &Sftp, error: &ssh2::Error) -> InboxFault {
        if self.session.channel_session().is_err() {
            return self.fault("beginning SFTP", error);
        }
        InboxFault::Limit(format!(
            "{} lets {} log in but has no SFTP for this user; enable it on the server",
            self.at, settings.user
        ))
    }

    /// What an error of libssh2 means while `doing` something that has no better word for it.
    pub(super) fn fault(&self, doing: &str, error: &ssh2::Error) -> InboxFault {
        self.fault_saying(doing, error.message())
    }

    /// Likewise, of an error that has lost its code.
    pub(super) fn fault_saying(&self, doing: &str, message: &str) -> InboxFault {
        match self.dog.bark() {
            Some(bark) => barked(bark, &self.at, doing),
            // what libssh2 has no word for is an answer that does not fit what it has asked
            None if message == "unknown error" => {
                self.puzzled.store(true, Ordering::Relaxed);
                let why = "the server's answers do not fit what it was asked";
                InboxFault::Temporary(format!("{}, {doing}: {why}", self.at))
            }
            None => InboxFault::Temporary(format!("{}, {doing}: {message}", self.at)),
        }
    }

    /// The host key and the algorithms of this connection.
    pub(super) fn agreed(&self) -> Agreed {
        let of = |method| self.session.methods(method).unwrap_or("unknown").to_owned();
        let both = |ours, theirs| {
            let (ours, theirs) = (of(ours), of(theirs));
            if ours == theirs { ours } else { format!("{ours} and {theirs}") }
        };
        let key = self.session.host_key().map(|(key, _)| pins::fingerprint(key));
        let cipher = both(MethodType::CryptCs, MethodType::CryptSc);
        let sealed = cipher.contains("gcm") || cipher.contains("poly1305");
        Agreed {
            fingerprint: key.unwrap_or_default(),
            host_key: of(MethodType::HostKey),
            key_exchange: of(MethodType::Kex),
            mac: if sealed {
                "that of the cipher".to_owned()
            } else {
                both(MethodType::MacCs, MethodType::MacSc)
            },
            cipher,
        }
    }

    /// Whether an answer did not fit what was asked.
    pub(super) fn puzzled(&self) -> bool {
        self.puzzled.load(Ordering::Relaxed)
    }

    /// Whether trying again would only take as long again.
    pub(super) fn past_deadline(&self) -> bool {
        matches!(self.dog.bark(), Some(Bark::Total(_)))
    }

    /// Says farewell and waits for no answer; nothing can be asked after it.
    pub(super) fn hang_up(&self) {
        let _ = self.session.disconnect(None, "done", None);
        self.dog.shut();
    }

    /// Leaves without a word: for a connection that is broken or in the middle of something.
    pub(super) fn cut(self) {
        self.dog.shut();
    }
}

fn barked(bark: Bark, at: &str, doing: &str) -> InboxFault {
    match bark {
        Bark::Stopped => InboxFault::Stopped,
        Bark::Idle(limit) => InboxFault::Temporary(format!(
            "{at}, {doing}: nothing came for {} (idle_timeout)",
            seconds(limit)
        )),
        Bark::Total((setting, limit)) => {
            InboxFault::Temporary(format!("{at}, {doing}: not done after {} ({setting})", seconds(limit)))
        }
    }
}

/// A connection whose server shows a pinned key. Which type of key a fingerprint belongs to cannot be seen from it, so a server
/// with several keys is asked for one after the other; nothing is said to it before one of them is right.
fn pinned(
    settings: &Sftp,
    cancel: &Cancel,
    pins: &Pins,
    mut methods: Vec<&'static str>,
    at: &str,
) -> Result<Greeted, InboxFault> {
    let mut shown = Vec::new();
    while !methods.is_empty() {
        let greeted = match greet(settings, cancel, &methods, at) {
            Ok(greeted) => greeted,
            Err(NoKeys::Fault(InboxFault::Stopped)) => return Err(InboxFault::Stopped),
            Err(NoKeys::Fault(fault)) if shown.is_empty() => return Err(fault),
            Err(NoKeys::Fault(_)) => break,
            Err(NoKeys::NoSuchHostKey) if shown.is_empty() => {
                shown.extend(whatever_is_shown(settings, cancel, at));
                break;
            }
            Err(NoKeys::NoSuchHostKey) => break,
        };
        let (print, key_type) = (pins::fingerprint(&greeted.key), pins::key_type(&greeted.key).to_owned());
        match pins.verdict(&greeted.key) {
            Verdict::Pinned => return Ok(greeted),
            Verdict::Revoked => {
                return Err(InboxFault::Refused(format!(
                    "the host key of {at}, {print}, is revoked in known_hosts"
                )));
            }
            Verdict::Unknown => {}
        }
        methods.retain(|method| !pins::methods_of(&key_type).contains(method));
        shown.push(format!("{print} ({key_type})"));
        greeted.dog.shut();
    }
    Err(InboxFault::Refused(other_key(at, pins.wanted(), &shown)))
}

fn other_key(at: &str, wanted: Option<String>, shown: &[String]) -> String {
    let shown = if shown.is_empty() { "none that we can read".to_owned() } else { shown.join(", ") };
    match wanted {
        Some(wanted) => format!(
            "the host key of {at} is not the pinned one: pinned {wanted}, shown {shown}; \
             nothing was sent to it; ask its operators whether the key was changed before you change host_key"
        ),
        None => format!(
            "known_hosts has no key of {at}; it shows {shown}; ask its operators whether that is theirs before you add it"
        ),
    }
}

/// The key of a server that has none of those pinned, for the message.
fn whatever_is_shown(settings: &Sftp, cancel: &Cancel, at: &str) -> Option<String> {
    let greeted = greet(settings, cancel, &Pins::default().methods(), at).ok()?;
    greeted.dog.shut();
    Some(format!("{} ({})", pins::fingerprint(&greeted.key), pins::key_type(&greeted.key)))
}

/// Dials and exchanges keys.
fn greet(settings: &Sftp, cancel: &Cancel, methods: &[&str], at: &str) -> Result<Greeted, NoKeys> {
    let until = Instant::now() + settings.connect_timeout;
    let tcp = dial(&settings.host, settings.port, settings.connect_timeout, cancel)?;
    let own = |e: std::io::Error| InboxFault::Temporary(format!("cannot watch the connection to {at}: {e}"));
    let dog = Watchdog::over(&tcp, cancel).map_err(own)?;
    let left = until.saturating_duration_since(Instant::now());
    let watching =
        dog.begin(Limits { idle: left, total: left, setting: ("connect_timeout", settings.connect_timeout) });
    let mut session = new_session(settings, methods, at)?;
    session.set_tcp_stream(tcp);
    let done = session.handshake();
    drop(watching);
    if let Err(error) = done {
        if let Some(bark) = dog.bark() {
            return Err(barked(bark, at, "greeting").into());
        }
        dog.shut();
        return Err(no_keys(settings, cancel, &session, &error, methods, at));
    }
    let key = session.host_key().map(|(key, _)| key.to_vec());
    let key = key.ok_or_else(|| InboxFault::Temporary(format!("{at} showed no host key")))?;
    Ok(Greeted { session, dog, key })
}

fn new_session(settings: &Sftp, methods: &[&str], at: &str) -> Result<Session, InboxFault> {
    let own = |e: ssh2::Error| InboxFault::Temporary(format!("cannot begin SSH to {at}: {}", e.message()));
    let session = Session::new().map_err(own)?;
    session.method_pref(MethodType::HostKey, &methods.join(",")).map_err(own)?;
    for direction in [MethodType::CryptCs, MethodType::CryptSc] {
        session.method_pref(direction, CIPHERS).map_err(own)?;
    }
    let slack = settings.idle_timeout.max(settings.connect_timeout) + SLACK;
    session.set_timeout(u32::try_from(slack.as_millis()).unwrap_or(u32::MAX));
    Ok(session)
}

/// Why a handshake failed: a connection that broke may be tried again, families of algorithms that the two do not
/// share are named.
fn no_keys(
    settings: &Sftp,
    cancel: &Cancel,
    session: &Session,
    error: &ssh2::Error,
    methods: &[&str],
    at: &str,
) -> NoKeys {
    let passing = || InboxFault::Temporary(format!("{at}, greeting: {}", error.message()));
    let may_be_algorithms = matches!(
        error.code(),
        ErrorCode::Session(
            libssh2_sys::LIBSSH2_ERROR_KEX_FAILURE
                | libssh2_sys::LIBSSH2_ERROR_KEY_EXCHANGE_FAILURE
                | libssh2_sys::LIBSSH2_ERROR_METHOD_NONE
                | libssh2_sys::LIBSSH2_ERROR_HOSTKEY_INIT
                | libssh2_sys::LIBSSH2_ERROR_SOCKET_DISCONNECT
        )
    );
    if !may_be_algorithms {
        return passing().into();
    }
    let missing = servers_offer(settings, cancel)
        .map(|theirs| Offer::missing(&theirs, &ours(session, methods)))
        .unwrap_or_default();
    match missing.as_slice() {
        [] => passing().into(),
        [only] if only.what == "host key" => NoKeys::NoSuchHostKey,
        several => {
            let families: Vec<String> = several
                .iter()
                .map(|m| {
                    format!(
                        "{}: the server offers {}, we offer {}",
                        m.what,
                        printable(m.theirs.as_bytes()),
                        m.ours
                    )
                })
                .collect();
            InboxFault::Limit(format!(
                "{at} and we have no algorithm in common ({}); the server needs newer ones: SHA-1 is not taken",
                families.join("; ")
            ))
            .into()
        }
    }
}

/// Of a connection of its own, within the time for connecting.
fn servers_offer(settings: &Sftp, cancel: &Cancel) -> Option<Offer> {
    let limit = settings.connect_timeout;
    let tcp = dial(&settings.host, settings.port, limit, cancel).ok()?;
    let dog = Watchdog::over(&tcp, cancel).ok()?;
    let _watching = dog.begin(Limits { idle: limit, total: limit, setting: ("connect_timeout", limit) });
    offers::of_server(tcp).ok()
}

fn ours(session: &Session, methods: &[&str]) -> Offer {
    let offered = |family| -> Vec<String> {
        session.supported_algs(family).unwrap_or_default().into_iter().map(str::to_owned).collect()
    };
    Offer {
        key_exchange: offered(MethodType::Kex).into_iter().filter(|n| !n.starts_with("ext-info")).collect(),
        host_key: methods.iter().map(|&m| m.to_owned()).collect(),
        cipher: CIPHERS.split(',').map(str::to_owned).collect(),
        mac: offered(MethodType::MacCs),
    }
}
