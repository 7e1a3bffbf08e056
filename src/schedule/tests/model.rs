//! A model of a schedule that walks through the instants one by one and looks at the clocks: a time of day that the clocks pass
//! for the first time is due at that instant, and so is all that they jump over.

use super::super::*;
use chrono::{Datelike, Timelike};
use proptest::prelude::*;
use std::collections::BTreeSet;

/// A cron line as sets of numbers, for lines of plain numbers, lists, ranges, steps and names of days.
struct Fields {
    seconds: BTreeSet<u32>,
    minutes: BTreeSet<u32>,
    hours: BTreeSet<u32>,
    days: BTreeSet<u32>,
    months: BTreeSet<u32>,
    weekdays: BTreeSet<u32>,
    either: bool,
}

fn numbers(field: &str, first: u32, last: u32) -> BTreeSet<u32> {
    let names = ["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"];
    let number = |text: &str| match names.iter().position(|name| *name == text) {
        Some(day) => u32::try_from(day).expect("a day"),
        None => text.parse().expect("a number"),
    };
    let mut all = BTreeSet::new();
    for item in field.split(',') {
        let (range, step) = item.split_once('/').map_or((item, 1), |(range, step)| (range, number(step)));
        let (from, to) = match range.split_once('-') {
            Some((from, to)) => (number(from), number(to)),
            None if range == "*" => (first, last),
            None if step > 1 => (number(range), last),
            None => (number(range), number(range)),
        };
        all.extend((from..=to).step_by(step as usize));
    }
    all
}

impl Fields {
    fn of(line: &str) -> Fields {
        let fields: Vec<&str> = line.split(' ').collect();
        let [second, minute, hour, day, month, weekday] = fields[..] else { panic!("six fields: {line}") };
        Fields {
            seconds: numbers(second, 0, 59),
            minutes: numbers(minute, 0, 59),
            hours: numbers(hour, 0, 23),
            days: numbers(day, 1, 31),
            months: numbers(month, 1, 12),
            weekdays: numbers(weekday, 0, 6),
            either: day != "*" && weekday != "*",
        }
    }

    fn meets(&self, wall: NaiveDateTime) -> bool {
        let day = self.days.contains(&wall.day());
        let weekday = self.weekdays.contains(&wall.weekday().num_days_from_monday());
        self.seconds.contains(&wall.second())
            && self.minutes.contains(&wall.minute())
            && self.hours.contains(&wall.hour())
            && self.months.contains(&wall.month())
            && if self.either { day || weekday } else { day && weekday }
    }
}

/// What is due after `from` and until `to`, walking in steps of so many seconds, of which the clocks change at a multiple.
fn walked(line: &str, zone: Tz, (from, to): (i64, i64), step: i64) -> Vec<Due> {
    let fields = Fields::of(line);
    let shown = |epoch: i64| {
        DateTime::from_timestamp(epoch, 0).expect("an instant").with_timezone(&zone).naive_local()
    };
    let mut due = Vec::new();
    // long enough before: no clock goes back by more than that
    let begin = from - from.rem_euclid(step) - 4 * 3600;
    let mut passed = shown(begin);
    let mut epoch = begin + step;
    while epoch <= to {
        let wall = shown(epoch);
        let mut slot = None;
        while passed < wall {
            passed += Duration::seconds(step);
            if fields.meets(passed) {
                slot = Some(passed);
            }
        }
        if let (Some(slot), true) = (slot, epoch > from) {
            due.push(Due { at: DateTime::from_timestamp(epoch, 0).expect("an instant"), slot });
        }
        epoch += step;
    }
    due
}

/// Zones with both of their clock changes of 2026 and 2027, as days of UTC.
const ZONES: [(Tz, &[&str]); 5] = [
    (chrono_tz::Europe::London, &["2026-03-29", "2026-10-25", "2027-03-28", "2027-10-31"]),
    (chrono_tz::America::New_York, &["2026-03-08", "2026-11-01", "2027-03-14", "2027-11-07"]),
    (chrono_tz::Australia::Lord_Howe, &["2026-04-04", "2026-10-03", "2027-04-03", "2027-10-02"]),
    (chrono_tz::Asia::Kolkata, &["2026-03-29", "2026-10-25", "2026-11-01", "2027-04-03"]),
    // the clocks change at midnight: a day begins at 01:00, and one has midnight twice
    (chrono_tz::America::Havana, &["2026-03-08", "2026-11-01", "2027-03-14", "2027-11-07"]),
];

fn epoch(day: &str) -> i64 {
    format!("{day}T00:00:00Z").parse::<DateTime<Utc>>().expect("a day").timestamp()
}

fn field(least: u32, most: u32) -> impl Strategy<Value = String> {
    prop_oneof![
        3 => Just("*".to_owned()),
        4 => (least..=most).prop_map(|one| one.to_string()),
        1 => (least..=most, least..=most).prop_map(|(a, b)| format!("{},{}", a.min(b), a.max(b))),
        1 => (least..=most, least..=most).prop_map(|(a, b)| format!("{}-{}", a.min(b), a.max(b))),
        1 => (2..=20u32).prop_map(|step| format!("*/{step}")),
    ]
}

fn minute_lines() -> impl Strategy<Value = String> {
    let hours = prop_oneof![2 => field(0, 3), 1 => field(0, 23)];
    let days = prop_oneof![4 => Just("*".to_owned()), 1 => field(1, 31)];
    let weekdays = prop_oneof![4 => Just("*"), 1 => Just("SUN"), 1 => Just("SAT-SUN"), 1 => Just("MON,SUN")];
    (field(0, 59), hours, days, weekdays)
        .prop_map(|(minute, hour, day, weekday)| format!("0 {minute} {hour} {day} * {weekday}"))
}

/// The first that differs.
fn same(found: &[Due], wanted: &[Due]) -> Result<(), String> {
    let pairs = found.iter().zip(wanted);
    match pairs.into_iter().find(|(found, wanted)| found != wanted) {
        Some((found, wanted)) => Err(format!("{found:?}, not {wanted:?}")),
        None if found.len() != wanted.len() => Err(format!("{} runs, not {}", found.len(), wanted.len())),
        None => Ok(()),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]
    #[test]
    fn a_schedule_through_clock_changes_is_that_of_a_walk_along_the_clocks(
        (zone, days) in prop::sample::select(ZONES.to_vec()),
        change in 0usize..4,
        line in minute_lines(),
        from in 0i64..86_400,
    ) {
        let begin = epoch(days[change]) - 86_400 + from;
        let end = begin + 2 * 86_400;
        let wanted = walked(&line, zone, (begin, end), 60);
        let cron = Cron::new(&line).expect("a line");
        let after = DateTime::from_timestamp(begin, 0).expect("an instant");
        let until = DateTime::from_timestamp(end, 0).expect("an instant");
        let found: Vec<Due> = runs(&cron, zone, after).take_while(|due| due.at <= until).collect();
        prop_assert_eq!(same(&found, &wanted), Ok(()), "{}", line);
        prop_assert_eq!(latest(&cron, zone, after, until), wanted.last().copied());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn a_schedule_of_seconds_through_the_hours_of_a_clock_change_is_that_of_a_walk(
        (zone, days) in prop::sample::select(ZONES.to_vec()),
        change in 0usize..4,
        second in field(0, 59),
        minute in field(0, 59),
    ) {
        let line = format!("{second} {minute} * * * *");
        let cron = Cron::new(&line).expect("a line");
        // the clocks change within these six hours of the day: at 01:00 UTC, 02:00 local or midnight local
        let begin = epoch(days[change]) + if zone == chrono_tz::Australia::Lord_Howe { 13 * 3600 } else { 3600 / 2 };
        let end = begin + 7 * 3600;
        let (after, until) = (DateTime::from_timestamp(begin, 0), DateTime::from_timestamp(end, 0));
        let (after, until) = (after.expect("an instant"), until.expect("an instant"));
        let found: Vec<Due> = runs(&cron, zone, after).take_while(|due| due.at <= until).collect();
        prop_assert_eq!(same(&found, &walked(&line, zone, (begin, end), 1)), Ok(()), "{}", line);
    }
}

/// A day's schedule, spelled out.
fn day(line: &str, zone: Tz, date: &str) -> Vec<String> {
    let cron = Cron::new(line).expect(line);
    let midnight: NaiveDateTime = format!("{date}T00:00:00").parse().expect("a day");
    let begin = instant(midnight, zone).expect("an instant") - Duration::seconds(1);
    let end = instant(midnight + Duration::days(1), zone).expect("an instant");
    runs(&cron, zone, begin)
        .take_while(|due| due.at < end)
        .map(|due| due.at.with_timezone(&zone).format("%H:%M%:z").to_string())
        .collect()
}

#[test]
fn a_days_schedule_in_four_zones_through_both_clock_changes() {
    let line = "30 0-3 * * *";
    let london = chrono_tz::Europe::London;
    assert_eq!(day(line, london, "2026-03-29"), ["00:30+00:00", "02:00+01:00", "02:30+01:00", "03:30+01:00"]);
    assert_eq!(day(line, london, "2026-10-25"), ["00:30+01:00", "01:30+01:00", "02:30+00:00", "03:30+00:00"]);
    let new_york = chrono_tz::America::New_York;
    assert_eq!(
        day(line, new_york, "2026-03-08"),
        ["00:30-05:00", "01:30-05:00", "03:00-04:00", "03:30-04:00"]
    );
    assert_eq!(
        day(line, new_york, "2026-11-01"),
        ["00:30-04:00", "01:30-04:00", "02:30-05:00", "03:30-05:00"]
    );
    let lord_howe = chrono_tz::Australia::Lord_Howe;
    let quarters = "15,45 1-2 * * *";
    assert_eq!(
        day(quarters, lord_howe, "2026-10-04"),
        ["01:15+10:30", "01:45+10:30", "02:30+11:00", "02:45+11:00"]
    );
    assert_eq!(
        day(quarters, lord_howe, "2026-04-05"),
        ["01:15+11:00", "01:45+11:00", "02:15+10:30", "02:45+10:30"]
    );
    for date in ["2026-03-29", "2026-10-25"] {
        let kolkata = day(line, chrono_tz::Asia::Kolkata, date);
        assert_eq!(kolkata, ["00:30+05:30", "01:30+05:30", "02:30+05:30", "03:30+05:30"]);
    }
}

#[test]
fn a_long_absence_costs_no_walk_through_every_second_of_it() {
    let cron = Cron::new("* * * * * *").expect("a line");
    let now: DateTime<Utc> = "2026-11-22T10:00:00Z".parse().expect("an instant");
    let due = latest(&cron, chrono_tz::UTC, now - Duration::days(30_000), now).expect("due");
    assert_eq!(due.at, now);
    let yearly = Cron::new("0 0 1 JAN *").expect("a line");
    let due = latest(&yearly, chrono_tz::UTC, now - Duration::days(1000), now).expect("due");
    assert_eq!(due.at.to_rfc3339(), "2026-01-01T00:00:00+00:00");
    assert_eq!(latest(&yearly, chrono_tz::UTC, now - Duration::days(100), now), None);
}
