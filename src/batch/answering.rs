//! What one thread answers of a batch of partners: facts settled, cycles evaluated, papers rendered.
//!
//! Reads no store: all that is known comes with the question and the scene. What is done with the answers is evaluating's.

use super::aside::{self, Aside};
use super::drift::{self, Earlier, Otherwise};
use super::evaluating::{Scene, plain};
use super::holding;
use super::reason::{self, Asked};
use super::sheets::{Listing, Sheet, Sheets};
use super::stakes::{self, Stakes};
use crate::calendar::{Cycle, ZoneCache};
use crate::evaluate::{Converted, Facts, Position, World, evaluate};
use crate::facts::dossier::Dossier;
use crate::facts::fx;
use crate::facts::master;
use crate::facts::settle::Line;
use crate::facts::sketch::Sketch;
use crate::scheme::{Family, Post};
use crate::statement::papers::Partner;
use crate::store::holds::Hold;
use crate::store::positions::{Kept, Settled};
use anyhow::Result;
use std::collections::{BTreeMap, BTreeSet};

/// One partner, and all that is to be known of it.
pub(super) struct Question {
    pub(super) dossier: Dossier,
    pub(super) kept: Vec<Kept>,
    /// holds on versions of its lines
    pub(super) waiting: Vec<Hold>,
    /// whether closed cycles may have moved
    pub(super) moved: bool,
    /// the facts on which positions of another version rest, where it has any
    pub(super) earlier: Option<Earlier>,
}

pub(super) struct Answer {
    pub(super) partner: String,
    pub(super) positions: Vec<Worked>,
    /// what is held of its lines
    pub(super) held: Stakes,
    /// versions of its lines that are set aside
    pub(super) aside: Aside,
    pub(super) wake_on: Option<chrono::NaiveDate>,
    /// foreign currencies of its lines, and the days on which a rate was asked for
    pub(super) asked: Vec<fx::Asked>,
    /// the SKUs of its lines, where items have a master
    pub(super) skus: Option<Vec<u8>>,
    /// what today's scheme file would change in closed cycles; nothing where that was not asked
    pub(super) edits: Option<Vec<(i32, i64)>>,
}

/// One position, worked out.
pub(super) struct Worked {
    pub(super) kept: Kept,
    /// how it is kept where it moved
    pub(super) keep: Option<Settled>,
    /// what another version made of the facts that it rested on, where this one makes something else of them
    pub(super) otherwise: Option<Otherwise>,
}

/// What a worker answers to a batch.
#[derive(Default)]
pub(super) struct Answers {
    pub(super) partners: Vec<Answer>,
    pub(super) sheets: Vec<Sheet>,
}

/// Works out a batch of partners.
pub(super) fn answer_all(
    scene: &Scene<'_>,
    zone: &ZoneCache,
    batch: Vec<Question>,
    sheets: &mut Sheets,
) -> Result<Answers> {
    let partners = batch.into_iter().map(|question| {
        scene.cancel.check()?;
        answer(scene, zone, question, sheets)
    });
    Ok(Answers { partners: partners.collect::<Result<_>>()?, sheets: sheets.take() })
}

/// Works out one partner.
fn answer(scene: &Scene<'_>, zone: &ZoneCache, question: Question, sheets: &mut Sheets) -> Result<Answer> {
    let Question { dossier, kept, waiting, moved, earlier } = question;
    let world = World {
        family: scene.family,
        items: scene.items.as_ref(),
        has_partner_master: scene.has_partner_master,
        rates: &scene.rates,
        waived: None,
        today: scene.plan.today,
        zone,
    };
    let facts = Facts::of(&world, &dossier)?;
    let Facts { said, called, settled, .. } = &facts;
    let known: BTreeSet<Cycle> = kept.iter().map(|kept| Cycle(kept.cycle)).collect();
    let subject = facts.subject(&known);
    let positions = evaluate(&world, &subject);
    let wake_on = positions.wake_on();
    let mut held = stakes::of(&positions, &settled.lines);
    stakes::weigh(&mut held, &positions, |why| evaluate(&World { waived: Some(why), ..world }, &subject));
    let edits = scene.edited.as_ref().filter(|_| moved).map(|today| {
        let by_today = evaluate(&World { family: today, ..world }, &subject);
        holding::differences(scene.family, &positions, &by_today)
    });
    let aside = aside::review(&dossier, said, (&settled.fates, &settled.lines), called, &waiting);
    let skus = scene.items.is_some().then(|| sketch_of(&settled.lines));
    let asked = asked_rates(scene.family, &positions.positions, &settled.lines);
    let name = partner_name(&dossier, &settled.lines, scene.plan.today);
    let mut otherwise = match &earlier {
        Some(earlier) => earlier.otherwise(zone, &kept)?,
        None => BTreeMap::new(),
    };
    let mut worked = Vec::with_capacity(positions.positions.len());
    for (at, position) in positions.positions.iter().enumerate() {
        let reason = scene.before.get(&position.cycle).map_or_else(String::new, |&before| {
            let asked = Asked { family: scene.family, positions: &positions.positions, at };
            let otherwise = otherwise.get(&position.cycle);
            reason::reason(before, &dossier, said, settled, asked, otherwise)
        });
        let before = kept.iter().find(|before| before.cycle == position.cycle.0);
        let prior = Prior {
            kept: before,
            moved,
            by_another: earlier
                .as_ref()
                .zip(before)
                .is_some_and(|(earlier, kept)| earlier.is_of_another(kept)),
            otherwise: otherwise.remove(&position.cycle),
        };
        let partner = Partner { code: &dossier.partner, name };
        worked.push(work(scene, sheets, (position, &settled.lines), partner, reason, prior));
    }
    Ok(Answer {
        partner: dossier.partner.clone(),
        positions: worked,
        held,
        aside,
        wake_on,
        asked,
        skus,
        edits,
    })
}

fn sketch_of(lines: &[Line<'_>]) -> Vec<u8> {
    let mut sketch = Sketch::default();
    lines.iter().filter(|line| !line.row.sku.is_empty()).for_each(|line| sketch.note(line.row.sku));
    sketch.bytes()
}

/// Which rates a partner's positions rest on: the pairs of its lines, with their first and last day.
fn asked_rates(family: &Family, positions: &[Position], lines: &[Line<'_>]) -> Vec<fx::Asked> {
    let mut asked: Vec<fx::Asked> = Vec::new();
    for position in positions {
        let to = family.scheme(position.version).currency.as_str();
        for outcome in &position.lines {
            match outcome.converted {
                Converted::AsItIs => continue,
                Converted::At(_) | Converted::NoRate => {}
            }
            let from = lines.get(outcome.line).map_or("", |line| line.row.currency);
            fx::Asked::note(&mut asked, (from, to), outcome.rule_date);
        }
    }
    asked
}

/// The master's name today, else the one that the last file gives.
fn partner_name<'d>(dossier: &'d Dossier, lines: &[Line<'d>], today: chrono::NaiveDate) -> &'d str {
    let master = dossier.masters.get(&dossier.partner).and_then(|records| master::on(records, today));
    if let Some(record) = master
        && !record.name.is_empty()
    {
        return &record.name;
    }
    lines
        .iter()
        .filter(|line| line.row.partner_code == dossier.partner && !line.row.partner_name.is_empty())
        .max_by_key(|line| (line.rank, line.row.file_line))
        .map_or("", |line| line.row.partner_name)
}

/// What was known of a position before.
struct Prior<'p> {
    kept: Option<&'p Kept>,
    /// whether a closed cycle may have moved
    moved: bool,
    /// whether another version has worked it out
    by_another: bool,
    otherwise: Option<Otherwise>,
}

impl Prior<'_> {
    /// Why its papers are revised.
    fn why_revised(&self, reason: &str) -> String {
        match &self.otherwise {
            Some(_) if reason != drift::REASON => format!("{reason}, {}", drift::REASON),
            Some(_) | None => reason.to_owned(),
        }
    }
}

/// What is to be kept of a position; its papers go to the sheet of the cycle that publishes them.
fn work(
    scene: &Scene<'_>,
    sheets: &mut Sheets,
    (position, lines): (&Position, &[Line<'_>]),
    partner: Partner<'_>,
    reason: String,
    prior: Prior<'_>,
) -> Worked {
    let version = scene.family.scheme(position.version);
    let mut kept = Kept {
        cycle: position.cycle.0,
        partner: partner.code.to_owned(),
        name: partner.name.to_owned(),
        points: position.points,
        held: position.held_points,
        measure: plain(&position.measure),
        tier: position.tier.clone(),
        // every text in force was journalled when the run started
        version_id: scene.version_ids.get(&version.version).copied().unwrap_or(0),
        reason,
        papers: [0; 32],
        published: None,
        run: scene.run,
    };
    let closed = scene.plan.closed.contains_key(&position.cycle);
    let closing = scene.plan.closing.contains(&position.cycle);
    if closed && !prior.moved {
        return Worked { kept, keep: None, otherwise: None };
    }
    if closed || closing || version.post == Post::Continuous {
        let listing = Listing { transactions: scene.transactions, file_names: &scene.file_names };
        let piece = sheets.render(&listing, version, partner, position, lines);
        kept.papers = piece.hash;
        let revised = closed && prior.kept.and_then(|before| before.published) != Some(kept.papers);
        let open = !closed && !closing;
        let in_force = scene.family.version_for(position.cycle);
        let current = open && in_force.is_some_and(|version| version.post == Post::Continuous);
        if in_force.is_some() && (closing || current || revised) {
            let reason = if revised { prior.why_revised(&kept.reason) } else { String::new() };
            sheets.keep(&piece, partner.code, &reason, position, lines);
        } else {
            sheets.drop(&piece);
        }
    }
    if closing {
        kept.published = Some(kept.papers);
    }
    let keep = settled(scene, position.cycle, (closed, closing));
    let same = prior.kept.is_some_and(|before| same(before, &kept));
    let keeps = !same || closing || prior.by_another;
    Worked { keep: keeps.then_some(keep), kept, otherwise: prior.otherwise }
}

/// Whether posting has to deal with a position that moved.
fn settled(scene: &Scene<'_>, cycle: Cycle, (closed, closing): (bool, bool)) -> Settled {
    let continuous = scene.family.version_for(cycle).is_some_and(|version| version.post == Post::Continuous);
    if closed || (continuous && !closing) { Settled::No } else { Settled::Yes }
}

/// Whether a position says what it said before.
fn same(before: &Kept, now: &Kept) -> bool {
    let figures = |kept: &Kept| (kept.points, kept.held, kept.version_id, kept.papers);
    figures(before) == figures(now)
        && (&before.measure, &before.tier, &before.name) == (&now.measure, &now.tier, &now.name)
}
