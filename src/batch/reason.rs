//! What changed since a position was worked out before: the reason of a correction (evaluation.md 4). Pure.

use super::drift::{self, Otherwise};
use crate::evaluate::Position;
use crate::facts::content;
use crate::facts::dossier::Dossier;
use crate::facts::movement::{self, FactKey};
use crate::facts::row::{DocType, Row};
use crate::facts::settle::{Cancellation, Fate, Line, Said, Settled};
use crate::scheme::EarnOn;
use std::collections::{BTreeMap, BTreeSet};

/// What is compared with: the cycle as it was published last. (Not the position as it was kept last: a killed run may have
/// kept one that nobody has seen.)
#[derive(Debug, Clone, Copy)]
pub(super) struct Before {
    /// journal sequence of that publication
    pub published: i64,
    /// journal sequence at which the cycle was last bound to a scheme text
    pub bound: i64,
}

fn key<'a>(said: &Said<'a>) -> FactKey<'a> {
    movement::key(said.space, said.scope, &said.row)
}

/// By fact, what was said until a publication by files that have fallen silent since.
fn silent_before(dossier: &Dossier, published: i64) -> BTreeMap<FactKey<'_>, Vec<Row<'_>>> {
    let mut known: BTreeMap<FactKey<'_>, Vec<Row<'_>>> = BTreeMap::new();
    // what cannot be read has failed when the dossier was read
    for said in dossier.said_until(published).unwrap_or_default() {
        known.entry(key(&said)).or_default().push(said.row);
    }
    known
}

/// Whether what speaks says of any of these facts something else, or nothing.
fn says_otherwise(
    known: &BTreeMap<FactKey<'_>, Vec<Row<'_>>>,
    said: &[Said<'_>],
    lines: &[Line<'_>],
) -> bool {
    if known.is_empty() {
        return false;
    }
    let speaking: BTreeSet<(i64, u64)> = lines.iter().map(|line| (line.seq, line.row.file_line)).collect();
    let mut now: BTreeMap<FactKey<'_>, Vec<&Row<'_>>> = BTreeMap::new();
    for said in said.iter().filter(|said| speaking.contains(&(said.seq, said.row.file_line))) {
        now.entry(key(said)).or_default().push(&said.row);
    }
    known.iter().any(|(fact, rows)| {
        let now = now.get(fact).map(Vec::as_slice).unwrap_or_default();
        let kept = |row: &Row<'_>| now.iter().any(|now| content::same(now, row));
        let stood = |now: &&Row<'_>| rows.iter().any(|row| content::same(now, row));
        !rows.iter().all(kept) || !now.iter().all(stood)
    })
}

/// In words, in a fixed order; empty where nothing is known to have changed.
pub(super) fn reason(
    before: Before,
    dossier: &Dossier,
    said: &[Said<'_>],
    settled: &Settled<'_>,
    (position, on): (&Position, EarnOn),
    otherwise: Option<&Otherwise>,
) -> String {
    let mut words = Vec::new();
    let newer = || {
        let of_cycle = |seq: i64, file_line: u64| {
            position.lines.iter().any(|outcome| {
                settled
                    .lines
                    .get(outcome.line)
                    .is_some_and(|line| line.seq == seq && line.row.file_line == file_line)
            })
        };
        said.iter()
            .zip(&settled.fates)
            .filter(move |(said, _)| said.seq > before.published && said.seq == said.rank)
            .filter(move |(said, _)| of_cycle(said.seq, said.row.file_line))
    };
    // what a silent file said before is no news in the file that speaks in its place
    let known = silent_before(dossier, before.published);
    let late = |doc_type: DocType| {
        newer().any(|(said, fate)| {
            said.row.doc_type == doc_type && *fate == Fate::Accepted && !known.contains_key(&key(said))
        })
    };
    let read_again = said.iter().any(|said| said.seq > before.published && said.rank < said.seq);
    if read_again {
        words.push("read again");
    }
    if late(DocType::Invoice) {
        words.push("late line");
    }
    // a superseded line may have left the cycle altogether
    let superseded = said.iter().zip(&settled.fates).any(|(said, fate)| {
        said.seq > before.published && said.seq == said.rank && *fate == Fate::Superseding
    });
    if superseded || (!read_again && says_otherwise(&known, said, &settled.lines)) {
        words.push("superseded line");
    }
    if late(DocType::CreditNote) {
        words.push("credit note");
    }
    if cancelled_since(before.published, dossier, settled, position) {
        words.push("cancellation");
    }
    if on == EarnOn::Payment && paid_since(before.published, dossier, settled, position) {
        words.push("payment");
    }
    if dossier.decisions.iter().any(|decision| decision.at > before.published) {
        words.push("hold decided");
    }
    if before.bound > before.published {
        words.push("scheme version");
    }
    if words.is_empty() && otherwise.is_some() {
        words.push(drift::REASON);
    }
    if words.is_empty() {
        // a payment dated in the future, or one that was moved elsewhere, leaves no other trace
        let pays = || !position.missing.is_empty() || paid_since(0, dossier, settled, position);
        let waited = on == EarnOn::Payment && pays();
        words.push(if waited { "payment" } else { "master data" });
    }
    words.join(", ")
}

/// Whether an invoice in this cycle, or one that a credit note in it returns, was cancelled since then: said for the first time, and
/// not only read again.
fn cancelled_since(seq: i64, dossier: &Dossier, settled: &Settled<'_>, position: &Position) -> bool {
    let said = &dossier.cancellations;
    let same = |one: &Cancellation, other: &Cancellation| {
        (one.space, &one.distributor_code, &one.invoice_no, one.day, one.updated_at)
            == (other.space, &other.distributor_code, &other.invoice_no, other.day, other.updated_at)
    };
    let is_news = |one: &&Cancellation| {
        one.seq > seq && one.seq == one.rank && !said.iter().any(|other| other.seq <= seq && same(one, other))
    };
    let news: BTreeSet<&str> = said.iter().filter(is_news).map(|one| one.invoice_no.as_str()).collect();
    !news.is_empty() && names_any(position, settled, &news)
}

/// Whether lines of a cycle are of invoices with these numbers, or return them.
fn names_any(position: &Position, settled: &Settled<'_>, numbers: &BTreeSet<&str>) -> bool {
    position
        .lines
        .iter()
        .filter_map(|outcome| settled.lines.get(outcome.line))
        .any(|line| numbers.contains(line.row.invoice_no) || numbers.contains(line.row.ref_invoice_no))
}

/// Whether a payment that speaks since then is of an invoice in this cycle, or of one that a credit note in it returns.
fn paid_since(seq: i64, dossier: &Dossier, settled: &Settled<'_>, position: &Position) -> bool {
    let newer: BTreeSet<&str> = dossier
        .payments
        .iter()
        .filter(|payment| payment.since > seq)
        .map(|payment| payment.invoice_no.as_str())
        .collect();
    !newer.is_empty() && names_any(position, settled, &newer)
}
