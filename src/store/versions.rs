//! Which versions of the program and of the time-zone data made the runs of a store, as the journal tells of each run.
//!
//! Answers for: who made a run, which is the last run of another version, what the evaluation before a run knew. Looks up, and
//! reads no more with a thousand runs than with ten. Does not: say what another version makes of the same facts.

use super::Store;
use anyhow::Result;
use rusqlite::OptionalExtension;
use std::fmt;

/// A version of the program and of its time-zone data.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct MadeBy {
    /// `0.1.0`; empty where the journal does not say
    pub program: String,
    /// `2025b`
    pub time_zone_data: String,
}

/// `accrued 0.1.0 with time-zone data 2025b`
impl fmt::Display for MadeBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "accrued {} with time-zone data {}", self.program, self.time_zone_data)
    }
}

/// As the index `run_by_version` has it.
const VERSION: &str = "CASE WHEN json_valid(body) THEN coalesce(body ->> 'program', '') || ' ' || coalesce(body ->> 'time_zone_data', '') ELSE '' END";

impl MadeBy {
    fn key(&self) -> String {
        format!("{} {}", self.program, self.time_zone_data)
    }

    fn of_key(key: &str) -> MadeBy {
        let (program, time_zone_data) = key.split_once(' ').unwrap_or((key, ""));
        MadeBy { program: program.to_owned(), time_zone_data: time_zone_data.to_owned() }
    }
}

/// The first run since the last one that another version made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Since {
    /// its number
    pub run: i64,
    /// its first journal record
    pub started: i64,
}

impl Store {
    /// Which version made a run; `None` where there is no such run.
    pub fn made_by(&self, run: i64) -> Result<Option<MadeBy>> {
        let key: Option<String> = self
            .connection
            .prepare_cached(&format!(
                "SELECT {VERSION} FROM journal WHERE kind = 'run-started' AND run = ?1 ORDER BY seq LIMIT 1"
            ))?
            .query_row([run], |row| row.get(0))
            .optional()?;
        Ok(key.as_deref().map(MadeBy::of_key))
    }

    /// The first record of the last run that another version made, and which did; `None` where none has.
    pub fn last_by_another(&self, this: &MadeBy) -> Result<Option<(i64, MadeBy)>> {
        let mut last: Option<(i64, String)> = None;
        let mut key = self.version_after(None)?;
        while let Some(version) = key {
            if version != this.key() {
                last = last.max(Some((self.last_run_by(&version)?, version.clone())));
            }
            key = self.version_after(Some(&version))?;
        }
        Ok(last.map(|(seq, version)| (seq, MadeBy::of_key(&version))))
    }

    /// Since which run this version makes them; `None` where no other ever made one, or no run of this one follows.
    pub fn since_another(&self, this: &MadeBy) -> Result<Option<Since>> {
        let Some((last, _)) = self.last_by_another(this)? else { return Ok(None) };
        Ok(self
            .connection
            .prepare_cached(
                "SELECT run, seq FROM journal WHERE kind = 'run-started' AND seq > ?1 ORDER BY seq LIMIT 1",
            )?
            .query_row([last], |row| Ok(Since { run: row.get(0)?, started: row.get(1)? }))
            .optional()?)
    }

    /// The next of the versions that made runs, in order of their text.
    fn version_after(&self, version: Option<&str>) -> Result<Option<String>> {
        Ok(self
            .connection
            .prepare_cached(&format!(
                "SELECT {VERSION} FROM journal INDEXED BY run_by_version WHERE kind = 'run-started' AND {VERSION} > ?1
                 ORDER BY {VERSION} LIMIT 1"
            ))?
            .query_row([version.unwrap_or("")], |row| row.get(0))
            .optional()?)
    }

    fn last_run_by(&self, version: &str) -> Result<i64> {
        Ok(self
            .connection
            .prepare_cached(&format!(
                "SELECT seq FROM journal INDEXED BY run_by_version WHERE kind = 'run-started' AND {VERSION} = ?1 ORDER BY seq DESC LIMIT 1"
            ))?
            .query_row([version], |row| row.get(0))?)
    }

    /// The last journal record that was known to the evaluation on which a run builds whose first record is `started`, of a
    /// partner whose position the run `worked_out` has worked out: all up to the end of the last run that finished before, or
    /// what a later one that was killed has evaluated.
    pub fn known_before(&self, started: i64, worked_out: i64) -> Result<i64> {
        let finished = self.last_record_upto("run-finished", started)?.map_or(0, |record| record.seq);
        let killed: Option<i64> = self
            .connection
            .prepare_cached(
                "SELECT seq FROM journal WHERE kind = 'run-started' AND run = ?1 AND seq > ?2 AND seq < ?3",
            )?
            .query_row((worked_out, finished, started), |row| row.get(0))
            .optional()?;
        let Some(killed) = killed else { return Ok(finished) };
        let next: i64 = self
            .connection
            .prepare_cached(
                "SELECT min(seq) FROM journal WHERE seq > ?1 AND kind IN ('run-started', 'decision', 'rejects-discarded', 'refusal-discarded')",
            )?
            .query_row([killed], |row| row.get(0))?;
        Ok(next - 1)
    }
}
