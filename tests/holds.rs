//! Every kind of hold on lines and points, through the binary: what is at stake, what a person may decide and what ends by
//! itself, who decided and why, and that posted and held always are what the facts give.

#[path = "masters/rig.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod rig;

mod support {
    #[allow(dead_code, reason = "each test program uses its own part")]
    pub mod program;
}

use rig::{SALES, at_close, balances, run, workspace};
use std::collections::BTreeMap;
use support::program::Workspace;

type Hold = BTreeMap<String, String>;

fn open(workspace: &Workspace) -> Vec<Hold> {
    workspace.trial(&["holds", "--format", "csv"]).check().csv()
}

/// `kind partner lines amount points` of what waits.
fn told(workspace: &Workspace) -> Vec<String> {
    let one = |hold: &Hold| {
        let cells = ["kind", "partner_code", "lines", "amount", "points"].map(|cell| hold[cell].as_str());
        cells.join(" ")
    };
    open(workspace).iter().map(one).collect()
}

fn decide(workspace: &Workspace, verb: &str, id: &str, status: i32) -> String {
    workspace.trial(&["holds", verb, id, "--reason", "as agreed"]).status(status).check().stderr
}

/// The command shows each as csv, json and a table, and status counts them.
fn shown_everywhere(workspace: &Workspace, kind: &str) {
    for format in ["csv", "json", "table"] {
        let outcome = workspace.trial(&["holds", "--format", format]).check();
        assert!(outcome.stdout.contains(kind), "{}", outcome.whole());
    }
    let status = workspace.trial(&["status", "--format", "csv"]).status(3).check();
    assert!(status.stdout.contains(kind), "{}", status.whole());
}

#[test]
fn lines_that_wait_for_a_master_a_rate_or_their_day_say_what_is_at_stake() {
    let mut workspace =
        workspace(&["sales", "partners", "items", "fx"], "[earn]\nunlisted_skus = \"hold\"\n");
    let header = "invoice_no,line_no,invoice_date,partner_code,sku,amount,currency\n";
    let rows = "A1,1,2026-01-05,P1,X,1000,\nA2,1,2026-01-05,P2,Y,2000,\nA3,1,2026-01-06,P2,X,300,EUR\nA4,1,2026-01-30,P2,X,400,\nA5,1,2026-01-05,P2,X,10,\n";
    workspace.drop("drop/partners/1.csv", "partner_code,name\nP2,Two\n");
    workspace.drop("drop/items/1.csv", "sku\nX\n");
    workspace.drop("drop/sales/1.csv", format!("{header}{rows}"));
    run(&workspace, "2026-01-20", 3);
    assert_eq!(
        told(&workspace),
        [
            "partner_unlisted_held P1 1 1000 10",
            "future_date P2 1 400 4",
            "sku_unlisted_held P2 1 2000 20",
            "no_fx_rate P2 1 300 ",
        ]
    );
    for (kind, remedy) in [
        ("partner_unlisted_held", "add the partner to the partner master"),
        ("future_date", "count by themselves once that day has come"),
        ("sku_unlisted_held", "add the SKUs to the item master"),
        ("no_fx_rate", "send the exchange rate"),
    ] {
        shown_everywhere(&workspace, kind);
        let hold = open(&workspace).into_iter().find(|hold| hold["kind"] == kind).expect("it waits");
        for verb in ["release", "discard"] {
            let refused = decide(&workspace, verb, &hold["id"], 1);
            assert!(
                refused.contains("cannot be decided by a person") && refused.contains(remedy),
                "{refused}"
            );
        }
    }
    // nothing new: what waits still waits, and the run is done
    run(&workspace, "2026-01-21", 0);
    workspace.drop("drop/partners/2.csv", "partner_code,name\nP1,One\n");
    run(&workspace, "2026-01-22", 0);
    workspace.drop("drop/items/2.csv", "sku\ny\n");
    run(&workspace, "2026-01-23", 0);
    workspace.drop("drop/fx/1.csv", "date,from,to,rate\n2026-01-01,EUR,INR,100\n");
    run(&workspace, "2026-01-24", 0);
    assert_eq!(told(&workspace), ["future_date P2 1 400 4"]);
    run(&workspace, "2026-01-30", 0);
    assert!(told(&workspace).is_empty());
    assert_eq!(balances(&workspace)["P2"], "324.10");
    let all = workspace.trial(&["holds", "--all", "--format", "csv"]).check().csv();
    assert!(all.iter().all(|hold| hold["state"] == "gone" && hold["decided_by"].is_empty()));
    let refused = decide(&workspace, "release", &all[0]["id"], 1);
    assert!(refused.contains("has ended by itself, since its cause is gone"), "{refused}");
}

/// A1 of P1 is contradicted by a later file: another partner, and in a second document fewer rows.
fn contradicted() -> Workspace {
    let mut workspace = workspace(&["sales"], "");
    workspace.drop("drop/sales/1.csv", format!("{SALES}A1,1,2026-01-05,P1,1000,\n"));
    workspace.drop(
        "drop/sales/2.csv",
        "invoice_no,invoice_date,partner_code,amount\nB1,2026-01-05,P1,100\nB1,2026-01-05,P1,200\n",
    );
    run(&workspace, "2026-01-20", 0);
    workspace.drop("drop/sales/3.csv", format!("{SALES}A1,1,2026-01-05,P2,1500,\n"));
    workspace.drop("drop/sales/4.csv", "invoice_no,invoice_date,partner_code,amount\nB1,2026-01-05,P1,100\n");
    let outcome = run(&workspace, "2026-01-21", 3);
    assert!(outcome.stdout.contains("2 new"), "{}", outcome.whole());
    workspace
}

#[test]
fn versions_that_contradict_wait_and_speak_once_they_are_released() {
    let workspace = contradicted();
    assert_eq!(told(&workspace), ["identity_conflict P2 1 1500 15", "rows_vanished P1 1 100 -2"]);
    shown_everywhere(&workspace, "identity_conflict");
    shown_everywhere(&workspace, "rows_vanished");
    // whom it would take the sale from
    let taken = "; released now P1 has 10 points less";
    assert!(open(&workspace)[0]["detail"].ends_with(taken), "{:?}", open(&workspace));
    run(&workspace, "2026-01-22", 0);
    for hold in open(&workspace) {
        decide(&workspace, "release", &hold["id"], 0);
        workspace.trial(&["verify"]).check();
    }
    run(&workspace, "2026-01-23", 0);
    let points = balances(&workspace);
    assert_eq!((points["P1"].as_str(), points["P2"].as_str()), ("1.00", "15.00"));
    assert!(told(&workspace).is_empty());
    let all = workspace.trial(&["holds", "--all", "--format", "csv"]).check().csv();
    let me = std::process::Command::new("id").arg("-un").output().expect("id");
    for hold in all {
        assert_eq!(hold["decided_by"], String::from_utf8_lossy(&me.stdout).trim());
        assert_eq!((hold["reason"].as_str(), hold["state"].as_str()), ("as agreed", "released"));
    }
}

#[test]
fn what_was_discarded_does_not_count_and_is_asked_about_again_only_if_it_comes_again() {
    let mut workspace = contradicted();
    for hold in open(&workspace) {
        decide(&workspace, "discard", &hold["id"], 0);
        let again = decide(&workspace, "release", &hold["id"], 1);
        assert!(again.contains("is discarded already: nothing to do"), "{again}");
    }
    run(&workspace, "2026-01-23", 0);
    assert_eq!(balances(&workspace)["P1"], "13.00");
    workspace.trial(&["status"]).check();
    // the same bytes under another name: a duplicate file, nobody is asked
    workspace.drop("drop/sales/5.csv", format!("{SALES}A1,1,2026-01-05,P2,1500,\n"));
    run(&workspace, "2026-01-24", 0);
    assert!(told(&workspace).is_empty());
    // the same line in another file contradicts again
    workspace.drop("drop/sales/6.csv", format!("{SALES}A1,1,2026-01-05,P2,1500,\nC1,1,2026-01-05,P3,1,\n"));
    run(&workspace, "2026-01-25", 3);
    assert_eq!(told(&workspace), ["identity_conflict P2 1 1500 15"]);
    assert_eq!(balances(&workspace)["P3"], "0.01");
}

#[test]
fn a_version_that_waits_and_its_corrected_successor() {
    let mut workspace = contradicted();
    // the sender corrects itself: the document is P1's after all
    workspace.drop("drop/sales/7.csv", format!("{SALES}A1,1,2026-01-05,P1,1500,\n"));
    run(&workspace, "2026-01-24", 0);
    assert_eq!(balances(&workspace)["P1"], "18.00");
    assert_eq!(told(&workspace).len(), 2, "what was said to be P2's still waits for a word");
}

#[test]
fn points_over_a_limit_wait_and_are_posted_or_never() {
    for (verb, posted) in [("release", "10.00"), ("discard", "4.00")] {
        let mut workspace = workspace(&["sales"], "[limits]\naccrual = 4\n");
        workspace.drop("drop/sales/1.csv", format!("{SALES}A1,1,2026-01-05,P1,1000,\n"));
        run(&workspace, "2026-01-20", 3);
        assert_eq!(told(&workspace), ["over_limit P1   6"]);
        shown_everywhere(&workspace, "over_limit");
        run(&workspace, "2026-01-21", 0);
        decide(&workspace, verb, "1", 0);
        run(&workspace, "2026-01-22", 0);
        assert_eq!(balances(&workspace)["P1"], posted);
        workspace.trial(&["status"]).check();
        // more than was decided on waits again
        workspace.drop("drop/sales/2.csv", format!("{SALES}A2,1,2026-01-06,P1,100,\n"));
        run(&workspace, "2026-01-23", 3);
        let waits = told(&workspace);
        assert_eq!(waits, [if verb == "release" { "over_limit P1   1" } else { "over_limit P1   7" }]);
        // and less than the limit does not
        workspace.drop("drop/sales/3.csv", format!("{SALES}A1,1,2026-01-05,P1,1,\n"));
        run(&workspace, "2026-01-24", 0);
        assert!(told(&workspace).is_empty());
        assert_eq!(balances(&workspace)["P1"], "1.01");
    }
}

#[test]
fn a_locked_cycles_correction_waits_and_goes_when_its_cause_goes() {
    let mut workspace = workspace(&["sales"], "");
    workspace.write(
        "schemes/club.toml",
        at_close("").replace("length = \"month\"\n", "length = \"month\"\nlock_after_days = 1\n"),
    );
    workspace.drop("drop/sales/1.csv", format!("{SALES}A1,1,2026-01-05,P1,1000,\n"));
    run(&workspace, "2026-02-10", 0);
    workspace.drop("drop/sales/2.csv", format!("{SALES}A2,1,2026-01-05,P1,500,\n"));
    run(&workspace, "2026-02-20", 3);
    assert_eq!(told(&workspace), ["cycle_locked P1   5"]);
    shown_everywhere(&workspace, "cycle_locked");
    // the late line is cancelled: nothing is to be corrected any more
    let cancelled = "invoice_no,doc_type,invoice_date,partner_code,amount\nA2,cancellation,2026-01-06,P1,0\n";
    workspace.drop("drop/sales/3.csv", cancelled);
    run(&workspace, "2026-02-21", 0);
    assert!(told(&workspace).is_empty());
    assert_eq!(balances(&workspace)["P1"], "10.00");
    // another difference than the one that was discarded is another question
    workspace.drop("drop/sales/4.csv", format!("{SALES}A3,1,2026-01-05,P1,300,\n"));
    run(&workspace, "2026-02-22", 3);
    let id = open(&workspace)[0]["id"].clone();
    decide(&workspace, "discard", &id, 0);
    run(&workspace, "2026-02-23", 0);
    workspace.drop("drop/sales/5.csv", format!("{SALES}A4,1,2026-01-05,P1,100,\n"));
    run(&workspace, "2026-02-24", 3);
    assert_eq!(told(&workspace), ["cycle_locked P1   4"]);
}

#[test]
fn an_edit_that_is_taken_back_waits_no_longer() {
    let mut workspace = workspace(&["sales"], "");
    workspace.write("schemes/club.toml", at_close(""));
    workspace.drop("drop/sales/1.csv", format!("{SALES}A1,1,2026-01-05,P1,1000,\n"));
    run(&workspace, "2026-02-10", 0);
    workspace.write("schemes/club.toml", at_close("").replace("1%", "2%"));
    run(&workspace, "2026-02-11", 3);
    assert_eq!(told(&workspace), ["scheme_edited    10"]);
    shown_everywhere(&workspace, "scheme_edited");
    run(&workspace, "2026-02-12", 0);
    workspace.write("schemes/club.toml", at_close(""));
    run(&workspace, "2026-02-13", 0);
    assert!(told(&workspace).is_empty(), "{:?}", told(&workspace));
    // discarded, the same edit is not asked about again, another one is
    workspace.write("schemes/club.toml", at_close("").replace("1%", "2%"));
    run(&workspace, "2026-02-14", 3);
    let id = open(&workspace)[0]["id"].clone();
    decide(&workspace, "discard", &id, 0);
    run(&workspace, "2026-02-15", 0);
    run(&workspace, "2026-02-16", 0);
    workspace.write("schemes/club.toml", at_close("").replace("1%", "3%"));
    run(&workspace, "2026-02-17", 3);
    assert_eq!(told(&workspace), ["scheme_edited    20"]);
    assert_eq!(balances(&workspace)["P1"], "10.00");
}

#[test]
fn what_an_edit_would_change_follows_the_news() {
    let mut workspace = workspace(&["sales"], "");
    workspace.write("schemes/club.toml", at_close(""));
    workspace.drop("drop/sales/1.csv", format!("{SALES}A1,1,2026-02-05,P1,1000,\n"));
    run(&workspace, "2026-03-10", 0);
    workspace.write("schemes/club.toml", at_close("").replace("1%", "2%"));
    run(&workspace, "2026-03-11", 3);
    let waits = |workspace: &Workspace| -> Vec<String> {
        let cells = |hold: &Hold| ["cycle", "points", "detail"].map(|cell| hold[cell].clone()).join(" ");
        open(workspace).iter().map(cells).collect()
    };
    let edited = "the scheme file was edited after this cycle closed:";
    assert_eq!(waits(&workspace), [format!("2026-02 10 {edited} 1 partner would get other points")]);
    // late sales go by the rules that the cycle closed with, and what the edit would change moves with them: no news
    workspace.drop("drop/sales/2.csv", format!("{SALES}A2,1,2026-02-05,P1,500,\nB1,1,2026-02-06,P2,300,\n"));
    run(&workspace, "2026-03-12", 0);
    assert_eq!(
        balances(&workspace),
        [("P1", "15.00"), ("P2", "3.00")].map(|(p, n)| (p.into(), n.into())).into()
    );
    assert_eq!(waits(&workspace), [format!("2026-02 18 {edited} 2 partners would get other points")]);
    // a cycle that the edit had left alone is a question of its own
    workspace.drop("drop/sales/3.csv", format!("{SALES}C1,1,2026-01-05,P3,100,\n"));
    run(&workspace, "2026-03-13", 3);
    assert_eq!(waits(&workspace)[1..], [format!("2026-01 1 {edited} 1 partner would get other points")]);
    // nothing is left to change
    let cancelled = "invoice_no,doc_type,invoice_date,partner_code,amount\nC1,cancellation,2026-01-06,P3,0\n";
    workspace.drop("drop/sales/4.csv", cancelled);
    run(&workspace, "2026-03-14", 0);
    assert_eq!(waits(&workspace).len(), 1);
    let id = open(&workspace)[0]["id"].clone();
    decide(&workspace, "release", &id, 0);
    run(&workspace, "2026-03-15", 0);
    assert_eq!(balances(&workspace)["P1"], "30.00");
    assert!(open(&workspace).is_empty());
    workspace.trial(&["verify", "--deep"]).check();
}

#[test]
fn a_version_that_is_held_says_both_values_that_disagree() {
    let restart = "numbers_restart = \"april\"\n";
    let mut workspace = workspace(&["sales"], "");
    let config = std::fs::read_to_string(workspace.path("accrued.toml")).expect("it is there");
    workspace.write(
        "accrued.toml",
        config.replacen("kind = \"sales\"\n", &format!("kind = \"sales\"\n{restart}"), 1),
    );
    let first = "A,1,2026-04-10,P1,1,\nB,1,2026-04-10,P1,1,\nC,1,2026-04-10,P1,1,\nD,1,2026-03-20,P1,1,\nE,,2026-04-10,P1,1,\nE,,2026-04-10,P1,2,\n";
    workspace.drop("drop/sales/1.csv", format!("{SALES}{first}"));
    run(&workspace, "2026-07-10", 0);
    let then = "A,1,2026-04-10,P2,1,\nB,1,2026-05-12,P1,1,\nC,,2026-04-10,P1,1,\nD,1,2026-04-20,P1,1,\nE,,2026-04-10,P1,1,\n";
    workspace.drop("drop/sales/2.csv", format!("{SALES}{then}"));
    run(&workspace, "2026-07-11", 3);
    let mut details: Vec<String> = open(&workspace).iter().map(|hold| hold["detail"].clone()).collect();
    details.sort_unstable();
    let contradicts = "contradicts what was said before: it";
    assert_eq!(
        details,
        [
            format!(
                "invoice A line 1 {contradicts} is of partner P2, before P1; released now P1 has 0.01 points less"
            ),
            format!(
                "invoice B line 1 {contradicts} is dated 2026-05-12, before 2026-04-10, more than 31 days away"
            ),
            format!("invoice C {contradicts} came without line numbers, before with them"),
            format!(
                "invoice D line 1 {contradicts} is dated 2026-04-20, and the same number of the neighbouring year 2026-03-20, at most 31 days away"
            ),
            "invoice E came again with fewer rows: 1, before 2".to_owned(),
        ]
    );
}

#[test]
fn a_payment_that_waits_says_the_points_that_it_would_move() {
    let mut workspace = workspace(&["sales"], "");
    let config = std::fs::read_to_string(workspace.path("accrued.toml")).expect("it is there");
    let sales = config.replacen("settle_seconds", "documents = \"n\"\nsettle_seconds", 1);
    let payments = sales
        .replace("name = \"sales\"", "name = \"payments\"")
        .replace("kind = \"sales\"", "kind = \"payments\"");
    workspace.write("accrued.toml", format!("{sales}\n{}", payments.replace("drop/sales", "drop/payments")));
    workspace.write(
        "schemes/club.toml",
        at_close("[earn]\non = \"payment\"\n[limits]\naccrual = 9\n")
            .replace("[points]", "[points]\nvalue = \"0.5\""),
    );
    let rows = "A,1,2026-01-05,P1,100,\nB,1,2026-01-05,P2,300,\n";
    workspace.drop("drop/sales/1.csv", format!("{SALES}{rows}"));
    let pays = "payment_ref,invoice_no,paid_on,amount\n";
    workspace.drop("drop/payments/1.csv", format!("{pays}X,A,2026-01-06,100\n"));
    run(&workspace, "2026-02-10", 0);
    // booked to the other invoice by now
    workspace.drop("drop/payments/2.csv", format!("{pays}X,B,2026-01-06,300\n"));
    run(&workspace, "2026-02-11", 3);
    assert_eq!(told(&workspace), ["event_conflict  1 300 2"]);
    let id = open(&workspace)[0]["id"].clone();
    decide(&workspace, "release", &id, 0);
    run(&workspace, "2026-02-12", 0);
    let earned = balances(&workspace);
    assert_eq!((earned["P1"].as_str(), earned["P2"].as_str()), ("0.00", "3.00"));
    // points alone are worth what the scheme says
    workspace.drop("drop/sales/2.csv", format!("{SALES}C,1,2026-01-05,P2,1000,\n"));
    workspace.drop("drop/payments/3.csv", format!("{pays}Y,C,2026-01-06,1000\n"));
    run(&workspace, "2026-02-13", 3);
    assert_eq!(told(&workspace), ["over_limit P2  2.00 4"]);
}

#[test]
fn a_word_needs_a_reason_and_a_hold_that_is_there() {
    let workspace = contradicted();
    for reason in ["", "  "] {
        let refused = workspace.trial(&["holds", "release", "1", "--reason", reason]).status(2).check();
        assert!(refused.stderr.contains("--reason is empty"), "{}", refused.whole());
    }
    workspace.trial(&["holds", "release", "1"]).status(2).check();
    workspace.trial(&["holds", "release", "99", "--reason", "r"]).status(1).check();
    workspace.trial(&["holds", "release", "one", "--reason", "r"]).status(2).check();
    assert_eq!(told(&workspace).len(), 2);
}
