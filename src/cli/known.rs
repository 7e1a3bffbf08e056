//! What a reading command knows: the whole store or, with an `--as-of` before its last record, the store as it stood then.
//!
//! A bare date is the whole of that day (UTC): what a run wrote at noon is known on it.

use super::session::Session;
use crate::batch;
use crate::clock;
use crate::config::Config;
use crate::scheme::Family;
use crate::store::Store;
use anyhow::Result;
use chrono::{DateTime, NaiveTime, TimeDelta, Utc};

/// As of which journal record a command reads; `None`: of the last.
pub(super) type Known = Option<i64>;

/// By the session's `--as-of`.
pub(super) fn known(session: &Session, store: &Store) -> Result<Known> {
    let Some(as_of) = session.as_of() else { return Ok(None) };
    let known = store.known_at(&clock::stamp(end_of(as_of)))?;
    if known == Some(0) {
        let first = store.instant_of(1)?.unwrap_or_default();
        session
            .say(format_args!("nothing was known at {}: the store begins at {first}", clock::stamp(as_of)));
    }
    Ok(known)
}

fn end_of(as_of: DateTime<Utc>) -> DateTime<Utc> {
    match as_of.time() {
        NaiveTime::MIN => as_of.checked_add_signed(TimeDelta::seconds(86_399)).unwrap_or(as_of),
        _ => as_of,
    }
}

/// The schemes by which it is read: those of today's files, or those that runs went by then.
pub(super) fn families(
    session: &Session,
    config: &Config,
    store: &Store,
    known: Known,
) -> Result<Vec<Family>> {
    let then = known.map(|upto| batch::families_upto(store, upto)).transpose()?.flatten();
    match then {
        Some(families) => Ok(families),
        None => session.families(config, store),
    }
}

/// The last ledger entry that is known.
pub(super) fn last_entry(store: &Store, known: Known) -> Result<i64> {
    match known {
        Some(upto) => store.last_entry_upto(upto),
        None => Ok(i64::MAX),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_date_is_the_whole_day() {
        let end = |text: &str| clock::stamp(end_of(text.parse().expect("an instant")));
        assert_eq!(end("2026-07-06T00:00:00Z"), "2026-07-06T23:59:59Z");
        assert_eq!(end("2026-07-06T00:00:01Z"), "2026-07-06T00:00:01Z");
    }
}
