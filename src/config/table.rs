//! The file as typed: its tables, whose keys are asked for one by one.
//!
//! Answers for: every key that nobody asked for is a fault with the nearest known one, every setting in force is
//! noted with its origin, and one fault never hides another. Does not: know what any key means.

use super::Setting;
use super::values::{Wrong, as_toml, key_as_toml};
use crate::fault::{Fault, nearest};
use std::ops::Range;
use toml::de::{DeTable, DeValue};

/// A value and where it stands; `None` for a default.
#[derive(Debug, Clone)]
pub(super) struct Read<T> {
    pub value: T,
    pub at: Option<Range<usize>>,
}

impl<T> Read<T> {
    /// Where it stands, or where it would.
    pub fn place(&self, otherwise: &Table<'_>) -> Range<usize> {
        self.at.clone().unwrap_or_else(|| otherwise.span.clone())
    }
}

/// What one reading of the file brings together.
pub(super) struct Reading<'a> {
    /// the file as the user named it, for origins
    path: String,
    text: &'a str,
    /// what cannot be meant
    pub faults: Vec<Fault>,
    /// what is likely a mistake
    pub warnings: Vec<Fault>,
    /// what matters only once a feed is contacted
    pub deferred: Vec<Fault>,
    /// in the order asked for
    pub settings: Vec<Setting>,
    /// places that hold a secret: never shown
    pub secrets: Vec<Range<usize>>,
}

impl<'a> Reading<'a> {
    pub fn new(path: String, text: &'a str) -> Reading<'a> {
        Reading {
            path,
            text,
            faults: Vec::new(),
            warnings: Vec::new(),
            deferred: Vec::new(),
            settings: Vec::new(),
            secrets: Vec::new(),
        }
    }

    /// `accrued.toml:14`, or `default`.
    pub fn origin(&self, at: Option<&Range<usize>>) -> String {
        match at {
            Some(span) => {
                let line = self.text[..span.start].bytes().filter(|b| *b == b'\n').count() + 1;
                format!("{}:{line}", self.path)
            }
            None => "default".to_owned(),
        }
    }

    pub fn note(&mut self, key: String, value: String, at: Option<&Range<usize>>) {
        let origin = self.origin(at);
        self.settings.push(Setting { key, value, origin });
    }

    pub fn wrong(&mut self, key: &str, wrong: Wrong, at: Range<usize>) {
        self.faults.push(Fault::error(at, format!("{key} {}", wrong.message), wrong.label, wrong.help));
    }

    /// A key that a later version brings to life.
    pub fn not_yet(&mut self, what: &str, at: Range<usize>, help: &str) {
        let message = format!("not yet supported: {what}");
        self.faults.push(Fault::error(at, message, "this version cannot do it", help));
    }
}

/// One table of the file; an absent one has no entries and gives defaults.
pub(super) struct Table<'t> {
    /// how its settings begin: `feed.north-sales.csv`
    name: String,
    /// as the file writes it: `[feed.csv]`
    pub shown: String,
    /// its header
    pub span: Range<usize>,
    entries: Option<&'t DeTable<'t>>,
    asked: Vec<&'static str>,
}

/// One key of a table whose keys are free.
pub(super) struct Entry<'t> {
    pub key: &'t str,
    pub key_at: Range<usize>,
    pub value: &'t DeValue<'t>,
    pub at: Range<usize>,
}

impl<'t> Table<'t> {
    pub fn new(name: &str, shown: &str, span: Range<usize>, entries: Option<&'t DeTable<'t>>) -> Table<'t> {
        Table { name: name.to_owned(), shown: shown.to_owned(), span, entries, asked: Vec::new() }
    }

    /// Whether the file has it.
    pub fn is_given(&self) -> bool {
        self.entries.is_some()
    }

    /// Whether the file gives this key.
    pub fn has(&self, key: &str) -> bool {
        self.entries.is_some_and(|entries| entries.contains_key(key))
    }

    /// `schedule.cron`
    pub fn key(&self, key: &str) -> String {
        let key = key_as_toml(key);
        if self.name.is_empty() { key } else { format!("{}.{key}", self.name) }
    }

    pub fn rename(&mut self, name: String, shown: String) {
        self.name = name;
        self.shown = shown;
    }

    /// The value of a key as typed.
    pub fn raw(&mut self, key: &'static str) -> Option<(&'t DeValue<'t>, Range<usize>)> {
        self.asked.push(key);
        let value = self.entries?.get(key)?;
        Some((value.get_ref(), value.span()))
    }

    /// A key that may be absent.
    pub fn optional<T>(
        &mut self,
        reading: &mut Reading<'_>,
        key: &'static str,
        read: impl FnOnce(&DeValue<'_>) -> Result<T, Wrong>,
    ) -> Option<Read<T>> {
        let (value, at) = self.raw(key)?;
        reading.note(self.key(key), as_toml(value), Some(&at));
        match read(value) {
            Ok(value) => Some(Read { value, at: Some(at) }),
            Err(wrong) => {
                reading.wrong(key, wrong, at);
                None
            }
        }
    }

    /// A key with a default, written as the file would write it. A wrong value is a fault, and the default stands
    /// in for it so that the rest can be checked.
    pub fn or<T>(
        &mut self,
        reading: &mut Reading<'_>,
        key: &'static str,
        default: T,
        shown: &str,
        read: impl FnOnce(&DeValue<'_>) -> Result<T, Wrong>,
    ) -> Read<T> {
        let given = self.has(key);
        if !given {
            reading.note(self.key(key), shown.to_owned(), None);
        }
        let at = if given { self.place_of(key) } else { None };
        self.optional(reading, key, read).unwrap_or(Read { value: default, at })
    }

    /// A key that must be there.
    pub fn required<T>(
        &mut self,
        reading: &mut Reading<'_>,
        key: &'static str,
        help: &str,
        read: impl FnOnce(&DeValue<'_>) -> Result<T, Wrong>,
    ) -> Option<Read<T>> {
        if !self.has(key) {
            self.asked.push(key);
            self.missing(reading, key, help);
        }
        self.optional(reading, key, read)
    }

    /// Says that a key must be there and is not.
    pub fn missing(&self, reading: &mut Reading<'_>, key: &str, help: &str) {
        let message = format!("{} has no {key}", self.shown);
        reading.faults.push(Fault::error(self.span.clone(), message, "required here", help));
    }

    /// A table inside this one; an absent one if something else stands there, which is a fault.
    pub fn table(&mut self, reading: &mut Reading<'_>, key: &'static str, shown: &str) -> Table<'t> {
        let name = self.key(key);
        match self.raw(key) {
            None => Table::new(&name, shown, self.span.clone(), None),
            Some((DeValue::Table(entries), at)) => Table::new(&name, shown, at, Some(entries)),
            Some((other, at)) => {
                let wrong = Wrong::kind(
                    "a table",
                    other,
                    &format!("write {shown} on a line of its own, and its keys below"),
                );
                reading.wrong(key, wrong, at.clone());
                Table::new(&name, shown, at, None)
            }
        }
    }

    /// All keys, in the order of the file: for tables whose keys are free.
    pub fn entries(&self) -> Vec<Entry<'t>> {
        let mut entries: Vec<Entry<'t>> = self
            .entries
            .into_iter()
            .flat_map(DeTable::iter)
            .map(|(key, value)| Entry {
                key: key.get_ref(),
                key_at: key.span(),
                value: value.get_ref(),
                at: value.span(),
            })
            .collect();
        entries.sort_by_key(|entry| entry.key_at.start);
        entries
    }

    /// Says every key that nobody has asked for.
    pub fn close(self, reading: &mut Reading<'_>) {
        for entry in self.entries() {
            if self.asked.contains(&entry.key) {
                continue;
            }
            let fault = match secret(entry.key) {
                Some(help) => {
                    reading.secrets.push(entry.at);
                    let message = format!("{} would be a secret in {}", entry.key, self.shown);
                    Fault::error(entry.key_at, message, "secrets are never values in this file", help)
                }
                None => self.unknown(&entry),
            };
            reading.faults.push(fault);
        }
    }

    fn unknown(&self, entry: &Entry<'_>) -> Fault {
        let message = format!("unknown key {} in {}", entry.key, self.shown);
        let error = |label: String, help: String| Fault::error(entry.key_at.clone(), message, label, help);
        if let Some(home) = homes(entry.key) {
            return error(format!("belongs in {home}"), format!("move the line to the keys of {home}"));
        }
        match nearest(entry.key, &self.asked) {
            Some(known) => {
                error(format!("did you mean {known}?"), format!("write {known}, or remove the line"))
            }
            None if self.asked.is_empty() => error("not known here".into(), "remove the line".into()),
            None => {
                error("not known here".into(), format!("the keys known here are {}", self.asked.join(", ")))
            }
        }
    }

    fn place_of(&self, key: &str) -> Option<Range<usize>> {
        Some(self.entries?.get(key)?.span())
    }
}

/// Keys under which people write secrets, with what to write instead.
fn secret(key: &str) -> Option<&'static str> {
    match key.to_lowercase().as_str() {
        "password" | "pass" | "passwd" | "secret" | "token" => {
            Some("put the password in a file that only accrued can read, and write password_file = \"PATH\"")
        }
        "passphrase" | "private_key_passphrase" => Some(
            "put the passphrase in a file that only accrued can read, and write passphrase_file = \"PATH\"",
        ),
        _ => None,
    }
}

/// Where a key lives that people put elsewhere: mostly keys of `[[feed]]` below one of its tables.
fn homes(key: &str) -> Option<&'static str> {
    Some(match key {
        "data_dir" | "schemes_dir" => "the top level, above the first table",
        "cron" | "catch_up" | "retry" | "retry_for" => "[schedule]",
        "two_person" | "operators" => "[control]",
        "transactions" | "partner_files" => "[publish]",
        "kind" | "url" | "files" | "distributors" | "documents" | "number_scope" | "numbers_restart"
        | "expected" | "due_days" | "mode" | "max_void_percent" | "complete" | "settle_seconds" | "after"
        | "max_reject_percent" | "max_bytes" => "[[feed]]",
        "host_key" | "known_hosts" | "private_key" | "passphrase_file" | "password_file" | "agent"
        | "connect_timeout" | "idle_timeout" | "file_deadline" | "retries" | "read_buffer"
        | "connections" => "[feed.ssh]",
        "delimiter" | "encoding" | "decimal_mark" | "dates" | "credit_notes" => "[feed.csv]",
        _ => return None,
    })
}
