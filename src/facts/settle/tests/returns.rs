//! evaluation.md 1.6.

use super::*;

fn note(sku: &'static str, ref_line_no: &'static str) -> Row<'static> {
    Row {
        doc_type: DocType::CreditNote,
        ref_invoice_no: "A",
        ref_line_no,
        sku,
        when: When::Day(day(6, 1)),
        ..line_of("C", "1", -1)
    }
}

fn sold(line_no: &'static str, sku: &'static str) -> Row<'static> {
    Row { sku, channel: "retail", category: "LED", payment_method: "cash", ..line_of("A", line_no, 1) }
}

/// the line numbers of what a note returns
fn returned(told: &History) -> Vec<&'static str> {
    let settled = told.settle();
    let note = settled.lines.iter().find(|line| line.row.doc_type == DocType::CreditNote).unwrap();
    match &note.reference {
        Reference::Found(lines) => lines.iter().map(|at| settled.lines[*at].row.line_no).collect(),
        other => panic!("{other:?}"),
    }
}

fn reference(told: &History) -> (Reference, Row<'static>) {
    let settled = told.settle();
    let note = settled.lines.iter().find(|line| line.row.doc_type == DocType::CreditNote).unwrap();
    (note.reference.clone(), note.row)
}

#[test]
fn a_note_returns_the_line_it_names_else_those_with_its_sku_else_all() {
    let told =
        |note| history().file(&[sold("1", "led-9"), sold("2", "FAN"), sold("3", "LED-9")]).file(&[note]);
    assert_eq!(returned(&told(note("", "2"))), ["2"]);
    assert_eq!(returned(&told(note("LED-9", "2"))), ["2"]);
    assert_eq!(returned(&told(note("LED-9", ""))), ["1", "3"]);
    assert_eq!(returned(&told(note("LED-9", "7"))), ["1", "3"], "that line is not there");
    assert_eq!(returned(&told(note("", ""))), ["1", "2", "3"]);
    assert_eq!(returned(&told(note("WIRE", "7"))), ["1", "2", "3"]);
}

#[test]
fn a_line_that_is_void_is_not_returned() {
    let stamped = |line_no, sku, updated_at| Row { updated_at, ..sold(line_no, sku) };
    let told = history()
        .file(&[stamped("1", "LED", Some(1)), stamped("2", "FAN", Some(9))])
        .cancel("A", Some(5))
        .file(&[note("LED", "1")]);
    assert_eq!(returned(&told), ["2"]);
}

#[test]
fn the_invoice_is_unknown_or_cancelled_or_found() {
    let told = history().file(&[note("", "")]);
    assert_eq!(reference(&told).0, Reference::Unknown);
    let told = told.file(&[sold("1", "")]);
    assert!(matches!(reference(&told).0, Reference::Found(_)));
    assert_eq!(reference(&told.cancel("A", None)).0, Reference::Cancelled);
    let elsewhere = history().file(&[Row { distributor_code: "E", ..note("", "") }, sold("1", "")]);
    assert_eq!(reference(&elsewhere).0, Reference::Unknown);
    let names_none = history().file(&[Row { ref_invoice_no: "", ..note("", "") }, sold("1", "")]);
    assert_eq!(reference(&names_none).0, Reference::None);
    let held = history().file(&[line_of("A", "", 1), sold("1", "")]).file(&[note("", "")]);
    assert_eq!(reference(&held).0, Reference::Unknown, "what is held does not speak");
    let names_a_note = history().file(&[Row { ref_invoice_no: "C", ..note("", "") }]);
    assert_eq!(reference(&names_a_note).0, Reference::Unknown);
}

#[test]
fn within_a_space_of_one_numbering_the_distributor_does_not_matter() {
    let told = History { scope: Some(NumberScope::Space), ..history() }
        .file(&[Row { distributor_code: "E", ..note("", "") }, sold("1", "")]);
    assert_eq!(returned(&told), ["1"]);
}

#[test]
fn a_note_may_return_the_invoice_of_another_partner() {
    let told = history().file(&[Row { partner_code: "Q", ..sold("1", "") }, note("", "")]);
    assert_eq!(returned(&told), ["1"]);
}

#[test]
fn what_a_note_lacks_it_takes_where_the_returned_lines_have_the_same() {
    let told = history().file(&[
        Row { category: "led", ..sold("1", "X") },
        Row { channel: "wholesale", payment_method: "", ..sold("2", "X") },
        note("", ""),
    ]);
    let row = reference(&told).1;
    assert_eq!((row.sku, row.category, row.channel, row.payment_method), ("X", "led", "", ""));
    let own = Row { channel: "own", ..note("", "") };
    let row = reference(&history().file(&[sold("1", "X"), own])).1;
    assert_eq!((row.sku, row.channel, row.payment_method), ("X", "own", "cash"));
}

#[test]
fn nothing_is_taken_from_an_invoice_that_is_cancelled() {
    let told = history().file(&[sold("1", "X"), note("", "")]).cancel("A", None);
    assert_eq!(reference(&told).1.sku, "");
}

#[test]
fn with_restarting_numbers_the_latest_on_or_before_the_note_is_meant() {
    let of_year = |year, month| Row {
        number_year: Some(year),
        when: When::Day(NaiveDate::from_ymd_opt(year, month, 1).unwrap()),
        ..sold("1", "")
    };
    let told = |month| {
        let note = Row { number_year: Some(2026), when: When::Day(day(month, 1)), ..note("", "") };
        history().file(&[of_year(2024, 5), of_year(2025, 5), of_year(2026, 5)]).file(&[note]).settle()
    };
    let year = |settled: &Settled<'_>| match &settled.lines.last().unwrap().reference {
        Reference::Found(lines) => settled.lines[lines[0]].row.number_year,
        other => panic!("{other:?}"),
    };
    assert_eq!(year(&told(4)), Some(2025));
    assert_eq!(year(&told(5)), Some(2026));
    let cancelled = history()
        .file(&[of_year(2025, 5), of_year(2026, 5), Row { number_year: Some(2026), ..note("", "") }])
        .cancel_on("A", day(5, 1), None);
    assert_eq!(reference(&cancelled).0, Reference::Cancelled, "not the year before instead");
}
