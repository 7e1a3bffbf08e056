//! Plays a history with the real program and compares what it leaves with the naive evaluator.

use std::collections::BTreeMap;
use std::time::Duration;

use super::make;
use super::people::People;
use super::plan::{Act, History, Trouble};
use crate::explained;
use crate::naive::counting::Verdict;
use crate::naive::number::{self, Frac, show};
use crate::naive::{Drop, Judge, Judgement, Run, Seen, Step, World};
use crate::papers;
use crate::program::{Outcome, Workspace};
use crate::random::Random;
use crate::within;
use accrued::store::ledger::Wallet;
use num_traits::Signed;

pub type Sums = BTreeMap<(String, String, String), Frac>;

/// The last entry of the ledger, and everything published.
type Standing = (Option<within::Entry>, BTreeMap<String, Vec<u8>>);

/// By what the job is done: the program, or the same functions within this process, which costs a tenth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hand {
    Program,
    Library,
}

/// A workspace and by what the job is done in it.
pub struct Place {
    pub workspace: Workspace,
    pub hand: Hand,
}

/// Everything a history must satisfy; the first thing that does not hold is told.
pub fn play(history: &History) -> Result<(), String> {
    let hand = if history.seed.is_multiple_of(24) { Hand::Program } else { Hand::Library };
    let mut place = laid_out(history, hand, &history.config(&[]));
    let mut judge = Judge::new(World::new(&history.config(&[]), &history.scheme_files()));
    let mut people = People::of(history);
    for (number, batch) in history.batches.iter().enumerate() {
        for act in &batch.acts {
            people.act(act, &place, &mut judge).map_err(|e| format!("{act:?}: {e}"))?;
        }
        drop_files(&mut place.workspace, history, number);
        batch.troubles.iter().for_each(|trouble| place.troubled(&batch.as_of, *trouble));
        place.run(&batch.as_of)?;
        judge.step(&Step::Run(run_of(history, batch)));
        same_ledger(&place, judge.schemes()).map_err(|e| format!("after the run of {}: {e}", batch.as_of))?;
    }
    let judgement = judge.judgement();
    same_papers(&place.workspace, &judgement)?;
    same_fates(&place, history, &judgement)?;
    second_run_is_silent(&place, history)?;
    same_balances(&place, &judgement)?;
    if hand == Hand::Program {
        explained::every_entry(&place.workspace)?;
    }
    // whatever befell its runs, the journal and the archive lead to the same store again
    if history.seed.is_multiple_of(6) || history.batches.iter().any(|b| !b.troubles.is_empty()) {
        accrued(&place.workspace, &["verify", "--deep"])?;
    }
    otherwise(history, hand)
}

/// The same files all at once, and where their order tells nothing cut and ordered otherwise.
fn otherwise(history: &History, hand: Hand) -> Result<(), String> {
    let alike = |act: &Act| matches!(act, Act::Mend { .. } | Act::Reread { .. });
    let comparable = history.batches.iter().flat_map(|b| &b.acts).all(alike)
        && history.feeds.iter().all(|f| !f.settings.contains("replace"));
    if !comparable || !(history.any_order || history.seed.is_multiple_of(4)) {
        return Ok(());
    }
    let once = from_scratch(history, hand)?;
    if history.any_order {
        let mut random = Random::new(history.seed);
        from_scratch(&make::otherwise_split(history, &mut random), hand)
            .and_then(|sums| same_sums(&sums, &once))
            .map_err(|e| format!("split and ordered otherwise: {e}"))?;
    }
    Ok(())
}

pub fn laid_out(history: &History, hand: Hand, config: &str) -> Place {
    let workspace = Workspace::new(config);
    for (plan, text) in history.schemes.iter().zip(history.scheme_files()) {
        workspace.write(&format!("schemes/{}.toml", plan.file), text);
    }
    for feed in &history.feeds {
        std::fs::create_dir_all(workspace.path(&format!("drop/{}", feed.name)))
            .expect("a folder can be made");
    }
    Place { workspace, hand }
}

/// What the ledger holds after each of the two runs of a history.
pub fn played(place: &mut Place, history: &History) -> Result<(Sums, Sums), String> {
    let mut ends = vec![];
    for (number, batch) in history.batches.iter().enumerate() {
        drop_files(&mut place.workspace, history, number);
        place.run(&batch.as_of)?;
        ends.push(place.ledger()?);
    }
    let last = ends.pop().ok_or("no run")?;
    Ok((ends.pop().ok_or("one run")?, last))
}

fn drop_files(workspace: &mut Workspace, history: &History, batch: usize) {
    for file in &history.batches[batch].files {
        workspace.drop(&history.path(file), history.bytes(file));
    }
}

impl Place {
    /// The run, disturbed: what it leaves is the next one's to finish.
    fn troubled(&self, as_of: &str, trouble: Trouble) {
        let args = ["run", "--as-of", as_of];
        match trouble {
            Trouble::Killed(after) => {
                self.workspace.killed(&args, Duration::from_millis(after));
            }
            Trouble::DiskFull(kib) => drop(self.workspace.within(kib, &args)),
        }
    }

    fn run(&self, as_of: &str) -> Result<(), String> {
        match self.hand {
            Hand::Program => accrued(&self.workspace, &["run", "--as-of", as_of]).map(drop),
            Hand::Library => within::run(&self.workspace, as_of),
        }
    }

    /// The ledger's accruals and corrections by scheme, cycle and partner, zero left out.
    fn ledger(&self) -> Result<Sums, String> {
        let mut sums = Sums::new();
        let mut add = |key: (String, String, String), points: Frac| {
            *sums.entry(key).or_insert_with(|| number::int(0)) += points;
        };
        match self.hand {
            Hand::Program => {
                let outcome = accrued(&self.workspace, &["ledger", "--format", "csv"])?;
                for row in outcome.csv() {
                    let points = number::plain(&row["points"]).ok_or_else(|| format!("points in {row:?}"))?;
                    add((row["scheme"].clone(), row["cycle"].clone(), row["partner_code"].clone()), points);
                }
            }
            Hand::Library => {
                for entry in within::entries(&self.workspace)? {
                    add((entry.scheme, entry.cycle, entry.partner), millionths(entry.points));
                }
            }
        }
        sums.retain(|_, sum| *sum != number::int(0));
        Ok(sums)
    }

    /// What must not change when nothing new has come: the last entry, and everything published.
    fn standing(&self) -> Result<Standing, String> {
        let last = within::entries(&self.workspace)?.pop();
        Ok((last, self.workspace.tree("var/statements")))
    }
}

fn millionths(points: i64) -> Frac {
    number::int(points) / number::int(1_000_000)
}

/// A command that must be done, with or without something that waits for a person.
pub fn accrued(workspace: &Workspace, args: &[&str]) -> Result<Outcome, String> {
    let outcome = workspace.accrued(args);
    if matches!(outcome.status, 0 | 3) { Ok(outcome) } else { Err(outcome.whole()) }
}

fn run_of(history: &History, batch: &super::plan::Batch) -> Run {
    let drop = |file: &super::plan::FilePlan| Drop {
        feed: history.feeds[file.feed].name.clone(),
        name: file.name.clone(),
        bytes: history.bytes(file),
    };
    Run { as_of: batch.as_of.parse().expect("an instant"), drops: batch.files.iter().map(drop).collect() }
}

fn judged(history: &History) -> Judge {
    let mut judge = Judge::new(World::new(&history.right_config(), &history.scheme_files()));
    history.batches.iter().for_each(|batch| judge.step(&Step::Run(run_of(history, batch))));
    judge
}

fn expected(schemes: &BTreeMap<String, Seen>) -> Sums {
    let of = |(id, seen): (&String, &Seen)| -> Vec<_> {
        let key = |((cycle, partner), points): (&(String, String), &Frac)| {
            ((id.clone(), cycle.clone(), partner.clone()), points.clone())
        };
        seen.posted.iter().map(key).collect()
    };
    schemes.iter().flat_map(of).collect()
}

/// What the ledger must hold after a history, by the naive evaluator.
pub fn due(history: &History) -> Sums {
    expected(judged(history).schemes())
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

fn same_ledger(place: &Place, schemes: &BTreeMap<String, Seen>) -> Result<(), String> {
    same_sums(&place.ledger()?, &expected(schemes))
}

/// A wallet's accumulated points are the sum of what is due over its cycles.
fn same_balances(place: &Place, judgement: &Judgement) -> Result<(), String> {
    let mut wanted: BTreeMap<(String, String), Frac> = BTreeMap::new();
    for ((scheme, _, partner), points) in expected(&judgement.schemes) {
        *wanted.entry((scheme, partner)).or_insert_with(|| number::int(0)) += points;
    }
    for (key, figures) in balances(place)? {
        let due = wanted.remove(&key).unwrap_or_else(|| number::int(0));
        if figures.iter().any(|figure| *figure != due) {
            let figures: Vec<String> = figures.iter().map(show).collect();
            return Err(format!("balances of {key:?}: {figures:?}, {} is due", show(&due)));
        }
    }
    wanted.retain(|_, due| *due != number::int(0));
    if wanted.is_empty() { Ok(()) } else { Err(format!("balances has no wallet for {:?}", wanted.keys())) }
}

/// Accumulated and available points of each wallet.
fn balances(place: &Place) -> Result<BTreeMap<(String, String), [Frac; 2]>, String> {
    if place.hand == Hand::Library {
        let wallets = within::wallets(&place.workspace)?.into_iter();
        let figures = |w: &Wallet| [millionths(w.accumulated.0), millionths(w.available.0)];
        return Ok(wallets.map(|w| ((w.scheme.clone(), w.partner_code.clone()), figures(&w))).collect());
    }
    let outcome = accrued(&place.workspace, &["balances", "--format", "csv"])?;
    let figure = |row: &papers::Row, column: &str| {
        number::plain(&row[column]).ok_or_else(|| format!("{column} in {row:?}"))
    };
    let wallet = |row: &papers::Row| {
        let key = (row["scheme"].clone(), row["partner_code"].clone());
        Ok((key, [figure(row, "accumulated")?, figure(row, "available")?]))
    };
    outcome.csv().iter().map(wallet).collect()
}

/// The same history with all its files in its last run.
pub fn at_once(history: &History) -> History {
    let last = history.batches.last().expect("a batch").as_of.clone();
    let files = history.batches.iter().flat_map(|b| b.files.clone()).enumerate();
    let mut files: Vec<_> = files.collect();
    files.sort_by_key(|(place, file)| (file.feed, *place));
    let files = files.into_iter().map(|(_, file)| file).collect();
    let batch = super::plan::Batch { as_of: last, acts: vec![], files, troubles: vec![] };
    History { batches: vec![batch], ..history.clone() }
}

/// All at once, with nothing wrong in accrued.toml. Undated records apply from another day then and no cycle has been locked: it is judged anew.
fn from_scratch(history: &History, hand: Hand) -> Result<Sums, String> {
    let once = at_once(history);
    let last = once.batches[0].as_of.clone();
    let mut place = laid_out(&once, hand, &once.right_config());
    drop_files(&mut place.workspace, &once, 0);
    let tell = |e| format!("from scratch: {e}");
    place.run(&last).map_err(tell)?;
    same_ledger(&place, judged(&once).schemes()).map_err(tell)?;
    place.ledger()
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
            // sums are shown with six decimals at most
            if (&found - wanted).abs() > number::int(1) / number::int(2_000_000) {
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
fn same_fates(place: &Place, history: &History, judgement: &Judgement) -> Result<(), String> {
    let mut files = within::files(&place.workspace)?;
    files.retain(|file| file.ingested);
    for (feed, name, fates) in &judgement.fates {
        let Some(fates) = fates else { continue };
        // a name may come again with other content
        let file = files.iter().position(|f| f.feed == *feed && f.name == *name);
        let file = files.remove(file.ok_or_else(|| format!("no file {feed}/{name} is ingested: {files:?}"))?);
        let plan = history.feeds.iter().find(|f| f.name == *feed).expect("a feed");
        let reread = |act: &Act| matches!(act, Act::Mend { .. } | Act::Reread { .. });
        if plan.kind != "sales" || history.batches.iter().flat_map(|b| &b.acts).any(reread) {
            continue;
        }
        let found = file.counts;
        let count = |n: usize| u64::try_from(n).expect("a count of rows");
        let fresh = fates.accepted + fates.duplicate + fates.superseding;
        let mut compared = vec![
            (found.outdated, fates.outdated),
            (found.held, fates.held),
            (found.rejected, fates.rejected),
            (found.accepted + found.duplicate + found.superseding, fresh),
        ];
        if plan.settings.contains("replace") {
            let all = fresh + fates.outdated + fates.held;
            let kept = found.accepted + found.duplicate + found.superseding + found.outdated + found.held;
            compared = vec![(found.rejected, fates.rejected), (kept, all)];
        } else if fates.cancelling == 0 {
            compared.push((found.accepted, fates.accepted));
            compared.push((found.duplicate, fates.duplicate));
        }
        if compared.iter().any(|(found, wanted)| *found != count(*wanted)) {
            return Err(format!("rows of {feed}/{name}: {found:?}, not {fates:?}"));
        }
    }
    Ok(())
}

fn second_run_is_silent(place: &Place, history: &History) -> Result<(), String> {
    let last = &history.batches.last().expect("a batch").as_of;
    let before = place.standing()?;
    place.run(last)?;
    let after = place.standing()?;
    if before == after {
        return Ok(());
    }
    let moved: Vec<_> = after.1.keys().filter(|k| before.1.get(*k) != after.1.get(*k)).collect();
    Err(format!("the second run changed {moved:?} or posted: {:?}, {:?}", before.0, after.0))
}
