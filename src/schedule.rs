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
    let mut due: Vec<Due> = Vec::new();
    // no earlier wall-clock time can come due later: those that the clocks repeat were due at their first occurrence
    let mut wall = after.trunc_subsecs(0).with_timezone(&zone).naive_local();
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn due(line: &str, zone: Tz, after: &str, count: usize) -> Vec<String> {
        let cron = Cron::new(line).expect(line);
        let after: DateTime<Utc> = after.parse().expect("an instant");
        upcoming(&cron, zone, after, count)
            .iter()
            .map(|due| due.at.with_timezone(&zone).format("%FT%T%z").to_string())
            .collect()
    }

    #[test]
    fn five_and_six_fields_are_taken() {
        let daily = ["2026-04-01T02:30:00+0530", "2026-04-02T02:30:00+0530"];
        for line in ["0 30 2 * * *", "30 2 * * *", "  30  2 * *  MON-SUN "] {
            assert_eq!(due(line, chrono_tz::Asia::Kolkata, "2026-03-31T20:59:59.9Z", 2), daily, "{line}");
        }
        // the instant itself has been
        assert_eq!(due("30 2 * * *", chrono_tz::Asia::Kolkata, "2026-03-31T21:00:00Z", 1), daily[1..]);
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        for line in [
            "*/0 * * * *",
            "0/70 * * * *",
            "30 2 * * MON-",
            "30 2 * * ,",
            "30 2 * * MON#",
            "30 2 * 13 *",
            "99999999999 2 * * *",
            "",
            "* * * *",
            "0 0 2 * * * 2030",
            "@daily",
            "0 30 2 * * 1",
            "30 2 * * 0-5",
            "30 2 * * MON,3",
            "30 2 * * */2",
            "0 30 25 * * *",
            "61 2 * * *",
            "x 2 * * *",
            "0 0 0 30 FEB *",
            "0 0 0 L * *",
            "30 2 * * FOO",
            "0 0 2 0 * *",
        ] {
            assert!(Cron::new(line).is_err(), "{line}");
        }
        assert!(Cron::new("30 2 * * 1").unwrap_err().contains("MON"));
        assert!(Cron::new("0 0 0 29 FEB *").is_ok());
    }

    #[test]
    fn a_skipped_time_runs_at_the_first_instant_after_the_gap_and_a_repeated_one_once() {
        let new_york = chrono_tz::America::New_York;
        assert_eq!(
            due("30 2 * * *", new_york, "2026-03-07T12:00:00Z", 2),
            ["2026-03-08T03:00:00-0400", "2026-03-09T02:30:00-0400"]
        );
        assert_eq!(
            due("30 1 * * *", new_york, "2026-10-31T12:00:00Z", 2),
            ["2026-11-01T01:30:00-0400", "2026-11-02T01:30:00-0500"]
        );
        // asked in the second pass of the repeated hour
        assert_eq!(due("45 1 * * *", new_york, "2026-11-01T06:30:00Z", 1), ["2026-11-02T01:45:00-0500"]);
        // a gap of half an hour
        assert_eq!(
            due("15 2 * * *", chrono_tz::Australia::Lord_Howe, "2026-10-03T00:00:00Z", 1),
            ["2026-10-04T02:30:00+1100"]
        );
        // a day that Samoa never had
        assert_eq!(
            due("0 12 * * *", chrono_tz::Pacific::Apia, "2011-12-29T23:00:00Z", 2),
            ["2011-12-31T00:00:00+1400", "2011-12-31T12:00:00+1400"]
        );
    }

    #[test]
    fn slots_that_fall_on_one_instant_are_one_run() {
        assert_eq!(
            due("*/20 * * * *", chrono_tz::Europe::London, "2026-03-29T00:30:00Z", 3),
            ["2026-03-29T00:40:00+0000", "2026-03-29T02:00:00+0100", "2026-03-29T02:20:00+0100"]
        );
    }

    #[test]
    fn day_of_month_and_weekday_are_either() {
        assert_eq!(
            due("0 0 15 * FRI", chrono_tz::UTC, "2026-04-09T00:00:00Z", 4),
            [
                "2026-04-10T00:00:00+0000",
                "2026-04-15T00:00:00+0000",
                "2026-04-17T00:00:00+0000",
                "2026-04-24T00:00:00+0000"
            ]
        );
        assert_eq!(
            due("0 0 * * SAT-SUN,wednesday", chrono_tz::UTC, "2026-04-09T00:00:00Z", 3),
            ["2026-04-11T00:00:00+0000", "2026-04-12T00:00:00+0000", "2026-04-15T00:00:00+0000"]
        );
        assert_eq!(due("0 0 1 * ?", chrono_tz::UTC, "2026-04-09T00:00:00Z", 1), ["2026-05-01T00:00:00+0000"]);
    }

    proptest! {
        #[test]
        fn runs_come_in_order_after_the_instant_asked_for_and_slots_never_twice(
            minutes in 0i64..1_000_000,
            zone in prop::sample::select(vec![
                chrono_tz::Europe::London, chrono_tz::America::New_York, chrono_tz::Australia::Lord_Howe, chrono_tz::Asia::Kolkata,
            ]),
            line in prop::sample::select(vec!["30 1 * * *", "30 2 * * *", "*/15 * * * *", "0 2 * * SUN", "0 0 1 * *"]),
        ) {
            let cron = Cron::new(line).expect(line);
            let after = DateTime::from_timestamp(1_767_225_600 + minutes * 60, 0).expect("an instant");
            let due = upcoming(&cron, zone, after, 30);
            prop_assert_eq!(due.len(), 30);
            prop_assert!(due[0].at > after);
            prop_assert!(due.windows(2).all(|pair| pair[0].at < pair[1].at && pair[0].slot < pair[1].slot));
            // one by one gives the same
            let next = upcoming(&cron, zone, due[0].at, 1);
            prop_assert_eq!(next[0], due[1]);
        }
    }
}
