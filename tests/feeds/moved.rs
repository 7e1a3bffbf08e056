//! The money that each file moved, as `accrued files` shows it: by currency, of cancellations, of payments.

use crate::rig::{HEADER, Shop, cells, feed, row};

const SUMS: [&str; 6] =
    ["new_amount", "superseded_before", "superseded_after", "voided_lines", "voided_amount", "moved"];

#[test]
fn currencies_are_told_apart() {
    let mut shop = Shop::new(&feed("s", "*.csv", ""));
    let header = "invoice_no,line_no,invoice_date,partner_code,amount,currency\n";
    let text = |a: &str, c: &str| format!("{header}A,1,2026-04-10,P1,{a},INR\nB,1,2026-04-10,P1,20,usd\n{c}");
    shop.at.drop("drop/s/a.csv", text("100", ""));
    shop.run(3); // no rate
    let first = shop.last("a.csv");
    assert_eq!(
        cells(&first, ["new_amount", "moved", "currency", "moved_money"]),
        ["", "", "", "INR 100; USD 20"]
    );
    shop.at.drop("drop/s/a.csv", text("90", ""));
    shop.run(0);
    let second = shop.last("a.csv");
    assert_eq!(
        cells(&second, ["superseded_before", "superseded_after", "moved", "currency", "moved_money"]),
        ["100", "90", "-10", "INR", "INR -10"]
    );
    let told = shop.at.trial(&["files", "a.csv", "--format", "table"]).check().stdout;
    assert!(told.contains("2 lines, 100 INR and 20 USD in amount"), "{told}");
    assert!(told.contains("1 line, 100 INR before, 90 INR after"), "{told}");
}

#[test]
fn cancellations_void_money_whatever_else_their_file_says() {
    let header = "invoice_no,line_no,doc_type,invoice_date,partner_code,amount\n";
    let sold = format!("{header}A,1,,2026-04-10,P1,100\nA,2,,2026-04-10,P1,10\nB,1,,2026-04-10,P2,7\n");
    let mut shop = Shop::new(&feed("s", "*.csv", ""));
    shop.at.drop("drop/s/a.csv", &sold);
    shop.settled(0);
    shop.at.drop(
        "drop/s/b.csv",
        format!("{header}A,,cancellation,2026-04-11,P1,0\nZ,,cancellation,2026-04-11,P1,0\n"),
    );
    shop.settled(0);
    assert_eq!(cells(&shop.last("b.csv"), SUMS), ["0", "0", "0", "2", "110", "-110"]);
    // a full export with one more cancellation
    shop.at.drop(
        "drop/s/a.csv",
        format!("{sold}A,,cancellation,2026-04-11,P1,0\nB,,cancellation,2026-04-11,P2,0\n"),
    );
    shop.settled(0);
    assert_eq!(cells(&shop.last("a.csv"), SUMS), ["0", "0", "0", "1", "7", "-7"]);
    // sold and cancelled in one file
    shop.at.drop(
        "drop/s/c.csv",
        format!("{header}C,1,,2026-04-10,P1,5\nC,,cancellation,2026-04-11,P1,0\nD,1,,2026-04-10,P1,1\n"),
    );
    shop.settled(0);
    assert_eq!(cells(&shop.last("c.csv"), SUMS), ["1", "0", "0", "0", "0", "1"]);
    assert_eq!(shop.points(), "1");
}

#[test]
fn a_cancellation_that_falls_silent_brings_its_money_back() {
    let mut shop =
        Shop::new(&feed("s", "s_{yyyy}-{mm}.csv", "mode = \"replace\"\nmax_void_percent = \"100\""));
    let header = "invoice_no,line_no,doc_type,invoice_date,partner_code,amount\n";
    shop.at.drop("drop/s/s_2026-04.csv", format!("{header}A,1,,2026-04-10,P1,100\n"));
    shop.at.drop("drop/s/s_2026-05.csv", format!("{header}A,,cancellation,2026-04-11,P1,0\n"));
    shop.settled(0);
    assert_eq!(cells(&shop.last("s_2026-05.csv"), SUMS), ["0", "0", "0", "1", "100", "-100"]);
    shop.at.drop("drop/s/s_2026-05.csv", format!("{header}B,1,,2026-04-10,P2,1\n"));
    shop.settled(0);
    assert_eq!(cells(&shop.last("s_2026-05.csv"), SUMS), ["101", "0", "0", "0", "0", "101"]);
}

#[test]
fn payments_and_deposits_move_money_too() {
    let pay = "payment_ref,invoice_no,paid_on,amount,currency\n";
    let feeds = [
        feed("s", "*.csv", "documents = \"n\""),
        feed("p", "p_{yyyy}-{mm}.csv", "documents = \"n\"\nmode = \"replace\"\nmax_void_percent = \"100\"")
            .replace("kind = \"sales\"", "kind = \"payments\""),
        feed("d", "*.csv", "documents = \"n\"").replace("kind = \"sales\"", "kind = \"deposits\""),
    ];
    let mut shop = Shop::new(&feeds.concat());
    shop.at.drop("drop/s/a.csv", format!("{HEADER}{}", row("A", 100)));
    shop.at.drop(
        "drop/p/p_2026-04.csv",
        format!("{pay}X,A,2026-04-12,60,INR\nY,A,2026-04-13,5,INR\nZ,A,2026-04-13,1,USD\n"),
    );
    shop.at.drop("drop/d/d.csv", "deposit_ref,date,amount\nD1,2026-04-12,65\n");
    shop.settled(0);
    assert_eq!(cells(&shop.last("p_2026-04.csv"), ["new_amount", "moved_money"]), ["", "INR 65; USD 1"]);
    assert_eq!(cells(&shop.last("d.csv"), ["new_amount", "moved_money"]), ["65", ""]);
    shop.at.drop(
        "drop/p/p_2026-04.csv",
        format!("{pay}X,A,2026-04-12,61,INR\nZ,A,2026-04-13,1,USD\nV,A,2026-04-14,-2,INR\n"),
    );
    shop.settled(0);
    let again = shop.last("p_2026-04.csv");
    assert_eq!(cells(&again, SUMS), ["-2", "60", "61", "1", "5", "-6"]);
    assert_eq!(again["currency"], "INR");
    // what contradicts moves nothing until a person lets it
    shop.at.drop(
        "drop/d/e.csv",
        "deposit_ref,date,amount\nD1,2026-04-12,66\nD2,2026-04-12,4\nD2,2026-04-12,3\n",
    );
    shop.settled(3);
    assert_eq!(cells(&shop.last("e.csv"), ["new_amount", "moved"]), ["4", "4"]);
}

#[test]
fn what_is_read_again_moves_nothing_where_a_later_file_speaks() {
    let mut shop = Shop::new(&feed("s", "*.csv", ""));
    shop.drop("a.csv", &[row("A", 100), row("B", 7)]);
    shop.touch("a.csv", 1_700_000_000);
    shop.settled(0);
    shop.drop("b.csv", &[row("A", 150)]);
    shop.touch("b.csv", 1_700_000_100);
    shop.settled(0);
    let day = shop.next_day();
    let again = shop.at.trial(&["reread", "a.csv", "--as-of", &day]).check();
    assert!(!again.whole().contains("supersedes lines"), "{}", again.whole());
    let reading = shop.last("a.csv");
    assert_eq!(cells(&reading, SUMS), ["0", "0", "0", "0", "0", "0"]);
    assert_eq!(cells(&reading, ["accepted", "duplicate", "superseding"]), ["0", "2", "0"]);
    assert_eq!(shop.points(), "157");
    shop.settled(0);
}

#[test]
fn a_payment_that_is_read_again_moves_nothing_where_it_spoke_before() {
    let pay = "payment_ref,invoice_no,paid_on,amount\n";
    let feeds = [
        feed("s", "*.csv", "documents = \"n\""),
        feed("p", "*.csv", "documents = \"n\"").replace("kind = \"sales\"", "kind = \"payments\""),
    ];
    let mut shop = Shop::new(&feeds.concat());
    shop.at.drop("drop/p/a.csv", format!("{pay}X,A,2026-04-12,60\n"));
    shop.settled(0);
    shop.at.drop("drop/p/b.csv", format!("{pay}X,A,2026-04-12,66\n"));
    shop.settled(3);
    let day = shop.next_day();
    shop.at.trial(&["reread", "a.csv", "--as-of", &day]).check();
    assert_eq!(cells(&shop.last("a.csv"), SUMS), ["0", "0", "0", "0", "0", "0"]);
    shop.settled(0);
}
