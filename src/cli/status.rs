//! `accrued status`: feeds, files expected and missing, what waits for a person, open cycles, the last run, the next ones.

use super::exit::Exit;
use super::output::{Column, text};
use super::session::Session;
use super::summary::{MEND, counted};
use crate::batch::{
    Awaited, OTHER_VERSION, OpenCycle, Places, Stays, awaited, open_cycles, place_of, this_version,
    waiting_for,
};
use crate::config::{Config, Push};
use crate::schedule::{Cron, upcoming};
use crate::scheme::Family;
use crate::store::files::{FileRow, FileState};
use crate::store::holds::{Ended, Hold};
use crate::store::pushed::Destination;
use crate::store::{HELD_BEFORE, Store};
use anyhow::{Result, anyhow};
use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use std::collections::BTreeMap;

#[derive(Debug, clap::Args)]
pub(super) struct Args {}

/// Runs that are told ahead.
const NEXT_RUNS: usize = 3;

const COLUMNS: [Column; 5] = [text("what"), text("name"), text("state"), text("since"), text("detail")];

/// What is told of one thing.
struct Line {
    what: &'static str,
    name: String,
    state: String,
    since: String,
    detail: String,
    /// whether a person must do something
    waits: bool,
}

pub(super) fn run(session: &Session, _args: &Args) -> Result<Exit> {
    let config = session.config()?;
    let schemes = session.schemes(&config)?;
    let mut lines = Vec::new();
    let mut now = session.now();
    match session.store_if_any(&config)? {
        None => lines.push(never_run(&config)),
        Some(store) => {
            now = session.now_for(&store)?;
            let families = session.families(&config, &store)?;
            lines.push(last_run(&config, &store)?);
            lines.extend(feeds(&config, &store)?);
            lines.extend(pushes(&config, &store, now)?);
            lines.extend(missing(&config, &store, &families, now)?);
            lines.extend(files(&store, &config)?);
            lines.extend(holds(&store)?);
            lines.extend(cycles(&config, &store, &families, now)?);
        }
    }
    lines.extend(next_runs(&config, now)?);
    let waits = lines.iter().any(|line| line.waits);
    let mut table = session.table("status", &COLUMNS)?;
    for line in &lines {
        table.row(&[line.what, &line.name, &line.state, &line.since, &line.detail])?;
    }
    table.end()?;
    if schemes.families.is_empty() {
        session.next(format!("write a scheme into {}", config.schemes_dir.display()));
    }
    hint(session, &lines);
    Ok(if waits { Exit::Waits } else { Exit::Done })
}

fn hint(session: &Session, lines: &[Line]) {
    let any = |what: &str| lines.iter().any(|line| line.what == what && line.waits);
    if any("hold") {
        session.next("accrued holds lists each of them");
    }
    if any("cycle") {
        session
            .next("accrued close SCHEME CYCLE --reason R closes a cycle without a file that will not come");
    }
    if any("file") {
        session.next(MEND);
    }
}

fn never_run(config: &Config) -> Line {
    let detail = format!("accrued run makes the store in {}", config.data_dir.display());
    Line {
        what: "run",
        name: String::new(),
        state: "never".into(),
        since: String::new(),
        detail,
        waits: false,
    }
}

fn last_run(config: &Config, store: &Store) -> Result<Line> {
    // serve has made the store and waits for its first slot
    let Some(started) = store.last_record("run-started")? else {
        return Ok(Line { detail: "accrued serve waits for its first slot".into(), ..never_run(config) });
    };
    let finished = store.last_record("run-finished")?.filter(|finished| finished.seq > started.seq);
    let (state, detail) = match &finished {
        None => (
            "unfinished".to_owned(),
            "it is under way, or was stopped: the next run finishes its work".into(),
        ),
        Some(record) => {
            let body: serde_json::Value = serde_json::from_str(&record.body)
                .map_err(|fault| anyhow!("journal record {} is not what it was: {fault}", record.seq))?;
            let head = body["head"].as_str().unwrap_or_default();
            let by = by_another(store, started.stamp.run)?;
            (format!("exit {}", body["exit"]), format!("chain head {} {head}{by}", body["entry"]))
        }
    };
    Ok(Line {
        what: "run",
        name: started.stamp.run.to_string(),
        state,
        since: started.stamp.at,
        detail,
        waits: false,
    })
}

/// Names the version that made a run, where it is another than this one.
fn by_another(store: &Store, run: i64) -> Result<String> {
    let this = this_version();
    Ok(match store.made_by(run)? {
        Some(other) if other != this => format!("; made by {other}, this is {this}"),
        Some(_) | None => String::new(),
    })
}

fn feeds(config: &Config, store: &Store) -> Result<Vec<Line>> {
    let mut last: BTreeMap<String, FileRow> = BTreeMap::new();
    for file in store.files(None)? {
        last.insert(file.arrival.feed.clone(), file);
    }
    Ok(config
        .feeds
        .iter()
        .map(|feed| {
            let last = last.get(&feed.name);
            Line {
                what: "feed",
                name: feed.name.clone(),
                state: last.map_or("no file yet", |_| "last file").into(),
                since: last.map(|file| file.taken_at.clone()).unwrap_or_default(),
                detail: last
                    .map(|file| format!("{} ({})", file.arrival.name, file.state.word()))
                    .unwrap_or_default(),
                waits: false,
            }
        })
        .collect())
}

/// What waits to be pushed waits for a run, not for a person.
fn pushes(config: &Config, store: &Store, now: DateTime<Utc>) -> Result<Vec<Line>> {
    let line = |push: &Push| {
        let place = place_of(push);
        let (pushed, last) = store.pushed_so_far(Destination { push: &push.name, place: &place })?;
        let state = match waiting_for(store, config, push, &crate::clock::stamp(now))? {
            0 => "nothing waits".to_owned(),
            waiting => format!("{} waiting", counted(waiting, "file")),
        };
        let detail = format!("{} pushed to {place}", counted(pushed, "file"));
        Ok(Line {
            what: "push",
            name: push.name.clone(),
            state,
            since: last.unwrap_or_default(),
            detail,
            waits: false,
        })
    };
    config.pushes.iter().map(line).collect()
}

fn missing(config: &Config, store: &Store, families: &[Family], now: DateTime<Utc>) -> Result<Vec<Line>> {
    let of_missing = |Awaited { missing, given_up }: Awaited| {
        let detail = format!("feed {}, for {} to {}", missing.feed, missing.period.0, missing.period.1);
        Line {
            what: "missing",
            name: missing.name,
            state: if given_up.is_some() { "given up" } else { "overdue" }.into(),
            since: missing.due.to_string(),
            waits: given_up.is_none(),
            detail: given_up.map_or(detail.clone(), |why| format!("{detail}; {why}")),
        }
    };
    Ok(awaited(store, config, families, now)?.into_iter().map(of_missing).collect())
}

/// Files refused that no later file of their name or period has mended, and files with open rejects.
fn files(store: &Store, config: &Config) -> Result<Vec<Line>> {
    let files = store.files(None)?;
    let mut lines = Vec::new();
    for file in &files {
        let open = match file.state {
            FileState::Refused if files.iter().any(|later| mends(file, later)) => continue,
            FileState::Refused if !store.is_discarded(file.seq)? => 0,
            FileState::Ingested if file.counts.rejected > 0 => match store.open_rejects(file.seq)? {
                0 => continue,
                open => open,
            },
            // a hold tells of it
            FileState::Refused | FileState::Ingested | FileState::Held | FileState::Duplicate => continue,
        };
        lines.push(of_file(config, file, open));
    }
    Ok(lines)
}

/// Under its own name whatever speaks again mends it: rows that are still bad are told of that file. One of its period under
/// another name may be another part of it, unless nothing in it is bad.
fn mends(bad: &FileRow, later: &FileRow) -> bool {
    if later.seq <= bad.seq || later.arrival.feed != bad.arrival.feed {
        return false;
    }
    let same_name = later.arrival.name == bad.arrival.name;
    match later.state {
        FileState::Ingested => same_name || later.counts.rejected == 0 && same_period(bad, later),
        // what was ingested before stands under its name again
        FileState::Duplicate => same_name && later.reason != HELD_BEFORE,
        FileState::Refused | FileState::Held => false,
    }
}

fn same_period(one: &FileRow, other: &FileRow) -> bool {
    let key = |file: &FileRow| {
        let arrival = &file.arrival;
        (arrival.period, arrival.part.clone(), arrival.distributor.clone())
    };
    one.arrival.period.is_some() && key(one) == key(other)
}

fn of_file(config: &Config, file: &FileRow, open: u64) -> Line {
    let (state, detail) = match file.state {
        FileState::Refused | FileState::Held | FileState::Duplicate => {
            (file.state.word().to_owned(), file.detail.clone())
        }
        FileState::Ingested => {
            let name = crate::statement::name::reject_file(&file.arrival.name, &file.arrival.sha256);
            let rows = counted(open, "row");
            let path = Places::of(config).rejects.join(&file.arrival.feed).join(name);
            ("rejected".to_owned(), format!("{rows}: {}", path.display()))
        }
    };
    Line {
        what: "file",
        name: file.arrival.name.clone(),
        state,
        since: file.taken_at.clone(),
        detail: format!("feed {}: {detail}", file.arrival.feed),
        waits: true,
    }
}

/// One line a kind: `accrued holds` has them all.
fn holds(store: &Store) -> Result<Vec<Line>> {
    let mut kinds: BTreeMap<String, Vec<Hold>> = BTreeMap::new();
    for hold in store.holds(Ended::Without)? {
        kinds.entry(hold.kind.clone()).or_default().push(hold);
    }
    kinds
        .into_iter()
        .map(|(kind, holds)| {
            let oldest = holds.iter().map(|hold| hold.opened).min().unwrap_or_default();
            Ok(Line {
                what: "hold",
                name: kind,
                state: format!("{} waiting", holds.len()),
                since: store.instant_of(oldest)?.unwrap_or_default(),
                detail: at_stake(&holds),
                waits: true,
            })
        })
        .collect()
}

/// Of lines that wait for rates of several currencies, and of files with several, no sum means anything.
fn amount(holds: &[Hold]) -> Option<Decimal> {
    // those without a rate are named with their currency
    let mut currencies: Vec<&str> = holds
        .iter()
        .filter(|hold| hold.kind == "no_fx_rate")
        .map(|hold| hold.subject.rsplit('|').next().unwrap_or_default())
        .collect();
    currencies.sort_unstable();
    currencies.dedup();
    let untold = holds.iter().any(|hold| hold.lines > 0 && hold.amount.is_zero());
    let sum = holds.iter().fold(Decimal::ZERO, |sum, hold| sum.saturating_add(hold.amount));
    (currencies.len() < 2 && !untold).then_some(sum)
}

fn at_stake(holds: &[Hold]) -> String {
    let lines: u64 = holds.iter().map(|hold| hold.lines).sum();
    let amount = amount(holds);
    let points = holds.iter().fold(0_i64, |sum, hold| sum.saturating_add(hold.points.0));
    let mut stake = Vec::new();
    match amount {
        Some(amount) if lines > 0 => {
            stake.push(format!("{} of {}", counted(lines, "line"), amount.normalize()))
        }
        None if lines > 0 => stake.push(counted(lines, "line")),
        Some(_) | None => {}
    }
    if points != 0 {
        stake.push(format!("{} points", crate::domain::points::Points(points)));
    }
    if holds.iter().any(|hold| hold.kind == OTHER_VERSION) {
        stake.push("which this version of the program makes otherwise than another did".to_owned());
    }
    if let (true, [only]) = (stake.is_empty(), holds) {
        stake.push(only.detail.clone());
    }
    stake.join(", ")
}

fn cycles(config: &Config, store: &Store, families: &[Family], now: DateTime<Utc>) -> Result<Vec<Line>> {
    let mut lines = Vec::new();
    for family in families {
        let Some(first) = family.versions.first() else { continue };
        let today = now.with_timezone(&first.timezone).date_naive();
        for open in open_cycles(store, config, family, today)? {
            lines.push(of_cycle(&family.id, open));
        }
    }
    Ok(lines)
}

fn of_cycle(scheme: &str, open: OpenCycle) -> Line {
    let (state, detail, waits) = match open.stays {
        Stays::Running => ("open", format!("closes after {}", open.until), false),
        Stays::Due => ("due", "closes with the next run that can list every feed".to_owned(), false),
        Stays::Without(missing, count) => {
            let more = if count > 1 { format!(", and {} more", count - 1) } else { String::new() };
            let what = format!("{} of feed {} has not been ingested{more}", missing.told(), missing.feed);
            ("waits", what, true)
        }
    };
    Line {
        what: "cycle",
        name: format!("{scheme} {}", open.name),
        state: state.into(),
        since: open.days.0.to_string(),
        detail,
        waits,
    }
}

fn next_runs(config: &Config, now: DateTime<Utc>) -> Result<Vec<Line>> {
    let Some(schedule) = &config.schedule else { return Ok(Vec::new()) };
    let cron = Cron::new(&schedule.cron).map_err(|why| anyhow!("the schedule {:?} {why}", schedule.cron))?;
    let due = upcoming(&cron, schedule.timezone, now, NEXT_RUNS);
    Ok(due
        .into_iter()
        .map(|due| Line {
            what: "next",
            name: schedule.cron.clone(),
            state: "due".into(),
            since: crate::clock::stamp(due.at),
            detail: format!("{} in {}", due.slot, schedule.timezone.name()),
            waits: false,
        })
        .collect())
}
