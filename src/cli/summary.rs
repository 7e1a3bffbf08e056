//! What a run did, for a person in five seconds: on stdout the summary, on stderr whatever is wrong or worth a look. However many feeds,
//! schemes and cycles there are, neither grows beyond what is read at a glance.

mod troubles;

use super::output::{Column, Format, count, grouped, number, text};
use super::session::Session;
use crate::batch::{CycleLine, FeedFault, FileLine, Report};
use crate::config::Config;
use crate::domain::points::Points;
use crate::store::files::{Counts, FileState};
use anyhow::Result;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::Write as _;

/// Cycles told one by one; of more, those of one scheme are told together.
const CYCLES_TOLD: usize = 4;
/// Schemes told one by one, of those that posted or wait.
const SCHEMES_TOLD: usize = 6;
/// Names told one by one.
const NAMES_TOLD: usize = 3;

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
    troubles::tell(session, config, report, tense);
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
    troubles::tell(session, config, report, Tense::Done);
    for line in compact(&words(config, report, Tense::Done)) {
        session.say(line);
    }
}

/// Labels of lines that a log has on one.
const FIGURES: [&str; 8] =
    ["run ", "feeds ", "files ", "rows ", "missing ", "pushes ", "holds ", "evaluated "];

/// The figures of a summary on one line; what is posted, published or waits, and the chain's head, on lines of their own.
fn compact(summary: &str) -> Vec<String> {
    let mut figures: Vec<String> = Vec::new();
    let mut others: Vec<String> = Vec::new();
    for line in summary.lines() {
        let told = line.split_whitespace().collect::<Vec<_>>().join(" ");
        let is_figure = FIGURES.iter().any(|label| line.starts_with(label));
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
    let told =
        [("feeds", config.feeds.len(), &report.faults), ("pushes", config.pushes.len(), &report.push_faults)];
    for (label, of, faults) in told {
        if !faults.is_empty() {
            line(label, faulty_words(of, faults));
        }
    }
    line("files", files_words(&report.files));
    if !report.files.is_empty() {
        line("rows", rows_words(&rows(&report.files)));
    }
    if !report.missing.is_empty() {
        line("missing", missing_words(&report.missing));
    }
    let news = report.new_holds.len() + report.untold_holds.len();
    line("holds", format!("{news} new, {} in all", report.open_holds));
    line("evaluated", counted(report.evaluated, "partner"));
    let label = if tense == Tense::Done { "posted" } else { "would post" };
    for (posted, folder) in posted_words(config, &report.cycles, tense) {
        line(label, posted);
        if let Some(folder) = folder {
            line("", format!("  in {folder}"));
        }
    }
    for (scheme, cycle, why) in report.waiting.iter().take(SCHEMES_TOLD) {
        line("waits", format!("{scheme} {cycle}: {why}"));
    }
    if let more @ 1.. = report.waiting.len().saturating_sub(SCHEMES_TOLD) {
        line("waits", format!("a cycle of {} (accrued status)", counted_more(more, "scheme")));
    }
    for (push, files) in &report.pushed {
        line("pushed", format!("{push}: {}", counted(*files, "file")));
    }
    if tense == Tense::Done {
        line("chain head", format!("{} {}", report.last_entry, report.head));
    }
    out
}

/// `5 of 20 with errors: north, south, east and 2 more`
fn faulty_words(of: usize, faults: &[FeedFault]) -> String {
    let names: BTreeSet<&str> = faults.iter().map(|fault| fault.feed.as_str()).collect();
    let told: Vec<&str> = names.iter().copied().take(NAMES_TOLD).collect();
    format!("{} of {of} with errors: {}", names.len(), and_more(&told, names.len()))
}

/// `north, south and 2 more`
fn and_more(told: &[&str], all: usize) -> String {
    match all.saturating_sub(told.len()) {
        0 => told.join(", "),
        more => format!("{} and {more} more", told.join(", ")),
    }
}

/// `26 files of 6 feeds`
fn missing_words(missing: &[(String, String)]) -> String {
    let feeds: BTreeSet<&str> = missing.iter().map(|(feed, _)| feed.as_str()).collect();
    format!("{} of {}", counted(missing.len() as u64, "file"), counted(feeds.len() as u64, "feed"))
}

/// What was posted and where it is published: cycle by cycle, or scheme by scheme where there are many.
fn posted_words(config: &Config, cycles: &[CycleLine], tense: Tense) -> Vec<(String, Option<String>)> {
    let moved: Vec<&CycleLine> = cycles.iter().filter(|line| says_something(line)).collect();
    if moved.is_empty() {
        return vec![("nothing".to_owned(), None)];
    }
    let place = |named: String, lines: &[&CycleLine]| {
        let published = lines.iter().any(|line| !line.published.is_empty());
        (published && tense == Tense::Done).then_some(named)
    };
    let one = |line: &CycleLine| {
        let folder = config.data_dir.join("statements").join(&line.scheme).join(&line.cycle);
        let names: Vec<&str> = line.published.iter().filter_map(|folder| folder.rsplit('/').next()).collect();
        (cycle_words(line), place(format!("{}: {}", folder.display(), names.join(", ")), &[line]))
    };
    if moved.len() <= CYCLES_TOLD {
        return moved.into_iter().map(one).collect();
    }
    let schemes: Vec<&[&CycleLine]> = moved.chunk_by(|one, next| one.scheme == next.scheme).collect();
    let mut words: Vec<_> = schemes
        .iter()
        .take(SCHEMES_TOLD)
        .map(|lines| match lines {
            [line] => one(line),
            several => {
                let folder = config.data_dir.join("statements").join(&several[0].scheme);
                (scheme_words(several), place(folder.display().to_string(), several))
            }
        })
        .collect();
    if let more @ 1.. = schemes.len().saturating_sub(SCHEMES_TOLD) {
        words.push((format!("{} (accrued ledger)", counted_more(more, "scheme")), None));
    }
    words
}

/// `wires: 791,015 points in 6 cycles, 2026-01 to 2026-06, closes 2 of them`
fn scheme_words(lines: &[&CycleLine]) -> String {
    let points = Points(lines.iter().fold(0, |sum, line| sum.saturating_add(line.points.0)));
    let (first, last) = (&lines[0], &lines[lines.len() - 1]);
    let closed = match lines.iter().filter(|line| line.closed).count() {
        0 => String::new(),
        all if all == lines.len() => ", closes all of them".to_owned(),
        some => format!(", closes {some} of them"),
    };
    format!(
        "{}: {} in {}, {} to {}{closed}",
        first.scheme,
        points_words(points),
        counted(lines.len() as u64, "cycle"),
        first.cycle,
        last.cycle
    )
}

fn points_words(points: Points) -> String {
    match points.to_string().as_str() {
        "1" => "1 point".to_owned(),
        plain => format!("{} points", grouped(plain)),
    }
}

fn says_something(line: &CycleLine) -> bool {
    line.entries > 0 || line.closed || !line.published.is_empty()
}

fn cycle_words(line: &CycleLine) -> String {
    let closed = if line.closed { ", closes the cycle" } else { "" };
    let sum = points_words(line.points);
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

/// `1 more file`, `12 more files`
fn counted_more(count: usize, word: &str) -> String {
    let many = if count == 1 { "" } else { "s" };
    format!("{} more {word}{many}", grouped(&count.to_string()))
}

/// What to do about rows or files that were not understood.
pub(super) const MEND: &str = "drop the corrected file under its name and run again; or, were the feed's settings wrong, mend them and accrued reread FILE";

fn hint(session: &Session, report: &Report, tense: Tense) {
    if tense == Tense::Would {
        return;
    }
    if let Some(fault) = report.faults.iter().chain(&report.push_faults).next() {
        session
            .next(format!("accrued check looks at every feed and push; {} is the first to mend", fault.feed));
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
