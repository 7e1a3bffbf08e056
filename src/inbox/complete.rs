//! When a file is complete (interfaces.md 2, `complete` and `settle_seconds`). Pure: looks and our clock come in,
//! what may be read comes out.
//!
//! Age by mtime proves nothing (clients keep the file's own mtime, servers write in place): only two looks apart on our
//! own clock do.

use super::{Candidate, Complete, Listing};
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;
use std::time::Duration;

/// What the looks so far saw of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// bytes
    pub size: u64,
    /// nanoseconds since the epoch, if the server tells (servers tell whole seconds)
    pub mtime: Option<i64>,
    /// the first look that saw this size and mtime, on our clock
    pub since: DateTime<Utc>,
}

/// By name. The store keeps them from run to run, so that a run need not wait where an earlier one has looked.
pub type Looks = BTreeMap<String, Seen>;

/// Why a file is left for now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unready {
    /// it has not been seen unchanged for long enough: look again after this time
    Settling(Duration),
    /// `NAME.done` is not there
    Unmarked,
    /// its control totals are not there
    WithoutTotals,
}

/// What may be read now and what may not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Judged {
    /// complete, in the listing's order
    pub ready: Vec<Candidate>,
    /// left, each with its reason, in the listing's order
    pub unready: Vec<(Candidate, Unready)>,
    /// what this look adds to the earlier ones: for the second look, and for the store
    pub looks: Looks,
    /// control totals of what is ready, by its name
    pub sidecars: BTreeMap<String, Candidate>,
}

impl Judged {
    /// How long until all that settles could be ready: what a run waits, once, for the longest of its feeds.
    pub fn wait(&self) -> Option<Duration> {
        let settling = self.unready.iter().filter_map(|(_, unready)| match unready {
            Unready::Settling(rest) => Some(*rest),
            Unready::Unmarked | Unready::WithoutTotals => None,
        });
        settling.max()
    }
}

/// Judges a listing taken at `now`. A name whose size or mtime moved since the earlier look starts anew; one that is gone is forgotten.
/// With `settle` zero one look is enough. Our clock set back never makes a file ready sooner.
pub fn judge(complete: Complete, listing: &Listing, earlier: &Looks, now: DateTime<Utc>) -> Judged {
    let mut judged = Judged::default();
    for file in &listing.files {
        let seen = seen_now(file, earlier.get(&file.name), now);
        judged.looks.insert(file.name.clone(), seen);
        let sidecar = listing.sidecars.as_ref().map(|sidecars| sidecars.get(&file.name));
        let accompanied = match sidecar {
            None => None,
            Some(None) => Some(Unready::WithoutTotals),
            Some(Some(sidecar)) => {
                let seen = seen_now(sidecar, earlier.get(&sidecar.name), now);
                judged.looks.insert(sidecar.name.clone(), seen);
                settling(complete, seen, now)
            }
        };
        match unready(complete, listing, file, seen, now).or(accompanied) {
            None => {
                judged.ready.push(file.clone());
                let sidecar = sidecar.flatten().map(|sidecar| (file.name.clone(), sidecar.clone()));
                judged.sidecars.extend(sidecar);
            }
            Some(why) => judged.unready.push((file.clone(), why)),
        }
    }
    judged
}

fn seen_now(file: &Candidate, earlier: Option<&Seen>, now: DateTime<Utc>) -> Seen {
    let since = match earlier {
        Some(seen) if seen.size == file.size && seen.mtime == file.mtime => seen.since.min(now),
        Some(_) | None => now,
    };
    Seen { size: file.size, mtime: file.mtime, since }
}

fn unready(
    complete: Complete,
    listing: &Listing,
    file: &Candidate,
    seen: Seen,
    now: DateTime<Utc>,
) -> Option<Unready> {
    match complete {
        Complete::Marker if listing.markers.contains(&file.name) => None,
        Complete::Marker => Some(Unready::Unmarked),
        Complete::Stable { .. } => settling(complete, seen, now),
    }
}

/// How long what was seen must still stand unchanged. A marker vouches for everything beside it.
fn settling(complete: Complete, seen: Seen, now: DateTime<Utc>) -> Option<Unready> {
    let Complete::Stable { settle } = complete else { return None };
    let unchanged = (now - seen.since).to_std().unwrap_or_default();
    let rest = settle.saturating_sub(unchanged);
    (!rest.is_zero()).then_some(Unready::Settling(rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inbox::pattern::Named;

    const MINUTE: Complete = Complete::Stable { settle: Duration::from_secs(60) };

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + seconds, 0).expect("in range")
    }

    fn file(name: &str, size: u64, mtime: Option<i64>) -> Candidate {
        Candidate { name: name.to_owned(), size, mtime, named: Named::default() }
    }

    fn listing(files: Vec<Candidate>) -> Listing {
        Listing { files, ..Listing::default() }
    }

    #[test]
    fn a_first_look_waits_the_whole_time_and_a_second_after_it_does_not() {
        let seen = listing(vec![file("a", 10, Some(1))]);
        let first = judge(MINUTE, &seen, &Looks::new(), at(0));
        assert_eq!((first.ready.len(), first.wait()), (0, Some(Duration::from_secs(60))));
        let early = judge(MINUTE, &seen, &first.looks, at(59));
        assert_eq!((early.ready.len(), early.wait()), (0, Some(Duration::from_secs(1))));
        let second = judge(MINUTE, &seen, &early.looks, at(60));
        assert_eq!((second.ready.len(), second.wait()), (1, None));
    }

    #[test]
    fn a_file_that_grew_or_was_touched_starts_anew() {
        let first = judge(
            MINUTE,
            &listing(vec![file("a", 10, Some(1)), file("b", 10, Some(1))]),
            &Looks::new(),
            at(0),
        );
        let now = listing(vec![file("a", 11, Some(1)), file("b", 10, Some(2))]);
        let second = judge(MINUTE, &now, &first.looks, at(600));
        assert!(second.ready.is_empty());
        assert_eq!(second.looks["a"].since, at(600));
        assert_eq!(judge(MINUTE, &now, &second.looks, at(660)).ready.len(), 2);
    }

    #[test]
    fn an_earlier_run_that_looked_saves_the_wait_and_a_third_look_keeps_the_first() {
        let seen = listing(vec![file("a", 10, None)]);
        let monday = judge(MINUTE, &seen, &Looks::new(), at(0));
        let again = judge(MINUTE, &seen, &monday.looks, at(30));
        assert_eq!(again.looks["a"].since, at(0));
        assert_eq!(judge(MINUTE, &seen, &again.looks, at(86_400)).wait(), None);
    }

    #[test]
    fn a_clock_set_back_waits_again() {
        let seen = listing(vec![file("a", 10, Some(1))]);
        let first = judge(MINUTE, &seen, &Looks::new(), at(1000));
        let back = judge(MINUTE, &seen, &first.looks, at(0));
        assert_eq!(back.wait(), Some(Duration::from_secs(60)));
        assert_eq!(judge(MINUTE, &seen, &back.looks, at(60)).ready.len(), 1);
    }

    #[test]
    fn without_settling_one_look_is_enough() {
        let none = Complete::Stable { settle: Duration::ZERO };
        assert_eq!(judge(none, &listing(vec![file("a", 0, None)]), &Looks::new(), at(0)).ready.len(), 1);
    }

    #[test]
    fn a_marker_says_it_all_and_no_wait_can_replace_it() {
        let mut seen = listing(vec![file("a", 10, Some(1)), file("b", 10, Some(1))]);
        seen.markers.insert("a".to_owned());
        let judged = judge(Complete::Marker, &seen, &Looks::new(), at(0));
        assert_eq!(judged.ready, vec![file("a", 10, Some(1))]);
        assert_eq!(judged.unready, vec![(file("b", 10, Some(1)), Unready::Unmarked)]);
        assert_eq!(judged.wait(), None);
    }

    #[test]
    fn the_wait_is_the_longest_and_what_is_gone_is_forgotten() {
        let first =
            judge(MINUTE, &listing(vec![file("a", 1, None), file("gone", 1, None)]), &Looks::new(), at(0));
        let second =
            judge(MINUTE, &listing(vec![file("a", 1, None), file("new", 1, None)]), &first.looks, at(20));
        assert_eq!(second.wait(), Some(Duration::from_secs(60)));
        assert!(!second.looks.contains_key("gone"));
    }
}
