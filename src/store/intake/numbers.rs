//! The document index: which partner a number leads to, and which numbers concern several parties.

use super::super::Store;
use super::super::silence::speaks;
use super::super::sorter::Merge;
use super::feeder::{Cancelled, Issuers};
use anyhow::{Context, Result};
use std::collections::HashSet;

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

impl Store {
    /// Issuers of a space by distributor, and the next free number.
    pub(super) fn issuers(&self, space: i64) -> Result<Issuers> {
        let next =
            self.connection.query_row("SELECT coalesce(max(id), 0) + 1 FROM issuer", [], |row| row.get(0))?;
        let mut select =
            self.connection.prepare_cached("SELECT distributor, id FROM issuer WHERE space = ?1")?;
        let known = select.query_map([space], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(Issuers { known: known.collect::<rusqlite::Result<_>>()?, fresh: Vec::new(), next })
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
        let mut number: Vec<u8> = Vec::new();
        let mut claims: Vec<String> = Vec::new();
        while let Some(record) = numbers.next()? {
            let end =
                record.iter().skip(8).position(|&byte| byte == 0).context("a number without an end")? + 8;
            let (head, claim) = (&record[..end], &record[end + 1..]);
            if head != number.as_slice() {
                self.index_number(&number, &claims, &mut parties)?;
                number.clear();
                number.extend_from_slice(head);
                claims.clear();
            }
            let claim = std::str::from_utf8(claim)?;
            if claims.last().is_none_or(|last| last != claim) {
                claims.push(claim.to_owned());
            }
        }
        self.index_number(&number, &claims, &mut parties)?;
        Ok(parties)
    }

    fn index_number(&self, head: &[u8], claims: &[String], parties: &mut Parties) -> Result<()> {
        let Some(first) = claims.first() else { return Ok(()) };
        let issuer = i64::from_be_bytes(head[..8].try_into()?);
        let number = std::str::from_utf8(&head[8..])?;
        let new = self
            .connection
            .prepare_cached("INSERT OR IGNORE INTO document VALUES (?1, ?2, ?3)")?
            .execute((issuer, number, first))
            .context("cannot write to the document index")?
            == 1;
        if parties.pays {
            for partner in claims.iter().filter(|claim| !claim.is_empty()) {
                self.meet_payments(issuer, number, partner)?;
            }
        }
        if new && claims.len() == 1 {
            return Ok(());
        }
        self.meet(issuer, number, claims, parties)
    }

    /// A number that was known before, or that several parties claim.
    fn meet(&self, issuer: i64, number: &str, claims: &[String], parties: &mut Parties) -> Result<()> {
        let mut known = self.parties(issuer, number)?;
        for claim in claims {
            if !known.contains(claim) {
                self.connection
                    .prepare_cached("INSERT INTO party VALUES (?1, ?2, ?3)")?
                    .execute((issuer, number, claim))?;
                known.push(claim.clone());
            }
            if !claim.is_empty() {
                parties.said_before.insert(claim.clone());
            }
        }
        if known.len() > 1 {
            for partner in known.iter().filter(|partner| !partner.is_empty()) {
                self.connection
                    .prepare_cached("INSERT OR IGNORE INTO link VALUES (?1, ?2, ?3)")?
                    .execute((partner, issuer, number))?;
                self.mark_stale(partner)?;
            }
        }
        if claims.iter().filter(|claim| !claim.is_empty()).count() > 1 {
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

    /// Marks a partner to be evaluated.
    pub(in super::super) fn mark_stale(&self, partner: &str) -> Result<()> {
        self.connection.prepare_cached("INSERT OR IGNORE INTO stale VALUES (?1)")?.execute([partner])?;
        Ok(())
    }
}
