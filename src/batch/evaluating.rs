//! Evaluate: dossiers out of the store, positions back into it, and the papers of cycles that close or are closed into staging.
//!
//! This thread reads and writes the store; two others settle, evaluate and render, partner by partner. Answers come back
//! in the order of the questions, so that papers are in order of partner.

use super::Run;
use super::answering::{Answer, Answers, Question, Worked};
use super::closing::ClosingPlan;
use super::desk::Desk;
use super::drift::Past;
use super::progress::Step;
use super::publishing::{ClosedPapers, Papers};
use super::reason::Before;
use super::stakes;
use crate::calendar::Cycle;
use crate::domain::frac::{Frac, Rounding};
use crate::facts::dossier::Dossier;
use crate::facts::fx::Rates;
use crate::facts::master::ItemRecord;
use crate::inbox::Cancel;
use crate::scheme::{Family, Post};
use crate::store::Store;
use crate::store::cycles::Closed;
use crate::store::holds::{HoldState, NewHold, Opened};
use crate::store::positions::{Kept, Known, Settled};
use anyhow::Result;
use rust_decimal::Decimal;
use std::collections::HashMap;

/// Partners handed over at once.
const BATCH: usize = 32;

/// Which partners are evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scope {
    /// those whose facts moved
    Stale,
    /// all of them, since a cycle closes or is published as a whole
    All,
    /// all of them, and everything about them may have moved: texts, pins or masters
    Everything,
}

/// What every worker knows.
pub(super) struct Scene<'s> {
    pub(super) family: &'s Family,
    /// today's files alone, where closed cycles go by older texts
    pub(super) edited: Option<Family>,
    pub(super) plan: &'s ClosingPlan,
    pub(super) items: Option<HashMap<String, Vec<ItemRecord>>>,
    pub(super) has_partner_master: bool,
    pub(super) rates: Rates,
    pub(super) file_names: HashMap<i64, String>,
    /// numbers of scheme versions in the store
    pub(super) version_ids: HashMap<String, i64>,
    /// whether any hold waits at all
    pub(super) holds: bool,
    /// closed cycles as they were published last
    pub(super) before: HashMap<Cycle, Before>,
    /// the earliest of these publications, where files have fallen silent after it
    pub(super) asks_since: Option<i64>,
    pub(super) seq: i64,
    pub(super) run: i64,
    pub(super) transactions: bool,
    pub(super) cancel: Cancel,
}

/// Positions that wait to be kept many at once.
struct Keeping {
    known: Known,
    positions: Vec<(Kept, Settled)>,
}

impl Run<'_> {
    /// Evaluates what must be and stages papers.
    pub(super) fn evaluate(&mut self, family: &Family, plan: &ClosingPlan) -> Result<ClosedPapers> {
        self.order.progress.tell(Step::Evaluating { scheme: &family.id, partners: self.report.evaluated });
        let rests_on = self.rests_on(family)?;
        self.store.wake(&family.id, plan.today)?;
        self.store.spread_stale()?;
        let scope = self.scope(family, plan, &rests_on)?;
        let before = self.published_before(family, plan)?;
        let last_silence = self.store.last_silence()?;
        let scene = Scene {
            asks_since: before
                .values()
                .map(|before| before.published)
                .min()
                .filter(|since| *since < last_silence),
            edited: family.has_pins().then(|| family.unpinned()),
            family,
            plan,
            items: self.store.items(None)?,
            has_partner_master: self.store.master_state()?.0,
            rates: self.store.rates(None)?,
            file_names: self.store.file_names()?,
            version_ids: self.store.scheme_texts()?.into_iter().map(|text| (text.version, text.id)).collect(),
            holds: self.store.has_open_holds()?,
            before,
            seq: self.store.journal_head()?.0,
            run: self.stamp.run,
            transactions: self.config.publish.transactions,
            cancel: self.order.cancel.clone(),
        };
        let mut papers = Papers::default();
        self.store.begin()?;
        if scope == Scope::Everything {
            self.store.forget_edits(&family.id)?;
        }
        let answered = self.ask_all(&scene, scope, &mut papers);
        if let Err(fault) = answered {
            self.store.rollback()?;
            return Err(fault);
        }
        let papers = papers.close();
        self.store.commit()?;
        Ok(papers)
    }

    /// Everything that positions rest on is posted and published: from now on only news is evaluated. (Said after the posting,
    /// so that a run killed before it is finished by one that evaluates everybody again.)
    pub(super) fn rest_on(&mut self, family: &Family) -> Result<()> {
        let rests_on = self.rests_on(family)?;
        if self.store.rests_on(&family.id)?.as_deref() != Some(rests_on.as_str()) {
            self.store.set_rests_on(&family.id, &rests_on)?;
        }
        Ok(())
    }

    fn published_before(&self, family: &Family, plan: &ClosingPlan) -> Result<HashMap<Cycle, Before>> {
        let before = |(&cycle, closed): (&Cycle, &Closed)| {
            let published = self.store.last_publication(&family.id, cycle.0)?;
            Ok((cycle, Before { published, bound: closed.bound }))
        };
        plan.closed.iter().map(before).collect()
    }

    /// Everything beside a partner's own facts that a position rests on.
    fn rests_on(&self, family: &Family) -> Result<String> {
        let (has_partners, items) = self.store.master_state()?;
        let versions: Vec<&str> = family.versions.iter().map(|version| version.version.as_str()).collect();
        let pins: Vec<String> = self
            .store
            .closed(&family.id)?
            .into_iter()
            .filter(|closed| family.is_pinned(Cycle(closed.cycle)))
            .map(|closed| format!("{}={}", closed.cycle, closed.version.unwrap_or_default()))
            .collect();
        Ok(format!("{} | {} | {has_partners} {items} fx skus", versions.join(" "), pins.join(" ")))
    }

    fn scope(&self, family: &Family, plan: &ClosingPlan, rests_on: &str) -> Result<Scope> {
        if self.store.rests_on(&family.id)?.as_deref() != Some(rests_on) {
            return Ok(Scope::Everything);
        }
        let continuous = family.versions.iter().any(|version| version.post == Post::Continuous);
        let any = continuous && self.store.has_stale()?;
        Ok(if !plan.closing.is_empty() || any { Scope::All } else { Scope::Stale })
    }

    fn ask_all(&mut self, scene: &Scene<'_>, scope: Scope, papers: &mut Papers) -> Result<()> {
        std::thread::scope(|threads| {
            let mut desk = Desk::open(threads, scene)?;
            let known = self.store.known_positions(&scene.family.id)?;
            let mut keeping = Keeping { known, positions: Vec::new() };
            let mut past = self.past()?;
            let mut after = String::new();
            loop {
                self.order.cancel.check()?;
                let dossiers = match scope {
                    Scope::Stale => self.store.stale_dossiers_after(&after, BATCH)?,
                    Scope::All | Scope::Everything => self.store.dossiers_after(&after, BATCH)?,
                };
                let Some(last) = dossiers.last() else { break };
                after.clone_from(&last.partner);
                let questions = dossiers
                    .into_iter()
                    .map(|dossier| self.question(scene, scope, known, dossier, past.as_mut()))
                    .collect::<Result<_>>()?;
                if let Some(answers) = desk.hand_in(questions)? {
                    self.take_answers(scene, answers, papers, &mut keeping)?;
                }
            }
            while let Some(answers) = desk.next_answers()? {
                self.take_answers(scene, answers, papers, &mut keeping)?;
            }
            self.store.keep_positions(&scene.family.id, known, &keeping.positions)
        })
    }

    fn question(
        &self,
        scene: &Scene<'_>,
        scope: Scope,
        known: Known,
        mut dossier: Dossier,
        past: Option<&mut Past>,
    ) -> Result<Question> {
        let scheme = &scene.family.id;
        if let Some(since) = scene.asks_since {
            dossier.fallen = self.store.fallen_since(&dossier.partner, since)?;
        }
        let kept = match known {
            Known::Some => self.store.positions_of(scheme, &dossier.partner)?,
            Known::None => Vec::new(),
        };
        let moved = match scope {
            Scope::Stale | Scope::Everything => true,
            Scope::All => self.store.is_stale(&dossier.partner)?,
        };
        let waiting = self.waiting_versions(scene, &dossier)?;
        let earlier = match past {
            Some(past) if moved => past.of(self, scene.family, &dossier.partner, &kept)?,
            Some(_) | None => None,
        };
        Ok(Question { dossier, kept, waiting, moved, earlier })
    }

    fn take_answers(
        &mut self,
        scene: &Scene<'_>,
        answers: Answers,
        papers: &mut Papers,
        keeping: &mut Keeping,
    ) -> Result<()> {
        let partners = self.report.evaluated;
        let scheme = &scene.family.id;
        self.order.progress.tell(Step::Evaluating { scheme, partners });
        for answer in answers.partners {
            self.report.evaluated += 1;
            self.keep_holds(scene, &answer)?;
            self.keep_aside(scene.seq, &answer.aside)?;
            for worked in &answer.positions {
                if let Some(otherwise) = &worked.otherwise {
                    self.hold_drift(scene.family, &worked.kept, otherwise, scene.seq)?;
                }
            }
            if answer.wake_on.is_some() || keeping.known == Known::Some {
                self.store.set_waking(scheme, &answer.partner, answer.wake_on)?;
            }
            self.store.note_asked(&answer.partner, &answer.asked)?;
            if let Some(skus) = &answer.skus {
                self.store.note_skus(&answer.partner, skus)?;
            }
            if let Some(edits) = &answer.edits {
                self.store.keep_edits(scheme, &answer.partner, edits)?;
            }
            let moved = |worked: Worked| worked.keep.map(|settled| (worked.kept, settled));
            keeping.positions.extend(answer.positions.into_iter().filter_map(moved));
        }
        let full = keeping.positions.len() - keeping.positions.len() % Store::POSITIONS_AT_ONCE;
        self.store.keep_positions(scheme, keeping.known, &keeping.positions[..full])?;
        keeping.positions.drain(..full);
        for sheet in answers.sheets {
            if let Some(version) = scene.family.version_for(sheet.cycle) {
                papers.of(self, version, sheet.cycle, scene.plan)?.add(sheet)?;
            }
        }
        Ok(())
    }

    /// Opens, updates and ends the holds that evaluation makes of one partner.
    fn keep_holds(&mut self, scene: &Scene<'_>, answer: &Answer) -> Result<()> {
        let scheme = &scene.family.id;
        let mut wanted: Vec<NewHold> = answer
            .held
            .iter()
            .map(|(cause, stake)| stakes::hold(scene.family, &answer.partner, cause, stake))
            .collect();
        wanted.extend(
            answer
                .positions
                .iter()
                .filter_map(|worked| self.over_limit(scene, worked).transpose())
                .collect::<Result<Vec<_>>>()?,
        );
        if scene.holds {
            for open in self.store.open_holds_of(scheme, &answer.partner)? {
                let ours = MADE_HERE.contains(&open.kind.as_str());
                if ours && !wanted.iter().any(|new| new.kind == open.kind && new.subject == open.subject) {
                    self.store.end_hold(open.id, HoldState::Gone, scene.seq)?;
                }
            }
        }
        for new in wanted {
            if self.store.open_hold(scene.seq, &new)? == Opened::New {
                self.report.new_holds.push(new);
            }
        }
        Ok(())
    }

    /// What is over `[limits] accrual` waits, unless a person has decided on exactly that.
    fn over_limit(&self, scene: &Scene<'_>, worked: &Worked) -> Result<Option<NewHold>> {
        let kept = &worked.kept;
        if kept.held.0 == 0 {
            return Ok(None);
        }
        let cycle = Cycle(kept.cycle);
        let posts = scene.plan.closed.contains_key(&cycle)
            || scene.plan.closing.contains(&cycle)
            || scene.family.version_for(cycle).is_some_and(|version| version.post == Post::Continuous);
        let subject = subject(&scene.family.id, kept);
        let waits = super::posting::waits_over_limit(&self.store, &subject, kept.held)?;
        let discarded = self
            .store
            .last_hold("over_limit", &subject)?
            .is_some_and(|hold| hold.points.0 == waits && hold.state == HoldState::Discarded);
        if waits == 0 || discarded || !posts {
            return Ok(None);
        }
        Ok(Some(NewHold {
            kind: "over_limit",
            subject,
            scheme: scene.family.id.clone(),
            cycle: name_of(scene.family, cycle),
            partner: kept.partner.clone(),
            file: None,
            line: None,
            lines: 0,
            amount: Decimal::ZERO,
            points: waits,
            detail: over_what(scene.family, cycle).to_owned(),
        }))
    }
}

fn over_what(family: &Family, cycle: Cycle) -> &'static str {
    match family.version_for(cycle).and_then(|version| version.limit_accrual) {
        Some(_) => "more points than [limits] accrual lets one partner earn in a cycle",
        None => "more points than the ledger can hold: is an amount wrong?",
    }
}

/// Kinds of holds that evaluation opens and ends.
const MADE_HERE: [&str; 5] =
    ["future_date", "partner_unlisted_held", "sku_unlisted_held", "no_fx_rate", "over_limit"];

/// Names a hold on a position: scheme, cycle and partner.
pub(super) fn subject(scheme: &str, kept: &Kept) -> String {
    subject_of(scheme, kept.cycle, &kept.partner)
}

pub(super) fn subject_of(scheme: &str, cycle: i32, partner: &str) -> String {
    format!("{scheme}|{cycle}|{partner}")
}

pub(super) fn name_of(family: &Family, cycle: Cycle) -> String {
    family.versions.first().map_or_else(String::new, |version| version.calendar.name(cycle))
}

/// A measure as the ledger keeps it: exact where it is a decimal, else to twelve decimals.
pub(super) fn plain(measure: &Frac) -> String {
    let decimal = measure.to_decimal().or_else(|| measure.to_decimal_rounded(12, Rounding::HalfEven));
    decimal.unwrap_or(Decimal::MAX).normalize().to_string()
}
