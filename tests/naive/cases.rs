//! evaluation.md 5, every row of its table.

use super::bench::{feed, judged, n, note, position, sale, scheme, scheme_of, slabs_s};

const Q1: &str = "FY2026-27-Q1";
const GOLD: &str = "[[tier_bonus]]\ntier = \"Gold\"\npercent = \"20%\"\n";
const LED: &str = "[[multiplier]]\nname = \"LED\"\nskus = [\"LED-*\"]\nfactor = \"2\"\n";

fn one_sale(scheme: &str, amount: &str) -> (String, String) {
    let (points, tier) = position(scheme, &sale("A", "2026-05-02", "X", amount), Q1);
    (super::naive::number::show(&points), tier)
}

#[test]
fn slabs_whole() {
    for (amount, points, tier) in [
        ("499999.99", "0", "none"),
        ("500000.00", "1000", "Silver"),
        ("799999.99", "1599", "Silver"),
        ("800000", "2400", "Gold"),
        ("4000000", "15000", "Platinum"),
    ] {
        assert_eq!(one_sale(&slabs_s(""), amount), (points.into(), tier.into()), "{amount}");
    }
}

#[test]
fn slabs_marginal_without_cap() {
    let scheme = slabs_s("").replace("whole", "marginal").replace("cap = 15000\n", "");
    assert_eq!(one_sale(&scheme, "2500000"), ("6700".into(), "Platinum".into()));
}

#[test]
fn a_return_drops_a_slab() {
    let sold = sale("A", "2026-05-02", "X", "820000");
    assert_eq!(position(&slabs_s(""), &sold, Q1), (n("2460"), "Gold".into()));
    let returned = format!("{sold}{}", note("C", "2026-09-02", "X", "30000", "A"));
    assert_eq!(position(&slabs_s(""), &returned, Q1), (n("1580"), "Silver".into()));
}

#[test]
fn multiplier_and_bonus() {
    let rows = sale("A", "2026-05-02", "led-9", "100000") + &sale("B", "2026-05-02", "X", "800000");
    assert_eq!(position(&slabs_s(LED), &rows, Q1), (n("3000"), "Gold".into()));
    assert_eq!(position(&slabs_s(&format!("{LED}{GOLD}")), &rows, Q1), (n("3600"), "Gold".into()));
}

#[test]
fn from_crossing() {
    let rows = sale("A", "2026-04-10", "X", "500000") + &sale("B", "2026-05-15", "X", "400000");
    let scheme = slabs_s(&format!("{GOLD}[tier]\napplies = \"from-crossing\"\n"));
    assert_eq!(position(&scheme, &rows, Q1), (n("2940"), "Gold".into()));
}

#[test]
fn five_per_ten() {
    let scheme = |rate: &str| {
        scheme(&format!(
            "[slabs]\nmode = \"whole\"\n[[slab]]\nfrom = 0\nrate = \"{rate}\"\n\
             [points]\ndecimals = 2\nrounding = \"half-even\"\n"
        ))
    };
    assert_eq!(one_sale(&scheme("5 per 10"), "99.99").0, "50");
    assert_eq!(one_sale(&scheme("5 per full 10"), "99.99").0, "45");
}

#[test]
fn fixed_points_and_multiplier() {
    let scheme =
        scheme(&format!("[slabs]\nmode = \"whole\"\n[[slab]]\nfrom = 0\nrate = \"1%\"\npoints = 100\n{LED}"));
    assert_eq!(position(&scheme, &sale("A", "2026-05-02", "LED-1", "1000"), Q1).0, n("120"));
}

#[test]
fn thirds() {
    let scheme = scheme("[slabs]\nmode = \"whole\"\n[[slab]]\nfrom = 0\nrate = \"1 per 3\"\n");
    let rows: String = ["A", "B", "C"].iter().map(|no| sale(no, "2026-05-02", "X", "1")).collect();
    assert_eq!(position(&scheme, &rows, Q1).0, n("1"));
}

#[test]
fn returned_promotion() {
    let scheme = scheme_of(
        "month",
        &format!(
            "[slabs]\nmode = \"whole\"\n[[slab]]\nfrom = 0\nrate = \"1%\"\n{LED}from = 2026-01-01\nto = 2026-01-31\n"
        ),
    );
    let rows = sale("A", "2026-01-10", "LED-1", "1000")
        + &note("C", "2026-02-10", "", "1000", "A")
        + &sale("B", "2026-01-12", "X", "5000");
    assert_eq!(position(&scheme, &rows, "2026-01").0, n("50"));
    assert_eq!(position(&scheme, &rows, "2026-02").0, n("0"));
}

#[test]
fn time_zones() {
    for (written, zone) in [
        ("2026-06-30T23:30:00+08:00", "Asia/Kolkata"),
        ("2026-07-01T01:00:00+08:00", "Asia/Kolkata"),
        ("2026-06-30", "Asia/Kuala_Lumpur"),
        ("2026-07-01 01:00", "Asia/Kuala_Lumpur"),
    ] {
        let feed = feed("").replace("Asia/Kolkata", zone);
        let judgement = judged(&feed, &slabs_s(""), "2026-07-31", &[sale("A", written, "X", "500000")]);
        assert_eq!(judgement.schemes["s"].lines[0].cycle.name, Q1, "{written}");
    }
}
