//! A dossier: everything that must be known to evaluate one partner, as bytes out of the store. Pure.
//!
//! It holds the partner's own bundles, and of other partners the rows of those documents that concern this one too
//! (a number claimed by two partners, a credit note of another partner's invoice), with cancellations and decisions.

use super::bundle::{self, BundleFault};
use super::master::PartnerRecord;
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
    /// this partner's, in order of `seq`
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
}

impl Dossier {
    /// All rows said, this partner's first.
    pub fn said(&self) -> Result<Vec<Said<'_>>, BundleFault> {
        let mut said = Vec::new();
        let mut rows = Vec::new();
        for raw in &self.own {
            bundle::decode(&raw.partner, &raw.body, &mut rows)?;
            said.extend(rows.drain(..).map(|row| raw.said(row)));
        }
        for raw in &self.others {
            bundle::decode(&raw.partner, &raw.body, &mut rows)?;
            said.extend(rows.drain(..).filter(|row| self.shares(raw, row)).map(|row| raw.said(row)));
        }
        Ok(said)
    }

    fn shares(&self, raw: &RawBundle, row: &Row<'_>) -> bool {
        let issuer = raw.scope.issuer(row.distributor_code);
        // a note of another partner belongs here under its own number and under the one that it names
        [row.invoice_no, row.ref_invoice_no]
            .iter()
            .any(|number| self.shared.contains(&(raw.space, issuer.to_owned(), (*number).to_owned())))
    }
}

impl RawBundle {
    fn said<'a>(&'a self, row: Row<'a>) -> Said<'a> {
        Said { seq: self.seq, space: self.space, scope: self.scope, row }
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
