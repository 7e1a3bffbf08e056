//! One record as text, and what every cell must be: text in UTF-8, trimmed, not endless.
//!
//! Answers for: rejects of rows that are no rows, and the kinds of cells that any feed has (code, text, number, yes or no).

use super::Reject;
use super::bytes::NOT_TEXT;
use super::header::{Column, alike, quoted};
use super::records::{Broken, RECORD_LIMIT, Record};
use crate::domain::decimal::{self, DecimalMark};
use rust_decimal::Decimal;

/// Most characters of a code: a document number, a partner, a SKU.
pub const CODE_LIMIT: usize = 128;
/// Most characters of any other cell.
pub const TEXT_LIMIT: usize = 4_000;
/// Most characters of a row that its reject keeps.
const KEPT_TEXT: usize = 4_000;

/// What is wrong with a row: the reason's word, and the rest in the reader's words.
#[derive(Debug, PartialEq, Eq)]
pub struct Bad {
    /// see [`Reject::reason`]
    pub reason: &'static str,
    /// see [`Reject::detail`]
    pub detail: String,
}

/// Boxed: bad rows are rare, and good ones carry the space for it.
pub type Checked<T> = Result<T, Box<Bad>>;

pub(super) fn bad<T>(reason: &'static str, detail: String) -> Checked<T> {
    Err(Box::new(Bad { reason, detail }))
}

/// A record that is text and has as many cells as the header.
#[derive(Debug, Clone, Copy)]
pub struct Cells<'b> {
    record: Record<'b>,
    text: &'b str,
    letters: Letters,
}

/// What a whole row is made of, looked at once for all its cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Letters {
    /// printable ASCII and spaces only
    Plain,
    /// anything
    Any,
}

impl Letters {
    fn of(text: &[u8]) -> Letters {
        let plain = text.iter().fold(true, |plain, byte| plain & (b' '..=b'~').contains(byte));
        if plain { Letters::Plain } else { Letters::Any }
    }
}

impl<'b> Cells<'b> {
    /// Checks a record against the header.
    pub fn new(record: Record<'b>, header: &[String]) -> Checked<Cells<'b>> {
        let letters = Letters::of(record.raw);
        if letters == Letters::Any && memchr::memchr(0, record.raw).is_some() {
            return bad("nul_byte", "the row has zero bytes; was the file damaged on its way?".to_string());
        }
        let text = match std::str::from_utf8(record.text) {
            Ok(text) => text,
            Err(fault) => return not_utf8(record, header, fault.valid_up_to()),
        };
        if record.cells != header.len() {
            return count(record.cells, header.len());
        }
        Ok(Cells { record, text, letters })
    }

    /// Checks a record of a plain block against the header: of its text nothing is to be asked.
    pub fn plain(record: Record<'b>, text: &'b str, header: &[String]) -> Checked<Cells<'b>> {
        if record.cells != header.len() {
            return count(record.cells, header.len());
        }
        Ok(Cells { record, text, letters: Letters::Plain })
    }

    /// Line in the file where the row begins.
    pub fn line(&self) -> u64 {
        self.record.line
    }

    /// A column's value: the cell trimmed and in canonical words, or the default where the file has no such column. A row has
    /// twenty: a call for each costs as much as the rest of it.
    #[inline(always)]
    pub fn value<'r>(&self, column: &'r Column) -> &'r str
    where
        'b: 'r,
    {
        let Some(at) = column.at else { return &column.default };
        let span = self.record.spans.get(at).copied();
        let cell = span.and_then(|span| self.text.get(span.range())).unwrap_or_default();
        column.word(trimmed(cell))
    }

    /// The value of a required column.
    #[inline]
    pub fn required<'r>(&self, column: &'r Column) -> Checked<&'r str>
    where
        'b: 'r,
    {
        let value = self.value(column);
        if value.is_empty() {
            let blank = if column.at.is_some() { "is blank" } else { "has a blank default" };
            return bad(
                missing(column.name),
                format!("column {} {blank}; every row needs one", titled(column)),
            );
        }
        Ok(value)
    }

    /// A required code.
    #[inline]
    pub fn required_code<'r>(&self, column: &'r Column) -> Checked<&'r str>
    where
        'b: 'r,
    {
        self.required(column).and_then(|value| code(column, value, self.letters))
    }

    /// A code, or blank.
    #[inline]
    pub fn code<'r>(&self, column: &'r Column) -> Checked<&'r str>
    where
        'b: 'r,
    {
        code(column, self.value(column), self.letters)
    }

    /// Any text.
    #[inline]
    pub fn text<'r>(&self, column: &'r Column) -> Checked<&'r str>
    where
        'b: 'r,
    {
        let value = self.value(column);
        if value.len() > TEXT_LIMIT && value.chars().count() > TEXT_LIMIT {
            return too_long(column, value, TEXT_LIMIT);
        }
        Ok(value)
    }

    /// A number, or blank.
    #[inline]
    pub fn number(&self, column: &Column, mark: DecimalMark) -> Checked<Option<Decimal>> {
        match self.value(column) {
            "" => Ok(None),
            value => number(column, value, mark).map(Some),
        }
    }

    /// Yes or no in the words of interfaces.md 3, or `blank`.
    pub fn yes_or_no(&self, column: &Column, blank: bool) -> Checked<bool> {
        let value = self.value(column);
        let is = |words: [&str; 4]| words.iter().any(|word| alike(word, value));
        match value {
            "" => Ok(blank),
            _ if is(["yes", "y", "true", "1"]) => Ok(true),
            _ if is(["no", "n", "false", "0"]) => Ok(false),
            _ => bad(
                "yes_or_no",
                format!("{}; looked for yes or no (y, n, true, false, 1, 0)", holds(column, value)),
            ),
        }
    }

    /// The row as a reject.
    pub fn reject(&self, bad: Bad) -> Reject {
        reject(self.record.line, self.record.raw, bad)
    }
}

/// A record as a reject.
pub fn reject(line: u64, raw: &[u8], bad: Bad) -> Reject {
    let Bad { reason, detail } = bad;
    Reject { line, reason, detail, text: text(raw), claim: None }
}

/// A row's text as it is kept: not more of it than helps.
pub fn text(raw: &[u8]) -> String {
    // a character has at most four bytes
    let most = raw.len().min(KEPT_TEXT * 4);
    String::from_utf8_lossy(&raw[..most]).chars().take(KEPT_TEXT).collect()
}

/// Why a record could not be split.
pub fn broken(why: Broken) -> Bad {
    match why {
        Broken::TooLong(_) => Bad {
            reason: "line_too_long",
            detail: format!("the row is longer than {RECORD_LIMIT} bytes; is a line end or a quote missing?"),
        },
        Broken::Quote => Bad {
            reason: "quote_misplaced",
            detail: "text stands after a closing quote; double the quotes that are part of a text"
                .to_string(),
        },
    }
}

/// The beginning of a detail: which column, and what stands in it.
pub fn holds(column: &Column, value: &str) -> String {
    match column.at {
        Some(_) => format!("column {} holds {}", titled(column), quoted(value)),
        None => format!("the default of {} is {}", column.name, quoted(value)),
    }
}

/// The column by its header, and by its canonical name where that is another.
fn titled(column: &Column) -> String {
    if column.header == column.name {
        return quoted(&column.header);
    }
    format!("{} ({})", quoted(&column.header), column.name)
}

pub(super) fn number(column: &Column, value: &str, mark: DecimalMark) -> Checked<Decimal> {
    decimal::parse(value, mark).or_else(|fault| {
        let mark = mark.mark();
        bad(
            not_a_number(column.name),
            format!("{}: {fault}; looked for a plain number such as 1234{mark}50", holds(column, value)),
        )
    })
}

#[inline]
fn code<'r>(column: &Column, value: &'r str, letters: Letters) -> Checked<&'r str> {
    if letters == Letters::Plain && value.len() <= CODE_LIMIT && column.at.is_some() {
        return Ok(value);
    }
    any_code(column, value)
}

fn any_code<'r>(column: &Column, value: &'r str) -> Checked<&'r str> {
    if value.len() > CODE_LIMIT && value.chars().count() > CODE_LIMIT {
        return too_long(column, value, CODE_LIMIT);
    }
    if value.chars().any(char::is_control) {
        return bad(
            "control_character",
            format!("{}: a code has no control characters or line breaks", holds(column, value)),
        );
    }
    Ok(value)
}

fn too_long<T>(column: &Column, value: &str, limit: usize) -> Checked<T> {
    let length = value.chars().count();
    bad("too_long", format!("{}: it has {length} characters, at most {limit} are read", holds(column, value)))
}

fn not_utf8<T>(record: Record<'_>, header: &[String], at: usize) -> Checked<T> {
    let column = record.spans.iter().take_while(|span| span.range().start <= at).count();
    let title = column.checked_sub(1).and_then(|column| header.get(column)).map_or("", String::as_str);
    let what = match record.text.get(at) {
        Some(&NOT_TEXT) | None => "bytes that are no character".to_string(),
        Some(byte) => format!("the byte {byte:02x}, which is no character"),
    };
    bad("not_utf8", format!("column {} has {what} in the feed's encoding", quoted(title)))
}

fn count<T>(found: usize, wanted: usize) -> Checked<T> {
    let (reason, hint) = if found < wanted {
        ("too_few_cells", "is a delimiter missing?")
    } else {
        ("too_many_cells", "is a cell with a delimiter in it not quoted?")
    };
    bad(reason, format!("the row has {found} cells where the header has {wanted}; {hint}"))
}

/// `str::trim`, quickly where there is nothing to trim.
#[inline]
fn trimmed(cell: &str) -> &str {
    let plain = |byte: &u8| *byte > b' ' && *byte < 0x80;
    match cell.as_bytes() {
        [] => cell,
        [first, .., last] if plain(first) && plain(last) => cell,
        _ => cell.trim(),
    }
}

fn missing(name: &str) -> &'static str {
    match name {
        "invoice_no" => "invoice_no_missing",
        "invoice_date" => "invoice_date_missing",
        "partner_code" => "partner_code_missing",
        "amount" => "amount_missing",
        "sku" => "sku_missing",
        "date" => "date_missing",
        "rate" => "rate_missing",
        "from" | "to" => "currency_missing",
        "payment_ref" => "payment_ref_missing",
        "paid_on" => "paid_on_missing",
        "deposit_ref" => "deposit_ref_missing",
        _ => "cell_missing",
    }
}

fn not_a_number(name: &str) -> &'static str {
    match name {
        "amount" => "amount_not_a_number",
        "quantity" => "quantity_not_a_number",
        "invoice_total" => "invoice_total_not_a_number",
        "rate" => "rate_not_a_number",
        _ => "not_a_number",
    }
}
