//! `accrued statement`: one partner's account, as in statement.csv.
//!
//! What is published is read where it is published. After the last statement come the entries since, as the next one will
//! have them.

use super::choice;
use super::exit::{Exit, Fault};
use super::known::{self, Known};
use super::lines::{each_row, unguarded};
use super::listing::{Listing, Titled};
use super::output::{Column, Format, count, number, text};
use super::session::Session;
use crate::calendar::Cycle;
use crate::domain::entry::Entry;
use crate::domain::points::Points;
use crate::scheme::Family;
use crate::statement::account::{Posted, Standing, Statement};
use crate::statement::papers::Partner;
use crate::store::Store;
use crate::store::cycles::{Closed, Publication};
use crate::store::ledger::Wanted;
use anyhow::{Context, Result};
use std::path::Path;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Whose
    partner: String,
    /// In which scheme [default: the only one that the partner is in]
    #[arg(long, value_name = "S")]
    scheme: Option<String>,
    /// Only the statement of this cycle [default: all of them, and the entries since]
    #[arg(long, value_name = "C")]
    cycle: Option<String>,
}

const COLUMNS: [Column; 14] = [
    text("partner_code"),
    text("partner_name"),
    text("date"),
    text("kind"),
    text("cycle"),
    text("reference"),
    text("description"),
    number("amount"),
    number("credit"),
    number("debit"),
    number("balance"),
    text("tier"),
    text("expires_on"),
    count("entry"),
];
/// Which of them is the tier.
const TIER: usize = 11;
const FOR_PEOPLE: [Titled; 8] = [
    ("date", "date"),
    ("cycle", "cycle"),
    ("description", "description"),
    ("amount", "amount"),
    ("credit", "credit"),
    ("debit", "debit"),
    ("balance", "balance"),
    ("tier", "tier"),
];

pub(super) fn run(session: &Session, args: &Args) -> Result<Exit> {
    let config = session.config()?;
    let store = session.store(&config)?;
    choice::known_partner(&store, &args.partner)?;
    let known = known::known(session, &store)?;
    let families = known::families(session, &config, &store, known)?;
    let family = choice::family_of(&store, &families, &args.partner, args.scheme.as_deref())?;
    let asked = args.cycle.as_ref().map(|name| choice::cycle(family, name)).transpose()?;
    let account = Account { session, store: &store, family, partner: &args.partner, known };
    let (published, open) = account.parts(asked)?;
    let mut listing = Listing::begin(session, "statement", &COLUMNS, &FOR_PEOPLE)?;
    let file = |publication: &Publication| config.data_dir.join(&publication.folder).join("statement.csv");
    for publication in &published {
        account.published(&file(publication), |cells| listing.row(cells))?;
    }
    if let Some(open) = open {
        let mut tier = String::new();
        if let Some(last) = account.statements()?.last() {
            account.published(&file(last), |cells| {
                tier = cells.get(TIER).map_or(String::new(), |tier| unguarded(tier).to_owned());
                Ok(())
            })?;
        }
        account.since(open, &tier, published.is_empty(), &mut listing)?;
    }
    if listing.end(session)? == 0 {
        session.say(format_args!("partner {} has no account in scheme {} yet", args.partner, family.id));
    }
    Ok(Exit::Done)
}

/// Whose account, and where it is from.
struct Account<'a> {
    session: &'a Session,
    store: &'a Store,
    family: &'a Family,
    partner: &'a str,
    known: Known,
}

impl Account<'_> {
    /// The statements asked for, and the open cycle whose entries so far are.
    fn parts(&self, asked: Option<Cycle>) -> Result<(Vec<Publication>, Option<Cycle>)> {
        let first = &self.family.versions[0];
        let mut published = self.statements()?;
        let open = match self.closed()?.last() {
            Some(closed) => first.calendar.next(Cycle(closed.cycle)),
            None => first.calendar.cycle_of(first.starts),
        };
        let Some(cycle) = asked else { return Ok((published, Some(open))) };
        if cycle == open {
            return Ok((Vec::new(), Some(open)));
        }
        published.retain(|one| one.cycle == cycle.0);
        if published.is_empty() {
            return Err(Fault::failed(format!(
                "cycle {} of scheme {} has no statement; the next one that closes is {}",
                first.calendar.name(cycle),
                self.family.id,
                first.calendar.name(open)
            )));
        }
        Ok((published, None))
    }

    /// Every statement of the scheme, in order.
    fn statements(&self) -> Result<Vec<Publication>> {
        let mut published = self.store.publications(None)?;
        let known = self.known.unwrap_or(i64::MAX);
        let ours = |one: &Publication| one.scheme == self.family.id && one.seq <= known;
        published.retain(|one| ours(one) && one.folder.ends_with("/statement"));
        Ok(published)
    }

    fn closed(&self) -> Result<Vec<Closed>> {
        self.store.closed_upto(&self.family.id, self.known.unwrap_or(i64::MAX))
    }

    /// The partner's rows of a published statement, as they stand.
    fn published(&self, file: &Path, mut take: impl FnMut(&[&str]) -> Result<()>) -> Result<()> {
        let bytes = std::fs::File::open(file).with_context(|| {
            format!(
                "{} is recorded as published but cannot be read: `accrued verify statements` says what else is gone",
                file.display()
            )
        })?;
        let mut reader = csv::Reader::from_reader(std::io::BufReader::new(bytes));
        let mut record = csv::StringRecord::new();
        let is_csv = self.session.format() == Format::Csv;
        while reader.read_record(&mut record).with_context(|| format!("cannot read {}", file.display()))? {
            if record.get(0).map(unguarded) != Some(self.partner) {
                continue;
            }
            let cells: Vec<&str> =
                record.iter().map(|cell| if is_csv { cell } else { unguarded(cell) }).collect();
            take(&cells)?;
        }
        Ok(())
    }

    /// The entries since the last statement, as the next one will have them if nothing else comes.
    fn since(&self, open: Cycle, opening_tier: &str, first: bool, listing: &mut Listing) -> Result<()> {
        let upto = self.statements()?.iter().map(|one| one.entry).max().unwrap_or(0);
        let wanted = Wanted {
            upto: Some(known::last_entry(self.store, self.known)?),
            partner: Some(self.partner.to_owned()),
            scheme: Some(self.family.id.clone()),
            ..Wanted::default()
        };
        let mut opening = 0_i64;
        let mut entries: Vec<Entry> = Vec::new();
        self.store.each_entry(&wanted, |entry| {
            if entry.entry > upto {
                entries.push(entry);
            } else {
                opening = opening.checked_add(entry.points.0).context("the balance has too many digits")?;
            }
            Ok(())
        })?;
        if entries.is_empty() && !first {
            return Ok(());
        }
        let version = self.family.version_for(open).unwrap_or(&self.family.versions[0]);
        let name = version.calendar.name(open);
        let day = choice::day_of(self.store, self.family, self.session.as_of())?;
        let opened_on = self.closed()?.last().map(|closed| closed.day);
        let position = self.store.position(&self.family.id, open.0, self.partner)?;
        let closing_tier = position.map_or(String::new(), |position| position.tier);
        let standing = Standing { opening: Points(opening), opening_tier, closing_tier: &closing_tier };
        let posted: Vec<Posted<'_>> = entries.iter().map(Posted::from).collect();
        let partner_name = self.store.name_of(&self.family.id, self.partner)?;
        let partner = Partner { code: self.partner, name: &partner_name };
        let mut rows = Vec::new();
        Statement::new(version, &name, opened_on, day).account(&mut rows, partner, standing, &posted)?;
        each_row(&rows, self.session.format(), |cells| listing.row(cells))
    }
}
