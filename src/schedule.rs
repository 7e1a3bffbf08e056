//! The cron schedule as arithmetic: when the next run is due. Pure: no clock, no thread.
//!
//! The expression is evaluated on wall-clock time and each slot is mapped to an instant here: a local time that the
//! clocks skip runs at the first instant after the gap, one that they repeat at its first occurrence (facts.md).
//! Where day of month and weekday are both restricted either is enough, as crons do everywhere else.

use chrono::{DateTime, Duration, LocalResult, NaiveDateTime, TimeZone, Utc};
use chrono_tz::Tz;
use std::str::FromStr;

/// A checked cron expression.
#[derive(Debug, Clone)]
pub struct Cron {
    /// one, or two of which either is enough
    schedules: Vec<cron::Schedule>,
}

/// A run that is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Due {
    /// when
    pub at: DateTime<Utc>,
    /// the wall-clock time it stands for, in the schedule's zone: a slot runs once, ever
    pub slot: NaiveDateTime,
}

impl Cron {
    /// Checks `sec min hour day month weekday`, or the same without seconds. The error says what cannot be meant.
    pub fn new(line: &str) -> Result<Cron, String> {
        let mut fields: Vec<&str> = line.split_whitespace().collect();
        if fields.len() == 5 {
            fields.insert(0, "0");
        }
        let [_, _, _, day, _, weekday] = fields.as_slice() else {
            return Err(format!("has {} fields, not 6 (sec min hour day month weekday) or 5", fields.len()));
        };
        if let Some(digit) = weekday.chars().find(char::is_ascii_digit) {
            return Err(format!(
                "has the number {digit} for a weekday, which differs between crons (write MON, TUE ...)"
            ));
        }
        let unrestricted = |field: &str| matches!(field, "*" | "?");
        let either = !unrestricted(day) && !unrestricted(weekday);
        let lines = if either {
            let without = |index: usize| {
                let mut fields = fields.clone();
                fields[index] = "*";
                fields.join(" ")
            };
            vec![without(5), without(3)]
        } else {
            vec![fields.join(" ")]
        };
        let schedules: Result<Vec<cron::Schedule>, String> = lines.iter().map(|line| parsed(line)).collect();
        let cron = Cron { schedules: schedules? };
        let start = DateTime::UNIX_EPOCH.naive_utc() + Duration::days(20_454); // 2026-01-01
        match cron.next_slot(start) {
            Some(_) => Ok(cron),
            None => Err("is a day that no calendar has".to_owned()),
        }
    }

    /// The first wall-clock time of the expression after `wall`.
    fn next_slot(&self, wall: NaiveDateTime) -> Option<NaiveDateTime> {
        let after = wall.and_utc();
        self.schedules
            .iter()
            .filter_map(|schedule| schedule.after(&after).next())
            .min()
            .map(|slot| slot.naive_utc())
    }
}

fn parsed(line: &str) -> Result<cron::Schedule, String> {
    cron::Schedule::from_str(line).map_err(|error| {
        let why = error.to_string();
        let why = why.lines().filter(|line| !line.trim().is_empty()).next_back().unwrap_or_default();
        format!("is no cron expression ({})", why.trim())
    })
}

/// The runs that come due after `after`, in order, at most `count`. Slots that fall on one instant (several of them in
/// a gap) are one run: the last of them.
pub fn upcoming(cron: &Cron, zone: Tz, after: DateTime<Utc>, count: usize) -> Vec<Due> {
    let mut due: Vec<Due> = Vec::new();
    // one day back: the wall clock of `after` may be on the second pass of a repeated hour
    let mut wall = after.with_timezone(&zone).naive_local() - Duration::days(1);
    while let Some(slot) = cron.next_slot(wall) {
        wall = slot;
        let Some(at) = instant(slot, zone) else { break };
        if at <= after {
            continue;
        }
        let room = due.len() < count;
        match due.last_mut() {
            Some(last) if last.at == at => last.slot = slot,
            Some(_) | None if room => due.push(Due { at, slot }),
            Some(_) | None => break,
        }
    }
    due
}

/// The first instant at which a zone's clocks show `wall`, or, where they skip it, the first instant after the gap.
fn instant(wall: NaiveDateTime, zone: Tz) -> Option<DateTime<Utc>> {
    match zone.from_local_datetime(&wall) {
        LocalResult::Single(at) => Some(at.with_timezone(&Utc)),
        LocalResult::Ambiguous(first, second) => Some(first.min(second).with_timezone(&Utc)),
        LocalResult::None => after_gap(wall, zone),
    }
}

/// The end of the gap that swallows `wall`: the first second at which the clocks show a later time.
fn after_gap(wall: NaiveDateTime, zone: Tz) -> Option<DateTime<Utc>> {
    let shown = |epoch: i64| Some(DateTime::from_timestamp(epoch, 0)?.with_timezone(&zone).naive_local());
    // no offset and no gap is longer than a day
    let (mut before, mut after) =
        ((wall - Duration::days(2)).and_utc().timestamp(), (wall + Duration::days(2)).and_utc().timestamp());
    while after - before > 1 {
        let middle = before + (after - before) / 2;
        if shown(middle)? > wall { after = middle } else { before = middle }
    }
    DateTime::from_timestamp(after, 0)
}
