use super::{Aside, Outcome, Part, Rehearsal, rehearse};
use crate::scheme::{Family, families, parse};

const RULES: &str = r#"
[scheme]
id = "s"
name = "S"
company = "C"
currency = "INR"
timezone = "Asia/Kolkata"
starts = 2026-04-01
[cycle]
length = "quarter"
year_starts = "april"
[earn]
exclude_skus = ["GIFT-*"]
[slabs]
mode = "whole"
[[slab]]
from = "5 lakh"
rate = "0.2%"
tier = "Silver"
[[slab]]
from = "8 lakh"
rate = "0.3%"
tier = "Gold"
cap = 3000
[cap]
per_cycle = 5000
"#;

fn family(rules: &str, examples: &str) -> Family {
    let text = format!("{rules}{examples}");
    let (scheme, _) = parse("s.toml", &text).unwrap_or_else(|faults| panic!("{}", faults.render(false)));
    families(vec![scheme]).expect("one version").remove(0)
}

fn example(sales: &str, expect: &str) -> String {
    format!("[[example]]\nname = \"it\"\nsales = [{sales}]\nexpect = {{ {expect} }}\n")
}

/// What the first example came to: `ok`, or what came instead, with what was set aside.
fn said(rehearsal: &Rehearsal<'_>) -> String {
    let aside = |aside: &[Aside]| -> String {
        aside.iter().map(|aside| format!(" | {}: {}", aside.sale, aside.why)).collect()
    };
    match &rehearsal.tried[0].outcome {
        Outcome::AsExpected(came) => format!("ok{}", aside(&came.aside)),
        Outcome::Differs(came) => format!("{} {}{}", came.points, came.tier, aside(&came.aside)),
        Outcome::Unreadable(sales) => format!("unreadable{}", aside(sales)),
    }
}

fn tried(sales: &str, expect: &str) -> String {
    let family = family(RULES, &example(sales, expect));
    said(&rehearse(&family))
}

#[test]
fn points_and_tier_are_compared_exactly() {
    let sale = "{ date = 2026-05-02, amount = \"900000\" }";
    assert_eq!(tried(sale, "points = 2700, tier = \"Gold\""), "ok");
    assert_eq!(tried(sale, "points = 2700"), "ok", "a tier that is not named is not checked");
    assert_eq!(tried(sale, "points = \"2700.5\", tier = \"Gold\""), "2700 Gold");
    assert_eq!(tried(sale, "points = 2700, tier = \"\""), "2700 Gold");
    assert_eq!(tried("{ date = 2026-05-02, amount = 1 }", "points = 0, tier = \"\""), "ok");
}

#[test]
fn rows_are_read_as_a_file_is() {
    let returned = "{ date = 2026-05-02, invoice_no = \"A\", amount = 820000 }, \
                    { date = 2026-08-03, doc_type = \"credit_note\", invoice_no = \"C\", ref_invoice_no = \"A\", amount = 30000 }";
    assert_eq!(
        tried(returned, "points = 1580, tier = \"Silver\""),
        "ok",
        "negative, and in the cycle of its sale"
    );
    let cancelled = "{ date = 2026-05-02, invoice_no = \"A\", amount = 820000 }, \
                     { date = 2026-05-03, doc_type = \"cancellation\", invoice_no = \"A\" , amount = 0}";
    assert_eq!(tried(cancelled, "points = 0"), "ok | 1: cancelled");
    let zones = "{ date = \"2026-07-01T01:00:00+08:00\", amount = 500000 }";
    assert_eq!(tried(zones, "points = 1000"), "ok");
    let local = "{ date = 2026-06-30T23:59:00, amount = 500000 }, { date = 2026-07-01T00:00:00, amount = 1 }";
    assert_eq!(tried(local, "points = 1000"), "ok | 2: is in FY2026-27-Q2");
    let same = "{ date = 2026-05-02, amount = 300000 }, { date = 2026-05-02, amount = 300000 }";
    assert_eq!(tried(same, "points = 1200"), "ok", "sales without a number are different invoices");
    let odd = "{ date = 2026-05-02, invoice_no = \"a \\\"b\\\", c\", amount = 500000 }";
    assert_eq!(tried(odd, "points = 1000"), "ok");
}

#[test]
fn what_does_not_count_says_why() {
    let gift = "{ date = 2026-05-02, sku = \"gift-1\", amount = 900000 }";
    assert_eq!(tried(gift, "points = 2700"), "0  | 1: sku_excluded");
    let before = "{ date = 2026-03-31, amount = 900000 }";
    assert_eq!(tried(before, "points = 2700"), "0  | 1: before_scheme");
    let euro = "{ date = 2026-05-02, amount = 900000, currency = \"EUR\" }";
    assert_eq!(tried(euro, "points = 2700"), "0  | 1: no_fx_rate");
    let twice = "{ date = 2026-05-02, invoice_no = \"A\", line_no = \"1\", amount = 5 }, \
                 { date = 2026-05-02, invoice_no = \"A\", line_no = \"1\", amount = 6 }";
    assert_eq!(tried(twice, "points = 1"), "0  | 1: identity_twice | 2: identity_twice");
}

#[test]
fn rows_that_no_file_could_have_are_told() {
    let two = "{ date = 2026-05-02, amount = 1 }, { date = 2026-05-02, amount = 1, doc_type = \"bill\" }";
    let said = tried(two, "points = 0");
    assert!(said.starts_with("unreadable | 2: doc_type_unknown: "), "{said}");
    let partners = "{ date = 2026-05-02, amount = 1, partner_code = \"P\" }, \
                    { date = 2026-05-02, amount = 1, partner_code = \"Q\" }";
    assert_eq!(tried(partners, "points = 0"), "unreadable | 2: is of partner Q, the example of P");
}

#[test]
fn a_scheme_for_some_classes_is_rehearsed_with_one_of_them() {
    let rules = RULES.replace("[earn]", "[earn]\npartner_classes = [\"A\", \"B\"]");
    let sale = example("{ date = 2026-05-02, amount = 500000 }", "points = 1000");
    assert_eq!(said(&rehearse(&family(&rules, &sale))), "ok");
}

#[test]
fn a_cycle_that_is_named_is_the_one_checked() {
    let text = example("{ date = 2026-05-02, amount = 500000 }", "points = 0") + "cycle = \"FY2026-27-Q3\"\n";
    assert_eq!(said(&rehearse(&family(RULES, &text))), "ok | 1: is in FY2026-27-Q1");
}

fn untouched(sales: &[&str]) -> Vec<Part> {
    let examples: String = sales.iter().map(|sales| example(sales, "points = 0")).collect();
    let family = family(RULES, &examples);
    rehearse(&family).untouched.into_iter().map(|untouched| untouched.part).collect()
}

#[test]
fn edges_tiers_and_caps_that_no_example_touches() {
    let edge = |from: i64| Part::Edge(from.into());
    let tier = |name: &str| Part::Tier(name.into());
    let slab_cap = Part::SlabCap { from: 800_000.into(), cap: 3_000.into() };
    let cycle_cap = Part::PerCycle(5_000.into());
    let all =
        [edge(500_000), edge(800_000), tier("Silver"), tier("Gold"), slab_cap.clone(), cycle_cap.clone()];
    assert_eq!(untouched(&[]), all);
    assert_eq!(untouched(&["{ date = 2026-05-02, amount = \"499999.99\" }"]), all[1..]);
    assert_eq!(
        untouched(&["{ date = 2026-05-02, amount = 500001 }", "{ date = 2026-05-02, amount = \"799999\" }"]),
        [tier("Gold"), slab_cap, cycle_cap.clone()]
    );
    // 30,000 points, cut to 3,000 by the slab: the cap of the cycle is never reached
    let capped = untouched(&["{ date = 2026-05-02, amount = \"1 crore\" }"]);
    assert_eq!(capped, [edge(500_000), edge(800_000), tier("Silver"), cycle_cap]);
}
