//! What the journal knows of the schedule: which slot ran last and how, and since when the schedule is in force.

use super::agenda::{Asked, Known, Plan, Pursuit};
use crate::batch::{Exit, Scheduled, Slot};
use crate::config::Schedule;
use crate::store::Store;
use crate::store::slots::{InForce, SlotRun};
use anyhow::{Context, Result};
use chrono::{DateTime, Duration, Utc};
use std::time;

/// Whether the journal names the schedule that is gone by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Recorded {
    Yes,
    No,
}

/// Reads what is known to somebody who came at `came`: slots before that were missed, later ones are due.
pub(super) fn read(
    store: &Store,
    schedule: &Schedule,
    plan: &Plan,
    came: DateTime<Utc>,
) -> Result<(Known, Recorded)> {
    let runs = store.runs_of_last_slot()?;
    let before = store.schedule_in_force()?;
    let recorded = match &before {
        Some(before) if is_same(before, schedule) => Recorded::Yes,
        Some(_) | None => Recorded::No,
    };
    let last = runs.last().and_then(|run| Scheduled::read(&run.slot)).map(|scheduled| scheduled.slot);
    let mut since: Vec<DateTime<Utc>> = last.iter().map(|slot| slot.due).collect();
    if let Some(before) = &before {
        since.push(instant(&before.at)?);
    }
    // a schedule that is new has missed nothing; what was in force before may have
    let since = since.into_iter().max();
    let missed = match (&before, since) {
        (Some(before), Some(since)) => missed(before, since, came),
        (None, _) | (_, None) => None,
    };
    let pursuit = last.map(|slot| pursuit(plan, slot, &runs)).transpose()?.flatten();
    let since = since.map_or(came, |since| since.max(came));
    Ok((Known { since, missed, pursuit, attended: came, asked: Asked::No }, recorded))
}

fn is_same(before: &InForce, schedule: &Schedule) -> bool {
    before.cron == schedule.cron && before.timezone == schedule.timezone.name()
}

/// What was missed by the schedule that was in force.
fn missed(before: &InForce, since: DateTime<Utc>, now: DateTime<Utc>) -> Option<Slot> {
    let schedule = Schedule {
        cron: before.cron.clone(),
        timezone: before.timezone.parse().ok()?,
        catch_up: true,
        retry: time::Duration::ZERO,
        retry_for: time::Duration::ZERO,
    };
    // one that this version cannot read any more has missed nothing that can be told
    Plan::of(&schedule).ok()?.last_due(since, now)
}

/// Whether the last slot runs once more: after a temporary fault, or where its last run did not end.
fn pursuit(plan: &Plan, slot: Slot, runs: &[SlotRun]) -> Result<Option<Pursuit>> {
    let Some(last) = runs.last() else { return Ok(None) };
    let temporary = |run: &&SlotRun| run.exit == Some(i64::from(Exit::Temporary.code()));
    let at = instant(&last.at)?;
    Ok(match last.exit {
        None => {
            let stops = runs.iter().rev().take_while(|run| run.exit.is_none()).count();
            let first = &runs[runs.len() - stops];
            plan.stopped(slot, instant(&first.at)?, at, stops)
        }
        Some(_) if temporary(&last) => {
            let first = runs.iter().find(temporary).map_or(Ok(at), |run| instant(&run.at))?;
            plan.again(slot, first, at)
        }
        Some(_) => None,
    })
}

fn instant(text: &str) -> Result<DateTime<Utc>> {
    Ok(DateTime::parse_from_rfc3339(text)
        .with_context(|| format!("the journal has {text:?} for an instant"))?
        .to_utc())
}

/// How far the clock stands before what has run already; `None` where it does not.
pub(super) fn behind(known: &Known, now: DateTime<Utc>) -> Option<Duration> {
    Some(known.since - now).filter(|behind| *behind > Duration::minutes(1))
}
