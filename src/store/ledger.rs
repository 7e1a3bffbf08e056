//! The points ledger: appended to, summed, walked, proved.

use super::Store;
use super::rows::{self, Insert};
use crate::domain::chain;
use crate::domain::entry::{Entry, EntryKind};
use crate::domain::points::Points;
use anyhow::{Context, Result, anyhow};
use rusqlite::{OptionalExtension, Row};

const COLUMNS: &str = "entry, posted_at, posting_date, ledger.scheme, cycle, partner_code, kind, points, amount, tier, reference, against, \
     expires_on, reason, run, actor, version, lower(hex(hash)) FROM ledger JOIN scheme_text ON scheme_text.id = version_id";

/// Which entries are wanted; empty: all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// partner code
    pub partner: Option<String>,
    /// scheme id
    pub scheme: Option<String>,
    /// cycle name
    pub cycle: Option<String>,
    /// entries after this number
    pub after: i64,
    /// and up to this one
    pub upto: Option<i64>,
}

fn entry(row: &Row<'_>) -> Result<Entry> {
    let kind = row.get_ref(6)?.as_str()?.to_owned();
    let amount = row.get_ref(8)?.as_str()?.to_owned();
    Ok(Entry {
        entry: row.get(0)?,
        posted_at: row.get(1)?,
        posting_date: row.get(2)?,
        scheme: row.get(3)?,
        cycle: row.get(4)?,
        partner_code: row.get(5)?,
        kind: EntryKind::from_word(&kind)
            .ok_or_else(|| anyhow!("the ledger holds an entry of an unknown kind {kind:?}"))?,
        points: Points(row.get(7)?),
        amount: amount.parse().map_err(|_| anyhow!("the ledger holds {amount:?}, which is not an amount"))?,
        tier: row.get(9)?,
        reference: row.get(10)?,
        against: row.get(11)?,
        expires_on: row.get(12)?,
        reason: row.get(13)?,
        run: row.get(14)?,
        actor: row.get(15)?,
        scheme_version: row.get(16)?,
        hash: row.get(17)?,
    })
}

/// Whether two entries share all but what is their own: number, partner, points, amount, tier, reason and hash.
fn alike(a: &Entry, b: &Entry) -> bool {
    let figures = |entry: &Entry| (entry.posting_date, entry.kind, entry.expires_on, entry.run);
    figures(a) == figures(b)
        && (&a.posted_at, &a.scheme, &a.cycle, &a.scheme_version)
            == (&b.posted_at, &b.scheme, &b.cycle, &b.scheme_version)
        && (&a.reference, &a.against, &a.actor) == (&b.reference, &b.against, &b.actor)
}

/// The wallet's figures of one partner in one scheme (interfaces.md 5, balances).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wallet {
    /// scheme id
    pub scheme: String,
    /// whose
    pub partner_code: String,
    /// accruals, corrections, referrals, adjustments and openings
    pub accumulated: Points,
    /// redemptions less reversals
    pub redeemed: Points,
    /// set aside
    pub reserved: Points,
    /// past their day
    pub expired: Points,
    /// what can be used
    pub available: Points,
    /// tier of the last entry that has one
    pub tier: String,
}

impl Store {
    /// Appends entries that are numbered and chained after the last one ([`chain::append`]).
    pub fn post(&self, entries: &[Entry]) -> Result<()> {
        for alike in entries.chunk_by(alike) {
            let version = self.version_id(&alike[0].scheme_version)?;
            self.insert_alike(alike, version).context("cannot post to the ledger")?;
        }
        Ok(())
    }

    /// Entries that differ in what is their own alone.
    fn insert_alike(&self, entries: &[Entry], version: Option<i64>) -> Result<()> {
        // a refusal rolls everything back: OR FAIL spares the copies of pages by which one statement alone could be undone
        const INSERT: Insert<'_> = Insert {
            into: "INSERT OR FAIL INTO ledger VALUES",
            row: "(#, ?1, ?2, ?3, ?4, #, ?5, #, #, #, ?6, ?7, ?8, #, ?9, ?10, ?11, #)",
            after: "",
            shared: 11,
            at_once: rows::AT_ONCE,
        };
        let all = &entries[0];
        let shared = |cells: &mut rows::Cells<'_, '_>| {
            cells.next(&all.posted_at)?;
            cells.next(all.posting_date)?;
            cells.next(&all.scheme)?;
            cells.next(&all.cycle)?;
            cells.next(all.kind.word())?;
            cells.next(&all.reference)?;
            cells.next(&all.against)?;
            cells.next(all.expires_on)?;
            cells.next(all.run)?;
            cells.next(&all.actor)?;
            cells.next(version)
        };
        INSERT.run(&self.connection, shared, entries, |entry, cells| {
            cells.next(entry.entry)?;
            cells.next(&entry.partner_code)?;
            cells.next(entry.points.0)?;
            cells.next(entry.amount.normalize().to_string())?;
            cells.next(&entry.tier)?;
            cells.next(&entry.reason)?;
            cells.next(chain::unhex(&entry.hash))
        })
    }

    /// Number and chain hash of the last entry.
    pub fn ledger_head(&self) -> Result<(i64, String)> {
        let head = self
            .connection
            .prepare_cached("SELECT entry, lower(hex(hash)) FROM ledger ORDER BY entry DESC LIMIT 1")?
            .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        Ok(head.unwrap_or((0, chain::GENESIS.to_owned())))
    }

    /// Accruals and corrections posted for a scheme, cycle and partner: points, and the measure they account for.
    pub fn posted(
        &self,
        scheme: &str,
        cycle: &str,
        partner: &str,
    ) -> Result<(Points, rust_decimal::Decimal)> {
        let mut select = self.connection.prepare_cached(
            "SELECT points, amount FROM ledger WHERE scheme = ?1 AND cycle = ?2 AND partner_code = ?3
             AND kind IN ('accrual', 'correction')",
        )?;
        let mut rows = select.query((scheme, cycle, partner))?;
        let mut points = 0_i64;
        let mut amount = rust_decimal::Decimal::ZERO;
        while let Some(row) = rows.next()? {
            points = points
                .checked_add(row.get(0)?)
                .context("the points posted are more than a ledger can hold")?;
            let text = row.get_ref(1)?.as_str()?;
            amount += text
                .parse::<rust_decimal::Decimal>()
                .map_err(|_| anyhow!("the ledger holds {text:?}, which is not an amount"))?;
        }
        Ok((Points(points), amount))
    }

    /// Whether anything was ever posted for a cycle.
    pub fn has_postings(&self, scheme: &str, cycle: &str) -> Result<bool> {
        // entries of a cycle stand together: look at the newest ones first
        Ok(self
            .connection
            .prepare_cached("SELECT EXISTS (SELECT 1 FROM ledger WHERE scheme = ?1 AND cycle = ?2)")?
            .query_row((scheme, cycle), |row| row.get(0))?)
    }

    /// Whether a scheme has closed a cycle or posted anything.
    pub fn has_posted(&self, scheme: &str) -> Result<bool> {
        Ok(self
            .connection
            .prepare_cached(
                "SELECT EXISTS (SELECT 1 FROM close WHERE scheme = ?1)
                 OR EXISTS (SELECT 1 FROM position JOIN ledger ON ledger.partner_code = position.partner
                    AND ledger.scheme = position.scheme WHERE position.scheme = ?1)",
            )?
            .query_row([scheme], |row| row.get(0))?)
    }

    /// Walks the entries wanted, in order posted.
    pub fn each_entry(&self, wanted: &Wanted, mut take: impl FnMut(Entry) -> Result<()>) -> Result<()> {
        // only what is asked for is named, so that the index on partners serves
        let mut filter = String::new();
        let upto = wanted.upto.unwrap_or(i64::MAX);
        let mut values: Vec<&dyn rusqlite::ToSql> = vec![&wanted.after, &upto];
        for (column, value) in
            [("partner_code", &wanted.partner), ("ledger.scheme", &wanted.scheme), ("cycle", &wanted.cycle)]
        {
            if let Some(value) = value {
                values.push(value);
                filter.push_str(&format!(" AND {column} = ?{}", values.len()));
            }
        }
        let mut select = self
            .connection
            .prepare(&format!("SELECT {COLUMNS} WHERE entry > ?1 AND entry <= ?2{filter} ORDER BY entry"))?;
        let mut rows = select.query(values.as_slice())?;
        while let Some(row) = rows.next()? {
            take(entry(row)?)?;
        }
        Ok(())
    }

    /// One entry.
    pub fn entry(&self, number: i64) -> Result<Option<Entry>> {
        let mut select = self.connection.prepare(&format!("SELECT {COLUMNS} WHERE entry = ?1"))?;
        let mut rows = select.query([number])?;
        rows.next()?.map(entry).transpose()
    }

    /// Walks a scheme's entries up to one, partner by partner in order of code, in order posted.
    pub fn each_entry_by_partner(
        &self,
        scheme: &str,
        upto: i64,
        mut take: impl FnMut(Entry) -> Result<()>,
    ) -> Result<()> {
        let mut select = self.connection.prepare(&format!(
            "SELECT {COLUMNS} WHERE ledger.scheme = ?1 AND entry <= ?2 ORDER BY partner_code, entry"
        ))?;
        let mut rows = select.query((scheme, upto))?;
        while let Some(row) = rows.next()? {
            take(entry(row)?)?;
        }
        Ok(())
    }

    /// Walks the wallets, in order of scheme and partner.
    pub fn each_wallet(&self, partner: Option<&str>, take: impl FnMut(Wallet) -> Result<()>) -> Result<()> {
        self.each_wallet_upto(partner, i64::MAX, take)
    }

    /// The same as entries up to a number have made them.
    pub fn each_wallet_upto(
        &self,
        partner: Option<&str>,
        upto: i64,
        mut take: impl FnMut(Wallet) -> Result<()>,
    ) -> Result<()> {
        let filter = if partner.is_some() { "partner_code = ?1" } else { "?1 IS NULL" };
        let mut select = self.connection.prepare(&format!(
            "SELECT scheme, partner_code,
               sum(CASE WHEN kind IN ('accrual', 'correction', 'referral', 'adjustment', 'opening') THEN points ELSE 0 END),
               -sum(CASE WHEN kind IN ('redemption', 'reversal') THEN points ELSE 0 END),
               -sum(CASE WHEN kind IN ('reservation', 'release') THEN points ELSE 0 END),
               -sum(CASE WHEN kind = 'expiry' THEN points ELSE 0 END),
               sum(points),
               (SELECT tier FROM ledger AS last WHERE last.partner_code = ledger.partner_code AND last.scheme = ledger.scheme
                 AND last.kind IN ('accrual', 'correction') AND last.entry <= ?2 ORDER BY last.cycle DESC, last.entry DESC LIMIT 1)
             FROM ledger WHERE {filter} AND entry <= ?2 GROUP BY scheme, partner_code ORDER BY scheme, partner_code",
        ))?;
        let mut rows = select.query((partner, upto))?;
        while let Some(row) = rows.next()? {
            take(Wallet {
                scheme: row.get(0)?,
                partner_code: row.get(1)?,
                accumulated: Points(row.get(2)?),
                redeemed: Points(row.get(3)?),
                reserved: Points(row.get(4)?),
                expired: Points(row.get(5)?),
                available: Points(row.get(6)?),
                tier: row.get::<_, Option<String>>(7)?.unwrap_or_default(),
            })?;
        }
        Ok(())
    }
}

impl Store {
    /// Balance and tier of every wallet of a scheme after an entry, in order of partner.
    pub fn balances_upto(&self, scheme: &str, upto: i64) -> Result<Vec<(String, Points, String)>> {
        if upto == 0 {
            return Ok(Vec::new());
        }
        let mut select = self.connection.prepare(
            "SELECT partner_code, sum(points), (SELECT tier FROM ledger AS last WHERE last.partner_code = ledger.partner_code
               AND last.scheme = ledger.scheme AND last.entry <= ?2 ORDER BY last.cycle DESC, last.entry DESC LIMIT 1)
             FROM ledger WHERE scheme = ?1 AND entry <= ?2 GROUP BY partner_code ORDER BY partner_code",
        )?;
        let rows = select.query_map((scheme, upto), |row| {
            Ok((row.get(0)?, Points(row.get(1)?), row.get::<_, Option<String>>(2)?.unwrap_or_default()))
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}
