//! What systemd is told: READY, STATUS, WATCHDOG, RELOADING, STOPPING, one datagram each, as sd_notify(3) says. Where nobody
//! listens nothing is told.

use crate::clock;
use anyhow::{Context, Result};
use std::env;
use std::ffi::OsStr;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

/// A full queue is waited for so long.
const PATIENCE: Duration = Duration::from_secs(1);

/// Where systemd listens, if it does.
#[derive(Debug)]
pub(super) struct Notifier {
    to: Option<(UnixDatagram, SocketAddr)>,
}

impl Notifier {
    /// By `NOTIFY_SOCKET`: a path, or a name of the abstract kind that begins with `@`.
    pub(super) fn of_environment() -> Result<Notifier> {
        let Some(name) = env::var_os("NOTIFY_SOCKET").filter(|name| !name.is_empty()) else {
            return Ok(Notifier { to: None });
        };
        let said = || format!("cannot tell systemd at NOTIFY_SOCKET={}", name.display());
        let address = address(&name).with_context(said)?;
        let socket = UnixDatagram::unbound().with_context(said)?;
        socket.set_write_timeout(Some(PATIENCE)).with_context(said)?;
        Ok(Notifier { to: Some((socket, address)) })
    }

    fn send(&self, text: &str) {
        if let Some((socket, address)) = &self.to
            && let Err(fault) = socket.send_to_addr(text.as_bytes(), address)
        {
            tracing::warn!(%fault, "cannot tell systemd");
        }
    }

    /// Config, store and lock are good.
    pub(super) fn ready(&self, status: &str) {
        self.send(&format!("READY=1\n{}", status_line(status)));
    }

    /// What a person reads in `systemctl status`.
    pub(super) fn status(&self, status: &str) {
        self.send(&status_line(status));
    }

    /// The start takes longer, by at most so much.
    pub(super) fn needs(&self, time: Duration, status: &str) {
        self.send(&format!("EXTEND_TIMEOUT_USEC={}\n{}", time.as_micros(), status_line(status)));
    }

    /// A new config is read: until the next `ready`.
    pub(super) fn reloading(&self) {
        let now = clock::monotonic_microseconds();
        self.send(&format!("RELOADING=1\nMONOTONIC_USEC={now}\n{}", status_line("reading the config again")));
    }

    /// Work goes on.
    pub(super) fn alive(&self) {
        self.send("WATCHDOG=1");
    }

    /// The end has begun.
    pub(super) fn stopping(&self, status: &str) {
        self.send(&format!("STOPPING=1\n{}", status_line(status)));
    }
}

fn status_line(status: &str) -> String {
    format!("STATUS={}", status.replace(['\n', '\r'], " "))
}

fn address(name: &OsStr) -> std::io::Result<SocketAddr> {
    match name.as_bytes() {
        [b'@', name @ ..] => SocketAddr::from_abstract_name(name),
        _ => SocketAddr::from_pathname(name),
    }
}

/// How often systemd wants to hear of us, if it does and means this process.
pub(super) fn watchdog_of_environment() -> Option<Duration> {
    let number = |name: &str| env::var(name).ok()?.parse::<u64>().ok();
    let ours = number("WATCHDOG_PID").is_none_or(|pid| pid == u64::from(std::process::id()));
    number("WATCHDOG_USEC").filter(|micros| ours && *micros > 0).map(Duration::from_micros)
}
