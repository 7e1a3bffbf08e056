//! The schedule as the journal knows it: which slots have run, how those runs ended, and since when a schedule is in force.

use super::Store;
use super::journal::Stamp;
use anyhow::Result;
use serde_json::{Value, json};

/// A run of a slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlotRun {
    /// the run's instant
    pub at: String,
    /// the slot, as the run has journalled it
    pub slot: Value,
    /// its exit status; `None` where it was stopped, or has not ended yet
    pub exit: Option<i64>,
}

/// A schedule that `serve` went by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InForce {
    /// since this instant
    pub at: String,
    /// the expression, as written
    pub cron: String,
    /// its zone
    pub timezone: String,
}

impl Store {
    /// The runs of the slot that ran last, in order; none where no run was one of a slot.
    pub fn runs_of_last_slot(&self) -> Result<Vec<SlotRun>> {
        let mut select = self.connection.prepare_cached(
            "SELECT started.at, started.body -> '$.slot',
               (SELECT iif(finished.run = started.run, finished.body ->> '$.exit', NULL) FROM journal AS finished
                WHERE finished.kind = 'run-finished' AND finished.seq > started.seq ORDER BY finished.seq LIMIT 1)
             FROM journal AS started WHERE started.kind = 'run-started' AND started.body ->> '$.slot.due' =
               (SELECT body ->> '$.slot.due' FROM journal WHERE kind = 'run-started' AND body ->> '$.slot.due' IS NOT NULL
                ORDER BY seq DESC LIMIT 1)
             ORDER BY started.seq",
        )?;
        let mut rows = select.query([])?;
        let mut runs = Vec::new();
        while let Some(row) = rows.next()? {
            let slot: String = row.get(1)?;
            runs.push(SlotRun { at: row.get(0)?, slot: serde_json::from_str(&slot)?, exit: row.get(2)? });
        }
        Ok(runs)
    }

    /// The schedule that was taken up last.
    pub fn schedule_in_force(&self) -> Result<Option<InForce>> {
        let Some(record) = self.last_record("scheduled")? else { return Ok(None) };
        let body: Value = serde_json::from_str(&record.body)?;
        let text = |key: &str| body[key].as_str().unwrap_or_default().to_owned();
        Ok(Some(InForce { at: record.stamp.at, cron: text("cron"), timezone: text("timezone") }))
    }

    /// Journals that a schedule is in force from now on: slots before that were never due.
    pub fn take_up_schedule(&mut self, stamp: &Stamp, cron: &str, timezone: &str) -> Result<()> {
        let body = json!({ "cron": cron, "timezone": timezone });
        self.whole(|store| store.append(stamp, "scheduled", &body).map(drop))
    }
}
