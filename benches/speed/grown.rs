//! The store's growth changes nothing: a late run over a large store with one new small file takes what an early one took.
//!
//! `cargo bench -- grown --lines 10000000 --runs 1000` is the whole of it: the runs at its two ends are compared, medians of
//! a handful of runs each, in the same process, on the same machine.

use crate::measure::median;
use crate::table::Table;
use crate::workspace::Workspace;
use anyhow::Result;
use std::path::Path;

/// From which run on the first handful is measured: those before it warm what there is to warm.
const EARLY: usize = 10;
/// How many runs make a median.
const HANDFUL: usize = 9;

/// How large the store is and how many runs it sees.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    pub lines: u64,
    pub runs: usize,
}

/// Takes the large export, then a new small file a run.
pub fn run(folder: &Path, size: Size, table: &mut Table) -> Result<()> {
    let workspace = Workspace::new(folder, size.lines)?;
    let first = workspace.accrued()?;
    let (mut early, mut late, mut memory) = (vec![], vec![], 0.0_f64);
    for run in 1..=size.runs {
        workspace.drop_one_line_of(run, 100 + run)?;
        let taken = workspace.accrued()?;
        memory = memory.max(taken.memory);
        if (EARLY..EARLY + HANDFUL).contains(&run) {
            early.push(taken.wall);
        }
        if run + HANDFUL > size.runs {
            late.push(taken.wall);
        }
        if run % 100 == 0 {
            eprintln!("grown: run {run} of {}: {:.3} s", size.runs, taken.wall);
        }
    }
    let (early, late) = (median(early.into_iter()), median(late.into_iter()));
    eprintln!("grown: run {EARLY} {early:.3} s, run {} {late:.3} s, ratio {:.2}", size.runs, late / early);
    table.row([
        format!("run {} over {} lines, one new line each", size.runs, size.lines),
        format!("{:.0} ms", late * 1e3),
        format!("{:.3}", late / first.wall),
        format!("{memory:.0} MB"),
        format!("{:.2} times run {EARLY}", late / early),
    ]);
    Ok(())
}
