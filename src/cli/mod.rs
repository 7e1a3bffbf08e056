//! The command line: one file per subcommand. Parses, calls, prints; decides nothing about points.
//!
//! `session` is what every command shares (config, schemes, clock, store, what it may print), `output` the one way to print
//! data, `exit` the one table of exit statuses, `signals` what SIGINT and SIGTERM do.

mod aligned;
mod at_stake;
mod backup;
mod balances;
mod check;
mod choice;
mod close;
mod config;
mod demo;
mod doctor;
mod dry_run;
mod exit;
mod explain;
mod files;
mod held_files;
mod holds;
mod init;
mod known;
mod later;
mod ledger;
mod lifetimes;
mod lines;
mod listing;
mod log;
mod moved;
mod output;
mod papers;
mod progress;
mod report;
mod reread;
mod restore;
mod run;
mod scratch;
mod serve;
mod session;
mod shown;
mod signals;
mod statement;
mod status;
mod summary;
mod test;
mod undumped;
mod verify;
mod who;
mod worked;

use clap::{Parser, Subcommand};
use exit::Exit;
use log::Volume;
use session::{Global, Session};

/// Turns DMS sales exports into a points ledger and statements.
#[derive(Debug, Parser)]
#[command(name = "accrued", version, long_version = session::versions(), after_help = NOT_YET)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

const NOT_YET: &str = "Not yet supported: adjust, apply, dispute, export, plan, record, scheme";

#[derive(Debug, Subcommand)]
enum Command {
    /// Lay out a sample workspace and run the whole job in it
    Demo(demo::Args),
    /// A commented accrued.toml, an example scheme, systemd units to adapt
    Init(init::Args),
    /// Versions, time-zone data, store, disk, lock, clock, secrets, each feed: what is not well, and its remedy
    Doctor(doctor::Args),
    /// Read the config and every scheme, say every fault; then log in to each feed and list it
    Check(check::Args),
    /// The settings in force
    Config(config::Args),
    /// Fetch, ingest, evaluate, post, publish; once
    Run(run::Args),
    /// The daemon: run on the cron schedule of [schedule], until a signal ends it
    Serve(serve::Args),
    /// Feeds, files expected and missing, holds, last run, next runs
    Status(status::Args),
    /// Run the worked examples inside the scheme files
    Test(test::Args),
    /// A partner's points, step by step, down to invoice lines
    Explain(explain::Args),
    /// Wallets
    Balances(balances::Args),
    /// Entries of the points ledger
    Ledger(ledger::Args),
    /// The sales lines behind the entries
    Lines(lines::Args),
    /// One partner's account, as in statement.csv
    Statement(statement::Args),
    /// Every file ever taken, and what became of its rows
    Files(files::Args),
    /// Read archived bytes anew after a setting was mended
    Reread(reread::Args),
    /// What waits for a person
    Holds(holds::Args),
    /// Files against what became of their rows, down to the measures; payments against deposits
    Report(report::Args),
    /// Close a cycle without a file that will not come
    Close(close::Args),
    /// Copy the store, verified, into a folder of its own, while runs go on
    Backup(backup::Args),
    /// Put a backup back into a data_dir that has no store, and take again what came after it
    Restore(restore::Args),
    /// Prove the store
    Verify(verify::Args),
    /// A script that completes commands in a shell
    Completions(papers::CompletionsArgs),
    /// Man pages
    Man(papers::ManArgs),
    #[command(hide = true)]
    Adjust(later::Args),
    #[command(hide = true)]
    Apply(later::Args),
    #[command(hide = true)]
    Dispute(later::Args),
    #[command(hide = true)]
    Export(later::Args),
    #[command(hide = true)]
    Plan(later::Args),
    #[command(hide = true)]
    Record(later::Args),
    #[command(hide = true)]
    Scheme(later::Args),
}

/// Does what the arguments say; the exit status.
pub fn main() -> u8 {
    undumped::keep_memory_private();
    let cli = Cli::parse();
    // a daemon's log is all that there is of it
    let usual = if matches!(cli.command, Command::Serve(_)) { Volume::Infos } else { Volume::Warnings };
    let session = Session::new(cli.global, usual);
    let done = dispatch(&session, &cli.command);
    session.end(done).code()
}

fn dispatch(session: &Session, command: &Command) -> anyhow::Result<Exit> {
    match command {
        Command::Demo(args) => demo::run(session, args),
        Command::Init(args) => init::run(session, args),
        Command::Check(args) => check::run(session, args),
        Command::Config(args) => config::run(session, args),
        Command::Status(args) => status::run(session, args),
        Command::Files(args) => files::run(session, args),
        Command::Reread(args) => reread::run(session, args),
        Command::Holds(args) => holds::run(session, args),
        Command::Report(args) => report::run(session, args),
        Command::Close(args) => close::run(session, args),
        Command::Backup(args) => backup::run(session, args),
        Command::Restore(args) => restore::run(session, args),
        Command::Verify(args) => verify::run(session, args),
        Command::Completions(args) => papers::completions(args),
        Command::Man(args) => papers::man(session, args),
        Command::Run(args) => run::run(session, args),
        Command::Test(args) => test::run(session, args),
        Command::Explain(args) => explain::run(session, args),
        Command::Balances(args) => balances::run(session, args),
        Command::Ledger(args) => ledger::run(session, args),
        Command::Lines(args) => lines::run(session, args),
        Command::Statement(args) => statement::run(session, args),
        Command::Adjust(_) => later::not_yet("adjust"),
        Command::Apply(_) => later::not_yet("apply"),
        Command::Dispute(_) => later::not_yet("dispute"),
        Command::Doctor(args) => doctor::run(session, args),
        Command::Export(_) => later::not_yet("export"),
        Command::Plan(_) => later::not_yet("plan"),
        Command::Record(_) => later::not_yet("record"),
        Command::Scheme(_) => later::not_yet("scheme"),
        Command::Serve(args) => serve::run(session, args),
    }
}
