//! Reading facts back: one partner's dossier, or those of many partners in order of their codes.

use super::Store;
use super::silence::{rank, speaks};
use crate::facts::dossier::{Dossier, RawBundle};
use crate::facts::settle::{Cancellation, NumberScope};
use anyhow::{Context, Result};
use rusqlite::Row;
use std::collections::BTreeSet;

/// Bundles, and whether the file of each speaks as of ?2.
fn bundles(which: &str) -> String {
    format!(
        "SELECT partner, bundle.seq, {}, bundle.space, space.scope, {}, body FROM bundle JOIN space ON space.id = bundle.space
         WHERE {which} ORDER BY partner, bundle.seq, chunk",
        rank("bundle.seq"),
        speaks("bundle.seq", "?2")
    )
}

/// Nothing where its file is silent.
fn raw_bundle(row: &Row<'_>) -> rusqlite::Result<Option<RawBundle>> {
    if !row.get::<_, bool>(5)? {
        return Ok(None);
    }
    Ok(Some(RawBundle {
        partner: row.get(0)?,
        seq: row.get(1)?,
        rank: row.get(2)?,
        space: row.get(3)?,
        scope: scope(row.get_ref(4)?.as_str()?),
        body: row.get(6)?,
    }))
}

fn scope(word: &str) -> NumberScope {
    if word == "space" { NumberScope::Space } else { NumberScope::Distributor }
}

/// Which of the rarer tables hold anything at all: most partners need not be looked up there.
#[derive(Debug, Clone, Copy)]
struct Presence {
    links: bool,
    decisions: bool,
    masters: bool,
    payments: bool,
}

impl Store {
    /// Everything about one partner; as it stood at journal sequence `upto` where given.
    pub fn dossier(&self, partner: &str, upto: Option<i64>) -> Result<Dossier> {
        let mut dossier = Dossier {
            partner: partner.to_owned(),
            own: self.bundles_of(partner, upto)?,
            ..Dossier::default()
        };
        self.complete(&mut dossier, upto, self.presence()?)?;
        Ok(dossier)
    }

    /// Which of the rarer tables hold anything at all.
    fn presence(&self) -> Result<Presence> {
        Ok(self
            .connection
            .prepare_cached(
                "SELECT EXISTS (SELECT 1 FROM link), EXISTS (SELECT 1 FROM decision), EXISTS (SELECT 1 FROM partner_record),
                 EXISTS (SELECT 1 FROM paying)",
            )?
            .query_row([], |row| {
                Ok(Presence {
                    links: row.get(0)?,
                    decisions: row.get(1)?,
                    masters: row.get(2)?,
                    payments: row.get(3)?,
                })
            })?)
    }

    fn bundles_of(&self, partner: &str, upto: Option<i64>) -> Result<Vec<RawBundle>> {
        let mut select = self.connection.prepare_cached(&bundles("partner = ?1 AND bundle.seq <= ?2"))?;
        let rows = select.query_map((partner, upto.unwrap_or(i64::MAX)), raw_bundle)?;
        Ok(rows.filter_map(Result::transpose).collect::<rusqlite::Result<_>>()?)
    }

    /// What others said that concerns the partner, decisions and master records.
    fn complete(&self, dossier: &mut Dossier, upto: Option<i64>, presence: Presence) -> Result<()> {
        let others = if presence.links { self.complete_shared(dossier, upto)? } else { BTreeSet::new() };
        for partner in others.iter().map(String::as_str).chain([dossier.partner.clone().as_str()]) {
            if presence.decisions {
                dossier.decisions.extend(self.decisions(partner, upto)?);
            }
            if presence.masters {
                let records = self.partner_records(partner, upto)?;
                if !records.is_empty() {
                    dossier.masters.insert(partner.to_owned(), records);
                }
            }
        }
        if presence.payments {
            let decisions = if presence.decisions { self.decisions("", upto)? } else { Vec::new() };
            dossier.payments = self.payments_of(&dossier.partner, upto, &decisions)?;
        }
        Ok(())
    }

    /// What concerns several partners; the others among them.
    fn complete_shared(&self, dossier: &mut Dossier, upto: Option<i64>) -> Result<BTreeSet<String>> {
        let numbers: Vec<(i64, i64, String, String)> = {
            let mut select = self.connection.prepare_cached(
                "SELECT link.issuer, issuer.space, issuer.distributor, number FROM link JOIN issuer ON issuer.id = link.issuer
                 WHERE partner = ?1",
            )?;
            let rows = select.query_map([&dossier.partner], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
            })?;
            rows.collect::<rusqlite::Result<_>>()?
        };
        let mut others = BTreeSet::new();
        for (issuer, space, distributor, number) in numbers {
            for party in self.parties(issuer, &number)? {
                if party.is_empty() {
                    self.cancellations(issuer, space, &distributor, &number, upto, dossier)?;
                } else if party != dossier.partner {
                    others.insert(party);
                }
            }
            dossier.shared.insert((space, distributor, number));
        }
        for other in &others {
            dossier.others.extend(self.bundles_of(other, upto)?);
        }
        Ok(others)
    }

    fn cancellations(
        &self,
        issuer: i64,
        space: i64,
        distributor: &str,
        number: &str,
        upto: Option<i64>,
        dossier: &mut Dossier,
    ) -> Result<()> {
        let mut select = self.connection.prepare_cached(&format!(
            "SELECT seq, {}, day, updated_at, file_line FROM cancellation
             WHERE issuer = ?1 AND number = ?2 AND seq <= ?3 AND {}",
            rank("cancellation.seq"),
            speaks("cancellation.seq", "?3")
        ))?;
        let mut rows = select.query((issuer, number, upto.unwrap_or(i64::MAX)))?;
        while let Some(row) = rows.next()? {
            dossier.cancellations.push(Cancellation {
                seq: row.get(0)?,
                rank: row.get(1)?,
                space,
                distributor_code: distributor.to_owned(),
                invoice_no: number.to_owned(),
                day: row.get(2)?,
                updated_at: row.get(3)?,
                file_line: row.get(4)?,
            });
        }
        Ok(())
    }

    /// The dossiers of the next `count` partners with facts after one, in order of partner code.
    pub fn dossiers_after(&self, after: &str, count: usize) -> Result<Vec<Dossier>> {
        let mut dossiers: Vec<Dossier> = Vec::with_capacity(count);
        {
            let mut select = self.connection.prepare_cached(&bundles("partner > ?1"))?;
            let mut rows = select.query((after, i64::MAX))?;
            while let Some(row) = rows.next().context("cannot read facts from the store")? {
                let partner = row.get_ref(0)?.as_str()?;
                if dossiers.last().is_none_or(|last| last.partner != partner) {
                    if dossiers.len() == count {
                        break;
                    }
                    dossiers.push(Dossier { partner: partner.to_owned(), ..Dossier::default() });
                }
                // a partner of whom only silent files speak has a dossier all the same: what it had is to be taken back
                if let (Some(last), Some(raw)) = (dossiers.last_mut(), raw_bundle(row)?) {
                    last.own.push(raw);
                }
            }
        }
        let presence = self.presence()?;
        for dossier in &mut dossiers {
            self.complete(dossier, None, presence)?;
        }
        Ok(dossiers)
    }

    /// The dossiers of the next `count` partners after one whose facts moved since they were evaluated.
    pub fn stale_dossiers_after(&self, after: &str, count: usize) -> Result<Vec<Dossier>> {
        let partners: Vec<String> = {
            let mut select = self
                .connection
                .prepare_cached("SELECT partner FROM stale WHERE partner > ?1 ORDER BY partner LIMIT ?2")?;
            let rows = select.query_map((after, count as i64), |row| row.get(0))?;
            rows.collect::<rusqlite::Result<_>>()?
        };
        partners.iter().map(|partner| self.dossier(partner, None)).collect()
    }

    /// Whether a partner's facts moved since it was evaluated.
    pub fn is_stale(&self, partner: &str) -> Result<bool> {
        Ok(self
            .connection
            .prepare_cached("SELECT EXISTS (SELECT 1 FROM stale WHERE partner = ?1)")?
            .query_row([partner], |row| row.get(0))?)
    }

    /// How many partners' facts moved since they were evaluated.
    pub fn stale_partners(&self) -> Result<u64> {
        Ok(self.connection.query_row("SELECT count(*) FROM stale", [], |row| row.get(0))?)
    }

    /// Everything is evaluated.
    pub fn clear_stale(&self) -> Result<()> {
        self.connection.execute("DELETE FROM stale", [])?;
        Ok(())
    }

    /// Partners held back by a date that has come are evaluated again.
    pub fn wake(&self, scheme: &str, today: chrono::NaiveDate) -> Result<()> {
        self.connection.execute(
            "INSERT OR IGNORE INTO stale SELECT partner FROM waking WHERE scheme = ?1 AND day <= ?2",
            (scheme, today),
        )?;
        Ok(())
    }

    /// The day from which a partner must be evaluated again, whatever comes.
    pub fn set_waking(&self, scheme: &str, partner: &str, day: Option<chrono::NaiveDate>) -> Result<()> {
        match day {
            Some(day) => self
                .connection
                .prepare_cached("INSERT OR REPLACE INTO waking VALUES (?1, ?2, ?3)")?
                .execute((scheme, partner, day))?,
            None => self
                .connection
                .prepare_cached("DELETE FROM waking WHERE scheme = ?1 AND partner = ?2")?
                .execute((scheme, partner))?,
        };
        Ok(())
    }

    /// What a scheme's positions rest on (its texts, masters, pinned cycles), as it was when all partners were evaluated.
    pub fn rests_on(&self, scheme: &str) -> Result<Option<String>> {
        use rusqlite::OptionalExtension;
        Ok(self
            .connection
            .query_row("SELECT rests_on FROM evaluated WHERE scheme = ?1", [scheme], |row| row.get(0))
            .optional()?)
    }

    /// Remembers it.
    pub fn set_rests_on(&self, scheme: &str, rests_on: &str) -> Result<()> {
        self.connection.execute(
            "INSERT INTO evaluated VALUES (?1, ?2) ON CONFLICT (scheme) DO UPDATE SET rests_on = excluded.rests_on",
            (scheme, rests_on),
        )?;
        Ok(())
    }

    /// Whether a partner has any facts.
    pub fn has_partner(&self, partner: &str) -> Result<bool> {
        Ok(self.connection.query_row(
            "SELECT EXISTS (SELECT 1 FROM bundle WHERE partner = ?1)",
            [partner],
            |row| row.get(0),
        )?)
    }

    /// Walks the partner codes with facts, in order.
    pub fn each_partner_code(&self, mut take: impl FnMut(&str) -> Result<()>) -> Result<()> {
        let mut select = self.connection.prepare("SELECT DISTINCT partner FROM bundle ORDER BY partner")?;
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            take(row.get_ref(0)?.as_str()?)?;
        }
        Ok(())
    }
}
