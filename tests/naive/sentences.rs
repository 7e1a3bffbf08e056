//! evaluation.md 1 to 3, sentence by sentence, where the worked cases are silent.

use super::bench::{feed, judged, n, note, position, sale, scheme, scheme_of};
use super::naive::Judgement;
use super::naive::counting::{Verdict, matches};
use super::naive::facts::Fates;
use super::naive::number::{in_file, round, show};

const Q1: &str = "FY2026-27-Q1";
const ONE_PERCENT: &str = "[slabs]\nmode = \"whole\"\n[[slab]]\nfrom = 0\nrate = \"1%\"\n";

fn told(files: &[&str]) -> Judgement {
    let files: Vec<String> = files.iter().map(|f| (*f).to_string()).collect();
    judged(&feed(""), &scheme(ONE_PERCENT), "2026-06-30", &files)
}

fn last_fates(judgement: &Judgement) -> Fates {
    judgement.fates.last().expect("a file").2.clone().expect("a file that was read")
}

fn measure(judgement: &Judgement) -> String {
    let positions = &judgement.schemes["s"].positions;
    positions.get(&(Q1.into(), "P".into())).map_or("nothing".into(), |p| show(&p.measure))
}

fn stamped(amount: &str, updated_at: &str) -> String {
    format!("A,1,invoice,2026-05-02,P,D,X,{amount},,,{updated_at}\n")
}

#[test]
fn which_version_speaks() {
    let (early, late) = ("2026-05-03T10:00:00Z", "2026-05-04T10:00:00Z");
    let older = told(&[&stamped("100", late), &stamped("90", early)]);
    assert_eq!((measure(&older).as_str(), last_fates(&older).outdated), ("100", 1));
    let unstamped = told(&[&stamped("100", late), &stamped("90", "")]);
    assert_eq!((measure(&unstamped).as_str(), last_fates(&unstamped).superseding), ("90", 1));
    let back = told(&[&stamped("100", ""), &stamped("90", ""), &(stamped("100", "") + "\n")]);
    assert_eq!((measure(&back).as_str(), last_fates(&back).superseding), ("100", 1));
    let equal = told(&[&stamped("100", late), &stamped("100.00", early)]);
    assert_eq!(last_fates(&equal).duplicate, 1);
    let kept =
        told(&[&stamped("100", early), &stamped("100.0", late), &stamped("90", "2026-05-04T09:00:00Z")]);
    assert_eq!(measure(&kept), "100", "the later updated_at of a duplicate is kept");
}

#[test]
fn twice_in_one_file() {
    let same = told(&[&(stamped("100", "") + &stamped("100.0", ""))]);
    assert_eq!(last_fates(&same), Fates { accepted: 1, duplicate: 1, ..Fates::default() });
    let other = told(&[&(stamped("100", "") + &stamped("90", ""))]);
    assert_eq!((measure(&other).as_str(), last_fates(&other).rejected), ("nothing", 2));
}

#[test]
fn conflicts_are_held() {
    let first = sale("A", "2026-05-02", "X", "100");
    for (second, held) in [
        (first.replace(",P,", ",Q,"), 1),
        (first.replace("05-02", "06-02"), 0),
        (first.replace("05-02", "06-03"), 1),
        (first.replace("A,1,", "A,,"), 1),
        (first.replace(",D,", ",E,"), 0),
    ] {
        assert_eq!(last_fates(&told(&[&first, &second])).held, held, "{second}");
    }
}

#[test]
fn documents_without_line_no() {
    let row = "A,,invoice,2026-05-02,P,D,X,100,,,\n";
    let two = format!("{row}{row}");
    assert_eq!(measure(&told(&[&two])), "200");
    let three = told(&[&two, &format!("{two}{row}")]);
    assert_eq!((measure(&three).as_str(), last_fates(&three).superseding), ("300", 3));
    let fewer = told(&[&two, row]);
    assert_eq!((measure(&fewer).as_str(), last_fates(&fewer).held), ("200", 1));
}

#[test]
fn cancellations() {
    let void = "A,,cancellation,2026-05-09,P,D,,0,,,\n";
    assert_eq!(measure(&told(&[&stamped("100", ""), void])), "0");
    assert_eq!(measure(&told(&[void, &stamped("100", "2026-05-10T10:00:00Z")])), "0");
    let timed = "A,,cancellation,2026-05-09,P,D,,0,,,2026-05-09T10:00:00Z\n";
    assert_eq!(measure(&told(&[&stamped("100", "2026-05-10T10:00:00Z"), timed])), "100");
    assert_eq!(measure(&told(&[&stamped("100", "2026-05-09T10:00:00Z"), timed])), "0");
    let note = note("A", "2026-05-03", "", "5", "");
    assert_eq!(measure(&told(&[&note, void])), "-5", "never a credit note");
}

#[test]
fn numbers_that_restart() {
    let feed = feed("numbers_restart = \"april\"\n");
    let last_year = sale("A", "2026-01-10", "X", "100");
    let this_year = sale("A", "2026-05-10", "X", "200");
    let void = "A,,cancellation,2026-05-09,P,D,,0,,,\n".to_string();
    let judgement =
        judged(&feed, &scheme(ONE_PERCENT), "2026-06-30", &[last_year.clone() + &this_year, void]);
    let verdicts: Vec<_> = judgement.schemes["s"].lines.iter().map(|l| l.verdict.clone()).collect();
    assert_eq!(verdicts, [Verdict::No("cancelled"), Verdict::Counts], "the latest on or before its date");
    let near = sale("A", "2026-03-20", "X", "100");
    let files = [near, sale("A", "2026-04-20", "X", "200")];
    assert_eq!(last_fates(&judged(&feed, &scheme(ONE_PERCENT), "2026-06-30", &files)).held, 1);
    let files = [sale("A", "2026-03-20", "X", "100"), sale("A", "2026-04-21", "X", "200")];
    assert_eq!(last_fates(&judged(&feed, &scheme(ONE_PERCENT), "2026-06-30", &files)).accepted, 1);
}

#[test]
fn returns_find_their_invoice() {
    let sold = "A,1,invoice,2026-03-02,P,D,LED-1,100,,,\nA,2,invoice,2026-03-30,P,D,FAN-1,100,,,\n";
    let returned = told(&[sold, &note("C", "2026-05-10", "FAN-1", "40", "A")]);
    let lines = &returned.schemes["s"].lines;
    let credit = lines.iter().find(|l| l.sale.number == "C").expect("the note");
    assert_eq!(credit.date.to_string(), "2026-03-30");
    let all = told(&[sold, &note("C", "2026-05-10", "OTHER", "40", "A")]);
    let credit = all.schemes["s"].lines.iter().find(|l| l.sale.number == "C").expect("the note").clone();
    assert_eq!((credit.date.to_string().as_str(), credit.sku.as_str()), ("2026-03-02", "OTHER"));
    let unknown = told(&[&note("C", "2026-05-10", "", "40", "A")]);
    assert_eq!(unknown.schemes["s"].lines[0].date.to_string(), "2026-05-10");
    let void = "A,,cancellation,2026-05-09,P,D,,0,,,\n";
    let cancelled = told(&[sold, void, &note("C", "2026-05-10", "", "40", "A")]);
    assert!(cancelled.schemes["s"].lines.iter().all(|l| l.verdict == Verdict::No("cancelled")));
}

#[test]
fn shortfalls_are_carried() {
    let scheme = scheme_of(
        "month",
        &format!("[earn]\nreturns = \"return-cycle\"\n{ONE_PERCENT}[points]\ndecimals = 2\n"),
    );
    let rows = note("C", "2026-04-10", "", "300", "") + &sale("B", "2026-05-12", "X", "1000");
    assert_eq!(position(&scheme, &rows, "2026-04").0, n("0"));
    assert_eq!(position(&scheme, &rows, "2026-05").0, n("7"));
}

#[test]
fn rounding_is_of_the_magnitude() {
    for (x, how, result) in [
        ("-2.5", "floor", "-2"),
        ("-2.1", "ceiling", "-3"),
        ("-2.5", "half-up", "-3"),
        ("2.5", "half-even", "2"),
        ("3.5", "half-even", "4"),
        ("2.51", "half-even", "3"),
    ] {
        assert_eq!(show(&round(&n(x), how, 0)), result, "{x} {how}");
    }
}

#[test]
fn numbers_in_files() {
    for (text, mark, value) in [
        ("1,00,000.50", '.', Some("100000.5")),
        ("-100,000.00", '.', Some("-100000")),
        ("1.234,5", ',', Some("1234.5")),
        ("12,34", '.', None),
        ("1e3", '.', None),
        ("", '.', None),
        ("$5", '.', None),
    ] {
        assert_eq!(in_file(text, mark).map(|v| show(&v)).as_deref(), value, "{text}");
    }
}

#[test]
fn wildcards() {
    let yes = |pattern: &str, cell: &str| matches(&[pattern.to_string()], cell);
    assert!(yes("LED-*", "led-9") && yes("*9", "LED-9") && yes("L?D*", "LED") && yes("[A]", "[a]"));
    assert!(!yes("LED-*", "FAN-9") && !yes("[AB]", "A") && !yes("LED", "LED-9"));
}

/// The tier that P reaches in each of some months, of 1,000 sold in January and 10 in the month itself.
fn tiers_over(window: &str, months: [&str; 3]) -> Vec<String> {
    let scheme = scheme_of(
        "month",
        &format!(
            "{ONE_PERCENT}[[tier_level]]\nname = \"Gold\"\nfrom = 1000\n[tier]\nmeasured_over = \"{window}\"\n"
        ),
    );
    let mut rows = sale("A", "2026-01-10", "X", "1000");
    for month in months {
        rows += &sale(month, &format!("{month}-20"), "X", "10");
    }
    let judgement = judged(&feed(""), &scheme, "2027-03-01", &[rows]);
    let tier =
        |month: &str| judgement.schemes["s"].positions[&(month.to_string(), "P".to_string())].tier.clone();
    months.iter().map(|month| tier(month).unwrap_or_default()).collect()
}

#[test]
fn tiers_are_measured_over_their_window() {
    assert_eq!(tiers_over("cycle", ["2026-01", "2026-02", "2026-03"]), ["Gold", "", ""]);
    assert_eq!(
        tiers_over("year-to-date", ["2026-01", "2026-03", "2026-04"]),
        ["Gold", "Gold", ""],
        "from April anew"
    );
    assert_eq!(tiers_over("trailing-12-months", ["2026-04", "2026-12", "2027-01"]), ["Gold", "Gold", ""]);
}

#[test]
fn a_tier_applies_from_the_next_cycle() {
    let levels =
        "[[tier_level]]\nname = \"Gold\"\nfrom = 1000\n[[tier_bonus]]\ntier = \"Gold\"\npercent = \"100%\"\n";
    let scheme = scheme_of("month", &format!("{ONE_PERCENT}{levels}[tier]\napplies = \"next-cycle\"\n"));
    let rows = sale("A", "2026-01-10", "X", "1000") + &sale("B", "2026-02-10", "X", "500");
    assert_eq!(position(&scheme, &rows, "2026-01"), (n("10"), "Gold".into()));
    assert_eq!(position(&scheme, &rows, "2026-02"), (n("10"), "none".into()));
    assert_eq!(position(&scheme, &rows, "2026-03"), (n("0"), "none".into()));
}
