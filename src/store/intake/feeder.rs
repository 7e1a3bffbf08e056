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
    /// the one asked for last: rows of one distributor stand together
    pub last: Option<(String, i64)>,
}

impl Issuers {
    pub(super) fn id(&mut self, distributor: &str) -> i64 {
        if let Some((last, id)) = &self.last
            && last == distributor
        {
            return *id;
        }
        let id = self.known.get(distributor).copied().unwrap_or_else(|| self.make_known(distributor));
        let (last, of) = self.last.get_or_insert_default();
        distributor.clone_into(last);
        *of = id;
        id
    }

    fn make_known(&mut self, distributor: &str) -> i64 {
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
        let scope = self.scope;
        self.rows.push(|out| record::encode(row, scope, out))?;
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
        let parts = [&issuer.to_be_bytes(), number.as_bytes(), &[0], partner.as_bytes()];
        if made_of(&self.last_number, parts) {
            return Ok(());
        }
        self.last_number.clear();
        parts.iter().for_each(|part| self.last_number.extend_from_slice(part));
        Ok(self.numbers.push(|out| out.extend_from_slice(&self.last_number))?)
    }

    pub(super) fn finish(self) -> Fed {
        Fed { rows: self.rows, numbers: self.numbers, issuers: self.issuers, rows_fed: self.rows_fed }
    }
}

/// Whether bytes are these parts, one behind the other.
fn made_of(bytes: &[u8], parts: [&[u8]; 4]) -> bool {
    let rest = parts.iter().try_fold(bytes, |rest, part| rest.strip_prefix(*part));
    rest.is_some_and(<[u8]>::is_empty)
}
