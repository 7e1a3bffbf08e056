//! `accrued restore DIR`: a backup put back into a data_dir that has no store, with what was taken after it taken again.

use super::backup::print;
use super::exit::Exit;
use super::session::Session;
use super::summary::counted;
use super::{verify, who};
use crate::job;
use crate::keep::{self, Newer, Restored, Restoring};
use anyhow::Result;
use std::path::PathBuf;

/// Most of one sort that is told.
const TOLD: usize = 10;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A folder that accrued backup has made
    dir: PathBuf,
    /// Leave the store as it was backed up: take nothing again that came after it
    #[arg(long)]
    as_backed_up: bool,
}

pub(super) fn run(session: &Session, args: &Args) -> Result<Exit> {
    let config = session.config()?;
    let turn = job::turn(&config)?;
    let cancel = session.cancel()?;
    let schemes = || session.schemes(&config);
    let done = keep::restore(&Restoring {
        config: &config,
        backup: &args.dir,
        newer: if args.as_backed_up { Newer::Left } else { Newer::Taken },
        schemes: &schemes,
        now: (session.now(), session.as_of()),
        actor: who::user(),
        prove: &verify::faults,
        cancel: &cancel,
    })?;
    drop(turn);
    print(session, "restore", &rows(args, &config.data_dir.display().to_string(), &done))?;
    Ok(tell(session, &done))
}

fn rows(args: &Args, data_dir: &str, done: &Restored) -> Vec<[String; 2]> {
    let row = |item: &str, value: String| [item.to_owned(), value];
    let mut rows = vec![
        row("restored", format!("{} of {} into {data_dir}", args.dir.display(), done.backed_up)),
        row("ledger head", format!("{} {}", done.ledger.0, done.ledger.1)),
        row("journal head", format!("{} {}", done.journal.0, done.journal.1)),
    ];
    if done.records > 0 {
        let runs = counted(done.runs, "run");
        rows.push(row(
            "done again",
            format!("{runs}, by {} of the journal beside the store", counted(done.records, "record")),
        ));
    }
    for (feed, name) in &done.again {
        rows.push(row("taken again", format!("{name} of feed {feed}")));
    }
    if done.placed > 0 {
        rows.push(row("published", format!("{} put in place", counted(done.placed, "folder"))));
    }
    rows
}

/// Says what waits, and how that ends the command.
fn tell(session: &Session, done: &Restored) -> Exit {
    let mut exit = Exit::Done;
    let mut waits = |some: bool| {
        if some && exit == Exit::Done {
            exit = Exit::Waits;
        }
    };
    waits(done.otherwise);
    if done.otherwise {
        session.complain(
            "what was done again came out otherwise than the journal beside the store tells: another version of accrued did it first; \
             that journal is set aside by the next run",
        );
    }
    if done.foreign_journal {
        session.complain("the journal beside the store does not go on from the backup: archived files are taken again by the published manifests");
    }
    some(session, &done.nameless, "is in the archive and known to nobody");
    waits(!done.nameless.is_empty());
    some(session, &done.gone, "is not in the archive");
    waits(!done.gone.is_empty());
    for folder in done.missing.iter().take(TOLD) {
        session.complain(format_args!(
            "{folder}: is gone, and neither the backup nor the archive gives it again"
        ));
    }
    waits(!done.missing.is_empty());
    some(session, &done.differs, "stands with other bytes than were published");
    if !done.nameless.is_empty() {
        session.next("drop files that nobody knows at their feed again, under their names");
    }
    if !done.gone.is_empty() || !done.missing.is_empty() {
        session.next(
            "copy archive/ and statements/ of data_dir from wherever they are kept, then accrued verify",
        );
    }
    if done.stopped > 0 {
        session.next("nothing is published until what stands in the way is moved away: then accrued run puts the right folders in place");
    }
    if done.differs.is_empty() {
        if exit == Exit::Done {
            session.next("accrued verify proves it with all its files; accrued run goes on");
        }
        return exit;
    }
    Exit::Failed
}

fn some(session: &Session, which: &[(String, String)], how: &str) {
    for (what, why) in which.iter().take(TOLD) {
        session.complain(format_args!("{what}: {how} ({why})"));
    }
    if which.len() > TOLD {
        session.complain(format_args!("and {} more", which.len() - TOLD));
    }
}
