//! Posting as whole runs: corrections, holds and locks, edits in place, what the database refuses, what a second run changes.

#[path = "support/program.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod program;

use accrued::clock;
use accrued::store::Store;
use accrued::store::holds::{Ended, Hold, HoldState};
use accrued::store::journal::Stamp;
use accrued::store::ledger::Wanted;
use program::Workspace;
use std::path::Path;

const HEADER: &str =
    "invoice_no,line_no,doc_type,invoice_date,partner_code,sku,amount,ref_invoice_no,updated_at\n";

const CONFIG: &str = r#"data_dir = "var"
schemes_dir = "schemes"
[[feed]]
name = "sales"
kind = "sales"
url = "file:drop"
files = "*.csv"
timezone = "Asia/Kolkata"
settle_seconds = 0
"#;

const SCHEME: &str = r#"[scheme]
id = "club"
name = "Club"
company = "Example"
currency = "INR"
timezone = "Asia/Kolkata"
starts = 2026-04-01
[cycle]
length = "quarter"
year_starts = "april"
[slabs]
mode = "whole"
[[slab]]
from = "5 lakh"
rate = "0.2%"
tier = "Silver"
[[slab]]
from = "8 lakh"
rate = "0.3%"
tier = "Gold"
"#;

/// After the first quarter, and a month later.
const JULY: &str = "2026-07-02";
const AUGUST: &str = "2026-08-02";

fn workspace(scheme: &str) -> Workspace {
    let workspace = Workspace::new(CONFIG);
    workspace.write("schemes/club.toml", scheme);
    workspace
}

fn rows(rows: &[&str]) -> String {
    format!("{HEADER}{}\n", rows.join("\n"))
}

fn run(workspace: &Workspace, as_of: &str) -> i32 {
    let instant = format!("{as_of}T00:00:00Z");
    let outcome = workspace.accrued(&["run", "--as-of", &instant]);
    assert!(matches!(outcome.status, 0 | 3), "{outcome:#?}");
    outcome.status
}

fn store(workspace: &Workspace) -> Store {
    Store::open_reading(&workspace.path("var")).unwrap().expect("a run has made a store")
}

/// kind, cycle, partner, whole points and reason of each entry.
fn ledger(workspace: &Workspace) -> Vec<String> {
    let mut entries = Vec::new();
    store(workspace)
        .each_entry(&Wanted::default(), |entry| {
            let points = entry.points.0 / 1_000_000;
            entries.push(format!(
                "{} {} {} {points} {}",
                entry.kind.word(),
                entry.cycle,
                entry.partner_code,
                entry.reason
            ));
            Ok(())
        })
        .unwrap();
    entries
}

fn open_holds(workspace: &Workspace) -> Vec<Hold> {
    store(workspace).holds(Ended::Without).unwrap()
}

fn decide(workspace: &Workspace, id: i64, state: HoldState) {
    let data = workspace.path("var");
    let mut store = Store::open(&data, &data).unwrap();
    let stamp =
        Stamp { at: "2026-07-03T00:00:00Z".into(), run: store.last_run().unwrap(), actor: "asha".into() };
    store.decide_hold(&stamp, id, state, "looked at it").unwrap();
}

fn published(workspace: &Workspace, path: &str) -> String {
    std::fs::read_to_string(workspace.path("var/statements/club").join(path)).unwrap()
}

/// Every published file and reject file with its bytes.
fn tree(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files.push((path.display().to_string(), std::fs::read(&path).unwrap()));
            }
        }
    }
    files.sort();
    files
}

#[test]
fn a_late_line_is_a_correction_and_a_revision_of_its_partner_alone() {
    let mut workspace = workspace(SCHEME);
    workspace.drop("drop/a.csv", rows(&["I1,1,,2026-04-10,P1,X,790000,,", "I2,1,,2026-04-11,P2,X,600000,,"]));
    assert_eq!(run(&workspace, JULY), 0);
    assert_eq!(ledger(&workspace), ["accrual FY2026-27-Q1 P1 1580 ", "accrual FY2026-27-Q1 P2 1200 "]);
    workspace.drop("drop/late.csv", rows(&["I3,1,,2026-06-30,P1,X,10000,,"]));
    assert_eq!(run(&workspace, AUGUST), 0);
    assert_eq!(ledger(&workspace)[2..], ["correction FY2026-27-Q1 P1 820 late line"]);
    let revision = published(&workspace, "FY2026-27-Q1/rev-002/summary.csv");
    assert!(revision.contains("P1,") && !revision.contains("P2,"), "{revision}");
    assert!(revision.trim_end().ends_with("late line"), "{revision}");
    let papers = published(&workspace, "FY2026-27-Q1/rev-002/transactions.csv");
    assert_eq!(papers.lines().count(), 3, "{papers}");
}

#[test]
fn a_second_run_posts_nothing_and_changes_no_published_byte() {
    let mut workspace = workspace(SCHEME);
    workspace.drop("drop/a.csv", rows(&["I1,1,,2026-04-10,P1,X,790000,,", "I2,1,,2026-04-11,P2,X,bad,,"]));
    run(&workspace, JULY);
    let (entries, files) = (ledger(&workspace), tree(&workspace.path("var/statements")));
    let rejects = tree(&workspace.path("var/rejects"));
    assert_eq!(rejects.len(), 1);
    assert_eq!(run(&workspace, JULY), 0);
    assert_eq!(ledger(&workspace), entries);
    assert_eq!(tree(&workspace.path("var/statements")), files);
    assert_eq!(tree(&workspace.path("var/rejects")), rejects);
}

#[test]
fn what_takes_points_away_says_so() {
    let mut workspace = workspace(SCHEME);
    workspace.drop(
        "drop/a.csv",
        rows(&[
            "I1,1,,2026-04-10,P1,X,820000,,",
            "I2,1,,2026-04-10,P2,X,600000,,",
            "I3,1,,2026-04-10,P3,X,600000,,",
        ]),
    );
    run(&workspace, JULY);
    workspace.drop(
        "drop/b.csv",
        rows(&[
            "C1,1,credit_note,2026-07-05,P1,X,30000,I1,",
            "I2,1,cancellation,2026-07-05,,,,,",
            "I3,1,,2026-04-10,P3,X,700000,,",
        ]),
    );
    run(&workspace, AUGUST);
    assert_eq!(
        ledger(&workspace)[3..],
        [
            "correction FY2026-27-Q1 P1 -880 credit note",
            "correction FY2026-27-Q1 P2 -1200 cancellation",
            "correction FY2026-27-Q1 P3 200 superseded line",
        ]
    );
    let statement = run_to_next_quarter(&workspace);
    assert!(statement.contains("P1,,2026-08-02,correction,FY2026-27-Q1"), "{statement}");
}

fn run_to_next_quarter(workspace: &Workspace) -> String {
    run(workspace, "2026-10-02");
    published(workspace, "FY2026-27-Q2/statement/statement.csv")
}

#[test]
fn a_line_claimed_by_another_partner_waits_and_can_be_released() {
    let mut workspace = workspace(SCHEME);
    workspace.drop("drop/a.csv", rows(&["I1,1,,2026-04-10,P1,X,600000,,"]));
    run(&workspace, JULY);
    workspace.drop("drop/b.csv", rows(&["I1,1,,2026-04-10,P2,X,600000,,", "I9,1,,2026-04-10,P2,X,500000,,"]));
    assert_eq!(run(&workspace, AUGUST), 3);
    assert_eq!(ledger(&workspace)[1..], ["correction FY2026-27-Q1 P2 1000 late line"]);
    let holds = open_holds(&workspace);
    assert_eq!(holds.len(), 1);
    assert_eq!((holds[0].kind.as_str(), holds[0].partner.as_str()), ("identity_conflict", "P2"));
    decide(&workspace, holds[0].id, HoldState::Released);
    run(&workspace, AUGUST);
    assert_eq!(
        ledger(&workspace)[2..],
        ["correction FY2026-27-Q1 P1 -1200 hold decided", "correction FY2026-27-Q1 P2 2300 hold decided",]
    );
    assert!(open_holds(&workspace).is_empty());
}

#[test]
fn two_partners_in_one_file_cannot_both_have_a_line() {
    let mut workspace = workspace(SCHEME);
    workspace.drop(
        "drop/a.csv",
        rows(&[
            "I1,1,,2026-04-10,P1,X,600000,,",
            "I1,1,,2026-04-10,P2,X,600000,,",
            "I1,2,,2026-04-10,P2,X,500000,,",
        ]),
    );
    assert_eq!(run(&workspace, JULY), 3);
    assert_eq!(ledger(&workspace), ["accrual FY2026-27-Q1 P2 1000 "]);
    let files = store(&workspace).files(None).unwrap();
    assert_eq!((files[0].counts.rows, files[0].counts.accepted, files[0].counts.rejected), (3, 1, 2));
    let rejects = tree(&workspace.path("var/rejects"));
    let text = String::from_utf8(rejects[0].1.clone()).unwrap();
    assert!(text.contains("identity_twice") && text.contains("I1,1,,2026-04-10,P2,X,600000"), "{text}");
}

#[test]
fn a_cancellation_counts_whichever_comes_first() {
    let mut before = workspace(SCHEME);
    before.drop("drop/a.csv", rows(&["I1,,cancellation,2026-04-12,,,,,"]));
    run(&before, "2026-05-01");
    before.drop("drop/b.csv", rows(&["I1,1,,2026-04-10,P1,X,600000,,", "I2,1,,2026-04-10,P1,X,500000,,"]));
    run(&before, JULY);
    let mut after = workspace(SCHEME);
    after.drop("drop/b.csv", rows(&["I1,1,,2026-04-10,P1,X,600000,,", "I2,1,,2026-04-10,P1,X,500000,,"]));
    run(&after, "2026-05-01");
    after.drop("drop/a.csv", rows(&["I1,,cancellation,2026-04-12,,,,,"]));
    run(&after, JULY);
    assert_eq!(ledger(&before), ["accrual FY2026-27-Q1 P1 1000 "]);
    assert_eq!(ledger(&after), ledger(&before));
    let papers = published(&before, "FY2026-27-Q1/rev-001/transactions.csv");
    assert!(papers.contains("cancelled"), "a cancelled line is listed: {papers}");
}

#[test]
fn a_cancellation_is_the_reason_in_its_own_cycle_and_only_once() {
    let mut workspace = workspace(SCHEME);
    let cancelled = "I2,1,cancellation,2026-04-20,,,,,";
    let sales =
        ["I1,1,,2026-04-10,P1,X,600000,,", "I2,1,,2026-04-11,P1,X,1000,,", "I3,1,,2026-07-10,P1,X,600000,,"];
    let and = |more: &[&str]| rows(&[&sales[..], &["I4,1,,2026-07-11,P1,X,500000,,"], more].concat());
    workspace.drop("drop/a.csv", and(&[cancelled]));
    run(&workspace, "2026-10-02");
    // told again beside a late line of its cycle, and beside the cancellation of another cycle's invoice
    workspace.drop(
        "drop/b.csv",
        and(&[cancelled, "I4,1,cancellation,2026-10-03,,,,,", "I5,1,,2026-04-12,P1,X,500000,,"]),
    );
    run(&workspace, "2026-11-02");
    assert_eq!(
        ledger(&workspace)[2..],
        ["correction FY2026-27-Q1 P1 2100 late line", "correction FY2026-27-Q2 P1 -2100 cancellation",]
    );
}

/// SCHEME with more keys under `[earn]` or sections behind it.
fn scheme_with(more: &str) -> String {
    SCHEME.replace("[slabs]", &format!("{more}[slabs]"))
}

/// The last so many postings: cycle, points and reason.
fn latest(workspace: &Workspace, count: usize) -> Vec<String> {
    let all = ledger(workspace);
    let cut = |entry: &String| entry.replace("correction FY2026-27-", "").replace("P1 ", "");
    all[all.len() - count..].iter().map(cut).collect()
}

#[test]
fn a_credit_note_is_the_reason_in_the_cycles_that_its_shortfall_is_carried_into() {
    let mut workspace = workspace(&scheme_with("[earn]\nreturns = \"return-cycle\"\n"));
    workspace.drop("drop/a.csv", rows(&["I1,1,,2026-04-10,P1,X,500000,,", "I2,1,,2026-07-10,P1,X,600000,,"]));
    run(&workspace, "2026-10-02");
    workspace.drop("drop/b.csv", rows(&["C1,1,credit_note,2026-06-20,P1,X,700000,I1,"]));
    run(&workspace, "2026-10-03");
    assert_eq!(latest(&workspace, 2), ["Q1 -1000 credit note", "Q2 -1200 credit note"]);
}

#[test]
fn a_late_line_is_the_reason_in_the_next_cycle_whose_tier_it_gives() {
    let tiers = "[tier]\napplies = \"next-cycle\"\n[[tier_bonus]]\ntier = \"Gold\"\npercent = \"50%\"\n";
    let mut workspace = workspace(&scheme_with(tiers));
    workspace.drop("drop/a.csv", rows(&["I1,1,,2026-04-10,P1,X,700000,,", "I2,1,,2026-07-10,P1,X,500000,,"]));
    run(&workspace, "2026-10-02");
    workspace.drop("drop/b.csv", rows(&["I3,1,,2026-06-20,P1,X,300000,,"]));
    run(&workspace, "2026-10-03");
    assert_eq!(latest(&workspace, 2), ["Q1 1600 late line", "Q2 500 late line"]);
    // news of a later cycle is none of an earlier one
    workspace.drop("drop/c.csv", rows(&["I2,1,cancellation,,,,,,"]));
    run(&workspace, "2026-10-04");
    assert_eq!(latest(&workspace, 1), ["Q2 -1500 cancellation"]);
}

#[test]
fn master_data_is_the_reason_though_a_later_cycle_has_news() {
    let mut workspace = workspace(&scheme_with("[tier]\napplies = \"next-cycle\"\n"));
    let people = CONFIG.split_once("[[feed]]").expect("CONFIG has a feed").1;
    let people = people.replace("sales", "partners").replace("drop", "people");
    workspace.write("accrued.toml", format!("{CONFIG}[[feed]]{people}"));
    workspace.drop("people/none.csv", "partner_code\n");
    workspace.drop("drop/a.csv", rows(&["I1,1,,2026-04-10,P1,X,700000,,", "I2,1,,2026-07-10,P1,X,500000,,"]));
    run(&workspace, "2026-10-02");
    workspace.drop("drop/b.csv", rows(&["I3,1,,2026-08-01,P1,X,300000,,"]));
    workspace
        .drop("people/a.csv", "partner_code,active,effective_from\nP1,no,2026-04-01\nP1,yes,2026-07-01\n");
    run(&workspace, "2026-10-03");
    assert_eq!(latest(&workspace, 2), ["Q1 -1400 master data", "Q2 1400 late line"]);
}

#[test]
fn a_late_invoice_is_the_reason_where_its_credit_note_stood_until_then() {
    let mut workspace = workspace(SCHEME);
    workspace.drop(
        "drop/a.csv",
        rows(&["I1,1,,2026-07-10,P1,X,600000,,", "C1,1,credit_note,2026-07-20,P1,X,100000,I9,"]),
    );
    run(&workspace, "2026-10-02");
    workspace.drop("drop/b.csv", rows(&["I9,1,,2026-05-05,P1,X,600000,,"]));
    run(&workspace, "2026-10-03");
    assert_eq!(latest(&workspace, 2), ["Q1 1000 late line", "Q2 200 late line"]);
}

#[test]
fn the_database_itself_refuses_changes_to_ledger_and_journal() {
    let mut workspace = workspace(SCHEME);
    workspace.drop("drop/a.csv", rows(&["I1,1,,2026-04-10,P1,X,600000,,"]));
    run(&workspace, JULY);
    // a connection of somebody else's, with none of our settings
    let plain = rusqlite::Connection::open(workspace.path("var/accrued.db")).unwrap();
    for table in ["ledger", "journal"] {
        let key = if table == "ledger" { "entry" } else { "seq" };
        for sql in [
            format!("UPDATE {table} SET actor = 'x'"),
            format!("UPDATE OR REPLACE {table} SET {key} = 1"),
            format!("DELETE FROM {table}"),
            format!("INSERT OR REPLACE INTO {table} SELECT * FROM {table} WHERE {key} = 1"),
            format!("REPLACE INTO {table} SELECT * FROM {table} WHERE {key} = 1"),
            format!("INSERT OR IGNORE INTO {table} SELECT * FROM {table} WHERE {key} = 1"),
        ] {
            let fault = plain.execute_batch(&sql).expect_err(&sql).to_string();
            assert!(fault.contains("append-only"), "{sql}: {fault}");
        }
    }
    assert_eq!(store(&workspace).ledger_breaks().unwrap(), [] as [String; 0]);
    assert_eq!(store(&workspace).journal_breaks().unwrap(), [] as [String; 0]);
}

#[test]
fn an_edited_digit_breaks_the_chain_where_it_was_edited() {
    let mut workspace = workspace(SCHEME);
    workspace.drop("drop/a.csv", rows(&["I1,1,,2026-04-10,P1,X,600000,,", "I2,1,,2026-04-10,P2,X,600000,,"]));
    run(&workspace, JULY);
    let plain = rusqlite::Connection::open(workspace.path("var/accrued.db")).unwrap();
    plain
        .execute_batch(
            "DROP TRIGGER ledger_keeps; UPDATE ledger SET points = points + 1000000 WHERE entry = 2",
        )
        .unwrap();
    let found = store(&workspace).ledger_breaks().unwrap().pop().expect("the chain is broken");
    assert!(found.contains("entry 2") && found.contains("P2"), "{found}");
}

#[test]
fn an_edit_in_place_waits_for_closed_cycles_and_counts_for_open_ones() {
    let mut workspace = workspace(SCHEME);
    workspace.drop("drop/a.csv", rows(&["I1,1,,2026-04-10,P1,X,600000,,", "I2,1,,2026-07-10,P1,X,600000,,"]));
    run(&workspace, AUGUST);
    workspace.write("schemes/club.toml", SCHEME.replace("0.2%", "0.4%"));
    assert_eq!(run(&workspace, AUGUST), 3);
    let holds = open_holds(&workspace);
    assert_eq!(holds.len(), 1, "{holds:?}");
    assert_eq!((holds[0].kind.as_str(), holds[0].points.0), ("scheme_edited", 1_200_000_000));
    assert_eq!(run(&workspace, AUGUST), 0, "it is told once");
    // facts still move the closed cycle, by the text that it was closed with
    workspace.drop("drop/late.csv", rows(&["I3,1,,2026-06-30,P1,X,50000,,"]));
    run(&workspace, AUGUST);
    assert_eq!(ledger(&workspace)[1..], ["correction FY2026-27-Q1 P1 100 late line"]);
    run(&workspace, "2026-10-02");
    assert_eq!(ledger(&workspace)[2..], ["accrual FY2026-27-Q2 P1 2400 "]);
    decide(&workspace, holds[0].id, HoldState::Released);
    run(&workspace, "2026-10-03");
    assert_eq!(ledger(&workspace)[3..], ["correction FY2026-27-Q1 P1 1300 scheme version"]);
    assert_eq!(run(&workspace, "2026-10-04"), 0);
    assert_eq!(ledger(&workspace).len(), 4);
}

#[test]
fn a_name_in_a_scheme_is_no_part_of_its_version() {
    let mut workspace = workspace(SCHEME);
    workspace.drop("drop/a.csv", rows(&["I1,1,,2026-04-10,P1,X,600000,,"]));
    run(&workspace, JULY);
    workspace
        .write("schemes/club.toml", format!("# a comment\n{}", SCHEME.replace("\"Club\"", "\"The Club\"")));
    assert_eq!(run(&workspace, AUGUST), 0);
    assert_eq!(ledger(&workspace).len(), 1);
}

#[test]
fn a_locked_cycle_proposes_and_posts_what_is_released() {
    let scheme = SCHEME.replace("year_starts", "lock_after_days = 30\nyear_starts");
    let mut workspace = workspace(&scheme);
    workspace.drop("drop/a.csv", rows(&["I1,1,,2026-04-10,P1,X,600000,,"]));
    run(&workspace, JULY);
    workspace.drop("drop/b.csv", rows(&["I2,1,,2026-04-10,P1,X,100000,,"]));
    assert_eq!(run(&workspace, AUGUST), 3);
    let holds = open_holds(&workspace);
    assert_eq!((holds[0].kind.as_str(), holds[0].points.0), ("cycle_locked", 200_000_000));
    assert_eq!(ledger(&workspace).len(), 1);
    decide(&workspace, holds[0].id, HoldState::Released);
    assert_eq!(run(&workspace, AUGUST), 0);
    assert_eq!(ledger(&workspace)[1..], ["correction FY2026-27-Q1 P1 200 late line"]);
}

#[test]
fn what_is_over_the_limit_is_held_and_paid_once_released() {
    let scheme = format!("{SCHEME}\n[limits]\naccrual = 1000\n");
    let mut workspace = workspace(&scheme);
    workspace.drop("drop/a.csv", rows(&["I1,1,,2026-04-10,P1,X,600000,,"]));
    assert_eq!(run(&workspace, JULY), 3);
    assert_eq!(ledger(&workspace), ["accrual FY2026-27-Q1 P1 1000 "]);
    let holds = open_holds(&workspace);
    assert_eq!((holds[0].kind.as_str(), holds[0].points.0), ("over_limit", 200_000_000));
    decide(&workspace, holds[0].id, HoldState::Released);
    run(&workspace, AUGUST);
    assert_eq!(ledger(&workspace)[1].split(' ').nth(3), Some("200"));
    assert!(open_holds(&workspace).is_empty());
}

#[test]
fn a_date_in_the_future_counts_when_its_day_has_come() {
    let mut workspace = workspace(SCHEME);
    workspace.drop(
        "drop/a.csv",
        rows(&[
            "I1,1,,2026-06-20,P1,X,600000,,",
            "I2,1,,9999-06-20,P1,X,600000,,",
            "I3,1,,1900-06-20,P1,X,600000,,",
        ]),
    );
    assert_eq!(run(&workspace, "2026-06-10"), 3);
    assert_eq!(run(&workspace, JULY), 0);
    assert_eq!(ledger(&workspace), ["accrual FY2026-27-Q1 P1 1200 "]);
    let kinds: Vec<String> = open_holds(&workspace).into_iter().map(|hold| hold.kind).collect();
    assert_eq!(kinds, ["future_date"], "the one in 9999 still waits");
}

#[test]
fn a_continuous_scheme_posts_its_standing_and_replaces_its_papers() {
    let scheme = SCHEME.replace("year_starts", "post = \"continuous\"\nyear_starts");
    let mut workspace = workspace(&scheme);
    workspace.drop("drop/a.csv", rows(&["I1,1,,2026-04-10,P1,X,600000,,", "I2,1,,2026-04-10,P2,X,500000,,"]));
    run(&workspace, "2026-04-20");
    assert!(published(&workspace, "FY2026-27-Q1/current/summary.csv").contains("P1,"));
    workspace.drop("drop/b.csv", rows(&["I3,1,,2026-04-21,P1,X,300000,,"]));
    run(&workspace, "2026-04-22");
    let current = published(&workspace, "FY2026-27-Q1/current/summary.csv");
    assert!(current.contains("900000.00") && current.contains("P2,"), "replaced as a whole: {current}");
    run(&workspace, JULY);
    assert_eq!(
        ledger(&workspace),
        ["accrual FY2026-27-Q1 P1 1200 ", "accrual FY2026-27-Q1 P2 1000 ", "accrual FY2026-27-Q1 P1 1500 "]
    );
    assert!(!workspace.path("var/statements/club/FY2026-27-Q1/current").exists());
    let statement = published(&workspace, "FY2026-27-Q1/statement/statement.csv");
    assert!(statement.contains("2026-04-20") && statement.contains("2026-04-22"), "{statement}");
}

#[test]
fn a_cycle_waits_for_its_expected_files() {
    let config = CONFIG.replace("\"*.csv\"", "\"s_{yyyy}-{mm}.csv\"\nexpected = \"monthly\"");
    let mut workspace = Workspace::new(&config);
    workspace.write("schemes/club.toml", SCHEME);
    workspace.drop("drop/s_2026-04.csv", rows(&["I1,1,,2026-04-10,P1,X,600000,,"]));
    workspace.drop("drop/s_2026-05.csv", rows(&[]));
    assert_eq!(run(&workspace, AUGUST), 3, "June is missing");
    assert!(ledger(&workspace).is_empty());
    assert_eq!(run(&workspace, AUGUST), 0, "which is told once");
    workspace.drop("drop/s_2026-06.csv", rows(&["I2,1,,2026-06-10,P1,X,100000,,"]));
    run(&workspace, AUGUST);
    assert_eq!(ledger(&workspace), ["accrual FY2026-27-Q1 P1 1400 "]);
}

#[test]
fn a_store_keeps_to_its_clock() {
    let mut workspace = workspace(SCHEME);
    workspace.drop("drop/a.csv", rows(&["I1,1,,2026-04-10,P1,X,600000,,"]));
    run(&workspace, JULY);
    let earlier = workspace.accrued(&["run", "--as-of", "2026-07-01T00:00:00Z"]);
    assert_eq!(earlier.status, 1);
    assert!(earlier.stderr.contains("cannot be earlier than the last"), "{}", earlier.stderr);
    let real = workspace.accrued(&["run"]);
    assert_eq!(real.status, 1);
    assert!(real.stderr.contains("--as-of"), "{}", real.stderr);
    let _ = clock::now();
}

#[test]
fn a_name_that_can_be_no_file_is_told_once_and_the_rest_goes_on() {
    let mut workspace = workspace(SCHEME);
    workspace.drop("drop/a.csv", rows(&["I1,1,,2026-04-10,P1,X,600000,,"]));
    std::fs::create_dir(workspace.path("drop/folder.csv")).unwrap();
    std::os::unix::fs::symlink("a.csv", workspace.path("drop/link.csv")).unwrap();
    assert_eq!(run(&workspace, JULY), 3);
    assert_eq!(ledger(&workspace).len(), 1);
    assert_eq!(run(&workspace, AUGUST), 0);
    std::os::unix::fs::symlink("a.csv", workspace.path("drop/other.csv")).unwrap();
    assert_eq!(run(&workspace, AUGUST), 3);
}
