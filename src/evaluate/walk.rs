//! From cycle to cycle in order: which have a position, what is carried in, what tier is brought in.

use super::counts::View;
use super::cycle::{self, Opening};
use super::dates::{LineDate, Place};
use super::paid::Paid;
use super::{Counts, HeldLine, Outside, Position, Positions, Subject, World, tiers};
use crate::calendar::{Calendar, Cycle};
use crate::domain::frac::Frac;
use crate::facts::settle::{Line, Reference};
use crate::facts::texts;
use crate::scheme::{Applies, MeasuredOver, Returns, Scheme};
use chrono::NaiveDate;
use std::cmp::Ordering;
use std::collections::BTreeSet;

/// One partner's lines as the scheme sees them.
#[derive(Debug)]
pub(super) struct Scene<'e, 'w> {
    pub world: &'e World<'w>,
    pub subject: &'e Subject<'w>,
    /// as `subject.lines`
    pub dates: &'e [LineDate<'e>],
    /// as `subject.lines`
    pub views: &'e [View<'w>],
    pub paid: &'e Paid<'w>,
}

/// A line that counts.
#[derive(Debug)]
pub(super) struct Counted {
    /// index into the subject's lines
    pub line: usize,
    /// index into the position's lines
    pub at: usize,
    /// its date for every rule
    pub rule: NaiveDate,
    /// amount or quantity, as the scheme measures
    pub weight: Frac,
}

/// Every position and what stays outside.
pub(super) fn cycles(scene: &Scene<'_, '_>) -> Positions {
    let (rows, outside) = in_row_order(scene);
    let mut with_rows = rows.chunk_by(|a, b| a.cycle == b.cycle).peekable();
    let mut cycles: BTreeSet<Cycle> = scene.subject.known_cycles.clone();
    cycles.extend(rows.chunk_by(|a, b| a.cycle == b.cycle).map(|rows| rows[0].cycle));
    let mut walk = Walk::new(scene, cycles.first().copied());
    for cycle in cycles {
        walk.carry_to(cycle);
        let rows = with_rows.next_if(|rows| rows[0].cycle == cycle).unwrap_or(&[]);
        walk.position(cycle, rows);
    }
    walk.carry_to(walk.calendar.next(walk.today));
    Positions { positions: walk.positions, outside }
}

/// A line of the partner in a cycle.
#[derive(Debug, Clone, Copy)]
pub(super) struct RowKey {
    cycle: Cycle,
    business: NaiveDate,
    /// index into the subject's lines
    pub line: usize,
}

/// The partner's own lines by cycle, in the order of the papers; and those in no cycle.
fn in_row_order(scene: &Scene<'_, '_>) -> (Vec<RowKey>, Vec<Outside>) {
    let lines = scene.subject.lines;
    let mut rows = Vec::with_capacity(lines.len());
    let mut none = Vec::new();
    for (line, date) in scene.dates.iter().enumerate() {
        if !texts::same(date.partner, scene.subject.partner_code) {
            continue;
        }
        match date.place {
            Place::In(cycle, _) => rows.push(RowKey { cycle, business: date.business, line }),
            Place::Before | Place::After => {
                none.push(RowKey { cycle: Cycle(0), business: date.business, line });
            }
        }
    }
    let by_row = |a: &RowKey, b: &RowKey| {
        let first = a.cycle.cmp(&b.cycle).then(a.business.cmp(&b.business));
        first.then_with(|| document_order(&lines[a.line], &lines[b.line]))
    };
    rows.sort_by(by_row);
    none.sort_by(by_row);
    let outside = none.into_iter().map(|row| Outside {
        line: row.line,
        business_date: row.business,
        counts: scene.views[row.line].counts,
    });
    (rows, outside.collect())
}

/// By document, then line, then arrival.
fn document_order(a: &Line<'_>, b: &Line<'_>) -> Ordering {
    let document = |line: &Line<'_>| (line.space, line.row.doc_type, line.row.number_year);
    texts::order(a.row.invoice_no, b.row.invoice_no)
        .then_with(|| texts::order(a.row.distributor_code, b.row.distributor_code))
        .then_with(|| document(a).cmp(&document(b)))
        .then_with(|| line_order(a.row.line_no, b.row.line_no))
        .then_with(|| (a.rank, a.row.file_line).cmp(&(b.rank, b.row.file_line)))
}

/// Digits in their order as numbers, anything else as text.
fn line_order(a: &str, b: &str) -> Ordering {
    let number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if number(a) && number(b) {
        let (short, long) = (a.trim_start_matches('0'), b.trim_start_matches('0'));
        return short.len().cmp(&long.len()).then_with(|| short.cmp(long)).then_with(|| a.cmp(b));
    }
    number(b).cmp(&number(a)).then_with(|| a.cmp(b))
}

struct Walk<'e, 'w> {
    scene: &'e Scene<'e, 'w>,
    calendar: Calendar,
    /// the cycle of the run's day: up to it a carried shortfall makes a position of its own
    today: Cycle,
    /// the cycle that is next
    at: Cycle,
    /// carried into `at`, and into the cycle before it
    carried: Frac,
    carried_before: Frac,
    /// sums over counting lines of the cycles behind, ascending
    nets: Vec<(Cycle, Frac)>,
    positions: Vec<Position>,
}

impl<'e, 'w> Walk<'e, 'w> {
    fn new(scene: &'e Scene<'e, 'w>, first: Option<Cycle>) -> Self {
        let calendar = scene.world.family.versions[0].calendar;
        let today = calendar.cycle_of(scene.world.today);
        Walk {
            scene,
            calendar,
            today,
            at: first.unwrap_or(today),
            carried: Frac::ZERO,
            carried_before: Frac::ZERO,
            nets: Vec::new(),
            positions: Vec::new(),
        }
    }

    /// Steps through the cycles before `cycle` that have nothing but what is carried.
    fn carry_to(&mut self, cycle: Cycle) {
        while self.at < cycle && !self.carried.is_zero() {
            if self.at <= self.today {
                self.position(self.at, &[]);
            } else {
                self.step(self.at, &Frac::ZERO);
            }
        }
        if self.at < cycle {
            self.carried_before = Frac::ZERO; // what was skipped had nothing carried in
            self.at = cycle;
        }
    }

    /// Leaves a cycle with its sum over counting lines: what it carries goes into the next.
    fn step(&mut self, cycle: Cycle, net: &Frac) {
        let next = self.calendar.next(cycle);
        let measure = net + &self.carried;
        let carries = self
            .scene
            .world
            .family
            .index_for(cycle)
            .is_some_and(|version| self.scheme(version).earn.returns == Returns::ReturnCycle);
        let in_force_next = self.scene.world.family.index_for(next).is_some();
        let carried = if carries && in_force_next && measure.sign().is_lt() { measure } else { Frac::ZERO };
        self.carried_before = std::mem::replace(&mut self.carried, carried);
        self.at = next;
    }

    fn position(&mut self, cycle: Cycle, rows: &[RowKey]) {
        let version = self.version(cycle);
        let scheme = self.scheme(version);
        let opening = Opening {
            cycle,
            version,
            scheme,
            carried: self.carried.clone(),
            tier_before: self.tier_brought_in(scheme, cycle),
            window_before: self.window(scheme, cycle, self.calendar.previous(cycle)),
        };
        let (mut position, net) = cycle::position(self.scene, &opening, rows);
        if !net.is_zero() {
            self.nets.push((cycle, net.clone()));
        }
        self.step(cycle, &net);
        position.wake_on = self.wake_on(cycle, &position);
        self.positions.push(position);
    }

    fn scheme(&self, version: usize) -> &'w Scheme {
        self.scene.world.family.scheme(version)
    }

    /// The version a cycle goes by; a cycle that had a position but is none of the scheme's any more goes by the nearest.
    fn version(&self, cycle: Cycle) -> usize {
        let family = self.scene.world.family;
        family.index_for(cycle).unwrap_or_else(|| {
            let last_day = self.calendar.days(cycle).1;
            family.versions.iter().rposition(|version| version.starts <= last_day).unwrap_or(0)
        })
    }

    /// With `next-cycle`, the tier reached in the cycle before, by its own version; in the scheme's first cycle none.
    fn tier_brought_in(&self, scheme: &Scheme, cycle: Cycle) -> &'w str {
        let family = self.scene.world.family;
        let first = self.calendar.cycle_of(family.versions[0].starts);
        if scheme.applies != Applies::NextCycle || cycle <= first {
            return "";
        }
        let before = self.calendar.previous(cycle);
        let scheme = self.scheme(self.version(before));
        let measure = match scheme.measured_over {
            MeasuredOver::Cycle => &self.net(before) + &self.carried_before,
            MeasuredOver::YearToDate | MeasuredOver::TrailingTwelveMonths => {
                self.window(scheme, before, before)
            }
        };
        tiers::name(scheme, tiers::reached(scheme, &measure))
    }

    fn net(&self, cycle: Cycle) -> Frac {
        self.nets.iter().rev().find(|(of, _)| *of == cycle).map_or(Frac::ZERO, |(_, net)| net.clone())
    }

    /// The part of the tier measure of `cycle` that its window has up to and with the cycle `until`.
    fn window(&self, scheme: &Scheme, cycle: Cycle, until: Cycle) -> Frac {
        let first = match scheme.measured_over {
            MeasuredOver::Cycle => return Frac::ZERO,
            MeasuredOver::YearToDate => self.calendar.year_start(cycle),
            MeasuredOver::TrailingTwelveMonths => Cycle(self.calendar.next(cycle).0 - 12),
        };
        self.nets.iter().filter(|(of, _)| first <= *of && *of <= until).map(|(_, net)| net).sum()
    }

    /// When a position changes though no fact comes.
    fn wake_on(&self, cycle: Cycle, position: &Position) -> Option<NaiveDate> {
        let waits = |counts: Counts| counts == Counts::Held(HeldLine::FutureDate);
        let held = position.lines.iter().filter(|line| waits(line.counts));
        let lines = held.filter_map(|line| self.wakes(line.line)).min();
        let paid = position.lines.iter().filter_map(|line| self.scene.paid.wakes(line.line)).min();
        let carries = cycle == self.today && !self.carried.is_zero();
        let next_cycle = carries.then(|| self.calendar.days(self.at).0);
        lines.into_iter().chain(next_cycle).chain(paid).min()
    }

    /// The next of the days that a line held as `future_date` waits for: its own, or those of the lines it returns.
    fn wakes(&self, line: usize) -> Option<NaiveDate> {
        let returned: &[usize] = match &self.scene.subject.lines[line].reference {
            Reference::Found(returned) => returned,
            Reference::None | Reference::Unknown | Reference::Cancelled => &[],
        };
        std::iter::once(&line)
            .chain(returned)
            .filter_map(|index| self.scene.dates.get(*index))
            .flat_map(|date| [date.business, date.rule])
            .filter(|day| *day > self.scene.world.today)
            .min()
    }
}
