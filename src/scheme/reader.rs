//! The scheme file as typed: TOML with the place of every value (raw, in the words of style.md).
//!
//! Answers for: types, the spelling of keys and words, numbers and dates; every fault goes to the [`Sink`] and reading
//! goes on. Does not: know what a scheme may mean. A [`Section`] knows a key once it has been asked for, so that the
//! list of known keys is the code that reads them; [`Section::finish`] refuses the rest.

use super::number;
pub(super) use super::sink::{At, Sink, Value};
use crate::fault::nearest;
use chrono::{NaiveDate, NaiveTime};
use rust_decimal::Decimal;
use std::ops::Range;
use toml::de::{DeArray, DeInteger, DeTable, DeValue};
use toml::value::Datetime;

/// What an amount may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bound {
    /// 0 or more
    NotBelowNothing,
    /// any
    Any,
}

/// Whether a section is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    Read,
    /// something else stands under its name; a fault says so
    Unread,
    Absent,
}

/// A table of the file: `[earn]`, one `[[slab]]`.
pub(super) struct Section<'t> {
    standing: Standing,
    /// as the file writes it: `[earn]`, `[[slab]]`
    pub(super) title: String,
    /// its header; `None` where the file has no such table
    pub(super) place: Option<Range<usize>>,
    table: Option<&'t DeTable<'t>>,
    asked: Vec<&'static str>,
}

impl<'t> Section<'t> {
    /// The whole file.
    pub(super) fn root(table: &'t DeTable<'t>) -> Section<'t> {
        Section {
            standing: Standing::Read,
            title: "the file".to_owned(),
            place: None,
            table: Some(table),
            asked: Vec::new(),
        }
    }

    /// A table that has no header, or is given inline.
    pub(super) fn inline(title: &str, table: &'t DeTable<'t>, place: Range<usize>) -> Section<'t> {
        Section {
            standing: Standing::Read,
            title: title.to_owned(),
            place: Some(place),
            table: Some(table),
            asked: Vec::new(),
        }
    }

    pub(super) fn get(&mut self, key: &'static str) -> Option<Value<'t>> {
        self.asked.push(key);
        let value = self.table?.get(key)?;
        Some(At::new(value.get_ref(), value.span()))
    }

    /// Whether the file has the key, readable or not.
    pub(super) fn has(&self, key: &str) -> bool {
        self.table.is_some_and(|table| table.contains_key(key))
    }

    /// Whether the list of tables under a key was read whole, `count` being how many of it were.
    pub(super) fn read_whole(&self, key: &str, count: usize) -> bool {
        let Some(value) = self.table.and_then(|table| table.get(key)) else { return true };
        value.get_ref().as_array().is_some_and(|list| list.len() == count)
    }

    /// Where the key itself stands.
    pub(super) fn key_place(&self, key: &str) -> Option<Range<usize>> {
        self.table?.get_key_value(key).map(|(key, _)| key.span())
    }

    /// Every key and value, none of them asked for.
    pub(super) fn entries(&self) -> impl Iterator<Item = (At<&'t str>, Value<'t>)> + use<'t> {
        self.table.into_iter().flat_map(|table| table.iter()).map(|(key, value)| {
            (At::new(key.get_ref().as_ref(), key.span()), At::new(value.get_ref(), value.span()))
        })
    }

    /// A table within this one.
    pub(super) fn section(&mut self, key: &'static str, out: &mut Sink<'_>) -> Section<'t> {
        let title = format!("[{key}]");
        let without = |standing| Section {
            standing,
            title: title.clone(),
            place: None,
            table: None,
            asked: Vec::new(),
        };
        let Some(found) = self.get(key) else { return without(Standing::Absent) };
        match found.value {
            DeValue::Table(table) => {
                let place = if found.span.is_empty() {
                    self.key_place(key).unwrap_or(found.span)
                } else {
                    found.span
                };
                Section::inline(&title, table, place)
            }
            DeValue::Array(list) if list.iter().any(|item| item.get_ref().is_table()) => {
                let help = format!("write {title}, with single brackets: there is one of it");
                out.error(
                    &found.span,
                    format!("{title} is written as a list of tables"),
                    "double brackets",
                    help,
                );
                without(Standing::Unread)
            }
            DeValue::Array(_)
            | DeValue::String(_)
            | DeValue::Integer(_)
            | DeValue::Float(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_) => {
                out.wrong_kind(key, &found, "a table", &format!("write {title} and its keys below it"));
                without(Standing::Unread)
            }
        }
    }

    /// The tables of a list: each `[[slab]]`.
    pub(super) fn sections(&mut self, key: &'static str, out: &mut Sink<'_>) -> Vec<Section<'t>> {
        let title = format!("[[{key}]]");
        let Some(found) = self.get(key) else { return Vec::new() };
        match found.value {
            DeValue::Array(list) => tables(key, &title, list, out),
            DeValue::Table(_) => {
                let help = format!("write {title}, with double brackets: there can be several");
                out.error(
                    &found.span,
                    format!("{title} is written as a single table"),
                    "single brackets",
                    help,
                );
                Vec::new()
            }
            DeValue::String(_)
            | DeValue::Integer(_)
            | DeValue::Float(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_) => {
                out.wrong_kind(
                    key,
                    &found,
                    "a list of tables",
                    &format!("write {title} and its keys below it"),
                );
                Vec::new()
            }
        }
    }

    /// A text, trimmed.
    pub(super) fn text(&mut self, key: &'static str, out: &mut Sink<'_>) -> Option<At<String>> {
        let found = self.get(key)?;
        match found.value.as_str() {
            Some(text) => Some(At::new(text.trim().to_owned(), found.span)),
            None => {
                let help = format!("write it in quotes: {key} = \"...\"");
                out.wrong_kind(key, &found, "a text", &help);
                None
            }
        }
    }

    /// A text that is not blank.
    pub(super) fn name(&mut self, key: &'static str, out: &mut Sink<'_>) -> Option<At<String>> {
        let found = self.text(key, out)?;
        if found.value.is_empty() {
            out.error(&found.span, format!("`{key}` is blank"), "nothing here", format!("say the {key}"));
            return None;
        }
        Some(found)
    }

    /// One of a few words.
    pub(super) fn word<T: Copy>(
        &mut self,
        key: &'static str,
        words: &[(&'static str, T)],
        out: &mut Sink<'_>,
    ) -> Option<At<T>> {
        let found = self.get(key)?;
        let list = words.iter().map(|(word, _)| format!("\"{word}\"")).collect::<Vec<_>>().join(", ");
        let Some(text) = found.value.as_str() else {
            out.wrong_kind(key, &found, "one of a few words", &format!("write one of {list}"));
            return None;
        };
        if let Some((_, value)) = words.iter().find(|(word, _)| *word == text) {
            return Some(At::new(*value, found.span));
        }
        let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let help = match nearest(text, &known) {
            Some(word) => format!("did you mean \"{word}\"? known: {list}"),
            None => format!("write one of {list}"),
        };
        out.error(&found.span, format!("`{key}` cannot be \"{text}\""), "not a known word", help);
        None
    }

    /// A whole number within `range`.
    pub(super) fn count(
        &mut self,
        key: &'static str,
        range: std::ops::RangeInclusive<u32>,
        out: &mut Sink<'_>,
    ) -> Option<At<u32>> {
        let found = self.get(key)?;
        let wanted = format!("a whole number from {} to {}", range.start(), range.end());
        let DeValue::Integer(integer) = found.value else {
            out.wrong_kind(
                key,
                &found,
                &wanted,
                &format!("write it without quotes: {key} = {}", range.start()),
            );
            return None;
        };
        match whole(integer).and_then(|value| u32::try_from(value).ok()) {
            Some(value) if range.contains(&value) => Some(At::new(value, found.span)),
            Some(_) | None => {
                let message = format!("`{key}` is {}; it must be {wanted}", out.as_typed(&found.span));
                out.error(&found.span, message, "out of range", format!("write {wanted}"));
                None
            }
        }
    }

    /// `true` or `false`.
    pub(super) fn flag(&mut self, key: &'static str, out: &mut Sink<'_>) -> Option<At<bool>> {
        let found = self.get(key)?;
        match found.value.as_bool() {
            Some(value) => Some(At::new(value, found.span)),
            None => {
                out.wrong_kind(
                    key,
                    &found,
                    "true or false",
                    &format!("write {key} = true or {key} = false, unquoted"),
                );
                None
            }
        }
    }

    /// An amount, a number of points or a factor: an integer, or a quoted decimal with or without a unit.
    pub(super) fn amount(
        &mut self,
        key: &'static str,
        bound: Bound,
        out: &mut Sink<'_>,
    ) -> Option<At<Decimal>> {
        let found = self.get(key)?;
        let value = amount_of(key, &found, out)?;
        if bound == Bound::NotBelowNothing && value < Decimal::ZERO {
            let message = format!("`{key}` is below nothing: {value}");
            out.error(&found.span, message, "below 0", format!("`{key}` is 0 or more"));
            return None;
        }
        Some(At::new(value, found.span))
    }

    /// A text that `parse` understands; its error is a clause.
    pub(super) fn parsed<T>(
        &mut self,
        key: &'static str,
        what: &str,
        help: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
        out: &mut Sink<'_>,
    ) -> Option<At<T>> {
        let found = self.get(key)?;
        let Some(text) = found.value.as_str() else {
            if found.value.is_float() {
                out.bare_float(
                    key,
                    &found,
                    format!("quote it, as in: {}", help.trim_start_matches("write ")),
                );
            } else {
                out.wrong_kind(key, &found, &format!("{what} in quotes"), help);
            }
            return None;
        };
        match parse(text) {
            Ok(value) => Some(At::new(value, found.span)),
            Err(why) => {
                out.error(&found.span, format!("`{key}` is not {what}: {why}"), format!("not {what}"), help);
                None
            }
        }
    }

    /// A date: bare, or quoted in ISO 8601.
    pub(super) fn day(&mut self, key: &'static str, out: &mut Sink<'_>) -> Option<At<NaiveDate>> {
        let found = self.get(key)?;
        let day = match found.value {
            DeValue::Datetime(Datetime { date: Some(date), time: None, offset: None }) => {
                NaiveDate::from_ymd_opt(i32::from(date.year), u32::from(date.month), u32::from(date.day))
            }
            DeValue::String(text) => iso_day(text.trim()),
            DeValue::Datetime(_)
            | DeValue::Integer(_)
            | DeValue::Float(_)
            | DeValue::Boolean(_)
            | DeValue::Array(_)
            | DeValue::Table(_) => None,
        };
        if day.is_none() {
            let message = format!("`{key}` is not a date: {}", out.as_typed(&found.span));
            out.error(
                &found.span,
                message,
                "not a date",
                format!("write year-month-day: {key} = 2026-04-01"),
            );
        }
        day.map(|day| At::new(day, found.span))
    }

    /// A time of day in minutes after midnight: `"02:00"`, or a bare one.
    pub(super) fn minutes(&mut self, key: &'static str, out: &mut Sink<'_>) -> Option<At<u32>> {
        let found = self.get(key)?;
        let minutes = match found.value {
            DeValue::Datetime(Datetime { date: None, time: Some(time), offset: None })
                if time.second.unwrap_or(0) == 0 && time.nanosecond.unwrap_or(0) == 0 =>
            {
                Some(u32::from(time.hour) * 60 + u32::from(time.minute))
            }
            DeValue::String(text) => clock_minutes(text.trim()),
            DeValue::Datetime(_)
            | DeValue::Integer(_)
            | DeValue::Float(_)
            | DeValue::Boolean(_)
            | DeValue::Array(_)
            | DeValue::Table(_) => None,
        };
        if minutes.is_none() {
            let message = format!("`{key}` is not a time of day: {}", out.as_typed(&found.span));
            let help = format!("write hours and minutes, 00:00 to 23:59: {key} = \"02:00\"");
            out.error(&found.span, message, "not a time of day", help);
        }
        minutes.map(|minutes| At::new(minutes, found.span))
    }

    /// A list of texts, each trimmed and not blank; absent: none.
    pub(super) fn texts(&mut self, key: &'static str, out: &mut Sink<'_>) -> Vec<At<String>> {
        let Some(found) = self.get(key) else { return Vec::new() };
        let DeValue::Array(list) = found.value else {
            let help = format!("write {key} = [\"...\"]; several are set apart by commas");
            out.wrong_kind(key, &found, "a list of texts", &help);
            return Vec::new();
        };
        list.iter().filter_map(|item| text_item(key, &At::new(item.get_ref(), item.span()), out)).collect()
    }

    /// Refuses each key that nobody asked for, with the nearest known one.
    pub(super) fn finish(&self, out: &mut Sink<'_>) {
        for (key, value) in self.entries() {
            if self.asked.contains(&key.value) {
                continue;
            }
            // a header has no key of its own to point at that a person would look for
            let place = if key.span.is_empty() { value.span } else { key.span };
            let help = super::keys::help_for_unknown(key.value, &self.title, &self.asked);
            let message = if self.place.is_none() {
                format!("no section or key `{}` is known", key.value)
            } else {
                format!("{} has no key `{}`", self.title, key.value)
            };
            out.error(&place, message, "unknown", help);
        }
    }
}

impl Sink<'_> {
    /// Refuses a file without a section that it must have.
    pub(super) fn required_section(&mut self, section: &Section<'_>, keys: &str) {
        match section.standing {
            Standing::Read | Standing::Unread => {}
            Standing::Absent => {
                let title = &section.title;
                self.missing(
                    format!("the file has no {title}"),
                    format!("write {title} and below it {keys}"),
                );
            }
        }
    }

    /// Refuses a section without a key that it must have. A key that is misspelt is left to [`Section::finish`].
    pub(super) fn required(&mut self, section: &Section<'_>, key: &str, help: &str) {
        let misspelt = section.entries().any(|(found, _)| nearest(found.value, &[key]).is_some());
        if let Some(place) = section.place.clone().filter(|_| !misspelt) {
            self.later(
                &place,
                format!("{} lacks `{key}`", section.title),
                format!("`{key}` is required"),
                help,
            );
        }
    }
}

fn tables<'t>(key: &str, title: &str, list: &'t DeArray<'t>, out: &mut Sink<'_>) -> Vec<Section<'t>> {
    let mut sections = Vec::with_capacity(list.len());
    for item in list.iter() {
        match item.get_ref().as_table() {
            Some(table) => sections.push(Section::inline(title, table, item.span())),
            None => {
                let item = At::new(item.get_ref(), item.span());
                out.wrong_kind(
                    key,
                    &item,
                    "a list of tables",
                    &format!("write {title} and its keys below it"),
                );
            }
        }
    }
    sections
}

fn text_item(key: &str, item: &Value<'_>, out: &mut Sink<'_>) -> Option<At<String>> {
    let Some(text) = item.value.as_str().map(str::trim) else {
        out.wrong_kind(key, item, "a list of texts", "write each in quotes");
        return None;
    };
    if text.is_empty() {
        out.error(
            &item.span,
            format!("`{key}` has a blank entry"),
            "nothing here",
            "remove it, or leave the list empty for any",
        );
        return None;
    }
    Some(At::new(text.to_owned(), item.span.clone()))
}

/// An amount from an integer or a text; any sign.
pub(super) fn amount_of(key: &str, found: &Value<'_>, out: &mut Sink<'_>) -> Option<Decimal> {
    let read = match found.value {
        DeValue::Integer(integer) => whole(integer)
            .and_then(|value| Decimal::try_from_i128_with_scale(value, 0).ok())
            .ok_or_else(|| "it has more than 28 digits".to_owned()),
        DeValue::String(text) => number::amount(text),
        DeValue::Float(_) => {
            let help = format!("quote it: {key} = \"{}\"", out.as_typed(&found.span));
            out.bare_float(key, found, help);
            return None;
        }
        DeValue::Boolean(_) | DeValue::Datetime(_) | DeValue::Array(_) | DeValue::Table(_) => {
            out.wrong_kind(key, found, "a number", number::forms(key));
            return None;
        }
    };
    match read {
        Ok(value) => Some(value),
        Err(why) => {
            out.error(
                &found.span,
                format!("`{key}` is not a number: {why}"),
                "not a number",
                number::forms(key),
            );
            None
        }
    }
}

fn whole(integer: &DeInteger<'_>) -> Option<i128> {
    i128::from_str_radix(integer.as_str(), integer.radix()).ok()
}

/// `2026-04-01` and nothing else.
pub(super) fn iso_day(text: &str) -> Option<NaiveDate> {
    let shape = text.len() == 10
        && text.bytes().enumerate().all(|(at, byte)| match at {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    if shape { NaiveDate::parse_from_str(text, "%Y-%m-%d").ok() } else { None }
}

fn clock_minutes(text: &str) -> Option<u32> {
    use chrono::Timelike;
    if !text.bytes().all(|byte| byte.is_ascii_digit() || byte == b':') || text.len() != 5 {
        return None;
    }
    let time = NaiveTime::parse_from_str(text, "%H:%M").ok()?;
    Some(time.hour() * 60 + time.minute())
}
