//! Files in the order taken, and decisions: which of them speak, and what is known by them.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use num_traits::{Signed, Zero};

use super::counting::Known;
use super::facts::{Fates, Key};
use super::names::{self, Named};
use super::number::{self, Frac};
use super::reading;
use super::settings::Feed;
use super::{Drop, Run, Word};

/// A file that was taken.
#[derive(Clone, Debug)]
struct Taking {
    name: String,
    bytes: Vec<u8>,
    named: Named,
    /// The settings it was last read by.
    read_by: Feed,
    /// The day of its first reading.
    day: NaiveDate,
    speaks: bool,
}

#[derive(Clone, Debug)]
enum Event {
    Taken(Box<Taking>),
    Decided { file: usize, line: u64, verdict: Word },
}

/// Everything that happened, and what is known by it.
#[derive(Clone, Debug, Default)]
pub struct Log {
    events: Vec<Event>,
    /// Bytes that were ingested; of an empty file its name too, since it says nothing but that.
    seen: BTreeSet<(Vec<u8>, String)>,
    known: Known,
}

impl Log {
    pub fn known(&self) -> &Known {
        &self.known
    }

    /// Takes the files of a run, and tells what became of each; None: a file that was not read.
    pub fn take(&mut self, feeds: &[Feed], run: &Run) -> Vec<Option<Fates>> {
        let feed_of = |drop: &Drop| feeds.iter().find(|f| f.name == drop.feed).expect("a feed");
        let named = |drop: &Drop| names::read(&feed_of(drop).files, &drop.name).expect("a name of its feed");
        let mut news: BTreeMap<(&String, Named), BTreeSet<&Vec<u8>>> = BTreeMap::new();
        for drop in run.drops.iter().filter(|d| feed_of(d).replaces && !self.knows(d, feed_of(d))) {
            news.entry((&drop.feed, named(drop))).or_default().insert(&drop.bytes);
        }
        let mut fates = vec![];
        for drop in &run.drops {
            let feed = feed_of(drop);
            let rivals = news.get(&(&drop.feed, named(drop))).is_some_and(|files| files.len() > 1);
            let day = run.as_of.with_timezone(&feed.zone).date_naive();
            fates.push(if self.knows(drop, feed) || (rivals && named(drop).part.is_none()) {
                None
            } else {
                self.take_file(feed, drop, named(drop), day)
            });
        }
        fates
    }

    fn knows(&self, drop: &Drop, feed: &Feed) -> bool {
        self.seen.contains(&told(drop, feed))
    }

    fn take_file(&mut self, feed: &Feed, drop: &Drop, named: Named, day: NaiveDate) -> Option<Fates> {
        let replaced: Vec<usize> = (0..self.events.len())
            .filter(|i| match &self.events[*i] {
                Event::Taken(t) => {
                    feed.replaces && t.speaks && t.read_by.name == feed.name && t.named == named
                }
                Event::Decided { .. } => false,
            })
            .collect();
        if self.voids_too_much(&replaced, feed, drop) {
            return None;
        }
        self.seen.insert(told(drop, feed));
        let taking = Taking {
            name: drop.name.clone(),
            bytes: drop.bytes.clone(),
            named,
            read_by: feed.clone(),
            day,
            speaks: true,
        };
        let fates = take(&mut self.known, &taking, self.events.len());
        self.events.push(Event::Taken(Box::new(taking)));
        if !replaced.is_empty() {
            replaced.iter().for_each(|i| self.silence(*i));
            self.anew();
        }
        Some(fates)
    }

    fn silence(&mut self, place: usize) {
        if let Event::Taken(taking) = &mut self.events[place] {
            taking.speaks = false;
        }
    }

    /// Whether a replacing file would void more of the period's lines or amount than its feed allows.
    fn voids_too_much(&self, replaced: &[usize], feed: &Feed, drop: &Drop) -> bool {
        let carried = |bytes: &[u8], feed: &Feed| -> Vec<(Key, Frac)> {
            let rows = reading::rows(bytes, feed);
            let sales = rows.iter().filter_map(|(_, cells)| reading::sale(cells, feed));
            sales.map(|row| (super::facts::key(&row, feed), row.sale.amount.abs())).collect()
        };
        let before: Vec<(Key, Frac)> = replaced
            .iter()
            .flat_map(|i| match &self.events[*i] {
                Event::Taken(t) if feed.kind == "sales" => carried(&t.bytes, &t.read_by),
                Event::Taken(_) | Event::Decided { .. } => vec![],
            })
            .collect();
        if before.is_empty() {
            return false;
        }
        let now: BTreeSet<Key> = carried(&drop.bytes, feed).into_iter().map(|(key, _)| key).collect();
        let voided = || before.iter().filter(|(key, _)| !now.contains(key));
        let amount = |lines: &mut dyn Iterator<Item = &(Key, Frac)>| {
            lines.fold(Frac::zero(), |sum, (_, amount)| sum + amount)
        };
        let count = |n: usize| number::int(i64::try_from(n).expect("a count of rows"));
        let over = |part: Frac, whole: Frac| part * number::int(100) > whole * &feed.max_void_percent;
        over(count(voided().count()), count(before.len()))
            || over(amount(&mut voided()), amount(&mut before.iter()))
    }

    /// Files of a feed are read again by its settings of now.
    pub fn reread(&mut self, feed: &Feed, name: Option<&str>) {
        for event in &mut self.events {
            if let Event::Taken(taking) = event
                && taking.read_by.name == feed.name
                && name.is_none_or(|name| name == taking.name)
            {
                taking.read_by = feed.clone();
            }
        }
        self.anew();
    }

    fn file(&self, feed: &str, name: &str) -> Option<usize> {
        let of = |event: &Event| match event {
            Event::Taken(t) => t.read_by.name == feed && t.name == name,
            Event::Decided { .. } => false,
        };
        self.events.iter().rposition(of)
    }

    pub fn holds(&self, feed: &str, name: &str, line: u64) -> bool {
        let file = self.file(feed, name);
        self.known.facts.held.iter().any(|h| Some(h.file) == file && h.line == line)
    }

    /// A person decides about what was set aside in a file.
    pub fn decide(&mut self, feed: &str, name: &str, line: u64, verdict: Word) {
        let file = self.file(feed, name).expect("a file that was taken");
        decide(&mut self.known, file, line, verdict);
        self.events.push(Event::Decided { file, line, verdict });
    }

    /// What is known by all that speak, from the beginning.
    fn anew(&mut self) {
        let mut known = Known::default();
        for (place, event) in self.events.iter().enumerate() {
            match event {
                Event::Taken(taking) if taking.speaks => drop(take(&mut known, taking, place)),
                Event::Taken(_) => {}
                Event::Decided { file, line, verdict } => decide(&mut known, *file, *line, *verdict),
            }
        }
        self.known = known;
    }
}

/// What a file tells apart from others, its feed left out.
fn told(drop: &Drop, feed: &Feed) -> (Vec<u8>, String) {
    let empty = reading::rows(&drop.bytes, feed).is_empty();
    (drop.bytes.clone(), if empty { format!("{} {}", drop.feed, drop.name) } else { String::new() })
}

fn decide(known: &mut Known, file: usize, line: u64, verdict: Word) {
    match verdict {
        Word::Release => known.facts.release(file, line),
        Word::Discard => known.facts.discard(file, line),
    }
}

fn take(known: &mut Known, taking: &Taking, place: usize) -> Fates {
    let feed = &taking.read_by;
    // a later undated record applies from the period that its file names, else from the day of ingestion
    let day = taking.named.period.map_or(taking.day, |(first, _)| first);
    let records = |(accepted, rejected)| Fates { accepted, rejected, ..Fates::default() };
    match feed.kind.as_str() {
        "sales" => known.facts.take(&taking.bytes, feed, place),
        "partners" => records(known.partners.take(&taking.bytes, feed, "partner_code", day)),
        "items" => records(known.items.take(&taking.bytes, feed, "sku", day)),
        "fx" => {
            known.rates.take(&taking.bytes, feed);
            Fates::default()
        }
        "payments" => known.payments.take(&taking.bytes, feed),
        other => panic!("the naive evaluator reads no {other}"),
    }
}
