//! Each line's part of a position's points (interfaces.md 5): its points of steps 7 and 9, and of what remains to the total a share
//! by the size of its amount; cut to whole units and made up by largest remainder, ties in row order.

use crate::domain::frac::{Frac, Rounding};

/// One counting line.
#[derive(Debug)]
pub(super) struct Part {
    /// its points of steps 7 and 9
    pub own: Frac,
    /// its amount (or quantity), whatever its sign
    pub size: Frac,
}

/// The units of `10^-decimals` points of each part, in order; they add up to `total`. Without parts there is nothing to share:
/// a cycle without a counting line has no measure above zero, so its points are none.
pub(super) fn units(parts: &[Part], total: i128, decimals: u32) -> Vec<i128> {
    if parts.is_empty() {
        return Vec::new();
    }
    let exact = quick(parts, total, decimals).or_else(|| exact(parts, total, decimals));
    let Some((mut floors, remainders)) = exact else {
        return everything_on_the_first(parts.len(), total);
    };
    let missing = floors.iter().try_fold(0i128, |sum, one| sum.checked_add(*one));
    let missing = missing.and_then(|sum| usize::try_from(total.checked_sub(sum)?).ok());
    let Some(missing) = missing.filter(|missing| *missing <= parts.len()) else {
        return everything_on_the_first(parts.len(), total);
    };
    for index in largest(&remainders, missing) {
        floors[index] += 1;
    }
    floors
}

/// Numbers that no ledger can hold: only their sum is.
fn everything_on_the_first(parts: usize, total: i128) -> Vec<i128> {
    let mut units = vec![0; parts];
    units[0] = total;
    units
}

/// The indexes of the `missing` largest remainders, the first of equal ones first.
fn largest(remainders: &[Remainder], missing: usize) -> Vec<usize> {
    if missing == 0 {
        return Vec::new();
    }
    let mut order: Vec<usize> = (0..remainders.len()).collect();
    order.sort_by(|a, b| remainders[*b].cmp(&remainders[*a])); // stable: ties stay in row order
    order.truncate(missing);
    order
}

/// What cutting to whole units left: over a denominator that all share on the quick way, else exact.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Remainder {
    Over(i128),
    Exact(Frac),
}

/// With one denominator for all, in plain integers; `None` where they do not fit.
fn quick(parts: &[Part], total: i128, decimals: u32) -> Option<(Vec<i128>, Vec<Remainder>)> {
    let scale = 10i128.checked_pow(decimals)?;
    let (own, den) = Frac::over_one_denominator(parts.iter().map(|part| &part.own))?;
    let (sizes, _) = Frac::over_one_denominator(parts.iter().map(|part| &part.size))?;
    let all_sizes = sizes.iter().try_fold(0i128, |sum, size| sum.checked_add(*size))?;
    let all_own = own.iter().try_fold(0i128, |sum, one| sum.checked_add(*one))?;
    let rest = total.checked_mul(den)?.checked_sub(all_own.checked_mul(scale)?)?;
    // own * scale / den + rest * size / (den * all_sizes), over den * all_sizes
    let (own_times, den) =
        if rest == 0 { (scale, den) } else { (scale.checked_mul(all_sizes)?, den.checked_mul(all_sizes)?) };
    if den <= 0 {
        return None;
    }
    let mut floors = Vec::with_capacity(parts.len());
    let mut remainders = Vec::with_capacity(parts.len());
    for (own, size) in own.iter().zip(&sizes) {
        let num = own.checked_mul(own_times)?.checked_add(rest.checked_mul(*size)?)?;
        let floor = num.div_euclid(den);
        floors.push(floor);
        remainders.push(Remainder::Over(num - floor * den));
    }
    Some((floors, remainders))
}

fn exact(parts: &[Part], total: i128, decimals: u32) -> Option<(Vec<i128>, Vec<Remainder>)> {
    let scale = Frac::from(10i128.checked_pow(decimals)?);
    let all_own: Frac = parts.iter().map(|part| &part.own).sum();
    let all_sizes: Frac = parts.iter().map(|part| &part.size).sum();
    let rest = &Frac::from(total) - &(&all_own * &scale);
    let per_size = rest.over(&all_sizes).unwrap_or_default();
    let mut floors = Vec::with_capacity(parts.len());
    let mut remainders = Vec::with_capacity(parts.len());
    for part in parts {
        let units = &(&part.own * &scale) + &(&part.size * &per_size);
        let floor = units.floor();
        remainders.push(Remainder::Exact(&units - &floor));
        floors.push(floor.units(0, Rounding::Floor)?);
    }
    Some((floors, remainders))
}
