//! `accrued config show`: every setting in force and where it came from.

use super::exit::Exit;
use super::output::text;
use super::session::Session;
use anyhow::Result;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Every setting in force and where it came from
    Show {
        /// Where each came from; shown in any case
        #[arg(long, hide = true)]
        origin: bool,
    },
}

pub(super) fn run(session: &Session, args: &Args) -> Result<Exit> {
    match &args.command {
        Command::Show { origin: _ } => show(session),
    }
}

fn show(session: &Session) -> Result<Exit> {
    let config = session.config()?;
    let mut table = session.table("config show", &[text("setting"), text("value"), text("origin")])?;
    for setting in &config.settings {
        table.row(&[&setting.key, &setting.value, &setting.origin])?;
    }
    table.end()?;
    Ok(Exit::Done)
}
