//! The document index: which partner a number leads to, and which numbers concern several parties.

use super::super::Store;
use super::super::rows::{self, Cells, Insert, Inserting};
use super::super::silence::speaks;
use super::super::sorter::{Merge, Sorter};
use super::feeder::{Cancelled, Issuers};
use anyhow::{Context, Result};
use std::collections::HashSet;
use std::ops::Range;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{Builder, Scope};

/// What the index tells about the numbers of one file.
#[derive(Default)]
pub(super) struct Parties {
    /// partners of whom, or of whose numbers, something was said before
    pub said_before: HashSet<String>,
    /// numbers that several partners claim in this very file
    pub contested: HashSet<(i64, String)>,
    /// whether payments may have come before
    pays: bool,
}

/// Numbers of one issuer that follow one another, without the bytes of each in a place of their own.
#[derive(Default)]
struct Batch {
    distributor: String,
    text: String,
    numbers: Vec<Number>,
}

/// A document number and who claims it.
struct Number {
    number: Range<usize>,
    /// "" stands for a cancellation
    claim: Range<usize>,
    more: Vec<String>,
}

impl Batch {
    fn of(distributor: &str) -> Batch {
        Batch { distributor: distributor.to_owned(), ..Batch::default() }
    }

    fn text(&self, range: &Range<usize>) -> &str {
        &self.text[range.clone()]
    }

    fn ends_with(&self, number: &str) -> bool {
        self.numbers.last().is_some_and(|last| self.text(&last.number) == number)
    }

    fn push(&mut self, number: &str, claim: &str) {
        let start = self.text.len();
        self.text.push_str(number);
        let end = self.text.len();
        self.text.push_str(claim);
        self.numbers.push(Number { number: start..end, claim: end..self.text.len(), more: Vec::new() });
    }

    /// One more claim to the last number; they come in order.
    fn claim(&mut self, claim: &str) {
        let Some(last) = self.numbers.last_mut() else { return };
        let before = last.more.last().map_or(&self.text[last.claim.clone()], String::as_str);
        if before != claim {
            last.more.push(claim.to_owned());
        }
    }

    fn claims<'b>(&'b self, number: &'b Number) -> impl Iterator<Item = &'b str> {
        std::iter::once(self.text(&number.claim)).chain(number.more.iter().map(String::as_str))
    }
}

/// The numbers of a file in order, merged on a thread of its own while those before are put into the index.
pub(super) struct Numbers(Receiver<Result<Batch>>);

impl Numbers {
    /// Starts to merge. The thread ends with the numbers, or when nobody takes them any more.
    pub(super) fn start<'scope>(threads: &'scope Scope<'scope, '_>, numbers: Vec<Sorter>) -> Result<Numbers> {
        let (batches, merged) = sync_channel(WAITING);
        Builder::new().name("numbers".into()).spawn_scoped(threads, move || {
            let dealt = Sorter::finish_all(numbers).map_err(Into::into).and_then(|all| deal(all, &batches));
            if let Err(fault) = dealt {
                // nobody listens where the store has failed first
                drop(batches.send(Err(fault)));
            }
        })?;
        Ok(Numbers(merged))
    }
}

fn deal(mut numbers: Merge, batches: &SyncSender<Result<Batch>>) -> Result<()> {
    let mut batch = Batch::default();
    while let Some(record) = numbers.next()? {
        let (distributor, number, claim) = split(record)?;
        let same = batch.distributor == distributor;
        if same && batch.ends_with(number) {
            batch.claim(claim);
            continue;
        }
        if !same || batch.numbers.len() == BATCH {
            let full = std::mem::replace(&mut batch, Batch::of(distributor));
            if batches.send(Ok(full)).is_err() {
                return Ok(());
            }
        }
        batch.push(number, claim);
    }
    drop(batches.send(Ok(batch)));
    Ok(())
}

/// Numbers handed over at once.
const BATCH: usize = 8 * rows::AT_ONCE;
/// Batches that wait.
const WAITING: usize = 2;

/// Numbers where nothing stands yet. A refusal rolls everything back: OR FAIL spares the copies of pages by which one statement
/// alone could be undone.
const NEW: Insert<'_> = Insert {
    into: "INSERT OR FAIL INTO document VALUES",
    row: "(?1, #, #)",
    after: "",
    shared: 1,
    at_once: rows::AT_ONCE,
};

/// The distributor, the number and the claim of a record.
fn split(record: &[u8]) -> Result<(&str, &str, &str)> {
    let mut parts = std::str::from_utf8(record)?.splitn(3, '\0');
    let mut part = || parts.next().context("a number without an end");
    Ok((part()?, part()?, part()?))
}

/// SQL: the partners among the parties of some numbers, given as a SELECT of `issuer, number`. The index is looked up number by
/// number: what else stands in it is not read.
pub(in super::super) fn parties_of(numbers: &str) -> String {
    format!(
        "SELECT partner FROM ({numbers}) CROSS JOIN document USING (issuer, number) WHERE partner <> ''
         UNION SELECT partner FROM ({numbers}) CROSS JOIN party USING (issuer, number) WHERE partner <> ''"
    )
}

impl Store {
    /// Issuers of a space by distributor, and the next free number.
    pub(super) fn issuers(&self, space: i64) -> Result<Issuers> {
        let next =
            self.connection.query_row("SELECT coalesce(max(id), 0) + 1 FROM issuer", [], |row| row.get(0))?;
        let mut select =
            self.connection.prepare_cached("SELECT distributor, id FROM issuer WHERE space = ?1")?;
        let known = select.query_map([space], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(Issuers { known: known.collect::<rusqlite::Result<_>>()?, fresh: Vec::new(), next, last: None })
    }

    pub(super) fn insert_issuers(&self, space: i64, issuers: &Issuers) -> Result<()> {
        for (id, distributor) in &issuers.fresh {
            self.connection.prepare_cached("INSERT INTO issuer VALUES (?1, ?2, ?3)")?.execute((
                id,
                space,
                distributor,
            ))?;
        }
        Ok(())
    }

    /// Keeps a cancellation, unless this file says it twice; `false` if a file that speaks cancelled the same before.
    pub(super) fn keep_cancellation(&self, seq: i64, issuer: i64, said: &Cancelled) -> Result<bool> {
        let (before, same): (bool, bool) = self
            .connection
            .prepare_cached(&format!(
                "SELECT count(*) > 0, coalesce(max(seq = ?4 AND day = ?5 AND updated_at IS ?6), 0) FROM cancellation
                 WHERE issuer = ?1 AND number = ?2 AND year IS ?3 AND {}",
                speaks("cancellation.seq", "?4")
            ))?
            .query_row((issuer, &said.number, said.year, seq, said.day, said.updated_at), |row| {
                Ok((row.get(0)?, row.get(1)?))
            })?;
        if !same {
            self.connection
                .prepare_cached("INSERT INTO cancellation VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")?
                .execute((issuer, &said.number, seq, said.file_line, said.day, said.year, said.updated_at))
                .context("cannot keep a cancellation")?;
        }
        Ok(!before)
    }

    /// Puts the numbers of a file, in order, into the index.
    pub(super) fn index_numbers(&self, numbers: Numbers, issuers: &Issuers) -> Result<Parties> {
        let mut parties = Parties { pays: self.has_payments()?, ..Parties::default() };
        let mut insert = NEW.on(&self.connection);
        for batch in numbers.0 {
            let batch = batch?;
            let Some(&issuer) = issuers.known.get(&batch.distributor) else {
                anyhow::ensure!(batch.numbers.is_empty(), "numbers of an issuer that nobody has met");
                continue;
            };
            for numbers in batch.numbers.chunks(rows::AT_ONCE) {
                self.index_some(&mut insert, (&batch, issuer), numbers, &mut parties)?;
            }
        }
        Ok(parties)
    }

    /// Numbers in whose range nothing stands yet are new, all of them: mostly so, as numbers grow.
    fn index_some(
        &self,
        insert: &mut Inserting<'_, '_>,
        (batch, issuer): (&Batch, i64),
        numbers: &[Number],
        parties: &mut Parties,
    ) -> Result<()> {
        let (Some(first), Some(last)) = (numbers.first(), numbers.last()) else { return Ok(()) };
        let free = !self
            .connection
            .prepare_cached(
                "SELECT EXISTS (SELECT 1 FROM document WHERE issuer = ?1 AND number >= ?2 AND number <= ?3)",
            )?
            .query_row((issuer, batch.text(&first.number), batch.text(&last.number)), |row| {
                row.get::<_, bool>(0)
            })?;
        if free {
            let shared = |cells: &mut Cells<'_, '_>| cells.next(issuer);
            insert
                .run(shared, numbers, |number, cells| {
                    cells.next(batch.text(&number.number))?;
                    cells.next(batch.text(&number.claim))
                })
                .context("cannot write to the document index")?;
        }
        for number in numbers {
            let known = !free && !self.index_number((batch, issuer), number)?;
            if parties.pays {
                self.meet_payments_of((batch, issuer), number)?;
            }
            if known || !number.more.is_empty() {
                self.meet((batch, issuer), number, parties)?;
            }
        }
        Ok(())
    }

    fn meet_payments_of(&self, (batch, issuer): (&Batch, i64), number: &Number) -> Result<()> {
        for partner in batch.claims(number).filter(|claim| !claim.is_empty()) {
            self.meet_payments(issuer, batch.text(&number.number), partner)?;
        }
        Ok(())
    }

    /// Puts one number into the index; `false` if it is there.
    fn index_number(&self, (batch, issuer): (&Batch, i64), number: &Number) -> Result<bool> {
        let inserted = self
            .connection
            .prepare_cached("INSERT OR IGNORE INTO document VALUES (?1, ?2, ?3)")?
            .execute((issuer, batch.text(&number.number), batch.text(&number.claim)))
            .context("cannot write to the document index")?;
        Ok(inserted == 1)
    }

    /// A number that was known before, or that several parties claim.
    fn meet(&self, (batch, issuer): (&Batch, i64), met: &Number, parties: &mut Parties) -> Result<()> {
        let number = batch.text(&met.number);
        let mut known = self.parties(issuer, number)?;
        for claim in batch.claims(met) {
            if !known.iter().any(|known| known == claim) {
                self.connection
                    .prepare_cached("INSERT INTO party VALUES (?1, ?2, ?3)")?
                    .execute((issuer, number, claim))?;
                known.push(claim.to_owned());
            }
            if !claim.is_empty() {
                parties.said_before.insert(claim.to_owned());
            }
        }
        if known.len() > 1 {
            for partner in known.iter().filter(|partner| !partner.is_empty()) {
                self.connection
                    .prepare_cached("INSERT OR IGNORE INTO link VALUES (?1, ?2, ?3)")?
                    .execute((partner, issuer, number))?;
                self.mark_party_stale(partner, issuer)?;
            }
        }
        if batch.claims(met).filter(|claim| !claim.is_empty()).count() > 1 {
            parties.contested.insert((issuer, number.to_owned()));
        }
        Ok(())
    }

    /// Every party of a number; "" stands for a cancellation.
    pub(in super::super) fn parties(&self, issuer: i64, number: &str) -> Result<Vec<String>> {
        let mut select = self.connection.prepare_cached(
            "SELECT partner FROM document WHERE issuer = ?1 AND number = ?2
             UNION SELECT partner FROM party WHERE issuer = ?1 AND number = ?2",
        )?;
        let rows = select.query_map((issuer, number), |row| row.get(0))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Partners who share document numbers with this one are evaluated again too.
    pub(in super::super) fn mark_linked_stale(&self, partner: &str) -> Result<()> {
        let sharing = parties_of("SELECT issuer, number FROM link WHERE partner = ?1");
        self.connection
            .prepare_cached(&format!("INSERT OR IGNORE INTO stale {sharing}"))?
            .execute([partner])?;
        Ok(())
    }

    /// Marks a partner to be evaluated.
    pub(in super::super) fn mark_stale(&self, partner: &str) -> Result<()> {
        self.connection.prepare_cached("INSERT OR IGNORE INTO stale VALUES (?1)")?.execute([partner])?;
        Ok(())
    }
}
