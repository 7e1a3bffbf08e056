//! `accrued holds`: what a person may decide, what only a cause can end, and who decided.

use crate::rig::{FEBRUARY, HEADER, SCHEME, closed, feed, january, with, workspace};
use crate::support::program::Workspace;

/// The same bytes came from two feeds: the second is held.
fn same_file_twice() -> Workspace {
    let mut workspace = with(&format!("{}{}", feed("sales", "sales", ""), feed("other", "sales", "")));
    january(&mut workspace);
    let bytes = workspace.tree("drop/sales")["jan.csv"].clone();
    workspace.drop("drop/other/copy.csv", bytes);
    let outcome = workspace.trial(&["run", "--as-of", FEBRUARY]).status(3).check();
    assert!(outcome.stderr.contains("held: feed other: copy.csv: the same bytes"), "{}", outcome.whole());
    workspace
}

#[test]
fn a_release_is_carried_out_by_the_next_run() {
    let workspace = same_file_twice();
    let held = workspace.trial(&["holds"]).check().csv();
    assert_eq!(
        (held.len(), held[0]["kind"].as_str(), held[0]["file"].as_str()),
        (1, "same_file_other_feed", "copy.csv")
    );
    assert_eq!(held[0]["since"], "2026-02-08T00:00:00Z");
    let release = ["holds", "release", "1", "--reason", "both are meant", "--as-of", "2026-02-09"];
    let released = workspace.trial(&release).stdout("").check();
    assert!(
        released.stderr.starts_with("hold 1 (same_file_other_feed) is released by "),
        "{}",
        released.whole()
    );
    workspace.trial(&release).status(1).stderr("error: hold 1 is released already: nothing to do\n").check();
    // rehearsed and then done: the file is read from the archive
    let dry = workspace.trial(&["run", "--dry-run", "--as-of", "2026-02-10"]).check();
    assert!(dry.stdout.contains("would post club 2026-01: 13 points"), "{}", dry.whole());
    let run = workspace.trial(&["run", "--as-of", "2026-02-10"]).check();
    assert!(run.stdout.contains("posted     club 2026-01: 13 points"), "{}", run.whole());
    workspace.trial(&["holds"]).stderr("nothing waits for a person\n").check();
    let all = workspace.trial(&["holds", "--all"]).check().csv();
    assert_eq!(all[0]["state"], "done");
    workspace.trial(&["verify"]).check();
}

#[test]
fn a_discard_is_final() {
    let workspace = same_file_twice();
    workspace.trial(&["holds", "discard", "1", "--reason", "a copy", "--as-of", "2026-02-09"]).check();
    let run = workspace.trial(&["run", "--as-of", "2026-02-10"]).check();
    assert!(run.stdout.contains("posted     nothing"), "{}", run.whole());
    workspace.trial(&["status"]).check();
}

#[test]
fn who_decided_and_why_is_in_the_journal() {
    let workspace = same_file_twice();
    workspace.trial(&["holds", "discard", "1", "--reason", " a copy ", "--as-of", "2026-02-09"]).check();
    let store = rusqlite::Connection::open(workspace.path("var/accrued.db")).expect("a store");
    let (actor, at, reason): (String, String, String) = store
        .query_row("SELECT actor, at, body ->> 'reason' FROM journal WHERE kind = 'decision'", [], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })
        .expect("a record");
    let me = std::process::Command::new("id").arg("-un").output().expect("id");
    assert_eq!(actor, String::from_utf8_lossy(&me.stdout).trim());
    assert_eq!((at.as_str(), reason.as_str()), ("2026-02-09T00:00:00Z", "a copy"));
}

#[test]
fn what_only_a_cause_can_end_is_refused_with_the_remedy() {
    let mut workspace = with(&format!("{}{}", feed("sales", "sales", ""), feed("partners", "partners", "")));
    january(&mut workspace);
    workspace.drop("drop/partners/p.csv", "partner_code,name\nP1,One\n");
    workspace.drop("drop/sales/future.csv", format!("{HEADER}A9,1,2026-05-05,P1,1000\n"));
    workspace.trial(&["run", "--as-of", FEBRUARY]).status(3).check();
    let held = workspace.trial(&["holds"]).check();
    let kinds: Vec<String> = held.csv().iter().map(|hold| hold["kind"].clone()).collect();
    assert_eq!(kinds, ["future_date", "partner_unlisted_held"], "{}", held.whole());
    for (id, remedy) in
        [("1", "count by themselves once that day has come"), ("2", "add the partner to the partner master")]
    {
        for verb in ["release", "discard"] {
            let refused = workspace.trial(&["holds", verb, id, "--reason", "r"]).status(1).check();
            assert!(refused.stderr.contains(remedy), "{}", refused.whole());
        }
    }
    // the cause goes, and the hold with it
    workspace.drop("drop/partners/q.csv", "partner_code,name\nP2,Two\n");
    workspace.trial(&["run", "--as-of", "2026-02-09"]).check();
    let kinds: Vec<String> =
        workspace.trial(&["holds"]).check().csv().iter().map(|hold| hold["kind"].clone()).collect();
    assert_eq!(kinds, ["future_date"]);
    workspace.trial(&["verify"]).check();
}

#[test]
fn a_hold_that_is_not_there_and_a_time_that_has_been_are_refused() {
    let workspace = same_file_twice();
    workspace
        .trial(&["holds", "release", "77", "--reason", "r"])
        .status(1)
        .stderr("error: there is no hold 77: `accrued holds` lists what waits\n")
        .check();
    let early = ["holds", "release", "1", "--reason", "r", "--as-of", "2026-01-01"];
    let refused = workspace.trial(&early).status(1).check();
    assert!(refused.stderr.contains("cannot be earlier than the last run"), "{}", refused.whole());
}

#[test]
fn nothing_waits() {
    closed().trial(&["holds"]).stderr("nothing waits for a person\n").check();
    let mut workspace = workspace();
    january(&mut workspace);
    workspace.trial(&["run"]).check();
    let refused = workspace
        .trial(&["holds", "release", "1", "--reason", "r", "--as-of", "2099-01-01"])
        .status(2)
        .check();
    assert!(refused.stderr.contains("--as-of cannot say when a person decided"), "{}", refused.whole());
}

/// A scheme with one more setting, January dropped.
fn with_scheme(from: &str, to: &str) -> Workspace {
    let mut workspace = workspace();
    workspace.write("schemes/club.toml", SCHEME.replace(from, to));
    january(&mut workspace);
    workspace
}

/// The one hold's (kind, points).
fn only(workspace: &Workspace) -> (String, String) {
    let holds = workspace.trial(&["holds"]).check().csv();
    assert_eq!(holds.len(), 1, "{holds:?}");
    (holds[0]["kind"].clone(), holds[0]["points"].clone())
}

#[test]
fn points_over_the_limit_are_posted_once_they_are_released() {
    let workspace = with_scheme("[slabs]", "[limits]\naccrual = 4\n[slabs]");
    let run = workspace.trial(&["run", "--as-of", FEBRUARY]).status(3).check();
    assert!(run.stdout.contains("club 2026-01: 6 points to 2 partners"), "{}", run.whole());
    assert_eq!(only(&workspace), ("over_limit".into(), "6".into()));
    workspace.trial(&["verify"]).check();
    workspace.trial(&["holds", "release", "1", "--reason", "agreed"]).check();
    // what a person has decided and no run has carried out is no fault
    let between = workspace.trial(&["verify", "balances", "--format", "table"]).check();
    assert!(between.stdout.contains("note    1 partner with news for the next run: not compared"));
    let run = workspace.trial(&["run", "--as-of", "2026-02-09"]).check();
    assert!(run.stdout.contains("club 2026-01: 6 points to 1 partner"), "{}", run.whole());
    workspace.trial(&["verify"]).check();
    workspace.trial(&["status"]).check();
}

#[test]
fn a_correction_of_a_locked_cycle_waits_and_is_posted_or_never() {
    for (verb, posted) in [("release", "club 2026-01: 5 points to 1 partner"), ("discard", "nothing")] {
        let mut workspace = with_scheme("length = \"month\"\n", "length = \"month\"\nlock_after_days = 1\n");
        workspace.trial(&["run", "--as-of", FEBRUARY]).check();
        workspace.drop("drop/sales/late.csv", format!("{HEADER}A3,1,2026-01-07,P1,500\n"));
        workspace.trial(&["run", "--as-of", "2026-02-20"]).status(3).check();
        assert_eq!(only(&workspace), ("cycle_locked".into(), "5".into()));
        workspace.trial(&["verify"]).check();
        workspace.trial(&["holds", verb, "1", "--reason", "r"]).check();
        let run = workspace.trial(&["run", "--as-of", "2026-02-21"]).check();
        assert!(run.stdout.contains(&format!("posted     {posted}\n")), "{}", run.whole());
        workspace.trial(&["verify"]).check();
    }
}

#[test]
fn an_edit_of_a_closed_cycle_waits_and_counts_once_it_is_released() {
    let workspace = closed();
    workspace.write("schemes/club.toml", SCHEME.replace("1%", "2%"));
    workspace.trial(&["run", "--as-of", "2026-02-09"]).status(3).check();
    assert_eq!(only(&workspace), ("scheme_edited".into(), "13".into()));
    workspace.trial(&["verify"]).check();
    workspace.trial(&["holds", "release", "1", "--reason", "meant so"]).check();
    let run = workspace.trial(&["run", "--as-of", "2026-02-10"]).check();
    assert!(run.stdout.contains("posted     club 2026-01: 13 points to 2 partners\n"), "{}", run.whole());
    workspace.trial(&["verify"]).check();
}
