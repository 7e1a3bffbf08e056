//! What to do now, and until when to wait: arithmetic on what is known and the instant it is. No clock, no thread, no store.
//!
//! Answers for: that a slot runs once, that what was missed is caught up once, that retries end. `standing` reads what is known
//! out of the journal.

use crate::batch::{Scheduled, Slot, Why};
use crate::config::Schedule;
use crate::schedule::{Cron, Due, latest, upcoming};
use chrono::{DateTime, Duration, Utc};
use chrono_tz::Tz;

/// Who looks at the clock at least so often has seen every slot come; a longer pause is one in which nobody was there (the
/// machine slept, or its clock was set forward). Waits are shorter than that.
pub(super) const ATTENTION: Duration = Duration::seconds(150);

/// What is done about slots that nobody was there to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CatchUp {
    /// one run makes up for all of them
    Once,
    /// they are passed over
    Never,
}

/// `[schedule]`, ready to be reckoned with.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    cron: Cron,
    zone: Tz,
    pub(super) catch_up: CatchUp,
    retry: Duration,
    retry_for: Duration,
}

impl Plan {
    /// Of a config; the error says what is wrong with the expression.
    pub(super) fn of(schedule: &Schedule) -> Result<Plan, String> {
        let long = |time| Duration::from_std(time).unwrap_or(Duration::MAX);
        Ok(Plan {
            cron: Cron::new(&schedule.cron)?,
            zone: schedule.timezone,
            catch_up: if schedule.catch_up { CatchUp::Once } else { CatchUp::Never },
            retry: long(schedule.retry),
            retry_for: long(schedule.retry_for),
        })
    }

    /// The first slot after an instant.
    pub(super) fn next_after(&self, after: DateTime<Utc>) -> Option<Slot> {
        upcoming(&self.cron, self.zone, after, 1).pop().map(|due| self.slot(due))
    }

    /// The last slot after an instant that has come due.
    pub(super) fn last_due(&self, after: DateTime<Utc>, now: DateTime<Utc>) -> Option<Slot> {
        latest(&self.cron, self.zone, after, now).map(|due| self.slot(due))
    }

    fn slot(&self, due: Due) -> Slot {
        Slot { due: due.at, wall: due.slot, zone: self.zone.name().to_owned() }
    }

    /// A slot that is to be tried again after a run of it that ended at `ended`, the first of which did at `first`;
    /// `None` where retry_for would be over.
    pub(super) fn again(&self, slot: Slot, first: DateTime<Utc>, ended: DateTime<Utc>) -> Option<Pursuit> {
        let next = later(ended, self.retry);
        let until = later(first, self.retry_for);
        (next <= until).then_some(Pursuit {
            scheduled: Scheduled { slot, why: Why::Again },
            first,
            next,
            until,
        })
    }

    /// A slot whose run was stopped, for the first time if `stops` is 1: then it is taken up at once.
    pub(super) fn stopped(
        &self,
        slot: Slot,
        first: DateTime<Utc>,
        last: DateTime<Utc>,
        stops: usize,
    ) -> Option<Pursuit> {
        if self.catch_up == CatchUp::Never {
            return None;
        }
        let scheduled = Scheduled { slot, why: Why::Stopped };
        if stops <= 1 {
            return Some(Pursuit { scheduled, first, next: last, until: DateTime::<Utc>::MAX_UTC });
        }
        self.again(scheduled.slot.clone(), first, last).map(|again| Pursuit { scheduled, ..again })
    }
}

fn later(instant: DateTime<Utc>, by: Duration) -> DateTime<Utc> {
    instant.checked_add_signed(by).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

/// A slot that has run and runs once more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pursuit {
    pub(super) scheduled: Scheduled,
    /// when it first had to be tried again
    pub(super) first: DateTime<Utc>,
    /// not before
    pub(super) next: DateTime<Utc>,
    /// not after
    pub(super) until: DateTime<Utc>,
}

/// Whether a person has asked for a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    No,
    /// once or more often: one run is the answer to all of them
    Yes,
}

/// What is known.
#[derive(Debug, Clone)]
pub(super) struct Known {
    /// slots up to this instant are settled: they have run, or were never due
    pub(super) since: DateTime<Utc>,
    /// the last slot that was missed while nobody served
    pub(super) missed: Option<Slot>,
    pub(super) pursuit: Option<Pursuit>,
    /// until when somebody was there
    pub(super) attended: DateTime<Utc>,
    pub(super) asked: Asked,
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Next {
    /// run, for a slot or for a person who has asked
    Run(Option<Scheduled>),
    /// a slot was missed and is passed over: settled
    Pass(Slot),
    /// a slot is not tried again: settled
    GiveUp(Slot),
    /// wait for this instant, if there is any
    Wait(Option<DateTime<Utc>>),
}

/// What to do at `now`.
pub(super) fn next(plan: &Plan, known: &Known, now: DateTime<Utc>) -> Next {
    if let Some(slot) = plan.last_due(known.since, now) {
        return of_due(plan, known, slot, now);
    }
    // (a clock that was set back meanwhile comes there again)
    if let Some(slot) = known.missed.as_ref().filter(|slot| slot.due <= now) {
        return of_missed(plan, slot.clone());
    }
    if known.asked == Asked::Yes {
        return Next::Run(None);
    }
    let coming = plan.next_after(known.since.max(now)).map(|slot| slot.due);
    match &known.pursuit {
        Some(pursuit) if now > pursuit.until => Next::GiveUp(pursuit.scheduled.slot.clone()),
        Some(pursuit) if now >= pursuit.next => Next::Run(Some(pursuit.scheduled.clone())),
        Some(pursuit) => Next::Wait(coming.into_iter().chain([pursuit.next]).min()),
        None => Next::Wait(coming),
    }
}

fn of_due(plan: &Plan, known: &Known, slot: Slot, now: DateTime<Utc>) -> Next {
    if slot.due <= known.attended || now - known.attended <= ATTENTION {
        return Next::Run(Some(Scheduled { slot, why: Why::Due }));
    }
    of_missed(plan, slot)
}

fn of_missed(plan: &Plan, slot: Slot) -> Next {
    match plan.catch_up {
        CatchUp::Once => Next::Run(Some(Scheduled { slot, why: Why::Missed })),
        CatchUp::Never => Next::Pass(slot),
    }
}

impl Known {
    /// A run begins: whatever it answers is settled, as it will be in the journal. Whether it ends well is for
    /// [`Known::ended`].
    pub(super) fn begins(&mut self, scheduled: Option<&Scheduled>) {
        self.asked = Asked::No;
        let Some(Scheduled { slot, why }) = scheduled else { return };
        match why {
            Why::Due | Why::Missed => self.settle(slot),
            Why::Again | Why::Stopped => {}
        }
    }

    /// A slot will not run (any more).
    pub(super) fn settle(&mut self, slot: &Slot) {
        self.since = self.since.max(slot.due);
        self.missed = None;
        self.pursuit = None;
    }

    /// A run has ended at `now`, temporarily without success or in some other way.
    pub(super) fn ended(
        &mut self,
        plan: &Plan,
        scheduled: Option<&Scheduled>,
        how: Ended,
        now: DateTime<Utc>,
    ) {
        self.attended = now;
        let Some(Scheduled { slot, .. }) = scheduled else { return };
        let first = self.pursuit.take().map_or(now, |pursuit| match pursuit.scheduled.why {
            Why::Again => pursuit.first,
            Why::Due | Why::Missed | Why::Stopped => now,
        });
        self.pursuit = match how {
            Ended::Temporarily => plan.again(slot.clone(), first, now),
            Ended::ForGood => None,
        };
    }
}

/// How a run has ended, as far as a schedule is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// exit 5: it may go better later
    Temporarily,
    /// any other exit: done, or nothing that mends itself
    ForGood,
}

#[cfg(test)]
mod tests;
