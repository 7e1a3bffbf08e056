//! `accrued close SCHEME CYCLE --reason R`: closes a cycle without a file that will not come.

use super::exit::{Exit, Fault};
use super::session::Session;
use super::{progress, summary, who};
use crate::batch::{CloseByHand, Fetch, Order};
use crate::calendar::Cycle;
use crate::scheme::Family;
use crate::store::Store;
use crate::{fault, job};
use anyhow::{Context, Result};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The scheme's id
    scheme: String,
    /// The cycle's name
    cycle: String,
    /// Why it closes without its files: kept in the journal
    #[arg(long, value_name = "R")]
    reason: String,
}

pub(super) fn run(session: &Session, args: &Args) -> Result<Exit> {
    if args.reason.trim().is_empty() {
        return Err(Fault::usage("--reason is empty: say why the cycle closes without its files"));
    }
    let config = session.config()?;
    let schemes = session.schemes(&config)?;
    let turn = job::turn(&config)?;
    let store = session.store_if_any(&config)?;
    let families: Vec<&Family> = schemes.families.iter().collect();
    let family = family(&families, &args.scheme)?;
    can_close(session, store.as_ref(), family, args)?;
    drop(store);
    let watching = progress::watch(session);
    let order = Order {
        now: session.now(),
        clock: session.clock(),
        feeds: Vec::new(),
        fetch: Fetch::Nothing,
        close: Some(CloseByHand {
            scheme: args.scheme.clone(),
            cycle: args.cycle.clone(),
            reason: args.reason.clone(),
        }),
        actor: who::user(),
        cancel: session.cancel()?,
        progress: watching.progress(),
        reread: None,
        replay: None,
        slot: None,
    };
    let report = turn.run(&config, schemes, &order)?;
    watching.end();
    summary::print(session, &config, &report, summary::Tense::Done)?;
    Ok(report.exit().into())
}

/// The scheme with an id.
pub(super) fn family<'f>(families: &[&'f Family], id: &str) -> Result<&'f Family> {
    if let Some(family) = families.iter().find(|family| family.id == id) {
        return Ok(family);
    }
    let known: Vec<&str> = families.iter().map(|family| family.id.as_str()).collect();
    let near = fault::nearest(id, &known).map(|near| format!(" (did you mean {near}?)")).unwrap_or_default();
    Err(Fault::failed(format!("there is no scheme {id:?}{near}; the schemes are: {}", known.join(", "))))
}

/// Refuses a cycle that cannot close now, and says what can be done.
fn can_close(session: &Session, store: Option<&Store>, family: &Family, args: &Args) -> Result<()> {
    let first = family.versions.first().context("a scheme has at least one version")?;
    let calendar = first.calendar;
    let cycle = calendar.parse(&args.cycle).ok_or_else(|| {
        Fault::failed(format!(
            "{:?} is no cycle of scheme {}: its cycles are named like {}",
            args.cycle,
            family.id,
            calendar.name(calendar.cycle_of(first.starts))
        ))
    })?;
    let closed = store.map(|store| store.closed(&family.id)).transpose()?.unwrap_or_default();
    if let Some(before) = closed.iter().find(|before| before.cycle == cycle.0) {
        return Err(Fault::failed(format!(
            "cycle {} of scheme {} closed on {}: what comes later is posted as corrections by accrued run",
            args.cycle, family.id, before.day
        )));
    }
    if family.version_for(cycle).is_none() {
        return Err(Fault::failed(format!(
            "scheme {} is not in force in cycle {}: it starts on {}",
            family.id, args.cycle, first.starts
        )));
    }
    let next = closed
        .last()
        .map_or_else(|| calendar.cycle_of(first.starts), |last| calendar.next(Cycle(last.cycle)));
    if next < cycle {
        let next = calendar.name(next);
        return Err(Fault::failed(format!(
            "cycle {next} of scheme {} comes before {} and is still open: cycles close in order, so accrued run or accrued close {} {next} first",
            family.id, args.cycle, family.id
        )));
    }
    let today = session.now().with_timezone(&first.timezone).date_naive();
    let last = calendar.days(cycle).1;
    if today <= last {
        return Err(Fault::failed(format!(
            "cycle {} of scheme {} is not over: its last day is {last}, and it is {today} in {}",
            args.cycle,
            family.id,
            first.timezone.name()
        )));
    }
    Ok(())
}
