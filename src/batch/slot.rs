//! The slot of a schedule that a run stands for: recorded with the run, so that it can never run twice.

use crate::clock;
use chrono::{DateTime, NaiveDateTime, Utc};
use serde_json::{Value, json};

/// One time of a schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot {
    /// when it was due
    pub due: DateTime<Utc>,
    /// the wall-clock time that it stands for
    pub wall: NaiveDateTime,
    /// in this zone: `Asia/Kolkata`
    pub zone: String,
}

/// Why a slot runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// its time has come
    Due,
    /// its time came while nobody was there to run it
    Missed,
    /// its last run had a temporary fault
    Again,
    /// its last run was stopped
    Stopped,
}

impl Why {
    /// the word in the journal
    pub fn word(self) -> &'static str {
        match self {
            Why::Due => "due",
            Why::Missed => "missed",
            Why::Again => "again",
            Why::Stopped => "stopped",
        }
    }
}

/// A slot, and why it runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scheduled {
    /// which
    pub slot: Slot,
    /// why
    pub why: Why,
}

impl Scheduled {
    /// As the journal keeps it.
    pub(super) fn body(&self) -> Value {
        let Slot { due, wall, zone } = &self.slot;
        json!({ "due": clock::stamp(*due), "wall": wall.to_string(), "zone": zone, "why": self.why.word() })
    }

    /// Out of the journal; `None` where a run was of no slot.
    pub fn read(body: &Value) -> Option<Scheduled> {
        let all = [Why::Due, Why::Missed, Why::Again, Why::Stopped];
        let text = |key: &str| body[key].as_str();
        Some(Scheduled {
            slot: Slot {
                due: DateTime::parse_from_rfc3339(text("due")?).ok()?.to_utc(),
                wall: NaiveDateTime::parse_from_str(text("wall")?, "%Y-%m-%d %H:%M:%S%.f").ok()?,
                zone: text("zone")?.to_owned(),
            },
            why: all.into_iter().find(|why| Some(why.word()) == text("why"))?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_is_read_as_it_was_written() {
        for why in [Why::Due, Why::Missed, Why::Again, Why::Stopped] {
            let due = "2026-03-29T01:00:00Z".parse().expect("an instant");
            let wall = "2026-03-29T01:30:00".parse().expect("a time");
            let scheduled = Scheduled { slot: Slot { due, wall, zone: "Europe/London".into() }, why };
            assert_eq!(Scheduled::read(&scheduled.body()), Some(scheduled));
        }
        assert_eq!(Scheduled::read(&Value::Null), None);
    }
}
