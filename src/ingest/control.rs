//! Control totals (interfaces.md 2, `[feed.totals]`): what a file has, and what its trailer or the file beside it says that it has.
//!
//! Answers for: counting data rows and adding up their amounts as written, rejected rows among them; reading
//! `TRAILER,rows,sum` and `rows,sum`. Does not: judge rows, or say what becomes of a file whose totals disagree.

use super::bytes::refuse;
use super::cells::Cells;
use super::header::{Column, Header, Need};
use super::records::{Next, Record, Records};
use super::{Layout, Packing, Stop, open};
use crate::domain::decimal::{self, DecimalMark};
use rust_decimal::Decimal;
use std::io::Read;

/// First cell of a trailer.
const TRAILER: &str = "TRAILER";

/// Cells of a trailer.
const TRAILER_CELLS: usize = 3;

/// What the last row of a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LastRow {
    /// a row like the others
    Data,
    /// `TRAILER,rows,sum`
    Trailer,
}

/// Data rows, and the sum of their amounts as written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    /// data rows
    pub rows: u64,
    /// of their amounts as written
    pub sum: Decimal,
}

/// What a file has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Control {
    /// counted here
    pub found: Totals,
    /// rows whose amount cannot be read
    pub unreadable: u64,
    /// said by its trailer, where the layout says that it has one
    pub trailer: Option<Totals>,
}

impl Control {
    /// How the file differs from what is said of it, with both numbers; `None` where both agree.
    pub fn disagrees(&self, said: &Totals, who: &str) -> Option<String> {
        if self.found == *said {
            return None;
        }
        let of = |totals: &Totals| {
            let rows = if totals.rows == 1 { "row" } else { "rows" };
            format!("{} {rows} and {} in amount", totals.rows, totals.sum.normalize())
        };
        let unreadable = match self.unreadable {
            0 => String::new(),
            1 => " (the amount of 1 row cannot be read)".to_owned(),
            many => format!(" (the amounts of {many} rows cannot be read)"),
        };
        Some(format!("{who} says {}, the file has {}{unreadable}", of(said), of(&self.found)))
    }
}

/// Adds up a file. One that should have a trailer and has none, or rows after it, is refused.
pub fn control(bytes: &mut dyn Read, packing: Packing, layout: &Layout) -> Result<Control, Stop> {
    let mut records = open(bytes, packing, layout)?;
    records.last_row = LastRow::Data; // its trailer is looked at here
    let mut header = Header::read(&mut records, layout)?;
    let amount = header.column("amount", Need::Optional);
    records.most_cells = records.most_cells.max(TRAILER_CELLS);
    let mut control = Control { found: Totals::default(), unreadable: 0, trailer: None };
    loop {
        let record = match records.next()? {
            Next::End => break,
            Next::Broken(_, line, _) => {
                no_rows_after(&control, line)?;
                control.found.rows += 1;
                control.unreadable += 1;
                continue;
            }
            Next::Record(record) => record,
        };
        no_rows_after(&control, record.line)?;
        if layout.last_row == LastRow::Trailer && is_trailer(&record) {
            control.trailer = Some(trailer(&record, layout.decimal_mark)?);
        } else {
            control.add(record, &header, &amount, layout.decimal_mark);
        }
    }
    if layout.last_row == LastRow::Trailer && control.trailer.is_none() {
        let detail = "its last row is no trailer (TRAILER,rows,sum): the file was cut short, or written without one; send it again";
        return Err(refuse("trailer_missing", detail.to_owned()));
    }
    Ok(control)
}

impl Control {
    fn add(&mut self, record: Record<'_>, header: &Header<'_>, amount: &Column, mark: DecimalMark) {
        self.found.rows += 1;
        let Ok(cells) = Cells::new(record, header.headers()) else {
            self.unreadable += 1;
            return;
        };
        let cell = cells.value(amount);
        match decimal::parse(cell, mark) {
            Ok(value) => self.found.sum = self.found.sum.checked_add(value).unwrap_or(Decimal::MAX),
            Err(_) if cell.is_empty() => {}
            Err(_) => self.unreadable += 1,
        }
    }
}

fn no_rows_after(control: &Control, line: u64) -> Result<(), Stop> {
    if control.trailer.is_none() {
        return Ok(());
    }
    let detail =
        format!("line {line} comes after the trailer, which must be the last row: send the file again");
    Err(refuse("rows_after_trailer", detail))
}

/// What the file beside a file says: `rows,sum`, below a header or not; in the dialect of the feed, or with a comma between
/// them and a decimal point whatever that is.
pub fn sidecar(bytes: &mut dyn Read, layout: &Layout) -> Result<Totals, Stop> {
    let plain = Layout { last_row: LastRow::Data, ..layout.clone() };
    let mut records = open(bytes, Packing::Plain, &plain)?;
    let mut read = String::new();
    // a header may stand above
    for _ in 0..2 {
        let Next::Record(record) = records.next()? else { break };
        if let Some(totals) = beside(&cells(&record), layout) {
            return nothing_more(&mut records, totals);
        }
        if !record.raw.trim_ascii().is_empty() {
            read = String::from_utf8_lossy(record.raw).chars().take(100).collect();
        }
    }
    let detail =
        format!("the control totals beside it hold `{read}`; looked for rows,sum such as 120,45000.50");
    Err(refuse("totals_not_understood", detail))
}

fn beside(cells: &[String], layout: &Layout) -> Option<Totals> {
    match cells {
        [whole] if layout.delimiter != b',' && whole.contains(',') => {
            let cells: Vec<String> = whole.split(',').map(|cell| cell.trim().to_owned()).collect();
            totals(&cells, DecimalMark::Point)
        }
        cells => totals(cells, layout.decimal_mark).or_else(|| totals(cells, DecimalMark::Point)),
    }
}

fn nothing_more(records: &mut Records<'_>, totals: Totals) -> Result<Totals, Stop> {
    match records.next()? {
        Next::End => Ok(totals),
        Next::Record(_) | Next::Broken(..) => Err(refuse(
            "totals_not_understood",
            "the control totals beside it have more than one line; looked for rows,sum".to_owned(),
        )),
    }
}

/// Whether a record is a trailer.
pub(super) fn is_trailer(record: &Record<'_>) -> bool {
    let first = record.spans.first().and_then(|span| record.text.get(span.range()));
    first.is_some_and(|cell| cell.trim_ascii().eq_ignore_ascii_case(TRAILER.as_bytes()))
}

fn trailer(record: &Record<'_>, mark: DecimalMark) -> Result<Totals, Stop> {
    let cells = cells(record);
    totals(cells.get(1..).unwrap_or_default(), mark).ok_or_else(|| {
        let text: String = String::from_utf8_lossy(record.raw).chars().take(100).collect();
        let detail = format!("its trailer in line {} is `{text}`; looked for TRAILER,rows,sum", record.line);
        refuse("trailer_not_understood", detail)
    })
}

fn cells(record: &Record<'_>) -> Vec<String> {
    let cell = |range| String::from_utf8_lossy(record.text.get(range).unwrap_or_default()).trim().to_owned();
    record.spans.iter().map(|span| cell(span.range())).collect()
}

/// `rows` and `sum`, and nothing but blank cells after them. A file of rows without amounts may leave the sum out.
fn totals(cells: &[String], mark: DecimalMark) -> Option<Totals> {
    let rows = decimal::parse(cells.first()?, mark).ok().filter(|rows| rows.fract().is_zero())?;
    let sum = match cells.get(1).map(String::as_str) {
        None | Some("") => Decimal::ZERO,
        Some(sum) => decimal::parse(sum, mark).ok()?,
    };
    let blank = cells.iter().skip(2).all(String::is_empty);
    blank.then_some(Totals { rows: u64::try_from(rows).ok()?, sum })
}
