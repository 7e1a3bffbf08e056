//! Reading again (interfaces.md 3): archived bytes are read anew after a setting was mended, each file in one transaction.
//!
//! The new reading takes the place of the first in the order of ingestion, and the first falls silent: the store then holds
//! what it would hold had the setting been right from the start. Which files a run reads again is told by its first journal
//! record, so that the run after one that was killed reads what is left.

use super::Run;
use super::taking::{Waived, layout_text};
use crate::inbox::Archive;
use crate::store::files::{Arrival, FileRow, FileState};
use anyhow::Result;
use serde_json::{Value, json};

/// What a person wants to be read again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reread {
    /// takings by their journal sequence
    pub files: Vec<i64>,
    /// why, or empty
    pub reason: String,
}

impl Reread {
    /// As the journal keeps it.
    pub(super) fn body(&self) -> Value {
        json!({ "files": self.files, "reason": self.reason })
    }

    /// Out of the journal.
    pub fn read(body: &Value) -> Option<Reread> {
        let files = body["files"].as_array()?.iter().filter_map(Value::as_i64).collect();
        Some(Reread { files, reason: body["reason"].as_str().unwrap_or_default().to_owned() })
    }
}

impl Run<'_> {
    /// Reads again what this run was told to, and what a killed one has left.
    pub(super) fn read_again(&mut self) -> Result<()> {
        for seq in self.store.left_to_reread()? {
            self.go_on()?;
            if let Some(file) = self.store.file(seq)? {
                self.read_one_again(&file)?;
            }
        }
        Ok(())
    }

    fn read_one_again(&mut self, before: &FileRow) -> Result<()> {
        // the config may have lost the feed since; nothing can be read without it
        let Some(feed) = self.config.feed(&before.arrival.feed) else { return Ok(()) };
        let named = feed.source.pattern.matches(&before.arrival.name).unwrap_or_default();
        let layout = feed.layout_of(&named);
        let mut arrival = Arrival {
            layout: layout_text(feed.kind, &layout),
            period: named.period,
            part: named.part.clone(),
            distributor: feed.distributor_of(&named).map(str::to_owned),
            rank: None,
            silences: Vec::new(),
            idles: Vec::new(),
            ..before.arrival.clone()
        };
        match (before.state, before.silent_since) {
            // a newer file of its period has replaced it: it is made to speak as the newest
            (FileState::Ingested, Some(_)) => self.put_in_place(feed, &named, &mut arrival)?,
            (FileState::Ingested, None) => {
                arrival.rank = Some(before.arrival.rank.unwrap_or(before.seq));
                arrival.silences.push(before.seq);
            }
            (FileState::Refused, _) => {
                self.put_in_place(feed, &named, &mut arrival)?;
                for &speaks in &arrival.silences {
                    let file = self.store.file(speaks)?;
                    let rank = file.and_then(|file| file.arrival.rank).unwrap_or(speaks);
                    if rank > before.seq {
                        // a newer file of its period speaks, and would have replaced it
                        return Ok(());
                    }
                }
                arrival.rank = Some(before.seq);
            }
            // neither was ever read
            (FileState::Duplicate | FileState::Held, _) => return Ok(()),
        }
        // what is held of its period still waits for a person
        arrival.idles.clear();
        let path = Archive::of(&self.places.data).path_of(&arrival.sha256);
        let outcome = self.read_file(feed, &layout, &arrival, &path, Waived::Void)?;
        self.note_file(arrival, outcome)?;
        self.tell_only_news(before)
    }

    /// What the first reading had rejected or held is no news.
    fn tell_only_news(&mut self, before: &FileRow) -> Result<()> {
        let Some(line) = self.report.files.last_mut() else { return Ok(()) };
        line.known = match (before.state, line.state) {
            (FileState::Refused, FileState::Refused) => Known::Before,
            (FileState::Ingested, FileState::Ingested)
                if line.counts.rejected <= before.counts.rejected
                    && line.counts.held <= before.counts.held =>
            {
                Known::Before
            }
            (_, _) => Known::News,
        };
        Ok(())
    }
}

/// Whether what is wrong with a file was told by an earlier run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// it was
    Before,
    /// it was not
    News,
}
