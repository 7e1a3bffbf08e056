//! What comes due when, by examples and by laws; against a model of the clocks in `model`.

mod model;

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
