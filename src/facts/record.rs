//! One row standing alone as bytes, so that rows can be sorted outside memory before they are bundled.
//!
//! A record begins with its **key**, whose plain byte order is the order of (partner_code, distributor_code or nothing where
//! numbers are unique in the whole space, invoice_no, doc_type, number_year, line_no, file_line); a key is no prefix of another,
//! so whole records may be compared as well. Records live for one ingestion: the format is not kept.
//!
//! Texts end with a zero byte in the key. A text with a zero byte in it (which ingest refuses) comes back as it was, but its order is not
//! told.

use super::bundle::BundleFault;
use super::bytes::{self, Flaw, Moments, Reader, put_decimal, put_varint};
use super::row::{DocType, Row};
use super::settle::NumberScope;

/// The end of a record: how long its key is, four bytes, least first.
const TRAILER: usize = 4;

/// Bits of what follows the lengths.
mod part {
    pub const DISTRIBUTOR_OUTSIDE_KEY: u64 = 1;
    pub const UPDATED_AT: u64 = 1 << 1;
    pub const INVOICE_TOTAL: u64 = 1 << 2;
    /// from here on one bit for each text that is not empty
    pub const FIRST_TEXT: u32 = 3;
}

/// Appends a row as one record to `out`. Allocates nothing but room in `out`.
pub fn encode(row: &Row<'_>, scope: NumberScope, out: &mut Vec<u8>) {
    let start = out.len();
    let inside = scope.issuer(row.distributor_code);
    put_key(row, inside, out);
    let key = out.len() - start;
    for text in [row.partner_code, inside, row.invoice_no, row.line_no] {
        put_varint(out, text.len() as u64);
    }
    put_payload(row, scope, out);
    out.extend_from_slice(&(key as u32).to_le_bytes());
}

fn put_key(row: &Row<'_>, distributor_code: &str, out: &mut Vec<u8>) {
    for text in [row.partner_code, distributor_code, row.invoice_no] {
        out.extend_from_slice(text.as_bytes());
        out.push(0);
    }
    out.push(row.doc_type.byte());
    match row.number_year {
        None => out.push(0),
        Some(year) => put_ordered(out, u64::from(year.cast_unsigned() ^ 1 << 31) + 1),
    }
    out.extend_from_slice(row.line_no.as_bytes());
    out.push(0);
    put_ordered(out, row.file_line);
}

fn put_payload(row: &Row<'_>, scope: NumberScope, out: &mut Vec<u8>) {
    let texts = texts_outside_key(row, scope);
    let mut parts = match scope {
        NumberScope::Distributor => 0,
        NumberScope::Space => part::DISTRIBUTOR_OUTSIDE_KEY,
    };
    parts |= if row.updated_at.is_some() { part::UPDATED_AT } else { 0 };
    parts |= if row.invoice_total.is_some() { part::INVOICE_TOTAL } else { 0 };
    for (bit, text) in (part::FIRST_TEXT..).zip(texts) {
        parts |= u64::from(!text.is_empty()) << bit;
    }
    put_varint(out, parts);
    for text in texts.into_iter().filter(|text| !text.is_empty()) {
        put_varint(out, text.len() as u64);
    }
    let mut moments = Moments::default();
    moments.put_when(out, row.when);
    put_decimal(out, row.quantity);
    put_decimal(out, row.amount);
    if row.updated_at.is_some() {
        moments.put_updated_at(out, row.updated_at);
    }
    if let Some(total) = row.invoice_total {
        put_decimal(out, total);
    }
    for text in texts {
        out.extend_from_slice(text.as_bytes());
    }
}

const TEXTS: usize = 11;

fn texts_outside_key<'a>(row: &Row<'a>, scope: NumberScope) -> [&'a str; TEXTS] {
    let distributor_code = match scope {
        NumberScope::Distributor => "",
        NumberScope::Space => row.distributor_code,
    };
    [
        row.sku,
        row.category,
        row.channel,
        row.partner_name,
        row.currency,
        row.status,
        row.payment_method,
        row.distributor_name,
        row.ref_invoice_no,
        row.ref_line_no,
        distributor_code,
    ]
}

/// The key of a record: compare it byte by byte. Of bytes that are no record, all of them.
pub fn key(record: &[u8]) -> &[u8] {
    split(record).map_or(record, |(key, _)| key)
}

/// The partner of a record, without decoding the rest. Of bytes that are no record, empty.
pub fn partner(record: &[u8]) -> &str {
    let code = || {
        let (key, payload) = split(record)?;
        let len = Reader::new(payload).size()?;
        std::str::from_utf8(Reader::new(key).take(len)?).map_err(|_| Flaw::Utf8)
    };
    code().unwrap_or("")
}

/// Decodes what [`encode`] wrote; every text borrows from the record.
pub fn decode(record: &[u8]) -> Result<Row<'_>, BundleFault> {
    let mut row = Row::blank("");
    decode_into(record, &mut row)?;
    Ok(row)
}

/// Decodes as [`decode`] does, into a blank row that stands where it is wanted: a row is large, and moving it costs.
pub fn decode_into<'a>(record: &'a [u8], row: &mut Row<'a>) -> Result<(), BundleFault> {
    Ok(read(record, row)?)
}

fn read<'a>(record: &'a [u8], row: &mut Row<'a>) -> Result<(), Flaw> {
    let (key, payload) = split(record)?;
    let mut payload = Reader::new(payload);
    read_key(key, &mut payload, row)?;
    let parts = payload.varint()?;
    if parts >> (part::FIRST_TEXT as usize + TEXTS) != 0 {
        return Err(Flaw::Column);
    }
    let mut lens = [0; TEXTS];
    for (bit, len) in (part::FIRST_TEXT..).zip(&mut lens) {
        if parts >> bit & 1 == 1 {
            *len = payload.size()?;
        }
    }
    let mut moments = Moments::default();
    row.when = moments.when(&mut payload)?;
    row.quantity = bytes::decimal(&mut payload)?;
    row.amount = bytes::decimal(&mut payload)?;
    if parts & part::UPDATED_AT != 0 {
        row.updated_at = moments.updated_at(&mut payload)?;
    }
    if parts & part::INVOICE_TOTAL != 0 {
        row.invoice_total = Some(bytes::decimal(&mut payload)?);
    }
    read_texts(utf8(payload.rest())?, lens, parts, row)
}

fn read_key<'a>(key: &'a [u8], payload: &mut Reader<'a>, row: &mut Row<'a>) -> Result<(), Flaw> {
    let mut lens = [0; 4];
    for len in &mut lens {
        *len = payload.size()?;
    }
    let key = utf8(key)?;
    let mut at = 0;
    let text = |at: &mut usize, len: usize| {
        let end = at.checked_add(len).ok_or(Flaw::Length)?;
        let text = key.get(*at..end).ok_or(Flaw::Short)?;
        *at = end + 1;
        Ok(text)
    };
    row.partner_code = text(&mut at, lens[0])?;
    row.distributor_code = text(&mut at, lens[1])?;
    row.invoice_no = text(&mut at, lens[2])?;
    let numbers = key.as_bytes().get(at..).ok_or(Flaw::Short)?;
    let mut reader = Reader::new(numbers);
    row.doc_type = DocType::from_byte(reader.byte()?).ok_or(Flaw::DocType)?;
    row.number_year = match ordered(&mut reader)?.checked_sub(1) {
        None => None,
        Some(year) => {
            let year = u32::try_from(year).map_err(|_| Flaw::Year)?;
            Some((year ^ 1 << 31).cast_signed())
        }
    };
    at += numbers.len() - reader.rest().len();
    row.line_no = text(&mut at, lens[3])?;
    let rest = key.as_bytes().get(at..).ok_or(Flaw::Short)?;
    row.file_line = ordered(&mut Reader::new(rest))?;
    Ok(())
}

fn read_texts<'a>(texts: &'a str, lens: [usize; TEXTS], parts: u64, row: &mut Row<'a>) -> Result<(), Flaw> {
    let mut left = texts;
    let mut next = [""; TEXTS];
    for (text, len) in next.iter_mut().zip(lens).filter(|(_, len)| *len > 0) {
        (*text, left) = left.split_at_checked(len).ok_or(Flaw::ShortTexts)?;
    }
    if !left.is_empty() {
        return Err(Flaw::Length);
    }
    let distributor_code;
    [
        row.sku,
        row.category,
        row.channel,
        row.partner_name,
        row.currency,
        row.status,
        row.payment_method,
        row.distributor_name,
        row.ref_invoice_no,
        row.ref_line_no,
        distributor_code,
    ] = next;
    if parts & part::DISTRIBUTOR_OUTSIDE_KEY != 0 {
        row.distributor_code = distributor_code;
    }
    Ok(())
}

fn split(record: &[u8]) -> Result<(&[u8], &[u8]), Flaw> {
    let (record, trailer) = record.split_last_chunk::<TRAILER>().ok_or(Flaw::Short)?;
    let key = usize::try_from(u32::from_le_bytes(*trailer)).unwrap_or(usize::MAX);
    record.split_at_checked(key).ok_or(Flaw::Short)
}

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

fn ordered(reader: &mut Reader<'_>) -> Result<u64, Flaw> {
    let len = reader.byte()?;
    if len > 10 {
        return Err(Flaw::LongNumber);
    }
    reader.take(usize::from(len))?.iter().try_fold(0u64, |value, byte| {
        let high = value.checked_mul(128).ok_or(Flaw::LongNumber)?;
        Ok(high | u64::from(*byte & 0x7f))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::row::any;
    use proptest::prelude::*;

    fn bytes(row: &Row<'_>, scope: NumberScope) -> Vec<u8> {
        let mut out = Vec::new();
        encode(row, scope, &mut out);
        out
    }

    fn rank<'a>(
        row: &Row<'a>,
        scope: NumberScope,
    ) -> (&'a str, &'a str, &'a str, DocType, Option<i32>, &'a str, u64) {
        (
            row.partner_code,
            scope.issuer(row.distributor_code),
            row.invoice_no,
            row.doc_type,
            row.number_year,
            row.line_no,
            row.file_line,
        )
    }

    const SCOPES: [NumberScope; 2] = [NumberScope::Distributor, NumberScope::Space];

    proptest! {
        #[test]
        fn a_row_comes_back_as_it_was(row in any::row()) {
            let row = row.borrow("P1");
            for scope in SCOPES {
                let record = bytes(&row, scope);
                prop_assert_eq!(decode(&record), Ok(row));
                prop_assert_eq!(partner(&record), "P1");
            }
        }

        #[test]
        fn bytes_are_in_the_order_of_the_rows(a in any::row(), b in any::row(), p in "[ab\u{1}é]{0,2}", q in "[ab\u{1}é]{0,2}") {
            for scope in SCOPES {
                let (a, b) = (a.borrow(&p), b.borrow(&q));
                let (x, y) = (bytes(&a, scope), bytes(&b, scope));
                let order = rank(&a, scope).cmp(&rank(&b, scope));
                prop_assert_eq!(key(&x).cmp(key(&y)), order);
                if order.is_ne() {
                    prop_assert_eq!(x.cmp(&y), order);
                }
            }
        }

        #[test]
        fn any_bytes_are_a_row_or_a_fault(row in any::row(), noise: Vec<u8>, at: prop::sample::Index, byte: u8) {
            let _ = (decode(&noise), key(&noise), partner(&noise));
            let mut record = bytes(&row.borrow("P1"), NumberScope::Distributor);
            prop_assert!(decode(&record[..at.index(record.len())]).is_err());
            let at = at.index(record.len());
            record[at] = byte;
            let _ = (decode(&record), key(&record), partner(&record));
        }
    }

    #[test]
    fn a_zero_byte_in_a_text_comes_back() {
        let row = Row { invoice_no: "A\0B", line_no: "\0", ..Row::blank("P\0Q") };
        let record = bytes(&row, NumberScope::Distributor);
        assert_eq!(decode(&record), Ok(row));
        assert_eq!(partner(&record), "P\0Q");
    }
}
