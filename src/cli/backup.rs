//! `accrued backup DIR`: a copy of the store, proved, in a folder that appears whole; while runs go on.

use super::exit::Exit;
use super::output::{Column, Format, printable, text};
use super::session::Session;
use super::summary::counted;
use super::verify;
use crate::keep::{self, Backup, Copies, Look};
use anyhow::Result;
use std::io::Write;
use std::path::{Path, PathBuf};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A folder that is not there yet, or empty
    dir: PathBuf,
    /// Also copy every archived and published file into it (on the same file system they take no room there)
    #[arg(long)]
    with_files: bool,
    /// Read and hash every archived file, instead of looking at its size
    #[arg(long)]
    deep: bool,
}

pub(super) fn run(session: &Session, args: &Args) -> Result<Exit> {
    let config = session.config()?;
    let copies = if args.with_files { Copies::Within } else { Copies::Listed };
    let look = if args.deep { Look::Bytes } else { Look::Sizes };
    let done =
        keep::backup(&config.data_dir, &args.dir, (copies, look), &verify::faults, &session.cancel()?)?;
    print(session, "backup", &rows(&args.dir, copies, &done))?;
    for (path, how) in done.amiss.iter().take(10) {
        session.complain(format_args!("archive: {path}: {how}"));
    }
    if !done.amiss.is_empty() {
        session.complain(format_args!(
            "the backup is whole, but {} of the archive {} not as listed",
            counted(done.amiss.len() as u64, "file"),
            if done.amiss.len() == 1 { "is" } else { "are" }
        ));
        session
            .next("accrued verify files tells them all; without them what came in them cannot be read again");
        return Ok(Exit::Waits);
    }
    if copies == Copies::Listed {
        session.next("archive/ and statements/ are not in it: any program that copies files keeps them, or --with-files does");
    }
    Ok(Exit::Done)
}

fn rows(dir: &Path, copies: Copies, done: &Backup) -> Vec<[String; 2]> {
    let row = |item: &str, value: String| [item.to_owned(), value];
    let mut rows = vec![
        row("backup", format!("{}, verified", dir.display())),
        row("ledger head", format!("{} {}", done.ledger.0, done.ledger.1)),
        row("journal head", format!("{} {}", done.journal.0, done.journal.1)),
    ];
    let held = match copies {
        Copies::Listed => "listed",
        Copies::Within => "copied",
    };
    rows.push(row("archive", format!("{} of {} bytes {held}", counted(done.files, "file"), done.bytes)));
    if let Some(run) = done.unfinished {
        let how = format!(
            "run {run} had not finished: what it has committed is in it, and after a restore the next run goes on"
        );
        rows.push(row("note", how));
    }
    rows
}

const COLUMNS: [Column; 2] = [text("item"), text("value")];

/// Two columns, of backup and of restore.
pub(super) fn print(session: &Session, command: &'static str, rows: &[[String; 2]]) -> Result<()> {
    if session.format() != Format::Table {
        let mut table = session.table(command, &COLUMNS)?;
        for row in rows {
            table.row(row)?;
        }
        return table.end().map(drop);
    }
    let mut out = std::io::stdout().lock();
    for [item, value] in rows {
        writeln!(out, "{item:<14}{}", printable(value))?;
    }
    Ok(out.flush()?)
}
