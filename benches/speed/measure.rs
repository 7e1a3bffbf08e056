//! Runs a program and says what it took. Python's `wait4` gives the peak of the memory, which std does not.

use anyhow::{Context, Result, bail};
use std::path::Path;
use std::process::Command;

/// What one run of a program took.
#[derive(Debug, Clone, Copy)]
pub struct Taken {
    /// wall clock, seconds
    pub wall: f64,
    /// processors, seconds
    pub processors: f64,
    /// peak resident memory, MB
    pub memory: f64,
}

/// Runs a command whose output goes to `out`; any exit but 0 and those of `fine` is a failure.
pub fn measure(command: &[&str], out: &Path, fine: &[i32]) -> Result<Taken> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/speed/measure.py");
    let done = Command::new("python3").arg(script).arg(out).args(command).output().context("python3")?;
    let code = done.status.code().unwrap_or(-1);
    if code != 0 && !fine.contains(&code) {
        bail!("{command:?} ended with {code}\n{}", String::from_utf8_lossy(&done.stderr));
    }
    let text = String::from_utf8(done.stdout)?;
    let numbers: Vec<f64> = text.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
    let [wall, processors, kib] = numbers[..] else { bail!("measure.py printed {text:?}") };
    Ok(Taken { wall, processors, memory: kib * 1024.0 / 1e6 })
}

/// The middle one; of an even number the mean of the two in the middle.
pub fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = values.collect();
    sorted.sort_by(f64::total_cmp);
    match sorted.len() {
        0 => f64::NAN,
        length => f64::midpoint(sorted[(length - 1) / 2], sorted[length / 2]),
    }
}
