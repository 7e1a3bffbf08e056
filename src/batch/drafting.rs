//! What a cycle's posting consists of: from a position and what the ledger holds to the entry that is missing.
//!
//! Reads the store and writes nothing into it: of a cycle that closes, entries and accounts are worked out by a thread of its
//! own. Holding back and writing are posting's.

use super::accounts::Accounts;
use super::closing::ClosingPlan;
use super::evaluating::subject;
use super::posting::waits_over_limit;
use super::report::CycleLine;
use crate::calendar::Cycle;
use crate::domain::chain;
use crate::domain::entry::{Entry, EntryKind};
use crate::domain::points::Points;
use crate::scheme::{Family, Scheme};
use crate::store::Store;
use crate::store::journal::Stamp;
use crate::store::positions::Kept;
use anyhow::{Context, Result, anyhow};
use chrono::{Days, NaiveDate};
use rust_decimal::Decimal;
use std::sync::mpsc::SyncSender;

/// Positions of which the entries are handed to the ledger at once.
pub(super) const BATCH: usize = 1_024;

/// What a posting for a cycle is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// open: accruals
    Open,
    /// closes with this posting: accruals
    Closing,
    /// closed: corrections
    Closed,
    /// closed for so long that differences wait for a person
    Locked,
}

/// One cycle's posting.
pub(super) struct Cycling<'c> {
    pub family: &'c Family,
    pub version: &'c Scheme,
    pub cycle: Cycle,
    pub name: &'c str,
    pub standing: Standing,
    pub today: NaiveDate,
    /// whether the ledger can hold anything of this cycle
    pub fresh: bool,
    /// whether anything was ever held for what another version made otherwise
    pub drifts: bool,
}

impl Standing {
    /// Of a cycle, today.
    pub(super) fn of(version: &Scheme, plan: &ClosingPlan, cycle: Cycle) -> Standing {
        if plan.closing.contains(&cycle) {
            return Standing::Closing;
        }
        let Some(closed) = plan.closed.get(&cycle) else { return Standing::Open };
        let locked = version.lock_after_days.is_some_and(|days| {
            closed.day.checked_add_days(Days::new(u64::from(days))).is_some_and(|until| plan.today > until)
        });
        if locked { Standing::Locked } else { Standing::Closed }
    }
}

/// What is to be posted for a position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Difference {
    pub points: Points,
    /// of the measure, what entries account for already
    accounted: Decimal,
}

impl Difference {
    /// Of a position: these points, which account for so much of its measure.
    pub(super) fn of(kept: &Kept, points: Points, amount: Decimal) -> Result<Difference> {
        Ok(Difference { points, accounted: measure(kept)? - amount })
    }

    /// Without these points, and the measure that goes with them.
    pub(super) fn less(self, points: Points, amount: Decimal) -> Result<Difference> {
        let rest = self.points.checked_sub(points);
        Ok(Difference {
            points: rest.context("the difference to post is more than a ledger can hold")?,
            accounted: self.accounted + amount,
        })
    }
}

fn measure(kept: &Kept) -> Result<Decimal> {
    kept.measure.parse().map_err(|_| anyhow!("{:?} is not a measure", kept.measure))
}

impl Cycling<'_> {
    /// Works out the entries of all positions and gives them batch by batch; the accounts of all those partners.
    pub(super) fn draft<'s>(
        &self,
        (store, stamp): (&Store, &Stamp),
        mut head: (i64, String),
        mut accounts: Accounts<'s>,
        drafts: &SyncSender<Vec<Entry>>,
    ) -> Result<Accounts<'s>> {
        let mut after = String::new();
        loop {
            let batch = store.positions_after(&self.family.id, self.cycle.0, &after, BATCH)?;
            let Some(last) = batch.last() else { return Ok(accounts) };
            after.clone_from(&last.partner);
            let mut entries = Vec::with_capacity(batch.len());
            for kept in &batch {
                entries.extend(self.entry(stamp, kept, self.difference(store, kept)?, &kept.reason)?);
            }
            head = chain::append(head, &mut entries);
            let mut of_partners = entries.iter().peekable();
            for kept in &batch {
                let entry = of_partners.next_if(|entry| entry.partner_code == kept.partner);
                accounts.add(store, kept, entry)?;
            }
            if drafts.send(entries).is_err() {
                // whoever posts has failed, and says why
                return Ok(accounts);
            }
        }
    }

    /// Adds entries to what the cycle's line of the report tells.
    pub(super) fn count(&self, entries: &[Entry], line: &mut CycleLine) -> Result<()> {
        line.partners += entries.len() as u64;
        line.entries += entries.len() as u64;
        for entry in entries {
            line.points.0 = line.points.0.checked_add(entry.points.0).ok_or_else(|| {
                anyhow!("the points of cycle {} are more than a ledger can hold", self.name)
            })?;
        }
        Ok(())
    }

    /// What is due now (of what is over the limit the part that persons have released) less what the ledger holds.
    pub(super) fn difference(&self, store: &Store, kept: &Kept) -> Result<Difference> {
        let scheme = &self.family.id;
        let waits = match kept.held {
            Points::ZERO => 0,
            held => waits_over_limit(store, &subject(scheme, kept), held)?,
        };
        let due = kept.points.0 - waits;
        let (posted, accounted) = if self.fresh {
            (Points::ZERO, Decimal::ZERO)
        } else {
            store.posted(scheme, self.name, &kept.partner)?
        };
        let points =
            due.checked_sub(posted.0).context("the difference to post is more than a ledger can hold")?;
        Ok(Difference { points: Points(points), accounted })
    }

    /// The entry of a difference, not yet numbered; none where there is no difference.
    pub(super) fn entry(
        &self,
        stamp: &Stamp,
        kept: &Kept,
        difference: Difference,
        reason: &str,
    ) -> Result<Option<Entry>> {
        let Difference { points, accounted } = difference;
        if points == Points::ZERO {
            return Ok(None);
        }
        let (kind, reason) = match self.standing {
            Standing::Open | Standing::Closing => (EntryKind::Accrual, String::new()),
            Standing::Closed | Standing::Locked => (EntryKind::Correction, reason.to_owned()),
        };
        Ok(Some(Entry {
            entry: 0,
            posted_at: stamp.at.clone(),
            posting_date: self.today,
            scheme: self.family.id.clone(),
            cycle: self.name.to_owned(),
            partner_code: kept.partner.clone(),
            kind,
            points,
            amount: measure(kept)? - accounted,
            tier: kept.tier.clone(),
            reference: String::new(),
            against: String::new(),
            expires_on: None,
            reason,
            run: stamp.run,
            actor: "accrued".to_owned(),
            scheme_version: self.version.version.clone(),
            hash: String::new(),
        }))
    }
}
