//! One row of the points ledger.

use super::points::Points;
use chrono::NaiveDate;
use rust_decimal::Decimal;

/// Why points move (interfaces.md 5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EntryKind {
    /// posted for a cycle until it closes
    Accrual,
    /// any posting for a cycle after that
    Correction,
    /// points for having referred a partner
    Referral,
    /// points used
    Redemption,
    /// points set aside
    Reservation,
    /// points set aside no longer
    Release,
    /// a redemption undone
    Reversal,
    /// points past their day
    Expiry,
    /// a manual posting by two people
    Adjustment,
    /// a balance brought in from another system
    Opening,
}

impl EntryKind {
    /// every kind, in the order of interfaces.md
    pub const ALL: [EntryKind; 10] = [
        EntryKind::Accrual,
        EntryKind::Correction,
        EntryKind::Referral,
        EntryKind::Redemption,
        EntryKind::Reservation,
        EntryKind::Release,
        EntryKind::Reversal,
        EntryKind::Expiry,
        EntryKind::Adjustment,
        EntryKind::Opening,
    ];

    /// the word in the ledger
    pub fn word(self) -> &'static str {
        match self {
            EntryKind::Accrual => "accrual",
            EntryKind::Correction => "correction",
            EntryKind::Referral => "referral",
            EntryKind::Redemption => "redemption",
            EntryKind::Reservation => "reservation",
            EntryKind::Release => "release",
            EntryKind::Reversal => "reversal",
            EntryKind::Expiry => "expiry",
            EntryKind::Adjustment => "adjustment",
            EntryKind::Opening => "opening",
        }
    }

    /// the kind with this word
    pub fn from_word(word: &str) -> Option<EntryKind> {
        EntryKind::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

/// One row of the points ledger, in the columns of `accrued ledger` (interfaces.md 5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// number, from 1, without gaps
    pub entry: i64,
    /// the run's instant, RFC 3339 in UTC with seconds
    pub posted_at: String,
    /// that instant's date in the scheme's zone
    pub posting_date: NaiveDate,
    /// scheme id
    pub scheme: String,
    /// cycle name
    pub cycle: String,
    /// whose wallet
    pub partner_code: String,
    /// why
    pub kind: EntryKind,
    /// signed as it moves the available balance
    pub points: Points,
    /// the change of the measure that this entry accounts for (sales amount or quantity); zero where none
    pub amount: Decimal,
    /// the tier reached in the cycle, empty for none
    pub tier: String,
    /// business date of a continuous accrual's run, referred partner, redemption ref; else empty
    pub reference: String,
    /// which lots a redemption took, else empty
    pub against: String,
    /// last day these points are good, if they expire
    pub expires_on: Option<NaiveDate>,
    /// what changed (`late line`, `superseded line`, `credit note`, ...), or why a person acted
    pub reason: String,
    /// number of the run
    pub run: i64,
    /// who: `accrued` or an operating-system user
    pub actor: String,
    /// SHA-256 (hex) of the scheme version it rests on
    pub scheme_version: String,
    /// this entry's chain hash, lower-case hex
    pub hash: String,
}
