//! `sales` files -> rows (interfaces.md 3).
//!
//! Answers for: the canonical columns of sales, words and signs of document types, what each needs, restarting numbers.
//! Does not: compare rows with one another.

use super::cells::{Bad, Cells, Checked, bad, holds, number};
use super::dates::Dates;
use super::header::{Column, Header, Need, alike};
use super::{Claim, CreditNotes, Layout, Stop};
use crate::domain::decimal::DecimalMark;
use crate::domain::when::When;
use crate::facts::row::{DocType, Row};
use chrono::{Datelike, NaiveDate};
use rust_decimal::Decimal;

/// The date of a cancellation that has none: later than any invoice it could void.
pub const UNDATED_CANCELLATION: NaiveDate = match NaiveDate::from_ymd_opt(9999, 12, 31) {
    Some(day) => day,
    None => NaiveDate::MAX,
};

/// Where each canonical column is.
pub struct Sales {
    invoice_no: Column,
    line_no: Column,
    doc_type: Column,
    invoice_date: Column,
    partner_code: Column,
    partner_name: Column,
    distributor_code: Column,
    distributor_name: Column,
    channel: Column,
    sku: Column,
    category: Column,
    quantity: Column,
    amount: Column,
    currency: Column,
    status: Column,
    payment_method: Column,
    invoice_total: Column,
    ref_invoice_no: Column,
    ref_line_no: Column,
    updated_at: Column,
    mark: DecimalMark,
    credit_notes: CreditNotes,
    restart: Option<u32>,
}

impl Sales {
    /// Finds the columns in a header.
    pub fn new(header: &mut Header<'_>, layout: &Layout) -> Result<Sales, Stop> {
        let (must, may) = (Need::Required, Need::Optional);
        let sales = Sales {
            invoice_no: header.column("invoice_no", must),
            line_no: header.column("line_no", may),
            doc_type: header.column("doc_type", may),
            invoice_date: header.column("invoice_date", must),
            partner_code: header.column("partner_code", must),
            partner_name: header.column("partner_name", may),
            distributor_code: header.column("distributor_code", may),
            distributor_name: header.column("distributor_name", may),
            channel: header.column("channel", may),
            sku: header.column("sku", may),
            category: header.column("category", may),
            quantity: header.column("quantity", may),
            amount: header.column("amount", must),
            currency: header.column("currency", may),
            status: header.column("status", may),
            payment_method: header.column("payment_method", may),
            invoice_total: header.column("invoice_total", may),
            ref_invoice_no: header.column("ref_invoice_no", may),
            ref_line_no: header.column("ref_line_no", may),
            updated_at: header.column("updated_at", may),
            mark: layout.decimal_mark,
            credit_notes: layout.credit_notes,
            restart: layout.numbers_restart,
        };
        header.check().map(|()| sales)
    }

    /// One row, typed and checked; the first thing wrong with it otherwise.
    pub fn row<'r>(&'r self, cells: &Cells<'r>, dates: &mut Dates) -> Checked<Row<'r>> {
        let invoice_no = cells.required_code(&self.invoice_no)?;
        match self.doc_type(cells)? {
            DocType::Cancellation => self.cancellation(invoice_no, cells, dates),
            doc_type @ (DocType::Invoice | DocType::CreditNote) => {
                self.line(doc_type, invoice_no, cells, dates)
            }
        }
    }

    /// Of which line a row is that could not be understood.
    pub fn claim(&self, cells: &Cells<'_>) -> Option<Box<Claim>> {
        Some(Box::new(Claim {
            distributor_code: cells.code(&self.distributor_code).ok()?.to_owned(),
            invoice_no: cells.required_code(&self.invoice_no).ok()?.to_owned(),
            line_no: cells.code(&self.line_no).ok()?.to_owned(),
        }))
    }

    fn line<'r>(
        &'r self,
        doc_type: DocType,
        invoice_no: &'r str,
        cells: &Cells<'r>,
        dates: &mut Dates,
    ) -> Checked<Row<'r>> {
        let line_no = cells.code(&self.line_no)?;
        let when = self.when(cells.required(&self.invoice_date)?, dates)?;
        let partner_code = cells.required_code(&self.partner_code)?;
        let amount = number(&self.amount, cells.required(&self.amount)?, self.mark)?;
        let quantity = cells.number(&self.quantity, self.mark)?.unwrap_or(Decimal::ONE);
        Ok(Row {
            file_line: cells.line(),
            doc_type,
            invoice_no,
            line_no,
            when,
            number_year: self.number_year(when),
            partner_code,
            partner_name: cells.text(&self.partner_name)?,
            distributor_code: cells.code(&self.distributor_code)?,
            distributor_name: cells.text(&self.distributor_name)?,
            channel: cells.text(&self.channel)?,
            sku: cells.code(&self.sku)?,
            category: cells.text(&self.category)?,
            quantity: self.credit_notes.signed(doc_type, quantity),
            amount: self.credit_notes.signed(doc_type, amount),
            currency: cells.text(&self.currency)?,
            status: cells.text(&self.status)?,
            payment_method: cells.text(&self.payment_method)?,
            invoice_total: cells.number(&self.invoice_total, self.mark)?,
            ref_invoice_no: cells.code(&self.ref_invoice_no)?,
            ref_line_no: cells.code(&self.ref_line_no)?,
            updated_at: self.updated_at(cells, dates)?,
        })
    }

    /// Only the number, the distributor, `updated_at` and the date matter; what else the row says is not looked at.
    fn cancellation<'r>(
        &'r self,
        invoice_no: &'r str,
        cells: &Cells<'r>,
        dates: &mut Dates,
    ) -> Checked<Row<'r>> {
        let dated = self.cancelled_on(cells, dates)?;
        Ok(Row {
            file_line: cells.line(),
            doc_type: DocType::Cancellation,
            invoice_no,
            line_no: "",
            when: dated.unwrap_or(When::Day(UNDATED_CANCELLATION)),
            number_year: dated.and_then(|when| self.number_year(when)),
            partner_code: "",
            partner_name: "",
            distributor_code: cells.code(&self.distributor_code)?,
            distributor_name: "",
            channel: "",
            sku: "",
            category: "",
            quantity: Decimal::ZERO,
            amount: Decimal::ZERO,
            currency: "",
            status: "",
            payment_method: "",
            invoice_total: None,
            ref_invoice_no: "",
            ref_line_no: "",
            updated_at: self.updated_at(cells, dates)?,
        })
    }

    /// A date that is not understood matters only where it tells which year's number is meant.
    fn cancelled_on(&self, cells: &Cells<'_>, dates: &mut Dates) -> Checked<Option<When>> {
        match (cells.value(&self.invoice_date), self.restart) {
            ("", _) => Ok(None),
            (value, Some(_)) => self.when(value, dates).map(Some),
            (value, None) => Ok(dates.when(value)),
        }
    }

    fn doc_type(&self, cells: &Cells<'_>) -> Checked<DocType> {
        let value = cells.value(&self.doc_type);
        if value.is_empty() {
            return Ok(DocType::Invoice);
        }
        match doc_type(value) {
            Some(doc_type) => Ok(doc_type),
            None => bad(
                "doc_type_unknown",
                format!(
                    "{}; looked for invoice, credit_note or cancellation; say what it means in [feed.values.doc_type]",
                    holds(&self.doc_type, value)
                ),
            ),
        }
    }

    fn when(&self, value: &str, dates: &mut Dates) -> Checked<When> {
        dates.when(value).ok_or_else(|| not_a_date(&self.invoice_date, value, dates))
    }

    fn updated_at(&self, cells: &Cells<'_>, dates: &mut Dates) -> Checked<Option<i64>> {
        match cells.value(&self.updated_at) {
            "" => Ok(None),
            value => match dates.micros(value) {
                Some(micros) => Ok(Some(micros)),
                None => Err(not_a_date(&self.updated_at, value, dates)),
            },
        }
    }

    /// The calendar year in which the numbering year of that day began.
    fn number_year(&self, when: When) -> Option<i32> {
        self.restart.map(|month| {
            let day = when.written_day();
            if day.month() >= month { day.year() } else { day.year() - 1 }
        })
    }
}

/// The type that a word means.
pub(super) fn doc_type(word: &str) -> Option<DocType> {
    const ALL: [DocType; 3] = [DocType::Invoice, DocType::CreditNote, DocType::Cancellation];
    ALL.into_iter().find(|doc_type| alike(doc_type.word(), word))
}

pub(super) fn not_a_date(column: &Column, value: &str, dates: &Dates) -> Box<Bad> {
    let detail =
        format!("{}; looked for {}{}", holds(column, value), dates.looked_for(), dates.remark(value));
    Box::new(Bad { reason: "date_not_understood", detail })
}
