//! Money as the feeds tell of it: payments of invoices, and deposits on a bank account. Pure.
//!
//! Answers for: what a row says, which version of an event speaks. Does not: know invoices (`evaluate` asks what is paid),
//! nor where rows are kept.
//!
//! # Readings
//! An **event** is one payment or one deposit. Where interfaces.md 3 leaves room, this is what is read here:
//! - A payment is known by its `payment_ref` among the documents of its space (and its distributor's, unless numbers are
//!   unique in the space), a deposit by its `deposit_ref` among those of its space.
//! - One payment may pay several invoices: all rows that a file has of it are what that file says of it.
//! - A row of a later file that says what the event says already is a duplicate. Any other row of it is a conflict, one for
//!   another invoice among them: what was paid for one invoice is never paid for a second one without a person's word.
//! - In one file the first row for an invoice speaks; the same again is a duplicate, other content a conflict.
//! - Released, what the file said of the event speaks instead of all that was said of it before. A discarded conflict stays
//!   held and says nothing. Of several that were released the last one speaks.

use super::settle::{Decision, Verdict};
use crate::domain::word::same_word;
use chrono::NaiveDate;
use rust_decimal::Decimal;

/// Which events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EventKind {
    /// money for an invoice
    Payment,
    /// money on a bank account
    Deposit,
}

impl EventKind {
    /// the word in messages and in the store
    pub fn word(self) -> &'static str {
        match self {
            EventKind::Payment => "payment",
            EventKind::Deposit => "deposit",
        }
    }
}

/// A row of a `payments` or `deposits` file, typed and checked. Texts are trimmed; empty means that the file did not say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Money {
    /// line in the file, the header being 1
    pub file_line: u64,
    /// `payment_ref`, or of a deposit `deposit_ref`
    pub reference: String,
    /// the invoice that is paid; empty for a deposit
    pub invoice_no: String,
    /// whose invoice
    pub distributor_code: String,
    /// `paid_on`, or the day of the bank's credit; of a timestamp the date as written
    pub day: NaiveDate,
    /// negative: taken back
    pub amount: Decimal,
    /// empty: the invoice's
    pub currency: String,
    /// as the file writes it
    pub method: String,
    /// the deposit that a payment went into
    pub deposit_ref: String,
}

impl Money {
    /// Equal content: all columns as values, currency and method without case.
    pub fn same(&self, other: &Money) -> bool {
        fn exact(money: &Money) -> (NaiveDate, Decimal, [&str; 4]) {
            let texts = [&money.reference, &money.invoice_no, &money.distributor_code, &money.deposit_ref];
            (money.day, money.amount, texts.map(String::as_str))
        }
        exact(self) == exact(other)
            && same_word(&self.currency, &other.currency)
            && same_word(&self.method, &other.method)
    }
}

/// What one file said of an event. The first content for each invoice is its take 0; what contradicts that in the same file is
/// take 1, and so on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Version {
    /// journal sequence of the file
    pub seq: i64,
    /// its place in the order of ingestion
    pub rank: i64,
    /// see above
    pub take: u32,
    /// the row by which a person's decision names it
    pub file_line: u64,
}

/// The version of an event that speaks, and since which journal sequence. `versions` are those of files that speak, in order
/// of ingestion.
pub fn speaking(versions: &[Version], decisions: &[Decision]) -> Option<(Version, i64)> {
    let released = versions.iter().filter_map(|version| Some((*version, released(*version, decisions)?)));
    let first = versions.first().map(|version| (*version, version.seq));
    released.max_by_key(|(_, at)| *at).or(first)
}

/// When a person released it; the first decision about it is the one that holds.
fn released(version: Version, decisions: &[Decision]) -> Option<i64> {
    let about =
        |decision: &&Decision| (decision.rank, decision.file_line) == (version.rank, version.file_line);
    let first = decisions.iter().filter(about).min_by_key(|decision| decision.at)?;
    match first.verdict {
        Verdict::Release => Some(first.at),
        Verdict::Discard => None,
    }
}

/// What speaks of one event for one invoice: the row of the take that speaks, else what the same file said first.
pub fn row_of<R>(speaks: Version, rows: &[R], of: impl Fn(&R) -> (i64, u32)) -> Option<&R> {
    let take = |take: u32| rows.iter().find(|row| of(row) == (speaks.seq, take));
    take(speaks.take).or_else(|| take(0))
}

/// How a row of an event stands among all that was said of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Standing {
    /// it is what the event says
    Speaks,
    /// it says the same as a row that speaks
    Repeats,
    /// it spoke until a person released another
    Superseded,
    /// it contradicts what speaks
    Held,
}

/// A row of an event as one file said it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// journal sequence of the file
    pub seq: i64,
    /// see [`Version`]
    pub take: u32,
    /// what it says
    pub money: Money,
}

/// How each row of one event stands. `versions` and `rows` are those of files that speak, in order of ingestion.
pub fn standings(versions: &[Version], rows: &[Said], decisions: &[Decision]) -> Vec<Standing> {
    let Some((speaks, _)) = speaking(versions, decisions) else { return vec![Standing::Held; rows.len()] };
    let of_invoice = |invoice_no: &str| -> Option<&Said> {
        let mine: Vec<&Said> = rows.iter().filter(|row| row.money.invoice_no == invoice_no).collect();
        row_of(speaks, &mine, |row| (row.seq, row.take)).copied()
    };
    let spoke = |row: &Said| {
        let of = |version: &&Version| (version.seq, version.take) == (row.seq, row.take);
        let first = versions.first().is_some_and(|first| of(&first));
        first || versions.iter().find(of).is_some_and(|version| released(*version, decisions).is_some())
    };
    let stands = |row: &Said| match of_invoice(&row.money.invoice_no) {
        Some(speaking) if (speaking.seq, speaking.take) == (row.seq, row.take) => Standing::Speaks,
        Some(speaking) if speaking.money.same(&row.money) => Standing::Repeats,
        Some(_) | None if spoke(row) => Standing::Superseded,
        Some(_) | None => Standing::Held,
    };
    rows.iter().map(stands).collect()
}

/// A payment that speaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    /// the document space
    pub space: i64,
    /// empty where numbers are unique in the whole space
    pub distributor_code: String,
    /// the invoice it pays
    pub invoice_no: String,
    /// not before this day; with restarting numbers it pays the latest invoice on or before it
    pub paid_on: NaiveDate,
    /// negative: taken back
    pub amount: Decimal,
    /// empty: the invoice's
    pub currency: String,
    /// journal sequence since which it speaks
    pub since: i64,
}

impl Payment {
    /// The invoice it pays: space, distributor, number.
    pub fn invoice(&self) -> super::dossier::Number {
        (self.space, self.distributor_code.clone(), self.invoice_no.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: Version = Version { seq: 3, rank: 3, take: 0, file_line: 2 };
    const AGAIN: Version = Version { seq: 5, rank: 5, take: 0, file_line: 4 };
    const TWICE: Version = Version { seq: 5, rank: 5, take: 1, file_line: 7 };

    fn decided(at: i64, version: Version, verdict: Verdict) -> Decision {
        Decision { at, rank: version.rank, file_line: version.file_line, verdict }
    }

    fn seq(decisions: &[Decision]) -> Option<(i64, u32, i64)> {
        speaking(&[FIRST, AGAIN, TWICE], decisions).map(|(version, since)| (version.seq, version.take, since))
    }

    #[test]
    fn the_first_file_speaks_until_a_person_releases_another() {
        assert_eq!(seq(&[]), Some((3, 0, 3)));
        assert_eq!(speaking(&[], &[]), None);
        assert_eq!(seq(&[decided(6, AGAIN, Verdict::Release)]), Some((5, 0, 6)));
        assert_eq!(
            seq(&[decided(8, TWICE, Verdict::Release), decided(9, AGAIN, Verdict::Release)]),
            Some((5, 0, 9)),
            "the last release speaks"
        );
        assert_eq!(seq(&[decided(6, AGAIN, Verdict::Discard)]), Some((3, 0, 3)));
        let first_holds = [decided(6, AGAIN, Verdict::Discard), decided(7, AGAIN, Verdict::Release)];
        assert_eq!(seq(&first_holds), Some((3, 0, 3)));
    }

    #[test]
    fn a_take_speaks_for_its_invoice_and_leaves_the_others_as_the_file_said_first() {
        let rows = [(3, 0), (5, 0), (5, 1)];
        assert_eq!(row_of(TWICE, &rows, |row| *row), Some(&(5, 1)));
        assert_eq!(row_of(TWICE, &rows[..2], |row| *row), Some(&(5, 0)));
        assert_eq!(row_of(AGAIN, &rows[..1], |row| *row), None, "it says nothing of this invoice any more");
    }

    #[test]
    fn content_is_every_column_as_a_value() {
        let paid = Money {
            file_line: 2,
            reference: "P".into(),
            invoice_no: "A".into(),
            distributor_code: "D".into(),
            day: NaiveDate::default(),
            amount: Decimal::new(1000, 2),
            currency: "INR".into(),
            method: "UPI".into(),
            deposit_ref: "R".into(),
        };
        let again = Money {
            file_line: 9,
            amount: Decimal::new(10, 0),
            currency: "inr".into(),
            method: "upi".into(),
            ..paid.clone()
        };
        assert!(paid.same(&again));
        for other in [
            Money { invoice_no: "a".into(), ..paid.clone() },
            Money { distributor_code: "E".into(), ..paid.clone() },
            Money { day: NaiveDate::MAX, ..paid.clone() },
            Money { amount: -paid.amount, ..paid.clone() },
            Money { currency: String::new(), ..paid.clone() },
            Money { method: "cash".into(), ..paid.clone() },
            Money { deposit_ref: "S".into(), ..paid.clone() },
        ] {
            assert!(!paid.same(&other), "{other:?}");
        }
    }
}
