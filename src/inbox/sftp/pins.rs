//! Pinned host keys: which key a server must show. Fingerprints, whole key lines, `known_hosts` files.
//!
//! The raw key is compared here and not by libssh2, which does not know wildcards and `@revoked` and takes a host known
//! by another type of key for a changed one.

use crate::inbox::{HostKey, InboxFault};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Digest, Sha256};

/// Every way to show a host key that we take, the one we like best first; certificates are not among them.
const METHODS: [&str; 6] = [
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "rsa-sha2-512",
    "rsa-sha2-256",
];

/// Those that show a key of this type.
pub(super) fn methods_of(key_type: &str) -> Vec<&'static str> {
    let shows = |method: &&str| match key_type {
        "ssh-rsa" => method.starts_with("rsa-"),
        other => *method == other,
    };
    METHODS.into_iter().filter(shows).collect()
}

/// A key's `SHA256:...`, as OpenSSH prints it.
pub(super) fn fingerprint(key: &[u8]) -> String {
    format!("SHA256:{}", STANDARD_NO_PAD.encode(Sha256::digest(key)))
}

/// The type that a raw key names itself, `ssh-ed25519`.
pub(super) fn key_type(key: &[u8]) -> &str {
    let length = key.first_chunk::<4>().map_or(0, |bytes| u32::from_be_bytes(*bytes) as usize);
    let name = key.get(4..length.saturating_add(4)).unwrap_or_default();
    let plain =
        |name: &&str| !name.is_empty() && name.len() < 64 && name.bytes().all(|b| b.is_ascii_graphic());
    std::str::from_utf8(name).ok().filter(plain).unwrap_or("unknown")
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Pin {
    Fingerprint(String),
    Key(Vec<u8>),
}

/// What the pins say of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Pinned,
    Unknown,
    Revoked,
}

/// All pins of a feed for one host.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Pins {
    pins: Vec<Pin>,
    revoked: Vec<Vec<u8>>,
}

impl Pins {
    /// Reads the pins; `known_hosts` files are read anew at each connect.
    pub(super) fn read(host_keys: &[HostKey], host: &str, port: u16) -> Result<Pins, InboxFault> {
        let mut pins = Pins::default();
        for key in host_keys {
            match key {
                HostKey::Fingerprint(text) => pins.pins.push(pin(text).map_err(InboxFault::Refused)?),
                HostKey::KnownHosts(path) => {
                    let text = std::fs::read(path).map_err(|e| {
                        InboxFault::Refused(format!("cannot read known_hosts {}: {e}", path.display()))
                    })?;
                    pins.add_known_hosts(&String::from_utf8_lossy(&text), host, port);
                }
            }
        }
        Ok(pins)
    }

    fn add_known_hosts(&mut self, text: &str, host: &str, port: u16) {
        let host = host.to_ascii_lowercase();
        let mut names = vec![format!("[{host}]:{port}")];
        if port == 22 {
            names.push(host);
        }
        for line in text.lines() {
            if let Some((marker, key)) = known_host(line, &names) {
                match marker {
                    Marker::None => self.pins.push(Pin::Key(key)),
                    Marker::Revoked => self.revoked.push(key),
                }
            }
        }
    }

    /// The methods to offer: only those that can show a pinned key; all of them where only fingerprints are
    /// known, and, to be able to say what the server showed, where nothing is.
    pub(super) fn methods(&self) -> Vec<&'static str> {
        let mut types = Vec::new();
        for pin in &self.pins {
            match pin {
                Pin::Fingerprint(_) => return METHODS.to_vec(),
                Pin::Key(key) => types.push(key_type(key)),
            }
        }
        let wanted: Vec<&str> =
            METHODS.into_iter().filter(|m| types.iter().any(|t| methods_of(t).contains(m))).collect();
        if wanted.is_empty() { METHODS.to_vec() } else { wanted }
    }

    /// Whether this raw key is one of them. A revoked one never is.
    pub(super) fn verdict(&self, key: &[u8]) -> Verdict {
        if self.revoked.iter().any(|revoked| revoked == key) {
            return Verdict::Revoked;
        }
        let print = fingerprint(key);
        let pinned = self.pins.iter().any(|pin| match pin {
            Pin::Fingerprint(pinned) => *pinned == print,
            Pin::Key(pinned) => pinned == key,
        });
        if pinned { Verdict::Pinned } else { Verdict::Unknown }
    }

    /// The pinned fingerprints for a message; `None` if there is no pin.
    pub(super) fn wanted(&self) -> Option<String> {
        let prints: Vec<String> = self
            .pins
            .iter()
            .map(|pin| match pin {
                Pin::Fingerprint(print) => print.clone(),
                Pin::Key(key) => format!("{} ({})", fingerprint(key), key_type(key)),
            })
            .collect();
        (!prints.is_empty()).then(|| prints.join(" or "))
    }
}

/// `SHA256:...` with or without `=`, or a key line: `ssh-ed25519 AAAA... comment`.
fn pin(text: &str) -> Result<Pin, String> {
    if let Some(hash) = text.strip_prefix("SHA256:") {
        let hash = hash.trim_end_matches('=');
        return match STANDARD_NO_PAD.decode(hash) {
            Ok(bytes) if bytes.len() == 32 => Ok(Pin::Fingerprint(format!("SHA256:{hash}"))),
            Ok(_) | Err(_) => Err(format!("host_key {text} is not SHA256: and 43 characters of base64")),
        };
    }
    let key = text.split_whitespace().find_map(|word| key_blob(word, text));
    key.map(Pin::Key).ok_or_else(|| {
        format!("host_key {text} is neither SHA256:... nor a key line such as ssh-ed25519 AAAA...")
    })
}

/// The raw key in a word, if it is the base64 of a key whose type stands in the line.
fn key_blob(word: &str, line: &str) -> Option<Vec<u8>> {
    let key = STANDARD.decode(word).or_else(|_| STANDARD_NO_PAD.decode(word)).ok()?;
    line.split_whitespace().any(|w| w == key_type(&key)).then_some(key)
}

enum Marker {
    None,
    Revoked,
}

/// The key of a `known_hosts` line that speaks of one of these names. Certificate authorities are no keys of hosts.
fn known_host(line: &str, names: &[String]) -> Option<(Marker, Vec<u8>)> {
    let line = line.trim();
    if line.starts_with('#') {
        return None;
    }
    let (marker, line) = match line.strip_prefix('@') {
        Some(rest) => match rest.split_once(char::is_whitespace)? {
            ("revoked", rest) => (Marker::Revoked, rest.trim_start()),
            _ => return None,
        },
        None => (Marker::None, line),
    };
    let (hosts, rest) = line.split_once(char::is_whitespace)?;
    if !speaks_of(hosts, names) {
        return None;
    }
    let key = key_blob(rest.split_whitespace().nth(1)?, rest)?;
    Some((marker, key))
}

/// `files.example.com,192.0.2.1`, `*.example.com,!old.example.com`, `[host]:2222`, or one hashed name.
fn speaks_of(hosts: &str, names: &[String]) -> bool {
    if let Some(hashed) = hosts.strip_prefix("|1|") {
        return names.iter().any(|name| is_hash_of(hashed, name));
    }
    let hosts: Vec<String> = hosts.split(',').map(str::to_ascii_lowercase).collect();
    let any = |pattern: &str| names.iter().any(|name| glob(pattern.as_bytes(), name.as_bytes()));
    let refused = hosts.iter().filter_map(|h| h.strip_prefix('!')).any(any);
    !refused && hosts.iter().any(|h| any(h))
}

/// `salt|hash`: the hash is HMAC-SHA1 of the name under the salt.
fn is_hash_of(hashed: &str, name: &str) -> bool {
    let decoded = hashed
        .split_once('|')
        .and_then(|(salt, hash)| Some((STANDARD.decode(salt).ok()?, STANDARD.decode(hash).ok()?)));
    let Some((salt, hash)) = decoded else {
        return false;
    };
    let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(&salt) else {
        return false;
    };
    mac.update(name.as_bytes());
    mac.verify_slice(&hash).is_ok()
}

/// `*` and `?`; goes back to the last star only, so that no pattern takes long.
fn glob(pattern: &[u8], name: &[u8]) -> bool {
    let (mut p, mut n) = (0, 0);
    let mut star = None;
    while let Some(byte) = name.get(n) {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(c) if *c == b'?' || c == byte => {
                p += 1;
                n += 1;
            }
            Some(_) | None => match star {
                Some((at, from)) => {
                    star = Some((at, from + 1));
                    (p, n) = (at + 1, from + 1);
                }
                None => return false,
            },
        }
    }
    pattern.get(p..).unwrap_or_default().iter().all(|c| *c == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    // made by ssh-keygen; the fingerprints are what `ssh-keygen -lf` prints of them
    const ED: &str = "AAAAC3NzaC1lZDI1NTE5AAAAIJ6bwL5c8wb5l1BKSdWi3PEI0oaO+rqUst1B/246Ay6e";
    const ED_PRINT: &str = "SHA256:YxLJnm93j3zey7a+f1a0irTF2KZdI6fDLXpo6lIe92Q";

    fn ed() -> Vec<u8> {
        STANDARD.decode(ED).expect("base64")
    }

    fn known(text: &str, host: &str, port: u16) -> Pins {
        let mut pins = Pins::default();
        pins.add_known_hosts(text, host, port);
        pins
    }

    #[test]
    fn a_fingerprint_is_what_ssh_keygen_prints() {
        assert_eq!(fingerprint(&ed()), ED_PRINT);
        assert_eq!(key_type(&ed()), "ssh-ed25519");
        assert_eq!(key_type(&[0, 0, 0, 9, 1]), "unknown");
        assert_eq!(key_type(&[255, 255, 255, 255, 1]), "unknown");
    }

    #[test]
    fn fingerprints_and_key_lines_are_pins_and_nothing_else_is() {
        for text in [
            ED_PRINT,
            &format!("{ED_PRINT}="),
            &format!("ssh-ed25519 {ED} files"),
            &format!("h ssh-ed25519 {ED}"),
        ] {
            let pins = Pins { pins: vec![pin(text).expect(text)], revoked: vec![] };
            assert_eq!(pins.verdict(&ed()), Verdict::Pinned, "{text}");
            let mut other = ed();
            other[40] ^= 1;
            assert_eq!(pins.verdict(&other), Verdict::Unknown, "{text}");
        }
        for text in ["", "SHA256:", "SHA256:abc", "MD5:00:11", ED, &format!("ssh-rsa {ED}")] {
            assert!(pin(text).is_err(), "{text}");
        }
    }

    #[test]
    fn known_hosts_lines_are_for_their_host_and_port() {
        let text = format!(
            "# a comment\n\nfiles.example.com,192.0.2.1 ssh-ed25519 {ED}\n[files.example.com]:2222 ssh-ed25519 {ED}\n"
        );
        let pinned = |host: &str, port: u16| known(&text, host, port).verdict(&ed()) == Verdict::Pinned;
        assert!(
            pinned("files.example.com", 22) && pinned("FILES.example.com", 22) && pinned("192.0.2.1", 22)
        );
        assert!(pinned("files.example.com", 2222));
        assert!(
            !pinned("files.example.com", 2200) && !pinned("192.0.2.1", 2222) && !pinned("example.com", 22)
        );
    }

    #[test]
    fn wildcards_negations_hashes_and_revocations_are_honoured() {
        let wild = format!("*.example.com,!old.example.com ssh-ed25519 {ED}");
        assert_eq!(known(&wild, "new.example.com", 22).verdict(&ed()), Verdict::Pinned);
        assert_eq!(known(&wild, "old.example.com", 22).verdict(&ed()), Verdict::Unknown);
        // what `ssh-keygen -H` makes of [files.example.com]:2222
        let hashed = format!("|1|4JA8bji27IFfhuoEF3vznTSPiZo=|6MqwTHikmOSMunfUIs6VA7fO/ZA= ssh-ed25519 {ED}");
        assert_eq!(known(&hashed, "files.example.com", 2222).verdict(&ed()), Verdict::Pinned);
        assert_eq!(known(&hashed, "files.example.com", 22).verdict(&ed()), Verdict::Unknown);
        let revoked = format!("files ssh-ed25519 {ED}\n@revoked * ssh-ed25519 {ED}\n");
        assert_eq!(known(&revoked, "files", 22).verdict(&ed()), Verdict::Revoked);
        let authority = format!("@cert-authority * ssh-ed25519 {ED}\n");
        assert_eq!(known(&authority, "files", 22), Pins::default());
        for broken in [
            "|1|",
            "|1|a|b ssh-ed25519 x",
            "files",
            "files ssh-ed25519",
            "@",
            "@revoked",
            "files ssh-rsa AAAA",
        ] {
            assert_eq!(known(broken, "files", 22), Pins::default(), "{broken}");
        }
    }

    #[test]
    fn only_methods_that_can_show_a_pinned_key_are_offered() {
        let key = Pins { pins: vec![Pin::Key(ed())], revoked: vec![] };
        assert_eq!(key.methods(), ["ssh-ed25519"]);
        assert_eq!(methods_of("ssh-rsa"), ["rsa-sha2-512", "rsa-sha2-256"]);
        let print =
            Pins { pins: vec![Pin::Key(ed()), Pin::Fingerprint(ED_PRINT.to_owned())], revoked: vec![] };
        assert_eq!(print.methods(), METHODS);
        assert_eq!(Pins::default().methods(), METHODS);
    }
}
