//! What reports that hold feeds against each other need of the store, streamed: how files were read, how payments and deposits
//! stand, payments beside the deposits that they went into.

use super::Store;
use super::silence::{rank, speaks};
use super::sorter::Sorter;
use crate::domain::frac::Frac;
use crate::facts::money::{EventKind, Money, Said, Standing, Version, standings};
use anyhow::{Context, Result};
use chrono::NaiveDate;
use rust_decimal::Decimal;
use std::collections::BTreeSet;

/// What was paid and what was deposited under one reference on one day, in one currency.
#[derive(Debug, Clone, PartialEq)]
pub struct Settlement {
    /// document space within which the reference means something; 0 where payments and deposits have different ones
    pub pool: i64,
    /// `deposit_ref`, empty where a payment names none
    pub deposit_ref: String,
    /// upper case; as given for money without one
    pub currency: String,
    /// of the payments and of the bank's credit
    pub day: NaiveDate,
    /// payments
    pub payments: u64,
    /// their sum
    pub paid: Frac,
    /// deposits
    pub deposits: u64,
    /// their sum
    pub deposited: Frac,
}

impl Store {
    /// How a file was read, as text.
    pub fn layout_text_of(&self, seq: i64) -> Result<String> {
        self.connection
            .prepare_cached("SELECT text FROM file JOIN layout ON layout.id = file.layout WHERE seq = ?1")?
            .query_row([seq], |row| row.get(0))
            .with_context(|| format!("how file {seq} was read is not in the store"))
    }

    /// Every row of payments or deposits that files which speak have, and how it stands; event by event.
    pub fn each_money(
        &self,
        kind: EventKind,
        mut take: impl FnMut(&Said, i64, Standing) -> Result<()>,
    ) -> Result<()> {
        let decisions = self.decisions("", None)?;
        let mut select = self.connection.prepare(&format!(
            "SELECT money.issuer, money.ref, money.seq, money.take, event.file_line, number, money.file_line, day, amount, currency,
                 method, money.distributor, deposit_ref, issuer.space, {place}
             FROM event CROSS JOIN money ON money.kind = event.kind AND money.issuer = event.issuer AND money.ref = event.ref
                 AND money.seq = event.seq AND money.take = event.take
             JOIN issuer ON issuer.id = event.issuer
             WHERE event.kind = ?1 AND {} ORDER BY event.issuer, event.ref, {place}, event.take, money.file_line",
            speaks("event.seq", "?2"),
            place = rank("event.seq")
        ))?;
        let mut rows = select.query((kind.word(), i64::MAX))?;
        let mut event: Vec<Said> = Vec::new();
        let mut versions: Vec<Version> = Vec::new();
        let mut of = (0, 0);
        loop {
            let row = rows.next()?;
            let next = match row {
                Some(row) => Some((row.get::<_, i64>(0)?, row.get_ref(1)?.as_str()?.to_owned())),
                None => None,
            };
            let ended = event.first().is_some_and(|first| {
                next.as_ref()
                    .is_none_or(|(issuer, reference)| *issuer != of.0 || *reference != first.money.reference)
            });
            if ended {
                for (said, standing) in event.iter().zip(standings(&versions, &event, &decisions)) {
                    take(said, of.1, standing)?;
                }
                event.clear();
                versions.clear();
            }
            let (Some(row), Some((issuer, reference))) = (row, next) else { return Ok(()) };
            of = (issuer, row.get(13)?);
            let version =
                Version { seq: row.get(2)?, rank: row.get(14)?, take: row.get(3)?, file_line: row.get(4)? };
            if versions.last() != Some(&version) {
                versions.push(version);
            }
            event.push(Said {
                seq: version.seq,
                take: version.take,
                money: Money {
                    reference,
                    invoice_no: row.get(5)?,
                    file_line: row.get(6)?,
                    day: row.get(7)?,
                    amount: row.get_ref(8)?.as_str()?.parse().unwrap_or_default(),
                    currency: row.get(9)?,
                    method: row.get(10)?,
                    distributor_code: row.get(11)?,
                    deposit_ref: row.get(12)?,
                },
            });
        }
    }

    /// Payments beside deposits, by reference and day: in order of reference, currency and day. Money without a currency is in
    /// the given one. A reference is one within a document space where that has both; other payments and other deposits meet
    /// each other whatever their spaces.
    pub fn each_settlement(
        &self,
        currency: &str,
        mut take: impl FnMut(Settlement) -> Result<()>,
    ) -> Result<()> {
        let both = self.spaces_with_both()?;
        let mut sorter = Sorter::new(&self.scratch, settlement_key);
        for kind in [EventKind::Payment, EventKind::Deposit] {
            let mut record = Vec::new();
            self.each_money(kind, |said, space, standing| {
                if standing == Standing::Speaks {
                    let pool = if both.contains(&space) { space } else { 0 };
                    encode(kind, pool, &said.money, currency, &mut record)?;
                    sorter.push(|out| out.extend_from_slice(&record))?;
                }
                Ok(())
            })?;
        }
        let mut merge = sorter.finish()?;
        let mut open: Option<Settlement> = None;
        while let Some(record) = merge.next()? {
            let (settlement, kind, amount) = decode(record)?;
            let same = open.as_ref().is_some_and(|open| {
                (open.pool, &open.deposit_ref, &open.currency, open.day)
                    == (settlement.pool, &settlement.deposit_ref, &settlement.currency, settlement.day)
            });
            if !same && let Some(done) = open.replace(settlement) {
                take(done)?;
            }
            if let Some(open) = &mut open {
                match kind {
                    EventKind::Payment => {
                        open.payments += 1;
                        open.paid += &Frac::from(amount);
                    }
                    EventKind::Deposit => {
                        open.deposits += 1;
                        open.deposited += &Frac::from(amount);
                    }
                }
            }
        }
        open.map_or(Ok(()), take)
    }

    /// Whether any deposit was ever said.
    pub fn has_deposits(&self) -> Result<bool> {
        Ok(self.connection.query_row(
            "SELECT EXISTS (SELECT 1 FROM event WHERE kind = 'deposit')",
            [],
            |row| row.get(0),
        )?)
    }

    fn spaces_with_both(&self) -> Result<BTreeSet<i64>> {
        let mut select = self.connection.prepare(
            "SELECT DISTINCT space FROM issuer WHERE space IN
                 (SELECT space FROM issuer WHERE EXISTS (SELECT 1 FROM event WHERE kind = 'payment' AND event.issuer = issuer.id))
             AND space IN
                 (SELECT space FROM issuer WHERE EXISTS (SELECT 1 FROM event WHERE kind = 'deposit' AND event.issuer = issuer.id))",
        )?;
        let rows = select.query_map([], |row| row.get(0))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}

/// pool, reference, currency, day: what is summed together.
fn settlement_key(record: &[u8]) -> &[u8] {
    let length = record.first_chunk::<2>().map_or(0, |bytes| usize::from(u16::from_be_bytes(*bytes)));
    record.get(2..2 + length).unwrap_or(record)
}

fn encode(kind: EventKind, pool: i64, money: &Money, currency: &str, record: &mut Vec<u8>) -> Result<()> {
    let (reference, own) = match kind {
        EventKind::Payment => (&money.deposit_ref, &money.currency),
        EventKind::Deposit => (&money.reference, &money.currency),
    };
    let currency = if own.is_empty() { currency.to_uppercase() } else { own.to_uppercase() };
    let day = money.day.to_string();
    record.clear();
    let length = 8 + reference.len() + 1 + currency.len() + 1 + day.len();
    record.extend_from_slice(&u16::try_from(length)?.to_be_bytes());
    record.extend_from_slice(&pool.to_be_bytes());
    for (text, end) in [(reference.as_str(), true), (currency.as_str(), true), (day.as_str(), false)] {
        record.extend_from_slice(text.as_bytes());
        if end {
            record.push(0);
        }
    }
    record.push(match kind {
        EventKind::Payment => b'p',
        EventKind::Deposit => b'd',
    });
    record.extend_from_slice(money.amount.to_string().as_bytes());
    Ok(())
}

fn decode(record: &[u8]) -> Result<(Settlement, EventKind, Decimal)> {
    let key = settlement_key(record);
    let (pool, texts) = key.split_first_chunk::<8>().context("a settlement without a pool")?;
    let mut texts = std::str::from_utf8(texts)?.splitn(3, '\0');
    let mut text = || texts.next().context("a settlement that is cut short");
    let (deposit_ref, currency, day) = (text()?.to_owned(), text()?.to_owned(), text()?.parse()?);
    let (kind, amount) = record[2 + key.len()..].split_first().context("a settlement without an amount")?;
    let kind = if *kind == b'p' { EventKind::Payment } else { EventKind::Deposit };
    let settlement = Settlement {
        pool: i64::from_be_bytes(*pool),
        deposit_ref,
        currency,
        day,
        payments: 0,
        paid: Frac::ZERO,
        deposits: 0,
        deposited: Frac::ZERO,
    };
    Ok((settlement, kind, std::str::from_utf8(amount)?.parse()?))
}
