//! `accrued ledger`: the entries of the points ledger, in the order posted.

use super::choice;
use super::exit::Exit;
use super::known::{known, last_entry};
use super::listing::{Listing, Titled};
use super::output::{Column, count, number, text};
use super::session::Session;
use super::shown::Shown;
use crate::domain::entry::Entry;
use crate::store::ledger::Wanted;
use anyhow::Result;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Only this partner's
    #[arg(long, value_name = "P")]
    partner: Option<String>,
    /// Only those of this scheme
    #[arg(long, value_name = "S")]
    scheme: Option<String>,
    /// Only those of this cycle
    #[arg(long, value_name = "C")]
    cycle: Option<String>,
}

const COLUMNS: [Column; 18] = [
    count("entry"),
    text("posted_at"),
    text("posting_date"),
    text("scheme"),
    text("cycle"),
    text("partner_code"),
    text("kind"),
    number("points"),
    number("amount"),
    text("tier"),
    text("reference"),
    text("against"),
    text("expires_on"),
    text("reason"),
    count("run"),
    text("actor"),
    text("scheme_version"),
    text("hash"),
];
const FOR_PEOPLE: [Titled; 9] = [
    ("entry", "entry"),
    ("posting_date", "date"),
    ("scheme", "scheme"),
    ("cycle", "cycle"),
    ("partner_code", "partner"),
    ("kind", "kind"),
    ("points", "points"),
    ("tier", "tier"),
    ("reason", "reason"),
];

pub(super) fn run(session: &Session, args: &Args) -> Result<Exit> {
    let config = session.config()?;
    let store = session.store(&config)?;
    let shown = Shown::of(&store)?;
    let wanted = Wanted {
        partner: args.partner.clone(),
        scheme: args.scheme.clone(),
        cycle: args.cycle.clone(),
        after: 0,
        upto: Some(last_entry(&store, known(session, &store)?)?),
    };
    let mut listing = Listing::begin(session, "ledger", &COLUMNS, &FOR_PEOPLE)?;
    store.each_entry(&wanted, |entry| listing.row(&cells(&entry, &shown)))?;
    let rows = listing.end(session)?;
    if let (0, Some(partner)) = (rows, &args.partner)
        && let Some(why) = choice::unknown_partner(&store, partner)?
    {
        session.say(why);
    }
    Ok(Exit::Done)
}

fn cells(entry: &Entry, shown: &Shown) -> [String; 18] {
    [
        entry.entry.to_string(),
        entry.posted_at.clone(),
        entry.posting_date.to_string(),
        entry.scheme.clone(),
        entry.cycle.clone(),
        entry.partner_code.clone(),
        entry.kind.word().to_owned(),
        shown.points(&entry.scheme_version, entry.points),
        shown.measure(&entry.scheme_version, entry.amount),
        entry.tier.clone(),
        entry.reference.clone(),
        entry.against.clone(),
        entry.expires_on.map(|day| day.to_string()).unwrap_or_default(),
        entry.reason.clone(),
        entry.run.to_string(),
        entry.actor.clone(),
        entry.scheme_version.clone(),
        entry.hash.clone(),
    ]
}
