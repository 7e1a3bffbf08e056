//! Hash chains: each row's hash covers the row before it, so a change made behind the store's back shows.

use super::entry::Entry;
use sha2::{Digest, Sha256};

/// The hash before the first row of any chain.
pub const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// SHA-256 over the previous hash and the fields, each preceded by its length, so that no two rows read alike.
pub fn link(previous: &str, fields: &[&str]) -> String {
    let mut hasher = Sha256::new();
    hasher.update(previous.as_bytes());
    for field in fields {
        hasher.update((field.len() as u64).to_le_bytes());
        hasher.update(field.as_bytes());
    }
    hex(&hasher.finalize())
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

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes
        .iter()
        .flat_map(|byte| [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]])
        .map(char::from)
        .collect()
}
