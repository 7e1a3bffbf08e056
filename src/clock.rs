//! The only reader of the wall clock. "Now" is read once per run and passed down.

use chrono::{DateTime, NaiveDate, Utc};
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

/// On which day that version was released.
pub fn time_zone_data_released() -> NaiveDate {
    NaiveDate::from_ymd_opt(RELEASED.1, RELEASED.2, RELEASED.3).unwrap_or_default()
}

/// Held to the version by a test.
const RELEASED: (&str, i32, u32, u32) = ("2025b", 2025, 3, 22);

/// Zones of which that version is known to be wrong, and from when on.
pub const KNOWN_WRONG: [(&str, &str); 3] = [
    ("America/Vancouver", "2027-01-01"),
    ("America/Edmonton", "2027-01-01"),
    ("Africa/Casablanca", "2027-01-01"),
];

/// An instant as the store and people read it: RFC 3339, UTC, seconds.
pub fn stamp(instant: DateTime<Utc>) -> String {
    instant.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_day_of_release_and_the_known_faults_are_those_of_the_version_compiled_in() {
        assert_eq!(RELEASED.0, time_zone_data(), "mend RELEASED and KNOWN_WRONG");
    }
}
