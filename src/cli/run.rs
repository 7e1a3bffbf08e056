//! `accrued run`: one run, and what it did.

use super::exit::Exit;
use super::session::Session;
use crate::batch::{self, Fetch, Order, Progress};
use anyhow::Result;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Only this feed; may be given several times
    #[arg(long, value_name = "N")]
    feed: Vec<String>,
    /// Work with what the store has, without looking at any feed
    #[arg(long, conflicts_with = "feed")]
    offline: bool,
}

pub(super) fn run(session: &Session, args: &Args) -> Result<Exit> {
    let config = session.config()?;
    let schemes = session.schemes(&config)?;
    let _lock = session.lock(&config)?;
    let order = Order {
        now: session.now(),
        clock: session.clock(),
        feeds: args.feed.clone(),
        fetch: if args.offline { Fetch::Nothing } else { Fetch::Feeds },
        close: None,
        actor: "accrued".into(),
        cancel: session.cancel()?,
        progress: Progress::default(),
    };
    let report = batch::run(&config, schemes, &order)?;
    session.say(format_args!("{report:#?}"));
    Ok(report.exit().into())
}
