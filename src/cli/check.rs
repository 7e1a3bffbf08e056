//! `accrued check`: every fault of the config and the schemes, then a look at every feed.

use super::exit::{self, Exit};
use super::output::{Column, Format, count, printable, text};
use super::session::Session;
use super::summary::counted;
use crate::batch::{Invalid, RealSchemes, place_of};
use crate::config::{Config, Feed, Hook, Kind, Push};
use crate::fault::{Fault, Faults, Gravity};
use crate::inbox::{Candidate, Connection, InboxFault, Listing, Outlet, Source, side_by_side};
use crate::scheme::{EarnOn, Scheme, lint};
use crate::store::Store;
use anyhow::Result;
use std::os::unix::fs::PermissionsExt;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Do not contact any feed or push
    #[arg(long)]
    offline: bool,
    /// Exit 4 where anything is likely a mistake
    #[arg(long)]
    deny_warnings: bool,
}

pub(super) fn run(session: &Session, args: &Args) -> Result<Exit> {
    let config = session.config()?;
    let schemes = session.schemes(&config)?;
    if !args.offline {
        config.ready_to_fetch().map_err(|faults| Invalid(vec![faults]))?;
    }
    let store = session.store_if_any(&config)?;
    let warnings = warnings(&config, &schemes, store.as_ref())?;
    for faults in &warnings {
        session.show(faults);
    }
    let found: u64 = warnings.iter().map(|faults| faults.faults.len() as u64).sum();
    session.say(format_args!(
        "{}: {}, {}, {}",
        config.path.display(),
        counted(config.feeds.len() as u64, "feed"),
        counted(schemes.families.len() as u64, "scheme"),
        counted(found, "warning")
    ));
    let mut ends = vec![if found > 0 && args.deny_warnings { Exit::Found } else { Exit::Done }];
    if args.offline {
        session.next("accrued check, without --offline, also looks at every feed and push");
    } else {
        ends.extend(reached(session, &config, store.as_ref())?);
    }
    Ok(worst(&ends))
}

/// Of several ends the one that matters most.
fn worst(ends: &[Exit]) -> Exit {
    let order = [Exit::Failed, Exit::Refused, Exit::Temporary, Exit::Found, Exit::Waits];
    order.into_iter().find(|exit| ends.contains(exit)).unwrap_or(Exit::Done)
}

fn warnings(config: &Config, schemes: &RealSchemes, store: Option<&Store>) -> Result<Vec<Faults>> {
    let mut warnings = Vec::new();
    if !config.warnings.is_empty() {
        warnings.push(config.faults(config.warnings.clone()));
    }
    let hooks: Vec<Fault> = config.hooks.iter().filter_map(no_program).collect();
    if !hooks.is_empty() {
        warnings.push(Faults { text: String::new(), ..config.faults(hooks) });
    }
    warnings.extend(schemes.warnings.iter().cloned());
    warnings.extend(lint::overlaps(&schemes.families));
    let items = store.map(|store| store.items(None)).transpose()?.flatten().unwrap_or_default();
    let listed = items.iter().filter_map(|(sku, records)| Some((sku.as_str(), records.last()?)));
    let listed = listed.map(|(sku, record)| (sku, record.category.as_str()));
    for scheme in schemes.families.iter().flat_map(|family| &family.versions) {
        let text = schemes.texts.get(&scheme.version).map_or("", |(_, text)| text.as_str());
        let faults = lint::multipliers_without_items(scheme, text, listed.clone());
        if !faults.faults.is_empty() {
            warnings.push(faults);
        }
        warnings.extend(never_paid(config, scheme));
    }
    Ok(warnings)
}

/// A hook whose program cannot be started as things stand here.
fn no_program(hook: &Hook) -> Option<Fault> {
    let program = hook.program.display();
    let why = match std::fs::metadata(&hook.program) {
        Err(fault) => format!("the hook {program} cannot be called: {fault}"),
        Ok(file) if !file.is_file() => format!("the hook {program} cannot be called: it is no file"),
        Ok(file) if file.permissions().mode() & 0o111 == 0 => {
            format!("the hook {program} cannot be called: it is not executable")
        }
        Ok(_) => return None,
    };
    let help = "put the program there, executable (chmod +x), or mend the hook's command";
    Some(Fault { gravity: Gravity::Warning, ..Fault::missing(why, help) })
}

/// A scheme that waits for payments which no feed brings.
fn never_paid(config: &Config, scheme: &Scheme) -> Option<Faults> {
    let paid = |feed: &Feed| feed.kind == Kind::Payments;
    if scheme.earn.on == EarnOn::Invoice || config.feeds.iter().any(paid) {
        return None;
    }
    let message = "earn.on = \"payment\", and no feed brings payments: no line would ever count";
    let help = "add a feed of kind = \"payments\" that shares `documents` with the sales";
    let fault = Fault { gravity: Gravity::Warning, ..Fault::missing(message, help) };
    Some(Faults { path: scheme.path.clone(), text: String::new(), faults: vec![fault] })
}

const COLUMNS: [Column; 6] =
    [text("feed"), text("file"), count("size"), text("modified"), text("state"), text("why")];

/// Where a listed name stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    New,
    Taken,
    Passed,
}

impl State {
    fn word(self) -> &'static str {
        match self {
            State::New => "new",
            State::Taken => "taken",
            State::Passed => "passed over",
        }
    }
}

/// What a look at a feed or a push comes to.
enum Seen<'c> {
    Feed(&'c Feed, Listing),
    Push(&'c Push),
}

/// Logs in to each feed and lists it, and logs in where files are pushed to; an end for each that is not well.
fn reached(session: &Session, config: &Config, store: Option<&Store>) -> Result<Vec<Exit>> {
    let cancel = session.cancel()?;
    let feeds = config.feeds.iter().map(|feed| &feed.source);
    let sources: Vec<&Source> = feeds.chain(config.pushes.iter().map(|push| &push.source)).collect();
    let look = |at: usize| match config.feeds.get(at) {
        Some(feed) => {
            let listed = Connection::open(&feed.source, &cancel).and_then(|mut connection| connection.list());
            listed.map(|listing| Seen::Feed(feed, listing))
        }
        None => {
            let push = &config.pushes[at - config.feeds.len()];
            Outlet::open(&push.source, &cancel).map(|_| Seen::Push(push))
        }
    };
    let (mut ends, mut rows) = (Vec::new(), Vec::new());
    side_by_side(&sources, look, |at, seen| {
        match seen {
            Ok(Seen::Feed(feed, listing)) => rows.extend(of_listing(session, feed, &listing, store)?),
            Ok(Seen::Push(push)) => {
                session.say(format_args!("push {}: reached; {}", push.name, place_of(push)));
            }
            Err(fault @ InboxFault::Stopped) => return Err(fault.into()),
            Err(fault) => {
                let what = if at < config.feeds.len() { "feed" } else { "push" };
                let (name, why) = (&sources[at].feed, printable(&fault.to_string()));
                session.complain(format_args!("error: {what} {name}: {why}"));
                ends.push(exit::of_inbox(&fault, None));
            }
        }
        Ok(())
    })?;
    if session.format() != Format::Table || !rows.is_empty() {
        let mut table = session.table("check", &COLUMNS)?;
        for row in rows {
            table.row(&row)?;
        }
        table.end()?;
    }
    Ok(ends)
}

/// A row for each name; for people not those that were taken already.
fn of_listing(
    session: &Session,
    feed: &Feed,
    listing: &Listing,
    store: Option<&Store>,
) -> Result<Vec<[String; 6]>> {
    let mut rows = Vec::new();
    let mut new = 0_u64;
    for file in &listing.files {
        let state = if taken(feed, file, store)? { State::Taken } else { State::New };
        if state == State::New {
            new += 1;
        }
        if state == State::New || session.format() != Format::Table || session.is_verbose() {
            rows.push([
                feed.name.clone(),
                file.name.clone(),
                file.size.to_string(),
                modified(file),
                state.word().to_owned(),
                String::new(),
            ]);
        }
    }
    for passed in &listing.passed {
        let state = State::Passed.word().to_owned();
        let none = String::new();
        rows.push([feed.name.clone(), passed.name.clone(), none.clone(), none, state, passed.why.clone()]);
    }
    session.say(format_args!(
        "feed {}: reached; {} matching {:?}, {new} of them new; {} passed over",
        feed.name,
        counted(listing.files.len() as u64, "file"),
        feed.source.pattern.text,
        counted(listing.passed.len() as u64, "name")
    ));
    Ok(rows)
}

fn taken(feed: &Feed, file: &Candidate, store: Option<&Store>) -> Result<bool> {
    let Some(store) = store else { return Ok(false) };
    let layout = crate::batch::layout_text(feed.kind, &feed.layout_of(&file.named));
    store.knows_file(&feed.name, &file.name, file.size, file.mtime, &layout)
}

fn modified(file: &Candidate) -> String {
    let instant = file.mtime_seconds().and_then(|seconds| chrono::DateTime::from_timestamp(seconds, 0));
    instant.map(crate::clock::stamp).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_several_ends_the_gravest_is_given() {
        assert_eq!(worst(&[Exit::Done, Exit::Temporary, Exit::Refused]), Exit::Refused);
        assert_eq!(worst(&[Exit::Found, Exit::Temporary]), Exit::Temporary);
        assert_eq!(worst(&[Exit::Found, Exit::Waits]), Exit::Found);
        assert_eq!(worst(&[Exit::Done]), Exit::Done);
    }
}
