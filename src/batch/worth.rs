//! What points are worth.

use crate::domain::frac::Frac;
use crate::domain::points::Points;
use crate::scheme::Family;
use crate::statement::number;

/// The money value of points, by the scheme's last version, exact; empty where a point has none.
pub fn worth(families: &[Family], scheme: &str, points: Points) -> String {
    let version =
        families.iter().find(|family| family.id == scheme).and_then(|family| family.versions.last());
    let Some(per_point) = version.and_then(|version| version.value) else { return String::new() };
    let value = &points.to_frac() * &Frac::from(per_point);
    let mut out = Vec::new();
    number::frac(&mut out, &value, 2);
    String::from_utf8_lossy(&out).into_owned()
}
