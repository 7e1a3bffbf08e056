//! `accrued lines`: the sales lines behind the entries, in the columns of transactions.csv, worked out from facts.

use super::choice;
use super::exit::Exit;
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
use anyhow::Result;
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

const COLUMNS: [Column; 21] = [
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
];
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
    let all = session.families(&config, &store)?;
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
    let mut listing = Listing::begin(session, "lines", &COLUMNS, &FOR_PEOPLE)?;
    for (family, cycle) in &of_cycle {
        let scene = Scene::of(&store, family, choice::day_of(&store, family, session.as_of())?, None)?;
        let mut printing =
            Printing { scene: &scene, cycle: *cycle, format: session.format(), rows: Vec::new() };
        each_dossier(&store, &scene, args.partner.as_deref(), |dossier| {
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
            take(dossier)?;
        }
    }
}

/// Lines of one scheme on their way out.
struct Printing<'p> {
    scene: &'p Scene<'p>,
    cycle: Option<Cycle>,
    format: Format,
    rows: Vec<u8>,
}

impl Printing<'_> {
    fn partner(&mut self, dossier: &Dossier, listing: &mut Listing) -> Result<()> {
        let scene = self.scene;
        self.rows.clear();
        scene.look(dossier, &BTreeSet::new(), |positions, lines| self.render(dossier, positions, lines))?;
        each_row(&self.rows, self.format, |cells| listing.row(cells))
    }

    /// As transactions.csv has them; lines of no cycle after the others.
    fn render(&mut self, dossier: &Dossier, positions: &Positions, lines: &[Line<'_>]) {
        let scene = self.scene;
        let file_name = |seq: i64| scene.file_name(seq);
        for position in &positions.positions {
            if self.cycle.is_none_or(|cycle| cycle == position.cycle) {
                let version = scene.family.scheme(position.version);
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
