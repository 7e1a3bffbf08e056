//! What a history has left, compared with what the naive evaluator says of it: the ledger and the balances, and what became
//! of each file's rows.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::place::{Place, accrued};
use super::plan::{Act, History, Row};
use super::within::Books;
use crate::naive::number::{self, Frac, show};
use crate::naive::{Judge, Judgement, Seen};
use crate::papers;
use accrued::store::ledger::Wallet;

/// Points by scheme, cycle and partner; zero is left out.
pub type Sums = BTreeMap<(String, String, String), Frac>;

/// Accumulated and available points by scheme and partner.
type Balances = BTreeMap<(String, String), [Frac; 2]>;

pub fn millionths(points: i64) -> Frac {
    number::int(points) / number::int(1_000_000)
}

/// The ledger's accruals and corrections.
pub fn sums(books: &Books) -> Sums {
    let entries = books.entries.iter();
    added(entries.map(|e| {
        let key = (e.scheme.clone(), e.cycle.clone(), e.partner.clone());
        (key, millionths(e.points))
    }))
}

fn added(points: impl Iterator<Item = ((String, String, String), Frac)>) -> Sums {
    let mut sums = Sums::new();
    for (key, points) in points {
        *sums.entry(key).or_insert_with(|| number::int(0)) += points;
    }
    sums.retain(|_, sum| *sum != number::int(0));
    sums
}

/// What the ledger must hold, by the naive evaluator.
pub fn expected(schemes: &BTreeMap<String, Seen>) -> Sums {
    let of = |(id, seen): (&String, &Seen)| -> Vec<_> {
        let key = |((cycle, partner), points): (&(String, String), &Frac)| {
            ((id.clone(), cycle.clone(), partner.clone()), points.clone())
        };
        seen.posted.iter().map(key).collect()
    };
    schemes.iter().flat_map(of).collect()
}

/// Whether two ledgers hold the same, by scheme, cycle and partner.
pub fn same_sums(found: &Sums, wanted: &Sums) -> Result<(), String> {
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

/// A wallet's accumulated points are the sum of what is due over its cycles.
pub fn same_balances(books: &Books, judgement: &Judgement) -> Result<(), String> {
    let mut wanted: BTreeMap<(String, String), Frac> = BTreeMap::new();
    for ((scheme, _, partner), points) in expected(&judgement.schemes) {
        *wanted.entry((scheme, partner)).or_insert_with(|| number::int(0)) += points;
    }
    for (key, figures) in balances(books) {
        let due = wanted.remove(&key).unwrap_or_else(|| number::int(0));
        if figures.iter().any(|figure| *figure != due) {
            let figures: Vec<String> = figures.iter().map(show).collect();
            return Err(format!("balances of {key:?}: {figures:?}, {} is due", show(&due)));
        }
    }
    wanted.retain(|_, due| *due != number::int(0));
    if wanted.is_empty() { Ok(()) } else { Err(format!("balances has no wallet for {:?}", wanted.keys())) }
}

fn balances(books: &Books) -> Balances {
    let wallet = |w: &Wallet| {
        let figures = [millionths(w.accumulated.0), millionths(w.available.0)];
        ((w.scheme.clone(), w.partner_code.clone()), figures)
    };
    books.wallets.iter().map(wallet).collect()
}

/// What `accrued ledger` and `accrued balances` tell is what the store holds.
pub fn told_alike(place: &Place, books: &Books) -> Result<(), String> {
    let figure = |row: &papers::Row, column: &str| {
        number::plain(&row[column]).ok_or_else(|| format!("{column} in {row:?}"))
    };
    let mut entries = vec![];
    for row in accrued(&place.workspace, &["ledger", "--format", "csv"])?.csv() {
        let key = (row["scheme"].clone(), row["cycle"].clone(), row["partner_code"].clone());
        entries.push((key, figure(&row, "points")?));
    }
    same_sums(&added(entries.into_iter()), &sums(books))
        .map_err(|e| format!("as told by the program: {e}"))?;
    let mut told = Balances::new();
    for row in accrued(&place.workspace, &["balances", "--format", "csv"])?.csv() {
        let key = (row["scheme"].clone(), row["partner_code"].clone());
        told.insert(key, [figure(&row, "accumulated")?, figure(&row, "available")?]);
    }
    if told == balances(books) {
        return Ok(());
    }
    Err(format!("balances as told by the program: {told:?}, not {:?}", balances(books)))
}

/// What became of the rows of every file: the six numbers add up, and are those of the naive evaluator.
pub fn same_fates(books: &Books, history: &History, judgement: &Judgement) -> Result<(), String> {
    let mut files = books.files.clone();
    files.retain(|file| file.ingested);
    for (feed, name, fates) in &judgement.fates {
        let Some(fates) = fates else { continue };
        // a name may come again with other content
        let file = files.iter().position(|f| f.feed == *feed && f.name == *name);
        let file = files.remove(file.ok_or_else(|| format!("no file {feed}/{name} is ingested: {files:?}"))?);
        let plan = history.feeds.iter().find(|f| f.name == *feed).expect("a feed");
        let reread = |act: &Act| matches!(act, Act::Mend { .. } | Act::Reread { .. });
        if !matches!(plan.kind, "sales" | "payments")
            || history.batches.iter().flat_map(|b| &b.acts).any(reread)
        {
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

/// Whatever the files say is accounted for: every difference of the report is nothing. What was paid and what the bank credited
/// differ where they do, and nowhere else.
pub fn reconciled(place: &Place, history: &History, judge: &Judge) -> Result<(), String> {
    let report = accrued(&place.workspace, &["report", "reconciliation", "--format", "csv"])?;
    let nothing = |cell: &str| cell.is_empty() || number::plain(cell) == Some(number::int(0));
    let rows = report.csv();
    if let Some(row) =
        rows.iter().find(|r| r["item"] == "difference" && !(nothing(&r["rows"]) && nothing(&r["amount"])))
    {
        return Err(format!("reconciliation: {row:?}"));
    }
    let deposited = deposited(history);
    let mut variances = if deposited.is_empty() { BTreeMap::new() } else { judge.paid_by_deposit() };
    for (key, amount) in deposited {
        *variances.entry(key).or_insert_with(|| number::int(0)) -= amount;
    }
    variances.retain(|_, variance| *variance != number::int(0));
    let mut told = BTreeMap::new();
    for row in rows.iter().filter(|row| row["section"] == "deposits" && row["item"] == "variance") {
        let day = row["date"].parse().map_err(|e| format!("{row:?}: {e}"))?;
        let variance = number::plain(&row["amount"]).ok_or_else(|| format!("{row:?}"))?;
        *told.entry((row["deposit_ref"].clone(), day)).or_insert_with(|| number::int(0)) += variance;
    }
    let currencies = history.batches.iter().flat_map(|b| &b.files).flat_map(|f| f.documents.iter().flatten());
    if currencies.clone().any(|row| row.contains_key("paid_on") && row.contains_key("currency")) {
        return Ok(()); // variances are of one currency each
    }
    if told == variances { Ok(()) } else { Err(format!("variances: {told:?}, not {variances:?}")) }
}

/// What was deposited under each reference on each day: each is said once, whatever file says it again.
fn deposited(history: &History) -> BTreeMap<(String, NaiveDate), Frac> {
    let files = history.batches.iter().flat_map(|b| &b.files);
    let rows = files.filter(|f| history.feeds[f.feed].kind == "deposits").flat_map(|f| f.documents.concat());
    let deposit = |row: Row| {
        let day = row["date"].parse().expect("a date");
        ((row["deposit_ref"].clone(), day), number::plain(&row["amount"]).expect("an amount"))
    };
    rows.map(deposit).collect()
}
