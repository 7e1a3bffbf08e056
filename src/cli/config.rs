//! `accrued config show`: every setting in force and where it came from.

use super::exit::Exit;
use super::output::{Column, text};
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
        /// Also what each stands over (its value in the file, or that of a variable), and the variable that sets it
        #[arg(long)]
        origin: bool,
    },
}

pub(super) fn run(session: &Session, args: &Args) -> Result<Exit> {
    match &args.command {
        Command::Show { origin: false } => show(session, &[]),
        Command::Show { origin: true } => show(session, &[text("stands_over"), text("variable")]),
    }
}

const COLUMNS: [Column; 3] = [text("setting"), text("value"), text("origin")];

fn show(session: &Session, more: &[Column]) -> Result<Exit> {
    let config = session.config()?;
    let columns = [&COLUMNS, more].concat();
    let mut table = session.table("config show", &columns)?;
    for setting in &config.settings {
        let (over, variable) =
            (setting.stands_over.join(", then "), setting.variable.as_deref().unwrap_or_default());
        let cells = [&setting.key, &setting.value, &setting.origin, over.as_str(), variable];
        table.row(&cells[..columns.len()])?;
    }
    table.end()?;
    Ok(Exit::Done)
}
