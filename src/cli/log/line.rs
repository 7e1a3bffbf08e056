//! One line of the log, and its forms.

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Map, Value};
use std::fmt::{Debug, Write as _};
use tracing::Level;
use tracing::field::{Field, Visit};

/// Longest text of a line: what is more is cut.
const LONGEST: usize = 16 << 10;

/// The field of the message itself.
const MESSAGE: &str = "message";

/// What an event or a span says: the last word on each name stands.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Fields(Vec<(&'static str, Value)>);

impl Fields {
    pub(super) fn extend(&mut self, other: &Fields) {
        for (name, value) in &other.0 {
            self.set(name, value.clone());
        }
    }

    fn set(&mut self, name: &'static str, value: Value) {
        match self.0.iter_mut().find(|(known, _)| *known == name) {
            Some(known) => known.1 = value,
            None => self.0.push((name, value)),
        }
    }
}

impl Visit for Fields {
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.set(field.name(), value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.set(field.name(), value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.set(field.name(), value.into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.set(field.name(), value.into());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.set(field.name(), format!("{value:?}").into());
    }
}

/// An event.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Line {
    at: String,
    pub(super) level: Level,
    pub(super) message: String,
    pub(super) fields: Vec<(&'static str, Value)>,
}

impl Line {
    pub(super) fn of(at: DateTime<Utc>, level: Level, fields: Fields) -> Line {
        let mut message = String::new();
        let mut others = Vec::with_capacity(fields.0.len());
        for (name, value) in fields.0 {
            // a name that is a word of the language is written with a line below it
            match name.trim_end_matches('_') {
                MESSAGE => message = cut(&plain(&value)),
                name => others.push((name, value)),
            }
        }
        Line { at: at.to_rfc3339_opts(SecondsFormat::Millis, true), level, message, fields: others }
    }

    /// `2026-11-22T09:33:02.123Z  INFO taken feed=north file=a.csv`
    pub(super) fn text(&self) -> String {
        format!("{} {:>5} {}", self.at, self.level, self.words())
    }

    /// As the journal takes it from stderr: `<6>taken feed=north file=a.csv`
    pub(super) fn prefixed(&self) -> String {
        self.words().lines().map(|line| format!("<{}>{line}", self.priority())).collect::<Vec<_>>().join("\n")
    }

    /// The message and the fields that it does not name by itself.
    pub(super) fn words(&self) -> String {
        let mut words = self.message.clone();
        for (name, value) in &self.fields {
            let value = printable(&plain(value));
            if !self.message.contains(&value) {
                // cannot fail: it is a string
                let _ = write!(words, " {name}={value}");
            }
        }
        words
    }

    /// One object on one line.
    pub(super) fn json(&self) -> String {
        let level = self.level.as_str().to_ascii_lowercase();
        let mut object: Map<String, Value> = [("at", &self.at), ("level", &level), (MESSAGE, &self.message)]
            .map(|(name, value)| (name.to_owned(), value.as_str().into()))
            .into_iter()
            .collect();
        for (name, value) in &self.fields {
            object.entry((*name).to_owned()).or_insert_with(|| value.clone());
        }
        Value::Object(object).to_string()
    }

    /// As syslog counts: 3 error, 4 warning, 6 info, 7 debug.
    pub(super) fn priority(&self) -> u8 {
        match self.level {
            Level::ERROR => 3,
            Level::WARN => 4,
            Level::INFO => 6,
            Level::DEBUG | Level::TRACE => 7,
        }
    }
}

/// A field's value as text.
pub(super) fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Names are data: none moves a terminal's cursor.
fn printable(text: &str) -> String {
    text.chars().flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] }).collect()
}

fn cut(text: &str) -> String {
    if text.len() <= LONGEST {
        return text.to_owned();
    }
    let end = (0..=LONGEST).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default();
    format!("{} ... ({} bytes more)", &text[..end], text.len() - end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(message: &str, fields: &[(&'static str, Value)]) -> Line {
        let mut all = Fields::default();
        all.set(MESSAGE, message.into());
        for (name, value) in fields {
            all.set(name, value.clone());
        }
        Line::of(DateTime::from_timestamp_millis(1_780_000_000_123).unwrap(), Level::WARN, all)
    }

    #[test]
    fn a_line_has_three_forms() {
        let line =
            line("taken", &[("run", 7.into()), ("feed", "north".into()), ("file", "a\u{1b}[2J.csv".into())]);
        assert_eq!(line.text(), "2026-05-28T20:26:40.123Z  WARN taken run=7 feed=north file=a\\u{1b}[2J.csv");
        assert_eq!(
            line.json(),
            "{\"at\":\"2026-05-28T20:26:40.123Z\",\"level\":\"warn\",\"message\":\"taken\",\"run\":7,\
             \"feed\":\"north\",\"file\":\"a\\u001b[2J.csv\"}"
        );
        assert_eq!(line.prefixed(), "<4>taken run=7 feed=north file=a\\u{1b}[2J.csv");
    }

    #[test]
    fn the_last_word_stands_and_a_long_one_is_cut() {
        let mut fields = Fields::default();
        fields.set("feed", "north".into());
        let mut more = Fields::default();
        more.set("feed", "south".into());
        fields.extend(&more);
        assert_eq!(fields.0, [("feed", Value::from("south"))]);
        assert!(line(&"ä".repeat(20_000), &[]).message.len() < LONGEST + 40);
    }

    #[test]
    fn what_the_message_says_is_not_said_twice() {
        assert_eq!(
            line("taken a.csv of feed north", &[("feed", "north".into())]).words(),
            "taken a.csv of feed north"
        );
    }
}
