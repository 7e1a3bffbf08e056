//! The journal beside the store: `journal.jsonl`, a line a record, so that what was done since the last backup can be done
//! again where the store itself is lost (`accrued restore`).
//!
//! Answers for: that a record is in it, on disk for good, before anything leaves the house because of it. Does not: read it
//! back.

use super::Run;
use crate::outbox::lines::{self, Lines};
use crate::store::Store;
use crate::store::journal::Record;
use anyhow::Result;
use std::path::Path;

/// Its name in data_dir.
pub const JOURNAL_FILE: &str = "journal.jsonl";
/// Bytes handed to the disk at once.
const PIECE: usize = 1 << 20;

/// Appends the records that it has not yet. One that tells of another store is set aside under the number and hash it ends with.
/// Only for whoever holds the lock of data_dir.
pub fn keep_journal(store: &Store, data_dir: &Path) -> Result<()> {
    let path = data_dir.join(JOURNAL_FILE);
    let mut lines = Lines::open(&path)?;
    let after = match lines.last().map(known) {
        None => 0,
        Some(Some((seq, hash))) if store.record_hash(seq)?.as_ref() == Some(&hash) => seq,
        Some(other) => {
            let name = match other {
                Some((seq, hash)) => format!("journal.{seq}-{}.jsonl", &hash[..8.min(hash.len())]),
                None => "journal.unreadable.jsonl".to_owned(),
            };
            lines::set_aside(&path, &name)?;
            lines = Lines::open(&path)?;
            0
        }
    };
    if store.journal_head()?.0 == after {
        return Ok(());
    }
    let mut piece = Vec::new();
    store.each_record_after(after, |record| {
        piece.extend_from_slice(record.line().as_bytes());
        if piece.len() >= PIECE {
            lines.append(&piece)?;
            piece.clear();
        }
        Ok(())
    })?;
    lines.append(&piece)?;
    Ok(lines.flush()?)
}

/// Number and hash of the record on a line; none where it is no record.
fn known(line: &[u8]) -> Option<(i64, String)> {
    let record = Record::of_line(std::str::from_utf8(line).ok()?)?;
    Some((record.seq, record.hash))
}

impl Run<'_> {
    /// What is recorded so far, beside the store. A run that is done again has been told from there.
    pub(super) fn keep_journal(&self) -> Result<()> {
        if self.order.replay.is_some() {
            return Ok(());
        }
        keep_journal(&self.store, &self.places.data)
    }
}
