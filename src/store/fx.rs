//! Exchange rates: keeping what `fx` files say, who is to be evaluated again for it, and reading them back.

use super::Store;
use super::masters::Kept;
use super::silence::{rank, speaks};
use crate::domain::word::fold;
use crate::facts::fx::{Asked, RateRecord, Rates};
use anyhow::{Context, Result};
use chrono::NaiveDate;
use rusqlite::OptionalExtension;
use rust_decimal::Decimal;

/// Rates of files that speak as of ?1; the rank of its file tells which of two came later.
fn rates(which: &str) -> String {
    format!(
        "SELECT from_code, to_code, day, rate FROM fx_rate WHERE seq <= ?1 AND {} AND {which}",
        speaks("fx_rate.seq", "?1")
    )
}

impl Store {
    /// Keeps a rate; where it changes what holds on its day, the partners with lines that it converts are stale. It is told what the
    /// rate is beside what spoke when the journal record `stood` was the last.
    pub(super) fn keep_rate(
        &self,
        seq: i64,
        said: &RateRecord,
        file_line: u64,
        stood: Option<i64>,
    ) -> Result<Kept> {
        let pair = (fold(&said.from), fold(&said.to));
        let before = self.rate_on(&pair, said.day, None)?;
        self.connection
            .prepare_cached("INSERT INTO fx_rate VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?
            .execute((&pair.0, &pair.1, said.day, seq, file_line, said.rate.normalize().to_string()))
            .context("cannot keep an exchange rate")?;
        let after = self.rate_on(&pair, said.day, None)?;
        if before.map(|(_, rate)| rate) != after.map(|(_, rate)| rate) {
            self.mark_asking_stale(&pair, said.day)?;
        }
        let known = if stood.is_some() { self.rate_on(&pair, said.day, stood)? } else { before };
        Ok(match known {
            Some((day, rate)) if day == said.day && rate == said.rate => Kept::Same,
            Some((day, _)) if day == said.day => Kept::Changed,
            Some(_) | None => Kept::New,
        })
    }

    /// The rate that holds on a day, and since when; as of the journal record `upto` where it is given.
    fn rate_on(
        &self,
        (from, to): &(String, String),
        day: NaiveDate,
        upto: Option<i64>,
    ) -> Result<Option<(NaiveDate, Decimal)>> {
        let of_pair = rates("from_code = ?2 AND to_code = ?3 AND day <= ?4");
        let rank = rank("fx_rate.seq");
        let found: Option<(NaiveDate, String)> = self
            .connection
            .prepare_cached(&format!("{of_pair} ORDER BY day DESC, {rank} DESC, file_line DESC LIMIT 1"))?
            .query_row((upto.unwrap_or(i64::MAX), from, to, day), |row| Ok((row.get(2)?, row.get(3)?)))
            .optional()?;
        found.map(|(day, rate)| Ok((day, decimal(&rate)?))).transpose()
    }

    /// Marks whoever has lines that the rates of a file convert, since the file falls silent.
    pub(super) fn mark_converted_by(&self, seq: i64) -> Result<()> {
        self.connection
            .prepare_cached(
                "INSERT OR IGNORE INTO stale SELECT partner FROM fx_asked WHERE (from_code, to_code) IN
                 (SELECT from_code, to_code FROM fx_rate WHERE seq = ?1)",
            )?
            .execute([seq])?;
        Ok(())
    }

    /// A rate holds until the next of its pair that speaks: only lines dated between the two are converted by it.
    fn mark_asking_stale(&self, (from, to): &(String, String), day: NaiveDate) -> Result<()> {
        self.connection
            .prepare_cached(&format!(
                "INSERT OR IGNORE INTO stale SELECT partner FROM fx_asked
                 WHERE from_code = ?1 AND to_code = ?2 AND last_day >= ?3 AND first_day < coalesce(
                     (SELECT min(day) FROM fx_rate WHERE from_code = ?1 AND to_code = ?2 AND day > ?3 AND {}), '9')",
                speaks("fx_rate.seq", "?4")
            ))?
            .execute((from, to, day, i64::MAX))?;
        Ok(())
    }

    /// Remembers which pairs a partner's positions rest on.
    pub fn note_asked(&self, partner: &str, asked: &[Asked]) -> Result<()> {
        for Asked { from, to, first, last } in asked {
            self.connection
                .prepare_cached(
                    "INSERT INTO fx_asked VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (from_code, to_code, partner) DO UPDATE
                     SET first_day = min(first_day, excluded.first_day), last_day = max(last_day, excluded.last_day)",
                )?
                .execute((from, to, partner, first, last))
                .context("cannot note a foreign currency")?;
        }
        Ok(())
    }

    /// Every exchange rate that speaks, as it stood at journal sequence `upto` where given.
    pub fn rates(&self, upto: Option<i64>) -> Result<Rates> {
        let all = format!("{} ORDER BY {}, file_line", rates("TRUE"), rank("fx_rate.seq"));
        let mut select = self.connection.prepare_cached(&all)?;
        let mut rows = select.query([upto.unwrap_or(i64::MAX)])?;
        let mut records = Vec::new();
        while let Some(row) = rows.next()? {
            records.push(RateRecord {
                from: row.get(0)?,
                to: row.get(1)?,
                day: row.get(2)?,
                rate: decimal(row.get_ref(3)?.as_str()?)?,
            });
        }
        Ok(Rates::new(records))
    }
}

fn decimal(text: &str) -> Result<Decimal> {
    text.parse().with_context(|| format!("the store holds {text:?} as an exchange rate"))
}
