//! evaluation.md 3, where section 5 is silent.

use super::rig::*;
use crate::domain::frac::Frac;
use crate::domain::points::Points;
use crate::facts::settle::Line;

fn slabs(mode: &str, bands: &[&str]) -> String {
    let bands: String = bands.iter().map(|band| format!("[[slab]]\n{band}\n")).collect();
    format!("[slabs]\nmode = \"{mode}\"\n{bands}")
}

fn points(rules: &str, lines: &[Line<'static>]) -> String {
    rig(scheme(rules)).only(lines).points.to_string()
}

fn sold(amount: &str) -> Line<'static> {
    sale("A", "2026-05-02", amount)
}

#[test]
fn nothing_above_zero_earns_nothing() {
    let rules = format!("{ONE_PERCENT}points = 100\ntier = \"Bronze\"\n");
    for amount in ["0", "-0.01", "-5000"] {
        let position = rig(scheme(&rules)).only(&[sold(amount)]);
        assert_eq!((earned(&position), position.slab), (("0".to_string(), ""), None));
        assert_eq!(position.next_slab, Some((0, -&frac(amount))));
    }
    assert_eq!(points(&rules, &[sold("0.01")]), "100");
}

#[test]
fn marginal_bands_have_caps_and_fixed_points_of_their_own() {
    let bands = [
        "from = 100\nto = 200\nrate = \"10%\"\ncap = 5\npoints = 7",
        "from = 200\nrate = \"5 per full 10\"\npoints = 1",
    ];
    let rules = slabs("marginal", &bands);
    assert_eq!(points(&rules, &[sold("99.99")]), "0");
    assert_eq!(points(&rules, &[sold("100")]), "7");
    assert_eq!(points(&rules, &[sold("120")]), "9");
    assert_eq!(points(&rules, &[sold("200")]), "13"); // the second band is reached: its fixed points are due
    assert_eq!(points(&rules, &[sold("229.99")]), "23");
    assert_eq!(rig(scheme(&rules)).only(&[sold("229.99")]).capped, Frac::ZERO);
}

#[test]
fn a_slab_without_a_rate_has_none() {
    let rules = slabs("whole", &["from = 0\npoints = 3", "from = 100\nrate = \"1%\""]);
    assert_eq!(points(&rules, &[sold("99")]), "3");
    assert_eq!(points(&rules, &[sold("100")]), "1");
}

#[test]
fn whole_steps_are_shared_by_amount() {
    let rules = slabs("whole", &["from = 0\nrate = \"5 per full 10\""]);
    let lines = [sale("A", "2026-05-02", "10"), sale("B", "2026-05-02", "5")];
    let position = rig(scheme(&rules)).only(&lines);
    assert_eq!(
        (position.lines[0].share.to_string(), position.lines[1].share.to_string()),
        ("10/3".into(), "5/3".into())
    );
    assert_eq!(position.points.to_string(), "5");
    assert_eq!((position.lines[0].points, position.lines[1].points), (Points(3_000_000), Points(2_000_000)));
}

fn multipliers(stacking: &str, factors: &[&str]) -> String {
    let each =
        factors.iter().map(|factor| format!("[[multiplier]]\nname = \"{factor}\"\nfactor = \"{factor}\"\n"));
    format!("{ONE_PERCENT}[multipliers]\nstacking = \"{stacking}\"\n{}", each.collect::<String>())
}

#[test]
fn stacking() {
    let lines = [sold("1000")];
    assert_eq!(points(&multipliers("highest", &["0.5", "0.2"]), &lines), "5");
    assert_eq!(points(&multipliers("highest", &["0.5", "3", "2"]), &lines), "30");
    assert_eq!(points(&multipliers("product", &["0.5", "3", "2"]), &lines), "30");
    assert_eq!(points(&multipliers("product", &["0.5", "0.2"]), &lines), "1");
    let halved = rig(scheme(&multipliers("highest", &["0.5"]))).only(&lines);
    assert_eq!(halved.multiplied, frac("-5"));
}

#[test]
fn every_condition_of_a_multiplier_must_hold() {
    let rules = format!(
        "{ONE_PERCENT}tier = \"T\"\n[[multiplier]]\nname = \"m\"\nskus = [\"LED-*\"]\ncategories = [\"a\", \"b\"]\n\
         channels = [\"shop\"]\ntiers = [\"T\"]\nfrom = 2026-05-02\nto = 2026-05-03\nfactor = 2\n"
    );
    let fits = || of("led-1", with(sold("100"), |r| (r.category, r.channel) = ("B", "Shop")));
    let misfits: [fn(&mut crate::facts::row::Row<'static>); 5] = [
        |r| r.sku = "",
        |r| r.category = "c",
        |r| r.channel = "",
        |r| r.when = crate::domain::when::When::Day(day("2026-05-01")),
        |r| r.when = crate::domain::when::When::Day(day("2026-05-04")),
    ];
    assert_eq!(points(&rules, &[fits()]), "2");
    for misfit in misfits {
        assert_eq!(points(&rules, &[with(fits(), misfit)]), "1");
    }
}

#[test]
fn an_invoice_is_cut_with_its_notes_and_in_proportion() {
    let rules = format!("{ONE_PERCENT}[cap]\nper_invoice = 10\n[points]\ndecimals = 2\n");
    let second = with(sale("A", "2026-05-02", "1000"), |r| r.line_no = "2");
    let lines = [
        sale("A", "2026-05-02", "2000"),
        second,
        sale("B", "2026-05-02", "1500"),
        note("CN", "2026-05-09", "-1000", &[2]),
    ];
    let position = rig(scheme(&rules)).only(&lines);
    let earned: Vec<String> = (0..4).map(|line| line_of(&position, line).earned.to_string()).collect();
    assert_eq!(earned, ["20/3", "10/3", "15", "-10"]);
    assert_eq!((position.capped.clone(), position.points.plain(2)), (frac("20"), "15.00".to_string()));
    // the same number of another distributor is another invoice
    let other = with(sale("A", "2026-05-02", "1000"), |r| r.distributor_code = "E");
    assert_eq!(points(&rules, &[sale("A", "2026-05-02", "1000"), other]), "20");
}

#[test]
fn an_invoice_that_takes_back_is_left_as_it_is() {
    let rules = format!("[earn]\nreturns = \"return-cycle\"\n{ONE_PERCENT}[cap]\nper_invoice = 10\n");
    let lines = [
        sale("A", "2026-05-02", "5000"),
        note("CN", "2026-07-09", "-5000", &[0]),
        sale("B", "2026-07-10", "6000"),
    ];
    let position = rig(scheme(&rules)).position("FY2026-27-Q2", &lines);
    assert_eq!(position.points.to_string(), "-40");
}

#[test]
fn a_sku_is_cut_over_all_its_lines_and_no_sku_is_not() {
    let rules = format!("{ONE_PERCENT}[cap]\nper_sku = 10\n");
    let lines = [
        of("X", sale("A", "2026-05-02", "600")),
        of("x", sale("B", "2026-05-03", "900")),
        sale("C", "2026-05-04", "5000"),
    ];
    let position = rig(scheme(&rules)).only(&lines);
    let earned: Vec<String> = position.lines.iter().map(|line| line.earned.to_string()).collect();
    assert_eq!(earned, ["4", "6", "50"]);
}

const LADDER: &str = "[[tier_level]]\nname = \"Base\"\nfrom = 0\n[[tier_level]]\nname = \"Gold\"\nfrom = 1000\n\
                      [[tier_bonus]]\ntier = \"Gold\"\npercent = \"10%\"\n";

fn tiers(rest: &str) -> String {
    format!("{ONE_PERCENT}{LADDER}[tier]\n{rest}[points]\ndecimals = 2\n")
}

#[test]
fn a_ladder_reaches_where_slabs_do_not() {
    let position = rig(scheme(&tiers(""))).only(&[sold("0")]);
    assert_eq!((position.tier.as_str(), position.tier_applied.as_str()), ("Base", "Base"));
    assert_eq!(position.next_tier, Some(("Gold".to_string(), frac("1000"))));
    assert_eq!(rig(scheme(&tiers(""))).only(&[sold("-1")]).tier, "");
    let gold = rig(scheme(&tiers(""))).only(&[sold("1000")]);
    assert_eq!((gold.points.plain(2), gold.next_tier), ("11.00".to_string(), None));
}

#[test]
fn a_slab_without_a_name_keeps_the_tier_below() {
    let rules = slabs(
        "whole",
        &[
            "from = 0\nrate = \"1%\"\ntier = \"A\"",
            "from = 100\nrate = \"2%\"",
            "from = 500\nrate = \"3%\"\ntier = \"B\"",
        ],
    );
    let position = rig(scheme(&rules)).only(&[sold("120")]);
    assert_eq!(position.tier, "A");
    assert_eq!(position.next_tier, Some(("B".to_string(), frac("380"))));
    assert_eq!(position.next_slab, Some((2, frac("380"))));
}

#[test]
fn from_crossing_goes_by_the_ends_of_days_and_keeps_what_was_reached() {
    let rules = tiers("applies = \"from-crossing\"\n");
    let lines = [
        sale("A", "2026-05-02", "900"),
        sale("B", "2026-05-03", "200"), // Gold from here ...
        sale("C", "2026-05-04", "500"), // ... and though 600 come back on the 4th ...
        note("CN", "2026-05-04", "-1600", &[]),
        sale("D", "2026-06-04", "1"),  // ... still
        sale("E", "2026-05-02", "99"), // 999 at the end of the 2nd
    ];
    let position = rig(scheme(&rules)).only(&lines);
    let tier = |line: usize| position.tier_of(line_of(&position, line)).to_string();
    let all: Vec<String> = (0..6).map(tier).collect();
    assert_eq!(all, ["Base", "Gold", "Gold", "Gold", "Gold", "Base"]);
    assert_eq!((position.tier.as_str(), position.tier_applied.as_str()), ("Base", "Gold"));
    // crossed within a day and given back the same day: never stood
    let lines = [sale("A", "2026-05-02", "1000"), note("CN", "2026-05-02", "-1", &[])];
    assert_eq!(rig(scheme(&rules)).only(&lines).tier_applied, "Base");
}

#[test]
fn what_a_year_brings_stands_at_the_end_of_a_quiet_first_day_only() {
    let rules = tiers("applies = \"from-crossing\"\nmeasured_over = \"year-to-date\"\n");
    let year = |first_sale: &'static str| {
        [sale("A", "2026-04-02", "1500"), note("CN", first_sale, "-600", &[]), sale("B", first_sale, "50")]
    };
    let quiet = rig(scheme(&rules)).position("FY2026-27-Q2", &year("2026-07-02"));
    assert_eq!(quiet.tier_applied, "Gold");
    assert_eq!(quiet.tier_measure, frac("950"));
    let busy = rig(scheme(&rules)).position("FY2026-27-Q2", &year("2026-07-01"));
    assert_eq!(busy.tier_applied, "Base");
}

#[test]
fn next_cycle_brings_the_tier_of_the_cycle_before_whether_or_not_it_had_lines() {
    let rig = rig(scheme(&tiers("applies = \"next-cycle\"\n")));
    let lines =
        [sale("A", "2026-04-02", "1000"), sale("B", "2026-07-02", "1000"), sale("C", "2027-01-02", "100")];
    let of = |cycle: &str| {
        let position = rig.position(cycle, &lines);
        (position.points.plain(2), position.tier.clone(), position.tier_applied.clone())
    };
    let is =
        |points: &str, tier: &str, applied: &str| (points.to_string(), tier.to_string(), applied.to_string());
    assert_eq!(of("FY2026-27-Q1"), is("10.00", "Gold", ""));
    assert_eq!(of("FY2026-27-Q2"), is("11.00", "Gold", "Gold"));
    assert_eq!(of("FY2026-27-Q4"), is("1.00", "Base", "Base"), "the quarter before had no lines");
}

#[test]
fn next_cycle_brings_the_tier_that_the_cycle_before_reached_by_its_own_version() {
    let version = |dates: &str, gold: u32| {
        let rules = format!(
            "{ONE_PERCENT}[[tier_level]]\nname = \"Gold\"\nfrom = {gold}\n[tier]\napplies = \"next-cycle\"\n"
        );
        with_head(dates, "length = \"month\"", &rules)
    };
    let rig = rig_of(vec![
        version("starts = 2026-01-01\nends = 2026-01-31", 100),
        version("starts = 2026-02-01", 1000),
    ]);
    let lines =
        [sale("A", "2026-01-10", "500"), sale("B", "2026-02-10", "500"), sale("C", "2026-03-10", "1")];
    let applied = |cycle: &str| rig.position(cycle, &lines).tier_applied;
    assert_eq!([applied("2026-01"), applied("2026-02"), applied("2026-03")], ["", "Gold", ""]);
}

#[test]
fn the_tier_of_the_cycle_before_is_reached_by_all_of_its_measure_what_was_carried_included() {
    let rules = format!("{CARRIED}{LADDER}[tier]\napplies = \"next-cycle\"\n");
    let lines = [
        note("CN", "2026-01-10", "-500", &[]),
        sale("A", "2026-02-10", "1200"),
        sale("B", "2026-03-10", "1000"),
        sale("C", "2026-04-10", "1"),
    ];
    let applied = |cycle: &str| rig(monthly(&rules)).position(cycle, &lines).tier_applied;
    assert_eq!([applied("2026-02"), applied("2026-03"), applied("2026-04")], ["", "Base", "Gold"]);
}

#[test]
fn windows_of_the_tier_measure() {
    let lines = [
        sale("A", "2026-04-02", "400"),
        sale("B", "2026-07-02", "400"),
        sale("C", "2027-01-02", "250"),
        sale("D", "2027-04-02", "100"),
        sale("E", "2027-07-02", "100"),
    ];
    let measures = |window: &str| -> Vec<String> {
        let rig = rig(scheme(&tiers(&format!("measured_over = \"{window}\"\n"))));
        let all = rig.positions(&lines).positions;
        all.iter().map(|position| format!("{} {}", position.tier_measure, position.tier)).collect()
    };
    assert_eq!(measures("year-to-date"), ["400 Base", "800 Base", "1050 Gold", "100 Base", "200 Base"]);
    assert_eq!(measures("trailing-12-months"), ["400 Base", "800 Base", "1050 Gold", "750 Base", "450 Base"]);
}

const CARRIED: &str =
    "[earn]\nreturns = \"return-cycle\"\n[slabs]\nmode = \"whole\"\n[[slab]]\nfrom = 0\nrate = \"10%\"\n";

#[test]
fn a_shortfall_is_carried_until_it_is_made_up() {
    let mut rig = rig(monthly(CARRIED));
    rig.today = day("2026-05-20");
    let lines = [
        note("CN", "2026-01-10", "-100", &[]),
        sale("A", "2026-03-10", "40"),
        sale("B", "2026-05-10", "160"),
    ];
    let positions = rig.positions(&lines).positions;
    let told: Vec<String> = positions
        .iter()
        .map(|position| {
            format!(
                "{} {} {} {}",
                position.carried, position.measure, position.carried_share, position.points
            )
        })
        .collect();
    assert_eq!(told, ["0 -100 0 0", "-100 -100 0 0", "-100 -60 0 0", "-60 -60 0 0", "-60 100 -6 10"]);
    assert_eq!(positions[4].lines[0].points.to_string(), "10");
    assert_eq!(positions[4].by_month, [frac("160")]);
    rig.today = day("2026-02-20");
    let early = rig.positions(&lines[..1]);
    assert_eq!(early.positions.len(), 2);
    assert_eq!(early.wake_on(), Some(day("2026-03-01")));
}

#[test]
fn a_shortfall_ends_with_the_scheme() {
    let mut rig = rig(with_head("starts = 2026-01-01\nends = 2026-02-28", "length = \"month\"", CARRIED));
    rig.today = day("2026-05-20");
    let lines = [note("CN", "2026-01-10", "-100", &[])];
    let positions = rig.positions(&lines).positions;
    let told: Vec<String> = positions.iter().map(|position| position.measure.to_string()).collect();
    assert_eq!(told, ["-100", "-100"], "of January and February alone");
}

#[test]
fn no_factor_cap_or_bonus_touches_the_carried_share() {
    let rules = format!(
        "{CARRIED}tier = \"T\"\n[[multiplier]]\nname = \"m\"\nfactor = 2\n[[tier_bonus]]\ntier = \"T\"\npercent = \"50%\"\n[cap]\nper_invoice = 30\n"
    );
    let lines = [note("CN", "2026-01-10", "-100", &[]), sale("B", "2026-02-10", "200")];
    let position = rig(monthly(&rules)).position("2026-02", &lines);
    // 20 of the line, doubled, cut to 30, half of that on top, less the carried 10
    assert_eq!(position.sum, frac("35"));
}

#[test]
fn the_slabs_cap_then_the_cycles() {
    let whole = |slab: &str, cycle: &str| {
        format!(
            "{ONE_PERCENT}points = 5\ntier = \"T\"\n{slab}[[tier_bonus]]\ntier = \"T\"\npercent = \"100%\"\n{cycle}"
        )
    };
    assert_eq!(points(&whole("", ""), &[sold("1000")]), "25");
    assert_eq!(points(&whole("cap = 22\n", ""), &[sold("1000")]), "22");
    let both = rig(scheme(&whole("cap = 22\n", "[cap]\nper_cycle = 20\n"))).only(&[sold("1000")]);
    assert_eq!((both.points.to_string(), both.capped), ("20".to_string(), frac("5")));
}

#[test]
fn sums_below_zero_are_rounded_by_magnitude() {
    let rules = |rounding: &str| {
        format!(
            "{ONE_PERCENT}[[multiplier]]\nname = \"m\"\nskus = [\"X\"]\nfactor = 4\n[points]\nrounding = \"{rounding}\"\n"
        )
    };
    let lines = [sale("A", "2026-05-02", "1000"), of("X", note("CN", "2026-05-03", "-950", &[]))];
    for (rounding, points) in [("floor", "-28"), ("ceiling", "-28"), ("half-up", "-28")] {
        assert_eq!(super::steps::points(&rules(rounding), &lines), points);
    }
    let lines = [sale("A", "2026-05-02", "1000"), of("X", note("CN", "2026-05-03", "-950.50", &[]))];
    for (rounding, points) in [("floor", "-28"), ("ceiling", "-29"), ("half-up", "-28"), ("half-even", "-28")]
    {
        assert_eq!(super::steps::points(&rules(rounding), &lines), points);
    }
}

#[test]
fn rounding_by_the_line() {
    let rules = format!(
        "{ONE_PERCENT}tier = \"T\"\npoints = \"0.9\"\n[[tier_bonus]]\ntier = \"T\"\npercent = \"50%\"\n[points]\nround_at = \"line\"\n"
    );
    let lines = [sale("A", "2026-05-02", "350"), sale("B", "2026-05-02", "199")];
    let position = rig(scheme(&rules)).only(&lines);
    // 3 and 1; their bonuses 1.5 and 0.5 are 1 and 0; with 0.9 fixed 5.9
    assert_eq!((position.sum.clone(), position.points.to_string()), (frac("5.9"), "5".to_string()));
    assert_eq!((position.lines[0].earned.clone(), position.lines[0].bonus.clone()), (frac("3"), frac("1")));
}

#[test]
fn over_the_limit_is_held() {
    let rules = format!("{ONE_PERCENT}[limits]\naccrual = 10\n");
    let position = rig(scheme(&rules)).only(&[sold("1500")]);
    assert_eq!(
        (position.points.to_string(), position.held_points.to_string()),
        ("15".to_string(), "5".to_string())
    );
    assert_eq!(rig(scheme(&rules)).only(&[sold("1000")]).held_points, Points::ZERO);
}

#[test]
fn a_limit_between_two_units_lets_the_lower_one_through() {
    let rules = format!("{ONE_PERCENT}[limits]\naccrual = \"10.5\"\n");
    let held = |amount: &'static str| rig(scheme(&rules)).only(&[sold(amount)]).held_points.to_string();
    assert_eq!([held("1000"), held("1100"), held("1500")], ["0", "1", "5"]);
}

#[test]
fn quantities_are_measured_with_their_sign() {
    let rules =
        "[earn]\nmeasure = \"quantity\"\n[slabs]\nmode = \"whole\"\n[[slab]]\nfrom = 0\nrate = \"2 per 1\"\n";
    let pieces = |line: Line<'static>, quantity: &str| {
        let quantity = dec(quantity);
        with(line, |r| r.quantity = quantity)
    };
    let lines = [
        pieces(sale("A", "2026-05-02", "1"), "10"),
        pieces(sale("B", "2026-05-02", "1000"), "5"),
        pieces(note("CN", "2026-05-03", "-1", &[0]), "-3"),
    ];
    let position = rig(scheme(rules)).only(&lines);
    assert_eq!((position.measure.clone(), position.points.to_string()), (frac("12"), "24".to_string()));
    assert_eq!(position.lines[0].points.to_string(), "20");
}

#[test]
fn what_remains_is_shared_by_the_size_of_amounts_by_largest_remainder() {
    let rules = format!("{ONE_PERCENT}[cap]\nper_cycle = 10\n");
    let lines =
        [sale("A", "2026-05-02", "1000"), sale("B", "2026-05-03", "1000"), sale("C", "2026-05-04", "1000")];
    let position = rig(scheme(&rules)).only(&lines);
    let points: Vec<String> = position.lines.iter().map(|line| line.points.to_string()).collect();
    assert_eq!(points, ["4", "3", "3"], "ties in row order");
    let rules = format!("{ONE_PERCENT}points = 100\n");
    let lines = [sale("A", "2026-05-02", "3000"), note("CN", "2026-05-02", "-1000", &[])];
    let position = rig(scheme(&rules)).only(&lines);
    let points: Vec<String> = position.lines.iter().map(|line| line.points.to_string()).collect();
    assert_eq!(points, ["105", "15"]);
}

#[test]
fn rows_are_in_order_of_date_and_document() {
    let number = |mut line: Line<'static>, line_no: &'static str| {
        line.row.line_no = line_no;
        line
    };
    let lines = [
        number(sale("B", "2026-05-02", "1"), "10"),
        number(sale("B", "2026-05-02", "1"), "9"),
        number(sale("B", "2026-05-02", "1"), "a"),
        sale("C", "2026-05-01", "1"),
        sale("A", "2026-05-03", "1"),
        with(sale("A", "2026-05-02", "1"), |r| r.distributor_code = "E"),
        sale("A", "2026-05-02", "1"),
    ];
    let position = rig(scheme(ONE_PERCENT)).only(&lines);
    let order: Vec<usize> = position.lines.iter().map(|line| line.line).collect();
    assert_eq!(order, [3, 6, 5, 1, 0, 2, 4]);
}

#[test]
fn known_cycles_are_given_even_when_empty() {
    let mut rig = rig(scheme(ONE_PERCENT));
    let cycle = rig.family.versions[0].calendar.parse("FY2026-27-Q2").expect("a cycle");
    let before = rig.family.versions[0].calendar.parse("FY2024-25-Q2").expect("a cycle");
    rig.known.extend([cycle, before]);
    let positions = rig.positions(&[]).positions;
    assert_eq!(positions.len(), 2);
    assert!(positions.iter().all(|position| position.points == Points::ZERO && position.lines.is_empty()));
    assert_eq!(positions[1].by_month, [Frac::ZERO, Frac::ZERO, Frac::ZERO]);
}

#[test]
fn no_amount_breaks_it() {
    let most = "79228162514264337593543950335";
    for rules in [
        ONE_PERCENT.to_string(),
        slabs("marginal", &["from = 0\nrate = \"1 per 3\"", "from = 7\nrate = \"5 per full 7\""]),
    ] {
        let rules = format!(
            "{rules}[[multiplier]]\nname = \"m\"\nskus = [\"X\"]\nfactor = \"1.0000001\"\n[points]\ndecimals = 6\n"
        );
        let position =
            rig(scheme(&rules)).only(&[of("X", sold(most)), sold("0.0000000000000000000000000001")]);
        assert_eq!(position.held_points, position.points);
        assert_eq!(position.points, Points(i64::MAX));
        let against = of("X", note("CN", "2026-05-02", &format!("-{most}"), &[]));
        let nothing = rig(scheme(&rules)).only(&[of("X", sold(most)), against, sold("3")]);
        let sum: i64 = nothing.lines.iter().map(|line| line.points.0).sum();
        assert_eq!(sum, nothing.points.0);
    }
}
