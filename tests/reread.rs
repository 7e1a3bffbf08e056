//! Reading again: after a setting was mended, `accrued reread` brings the store to where it would be had the setting been right
//! from the start.

#[path = "support/explained.rs"]
mod explained;
#[path = "support/program.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod program;

use program::{Outcome, Workspace};
use std::time::Duration;

const SCHEME: &str = "[scheme]\nid = \"club\"\nname = \"Club\"\ncompany = \"Example\"\ncurrency = \"INR\"\ntimezone = \"Asia/Kolkata\"\n\
                      starts = 2026-01-01\n[cycle]\nlength = \"month\"\n[slabs]\nmode = \"whole\"\n[[slab]]\nfrom = 0\nrate = \"10%\"\n";
const HEADER: &str = "invoice_no,line_no,invoice_date,partner_code,amount\n";

/// A config with a sales feed, with further settings of it.
fn config(settings: &str) -> String {
    format!(
        "data_dir = \"var\"\nschemes_dir = \"schemes\"\n[[feed]]\nname = \"sales\"\nkind = \"sales\"\nurl = \"file:drop/sales\"\n\
         files = \"*.csv\"\ntimezone = \"Asia/Kolkata\"\nsettle_seconds = 0\nmax_reject_percent = \"50\"\n{settings}"
    )
}

fn workspace(settings: &str) -> Workspace {
    let w = Workspace::new(&config(settings));
    w.write("schemes/club.toml", SCHEME);
    w
}

fn drop_rows(w: &mut Workspace, name: &str, rows: &str) {
    w.drop(&format!("drop/sales/{name}.csv"), format!("{HEADER}{rows}"));
}

/// January in two files, closed.
fn january(settings: &str) -> Workspace {
    let mut w = workspace(settings);
    drop_rows(&mut w, "a", "A1,1,03/01/2026,P1,\"1.000,50\"\nA2,1,05/01/2026,P2,\"70,00\"\n");
    drop_rows(&mut w, "b", "A1,1,03/01/2026,P1,\"2.000,00\"\n");
    let ran = w.accrued(&["run", "--as-of", "2026-02-03"]);
    assert!(matches!(ran.status, 0 | 3), "{}", ran.whole());
    w
}

const RIGHT: &str = "[feed.csv]\ndates = [\"%d/%m/%Y\"]\ndecimal_mark = \",\"\n";
const OTHER_DATES: &str = "[feed.csv]\ndates = [\"%m/%d/%Y\"]\ndecimal_mark = \",\"\n";
const OTHER_MARK: &str = "[feed.csv]\ndates = [\"%d/%m/%Y\"]\n";

fn lines(w: &Workspace) -> Vec<String> {
    let rows = w.trial(&["lines", "--format", "csv"]).check().csv();
    let columns =
        ["partner_code", "invoice_no", "business_date", "amount", "counts", "points", "file", "file_line"];
    rows.iter().map(|row| columns.map(|column| row[column].clone()).join(" ")).collect()
}

fn balances(w: &Workspace) -> Vec<(String, String)> {
    let rows = w.trial(&["balances", "--format", "csv"]).check().csv();
    let wallets = rows.into_iter().map(|row| (row["partner_code"].clone(), row["available"].clone()));
    wallets.filter(|(_, points)| points != "0").collect()
}

fn same_as_right_from_the_start(w: &Workspace) {
    let right = january(RIGHT);
    assert_eq!(lines(w), lines(&right));
    assert_eq!(balances(w), balances(&right));
    w.trial(&["verify", "--deep"]).check();
    explained::every_entry(w).unwrap_or_else(|why| panic!("{why}"));
}

fn reread(w: &Workspace, args: &[&str]) -> Outcome {
    w.trial(&[&["reread"], args].concat()).check()
}

#[test]
fn dates_read_the_wrong_way_round() {
    let w = january(OTHER_DATES);
    assert!(balances(&w).is_empty(), "March and May are in the future");
    w.write("accrued.toml", config(RIGHT));
    reread(&w, &["--feed", "sales", "--as-of", "2026-02-04"]);
    same_as_right_from_the_start(&w);
    let ledger = w.trial(&["ledger", "--format", "csv"]).check().csv();
    assert!(
        ledger.iter().all(|entry| entry["kind"] == "correction" && entry["reason"] == "read again"),
        "{ledger:?}"
    );
    let second = reread(&w, &["--feed", "sales", "--reason", "once more"]);
    assert!(second.stdout.contains("posted     nothing"), "{}", second.whole());
    same_as_right_from_the_start(&w);
}

#[test]
fn rows_that_were_rejected_are_accepted_in_their_place() {
    let mut w = january(OTHER_MARK);
    assert!(w.tree("var/rejects/sales").len() == 2 || w.accrued(&["files"]).stdout.contains("refused"));
    w.write("accrued.toml", config(RIGHT));
    // a later version has come meanwhile, under the right setting
    let planned = reread(&w, &["a.csv", "--dry-run", "--as-of", "2026-02-04", "--format", "csv"]);
    assert!(planned.stdout.contains("after,sales,a.csv,ingested,2,2,0,0,0,0,0"), "{}", planned.whole());
    let hinted = reread(&w, &["a.csv", "--dry-run", "--as-of", "2026-02-04"]).stderr;
    assert_eq!(hinted.matches("next: ").count(), 1, "only reading again posts it: {hinted}");
    assert!(hinted.contains("next: accrued reread, without --dry-run, does it"), "{hinted}");
    assert_eq!(w.trial(&["ledger", "--format", "csv"]).check().csv().len(), 0, "a plan posts nothing");
    reread(&w, &["--feed", "sales", "--as-of", "2026-02-04"]);
    same_as_right_from_the_start(&w);
    assert!(w.tree("var/rejects/sales").is_empty(), "what is accepted now is rejected no more");
    drop_rows(&mut w, "again", "A1,1,03/01/2026,P1,\"1.000,50\"\nA2,1,05/01/2026,P2,\"70,00\"\n");
    let again = w.trial(&["run", "--as-of", "2026-02-05"]).check();
    assert!(again.stdout.contains("posted     nothing"), "{}", again.whole());
}

#[test]
fn a_reading_that_is_refused_leaves_the_first_one_speaking() {
    let w = january(RIGHT);
    let before = (lines(&w), balances(&w));
    w.write("accrued.toml", config("[feed.columns]\namount = \"Net Value\"\n"));
    w.trial(&["reread", "a.csv", "--as-of", "2026-02-04"]).status(3).check();
    assert_eq!(before, (lines(&w), balances(&w)));
    w.trial(&["verify", "--deep"]).check();
}

#[test]
fn names_and_digits_that_can_mean_several_files_are_listed() {
    let mut w = january(RIGHT);
    w.write(
        "accrued.toml",
        format!(
            "{}{}",
            config(RIGHT),
            config("")
                .split_once("[[feed]]")
                .map(|(_, feed)| {
                    format!(
                        "[[feed]]{}",
                        feed.replace("\"sales\"", "\"south\"")
                            .replace("kind = \"south\"", "kind = \"sales\"")
                            .replace("drop/sales", "drop/south")
                    )
                })
                .expect("a feed")
        ),
    );
    w.drop("drop/south/a.csv", format!("{HEADER}S1,1,2026-01-03,P3,10\n"));
    w.trial(&["run", "--as-of", "2026-02-04"]).check();
    let asked = w.trial(&["reread", "a.csv"]).status(2).check();
    assert!(
        asked.stderr.contains("a.csv of feed sales; ") && asked.stderr.contains("a.csv of feed south"),
        "{}",
        asked.whole()
    );
    reread(&w, &["a.csv", "--feed", "south"]);
    let digits = w.trial(&["files", "b.csv", "--format", "csv"]).check().csv()[0]["sha256"][..8].to_owned();
    let told = reread(&w, &[&digits, "--format", "csv"]);
    assert!(told.stdout.contains("after,sales,b.csv"), "{}", told.whole());
    w.trial(&["reread", "aa.csv"]).status(1).stderr(
        "error: no file named \"aa.csv\" was ever taken (did you mean a.csv?); accrued files lists all that were\n",
    ).check();
    w.trial(&["reread", "--feed", "nort"]).status(2).check();
    w.trial(&["reread"]).status(2).check();
}

#[test]
fn a_killed_reading_is_finished_by_the_next_run() {
    let w = january(OTHER_DATES);
    w.write("accrued.toml", config(RIGHT));
    let args = ["reread", "--feed", "sales", "--as-of", "2026-02-04"];
    let mut alive = 0;
    for pause in [0, 3, 6, 9, 12, 15, 20, 30, 40] {
        alive += usize::from(w.killed(&args, Duration::from_millis(pause)));
    }
    assert!(alive > 0, "none was still alive when it was killed");
    reread(&w, &args[1..]);
    same_as_right_from_the_start(&w);
    // and one that certainly ends between its posting and its papers
    let w = january(OTHER_DATES);
    w.write("accrued.toml", config(RIGHT));
    w.obstructed("var/statements/club", &args);
    assert!(!w.trial(&["ledger", "--format", "csv"]).check().csv().is_empty(), "it posted");
    w.trial(&["run", "--as-of", "2026-02-04"]).check();
    same_as_right_from_the_start(&w);
}

#[test]
fn a_persons_word_on_a_line_holds_when_its_file_is_read_again() {
    let mut w = january(RIGHT);
    drop_rows(&mut w, "c", "A2,1,05/01/2026,P1,\"90,00\"\n");
    w.trial(&["run", "--as-of", "2026-02-04"]).status(3).check();
    let hold = w.trial(&["holds", "--format", "csv"]).check().csv()[0]["id"].clone();
    w.trial(&["holds", "release", &hold, "--reason", "moved to P1"]).check();
    w.trial(&["run", "--as-of", "2026-02-05"]).check();
    let before = (lines(&w), balances(&w));
    reread(&w, &["--feed", "sales", "--as-of", "2026-02-06"]);
    assert_eq!(before, (lines(&w), balances(&w)));
    assert_eq!(w.trial(&["holds", "--format", "csv"]).check().csv().len(), 0);
    w.trial(&["verify", "--deep"]).check();
}

#[test]
fn entries_of_what_was_read_wrongly_are_explained_as_they_were_posted() {
    let mut w = workspace("[feed.csv]\ndates = [\"%d/%m/%Y\"]\ncredit_notes = \"signed\"\n");
    let notes = "invoice_no,line_no,doc_type,invoice_date,partner_code,amount\nA1,1,invoice,03/01/2026,P1,1000\n\
                 N1,1,credit_note,04/01/2026,P1,100\n";
    w.drop("drop/sales/a.csv", notes);
    w.trial(&["run", "--as-of", "2026-02-03"]).check();
    w.write("accrued.toml", config("[feed.csv]\ndates = [\"%d/%m/%Y\"]\n"));
    reread(&w, &["a.csv", "--as-of", "2026-02-04"]);
    let ledger = w.trial(&["ledger", "--format", "csv"]).check().csv();
    let posted: Vec<(&str, &str)> =
        ledger.iter().map(|entry| (entry["points"].as_str(), entry["reason"].as_str())).collect();
    assert_eq!(posted, [("110", ""), ("-20", "read again")]);
    assert_eq!(explained::every_entry(&w), Ok(2));
    let then = w.trial(&["explain", "P1", "--entry", "1", "--format", "csv"]).check();
    assert!(then.stdout.contains("110 due - 0 held - 0 posted before"), "{}", then.whole());
    w.trial(&["verify", "--deep"]).check();
}
