//! Each line's part of a position's points (interfaces.md 5): its points of steps 7 and 9, and of what remains to the total a share
//! by the size of its amount; cut to whole units and made up by largest remainder, ties in row order.

use crate::domain::frac::{Frac, Rounding};

/// The units of `10^-decimals` points of each counting line, in order; they add up to `total`. `own` are the lines' points of
/// steps 7 and 9, `weights` their amounts (or quantities), of which the sign tells nothing. Without lines there is nothing to
/// share: a cycle without a counting line has no measure above zero, so its points are none.
pub(super) fn units<'f>(
    own: &'f [Frac],
    weights: impl Iterator<Item = &'f Frac> + Clone,
    total: i128,
    decimals: u32,
) -> Vec<i128> {
    let units = quick(own, weights.clone(), total, decimals).or_else(|| exact(own, weights, total, decimals));
    units.unwrap_or_else(|| everything_on_the_first(own.len(), total))
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
    if missing > 0 && missing < floors.len() {
        let mut order: Vec<usize> = (0..remainders.len()).collect();
        let largest = |a: &usize, b: &usize| remainders[*b].cmp(&remainders[*a]).then(a.cmp(b));
        order.select_nth_unstable_by(missing, largest);
        order.truncate(missing);
        order.into_iter().for_each(|index| floors[index] += 1);
    } else if missing > 0 {
        floors.iter_mut().for_each(|floor| *floor += 1);
    }
    Some(floors)
}

/// With one denominator for all, in plain integers; `None` where they do not fit.
fn quick<'f>(
    own: &'f [Frac],
    weights: impl Iterator<Item = &'f Frac> + Clone,
    total: i128,
    decimals: u32,
) -> Option<Vec<i128>> {
    let scale = 10i128.checked_pow(decimals)?;
    let (mut own, den) = Frac::over_one_denominator(own.iter())?;
    let (sizes, _) = Frac::over_one_denominator(weights)?;
    let all_sizes = sizes.iter().try_fold(0i128, |sum, size| sum.checked_add(size.checked_abs()?))?;
    let all_own = own.iter().try_fold(0i128, |sum, one| sum.checked_add(*one))?;
    let rest = total.checked_mul(den)?.checked_sub(all_own.checked_mul(scale)?)?;
    // own * scale / den + rest * size / (den * all_sizes), over den * all_sizes
    let by = if rest == 0 { 1 } else { all_sizes };
    let (scale, den) = (scale.checked_mul(by)?, den.checked_mul(by)?);
    if den <= 0 {
        return None;
    }
    let mut floors = sizes;
    for (own, size) in own.iter_mut().zip(&mut floors) {
        let num = own.checked_mul(scale)?.checked_add(rest.checked_mul(size.abs())?)?;
        // what is left of it is at least 0 and below den
        (*size, *own) = divided(num, den);
    }
    made_up(floors, &own, total)
}

/// The floor of `num / den`, and what is left: by machine integers where they fit, as they mostly do.
fn divided(num: i128, den: i128) -> (i128, i128) {
    let floor = match (i64::try_from(num), i64::try_from(den)) {
        (Ok(num), Ok(den)) => i128::from(num.div_euclid(den)),
        (Ok(_) | Err(_), _) => num.div_euclid(den),
    };
    (floor, num - floor * den)
}

fn exact<'f>(
    own: &'f [Frac],
    weights: impl Iterator<Item = &'f Frac> + Clone,
    total: i128,
    decimals: u32,
) -> Option<Vec<i128>> {
    let scale = Frac::from(10i128.checked_pow(decimals)?);
    let all_own: Frac = own.iter().sum();
    let all_sizes = weights.clone().fold(Frac::ZERO, |sum, weight| &sum + &weight.abs());
    let rest = &Frac::from(total) - &(&all_own * &scale);
    let per_size = rest.over(&all_sizes).unwrap_or_default();
    let mut floors = Vec::with_capacity(own.len());
    let mut remainders = Vec::with_capacity(own.len());
    for (own, weight) in own.iter().zip(weights) {
        let units = &(own * &scale) + &(&weight.abs() * &per_size);
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

    fn fracs(of: &[(i128, i128)]) -> Vec<Frac> {
        of.iter().map(|&(num, den)| Frac::ratio(num, den).expect("a denominator")).collect()
    }

    #[test]
    fn nothing_to_share_among() {
        assert!(units(&[], [].iter(), 5, 0).is_empty());
        let (own, weights) = (fracs(&[(1, 1), (1, 1)]), fracs(&[(0, 1), (0, 1)]));
        assert_eq!(units(&own, weights.iter(), 7, 0), [7, 0], "no sizes to share the rest by");
    }

    proptest! {
        #[test]
        fn the_quick_way_is_the_exact_way(
            parts in prop::collection::vec(((-1000i128..1000, 1i128..12), -5000i128..5000), 1..9),
            over in -9i128..9,
            decimals in 0u32..4,
        ) {
            prop_assume!(parts.iter().any(|(_, size)| *size != 0));
            let own: Vec<(i128, i128)> = parts.iter().map(|(own, _)| *own).collect();
            let sizes: Vec<(i128, i128)> = parts.iter().map(|(_, size)| (*size, 100)).collect();
            let (own, weights) = (fracs(&own), fracs(&sizes));
            let sum: Frac = own.iter().sum();
            let total = sum.units(decimals, Rounding::HalfUp).expect("fits") + over;
            let quickly = quick(&own, weights.iter(), total, decimals).expect("fits");
            prop_assert_eq!(quickly.iter().sum::<i128>(), total);
            prop_assert_eq!(Some(quickly), exact(&own, weights.iter(), total, decimals));
        }
    }
}
