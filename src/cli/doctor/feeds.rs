//! Each feed: reached, its host key the pinned one, the algorithms agreed on, its folder listed, what waits there.

use super::guards::has_secrets;
use super::{Findings, MayBe};
use crate::batch::layout_text;
use crate::cli::exit::{self, Exit};
use crate::cli::output::printable;
use crate::cli::session::Session;
use crate::cli::summary::counted;
use crate::config::{Config, Feed};
use crate::inbox::{Cancel, Candidate, Complete, Connection, InboxFault, Listing, Place, Source};
use anyhow::Result;

pub(super) fn look(
    session: &Session,
    config: &Config,
    store: MayBe<'_>,
    findings: &mut Findings,
) -> Result<()> {
    let cancel = session.cancel()?;
    for feed in &config.feeds {
        if has_secrets(feed) {
            one(feed, store, &cancel, findings)?;
        } else {
            let remedy = "see the secret of the feed, above";
            findings.warn(
                format!("feed {}", feed.name),
                "not tried: its secret is not to be had here",
                remedy,
            );
        }
    }
    Ok(())
}

fn one(feed: &Feed, store: MayBe<'_>, cancel: &Cancel, findings: &mut Findings) -> Result<()> {
    let check = format!("feed {}", feed.name);
    let opened = Connection::open(&at_once(&feed.source), cancel);
    let listed = opened.and_then(|mut connection| connection.list().map(|listing| (connection, listing)));
    match listed {
        Ok((connection, listing)) => {
            folder(feed, &listing, store, check, findings)?;
            if let Some(agreed) = connection.agreed() {
                let key = format!("{} ({}), pinned", agreed.fingerprint, agreed.host_key);
                findings.ok(format!("host key of {}", feed.name), key);
                let told = format!(
                    "key exchange {}, host key {}, cipher {}, mac {}",
                    agreed.key_exchange, agreed.host_key, agreed.cipher, agreed.mac
                );
                findings.ok(format!("algorithms of {}", feed.name), told);
            }
        }
        Err(fault @ InboxFault::Stopped) => return Err(fault.into()),
        Err(fault) => {
            let (finding, remedy) = told(&fault);
            findings.bad(check, end(&fault), finding, remedy);
        }
    }
    Ok(())
}

/// One look is enough: what fails now is told now.
fn at_once(source: &Source) -> Source {
    let mut source = source.clone();
    if let Place::Sftp(sftp) = &mut source.place {
        sftp.retries = 0;
    }
    source
}

/// A setting or a folder that cannot work is a failure here: nothing of the feed arrives.
fn end(fault: &InboxFault) -> Exit {
    match exit::of_inbox(fault, None) {
        Exit::Waits => Exit::Failed,
        other => other,
    }
}

/// The message, parted from the remedy that stands in it behind a `;`.
fn told(fault: &InboxFault) -> (String, String) {
    let whole = printable(&fault.to_string());
    match whole.split_once("; ") {
        Some((finding, remedy)) => (finding.to_owned(), remedy.to_owned()),
        None => {
            let remedy = match fault {
                InboxFault::Temporary(_) => {
                    "see that the server is up and a firewall lets us through; runs try again by themselves"
                }
                InboxFault::Refused(_) => "mend [feed.ssh] of this feed, or the account on the server",
                _ => "mend the url of this feed, or the folder on its server",
            };
            (whole, remedy.to_owned())
        }
    }
}

fn folder(
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
