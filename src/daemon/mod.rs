//! The daemon: sleep until a slot is due, run, stop on a signal.
//!
//! Answers for: [`serve`], which goes by `agenda` (what to do now, and until when to wait) on what `standing` knows out of the
//! journal; for signals, for what systemd is told, and for a process that neither grows nor polls. `worker` does one run on a
//! thread of its own. Does not: print (it tells [`Event`]s), nor do anything that a run does (`job` does).
//!
//! Schemes are read at each run, as `accrued run` reads them; the config at start and by SIGHUP.

mod agenda;
mod event;
mod notify;
mod pulse;
mod signals;
mod standing;
mod words;
mod worker;

pub use agenda::CatchUp;
pub use event::Event;

use crate::batch::{self, Exit, Invalid, Report, Scheduled, Step};
use crate::clock;
use crate::config::{Config, Schedule};
use crate::job::{self, Busy};
use crate::store::ClockMode;
use crate::store::journal::Stamp;
use agenda::{Asked, Ended, Known, Next, Plan};
use anyhow::{Result, anyhow, bail};
use chrono::{DateTime, Utc};
use notify::Notifier;
use pulse::{Beat, Pulse};
use signals::Signals;
use standing::Recorded;
use std::sync::Arc;
use std::time::{Duration, Instant};
use worker::Worker;

/// The longest wait: a clock that was set, or a machine that slept, is noticed after it.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// Between two looks at a lock that another run holds.
const LOCK_LOOK: Duration = Duration::from_secs(1);
/// A slot waits for another run's lock for so long.
const LOCK_WAIT: chrono::Duration = chrono::Duration::hours(24);
/// A run that is to stop has so long to end its step.
const GRACE: Duration = Duration::from_secs(10);
/// An upgrade of the store's form may take so long at start.
const UPGRADE: Duration = Duration::from_secs(3600);

/// What the daemon is given.
pub struct Setup<'s> {
    /// reads and checks the config
    pub load: &'s dyn Fn() -> Result<Config>,
    /// says what happens
    pub tell: &'s dyn Fn(&Event<'_>),
    /// a step in a person's words
    pub words: fn(Step<'_>) -> String,
    /// the exit status that a failed run means
    pub exit: fn(&anyhow::Error) -> u8,
}

/// Serves until a signal ends it; which one. Errors are those of the start: without a good config, schemes, store and lock there
/// is nothing to serve.
pub fn serve(setup: &Setup<'_>) -> Result<u8> {
    let signals = Signals::listen()?;
    let notify = Arc::new(Notifier::of_environment()?);
    let (config, plan) = read_config(setup)?;
    let now = Instant::now();
    let daemon = Daemon {
        setup,
        signals,
        notify,
        config: Arc::new(config),
        plan,
        known: None,
        recorded: Recorded::No,
        pulse: notify::watchdog_of_environment().map(|limit| Pulse::new(limit, now)),
        running: None,
        busy: None,
        ready: Readiness::Starting,
        came: clock::now(),
        last: None,
    };
    daemon.serve()
}

/// A config with a schedule, and schemes that can be read, or why not.
fn read_config(setup: &Setup<'_>) -> Result<(Config, Plan)> {
    let config = (setup.load)()?;
    let schedule = schedule(&config)?;
    let plan = Plan::of(schedule).map_err(|why| anyhow!("the schedule {:?} {why}", schedule.cron))?;
    config.ready_to_fetch().map_err(|faults| Invalid(vec![faults]))?;
    batch::load_schemes(&config)?;
    Ok((config, plan))
}

fn schedule(config: &Config) -> Result<&Schedule> {
    config.schedule.as_ref().ok_or_else(|| {
        let help = "add [schedule] with cron = \"0 30 2 * * *\" and timezone = \"Asia/Kolkata\", or let accrued-run.timer start accrued run";
        let fault = crate::fault::Fault::missing("accrued serve needs [schedule], which says when to run", help);
        Invalid(vec![config.faults(vec![fault])]).into()
    })
}

/// Whether systemd knows that we serve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Readiness {
    Starting,
    Ready,
}

/// Another run holds the lock.
struct Waiting {
    busy: Busy,
    since: DateTime<Utc>,
}

struct Daemon<'d> {
    setup: &'d Setup<'d>,
    signals: Signals,
    notify: Arc<Notifier>,
    config: Arc<Config>,
    plan: Plan,
    /// `None` until the store could be read
    known: Option<Known>,
    recorded: Recorded,
    pulse: Option<Pulse>,
    running: Option<Running>,
    busy: Option<Waiting>,
    ready: Readiness,
    /// since when this store is served
    came: DateTime<Utc>,
    /// the last run, for systemd's status
    last: Option<String>,
}

/// A run under way.
struct Running {
    worker: Worker,
    config: Arc<Config>,
    scheduled: Option<Scheduled>,
}

impl Daemon<'_> {
    fn serve(mut self) -> Result<u8> {
        let mut asked = Asked::No;
        loop {
            if let Some(signal) = self.signals.stop() {
                return self.stop(signal);
            }
            if self.signals.take_run() {
                asked = Asked::Yes;
            }
            if self.signals.take_reload() {
                self.reload();
            }
            self.look_after_run()?;
            let wait = match (&self.running, self.known.is_some()) {
                (Some(_), _) => LONGEST_WAIT,
                (None, false) => self.take_up()?,
                (None, true) => self.go_on(&mut asked)?,
            };
            let wait = wait.min(self.watchdog());
            if !wait.is_zero() {
                self.signals.wait(wait)?;
            }
        }
    }

    /// Opens the store and reads what it knows of the schedule; how long to wait.
    fn take_up(&mut self) -> Result<Duration> {
        let now = clock::now();
        let turn = match job::turn(&self.config) {
            Ok(turn) => turn,
            Err(fault) => return self.wait_for_lock(fault, now),
        };
        self.notify.needs(UPGRADE, "opening the store");
        let store = batch::open_store(&self.config)?;
        if let Some((ClockMode::Given, last)) = store.clock()? {
            bail!(
                "this store's first run was given its time (--as-of), its last at {last}: accrued serve goes by the machine's clock and needs a data_dir of its own"
            );
        }
        let (mut known, recorded) = standing::read(&store, schedule(&self.config)?, &self.plan, self.came)?;
        drop(store);
        drop(turn);
        known.attended = now;
        self.busy = None;
        self.recorded = recorded;
        if let Some(behind) = standing::behind(&known, now) {
            (self.setup.tell)(&Event::ClockBehind { until: known.since, behind });
        }
        self.known = Some(known);
        self.record_schedule(now)?;
        self.say_ready(now);
        Ok(Duration::ZERO)
    }

    fn say_ready(&mut self, now: DateTime<Utc>) {
        let next = self.next_slot(now);
        (self.setup.tell)(&Event::Serving { config: &self.config, next: next.as_ref() });
        let status = self.idle_words(now);
        self.notify.ready(&status);
        self.ready = Readiness::Ready;
    }

    /// Says who holds the lock, once; how long to wait for it.
    fn wait_for_lock(&mut self, fault: anyhow::Error, now: DateTime<Utc>) -> Result<Duration> {
        let busy = fault.downcast::<Busy>()?;
        let told = self.busy.as_ref().is_some_and(|waiting| waiting.busy == busy || busy.who.is_empty());
        if !told {
            (self.setup.tell)(&Event::Waits { busy: &busy });
            let status = format!("waiting for another run: {}", words::holder(&busy));
            match self.ready {
                // that a person's run is under way is no reason for systemd to give us up
                Readiness::Starting => self.notify.ready(&status),
                Readiness::Ready => self.notify.status(&status),
            }
            self.ready = Readiness::Ready;
            let since = self.busy.as_ref().map_or(now, |waiting| waiting.since);
            self.busy = Some(Waiting { busy, since });
        }
        Ok(LOCK_LOOK)
    }

    /// Does what is to be done now; how long to wait then.
    fn go_on(&mut self, asked: &mut Asked) -> Result<Duration> {
        let now = clock::now();
        let Some(known) = &mut self.known else { return Ok(Duration::ZERO) };
        if *asked == Asked::Yes {
            known.asked = Asked::Yes;
            *asked = Asked::No;
        }
        self.notice_clock(now);
        let Some(known) = &mut self.known else { return Ok(Duration::ZERO) };
        let next = agenda::next(&self.plan, known, now);
        known.attended = now;
        match next {
            Next::Run(scheduled) => self.begin(scheduled, now),
            Next::Pass(slot) => {
                known.settle(&slot);
                (self.setup.tell)(&Event::Passed { slot: &slot, next: self.next_slot(now).as_ref() });
                self.tell_idle(now);
                Ok(Duration::ZERO)
            }
            Next::GiveUp(slot) => {
                known.pursuit = None;
                (self.setup.tell)(&Event::GivesUp { slot: &slot, next: self.next_slot(now).as_ref() });
                self.tell_idle(now);
                Ok(Duration::ZERO)
            }
            Next::Wait(until) => {
                self.record_schedule(now)?;
                let rest = until.map(|until| (until - now).to_std().unwrap_or_default());
                Ok(rest.map_or(LONGEST_WAIT, |rest| rest.clamp(Duration::from_millis(1), LONGEST_WAIT)))
            }
        }
    }

    /// Says where the clock was set back behind what has run: nothing is due until it has come there again.
    fn notice_clock(&self, now: DateTime<Utc>) {
        let Some(known) = &self.known else { return };
        let was_set_back = known.attended - now > chrono::Duration::minutes(1);
        if let (true, Some(behind)) = (was_set_back, standing::behind(known, now)) {
            (self.setup.tell)(&Event::ClockBehind { until: known.since, behind });
            self.tell_idle(now);
        }
    }

    /// Starts a run, unless another holds the lock; how long to wait then.
    fn begin(&mut self, scheduled: Option<Scheduled>, now: DateTime<Utc>) -> Result<Duration> {
        let turn = match job::turn(&self.config) {
            Ok(turn) => turn,
            Err(fault) if fault.is::<Busy>() => {
                let wait = self.wait_for_lock(fault, now)?;
                self.give_up_waiting(scheduled.as_ref(), now);
                return Ok(wait);
            }
            Err(fault) => {
                // the lock file cannot even be opened: the slot is lost, the daemon is not
                self.settle_begun(scheduled.as_ref());
                self.tell_ended(scheduled.as_ref(), &Err(fault), now);
                return Ok(Duration::ZERO);
            }
        };
        self.busy = None;
        self.settle_begun(scheduled.as_ref());
        let config = Arc::clone(&self.config);
        (self.setup.tell)(&Event::Begins { scheduled: scheduled.as_ref() });
        self.notify.status(&words::begins(scheduled.as_ref()));
        let order = worker::order(clock::now(), scheduled.clone());
        let watch = worker::Watch { notify: Arc::clone(&self.notify), words: self.setup.words };
        let worker = Worker::begin(turn, Arc::clone(&config), order, watch, self.signals.waker()?)?;
        if let Some(pulse) = &mut self.pulse {
            pulse.begins();
        }
        self.running = Some(Running { worker, config, scheduled });
        Ok(Duration::ZERO)
    }

    fn settle_begun(&mut self, scheduled: Option<&Scheduled>) {
        if let Some(known) = &mut self.known {
            known.begins(scheduled);
        }
    }

    /// A slot does not wait for another run's lock for ever.
    fn give_up_waiting(&mut self, scheduled: Option<&Scheduled>, now: DateTime<Utc>) {
        let Some(waiting) = self.busy.as_ref().filter(|waiting| now - waiting.since > LOCK_WAIT) else {
            return;
        };
        let fault: anyhow::Error = waiting.busy.clone().into();
        self.busy = None;
        self.settle_begun(scheduled);
        if let Some(known) = &mut self.known {
            known.pursuit = None;
        }
        self.tell_ended(scheduled, &Err(fault), now);
    }

    /// Takes the result of a run that has ended.
    fn look_after_run(&mut self) -> Result<()> {
        let Some(done) = self.running.as_mut().and_then(|running| running.worker.done()) else {
            return Ok(());
        };
        let Some(Running { worker, scheduled, config }) = self.running.take() else { return Ok(()) };
        worker.end();
        let now = clock::now();
        let how = match done.as_ref().map(Report::exit) {
            Ok(Exit::Temporary) => Ended::Temporarily,
            Ok(Exit::Failed | Exit::Refused | Exit::Waits | Exit::Done) | Err(_) => Ended::ForGood,
        };
        if let Some(known) = &mut self.known {
            known.ended(&self.plan, scheduled.as_ref(), how, now);
        }
        if let Ok(report) = &done {
            (self.setup.tell)(&Event::Done { config: &config, report, scheduled: scheduled.as_ref() });
        }
        self.tell_ended(scheduled.as_ref(), &done, now);
        Ok(())
    }

    /// Says how a run has ended and what comes next.
    fn tell_ended(&mut self, scheduled: Option<&Scheduled>, done: &Result<Report>, now: DateTime<Utc>) {
        let exit = match done {
            Ok(report) => report.exit().code(),
            Err(fault) => (self.setup.exit)(fault),
        };
        self.last = Some(words::last(done.as_ref().ok(), exit, now));
        let again = self.known.as_ref().and_then(|known| known.pursuit.as_ref()).map(|pursuit| pursuit.next);
        (self.setup.tell)(&Event::Ended {
            exit,
            fault: done.as_ref().err(),
            scheduled,
            again,
            next: self.next_slot(now).as_ref(),
        });
        self.tell_idle(now);
    }

    fn next_slot(&self, now: DateTime<Utc>) -> Option<batch::Slot> {
        let since = self.known.as_ref().map_or(now, |known| known.since.max(now));
        self.plan.next_after(since)
    }

    fn idle_words(&self, now: DateTime<Utc>) -> String {
        let again = self.known.as_ref().and_then(|known| known.pursuit.as_ref()).map(|pursuit| pursuit.next);
        words::idle(self.next_slot(now).as_ref(), again, self.last.as_deref())
    }

    fn tell_idle(&self, now: DateTime<Utc>) {
        self.notify.status(&self.idle_words(now));
    }

    /// Journals the schedule that is gone by, once nothing that was missed waits to be run.
    fn record_schedule(&mut self, now: DateTime<Utc>) -> Result<()> {
        let Some(known) = &self.known else { return Ok(()) };
        if self.recorded == Recorded::Yes || known.missed.is_some() {
            return Ok(());
        }
        let turn = match job::turn(&self.config) {
            Ok(turn) => turn,
            Err(fault) if fault.is::<Busy>() => return Ok(()),
            Err(fault) => return Err(fault),
        };
        let mut store = batch::open_store(&self.config)?;
        let schedule = schedule(&self.config)?;
        let stamp = Stamp { at: clock::stamp(now), run: store.last_run()?, actor: "accrued".into() };
        store.take_up_schedule(&stamp, &schedule.cron, schedule.timezone.name())?;
        drop(turn);
        self.recorded = Recorded::Yes;
        Ok(())
    }

    /// Reads the config again; one that cannot be gone by is refused, and the old one stays.
    fn reload(&mut self) {
        self.notify.reloading();
        let now = clock::now();
        match read_config(self.setup) {
            Ok((config, plan)) => self.go_by(config, plan, now),
            Err(fault) => {
                (self.setup.tell)(&Event::NotReloaded { fault: &fault });
                let words = format!("the new config was refused, the old one stays; {}", self.now_words(now));
                self.notify.ready(&words);
            }
        }
    }

    fn go_by(&mut self, config: Config, plan: Plan, now: DateTime<Utc>) {
        let other_store = config.data_dir != self.config.data_dir;
        let other_schedule = schedule_text(&config) != schedule_text(&self.config);
        self.config = Arc::new(config);
        self.plan = plan;
        if other_schedule {
            self.recorded = Recorded::No;
            if let Some(known) = &mut self.known {
                // what the new schedule names before now was never due
                known.since = known.since.max(now);
            }
        }
        if other_store {
            // what is known is another store's
            self.known = None;
            self.came = now;
            self.busy = None;
        }
        let next = self.next_slot(now);
        (self.setup.tell)(&Event::Reloaded { config: &self.config, next: next.as_ref() });
        self.notify.ready(&self.now_words(now));
    }

    fn now_words(&self, now: DateTime<Utc>) -> String {
        match &self.running {
            Some(running) => words::begins(running.scheduled.as_ref()),
            None => self.idle_words(now),
        }
    }

    /// Tells the watchdog what is true; how long until it wants to hear again.
    fn watchdog(&mut self) -> Duration {
        let beats = self.running.as_ref().map(|running| running.worker.beats());
        let Some(pulse) = &mut self.pulse else { return LONGEST_WAIT };
        loop {
            match pulse.ask(Instant::now(), beats) {
                Beat::Tell => self.notify.alive(),
                Beat::Wait(time) => return time,
            }
        }
    }

    /// Ends what is under way: at its next step, or after a grace without it.
    fn stop(mut self, signal: u8) -> Result<u8> {
        let name = words::signal(signal);
        self.notify.stopping(&format!("stopping: {name}"));
        (self.setup.tell)(&Event::Stopping { signal: name, running: self.running.is_some() });
        let Some(Running { mut worker, scheduled, config }) = self.running.take() else { return Ok(signal) };
        worker.cancel();
        let end = Instant::now() + GRACE;
        loop {
            if let Some(done) = worker.done() {
                worker.end();
                // a run that was at its end has ended well
                if let Ok(report) = &done {
                    (self.setup.tell)(&Event::Done {
                        config: &config,
                        report,
                        scheduled: scheduled.as_ref(),
                    });
                }
                return Ok(signal);
            }
            let Some(rest) = end.checked_duration_since(Instant::now()) else { break };
            self.signals.wait(rest)?;
        }
        (self.setup.tell)(&Event::Abandoned { after: GRACE });
        signals::abandon(signal)
    }
}

fn schedule_text(config: &Config) -> Option<(&str, &str)> {
    config.schedule.as_ref().map(|schedule| (schedule.cron.as_str(), schedule.timezone.name()))
}
