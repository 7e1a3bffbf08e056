//! Payments and deposits, read back: what speaks of an event, what was paid for a partner's invoices.

use super::Store;
use super::intake::{News, Weight};
use super::silence::{rank, speaks};
use crate::facts::money::{EventKind, Money, Payment, Version, row_of, speaking};
use crate::facts::settle::Decision;
use anyhow::Result;
use rusqlite::Row;
use rust_decimal::Decimal;
use std::collections::BTreeMap;

/// An event by issuer and reference.
type Event = (i64, String);

/// A payment's row as one file said it.
struct Kept {
    seq: i64,
    take: u32,
    payment: Payment,
}

fn money(row: &Row<'_>) -> rusqlite::Result<Money> {
    Ok(Money {
        reference: row.get(0)?,
        invoice_no: row.get(1)?,
        file_line: row.get(2)?,
        day: row.get(3)?,
        amount: row.get_ref(4)?.as_str()?.parse().unwrap_or_default(),
        currency: row.get(5)?,
        method: row.get(6)?,
        distributor_code: row.get(7)?,
        deposit_ref: row.get(8)?,
    })
}

/// Which files are heard of an event.
#[derive(Debug, Clone, Copy)]
pub(super) struct Heard {
    /// those before this place in the order of ingestion
    pub before: i64,
    /// as of this journal record
    pub upto: i64,
    /// the file that is being taken, and its place, which the store does not know yet
    pub taking: (i64, i64),
}

impl Store {
    /// The rows that speak of one event, one for each invoice that it pays; of a deposit one.
    pub(super) fn event_rows(
        &self,
        (kind, issuer, reference): (EventKind, i64, &str),
        heard: Heard,
        decisions: &[Decision],
    ) -> Result<Vec<Money>> {
        let versions = self.event_versions(kind, issuer, reference, heard)?;
        let Some((speaks, _)) = speaking(&versions, decisions) else { return Ok(Vec::new()) };
        let mut select = self.connection.prepare_cached(
            "SELECT ref, number, file_line, day, amount, currency, method, distributor, deposit_ref, take FROM money
             WHERE kind = ?1 AND issuer = ?2 AND ref = ?3 AND seq = ?4 ORDER BY file_line",
        )?;
        let rows = select.query_map((kind.word(), issuer, reference, speaks.seq), |row| {
            Ok((row.get::<_, u32>(9)?, money(row)?))
        })?;
        let mut by_invoice: BTreeMap<String, Vec<(u32, Money)>> = BTreeMap::new();
        for row in rows {
            let (take, money) = row?;
            by_invoice.entry(money.invoice_no.clone()).or_default().push((take, money));
        }
        let of_invoice = |rows: &Vec<(u32, Money)>| {
            row_of(speaks, rows, |row| (speaks.seq, row.0)).map(|(_, money)| money.clone())
        };
        Ok(by_invoice.values().filter_map(of_invoice).collect())
    }

    /// Of what files say that fall silent: all of it, and what no file that speaks says any more; amounts by magnitude.
    pub(super) fn void_events(&self, silences: &[i64]) -> Result<(Weight, Weight)> {
        let mut select = self.connection.prepare_cached(&format!(
            "SELECT amount, currency, EXISTS (SELECT 1 FROM money AS other WHERE other.kind = money.kind AND other.issuer = money.issuer
                 AND other.number = money.number AND other.ref = money.ref AND {})
             FROM money WHERE seq = ?1 AND take = 0",
            speaks("other.seq", "?2")
        ))?;
        let (mut carried, mut void) = (Weight::default(), Weight::default());
        for seq in silences {
            let mut rows = select.query((seq, i64::MAX))?;
            while let Some(row) = rows.next()? {
                let amount: Decimal = row.get_ref(0)?.as_str()?.parse().unwrap_or_default();
                let currency = row.get_ref(1)?.as_str()?;
                carried.add(1, currency, amount);
                if !row.get::<_, bool>(2)? {
                    void.add(1, currency, amount);
                }
            }
        }
        Ok((carried, void))
    }

    fn event_versions(
        &self,
        kind: EventKind,
        issuer: i64,
        reference: &str,
        heard: Heard,
    ) -> Result<Vec<Version>> {
        let mut select = self.connection.prepare_cached(&format!(
            "SELECT seq, take, file_line, {} FROM event WHERE kind = ?1 AND issuer = ?2 AND ref = ?3 AND seq <= ?4 AND {}",
            rank("event.seq"),
            speaks("event.seq", "?4"),
        ))?;
        let (taking, place) = heard.taking;
        let rows = select.query_map((kind.word(), issuer, reference, heard.upto), |row| {
            let seq = row.get(0)?;
            let rank = if seq == taking { place } else { row.get(3)? };
            Ok(Version { seq, rank, take: row.get(1)?, file_line: row.get(2)? })
        })?;
        let mut versions: Vec<Version> = rows.collect::<rusqlite::Result<_>>()?;
        versions.retain(|version| version.rank < heard.before);
        versions.sort_by_key(|version| (version.rank, version.take));
        Ok(versions)
    }

    /// Tells the partners of an invoice that it has payments.
    pub(super) fn concern_payers(
        &self,
        kind: EventKind,
        issuer: i64,
        number: &str,
        news: News,
    ) -> Result<()> {
        match kind {
            EventKind::Deposit => return Ok(()),
            EventKind::Payment => {}
        }
        for partner in self.parties(issuer, number)?.iter().filter(|partner| !partner.is_empty()) {
            self.connection
                .prepare_cached("INSERT OR IGNORE INTO paying VALUES (?1, ?2, ?3)")?
                .execute((partner, issuer, number))?;
            match news {
                News::Kept => {}
                News::Speaks => self.mark_party_stale(partner, issuer)?,
            }
        }
        Ok(())
    }

    /// Whether any payment was ever said.
    pub(super) fn has_payments(&self) -> Result<bool> {
        Ok(self
            .connection
            .prepare_cached("SELECT EXISTS (SELECT 1 FROM money WHERE kind = 'payment')")?
            .query_row([], |row| row.get(0))?)
    }

    /// A number that became known to be a partner's: payments that came before it are the partner's to look at.
    pub(super) fn meet_payments(&self, issuer: i64, number: &str, partner: &str) -> Result<()> {
        self.connection
            .prepare_cached(
                "INSERT OR IGNORE INTO paying SELECT ?3, ?1, ?2
                 WHERE EXISTS (SELECT 1 FROM money WHERE kind = 'payment' AND issuer = ?1 AND number = ?2)",
            )?
            .execute((issuer, number, partner))?;
        Ok(())
    }

    /// The payments that speak for invoices that concern a partner; as of journal sequence `upto` where given.
    pub(super) fn payments_of(
        &self,
        partner: &str,
        upto: Option<i64>,
        decisions: &[Decision],
    ) -> Result<Vec<Payment>> {
        let upto = upto.unwrap_or(i64::MAX);
        let kept = self.kept_payments(partner, upto)?;
        if kept.is_empty() {
            return Ok(Vec::new());
        }
        let versions = self.versions_of(partner, upto)?;
        let mut payments = Vec::with_capacity(kept.len());
        for (event, by_invoice) in &kept {
            let Some(versions) = versions.get(event) else { continue };
            let Some((speaks, since)) = speaking(versions, decisions) else { continue };
            for rows in by_invoice.values() {
                let row = row_of(speaks, rows, |row| (row.seq, row.take));
                payments.extend(row.map(|row| Payment { since, ..row.payment.clone() }));
            }
        }
        Ok(payments)
    }

    fn kept_payments(
        &self,
        partner: &str,
        upto: i64,
    ) -> Result<BTreeMap<Event, BTreeMap<String, Vec<Kept>>>> {
        let mut select = self.connection.prepare_cached(
            "SELECT paying.issuer, money.ref, paying.number, seq, take, issuer.space, issuer.distributor, day, amount, currency
             FROM paying CROSS JOIN money ON money.kind = 'payment' AND money.issuer = paying.issuer AND money.number = paying.number
             CROSS JOIN issuer ON issuer.id = paying.issuer WHERE paying.partner = ?1 AND seq <= ?2",
        )?;
        let mut rows = select.query((partner, upto))?;
        let mut kept: BTreeMap<Event, BTreeMap<String, Vec<Kept>>> = BTreeMap::new();
        while let Some(row) = rows.next()? {
            let number: String = row.get(2)?;
            let payment = Payment {
                space: row.get(5)?,
                distributor_code: row.get(6)?,
                invoice_no: number.clone(),
                paid_on: row.get(7)?,
                amount: row.get_ref(8)?.as_str()?.parse().unwrap_or_default(),
                currency: row.get(9)?,
                since: 0,
            };
            let one = Kept { seq: row.get(3)?, take: row.get(4)?, payment };
            kept.entry((row.get(0)?, row.get(1)?)).or_default().entry(number).or_default().push(one);
        }
        Ok(kept)
    }

    fn versions_of(&self, partner: &str, upto: i64) -> Result<BTreeMap<Event, Vec<Version>>> {
        let mut select = self.connection.prepare_cached(&format!(
            "SELECT DISTINCT event.issuer, event.ref, event.seq, event.take, event.file_line, {} AS rank
             FROM paying CROSS JOIN money ON money.kind = 'payment' AND money.issuer = paying.issuer AND money.number = paying.number
             CROSS JOIN event ON event.kind = 'payment' AND event.issuer = money.issuer AND event.ref = money.ref
             WHERE paying.partner = ?1 AND event.seq <= ?2 AND {} ORDER BY event.issuer, event.ref, rank, event.take",
            rank("event.seq"),
            speaks("event.seq", "?2")
        ))?;
        let mut rows = select.query((partner, upto))?;
        let mut versions: BTreeMap<Event, Vec<Version>> = BTreeMap::new();
        while let Some(row) = rows.next()? {
            let version =
                Version { seq: row.get(2)?, rank: row.get(5)?, take: row.get(3)?, file_line: row.get(4)? };
            versions.entry((row.get(0)?, row.get(1)?)).or_default().push(version);
        }
        Ok(versions)
    }

    /// A file of payments fell silent: likewise those of all that it spoke of.
    pub(super) fn mark_paid_in_stale(&self, seq: i64) -> Result<()> {
        self.connection
            .prepare_cached(
                "INSERT OR IGNORE INTO stale SELECT paying.partner FROM money AS said
                 CROSS JOIN money AS row ON row.kind = said.kind AND row.issuer = said.issuer AND row.ref = said.ref
                 CROSS JOIN paying ON paying.issuer = row.issuer AND paying.number = row.number
                 WHERE said.kind = 'payment' AND said.seq = ?1",
            )?
            .execute([seq])?;
        Ok(())
    }

    /// Whoever is concerned by all that was said of the payment in a line of a file: the partners of the invoices, under whatever
    /// code.
    pub fn payers(&self, seq: i64, file_line: u64) -> Result<Vec<String>> {
        let mut select = self.connection.prepare_cached(
            "WITH payer AS (SELECT DISTINCT paying.partner AS code FROM money AS held
                 CROSS JOIN money AS row ON row.kind = held.kind AND row.issuer = held.issuer AND row.ref = held.ref
                 CROSS JOIN paying ON paying.issuer = row.issuer AND paying.number = row.number
                 WHERE held.kind = 'payment' AND held.seq = ?1 AND held.file_line = ?2)
             SELECT code FROM payer UNION SELECT alias.partner FROM payer CROSS JOIN alias USING (code)",
        )?;
        let rows = select.query_map((seq, file_line), |row| row.get(0))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// A person has decided about a payment: the partners of its invoices are evaluated again, those that it paid before too.
    pub(super) fn mark_payers_stale(&self, seq: i64, file_line: u64) -> Result<()> {
        self.connection.execute(
            "INSERT OR IGNORE INTO stale SELECT paying.partner FROM money AS held
             CROSS JOIN money AS row ON row.kind = held.kind AND row.issuer = held.issuer AND row.ref = held.ref
             CROSS JOIN paying ON paying.issuer = row.issuer AND paying.number = row.number
             WHERE held.kind = 'payment' AND held.seq = ?1 AND held.file_line = ?2",
            (seq, file_line),
        )?;
        Ok(())
    }
}
