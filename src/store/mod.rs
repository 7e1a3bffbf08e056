//! Store: the SQLite file. Migrations, journal, facts, ledger, positions, holds; SQL lives here and nowhere else.
//!
//! Answers for: what is written is whole or not at all, ledger and journal only grow, nothing needs memory that grows
//! with what is stored. Does not: read files of feeds, know schemes, evaluate.

mod aliases;
mod aside;
pub mod compare;
mod connect;
pub mod cycles;
pub mod decisions;
pub mod dossiers;
pub mod edits;
pub mod files;
pub mod fx;
pub mod health;
pub mod holds;
mod home;
mod intake;
pub mod journal;
pub mod ledger;
pub mod masters;
mod migrate;
pub mod money;
pub mod moved;
pub mod positions;
mod proof;
pub mod pushed;
pub mod reconcile;
pub mod rejects;
mod rows;
mod sidecars;
mod silence;
mod skus;
pub mod slots;
mod sorter;
pub mod tally;
mod tamper;
pub mod versions;
mod void;

pub use aside::{AtStake, FILE_HOLDS, HELD_BEFORE};
pub use connect::{ClockMode, Store, was_interrupted};
pub use intake::{Attempt, EVENT_CONFLICT, Feeder, Intake, Outcome, Reading, Reject, held_facts};
pub use migrate::OtherForm;
