//! Signals, and the wait that they end: SIGTERM and SIGINT stop (the second at once), SIGHUP reads the config again, SIGUSR1 asks
//! for a run.

use anyhow::{Context, Result};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGUSR1};
use signal_hook::{flag, low_level};
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

/// What signals have asked for.
#[derive(Debug)]
pub(super) struct Signals {
    stop: Arc<AtomicUsize>,
    reload: Arc<AtomicBool>,
    run: Arc<AtomicBool>,
    wakes: UnixStream,
    waker: UnixStream,
}

/// Ends a wait when it is dropped, however that comes about.
#[derive(Debug)]
pub(super) struct Waker(UnixStream);

impl Drop for Waker {
    fn drop(&mut self) {
        // where it is full, there is a wake to come already
        let _ = self.0.write(b"w");
    }
}

impl Signals {
    /// From now on signals are heard.
    pub(super) fn listen() -> Result<Signals> {
        Signals::hear_all().context("cannot listen to signals")
    }

    fn hear_all() -> std::io::Result<Signals> {
        let (wakes, waker) = UnixStream::pair()?;
        waker.set_nonblocking(true)?;
        let signals =
            Signals { stop: Arc::default(), reload: Arc::default(), run: Arc::default(), wakes, waker };
        let stopping = Arc::new(AtomicBool::new(false));
        for signal in [SIGTERM, SIGINT] {
            // in this order: it is the second signal that finds the flag set
            flag::register_conditional_shutdown(signal, 128 + signal, Arc::clone(&stopping))?;
            flag::register(signal, Arc::clone(&stopping))?;
            flag::register_usize(
                signal,
                Arc::clone(&signals.stop),
                usize::try_from(signal).unwrap_or_default(),
            )?;
        }
        flag::register(SIGHUP, Arc::clone(&signals.reload))?;
        flag::register(SIGUSR1, Arc::clone(&signals.run))?;
        // last: whoever wakes finds the flags set
        for signal in [SIGTERM, SIGINT, SIGHUP, SIGUSR1] {
            low_level::pipe::register(signal, signals.waker.try_clone()?)?;
        }
        Ok(signals)
    }

    /// The signal that has asked to stop.
    pub(super) fn stop(&self) -> Option<u8> {
        u8::try_from(self.stop.load(Ordering::SeqCst)).ok().filter(|signal| *signal > 0)
    }

    /// Whether a new config is to be read; asked once.
    pub(super) fn take_reload(&self) -> bool {
        self.reload.swap(false, Ordering::SeqCst)
    }

    /// Whether a run is asked for; asked once.
    pub(super) fn take_run(&self) -> bool {
        self.run.swap(false, Ordering::SeqCst)
    }

    /// What ends a wait from another thread.
    pub(super) fn waker(&self) -> Result<Waker> {
        Ok(Waker(self.waker.try_clone().context("cannot open one more file")?))
    }

    /// Waits for a signal or a waker, at most so long.
    pub(super) fn wait(&self, time: Duration) -> Result<()> {
        self.wakes.set_read_timeout(Some(time.max(Duration::from_millis(1)))).context("cannot wait")?;
        let mut bytes = [0; 64];
        // it is over whether something came, nothing did in time, or the wait was broken off: all is looked at again
        let _ = (&self.wakes).read(&mut bytes);
        Ok(())
    }
}

/// Ends the process at once, without waiting for a thread that does not end.
pub(super) fn abandon(signal: u8) -> ! {
    low_level::exit(128 + i32::from(signal))
}
