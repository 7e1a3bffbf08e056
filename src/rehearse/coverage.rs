//! Which slab edges, tiers and caps no example touches.
//!
//! A slab edge is touched by an example whose measure comes within one unit of it (a rupee, a piece), on either side: that is
//! where a rule is mistaken. A tier is touched by an example that reaches it. A cap or limit is touched by an example that
//! would have more points without it.

use super::sheet::Sheet;
use crate::domain::frac::Frac;
use crate::domain::points::Points;
use crate::evaluate::Position;
use crate::scheme::{CapWithin, Family, Scheme};
use rust_decimal::Decimal;

/// A part of a scheme file that no example touches.
#[derive(Debug, Clone, PartialEq)]
pub struct Untouched<'f> {
    /// the file
    pub scheme: &'f Scheme,
    /// what of it
    pub part: Part,
}

/// A part of the rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// the `from` of a slab
    Edge(Decimal),
    /// a tier, by name
    Tier(String),
    /// `cap` of the slab from here on
    SlabCap {
        /// where the slab begins
        from: Decimal,
        /// most points
        cap: Decimal,
    },
    /// `[cap] per_cycle`
    PerCycle(Decimal),
    /// `[cap] per_invoice`
    PerInvoice(Decimal),
    /// `[cap] per_sku`
    PerSku(Decimal),
    /// `[limits] accrual`
    Limit(Decimal),
}

/// Everything of every version that none of the sheets touches.
pub(super) fn untouched<'f>(family: &'f Family, sheets: &[Sheet]) -> Vec<Untouched<'f>> {
    let positions: Vec<Option<Position>> =
        sheets.iter().map(|sheet| sheet.play(family, |played| played.position.cloned())).collect();
    let mut found = Vec::new();
    for (version, scheme) in family.versions.iter().enumerate() {
        let of_version = || positions.iter().flatten().filter(|position| position.version == version);
        for part in parts(scheme) {
            let touched = match &part {
                Part::Edge(from) => of_version().any(|position| near(&position.measure, *from)),
                Part::Tier(name) => of_version().any(|position| position.tier == *name),
                Part::Limit(_) => of_version().any(|position| position.held_points != Points::ZERO),
                Part::SlabCap { .. } | Part::PerCycle(_) | Part::PerInvoice(_) | Part::PerSku(_) => {
                    let without = without(family, version, &part);
                    sheets.iter().zip(&positions).any(|(sheet, position)| {
                        position.as_ref().is_some_and(|position| {
                            position.version == version && cuts(sheet, position, &without)
                        })
                    })
                }
            };
            if !touched {
                found.push(Untouched { scheme, part });
            }
        }
    }
    found
}

/// In the order in which they are told.
fn parts(scheme: &Scheme) -> Vec<Part> {
    let edges = scheme.slabs.iter().filter(|slab| !slab.from.is_zero()).map(|slab| Part::Edge(slab.from));
    let mut parts: Vec<Part> = edges.collect();
    let of_slabs = scheme.slabs.iter().map(|slab| &slab.tier).filter(|tier| !tier.is_empty());
    for tier in of_slabs.chain(scheme.ladder.iter().map(|level| &level.name)) {
        let part = Part::Tier(tier.clone());
        if !parts.contains(&part) {
            parts.push(part);
        }
    }
    let slab_caps =
        scheme.slabs.iter().filter_map(|slab| Some(Part::SlabCap { from: slab.from, cap: slab.cap? }));
    parts.extend(slab_caps);
    parts.extend(scheme.cap_per_cycle.map(Part::PerCycle));
    parts.extend(scheme.cap_within.map(|cap| match cap {
        CapWithin::Invoice(cap) => Part::PerInvoice(cap),
        CapWithin::Sku(cap) => Part::PerSku(cap),
    }));
    parts.extend(scheme.limit_accrual.map(Part::Limit));
    parts
}

fn near(measure: &Frac, edge: Decimal) -> bool {
    let distance = (measure - &Frac::from(edge)).abs();
    distance <= Frac::from(Decimal::ONE)
}

/// The same family without one cap of one version.
fn without(family: &Family, version: usize, part: &Part) -> Family {
    let mut versions = family.versions.clone();
    if let Some(scheme) = versions.get_mut(version) {
        match part {
            Part::SlabCap { from, .. } => {
                for slab in scheme.slabs.iter_mut().filter(|slab| slab.from == *from) {
                    slab.cap = None;
                }
            }
            Part::PerCycle(_) => scheme.cap_per_cycle = None,
            Part::PerInvoice(_) | Part::PerSku(_) => scheme.cap_within = None,
            Part::Edge(_) | Part::Tier(_) | Part::Limit(_) => {}
        }
    }
    Family::new(family.id.clone(), versions)
}

/// Whether an example comes out otherwise without the cap.
fn cuts(sheet: &Sheet, with: &Position, without: &Family) -> bool {
    sheet.play(without, |played| {
        played.position.is_some_and(|position| {
            (&position.base, &position.capped, &position.sum) != (&with.base, &with.capped, &with.sum)
        })
    })
}
