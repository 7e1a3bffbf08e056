//! Files in the order taken, and decisions: which of them speak, and what is known by them.

use std::collections::{BTreeMap, BTreeSet};

use super::aside::{Aside, Why};
use super::closing::Come;
use super::counting::Known;
use super::facts::{self, Fates};
use super::masters::Meaning;
use super::names::{self, Named};
use super::reading;
use super::rules::Scheme;
use super::settings::Feed;
use super::voiding;
use super::{Drop, Run, Word};
use chrono::NaiveDate;

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
    /// Bytes that were ingested, by feed; of an empty file its name too, since it says nothing but that.
    seen: BTreeSet<Told>,
    pub aside: Aside,
    known: Known,
}

/// What becomes of each file of a run, by feed and name; None: one that was not read.
type Became = Vec<(String, String, Option<Fates>)>;

/// What came of looking at a file.
enum Took {
    /// None: it was not read.
    File(Option<Fates>),
    /// It is looked at again.
    Nothing,
}

/// Feed, bytes, and of an empty file its name.
type Told = (String, Vec<u8>, String);

impl Log {
    pub fn known(&self) -> &Known {
        &self.known
    }

    /// Takes the files that were released and those of a run, and tells what became of each.
    pub fn take(&mut self, feeds: &[Feed], run: &Run) -> Became {
        let feed_of = |drop: &Drop| feeds.iter().find(|f| f.name == drop.feed).expect("a feed");
        let day = |feed: &Feed| run.as_of.with_timezone(&feed.zone).date_naive();
        let mut became = vec![];
        for (drop, named, why) in self.aside.released() {
            let feed = feed_of(&drop);
            if why != Why::TotalsDisagree && !reading::totals_agree(&drop, feed) {
                self.aside.put(&drop, &named, Why::TotalsDisagree, self.events.len());
                continue;
            }
            let fates = self.read(feed, &drop, named, day(feed));
            became.push((drop.feed, drop.name, Some(fates)));
        }
        let mut waiting = self.without_rivals(feeds, run, &mut became);
        let mut patient = true;
        while !waiting.is_empty() {
            let mut again: Vec<&Drop> = vec![];
            for (place, drop) in waiting.iter().enumerate() {
                let feed = feed_of(drop);
                let alike = |other: &&Drop| feed_of(other).kind == feed.kind;
                let others = waiting[place + 1..].iter().chain(&again).any(alike);
                match self.take_one(feed, drop, day(feed), patient && others) {
                    Took::Nothing => again.push(drop),
                    Took::File(fates) => became.push((drop.feed.clone(), drop.name.clone(), fates)),
                }
            }
            patient = again.len() < waiting.len();
            waiting = again;
        }
        self.judge_again(feeds, run, &mut became);
        became
    }

    /// What was set aside for a cause that has gone is read without anyone acting, unless a person has since let another file of
    /// its period speak.
    fn judge_again(&mut self, feeds: &[Feed], run: &Run, became: &mut Became) {
        let mut any = true;
        while any {
            any = false;
            for (place, drop, named, why, at) in self.aside.may_go() {
                let feed = feeds.iter().find(|f| f.name == drop.feed).expect("a feed");
                let day = run.as_of.with_timezone(&feed.zone).date_naive();
                let other_since = self.replaced(feed, &named).iter().any(|event| *event >= at);
                if other_since || !self.aside.waits_at(place) {
                    continue;
                }
                let said = self.seen.contains(&told(&drop, feed));
                match self.why_not(feed, &drop, &named, day) {
                    _ if said => {}
                    Some(now) if now == why => continue,
                    Some(now) => self.aside.put(&drop, &named, now, self.events.len()),
                    None => {
                        self.aside.overtaken(feed, &drop.name, &named, place);
                        let fates = self.read(feed, &drop, named, day);
                        became.push((drop.feed, drop.name, Some(fates)));
                    }
                }
                self.aside.end(place);
                any = true;
            }
        }
    }

    /// Sets new files aside that one run finds for one period, and gives the others.
    fn without_rivals<'r>(&mut self, feeds: &[Feed], run: &'r Run, became: &mut Became) -> Vec<&'r Drop> {
        let feed_of = |drop: &Drop| feeds.iter().find(|f| f.name == drop.feed).expect("a feed");
        let news = |drop: &&Drop| feed_of(drop).replaces && !self.has(drop);
        let mut of_period: BTreeMap<(&String, Named), BTreeSet<&Vec<u8>>> = BTreeMap::new();
        for drop in run.drops.iter().filter(news) {
            of_period.entry((&drop.feed, named(feed_of(drop), drop))).or_default().insert(&drop.bytes);
        }
        let (rivals, others): (Vec<&Drop>, Vec<&Drop>) = run
            .drops
            .iter()
            .partition(|drop| news(drop) && of_period[&(&drop.feed, named(feed_of(drop), drop))].len() > 1);
        for drop in rivals {
            self.aside.put(drop, &named(feed_of(drop), drop), Why::SeveralOfPeriod, self.events.len());
            became.push((drop.feed.clone(), drop.name.clone(), None));
        }
        others
    }

    fn take_one(&mut self, feed: &Feed, drop: &Drop, day: NaiveDate, patient: bool) -> Took {
        if self.seen.contains(&told(drop, feed)) {
            return Took::File(None);
        }
        let named = named(feed, drop);
        match self.why_not(feed, drop, &named, day) {
            Some(Why::TooMuchVoid) if patient => Took::Nothing,
            Some(why) => {
                self.aside.put(drop, &named, why, self.events.len());
                Took::File(None)
            }
            None => {
                self.aside.overtaken(feed, &drop.name, &named, self.aside.len());
                Took::File(Some(self.read(feed, drop, named, day)))
            }
        }
    }

    /// Whether a feed has ingested these bytes.
    fn has(&self, drop: &Drop) -> bool {
        self.seen.iter().any(|(feed, bytes, _)| *feed == drop.feed && *bytes == drop.bytes)
    }

    /// Why a person must say first whether a file is to be read.
    fn why_not(&self, feed: &Feed, drop: &Drop, named: &Named, day: NaiveDate) -> Option<Why> {
        let elsewhere =
            |(other, bytes, empty): &Told| *other != drop.feed && *bytes == drop.bytes && empty.is_empty();
        if self.seen.iter().any(elsewhere) {
            return Some(Why::OtherFeed);
        }
        if !reading::totals_agree(drop, feed) {
            return Some(Why::TotalsDisagree);
        }
        self.voids_too_much(feed, drop, named, day).then_some(Why::TooMuchVoid)
    }

    /// The files that one of this name takes the place of.
    fn replaced(&self, feed: &Feed, named: &Named) -> Vec<usize> {
        let replaces = |event: &Event| match event {
            Event::Taken(t) => feed.replaces && t.speaks && t.read_by.name == feed.name && t.named == *named,
            Event::Decided { .. } => false,
        };
        (0..self.events.len()).filter(|place| replaces(&self.events[*place])).collect()
    }

    fn read(&mut self, feed: &Feed, drop: &Drop, named: Named, day: NaiveDate) -> Fates {
        let replaced = self.replaced(feed, &named);
        self.seen.insert(told(drop, feed));
        let (name, bytes, read_by) = (drop.name.clone(), drop.bytes.clone(), feed.of_file(&named));
        let taking = Taking { name, bytes, named, read_by, day, speaks: true };
        let fates = take(&mut self.known, &taking, self.events.len());
        self.events.push(Event::Taken(Box::new(taking)));
        if !replaced.is_empty() || self.known.partners.has_local_codes() {
            replaced.iter().for_each(|i| self.silence(*i));
            self.anew();
        }
        fates
    }

    /// The periods of the files of a feed that were ingested, whether they still speak or not.
    pub fn come(&self, feed: &str) -> Vec<Come> {
        let of = |event: &Event| match event {
            Event::Taken(t) if t.read_by.name == feed => {
                t.named.period.map(|period| (period, t.named.distributor.clone()))
            }
            Event::Taken(_) | Event::Decided { .. } => None,
        };
        self.events.iter().filter_map(of).collect()
    }

    fn silence(&mut self, place: usize) {
        if let Event::Taken(taking) = &mut self.events[place] {
            taking.speaks = false;
        }
    }

    /// Whether a replacing file would void more of the period's lines or amount than its feed allows.
    fn voids_too_much(&self, feed: &Feed, drop: &Drop, named: &Named, day: NaiveDate) -> bool {
        let mut carried = BTreeSet::new();
        for place in self.replaced(feed, named) {
            if let Event::Taken(taking) = &self.events[place] {
                carried.extend(facts::carried(&taking.bytes, &taking.read_by));
            }
        }
        if feed.kind != "sales" || carried.is_empty() {
            return false;
        }
        let mut then = self.clone();
        then.read(feed, drop, named.clone(), day);
        voiding::too_much(&self.known.facts, &then.known.facts, &carried, &feed.max_void_percent)
    }

    /// Files of a feed are read again by its settings of now.
    pub fn reread(&mut self, feed: &Feed, name: Option<&str>) {
        for event in &mut self.events {
            if let Event::Taken(taking) = event
                && taking.read_by.name == feed.name
                && name.is_none_or(|name| name == taking.name)
            {
                taking.read_by = feed.of_file(&taking.named);
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
        let held = |held: (usize, u64)| Some(held.0) == file && held.1 == line;
        let of_sales = file.is_some_and(|file| self.known.facts.held.iter().any(|h| h.is_at(file, line)));
        of_sales || self.known.payments.held().any(held)
    }

    /// A person decides about what was set aside in a file.
    pub fn decide(&mut self, feed: &str, name: &str, line: u64, verdict: Word) {
        let file = self.file(feed, name).expect("a file that was taken");
        decide(&mut self.known, file, line, verdict);
        self.events.push(Event::Decided { file, line, verdict });
    }

    /// What is known by all that speak, codes by what they mean now.
    fn anew(&mut self) {
        self.known = self.replayed(None);
        if self.known.partners.has_local_codes() {
            let partners = self.known.partners.clone();
            self.known = self.replayed(Some(Meaning { partners, days: None }));
        }
    }

    /// What is known as a scheme sees it, where distributors have codes of their own: each row of the partner whom its code means
    /// by now on the row's business date.
    pub fn meant(&self, scheme: &Scheme) -> Known {
        let partners = self.known.partners.clone();
        self.replayed(Some(Meaning { partners, days: Some((scheme.zone, scheme.day_closes_at)) }))
    }

    /// What is known by all that speak, from the beginning; by what codes meant then where it is not given.
    fn replayed(&self, meaning: Option<Meaning>) -> Known {
        let mut known = Known::default();
        for (place, event) in self.events.iter().enumerate() {
            match event {
                Event::Taken(taking) if taking.speaks => {
                    take_by(&mut known, taking, place, meaning.as_ref());
                }
                Event::Taken(_) => {}
                Event::Decided { file, line, verdict } => decide(&mut known, *file, *line, *verdict),
            }
        }
        known
    }
}

fn named(feed: &Feed, drop: &Drop) -> Named {
    names::read(&feed.files, &drop.name).expect("a name of its feed")
}

/// What a file tells apart from others.
fn told(drop: &Drop, feed: &Feed) -> Told {
    let empty = reading::rows(&drop.bytes, feed).is_empty();
    (drop.feed.clone(), drop.bytes.clone(), if empty { drop.name.clone() } else { String::new() })
}

fn decide(known: &mut Known, file: usize, line: u64, verdict: Word) {
    match verdict {
        Word::Release => {
            known.facts.release(file, line);
            known.payments.release(file, line);
        }
        Word::Discard => {
            known.facts.discard(file, line);
            known.payments.discard(file, line);
        }
    }
}

fn take(known: &mut Known, taking: &Taking, place: usize) -> Fates {
    take_by(known, taking, place, None)
}

fn take_by(known: &mut Known, taking: &Taking, place: usize, meaning: Option<&Meaning>) -> Fates {
    let then = || Meaning { partners: known.partners.clone(), days: None };
    known.facts.meaning = meaning.cloned().unwrap_or_else(then);
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
        "payments" => known.payments.take(&taking.bytes, feed, place),
        // no point rests on what the bank credited
        "deposits" => Fates::default(),
        other => panic!("the naive evaluator reads no {other}"),
    }
}
