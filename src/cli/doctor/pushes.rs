//! Where files are pushed to: whether any can be made there, and what waits to go.

use super::{Findings, MayBe};
use crate::batch::{place_of, waiting_for};
use crate::cli::exit::Exit;
use crate::cli::summary::counted;
use crate::clock;
use crate::config::{Config, Push};
use crate::inbox::{Agreed, Cancel, Ground, InboxFault, Outlet, Source};
use chrono::{DateTime, Utc};

/// What looking at a push comes to.
pub(super) fn tried(source: &Source, cancel: &Cancel) -> Result<(Ground, Option<Agreed>), InboxFault> {
    let mut outlet = Outlet::open(source, cancel)?;
    let ground = outlet.ground()?;
    Ok((ground, outlet.agreed()))
}

/// Its folder, and what waits for it.
pub(super) fn folder(
    push: &Push,
    ground: &Ground,
    (config, store, now): (&Config, MayBe<'_>, DateTime<Utc>),
    check: String,
    findings: &mut Findings,
) {
    let waiting = match store.map(|store| waiting_for(store, config, push, &clock::stamp(now))) {
        None => String::new(),
        Some(Ok(0)) => "; nothing waits to be pushed".to_owned(),
        Some(Ok(files)) => format!("; {} waiting to be pushed", counted(files, "file")),
        // a damaged store has a line of its own
        Some(Err(why)) => format!("; what waits to be pushed cannot be told: {why:#}"),
    };
    match ground {
        Ground::Firm => findings.ok(check, format!("reached; files can be made there{waiting}")),
        Ground::Bare => {
            let place = place_of(push);
            findings.ok(check, format!("{place} is not there and can be made{waiting}"));
        }
        Ground::Marked(folder) => {
            let finding = format!("a folder could be made there and not be removed again{waiting}");
            let remedy = format!(
                "remove the empty folder {folder}, and let its user rename and remove there: files are written under another name first"
            );
            findings.bad(check, Exit::Failed, finding, remedy);
        }
    }
}
