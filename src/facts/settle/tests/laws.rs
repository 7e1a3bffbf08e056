//! The laws `order` and "as it stood" over random histories, and a settling that must not depend on what else was said.

use super::*;
use proptest::prelude::*;

/// a random row of few values, so that rows meet
fn row() -> impl Strategy<Value = Row<'static>> {
    let number = prop::sample::select(vec!["A", "B", "C"]);
    let line_no = prop::sample::select(vec!["", "1", "1", "2"]);
    let partner = prop::sample::select(vec!["P", "P", "P", "Q"]);
    let sku = prop::sample::select(vec!["", "X", "x", "Y"]);
    let doc_type = prop::sample::select(vec![DocType::Invoice, DocType::Invoice, DocType::CreditNote]);
    let dated = (prop::sample::select(vec![None, Some(0), Some(1)]), 0u64..120);
    (number, line_no, partner, sku, doc_type, dated, 1i64..4, prop::option::of(0i64..6)).prop_map(
        |(invoice_no, line_no, partner_code, sku, doc_type, (year, days), amount, updated_at)| {
            let when = day(2, 1) + chrono::Days::new(days);
            let restart = i32::from(when >= day(4, 1));
            Row {
                invoice_no,
                partner_code,
                sku,
                doc_type,
                when: When::Day(when),
                number_year: year.map(|_| restart),
                ref_invoice_no: if doc_type == DocType::CreditNote { "A" } else { "" },
                updated_at,
                ..line_of("", line_no, amount)
            }
        },
    )
}

fn any_history() -> impl Strategy<Value = History> {
    let file = prop::collection::vec(row(), 0..6);
    let void = (prop::sample::select(vec!["A", "B"]), 0u64..120, prop::option::of(0i64..6));
    let step = prop_oneof![
        6 => file.prop_map(Step::File),
        1 => void.prop_map(|(number, days, stamp)| Step::Cancel(number, days, stamp)),
        1 => (0i64..8, 2u64..6, any::<bool>()).prop_map(|(file, line, release)| Step::Decide(file, line, release)),
    ];
    prop::collection::vec(step, 0..8).prop_map(|steps| {
        steps.into_iter().fold(history(), |told, step| match step {
            Step::File(rows) => told.file(&rows),
            Step::Cancel(number, days, stamp) => {
                told.cancel_on(number, day(2, 1) + chrono::Days::new(days), stamp)
            }
            Step::Decide(file, line, true) => told.decide(file * 10, line, Verdict::Release),
            Step::Decide(file, line, false) => told.decide(file * 10, line, Verdict::Discard),
        })
    })
}

#[derive(Debug, Clone)]
enum Step {
    File(Vec<Row<'static>>),
    Cancel(&'static str, u64, Option<i64>),
    Decide(i64, u64, bool),
}

/// what is in force as values, without where it was said
fn facts(settled: &Settled<'static>) -> Vec<(Row<'static>, bool, Reference)> {
    let mut lines: Vec<_> = settled
        .lines
        .iter()
        .map(|line| {
            (
                Row { file_line: 0, sku: if line.row.sku == "x" { "X" } else { line.row.sku }, ..line.row },
                line.cancelled,
                line.reference.clone(),
            )
        })
        .collect();
    // rows of one document without line numbers stand in the order of their file
    for document in
        lines.chunk_by_mut(|a, b| a.0.invoice_no == b.0.invoice_no && a.0.doc_type == b.0.doc_type)
    {
        document.sort_by(|a, b| crate::facts::content::order(&a.0, &b.0));
    }
    lines
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn what_stood_then_does_not_depend_on_what_came_later(told in any_history(), until in 0i64..9) {
        let until = until * 10 + 5;
        let whole = told.settle();
        let said: Vec<Said<'static>> = told.said.iter().filter(|said| said.seq <= until).cloned().collect();
        let voids: Vec<Cancellation> = told.cancellations.iter().filter(|void| void.seq <= until).cloned().collect();
        let decisions: Vec<Decision> = told.decisions.iter().filter(|decision| decision.at <= until).cloned().collect();
        let then = settle(&said, &voids, &decisions);
        prop_assert_eq!(&then.fates[..], &whole.fates[..said.len()]);
        prop_assert_eq!(&then.cancellation_fates[..], &whole.cancellation_fates[..voids.len()]);
        let late: Vec<usize> = whole.for_cancelled.iter().copied().filter(|at| *at < said.len()).collect();
        prop_assert_eq!(then.for_cancelled, late);
    }

    #[test]
    fn the_order_in_which_it_is_given_tells_nothing(told in any_history(), seed in any::<prop::sample::Index>()) {
        let settled = told.settle();
        let mut said = told.said.clone();
        if !said.is_empty() {
            let middle = seed.index(said.len());
            said.rotate_left(middle);
            said.reverse();
        }
        let again = settle(&said, &told.cancellations, &told.decisions);
        prop_assert_eq!(format!("{:?}", settled.lines), format!("{:?}", again.lines));
    }

    #[test]
    fn the_shortcut_changes_nothing(told in any_history()) {
        let taken = settle_by(Shortcut::Taken, &told.said, &told.cancellations, &told.decisions);
        let never = settle_by(Shortcut::Never, &told.said, &told.cancellations, &told.decisions);
        prop_assert_eq!(format!("{taken:?}"), format!("{never:?}"));
    }

    #[test]
    fn every_row_of_what_speaks_was_taken(told in any_history()) {
        let settled = told.settle();
        prop_assert_eq!(settled.fates.len(), told.said.len());
        for line in &settled.lines {
            let at = told.said.iter().position(|said| (said.seq, said.row.file_line) == (line.seq, line.row.file_line)).unwrap();
            let fate = settled.fates[at];
            let spoke = matches!(fate, Fate::Accepted | Fate::Superseding) || (matches!(fate, Fate::Held(_)) && !told.decisions.is_empty());
            prop_assert!(spoke, "{:?}", fate);
        }
        prop_assert!(settled.lines.is_sorted_by(|a, b| in_their_order(a, b)));
    }

    #[test]
    fn each_number_is_settled_by_itself(told in any_history()) {
        let all = told.settle();
        for number in ["A", "B", "C"] {
            let said: Vec<Said<'static>> = told.said.iter().filter(|said| said.row.invoice_no == number).cloned().collect();
            let alone = settle(&said, &told.cancellations, &told.decisions);
            let of_it = all.lines.iter().filter(|line| line.row.invoice_no == number);
            let brief = |line: &Line<'static>| (line.seq, line.row.file_line, line.cancelled);
            prop_assert!(alone.lines.iter().map(brief).eq(of_it.map(brief)));
        }
    }

    /// each document in one file only: files in any order give the same lines
    #[test]
    fn files_of_distinct_documents_may_come_in_any_order(
        rows in prop::collection::vec((row(), 0usize..4), 0..14), order in Just(vec![0usize, 1, 2, 3]).prop_shuffle(),
        void in prop::option::of((0u64..120, prop::option::of(0i64..6))), void_first: bool,
    ) {
        let home = |row: &Row<'static>| rows.iter().find(|(other, _)| other.invoice_no == row.invoice_no && other.doc_type == row.doc_type);
        let file = |n: usize| -> Vec<Row<'static>> {
            rows.iter().filter(|(row, _)| home(row).is_some_and(|(_, file)| *file == n)).map(|(row, _)| *row).collect()
        };
        let cancel = |told: History| match void {
            Some((days, stamp)) => told.cancel_on("A", day(2, 1) + chrono::Days::new(days), stamp),
            None => told,
        };
        let straight = cancel((0..4).fold(history(), |told, n| told.file(&file(n))));
        let start = if void_first { cancel(history()) } else { history() };
        let shuffled = order.iter().fold(start, |told, n| told.file(&file(*n)));
        let shuffled = if void_first { shuffled } else { cancel(shuffled) };
        prop_assert_eq!(facts(&straight.settle()), facts(&shuffled.settle()));
    }

    /// updated_at on everything, no two versions with the same one, nothing held or rejected: any order gives the same lines
    #[test]
    fn with_updated_at_on_everything_any_order_gives_the_same(
        rows in prop::collection::vec(row(), 0..8), stamps in Just((0i64..8).collect::<Vec<_>>()).prop_shuffle(),
        order in Just((0usize..8).collect::<Vec<_>>()).prop_shuffle(), void in prop::option::of(0i64..9),
    ) {
        let rows: Vec<Row<'static>> = rows.iter().zip(&stamps).map(|(row, stamp)| Row {
            updated_at: Some(*stamp),
            line_no: if row.invoice_no == "C" { "" } else if row.line_no.is_empty() { "3" } else { row.line_no },
            partner_code: "P",
            number_year: None,
            when: When::Day(day(5, 1)),
            ..*row
        }).collect();
        let cancel = |told: History| if let Some(stamp) = void { told.cancel("A", Some(stamp)) } else { told };
        let straight = cancel(rows.iter().fold(history(), |told, row| told.file(&[*row])));
        let shuffled = order.iter().filter_map(|at| rows.get(*at)).fold(cancel(history()), |told, row| told.file(&[*row]));
        let (straight, shuffled) = (straight.settle(), shuffled.settle());
        let none_held = |settled: &Settled<'_>| settled.fates.iter().all(|fate| !matches!(fate, Fate::Held(_)));
        prop_assert!(none_held(&straight) && none_held(&shuffled));
        prop_assert_eq!(facts(&straight), facts(&shuffled));
    }
}
