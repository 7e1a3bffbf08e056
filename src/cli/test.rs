//! `accrued test`

use super::exit::Exit;
use super::later;
use super::session::Session;
use anyhow::Result;

#[derive(Debug, clap::Args)]
pub(super) struct Args {}

pub(super) fn run(_session: &Session, _args: &Args) -> Result<Exit> {
    later::not_yet("test")
}
