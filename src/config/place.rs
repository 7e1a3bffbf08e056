//! Where a feed's files are, or a push's go: `url` and `[feed.ssh]` or `[push.ssh]` -> `inbox::Place`. Pure.

use super::paths::{self, Needed, PathFault, Scope};
use super::table::{Read, Reading, Table};
use super::values::{Wrong, flag, shown, size, some_duration, text, whole};
use crate::fault::Fault;
use crate::inbox::{HostKey, Login, Place, Sftp};
use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;
use toml::de::DeValue;

const URL_HELP: &str =
    "write url = \"sftp://user@host:22/folder\", or \"file:folder\" for a folder of this machine";

/// Keys of `[feed.ssh]`.
const SSH: [&str; 12] = [
    "host_key",
    "known_hosts",
    "private_key",
    "passphrase_file",
    "password_file",
    "agent",
    "connect_timeout",
    "idle_timeout",
    "file_deadline",
    "retries",
    "connections",
    "read_buffer",
];

/// A url, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Address {
    /// a path, as written
    Folder(String),
    Sftp(Server),
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Server {
    user: String,
    host: String,
    port: u16,
    folder: String,
}

/// Reads `url` and the login of a feed, or of a push.
pub(super) fn read(feed: &mut Table<'_>, reading: &mut Reading<'_>, scope: Scope<'_>) -> Option<Place> {
    let url = address_of(feed, reading, scope);
    let section = section(feed);
    let mut ssh = feed.table(reading, "ssh", section);
    let at = url.as_ref().map_or_else(|| feed.span.clone(), |url| url.place(feed));
    let (folder, server) = match url.map(|url| url.value) {
        Some(Address::Folder(folder)) => (Some(folder), None),
        Some(Address::Sftp(server)) => (None, Some(server)),
        None => (None, None),
    };
    match (&folder, &server) {
        (Some(_), _) => refuse_ssh(&ssh, section, reading, &at),
        (None, Some(_)) => require_ssh((feed, &ssh, section), reading, &at),
        (None, None) => {}
    }
    // its own faults are worth saying whatever the url is
    let login =
        if ssh.is_given(&SSH) { sftp(&mut ssh, reading, scope, server.unwrap_or_default()) } else { None };
    ssh.close(reading);
    match folder {
        Some(folder) => paths::plain(&folder, scope)
            .map_err(|wrong| reading.wrong("url", wrong, at))
            .ok()
            .map(Place::Folder),
        None => login.map(|sftp| Place::Sftp(Box::new(sftp))),
    }
}

/// The table with how to log in: a place is that of a feed, or of a push.
fn section(of: &Table<'_>) -> &'static str {
    if of.shown.starts_with("[[push") { "[push.ssh]" } else { "[feed.ssh]" }
}

fn refuse_ssh(ssh: &Table<'_>, section: &str, reading: &mut Reading<'_>, url: &Range<usize>) {
    if ssh.is_given(&SSH) {
        let fault = Fault::error(
            ssh.span.clone(),
            format!("{section} of a {} whose url is a folder of this machine", &section[1..5]),
            "nothing to log in to",
            format!("remove {section}, or make the url sftp://..."),
        );
        reading.faults.push(fault.and(url.clone(), "a local folder"));
    }
}

fn require_ssh(
    (feed, ssh, section): (&Table<'_>, &Table<'_>, &str),
    reading: &mut Reading<'_>,
    url: &Range<usize>,
) {
    if !ssh.is_given(&SSH) {
        reading.faults.push(Fault::error(
            url.clone(),
            format!("{} is on an SFTP server but has no {section}", feed.shown),
            "whose host key, and which login?",
            format!("add {section} with host_key and one of private_key, password_file or agent = true"),
        ));
    }
}

fn address_of(feed: &mut Table<'_>, reading: &mut Reading<'_>, scope: Scope<'_>) -> Option<Read<Address>> {
    let Some((value, at)) = feed.raw(reading, "url") else {
        feed.missing(reading, "url", URL_HELP);
        return None;
    };
    let written = text(value).map_err(|wrong| reading.wrong("url", wrong, at.clone())).ok()?;
    if password_in(&written) {
        refuse_password(section(feed), reading, at);
        return None;
    }
    let expanded = match paths::expand(&written, scope.env) {
        Ok(expanded) => expanded,
        Err(PathFault::Wrong(wrong)) => {
            reading.wrong("url", wrong, at);
            return None;
        }
        Err(PathFault::Unset(variable)) => {
            paths::refuse_unset(reading, "url", &variable, &at, Needed::Always);
            return None;
        }
    };
    if password_in(&expanded) {
        refuse_password(section(feed), reading, at);
        return None;
    }
    paths::note(reading, feed.key("url"), &written, &expanded, &at);
    match address(&expanded) {
        Ok(value) => Some(Read { value, at: Some(at) }),
        Err(wrong) => {
            reading.wrong("url", wrong, at);
            None
        }
    }
}

fn refuse_password(section: &str, reading: &mut Reading<'_>, at: Range<usize>) {
    reading.secrets.push(at.clone());
    reading.faults.push(Fault::error(
        at,
        "url holds a password",
        "secrets are never values in this file",
        format!("write the url without it, and password_file = \"PATH\" in {section}"),
    ));
}

/// `sftp://user:password@host`
fn password_in(url: &str) -> bool {
    let rest = url.split_once("://").map_or("", |(_, rest)| rest);
    let authority = rest.split('/').next().unwrap_or_default();
    authority.rsplit_once('@').is_some_and(|(user, _)| user.contains(':'))
}

fn address(url: &str) -> Result<Address, Wrong> {
    let wrong = |message: String, label: &str| Wrong::new(message, label, URL_HELP);
    let Some((scheme, rest)) = url.split_once(':') else {
        let help =
            format!("write \"file:{url}\" for a folder of this machine, or \"sftp://user@host:22/folder\"");
        return Err(Wrong::new(
            format!("must begin with sftp:// or file:, found {url:?}"),
            "which of them?",
            help,
        ));
    };
    match scheme.to_lowercase().as_str() {
        "file" => local(rest)
            .ok_or_else(|| wrong(format!("names no folder of this machine: {url:?}"), "which folder?")),
        "sftp" => remote(rest).map_err(|message| wrong(format!("{message}: {url:?}"), "not a whole address")),
        other => Err(wrong(format!("must begin with sftp:// or file:, found {other}:"), "not one of them")),
    }
}

/// `drop/north`, `/srv/drop`, `///srv/drop`, `//localhost/srv/drop`
fn local(rest: &str) -> Option<Address> {
    let path = match rest.strip_prefix("//") {
        Some(rest) => rest.strip_prefix("localhost").unwrap_or(rest),
        None => rest,
    };
    let named = !path.is_empty() && (rest == path || path.starts_with('/'));
    named.then(|| Address::Folder(path.to_owned()))
}

fn remote(rest: &str) -> Result<Address, String> {
    let rest = rest.strip_prefix("//").ok_or("needs // after sftp:")?;
    let (authority, path) = rest.find('/').map_or((rest, ""), |slash| rest.split_at(slash));
    let (user, host) = authority.rsplit_once('@').ok_or("names no user before the host (user@host)")?;
    let (host, port) = host_and_port(host)?;
    let user =
        decoded(user).filter(|user| !user.is_empty()).ok_or("names no user before the host (user@host)")?;
    let folder = decoded(path).ok_or("has a % in its folder that no two hexadecimal digits follow")?;
    if path.contains(['?', '#']) {
        return Err("has a ? or # in its folder (write %3F or %23)".to_owned());
    }
    if folder.chars().any(char::is_control) {
        return Err("has a control character in its folder".to_owned());
    }
    let folder = if folder.is_empty() { "/".to_owned() } else { folder };
    Ok(Address::Sftp(Server { user, host, port, folder }))
}

fn host_and_port(text: &str) -> Result<(String, u16), String> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, after) = rest.split_once(']').ok_or("has a [ in its host that no ] closes")?;
            let address: Result<std::net::Ipv6Addr, _> = host.parse();
            address.map_err(|_| format!("has [{host}], which is no IPv6 address"))?;
            (
                host,
                after
                    .strip_prefix(':')
                    .or_else(|| after.is_empty().then_some("22"))
                    .ok_or("has no : after ]")?,
            )
        }
        None => text.split_once(':').unwrap_or((text, "22")),
    };
    let letters = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | ':');
    if host.is_empty() || !host.chars().all(letters) {
        return Err(format!("has no host name or address where {host:?} stands"));
    }
    let number = port.bytes().all(|b| b.is_ascii_digit()).then(|| port.parse().ok()).flatten();
    match number.filter(|port| *port > 0) {
        Some(port) => Ok((host.to_owned(), port)),
        None => Err(format!("has port {port:?}, not a number from 1 to 65535")),
    }
}

/// `%20` and its like put in; `None` where a `%` stands alone or the bytes are no UTF-8.
fn decoded(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        if byte == b'%' {
            let digits = text.get(at + 1..at + 3).filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()))?;
            out.push(u8::from_str_radix(digits, 16).ok()?);
            at += 3;
        } else {
            out.push(byte);
            at += 1;
        }
    }
    String::from_utf8(out).ok()
}

fn sftp(ssh: &mut Table<'_>, reading: &mut Reading<'_>, scope: Scope<'_>, server: Server) -> Option<Sftp> {
    let host_keys = host_keys(ssh, reading, scope);
    let login = login(ssh, reading, scope);
    let seconds = Duration::from_secs;
    let connect_timeout = ssh.or(reading, "connect_timeout", seconds(20), "\"20s\"", some_duration).value;
    let idle_timeout = ssh.or(reading, "idle_timeout", seconds(60), "\"60s\"", some_duration).value;
    let file_deadline = ssh.or(reading, "file_deadline", seconds(3600), "\"1h\"", some_duration).value;
    let run_deadline = ssh.or(reading, "run_deadline", seconds(6 * 3600), "\"6h\"", some_duration).value;
    let retries = ssh.or(reading, "retries", 4, "4", whole(0, 100)).value;
    let read_buffer = ssh.or(reading, "read_buffer", 1 << 20, "\"1 MiB\"", size(1 << 10, 64 << 20)).value;
    let connections = ssh.or(reading, "connections", 4, "4", whole(1, 16)).value;
    Some(Sftp {
        host: server.host,
        port: server.port,
        user: server.user,
        folder: server.folder,
        host_keys: host_keys?,
        login: login?,
        connect_timeout,
        idle_timeout,
        file_deadline,
        run_deadline,
        retries,
        read_buffer: usize::try_from(read_buffer).ok()?,
        connections: usize::try_from(connections).ok()?,
    })
}

/// `host_key` (one or a list) or `known_hosts`; without a pinned key nothing is ever sent to a server.
fn host_keys(ssh: &mut Table<'_>, reading: &mut Reading<'_>, scope: Scope<'_>) -> Option<Vec<HostKey>> {
    let pinned = ssh.optional(reading, "host_key", pins);
    let known = paths::setting(ssh, reading, "known_hosts", scope, Needed::OnContact);
    if !ssh.has("host_key") && !ssh.has("known_hosts") {
        let help = "add host_key = \"SHA256:...\", as ssh-keygen -lf prints it for the server's public key, or known_hosts = \"FILE\"";
        ssh.missing(reading, "host_key", help);
    }
    match (pinned, known) {
        (Some(Read { at: Some(here), .. }), Some(Read { at: Some(there), .. })) => {
            let fault = Fault::error(
                there,
                "known_hosts beside host_key",
                "which of them decides?",
                "keep one of the two; several keys are a list: host_key = [\"SHA256:...\", \"SHA256:...\"]",
            );
            reading.faults.push(fault.and(here, "a pinned key"));
            None
        }
        (Some(pinned), _) => Some(pinned.value),
        (None, Some(known)) => Some(vec![HostKey::KnownHosts(known.value)]),
        (None, None) => None,
    }
}

fn pins(value: &DeValue<'_>) -> Result<Vec<HostKey>, Wrong> {
    match value {
        DeValue::Array(items) if items.is_empty() => Err(Wrong::new(
            "is an empty list: no server could be trusted",
            "no key",
            "write the server's fingerprint: \"SHA256:...\"",
        )),
        DeValue::Array(items) => items.iter().map(|item| pin(item.get_ref())).collect(),
        other => Ok(vec![pin(other)?]),
    }
}

/// `SHA256:` and the 43 characters of base64 that 32 bytes make.
fn pin(value: &DeValue<'_>) -> Result<HostKey, Wrong> {
    let help = "write it as ssh-keygen -lf prints it: SHA256: and 43 characters";
    let Some(text) = value.as_str() else {
        return Err(Wrong::kind("a fingerprint in quotes", value, help));
    };
    let wrong = |label: String| Wrong::new(format!("is no fingerprint: {}", shown(value)), label, help);
    let Some(digest) = text.strip_prefix("SHA256:") else {
        return Err(wrong("must begin with SHA256:".to_owned()));
    };
    let count = digest.chars().count();
    if let Some(bad) = digest.chars().find(|c| !c.is_ascii_alphanumeric() && !matches!(c, '+' | '/')) {
        return Err(wrong(format!("{bad:?} is not a character of a fingerprint")));
    }
    if count != 43 {
        return Err(wrong(format!("{count} characters after SHA256:, not 43")));
    }
    // the last character carries four bits of the 256 and two that are zero
    if !digest.ends_with(|c| "AEIMQUYcgkosw048".contains(c)) {
        return Err(wrong("no key has it: the last character cannot be".to_owned()));
    }
    Ok(HostKey::Fingerprint(text.to_owned()))
}

/// Exactly one of `private_key`, `password_file` and `agent = true`.
fn login(ssh: &mut Table<'_>, reading: &mut Reading<'_>, scope: Scope<'_>) -> Option<Login> {
    let private_key = paths::setting(ssh, reading, "private_key", scope, Needed::OnContact);
    let passphrase = paths::setting(ssh, reading, "passphrase_file", scope, Needed::OnContact);
    let password = paths::setting(ssh, reading, "password_file", scope, Needed::OnContact);
    let agent = ssh.optional(reading, "agent", flag).filter(|agent| agent.value);
    let at = |path: &Option<Read<PathBuf>>| path.as_ref().and_then(|read| read.at.clone());
    if let (Some(passphrase), false) = (at(&passphrase), ssh.has("private_key")) {
        reading.faults.push(Fault::error(
            passphrase,
            "passphrase_file without private_key",
            "which key does it open?",
            "add private_key, or remove the line",
        ));
    }
    let given: Vec<Range<usize>> =
        [at(&private_key), at(&password), agent.as_ref().and_then(|read| read.at.clone())]
            .into_iter()
            .flatten()
            .collect();
    if let [first, second, ..] = given.as_slice() {
        reading.faults.push(
            Fault::error(
                second.clone(),
                format!("{} has more than one way to log in", ssh.shown),
                "which of them?",
                "keep one of private_key, password_file and agent = true",
            )
            .and(first.clone(), "the first"),
        );
        return None;
    }
    if let Some(key) = private_key {
        return Some(Login::PrivateKey {
            path: key.value,
            passphrase_file: passphrase.map(|read| read.value),
        });
    }
    if let Some(password) = password {
        return Some(Login::PasswordFile(password.value));
    }
    if agent.is_some() {
        return Some(Login::Agent);
    }
    let tried = ["private_key", "password_file", "password"].iter().any(|key| ssh.has(key));
    if !tried {
        ssh.missing(
            reading,
            "private_key, password_file or agent = true",
            "add one of them: private_key = \"${CREDENTIALS_DIRECTORY}/sftp_key\"",
        );
    }
    None
}
