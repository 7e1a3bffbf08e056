use crate::calendar::CycleLength;
use crate::domain::frac::Rounding;
use crate::fault::Gravity;
use crate::scheme::sample::{FULL, SMALL, changed, scheme};
use crate::scheme::*;
use proptest::prelude::*;
use std::str::FromStr;

fn dec(text: &str) -> Decimal {
    Decimal::from_str(text).expect("a number in a test")
}

fn messages(text: &str) -> Vec<String> {
    match parse("x.toml", text) {
        Ok(_) => Vec::new(),
        Err(faults) => faults.faults.into_iter().map(|fault| fault.message).collect(),
    }
}

#[test]
fn what_is_not_written_has_the_default_of_interfaces_4() {
    let scheme = scheme(SMALL);
    assert_eq!((scheme.name.as_str(), scheme.company.as_str()), ("", ""));
    assert_eq!(scheme.ends, None);
    assert_eq!(scheme.calendar.year_starts, 1);
    assert_eq!(scheme.calendar.length, CycleLength::Quarter);
    assert_eq!(scheme.day_closes_at, 0);
    assert_eq!(scheme.post, Post::AtClose);
    assert_eq!(scheme.grace_days, 0);
    assert!(scheme.wait_for_files);
    assert_eq!(scheme.lock_after_days, None);
    let earn = &scheme.earn;
    assert_eq!(
        (earn.on, earn.measure, earn.returns),
        (EarnOn::Invoice, Measure::Amount, Returns::OriginalCycle)
    );
    assert_eq!((earn.unlisted_skus, earn.unlisted_partners), (Unlisted::Earn, Unlisted::Hold));
    assert_eq!(earn.payment_tolerance, Decimal::ZERO);
    assert!(earn.statuses.is_empty() && earn.return_statuses.is_empty() && earn.currencies.is_empty());
    assert_eq!(scheme.stacking, Stacking::Highest);
    assert_eq!((scheme.measured_over, scheme.applies), (MeasuredOver::Cycle, Applies::Retroactive));
    assert_eq!((scheme.rounding, scheme.round_at, scheme.decimals), (Rounding::Floor, RoundAt::Cycle, 0));
    assert_eq!((scheme.cap_per_cycle, scheme.cap_within, scheme.limit_accrual), (None, None, None));
    assert_eq!((scheme.value, scheme.expire_after_months), (None, None));
    assert_eq!(scheme.slabs[0].to, Some(dec("800000")));
    assert_eq!(scheme.slabs[1].to, None);
    assert_eq!(scheme.slabs[1].fixed, Decimal::ZERO);
}

#[test]
fn what_is_written_arrives() {
    let scheme = scheme(FULL);
    assert_eq!(scheme.currency, "INR");
    assert_eq!((scheme.day_closes_at, scheme.grace_days, scheme.lock_after_days), (120, 5, Some(180)));
    assert_eq!(scheme.calendar.year_starts, 4);
    assert_eq!(scheme.post, Post::Continuous);
    assert!(!scheme.wait_for_files);
    assert_eq!(scheme.earn.partner_classes, ["A", "B"]);
    assert!(scheme.earn.exclude_skus[0].matches("gift-1"));
    assert_eq!(scheme.slabs[0].rate, Some(Rate::Proportion { points: dec("5"), per: dec("10") }));
    assert_eq!(scheme.slabs[1].rate, Some(Rate::PerFull { points: dec("5"), per: dec("10") }));
    assert_eq!((scheme.slabs[0].fixed, scheme.slabs[1].cap), (dec("100"), Some(dec("15000"))));
    assert_eq!(scheme.multipliers[0].factor, dec("1.5"));
    assert_eq!(scheme.multipliers[0].to, NaiveDate::from_ymd_opt(2026, 10, 31));
    assert_eq!(scheme.tier_bonuses, [TierBonus { tier: "Gold".into(), percent: dec("20") }]);
    let ladder: Vec<&str> = scheme.ladder.iter().map(|level| level.name.as_str()).collect();
    assert_eq!(ladder, ["Gold", "Platinum"], "in ascending order, whatever the file's");
    assert_eq!(scheme.cap_within, Some(CapWithin::Sku(dec("250"))));
    assert_eq!(scheme.limit_accrual, Some(dec("100000")));
    assert_eq!(scheme.value, Some(dec("0.25")));
}

#[test]
fn an_example_holds_canonical_columns_and_plain_numbers() {
    let scheme = scheme(FULL);
    let example = &scheme.examples[0];
    assert_eq!((example.points, example.tier.as_deref()), (dec("2700.5"), Some("Gold")));
    assert_eq!(example.cycle.as_deref(), Some("FY2026-27-H1"));
    assert_eq!(FULL.lines().nth(example.line - 1), Some("[[example]]"));
    let cells: Vec<(&str, &str)> =
        example.sales[0].cells.iter().map(|(column, text)| (column.as_str(), text.as_str())).collect();
    assert_eq!(
        cells,
        [("invoice_date", "2026-05-02"), ("sku", "LED-9"), ("quantity", "3"), ("amount", "900000")]
    );
}

#[test]
fn dates_of_an_example_become_iso_8601() {
    let of = |written: &str| {
        let example = format!(
            "{SMALL}\n[[example]]\nname = \"n\"\nsales = [{{ date = {written}, amount = 1 }}]\nexpect = {{ points = 0 }}\n"
        );
        scheme(&example).examples[0].sales[0].cells[0].1.clone()
    };
    assert_eq!(of("2026-06-30"), "2026-06-30");
    assert_eq!(of("\"2026-06-30\""), "2026-06-30");
    assert_eq!(of("2026-06-30T23:30:00+08:00"), "2026-06-30T23:30:00+08:00");
    assert_eq!(of("2026-06-30T23:30:00Z"), "2026-06-30T23:30:00+00:00");
    assert_eq!(of("2026-06-30T23:30:00"), "2026-06-30T23:30:00");
    assert_eq!(of("2026-06-30 23:30:00"), "2026-06-30T23:30:00");
    assert_eq!(of("2026-06-30T23:30"), "2026-06-30T23:30:00");
    assert_eq!(of("\"2026-06-30 23:30\""), "2026-06-30T23:30:00");
}

#[test]
fn a_tier_may_go_on_through_neighbouring_slabs() {
    let text = changed(SMALL, "tier = \"Gold\"", "tier = \"Silver\"");
    let tiers: Vec<String> = scheme(&text).slabs.into_iter().map(|slab| slab.tier).collect();
    assert_eq!(tiers, ["Silver", ""]);
}

#[test]
fn a_first_slab_above_nothing_and_an_end_that_meets_the_next_are_fine() {
    scheme(&changed(SMALL, "from = \"5 lakh\"", "from = \"5 lakh\"\nto = 800000"));
    scheme(&changed(SMALL, "from = \"5 lakh\"", "from = 0\nto = \"0.8 million\""));
    scheme(&changed(SMALL, "starts = 2026-04-01", "starts = 2026-04-01\nends = 2026-04-01"));
    scheme(&changed(SMALL, "rate = \"0.2%\"", "rate = \"0.2%\"\ncap = 0"));
    scheme(&changed(SMALL, "length = \"quarter\"", "length = \"quarter\"\nday_closes_at = 02:00:00"));
}

#[test]
fn a_slab_that_cannot_be_read_is_told_once() {
    let text = changed(SMALL, "from = \"8 lakh\"", "from = \"8 lahk\"\nto = \"9 lakh\"");
    let said = messages(&text);
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(said[0].contains("`lahk` is no unit") && said[1].contains("the last slab ends"), "{said:?}");
}

#[test]
fn a_tier_that_cannot_be_read_makes_no_other_name_wrong() {
    let text =
        changed(SMALL, "tier = \"Gold\"", "tier = 5") + "[[tier_bonus]]\ntier = \"Gold\"\npercent = \"5%\"\n";
    assert_eq!(messages(&text), ["`tier` is a number; it must be a text"]);
}

#[test]
fn warnings_leave_the_scheme_usable_and_errors_do_not() {
    let text = changed(SMALL, "rate = \"0.3%\"", "rate = \"0.1%\"");
    let (_, warnings) = parse("x.toml", &text).expect("a scheme with a warning");
    assert_eq!(warnings.len(), 1);
    assert_eq!(warnings[0].gravity, Gravity::Warning);
    assert!(parse("x.toml", &changed(SMALL, "mode = \"whole\"", "")).is_err());
}

#[test]
fn every_key_is_refused_outside_its_section_with_the_section_it_belongs_to() {
    for key in ["grace_days", "rounding", "per_cycle", "statuses", "mode", "factor", "percent", "applies"] {
        let faults = parse("x.toml", &format!("{SMALL}{key} = 1\n")).expect_err("an unknown key in a slab");
        let help = &faults.faults[0].help;
        assert!(help.starts_with(&format!("`{key}` belongs in [")), "{help}");
    }
}

#[test]
fn a_whole_file_of_windows_line_ends_and_a_byte_order_mark_are_read() {
    scheme(&FULL.replace('\n', "\r\n"));
    scheme(&format!("\u{feff}{FULL}"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_text_makes_it_fail_other_than_by_faults(cut in 0..FULL.len(), length in 0_usize..40, put in "[\\PC\n\"\\[\\]={}.]{0,12}") {
        let end = (cut + length).min(FULL.len());
        let text = format!("{}{put}{}", &FULL[..cut], &FULL[end..]);
        match parse("x.toml", &text) {
            Ok(_) => {}
            Err(faults) => {
                prop_assert!(faults.has_errors());
                prop_assert!(!faults.render(false).is_empty());
            }
        }
    }

    #[test]
    fn two_slabs_are_taken_exactly_where_they_touch(from in 0_u32..50, to in 0_u32..50, next in 0_u32..50) {
        let text = changed(SMALL, "from = \"5 lakh\"", &format!("from = {from}\nto = {to}"));
        let text = changed(&text, "from = \"8 lakh\"", &format!("from = {next}"));
        prop_assert_eq!(parse("x.toml", &text).is_ok(), from < to && to == next);
    }
}
