//! The Pythons of the rivals: the system's, and one with DuckDB below the target folder.

use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where they are.
pub struct Python {
    duckdb: PathBuf,
}

impl Python {
    /// Makes the environment with DuckDB, unless it is there already.
    pub fn prepare(folder: &Path) -> Result<Python> {
        let environment = folder.join("python");
        let duckdb = environment.join("bin/python");
        if !imports_duckdb(&duckdb) {
            eprintln!("installing DuckDB for the comparison into {}", environment.display());
            run(Command::new("python3").args(["-m", "venv"]).arg(&environment))?;
            run(Command::new(&duckdb).args(["-m", "pip", "install", "--quiet", "duckdb"]))?;
        }
        Ok(Python { duckdb })
    }

    /// With the standard library only.
    pub fn plain(&self) -> &Path {
        Path::new("python3")
    }

    /// With DuckDB.
    pub fn with_duckdb(&self) -> &Path {
        &self.duckdb
    }
}

fn imports_duckdb(python: &Path) -> bool {
    Command::new(python).args(["-c", "import duckdb"]).status().is_ok_and(|status| status.success())
}

fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("{command:?}"))?;
    if !status.success() {
        bail!("{command:?} failed: the comparison needs python3 with venv, and pip");
    }
    Ok(())
}
