//! From which ingestion a line is in force, and until which record of the journal: a version that supersedes it, a file that
//! replaces or rereads its own, a cancellation, a person's word.

use super::known::Known;
use super::worked::Scene;
use crate::facts::dossier::Dossier;
use crate::facts::settle::Line;
use crate::store::Store;
use anyhow::Result;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// A row of a file: the journal record of its ingestion, and its line there.
pub(super) type Said = (i64, u64);

/// Looks them up.
pub(super) struct Lifetimes<'s> {
    store: &'s Store,
    known: Known,
    stamps: HashMap<i64, [String; 2]>,
}

/// The cells of a line's life: run and instant since which it is in force, run and instant until which it was.
pub(super) type Cells = [String; 4];

impl<'s> Lifetimes<'s> {
    pub(super) fn of(store: &'s Store, known: Known) -> Lifetimes<'s> {
        Lifetimes { store, known, stamps: HashMap::new() }
    }

    /// Until when those lines of a partner were in force that were so then, and are not any more. Now, all of them still are.
    pub(super) fn ends(
        &self,
        scene: &Scene<'_>,
        partner: &str,
        lines: &[Line<'_>],
    ) -> Result<BTreeMap<Said, i64>> {
        let mut ends = BTreeMap::new();
        let Some(known) = self.known else { return Ok(ends) };
        let mut open: BTreeSet<Said> = in_force(lines).collect();
        for record in self.moved_after(partner, known)? {
            if open.is_empty() {
                break;
            }
            let dossier = self.store.dossier(partner, Some(record))?;
            let stand: BTreeSet<Said> =
                scene.look(&dossier, &BTreeSet::new(), |_, lines| in_force(lines).collect())?;
            ends.extend(open.difference(&stand).map(|said| (*said, record)));
            open.retain(|said| stand.contains(said));
        }
        Ok(ends)
    }

    /// The records after `known` that may have moved a partner's lines, in order.
    fn moved_after(&self, partner: &str, known: i64) -> Result<BTreeSet<i64>> {
        let Dossier { own, others, decisions, cancellations, .. } = self.store.dossier(partner, None)?;
        let mut records: BTreeSet<i64> = own.iter().chain(&others).map(|raw| raw.seq).collect();
        records.extend(decisions.iter().map(|decision| decision.at));
        records.extend(cancellations.iter().map(|cancellation| cancellation.seq));
        for fallen in self.store.fallen_since(partner, known)? {
            records.extend([fallen.raw.seq, fallen.by]);
        }
        records.retain(|record| *record > known);
        Ok(records)
    }

    /// The cells of a line that a file has said, and that was in force until a record.
    pub(super) fn cells(&mut self, said: Said, end: Option<i64>) -> Result<Cells> {
        let [run, at] = self.stamp(said.0)?;
        let [until_run, until] = match end {
            Some(record) => self.stamp(record)?,
            None => [String::new(), String::new()],
        };
        Ok([run, at, until_run, until])
    }

    fn stamp(&mut self, record: i64) -> Result<[String; 2]> {
        if let Some(stamp) = self.stamps.get(&record) {
            return Ok(stamp.clone());
        }
        let stamp =
            self.store.stamp_of(record)?.map(|stamp| [stamp.run.to_string(), stamp.at]).unwrap_or_default();
        self.stamps.insert(record, stamp.clone());
        Ok(stamp)
    }
}

fn in_force<'l>(lines: &'l [Line<'_>]) -> impl Iterator<Item = Said> + 'l {
    lines.iter().filter(|line| !line.cancelled).map(|line| (line.seq, line.row.file_line))
}
