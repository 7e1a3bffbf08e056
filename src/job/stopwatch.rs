//! How long a run takes, by its parts, on the monotonic clock: each step that the run tells begins a part.

use crate::batch::{Order, Step};
use crate::metrics::Stage;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Runs from when it is made.
pub(super) struct Stopwatch {
    began: Instant,
    parts: Arc<Mutex<Parts>>,
}

struct Parts {
    stage: Stage,
    since: Instant,
    spent: [Duration; Stage::ALL.len()],
}

/// What it has measured.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spent {
    pub(super) whole: Duration,
    pub(super) stages: [Duration; Stage::ALL.len()],
}

impl Stopwatch {
    pub(super) fn start() -> Stopwatch {
        let now = Instant::now();
        let parts = Parts { stage: Stage::Start, since: now, spent: [Duration::ZERO; Stage::ALL.len()] };
        Stopwatch { began: now, parts: Arc::new(Mutex::new(parts)) }
    }

    /// The order, whose steps are heard here too.
    pub(super) fn over(&self, order: &Order) -> Order {
        let parts = Arc::clone(&self.parts);
        let watching = move |step: Step<'_>| {
            parts.lock().unwrap_or_else(PoisonError::into_inner).enter(stage_of(step), Instant::now());
        };
        Order { progress: order.progress.also(watching), ..order.clone() }
    }

    pub(super) fn stop(self) -> Spent {
        let now = Instant::now();
        let mut parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        let last = parts.stage;
        parts.enter(last, now);
        Spent { whole: now - self.began, stages: parts.spent }
    }
}

impl Parts {
    fn enter(&mut self, stage: Stage, now: Instant) {
        self.spent[self.stage as usize] += now.saturating_duration_since(self.since);
        (self.stage, self.since) = (stage, now);
    }
}

fn stage_of(step: Step<'_>) -> Stage {
    match step {
        Step::Looking { .. } | Step::Settling { .. } | Step::Fetching { .. } => Stage::Fetch,
        Step::Ingesting { .. } => Stage::Ingest,
        Step::Evaluating { .. } => Stage::Evaluate,
        Step::Posting { .. } => Stage::Post,
        Step::Publishing => Stage::Publish,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_instant_belongs_to_one_part() {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let mut parts =
            Parts { stage: Stage::Start, since: start, spent: [Duration::ZERO; Stage::ALL.len()] };
        for (stage, millis) in [
            (Stage::Fetch, 5),
            (Stage::Ingest, 9),
            (Stage::Post, 20),
            (Stage::Publish, 21),
            (Stage::Post, 25),
            (Stage::Post, 40),
        ] {
            parts.enter(stage, at(millis));
        }
        assert_eq!(parts.spent.map(|spent| spent.as_millis()), [5, 4, 11, 0, 16, 4]);
    }
}
