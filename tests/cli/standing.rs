//! `accrued status` and `accrued close`: what waits, since when, and how a cycle closes without its file.

use crate::rig::{FEBRUARY, HEADER, closed, feed, with};
use crate::support::program::{Outcome, Workspace};

/// Monthly files are expected; January's came, February's did not.
fn expecting() -> Workspace {
    let mut workspace = with(
        &feed("sales", "sales", "expected = \"monthly\"\n").replace("\"*.csv\"", "\"s-{yyyy}-{mm}.csv\""),
    );
    workspace.drop("drop/sales/s-2026-01.csv", format!("{HEADER}A1,1,2026-01-05,P1,1000\n"));
    workspace.trial(&["run", "--as-of", FEBRUARY]).check();
    workspace
}

fn told(outcome: &Outcome) -> Vec<[String; 4]> {
    outcome
        .csv()
        .iter()
        .map(|row| ["what", "name", "state", "since"].map(|column| row[column].clone()))
        .collect()
}

fn line(what: &str, name: &str, state: &str, since: &str) -> [String; 4] {
    [what, name, state, since].map(str::to_owned)
}

#[test]
fn all_is_well() {
    let outcome = closed().trial(&["status"]).stderr("").check();
    assert_eq!(
        told(&outcome),
        [
            line("run", "1", "exit 0", "2026-02-08T00:00:00Z"),
            line("feed", "sales", "last file", "2026-02-08T00:00:00Z"),
            line("cycle", "club 2026-02", "open", "2026-02-01"),
        ]
    );
}

#[test]
fn before_the_first_run_there_is_little_to_say() {
    let outcome = crate::rig::workspace().trial(&["status"]).stderr("").check();
    assert_eq!(told(&outcome), [line("run", "", "never", "")]);
}

#[test]
fn a_missing_file_is_told_once_by_run_and_by_status_while_it_is_missing() {
    let workspace = expecting();
    let run = workspace.trial(&["run", "--as-of", "2026-03-08"]).status(3).check();
    assert!(run.stderr.contains("missing: s-2026-02.csv of feed sales, due 2026-03-05"), "{}", run.whole());
    assert!(
        run.stdout.contains("waits      club 2026-02: s-2026-02.csv of feed sales has not been ingested")
    );
    workspace.trial(&["run", "--as-of", "2026-03-09"]).check();
    let status = workspace.trial(&["status"]).status(3).check();
    let told = told(&status);
    assert!(told.contains(&line("missing", "s-2026-02.csv", "overdue", "2026-03-05")), "{}", status.whole());
    assert!(told.contains(&line("cycle", "club 2026-02", "waits", "2026-02-01")), "{}", status.whole());
    // it comes, and all is well by itself
    let mut workspace = workspace;
    workspace.drop("drop/sales/s-2026-02.csv", format!("{HEADER}A2,1,2026-02-05,P1,100\n"));
    workspace.trial(&["run", "--as-of", "2026-03-10"]).check();
    workspace.trial(&["status"]).check();
}

#[test]
fn a_cycle_closes_without_a_file_that_will_not_come() {
    let workspace = expecting();
    workspace.trial(&["run", "--as-of", "2026-03-08"]).status(3).check();
    let close = ["close", "club", "2026-02", "--reason", "the shop was shut", "--as-of", "2026-03-08"];
    let outcome = workspace.trial(&close).check();
    assert!(
        outcome.stdout.contains("posted     club 2026-02: 0 points to 0 partners, closes the cycle"),
        "{}",
        outcome.whole()
    );
    let status = workspace.trial(&["status"]).check();
    let row = status.csv().into_iter().find(|row| row["what"] == "missing").expect("a missing file");
    assert_eq!(row["state"], "given up");
    assert!(row["detail"].ends_with("club 2026-02 was closed without it: the shop was shut"), "{row:?}");
    workspace.trial(&["verify"]).check();
    // what comes all the same is a correction
    let mut workspace = workspace;
    workspace.drop("drop/sales/s-2026-02.csv", format!("{HEADER}A2,1,2026-02-05,P1,100\n"));
    let run = workspace.trial(&["run", "--as-of", "2026-03-10"]).check();
    assert!(run.stdout.contains("posted     club 2026-02: 1 point to 1 partner\n"), "{}", run.whole());
}

#[test]
fn a_cycle_that_cannot_close_says_what_to_do() {
    let workspace = expecting();
    for (scheme, cycle, why) in [
        ("clubb", "2026-02", "there is no scheme \"clubb\" (did you mean club?); the schemes are: club"),
        ("club", "2026-Q1", "\"2026-Q1\" is no cycle of scheme club: its cycles are named like 2026-01"),
        ("club", "2025-12", "scheme club is not in force in cycle 2025-12: it starts on 2026-01-01"),
        (
            "club",
            "2026-01",
            "cycle 2026-01 of scheme club closed on 2026-02-08: what comes later is posted as corrections by accrued run",
        ),
        (
            "club",
            "2026-02",
            "cycle 2026-02 of scheme club is not over: its last day is 2026-02-28, and it is 2026-02-09 in Asia/Kolkata",
        ),
        (
            "club",
            "2026-03",
            "cycle 2026-02 of scheme club comes before 2026-03 and is still open: cycles close in order, so accrued run or accrued close club 2026-02 first",
        ),
    ] {
        workspace
            .trial(&["close", scheme, cycle, "--reason", "r", "--as-of", "2026-02-09"])
            .status(1)
            .stdout("")
            .stderr(format!("error: {why}\n"))
            .check();
    }
}

#[test]
fn a_bad_file_waits_until_a_better_one_comes() {
    let mut workspace = closed();
    workspace.drop("drop/sales/feb.csv", format!("{HEADER}A5,1,oops,P1,1\n"));
    workspace.trial(&["run", "--as-of", "2026-02-09"]).status(3).check();
    let status = workspace.trial(&["status"]).status(3).check();
    assert!(
        told(&status).contains(&line("file", "feb.csv", "rejected", "2026-02-09T00:00:00Z")),
        "{}",
        status.whole()
    );
    workspace.drop("drop/sales/feb.csv", format!("{HEADER}A5,1,2026-02-03,P1,1\n"));
    workspace.trial(&["run", "--as-of", "2026-02-09"]).check();
    workspace.trial(&["status"]).check();
}

#[test]
fn the_next_runs_are_told_on_the_schedule() {
    let workspace = closed();
    let config = std::fs::read_to_string(workspace.path("accrued.toml")).expect("a config");
    workspace.write(
        "accrued.toml",
        format!("[schedule]\ncron = \"30 2 * * *\"\ntimezone = \"Asia/Kolkata\"\n{config}"),
    );
    let status = workspace.trial(&["status", "--as-of", "2026-02-08"]).check();
    let next: Vec<String> =
        status.csv().iter().filter(|row| row["what"] == "next").map(|row| row["since"].clone()).collect();
    assert_eq!(next, ["2026-02-08T21:00:00Z", "2026-02-09T21:00:00Z", "2026-02-10T21:00:00Z"]);
}
