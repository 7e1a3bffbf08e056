//! The command line: one file per subcommand. Parses, calls, prints; decides nothing about points.

mod run;

use clap::{Parser, Subcommand};
use std::path::PathBuf;

/// Turns DMS sales exports into a points ledger and statements.
#[derive(Debug, Parser)]
#[command(name = "accrued", version)]
struct Cli {
    /// accrued.toml to go by
    #[arg(long, global = true, env = "ACCRUED_CONFIG")]
    config: Option<PathBuf>,
    /// the one clock: an RFC 3339 instant or a date
    #[arg(long, global = true)]
    as_of: Option<String>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// fetch, ingest, evaluate, post, publish; once
    Run(run::Args),
}

/// Does what the arguments say; the exit status.
pub fn main() -> u8 {
    let cli = Cli::parse();
    let done = match &cli.command {
        Command::Run(args) => run::run(&cli, args),
    };
    match done {
        Ok(status) => status,
        Err(fault) => {
            eprintln!("error: {fault:#}");
            1
        }
    }
}
