//! `[[hook]]` and `[log]` as typed -> as meant. Pure.

use super::paths::{self, PathFault, Scope};
use super::table::{Reading, Table};
use super::values::{Wrong, as_toml, duration, shown, some_duration, text_as_toml, word};
use super::{Hook, HookEvent, LogFormat};
use crate::fault::nearest;
use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;
use toml::de::{DeTable, DeValue};

const ON_HELP: &str =
    "write on = \"run-failed\", or a list of these: run-finished, run-failed, file-refused, heartbeat";
const COMMAND_HELP: &str = "write the program's whole path and its arguments, each a text: command = [\"/usr/local/bin/tell\", \"ops\"]";

/// Longest time that a hook may have: the next run waits for it.
const LONGEST: Duration = Duration::from_secs(600);

/// Reads one hook; `number` counts from 1.
pub(super) fn read<'t>(
    reading: &mut Reading<'_>,
    scope: Scope<'t>,
    number: usize,
    header: Range<usize>,
    entries: &'t DeTable<'t>,
) -> Option<Hook> {
    let mut table =
        Table::new(&format!("hook.{number}"), "[[hook]]", header, Some(entries)).under(scope.over);
    let on = list(&mut table, reading, "on", ON_HELP, on);
    let command = list(&mut table, reading, "command", COMMAND_HELP, |value| command(value, scope));
    let timeout = table.or(reading, "timeout", Duration::from_secs(30), "\"30s\"", timeout);
    table.close(reading);
    let ((program, arguments), on) = (command?, on?);
    Some(Hook { on, program, arguments, timeout: timeout.value })
}

/// A key that must be there and may be a list.
fn list<T>(
    table: &mut Table<'_>,
    reading: &mut Reading<'_>,
    key: &'static str,
    help: &str,
    read: impl Fn(&DeValue<'_>) -> Result<T, Wrong>,
) -> Option<T> {
    let Some((value, at)) = table.raw_list(reading, key) else {
        table.missing(reading, key, help);
        return None;
    };
    reading.note(table.key(key), as_toml(value), Some(&at));
    match read(value) {
        Ok(meant) => Some(meant),
        Err(wrong) => {
            reading.wrong(key, wrong, at);
            None
        }
    }
}

fn on(value: &DeValue<'_>) -> Result<Vec<HookEvent>, Wrong> {
    let one = |value: &DeValue<'_>| {
        let given = value.as_str().unwrap_or_default();
        HookEvent::ALL.into_iter().find(|event| event.word() == given).ok_or_else(|| {
            let near = nearest(given, &HookEvent::ALL.map(HookEvent::word));
            let label = near.map_or("not one of them".to_owned(), |near| format!("did you mean {near:?}?"));
            Wrong::new(format!("names {}, on which no hook is called", shown(value)), label, ON_HELP)
        })
    };
    let DeValue::Array(items) = value else { return one(value).map(|event| vec![event]) };
    let mut events = Vec::new();
    for item in items.iter() {
        let event = one(item.get_ref())?;
        if events.contains(&event) {
            return Err(Wrong::new(format!("names {} twice", as_toml(item.get_ref())), "again", ON_HELP));
        }
        events.push(event);
    }
    if events.is_empty() {
        return Err(Wrong::new("is an empty list: the hook would never be called", "nothing", ON_HELP));
    }
    Ok(events)
}

/// The program and its arguments.
fn command(value: &DeValue<'_>, scope: Scope<'_>) -> Result<(PathBuf, Vec<String>), Wrong> {
    let DeValue::Array(items) = value else {
        return Err(Wrong::kind("a list of texts (no shell reads it)", value, COMMAND_HELP));
    };
    let words: Option<Vec<&str>> = items.iter().map(|item| item.get_ref().as_str()).collect();
    let Some(words) = words.filter(|words| words.iter().all(|word| !word.contains('\0'))) else {
        return Err(Wrong::new("must be a list of texts", "not all are texts", COMMAND_HELP));
    };
    let Some((program, arguments)) = words.split_first().filter(|(program, _)| !program.trim().is_empty())
    else {
        return Err(Wrong::new("names no program", "which program?", COMMAND_HELP));
    };
    if !program.contains('/') {
        let message = format!("names the program {} without its folder", text_as_toml(program));
        let help = format!("write its whole path, or \"./{program}\" for one beside this file");
        return Err(Wrong::new(message, "PATH is not searched", help));
    }
    let program = paths::path(program, scope).map_err(|fault| match fault {
        PathFault::Wrong(wrong) => wrong,
        PathFault::Unset(variable) => {
            let message = format!("needs the variable {variable}, which is not set");
            Wrong::new(message, "not set here", "write the path itself, or set the variable")
        }
    })?;
    Ok((program, arguments.iter().map(|&argument| argument.to_owned()).collect()))
}

fn timeout(value: &DeValue<'_>) -> Result<Duration, Wrong> {
    let timeout = some_duration(value)?;
    if timeout > LONGEST {
        let message = format!("must be at most \"10m\", found {}", shown(value));
        return Err(Wrong::new(
            message,
            "too long",
            "the next run waits for it: let the hook leave long work to others",
        ));
    }
    duration(value)
}

/// Reads `[log]`.
pub(super) fn log(top: &mut Table<'_>, reading: &mut Reading<'_>) -> LogFormat {
    let mut table = top.table(reading, "log", "[log]");
    let words = LogFormat::ALL.map(|format| (format.word(), format));
    let format = table.or(reading, "format", LogFormat::Auto, "\"auto\"", word(&words));
    table.close(reading);
    format.value
}
