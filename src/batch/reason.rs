//! What changed since a position was worked out before: the reason of a correction (evaluation.md 4). Pure.

use crate::evaluate::Position;
use crate::facts::dossier::Dossier;
use crate::facts::row::DocType;
use crate::facts::settle::{Fate, Said, Settled};

/// What is compared with.
pub(super) struct Before<'b> {
    /// journal sequence up to which facts were known then
    pub seq: i64,
    /// scheme version that it went by
    pub version: &'b str,
}

/// In words, in a fixed order; empty where nothing is known to have changed.
pub(super) fn reason(
    before: &Before<'_>,
    version: &str,
    dossier: &Dossier,
    said: &[Said<'_>],
    settled: &Settled<'_>,
    position: &Position,
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
            .filter(move |(said, _)| said.seq > before.seq && of_cycle(said.seq, said.row.file_line))
    };
    let late = |doc_type: DocType| {
        newer().any(|(said, fate)| said.row.doc_type == doc_type && *fate == Fate::Accepted)
    };
    if late(DocType::Invoice) {
        words.push("late line");
    }
    // a superseded line may have left the cycle altogether
    let superseded = said
        .iter()
        .zip(&settled.fates)
        .any(|(said, fate)| said.seq > before.seq && *fate == Fate::Superseding);
    if superseded {
        words.push("superseded line");
    }
    if late(DocType::CreditNote) {
        words.push("credit note");
    }
    if dossier.cancellations.iter().any(|cancellation| cancellation.seq > before.seq) {
        words.push("cancellation");
    }
    if dossier.decisions.iter().any(|decision| decision.at > before.seq) {
        words.push("hold decided");
    }
    if before.version != version {
        words.push("scheme version");
    }
    if words.is_empty() {
        words.push("master data");
    }
    words.join(", ")
}
