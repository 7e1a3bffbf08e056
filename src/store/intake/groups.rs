//! Rows partner by partner: settled against what was said before, then written as bundles.

use super::super::Store;
use super::super::files::Counts;
use super::super::holds::NewHold;
use super::super::sorter::Merge;
use super::feeder::Issuers;
use super::numbers::Parties;
use crate::facts::dossier::Dossier;
use crate::facts::row::Row;
use crate::facts::settle::{Fate, HeldFact, NumberScope, Said, settle};
use crate::facts::{bundle, record};
use anyhow::{Context, Result, anyhow};
use std::collections::{BTreeMap, HashMap};

/// Most rows of one bundle.
const BUNDLE_ROWS: usize = 512;

/// Takes the rows of one file in order of partner.
pub(super) struct Groups<'s> {
    store: &'s Store,
    seq: i64,
    space: i64,
    scope: NumberScope,
    parties: &'s Parties,
    issuers: Issuers,
    judged: Judged,
    /// rows of contested numbers, settled together at the end
    contested: BTreeMap<(i64, String), Vec<Vec<u8>>>,
    /// next chunk of partners that have bundles of this file already
    chunks: HashMap<String, i64>,
    body: Vec<u8>,
}

/// How the rows were judged.
#[derive(Default)]
pub(super) struct Judged {
    counts: Counts,
    for_cancelled: u64,
    /// lines of `identity_twice`, with what is wrong
    pub twice: BTreeMap<u64, String>,
}

impl Judged {
    pub(super) fn add_to(&self, counts: &mut Counts) {
        counts.accepted += self.counts.accepted;
        counts.duplicate += self.counts.duplicate;
        counts.superseding += self.counts.superseding;
        counts.outdated += self.counts.outdated;
        counts.held += self.counts.held;
        counts.rejected += self.counts.rejected;
    }

    pub(super) fn notice(&self) -> String {
        match self.for_cancelled {
            0 => String::new(),
            1 => "1 line arrived for a cancelled invoice".to_owned(),
            many => format!("{many} lines arrived for cancelled invoices"),
        }
    }
}

/// Records of one partner, one after the other.
#[derive(Default)]
struct Group {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Group {
    fn push(&mut self, record: &[u8]) {
        self.bytes.extend_from_slice(record);
        self.ends.push(self.bytes.len());
    }

    fn records(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, &end)| &self.bytes[start..end])
    }

    fn partner(&self) -> Option<&str> {
        self.records().next().map(record::partner)
    }

    fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }
}

impl<'s> Groups<'s> {
    pub(super) fn new(
        store: &'s Store,
        seq: i64,
        space: i64,
        scope: NumberScope,
        parties: &'s Parties,
        issuers: Issuers,
    ) -> Groups<'s> {
        Groups {
            store,
            seq,
            space,
            scope,
            parties,
            issuers,
            judged: Judged::default(),
            contested: BTreeMap::new(),
            chunks: HashMap::new(),
            body: Vec::new(),
        }
    }

    /// Takes every row.
    pub(super) fn take(&mut self, mut rows: Merge) -> Result<()> {
        let mut group = Group::default();
        while let Some(record) = rows.next()? {
            if group.partner().is_some_and(|partner| partner != record::partner(record)) {
                self.group(&group)?;
                group.clear();
            }
            group.push(record);
        }
        self.group(&group)
    }

    fn group(&mut self, group: &Group) -> Result<()> {
        let Some(partner) = group.partner() else { return Ok(()) };
        let mut rows = Vec::with_capacity(group.ends.len());
        for record in group.records() {
            let row = decode(record)?;
            if self.put_aside(&row, record) {
                continue;
            }
            rows.push(row);
        }
        let before = if self.parties.said_before.contains(partner) {
            Some(self.store.dossier(partner, None)?)
        } else {
            None
        };
        self.judge(before.as_ref(), rows)
    }

    /// Keeps a row of a contested number for the end.
    fn put_aside(&mut self, row: &Row<'_>, record: &[u8]) -> bool {
        if self.parties.contested.is_empty() {
            return false;
        }
        let issuer = self.issuers.known.get(self.scope.issuer(row.distributor_code)).copied().unwrap_or(0);
        let number = (issuer, row.invoice_no.to_owned());
        if !self.parties.contested.contains(&number) {
            return false;
        }
        self.contested.entry(number).or_default().push(record.to_vec());
        true
    }

    /// Settles contested numbers, each with all that was ever said about it, and tells how all rows were judged.
    pub(super) fn finish(mut self) -> Result<Judged> {
        for ((_, number), records) in std::mem::take(&mut self.contested) {
            let rows = records.iter().map(|record| decode(record)).collect::<Result<Vec<_>>>()?;
            let mut before: Option<Dossier> = None;
            for row in &rows {
                let next = self.store.dossier(row.partner_code, None)?;
                match &mut before {
                    None => before = Some(next),
                    Some(dossier) if dossier.partner == row.partner_code => {}
                    Some(dossier) => absorb(dossier, next),
                }
            }
            let rows = rows.into_iter().collect();
            self.judge_number(before.as_ref(), &number, rows)?;
        }
        Ok(self.judged)
    }

    fn judge_number(&mut self, before: Option<&Dossier>, number: &str, rows: Vec<Row<'_>>) -> Result<()> {
        let mut said = Vec::new();
        if let Some(dossier) = before {
            said = dossier.said().map_err(|fault| anyhow!(fault.0))?;
            said.retain(|said| said.row.invoice_no == number && said.seq < self.seq);
        }
        self.settle_rows(before, said, rows)
    }

    fn judge(&mut self, before: Option<&Dossier>, rows: Vec<Row<'_>>) -> Result<()> {
        let said = match before {
            Some(dossier) => dossier.said().map_err(|fault| anyhow!(fault.0))?,
            None => Vec::with_capacity(rows.len()),
        };
        self.settle_rows(before, said, rows)
    }

    fn settle_rows<'a>(
        &mut self,
        before: Option<&Dossier>,
        mut said: Vec<Said<'a>>,
        rows: Vec<Row<'a>>,
    ) -> Result<()> {
        let known = said.len();
        said.extend(rows.into_iter().map(|row| Said {
            seq: self.seq,
            space: self.space,
            scope: self.scope,
            row,
        }));
        let settled = match before {
            Some(dossier) => settle(&said, &dossier.cancellations, &dossier.decisions),
            None => settle(&said, &[], &[]),
        };
        self.judged.for_cancelled +=
            settled.for_cancelled.iter().filter(|&&index| index >= known).count() as u64;
        let fates = &settled.fates[known..];
        self.count(&said[known..], fates)?;
        self.keep(&said[known..], fates)
    }

    fn count(&mut self, said: &[Said<'_>], fates: &[Fate]) -> Result<()> {
        let mut held: BTreeMap<(&str, &str, u64), (HeldFact, Vec<&Row<'_>>)> = BTreeMap::new();
        for (said, fate) in said.iter().zip(fates) {
            let counts = &mut self.judged.counts;
            match fate {
                Fate::Accepted => counts.accepted += 1,
                Fate::Duplicate => counts.duplicate += 1,
                Fate::Superseding => counts.superseding += 1,
                Fate::Outdated => counts.outdated += 1,
                Fate::Held(why) => {
                    counts.held += 1;
                    // a document without line numbers is one fact: one hold
                    let line = if said.row.line_no.is_empty() { 0 } else { said.row.file_line };
                    let key = (said.row.invoice_no, said.row.distributor_code, line);
                    held.entry(key).or_insert((*why, Vec::new())).1.push(&said.row);
                }
                Fate::Rejected(_) => {
                    counts.rejected += 1;
                    self.judged.twice.insert(said.row.file_line, twice_detail(&said.row));
                }
            }
        }
        for (why, rows) in held.values() {
            self.store.open_hold(self.seq, &held_fact(self.seq, *why, rows))?;
        }
        Ok(())
    }

    fn keep(&mut self, said: &[Said<'_>], fates: &[Fate]) -> Result<()> {
        // a duplicate does nothing, but a later updated_at of it is kept
        let dated = said.iter().any(|said| said.row.updated_at.is_some());
        let mut rows: Vec<Row<'_>> = Vec::with_capacity(said.len());
        let mut moved = false;
        for (said, fate) in said.iter().zip(fates) {
            let keep = match fate {
                Fate::Accepted | Fate::Superseding => {
                    moved = true;
                    true
                }
                Fate::Outdated | Fate::Held(_) => true,
                Fate::Duplicate => dated,
                Fate::Rejected(_) => false,
            };
            if keep {
                rows.push(said.row);
            }
        }
        rows.sort_by(|a, b| a.partner_code.cmp(b.partner_code)); // contested numbers have several partners
        for of_partner in rows.chunk_by(|a, b| a.partner_code == b.partner_code) {
            if moved {
                self.store.mark_stale(of_partner[0].partner_code)?;
            }
            for chunk in of_partner.chunks(BUNDLE_ROWS) {
                self.write(chunk)?;
            }
        }
        Ok(())
    }

    fn write(&mut self, rows: &[Row<'_>]) -> Result<()> {
        let partner = rows[0].partner_code;
        let chunk = match self.chunks.get_mut(partner) {
            Some(next) => {
                *next += 1;
                *next
            }
            None => self.first_chunk(partner, rows.len())?,
        };
        self.body.clear();
        bundle::encode(rows, &mut self.body);
        self.store
            .connection
            .prepare_cached(
                "INSERT INTO bundle (partner, seq, chunk, space, rows, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute((partner, self.seq, chunk, self.space, rows.len() as i64, &self.body))
            .context("cannot write facts to the store")?;
        Ok(())
    }

    /// Chunks are counted only where there can be a second one, so that nothing is remembered of most partners.
    fn first_chunk(&mut self, partner: &str, rows: usize) -> Result<i64> {
        if rows == BUNDLE_ROWS || !self.parties.contested.is_empty() {
            self.chunks.insert(partner.to_owned(), 0);
        }
        Ok(0)
    }
}

fn decode(record: &[u8]) -> Result<Row<'_>> {
    record::decode(record).map_err(|fault| anyhow!(fault.0))
}

/// Puts another partner's dossier beside one, without saying anything twice.
fn absorb(dossier: &mut Dossier, other: Dossier) {
    let has = |raw: &crate::facts::dossier::RawBundle, all: &[crate::facts::dossier::RawBundle]| {
        all.iter().any(|one| one.partner == raw.partner && one.seq == raw.seq && one.body == raw.body)
    };
    for raw in other.own {
        if !has(&raw, &dossier.own) && !has(&raw, &dossier.others) {
            dossier.own.push(raw);
        }
    }
    dossier.others.retain(|raw| !dossier.own.iter().any(|own| own.partner == raw.partner));
    for cancellation in other.cancellations {
        let same = |one: &crate::facts::settle::Cancellation| {
            one.seq == cancellation.seq && one.file_line == cancellation.file_line
        };
        if !dossier.cancellations.iter().any(same) {
            dossier.cancellations.push(cancellation);
        }
    }
    for decision in other.decisions {
        if !dossier.decisions.iter().any(|one| one.at == decision.at) {
            dossier.decisions.push(decision);
        }
    }
}

fn twice_detail(row: &Row<'_>) -> String {
    if row.line_no.is_empty() {
        format!("document {} stands in this file with rows that contradict each other", row.invoice_no)
    } else {
        format!(
            "line {} of document {} stands more than once in this file, with different content",
            row.line_no, row.invoice_no
        )
    }
}

fn held_fact(seq: i64, why: HeldFact, rows: &[&Row<'_>]) -> NewHold {
    let first = rows[0];
    let (kind, why) = match why {
        HeldFact::IdentityConflict => (
            "identity_conflict",
            "contradicts what was said before (another partner, a date more than 31 days away, or with and without line numbers)",
        ),
        HeldFact::RowsVanished => ("rows_vanished", "came again with fewer rows"),
    };
    let line = if first.line_no.is_empty() { String::new() } else { format!(" line {}", first.line_no) };
    NewHold {
        kind,
        subject: format!("{seq}:{}", first.file_line),
        scheme: String::new(),
        cycle: String::new(),
        partner: first.partner_code.to_owned(),
        file: Some(seq),
        line: Some(first.file_line),
        lines: rows.len() as u64,
        amount: rows
            .iter()
            .map(|row| row.amount)
            .fold(rust_decimal::Decimal::ZERO, |sum, amount| sum.checked_add(amount).unwrap_or(sum)),
        points: 0,
        detail: format!("{} {}{line} {why}", first.doc_type.word(), first.invoice_no),
    }
}
