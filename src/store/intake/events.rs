//! Taking a file of payments or deposits: whole or not at all, in memory that does not grow with it.
//!
//! Rows are sorted by event, so that all that the file says of one is judged together, against what speaks of it
//! (`facts::money` has the rules). Rows are kept also where they say nothing new: were the file that said it first to fall
//! silent, they would speak.

use super::super::Store;
use super::super::files::{Arrival, Counts};
use super::super::holds::NewHold;
use super::super::journal::Stamp;
use super::super::money::Heard;
use super::super::moved::Moved;
use super::super::sorter::Sorter;
use super::feeder::Issuers;
use super::weight::too_much_void;
use super::{Attempt, GivenUp, Intake, REFUSED_SAMPLE, Reading, Reject, refuse_if_too_many};
use crate::facts::money::{EventKind, Money};
use crate::facts::movement::{self, Movement, Sum};
use crate::facts::settle::{Decision, Verdict};
use anyhow::{Context, Result};
use chrono::NaiveDate;
use rust_decimal::Decimal;
use std::collections::{BTreeMap, BTreeSet};

/// Kind of the holds on events that came again with other content.
pub const EVENT_CONFLICT: &str = "event_conflict";

/// The file that is taken.
#[derive(Debug, Clone, Copy)]
struct Taking<'d> {
    seq: i64,
    /// its place in the order of ingestion
    rank: i64,
    kind: EventKind,
    /// whether other files fall silent for it
    replaces: bool,
    /// what persons said of events that came again
    decisions: &'d [Decision],
}

/// Gives each row or reject of a file to the function it is handed.
type Take<'t> = dyn FnMut(Result<Money, Reject>) -> Result<()> + 't;

/// What was read.
struct Fed {
    reading: Reading,
    rows: Sorter,
    issuers: Issuers,
}

/// A row, and which of the contents that its file has for the same invoice it is.
struct Taken {
    take: u32,
    money: Money,
}

impl Store {
    /// Takes one file of payments or deposits in one transaction.
    pub fn take_events(
        &mut self,
        stamp: &Stamp,
        arrival: &Arrival,
        intake: &Intake,
        kind: EventKind,
        read: impl FnOnce(&mut Take<'_>) -> Result<Reading>,
    ) -> Result<Attempt> {
        self.take(stamp, arrival, |store, sample| {
            let (seq, counts, moved) = store.take_event_rows((arrival, intake), kind, read, sample)?;
            store.keep_moved(seq, &moved)?;
            Ok(store.record_taken(stamp, arrival, seq, String::new(), counts)?)
        })
    }

    fn take_event_rows(
        &self,
        (arrival, intake): (&Arrival, &Intake),
        kind: EventKind,
        read: impl FnOnce(&mut Take<'_>) -> Result<Reading>,
        sample: &mut Vec<Reject>,
    ) -> Result<(i64, Counts, Moved), GivenUp> {
        let seq = self.next_seq()?;
        self.fall_silent(&arrival.silences, seq)?;
        let replaces = !arrival.silences.is_empty();
        let decisions = self.decisions("", None)?;
        let taking = Taking { seq, rank: arrival.rank.unwrap_or(seq), kind, replaces, decisions: &decisions };
        let space = self.space(&intake.documents, intake.scope)?;
        let (mut counts, mut movement) = (Counts::default(), Movement::default());
        let fed = self.read_events(taking, space, intake, read, &mut counts, sample)?;
        fed.reading.whole(&counts)?;
        refuse_if_too_many(intake.max_reject_percent, &counts)?;
        self.insert_issuers(space, &fed.issuers)?;
        let mut merge = fed.rows.finish()?;
        let mut event: Vec<Money> = Vec::new();
        let mut issuer = 0;
        while let Some(record) = merge.next()? {
            let (of, money) = decode(record)?;
            if of != issuer || event.first().is_some_and(|first| first.reference != money.reference) {
                movement.absorb(self.judge_event(
                    taking,
                    issuer,
                    &std::mem::take(&mut event),
                    &mut counts,
                )?);
            }
            issuer = of;
            event.push(money);
        }
        movement.absorb(self.judge_event(taking, issuer, &event, &mut counts)?);
        for event in self.events_gone(taking, &arrival.silences)? {
            movement.absorb(self.event_moved(taking, (event.0, &event.1))?);
        }
        if taking.rank != seq {
            // read again, it comes before files that have spoken of its events since, and of other invoices perhaps
            self.mark_paid_in_stale(seq)?;
        }
        if let (Some(most), true) = (intake.max_void_percent, taking.replaces) {
            let (carried, void) = self.void_events(&arrival.silences)?;
            if let Some(detail) = too_much_void(&void, &carried, most) {
                return Err(GivenUp::Held { kind: "void_over_limit", detail });
            }
        }
        let moved = self.moved_by(arrival.mtime, &movement, &arrival.silences, Sum::default())?;
        Ok((seq, counts, moved))
    }

    fn read_events(
        &self,
        taking: Taking<'_>,
        space: i64,
        intake: &Intake,
        read: impl FnOnce(&mut Take<'_>) -> Result<Reading>,
        counts: &mut Counts,
        sample: &mut Vec<Reject>,
    ) -> Result<Fed> {
        let mut rows = Sorter::new(&self.scratch, event_key);
        let mut issuers = self.issuers(space)?;
        let mut record = Vec::new();
        let reading = read(&mut |row| {
            counts.rows += 1;
            match row {
                Ok(money) => {
                    let issuer = issuers.id(intake.scope.issuer(&money.distributor_code));
                    encode(issuer, &money, &mut record)?;
                    rows.push(|out| out.extend_from_slice(&record))?;
                }
                Err(reject) => {
                    counts.rejected += 1;
                    self.insert_reject(taking.seq, &reject)?;
                    if sample.len() < REFUSED_SAMPLE {
                        sample.push(reject);
                    }
                }
            }
            Ok(())
        })?;
        Ok(Fed { reading, rows, issuers })
    }

    /// All that the file says of one event, in order of its lines.
    fn judge_event(
        &self,
        taking: Taking<'_>,
        issuer: i64,
        rows: &[Money],
        counts: &mut Counts,
    ) -> Result<Movement> {
        let Some(first) = rows.first() else { return Ok(Movement::default()) };
        let (takes, repeated) = in_takes(rows);
        counts.duplicate += repeated;
        let event = |upto| {
            let heard = Heard { before: taking.rank, upto, taking: (taking.seq, taking.rank) };
            self.event_rows((taking.kind, issuer, &first.reference), heard, taking.decisions)
        };
        let before = event(i64::MAX)?;
        let replaced = if taking.replaces { event(taking.seq - 1)? } else { Vec::new() };
        let mut held: BTreeMap<u32, Vec<&Money>> = BTreeMap::new();
        for Taken { take, money } in &takes {
            let known = before.iter().any(|before| before.same(money));
            let news = if before.is_empty() && *take == 0 { News::Speaks } else { News::Kept };
            match (news, known) {
                (News::Speaks, _) => match replaced.iter().find(|row| row.invoice_no == money.invoice_no) {
                    None => counts.accepted += 1,
                    Some(row) if row.same(money) => counts.duplicate += 1,
                    Some(_) => counts.superseding += 1,
                },
                (News::Kept, true) => counts.duplicate += 1,
                (News::Kept, false) => {
                    counts.held += 1;
                    held.entry(*take).or_default().push(money);
                }
            }
            self.concern_payers(taking.kind, issuer, &money.invoice_no, news)?;
        }
        self.keep_event(taking, issuer, &takes, &held)?;
        for conflicting in held.values() {
            match decided(taking, conflicting[0]) {
                None => {
                    self.open_hold(taking.seq, &conflict(taking, conflicting, &before))?;
                }
                Some(Verdict::Release) => {
                    counts.held -= conflicting.len() as u64;
                    counts.superseding += conflicting.len() as u64;
                }
                Some(Verdict::Discard) => {}
            }
        }
        if taking.replaces {
            return self.event_moved(taking, (issuer, &first.reference));
        }
        // the first file that speaks of it goes on speaking
        let speaks = takes.into_iter().filter(|taken| taken.take == 0 && before.is_empty());
        Ok(movement::money_moved(&[], &speaks.map(|taken| taken.money).collect::<Vec<_>>()))
    }

    /// What the file moves of an event now that all of that is written.
    fn event_moved(&self, taking: Taking<'_>, (issuer, reference): (i64, &str)) -> Result<Movement> {
        let speaks = |upto| {
            let event = (taking.kind, issuer, reference);
            let heard = Heard { before: i64::MAX, upto, taking: (taking.seq, taking.rank) };
            self.event_rows(event, heard, taking.decisions)
        };
        Ok(movement::money_moved(&speaks(taking.seq - 1)?, &speaks(i64::MAX)?))
    }

    /// Events of files that fall silent of which the file says nothing.
    fn events_gone(&self, taking: Taking<'_>, silences: &[i64]) -> Result<BTreeSet<(i64, String)>> {
        let mut select = self.connection.prepare_cached(
            "SELECT DISTINCT issuer, ref FROM money AS was WHERE was.seq = ?1 AND was.kind = ?2 AND NOT EXISTS (
                 SELECT 1 FROM event WHERE event.kind = was.kind AND event.issuer = was.issuer AND event.ref = was.ref AND event.seq = ?3)",
        )?;
        let mut gone = BTreeSet::new();
        for seq in silences {
            let rows = select
                .query_map((seq, taking.kind.word(), taking.seq), |row| Ok((row.get(0)?, row.get(1)?)))?;
            for row in rows {
                gone.insert(row?);
            }
        }
        Ok(gone)
    }

    fn keep_event(
        &self,
        taking: Taking<'_>,
        issuer: i64,
        takes: &[Taken],
        held: &BTreeMap<u32, Vec<&Money>>,
    ) -> Result<()> {
        let kind = taking.kind.word();
        let mut named: BTreeMap<u32, u64> = BTreeMap::new();
        for Taken { take, money } in takes {
            self.connection
                .prepare_cached(
                    "INSERT INTO money VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
                )?
                .execute(rusqlite::params![
                    kind,
                    issuer,
                    money.invoice_no,
                    money.reference,
                    taking.seq,
                    take,
                    money.file_line,
                    money.day,
                    money.amount.to_string(),
                    money.currency,
                    money.method,
                    money.distributor_code,
                    money.deposit_ref,
                ])
                .context("cannot keep a payment or deposit")?;
            named.entry(*take).or_insert(money.file_line);
        }
        for (take, first) in named {
            let line = held.get(&take).and_then(|rows| rows.first()).map_or(first, |row| row.file_line);
            let reference = takes.first().map_or("", |taken| taken.money.reference.as_str());
            self.connection
                .prepare_cached("INSERT INTO event VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?
                .execute((kind, issuer, reference, taking.seq, take, line))
                .context("cannot keep a payment or deposit")?;
        }
        Ok(())
    }
}

/// What a row means for the partners whose invoice it pays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum News {
    /// they look there when they are evaluated
    Kept,
    /// and they are to be evaluated, since it speaks
    Speaks,
}

/// The first content for each invoice is take 0, other content for the same invoice take 1, and so on; and how many rows
/// repeat one before them.
fn in_takes(rows: &[Money]) -> (Vec<Taken>, u64) {
    let mut by_invoice: BTreeMap<&str, Vec<&Money>> = BTreeMap::new();
    let mut takes = Vec::with_capacity(rows.len());
    let mut repeated = 0;
    for money in rows {
        let before = by_invoice.entry(&money.invoice_no).or_default();
        if before.iter().any(|before| before.same(money)) {
            repeated += 1;
            continue;
        }
        takes.push(Taken { take: before.len() as u32, money: money.clone() });
        before.push(money);
    }
    (takes, repeated)
}

/// What a person decided about this row when its file was read before.
fn decided(taking: Taking<'_>, row: &Money) -> Option<Verdict> {
    let about = |decision: &&Decision| (decision.rank, decision.file_line) == (taking.rank, row.file_line);
    taking.decisions.iter().filter(about).min_by_key(|decision| decision.at).map(|decision| decision.verdict)
}

fn conflict(taking: Taking<'_>, rows: &[&Money], before: &[Money]) -> NewHold {
    let first = rows[0];
    let of = |money: &Money| match taking.kind {
        EventKind::Payment => format!("{} for {} on {}", money.amount, money.invoice_no, money.day),
        EventKind::Deposit => format!("{} on {}", money.amount, money.day),
    };
    let was = before.iter().find(|row| row.invoice_no == first.invoice_no).or(before.first());
    let was = was.map_or_else(|| "an earlier row of this file".to_owned(), of);
    NewHold {
        kind: EVENT_CONFLICT,
        subject: format!("{}:{}", taking.seq, first.file_line),
        scheme: String::new(),
        cycle: String::new(),
        partner: String::new(),
        file: Some(taking.seq),
        line: Some(first.file_line),
        lines: rows.len() as u64,
        amount: rows.iter().fold(Decimal::ZERO, |sum, row| sum.checked_add(row.amount).unwrap_or(sum)),
        points: 0,
        detail: format!(
            "{} {} came again with other content: {}, before it was {was}; released, what this file says of it speaks instead",
            taking.kind.word(),
            first.reference,
            of(first)
        ),
    }
}

/// issuer, reference, line: the order in which events are judged.
fn event_key(record: &[u8]) -> &[u8] {
    let length = record.first_chunk::<2>().map_or(0, |bytes| usize::from(u16::from_be_bytes(*bytes)));
    record.get(2..2 + length).unwrap_or(record)
}

fn encode(issuer: i64, money: &Money, record: &mut Vec<u8>) -> Result<()> {
    record.clear();
    let length = 8 + money.reference.len() + 1 + 8;
    record.extend_from_slice(&u16::try_from(length)?.to_be_bytes());
    record.extend_from_slice(&issuer.to_be_bytes());
    record.extend_from_slice(money.reference.as_bytes());
    record.push(0);
    record.extend_from_slice(&money.file_line.to_be_bytes());
    let rest = (
        &money.invoice_no,
        &money.distributor_code,
        money.day.to_string(),
        money.amount.to_string(),
        &money.currency,
        &money.method,
        &money.deposit_ref,
    );
    serde_json::to_writer(record, &rest)?;
    Ok(())
}

fn decode(record: &[u8]) -> Result<(i64, Money)> {
    let key = event_key(record);
    let (issuer, rest) = key.split_first_chunk::<8>().context("an event without an issuer")?;
    let (reference, line) = rest.split_last_chunk::<8>().context("an event without a line")?;
    let reference = reference.split_last().map_or(&[][..], |(_, reference)| reference);
    let (invoice_no, distributor_code, day, amount, currency, method, deposit_ref): (
        String,
        String,
        String,
        String,
        String,
        String,
        String,
    ) = serde_json::from_slice(&record[2 + key.len()..])?;
    let money = Money {
        file_line: u64::from_be_bytes(*line),
        reference: std::str::from_utf8(reference)?.to_owned(),
        invoice_no,
        distributor_code,
        day: day.parse::<NaiveDate>()?,
        amount: amount.parse()?,
        currency,
        method,
        deposit_ref,
    };
    Ok((i64::from_be_bytes(*issuer), money))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paid(file_line: u64, invoice_no: &str, amount: i64) -> Money {
        Money {
            file_line,
            reference: "P".into(),
            invoice_no: invoice_no.into(),
            distributor_code: "D".into(),
            day: NaiveDate::default(),
            amount: amount.into(),
            currency: "INR".into(),
            method: "upi, \"quick\"".into(),
            deposit_ref: String::new(),
        }
    }

    #[test]
    fn records_come_back_and_sort_by_event_then_line() {
        let (mut one, mut two) = (Vec::new(), Vec::new());
        encode(7, &paid(9, "A", 1), &mut one).unwrap();
        encode(7, &paid(300, "A", 1), &mut two).unwrap();
        assert!(event_key(&one) < event_key(&two));
        assert_eq!(decode(&one).unwrap(), (7, paid(9, "A", 1)));
    }

    #[test]
    fn what_a_file_says_of_one_event_falls_into_takes() {
        let rows = [paid(2, "A", 1), paid(3, "B", 1), paid(4, "A", 1), paid(5, "A", 2), paid(6, "A", 3)];
        let (takes, repeated) = in_takes(&rows);
        let takes: Vec<(u32, u64)> = takes.iter().map(|taken| (taken.take, taken.money.file_line)).collect();
        assert_eq!((takes, repeated), (vec![(0, 2), (0, 3), (1, 5), (2, 6)], 1));
    }
}
