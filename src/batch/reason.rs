//! What changed since a position was worked out before: the reason of a correction (evaluation.md 4). Pure.

use super::drift::{self, Otherwise};
use crate::evaluate::Position;
use crate::facts::content;
use crate::facts::dossier::Dossier;
use crate::facts::movement::{self, FactKey};
use crate::facts::row::{DocType, Row};
use crate::facts::settle::{Cancellation, Fate, Line, Said, Settled};
use crate::scheme::{Applies, EarnOn, Family, MeasuredOver, Returns};
use std::collections::{BTreeMap, BTreeSet};

const READ_AGAIN: &str = "read again";
const LATE_LINE: &str = "late line";
const SUPERSEDED: &str = "superseded line";
const CREDIT_NOTE: &str = "credit note";
const CANCELLATION: &str = "cancellation";
const PAYMENT: &str = "payment";
const DECIDED: &str = "hold decided";
const VERSION: &str = "scheme version";
const MASTER_DATA: &str = "master data";

/// In which order they are told.
const ORDER: [&str; 9] =
    [READ_AGAIN, LATE_LINE, SUPERSEDED, CREDIT_NOTE, CANCELLATION, PAYMENT, DECIDED, VERSION, MASTER_DATA];

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

/// The position that is asked about, among those of its partner in order of cycle.
#[derive(Clone, Copy)]
pub(super) struct Asked<'p> {
    pub family: &'p Family,
    pub positions: &'p [Position],
    /// which of them
    pub at: usize,
}

impl<'p> Asked<'p> {
    fn position(self) -> &'p Position {
        &self.positions[self.at]
    }

    fn on(self) -> EarnOn {
        self.family.scheme(self.position().version).earn.on
    }

    /// The earlier cycles that this one rests on: all of them where shortfalls are carried or tiers span cycles.
    fn rests_on(self) -> &'p [Position] {
        let looks_back = |position: &Position| {
            let scheme = self.family.scheme(position.version);
            scheme.earn.returns == Returns::ReturnCycle
                || scheme.applies == Applies::NextCycle
                || scheme.measured_over != MeasuredOver::Cycle
        };
        let earlier = &self.positions[..self.at];
        let rests = looks_back(self.position()) || earlier.last().is_some_and(looks_back);
        if rests { earlier } else { &[] }
    }
}

/// What has come of a partner since a publication.
struct News<'n, 'd> {
    published: i64,
    dossier: &'n Dossier,
    said: &'n [Said<'d>],
    settled: &'n Settled<'d>,
    /// what files that are silent by now said until then
    known: BTreeMap<FactKey<'n>, Vec<Row<'n>>>,
}

impl<'n, 'd> News<'n, 'd> {
    fn lines<'p>(&self, position: &'p Position) -> impl Iterator<Item = &'n Line<'d>> + use<'n, 'p, 'd> {
        let settled = self.settled;
        position.lines.iter().filter_map(|outcome| settled.lines.get(outcome.line))
    }

    /// Which news there is of these lines.
    fn of(&self, lines: &[&Line<'_>], on: EarnOn) -> Vec<&'static str> {
        let places: BTreeSet<(i64, u64)> = lines.iter().map(|line| (line.seq, line.row.file_line)).collect();
        let mut words = Vec::new();
        if self.late(&places, DocType::Invoice) {
            words.push(LATE_LINE);
        }
        if self.late(&places, DocType::CreditNote) {
            words.push(CREDIT_NOTE);
        }
        if cancelled_since(self.published, self.dossier, lines) {
            words.push(CANCELLATION);
        }
        if on == EarnOn::Payment && paid_since(self.published, self.dossier, lines) {
            words.push(PAYMENT);
        }
        words
    }

    /// Whether a document came that nobody had told of.
    fn late(&self, places: &BTreeSet<(i64, u64)>, doc_type: DocType) -> bool {
        self.said
            .iter()
            .zip(&self.settled.fates)
            .filter(|(said, fate)| said.row.doc_type == doc_type && **fate == Fate::Accepted)
            .filter(|(said, _)| said.seq > self.published && said.seq == said.rank)
            .filter(|(said, _)| places.contains(&(said.seq, said.row.file_line)))
            // what a silent file said before is no news in the file that speaks in its place
            .any(|(said, _)| !self.known.contains_key(&key(said)))
    }

    /// Lines that move a cycle from outside it: of the cycles that it rests on, and of invoices that credit notes name, which
    /// may take a note to another cycle.
    fn elsewhere(&self, asked: Asked<'_>) -> Vec<&'n Line<'d>> {
        let mut lines: Vec<&Line<'_>> =
            asked.rests_on().iter().flat_map(|position| self.lines(position)).collect();
        let notes = self.settled.lines.iter().filter(|line| line.row.doc_type == DocType::CreditNote);
        let named: BTreeSet<&str> = notes.map(|note| note.row.ref_invoice_no).collect();
        let invoices = self.settled.lines.iter().filter(|line| line.row.doc_type == DocType::Invoice);
        lines.extend(invoices.filter(|line| named.contains(line.row.invoice_no)));
        lines
    }

    /// Whether the master says something new of the partner itself.
    fn of_partner(&self) -> bool {
        let records = self.dossier.masters.get(&self.dossier.partner);
        records.is_some_and(|records| records.iter().any(|record| record.seq > self.published))
    }
}

/// In words, in a fixed order; empty where nothing is known to have changed.
pub(super) fn reason(
    before: Before,
    dossier: &Dossier,
    said: &[Said<'_>],
    settled: &Settled<'_>,
    asked: Asked<'_>,
    otherwise: Option<&Otherwise>,
) -> String {
    let published = before.published;
    let news = News { published, dossier, said, settled, known: silent_before(dossier, published) };
    let position = asked.position();
    let own: Vec<&Line<'_>> = news.lines(position).collect();
    let mut words = news.of(&own, asked.on());
    let read_again = said.iter().any(|said| said.seq > published && said.rank < said.seq);
    if read_again {
        words.push(READ_AGAIN);
    }
    // a superseded line may have left the cycle altogether
    let superseded = said
        .iter()
        .zip(&settled.fates)
        .any(|(said, fate)| said.seq > published && said.seq == said.rank && *fate == Fate::Superseding);
    if superseded || (!read_again && says_otherwise(&news.known, said, &settled.lines)) {
        words.push(SUPERSEDED);
    }
    if dossier.decisions.iter().any(|decision| decision.at > published) {
        words.push(DECIDED);
    }
    if before.bound > published {
        words.push(VERSION);
    }
    if words.is_empty() {
        words = match otherwise {
            Some(_) => vec![drift::REASON],
            None => from_outside(&news, asked, &own),
        };
    }
    words.sort_by_key(|word| ORDER.iter().position(|known| known == word));
    words.join(", ")
}

/// What moved a cycle of whose own lines there is no news.
fn from_outside(news: &News<'_, '_>, asked: Asked<'_>, own: &[&Line<'_>]) -> Vec<&'static str> {
    let mut words = news.of(&news.elsewhere(asked), asked.on());
    // a payment dated in the future, or one that was moved elsewhere, leaves no other trace
    let waited = || !asked.position().missing.is_empty() || paid_since(0, news.dossier, own);
    if words.is_empty() && asked.on() == EarnOn::Payment && waited() {
        words.push(PAYMENT);
    }
    if words.is_empty() || news.of_partner() {
        words.push(MASTER_DATA);
    }
    words
}

/// Whether an invoice in this cycle, or one that a credit note in it returns, was cancelled since then: said for the first time, and
/// not only read again.
fn cancelled_since(seq: i64, dossier: &Dossier, lines: &[&Line<'_>]) -> bool {
    let said = &dossier.cancellations;
    let same = |one: &Cancellation, other: &Cancellation| {
        (one.space, &one.distributor_code, &one.invoice_no, one.day, one.updated_at)
            == (other.space, &other.distributor_code, &other.invoice_no, other.day, other.updated_at)
    };
    let is_news = |one: &&Cancellation| {
        one.seq > seq && one.seq == one.rank && !said.iter().any(|other| other.seq <= seq && same(one, other))
    };
    let news: BTreeSet<&str> = said.iter().filter(is_news).map(|one| one.invoice_no.as_str()).collect();
    !news.is_empty() && names_any(lines, &news)
}

/// Whether any of these lines is of an invoice with one of these numbers, or returns one.
fn names_any(lines: &[&Line<'_>], numbers: &BTreeSet<&str>) -> bool {
    lines
        .iter()
        .any(|line| numbers.contains(line.row.invoice_no) || numbers.contains(line.row.ref_invoice_no))
}

/// Whether a payment that speaks since then is of an invoice in this cycle, or of one that a credit note in it returns.
fn paid_since(seq: i64, dossier: &Dossier, lines: &[&Line<'_>]) -> bool {
    let newer: BTreeSet<&str> = dossier
        .payments
        .iter()
        .filter(|payment| payment.since > seq)
        .map(|payment| payment.invoice_no.as_str())
        .collect();
    !newer.is_empty() && names_any(lines, &newer)
}
