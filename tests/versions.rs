//! Another version of the program, or of the time-zone data: it says where it differs, and posts no difference on closed cycles by
//! itself (product.md, law "replay"). The store of the version before is one that this program has made, changed and chained anew.

#[path = "support/forged.rs"]
mod forged;
#[path = "support/program.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod program;

use forged::{by_another_version, made_of_another};
use program::{Outcome, Workspace};

const CONFIG: &str = "data_dir = \"var\"\nschemes_dir = \"schemes\"\n\n[[feed]]\nname = \"sales\"\nkind = \"sales\"\n\
                      url = \"file:drop\"\nfiles = \"*.csv\"\ntimezone = \"Asia/Kolkata\"\nsettle_seconds = 0\n";
const HEADER: &str = "invoice_no,invoice_date,partner_code,amount\n";

fn laid_out(cycle: &str) -> Workspace {
    let workspace = Workspace::new(CONFIG);
    workspace.write(
        "schemes/club.toml",
        format!(
            "[scheme]\nid = \"club\"\nname = \"Club\"\ncompany = \"Example\"\ncurrency = \"INR\"\ntimezone = \"Asia/Kolkata\"\n\
             starts = 2026-01-01\n[cycle]\nlength = \"month\"\n{cycle}\n[slabs]\nmode = \"whole\"\n[[slab]]\nfrom = 0\nrate = \"10%\"\n"
        ),
    );
    workspace
}

fn sells(workspace: &mut Workspace, name: &str, rows: &str) {
    workspace.drop(&format!("drop/{name}.csv"), format!("{HEADER}{rows}"));
}

/// January is closed: 100 points of P1, 200 of P2.
fn closed(cycle: &str) -> Workspace {
    let mut workspace = laid_out(cycle);
    sells(&mut workspace, "a", "A1,2026-01-05,P1,1000\nA2,2026-01-06,P2,2000\n");
    workspace.trial(&["run", "--as-of", "2026-02-03"]).check();
    workspace
}

/// January is closed by a version that gave P1 seven points more.
fn closed_by_another() -> Workspace {
    let workspace = closed("");
    by_another_version(&workspace, "0.0.9", "2019c", &[("P1", 7)]);
    workspace
}

fn run(workspace: &Workspace, day: &str, status: i32) -> Outcome {
    workspace.trial(&["run", "--as-of", day]).status(status).check()
}

/// Points and reasons of a partner's entries.
fn entries(workspace: &Workspace, partner: &str) -> Vec<(String, String)> {
    let rows = workspace.trial(&["ledger", "--partner", partner, "--format", "csv"]).check().csv();
    rows.into_iter().map(|row| (row["points"].clone(), row["reason"].clone())).collect()
}

fn entry(points: &str, reason: &str) -> (String, String) {
    (points.to_owned(), reason.to_owned())
}

/// The holds of this kind: id, state, points and detail.
fn held(workspace: &Workspace) -> Vec<[String; 4]> {
    let rows = workspace.trial(&["holds", "--all", "--format", "csv"]).check().csv();
    let ours = rows.into_iter().filter(|row| row["kind"] == "other_version");
    ours.map(|row| ["id", "state", "points", "detail"].map(|column| row[column].clone())).collect()
}

fn decide(workspace: &Workspace, verb: &str) {
    let id = held(workspace).last().expect("a hold")[0].clone();
    workspace.trial(&["holds", verb, &id, "--reason", "looked into"]).check();
}

/// What `verify` finds, by state and as told.
fn found(workspace: &Workspace, args: &[&str]) -> (Outcome, Vec<(String, String)>) {
    let outcome = workspace.accrued(&[&["verify", "--format", "csv"], args].concat());
    let rows = outcome.csv().into_iter().filter(|row| matches!(row["state"].as_str(), "broken" | "differs"));
    let found =
        rows.map(|row| (row["state"].clone(), format!("{}: {}", row["what"], row["detail"]))).collect();
    (outcome, found)
}

fn is_well(workspace: &Workspace) {
    let (outcome, found) = found(workspace, &[]);
    assert!(found.is_empty() && outcome.status == 0, "{}", outcome.whole());
}

/// Replaying tells of versions, and of no tampering.
fn differs_alone(workspace: &Workspace) {
    let (outcome, found) = found(workspace, &["chain", "--deep"]);
    assert!(!found.is_empty() && found.iter().all(|(state, _)| state == "differs"), "{}", outcome.whole());
    assert!(!outcome.stdout.contains("cannot be replayed"), "{}", outcome.whole());
    assert!(outcome.stdout.contains("accrued 0.0.9 with time-zone data 2019c"), "{}", outcome.whole());
}

/// A run with nothing new says nothing new and changes no published byte.
fn is_silent(workspace: &Workspace, day: &str) {
    let before = (workspace.tree("var/statements"), entries(workspace, "P1"), held(workspace));
    let outcome = run(workspace, day, 0);
    assert!(!outcome.stderr.contains("notice"), "{}", outcome.whole());
    assert!(before == (workspace.tree("var/statements"), entries(workspace, "P1"), held(workspace)));
}

#[test]
fn a_store_of_another_version_is_told_apart_from_one_that_was_tampered_with() {
    let w = closed_by_another();
    let (outcome, found) = found(&w, &[]);
    let [(state, what)] = found.as_slice() else { panic!("{}", outcome.whole()) };
    assert_eq!((outcome.status, state.as_str()), (4, "differs"), "{}", outcome.whole());
    for part in ["partner P1", "107 points posted", "accrued 0.0.9 with time-zone data 2019c", "makes 100"] {
        assert!(what.contains(part), "{part} is not in {what}");
    }
    differs_alone(&w);
    let status = w.accrued(&["status"]);
    assert!(status.stdout.contains("made by accrued 0.0.9"), "{}", status.whole());
    let explained = w.trial(&["explain", "P1", "--entry", "1"]).check();
    assert!(
        explained.stderr.contains("accrued 0.0.9 with time-zone data 2019c posted it"),
        "{}",
        explained.whole()
    );
    // what no version does is broken all the same
    let archived = w.tree("var/archive").into_keys().next().expect("a file in the archive");
    w.write(&format!("var/archive/{archived}"), "other");
    let (outcome, found) = self::found(&w, &["chain", "--deep"]);
    assert!(
        found.iter().any(|(state, how)| state == "broken" && how.contains("archive")),
        "{}",
        outcome.whole()
    );
}

#[test]
fn a_store_that_an_early_version_began_is_not_called_broken() {
    let w = closed("");
    forged::begun_early(&w);
    is_well(&w);
    let (outcome, found) = found(&w, &["chain", "--deep"]);
    let [(state, why)] = found.as_slice() else { panic!("{}", outcome.whole()) };
    assert_eq!((outcome.status, state.as_str()), (4, "differs"), "{}", outcome.whole());
    assert!(why.contains("an early version of accrued began this store"), "{why}");
    assert!(why.contains("that is no damage"), "{why}");
}

#[test]
fn an_entry_that_was_edited_is_broken_also_in_a_store_of_another_version() {
    let w = closed_by_another();
    let store = rusqlite::Connection::open(w.path("var/accrued.db")).expect("a store");
    store.execute_batch("UPDATE position SET points = 1000000 WHERE partner = 'P1'").expect("a position");
    let (outcome, found) = found(&w, &["balances"]);
    assert!(found.iter().any(|(state, how)| state == "broken" && how.contains("P1")), "{}", outcome.whole());
}

#[test]
fn nothing_is_posted_without_news() {
    let w = closed_by_another();
    let outcome = run(&w, "2026-02-04", 0);
    assert!(outcome.stdout.contains("evaluated  0 partners"), "{}", outcome.whole());
    assert!(
        outcome.stderr.contains("notice: the run before was made by accrued 0.0.9"),
        "{}",
        outcome.whole()
    );
    is_silent(&w, "2026-02-05");
    assert_eq!(entries(&w, "P1"), [entry("107", "")]);
}

#[test]
fn of_a_partner_with_news_the_news_is_posted_and_the_difference_proposed() {
    let mut w = closed_by_another();
    sells(&mut w, "b", "B1,2026-01-07,P1,100\nB2,2026-01-07,P2,100\n");
    let outcome = run(&w, "2026-02-05", 3);
    assert!(outcome.stderr.contains("held: other_version: club 2026-01, partner P1"), "{}", outcome.whole());
    assert_eq!(entries(&w, "P1"), [entry("107", ""), entry("10", "late line")]);
    assert_eq!(entries(&w, "P2"), [entry("200", ""), entry("10", "late line")]);
    let holds = held(&w);
    let [[_, state, points, detail]] = holds.as_slice() else { panic!("{holds:?}") };
    assert_eq!((state.as_str(), points.as_str()), ("open", "-7"));
    for part in ["accrued 0.0.9 with time-zone data 2019c made 107", "makes 100", env!("CARGO_PKG_VERSION")] {
        assert!(detail.contains(part), "{part} is not in {detail}");
    }
    let explained = w.trial(&["explain", "P1", "--cycle", "2026-01", "--format", "table"]).check();
    assert!(explained.stdout.contains("held for a person"), "{}", explained.whole());
    assert!(explained.stdout.contains("other_version (-7 points)"), "{}", explained.whole());
    let then = w.trial(&["explain", "P1", "--entry", "3", "--format", "table"]).check();
    assert!(then.stdout.contains("110 due - -7 held - 107 posted before = 10"), "{}", then.whole());
    assert!(then.stderr.is_empty(), "{}", then.whole());
    let status = w.trial(&["status"]).status(3).check();
    assert!(
        status.stdout.contains("-7 points, which this version of the program makes"),
        "{}",
        status.whole()
    );
    let papers = String::from_utf8(w.tree("var/statements/club/2026-01")["rev-002/summary.csv"].clone());
    assert!(papers.expect("text").contains("late line, program version"));
    is_silent(&w, "2026-02-06");
    is_well(&w);
    differs_alone(&w);
}

#[test]
fn a_difference_that_is_released_is_posted_once() {
    let mut w = closed_by_another();
    sells(&mut w, "b", "B1,2026-01-07,P1,100\n");
    run(&w, "2026-02-05", 3);
    decide(&w, "release");
    run(&w, "2026-02-06", 0);
    let posted = [entry("107", ""), entry("10", "late line"), entry("-7", "program version")];
    assert_eq!(entries(&w, "P1"), posted);
    is_silent(&w, "2026-02-07");
    sells(&mut w, "c", "C1,2026-01-08,P1,200\n");
    run(&w, "2026-02-08", 0);
    assert_eq!(entries(&w, "P1")[3..], [entry("20", "late line")]);
    is_well(&w);
    differs_alone(&w);
}

#[test]
fn a_difference_that_is_released_goes_with_news_of_the_same_run() {
    let mut w = closed_by_another();
    sells(&mut w, "b", "B1,2026-01-07,P1,100\n");
    run(&w, "2026-02-05", 3);
    decide(&w, "release");
    sells(&mut w, "c", "C1,2026-01-08,P1,200\n");
    run(&w, "2026-02-06", 0);
    assert_eq!(entries(&w, "P1")[2..], [entry("13", "late line, program version")]);
    is_well(&w);
}

#[test]
fn a_difference_that_is_discarded_is_never_posted() {
    let mut w = closed_by_another();
    sells(&mut w, "b", "B1,2026-01-07,P1,100\n");
    run(&w, "2026-02-05", 3);
    decide(&w, "discard");
    run(&w, "2026-02-06", 0);
    is_silent(&w, "2026-02-07");
    sells(&mut w, "c", "C1,2026-01-08,P1,200\n");
    run(&w, "2026-02-08", 0);
    assert_eq!(entries(&w, "P1"), [entry("107", ""), entry("10", "late line"), entry("20", "late line")]);
    is_well(&w);
    differs_alone(&w);
}

#[test]
fn versions_that_agree_hold_nothing() {
    for (program, zones) in [("0.0.9", "2025b"), (env!("CARGO_PKG_VERSION"), "2019c")] {
        let mut w = closed("");
        by_another_version(&w, program, zones, &[]);
        is_well(&w);
        sells(&mut w, "b", "B1,2026-01-07,P1,100\nB2,2026-01-08,P3,500\n");
        let outcome = run(&w, "2026-02-05", 0);
        assert!(
            outcome.stderr.contains(&format!("accrued {program} with time-zone data {zones}")),
            "{}",
            outcome.whole()
        );
        assert_eq!(entries(&w, "P1"), [entry("100", ""), entry("10", "late line")]);
        assert_eq!(entries(&w, "P3"), [entry("50", "late line")]);
        assert!(held(&w).is_empty());
        is_silent(&w, "2026-02-06");
        let outcome = w.trial(&["verify", "--deep"]).check();
        assert!(outcome.stdout.contains("every row and every published byte alike"), "{}", outcome.whole());
        assert!(outcome.stdout.contains("made by another version"), "{}", outcome.whole());
    }
}

#[test]
fn what_another_version_knew_only_when_it_was_stopped_is_no_news() {
    let mut w = closed("");
    sells(&mut w, "b", "B1,2026-01-07,P1,100\n");
    // the run fails after its posting
    w.obstructed("var/statements/club", &["run", "--as-of", "2026-02-04"]);
    by_another_version(&w, "0.0.9", "2019c", &[]);
    let store = rusqlite::Connection::open(w.path("var/accrued.db")).expect("a store");
    // it said so of the position, and posted as much
    let sql = "UPDATE position SET points = points + 7000000 WHERE partner = 'P1'";
    store.execute_batch(sql).expect("a position");
    drop(store);
    sells(&mut w, "c", "C1,2026-01-08,P1,200\n");
    run(&w, "2026-02-05", 3);
    // 117 were said of what was known then, and 110 posted: the seven wait, and so nothing but the news is posted
    assert_eq!(entries(&w, "P1"), [entry("100", ""), entry("10", "late line"), entry("27", "late line")]);
    assert_eq!(held(&w)[0][2], "-7");
    is_well(&w);
}

#[test]
fn in_an_open_cycle_the_new_version_simply_counts() {
    let mut w = laid_out("post = \"continuous\"");
    sells(&mut w, "a", "A1,2026-01-05,P1,1000\n");
    run(&w, "2026-01-20", 0);
    by_another_version(&w, "0.0.9", "2019c", &[("P1", 7)]);
    let (outcome, found) = found(&w, &[]);
    assert!(found.iter().all(|(state, _)| state == "differs"), "{}", outcome.whole());
    sells(&mut w, "b", "B1,2026-01-07,P1,100\n");
    run(&w, "2026-01-21", 0);
    assert_eq!(entries(&w, "P1"), [entry("107", ""), entry("3", "")]);
    run(&w, "2026-02-02", 0);
    assert!(held(&w).is_empty());
    is_well(&w);
}

#[test]
fn in_a_locked_cycle_both_wait_and_each_is_decided_by_itself() {
    let mut w = closed("lock_after_days = 10");
    by_another_version(&w, "0.0.9", "2019c", &[("P1", 7)]);
    sells(&mut w, "b", "B1,2026-01-07,P1,100\n");
    run(&w, "2026-03-05", 3);
    assert_eq!(entries(&w, "P1"), [entry("107", "")]);
    is_well(&w);
    decide(&w, "release");
    run(&w, "2026-03-06", 0);
    assert_eq!(entries(&w, "P1")[1..], [entry("-7", "program version")]);
    is_well(&w);
    is_silent(&w, "2026-03-07");
}

#[test]
fn reading_again_moves_nothing_by_itself_and_the_difference_is_proposed() {
    let w = closed_by_another();
    w.write("accrued.toml", format!("{CONFIG}[feed.csv]\ncredit_notes = \"signed\"\n"));
    let outcome = w.trial(&["reread", "--feed", "sales", "--as-of", "2026-02-05"]).status(3).check();
    assert!(outcome.stderr.contains("other_version"), "{}", outcome.whole());
    assert_eq!(entries(&w, "P1"), [entry("107", "")]);
    assert_eq!(held(&w)[0][2], "-7");
    is_well(&w);
    is_silent(&w, "2026-02-06");
}

#[test]
fn an_edited_scheme_and_another_version_wait_for_themselves() {
    let w = closed_by_another();
    let path = "schemes/club.toml";
    let text = std::fs::read_to_string(w.path(path)).expect("a scheme");
    w.write(path, text.replace("10%", "20%"));
    run(&w, "2026-02-05", 3);
    let rows = w.trial(&["holds", "--format", "csv"]).check().csv();
    let waits: Vec<[&str; 3]> =
        rows.iter().map(|row| ["id", "kind", "points"].map(|column| row[column].as_str())).collect();
    let edit = waits.iter().find(|hold| hold[1] == "scheme_edited").expect("an edit");
    // of 1,000 and 2,000 ten percent more, whoever works it out
    assert_eq!(edit[2], "300", "{waits:?}");
    assert!(waits.iter().any(|hold| hold[1..] == ["other_version", "-7"]), "{waits:?}");
    w.trial(&["holds", "release", edit[0], "--reason", "meant"]).check();
    run(&w, "2026-02-06", 0);
    assert_eq!(entries(&w, "P1"), [entry("107", ""), entry("100", "scheme version")]);
    is_well(&w);
    is_silent(&w, "2026-02-07");
}

#[test]
fn a_run_that_is_stopped_after_it_proposed_a_difference_is_finished_by_the_next() {
    let mut w = closed_by_another();
    sells(&mut w, "b", "B1,2026-01-07,P1,100\n");
    w.obstructed("var/statements/club", &["run", "--as-of", "2026-02-05"]);
    let outcome = run(&w, "2026-02-06", 3);
    assert!(outcome.stderr.contains("held by a run that was killed"), "{}", outcome.whole());
    assert_eq!(entries(&w, "P1"), [entry("107", ""), entry("10", "late line")]);
    assert_eq!(held(&w).len(), 1);
    is_well(&w);
    is_silent(&w, "2026-02-07");
    differs_alone(&w);
}

#[test]
fn master_data_evaluate_everybody_and_post_no_version() {
    let mut w = closed_by_another();
    let feed = "[[feed]]\nname = \"partners\"\nkind = \"partners\"\nurl = \"file:masters\"\nfiles = \"*.csv\"\n\
                timezone = \"Asia/Kolkata\"\nsettle_seconds = 0\n";
    w.write("accrued.toml", format!("{CONFIG}{feed}"));
    w.drop("masters/m.csv", "partner_code,name\nP1,One\nP2,Two\n");
    run(&w, "2026-02-05", 3);
    assert_eq!(entries(&w, "P1"), [entry("107", "")]);
    assert_eq!(entries(&w, "P2"), [entry("200", "")]);
    assert_eq!(held(&w).len(), 1);
    is_well(&w);
}

/// Its only sale, just after midnight by the clocks of then, was in February; by those of now it is in January, which is closed.
#[test]
fn a_partner_who_has_a_position_in_a_closed_cycle_only_by_this_version_is_proposed() {
    let mut w = laid_out("");
    sells(&mut w, "a", "A1,2026-01-05,P1,1000\nA3,2026-01-31,P3,500\n");
    w.trial(&["run", "--as-of", "2026-02-03"]).check();
    made_of_another(&w, "P3", "P9");
    by_another_version(&w, "0.0.9", "2019c", &[]);
    differs_alone(&w);
    // without news of P3 nothing of it is posted or proposed
    sells(&mut w, "b", "B1,2026-01-07,P1,100\n");
    run(&w, "2026-02-05", 0);
    assert_eq!((entries(&w, "P3"), held(&w)), (vec![], vec![]));
    sells(&mut w, "c", "C3,2026-01-08,P3,40\n");
    run(&w, "2026-02-06", 3);
    assert_eq!(entries(&w, "P3"), [entry("4", "late line")]);
    let holds = held(&w);
    let [[_, state, points, detail]] = holds.as_slice() else { panic!("{holds:?}") };
    assert_eq!((state.as_str(), points.as_str()), ("open", "50"));
    assert!(detail.contains("made 0") && detail.contains("makes 50"), "{detail}");
    is_silent(&w, "2026-02-07");
    decide(&w, "release");
    run(&w, "2026-02-08", 0);
    assert_eq!(entries(&w, "P3"), [entry("4", "late line"), entry("50", "program version")]);
    is_silent(&w, "2026-02-09");
    differs_alone(&w);
}
