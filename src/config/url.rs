//! A feed's `url`, taken apart: `sftp://user@host:port/folder` or `file:folder`. Pure.

use super::values::Wrong;

/// What to write.
pub(super) const URL_HELP: &str =
    "write url = \"sftp://user@host:22/folder\", or \"file:folder\" for a folder of this machine";

/// A url, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Address {
    /// a path, as written
    Folder(String),
    Sftp(Server),
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Server {
    pub user: String,
    pub host: String,
    pub port: u16,
    pub folder: String,
}

/// `sftp://user:password@host`
pub(super) fn password_in(url: &str) -> bool {
    let rest = url.split_once("://").map_or("", |(_, rest)| rest);
    let authority = rest.split('/').next().unwrap_or_default();
    authority.rsplit_once('@').is_some_and(|(user, _)| user.contains(':'))
}

/// Takes a url apart; its variables are in already.
pub(super) fn address(url: &str) -> Result<Address, Wrong> {
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
