//! `accrued completions SHELL` and `accrued man DIR`: what a package installs beside the program.

use super::exit::Exit;
use super::session::Session;
use anyhow::{Context, Result};
use clap::CommandFactory;
use std::io::Write;
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
pub(super) struct CompletionsArgs {
    /// Which shell
    shell: clap_complete::Shell,
}

#[derive(Debug, clap::Args)]
pub(super) struct ManArgs {
    /// The folder to write accrued.1 and a page for each command to; made if it is not there
    dir: PathBuf,
}

pub(super) fn completions(args: &CompletionsArgs) -> Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut super::Cli::command(), "accrued", &mut script);
    let mut out = std::io::stdout().lock();
    out.write_all(&script)?;
    out.flush()?;
    Ok(Exit::Done)
}

pub(super) fn man(session: &Session, args: &ManArgs) -> Result<Exit> {
    let shown = args.dir.display();
    std::fs::create_dir_all(&args.dir).with_context(|| format!("cannot make the folder {shown}"))?;
    let mut command = super::Cli::command();
    // one version for every page, whatever libraries are linked
    command = command.long_version(env!("CARGO_PKG_VERSION"));
    clap_mangen::generate_to(command, &args.dir)
        .with_context(|| format!("cannot write man pages to {shown}"))?;
    session.next(format!("man -l {}", args.dir.join("accrued.1").display()));
    Ok(Exit::Done)
}
