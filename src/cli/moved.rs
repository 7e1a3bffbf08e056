//! What moves between two states of a store: cycle by cycle, how many partners, how much of their measure, and points.

use crate::calendar::Cycle;
use crate::domain::points::Points;
use crate::scheme::Family;
use crate::store::Store;
use crate::store::positions::Kept;
use anyhow::{Context, Result};
use rust_decimal::Decimal;

/// What moves in one cycle of a scheme.
pub(super) struct Moved {
    /// by its first month
    pub(super) cycle: i32,
    /// with another measure or other points
    pub(super) partners: u64,
    /// the difference, signed
    pub(super) measure: Decimal,
    /// the difference, signed
    pub(super) points: Points,
}

impl Moved {
    /// The cycle's name.
    pub(super) fn name(&self, family: &Family) -> String {
        let version = family.versions.first();
        version.map_or_else(String::new, |version| version.calendar.name(Cycle(self.cycle)))
    }

    /// The points, with the scheme's decimals.
    pub(super) fn shown(&self, family: &Family) -> String {
        self.points.plain(family.versions.last().map_or(0, |version| version.decimals))
    }

    fn count(&mut self, stood: Option<&Kept>, now: &Kept) -> Result<()> {
        let measure = |kept: &Kept| kept.measure.parse::<Decimal>().unwrap_or_default();
        let (points, sum) = stood.map_or((Points::ZERO, Decimal::ZERO), |kept| (kept.points, measure(kept)));
        let difference = measure(now).checked_sub(sum).unwrap_or_default();
        if points == now.points && difference.is_zero() {
            return Ok(());
        }
        self.partners += 1;
        self.measure = self.measure.checked_add(difference).unwrap_or(self.measure);
        let more = now
            .points
            .0
            .checked_sub(points.0)
            .context("the points that move are more than a ledger can hold")?;
        self.points = self.points.checked_add(Points(more)).unwrap_or(self.points);
        Ok(())
    }
}

/// The cycles of a scheme in which something moves, in order.
pub(super) fn moved(before: &Store, after: &Store, family: &Family) -> Result<Vec<Moved>> {
    let mut all = Vec::new();
    for cycle in after.cycles_with_positions(&family.id)? {
        let mut moved = Moved { cycle, partners: 0, measure: Decimal::ZERO, points: Points::ZERO };
        after.each_position(&family.id, cycle, |now| {
            let stood = before.position(&family.id, cycle, &now.partner)?;
            moved.count(stood.as_ref(), &now)
        })?;
        if moved.partners > 0 {
            all.push(moved);
        }
    }
    Ok(all)
}
