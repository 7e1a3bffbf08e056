//! When an invoice is paid (evaluation.md 2, last two sentences), judged by hand-made lines; the rig's day is 31 March 2028.

use super::rig::*;
use crate::evaluate::{Counts, WhyNot};
use crate::facts::money::Payment;
use crate::facts::settle::Line;

const PAID: &str = "[earn]\non = \"payment\"\n";
const UNPAID: Counts = Counts::No(WhyNot::Unpaid);

fn payment(invoice: &str, paid_on: &str, amount: &str) -> Payment {
    Payment {
        space: 1,
        distributor_code: "D".to_owned(),
        invoice_no: invoice.to_owned(),
        paid_on: day(paid_on),
        amount: dec(amount),
        currency: String::new(),
        since: 1,
    }
}

fn counts(rules: &str, payments: &[Payment], lines: &[Line<'static>]) -> Vec<Counts> {
    let mut rig = rig(scheme(&format!("{rules}{ONE_PERCENT}")));
    rig.payments = payments.to_vec();
    rig.counts(lines)
}

fn with_total(total: &str, line: Line<'static>) -> Line<'static> {
    with(line, |row| row.invoice_total = Some(dec(total)))
}

#[test]
fn a_credit_note_and_a_payment_of_tomorrow_are_not_there_yet() {
    let sold = sale("A", "2026-05-02", "1000");
    let alone = [sold.clone()];
    let returned = |date| [sold.clone(), note("CN", date, "-400", &[0])];
    let most = [payment("A", "2026-05-10", "600")];
    assert_eq!(counts(PAID, &most, &returned("2028-03-31"))[0], Counts::Yes);
    assert_eq!(counts(PAID, &most, &returned("2028-04-01"))[0], UNPAID);
    let whole = |date| [payment("A", "2026-05-10", "600"), payment("A", date, "400")];
    assert_eq!(counts(PAID, &whole("2028-03-31"), &alone), [Counts::Yes]);
    assert_eq!(counts(PAID, &whole("2028-04-01"), &alone), [UNPAID]);
}

#[test]
fn where_lines_disagree_on_the_total_the_largest_must_be_reached() {
    let second = |line: Line<'static>| with(line, |row| row.line_no = "2");
    let lines = |first, other| {
        [
            with_total(first, sale("A", "2026-05-02", "500")),
            second(with_total(other, sale("A", "2026-05-02", "500"))),
        ]
    };
    for lines in [lines("1000", "1200"), lines("1200", "1000")] {
        let paid = |amount| counts(PAID, &[payment("A", "2026-05-10", amount)], &lines);
        assert_eq!(paid("1199.99"), [UNPAID, UNPAID]);
        assert_eq!(paid("1200"), [Counts::Yes, Counts::Yes]);
    }
}

#[test]
fn the_tolerance_is_forgiven_and_not_a_paisa_more() {
    let rules = "[earn]\non = \"payment\"\npayment_tolerance = \"0.50\"\n";
    let paid =
        |amount| counts(rules, &[payment("A", "2026-05-10", amount)], &[sale("A", "2026-05-02", "1000")]);
    assert_eq!(paid("999.50"), [Counts::Yes]);
    assert_eq!(paid("999.49"), [UNPAID]);
}

#[test]
fn a_payment_without_a_year_is_of_the_latest_invoice_on_or_before_its_day() {
    let of_year = |year, line: Line<'static>| with(line, |row| row.number_year = Some(year));
    let lines =
        [of_year(2026, sale("7", "2026-05-02", "1000")), of_year(2027, sale("7", "2027-05-02", "1000"))];
    let paid = |date| counts(PAID, &[payment("7", date, "1000")], &lines);
    assert_eq!(paid("2027-05-01"), [Counts::Yes, UNPAID]);
    assert_eq!(paid("2027-05-02"), [UNPAID, Counts::Yes]);
    assert_eq!(paid("2026-05-01"), [UNPAID, UNPAID], "it was paid before either was written");
}
