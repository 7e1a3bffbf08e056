//! SIGINT and SIGTERM: the first asks a run to end after the step that it is in, the second ends it at once. The store is
//! consistent either way.

use crate::inbox::Cancel;
use anyhow::{Context, Result};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// What signals have asked for.
#[derive(Debug, Clone)]
pub(super) struct Signals {
    stop: Arc<AtomicBool>,
    which: Arc<AtomicUsize>,
}

impl Signals {
    /// From now on signals are heard.
    pub(super) fn listen() -> Result<Signals> {
        let signals =
            Signals { stop: Arc::new(AtomicBool::new(false)), which: Arc::new(AtomicUsize::new(0)) };
        for signal in [SIGINT, SIGTERM] {
            signals.hear(signal).context("cannot listen to signals")?;
        }
        Ok(signals)
    }

    fn hear(&self, signal: i32) -> std::io::Result<()> {
        // in this order: it is the second signal that finds the flag set
        flag::register_conditional_shutdown(signal, 128 + signal, Arc::clone(&self.stop))?;
        flag::register(signal, Arc::clone(&self.stop))?;
        flag::register_usize(signal, Arc::clone(&self.which), usize::try_from(signal).unwrap_or_default())?;
        Ok(())
    }

    /// The flag that ends what is under way.
    pub(super) fn cancel(&self) -> Cancel {
        Cancel::over(Arc::clone(&self.stop))
    }

    /// The signal that came, if one did.
    pub(super) fn which(&self) -> Option<u8> {
        u8::try_from(self.which.load(Ordering::SeqCst)).ok().filter(|signal| *signal > 0)
    }
}
