//! The agenda by examples, and through random lives of a daemon: runs of any length and outcome, kills, downtime, clocks that
//! are set.

use super::*;
use crate::config::Schedule;
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::time;

fn schedule(cron: &str) -> Schedule {
    Schedule {
        cron: cron.to_owned(),
        timezone: chrono_tz::Europe::London,
        catch_up: true,
        retry: time::Duration::from_secs(30 * 60),
        retry_for: time::Duration::from_secs(2 * 3600),
    }
}

fn plan(cron: &str) -> Plan {
    Plan::of(&schedule(cron)).expect("a plan")
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().expect("an instant")
}

fn known(since: &str) -> Known {
    Known { since: at(since), missed: None, pursuit: None, attended: at(since), asked: Asked::No }
}

fn ran(next: Next) -> (DateTime<Utc>, Why) {
    match next {
        Next::Run(Some(scheduled)) => (scheduled.slot.due, scheduled.why),
        Next::Run(None) | Next::Pass(_) | Next::GiveUp(_) | Next::Wait(_) => {
            panic!("{next:?} is no run of a slot")
        }
    }
}

#[test]
fn a_slot_is_waited_for_and_runs_once() {
    let plan = plan("30 2 * * *");
    let mut known = known("2026-11-20T10:00:00Z");
    known.attended = at("2026-11-21T02:29:30Z");
    let due = at("2026-11-21T02:30:00Z");
    assert_eq!(next(&plan, &known, at("2026-11-21T02:29:59Z")), Next::Wait(Some(due)));
    let Next::Run(Some(scheduled)) = next(&plan, &known, due) else { panic!("due") };
    assert_eq!((scheduled.slot.due, scheduled.why), (due, Why::Due));
    known.begins(Some(&scheduled));
    known.ended(&plan, Some(&scheduled), Ended::ForGood, at("2026-11-21T02:31:00Z"));
    let tomorrow = Next::Wait(Some(at("2026-11-22T02:30:00Z")));
    assert_eq!(next(&plan, &known, at("2026-11-21T02:31:00Z")), tomorrow);
    // the clock is set back: the slot has run
    assert_eq!(next(&plan, &known, at("2026-11-21T02:30:00Z")), tomorrow);
    assert_eq!(next(&plan, &known, at("2026-11-20T02:00:00Z")), tomorrow);
}

#[test]
fn however_many_slots_were_missed_one_run_makes_up_for_them() {
    let plan = plan("30 2 * * *");
    let now = at("2026-11-21T09:00:00Z");
    let mut known = known("2026-11-21T09:00:00Z");
    known.missed = plan.last_due(at("2026-11-10T02:30:00Z"), now);
    let Next::Run(Some(scheduled)) = next(&plan, &known, now) else { panic!("due") };
    assert_eq!((scheduled.slot.due, scheduled.why), (at("2026-11-21T02:30:00Z"), Why::Missed));
    known.begins(Some(&scheduled));
    known.ended(&plan, Some(&scheduled), Ended::ForGood, now);
    assert_eq!(next(&plan, &known, now), Next::Wait(Some(at("2026-11-22T02:30:00Z"))));
}

#[test]
fn without_catch_up_a_missed_slot_is_passed_over_and_one_that_came_due_during_a_run_is_not() {
    let mut plan = plan("30 * * * *");
    plan.catch_up = CatchUp::Never;
    let mut known = known("2026-11-21T01:30:00Z");
    let now = at("2026-11-21T03:00:00Z");
    let Next::Pass(slot) = next(&plan, &known, now) else { panic!("passed") };
    known.settle(&slot);
    assert_eq!(next(&plan, &known, now), Next::Wait(Some(at("2026-11-21T03:30:00Z"))));
    // a run from 03:30 to 05:10
    known.attended = at("2026-11-21T05:10:00Z");
    known.since = at("2026-11-21T03:30:00Z");
    assert_eq!(ran(next(&plan, &known, at("2026-11-21T05:10:01Z"))), (at("2026-11-21T04:30:00Z"), Why::Due));
    // the machine slept over a slot
    known.since = at("2026-11-21T05:00:00Z");
    assert!(matches!(next(&plan, &known, at("2026-11-21T06:00:00Z")), Next::Pass(_)));
}

#[test]
fn after_a_temporary_fault_a_slot_is_tried_again_until_retry_for_is_over_or_the_next_comes() {
    let plan = plan("0 2 * * *");
    let mut known = known("2026-11-20T10:00:00Z");
    let mut now = at("2026-11-21T02:00:00Z");
    known.attended = now;
    let mut tries = Vec::new();
    while let Next::Run(Some(scheduled)) = next(&plan, &known, now) {
        tries.push((now.format("%H:%M").to_string(), scheduled.why.word()));
        known.begins(Some(&scheduled));
        now += Duration::minutes(1);
        known.ended(&plan, Some(&scheduled), Ended::Temporarily, now);
        if let Next::Wait(Some(until)) = next(&plan, &known, now) {
            now = until;
            known.attended = now;
        }
        if tries.len() > 9 {
            break;
        }
    }
    let again = ["02:31", "03:02", "03:33"].map(|time| (time.to_owned(), "again"));
    assert_eq!(tries[0], ("02:00".to_owned(), "due"));
    assert_eq!(tries[1..4], again);
    // what would be later than retry_for after the first failure is not tried; the next day is
    assert_eq!(tries[4].1, "due");
}

#[test]
fn a_machine_that_slept_over_its_retries_gives_them_up() {
    let plan = plan("0 2 * * *");
    let mut known = known("2026-11-21T02:00:00Z");
    let slot = plan.last_due(at("2026-11-20T10:00:00Z"), at("2026-11-21T02:00:00Z")).expect("a slot");
    known.pursuit = plan.again(slot.clone(), at("2026-11-21T02:05:00Z"), at("2026-11-21T02:05:00Z"));
    known.attended = at("2026-11-21T02:06:00Z");
    assert_eq!(next(&plan, &known, at("2026-11-21T09:00:00Z")), Next::GiveUp(slot));
}

#[test]
fn a_run_that_was_stopped_is_taken_up_at_once_and_if_it_is_stopped_again_at_the_distance_of_retries() {
    let mut plan = plan("0 2 * * *");
    let started = at("2026-11-21T02:00:00Z");
    let slot = plan.last_due(at("2026-11-20T10:00:00Z"), started).expect("a slot");
    let once = plan.stopped(slot.clone(), started, started, 1).expect("taken up");
    assert_eq!((once.next, once.scheduled.why), (started, Why::Stopped));
    let twice = plan.stopped(slot.clone(), started, started + Duration::minutes(1), 2).expect("taken up");
    assert_eq!(twice.next, at("2026-11-21T02:31:00Z"));
    assert_eq!(plan.stopped(slot.clone(), started, started + Duration::hours(2), 5), None);
    plan.catch_up = CatchUp::Never;
    assert_eq!(plan.stopped(slot, started, started, 1), None);
}

#[test]
fn a_person_is_answered_by_one_run_and_a_slot_by_its_own() {
    let plan = plan("30 2 * * *");
    let mut known = known("2026-11-20T10:00:00Z");
    let now = at("2026-11-20T12:00:00Z");
    known.attended = now;
    known.asked = Asked::Yes;
    assert_eq!(next(&plan, &known, now), Next::Run(None));
    known.begins(None);
    known.ended(&plan, None, Ended::Temporarily, now);
    // asked for by a person, tried again by a person
    let due = at("2026-11-21T02:30:00Z");
    assert_eq!(next(&plan, &known, now), Next::Wait(Some(due)));
    // a slot that is due at the same time answers both
    known.asked = Asked::Yes;
    known.attended = due;
    let Next::Run(Some(scheduled)) = next(&plan, &known, due) else { panic!("due") };
    known.begins(Some(&scheduled));
    known.ended(&plan, Some(&scheduled), Ended::ForGood, due);
    assert!(matches!(next(&plan, &known, due), Next::Wait(_)));
}

/// What happens in a daemon's life, one after the other.
#[derive(Debug, Clone)]
enum Event {
    /// it waits as long as it wants to
    Wait,
    /// the next run takes so many seconds and fails temporarily
    Fail(i64),
    /// the next run takes so long and ends well
    Succeed(i64),
    /// it is down for so many seconds, then reads the journal
    Down(i64),
    /// its clock is set, or the machine sleeps
    Jump(i64),
    Ask,
}

fn events() -> impl Strategy<Value = Event> {
    prop_oneof![
        4 => Just(Event::Wait),
        2 => (0i64..9000).prop_map(Event::Fail),
        3 => (0i64..9000).prop_map(Event::Succeed),
        1 => (0i64..200_000).prop_map(Event::Down),
        1 => (-90_000i64..200_000).prop_map(Event::Jump),
        1 => Just(Event::Ask),
    ]
}

/// A daemon's life: slots by the instant at which they ran, and why.
fn live(
    plan: &Plan,
    start: DateTime<Utc>,
    events: &[Event],
) -> Result<Vec<(DateTime<Utc>, Scheduled)>, String> {
    let mut runs: Vec<(DateTime<Utc>, Scheduled)> = Vec::new();
    let mut now = start;
    let mut known = Known { since: start, missed: None, pursuit: None, attended: start, asked: Asked::No };
    for event in events {
        let (takes, how) = match event {
            Event::Ask => {
                known.asked = Asked::Yes;
                continue;
            }
            Event::Jump(by) => {
                now += Duration::seconds(*by);
                continue;
            }
            Event::Down(by) => {
                now += Duration::seconds(*by);
                // what the journal tells: the last slot, and whether it is tried again
                known.missed = plan.last_due(known.since, now).or(known.missed);
                known.since = known.since.max(now);
                known.attended = now;
                known.asked = Asked::No;
                continue;
            }
            Event::Wait => (0, Ended::ForGood),
            Event::Fail(takes) => (*takes, Ended::Temporarily),
            Event::Succeed(takes) => (*takes, Ended::ForGood),
        };
        for turn in 0.. {
            if turn > 3 {
                return Err(format!("it does not come to rest at {now}"));
            }
            let what = next(plan, &known, now);
            known.attended = now;
            match what {
                Next::Pass(slot) => known.settle(&slot),
                Next::GiveUp(_) => known.pursuit = None,
                Next::Wait(None) => break,
                Next::Wait(Some(until)) if until <= now => {
                    return Err(format!("waits until {until} at {now}"));
                }
                Next::Wait(Some(until)) => {
                    now = until.min(now + Duration::seconds(60));
                    known.attended = now;
                    break;
                }
                Next::Run(scheduled) => {
                    known.begins(scheduled.as_ref());
                    runs.extend(scheduled.clone().map(|scheduled| (now, scheduled)));
                    now += Duration::seconds(takes);
                    known.ended(plan, scheduled.as_ref(), how, now);
                    break;
                }
            }
        }
    }
    Ok(runs)
}

proptest! {
    #[test]
    fn no_slot_runs_twice_and_none_before_its_time(
        line in prop::sample::select(vec!["30 1 * * *", "0 * * * *", "*/7 * * * *", "0 3 * * SUN"]),
        start in 1_772_000_000i64..1_800_000_000,
        events in prop::collection::vec(events(), 1..400),
        catch_up in prop::sample::select(vec![CatchUp::Once, CatchUp::Never]),
    ) {
        let plan = Plan { catch_up, ..plan(line) };
        let start = DateTime::from_timestamp(start, 0).expect("an instant");
        let runs = live(&plan, start, &events).map_err(TestCaseError::fail)?;
        let mut fresh = BTreeSet::new();
        let mut last = start;
        for (now, Scheduled { slot, why }) in &runs {
            prop_assert!(slot.due <= *now, "{slot:?} ran at {now}");
            match why {
                Why::Due | Why::Missed => {
                    prop_assert!(fresh.insert(slot.due), "{slot:?} ran twice");
                    prop_assert!(slot.due > last, "{slot:?} after that of {last}");
                    last = slot.due;
                }
                Why::Again | Why::Stopped => prop_assert_eq!(slot.due, last, "only the last slot is tried again"),
            }
            prop_assert!(*why != Why::Missed || catch_up == CatchUp::Once);
        }
    }
}

#[test]
fn who_is_always_there_runs_every_slot_once_also_through_clock_changes() {
    for line in ["30 1 * * *", "15 * * * *", "*/20 * * * *"] {
        for day in ["2026-03-28T00:00:00Z", "2026-10-24T00:00:00Z"] {
            let plan = plan(line);
            let runs = live(&plan, at(day), &vec![Event::Succeed(0); 4000]).expect("a life");
            let found: Vec<Slot> = runs.into_iter().map(|(_, scheduled)| scheduled.slot).collect();
            let end = found.last().expect("runs").due;
            let mut wanted = Vec::new();
            let mut after = at(day);
            while let Some(slot) = plan.next_after(after).filter(|slot| slot.due <= end) {
                after = slot.due;
                wanted.push(slot);
            }
            assert!(found == wanted, "{line} from {day}: {} runs, not {}", found.len(), wanted.len());
        }
    }
}
