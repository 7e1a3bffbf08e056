//! The second, naive evaluator: the independent judge of `accrued`.
//!
//! It reads the raw files, accrued.toml and the schemes by itself, works in exact fractions, and goes by
//! evaluation.md 1 to 4 alone: clarity over speed, everything recomputed from scratch. It imports nothing from
//! `src/`. Not judged here: wallets, redemptions, expiry, referrals, `mode = "replace"`, payments, plans, and
//! undated master records whose file name names a period.
//!
//! # Readings
//! Where evaluation.md leaves room, this is what is read here:
//!
//! 1. A document's date (its year, the 31 days, "on or before") is the date as the file writes it, before any zone.
//!    A document of several lines is dated by the earliest of them.
//! 2. `identity_conflict` and versions are by fact: a line, or a whole document without line_no. A new line with
//!    another partner than its sister lines contradicts nothing.
//! 3. A duplicate with an `updated_at` lends it to a version without one (so that the order of files tells nothing).
//! 4. The rows of a document without line_no are compared as a multiset; its `updated_at` is the latest of its rows,
//!    its partners a set.
//! 5. A document that in one file comes with and without line_no is held whole; the version that speaks is compared
//!    with `duplicate` first, `outdated` next, and only then held.
//! 6. Every cancellation of a number is heard, each with its own `updated_at` or none.
//! 7. A line that some rule excludes for good is `no`, whatever else holds it ("they count as soon as the cause is
//!    gone"), but `future_date` comes right after `cancelled`. Of several holds: partner, sku, rate.
//! 8. A blank category is the item master's, a blank channel the partner master's, after what a credit note takes
//!    from its invoice. `earns_points = no` is `sku_excluded`. A line without a SKU is not an unlisted SKU.
//! 9. "The first record of a code without one" applies from the beginning: the first record of that code at all, where
//!    it is undated. An undated one after a dated one is a later one.
//! 10. A ladder level with `from = 0` is reached by a measure of 0; a slab's tier only above 0.
//! 11. `lock_after_days` have passed on the first day after them, like `grace_days`.
//! 12. A shortfall is carried by the rules of the cycle that has it.

pub mod arithmetic;
pub mod counting;
pub mod facts;
pub mod masters;
pub mod number;
pub mod reading;
pub mod rules;
pub mod settings;
pub mod time;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Duration, NaiveDate, Utc};

use arithmetic::{Partner, Position};
use counting::{Known, Line};
use facts::Fates;
use number::Frac;
use rules::Scheme;
use settings::Feed;
use time::Cycle;

/// A file that was dropped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drop {
    pub feed: String,
    pub name: String,
    pub bytes: Vec<u8>,
}

/// A run: its instant and the files it found, in the order it takes them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    pub as_of: DateTime<Utc>,
    pub drops: Vec<Drop>,
}

/// A workspace: its feeds and its schemes (each with its versions by date).
#[derive(Clone, Debug)]
pub struct World {
    pub feeds: Vec<Feed>,
    pub schemes: BTreeMap<String, Vec<Scheme>>,
}

impl World {
    pub fn new(config: &str, scheme_files: &[String]) -> World {
        let mut schemes: BTreeMap<String, Vec<Scheme>> = BTreeMap::new();
        for text in scheme_files {
            let scheme = rules::read(text);
            schemes.entry(scheme.id.clone()).or_default().push(scheme);
        }
        schemes.values_mut().for_each(|versions| versions.sort_by_key(|s| s.starts));
        World { feeds: settings::feeds(config), schemes }
    }
}

/// What the naive evaluator finds after a history of runs.
#[derive(Clone, Debug)]
pub struct Judgement {
    /// What became of the rows of each file, by feed and name, in the order taken. None: a file not read again.
    pub fates: Vec<(String, String, Option<Fates>)>,
    pub schemes: BTreeMap<String, Seen>,
}

/// One scheme after a history of runs.
#[derive(Clone, Debug)]
pub struct Seen {
    pub lines: Vec<Line>,
    /// Every cycle that has begun, in order, and whether it has closed.
    pub cycles: Vec<(Cycle, bool)>,
    /// When each closed cycle closed, by its name.
    pub closed_on: BTreeMap<String, NaiveDate>,
    /// By cycle name and partner.
    pub positions: BTreeMap<(String, String), Position>,
    /// What the ledger must hold, zero left out: by cycle name and partner.
    pub posted: BTreeMap<(String, String), Frac>,
}

/// Takes the runs one after the other and judges the world as the last of them leaves it.
pub fn judge(world: &World, runs: &[Run]) -> Judgement {
    let mut known = Known::default();
    let mut fates = vec![];
    let mut seen: BTreeSet<&[u8]> = BTreeSet::new();
    let mut schemes: BTreeMap<String, Seen> = BTreeMap::new();
    for run in runs {
        for drop in &run.drops {
            let place = world.feeds.iter().position(|f| f.name == drop.feed).expect("a feed");
            let fate = seen.insert(&drop.bytes).then(|| take_file(&mut known, world, place, drop, run));
            fates.push((drop.feed.clone(), drop.name.clone(), fate));
        }
        for (id, versions) in &world.schemes {
            let now = see(world, &known, versions, run.as_of, schemes.get(id));
            schemes.insert(id.clone(), now);
        }
    }
    Judgement { fates, schemes }
}

fn take_file(known: &mut Known, world: &World, place: usize, drop: &Drop, run: &Run) -> Fates {
    let feed = &world.feeds[place];
    let day = run.as_of.with_timezone(&feed.zone).date_naive();
    let records = |(accepted, rejected)| Fates { accepted, rejected, ..Fates::default() };
    match feed.kind.as_str() {
        "sales" => known.facts.take(&drop.bytes, feed, place),
        "partners" => records(known.partners.take(&drop.bytes, feed, "partner_code", day)),
        "items" => records(known.items.take(&drop.bytes, feed, "sku", day)),
        "fx" => {
            known.rates.take(&drop.bytes, feed);
            Fates::default()
        }
        other => panic!("the naive evaluator reads no {other}"),
    }
}

fn see(world: &World, known: &Known, versions: &[Scheme], now: DateTime<Utc>, before: Option<&Seen>) -> Seen {
    let today = now.with_timezone(&versions[0].zone).date_naive();
    let lines = counting::lines(world, known, versions, today);
    let cycles = cycles(versions, today);
    let closed_on = closed_on(&cycles, today, before);
    let codes: BTreeSet<&String> = lines.iter().map(|l| &l.partner).collect();
    let mut positions = BTreeMap::new();
    let mut posted = BTreeMap::new();
    for code in codes {
        let partner = Partner { versions, lines: lines.iter().filter(|l| l.partner == *code).collect() };
        for (cycle, closed) in &cycles {
            let position = partner.position(cycle);
            let key = (cycle.name.clone(), code.clone());
            let scheme = version_of_cycle(versions, cycle);
            let due = match closed_on.get(&cycle.name) {
                Some(day) if locked(scheme, *day, today) => before.and_then(|b| b.posted.get(&key)).cloned(),
                _ => (*closed || scheme.continuous).then(|| position.points.clone()),
            };
            if let Some(due) = due.filter(|due| *due != number::int(0)) {
                posted.insert(key.clone(), due);
            }
            positions.insert(key, position);
        }
    }
    Seen { lines, cycles, closed_on, positions, posted }
}

/// The day on which each closed cycle closed: that of the first run that could close it.
fn closed_on(
    cycles: &[(Cycle, bool)],
    today: NaiveDate,
    before: Option<&Seen>,
) -> BTreeMap<String, NaiveDate> {
    let closed = cycles.iter().filter(|(_, closed)| *closed).map(|(cycle, _)| &cycle.name);
    let day = |name: &String| before.and_then(|b| b.closed_on.get(name)).copied().unwrap_or(today);
    closed.map(|name| (name.clone(), day(name))).collect()
}

/// Whether a difference of a cycle that closed that day is held now.
fn locked(scheme: &Scheme, closed_on: NaiveDate, today: NaiveDate) -> bool {
    scheme.lock_after_days.is_some_and(|days| today > closed_on + Duration::days(days))
}

/// Every cycle from the first to today's (or the scheme's last), and whether it has closed: evaluation.md 4.
fn cycles(versions: &[Scheme], today: NaiveDate) -> Vec<(Cycle, bool)> {
    let calendar = &versions[0].calendar;
    let ends = versions.last().expect("a version").ends;
    let last = ends.map_or(today, |ends| ends.min(today));
    let mut cycles = vec![];
    let mut open = false;
    let mut day = versions[0].starts;
    while day <= last {
        let cycle = calendar.cycle_of(day);
        day = cycle.last + Duration::days(1);
        let grace = Duration::days(version_of_cycle(versions, &cycle).grace_days);
        open = open || today <= cycle.last + grace;
        cycles.push((cycle, !open));
    }
    cycles
}

/// The version a day goes by: that of its cycle.
pub fn version_of_day(versions: &[Scheme], day: NaiveDate) -> &Scheme {
    version_of_cycle(versions, &versions[0].calendar.cycle_of(day))
}

/// The version in force on the cycle's first day, or the first that comes into force in it.
pub fn version_of_cycle<'a>(versions: &'a [Scheme], cycle: &Cycle) -> &'a Scheme {
    let on_first_day = versions.iter().rev().find(|v| v.starts <= cycle.first);
    on_first_day.unwrap_or(&versions[0])
}
