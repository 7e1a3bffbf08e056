//! Exact fractions of the numbers in a scheme, for comparing rates and for lints.

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::pow;
use rust_decimal::Decimal;

/// The fraction that a decimal is.
pub(super) fn of(value: Decimal) -> BigRational {
    BigRational::new(BigInt::from(value.mantissa()), pow(BigInt::from(10), value.scale() as usize))
}
