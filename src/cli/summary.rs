//! What a run did, for a person in five seconds: on stdout the summary, on stderr whatever is wrong or worth a look.

use super::log::About;
use super::output::{Column, Format, count, grouped, number, printable, text};
use super::session::Session;
use crate::batch::{CycleLine, FileLine, Report, TOUCHED};
use crate::config::Config;
use crate::domain::points::Points;
use crate::store::files::{Counts, FileState};
use crate::store::holds::NewHold;
use anyhow::Result;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;

/// Holds told one by one; what is more is counted by kind.
const HOLDS_TOLD: usize = 10;

/// Whether it was done or only rehearsed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tense {
    /// it was
    Done,
    /// `--dry-run`
    Would,
}

/// Prints all of it.
pub(super) fn print(session: &Session, config: &Config, report: &Report, tense: Tense) -> Result<()> {
    tell_problems(session, config, report, tense);
    hint(session, report, tense);
    match session.asked_format() {
        Some(Format::Csv | Format::Json) => data(session, report),
        Some(Format::Table) | None if session.is_quiet() => Ok(()),
        Some(Format::Table) | None => {
            let mut out = std::io::stdout().lock();
            out.write_all(words(config, report, tense).as_bytes())?;
            Ok(out.flush()?)
        }
    }
}

/// The same for a log, in few lines: what is wrong, one line with the figures, one for each cycle that moved, the chain's head.
pub(super) fn log(session: &Session, config: &Config, report: &Report) {
    tell_problems(session, config, report, Tense::Done);
    for line in compact(&words(config, report, Tense::Done)) {
        session.say(line);
    }
}

/// The figures of a summary on one line; what is posted, published or waits, and the chain's head, on lines of their own.
fn compact(summary: &str) -> Vec<String> {
    let mut figures: Vec<String> = Vec::new();
    let mut others: Vec<String> = Vec::new();
    for line in summary.lines() {
        let told = line.split_whitespace().collect::<Vec<_>>().join(" ");
        let is_figure =
            ["run ", "files ", "rows ", "holds ", "evaluated "].iter().any(|label| line.starts_with(label));
        match others.last_mut() {
            _ if is_figure => figures.push(told),
            // what is published belongs to what was posted
            Some(posted) if line.starts_with(' ') => posted.push_str(&format!(", {told}")),
            Some(_) | None => others.push(told),
        }
    }
    std::iter::once(figures.join("; ")).chain(others).collect()
}

const COLUMNS: [Column; 19] = [
    count("run"),
    text("at"),
    count("exit"),
    count("files"),
    count("rows"),
    count("accepted"),
    count("duplicate"),
    count("superseding"),
    count("outdated"),
    count("held"),
    count("rejected"),
    count("new_holds"),
    count("open_holds"),
    count("evaluated"),
    count("entries"),
    number("points"),
    count("cycles_closed"),
    count("last_entry"),
    text("head"),
];

fn data(session: &Session, report: &Report) -> Result<()> {
    let rows = rows(&report.files);
    let mut table = session.table("run", &COLUMNS)?;
    table.row(&[
        report.run.to_string(),
        report.at.clone(),
        report.exit().code().to_string(),
        report.files.len().to_string(),
        rows.rows.to_string(),
        rows.accepted.to_string(),
        rows.duplicate.to_string(),
        rows.superseding.to_string(),
        rows.outdated.to_string(),
        rows.held.to_string(),
        rows.rejected.to_string(),
        report.new_holds.len().to_string(),
        report.open_holds.to_string(),
        report.evaluated.to_string(),
        report.cycles.iter().map(|line| line.entries).sum::<u64>().to_string(),
        points(&report.cycles).to_string(),
        report.cycles.iter().filter(|line| line.closed).count().to_string(),
        report.last_entry.to_string(),
        report.head.clone(),
    ])?;
    table.end().map(drop)
}

fn rows(files: &[FileLine]) -> Counts {
    files.iter().fold(Counts::default(), |sum, file| Counts {
        rows: sum.rows + file.counts.rows,
        accepted: sum.accepted + file.counts.accepted,
        duplicate: sum.duplicate + file.counts.duplicate,
        superseding: sum.superseding + file.counts.superseding,
        outdated: sum.outdated + file.counts.outdated,
        held: sum.held + file.counts.held,
        rejected: sum.rejected + file.counts.rejected,
    })
}

fn points(lines: &[CycleLine]) -> Points {
    Points(lines.iter().fold(0, |sum, line| sum.saturating_add(line.points.0)))
}

fn words(config: &Config, report: &Report, tense: Tense) -> String {
    let mut out = String::new();
    let mut line = |label: &str, what: String| {
        // cannot fail: it is a string
        let _ = writeln!(out, "{label:<11}{what}");
    };
    match tense {
        Tense::Done => line("run", format!("{} at {}", report.run, report.at)),
        Tense::Would => line("dry run", format!("at {}; nothing of it is kept", report.at)),
    }
    line("files", files_words(&report.files));
    if !report.files.is_empty() {
        line("rows", rows_words(&rows(&report.files)));
    }
    let news = report.new_holds.len() + report.untold_holds.len();
    line("holds", format!("{news} new, {} in all", report.open_holds));
    line("evaluated", counted(report.evaluated, "partner"));
    let label = if tense == Tense::Done { "posted" } else { "would post" };
    let moved: Vec<&CycleLine> = report.cycles.iter().filter(|line| says_something(line)).collect();
    if moved.is_empty() {
        line(label, "nothing".into());
    }
    for cycle in moved {
        line(label, cycle_words(cycle));
        let folder = config.data_dir.join("statements").join(&cycle.scheme).join(&cycle.cycle);
        if !cycle.published.is_empty() && tense == Tense::Done {
            let names: Vec<&str> =
                cycle.published.iter().filter_map(|folder| folder.rsplit('/').next()).collect();
            line("", format!("  in {}: {}", folder.display(), names.join(", ")));
        }
    }
    for (scheme, cycle, why) in &report.waiting {
        line("waits", format!("{scheme} {cycle}: {why}"));
    }
    for (push, files) in &report.pushed {
        line("pushed", format!("{push}: {}", counted(*files, "file")));
    }
    if tense == Tense::Done {
        line("chain head", format!("{} {}", report.last_entry, report.head));
    }
    out
}

fn says_something(line: &CycleLine) -> bool {
    line.entries > 0 || line.closed || !line.published.is_empty()
}

fn cycle_words(line: &CycleLine) -> String {
    let closed = if line.closed { ", closes the cycle" } else { "" };
    let sum = match line.points.to_string().as_str() {
        "1" => "1 point".to_owned(),
        plain => format!("{} points", grouped(plain)),
    };
    format!("{} {}: {sum} to {}{closed}", line.scheme, line.cycle, counted(line.partners, "partner"))
}

fn files_words(files: &[FileLine]) -> String {
    if files.is_empty() {
        return "none new".into();
    }
    let states = [FileState::Ingested, FileState::Duplicate, FileState::Held, FileState::Refused];
    let of = |state: FileState| files.iter().filter(|file| file.state == state).count() as u64;
    listed(states.map(|state| (of(state), state.word())))
}

fn rows_words(counts: &Counts) -> String {
    if counts.rows == 0 {
        return "0".into();
    }
    let kinds = [
        (counts.accepted, "accepted"),
        (counts.duplicate, "duplicate"),
        (counts.superseding, "superseding"),
        (counts.outdated, "outdated"),
        (counts.held, "held"),
        (counts.rejected, "rejected"),
    ];
    listed(kinds)
}

/// `3 ingested, 1 held`: what is not there is not told.
fn listed<const N: usize>(kinds: [(u64, &str); N]) -> String {
    let told: Vec<String> = kinds
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{} {word}", grouped(&count.to_string())))
        .collect();
    told.join(", ")
}

/// `1 partner`, `1,200 partners`
pub(super) fn counted(count: u64, word: &str) -> String {
    let many = if count == 1 { "" } else { "s" };
    format!("{} {word}{many}", grouped(&count.to_string()))
}

/// Every fault and notice with its feed and file.
fn tell_problems(session: &Session, config: &Config, report: &Report, tense: Tense) {
    let about = About { run: Some(report.run).filter(|_| tense == Tense::Done), ..About::default() };
    for fault in &report.faults {
        let about = About { feed: Some(&fault.feed), ..about };
        session.complain_of(about, format_args!("error: feed {}: {}", fault.feed, printable(&fault.why)));
    }
    for fault in &report.push_faults {
        session.complain_of(about, format_args!("error: push {}: {}", fault.feed, printable(&fault.why)));
    }
    for file in &report.files {
        tell_file(session, (config, about), file, tense);
    }
    for (feed, what) in &report.notices {
        let about = About { feed: Some(feed), ..about };
        session.say_of(about, format_args!("notice: feed {feed}: {}", printable(what)));
    }
    if let Some((before, this)) = &report.other_version {
        session.say(format_args!(
            "notice: the run before was made by {before}, this one by {this}: what it makes otherwise on closed cycles is held \
             as a proposed correction once a partner has news (accrued verify says where it differs)"
        ));
    }
    for missing in &report.missing {
        session.complain_of(about, format_args!("missing: {missing}"));
    }
    tell_holds(session, about, &report.new_holds);
    for file in &report.untold_files {
        let (feed, name) = (&file.arrival.feed, printable(&file.arrival.name));
        let (what, why) = match file.state {
            FileState::Refused => ("refused", printable(&file.detail).to_string()),
            FileState::Ingested | FileState::Held | FileState::Duplicate => {
                ("rejected", counted(file.counts.rejected, "row"))
            }
        };
        let about = About { feed: Some(feed), file: Some(&file.arrival.name), ..about };
        session
            .complain_of(about, format_args!("{what} by a run that was killed: feed {feed}: {name}: {why}"));
    }
    for hold in report.untold_holds.iter().take(HOLDS_TOLD) {
        let (kind, detail) = (&hold.kind, printable(&hold.detail));
        session.complain_of(
            about,
            format_args!("held by a run that was killed: hold {} ({kind}): {detail}", hold.id),
        );
    }
}

fn tell_file(session: &Session, (config, about): (&Config, About<'_>), file: &FileLine, tense: Tense) {
    let about = About { feed: Some(&file.feed), file: Some(&file.name), ..about };
    let what = format!("feed {}: {}", file.feed, printable(&file.name));
    let detail = printable(&file.detail);
    match file.state {
        FileState::Refused if file.told => {
            session.say_of(about, format_args!("notice: {what}: refused again: {detail}"))
        }
        FileState::Refused => session.complain_of(about, format_args!("refused: {what}: {detail}")),
        FileState::Held => session.complain_of(about, format_args!("held: {what}: {detail}")),
        // a server was restored, or a file touched: nothing is new
        FileState::Duplicate if file.reason == TOUCHED => {}
        FileState::Duplicate => session.say_of(about, format_args!("notice: {what}: {detail}")),
        FileState::Ingested if file.gone > 0 => {
            session.complain_of(about, format_args!("gone: {what}: {detail}"))
        }
        FileState::Ingested if !detail.is_empty() => {
            session.say_of(about, format_args!("notice: {what}: {detail}"))
        }
        FileState::Ingested => {}
    }
    if file.counts.rejected > 0 {
        let place = match (&file.rejects, tense) {
            (Some(path), Tense::Done) => {
                format!(", with why in {}", config.data_dir.join(path).display())
            }
            (Some(_) | None, _) => String::new(),
        };
        let rows = counted(file.counts.rejected, "row");
        session.complain_of(about, format_args!("rejected: {what}: {rows}{place}"));
    }
}

fn tell_holds(session: &Session, about: About<'_>, holds: &[NewHold]) {
    for hold in holds.iter().take(HOLDS_TOLD) {
        let scheme = Some(hold.scheme.as_str()).filter(|id| !id.is_empty());
        let cycle = Some(hold.cycle.as_str()).filter(|name| !name.is_empty());
        let about = About { scheme, cycle, ..about };
        session.complain_of(about, format_args!("held: {}", hold_words(hold)));
    }
    let mut more: BTreeMap<&str, u64> = BTreeMap::new();
    for hold in holds.iter().skip(HOLDS_TOLD) {
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

/// What to do about rows or files that were not understood.
pub(super) const MEND: &str = "drop the corrected file under its name and run again; or, were the feed's settings wrong, mend them and accrued reread FILE";

fn hint(session: &Session, report: &Report, tense: Tense) {
    if tense == Tense::Would {
        return;
    }
    if !(report.new_holds.is_empty() && report.untold_holds.is_empty()) {
        session.next("accrued holds lists what waits for a person and how to end it");
    }
    if report.files.iter().any(|file| file.state == FileState::Refused || file.counts.rejected > 0) {
        session.next(MEND);
    }
    if !report.missing.is_empty() || !report.waiting.is_empty() {
        session.next("accrued status says what is missing, and since when");
    }
    if let Some(fault) = report.faults.iter().chain(&report.push_faults).next() {
        session
            .next(format!("accrued check looks at every feed and push; {} is the first to mend", fault.feed));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_has_the_figures_on_one_line() {
        let summary = "run        7 at 2026-04-06T00:00:00Z\nfiles      1 ingested\nholds      0 new, 0 in all\n\
                       posted     club 2026-03: 9 points to 1 partner\n             in var/statements/club/2026-03: rev-001\n\
                       chain head 4 ab\n";
        assert_eq!(
            compact(summary),
            [
                "run 7 at 2026-04-06T00:00:00Z; files 1 ingested; holds 0 new, 0 in all",
                "posted club 2026-03: 9 points to 1 partner, in var/statements/club/2026-03: rev-001",
                "chain head 4 ab",
            ]
        );
    }

    #[test]
    fn counts_are_told_where_there_are_any() {
        let counts = Counts { rows: 1205, accepted: 1200, held: 4, rejected: 1, ..Counts::default() };
        assert_eq!(rows_words(&counts), "1,200 accepted, 4 held, 1 rejected");
        assert_eq!(rows_words(&Counts::default()), "0");
        assert_eq!(files_words(&[]), "none new");
        assert_eq!(counted(1, "partner"), "1 partner");
        assert_eq!(counted(0, "partner"), "0 partners");
    }
}
