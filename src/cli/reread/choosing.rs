//! Which taking of which bytes is read again.

use crate::cli::exit::Fault;
use crate::config::Config;
use crate::fault::nearest;
use crate::store::Store;
use crate::store::files::{FileRow, FileState};
use anyhow::Result;
use std::collections::{BTreeMap, BTreeSet};

/// Digits by which a SHA-256 is told from a name.
const LEAST_DIGITS: usize = 6;

/// The takings of the same bytes by one feed, in order.
type Takings = Vec<FileRow>;

/// Takings to be read again, in order of ingestion.
pub(super) fn choose(
    config: &Config,
    store: &Store,
    file: Option<&str>,
    feed: Option<&str>,
) -> Result<Vec<FileRow>> {
    if let Some(name) = feed.filter(|name| config.feed(name).is_none()) {
        return Err(no_feed(config, name));
    }
    let mut of_bytes: BTreeMap<(String, String), Takings> = BTreeMap::new();
    for row in store.files(None)? {
        if feed.is_none_or(|feed| feed == row.arrival.feed) {
            let key = (row.arrival.feed.clone(), row.arrival.sha256.clone());
            of_bytes.entry(key).or_default().push(row);
        }
    }
    let all: Vec<Takings> = of_bytes.into_values().collect();
    let mut chosen = match file {
        None => all.iter().filter_map(|takings| speaking(takings).or_else(|| refused(takings))).collect(),
        Some(file) => named(config, file, &all)?,
    };
    chosen.sort_by_key(|row| (row.arrival.rank.unwrap_or(row.seq), row.seq));
    match (chosen.is_empty(), feed) {
        (true, Some(feed)) => {
            Err(Fault::failed(format!("feed {feed} has ingested no file yet: nothing to read again")))
        }
        (_, _) => Ok(chosen),
    }
}

/// The reading that speaks.
fn speaking(takings: &Takings) -> Option<FileRow> {
    takings.iter().rfind(|row| row.state == FileState::Ingested && row.silent_since.is_none()).cloned()
}

/// Bytes that were never understood: where they would have stood.
fn refused(takings: &Takings) -> Option<FileRow> {
    let ever = takings.iter().any(|row| row.state == FileState::Ingested);
    takings.iter().find(|row| !ever && row.state == FileState::Refused).cloned()
}

/// Bytes that a newer file of their period has replaced.
fn replaced(takings: &Takings) -> Option<FileRow> {
    takings.iter().rfind(|row| row.state == FileState::Ingested).cloned()
}

fn named(config: &Config, file: &str, all: &[Takings]) -> Result<Vec<FileRow>> {
    let by_name: Vec<&Takings> =
        all.iter().filter(|takings| takings.iter().any(|row| row.arrival.name == file)).collect();
    let digits = file.to_ascii_lowercase();
    let hex = digits.len() >= LEAST_DIGITS && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let by_bytes = all.iter().filter(|takings| hex && takings[0].arrival.sha256.starts_with(&digits));
    let found = if by_name.is_empty() { by_bytes.collect() } else { by_name.clone() };
    if found.is_empty() {
        return Err(unknown(file, all));
    }
    let feeds: BTreeSet<&str> = found.iter().map(|takings| takings[0].arrival.feed.as_str()).collect();
    let contents: BTreeSet<&str> = found.iter().map(|takings| takings[0].arrival.sha256.as_str()).collect();
    if feeds.len() > 1 || (by_name.is_empty() && contents.len() > 1) {
        return Err(ambiguous(file, &found));
    }
    if let Some(feed) = feeds.into_iter().find(|feed| config.feed(feed).is_none()) {
        return Err(Fault::failed(format!(
            "{file} was taken from feed {feed}, which {} has not any more: without its settings it cannot be read",
            config.path.display()
        )));
    }
    let mut chosen: Vec<FileRow> =
        found.iter().filter_map(|takings| speaking(takings).or_else(|| refused(takings))).collect();
    if chosen.is_empty() {
        // a person can make them speak again: the newest of them
        chosen = found
            .iter()
            .filter_map(|takings| replaced(takings))
            .max_by_key(|row| row.seq)
            .into_iter()
            .collect();
    }
    if chosen.is_empty() {
        return Err(Fault::failed(format!(
            "{file} was never read: it is {}; accrued holds lists what waits for a person",
            found[0][0].state.word()
        )));
    }
    Ok(chosen)
}

fn ambiguous(file: &str, found: &[&Takings]) -> anyhow::Error {
    let told: Vec<String> = found
        .iter()
        .map(|takings| {
            let arrival = &takings[0].arrival;
            let digits: String = arrival.sha256.chars().take(12).collect();
            format!("{digits} {} of feed {}", arrival.name, arrival.feed)
        })
        .collect();
    Fault::usage(format!(
        "{file} can mean several files: name one by more digits of its SHA-256, or with --feed: {}",
        told.join("; ")
    ))
}

fn unknown(file: &str, all: &[Takings]) -> anyhow::Error {
    let known: Vec<&str> = all.iter().flatten().map(|row| row.arrival.name.as_str()).collect();
    let near = nearest(file, &known).map(|near| format!(" (did you mean {near}?)")).unwrap_or_default();
    Fault::failed(format!("no file named {file:?} was ever taken{near}; accrued files lists all that were"))
}

fn no_feed(config: &Config, name: &str) -> anyhow::Error {
    let known: Vec<&str> = config.feeds.iter().map(|feed| feed.name.as_str()).collect();
    let near = nearest(name, &known).map(|near| format!(" (did you mean {near}?)")).unwrap_or_default();
    Fault::usage(format!(
        "{} has no feed {name:?}{near}; its feeds are: {}",
        config.path.display(),
        known.join(", ")
    ))
}
