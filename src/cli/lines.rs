//! `accrued lines`: the sales lines behind the entries, in the columns of transactions.csv, worked out from facts. With `--as-of`
//! also from which run each is in force and, where that is over by now, until which.

use super::choice;
use super::exit::Exit;
use super::known::{self, Known};
use super::lifetimes::{Lifetimes, Said};
use super::listing::{Listing, Titled};
use super::output::{Column, Format, count, number, text};
use super::session::Session;
use super::worked::Scene;
use crate::calendar::Cycle;
use crate::evaluate::Positions;
use crate::facts::dossier::Dossier;
use crate::facts::settle::Line;
use crate::statement::papers::Papers;
use crate::store::Store;
use anyhow::{Context, Result};
use std::collections::BTreeSet;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Only this partner's
    #[arg(long, value_name = "P")]
    partner: Option<String>,
    /// Only those of this cycle
    #[arg(long, value_name = "C")]
    cycle: Option<String>,
    /// As this scheme sees them; else as each scheme does, one after the other
    #[arg(long, value_name = "S")]
    scheme: Option<String>,
}

/// Those of transactions.csv, and those that are told beside them with `--as-of`.
const COLUMNS: [Column; 25] = [
    text("partner_code"),
    text("doc_type"),
    text("invoice_no"),
    text("line_no"),
    text("invoice_date"),
    text("business_date"),
    text("distributor_code"),
    text("distributor_name"),
    text("channel"),
    text("sku"),
    text("category"),
    number("quantity"),
    number("amount"),
    text("currency"),
    number("scheme_amount"),
    text("counts"),
    text("why_not"),
    text("note"),
    number("points"),
    text("file"),
    count("file_line"),
    count("since_run"),
    text("since"),
    count("until_run"),
    text("until"),
];
/// How many of them transactions.csv has.
const OF_PAPERS: usize = 21;
const FOR_PEOPLE: [Titled; 10] = [
    ("partner_code", "partner"),
    ("business_date", "date"),
    ("invoice_no", "invoice"),
    ("line_no", "line"),
    ("sku", "sku"),
    ("amount", "amount"),
    ("points", "points"),
    ("why_not", "why not"),
    ("file", "file"),
    ("file_line", "row"),
];

/// Partners whose facts are read at once.
const BATCH: usize = 32;

pub(super) fn run(session: &Session, args: &Args) -> Result<Exit> {
    let config = session.config()?;
    let store = session.store(&config)?;
    let known = known::known(session, &store)?;
    let all = known::families(session, &config, &store, known)?;
    let families = choice::families(&all, args.scheme.as_deref())?;
    let mut of_cycle = Vec::new();
    for family in &families {
        match &args.cycle {
            None => of_cycle.push((*family, None)),
            Some(name) => match (choice::cycle(family, name), families.len()) {
                (Ok(cycle), _) => of_cycle.push((*family, Some(cycle))),
                (Err(fault), 1) => return Err(fault),
                (Err(_), _) => {}
            },
        }
    }
    let columns = if session.as_of().is_some() { COLUMNS.len() } else { OF_PAPERS };
    let mut listing = Listing::begin(session, "lines", &COLUMNS[..columns], &FOR_PEOPLE)?;
    for (family, cycle) in &of_cycle {
        let scene = Scene::of(&store, family, choice::day_of(&store, family, session.as_of())?, known)?;
        let mut printing = Printing {
            scene: &scene,
            cycle: *cycle,
            format: session.format(),
            rows: Vec::new(),
            said: Vec::new(),
            lifetimes: Lifetimes::of(&store, known),
            columns,
        };
        each_dossier(&store, &scene, known, args.partner.as_deref(), |dossier| {
            printing.partner(dossier, &mut listing)
        })?;
    }
    let rows = listing.end(session)?;
    if let (0, Some(partner)) = (rows, &args.partner)
        && let Some(why) = choice::unknown_partner(&store, partner)?
    {
        session.say(why);
    }
    if rows > 0 && of_cycle.len() > 1 {
        session.next("a line is listed once for each scheme: --scheme S narrows it down");
    }
    Ok(Exit::Done)
}

fn each_dossier(
    store: &Store,
    scene: &Scene<'_>,
    known: Known,
    partner: Option<&str>,
    mut take: impl FnMut(&Dossier) -> Result<()>,
) -> Result<()> {
    if let Some(partner) = partner {
        return take(&scene.dossier(store, partner)?);
    }
    let mut after = String::new();
    loop {
        let dossiers = store.dossiers_after(&after, BATCH)?;
        let Some(last) = dossiers.last() else { return Ok(()) };
        after.clone_from(&last.partner);
        for dossier in &dossiers {
            match known {
                None => take(dossier)?,
                Some(_) => take(&scene.dossier(store, &dossier.partner)?)?,
            }
        }
    }
}

/// Lines of one scheme on their way out.
struct Printing<'p> {
    scene: &'p Scene<'p>,
    cycle: Option<Cycle>,
    format: Format,
    rows: Vec<u8>,
    /// of each row, where it was said
    said: Vec<Said>,
    lifetimes: Lifetimes<'p>,
    columns: usize,
}

impl Printing<'_> {
    fn partner(&mut self, dossier: &Dossier, listing: &mut Listing) -> Result<()> {
        let scene = self.scene;
        self.rows.clear();
        self.said.clear();
        let ends = scene.look(dossier, &BTreeSet::new(), |positions, lines| {
            self.render(dossier, positions, lines);
            self.lifetimes.ends(scene, &dossier.partner, lines)
        })??;
        if self.columns == OF_PAPERS {
            return each_row(&self.rows, self.format, |cells| listing.row(cells));
        }
        let mut said = self.said.iter();
        let lifetimes = &mut self.lifetimes;
        each_row(&self.rows, self.format, |cells| {
            let said = *said.next().context("a line has a file")?;
            let life = lifetimes.cells(said, ends.get(&said).copied())?;
            let mut row = cells.to_vec();
            row.extend(life.iter().map(String::as_str));
            listing.row(&row)
        })
    }

    /// As transactions.csv has them; lines of no cycle after the others.
    fn render(&mut self, dossier: &Dossier, positions: &Positions, lines: &[Line<'_>]) {
        let scene = self.scene;
        let file_name = |seq: i64| scene.file_name(seq);
        for position in &positions.positions {
            if self.cycle.is_none_or(|cycle| cycle == position.cycle) {
                let version = scene.family.scheme(position.version);
                self.said.extend(said(position.lines.iter().map(|outcome| outcome.line), lines));
                Papers::new(version, "").transaction_rows(
                    &mut self.rows,
                    &dossier.partner,
                    position,
                    lines,
                    &file_name,
                );
            }
        }
        if self.cycle.is_none() {
            let version = &scene.family.versions[0];
            self.said.extend(said(positions.outside.iter().map(|outside| outside.line), lines));
            Papers::new(version, "").outside_rows(
                &mut self.rows,
                &dossier.partner,
                &positions.outside,
                lines,
                &file_name,
            );
        }
    }
}

/// Where lines were said, in the order of their rows.
fn said<'l>(at: impl Iterator<Item = usize> + 'l, lines: &'l [Line<'_>]) -> impl Iterator<Item = Said> + 'l {
    at.filter_map(|at| lines.get(at)).map(|line| (line.seq, line.row.file_line))
}

/// Rows of a published file as cells. The guard against spreadsheets stays in csv alone.
pub(super) fn each_row(
    rows: &[u8],
    format: Format,
    mut take: impl FnMut(&[&str]) -> Result<()>,
) -> Result<()> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(rows);
    let mut record = csv::StringRecord::new();
    while reader.read_record(&mut record)? {
        let cells: Vec<&str> = match format {
            Format::Csv => record.iter().collect(),
            Format::Table | Format::Json => record.iter().map(unguarded).collect(),
        };
        take(&cells)?;
    }
    Ok(())
}

/// A text cell as it was before the guard.
pub(super) fn unguarded(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(rest) if rest.starts_with(['=', '+', '-', '@', '\t', '\r']) => rest,
        Some(_) | None => cell,
    }
}
