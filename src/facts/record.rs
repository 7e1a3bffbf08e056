//! Rows of one document as bytes, so that they can be sorted outside memory before they are bundled.
//!
//! Rows of a document that follow one another in a file make one **record**: what they have alike stands in it once, and it is
//! sorted and merged as one. A record begins with its **key**, whose plain byte order is the order of (partner_code,
//! distributor_code or nothing where numbers are unique in the whole space, invoice_no, doc_type, number_year, file_line of its
//! first row); a key is no prefix of another, so records are compared as they are. Records live for one ingestion: the format is
//! not kept.
//!
//! Behind the key stand the other texts in the order in which rows first have them, then for each row the columns that differ from
//! the row before it. Texts end with a zero byte in the key. A text with a zero byte in it (which ingest refuses) comes back as it
//! was, but its order is not told.

use super::bundle::BundleFault;
use super::bytes::{self, Flaw, Moments, Reader, put_decimal, put_varint, unzigzag, zigzag};
use super::row::{DocType, Row};
use super::settle::NumberScope;
use super::texts::same_bytes;
use crate::domain::when::When;
use chrono::NaiveDate;
use rust_decimal::Decimal;
use std::ops::Range;

/// The end of a record: where its numbers begin, and how many rows it has; four bytes each, least first.
const TRAILER: usize = 8;
/// Bytes with which a record takes no more rows: what is sorted should be moved easily.
const FULL: usize = 16 << 10;

/// Texts outside the key, those first that differ most from row to row.
const TEXTS: usize = 12;

/// Columns that can differ from the row before, behind one bit for each text.
mod column {
    use super::TEXTS;
    pub const TEXT: u64 = (1 << TEXTS) - 1;
    pub const WHEN: u64 = 1 << TEXTS;
    pub const UPDATED_AT: u64 = 1 << (TEXTS + 1);
    pub const INVOICE_TOTAL: u64 = 1 << (TEXTS + 2);
    pub const END: u64 = 1 << (TEXTS + 3);
}

fn texts_outside_key<'a>(row: &Row<'a>, scope: NumberScope) -> [&'a str; TEXTS] {
    let distributor_code = match scope {
        NumberScope::Distributor => "",
        NumberScope::Space => row.distributor_code,
    };
    [
        row.line_no,
        row.sku,
        row.category,
        row.channel,
        row.status,
        row.payment_method,
        row.ref_line_no,
        row.ref_invoice_no,
        row.partner_name,
        distributor_code,
        row.distributor_name,
        row.currency,
    ]
}

fn text_outside_key<'r, 'a>(row: &'r mut Row<'a>, at: usize) -> Option<&'r mut &'a str> {
    Some(match at {
        0 => &mut row.line_no,
        1 => &mut row.sku,
        2 => &mut row.category,
        3 => &mut row.channel,
        4 => &mut row.status,
        5 => &mut row.payment_method,
        6 => &mut row.ref_line_no,
        7 => &mut row.ref_invoice_no,
        8 => &mut row.partner_name,
        9 => &mut row.distributor_code,
        10 => &mut row.distributor_name,
        11 => &mut row.currency,
        _ => return None,
    })
}

/// Rows of one document that follow one another, on their way into a record.
pub struct Document {
    scope: NumberScope,
    rows: u32,
    /// lengths of partner, distributor and number, with which the key begins
    lens: [usize; 3],
    doc_type: DocType,
    number_year: Option<i32>,
    /// the key, then the other texts
    texts: Vec<u8>,
    body: Vec<u8>,
    last: Last,
}

/// What the last row said.
struct Last {
    file_line: u64,
    /// where its texts stand
    texts: [Range<usize>; TEXTS],
    when: When,
    updated_at: Option<i64>,
    invoice_total: Option<Decimal>,
    moments: Moments,
}

impl Last {
    /// No row: nothing is said.
    fn none() -> Last {
        Last {
            file_line: 0,
            texts: [const { 0..0 }; TEXTS],
            when: NO_DAY,
            updated_at: None,
            invoice_total: None,
            moments: Moments::default(),
        }
    }
}

const NO_DAY: When = When::Day(NaiveDate::MIN);

impl Document {
    /// Without rows.
    pub fn new(scope: NumberScope) -> Document {
        Document {
            scope,
            rows: 0,
            lens: [0; 3],
            doc_type: DocType::Invoice,
            number_year: None,
            texts: Vec::new(),
            body: Vec::new(),
            last: Last::none(),
        }
    }

    /// Whether no row waits.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// Whether a row is of the document whose rows wait, and finds room beside them.
    pub fn takes(&self, row: &Row<'_>) -> bool {
        let [partner, distributor, number] = self.lens;
        let at = partner + 1 + distributor + 1;
        !self.is_empty()
            && self.texts.len() + self.body.len() < FULL
            && same_bytes(&self.texts[at..at + number], row.invoice_no.as_bytes())
            && same_bytes(&self.texts[..partner], row.partner_code.as_bytes())
            && same_bytes(
                &self.texts[partner + 1..at - 1],
                self.scope.issuer(row.distributor_code).as_bytes(),
            )
            && (self.doc_type, self.number_year) == (row.doc_type, row.number_year)
    }

    /// Adds a row, which must be one that the document [takes](Document::takes) if it has any.
    pub fn push(&mut self, row: &Row<'_>) {
        if self.is_empty() {
            self.begin(row);
        }
        self.rows += 1;
        put_varint(&mut self.body, zigzag(row.file_line.wrapping_sub(self.last.file_line) as i64));
        self.last.file_line = row.file_line;
        let texts = texts_outside_key(row, self.scope);
        let columns = self.differing(row, &texts);
        put_varint(&mut self.body, columns);
        let mut left = columns & column::TEXT;
        while left != 0 {
            let at = left.trailing_zeros() as usize;
            self.put_text(at, texts[at]);
            left &= left - 1;
        }
        self.put_numbers(row, columns);
    }

    fn begin(&mut self, row: &Row<'_>) {
        let document = [row.partner_code, self.scope.issuer(row.distributor_code), row.invoice_no];
        self.lens = document.map(str::len);
        (self.doc_type, self.number_year) = (row.doc_type, row.number_year);
        for text in document {
            self.texts.extend_from_slice(text.as_bytes());
            self.texts.push(0);
        }
        self.texts.push(row.doc_type.byte());
        match row.number_year {
            None => self.texts.push(0),
            Some(year) => put_ordered(&mut self.texts, u64::from(year.cast_unsigned() ^ 1 << 31) + 1),
        }
        put_ordered(&mut self.texts, row.file_line);
        for number in self.lens.into_iter().chain([self.texts.len()]) {
            put_varint(&mut self.body, number as u64);
        }
        self.body.push(row.doc_type.byte());
        bytes::put_year(&mut self.body, row.number_year);
    }

    fn differing(&self, row: &Row<'_>, texts: &[&str; TEXTS]) -> u64 {
        let last = &self.last;
        let bit = |differs: bool, column: u64| if differs { column } else { 0 };
        let differs = |(text, last): (&&str, &Range<usize>)| {
            text.len() != last.len() || !same_bytes(text.as_bytes(), &self.texts[last.clone()])
        };
        let of_texts = (0..).zip(texts.iter().zip(&last.texts));
        of_texts.fold(0, |columns, (at, pair)| columns | u64::from(differs(pair)) << at)
            | bit(last.when != row.when, column::WHEN)
            | bit(last.updated_at != row.updated_at, column::UPDATED_AT)
            | bit(
                // decimals differ also in scale: 1.50 stays 1.50
                last.invoice_total.map(|total| total.unpack())
                    != row.invoice_total.map(|total| total.unpack()),
                column::INVOICE_TOTAL,
            )
    }

    fn put_text(&mut self, at: usize, text: &str) {
        put_varint(&mut self.body, text.len() as u64);
        let start = self.texts.len();
        self.texts.extend_from_slice(text.as_bytes());
        self.last.texts[at] = start..self.texts.len();
    }

    fn put_numbers(&mut self, row: &Row<'_>, columns: u64) {
        let Document { body, last, .. } = self;
        put_decimal(body, row.quantity);
        put_decimal(body, row.amount);
        if columns & column::WHEN != 0 {
            last.moments.put_when(body, row.when);
            last.when = row.when;
        }
        if columns & column::UPDATED_AT != 0 {
            last.moments.put_updated_at(body, row.updated_at);
            last.updated_at = row.updated_at;
        }
        if columns & column::INVOICE_TOTAL != 0 {
            body.push(u8::from(row.invoice_total.is_some()));
            if let Some(total) = row.invoice_total {
                put_decimal(body, total);
            }
            last.invoice_total = row.invoice_total;
        }
    }

    /// Appends the record of the rows that wait to `out`; none waits then. Allocates nothing but room in `out`.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.texts);
        out.extend_from_slice(&self.body);
        out.extend_from_slice(&(self.texts.len() as u32).to_le_bytes());
        out.extend_from_slice(&self.rows.to_le_bytes());
        self.texts.clear();
        self.body.clear();
        self.rows = 0;
        self.last = Last::none();
    }
}

/// The partner of a record, without decoding the rest. Of bytes that are no record, empty.
pub fn partner(record: &[u8]) -> &str {
    let code = || {
        let (texts, body, _) = split(record)?;
        let len = Reader::new(body).size()?;
        utf8(Reader::new(texts).take(len)?)
    };
    code().unwrap_or("")
}

/// How many rows a record says that it has. Of bytes that are no record, none.
pub fn len(record: &[u8]) -> usize {
    split(record).map_or(0, |(_, _, rows)| rows)
}

/// Decodes the rows of a record and hands each on; every text borrows from the record. On a fault the rows before it have been
/// given.
pub fn decode_each<'a>(record: &'a [u8], take: impl FnMut(&Row<'a>)) -> Result<(), BundleFault> {
    Ok(read(record, take)?)
}

fn read<'a>(record: &'a [u8], mut take: impl FnMut(&Row<'a>)) -> Result<(), Flaw> {
    let (texts, body, rows) = split(record)?;
    let mut reader = Reader::new(body);
    let (mut row, texts) = head(utf8(texts)?, &mut reader)?;
    let mut decoder = Decoder { reader, texts, moments: Moments::default() };
    for _ in 0..rows {
        decoder.row(&mut row)?;
        take(&row);
    }
    let rest = decoder.reader.rest().len() + decoder.texts.len();
    if rest > 0 { Err(Flaw::Length) } else { Ok(()) }
}

/// What all rows have alike, and the texts behind the key.
fn head<'a>(texts: &'a str, reader: &mut Reader<'a>) -> Result<(Row<'a>, &'a str), Flaw> {
    let mut left = texts;
    let mut text = || {
        let (text, rest) = left.split_at_checked(reader.size()?).ok_or(Flaw::Short)?;
        left = rest.get(1..).ok_or(Flaw::Short)?;
        Ok(text)
    };
    let mut row = Row::blank(text()?);
    row.distributor_code = text()?;
    row.invoice_no = text()?;
    let key = reader.size()?;
    row.doc_type = DocType::from_byte(reader.byte()?).ok_or(Flaw::DocType)?;
    row.number_year = bytes::year(reader)?;
    row.when = NO_DAY;
    Ok((row, texts.get(key..).ok_or(Flaw::Short)?))
}

struct Decoder<'a> {
    reader: Reader<'a>,
    /// texts not yet used
    texts: &'a str,
    moments: Moments,
}

impl<'a> Decoder<'a> {
    /// turns the row before into the next one
    #[inline]
    fn row(&mut self, row: &mut Row<'a>) -> Result<(), Flaw> {
        row.file_line = row.file_line.wrapping_add_signed(unzigzag(self.reader.varint()?));
        let columns = self.reader.varint()?;
        if columns >= column::END {
            return Err(Flaw::Column);
        }
        let mut left = columns & column::TEXT;
        while left != 0 {
            let place = text_outside_key(row, left.trailing_zeros() as usize).ok_or(Flaw::Column)?;
            let len = self.reader.size()?;
            (*place, self.texts) = self.texts.split_at_checked(len).ok_or(Flaw::ShortTexts)?;
            left &= left - 1;
        }
        row.quantity = bytes::decimal(&mut self.reader)?;
        row.amount = bytes::decimal(&mut self.reader)?;
        if columns & column::WHEN != 0 {
            row.when = self.moments.when(&mut self.reader)?;
        }
        if columns & column::UPDATED_AT != 0 {
            row.updated_at = self.moments.updated_at(&mut self.reader)?;
        }
        if columns & column::INVOICE_TOTAL != 0 {
            row.invoice_total = match self.reader.byte()? {
                0 => None,
                _ => Some(bytes::decimal(&mut self.reader)?),
            };
        }
        Ok(())
    }
}

/// Texts, numbers, and how many rows they make.
fn split(record: &[u8]) -> Result<(&[u8], &[u8], usize), Flaw> {
    let (record, trailer) = record.split_last_chunk::<TRAILER>().ok_or(Flaw::Short)?;
    let (words, _) = trailer.as_chunks::<4>();
    let [texts, rows] = [words[0], words[1]].map(|word| u32::from_le_bytes(word) as usize);
    let (texts, body) = record.split_at_checked(texts).ok_or(Flaw::Short)?;
    if rows > body.len() / SMALLEST_ROW {
        return Err(Flaw::Short);
    }
    Ok((texts, body, rows))
}

/// The least that a row takes: its file line, its columns, quantity and amount.
const SMALLEST_ROW: usize = 4;

fn utf8(bytes: &[u8]) -> Result<&str, Flaw> {
    std::str::from_utf8(bytes).map_err(|_| Flaw::Utf8)
}

/// Writes a number so that the order of the bytes is its order: how many bytes follow, then seven bits each, greatest first.
/// All bytes are ASCII, so that a key as a whole is text.
fn put_ordered(out: &mut Vec<u8>, value: u64) {
    let len = (64 - value.leading_zeros()).div_ceil(7);
    out.push(len as u8);
    for group in (0..len).rev() {
        out.push((value >> (group * 7)) as u8 & 0x7f);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::row::any;
    use proptest::prelude::*;

    fn record(rows: &[Row<'_>], scope: NumberScope) -> Vec<u8> {
        let mut document = Document::new(scope);
        let mut out = Vec::new();
        rows.iter().for_each(|row| document.push(row));
        document.finish(&mut out);
        assert!(document.is_empty());
        out
    }

    fn rows(record: &[u8]) -> Vec<Row<'_>> {
        let mut rows = Vec::new();
        decode_each(record, |row| rows.push(*row)).unwrap();
        rows
    }

    fn rank<'a>(row: &Row<'a>, scope: NumberScope) -> (&'a str, &'a str, &'a str, DocType, Option<i32>, u64) {
        let issuer = scope.issuer(row.distributor_code);
        (row.partner_code, issuer, row.invoice_no, row.doc_type, row.number_year, row.file_line)
    }

    const SCOPES: [NumberScope; 2] = [NumberScope::Distributor, NumberScope::Space];

    proptest! {
        #[test]
        fn rows_come_back_as_they_were(all in proptest::collection::vec(any::row(), 1..8), repeats: Vec<prop::sample::Index>) {
            let all: Vec<Row<'_>> = all.iter().map(|row| row.borrow("P1")).collect();
            // columns that stay as they were are what a record is for
            let picked: Vec<Row<'_>> = repeats.iter().map(|at| *at.get(&all)).chain(all.iter().copied()).collect();
            let first = picked[0];
            for scope in SCOPES {
                let of_document: Vec<Row<'_>> = picked
                    .iter()
                    .map(|row| Row {
                        invoice_no: first.invoice_no,
                        doc_type: first.doc_type,
                        number_year: first.number_year,
                        distributor_code: match scope {
                            NumberScope::Distributor => first.distributor_code,
                            NumberScope::Space => row.distributor_code,
                        },
                        ..*row
                    })
                    .collect();
                let record = record(&of_document, scope);
                let read = rows(&record);
                prop_assert_eq!(&read, &of_document);
                for (a, b) in read.iter().zip(&of_document) {
                    prop_assert_eq!((a.amount.scale(), a.quantity.scale()), (b.amount.scale(), b.quantity.scale()));
                    prop_assert_eq!(a.invoice_total.map(|t| t.scale()), b.invoice_total.map(|t| t.scale()));
                }
                prop_assert_eq!(partner(&record), "P1");
                prop_assert_eq!(len(&record), of_document.len());
            }
        }

        #[test]
        fn bytes_are_in_the_order_of_the_rows(a in any::row(), b in any::row(), p in "[ab\u{1}é]{0,2}", q in "[ab\u{1}é]{0,2}") {
            for scope in SCOPES {
                let (a, b) = (a.borrow(&p), b.borrow(&q));
                let order = rank(&a, scope).cmp(&rank(&b, scope));
                if order.is_ne() {
                    prop_assert_eq!(record(&[a], scope).cmp(&record(&[b], scope)), order);
                }
            }
        }

        #[test]
        fn rows_of_another_document_are_not_taken(a in any::row(), b in any::row(), p in "[ab]{0,2}", q in "[ab]{0,2}") {
            for scope in SCOPES {
                let (a, b) = (a.borrow(&p), b.borrow(&q));
                let mut document = Document::new(scope);
                prop_assert!(!document.takes(&a));
                document.push(&a);
                prop_assert!(document.takes(&a));
                let [of_a, of_b] = [a, b].map(|row| rank(&Row { file_line: 0, ..row }, scope));
                prop_assert_eq!(document.takes(&b), of_a == of_b);
                let other_line = Row { file_line: 7, line_no: "7", sku: "other", ..a };
                prop_assert!(document.takes(&other_line));
            }
        }

        #[test]
        fn any_bytes_are_rows_or_a_fault(a in any::row(), noise: Vec<u8>, at: prop::sample::Index, byte: u8) {
            let read = |bytes: &[u8]| {
                let _ = (partner(bytes), len(bytes));
                decode_each(bytes, |_| ())
            };
            let _ = read(&noise);
            let a = a.borrow("P1");
            let mut record = record(&[a, Row { file_line: 7, line_no: "7", ..a }], NumberScope::Distributor);
            let cut = at.index(record.len());
            prop_assert!(read(&record[..cut]).is_err() || len(&record[..cut]) == 0);
            record[cut] = byte;
            let _ = read(&record);
        }
    }

    #[test]
    fn a_zero_byte_in_a_text_comes_back() {
        let row = Row { invoice_no: "A\0B", line_no: "\0", ..Row::blank("P\0Q") };
        let record = record(&[row], NumberScope::Distributor);
        assert_eq!(rows(&record), [row]);
        assert_eq!(partner(&record), "P\0Q");
    }

    #[test]
    fn a_record_is_bounded() {
        let mut document = Document::new(NumberScope::Distributor);
        let text = "x".repeat(100);
        let row = |file_line| Row { file_line, sku: &text[file_line as usize % 2..], ..Row::blank("P1") };
        let taken = (0..10_000).take_while(|at| {
            let takes = document.is_empty() || document.takes(&row(*at));
            if takes {
                document.push(&row(*at));
            }
            takes
        });
        assert!((100..200).contains(&taken.count()));
    }
}
