//! Whole files through the public functions.

use super::*;
use crate::domain::when::When;
use crate::facts::row::DocType;
use chrono::NaiveDate;
use proptest::prelude::*;

fn layout() -> Layout {
    Layout {
        delimiter: b',',
        encoding: Encoding::Utf8,
        decimal_mark: DecimalMark::Point,
        dates: Vec::new(),
        credit_notes: CreditNotes::PositiveOrNegative,
        columns: BTreeMap::new(),
        defaults: BTreeMap::new(),
        values: BTreeMap::new(),
        timezone: Tz::Asia__Kolkata,
        numbers_restart: None,
        max_bytes: 1 << 32,
    }
}

fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).to_string(), (*value).to_string())).collect()
}

/// Rows as text, rejects as `line reason: detail`.
fn listed(bytes: &mut dyn Read, packing: Packing, layout: &Layout) -> Result<(Vec<String>, Tally), Stop> {
    let mut lines = Vec::new();
    let tally = sales(bytes, packing, layout, &mut |taken| {
        lines.push(match taken {
            Taken::Row(row) => format!("{row:?}"),
            Taken::Reject(reject) => format!("{reject:?}"),
        });
        Ok(())
    })?;
    Ok((lines, tally))
}

fn check_rows(text: &[u8], layout: &Layout, look: &mut dyn FnMut(usize, &Row<'_>)) -> Tally {
    let mut count = 0;
    sales(&mut &text[..], Packing::Plain, layout, &mut |taken| {
        match taken {
            Taken::Row(row) => look(count, row),
            Taken::Reject(reject) => panic!("{reject:?}"),
        }
        count += 1;
        Ok(())
    })
    .expect("a good file")
}

fn rejects(text: &[u8], layout: &Layout) -> Vec<Reject> {
    let mut found = Vec::new();
    sales(&mut &text[..], Packing::Plain, layout, &mut |taken| {
        if let Taken::Reject(reject) = taken {
            found.push(reject.clone());
        }
        Ok(())
    })
    .expect("a readable file");
    found
}

fn refusal(text: &[u8], packing: Packing, layout: &Layout) -> Refusal {
    match listed(&mut &text[..], packing, layout) {
        Err(Stop::Refused(refusal)) => refusal,
        other => panic!("not refused: {other:?}"),
    }
}

const HEADER: &str = "invoice_no,line_no,doc_type,invoice_date,partner_code,sku,quantity,amount,updated_at\n";

fn file(rows: &str) -> Vec<u8> {
    format!("{HEADER}{rows}").into_bytes()
}

#[test]
fn a_row_has_all_its_cells() {
    let text = file("A/1, 1 ,,2026-04-30,P1,LED-9,2,\"1,00,000.50\",2026-05-01T00:00:00.000001Z\n");
    let tally = check_rows(&text, &layout(), &mut |_, row| {
        assert_eq!((row.file_line, row.doc_type), (2, DocType::Invoice));
        assert_eq!((row.invoice_no, row.line_no, row.partner_code, row.sku), ("A/1", "1", "P1", "LED-9"));
        assert_eq!(row.when, When::Day(NaiveDate::from_ymd_opt(2026, 4, 30).unwrap()));
        assert_eq!((row.quantity.to_string(), row.amount.to_string()), ("2".into(), "100000.50".into()));
        assert_eq!(row.updated_at, Some(1_777_593_600_000_001));
        assert_eq!((row.currency, row.invoice_total, row.number_year), ("", None, None));
    });
    assert_eq!((tally.rows, tally.rejects, tally.bytes), (1, 0, text.len() as u64));
}

#[test]
fn credit_notes_are_negative_unless_signed() {
    let text = file(
        "1,,credit_note,2026-04-30,P1,,2,100,\n2,,CREDIT_NOTE,2026-04-30,P1,,-2,-100,\n3,,credit_note,2026-04-30,P1,,,100,\n",
    );
    let mut signed = layout();
    signed.credit_notes = CreditNotes::Signed;
    let seen = |layout: &Layout| {
        let mut seen = Vec::new();
        check_rows(&text, layout, &mut |_, row| seen.push(format!("{} {}", row.quantity, row.amount)));
        seen
    };
    assert_eq!(seen(&layout()), ["-2 -100", "-2 -100", "-1 -100"]);
    assert_eq!(seen(&signed), ["2 100", "-2 -100", "1 100"]);
}

#[test]
fn a_cancellation_needs_its_number_only() {
    let text = file(
        "7,1,cancellation,,,,x,y,\n8,,cancellation,2026-04-30,P1,,,,2026-05-01\n9,,cancellation,gone,,,,,\n",
    );
    check_rows(&text, &layout(), &mut |at, row| {
        assert_eq!(row.doc_type, DocType::Cancellation);
        assert_eq!((row.line_no, row.partner_code, row.amount.is_zero()), ("", "", true));
        let undated = When::Day(UNDATED_CANCELLATION);
        assert_eq!(row.when == undated, at != 1, "row {at}");
        assert_eq!(row.updated_at.is_some(), at == 1);
    });
    let mut restarting = layout();
    restarting.numbers_restart = Some(4);
    let rejects = rejects(&text, &restarting);
    assert_eq!(rejects.iter().map(|r| (r.line, r.reason)).collect::<Vec<_>>(), [(4, "date_not_understood")]);
}

#[test]
fn numbers_belong_to_the_year_in_which_they_began() {
    let text = file("1,,,2026-03-31,P,,,1,\n1,,,2026-04-01T00:30:00+05:30,P,,,1,\n1,,cancellation,,,,,,\n");
    let mut restarting = layout();
    restarting.numbers_restart = Some(4);
    let mut years = Vec::new();
    check_rows(&text, &restarting, &mut |_, row| years.push(row.number_year));
    assert_eq!(years, [Some(2025), Some(2026), None]);
}

#[test]
fn columns_words_and_defaults_are_the_feeds() {
    let mut feed = layout();
    feed.delimiter = b';';
    feed.decimal_mark = DecimalMark::Comma;
    feed.dates = vec!["%d/%m/%Y".into(), "%d/%m/%Y %H:%M".into()];
    feed.columns = map(&[
        ("invoice_no", "Rechnung"),
        ("invoice_date", "Datum"),
        ("partner_code", "Händler"),
        ("amount", "Netto"),
        ("doc_type", "Art"),
    ]);
    feed.defaults = map(&[("currency", "EUR"), ("status", "posted"), ("doc_type", "credit_note")]);
    feed.values.insert("doc_type".into(), map(&[("Gutschrift", "credit_note"), ("RG", "invoice")]));
    feed.values.insert("channel".into(), map(&[("-", "")]));
    let text = "\u{feff}RECHNUNG ;Datum;händler;Netto;Art;channel;Status;x\n1;30/04/2026;H1;1.234,50;rg;-;;y\n2;30/04/2026 23:30;H1;5;GUTSCHRIFT;B2B;open;\n";
    check_rows(text.as_bytes(), &feed, &mut |at, row| {
        assert_eq!(row.currency, "EUR");
        match at {
            0 => assert_eq!(
                (row.amount.to_string(), row.doc_type, row.channel, row.status),
                ("1234.50".into(), DocType::Invoice, "", "")
            ),
            _ => assert_eq!(
                (row.amount.to_string(), row.doc_type, row.channel, row.status),
                ("-5".into(), DocType::CreditNote, "B2B", "open")
            ),
        }
    });
}

#[test]
fn lines_are_counted_as_they_stand_in_the_file() {
    let text = b"invoice_no,invoice_date,partner_code,amount,partner_name\r\n\r\n1,2026-04-30,P,1,\"two\r\nlines\"\r2,2026-04-30,P,1,\"one \"\"quoted\"\"\" \n   \n\n3,2026-04-30,P,1,5\" pipe\r\n4,2026-04-30,P,1,\"last\"";
    let mut seen = Vec::new();
    let tally = check_rows(text, &layout(), &mut |_, row| {
        seen.push((row.file_line, row.invoice_no.to_string(), row.partner_name.to_string()));
    });
    let wanted =
        [(3, "1", "two\r\nlines"), (5, "2", "one \"quoted\""), (8, "3", "5\" pipe"), (9, "4", "last")];
    assert_eq!(seen, wanted.map(|(line, number, name)| (line, number.to_string(), name.to_string())));
    assert_eq!(tally.rows, 4);
}
