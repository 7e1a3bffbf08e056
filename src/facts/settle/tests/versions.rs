//! evaluation.md 1.2, lines with line numbers.

use super::*;

const A: fn(i64) -> Row<'static> = |amount| line_of("A", "1", amount);

fn at(row: Row<'static>, updated_at: i64) -> Row<'static> {
    Row { updated_at: Some(updated_at), ..row }
}

#[test]
fn a_first_version_is_accepted_and_the_same_again_a_duplicate() {
    let told = history().file(&[A(1), line_of("A", "2", 2)]).file(&[A(1)]);
    assert_eq!(told.fates(), [Fate::Accepted, Fate::Accepted, Fate::Duplicate]);
    assert_eq!(told.in_force(), [1, 2]);
}

#[test]
fn other_content_supersedes_also_when_it_is_older_content_again() {
    let told = history().file(&[A(1)]).file(&[A(2)]).file(&[A(1)]);
    assert_eq!(told.fates(), [Fate::Accepted, Fate::Superseding, Fate::Superseding]);
    let settled = told.settle();
    assert_eq!((settled.lines.len(), settled.lines[0].seq), (1, 30));
}

#[test]
fn a_file_read_again_keeps_its_place_among_the_others() {
    let mut told = history().file(&[A(1)]).file(&[A(2)]).file(&[A(3), line_of("B", "1", 4)]);
    // the first file, read again: its first reading is silent, and the second file still comes after it
    (told.said[0].seq, told.said[0].rank) = (40, 10);
    assert_eq!(told.fates(), [Fate::Accepted, Fate::Superseding, Fate::Superseding, Fate::Accepted]);
    assert_eq!(told.in_force(), [3, 4]);
    // without the files in between, it is the only one
    told.said.drain(1..);
    assert_eq!((told.fates(), told.settle().lines[0].seq), (vec![Fate::Accepted], 40));
}

#[test]
fn the_later_updated_at_speaks_where_both_have_one() {
    let told = history().file(&[at(A(1), 5)]).file(&[at(A(2), 4)]);
    assert_eq!((told.fates(), told.in_force()), (vec![Fate::Accepted, Fate::Outdated], vec![1]));
    let told = history().file(&[at(A(1), 5)]).file(&[at(A(2), 5)]);
    assert_eq!((told.fates(), told.in_force()), (vec![Fate::Accepted, Fate::Superseding], vec![2]));
    for (first, second) in [(at(A(1), 5), A(2)), (A(1), at(A(2), 5)), (A(1), A(2))] {
        let told = history().file(&[first]).file(&[second]);
        assert_eq!((told.fates()[1], told.in_force()), (Fate::Superseding, vec![2]));
    }
}

#[test]
fn of_duplicates_the_later_updated_at_is_kept() {
    let told = history().file(&[at(A(1), 3)]).file(&[at(A(1), 7)]).file(&[at(A(2), 5)]);
    assert_eq!(told.fates(), [Fate::Accepted, Fate::Duplicate, Fate::Outdated]);
    assert_eq!(told.settle().lines[0].row.updated_at, Some(7));
    let told = history().file(&[at(A(1), 3)]).file(&[at(A(1), 2)]).file(&[A(1)]);
    assert_eq!(told.settle().lines[0].row.updated_at, Some(3));
    let lent = history().file(&[A(1)]).file(&[at(A(1), 4)]).file(&[at(A(2), 3)]);
    assert_eq!(lent.fates()[2], Fate::Outdated);
}

#[test]
fn an_older_version_is_outdated_and_never_held() {
    let other_partner = Row { partner_code: "Q", ..at(A(2), 1) };
    let told = history().file(&[at(A(1), 5)]).file(&[other_partner]);
    assert_eq!(told.fates()[1], Fate::Outdated);
}

#[test]
fn the_same_line_twice_in_one_file_with_other_content_rejects_all_its_rows() {
    let told = history().file(&[A(1), line_of("A", "2", 2), A(3), A(1)]);
    assert_eq!(told.fates(), [TWICE, Fate::Accepted, TWICE, TWICE]);
    assert_eq!(told.in_force(), [2]);
    let whoever = history().file(&[A(1), Row { partner_code: "Q", ..A(1) }]);
    assert_eq!(whoever.fates(), [TWICE, TWICE]);
}

#[test]
fn rejected_rows_leave_the_version_that_speaks_alone() {
    let told = history().file(&[A(1)]).file(&[A(2), A(3)]);
    assert_eq!((told.fates(), told.in_force()), (vec![Fate::Accepted, TWICE, TWICE], vec![1]));
}

#[test]
fn the_same_line_twice_in_one_file_with_the_same_content_is_one() {
    let told = history().file(&[at(A(1), 1), at(A(1), 9)]);
    assert_eq!((told.fates(), told.in_force()), (vec![Fate::Accepted, Fate::Duplicate], vec![1]));
    assert_eq!(told.settle().lines[0].row.updated_at, Some(9));
    assert_eq!(told.settle().lines[0].row.file_line, 2);
}

#[test]
fn a_change_of_partner_is_held_and_the_version_it_contradicts_stays() {
    let told = history().file(&[A(1)]).file(&[Row { partner_code: "Q", ..A(2) }]).file(&[A(3)]);
    assert_eq!(told.fates(), [Fate::Accepted, CONFLICT, Fate::Superseding]);
    assert_eq!(told.in_force(), [3]);
}

#[test]
fn a_date_may_move_by_31_days_either_way_and_no_more() {
    for (moved, fate) in [
        (day(6, 1), Fate::Superseding),
        (day(6, 2), CONFLICT),
        (day(3, 31), Fate::Superseding),
        (day(3, 30), CONFLICT),
    ] {
        let told = history().file(&[A(1)]).file(&[Row { when: When::Day(moved), ..A(1) }]);
        assert_eq!(told.fates()[1], fate, "{moved}");
    }
}

#[test]
fn conflicts_are_measured_against_a_cancelled_version_too() {
    let told = history().file(&[A(1)]).cancel("A", None).file(&[Row { partner_code: "Q", ..A(2) }]);
    assert_eq!(told.fates()[1], CONFLICT);
}

#[test]
fn a_held_version_that_is_released_speaks_from_then_on() {
    let held = Row { partner_code: "Q", ..A(2) };
    let told = history().file(&[A(1)]).file(&[held]).decide(20, 2, Verdict::Release);
    let settled = told.settle();
    assert_eq!(settled.fates, [Fate::Accepted, CONFLICT]);
    assert_eq!((settled.lines.len(), settled.lines[0].row.partner_code), (1, "Q"));
    let after = told.file(&[A(3)]);
    assert_eq!(after.fates()[2], CONFLICT, "now the old partner is the contradiction");
}

#[test]
fn a_held_version_that_is_discarded_never_speaks() {
    let held = Row { partner_code: "Q", ..A(2) };
    let told = history().file(&[A(1)]).file(&[held]).decide(20, 2, Verdict::Discard);
    assert_eq!(told.in_force(), [1]);
    let told = told.file(&[]).decide(20, 2, Verdict::Release);
    assert_eq!(told.in_force(), [1], "the first decision holds");
}

#[test]
fn a_release_comes_too_late_for_a_version_outdated_meanwhile() {
    let told = history()
        .file(&[at(A(1), 1)])
        .file(&[Row { partner_code: "Q", ..at(A(2), 2) }])
        .file(&[at(A(3), 3)])
        .decide(20, 2, Verdict::Release);
    assert_eq!(told.in_force(), [3]);
}

#[test]
fn a_release_speaks_before_a_file_that_comes_after_it() {
    let told = history()
        .file(&[A(1)])
        .file(&[Row { partner_code: "Q", ..A(2) }])
        .decide(20, 2, Verdict::Release)
        .file(&[Row { partner_code: "Q", ..A(4) }]);
    assert_eq!((told.fates()[2], told.in_force()), (Fate::Superseding, vec![4]));
}

#[test]
fn a_decision_about_a_row_that_is_not_held_changes_nothing() {
    let told = history().file(&[A(1)]).file(&[A(2)]).decide(10, 2, Verdict::Release);
    assert_eq!(told.in_force(), [2]);
}
