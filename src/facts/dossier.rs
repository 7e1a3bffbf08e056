//! A dossier: everything that must be known to evaluate one partner, as bytes out of the store. Pure.
//!
//! It holds the partner's own bundles, and of other partners the rows of those documents that concern this one too
//! (a number claimed by two partners, a credit note of another partner's invoice), with cancellations and decisions; and what
//! distributors said of it under local codes.

use super::alias::{Aliases, Called, Meanings};
use super::bundle::{self, BundleFault};
use super::identity::DocumentNo;
use super::master::PartnerRecord;
use super::money::Payment;
use super::row::Row;
use super::settle::{Cancellation, Decision, NumberScope, Said};
use crate::domain::when::When;
use chrono::NaiveDate;
use std::collections::{BTreeSet, HashMap};

/// The bytes of one bundle and where they are from.
#[derive(Debug, Clone)]
pub struct RawBundle {
    /// whose
    pub partner: String,
    /// journal sequence of the file
    pub seq: i64,
    /// its place in the order of ingestion
    pub rank: i64,
    /// document space
    pub space: i64,
    /// within what its numbers are unique
    pub scope: NumberScope,
    /// see [`bundle`]
    pub body: Vec<u8>,
}

/// A bundle of a file that has fallen silent.
#[derive(Debug, Clone)]
pub struct Fallen {
    /// the journal record since which it is silent
    pub by: i64,
    /// what it said
    pub raw: RawBundle,
}

/// A document number as several partners may share it: space, distributor ("" where numbers are unique in the space), number.
pub type Number = (i64, String, String);

/// Everything about one partner.
#[derive(Debug, Clone, Default)]
pub struct Dossier {
    /// partner code
    pub partner: String,
    /// this partner's, of files that speak, in order of `seq`
    pub own: Vec<RawBundle>,
    /// bundles of other codes; only rows of `shared` numbers count, and those under local codes that may mean this partner
    pub others: Vec<RawBundle>,
    /// numbers with several parties
    pub shared: BTreeSet<Number>,
    /// of `shared` numbers
    pub cancellations: Vec<Cancellation>,
    /// on versions held of this partner and the others
    pub decisions: Vec<Decision>,
    /// of this partner, of files that have fallen silent; only filled where somebody asks what changed
    pub fallen: Vec<Fallen>,
    /// master records of this partner and the others
    pub masters: HashMap<String, Vec<PartnerRecord>>,
    /// that speak, of this partner's invoices and of those that its credit notes name
    pub payments: Vec<Payment>,
    /// what the codes in these bundles may mean
    pub aliases: Aliases,
}

impl Dossier {
    /// Gives what one file said its place in the order of ingestion: of a file that is being taken the store knows none yet.
    pub fn place(&mut self, seq: i64, rank: i64) {
        for raw in self.own.iter_mut().chain(&mut self.others).filter(|raw| raw.seq == seq) {
            raw.rank = rank;
        }
        for said in self.cancellations.iter_mut().filter(|said| said.seq == seq) {
            said.rank = rank;
        }
    }

    /// All rows said, this partner's first, with the partner codes that the files give.
    pub fn said(&self) -> Result<Vec<Said<'_>>, BundleFault> {
        let mut said = self.room()?;
        self.each(|said_row| said.push(said_row))?;
        Ok(said)
    }

    /// All rows said, each of the partner whom its distributor means on its day; and the codes that were looked up.
    pub fn said_on(
        &self,
        day: impl Fn(When) -> NaiveDate,
    ) -> Result<(Vec<Said<'_>>, Called<'_>), BundleFault> {
        let mut called = Called { aliases: &self.aliases, codes: HashMap::new() };
        if self.aliases.is_empty() {
            return Ok((self.said()?, called));
        }
        let mut said = self.room()?;
        self.each(|mut one| {
            let code = one.row.partner_code;
            if self.aliases.of(code).is_some() {
                called.codes.insert((one.seq, one.row.file_line), code);
                one.row.partner_code =
                    self.aliases.partner(one.row.distributor_code, code, day(one.row.when));
            }
            said.push(one);
        })?;
        Ok((said, called))
    }

    /// The same rows, each of the partner whom its distributor means on the day that the file writes.
    pub fn by_meaning<'a>(&'a self, said: &[Said<'a>]) -> Vec<Said<'a>> {
        let meant = |one: &Said<'a>| {
            let row = one.row;
            let partner_code =
                self.aliases.partner(row.distributor_code, row.partner_code, row.when.written_day());
            Said { row: Row { partner_code, ..row }, ..one.clone() }
        };
        said.iter().map(meant).collect()
    }

    fn room(&self) -> Result<Vec<Said<'_>>, BundleFault> {
        let rows: usize = self.own.iter().filter_map(|raw| bundle::len(&raw.body).ok()).sum();
        Ok(Vec::with_capacity(rows))
    }

    fn each<'a>(&'a self, mut take: impl FnMut(Said<'a>)) -> Result<(), BundleFault> {
        for raw in &self.own {
            bundle::decode_each(&raw.partner, &raw.body, |row| take(raw.said(*row)))?;
        }
        let shared = self.shared_numbers();
        for raw in &self.others {
            let meanings = self.aliases.of(&raw.partner);
            bundle::decode_each(&raw.partner, &raw.body, |row| {
                if concerns(&shared, raw, row) || meanings.is_some_and(|means| self.is_meant(means, raw, row))
                {
                    take(raw.said(*row));
                }
            })?;
        }
        Ok(())
    }

    /// Whether a row under a local code may be this partner's, or of a document that may be: where numbers are unique in the
    /// space, versions of one may come from several distributors.
    fn is_meant(&self, means: Meanings<'_>, raw: &RawBundle, row: &Row<'_>) -> bool {
        match raw.scope {
            NumberScope::Distributor => means.ever(row.distributor_code, &self.partner),
            NumberScope::Space => means.ever_by_any(&self.partner),
        }
    }

    /// What files said that have fallen silent since a journal record, having been taken up to it.
    pub fn said_until(&self, since: i64) -> Result<Vec<Said<'_>>, BundleFault> {
        let mut said = Vec::new();
        for fallen in self.fallen.iter().filter(|fallen| fallen.raw.seq <= since && since < fallen.by) {
            bundle::decode_each(&fallen.raw.partner, &fallen.raw.body, |row| {
                said.push(fallen.raw.said(*row))
            })?;
        }
        Ok(said)
    }

    /// sorted, as the set is
    fn shared_numbers(&self) -> Vec<DocumentNo<'_>> {
        self.shared
            .iter()
            .map(|(space, distributor_code, number)| DocumentNo { space: *space, distributor_code, number })
            .collect()
    }
}

/// A note of another partner belongs here under its own number and under the one that it names.
fn concerns(shared: &[DocumentNo<'_>], raw: &RawBundle, row: &Row<'_>) -> bool {
    [DocumentNo::of(raw.space, raw.scope, row), DocumentNo::referred(raw.space, raw.scope, row)]
        .iter()
        .any(|number| shared.binary_search(number).is_ok())
}

impl RawBundle {
    fn said<'a>(&'a self, row: Row<'a>) -> Said<'a> {
        Said { seq: self.seq, rank: self.rank, space: self.space, scope: self.scope, row }
    }
}
