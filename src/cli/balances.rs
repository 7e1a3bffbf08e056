//! `accrued balances`: the wallets.

use super::choice;
use super::exit::Exit;
use super::known::{known, last_entry};
use super::listing::{Listing, Titled};
use super::output::{Column, number, text};
use super::session::Session;
use super::shown::{Shown, worth};
use crate::scheme::Family;
use crate::store::ledger::Wallet;
use anyhow::Result;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Only this partner's
    #[arg(long, value_name = "P")]
    partner: Option<String>,
    /// Only those of this scheme
    #[arg(long, value_name = "S")]
    scheme: Option<String>,
}

const COLUMNS: [Column; 9] = [
    text("scheme"),
    text("partner_code"),
    number("accumulated"),
    number("redeemed"),
    number("reserved"),
    number("expired"),
    number("available"),
    text("tier"),
    number("value"),
];
const FOR_PEOPLE: [Titled; 9] = [
    ("scheme", "scheme"),
    ("partner_code", "partner"),
    ("accumulated", "accumulated"),
    ("redeemed", "redeemed"),
    ("reserved", "reserved"),
    ("expired", "expired"),
    ("available", "available"),
    ("tier", "tier"),
    ("value", "value"),
];

pub(super) fn run(session: &Session, args: &Args) -> Result<Exit> {
    let config = session.config()?;
    let store = session.store(&config)?;
    let families = session.schemes(&config)?.families;
    let shown = Shown::of(&store)?;
    let upto = last_entry(&store, known(session, &store)?)?;
    let mut listing = Listing::begin(session, "balances", &COLUMNS, &FOR_PEOPLE)?;
    store.each_wallet_upto(args.partner.as_deref(), upto, |wallet| {
        if args.scheme.as_ref().is_none_or(|scheme| *scheme == wallet.scheme) {
            listing.row(&cells(&wallet, &families, &shown))?;
        }
        Ok(())
    })?;
    let rows = listing.end(session)?;
    if let (0, Some(partner)) = (rows, &args.partner)
        && let Some(why) = choice::unknown_partner(&store, partner)?
    {
        session.say(why);
    }
    Ok(Exit::Done)
}

fn cells(wallet: &Wallet, families: &[Family], shown: &Shown) -> [String; 9] {
    let points = |points| shown.wallet(&wallet.scheme, points);
    [
        wallet.scheme.clone(),
        wallet.partner_code.clone(),
        points(wallet.accumulated),
        points(wallet.redeemed),
        points(wallet.reserved),
        points(wallet.expired),
        points(wallet.available),
        wallet.tier.clone(),
        worth(families, &wallet.scheme, wallet.available),
    ]
}
