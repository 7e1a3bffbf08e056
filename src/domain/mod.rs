//! The words of the product as types. Pure: no disk, no clock, no network, no database.
//!
//! Answers for: what a number, a moment, a document word, an entry, a hold and a chain hash are.
//! Does not: read files, know schemes or decide anything.

pub mod chain;
pub mod decimal;
pub mod entry;
pub mod frac;
pub mod points;
pub mod when;
pub mod word;
