//! Parse, dispatch, print the error chain, exit status.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(accrued::cli::main())
}
