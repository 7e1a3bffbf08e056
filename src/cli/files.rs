//! `accrued files [NAME]`: every file ever taken, and what became of its rows.

use super::exit::{Exit, Fault};
use super::listing::{Listing, Titled};
use super::output::{Column, count, text};
use super::session::Session;
use crate::fault;
use crate::store::files::FileRow;
use anyhow::Result;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Only files of this name
    name: Option<String>,
}

const COLUMNS: [Column; 15] = [
    text("taken_at"),
    count("run"),
    text("feed"),
    text("name"),
    text("state"),
    count("rows"),
    count("accepted"),
    count("duplicate"),
    count("superseding"),
    count("outdated"),
    count("held"),
    count("rejected"),
    text("reason"),
    text("detail"),
    text("sha256"),
];

const FOR_PEOPLE: [Titled; 9] = [
    ("taken_at", "taken at"),
    ("feed", "feed"),
    ("name", "file"),
    ("state", "state"),
    ("rows", "rows"),
    ("accepted", "accepted"),
    ("held", "held"),
    ("rejected", "rejected"),
    ("detail", "detail"),
];

pub(super) fn run(session: &Session, args: &Args) -> Result<Exit> {
    let config = session.config()?;
    let store = session.store(&config)?;
    let files = store.files(args.name.as_deref())?;
    if let (Some(name), true) = (&args.name, files.is_empty()) {
        let all = store.files(None)?;
        let known: Vec<&str> = all.iter().map(|file| file.arrival.name.as_str()).collect();
        let near = fault::nearest(name, &known).map(|near| format!(" (did you mean {near}?)"));
        return Err(Fault::failed(format!(
            "no file named {name:?} was ever taken{}; accrued files lists all that were",
            near.unwrap_or_default()
        )));
    }
    let mut table = Listing::begin(session, "files", &COLUMNS, &FOR_PEOPLE)?;
    for file in &files {
        table.row(&cells(file))?;
    }
    if table.end(session)? == 0 {
        session.say("no file was taken yet");
    }
    Ok(Exit::Done)
}

fn cells(file: &FileRow) -> [String; 15] {
    let counts = &file.counts;
    [
        file.taken_at.clone(),
        file.run.to_string(),
        file.arrival.feed.clone(),
        file.arrival.name.clone(),
        file.state.word().to_owned(),
        counts.rows.to_string(),
        counts.accepted.to_string(),
        counts.duplicate.to_string(),
        counts.superseding.to_string(),
        counts.outdated.to_string(),
        counts.held.to_string(),
        counts.rejected.to_string(),
        file.reason.clone(),
        file.detail.clone(),
        file.arrival.sha256.clone(),
    ]
}
