//! How the numbers of a scheme version are shown: with its decimals, as its published files show them.

pub(super) use crate::batch::worth;
use crate::domain::points::Points;
use crate::scheme::{self, Measure, Scheme};
use crate::statement::number;
use crate::store::Store;
use anyhow::{Result, anyhow};
use rust_decimal::Decimal;
use std::collections::HashMap;

/// Decimals at least of what one scheme version counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Decimals {
    points: u32,
    measure: u32,
}

impl Decimals {
    pub(super) fn of(scheme: &Scheme) -> Decimals {
        let measure = match scheme.earn.measure {
            Measure::Amount => 2,
            Measure::Quantity => 0,
        };
        Decimals { points: scheme.decimals, measure }
    }

    /// plain digits
    pub(super) fn points(self, points: Points) -> String {
        written(|out| number::points(out, points, self.points))
    }

    /// plain digits
    pub(super) fn measure(self, measure: Decimal) -> String {
        written(|out| number::decimal(out, measure, self.measure))
    }
}

/// The decimals of every scheme version in the store.
pub(super) struct Shown {
    versions: HashMap<String, Decimals>,
    schemes: HashMap<String, Decimals>,
}

impl Shown {
    pub(super) fn of(store: &Store) -> Result<Shown> {
        let mut shown = Shown { versions: HashMap::new(), schemes: HashMap::new() };
        for text in store.scheme_texts()? {
            let (scheme, _) = scheme::parse(&text.path, &text.text).map_err(|faults| {
                anyhow!("a scheme text in the store cannot be read any more: {}", faults.render(false))
            })?;
            let decimals = Decimals::of(&scheme);
            shown.versions.insert(text.version, decimals);
            shown.schemes.insert(text.scheme, decimals);
        }
        Ok(shown)
    }

    /// Points of an entry that rests on a version.
    pub(super) fn points(&self, version: &str, points: Points) -> String {
        self.version(version).points(points)
    }

    /// What an entry that rests on a version accounts for.
    pub(super) fn measure(&self, version: &str, measure: Decimal) -> String {
        self.version(version).measure(measure)
    }

    /// Points of a wallet: as the scheme's latest text has them.
    pub(super) fn wallet(&self, scheme: &str, points: Points) -> String {
        let decimals = self.schemes.get(scheme).copied().unwrap_or(Decimals { points: 0, measure: 2 });
        decimals.points(points)
    }

    fn version(&self, version: &str) -> Decimals {
        self.versions.get(version).copied().unwrap_or(Decimals { points: 0, measure: 2 })
    }
}

/// What a renderer writes, as text.
pub(super) fn written(render: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut out = Vec::new();
    render(&mut out);
    String::from_utf8_lossy(&out).into_owned()
}
