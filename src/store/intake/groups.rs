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
use crate::facts::movement::Movement;
use crate::facts::record;
use crate::facts::row::Row;
use crate::facts::settle::Said;
use crate::facts::texts::same;
use anyhow::{Context, Result, anyhow};
use std::collections::{BTreeMap, HashMap};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

/// Rows after which a batch is handed over.
const BATCH_ROWS: usize = 1_024;
/// Batches that wait for each thread.
const WAITING: usize = 2;
/// Threads that settle.
const SETTLERS: usize = 2;

/// One partner's rows, and how they are judged if nothing was said before.
struct Draft {
    group: Group,
    alone: Judgement,
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

    fn said(&self, taking: Taking) -> Result<Vec<Said<'_>>> {
        let mut said = Vec::with_capacity(self.ends.len());
        for record in self.records() {
            put(record, taking, &mut said)?;
        }
        Ok(said)
    }
}

/// Drafts that threads make, in order of partner: one merges the rows into groups, the others settle a batch in turn.
pub(super) struct Drafts {
    made: Vec<Receiver<Result<Vec<Draft>>>>,
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
            let (settler, groups) = sync_channel::<Result<Vec<Group>>>(WAITING);
            let (drafts, taken) = sync_channel(WAITING);
            std::thread::Builder::new().name("settle".into()).spawn_scoped(threads, move || {
                for groups in groups {
                    let drafted = groups
                        .and_then(|groups| groups.into_iter().map(|group| draft(taking, group)).collect());
                    if drafts.send(drafted).is_err() {
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

    fn next(&mut self) -> Option<Result<Vec<Draft>>> {
        let drafted = self.made.get(self.next)?.recv().ok();
        self.next = (self.next + 1) % self.made.len();
        drafted
    }
}

/// Deals batches of groups to the settlers in turn; a fault goes the way of a batch.
fn deal(mut rows: Merge, settlers: &[SyncSender<Result<Vec<Group>>>]) {
    for settler in settlers.iter().cycle() {
        let dealt = batch_of(&mut rows);
        let last = match &dealt {
            Ok(groups) if groups.is_empty() => return,
            Ok(_) => false,
            Err(_) => true,
        };
        if settler.send(dealt).is_err() || last {
            return;
        }
    }
}

/// The next groups, none at the end of the rows.
fn batch_of(rows: &mut Merge) -> Result<Vec<Group>> {
    let mut groups: Vec<Group> = Vec::new();
    let mut count = 0;
    while let Some(record) = rows.peek()? {
        let partner = record::partner(record);
        match groups.last_mut() {
            Some(group) if group.partner().is_some_and(|one| same(one, partner)) => group.push(record),
            Some(_) if count >= BATCH_ROWS => break,
            Some(_) | None => {
                let mut group = Group::default();
                group.push(record);
                groups.push(group);
            }
        }
        count += 1;
        rows.skip();
    }
    Ok(groups)
}

fn draft(taking: Taking, group: Group) -> Result<Draft> {
    let said = group.said(taking)?;
    let alone = judge(None, &said, 0);
    Ok(Draft { group, alone })
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
    /// rows of contested numbers, settled together at the end
    contested: BTreeMap<(i64, String), Vec<Vec<u8>>>,
    /// next chunk of partners that have bundles of this file already
    chunks: HashMap<String, i64>,
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
        })
    }

    /// Takes every row.
    pub(super) fn take(&mut self, mut drafts: Drafts) -> Result<()> {
        while let Some(batch) = drafts.next() {
            let mut moved: Vec<Moved> = Vec::new();
            for Draft { group, alone } in batch? {
                moved.extend(if self.stands(&group) {
                    self.carry_out(alone)?
                } else {
                    self.judge_beside(&group)?
                });
            }
            self.mark_stale(&moved)?;
        }
        Ok(())
    }

    /// Whether nothing was said before about a partner or its numbers.
    fn stands(&self, group: &Group) -> bool {
        self.parties.contested.is_empty()
            && group.partner().is_none_or(|partner| !self.parties.said_before.contains(partner))
    }

    fn judge_beside(&mut self, group: &Group) -> Result<Vec<Moved>> {
        let Some(partner) = group.partner() else { return Ok(Vec::new()) };
        let before = if self.parties.said_before.contains(partner) {
            Some(self.store.dossier_of_code(partner)?)
        } else {
            None
        };
        let mut said = match &before {
            Some(dossier) => dossier.said().map_err(|fault| anyhow!(fault.0))?,
            None => Vec::with_capacity(group.ends.len()),
        };
        let known = said.len();
        for record in group.records() {
            put(record, self.taking, &mut said)?;
            if said.last().is_some_and(|said| self.put_aside(&said.row, record)) {
                said.pop();
            }
        }
        self.carry_out(judge(before.as_ref(), &said, known))
    }

    /// Keeps a row of a contested number for the end.
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
            let rows = records.iter().map(|record| decode(record)).collect::<Result<Vec<_>>>()?;
            let mut before: Option<Dossier> = None;
            for row in &rows {
                let next = self.store.dossier_of_code(row.partner_code)?;
                match &mut before {
                    None => before = Some(next),
                    Some(dossier) if dossier.partner == row.partner_code => {}
                    Some(dossier) => absorb(dossier, next),
                }
            }
            let moved = self.judge_number(before.as_ref(), &number, rows)?;
            self.mark_stale(&moved)?;
        }
        Ok(self.judged)
    }

    fn judge_number(
        &mut self,
        before: Option<&Dossier>,
        number: &str,
        rows: Vec<Row<'_>>,
    ) -> Result<Vec<Moved>> {
        let mut said = Vec::new();
        if let Some(dossier) = before {
            said = dossier.said().map_err(|fault| anyhow!(fault.0))?;
            said.retain(|said| said.row.invoice_no == number && said.seq < self.taking.seq);
        }
        let known = said.len();
        said.extend(rows.into_iter().map(|row| self.taking.said(row)));
        self.carry_out(judge(before, &said, known))
    }

    /// Writes what was judged; gives the partners whose facts moved.
    fn carry_out(&mut self, judgement: Judgement) -> Result<Vec<Moved>> {
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
        Ok(moved)
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

    fn mark_stale(&self, moved: &[Moved]) -> Result<()> {
        const OF_ALL: Insert<'_> = Insert {
            into: "INSERT OR IGNORE INTO stale VALUES",
            row: "(#)",
            after: "",
            shared: 0,
            at_once: rows::AT_ONCE,
        };
        const OF_ONE: Insert<'_> =
            Insert { into: "INSERT OR IGNORE INTO stale_code VALUES", row: "(#, #)", ..OF_ALL };
        let connection = &self.store.connection;
        if !self.tells_distributors {
            return OF_ALL.run(connection, |_| Ok(()), moved, |(partner, _), cells| cells.next(partner));
        }
        OF_ONE.run(
            connection,
            |_| Ok(()),
            moved,
            |(partner, distributor), cells| {
                cells.next(partner)?;
                cells.next(distributor)
            },
        )
    }
}

/// Decodes a record where it is to stand.
fn put<'a>(record: &'a [u8], taking: Taking, said: &mut Vec<Said<'a>>) -> Result<()> {
    said.push(taking.said(Row::blank("")));
    if let Some((last, before)) = said.split_last_mut() {
        record::decode_into(record, &mut last.row).map_err(|fault| anyhow!(fault.0))?;
        if let Some(before) = before.last() {
            share(&before.row, &mut last.row);
        }
    }
    Ok(())
}

/// Codes that stand in the row before too are those very bytes: where they are compared again, that is seen at once.
fn share<'a>(before: &Row<'a>, row: &mut Row<'a>) {
    let codes = [
        (before.partner_code, &mut row.partner_code),
        (before.distributor_code, &mut row.distributor_code),
        (before.invoice_no, &mut row.invoice_no),
    ];
    for (before, code) in codes {
        if same(before, code) {
            *code = before;
        }
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
    dossier.aliases.absorb(other.aliases);
    for decision in other.decisions {
        if !dossier.decisions.iter().any(|one| one.at == decision.at) {
            dossier.decisions.push(decision);
        }
    }
}
