//! evaluation.md 1.3.

use super::*;

fn at(amount: i64, updated_at: i64) -> Row<'static> {
    Row { updated_at: Some(updated_at), ..line_of("A", "1", amount) }
}

fn of_year(amount: i64, year: i32, month: u32) -> Row<'static> {
    let when = When::Day(NaiveDate::from_ymd_opt(year, month, 1).unwrap());
    Row { number_year: Some(year), when, ..line_of("A", "1", amount) }
}

#[test]
fn a_cancellation_voids_its_invoice_before_and_after_it_and_nothing_else() {
    let note = Row { doc_type: DocType::CreditNote, ..line_of("A", "1", -4) };
    let elsewhere = Row { distributor_code: "E", ..line_of("A", "1", 8) };
    let rows = [line_of("A", "1", 1), line_of("A", "2", 2), note, elsewhere, line_of("B", "1", 16)];
    for told in [history().file(&rows).cancel("A", None), history().cancel("A", None).file(&rows)] {
        assert_eq!(told.in_force(), [-4, 16, 8]);
        let settled = told.settle();
        assert_eq!(settled.fates, [Fate::Accepted; 5]);
        assert_eq!(settled.lines.iter().filter(|line| line.cancelled).count(), 2);
    }
}

#[test]
fn a_cancellation_in_a_space_of_one_numbering_knows_no_distributor() {
    let mut told = History { scope: Some(NumberScope::Space), ..history() }
        .file(&[line_of("A", "1", 1)])
        .cancel("A", None);
    told.cancellations[0].distributor_code.clear();
    assert_eq!(told.in_force(), [0; 0]);
}

#[test]
fn lines_count_again_only_if_they_are_later_than_all_cancellations() {
    let told = |stamps: &[Option<i64>], row| {
        let cancelled =
            stamps.iter().fold(history().file(&[at(1, 3)]), |told, stamp| told.cancel("A", *stamp));
        cancelled.file(&[row]).in_force()
    };
    assert_eq!(told(&[Some(5)], at(2, 6)), [2]);
    assert_eq!(told(&[Some(5)], at(1, 6)), [1], "a duplicate keeps the later one");
    assert_eq!(told(&[Some(5)], at(2, 5)), [0; 0]);
    assert_eq!(told(&[Some(5)], line_of("A", "1", 2)), [0; 0]);
    assert_eq!(told(&[Some(5), Some(7)], at(2, 6)), [0; 0]);
    assert_eq!(told(&[Some(7), Some(5)], at(2, 8)), [2]);
    assert_eq!(told(&[Some(5), None], at(2, 6)), [0; 0]);
    assert_eq!(told(&[None], at(2, 6)), [0; 0]);
}

#[test]
fn one_line_can_count_again_while_another_does_not() {
    let told = history()
        .file(&[at(1, 3), Row { line_no: "2", ..at(2, 3) }])
        .cancel("A", Some(5))
        .file(&[Row { line_no: "2", ..at(4, 6) }]);
    assert_eq!(told.in_force(), [4]);
}

#[test]
fn a_document_without_line_numbers_counts_again_as_a_whole() {
    let row = |amount, updated_at| Row { line_no: "", ..at(amount, updated_at) };
    let told = history().cancel("A", Some(5)).file(&[row(1, 4), row(2, 6)]);
    assert_eq!(told.in_force(), [1, 2]);
}

#[test]
fn arrivals_for_a_cancelled_invoice_are_told() {
    let told = history()
        .file(&[line_of("A", "1", 1)])
        .cancel("A", Some(5))
        .file(&[line_of("A", "1", 1), line_of("B", "1", 2), line_of("A", "2", 3)])
        .file(&[Row { line_no: "3", ..at(4, 6) }, Row { line_no: "4", ..at(4, 1) }]);
    assert_eq!(told.settle().for_cancelled, [1, 3, 5]);
    assert_eq!(told.in_force(), [4, 2]);
}

#[test]
fn rejected_rows_and_rows_before_the_cancellation_are_not_told() {
    let told = history().file(&[line_of("A", "1", 1)]).cancel("A", None);
    let told = told.file(&[line_of("A", "2", 1), line_of("A", "2", 2)]);
    assert_eq!(told.settle().for_cancelled, [0; 0]);
}

#[test]
fn with_restarting_numbers_the_latest_on_or_before_its_date_is_void() {
    let rows = [of_year(1, 2024, 5), of_year(2, 2025, 5), of_year(4, 2026, 5)];
    let on = |year, month, date| {
        let day = NaiveDate::from_ymd_opt(year, month, date).unwrap();
        let before = history().cancel_on("A", day, None).file(&rows);
        let after = history().file(&rows).cancel_on("A", day, None);
        assert_eq!(before.in_force(), after.in_force());
        before.in_force()
    };
    assert_eq!(on(2026, 4, 30), [1, 4]);
    assert_eq!(on(2026, 5, 1), [1, 2]);
    assert_eq!(on(2030, 1, 1), [1, 2]);
    assert_eq!(on(2024, 4, 30), [1, 2, 4]);
}

#[test]
fn with_restarting_numbers_arrivals_are_told_of_the_year_that_is_cancelled() {
    let told = history()
        .file(&[of_year(1, 2025, 5)])
        .cancel_on("A", day(4, 1), None)
        .file(&[of_year(1, 2025, 5), of_year(2, 2026, 6)]);
    assert_eq!(told.settle().for_cancelled, [1]);
}

#[test]
fn a_cancellation_that_comes_again_is_a_duplicate_and_heard() {
    let told = history().file(&[at(1, 6)]).cancel("A", Some(5)).cancel("B", None).cancel("A", Some(7));
    let settled = told.settle();
    assert_eq!(settled.cancellation_fates, [Fate::Accepted, Fate::Accepted, Fate::Duplicate]);
    assert!(settled.lines[0].cancelled);
}

#[test]
fn cancellations_among_what_was_said_are_heard() {
    let void = Row { doc_type: DocType::Cancellation, ..line_of("A", "", 0) };
    let told = history().file(&[line_of("A", "1", 1)]).file(&[void, void]);
    let settled = told.settle();
    assert_eq!(settled.fates, [Fate::Accepted, Fate::Accepted, Fate::Duplicate]);
    assert_eq!((settled.lines.len(), settled.lines[0].cancelled), (1, true));
}
