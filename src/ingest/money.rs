//! `payments` and `deposits` files -> rows (interfaces.md 3).
//!
//! Answers for: their canonical columns. Does not: compare rows with one another, nor with invoices.

use super::cells::{Cells, Checked, number};
use super::dates::Dates;
use super::header::{Column, Header, Need};
use super::sales::not_a_date;
use super::{Layout, Stop};
use crate::domain::decimal::DecimalMark;
use crate::facts::money::{EventKind, Money};
use chrono::NaiveDate;

/// Where each canonical column is.
pub struct Monies {
    reference: Column,
    /// of payments
    paid: Option<Paid>,
    day: Column,
    amount: Column,
    currency: Column,
    mark: DecimalMark,
}

/// The columns that only payments have.
struct Paid {
    invoice_no: Column,
    distributor_code: Column,
    method: Column,
    deposit_ref: Column,
}

impl Monies {
    /// Finds the columns in a header.
    pub fn new(header: &mut Header<'_>, layout: &Layout, kind: EventKind) -> Result<Monies, Stop> {
        let (must, may) = (Need::Required, Need::Optional);
        let (reference, day) = match kind {
            EventKind::Payment => ("payment_ref", "paid_on"),
            EventKind::Deposit => ("deposit_ref", "date"),
        };
        let reference = header.column(reference, must);
        let paid = match kind {
            EventKind::Payment => Some(Paid {
                invoice_no: header.column("invoice_no", must),
                distributor_code: header.column("distributor_code", may),
                method: header.column("method", may),
                deposit_ref: header.column("deposit_ref", may),
            }),
            EventKind::Deposit => None,
        };
        let monies = Monies {
            reference,
            paid,
            day: header.column(day, must),
            amount: header.column("amount", must),
            currency: header.column("currency", may),
            mark: layout.decimal_mark,
        };
        header.check().map(|()| monies)
    }

    /// One row, typed and checked; the first thing wrong with it otherwise.
    pub fn row(&self, cells: &Cells<'_>, dates: &mut Dates) -> Checked<Money> {
        let reference = cells.required_code(&self.reference)?.to_owned();
        let code = |column: Option<&Column>| match column {
            Some(column) => cells.code(column).map(str::to_owned),
            None => Ok(String::new()),
        };
        let paid = self.paid.as_ref();
        let invoice_no = match paid {
            Some(paid) => cells.required_code(&paid.invoice_no)?.to_owned(),
            None => String::new(),
        };
        let day = self.day(cells, dates)?;
        Ok(Money {
            file_line: cells.line(),
            reference,
            invoice_no,
            distributor_code: code(paid.map(|paid| &paid.distributor_code))?,
            day,
            amount: number(&self.amount, cells.required(&self.amount)?, self.mark)?,
            currency: cells.text(&self.currency)?.to_owned(),
            method: match paid {
                Some(paid) => cells.text(&paid.method)?.to_owned(),
                None => String::new(),
            },
            deposit_ref: code(paid.map(|paid| &paid.deposit_ref))?,
        })
    }

    fn day(&self, cells: &Cells<'_>, dates: &mut Dates) -> Checked<NaiveDate> {
        let value = cells.required(&self.day)?;
        dates.day(value).ok_or_else(|| not_a_date(&self.day, value, dates))
    }
}
