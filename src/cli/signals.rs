//! SIGINT and SIGTERM: the first asks a run to end after the step that it is in, the second ends it at once. The store is
//! consistent either way.

use crate::inbox::Cancel;
use anyhow::{Context, Result};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::{flag, low_level};
use std::io::Read;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::Builder;

/// What signals have asked for.
#[derive(Debug, Clone)]
pub(super) struct Signals {
    cancel: Cancel,
    which: Arc<AtomicUsize>,
}

impl Signals {
    /// From now on signals are heard.
    pub(super) fn listen() -> Result<Signals> {
        Signals::hear_all().context("cannot listen to signals")
    }

    fn hear_all() -> std::io::Result<Signals> {
        let signals = Signals { cancel: Cancel::default(), which: Arc::default() };
        let (mut wakes, waker) = UnixStream::pair()?;
        waker.set_nonblocking(true)?;
        let stopping = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            // in this order: it is the second signal that finds the flag set, and whoever is woken finds which it was
            flag::register_conditional_shutdown(signal, 128 + signal, Arc::clone(&stopping))?;
            flag::register(signal, Arc::clone(&stopping))?;
            let number = usize::try_from(signal).unwrap_or_default();
            flag::register_usize(signal, Arc::clone(&signals.which), number)?;
            low_level::pipe::register(signal, waker.try_clone()?)?;
        }
        // a handler may do next to nothing: waits are ended by a thread that it wakes
        let cancel = signals.cancel.clone();
        Builder::new().name("signals".into()).spawn(move || {
            let mut byte = [0];
            while wakes.read_exact(&mut byte).is_ok() {
                cancel.set();
            }
        })?;
        Ok(signals)
    }

    /// What ends what is under way.
    pub(super) fn cancel(&self) -> Cancel {
        self.cancel.clone()
    }

    /// The signal that came, if one did.
    pub(super) fn which(&self) -> Option<u8> {
        u8::try_from(self.which.load(Ordering::SeqCst)).ok().filter(|signal| *signal > 0)
    }
}
