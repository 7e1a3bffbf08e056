//! The time-zone data of the operating system against those compiled in: does a zone's clock show the same?
//!
//! Answers for: reading a zone's file as RFC 9636 has it (the 64-bit part and its rule for the time after), and the first instant at
//! which the two differ. Does not: open files, nor judge which of them is right.

use chrono::{DateTime, Datelike, Days, NaiveDate, Offset, TimeZone};
use std::ops::Range;

/// A time zone by the data compiled in.
pub type Zone = chrono_tz::Tz;

/// A zone as the system's file has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SystemZone {
    /// instant and the offset from then on
    changes: Vec<(i64, i32)>,
    /// before the first of them
    first: i32,
    /// after the last of them
    rule: Option<Rule>,
}

/// Where the two differ for the first time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Difference {
    /// the instant
    pub at: i64,
    /// seconds east of UTC by the data compiled in
    pub ours: i32,
    /// by the system's
    pub theirs: i32,
}

/// The first second in `from..to` (seconds of the epoch) at which they differ; looked at every half hour.
pub fn first_difference(zone: Zone, system: &SystemZone, range: Range<i64>) -> Option<Difference> {
    let differs = |at: i64| ours(zone, at) != system.offset_at(at);
    let found = range.clone().step_by(1_800).find(|at| differs(*at))?;
    let (mut same, mut other) = (found.saturating_sub(1_800).max(range.start), found);
    while same + 1 < other {
        let middle = same + (other - same) / 2;
        if differs(middle) { other = middle } else { same = middle }
    }
    let at = if differs(same) { same } else { other };
    Some(Difference { at, ours: ours(zone, at), theirs: system.offset_at(at) })
}

fn ours(zone: Zone, at: i64) -> i32 {
    let utc = DateTime::from_timestamp(at, 0).unwrap_or_default().naive_utc();
    zone.offset_from_utc_datetime(&utc).fix().local_minus_utc()
}

impl SystemZone {
    /// Reads a zone's file; `None` where it is none, or of a form older than 64-bit instants.
    pub fn read(bytes: &[u8]) -> Option<SystemZone> {
        let short = Counts::read(bytes)?;
        let rest = bytes.get(HEADER + short.length(4)..)?;
        let counts = Counts::read(rest)?;
        let body = rest.get(HEADER..)?;
        let (instants, body) = body.split_at_checked(counts.times * 8)?;
        let (kinds, body) = body.split_at_checked(counts.times)?;
        let (types, _) = body.split_at_checked(counts.types * 6)?;
        let offsets: Vec<i32> =
            types.chunks_exact(6).filter_map(|kind| Some(i32::from_be_bytes(*kind.first_chunk()?))).collect();
        let instants =
            instants.chunks_exact(8).filter_map(|eight| Some(i64::from_be_bytes(*eight.first_chunk()?)));
        let offset = |kind: &u8| offsets.get(usize::from(*kind)).copied();
        let changes: Option<Vec<(i64, i32)>> =
            instants.zip(kinds).map(|(at, kind)| Some((at, offset(kind)?))).collect();
        let footer = rest.get(HEADER + counts.length(8)..)?;
        let footer = std::str::from_utf8(footer).ok()?.trim_matches('\n');
        Some(SystemZone { changes: changes?, first: *offsets.first()?, rule: Rule::read(footer) })
    }

    /// Seconds east of UTC at an instant.
    pub fn offset_at(&self, at: i64) -> i32 {
        let after = self.changes.partition_point(|(change, _)| *change <= at);
        match (after.checked_sub(1).and_then(|last| self.changes.get(last)), &self.rule) {
            (None, Some(rule)) if self.changes.is_empty() => rule.offset_at(at),
            (None, _) => self.first,
            (Some(_), Some(rule)) if after == self.changes.len() => rule.offset_at(at),
            (Some((_, offset)), _) => *offset,
        }
    }
}

const HEADER: usize = 44;

/// How many of each a part of the file has.
struct Counts {
    universal: usize,
    standard: usize,
    leaps: usize,
    times: usize,
    types: usize,
    letters: usize,
}

impl Counts {
    fn read(bytes: &[u8]) -> Option<Counts> {
        let header = bytes.get(..HEADER)?;
        if !header.starts_with(b"TZif") || *header.get(4)? < b'2' {
            return None;
        }
        let count = |index: usize| {
            let four = header.get(20 + index * 4..)?.first_chunk()?;
            usize::try_from(u32::from_be_bytes(*four)).ok().filter(|count| *count < 100_000)
        };
        Some(Counts {
            universal: count(0)?,
            standard: count(1)?,
            leaps: count(2)?,
            times: count(3)?,
            types: count(4)?,
            letters: count(5)?,
        })
    }

    /// Bytes of the part, with instants of so many bytes.
    fn length(&self, instant: usize) -> usize {
        self.times * (instant + 1)
            + self.types * 6
            + self.letters
            + self.leaps * (instant + 4)
            + self.standard
            + self.universal
    }
}

/// `EST5EDT,M3.2.0,M11.1.0`: the offset of every year after the last change in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Rule {
    standard: i32,
    summer: Option<Summer>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Summer {
    offset: i32,
    begins: Turn,
    ends: Turn,
}

/// A day of the year and a time of that day in seconds, by the clock before it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Turn {
    day: Day,
    time: i64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Day {
    /// `M3.2.0`: month, week (5 is the last), day of the week from Sunday
    Week(u32, u32, u32),
    /// `J60`: from 1, 29 February never counted
    Julian(u32),
    /// `59`: from 0, 29 February counted
    Ordinal(u32),
}

impl Rule {
    fn read(text: &str) -> Option<Rule> {
        let (standard, rest) = offset(name(text)?)?;
        if rest.is_empty() {
            return Some(Rule { standard: -standard, summer: None });
        }
        let rest = name(rest)?;
        let (summer, rest) = match rest.strip_prefix(',') {
            Some(rest) => (-standard + 3_600, rest),
            None => {
                let (west, rest) = offset(rest)?;
                (-west, rest.strip_prefix(',')?)
            }
        };
        let (begins, ends) = rest.split_once(',')?;
        let summer = Summer { offset: summer, begins: Turn::read(begins)?, ends: Turn::read(ends)? };
        Some(Rule { standard: -standard, summer: Some(summer) })
    }

    fn offset_at(&self, at: i64) -> i32 {
        let Some(summer) = &self.summer else { return self.standard };
        let local =
            DateTime::from_timestamp(at.saturating_add(i64::from(self.standard)), 0).unwrap_or_default();
        let begins = summer.begins.instant(local.year(), self.standard);
        let ends = summer.ends.instant(local.year(), summer.offset);
        let is_summer =
            if begins <= ends { (begins..ends).contains(&at) } else { !(ends..begins).contains(&at) };
        if is_summer { summer.offset } else { self.standard }
    }
}

impl Turn {
    fn read(text: &str) -> Option<Turn> {
        let (day, time) = text.split_once('/').unwrap_or((text, "2"));
        let (time, rest) = offset(time)?;
        let number = |text: &str| text.parse::<u32>().ok();
        let day = match day.split_at_checked(1)? {
            ("M", rest) => {
                let mut parts = rest.splitn(3, '.').map(number);
                Day::Week(parts.next()??, parts.next()??, parts.next()??)
            }
            ("J", rest) => Day::Julian(number(rest)?),
            _ => Day::Ordinal(number(day)?),
        };
        rest.is_empty().then_some(Turn { day, time: i64::from(time) })
    }

    fn instant(&self, year: i32, offset_before: i32) -> i64 {
        let date = self.day.in_year(year).unwrap_or_default();
        date.and_time(chrono::NaiveTime::MIN).and_utc().timestamp() + self.time - i64::from(offset_before)
    }
}

impl Day {
    fn in_year(&self, year: i32) -> Option<NaiveDate> {
        let new_year = NaiveDate::from_ymd_opt(year, 1, 1)?;
        match *self {
            Day::Ordinal(day) => new_year.checked_add_days(Days::new(u64::from(day))),
            Day::Julian(day) => {
                let leap = u32::from(new_year.leap_year() && day >= 60);
                new_year.checked_add_days(Days::new(u64::from((day + leap).checked_sub(1)?)))
            }
            Day::Week(month, week, weekday) => {
                let first = NaiveDate::from_ymd_opt(year, month, 1)?;
                let ahead = (7 + weekday - first.weekday().num_days_from_sunday()) % 7;
                let in_week = |week: u32| {
                    let day = first.checked_add_days(Days::new(u64::from(ahead + (week - 1) * 7)))?;
                    (day.month() == month).then_some(day)
                };
                (1..=week.clamp(1, 5)).rev().find_map(in_week)
            }
        }
    }
}

/// What follows a name: letters, or anything between `<` and `>`.
fn name(text: &str) -> Option<&str> {
    match text.strip_prefix('<') {
        Some(rest) => rest.split_once('>').map(|(_, rest)| rest),
        None => {
            let letters = text.bytes().take_while(u8::is_ascii_alphabetic).count();
            (letters >= 3).then(|| &text[letters..])
        }
    }
}

/// `5`, `-3:30`, `167:00:00`: seconds, and what follows.
fn offset(text: &str) -> Option<(i32, &str)> {
    let length = text.bytes().take_while(|b| b.is_ascii_digit() || matches!(b, b'+' | b'-' | b':')).count();
    let (number, rest) = text.split_at_checked(length)?;
    let (sign, number) = match number.strip_prefix('-') {
        Some(number) => (-1, number),
        None => (1, number.strip_prefix('+').unwrap_or(number)),
    };
    let mut seconds = 0;
    for (part, unit) in number.splitn(3, ':').zip([3_600, 60, 1]) {
        seconds += part.parse::<i32>().ok().filter(|part| *part < 1_000)? * unit;
    }
    Some((sign * seconds, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file with no change in it but a rule.
    fn file(rule: &str) -> Vec<u8> {
        let mut bytes = Vec::new();
        for _ in 0..2 {
            bytes.extend(b"TZif2");
            bytes.extend([0; 15]);
            for count in [0_u32, 0, 0, 0, 1, 4] {
                bytes.extend(count.to_be_bytes());
            }
            bytes.extend([0, 0, 0, 0, 0, 0]);
            bytes.extend(b"UTC\0");
        }
        bytes.extend(format!("\n{rule}\n").as_bytes());
        bytes
    }

    fn instant(text: &str) -> i64 {
        DateTime::parse_from_rfc3339(text).expect("an instant").timestamp()
    }

    const YEARS: Range<i64> = 1_767_225_600..2_051_222_400;

    #[test]
    fn rules_give_what_the_compiled_data_give() {
        for (zone, rule) in [
            ("America/New_York", "EST5EDT,M3.2.0,M11.1.0"),
            ("Europe/London", "GMT0BST,M3.5.0/1,M10.5.0"),
            ("Australia/Lord_Howe", "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0"),
            ("Asia/Kolkata", "IST-5:30"),
            ("Asia/Jerusalem", "IST-2IDT,M3.4.4/26,M10.5.0"),
            ("America/Nuuk", "<-02>2<-01>,M3.5.0/-1,M10.5.0/0"),
        ] {
            let zone: Zone = zone.parse().expect("a zone");
            let system = SystemZone::read(&file(rule)).expect(rule);
            assert_eq!(first_difference(zone, &system, YEARS), None, "{zone}");
        }
    }

    #[test]
    fn the_first_difference_is_exact_to_the_second() {
        // summer time for ever from the spring of 2027 on is what this rule is from the autumn on
        let system = SystemZone::read(&file("PST8PDT,M3.2.0,M11.1.0/3")).expect("a zone");
        let vancouver: Zone = "America/Vancouver".parse().expect("a zone");
        let found = first_difference(vancouver, &system, YEARS).expect("they differ");
        assert_eq!(found.at, instant("2026-11-01T09:00:00Z"));
        assert_eq!((found.ours, found.theirs), (-28_800, -25_200));
    }

    #[test]
    fn julian_days_and_what_is_no_zone() {
        assert_eq!(Day::Julian(60).in_year(2028), NaiveDate::from_ymd_opt(2028, 3, 1));
        assert_eq!(Day::Julian(59).in_year(2028), NaiveDate::from_ymd_opt(2028, 2, 28));
        assert_eq!(Day::Ordinal(59).in_year(2028), NaiveDate::from_ymd_opt(2028, 2, 29));
        for bytes in
            [&b""[..], b"TZif", &[0; 200], b"not a zone at all, but a text that is longer than a header is"]
        {
            assert_eq!(SystemZone::read(bytes), None);
        }
        let whole = file("EST5EDT,M3.2.0,M11.1.0");
        for length in 0..whole.len() {
            let _ = SystemZone::read(&whole[..length]);
        }
        for rule in ["", "X", "EST", "EST5EDT", "EST5EDT,M3", "EST5EDT,M3.2.0", "EST5EDT,M99.9.9,M0.0.0"] {
            if let Some(rule) = Rule::read(rule) {
                let _ = rule.offset_at(0);
            }
        }
    }
}
