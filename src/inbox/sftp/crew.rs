//! Further connections to one server: how many may be at work at once, and which files are whose. Each of them is a favour that
//! the server may refuse: what it was to do is then done by the first one.

use super::sharing::LARGE;
use crate::inbox::connection::{Begun, Outcome};
use crate::inbox::{Brought, InboxFault, Sftp, Wanted};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A login takes at least so long, for reckoning: what is quicker pays for itself at once.
const QUICKEST: Duration = Duration::from_millis(20);

/// What a clock may lag behind when a wait ends.
const MOMENT: Duration = Duration::from_millis(1);

/// The connections of one feed that may be at work beside the first.
#[derive(Debug)]
pub(super) struct Crew {
    free: AtomicUsize,
    /// the server has shown that one connection is all that it wants of us
    alone: AtomicBool,
}

impl Crew {
    /// As the feed's settings allow.
    pub(super) fn of(settings: &Sftp) -> Arc<Crew> {
        let free = settings.at_once().saturating_sub(1);
        Arc::new(Crew { free: AtomicUsize::new(free), alone: AtomicBool::new(false) })
    }

    /// Leave for one more connection, until the place is dropped.
    pub(super) fn place(self: &Arc<Crew>) -> Option<Place> {
        if self.alone.load(Ordering::Relaxed) {
            return None;
        }
        let taken =
            self.free.fetch_update(Ordering::AcqRel, Ordering::Acquire, |free| free.checked_sub(1)).is_ok();
        taken.then(|| Place(Arc::clone(self)))
    }

    /// From now on one connection must do.
    pub(super) fn dismiss(&self) {
        self.alone.store(true, Ordering::Relaxed);
    }

    /// How many could help now.
    pub(super) fn most(&self) -> usize {
        if self.alone.load(Ordering::Relaxed) { 0 } else { self.free.load(Ordering::Acquire) }
    }
}

/// Leave for one connection.
pub(super) struct Place(Arc<Crew>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.free.fetch_add(1, Ordering::AcqRel);
    }
}

/// A file that somebody is to bring, and its place among those wanted.
pub(super) type Task = (usize, Wanted);

/// The files of one feed that are wanted, for all who bring them.
pub(super) struct Queue<'q> {
    state: Mutex<State>,
    moved: Condvar,
    began: Instant,
    begun: Begun<'q>,
}

struct State {
    waiting: VecDeque<Task>,
    at_work: usize,
    done: Vec<(usize, Outcome)>,
    /// nothing more can be had of the feed
    over: bool,
}

impl<'q> Queue<'q> {
    pub(super) fn of(wanted: Vec<Wanted>, begun: Begun<'q>) -> Queue<'q> {
        let waiting = wanted.into_iter().enumerate().collect();
        let state = State { waiting, at_work: 0, done: Vec::new(), over: false };
        Queue { state: Mutex::new(state), moved: Condvar::new(), began: Instant::now(), begun }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next file for the first connection, which goes when nothing can come back to it any more.
    pub(super) fn next(&self) -> Option<Task> {
        let mut state = self.lock();
        loop {
            if let Some(task) = self.begin(&mut state) {
                return Some(task);
            }
            if state.over || state.at_work == 0 {
                return None;
            }
            state = self.moved.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// The next file for one that helps.
    pub(super) fn help(&self) -> Option<Task> {
        self.begin(&mut self.lock())
    }

    fn begin(&self, state: &mut State) -> Option<Task> {
        if state.over {
            return None;
        }
        let task = state.waiting.pop_front()?;
        state.at_work += 1;
        (self.begun)(&task.1.file);
        Some(task)
    }

    /// What became of a file.
    pub(super) fn done(&self, (at, wanted): Task, brought: Result<Brought, InboxFault>) {
        let mut state = self.lock();
        state.at_work -= 1;
        state.over |= brought.as_ref().is_err_and(InboxFault::ends_the_feed);
        state.done.push((at, (wanted, brought)));
        drop(state);
        self.moved.notify_all();
    }

    /// One that helps could not bring it: it is the next one's.
    pub(super) fn give_back(&self, task: Task) {
        let mut state = self.lock();
        state.at_work -= 1;
        state.waiting.push_front(task);
        drop(state);
        self.moved.notify_all();
    }

    /// Waits until one more connection pays, the `number`th to help, where a login takes so long; whether it ever does. Many
    /// bytes pay at once; how long many files take is seen as they come.
    pub(super) fn pays(&self, number: usize, login: Duration) -> bool {
        let login = login.max(QUICKEST);
        let mut state = self.lock();
        loop {
            if state.over || state.waiting.is_empty() {
                return false;
            }
            let elapsed = self.began.elapsed();
            let due = state.pays_after(number, login);
            if elapsed > due || state.bytes() >= LARGE * number as u64 {
                return true;
            }
            let nap = due - elapsed + MOMENT;
            state = self.moved.wait_timeout(state, nap).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// What became of each that was begun, in the order wanted.
    pub(super) fn outcomes(self) -> Vec<Outcome> {
        let state = self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        let mut done = state.done;
        done.sort_by_key(|(at, _)| *at);
        done.into_iter().map(|(_, outcome)| outcome).collect()
    }
}

impl State {
    fn bytes(&self) -> u64 {
        self.waiting.iter().map(|(_, wanted)| wanted.file.size).sum()
    }

    /// How long after the beginning those that wait, at the pace so far, would take longer than two logins for each that helps; not
    /// before the time of one login.
    fn pays_after(&self, number: usize, login: Duration) -> Duration {
        let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let worth = login.saturating_mul(2).saturating_mul(count(number + 1));
        login.max(worth.saturating_mul(count(self.done.len().max(1))) / count(self.waiting.len().max(1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inbox::pattern::Named;
    use crate::inbox::{Archived, Candidate};

    const SHORT: Duration = Duration::from_millis(20);

    fn wanted(count: u64, size: u64) -> Vec<Wanted> {
        let one = |at| {
            let file = Candidate { name: format!("{at}"), size, mtime: None, named: Named::default() };
            Wanted { file, sidecar: None }
        };
        (0..count).map(one).collect()
    }

    fn brought() -> Result<Brought, InboxFault> {
        let file = Archived { sha256: String::new(), size: 0, path: std::path::PathBuf::new() };
        Ok(Brought { file, sidecar: None })
    }

    fn names(outcomes: &[Outcome]) -> Vec<&str> {
        outcomes.iter().map(|(wanted, _)| wanted.file.name.as_str()).collect()
    }

    #[test]
    fn what_is_given_back_is_the_firsts_and_outcomes_keep_the_order() {
        let queue = Queue::of(wanted(3, 1), &|_| ());
        let (first, helped) = (queue.next().expect("0"), queue.help().expect("1"));
        queue.done(first, brought());
        let third = queue.next().expect("2");
        queue.give_back(helped);
        queue.done(third, brought());
        let again = queue.next().expect("1 again");
        assert!(queue.help().is_none());
        queue.done(again, brought());
        assert!(queue.next().is_none());
        assert_eq!(names(&queue.outcomes()), ["0", "1", "2"]);
    }

    #[test]
    fn a_feed_that_is_lost_hands_out_nothing_more_and_is_not_waited_for() {
        let queue = Queue::of(wanted(3, 1), &|_| ());
        let (first, _helped) = (queue.next().expect("0"), queue.help().expect("1"));
        queue.done(first, Err(InboxFault::Temporary("gone".to_owned())));
        assert!(queue.next().is_none() && queue.help().is_none() && !queue.pays(1, SHORT));
        assert_eq!(names(&queue.outcomes()), ["0"]);
    }

    #[test]
    fn many_bytes_pay_at_once_and_a_few_small_files_never() {
        let large = Queue::of(wanted(20, 10_000_000), &|_| ());
        assert!((1..=3).all(|number| large.pays(number, Duration::from_secs(600))));
        let small = Queue::of(wanted(2, 1), &|_| ());
        std::thread::scope(|scope| {
            let helper = scope.spawn(|| small.pays(1, Duration::from_secs(600)));
            while let Some(task) = small.next() {
                small.done(task, brought());
            }
            assert!(!helper.join().expect("no panic"));
        });
    }

    #[test]
    fn many_small_files_pay_once_they_are_seen_to_take_their_time() {
        let queue = Queue::of(wanted(200, 1), &|_| ());
        let first = queue.next().expect("0");
        assert!(queue.pays(3, SHORT), "none is through after a login's time");
        queue.done(first, brought());
    }

    #[test]
    fn places_are_few_and_come_back() {
        let crew = Crew { free: AtomicUsize::new(1), alone: AtomicBool::new(false) };
        let crew = Arc::new(crew);
        let place = crew.place().expect("one");
        assert!(crew.place().is_none());
        drop(place);
        assert!(crew.place().is_some());
        crew.dismiss();
        assert!(crew.place().is_none() && crew.most() == 0);
    }
}
