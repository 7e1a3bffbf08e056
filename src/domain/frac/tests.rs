use super::*;
use proptest::prelude::*;

fn frac(num: i128, den: i128) -> Frac {
    Frac::ratio(num, den).expect("a denominator")
}

fn decimal(text: &str) -> Frac {
    Frac::from(text.parse::<Decimal>().expect("a decimal"))
}

#[test]
fn the_floor_of_three_thirds_is_one() {
    let third = frac(1, 3);
    let sum = &(&third + &third) + &third;
    assert_eq!(sum.units(0, Rounding::Floor), Some(1));
    assert_eq!((&third * &Frac::from(3i64)).units(0, Rounding::Floor), Some(1));
}

#[test]
fn rounding_is_of_the_magnitude() {
    let cases = [
        ("2.5", 2, 3, 2, 3),
        ("3.5", 3, 4, 4, 4),
        ("2.4", 2, 2, 2, 3),
        ("2.6", 2, 3, 3, 3),
        ("2", 2, 2, 2, 2),
        ("0", 0, 0, 0, 0),
    ];
    for (text, floor, half_up, half_even, ceiling) in cases {
        for sign in [1, -1] {
            let value = &decimal(text) * &Frac::from(i128::from(sign));
            let rounded = |rounding| value.units(0, rounding).expect("fits") * i128::from(sign);
            assert_eq!(rounded(Rounding::Floor), floor, "{text}");
            assert_eq!(rounded(Rounding::HalfUp), half_up, "{text}");
            assert_eq!(rounded(Rounding::HalfEven), half_even, "{text}");
            assert_eq!(rounded(Rounding::Ceiling), ceiling, "{text}");
        }
    }
}

#[test]
fn shown_in_plain_digits_or_as_a_fraction() {
    assert_eq!(decimal("1234.50").to_plain(2, Rounding::Floor), "1234.50");
    assert_eq!(decimal("-0.004").to_plain(2, Rounding::Floor), "0.00");
    assert_eq!(decimal("-0.05").to_plain(2, Rounding::Floor), "-0.05");
    assert_eq!(decimal("7").to_plain(0, Rounding::Floor), "7");
    assert_eq!(frac(2, 6).to_string(), "1/3");
    assert_eq!(frac(5, 4).to_string(), "1.25");
    assert_eq!(frac(-4, 2).to_string(), "-2");
    assert_eq!(frac(2, 3).to_short(0, 4), "0.6667");
    assert_eq!(frac(5, 4).to_short(0, 4), "1.25");
    assert_eq!(frac(5, 1).to_short(2, 4), "5.00");
}

proptest! {
    #[test]
    fn decimals_are_counted_alike_in_small_and_in_big(num: i64, scale in 0u32..12, odd in 1i128..30) {
        for den in [10i128.pow(scale), odd, odd * 10i128.pow(scale)] {
            let value = frac(i128::from(num), den);
            prop_assert_eq!(value.finite_decimals(), value.big_decimals());
        }
    }
}

#[test]
fn back_to_decimals() {
    assert_eq!(frac(5, 4).to_decimal(), Some("1.25".parse().expect("a decimal")));
    assert_eq!(frac(1, 3).to_decimal(), None);
    assert_eq!(frac(1, 3).to_decimal_rounded(2, Rounding::HalfUp), Some("0.33".parse().expect("a decimal")));
    assert_eq!(Frac::from(i128::MAX).to_decimal(), None);
}

#[test]
fn no_denominator_no_fraction() {
    assert!(Frac::ratio(1, 0).is_none());
    assert!(Frac::ONE.over(&Frac::ZERO).is_none());
}

#[test]
fn what_overflows_is_carried_and_comes_back() {
    let huge = Frac::from(i128::MAX);
    let square = &huge * &huge;
    assert!(matches!(square.0, Repr::Big(_)));
    assert_eq!(square.units(0, Rounding::Floor), None);
    let back = square.over(&huge).expect("not zero");
    assert!(matches!(back.0, Repr::Small { .. }));
    assert_eq!(back, huge);
    let least = Frac::from(i128::MIN);
    assert_eq!(&-&least + &least, Frac::ZERO);
    assert_eq!(least.over(&least), Some(Frac::ONE));
    assert_eq!(least.units(0, Rounding::Ceiling), Some(i128::MIN));
}

fn numbers() -> impl Strategy<Value = i128> {
    prop_oneof![
        -1_000_000i128..1_000_000,
        any::<i64>().prop_map(i128::from),
        any::<i128>(),
        Just(0),
        Just(i128::MIN),
        Just(i128::MAX)
    ]
}

fn denominators() -> impl Strategy<Value = i128> {
    prop_oneof![
        (0u32..30).prop_map(|power| 10i128.pow(power)),
        1i128..1000,
        1i128..=i128::from(i64::MAX),
        Just(i128::MAX)
    ]
}

const ROUNDINGS: [Rounding; 4] = [Rounding::Floor, Rounding::HalfUp, Rounding::HalfEven, Rounding::Ceiling];

/// Rounding by its definition: the nearest of the whole numbers below and above the magnitude.
fn naive_round(value: &BigRational, rounding: Rounding) -> BigInt {
    let magnitude = value.abs();
    let (below, above) = (magnitude.floor(), magnitude.ceil());
    let (down, up) = (&magnitude - &below, &above - &magnitude);
    let even = |whole: &BigRational| !whole.numer().bit(0);
    let chosen = match rounding {
        Rounding::Floor => below,
        Rounding::Ceiling => above,
        Rounding::HalfUp => {
            if down < up {
                below
            } else {
                above
            }
        }
        Rounding::HalfEven if down == up => {
            if even(&below) {
                below
            } else {
                above
            }
        }
        Rounding::HalfEven => {
            if down < up {
                below
            } else {
                above
            }
        }
    };
    if value.is_negative() { -chosen.to_integer() } else { chosen.to_integer() }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]
    #[test]
    fn as_big_rationals_say(a in numbers(), b in denominators(), c in numbers(), d in denominators()) {
        let (x, y) = (frac(a, b), frac(c, d));
        let (p, q) = (BigRational::new(a.into(), b.into()), BigRational::new(c.into(), d.into()));
        prop_assert_eq!((&x + &y).to_big(), &p + &q);
        prop_assert_eq!((&x - &y).to_big(), &p - &q);
        prop_assert_eq!((&x * &y).to_big(), &p * &q);
        prop_assert_eq!((-&x).to_big(), -&p);
        prop_assert_eq!(x.abs().to_big(), p.abs());
        prop_assert_eq!(x.floor().to_big(), p.floor());
        prop_assert_eq!(x.cmp(&y), p.cmp(&q));
        prop_assert_eq!(x.sign(), p.cmp(&BigRational::zero()));
        match x.over(&y) {
            Some(quotient) => prop_assert_eq!(quotient.to_big(), &p / &q),
            None => prop_assert!(q.is_zero()),
        }
        let mut sum = x.clone();
        sum += &y;
        prop_assert_eq!(&sum, &(&x + &y));
        sum -= &y;
        prop_assert_eq!(sum, x);
    }

    #[test]
    fn rounded_as_defined(a in numbers(), b in denominators(), decimals in 0u32..8) {
        let x = frac(a, b);
        let scaled = x.to_big() * BigRational::from_integer(BigInt::from(10).pow(decimals));
        for rounding in ROUNDINGS {
            let naive = naive_round(&scaled, rounding);
            prop_assert_eq!(x.units(decimals, rounding), naive.to_i128());
            prop_assert_eq!(x.rounded(decimals, rounding).to_big(), BigRational::new(naive, BigInt::from(10).pow(decimals)));
        }
    }
}

#[test]
fn a_fraction_is_no_larger_than_its_numbers() {
    assert_eq!(size_of::<Frac>(), 2 * size_of::<i128>());
}
