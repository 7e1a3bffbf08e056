//! The slab reached, the base and the fixed points: evaluation.md 3, steps 3 and 4.

use crate::domain::frac::Frac;
use crate::scheme::{Rate, Scheme, Slab, SlabMode};

/// What steps 3 and 4 make of a measure.
#[derive(Debug)]
pub(super) struct Reached {
    /// index of the slab; `None` below the first
    pub slab: Option<usize>,
    /// `B`
    pub base: Frac,
    /// `B / M`, by which step 5 shares the base out; zero where nothing is earned
    pub per_measure: Frac,
    /// belongs to no line
    pub fixed: Frac,
}

/// Steps 3 and 4. A measure of zero or less reaches no slab.
pub(super) fn reached(scheme: &Scheme, measure: &Frac) -> Reached {
    match slab_of(scheme, measure) {
        None => Reached { slab: None, base: Frac::ZERO, per_measure: Frac::ZERO, fixed: Frac::ZERO },
        Some(index) => match scheme.slab_mode {
            SlabMode::Whole => whole(&scheme.slabs[index], index, measure),
            SlabMode::Marginal => marginal(&scheme.slabs, index, measure),
        },
    }
}

/// The slab that a measure is in.
pub(super) fn slab_of(scheme: &Scheme, measure: &Frac) -> Option<usize> {
    if measure.sign().is_le() {
        return None;
    }
    scheme.slabs.iter().rposition(|slab| Frac::from(slab.from) <= *measure)
}

/// The next slab above a measure, with what is missing.
pub(super) fn next_slab(scheme: &Scheme, measure: &Frac) -> Option<(usize, Frac)> {
    let next = slab_of(scheme, measure).map_or(0, |index| index + 1);
    let from = Frac::from(scheme.slabs.get(next)?.from);
    Some((next, &from - measure))
}

fn whole(slab: &Slab, index: usize, measure: &Frac) -> Reached {
    let fixed = Frac::from(slab.fixed);
    if let Some(rate) = proportion(slab.rate) {
        return Reached { slab: Some(index), base: measure * &rate, per_measure: rate, fixed };
    }
    spread(index, points_of(slab.rate, measure), fixed, measure)
}

fn marginal(slabs: &[Slab], index: usize, measure: &Frac) -> Reached {
    let mut base = Frac::ZERO;
    let mut fixed = Frac::ZERO;
    for slab in &slabs[..=index] {
        base += &band(slab, measure);
        fixed += &Frac::from(slab.fixed);
    }
    spread(index, base, fixed, measure)
}

/// What one band earns of a measure that reaches it: at most the slab's cap.
pub(super) fn band(slab: &Slab, measure: &Frac) -> Frac {
    let from = Frac::from(slab.from);
    let until = slab.to.map(Frac::from).filter(|to| to < measure);
    let points = points_of(slab.rate, &(until.as_ref().unwrap_or(measure) - &from));
    slab.cap.map(Frac::from).filter(|cap| *cap < points).unwrap_or(points)
}

fn spread(index: usize, base: Frac, fixed: Frac, measure: &Frac) -> Reached {
    let per_measure = base.over(measure).map_or(Frac::ZERO, Frac::reduced);
    Reached { slab: Some(index), base, per_measure, fixed }
}

fn proportion(rate: Option<Rate>) -> Option<Frac> {
    match rate {
        None => Some(Frac::ZERO),
        Some(Rate::Proportion { points, per }) => Frac::from(points).over(&Frac::from(per)),
        Some(Rate::PerFull { .. }) => None,
    }
}

/// What a measure, or a band of it, earns at a rate.
pub(super) fn points_of(rate: Option<Rate>, of: &Frac) -> Frac {
    match rate {
        None => Frac::ZERO,
        Some(Rate::Proportion { .. }) => proportion(rate).map_or(Frac::ZERO, |rate| of * &rate),
        Some(Rate::PerFull { points, per }) => {
            let steps = of.over(&Frac::from(per)).map_or(Frac::ZERO, |steps| steps.floor());
            &steps * &Frac::from(points)
        }
    }
}
