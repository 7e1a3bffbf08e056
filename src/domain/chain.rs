//! Hash chains: each row's hash covers the row before it, so a change made behind the store's back shows.

use super::entry::Entry;
use sha2::{Digest, Sha256};

/// The hash before the first row of any chain.
pub const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// SHA-256 over the previous hash and the fields, each preceded by its length, so that no two rows read alike.
pub fn link(previous: &str, fields: &[&str]) -> String {
    let length: usize = fields.iter().map(|field| 8 + field.len()).sum();
    let mut text = Vec::with_capacity(previous.len() + length);
    text.extend_from_slice(previous.as_bytes());
    for field in fields {
        text.extend_from_slice(&(field.len() as u64).to_le_bytes());
        text.extend_from_slice(field.as_bytes());
    }
    hex(&Sha256::digest(&text))
}

/// The chain hash of a ledger entry (its own `hash` field is not read).
pub fn entry_hash(previous: &str, entry: &Entry) -> String {
    let expires = entry.expires_on.map(|day| day.to_string());
    link(
        previous,
        &[
            &entry.entry.to_string(),
            &entry.posted_at,
            &entry.posting_date.to_string(),
            &entry.scheme,
            &entry.cycle,
            &entry.partner_code,
            entry.kind.word(),
            &entry.points.0.to_string(),
            &entry.amount.normalize().to_string(),
            &entry.tier,
            &entry.reference,
            &entry.against,
            expires.as_deref().unwrap_or(""),
            &entry.reason,
            &entry.run.to_string(),
            &entry.actor,
            &entry.scheme_version,
        ],
    )
}

/// Numbers entries after a ledger's last one, of that number and hash, and chains them to it; the last one's are then given.
pub fn append((mut last, mut previous): (i64, String), entries: &mut [Entry]) -> (i64, String) {
    for entry in entries {
        last += 1;
        entry.entry = last;
        entry.hash = entry_hash(&previous, entry);
        previous.clone_from(&entry.hash);
    }
    (last, previous)
}

/// The bytes of what [`hex`] wrote; `None` where it is something else.
pub fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let mut bytes = Vec::with_capacity(pairs.len());
    for [high, low] in pairs {
        bytes.push(digit(*high)? << 4 | digit(*low)?);
    }
    rest.is_empty().then_some(bytes)
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = Vec::with_capacity(2 * bytes.len());
    for byte in bytes {
        text.push(DIGITS[usize::from(byte >> 4)]);
        text.push(DIGITS[usize::from(byte & 15)]);
    }
    String::from_utf8(text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal_comes_back_as_bytes() {
        let bytes: Vec<u8> = (0..=255).collect();
        assert_eq!(unhex(&hex(&bytes)), Some(bytes));
        for other in ["0", "0g", "0A", "é0", "abc"] {
            assert_eq!(unhex(other), None, "{other}");
        }
    }
}
