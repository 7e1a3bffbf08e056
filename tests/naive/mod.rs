//! The second, naive evaluator: the independent judge of `accrued`.
//!
//! It reads the raw files, accrued.toml and the schemes by itself, works in exact fractions, and goes by
//! evaluation.md 1 to 4 alone: clarity over speed, everything recomputed from scratch. It imports nothing from
//! `src/`. What happened is a list of files and of decisions; whenever one of the files falls silent or is read again,
//! all that still speak are taken anew, in their order. Not judged here: wallets, redemptions, expiry, referrals, plans.
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
//!    from its invoice; a note without an item of its own takes the category that the master gives all lines it returns.
//!    `earns_points = no` is `sku_excluded`. A line without a SKU is not an unlisted SKU.
//! 9. "The first record of a code without one" applies from the beginning: the first record of that code at all, where
//!    it is undated. An undated one after a dated one is a later one.
//! 10. A ladder level with `from = 0` is reached by a measure of 0; a slab's tier only above 0.
//! 11. `lock_after_days` have passed on the first day after them, like `grace_days`.
//! 12. A shortfall is carried by the rules of the cycle that has it.
//! 13. Where `earn.on = "payment"`, a line that is `unpaid` says so also where something else would hold it. A credit note
//!     that has found no invoice is not paid. What credit notes take off the total of their invoice is their amounts, of the
//!     largest total where its lines disagree. An invoice in several currencies is paid in each; what is dated after the run's
//!     day has not come yet.
//! 14. A payment is told by its reference within its document space. Where numbers restart, it pays the latest invoice on
//!     or before its day, as a cancellation voids it.
//! 15. A file read again keeps its place in the order of ingestion, and its day.
//! 16. An undated master record applies from its day also where it says what applied before: a dated one that comes later
//!     and applies from before that day ends there. What a distributor calls a partner is a record of that local code: the
//!     first undated one of it applies from the beginning, whomever it means.
//! 17. A released version takes the place of the whole document where that came the other way, with or without line_no.
//! 18. Under `replace`, what a file says is judged on arrival against the file that it replaces as well. Of the lines in force
//!     that the replaced file carries, it would void those that then no file says; amounts are added without their signs.
//!     It is looked at again once the other files of its feed in that run are taken: lines may have moved to one of them.
//!     A document under a distributor's own code for a partner and under the partner's is one partner's: versions are compared
//!     by whom their codes mean by what is known so far: on arrival on the day as written, for a scheme on the business date.
//! 19. About bytes that were held whole a person is asked once for each reason, also where a newer file has overtaken them;
//!     other control totals beside them are another question.
//!     A released file is read by the next run before what that run finds, as the newest of its period.
//! 20. A file has come for an expected period when the period in its name shares a day with it. A cycle is closed by hand
//!     by a run of its own, which looks at no feed and so closes no other.
//!     Of several distributors each is expected for the periods of which it lasts on a day that counts; weeks begin on Monday.
//! 21. One payment may pay several invoices, by one row for each. A row of a later file that says anything but what is said
//!     already is a conflict; released, what its file said of the payment speaks instead of all before.

pub mod arithmetic;
pub mod aside;
pub mod closing;
pub mod counting;
pub mod facts;
pub mod masters;
pub mod names;
pub mod number;
pub mod payments;
pub mod reading;
pub mod rules;
pub mod settings;
pub mod taking;
pub mod time;
pub mod voiding;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};

use arithmetic::{Partner, Position};
use closing::{Occasion, closed_on, cycles, locked};
use counting::{Known, Line};
use facts::Fates;
use number::Frac;
use rules::{Rules, Scheme};
use settings::Feed;
use taking::Log;
use time::Cycle;

/// A file that was dropped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drop {
    pub feed: String,
    pub name: String,
    pub bytes: Vec<u8>,
    /// What stands beside it: its control totals.
    pub beside: Option<Vec<u8>>,
}

/// A run: its instant and the files it found, in the order it takes them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    pub as_of: DateTime<Utc>,
    pub drops: Vec<Drop>,
}

/// What happens to a workspace, in order.
#[derive(Clone, Debug)]
pub enum Step {
    Run(Run),
    /// accrued.toml says this from now on.
    Config(String),
    /// The scheme files say this from now on.
    Schemes(Vec<String>),
    /// The files of a feed, or those of one name, are read again by what accrued.toml says now.
    Reread {
        feed: String,
        name: Option<String>,
    },
    /// A run that looks at no feed.
    Offline {
        as_of: DateTime<Utc>,
    },
    /// A person closes a cycle without a file that will not come.
    Close {
        as_of: DateTime<Utc>,
        scheme: String,
        cycle: String,
    },
    /// A person decides about a file that was set aside whole: the `nth` of those of its name that wait for that reason.
    DecideFile {
        feed: String,
        name: String,
        kind: String,
        nth: usize,
        verdict: Word,
    },
    /// A person decides about the version that was set aside in a file, at the line of its first row.
    Decide {
        feed: String,
        name: String,
        line: u64,
        verdict: Word,
    },
    /// A person decides about points of a position (cycle name and partner) that wait: over a limit or in a locked cycle.
    DecidePoints {
        scheme: String,
        key: (String, String),
        kind: String,
        points: Frac,
        verdict: Word,
    },
    /// A person lets closed cycles of a scheme go by what its file says now.
    Adopt {
        scheme: String,
        cycle: String,
    },
}

/// What a person says about something that was set aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    Release,
    Discard,
}

/// A workspace: its feeds and its schemes (each with its versions by date).
#[derive(Clone, Debug)]
pub struct World {
    pub feeds: Vec<Feed>,
    pub schemes: BTreeMap<String, Vec<Scheme>>,
}

impl World {
    pub fn new(config: &str, scheme_files: &[String]) -> World {
        World { feeds: settings::feeds(config), schemes: schemes(scheme_files) }
    }
}

fn schemes(files: &[String]) -> BTreeMap<String, Vec<Scheme>> {
    let mut schemes: BTreeMap<String, Vec<Scheme>> = BTreeMap::new();
    for text in files {
        let scheme = rules::read(text);
        schemes.entry(scheme.id.clone()).or_default().push(scheme);
    }
    schemes.values_mut().for_each(|versions| versions.sort_by_key(|s| s.starts));
    schemes
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
    pub rules: Rules,
    /// What persons have decided about points: by cycle name and partner.
    pub said: BTreeMap<(String, String), Said>,
}

/// What persons have said of the points of a position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// How many points over the limit were released, all in all.
    over_limit: Frac,
    /// Which difference of a locked cycle was released, and not posted yet.
    unlocked: Option<Frac>,
}

impl Seen {
    /// How many points of a position wait for that reason.
    pub fn waits(&self, kind: &str, key: &(String, String)) -> Option<Frac> {
        let position = self.positions.get(key)?;
        let due = due(position, self.said.get(key));
        match kind {
            "over_limit" => Some(&position.points + &position.held - due),
            _ => Some(due - self.posted.get(key).cloned().unwrap_or_else(|| number::int(0))),
        }
    }
}

/// What is due of a position: of what is over the limit, what persons have released.
fn due(position: &Position, said: Option<&Said>) -> Frac {
    let released = said.map_or_else(|| number::int(0), |said| said.over_limit.clone());
    &position.points + released.min(position.held.clone())
}

/// Takes the runs one after the other and judges the world as the last of them leaves it.
pub fn judge(world: &World, runs: &[Run]) -> Judgement {
    let mut judge = Judge::new(world.clone());
    runs.iter().for_each(|run| judge.step(&Step::Run(run.clone())));
    judge.judgement()
}

/// A world in which things happen one after the other.
#[derive(Clone, Debug)]
pub struct Judge {
    world: World,
    log: Log,
    fates: Vec<(String, String, Option<Fates>)>,
    schemes: BTreeMap<String, Seen>,
}

impl Judge {
    pub fn new(world: World) -> Judge {
        Judge { world, log: Log::default(), fates: vec![], schemes: BTreeMap::new() }
    }

    pub fn schemes(&self) -> &BTreeMap<String, Seen> {
        &self.schemes
    }

    pub fn judgement(&self) -> Judgement {
        Judgement { fates: self.fates.clone(), schemes: self.schemes.clone() }
    }

    /// What was paid under each reference of a deposit on each day.
    pub fn paid_by_deposit(&self) -> BTreeMap<(String, NaiveDate), Frac> {
        self.log.known().payments.by_deposit()
    }

    /// Whether a version waits that stands in that file, its first row at that line.
    pub fn holds(&self, feed: &str, name: &str, line: u64) -> bool {
        self.log.holds(feed, name, line)
    }

    /// How many files of that name wait whole, for that reason.
    pub fn holds_files(&self, feed: &str, name: &str, kind: &str) -> usize {
        self.log.aside.waits(feed, name, kind)
    }

    pub fn step(&mut self, step: &Step) {
        match step {
            Step::Run(run) => self.run(run, true, None),
            Step::Offline { as_of } => self.run(&Run { as_of: *as_of, drops: vec![] }, false, None),
            Step::Close { as_of, scheme, cycle } => {
                self.run(&Run { as_of: *as_of, drops: vec![] }, false, Some((scheme, cycle)));
            }
            Step::Config(text) => self.world.feeds = settings::feeds(text),
            Step::Schemes(files) => self.world.schemes = schemes(files),
            Step::Reread { feed, name } => {
                let settings = self.world.feeds.iter().find(|f| f.name == *feed).expect("a feed");
                self.log.reread(settings, name.as_deref());
            }
            Step::DecideFile { feed, name, kind, nth, verdict } => {
                self.log.aside.decide(feed, name, kind, *nth, *verdict);
            }
            Step::Decide { feed, name, line, verdict } => self.log.decide(feed, name, *line, *verdict),
            Step::DecidePoints { verdict: Word::Discard, .. } => {}
            Step::DecidePoints { scheme, key, kind, points, verdict: Word::Release } => {
                let seen = self.schemes.get_mut(scheme).expect("a scheme");
                let said = seen
                    .said
                    .entry(key.clone())
                    .or_insert_with(|| Said { over_limit: number::int(0), unlocked: None });
                match kind.as_str() {
                    "over_limit" => said.over_limit += points,
                    _ => said.unlocked = Some(points.clone()),
                }
            }
            Step::Adopt { scheme, cycle } => {
                let seen = self.schemes.get_mut(scheme).expect("a scheme");
                seen.rules.adopted.insert(cycle.clone());
            }
        }
    }

    fn run(&mut self, run: &Run, listed: bool, by_hand: Option<(&str, &str)>) {
        self.fates.extend(self.log.take(&self.world.feeds, run));
        let sales = self.world.feeds.iter().filter(|feed| feed.kind == "sales");
        let mut occasion = Occasion {
            listed,
            by_hand: None,
            come: sales.map(|feed| (feed, self.log.come(&feed.name))).collect(),
        };
        for (id, versions) in &self.world.schemes {
            occasion.by_hand = by_hand.filter(|(scheme, _)| scheme == id).map(|(_, cycle)| cycle);
            let meant = self.log.known().partners.has_local_codes().then(|| self.log.meant(&versions[0]));
            let known = meant.as_ref().unwrap_or(self.log.known());
            let now = see(known, versions, run.as_of, self.schemes.get(id), &occasion);
            self.schemes.insert(id.clone(), now);
        }
    }
}

fn see(
    known: &Known,
    versions: &[Scheme],
    now: DateTime<Utc>,
    before: Option<&Seen>,
    occasion: &Occasion,
) -> Seen {
    let today = now.with_timezone(&versions[0].zone).date_naive();
    let mut rules = before.map_or_else(|| Rules::of(versions), |b| b.rules.next(versions));
    let lines = counting::lines(known, &rules, today);
    let cycles = cycles(&rules, today, before, occasion);
    let closed_on = closed_on(&cycles, today, before);
    // a partner whose sales are another's by now still has what was posted
    let had = before.into_iter().flat_map(|b| b.posted.keys()).map(|(_, partner)| partner);
    let codes: BTreeSet<&String> = lines.iter().map(|l| &l.partner).chain(had).collect();
    let mut positions = BTreeMap::new();
    let mut posted = BTreeMap::new();
    let mut said = before.map(|b| b.said.clone()).unwrap_or_default();
    for code in codes {
        let partner = Partner { rules: &rules, lines: lines.iter().filter(|l| l.partner == *code).collect() };
        for (cycle, closed) in &cycles {
            let position = partner.position(cycle);
            let key = (cycle.name.clone(), code.clone());
            let scheme = rules.of_cycle(cycle);
            let all = due(&position, said.get(&key));
            let unlocked = said.get_mut(&key).and_then(|said| said.unlocked.take());
            let due = match closed_on.get(&cycle.name) {
                Some(day) if locked(scheme, *day, today) => {
                    let stood = before.and_then(|b| b.posted.get(&key)).cloned();
                    let difference = &all - stood.clone().unwrap_or_else(|| number::int(0));
                    if unlocked == Some(difference) { Some(all) } else { stood }
                }
                _ => (*closed || scheme.continuous).then_some(all),
            };
            if let Some(due) = due.filter(|due| *due != number::int(0)) {
                posted.insert(key.clone(), due);
            }
            positions.insert(key, position);
        }
    }
    for (cycle, _) in cycles.iter().filter(|(_, closed)| *closed) {
        rules.closed.insert(cycle.name.clone(), rules.of_cycle(cycle).clone());
    }
    Seen { lines, cycles, closed_on, positions, posted, rules, said }
}
