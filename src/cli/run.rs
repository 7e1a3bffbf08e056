//! `accrued run`: one run, and what it did.

use super::exit::{Exit, Fault};
use super::session::Session;
use super::{dry_run, progress, summary};
use crate::batch::{self, Fetch, Order, RealSchemes};
use crate::config::Config;
use crate::{fault, job};
use anyhow::Result;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Only this feed; may be given several times
    #[arg(long, value_name = "N")]
    feed: Vec<String>,
    /// Work with what the store has, without looking at any feed; no cycle closes
    #[arg(long, conflicts_with = "feed")]
    offline: bool,
    /// Do it all on a copy of the store that is thrown away, and say what would be posted
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(session: &Session, args: &Args) -> Result<Exit> {
    let config = session.config()?;
    known_feeds(&config, &args.feed)?;
    let fetch = if args.offline { Fetch::Nothing } else { Fetch::Feeds };
    let watching = progress::watch(session);
    let order = Order {
        now: session.now(),
        clock: session.clock(),
        feeds: args.feed.clone(),
        fetch,
        close: None,
        actor: "accrued".into(),
        cancel: session.cancel()?,
        progress: watching.progress(),
        reread: None,
        replay: None,
        slot: None,
    };
    let schemes = match ready(session, &config, fetch) {
        Ok(schemes) => schemes,
        Err(fault) => {
            if let (false, Ok(turn)) = (args.dry_run || !config.data_dir.is_dir(), job::turn(&config)) {
                turn.cannot_begin(&config, &order, &fault);
            }
            return Err(fault);
        }
    };
    if args.dry_run {
        return dry_run::run(session, &config, schemes, order, watching);
    }
    let report = job::turn(&config)?.run(&config, schemes, &order)?;
    watching.end();
    summary::print(session, &config, &report, summary::Tense::Done)?;
    Ok(report.exit().into())
}

/// The schemes, once everything that a run needs is there.
fn ready(session: &Session, config: &Config, fetch: Fetch) -> Result<RealSchemes> {
    let schemes = session.schemes(config)?;
    if fetch == Fetch::Feeds {
        config.ready_to_fetch().map_err(|faults| batch::Invalid(vec![faults]))?;
    }
    Ok(schemes)
}

/// A feed that the config does not have is a slip of the person who typed it.
fn known_feeds(config: &Config, wanted: &[String]) -> Result<()> {
    let Some(name) = wanted.iter().find(|name| config.feed(name).is_none()) else { return Ok(()) };
    let known: Vec<&str> = config.feeds.iter().map(|feed| feed.name.as_str()).collect();
    let near = fault::nearest(name, &known).map(|near| format!(" (did you mean {near}?)"));
    Err(Fault::usage(format!(
        "{} has no feed {name:?}{}; its feeds are: {}",
        config.path.display(),
        near.unwrap_or_default(),
        known.join(", ")
    )))
}
