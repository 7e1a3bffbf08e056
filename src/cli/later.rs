//! Commands of interfaces.md 1 that are not there yet: each says so, with exit 1, instead of being unknown.

use super::exit::{Exit, Fault};
use anyhow::Result;

/// Whatever is typed after the command.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[arg(hide = true, trailing_var_arg = true, allow_hyphen_values = true)]
    _rest: Vec<std::ffi::OsString>,
}

/// The answer of a command that is not there yet.
pub(super) fn not_yet(what: &str) -> Result<Exit> {
    Err(Fault::failed(format!(
        "{what} is not yet supported by accrued {}; `accrued --help` lists what is",
        env!("CARGO_PKG_VERSION")
    )))
}
