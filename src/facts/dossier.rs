//! A dossier: everything that must be known to evaluate one partner, as bytes out of the store. Pure.
//!
//! It holds the partner's own bundles, and of other partners the rows of those documents that concern this one too
//! (a number claimed by two partners, a credit note of another partner's invoice), with cancellations and decisions.

use super::bundle::{self, BundleFault};
use super::identity::DocumentNo;
use super::master::PartnerRecord;
use super::money::Payment;
use super::row::Row;
use super::settle::{Cancellation, Decision, NumberScope, Said};
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

/// A document number as several partners may share it: space, distributor ("" where numbers are unique in the space), number.
pub type Number = (i64, String, String);

/// Everything about one partner.
#[derive(Debug, Clone, Default)]
pub struct Dossier {
    /// partner code
    pub partner: String,
    /// this partner's, of files that speak, in order of `seq`
    pub own: Vec<RawBundle>,
    /// bundles of other partners; only rows of `shared` numbers count
    pub others: Vec<RawBundle>,
    /// numbers with several parties
    pub shared: BTreeSet<Number>,
    /// of `shared` numbers
    pub cancellations: Vec<Cancellation>,
    /// on versions held of this partner and the others
    pub decisions: Vec<Decision>,
    /// master records of this partner and the others
    pub masters: HashMap<String, Vec<PartnerRecord>>,
    /// that speak, of this partner's invoices and of those that its credit notes name
    pub payments: Vec<Payment>,
}

impl Dossier {
    /// All rows said, this partner's first.
    pub fn said(&self) -> Result<Vec<Said<'_>>, BundleFault> {
        let rows: usize = self.own.iter().filter_map(|raw| bundle::len(&raw.body).ok()).sum();
        let mut said = Vec::with_capacity(rows);
        for raw in &self.own {
            bundle::decode_each(&raw.partner, &raw.body, |row| said.push(raw.said(*row)))?;
        }
        let shared = self.shared_numbers();
        for raw in &self.others {
            bundle::decode_each(&raw.partner, &raw.body, |row| {
                if concerns(&shared, raw, row) {
                    said.push(raw.said(*row));
                }
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

impl NumberScope {
    /// The part of a document's identity that its distributor gives: nothing where numbers are unique in the whole space.
    pub fn issuer(self, distributor_code: &str) -> &str {
        match self {
            NumberScope::Distributor => distributor_code,
            NumberScope::Space => "",
        }
    }
}
