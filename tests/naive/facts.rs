//! evaluation.md 1.1 to 1.3: documents, versions, and which lines are in force.
//!
//! Files are taken one after the other; for each row its fate is told. What a later rule needs is only the version
//! that speaks for each fact, so nothing else is kept.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};
use num_traits::Signed;

use super::masters::Meaning;
use super::reading::{self, Kind, Sale, Stamped};
use super::settings::Feed;

/// A document's identity. `distributor` is empty where numbers are of the space, `year` 0 where they never restart.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Document {
    pub documents: String,
    pub distributor: String,
    pub kind: Kind,
    pub number: String,
    pub year: i32,
}

/// A fact's identity: a line, or (line_no empty) a whole document.
pub type Key = (Document, String);

/// The version that speaks for a fact.
#[derive(Clone, Debug)]
pub struct Version {
    /// One row for a line; all rows of the document, in the order of the file, where it has no line numbers.
    pub rows: Vec<Sale>,
    /// The same rows, each of the partner whom its distributor means by the code: by this versions are compared.
    meant: Vec<Sale>,
    pub updated_at: Option<DateTime<Utc>>,
    /// Whether the amounts of credit notes are taken as written, by the feed it was read by.
    pub signed: bool,
}

/// A version that was set aside: where its rows stand (of a line that is said twice the first), and what a release lets speak.
#[derive(Clone, Debug)]
pub struct HeldVersion {
    /// The file's place in the order of ingestion, and the lines in it.
    file: usize,
    lines: Vec<u64>,
    key: Key,
    version: Version,
}

impl HeldVersion {
    pub fn is_at(&self, file: usize, line: u64) -> bool {
        self.file == file && self.lines.contains(&line)
    }
}

impl Version {
    fn dated(&self) -> NaiveDate {
        self.rows.iter().map(Sale::dated).min().expect("a version has rows")
    }
    fn partners(&self) -> BTreeSet<&str> {
        self.meant.iter().map(|r| r.cell("partner_code")).collect()
    }
}

/// What became of the rows of a file. The six add up to its data rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fates {
    pub accepted: usize,
    pub duplicate: usize,
    pub superseding: usize,
    pub outdated: usize,
    pub held: usize,
    pub rejected: usize,
    /// How many of the rows cancel something: whether one that was heard before is new is left open.
    pub cancelling: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Accepted,
    Duplicate,
    Superseding,
    Outdated,
    Held,
}

/// Every version that speaks, cancellations among them.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    pub speaking: BTreeMap<Key, Version>,
    pub held: Vec<HeldVersion>,
    pub meaning: Meaning,
}

impl Facts {
    /// Takes one sales file, the `file`th of all.
    pub fn take(&mut self, bytes: &[u8], feed: &Feed, file: usize) -> Fates {
        let mut fates = Fates::default();
        let mut facts: BTreeMap<Key, Vec<Stamped>> = BTreeMap::new();
        let mut order: Vec<(Key, u64)> = vec![];
        let mut lines: BTreeMap<Document, Vec<u64>> = BTreeMap::new();
        let rows = reading::rows(bytes, feed);
        for (line, cells) in &rows {
            let Some(row) = reading::sale(cells, feed) else {
                fates.rejected += 1;
                continue;
            };
            let key = key(&row, feed);
            if !facts.contains_key(&key) {
                order.push((key.clone(), *line));
            }
            lines.entry(key.0.clone()).or_default().push(*line);
            facts.entry(key).or_default().push(row);
        }
        if fates.rejected > 10 && 100 * fates.rejected > rows.len() * percent(feed) {
            return Fates { rejected: rows.len(), ..Fates::default() }; // the file is refused whole
        }
        let both_ways = documents_both_ways(&order);
        for (key, line) in order {
            if both_ways.contains(&key.0) {
                if let Some(lines) = lines.remove(&key.0) {
                    let rows = facts.iter().filter(|(k, _)| k.0 == key.0).flat_map(|(_, rows)| rows);
                    let rows: Vec<Stamped> = rows.cloned().collect();
                    self.take_both_ways(key.0, &rows, (file, lines, feed.notes_signed), &mut fates);
                }
                continue;
            }
            let rows = facts.remove(&key).expect("collected above");
            let whole = key.1.is_empty() && key.0.kind != Kind::Cancellation;
            let lines = if whole { lines[&key.0].clone() } else { vec![line] };
            self.take_fact(key, &rows, (file, lines, feed.notes_signed), &mut fates);
        }
        fates
    }

    /// A document some of whose rows have a line number and some have none is held, unless it says what speaks already;
    /// released, all its rows are one fact.
    fn take_both_ways(
        &mut self,
        document: Document,
        rows: &[Stamped],
        (file, lines, signed): (usize, Vec<u64>, bool),
        fates: &mut Fates,
    ) {
        let content = rows.iter().map(|r| content_of(&r.sale, signed)).collect();
        let (key, version) = ((document, String::new()), self.version(rows, content, signed));
        match self.speaking.get_mut(&key) {
            Some(old) if sorted(&old.meant) == sorted(&version.meant) => {
                old.updated_at = old.updated_at.max(version.updated_at);
                fates.duplicate += rows.len();
            }
            _ => {
                fates.held += rows.len();
                self.held.push(HeldVersion { file, lines, key, version });
            }
        }
    }

    /// What rows that are one fact say, by what codes mean.
    fn version(&self, rows: &[Stamped], content: Vec<Sale>, signed: bool) -> Version {
        let updated_at = rows.iter().filter_map(|row| row.updated_at).max();
        let meant = content.iter().map(|row| self.meaning.of(row)).collect();
        Version { rows: content, meant, updated_at, signed }
    }

    fn take_fact(
        &mut self,
        key: Key,
        rows: &[Stamped],
        (file, lines, signed): (usize, Vec<u64>, bool),
        fates: &mut Fates,
    ) {
        let mut content: Vec<Sale> = rows.iter().map(|r| content_of(&r.sale, signed)).collect();
        let mut repeated = 0;
        if !key.1.is_empty() || key.0.kind == Kind::Cancellation {
            content.dedup();
            if content.len() > 1 && matches!(key.0.kind, Kind::Invoice | Kind::CreditNote) {
                fates.rejected += rows.len(); // identity_twice
                return;
            }
            content.truncate(1);
            repeated = rows.len() - 1;
        }
        if key.0.kind == Kind::Cancellation {
            fates.cancelling += rows.len();
        }
        let version = self.version(rows, content, signed);
        let count = version.rows.len();
        fates.duplicate += repeated;
        match self.settle(key.clone(), version.clone()) {
            Fate::Accepted => fates.accepted += count,
            Fate::Duplicate => fates.duplicate += count,
            Fate::Superseding => fates.superseding += count,
            Fate::Outdated => fates.outdated += count,
            Fate::Held => {
                fates.held += count;
                self.held.push(HeldVersion { file, lines, key, version });
            }
        }
    }

    /// A release lets a version speak as if it came now.
    pub fn release(&mut self, file: usize, line: u64) {
        let Some(place) = self.held.iter().position(|h| h.is_at(file, line)) else { return };
        let HeldVersion { key, version, .. } = self.held.remove(place);
        // it takes the place of a document that came the other way, with line numbers or without
        self.speaking.retain(|(document, line), _| *document != key.0 || line.is_empty() == key.1.is_empty());
        let outdated = self.speaking.get(&key).is_some_and(
            |old| matches!((old.updated_at, version.updated_at), (Some(was), Some(is)) if is < was),
        );
        match self.speaking.get_mut(&key) {
            Some(old) if sorted(&old.meant) == sorted(&version.meant) => {
                old.updated_at = old.updated_at.max(version.updated_at);
            }
            _ if outdated => {}
            _ => drop(self.speaking.insert(key, version)),
        }
    }

    /// A discarded version never speaks.
    pub fn discard(&mut self, file: usize, line: u64) {
        self.held.retain(|h| !h.is_at(file, line));
    }

    /// evaluation.md 1.2, sentence by sentence.
    fn settle(&mut self, key: Key, new: Version) -> Fate {
        let matters = key.0.kind != Kind::Cancellation;
        let neighbour = matters && self.neighbour_is_near(&key.0, new.dated());
        let other_way = matters && self.comes_the_other_way(&key);
        if let Some(old) = self.speaking.get_mut(&key) {
            if sorted(&old.meant) == sorted(&new.meant) || !matters {
                old.updated_at = old.updated_at.max(new.updated_at);
                return Fate::Duplicate;
            }
            if let (Some(was), Some(is)) = (old.updated_at, new.updated_at)
                && is < was
            {
                return Fate::Outdated;
            }
            let moved = (new.dated() - old.dated()).num_days().abs() > 31;
            let contradicts = old.partners() != new.partners() || moved;
            let vanished = new.rows.len() < old.rows.len();
            if matters && (contradicts || vanished || neighbour || other_way) {
                return Fate::Held;
            }
            *old = new;
            return Fate::Superseding;
        }
        if neighbour || other_way {
            return Fate::Held;
        }
        self.speaking.insert(key, new);
        Fate::Accepted
    }

    /// The same number in a neighbouring year, dated within 31 days. Where the two stand so near already, since a
    /// person has released one of them, that is no news.
    fn neighbour_is_near(&self, document: &Document, dated: NaiveDate) -> bool {
        let days = |of: &Document| -> Vec<NaiveDate> {
            self.speaking.iter().filter(|((d, _), _)| d == of).map(|(_, version)| version.dated()).collect()
        };
        let near =
            |days: &[NaiveDate], day: NaiveDate| days.iter().any(|d| (*d - day).num_days().abs() <= 31);
        let own = days(document);
        document.year != 0
            && [document.year - 1, document.year + 1].into_iter().any(|year| {
                let others = days(&Document { year, ..document.clone() });
                near(&others, dated) && !own.iter().any(|day| near(&others, *day))
            })
    }

    fn comes_the_other_way(&self, key: &Key) -> bool {
        let documents = self.speaking.keys().filter(|(document, _)| *document == key.0);
        documents.into_iter().any(|(_, line)| line.is_empty() != key.1.is_empty())
    }

    /// The document of that kind and number as seen from a document that names it: where numbers restart, the
    /// latest on or before that day.
    pub fn named(&self, from: &Document, kind: Kind, number: &str, dated: NaiveDate) -> Option<Document> {
        let wanted = |d: &Document| {
            d.kind == kind
                && d.number == number
                && d.documents == from.documents
                && d.distributor == from.distributor
        };
        let documents: BTreeSet<&Document> =
            self.speaking.keys().map(|(d, _)| d).filter(|d| wanted(d)).collect();
        let day_of = |d: &Document| self.of(d).map(|(_, v)| v.dated()).min().expect("it has a version");
        let known = documents.into_iter().filter(|d| d.year == 0 || day_of(d) <= dated);
        known.max_by_key(|d| day_of(d)).cloned()
    }

    /// The facts of a document with the versions that speak for them.
    pub fn of<'a>(&'a self, document: &'a Document) -> impl Iterator<Item = (&'a Key, &'a Version)> {
        self.speaking.iter().filter(move |(key, _)| key.0 == *document)
    }

    /// Whether the lines of that fact are void (evaluation.md 1.3).
    pub fn cancelled(&self, key: &Key) -> bool {
        if key.0.kind != Kind::Invoice {
            return false;
        }
        let mut stamps = vec![];
        for ((document, _), version) in &self.speaking {
            let names = document.kind == Kind::Cancellation
                && self.named(document, Kind::Invoice, &document.number, version.dated()).as_ref()
                    == Some(&key.0);
            if names {
                stamps.push(version.updated_at);
            }
        }
        let Some(last) = stamps.iter().max().copied() else { return false };
        let line = self.speaking[key].updated_at;
        let all_stamped = stamps.iter().all(Option::is_some);
        !(all_stamped && line.is_some() && line > last)
    }
}

fn sorted(rows: &[Sale]) -> Vec<&Sale> {
    let mut rows: Vec<&Sale> = rows.iter().collect();
    rows.sort();
    rows
}

fn percent(feed: &Feed) -> usize {
    use num_traits::ToPrimitive;
    feed.max_reject_percent.to_integer().to_usize().expect("a small percentage")
}

/// A cancellation says nothing but what it cancels and when; the content of anything else is all its columns. What a note gives
/// back is negative, whatever its sign, unless the feed says that it is signed.
fn content_of(sale: &Sale, signed: bool) -> Sale {
    let mut content = sale.clone();
    if sale.kind == Kind::CreditNote && !signed {
        (content.amount, content.quantity) = (-sale.amount.abs(), -sale.quantity.abs());
    }
    if sale.kind == Kind::Cancellation {
        content.other.clear();
        content.line_no.clear();
        content.amount = super::number::int(0);
        content.quantity = super::number::int(0);
        content.when = super::time::When::Day(sale.dated()); // told apart by the key where it matters
    }
    content
}

/// What a file speaks of: the facts of its rows, each with the partners of it, but for those that it contradicts itself about.
pub fn carried(bytes: &[u8], feed: &Feed) -> BTreeSet<(Key, String)> {
    let mut facts: BTreeMap<Key, Vec<Sale>> = BTreeMap::new();
    for (_, cells) in reading::rows(bytes, feed) {
        if let Some(row) = reading::sale(&cells, feed) {
            facts.entry(key(&row, feed)).or_default().push(content_of(&row.sale, feed.notes_signed));
        }
    }
    let speaks = |(key, rows): &(Key, Vec<Sale>)| key.1.is_empty() || rows.iter().all(|row| *row == rows[0]);
    let partners = |(key, rows): (Key, Vec<Sale>)| {
        rows.into_iter().map(move |row| (key.clone(), row.cell("partner_code").to_string()))
    };
    facts.into_iter().filter(speaks).flat_map(partners).collect()
}

/// Cancellations of one number are all heard: one for each `updated_at` and, where numbers restart, day.
pub fn key(row: &Stamped, feed: &Feed) -> Key {
    let document = document(&row.sale, feed);
    let line = match (row.sale.kind, document.year) {
        (Kind::Invoice | Kind::CreditNote, _) => row.sale.line_no.clone(),
        (Kind::Cancellation, 0) => format!("{:?}", row.updated_at),
        (Kind::Cancellation, _) => format!("{:?} {}", row.updated_at, row.sale.dated()),
    };
    (document, line)
}

fn document(sale: &Sale, feed: &Feed) -> Document {
    let year = feed.numbers_restart.map_or(0, |month| {
        let calendar = super::time::Calendar { months: 12, year_starts: month };
        chrono::Datelike::year(&calendar.year_first(sale.dated()))
    });
    Document {
        documents: feed.documents.clone(),
        distributor: if feed.numbers_of_space { String::new() } else { sale.cell("distributor_code").into() },
        kind: sale.kind,
        number: sale.number.clone(),
        year,
    }
}

fn documents_both_ways(keys: &[(Key, u64)]) -> BTreeSet<Document> {
    let with = |blank: bool| -> BTreeSet<Document> {
        let keys = keys.iter().map(|(key, _)| key);
        let some = keys.filter(|(d, line)| line.is_empty() == blank && d.kind != Kind::Cancellation);
        some.map(|(d, _)| d.clone()).collect()
    };
    with(true).intersection(&with(false)).cloned().collect()
}
