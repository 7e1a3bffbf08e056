//! `accrued run`: its summary, its problems with feed and file, its rehearsal.

use crate::rig::{FEBRUARY, HEADER, closed, january, without_hashes, workspace};

#[test]
fn a_run_is_told_in_five_seconds() {
    let mut workspace = workspace();
    january(&mut workspace);
    let outcome = workspace.trial(&["run", "--as-of", FEBRUARY]).stderr("").check();
    assert_eq!(
        without_hashes(&outcome.stdout),
        "run        1 at 2026-02-08T00:00:00Z\n\
         files      1 ingested\n\
         rows       2 accepted\n\
         holds      0 new, 0 in all\n\
         evaluated  2 partners\n\
         posted     club 2026-01: 12 points to 2 partners, closes the cycle\n\
         \x20            in var/statements/club/2026-01: rev-001, statement\n\
         chain head 2 HASH\n"
    );
}

#[test]
fn a_run_with_nothing_new_says_so_and_quiet_says_nothing() {
    let workspace = closed();
    let outcome = workspace.trial(&["run", "--as-of", "2026-02-09"]).stderr("").check();
    assert_eq!(
        without_hashes(&outcome.stdout),
        "run        2 at 2026-02-09T00:00:00Z\nfiles      none new\nholds      0 new, 0 in all\n\
         evaluated  0 partners\nposted     nothing\nchain head 2 HASH\n"
    );
    workspace.trial(&["run", "-q", "--as-of", "2026-02-10"]).stdout("").stderr("").check();
}

#[test]
fn programs_are_told_in_one_row() {
    let workspace = closed();
    let outcome = workspace.trial(&["run", "--as-of", "2026-02-09", "--format", "json"]).check();
    let told: serde_json::Value = serde_json::from_str(&outcome.stdout).expect("json");
    assert_eq!((&told["schema"], &told["command"]), (&1.into(), &"run".into()));
    assert_eq!((&told["rows"][0]["run"], &told["rows"][0]["points"]), (&2.into(), &"0".into()));
    assert_eq!(told["rows"][0]["head"].as_str().map(str::len), Some(64));
}

#[test]
fn what_is_wrong_is_told_with_its_feed_and_file_also_when_quiet() {
    let mut workspace = workspace();
    workspace.drop("drop/sales/jan.csv", format!("{HEADER}A1,1,2026-01-05,P1,1000\nA2,1,never,P2,250\n"));
    workspace.drop("drop/sales/none.csv", "who,what\n1,2\n");
    std::fs::create_dir(workspace.path("drop/sales/folder.csv")).expect("a folder");
    let outcome = workspace.trial(&["run", "-q", "--as-of", FEBRUARY]).status(3).stdout("").check();
    let lines: Vec<&str> = outcome.stderr.lines().collect();
    assert!(
        lines[0].starts_with("rejected: feed sales: jan.csv: 1 row, with why in var/rejects/sales/jan.csv."),
        "{}",
        outcome.whole()
    );
    assert!(lines[1].starts_with("refused: feed sales: none.csv: "), "{}", outcome.whole());
    let path = lines[0].rsplit(' ').next().expect("a path");
    assert!(workspace.path(path).is_file(), "{path}");
    // a folder named like a file is no file: told as a notice, and waits for a person all the same
    let loud = workspace.trial(&["run", "--as-of", FEBRUARY]).check();
    assert!(loud.stderr.contains("notice: feed sales: folder.csv: "), "{}", loud.whole());
}

#[test]
fn hints_are_at_most_two() {
    let mut workspace = workspace();
    workspace.drop("drop/sales/a.csv", format!("{HEADER}A1,1,2026-03-05,P1,1000\nA2,1,never,P2,250\n"));
    let outcome = workspace.trial(&["run", "--as-of", FEBRUARY]).status(3).check();
    let hints: Vec<&str> = outcome.stderr.lines().filter(|line| line.starts_with("next: ")).collect();
    assert_eq!(
        hints,
        [
            "next: accrued holds lists what waits for a person and how to end it",
            "next: drop the corrected file under its name and run again; or, were the feed's settings wrong, mend them and accrued reread FILE"
        ]
    );
    assert!(outcome.stderr.contains("held: future_date: club 2026-03, partner P1, 1 line: "));
}

#[test]
fn a_dry_run_says_what_would_be_posted_and_leaves_nothing() {
    let mut workspace = closed();
    workspace.drop("drop/sales/late.csv", format!("{HEADER}A3,1,2026-01-07,P1,500\n"));
    let before = (workspace.tree("var/statements"), workspace.tree("var/archive"));
    let dry = ["run", "--dry-run", "--as-of", "2026-02-09"];
    workspace
        .trial(&dry)
        .stdout(
            "dry run    at 2026-02-09T00:00:00Z; nothing of it is kept\nfiles      1 ingested\n\
             rows       1 accepted\nholds      0 new, 0 in all\nevaluated  1 partner\n\
             would post club 2026-01: 5 points to 1 partner\n",
        )
        .stderr("next: accrued run posts it\n")
        .check();
    let entries = workspace.trial(&[&dry[..], &["--format", "csv"]].concat()).check();
    assert_eq!(
        entries.stdout,
        "scheme,cycle,partner_code,kind,points,amount,tier,reason\n\
         club,2026-01,P1,correction,5,500,,late line\n"
    );
    assert!(before == (workspace.tree("var/statements"), workspace.tree("var/archive")));
    let left: Vec<_> = std::fs::read_dir(workspace.path("var"))
        .expect("data_dir")
        .map(|entry| entry.expect("an entry").file_name())
        .filter(|name| name.to_string_lossy().contains("dry-run"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
    assert_eq!(workspace.trial(&["files", "--format", "csv"]).check().csv().len(), 1);
    // and then it is done for real
    workspace.trial(&["run", "--as-of", "2026-02-09"]).check();
    assert_eq!(workspace.trial(&["ledger", "--format", "csv"]).check().csv().len(), 3);
}

#[test]
fn a_first_dry_run_makes_no_data_dir() {
    let mut workspace = workspace();
    january(&mut workspace);
    let outcome = workspace.trial(&["run", "--dry-run", "--as-of", FEBRUARY]).check();
    assert!(outcome.stdout.contains("would post club 2026-01: 12 points to 2 partners, closes the cycle"));
    assert!(!workspace.path("var").exists());
}

#[test]
fn what_a_killed_dry_run_has_left_goes_with_the_next() {
    let workspace = closed();
    workspace.write("var/.dry-run-1/lock", "pid 1 since long ago\n");
    workspace.trial(&["run", "--dry-run", "--as-of", "2026-02-09"]).check();
    assert!(!workspace.path("var/.dry-run-1").exists());
}

#[test]
fn a_store_of_the_real_clock_is_only_rehearsed_with_another_time() {
    let mut workspace = workspace();
    january(&mut workspace);
    workspace.trial(&["run"]).check();
    let refused = workspace.trial(&["run", "--as-of", "2099-01-01"]).status(1).check();
    assert!(refused.stderr.contains("lives by the machine's clock"), "{}", refused.whole());
    workspace.trial(&["run", "--dry-run", "--as-of", "2099-01-01"]).check();
}

#[test]
fn files_tell_what_became_of_their_rows() {
    let mut workspace = closed();
    workspace
        .drop("drop/sales/again.csv", format!("{HEADER}A1,1,2026-01-05,P1,1000\nA2,1,2026-01-06,P2,250\n"));
    workspace.trial(&["run", "--as-of", "2026-02-09"]).check();
    let files = workspace.trial(&["files"]).check().csv();
    let told: Vec<_> = files
        .iter()
        .map(|file| (file["name"].as_str(), file["state"].as_str(), file["accepted"].as_str()))
        .collect();
    assert_eq!(told, [("jan.csv", "ingested", "2"), ("again.csv", "duplicate", "0")]);
    assert_eq!(workspace.trial(&["files", "jan.csv"]).check().csv().len(), 1);
    workspace
        .trial(&["files", "jam.csv"])
        .status(1)
        .stderr("error: no file named \"jam.csv\" was ever taken (did you mean jan.csv?); accrued files lists all that were\n")
        .check();
}
