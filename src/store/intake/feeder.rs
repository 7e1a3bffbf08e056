//! The reading side: rows into sorters, the rest to the thread that owns the store, block by block, so that there it is put
//! into the order of the file whoever reads faster.

use super::super::sorter::Sorter;
use super::Reject;
use crate::facts::record::Document;
use crate::facts::row::{DocType, Row};
use crate::facts::settle::NumberScope;
use anyhow::{Result, anyhow};
use chrono::NaiveDate;
use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::mpsc::SyncSender;

/// Takes rows and rejects of a file, block by block: several of these take blocks of one file in turn.
pub struct Feeder {
    scope: NumberScope,
    /// rows that follow one another and are of one document
    document: Document,
    rows: Sorter,
    numbers: Sorter,
    distributors: Distributors,
    /// what the block says that does not go through a sorter
    told: Told,
    tell: SyncSender<Told>,
    last_number: Vec<u8>,
    rows_fed: u64,
}

/// What a block says beside its rows.
#[derive(Default)]
pub(super) struct Told {
    /// its place in the file
    pub block: u64,
    /// issuers of whom its feeder had not heard before, in the order of their first rows
    pub distributors: Vec<String>,
    pub asides: Vec<Aside>,
}

/// What does not go through a sorter; the issuer is told by the distributor.
pub(super) enum Aside {
    Reject(Reject, Option<Claim>),
    Cancellation(Cancelled),
}

/// The line of which a reject is, as far as that could be told.
pub(super) struct Claim {
    pub distributor: String,
    pub number: String,
    pub line_no: String,
}

/// A cancellation's row.
pub(super) struct Cancelled {
    pub distributor: String,
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
    pub rows_fed: u64,
}

/// Distributors that were met.
#[derive(Default)]
struct Distributors {
    known: HashSet<String>,
    /// rows of one stand together
    last: Option<String>,
}

impl Distributors {
    /// Whether it is met for the first time.
    fn meet(&mut self, distributor: &str) -> bool {
        if self.last.as_deref() == Some(distributor) {
            return false;
        }
        distributor.clone_into(self.last.get_or_insert_default());
        !self.known.contains(distributor) && self.known.insert(distributor.to_owned())
    }
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
    pub(super) fn new(scratch: &Path, scope: NumberScope, tell: SyncSender<Told>) -> Feeder {
        Feeder {
            scope,
            document: Document::new(scope),
            rows: Sorter::new(scratch, |record| record),
            numbers: Sorter::new(scratch, |number| number),
            distributors: Distributors::default(),
            told: Told::default(),
            tell,
            last_number: Vec::new(),
            rows_fed: 0,
        }
    }

    /// What comes now is of this block of the file. Every number from 0 on must come, at one of the feeders.
    pub fn begin(&mut self, block: u64) {
        self.told = Told { block, ..Told::default() };
    }

    /// All of the block has come.
    pub fn end(&mut self) -> Result<()> {
        // what follows it in the file may be at another feeder
        self.pass_document()?;
        self.tell.send(std::mem::take(&mut self.told)).map_err(|_| anyhow!("the store stopped taking rows"))
    }

    /// A row that was understood.
    pub fn row(&mut self, row: &Row<'_>) -> Result<()> {
        let distributor = self.scope.issuer(row.distributor_code);
        if row.doc_type == DocType::Cancellation {
            self.meet(distributor);
            return self.cancellation(distributor, row);
        }
        if !self.document.takes(row) {
            self.pass_document()?;
            self.meet(distributor);
            self.name(distributor, row.invoice_no, row.partner_code)?;
        }
        if row.doc_type == DocType::CreditNote && !row.ref_invoice_no.is_empty() {
            self.name(distributor, row.ref_invoice_no, row.partner_code)?;
        }
        self.document.push(row);
        self.rows_fed += 1;
        Ok(())
    }

    /// The rows that wait go into the sorter.
    fn pass_document(&mut self) -> Result<()> {
        if !self.document.is_empty() {
            self.rows.push(|out| self.document.finish(out))?;
        }
        Ok(())
    }

    fn cancellation(&mut self, distributor: &str, row: &Row<'_>) -> Result<()> {
        self.name(distributor, row.invoice_no, "")?;
        self.told.asides.push(Aside::Cancellation(Cancelled {
            distributor: distributor.to_owned(),
            number: row.invoice_no.to_owned(),
            file_line: row.file_line,
            day: row.when.written_day(),
            year: row.number_year,
            updated_at: row.updated_at,
        }));
        Ok(())
    }

    /// A row that was not; `claim` is the distributor, number and line_no of which it is, where that could be told.
    pub fn reject(
        &mut self,
        line: u64,
        (reason, detail, text): (&str, &str, &str),
        claim: Option<(&str, &str, &str)>,
    ) {
        let claim = claim.map(|(distributor, number, line_no)| {
            let distributor = self.scope.issuer(distributor);
            self.meet(distributor);
            Claim {
                distributor: distributor.to_owned(),
                number: number.to_owned(),
                line_no: line_no.to_owned(),
            }
        });
        let reject = Reject {
            line,
            reason: reason.to_owned(),
            detail: detail.to_owned(),
            text: text.to_owned(),
            claimed: None,
        };
        self.told.asides.push(Aside::Reject(reject, claim));
    }

    fn meet(&mut self, distributor: &str) {
        if self.distributors.meet(distributor) {
            self.told.distributors.push(distributor.to_owned());
        }
    }

    /// Notes that a partner (or a cancellation, "") says something about a number.
    fn name(&mut self, distributor: &str, number: &str, partner: &str) -> Result<()> {
        let parts = [distributor.as_bytes(), &[0], number.as_bytes(), &[0], partner.as_bytes()];
        if made_of(&self.last_number, parts) {
            return Ok(());
        }
        self.last_number.clear();
        parts.iter().for_each(|part| self.last_number.extend_from_slice(part));
        Ok(self.numbers.push(|out| out.extend_from_slice(&self.last_number))?)
    }

    pub(super) fn finish(self) -> Fed {
        Fed { rows: self.rows, numbers: self.numbers, rows_fed: self.rows_fed }
    }
}

/// Whether bytes are these parts, one behind the other.
fn made_of(bytes: &[u8], parts: [&[u8]; 5]) -> bool {
    let rest = parts.iter().try_fold(bytes, |rest, part| rest.strip_prefix(*part));
    rest.is_some_and(<[u8]>::is_empty)
}
