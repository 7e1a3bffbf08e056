//! Rehearse: the worked examples that live inside scheme files, and which parts of the rules none of them touches. Pure.
//!
//! An example's sales are rows of a file like any other: they are read by `ingest`, settled by `facts` and worked out by
//! `evaluate` (`sheet`). What comes out is compared with what the example expects. `coverage` then looks for the slab
//! edges, tiers and caps that no example touches. Does not: read files or print.
//!
//! # Readings
//! - All sales of an example are one file of one partner. A sale without invoice_no is an invoice of its own, one without
//!   partner_code is the example's partner.
//! - There is no item master and no exchange rate, and a partner master only where the scheme asks for a class: the partner then has the first
//!   one that the scheme names.
//! - The day of the rehearsal is late enough for every sale to count, whatever today is.
//! - The cycle that is checked is the one that the example names, else that of its first sale.
//! - `points` are what is due in all, as in summary.csv: what `[limits]` holds is part of them.

mod coverage;
mod sheet;
#[cfg(test)]
mod tests;

pub use coverage::{Part, Untouched};

use crate::domain::points::Points;
use crate::evaluate::{Counts, Step, trail};
use crate::scheme::{Example, Family, Scheme};
use crate::statement::transactions::{held, why_not};
use sheet::{Played, Sheet};

/// Every example of one scheme's files, tried, and what none of them touches.
#[derive(Debug)]
pub struct Rehearsal<'f> {
    /// in order of version, then as the file has them
    pub tried: Vec<Tried<'f>>,
    /// in order of version, then slab edges, tiers and caps
    pub untouched: Vec<Untouched<'f>>,
}

/// One example and what it came to.
#[derive(Debug)]
pub struct Tried<'f> {
    /// the file that it stands in
    pub scheme: &'f Scheme,
    /// the example
    pub example: &'f Example,
    /// name of the cycle that was checked; empty where the sales could not be read
    pub cycle: String,
    /// what came out
    pub outcome: Outcome,
}

/// What came of an example.
#[derive(Debug)]
pub enum Outcome {
    /// the points, and the tier where the example names one, are as expected
    AsExpected(Came),
    /// something else came out
    Differs(Came),
    /// some of the sales are rows that no file could have
    Unreadable(Vec<Aside>),
}

/// What an example's sales came to.
#[derive(Debug)]
pub struct Came {
    /// due in all
    pub points: Points,
    /// tier reached, empty for none
    pub tier: String,
    /// the trail
    pub steps: Vec<Step>,
    /// sales that do not count in the cycle, in their order
    pub aside: Vec<Aside>,
}

/// A sale that does not count, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aside {
    /// which of the example's sales, from 1
    pub sale: usize,
    /// in the words of evaluation.md 2, or of a reject
    pub why: String,
}

impl Came {
    fn is_expected_by(&self, example: &Example) -> bool {
        Points::from_decimal(example.points) == Some(self.points)
            && example.tier.as_ref().is_none_or(|tier| *tier == self.tier)
    }
}

/// Tries every example of every version, each by the rules of all versions together.
pub fn rehearse(family: &Family) -> Rehearsal<'_> {
    let mut tried = Vec::new();
    let mut sheets = Vec::new();
    for scheme in &family.versions {
        for example in &scheme.examples {
            let (cycle, outcome) = match Sheet::read(scheme, example) {
                Err(rejects) => (String::new(), Outcome::Unreadable(rejects)),
                Ok(sheet) => {
                    let outcome = judge(family, example, &sheet);
                    let cycle = scheme.calendar.name(sheet.cycle);
                    sheets.push(sheet);
                    (cycle, outcome)
                }
            };
            tried.push(Tried { scheme, example, cycle, outcome });
        }
    }
    Rehearsal { tried, untouched: coverage::untouched(family, &sheets) }
}

fn judge(family: &Family, example: &Example, sheet: &Sheet) -> Outcome {
    let came = sheet.play(family, |played| came(family, sheet, played));
    if came.is_expected_by(example) { Outcome::AsExpected(came) } else { Outcome::Differs(came) }
}

fn came(family: &Family, sheet: &Sheet, played: &Played<'_>) -> Came {
    let aside = aside(family, sheet, played);
    match played.position {
        None => Came { points: Points::ZERO, tier: String::new(), steps: Vec::new(), aside },
        Some(position) => Came {
            points: position.points,
            tier: position.tier.clone(),
            steps: trail(family.scheme(position.version), position, played.lines),
            aside,
        },
    }
}

/// Sales that were set aside on arrival, do not count, or count in another cycle.
fn aside(family: &Family, sheet: &Sheet, played: &Played<'_>) -> Vec<Aside> {
    let mut aside = Vec::new();
    let mut add = |file_line: u64, why: String| aside.push(Aside { sale: sheet.sale_at(file_line), why });
    for (file_line, why) in &played.set_aside {
        add(*file_line, (*why).to_owned());
    }
    let line_at = |index: usize| played.lines.get(index).map_or(0, |line| line.row.file_line);
    for position in &played.all.positions {
        let elsewhere = (position.cycle != sheet.cycle)
            .then(|| format!("is in {}", family.versions[0].calendar.name(position.cycle)));
        for outcome in &position.lines {
            if let Some(why) = why(outcome.counts).map(str::to_owned).or_else(|| elsewhere.clone()) {
                add(line_at(outcome.line), why);
            }
        }
    }
    for outside in &played.all.outside {
        add(line_at(outside.line), why(outside.counts).unwrap_or_default().to_owned());
    }
    aside.sort_by_key(|aside| aside.sale);
    aside
}

fn why(counts: Counts) -> Option<&'static str> {
    match counts {
        Counts::Yes => None,
        Counts::No(why) => Some(why_not(why)),
        Counts::Held(why) => Some(held(why)),
    }
}
