//! Facts: what the feeds said about sales documents, and which of it is in force.
//!
//! Pure. A **bundle** is all that one ingestion said about one partner: it is written once and never
//! changed. Everything else (which version speaks, what is cancelled, what a credit note returns) is
//! worked out from bundles, cancellations and decisions by [`settle`], in order of `seq`, so that
//! "as it stood at seq N" is the same function over fewer facts.

pub mod alias;
pub mod amounts;
pub mod bundle;
mod bytes;
mod cancel;
pub mod content;
pub mod dossier;
pub mod fx;
pub mod identity;
pub mod master;
pub mod money;
pub mod movement;
pub mod record;
mod returns;
pub mod row;
pub mod settle;
pub mod sketch;
pub mod texts;
mod walk;
