//! What the demo says: the runs, a result for each retailer, one position explained, and where things are.

use super::Played;
use super::sample::STEPS;
use crate::batch::{self, FileLine, Report};
use crate::calendar::Cycle;
use crate::cli::aligned::{Side, aligned};
use crate::cli::explain::Question;
use crate::cli::output::grouped;
use crate::cli::shown::Shown;
use crate::domain::points::Points;
use crate::scheme::Family;
use crate::store::files::FileState;
use crate::store::ledger::Wanted;
use anyhow::{Context, Result};
use std::collections::BTreeMap;
use std::path::Path;

/// What each retailer is there to show.
const REMARKS: [(&str, &str); 6] = [
    ("R-101", "a return took it out of Gold"),
    ("R-102", "20,000 in Q1, cut to the cap"),
    ("R-103", "one rupee short of Gold in Q1"),
    ("R-104", "Q1 came with a late file"),
    ("R-201", "its 30 June 23:30 is July here"),
    ("R-202", "LED counts twice"),
];
/// Whose points are explained.
const EXPLAINED: (&str, &str) = ("R-101", "FY2026-27-Q1");

/// Everything.
pub(super) fn text(folder: &Path, played: &Played) -> Result<String> {
    let families = families(played)?;
    let mut out = String::new();
    for (index, (step, report)) in STEPS.iter().zip(&played.reports).enumerate() {
        out.push_str(&format!("run {} on {}: {}\n", index + 1, &step.at[..10], step.what));
        out.push_str(&run(report));
    }
    out.push('\n');
    out.push_str(&results(played, &families)?);
    let (partner, cycle) = EXPLAINED;
    out.push_str(&format!("\n$ accrued explain {partner} --cycle {cycle}\n"));
    let question = Question::of_today(&played.store, &families, partner, (None, Some(cycle)), None, None)?;
    out.push_str(&question.answer(&played.store)?.for_people());
    out.push_str(&written(folder, played)?);
    out.push_str(&format!(
        "\nto try\n  accrued demo --break\n  in {}: accrued status, accrued explain R-103 --cycle {cycle}, accrued verify\n",
        folder.display()
    ));
    Ok(out)
}

/// The schemes as closed cycles go by them.
fn families(played: &Played) -> Result<Vec<Family>> {
    let real = batch::load_schemes(&played.config)?;
    real.families.into_iter().map(|family| batch::with_pins(&played.store, family)).collect()
}

/// What one run did, a line a file and a line a cycle.
fn run(report: &Report) -> String {
    let files: Vec<Vec<String>> =
        report.files.iter().map(|file| vec![file.name.clone(), rows(file)]).collect();
    let mut out = aligned(2, &[Side::Left, Side::Left], &files);
    for cycle in &report.cycles {
        let does = if cycle.closed { "closes" } else { "corrects" };
        out.push_str(&format!(
            "  {does} {}: {} points in {} entries\n",
            cycle.cycle,
            grouped(&cycle.points.plain(0)),
            cycle.entries
        ));
    }
    out
}

fn rows(file: &FileLine) -> String {
    match file.state {
        FileState::Ingested => {}
        FileState::Duplicate => return "the same bytes again: nothing to do".to_owned(),
        FileState::Refused | FileState::Held => {
            return format!("{}: {}", file.state.word(), file.reason);
        }
    }
    let counts = file.counts;
    let all = [
        (counts.accepted, "accepted"),
        (counts.duplicate, "duplicate"),
        (counts.superseding, "superseding"),
        (counts.outdated, "outdated"),
        (counts.held, "held"),
        (counts.rejected, "rejected"),
    ];
    let some = all.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}"));
    some.collect::<Vec<_>>().join(", ")
}

/// The short table: what each retailer has of each cycle, and in all.
fn results(played: &Played, families: &[Family]) -> Result<String> {
    let family = families.first().context("the sample has a scheme")?;
    let calendar = family.versions[0].calendar;
    let shown = Shown::of(&played.store)?;
    let cycles = played.store.cycles_with_positions(&family.id)?;
    let mut posted: BTreeMap<(String, String), i64> = BTreeMap::new();
    played.store.each_entry(&Wanted::default(), |entry| {
        *posted.entry((entry.partner_code, entry.cycle)).or_default() += entry.points.0;
        Ok(())
    })?;
    let points = |points: i64| grouped(&shown.wallet(&family.id, Points(points)));
    let mut head = vec!["partner".to_owned(), "name".to_owned()];
    for cycle in &cycles {
        head.extend([short(&calendar.name(Cycle(*cycle))), String::new()]);
    }
    head.extend(["balance".to_owned(), String::new()]);
    let mut rows = vec![head];
    for (partner, remark) in REMARKS {
        let mut row = vec![partner.to_owned(), played.store.name_of(&family.id, partner)?];
        let mut balance = 0;
        for cycle in &cycles {
            let name = calendar.name(Cycle(*cycle));
            let of_cycle = posted.get(&(partner.to_owned(), name)).copied().unwrap_or_default();
            balance += of_cycle;
            let tier =
                played.store.position(&family.id, *cycle, partner)?.map_or(String::new(), |kept| kept.tier);
            row.extend([points(of_cycle), tier]);
        }
        row.extend([points(balance), remark.to_owned()]);
        rows.push(row);
    }
    let cycle = [Side::Right, Side::Left];
    let sides: Vec<Side> = [Side::Left, Side::Left]
        .into_iter()
        .chain(cycles.iter().flat_map(|_| cycle))
        .chain([Side::Right, Side::Left])
        .collect();
    Ok(aligned(0, &sides, &rows))
}

/// `FY2026-27-Q1` as people say it within one year: `Q1`.
fn short(cycle: &str) -> String {
    cycle.rsplit('-').next().unwrap_or(cycle).to_owned()
}

/// What it wrote.
fn written(folder: &Path, played: &Played) -> Result<String> {
    let data = folder.join("var");
    let mut by_cycle: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for publication in played.store.publications(None)? {
        if let Some((cycle, last)) = publication.folder.rsplit_once('/') {
            by_cycle.entry(cycle.to_owned()).or_default().push(format!("{last}/"));
        }
    }
    let mut rows: Vec<Vec<String>> = by_cycle
        .into_iter()
        .map(|(cycle, editions)| vec![format!("{}/", data.join(cycle).display()), editions.join(" ")])
        .collect();
    rows.push(vec![
        format!("{}/", data.join("rejects").display()),
        "the row that could not be read".to_owned(),
    ]);
    let (entry, head) = played.store.ledger_head()?;
    let head: String = head.chars().take(16).collect();
    rows.push(vec![
        data.join("accrued.db").display().to_string(),
        format!("{entry} entries, chain {head}..."),
    ]);
    Ok(format!("\nwritten\n{}", aligned(2, &[Side::Left, Side::Left], &rows)))
}
