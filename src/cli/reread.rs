//! `accrued reread FILE | --feed N`: archived bytes are read anew after a setting was mended. What that changes is worked out
//! on a copy first and told; then it is done.

mod choosing;
mod plan;

use super::exit::{Exit, Fault};
use super::output::Format;
use super::session::Session;
use super::{progress, summary, who};
use crate::batch::{Fetch, Order, Reread};
use crate::job;
use crate::store::ClockMode;
use anyhow::{Context, Result};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A file's name, or the first digits of its SHA-256 (see accrued files)
    #[arg(required_unless_present = "feed")]
    file: Option<String>,
    /// Every file of this feed that speaks or was refused; with FILE: only of this feed
    #[arg(long, value_name = "N")]
    feed: Option<String>,
    /// Why: kept in the journal
    #[arg(long, value_name = "R", default_value = "")]
    reason: String,
    /// Only say what it would change
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(session: &Session, args: &Args) -> Result<Exit> {
    let config = session.config()?;
    let schemes = session.schemes(&config)?;
    let store = session.store(&config)?;
    let files = choosing::choose(&config, &store, args.file.as_deref(), args.feed.as_deref())?;
    let (mode, _) = store.clock()?.context("there was no run yet: nothing was read")?;
    if mode == ClockMode::Real && session.as_of().is_some() && !args.dry_run {
        return Err(Fault::usage(
            "this store lives by the machine's clock: --as-of only rehearses on it (accrued reread --dry-run --as-of ...)",
        ));
    }
    let watching = progress::watch(session);
    let order = Order {
        now: session.now_for(&store)?,
        clock: mode,
        feeds: Vec::new(),
        fetch: Fetch::Nothing,
        close: None,
        reread: Some(Reread {
            files: files.iter().map(|file| file.seq).collect(),
            reason: args.reason.clone(),
        }),
        actor: who::user(),
        cancel: session.cancel()?,
        progress: watching.progress(),
        replay: None,
        slot: None,
    };
    let turn = if args.dry_run { None } else { Some(job::turn(&config)?) };
    let planned = plan::work_out(session, &config, &store, schemes.clone(), &order, &files)?;
    drop(store);
    let report = match turn {
        None => {
            session.next("accrued reread, without --dry-run, does it");
            planned
        }
        Some(turn) => turn.run(&config, schemes, &order)?,
    };
    watching.end();
    let tense = if args.dry_run { summary::Tense::Would } else { summary::Tense::Done };
    match session.asked_format() {
        // the plan is the data
        Some(Format::Csv | Format::Json) => {}
        Some(Format::Table) | None => summary::print(session, &config, &report, tense)?,
    }
    Ok(report.exit().into())
}
