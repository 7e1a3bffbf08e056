//! Fetch: look at every feed, wait once for what may still grow, look again, bring what is ready into the archive.

use super::clearing::{Beside, Lying};
use super::progress::Step;
use super::report::{Exit, FeedFault};
use super::{Fetch, Run};
use crate::clock;
use crate::config::Feed;
use crate::inbox::complete::{Judged, Looks, Seen, Unready, judge};
use crate::inbox::{
    After, Archive, Archived, Brought, Cancel, Candidate, Connection, InboxFault, Listing, Passed, Source,
    Wanted, side_by_side,
};
use crate::store::files::Sidecar;
use anyhow::Result;
use std::collections::{BTreeMap, HashMap};
use std::time::Instant;

/// How long what is here of a broken download is kept for the next run.
const KEPT: chrono::TimeDelta = chrono::TimeDelta::days(7);

/// A file of this run, in the archive.
pub(super) struct Fetched<'c> {
    pub feed: &'c Feed,
    pub candidate: Candidate,
    pub archived: Archived,
    /// the control totals that came beside it
    pub sidecar: Option<Sidecar>,
}

/// Whether every feed could be listed: without that no cycle closes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Listed {
    All,
    NotAll,
}

impl Listed {
    fn and(self, other: Listed) -> Listed {
        match (self, other) {
            (Listed::All, Listed::All) => Listed::All,
            (Listed::All | Listed::NotAll, Listed::All | Listed::NotAll) => Listed::NotAll,
        }
    }
}

/// A feed that could be listed, and when.
struct Looked {
    connection: Connection,
    listing: Listing,
    at: Instant,
}

impl Looked {
    fn at(source: &Source, cancel: &Cancel) -> Result<Looked, InboxFault> {
        let mut connection = Connection::open(source, cancel)?;
        let listing = connection.list()?;
        Ok(Looked { connection, listing, at: Instant::now() })
    }
}

/// One feed that could be looked at.
struct Look<'c> {
    feed: &'c Feed,
    connection: Connection,
    judged: Judged,
    beside: Beside,
}

impl<'c> Run<'c> {
    /// Looks at the feeds and takes what is there.
    pub(super) fn fetch_and_take(&mut self) -> Result<Listed> {
        let order = self.order;
        let mut lying = Vec::new();
        let (mut files, listed) = match (order.fetch, &order.replay) {
            (Fetch::Feeds, None) => self.fetch(&mut lying)?,
            (Fetch::Feeds, Some(replay)) => (Vec::new(), self.look_again(replay)?),
            (Fetch::Nothing, _) => (Vec::new(), Listed::NotAll),
        };
        self.read_again()?;
        self.take_released()?;
        if let Some(replay) = &order.replay {
            files = self.fetched_then(replay)?;
        }
        let files = self.hold_several_of_period(files)?;
        self.take_all(files)?;
        self.judge_again()?;
        // what tells how to do it again is beside the store before anything goes from where it came
        self.keep_journal()?;
        self.clear(lying)?;
        Ok(listed)
    }

    /// Brings what is new into the archive; what lies at feeds that are to be cleared is told too.
    fn fetch(&mut self, lying: &mut Vec<Lying<'c>>) -> Result<(Vec<Fetched<'c>>, Listed)> {
        let config = self.config;
        let wanted = |feed: &&Feed| self.order.feeds.is_empty() || self.order.feeds.contains(&feed.name);
        let feeds: Vec<&'c Feed> = config.feeds.iter().filter(wanted).collect();
        let all = if feeds.len() == config.feeds.len() { Listed::All } else { Listed::NotAll };
        let (looks, first) = self.look(&feeds)?;
        let (looks, again) = self.settle(looks)?;
        let listed = all.and(first).and(again);
        let archive = Archive::of(&self.places.data);
        // what a killed run left of its downloads goes, but for what is gone on with
        archive.prepare()?;
        archive.forget_partials(clock::now() - KEPT)?;
        let mut files = Vec::new();
        for look in looks {
            lying.extend(self.bring(look, &archive, &mut files)?);
        }
        // in order of mtime, then name (interfaces.md 3)
        files.sort_by(|a, b| {
            (a.candidate.mtime_seconds(), &a.candidate.name, &a.feed.name).cmp(&(
                b.candidate.mtime_seconds(),
                &b.candidate.name,
                &b.feed.name,
            ))
        });
        self.note_looked(listed)?;
        Ok((files, listed))
    }

    /// Waits once for the longest of the feeds and looks again at those that need it.
    fn settle(&mut self, looks: Vec<Look<'c>>) -> Result<(Vec<Look<'c>>, Listed)> {
        let wait = looks.iter().filter_map(|look| look.judged.wait()).max();
        let Some(wait) = wait.filter(|wait| !wait.is_zero()) else { return Ok((looks, Listed::All)) };
        tracing::info!(seconds = wait.as_secs(), "waiting for files to settle");
        self.order.progress.tell(Step::Settling { seconds: wait.as_secs() });
        // connections are not kept idle while we wait
        let (settling, ready): (Vec<_>, Vec<_>) =
            looks.into_iter().partition(|look| look.judged.wait().is_some());
        let feeds: Vec<&'c Feed> = settling.into_iter().map(|look| look.feed).collect();
        self.order.cancel.rest(wait)?;
        let (mut again, listed) = self.look(&feeds)?;
        again.extend(ready);
        Ok((again, listed))
    }

    /// One look at each of the feeds, and whether all could be listed.
    fn look(&mut self, feeds: &[&'c Feed]) -> Result<(Vec<Look<'c>>, Listed)> {
        let order = self.order;
        let sources: Vec<&Source> = feeds.iter().map(|feed| &feed.source).collect();
        // what fails of our own ends the looks under way
        let (part, span) = (order.cancel.part(), tracing::Span::current());
        let look = |at: usize| {
            span.in_scope(|| {
                order.progress.tell(Step::Looking { feed: &feeds[at].name });
                Looked::at(&feeds[at].source, &part)
            })
        };
        let (mut looks, mut listed) = (Vec::new(), Listed::All);
        side_by_side(&sources, look, |at, looked| {
            let told = match looked {
                Ok(looked) => self.judge(feeds[at], looked).map(|look| looks.push(look)),
                Err(fault) => {
                    listed = Listed::NotAll;
                    self.feed_fault(feeds[at], fault)
                }
            };
            told.inspect_err(|_| part.set())
        })?;
        Ok((looks, listed))
    }

    /// What a look at one feed tells, with what earlier ones have told.
    fn judge(&mut self, feed: &'c Feed, looked: Looked) -> Result<Look<'c>> {
        let Looked { connection, mut listing, at } = looked;
        // looks are on the machine's clock, also where the run is given its time; others may have been waited for since
        let now = clock::now() - at.elapsed();
        self.note_passed(feed, &listing.passed)?;
        let beside = Beside::of(feed, &listing);
        let files = std::mem::take(&mut listing.files);
        listing.files = self.store.in_one_state(|| self.unknown(feed, files, listing.sidecars.as_ref()))?;
        let earlier = self.looks_of(feed)?;
        let judged = judge(feed.source.complete, &listing, &earlier, now);
        self.keep_looks(feed, &judged.looks)?;
        Ok(Look { feed, connection, judged, beside })
    }

    /// Those of the files that this feed has not taken as they stand: most of a folder has been.
    fn unknown(
        &self,
        feed: &Feed,
        files: Vec<Candidate>,
        sidecars: Option<&BTreeMap<String, Candidate>>,
    ) -> Result<Vec<Candidate>> {
        let mut layouts: HashMap<Option<String>, String> = HashMap::new();
        let mut unknown = Vec::new();
        for file in files {
            let distributor = feed.distributor_of(&file.named).map(str::to_owned);
            let layout = layouts
                .entry(distributor)
                .or_insert_with(|| super::taking::layout_text(feed.kind, &feed.layout_of(&file.named)));
            let known = self.store.knows_file(&feed.name, &file.name, file.size, file.mtime, layout)?;
            if !known || self.has_other_totals(feed, &file, sidecars)? {
                unknown.push(file);
            }
        }
        Ok(unknown)
    }

    fn has_other_totals(
        &self,
        feed: &Feed,
        file: &Candidate,
        sidecars: Option<&BTreeMap<String, Candidate>>,
    ) -> Result<bool> {
        let Some(totals) = sidecars.and_then(|sidecars| sidecars.get(&file.name)) else { return Ok(false) };
        let (file, totals) = ((file.name.as_str(), file.size, file.mtime), (totals.size, totals.mtime));
        self.store.has_other_totals(&feed.name, file, totals)
    }

    /// Names that can never be files of the feed: told as waiting for a person once, and as a notice while they stand.
    fn note_passed(&mut self, feed: &Feed, passed: &[Passed]) -> Result<()> {
        let told: Vec<String> =
            passed.iter().map(|passed| format!("{}: {}", passed.name, passed.why)).collect();
        let before = self.store.told(&feed.name)?;
        if told != before {
            self.store.whole(|store| store.tell(&feed.name, &told))?;
        }
        self.report.passed += told.iter().filter(|one| !before.contains(one)).count();
        for one in told {
            let notice = (feed.name.clone(), one);
            if !self.report.notices.contains(&notice) {
                self.report.notices.push(notice);
            }
        }
        Ok(())
    }

    fn looks_of(&self, feed: &Feed) -> Result<Looks> {
        let seen = self.store.sightings(&feed.name)?;
        Ok(seen
            .into_iter()
            .filter_map(|(name, size, mtime, since)| {
                let since = chrono::DateTime::from_timestamp_millis(since)?;
                Some((name, Seen { size, mtime, since }))
            })
            .collect())
    }

    fn keep_looks(&mut self, feed: &Feed, looks: &Looks) -> Result<()> {
        let seen = looks
            .iter()
            .map(|(name, seen)| (name.as_str(), seen.size, seen.mtime, seen.since.timestamp_millis()));
        let seen: Vec<_> = seen.collect();
        if seen.is_empty() && self.store.sightings(&feed.name)?.is_empty() {
            return Ok(());
        }
        self.store.whole(|store| store.keep_sightings(&feed.name, &seen))
    }

    /// Downloads what is ready at one feed; what lies there is told where the feed can still be reached and is to be cleared.
    fn bring(
        &mut self,
        mut look: Look<'c>,
        archive: &Archive,
        files: &mut Vec<Fetched<'c>>,
    ) -> Result<Option<Lying<'c>>> {
        let mut lost = false;
        for (file, why) in &look.judged.unready {
            let why = match why {
                Unready::Settling(_) => "still changing, or seen for the first time: left for the next run",
                Unready::Unmarked => "its marker file is not there yet: left for the next run",
                Unready::WithoutTotals => "its control totals are not there yet: left for the next run",
            };
            self.report.notices.push((look.feed.name.clone(), format!("{}: {why}", file.name)));
        }
        self.order.cancel.check()?;
        let wanted = std::mem::take(&mut look.judged.ready).into_iter().map(|file| {
            let sidecar = look.judged.sidecars.remove(&file.name);
            Wanted { file, sidecar }
        });
        let progress = &self.order.progress;
        let begun = |file: &Candidate| {
            progress.tell(Step::Fetching { feed: &look.feed.name, file: &file.name });
        };
        for (wanted, brought) in look.connection.bring(wanted.collect(), archive, &begun) {
            match brought {
                Ok(brought) => files.push(fetched(look.feed, wanted, brought)),
                Err(fault) => {
                    lost |= matches!(fault, InboxFault::Temporary(_) | InboxFault::Refused(_));
                    self.feed_fault(look.feed, fault)?;
                }
            }
        }
        let clears = look.feed.source.after != After::Leave && !lost;
        Ok(clears.then(|| look.beside.at(look.feed, look.connection)))
    }

    /// Feeds are independent: what went wrong at one is reported, the others go on.
    pub(super) fn feed_fault(&mut self, feed: &Feed, fault: InboxFault) -> Result<()> {
        let why = fault.to_string();
        let exit = match fault {
            InboxFault::Temporary(_) => Exit::Temporary,
            InboxFault::Refused(_) => Exit::Refused,
            InboxFault::Limit(_) => Exit::Waits,
            InboxFault::Changed(_) => {
                self.report.notices.push((feed.name.clone(), why));
                return Ok(());
            }
            InboxFault::Disk(_) => Exit::Failed,
            InboxFault::Stopped => return Err(fault.into()),
        };
        self.report.faults.push(FeedFault { feed: feed.name.clone(), exit, why });
        Ok(())
    }
}

fn fetched(feed: &Feed, wanted: Wanted, brought: Brought) -> Fetched<'_> {
    let sidecar =
        wanted.sidecar.zip(brought.sidecar).map(|(Candidate { name, size, mtime, .. }, archived)| Sidecar {
            name,
            size,
            mtime,
            sha256: archived.sha256,
        });
    Fetched { feed, candidate: wanted.file, archived: brought.file, sidecar }
}
