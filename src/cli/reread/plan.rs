//! What reading again changes: worked out by doing it on a copy of the store.

use crate::batch::{self, Order, RealSchemes, Report};
use crate::cli::listing::{Listing, Titled};
use crate::cli::moved::{Moved, moved};
use crate::cli::output::{Column, count, number, text};
use crate::cli::scratch::Scratch;
use crate::cli::session::Session;
use crate::config::Config;
use crate::scheme::Family;
use crate::store::Store;
use crate::store::files::FileRow;
use anyhow::Result;

const PREFIX: &str = ".dry-run-";

const COLUMNS: [Column; 16] = [
    text("section"),
    text("feed"),
    text("file"),
    text("state"),
    count("rows"),
    count("accepted"),
    count("duplicate"),
    count("superseding"),
    count("outdated"),
    count("held"),
    count("rejected"),
    text("scheme"),
    text("cycle"),
    count("partners"),
    number("measure"),
    number("points"),
];

const FOR_PEOPLE: [Titled; 13] = [
    ("section", ""),
    ("file", "file"),
    ("state", "state"),
    ("rows", "rows"),
    ("accepted", "accepted"),
    ("duplicate", "duplicate"),
    ("held", "held"),
    ("rejected", "rejected"),
    ("scheme", "scheme"),
    ("cycle", "cycle"),
    ("partners", "partners"),
    ("measure", "measure"),
    ("points", "points"),
];

/// Does it on a copy, and prints what that changes.
pub(super) fn work_out(
    session: &Session,
    config: &Config,
    store: &Store,
    schemes: RealSchemes,
    order: &Order,
    files: &[FileRow],
) -> Result<Report> {
    let scratch = Scratch::begin(&config.data_dir, PREFIX)?;
    drop(scratch.copy(store)?);
    scratch.lead_to_archive(&config.data_dir)?;
    let rehearsed = scratch.rehearsing(config);
    let families = schemes.families.clone();
    let report = batch::run(&rehearsed, schemes, order)?;
    let after = session.store(&rehearsed)?;
    let mut table = Listing::begin(session, "reread", &COLUMNS, &FOR_PEOPLE)?;
    for before in files {
        table.row(&reading("before", before))?;
        let mut again = after.ingested_bytes(&before.arrival.sha256)?.into_iter();
        let again = again.rfind(|row| row.seq > before.seq && row.arrival.feed == before.arrival.feed);
        let refused = || -> Result<Option<FileRow>> {
            let mut all = after.files(Some(&before.arrival.name))?.into_iter();
            Ok(all.rfind(|row| row.run == report.run && row.arrival.sha256 == before.arrival.sha256))
        };
        if let Some(again) = again.map_or_else(refused, |row| Ok(Some(row)))? {
            table.row(&reading("after", &again))?;
        }
    }
    for family in &families {
        for moved in moved(store, &after, family)? {
            table.row(&cells(&moved, family))?;
        }
    }
    table.end(session)?;
    Ok(report)
}

fn reading(section: &str, file: &FileRow) -> [String; 16] {
    let counts = &file.counts;
    let blank = String::new;
    [
        section.to_owned(),
        file.arrival.feed.clone(),
        file.arrival.name.clone(),
        file.state.word().to_owned(),
        counts.rows.to_string(),
        counts.accepted.to_string(),
        counts.duplicate.to_string(),
        counts.superseding.to_string(),
        counts.outdated.to_string(),
        counts.held.to_string(),
        counts.rejected.to_string(),
        blank(),
        blank(),
        blank(),
        blank(),
        blank(),
    ]
}

fn cells(moved: &Moved, family: &Family) -> [String; 16] {
    let mut cells: [String; 16] = Default::default();
    cells[0] = "moved".to_owned();
    cells[11].clone_from(&family.id);
    cells[12] = moved.name(family);
    cells[13] = moved.partners.to_string();
    cells[14] = moved.measure.normalize().to_string();
    cells[15] = moved.shown(family);
    cells
}
