//! `accrued run`

use super::Cli;
use crate::batch::{self, Fetch, Order};
use crate::inbox::Cancel;
use crate::store::ClockMode;
use crate::{clock, config, lock};
use anyhow::{Result, anyhow, bail};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// only these feeds
    #[arg(long)]
    feed: Vec<String>,
    /// without looking at any feed
    #[arg(long)]
    offline: bool,
}

pub(super) fn run(cli: &Cli, args: &Args) -> Result<u8> {
    let path = cli.config.clone().unwrap_or_else(|| "accrued.toml".into());
    let text = std::fs::read_to_string(&path)?;
    let config = config::load(&path, &text, &|name| std::env::var(name).ok())
        .map_err(|faults| anyhow!("{}", faults.render(false)))?;
    let schemes = batch::load_schemes(&config)?;
    let (now, mode) = match &cli.as_of {
        None => (clock::now(), ClockMode::Real),
        Some(text) => (chrono::DateTime::parse_from_rfc3339(text)?.to_utc(), ClockMode::Given),
    };
    std::fs::create_dir_all(&config.data_dir)?;
    let _lock = match lock::take(&config.data_dir, &clock::stamp(now))? {
        lock::Taken::Ours(lock) => lock,
        lock::Taken::Theirs(who) => bail!("another run holds the lock: {who}"),
    };
    let order = Order {
        now,
        clock: mode,
        feeds: args.feed.clone(),
        fetch: if args.offline { Fetch::Nothing } else { Fetch::Feeds },
        close: None,
        actor: "accrued".into(),
        cancel: Cancel::default(),
    };
    let report = batch::run(&config, schemes, &order)?;
    println!("{report:#?}");
    Ok(report.exit().code())
}
