//! Post: position minus what the ledger holds, one transaction a cycle, in order; with it the cycle closes and is published.

use super::Run;
use super::accounts::{Accounts, Balances};
use super::closing::ClosingPlan;
use super::drafting::{BATCH, Cycling, Difference, Standing};
use super::drift::{self, Drift};
use super::evaluating::{name_of, subject, subject_of};
use super::progress::Step;
use super::publishing::ClosedPapers;
use super::report::CycleLine;
use crate::calendar::Cycle;
use crate::domain::chain;
use crate::domain::entry::Entry;
use crate::domain::points::Points;
use crate::scheme::Family;
use crate::store::Store;
use crate::store::holds::{HoldState, NewHold, Opened};
use crate::store::positions::Kept;
use anyhow::{Context, Result, anyhow};
use rust_decimal::Decimal;
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::mpsc::sync_channel;
use std::thread::Builder;

/// Batches that may wait for the ledger.
const DRAFTS: usize = 2;

/// One line for what was posted, one for a cycle that has closed, one for each folder that was published.
fn log(line: &CycleLine) {
    let CycleLine { scheme, cycle, partners, entries, points, closed, published } = line;
    if *entries > 0 {
        tracing::info!(%scheme, %cycle, entries, partners, %points, "posted");
    }
    if *closed {
        tracing::info!(%scheme, %cycle, "cycle closed");
    }
    for folder in published {
        tracing::info!(%scheme, %cycle, %folder, "published");
    }
}

impl Run<'_> {
    /// Posts every cycle that has something to post, closes those that close, publishes.
    pub(super) fn post(
        &mut self,
        family: &Family,
        plan: &ClosingPlan,
        mut papers: ClosedPapers,
    ) -> Result<()> {
        let unsettled = self.store.unsettled_cycles(&family.id)?.into_iter().map(Cycle);
        let cycles: BTreeSet<Cycle> =
            unsettled.chain(papers.cycles()).chain(plan.closing.iter().copied()).collect();
        let mut balances = None;
        for cycle in cycles {
            self.go_on()?;
            self.store.begin()?;
            let done = self.post_cycle(family, plan, cycle, &mut papers, &mut balances);
            match done {
                Ok(line) => {
                    self.store.commit()?;
                    self.place_all()?;
                    log(&line);
                    self.report.cycles.push(line);
                }
                Err(fault) => {
                    self.store.rollback()?;
                    return Err(fault);
                }
            }
        }
        Ok(())
    }

    fn post_cycle(
        &mut self,
        family: &Family,
        plan: &ClosingPlan,
        cycle: Cycle,
        papers: &mut ClosedPapers,
        balances: &mut Option<Balances>,
    ) -> Result<CycleLine> {
        let version =
            family.version_for(cycle).or_else(|| family.versions.last()).context("a scheme has a version")?;
        let name = name_of(family, cycle);
        let cycling = Cycling {
            family,
            version,
            cycle,
            standing: Standing::of(version, plan, cycle),
            today: plan.today,
            fresh: plan.closing.contains(&cycle) && !self.store.has_postings(&family.id, &name)?,
            drifts: self.store.has_holds(drift::KIND)?,
            name: &name,
        };
        let mut line = CycleLine {
            scheme: family.id.clone(),
            cycle: cycling.name.to_owned(),
            partners: 0,
            entries: 0,
            points: Points::ZERO,
            closed: false,
            published: Vec::new(),
        };
        self.order.progress.tell(Step::Posting { scheme: &cycling.family.id, cycle: cycling.name });
        let before = self.store.ledger_head()?.0;
        let accounts = match cycling.standing {
            Standing::Closing => {
                let accounts = self.accounts(&cycling, balances)?;
                Some(self.post_closing(&cycling, accounts, &mut line)?)
            }
            Standing::Open | Standing::Closed | Standing::Locked => {
                self.post_unsettled(&cycling, &mut line)?;
                None
            }
        };
        self.store.settle_cycle(&family.id, cycle.0)?;
        self.note_posted(&cycling, before, &line)?;
        if cycling.standing == Standing::Closing {
            self.close_cycle(&cycling)?;
            line.closed = true;
        }
        let mut paper = papers.take(cycle);
        if cycling.standing == Standing::Closing && paper.is_none() {
            paper = Some(self.empty_papers(version, cycle)?);
        }
        line.published.extend(self.publish_papers(version, cycle, paper)?);
        if let Some(accounts) = accounts {
            let (folder, closing) = self.publish_statement(version, cycle, accounts)?;
            line.published.push(folder);
            *balances = Some(closing);
        }
        Ok(line)
    }

    /// Journals which entries were posted: what they rest on is what the journal knew before this record.
    fn note_posted(&mut self, cycling: &Cycling<'_>, before: i64, line: &CycleLine) -> Result<()> {
        if line.entries == 0 {
            return Ok(());
        }
        let last = self.store.ledger_head()?.0;
        let posted = json!({
            "scheme": cycling.family.id, "cycle": cycling.name, "first": before + 1, "last": last,
            "points": line.points.0,
        });
        self.store.append(&self.stamp, "posted", &posted).map(drop)
    }

    /// The statement of a closing cycle, begun with the balances that the one before has left.
    fn accounts<'c>(&self, cycling: &Cycling<'c>, balances: &mut Option<Balances>) -> Result<Accounts<'c>> {
        let before = match balances.take() {
            Some(balances) => balances,
            None => Balances::load(self, &cycling.family.id)?,
        };
        Accounts::begin(self, cycling.version, cycling.name, cycling.today, before)
    }

    fn close_cycle(&mut self, cycling: &Cycling<'_>) -> Result<()> {
        let reason = self
            .order
            .close
            .as_ref()
            .filter(|by_hand| by_hand.scheme == cycling.family.id && by_hand.cycle == cycling.name)
            .map_or("", |by_hand| by_hand.reason.as_str());
        let version = cycling.family.version_for(cycling.cycle).map(|version| version.version.as_str());
        self.store.close(
            &self.stamp,
            &cycling.family.id,
            (cycling.cycle.0, cycling.name),
            cycling.today,
            version,
            reason,
        )?;
        Ok(())
    }

    /// Positions that posting has not dealt with, of a cycle that does not close now.
    fn post_unsettled(&mut self, cycling: &Cycling<'_>, line: &mut CycleLine) -> Result<()> {
        for batch in self.store.unsettled(&cycling.family.id, cycling.cycle.0)?.chunks(BATCH) {
            let mut entries = Vec::with_capacity(batch.len());
            for kept in batch {
                entries.extend(self.entry(cycling, kept)?);
            }
            chain::append(self.store.ledger_head()?, &mut entries);
            self.store.post(&entries)?;
            cycling.count(&entries, line)?;
        }
        Ok(())
    }

    /// Every position of a cycle that closes: its entries and the accounts of its statement are worked out by a thread of its
    /// own while the ones before are written to the ledger.
    fn post_closing<'s>(
        &mut self,
        cycling: &Cycling<'_>,
        accounts: Accounts<'s>,
        line: &mut CycleLine,
    ) -> Result<Accounts<'s>> {
        let store = Store::open_reading(&self.places.data)?.context("the store is not there any more")?;
        let store = store.keeping_few_pages()?;
        let (stamp, head) = (&self.stamp, self.store.ledger_head()?);
        std::thread::scope(|scope| {
            let (drafts, drafted) = sync_channel::<Vec<Entry>>(DRAFTS);
            let drafting = Builder::new()
                .name("draft".to_owned())
                .spawn_scoped(scope, move || cycling.draft((&store, stamp), head, accounts, &drafts))?;
            let mut posted = Ok(());
            for entries in &drafted {
                posted = self.store.post(&entries).and_then(|()| cycling.count(&entries, line));
                if posted.is_err() {
                    break;
                }
            }
            // whoever still drafts must not wait for us
            drop(drafted);
            let accounts = drafting.join().map_err(|_panic| anyhow!("drafting the entries stopped"))?;
            posted.and(accounts)
        })
    }

    /// The entry that brings the ledger to a position, if there is a difference and nothing holds it.
    fn entry(&mut self, cycling: &Cycling<'_>, kept: &Kept) -> Result<Option<Entry>> {
        let drift = self.drift(cycling, kept)?;
        let whole = cycling.difference(&self.store, kept)?.less(drift.points, drift.amount)?;
        let (difference, reason) = self.allowed(cycling, kept, &drift, whole)?;
        cycling.entry(&self.stamp, kept, difference, &reason)
    }

    /// What is held of a position since another version worked it out.
    fn drift(&self, cycling: &Cycling<'_>, kept: &Kept) -> Result<Drift> {
        match cycling.drifts {
            true => drift::drift(&self.store, &subject(&cycling.family.id, kept)),
            false => Ok(Drift::default()),
        }
    }

    /// Of a difference what may be posted now, and why it is: in a locked cycle what a person has released.
    fn allowed(
        &mut self,
        cycling: &Cycling<'_>,
        kept: &Kept,
        drift: &Drift,
        whole: Difference,
    ) -> Result<(Difference, String)> {
        let released = match &drift.released {
            Some(hold) => {
                self.carry_out(hold)?;
                hold.points
            }
            None => Points::ZERO,
        };
        let news =
            whole.points.checked_sub(released).context("the difference is more than a ledger can hold")?;
        let passes = cycling.standing != Standing::Locked || self.lets_through(cycling, kept, news)?;
        Ok(match (passes, &drift.released) {
            (true, None) => (whole, kept.reason.clone()),
            (true, Some(_)) if news == Points::ZERO => (whole, drift::REASON.to_owned()),
            (true, Some(_)) => (whole, format!("{}, {}", kept.reason, drift::REASON)),
            (false, Some(hold)) => {
                (Difference::of(kept, hold.points, hold.amount)?, drift::REASON.to_owned())
            }
            (false, None) => (whole.less(whole.points, Decimal::ZERO)?, String::new()),
        })
    }

    /// In a locked cycle a difference is proposed, and posted only once a person has released exactly it.
    fn lets_through(&mut self, cycling: &Cycling<'_>, kept: &Kept, points: Points) -> Result<bool> {
        let subject = subject(&cycling.family.id, kept);
        let last = self.store.last_hold("cycle_locked", &subject)?;
        let seq = self.store.journal_head()?.0;
        if let Some(hold) = &last {
            match hold.state {
                HoldState::Released if hold.points == points => {
                    self.store.end_hold(hold.id, HoldState::Done, seq)?;
                    return Ok(true);
                }
                HoldState::Discarded if hold.points == points => return Ok(false),
                HoldState::Open if points == Points::ZERO => {
                    self.store.end_hold(hold.id, HoldState::Gone, seq)?;
                    return Ok(false);
                }
                HoldState::Open
                | HoldState::Released
                | HoldState::Discarded
                | HoldState::Gone
                | HoldState::Done => {}
            }
        }
        if points == Points::ZERO {
            return Ok(false);
        }
        let new = NewHold {
            kind: "cycle_locked",
            subject,
            scheme: cycling.family.id.clone(),
            cycle: cycling.name.to_owned(),
            partner: kept.partner.clone(),
            file: None,
            line: None,
            lines: 0,
            amount: Decimal::ZERO,
            points: points.0,
            detail: format!("a correction proposed after lock_after_days: {}", kept.reason),
        };
        if self.store.open_hold(seq, &new)? == Opened::New {
            self.report.new_holds.push(new);
        }
        Ok(false)
    }
}

/// Of the points over `[limits] accrual` of a position, in millionths, those that nobody has released.
pub(super) fn waits_over_limit(store: &Store, subject: &str, held: Points) -> Result<i64> {
    if held == Points::ZERO {
        return Ok(0);
    }
    let released = store.released_points("over_limit", subject)?;
    Ok((held.0 - released).max(0))
}

/// Of `held` points over a limit those that waited when the journal record `upto` was the last.
pub fn over_limit_upto(
    store: &Store,
    (scheme, cycle, partner): (&str, Cycle, &str),
    held: Points,
    upto: i64,
) -> Result<Points> {
    if held == Points::ZERO {
        return Ok(held);
    }
    let subject = subject_of(scheme, cycle.0, partner);
    let released = store.released_points_upto("over_limit", &subject, upto)?;
    Ok(Points(held.0.saturating_sub(released).max(0)))
}

/// What holds keep from being posted, in millionths of points, of a position with `held` points over the limit whose
/// posted points differ by `difference` from all that is due: for `verify`.
pub fn withheld(
    store: &Store,
    (scheme, cycle, partner): (&str, Cycle, &str),
    held: Points,
    difference: i64,
) -> Result<i64> {
    let subject = subject_of(scheme, cycle.0, partner);
    let drift = drift::drift(store, &subject)?;
    let drift = drift.points.0.saturating_add(drift.released.map_or(0, |hold| hold.points.0));
    let over = waits_over_limit(store, &subject, held)?.saturating_add(drift);
    let rest = difference.saturating_sub(over);
    let locked = store.last_hold("cycle_locked", &subject)?.is_some_and(|hold| {
        let waits = match hold.state {
            HoldState::Open | HoldState::Released | HoldState::Discarded => true,
            HoldState::Gone | HoldState::Done => false,
        };
        waits && hold.points.0 == rest
    });
    Ok(if locked { difference } else { over })
}
