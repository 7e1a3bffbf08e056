//! Runs after the large one: with one new line in a small new file, and with nothing new; then all of them once more, from the
//! journal and the archive.

use crate::measure::median;
use crate::table::Table;
use crate::workspace::Workspace;
use anyhow::Result;

/// On the store that the last large run has left.
pub fn run(workspace: &Workspace, rounds: usize, first: f64, table: &mut Table) -> Result<()> {
    let (mut one, mut nothing, mut memory) = (Vec::new(), Vec::new(), 0.0);
    for round in 1..=rounds {
        workspace.drop_one_line(round)?;
        let taken = workspace.accrued()?;
        memory = taken.memory.max(memory);
        one.push(taken.wall);
        nothing.push(workspace.accrued()?.wall);
    }
    let (one, nothing) = (median(one.into_iter()), median(nothing.into_iter()));
    eprintln!("again: one new line {one:.3} s, nothing new {nothing:.3} s");
    for (what, seconds, note) in [
        ("... then one new line in a small new file", one, "the partner's new revision included"),
        ("... then nothing new", nothing, "changes no published byte"),
    ] {
        table.row([
            what.to_owned(),
            format!("{:.0} ms", seconds * 1e3),
            format!("{:.3}", seconds / first),
            format!("{memory:.0} MB"),
            note.to_owned(),
        ]);
    }
    replay(workspace, first, table)
}

fn replay(workspace: &Workspace, first: f64, table: &mut Table) -> Result<()> {
    let taken = workspace.replayed()?;
    eprintln!("again: replayed in {:.3} s, {:.0} MB", taken.wall, taken.memory);
    table.row([
        "... then verify --deep".to_owned(),
        format!("{:.2} s", taken.wall),
        format!("{:.2}", taken.wall / first),
        format!("{:.0} MB", taken.memory),
        "every run done again, every row and published byte compared".to_owned(),
    ]);
    Ok(())
}
