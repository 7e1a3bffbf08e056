//! Every fact knows from which ingestion it holds: an entry is explained as it stood when it was posted, whatever came later.

#[path = "support/explained.rs"]
mod explained;
#[path = "support/program.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod program;

#[path = "support/ugly.rs"]
mod ugly;

use ugly::{drop_sales, laid_out, release_all, run, ugly_history};

#[test]
fn entries_of_closed_cycles_are_explained_as_they_were_posted() {
    let explained = explained::every_entry(&ugly_history("at-close")).unwrap_or_else(|why| panic!("{why}"));
    assert!(explained >= 9, "{explained}");
}

#[test]
fn entries_of_a_continuous_scheme_are_explained_as_they_were_posted() {
    let explained = explained::every_entry(&ugly_history("continuous")).unwrap_or_else(|why| panic!("{why}"));
    assert!(explained >= 9, "{explained}");
}

#[test]
fn what_a_person_decides_after_a_run_failed_was_not_known_to_it() {
    let mut w = laid_out("continuous");
    drop_sales(&mut w, "a", "A1,1,invoice,2026-01-05,P1,X,300,\n");
    run(&w, "2026-01-06");
    drop_sales(&mut w, "b", "A1,1,invoice,2026-01-05,P2,X,900,\nA3,1,invoice,2026-01-05,P1,X,100,\n");
    // what is posted cannot be put in place: the run fails after its posting
    w.obstructed("var/statements/club", &["run", "--as-of", "2026-01-07"]);
    release_all(&w);
    run(&w, "2026-01-08");
    let explained = explained::every_entry(&w).unwrap_or_else(|why| panic!("{why}"));
    assert!(explained >= 3, "{}", w.accrued(&["ledger", "--format", "csv"]).whole());
}

/// Invoices of P1 with their amounts, whether they count, since which run and until which.
fn lives(w: &program::Workspace, as_of: &[&str]) -> Vec<String> {
    let rows = w.trial(&[&["lines", "--partner", "P1", "--format", "csv"], as_of].concat()).check().csv();
    let columns = ["invoice_no", "amount", "counts", "since_run", "until_run"];
    rows.iter().map(|row| columns.map(|column| row[column].as_str()).join(" ")).collect()
}

#[test]
fn a_line_tells_from_which_run_it_is_in_force_and_until_which() {
    let mut w = laid_out("at-close");
    drop_sales(&mut w, "a", "A1,1,invoice,2026-01-05,P1,X,300,\nA2,1,invoice,2026-01-06,P1,X,200,\n");
    run(&w, "2026-02-03T10:00:00Z");
    drop_sales(&mut w, "b", "A1,1,invoice,2026-01-05,P1,X,400,\nB1,1,invoice,2026-01-07,P1,X,50,\n");
    run(&w, "2026-02-05");
    // the same line again says nothing new: it is in force since it was said first
    drop_sales(&mut w, "c", "A1,1,invoice,2026-01-05,P1,X,400,\nA2,1,cancellation,2026-01-06,P1,,0,\n");
    run(&w, "2026-02-07");
    let now = ["A1 400.00 yes 2 ", "A2 200.00 no 1 ", "B1 50.00 yes 2 "];
    assert_eq!(lives(&w, &["--as-of", "2026-02-07"]), now);
    assert_eq!(lives(&w, &["--as-of", "2026-03-01"]), now);
    assert_eq!(
        lives(&w, &["--as-of", "2026-02-06"]),
        ["A1 400.00 yes 2 ", "A2 200.00 yes 1 3", "B1 50.00 yes 2 "]
    );
    // a bare date is the whole day
    for first in ["2026-02-03", "2026-02-03T10:00:00Z", "2026-02-04T23:59:59Z"] {
        assert_eq!(lives(&w, &["--as-of", first]), ["A1 300.00 yes 1 2", "A2 200.00 yes 1 3"], "{first}");
    }
    let early = ["--format", "csv", "--as-of", "2026-02-03T09:59:59Z"];
    let before = w.trial(&[&["lines"], &early[..]].concat()).check();
    assert!(before.stderr.contains("the store begins at 2026-02-03T10:00:00Z"), "{}", before.whole());
    assert!(before.csv().is_empty(), "{}", before.whole());
    for command in ["ledger", "balances"] {
        assert!(w.trial(&[&[command], &early[..]].concat()).check().csv().is_empty(), "{command}");
    }
    let explained = w.trial(&[&["explain", "P1"], &early[..]].concat()).check();
    assert_eq!(explained.csv()[0]["points"], "0", "{}", explained.whole());
}

#[test]
fn a_file_that_is_read_again_ends_what_its_first_reading_said() {
    let mut w = laid_out("at-close");
    drop_sales(&mut w, "a", "A1,1,invoice,2026-01-05,P1,X,300,\n");
    run(&w, "2026-02-03");
    w.write("accrued.toml", format!("{}[feed.defaults]\nclass = \"A\"\n", ugly::CONFIG));
    w.trial(&["reread", "--feed", "sales", "--as-of", "2026-02-05"]).check();
    assert_eq!(lives(&w, &["--as-of", "2026-02-03"]), ["A1 300.00 yes 1 2"]);
    assert_eq!(lives(&w, &["--as-of", "2026-02-05"]), ["A1 300.00 yes 2 "]);
}

#[test]
fn what_is_read_as_of_an_earlier_day_is_the_store_as_it_stood_then() {
    let w = ugly_history("at-close");
    let ledger = w.trial(&["ledger", "--format", "csv"]).check().csv();
    let last = ledger.last().expect("an entry");
    let all = w.trial(&["ledger", "--format", "csv", "--as-of", &last["posted_at"]]).check().csv();
    assert_eq!(all, ledger);
    for day in ["2026-02-03", "2026-02-05", "2026-03-02", "2026-03-03", "2026-03-21", "2026-04-02"] {
        let then = w.trial(&["ledger", "--format", "csv", "--as-of", day]).check().csv();
        let known: Vec<_> =
            ledger.iter().filter(|entry| entry["posting_date"].as_str() <= day).cloned().collect();
        assert_eq!(then, known, "{day}");
        for wallet in w.trial(&["balances", "--format", "csv", "--as-of", day]).check().csv() {
            let ours = known.iter().filter(|entry| entry["partner_code"] == wallet["partner_code"]);
            let sum: i64 = ours.map(|entry| entry["points"].parse::<i64>().expect("points")).sum();
            assert_eq!(wallet["available"], sum.to_string(), "{day}");
            let of = ["statement", wallet["partner_code"].as_str(), "--format", "csv", "--as-of", day];
            let statement = w.trial(&of).check().csv();
            assert_eq!(statement.last().expect("a closing")["balance"], sum.to_string(), "{day}");
        }
        // what was worked out then is what was posted then and what waited
        let explain = ["explain", "P2", "--cycle", "2026-01", "--format", "csv", "--as-of", day];
        let told = w.trial(&explain).check().csv();
        let rows = |section: &'static str| told.iter().filter(move |row| row["section"] == section);
        let points = |rows: &mut dyn Iterator<Item = &std::collections::BTreeMap<String, String>>| -> i64 {
            rows.map(|row| row["points"].parse::<i64>().expect("points")).sum()
        };
        assert_eq!(points(&mut rows("position")), points(&mut rows("entry").chain(rows("rest"))), "{day}");
    }
}
