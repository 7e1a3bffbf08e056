//! What systemd's status says, in a person's words.

use crate::batch::{Report, Scheduled, Slot, Why};
use crate::clock;
use crate::job::Busy;
use chrono::{DateTime, Utc};

/// `2026-03-29 02:30:00 Europe/London`
pub(super) fn slot(slot: &Slot) -> String {
    format!("{} {}", slot.wall, slot.zone)
}

/// Who holds the lock.
pub(super) fn holder(busy: &Busy) -> &str {
    if busy.who.is_empty() { "it has only just started" } else { &busy.who }
}

/// While nothing runs.
pub(super) fn idle(next: Option<&Slot>, again: Option<DateTime<Utc>>, last: Option<&str>) -> String {
    let mut said: Vec<String> = Vec::new();
    said.extend(again.map(|again| format!("tries again at {}", clock::stamp(again))));
    said.push(next.map_or("no next run".to_owned(), |next| format!("next run {}", slot(next))));
    said.extend(last.map(str::to_owned));
    said.join("; ")
}

/// Of the run that has ended last.
pub(super) fn last(report: Option<&Report>, exit: u8, now: DateTime<Utc>) -> String {
    match report {
        Some(report) => format!("last run {} at {}: exit {exit}", report.run, report.at),
        None => format!("last run at {}: exit {exit}", clock::stamp(now)),
    }
}

/// Of the run that begins.
pub(super) fn begins(scheduled: Option<&Scheduled>) -> String {
    let Some(scheduled) = scheduled else { return "running, since it was asked to".to_owned() };
    let which = slot(&scheduled.slot);
    match scheduled.why {
        Why::Due => format!("running for {which}"),
        Why::Missed => format!("running for {which}, which was missed"),
        Why::Again => format!("trying {which} again"),
        Why::Stopped => format!("finishing {which}, whose run was stopped"),
    }
}

/// A signal's name.
pub(super) fn signal(signal: u8) -> &'static str {
    match signal {
        2 => "SIGINT",
        15 => "SIGTERM",
        _ => "a signal",
    }
}
