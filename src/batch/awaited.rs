//! Expected files that are overdue, as everybody tells of them who is asked: which are still waited for.

use super::closing::{Missing, open_since, overdue};
use crate::calendar::Cycle;
use crate::config::Config;
use crate::scheme::Family;
use crate::store::Store;
use anyhow::Result;
use chrono::{DateTime, NaiveDate, Utc};

/// An expected file that is overdue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Awaited {
    /// which
    pub missing: Missing,
    /// the cycle that a person has closed without it, and why, where one has
    pub given_up: Option<String>,
}

/// Every one of them. The families are those that closed cycles go by.
pub fn awaited(
    store: &Store,
    config: &Config,
    families: &[Family],
    now: DateTime<Utc>,
) -> Result<Vec<Awaited>> {
    let closed = given_up(store, families)?;
    let mut since: Option<NaiveDate> = None;
    for family in families {
        since = since.into_iter().chain(open_since(store, family)?).min();
    }
    let of_missing = |missing: Missing| {
        let within = closed.iter().find(|(days, _)| days.0 <= missing.period.0 && missing.period.1 <= days.1);
        Awaited { given_up: within.map(|(_, why)| why.clone()), missing }
    };
    Ok(overdue(store, config, since, now)?.into_iter().map(of_missing).collect())
}

/// First and last day of cycles that a person has closed without their files, and why.
fn given_up(store: &Store, families: &[Family]) -> Result<Vec<((NaiveDate, NaiveDate), String)>> {
    let mut given_up = Vec::new();
    for family in families {
        let Some(first) = family.versions.first() else { continue };
        for closed in store.closed(&family.id)?.into_iter().filter(|closed| !closed.reason.is_empty()) {
            let cycle = Cycle(closed.cycle);
            let why = format!(
                "{} {} was closed without it: {}",
                family.id,
                first.calendar.name(cycle),
                closed.reason
            );
            given_up.push((first.calendar.days(cycle), why));
        }
    }
    Ok(given_up)
}
