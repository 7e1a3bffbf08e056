//! What settling rows of a file comes to: pure, so that any thread can work it out before the store takes it.

use super::super::files::Counts;
use super::super::holds::NewHold;
use super::held::held_facts;
use crate::facts::bundle;
use crate::facts::dossier::Dossier;
use crate::facts::movement::{self, Movement};
use crate::facts::row::Row;
use crate::facts::settle::{Fate, Line, NumberScope, Said, Settled, settle};
use crate::facts::texts::{self, same};

/// Most rows of one bundle.
pub(super) const BUNDLE_ROWS: usize = 512;

/// The file that is taken.
#[derive(Debug, Clone, Copy)]
pub(super) struct Taking {
    pub seq: i64,
    /// its place in the order of ingestion
    pub rank: i64,
    pub space: i64,
    pub scope: NumberScope,
}

/// What is to be done about some rows.
#[derive(Default)]
pub(super) struct Judgement {
    pub counts: Counts,
    /// lines that arrived for an invoice cancelled before
    pub for_cancelled: u64,
    /// lines of `identity_twice`, with what is wrong
    pub twice: Vec<(u64, String)>,
    pub held: Vec<NewHold>,
    /// partners whose facts moved, and the distributors of what was said of them
    pub moved: Vec<Moved>,
    pub bundles: Vec<Bundle>,
    /// by partner
    pub movements: Vec<(String, Movement)>,
}

/// What duplicates among some rows can be duplicates of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Repeats {
    /// rows of the same file only
    OfThisFile,
    /// also what another file said
    OfOthers,
}

/// A partner's code as a file gives it, and the distributor whose word it is.
pub(super) type Moved = (String, String);

/// Rows of one partner, encoded.
pub(super) struct Bundle {
    pub partner: String,
    /// of all its rows; nothing where they have several
    pub distributor: Option<String>,
    pub rows: usize,
    pub body: Vec<u8>,
}

impl Taking {
    /// A row of this file.
    pub(super) fn said(self, row: Row<'_>) -> Said<'_> {
        Said { seq: self.seq, rank: self.rank, space: self.space, scope: self.scope, row }
    }
}

/// Settles the rows of a file beside all that was said before about the same partner or number: the first `known` of `said`.
pub(super) fn judge(before: Option<&Dossier>, said: &[Said<'_>], known: usize) -> Judgement {
    let meant; // bundles and holds are kept under the codes that the files give
    let settled = match before {
        Some(dossier) if dossier.aliases.is_empty() => {
            settle(said, &dossier.cancellations, &dossier.decisions)
        }
        Some(dossier) => {
            meant = dossier.by_meaning(said);
            settle(&meant, &dossier.cancellations, &dossier.decisions)
        }
        None => settle(said, &[], &[]),
    };
    let mut judgement = Judgement {
        for_cancelled: settled.for_cancelled.iter().filter(|&&index| index >= known).count() as u64,
        ..Judgement::default()
    };
    let fates = &settled.fates[known..];
    judgement.movements = movements(said, known, before, &settled);
    judgement.count(&said[known..], fates, &settled.lines);
    if let Some(dossier) = before {
        // a person's word on a line holds when its file is read again
        let rank = said.last().map_or(0, |said| said.rank);
        judgement.held.retain(|hold| {
            !dossier.decisions.iter().any(|one| one.rank == rank && Some(one.file_line) == hold.line)
        });
    }
    judgement.keep(&said[known..], fates, if known == 0 { Repeats::OfThisFile } else { Repeats::OfOthers });
    judgement
}

/// What the rows from `known` on move, for each partner who has any.
fn movements(
    said: &[Said<'_>],
    known: usize,
    dossier: Option<&Dossier>,
    settled: &Settled<'_>,
) -> Vec<(String, Movement)> {
    if settled.fates[known..].iter().all(|fate| *fate == Fate::Duplicate) {
        return Vec::new();
    }
    let mut partners: Vec<&str> = said[known..].iter().map(|said| said.row.partner_code).collect();
    partners.dedup_by(|a, b| same(a, b));
    partners.sort_unstable();
    partners.dedup();
    let before = dossier.filter(|_| known > 0).map(|dossier| {
        let seq = said[known..].first().map_or(i64::MAX, |said| said.seq);
        let voids: Vec<_> = dossier.cancellations.iter().filter(|void| void.seq < seq).cloned().collect();
        settle(&said[..known], &voids, &dossier.decisions)
    });
    let changes = before.as_ref().map(|before| movement::changes(&before.lines, &settled.lines));
    let moved = |partner| match &changes {
        Some(changes) => movement::moved(changes, Some(partner)),
        None => Movement { new: movement::in_force(&settled.lines, Some(partner)), ..Movement::default() },
    };
    partners.iter().map(|&partner| (partner.to_owned(), moved(partner))).collect()
}

impl Judgement {
    fn count(&mut self, said: &[Said<'_>], fates: &[Fate], lines: &[Line<'_>]) {
        for (said, fate) in said.iter().zip(fates) {
            let counts = &mut self.counts;
            match fate {
                Fate::Accepted => counts.accepted += 1,
                Fate::Duplicate => counts.duplicate += 1,
                Fate::Superseding => counts.superseding += 1,
                Fate::Outdated => counts.outdated += 1,
                Fate::Held(_) => counts.held += 1,
                Fate::Rejected(_) => {
                    counts.rejected += 1;
                    self.twice.push((said.row.file_line, twice_detail(&said.row)));
                }
            }
        }
        self.held = held_facts(said.iter().zip(fates.iter().copied()), lines);
    }

    fn keep(&mut self, said: &[Said<'_>], fates: &[Fate], repeats: Repeats) {
        let keep_duplicates = match repeats {
            // if the file that said it first falls silent, this one still says it
            Repeats::OfOthers => true,
            // a duplicate does nothing, but a later updated_at of it is kept
            Repeats::OfThisFile => said.iter().any(|said| said.row.updated_at.is_some()),
        };
        let kept = |fate: &Fate| match fate {
            Fate::Accepted | Fate::Superseding | Fate::Outdated | Fate::Held(_) => true,
            Fate::Duplicate => keep_duplicates,
            Fate::Rejected(_) => false,
        };
        let moved = fates.iter().any(|fate| matches!(fate, Fate::Accepted | Fate::Superseding));
        let mut rows: Vec<&Row<'_>> =
            said.iter().zip(fates).filter(|(_, fate)| kept(fate)).map(|(said, _)| &said.row).collect();
        // contested numbers have several partners
        rows.sort_by(|a, b| texts::order(a.partner_code, b.partner_code));
        for of_partner in rows.chunk_by(|a, b| same(a.partner_code, b.partner_code)) {
            let partner = of_partner[0].partner_code;
            if moved {
                let mut distributors: Vec<&str> = of_partner.iter().map(|row| row.distributor_code).collect();
                distributors.dedup_by(|a, b| same(a, b));
                distributors.sort_unstable();
                distributors.dedup();
                self.moved.extend(distributors.into_iter().map(|one| (partner.to_owned(), one.to_owned())));
            }
            self.bundles.extend(of_partner.chunks(BUNDLE_ROWS).map(|chunk| bundle_of(partner, chunk)));
        }
    }
}

fn bundle_of(partner: &str, rows: &[&Row<'_>]) -> Bundle {
    let mut body = Vec::new();
    bundle::encode(rows.iter().copied(), &mut body);
    let first = rows[0].distributor_code;
    let one = rows.iter().all(|row| same(row.distributor_code, first));
    Bundle { partner: partner.to_owned(), distributor: one.then(|| first.to_owned()), rows: rows.len(), body }
}

fn twice_detail(row: &Row<'_>) -> String {
    if row.line_no.is_empty() {
        format!("document {} stands in this file with rows that contradict each other", row.invoice_no)
    } else {
        format!(
            "line {} of document {} stands more than once in this file, with different content",
            row.line_no, row.invoice_no
        )
    }
}
