//! Which file speaks for a period (interfaces.md 2, `mode = "replace"`): the newest of it, part by part and distributor by distributor.

use super::Run;
use super::fetching::Fetched;
use super::taking::arrival;
use crate::config::{Feed, Mode};
use crate::inbox::pattern::Named;
use crate::store::files::{Arrival, FileState, Freed};
use anyhow::Result;
use chrono::NaiveDate;
use std::collections::{HashMap, HashSet};

/// What a name says that a file speaks for: feed, period, part, distributor.
type Place<'f> = (&'f str, (NaiveDate, NaiveDate), Option<&'f str>, Option<&'f str>);

/// `None` where the files of the feed replace nothing.
fn place<'f>(feed: &'f Feed, named: &'f Named) -> Option<Place<'f>> {
    match feed.mode {
        Mode::Append => None,
        Mode::Replace { .. } => {
            Some((&feed.name, named.period?, named.part.as_deref(), named.distributor.as_deref()))
        }
    }
}

fn why(arrival: &Arrival) -> String {
    let period = arrival.period.map_or_else(String::new, |(first, last)| format!("{first} to {last}"));
    format!(
        "several files of {period} came in one run, and mode = \"replace\" lets one speak for it: release the one that is meant"
    )
}

impl Run<'_> {
    /// Holds those of the files of one run that are of one period, all of them or (killed) none: nobody can tell which of them
    /// speaks for it. Gives the others.
    pub(super) fn hold_several_of_period<'c>(&mut self, files: Vec<Fetched<'c>>) -> Result<Vec<Fetched<'c>>> {
        let several = self.several_of_period(&files)?;
        if !several.contains(&true) {
            return Ok(files);
        }
        self.go_on()?;
        let (mut held, mut others) = (Vec::new(), Vec::new());
        for (file, several) in files.into_iter().zip(several) {
            if several {
                held.push((arrival(&file), file.feed.layout_of(&file.candidate.named)));
            } else {
                others.push(file);
            }
        }
        let mut waiting = Vec::with_capacity(held.len());
        for (arrival, layout) in &held {
            waiting.push((arrival, why(arrival), self.at_stake(layout, arrival)?));
        }
        let outcomes = self.store.hold_files(&self.stamp, &waiting, "several_of_period")?;
        for ((arrival, _), outcome) in held.into_iter().zip(outcomes) {
            self.note_file(arrival, outcome)?;
        }
        Ok(others)
    }

    /// Bytes that were taken before say nothing, and contradict nobody.
    fn several_of_period(&self, files: &[Fetched<'_>]) -> Result<Vec<bool>> {
        let mut bytes: HashMap<Place<'_>, HashSet<&str>> = HashMap::new();
        let mut places = Vec::with_capacity(files.len());
        for file in files {
            let sha256 = file.archived.sha256.as_str();
            let place = match place(file.feed, &file.candidate.named) {
                Some(_) if self.was_ingested(&file.feed.name, sha256)? => None,
                place => place,
            };
            if let Some(place) = place {
                bytes.entry(place).or_default().insert(sha256);
            }
            places.push(place);
        }
        let several = |place: &Place<'_>| bytes.get(place).is_some_and(|bytes| bytes.len() > 1);
        Ok(places.iter().map(|place| place.as_ref().is_some_and(several)).collect())
    }

    fn was_ingested(&self, feed: &str, sha256: &str) -> Result<bool> {
        Ok(!self.store.files_of_bytes(feed, sha256, FileState::Ingested)?.is_empty())
    }

    /// What a file replaces, and which held files nobody need be asked about any more once it is taken.
    pub(super) fn put_in_place(&self, feed: &Feed, named: &Named, arrival: &mut Arrival) -> Result<()> {
        arrival.idles = self.store.held_of_name(&arrival.feed, &arrival.name)?;
        arrival.silences = self.of_its_period(feed, named, FileState::Ingested)?;
        arrival.idles.extend(self.of_its_period(feed, named, FileState::Held)?);
        if let Some(Freed::CauseGone { file, .. }) = arrival.freed {
            // what came after it is not for it to decide
            arrival.idles.retain(|&idle| idle < file);
        }
        Ok(())
    }

    /// The files in a state that a file of such a name replaces, or stands beside.
    pub(super) fn of_its_period(&self, feed: &Feed, named: &Named, state: FileState) -> Result<Vec<i64>> {
        match place(feed, named) {
            None => Ok(Vec::new()),
            Some((name, period, part, distributor)) => {
                self.store.files_of_period(name, period, (part, distributor), state)
            }
        }
    }
}
