//! `accrued files [NAME]`: every file ever taken, and what became of its rows.

use super::exit::{Exit, Fault};
use super::listing::{Listing, Titled};
use super::output::{Column, Format, count, grouped, number, text};
use super::session::Session;
use super::summary::counted;
use crate::facts::amounts::Amounts;
use crate::facts::movement::Sum;
use crate::fault;
use crate::store::Store;
use crate::store::files::{FileRow, FileState};
use crate::store::moved::Moved;
use anyhow::Result;
use rust_decimal::Decimal;
use std::fmt::Write as _;
use std::io::Write as _;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Only files of this name
    name: Option<String>,
}

const COLUMNS: [Column; 33] = [
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
    text("currency"),
    text("moved_money"),
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

    fn cells(&self, for_people: bool) -> [String; 33] {
        let (file, counts, arrival) = (self.file, &self.file.counts, &self.file.arrival);
        let day = |day: Option<chrono::NaiveDate>| day.map(|day| day.to_string()).unwrap_or_default();
        let moved = |figure: fn(&Moved) -> String| self.moved.as_ref().map(figure).unwrap_or_default();
        let currency = self.moved.as_ref().and_then(currency);
        // sums of several currencies are told in words
        let money = |of: fn(&Moved) -> &Amounts| match (&self.moved, &currency) {
            (Some(moved), Some(_)) => of(moved).only().map(plain).unwrap_or_default(),
            (None, _) | (_, None) => String::new(),
        };
        let net = self.moved.as_ref().map(Moved::net);
        let in_words = net.as_ref().map(by_currency).unwrap_or_default();
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
            match (&net, for_people) {
                (Some(net), true) => net.words(|sum| grouped(&plain(sum))),
                (Some(net), false) if currency.is_some() => net.only().map(plain).unwrap_or_default(),
                (Some(_) | None, _) => String::new(),
            },
            money(|moved| &moved.new.amounts),
            money(|moved| &moved.before.amounts),
            money(|moved| &moved.after.amounts),
            moved(|moved| moved.voided.lines.to_string()),
            money(|moved| &moved.voided.amounts),
            moved(|moved| moved.gone.lines.to_string()),
            money(|moved| &moved.gone.amounts),
            self.open_rejects.to_string(),
            currency.clone().unwrap_or_default(),
            in_words,
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
        let in_words = |amounts: &Amounts| amounts.words(|sum| grouped(&plain(sum)));
        let of = |sum: &Sum| format!("{}, {} in amount", counted(sum.lines, "line"), in_words(&sum.amounts));
        line("new", of(&moved.new));
        if moved.after.lines + moved.before.lines > 0 {
            let (before, after) = (in_words(&moved.before.amounts), in_words(&moved.after.amounts));
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
        line("in all", in_words(&moved.net()));
        tale
    }
}

/// The one currency of all that a file moved, "" where none was said; nothing where there are several.
fn currency(moved: &Moved) -> Option<String> {
    let sums = [&moved.new, &moved.before, &moved.after, &moved.voided, &moved.gone];
    let mut currencies: Vec<&str> =
        sums.iter().flat_map(|sum| sum.amounts.iter()).map(|(one, _)| one).collect();
    currencies.sort_unstable();
    currencies.dedup();
    match currencies.as_slice() {
        [] => Some(String::new()),
        [one] => Some((*one).to_owned()),
        _ => None,
    }
}

/// `INR 100; USD -20`; blank where no currency was said.
fn by_currency(net: &Amounts) -> String {
    let one = |(currency, sum): (&str, Decimal)| match currency {
        "" => format!("no currency {}", plain(sum)),
        currency => format!("{currency} {}", plain(sum)),
    };
    let named = net.iter().any(|(currency, _)| !currency.is_empty());
    if named { net.iter().map(one).collect::<Vec<_>>().join("; ") } else { String::new() }
}

/// Digits without idle zeros.
fn plain(amount: Decimal) -> String {
    amount.normalize().to_string()
}

fn mtime(at: i64) -> String {
    chrono::DateTime::from_timestamp_nanos(at).to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}
