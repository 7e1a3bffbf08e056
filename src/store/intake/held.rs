//! The holds of rows that were set aside when they arrived: what waits, and in words what it contradicts. Pure.

use super::super::holds::NewHold;
use crate::facts::movement::{key, key_of};
use crate::facts::row::Row;
use crate::facts::settle::{Fate, HeldFact, Line, Said};
use chrono::NaiveDate;
use rust_decimal::Decimal;
use std::collections::BTreeMap;

/// What is one fact: its file, number, distributor and, where it has line numbers, the line of its file.
type Fact<'f> = (i64, &'f str, &'f str, u64);

/// One hold a line, or one a document without line numbers, which is one fact. `lines` are those that speak.
pub fn held_facts<'f, 'a: 'f>(
    fates: impl Iterator<Item = (&'f Said<'a>, Fate)>,
    lines: &[Line<'_>],
) -> Vec<NewHold> {
    let mut held: BTreeMap<Fact<'_>, (HeldFact, Vec<&Said<'_>>)> = BTreeMap::new();
    for (said, fate) in fates {
        let Fate::Held(why) = fate else { continue };
        let line = if said.row.line_no.is_empty() { 0 } else { said.row.file_line };
        let key = (said.seq, said.row.invoice_no, said.row.distributor_code, line);
        held.entry(key).or_insert((why, Vec::new())).1.push(said);
    }
    held.values().map(|(why, rows)| held_fact(*why, rows, lines)).collect()
}

fn held_fact(why: HeldFact, rows: &[&Said<'_>], lines: &[Line<'_>]) -> NewHold {
    let said = rows.iter().copied().min_by_key(|said| said.row.file_line).unwrap_or(rows[0]);
    let first = &said.row;
    let (kind, why) = match why {
        HeldFact::IdentityConflict => (
            "identity_conflict",
            format!("contradicts what was said before: {}", contradiction(said, rows, lines)),
        ),
        HeldFact::RowsVanished => {
            let before =
                of_document(said, lines).filter(|line| line.row.number_year == first.number_year).count();
            ("rows_vanished", format!("came again with fewer rows: {}, before {before}", rows.len()))
        }
    };
    let line = if first.line_no.is_empty() { String::new() } else { format!(" line {}", first.line_no) };
    NewHold {
        kind,
        subject: format!("{}:{}", said.seq, first.file_line),
        scheme: String::new(),
        cycle: String::new(),
        partner: first.partner_code.to_owned(),
        file: Some(said.seq),
        line: Some(first.file_line),
        lines: rows.len() as u64,
        amount: rows.iter().fold(Decimal::ZERO, |sum, said| sum.checked_add(said.row.amount).unwrap_or(sum)),
        points: 0,
        detail: format!("{} {}{line} {why}", first.doc_type.word(), first.invoice_no),
    }
}

/// The lines that speak of a number, of whatever year.
fn of_document<'l, 'a>(said: &Said<'_>, lines: &'l [Line<'a>]) -> impl Iterator<Item = &'l Line<'a>> {
    let (document, doc_type, ..) = key(said.space, said.scope, &said.row);
    lines.iter().filter(move |line| {
        let (other, of_type, ..) = key_of(line);
        (other, of_type) == (document, doc_type)
    })
}

/// Both values that disagree (evaluation.md 1.1 and 1.2).
fn contradiction(said: &Said<'_>, rows: &[&Said<'_>], lines: &[Line<'_>]) -> String {
    let row = &said.row;
    let numbered = |row: &Row<'_>| !row.line_no.is_empty();
    if rows.iter().any(|other| numbered(&other.row) != numbered(row)) {
        return "some of its rows have line numbers, others none".to_owned();
    }
    let (same_year, others): (Vec<_>, Vec<_>) =
        of_document(said, lines).partition(|line| line.row.number_year == row.number_year);
    if same_year.first().is_some_and(|line| numbered(&line.row) != numbered(row)) {
        let with = |is| if is { "with" } else { "without" };
        return format!("it came {} line numbers, before {} them", with(numbered(row)), with(!numbered(row)));
    }
    let before: Vec<&Line<'_>> =
        same_year.into_iter().filter(|line| line.row.line_no == row.line_no).collect();
    if let Some(other) = before.iter().find(|line| line.row.partner_code != row.partner_code) {
        return format!("it is of partner {}, before {}", row.partner_code, other.row.partner_code);
    }
    let day = earliest(rows.iter().map(|said| &said.row));
    if let Some(was) = earliest(before.iter().map(|line| &line.row)).filter(|was| !near(*was, day)) {
        return format!("it is dated {}, before {was}, more than 31 days away", day.unwrap_or_default());
    }
    match others.iter().find(|line| near(line.row.when.written_day(), day)) {
        Some(other) => format!(
            "it is dated {}, and the same number of the neighbouring year {}, at most 31 days away",
            day.unwrap_or_default(),
            other.row.when.written_day()
        ),
        None => "another partner, a date more than 31 days away, or with and without line numbers".to_owned(),
    }
}

fn earliest<'r, 'a: 'r>(rows: impl Iterator<Item = &'r Row<'a>>) -> Option<NaiveDate> {
    rows.map(|row| row.when.written_day()).min()
}

fn near(one: NaiveDate, other: Option<NaiveDate>) -> bool {
    other.is_some_and(|other| (one - other).num_days().unsigned_abs() <= 31)
}
