//! A reject waits until its line is accepted later, or a person discards it; exit 3 is for what is new.

#[path = "support/program.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod program;

use program::{Outcome, Workspace};

const CONFIG: &str = "data_dir = \"var\"\nschemes_dir = \"schemes\"\n[[feed]]\nname = \"sales\"\nkind = \"sales\"\nurl = \"file:drop/sales\"\n\
                      files = \"*.csv\"\ntimezone = \"Asia/Kolkata\"\nsettle_seconds = 0\n";
const SCHEME: &str = "[scheme]\nid = \"club\"\nname = \"Club\"\ncompany = \"Example\"\ncurrency = \"INR\"\ntimezone = \"Asia/Kolkata\"\n\
                      starts = 2026-01-01\n[cycle]\nlength = \"month\"\n[slabs]\nmode = \"whole\"\n[[slab]]\nfrom = 0\nrate = \"10%\"\n";
const HEADER: &str = "invoice_no,line_no,invoice_date,partner_code,amount\n";

/// A file with a line that is understood and three that are not: two of invoices, one of nothing.
fn workspace() -> Workspace {
    let w = dropped();
    w.trial(&["run", "--as-of", "2026-01-04"]).status(3).check();
    w
}

fn dropped() -> Workspace {
    let mut w = Workspace::new(CONFIG);
    w.write("schemes/club.toml", SCHEME);
    drop_rows(
        &mut w,
        "a",
        "A1,1,2026-01-03,P1,10\nA1,2,2026-01-03,P1,no\nA2,1,2026-01-03,P2,no\n,1,2026-01-03,P2,5\n",
    );
    w
}

fn drop_rows(w: &mut Workspace, name: &str, rows: &str) {
    w.drop(&format!("drop/sales/{name}.csv"), format!("{HEADER}{rows}"));
}

fn open(w: &Workspace) -> String {
    w.trial(&["files", "a.csv", "--format", "csv"]).check().csv()[0]["open_rejects"].clone()
}

#[test]
fn a_reject_closes_when_its_line_is_accepted_in_whatever_file() {
    let mut w = workspace();
    assert_eq!(open(&w), "3");
    assert_eq!(w.accrued(&["status"]).status, 3);
    drop_rows(&mut w, "b", "A1,2,2026-01-03,P1,20\nA2,2,2026-01-03,P2,20\n");
    w.trial(&["run", "--as-of", "2026-01-05"]).check();
    assert_eq!(open(&w), "2", "line 1 of A2 was not accepted");
    drop_rows(&mut w, "c", "A2,1,2026-01-03,P2,no\n");
    w.trial(&["run", "--as-of", "2026-01-06"]).status(3).check();
    assert_eq!(open(&w), "2", "nor is it when it is rejected again");
    w.trial(&["run", "--as-of", "2026-01-07"]).check();
    drop_rows(&mut w, "d", "A2,1,2026-01-03,P2,30\n");
    w.trial(&["run", "--as-of", "2026-01-08"]).check();
    assert_eq!(open(&w), "1", "of the last nobody can tell what it is");
    let status = w.trial(&["status", "--format", "csv"]).status(3).check();
    assert!(status.stdout.contains("1 row: var/rejects/sales/a.csv"), "{}", status.whole());
    w.trial(&["verify", "--deep"]).check();
}

#[test]
fn a_file_that_comes_again_without_rejects_closes_what_nobody_could_tell() {
    let mut w = workspace();
    drop_rows(
        &mut w,
        "a",
        "A1,1,2026-01-03,P1,10\nA1,2,2026-01-03,P1,11\nA2,1,2026-01-03,P2,12\nA3,1,2026-01-03,P2,5\n",
    );
    w.trial(&["run", "--as-of", "2026-01-05"]).check();
    assert_eq!(open(&w), "0");
    w.trial(&["status"]).check();
    w.trial(&["verify", "--deep"]).check();
}

#[test]
fn a_person_discards_rejects_of_a_line_or_of_a_file() {
    let w = workspace();
    w.trial(&["holds", "discard", "a.csv:5", "--reason", "a blank row"]).check();
    assert_eq!(open(&w), "2");
    w.trial(&["holds", "discard", "a.csv:5", "--reason", "again"]).status(1).check();
    w.trial(&["holds", "discard", "a.csv", "--reason", " "]).status(2).check();
    w.trial(&["holds", "discard", "a.csv", "--reason", "never sold"]).check();
    assert_eq!(open(&w), "0");
    w.trial(&["status"]).check();
    w.trial(&["holds", "discard", "b.csv", "--reason", "x"]).status(1).check();
    w.trial(&["run", "--as-of", "2026-01-05"]).check();
    w.trial(&["verify", "--deep"]).check();
}

#[test]
fn rejects_of_a_wrong_setting_close_when_the_file_is_read_again() {
    let mut w = workspace();
    drop_rows(&mut w, "e", "E1,1,31/01/2026,P1,10\nE2,1,30/01/2026,P1,10\n");
    w.trial(&["run", "--as-of", "2026-02-05"]).status(3).check();
    w.write("accrued.toml", format!("{CONFIG}[feed.csv]\ndates = [\"%Y-%m-%d\", \"%d/%m/%Y\"]\n"));
    w.trial(&["reread", "e.csv"]).check();
    let files = w.trial(&["files", "e.csv", "--format", "csv"]).check().csv();
    assert!(files.iter().all(|file| file["open_rejects"] == "0"), "{files:?}");
    let told = w.trial(&["files", "e.csv", "--format", "table"]).check();
    assert!(told.stdout.contains("read again"), "{}", told.whole());
    w.trial(&["verify", "--deep"]).check();
}

#[test]
fn what_a_run_rejected_that_could_not_say_so_is_said_by_the_next() {
    let w = dropped();
    w.obstructed("var/rejects/sales", &["run", "--as-of", "2026-01-04"]);
    assert!(w.tree("var/rejects").is_empty(), "it ended between its commit and the reject file");
    let verified = w.trial(&["verify", "--deep"]).check();
    assert!(verified.stdout.contains("run 1 has not finished: the next run writes"), "{}", verified.whole());
    let next = w.trial(&["run", "--as-of", "2026-01-05"]).status(3).check();
    let told = "rejected by a run that was killed: feed sales: a.csv: 3 rows\n";
    assert!(next.stderr.contains(told), "{}", next.whole());
    assert_eq!((w.tree("var/rejects").len(), open(&w)), (1, "3".into()));
    let then = w.trial(&["run", "--as-of", "2026-01-06"]).check();
    assert!(!then.stderr.contains("killed"), "{}", then.whole());
    w.trial(&["verify", "--deep"]).check();
}

#[test]
fn what_a_run_refused_that_could_not_say_so_is_said_by_the_next() {
    let mut w = Workspace::new(CONFIG);
    w.write("schemes/club.toml", SCHEME);
    drop_rows(&mut w, "a", "A1,1,2026-01-03,P1,10\n");
    w.drop("drop/sales/b.csv", "what,ever\n1,2\n");
    w.obstructed("var/statements/club", &["run", "--as-of", "2026-02-04"]);
    w.trial(&["verify", "--deep"]).check();
    let next = w.trial(&["run", "--as-of", "2026-02-05"]).status(3).check();
    let told = "refused by a run that was killed: feed sales: b.csv: looked for the header";
    assert!(next.stderr.contains(told), "{}", next.whole());
    let then = w.trial(&["run", "--as-of", "2026-02-06"]).check();
    assert!(!then.stderr.contains("killed"), "{}", then.whole());
    // told once is told: the same file sent again and refused again says nothing new
    w.drop("drop/sales/b.csv", "what,ever\n1,2\n");
    drop_rows(&mut w, "c", "C1,1,2026-02-03,P1,10\n");
    w.obstructed("var/statements/club/2026-02", &["run", "--as-of", "2026-03-04"]);
    let again = w.trial(&["run", "--as-of", "2026-03-05"]).check();
    assert!(!again.stderr.contains("killed"), "{}", again.whole());
    w.trial(&["verify", "--deep"]).check();
}

/// Files that wait, by `accrued status`.
fn waiting(w: &Workspace) -> Vec<(String, String)> {
    let rows = w.accrued(&["status", "--format", "csv"]).csv();
    let files = rows.into_iter().filter(|row| row["what"] == "file");
    files.map(|row| (row["name"].clone(), row["state"].clone())).collect()
}

fn discarding(w: &Workspace, what: &str, status: i32) -> Outcome {
    w.trial(&["holds", "discard", what, "--reason", "sent by mistake"]).status(status).check()
}

#[test]
fn a_refused_file_waits_until_its_name_speaks_or_a_person_discards_it() {
    let mut w = Workspace::new(CONFIG);
    w.write("schemes/club.toml", SCHEME);
    let wait = |name: &str, state: &str| (name.to_owned(), state.to_owned());
    w.drop("drop/sales/a.csv", "no header\n");
    w.drop("drop/sales/b.csv", "nor here\n");
    w.trial(&["run", "--as-of", "2026-01-04"]).status(3).check();
    assert_eq!(waiting(&w), [wait("a.csv", "refused"), wait("b.csv", "refused")]);
    // the rows that are still bad are told of the file that speaks
    drop_rows(&mut w, "a", "A1,1,2026-01-03,P1,10\nA2,1,2026-01-03,P2,no\n");
    w.trial(&["run", "--as-of", "2026-01-05"]).status(3).check();
    assert_eq!(waiting(&w), [wait("b.csv", "refused"), wait("a.csv", "rejected")]);
    let done = discarding(&w, "b.csv", 0);
    assert!(done.stderr.starts_with("b.csv, which was refused, waits no longer, by "), "{}", done.whole());
    let again = discarding(&w, "b.csv", 1);
    let nothing = "error: b.csv names no hold, no open reject and no refused file: ";
    assert!(again.stderr.starts_with(nothing), "{}", again.whole());
    discarding(&w, "b.csv:1", 1);
    discarding(&w, "a.csv", 0);
    assert_eq!(waiting(&w), []);
    w.trial(&["status"]).check();
    w.trial(&["run", "--as-of", "2026-01-06"]).check();
    w.trial(&["verify", "--deep"]).check();
}

/// More than what one thread reads at once: bad rows and cancellations are kept in the order of the file, whoever reads faster.
#[test]
fn a_large_file_is_read_by_several_threads_in_its_order() {
    let mut w = Workspace::new(CONFIG);
    w.write("schemes/club.toml", SCHEME);
    let mut rows =
        "doc_type,invoice_no,line_no,invoice_date,partner_code,distributor_code,amount\n".to_owned();
    let mut bad = Vec::new();
    for row in 0..30_000_u32 {
        let (kind, amount) = match row % 1_500 {
            700 => ("cancellation", ""),
            701 => ("invoice", "\"1,0\""),
            _ => ("invoice", "10"),
        };
        if amount.starts_with('"') {
            bad.push((row + 2).to_string());
        }
        // a cancellation is of the invoice before it
        let number = if kind == "cancellation" { row - 1 } else { row };
        let who = number % 50;
        rows.push_str(&format!("{kind},IN{number:06},1,2026-01-03,P{who:02},D{},{amount}\n", who % 9));
    }
    w.drop("drop/sales/large.csv", rows);
    w.trial(&["run", "--as-of", "2026-01-04"]).status(3).check();
    let file = w.trial(&["files", "large.csv", "--format", "csv"]).check().csv()[0].clone();
    assert_eq!((file["rows"].as_str(), file["rejected"].as_str()), ("30000", "20"));
    let rejects = std::fs::read_dir(w.path("var/rejects/sales")).unwrap().next().unwrap().unwrap().path();
    let rejects = std::fs::read_to_string(rejects).unwrap();
    let lines: Vec<&str> = rejects.lines().skip(1).filter_map(|row| row.split(',').nth(1)).collect();
    assert_eq!(lines, bad);
    w.trial(&["run", "--as-of", "2026-02-20"]).check();
    // 30,000 rows, of which 20 are bad, 20 cancel a line and 20 are that line
    let balances = w.trial(&["balances", "--format", "csv"]).check().csv();
    let points: i64 = balances.iter().map(|row| row["available"].parse::<i64>().unwrap()).sum();
    assert_eq!((balances.len(), points), (50, 29_940));
    w.trial(&["verify", "--deep"]).check();
}

#[test]
fn the_rows_of_a_refused_file_add_up_and_none_of_them_counts() {
    let mut w = workspace();
    let good: String = (0..20).map(|n| format!("G{n},1,2026-01-03,P1,10\n")).collect();
    let bad: String = (0..11).map(|n| format!("B{n},1,2026-01-03,P1,no\n")).collect();
    // a line that contradicts itself is found only when the rest of the file has been judged
    let twice = "T,1,2026-01-03,P1,1\nT,1,2026-01-03,P1,2\n";
    drop_rows(&mut w, "b", &(good.clone() + &bad));
    drop_rows(&mut w, "c", &(good.clone() + &bad[..bad.len() / 11 * 10] + twice));
    // and a file that cannot be read to its end tells no rows at all
    drop_rows(&mut w, "d", &(good + "\"Q,1,2026-01-03,P1,1\n"));
    let run = w.trial(&["run", "--as-of", "2026-01-05"]).status(3).check();
    assert!(run.stderr.contains("11 of 31 rows were rejected"), "{}", run.whole());
    assert!(run.stderr.contains("12 of 32 rows were rejected"), "{}", run.whole());
    for (name, rows, kept) in [("b.csv", 31, 11), ("c.csv", 32, 12), ("d.csv", 0, 0)] {
        let row = w.trial(&["files", name, "--format", "csv"]).check().csv().remove(0);
        assert_eq!((row["state"].as_str(), row["rows"].clone()), ("refused", rows.to_string()), "{row:?}");
        let six = ["accepted", "duplicate", "superseding", "outdated", "held", "rejected"];
        let judged: Vec<i64> = six.iter().map(|word| row[*word].parse().expect("a count")).collect();
        assert_eq!(judged, [0, 0, 0, 0, 0, rows], "{row:?}");
        let texts = w.tree("var/rejects/sales");
        let of_file = texts.iter().find(|(path, _)| path.contains(name));
        let lines = of_file.map_or(0, |(_, text)| text.iter().filter(|byte| **byte == b'\n').count() - 1);
        assert_eq!(lines, kept, "{name}: its reject file has the rows that are to blame");
    }
    w.trial(&["verify", "--deep"]).check();
}
