//! The word that ends a run early, and waits that it ends at once. Whoever blocks under a limit of ours says so: a watchdog that asks
//! whether the work goes on can tell a wait that will end from work that is stuck. Nothing here looks at a clock again and again.

use super::InboxFault;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Ends what is under way, once set; for good. Clones are the same word. Who asks it goes on: it counts that.
#[derive(Clone, Default)]
pub struct Cancel {
    word: Arc<Word>,
    beats: Arc<Beats>,
}

#[derive(Default)]
struct Word {
    set: AtomicBool,
    /// that of the whole, where this one is of a part
    above: Option<Arc<Word>>,
    wakers: Mutex<Wakers>,
}

/// Ends a wait: rings, sends, or shuts a socket.
type Waker = Arc<dyn Fn() + Send + Sync>;

#[derive(Default)]
struct Wakers {
    next: u64,
    those: BTreeMap<u64, Waker>,
}

#[derive(Default)]
struct Beats {
    count: AtomicU64,
    /// waits under way that end by a limit of ours, whatever the world does
    limited: AtomicUsize,
}

impl Word {
    fn wakers(&self) -> MutexGuard<'_, Wakers> {
        self.wakers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_set(&self) -> bool {
        self.set.load(Ordering::SeqCst) || self.above.as_deref().is_some_and(Word::is_set)
    }

    fn keep(&self, waker: &Waker) -> u64 {
        let mut wakers = self.wakers();
        wakers.next += 1;
        let number = wakers.next;
        wakers.those.insert(number, Arc::clone(waker));
        number
    }
}

impl fmt::Debug for Cancel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cancel").field("set", &self.is_set()).finish_non_exhaustive()
    }
}

impl Cancel {
    /// One for a part of what this one ends: it ends with the whole, or by itself.
    pub fn part(&self) -> Cancel {
        let word = Word { above: Some(Arc::clone(&self.word)), ..Word::default() };
        Cancel { word: Arc::new(word), beats: Arc::clone(&self.beats) }
    }

    /// Ends what is under way, and every wait for it.
    pub fn set(&self) {
        self.word.set.store(true, Ordering::SeqCst);
        // called without the list's lock: a waker takes locks of its own
        let wakers: Vec<Waker> = self.word.wakers().those.values().cloned().collect();
        for waker in wakers {
            waker();
        }
    }

    /// Whether to end.
    pub fn is_set(&self) -> bool {
        self.word.is_set()
    }

    /// `waker` is called once it is set, until what is returned is dropped; at once if it is set by now.
    pub fn wakes(&self, waker: impl Fn() + Send + Sync + 'static) -> Woken {
        let waker: Waker = Arc::new(waker);
        let mut places = Vec::new();
        let mut word = Some(&self.word);
        while let Some(here) = word {
            places.push((Arc::clone(here), here.keep(&waker)));
            word = here.above.as_ref();
        }
        if self.is_set() {
            waker();
        }
        Woken(places)
    }

    /// Waits so long.
    ///
    /// # Errors
    /// `Stopped`, at once, when it is set.
    pub fn rest(&self, time: Duration) -> Result<(), InboxFault> {
        let until = Instant::now() + time;
        let bell = Arc::new((Mutex::new(()), Condvar::new()));
        let rung = Arc::clone(&bell);
        let _woken = self.wakes(move || {
            // whoever is about to wait has looked before, under the lock
            drop(rung.0.lock());
            rung.1.notify_all();
        });
        let _limited = self.limited();
        let mut held = bell.0.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            self.check()?;
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            held = bell.1.wait_timeout(held, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Says, until it is dropped, that whoever waits does so under a limit of ours.
    pub fn limited(&self) -> Limited {
        self.beats.limited.fetch_add(1, Ordering::Relaxed);
        Limited(Arc::clone(&self.beats))
    }

    /// Says that the work goes on: a step is done.
    pub fn beat(&self) {
        self.beats.count.fetch_add(1, Ordering::Relaxed);
    }

    /// How often the work has said that it goes on; while it waits under a limit of ours, more each time this is asked.
    pub fn beats(&self) -> u64 {
        if self.beats.limited.load(Ordering::Relaxed) > 0 {
            self.beat();
        }
        self.beats.count.load(Ordering::Relaxed)
    }

    /// `Err(Stopped)` once it is set; else the work goes on.
    pub fn check(&self) -> Result<(), InboxFault> {
        self.beat();
        if self.is_set() { Err(InboxFault::Stopped) } else { Ok(()) }
    }
}

/// While it lives, its waker is called when the word is set.
#[must_use]
pub struct Woken(Vec<(Arc<Word>, u64)>);

impl Drop for Woken {
    fn drop(&mut self) {
        for (word, number) in &self.0 {
            word.wakers().those.remove(number);
        }
    }
}

/// While it lives, somebody waits under a limit of ours.
#[must_use]
pub struct Limited(Arc<Beats>);

impl Drop for Limited {
    fn drop(&mut self) {
        self.0.limited.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::channel;

    const LONG: Duration = Duration::from_secs(86_400);

    fn waiters(cancel: &Cancel) -> usize {
        cancel.word.wakers().those.len()
    }

    #[test]
    fn a_wait_ends_at_once_when_the_word_is_set() {
        let cancel = Cancel::default();
        let waits = cancel.clone();
        let waiting = std::thread::spawn(move || waits.rest(LONG));
        while waiters(&cancel) == 0 {
            std::thread::yield_now();
        }
        cancel.set();
        assert!(matches!(waiting.join().expect("no panic"), Err(InboxFault::Stopped)));
        assert!(matches!(cancel.rest(LONG), Err(InboxFault::Stopped)), "nor does one begin");
        assert_eq!(waiters(&cancel), 0);
    }

    #[test]
    fn a_wait_that_nobody_ends_takes_its_time() {
        let (began, time) = (Instant::now(), Duration::from_millis(30));
        Cancel::default().rest(time).expect("its time is over");
        assert!(began.elapsed() >= time);
    }

    #[test]
    fn a_part_ends_with_the_whole_or_by_itself() {
        let whole = Cancel::default();
        let (first, second) = (whole.part(), whole.part().part());
        let (tell, told) = channel();
        let woken = second.wakes(move || tell.send(()).expect("heard"));
        first.set();
        assert!(first.is_set() && !whole.is_set() && !second.is_set() && told.try_recv().is_err());
        whole.set();
        assert!(second.is_set());
        told.try_recv().expect("woken by the whole");
        drop(woken);
        assert_eq!((waiters(&whole), waiters(&second)), (0, 0));
    }

    #[test]
    fn who_waits_under_a_limit_goes_on_and_who_does_nothing_does_not() {
        let cancel = Cancel::default();
        assert_eq!(cancel.beats(), cancel.beats());
        let limited = cancel.part().limited();
        assert_ne!(cancel.beats(), cancel.beats());
        drop(limited);
        assert_eq!(cancel.beats(), cancel.beats());
        let before = cancel.beats();
        cancel.part().check().expect("not set");
        assert_ne!(cancel.beats(), before);
    }
}
