//! Plays a history with the real program and compares what it leaves with the naive evaluator.

use std::collections::BTreeMap;

use super::make;
use super::plan::History;
use crate::explained;
use crate::naive::counting::Verdict;
use crate::naive::number::{self, Frac, show};
use crate::naive::{Drop, Judgement, Run, Seen, World, judge};
use crate::papers;
use crate::program::{Outcome, Workspace};
use crate::random::Random;

type Sums = BTreeMap<(String, String, String), Frac>;

/// Everything a history must satisfy; the first thing that does not hold is told.
pub fn play(history: &History) -> Result<(), String> {
    let world = World::new(&history.config(), &history.scheme_files());
    let runs = runs(history);
    let mut workspace = laid_out(history);
    for (place, batch) in history.batches.iter().enumerate() {
        drop_files(&mut workspace, history, place);
        run(&workspace, &batch.as_of)?;
        let judgement = judge(&world, &runs[..=place]);
        same_ledger(&workspace, &judgement).map_err(|e| format!("after the run of {}: {e}", batch.as_of))?;
    }
    let judgement = judge(&world, &runs);
    same_papers(&workspace, &judgement)?;
    same_fates(&workspace, &judgement)?;
    second_run_is_silent(&workspace, history)?;
    same_balances(&workspace, &judgement)?;
    if history.seed.is_multiple_of(4) {
        accrued(&workspace, &["verify", "--deep"])?;
        explained::every_entry(&workspace)?;
    }
    let at_once = from_scratch(history, &world)?;
    if history.any_order {
        let mut random = Random::new(history.seed);
        from_scratch(&make::otherwise_split(history, &mut random), &world)
            .and_then(|sums| same_sums(&sums, &at_once))
            .map_err(|e| format!("split and ordered otherwise: {e}"))?;
    }
    Ok(())
}

pub fn laid_out(history: &History) -> Workspace {
    let workspace = Workspace::new(&history.config());
    for (plan, text) in history.schemes.iter().zip(history.scheme_files()) {
        workspace.write(&format!("schemes/{}.toml", plan.file), text);
    }
    for feed in &history.feeds {
        std::fs::create_dir_all(workspace.path(&format!("drop/{}", feed.name)))
            .expect("a folder can be made");
    }
    workspace
}

pub fn drop_files(workspace: &mut Workspace, history: &History, batch: usize) {
    for file in &history.batches[batch].files {
        workspace.drop(&history.path(file), history.bytes(file));
    }
}

pub fn run(workspace: &Workspace, as_of: &str) -> Result<Outcome, String> {
    accrued(workspace, &["run", "--as-of", as_of])
}

/// A command that must be done, with or without something that waits for a person.
fn accrued(workspace: &Workspace, args: &[&str]) -> Result<Outcome, String> {
    let outcome = workspace.accrued(args);
    if matches!(outcome.status, 0 | 3) { Ok(outcome) } else { Err(outcome.whole()) }
}

fn runs(history: &History) -> Vec<Run> {
    let drops = |batch: &super::plan::Batch| {
        let drop = |file: &super::plan::FilePlan| Drop {
            feed: history.feeds[file.feed].name.clone(),
            name: file.name.clone(),
            bytes: history.bytes(file),
        };
        batch.files.iter().map(drop).collect()
    };
    let instant = |text: &String| text.parse().expect("an instant");
    history.batches.iter().map(|b| Run { as_of: instant(&b.as_of), drops: drops(b) }).collect()
}

/// The ledger's accruals and corrections by scheme, cycle and partner, zero left out.
pub fn ledger(workspace: &Workspace) -> Result<Sums, String> {
    let outcome = accrued(workspace, &["ledger", "--format", "csv"])?;
    let mut sums = Sums::new();
    for row in outcome.csv().iter().filter(|r| matches!(r["kind"].as_str(), "accrual" | "correction")) {
        let key = (row["scheme"].clone(), row["cycle"].clone(), row["partner_code"].clone());
        *sums.entry(key).or_insert_with(|| number::int(0)) +=
            number::plain(&row["points"]).ok_or_else(|| format!("points in {row:?}"))?;
    }
    sums.retain(|_, sum| *sum != number::int(0));
    Ok(sums)
}

fn expected(judgement: &Judgement) -> Sums {
    let of = |(id, seen): (&String, &Seen)| -> Vec<_> {
        let key = |((cycle, partner), points): (&(String, String), &Frac)| {
            ((id.clone(), cycle.clone(), partner.clone()), points.clone())
        };
        seen.posted.iter().map(key).collect()
    };
    judgement.schemes.iter().flat_map(of).collect()
}

/// What the ledger must hold after a history, by the naive evaluator.
pub fn due(history: &History) -> Sums {
    expected(&judge(&World::new(&history.config(), &history.scheme_files()), &runs(history)))
}

fn same_sums(found: &Sums, wanted: &Sums) -> Result<(), String> {
    let zero = number::int(0);
    let mut keys: Vec<_> = found.keys().chain(wanted.keys()).collect();
    keys.sort();
    keys.dedup();
    for key in keys {
        let (has, due) = (found.get(key).unwrap_or(&zero), wanted.get(key).unwrap_or(&zero));
        if has != due {
            return Err(format!("ledger of {key:?}: {} is posted, {} is due", show(has), show(due)));
        }
    }
    Ok(())
}

fn same_ledger(workspace: &Workspace, judgement: &Judgement) -> Result<(), String> {
    same_sums(&ledger(workspace)?, &expected(judgement))
}

/// A wallet's accumulated points are the sum of what is due over its cycles.
fn same_balances(workspace: &Workspace, judgement: &Judgement) -> Result<(), String> {
    let mut wanted: BTreeMap<(String, String), Frac> = BTreeMap::new();
    for ((scheme, _, partner), points) in expected(judgement) {
        *wanted.entry((scheme, partner)).or_insert_with(|| number::int(0)) += points;
    }
    let outcome = accrued(workspace, &["balances", "--format", "csv"])?;
    for row in outcome.csv() {
        let key = (row["scheme"].clone(), row["partner_code"].clone());
        let due = wanted.remove(&key).unwrap_or_else(|| number::int(0));
        for column in ["accumulated", "available"] {
            if number::plain(&row[column]).as_ref() != Some(&due) {
                return Err(format!("balances of {key:?}, {column}: {}, {} is due", row[column], show(&due)));
            }
        }
    }
    wanted.retain(|_, due| *due != number::int(0));
    if wanted.is_empty() { Ok(()) } else { Err(format!("balances has no wallet for {:?}", wanted.keys())) }
}

/// The same history with all its files in its last run.
pub fn at_once(history: &History) -> History {
    let last = history.batches.last().expect("a batch").as_of.clone();
    let files = history.batches.iter().flat_map(|b| b.files.clone()).enumerate();
    let mut files: Vec<_> = files.collect();
    files.sort_by_key(|(place, file)| (file.feed, *place));
    let files = files.into_iter().map(|(_, file)| file).collect();
    History { batches: vec![super::plan::Batch { as_of: last, files }], ..history.clone() }
}

/// All at once. Undated records apply from another day then and no cycle has been locked: it is judged anew.
fn from_scratch(history: &History, world: &World) -> Result<Sums, String> {
    let once = at_once(history);
    let last = once.batches[0].as_of.clone();
    let mut workspace = laid_out(&once);
    drop_files(&mut workspace, &once, 0);
    let tell = |e| format!("from scratch: {e}");
    run(&workspace, &last).map_err(tell)?;
    same_ledger(&workspace, &judge(world, &runs(&once))).map_err(tell)?;
    ledger(&workspace)
}

fn same_papers(workspace: &Workspace, judgement: &Judgement) -> Result<(), String> {
    for (id, seen) in &judgement.schemes {
        for (cycle, _) in seen.cycles.iter().filter(|(_, closed)| *closed) {
            let papers = papers::closed(workspace, id, &cycle.name)?;
            same_summary(&papers, seen, &cycle.name).map_err(|e| format!("{id} {}: {e}", cycle.name))?;
            same_lines(&papers, seen, &cycle.name).map_err(|e| format!("{id} {}: {e}", cycle.name))?;
        }
    }
    Ok(())
}

fn same_summary(papers: &papers::Papers, seen: &Seen, cycle: &str) -> Result<(), String> {
    for ((_, partner), position) in seen.positions.iter().filter(|((c, _), _)| c == cycle) {
        let Some(row) = papers.summary.get(partner) else {
            if position.measure == number::int(0) && position.points == number::int(0) {
                continue;
            }
            return Err(format!("summary.csv has no row for {partner}: {position:?}"));
        };
        let tier = position.tier.clone().unwrap_or_default();
        for (column, wanted) in [
            ("measure", &position.measure),
            ("carried", &position.carried),
            // what is due in all; held_points is the part of it over the limit
            ("points", &(&position.points + &position.held)),
            ("held_points", &position.held),
        ] {
            let found = number::plain(&row[column]).unwrap_or_else(|| number::int(0));
            if found != *wanted {
                return Err(format!(
                    "summary.csv, {partner}, {column}: {}, not {}",
                    row[column],
                    show(wanted)
                ));
            }
        }
        if row["tier"] != tier {
            return Err(format!("summary.csv, {partner}, tier: {:?}, not {tier:?}", row["tier"]));
        }
    }
    Ok(())
}

/// transactions.csv: the lines of the cycle with whether they count and why not, and points that add up.
fn same_lines(papers: &papers::Papers, seen: &Seen, cycle: &str) -> Result<(), String> {
    let mut wanted: Vec<String> = vec![];
    for line in seen.lines.iter().filter(|l| l.in_scheme && l.cycle.name == cycle) {
        let (counts, why) = match line.verdict {
            Verdict::Counts => ("yes", ""),
            Verdict::No(why) => ("no", why),
            Verdict::Held(why) => ("held", why),
        };
        let (number, line_no) = (&line.sale.number, &line.sale.line_no);
        wanted.push(format!("{} {number} {line_no:?} {counts} {why}", line.partner));
    }
    let mut found: Vec<String> = vec![];
    let mut sums: BTreeMap<&str, Frac> = BTreeMap::new();
    for row in &papers.transactions {
        let cell = |c: &str| row[c].clone();
        found.push(format!(
            "{} {} {:?} {} {}",
            cell("partner_code"),
            cell("invoice_no"),
            row["line_no"],
            cell("counts"),
            cell("why_not")
        ));
        let points = number::plain(&row["points"]).unwrap_or_else(|| number::int(0));
        *sums.entry(&row["partner_code"]).or_insert_with(|| number::int(0)) += points;
    }
    wanted.sort();
    found.sort();
    if found != wanted {
        let only = |a: &[String], b: &[String]| -> Vec<String> {
            a.iter().filter(|l| !b.contains(l)).cloned().collect()
        };
        return Err(format!(
            "transactions.csv: not as judged: {:?}; missing there: {:?}; {} and {} rows",
            only(&found, &wanted),
            only(&wanted, &found),
            found.len(),
            wanted.len()
        ));
    }
    for (partner, sum) in sums {
        let points = number::plain(&papers.summary[partner]["points"]).expect("points are plain");
        let counting =
            papers.transactions.iter().any(|r| r["partner_code"] == partner && r["counts"] == "yes");
        if counting && sum != points {
            return Err(format!(
                "points of {partner}: {} in lines, {} in summary",
                show(&sum),
                show(&points)
            ));
        }
    }
    Ok(())
}

/// What became of the rows of every file: the six numbers add up, and are those of the naive evaluator.
fn same_fates(workspace: &Workspace, judgement: &Judgement) -> Result<(), String> {
    let outcome = accrued(workspace, &["files", "--format", "csv"])?;
    let rows = outcome.csv();
    for (feed, name, fates) in &judgement.fates {
        let Some(fates) = fates else { continue };
        let row = rows.iter().find(|r| r["feed"] == *feed && (r["name"].ends_with(name.as_str())));
        let row = row.ok_or_else(|| format!("files has no row for {feed}/{name}\n{}", outcome.whole()))?;
        if matches!(feed.as_str(), "partners" | "items") {
            continue;
        }
        let found = |columns: &[&str]| -> usize {
            columns.iter().map(|c| row[*c].parse::<usize>().expect("a count of rows")).sum()
        };
        let fresh = ["accepted", "duplicate", "superseding"];
        let mut compared = vec![
            (found(&["outdated"]), fates.outdated),
            (found(&["held"]), fates.held),
            (found(&["rejected"]), fates.rejected),
            (found(&fresh), fates.accepted + fates.duplicate + fates.superseding),
        ];
        if fates.cancelling == 0 {
            compared.push((found(&fresh[..1]), fates.accepted));
            compared.push((found(&fresh[1..2]), fates.duplicate));
        }
        if compared.iter().any(|(found, wanted)| found != wanted) {
            return Err(format!("rows of {feed}/{name}: {row:?}, not {fates:?}"));
        }
    }
    Ok(())
}

fn second_run_is_silent(workspace: &Workspace, history: &History) -> Result<(), String> {
    let last = &history.batches.last().expect("a batch").as_of;
    let before = (workspace.tree("var/statements"), ledger_text(workspace)?);
    let outcome = run(workspace, last)?;
    let after = (workspace.tree("var/statements"), ledger_text(workspace)?);
    if before == after {
        return Ok(());
    }
    let moved: Vec<_> = after.0.keys().filter(|k| before.0.get(*k) != after.0.get(*k)).collect();
    Err(format!("the second run changed {moved:?} or posted\n{}\n{}", outcome.whole(), after.1))
}

pub fn ledger_text(workspace: &Workspace) -> Result<String, String> {
    Ok(accrued(workspace, &["ledger", "--format", "csv"])?.stdout)
}
