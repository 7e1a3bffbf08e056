//! Instants and wall clocks: evaluation.md 1.4.

use crate::domain::when::{ClockNote, When};
use chrono::{DateTime, NaiveDate, NaiveDateTime, Offset, TimeZone};
use chrono_tz::{GapInfo, Tz};
use std::sync::atomic::{AtomicU64, Ordering};

const DAY: i64 = 86_400;
/// 1970-01-01 in chrono's count of days from the common era.
const EPOCH_DAY: i64 = 719_163;

/// The business date of a moment in a scheme's zone; `day_closes_at` minutes are subtracted from the wall clock of timestamps.
/// For many moments of one zone [`ZoneCache::business_date`] gives the same, faster.
pub fn business_date(when: When, zone: Tz, day_closes_at: u32) -> NaiveDate {
    dated(when, day_closes_at, |epoch| offset_at(zone, epoch))
}

/// Understands a local wall-clock time of a feed's zone (first occurrence where repeated, moved on by the gap where skipped).
pub fn local(wall: NaiveDateTime, zone: Tz) -> When {
    let seconds = wall.and_utc().timestamp();
    match zone.offset_from_local_datetime(&wall) {
        chrono::LocalResult::Single(offset) => {
            let offset = offset.fix().local_minus_utc();
            When::At { epoch: seconds - i64::from(offset), offset, clock: ClockNote::Plain }
        }
        chrono::LocalResult::Ambiguous(one, other) => {
            // the larger offset is the earlier instant
            let offset = one.fix().local_minus_utc().max(other.fix().local_minus_utc());
            When::At { epoch: seconds - i64::from(offset), offset, clock: ClockNote::Repeated }
        }
        chrono::LocalResult::None => {
            // read with the offset from before the gap, the time moves on by the gap's length
            let before = GapInfo::new(&wall, &zone).and_then(|gap| gap.begin);
            let before = before.map_or(0, |(_, offset)| offset.fix().local_minus_utc());
            let epoch = seconds - i64::from(before);
            When::At { epoch, offset: offset_at(zone, epoch), clock: ClockNote::Skipped }
        }
    }
}

fn dated(when: When, day_closes_at: u32, offset_at: impl Fn(i64) -> i32) -> NaiveDate {
    match when {
        When::Day(day) => day,
        When::At { epoch, .. } => {
            let wall = epoch.saturating_add(i64::from(offset_at(epoch)));
            date_of_day(wall.saturating_sub(i64::from(day_closes_at) * 60).div_euclid(DAY))
        }
    }
}

/// The date that is `day` days after 1970-01-01, at the ends of what dates can say where it is beyond them.
fn date_of_day(day: i64) -> NaiveDate {
    let beyond = if day < 0 { NaiveDate::MIN } else { NaiveDate::MAX };
    i32::try_from(day + EPOCH_DAY).ok().and_then(NaiveDate::from_num_days_from_ce_opt).unwrap_or(beyond)
}

/// Seconds east of UTC that a zone's clocks have at an instant.
fn offset_at(zone: Tz, epoch: i64) -> i32 {
    let beyond = if epoch < 0 { DateTime::<chrono::Utc>::MIN_UTC } else { DateTime::<chrono::Utc>::MAX_UTC };
    let utc = DateTime::from_timestamp(epoch, 0).unwrap_or(beyond).naive_utc();
    zone.offset_from_utc_datetime(&utc).fix().local_minus_utc()
}

/// Remembers which offset a zone had all day long, for each UTC day seen: tens of times faster than asking
/// the zone's table for each row. Days on which the clocks change are never remembered, so the answers are exactly
/// those of [`business_date`] and [`local`]. Bounded (16 KiB), and shared by threads without locks: a slot is
/// one atomic word that says its own day, so the worst that a race can do is ask the table once more.
#[derive(Debug)]
pub struct ZoneCache {
    zone: Tz,
    /// UTC day and offset, packed by [`pack`]; 0 is empty
    slots: Box<[AtomicU64]>,
}

const SLOTS: usize = 2048;
const CHANGES: i32 = i32::MAX;

/// Day (40 bits) above offset (24 bits), never 0.
fn pack(day: i64, offset: i32) -> u64 {
    let offset = if offset == CHANGES { 0xff_ffff } else { (offset + 0x40_0000) as u64 };
    ((day as u64) << 24) | offset
}

fn unpack(word: u64) -> Option<i32> {
    match word & 0xff_ffff {
        0xff_ffff => None,
        offset => Some(offset as i32 - 0x40_0000),
    }
}

impl ZoneCache {
    /// An empty one.
    pub fn new(zone: Tz) -> ZoneCache {
        ZoneCache { zone, slots: (0..SLOTS).map(|_| AtomicU64::new(0)).collect() }
    }

    /// The zone it speaks of.
    pub fn zone(&self) -> Tz {
        self.zone
    }

    /// As the function [`business_date`] in this zone.
    pub fn business_date(&self, when: When, day_closes_at: u32) -> NaiveDate {
        dated(when, day_closes_at, |epoch| self.offset_at(epoch))
    }

    /// As the function [`local`] in this zone.
    pub fn local(&self, wall: NaiveDateTime) -> When {
        let seconds = wall.and_utc().timestamp();
        let day = seconds.div_euclid(DAY);
        // no offset reaches a whole day, so the instant is within a day of the wall clock read as UTC
        let around = [day - 1, day, day + 1].map(|day| self.offset_of_day(day));
        match around {
            [Some(offset), Some(b), Some(c)] if offset == b && b == c => {
                When::At { epoch: seconds - i64::from(offset), offset, clock: ClockNote::Plain }
            }
            _ => local(wall, self.zone),
        }
    }

    fn offset_at(&self, epoch: i64) -> i32 {
        let day = epoch.div_euclid(DAY);
        self.offset_of_day(day).unwrap_or_else(|| offset_at(self.zone, epoch))
    }

    /// The offset that the zone has all through a UTC day; `None` where it changes in it.
    fn offset_of_day(&self, day: i64) -> Option<i32> {
        let slot = &self.slots[day.rem_euclid(SLOTS as i64) as usize];
        let word = slot.load(Ordering::Relaxed);
        let key = (day as u64) & 0xff_ffff_ffff;
        if word != 0 && word >> 24 == key {
            return unpack(word);
        }
        let offset = whole_day_offset(self.zone, day);
        slot.store(pack(day, offset.unwrap_or(CHANGES)), Ordering::Relaxed);
        offset
    }
}

/// Looks at each hour and the last second of a UTC day: no zone has ever changed its clocks twice within an hour.
fn whole_day_offset(zone: Tz, day: i64) -> Option<i32> {
    let midnight = day.saturating_mul(DAY);
    let first = offset_at(zone, midnight);
    let same = |second: i64| offset_at(zone, midnight.saturating_add(second)) == first;
    ((1..24).all(|hour| same(hour * 3600)) && same(DAY - 1)).then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono_tz::{Africa, America, Asia, Australia, Europe, Pacific};
    use proptest::prelude::*;

    fn wall(text: &str) -> NaiveDateTime {
        NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M").expect("a wall-clock time")
    }
    fn at(text: &str) -> When {
        let instant = DateTime::parse_from_rfc3339(text).expect("an instant");
        When::At {
            epoch: instant.timestamp(),
            offset: instant.offset().local_minus_utc(),
            clock: ClockNote::Plain,
        }
    }
    fn day(text: &str) -> NaiveDate {
        text.parse().expect("a day")
    }
    fn understood(text: &str, zone: Tz) -> (i64, i32, ClockNote) {
        match local(wall(text), zone) {
            When::At { epoch, offset, clock } => (epoch, offset, clock),
            When::Day(_) => unreachable!("a local time is an instant"),
        }
    }
    fn instant(text: &str) -> i64 {
        DateTime::parse_from_rfc3339(text).expect("an instant").timestamp()
    }

    #[test]
    fn the_worked_cases_of_evaluation_md() {
        let kolkata = Asia::Kolkata;
        assert_eq!(business_date(at("2026-06-30T23:30:00+08:00"), kolkata, 0), day("2026-06-30"));
        assert_eq!(business_date(at("2026-07-01T01:00:00+08:00"), kolkata, 0), day("2026-06-30"));
        assert_eq!(business_date(When::Day(day("2026-06-30")), kolkata, 120), day("2026-06-30"));
    }

    #[test]
    fn the_day_closes_after_midnight_for_timestamps_only() {
        let kolkata = Asia::Kolkata;
        assert_eq!(business_date(at("2026-07-01T01:59:59+05:30"), kolkata, 120), day("2026-06-30"));
        assert_eq!(business_date(at("2026-07-01T02:00:00+05:30"), kolkata, 120), day("2026-07-01"));
    }

    #[test]
    fn nine_instants_around_the_change_to_summer_time_in_new_york() {
        let months: Vec<u32> = [
            "2023-03-01 04:00",
            "2023-03-15 00:00",
            "2023-03-31 23:59",
            "2023-04-01 00:00",
            "2023-04-01 00:01",
            "2023-04-15 00:00",
            "2023-04-30 23:59",
            "2023-05-01 00:00",
            "2023-05-01 00:01",
        ]
        .into_iter()
        .map(|text| {
            chrono::Datelike::month(&business_date(
                local(wall(text), America::New_York),
                America::New_York,
                0,
            ))
        })
        .collect();
        assert_eq!(months, [3, 3, 3, 4, 4, 4, 4, 5, 5]);
    }

    #[test]
    fn a_skipped_time_is_moved_on_by_the_gap() {
        let (epoch, offset, clock) = understood("2026-03-08 02:30", America::New_York);
        assert_eq!(
            (epoch, offset, clock),
            (instant("2026-03-08T03:30:00-04:00"), -14_400, ClockNote::Skipped)
        );
        // half an hour: Lord Howe goes from +10:30 to +11
        let (epoch, _, clock) = understood("2026-10-04 02:15", Australia::Lord_Howe);
        assert_eq!((epoch, clock), (instant("2026-10-04T02:45:00+11:00"), ClockNote::Skipped));
        // midnight itself: Beirut, Sao Paulo of old
        let (epoch, _, clock) = understood("2018-11-04 00:00", America::Sao_Paulo);
        assert_eq!((epoch, clock), (instant("2018-11-04T01:00:00-02:00"), ClockNote::Skipped));
    }

    #[test]
    fn a_repeated_time_is_its_first_occurrence() {
        let (epoch, _, clock) = understood("2026-11-01 01:30", America::New_York);
        assert_eq!((epoch, clock), (instant("2026-11-01T01:30:00-04:00"), ClockNote::Repeated));
        let (epoch, _, clock) = understood("2026-04-05 01:45", Australia::Lord_Howe);
        assert_eq!((epoch, clock), (instant("2026-04-05T01:45:00+11:00"), ClockNote::Repeated));
        let (_, _, clock) = understood("2026-04-05 01:29", Australia::Lord_Howe);
        assert_eq!(clock, ClockNote::Plain);
    }

    #[test]
    fn zones_that_skip_whole_days() {
        let (epoch, _, clock) = understood("2011-12-30 10:00", Pacific::Apia);
        assert_eq!((epoch, clock), (instant("2011-12-31T10:00:00+14:00"), ClockNote::Skipped));
        assert_eq!(
            business_date(local(wall("2011-12-30 10:00"), Pacific::Apia), Pacific::Apia, 0),
            day("2011-12-31")
        );
        let before = business_date(at("2011-12-30T09:59:59Z"), Pacific::Apia, 0);
        let after = business_date(at("2011-12-30T10:00:00Z"), Pacific::Apia, 0);
        assert_eq!((before, after), (day("2011-12-29"), day("2011-12-31")));
    }

    #[test]
    fn the_ends_of_time_do_not_panic() {
        let cache = ZoneCache::new(Asia::Kolkata);
        for epoch in [i64::MIN, i64::MIN + 1, -2_208_988_800, 0, 253_402_300_799, i64::MAX] {
            let when = When::At { epoch, offset: 0, clock: ClockNote::Plain };
            assert_eq!(cache.business_date(when, 1439), business_date(when, Asia::Kolkata, 1439));
        }
        for text in ["1900-01-01 00:00", "9999-12-31 23:59"] {
            assert_eq!(cache.local(wall(text)), local(wall(text), Asia::Kolkata));
        }
    }

    /// All instants that a zone's clocks show as `wall`, found by trying every offset near it.
    fn occurrences(wall: NaiveDateTime, zone: Tz) -> Vec<i64> {
        let seconds = wall.and_utc().timestamp();
        let mut offsets: Vec<i32> = (-30..=30).map(|hours| offset_at(zone, seconds + hours * 3600)).collect();
        offsets.sort_unstable();
        offsets.dedup();
        let mut found: Vec<i64> = offsets
            .into_iter()
            .filter(|offset| offset_at(zone, seconds - i64::from(*offset)) == *offset)
            .map(|offset| seconds - i64::from(offset))
            .collect();
        found.sort_unstable();
        found
    }

    const ZONES: [Tz; 12] = [
        Asia::Kolkata,
        America::New_York,
        Australia::Lord_Howe,
        Pacific::Apia,
        Pacific::Kwajalein,
        Europe::London,
        Africa::Casablanca,
        Asia::Gaza,
        Asia::Kathmandu,
        America::Caracas,
        Africa::Monrovia,
        Asia::Pyongyang,
    ];

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn the_cache_answers_as_the_table_does(zone in 0usize..12, seconds in -2_500_000_000i64..4_500_000_000, step in 0i64..7200, closes in 0u32..1440) {
            let zone = ZONES[zone];
            let cache = ZoneCache::new(zone);
            for epoch in (0..60).map(|hour| seconds + hour * step) {
                let when = When::At { epoch, offset: 0, clock: ClockNote::Plain };
                prop_assert_eq!(cache.business_date(when, closes), business_date(when, zone, closes));
                let wall = DateTime::from_timestamp(epoch, 0).expect("in range").naive_utc();
                prop_assert_eq!(cache.local(wall), local(wall, zone));
            }
        }

        #[test]
        fn a_local_time_is_its_first_occurrence(zone in 0usize..12, seconds in 0i64..2_200_000_000) {
            let zone = ZONES[zone];
            let wall = DateTime::from_timestamp(seconds, 0).expect("in range").naive_utc();
            let found = occurrences(wall, zone);
            let When::At { epoch, offset, clock } = local(wall, zone) else { panic!("an instant") };
            prop_assert_eq!(offset, offset_at(zone, epoch));
            match found.as_slice() {
                [] => prop_assert_eq!(clock, ClockNote::Skipped),
                [one] => prop_assert_eq!((epoch, clock), (*one, ClockNote::Plain)),
                [first, ..] => prop_assert_eq!((epoch, clock), (*first, ClockNote::Repeated)),
            }
        }
    }

    #[test]
    fn every_change_of_the_clocks_is_exact_to_the_second() {
        for zone in ZONES {
            let cache = ZoneCache::new(zone);
            let days = 0..(70 * 366i64);
            for day in days.filter(|day| whole_day_offset(zone, *day).is_none()) {
                for second in (day * DAY - 90_000..day * DAY + 180_000).step_by(1787) {
                    let when = When::At { epoch: second, offset: 0, clock: ClockNote::Plain };
                    assert_eq!(cache.business_date(when, 0), business_date(when, zone, 0), "{zone} {second}");
                    let wall = DateTime::from_timestamp(second, 0).expect("in range").naive_utc();
                    let found = occurrences(wall, zone);
                    let When::At { epoch, clock, .. } = cache.local(wall) else { panic!("an instant") };
                    match found.first() {
                        None => assert_eq!(clock, ClockNote::Skipped, "{zone} {wall}"),
                        Some(first) => assert_eq!(epoch, *first, "{zone} {wall}"),
                    }
                }
            }
        }
    }
}
