//! What was held for a cause that has gone counts without anyone acting: files that would have voided lines which another file has
//! brought since, and files whose settings were mended.

use crate::rig::{HEADER, Shop, feed, of, replacing, row};
use std::fs;

/// Two months, A and B in March, C and D in April.
fn two_months() -> Shop {
    let mut shop = Shop::new(&feed("s", "sales_{yyyy}-{mm}*.csv", "mode = \"replace\""));
    shop.drop("sales_2026-03.csv", &[row("A", 1), row("B", 2)]);
    shop.drop("sales_2026-04.csv", &[row("C", 4), row("D", 8)]);
    shop.settled(0);
    shop
}

/// Where every hold stands that there ever was.
fn states(shop: &Shop) -> Vec<String> {
    let rows = shop.at.trial(&["holds", "--all", "--format", "csv"]).check().csv();
    rows.iter().map(|row| row["state"].clone()).collect()
}

fn mend(shop: &Shop, was: &str, is: &str) {
    let config = fs::read_to_string(shop.at.path("accrued.toml")).expect("it was written");
    assert!(config.contains(was), "{config}");
    shop.at.write("accrued.toml", config.replace(was, is));
}

#[test]
fn a_file_whose_lines_have_moved_counts_once_the_other_file_has_come() {
    let mut shop = two_months();
    shop.drop("sales_2026-03_2.csv", &[row("A", 1), row("E", 16)]);
    let run = shop.settled(3);
    assert!(run.stderr.contains("it would void 1 of 2 lines (50%)"), "{}", run.whole());
    assert_eq!((shop.points(), shop.holds().len()), ("15".into(), 1));
    // B has moved to April
    shop.drop("sales_2026-04_2.csv", &[row("C", 4), row("D", 8), row("B", 2)]);
    let rehearsed = shop.at.trial(&["run", "--dry-run", "--as-of", "2026-06-01"]).check();
    assert!(rehearsed.stdout.contains("2 ingested"), "{}", rehearsed.whole());
    let run = shop.settled(0);
    assert!(run.stdout.contains("2 ingested"), "{}", run.whole());
    let why = "sales_2026-03_2.csv: hold 1 (void_over_limit) has ended by itself: its cause is gone";
    assert!(run.stderr.contains(why), "{}", run.whole());
    assert_eq!((shop.points(), shop.holds()), ("31".into(), vec![]));
    assert_eq!(states(&shop), ["gone"]);
    assert_eq!(shop.last("sales_2026-03.csv")["replaced_by"], "sales_2026-03_2.csv");
}

#[test]
fn the_release_of_one_of_two_files_that_swap_lines_frees_the_other() {
    let mut shop = two_months();
    shop.drop("sales_2026-03_2.csv", &[row("A", 1), row("D", 8)]);
    shop.drop("sales_2026-04_2.csv", &[row("C", 4), row("B", 2), row("F", 32)]);
    shop.settled(3);
    let holds = shop.holds();
    assert_eq!((shop.points(), holds.len()), ("15".into(), 2));
    shop.decide("release", &holds[0].0);
    shop.settled(0);
    assert_eq!((shop.points(), shop.holds()), ("47".into(), vec![]));
    assert_eq!(states(&shop), ["done", "gone"]);
}

#[test]
fn each_that_is_freed_may_free_another() {
    let mut shop = Shop::new(&feed("s", "sales_{yyyy}-{mm}*.csv", "mode = \"replace\""));
    for (month, number) in [("01", "A"), ("02", "B"), ("03", "C")] {
        shop.drop(&format!("sales_2026-{month}.csv"), &[row(number, 1)]);
    }
    shop.settled(0);
    // each has given its only line to the next, and the last is the last to come
    shop.drop("sales_2026-01_2.csv", &[row("X", 10)]);
    shop.settled(3);
    shop.drop("sales_2026-02_2.csv", &[row("A", 1), row("Y", 100)]);
    shop.settled(3);
    assert_eq!(shop.holds().len(), 2);
    shop.drop("sales_2026-03_2.csv", &[row("B", 1), row("C", 1)]);
    shop.settled(0);
    assert_eq!((shop.points(), shop.holds()), ("113".into(), vec![]));
}

#[test]
fn the_line_may_come_from_another_feed_of_its_documents_also_in_one_run() {
    let of_month =
        |name: &str| feed(name, "sales_{yyyy}-{mm}*.csv", "mode = \"replace\"\ndocuments = \"all\"");
    let mut shop = Shop::new(&format!("{}{}", of_month("s"), of_month("t")));
    shop.drop("sales_2026-03.csv", &[row("A", 1), row("B", 2)]);
    shop.settled(0);
    shop.drop("sales_2026-03_2.csv", &[row("A", 1)]);
    shop.settled(3);
    shop.at.drop("drop/t/sales_2026-03.csv", crate::rig::file(&[row("B", 2)]));
    shop.settled(0);
    assert_eq!(shop.points(), "3");
    assert_eq!(shop.holds(), []);
    // and when both come at once, whichever is taken first
    shop.drop("sales_2026-03_3.csv", &[row("Z", 5)]);
    shop.at.drop("drop/t/sales_2026-04.csv", crate::rig::file(&[row("A", 1), row("Y", 100)]));
    shop.settled(0);
    assert_eq!((shop.points(), states(&shop).len()), ("108".into(), 1));
}

#[test]
fn a_higher_limit_and_a_mended_decimal_mark_are_causes_that_go() {
    let mut shop = replacing("max_void_percent = \"5\"");
    shop.drop("sales_2026-04.csv", &[row("A", 1), row("B", 2)]);
    shop.settled(0);
    shop.drop("sales_2026-04_2.csv", &[row("A", 1)]);
    shop.settled(3);
    mend(&shop, "max_void_percent = \"5\"", "max_void_percent = \"70\"");
    shop.settled(0);
    assert_eq!((shop.points(), shop.holds()), ("1".into(), vec![]));

    let csv = "[feed.csv]\ndelimiter = \";\"\ndecimal_mark = \".\"\n[feed.totals]\nrows = \"trailer\"";
    let mut shop = Shop::new(&feed("s", "*.csv", csv));
    let header = HEADER.replace(',', ";");
    let rows = "A;1;2026-04-10;P1;1.500\nB;1;2026-04-10;P1;100\n";
    shop.at.drop("drop/s/a.csv", format!("{header}{rows}TRAILER;2;1.600\n"));
    shop.at.drop("drop/s/b.csv", format!("{header}{rows}TRAILER;3;1.600\n"));
    shop.run(3);
    assert_eq!(shop.holds().len(), 2, "{:?}", shop.holds());
    mend(&shop, "decimal_mark = \".\"", "decimal_mark = \",\"");
    let run = shop.settled(0);
    assert!(run.stdout.contains("1 ingested"), "{}", run.whole());
    assert_eq!((shop.points(), states(&shop)), ("1600".into(), vec!["gone".to_owned(), "open".to_owned()]));
}

#[test]
fn payments_and_records_that_moved_are_freed_too() {
    let partners = feed("p", "p_{yyyy}-{mm}*.csv", "mode = \"replace\"").replace("\"sales\"", "\"partners\"");
    let mut shop = Shop::new(&format!("{}{partners}", feed("s", "*.csv", "")));
    shop.drop("a.csv", &[row("A", 100), of("P2", "B", 20)]);
    shop.at.drop("drop/p/p_2026-03.csv", "partner_code,name\nP1,One\nP2,Two\n");
    shop.settled(0);
    shop.at.drop("drop/p/p_2026-03_2.csv", "partner_code,name\nP1,One\n");
    shop.settled(3);
    shop.at.drop("drop/p/p_2026-04.csv", "partner_code,name\nP2,Two\n");
    shop.settled(0);
    assert_eq!((shop.balances()["P2"].clone(), shop.holds()), ("20".into(), vec![]));

    let payments = feed("m", "m_{yyyy}-{mm}*.csv", "mode = \"replace\"").replace("\"sales\"", "\"payments\"");
    let mut shop = Shop::new(&format!("{}{payments}", feed("s", "*.csv", "")));
    const PAID: &str = "payment_ref,invoice_no,paid_on,partner_code,amount\n";
    let paid = |id: &str| format!("{id},A,2026-04-10,P1,10\n");
    shop.drop("a.csv", &[row("A", 100)]);
    shop.at.drop("drop/m/m_2026-03.csv", format!("{PAID}{}{}", paid("1"), paid("2")));
    shop.settled(0);
    shop.at.drop("drop/m/m_2026-03_2.csv", format!("{PAID}{}", paid("1")));
    shop.settled(3);
    shop.at.drop("drop/m/m_2026-04.csv", format!("{PAID}{}", paid("2")));
    shop.settled(0);
    assert_eq!(states(&shop), ["gone"]);
}

#[test]
fn what_a_person_chose_stands_and_what_came_later_waits_on() {
    let mut shop = two_months();
    // two at once, of which a person has picked none yet, and then one alone
    shop.drop("sales_2026-03_x.csv", &[row("A", 1), row("B", 100)]);
    shop.drop("sales_2026-03_y.csv", &[row("A", 1)]);
    shop.settled(3);
    shop.drop("sales_2026-03_z.csv", &[row("A", 1), row("G", 64)]);
    shop.settled(3);
    let holds = shop.holds();
    assert_eq!(
        holds.iter().map(|hold| hold.1.as_str()).collect::<Vec<_>>(),
        ["several_of_period", "several_of_period", "void_over_limit"]
    );
    // x is chosen though z waits: what would have freed z does not put it in the place of x
    shop.decide("release", &holds[0].0);
    shop.drop("sales_2026-04_2.csv", &[row("C", 4), row("D", 8), row("B", 100)]);
    shop.settled(0);
    assert_eq!((shop.points(), shop.holds().len()), ("113".into(), 2));
    assert_eq!(shop.last("sales_2026-03_z.csv")["state"], "held");

    let mut shop = two_months();
    shop.drop("sales_2026-03_z.csv", &[row("A", 1), row("G", 64)]);
    shop.settled(3);
    shop.drop("sales_2026-03_x.csv", &[row("A", 1), row("B", 100)]);
    shop.drop("sales_2026-03_y.csv", &[row("A", 1)]);
    shop.settled(3);
    shop.drop("sales_2026-04_2.csv", &[row("C", 4), row("D", 8), row("B", 2)]);
    shop.settled(0);
    assert_eq!(shop.points(), "79", "z is taken, and the two that came after it wait on");
    assert_eq!(shop.holds().len(), 2);
    // one that was discarded never comes back
    let mut shop = two_months();
    shop.drop("sales_2026-03_z.csv", &[row("A", 1), row("G", 64)]);
    shop.settled(3);
    shop.decide("discard", &shop.holds()[0].0);
    shop.drop("sales_2026-04_2.csv", &[row("C", 4), row("D", 8), row("B", 2)]);
    shop.settled(0);
    assert_eq!(shop.points(), "15");
}

#[test]
fn a_run_that_ended_before_it_judged_again_leaves_that_to_the_next() {
    let mut shop = two_months();
    shop.drop("sales_2026-03_2.csv", &[row("A", 1), row("E", 16)]);
    shop.settled(3);
    let sha256 = shop.last("sales_2026-03_2.csv")["sha256"].clone();
    let archived = shop.at.path(&format!("var/archive/{}/{sha256}", &sha256[..2]));
    let bytes = fs::read(&archived).expect("it is archived");
    // the archive cannot be read once the other file is taken: the run fails between the two
    fs::remove_file(&archived).expect("it is there");
    fs::create_dir(&archived).expect("nothing is there");
    shop.drop("sales_2026-04_2.csv", &[row("C", 4), row("D", 8), row("B", 2)]);
    let run = shop.run(1);
    assert!(run.stderr.contains("from the archive"), "{}", run.whole());
    assert_eq!((shop.last("sales_2026-04_2.csv")["state"].as_str(), shop.holds().len()), ("ingested", 1));
    fs::remove_dir(&archived).expect("it is empty");
    fs::write(&archived, bytes).expect("there is room");
    shop.settled(0);
    assert_eq!((shop.points(), shop.holds()), ("31".into(), vec![]));
}

#[test]
fn a_held_file_is_read_again_only_by_a_run_that_has_news() {
    let mut shop = two_months();
    shop.drop("sales_2026-03_2.csv", &[row("A", 1), row("E", 16)]);
    shop.run(3);
    let readings = |shop: &mut Shop| {
        let day = shop.next_day();
        let run = shop.at.accrued(&["run", "--as-of", &day, "-v", "-v"]);
        run.stderr
            .lines()
            .filter(|line| line.contains("taking") && line.contains("sales_2026-03_2.csv"))
            .count()
    };
    assert_eq!(readings(&mut shop), 0, "nothing has come");
    shop.drop("sales_2026-05.csv", &[row("H", 128)]);
    assert_eq!(readings(&mut shop), 1, "a file of its kind has");
    assert_eq!(readings(&mut shop), 0);
    assert_eq!(shop.holds().len(), 1);
}
