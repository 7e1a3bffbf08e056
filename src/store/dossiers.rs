//! Reading facts back: one partner's dossier, or those of many partners in order of their codes.

use super::Store;
use super::silence::{rank, speaks};
use crate::facts::dossier::{Dossier, RawBundle};
use crate::facts::money::Payment;
use crate::facts::settle::{Cancellation, Decision, NumberScope, Verdict};
use anyhow::{Context, Result};
use rusqlite::Row;
use std::collections::{BTreeMap, BTreeSet};

/// Bundles, and whether the file of each speaks as of ?2.
fn bundles(which: &str) -> String {
    format!(
        "SELECT partner, bundle.seq, {}, bundle.space, space.scope, {}, body FROM bundle JOIN space ON space.id = bundle.space
         WHERE {which} ORDER BY partner, bundle.seq, chunk",
        rank("bundle.seq"),
        speaks("bundle.seq", "?2")
    )
}

/// Bytes of facts after which no further partner is read along: what is worked out and rendered at once is bounded by the
/// lines, not by the partners.
const ENOUGH: usize = 96 << 10;

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

pub(super) fn scope(word: &str) -> NumberScope {
    if word == "space" { NumberScope::Space } else { NumberScope::Distributor }
}

/// Which of the rarer tables hold anything at all: most partners need not be looked up there.
#[derive(Debug, Clone, Copy)]
struct Presence {
    links: bool,
    decisions: bool,
    masters: bool,
    payments: bool,
    aliases: bool,
    /// spaces whose numbers are unique whatever the distributor
    wide: bool,
}

/// Which codes a dossier is gathered under.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Codes {
    /// the partner's own, and the local ones that mean it
    All,
    /// the one code, whomever it means
    Own,
}

impl Store {
    /// Everything about one partner, under whatever code; as it stood at journal sequence `upto` where given.
    pub fn dossier(&self, partner: &str, upto: Option<i64>) -> Result<Dossier> {
        self.dossier_by(partner, Codes::All, upto)
    }

    /// What concerns the numbers that rows under one code bear: for those who bring more such rows.
    pub(super) fn dossier_of_code(&self, code: &str) -> Result<Dossier> {
        self.dossier_by(code, Codes::Own, None)
    }

    fn dossier_by(&self, partner: &str, codes: Codes, upto: Option<i64>) -> Result<Dossier> {
        let mut dossier = Dossier {
            partner: partner.to_owned(),
            own: self.bundles_of(partner, upto)?,
            ..Dossier::default()
        };
        self.complete(&mut dossier, codes, upto, self.presence()?)?;
        Ok(dossier)
    }

    /// Which of the rarer tables hold anything at all.
    fn presence(&self) -> Result<Presence> {
        Ok(self
            .connection
            .prepare_cached(
                "SELECT EXISTS (SELECT 1 FROM link), EXISTS (SELECT 1 FROM decision), EXISTS (SELECT 1 FROM partner_record),
                 EXISTS (SELECT 1 FROM paying), EXISTS (SELECT 1 FROM alias), EXISTS (SELECT 1 FROM space WHERE scope = 'space')",
            )?
            .query_row([], |row| {
                Ok(Presence {
                    links: row.get(0)?,
                    decisions: row.get(1)?,
                    masters: row.get(2)?,
                    payments: row.get(3)?,
                    aliases: row.get(4)?,
                    wide: row.get(5)?,
                })
            })?)
    }

    /// The bundles under a code.
    fn bundles_of(&self, code: &str, upto: Option<i64>) -> Result<Vec<RawBundle>> {
        self.found("partner = ?1 AND bundle.seq <= ?2", (code, upto.unwrap_or(i64::MAX)))
    }

    /// Those among them that may hold rows of these distributors.
    fn bundles_by(&self, code: &str, distributors: &[&str], upto: Option<i64>) -> Result<Vec<RawBundle>> {
        let upto = upto.unwrap_or(i64::MAX);
        let mut found =
            self.found("partner = ?1 AND bundle.seq <= ?2 AND distributor IS NULL", (code, upto))?;
        for distributor in distributors {
            let of = "partner = ?1 AND bundle.seq <= ?2 AND distributor = ?3";
            found.extend(self.found(of, (code, upto, distributor))?);
        }
        Ok(found)
    }

    fn found(&self, which: &str, parameters: impl rusqlite::Params) -> Result<Vec<RawBundle>> {
        let mut select = self.connection.prepare_cached(&bundles(which))?;
        let rows = select.query_map(parameters, raw_bundle)?;
        Ok(rows.filter_map(Result::transpose).collect::<rusqlite::Result<_>>()?)
    }

    /// What others said that concerns the partner, what local codes mean, decisions and master records.
    fn complete(
        &self,
        dossier: &mut Dossier,
        codes: Codes,
        upto: Option<i64>,
        presence: Presence,
    ) -> Result<()> {
        let partner = dossier.partner.clone();
        let mut local = BTreeSet::new();
        if presence.aliases {
            if codes == Codes::All {
                local = self.local_codes(&partner, upto)?;
            }
            self.note_aliases(&mut dossier.aliases, &partner, None, upto)?;
            for (code, distributor) in &local {
                let distributor = (!presence.wide).then_some(distributor.as_str());
                self.note_aliases(&mut dossier.aliases, code, distributor, upto)?;
            }
        }
        let others = if presence.links {
            self.complete_shared(dossier, &local, upto, presence)?
        } else {
            BTreeSet::new()
        };
        for other in &others {
            dossier.others.extend(self.bundles_of(other, upto)?);
        }
        let mut by_code: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (code, distributor) in &local {
            if !others.contains(code) && *code != partner {
                by_code.entry(code).or_default().push(distributor);
            }
        }
        for (code, distributors) in &by_code {
            dossier.others.extend(match presence.wide {
                true => self.bundles_of(code, upto)?,
                false => self.bundles_by(code, distributors, upto)?,
            });
        }
        let mut codes: BTreeSet<&str> =
            others.iter().map(String::as_str).chain(by_code.into_keys()).collect();
        codes.insert(&partner);
        if presence.decisions {
            for code in &codes {
                dossier.decisions.extend(self.decisions(code, upto)?);
            }
        }
        if presence.masters {
            codes.extend(dossier.aliases.partners());
            for code in codes {
                let records = self.partner_records(code, upto)?;
                if !records.is_empty() {
                    dossier.masters.insert(code.to_owned(), records);
                }
            }
        }
        if presence.payments {
            let decisions = if presence.decisions { self.decisions("", upto)? } else { Vec::new() };
            dossier.payments = self.payments_under(&partner, &local, upto, &decisions)?;
        }
        Ok(())
    }

    /// The payments that speak for a partner's invoices, under its own code and the local ones.
    fn payments_under(
        &self,
        partner: &str,
        local: &BTreeSet<(String, String)>,
        upto: Option<i64>,
        decisions: &[Decision],
    ) -> Result<Vec<Payment>> {
        let own = std::iter::once(partner).chain(local.iter().map(|(code, _)| code.as_str()));
        let (mut all, mut invoices) = (Vec::new(), BTreeSet::new());
        for code in own.collect::<BTreeSet<&str>>() {
            let mut payments = self.payments_of(code, upto, decisions)?;
            // an invoice that two of the codes bear is paid once
            payments.retain(|payment| !invoices.contains(&payment.invoice()));
            invoices.extend(payments.iter().map(Payment::invoice));
            all.extend(payments);
        }
        Ok(all)
    }

    /// The payments that would speak for a partner's invoices had a person released this line of this file.
    pub fn payments_if_released(&self, partner: &str, (seq, file_line): (i64, u64)) -> Result<Vec<Payment>> {
        let rank = self.file(seq)?.and_then(|file| file.arrival.rank).unwrap_or(seq);
        let mut decisions = self.decisions("", None)?;
        decisions.push(Decision { at: i64::MAX - 1, rank, file_line, verdict: Verdict::Release });
        self.payments_under(partner, &self.local_codes(partner, None)?, None, &decisions)
    }

    /// What concerns several codes; the other codes among them, whose bundles are needed whole.
    fn complete_shared(
        &self,
        dossier: &mut Dossier,
        local: &BTreeSet<(String, String)>,
        upto: Option<i64>,
        presence: Presence,
    ) -> Result<BTreeSet<String>> {
        let mut others = BTreeSet::new();
        for (issuer, space, distributor, number) in self.shared_numbers(&dossier.partner, local)? {
            for party in self.parties(issuer, &number)? {
                if party.is_empty() {
                    self.cancellations(issuer, space, &distributor, &number, upto, dossier)?;
                } else if party != dossier.partner {
                    if presence.aliases {
                        let of = (!distributor.is_empty()).then_some(distributor.as_str());
                        self.note_aliases(&mut dossier.aliases, &party, of, upto)?;
                    }
                    others.insert(party);
                }
            }
            dossier.shared.insert((space, distributor, number));
        }
        Ok(others)
    }

    /// Numbers that several codes bear, one of them this partner's or a local one for it: issuer, space, distributor, number.
    fn shared_numbers(
        &self,
        partner: &str,
        local: &BTreeSet<(String, String)>,
    ) -> Result<BTreeSet<(i64, i64, String, String)>> {
        let mut select = self.connection.prepare_cached(
            "SELECT link.issuer, issuer.space, issuer.distributor, number FROM link JOIN issuer ON issuer.id = link.issuer
             WHERE partner = ?1 AND (?2 IS NULL OR issuer.distributor IN (?2, ''))",
        )?;
        let mut numbers = BTreeSet::new();
        let codes = local.iter().map(|(code, distributor)| (code.as_str(), Some(distributor.as_str())));
        for (code, distributor) in std::iter::once((partner, None)).chain(codes) {
            let rows = select.query_map((code, distributor), |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
            })?;
            for row in rows {
                numbers.insert(row?);
            }
        }
        Ok(numbers)
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

    /// The dossiers of the next partners with facts after one, in order of partner code: `count` of them, or fewer where they
    /// have much to say.
    pub fn dossiers_after(&self, after: &str, count: usize) -> Result<Vec<Dossier>> {
        let presence = self.presence()?;
        if presence.aliases {
            let partners = self.partners_after(after, count)?;
            return partners.iter().map(|partner| self.dossier(partner, None)).collect();
        }
        let mut dossiers: Vec<Dossier> = Vec::with_capacity(count);
        let mut bytes = 0;
        {
            let mut select = self.connection.prepare_cached(&bundles("partner > ?1"))?;
            let mut rows = select.query((after, i64::MAX))?;
            while let Some(row) = rows.next().context("cannot read facts from the store")? {
                let partner = row.get_ref(0)?.as_str()?;
                if dossiers.last().is_none_or(|last| last.partner != partner) {
                    if dossiers.len() == count || bytes >= ENOUGH {
                        break;
                    }
                    dossiers.push(Dossier { partner: partner.to_owned(), ..Dossier::default() });
                }
                // a partner of whom only silent files speak has a dossier all the same: what it had is to be taken back
                if let (Some(last), Some(raw)) = (dossiers.last_mut(), raw_bundle(row)?) {
                    bytes += raw.body.len();
                    last.own.push(raw);
                }
            }
        }
        for dossier in &mut dossiers {
            self.complete(dossier, Codes::All, None, presence)?;
        }
        Ok(dossiers)
    }

    /// The next codes under which something was said, and the next partners of whom something was under a local code.
    fn partners_after(&self, after: &str, count: usize) -> Result<Vec<String>> {
        let mut select = self.connection.prepare_cached(
            "SELECT partner FROM (SELECT DISTINCT partner FROM bundle WHERE partner > ?1 ORDER BY partner LIMIT ?2)
             UNION SELECT partner FROM (SELECT DISTINCT partner FROM alias WHERE partner > ?1
                 AND EXISTS (SELECT 1 FROM bundle WHERE bundle.partner = alias.code) ORDER BY partner LIMIT ?2)
             ORDER BY partner LIMIT ?2",
        )?;
        let rows = select.query_map((after, count as i64), |row| row.get(0))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// The dossiers of the next `count` partners after one whose facts moved since they were evaluated.
    pub fn stale_dossiers_after(&self, after: &str, count: usize) -> Result<Vec<Dossier>> {
        let partners: Vec<String> = {
            let mut select = self
                .connection
                .prepare_cached(
                    "SELECT partner FROM (SELECT partner FROM stale WHERE partner > ?1 ORDER BY partner LIMIT ?2)
                     UNION SELECT code FROM (SELECT DISTINCT code FROM stale_code WHERE code > ?1 ORDER BY code LIMIT ?2)
                     ORDER BY partner LIMIT ?2",
                )?;
            let rows = select.query_map((after, count as i64), |row| row.get(0))?;
            rows.collect::<rusqlite::Result<_>>()?
        };
        partners.iter().map(|partner| self.dossier(partner, None)).collect()
    }

    /// Whether a partner's facts moved since it was evaluated.
    pub fn is_stale(&self, partner: &str) -> Result<bool> {
        Ok(self
            .connection
            .prepare_cached(
                "SELECT EXISTS (SELECT 1 FROM stale WHERE partner = ?1) OR EXISTS (SELECT 1 FROM stale_code WHERE code = ?1)",
            )?
            .query_row([partner], |row| row.get(0))?)
    }

    /// Whether any partner's facts moved since it was evaluated.
    pub fn has_stale(&self) -> Result<bool> {
        Ok(self.connection.query_row(
            "SELECT EXISTS (SELECT 1 FROM stale) OR EXISTS (SELECT 1 FROM stale_code)",
            [],
            |row| row.get(0),
        )?)
    }

    /// Everything is evaluated.
    pub fn clear_stale(&self) -> Result<()> {
        self.connection.execute_batch("DELETE FROM stale; DELETE FROM stale_code")?;
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
            "SELECT EXISTS (SELECT 1 FROM bundle WHERE partner = ?1)
             OR EXISTS (SELECT 1 FROM alias JOIN bundle ON bundle.partner = alias.code WHERE alias.partner = ?1)",
            [partner],
            |row| row.get(0),
        )?)
    }

    /// Walks the partner codes with facts, in order.
    pub fn each_partner_code(&self, mut take: impl FnMut(&str) -> Result<()>) -> Result<()> {
        let mut select = self
            .connection
            .prepare("SELECT partner FROM bundle UNION SELECT partner FROM alias ORDER BY partner")?;
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            take(row.get_ref(0)?.as_str()?)?;
        }
        Ok(())
    }
}
