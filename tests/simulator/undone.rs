//! A sale and its full return, with `original-cycle`: exactly nothing, in one note or several, with or without SKUs on
//! them, by any multiplier, tier, cap, rounding and currency; and beside other sales, as if it had never been.

use super::place::{Hand, laid_out};
use super::plan::{Batch, Dialect, FeedPlan, FilePlan, History, Row};
use super::play::played;
use super::schemes;
use crate::random::Random;

/// How many sales are undone by the normal test run.
const SALES: u64 = 150;

/// How a return is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Returned {
    /// One note with a line for each line of the invoice, which it names.
    LineByLine,
    /// A note for each line, which it names.
    NoteByLine,
    /// A note for each line, with its SKU.
    NoteBySku,
    /// One note of one line over the whole.
    Whole,
    /// Three notes over the whole, without a SKU.
    InParts,
}

fn money(cents: i64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}

struct Sale {
    rows: Vec<Row>,
    cents: Vec<i64>,
    quantities: Vec<i64>,
}

fn sale(r: &mut Random, number: &str) -> Sale {
    let day = *r.pick(&["2026-03-05", "2026-03-15", "2026-03-31T23:30:00+05:30", "2026-02-27", "2026-03-31"]);
    let currency = if r.chance(40) { "USD" } else { "" };
    let mut sale = Sale { rows: vec![], cents: vec![], quantities: vec![] };
    for line in 1..=1 + r.below(4) {
        let cents = *r.pick(&[33_333, 100, 50_000, 100_050, 1, 250_050, 61_003]);
        let quantity = 1 + i64::try_from(r.below(4)).expect("small");
        let mut row = Row::new();
        row.insert("invoice_no", number.into());
        row.insert("line_no", line.to_string());
        row.insert("doc_type", "invoice".into());
        row.insert("invoice_date", day.into());
        row.insert("partner_code", "P1".into());
        row.insert("distributor_code", "D1".into());
        row.insert("channel", "retail".into());
        row.insert("status", "approved".into());
        row.insert("payment_method", "cash".into());
        row.insert("sku", r.pick(&["LED-1", "FAN-1", "LED-2", "GIFT-1", ""]).to_string());
        row.insert("category", r.pick(&["lights", "fans", ""]).to_string());
        row.insert("quantity", quantity.to_string());
        row.insert("amount", money(cents));
        row.insert("currency", currency.into());
        sale.rows.push(row);
        sale.cents.push(cents);
        sale.quantities.push(quantity);
    }
    sale
}

fn notes(r: &mut Random, sale: &Sale, how: Returned) -> Vec<Row> {
    let note = |number: String, cents: i64, quantity: String| {
        let mut row = Row::new();
        row.insert("invoice_no", number);
        row.insert("line_no", "1".into());
        row.insert("doc_type", "credit_note".into());
        row.insert("invoice_date", "2026-05-20".into());
        for column in ["partner_code", "distributor_code", "currency"] {
            row.insert(column, sale.rows[0][column].clone());
        }
        row.insert("status", "approved".into());
        row.insert("ref_invoice_no", sale.rows[0]["invoice_no"].clone());
        row.insert("amount", money(cents));
        row.insert("quantity", quantity);
        row
    };
    let whole: i64 = sale.cents.iter().sum();
    let pieces: i64 = sale.quantities.iter().sum();
    match how {
        Returned::Whole => vec![note("C".into(), whole, pieces.to_string())],
        Returned::InParts => {
            let first = whole / 3;
            let second = i64::try_from(r.below(usize::try_from(whole - first).expect("positive") + 1));
            let second = second.expect("small");
            let parts = [(first, "0.25"), (second, "0.75"), (whole - first - second, "")];
            let quantity = |q: &str| if q.is_empty() { (pieces - 1).to_string() } else { q.to_string() };
            let part = |(i, (cents, q)): (usize, &(i64, &str))| note(format!("C{i}"), *cents, quantity(q));
            parts.iter().enumerate().map(part).collect()
        }
        Returned::LineByLine | Returned::NoteByLine | Returned::NoteBySku => {
            let lines = sale.rows.iter().enumerate().map(|(i, line)| {
                let one = how == Returned::LineByLine;
                let number = if one { "C".to_string() } else { format!("C{i}") };
                let mut row = note(number, sale.cents[i], sale.quantities[i].to_string());
                if one {
                    row.insert("line_no", (i + 1).to_string());
                }
                if how == Returned::NoteBySku {
                    row.insert("sku", line["sku"].clone());
                } else {
                    row.insert("ref_line_no", line["line_no"].clone());
                }
                row
            });
            lines.collect()
        }
    }
}

/// A history of two runs: what was sold, long since closed when what was returned comes.
fn history(r: &mut Random, seed: u64) -> History {
    let plan = |name: &str, kind: &'static str| FeedPlan {
        name: name.into(),
        kind,
        zone: "Asia/Kolkata",
        pattern: "*.csv",
        settings: String::new(),
        dialect: Dialect::default(),
        wrong: None,
    };
    let feeds = vec![plan("f0", "sales"), plan("fx", "fx")];
    let batch = |as_of: &str| Batch { as_of: as_of.into(), acts: vec![], files: vec![], troubles: vec![] };
    let batches = vec![batch("2026-05-10T12:00:00Z"), batch("2026-06-01T12:00:00Z")];
    History { seed, feeds, schemes: vec![schemes::of_original_cycles(r)], batches, any_order: false }
}

fn rates() -> Vec<Row> {
    let rate = |(day, rate): (&str, &str)| {
        let cells = [("date", day), ("from", "USD"), ("to", "INR"), ("rate", rate)];
        cells.into_iter().map(|(column, cell)| (column, cell.to_string())).collect()
    };
    [("2026-01-01", "83.25"), ("2026-03-15", "0.333333"), ("2026-05-01", "91")].map(rate).to_vec()
}

fn with(history: &History, sold: &[&Sale], returned: &[Row]) -> History {
    let mut history = history.clone();
    let file = |feed, name: &str, documents| FilePlan { feed, name: name.into(), documents };
    let rows = sold.iter().map(|sale| sale.rows.clone()).collect();
    history.batches[0].files.push(file(0, "sold.csv", rows));
    history.batches[0].files.push(file(1, "rates.csv", vec![rates()]));
    history.batches[1].files.push(file(0, "returned.csv", vec![returned.to_vec()]));
    history
}

#[test]
fn a_sale_and_its_full_return_are_nothing() {
    let mut earned = 0;
    for seed in 0..SALES {
        let mut r = Random::new(seed);
        let bare = history(&mut r, seed);
        let (sold, other) = (sale(&mut r, "S"), sale(&mut r, "O"));
        let how = *r.pick(&[
            Returned::LineByLine,
            Returned::NoteByLine,
            Returned::NoteBySku,
            Returned::Whole,
            Returned::InParts,
        ]);
        let returned = notes(&mut r, &sold, how);
        let alone = with(&bare, &[&sold], &returned);
        let mut place = laid_out(&alone, Hand::Library, &alone.right_config());
        let (after_sale, after_return) = played(&mut place, &alone).expect("it runs");
        earned += usize::from(!after_sale.is_empty());
        assert!(after_return.is_empty(), "{how:?}: {after_return:?}\n{}", alone.print());

        if matches!(how, Returned::LineByLine | Returned::NoteByLine) {
            let (beside, never) = (with(&bare, &[&sold, &other], &returned), with(&bare, &[&other], &[]));
            let ends = [&beside, &never].map(|history| {
                let mut place = laid_out(history, Hand::Library, &history.right_config());
                played(&mut place, history).expect("it runs").1
            });
            assert_eq!(ends[0], ends[1], "{how:?}\n{}", beside.print());
        }
    }
    assert!(earned * 3 > usize::try_from(SALES).expect("small"), "{earned} sales earned something");
}
