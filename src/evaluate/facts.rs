//! A partner's dossier as evaluation looks at it: whose each row is on its day, and which version of it speaks.

use super::{Payments, Subject, World};
use crate::calendar::Cycle;
use crate::facts::alias::Called;
use crate::facts::bundle::BundleFault;
use crate::facts::dossier::Dossier;
use crate::facts::settle::{Said, Settled, settle};
use std::collections::BTreeSet;

/// A partner's facts, settled.
pub struct Facts<'d> {
    dossier: &'d Dossier,
    /// every row that was said
    pub said: Vec<Said<'d>>,
    /// what its code means on other days
    pub called: Called<'d>,
    /// what became of the rows, and the lines whose versions speak
    pub settled: Settled<'d>,
}

/// Facts that the store gives and nobody can read.
#[derive(Debug)]
pub struct Unreadable {
    partner: String,
    fault: BundleFault,
}

impl std::fmt::Display for Unreadable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the facts of partner {} cannot be read: {}", self.partner, self.fault)
    }
}

impl std::error::Error for Unreadable {}

impl<'d> Facts<'d> {
    /// Of a dossier, days being those of the world.
    ///
    /// # Errors
    /// Where a bundle is damaged.
    pub fn of(world: &World<'_>, dossier: &'d Dossier) -> Result<Facts<'d>, Unreadable> {
        let unreadable = |fault| Unreadable { partner: dossier.partner.clone(), fault };
        let (said, called) = dossier.said_on(|when| world.business_date(when)).map_err(unreadable)?;
        let settled = settle(&said, &dossier.cancellations, &dossier.decisions);
        Ok(Facts { dossier, said, called, settled })
    }

    /// What is evaluated; `known` are cycles in which the partner has a position already.
    pub fn subject<'s>(&'s self, known: &'s BTreeSet<Cycle>) -> Subject<'s> {
        Subject {
            partner_code: &self.dossier.partner,
            lines: &self.settled.lines,
            masters: &self.dossier.masters,
            called: Some(&self.called),
            known_cycles: known,
            payments: Payments::Said(&self.dossier.payments),
        }
    }
}
