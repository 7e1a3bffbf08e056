//! The file as typed: its tables, whose keys are asked for one by one.
//!
//! Answers for: every key that nobody asked for is a fault with the nearest known one, every setting in force is
//! noted with its origin, and one fault never hides another. Does not: know what any key means.

use super::Setting;
use super::over::{One, Over};
use super::values::{Wrong, as_toml, key_as_toml};
use crate::fault::{Fault, nearest};
use std::collections::BTreeMap;
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
    /// what stands over the file
    pub over: &'a Over<'a>,
    /// what the file says of each setting, whether it is in force or not
    written: BTreeMap<String, String>,
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
    pub fn new(path: String, text: &'a str, over: &'a Over<'a>) -> Reading<'a> {
        Reading {
            path,
            text,
            over,
            written: BTreeMap::new(),
            faults: Vec::new(),
            warnings: Vec::new(),
            deferred: Vec::new(),
            settings: Vec::new(),
            secrets: Vec::new(),
        }
    }

    /// `accrued.toml:14`, `ACCRUED_DATA_DIR`, or `default`.
    pub fn origin(&self, at: Option<&Range<usize>>) -> String {
        match at.map(|place| (place, self.over.at(place))) {
            Some((_, Some(one))) => one.origin(),
            Some((span, None)) => {
                let line = self.text[..span.start].bytes().filter(|b| *b == b'\n').count() + 1;
                format!("{}:{line}", self.path)
            }
            None => "default".to_owned(),
        }
    }

    pub fn note(&mut self, key: String, value: String, at: Option<&Range<usize>>) {
        let origin = self.origin(at);
        let stands_over = match at.and_then(|place| self.over.at(place)) {
            Some(one) => self.beneath(&key, one),
            None => Vec::new(),
        };
        self.settings.push(Setting { key, value, origin, stands_over, variable: None });
    }

    /// What a setting would be without the value that is in force, the next one first.
    fn beneath(&self, key: &str, in_force: &One<'_>) -> Vec<String> {
        let others = self.over.peek(key);
        let others = others.into_iter().skip_while(|one| one.at != in_force.at).skip(1).map(One::told);
        let file = self.written.get(key).cloned().unwrap_or_else(|| "default".to_owned());
        others.chain([file]).collect()
    }

    /// Keeps what the file says of a setting over which another value stands.
    fn keep_written(&mut self, key: String, value: &DeValue<'_>, at: &Range<usize>) {
        let told = format!("{} ({})", as_toml(value), self.origin(Some(at)));
        self.written.insert(key, told);
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
    /// what stands over it; `None` for a table that is part of a value
    over: Option<&'t Over<'t>>,
    /// the key that names it, which nothing stands over
    named_by: Option<&'static str>,
    asked: Vec<&'static str>,
}

/// How a value is looked for beside the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// as the text that stands there
    Text,
    /// as the file would write it
    Toml,
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
        let (name, shown) = (name.to_owned(), shown.to_owned());
        Table { name, shown, span, entries, over: None, named_by: None, asked: Vec::new() }
    }

    /// The same, with what stands over it.
    pub fn under(self, over: &'t Over<'t>) -> Table<'t> {
        Table { over: Some(over), ..self }
    }

    /// Whether the file has it, or any of these keys is given beside the file.
    pub fn is_given(&self, keys: &[&str]) -> bool {
        // every key is asked for, so that all are known for settings
        let beside = keys.iter().filter(|key| self.stands_over(key).is_some()).count();
        self.entries.is_some() || beside > 0
    }

    /// Whether the file gives this key, or it is given beside the file.
    pub fn has(&self, key: &str) -> bool {
        self.entries.is_some_and(|entries| entries.contains_key(key))
            || self
                .over
                .is_some_and(|over| self.named_by != Some(key) && !over.peek(&self.key(key)).is_empty())
    }

    /// What is in force instead of what the file says of this key, if anything is.
    fn stands_over(&self, key: &str) -> Option<&'t One<'t>> {
        let over = self.over.filter(|_| self.named_by != Some(key))?;
        over.of(&self.key(key)).into_iter().next()
    }

    /// `schedule.cron`
    pub fn key(&self, key: &str) -> String {
        let key = key_as_toml(key);
        if self.name.is_empty() { key } else { format!("{}.{key}", self.name) }
    }

    /// Calls the table by the value of one of its keys.
    pub fn rename(&mut self, name: String, shown: String, by: &'static str) {
        self.name = name;
        self.shown = shown;
        self.named_by = Some(by);
    }

    /// The value of a key that is a text, as typed.
    pub fn raw(
        &mut self,
        reading: &mut Reading<'_>,
        key: &'static str,
    ) -> Option<(&'t DeValue<'t>, Range<usize>)> {
        self.in_force(reading, key, Form::Text)
    }

    /// The value of a key that is a list, as typed.
    pub fn raw_list(
        &mut self,
        reading: &mut Reading<'_>,
        key: &'static str,
    ) -> Option<(&'t DeValue<'t>, Range<usize>)> {
        self.in_force(reading, key, Form::Toml)
    }

    /// The value of a key that only the file can give: a table, or a list of tables.
    pub fn written(&mut self, key: &'static str) -> Option<(&'t DeValue<'t>, Range<usize>)> {
        self.asked.push(key);
        let value = self.entries?.get(key)?;
        Some((value.get_ref(), value.span()))
    }

    fn in_force(
        &mut self,
        reading: &mut Reading<'_>,
        key: &'static str,
        form: Form,
    ) -> Option<(&'t DeValue<'t>, Range<usize>)> {
        let written = self.written(key);
        let Some(one) = self.stands_over(key) else { return written };
        if let Some((value, at)) = written {
            reading.keep_written(self.key(key), value, &at);
        }
        let value = match form {
            Form::Text => one.text(),
            Form::Toml => one.toml(),
        };
        value.map(|value| (value, one.at.clone()))
    }

    /// A key that may be absent.
    pub fn optional<T>(
        &mut self,
        reading: &mut Reading<'_>,
        key: &'static str,
        read: impl Fn(&DeValue<'_>) -> Result<T, Wrong>,
    ) -> Option<Read<T>> {
        let (text, at) = self.raw(reading, key)?;
        // a text where it can be one: only then is it what the file would write without quotes
        let (value, meant) = match (read(text), self.stands_over(key).and_then(One::toml)) {
            (Err(wrong), Some(toml)) if !matches!(toml, DeValue::String(_)) => match read(toml) {
                Err(_) if matches!(toml, DeValue::Datetime(_) | DeValue::Float(_)) => (text, Err(wrong)),
                meant => (toml, meant),
            },
            (meant, _) => (text, meant),
        };
        reading.note(self.key(key), as_toml(value), Some(&at));
        match meant {
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
        read: impl Fn(&DeValue<'_>) -> Result<T, Wrong>,
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
        read: impl Fn(&DeValue<'_>) -> Result<T, Wrong>,
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
        let table = match self.written(key) {
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
        };
        Table { over: self.over, ..table }
    }

    /// The keys in force of a table whose keys are free: those of the file, in its order, and those among `known` that are
    /// given beside it.
    pub fn entries_among(&self, reading: &mut Reading<'_>, known: &[&'static str]) -> Vec<Entry<'t>> {
        let mut entries = self.entries();
        for key in known {
            let Some(one) = self.stands_over(key) else { continue };
            if let Some(entry) = entries.iter().find(|entry| entry.key == *key) {
                reading.keep_written(self.key(key), entry.value, &entry.at);
            }
            let Some(value) = one.text() else { continue };
            entries.retain(|entry| entry.key != *key);
            entries.push(Entry { key, key_at: one.at.clone(), value, at: one.at.clone() });
        }
        entries
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
        match self.stands_over(key) {
            Some(one) => Some(one.at.clone()),
            None => Some(self.entries?.get(key)?.span()),
        }
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

/// Likewise for a setting's whole name, or a variable's.
pub(super) fn secret_name(name: &str) -> Option<&'static str> {
    name.rsplit(['_', '.']).next().and_then(secret)
}

/// Where a key lives that people put elsewhere: mostly keys of `[[feed]]` below one of its tables.
fn homes(key: &str) -> Option<&'static str> {
    Some(match key {
        "data_dir" | "schemes_dir" => "the top level, above the first table",
        "cron" | "catch_up" | "retry" | "retry_for" => "[schedule]",
        "two_person" | "operators" => "[control]",
        "transactions" | "partner_files" => "[publish]",
        "format" => "[log]",
        "command" => "[[hook]]",
        "kind" | "url" | "files" | "distributors" | "documents" | "number_scope" | "numbers_restart"
        | "expected" | "due_days" | "mode" | "max_void_percent" | "complete" | "settle_seconds" | "after"
        | "max_reject_percent" | "max_bytes" => "[[feed]]",
        "host_key" | "known_hosts" | "private_key" | "passphrase_file" | "password_file" | "agent"
        | "connect_timeout" | "idle_timeout" | "file_deadline" | "run_deadline" | "retries"
        | "read_buffer" | "connections" => "[feed.ssh]",
        "delimiter" | "encoding" | "decimal_mark" | "dates" | "credit_notes" => "[feed.csv]",
        _ => return None,
    })
}
