//! What waits with files that are held whole: how many rows, and how much money, whatever they are held for.

use crate::rig::{SCHEME, Shop, feed, of, replacing, row};
use std::collections::BTreeMap;

const WITH_CURRENCY: &str = "invoice_no,line_no,invoice_date,partner_code,amount,doc_type,currency\n";

/// The open holds: kind, lines, amount, detail.
fn waiting(shop: &Shop) -> Vec<[String; 4]> {
    let rows = shop.at.trial(&["holds", "--format", "csv"]).check().csv();
    let cells =
        |row: BTreeMap<String, String>| ["kind", "lines", "amount", "detail"].map(|name| row[name].clone());
    rows.into_iter().map(cells).collect()
}

fn one(shop: &Shop) -> [String; 3] {
    let [kind, lines, amount, _] = waiting(shop).remove(0);
    [kind, lines, amount]
}

#[test]
fn bytes_of_another_feed_say_what_they_would_bring() {
    let mut shop = Shop::new(&format!("{}{}", feed("s", "*.csv", ""), feed("t", "*.csv", "")));
    let text = format!(
        "{WITH_CURRENCY}A,1,2026-04-10,P1,100.50,,\nB,1,2026-04-10,P1,20,credit_note,\nC,1,2026-04-10,P1,7,cancellation,\nD,1,2026-04-10,P1,x,,\n"
    );
    shop.at.drop("drop/s/a.csv", &text);
    shop.run(3);
    shop.at.drop("drop/t/a.csv", &text);
    shop.settled(3);
    assert_eq!(one(&shop), ["same_file_other_feed", "4", "80.5"]);
    let taken = shop.last("a.csv");
    assert_eq!((taken["feed"].as_str(), taken["rows"].as_str(), taken["held"].as_str()), ("t", "4", "4"));
}

#[test]
fn currencies_are_told_apart() {
    let mut shop = Shop::new(&format!("{}{}", feed("s", "*.csv", ""), feed("t", "*.csv", "")));
    let text = format!(
        "{WITH_CURRENCY}A,1,2026-04-10,P1,100,,INR\nB,1,2026-04-10,P1,20,,usd\nC,1,2026-04-10,P1,3,,\n"
    );
    shop.at.drop("drop/s/a.csv", &text);
    shop.run(3);
    shop.at.drop("drop/t/b.csv", &text);
    shop.settled(3);
    let [kind, lines, amount, detail] =
        waiting(&shop).into_iter().find(|hold| hold[0] == "same_file_other_feed").expect("it waits");
    assert_eq!([kind.as_str(), &lines, &amount], ["same_file_other_feed", "3", ""]);
    assert!(detail.contains("; at stake are 3 without a currency and 100 INR and 20 USD"), "{detail}");
}

#[test]
fn files_of_one_period_and_files_that_void_too_much_do_too() {
    let mut shop = replacing("");
    shop.drop("sales_2026-04.csv", &[row("A", 100), row("B", 200)]);
    shop.settled(0);
    shop.drop("sales_2026-04_b.csv", &[row("A", 30)]);
    shop.settled(3);
    assert_eq!(one(&shop), ["void_over_limit", "1", "30"]);
    shop.drop("sales_2026-04_c.csv", &[row("A", 1), row("B", 2)]);
    shop.drop("sales_2026-04_d.csv", &[row("A", 1), row("B", 2), row("C", 3)]);
    shop.settled(3);
    let told: Vec<_> =
        waiting(&shop).into_iter().map(|[kind, lines, amount, _]| (kind, lines, amount)).collect();
    let hold = |kind: &str, lines: &str, amount: &str| (kind.to_owned(), lines.to_owned(), amount.to_owned());
    assert_eq!(
        told,
        [
            hold("void_over_limit", "1", "30"),
            hold("several_of_period", "2", "3"),
            hold("several_of_period", "3", "6")
        ]
    );
}

#[test]
fn a_file_whose_totals_disagree_says_what_its_rows_come_to() {
    let mut shop = Shop::new(&feed("s", "*.csv", "[feed.totals]\nrows = \"trailer\""));
    let text = format!("{}{}{}TRAILER,2,301\n", crate::rig::HEADER, row("A", 100), row("B", 200));
    shop.at.drop("drop/s/a.csv", &text);
    shop.settled(3);
    assert_eq!(one(&shop), ["totals_disagree", "2", "300"]);
}

#[test]
fn a_file_that_was_refused_is_taken_once_its_feed_is_said_to_bring_something_else() {
    let mut shop = Shop::new(&feed("s", "*.csv", ""));
    shop.at.drop("drop/s/rates.csv", "date,from,to,rate\n2026-04-01,USD,INR,80\n");
    shop.run(3);
    let config = std::fs::read_to_string(shop.at.path("accrued.toml")).expect("it is there");
    shop.at.write("accrued.toml", config.replace("kind = \"sales\"", "kind = \"fx\""));
    shop.at.write("schemes/club.toml", SCHEME);
    shop.settled(0);
    assert_eq!(shop.last("rates.csv")["state"], "ingested");
}

/// Points, and what the detail says of them.
fn points(shop: &Shop) -> Vec<(String, String)> {
    let rows = shop.at.trial(&["holds", "--format", "csv"]).check().csv();
    let told = |row: BTreeMap<String, String>| {
        let words =
            row["detail"].rsplit_once("; released now").map_or(String::new(), |(_, words)| words.into());
        (row["points"].clone(), words)
    };
    rows.into_iter().map(told).collect()
}

fn told(points: &str, words: &str) -> (String, String) {
    (points.into(), words.into())
}

#[test]
fn a_file_that_waits_says_the_points_that_its_release_would_move() {
    let mut shop = replacing("");
    shop.drop("sales_2026-04.csv", &[row("A", 100), row("B", 200)]);
    shop.settled(0);
    shop.drop("sales_2026-04_b.csv", &[row("A", 30), of("P2", "N", 5)]);
    shop.settled(3);
    // what it replaces goes with it
    assert_eq!(points(&shop), [told("-265", ": club 2026-04 -265 points (2 partners)")]);
    shop.drop("sales_2026-04_c.csv", &[row("A", 101), row("B", 200)]);
    shop.drop("sales_2026-04_d.csv", &[row("A", 100), row("B", 200), of("P2", "N", 0)]);
    shop.settled(3);
    let waits = [
        told("-265", ": club 2026-04 -265 points (2 partners)"),
        told("1", ": club 2026-04 +1 points (1 partner)"),
        told("0", " it moves no points"),
    ];
    assert_eq!(points(&shop), waits);
    let before = shop.points();
    shop.decide("release", "1");
    shop.settled(0);
    assert_eq!((before.as_str(), shop.points().as_str()), ("300", "30"));
    assert_eq!(
        shop.at
            .path("var")
            .read_dir()
            .expect("it is there")
            .flatten()
            .filter(|e| { e.file_name().to_string_lossy().starts_with(".weigh") })
            .count(),
        0
    );
}

#[test]
fn what_takes_long_to_work_out_is_worked_out_on_request() {
    let mut shop = replacing("");
    shop.drop("sales_2026-04.csv", &[row("A", 100), row("B", 200)]);
    shop.run(0);
    shop.drop("sales_2026-04_b.csv", &[row("A", 30)]);
    shop.run(3);
    let store = rusqlite::Connection::open(shop.at.path("var/accrued.db")).expect("a store");
    // as if it had two million rows
    store.execute_batch("UPDATE hold SET lines = 2000000").expect("a hold");
    let hold = |args: &[&str]| {
        shop.at.trial(&[&["holds", "--format", "csv"], args].concat()).check().csv().remove(0)
    };
    let by_the_way = hold(&[]);
    assert_eq!(by_the_way["points"], "");
    let how = "; its points take long to work out: accrued holds --points does";
    assert!(by_the_way["detail"].ends_with(how), "{}", by_the_way["detail"]);
    assert_eq!(hold(&["--points"])["points"], "-270");
    shop.at.write("schemes/club.toml", "[scheme]\n");
    let faulty = hold(&[]);
    assert!(faulty["detail"].ends_with("; its points take long to work out: accrued holds --points does"));
    let why = "; its points cannot be told: the schemes have faults (accrued check)";
    assert!(hold(&["--points"])["detail"].ends_with(why));
}

#[test]
fn a_file_that_a_release_would_not_read_says_so() {
    let mut shop = Shop::new(&format!(
        "{}{}",
        feed("s", "*.csv", ""),
        feed("t", "*.csv", "[feed.totals]\nrows = \"trailer\"")
    ));
    let text = format!("{}{}TRAILER,1,100\n", crate::rig::HEADER, row("A", 100));
    shop.at.drop("drop/s/a.csv", &text);
    shop.run(3);
    shop.at.drop("drop/t/a.csv", &text);
    shop.settled(3);
    // each feed speaks of documents of its own: it would be paid twice
    assert_eq!(points(&shop), [told("100", ": club 2026-04 +100 points (1 partner)")]);
    let config = std::fs::read_to_string(shop.at.path("accrued.toml")).expect("it is there");
    shop.at.write("accrued.toml", config.replace("name = \"t\"", "name = \"u\""));
    let rows = shop.at.trial(&["holds", "--format", "csv"]).check().csv();
    assert_eq!(rows[0]["points"], "");
    assert!(rows[0]["detail"].contains("the config has no such feed any more"), "{}", rows[0]["detail"]);
}

#[test]
fn masters_and_files_with_totals_that_disagree_say_their_points_too() {
    let partners =
        feed("p", "*.csv", "[feed.totals]\nrows = \"trailer\"").replace("\"sales\"", "\"partners\"");
    let mut shop = Shop::new(&format!("{}{partners}", feed("s", "*.csv", "")));
    shop.at.drop("drop/p/one.csv", "partner_code,active\nP1,no\nTRAILER,1,0\n");
    shop.drop("a.csv", &[row("A", 100), of("P2", "B", 7)]);
    shop.run(3);
    shop.at.drop("drop/p/two.csv", "partner_code,active,effective_from\nP1,yes,2026-04-02\nTRAILER,2,0\n");
    shop.run(3);
    let file: Vec<_> = shop.at.trial(&["holds"]).check().csv();
    let of_file = file.iter().find(|hold| hold["kind"] == "totals_disagree").expect("it waits");
    assert_eq!(of_file["points"], "100", "{}", of_file["detail"]);
    assert!(
        of_file["detail"].ends_with("; released now: club 2026-04 +100 points (1 partner)"),
        "{}",
        of_file["detail"]
    );
}
