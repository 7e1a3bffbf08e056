//! Instants, business dates and cycles (evaluation.md 1.4 and 1.5, cycle names of interfaces.md 4).

use chrono::{DateTime, Datelike, Duration, LocalResult, Months, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use chrono::{Offset, TimeZone};
use chrono_tz::Tz;

/// What a date cell says. Two moments are the same value whatever their offsets.
#[derive(Clone, Debug)]
pub enum When {
    Day(NaiveDate),
    Moment { instant: DateTime<Utc>, written: NaiveDate },
}

impl When {
    fn value(&self) -> (Option<NaiveDate>, Option<DateTime<Utc>>) {
        match self {
            When::Day(day) => (Some(*day), None),
            When::Moment { instant, .. } => (None, Some(*instant)),
        }
    }

    /// The date as the file writes it, before any zone: what a document is dated.
    pub fn written(&self) -> NaiveDate {
        match self {
            When::Day(day) => *day,
            When::Moment { written, .. } => *written,
        }
    }
}

impl PartialEq for When {
    fn eq(&self, other: &When) -> bool {
        self.value() == other.value()
    }
}

impl Eq for When {}

impl PartialOrd for When {
    fn partial_cmp(&self, other: &When) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for When {
    fn cmp(&self, other: &When) -> std::cmp::Ordering {
        self.value().cmp(&other.value())
    }
}

/// Reads a date cell by the feed's formats, or as ISO 8601 where the feed names none.
pub fn read(text: &str, formats: &[String], zone: Tz) -> Option<When> {
    if formats.is_empty() {
        return read_iso(text, zone);
    }
    formats.iter().find_map(|format| {
        if format.contains("%z") || format.contains("%:z") {
            let at = DateTime::parse_from_str(text, format).ok()?;
            return Some(When::Moment { instant: at.with_timezone(&Utc), written: at.date_naive() });
        }
        if let Ok(local) = NaiveDateTime::parse_from_str(text, format) {
            return Some(When::Moment { instant: instant_of(local, zone), written: local.date() });
        }
        NaiveDate::parse_from_str(text, format).ok().map(When::Day)
    })
}

fn read_iso(text: &str, zone: Tz) -> Option<When> {
    if text.len() == 10 {
        return NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().map(When::Day);
    }
    let text = text.replacen(' ', "T", 1).replace('Z', "+00:00");
    for format in ["%Y-%m-%dT%H:%M:%S%.f%:z", "%Y-%m-%dT%H:%M%:z"] {
        if let Ok(at) = DateTime::parse_from_str(&text, format) {
            return Some(When::Moment { instant: at.with_timezone(&Utc), written: at.date_naive() });
        }
    }
    for format in ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M"] {
        if let Ok(local) = NaiveDateTime::parse_from_str(&text, format) {
            return Some(When::Moment { instant: instant_of(local, zone), written: local.date() });
        }
    }
    None
}

/// Local time in a zone: a repeated one is its first occurrence, a skipped one is moved on by the gap.
pub fn instant_of(local: NaiveDateTime, zone: Tz) -> DateTime<Utc> {
    match zone.from_local_datetime(&local) {
        LocalResult::Single(at) => at.with_timezone(&Utc),
        LocalResult::Ambiguous(a, b) => a.min(b).with_timezone(&Utc),
        LocalResult::None => {
            let mut before = local;
            let offset = loop {
                before -= Duration::minutes(1);
                if let Some(at) = zone.from_local_datetime(&before).latest() {
                    break at.offset().fix();
                }
            };
            Utc.from_utc_datetime(&(local - offset))
        }
    }
}

/// The date a line counts for in a scheme of that zone and closing time of the day.
pub fn business_date(when: &When, zone: Tz, day_closes_at: NaiveTime) -> NaiveDate {
    match when {
        When::Day(day) => *day,
        When::Moment { instant, .. } => {
            let wall = instant.with_timezone(&zone).naive_local();
            (wall - (day_closes_at - NaiveTime::MIN)).date()
        }
    }
}

/// The cycles of a scheme's calendar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calendar {
    pub months: u32,
    pub year_starts: u32,
}

/// One cycle: its first and last day, and its name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cycle {
    pub first: NaiveDate,
    pub last: NaiveDate,
    pub name: String,
}

impl Calendar {
    pub fn cycle_of(&self, day: NaiveDate) -> Cycle {
        let year_first = self.year_first(day);
        let since = (day.month() + 12 - self.year_starts) % 12;
        let number = since / self.months;
        let first = year_first + Months::new(number * self.months);
        let last = first + Months::new(self.months) - Duration::days(1);
        Cycle { first, last, name: self.name(first, year_first.year(), number + 1) }
    }

    /// The first day of the scheme's year that contains `day`.
    pub fn year_first(&self, day: NaiveDate) -> NaiveDate {
        let year = if day.month() < self.year_starts { day.year() - 1 } else { day.year() };
        NaiveDate::from_ymd_opt(year, self.year_starts, 1).expect("the first of a month")
    }

    fn name(&self, first: NaiveDate, year: i32, number: u32) -> String {
        let year = if self.year_starts == 1 {
            format!("{year}")
        } else {
            format!("FY{year}-{:02}", (year + 1) % 100)
        };
        match self.months {
            1 => first.format("%Y-%m").to_string(),
            3 => format!("{year}-Q{number}"),
            6 => format!("{year}-H{number}"),
            _ => year,
        }
    }
}

/// A month by its English name, as schemes and feeds write it.
pub fn month(name: &str) -> u32 {
    let names = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    names.iter().position(|n| *n == name).expect("a month's name") as u32 + 1
}
