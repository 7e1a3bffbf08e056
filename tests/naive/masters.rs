//! Master data and exchange rates: which record of a code applies on a day (evaluation.md 2 and 3.1).

use std::collections::BTreeMap;

use chrono::{NaiveDate, NaiveTime};
use chrono_tz::Tz;

use super::number::{self, Frac};
use super::reading::{self, Cells, Sale};
use super::settings::Feed;
use super::time;

/// The records of one master: code to (applies from, record) in order of ingestion.
#[derive(Clone, Debug, Default)]
pub struct Master {
    records: BTreeMap<String, Vec<(NaiveDate, Cells)>>,
    /// What a distributor calls a partner: (distributor, its code) to (applies from, partner).
    aliases: BTreeMap<(String, String), Vec<(NaiveDate, String)>>,
}

impl Master {
    /// Takes one file: `code` is its key column, `day` the day of ingestion. Returns rows and rejects.
    pub fn take(&mut self, bytes: &[u8], feed: &Feed, code: &str, day: NaiveDate) -> (usize, usize) {
        let (mut taken, mut rejected) = (0, 0);
        for (_, cells) in reading::rows(bytes, feed) {
            let Some(name) = cells.get(code).map(|c| fold(code, c)) else {
                rejected += 1;
                continue;
            };
            let given = match cells.get("effective_from") {
                Some(text) => match time::read(text, &feed.dates, feed.zone) {
                    Some(when) => Some(when.written()),
                    None => {
                        rejected += 1;
                        continue;
                    }
                },
                None => None,
            };
            if let (Some(distributor), Some(local)) = (cells.get("distributor_code"), cells.get("local_code"))
            {
                let known = self.aliases.entry((distributor.clone(), local.clone())).or_default();
                let first = if known.is_empty() { NaiveDate::MIN } else { day };
                known.push((given.unwrap_or(first), name.clone()));
            }
            let from = match given {
                Some(given) => given,
                None if !self.records.contains_key(&name) => NaiveDate::MIN,
                None => day,
            };
            self.records.entry(name).or_default().push((from, cells));
            taken += 1;
        }
        (taken, rejected)
    }

    /// Whether some distributor has its own code for a partner.
    pub fn has_local_codes(&self) -> bool {
        !self.aliases.is_empty()
    }

    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// The partner whom a distributor calls so on a day, else the code as it stands.
    pub fn partner(&self, distributor: &str, code: &str, day: NaiveDate) -> String {
        let aliases = self.aliases.get(&(distributor.to_string(), code.to_string())).into_iter().flatten();
        let meant = aliases.filter(|(from, _)| *from <= day).max_by_key(|(from, _)| *from);
        meant.map_or(code, |(_, partner)| partner).to_string()
    }

    /// The record that applies to a code on a day: the latest `effective_from`, of equal ones the later record.
    pub fn on(&self, code: &str, day: NaiveDate) -> Option<&Cells> {
        let records = self.records.get(code)?.iter();
        records.filter(|(from, _)| *from <= day).max_by_key(|(from, _)| *from).map(|(_, cells)| cells)
    }
}

/// Whom the codes in sales files mean, and by which day: that of a scheme, or the day as written.
#[derive(Clone, Debug, Default)]
pub struct Meaning {
    pub partners: Master,
    pub days: Option<(Tz, NaiveTime)>,
}

impl Meaning {
    /// The row under the code of the partner who is meant.
    pub fn of(&self, sale: &Sale) -> Sale {
        let mut meant = sale.clone();
        let day = match self.days {
            Some((zone, closes)) => time::business_date(&sale.when, zone, closes),
            None => sale.dated(),
        };
        if let Some(code) = meant.other.get_mut("partner_code") {
            *code = self.partners.partner(sale.cell("distributor_code"), code, day);
        }
        meant
    }
}

/// Partner codes match exactly, SKUs without case.
fn fold(column: &str, code: &str) -> String {
    if column == "sku" { code.to_lowercase() } else { code.to_string() }
}

/// `yes` and `no` as a master writes them; absent is yes.
pub fn says_no(record: &Cells, column: &str) -> bool {
    record.get(column).is_some_and(|v| matches!(v.to_lowercase().as_str(), "no" | "false" | "0" | "n"))
}

/// Exchange rates: (from, to) to days with their rate.
#[derive(Clone, Debug, Default)]
pub struct Rates(BTreeMap<(String, String), BTreeMap<NaiveDate, Frac>>);

impl Rates {
    pub fn take(&mut self, bytes: &[u8], feed: &Feed) {
        for (_, cells) in reading::rows(bytes, feed) {
            let day = time::read(&cells["date"], &feed.dates, feed.zone).expect("a date").written();
            let pair = (cells["from"].to_lowercase(), cells["to"].to_lowercase());
            let rate = number::in_file(&cells["rate"], feed.decimal_mark).expect("a rate");
            self.0.entry(pair).or_default().insert(day, rate);
        }
    }

    /// The rate of a day: that of the last day on or before it that has one.
    pub fn on(&self, from: &str, to: &str, day: NaiveDate) -> Option<&Frac> {
        let days = self.0.get(&(from.to_lowercase(), to.to_lowercase()))?;
        days.range(..=day).next_back().map(|(_, rate)| rate)
    }
}
