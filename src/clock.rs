//! The only reader of the wall clock. "Now" is read once per run and passed down.

use chrono::{DateTime, Utc};
use rustix::time::{ClockId, clock_gettime};

/// The machine's time.
pub fn now() -> DateTime<Utc> {
    Utc::now()
}

/// Microseconds on a clock that is never set: since some instant, the same for all processes (systemd asks for it).
pub fn monotonic_microseconds() -> u64 {
    let time = clock_gettime(ClockId::Monotonic);
    let part = |value: i64| u64::try_from(value).unwrap_or(0);
    part(time.tv_sec).saturating_mul(1_000_000).saturating_add(part(time.tv_nsec) / 1_000)
}

/// Version of the time-zone data compiled in: `2025b`.
pub fn time_zone_data() -> &'static str {
    chrono_tz::IANA_TZDB_VERSION
}

/// An instant as the store and people read it: RFC 3339, UTC, seconds.
pub fn stamp(instant: DateTime<Utc>) -> String {
    instant.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}
