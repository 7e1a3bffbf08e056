//! One file's bytes by its feed's settings: rows as the feed's words mean them, and rows that cannot be read.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};

use super::Drop;
use super::number::{self, Frac};
use super::settings::Feed;
use super::time::{self, When};

/// A data row: canonical column to trimmed cell, absent and empty alike left out.
pub type Cells = BTreeMap<String, String>;

/// The kind of document a sales row belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Invoice,
    CreditNote,
    Cancellation,
}

/// A sales row, typed. Amount and quantity are as written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sale {
    pub kind: Kind,
    pub number: String,
    pub line_no: String,
    pub when: When,
    pub amount: Frac,
    pub quantity: Frac,
    /// Every other column, as text: partner, sku, category, currency, status, ...
    pub other: Cells,
}

impl Sale {
    pub fn cell(&self, column: &str) -> &str {
        self.other.get(column).map_or("", String::as_str)
    }
    /// The document's date as the file writes it.
    pub fn dated(&self) -> NaiveDate {
        self.when.written()
    }
}

/// A sales row and what stands apart from its content.
#[derive(Clone, Debug)]
pub struct Stamped {
    pub sale: Sale,
    pub updated_at: Option<DateTime<Utc>>,
}

/// The rows of a file in canonical columns, each with its line; none where the file is no CSV with a header.
pub fn rows(bytes: &[u8], feed: &Feed) -> Vec<(u64, Cells)> {
    let mut reader = csv::ReaderBuilder::new().delimiter(feed.delimiter).flexible(true).from_reader(bytes);
    let headers: Vec<String> = match reader.headers() {
        Ok(headers) => headers.iter().map(|h| h.trim().to_string()).collect(),
        Err(_) => return vec![],
    };
    let canonical: Vec<String> = headers.iter().map(|h| canonical(h, feed)).collect();
    let records = reader.records().filter_map(Result::ok).filter(|record| !is_trailer(record, feed));
    let line = |record: &csv::StringRecord| record.position().map_or(0, csv::Position::line);
    records.map(|record| (line(&record), cells(&record, &canonical, feed))).collect()
}

fn is_trailer(record: &csv::StringRecord, feed: &Feed) -> bool {
    feed.trailer && record.get(0).is_some_and(|cell| cell.trim() == "TRAILER")
}

/// Whether a file has as many rows, and as much in amount as written, as its trailer says, or the file beside it. What cannot be
/// read adds nothing.
pub fn totals_agree(drop: &Drop, feed: &Feed) -> bool {
    let said = match (feed.trailer, &drop.beside) {
        (true, _) => said_by_trailer(&drop.bytes, feed),
        (false, Some(beside)) if feed.sidecar => said_beside(beside, feed),
        (false, _) => return true,
    };
    let rows = rows(&drop.bytes, feed);
    let figure = |cell: &String| number::in_file(cell, feed.decimal_mark);
    let amounts = rows.iter().filter_map(|(_, cells)| figure(cells.get("amount")?));
    let sum = amounts.fold(number::int(0), |sum, amount| sum + amount);
    said.is_some_and(|(count, total)| count == rows.len() && total == sum)
}

fn said_by_trailer(bytes: &[u8], feed: &Feed) -> Option<(usize, Frac)> {
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(feed.delimiter)
        .flexible(true)
        .has_headers(false)
        .from_reader(bytes);
    let trailer = reader.records().filter_map(Result::ok).find(|record| is_trailer(record, feed))?;
    let sum = number::in_file(trailer.get(2)?.trim(), feed.decimal_mark)?;
    Some((trailer.get(1)?.trim().parse().ok()?, sum))
}

/// `rows,sum`, a header above it or not.
fn said_beside(bytes: &[u8], feed: &Feed) -> Option<(usize, Frac)> {
    let line = std::str::from_utf8(bytes).ok()?.lines().last()?;
    let own = char::from(feed.delimiter);
    let as_written = line.split_once(own).and_then(|(rows, sum)| {
        Some((rows.trim().parse().ok()?, number::in_file(sum.trim(), feed.decimal_mark)?))
    });
    as_written.or_else(|| {
        let (rows, sum) = line.split_once(',')?;
        Some((rows.trim().parse().ok()?, number::in_file(sum.trim(), '.')?))
    })
}

fn canonical(header: &str, feed: &Feed) -> String {
    let renamed = feed.columns.iter().find(|(_, theirs)| *theirs == header);
    match renamed {
        Some((ours, _)) => ours.clone(),
        None => header.to_string(),
    }
}

fn cells(record: &csv::StringRecord, columns: &[String], feed: &Feed) -> Cells {
    let mut cells = Cells::new();
    for (column, cell) in columns.iter().zip(record) {
        let cell = cell.trim();
        let meant = feed.values.get(column).and_then(|words| words.get(cell)).map_or(cell, String::as_str);
        if !meant.is_empty() {
            cells.insert(column.clone(), meant.to_string());
        }
    }
    for (column, value) in &feed.defaults {
        if !columns.contains(column) {
            cells.insert(column.clone(), value.clone());
        }
    }
    cells
}

/// A sales row, or None where a required cell is missing or one cannot be read (a reject).
pub fn sale(cells: &Cells, feed: &Feed) -> Option<Stamped> {
    let mut other = cells.clone();
    let kind = match other.remove("doc_type").as_deref() {
        None | Some("invoice") => Kind::Invoice,
        Some("credit_note") => Kind::CreditNote,
        Some("cancellation") => Kind::Cancellation,
        Some(_) => return None,
    };
    let updated_at = match other.remove("updated_at") {
        Some(text) => Some(moment(time::read(&text, &feed.dates, feed.zone)?, feed)),
        None => None,
    };
    let mut figure = |column: &str, default: Option<Frac>| match other.remove(column) {
        Some(text) => number::in_file(&text, feed.decimal_mark),
        None => default,
    };
    let amount = figure("amount", (kind == Kind::Cancellation).then(|| number::int(0)))?;
    let quantity = figure("quantity", Some(number::int(1)))?;
    let written = other.remove("invoice_date");
    let when = match written.as_ref().and_then(|text| time::read(text, &feed.dates, feed.zone)) {
        Some(when) => when,
        // of a cancellation only the number matters, and where it restarts the day that tells of which year it is
        None if kind == Kind::Cancellation && (written.is_none() || feed.numbers_restart.is_none()) => {
            When::Day(NaiveDate::from_ymd_opt(9999, 12, 31).expect("a date"))
        }
        None => return None,
    };
    if let Some(text) = other.remove("invoice_total") {
        other.insert("invoice_total".into(), number::show(&number::in_file(&text, feed.decimal_mark)?));
    }
    let number = other.remove("invoice_no")?;
    let line_no = other.remove("line_no").unwrap_or_default();
    if kind != Kind::Cancellation {
        other.get("partner_code")?;
    }
    Some(Stamped { sale: Sale { kind, number, line_no, when, amount, quantity, other }, updated_at })
}

/// An `updated_at` as an instant; a plain date is its first moment in the feed's zone.
fn moment(when: When, feed: &Feed) -> DateTime<Utc> {
    match when {
        When::Moment { instant, .. } => instant,
        When::Day(day) => time::instant_of(day.and_hms_opt(0, 0, 0).expect("midnight"), feed.zone),
    }
}
