//! One value as typed -> as meant: durations, sizes, percents, zones, words. Pure; no floats.

use crate::fault::nearest;
use chrono::NaiveDate;
use chrono_tz::{TZ_VARIANTS, Tz};
use rust_decimal::Decimal;
use std::time::Duration;
use toml::de::DeValue;

/// Why a value cannot be meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wrong {
    /// what follows the key's name in the message: `must be a duration, found "5"`
    pub message: String,
    /// beside the caret
    pub label: String,
    /// what to write
    pub help: String,
}

impl Wrong {
    pub fn new(message: impl Into<String>, label: impl Into<String>, help: impl Into<String>) -> Wrong {
        Wrong { message: message.into(), label: label.into(), help: help.into() }
    }

    /// Another kind of value was wanted.
    pub fn kind(wanted: &str, found: &DeValue<'_>, help: &str) -> Wrong {
        Wrong::new(format!("must be {wanted}, found {}", shown(found)), format!("not {wanted}"), help)
    }
}

/// A value in a message.
pub(super) fn shown(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(_) => as_toml(value),
        DeValue::Integer(_) => format!("the number {}", as_toml(value)),
        DeValue::Float(float) => format!("the float {}", float.as_str()),
        DeValue::Boolean(flag) => flag.to_string(),
        DeValue::Datetime(when) => format!("the date {when}"),
        DeValue::Array(_) => "a list".to_owned(),
        DeValue::Table(_) => "a table".to_owned(),
    }
}

/// A value as TOML writes it on one line.
pub(super) fn as_toml(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => text_as_toml(text),
        DeValue::Integer(number) => number.to_string(),
        DeValue::Float(number) => number.as_str().to_owned(),
        DeValue::Boolean(flag) => flag.to_string(),
        DeValue::Datetime(when) => when.to_string(),
        DeValue::Array(items) => {
            let items: Vec<String> = items.iter().map(|item| as_toml(item.get_ref())).collect();
            format!("[{}]", items.join(", "))
        }
        DeValue::Table(entries) => {
            let mut entries: Vec<_> = entries.iter().collect();
            entries.sort_by_key(|(key, _)| key.span().start);
            let entries: Vec<String> = entries
                .iter()
                .map(|(key, value)| format!("{} = {}", key_as_toml(key.get_ref()), as_toml(value.get_ref())))
                .collect();
            if entries.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", entries.join(", ")) }
        }
    }
}

/// A string as TOML writes it.
pub(super) fn text_as_toml(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if c.is_control() => out.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// A key as TOML writes it: quoted only where it must be.
pub(super) fn key_as_toml(key: &str) -> String {
    let bare = !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    if bare { key.to_owned() } else { text_as_toml(key) }
}

/// A string that is not blank.
pub(super) fn text(value: &DeValue<'_>) -> Result<String, Wrong> {
    match value {
        DeValue::String(text) if !text.trim().is_empty() => Ok(text.to_string()),
        DeValue::String(_) => {
            Err(Wrong::new("must not be blank", "blank", "write a text, or remove the line"))
        }
        other => Err(Wrong::kind(
            "a text in quotes",
            other,
            &format!("write it in quotes: \"{}\"", as_toml(other)),
        )),
    }
}

/// `true` or `false`.
pub(super) fn flag(value: &DeValue<'_>) -> Result<bool, Wrong> {
    value.as_bool().ok_or_else(|| Wrong::kind("true or false", value, "write true or false, without quotes"))
}

/// A whole number from `least` to `most`.
pub(super) fn whole(least: u32, most: u32) -> impl Fn(&DeValue<'_>) -> Result<u32, Wrong> {
    move |value| {
        let wanted = format!("a whole number from {least} to {most}");
        integer(value)
            .and_then(|number| u32::try_from(number).ok())
            .filter(|number| (least..=most).contains(number))
            .ok_or_else(|| Wrong::kind(&wanted, value, "write it without quotes and without a fraction"))
    }
}

fn integer(value: &DeValue<'_>) -> Option<i64> {
    let number = value.as_integer()?;
    i64::from_str_radix(number.as_str(), number.radix()).ok()
}

/// One of a few words.
pub(super) fn word<T: Copy>(words: &[(&str, T)]) -> impl Fn(&DeValue<'_>) -> Result<T, Wrong> {
    move |value| {
        let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let given = value.as_str().unwrap_or_default();
        match words.iter().find(|(word, _)| *word == given) {
            Some((_, meant)) => Ok(*meant),
            None => Err(not_a_word(value, &known)),
        }
    }
}

/// A word that is none of the known ones.
pub(super) fn not_a_word(value: &DeValue<'_>, known: &[&str]) -> Wrong {
    let wanted = known.iter().map(|word| format!("{word:?}")).collect::<Vec<_>>().join(", ");
    let wanted = match wanted.rsplit_once(", ") {
        Some((first, last)) => format!("{first} or {last}"),
        None => wanted,
    };
    let near = nearest(value.as_str().unwrap_or_default(), known);
    let label = near.map_or_else(|| "not one of them".to_owned(), |near| format!("did you mean {near:?}?"));
    Wrong::new(format!("cannot be {}", shown(value)), label, format!("write {wanted}"))
}

/// The months by name, January being 1.
pub(super) const MONTHS: [(&str, u32); 12] = [
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

/// `"20s"`, `"30m"`, `"24h"`, `"2d"`, `"1h30m"`.
pub(super) fn duration(value: &DeValue<'_>) -> Result<Duration, Wrong> {
    let help = "write a whole number and its unit in quotes: \"20s\", \"30m\", \"24h\" or \"2d\"";
    let seconds = value.as_str().and_then(seconds).ok_or_else(|| Wrong::kind("a duration", value, help))?;
    if seconds > 366 * 86_400 {
        return Err(Wrong::new(format!("must be at most a year, found {}", shown(value)), "too long", help));
    }
    Ok(Duration::from_secs(seconds))
}

/// As [`duration`], and longer than nothing.
pub(super) fn some_duration(value: &DeValue<'_>) -> Result<Duration, Wrong> {
    let duration = duration(value)?;
    if duration.is_zero() {
        let message = format!("must be longer than nothing, found {}", shown(value));
        return Err(Wrong::new(message, "no time at all", "write how long to wait, such as \"20s\""));
    }
    Ok(duration)
}

fn seconds(text: &str) -> Option<u64> {
    let mut rest = text;
    let mut total: u64 = 0;
    let mut larger = u64::MAX;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let number: u64 = rest[..digits].parse().ok()?;
        let unit = match rest[digits..].chars().next()? {
            's' => 1,
            'm' => 60,
            'h' => 3_600,
            'd' => 86_400,
            _ => return None,
        };
        if unit >= larger {
            return None; // "1m1h", "1m1m": more likely a slip than meant
        }
        larger = unit;
        total = total.checked_add(number.checked_mul(unit)?)?;
        rest = &rest[digits + 1..];
    }
    (larger != u64::MAX).then_some(total)
}

/// `"4 GiB"`, `"1 MiB"`, `"500 kB"`, or a bare number of bytes, from `least` to `most` bytes.
pub(super) fn size(least: u64, most: u64) -> impl Fn(&DeValue<'_>) -> Result<u64, Wrong> {
    move |value| {
        let help = "write a whole number and its unit in quotes: \"4 GiB\", \"1 MiB\", \"512 KiB\"";
        let bytes = match value {
            DeValue::String(text) => bytes(text),
            other => integer(other).and_then(|number| u64::try_from(number).ok()),
        };
        let bytes = bytes.ok_or_else(|| Wrong::kind("a size", value, help))?;
        if (least..=most).contains(&bytes) {
            return Ok(bytes);
        }
        let message = format!("must be from {least} to {most} bytes, found {} ({bytes} bytes)", shown(value));
        Err(Wrong::new(message, "out of range", help))
    }
}

fn bytes(text: &str) -> Option<u64> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let number: u64 = text[..digits].parse().ok()?;
    let unit: u64 = match text[digits..].trim_start() {
        "B" => 1,
        "kB" | "KB" => 1_000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        "TiB" => 1 << 40,
        _ => return None,
    };
    number.checked_mul(unit)
}

/// `"1"`, `"0.5"` or `"1%"`: from 0 to 100, in hundredths.
pub(super) fn percent(value: &DeValue<'_>) -> Result<Decimal, Wrong> {
    let help = "write a plain decimal from 0 to 100 in quotes, such as \"1\" or \"0.5\"";
    let wrong = || Wrong::kind("a percentage in quotes", value, help);
    let number = match value {
        DeValue::String(text) => {
            plain_decimal(text.strip_suffix('%').unwrap_or(text).trim()).ok_or_else(wrong)?
        }
        other => Decimal::from(integer(other).ok_or_else(wrong)?),
    };
    if number > Decimal::ONE_HUNDRED || number < Decimal::ZERO {
        let message = format!("must be from 0 to 100, found {}", shown(value));
        return Err(Wrong::new(message, "out of range", help));
    }
    Ok(number.normalize())
}

/// `"0.005"`, or a whole number: zero or above.
pub(super) fn not_negative(value: &DeValue<'_>) -> Result<Decimal, Wrong> {
    let help = "write a plain decimal from 0 on in quotes, such as \"0.005\"";
    let wrong = || Wrong::kind("a decimal in quotes", value, help);
    let number = match value {
        DeValue::String(text) => plain_decimal(text.trim()).ok_or_else(wrong)?,
        other => Decimal::from(integer(other).ok_or_else(wrong)?),
    };
    if number < Decimal::ZERO {
        return Err(Wrong::new(format!("must be 0 or above, found {}", shown(value)), "below nothing", help));
    }
    Ok(number.normalize())
}

fn plain_decimal(text: &str) -> Option<Decimal> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str| !part.is_empty() && part.len() <= 9 && part.bytes().all(|b| b.is_ascii_digit());
    (digits(whole) && digits(fraction)).then(|| text.parse().ok())?
}

/// A time zone by its IANA name.
pub(super) fn zone(value: &DeValue<'_>) -> Result<Tz, Wrong> {
    let help = "write a name of the IANA time zone database, such as \"Asia/Kolkata\"";
    let Some(name) = value.as_str() else {
        return Err(Wrong::kind("a time zone in quotes", value, help));
    };
    name.parse().map_err(|_| {
        let label =
            near_zone(name).map_or_else(|| "not known".to_owned(), |near| format!("did you mean {near:?}?"));
        Wrong::new(format!("is no time zone: {}", shown(value)), label, help)
    })
}

/// The zone that a person may have meant: the nearest name, or the one of that city.
fn near_zone(name: &str) -> Option<&'static str> {
    let names: Vec<&'static str> = TZ_VARIANTS.iter().map(|zone| zone.name()).collect();
    let wanted = name.trim().to_lowercase().replace(' ', "_");
    let city =
        names.iter().find(|known| known.to_lowercase().rsplit('/').next().is_some_and(|city| city == wanted));
    city.copied().or_else(|| nearest(name, &names))
}

/// A date without a time, bare: `2026-04-01`.
pub(super) fn date(value: &DeValue<'_>) -> Result<NaiveDate, Wrong> {
    let wrong = || Wrong::kind("a date", value, "write it without quotes and without a time: 2026-04-01");
    let when = value.as_datetime().filter(|when| when.time.is_none()).ok_or_else(wrong)?;
    let date = when.date.ok_or_else(wrong)?;
    NaiveDate::from_ymd_opt(i32::from(date.year), u32::from(date.month), u32::from(date.day))
        .ok_or_else(wrong)
}

/// One ASCII character that can part the cells of a row.
pub(super) fn delimiter(value: &DeValue<'_>) -> Result<u8, Wrong> {
    let help = "write one ASCII character in quotes, such as \",\" \";\" \"|\" or \"\\t\"";
    let wanted = "one ASCII character that cells do not hold";
    let byte = match value.as_str().map(str::as_bytes) {
        Some([byte]) if byte.is_ascii() => *byte,
        Some(_) | None => return Err(Wrong::kind(wanted, value, help)),
    };
    if byte.is_ascii_alphanumeric() || matches!(byte, b'"' | b'\n' | b'\r' | 0) {
        return Err(Wrong::kind(wanted, value, help));
    }
    Ok(byte)
}
