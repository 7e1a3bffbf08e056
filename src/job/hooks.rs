//! What hooks are told of a run, and calling them: after the lock is given back, one after the other, in the order of the config.

use crate::batch::{FileLine, Report};
use crate::clock;
use crate::config::{Config, Hook, HookEvent};
use crate::hook::{self, Call, Ended};
use crate::inbox::Cancel;
use crate::store::Store;
use crate::store::files::FileState;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;

/// Of the JSON: a change that a reader of an earlier one could stumble over takes the next number.
const SCHEMA: u32 = 1;

/// Most items of each list in the JSON; how many there are in all stands in its counts.
const LISTED: usize = 1_000;

/// Lines of a hook's words that are logged.
const LINES_TOLD: usize = 20;

/// A run that has ended.
pub(super) struct Ran<'r> {
    pub(super) config: &'r Config,
    pub(super) start: DateTime<Utc>,
    pub(super) duration: Duration,
    /// its number; `None` where it did not come as far as having one
    pub(super) number: Option<i64>,
    pub(super) exit: u8,
    pub(super) done: Result<&'r Report, &'r anyhow::Error>,
}

/// Calls every hook that this run concerns. What becomes of them changes nothing of the run.
pub(super) fn call_all(ran: &Ran<'_>, cancel: &Cancel) {
    if ran.config.hooks.is_empty() {
        return;
    }
    for event in events(ran) {
        let body = format!("{}\n", body(ran, event));
        for hook in ran.config.hooks.iter().filter(|hook| hook.on.contains(&event)) {
            if cancel.check().is_ok() {
                call(ran.config, hook, event, &body, cancel);
            }
        }
    }
}

/// What has happened, in the order in which it is told.
fn events(ran: &Ran<'_>) -> Vec<HookEvent> {
    let did_its_work = matches!(ran.exit, 0 | 3);
    let mut events = Vec::new();
    if ran.done.is_ok_and(|report| report.files.iter().any(is_refused)) {
        events.push(HookEvent::FileRefused);
    }
    if did_its_work {
        events.extend([HookEvent::RunFinished, HookEvent::Heartbeat]);
    } else {
        events.push(HookEvent::RunFailed);
    }
    events
}

/// Refused or set aside whole, and not told before.
fn is_refused(file: &FileLine) -> bool {
    match file.state {
        FileState::Refused => !file.told,
        FileState::Held => true,
        FileState::Ingested | FileState::Duplicate => false,
    }
}

fn call(config: &Config, hook: &Hook, event: HookEvent, body: &str, cancel: &Cancel) {
    let folder = config.path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let (program, folder) = (absolute(&hook.program), absolute(folder.unwrap_or(Path::new("."))));
    let asked = Call {
        program: &program,
        arguments: &hook.arguments,
        folder: &folder,
        event: event.word(),
        timeout: hook.timeout,
    };
    let (event, program) = (event.word(), program.display());
    let called = hook::begin(&asked, body.as_bytes()).and_then(|calling| {
        let stopper = calling.stopper();
        let _woken = cancel.wakes(move || stopper.stop());
        // whoever watches over the run sees that it goes on
        let _limited = cancel.limited();
        calling.wait()
    });
    let called = match called {
        Ok(called) => called,
        Err(fault) => return tracing::warn!(%event, "hook for {event}: {fault:#}"),
    };
    for line in called.said.lines().take(LINES_TOLD) {
        tracing::info!(%event, "hook {program} says: {}", line.escape_debug());
    }
    match called.ended {
        Ended::Well => tracing::info!(%event, "called hook {program} for {event}"),
        Ended::Badly(how) => {
            let said = called.said.lines().last().map(|line| format!(": {}", line.escape_debug()));
            let said = said.unwrap_or_default();
            tracing::warn!(%event, "hook {program} for {event} ended with {how}{said}");
        }
        Ended::Late => tracing::warn!(
            %event,
            "hook {program} for {event} was killed: it did not end within its timeout of {} s",
            hook.timeout.as_secs()
        ),
        Ended::Unwanted => {
            tracing::warn!(%event, "hook {program} for {event} was killed: the program is to stop")
        }
    }
}

fn body(ran: &Ran<'_>, event: HookEvent) -> Value {
    let mut body = json!({
        "schema": SCHEMA,
        "event": event.word(),
        "run": ran.number,
        "start": clock::stamp(ran.start),
        "end": clock::stamp(ran.start + ran.duration),
        "duration_ms": u64::try_from(ran.duration.as_millis()).unwrap_or(u64::MAX),
        "exit": ran.exit,
        "program": env!("CARGO_PKG_VERSION"),
        "config": ran.config.path.display().to_string(),
        "data_dir": ran.config.data_dir.display().to_string(),
    });
    match ran.done {
        Ok(report) => {
            let parts = [
                ("files", files(report, event)),
                ("counts", counts(report)),
                ("posted", posted(report)),
                ("holds", holds(report)),
                ("missing", report.missing.iter().take(LISTED).map(|(_, what)| what.clone()).collect()),
                ("waiting", waiting(report)),
                ("faults", faults(report)),
                ("chain", json!({ "entry": report.last_entry, "head": report.head })),
            ];
            for (key, part) in parts {
                body[key] = part;
            }
        }
        Err(fault) => {
            body["error"] = format!("{fault:#}").into();
            body["chain"] = chain(ran.config);
        }
    }
    body
}

/// The head of the chain as a run that broke off has left it.
fn chain(config: &Config) -> Value {
    let head =
        Store::open_reading(&config.data_dir).ok().flatten().and_then(|store| store.ledger_head().ok());
    head.map_or(Value::Null, |(entry, head)| json!({ "entry": entry, "head": head }))
}

fn files(report: &Report, event: HookEvent) -> Value {
    let wanted = |file: &&FileLine| event != HookEvent::FileRefused || is_refused(file);
    let of = |file: &FileLine| {
        let counts = &file.counts;
        json!({
            "feed": file.feed, "name": file.name, "state": file.state.word(), "reason": file.reason, "detail": file.detail,
            "news": file.state == FileState::Ingested || is_refused(file),
            "rows": counts.rows, "accepted": counts.accepted, "duplicate": counts.duplicate,
            "superseding": counts.superseding, "outdated": counts.outdated, "held": counts.held,
            "rejected": counts.rejected, "rejects": file.rejects,
        })
    };
    report.files.iter().filter(wanted).take(LISTED).map(of).collect()
}

fn counts(report: &Report) -> Value {
    let rows = |count: fn(&FileLine) -> u64| report.files.iter().map(count).sum::<u64>();
    json!({
        "files": report.files.len(),
        "rows": rows(|file| file.counts.rows),
        "accepted": rows(|file| file.counts.accepted),
        "duplicate": rows(|file| file.counts.duplicate),
        "superseding": rows(|file| file.counts.superseding),
        "outdated": rows(|file| file.counts.outdated),
        "held": rows(|file| file.counts.held),
        "rejected": rows(|file| file.counts.rejected),
        "new_holds": report.new_holds.len(),
        "open_holds": report.open_holds,
        "missing": report.missing.len(),
        "faults": report.faults.len(),
        "evaluated": report.evaluated,
        "entries": report.cycles.iter().map(|line| line.entries).sum::<u64>(),
        "cycles_closed": report.cycles.iter().filter(|line| line.closed).count(),
    })
}

/// Points are texts: exact.
fn posted(report: &Report) -> Value {
    let of = |line: &crate::batch::CycleLine| {
        json!({
            "scheme": line.scheme, "cycle": line.cycle, "partners": line.partners, "entries": line.entries,
            "points": line.points.to_string(), "closed": line.closed, "published": line.published,
        })
    };
    report.cycles.iter().take(LISTED).map(of).collect()
}

fn holds(report: &Report) -> Value {
    let of = |hold: &crate::store::holds::NewHold| {
        json!({
            "kind": hold.kind, "scheme": hold.scheme, "cycle": hold.cycle, "partner_code": hold.partner,
            "lines": hold.lines, "amount": hold.amount.normalize().to_string(),
            "points": crate::domain::points::Points(hold.points).to_string(), "detail": hold.detail,
        })
    };
    report.new_holds.iter().take(LISTED).map(of).collect()
}

fn waiting(report: &Report) -> Value {
    let of = |(scheme, cycle, why): &(String, String, String)| json!({ "scheme": scheme, "cycle": cycle, "why": why });
    report.waiting.iter().take(LISTED).map(of).collect()
}

fn faults(report: &Report) -> Value {
    let of = |fault: &crate::batch::FeedFault| json!({ "feed": fault.feed, "exit": fault.exit.code(), "why": fault.why });
    report.faults.iter().take(LISTED).map(of).collect()
}
