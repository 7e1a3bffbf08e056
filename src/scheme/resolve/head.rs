//! `[scheme]` and `[cycle]`: what it is called, when it is in force, whose calendar, when it posts.

use super::super::Post;
use super::super::reader::{At, Section, Sink};
use super::plain;
use crate::calendar::{Calendar, CycleLength};
use crate::fault::nearest;
use chrono::NaiveDate;
use chrono_tz::{TZ_VARIANTS, Tz};

/// Most days that `grace_days` and `lock_after_days` take: a century, so that no date runs off the calendar.
const MOST_DAYS: u32 = 36_500;
/// Longest id: it names a folder.
const LONGEST_ID: usize = 100;

const MONTHS: [(&str, u32); 12] = [
    ("january", 1),
    ("february", 2),
    ("march", 3),
    ("april", 4),
    ("may", 5),
    ("june", 6),
    ("july", 7),
    ("august", 8),
    ("september", 9),
    ("october", 10),
    ("november", 11),
    ("december", 12),
];

/// `[scheme]`.
pub(super) struct Head {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) company: String,
    pub(super) currency: String,
    pub(super) timezone: Tz,
    pub(super) starts: NaiveDate,
    pub(super) ends: Option<NaiveDate>,
}

/// `[cycle]`.
pub(super) struct CycleRules {
    pub(super) calendar: Calendar,
    pub(super) day_closes_at: u32,
    pub(super) post: Post,
    pub(super) grace_days: u32,
    pub(super) wait_for_files: bool,
    pub(super) lock_after_days: Option<u32>,
}

pub(super) fn scheme(root: &mut Section<'_>, out: &mut Sink<'_>) -> Option<Head> {
    let mut section = root.section("scheme", out);
    out.required_section(&section, "id, currency, timezone and starts");
    let id = section.parsed(
        "id",
        "an id",
        "write a short name of a-z, 0-9 and -: id = \"lighting-retail\"",
        id,
        out,
    );
    out.required(&section, "id", "write a short name of a-z, 0-9 and -: id = \"lighting-retail\"");
    let name = plain(section.text("name", out)).unwrap_or_default();
    let company = plain(section.text("company", out)).unwrap_or_default();
    let currency_help = "write the three letters of the currency: currency = \"INR\"";
    let currency = section.parsed("currency", "a currency", currency_help, currency, out);
    out.required(&section, "currency", currency_help);
    let zone_help = "write the name of a zone: timezone = \"Asia/Kolkata\"";
    let timezone = section.parsed("timezone", "a time zone", zone_help, zone, out);
    out.required(&section, "timezone", zone_help);
    let starts = section.day("starts", out);
    out.required(&section, "starts", "write its first day: starts = 2026-04-01");
    let ends = section.day("ends", out);
    if let (Some(starts), Some(ends)) = (&starts, &ends) {
        in_order(starts, ends, out);
    }
    section.finish(out);
    Some(Head {
        id: id?.value,
        name,
        company,
        currency: currency?.value,
        timezone: timezone?.value,
        starts: starts?.value,
        ends: plain(ends),
    })
}

fn in_order(starts: &At<NaiveDate>, ends: &At<NaiveDate>, out: &mut Sink<'_>) {
    if ends.value < starts.value {
        let message = format!("the scheme ends on {} before it starts on {}", ends.value, starts.value);
        out.between(
            &ends.span,
            message,
            "ends here",
            (&starts.span, "starts here"),
            "`ends` is the last day in force",
        );
    }
}

pub(super) fn cycle(root: &mut Section<'_>, out: &mut Sink<'_>) -> Option<CycleRules> {
    let mut section = root.section("cycle", out);
    out.required_section(&section, "length");
    let lengths = [
        ("month", CycleLength::Month),
        ("quarter", CycleLength::Quarter),
        ("half-year", CycleLength::HalfYear),
        ("year", CycleLength::Year),
    ];
    let length = section.word("length", &lengths, out);
    out.required(
        &section,
        "length",
        "write one of \"month\", \"quarter\", \"half-year\", \"year\": length = \"quarter\"",
    );
    let year_starts = plain(section.word("year_starts", &MONTHS, out)).unwrap_or(1);
    let day_closes_at = plain(section.minutes("day_closes_at", out)).unwrap_or(0);
    let post = section.word("post", &[("at-close", Post::AtClose), ("continuous", Post::Continuous)], out);
    let grace_days = plain(section.count("grace_days", 0..=MOST_DAYS, out)).unwrap_or(0);
    let wait_for_files = plain(section.flag("wait_for_files", out)).unwrap_or(true);
    let lock_after_days = plain(section.count("lock_after_days", 0..=MOST_DAYS, out));
    section.finish(out);
    Some(CycleRules {
        calendar: Calendar { length: length?.value, year_starts },
        day_closes_at,
        post: plain(post).unwrap_or(Post::AtClose),
        grace_days,
        wait_for_files,
        lock_after_days,
    })
}

fn id(text: &str) -> Result<String, String> {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    match text.chars().find(|&c| !allowed(c)) {
        Some(c) => Err(format!("`{c}` is none of a-z, 0-9 and -")),
        None if text.is_empty() => Err("it is blank".to_owned()),
        None if text.len() > LONGEST_ID => Err(format!("it is longer than {LONGEST_ID} characters")),
        None => Ok(text.to_owned()),
    }
}

fn currency(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_alphabetic()) {
        return Ok(text.to_ascii_uppercase());
    }
    Err(format!("`{text}` is not three letters"))
}

fn zone(text: &str) -> Result<Tz, String> {
    let text = text.trim();
    text.parse::<Tz>().map_err(|_| match nearest_zone(text) {
        Some(zone) => format!("no zone is named `{text}`: did you mean `{zone}`?"),
        None => format!("no zone is named `{text}`"),
    })
}

/// A zone by its city, else by its spelling. Short names (`IST`) are too near to too many.
fn nearest_zone(text: &str) -> Option<&'static str> {
    let names: Vec<&'static str> =
        TZ_VARIANTS.iter().map(|zone| zone.name()).filter(|name| name.contains('/')).collect();
    let city = text.rsplit('/').next().unwrap_or(text).replace(' ', "_");
    let same_city =
        |name: &&&str| name.rsplit('/').next().is_some_and(|last| last.eq_ignore_ascii_case(&city));
    if let Some(name) = names.iter().find(same_city) {
        return Some(name);
    }
    if text.len() < 6 { None } else { nearest(text, &names) }
}
