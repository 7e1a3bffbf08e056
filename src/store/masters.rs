//! Master data: taking `partners` and `items` files, and reading them back.

use super::Store;
use super::files::{Arrival, Counts, FileState};
use super::intake::{Outcome, Reject};
use super::journal::Stamp;
use super::silence::{rank, speaks};
use crate::facts::fx::RateRecord;
use crate::facts::master::{ItemRecord, PartnerRecord};
use anyhow::{Context, Result};
use chrono::NaiveDate;
use rusqlite::{OptionalExtension, Row};
use std::collections::HashMap;

/// A row of a master file, ready to be kept.
#[derive(Debug, Clone)]
pub enum MasterSaid {
    /// of `partners`
    Partner(String, PartnerRecord, Day),
    /// of `items`; the SKU is folded as the evaluation compares it
    Item(String, ItemRecord, Day),
    /// of `fx`, from this line of its file
    Rate(RateRecord, u64),
}

/// Where a record's first day comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Day {
    /// the row gives it
    Given,
    /// the first record of its code applies from the beginning, a later one from this day (the file's period, or the day of ingestion)
    Otherwise(NaiveDate),
}

fn partner_record(row: &Row<'_>) -> rusqlite::Result<PartnerRecord> {
    Ok(PartnerRecord {
        effective_from: row.get(0)?,
        seq: row.get(1)?,
        name: row.get(2)?,
        class: row.get(3)?,
        channel: row.get(4)?,
        email: row.get(5)?,
        phone: row.get(6)?,
        joined_on: row.get(7)?,
        active: row.get(8)?,
        tracked: row.get(9)?,
        referred_by: row.get(10)?,
    })
}

fn item_record(row: &Row<'_>) -> rusqlite::Result<ItemRecord> {
    Ok(ItemRecord {
        effective_from: row.get(0)?,
        seq: row.get(1)?,
        name: row.get(2)?,
        category: row.get(3)?,
        earns_points: row.get(4)?,
        launched_on: row.get(5)?,
    })
}

/// Partner records of files that speak as of ?2; the rank of its file tells which of two came later.
fn partner_records() -> String {
    format!(
        "SELECT effective_from, {}, name, class, channel, email, phone, joined_on, active, tracked, referred_by FROM partner_record
         WHERE code = ?1 AND seq <= ?2 AND {} ORDER BY effective_from, 2",
        rank("partner_record.seq"),
        speaks("partner_record.seq", "?2")
    )
}

/// Item records of files that speak as of ?1.
fn item_records(which: &str) -> String {
    format!(
        "SELECT effective_from, {}, name, category, earns_points, launched_on, sku FROM item_record
         WHERE seq <= ?1 AND {} AND {which} ORDER BY sku, effective_from, 2",
        rank("item_record.seq"),
        speaks("item_record.seq", "?1")
    )
}

impl Store {
    /// Takes one master file in one transaction. `read` gives each row or reject to the function it is handed.
    pub fn take_master(
        &mut self,
        stamp: &Stamp,
        arrival: &Arrival,
        read: impl FnOnce(
            &mut dyn FnMut(Result<MasterSaid, Reject>) -> Result<()>,
        ) -> Result<super::intake::Reading>,
        max_reject_percent: rust_decimal::Decimal,
    ) -> Result<Outcome> {
        use super::intake::Reading;
        self.begin()?;
        let mut counts = Counts::default();
        let mut sample = Vec::new();
        let taken = self.take_records(stamp, arrival, read, &mut counts, &mut sample);
        let refusal = match taken {
            Ok((Reading::Whole, seq)) if !super::intake::too_many(max_reject_percent, &counts) => {
                let recorded = self.record_file(stamp, arrival, FileState::Ingested, ("", ""), &counts)?;
                debug_assert_eq!(recorded, seq);
                self.commit()?;
                return Ok(Outcome {
                    seq,
                    state: FileState::Ingested,
                    reason: String::new(),
                    detail: String::new(),
                    counts,
                });
            }
            Ok((Reading::Whole, _)) => {
                ("too_many_rejects", super::intake::too_many_detail(max_reject_percent, &counts))
            }
            Ok((Reading::Refused { reason, detail }, _)) => (reason, detail),
            Err(fault) => {
                self.rollback()?;
                return Err(fault);
            }
        };
        self.rollback()?;
        self.refuse_file(stamp, arrival, refusal.0, refusal.1, counts, &sample)
    }

    fn take_records(
        &mut self,
        stamp: &Stamp,
        arrival: &Arrival,
        read: impl FnOnce(
            &mut dyn FnMut(Result<MasterSaid, Reject>) -> Result<()>,
        ) -> Result<super::intake::Reading>,
        counts: &mut Counts,
        sample: &mut Vec<Reject>,
    ) -> Result<(super::intake::Reading, i64)> {
        let _ = stamp;
        let seq = self.next_seq()?;
        self.fall_silent(&arrival.silences, seq)?;
        let reading = read(&mut |said| {
            counts.rows += 1;
            match said {
                Ok(said) => match self.keep_master(seq, said)? {
                    Kept::New => counts.accepted += 1,
                    Kept::Changed => counts.superseding += 1,
                    Kept::Same => counts.duplicate += 1,
                },
                Err(reject) => {
                    counts.rejected += 1;
                    self.insert_reject(seq, &reject)?;
                    if sample.len() < super::intake::REFUSED_SAMPLE {
                        sample.push(reject);
                    }
                }
            }
            Ok(())
        })?;
        Ok((reading, seq))
    }

    fn keep_master(&self, seq: i64, said: MasterSaid) -> Result<Kept> {
        match said {
            MasterSaid::Partner(code, record, day) => self.keep_partner(seq, &code, record, day),
            MasterSaid::Item(sku, record, day) => self.keep_item(seq, &sku, record, day),
            MasterSaid::Rate(record, file_line) => self.keep_rate(seq, &record, file_line),
        }
    }

    fn keep_partner(&self, seq: i64, code: &str, mut record: PartnerRecord, day: Day) -> Result<Kept> {
        let records = self.partner_records(code, None)?;
        record.effective_from = first_day(record.effective_from, day, records.is_empty());
        record.seq = seq;
        let speaking = crate::facts::master::on(&records, record.effective_from).cloned();
        if let Some(speaking) = &speaking
            && says_nothing_new(day, speaking.effective_from == record.effective_from)
            && (PartnerRecord { effective_from: record.effective_from, seq, ..speaking.clone() }) == record
        {
            return Ok(Kept::Same);
        }
        self.connection
            .prepare_cached("INSERT OR REPLACE INTO partner_record VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)")?
            .execute(rusqlite::params![
                code, record.effective_from, seq, record.name, record.class, record.channel, record.email, record.phone,
                record.joined_on, record.active, record.tracked, record.referred_by,
            ])
            .context("cannot keep a master record")?;
        self.mark_stale(code)?;
        Ok(if records.is_empty() { Kept::New } else { Kept::Changed })
    }

    fn keep_item(&self, seq: i64, sku: &str, mut record: ItemRecord, day: Day) -> Result<Kept> {
        let records = self.item_records(sku)?;
        record.effective_from = first_day(record.effective_from, day, records.is_empty());
        record.seq = seq;
        if let Some(speaking) = crate::facts::master::on(&records, record.effective_from)
            && says_nothing_new(day, speaking.effective_from == record.effective_from)
            && (ItemRecord { effective_from: record.effective_from, seq, ..speaking.clone() }) == record
        {
            return Ok(Kept::Same);
        }
        self.connection
            .prepare_cached("INSERT OR REPLACE INTO item_record VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")?
            .execute((
                sku,
                record.effective_from,
                seq,
                record.name,
                record.category,
                record.earns_points,
                record.launched_on,
            ))
            .context("cannot keep a master record")?;
        Ok(if records.is_empty() { Kept::New } else { Kept::Changed })
    }

    /// Master records of a partner, in order of first day and arrival.
    pub fn partner_records(&self, code: &str, upto: Option<i64>) -> Result<Vec<PartnerRecord>> {
        let mut select = self.connection.prepare_cached(&partner_records())?;
        let rows = select.query_map((code, upto.unwrap_or(i64::MAX)), partner_record)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    fn item_records(&self, sku: &str) -> Result<Vec<ItemRecord>> {
        let mut select = self.connection.prepare_cached(&item_records("sku = ?2"))?;
        let rows = select.query_map((i64::MAX, sku), item_record)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// The whole item master by SKU in lower case; `None` where there is none.
    pub fn items(&self, upto: Option<i64>) -> Result<Option<HashMap<String, Vec<ItemRecord>>>> {
        let mut select = self.connection.prepare_cached(&item_records("TRUE"))?;
        let mut items: HashMap<String, Vec<ItemRecord>> = HashMap::new();
        let mut rows = select.query([upto.unwrap_or(i64::MAX)])?;
        while let Some(row) = rows.next()? {
            items.entry(row.get(6)?).or_default().push(item_record(row)?);
        }
        Ok((!items.is_empty()).then_some(items))
    }

    /// Whether any partner master record was said, up to a journal sequence.
    pub fn has_partner_master(&self, upto: Option<i64>) -> Result<bool> {
        Ok(self.connection.query_row(
            &format!(
                "SELECT EXISTS (SELECT 1 FROM partner_record WHERE seq <= ?1 AND {})",
                speaks("partner_record.seq", "?1")
            ),
            [upto.unwrap_or(i64::MAX)],
            |row| row.get(0),
        )?)
    }

    /// Whether any partner master record speaks, and the last journal record that changed the item master (a file, or one that
    /// silenced a file of it): every partner rests on both.
    pub fn master_state(&self) -> Result<(bool, i64)> {
        let partners = self.has_partner_master(None)?;
        let items: Option<i64> = self
            .connection
            .query_row(
                "SELECT max(coalesce(by, seq)) FROM item_record LEFT JOIN silenced USING (seq)",
                [],
                |row| row.get(0),
            )
            .optional()?
            .flatten();
        Ok((partners, items.unwrap_or(0)))
    }
}

/// From the beginning: before any date that a file can have.
const BEGINNING: NaiveDate = match NaiveDate::from_ymd_opt(1, 1, 1) {
    Some(day) => day,
    None => NaiveDate::MIN,
};

pub(super) enum Kept {
    New,
    Changed,
    Same,
}

/// The first record of a code without a date applies from the beginning (evaluation.md 2).
fn first_day(given: NaiveDate, day: Day, is_first: bool) -> NaiveDate {
    match day {
        Day::Given => given,
        Day::Otherwise(_) if is_first => BEGINNING,
        Day::Otherwise(otherwise) => otherwise,
    }
}

/// An undated record that says what applies already says nothing new; a dated one only if it is for the same day.
fn says_nothing_new(day: Day, same_day: bool) -> bool {
    match day {
        Day::Given => same_day,
        Day::Otherwise(_) => true,
    }
}
