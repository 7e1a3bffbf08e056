//! What a row says, as values: equal content is no news (evaluation.md 1.2).
//!
//! All columns but `updated_at`: SKUs, categories, channels, statuses, payment methods and currencies without case, amounts
//! and quantities by value whatever their zeros, moments whatever their offset, all else exactly. Where a row stands in its
//! file is no content.

use super::row::Row;
use crate::domain::when::When;
use crate::domain::word::word_order;
use chrono::NaiveDate;
use std::cmp::Ordering;

/// Whether two rows say the same.
pub fn same(a: &Row<'_>, b: &Row<'_>) -> bool {
    order(a, b).is_eq()
}

/// Whether two versions say the same: their rows as multisets.
pub fn same_rows(mut a: Vec<&Row<'_>>, mut b: Vec<&Row<'_>>) -> bool {
    if a.len() != b.len() {
        return false;
    }
    a.sort_by(|a, b| order(a, b));
    b.sort_by(|a, b| order(a, b));
    a.into_iter().zip(b).all(|(a, b)| same(a, b))
}

/// A total order of contents, so that the rows of a document can be compared as a multiset.
pub fn order(a: &Row<'_>, b: &Row<'_>) -> Ordering {
    let exact = |row: &Row<'_>| (row.doc_type, row.number_year, row.quantity, row.amount, row.invoice_total);
    texts(a)
        .cmp(&texts(b))
        .then_with(|| exact(a).cmp(&exact(b)))
        .then_with(|| moment(a.when).cmp(&moment(b.when)))
        .then_with(|| {
            let mut pairs = words(a).into_iter().zip(words(b));
            pairs.try_fold((), |(), (a, b)| unequal(word_order(a, b))).err().unwrap_or(Ordering::Equal)
        })
}

fn unequal(order: Ordering) -> Result<(), Ordering> {
    if order.is_eq() { Ok(()) } else { Err(order) }
}

fn texts<'a>(row: &Row<'a>) -> [&'a str; 8] {
    [
        row.invoice_no,
        row.line_no,
        row.partner_code,
        row.partner_name,
        row.distributor_code,
        row.distributor_name,
        row.ref_invoice_no,
        row.ref_line_no,
    ]
}

fn words<'a>(row: &Row<'a>) -> [&'a str; 6] {
    [row.sku, row.category, row.channel, row.status, row.payment_method, row.currency]
}

/// agrees with [`When::same_moment`]
fn moment(when: When) -> Result<NaiveDate, i64> {
    match when {
        When::Day(day) => Ok(day),
        When::At { epoch, offset: _, clock: _ } => Err(epoch),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::when::ClockNote;
    use crate::facts::row::{DocType, any};
    use proptest::prelude::*;
    use rust_decimal::Decimal;

    fn sold() -> Row<'static> {
        Row {
            invoice_no: "A",
            sku: "led-9",
            channel: "retail",
            currency: "INR",
            status: "ok",
            amount: Decimal::new(1500, 2),
            invoice_total: Some(Decimal::new(20, 0)),
            when: When::At { epoch: 1_000, offset: 0, clock: ClockNote::Plain },
            ..Row::blank("P")
        }
    }

    #[test]
    fn the_same_values_written_otherwise_are_the_same() {
        let again = Row {
            file_line: 9,
            sku: "LED-9",
            channel: "Retail",
            currency: "inr",
            status: "OK",
            amount: Decimal::new(15, 0),
            invoice_total: Some(Decimal::new(2000, 2)),
            when: When::At { epoch: 1_000, offset: 3_600, clock: ClockNote::Repeated },
            updated_at: Some(5),
            ..sold()
        };
        assert!(same(&sold(), &again));
        assert!(same(&Row { category: "ΟΔΟΣ", ..sold() }, &Row { category: "οδος", ..sold() }));
    }

    #[test]
    fn each_column_is_content() {
        let others = [
            Row { doc_type: DocType::CreditNote, ..sold() },
            Row { invoice_no: "a", ..sold() },
            Row { line_no: "1", ..sold() },
            Row { when: When::Day(NaiveDate::default()), ..sold() },
            Row { when: When::At { epoch: 1_001, offset: 0, clock: ClockNote::Plain }, ..sold() },
            Row { number_year: Some(2026), ..sold() },
            Row { partner_code: "p", ..sold() },
            Row { partner_name: "N", ..sold() },
            Row { distributor_code: "D", ..sold() },
            Row { distributor_name: "D", ..sold() },
            Row { channel: "", ..sold() },
            Row { sku: "LED-99", ..sold() },
            Row { category: "c", ..sold() },
            Row { quantity: Decimal::TWO, ..sold() },
            Row { amount: -sold().amount, ..sold() },
            Row { currency: "USD", ..sold() },
            Row { status: "paid", ..sold() },
            Row { payment_method: "cash", ..sold() },
            Row { invoice_total: None, ..sold() },
            Row { ref_invoice_no: "B", ..sold() },
            Row { ref_line_no: "1", ..sold() },
        ];
        for (i, other) in others.iter().enumerate() {
            assert!(!same(&sold(), other), "{i}");
        }
    }

    proptest! {
        #[test]
        fn contents_have_one_order(a in any::row(), b in any::row(), c in any::row()) {
            let (a, b, c) = (a.borrow("P"), b.borrow("P"), c.borrow("P"));
            prop_assert_eq!(order(&a, &b), order(&b, &a).reverse());
            prop_assert_eq!(order(&a, &a), Ordering::Equal);
            let mut rows = [a, b, c];
            rows.sort_by(order);
            prop_assert!(order(&rows[0], &rows[2]).is_le());
        }
    }
}
