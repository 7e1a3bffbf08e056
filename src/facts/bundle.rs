//! The bytes of a bundle: all rows that one ingestion holds of one partner, compact and self-contained.
//!
//! Format 1: the byte 1, the number of rows, the length of the texts, the texts one after another, then the rows.
//! A row is its file line (against the row before), a set of the columns that differ from the row before, and those columns.
//! Texts stand once: a column is the length of the next text not yet used, or the number of one that was used before;
//! document numbers, which hardly ever come back, are not numbered. Numbers are varints. Decoding borrows every text from
//! the bytes, checks that they are UTF-8 once for all, and allocates nothing but the rows and the list of numbered texts.
//!
//! A format is never changed: facts are kept for ever. A better one gets the next number.

use super::bytes::{self, Flaw, Moments, Reader, put_decimal, put_varint, unzigzag, zigzag};
use super::row::{DocType, Row};
use super::texts::same;

/// A bundle that cannot be decoded: the store was changed by something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BundleFault(pub &'static str);

impl std::fmt::Display for BundleFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for BundleFault {}

const FORMAT: u8 = 1;

/// Columns that can differ from the row before; the busiest first, so that the set is mostly one byte.
mod column {
    pub const INVOICE_NO: u64 = 1;
    pub const LINE_NO: u64 = 1 << 1;
    pub const WHEN: u64 = 1 << 2;
    pub const SKU: u64 = 1 << 3;
    pub const CATEGORY: u64 = 1 << 4;
    pub const QUANTITY: u64 = 1 << 5;
    pub const AMOUNT: u64 = 1 << 6;
    pub const UPDATED_AT: u64 = 1 << 7;
    pub const STATUS: u64 = 1 << 8;
    pub const INVOICE_TOTAL: u64 = 1 << 9;
    pub const PAYMENT_METHOD: u64 = 1 << 10;
    pub const CHANNEL: u64 = 1 << 11;
    pub const DOC_TYPE: u64 = 1 << 12;
    pub const DISTRIBUTOR_CODE: u64 = 1 << 13;
    pub const DISTRIBUTOR_NAME: u64 = 1 << 14;
    pub const REF_INVOICE_NO: u64 = 1 << 15;
    pub const REF_LINE_NO: u64 = 1 << 16;
    pub const NUMBER_YEAR: u64 = 1 << 17;
    pub const CURRENCY: u64 = 1 << 18;
    pub const PARTNER_NAME: u64 = 1 << 19;
    pub const END: u64 = 1 << 20;
}

/// Encodes rows of one partner; the partner code itself is not stored.
/// The order of the rows is kept; it is smallest where rows of one document follow one another.
pub fn encode<'r, 'a: 'r>(rows: impl ExactSizeIterator<Item = &'r Row<'a>>, out: &mut Vec<u8>) {
    let count = rows.len();
    let mut writer = Writer::new(count);
    let blank = Row::blank("");
    let mut before = &blank;
    for row in rows {
        writer.row(before, row);
        before = row;
    }
    out.reserve(writer.texts.len() + writer.body.len() + 12);
    out.push(FORMAT);
    put_varint(out, count as u64);
    put_varint(out, writer.texts.len() as u64);
    out.extend_from_slice(&writer.texts);
    out.extend_from_slice(&writer.body);
}

/// Decodes what [`encode`] wrote and appends it to `rows`; every text borrows from `bytes`.
/// On a fault `rows` is as it was before.
pub fn decode<'a>(
    partner_code: &'a str,
    bytes: &'a [u8],
    rows: &mut Vec<Row<'a>>,
) -> Result<(), BundleFault> {
    let mut reader = Reader::new(bytes);
    let count = head(&mut reader)?;
    let before = rows.len();
    rows.reserve(count);
    let read = decode_rows(partner_code, reader, count, |row| rows.push(*row));
    if read.is_err() {
        rows.truncate(before);
    }
    read
}

/// Decodes as [`decode`] does, but hands each row on instead of keeping it: on a fault the rows before it have been given.
pub fn decode_each<'a>(
    partner_code: &'a str,
    bytes: &'a [u8],
    take: impl FnMut(&Row<'a>),
) -> Result<(), BundleFault> {
    let mut reader = Reader::new(bytes);
    let count = head(&mut reader)?;
    decode_rows(partner_code, reader, count, take)
}

/// How many rows a bundle holds, without decoding them.
pub fn len(bytes: &[u8]) -> Result<usize, BundleFault> {
    head(&mut Reader::new(bytes))
}

/// The least that a row takes: its file line and the set of its columns.
const SMALLEST_ROW: usize = 2;

fn head(reader: &mut Reader<'_>) -> Result<usize, BundleFault> {
    if reader.byte()? != FORMAT {
        return Err(BundleFault("a bundle is of an unknown format"));
    }
    let count = reader.size()?;
    if count > reader.rest().len() / SMALLEST_ROW {
        return Err(BundleFault("a bundle has fewer rows than it says"));
    }
    Ok(count)
}

fn decode_rows<'a>(
    partner_code: &'a str,
    mut reader: Reader<'a>,
    count: usize,
    mut take: impl FnMut(&Row<'a>),
) -> Result<(), BundleFault> {
    let len = reader.size()?;
    let texts = std::str::from_utf8(reader.take(len)?).map_err(|_| BundleFault("the texts are not UTF-8"))?;
    let mut decoder = Decoder { reader, texts, known: Vec::with_capacity(32), moments: Moments::default() };
    decoder.known.push("");
    let mut row = Row::blank(partner_code);
    for _ in 0..count {
        decoder.row(&mut row)?;
        take(&row);
    }
    let rest = decoder.reader.rest().len() + decoder.texts.len();
    if rest > 0 { Err(BundleFault("a bundle has more bytes than rows")) } else { Ok(()) }
}

struct Decoder<'a> {
    reader: Reader<'a>,
    /// texts not yet used
    texts: &'a str,
    /// texts used before, by number
    known: Vec<&'a str>,
    moments: Moments,
}

impl<'a> Decoder<'a> {
    /// turns the row before into the next one
    #[inline]
    fn row(&mut self, row: &mut Row<'a>) -> Result<(), Flaw> {
        row.file_line = row.file_line.wrapping_add_signed(unzigzag(self.reader.varint()?));
        let columns = self.reader.varint()?;
        if columns & column::INVOICE_NO != 0 {
            row.invoice_no = self.number()?;
        }
        if columns & column::LINE_NO != 0 {
            row.line_no = self.text()?;
        }
        if columns & column::WHEN != 0 {
            row.when = self.moments.when(&mut self.reader)?;
        }
        if columns & column::SKU != 0 {
            row.sku = self.text()?;
        }
        if columns & column::CATEGORY != 0 {
            row.category = self.text()?;
        }
        if columns & column::QUANTITY != 0 {
            row.quantity = bytes::decimal(&mut self.reader)?;
        }
        if columns & column::AMOUNT != 0 {
            row.amount = bytes::decimal(&mut self.reader)?;
        }
        if columns >= column::UPDATED_AT {
            self.calm_columns(columns, row)?;
        }
        Ok(())
    }

    /// columns that mostly stay as they were
    fn calm_columns(&mut self, columns: u64, row: &mut Row<'a>) -> Result<(), Flaw> {
        if columns >= column::END {
            return Err(Flaw::Column);
        }
        if columns & column::UPDATED_AT != 0 {
            row.updated_at = self.moments.updated_at(&mut self.reader)?;
        }
        if columns & column::STATUS != 0 {
            row.status = self.text()?;
        }
        if columns & column::INVOICE_TOTAL != 0 {
            row.invoice_total = match self.reader.byte()? {
                0 => None,
                _ => Some(bytes::decimal(&mut self.reader)?),
            };
        }
        if columns & column::PAYMENT_METHOD != 0 {
            row.payment_method = self.text()?;
        }
        if columns & column::CHANNEL != 0 {
            row.channel = self.text()?;
        }
        if columns >= column::DOC_TYPE {
            self.still_columns(columns, row)?;
        }
        Ok(())
    }

    /// columns that hardly ever change within a partner
    fn still_columns(&mut self, columns: u64, row: &mut Row<'a>) -> Result<(), Flaw> {
        if columns & column::DOC_TYPE != 0 {
            let byte = self.reader.byte()?;
            row.doc_type = DocType::from_byte(byte).ok_or(Flaw::DocType)?;
        }
        if columns & column::DISTRIBUTOR_CODE != 0 {
            row.distributor_code = self.text()?;
        }
        if columns & column::DISTRIBUTOR_NAME != 0 {
            row.distributor_name = self.text()?;
        }
        if columns & column::REF_INVOICE_NO != 0 {
            row.ref_invoice_no = self.number()?;
        }
        if columns & column::REF_LINE_NO != 0 {
            row.ref_line_no = self.text()?;
        }
        if columns & column::NUMBER_YEAR != 0 {
            row.number_year = bytes::year(&mut self.reader)?;
        }
        if columns & column::CURRENCY != 0 {
            row.currency = self.text()?;
        }
        if columns & column::PARTNER_NAME != 0 {
            row.partner_name = self.text()?;
        }
        Ok(())
    }

    /// a text: odd, the length of the next one not yet used; even, the number of one used before
    #[inline]
    fn text(&mut self) -> Result<&'a str, Flaw> {
        let code = self.reader.size()?;
        if code & 1 == 0 {
            return self.known.get(code >> 1).copied().ok_or(Flaw::Text);
        }
        let text = self.fresh(code >> 1)?;
        self.known.push(text);
        Ok(text)
    }

    /// a document number: the length of the next text not yet used
    #[inline]
    fn number(&mut self) -> Result<&'a str, Flaw> {
        let len = self.reader.size()?;
        self.fresh(len)
    }

    #[inline]
    fn fresh(&mut self, len: usize) -> Result<&'a str, Flaw> {
        let (text, left) = self.texts.split_at_checked(len).ok_or(Flaw::ShortTexts)?;
        self.texts = left;
        Ok(text)
    }
}

struct Writer<'a> {
    texts: Vec<u8>,
    body: Vec<u8>,
    known: Known<'a>,
    moments: Moments,
}

impl<'a> Writer<'a> {
    fn new(rows: usize) -> Self {
        Writer {
            texts: Vec::with_capacity(64 + rows * 16),
            body: Vec::with_capacity(32 + rows * 24),
            known: Known::new(rows),
            moments: Moments::default(),
        }
    }

    fn row(&mut self, before: &Row<'a>, row: &Row<'a>) {
        put_varint(&mut self.body, zigzag(row.file_line.wrapping_sub(before.file_line) as i64));
        let columns = differing(before, row);
        put_varint(&mut self.body, columns);
        let has = |column: u64| columns & column != 0;
        if has(column::INVOICE_NO) {
            self.number(row.invoice_no);
        }
        if has(column::LINE_NO) {
            self.text(row.line_no);
        }
        if has(column::WHEN) {
            self.moments.put_when(&mut self.body, row.when);
        }
        if has(column::SKU) {
            self.text(row.sku);
        }
        if has(column::CATEGORY) {
            self.text(row.category);
        }
        if has(column::QUANTITY) {
            put_decimal(&mut self.body, row.quantity);
        }
        if has(column::AMOUNT) {
            put_decimal(&mut self.body, row.amount);
        }
        if columns >= column::UPDATED_AT {
            self.calm_columns(columns, row);
        }
    }

    fn calm_columns(&mut self, columns: u64, row: &Row<'a>) {
        let has = |column: u64| columns & column != 0;
        if has(column::UPDATED_AT) {
            self.moments.put_updated_at(&mut self.body, row.updated_at);
        }
        if has(column::STATUS) {
            self.text(row.status);
        }
        if has(column::INVOICE_TOTAL) {
            self.body.push(u8::from(row.invoice_total.is_some()));
            if let Some(total) = row.invoice_total {
                put_decimal(&mut self.body, total);
            }
        }
        if has(column::PAYMENT_METHOD) {
            self.text(row.payment_method);
        }
        if has(column::CHANNEL) {
            self.text(row.channel);
        }
        if has(column::DOC_TYPE) {
            self.body.push(row.doc_type.byte());
        }
        if has(column::DISTRIBUTOR_CODE) {
            self.text(row.distributor_code);
        }
        if has(column::DISTRIBUTOR_NAME) {
            self.text(row.distributor_name);
        }
        if has(column::REF_INVOICE_NO) {
            self.number(row.ref_invoice_no);
        }
        if has(column::REF_LINE_NO) {
            self.text(row.ref_line_no);
        }
        if has(column::NUMBER_YEAR) {
            bytes::put_year(&mut self.body, row.number_year);
        }
        if has(column::CURRENCY) {
            self.text(row.currency);
        }
        if has(column::PARTNER_NAME) {
            self.text(row.partner_name);
        }
    }

    fn text(&mut self, text: &'a str) {
        match self.known.number(text) {
            Some(number) => put_varint(&mut self.body, u64::from(number) << 1),
            None => {
                put_varint(&mut self.body, (text.len() as u64) << 1 | 1);
                self.texts.extend_from_slice(text.as_bytes());
            }
        }
    }

    fn number(&mut self, text: &str) {
        put_varint(&mut self.body, text.len() as u64);
        self.texts.extend_from_slice(text.as_bytes());
    }
}

/// The columns in which a row differs from the one before. Decimals differ also in scale: 1.50 stays 1.50.
fn differing(before: &Row<'_>, row: &Row<'_>) -> u64 {
    let bit = |differs: bool, column: u64| if differs { column } else { 0 };
    bit(!same(before.invoice_no, row.invoice_no), column::INVOICE_NO)
        | bit(!same(before.line_no, row.line_no), column::LINE_NO)
        | bit(before.when != row.when, column::WHEN)
        | bit(!same(before.sku, row.sku), column::SKU)
        | bit(!same(before.category, row.category), column::CATEGORY)
        | bit(before.quantity.unpack() != row.quantity.unpack(), column::QUANTITY)
        | bit(before.amount.unpack() != row.amount.unpack(), column::AMOUNT)
        | bit(before.updated_at != row.updated_at, column::UPDATED_AT)
        | bit(!same(before.status, row.status), column::STATUS)
        | bit(
            before.invoice_total.map(|total| total.unpack()) != row.invoice_total.map(|total| total.unpack()),
            column::INVOICE_TOTAL,
        )
        | bit(!same(before.payment_method, row.payment_method), column::PAYMENT_METHOD)
        | bit(!same(before.channel, row.channel), column::CHANNEL)
        | bit(before.doc_type != row.doc_type, column::DOC_TYPE)
        | bit(!same(before.distributor_code, row.distributor_code), column::DISTRIBUTOR_CODE)
        | bit(!same(before.distributor_name, row.distributor_name), column::DISTRIBUTOR_NAME)
        | bit(!same(before.ref_invoice_no, row.ref_invoice_no), column::REF_INVOICE_NO)
        | bit(!same(before.ref_line_no, row.ref_line_no), column::REF_LINE_NO)
        | bit(before.number_year != row.number_year, column::NUMBER_YEAR)
        | bit(!same(before.currency, row.currency), column::CURRENCY)
        | bit(!same(before.partner_name, row.partner_name), column::PARTNER_NAME)
}

/// The texts used before and their numbers; a small hash table that gives up after a few steps rather than search
/// long: a text that it does not find is merely written again.
struct Known<'a> {
    texts: Vec<&'a str>,
    /// number of a text, 0 for a free place
    places: Vec<u32>,
}

const STEPS: usize = 8;
const MOST_PLACES: usize = 1 << 20;

impl<'a> Known<'a> {
    fn new(rows: usize) -> Self {
        let places = (rows.min(MOST_PLACES / 4) * 4).next_power_of_two().max(64);
        Known { texts: vec![""], places: vec![0; places] }
    }

    /// its number, if it was used before; else it takes the next
    fn number(&mut self, text: &'a str) -> Option<u32> {
        if text.is_empty() {
            return Some(0);
        }
        let next = u32::try_from(self.texts.len()).ok();
        let start = hash(text.as_bytes()) as usize;
        let mask = self.places.len() - 1;
        for step in 0..STEPS {
            let place = &mut self.places[start.wrapping_add(step) & mask];
            if *place == 0 {
                *place = next.unwrap_or(0);
                break;
            }
            if same(self.texts[*place as usize], text) {
                return Some(*place);
            }
        }
        self.texts.push(text);
        None
    }
}

/// Of all bytes, eight at a time and then those that are left, greatest first.
fn hash(bytes: &[u8]) -> u64 {
    const MIX: u64 = 0x9e37_79b9_7f4a_7c15;
    let mix = |state: u64, word: u64| (state ^ word).wrapping_mul(MIX).rotate_left(29);
    let (words, left) = bytes.as_chunks::<8>();
    let state = words.iter().fold(bytes.len() as u64, |state, word| mix(state, u64::from_be_bytes(*word)));
    let low_bytes = |word: u64, count: usize| word & ((1 << (8 * count)) - 1);
    // what is left are the last bytes of a longer word, or of two that overlap
    let left = match (bytes.last_chunk::<8>(), bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        (Some(last), ..) => low_bytes(u64::from_be_bytes(*last), left.len()),
        (None, Some(first), Some(last)) => {
            let more = left.len() - 4;
            u64::from(u32::from_be_bytes(*first)) << (8 * more)
                | low_bytes(u64::from(u32::from_be_bytes(*last)), more)
        }
        (None, ..) => left.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)),
    };
    let state = mix(state, left);
    state ^ state >> 32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::row::any;
    use proptest::prelude::*;

    fn round(rows: &[Row<'_>]) {
        let mut bytes = Vec::new();
        encode(rows.iter(), &mut bytes);
        let mut read = Vec::new();
        decode("P1", &bytes, &mut read).unwrap();
        assert_eq!(read, rows);
        assert_eq!(len(&bytes), Ok(rows.len()));
        for (a, b) in read.iter().zip(rows) {
            assert_eq!((a.amount.scale(), a.quantity.scale()), (b.amount.scale(), b.quantity.scale()));
            assert_eq!(a.invoice_total.map(|t| t.scale()), b.invoice_total.map(|t| t.scale()));
        }
    }

    proptest! {
        #[test]
        fn rows_come_back_as_they_were(rows in proptest::collection::vec(any::row(), 0..60)) {
            let rows: Vec<Row<'_>> = rows.iter().map(|row| row.borrow("P1")).collect();
            round(&rows);
        }

        #[test]
        fn any_bytes_are_rows_or_a_fault(bytes: Vec<u8>) {
            let mut rows = Vec::new();
            if decode("P1", &bytes, &mut rows).is_err() {
                prop_assert!(rows.is_empty());
            }
            let mut bytes = bytes;
            bytes.insert(0, FORMAT);
            let _ = decode("P1", &bytes, &mut Vec::new());
        }

        #[test]
        fn a_changed_byte_never_panics(
            rows in proptest::collection::vec(any::row(), 1..20), at: prop::sample::Index, byte: u8, cut: prop::sample::Index,
        ) {
            let rows: Vec<Row<'_>> = rows.iter().map(|row| row.borrow("P1")).collect();
            let mut bytes = Vec::new();
            encode(rows.iter(), &mut bytes);
            let cut = cut.index(bytes.len());
            prop_assert!(decode("P1", &bytes[..cut], &mut Vec::new()).is_err());
            let at = at.index(bytes.len());
            bytes[at] = byte;
            let mut read = Vec::new();
            if decode("P1", &bytes, &mut read).is_ok() {
                for row in read {
                    let _ = row.when.written_day();
                }
            }
        }
    }

    #[test]
    fn more_rows_than_bytes_allocate_nothing() {
        let mut bytes = vec![FORMAT];
        put_varint(&mut bytes, u64::MAX >> 1);
        bytes.push(0);
        let mut rows = Vec::new();
        assert!(decode("P1", &bytes, &mut rows).is_err());
        assert_eq!(rows.capacity(), 0);
    }

    #[test]
    fn a_typical_row_takes_less_than_45_bytes() {
        let texts: Vec<_> = (0..40)
            .map(|i| (format!("INV/2026/{:06}", 1000 + i * 37 / 2), format!("SKU-{}", i * 7 % 30)))
            .collect();
        let rows: Vec<Row<'_>> = (0u32..40)
            .zip(&texts)
            .map(|(i, (number, sku))| Row {
                file_line: u64::from(2 + i * 50_021 % 900_000),
                invoice_no: number,
                line_no: ["1", "2", "3"][i as usize % 3],
                when: crate::domain::when::When::At {
                    epoch: 1_780_000_000 + i64::from(i) * 70_001,
                    offset: 19_800,
                    clock: crate::domain::when::ClockNote::Plain,
                },
                partner_name: "Sri Lakshmi Electricals",
                distributor_code: "D17",
                channel: "retail",
                sku,
                category: ["LED", "FAN", "WIRE"][i as usize / 2 % 3],
                currency: "INR",
                status: "approved",
                quantity: (1 + i % 24).into(),
                amount: rust_decimal::Decimal::new(i64::from(i) * 123_457 + 9_999, 2),
                updated_at: Some((1_780_000_000 + i64::from(i) * 80_001) * 1_000_000),
                ..Row::blank("P1")
            })
            .collect();
        let mut bytes = Vec::new();
        encode(rows.iter(), &mut bytes);
        assert!(bytes.len() < 45 * 40, "{} bytes a row", bytes.len() / 40);
        round(&rows);
    }
}
