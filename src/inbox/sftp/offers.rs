//! Why no connection came about: what the server offers and we do not. libssh2 only says that the key exchange failed;
//! so the server's offer is read anew, in clear, and compared.

use std::io::{self, Read, Write};
use std::net::TcpStream;

/// Ours, in an offer's order; never sent further than the greeting.
const GREETING: &[u8] = b"SSH-2.0-accrued\r\n";

/// More than any server's offer.
const LONGEST_PACKET: usize = 256 * 1024;

/// The message number of an offer (RFC 4253, 7.1).
const KEXINIT: u8 = 20;

/// What one side can do, best first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Offer {
    pub key_exchange: Vec<String>,
    pub host_key: Vec<String>,
    pub cipher: Vec<String>,
    pub mac: Vec<String>,
}

/// A family of algorithms that the two sides share nothing of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Missing {
    pub what: &'static str,
    pub theirs: String,
    pub ours: String,
}

impl Offer {
    /// Families without a common member. A cipher that authenticates by itself needs no MAC.
    pub(super) fn missing(theirs: &Offer, ours: &Offer) -> Vec<Missing> {
        let families = [
            ("key exchange", &theirs.key_exchange, &ours.key_exchange),
            ("host key", &theirs.host_key, &ours.host_key),
            ("cipher", &theirs.cipher, &ours.cipher),
            ("mac", &theirs.mac, &ours.mac),
        ];
        let disjoint = |a: &[String], b: &[String]| !a.iter().any(|name| b.contains(name));
        families
            .into_iter()
            .filter(|(what, a, b)| disjoint(a, b) && !(*what == "mac" && sealed(theirs, ours)))
            .map(|(what, a, b)| Missing { what, theirs: a.join(", "), ours: b.join(", ") })
            .collect()
    }
}

/// Whether the cipher that would be taken authenticates by itself.
fn sealed(theirs: &Offer, ours: &Offer) -> bool {
    let taken = ours.cipher.iter().find(|name| theirs.cipher.contains(name));
    taken.is_some_and(|name| name.contains("gcm") || name.contains("poly1305"))
}

/// Reads the server's offer over a connection of its own, which is of no use afterwards. The caller watches the time.
pub(super) fn of_server(mut tcp: TcpStream) -> io::Result<Offer> {
    tcp.write_all(GREETING)?;
    skip_greeting(&mut tcp)?;
    let mut length = [0; 4];
    tcp.read_exact(&mut length)?;
    let length = u32::from_be_bytes(length) as usize;
    if length > LONGEST_PACKET {
        return Err(io::Error::other("not an offer"));
    }
    let mut packet = vec![0; length];
    tcp.read_exact(&mut packet)?;
    parse(&packet).ok_or_else(|| io::Error::other("not an offer"))
}

/// Lines up to the one that begins with `SSH-`.
fn skip_greeting(tcp: &mut TcpStream) -> io::Result<()> {
    for _ in 0..64 {
        let mut line = Vec::new();
        let mut byte = [0];
        while line.len() < 1024 && byte != *b"\n" {
            tcp.read_exact(&mut byte)?;
            line.extend(byte);
        }
        if line.starts_with(b"SSH-") {
            return Ok(());
        }
    }
    Err(io::Error::other("not an SSH server"))
}

/// A packet without its length: padding length, message number, cookie of 16 bytes, ten lists of names.
fn parse(packet: &[u8]) -> Option<Offer> {
    if packet.get(1) != Some(&KEXINIT) {
        return None;
    }
    let mut rest = packet.get(18..)?;
    let mut lists = Vec::new();
    for _ in 0..6 {
        let (length, tail) = rest.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        let names = std::str::from_utf8(tail.get(..length)?).ok()?;
        lists.push(names.split(',').map(str::to_owned).collect::<Vec<_>>());
        rest = tail.get(length..)?;
    }
    // key exchange, host key, ciphers to and from the server, MACs to and from it
    let mut lists = lists.into_iter();
    Some(Offer {
        key_exchange: lists.next()?,
        host_key: lists.next()?,
        cipher: both(lists.next()?, &lists.next()?),
        mac: both(lists.next()?, &lists.next()?),
    })
}

fn both(mut one: Vec<String>, other: &[String]) -> Vec<String> {
    one.retain(|name| other.contains(name));
    one
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn packet(lists: [&str; 6]) -> Vec<u8> {
        let mut packet = vec![4, KEXINIT];
        packet.extend([7; 16]);
        for list in lists {
            packet.extend((list.len() as u32).to_be_bytes());
            packet.extend(list.as_bytes());
        }
        packet
    }

    fn offer(lists: [&str; 6]) -> Offer {
        parse(&packet(lists)).expect("an offer")
    }

    #[test]
    fn an_old_servers_missing_families_are_named() {
        let ours = offer([
            "curve25519-sha256",
            "ssh-ed25519",
            "aes256-ctr",
            "aes256-ctr",
            "hmac-sha2-256",
            "hmac-sha2-256",
        ]);
        let old = offer([
            "diffie-hellman-group14-sha1,diffie-hellman-group1-sha1",
            "ssh-rsa",
            "aes256-ctr",
            "aes256-ctr",
            "hmac-sha1",
            "hmac-sha1",
        ]);
        let missing: Vec<&str> = Offer::missing(&old, &ours).iter().map(|m| m.what).collect();
        assert_eq!(missing, ["key exchange", "host key", "mac"]);
        assert_eq!(Offer::missing(&old, &ours)[1].theirs, "ssh-rsa");
        assert_eq!(Offer::missing(&ours, &ours), []);
    }

    #[test]
    fn a_cipher_that_authenticates_needs_no_mac() {
        let ours = offer([
            "k",
            "h",
            "aes256-gcm@openssh.com,aes256-ctr",
            "aes256-gcm@openssh.com,aes256-ctr",
            "hmac-sha2-256",
            "hmac-sha2-256",
        ]);
        let theirs = offer(["k", "h", "aes256-gcm@openssh.com", "aes256-gcm@openssh.com", "x", "x"]);
        assert_eq!(Offer::missing(&theirs, &ours), []);
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut packet = vec![4, KEXINIT];
            packet.extend(&bytes);
            let _ = parse(&packet);
            let _ = parse(&bytes);
        }
    }
}
