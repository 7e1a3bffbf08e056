//! The only reader of the wall clock. "Now" is read once per run and passed down.

use chrono::{DateTime, Utc};

/// The machine's time.
pub fn now() -> DateTime<Utc> {
    Utc::now()
}

/// Version of the time-zone data compiled in: `2025b`.
pub fn time_zone_data() -> &'static str {
    chrono_tz::IANA_TZDB_VERSION
}

/// An instant as the store and people read it: RFC 3339, UTC, seconds.
pub fn stamp(instant: DateTime<Utc>) -> String {
    instant.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}
