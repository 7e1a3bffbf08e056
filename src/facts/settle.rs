//! Which version of each line speaks, what is cancelled, what each credit note returns (evaluation.md 1.1 to 1.3 and 1.6).
//!
//! Answers for: the fate of each row on arrival, the lines that speak, the lines that credit notes return. Does not: know
//! zones, schemes or the date a return counts for; read or write anything.
//!
//! Rows are sorted by document. What came once and contradicts nothing (nearly all) speaks as it stands; a number about which
//! more was said is walked over in order of `rank` (`walk`). Cancellations (`cancel`) and references
//! (`returns`) are looked up in what speaks in the end, so that their order tells nothing.
//!
//! # Readings
//! Where evaluation.md leaves room, this is what is read here:
//! - A duplicate with an `updated_at` lends it to a version without one. Rows of one line that say the same in one file
//!   are one version with the latest `updated_at`; the first is accepted, the others are duplicates.
//! - Older content that comes again is a new version only against what speaks; what was held does not speak.
//! - `duplicate` is asked first, then `outdated`, then whether it is held. With and without line numbers are no versions of
//!   one fact, so that neither is outdated by the other.
//! - A document some of whose rows in one file have a line number and some have none is held whole (`identity_conflict`);
//!   released, all its rows are one fact.
//! - A document without line numbers is dated by its earliest row, its `updated_at` is the latest of its rows, and it
//!   changes the partner if it names other partners than before. That it names two is no contradiction: each row counts
//!   for its own, as the lines of a document with line numbers do.
//! - Of two documents of neighbouring years in one file, within 31 days of each other, the later in the file is held. One
//!   that a person has released there is not held again for the same neighbour.
//! - A release lets a version speak as if it came then: it is outdated if a later version has come meanwhile. The first
//!   decision about a version holds.
//! - Every cancellation of an invoice is heard, also one that says again what another said: if one of them has no
//!   `updated_at`, no line counts again. Lines "arrive for a cancelled invoice" if a cancellation came in an earlier file
//!   and voids them, duplicates among them, rejected ones not.
//! - The latest document on or before a day is that of the latest year whose earliest line is.

use super::cancel::Voids;
use super::identity::{self, DocumentNo};
use super::returns;
use super::row::{DocType, Row};
use super::texts;
use super::walk::{Decisions, Walk, near};
use chrono::NaiveDate;
use std::ops::Range;

/// How the documents of one space are told apart (the feed's `number_scope` and `numbers_restart`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NumberScope {
    /// an invoice number is unique within its distributor
    Distributor,
    /// an invoice number is unique in the whole document space
    Space,
}

impl NumberScope {
    /// The part of a document's identity that its distributor gives: nothing where numbers are unique in the whole space.
    pub fn issuer(self, distributor_code: &str) -> &str {
        match self {
            NumberScope::Distributor => distributor_code,
            NumberScope::Space => "",
        }
    }
}

/// A version of a line, or of a document without line numbers: one row as one ingestion said it.
#[derive(Debug, Clone)]
pub struct Said<'a> {
    /// journal sequence of the ingestion
    pub seq: i64,
    /// its place in the order of ingestion; later ones are later files. A file that was read again has that of its first reading
    pub rank: i64,
    /// the document space (interned `documents` of the feed)
    pub space: i64,
    /// within what a number is unique in that space
    pub scope: NumberScope,
    /// what was said
    pub row: Row<'a>,
}

/// A cancellation: voids the lines of the invoice whose number it names (never of a credit note).
#[derive(Debug, Clone)]
pub struct Cancellation {
    /// journal sequence of the ingestion
    pub seq: i64,
    /// its place in the order of ingestion
    pub rank: i64,
    /// the document space
    pub space: i64,
    /// empty where numbers are unique in the whole space
    pub distributor_code: String,
    /// the invoice's number
    pub invoice_no: String,
    /// its written day; with restarting numbers it voids the latest invoice on or before it
    pub day: NaiveDate,
    /// microseconds since the epoch
    pub updated_at: Option<i64>,
    /// line in its file
    pub file_line: u64,
}

/// What a person decided about a version that was held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// it speaks, as if it had arrived when it was released
    Release,
    /// it never speaks
    Discard,
}

/// A decision about a held version (`rank` and `file_line` name it: it holds also for what is read again in that line).
#[derive(Debug, Clone)]
pub struct Decision {
    /// journal sequence of the decision
    pub at: i64,
    /// place of its file in the order of ingestion
    pub rank: i64,
    /// line in its file (of a document without line numbers: of its first row)
    pub file_line: u64,
    /// what was decided
    pub verdict: Verdict,
}

/// What became of a row when it arrived (product.md, law "nothing lost").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fate {
    /// a new fact
    Accepted,
    /// says what the version that speaks says already; does nothing
    Duplicate,
    /// other content: speaks from now on
    Superseding,
    /// older than the version that speaks: kept, never in force
    Outdated,
    /// set aside for a person
    Held(HeldFact),
    /// one of several rows of one file that give one line different content
    Rejected(Twice),
}

/// Why a version was set aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HeldFact {
    /// it would change the partner, move the date by more than 31 days, come with line numbers one time and without
    /// another, or (restarting numbers) repeat a number of the neighbouring year within 31 days
    IdentityConflict,
    /// a document without line numbers came again with fewer rows
    RowsVanished,
}

/// `identity_twice`: the same line twice in one file with different content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Twice;

/// What a credit note's reference leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reference {
    /// not a credit note, or it names no invoice
    None,
    /// its invoice is not known (or no line of it is in force and none is cancelled)
    Unknown,
    /// its invoice is cancelled: the note does not count
    Cancelled,
    /// the lines it returns, as indexes into [`Settled::lines`]
    Found(Vec<usize>),
}

/// A line whose version speaks. It is in force unless `cancelled`.
#[derive(Debug, Clone)]
pub struct Line<'a> {
    /// what it says, with the `updated_at` that is kept for it; what a credit note lacks (sku, category, channel, payment_method) is filled from the lines it returns where they all have the same
    pub row: Row<'a>,
    /// ingestion that said it
    pub seq: i64,
    /// its place in the order of ingestion
    pub rank: i64,
    /// its document space
    pub space: i64,
    /// whether its distributor is part of its document's identity
    pub scope: NumberScope,
    /// voided by a cancellation: listed, never counted
    pub cancelled: bool,
    /// of credit notes
    pub reference: Reference,
}

/// The outcome of [`settle`].
#[derive(Debug, Clone, Default)]
pub struct Settled<'a> {
    /// one for each row of every version that speaks, in order of (space, distributor, number, doc_type, number_year, line_no, file_line)
    pub lines: Vec<Line<'a>>,
    /// for each input row, in the order given: what became of it on arrival
    pub fates: Vec<Fate>,
    /// for each cancellation, in the order given: accepted, or a duplicate of one before it
    pub cancellation_fates: Vec<Fate>,
    /// arrivals for a cancelled invoice, as indexes into the input (reported)
    pub for_cancelled: Vec<usize>,
}

/// An invoice number and where it is found.
#[derive(Debug)]
pub(super) struct Span<'a> {
    /// the number
    pub(super) document: DocumentNo<'a>,
    /// its rows, as places in the order of all rows
    pub(super) rows: Range<usize>,
    /// its lines
    pub(super) lines: Range<usize>,
}

/// Walks everything said about a set of documents in order of `rank` and tells what is in force.
///
/// `said` must hold every version of every document it touches (of whatever partner), in any order; rows of one
/// `seq` are one file, and no two files have one `rank`. `cancellations` likewise; cancellations among what was said are heard as well. Pure: the same
/// input in any order gives the same lines, except where evaluation.md lets the later file speak.
pub fn settle<'a>(said: &[Said<'a>], cancellations: &[Cancellation], decisions: &[Decision]) -> Settled<'a> {
    settle_by(Shortcut::Taken, said, cancellations, decisions)
}

/// Whether numbers about which nothing is contradicted are taken as they stand or walked over like all others: the same
/// lines either way, which a test holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shortcut {
    Taken,
    #[cfg_attr(not(test), expect(dead_code, reason = "the other half of the law"))]
    Never,
}

fn settle_by<'a>(
    shortcut: Shortcut,
    said: &[Said<'a>],
    cancellations: &[Cancellation],
    decisions: &[Decision],
) -> Settled<'a> {
    let order = in_order(said);
    let decisions = Decisions::new(decisions);
    let mut settling = Settling::new(shortcut, said, cancellations.len());
    let mut start = 0;
    for rows in order.chunk_by(|a, b| same_number(&said[*a], &said[*b])) {
        settling.number(rows, start, &decisions);
        start += rows.len();
    }
    settling.finish(cancellations, &order)
}

fn in_order(said: &[Said<'_>]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..said.len()).collect();
    order.sort_by(|a, b| {
        let (a, b) = (&said[*a], &said[*b]);
        identity::order((a.space, a.scope, &a.row), (b.space, b.scope, &b.row)).then(a.rank.cmp(&b.rank))
    });
    order
}

fn same_number(a: &Said<'_>, b: &Said<'_>) -> bool {
    a.row.doc_type == b.row.doc_type
        && DocumentNo::of(a.space, a.scope, &a.row) == DocumentNo::of(b.space, b.scope, &b.row)
}

struct Settling<'s, 'a> {
    shortcut: Shortcut,
    said: &'s [Said<'a>],
    settled: Settled<'a>,
    /// invoices by number
    spans: Vec<Span<'a>>,
    /// lines of credit notes that name an invoice
    notes: Vec<(usize, NumberScope)>,
    /// cancellations among what was said
    cancelling: Vec<usize>,
}

impl<'s, 'a> Settling<'s, 'a> {
    fn new(shortcut: Shortcut, said: &'s [Said<'a>], cancellations: usize) -> Self {
        let settled = Settled {
            lines: Vec::with_capacity(said.len()),
            fates: vec![Fate::Accepted; said.len()],
            cancellation_fates: vec![Fate::Accepted; cancellations],
            for_cancelled: Vec::new(),
        };
        Settling { shortcut, said, settled, spans: Vec::new(), notes: Vec::new(), cancelling: Vec::new() }
    }

    /// all rows of one number and type, which stand from `start` in the order of all rows
    fn number(&mut self, rows: &[usize], start: usize, decisions: &Decisions<'_>) {
        let said = self.said;
        let first = &said[rows[0]];
        let from = self.settled.lines.len();
        match first.row.doc_type {
            DocType::Cancellation => return self.cancelling.extend_from_slice(rows),
            DocType::Invoice | DocType::CreditNote => {}
        }
        if self.shortcut == Shortcut::Taken && all_speak(said, rows) {
            self.speak_as_they_stand(rows);
        } else {
            let lines = &mut self.settled.lines;
            Walk::over(said, rows, decisions, &mut self.settled.fates, |row, updated_at| {
                lines.push(line(&said[row], updated_at));
            });
        }
        match first.row.doc_type {
            DocType::Invoice => self.spans.push(Span {
                document: DocumentNo::of(first.space, first.scope, &first.row),
                rows: start..start + rows.len(),
                lines: from..self.settled.lines.len(),
            }),
            DocType::CreditNote | DocType::Cancellation => self.take_notes(from, first.scope),
        }
    }

    fn speak_as_they_stand(&mut self, rows: &[usize]) {
        let said = self.said;
        for document in rows.chunk_by(|a, b| same_year(said, *a, *b)) {
            let whole = said[document[0]].row.line_no.is_empty();
            let latest = document.iter().filter_map(|row| said[*row].row.updated_at).max();
            let lines = document.iter().map(|row| {
                let own = said[*row].row.updated_at;
                line(&said[*row], if whole { latest } else { own })
            });
            self.settled.lines.extend(lines);
        }
    }

    fn take_notes(&mut self, from: usize, scope: NumberScope) {
        let lines = &self.settled.lines;
        let naming = (from..lines.len()).filter(|at| !lines[*at].row.ref_invoice_no.is_empty());
        self.notes.extend(naming.map(|at| (at, scope)));
    }

    fn finish(self, cancellations: &[Cancellation], order: &[usize]) -> Settled<'a> {
        let Settling { shortcut: _, said, mut settled, spans, notes, cancelling } = self;
        if !cancellations.is_empty() || !cancelling.is_empty() {
            let voids = Voids::gather(cancellations, said, cancelling.into_iter());
            voids.fates(&mut settled.cancellation_fates, &mut settled.fates);
            settled.for_cancelled = voids.apply(said, order, &settled.fates, &spans, &mut settled.lines);
        }
        for (note, scope) in notes {
            returns::settle_note(&mut settled.lines, note, scope, &spans);
        }
        settled
    }
}

fn line<'a>(said: &Said<'a>, updated_at: Option<i64>) -> Line<'a> {
    Line {
        row: Row { updated_at, ..said.row },
        seq: said.seq,
        rank: said.rank,
        space: said.space,
        scope: said.scope,
        cancelled: false,
        reference: Reference::None,
    }
}

fn same_year(said: &[Said<'_>], a: usize, b: usize) -> bool {
    said[a].row.number_year == said[b].row.number_year
}

/// Whether the rows of one number contradict nothing: each document came in one file, each line of it once, and none is near
/// the same number of the year before.
fn all_speak(said: &[Said<'_>], rows: &[usize]) -> bool {
    if rows.len() == 1 {
        return true;
    }
    let mut before: Option<&[usize]> = None;
    rows.chunk_by(|a, b| same_year(said, *a, *b)).all(|document| {
        let far = before.is_none_or(|before| far_apart(said, before, document));
        before = Some(document);
        far && came_once(said, document)
    })
}

fn came_once(said: &[Said<'_>], document: &[usize]) -> bool {
    let first = &said[document[0]];
    if first.row.line_no.is_empty() {
        return document.iter().all(|row| said[*row].seq == first.seq && said[*row].row.line_no.is_empty());
    }
    document.windows(2).all(|pair| {
        let (a, b) = (&said[pair[0]], &said[pair[1]]);
        a.seq == b.seq && !texts::same(a.row.line_no, b.row.line_no)
    })
}

fn far_apart(said: &[Said<'_>], before: &[usize], document: &[usize]) -> bool {
    let day = |row: &usize| said[*row].row.when.written_day();
    let last = before.iter().map(day).max();
    let first = document.iter().map(day).min();
    matches!((last, first), (Some(last), Some(first)) if last < first && !near(last, first))
}

#[cfg(test)]
mod tests;
