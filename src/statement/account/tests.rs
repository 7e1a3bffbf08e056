use super::super::sample::{day, decimal as number, scheme, whole};
use super::*;
use proptest::prelude::*;

const HEADER: &str = "partner_code,partner_name,date,kind,cycle,reference,description,amount,credit,debit,balance,tier,\
    expires_on,entry\n";

fn statement(post: Post) -> Statement<'static> {
    let mut scheme = scheme();
    scheme.post = post;
    Statement::new(&scheme, "FY2026-27-Q1", Some(day("2026-04-06")), day("2026-07-06"))
}

fn posted(entry: i64, date: &str, kind: EntryKind, points: i64) -> Posted<'static> {
    Posted {
        entry,
        posting_date: day(date),
        kind,
        cycle: "FY2026-27-Q1",
        points: whole(points),
        amount: number("1000"),
        tier: "Gold",
        reference: "",
        reason: "",
        expires_on: None,
    }
}

fn rendered(statement: Statement<'_>, opening: i64, entries: &[Posted<'_>]) -> (String, Rendered) {
    let mut out = Vec::new();
    Statement::header(&mut out);
    let standing = Standing { opening: whole(opening), opening_tier: "Silver", closing_tier: "Gold" };
    let partner = Partner { code: "P1", name: "Asha, Sons" };
    let done = statement.account(&mut out, partner, standing, entries).unwrap();
    (String::from_utf8(out).unwrap(), done)
}

#[test]
fn an_account_like_a_banks() {
    let entries = [
        Posted { expires_on: Some(day("2027-06-30")), ..posted(7, "2026-07-06", EntryKind::Accrual, 2460) },
        Posted {
            cycle: "FY2025-26-Q4",
            reason: "credit note, late",
            amount: number("-30000.5"),
            tier: "",
            ..posted(9, "2026-07-06", EntryKind::Correction, -880)
        },
        Posted { reference: "R-1", ..posted(11, "2026-07-07", EntryKind::Redemption, -100) },
    ];
    let (text, done) = rendered(statement(Post::AtClose), 100, &entries);
    let rows = "P1,\"Asha, Sons\",2026-04-06,opening,FY2026-27-Q1,,balance brought forward,,,,100,Silver,,\n\
        P1,\"Asha, Sons\",2026-07-06,accrual,FY2026-27-Q1,,points earned,1000.00,2460,,2560,Gold,2027-06-30,7\n\
        P1,\"Asha, Sons\",2026-07-06,correction,FY2025-26-Q4,,\"correction: credit note, late\",-30000.50,,880,1680,,,9\n\
        P1,\"Asha, Sons\",2026-07-07,redemption,FY2026-27-Q1,R-1,points redeemed,,,100,1580,Gold,,11\n\
        P1,\"Asha, Sons\",2026-07-06,closing,FY2026-27-Q1,,balance carried forward,,,,1580,Gold,,\n";
    assert_eq!(text, format!("{HEADER}{rows}"));
    assert_eq!(done, Rendered { rows: 5, closing: whole(1580) });
}

#[test]
fn a_quiet_account_opens_and_closes() {
    let first = Statement { opened_on: None, ..statement(Post::AtClose) };
    let (text, done) = rendered(first, -5, &[]);
    let rows = "P1,\"Asha, Sons\",,opening,FY2026-27-Q1,,balance brought forward,,,,-5,Silver,,\n\
        P1,\"Asha, Sons\",2026-07-06,closing,FY2026-27-Q1,,balance carried forward,,,,-5,Gold,,\n";
    assert_eq!((text, done.rows), (format!("{HEADER}{rows}"), 2));
}

#[test]
fn accruals_of_an_open_cycle_are_one_row_a_day() {
    let accrual = |entry, date, points| posted(entry, date, EntryKind::Accrual, points);
    let other_cycle = Posted { cycle: "FY2026-27-Q2", ..accrual(5, "2026-07-02", 50) };
    let entries = [
        accrual(1, "2026-07-01", 10),
        accrual(2, "2026-07-02", 20),
        posted(3, "2026-07-02", EntryKind::Correction, 1),
        accrual(4, "2026-07-02", 30),
        other_cycle,
        accrual(6, "2026-07-02", -60),
        accrual(8, "2026-07-03", 5),
    ];
    let (text, done) = rendered(statement(Post::Continuous), 0, &entries);
    let shown: Vec<Vec<&str>> = text
        .lines()
        .skip(2)
        .map(|row| row.split(',').collect::<Vec<_>>())
        // date, cycle, amount, credit, debit, balance, entry; the name has a comma of its own
        .map(|cells| [3, 5, 8, 9, 10, 11, 14].map(|index| cells[index]).to_vec())
        .collect();
    assert_eq!(
        shown,
        [
            ["2026-07-01", "FY2026-27-Q1", "1000.00", "10", "", "10", "1"],
            ["2026-07-02", "FY2026-27-Q1", "1000.00", "1", "", "11", "3"],
            ["2026-07-02", "FY2026-27-Q2", "1000.00", "50", "", "61", "5"],
            ["2026-07-02", "FY2026-27-Q1", "3000.00", "", "10", "51", "6"],
            ["2026-07-03", "FY2026-27-Q1", "1000.00", "5", "", "56", "8"],
            ["2026-07-06", "FY2026-27-Q1", "", "", "", "56", ""],
        ]
    );
    assert_eq!(done.rows, 7);
}

#[test]
fn accruals_posted_at_close_keep_a_row_each() {
    let entries =
        [posted(1, "2026-07-06", EntryKind::Accrual, 10), posted(2, "2026-07-06", EntryKind::Accrual, 20)];
    assert_eq!(rendered(statement(Post::AtClose), 0, &entries).1.rows, 4);
}

#[test]
fn a_day_that_comes_to_nothing_is_shown() {
    let entries =
        [posted(1, "2026-07-06", EntryKind::Accrual, 10), posted(2, "2026-07-06", EntryKind::Accrual, -10)];
    let (text, done) = rendered(statement(Post::Continuous), 7, &entries);
    assert!(text.contains(",2000.00,0,,7,Gold,,2\n"), "{text}");
    assert_eq!(done, Rendered { rows: 3, closing: whole(7) });
}

#[test]
fn sums_beyond_the_ledger_are_refused() {
    let highest =
        |entry| Posted { points: Points(i64::MAX), ..posted(entry, "2026-07-06", EntryKind::Accrual, 0) };
    let standing = Standing { opening: Points::ZERO, opening_tier: "", closing_tier: "" };
    for post in [Post::AtClose, Post::Continuous] {
        let mut out = Vec::new();
        let partner = Partner { code: "P1", name: "" };
        let fault =
            statement(post).account(&mut out, partner, standing, &[highest(1), highest(2)]).unwrap_err();
        assert_eq!(fault, TooLarge { partner_code: "P1".into(), entry: 2 });
    }
    let (text, _) = rendered(
        statement(Post::AtClose),
        0,
        &[Posted { points: Points(i64::MIN), ..posted(1, "2026-07-06", EntryKind::Expiry, 0) }],
    );
    assert!(text.contains(",,,9223372036854.775808,-9223372036854.775808,"), "{text}");
}

proptest! {
    #[test]
    fn opening_and_credits_less_debits_is_closing(
        opening in -1_000_000i64..1_000_000,
        moves in prop::collection::vec((0usize..10, -5_000i64..5_000, 0u64..3, any::<bool>()), 0..30),
        continuous in any::<bool>(),
    ) {
        let mut date = day("2026-07-01");
        let mut entries = Vec::new();
        for (index, (kind, millionths, days, open)) in moves.iter().enumerate() {
            date = date + chrono::Days::new(*days);
            entries.push(Posted {
                posting_date: date,
                points: Points(*millionths * 1_000),
                cycle: if *open { "FY2026-27-Q2" } else { "FY2026-27-Q1" },
                ..posted(index as i64 + 1, "2026-07-01", EntryKind::ALL[*kind], 0)
            });
        }
        let post = if continuous { Post::Continuous } else { Post::AtClose };
        let (text, done) = rendered(statement(post), opening, &entries);
        let mut reader = csv::ReaderBuilder::new().from_reader(text.as_bytes());
        let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
        prop_assert_eq!(rows.len() as u64, done.rows);
        let cell = |row: usize, column: usize| rows[row].get(column).unwrap();
        let value = |row: usize, column: usize| match cell(row, column) {
            "" => Decimal::ZERO,
            text => text.parse().unwrap(),
        };
        prop_assert_eq!(value(0, 10), Decimal::from(opening));
        let mut balance = value(0, 10);
        let mut last = 0;
        for row in 1..rows.len() - 1 {
            balance = balance + value(row, 8) - value(row, 9);
            prop_assert_eq!(value(row, 10), balance);
            prop_assert!(cell(row, 8).is_empty() != cell(row, 9).is_empty());
            let entry: i64 = cell(row, 13).parse().unwrap();
            prop_assert!(entry > last);
            last = entry;
        }
        prop_assert_eq!(value(rows.len() - 1, 10), balance);
        let posted: i64 = entries.iter().map(|entry| entry.points.0).sum();
        prop_assert_eq!(done.closing, Points(whole(opening).0 + posted));
    }
}
