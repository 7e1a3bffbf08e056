//! One run on a thread of its own, watched.

use super::notify::Notifier;
use super::signals::Waker;
use crate::batch::{self, Fetch, Order, Progress, Report, Scheduled, Step};
use crate::config::Config;
use crate::inbox::Cancel;
use crate::job::Turn;
use crate::store::ClockMode;
use anyhow::{Context, Result, anyhow};
use chrono::{DateTime, Utc};
use std::mem::{Discriminant, discriminant};
use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

/// Steps of one kind are told at most so often.
const TOLD_EVERY: Duration = Duration::from_secs(1);

/// A run under way.
pub(super) struct Worker {
    thread: JoinHandle<()>,
    done: Receiver<Result<Report>>,
    cancel: Cancel,
}

/// Who hears of its steps.
pub(super) struct Watch {
    pub(super) notify: Arc<Notifier>,
    pub(super) words: fn(Step<'_>) -> String,
}

/// The order of a run at `now`.
pub(super) fn order(now: DateTime<Utc>, slot: Option<Scheduled>) -> Order {
    Order {
        now,
        clock: ClockMode::Real,
        feeds: Vec::new(),
        fetch: Fetch::Feeds,
        close: None,
        reread: None,
        actor: "accrued".into(),
        cancel: Cancel::default(),
        progress: Progress::default(),
        replay: None,
        slot,
    }
}

impl Worker {
    /// Begins. `waker` ends the wait of whoever waits for the end.
    pub(super) fn begin(
        turn: Turn,
        config: Arc<Config>,
        mut order: Order,
        watch: Watch,
        waker: Waker,
    ) -> Result<Worker> {
        let (tell, done) = sync_channel(1);
        let cancel = order.cancel.clone();
        order.progress = Progress::to(watching(watch, cancel.clone()));
        let thread = Builder::new()
            .name("run".into())
            .spawn(move || {
                // dropped last, after the result is there, also where it never comes
                let _waker = waker;
                let run = || match batch::load_schemes(&config) {
                    Ok(schemes) => turn.run(&config, schemes, &order),
                    Err(fault) => {
                        turn.cannot_begin(&config, &order, &fault);
                        Err(fault)
                    }
                };
                // whoever does not wait any more does not want to know
                let _ = tell.send(run());
                drop(tell);
            })
            .context("cannot start a thread for the run")?;
        Ok(Worker { thread, done, cancel })
    }

    /// The result, once there is one; asked until then.
    pub(super) fn done(&mut self) -> Option<Result<Report>> {
        match self.done.try_recv() {
            Ok(done) => Some(done),
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Disconnected) => Some(Err(anyhow!(
                "the run broke off by a fault of the program, which is told above; the store is consistent"
            ))),
        }
    }

    /// Waits for the thread, which has only to go.
    pub(super) fn end(self) {
        // a panic is told by its missing result
        let _ = self.thread.join();
    }

    /// Asks the run to end.
    pub(super) fn cancel(&self) {
        self.cancel.set();
    }

    /// How often it has moved on.
    pub(super) fn beats(&self) -> u64 {
        self.cancel.beats()
    }
}

/// Tells systemd's status of steps: each new kind of step at once, those of one kind once a second.
fn watching(watch: Watch, cancel: Cancel) -> impl Fn(Step<'_>) + Send + Sync + 'static {
    let told: Mutex<Option<(Discriminant<Step<'static>>, Instant)>> = Mutex::default();
    move |step| {
        cancel.beat();
        let kind = discriminant(&anonymous(step));
        let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = told.is_some_and(|(before, at)| before == kind && at.elapsed() < TOLD_EVERY);
        if !fresh {
            *told = Some((kind, Instant::now()));
            watch.notify.status(&(watch.words)(step));
        }
    }
}

/// A step without its names, to be kept.
fn anonymous(step: Step<'_>) -> Step<'static> {
    match step {
        Step::Looking { .. } => Step::Looking { feed: "" },
        Step::Settling { .. } => Step::Settling { seconds: 0 },
        Step::Fetching { .. } => Step::Fetching { feed: "", file: "" },
        Step::Ingesting { .. } => Step::Ingesting { feed: "", file: "" },
        Step::Evaluating { .. } => Step::Evaluating { scheme: "", partners: 0 },
        Step::Posting { .. } => Step::Posting { scheme: "", cycle: "" },
        Step::Publishing => Step::Publishing,
    }
}
