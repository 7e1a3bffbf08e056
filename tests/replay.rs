//! The law "replay": `verify --deep` feeds journal and archive to an empty store and finds the same, and finds whatever was
//! changed behind the store's back.

#[path = "support/program.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod program;
#[path = "support/ugly.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod ugly;

use program::{Outcome, Workspace};
use rusqlite::Connection;
use ugly::{drop_sales, laid_out, release_all, run, ugly_history};

/// The store is what journal and archive give, and nothing is left of the replay.
fn replays(workspace: &Workspace) {
    let before = workspace.tree("var");
    let outcome = workspace.trial(&["verify", "--deep", "--format", "csv"]).check();
    let rows = outcome.csv();
    let deep = rows.iter().find(|row| row["check"] == "deep").expect("a row of the replay");
    assert!(deep["detail"].contains("every row and every published byte alike"), "{}", outcome.whole());
    let mut after = workspace.tree("var");
    after.retain(|path, _| !path.starts_with("accrued.db-"));
    let stores = |path: &String| !path.starts_with("accrued.db-");
    assert!(before.keys().filter(|path| stores(path)).eq(after.keys()), "something is left of the replay");
}

/// What the replay finds.
fn findings(workspace: &Workspace) -> (Outcome, Vec<String>) {
    let outcome = workspace.trial(&["verify", "chain", "--deep", "--format", "csv"]).status(4).check();
    let deep = outcome.csv().into_iter().filter(|row| row["check"] == "deep" && row["state"] == "broken");
    let found = deep.map(|row| format!("{}: {}", row["what"], row["detail"])).collect();
    (outcome, found)
}

fn finds(workspace: &Workspace, what: &str) {
    let (outcome, found) = findings(workspace);
    assert!(found.iter().any(|found| found.contains(what)), "{what} is not in\n{}", outcome.whole());
}

fn tamper(workspace: &Workspace, sql: &str) {
    let store = Connection::open(workspace.path("var/accrued.db")).expect("a store");
    store.execute_batch(sql).expect(sql);
}

#[test]
fn ugly_histories_are_replayed() {
    for post in ["at-close", "continuous"] {
        replays(&ugly_history(post));
    }
}

#[test]
fn every_way_for_a_file_to_end_is_replayed() {
    let mut w = laid_out("continuous");
    w.write(
        "accrued.toml",
        format!(
            "{}[[feed]]\nname = \"other\"\nkind = \"sales\"\nurl = \"file:drop/other\"\nfiles = \"*.csv\"\n\
             timezone = \"Asia/Dubai\"\nsettle_seconds = 0\n",
            ugly::CONFIG
        ),
    );
    drop_sales(&mut w, "a", "A1,1,invoice,2026-01-05,P1,X,300,\nA2,1,invoice,2026-01-06,P2,X,no,\n");
    let same = format!("{}B1,1,invoice,2026-01-05,P1,X,70,\n", ugly::HEADER);
    w.drop("drop/sales/b.csv", &same);
    w.drop("drop/sales/again.csv", &same);
    w.drop("drop/sales/headless.csv", "what,is,this\n1,2,3\n");
    w.drop("drop/other/b.csv", &same);
    run(&w, "2026-01-07");
    replays(&w);
    let hold = &w.trial(&["holds"]).check().csv()[0]["id"].clone();
    w.trial(&["holds", "release", hold, "--reason", "both are meant"]).check();
    replays(&w);
    // a link is passed over, and a feed cannot be listed: no cycle closes in that run
    std::os::unix::fs::symlink(w.path("accrued.toml"), w.path("drop/sales/link.csv")).expect("a link");
    std::fs::rename(w.path("drop/other"), w.path("drop/elsewhere")).expect("a folder");
    let unlisted = w.trial(&["run", "--as-of", "2026-02-02"]).status(3).check();
    assert!(unlisted.stdout.contains("every feed must be listed"), "{}", unlisted.whole());
    std::fs::rename(w.path("drop/elsewhere"), w.path("drop/other")).expect("a folder");
    w.trial(&["run", "--as-of", "2026-02-03", "--feed", "sales"]).check();
    w.trial(&["run", "--as-of", "2026-02-03", "--offline"]).check();
    w.trial(&["close", "club", "2026-01", "--reason", "enough", "--as-of", "2026-02-03"]).check();
    w.trial(&["run", "--dry-run", "--as-of", "2026-03-03"]).check();
    // other settings from now on: what was read before was read otherwise
    w.write(
        "accrued.toml",
        format!("{}[feed.csv]\ndecimal_mark = \",\"\n[publish]\ntransactions = false\n", ugly::CONFIG),
    );
    w.drop("drop/partners/p9.csv", "partner_code,class\nP1,A\n");
    run(&w, "2026-03-03");
    replays(&w);
}

#[test]
fn a_run_that_failed_is_replayed_as_far_as_it_came() {
    let mut w = laid_out("continuous");
    drop_sales(&mut w, "a", "A1,1,invoice,2026-01-05,P1,X,300,\n");
    run(&w, "2026-01-06");
    drop_sales(&mut w, "b", "A1,1,invoice,2026-01-05,P2,X,900,\nA3,1,invoice,2026-01-05,P1,X,5000,\n");
    w.obstructed("var/statements/club", &["run", "--as-of", "2026-01-07"]);
    release_all(&w);
    let outcome = w.trial(&["verify", "--deep"]).check();
    assert!(outcome.stdout.contains("run 2 has not finished"), "{}", outcome.whole());
    run(&w, "2026-01-08");
    replays(&w);
}

#[test]
fn what_is_changed_behind_the_stores_back_is_found() {
    let tampered = [
        ("UPDATE position SET measure = '999' WHERE partner = 'P1'", "measure"),
        ("UPDATE bundle SET body = zeroblob(length(body)) WHERE id = 1", "another body"),
        ("DELETE FROM document WHERE number = 'C1'", "is gone"),
        ("INSERT INTO link VALUES ('P9', 1, 'C1')", "link: partner \"P9\""),
        ("DELETE FROM cancellation", "is gone"),
        ("UPDATE partner_record SET class = 'Z' WHERE code = 'P2'", "class \"Z\", replayed it is \"A\""),
        ("UPDATE hold SET state = 'gone' WHERE kind = 'over_limit'", "state"),
        ("DELETE FROM decision", "decision"),
        (
            "DROP TRIGGER ledger_keeps; UPDATE ledger SET points = points + 1000000 WHERE entry = 2",
            "replayed it is",
        ),
        ("UPDATE evaluated SET rests_on = 'nothing'", "rests_on"),
    ];
    let template = ugly_history("at-close");
    tamper(&template, "PRAGMA wal_checkpoint(TRUNCATE)");
    let clean = std::fs::read(template.path("var/accrued.db")).expect("a store");
    for (sql, what) in tampered {
        tamper(&template, sql);
        finds(&template, what);
        tamper(&template, "PRAGMA wal_checkpoint(TRUNCATE)");
        template.write("var/accrued.db", &clean);
    }
    replays(&template);
}

#[test]
fn published_and_archived_bytes_are_compared() {
    let w = ugly_history("at-close");
    let path = "var/statements/club/2026-01/rev-001/summary.csv";
    let bytes = std::fs::read(w.path(path)).expect("a published file");
    w.write(path, [bytes.as_slice(), b"P9,,,,\n"].concat());
    finds(&w, "statements/club/2026-01/rev-001/summary.csv: differs from what the replay publishes");
    w.write(path, &bytes);
    w.write("var/rejects/sales/more.csv", "x");
    finds(&w, "rejects/sales/more.csv: is not what the replay publishes");
    std::fs::remove_file(w.path("var/rejects/sales/more.csv")).expect("a file");
    let archived = w.tree("var/archive").into_keys().next().expect("a file in the archive");
    w.write(&format!("var/archive/{archived}"), "other");
    finds(&w, "was changed in the archive");
}
