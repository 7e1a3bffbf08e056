//! Which files must come: what is missing and since when, told once; what a cycle waits for, and that it closes by itself.

use crate::rig::{Shop, cells, feed, file, row};

/// At close, monthly, from April on.
const SCHEME: &str = "[scheme]\nid = \"club\"\nname = \"Club\"\ncompany = \"Example\"\ncurrency = \"INR\"\n\
                      timezone = \"Asia/Kolkata\"\nstarts = 2026-04-01\n[cycle]\nlength = \"month\"\n\
                      [slabs]\nmode = \"whole\"\n[[slab]]\nfrom = 0\nrate = \"100%\"\n";

fn shop(feeds: &str) -> Shop {
    let shop = Shop::new(feeds);
    shop.at.write("schemes/club.toml", SCHEME);
    shop
}

/// A run on a day of 2026, or of the year given.
fn run(shop: &Shop, day: &str, status: i32) -> String {
    let day = if day.len() == 5 { format!("2026-{day}") } else { day.to_owned() };
    let outcome = shop.at.trial(&["run", "--as-of", &day]).status(status).check();
    format!("{}{}", outcome.stdout, outcome.stderr)
}

/// What `status` says is missing: name, state, since.
fn missing(shop: &Shop, day: &str) -> Vec<[String; 3]> {
    let outcome = shop.at.accrued(&["status", "--format", "csv", "--as-of", &format!("2026-{day}")]);
    let rows = outcome.csv().into_iter().filter(|row| row["what"] == "missing");
    rows.map(|row| cells(&row, ["name", "state", "since"])).collect()
}

#[track_caller]
fn has(text: &str, part: &str) {
    assert!(text.contains(part), "{part:?} is not in\n{text}");
}

#[track_caller]
fn lacks(text: &str, part: &str) {
    assert!(!text.contains(part), "{part:?} is in\n{text}");
}

#[test]
fn a_missing_file_is_told_once_and_its_cycle_closes_once_it_has_come() {
    let mut shop = shop(&feed("s", "s_{yyyy}-{mm}.csv", "expected = \"monthly\"\ndue_days = 5"));
    let told = run(&shop, "05-05", 0);
    has(&told, "waits      club 2026-04: s_2026-04.csv of feed s has not been ingested");
    lacks(&told, "missing:");
    assert_eq!(missing(&shop, "05-05"), Vec::<[String; 3]>::new());
    // due on the 5th: missing from the 6th on, also where no file ever came
    let told = run(&shop, "05-06", 3);
    has(&told, "missing: s_2026-04.csv of feed s, due 2026-05-05");
    assert_eq!(missing(&shop, "05-06"), [["s_2026-04.csv", "overdue", "2026-05-05"]]);
    run(&shop, "05-07", 0);
    has(&run(&shop, "06-06", 3), "missing: s_2026-05.csv of feed s, due 2026-06-05");
    has(&run(&shop, "06-07", 0), "s_2026-04.csv of feed s has not been ingested");
    // May's comes first: April waits on, and May behind it
    shop.drop("s_2026-05.csv", &["M,1,2026-05-10,P1,7\n".to_owned()]);
    has(&run(&shop, "06-08", 0), "posted     nothing");
    shop.drop("s_2026-04.csv", &[row("A", 100)]);
    let told = run(&shop, "06-09", 0);
    has(&told, "posted     club 2026-04: 100 points to 1 partner, closes the cycle");
    has(&told, "posted     club 2026-05: 7 points to 1 partner, closes the cycle");
    assert_eq!(missing(&shop, "06-09"), Vec::<[String; 3]>::new());
    shop.at.trial(&["verify", "--deep"]).check();
}

#[test]
fn a_file_refused_or_held_has_not_come() {
    let mut shop = shop(&feed("s", "s_{yyyy}-{mm}*.csv", "expected = \"monthly\"\nmode = \"replace\""));
    shop.at.drop("drop/s/s_2026-04.csv", "this,is,no,export\n1,2,3,4\n");
    has(&run(&shop, "05-02", 3), "waits      club 2026-04: s_2026-04*.csv of feed s has not been ingested");
    shop.drop("s_2026-04_a.csv", &[row("A", 100)]);
    shop.drop("s_2026-04_b.csv", &[row("A", 110)]);
    has(&run(&shop, "05-03", 3), "waits      club 2026-04");
    has(&run(&shop, "05-07", 3), "missing: s_2026-04*.csv of feed s, due 2026-05-05");
    shop.decide("release", "2");
    has(&run(&shop, "05-08", 0), "club 2026-04: 110 points to 1 partner, closes the cycle");
    // the file that speaks now is replaced, later: it has come all the same
    shop.drop("s_2026-04_c.csv", &[row("A", 120)]);
    has(&run(&shop, "05-09", 0), "club 2026-04: 10 points to 1 partner");
    assert_eq!(missing(&shop, "05-09"), Vec::<[String; 3]>::new());
}

#[test]
fn a_feed_is_expected_from_the_day_on_which_it_was_in_a_config_first() {
    let sales = feed("sales", "s_{yyyy}-{mm}.csv", "");
    let shop = shop(&sales);
    run(&shop, "04-10", 0);
    // the name stood in the config before, as part of others
    let payments = feed("sale", "p_{yyyy}-{mm}.csv", "expected = \"monthly\"\ndue_days = 5");
    let payments = payments.replace("kind = \"sales\"", "kind = \"payments\"");
    std::fs::create_dir_all(shop.at.path("drop/sale")).expect("a folder can be made");
    shop.at.write("accrued.toml", format!("{sales}{payments}"));
    lacks(&run(&shop, "07-10", 0), "missing:");
    has(&run(&shop, "08-06", 3), "missing: p_2026-07.csv of feed sale, due 2026-08-05");
}

#[test]
fn each_distributor_is_expected_while_it_lasts() {
    let feeds = feed(
        "s",
        "{distributor}_{yyyy}-{mm}.csv",
        "expected = \"monthly\"\ndistributors = [\"D1\", { code = \"D2\", from = 2026-05-15 }, { code = \"D3\", to = 2026-04-10 }]",
    );
    let mut shop = shop(&feeds);
    shop.drop("D1_2026-04.csv", &[row("A", 1)]);
    // D2 is not there yet, D3 still was
    has(&run(&shop, "05-06", 3), "missing: D3_2026-04.csv of feed s, due 2026-05-05");
    shop.drop("D3_2026-04.csv", &[row("A", 2)]);
    has(&run(&shop, "05-07", 0), "club 2026-04: 3 points to 1 partner, closes the cycle");
    // D2 joined in the middle of May, D3 is gone
    shop.drop("D1_2026-05.csv", &["B,1,2026-05-10,P1,7\n".to_owned()]);
    let told = run(&shop, "06-06", 3);
    has(&told, "missing: D2_2026-05.csv of feed s, due 2026-06-05");
    lacks(&told, "D3_2026-05");
    shop.drop("D2_2026-05.csv", &[]);
    has(&run(&shop, "06-07", 0), "club 2026-05: 7 points to 1 partner, closes the cycle");
}

#[test]
fn a_week_over_the_edge_of_a_cycle_belongs_to_both() {
    // 30 March is a Monday: the weeks of April are those from 30 March to 3 May
    let week = |day: &str| format!("s_2026-{day}.csv");
    let mut shop = shop(&feed("s", "s_{yyyy}-{mm}-{dd}.csv", "expected = \"weekly\"\ndue_days = 1"));
    for (n, day) in ["04-02", "04-06", "04-19", "04-20"].into_iter().enumerate() {
        shop.drop(&week(day), &[row(&format!("A{n}"), 1)]);
    }
    has(
        &run(&shop, "05-01", 0),
        "waits      club 2026-04: s_2026-{mm}-{dd}.csv for 2026-04-27 to 2026-05-03 of feed s has not been ingested",
    );
    // due on Monday the 4th
    lacks(&run(&shop, "05-04", 0), "missing:");
    has(
        &run(&shop, "05-05", 3),
        "missing: s_2026-{mm}-{dd}.csv for 2026-04-27 to 2026-05-03 of feed s, due 2026-05-04",
    );
    shop.drop(&week("05-03"), &[row("Z", 1)]);
    has(&run(&shop, "05-06", 0), "club 2026-04: 5 points to 1 partner, closes the cycle");
    // two weeks of one month are two files, each told once
    has(&run(&shop, "05-12", 3), "s_2026-05-{dd}.csv for 2026-05-04 to 2026-05-10 of feed s, due 2026-05-11");
    has(&run(&shop, "05-19", 3), "s_2026-05-{dd}.csv for 2026-05-11 to 2026-05-17 of feed s, due 2026-05-18");
    run(&shop, "05-20", 0);
}

#[test]
fn a_distributor_that_joins_in_a_week_after_the_edge_keeps_no_cycle_waiting_before_it() {
    let feeds = feed(
        "s",
        "{distributor}_{yyyy}-{mm}-{dd}.csv",
        "expected = \"weekly\"\ndistributors = [{ code = \"D1\", to = 2026-04-30 }, { code = \"D2\", from = 2026-05-01 }]",
    );
    let mut shop = shop(&feeds);
    for (n, day) in ["04-02", "04-06", "04-19", "04-20", "04-30"].into_iter().enumerate() {
        shop.drop(&format!("D1_2026-{day}.csv"), &[row(&format!("A{n}"), 1)]);
    }
    has(&run(&shop, "05-01", 0), "club 2026-04: 5 points to 1 partner, closes the cycle");
    has(&run(&shop, "05-09", 3), "missing: D2_2026-{mm}-{dd}.csv for 2026-04-27 to 2026-05-03");
}

#[test]
fn two_feeds_and_the_turn_of_a_year() {
    let feeds = format!(
        "{}{}",
        feed("s", "s_{yyyy}-{mm}.csv", "expected = \"monthly\""),
        feed("t", "t_{yyyy}-q{q}.csv", "expected = \"quarterly\"")
    );
    let mut shop = shop(&feeds);
    shop.at.write("schemes/club.toml", SCHEME.replace("2026-04-01", "2026-12-01"));
    shop.drop("s_2026-12.csv", &["A,1,2026-12-31,P1,5\n".to_owned()]);
    has(
        &run(&shop, "2027-01-05", 0),
        "waits      club 2026-12: t_2026-q4.csv of feed t has not been ingested",
    );
    has(&run(&shop, "2027-01-06", 3), "missing: t_2026-q4.csv of feed t, due 2027-01-05");
    shop.at.drop("drop/t/t_2026-q4.csv", file(&["B,1,2026-12-31,P1,6\n".to_owned()]));
    has(&run(&shop, "2027-01-07", 0), "club 2026-12: 11 points to 1 partner, closes the cycle");
    // the quarter's file is not there before the quarter's end, and January waits for it
    shop.drop("s_2027-01.csv", &[]);
    has(
        &run(&shop, "2027-02-01", 0),
        "waits      club 2027-01: t_2027-q1.csv of feed t has not been ingested",
    );
}

#[test]
fn a_scheme_that_starts_within_its_cycle_waits_for_no_file_before_it() {
    let feeds = feed("s", "s_{yyyy}-{mm}.csv", "expected = \"monthly\"");
    let mut shop = shop(&feeds);
    let quarters = SCHEME.replace("\"month\"", "\"quarter\"").replace("2026-04-01", "2026-05-01");
    shop.at.write("schemes/club.toml", quarters);
    shop.drop("s_2026-05.csv", &["A,1,2026-05-10,P1,5\n".to_owned()]);
    let told = run(&shop, "07-02", 0);
    has(&told, "waits      club 2026-Q2: s_2026-06.csv of feed s has not been ingested (");
    shop.drop("s_2026-06.csv", &[]);
    has(&run(&shop, "07-03", 0), "club 2026-Q2: 5 points to 1 partner, closes the cycle");
}

#[test]
fn daily_files_are_missed_day_by_day_and_a_person_can_close_without_them() {
    let mut shop = shop(&feed("s", "s_{yyyy}-{mm}-{dd}.csv", "expected = \"daily\"\ndue_days = 0"));
    for day in 1..=30 {
        if day != 7 && day != 30 {
            shop.drop(&format!("s_2026-04-{day:02}.csv"), &[row(&format!("A{day}"), 1)]);
        }
    }
    let told = run(&shop, "05-01", 3);
    has(&told, "missing: s_2026-04-07.csv of feed s, due 2026-04-07");
    has(&told, "missing: s_2026-04-30.csv of feed s, due 2026-04-30");
    has(&told, "waits      club 2026-04: s_2026-04-07.csv of feed s has not been ingested, and 1 more (");
    shop.at
        .trial(&["close", "club", "2026-04", "--reason", "holidays", "--as-of", "2026-05-02"])
        .status(3)
        .check();
    let states: Vec<String> =
        missing(&shop, "05-02").into_iter().map(|row| format!("{} {}", row[0], row[1])).collect();
    assert_eq!(
        states,
        ["s_2026-04-07.csv given up", "s_2026-04-30.csv given up", "s_2026-05-01.csv overdue"]
    );
    // it comes after all: a correction
    shop.drop("s_2026-04-07.csv", &[row("A7", 1)]);
    has(&run(&shop, "05-02", 0), "club 2026-04: 1 point to 1 partner");
}
