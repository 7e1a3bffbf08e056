//! Which cycles close in this run: once, in order, when their time has passed and their files have come (evaluation.md 4).

use super::Run;
use super::fetching::Listed;
use crate::calendar::Cycle;
use crate::config::expected::{self, ExpectedFile};
use crate::config::{Config, Expected, Feed, Kind, names_feed};
use crate::inbox::pattern::Named;
use crate::scheme::{Family, Scheme};
use crate::store::Store;
use crate::store::cycles::Closed;
use anyhow::{Context, Result};
use chrono::{Days, NaiveDate};
use std::collections::BTreeMap;

/// Most cycles that close in one pass over the partners: each has files open while it is written.
const CLOSING_AT_ONCE: usize = 6;

/// What happens to the cycles of one scheme in this pass.
pub(super) struct ClosingPlan {
    /// the run's day in the scheme's zone
    pub today: NaiveDate,
    /// cycles closed before
    pub closed: BTreeMap<Cycle, Closed>,
    /// cycles that close now, in order
    pub closing: Vec<Cycle>,
    /// whether more can close after these
    pub more: bool,
}

/// An expected file that has not come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// feed name
    pub feed: String,
    /// its name would be like this
    pub name: String,
    /// first and last day that it covers
    pub period: (NaiveDate, NaiveDate),
    /// the last day on which it would have been in time
    pub due: NaiveDate,
}

impl Missing {
    /// Its name, and its days where the name does not tell them.
    pub fn told(&self) -> String {
        if self.name.contains('{') {
            format!("{} for {} to {}", self.name, self.period.0, self.period.1)
        } else {
            self.name.clone()
        }
    }

    /// What it is told once by.
    fn subject(&self) -> String {
        format!("{}:{}:{}", self.feed, self.name, self.period.0)
    }
}

/// Expected files of a feed for days from `first` to `last` that no ingested file meets.
pub fn missing_files(store: &Store, feed: &Feed, first: NaiveDate, last: NaiveDate) -> Result<Vec<Missing>> {
    if feed.expected == Expected::None {
        return Ok(Vec::new());
    }
    let come: Vec<Named> = store
        .periods_ingested(&feed.name)?
        .into_iter()
        .map(|(period, distributor)| Named { period: Some(period), part: None, distributor })
        .collect();
    let absent = |file: &ExpectedFile| !come.iter().any(|named| file.is_met_by(named));
    Ok(expected::files(feed, first, last)
        .into_iter()
        .filter(absent)
        .map(|file| Missing {
            feed: feed.name.clone(),
            name: feed.source.pattern.expected_name((file.first, file.last), file.distributor.as_deref()),
            period: (file.first, file.last),
            due: file.due,
        })
        .collect())
}

impl Run<'_> {
    pub(super) fn closing_plan(&mut self, family: &Family, listed: Listed) -> Result<ClosingPlan> {
        let first = family.versions.first().context("a scheme has at least one version")?;
        let today = self.order.now.with_timezone(&first.timezone).date_naive();
        let closed: BTreeMap<Cycle, Closed> =
            self.store.closed(&family.id)?.into_iter().map(|closed| (Cycle(closed.cycle), closed)).collect();
        let mut plan = ClosingPlan { today, closed, closing: Vec::new(), more: false };
        let mut cycle = first_open(first, plan.closed.keys().next_back().copied());
        while let Some(version) = family.version_for(cycle) {
            if !self.closes((family, version), cycle, today, listed)? {
                self.note_open(family, version, cycle);
                break;
            }
            if plan.closing.len() == CLOSING_AT_ONCE {
                plan.more = true;
                break;
            }
            plan.closing.push(cycle);
            cycle = version.calendar.next(cycle);
        }
        Ok(plan)
    }

    /// The earliest day for which some scheme still waits for files.
    fn note_open(&mut self, family: &Family, version: &Scheme, cycle: Cycle) {
        if version.wait_for_files {
            let first = days_of(family, version, cycle).0;
            self.open_since = Some(self.open_since.map_or(first, |since| since.min(first)));
        }
    }

    fn closes(
        &mut self,
        (family, version): (&Family, &Scheme),
        cycle: Cycle,
        today: NaiveDate,
        listed: Listed,
    ) -> Result<bool> {
        let last = version.calendar.days(cycle).1;
        if self.closed_by_hand(version, cycle) {
            return Ok(true);
        }
        let grace = Days::new(u64::from(version.grace_days));
        if last.checked_add_days(grace).is_none_or(|until| today <= until) {
            return Ok(false);
        }
        let days = days_of(family, version, cycle);
        let missing = missing_for(&self.store, self.config, version, days)?;
        let waits_for = match (listed, missing.first()) {
            (_, Some(first)) => {
                format!(
                    "{} of feed {} has not been ingested{} (`accrued close` closes without it)",
                    first.told(),
                    first.feed,
                    and_more(missing.len())
                )
            }
            (Listed::NotAll, None) => "every feed must be listed in the run that closes it".to_owned(),
            (Listed::All, None) => return Ok(true),
        };
        self.report.waiting.push((version.id.clone(), version.calendar.name(cycle), waits_for));
        Ok(false)
    }

    fn closed_by_hand(&self, version: &Scheme, cycle: Cycle) -> bool {
        self.order.close.as_ref().is_some_and(|by_hand| {
            by_hand.scheme == version.id && by_hand.cycle == version.calendar.name(cycle)
        })
    }

    /// Overdue files that were not known to be missing before: told once.
    pub(super) fn note_missing(&mut self) -> Result<()> {
        let stamp = self.stamp.clone();
        for missing in overdue(&self.store, self.config, self.open_since, self.order.now)? {
            let what = missing.subject();
            if self.store.knows_missing(&what)? {
                continue;
            }
            self.store.whole(|store| store.note_missing(&stamp, &what))?;
            let told = format!("{} of feed {}, due {}", missing.told(), missing.feed, missing.due);
            self.report.missing.push((missing.feed, told));
        }
        Ok(())
    }
}

/// The cycle that closes next: after the last closed one, else the scheme's first.
fn first_open(scheme: &Scheme, last_closed: Option<Cycle>) -> Cycle {
    match last_closed {
        Some(last) => scheme.calendar.next(last),
        None => scheme.calendar.cycle_of(scheme.starts),
    }
}

/// First and last day of a cycle on which its scheme is in force: files of other days are not waited for.
fn days_of(family: &Family, version: &Scheme, cycle: Cycle) -> (NaiveDate, NaiveDate) {
    let (first, last) = version.calendar.days(cycle);
    let starts = family.versions.first().map_or(first, |version| version.starts);
    let ends = family.versions.last().and_then(|version| version.ends).unwrap_or(last);
    (first.max(starts), last.min(ends))
}

/// The cycle that is to close next, where its scheme waits for files: its first day.
pub fn open_since(store: &Store, family: &Family) -> Result<Option<NaiveDate>> {
    let Some(first) = family.versions.first() else { return Ok(None) };
    let cycle = first_open(first, store.closed(&family.id)?.last().map(|closed| Cycle(closed.cycle)));
    let waiting = family.version_for(cycle).filter(|version| version.wait_for_files);
    Ok(waiting.map(|version| days_of(family, version, cycle).0))
}

/// ` (and 2 more)`
fn and_more(count: usize) -> String {
    if count > 1 { format!(", and {} more", count - 1) } else { String::new() }
}

/// The expected sales files of these days that have not come, for a scheme that waits for files.
fn missing_for(
    store: &Store,
    config: &Config,
    version: &Scheme,
    (first, last): (NaiveDate, NaiveDate),
) -> Result<Vec<Missing>> {
    let mut all = Vec::new();
    if version.wait_for_files {
        for feed in sales_feeds(config) {
            all.extend(missing_files(store, feed, first, last)?);
        }
    }
    Ok(all)
}

/// A cycle that is not closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenCycle {
    /// its name
    pub name: String,
    /// first and last day
    pub days: (NaiveDate, NaiveDate),
    /// the last day on which it does not close yet: its last day and `grace_days`
    pub until: NaiveDate,
    /// why it stays open
    pub stays: Stays,
}

/// Why a cycle stays open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stays {
    /// its time has not passed
    Running,
    /// expected files have not come: the first of them, and how many there are
    Without(Missing, usize),
    /// for nothing but a run that can list every feed, or the cycle before it
    Due,
}

/// The cycles of a scheme that are not closed, from the first to the one that `today` is in.
pub fn open_cycles(
    store: &Store,
    config: &Config,
    family: &Family,
    today: NaiveDate,
) -> Result<Vec<OpenCycle>> {
    let first = family.versions.first().context("a scheme has at least one version")?;
    let mut cycle = first_open(first, store.closed(&family.id)?.last().map(|closed| Cycle(closed.cycle)));
    let mut open = Vec::new();
    while let Some(version) = family.version_for(cycle) {
        let days = version.calendar.days(cycle);
        if today < days.0 {
            break;
        }
        let grace = Days::new(u64::from(version.grace_days));
        let until = days.1.checked_add_days(grace).unwrap_or(NaiveDate::MAX);
        let stays = if today <= until {
            Stays::Running
        } else {
            let missing = missing_for(store, config, version, days_of(family, version, cycle))?;
            let count = missing.len();
            missing.into_iter().next().map_or(Stays::Due, |first| Stays::Without(first, count))
        };
        open.push(OpenCycle { name: version.calendar.name(cycle), days, until, stays });
        cycle = version.calendar.next(cycle);
    }
    Ok(open)
}

fn sales_feeds(config: &Config) -> impl Iterator<Item = &Feed> {
    config.feeds.iter().filter(|feed| feed.kind == Kind::Sales)
}

/// Every expected file that is overdue, from the first period that the store knows of each feed or the day on which the feed
/// was first in a config, whichever is earlier; of sales feeds also those that schemes wait for, `open_since` being the
/// earliest of their days.
pub fn overdue(
    store: &Store,
    config: &Config,
    open_since: Option<NaiveDate>,
    now: chrono::DateTime<chrono::Utc>,
) -> Result<Vec<Missing>> {
    let mut overdue = Vec::new();
    for feed in config.feeds.iter().filter(|feed| feed.expected != Expected::None) {
        let today = now.with_timezone(&feed.layout.timezone).date_naive();
        let begun = store.periods_ingested(&feed.name)?.into_iter().map(|(period, _)| period.0).min();
        let seen = store
            .config_known_since(|text| names_feed(text, &feed.name))?
            .map(|at| at.with_timezone(&feed.layout.timezone).date_naive());
        let waited = open_since.filter(|_| feed.kind == Kind::Sales);
        let from = [begun, seen, waited].into_iter().flatten().min().unwrap_or(today);
        overdue.extend(
            missing_files(store, feed, from, today)?.into_iter().filter(|missing| missing.due < today),
        );
    }
    Ok(overdue)
}
