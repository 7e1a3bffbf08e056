//! evaluation.md 3: the arithmetic, for one partner and one cycle, step by step.

use std::collections::BTreeMap;

use chrono::{Duration, Months, NaiveDate};
use num_traits::{One, Signed, Zero};

use super::counting::{self, Line, Verdict};
use super::number::{self, Frac};
use super::rules::{Multiplier, Rules, Scheme};
use super::time::Cycle;

/// What a partner has earned for a cycle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    pub measure: Frac,
    pub carried: Frac,
    pub base: Frac,
    pub points: Frac,
    pub held: Frac,
    pub tier: Option<String>,
    /// Points of steps 7 and 9 by line, in the order of the lines given.
    pub lines: Vec<Frac>,
}

/// One partner in one scheme: all lines of the partner, and the scheme's versions.
pub struct Partner<'a> {
    pub rules: &'a Rules,
    pub lines: Vec<&'a Line>,
}

impl Partner<'_> {
    fn scheme(&self, cycle: &Cycle) -> &Scheme {
        self.rules.of_cycle(cycle)
    }

    /// The counting lines of a cycle.
    pub fn counting(&self, cycle: &Cycle) -> Vec<&Line> {
        let of_cycle = |l: &&&Line| l.cycle == *cycle && l.verdict == Verdict::Counts;
        self.lines.iter().filter(of_cycle).copied().collect()
    }

    fn before(&self, cycle: &Cycle) -> Option<Cycle> {
        let calendar = &self.rules.first().calendar;
        let first = calendar.cycle_of(self.rules.first().starts);
        (cycle.first > first.first).then(|| calendar.cycle_of(cycle.first - Duration::days(1)))
    }

    /// The sum over the counting lines of a cycle, by its own version, without what was carried.
    fn sum(&self, cycle: &Cycle) -> Frac {
        let scheme = self.scheme(cycle);
        self.counting(cycle).iter().map(|l| share_of_measure(l, scheme)).fold(Frac::zero(), |a, b| a + b)
    }

    /// Step 2: a shortfall of the cycle before, with return-cycle.
    fn carried(&self, cycle: &Cycle) -> Frac {
        let Some(before) = self.before(cycle) else { return Frac::zero() };
        if self.scheme(&before).returns_at_original {
            return Frac::zero();
        }
        (self.sum(&before) + self.carried(&before)).min(Frac::zero())
    }

    /// The sum of the cycles of the tier window that come before this one.
    fn window_before(&self, cycle: &Cycle) -> Frac {
        let scheme = self.scheme(cycle);
        let first = match scheme.tier_window.as_str() {
            "cycle" => return self.carried(cycle),
            "year-to-date" => scheme.calendar.year_first(cycle.first),
            "trailing-12-months" => cycle.last + Duration::days(1) - Months::new(12),
            other => panic!("no tier is measured over {other}"),
        };
        let mut sum = Frac::zero();
        let mut at = cycle.clone();
        while let Some(before) = self.before(&at) {
            if before.first < first {
                break;
            }
            sum += self.sum(&before);
            at = before;
        }
        sum
    }

    /// The tier reached by the end of a cycle.
    pub fn tier_reached(&self, cycle: &Cycle) -> Option<String> {
        tier_at(&(self.window_before(cycle) + self.sum(cycle)), self.scheme(cycle))
    }

    /// Step 8: the tier that a line of that date has.
    fn tier_of(&self, cycle: &Cycle, date: NaiveDate) -> Option<String> {
        let scheme = self.scheme(cycle);
        match scheme.tier_applies.as_str() {
            "retroactive" => self.tier_reached(cycle),
            "next-cycle" => self.before(cycle).and_then(|before| self.tier_reached(&before)),
            "from-crossing" => {
                let mut best: Option<Frac> = None;
                let mut day = cycle.first;
                while day <= date {
                    let standing = self.window_before(cycle) + self.sum_through(cycle, day);
                    best = Some(best.map_or(standing.clone(), |b| b.max(standing)));
                    day += Duration::days(1);
                }
                best.and_then(|best| tier_at(&best, scheme))
            }
            other => panic!("no tier applies {other}"),
        }
    }

    fn sum_through(&self, cycle: &Cycle, day: NaiveDate) -> Frac {
        let scheme = self.scheme(cycle);
        let lines = self.counting(cycle).into_iter().filter(|l| l.date <= day);
        lines.map(|l| share_of_measure(l, scheme)).fold(Frac::zero(), |a, b| a + b)
    }

    /// Steps 2 to 12.
    pub fn position(&self, cycle: &Cycle) -> Position {
        let scheme = self.scheme(cycle);
        let lines = self.counting(cycle);
        let carried = self.carried(cycle);
        let measure = self.sum(cycle) + &carried;
        let tier = self.tier_reached(cycle);
        if !measure.is_positive() {
            let zero = Frac::zero;
            let lines = vec![zero(); lines.len()];
            return Position { measure, carried, base: zero(), points: zero(), held: zero(), tier, lines };
        }
        let base = base(&measure, scheme);
        let tiers = self.tiers(cycle, &lines);
        let mut points: Vec<Frac> = lines
            .iter()
            .zip(&tiers)
            .map(|(line, tier)| {
                &base * share_of_measure(line, scheme) / &measure * factor(line, tier.as_deref(), scheme)
            })
            .collect();
        cut(&mut points, &lines, scheme);
        if scheme.round_lines {
            points.iter_mut().for_each(|p| *p = rounded(p, scheme));
        }
        for (points, tier) in points.iter_mut().zip(&tiers) {
            *points += bonus(points, tier.as_deref(), scheme);
        }
        let from_carried = &base * &carried / &measure;
        let sum = points.iter().fold(from_carried + fixed(&measure, scheme), |a, b| a + b);
        let points_due = rounded(&capped(sum, &measure, scheme), scheme);
        let due = scheme.limit.clone().map_or(points_due.clone(), |limit| points_due.clone().min(limit));
        Position { held: points_due - &due, points: due, measure, carried, base, tier, lines: points }
    }

    /// The tier of each line, worked out once a date.
    fn tiers(&self, cycle: &Cycle, lines: &[&Line]) -> Vec<Option<String>> {
        let mut by_date: BTreeMap<NaiveDate, Option<String>> = BTreeMap::new();
        for line in lines {
            by_date.entry(line.date).or_insert_with(|| self.tier_of(cycle, line.date));
        }
        lines.iter().map(|l| by_date[&l.date].clone()).collect()
    }
}

fn share_of_measure(line: &Line, scheme: &Scheme) -> Frac {
    if scheme.by_quantity { line.quantity.clone() } else { line.amount.clone() }
}

fn rounded(x: &Frac, scheme: &Scheme) -> Frac {
    number::round(x, &scheme.rounding, scheme.decimals)
}

/// The place of the slab with `from <= M < to`.
fn slab(measure: &Frac, scheme: &Scheme) -> Option<usize> {
    scheme.slabs.iter().position(|s| s.from <= *measure && s.to.as_ref().is_none_or(|to| measure < to))
}

/// Step 4.
fn base(measure: &Frac, scheme: &Scheme) -> Frac {
    if !scheme.marginal {
        return slab(measure, scheme).map_or_else(Frac::zero, |i| scheme.slabs[i].rate.of(measure));
    }
    let mut base = Frac::zero();
    for slab in scheme.slabs.iter().filter(|s| s.from <= *measure) {
        let to = slab.to.clone().map_or(measure.clone(), |to| to.min(measure.clone()));
        let band = slab.rate.of(&(to - &slab.from));
        base += slab.cap.clone().map_or(band.clone(), |cap| band.min(cap));
    }
    base
}

/// Fixed points of step 4.
fn fixed(measure: &Frac, scheme: &Scheme) -> Frac {
    if scheme.marginal {
        let reached = scheme.slabs.iter().filter(|s| s.from <= *measure);
        return reached.fold(Frac::zero(), |sum, s| sum + &s.points);
    }
    slab(measure, scheme).map_or_else(Frac::zero, |i| scheme.slabs[i].points.clone())
}

/// Step 6.
fn factor(line: &Line, tier: Option<&str>, scheme: &Scheme) -> Frac {
    let matching = scheme.multipliers.iter().filter(|m| applies(m, line, tier)).map(|m| m.factor.clone());
    if scheme.multiply_all {
        matching.fold(Frac::one(), |a, b| a * b)
    } else {
        matching.max().unwrap_or_else(Frac::one)
    }
}

fn applies(m: &Multiplier, line: &Line, tier: Option<&str>) -> bool {
    (m.skus.is_empty() || counting::matches(&m.skus, &line.sku))
        && (m.categories.is_empty() || counting::matches(&m.categories, &line.category))
        && (m.channels.is_empty() || m.channels.iter().any(|c| counting::same(c, &line.channel)))
        && (m.tiers.is_empty() || tier.is_some_and(|t| m.tiers.iter().any(|x| x == t)))
        && m.from.is_none_or(|from| from <= line.date)
        && m.to.is_none_or(|to| line.date <= to)
}

/// Step 7.
fn cut(points: &mut [Frac], lines: &[&Line], scheme: &Scheme) {
    let group = |line: &Line| match (&scheme.cap_invoice, &scheme.cap_sku) {
        (Some(cap), _) => Some((format!("{:?}", line.invoice), cap.clone())),
        (None, Some(cap)) if !line.sku.is_empty() => Some((line.sku.to_lowercase(), cap.clone())),
        (None, _) => None,
    };
    let groups: Vec<_> = lines.iter().map(|l| group(l)).collect();
    let mut sums: BTreeMap<String, Frac> = BTreeMap::new();
    for (group, points) in groups.iter().zip(points.iter()) {
        if let Some((name, _)) = group {
            *sums.entry(name.clone()).or_insert_with(Frac::zero) += points;
        }
    }
    for (group, points) in groups.iter().zip(points) {
        if let Some((name, cap)) = group
            && sums[name] > *cap
        {
            *points = &*points * cap / &sums[name];
        }
    }
}

/// Step 8: the highest named level that a tier measure reaches.
fn tier_at(measure: &Frac, scheme: &Scheme) -> Option<String> {
    if !scheme.ladder.is_empty() {
        let reached = scheme.ladder.iter().filter(|(_, from)| from <= measure);
        return reached.max_by(|a, b| a.1.cmp(&b.1)).map(|(name, _)| name.clone());
    }
    let reached =
        scheme.slabs.iter().filter(|s| measure.is_positive() && s.from <= *measure && s.tier.is_some());
    reached.max_by(|a, b| a.from.cmp(&b.from)).and_then(|s| s.tier.clone())
}

/// Step 9, rounded by the line where lines are rounded.
fn bonus(points: &Frac, tier: Option<&str>, scheme: &Scheme) -> Frac {
    let percent = scheme.bonuses.iter().filter(|(name, _)| Some(name.as_str()) == tier).map(|(_, p)| p);
    let bonus = percent.fold(Frac::zero(), |sum, p| sum + points * p);
    if scheme.round_lines { rounded(&bonus, scheme) } else { bonus }
}

/// The cuts of step 10.
fn capped(sum: Frac, measure: &Frac, scheme: &Scheme) -> Frac {
    let slab_cap =
        slab(measure, scheme).and_then(|i| scheme.slabs[i].cap.clone()).filter(|_| !scheme.marginal);
    let sum = slab_cap.map_or(sum.clone(), |cap| sum.min(cap));
    scheme.cap_cycle.clone().map_or(sum.clone(), |cap| sum.min(cap))
}
