//! Migrations by `user_version`, each with the checksum of its text, so that a store made by another text is noticed.

use anyhow::{Context, Result, bail};
use rusqlite::Connection;
use sha2::{Digest, Sha256};
use std::cmp::Ordering;

const MIGRATIONS: &[&str] = &[
    include_str!("migrations/001.sql"),
    include_str!("migrations/002_silence.sql"),
    include_str!("migrations/003_fx.sql"),
    include_str!("migrations/004_money.sql"),
    include_str!("migrations/005_masters.sql"),
    include_str!("migrations/006_moved.sql"),
    include_str!("migrations/007_appended.sql"),
    include_str!("migrations/008_skus.sql"),
    include_str!("migrations/009_sidecar.sql"),
    include_str!("migrations/010_rejects.sql"),
    include_str!("migrations/011_file_by_run.sql"),
    include_str!("migrations/012_edits.sql"),
    include_str!("migrations/013_versions.sql"),
    include_str!("migrations/014_narrow.sql"),
    include_str!("migrations/015_pushed.sql"),
    include_str!("migrations/016_tally.sql"),
    include_str!("migrations/017_since.sql"),
];

/// The store has the form of another version of the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OtherForm {
    /// of an earlier one
    Older(usize),
    /// of a later one
    Newer(usize),
}

impl std::fmt::Display for OtherForm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let known = MIGRATIONS.len();
        match self {
            OtherForm::Older(at) => write!(
                f,
                "the store has form {at}, this program reads form {known}: `accrued run` brings it up to date"
            ),
            OtherForm::Newer(at) => write!(
                f,
                "the store has form {at}, this program knows forms up to {known}: use the newer accrued that wrote it"
            ),
        }
    }
}

impl std::error::Error for OtherForm {}

/// Brings an empty or older store to today's form, at once: who reads meanwhile sees it as it was, or whole. Refuses one that is
/// newer or was made by another text.
pub fn migrate(connection: &mut Connection) -> Result<()> {
    let at: usize = version(connection)?;
    if at > MIGRATIONS.len() {
        return Err(OtherForm::Newer(at).into());
    }
    if at > 0 {
        check(connection, at)?;
    }
    if at == MIGRATIONS.len() {
        return Ok(());
    }
    let step = connection.transaction()?;
    for (index, text) in MIGRATIONS.iter().enumerate().skip(at) {
        if index == 0 {
            step.execute_batch(
                "CREATE TABLE migration (number INTEGER PRIMARY KEY, sha256 TEXT NOT NULL) STRICT",
            )?;
        }
        step.execute_batch(text).with_context(|| format!("migration {}", index + 1))?;
        step.execute("INSERT INTO migration VALUES (?1, ?2)", (index as i64 + 1, checksum(text)))?;
        step.pragma_update(None, "user_version", index as i64 + 1)?;
    }
    Ok(step.commit()?)
}

/// Refuses a store whose form differs from today's, without changing it (for reading commands).
pub fn check_current(connection: &Connection) -> Result<()> {
    let at = version(connection)?;
    match at.cmp(&MIGRATIONS.len()) {
        Ordering::Less => Err(OtherForm::Older(at).into()),
        Ordering::Greater => Err(OtherForm::Newer(at).into()),
        Ordering::Equal => check(connection, at),
    }
}

fn version(connection: &Connection) -> Result<usize> {
    let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    Ok(usize::try_from(version).unwrap_or(usize::MAX))
}

fn check(connection: &Connection, at: usize) -> Result<()> {
    for (index, text) in MIGRATIONS.iter().take(at).enumerate() {
        let stored: String = connection
            .query_row("SELECT sha256 FROM migration WHERE number = ?1", [index as i64 + 1], |row| row.get(0))
            .with_context(|| format!("migration {} is not recorded in the store", index + 1))?;
        if stored != checksum(text) {
            bail!(
                "migration {} of the store was made by another text: it is not a store of this program",
                index + 1
            );
        }
    }
    Ok(())
}

fn checksum(text: &str) -> String {
    crate::domain::chain::hex(&Sha256::digest(text.as_bytes()))
}
