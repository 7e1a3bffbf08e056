//! Local codes: keeping what distributors call partners, and reading back what a dossier needs of it.

use super::Store;
use super::intake::parties_of;
use super::masters::{Kept, PartnerSaid, Taking, applies_otherwise, columns, how_kept, said_before};
use super::silence::{rank, speaks};
use crate::facts::alias::{AliasRecord, Aliases, LocalCode};
use crate::facts::master::{Dated, Day, Place};
use anyhow::{Context, Result};
use chrono::NaiveDate;
use std::collections::BTreeSet;

impl Store {
    /// Keeps what a distributor calls a partner; where that changes whose sales some are, all concerned are stale.
    pub(super) fn keep_alias(
        &self,
        Taking { seq, rank, stood }: Taking,
        local: &LocalCode,
        said: &PartnerSaid,
    ) -> Result<Kept> {
        let mut all = self.aliases_said(&local.distributor, &local.code, None)?;
        let (given, otherwise) = columns(said.day);
        self.connection
            .prepare_cached("INSERT INTO alias VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")?
            .execute((&local.code, &local.distributor, seq, said.file_line, given, otherwise, &said.code))
            .context("cannot keep a local code")?;
        let seq = rank.unwrap_or(seq);
        let record = AliasRecord { effective_from: NaiveDate::MIN, seq, partner: said.code.clone() };
        let before = with_days(all.clone());
        let kept = match stood {
            Some(_) => {
                let known = with_days(self.aliases_said(&local.distributor, &local.code, stood)?);
                if said_before(&known, said.day, &record) {
                    Kept::Same
                } else {
                    how_kept(&known, said.day, &record)
                }
            }
            None => how_kept(&before, said.day, &record),
        };
        let at = all.iter().position(|(_, other)| other.seq > seq).unwrap_or(all.len());
        all.insert(at, (said.day, record));
        let after = with_days(all);
        if applies_otherwise(&before, &after) {
            self.mark_called_stale(&local.distributor, &local.code)?;
        }
        Ok(kept)
    }

    /// Whoever a distributor ever meant by a code, bears it, or shares a document number with it.
    fn mark_called_stale(&self, distributor: &str, code: &str) -> Result<()> {
        self.connection
            .prepare_cached("INSERT OR IGNORE INTO stale_code VALUES (?1, ?2)")?
            .execute((code, distributor))?;
        self.mark_linked_stale(code)
    }

    /// A partner, and those whose credit notes return its sales, under whatever code.
    pub(super) fn mark_partner_stale(&self, partner: &str) -> Result<()> {
        self.mark_stale(partner)?;
        self.mark_linked_stale(partner)?;
        let codes: Vec<String> = {
            let mut select =
                self.connection.prepare_cached("SELECT DISTINCT code FROM alias WHERE partner = ?1")?;
            let rows = select.query_map([partner], |row| row.get(0))?;
            rows.collect::<rusqlite::Result<_>>()?
        };
        codes.iter().try_for_each(|code| self.mark_linked_stale(code))
    }

    /// Marks whoever the local codes and records of a file concern, since the file falls silent.
    pub(super) fn mark_called_by(&self, seq: i64) -> Result<()> {
        let called: Vec<(String, String)> = {
            let mut select = self
                .connection
                .prepare_cached("SELECT DISTINCT distributor, code FROM alias WHERE seq = ?1")?;
            let rows = select.query_map([seq], |row| Ok((row.get(0)?, row.get(1)?)))?;
            rows.collect::<rusqlite::Result<_>>()?
        };
        called.iter().try_for_each(|(distributor, code)| self.mark_called_stale(distributor, code))?;
        let sharing = parties_of(
            "SELECT issuer, number FROM link WHERE partner IN (SELECT code FROM partner_record WHERE seq = ?1
                 UNION SELECT alias.code FROM partner_record CROSS JOIN alias ON alias.partner = partner_record.code
                 WHERE partner_record.seq = ?1)",
        );
        self.connection.prepare_cached(&format!("INSERT OR IGNORE INTO stale {sharing}"))?.execute([seq])?;
        Ok(())
    }

    /// News under a local code are news of whom it means: to the distributor whose facts moved, or to any where that is not known.
    pub fn spread_stale(&self) -> Result<()> {
        if self.has_aliases()? {
            for sql in [
                "INSERT OR IGNORE INTO stale SELECT alias.partner FROM stale CROSS JOIN alias ON alias.code = stale.partner",
                "INSERT OR IGNORE INTO stale SELECT alias.partner FROM stale_code CROSS JOIN alias USING (code, distributor)",
            ] {
                self.connection.prepare_cached(sql)?.execute([])?;
            }
        }
        Ok(())
    }

    /// Whether news are of one distributor alone: there are local codes, and numbers are nowhere unique among several of them.
    pub(super) fn tells_distributors(&self) -> Result<bool> {
        Ok(self
            .connection
            .prepare_cached("SELECT EXISTS (SELECT 1 FROM alias) AND NOT EXISTS (SELECT 1 FROM space WHERE scope = 'space')")?
            .query_row([], |row| row.get(0))?)
    }

    /// Marks a party of a number that an issuer gave.
    pub(super) fn mark_party_stale(&self, party: &str, issuer: i64) -> Result<()> {
        if !self.tells_distributors()? {
            return self.mark_stale(party);
        }
        self.connection
            .prepare_cached(
                "INSERT OR IGNORE INTO stale_code SELECT ?1, distributor FROM issuer WHERE id = ?2",
            )?
            .execute((party, issuer))?;
        Ok(())
    }

    /// Whether any local code was ever said.
    pub(super) fn has_aliases(&self) -> Result<bool> {
        Ok(self
            .connection
            .prepare_cached("SELECT EXISTS (SELECT 1 FROM alias)")?
            .query_row([], |row| row.get(0))?)
    }

    /// Local codes of different distributors are often the same few numbers: where there are any, facts are found by
    /// distributor too. Stores without them do without the index.
    pub(super) fn index_for_aliases(&self) -> Result<()> {
        if self.has_aliases()? {
            self.connection.execute_batch(
                "CREATE INDEX IF NOT EXISTS bundle_by_distributor ON bundle (partner, distributor, seq, chunk)",
            )?;
        }
        Ok(())
    }

    /// Distributors and the local codes by which they ever meant a partner.
    pub(super) fn local_codes(&self, partner: &str, upto: Option<i64>) -> Result<BTreeSet<(String, String)>> {
        let mut select = self.connection.prepare_cached(&format!(
            "SELECT DISTINCT code, distributor FROM alias WHERE partner = ?1 AND seq <= ?2 AND {}",
            speaks("alias.seq", "?2")
        ))?;
        let rows =
            select.query_map((partner, upto.unwrap_or(i64::MAX)), |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Notes what a code means to one distributor, or to each (`None`).
    pub(super) fn note_aliases(
        &self,
        aliases: &mut Aliases,
        code: &str,
        distributor: Option<&str>,
        upto: Option<i64>,
    ) -> Result<()> {
        let distributors: Vec<String> = match distributor {
            Some(distributor) => vec![distributor.to_owned()],
            None => {
                let mut select = self
                    .connection
                    .prepare_cached("SELECT DISTINCT distributor FROM alias WHERE code = ?1")?;
                let rows = select.query_map([code], |row| row.get(0))?;
                rows.collect::<rusqlite::Result<_>>()?
            }
        };
        for distributor in distributors {
            let said = self.aliases_said(&distributor, code, upto)?;
            aliases.insert(&distributor, code, with_days(said));
        }
        Ok(())
    }

    fn aliases_said(
        &self,
        distributor: &str,
        code: &str,
        upto: Option<i64>,
    ) -> Result<Vec<(Day, AliasRecord)>> {
        let mut select = self.connection.prepare_cached(&format!(
            "SELECT effective_from, otherwise, {}, partner FROM alias
             WHERE code = ?1 AND distributor = ?2 AND seq <= ?3 AND {} ORDER BY 3, file_line",
            rank("alias.seq"),
            speaks("alias.seq", "?3")
        ))?;
        let rows = select.query_map((code, distributor, upto.unwrap_or(i64::MAX)), |row| {
            let given: Option<NaiveDate> = row.get(0)?;
            let day = match given {
                Some(day) => Day::Given(day),
                None => Day::Otherwise(row.get(1)?),
            };
            let record =
                AliasRecord { effective_from: NaiveDate::MIN, seq: row.get(2)?, partner: row.get(3)? };
            Ok((day, record))
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}

fn with_days(said: Vec<(Day, AliasRecord)>) -> Vec<AliasRecord> {
    let places = std::iter::once(Place::First).chain(std::iter::repeat(Place::Later));
    said.into_iter().zip(places).map(|((day, record), place)| record.from(day.from(place))).collect()
}
