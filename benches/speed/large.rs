//! From nothing to published statements, in turn with DuckDB and plain Python that do the easy part of it.

use crate::measure::{Taken, median};
use crate::python::Python;
use crate::table::Table;
use crate::workspace::Workspace;
use anyhow::Result;

/// Runs of one program, one a round.
#[derive(Default)]
struct Runs(Vec<Taken>);

impl Runs {
    fn wall(&self) -> f64 {
        median(self.0.iter().map(|taken| taken.wall))
    }

    fn row(&self, table: &mut Table, what: &str, than: f64, note: &str) {
        let memory = self.0.iter().map(|taken| taken.memory).fold(0.0, f64::max);
        let ratio = format!("{:.2}", self.wall() / than);
        table.row([
            what.to_owned(),
            format!("{:.2} s", self.wall()),
            ratio,
            format!("{memory:.0} MB"),
            note.to_owned(),
        ]);
    }
}

/// The three in turn; gives the median of accrued's seconds.
pub fn against_others(
    workspace: &Workspace,
    python: &Python,
    rounds: usize,
    table: &mut Table,
) -> Result<f64> {
    let (mut ours, mut duckdb, mut plain) = (Runs::default(), Runs::default(), Runs::default());
    for round in 1..=rounds {
        workspace.forget()?;
        plain.0.push(workspace.rival(python.plain(), "rival_plain.py", "plain.db")?);
        duckdb.0.push(workspace.rival(python.with_duckdb(), "rival_duckdb.py", "duck.db")?);
        ours.0.push(workspace.accrued()?);
        tell("2 million lines", round, &[("accrued", &ours), ("DuckDB", &duckdb), ("Python", &plain)]);
    }
    workspace.check_totals()?;
    let own = ours.wall();
    ours.row(
        table,
        "`accrued run`, 2 million lines",
        own,
        "CSV to archive, ledger, papers and statements, all on disk for good",
    );
    duckdb.row(table, "DuckDB", own, "read, key, dedup, sum, slab look-up only");
    plain.row(table, "Python csv + sqlite3 + decimal", own, "the same part as DuckDB");
    Ok(own)
}

/// A larger export, by itself.
pub fn alone(workspace: &Workspace, rounds: usize, than: f64, table: &mut Table) -> Result<()> {
    let mut ours = Runs::default();
    for round in 1..=rounds {
        workspace.forget()?;
        ours.0.push(workspace.accrued()?);
        tell("10 million lines", round, &[("accrued", &ours)]);
    }
    workspace.check_totals()?;
    ours.row(table, "`accrued run`, 10 million lines", than, "ratio to its own 2 million");
    Ok(())
}

fn tell(what: &str, round: usize, programs: &[(&str, &Runs)]) {
    for (name, runs) in programs {
        if let Some(last) = runs.0.last() {
            let Taken { wall, processors, memory } = last;
            eprintln!(
                "{what}, round {round}: {name} {wall:.2} s ({processors:.2} s of processors), {memory:.0} MB"
            );
        }
    }
}
