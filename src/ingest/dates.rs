//! Dates and timestamps as files write them -> moments (evaluation.md 1.4).
//!
//! Answers for: ISO 8601, the feed's own formats in their order, local times in the feed's zone. Years 1900 to 9999 are
//! dates; others are not understood (a two-digit year read by `%Y` would be the year 26). Does not: know schemes or days that close late.

use crate::calendar;
use crate::domain::when::{ClockNote, When};
use chrono::format::{Item, Numeric, Parsed, StrftimeItems};
use chrono::{Datelike, NaiveDate, NaiveDateTime, NaiveTime, Timelike};
use chrono_tz::Tz;
use std::collections::HashMap;
use std::ops::RangeInclusive;

const YEARS: RangeInclusive<i32> = 1900..=9999;
const DAY: i64 = 86_400;
const MICROS: i64 = 1_000_000;
/// Texts remembered of formats that chrono must read; then all are forgotten.
const REMEMBERED: usize = 4_096;
/// Days whose offset is remembered.
const DAYS: usize = 512;

/// What a text says, before any zone is thought of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Written {
    day: NaiveDate,
    /// seconds and microseconds since midnight on the wall clock
    time: Option<(u32, u32)>,
    /// seconds east of UTC
    offset: Option<i32>,
}

/// Reads the dates of one feed.
pub struct Dates {
    formats: Vec<Format>,
    texts: Vec<String>,
    zone: Tz,
    remembered: HashMap<Box<str>, Written>,
    /// the moment read last: lines of a document mostly have the same
    last: Option<When>,
    last_text: String,
    days: Vec<Option<DayOffset>>,
}

#[derive(Debug, Clone, Copy)]
struct DayOffset {
    day: NaiveDate,
    /// `None`: the clocks change on that day
    seconds: Option<i32>,
}

impl Dates {
    /// `formats` in chrono's words; none: ISO 8601. `zone` is of timestamps without an offset.
    pub fn new(formats: &[String], zone: Tz) -> Dates {
        Dates {
            formats: formats.iter().map(|format| Format::new(format)).collect(),
            texts: formats.to_vec(),
            zone,
            remembered: HashMap::new(),
            last: None,
            last_text: String::new(),
            days: vec![None; DAYS],
        }
    }

    /// A date or a timestamp. Fractions of a second are dropped.
    pub fn when(&mut self, text: &str) -> Option<When> {
        if self.last.is_none() || self.last_text != text {
            self.last = self.read(text);
            text.clone_into(&mut self.last_text);
        }
        self.last
    }

    fn read(&mut self, text: &str) -> Option<When> {
        let written = self.written(text)?;
        let Some((seconds, _)) = written.time else { return Some(When::Day(written.day)) };
        Some(self.instant(written.day, seconds, written.offset))
    }

    /// The calendar date that a text speaks of, as written.
    pub fn day(&mut self, text: &str) -> Option<NaiveDate> {
        self.written(text).map(|written| written.day)
    }

    /// Microseconds since 1970-01-01T00:00:00Z; a plain date is its first moment in the feed's zone.
    pub fn micros(&mut self, text: &str) -> Option<i64> {
        let written = self.written(text)?;
        let (seconds, micros) = written.time.unwrap_or_default();
        match self.instant(written.day, seconds, written.offset) {
            When::At { epoch, .. } => Some(epoch * MICROS + i64::from(micros)),
            When::Day(_) => None,
        }
    }

    /// What was looked for, in words.
    pub fn looked_for(&self) -> String {
        if self.formats.is_empty() {
            return "a date such as 2026-04-30 or a timestamp such as 2026-04-30T18:05:00+05:30 (ISO 8601)"
                .to_string();
        }
        let formats: Vec<String> = self.texts.iter().map(|format| format!("`{format}`")).collect();
        format!("a date as {} (dates in [feed.csv])", formats.join(" or "))
    }

    /// What a person may want to know of a text that is not understood: another way of writing dates is a setting, a day that
    /// the calendar has not is a fault of the file.
    pub fn remark(&self, text: &str) -> &'static str {
        match (self.formats.is_empty(), has_iso_day(text.as_bytes())) {
            (true, true) if text.len() == 10 => "; there is no such day",
            (true, false) => "; other ways of writing dates are named as dates in [feed.csv]",
            (true, true) | (false, _) => "",
        }
    }

    fn written(&mut self, text: &str) -> Option<Written> {
        if self.formats.is_empty() {
            return iso(text.as_bytes()).filter(in_range);
        }
        if let Some(written) = self.formats.first().and_then(|format| format.quick(text)).filter(in_range) {
            return Some(written);
        }
        if let Some(&written) = self.remembered.get(text) {
            return Some(written);
        }
        let written = self.formats.iter().find_map(|format| format.read(text).filter(in_range))?;
        if self.remembered.len() >= REMEMBERED {
            self.remembered.clear();
        }
        self.remembered.insert(text.into(), written);
        Some(written)
    }

    fn instant(&mut self, day: NaiveDate, seconds: u32, offset: Option<i32>) -> When {
        match offset.or_else(|| self.offset_on(day)) {
            Some(offset) => {
                let epoch = days(day) * DAY + i64::from(seconds) - i64::from(offset);
                When::At { epoch, offset, clock: ClockNote::Plain }
            }
            None => calendar::local(wall(day, seconds), self.zone),
        }
    }

    /// The zone's offset, if it is the same all through that day.
    fn offset_on(&mut self, day: NaiveDate) -> Option<i32> {
        let slot = usize::try_from(days(day).rem_euclid(DAYS as i64)).unwrap_or_default();
        if let Some(known) = self.days[slot]
            && known.day == day
        {
            return known.seconds;
        }
        let seconds = steady_offset(day, self.zone);
        self.days[slot] = Some(DayOffset { day, seconds });
        seconds
    }
}

/// `dddd-dd-dd` at its head.
fn has_iso_day(text: &[u8]) -> bool {
    let shape = |(place, byte): (usize, &u8)| match place {
        4 | 7 => *byte == b'-',
        _ => byte.is_ascii_digit(),
    };
    text.len() >= 10 && text[..10].iter().enumerate().all(shape)
}

fn in_range(written: &Written) -> bool {
    YEARS.contains(&written.day.year())
}

fn days(day: NaiveDate) -> i64 {
    const EPOCH: i64 = 719_163; // 1970-01-01, counted from 0001-01-01 = 1
    i64::from(day.num_days_from_ce()) - EPOCH
}

fn wall(day: NaiveDate, seconds: u32) -> NaiveDateTime {
    let time = NaiveTime::from_num_seconds_from_midnight_opt(seconds, 0).unwrap_or_default();
    day.and_time(time)
}

/// Clocks change by minutes to hours and never twice within a day: equal and plain at every third hour is equal throughout.
fn steady_offset(day: NaiveDate, zone: Tz) -> Option<i32> {
    let offset_at = |seconds| match calendar::local(wall(day, seconds), zone) {
        When::At { offset, clock: ClockNote::Plain, .. } => Some(offset),
        When::At { .. } | When::Day(_) => None,
    };
    let first = offset_at(0)?;
    let steady = (1..=8).all(|third| offset_at((third * 3 * 3_600).min(86_399)) == Some(first));
    steady.then_some(first)
}

/// `2026-04-30`, `20260430`, and with `T` or a space `18:05`, `18:05:09`, `18:05:09.25`, then `Z`, `+05:30`, `+0530` or `+05`.
fn iso(text: &[u8]) -> Option<Written> {
    let (day, rest) = iso_day(text)?;
    let Some((&separator, time)) = rest.split_first() else {
        return Some(Written { day, time: None, offset: None });
    };
    if !matches!(separator, b'T' | b't' | b' ') {
        return None;
    }
    let (time, rest) = iso_time(time)?;
    let offset = iso_offset(rest.trim_ascii_start())?;
    Some(Written { day, time: Some(time), offset })
}

fn iso_day(text: &[u8]) -> Option<(NaiveDate, &[u8])> {
    let (year, month, day, rest) = match text {
        [a, b, c, d, b'-', e, f, b'-', g, h, rest @ ..] => ([a, b, c, d], [e, f], [g, h], rest),
        [a, b, c, d, e, f, g, h, rest @ ..] => ([a, b, c, d], [e, f], [g, h], rest),
        _ => return None,
    };
    let year = two([year[0], year[1]])? * 100 + two([year[2], year[3]])?;
    let date = NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, two(month)?, two(day)?)?;
    Some((date, rest))
}

fn iso_time(text: &[u8]) -> Option<((u32, u32), &[u8])> {
    let [a, b, b':', c, d, rest @ ..] = text else { return None };
    let (hour, minute) = (two([a, b])?, two([c, d])?);
    let (second, micros, rest) = match rest {
        [b':', e, f, rest @ ..] => {
            let (micros, rest) = fraction(rest)?;
            (two([e, f])?, micros, rest)
        }
        rest => (0, 0, rest),
    };
    Some(((clock(hour, minute, second)?, micros), rest))
}

/// Seconds since midnight; a leap second counts as the one before it, so that it stays in its day.
fn clock(hour: u32, minute: u32, second: u32) -> Option<u32> {
    (hour < 24 && minute < 60 && second <= 60).then(|| hour * 3_600 + minute * 60 + second.min(59))
}

/// Microseconds; further digits are dropped.
fn fraction(text: &[u8]) -> Option<(u32, &[u8])> {
    let [b'.' | b',', digits @ ..] = text else { return Some((0, text)) };
    let count = digits.iter().take_while(|digit| digit.is_ascii_digit()).count();
    let padded = digits[..count].iter().copied().chain(std::iter::repeat(b'0')).take(6);
    let micros = padded.fold(0, |sum, digit| sum * 10 + u32::from(digit - b'0'));
    (count > 0).then_some((micros, &digits[count..]))
}

#[expect(clippy::option_option, reason = "no offset is good, a bad one is not")]
fn iso_offset(text: &[u8]) -> Option<Option<i32>> {
    let (sign, hours, minutes) = match text {
        [] => return Some(None),
        [b'Z' | b'z'] => return Some(Some(0)),
        [sign, a, b, b':', c, d] | [sign, a, b, c, d] => (sign, two([a, b])?, two([c, d])?),
        [sign, a, b] => (sign, two([a, b])?, 0),
        _ => return None,
    };
    let seconds = i32::try_from(clock(hours, minutes, 0)?).ok()?;
    match sign {
        b'+' => Some(Some(seconds)),
        b'-' => Some(Some(-seconds)),
        _ => None,
    }
}

fn two(digits: [&u8; 2]) -> Option<u32> {
    let digit = |byte: &u8| byte.is_ascii_digit().then(|| u32::from(byte - b'0'));
    Some(digit(digits[0])? * 10 + digit(digits[1])?)
}

/// One of the feed's formats.
struct Format {
    items: Vec<Item<'static>>,
    /// for formats of plain numbers and literals; what it does not take, chrono may
    steps: Option<Vec<Step>>,
}

/// A piece of a format that needs no chrono: fixed digits or a literal byte.
#[derive(Debug, Clone, Copy)]
enum Step {
    Year,
    Month,
    Day,
    Hour,
    Minute,
    Second,
    Literal(u8),
}

impl Format {
    fn new(format: &str) -> Format {
        let items: Vec<Item<'static>> = StrftimeItems::new(format).map(Item::to_owned).collect();
        let steps = steps(&items);
        Format { items, steps }
    }

    fn read(&self, text: &str) -> Option<Written> {
        self.quick(text).or_else(|| self.slow(text))
    }

    fn quick(&self, text: &str) -> Option<Written> {
        let mut rest = text.as_bytes();
        let (mut year, mut month, mut day) = (0, 0, 0);
        let (mut hour, mut minute, mut second) = (None, 0, 0);
        for step in self.steps.as_ref()? {
            let number = match (step, rest) {
                (Step::Literal(wanted), [found, after @ ..]) if wanted == found => {
                    rest = after;
                    continue;
                }
                (Step::Literal(_), _) => return None,
                (Step::Year, [a, b, c, d, after @ ..]) => {
                    rest = after;
                    two([a, b])? * 100 + two([c, d])?
                }
                (_, [a, b, after @ ..]) => {
                    rest = after;
                    two([a, b])?
                }
                (_, _) => return None,
            };
            match step {
                Step::Year => year = number,
                Step::Month => month = number,
                Step::Day => day = number,
                Step::Hour => hour = Some(number),
                Step::Minute => minute = number,
                Step::Second => second = number,
                Step::Literal(_) => {}
            }
        }
        if !rest.is_empty() {
            return None;
        }
        let time = match hour {
            Some(hour) => Some((clock(hour, minute, second)?, 0)),
            None => None,
        };
        let day = NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)?;
        Some(Written { day, time, offset: None })
    }

    fn slow(&self, text: &str) -> Option<Written> {
        let mut parsed = Parsed::new();
        chrono::format::parse(&mut parsed, text, self.items.iter()).ok()?;
        if parsed.timestamp().is_some() {
            return from_timestamp(&parsed);
        }
        let day = parsed.to_naive_date().ok()?;
        let offset = parsed.offset();
        if parsed.hour_mod_12().is_none() {
            return Some(Written { day, time: None, offset: None });
        }
        if parsed.minute().is_none() {
            parsed.set_minute(0).ok()?;
        }
        let time = parsed.to_naive_time().ok()?;
        let micros = time.nanosecond() % 1_000_000_000 / 1_000;
        Some(Written { day, time: Some((time.num_seconds_from_midnight(), micros)), offset })
    }
}

/// `%s`: seconds since the epoch, in UTC.
fn from_timestamp(parsed: &Parsed) -> Option<Written> {
    let wall = parsed.to_naive_datetime_with_offset(0).ok()?;
    let time = (wall.time().num_seconds_from_midnight(), wall.nanosecond() % 1_000_000_000 / 1_000);
    Some(Written { day: wall.date(), time: Some(time), offset: Some(0) })
}

fn steps(items: &[Item<'static>]) -> Option<Vec<Step>> {
    let mut steps = Vec::new();
    for item in items {
        match item {
            Item::Numeric(Numeric::Year, _) => steps.push(Step::Year),
            Item::Numeric(Numeric::Month, _) => steps.push(Step::Month),
            Item::Numeric(Numeric::Day, _) => steps.push(Step::Day),
            Item::Numeric(Numeric::Hour, _) => steps.push(Step::Hour),
            Item::Numeric(Numeric::Minute, _) => steps.push(Step::Minute),
            Item::Numeric(Numeric::Second, _) => steps.push(Step::Second),
            Item::Literal(text) | Item::Space(text) => steps.extend(text.bytes().map(Step::Literal)),
            Item::OwnedLiteral(text) | Item::OwnedSpace(text) => {
                steps.extend(text.bytes().map(Step::Literal));
            }
            Item::Numeric(..) | Item::Fixed(_) | Item::Error => return None,
        }
    }
    Some(steps)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{DateTime, TimeZone, Utc};
    use proptest::prelude::*;

    fn dates(formats: &[&str], zone: Tz) -> Dates {
        let formats: Vec<String> = formats.iter().map(|format| (*format).to_string()).collect();
        Dates::new(&formats, zone)
    }

    /// As RFC 3339 in the offset it has, or the date.
    fn shown(when: Option<When>) -> String {
        match when {
            None => "not understood".to_string(),
            Some(When::Day(day)) => day.to_string(),
            Some(When::At { epoch, offset, clock }) => {
                let zone = chrono::FixedOffset::east_opt(offset).expect("less than a day");
                let at = zone.timestamp_opt(epoch, 0).single().expect("a moment");
                match clock {
                    ClockNote::Plain => at.to_rfc3339(),
                    ClockNote::Repeated | ClockNote::Skipped => format!("{} {clock:?}", at.to_rfc3339()),
                }
            }
        }
    }

    #[test]
    fn the_first_format_that_fits_speaks() {
        let mut dates = dates(
            &["%d/%m/%Y", "%d/%m/%y", "%d/%m/%Y %H:%M", "%b %e, %Y", "%d.%m.%Y %H:%M:%S %z", "%Y%m%d%H"],
            Tz::Asia__Kolkata,
        );
        for (text, wanted) in [
            ("30/04/2026", "2026-04-30"),
            ("1/4/2026", "2026-04-01"),
            ("30/04/26", "2026-04-30"),
            ("30/04/2026 23:30", "2026-04-30T23:30:00+05:30"),
            ("Apr 3, 2026", "2026-04-03"),
            ("30.04.2026 23:30:00 +0800", "2026-04-30T23:30:00+08:00"),
            ("30.04.2026 23:30:00 -08:00", "2026-04-30T23:30:00-08:00"),
            ("2026043023", "2026-04-30T23:00:00+05:30"),
            ("2026-04-30", "not understood"),
            ("04/30/2026", "not understood"),
            ("30/04/0026", "not understood"),
            ("30/04/2026 23:30:00", "not understood"),
        ] {
            assert_eq!(shown(dates.when(text)), wanted, "{text}");
            assert_eq!(shown(dates.when(text)), wanted, "{text}, asked again");
        }
    }

    #[test]
    fn twelve_hour_clocks_and_timestamps() {
        let mut dates = dates(&["%d-%b-%Y %I:%M:%S %p", "%s"], Tz::Asia__Kolkata);
        assert_eq!(shown(dates.when("01-JUL-2026 12:05:00 am")), "2026-07-01T00:05:00+05:30");
        assert_eq!(shown(dates.when("0")), "1970-01-01T00:00:00+00:00");
        assert_eq!(dates.micros("1777593600"), Some(1_777_593_600_000_000));
    }

    #[test]
    fn clocks_that_change() {
        let mut dates = dates(&[], Tz::America__New_York);
        for (text, wanted) in [
            ("2026-03-08T01:59:59", "2026-03-08T01:59:59-05:00"),
            ("2026-03-08T02:30:00", "2026-03-08T03:30:00-04:00 Skipped"),
            ("2026-03-08T03:00:00", "2026-03-08T03:00:00-04:00"),
            ("2026-11-01T01:30:00", "2026-11-01T01:30:00-04:00 Repeated"),
            ("2026-11-01T02:00:00", "2026-11-01T02:00:00-05:00"),
            ("2026-11-02T01:30:00", "2026-11-02T01:30:00-05:00"),
            ("2026-11-01T01:30:00-05:00", "2026-11-01T01:30:00-05:00"),
        ] {
            assert_eq!(shown(dates.when(text)), wanted, "{text}");
        }
    }

    #[test]
    fn an_unknown_format_is_no_panic() {
        let mut dates = dates(&["%Q nonsense %", ""], Tz::UTC);
        assert_eq!(dates.when("2026-04-30"), None);
        assert_eq!(dates.when(""), None);
    }

    fn zones() -> impl Strategy<Value = Tz> {
        proptest::sample::select(vec![
            Tz::Asia__Kolkata,
            Tz::America__New_York,
            Tz::Australia__Lord_Howe,
            Tz::Africa__Casablanca,
            Tz::Pacific__Apia,
            Tz::America__Sao_Paulo,
        ])
    }

    proptest! {
        #[test]
        fn remembered_offsets_are_the_zones(seconds in proptest::collection::vec(-2_208_988_800_i64..4_102_444_800, 1..40), zone in zones()) {
            let mut dates = dates(&[], zone);
            for seconds in seconds {
                let wall = DateTime::<Utc>::from_timestamp(seconds, 0).expect("in range").naive_utc();
                let text = wall.format("%Y-%m-%dT%H:%M:%S").to_string();
                prop_assert_eq!(dates.when(&text), Some(calendar::local(wall, zone)));
            }
        }

        #[test]
        fn rfc_3339_is_read_as_chrono_reads_it(seconds in -2_208_900_000_i64..253_402_200_000, micros in 0_u32..1_000_000, minutes in -840_i32..=840) {
            let offset = chrono::FixedOffset::east_opt(minutes * 60).expect("less than a day");
            let at = offset.timestamp_opt(seconds, micros * 1_000).single().expect("a moment");
            let mut dates = dates(&[], Tz::Asia__Kolkata);
            let text = at.to_rfc3339();
            prop_assert_eq!(dates.micros(&text), Some(at.timestamp_micros()));
            prop_assert_eq!(dates.when(&text), Some(When::At { epoch: seconds, offset: minutes * 60, clock: ClockNote::Plain }));
        }

        #[test]
        fn quick_formats_agree_with_chrono(text in "[0-3]?[0-9]/[01]?[0-9]/(20)?[0-9]{2}( [0-2][0-9]:[0-6][0-9](:[0-6][0-9])?)?") {
            for format in ["%d/%m/%Y", "%d/%m/%Y %H:%M", "%d/%m/%Y %T"] {
                let format = Format::new(format);
                if let Some(quick) = format.quick(&text) {
                    prop_assert_eq!(format.slow(&text), Some(quick));
                }
            }
        }

        #[test]
        fn any_text_has_a_verdict(text in "\\PC{0,30}|[0-9TZ:. +-]{0,30}") {
            dates(&[], Tz::Asia__Kolkata).micros(&text);
            dates(&["%d/%m/%Y %H:%M %z", "%s", "%+"], Tz::Asia__Kolkata).micros(&text);
        }
    }
}
