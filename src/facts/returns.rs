//! What credit notes return, and what they take from it (evaluation.md 1.6, but for the dates, which are a scheme's).

use super::cancel::{documents, latest};
use super::identity::DocumentNo;
use super::row::Row;
use super::settle::{Line, NumberScope, Reference, Span};
use crate::domain::word::same_word;

/// Finds the lines that the note at `note` returns and fills in what it lacks.
pub(super) fn settle_note(lines: &mut [Line<'_>], note: usize, scope: NumberScope, spans: &[Span<'_>]) {
    let reference = find(lines, &lines[note], scope, spans);
    if let Reference::Found(returned) = &reference {
        lines[note].row = filled(&lines[note].row, returned.iter().map(|at| &lines[*at].row));
    }
    lines[note].reference = reference;
}

fn find(lines: &[Line<'_>], note: &Line<'_>, scope: NumberScope, spans: &[Span<'_>]) -> Reference {
    let invoice = DocumentNo::referred(note.space, scope, &note.row);
    let Ok(at) = spans.binary_search_by_key(&invoice, |span| span.document) else {
        return Reference::Unknown;
    };
    let span = spans[at].lines.clone();
    let documents = documents(&lines[span.clone()]);
    let Some(at) = latest(&documents, note.row.when.written_day()) else { return Reference::Unknown };
    let document = &documents[at].lines;
    let in_force: Vec<usize> =
        (span.start + document.start..span.start + document.end).filter(|at| !lines[*at].cancelled).collect();
    if in_force.is_empty() {
        Reference::Cancelled
    } else {
        Reference::Found(returned(lines, &note.row, in_force))
    }
}

/// the line it names, else those with its SKU, else all
fn returned(lines: &[Line<'_>], note: &Row<'_>, in_force: Vec<usize>) -> Vec<usize> {
    let only = |wanted: &dyn Fn(&Row<'_>) -> bool| -> Vec<usize> {
        in_force.iter().copied().filter(|at| wanted(&lines[*at].row)).collect()
    };
    if !note.ref_line_no.is_empty() {
        let named = only(&|row| row.line_no == note.ref_line_no);
        if !named.is_empty() {
            return named;
        }
    }
    if !note.sku.is_empty() {
        let alike = only(&|row| same_word(row.sku, note.sku));
        if !alike.is_empty() {
            return alike;
        }
    }
    in_force
}

/// The note with what it lacks taken from the lines it returns, where they all have the same.
fn filled<'a, 'l>(note: &Row<'a>, returned: impl Iterator<Item = &'l Row<'a>> + Clone) -> Row<'a>
where
    'a: 'l,
{
    let fill = |own: &'a str, column: fn(&Row<'a>) -> &'a str| {
        let mut theirs = returned.clone().map(column);
        match theirs.next() {
            Some(first) if own.is_empty() && theirs.all(|other| same_word(first, other)) => first,
            Some(_) | None => own,
        }
    };
    Row {
        sku: fill(note.sku, |row| row.sku),
        category: fill(note.category, |row| row.category),
        channel: fill(note.channel, |row| row.channel),
        payment_method: fill(note.payment_method, |row| row.payment_method),
        ..*note
    }
}
