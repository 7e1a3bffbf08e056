//! accrued: DMS sales exports in, a points ledger and statements out. This page is the map.
//!
//! ```text
//!  feeds (SFTP, folders)                                             statements/ rejects/ staging/
//!        |                                                                       ^
//!        v                                                                       |
//!   inbox: fetch -> ingest -> store: facts -> evaluate -> store: ledger -> statement -> outbox: publish
//!        |           bytes      journal       position     postings        bytes
//!        v          to rows                                = differences
//!    archive/
//! ```
//!
//! [`batch`] is one run in that order and the only place where the rooms meet. Facts are kept for ever, a position is a pure
//! function of them, and what is posted is the position less what was posted before: a late file, a correction, a crash
//! and a second run are one and the same case.
//!
//! # Rooms
//!
//! `tests/house.rs` reads this table, and every path in `src/` against it: a room names the rooms beside it here and
//! no other. Pure rooms may use pure ones; edges may use pure ones but neither each other nor the stages (`ingest`,
//! `evaluate`, `statement`); the shell sees both sides. A new room begins with a row here.
//!
//! | room | kind | may use | answers for |
//! | --- | --- | --- | --- |
//! | [`domain`] | pure | | the words of the product as types: exact numbers, points, moments, entries, holds, the hash chain |
//! | [`calendar`] | pure | `domain` | zones, business dates, cycles |
//! | [`schedule`] | pure | | the cron schedule as arithmetic: the next due instant |
//! | [`fault`] | pure | | a fault in a file that a person wrote: the line, a caret, the nearest known name |
//! | [`facts`] | pure | `domain` | what the feeds said: bundles of rows, which version speaks, what is cancelled, what a note returns |
//! | [`scheme`] | pure | `domain`, `calendar`, `fault` | TOML as typed -> a scheme as meant, every fault at once; versions; lints |
//! | [`ingest`] | pure | `domain`, `calendar`, `fault`, `facts` | bytes and a feed's layout -> rows and rejects, streaming |
//! | [`evaluate`] | pure | `domain`, `calendar`, `facts`, `scheme` | one partner's lines and a scheme -> positions with their trail |
//! | [`statement`] | pure | `domain`, `calendar`, `facts`, `scheme`, `evaluate` | entries and positions -> the bytes of each published file |
//! | [`rehearse`] | pure | `domain`, `calendar`, `facts`, `scheme`, `ingest`, `evaluate`, `statement` | the worked examples inside scheme files, and what none of them touches |
//! | [`metrics`] | pure | `domain` | a store and its last run as Prometheus reads them |
//! | [`clock`] | edge | | the only reader of the wall clock |
//! | [`lock`] | edge | | one run at a time |
//! | [`inbox`] | edge | `domain` | where files come from: list, judge complete, download whole, archive; and, over the same connections, files pushed out |
//! | [`store`] | edge | `domain`, `calendar`, `facts` | the SQLite file: journal, facts, positions, ledger, holds |
//! | [`outbox`] | edge | `domain` | files and folders that appear whole or not at all |
//! | [`hook`] | edge | | a program of the site's own, called with its time limit |
//! | [`config`] | shell | `domain`, `calendar`, `schedule`, `fault`, `facts`, `scheme`, `ingest`, `inbox` | accrued.toml -> checked settings, those of each room in that room's own words |
//! | [`batch`] | shell | every pure room, every edge, `config` | one run: fetch, ingest, evaluate, post, publish |
//! | [`job`] | shell | every pure room, every edge, `config`, `batch` | one real run under the lock, and what the world is told of it |
//! | [`keep`] | shell | every pure room, every edge, `config`, `batch` | backup and restore; the journal done again |
//! | [`daemon`] | shell | `schedule`, `fault`, `clock`, `inbox`, `store`, `config`, `batch`, `job` | `serve`: sleep until due, run, stop on a signal |
//! | [`cli`] | shell | every pure room, every edge, `config`, `batch`, `job`, `keep`, `daemon` | the commands: parse, call, print |
//!
//! The kind is also held by the compiler's lints: clock, disk, network, environment and threads (`.clippy.toml`) are
//! refused everywhere but in the modules that say below what they need them for.
//!
//! # Crates
//!
//! Read by the same test: a crate that is not named here is not used, and one that is stays where it is named.
//!
//! | crate | used in |
//! | --- | --- |
//! | `anyhow` | edges and shell, `ingest` (the taker's own failure passes through it unread) |
//! | `chrono`, `rust_decimal`, `sha2` | anywhere |
//! | `chrono-tz` | `calendar`, `schedule`, `scheme`, `ingest`, `clock`, `config`, `daemon` |
//! | `num-bigint`, `num-rational`, `num-traits` | `domain`, `scheme` |
//! | `cron` | `schedule` |
//! | `annotate-snippets`, `strsim` | `fault` |
//! | `toml` | `scheme`, `config` |
//! | `csv` | `ingest`, `statement`, `keep`, `cli` |
//! | `encoding_rs`, `flate2`, `memchr` | `ingest` |
//! | `ssh2`, `libssh2-sys`, `hmac`, `sha1`, `base64` | `inbox/sftp` |
//! | `libc` | `inbox` |
//! | `nix` | `inbox`, `hook`, `cli` |
//! | `rusqlite` | `store` |
//! | `serde_json` | `store`, `batch`, `job`, `keep`, `cli` |
//! | `rustix` | `outbox`, `inbox`, `clock`, `cli` |
//! | `tracing` | edges and shell |
//! | `mimalloc` | `main` |
//! | `tracing-subscriber`, `clap`, `clap_complete`, `clap_mangen`, `comfy-table`, `indicatif` | `cli` |
//! | `signal-hook` | `cli`, `daemon` |
//!
//! # Invariants
//!
//! - Ledger and journal only grow; the database refuses anything else, and a hash chain shows what was changed behind its back.
//! - What a file caused is committed with the file: whole or not at all. So is the posting of a cycle.
//! - A file is in the archive under its SHA-256 before anything of it is read.
//! - What is published never changes; a folder appears by one rename, after the commit that it belongs to.
//! - Positions depend on facts, scheme and cycle alone. Every order of arrival that says the same gives the same.
//! - Money and points are exact: integers in the store, decimals or fractions in between, one rounding at the end.
//! - "Now" is read once per run and handed down.
//! - Memory does not grow with a file, nor with what is stored.
//!
//! # Absent on purpose
//!
//! - No async: a job that runs a few times a day needs two threads, not a runtime.
//! - No stored balances beside the entries: a balance is a sum.
//! - No `util`, no prelude, no trait with one implementation, no mock: tests run the real SQLite and a real `sshd`.
//! - No binary floats near money. No `unsafe`. No secrets in `accrued.toml`, only paths of files that hold them.
//! - No "correction mode": nothing treats a late file, a re-drop or a second run as special.
#![warn(clippy::disallowed_methods, clippy::unwrap_used)]

pub mod calendar;
pub mod domain;
pub mod evaluate;
pub mod facts;
pub mod fault;
pub mod ingest;
pub mod metrics;
pub mod rehearse;
pub mod schedule;
pub mod scheme;
pub mod statement;

#[expect(clippy::disallowed_methods, reason = "edge: reads the wall clock, for all others")]
pub mod clock;
#[expect(clippy::disallowed_methods, reason = "edge: starts programs, and threads that listen to them")]
pub mod hook;
#[expect(clippy::disallowed_methods, reason = "edge: network, disk, and time limits on both")]
pub mod inbox;
#[expect(clippy::disallowed_methods, reason = "edge: a lock file")]
pub mod lock;
#[expect(clippy::disallowed_methods, reason = "edge: writes what is published to disk")]
pub mod outbox;
#[expect(
    clippy::disallowed_methods,
    reason = "edge: the database's file, sorting in files beside it, threads that read ahead and bring its log home"
)]
pub mod store;

#[expect(clippy::disallowed_methods, reason = "shell: opens files, starts workers, waits between two looks")]
pub mod batch;
#[expect(clippy::disallowed_methods, reason = "shell: terminal and environment")]
pub mod cli;
pub mod config;
#[expect(
    clippy::disallowed_methods,
    reason = "shell: waits for the next run, starts it on a thread, tells systemd"
)]
pub mod daemon;
#[expect(clippy::disallowed_methods, reason = "shell: makes data_dir, measures the time of runs")]
pub mod job;
#[expect(clippy::disallowed_methods, reason = "shell: copies the store, puts what is restored in its place")]
pub mod keep;
