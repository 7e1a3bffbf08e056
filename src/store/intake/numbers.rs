//! The document index: which partner a number leads to, and which numbers concern several parties.

use super::super::Store;
use super::super::rows::{self, Cells, Insert};
use super::super::silence::speaks;
use super::super::sorter::Merge;
use super::feeder::{Cancelled, Issuers};
use anyhow::{Context, Result};
use std::collections::HashSet;
use std::ops::Range;

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

/// Numbers that follow one another, without the bytes of each in a place of their own.
#[derive(Default)]
struct Batch {
    text: String,
    numbers: Vec<Number>,
}

/// A document number and who claims it.
struct Number {
    issuer: i64,
    number: Range<usize>,
    /// "" stands for a cancellation
    claim: Range<usize>,
    more: Vec<String>,
}

impl Batch {
    fn text(&self, range: &Range<usize>) -> &str {
        &self.text[range.clone()]
    }

    fn ends_with(&self, (issuer, number): (i64, &str)) -> bool {
        self.numbers.last().is_some_and(|last| last.issuer == issuer && self.text(&last.number) == number)
    }

    fn push(&mut self, (issuer, number): (i64, &str), claim: &str) {
        let start = self.text.len();
        self.text.push_str(number);
        let end = self.text.len();
        self.text.push_str(claim);
        self.numbers.push(Number {
            issuer,
            number: start..end,
            claim: end..self.text.len(),
            more: Vec::new(),
        });
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

    fn clear(&mut self) {
        self.text.clear();
        self.numbers.clear();
    }
}

/// Numbers where nothing stands yet.
const NEW: Insert<'_> = Insert {
    into: "INSERT INTO document VALUES",
    row: "(#, #, #)",
    after: "",
    shared: 0,
    at_once: rows::AT_ONCE,
};

/// The issuer, the number and the claim of a record.
fn split(record: &[u8]) -> Result<((i64, &str), &str)> {
    let (issuer, rest) = record.split_first_chunk().context("a number without its issuer")?;
    let end = rest.iter().position(|&byte| byte == 0).context("a number without an end")?;
    let number = std::str::from_utf8(&rest[..end])?;
    Ok(((i64::from_be_bytes(*issuer), number), std::str::from_utf8(&rest[end + 1..])?))
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
    pub(super) fn keep_cancellation(&self, seq: i64, said: &Cancelled) -> Result<bool> {
        let (before, same): (bool, bool) = self
            .connection
            .prepare_cached(&format!(
                "SELECT count(*) > 0, coalesce(max(seq = ?4 AND day = ?5 AND updated_at IS ?6), 0) FROM cancellation
                 WHERE issuer = ?1 AND number = ?2 AND year IS ?3 AND {}",
                speaks("cancellation.seq", "?4")
            ))?
            .query_row((said.issuer, &said.number, said.year, seq, said.day, said.updated_at), |row| {
                Ok((row.get(0)?, row.get(1)?))
            })?;
        if !same {
            self.connection
                .prepare_cached("INSERT INTO cancellation VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")?
                .execute((
                    said.issuer,
                    &said.number,
                    seq,
                    said.file_line,
                    said.day,
                    said.year,
                    said.updated_at,
                ))
                .context("cannot keep a cancellation")?;
        }
        Ok(!before)
    }

    /// Puts the numbers of a file, in order, into the index.
    pub(super) fn index_numbers(&self, mut numbers: Merge) -> Result<Parties> {
        let mut parties = Parties { pays: self.has_payments()?, ..Parties::default() };
        let mut batch = Batch::default();
        while let Some(record) = numbers.next()? {
            let (head, claim) = split(record)?;
            if !batch.ends_with(head) {
                if batch.numbers.len() == rows::AT_ONCE {
                    self.index_batch(&batch, &mut parties)?;
                    batch.clear();
                }
                batch.push(head, claim);
            } else {
                batch.claim(claim);
            }
        }
        self.index_batch(&batch, &mut parties)?;
        Ok(parties)
    }

    /// Numbers in whose range nothing stands yet are new, all of them: mostly so, as numbers grow.
    fn index_batch(&self, batch: &Batch, parties: &mut Parties) -> Result<()> {
        let (Some(first), Some(last)) = (batch.numbers.first(), batch.numbers.last()) else { return Ok(()) };
        let ends = (first.issuer, batch.text(&first.number), last.issuer, batch.text(&last.number));
        let free = !self
            .connection
            .prepare_cached(
                "SELECT EXISTS (SELECT 1 FROM document WHERE (issuer, number) >= (?1, ?2) AND (issuer, number) <= (?3, ?4))",
            )?
            .query_row(ends, |row| row.get::<_, bool>(0))?;
        if free {
            let shared = |_: &mut Cells<'_, '_>| Ok(());
            NEW.run(&self.connection, shared, &batch.numbers, |number, cells| {
                cells.next(number.issuer)?;
                cells.next(batch.text(&number.number))?;
                cells.next(batch.text(&number.claim))
            })
            .context("cannot write to the document index")?;
        }
        for number in &batch.numbers {
            let known = !free && !self.index_number(batch, number)?;
            if parties.pays {
                self.meet_payments_of(batch, number)?;
            }
            if known || !number.more.is_empty() {
                self.meet(batch, number, parties)?;
            }
        }
        Ok(())
    }

    fn meet_payments_of(&self, batch: &Batch, number: &Number) -> Result<()> {
        for partner in batch.claims(number).filter(|claim| !claim.is_empty()) {
            self.meet_payments(number.issuer, batch.text(&number.number), partner)?;
        }
        Ok(())
    }

    /// Puts one number into the index; `false` if it is there.
    fn index_number(&self, batch: &Batch, number: &Number) -> Result<bool> {
        let inserted = self
            .connection
            .prepare_cached("INSERT OR IGNORE INTO document VALUES (?1, ?2, ?3)")?
            .execute((number.issuer, batch.text(&number.number), batch.text(&number.claim)))
            .context("cannot write to the document index")?;
        Ok(inserted == 1)
    }

    /// A number that was known before, or that several parties claim.
    fn meet(&self, batch: &Batch, met: &Number, parties: &mut Parties) -> Result<()> {
        let (issuer, number) = (met.issuer, batch.text(&met.number));
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
