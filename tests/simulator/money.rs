//! Payments of the invoices of a history, and exchange rates.

use std::collections::BTreeMap;

use chrono::{Duration, NaiveDate};

use super::plan::{Dialect, FeedPlan, FilePlan, Row};
use super::rows::Maker;
use crate::random::{Random, often, raised};

/// Feeds of payments and rates, at times.
pub fn feeds(r: &mut Random, feeds: &mut Vec<FeedPlan>) {
    let shared = feeds[0].settings.contains("documents") && !feeds[0].settings.contains("numbers_restart");
    let plan = |kind: &'static str, settings: String| FeedPlan {
        name: kind.into(),
        kind,
        zone: "Asia/Kolkata",
        pattern: "*.csv",
        settings,
        dialect: Dialect::default(),
        wrong: None,
    };
    if shared && r.chance(often(40, 65)) {
        let scope = feeds[0].settings.contains("number_scope");
        let scope = if scope { "number_scope = \"space\"\n" } else { "" };
        feeds.push(plan("payments", format!("documents = \"dms\"\n{scope}")));
        if r.chance(50) {
            feeds.push(plan("deposits", String::new()));
        }
    }
    if r.chance(often(40, 65)) {
        feeds.push(plan("fx", String::new()));
    }
}

/// What was paid since, for some of the invoices that are known: in full, in part, too much, or taken back. At times a
/// payment is told again, also otherwise than before or of another invoice.
pub fn payments(maker: &mut Maker, day: NaiveDate, place: usize) -> Vec<FilePlan> {
    let Some(feed) = maker.feeds.iter().position(|f| f.kind == "payments") else { return vec![] };
    let mut rows: Vec<Row> = vec![];
    let known: Vec<Vec<Row>> = maker.known.iter().map(|d| d.rows.clone()).collect();
    let invoices: Vec<&Vec<Row>> = known.iter().filter(|rows| rows[0]["doc_type"] == "invoice").collect();
    for invoice in &invoices {
        if maker.r.chance(60) {
            rows.push(payment(maker.r, invoice, day, &format!("{place}-{}", rows.len())));
        }
        if !maker.any_order && !maker.paid.is_empty() && maker.r.chance(12) {
            let paid = maker.r.pick(&maker.paid).clone();
            let other = payment(maker.r, invoice, day, "");
            rows.push(told_again(maker.r, paid, &other));
        }
    }
    if rows.is_empty() {
        return vec![];
    }
    maker.paid.extend(rows.clone());
    let deposits = deposits(maker, &rows, place);
    let documents = rows.into_iter().map(|r| vec![r]).collect();
    let mut files = vec![FilePlan { feed, name: format!("{place}.csv"), documents }];
    files.extend(deposits);
    files
}

/// What the bank credited of these payments: mostly all of a reference, at times another amount, a day late, or nothing.
fn deposits(maker: &mut Maker, payments: &[Row], place: usize) -> Option<FilePlan> {
    let feed = maker.feeds.iter().position(|f| f.kind == "deposits")?;
    let mut sums: BTreeMap<(String, String), i64> = BTreeMap::new();
    for payment in payments.iter().filter(|p| p["deposit_ref"].starts_with(&format!("DEP-{place}-"))) {
        let key = (payment["deposit_ref"].clone(), payment["paid_on"].clone());
        *sums.entry(key).or_default() += cents(&payment["amount"]);
    }
    let mut rows: Vec<Row> = vec![];
    for ((reference, day), sum) in sums {
        let (day, sum) = match maker.r.below(8) {
            0 => continue,
            1 => (day, sum + 1),
            2 => ("2026-01-02".to_string(), sum),
            _ => (day, sum),
        };
        // one credit a reference: the same one on another day would be another word on it
        if rows.iter().any(|row| row["deposit_ref"] == reference) {
            continue;
        }
        rows.push(
            [("deposit_ref", reference), ("date", day), ("amount", written(sum))].into_iter().collect(),
        );
    }
    let name = format!("{place}.csv");
    (!rows.is_empty()).then(|| FilePlan { feed, name, documents: vec![rows] })
}

fn cents(text: &str) -> i64 {
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    let sign = if whole.starts_with('-') { -1 } else { 1 };
    let number = |digits: &str| digits.trim_start_matches('-').parse::<i64>().unwrap_or(0);
    sign * (100 * number(whole) + number(&format!("{part:0<2}")))
}

fn written(cents: i64) -> String {
    let sign = if cents < 0 { "-" } else { "" };
    format!("{sign}{}.{:02}", cents.abs() / 100, cents.abs() % 100)
}

/// The same payment, as it was or with something of another one.
fn told_again(r: &mut Random, mut paid: Row, other: &Row) -> Row {
    let columns: &[&'static str] = match r.below(4) {
        0 => &[],
        1 => &["amount"],
        2 => &["paid_on"],
        _ => &["invoice_no", "distributor_code", "amount"],
    };
    for column in columns {
        paid.insert(column, other[column].clone());
    }
    paid
}

fn payment(r: &mut Random, invoice: &[Row], day: NaiveDate, reference: &str) -> Row {
    let total = invoice[0].get("invoice_total").filter(|t| !t.is_empty());
    let sum: i64 = invoice.iter().map(|row| cents(&row["amount"])).sum();
    let due = total.map_or(sum, |total| cents(total));
    let amount = match r.below(8) {
        0 => due / 2,
        1 => -due / 2,
        2 => due - 100,
        3 => due - 101,
        4 => due + 5000,
        _ => due,
    };
    let mut row = Row::new();
    row.insert("payment_ref", format!("PAY-{reference}"));
    row.insert("invoice_no", invoice[0]["invoice_no"].clone());
    row.insert("distributor_code", invoice[0]["distributor_code"].clone());
    row.insert("paid_on", (day - Duration::days(r.below(5) as i64)).to_string());
    row.insert("amount", written(amount));
    if raised() && r.chance(35) {
        let own = invoice[0].get("currency").cloned().unwrap_or_default();
        row.insert("currency", r.pick(&["USD", "INR", "inr", &own, &own]).to_string());
    }
    let place = reference.split('-').next().unwrap_or_default();
    let deposit = r.below(5);
    row.insert("deposit_ref", if deposit == 0 { String::new() } else { format!("DEP-{place}-{deposit}") });
    row
}

/// Days from which rates hold, each batch its own: mostly days on which much is sold.
const DAYS: [&[&str]; 4] = [
    &["2025-01-01", "2026-03-14", "2026-03-15", "2026-04-30", "2026-05-01"],
    &["2026-01-15", "2026-03-01"],
    &["2026-02-10", "2026-04-29"],
    &["2026-04-01", "2026-06-10"],
];

/// Rates of some days.
pub fn rates(r: &mut Random, place: usize) -> Vec<Row> {
    let mut rows = vec![];
    let place = if raised() && r.chance(50) { r.below(DAYS.len()) } else { place };
    for day in DAYS[place % DAYS.len()] {
        if r.chance(70) {
            let mut row = Row::new();
            row.insert("date", (*day).into());
            row.insert("from", r.pick(&["USD", "usd", "EUR"][..often(2, 3)]).to_string());
            let to = if raised() { *r.pick(&["INR", "inr", "USD"]) } else { "INR" };
            row.insert("to", to.into());
            if to == "USD" {
                row.insert("from", r.pick(&["INR", "EUR"]).to_string());
            }
            row.insert("rate", r.pick(&["80", "83.25", "0.333333"]).to_string());
            rows.push(row);
        }
    }
    rows
}
