//! `accrued demo`: a sample workspace, the whole job in it, and what came of it.
//!
//! The job is the one that `accrued run` does, at given instants: nothing here works out points. The same bytes every time,
//! whatever the machine's zone, language, user and clock.

mod broken;
mod sample;
mod told;

use super::exit::{Exit, Fault};
use super::session::Session;
use crate::batch::{self, Fetch, Order, Progress, Report};
use crate::config::{self, Config};
use crate::inbox::Cancel;
use crate::lock::{self, Lock};
use crate::store::{ClockMode, Store};
use anyhow::{Context, Result};
use chrono::DateTime;
use sample::{CONFIG, STEPS, Step};
use std::io::Write;
use std::path::{Path, PathBuf};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Where: a folder that is new, empty or an earlier demo's, which is made anew
    #[arg(default_value = "accrued-demo")]
    dir: PathBuf,
    /// Show how failures look, and what finds them
    #[arg(long = "break")]
    broken: bool,
}

pub(super) fn run(session: &Session, args: &Args) -> Result<Exit> {
    let played = play(&args.dir, &session.cancel()?)?;
    let text = if args.broken { broken::text(&args.dir, &played)? } else { told::text(&args.dir, &played)? };
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()?;
    Ok(Exit::Done)
}

/// A workspace in which the job was done.
struct Played {
    config: Config,
    /// of each step
    reports: Vec<Report>,
    store: Store,
}

fn play(folder: &Path, cancel: &Cancel) -> Result<Played> {
    let earlier = sample::contents(folder)?;
    let data = folder.join("var");
    if data.is_dir() {
        drop(locked(&data)?);
    }
    sample::lay_out(folder, &earlier)?;
    let text = std::str::from_utf8(CONFIG.bytes).context("the sample's config is text")?;
    let config = config::load(&folder.join(CONFIG.path), text, &|_| None)
        .map_err(|faults| batch::Invalid(vec![faults]))?;
    sample::make(&config.data_dir)?;
    let _lock = locked(&config.data_dir)?;
    let mut reports = Vec::new();
    for step in &STEPS {
        reports.push(play_step(folder, &config, step, cancel)?);
    }
    let store = Store::open(&config.data_dir, &config.data_dir.join("tmp"))?;
    Ok(Played { config, reports, store })
}

/// The lock of the sample's store; refused while another run has it.
fn locked(data: &Path) -> Result<Lock> {
    match lock::take(data, STEPS[0].at)? {
        lock::Taken::Ours(lock) => Ok(lock),
        lock::Taken::Theirs(who) => Err(Fault::with(
            Exit::Locked,
            format!("another run holds the lock of {}: {who}; try again when it has ended", data.display()),
        )),
    }
}

fn play_step(folder: &Path, config: &Config, step: &Step, cancel: &Cancel) -> Result<Report> {
    for drop in step.drops {
        sample::drop_file(folder, *drop)?;
    }
    let order = Order {
        now: DateTime::parse_from_rfc3339(step.at)?.to_utc(),
        clock: ClockMode::Given,
        feeds: Vec::new(),
        fetch: Fetch::Feeds,
        close: None,
        actor: "accrued".into(),
        cancel: cancel.clone(),
        progress: Progress::default(),
        reread: None,
        replay: None,
        slot: None,
    };
    let schemes = batch::load_schemes(config)?;
    batch::run(config, schemes, &order)
}
