//! Outbox: files and folders that appear whole or not at all.
//!
//! A published folder is written under `data_dir/staging/` by [`staged::Staged`] (hashed and counted while written, flushed to
//! disk when sealed) and renamed into place by [`place::place`] once the store has committed, so a reader never sees a half
//! folder, and a run killed at any instant leaves one that the next run places or sweeps away. Every step may be repeated.
//! Staging and published folders must be on one file system; both are below `data_dir`.
//!
//! Does not: know what is in a file (bytes come from `statement`), whether a folder is due, or what the store has committed.

pub mod check;
pub mod fault;
pub mod folder;
pub mod lines;
pub mod parcel;
pub mod place;
pub mod single;
pub mod space;
pub mod staged;
pub mod stream;

pub use fault::OutboxFault;
