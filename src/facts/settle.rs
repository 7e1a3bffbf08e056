//! Which version of each line speaks, what is cancelled, what each credit note returns (evaluation.md 1.1 to 1.3 and 1.6).

use super::row::Row;

/// How the documents of one space are told apart (the feed's `number_scope` and `numbers_restart`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NumberScope {
    /// an invoice number is unique within its distributor
    Distributor,
    /// an invoice number is unique in the whole document space
    Space,
}

/// A version of a line, or of a document without line numbers: one row as one ingestion said it.
#[derive(Debug, Clone)]
pub struct Said<'a> {
    /// journal sequence of the ingestion; later ones are later files
    pub seq: i64,
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
    /// the document space
    pub space: i64,
    /// empty where numbers are unique in the whole space
    pub distributor_code: String,
    /// the invoice's number
    pub invoice_no: String,
    /// its written day; with restarting numbers it voids the latest invoice on or before it
    pub day: chrono::NaiveDate,
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

/// A decision about a held version (`seq` and `file_line` name it).
#[derive(Debug, Clone)]
pub struct Decision {
    /// journal sequence of the decision
    pub at: i64,
    /// ingestion of the held version
    pub seq: i64,
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
    /// what it says; what a credit note lacks (sku, category, channel, payment_method) is filled from the lines it returns where they all have the same
    pub row: Row<'a>,
    /// ingestion that said it
    pub seq: i64,
    /// its document space
    pub space: i64,
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
    /// arrivals for a cancelled invoice, as indexes into the input (reported)
    pub for_cancelled: Vec<usize>,
}

/// Walks everything said about a set of documents in order of `seq` and tells what is in force.
///
/// `said` must hold every version of every document it touches (of whatever partner), in any order; rows of one
/// `seq` are one file. `cancellations` likewise. Pure: the same input in any order gives the same lines, except
/// where evaluation.md lets the later file speak.
pub fn settle<'a>(
    _said: &[Said<'a>],
    _cancellations: &[Cancellation],
    _decisions: &[Decision],
) -> Settled<'a> {
    todo!()
}
