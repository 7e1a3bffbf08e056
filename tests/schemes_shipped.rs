//! Every scheme that ships is one that `check` would not even warn of, and its worked examples come out.

use accrued::calendar::{Cycle, ZoneCache, business_date, local};
use accrued::domain::points::Points;
use accrued::domain::when::{ClockNote, When};
use accrued::evaluate::{Subject, World, evaluate};
use accrued::facts::row::{DocType, Row};
use accrued::facts::settle::{NumberScope, Said, settle};
use accrued::scheme::{Example, Family, Scheme, families, lint, parse};
use chrono::{DateTime, NaiveDate, NaiveDateTime};
use rust_decimal::Decimal;
use std::collections::{BTreeSet, HashMap};
use std::path::Path;

fn shipped() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemes");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .expect("schemes/")
        .map(|entry| entry.expect("a file of it").path())
        .collect();
    files.sort();
    files
        .iter()
        .map(|path| (path.display().to_string(), std::fs::read_to_string(path).expect("a text")))
        .collect()
}

#[test]
fn shipped_schemes_have_no_fault_and_no_warning() {
    let mut schemes = Vec::new();
    for (path, text) in shipped() {
        let (scheme, warnings) =
            parse(&path, &text).unwrap_or_else(|faults| panic!("{}", faults.render(false)));
        assert_eq!(warnings, [], "{path}");
        assert!(!scheme.examples.is_empty(), "{path} has no example");
        schemes.push(scheme);
    }
    let families = families(schemes).unwrap();
    let meeting = lint::overlaps(&families);
    assert!(meeting.is_empty(), "{}", meeting[0].render(false));
}

fn when(text: &str, scheme: &Scheme) -> When {
    if let Ok(day) = text.parse::<NaiveDate>() {
        return When::Day(day);
    }
    match DateTime::parse_from_rfc3339(text) {
        Ok(at) => {
            When::At { epoch: at.timestamp(), offset: at.offset().local_minus_utc(), clock: ClockNote::Plain }
        }
        Err(_) => local(text.parse::<NaiveDateTime>().expect("a local timestamp"), scheme.timezone),
    }
}

fn said<'e>(example: &'e Example, index: usize, scheme: &Scheme) -> Said<'e> {
    let cell = |column: &str| {
        let cells = &example.sales[index].cells;
        cells.iter().find(|(name, _)| name == column).map_or("", |(_, text)| text.as_str())
    };
    let number = |column: &str| cell(column).parse::<Decimal>().ok();
    let doc_type = if cell("doc_type") == "credit_note" { DocType::CreditNote } else { DocType::Invoice };
    let sign = if doc_type == DocType::CreditNote { -Decimal::ONE } else { Decimal::ONE };
    let row = Row {
        file_line: 2 + index as u64,
        doc_type,
        invoice_no: if cell("invoice_no").is_empty() {
            ["1", "2", "3", "4"][index]
        } else {
            cell("invoice_no")
        },
        line_no: "1",
        when: when(cell("invoice_date"), scheme),
        number_year: None,
        partner_code: "P1",
        partner_name: "",
        distributor_code: "",
        distributor_name: "",
        channel: cell("channel"),
        sku: cell("sku"),
        category: cell("category"),
        quantity: sign * number("quantity").unwrap_or(Decimal::ONE),
        amount: sign * number("amount").expect("an amount"),
        currency: cell("currency"),
        status: cell("status"),
        payment_method: cell("payment_method"),
        invoice_total: None,
        ref_invoice_no: cell("ref_invoice_no"),
        ref_line_no: cell("ref_line_no"),
        updated_at: None,
    };
    Said { seq: 1, space: 1, scope: NumberScope::Distributor, row }
}

fn cycle_of(example: &Example, scheme: &Scheme, first: &Said<'_>) -> Cycle {
    match &example.cycle {
        Some(name) => scheme.calendar.parse(name).expect("a cycle of the scheme"),
        None => {
            scheme.calendar.cycle_of(business_date(first.row.when, scheme.timezone, scheme.day_closes_at))
        }
    }
}

fn outcome(example: &Example, family: &Family) -> (Points, String) {
    let scheme = &family.versions[0];
    let said: Vec<Said<'_>> = (0..example.sales.len()).map(|index| said(example, index, scheme)).collect();
    let settled = settle(&said, &[], &[]);
    let today = NaiveDate::from_ymd_opt(2030, 1, 1).expect("a day");
    let zone = ZoneCache::new(scheme.timezone);
    let world = World { family, items: None, has_partner_master: false, today, zone: &zone };
    let (masters, known_cycles) = (HashMap::new(), BTreeSet::new());
    let subject =
        Subject { partner_code: "P1", lines: &settled.lines, masters: &masters, known_cycles: &known_cycles };
    let cycle = cycle_of(example, scheme, &said[0]);
    let positions = evaluate(&world, &subject).positions;
    positions
        .into_iter()
        .find(|position| position.cycle == cycle)
        .map_or((Points::ZERO, String::new()), |position| (position.points, position.tier))
}

#[test]
fn the_worked_examples_come_out() {
    let mut count = 0;
    for (path, text) in shipped() {
        let (scheme, _) = parse(&path, &text).unwrap_or_else(|faults| panic!("{}", faults.render(false)));
        for family in families(vec![scheme]).expect("one scheme") {
            for example in &family.versions[0].examples {
                let (points, tier) = outcome(example, &family);
                let expected = example.points * Decimal::from(Points::UNIT);
                assert_eq!(Decimal::from(points.0), expected, "{path}:{}: {}", example.line, example.name);
                assert!(
                    example.tier.as_ref().is_none_or(|named| *named == tier),
                    "{}: tier {tier}",
                    example.name
                );
                count += 1;
            }
        }
    }
    assert!(count >= 18, "every case of evaluation.md 5 is an example, {count} are");
}
