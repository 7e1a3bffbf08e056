//! Ends what blocks. libssh2 has one time limit per call, which a server that dribbles never trips; so a thread of our own
//! sleeps until a limit is reached or `Cancel` wakes it, and shuts the socket: a blocked read then returns at once.

use crate::inbox::Cancel;
use std::io;
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How long something may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// without a sign of progress
    pub idle: Duration,
    /// in all
    pub total: Duration,
    /// the setting behind `total`, and what it says: where something went before, less is left of it
    pub setting: Setting,
}

/// A setting's name and its value.
pub(super) type Setting = (&'static str, Duration);

/// Why the socket was shut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bark {
    /// nothing came for this long
    Idle(Duration),
    /// it took longer in all than this setting allows
    Total(Setting),
    /// `Cancel`
    Stopped,
}

struct Watch {
    limits: Limits,
    started: Instant,
    progress: Instant,
}

#[derive(Default)]
struct State {
    watch: Option<Watch>,
    bark: Option<Bark>,
    /// whether anything came since the last `begin`
    moved: bool,
    over: bool,
}

struct Shared {
    state: Mutex<State>,
    wake: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Watches one connection until it is dropped.
pub(super) struct Watchdog {
    shared: Arc<Shared>,
    tcp: TcpStream,
    thread: Option<JoinHandle<()>>,
}

/// While it lives, something is under way.
pub(super) struct Watching<'d>(&'d Shared);

impl Watchdog {
    /// Begins to watch; it shuts `tcp`, of which the session has another handle.
    pub(super) fn over(tcp: &TcpStream, cancel: &Cancel) -> io::Result<Watchdog> {
        let shared = Arc::new(Shared { state: Mutex::default(), wake: Condvar::new() });
        let (theirs, socket, cancel) = (Arc::clone(&shared), tcp.try_clone()?, cancel.clone());
        let thread = std::thread::Builder::new()
            .name("watchdog".to_owned())
            .spawn(move || watch(&theirs, &socket, &cancel))?;
        Ok(Watchdog { shared, tcp: tcp.try_clone()?, thread: Some(thread) })
    }

    /// Something begins that may take so long.
    pub(super) fn begin(&self, limits: Limits) -> Watching<'_> {
        let now = Instant::now();
        let mut state = self.shared.lock();
        state.watch = Some(Watch { limits, started: now, progress: now });
        state.moved = false;
        drop(state);
        self.shared.wake.notify_one();
        Watching(&self.shared)
    }

    /// Whether there was any progress in what was begun last.
    pub(super) fn moved(&self) -> bool {
        self.shared.lock().moved
    }

    /// Why the socket was shut, if it was.
    pub(super) fn bark(&self) -> Option<Bark> {
        self.shared.lock().bark
    }

    /// Shuts the socket: whatever libssh2 still wants to say when it is dropped cannot block.
    pub(super) fn shut(&self) {
        let _ = self.tcp.shutdown(Shutdown::Both);
    }
}

impl Watching<'_> {
    /// Something came.
    pub(super) fn progress(&self) {
        let mut state = self.0.lock();
        state.moved = true;
        if let Some(watch) = state.watch.as_mut() {
            watch.progress = Instant::now();
        }
    }
}

impl Drop for Watching<'_> {
    fn drop(&mut self) {
        self.0.lock().watch = None;
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        self.shared.lock().over = true;
        self.shared.wake.notify_one();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn watch(shared: &Arc<Shared>, socket: &TcpStream, cancel: &Cancel) {
    let bell = Arc::clone(shared);
    let _woken = cancel.wakes(move || {
        // it has looked at the word before it sleeps, under the lock
        drop(bell.lock());
        bell.wake.notify_one();
    });
    let mut state = shared.lock();
    while !state.over && state.bark.is_none() {
        let Some(watch) = &state.watch else {
            state = shared.wake.wait(state).unwrap_or_else(PoisonError::into_inner);
            continue;
        };
        match due(watch, cancel, Instant::now()) {
            Ok(rest) => {
                // a wait that this limits is no standstill
                let _limited = cancel.limited();
                state = shared.wake.wait_timeout(state, rest).unwrap_or_else(PoisonError::into_inner).0;
            }
            Err(bark) => {
                state.bark = Some(bark);
                let _ = socket.shutdown(Shutdown::Both);
            }
        }
    }
}

/// How long to sleep, or why to bark.
fn due(watch: &Watch, cancel: &Cancel, now: Instant) -> Result<Duration, Bark> {
    if cancel.is_set() {
        return Err(Bark::Stopped);
    }
    let left = |since: Instant, limit: Duration| limit.saturating_sub(now.saturating_duration_since(since));
    let total = left(watch.started, watch.limits.total);
    if total.is_zero() {
        return Err(Bark::Total(watch.limits.setting));
    }
    let idle = left(watch.progress, watch.limits.idle);
    if idle.is_zero() {
        return Err(Bark::Idle(watch.limits.idle));
    }
    Ok(total.min(idle))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::net::TcpListener;

    const LONG: Duration = Duration::from_secs(600);

    fn pair() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("bound");
        let ours = TcpStream::connect(listener.local_addr().expect("bound")).expect("connected");
        (ours, listener.accept().expect("accepted").0)
    }

    fn limits(idle: Duration, total: Duration) -> Limits {
        Limits { idle, total, setting: ("file_deadline", total) }
    }

    /// Reads until the socket is shut; the other end stays open and silent.
    fn blocked(limits: Limits, cancel: &Cancel) -> Option<Bark> {
        let (mut ours, _silent) = pair();
        let dog = Watchdog::over(&ours, cancel).expect("watching");
        let _watching = dog.begin(limits);
        assert_eq!(ours.read(&mut [0]).expect("shut, not failed"), 0);
        dog.bark()
    }

    #[test]
    fn a_silent_server_is_left_after_the_idle_time() {
        let idle = Duration::from_millis(30);
        assert_eq!(blocked(limits(idle, LONG), &Cancel::default()), Some(Bark::Idle(idle)));
    }

    #[test]
    fn a_signal_ends_a_blocked_read() {
        let cancel = Cancel::default();
        let flag = cancel.clone();
        let setter = std::thread::spawn(move || flag.set());
        assert_eq!(blocked(limits(LONG, LONG), &cancel), Some(Bark::Stopped));
        setter.join().expect("set");
    }

    #[test]
    fn a_server_that_dribbles_meets_the_deadline() {
        let total = Duration::from_millis(200);
        let (mut ours, mut theirs) = pair();
        let dog = Watchdog::over(&ours, &Cancel::default()).expect("watching");
        let watching = dog.begin(limits(LONG, total));
        let dribble = std::thread::spawn(move || while theirs.write_all(b"x").is_ok() {});
        while ours.read(&mut [0]).is_ok_and(|got| got > 0) {
            watching.progress();
        }
        assert_eq!(dog.bark(), Some(Bark::Total(("file_deadline", total))));
        drop(watching);
        drop((ours, dog));
        dribble.join().expect("ended");
    }

    #[test]
    fn between_calls_nothing_is_due() {
        let (ours, mut theirs) = pair();
        let dog = Watchdog::over(&ours, &Cancel::default()).expect("watching");
        drop(dog.begin(limits(Duration::from_millis(50), LONG)));
        theirs.write_all(b"x").expect("open");
        assert_eq!(dog.bark(), None);
    }
}
