//! Plays many histories at once, one thread for each core, and tells how far it is.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::plan::History;
use super::{make, play};

/// How often it is told how far it is.
const TOLD_EVERY: Duration = Duration::from_secs(20);

/// Which histories are to be played.
pub struct Asked {
    pub from: u64,
    pub count: u64,
    /// How many failing ones end it.
    pub failures: usize,
    /// After so long no more than this many are played.
    pub enough: Option<(Duration, u64)>,
    pub telling: Telling,
}

/// Whether somebody watches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Telling {
    Progress,
    Nothing,
}

/// What came of it.
pub struct Ended {
    pub played: u64,
    /// How each history fails that does, by its seed.
    pub failed: BTreeMap<u64, String>,
}

struct State {
    next: u64,
    playing: BTreeSet<u64>,
    failed: BTreeMap<u64, String>,
    told: Instant,
}

struct Crew<'a> {
    asked: &'a Asked,
    start: Instant,
    state: Mutex<State>,
}

pub const PANICKED: &str = "the test itself panicked (printed above)";

/// How a history fails, a panic of the test among the ways.
pub fn failure(history: &History) -> Option<String> {
    match catch_unwind(AssertUnwindSafe(|| play::play(history))) {
        Ok(played) => played.err(),
        Err(_) => Some(PANICKED.into()),
    }
}

/// Plays them all, or until enough have failed.
pub fn play_all(asked: &Asked) -> Ended {
    let now = Instant::now();
    let state = State { next: asked.from, playing: BTreeSet::new(), failed: BTreeMap::new(), told: now };
    let crew = Crew { asked, start: now, state: Mutex::new(state) };
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| crew.work());
        }
    });
    let state = crew.state.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ended { played: state.next - asked.from, failed: state.failed }
}

impl Crew<'_> {
    fn work(&self) {
        while let Some(seed) = self.next() {
            let failed = failure(&make::history(seed));
            self.played(seed, failed);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next(&self) -> Option<u64> {
        let mut state = self.state();
        let played = state.next - self.asked.from;
        let tired = |(long, least): (Duration, u64)| played >= least && self.start.elapsed() > long;
        let over = played >= self.asked.count || state.failed.len() >= self.asked.failures;
        if over || self.asked.enough.is_some_and(tired) {
            return None;
        }
        let seed = state.next;
        state.next += 1;
        state.playing.insert(seed);
        Some(seed)
    }

    fn played(&self, seed: u64, failed: Option<String>) {
        let mut state = self.state();
        state.playing.remove(&seed);
        if let Some(how) = failed {
            self.tell(&format!("seed {seed}: {how}"));
            state.failed.insert(seed, how);
        }
        if state.told.elapsed() > TOLD_EVERY {
            state.told = Instant::now();
            self.tell(&self.progress(&state));
        }
    }

    fn progress(&self, state: &State) -> String {
        let below = state.playing.first().copied().unwrap_or(state.next);
        let played = state.next - self.asked.from - state.playing.len() as u64;
        let a_minute = played * 60 / self.start.elapsed().as_secs().max(1);
        let (count, failed) = (self.asked.count, state.failed.len());
        format!(
            "{played} of {count} histories played, {failed} failed, {a_minute} a minute; ACCRUED_SEED={below} goes on from here"
        )
    }

    /// Past the test harness, which keeps what a test prints to itself.
    fn tell(&self, what: &str) {
        if self.asked.telling == Telling::Progress {
            // nobody may be listening any more
            drop(writeln!(std::io::stderr(), "{what}"));
        }
    }
}
