//! `accrued files [NAME]`: every file ever taken, and what became of its rows.

use super::exit::{Exit, Fault};
use super::listing::{Listing, Titled};
use super::output::{Column, Format, count, grouped, number, text};
use super::session::Session;
use super::summary::counted;
use crate::facts::movement::Sum;
use crate::fault;
use crate::store::Store;
use crate::store::files::{FileRow, FileState};
use crate::store::moved::Moved;
use anyhow::Result;
use std::fmt::Write as _;
use std::io::Write as _;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Only files of this name
    name: Option<String>,
}

const COLUMNS: [Column; 31] = [
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
    text("mtime"),
    text("period_first"),
    text("period_last"),
    text("part"),
    text("distributor"),
    text("speaks"),
    text("replaced_by"),
    number("moved"),
    number("new_amount"),
    number("superseded_before"),
    number("superseded_after"),
    count("voided_lines"),
    number("voided_amount"),
    count("gone_lines"),
    number("gone_amount"),
    count("open_rejects"),
];

const FOR_PEOPLE: [Titled; 10] = [
    ("taken_at", "taken at"),
    ("feed", "feed"),
    ("name", "file"),
    ("state", "state"),
    ("rows", "rows"),
    ("accepted", "accepted"),
    ("held", "held"),
    ("rejected", "rejected"),
    ("moved", "moved"),
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
    let for_people = session.format() == Format::Table;
    let mut table = Listing::begin(session, "files", &COLUMNS, &FOR_PEOPLE)?;
    let mut tales = String::new();
    for file in &files {
        let taken = Taken::of(&store, file)?;
        table.row(&taken.cells(for_people))?;
        if args.name.is_some() {
            tales.push_str(&taken.tale());
        }
    }
    if table.end(session)? == 0 {
        session.say("no file was taken yet");
    }
    if for_people && !tales.is_empty() {
        let mut out = std::io::stdout().lock();
        out.write_all(tales.as_bytes())?;
        out.flush()?;
    }
    Ok(Exit::Done)
}

/// A taking of a file, and what it came to.
struct Taken<'f> {
    file: &'f FileRow,
    /// as people read it
    state: &'static str,
    open_rejects: u64,
    moved: Option<Moved>,
    /// what speaks in its place: name and instant
    replaced_by: Option<(String, String)>,
}

impl Taken<'_> {
    fn of<'f>(store: &Store, file: &'f FileRow) -> Result<Taken<'f>> {
        let by = file.silent_since.map(|by| store.file(by)).transpose()?.flatten();
        let silent = match &by {
            Some(by) if by.arrival.sha256 == file.arrival.sha256 => "read again",
            Some(_) => "replaced",
            None => file.state.word(),
        };
        let replaced_by = by.map(|by| (by.arrival.name, by.taken_at));
        let open_rejects = store.open_rejects(file.seq)?;
        Ok(Taken { file, state: silent, open_rejects, moved: store.moved(file.seq)?, replaced_by })
    }

    fn cells(&self, for_people: bool) -> [String; 31] {
        let (file, counts, arrival) = (self.file, &self.file.counts, &self.file.arrival);
        let day = |day: Option<chrono::NaiveDate>| day.map(|day| day.to_string()).unwrap_or_default();
        let moved = |figure: fn(&Moved) -> String| self.moved.as_ref().map(figure).unwrap_or_default();
        [
            file.taken_at.clone(),
            file.run.to_string(),
            arrival.feed.clone(),
            arrival.name.clone(),
            if for_people { self.state } else { file.state.word() }.to_owned(),
            counts.rows.to_string(),
            counts.accepted.to_string(),
            counts.duplicate.to_string(),
            counts.superseding.to_string(),
            counts.outdated.to_string(),
            counts.held.to_string(),
            counts.rejected.to_string(),
            file.reason.clone(),
            if for_people { self.detail_for_people() } else { file.detail.clone() },
            arrival.sha256.clone(),
            arrival.mtime.map(mtime).unwrap_or_default(),
            day(arrival.period.map(|period| period.0)),
            day(arrival.period.map(|period| period.1)),
            arrival.part.clone().unwrap_or_default(),
            arrival.distributor.clone().unwrap_or_default(),
            if self.speaks() { "yes" } else { "no" }.to_owned(),
            self.replaced_by.as_ref().map(|(name, _)| name.clone()).unwrap_or_default(),
            moved(|moved| plain(moved.net())),
            moved(|moved| plain(moved.new.amount)),
            moved(|moved| plain(moved.before.amount)),
            moved(|moved| plain(moved.after.amount)),
            moved(|moved| moved.voided.lines.to_string()),
            moved(|moved| plain(moved.voided.amount)),
            moved(|moved| moved.gone.lines.to_string()),
            moved(|moved| plain(moved.gone.amount)),
            self.open_rejects.to_string(),
        ]
    }

    fn speaks(&self) -> bool {
        match self.file.state {
            FileState::Ingested => self.file.silent_since.is_none(),
            FileState::Duplicate | FileState::Refused | FileState::Held => false,
        }
    }

    fn detail_for_people(&self) -> String {
        let silent =
            self.replaced_by.as_ref().map(|(name, at)| format!("{name}, taken at {at}, speaks in its place"));
        let told = [silent.unwrap_or_default(), self.file.detail.clone()];
        let told: Vec<&str> = told.iter().map(String::as_str).filter(|one| !one.is_empty()).collect();
        told.join("; ")
    }

    /// What it moved, in words.
    fn tale(&self) -> String {
        let Some(moved) = &self.moved else { return String::new() };
        let arrival = &self.file.arrival;
        let mut tale = format!("\n{} taken at {}, run {}\n", arrival.name, self.file.taken_at, self.file.run);
        let mut line = |label: &str, what: String| {
            // cannot fail: it is a string
            let _ = writeln!(tale, "  {label:<12}{what}");
        };
        line("bytes", format!("{} {}", arrival.size, arrival.sha256));
        if let Some(at) = arrival.mtime {
            line("mtime", mtime(at));
        }
        if let Some((first, last)) = arrival.period {
            line("period", format!("{first} to {last}"));
        }
        let of =
            |sum: &Sum| format!("{}, {} in amount", counted(sum.lines, "line"), grouped(&plain(sum.amount)));
        line("new", of(&moved.new));
        if moved.after.lines + moved.before.lines > 0 {
            let (before, after) = (grouped(&plain(moved.before.amount)), grouped(&plain(moved.after.amount)));
            line(
                "superseded",
                format!("{}, {before} before, {after} after", counted(moved.after.lines, "line")),
            );
        }
        if moved.voided.lines > 0 {
            line("voided", of(&moved.voided));
        }
        if moved.gone.lines > 0 {
            line("not in it", format!("{}, in force all the same", of(&moved.gone)));
        }
        line("in all", grouped(&plain(moved.net())));
        tale
    }
}

/// Digits without idle zeros.
fn plain(amount: rust_decimal::Decimal) -> String {
    amount.normalize().to_string()
}

fn mtime(at: i64) -> String {
    chrono::DateTime::from_timestamp_nanos(at).to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}
