//! Whatever is wrong with a run or worth a look, each with its feed and file. A person is told the first ones of a kind and how many more there
//! are; a log that machines read has all of them.

use super::{Tense, and_more, counted, counted_more};
use crate::batch::{FeedFault, FileLine, Report, TOUCHED};
use crate::cli::log::{self, About};
use crate::cli::output::{grouped, printable};
use crate::cli::session::Session;
use crate::config::Config;
use crate::store::FILE_HOLDS;
use crate::store::files::FileState;
use crate::store::holds::NewHold;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// So many of a kind are told one by one.
const TOLD: usize = 10;
/// So many holds of whole files, beside what is said of the files.
const FILE_HOLDS_TOLD: usize = 3;
/// So many feeds that have one trouble are told by name.
const FEEDS_NAMED: usize = 5;

/// How much of it is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Much {
    /// for a person
    First,
    /// for a machine
    All,
}

impl Much {
    fn of(self, first: usize) -> usize {
        match self {
            Much::First => first,
            Much::All => usize::MAX,
        }
    }
}

/// Tells all of it.
pub(super) fn tell(session: &Session, config: &Config, report: &Report, tense: Tense) {
    let much = if log::is_structured() { Much::All } else { Much::First };
    let about = About { run: Some(report.run).filter(|_| tense == Tense::Done), ..About::default() };
    faults(session, about, much, (Whose::Feeds, &report.faults));
    faults(session, about, much, (Whose::Pushes, &report.push_faults));
    files(session, (config, about), much, report, tense);
    for (feed, what) in report.notices.iter().take(much.of(TOLD)) {
        let about = About { feed: Some(feed), ..about };
        session.say_of(about, format_args!("notice: feed {feed}: {}", printable(what)));
    }
    if let more @ 1.. = report.notices.len().saturating_sub(much.of(TOLD)) {
        session
            .say_of(about, format_args!("notice: {} like these (accrued check)", counted_more(more, "name")));
    }
    if let Some((before, this)) = &report.other_version {
        session.say(format_args!(
            "notice: the run before was made by {before}, this one by {this}: what it makes otherwise on closed cycles is held \
             as a proposed correction once a partner has news (accrued verify says where it differs)"
        ));
    }
    missing(session, about, much, &report.missing);
    holds(session, about, much, &report.new_holds);
    untold(session, about, much, report);
}

/// Whose faults they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whose {
    Feeds,
    Pushes,
}

/// Those of several feeds that have one cause are one line for a person.
fn faults(session: &Session, about: About<'_>, much: Much, (whose, faults): (Whose, &[FeedFault])) {
    let mut causes: Vec<(&str, Vec<&str>)> = Vec::new();
    for fault in faults {
        let same = causes.iter_mut().find(|(why, _)| much == Much::First && *why == fault.why);
        match same {
            Some((_, feeds)) if feeds.contains(&fault.feed.as_str()) => {}
            Some((_, feeds)) => feeds.push(&fault.feed),
            None => causes.push((&fault.why, vec![&fault.feed])),
        }
    }
    let most = match whose {
        Whose::Feeds => much.of(TOLD),
        // each push stops at eleven by itself
        Whose::Pushes => usize::MAX,
    };
    for (why, feeds) in causes.iter().take(most) {
        let (word, of_feed) = match (whose, feeds.len()) {
            (Whose::Feeds, 1) => ("feed", feeds.first().copied()),
            (Whose::Feeds, _) => ("feeds", feeds.first().copied()),
            (Whose::Pushes, 1) => ("push", None),
            (Whose::Pushes, _) => ("pushes", None),
        };
        let about = About { feed: of_feed, ..about };
        let named = and_more(&feeds[..feeds.len().min(FEEDS_NAMED)], feeds.len());
        session.complain_of(about, format_args!("error: {word} {named}: {}", printable(why)));
    }
    if let more @ 1.. = causes.len().saturating_sub(most) {
        let more = counted_more(more, "fault");
        session
            .complain_of(about, format_args!("error: {more} (accrued check looks at every feed and push)"));
    }
}

/// What is said of a file.
struct Said<'r> {
    word: &'static str,
    file: &'r FileLine,
    /// rows that it is about
    rows: u64,
    what: String,
}

fn files(
    session: &Session,
    (config, about): (&Config, About<'_>),
    much: Much,
    report: &Report,
    tense: Tense,
) {
    let mut told: BTreeMap<&str, usize> = BTreeMap::new();
    let mut more: BTreeMap<&str, (usize, u64)> = BTreeMap::new();
    for said in report.files.iter().flat_map(|file| of_file(config, file, tense)) {
        let count = told.entry(said.word).or_default();
        *count += 1;
        if *count > much.of(TOLD) {
            let (files, rows) = more.entry(said.word).or_default();
            (*files, *rows) = (*files + 1, *rows + said.rows);
            continue;
        }
        let about = About { feed: Some(&said.file.feed), file: Some(&said.file.name), ..about };
        say(session, about, said.word, &said.what);
    }
    for (word, (files, rows)) in more {
        let rows = if rows > 0 { format!("{} in ", counted(rows, "row")) } else { String::new() };
        say(session, about, word, &format!("{rows}{} (accrued files)", counted_more(files, "file")));
    }
}

fn say(session: &Session, about: About<'_>, word: &str, what: &str) {
    match word {
        "notice" => session.say_of(about, format_args!("notice: {what}")),
        word => session.complain_of(about, format_args!("{word}: {what}")),
    }
}

fn of_file<'r>(config: &Config, file: &'r FileLine, tense: Tense) -> Vec<Said<'r>> {
    let what = format!("feed {}: {}", file.feed, printable(&file.name));
    let detail = printable(&file.detail);
    let is_told = match file.state {
        FileState::Refused if file.told => Some(("notice", format!("{what}: refused again: {detail}"))),
        FileState::Refused => Some(("refused", format!("{what}: {detail}"))),
        FileState::Held => Some(("held", format!("{what}: {detail}"))),
        // a server was restored, or a file touched: nothing is new
        FileState::Duplicate if file.reason == TOUCHED => None,
        FileState::Duplicate => Some(("notice", format!("{what}: {detail}"))),
        FileState::Ingested if file.gone > 0 => Some(("gone", format!("{what}: {detail}"))),
        FileState::Ingested if !detail.is_empty() => Some(("notice", format!("{what}: {detail}"))),
        FileState::Ingested => None,
    };
    let mut said: Vec<Said<'r>> =
        is_told.into_iter().map(|(word, what)| Said { word, file, rows: 0, what }).collect();
    let rows = file.counts.rejected;
    if rows > 0 {
        let place = match (&file.rejects, tense) {
            (Some(path), Tense::Done) => format!(", with why in {}", config.data_dir.join(path).display()),
            (Some(_) | None, _) => String::new(),
        };
        let what = format!("{what}: {}{place}", counted(rows, "row"));
        said.push(Said { word: "rejected", file, rows, what });
    }
    said
}

/// Where there are many, those of one feed are one line for a person.
fn missing(session: &Session, about: About<'_>, much: Much, missing: &[(String, String)]) {
    let mut feeds: Vec<(&str, &str, usize)> = Vec::new();
    for (feed, what) in missing {
        let together = missing.len() > much.of(TOLD);
        match feeds.iter_mut().find(|(name, _, _)| together && name == feed) {
            Some((_, _, more)) => *more += 1,
            None => feeds.push((feed, what, 0)),
        }
    }
    for (feed, what, more) in feeds.iter().take(much.of(TOLD)) {
        let about = About { feed: Some(feed), ..about };
        let more = if *more > 0 { format!(", and {more} more") } else { String::new() };
        session.complain_of(about, format_args!("missing: {what}{more}"));
    }
    if let more @ 1.. = feeds.len().saturating_sub(much.of(TOLD)) {
        let more = counted_more(more, "feed");
        session.complain_of(about, format_args!("missing: files of {more} (accrued status)"));
    }
}

/// That a whole file is held was said of the file; what is at stake in it is told too where there are few.
fn holds(session: &Session, about: About<'_>, much: Much, holds: &[NewHold]) {
    let of_file = |hold: &&NewHold| FILE_HOLDS.contains(&hold.kind);
    let few = holds.iter().filter(of_file).count() <= much.of(FILE_HOLDS_TOLD);
    let is_told = |hold: &&NewHold| few || !of_file(hold);
    for hold in holds.iter().filter(is_told).take(much.of(TOLD)) {
        let scheme = Some(hold.scheme.as_str()).filter(|id| !id.is_empty());
        let cycle = Some(hold.cycle.as_str()).filter(|name| !name.is_empty());
        let about = About { scheme, cycle, ..about };
        session.complain_of(about, format_args!("held: {}", hold_words(hold)));
    }
    let mut more: BTreeMap<&str, u64> = BTreeMap::new();
    for hold in holds.iter().filter(is_told).skip(much.of(TOLD)) {
        *more.entry(hold.kind).or_default() += 1;
    }
    for (kind, count) in more {
        session.complain_of(about, format_args!("held: {} more of {kind}", grouped(&count.to_string())));
    }
}

fn hold_words(hold: &NewHold) -> String {
    let mut whose: Vec<String> = Vec::new();
    if !hold.scheme.is_empty() {
        whose.push(format!("{} {}", hold.scheme, hold.cycle).trim_end().to_owned());
    }
    if !hold.partner.is_empty() {
        whose.push(format!("partner {}", printable(&hold.partner)));
    }
    if hold.lines > 0 {
        whose.push(counted(hold.lines, "line"));
    }
    let mut words = hold.kind.to_owned();
    if !whose.is_empty() {
        let _ = write!(words, ": {}", whose.join(", "));
    }
    let _ = write!(words, ": {}", printable(&hold.detail));
    words
}

/// What runs that were killed could not tell any more.
fn untold(session: &Session, about: About<'_>, much: Much, report: &Report) {
    for file in report.untold_files.iter().take(much.of(TOLD)) {
        let (feed, name) = (&file.arrival.feed, printable(&file.arrival.name));
        let (what, why) = match file.state {
            FileState::Refused => ("refused", printable(&file.detail)),
            FileState::Ingested | FileState::Held | FileState::Duplicate => {
                ("rejected", counted(file.counts.rejected, "row"))
            }
        };
        let about = About { feed: Some(feed), file: Some(&file.arrival.name), ..about };
        session
            .complain_of(about, format_args!("{what} by a run that was killed: feed {feed}: {name}: {why}"));
    }
    for hold in report.untold_holds.iter().take(much.of(TOLD)) {
        let (kind, detail) = (&hold.kind, printable(&hold.detail));
        session.complain_of(
            about,
            format_args!("held by a run that was killed: hold {} ({kind}): {detail}", hold.id),
        );
    }
    let more = |all: usize| all.saturating_sub(much.of(TOLD));
    let told = [
        (more(report.untold_files.len()), "file", "files"),
        (more(report.untold_holds.len()), "hold", "holds"),
    ];
    for (count, word, command) in told.into_iter().filter(|(count, _, _)| *count > 0) {
        let what = counted_more(count, word);
        session.complain_of(about, format_args!("{what} of a run that was killed (accrued {command})"));
    }
}
