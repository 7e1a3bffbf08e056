//! Thousands of runs in one process: neither memory nor open files grow.

use super::rig::{HEADER, Served, YEARLY, feed, schedule, workspace};
use std::fs;
use std::time::{Duration, Instant};

/// How many runs; `ACCRUED_RUNS` asks for more (10,000 take some minutes).
const RUNS: usize = 300;

/// Resident memory in KiB, open files.
fn size(pid: u32) -> (u64, usize) {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("it is there");
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("resident memory");
    let kib = resident.trim().trim_end_matches(" kB").parse().expect("a number");
    (kib, fs::read_dir(format!("/proc/{pid}/fd")).expect("it is there").count())
}

/// Lets it run until so many runs have ended.
fn run_until(served: &Served, runs: usize) {
    let end = Instant::now()
        + Duration::from_secs(30)
        + Duration::from_millis(300) * u32::try_from(runs).expect("few");
    loop {
        let done = served.log().matches("exit 0; next run").count();
        if done >= runs {
            return;
        }
        assert!(Instant::now() < end, "{done} of {runs} runs in time");
        served.signal("USR1");
    }
}

#[test]
fn thousands_of_runs_leave_memory_and_open_files_as_they_were() {
    let runs = std::env::var("ACCRUED_RUNS").ok().map_or(RUNS, |n| n.parse().expect("a number"));
    let mut workspace = workspace(&schedule(YEARLY, ""), &feed(0));
    workspace.drop("drop/a.csv", format!("{HEADER}A1,1,2026-01-10,P1,1000\n"));
    let mut served = Served::start(&workspace);
    served.says("serving", 1);
    run_until(&served, runs / 4);
    let (kib, files) = size(served.pid());
    let mut told = vec![format!("{} runs: {kib} KiB, {files} files", runs / 4)];
    for quarter in 2..=4 {
        run_until(&served, runs * quarter / 4);
        let (now, open) = size(served.pid());
        told.push(format!("{} runs: {now} KiB, {open} files", runs * quarter / 4));
        // a run may be under way, which has the store open
        assert!(open <= files + 8, "{told:#?}");
        assert!(now < kib + 6 * 1024, "{told:#?}");
    }
    served.stop("TERM", 143);
    println!("{told:#?}");
}
