//! `accrued verify`: a sound store, and each way to break one, named.

use crate::rig::{HEADER, closed, feed, january, with, without_hashes};
use crate::support::program::{Outcome, Workspace};
use rusqlite::Connection;

/// Changes the store behind its back, as whoever has the file can.
fn tamper(workspace: &Workspace, sql: &str) {
    let store = Connection::open(workspace.path("var/accrued.db")).expect("a store");
    store.execute_batch(sql).expect(sql);
}

const NO_GUARDS: &str = "DROP TRIGGER ledger_keeps; DROP TRIGGER ledger_holds; DROP TRIGGER journal_keeps; DROP TRIGGER journal_holds;";

/// The findings of one check, as (what, detail).
fn findings(workspace: &Workspace, check: &str) -> Vec<(String, String)> {
    let outcome: Outcome = workspace.trial(&["verify", check]).status(4).check();
    let broken = outcome.csv().into_iter().filter(|row| row["state"] == "broken");
    let found: Vec<_> = broken
        .map(|row| (row["what"].clone(), without_hashes(&row["detail"]).trim_end().to_owned()))
        .collect();
    assert!(!found.is_empty(), "{}", outcome.whole());
    found
}

fn found(workspace: &Workspace, check: &str, what: &str, detail: &str) {
    let found = findings(workspace, check);
    let is = |(place, how): &(String, String)| place == what && how == detail;
    assert!(found.iter().any(is), "{what}: {detail}\nin {found:#?}");
}

#[test]
fn a_sound_store_is_proved() {
    let mut workspace = closed();
    workspace.drop("drop/sales/late.csv", format!("{HEADER}A3,1,2026-01-07,P1,500\nA4,1,no,P1,5\n"));
    workspace.trial(&["run", "--as-of", "2026-03-08"]).status(3).check();
    let outcome = workspace.trial(&["verify", "--format", "table"]).stderr("").check();
    assert_eq!(
        without_hashes(&outcome.stdout),
        "chain       ok      3 ledger rows, head HASH 18 journal records, head HASH\n\
         balances    ok      2 positions re-evaluated from facts\n\
         files       ok      2 files in the archive, 1 reject file\n\
         statements  ok      5 folders with 13 files, every account adds up\n"
    );
    let chosen = workspace.trial(&["verify", "files", "chain"]).check().csv();
    assert_eq!(chosen.iter().map(|row| row["check"].as_str()).collect::<Vec<_>>(), ["files", "chain"]);
}

#[test]
fn an_edited_digit_of_the_ledger_is_named() {
    let workspace = closed();
    tamper(&workspace, &format!("{NO_GUARDS} UPDATE ledger SET points = 90000000 WHERE entry = 1"));
    found(
        &workspace,
        "chain",
        "ledger",
        "ledger entry 1 (partner P1, scheme club, cycle 2026-01) was changed after it was posted",
    );
    found(
        &workspace,
        "chain",
        "accrued.db",
        "the trigger ledger_keeps is gone: the database no longer refuses changes",
    );
    found(
        &workspace,
        "balances",
        "club partner P1",
        "cycle 2026-01 has 90 points posted and 0 held, and the facts in force give 10",
    );
    // every check tells, and the whole has the same end
    workspace.trial(&["verify"]).status(4).check();
}

#[test]
fn entries_cut_off_at_the_end_are_missed() {
    let workspace = closed();
    tamper(&workspace, &format!("{NO_GUARDS} DELETE FROM ledger WHERE entry = 2"));
    let found = findings(&workspace, "chain");
    assert!(
        found.iter().any(|(_, how)| how.starts_with("entry 2 is gone, and journal record ")),
        "{found:?}"
    );
    let found = findings(&workspace, "statements");
    assert!(
        found
            .iter()
            .any(|(what, how)| what.ends_with("statement/MANIFEST.csv") && how.contains("ledger entry 2")),
        "{found:?}"
    );
}

#[test]
fn entries_taken_out_and_added_are_named() {
    let workspace = closed();
    tamper(&workspace, &format!("{NO_GUARDS} DELETE FROM ledger WHERE entry = 1"));
    found(&workspace, "chain", "ledger", "ledger entry 1 is missing: 2 follows");
    let workspace = closed();
    tamper(
        &workspace,
        "INSERT INTO ledger SELECT 3, posted_at, posting_date, scheme, cycle, 'P9', kind, points, amount, tier, reference, against, \
         expires_on, reason, run, actor, version_id, hash FROM ledger WHERE entry = 2",
    );
    found(
        &workspace,
        "chain",
        "ledger",
        "ledger entry 3 (partner P9, scheme club, cycle 2026-01) was changed after it was posted",
    );
    found(
        &workspace,
        "balances",
        "club partner P9",
        "2 points are posted for cycle 2026-01, and no fact in force earns any",
    );
}

#[test]
fn an_edited_journal_and_tables_that_disagree_with_it_are_named() {
    let workspace = closed();
    tamper(
        &workspace,
        &format!("{NO_GUARDS} UPDATE journal SET actor = 'nobody' WHERE kind = 'run-started'"),
    );
    found(
        &workspace,
        "chain",
        "journal",
        "journal record 1 (run-started, 2026-02-08T00:00:00Z) was changed after it was written",
    );
    let workspace = closed();
    tamper(&workspace, "UPDATE file SET sha256 = replace(sha256, 'b', 'a')");
    let found = findings(&workspace, "chain");
    assert!(
        found.iter().any(|(_, how)| how.starts_with("the file jan.csv is not what journal record ")),
        "{found:?}"
    );
    let workspace = closed();
    tamper(&workspace, "DELETE FROM close");
    let found = findings(&workspace, "chain");
    assert!(
        found.iter().any(|(_, how)| how.contains("tells of the close club 2026-01, which is gone")),
        "{found:?}"
    );
}

#[test]
fn a_changed_scheme_text_and_changed_facts_are_named() {
    let workspace = closed();
    tamper(&workspace, "UPDATE scheme_text SET text = replace(text, '1%', '2%')");
    let found = findings(&workspace, "balances");
    assert!(found[0].1.contains("of scheme club was changed in the store"), "{found:?}");
    findings(&workspace, "chain");
    let workspace = closed();
    tamper(&workspace, "DELETE FROM bundle WHERE partner = 'P2'");
    let found = findings(&workspace, "balances");
    assert!(found.iter().any(|(what, _)| what == "club partner P2"), "{found:?}");
}

#[test]
fn a_scheme_edited_since_the_last_run_breaks_nothing() {
    let workspace = closed();
    workspace.write("schemes/club.toml", crate::rig::SCHEME.replace("1%", "5%"));
    workspace.trial(&["verify"]).check();
}

#[test]
fn archived_bytes_that_are_gone_or_changed_are_named() {
    let workspace = closed();
    let name = workspace.tree("var/archive").into_keys().find(|name| !name.starts_with('.')).expect("a file");
    let path = format!("var/archive/{name}");
    workspace.write(&path, "other bytes");
    found(&workspace, "files", &path, "jan.csv of feed sales was changed: its SHA-256 is HASH");
    std::fs::remove_file(workspace.path(&path)).expect("a file");
    found(&workspace, "files", &path, "jan.csv of feed sales is missing");
}

#[test]
fn a_changed_reject_file_is_named() {
    let mut workspace = closed();
    workspace.drop("drop/sales/bad.csv", format!("{HEADER}A3,1,no,P1,500\n"));
    workspace.trial(&["run", "--as-of", "2026-02-09"]).status(3).check();
    let name = workspace.tree("var/rejects/sales").into_keys().next().expect("a reject file");
    let path = format!("var/rejects/sales/{name}");
    workspace.write(&path, "nothing\n");
    found(&workspace, "files", &path, "was changed: it is not what the store keeps of these rejects");
    std::fs::remove_file(workspace.path(&path)).expect("a file");
    found(&workspace, "files", &path, "is missing");
}

#[test]
fn published_files_that_are_changed_gone_or_foreign_are_named() {
    let folder = "statements/club/2026-01";
    let write = |file: &str, bytes: &str| {
        let workspace = closed();
        workspace.write(&format!("var/{folder}/{file}"), bytes);
        workspace
    };
    let changed = write("rev-001/summary.csv", "x\n");
    let what = format!("{folder}/rev-001/summary.csv");
    found(&changed, "statements", &what, "was changed: its SHA-256 is HASH published was HASH");
    let gone = closed();
    std::fs::remove_file(gone.path(&format!("var/{what}"))).expect("a file");
    found(&gone, "statements", &what, "is missing");
    let foreign = write("rev-001/mine.xlsx", "");
    found(&foreign, "statements", &format!("{folder}/rev-001/mine.xlsx"), "was not published by accrued");
    let foreign = write("rev-009/summary.csv", "");
    found(&foreign, "statements", &format!("{folder}/rev-009"), "was not published by accrued");
    let manifest = write("statement/MANIFEST.csv", "file,rows,sha256\n");
    let found_here = findings(&manifest, "statements");
    assert!(
        found_here[0].1.starts_with("was changed: its SHA-256 is HASH published was HASH (journal record "),
        "{found_here:?}"
    );
}

#[test]
fn a_standing_that_is_replaced_and_taken_away_is_not_missed() {
    let mut workspace = with(&feed("sales", "sales", ""));
    workspace.write(
        "schemes/club.toml",
        crate::rig::SCHEME.replace("length = \"month\"", "length = \"month\"\npost = \"continuous\""),
    );
    january(&mut workspace);
    workspace.trial(&["run", "--as-of", "2026-01-10"]).check();
    workspace.trial(&["verify"]).check();
    workspace.drop("drop/sales/more.csv", format!("{HEADER}A3,1,2026-01-07,P1,500\n"));
    workspace.trial(&["run", "--as-of", "2026-01-11"]).check();
    workspace.trial(&["verify"]).check();
    tamper(&workspace, &format!("{NO_GUARDS} UPDATE ledger SET points = 0 WHERE entry = 1"));
    let found = findings(&workspace, "balances");
    assert_eq!(found[0].0, "club partner P1");
    let mut workspace = with(&feed("sales", "sales", ""));
    workspace.write(
        "schemes/club.toml",
        crate::rig::SCHEME.replace("length = \"month\"", "length = \"month\"\npost = \"continuous\""),
    );
    january(&mut workspace);
    workspace.trial(&["run", "--as-of", "2026-01-10"]).check();
    workspace.trial(&["run", "--as-of", "2026-02-10"]).check();
    workspace.trial(&["verify"]).check();
}

#[test]
fn a_head_that_was_kept_outside_is_found_where_it_stood() {
    let mut workspace = closed();
    let ledger = workspace.trial(&["ledger"]).check().csv();
    let (first, last) = (ledger[0]["hash"].clone(), ledger[1]["hash"].clone());
    workspace.drop("drop/sales/late.csv", format!("{HEADER}A3,1,2026-01-07,P1,500\n"));
    let ran = workspace.trial(&["run", "--as-of", "2026-03-08"]).check();
    let printed = ran.stdout.lines().find_map(|line| line.strip_prefix("chain head 3 ")).expect("the head");
    let says = |head: &str, status: i32| {
        let outcome = workspace.trial(&["verify", "chain", "--head", head]).status(status).check();
        outcome.csv().last().expect("a row").clone()
    };
    for (head, place) in
        [(first.as_str(), "entry 1 of 3"), (&last, "entry 2 of 3"), (printed, "entry 3 of 3")]
    {
        let row = says(head, 0);
        assert_eq!(row["detail"], format!("head {head} is that of ledger {place}"));
    }
    assert!(says(&first.to_uppercase(), 0)["detail"].ends_with("ledger entry 1 of 3"));
    // verify prints the journal's head too
    let whole = workspace.trial(&["verify"]).check().csv()[0]["detail"].clone();
    let journal = whole.rsplit_once(' ').expect("a hash").1.to_owned();
    assert!(says(&journal, 0)["detail"].contains("is that of journal record "));
    assert!(says(&"0".repeat(64), 0)["detail"].contains("empty chain"));
    let row = says(&"ab".repeat(32), 4);
    assert_eq!((row["state"].as_str(), row["what"].as_str()), ("broken", "head"));
    for wrong in ["", "3", "xyz", &first[..63], &format!("{first}0")] {
        workspace.trial(&["verify", "chain", "--head", wrong]).status(2).check();
    }
    workspace.trial(&["verify", "files", "--head", &first]).status(2).check();
    // a store that is older than the head does not contain it
    let older = closed();
    older.trial(&["verify", "--head", printed]).status(4).check();
}
