//! Master data: taking `partners` and `items` files, and reading them back.

use super::Store;
use super::files::{Arrival, Counts};
use super::intake::{Attempt, GivenUp, REFUSED_SAMPLE, Reading, Reject, refuse_if_too_many};
use super::journal::Stamp;
use super::silence::{rank, speaks};
use crate::facts::alias::{LocalCode, Says};
use crate::facts::fx::RateRecord;
use crate::facts::master::{Dated, Day, ItemRecord, PartnerRecord, Place, on};
use anyhow::{Context, Result};
use chrono::NaiveDate;
use rusqlite::Row;
use rust_decimal::Decimal;
use std::collections::HashMap;

/// A row of a master file, ready to be kept.
#[derive(Debug, Clone)]
pub enum MasterSaid {
    /// of `partners`
    Partner(Box<PartnerSaid>),
    /// of `items`
    Item(Box<ItemSaid>),
    /// of `fx`, from this line of its file
    Rate(RateRecord, u64),
}

/// A row of a `partners` file.
#[derive(Debug, Clone)]
pub struct PartnerSaid {
    /// partner code
    pub code: String,
    /// line in its file
    pub file_line: u64,
    /// from when it applies
    pub day: Day,
    /// the record; its first day and place are not filled
    pub record: PartnerRecord,
    /// what a distributor calls the partner
    pub local_code: Option<LocalCode>,
    /// of what the row speaks
    pub says: Says,
}

/// A row of an `items` file.
#[derive(Debug, Clone)]
pub struct ItemSaid {
    /// folded as the evaluation compares it
    pub sku: String,
    /// line in its file
    pub file_line: u64,
    /// from when it applies
    pub day: Day,
    /// the record; its first day and place are not filled
    pub record: ItemRecord,
}

/// Gives each row or reject of a file to the function it is handed.
pub type TakeMaster<'t> = dyn FnMut(Result<MasterSaid, Reject>) -> Result<()> + 't;

/// The file whose records are kept.
#[derive(Debug, Clone, Copy)]
pub(super) struct Taking {
    pub(super) seq: i64,
    /// its place in the order of ingestion, where it is read again
    pub(super) rank: Option<i64>,
    /// where it replaces files: the journal record up to which they spoke, against which its rows are counted
    pub(super) stood: Option<i64>,
}

/// A record as it was said, of one code, in the order of ingestion.
type Of<R> = (Day, Says, R);

fn day(row: &Row<'_>) -> rusqlite::Result<Day> {
    let given: Option<NaiveDate> = row.get(0)?;
    Ok(match given {
        Some(day) => Day::Given(day),
        None => Day::Otherwise(row.get(1)?),
    })
}

fn partner_record(row: &Row<'_>) -> rusqlite::Result<Of<PartnerRecord>> {
    let record = PartnerRecord {
        effective_from: NaiveDate::MIN,
        seq: row.get(2)?,
        name: row.get(4)?,
        class: row.get(5)?,
        channel: row.get(6)?,
        email: row.get(7)?,
        phone: row.get(8)?,
        joined_on: row.get(9)?,
        active: row.get(10)?,
        tracked: row.get(11)?,
        referred_by: row.get(12)?,
    };
    let says = if row.get(3)? { Says::LocalCode } else { Says::Partner };
    Ok((day(row)?, says, record))
}

fn item_record(row: &Row<'_>) -> rusqlite::Result<Of<ItemRecord>> {
    let record = ItemRecord {
        effective_from: NaiveDate::MIN,
        seq: row.get(2)?,
        name: row.get(3)?,
        category: row.get(4)?,
        earns_points: row.get(5)?,
        launched_on: row.get(6)?,
    };
    Ok((day(row)?, Says::Partner, record))
}

/// The first day of each record of one code: a row that only gives a local code lists the partner where nothing else does.
fn with_days<R: Dated>(mut said: Vec<Of<R>>) -> Vec<R> {
    if said.iter().any(|(_, says, _)| *says == Says::Partner) {
        said.retain(|(_, says, _)| *says == Says::Partner);
    }
    let places = std::iter::once(Place::First).chain(std::iter::repeat(Place::Later));
    said.into_iter().zip(places).map(|((day, _, record), place)| record.from(day.from(place))).collect()
}

/// Partner records of files that speak as of ?2, in the order of ingestion.
fn partner_records() -> String {
    let rank = rank("partner_record.seq");
    format!(
        "SELECT effective_from, otherwise, {rank}, listing, name, class, channel, email, phone, joined_on, active, tracked, referred_by
         FROM partner_record WHERE code = ?1 AND seq <= ?2 AND {} ORDER BY 3, file_line",
        speaks("partner_record.seq", "?2")
    )
}

/// Item records of files that speak as of ?1, by SKU in the order of ingestion.
fn item_records(which: &str) -> String {
    let rank = rank("item_record.seq");
    format!(
        "SELECT effective_from, otherwise, {rank}, name, category, earns_points, launched_on, sku FROM item_record
         WHERE seq <= ?1 AND {} AND {which} ORDER BY sku, 3, file_line",
        speaks("item_record.seq", "?1")
    )
}

impl Store {
    /// Takes one master file in one transaction. `read` gives each row or reject to the function it is handed.
    pub fn take_master(
        &mut self,
        stamp: &Stamp,
        arrival: &Arrival,
        read: impl FnOnce(&mut TakeMaster<'_>) -> Result<Reading>,
        (max_reject_percent, max_void_percent): (Decimal, Option<Decimal>),
    ) -> Result<Attempt> {
        self.take(stamp, arrival, |store, sample| {
            let seq = store.next_seq()?;
            let (reading, counts) = store.take_records(seq, arrival, read, sample)?;
            reading.whole(&counts)?;
            refuse_if_too_many(max_reject_percent, &counts)?;
            if let Some(most) = max_void_percent
                && let Some(detail) = store.too_many_records_void(arrival, most)?
            {
                return Err(GivenUp::Held { kind: "void_over_limit", detail });
            }
            Ok(store.record_taken(stamp, arrival, seq, String::new(), counts)?)
        })
    }

    fn take_records(
        &self,
        seq: i64,
        arrival: &Arrival,
        read: impl FnOnce(&mut TakeMaster<'_>) -> Result<Reading>,
        sample: &mut Vec<Reject>,
    ) -> Result<(Reading, Counts)> {
        self.fall_silent(&arrival.silences, seq)?;
        let mut counts = Counts::default();
        let mut moved = Vec::new(); // SKUs that apply otherwise
        // what the files said that it replaces is no news
        let stood = if arrival.silences.is_empty() { None } else { Some(seq - 1) };
        let taking = Taking { seq, rank: arrival.rank, stood };
        let reading = read(&mut |said| {
            counts.rows += 1;
            match said {
                Ok(said) => match self.keep_master(taking, said, &mut moved)? {
                    Kept::New => counts.accepted += 1,
                    Kept::Changed => counts.superseding += 1,
                    Kept::Same => counts.duplicate += 1,
                },
                Err(reject) => {
                    counts.rejected += 1;
                    self.insert_reject(seq, &reject)?;
                    if sample.len() < REFUSED_SAMPLE {
                        sample.push(reject);
                    }
                }
            }
            Ok(())
        })?;
        self.index_for_aliases()?;
        self.mark_sellers_stale(&moved)?;
        Ok((reading, counts))
    }

    fn keep_master(&self, taking: Taking, said: MasterSaid, moved: &mut Vec<String>) -> Result<Kept> {
        match said {
            MasterSaid::Partner(said) => {
                let kept = self.keep_partner(taking, &said)?;
                match (&said.local_code, kept) {
                    (Some(local), Kept::Same) => self.keep_alias(taking, local, &said),
                    (Some(local), Kept::New | Kept::Changed) => {
                        self.keep_alias(taking, local, &said)?;
                        Ok(kept)
                    }
                    (None, kept) => Ok(kept),
                }
            }
            MasterSaid::Item(said) => self.keep_item(taking, *said, moved),
            MasterSaid::Rate(record, file_line) => {
                self.keep_rate(taking.seq, &record, file_line, taking.stood)
            }
        }
    }

    fn keep_partner(&self, taking: Taking, said: &PartnerSaid) -> Result<Kept> {
        let Taking { seq, rank, stood } = taking;
        let code = said.code.as_str();
        let mut all = self.partners_said(code, None)?;
        let record = PartnerRecord { seq: rank.unwrap_or(seq), ..said.record.clone() };
        let (given, otherwise) = columns(said.day);
        self.connection
            .prepare_cached(
                "INSERT INTO partner_record VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
            )?
            .execute(rusqlite::params![
                code,
                seq,
                said.file_line,
                given,
                otherwise,
                said.says == Says::LocalCode,
                record.name,
                record.class,
                record.channel,
                record.email,
                record.phone,
                record.joined_on,
                record.active,
                record.tracked,
                record.referred_by,
            ])
            .context("cannot keep a master record")?;
        let before = with_days(all.clone());
        let known = match stood {
            Some(upto) => self.partner_records(code, Some(upto))?,
            None => before.clone(),
        };
        let kept = match said.says {
            Says::Partner if stood.is_some() && said_before(&known, said.day, &record) => Kept::Same,
            Says::Partner => how_kept(&known, said.day, &record),
            // what it says of a partner that is listed is no news
            Says::LocalCode if known.is_empty() => Kept::New,
            Says::LocalCode => Kept::Same,
        };
        let at = all.iter().position(|(_, _, other)| other.seq > record.seq).unwrap_or(all.len());
        all.insert(at, (said.day, said.says, record));
        if applies_otherwise(&before, &with_days(all)) {
            self.mark_partner_stale(code)?;
        }
        Ok(kept)
    }

    fn keep_item(&self, taking: Taking, said: ItemSaid, moved: &mut Vec<String>) -> Result<Kept> {
        let Taking { seq, rank, stood } = taking;
        let ItemSaid { sku, file_line, day, record } = said;
        let record = ItemRecord { seq: rank.unwrap_or(seq), ..record };
        let before = self.item_records(&sku, None)?;
        let (given, otherwise) = columns(day);
        self.connection
            .prepare_cached("INSERT INTO item_record VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)")?
            .execute((
                &sku,
                seq,
                file_line,
                given,
                otherwise,
                &record.name,
                &record.category,
                record.earns_points,
                record.launched_on,
            ))
            .context("cannot keep a master record")?;
        let kept = match stood {
            Some(upto) => {
                let known = self.item_records(&sku, Some(upto))?;
                if said_before(&known, day, &record) { Kept::Same } else { how_kept(&known, day, &record) }
            }
            None => how_kept(&before, day, &record),
        };
        let mut after = before.clone();
        let place = if before.is_empty() { Place::First } else { Place::Later };
        after.push(record.from(day.from(place)));
        // an item of a file that is read again comes among older ones
        let matters = || rank.is_some() || applies_otherwise(&plain(before), &plain(after));
        if moved.len() <= super::skus::FEW && matters() {
            moved.push(sku);
        }
        Ok(kept)
    }

    /// Everything that was said of a partner by files that speak, in the order of ingestion.
    fn partners_said(&self, code: &str, upto: Option<i64>) -> Result<Vec<Of<PartnerRecord>>> {
        let mut select = self.connection.prepare_cached(&partner_records())?;
        let rows = select.query_map((code, upto.unwrap_or(i64::MAX)), partner_record)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Master records of a partner, in the order of ingestion.
    pub fn partner_records(&self, code: &str, upto: Option<i64>) -> Result<Vec<PartnerRecord>> {
        Ok(with_days(self.partners_said(code, upto)?))
    }

    fn item_records(&self, sku: &str, upto: Option<i64>) -> Result<Vec<ItemRecord>> {
        let mut select = self.connection.prepare_cached(&item_records("sku = ?2"))?;
        let rows = select.query_map((upto.unwrap_or(i64::MAX), sku), item_record)?;
        Ok(with_days(rows.collect::<rusqlite::Result<_>>()?))
    }

    /// The whole item master by SKU in lower case; `None` where there is none.
    pub fn items(&self, upto: Option<i64>) -> Result<Option<HashMap<String, Vec<ItemRecord>>>> {
        let mut select = self.connection.prepare_cached(&item_records("TRUE"))?;
        let mut said: HashMap<String, Vec<Of<ItemRecord>>> = HashMap::new();
        let mut rows = select.query([upto.unwrap_or(i64::MAX)])?;
        while let Some(row) = rows.next()? {
            said.entry(row.get(7)?).or_default().push(item_record(row)?);
        }
        let items: HashMap<_, _> = said.into_iter().map(|(sku, said)| (sku, with_days(said))).collect();
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

    /// Whether any partner master record and whether any item master record speaks: every partner rests on both.
    pub fn master_state(&self) -> Result<(bool, bool)> {
        let items = self.connection.query_row(
            &format!("SELECT EXISTS (SELECT 1 FROM item_record WHERE {})", speaks("item_record.seq", "?1")),
            [i64::MAX],
            |row| row.get(0),
        )?;
        Ok((self.has_partner_master(None)?, items))
    }
}

/// What became of a record on arrival.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kept {
    /// nothing was said of its code before
    New,
    /// something else was
    Changed,
    /// it says what applies already
    Same,
}

/// Records without what no rule asks for.
fn plain(items: Vec<ItemRecord>) -> Vec<ItemRecord> {
    let plain = |item| ItemRecord { name: String::new(), launched_on: None, ..item };
    items.into_iter().map(plain).collect()
}

/// A record's own day and the one that applies otherwise, as the store keeps them.
pub(super) fn columns(day: Day) -> (Option<NaiveDate>, NaiveDate) {
    match day {
        Day::Given(day) => (Some(day), day),
        Day::Otherwise(day) => (None, day),
    }
}

/// An undated record that says what applies already says nothing new; a dated one only if it is for the same day.
pub(super) fn how_kept<R: Dated + PartialEq + Clone>(before: &[R], day: Day, record: &R) -> Kept {
    if before.is_empty() {
        return Kept::New;
    }
    let from = day.from(Place::Later);
    let same = on(before, from).is_some_and(|speaking| {
        let same_day = match day {
            Day::Given(_) => speaking.effective_from() == from,
            Day::Otherwise(_) => true,
        };
        same_day && says_the_same(speaking, record)
    });
    if same { Kept::Same } else { Kept::Changed }
}

/// Whether this very record was said, whatever speaks on its day.
pub(super) fn said_before<R: Dated + PartialEq + Clone>(known: &[R], day: Day, record: &R) -> bool {
    let days = [Place::First, Place::Later].map(|place| day.from(place));
    known.iter().any(|known| days.contains(&known.effective_from()) && says_the_same(known, record))
}

/// Whether on some day another record applies, by content.
pub(super) fn applies_otherwise<R: Dated + PartialEq + Clone>(before: &[R], after: &[R]) -> bool {
    before.iter().chain(after).map(Dated::effective_from).any(|day| match (on(before, day), on(after, day)) {
        (None, None) => false,
        (Some(before), Some(after)) => !says_the_same(before, after),
        (Some(_), None) | (None, Some(_)) => true,
    })
}

fn says_the_same<R: Dated + PartialEq + Clone>(one: &R, other: &R) -> bool {
    one.clone().from(NaiveDate::MIN).at(0) == other.clone().from(NaiveDate::MIN).at(0)
}
