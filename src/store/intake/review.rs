//! What becomes of the lines of earlier files once a later one is taken: the files that it replaces, or the one that came
//! under its name before.
//!
//! Partner by partner, since every partner of the earlier files may have lost something, also those of whom the later one
//! says nothing. Everything is worked out by settling what spoke before and what speaks now.

use super::super::Store;
use super::super::files::Counts;
use super::feeder::Cancelled;
use super::numbers::parties_of;
use super::weight::Weight;
use crate::facts::dossier::Dossier;
use crate::facts::movement::{self, Change, FactKey, Movement, Sum};
use crate::facts::settle::{Fate, Line, Said, Settled, settle};
use anyhow::{Result, anyhow};
use std::collections::{BTreeMap, BTreeSet};

/// Partners looked at between two questions to the store.
const PAGE: i64 = 64;

/// What a review found.
#[derive(Default)]
pub(super) struct Review {
    /// of the partners of the earlier files
    pub movement: Movement,
    /// lines in force that the earlier files carried
    pub carried: Weight,
    /// of those, the ones that no file that speaks carries
    pub void: Weight,
    /// of those, the ones that stay in force although the later file does not carry them
    pub gone: Sum,
    /// accepted rows of the later file that say what an earlier one had said
    pub duplicate: u64,
    /// accepted rows of it that say something else
    pub superseding: u64,
}

impl Review {
    /// Rows that only came anew because the file they replace is silent are counted as what they are for people.
    pub(super) fn recount(&self, counts: &mut Counts) {
        counts.accepted -= self.duplicate + self.superseding;
        counts.duplicate += self.duplicate;
        counts.superseding += self.superseding;
    }
}

/// The file that was taken, and those whose lines are reviewed.
pub(super) struct Earlier<'e> {
    pub seq: i64,
    /// place of the later file in the order of ingestion: another than `seq` where it is read again
    pub rank: i64,
    pub files: &'e [i64],
    pub fate: EarlierFate,
}

/// What taking the later file does to the earlier ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EarlierFate {
    /// their lines stand unless it says something else
    SpeaksOn,
    /// it speaks in their place
    Silent,
}

impl Store {
    /// Compares what spoke before a file with what speaks now that all of it is written, for those who were gathered.
    pub(super) fn review(&self, earlier: &Earlier<'_>) -> Result<Review> {
        let mut review = Review::default();
        let mut after = String::new();
        loop {
            let partners = self.reviewed_after(&after)?;
            let Some(last) = partners.last() else { return Ok(review) };
            after.clone_from(last);
            for partner in &partners {
                let before = self.dossier(partner, Some(earlier.seq - 1))?;
                let mut now = self.dossier(partner, None)?;
                now.place(earlier.seq, earlier.rank);
                review.partner(earlier, partner, &before, &now)?;
            }
        }
    }

    /// Whether a partner was gathered.
    pub(super) fn is_reviewed(&self, partner: &str) -> Result<bool> {
        Ok(self
            .connection
            .prepare_cached("SELECT EXISTS (SELECT 1 FROM temp.reviewed WHERE partner = ?1)")?
            .query_row([partner], |row| row.get(0))?)
    }

    /// Gathers the partners of earlier files, and those of invoices that are cancelled now, or were by files that fall silent;
    /// whether there are any.
    pub(super) fn gather_reviewed(&self, files: &[i64], silences: &[i64]) -> Result<bool> {
        self.connection.execute_batch(
            "CREATE TEMP TABLE IF NOT EXISTS reviewed (partner TEXT PRIMARY KEY) STRICT, WITHOUT ROWID; DELETE FROM temp.reviewed",
        )?;
        for &seq in files {
            let (first, end) = (self.first_bundle(seq)?, self.first_bundle(seq + 1)?);
            self.connection.execute(
                "INSERT OR IGNORE INTO temp.reviewed SELECT partner FROM bundle WHERE id >= ?1 AND id < ?2",
                (first, end),
            )?;
        }
        for seq in silences {
            let parties = parties_of("SELECT issuer, number FROM cancellation WHERE seq = ?1");
            self.connection.execute(&format!("INSERT OR IGNORE INTO temp.reviewed {parties}"), [seq])?;
        }
        let parties = parties_of("SELECT issuer, number FROM temp.cancelled");
        self.connection.execute(&format!("INSERT OR IGNORE INTO temp.reviewed {parties}"), [])?;
        Ok(self.connection.query_row("SELECT EXISTS (SELECT 1 FROM temp.reviewed)", [], |row| row.get(0))?)
    }

    /// No invoice was cancelled yet by the file that is taken.
    pub(super) fn forget_cancelled(&self) -> Result<()> {
        self.connection.execute_batch(
            "CREATE TEMP TABLE IF NOT EXISTS cancelled (issuer INTEGER, number TEXT) STRICT; DELETE FROM temp.cancelled",
        )?;
        Ok(())
    }

    pub(super) fn note_cancelled(&self, issuer: i64, said: &Cancelled) -> Result<()> {
        self.connection
            .prepare_cached("INSERT INTO temp.cancelled VALUES (?1, ?2)")?
            .execute((issuer, &said.number))?;
        Ok(())
    }

    fn reviewed_after(&self, after: &str) -> Result<Vec<String>> {
        let mut select = self.connection.prepare_cached(
            "SELECT partner FROM temp.reviewed WHERE partner > ?1 ORDER BY partner LIMIT ?2",
        )?;
        let rows = select.query_map((after, PAGE), |row| row.get(0))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}

impl Review {
    fn partner(
        &mut self,
        earlier: &Earlier<'_>,
        partner: &str,
        before: &Dossier,
        now: &Dossier,
    ) -> Result<()> {
        let said_before = before.said().map_err(|fault| anyhow!(fault.0))?;
        let said = now.said().map_err(|fault| anyhow!(fault.0))?;
        let old = settle(&said_before, &before.cancellations, &before.decisions);
        let new = settle(&said, &now.cancellations, &now.decisions);
        let changes = movement::changes(&old.lines, &new.lines);
        self.movement.absorb(movement::moved(&changes, Some(partner)));
        let carriers = carriers(&said_before, |seq| earlier.files.contains(&seq));
        self.weigh_void(&old, &new, partner, &carriers);
        if earlier.fate == EarlierFate::SpeaksOn {
            self.weigh_gone(&new, partner, &carriers, &carried_by_any(&said, earlier.seq));
        }
        let of_partner = said.iter().zip(&new.fates).filter(|(said, _)| said.row.partner_code == partner);
        let accepted = of_partner.filter(|(said, fate)| said.seq == earlier.seq && **fate == Fate::Accepted);
        self.recount_rows(
            &changes,
            accepted.map(|(said, _)| movement::key(said.space, said.scope, &said.row)),
        );
        Ok(())
    }

    /// A document without line numbers may be of several partners: each fact is weighed once, with the first who carries it.
    fn weigh_void(&mut self, old: &Settled<'_>, new: &Settled<'_>, partner: &str, carriers: &Carriers<'_>) {
        let speaking: BTreeMap<FactKey<'_>, u64> =
            movement::facts(&new.lines).into_iter().map(|(key, lines)| (key, lines.len() as u64)).collect();
        for (key, lines) in movement::facts(&old.lines) {
            let Some(by) = carriers.get(&key).filter(|by| by.first() == Some(&partner)) else { continue };
            let was = magnitude(lines, by);
            self.carried.absorb(&was);
            match speaking.get(&key) {
                None => self.void.absorb(&was),
                // of a document without line numbers, rows have gone
                Some(&left) if left < was.lines => {
                    let is = new.lines.iter().filter(|line| movement::key_of(line) == key);
                    self.void.absorb(&was.less(&weight(is)));
                }
                Some(_) => {}
            }
        }
    }

    fn weigh_gone(
        &mut self,
        new: &Settled<'_>,
        partner: &str,
        carriers: &Carriers<'_>,
        carried_now: &BTreeSet<FactKey<'_>>,
    ) {
        for (key, lines) in movement::facts(&new.lines) {
            let carried = carriers.get(&key).is_some_and(|by| by.contains(partner));
            if carried && !carried_now.contains(&key) {
                let left = movement::in_force(lines, Some(partner));
                self.gone.absorb(&left);
            }
        }
    }

    fn recount_rows<'a>(&mut self, changes: &[Change<'_, 'a>], accepted: impl Iterator<Item = FactKey<'a>>) {
        let known =
            changes.iter().filter_map(|change| Some((movement::key_of(change.before.first()?), change)));
        let known: BTreeMap<FactKey<'_>, &Change<'_, '_>> = known.collect();
        for change in accepted.filter_map(|key| known.get(&key)) {
            if change.is_none() {
                self.duplicate += 1;
            } else {
                self.superseding += 1;
            }
        }
    }
}

/// The facts that earlier files carry, each with the partners of whom they say it.
type Carriers<'a> = BTreeMap<FactKey<'a>, BTreeSet<&'a str>>;

fn carriers<'a>(said: &[Said<'a>], of: impl Fn(i64) -> bool) -> Carriers<'a> {
    let mut carriers = Carriers::new();
    for said in said.iter().filter(|said| of(said.seq)) {
        let fact = movement::key(said.space, said.scope, &said.row);
        carriers.entry(fact).or_default().insert(said.row.partner_code);
    }
    carriers
}

/// Also rows that say it of another partner: such a line is not gone.
fn carried_by_any<'a>(said: &[Said<'a>], seq: i64) -> BTreeSet<FactKey<'a>> {
    said.iter()
        .filter(|said| said.seq == seq)
        .map(|said| movement::key(said.space, said.scope, &said.row))
        .collect()
}

/// The lines in force of some partners.
fn magnitude(lines: &[Line<'_>], of: &BTreeSet<&str>) -> Weight {
    weight(lines.iter().filter(|line| !line.cancelled && of.contains(line.row.partner_code)))
}

fn weight<'l, 'a: 'l>(lines: impl Iterator<Item = &'l Line<'a>>) -> Weight {
    let mut sum = Weight::default();
    lines.for_each(|line| sum.add(1, line.row.currency, line.row.amount));
    sum
}
