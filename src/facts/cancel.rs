//! Cancellations: which lines they void, and which arrivals came for an invoice already cancelled (evaluation.md 1.3).

use super::identity::DocumentNo;
use super::row::DocType;
use super::settle::{Cancellation, Fate, Line, Said, Span};
use chrono::NaiveDate;
use std::ops::Range;

/// One cancellation, from whichever list it came.
#[derive(Debug, Clone, Copy)]
struct Void<'v> {
    document: DocumentNo<'v>,
    day: NaiveDate,
    rank: i64,
    file_line: u64,
    updated_at: Option<i64>,
    source: Source,
}

#[derive(Debug, Clone, Copy)]
enum Source {
    /// index into the cancellations given
    Given(usize),
    /// index into what was said
    Said(usize),
}

/// All cancellations, those of one number together.
#[derive(Debug)]
pub(super) struct Voids<'v>(Vec<Void<'v>>);

impl<'v> Voids<'v> {
    /// the cancellations given, and those among what was said
    pub(super) fn gather<'a: 'v>(
        given: &'v [Cancellation],
        said: &[Said<'a>],
        among: impl Iterator<Item = usize>,
    ) -> Self {
        let given = given.iter().enumerate().map(|(i, given)| Void {
            document: DocumentNo {
                space: given.space,
                distributor_code: &given.distributor_code,
                number: &given.invoice_no,
            },
            day: given.day,
            rank: given.rank,
            file_line: given.file_line,
            updated_at: given.updated_at,
            source: Source::Given(i),
        });
        let among = among.map(|i| Void {
            document: DocumentNo::of(said[i].space, said[i].scope, &said[i].row),
            day: said[i].row.when.written_day(),
            rank: said[i].rank,
            file_line: said[i].row.file_line,
            updated_at: said[i].row.updated_at,
            source: Source::Said(i),
        });
        let mut voids: Vec<Void<'v>> = given.chain(among).collect();
        voids.sort_by_key(|void| (void.document, void.day, void.rank, void.file_line));
        Voids(voids)
    }

    /// What became of each on arrival: one that cancels again what is cancelled already is a duplicate (its
    /// `updated_at` is heard all the same).
    pub(super) fn fates(&self, given: &mut [Fate], said: &mut [Fate]) {
        for same in self.0.chunk_by(|a, b| (a.document, a.day) == (b.document, b.day)) {
            for (i, void) in same.iter().enumerate() {
                let fate = if i == 0 { Fate::Accepted } else { Fate::Duplicate };
                match void.source {
                    Source::Given(at) => given[at] = fate,
                    Source::Said(at) => said[at] = fate,
                }
            }
        }
    }

    /// Voids lines, and tells of the rows that came for an invoice already cancelled.
    pub(super) fn apply<'a>(
        &self,
        said: &[Said<'a>],
        order: &[usize],
        fates: &[Fate],
        spans: &[Span<'_>],
        lines: &mut [Line<'a>],
    ) -> Vec<usize> {
        let mut late = Vec::new();
        for voids in self.0.chunk_by(|a, b| a.document == b.document) {
            let Ok(at) = spans.binary_search_by_key(&voids[0].document, |span| span.document) else {
                continue;
            };
            void_lines(voids, &mut lines[spans[at].lines.clone()]);
            arrivals(voids, said, fates, &order[spans[at].rows.clone()], &mut late);
        }
        late.sort_unstable();
        late
    }
}

/// The cancellations of one document taken together.
#[derive(Debug, Clone, Copy)]
enum Voided {
    No,
    /// lines count again that are later than this
    Until(i64),
    /// one of them has no `updated_at`
    ForGood,
}

impl Voided {
    fn and(self, updated_at: Option<i64>) -> Voided {
        match (self, updated_at) {
            (Voided::ForGood, _) | (_, None) => Voided::ForGood,
            (Voided::No, Some(at)) => Voided::Until(at),
            (Voided::Until(before), Some(at)) => Voided::Until(before.max(at)),
        }
    }

    fn voids(self, updated_at: Option<i64>) -> bool {
        match self {
            Voided::No => false,
            Voided::Until(last) => updated_at.is_none_or(|at| at <= last),
            Voided::ForGood => true,
        }
    }
}

/// The documents of one number among its lines, in order of their years.
pub(super) fn documents(lines: &[Line<'_>]) -> Vec<Dated> {
    let mut start = 0;
    lines
        .chunk_by(|a, b| a.row.number_year == b.row.number_year)
        .map(|document| {
            let lines = start..start + document.len();
            start = lines.end;
            let day = document.iter().map(|line| line.row.when.written_day()).min();
            Dated { year: document[0].row.number_year, day: day.unwrap_or(NaiveDate::MIN), lines }
        })
        .collect()
}

/// A document and the earliest written day of its lines.
#[derive(Debug)]
pub(super) struct Dated {
    pub(super) year: Option<i32>,
    pub(super) day: NaiveDate,
    pub(super) lines: Range<usize>,
}

/// Of documents of one number, the latest on or before a day; where numbers do not restart there is one, of any day.
pub(super) fn latest(documents: &[Dated], day: NaiveDate) -> Option<usize> {
    documents.iter().rposition(|document| document.year.is_none() || document.day <= day)
}

fn void_lines(voids: &[Void<'_>], lines: &mut [Line<'_>]) {
    let documents = documents(lines);
    let mut voided = vec![Voided::No; documents.len()];
    for void in voids {
        if let Some(at) = latest(&documents, void.day) {
            voided[at] = voided[at].and(void.updated_at);
        }
    }
    for (document, voided) in documents.iter().zip(voided) {
        for line in &mut lines[document.lines.clone()] {
            line.cancelled = voided.voids(line.row.updated_at);
        }
    }
}

/// Rows that came after a cancellation of their document and are void by it. Rejected rows are none.
fn arrivals(voids: &[Void<'_>], said: &[Said<'_>], fates: &[Fate], rows: &[usize], late: &mut Vec<usize>) {
    let first = voids.iter().map(|void| void.rank).min().unwrap_or(i64::MAX);
    for row in rows.iter().copied().filter(|row| said[*row].rank > first) {
        if said[row].row.doc_type != DocType::Invoice || matches!(fates[row], Fate::Rejected(_)) {
            continue;
        }
        let heard = voids.iter().filter(|void| void.rank < said[row].rank && names(void, said, rows, row));
        let voided = heard.fold(Voided::No, |voided, void| voided.and(void.updated_at));
        if voided.voids(said[row].row.updated_at) {
            late.push(row);
        }
    }
}

/// whether a cancellation names the document of this row, as far as was known when the row came
fn names(void: &Void<'_>, said: &[Said<'_>], rows: &[usize], row: usize) -> bool {
    let Some(year) = said[row].row.number_year else { return true };
    let before = |other: &usize| said[*other].row.when.written_day() <= void.day;
    let later = |other: &usize| {
        said[*other].rank <= said[row].rank && said[*other].row.number_year.is_some_and(|other| other > year)
    };
    before(&row) && !rows.iter().any(|other| later(other) && before(other))
}
