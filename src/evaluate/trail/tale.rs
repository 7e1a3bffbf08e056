//! Each step of the arithmetic told.

use super::Step;
use super::words::{counted, exact, number, rate, sum_of, times_rate};
use crate::domain::frac::{Frac, Rounding};
use crate::domain::points::Points;
use crate::domain::word::same_word;
use crate::evaluate::{Converted, Counts, LineOutcome, Position, slab, tiers};
use crate::facts::settle::Line;
use crate::scheme::{Applies, CapWithin, Measure, MeasuredOver, RoundAt, Scheme, Slab, SlabMode};
use rust_decimal::Decimal;

pub(super) struct Tale<'t> {
    scheme: &'t Scheme,
    position: &'t Position,
    lines: &'t [Line<'t>],
    counting: Vec<&'t LineOutcome>,
    /// sum of the lines' points after step 7
    earned: Frac,
    /// decimals of a measure
    places: u32,
}

impl<'t> Tale<'t> {
    pub fn new(scheme: &'t Scheme, position: &'t Position, lines: &'t [Line<'t>]) -> Tale<'t> {
        let counts = |line: &&LineOutcome| line.counts == Counts::Yes && line.line < lines.len();
        let counting: Vec<&LineOutcome> = position.lines.iter().filter(counts).collect();
        let places = match scheme.earn.measure {
            Measure::Amount => 2,
            Measure::Quantity => 0,
        };
        let earned = counting.iter().map(|line| &line.earned).sum();
        Tale { scheme, position, lines, counting, earned, places }
    }

    fn of_measure(&self, value: &Frac) -> String {
        exact(value, self.places)
    }

    /// Counting lines in another currency, those of one rate together.
    pub fn convert(&self) -> Option<Step> {
        let mut groups: Vec<(&str, Decimal, Frac, Frac, usize)> = Vec::new();
        for outcome in &self.counting {
            let Converted::At(rate) = outcome.converted else { continue };
            let row = &self.lines[outcome.line].row;
            let amount = Frac::from(row.amount);
            match groups.iter_mut().find(|group| group.1 == rate && same_word(group.0, row.currency)) {
                Some((_, _, sum, converted, lines)) => {
                    *sum += &amount;
                    *converted += &outcome.scheme_amount;
                    *lines += 1;
                }
                None => groups.push((row.currency, rate, amount, outcome.scheme_amount.clone(), 1)),
            }
        }
        let terms: Vec<String> = groups
            .iter()
            .map(|(currency, rate, sum, _, lines)| {
                format!("{} {currency} x {} ({})", exact(sum, 2), number(*rate), counted(*lines))
            })
            .collect();
        let converted: Frac = groups.iter().map(|(_, _, _, converted, _)| converted).sum();
        (!terms.is_empty()).then(|| step("convert", sum_of(&terms), exact(&converted, 2)))
    }

    pub fn measure(&self) -> Step {
        let months = self.scheme.calendar.months(self.position.cycle);
        let by_month = months.iter().zip(&self.position.by_month).filter(|(_, sum)| !sum.is_zero());
        let mut terms: Vec<String> = by_month
            .map(|((year, month), sum)| format!("{} ({year:04}-{month:02})", self.of_measure(sum)))
            .collect();
        if !self.position.carried.is_zero() {
            terms.push(format!("{} (carried)", self.of_measure(&self.position.carried)));
        }
        let working = if terms.is_empty() { "no line counts".to_string() } else { sum_of(&terms) };
        let of = format!("{} of {}", self.counting.len(), counted(self.position.lines.len()));
        step("measure", format!("{working}; {of} counting"), self.of_measure(&self.position.measure))
    }

    pub fn slab(&self) -> Step {
        let measure = self.of_measure(&self.position.measure);
        let Some(slab) = self.reached() else {
            let working = match self.scheme.slabs.first() {
                Some(first) if self.position.measure.sign().is_gt() => {
                    format!("{measure} < {}", number(first.from))
                }
                Some(_) | None => format!("{measure} <= 0"),
            };
            return step("slab", working, "none".to_string());
        };
        let until = slab.to.map_or(String::new(), |to| format!(" < {}", number(to)));
        let name = if slab.tier.is_empty() { String::new() } else { format!(", {}", slab.tier) };
        let working = format!("{} <= {measure}{until}", number(slab.from));
        step("slab", working, format!("{}{name}", rate(slab.rate)))
    }

    fn reached(&self) -> Option<&'t Slab> {
        self.scheme.slabs.get(self.position.slab?)
    }

    /// The slabs that steps 4 read: the one reached, or all up to it.
    fn bands(&self) -> &'t [Slab] {
        match (self.position.slab, self.scheme.slab_mode) {
            (Some(index), SlabMode::Whole) => &self.scheme.slabs[index..=index],
            (Some(index), SlabMode::Marginal) => &self.scheme.slabs[..=index],
            (None, SlabMode::Whole | SlabMode::Marginal) => &[],
        }
    }

    pub fn base(&self) -> Option<Step> {
        let slab = self.reached()?;
        let working = match self.scheme.slab_mode {
            SlabMode::Whole => times_rate(&self.of_measure(&self.position.measure), slab.rate),
            SlabMode::Marginal => {
                let bands: Vec<String> = self.bands().iter().map(|slab| self.band(slab)).collect();
                sum_of(&bands)
            }
        };
        Some(step("base", working, exact(&self.position.base, 0)))
    }

    fn band(&self, slab: &Slab) -> String {
        let measure = &self.position.measure;
        let until = slab.to.filter(|to| Frac::from(*to) < *measure);
        let until = until.map_or_else(|| self.of_measure(measure), number);
        let points = times_rate(&format!("({until} - {})", number(slab.from)), slab.rate);
        let band = slab::band(slab, measure);
        match slab.cap {
            Some(cap) if Frac::from(cap) == band => format!("min({points}, {})", number(cap)),
            Some(_) | None => points,
        }
    }

    pub fn fixed(&self) -> Option<Step> {
        let fixed = self.bands().iter().filter(|slab| !slab.fixed.is_zero());
        let terms: Vec<String> =
            fixed.map(|slab| format!("{} (from {})", number(slab.fixed), number(slab.from))).collect();
        (!terms.is_empty()).then(|| step("fixed points", sum_of(&terms), exact(&self.position.fixed, 0)))
    }

    pub fn line_points(&self) -> Option<Step> {
        let position = self.position;
        if self.counting.is_empty() || position.base.is_zero() {
            return None;
        }
        let per_measure = position.base.over(&position.measure)?;
        let each =
            format!("{} / {} for each 1", exact(&position.base, 0), self.of_measure(&position.measure));
        let working = match position.carried.is_zero() {
            true => each,
            false => {
                let share = exact(&position.carried_share, 0);
                format!("{each}; carried: {} x that = {share}", self.of_measure(&position.carried))
            }
        };
        Some(step("line points", working, exact(&per_measure, 0)))
    }

    /// Lines with one factor together: what they had, and what they have.
    pub fn multipliers(&self) -> Option<Step> {
        let mut groups: Vec<(&Frac, Frac, usize)> = Vec::new();
        for line in &self.counting {
            match groups.iter_mut().find(|(factor, _, _)| **factor == line.factor) {
                Some((_, sum, lines)) => {
                    *sum += &line.share;
                    *lines += 1;
                }
                None => groups.push((&line.factor, line.share.clone(), 1)),
            }
        }
        if groups.iter().all(|(factor, _, _)| **factor == Frac::ONE) {
            return None;
        }
        groups.sort_by(|a, b| b.0.cmp(a.0));
        let terms = groups.iter().map(|(factor, sum, lines)| {
            format!("{} x {} ({})", exact(sum, 0), exact(factor, 0), counted(*lines))
        });
        let terms: Vec<String> = terms.collect();
        Some(step("multipliers", sum_of(&terms), exact(&self.multiplied(), 0)))
    }

    fn multiplied(&self) -> Frac {
        let after: Vec<Frac> = self.counting.iter().map(|line| &line.share * &line.factor).collect();
        after.iter().sum()
    }

    /// What the sum of step 10 was before it was cut.
    fn uncut(&self) -> Frac {
        let position = self.position;
        &(&self.earned + &position.carried_share) + &(&position.bonus + &position.fixed)
    }

    /// What step 7 cut.
    fn cut_within(&self) -> Frac {
        &self.position.capped - &(&self.uncut() - &self.position.sum)
    }

    pub fn caps_within(&self) -> Option<Step> {
        let cut = self.cut_within();
        let most = match self.scheme.cap_within? {
            CapWithin::Invoice(most) => format!("at most {} an invoice", number(most)),
            CapWithin::Sku(most) => format!("at most {} a SKU", number(most)),
        };
        if cut.is_zero() {
            return None;
        }
        let before = self.multiplied();
        let working = format!("{} - {}; {most}", exact(&before, 0), exact(&cut, 0));
        Some(step("caps within", working, exact(&(&before - &cut), 0)))
    }

    pub fn rounded_lines(&self) -> Option<Step> {
        let before = &self.multiplied() - &self.cut_within();
        match self.scheme.round_at {
            RoundAt::Cycle => None,
            RoundAt::Line if self.counting.is_empty() => None,
            RoundAt::Line => {
                let working = format!("{}, each line {}", exact(&before, 0), self.rounding());
                Some(step("rounded lines", working, exact(&self.earned, 0)))
            }
        }
    }

    fn rounding(&self) -> String {
        let how = match self.scheme.rounding {
            Rounding::Floor => "floor",
            Rounding::HalfUp => "half-up",
            Rounding::HalfEven => "half-even",
            Rounding::Ceiling => "ceiling",
        };
        format!("rounded {how} to {} decimals", self.scheme.decimals)
    }

    pub fn tier(&self) -> Option<Step> {
        let scheme = self.scheme;
        if scheme.ladder.is_empty() && scheme.slabs.iter().all(|slab| slab.tier.is_empty()) {
            return None;
        }
        let window = match scheme.measured_over {
            MeasuredOver::Cycle => "",
            MeasuredOver::YearToDate => " (year to date)",
            MeasuredOver::TrailingTwelveMonths => " (trailing 12 months)",
        };
        let measure = &self.position.tier_measure;
        let from = tiers::reached(scheme, measure).map(|rung| {
            if scheme.ladder.is_empty() { scheme.slabs[rung].from } else { scheme.ladder[rung].from }
        });
        let reached = from.map_or("reaches none".to_string(), |from| format!(">= {}", number(from)));
        let working = format!("{}{window} {reached}; {}", self.of_measure(measure), self.applies());
        Some(step("tier", working, or_none(&self.position.tier).to_string()))
    }

    fn applies(&self) -> String {
        match self.scheme.applies {
            Applies::Retroactive => "applies to all lines".to_string(),
            Applies::NextCycle => {
                format!("lines have that of the cycle before: {}", or_none(&self.position.tier_applied))
            }
            Applies::FromCrossing => {
                let tiers = std::iter::once("").chain(self.position.line_tiers.iter().map(String::as_str));
                let having = |tier: &str| self.having(tier).count();
                let each = tiers.filter(|tier| having(tier) > 0);
                let each: Vec<String> =
                    each.map(|tier| format!("{} {}", or_none(tier), counted(having(tier)))).collect();
                format!("by day: {}", if each.is_empty() { "no line".to_string() } else { each.join(", ") })
            }
        }
    }

    fn having(&self, tier: &str) -> impl Iterator<Item = &&'t LineOutcome> {
        self.counting.iter().filter(move |line| self.position.tier_of(line) == tier)
    }

    pub fn bonus(&self) -> Option<Step> {
        if self.position.bonus.is_zero() {
            return None;
        }
        let mut terms = Vec::new();
        for bonus in &self.scheme.tier_bonuses {
            let points: Frac = self.having(&bonus.tier).map(|line| &line.earned).sum();
            if !points.is_zero() {
                terms.push(format!("{} x {}% ({})", exact(&points, 0), number(bonus.percent), bonus.tier));
            }
        }
        let mut working = sum_of(&terms);
        match self.scheme.round_at {
            RoundAt::Cycle => (),
            RoundAt::Line => working.push_str(&format!(", each line {}", self.rounding())),
        }
        Some(step("tier bonus", working, exact(&self.position.bonus, 0)))
    }

    pub fn sum(&self) -> Step {
        let position = self.position;
        let mut terms = vec![format!("{} (lines)", exact(&self.earned, 0))];
        let rest =
            [(&position.carried_share, "carried"), (&position.bonus, "bonus"), (&position.fixed, "fixed")];
        let rest = rest.into_iter().filter(|(points, _)| !points.is_zero());
        terms.extend(rest.map(|(points, name)| format!("{} ({name})", exact(points, 0))));
        step("sum", sum_of(&terms), exact(&self.uncut(), 0))
    }

    pub fn caps(&self) -> Option<Step> {
        let uncut = self.uncut();
        if uncut == self.position.sum {
            return None;
        }
        let slab_cap = match self.scheme.slab_mode {
            SlabMode::Whole => self.reached().and_then(|slab| slab.cap),
            SlabMode::Marginal => None,
        };
        let slab_cap = slab_cap.map(|cap| format!("{} (slab)", number(cap)));
        let cycle_cap = self.scheme.cap_per_cycle.map(|cap| format!("{} (cycle)", number(cap)));
        let all: Vec<String> = std::iter::once(exact(&uncut, 0)).chain(slab_cap).chain(cycle_cap).collect();
        Some(step("caps", format!("min({})", all.join(", ")), exact(&self.position.sum, 0)))
    }

    pub fn round(&self) -> Step {
        let working = format!("{} {}", exact(&self.position.sum, 0), self.rounding());
        step("round", working, self.points(self.position.points))
    }

    pub fn limit(&self) -> Option<Step> {
        let held = self.position.held_points;
        if held == Points::ZERO {
            return None;
        }
        let posted = Points(self.position.points.0.saturating_sub(held.0));
        let most =
            self.scheme.limit_accrual.map_or(String::new(), |limit| format!("; at most {}", number(limit)));
        let working = format!("{} - {}{most}", self.points(self.position.points), self.points(posted));
        Some(step("limit", working, format!("{} held", self.points(held))))
    }

    fn points(&self, points: Points) -> String {
        exact(&points.to_frac(), self.scheme.decimals.min(Points::DECIMALS))
    }
}

fn or_none(tier: &str) -> &str {
    if tier.is_empty() { "none" } else { tier }
}

fn step(name: &'static str, working: String, result: String) -> Step {
    Step { name, working, result }
}
