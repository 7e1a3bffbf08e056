//! Plays a history with the real program and compares what it leaves with the naive evaluator.

use std::collections::BTreeMap;

use super::accounts::same_accounts;
use super::as_published::same_papers;
use super::compare::{Sums, expected, reconciled, same_balances, same_fates, same_sums, sums, told_alike};
use super::make;
use super::people::People;
use super::place::{Hand, Place, accrued, laid_out};
use super::plan::{Act, Batch, FilePlan, History};
use super::within::Books;
use crate::explained;
use crate::naive::{Drop, Judge, Run, Step, World};
use crate::random::Random;

/// Everything a history must satisfy; the first thing that does not hold is told.
pub fn play(history: &History) -> Result<(), String> {
    let hand = if history.seed.is_multiple_of(48) { Hand::Program } else { Hand::Library };
    let mut place = laid_out(history, hand, &history.config(&[]));
    let mut judge = Judge::new(World::new(&history.config(&[]), &history.scheme_files()));
    let mut people = People::of(history);
    let mut books = Books::default();
    for (number, batch) in history.batches.iter().enumerate() {
        for act in &batch.acts {
            people.act(act, &place, &mut judge).map_err(|e| format!("{act:?}: {e}"))?;
        }
        place.drop_files(history, number);
        batch.troubles.iter().for_each(|trouble| place.troubled(&batch.as_of, *trouble));
        place.run(&batch.as_of)?;
        judge.step(&Step::Run(run_of(history, number)));
        books = place.books()?;
        same_sums(&sums(&books), &expected(judge.schemes()))
            .map_err(|e| format!("after the run of {}: {e}", batch.as_of))?;
    }
    let judgement = judge.judgement();
    same_papers(&place.workspace, &judgement)?;
    same_accounts(&place.workspace, &books, &judgement)?;
    same_fates(&books, history, &judgement)?;
    same_balances(&books, &judgement)?;
    second_run_is_silent(&place, history, &books)?;
    if hand == Hand::Program {
        told_alike(&place, &books)?;
        explained::every_entry(&place.workspace)?;
    }
    // whatever befell its runs, the journal and the archive lead to the same store again
    let stumbles = |batch: &Batch| batch.acts.iter().any(|act| matches!(act, Act::Stumble(_)));
    let troubled = |batch: &Batch| !batch.troubles.is_empty() || stumbles(batch);
    let every = if history.batches.iter().any(troubled) { 2 } else { 12 };
    if history.seed.is_multiple_of(every) {
        accrued(&place.workspace, &["verify", "--deep"])?;
    }
    if history.seed % 12 == 6 {
        reconciled(&place, history, &judge)?;
    }
    otherwise(history, hand)
}

/// The same files all at once, or where their order tells nothing cut and ordered otherwise.
fn otherwise(history: &History, hand: Hand) -> Result<(), String> {
    let alike = |act: &Act| matches!(act, Act::Mend { .. } | Act::Reread { .. } | Act::Stumble(_));
    let comparable = history.batches.iter().flat_map(|b| &b.acts).all(alike)
        && history.feeds.iter().all(|f| !f.settings.contains("replace"));
    if comparable && history.any_order && !rows_vanish(history) {
        let mut random = Random::new(history.seed);
        let split = make::otherwise_split(history, &mut random);
        let found = from_scratch(&split, hand)?;
        same_sums(&found, &due(&at_once(history)))
            .map_err(|e| format!("split and ordered otherwise: {e}"))?;
    }
    if comparable && history.seed.is_multiple_of(4) {
        from_scratch(&at_once(history), hand)?;
    }
    Ok(())
}

/// Whether a document without line numbers has fewer rows in a later version than in an earlier one. What comes of that depends on
/// which comes first, by rule (evaluation.md 1.2): after the earlier it is held, before it it speaks.
fn rows_vanish(history: &History) -> bool {
    let mut versions: BTreeMap<(&str, &str), Vec<(&str, usize)>> = BTreeMap::new();
    let files = history.batches.iter().flat_map(|b| &b.files);
    for rows in files.filter(|f| history.feeds[f.feed].kind == "sales").flat_map(|f| &f.documents) {
        let cell = |column| rows[0].get(column).map_or("", |text: &String| text.as_str());
        if cell("line_no").is_empty() {
            let document = (cell("invoice_no"), cell("doc_type"));
            versions.entry(document).or_default().push((cell("updated_at"), rows.len()));
        }
    }
    versions.values().any(|all| all.iter().any(|a| all.iter().any(|b| a.0 < b.0 && a.1 > b.1)))
}

/// What the ledger holds after each of the two runs of a history.
pub fn played(place: &mut Place, history: &History) -> Result<(Sums, Sums), String> {
    let mut ends = vec![];
    for (number, batch) in history.batches.iter().enumerate() {
        place.drop_files(history, number);
        place.run(&batch.as_of)?;
        ends.push(sums(&place.books()?));
    }
    let last = ends.pop().ok_or("no run")?;
    Ok((ends.pop().ok_or("one run")?, last))
}

fn run_of(history: &History, number: usize) -> Run {
    let drop = |(file, beside): (&FilePlan, Option<Vec<u8>>)| Drop {
        feed: history.feeds[file.feed].name.clone(),
        name: file.name.clone(),
        bytes: history.bytes(file),
        beside,
    };
    let as_of = history.batches[number].as_of.parse().expect("an instant");
    Run { as_of, drops: history.found(number).into_iter().map(drop).collect() }
}

/// What the ledger must hold after a history with nothing wrong in accrued.toml, by the naive evaluator.
pub fn due(history: &History) -> Sums {
    let mut judge = Judge::new(World::new(&history.right_config(), &history.scheme_files()));
    (0..history.batches.len()).for_each(|number| judge.step(&Step::Run(run_of(history, number))));
    expected(judge.schemes())
}

/// The same history with all its files in its last run.
pub fn at_once(history: &History) -> History {
    let as_of = history.batches.last().expect("a batch").as_of.clone();
    let mut files: Vec<FilePlan> = history.batches.iter().flat_map(|b| b.files.clone()).collect();
    files.sort_by_key(|file| file.feed);
    let batch = Batch { as_of, acts: vec![], files, troubles: vec![] };
    History { batches: vec![batch], ..history.clone() }
}

/// A history of one run, with nothing wrong in accrued.toml. Undated records apply from another day then and no cycle has been
/// locked: it is judged anew.
fn from_scratch(once: &History, hand: Hand) -> Result<Sums, String> {
    let tell = |e| format!("from scratch: {e}");
    let mut place = laid_out(once, hand, &once.right_config());
    place.drop_files(once, 0);
    place.run(&once.batches[0].as_of).map_err(tell)?;
    let found = sums(&place.books().map_err(tell)?);
    same_sums(&found, &due(once)).map_err(tell)?;
    Ok(found)
}

/// A run with nothing new posts nothing and changes no published byte.
fn second_run_is_silent(place: &Place, history: &History, before: &Books) -> Result<(), String> {
    let published = |place: &Place| -> BTreeMap<String, Vec<u8>> { place.workspace.tree("var/statements") };
    let stood = published(place);
    place.run(&history.batches.last().expect("a batch").as_of)?;
    let (stands, after) = (published(place), place.books()?);
    if stood == stands && before.entries.last() == after.entries.last() {
        return Ok(());
    }
    let moved: Vec<_> = stands.keys().filter(|k| stood.get(*k) != stands.get(*k)).collect();
    Err(format!(
        "the second run changed {moved:?} or posted: {:?}, {:?}",
        before.entries.last(),
        after.entries.last()
    ))
}
