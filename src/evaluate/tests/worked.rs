//! evaluation.md 5, case by case.

use super::rig::*;

/// Points and tier of slabs S for one sale.
fn whole(amount: &str) -> (String, String) {
    let position = rig(scheme(S)).only(&[sale("A", "2026-04-15", amount)]);
    let (points, tier) = earned(&position);
    (points, tier.to_string())
}

fn is(points: &str, tier: &str) -> (String, String) {
    (points.to_string(), tier.to_string())
}

#[test]
fn slabs_whole() {
    assert_eq!(whole("499999.99"), is("0", ""));
    assert_eq!(whole("500000.00"), is("1000", "Silver"));
    assert_eq!(whole("799999.99"), is("1599", "Silver"));
    assert_eq!(whole("800000"), is("2400", "Gold"));
    assert_eq!(whole("4000000"), is("15000", "Platinum"));
}

#[test]
fn slabs_marginal_without_cap() {
    let rules = S.replace("whole", "marginal").replace("cap = 15000", "");
    let position = rig(scheme(&rules)).only(&[sale("A", "2026-04-15", "2500000")]);
    assert_eq!(earned(&position), ("6700".to_string(), "Platinum"));
    assert_eq!(position.base, frac("6700"));
}

#[test]
fn a_return_drops_a_slab() {
    let sold = sale("A", "2026-05-02", "820000");
    let rig = rig(scheme(S));
    assert_eq!(earned(&rig.only(std::slice::from_ref(&sold))), ("2460".to_string(), "Gold"));
    let returned = rig.only(&[sold, note("CN", "2026-08-20", "-30000", &[0])]);
    assert_eq!(earned(&returned), ("1580".to_string(), "Silver"));
}

const LED_TWICE: &str = "[[multiplier]]\nname = \"LED push\"\nskus = [\"LED-*\"]\nfactor = 2\n";
const GOLD_BONUS: &str = "[[tier_bonus]]\ntier = \"Gold\"\npercent = \"20%\"\n";

#[test]
fn multiplier() {
    let lines = [of("LED-9", sale("A", "2026-05-02", "100000")), sale("B", "2026-05-03", "800000")];
    let position = rig(scheme(&format!("{S}{LED_TWICE}"))).only(&lines);
    assert_eq!(earned(&position), ("3000".to_string(), "Gold"));
    assert_eq!(position.multiplied, frac("300"));
    assert_eq!(line_of(&position, 0).points.to_string(), "600");
    assert_eq!(line_of(&position, 1).points.to_string(), "2400");
}

#[test]
fn tier_bonus() {
    let lines = [of("led-9", sale("A", "2026-05-02", "100000")), sale("B", "2026-05-03", "800000")];
    let position = rig(scheme(&format!("{S}{LED_TWICE}{GOLD_BONUS}"))).only(&lines);
    assert_eq!(earned(&position), ("3600".to_string(), "Gold"));
    assert_eq!(position.bonus, frac("600"));
}

#[test]
fn from_crossing() {
    let lines = [sale("A", "2026-04-10", "500000"), sale("B", "2026-05-15", "400000")];
    let rules = format!("{S}{GOLD_BONUS}[tier]\napplies = \"from-crossing\"\n");
    let position = rig(scheme(&rules)).only(&lines);
    assert_eq!(earned(&position), ("2940".to_string(), "Gold"));
    assert_eq!(
        (position.tier_of(&position.lines[0]), position.tier_of(&position.lines[1])),
        ("Silver", "Gold")
    );
    assert_eq!(position.lines[1].bonus, frac("240"));
}

#[test]
fn five_per_ten_and_five_per_full_ten() {
    for (rate, points) in [("5 per 10", "50"), ("5 per full 10", "45")] {
        let rules = format!(
            "[slabs]\nmode = \"whole\"\n[[slab]]\nfrom = 0\nrate = \"{rate}\"\n[points]\ndecimals = 2\nrounding = \"half-even\"\n"
        );
        let position = rig(scheme(&rules)).only(&[sale("A", "2026-05-02", "99.99")]);
        assert_eq!(position.points.plain(2), format!("{points}.00"));
    }
}

#[test]
fn fixed_points_and_multiplier() {
    let rules = format!("{}points = 100\n{LED_TWICE}", ONE_PERCENT);
    let position = rig(scheme(&rules)).only(&[of("LED-1", sale("A", "2026-05-02", "1000"))]);
    assert_eq!(earned(&position), ("120".to_string(), ""));
    assert_eq!(position.lines[0].points.to_string(), "120");
}

#[test]
fn thirds() {
    let rules = "[slabs]\nmode = \"whole\"\n[[slab]]\nfrom = 0\nrate = \"1 per 3\"\n";
    let lines = [sale("A", "2026-05-02", "1"), sale("B", "2026-05-02", "1"), sale("C", "2026-05-02", "1")];
    assert_eq!(rig(scheme(rules)).only(&lines).points.to_string(), "1");
}

#[test]
fn a_returned_promotion() {
    let january = "[[multiplier]]\nname = \"January\"\nskus = [\"LED-*\"]\nfrom = 2026-01-01\nto = 2026-01-31\nfactor = 2\n";
    let scheme = with_head("starts = 2026-01-01", "length = \"quarter\"", &format!("{ONE_PERCENT}{january}"));
    let lines = [
        of("LED-1", sale("A", "2026-01-10", "1000")),
        of("LED-1", note("CN", "2026-02-10", "-1000", &[0])),
        sale("B", "2026-03-01", "5000"),
    ];
    assert_eq!(rig(scheme).only(&lines).points.to_string(), "50");
}

#[test]
fn time_zones() {
    let rig = rig(scheme(ONE_PERCENT));
    for when in [instant("2026-06-30T23:30:00+08:00"), instant("2026-07-01T01:00:00+08:00")] {
        let line = with(sale("A", "2026-01-01", "100"), |row| row.when = when);
        assert_eq!(rig.position("FY2026-27-Q1", &[line]).points.to_string(), "1");
    }
    assert!(rig.find("FY2026-27-Q1", &[sale("A", "2026-06-30", "100")]).is_some());
    let late = with(sale("A", "2026-01-01", "100"), |row| row.when = instant("2026-07-01T00:00:00+05:30"));
    assert!(rig.find("FY2026-27-Q1", &[late]).is_none());
}
