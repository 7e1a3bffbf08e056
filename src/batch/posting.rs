//! Post: position minus what the ledger holds, one transaction a cycle, in order; with it the cycle closes and is published.

use super::Run;
use super::accounts::{Accounts, Balances};
use super::closing::ClosingPlan;
use super::evaluating::{name_of, subject, subject_of};
use super::progress::Step;
use super::publishing::Papers;
use super::report::CycleLine;
use crate::calendar::Cycle;
use crate::domain::entry::{Entry, EntryKind};
use crate::domain::points::Points;
use crate::scheme::{Family, Scheme};
use crate::store::Store;
use crate::store::holds::{HoldState, NewHold, Opened};
use crate::store::positions::Kept;
use anyhow::{Context, Result, anyhow};
use chrono::{Days, NaiveDate};
use rust_decimal::Decimal;
use serde_json::json;
use std::collections::BTreeSet;

/// Entries handed to the ledger at once.
const BATCH: usize = 1_024;

/// What a posting for a cycle is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
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
struct Cycling<'c> {
    family: &'c Family,
    version: &'c Scheme,
    cycle: Cycle,
    name: &'c str,
    standing: Standing,
    today: NaiveDate,
    /// whether the ledger can hold anything of this cycle
    fresh: bool,
}

impl Run<'_> {
    /// Posts every cycle that has something to post, closes those that close, publishes.
    pub(super) fn post(&mut self, family: &Family, plan: &ClosingPlan, mut papers: Papers) -> Result<()> {
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
        papers: &mut Papers,
        balances: &mut Option<Balances>,
    ) -> Result<CycleLine> {
        let version =
            family.version_for(cycle).or_else(|| family.versions.last()).context("a scheme has a version")?;
        let name = name_of(family, cycle);
        let cycling = Cycling {
            family,
            version,
            cycle,
            standing: standing(version, plan, cycle),
            today: plan.today,
            fresh: plan.closing.contains(&cycle) && !self.store.has_postings(&family.id, &name)?,
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
        let mut accounts = match cycling.standing {
            Standing::Closing => Some(self.accounts(&cycling, balances)?),
            Standing::Open | Standing::Closed | Standing::Locked => None,
        };
        let before = self.store.ledger_head()?.0;
        self.post_positions(&cycling, accounts.as_mut(), &mut line)?;
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

    fn post_positions(
        &mut self,
        cycling: &Cycling<'_>,
        mut accounts: Option<&mut Accounts<'_>>,
        line: &mut CycleLine,
    ) -> Result<()> {
        let (scheme, cycle) = (cycling.family.id.as_str(), cycling.cycle.0);
        match cycling.standing {
            Standing::Closing => {
                let mut after = String::new();
                loop {
                    let batch = self.store.positions_after(scheme, cycle, &after, BATCH)?;
                    let Some(last) = batch.last() else { break };
                    after.clone_from(&last.partner);
                    self.post_batch(cycling, &batch, accounts.as_deref_mut(), line)?;
                }
            }
            Standing::Open | Standing::Closed | Standing::Locked => {
                for batch in self.store.unsettled(scheme, cycle)?.chunks(BATCH) {
                    self.post_batch(cycling, batch, None, line)?;
                }
            }
        }
        self.store.settle_cycle(scheme, cycle)
    }

    fn post_batch(
        &mut self,
        cycling: &Cycling<'_>,
        batch: &[Kept],
        accounts: Option<&mut Accounts<'_>>,
        line: &mut CycleLine,
    ) -> Result<()> {
        let mut entries = Vec::with_capacity(batch.len());
        for kept in batch {
            entries.extend(self.entry(cycling, kept)?);
        }
        self.store.post(&mut entries)?;
        line.partners += entries.len() as u64;
        line.entries += entries.len() as u64;
        for entry in &entries {
            line.points.0 = line.points.0.checked_add(entry.points.0).ok_or_else(|| {
                anyhow!("the points of cycle {} are more than a ledger can hold", cycling.name)
            })?;
        }
        if let Some(accounts) = accounts {
            let mut entries = entries.iter().peekable();
            for kept in batch {
                let entry = entries.next_if(|entry| entry.partner_code == kept.partner);
                accounts.add(&self.store, kept, entry)?;
            }
        }
        Ok(())
    }

    /// The entry that brings the ledger to a position, if there is a difference and nothing holds it.
    fn entry(&mut self, cycling: &Cycling<'_>, kept: &Kept) -> Result<Option<Entry>> {
        let due = self.due(cycling, kept)?;
        let (posted, accounted) = if cycling.fresh {
            (Points::ZERO, Decimal::ZERO)
        } else {
            self.store.posted(&cycling.family.id, cycling.name, &kept.partner)?
        };
        let points = Points(
            due.0.checked_sub(posted.0).context("the difference to post is more than a ledger can hold")?,
        );
        if cycling.standing == Standing::Locked && !self.lets_through(cycling, kept, points)? {
            return Ok(None);
        }
        if points == Points::ZERO {
            return Ok(None);
        }
        let measure: Decimal =
            kept.measure.parse().map_err(|_| anyhow!("{:?} is not a measure", kept.measure))?;
        let kind = match cycling.standing {
            Standing::Open | Standing::Closing => EntryKind::Accrual,
            Standing::Closed | Standing::Locked => EntryKind::Correction,
        };
        let reason = if kind == EntryKind::Correction { kept.reason.clone() } else { String::new() };
        Ok(Some(Entry {
            entry: 0,
            posted_at: self.stamp.at.clone(),
            posting_date: cycling.today,
            scheme: cycling.family.id.clone(),
            cycle: cycling.name.to_owned(),
            partner_code: kept.partner.clone(),
            kind,
            points,
            amount: measure - accounted,
            tier: kept.tier.clone(),
            reference: String::new(),
            against: String::new(),
            expires_on: None,
            reason,
            run: self.stamp.run,
            actor: "accrued".to_owned(),
            scheme_version: cycling.version.version.clone(),
            hash: String::new(),
        }))
    }

    /// What is due now: of what is over the limit the part that persons have released.
    fn due(&self, cycling: &Cycling<'_>, kept: &Kept) -> Result<Points> {
        let waits = waits_over_limit(&self.store, &cycling.family.id, kept)?;
        Ok(Points(kept.points.0 - waits))
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

/// Millionths of points over `[limits] accrual` that nobody has released.
pub(super) fn waits_over_limit(store: &Store, scheme: &str, kept: &Kept) -> Result<i64> {
    waits_of(store, &subject(scheme, kept), kept.held)
}

fn waits_of(store: &Store, subject: &str, held: Points) -> Result<i64> {
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
    let over = waits_of(store, &subject, held)?;
    let rest = difference - over;
    let locked = store.last_hold("cycle_locked", &subject)?.is_some_and(|hold| {
        let waits = match hold.state {
            HoldState::Open | HoldState::Released | HoldState::Discarded => true,
            HoldState::Gone | HoldState::Done => false,
        };
        waits && hold.points.0 == rest
    });
    Ok(if locked { difference } else { over })
}

fn standing(version: &Scheme, plan: &ClosingPlan, cycle: Cycle) -> Standing {
    if plan.closing.contains(&cycle) {
        return Standing::Closing;
    }
    let Some(closed) = plan.closed.get(&cycle) else { return Standing::Open };
    let locked = version.lock_after_days.is_some_and(|days| {
        closed.day.checked_add_days(Days::new(u64::from(days))).is_some_and(|until| plan.today > until)
    });
    if locked { Standing::Locked } else { Standing::Closed }
}
