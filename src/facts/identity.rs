//! Which document a row belongs to (evaluation.md 1.1), as a value that can be compared and sorted.

use super::row::{DocType, Row};
use super::settle::NumberScope;
use std::cmp::Ordering;

/// A document's number in its space, whatever its type and year: (documents, distributor_code, invoice_no).
///
/// A cancellation and its invoice, a credit note's reference and the invoice it returns meet in one of these.
/// Numbers and distributors match exactly.
#[derive(Debug, Clone, Copy, Hash)]
pub struct DocumentNo<'a> {
    /// the document space
    pub space: i64,
    /// empty where numbers are unique in the whole space
    pub distributor_code: &'a str,
    /// `invoice_no`
    pub number: &'a str,
}

impl<'a> DocumentNo<'a> {
    /// the number that a row bears
    pub fn of(space: i64, scope: NumberScope, row: &Row<'a>) -> Self {
        DocumentNo::within(space, scope, row.distributor_code, row.invoice_no)
    }

    /// the number of the invoice that a credit note names: in the note's own space and with its distributor (evaluation.md 1.6)
    pub fn referred(space: i64, scope: NumberScope, row: &Row<'a>) -> Self {
        DocumentNo::within(space, scope, row.distributor_code, row.ref_invoice_no)
    }

    fn within(space: i64, scope: NumberScope, distributor_code: &'a str, number: &'a str) -> Self {
        DocumentNo { space, distributor_code: scope.issuer(distributor_code), number }
    }
}

impl Ord for DocumentNo<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.space
            .cmp(&other.space)
            .then_with(|| text_order(self.distributor_code, other.distributor_code))
            .then_with(|| text_order(self.number, other.number))
    }
}

impl PartialOrd for DocumentNo<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for DocumentNo<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for DocumentNo<'_> {}

/// Plain byte order; the texts of rows out of one bundle are mostly the very same bytes, which need no reading.
#[inline]
fn text_order(a: &str, b: &str) -> Ordering {
    if std::ptr::eq(a, b) { Ordering::Equal } else { a.cmp(b) }
}

/// Where a row stands among all rows: (space, distributor, number, doc_type, number_year, line_no, file_line).
pub type Rank<'a> = (DocumentNo<'a>, DocType, Option<i32>, &'a str, u64);

/// The rank of a row.
pub fn rank<'a>(space: i64, scope: NumberScope, row: &Row<'a>) -> Rank<'a> {
    (DocumentNo::of(space, scope, row), row.doc_type, row.number_year, row.line_no, row.file_line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_distributor_is_part_of_a_number_unless_it_is_unique_in_the_space() {
        let of = |scope, distributor_code| {
            DocumentNo::of(1, scope, &Row { distributor_code, invoice_no: "INV/0001", ..Row::blank("P") })
        };
        assert_ne!(of(NumberScope::Distributor, "D1"), of(NumberScope::Distributor, "D2"));
        assert_ne!(of(NumberScope::Distributor, "D1"), of(NumberScope::Distributor, "d1"));
        assert_eq!(of(NumberScope::Space, "D1"), of(NumberScope::Space, "D2"));
    }
}
