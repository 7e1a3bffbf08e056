//! What the store makes of each row, summed up: partner by partner, so that memory grows with the number of files, not of rows
//! (but for one bit a row).

use crate::calendar::Cycle;
use crate::cli::choice;
use crate::cli::worked::Scene;
use crate::domain::frac::Frac;
use crate::evaluate::{Counts, Positions};
use crate::facts::dossier::Dossier;
use crate::facts::money::{EventKind, Standing};
use crate::facts::settle::{Fate, HeldFact, Line, Said, Settled, settle};
use crate::scheme::{Family, Measure};
use crate::statement::transactions;
use crate::store::Store;
use anyhow::{Result, anyhow};
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// Partners whose facts are read at once.
const BATCH: usize = 32;

/// What became of a row when all is said, whatever scheme looks at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Became {
    /// its version speaks
    Accepted,
    /// another version speaks
    Superseded,
    /// it was older than what spoke
    Outdated,
    /// it says what was said already
    Duplicate,
    /// it waits for a person, or a person has decided against it
    Held(&'static str),
}

/// How a scheme sees a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Seen {
    Counted,
    NotCounted(&'static str),
    Held(&'static str),
}

/// Rows and what they come to.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Sum {
    pub(super) rows: i64,
    pub(super) amount: Frac,
}

impl Sum {
    pub(super) fn add(&mut self, rows: i64, amount: &Frac) {
        self.rows += rows;
        self.amount += amount;
    }
}

/// One cycle of a scheme.
#[derive(Debug, Default)]
pub(super) struct Measured {
    /// what counts, as the files write it, and what conversion added; by file and currency
    pub(super) counted: BTreeMap<(i64, usize), (Sum, Frac)>,
    pub(super) carried: Frac,
    pub(super) measure: Frac,
    /// in what it is measured
    pub(super) unit: String,
}

/// The lines of one file that are among the facts, a bit each.
#[derive(Debug, Default)]
pub(super) struct Kept(Vec<u64>);

impl Kept {
    fn note(&mut self, line: u64) {
        let (word, bit) = ((line / 64) as usize, line % 64);
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        self.0[word] |= 1 << bit;
    }

    pub(super) fn has(&self, line: u64) -> bool {
        self.0.get((line / 64) as usize).is_some_and(|word| word >> (line % 64) & 1 == 1)
    }
}

/// Everything, by file (journal sequence) and currency (index into `currencies`).
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) currencies: Vec<String>,
    pub(super) became: BTreeMap<(i64, usize, Became), Sum>,
    pub(super) kept: BTreeMap<i64, Kept>,
    /// by scheme (index of its family), file, currency, cycle
    pub(super) seen: BTreeMap<(usize, i64, usize, Option<Cycle>, Seen), Sum>,
    /// by scheme and cycle
    pub(super) cycles: BTreeMap<(usize, Cycle), Measured>,
}

/// Sums up the whole store.
pub(super) fn tally(store: &Store, families: &[Family], as_of: Option<DateTime<Utc>>) -> Result<Tally> {
    let mut scenes = Vec::with_capacity(families.len());
    for family in families {
        scenes.push(Scene::of(store, family, choice::day_of(store, family, as_of)?, None)?);
    }
    let mut tally = Tally::default();
    let mut after = String::new();
    loop {
        let dossiers = store.dossiers_after(&after, BATCH)?;
        let Some(last) = dossiers.last() else { break };
        after.clone_from(&last.partner);
        for dossier in &dossiers {
            tally.partner(&scenes, dossier)?;
        }
    }
    for kind in [EventKind::Payment, EventKind::Deposit] {
        store.each_money(kind, |said, _, standing| {
            let became = match standing {
                Standing::Speaks => Became::Accepted,
                Standing::Repeats => Became::Duplicate,
                Standing::Superseded => Became::Superseded,
                Standing::Held => Became::Held("event_conflict"),
            };
            let amount = Frac::from(said.money.amount);
            tally.row((said.seq, said.money.file_line), &said.money.currency, became, &amount);
            Ok(())
        })?;
    }
    Ok(tally)
}

impl Tally {
    fn partner(&mut self, scenes: &[Scene<'_>], dossier: &Dossier) -> Result<()> {
        for (index, scene) in scenes.iter().enumerate() {
            scene.look_whole(dossier, &BTreeSet::new(), |positions, said, settled| {
                if index == 0 {
                    self.rows(dossier, said, settled);
                }
                self.look(index, scene.family, positions, &settled.lines);
            })?;
        }
        if scenes.is_empty() {
            let said = dossier.said().map_err(|fault| {
                anyhow!("the facts of partner {} cannot be read: {}", dossier.partner, fault.0)
            })?;
            let said = dossier.by_meaning(&said);
            self.rows(dossier, &said, &settle(&said, &dossier.cancellations, &dossier.decisions));
        }
        Ok(())
    }

    /// What became of this partner's rows. (Whose a row under a local code is, the first scheme's calendar tells.)
    fn rows(&mut self, dossier: &Dossier, said: &[Said<'_>], settled: &Settled<'_>) {
        let speaking: HashSet<(i64, u64)> =
            settled.lines.iter().map(|line| (line.seq, line.row.file_line)).collect();
        for (said, fate) in said.iter().zip(&settled.fates) {
            if said.row.partner_code == dossier.partner {
                let became = became(said, *fate, &speaking);
                let amount = Frac::from(said.row.amount);
                self.row((said.seq, said.row.file_line), said.row.currency, became, &amount);
            }
        }
    }

    fn row(&mut self, (seq, line): (i64, u64), currency: &str, became: Became, amount: &Frac) {
        let currency = self.currency(currency);
        self.kept.entry(seq).or_default().note(line);
        self.became.entry((seq, currency, became)).or_default().add(1, amount);
    }

    /// Currencies match without case.
    pub(super) fn currency(&mut self, written: &str) -> usize {
        let same = |known: &String| {
            known.eq_ignore_ascii_case(written) || (!written.is_ascii() && *known == written.to_uppercase())
        };
        self.currencies.iter().position(same).unwrap_or_else(|| {
            self.currencies.push(written.to_uppercase());
            self.currencies.len() - 1
        })
    }

    fn look(&mut self, scheme: usize, family: &Family, positions: &Positions, lines: &[Line<'_>]) {
        for outside in &positions.outside {
            self.see(scheme, None, outside.counts, lines.get(outside.line));
        }
        for position in &positions.positions {
            let version = family.scheme(position.version);
            for outcome in &position.lines {
                let line = lines.get(outcome.line);
                self.see(scheme, Some(position.cycle), outcome.counts, line);
                if let (Counts::Yes, Some(line)) = (outcome.counts, line) {
                    let (currency, own, measured) = match version.earn.measure {
                        Measure::Amount => {
                            (line.row.currency, Frac::from(line.row.amount), outcome.scheme_amount.clone())
                        }
                        Measure::Quantity => {
                            let quantity = Frac::from(line.row.quantity);
                            ("", quantity.clone(), quantity)
                        }
                    };
                    let currency = self.currency(currency);
                    let cycle = self.cycles.entry((scheme, position.cycle)).or_default();
                    let counted = cycle.counted.entry((line.seq, currency)).or_default();
                    counted.0.add(1, &own);
                    counted.1 += &(&measured - &own);
                }
            }
            let cycle = self.cycles.entry((scheme, position.cycle)).or_default();
            cycle.carried += &position.carried;
            cycle.measure += &position.measure;
            cycle.unit = match version.earn.measure {
                Measure::Amount => version.currency.clone(),
                Measure::Quantity => "quantity".to_owned(),
            };
        }
    }

    fn see(&mut self, scheme: usize, cycle: Option<Cycle>, counts: Counts, line: Option<&Line<'_>>) {
        let Some(line) = line else { return };
        let seen = match counts {
            Counts::Yes => Seen::Counted,
            Counts::No(why) => Seen::NotCounted(transactions::why_not(why)),
            Counts::Held(why) => Seen::Held(transactions::held(why)),
        };
        let currency = self.currency(line.row.currency);
        let sum = self.seen.entry((scheme, line.seq, currency, cycle, seen)).or_default();
        sum.add(1, &Frac::from(line.row.amount));
    }
}

fn became(said: &Said<'_>, fate: Fate, speaking: &HashSet<(i64, u64)>) -> Became {
    if speaking.contains(&(said.seq, said.row.file_line)) {
        return Became::Accepted;
    }
    match fate {
        Fate::Accepted | Fate::Superseding | Fate::Rejected(_) => Became::Superseded,
        Fate::Duplicate => Became::Duplicate,
        Fate::Outdated => Became::Outdated,
        Fate::Held(HeldFact::IdentityConflict) => Became::Held("identity_conflict"),
        Fate::Held(HeldFact::RowsVanished) => Became::Held("rows_vanished"),
    }
}
