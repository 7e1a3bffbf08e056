//! The arithmetic of one partner and one cycle, step by step: evaluation.md 3.

use super::multiply::{Traits, factor};
use super::share_out;
use super::tiers::{self, LineTiers, Standing};
use super::walk::{Counted, RowKey, Scene};
use super::{Counts, LineOutcome, Missing, Position, WhyNot, caps, slab};
use crate::calendar::Cycle;
use crate::domain::frac::{Frac, Rounding};
use crate::domain::points::Points;
use crate::domain::when::{ClockNote, When};
use crate::facts::settle::{Line, Reference};
use crate::scheme::{Measure, MeasuredOver, RoundAt, Scheme, SlabMode};

/// What a cycle begins with.
#[derive(Debug)]
pub(super) struct Opening<'w> {
    pub cycle: Cycle,
    /// index of the version it goes by
    pub version: usize,
    pub scheme: &'w Scheme,
    /// carried in, zero or negative
    pub carried: Frac,
    /// the tier reached in the cycle before, empty for none
    pub tier_before: &'w str,
    /// sum over counting lines of the earlier cycles in the tier measure's window
    pub window_before: Frac,
}

/// The position, and the sum over its counting lines. `wake_on` is left to the caller.
pub(super) fn position(scene: &Scene<'_, '_>, opening: &Opening<'_>, rows: &[RowKey]) -> (Position, Frac) {
    let scheme = opening.scheme;
    let mut lines: Vec<LineOutcome> = rows.iter().map(|row| outcome(scene, row.line)).collect();
    let counted = counting(scene, scheme, &lines);
    let by_month = by_month(opening, &counted);
    let net: Frac = by_month.iter().sum();
    let measure = &net + &opening.carried;
    let reached = slab::reached(scheme, &measure);

    let tier_measure = match scheme.measured_over {
        MeasuredOver::Cycle => measure.clone(),
        MeasuredOver::YearToDate | MeasuredOver::TrailingTwelveMonths => &opening.window_before + &net,
    };
    let tier = tiers::reached(scheme, &tier_measure);
    let line_tiers = tiers::of_lines(&Standing {
        scheme,
        reached: tier,
        before: opening.tier_before,
        opening: &tier_measure - &net,
        first_day: scheme.calendar.days(opening.cycle).0,
        counted: &counted,
    });

    let mut points = shares(&mut lines, &counted, &reached.per_measure);
    let multiplied = multiply(scene, scheme, &mut lines, &counted, &line_tiers, &mut points);
    let cut_within = match scheme.cap_within {
        Some(cap) => caps::within(cap, scene.subject.lines, &counted, &mut points),
        None => Frac::ZERO,
    };
    round_lines(scheme, &mut points);
    let bonus = bonuses(scheme, &mut lines, &counted, &line_tiers, &points);

    let carried_share = &opening.carried * &reached.per_measure;
    let earned: Frac = points.iter().sum();
    let uncut = &(&earned + &carried_share) + &(&bonus + &reached.fixed);
    let sum = cut(scheme, reached.slab, &uncut);
    let due = Due::of(scheme, &sum);
    let capped = &cut_within + &(&uncut - &sum);
    finish_lines(&mut lines, &counted, points, &due, scheme);
    let missing = missing(scene, scheme, &lines);

    let position = Position {
        cycle: opening.cycle,
        version: opening.version,
        lines,
        missing,
        line_tiers: line_tiers.names.iter().map(|name| (*name).to_string()).collect(),
        by_month,
        carried: opening.carried.clone(),
        slab: reached.slab,
        base: reached.base,
        carried_share,
        fixed: reached.fixed,
        multiplied,
        capped,
        bonus,
        sum,
        tier: tiers::name(scheme, tier).to_string(),
        tier_applied: line_tiers.applied.to_string(),
        next_tier: tiers::next(scheme, &tier_measure),
        next_slab: slab::next_slab(scheme, &measure),
        measure,
        tier_measure,
        points: due.points,
        held_points: due.held,
        wake_on: None,
    };
    (position, net)
}

/// What is missing of lines that are not paid.
fn missing(scene: &Scene<'_, '_>, scheme: &Scheme, lines: &[LineOutcome]) -> Vec<Missing> {
    let unpaid = lines.iter().enumerate().filter(|(_, line)| line.counts == Counts::No(WhyNot::Unpaid));
    unpaid
        .filter_map(|(at, line)| {
            let missing = scene.paid.missing(scheme, line.line, &scene.subject.lines[line.line])?;
            Some(Missing { at, ..missing })
        })
        .collect()
}

/// A line before the arithmetic.
fn outcome(scene: &Scene<'_, '_>, line: usize) -> LineOutcome {
    let view = &scene.views[line];
    LineOutcome {
        line,
        business_date: scene.dates[line].business,
        rule_date: scene.dates[line].rule,
        counts: view.counts,
        notes: notes(&scene.subject.lines[line]),
        scheme_amount: view.scheme_amount.clone(),
        converted: view.converted,
        share: Frac::ZERO,
        factor: Frac::ONE,
        earned: Frac::ZERO,
        bonus: Frac::ZERO,
        tier: None,
        points: Points::ZERO,
    }
}

fn notes(line: &Line<'_>) -> Vec<&'static str> {
    let unknown = (line.reference == Reference::Unknown).then_some("unknown_ref");
    let clock = match line.row.when {
        When::Day(_) | When::At { clock: ClockNote::Plain, .. } => None,
        When::At { clock: ClockNote::Repeated, .. } => Some("clock_repeated"),
        When::At { clock: ClockNote::Skipped, .. } => Some("clock_skipped"),
    };
    unknown.into_iter().chain(clock).collect()
}

fn counting(scene: &Scene<'_, '_>, scheme: &Scheme, lines: &[LineOutcome]) -> Vec<Counted> {
    let counts = lines.iter().enumerate().filter(|(_, line)| line.counts == Counts::Yes);
    counts
        .map(|(at, line)| Counted {
            line: line.line,
            at,
            rule: line.rule_date,
            weight: match scheme.earn.measure {
                Measure::Amount => line.scheme_amount.clone(),
                Measure::Quantity => Frac::from(scene.subject.lines[line.line].row.quantity),
            },
        })
        .collect()
}

/// Step 2, month by month.
fn by_month(opening: &Opening<'_>, counted: &[Counted]) -> Vec<Frac> {
    let calendar = opening.scheme.calendar;
    let mut months = vec![Frac::ZERO; calendar.length.months().unsigned_abs() as usize];
    for line in counted {
        if let Some(month) = months.get_mut(calendar.month_within(opening.cycle, line.rule)) {
            *month += &line.weight;
        }
    }
    months
}

/// Step 5.
fn shares(lines: &mut [LineOutcome], counted: &[Counted], per_measure: &Frac) -> Vec<Frac> {
    counted
        .iter()
        .map(|line| {
            let share = &line.weight * per_measure;
            lines[line.at].share = share.clone();
            share
        })
        .collect()
}

/// Step 6 (and the tier of each line): gives what the factors added.
fn multiply(
    scene: &Scene<'_, '_>,
    scheme: &Scheme,
    lines: &mut [LineOutcome],
    counted: &[Counted],
    line_tiers: &LineTiers<'_>,
    points: &mut [Frac],
) -> Frac {
    let mut added = Frac::ZERO;
    for (index, line) in counted.iter().enumerate() {
        let tier = line_tiers.of_line[index];
        lines[line.at].tier = tier;
        if scheme.multipliers.is_empty() {
            continue;
        }
        let view = &scene.views[line.line];
        let traits = Traits {
            sku: scene.subject.lines[line.line].row.sku,
            category: view.category,
            channel: view.channel,
            tier: tier.map_or("", |tier| line_tiers.names[usize::from(tier)]),
            date: line.rule,
        };
        if let Some(factor) = factor(scheme, &traits) {
            let after = &points[index] * &factor;
            added += &(&after - &points[index]);
            points[index] = after;
            lines[line.at].factor = factor;
        }
    }
    added
}

/// `round_at = "line"`: each line's points after step 7.
fn round_lines(scheme: &Scheme, points: &mut [Frac]) {
    match scheme.round_at {
        RoundAt::Cycle => (),
        RoundAt::Line => {
            for one in points {
                *one = one.rounded(decimals(scheme), scheme.rounding);
            }
        }
    }
}

/// Step 9: the sum of the bonuses.
fn bonuses(
    scheme: &Scheme,
    lines: &mut [LineOutcome],
    counted: &[Counted],
    line_tiers: &LineTiers<'_>,
    points: &[Frac],
) -> Frac {
    let proportions: Vec<Frac> = line_tiers.names.iter().map(|name| bonus_of(scheme, name)).collect();
    let mut sum = Frac::ZERO;
    if proportions.iter().all(Frac::is_zero) {
        return sum;
    }
    for (index, line) in counted.iter().enumerate() {
        let Some(tier) = line_tiers.of_line[index] else { continue };
        let exact = &points[index] * &proportions[usize::from(tier)];
        let bonus = match scheme.round_at {
            RoundAt::Cycle => exact,
            RoundAt::Line => exact.rounded(decimals(scheme), scheme.rounding),
        };
        sum += &bonus;
        lines[line.at].bonus = bonus;
    }
    sum
}

/// A tier's bonus as a proportion: 20% is 1/5.
fn bonus_of(scheme: &Scheme, tier: &str) -> Frac {
    let mine = scheme.tier_bonuses.iter().filter(|bonus| bonus.tier == tier);
    let percents = mine.fold(Frac::ZERO, |sum, bonus| &sum + &Frac::from(bonus.percent));
    percents.over(&Frac::from(100i64)).unwrap_or_default().reduced()
}

/// Step 10: to the slab's cap (whole mode), then to the cycle's.
fn cut(scheme: &Scheme, reached: Option<usize>, sum: &Frac) -> Frac {
    let slab_cap = match scheme.slab_mode {
        SlabMode::Whole => reached.and_then(|index| scheme.slabs[index].cap),
        SlabMode::Marginal => None,
    };
    let caps = slab_cap.into_iter().chain(scheme.cap_per_cycle).map(Frac::from);
    caps.fold(sum.clone(), |sum, cap| if cap < sum { cap } else { sum })
}

/// Decimals of a point; the ledger has six.
fn decimals(scheme: &Scheme) -> u32 {
    scheme.decimals.min(Points::DECIMALS)
}

/// Steps 11 and 12.
struct Due {
    units: i128,
    points: Points,
    held: Points,
}

impl Due {
    fn of(scheme: &Scheme, sum: &Frac) -> Due {
        let decimals = decimals(scheme);
        let exact = sum.units(decimals, scheme.rounding);
        match exact.and_then(|units| Some((units, Points::from_units(units, decimals)?))) {
            Some((units, points)) => {
                // a limit between two units lets the lower one through
                let limit =
                    scheme.limit_accrual.and_then(|limit| Frac::from(limit).units(decimals, Rounding::Floor));
                let over = limit.map_or(0, |limit| (units.saturating_sub(limit)).max(0));
                Due { units, points, held: Points::from_units(over, decimals).unwrap_or(points) }
            }
            None => Due::beyond_the_ledger(sum, decimals),
        }
    }

    /// Nobody earns this much: it stands at the most that the ledger can hold, and all of it waits.
    fn beyond_the_ledger(sum: &Frac, decimals: u32) -> Due {
        let most = i128::from(i64::MAX) / 10i128.pow(Points::DECIMALS - decimals);
        let units = if sum.sign().is_lt() { -most } else { most };
        let points = Points::from_units(units, decimals).unwrap_or_default();
        Due { units, points, held: points }
    }
}

/// Gives each counting line its points and its part of the total.
fn finish_lines(
    lines: &mut [LineOutcome],
    counted: &[Counted],
    points: Vec<Frac>,
    due: &Due,
    scheme: &Scheme,
) {
    let with_bonus: Vec<Frac>;
    let own = if counted.iter().all(|line| lines[line.at].bonus.is_zero()) {
        &points
    } else {
        with_bonus =
            counted.iter().zip(&points).map(|(line, earned)| earned + &lines[line.at].bonus).collect();
        &with_bonus
    };
    let weights = counted.iter().map(|line| &line.weight);
    let units = share_out::units(own, weights, due.units, decimals(scheme));
    let held =
        units.iter().map(|units| Points::from_units(*units, decimals(scheme))).collect::<Option<Vec<_>>>();
    // lines that no ledger can hold: only their sum is, on the first of them
    let first =
        || std::iter::once(due.points).chain(std::iter::repeat(Points::ZERO)).take(units.len()).collect();
    let held: Vec<Points> = held.unwrap_or_else(first);
    for ((line, earned), points) in counted.iter().zip(points).zip(held) {
        lines[line.at].earned = earned;
        lines[line.at].points = points;
    }
}
