//! `accrued serve`: the daemon; what it tells goes to stderr, which is its log.

use super::exit::{self, Exit, Fault};
use super::session::Session;
use super::{progress, summary};
use crate::batch::{Invalid, Scheduled, Slot, Why};
use crate::clock;
use crate::daemon::{self, Event, Setup};
use anyhow::Result;
use chrono::Duration;

#[derive(Debug, clap::Args)]
pub(super) struct Args {}

pub(super) fn run(session: &Session, _args: &Args) -> Result<Exit> {
    if session.as_of().is_some() {
        return Err(Fault::usage(
            "serve goes by the machine's clock: --as-of is for accrued run, and accrued run --dry-run --as-of ... rehearses",
        ));
    }
    let signal = daemon::serve(&Setup {
        load: &|| session.config(),
        tell: &|event| tell(session, event),
        words: progress::words,
        exit: |fault| exit::of(fault, None).code(),
    })?;
    Ok(Exit::Stopped(signal))
}

fn tell(session: &Session, event: &Event<'_>) {
    match event {
        Event::Serving { config, next } => {
            session.say(format_args!("serving {}; {}", config.path.display(), coming(*next)));
        }
        Event::Waits { busy } => session.say(format_args!("notice: {}", waits(busy))),
        Event::ClockBehind { until, behind } => session.complain(format_args!(
            "error: the clock stands {} before {}, up to which slots have run: nothing is due until it has come there again; set the clock right, or wait",
            long(*behind),
            clock::stamp(*until)
        )),
        Event::Passed { slot, next } => session.say(format_args!(
            "notice: the run of {} was missed and catch_up = false: it is passed over; {}",
            named(slot),
            coming(*next)
        )),
        Event::GivesUp { slot, next } => session.say(format_args!(
            "notice: {} is not tried again, since retry_for is over; {}",
            named(slot),
            coming(*next)
        )),
        Event::Begins { scheduled } => session.say(begins(*scheduled)),
        Event::Done { config, report, .. } => summary::log(session, config, report),
        Event::Ended { exit, fault, again, next, .. } => ended(session, *exit, *fault, *again, *next),
        Event::Reloaded { config, next } => {
            session.say(format_args!("read {} again; {}", config.path.display(), coming(*next)));
        }
        Event::NotReloaded { fault } => {
            tell_fault(session, fault);
            session.complain("error: the new config is refused: the old one stays in force");
        }
        Event::Stopping { signal, running } => {
            let what = if *running { "the run under way ends at its next step" } else { "nothing is under way" };
            session.say(format_args!("stopping by {signal}: {what}"));
        }
        Event::Abandoned { after } => session.complain(format_args!(
            "notice: the step under way did not end within {} s and is left: the store is consistent, the next run finishes the work",
            after.as_secs()
        )),
    }
}

fn waits(busy: &crate::job::Busy) -> String {
    let who = if busy.who.is_empty() { "it has only just started" } else { &busy.who };
    format!("another run holds the lock of {}: {who}; waiting for it to end", busy.folder.display())
}

fn named(slot: &Slot) -> String {
    format!("{} {}", slot.wall, slot.zone)
}

fn coming(next: Option<&Slot>) -> String {
    match next {
        Some(slot) => format!("next run {} ({})", named(slot), clock::stamp(slot.due)),
        None => "no run is due any more".to_owned(),
    }
}

fn begins(scheduled: Option<&Scheduled>) -> String {
    let Some(Scheduled { slot, why }) = scheduled else { return "running, as SIGUSR1 has asked".to_owned() };
    let slot = named(slot);
    match why {
        Why::Due => format!("running for {slot}"),
        Why::Missed => format!("running for {slot}, which was missed: one run makes up for all that were"),
        Why::Again => format!("trying {slot} again"),
        Why::Stopped => format!("finishing the work of {slot}, whose run was stopped"),
    }
}

fn ended(
    session: &Session,
    exit: u8,
    fault: Option<&anyhow::Error>,
    again: Option<chrono::DateTime<chrono::Utc>>,
    next: Option<&Slot>,
) {
    if let Some(fault) = fault {
        tell_fault(session, fault);
    }
    let then = match again {
        Some(again) => format!("tries again at {}; {}", clock::stamp(again), coming(next)),
        None => coming(next),
    };
    let line = format!("exit {exit}; {then}");
    match exit {
        0 | 3 => session.say(line),
        _ => session.complain(line),
    }
}

fn tell_fault(session: &Session, fault: &anyhow::Error) {
    match fault.chain().find_map(|cause| cause.downcast_ref::<Invalid>()) {
        Some(Invalid(files)) => files.iter().for_each(|faults| session.show(faults)),
        None => session.complain(format_args!("error: {fault:#}")),
    }
}

/// `3 d 2 h`, `26 min`
fn long(time: Duration) -> String {
    match (time.num_days(), time.num_hours() % 24, time.num_minutes() % 60) {
        (0, 0, minutes) => format!("{minutes} min"),
        (0, hours, minutes) => format!("{hours} h {minutes} min"),
        (days, hours, _) => format!("{days} d {hours} h"),
    }
}
