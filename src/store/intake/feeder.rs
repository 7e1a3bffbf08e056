//! The reading side: rows into sorters, the rest to the thread that owns the store.

use super::super::rejects::Claimed;
use super::super::sorter::Sorter;
use super::Reject;
use crate::facts::record;
use crate::facts::row::{DocType, Row};
use crate::facts::settle::NumberScope;
use anyhow::{Result, anyhow};
use chrono::NaiveDate;
use std::collections::HashMap;
use std::path::Path;
use std::sync::mpsc::SyncSender;

/// Takes rows and rejects of one file in order.
pub struct Feeder {
    scope: NumberScope,
    rows: Sorter,
    numbers: Sorter,
    issuers: Issuers,
    asides: SyncSender<Aside>,
    record: Vec<u8>,
    number: Vec<u8>,
    last_number: Vec<u8>,
    rows_fed: u64,
}

/// What does not go through a sorter.
pub(super) enum Aside {
    Reject(Reject),
    Cancellation(Cancelled),
}

/// A cancellation's row.
pub(super) struct Cancelled {
    pub issuer: i64,
    pub number: String,
    pub file_line: u64,
    pub day: NaiveDate,
    pub year: Option<i32>,
    pub updated_at: Option<i64>,
}

/// What was fed.
pub(super) struct Fed {
    pub rows: Sorter,
    pub numbers: Sorter,
    pub issuers: Issuers,
    pub rows_fed: u64,
}

/// Numbers of those who issue document numbers in a space.
#[derive(Default)]
pub(super) struct Issuers {
    pub known: HashMap<String, i64>,
    pub fresh: Vec<(i64, String)>,
    pub next: i64,
}

impl Issuers {
    pub(super) fn id(&mut self, distributor: &str) -> i64 {
        if let Some(&id) = self.known.get(distributor) {
            return id;
        }
        let id = self.next;
        self.next += 1;
        self.known.insert(distributor.to_owned(), id);
        self.fresh.push((id, distributor.to_owned()));
        id
    }
}

impl Feeder {
    pub(super) fn new(
        scratch: &Path,
        scope: NumberScope,
        issuers: Issuers,
        asides: SyncSender<Aside>,
    ) -> Feeder {
        Feeder {
            scope,
            rows: Sorter::new(scratch, record::key),
            numbers: Sorter::new(scratch, |number| number),
            issuers,
            asides,
            record: Vec::new(),
            number: Vec::new(),
            last_number: Vec::new(),
            rows_fed: 0,
        }
    }

    /// A row that was understood.
    pub fn row(&mut self, row: &Row<'_>) -> Result<()> {
        let issuer = self.issuers.id(self.scope.issuer(row.distributor_code));
        match row.doc_type {
            DocType::Cancellation => return self.cancellation(issuer, row),
            DocType::CreditNote if !row.ref_invoice_no.is_empty() => {
                self.name(issuer, row.ref_invoice_no, row.partner_code)?;
            }
            DocType::CreditNote | DocType::Invoice => {}
        }
        self.name(issuer, row.invoice_no, row.partner_code)?;
        self.record.clear();
        record::encode(row, self.scope, &mut self.record);
        self.rows.push(&self.record)?;
        self.rows_fed += 1;
        Ok(())
    }

    fn cancellation(&mut self, issuer: i64, row: &Row<'_>) -> Result<()> {
        self.name(issuer, row.invoice_no, "")?;
        self.aside(Aside::Cancellation(Cancelled {
            issuer,
            number: row.invoice_no.to_owned(),
            file_line: row.file_line,
            day: row.when.written_day(),
            year: row.number_year,
            updated_at: row.updated_at,
        }))
    }

    /// A row that was not; `claim` is the distributor, number and line_no of which it is, where that could be told.
    pub fn reject(
        &mut self,
        line: u64,
        (reason, detail, text): (&str, &str, &str),
        claim: Option<(&str, &str, &str)>,
    ) -> Result<()> {
        let claimed = claim.map(|(distributor, number, line_no)| {
            Box::new(Claimed {
                issuer: self.issuers.id(self.scope.issuer(distributor)),
                number: number.to_owned(),
                line_no: line_no.to_owned(),
            })
        });
        self.aside(Aside::Reject(Reject {
            line,
            reason: reason.to_owned(),
            detail: detail.to_owned(),
            text: text.to_owned(),
            claimed,
        }))
    }

    fn aside(&self, aside: Aside) -> Result<()> {
        self.asides.send(aside).map_err(|_| anyhow!("the store stopped taking rows"))
    }

    /// Notes that a partner (or a cancellation, "") says something about a number.
    fn name(&mut self, issuer: i64, number: &str, partner: &str) -> Result<()> {
        self.number.clear();
        self.number.extend_from_slice(&issuer.to_be_bytes());
        self.number.extend_from_slice(number.as_bytes());
        self.number.push(0);
        self.number.extend_from_slice(partner.as_bytes());
        if self.number != self.last_number {
            self.numbers.push(&self.number)?;
            std::mem::swap(&mut self.number, &mut self.last_number);
        }
        Ok(())
    }

    pub(super) fn finish(self) -> Fed {
        Fed { rows: self.rows, numbers: self.numbers, issuers: self.issuers, rows_fed: self.rows_fed }
    }
}
