//! Logging in, once the host key is the pinned one: private key, password file, agent. Secrets are read from their files
//! when they are needed; they are in no message.

use crate::inbox::secret::{Named, Secret};
use crate::inbox::sieve::printable;
use crate::inbox::{InboxFault, Login};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ssh2::{ErrorCode, KeyboardInteractivePrompt, Prompt, Session};
use std::io::Read;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

/// Who logs in where, for messages.
#[derive(Debug, Clone, Copy)]
pub(super) struct Door<'a> {
    pub user: &'a str,
    /// `host:port`
    pub at: &'a str,
}

impl Door<'_> {
    fn refuses(&self, what: &str, why: &str) -> InboxFault {
        let Door { user, at } = self;
        InboxFault::Refused(format!("{at} refuses the login of {user} with {what}: {why}"))
    }

    /// A connection that broke may be made again; anything else is an answer.
    fn fault(&self, what: &str, error: &ssh2::Error) -> InboxFault {
        if lost(error) {
            InboxFault::Temporary(format!(
                "connection to {} lost while logging in: {}",
                self.at,
                error.message()
            ))
        } else {
            self.refuses(what, error.message())
        }
    }
}

/// Whether the connection broke. A server that hangs up while we wait for its answer is reported by libssh2 as a refusal.
fn lost(error: &ssh2::Error) -> bool {
    match error.code() {
        ErrorCode::Session(
            libssh2_sys::LIBSSH2_ERROR_SOCKET_SEND
            | libssh2_sys::LIBSSH2_ERROR_SOCKET_RECV
            | libssh2_sys::LIBSSH2_ERROR_SOCKET_DISCONNECT
            | libssh2_sys::LIBSSH2_ERROR_SOCKET_TIMEOUT
            | libssh2_sys::LIBSSH2_ERROR_TIMEOUT,
        ) => true,
        ErrorCode::Session(_) | ErrorCode::SFTP(_) => error.message().starts_with("Waiting for"),
    }
}

/// Logs in.
pub(super) fn log_in(session: &Session, door: Door<'_>, login: &Login) -> Result<(), InboxFault> {
    match login {
        Login::PrivateKey { path, passphrase_file } => {
            with_key(session, door, path, passphrase_file.as_deref())
        }
        Login::PasswordFile(path) => with_password(session, door, path),
        Login::Agent => with_agent(session, door),
    }
}

/// `publickey,password`: what the server says it takes. ssh2 panics where that is not UTF-8.
fn methods(session: &Session, door: Door<'_>) -> Result<String, InboxFault> {
    let asked = catch_unwind(AssertUnwindSafe(|| session.auth_methods(door.user).map(str::to_owned)));
    match asked {
        Ok(Ok(methods)) => Ok(printable(methods.as_bytes())),
        Ok(Err(error)) => Err(door.fault("any method", &error)),
        Err(_) => Err(door.refuses("any method", "what it takes is not text")),
    }
}

fn takes(methods: &str, method: &str) -> bool {
    methods.split(',').any(|m| m == method)
}

/// A key was refused: because the server takes no keys at all, or not this one.
fn no_such_key(session: &Session, door: Door<'_>, what: &str, why: &str) -> InboxFault {
    match methods(session, door) {
        Ok(methods) if !takes(&methods, "publickey") => only(door, &methods, what),
        Ok(_) | Err(_) => door.refuses(what, why),
    }
}

fn only(door: Door<'_>, methods: &str, what: &str) -> InboxFault {
    door.refuses(what, &format!("the server takes {methods} only; give the feed one of these"))
}

fn with_key(
    session: &Session,
    door: Door<'_>,
    path: &Path,
    passphrase_file: Option<&Path>,
) -> Result<(), InboxFault> {
    let what = format!("private key {}", path.display());
    let key = Secret::read(Named { key: "private_key", path });
    let key = key.map_err(|fault| public_half(path).unwrap_or_else(|| fault.into()))?;
    let key = key.text();
    let named = passphrase_file.map(|path| Named { key: "passphrase_file", path });
    let passphrase = named.map(|named| Ok::<_, InboxFault>((Secret::read(named)?, named))).transpose()?;
    let passphrase = passphrase.as_ref().map(|(secret, named)| secret.line(*named)).transpose()?;
    check_key(key, path, passphrase_file)?;
    session.userauth_pubkey_memory(door.user, None, key, passphrase).map_err(|error| {
        match error.code() {
            // libssh2 says "unsupported format" of both
            ErrorCode::Session(
                libssh2_sys::LIBSSH2_ERROR_FILE | libssh2_sys::LIBSSH2_ERROR_METHOD_NOT_SUPPORTED,
            ) => InboxFault::Refused(unreadable(key, path, passphrase_file)),
            ErrorCode::Session(_) | ErrorCode::SFTP(_) if lost(&error) => door.fault(&what, &error),
            ErrorCode::Session(_) | ErrorCode::SFTP(_) => {
                let why =
                    "the key is not among those authorised for this user; add its public half on the server";
                no_such_key(session, door, &what, why)
            }
        }
    })
}

/// A public key, which anybody may read: not its mode is the mistake.
fn public_half(path: &Path) -> Option<InboxFault> {
    let mut head = [0; 6];
    std::fs::File::open(path).ok()?.read_exact(&mut head).ok()?;
    is_public(&head).then(|| other_half(path, "a public key"))
}

fn is_public(key: &[u8]) -> bool {
    key.starts_with(b"ssh-") || key.starts_with(b"ecdsa-")
}

fn other_half(path: &Path, holds: &str) -> InboxFault {
    let path = path.display();
    InboxFault::Refused(format!(
        "private_key {path} holds {holds}; it must be the private half, as ssh-keygen writes it"
    ))
}

/// What is plainly wrong with a key before it is tried.
fn check_key(key: &str, path: &Path, passphrase_file: Option<&Path>) -> Result<(), InboxFault> {
    if !key.contains("PRIVATE KEY-----") {
        return Err(other_half(path, if is_public(key.as_bytes()) { "a public key" } else { "no key" }));
    }
    let path = path.display();
    if is_encrypted(key) && passphrase_file.is_none() {
        return Err(InboxFault::Refused(format!(
            "private_key {path} needs a passphrase; set passphrase_file"
        )));
    }
    Ok(())
}

/// libssh2 could not read the key: what it really is.
fn unreadable(key: &str, path: &Path, passphrase_file: Option<&Path>) -> String {
    match passphrase_file {
        Some(file) if is_encrypted(key) => {
            format!("the passphrase in {} does not open private_key {}", file.display(), path.display())
        }
        Some(_) | None => format!(
            "private_key {} cannot be read; it must be an ed25519, ECDSA or RSA key as ssh-keygen writes it",
            path.display()
        ),
    }
}

/// Characters of base64 that hold the mark of OpenSSH's own form and the longest name of a cipher.
const HEAD: usize = 68;

/// Whether a private key asks for a passphrase: PEM says so in its head, OpenSSH's own form names a cipher.
fn is_encrypted(key: &str) -> bool {
    if key.contains("BEGIN ENCRYPTED PRIVATE KEY") || key.contains("Proc-Type: 4,ENCRYPTED") {
        return true;
    }
    // its head alone, in which nothing is secret: what is decoded is not overwritten
    let body = key.lines().filter(|line| !line.starts_with("-----")).flat_map(|line| line.trim().chars());
    let Ok(bytes) = STANDARD.decode(body.take(HEAD).collect::<String>()) else {
        return false;
    };
    let cipher = bytes
        .strip_prefix(b"openssh-key-v1\0")
        .and_then(|rest| rest.split_first_chunk::<4>())
        .and_then(|(length, rest)| rest.get(..u32::from_be_bytes(*length) as usize));
    cipher.is_some_and(|name| name != b"none")
}

fn with_password(session: &Session, door: Door<'_>, path: &Path) -> Result<(), InboxFault> {
    let what = format!("the password in {}", path.display());
    let named = Named { key: "password_file", path };
    let secret = Secret::read(named)?;
    let password = secret.line(named)?;
    let methods = methods(session, door)?;
    let mut refused = None;
    if takes(&methods, "password") {
        match session.userauth_password(door.user, password) {
            Ok(()) => return Ok(()),
            Err(error) if lost(&error) => return Err(door.fault(&what, &error)),
            Err(error) => refused = Some(error),
        }
    }
    if takes(&methods, "keyboard-interactive") {
        let mut answers = Answers { password };
        match session.userauth_keyboard_interactive(door.user, &mut answers) {
            Ok(()) => return Ok(()),
            // a server may hang up after too many refusals: the first one stands
            Err(error) if lost(&error) && refused.is_none() => return Err(door.fault(&what, &error)),
            Err(error) => refused = refused.or(Some(error)),
        }
    }
    Err(match refused {
        Some(error) if expired(&error) => {
            door.refuses(&what, "the password has expired; change it on the server")
        }
        Some(_) => door.refuses(&what, "the user name or the password is wrong"),
        // a server that asks for nothing has let us in already
        None if session.authenticated() => return Ok(()),
        None => only(door, &methods, &what),
    })
}

fn expired(error: &ssh2::Error) -> bool {
    error.code() == ErrorCode::Session(libssh2_sys::LIBSSH2_ERROR_PASSWORD_EXPIRED)
}

/// Answers whatever is asked with the password: servers word and flag the one question as they like.
struct Answers<'p> {
    password: &'p str,
}

impl KeyboardInteractivePrompt for Answers<'_> {
    fn prompt<'a>(&mut self, _user: &str, _instructions: &str, prompts: &[Prompt<'a>]) -> Vec<String> {
        prompts.iter().map(|_| self.password.to_owned()).collect()
    }
}

fn with_agent(session: &Session, door: Door<'_>) -> Result<(), InboxFault> {
    let unreachable = |e: ssh2::Error| {
        InboxFault::Refused(format!("no ssh-agent answers: {}; start one and set SSH_AUTH_SOCK", e.message()))
    };
    let mut agent = session.agent().map_err(unreachable)?;
    agent.connect().map_err(unreachable)?;
    agent.list_identities().map_err(unreachable)?;
    let keys = agent.identities().map_err(unreachable)?;
    for key in &keys {
        match agent.userauth(door.user, key) {
            Ok(()) => return Ok(()),
            Err(error) if lost(&error) => return Err(door.fault("ssh-agent", &error)),
            Err(_) => {}
        }
    }
    let why = match keys.len() {
        0 => "it holds no key; add one with ssh-add".to_owned(),
        n => format!("none of its {n} keys is authorised for this user"),
    };
    Err(no_such_key(session, door, "ssh-agent", &why))
}
