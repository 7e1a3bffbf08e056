//! `cargo bench`: how fast the main job is, as ratios measured in one run on one machine.
//!
//! `cargo bench -- [large] [again] [ten] [sftp] [grown] [--rounds N]`; without names all of them but `grown`. The table it ends with is the
//! one of the README. `large`: 2 million lines from nothing to published statements, against DuckDB and plain Python
//! doing the easy part of it. `again`: a run with one new line, a run with nothing new. `ten`: 10 million lines.
//! `sftp`: one file of that size from a real sshd, against OpenSSH's own client. `grown`, the long haul: whether a late run over
//! a large store takes what an early one took (`--lines 10000000 --runs 1000`).

mod again;
#[allow(dead_code, reason = "its test uses the rest")]
mod generator;
mod grown;
mod large;
mod measure;
mod python;
mod sftp;
mod table;
mod workspace;

use anyhow::{Result, bail};
use python::Python;
use std::path::Path;
use workspace::Workspace;

const PARTS: [&str; 5] = ["large", "again", "ten", "sftp", "grown"];

fn main() -> Result<()> {
    let mut rounds = 5;
    let mut grown = grown::Size { lines: 10_000_000, runs: 1_000 };
    let mut wanted = Vec::new();
    let mut args = std::env::args().skip(1);
    let mut benching = false;
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--bench" => benching = true,
            "--rounds" => rounds = args.next().unwrap_or_default().parse()?,
            "--lines" => grown.lines = args.next().unwrap_or_default().parse()?,
            "--runs" => grown.runs = args.next().unwrap_or_default().parse()?,
            name if PARTS.contains(&name) => wanted.push(name.to_owned()),
            other => {
                bail!("{other} is no part of it: use {}, --rounds N, --lines N, --runs N", PARTS.join(", "))
            }
        }
    }
    if !benching {
        // `cargo test --all-targets` starts benches too
        return Ok(());
    }
    let wants = |part: &str| wanted.is_empty() || wanted.iter().any(|name| name == part);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("speed");
    std::fs::create_dir_all(&folder)?;
    let mut table = table::Table::default();
    if wanted.iter().any(|name| name == "grown") {
        grown::run(&folder, grown, &mut table)?;
    }
    if wanted.as_slice() == ["grown"] {
        print!("{}", table.render());
        return Ok(());
    }
    let workspace = Workspace::new(&folder, 2_000_000)?;
    let first = if wants("large") {
        let python = Python::prepare(&folder)?;
        large::against_others(&workspace, &python, rounds, &mut table)?
    } else if wants("again") || wants("ten") {
        workspace.accrued()?.wall
    } else {
        f64::NAN
    };
    if wants("again") {
        again::run(&workspace, rounds, first, &mut table)?;
    }
    if wants("ten") {
        large::alone(&Workspace::new(&folder, 10_000_000)?, rounds.min(3), first, &mut table)?;
    }
    if wants("sftp") {
        sftp::run(&workspace, rounds, &mut table)?;
    }
    print!("{}", table.render());
    Ok(())
}
