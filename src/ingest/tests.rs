//! Whole files through the public functions.

use super::*;
use crate::domain::when::When;
use crate::facts::row::{DocType, Row};
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
        last_row: LastRow::Data,
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

/// The same, block by block, by two readers in turn.
fn listed_in_blocks(bytes: &mut dyn Read, layout: &Layout) -> Result<(Vec<String>, usize), Stop> {
    let mut lines = Vec::new();
    let (file, mut blocks) = SalesFile::open(bytes, Packing::Plain, layout)?;
    let mut readers = [file.reader(), file.reader()];
    let (mut room, mut count) = (Vec::new(), 0);
    while let Some(block) = blocks.next(room)? {
        room = readers[count % 2].read(block, &mut |taken| {
            lines.push(match taken {
                Taken::Row(row) => format!("{row:?}"),
                Taken::Reject(reject) => format!("{reject:?}"),
            });
            Ok(())
        })?;
        count += 1;
    }
    assert!(blocks.ended());
    Ok((lines, count))
}

#[test]
fn in_blocks_a_file_is_what_it_is_whole() {
    let mut text =
        "invoice_no,line_no,invoice_date,partner_code,partner_name,distributor_code,amount\n".to_owned();
    for row in 0..20_000 {
        let (end, name) = match row % 1_000 {
            7 => ("\r\n", "\"Asha, \"\"Sons\"\"\nof Pune\""),
            8 => ("\r", "Asha"),
            9 => ("\n\n", "\"Asha\"s"),
            _ => ("\n", "Asha"),
        };
        let amount = if row % 500 == 3 { "much" } else { "12.50" };
        text.push_str(&format!(
            "IN{row:07},1,2026-04-01T10:00:00,P{},{name},D{},{amount}{end}",
            row % 97,
            row % 7
        ));
    }
    for (text, whole) in [(text.clone(), true), (format!("{text}IN1,1,2026-04-01,P,\"open,D,1\n"), false)] {
        let listed = listed(&mut text.as_bytes(), Packing::Plain, &layout());
        let in_blocks = listed_in_blocks(&mut text.as_bytes(), &layout());
        match (listed, in_blocks) {
            (Ok((listed, _)), Ok((in_blocks, blocks))) => {
                assert!(whole && blocks > 3, "{blocks} blocks");
                assert!(listed == in_blocks);
            }
            (Err(Stop::Refused(one)), Err(Stop::Refused(other))) => {
                assert!(!whole);
                assert_eq!(one, other);
            }
            (listed, in_blocks) => panic!("{:?} and {:?}", listed.is_ok(), in_blocks.is_ok()),
        }
    }
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

#[test]
fn a_default_speaks_for_a_missing_column_only() {
    let mut feed = layout();
    feed.defaults = map(&[("status", "posted"), ("partner_code", "P9"), ("quantity", "3")]);
    let text = b"invoice_no,invoice_date,amount,status\n1,2026-04-30,1,\n2,2026-04-30,1,open\n";
    check_rows(text, &feed, &mut |at, row| {
        assert_eq!((row.partner_code, row.quantity.to_string()), ("P9", "3".to_string()));
        assert_eq!(row.status, ["", "open"][at]);
    });
    feed.defaults.insert("quantity".into(), "many".into());
    let details: Vec<String> = rejects(text, &feed).into_iter().map(|reject| reject.detail).collect();
    assert!(details[0].starts_with("the default of quantity is `many`"), "{details:?}");
}

#[test]
fn updated_at_keeps_microseconds_and_a_date_is_its_first_moment() {
    let micros = |written: &str| {
        let mut found = None;
        check_rows(&file(&format!("1,,,2026-04-30,P,,,1,{written}\n")), &layout(), &mut |_, row| {
            found = row.updated_at
        });
        found
    };
    assert_eq!(micros("1970-01-01T00:00:00.123456789Z"), Some(123_456));
    assert_eq!(micros("\"1970-01-01T00:00:00,5+00:00\""), Some(500_000));
    assert_eq!(micros("1970-01-01"), Some(-19_800_000_000));
    assert_eq!(micros("1970-01-01 05:30"), Some(0));
    assert_eq!(micros("9999-12-31T23:59:59.999999Z"), Some(253_402_300_799_999_999));
    assert_eq!(micros(""), None);
}

#[test]
fn a_missing_column_says_what_was_looked_for_and_found() {
    let mut feed = layout();
    feed.columns = map(&[("partner_code", "Dealer Code")]);
    let refusal = refusal(b"invoice_no,invoice_date,Dealr Code,amount\n", Packing::Plain, &feed);
    assert_eq!(refusal.reason, "missing_column");
    for part in
        ["`Dealer Code` (for partner_code)", "nearest is `Dealr Code`", "found `invoice_no`, `invoice_date`"]
    {
        assert!(refusal.detail.contains(part), "{}", refusal.detail);
    }
}

#[test]
fn a_failing_disk_is_not_a_bad_file() {
    struct Failing(&'static [u8]);
    impl Read for Failing {
        fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
            match self.0.read(out)? {
                0 => Err(std::io::Error::other("disk gone")),
                read => Ok(read),
            }
        }
    }
    let gzip = &[0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3][..];
    for (bytes, packing) in
        [(&b"invoice_no,"[..], Packing::Plain), (gzip, Packing::Gzip), (&b""[..], Packing::Gzip)]
    {
        let outcome = listed(&mut Failing(bytes), packing, &layout());
        assert!(matches!(outcome, Err(Stop::Io(_))), "{packing:?}: {outcome:?}");
    }
}

#[test]
fn whoever_takes_the_rows_can_stop() {
    let outcome = sales(&mut &file("1,,,2026-04-30,P,,,1,\n")[..], Packing::Plain, &layout(), &mut |_| {
        anyhow::bail!("full")
    });
    assert!(matches!(outcome, Err(Stop::Taker(_))), "{outcome:?}");
}

#[test]
fn master_records_have_their_defaults() {
    let text = b"partner_code,name,active,joined_on,effective_from\nP1,Asha,n,2026-04-30T23:30:00Z,\nP2,Ben,,,2026-04-01\n";
    let mut seen = Vec::new();
    let tally = partners(&mut &text[..], Packing::Plain, &layout(), &mut |taken| {
        if let Taken::Row(row) = taken {
            seen.push(row);
        }
        Ok(())
    });
    assert_eq!(tally.expect("a good file").rows, 2);
    assert_eq!((seen[0].code.as_str(), seen[0].file_line, seen[0].dated), ("P1", 2, false));
    assert_eq!((seen[0].record.active, seen[0].record.tracked), (false, true));
    assert_eq!(seen[0].record.joined_on, NaiveDate::from_ymd_opt(2026, 4, 30));
    assert_eq!((seen[0].record.effective_from, seen[1].dated), (NaiveDate::MIN, true));
    assert_eq!(Some(seen[1].record.effective_from), NaiveDate::from_ymd_opt(2026, 4, 1));
}

/// Hands out so many bytes at a time, in turn.
struct Pieces<'b> {
    bytes: &'b [u8],
    sizes: Vec<usize>,
    turn: usize,
}

impl Read for Pieces<'_> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let size = self.sizes[self.turn % self.sizes.len()].min(out.len());
        self.turn += 1;
        self.bytes.read(&mut out[..size])
    }
}

/// Files that are nearly right: a header, rows of plausible cells, every kind of line end, quotes here and there.
fn nearly_right() -> impl Strategy<Value = Vec<u8>> {
    let cell = prop_oneof![
        4 => "[A-Z]{0,2}/?[0-9]{0,3}",
        3 => "2026-(0[1-9]|1[0-2])-[0-3][0-9]",
        3 => "-?[0-9]{1,4}(\\.[0-9]{1,2})?",
        1 => "(invoice|credit_note|cancellation)",
        1 => "\"[a-z,\n\r ]{0,4}(\"\")?\" ?",
        1 => "\"?[a-zé\u{0}\"]{0,4}",
    ];
    let row = (proptest::collection::vec(cell, 0..11), "(\n|\r\n|\r|\n\n)")
        .prop_map(|(cells, end)| cells.join(",") + &end);
    proptest::collection::vec(row, 0..12).prop_map(|rows| file(&rows.concat()))
}

proptest! {
    #[test]
    fn pieces_change_nothing(bytes in nearly_right(), sizes in proptest::collection::vec(1_usize..9, 1..4), encoding in 0..3) {
        let mut feed = layout();
        feed.encoding = [Encoding::Utf8, Encoding::Windows1252, Encoding::Utf16][encoding as usize];
        let whole = format!("{:?}", listed(&mut &bytes[..], Packing::Plain, &feed));
        let pieces = format!("{:?}", listed(&mut Pieces { bytes: &bytes, sizes, turn: 0 }, Packing::Plain, &feed));
        prop_assert_eq!(whole, pieces);
    }

    #[test]
    fn any_bytes_come_to_an_end(noise in proptest::collection::vec(any::<u8>(), 0..400), begin in 0..4, packed: bool, encoding in 0..3) {
        let mut feed = layout();
        feed.encoding = [Encoding::Utf8, Encoding::Windows1252, Encoding::Utf16][encoding as usize];
        let begin: &[u8] = [b"", HEADER.as_bytes(), b"\x1F\x8B\x08", b"\xFF\xFEi\0"][begin as usize];
        let bytes = [begin, &noise].concat();
        let packing = if packed { Packing::Gzip } else { Packing::Plain };
        if let Ok((lines, tally)) = listed(&mut &bytes[..], packing, &feed) {
            prop_assert_eq!(lines.len() as u64, tally.rows);
        }
    }

    #[test]
    fn every_row_is_taken_or_rejected(bytes in nearly_right()) {
        if let Ok((lines, tally)) = listed(&mut &bytes[..], Packing::Plain, &layout()) {
            let rejects = lines.iter().filter(|line| line.starts_with("Reject")).count() as u64;
            prop_assert_eq!((lines.len() as u64, rejects, tally.bytes), (tally.rows, tally.rejects, bytes.len() as u64));
        }
    }
}
