use super::trail;
use crate::evaluate::tests::rig::*;
use crate::facts::settle::Line;
use crate::scheme::Scheme;

fn told(scheme: Scheme, cycle: &str, lines: &[Line<'static>]) -> Vec<String> {
    let rig = rig(scheme);
    let position = rig.position(cycle, lines);
    let steps = trail(&rig.family.versions[0], &position, lines);
    steps.into_iter().map(|step| format!("{}: {} = {}", step.name, step.working, step.result)).collect()
}

#[test]
fn a_gold_quarter_with_a_promotion() {
    let rules = format!(
        "{S}[[multiplier]]\nname = \"LED push\"\nskus = [\"LED-*\"]\nfactor = 2\n[[tier_bonus]]\ntier = \"Gold\"\npercent = \"20%\"\n"
    );
    let lines = [of("LED-9", sale("A", "2026-05-02", "100000")), sale("B", "2026-06-03", "800000")];
    assert_eq!(
        told(scheme(&rules), "FY2026-27-Q1", &lines),
        [
            "measure: 100,000.00 (2026-05) + 800,000.00 (2026-06); 2 of 2 lines counting = 900,000.00",
            "slab: 800,000 <= 900,000.00 < 2,000,000 = 0.3%, Gold",
            "base: 900,000.00 x 0.3% = 2,700",
            "line points: 2,700 / 900,000.00 for each 1 = 0.003",
            "multipliers: 300 x 2 (1 line) + 2,400 x 1 (1 line) = 3,000",
            "tier: 900,000.00 >= 800,000; applies to all lines = Gold",
            "tier bonus: 3,000 x 20% (Gold) = 600",
            "sum: 3,000 (lines) + 600 (bonus) = 3,600",
            "round: 3,600 rounded floor to 0 decimals = 3,600",
        ]
    );
}

#[test]
fn every_step_that_can_do_something() {
    let rules = "[earn]\nreturns = \"return-cycle\"\n[slabs]\nmode = \"marginal\"\n[[slab]]\nfrom = 0\nrate = \"1 per 3\"\npoints = 4\ncap = 20\n\
         [[slab]]\nfrom = 100\nrate = \"5 per full 10\"\npoints = 6\n[[tier_level]]\nname = \"Base\"\nfrom = 0\n[[tier_level]]\nname = \"Gold\"\nfrom = 100\n\
         [[tier_bonus]]\ntier = \"Gold\"\npercent = \"50%\"\n[tier]\napplies = \"from-crossing\"\nmeasured_over = \"year-to-date\"\n\
         [cap]\nper_invoice = 15\n[limits]\naccrual = 30\n[points]\nround_at = \"line\"\nrounding = \"half-up\"\n";
    let lines = [
        note("CN", "2026-01-02", "-10", &[]),
        sale("A", "2026-02-02", "50"),
        sale("B", "2026-02-03", "80"),
        sale("C", "2026-02-04", "10"),
    ];
    assert_eq!(
        told(monthly(rules), "2026-02", &lines),
        [
            "measure: 140.00 (2026-02) - 10.00 (carried); 3 of 3 lines counting = 130.00",
            "slab: 100 <= 130.00 = 5 per full 10",
            "base: min((100 - 0) / 3 x 1, 20) + floor((130.00 - 100) / 10) x 5 = 35",
            "fixed points: 4 (from 0) + 6 (from 100) = 10",
            "line points: 35 / 130.00 for each 1; carried: -10.00 x that = -35/13 (about -2.6923) = 7/26 (about 0.2692)",
            "caps within: 490/13 (about 37.6923) - 85/13 (about 6.5385); at most 15 an invoice = 405/13 (about 31.1538)",
            "rounded lines: 405/13 (about 31.1538), each line rounded half-up to 0 decimals = 31",
            "tier: 130.00 (year to date) >= 100; by day: Base 1 line, Gold 2 lines = Gold",
            "tier bonus: 18 x 50% (Gold), each line rounded half-up to 0 decimals = 10",
            "sum: 31 (lines) - 35/13 (about -2.6923) (carried) + 10 (bonus) + 10 (fixed) = 628/13 (about 48.3077)",
            "round: 628/13 (about 48.3077) rounded half-up to 0 decimals = 48",
            "limit: 48 - 30; at most 30 = 18 held",
        ]
    );
}

#[test]
fn nothing_reached() {
    let below = told(scheme(S), "FY2026-27-Q1", &[sale("A", "2026-05-02", "4999")]);
    assert_eq!(
        below,
        [
            "measure: 4,999.00 (2026-05); 1 of 1 line counting = 4,999.00",
            "slab: 4,999.00 < 500,000 = none",
            "tier: 4,999.00 reaches none; applies to all lines = none",
            "sum: 0 (lines) = 0",
            "round: 0 rounded floor to 0 decimals = 0",
        ]
    );
    let nothing = told(scheme(ONE_PERCENT), "FY2026-27-Q1", &[sale("A", "2026-05-02", "-5")]);
    assert_eq!(nothing[1], "slab: -5.00 <= 0 = none");
    assert_eq!(nothing.len(), 4);
}

#[test]
fn capped() {
    let lines = [sale("A", "2026-05-02", "4000000")];
    let told = told(scheme(&format!("{S}[cap]\nper_cycle = 12000\n")), "FY2026-27-Q1", &lines);
    assert!(
        told.contains(&"caps: min(20,000, 15,000 (slab), 12,000 (cycle)) = 12,000".to_string()),
        "{told:?}"
    );
}
