//! accrued: DMS sales exports in, a points ledger and statements out.

pub mod batch;
pub mod calendar;
pub mod cli;
pub mod clock;
pub mod config;
pub mod domain;
pub mod evaluate;
pub mod facts;
pub mod fault;
pub mod inbox;
pub mod ingest;
pub mod lock;
pub mod outbox;
pub mod schedule;
pub mod scheme;
pub mod statement;
pub mod store;
