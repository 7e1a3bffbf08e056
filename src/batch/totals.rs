//! Control totals: a file whose rows or money are not what was said of it is not read until a person says so (interfaces.md 2).

use super::Run;
use super::taking::{Lying, ended};
use crate::config::{Feed, Totals};
use crate::inbox::Archive;
use crate::ingest::{self, Layout, Packing};
use crate::store::Reading;
use crate::store::files::Arrival;
use anyhow::Result;
use std::path::Path;

/// Kind of the holds on files whose control totals disagree.
pub(super) const DISAGREE: &str = "totals_disagree";

/// How a file stands beside its control totals.
pub(super) enum Weighed {
    /// as it should, or nobody said
    Agrees,
    /// it is at fault
    Refused { reason: &'static str, detail: String },
    /// why
    Disagrees(String),
}

impl Run<'_> {
    /// Adds up a file and compares. What cannot be read at all is left to whoever reads its rows.
    pub(super) fn weigh_totals(
        &self,
        feed: &Feed,
        (layout, packing): (&Layout, Packing),
        arrival: &Arrival,
        path: &Path,
    ) -> Result<Weighed> {
        if feed.totals == Totals::None {
            return Ok(Weighed::Agrees);
        }
        let cancel = &self.order.cancel;
        let control = match ingest::control(&mut Lying { path, cancel }.open()?, packing, layout) {
            Ok(control) => control,
            Err(stop) => return Ok(refused(ended::<()>(Err(stop))?)),
        };
        let (said, who) = match (&feed.totals, &arrival.sidecar, control.trailer) {
            (Totals::Trailer, _, Some(trailer)) => (trailer, "its trailer".to_owned()),
            (Totals::Sidecar(_), Some(sidecar), _) => {
                let path = Archive::of(&self.places.data).path_of(&sidecar.sha256);
                match ingest::sidecar(&mut Lying { path: &path, cancel }.open()?, layout) {
                    Ok(totals) => (totals, sidecar.name.clone()),
                    Err(stop) => return Ok(refused(ended::<()>(Err(stop))?)),
                }
            }
            // one was never fetched without the other; a file that is older than this setting has none
            (Totals::Sidecar(_), None, _) | (Totals::None, ..) | (Totals::Trailer, _, None) => {
                return Ok(Weighed::Agrees);
            }
        };
        Ok(match control.disagrees(&said, &who) {
            None => Weighed::Agrees,
            Some(why) => Weighed::Disagrees(format!(
                "{why}: send it again whole, or release it if it is as it should be"
            )),
        })
    }
}

fn refused(reading: Reading) -> Weighed {
    match reading {
        Reading::Refused { reason, detail } => Weighed::Refused { reason, detail },
        Reading::Whole | Reading::Held { .. } => Weighed::Agrees,
    }
}
