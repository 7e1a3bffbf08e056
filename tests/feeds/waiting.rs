//! What waits with files that are held whole: how many rows, and how much money, whatever they are held for.

use crate::rig::{SCHEME, Shop, feed, replacing, row};
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
    assert!(detail.ends_with("; at stake are 3 without a currency and 100 INR and 20 USD"), "{detail}");
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
