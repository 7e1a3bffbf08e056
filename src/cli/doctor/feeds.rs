//! A feed's folder: what is listed there, what of it is new, and what does not come.

use super::{Findings, MayBe};
use crate::batch::layout_text;
use crate::cli::output::printable;
use crate::cli::summary::counted;
use crate::config::Feed;
use crate::inbox::{Agreed, Cancel, Candidate, Complete, Connection, InboxFault, Listing, Source};
use anyhow::Result;

/// What looking at a feed comes to.
pub(super) fn listed(source: &Source, cancel: &Cancel) -> Result<(Listing, Option<Agreed>), InboxFault> {
    let mut connection = Connection::open(source, cancel)?;
    let listing = connection.list()?;
    Ok((listing, connection.agreed()))
}

/// Its folder, and what waits there.
pub(super) fn folder(
    feed: &Feed,
    listing: &Listing,
    store: MayBe<'_>,
    check: String,
    findings: &mut Findings,
) -> Result<()> {
    let mut new = Vec::new();
    for file in &listing.files {
        if !taken(feed, file, store)? {
            new.push(file);
        }
    }
    let finding = format!(
        "reached; {} matching {:?}, {} new; {} passed over",
        counted(listing.files.len() as u64, "file"),
        feed.source.pattern.text,
        new.len(),
        counted(listing.passed.len() as u64, "name")
    );
    let waiting = |file: &&&Candidate| waits_for(feed, listing, file).is_some();
    let first = new.iter().find(waiting);
    match first.and_then(|file| Some((file, waits_for(feed, listing, file)?))) {
        Some((file, what)) => {
            let count = new.iter().filter(waiting).count() as u64;
            let more = if count > 1 { format!(" and {} more", count - 1) } else { String::new() };
            let finding = format!("{finding}; {}{more} without {what}", printable(&file.name));
            findings.warn(
                check,
                finding,
                "who sends the files must send that too: they are not taken before",
            );
        }
        None => findings.ok(check, finding),
    }
    Ok(())
}

/// What has not come beside a file, and holds it back.
fn waits_for(feed: &Feed, listing: &Listing, file: &Candidate) -> Option<String> {
    let sidecar = listing.sidecars.as_ref().is_some_and(|all| !all.contains_key(&file.name));
    match feed.source.complete {
        Complete::Marker if !listing.markers.contains(&file.name) => {
            Some(format!("its marker {}.done", file.name))
        }
        Complete::Marker | Complete::Stable { .. } => sidecar.then(|| "its control totals".to_owned()),
    }
}

fn taken(feed: &Feed, file: &Candidate, store: MayBe<'_>) -> Result<bool> {
    let Some(store) = store else { return Ok(false) };
    let layout = layout_text(feed.kind, &feed.layout_of(&file.named));
    store.knows_file(&feed.name, &file.name, file.size, file.mtime, &layout)
}
