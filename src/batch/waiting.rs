//! What waits with a file that is set aside whole: how many rows, and how much money. It is read once for that, from the
//! archive; nothing of it is judged.

use super::Run;
use super::taking::{Lying, packing};
use crate::facts::row::DocType;
use crate::inbox::Archive;
use crate::ingest::{self, Amount, Layout, Stop};
use crate::store::AtStake;
use crate::store::files::Arrival;
use anyhow::{Context, Result};

impl Run<'_> {
    /// Adds up a file. What cannot be read adds nothing: whoever releases it is told then.
    pub(super) fn at_stake(&self, layout: &Layout, arrival: &Arrival) -> Result<AtStake> {
        let path = Archive::of(&self.places.data).path_of(&arrival.sha256);
        let lying = Lying { path: &path, cancel: &self.order.cancel };
        let mut at_stake = AtStake::default();
        let read = match packing(&arrival.name, &path) {
            Ok(packing) => ingest::amounts(&mut lying.open()?, packing, layout, &mut |row| {
                add(&mut at_stake, &row);
            }),
            Err(stop) => Err(stop),
        };
        match read {
            Ok(()) => Ok(at_stake),
            Err(Stop::Refused(_)) => Ok(AtStake::default()),
            Err(Stop::Io(fault)) => Err(fault).context("cannot read a file from the archive"),
            Err(Stop::Taker(fault)) => Err(fault),
        }
    }
}

fn add(at_stake: &mut AtStake, row: &Amount<'_>) {
    at_stake.rows += 1;
    match (row.doc_type, row.counted) {
        (DocType::Invoice | DocType::CreditNote, Some(amount)) => {
            at_stake.amounts.add(row.currency, amount);
        }
        // the amount of a cancellation means nothing
        (DocType::Cancellation, _) | (_, None) => {}
    }
}
