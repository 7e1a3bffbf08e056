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
    let units = quick(parts, total, decimals).or_else(|| exact(parts, total, decimals));
    units.unwrap_or_else(|| everything_on_the_first(parts.len(), total))
}

/// Numbers that no ledger can hold: only their sum is.
fn everything_on_the_first(parts: usize, total: i128) -> Vec<i128> {
    std::iter::once(total).chain(std::iter::repeat(0)).take(parts).collect()
}

/// Adds what is missing to `total` to the parts with the largest remainders, one unit each, the first of equal ones first;
/// `None` where that is not how the parts fall short of it.
fn made_up<R: Ord>(mut floors: Vec<i128>, remainders: &[R], total: i128) -> Option<Vec<i128>> {
    let sum = floors.iter().try_fold(0i128, |sum, one| sum.checked_add(*one))?;
    let missing = usize::try_from(total.checked_sub(sum)?).ok()?;
    if missing > floors.len() {
        return None;
    }
    if missing > 0 {
        let mut order: Vec<usize> = (0..remainders.len()).collect();
        order.sort_by(|a, b| remainders[*b].cmp(&remainders[*a])); // stable: ties stay in row order
        for index in &order[..missing] {
            floors[*index] += 1;
        }
    }
    Some(floors)
}

/// With one denominator for all, in plain integers; `None` where they do not fit.
fn quick(parts: &[Part], total: i128, decimals: u32) -> Option<Vec<i128>> {
    let scale = 10i128.checked_pow(decimals)?;
    let (own, den) = Frac::over_one_denominator(parts.iter().map(|part| &part.own))?;
    let (sizes, _) = Frac::over_one_denominator(parts.iter().map(|part| &part.size))?;
    let all_sizes = sizes.iter().try_fold(0i128, |sum, size| sum.checked_add(*size))?;
    let all_own = own.iter().try_fold(0i128, |sum, one| sum.checked_add(*one))?;
    let rest = total.checked_mul(den)?.checked_sub(all_own.checked_mul(scale)?)?;
    // own * scale / den + rest * size / (den * all_sizes), over den * all_sizes
    let by = if rest == 0 { 1 } else { all_sizes };
    let (scale, den) = (scale.checked_mul(by)?, den.checked_mul(by)?);
    if den <= 0 {
        return None;
    }
    let mut floors = Vec::with_capacity(parts.len());
    let mut remainders = Vec::with_capacity(parts.len());
    for (own, size) in own.iter().zip(&sizes) {
        let num = own.checked_mul(scale)?.checked_add(rest.checked_mul(*size)?)?;
        let (floor, left) = (num / den, num % den);
        let below = i128::from(left < 0); // division cuts towards zero
        floors.push(floor - below);
        remainders.push(left + below * den);
    }
    made_up(floors, &remainders, total)
}

fn exact(parts: &[Part], total: i128, decimals: u32) -> Option<Vec<i128>> {
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
        remainders.push(&units - &floor);
        floors.push(floor.units(0, Rounding::Floor)?);
    }
    made_up(floors, &remainders, total)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn part(own: (i128, i128), size: i128) -> Part {
        let own = Frac::ratio(own.0, own.1).expect("a denominator");
        Part { own, size: Frac::ratio(size, 100).expect("a denominator") }
    }

    #[test]
    fn nothing_to_share_among() {
        assert!(units(&[], 5, 0).is_empty());
        assert_eq!(units(&[part((1, 1), 0), part((1, 1), 0)], 7, 0), [7, 0], "no sizes to share the rest by");
    }

    proptest! {
        #[test]
        fn the_quick_way_is_the_exact_way(
            parts in prop::collection::vec(((-1000i128..1000, 1i128..12), 1i128..5000), 1..9),
            over in -9i128..9,
            decimals in 0u32..4,
        ) {
            let parts: Vec<Part> = parts.into_iter().map(|(own, size)| part(own, size)).collect();
            let own: Frac = parts.iter().map(|part| &part.own).sum();
            let total = own.units(decimals, Rounding::HalfUp).expect("fits") + over;
            let quickly = quick(&parts, total, decimals).expect("fits");
            prop_assert_eq!(quickly.iter().sum::<i128>(), total);
            prop_assert_eq!(Some(quickly), exact(&parts, total, decimals));
        }
    }
}
