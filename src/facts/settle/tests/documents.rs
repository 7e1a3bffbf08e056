//! evaluation.md 1.1: identity; documents without line numbers; numbers that restart.

use super::*;

const W: fn(i64) -> Row<'static> = |amount| line_of("W", "", amount);

fn at(row: Row<'static>, updated_at: i64) -> Row<'static> {
    Row { updated_at: Some(updated_at), ..row }
}

fn of_year(amount: i64, year: i32, (month, date): (u32, u32)) -> Row<'static> {
    let when = NaiveDate::from_ymd_opt(if month < 4 { year + 1 } else { year }, month, date).unwrap();
    Row { number_year: Some(year), when: When::Day(when), ..line_of("N", "1", amount) }
}

#[test]
fn the_distributor_belongs_to_a_number_unless_it_is_unique_in_the_space() {
    let other = Row { distributor_code: "E", ..line_of("A", "1", 2) };
    let told = history().file(&[line_of("A", "1", 1), other]);
    assert_eq!((told.fates(), told.in_force()), (vec![Fate::Accepted; 2], vec![1, 2]));
    let told = History { scope: Some(NumberScope::Space), ..history() }.file(&[line_of("A", "1", 1), other]);
    assert_eq!(told.fates(), [TWICE, TWICE]);
}

#[test]
fn type_and_space_and_case_tell_documents_apart() {
    let note = Row { doc_type: DocType::CreditNote, ..line_of("A", "1", 2) };
    let mut told = history().file(&[line_of("A", "1", 1), note, line_of("a", "1", 3), line_of("B", "1", 4)]);
    told.said[3].space = 0;
    assert_eq!((told.fates(), told.in_force()), (vec![Fate::Accepted; 4], vec![4, 1, 2, 3]));
}

#[test]
fn identical_rows_without_line_numbers_are_two_and_then_three() {
    let told = history().file(&[W(5), W(5)]);
    assert_eq!((told.fates(), told.in_force()), (vec![Fate::Accepted; 2], vec![5, 5]));
    let told = told.file(&[W(5), W(5), W(5)]);
    assert_eq!((&told.fates()[2..], told.in_force()), (&[Fate::Superseding; 3][..], vec![5, 5, 5]));
    let told = told.file(&[W(5), W(5), W(5)]);
    assert_eq!((&told.fates()[5..], told.in_force()), (&[Fate::Duplicate; 3][..], vec![5, 5, 5]));
}

#[test]
fn rows_without_line_numbers_are_compared_in_any_order() {
    let told = history().file(&[W(1), W(2), W(2)]).file(&[W(2), W(1), W(2)]).file(&[W(2), W(1), W(1)]);
    assert_eq!(&told.fates()[3..6], [Fate::Duplicate; 3]);
    assert_eq!(&told.fates()[6..], [Fate::Superseding; 3]);
    assert_eq!(told.in_force(), [2, 1, 1]);
}

#[test]
fn fewer_rows_without_line_numbers_are_held() {
    let told = history().file(&[W(1), W(2)]).file(&[W(1)]);
    assert_eq!((told.fates()[2], told.in_force()), (VANISHED, vec![1, 2]));
    assert_eq!(told.decide(20, 2, Verdict::Release).in_force(), [1]);
    let outdated = history().file(&[at(W(1), 5), at(W(2), 5)]).file(&[at(W(1), 4)]);
    assert_eq!(outdated.fates()[2], Fate::Outdated);
}

#[test]
fn a_document_without_line_numbers_has_the_latest_updated_at_of_its_rows() {
    let told = history().file(&[at(W(1), 5), W(2)]).file(&[at(W(1), 4), at(W(3), 4)]);
    assert_eq!(&told.fates()[2..], [Fate::Outdated; 2]);
    assert!(told.settle().lines.iter().all(|line| line.row.updated_at == Some(5)));
    let told = history().file(&[at(W(1), 5), W(2)]).file(&[W(1), at(W(2), 8)]).file(&[at(W(1), 7), W(3)]);
    assert_eq!(&told.fates()[2..], [Fate::Duplicate, Fate::Duplicate, Fate::Outdated, Fate::Outdated]);
}

#[test]
fn a_document_without_line_numbers_that_changes_partner_or_date_is_held() {
    let others = |row: Row<'static>| history().file(&[W(1), W(2)]).file(&[row, W(2), W(3)]).fates()[2];
    assert_eq!(others(Row { partner_code: "Q", ..W(1) }), CONFLICT);
    assert_eq!(others(Row { when: When::Day(day(3, 30)), ..W(1) }), CONFLICT);
    assert_eq!(others(Row { when: When::Day(day(3, 31)), ..W(1) }), Fate::Superseding);
}

#[test]
fn a_document_without_line_numbers_may_name_two_partners() {
    let other = Row { partner_code: "Q", ..W(2) };
    let told = history().file(&[W(1), other]).file(&[other, W(3)]);
    assert_eq!(told.fates(), [Fate::Accepted, Fate::Accepted, Fate::Superseding, Fate::Superseding]);
}

#[test]
fn with_line_numbers_one_time_and_without_them_another_is_held() {
    let (with, without) = (line_of("A", "1", 1), line_of("A", "", 1));
    let told = history().file(&[with]).file(&[without, without]);
    assert_eq!((told.fates(), told.in_force()), (vec![Fate::Accepted, CONFLICT, CONFLICT], vec![1]));
    let told = history().file(&[without]).file(&[with, line_of("A", "2", 2)]);
    assert_eq!((told.fates(), told.in_force()), (vec![Fate::Accepted, CONFLICT, CONFLICT], vec![1]));
    let notes = history().file(&[with]).file(&[Row { doc_type: DocType::CreditNote, ..without }]);
    assert_eq!(notes.fates(), [Fate::Accepted; 2], "another document");
}

#[test]
fn what_is_released_with_line_numbers_replaces_what_spoke_without() {
    let told = history()
        .file(&[line_of("A", "", 9), line_of("A", "", 9)])
        .file(&[line_of("A", "1", 1), line_of("A", "2", 2)]);
    let one = told.decide(20, 2, Verdict::Release);
    assert_eq!(one.in_force(), [1]);
    let both = one.decide(20, 3, Verdict::Release);
    assert_eq!(both.in_force(), [1, 2]);
    let back = both.file(&[line_of("A", "", 9)]).decide(30, 2, Verdict::Release);
    assert_eq!(back.in_force(), [9]);
}

#[test]
fn with_and_without_line_numbers_in_one_file_is_held_whole() {
    let told = history().file(&[line_of("A", "1", 1), line_of("A", "", 2), line_of("B", "1", 3)]);
    assert_eq!((told.fates(), told.in_force()), (vec![CONFLICT, CONFLICT, Fate::Accepted], vec![3]));
    let released = told.decide(10, 3, Verdict::Release);
    assert_eq!(released.in_force(), [2, 1, 3], "any of its rows names it");
    let again = released.file(&[line_of("A", "", 2), line_of("A", "1", 1)]);
    assert_eq!(&again.fates()[3..], [Fate::Duplicate; 2]);
}

#[test]
fn numbers_that_restart_are_other_documents_each_year() {
    let told =
        history().file(&[of_year(1, 2024, (5, 1)), of_year(2, 2025, (5, 1)), of_year(3, 2026, (5, 1))]);
    assert_eq!((told.fates(), told.in_force()), (vec![Fate::Accepted; 3], vec![1, 2, 3]));
}

#[test]
fn the_same_number_near_in_the_neighbouring_year_is_held() {
    for (date, fate) in [((4, 30), CONFLICT), ((5, 1), Fate::Accepted)] {
        let told = history().file(&[of_year(1, 2025, (3, 30))]).file(&[of_year(2, 2026, date)]);
        assert_eq!(told.fates(), [Fate::Accepted, fate], "{date:?}");
        let told = history().file(&[of_year(2, 2026, date)]).file(&[of_year(1, 2025, (3, 30))]);
        assert_eq!(told.fates(), [Fate::Accepted, fate], "{date:?}");
    }
    let one_file = history().file(&[of_year(2, 2026, (4, 2)), of_year(1, 2025, (3, 30))]);
    assert_eq!((one_file.fates(), one_file.in_force()), (vec![Fate::Accepted, CONFLICT], vec![2]));
}

#[test]
fn a_version_that_comes_near_the_neighbouring_year_is_held() {
    let told = history()
        .file(&[of_year(1, 2025, (3, 20)), of_year(2, 2026, (5, 10))])
        .file(&[of_year(2, 2026, (4, 15))])
        .file(&[of_year(2, 2026, (4, 30))]);
    assert_eq!(told.fates(), [Fate::Accepted, Fate::Accepted, CONFLICT, Fate::Superseding]);
}

#[test]
fn what_a_person_released_next_to_a_neighbour_is_not_held_for_it_again() {
    let told = history().file(&[of_year(1, 2025, (3, 30))]).file(&[of_year(2, 2026, (4, 2))]).decide(
        20,
        2,
        Verdict::Release,
    );
    assert_eq!(told.in_force(), [1, 2]);
    let next_line = Row { line_no: "2", ..of_year(3, 2026, (4, 2)) };
    let told = told.file(&[of_year(4, 2025, (3, 30)), of_year(5, 2026, (4, 3)), next_line]);
    assert_eq!(&told.fates()[2..], [Fate::Superseding, Fate::Superseding, Fate::Accepted]);
}

#[test]
fn lines_are_in_order_of_number_type_year_line_and_file_line() {
    let mut rows = [
        line_of("B", "", 3),
        line_of("B", "", 2),
        line_of("A", "2", 1),
        line_of("A", "10", 1),
        Row { doc_type: DocType::CreditNote, ..line_of("A", "1", 1) },
        of_year(1, 2026, (5, 1)),
        of_year(1, 2024, (5, 1)),
        Row { distributor_code: "", ..line_of("Z", "1", 1) },
    ];
    let told = history().file(&rows);
    rows.reverse();
    let backwards = history().file(&rows);
    for told in [told, backwards] {
        let settled = told.settle();
        assert!(settled.lines.is_sorted_by(|a, b| in_their_order(a, b)));
        assert_eq!(settled.lines.len(), 8);
    }
}
