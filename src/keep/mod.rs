//! Keep: what is kept against the loss of the machine. Backups of a store that is in use, the way back, and runs done again
//! from the journal.
//!
//! Answers for: a backup appears whole or not at all and is proved before it appears; a restored store is proved, takes again what was
//! taken after the backup, and overwrites nothing that was published. Does not: say when to back up, prove (whoever calls brings
//! the proof), or print.

mod backup;
mod journal;
mod list;
mod published;
mod replayer;
mod restore;
mod unknown;

pub use backup::{Backup, Copies, Look, backup};
pub use published::{Standing, standing};
pub use replayer::{Replayed, Replayer};
pub use restore::{Newer, Restored, Restoring, restore};

use crate::store::Store;
use anyhow::Result;

/// What is wrong with a store, in words; nothing where it is sound.
pub type Prove<'p> = &'p dyn Fn(&Store) -> Result<Vec<String>>;

/// The last run, where the journal does not tell of its end.
fn unfinished(store: &Store) -> Result<Option<i64>> {
    let Some(started) = store.last_record("run-started")? else { return Ok(None) };
    let finished = store.last_record("run-finished")?.map_or(0, |record| record.seq);
    Ok((finished < started.seq).then_some(started.stamp.run))
}
