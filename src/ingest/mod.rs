//! Ingest: bytes and a feed's layout -> rows and rejects, streaming. Pure: the reader is given, nothing is opened.
//!
//! Memory does not grow with the file: one record at a time, with a limit on the length of a record.
//! A bad row is data (a [`Reject`]); a file that cannot be read at all is a [`Refusal`].

mod amounts;
mod blocks;
mod bytes;
mod cells;
mod control;
mod dates;
mod fx;
mod header;
mod masters;
mod money;
mod records;
mod sales;
mod split;
mod zip;

pub use amounts::{Amount, amounts};
pub use blocks::{Block, Blocks, SalesFile, SalesReader, TakeRow, sales};
pub use control::{Control, LastRow, Totals, control, sidecar};
pub use sales::UNDATED_CANCELLATION;
pub use zip::{Member, Method, member};

use crate::domain::decimal::DecimalMark;
use crate::facts::alias::{LocalCode, Says};
use crate::facts::fx::RateRecord;
use crate::facts::master::{ItemRecord, PartnerRecord};
use crate::facts::money::{EventKind, Money};
use crate::facts::row::DocType;
use bytes::Bytes;
use cells::{Cells, Checked};
use chrono_tz::Tz;
use dates::Dates;
use header::Header;
use records::{Lines, Next, Record, Records};
use rust_decimal::Decimal;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::Read;

/// How a feed's files are to be read (`[[feed]]`, `[feed.csv]`, `.columns`, `.defaults`, `.values.*`). Facts remember it: it is journalled as JSON.
#[derive(Debug, Clone, PartialEq)]
pub struct Layout {
    /// one byte
    pub delimiter: u8,
    /// of the bytes
    pub encoding: Encoding,
    /// of numbers
    pub decimal_mark: DecimalMark,
    /// chrono formats tried in order; empty: ISO 8601
    pub dates: Vec<String>,
    /// sign of credit notes
    pub credit_notes: CreditNotes,
    /// canonical name -> header in the file
    pub columns: BTreeMap<String, String>,
    /// canonical name -> value of every row where the file has no such column (a blank cell stays blank)
    pub defaults: BTreeMap<String, String>,
    /// canonical name -> (file's word -> canonical word)
    pub values: BTreeMap<String, BTreeMap<String, String>>,
    /// of timestamps without an offset
    pub timezone: Tz,
    /// month in which numbers start anew
    pub numbers_restart: Option<u32>,
    /// most unpacked bytes
    pub max_bytes: u64,
    /// whether the last row holds control totals
    pub last_row: LastRow,
}

/// Encoding of a feed's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is its word in interfaces.md 2")]
pub enum Encoding {
    Utf8,
    Utf16,
    Windows1252,
}

/// Sign of a credit note's amount and quantity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CreditNotes {
    /// negative whatever its sign
    PositiveOrNegative,
    /// as written
    Signed,
}

impl CreditNotes {
    /// An amount or a quantity as it counts.
    fn signed(self, doc_type: DocType, value: Decimal) -> Decimal {
        match (doc_type, self) {
            (DocType::CreditNote, CreditNotes::PositiveOrNegative) if !value.is_zero() => -value.abs(),
            (DocType::Invoice | DocType::CreditNote | DocType::Cancellation, _) => value,
        }
    }
}

/// How the bytes are packed, by the file's name (`.gz`, `.zip`) and their first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    /// as they are
    Plain,
    /// gzip, several members too
    Gzip,
    /// zip, with one file
    Zip(Member),
}

/// A row that was not taken, kept with its line, its text and its reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject {
    /// line in the file where the row begins, the header being 1
    pub line: u64,
    /// a word: `amount_not_a_number`, `date_not_understood`, `partner_code_missing`, `too_few_cells`, `identity_twice`, ...
    pub reason: &'static str,
    /// column, value and what was looked for, in the reader's words
    pub detail: String,
    /// the row as it stands in the file, at most 4,000 characters of it
    pub text: String,
    /// of a `sales` row: of which line it is, where that could be told
    pub claim: Option<Box<Claim>>,
}

/// The line of a document that a row speaks of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// part of the document's identity unless numbers are unique in the whole space
    pub distributor_code: String,
    /// document number
    pub invoice_no: String,
    /// empty where it has none
    pub line_no: String,
}

/// A file that was refused whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// a word: `empty_file`, `missing_column`, `duplicate_header`, `not_utf8`, `too_large`, `not_gzip`, `line_too_long`, `too_many_columns`, ...
    pub reason: &'static str,
    /// what was looked for and what was found, in the reader's words, with the remedy
    pub detail: String,
}

/// Why reading stopped early.
#[derive(Debug)]
pub enum Stop {
    /// the file is refused whole
    Refused(Refusal),
    /// the disk failed while reading
    Io(std::io::Error),
    /// whoever takes the rows could not go on
    Taker(anyhow::Error),
}

/// One row as read.
#[derive(Debug)]
pub enum Taken<'r, R> {
    /// understood
    Row(R),
    /// not understood
    Reject(&'r Reject),
}

/// How many data rows a file has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// data rows read (blank lines are none)
    pub rows: u64,
    /// of them rejected
    pub rejects: u64,
    /// unpacked bytes read
    pub bytes: u64,
}

/// Reads a `partners` file. `effective_from` is `NaiveDate::MIN` where the row gives none; `seq` is 0.
pub fn partners(
    bytes: &mut dyn Read,
    packing: Packing,
    layout: &Layout,
    take: &mut dyn FnMut(Taken<'_, PartnerRow>) -> anyhow::Result<()>,
) -> Result<Tally, Stop> {
    owned(bytes, packing, layout, masters::Partners::new, masters::Partners::row, take)
}

/// Reads an `items` file, likewise.
pub fn items(
    bytes: &mut dyn Read,
    packing: Packing,
    layout: &Layout,
    take: &mut dyn FnMut(Taken<'_, MasterRow<ItemRecord>>) -> anyhow::Result<()>,
) -> Result<Tally, Stop> {
    owned(bytes, packing, layout, masters::Items::new, masters::Items::row, take)
}

/// Reads an `fx` file, likewise; rates come in the order of their rows.
pub fn fx(
    bytes: &mut dyn Read,
    packing: Packing,
    layout: &Layout,
    take: &mut dyn FnMut(Taken<'_, FxRow>) -> anyhow::Result<()>,
) -> Result<Tally, Stop> {
    owned(bytes, packing, layout, |header| fx::Fx::new(header, layout), fx::Fx::row, take)
}

/// Reads a `payments` or a `deposits` file; each row or reject is given to `take` in order.
pub fn monies(
    bytes: &mut dyn Read,
    packing: Packing,
    layout: &Layout,
    kind: EventKind,
    take: &mut dyn FnMut(Taken<'_, Money>) -> anyhow::Result<()>,
) -> Result<Tally, Stop> {
    let columns = |header: &mut Header<'_>| money::Monies::new(header, layout, kind);
    owned(bytes, packing, layout, columns, money::Monies::row, take)
}

/// The text of some rows, by the line where they begin: for rows that are found wanting only beside others.
pub fn texts(
    bytes: &mut dyn Read,
    packing: Packing,
    layout: &Layout,
    lines: &BTreeSet<u64>,
) -> Result<HashMap<u64, String>, Stop> {
    let mut records = open(bytes, packing, layout)?;
    Header::read(&mut records, layout)?;
    let mut texts = HashMap::with_capacity(lines.len());
    while texts.len() < lines.len() {
        match records.next()? {
            Next::End => break,
            Next::Broken(..) => {}
            Next::Record(record) if lines.contains(&record.line) => {
                texts.insert(record.line, cells::text(record.raw));
            }
            Next::Record(_) => {}
        }
    }
    Ok(texts)
}

fn open<'r>(bytes: &'r mut dyn Read, packing: Packing, layout: &Layout) -> Result<Records<'r>, Stop> {
    let mut records = Records::new(Bytes::open(bytes, packing, layout)?, layout.delimiter)?;
    records.last_row = layout.last_row;
    Ok(records)
}

/// What became of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Taken,
    Rejected,
}

fn give(taken: anyhow::Result<()>, fate: Fate) -> Result<Fate, Stop> {
    taken.map(|()| fate).map_err(Stop::Taker)
}

/// Reads a file whose rows borrow nothing from it: by the columns found in its header, each record as `row` reads it.
fn owned<C, R>(
    bytes: &mut dyn Read,
    packing: Packing,
    layout: &Layout,
    columns: impl FnOnce(&mut Header<'_>) -> Result<C, Stop>,
    row: impl Fn(&C, &Cells<'_>, &mut Dates) -> Checked<R>,
    take: &mut dyn FnMut(Taken<'_, R>) -> anyhow::Result<()>,
) -> Result<Tally, Stop> {
    let mut records = open(bytes, packing, layout)?;
    let mut header = Header::read(&mut records, layout)?;
    let columns = columns(&mut header)?;
    let mut dates = Dates::new(&layout.dates, layout.timezone);
    let mut understood =
        |cells: &Cells<'_>| row(&columns, cells, &mut dates).map_err(|bad| cells.reject(*bad));
    each(&mut records, &header, &mut |read| match read.and_then(&mut understood) {
        Ok(row) => give(take(Taken::Row(row)), Fate::Taken),
        Err(reject) => give(take(Taken::Reject(&reject)), Fate::Rejected),
    })
}

/// Takes one record, as cells or as the reject it is.
type Handle<'h> = dyn FnMut(Result<&Cells<'_>, Reject>) -> Result<Fate, Stop> + 'h;

/// Every record after the header, as cells or as the reject it is.
fn each(records: &mut Records<'_>, header: &Header<'_>, handle: &mut Handle<'_>) -> Result<Tally, Stop> {
    let mut tally = Tally::default();
    loop {
        let fate = match records.next()? {
            Next::End => break,
            Next::Broken(why, line, raw) => handle(Err(cells::reject(line, raw, cells::broken(why)))),
            Next::Record(record) => one(record, Cells::new(record, header.headers()), handle),
        }?;
        tally.rows += 1;
        tally.rejects += u64::from(fate == Fate::Rejected);
    }
    tally.bytes = records.count();
    Ok(tally)
}

/// Likewise every record of a plain block.
fn each_plain(lines: &mut Lines, header: &Header<'_>, handle: &mut Handle<'_>) -> Result<Tally, Stop> {
    let mut tally = Tally::default();
    while let Some((record, text)) = lines.next() {
        let fate = one(record, Cells::plain(record, text, header.headers()), handle)?;
        tally.rows += 1;
        tally.rejects += u64::from(fate == Fate::Rejected);
    }
    Ok(tally)
}

fn one(record: Record<'_>, cells: Checked<Cells<'_>>, handle: &mut Handle<'_>) -> Result<Fate, Stop> {
    match cells {
        Ok(cells) => handle(Ok(&cells)),
        Err(bad) => handle(Err(cells::reject(record.line, record.raw, *bad))),
    }
}

/// A row of an `fx` file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FxRow {
    /// line in the file
    pub file_line: u64,
    /// the rate
    pub record: RateRecord,
}

/// A row of a `partners` file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartnerRow {
    /// partner_code
    pub code: String,
    /// line in the file
    pub file_line: u64,
    /// whether the row gives `effective_from` itself
    pub dated: bool,
    /// the record (`effective_from` is `NaiveDate::MIN` where not dated)
    pub record: PartnerRecord,
    /// what a distributor calls the partner
    pub local_code: Option<LocalCode>,
    /// of what the row speaks
    pub says: Says,
}

/// A row of a master file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MasterRow<R> {
    /// partner_code or sku
    pub code: String,
    /// line in the file
    pub file_line: u64,
    /// whether the row gives `effective_from` itself
    pub dated: bool,
    /// the record (`effective_from` is `NaiveDate::MIN` where not dated)
    pub record: R,
}

#[cfg(test)]
mod tests;
