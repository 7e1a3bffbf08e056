//! Which document a row belongs to (evaluation.md 1.1), as a value that can be compared and sorted.

use super::row::Row;
use super::settle::NumberScope;
use super::texts;
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
            .then_with(|| texts::order(self.distributor_code, other.distributor_code))
            .then_with(|| texts::order(self.number, other.number))
    }
}

impl PartialOrd for DocumentNo<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for DocumentNo<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.space == other.space
            && texts::same(self.distributor_code, other.distributor_code)
            && texts::same(self.number, other.number)
    }
}

impl Eq for DocumentNo<'_> {}

/// A row, the space that it was said in, and within what its number is unique there.
pub type Placed<'r, 'a> = (i64, NumberScope, &'r Row<'a>);

/// The order of all rows: by (space, distributor, number, doc_type, number_year, line_no, file_line).
pub fn order(a: Placed<'_, '_>, b: Placed<'_, '_>) -> Ordering {
    let ((space, scope, a), (other_space, other_scope, b)) = (a, b);
    let document = |row: &Row<'_>| (row.doc_type, row.number_year);
    DocumentNo::of(space, scope, a)
        .cmp(&DocumentNo::of(other_space, other_scope, b))
        .then_with(|| document(a).cmp(&document(b)))
        .then_with(|| texts::order(a.line_no, b.line_no))
        .then_with(|| a.file_line.cmp(&b.file_line))
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
