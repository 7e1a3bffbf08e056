//! The bytes of a bundle: all rows that one ingestion holds of one partner, compact and self-contained.
//!
//! Format 1: a version byte, a dictionary of the texts that occur, then the rows with numbers of texts and varints.
//! Decoding borrows every text from the bytes.

use super::row::Row;

/// A bundle that cannot be decoded: the store was changed by something else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BundleFault(pub &'static str);

/// Encodes rows of one partner; the partner code itself is not stored.
pub fn encode(_rows: &[Row<'_>], _out: &mut Vec<u8>) {
    todo!()
}

/// Decodes what [`encode`] wrote; every text borrows from `bytes`.
pub fn decode<'a>(
    _partner_code: &'a str,
    _bytes: &'a [u8],
    _rows: &mut Vec<Row<'a>>,
) -> Result<(), BundleFault> {
    todo!()
}
