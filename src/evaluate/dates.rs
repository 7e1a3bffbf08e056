//! Which day a line counts for, and which cycle that is in: evaluation.md 1.4 to 1.6.

use super::{Subject, World};
use crate::calendar::{Cycle, business_date};
use crate::domain::when::When;
use crate::facts::settle::{Line, Reference};
use crate::scheme::{Family, Returns};
use chrono::NaiveDate;

/// Where a date falls in the life of a scheme.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// before its first version
    Before,
    /// in a cycle, by the version (index) that the cycle goes by
    In(Cycle, usize),
    /// after its last version
    After,
}

/// The days of a line.
#[derive(Debug, Clone, Copy)]
pub(super) struct LineDate<'d> {
    /// its own
    pub business: NaiveDate,
    /// for every rule: that of the lines it returns, under `original-cycle`
    pub rule: NaiveDate,
    /// where `rule` falls
    pub place: Place,
    /// whose it is
    pub partner: &'d str,
}

/// The days of every line, in the order of `subject.lines`.
pub(super) fn of_lines<'d>(world: &World<'_>, subject: &Subject<'d>) -> Vec<LineDate<'d>> {
    let family = world.family;
    let mut spans = Vec::new();
    let mut dates: Vec<LineDate<'d>> = subject
        .lines
        .iter()
        .map(|line| {
            let business = world.business_date(line.row.when);
            let place = placed(family, business, &mut spans);
            LineDate { business, rule: business, place, partner: line.row.partner_code }
        })
        .collect();
    for (index, line) in subject.lines.iter().enumerate() {
        if let Some(earliest) = returned_date(line, &dates)
            && returns_policy(family, dates[index].business) == Returns::OriginalCycle
        {
            dates[index].rule = earliest;
            if let Some(partner) = meant_on(subject, line, earliest) {
                dates[index].partner = partner;
            }
            dates[index].place = placed(family, earliest, &mut spans);
        }
    }
    dates
}

pub(super) fn business(world: &World<'_>, when: When) -> NaiveDate {
    let Some(first) = world.family.versions.first() else { return when.written_day() };
    // all versions share zone and day_closes_at
    if world.zone.zone() == first.timezone {
        world.zone.business_date(when, first.day_closes_at)
    } else {
        business_date(when, first.timezone, first.day_closes_at)
    }
}

/// A local code that has come to mean another partner since the sale: its return is of whom it meant then.
fn meant_on<'s>(subject: &Subject<'s>, line: &Line<'_>, day: NaiveDate) -> Option<&'s str> {
    subject.called?.partner((line.seq, line.row.file_line), line.row.distributor_code, day)
}

/// The earliest business date among the lines that a credit note returns.
fn returned_date(line: &Line<'_>, dates: &[LineDate<'_>]) -> Option<NaiveDate> {
    match &line.reference {
        Reference::Found(returned) => {
            returned.iter().filter_map(|index| dates.get(*index)).map(|date| date.business).min()
        }
        Reference::None | Reference::Unknown | Reference::Cancelled => None,
    }
}

/// Versions of a scheme can differ in `returns`: the one that the cycle of the note's own date goes by decides (outside the
/// scheme's life the nearest), so that a change speaks from its first day on and moves nothing that was returned before.
fn returns_policy(family: &Family, own: NaiveDate) -> Returns {
    let version = match place(family, own) {
        Place::In(_, version) => version,
        Place::Before => 0,
        Place::After => family.versions.len() - 1,
    };
    family.scheme(version).earn.returns
}

/// A cycle that one version fills: first and last day, and the place of every day between.
type Span = (NaiveDate, NaiveDate, Place);

/// [`place`], remembering the cycles met: a partner's lines are of few.
fn placed(family: &Family, day: NaiveDate, spans: &mut Vec<Span>) -> Place {
    if let Some((_, _, place)) = spans.iter().find(|(first, end, _)| *first <= day && day <= *end) {
        return *place;
    }
    let place = place(family, day);
    if let Place::In(cycle, version) = place {
        let version = family.scheme(version);
        let (first, end) = version.calendar.days(cycle);
        // only where one version fills the cycle is every day of it in force for sure
        if version.is_in_force_on(first) && version.is_in_force_on(end) {
            spans.push((first, end, place));
        }
    }
    place
}

fn place(family: &Family, day: NaiveDate) -> Place {
    let first = &family.versions[0];
    let cycle = first.calendar.cycle_of(day);
    match family.index_for(cycle) {
        Some(version) if family.is_in_force_on(day) => Place::In(cycle, version),
        Some(_) | None if day < first.starts => Place::Before,
        Some(_) | None => Place::After,
    }
}
