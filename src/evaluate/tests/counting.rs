//! evaluation.md 1.4 to 1.6 and 2.

use super::rig::*;
use crate::domain::when::{ClockNote, When};
use crate::evaluate::Converted;
use crate::evaluate::Counts::{Held, No, Yes};
use crate::evaluate::HeldLine::{FutureDate, NoFxRate, PartnerUnlistedHeld, SkuUnlistedHeld};
use crate::evaluate::{Counts, WhyNot};
use crate::facts::row::DocType;
use crate::facts::settle::{Line, Reference};

fn plain(date: &str) -> Line<'static> {
    sale("A", date, "100")
}

fn one(rules: &str, line: Line<'static>) -> Counts {
    rig(scheme(&format!("{rules}\n{ONE_PERCENT}"))).counts(&[line])[0]
}

#[test]
fn dates_outside_the_scheme_are_in_no_cycle() {
    let rig = rig(with_head(
        "starts = 2026-04-15\nends = 2027-03-10",
        "length = \"quarter\"\nyear_starts = \"april\"",
        ONE_PERCENT,
    ));
    let lines = [
        plain("1900-01-01"),
        plain("2026-04-14"),
        plain("2026-04-15"),
        plain("2027-03-10"),
        plain("2027-03-11"),
    ];
    let before = No(WhyNot::BeforeScheme);
    assert_eq!(rig.counts(&lines), [before, before, Yes, Yes, No(WhyNot::AfterScheme)]);
    let positions = rig.positions(&lines);
    assert_eq!((positions.positions.len(), positions.outside.len()), (2, 3));
}

#[test]
fn a_date_after_the_run_is_held_before_any_rule_but_cancellation() {
    let mut rig = rig(with_head(
        "starts = 2026-04-01\nends = 2027-03-31",
        "length = \"month\"",
        &format!("[earn]\nstatuses = [\"ok\"]\n{ONE_PERCENT}"),
    ));
    rig.today = day("2026-05-10");
    let mut cancelled = plain("2026-05-11");
    cancelled.cancelled = true;
    let lines = [plain("2026-05-10"), plain("2026-05-11"), plain("9999-12-31"), cancelled];
    assert_eq!(
        rig.counts(&lines),
        [No(WhyNot::Status), Held(FutureDate), Held(FutureDate), No(WhyNot::Cancelled)]
    );
    let positions = rig.positions(&lines);
    assert_eq!(positions.wake_on(), Some(day("2026-05-11")));
    assert_eq!(positions.positions[0].wake_on, Some(day("2026-05-11")));
    assert_eq!(positions.outside[0].counts, Held(FutureDate));
}

#[test]
fn the_end_of_time_is_held_and_does_no_harm() {
    let mut rig = rig(monthly(&format!("[earn]\nreturns = \"return-cycle\"\n{ONE_PERCENT}")));
    rig.today = day("2026-05-10");
    let lines = [note("CN", "2026-01-02", "-5", &[]), plain("9999-12-31")];
    let positions = rig.positions(&lines);
    let months: Vec<i32> = positions.positions.iter().map(|position| position.cycle.0 % 12).collect();
    assert_eq!(months, [0, 1, 2, 3, 4, 11]);
    let last = positions.positions.last().expect("six of them");
    assert_eq!((&last.measure, last.lines[0].counts), (&frac("-5"), Held(FutureDate)));
}

#[test]
fn a_future_note_is_held_in_the_cycle_of_its_sale() {
    let mut rig = rig(monthly(ONE_PERCENT));
    rig.today = day("2026-05-10");
    let lines = [plain("2026-02-10"), note("CN", "2026-05-11", "-100", &[0])];
    let position = rig.only(&lines);
    assert_eq!(line_of(&position, 1).counts, Held(FutureDate));
    assert_eq!(line_of(&position, 1).rule_date, day("2026-02-10"));
    assert_eq!(position.wake_on, Some(day("2026-05-11")));
    rig.today = day("2026-05-11");
    assert_eq!(line_of(&rig.only(&lines), 1).counts, Yes);
}

#[test]
fn cells_are_compared_without_case() {
    assert_eq!(
        one("[earn]\nstatuses = [\"Approved\"]", with(plain("2026-05-02"), |r| r.status = "aPPROVED")),
        Yes
    );
    assert_eq!(one("[earn]\nstatuses = [\"Approved\"]", plain("2026-05-02")), No(WhyNot::Status));
    assert_eq!(
        one("[earn]\nchannels = [\"Retail\"]", with(plain("2026-05-02"), |r| r.channel = "RETAIL")),
        Yes
    );
    assert_eq!(one("[earn]\nchannels = [\"Retail\"]", plain("2026-05-02")), No(WhyNot::Channel));
    assert_eq!(
        one("[earn]\npayment_methods = [\"UPI\"]", with(plain("2026-05-02"), |r| r.payment_method = "upi")),
        Yes
    );
    assert_eq!(one("[earn]\npayment_methods = [\"UPI\"]", plain("2026-05-02")), No(WhyNot::PaymentMethod));
    assert_eq!(
        one("[earn]\nexclude_skus = [\"gift-*\"]", of("GIFT-1", plain("2026-05-02"))),
        No(WhyNot::SkuExcluded)
    );
    assert_eq!(one("[earn]\nonly_skus = [\"LED-?\"]", of("led-9", plain("2026-05-02"))), Yes);
    assert_eq!(
        one("[earn]\nonly_skus = [\"LED-?\"]", of("led-10", plain("2026-05-02"))),
        No(WhyNot::SkuExcluded)
    );
    assert_eq!(one("[earn]\nonly_skus = [\"LED-?\"]", plain("2026-05-02")), No(WhyNot::SkuExcluded));
    let fans = with(plain("2026-05-02"), |r| r.category = "FANS");
    assert_eq!(one("[earn]\nexclude_categories = [\"fan*\"]", fans.clone()), No(WhyNot::CategoryExcluded));
    assert_eq!(one("[earn]\nonly_categories = [\"fan*\"]", fans), Yes);
    assert_eq!(
        one("[earn]\nonly_categories = [\"fan*\"]", plain("2026-05-02")),
        No(WhyNot::CategoryExcluded)
    );
}

#[test]
fn currencies_and_their_rates() {
    let dollars = || with(plain("2026-05-02"), |r| r.currency = "USD");
    assert_eq!(one("[earn]\ncurrencies = [\"inr\"]", dollars()), No(WhyNot::Currency));
    assert_eq!(one("[earn]\ncurrencies = [\"inr\"]", plain("2026-05-02")), Yes);
    assert_eq!(one("[earn]\ncurrencies = [\"USD\"]", plain("2026-05-02")), No(WhyNot::Currency));
    assert_eq!(one("", dollars()), Held(NoFxRate));
    assert_eq!(one("[earn]\nmeasure = \"quantity\"", dollars()), Held(NoFxRate));
    assert_eq!(one("", with(plain("2026-05-02"), |r| r.currency = "inr")), Yes);
}

#[test]
fn a_rate_of_its_day_converts_a_line_exactly() {
    let dollars = |date, amount| with(sale("A", date, amount), |r| r.currency = "usd");
    let rig = rig(scheme(ONE_PERCENT)).rate("USD", "2026-05-02", "83.333").rate("USD", "2026-06-01", "3");
    let lines = [dollars("2026-05-01", "1"), dollars("2026-05-31", "0.01"), dollars("2026-06-01", "7")];
    assert_eq!(rig.counts(&lines), [Held(NoFxRate), Yes, Yes]);
    let position = rig.only(&lines);
    assert_eq!(position.measure, frac("21.83333"));
    assert_eq!(line_of(&position, 1).converted, Converted::At(dec("83.333")));
    assert_eq!(line_of(&position, 0).converted, Converted::NoRate);
    let convert = crate::evaluate::trail(&rig.family.versions[0], &position, &lines);
    assert_eq!(
        (convert[0].name, convert[0].working.as_str(), convert[0].result.as_str()),
        ("convert", "0.01 usd x 83.333 (1 line) + 7.00 usd x 3 (1 line)", "21.83333")
    );
}

#[test]
fn a_return_is_converted_by_the_rate_of_its_sale_or_of_its_own_day() {
    let dollars = |line| with(line, |r| r.currency = "USD");
    let lines = [
        dollars(sale("A", "2026-05-02", "100")),
        dollars(note("C", "2026-08-20", "-100", &[0])),
        dollars(sale("B", "2026-08-01", "100")),
    ];
    let rated = |rules: &str| {
        rig(scheme(&format!("{rules}{ONE_PERCENT}"))).rate("USD", "2026-05-01", "80").rate(
            "USD",
            "2026-08-10",
            "90",
        )
    };
    let original = rated("");
    assert_eq!(original.position("FY2026-27-Q1", &lines).measure, frac("0"));
    assert_eq!(original.position("FY2026-27-Q2", &lines).measure, frac("8000"));
    let own = rated("[earn]\nreturns = \"return-cycle\"\n");
    assert_eq!(own.position("FY2026-27-Q1", &lines).measure, frac("8000"));
    assert_eq!(own.position("FY2026-27-Q2", &lines).measure, frac("-1000"));
}

#[test]
fn the_first_reason_is_said() {
    let rules = "[earn]\nstatuses = [\"ok\"]\ncurrencies = [\"INR\"]\nchannels = [\"a\"]\npartner_classes = [\"a\"]\n\
                 payment_methods = [\"a\"]\nexclude_skus = [\"X\"]\nexclude_categories = [\"C\"]\nunlisted_skus = \"exclude\"\n\
                 unlisted_partners = \"exclude\"\n";
    let rig = rig(scheme(&format!("{rules}{ONE_PERCENT}"))).partner("Q", |_| ()).item("Y", |_| ());
    let rig = rig
        .partner("OFF", |record| (record.active, record.tracked, record.class) = (false, false, "A".into()));
    let rig = rig.partner("UN", |record| (record.tracked, record.class) = (false, "A".into()));
    let rig = rig.partner("P2", |record| record.class = "a".into());
    let bad = || {
        let line = of("X", with(plain("2026-05-02"), |r| (r.currency, r.category) = ("USD", "c")));
        with(line, |r| r.doc_type = DocType::Invoice)
    };
    type Change = fn(&mut crate::facts::row::Row<'static>);
    let steps: [(WhyNot, Change); 10] = [
        (WhyNot::Status, |r| r.status = "OK"),
        (WhyNot::Currency, |r| r.currency = ""),
        (WhyNot::Channel, |r| r.channel = "A"),
        (WhyNot::PartnerUnlisted, |r| r.partner_code = "Q"),
        (WhyNot::PartnerClass, |r| r.partner_code = "OFF"),
        (WhyNot::PartnerInactive, |r| r.partner_code = "UN"),
        (WhyNot::PartnerUntracked, |r| r.partner_code = "P2"),
        (WhyNot::PaymentMethod, |r| r.payment_method = "A"),
        (WhyNot::SkuExcluded, |r| r.sku = "Z"),
        (WhyNot::CategoryExcluded, |r| r.category = "D"),
    ];
    let mut line = bad();
    for (why, mend) in steps {
        assert_eq!(judged(&rig, line.clone()), No(why));
        mend(&mut line.row);
    }
    assert_eq!(judged(&rig, line.clone()), No(WhyNot::SkuUnlisted));
    line.row.sku = "y";
    assert_eq!(judged(&rig, line), Yes);
}

/// How a line of whatever partner fares, read off a note of P that returns it (`return_statuses` is any).
fn judged(rig: &Rig, line: Line<'static>) -> Counts {
    rig.counts(&[line, note("CN", "2026-05-03", "-1", &[0])]).pop().expect("the note is P's")
}

#[test]
fn what_would_not_count_anyway_is_not_held() {
    let rules = format!("[earn]\nexclude_skus = [\"GIFT\"]\nunlisted_skus = \"hold\"\n{ONE_PERCENT}");
    let rig = rig(scheme(&rules)).partner("Q", |_| ()).item("Y", |_| ());
    let lines = [of("GIFT", plain("2026-05-02")), of("X", plain("2026-05-02")), plain("2026-05-02")];
    let held = Held(PartnerUnlistedHeld);
    assert_eq!(rig.counts(&lines), [No(WhyNot::SkuExcluded), held, held]);
    let rig = rig.partner("P", |_| ());
    assert_eq!(rig.counts(&lines), [No(WhyNot::SkuExcluded), Held(SkuUnlistedHeld), Yes]);
    let rig = rig.item("X", |_| ());
    assert_eq!(rig.counts(&lines), [No(WhyNot::SkuExcluded), Yes, Yes]);
}

#[test]
fn unlisted_means_nothing_without_a_master() {
    let rules = "[earn]\nunlisted_skus = \"exclude\"\nunlisted_partners = \"exclude\"";
    assert_eq!(one(rules, of("X", plain("2026-05-02"))), Yes);
    assert_eq!(one("[earn]\npartner_classes = [\"A\"]", plain("2026-05-02")), No(WhyNot::PartnerClass));
}

#[test]
fn masters_apply_from_their_day() {
    let rules = format!(
        "[earn]\npartner_classes = [\"a\"]\nchannels = [\"shop\"]\nexclude_categories = [\"old\"]\n{ONE_PERCENT}"
    );
    let rig = rig(scheme(&rules))
        .partner("P", |r| (r.class, r.channel) = ("A".into(), "Shop".into()))
        .partner("P", |r| {
            (r.class, r.channel, r.effective_from) = ("B".into(), "Shop".into(), day("2026-06-01"));
        })
        .item("X", |r| r.effective_from = day("2026-05-01"))
        .item("X", |r| (r.category, r.effective_from) = ("OLD".into(), day("2026-05-10")));
    let lines = [
        of("X", plain("2026-05-09")),
        of("X", plain("2026-05-10")),
        of("x", with(plain("2026-05-10"), |r| r.category = "new")),
        of("X", plain("2026-06-01")),
        with(plain("2026-05-09"), |r| r.channel = "web"),
    ];
    let excluded = No(WhyNot::CategoryExcluded);
    assert_eq!(rig.counts(&lines), [Yes, excluded, Yes, No(WhyNot::PartnerClass), No(WhyNot::Channel)]);
    let rig = rig.item("Y", |r| r.earns_points = false);
    assert_eq!(rig.counts(&[of("y", plain("2026-05-09"))]), [No(WhyNot::SkuExcluded)]);
}

#[test]
fn a_launch_date_is_no_rule() {
    let rig = rig(scheme(ONE_PERCENT)).item("X", |r| r.launched_on = Some(day("2026-09-01")));
    assert_eq!(rig.counts(&[of("X", plain("2026-05-02"))]), [Yes]);
}

#[test]
fn a_note_goes_by_the_lines_it_returns() {
    let rules = format!("[earn]\nexclude_skus = [\"GIFT\"]\nunlisted_skus = \"hold\"\n{ONE_PERCENT}");
    let rig = rig(scheme(&rules)).item("X", |_| ()).item("GIFT", |_| ());
    let invoice = || {
        vec![of("GIFT", plain("2026-05-02")), of("NEW", plain("2026-05-02")), of("X", plain("2026-05-02"))]
    };
    let counts_of = |returned: &[usize]| {
        let mut lines = invoice();
        lines.push(of("GIFT", note("CN", "2026-05-03", "-1", returned)));
        rig.counts(&lines)[3]
    };
    assert_eq!(counts_of(&[0, 1, 2]), Yes);
    assert_eq!(counts_of(&[0, 1]), Held(SkuUnlistedHeld));
    assert_eq!(counts_of(&[0]), No(WhyNot::SkuExcluded));
    assert_eq!(counts_of(&[]), No(WhyNot::SkuExcluded), "without an invoice it stands for itself");
}

#[test]
fn a_notes_own_date_status_and_rate_must_do_as_well() {
    let rules = format!("[earn]\nstatuses = [\"ok\"]\nreturn_statuses = [\"done\"]\n{ONE_PERCENT}");
    let rig = rig(scheme(&rules));
    let sold = || with(plain("2026-05-02"), |r| r.status = "ok");
    let back = |change: fn(&mut crate::facts::row::Row<'static>)| {
        with(note("CN", "2026-05-03", "-1", &[0]), |r| {
            r.status = "done";
            change(r);
        })
    };
    assert_eq!(rig.counts(&[sold(), back(|_| ())]), [Yes, Yes]);
    assert_eq!(rig.counts(&[sold(), back(|r| r.status = "ok")])[1], No(WhyNot::Status));
    assert_eq!(rig.counts(&[sold(), back(|r| r.currency = "USD")])[1], Held(NoFxRate));
    assert_eq!(rig.counts(&[plain("2026-05-02"), back(|_| ())]), [No(WhyNot::Status), No(WhyNot::Status)]);
}

#[test]
fn a_note_takes_the_earliest_date_of_what_it_returns() {
    let rules = |returns: &str| format!("[earn]\nreturns = \"{returns}\"\n{ONE_PERCENT}");
    let lines = [plain("2026-06-30"), plain("2026-05-02"), note("CN", "2026-08-01", "-30", &[0, 1])];
    let original = rig(scheme(&rules("original-cycle"))).position("FY2026-27-Q1", &lines);
    assert_eq!(line_of(&original, 2).rule_date, day("2026-05-02"));
    assert_eq!(line_of(&original, 2).business_date, day("2026-08-01"));
    assert_eq!(original.by_month, [frac("0"), frac("70"), frac("100")]);
    let own = rig(scheme(&rules("return-cycle"))).position("FY2026-27-Q2", &lines);
    assert_eq!(line_of(&own, 2).rule_date, day("2026-08-01"));
    assert_eq!(own.measure, frac("-30"));
}

#[test]
fn a_return_of_a_sale_before_the_scheme_is_before_it_too() {
    let original = rig(scheme(ONE_PERCENT));
    let lines = [plain("2026-03-31"), note("CN", "2026-04-10", "-100", &[0])];
    assert_eq!(original.counts(&lines), [No(WhyNot::BeforeScheme); 2]);
    let own = rig(scheme(&format!("[earn]\nreturns = \"return-cycle\"\n{ONE_PERCENT}")));
    assert_eq!(own.counts(&lines), [No(WhyNot::BeforeScheme); 2]);
    assert_eq!(own.position("FY2026-27-Q1", &lines).measure, frac("0"));
}

#[test]
fn a_return_after_the_scheme_still_reduces_its_sale() {
    let rig = rig(with_head("starts = 2026-04-01\nends = 2026-04-30", "length = \"month\"", ONE_PERCENT));
    let lines = [plain("2026-04-10"), note("CN", "2026-06-10", "-100", &[0])];
    assert_eq!(rig.only(&lines).measure, frac("0"));
}

#[test]
fn unknown_and_cancelled_references() {
    let rig = rig(scheme(ONE_PERCENT));
    let mut voided = note("CN", "2026-05-03", "-1", &[]);
    voided.reference = Reference::Cancelled;
    let position = rig.only(&[note("CN", "2026-05-03", "-1", &[]), voided]);
    assert_eq!((line_of(&position, 0).counts, line_of(&position, 1).counts), (Yes, No(WhyNot::Cancelled)));
    assert_eq!(line_of(&position, 0).notes, ["unknown_ref"]);
    assert!(line_of(&position, 1).notes.is_empty());
}

#[test]
fn clocks_leave_a_note() {
    let epoch = 1_777_000_000;
    for (clock, notes) in [
        (ClockNote::Plain, vec![]),
        (ClockNote::Repeated, vec!["clock_repeated"]),
        (ClockNote::Skipped, vec!["clock_skipped"]),
    ] {
        let line = with(plain("2026-05-02"), |r| r.when = When::At { epoch, offset: 0, clock });
        assert_eq!(rig(scheme(ONE_PERCENT)).only(&[line]).lines[0].notes, notes);
    }
}

#[test]
fn a_note_without_sku_has_the_category_that_masters_give_all_it_returns() {
    let rules = format!("{ONE_PERCENT}[[multiplier]]\nname = \"m\"\ncategories = [\"LED\"]\nfactor = 3\n");
    let rig =
        rig(scheme(&rules)).item("A", |r| r.category = "led".into()).item("B", |r| r.category = "LED".into());
    let lines = [
        of("A", plain("2026-05-02")),
        of("B", plain("2026-05-02")),
        note("CN", "2026-05-05", "-100", &[0, 1]),
    ];
    let position = rig.only(&lines);
    assert_eq!(line_of(&position, 2).factor, frac("3"));
    assert_eq!(position.points.to_string(), "3");
}

#[test]
fn lines_of_others_lend_only_their_verdict() {
    let rig = rig(scheme(ONE_PERCENT)).partner("P", |_| ()).partner("Q", |r| r.active = false);
    let theirs = with(plain("2026-05-02"), |r| r.partner_code = "Q");
    let lines = [theirs, note("CN", "2026-05-05", "-1", &[0])];
    let position = rig.only(&lines);
    assert_eq!(position.lines.len(), 1);
    assert_eq!(position.lines[0].counts, No(WhyNot::PartnerInactive));
}

#[test]
fn versions_of_a_scheme() {
    let cycle = "length = \"quarter\"\nyear_starts = \"april\"";
    let first = with_head("starts = 2026-04-15\nends = 2026-08-14", cycle, ONE_PERCENT);
    let rules =
        ONE_PERCENT.replace("1%", "2%").replace("[slabs]", "[earn]\nreturns = \"return-cycle\"\n[slabs]");
    let second = with_head("starts = 2026-08-15", cycle, &rules);
    let rig = rig_of(vec![first, second]);
    let lines = [
        sale("A", "2026-05-02", "1000"),
        sale("B", "2026-09-01", "1000"),
        sale("C", "2026-10-01", "1000"),
        note("CN1", "2026-09-02", "-100", &[0]),
        note("CN2", "2026-10-02", "-100", &[0]),
    ];
    let points = |cycle: &str| rig.position(cycle, &lines).points.to_string();
    // the second quarter began under the first version; a note goes by the version of its own cycle
    assert_eq!(
        (points("FY2026-27-Q1"), points("FY2026-27-Q2"), points("FY2026-27-Q3")),
        ("9".into(), "10".into(), "18".into())
    );
    assert_eq!(rig.position("FY2026-27-Q3", &lines).version, 1);
}
