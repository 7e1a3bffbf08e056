//! Files that come again under `append`, restored servers, bytes that came before (interfaces.md 3).

use crate::rig::{Shop, cells, feed, file, of, row};

fn appending() -> Shop {
    Shop::new(&feed("s", "*.csv", ""))
}

#[test]
fn lines_gone_stay_in_force_and_are_told_once() {
    let mut shop = appending();
    shop.drop("april.csv", &[row("A", 100), row("B", 200), of("P2", "C", 300)]);
    shop.settled(0);
    shop.drop("april.csv", &[row("A", 100), row("D", 1)]);
    let run = shop.settled(3);
    let told = "gone: feed s: april.csv: 2 lines that came under this name before are not in it any more (500 in amount): they stay in force";
    assert!(run.stderr.contains(told), "{}", run.whole());
    assert_eq!((shop.points(), shop.balances()["P2"].clone()), ("301".into(), "300".into()));
    assert_eq!(
        cells(&shop.last("april.csv"), ["gone_lines", "gone_amount", "new_amount", "moved"]),
        ["2", "500", "1", "1"]
    );
    // the next one lacks what this one lacked: no news
    shop.drop("april.csv", &[row("A", 100), row("D", 2)]);
    shop.settled(0);
    assert_eq!(
        cells(&shop.last("april.csv"), ["gone_lines", "superseded_before", "superseded_after", "moved"]),
        ["0", "1", "2", "1"]
    );
    // another name says nothing of this one
    shop.drop("may.csv", &[row("E", 1)]);
    shop.settled(0);
    // a line that came in another file too, or was cancelled, is no less in force, or no loss
    shop.drop("may.csv", &[row("A", 100), row("E", 1)]);
    shop.settled(0);
    shop.drop("may.csv", &[row("E", 1), row("F", 1)]);
    let run = shop.settled(3);
    assert!(
        run.stderr.contains("1 line that came under this name before is not in it any more (100 in amount)"),
        "{}",
        run.whole()
    );
}

#[test]
fn a_name_that_goes_back_to_bytes_of_before_is_told_who_speaks() {
    let mut shop = appending();
    for amount in [100, 90] {
        shop.drop("april.csv", &[row("A", amount)]);
        shop.settled(0);
    }
    shop.drop("april.csv", &[row("A", 100)]);
    let run = shop.settled(0);
    let told = "the same bytes were ingested as april.csv at 2026-05-02T00:00:00Z, and others under this name at 2026-05-04T00:00:00Z, which go on speaking";
    assert!(run.stderr.contains(told), "{}", run.whole());
    assert_eq!(shop.points(), "90");
    // what the notice says is true
    shop.at.drop("drop/s/april.csv", format!("{}\n", file(&[row("A", 100)])));
    shop.settled(0);
    assert_eq!(shop.points(), "100");
    // touched: nothing is new, and nothing is said
    shop.touch("april.csv", 1_900_000_000);
    let run = shop.settled(0);
    assert!(!run.stderr.contains("the same bytes"), "{}", run.whole());
}

#[test]
fn an_older_export_supersedes_by_the_rules_and_is_said_to_be_older() {
    let mut shop = appending();
    shop.drop("april.csv", &[row("A", 100), row("B", 1)]);
    shop.settled(0);
    shop.drop("april-backup.csv", &[row("A", 90)]);
    shop.touch("april-backup.csv", 1_600_000_000);
    let run = shop.settled(0);
    assert!(
        run.stderr.contains("it supersedes lines of april.csv, although it is the older export by its mtime"),
        "{}",
        run.whole()
    );
    assert_eq!(shop.points(), "91");
    // nothing superseded, nothing to say
    shop.drop("older.csv", &[row("A", 90), row("Z", 1)]);
    shop.touch("older.csv", 1_500_000_000);
    let run = shop.settled(0);
    assert!(!run.stderr.contains("older export"), "{}", run.whole());
}

#[test]
fn a_restored_server_touches_every_file_and_nothing_comes_of_it() {
    let mut shop = appending();
    for n in 0..200 {
        shop.drop(&format!("f{n:03}.csv"), &[row(&format!("A{n}"), 1)]);
    }
    shop.at.drop("drop/s/bad.csv", "no,header\n1,2\n");
    shop.drop("g.csv", &[row("G", 1), row("H", 1)]);
    shop.settled(3);
    shop.drop("g.csv", &[row("G", 1)]);
    shop.settled(3);
    let published = shop.at.tree("var/statements");
    for n in 0..200 {
        shop.touch(&format!("f{n:03}.csv"), 1_800_000_000 + n);
    }
    shop.touch("bad.csv", 1_800_000_000);
    shop.touch("g.csv", 1_800_000_000);
    let run = shop.settled(0);
    assert!(run.stdout.contains("201 duplicate"), "{}", run.whole());
    assert!(run.stdout.contains("posted     nothing"), "{}", run.whole());
    assert_eq!(run.stderr.matches("the same bytes").count(), 0, "{}", run.whole());
    assert_eq!((shop.points(), shop.at.tree("var/statements") == published), ("202".into(), true));
}

#[test]
fn bytes_that_came_before_are_a_duplicate_whatever_the_name() {
    let mut shop = appending();
    shop.drop("a.csv", &[row("A", 1)]);
    shop.settled(0);
    shop.drop("b.csv", &[row("A", 1)]);
    let run = shop.settled(0);
    assert!(
        run.stderr.contains("notice: feed s: b.csv: the same bytes were ingested as a.csv at 2026-05-02"),
        "{}",
        run.whole()
    );
    assert_eq!(cells(&shop.last("b.csv"), ["state", "reason"]), ["duplicate", "duplicate_file"]);
    // a corrected file, and then the first bytes again: they never speak again
    shop.drop("a.csv", &[row("A", 2)]);
    shop.settled(0);
    shop.drop("a.csv", &[row("A", 1)]);
    shop.settled(0);
    assert_eq!(shop.points(), "2");
}

#[test]
fn a_file_without_rows_stands_for_its_own_period() {
    let mut shop =
        Shop::new(&format!("{}{}", feed("s", "s_{yyyy}-{mm}.csv", ""), feed("t", "t_{yyyy}-{mm}.csv", "")));
    shop.drop("s_2026-03.csv", &[]);
    shop.drop("s_2026-04.csv", &[]);
    shop.at.drop("drop/t/t_2026-04.csv", file(&[]));
    let run = shop.settled(0);
    assert!(run.stdout.contains("3 ingested"), "{}", run.whole());
    shop.touch("s_2026-03.csv", 1_800_000_000);
    let run = shop.settled(0);
    assert!(run.stdout.contains("1 duplicate"), "{}", run.whole());
}

#[test]
fn the_same_bytes_at_another_feed_are_asked_about_once() {
    let mut shop = Shop::new(&format!("{}{}", feed("s", "*.csv", ""), feed("t", "*.csv", "")));
    shop.drop("a.csv", &[row("A", 1)]);
    shop.at.drop("drop/t/a.csv", file(&[row("A", 1)]));
    shop.settled(3);
    shop.at.drop("drop/t/a.csv", file(&[row("A", 1)]));
    let run = shop.settled(0);
    assert!(
        run.stderr.contains("the same bytes wait already: hold 1 (same_file_other_feed)"),
        "{}",
        run.whole()
    );
    shop.decide("release", "1");
    shop.settled(0);
    assert_eq!(shop.points(), "2");
}
