//! Rows partner by partner: settled against what was said before, then written as bundles.
//!
//! Threads of their own merge, and settle each partner's rows as if nothing had been said before, which is so for most
//! partners of most files; meanwhile the document index is brought up to date here. Where it tells otherwise, the rows
//! are settled again beside the partner's dossier.

use super::super::Store;
use super::super::files::Counts;
use super::super::rows::{self, Insert};
use super::super::sorter::{Merge, Sorter};
use super::feeder::Issuers;
use super::judge::{BUNDLE_ROWS, Bundle, Judgement, Moved, Taking, judge};
use super::numbers::Parties;
use crate::facts::dossier::Dossier;
use crate::facts::identity;
use crate::facts::movement::Movement;
use crate::facts::record;
use crate::facts::row::Row;
use crate::facts::settle::Said;
use crate::facts::texts::same;
use anyhow::{Context, Result, anyhow};
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

/// Bytes of records after which a batch is handed over: about a thousand rows.
const BATCH: usize = 48 << 10;
/// Batches that wait for each thread.
const WAITING: usize = 2;
/// Threads that settle.
const SETTLERS: usize = 2;

/// Some partners' rows, and how those of each are judged if nothing was said before.
struct Drafted {
    batch: Batch,
    alone: Vec<Judgement>,
}

/// Records of some partners, one after the other, without a place of its own for each.
#[derive(Default)]
struct Batch {
    bytes: Vec<u8>,
    /// where each record ends
    ends: Vec<usize>,
    /// how many records there are up to the last one of each partner
    partners: Vec<usize>,
}

impl Batch {
    fn push(&mut self, record: &[u8], of: Of) {
        self.bytes.extend_from_slice(record);
        self.ends.push(self.bytes.len());
        match (of, self.partners.last_mut()) {
            (Of::SamePartner, Some(last)) => *last = self.ends.len(),
            (Of::SamePartner | Of::NextPartner, _) => self.partners.push(self.ends.len()),
        }
    }

    fn record(&self, at: usize) -> &[u8] {
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.bytes[start..self.ends[at]]
    }

    fn last(&self) -> Option<&[u8]> {
        Some(self.record(self.ends.len().checked_sub(1)?))
    }

    fn groups(&self) -> impl Iterator<Item = Group<'_>> {
        let starts = std::iter::once(0).chain(self.partners.iter().copied());
        starts.zip(&self.partners).map(|(start, &end)| Group { batch: self, records: start..end })
    }
}

/// Whose a record is, beside the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Of {
    SamePartner,
    NextPartner,
}

/// Records of one partner.
struct Group<'b> {
    batch: &'b Batch,
    records: Range<usize>,
}

impl<'b> Group<'b> {
    fn records(&self) -> impl Iterator<Item = &'b [u8]> {
        self.records.clone().map(|at| self.batch.record(at))
    }

    fn partner(&self) -> &'b str {
        self.records().next().map_or("", record::partner)
    }

    fn rows(&self) -> usize {
        self.records().map(record::len).sum()
    }

    fn said(&self, taking: Taking) -> Result<Vec<Said<'b>>> {
        let mut said = Vec::with_capacity(self.rows());
        for record in self.records() {
            put(record, taking, &mut said)?;
        }
        in_order(&mut said);
        Ok(said)
    }
}

/// Drafts that threads make, in order of partner: one merges the rows into groups, the others settle a batch in turn.
pub(super) struct Drafts {
    made: Vec<Receiver<Result<Drafted>>>,
    next: usize,
}

impl Drafts {
    /// Starts to make them. The threads end with the rows, or when nobody takes drafts any more.
    pub(super) fn start<'scope>(
        threads: &'scope std::thread::Scope<'scope, '_>,
        taking: Taking,
        rows: Vec<Sorter>,
    ) -> Result<Drafts> {
        let mut settlers = Vec::new();
        let mut made = Vec::new();
        for _ in 0..SETTLERS {
            let (settler, batches) = sync_channel::<Result<Batch>>(WAITING);
            let (drafts, taken) = sync_channel(WAITING);
            std::thread::Builder::new().name("settle".into()).spawn_scoped(threads, move || {
                for batch in batches {
                    if drafts.send(batch.and_then(|batch| draft(taking, batch))).is_err() {
                        return; // nobody listens where the store has failed first
                    }
                }
            })?;
            settlers.push(settler);
            made.push(taken);
        }
        std::thread::Builder::new().name("merge".into()).spawn_scoped(threads, move || {
            match Sorter::finish_all(rows) {
                Ok(rows) => deal(rows, &settlers),
                // nobody listens where the store has failed first
                Err(fault) => drop(settlers[0].send(Err(fault.into()))),
            }
        })?;
        Ok(Drafts { made, next: 0 })
    }

    fn next(&mut self) -> Option<Result<Drafted>> {
        let drafted = self.made.get(self.next)?.recv().ok();
        self.next = (self.next + 1) % self.made.len();
        drafted
    }
}

/// Deals batches of groups to the settlers in turn; a fault goes the way of a batch.
fn deal(mut rows: Merge, settlers: &[SyncSender<Result<Batch>>]) {
    for settler in settlers.iter().cycle() {
        let dealt = batch_of(&mut rows);
        let last = match &dealt {
            Ok(batch) if batch.partners.is_empty() => return,
            Ok(_) => false,
            Err(_) => true,
        };
        if settler.send(dealt).is_err() || last {
            return;
        }
    }
}

/// The next partners' records, none at the end of the rows.
fn batch_of(rows: &mut Merge) -> Result<Batch> {
    let mut batch = Batch::default();
    while let Some(record) = rows.peek()? {
        let of = match batch.last() {
            Some(last) if same(record::partner(last), record::partner(record)) => Of::SamePartner,
            Some(_) if batch.bytes.len() >= BATCH => break,
            Some(_) => Of::NextPartner,
            None => {
                // room is taken at once: growing would copy what is there
                batch.bytes.reserve(BATCH + BATCH / 2);
                Of::NextPartner
            }
        };
        batch.push(record, of);
        rows.skip();
    }
    Ok(batch)
}

fn draft(taking: Taking, batch: Batch) -> Result<Drafted> {
    let alone = |group: Group<'_>| Ok(judge(None, &group.said(taking)?, 0));
    let alone = batch.groups().map(alone).collect::<Result<_>>()?;
    Ok(Drafted { batch, alone })
}

/// Takes the rows of one file in order of partner.
pub(super) struct Groups<'s> {
    store: &'s Store,
    taking: Taking,
    parties: &'s Parties,
    issuers: &'s Issuers,
    /// whether some partners are looked at again once all is written
    reviews: bool,
    /// whether what moves concerns one distributor's codes alone
    tells_distributors: bool,
    judged: Judged,
    /// records of contested numbers, settled together at the end
    contested: BTreeMap<(i64, String), Vec<Vec<u8>>>,
    /// next chunk of partners that have bundles of this file already
    chunks: HashMap<String, i64>,
    /// whose facts moved, and is not marked yet
    moved: Vec<Moved>,
}

/// How the rows were judged.
#[derive(Default)]
pub(super) struct Judged {
    pub counts: Counts,
    for_cancelled: u64,
    /// of partners of whom no reviewed file says anything
    pub movement: Movement,
    /// lines of `identity_twice`, with what is wrong
    pub twice: BTreeMap<u64, String>,
}

impl Judged {
    pub(super) fn notice(&self) -> String {
        match self.for_cancelled {
            0 => String::new(),
            1 => "1 line arrived for a cancelled invoice".to_owned(),
            many => format!("{many} lines arrived for cancelled invoices"),
        }
    }
}

impl<'s> Groups<'s> {
    pub(super) fn new(
        store: &'s Store,
        taking: Taking,
        parties: &'s Parties,
        issuers: &'s Issuers,
        reviews: bool,
    ) -> Result<Groups<'s>> {
        let tells_distributors = store.tells_distributors()?;
        Ok(Groups {
            store,
            taking,
            parties,
            issuers,
            reviews,
            tells_distributors,
            judged: Judged::default(),
            contested: BTreeMap::new(),
            chunks: HashMap::new(),
            moved: Vec::new(),
        })
    }

    /// Takes every row.
    pub(super) fn take(&mut self, mut drafts: Drafts) -> Result<()> {
        while let Some(drafted) = drafts.next() {
            let Drafted { batch, alone } = drafted?;
            for (group, alone) in batch.groups().zip(alone) {
                if self.stands(&group) {
                    self.carry_out(alone)?;
                } else {
                    self.judge_beside(&group)?;
                }
            }
            let full = self.moved.len() - self.moved.len() % rows::AT_ONCE;
            self.mark_stale(full)?;
        }
        Ok(())
    }

    /// Whether nothing was said before about a partner or its numbers.
    fn stands(&self, group: &Group<'_>) -> bool {
        self.parties.contested.is_empty() && !self.parties.said_before.contains(group.partner())
    }

    fn judge_beside(&mut self, group: &Group<'_>) -> Result<()> {
        let partner = group.partner();
        let before = if self.parties.said_before.contains(partner) {
            Some(self.store.dossier_of_code(partner)?)
        } else {
            None
        };
        let mut said = match &before {
            Some(dossier) => dossier.said().map_err(|fault| anyhow!(fault.0))?,
            None => Vec::with_capacity(group.rows()),
        };
        let known = said.len();
        for record in group.records() {
            let before = said.len();
            put(record, self.taking, &mut said)?;
            if said.get(before).is_some_and(|said| self.put_aside(&said.row, record)) {
                said.truncate(before);
            }
        }
        in_order(&mut said[known..]);
        self.carry_out(judge(before.as_ref(), &said, known))
    }

    /// Keeps a record of a contested number for the end.
    fn put_aside(&mut self, row: &Row<'_>, record: &[u8]) -> bool {
        if self.parties.contested.is_empty() {
            return false;
        }
        let issuer =
            self.issuers.known.get(self.taking.scope.issuer(row.distributor_code)).copied().unwrap_or(0);
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
            let mut rows = Vec::new();
            let mut before: Option<Dossier> = None;
            for record in &records {
                put(record, self.taking, &mut rows)?;
                let partner = record::partner(record);
                match &mut before {
                    None => before = Some(self.store.dossier_of_code(partner)?),
                    Some(dossier) if dossier.partner == partner => {}
                    Some(dossier) => absorb(dossier, self.store.dossier_of_code(partner)?),
                }
            }
            rows.chunk_by_mut(|a, b| same(a.row.partner_code, b.row.partner_code)).for_each(in_order);
            self.judge_number(before.as_ref(), &number, rows)?;
        }
        self.mark_stale(self.moved.len())?;
        Ok(self.judged)
    }

    fn judge_number(&mut self, before: Option<&Dossier>, number: &str, rows: Vec<Said<'_>>) -> Result<()> {
        let mut said = Vec::new();
        if let Some(dossier) = before {
            said = dossier.said().map_err(|fault| anyhow!(fault.0))?;
            said.retain(|said| said.row.invoice_no == number && said.seq < self.taking.seq);
        }
        let known = said.len();
        said.extend(rows);
        self.carry_out(judge(before, &said, known))
    }

    /// Writes what was judged.
    fn carry_out(&mut self, judgement: Judgement) -> Result<()> {
        let Judgement { counts, for_cancelled, twice, held, moved, bundles, movements } = judgement;
        self.judged.counts.add(&counts);
        self.judged.for_cancelled += for_cancelled;
        self.judged.twice.extend(twice);
        for (partner, movement) in movements {
            if !self.reviews || !self.store.is_reviewed(&partner)? {
                self.judged.movement.absorb(movement);
            }
        }
        for hold in &held {
            self.store.open_hold(self.taking.seq, hold)?;
        }
        for bundle in bundles {
            self.write(&bundle)?;
        }
        self.moved.extend(moved);
        Ok(())
    }

    fn write(&mut self, bundle: &Bundle) -> Result<()> {
        let chunk = match self.chunks.get_mut(&bundle.partner) {
            Some(next) => {
                *next += 1;
                *next
            }
            None => self.first_chunk(bundle),
        };
        self.store
            .connection
            .prepare_cached(
                "INSERT INTO bundle (partner, seq, chunk, space, rows, body, distributor) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?
            .execute((
                &bundle.partner,
                self.taking.seq,
                chunk,
                self.taking.space,
                bundle.rows as i64,
                &bundle.body,
                &bundle.distributor,
            ))
            .context("cannot write facts to the store")?;
        Ok(())
    }

    /// Chunks are counted only where there can be a second one, so that nothing is remembered of most partners.
    fn first_chunk(&mut self, bundle: &Bundle) -> i64 {
        if bundle.rows == BUNDLE_ROWS || !self.parties.contested.is_empty() {
            self.chunks.insert(bundle.partner.clone(), 0);
        }
        0
    }

    /// Marks the first `count` of those whose facts moved.
    fn mark_stale(&mut self, count: usize) -> Result<()> {
        const OF_ALL: Insert<'_> = Insert {
            into: "INSERT OR IGNORE INTO stale VALUES",
            row: "(#)",
            after: "",
            shared: 0,
            at_once: rows::AT_ONCE,
        };
        const OF_ONE: Insert<'_> =
            Insert { into: "INSERT OR IGNORE INTO stale_code VALUES", row: "(#, #)", ..OF_ALL };
        let (connection, moved) = (&self.store.connection, &self.moved[..count]);
        if self.tells_distributors {
            OF_ONE.run(
                connection,
                |_| Ok(()),
                moved,
                |(partner, distributor), cells| {
                    cells.next(partner)?;
                    cells.next(distributor)
                },
            )?;
        } else {
            OF_ALL.run(connection, |_| Ok(()), moved, |(partner, _), cells| cells.next(partner))?;
        }
        self.moved.drain(..count);
        Ok(())
    }
}

/// Decodes the rows of a record.
fn put<'a>(record: &'a [u8], taking: Taking, said: &mut Vec<Said<'a>>) -> Result<()> {
    let from = said.len();
    record::decode_each(record, |row| said.push(taking.said(*row))).map_err(|fault| anyhow!(fault.0))?;
    let (before, rows) = said.split_at_mut(from);
    if let Some(before) = before.last() {
        rows.iter_mut().for_each(|said| share(&before.row, &mut said.row));
    }
    Ok(())
}

/// Codes that stand in the record before too are those very bytes: where they are compared again, that is seen at once.
fn share<'a>(before: &Row<'a>, row: &mut Row<'a>) {
    let codes =
        [(before.partner_code, &mut row.partner_code), (before.distributor_code, &mut row.distributor_code)];
    for (before, code) in codes {
        if same(before, code) {
            *code = before;
        }
    }
}

/// Records are in order, and their rows as they stand in the file: here they are put in the order of all rows.
fn in_order(said: &mut [Said<'_>]) {
    let order =
        |a: &Said<'_>, b: &Said<'_>| identity::order((a.space, a.scope, &a.row), (b.space, b.scope, &b.row));
    if !said.is_sorted_by(|a, b| order(a, b).is_le()) {
        said.sort_by(order);
    }
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
    dossier.aliases.absorb(other.aliases);
    for decision in other.decisions {
        if !dossier.decisions.iter().any(|one| one.at == decision.at) {
            dossier.decisions.push(decision);
        }
    }
}
