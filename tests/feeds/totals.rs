//! Control totals: trailer rows and files beside the file (interfaces.md 2, `[feed.totals]`).

use crate::rig::{HEADER, Shop, cells, feed, row};
use std::io::Write;

fn trailing(more: &str) -> Shop {
    Shop::new(&feed("s", "*.csv*", &format!("{more}\n[feed.totals]\nrows = \"trailer\"")))
}

fn beside() -> Shop {
    Shop::new(&feed("s", "*.csv*", "[feed.totals]\nrows = \"{name}.ctl\""))
}

fn put(shop: &mut Shop, name: &str, text: &str) {
    shop.at.drop(&format!("drop/s/{name}"), text);
}

fn with(rows: &[String], trailer: &str) -> String {
    format!("{HEADER}{}{trailer}", rows.concat())
}

#[test]
fn a_trailer_that_agrees_is_no_data() {
    let mut shop = trailing("");
    put(&mut shop, "a.csv", &with(&[row("A", 100), row("B", 200)], "TRAILER,2,300.00\n"));
    // padded as a spreadsheet does it, without a line end, grouped
    put(&mut shop, "b.csv", &with(&[row("C", 100_000)], "Trailer, 1 ,\"1,00,000.00\",,"));
    put(&mut shop, "empty.csv", &with(&[], "TRAILER,0,0\n"));
    let run = shop.settled(0);
    assert!(run.stdout.contains("3 ingested") && run.stdout.contains("3 accepted"), "{}", run.whole());
    assert_eq!(shop.points(), "100300");
}

#[test]
fn rejected_rows_and_credit_notes_are_added_up_as_written() {
    let mut shop = trailing("");
    let header = "invoice_no,line_no,doc_type,invoice_date,partner_code,amount\n";
    let rows = "A,1,invoice,2026-04-10,P1,100\nB,1,credit_note,2026-04-10,P1,30\nC,1,invoice,32 April,P1,7\nA9,,cancellation,2026-04-11,,\n";
    put(&mut shop, "a.csv", &format!("{header}{rows}TRAILER,4,137\n"));
    shop.settled(3);
    assert_eq!((shop.points(), shop.holds()), ("70".into(), vec![]));
    assert_eq!(cells(&shop.last("a.csv"), ["rows", "rejected"]), ["4", "1"]);
}

#[test]
fn a_mismatch_holds_the_file_whole_and_shows_both_numbers() {
    let mut shop = trailing("");
    put(&mut shop, "a.csv", &with(&[row("A", 100), row("B", 200)], "TRAILER,3,300\n"));
    put(&mut shop, "b.csv", &with(&[row("C", 100)], "TRAILER,1,100.01\n"));
    put(&mut shop, "c.csv", &with(&["D,1,2026-04-10,P1,₹5\n".to_owned()], "TRAILER,1,5\n"));
    let run = shop.settled(3);
    for why in [
        "a.csv: its trailer says 3 rows and 300 in amount, the file has 2 rows and 300 in amount",
        "b.csv: its trailer says 1 row and 100.01 in amount, the file has 1 row and 100 in amount",
        "c.csv: its trailer says 1 row and 5 in amount, the file has 1 row and 0 in amount (the amount of 1 row cannot be read)",
    ] {
        assert!(run.stderr.contains(why), "{}", run.whole());
    }
    assert_eq!((shop.points(), shop.holds().len()), ("none".into(), 3));
    assert_eq!(
        cells(&shop.last("a.csv"), ["state", "reason", "rows", "held"]),
        ["held", "totals_disagree", "2", "2"]
    );
    // a corrected file ends the question; a release takes the file as it is
    put(&mut shop, "a.csv", &with(&[row("A", 100), row("B", 200), row("B2", 0)], "TRAILER,3,300\n"));
    shop.settled(0);
    shop.decide("release", "2");
    let rehearsed = shop.at.trial(&["run", "--dry-run", "--offline", "--as-of", "2026-06-01"]).check();
    assert!(rehearsed.stdout.contains("1 ingested"), "{}", rehearsed.whole());
    shop.settled(0);
    assert_eq!((shop.points(), shop.holds().len()), ("400".into(), 1));
}

#[test]
fn a_missing_or_broken_trailer_is_a_fault_of_the_file() {
    let mut shop = trailing("");
    put(&mut shop, "cut.csv", &with(&[row("A", 100)], ""));
    put(&mut shop, "more.csv", &with(&[row("B", 100)], "TRAILER,1,100\nC,1,2026-04-10,P1,5\n"));
    put(&mut shop, "odd.csv", &with(&[row("D", 100)], "TRAILER,one,100\n"));
    put(&mut shop, "twice.csv", &with(&[row("E", 100)], "TRAILER,1,100\nTRAILER,1,100\n"));
    let run = shop.settled(3);
    for why in [
        "refused: feed s: cut.csv: its last row is no trailer",
        "refused: feed s: more.csv: line 4 comes after the trailer",
        "refused: feed s: odd.csv: its trailer in line 3 is `TRAILER,one,100`",
        "refused: feed s: twice.csv: line 4 comes after the trailer",
    ] {
        assert!(run.stderr.contains(why), "{}", run.whole());
    }
    assert_eq!(shop.points(), "none");
}

#[test]
fn totals_are_of_what_is_packed_and_in_the_file_s_own_writing() {
    let mut shop = trailing("[feed.csv]\ndelimiter = \";\"\ndecimal_mark = \",\"\nencoding = \"utf-16\"");
    let text = "invoice_no;line_no;invoice_date;partner_code;amount\nA;1;2026-04-10;P1;1.000,50\nTRAILER;1;\"1000,5\"\n";
    let mut bytes = vec![0xFF, 0xFE];
    bytes.extend(text.encode_utf16().flat_map(u16::to_le_bytes));
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packed.write_all(&bytes).expect("memory");
    shop.at.drop("drop/s/a.csv.gz", packed.finish().expect("memory"));
    shop.settled(0);
    assert_eq!(shop.points(), "1000");
}

#[test]
fn a_file_waits_for_its_sidecar_which_is_never_taken_itself() {
    let mut shop = beside();
    put(&mut shop, "a.csv", &with(&[row("A", 100), row("B", 200)], ""));
    put(&mut shop, "orphan.csv.ctl", "1,1\n");
    let run = shop.run(0);
    assert!(
        run.stderr.contains("a.csv: its control totals are not there yet: left for the next run"),
        "{}",
        run.whole()
    );
    assert!(run.stdout.contains("files      none new"), "{}", run.whole());
    put(&mut shop, "a.csv.ctl", "2,300.00\n");
    shop.settled(0);
    assert_eq!(shop.points(), "300");
    // a header above them is allowed
    put(&mut shop, "b.csv", &with(&[row("C", 5)], ""));
    put(&mut shop, "b.csv.ctl", "rows,sum\r\n1,5\r\n");
    shop.settled(0);
    assert_eq!(shop.points(), "305");
}

#[test]
fn a_sidecar_of_another_dialect_than_its_file_is_understood() {
    let csv = "[feed.csv]\ndelimiter = \";\"\ndecimal_mark = \",\"";
    let mut shop = Shop::new(&feed("s", "*.csv*", &format!("{csv}\n[feed.totals]\nrows = \"{{name}}.ctl\"")));
    let text = format!("{HEADER}A,1,2026-04-10,P1,1200\n").replace(',', ";");
    for (name, said) in [("a.csv", "1,1200.00\n"), ("b.csv", "rows,sum\n1,1200\n"), ("c.csv", "1;1.200,00\n")]
    {
        put(&mut shop, name, &text.replace('A', &name[..1]));
        put(&mut shop, &format!("{name}.ctl"), said);
    }
    shop.settled(0);
    assert_eq!(shop.points(), "3600");
}

/// With a decimal comma the file quotes its amounts; who writes the totals may do neither.
#[test]
fn a_sidecar_with_a_decimal_point_beside_a_file_with_commas_is_understood() {
    let totals = "[feed.csv]\ndecimal_mark = \",\"\n[feed.totals]\nrows = \"{name}.ctl\"";
    let mut shop = Shop::new(&feed("s", "*.csv*", totals));
    for (name, beside) in [("a", "rows,sum\n1,0.25\n"), ("b", "1,\"0,25\"\n"), ("c", "1,0.26\n")] {
        put(&mut shop, &format!("{name}.csv.ctl"), beside);
        put(&mut shop, &format!("{name}.csv"), &format!("{HEADER}{name},1,2026-04-10,P1,\"0,25\"\n"));
    }
    let run = shop.settled(3);
    let why = "c.csv: c.csv.ctl says 1 row and 0.26 in amount, the file has 1 row and 0.25 in amount";
    assert!(run.stdout.contains("2 ingested") && run.stderr.contains(why), "{}", run.whole());
}

#[test]
fn a_mended_sidecar_is_looked_at_again() {
    let mut shop = beside();
    put(&mut shop, "a.csv", &with(&[row("A", 100)], ""));
    put(&mut shop, "a.csv.ctl", "2,300\n");
    let run = shop.settled(3);
    assert!(
        run.stderr.contains("a.csv.ctl says 2 rows and 300 in amount, the file has 1 row and 100 in amount"),
        "{}",
        run.whole()
    );
    // touched, it is the same question; with other numbers another; with the right ones none
    shop.touch("a.csv.ctl", 1_800_000_000);
    shop.settled(0);
    put(&mut shop, "a.csv.ctl", "2,100\n");
    shop.settled(3);
    put(&mut shop, "a.csv.ctl", "1,100\n");
    shop.settled(0);
    assert_eq!((shop.points(), shop.holds()), ("100".into(), vec![]));
    put(&mut shop, "b.csv", &with(&[row("B", 1)], ""));
    put(&mut shop, "b.csv.ctl", "what,is,this\n");
    let run = shop.settled(3);
    assert!(
        run.stderr.contains("refused: feed s: b.csv: the control totals beside it hold `what,is,this`"),
        "{}",
        run.whole()
    );
    put(&mut shop, "b.csv.ctl", "1,1");
    shop.settled(0);
    assert_eq!(shop.points(), "101");
}

#[test]
fn a_held_file_that_is_released_takes_its_totals_along() {
    let mut shop = Shop::new(&feed(
        "s",
        "s_{yyyy}-{mm}*.csv",
        "mode = \"replace\"\n[feed.totals]\nrows = \"{name}.ctl\"",
    ));
    put(&mut shop, "s_2026-04_a.csv", &with(&[row("A", 1)], ""));
    put(&mut shop, "s_2026-04_a.csv.ctl", "1,1");
    put(&mut shop, "s_2026-04_b.csv", &with(&[row("B", 2)], ""));
    put(&mut shop, "s_2026-04_b.csv.ctl", "1,3");
    shop.settled(3);
    shop.decide("release", "2");
    let rehearsal = ["run", "--dry-run", "--offline", "--as-of", "2026-06-01"];
    let rehearsed = shop.at.trial(&rehearsal).status(3).check();
    assert!(rehearsed.stderr.contains("s_2026-04_b.csv.ctl says 1 row"), "{}", rehearsed.whole());
    let run = shop.settled(3);
    assert!(run.stderr.contains("s_2026-04_b.csv.ctl says 1 row and 3 in amount"), "{}", run.whole());
    shop.decide("release", "3");
    shop.settled(0);
    assert_eq!(shop.points(), "2");
}
