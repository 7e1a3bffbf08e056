//! The cron schedule as arithmetic: when the next run is due. Pure: no clock, no thread.
//!
//! The expression is evaluated on wall-clock time and each slot is mapped to an instant here: a local time that the
//! clocks skip runs at the first instant after the gap, one that they repeat at its first occurrence (facts.md).
//! Where day of month and weekday are both restricted either is enough, as crons do everywhere else.

use chrono::{DateTime, Duration, LocalResult, NaiveDateTime, SubsecRound, TimeZone, Utc};
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
        let [seconds, minutes, hours, day, month, weekday] = fields.as_slice() else {
            return Err(format!("has {} fields, not 6 (sec min hour day month weekday) or 5", fields.len()));
        };
        for (field, unit, least, most) in [
            (seconds, "second", 0, 59),
            (minutes, "minute", 0, 59),
            (hours, "hour", 0, 23),
            (day, "day of the month", 1, 31),
            (month, "month", 1, 12),
        ] {
            check_numbers(field, unit, least, most)?;
        }
        let weekdays = weekdays(weekday)?;
        fields[5] = &weekdays;
        let (day, weekday) = (fields[3], fields[5]);
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
    cron::Schedule::from_str(line).map_err(|_| "is no cron expression".to_owned())
}

/// Numbers of a field within their range, steps at least 1.
fn check_numbers(field: &str, unit: &str, least: u32, most: u32) -> Result<(), String> {
    for (index, part) in field.split('/').enumerate() {
        for digits in part.split(|c: char| !c.is_ascii_digit()).filter(|digits| !digits.is_empty()) {
            let number: Option<u32> = digits.parse().ok();
            if index > 0 && number.is_none_or(|step| step == 0 || step > most) {
                return Err(format!("has a step of {digits} for the {unit}, not from 1 to {most}"));
            }
            if index == 0 && number.is_none_or(|number| number < least || number > most) {
                return Err(format!("has {unit} {digits}, not from {least} to {most}"));
            }
        }
    }
    Ok(())
}

const WEEK: [&str; 7] = ["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"];

/// The weekday field as a list of names. Days by number and steps are refused, since crons count them from
/// different days; `SAT-SUN` and `FRI-MON` are what they say, on whatever day a week begins.
fn weekdays(field: &str) -> Result<String, String> {
    if matches!(field, "*" | "?") {
        return Ok(field.to_owned());
    }
    if let Some(digit) = field.chars().find(char::is_ascii_digit) {
        return Err(format!(
            "has the number {digit} for a weekday, which differs between crons (write MON, TUE ...)"
        ));
    }
    let mut days: Vec<&str> = Vec::new();
    for item in field.split(',') {
        let (first, last) = item.split_once('-').unwrap_or((item, item));
        let (first, last) = (weekday(first)?, weekday(last)?);
        let length = (last + 7 - first) % 7;
        days.extend((0..=length).map(|step| WEEK[(first + step) % 7]));
    }
    Ok(days.join(","))
}

fn weekday(name: &str) -> Result<usize, String> {
    let short = name.get(..3).unwrap_or(name);
    let full = ["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY"];
    let known = |day: &usize| {
        WEEK[*day].eq_ignore_ascii_case(short) && (name.len() == 3 || full[*day].eq_ignore_ascii_case(name))
    };
    (0..7)
        .find(known)
        .ok_or_else(|| format!("has {name:?} for a weekday (write MON TUE WED THU FRI SAT SUN)"))
}

/// The runs that come due after `after`, in order, at most `count`. Slots that fall on one instant (several of them in
/// a gap) are one run: the last of them.
pub fn upcoming(cron: &Cron, zone: Tz, after: DateTime<Utc>, count: usize) -> Vec<Due> {
    runs(cron, zone, after).take(count).collect()
}

/// The last run that came due after `after` and not later than `now`; `None` where none did. However long ago `after` is, few
/// slots are looked at.
pub fn latest(cron: &Cron, zone: Tz, after: DateTime<Utc>, now: DateTime<Utc>) -> Option<Due> {
    let spans = [Duration::minutes(1), Duration::hours(1), Duration::days(1), Duration::days(32)];
    let starts = spans.iter().filter_map(|span| now.checked_sub_signed(*span)).filter(|start| *start > after);
    starts.chain([after]).find_map(|start| runs(cron, zone, start).take_while(|due| due.at <= now).last())
}

/// The runs that come due after an instant, in order, without end.
fn runs(cron: &Cron, zone: Tz, after: DateTime<Utc>) -> impl Iterator<Item = Due> {
    // no earlier wall-clock time can come due later: those that the clocks repeat were due at their first occurrence
    let mut wall = after.trunc_subsecs(0).with_timezone(&zone).naive_local();
    let slots = std::iter::from_fn(move || {
        wall = cron.next_slot(wall)?;
        Some(Due { at: instant(wall, zone)?, slot: wall })
    });
    let mut slots = slots.skip_while(move |due| due.at <= after).peekable();
    std::iter::from_fn(move || {
        let mut due = slots.next()?;
        while let Some(later) = slots.next_if(|later| later.at == due.at) {
            due = later;
        }
        Some(due)
    })
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

#[cfg(test)]
mod tests;
