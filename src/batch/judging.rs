//! Held files that are looked at again: those that a person has released, and those whose cause may have gone since.
//!
//! Answers for: which, when, and in which order. That the other period's file has brought the lines which one seemed to void, or
//! that a setting was mended by which totals disagreed, is found out by judging the file once more by the rules of any file. Only
//! a run that has news does that, since it reads the file whole; one that is still held leaves nothing behind.

use super::Run;
use super::taking::{VOIDS, Waived, layout_text};
use super::totals::DISAGREE;
use crate::config::Feed;
use crate::inbox::Archive;
use crate::inbox::pattern::Named;
use crate::ingest::Layout;
use crate::store::files::{Arrival, FileRow, FileState, Freed};
use crate::store::holds::{Hold, HoldState};
use crate::store::{Attempt, FILE_HOLDS};
use anyhow::Result;
use std::collections::BTreeMap;

/// Kinds of holds on whole files whose cause can go.
pub const MAY_GO: [&str; 2] = [VOIDS, DISAGREE];

/// A held file with what its feed says of it now.
struct Held<'c> {
    hold: i64,
    kind: String,
    seq: i64,
    feed: &'c Feed,
    named: Named,
    layout: Layout,
    /// as it came
    arrival: Arrival,
}

/// What judging a held file again came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Judged {
    /// its hold has ended
    Freed,
    /// its cause stands
    Waits,
}

impl<'c> Run<'c> {
    /// Files that a person has released from a hold are read now.
    pub(super) fn take_released(&mut self) -> Result<()> {
        for kind in FILE_HOLDS {
            for hold in self.store.holds_of_kind(kind, HoldState::Released)? {
                self.go_on()?;
                self.take_one_released(&hold)?;
            }
        }
        Ok(())
    }

    fn take_one_released(&mut self, hold: &Hold) -> Result<()> {
        let Some(file) = self.file_of(hold)? else { return Ok(()) };
        let Some(held) = self.held(hold, &file) else {
            let why = format!(
                "{}: hold {} is released, but the config has no such feed any more: without its settings the file cannot be read",
                file.arrival.name, hold.id
            );
            self.report.notices.push((file.arrival.feed, why));
            return Ok(());
        };
        let mut arrival = held.arrives(Freed::ByPerson { hold: hold.id });
        self.put_in_place(held.feed, &held.named, &mut arrival)?;
        // what else is held of its period still waits for a person
        arrival.idles.clear();
        let path = Archive::of(&self.places.data).path_of(&arrival.sha256);
        let waived = if hold.kind == DISAGREE { Waived::VoidAndTotals } else { Waived::Void };
        let outcome = self.read_file(held.feed, &held.layout, &arrival, &path, waived)?;
        self.note_file(arrival, outcome)
    }

    /// Judges held files again, in the order in which they came, until none of them has news: one that is taken may be what
    /// another has waited for.
    pub(super) fn judge_again(&mut self) -> Result<()> {
        if let Some(replay) = &self.order.replay {
            return self.judge_as_told(&replay.judged_again());
        }
        let mut judged: BTreeMap<i64, i64> = BTreeMap::new();
        loop {
            let mut any = false;
            for held in self.may_have_gone()? {
                let seen = judged.get(&held.seq).copied().unwrap_or(held.seq);
                if !self.has_news(&held, seen)? {
                    continue;
                }
                self.go_on()?;
                any = true;
                let head = self.store.journal_head()?.0;
                if self.judge_one_again(&held)? == Judged::Waits {
                    judged.insert(held.seq, head);
                }
            }
            if !any {
                return Ok(());
            }
        }
    }

    /// Those that the journal tells of.
    fn judge_as_told(&mut self, told: &[i64]) -> Result<()> {
        for &seq in told {
            self.go_on()?;
            let open = self.may_have_gone()?;
            if let Some(held) = open.into_iter().find(|held| held.seq == seq) {
                self.judge_one_again(&held)?;
            }
        }
        Ok(())
    }

    /// Held files whose cause can go, and that nobody has decided about.
    fn may_have_gone(&self) -> Result<Vec<Held<'c>>> {
        let mut all = Vec::new();
        for kind in MAY_GO {
            for hold in self.store.holds_of_kind(kind, HoldState::Open)? {
                let Some(file) = self.file_of(&hold)? else { continue };
                all.extend(self.held(&hold, &file));
            }
        }
        all.sort_by_key(|held| held.seq);
        Ok(all)
    }

    /// Whether something has come since by which a held file may be judged otherwise: after it was judged last by this run, and
    /// after the last run that came to its end.
    fn has_news(&self, held: &Held<'_>, seen: i64) -> Result<bool> {
        let ended = self.store.last_record("run-finished")?.map_or(0, |record| record.seq);
        // by what totals were, no file that comes changes anything
        let alike = |feed: &&Feed| held.kind == VOIDS && feed.kind == held.feed.kind;
        let feeds: Vec<&str> =
            self.config.feeds.iter().filter(alike).map(|feed| feed.name.as_str()).collect();
        self.store.has_news_since(ended.max(seen), &feeds)
    }

    fn judge_one_again(&mut self, held: &Held<'_>) -> Result<Judged> {
        let mut arrival = held.arrives(Freed::CauseGone { hold: held.hold, file: held.seq });
        let path = Archive::of(&self.places.data).path_of(&arrival.sha256);
        if self.another_was_chosen(held)? || !path.exists() {
            return Ok(Judged::Waits);
        }
        let outcome = match self.judge_file(held.feed, &held.named, &mut arrival, &path)? {
            Attempt::Taken(outcome) => *outcome,
            Attempt::Held { kind, .. } if kind == held.kind => return Ok(Judged::Waits),
            Attempt::Held { kind, detail } => self.hold(&held.layout, &arrival, (kind, detail))?,
        };
        let why = format!(
            "{}: hold {} ({}) has ended by itself: its cause is gone, and the file was judged again",
            arrival.name, held.hold, held.kind
        );
        self.report.notices.push((arrival.feed.clone(), why));
        self.note_file(arrival, outcome)?;
        Ok(Judged::Freed)
    }

    /// Whether a file of its period has come to speak since it is held: a person has let it, knowing that this one waits.
    fn another_was_chosen(&self, held: &Held<'_>) -> Result<bool> {
        for seq in self.of_its_period(held.feed, &held.named, FileState::Ingested)? {
            let rank = self.store.file(seq)?.and_then(|file| file.arrival.rank).unwrap_or(seq);
            if rank > held.seq {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn file_of(&self, hold: &Hold) -> Result<Option<FileRow>> {
        Ok(hold.file.map(|seq| self.store.file(seq)).transpose()?.flatten())
    }

    /// `None` where the config has its feed no more.
    fn held(&self, hold: &Hold, file: &FileRow) -> Option<Held<'c>> {
        let feed = self.config.feed(&file.arrival.feed)?;
        let named = feed.source.pattern.matches(&file.arrival.name).unwrap_or_default();
        let layout = feed.layout_of(&named);
        let (kind, arrival) = (hold.kind.clone(), file.arrival.clone());
        Some(Held { hold: hold.id, kind, seq: file.seq, feed, named, layout, arrival })
    }
}

impl Held<'_> {
    /// As it is taken now.
    fn arrives(&self, freed: Freed) -> Arrival {
        let layout = layout_text(self.feed.kind, &self.layout);
        Arrival { layout, rank: None, freed: Some(freed), ..self.arrival.clone() }
    }
}
