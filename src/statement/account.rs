//! `statement.csv`: a partner's account like a bank's, from the statement before to the closing of a cycle.
//!
//! Each partner has an `opening` row, the entries since the statement before in the order posted, and a `closing` row;
//! opening + credits - debits = closing, row by row and in all. A partner without a new entry has the two rows alone.
//!
//! Accruals of a `continuous` scheme are one row for each cycle and business day (posting date): its `entry` is the last of
//! them, and it stands where that one stood, so that rows stay in order of entry. A day whose accruals come to nothing has a row
//! with credit 0.
//!
//! `credit` and `debit` are never below zero; one of them is filled. `amount` is the change of the measure that an accrual or
//! correction accounts for. `opening` and `closing` rows have no credit, debit, amount or entry, so that columns can be summed.
//! Streaming: partners are given one after the other, nothing is kept between them.

use super::cell::{comma, date, end, header, optional_date, plain, text};
use super::number::{decimal, integer, points};
use super::papers::{Partner, measured_decimals};
use crate::domain::entry::{Entry, EntryKind};
use crate::domain::points::Points;
use crate::scheme::{Post, Scheme};
use chrono::NaiveDate;
use rust_decimal::Decimal;

/// The columns (interfaces.md 5).
const COLUMNS: [&str; 14] = [
    "partner_code",
    "partner_name",
    "date",
    "kind",
    "cycle",
    "reference",
    "description",
    "amount",
    "credit",
    "debit",
    "balance",
    "tier",
    "expires_on",
    "entry",
];

/// What all accounts of one statement share.
#[derive(Debug, Clone, Copy)]
pub struct Statement<'s> {
    /// name of the cycle that closes
    pub cycle: &'s str,
    /// posting date of the statement before, `None` for the first of a wallet's scheme
    pub opened_on: Option<NaiveDate>,
    /// posting date of this one
    pub closed_on: NaiveDate,
    /// whether accruals are one row a day
    pub post: Post,
    /// decimals of points, at least
    pub points_decimals: u32,
    /// decimals of amounts, at least
    pub amount_decimals: u32,
}

/// A partner's balance and tier before the first and after the last entry of the statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing<'a> {
    /// the closing balance published before; zero where none was
    pub opening: Points,
    /// tier in the statement before, empty for none
    pub opening_tier: &'a str,
    /// tier reached in the cycle that closes, empty for none
    pub closing_tier: &'a str,
}

/// What a statement shows of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Posted<'e> {
    /// its number
    pub entry: i64,
    /// the run's date in the scheme's zone
    pub posting_date: NaiveDate,
    /// why
    pub kind: EntryKind,
    /// name of the cycle that it is for
    pub cycle: &'e str,
    /// signed as it moves the available balance
    pub points: Points,
    /// the change of the measure
    pub amount: Decimal,
    /// empty for none
    pub tier: &'e str,
    /// as in the ledger
    pub reference: &'e str,
    /// what changed, or why a person acted
    pub reason: &'e str,
    /// last day these points are good
    pub expires_on: Option<NaiveDate>,
}

impl<'e> From<&'e Entry> for Posted<'e> {
    fn from(entry: &'e Entry) -> Posted<'e> {
        Posted {
            entry: entry.entry,
            posting_date: entry.posting_date,
            kind: entry.kind,
            cycle: &entry.cycle,
            points: entry.points,
            amount: entry.amount,
            tier: &entry.tier,
            reference: &entry.reference,
            reason: &entry.reason,
            expires_on: entry.expires_on,
        }
    }
}

/// A sum that the ledger's integers cannot hold: more than 9.2 million million points, or an amount of more than 28 digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TooLarge {
    /// whose account
    pub partner_code: String,
    /// at which entry
    pub entry: i64,
}

impl std::fmt::Display for TooLarge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "the account of partner {} cannot be added up at entry {}: the sum has more digits than a ledger holds; look at that entry with `accrued ledger --partner {}`",
            self.partner_code, self.entry, self.partner_code
        )
    }
}

impl std::error::Error for TooLarge {}

/// What became of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rendered {
    /// rows written
    pub rows: u64,
    /// balance of the closing row: the opening of the next statement
    pub closing: Points,
}

impl<'s> Statement<'s> {
    /// The statement of `scheme` at the closing of `cycle` (its name).
    pub fn new(
        scheme: &Scheme,
        cycle: &'s str,
        opened_on: Option<NaiveDate>,
        closed_on: NaiveDate,
    ) -> Statement<'s> {
        Statement {
            cycle,
            opened_on,
            closed_on,
            post: scheme.post,
            points_decimals: scheme.decimals,
            amount_decimals: measured_decimals(scheme.earn.measure),
        }
    }

    /// The header of `statement.csv` and of each partner's file.
    pub fn header(out: &mut Vec<u8>) {
        header(out, COLUMNS);
    }

    /// A partner's rows. `entries` are those since the statement before, in order of their numbers.
    ///
    /// # Errors
    /// [`TooLarge`]; `out` then holds a part of the account and must not be published.
    pub fn account(
        &self,
        out: &mut Vec<u8>,
        partner: Partner<'_>,
        standing: Standing<'_>,
        entries: &[Posted<'_>],
    ) -> Result<Rendered, TooLarge> {
        self.balance_row(out, partner, Edge::Opening, standing.opening, standing.opening_tier);
        let mut balance = standing.opening;
        let mut rows = 2;
        for (index, entry) in entries.iter().enumerate() {
            let row = match self.gather(entry, &entries[..index], &entries[index + 1..]) {
                Gathered::Later => continue,
                Gathered::Row(row) => row,
                Gathered::TooLarge => return Err(too_large(partner, entry)),
            };
            balance = balance.checked_add(row.points).ok_or_else(|| too_large(partner, entry))?;
            self.entry_row(out, partner, &row, balance);
            rows += 1;
        }
        self.balance_row(out, partner, Edge::Closing, balance, standing.closing_tier);
        Ok(Rendered { rows, closing: balance })
    }

    /// Whether an entry has a row of its own, belongs to one that comes later, or is the last of a day's.
    fn gather<'e>(&self, entry: &Posted<'e>, before: &[Posted<'e>], after: &[Posted<'e>]) -> Gathered<'e> {
        match self.post {
            Post::Continuous if entry.kind == EntryKind::Accrual => {}
            Post::Continuous | Post::AtClose => return Gathered::Row(*entry),
        }
        // entries are in the order posted, so those of one day stand together
        if after.iter().take_while(|next| same_day(next, entry)).any(|next| same_row(next, entry)) {
            return Gathered::Later;
        }
        let mut row = *entry;
        for part in before.iter().rev().take_while(|part| same_day(part, entry)) {
            if same_row(part, entry) {
                match (row.points.checked_add(part.points), row.amount.checked_add(part.amount)) {
                    (Some(points), Some(amount)) => (row.points, row.amount) = (points, amount),
                    (None, _) | (_, None) => return Gathered::TooLarge,
                }
            }
        }
        Gathered::Row(row)
    }

    fn entry_row(&self, out: &mut Vec<u8>, partner: Partner<'_>, row: &Posted<'_>, balance: Points) {
        lead(out, partner, Some(row.posting_date), row.kind.word(), row.cycle, row.reference);
        describe(out, row);
        comma(out);
        if accounts_for_sales(row.kind) {
            decimal(out, row.amount, self.amount_decimals);
        }
        comma(out);
        if row.points < Points::ZERO {
            comma(out);
            self.debit(out, row.points);
        } else {
            points(out, row.points, self.points_decimals);
            comma(out);
        }
        comma(out);
        points(out, balance, self.points_decimals);
        comma(out);
        text(out, row.tier);
        comma(out);
        optional_date(out, row.expires_on);
        comma(out);
        integer(out, row.entry);
        end(out);
    }

    fn debit(&self, out: &mut Vec<u8>, below_zero: Points) {
        let start = out.len();
        points(out, below_zero, self.points_decimals);
        // the sign: i64::MIN has no positive twin, its digits have
        if out.get(start) == Some(&b'-') {
            out.remove(start);
        }
    }

    fn balance_row(&self, out: &mut Vec<u8>, partner: Partner<'_>, edge: Edge, balance: Points, tier: &str) {
        let (day, kind, description) = match edge {
            Edge::Opening => (self.opened_on, "opening", "balance brought forward"),
            Edge::Closing => (Some(self.closed_on), "closing", "balance carried forward"),
        };
        lead(out, partner, day, kind, self.cycle, "");
        plain(out, description);
        out.extend_from_slice(b",,,,");
        points(out, balance, self.points_decimals);
        comma(out);
        text(out, tier);
        out.extend_from_slice(b",,\n");
    }
}

/// The first or last row of an account.
#[derive(Debug, Clone, Copy)]
enum Edge {
    Opening,
    Closing,
}

enum Gathered<'e> {
    /// a later entry of the day speaks for it
    Later,
    /// a row to write
    Row(Posted<'e>),
    /// the day's sum has too many digits
    TooLarge,
}

fn same_day(a: &Posted<'_>, b: &Posted<'_>) -> bool {
    a.posting_date == b.posting_date
}

fn same_row(a: &Posted<'_>, b: &Posted<'_>) -> bool {
    a.kind == b.kind && a.cycle == b.cycle
}

fn too_large(partner: Partner<'_>, entry: &Posted<'_>) -> TooLarge {
    TooLarge { partner_code: partner.code.to_owned(), entry: entry.entry }
}

/// The cells up to `reference`, with the comma after it.
fn lead(
    out: &mut Vec<u8>,
    partner: Partner<'_>,
    day: Option<NaiveDate>,
    kind: &str,
    cycle: &str,
    reference: &str,
) {
    for cell in [partner.code, partner.name] {
        text(out, cell);
        comma(out);
    }
    if let Some(day) = day {
        date(out, day);
    }
    comma(out);
    plain(out, kind);
    comma(out);
    for cell in [cycle, reference] {
        text(out, cell);
        comma(out);
    }
}

/// `description`: why the points moved, in a partner's words, with the reason that the ledger gives.
fn describe(out: &mut Vec<u8>, row: &Posted<'_>) {
    let (what, with_reason) = match row.kind {
        EntryKind::Accrual => ("points earned", Reason::Left),
        EntryKind::Correction => ("correction", Reason::Told),
        EntryKind::Referral => ("points for a referral", Reason::Left),
        EntryKind::Redemption => ("points redeemed", Reason::Told),
        EntryKind::Reservation => ("points set aside", Reason::Told),
        EntryKind::Release => ("points set aside no longer", Reason::Told),
        EntryKind::Reversal => ("redemption undone", Reason::Told),
        EntryKind::Expiry => ("points expired", Reason::Left),
        EntryKind::Adjustment => ("adjustment", Reason::Told),
        EntryKind::Opening => ("balance brought in", Reason::Told),
    };
    match with_reason {
        Reason::Told if !row.reason.is_empty() => text(out, &format!("{what}: {}", row.reason)),
        Reason::Told | Reason::Left => plain(out, what),
    }
}

/// Whether a description gives the reason: that of an accrual or expiry is always the same.
enum Reason {
    Told,
    Left,
}

fn accounts_for_sales(kind: EntryKind) -> bool {
    match kind {
        EntryKind::Accrual | EntryKind::Correction => true,
        EntryKind::Referral
        | EntryKind::Redemption
        | EntryKind::Reservation
        | EntryKind::Release
        | EntryKind::Reversal
        | EntryKind::Expiry
        | EntryKind::Adjustment
        | EntryKind::Opening => false,
    }
}
