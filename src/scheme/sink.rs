//! Where the faults of a file go while it is read, so that reading goes on and all of them are told at once.

use crate::fault::Fault;
use std::ops::Range;
use toml::de::DeValue;

/// Something read, and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct At<T> {
    pub(super) value: T,
    pub(super) span: Range<usize>,
}

impl<T> At<T> {
    pub(super) fn new(value: T, span: Range<usize>) -> At<T> {
        At { value, span }
    }
}

/// A value of the file with its place.
pub(super) type Value<'t> = At<&'t DeValue<'t>>;

/// Where faults go while reading.
pub(super) struct Sink<'x> {
    text: &'x str,
    /// faults of one value
    local: Vec<Fault>,
    /// faults between values, and what is missing
    between: Vec<Fault>,
}

impl<'x> Sink<'x> {
    pub(super) fn new(text: &'x str) -> Sink<'x> {
        Sink { text, local: Vec::new(), between: Vec::new() }
    }

    /// Every fault.
    pub(super) fn all(mut self) -> Vec<Fault> {
        self.local.append(&mut self.between);
        self.local
    }

    /// The faults of one value each.
    pub(super) fn local(self) -> Vec<Fault> {
        self.local
    }

    /// The line, counted from 1, in which `at` stands.
    pub(super) fn line_of(&self, at: usize) -> usize {
        1 + self.text.bytes().take(at).filter(|&byte| byte == b'\n').count()
    }

    /// A value that cannot be meant whatever else is in the file.
    pub(super) fn error(
        &mut self,
        span: &Range<usize>,
        message: impl Into<String>,
        label: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.local.push(Fault::error(span.clone(), message, label, help));
    }

    /// A value that cannot be meant because of another.
    pub(super) fn later(
        &mut self,
        span: &Range<usize>,
        message: impl Into<String>,
        label: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.between.push(Fault::error(span.clone(), message, label, help));
    }

    /// Two values that disagree.
    pub(super) fn between(
        &mut self,
        span: &Range<usize>,
        message: impl Into<String>,
        label: &str,
        other: (&Range<usize>, &str),
        help: impl Into<String>,
    ) {
        self.between.push(Fault::error(span.clone(), message, label, help).and(other.0.clone(), other.1));
    }

    /// Something the file has not.
    pub(super) fn missing(&mut self, message: impl Into<String>, help: impl Into<String>) {
        self.between.push(Fault::missing(message, help));
    }

    pub(super) fn as_typed(&self, span: &Range<usize>) -> &str {
        self.text.get(span.clone()).unwrap_or("")
    }

    /// Refuses a bare float where digits must be exact.
    pub(super) fn bare_float(&mut self, key: &str, value: &Value<'_>, help: impl Into<String>) {
        let message =
            format!("`{key}` is a bare float, {}: it would not be exact", self.as_typed(&value.span));
        self.error(&value.span, message, "a float keeps no exact digits", help);
    }

    /// Refuses a value of the wrong kind.
    pub(super) fn wrong_kind(&mut self, key: &str, value: &Value<'_>, wanted: &str, help: &str) {
        let found = match value.value {
            DeValue::Float(_) => "a number with a point",
            DeValue::String(_) => "a text",
            DeValue::Integer(_) => "a number",
            DeValue::Boolean(_) => "true or false",
            DeValue::Datetime(_) => "a date or a time",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        };
        let message = format!("`{key}` is {found}; it must be {wanted}");
        self.error(&value.span, message, format!("must be {wanted}"), help);
    }
}
