//! Files set aside whole: their rows are neither judged nor counted until a person lets them be read.

use super::Store;
use super::files::{Arrival, Counts, FileRow, FileState};
use super::holds::{HoldState, NewHold};
use super::intake::Outcome;
use super::journal::Stamp;
use crate::facts::amounts::Amounts;
use anyhow::Result;
use rust_decimal::Decimal;

/// What waits with a file that is set aside whole.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AtStake {
    /// data rows; none where it cannot be read
    pub rows: u64,
    /// its amounts as they would count
    pub amounts: Amounts,
}

impl AtStake {
    /// The money, where it is of one currency; else in words.
    fn money(&self) -> (Decimal, String) {
        match self.amounts.only() {
            Some(amount) => (amount, String::new()),
            None => {
                let told = self.amounts.words(|sum| sum.normalize().to_string());
                (Decimal::ZERO, format!("; at stake are {told}"))
            }
        }
    }
}

/// Said of a file whose bytes were held before: they wait with that hold, or were decided about.
pub const HELD_BEFORE: &str = "held_before";

/// Kinds of holds on whole files.
pub const FILE_HOLDS: [&str; 4] =
    ["same_file_other_feed", "several_of_period", "void_over_limit", "totals_disagree"];

impl Store {
    /// Holds a file whole. The same bytes that a person has been asked about before for the same reason are a duplicate of
    /// that question: nobody is asked twice.
    pub fn hold_file(
        &mut self,
        stamp: &Stamp,
        arrival: &Arrival,
        kind: &'static str,
        detail: String,
        at_stake: &AtStake,
    ) -> Result<Outcome> {
        self.whole(|store| store.put_aside(stamp, arrival, kind, detail, at_stake))
    }

    /// Holds files that contradict one another: all of them or none.
    pub fn hold_files(
        &mut self,
        stamp: &Stamp,
        arrivals: &[(&Arrival, String, AtStake)],
        kind: &'static str,
    ) -> Result<Vec<Outcome>> {
        self.whole(|store| {
            let held = arrivals
                .iter()
                .map(|(arrival, why, at_stake)| store.put_aside(stamp, arrival, kind, why.clone(), at_stake));
            held.collect()
        })
    }

    fn put_aside(
        &self,
        stamp: &Stamp,
        arrival: &Arrival,
        kind: &'static str,
        detail: String,
        at_stake: &AtStake,
    ) -> Result<Outcome> {
        if let Some((id, state)) = self.asked_before(arrival, kind, &detail)? {
            let detail = match state {
                HoldState::Open => format!("the same bytes wait already: hold {id} ({kind})"),
                HoldState::Released | HoldState::Discarded | HoldState::Gone | HoldState::Done => {
                    format!("the same bytes were held before: hold {id} ({kind}) is {}", state.word())
                }
            };
            return self.put_duplicate(stamp, arrival, (HELD_BEFORE, detail));
        }
        let rows = at_stake.rows;
        let counts = Counts { rows, held: rows, ..Counts::default() };
        let seq = self.record_file(stamp, arrival, FileState::Held, (kind, &detail), &counts)?;
        let (amount, money) = at_stake.money();
        let hold = NewHold {
            kind,
            subject: seq.to_string(),
            scheme: String::new(),
            cycle: String::new(),
            partner: String::new(),
            file: Some(seq),
            line: None,
            lines: rows,
            amount,
            points: 0,
            detail: format!("{}: {detail}{money}", arrival.name),
        };
        self.open_hold(seq, &hold)?;
        Ok(Outcome { hold: Some(hold), ..Outcome::of(seq, FileState::Held, (kind, detail), counts) })
    }

    /// Records a file whose bytes say nothing again.
    pub fn note_duplicate(
        &mut self,
        stamp: &Stamp,
        arrival: &Arrival,
        said: (&str, String),
    ) -> Result<Outcome> {
        self.whole(|store| store.put_duplicate(stamp, arrival, said))
    }

    fn put_duplicate(
        &self,
        stamp: &Stamp,
        arrival: &Arrival,
        (reason, detail): (&str, String),
    ) -> Result<Outcome> {
        let counts = Counts::default();
        let seq = self.record_file(stamp, arrival, FileState::Duplicate, (reason, &detail), &counts)?;
        Ok(Outcome::of(seq, FileState::Duplicate, (reason, detail), counts))
    }

    /// Whether a person has let these bytes be read although they were held for this reason.
    pub fn released_before(&self, arrival: &Arrival, kind: &str) -> Result<bool> {
        for file in self.files_of_bytes(&arrival.feed, &arrival.sha256, FileState::Held)? {
            let hold = self.last_hold(kind, &file.seq.to_string())?;
            if hold.is_some_and(|hold| hold.state == HoldState::Done) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The last hold on the same bytes of a feed for the same reason.
    fn asked_before(&self, arrival: &Arrival, kind: &str, detail: &str) -> Result<Option<(i64, HoldState)>> {
        let held = self.files_of_bytes(&arrival.feed, &arrival.sha256, FileState::Held)?;
        // other control totals are another question
        let same =
            |file: &&FileRow| file.reason == kind && (kind != "totals_disagree" || file.detail == detail);
        for file in held.iter().rev().filter(same) {
            if let Some(hold) = self.last_hold(kind, &file.seq.to_string())? {
                return Ok(Some((hold.id, hold.state)));
            }
        }
        Ok(None)
    }

    /// Ends the holds on files that a newer one has made idle.
    pub(super) fn end_idle_holds(&self, files: &[i64], seq: i64) -> Result<()> {
        for file in files {
            for kind in FILE_HOLDS {
                if let Some(hold) = self.last_hold(kind, &file.to_string())?
                    && hold.state == HoldState::Open
                {
                    self.end_hold(hold.id, HoldState::Gone, seq)?;
                }
            }
        }
        Ok(())
    }
}
