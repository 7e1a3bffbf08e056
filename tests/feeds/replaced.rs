//! `mode = "replace"`: the newest file of a period speaks for it (interfaces.md 2).

use crate::rig::{Shop, cells, feed, of, replacing, row};

const COUNTS: [&str; 5] = ["rows", "accepted", "duplicate", "superseding", "held"];
const MONEY: [&str; 6] =
    ["new_amount", "superseded_before", "superseded_after", "voided_lines", "voided_amount", "moved"];

#[test]
fn the_newest_file_of_a_period_speaks_for_it() {
    let mut shop = replacing("max_void_percent = \"60\"");
    shop.drop("sales_2026-04.csv", &[row("A", 100), row("B", 200), row("C", 300), of("P2", "D", 50)]);
    shop.settled(0);
    assert_eq!((shop.points(), shop.balances()["P2"].clone()), ("600".into(), "50".into()));
    // B is corrected, C is gone, E is new; of P2 nothing is left
    shop.drop("sales_2026-04_v2.csv", &[row("A", 100), row("B", 250), row("E", 7)]);
    let run = shop.settled(0);
    assert!(run.stdout.contains("1 accepted, 1 duplicate, 1 superseding"), "{}", run.whole());
    assert_eq!((shop.points(), shop.balances()["P2"].clone()), ("357".into(), "0".into()));
    assert_eq!(cells(&shop.last("sales_2026-04_v2.csv"), COUNTS), ["3", "1", "1", "1", "0"]);
    assert_eq!(cells(&shop.last("sales_2026-04_v2.csv"), MONEY), ["7", "200", "250", "2", "350", "-293"]);
    let old = shop.last("sales_2026-04.csv");
    assert_eq!(cells(&old, ["state", "speaks", "replaced_by"]), ["ingested", "no", "sales_2026-04_v2.csv"]);
    // the first bytes never speak again by themselves
    shop.touch("sales_2026-04.csv", 1_800_000_000);
    shop.settled(0);
    assert_eq!(shop.points(), "357");
}

#[test]
fn a_line_may_change_its_partner_and_its_date() {
    let mut shop = replacing("");
    shop.drop("sales_2026-04.csv", &[row("A", 100), row("B", 200)]);
    shop.settled(0);
    let moved = "B,1,2026-03-01,P2,200\n".to_owned();
    shop.drop("sales_2026-04_b.csv", &[row("A", 100), moved]);
    shop.settled(0);
    assert_eq!((shop.points(), shop.balances()["P2"].clone()), ("100".into(), "200".into()));
    assert_eq!(shop.holds(), []);
    // and back again
    shop.drop("sales_2026-04_c.csv", &[row("A", 100), row("B", 200), row("C", 1)]);
    shop.settled(0);
    assert_eq!((shop.points(), shop.balances()["P2"].clone()), ("301".into(), "0".into()));
}

#[test]
fn other_periods_are_left_alone_and_a_line_that_two_files_carry_stands_while_one_speaks() {
    let mut shop = replacing("max_void_percent = \"100\"");
    let may = |rows: &[String]| rows.to_vec();
    shop.drop("sales_2026-04.csv", &[row("A", 100), row("B", 200)]);
    shop.drop("sales_2026-05.csv", &may(&[row("B", 200), row("C", 10)]));
    shop.settled(0);
    assert_eq!(shop.points(), "310");
    shop.drop("sales_2026-04_2.csv", &[row("A", 100)]);
    shop.settled(0);
    assert_eq!(shop.points(), "310", "May's file carries B still");
    shop.drop("sales_2026-05_2.csv", &may(&[row("C", 10)]));
    shop.settled(0);
    assert_eq!(shop.points(), "110", "now nobody does");
    // B moves to May's file, which is taken first: nothing of April's is void by that
    shop.drop("sales_2026-05_3.csv", &may(&[row("C", 10), row("A", 100)]));
    shop.drop("sales_2026-04_3.csv", &[row("Z", 1)]);
    shop.settled(0);
    assert_eq!(shop.points(), "111");
    assert_eq!(cells(&shop.last("sales_2026-04_3.csv"), ["voided_lines", "accepted"]), ["0", "1"]);
}

#[test]
fn each_part_and_each_distributor_speaks_for_itself() {
    let mut shop = Shop::new(&feed("s", "sales_{yyyy}-{mm}_{part}.csv", "mode = \"replace\""));
    shop.drop("sales_2026-04_east.csv", &[row("A", 100)]);
    shop.drop("sales_2026-04_west.csv", &[row("B", 200)]);
    shop.settled(0);
    assert_eq!(shop.points(), "300");
    shop.drop("sales_2026-04_west.csv", &[row("B", 250)]);
    shop.settled(0);
    assert_eq!(shop.points(), "350");

    let distributors = "mode = \"replace\"\ndistributors = [\"D1\", \"D2\"]";
    let mut shop = Shop::new(&feed("s", "{distributor}_{yyyy}-{mm}*.csv", distributors));
    shop.drop("D1_2026-04.csv", &[row("A", 100)]);
    shop.drop("D2_2026-04.csv", &[row("A", 20)]);
    shop.settled(0);
    assert_eq!(shop.points(), "120", "one number of two distributors is two invoices");
    shop.drop("D2_2026-04_new.csv", &[row("A", 30)]);
    shop.settled(0);
    assert_eq!(shop.points(), "130");
}

#[test]
fn several_files_of_a_period_in_one_run_are_held_and_a_person_picks_one() {
    let mut shop = replacing("");
    shop.drop("sales_2026-04.csv", &[row("A", 100), row("B", 100)]);
    shop.settled(0);
    shop.drop("sales_2026-04_x.csv", &[row("A", 100), row("B", 500)]);
    shop.drop("sales_2026-04_y.csv", &[row("C", 7)]);
    shop.drop("sales_2026-05.csv", &[row("M", 1)]);
    let run = shop.settled(3);
    assert!(
        run.stderr.contains("several files of 2026-04-01 to 2026-04-30 came in one run"),
        "{}",
        run.whole()
    );
    assert_eq!(shop.points(), "201", "held files have replaced nothing, and May is alone");
    let holds = shop.holds();
    assert_eq!(holds.iter().map(|hold| hold.1.as_str()).collect::<Vec<_>>(), ["several_of_period"; 2]);
    // touched, they are the same question; the one that is meant voids what it voids
    shop.touch("sales_2026-04_x.csv", 1_800_000_000);
    shop.touch("sales_2026-04_y.csv", 1_800_000_001);
    let run = shop.settled(0);
    assert!(run.stdout.contains("2 duplicate"), "{}", run.whole());
    assert_eq!(shop.holds().len(), 2);
    shop.decide("release", &holds[1].0);
    shop.settled(0);
    assert_eq!(shop.points(), "8");
    assert_eq!(shop.holds(), [holds[0].clone()], "the other waits on");
    // one that comes alone is nobody's question any more
    shop.drop("sales_2026-04_z.csv", &[row("C", 7), row("D", 2)]);
    shop.settled(0);
    assert_eq!((shop.points(), shop.holds()), ("10".into(), vec![]));
}

#[test]
fn the_same_bytes_twice_in_one_run_contradict_nobody() {
    let mut shop = replacing("");
    shop.drop("sales_2026-04_a.csv", &[row("A", 100)]);
    shop.drop("sales_2026-04_b.csv", &[row("A", 100)]);
    let run = shop.settled(0);
    assert!(run.stdout.contains("1 ingested, 1 duplicate"), "{}", run.whole());
    // an old export that is there again beside a new one is no second file of the period
    shop.touch("sales_2026-04_a.csv", 1_800_000_000);
    shop.drop("sales_2026-04_c.csv", &[row("A", 110)]);
    shop.settled(0);
    assert_eq!(shop.points(), "110");
}

#[test]
fn a_file_that_would_void_too_much_is_held_with_both_figures() {
    let rows: Vec<String> = (0..20).map(|n| row(&format!("A{n}"), 100)).collect();
    let mut shop = replacing("");
    shop.drop("sales_2026-04.csv", &rows);
    shop.settled(0);
    // one of twenty is 5%: not more than 5
    shop.drop("sales_2026-04_2.csv", &rows[1..]);
    shop.settled(0);
    assert_eq!(shop.points(), "1900");
    // one of nineteen is
    shop.drop("sales_2026-04_3.csv", &rows[2..]);
    let run = shop.settled(3);
    let why = "it would void 1 of 19 lines (5.26%) and 100 of 1900 in amount (5.26%) of its period, more than max_void_percent = \"5\"";
    assert!(run.stderr.contains(why), "{}", run.whole());
    assert_eq!(shop.points(), "1900");
    assert_eq!(cells(&shop.last("sales_2026-04_3.csv"), COUNTS), ["18", "0", "0", "0", "18"]);
    // its few lines may hold most of the money
    shop.drop("sales_2026-04_4.csv", &[&rows[1..], &[row("BIG", 100_000)]].concat());
    shop.settled(0);
    assert_eq!((shop.points(), shop.holds()), ("101900".into(), vec![]));
    shop.drop("sales_2026-04_5.csv", &[&rows[1..], &[row("N", 1)]].concat());
    let run = shop.settled(3);
    assert!(
        run.stderr.contains("1 of 20 lines (5%) and 100000 of 101900 in amount (98.14%)"),
        "{}",
        run.whole()
    );
    let holds = shop.holds();
    assert_eq!(holds[0].1, "void_over_limit");
    shop.decide("release", &holds[0].0);
    shop.settled(0);
    assert_eq!((shop.points(), shop.holds()), ("1901".into(), vec![]));
    // an empty file of the period voids all of it
    shop.drop("sales_2026-04_6.csv", &[]);
    shop.settled(3);
    shop.decide("discard", &shop.holds()[0].0);
    shop.touch("sales_2026-04_6.csv", 1_800_000_000);
    shop.settled(0);
    assert_eq!((shop.points(), shop.holds()), ("1901".into(), vec![]));
}

#[test]
fn sales_and_returns_do_not_hide_each_other() {
    let mut shop = replacing("");
    let note = |number: &str, amount: i64| format!("{number},1,2026-04-12,P1,{amount}\n");
    let many: Vec<String> = (0..60).map(|n| note(&format!("A{n}"), 1)).collect();
    shop.drop("sales_2026-04.csv", &[&many[..], &[note("B", 500), note("C", -500)]].concat());
    shop.settled(0);
    // both go: nothing in sum, nearly all of the money
    shop.drop("sales_2026-04_2.csv", &many);
    let run = shop.settled(3);
    assert!(run.stderr.contains("2 of 62 lines (3.23%) and 1000 of 1060 in amount"), "{}", run.whole());
}

#[test]
fn refused_files_replace_nothing_and_nor_does_an_older_one_that_came_before() {
    let mut shop = replacing("");
    shop.drop("sales_2026-04.csv", &[row("A", 100)]);
    shop.settled(0);
    shop.at.drop("drop/s/sales_2026-04_bad.csv", "not,the,header\n1,2,3\n");
    shop.settled(3);
    assert_eq!(shop.points(), "100");
    assert_eq!(shop.last("sales_2026-04.csv")["speaks"], "yes");
}

#[test]
fn an_older_export_is_taken_and_said_to_be_older() {
    let mut shop = replacing("");
    shop.drop("sales_2026-04.csv", &[row("A", 100), row("B", 1)]);
    shop.settled(0);
    shop.drop("sales_2026-04_old.csv", &[row("A", 90), row("B", 1)]);
    shop.touch("sales_2026-04_old.csv", 1_600_000_000);
    let run = shop.settled(0);
    let notice = "it replaces sales_2026-04.csv, although it is the older export by its mtime (2020-09-13T12:26:40Z before 2023-11-14T22:13:20Z)";
    assert!(run.stderr.contains(notice), "{}", run.whole());
    assert_eq!(
        (shop.points(), shop.last("sales_2026-04_old.csv")["detail"].contains(notice)),
        ("91".into(), true)
    );
}

#[test]
fn what_an_append_feed_said_of_a_line_speaks_again() {
    let mut shop = Shop::new(&format!(
        "{}{}",
        feed(
            "s",
            "sales_{yyyy}-{mm}*.csv",
            "mode = \"replace\"\nmax_void_percent = \"100\"\ndocuments = \"all\""
        ),
        feed("t", "*.csv", "documents = \"all\"")
    ));
    shop.at.drop("drop/t/early.csv", crate::rig::file(&[row("A", 80)]));
    shop.settled(0);
    shop.drop("sales_2026-04.csv", &[row("A", 100), row("B", 5)]);
    shop.settled(0);
    assert_eq!(shop.points(), "105");
    shop.drop("sales_2026-04_2.csv", &[row("B", 5)]);
    shop.settled(0);
    assert_eq!(shop.points(), "85", "the older version of a file that speaks");
}

#[test]
fn a_cancellation_goes_with_its_file() {
    const HEADER: &str = "invoice_no,line_no,doc_type,invoice_date,partner_code,amount\n";
    let mut shop = replacing("");
    let sold = "A,1,invoice,2026-04-10,P1,100\nB,1,invoice,2026-04-10,P1,50\n";
    shop.at.drop("drop/s/sales_2026-04.csv", format!("{HEADER}{sold}A,,cancellation,2026-04-11,P1,0\n"));
    shop.settled(0);
    assert_eq!(shop.points(), "50");
    shop.at.drop("drop/s/sales_2026-04_2.csv", format!("{HEADER}{sold}"));
    shop.settled(0);
    assert_eq!(shop.points(), "150");
    shop.at.drop(
        "drop/s/sales_2026-04_3.csv",
        format!("{HEADER}{sold}A,,cancellation,2026-04-11,P1,0\nC,1,invoice,2026-04-12,P1,1\n"),
    );
    shop.settled(0);
    assert_eq!(shop.points(), "51");
}

#[test]
fn closed_cycles_are_corrected_and_the_reason_says_so() {
    let mut shop = replacing("max_void_percent = \"100\"");
    let scheme = crate::rig::SCHEME.replace("post = \"continuous\"\n", "");
    shop.at.write("schemes/club.toml", scheme);
    shop.drop("sales_2026-04.csv", &[row("A", 100), row("B", 200), of("P2", "C", 70)]);
    shop.settled(0);
    shop.drop("sales_2026-04_2.csv", &[row("A", 100), row("B", 150)]);
    shop.settled(0);
    let ledger = shop.at.trial(&["ledger", "--format", "csv"]).check().csv();
    let last: Vec<[String; 3]> =
        ledger.iter().rev().take(2).map(|row| cells(row, ["partner_code", "points", "reason"])).collect();
    assert_eq!(last, [["P2", "-70", "superseded line"], ["P1", "-50", "superseded line"]]);
}

#[test]
fn master_data_is_replaced_too_and_not_emptied_by_accident() {
    let partners = feed("p", "p_{yyyy}-{mm}*.csv", "mode = \"replace\"\nmax_void_percent = \"40\"")
        .replace("\"sales\"", "\"partners\"");
    let mut shop = Shop::new(&format!("{}{partners}", feed("s", "*.csv", "")));
    shop.drop("a.csv", &[row("A", 100), of("P2", "B", 20), of("P3", "C", 3)]);
    shop.at.drop("drop/p/p_2026-04.csv", "partner_code,name\nP1,One\nP2,Two\nP3,Three\n");
    shop.settled(0);
    // P3 is listed no more: one of three
    shop.at.drop("drop/p/p_2026-04_2.csv", "partner_code,name\nP1,One\nP2,Zwei\n");
    shop.settled(3);
    assert_eq!((shop.points(), shop.balances()["P3"].clone()), ("100".into(), "0".into()));
    // an empty one would unlist them all
    shop.at.drop("drop/p/p_2026-04_3.csv", "partner_code,name\n");
    let run = shop.settled(3);
    assert!(run.stderr.contains("it would void 2 of 2 records (100%) of its period"), "{}", run.whole());
    assert_eq!(shop.points(), "100");
    // the first dump with all of them, in other words
    shop.at.drop("drop/p/p_2026-04_4.csv", "partner_code,name\nP3,Three\nP2,Two\nP1,One\n");
    shop.settled(0);
    assert_eq!((shop.balances()["P3"].clone(), shop.holds()), ("3".into(), vec![]));
}

#[test]
fn what_was_held_against_a_replaced_file_counts_once_it_is_silent() {
    let mut shop = Shop::new(&format!(
        "{}{}",
        feed(
            "s",
            "sales_{yyyy}-{mm}*.csv",
            "mode = \"replace\"\nmax_void_percent = \"100\"\ndocuments = \"all\""
        ),
        feed("t", "*.csv", "documents = \"all\"")
    ));
    shop.drop("sales_2026-04.csv", &[row("A", 100), row("B", 5)]);
    shop.settled(0);
    shop.at.drop("drop/t/other.csv", crate::rig::file(&[of("P2", "A", 70)]));
    shop.settled(3);
    assert_eq!((shop.points(), shop.holds().len()), ("105".into(), 1));
    shop.drop("sales_2026-04_2.csv", &[row("B", 5)]);
    shop.settled(0);
    assert_eq!(
        (shop.points(), shop.balances()["P2"].clone(), shop.holds()),
        ("5".into(), "70".into(), vec![])
    );
    // and what a replaced file was held for is nobody's question any more
    shop.drop("sales_2026-04_3.csv", &[row("B", 5), row("A", 1)]);
    shop.settled(3);
    assert_eq!(shop.holds().len(), 1);
    shop.drop("sales_2026-04_4.csv", &[row("B", 6)]);
    shop.settled(0);
    assert_eq!(
        (shop.points(), shop.balances()["P2"].clone(), shop.holds()),
        ("6".into(), "70".into(), vec![])
    );
}

#[test]
fn lines_that_move_from_one_period_s_file_to_another_s_are_not_void() {
    let mut shop = Shop::new(&feed("s", "sales_{yyyy}-{mm}.csv", "mode = \"replace\""));
    shop.drop("sales_2026-03.csv", &[row("A", 1), row("B", 2)]);
    shop.drop("sales_2026-04.csv", &[row("C", 4), row("D", 8)]);
    shop.drop("sales_2026-05.csv", &[row("E", 16)]);
    shop.settled(0);
    // each gives a line to the next
    shop.drop("sales_2026-03.csv", &[row("A", 1)]);
    shop.drop("sales_2026-04.csv", &[row("C", 4), row("B", 2)]);
    shop.drop("sales_2026-05.csv", &[row("E", 16), row("D", 8)]);
    let run = shop.settled(0);
    assert!(run.stdout.contains("3 ingested"), "{}", run.whole());
    assert_eq!((shop.points(), shop.holds().len()), ("31".into(), 0));
    // what goes nowhere is held all the same, once
    shop.drop("sales_2026-03.csv", &[row("Z", 1)]);
    shop.drop("sales_2026-04.csv", &[row("C", 4), row("B", 2), row("F", 32)]);
    shop.settled(3);
    assert_eq!((shop.points(), shop.holds().len()), ("63".into(), 1));
}

#[test]
fn rupees_do_not_hide_dollars_that_would_go() {
    let mut shop = replacing("max_void_percent = \"20\"");
    let line = |n: usize, amount: &str, currency: &str| format!("A{n},1,2026-04-10,P1,{amount},{currency}\n");
    let header = "invoice_no,line_no,invoice_date,partner_code,amount,currency\n";
    let rupees: String = (0..9).map(|n| line(n, "1000000", "INR")).collect();
    let dollars = line(9, "100", "USD");
    shop.at.drop("drop/s/sales_2026-04.csv", format!("{header}{rupees}{dollars}"));
    shop.run(3);
    shop.at.drop("drop/s/sales_2026-04.csv", format!("{header}{rupees}"));
    let run = shop.run(3);
    let why = "it would void 1 of 10 lines (10%) and 100 of 100 USD in amount (100%) of its period";
    assert!(run.stderr.contains(why), "{}", run.whole());
    // a tenth of the rupees may go
    let fewer: String = (1..9).map(|n| line(n, "1000000", "INR")).collect();
    shop.at.drop("drop/s/sales_2026-04.csv", format!("{header}{fewer}{dollars}"));
    assert!(!shop.run(0).stderr.contains("would void"));
}

#[test]
fn rows_of_a_cancelled_document_are_not_void() {
    let mut shop = replacing("max_void_percent = \"40\"");
    let whole = |invoice: &str, amount: i64| format!("{invoice},,2026-04-10,P1,{amount}\n");
    shop.drop("sales_2026-04.csv", &[whole("A", 1), whole("A", 999), row("B", 100), row("C", 100)]);
    shop.settled(0);
    assert_eq!(shop.points(), "1200");
    let header = "invoice_no,doc_type,invoice_date,partner_code,amount\n";
    shop.at.drop("drop/s/sales_2026-05.csv", format!("{header}A,cancellation,2026-04-20,P1,0\n"));
    shop.settled(0);
    assert_eq!(shop.points(), "200");
    // one of its rows is gone: of what is in force, nothing
    shop.drop("sales_2026-04_v2.csv", &[whole("A", 1), row("B", 100), row("C", 150)]);
    let run = shop.settled(0);
    assert!(run.stdout.contains("1 ingested"), "{}", run.whole());
    assert_eq!((shop.points(), shop.holds()), ("250".into(), vec![]));
}

#[test]
fn a_document_of_several_partners_is_weighed_once_and_whole() {
    let mut shop = replacing("max_void_percent = \"40\"");
    let whole =
        |invoice: &str, partner: &str, amount: i64| format!("{invoice},,2026-04-10,{partner},{amount}\n");
    let rest = [row("B", 100), row("C", 100)];
    shop.drop(
        "sales_2026-04.csv",
        &[&[whole("A", "P1", 1000), whole("A", "P9", 1), whole("A", "P9", 2)], &rest[..]].concat(),
    );
    shop.settled(0);
    // P9 has as many rows as before, and P1's is gone
    shop.drop("sales_2026-04_2.csv", &[&[whole("A", "P9", 1), whole("A", "P9", 2)], &rest[..]].concat());
    let run = shop.settled(3);
    let why = "it would void 1 of 5 lines (20%) and 1000 of 1203 in amount (83.13%) of its period";
    assert!(run.stderr.contains(why), "{}", run.whole());
    // less is little: one of the small rows goes
    shop.drop("sales_2026-04_3.csv", &[&[whole("A", "P1", 1000), whole("A", "P9", 2)], &rest[..]].concat());
    shop.settled(0);
    assert_eq!(
        (shop.points(), shop.balances()["P9"].clone(), shop.holds()),
        ("1200".into(), "2".into(), vec![])
    );
}
