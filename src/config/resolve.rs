//! The whole file as typed -> [`Config`], or every fault at once. Pure.

use super::feed::{self, Placed};
use super::over::{self, Beside, Over};
use super::paths::{self, Environment, Scope};
use super::table::{Reading, Table};
use super::values::{Wrong, as_toml, duration, flag, not_negative, some_duration, text, zone};
use super::{Config, LogFormat, Publish, Report, Schedule, agree, hook, push, secrets};
use crate::fault::{Fault, Faults};
use crate::schedule::Cron;
use rust_decimal::Decimal;
use std::ops::Range;
use std::path::Path;
use std::time::Duration;
use toml::de::{DeTable, DeValue};

/// Whether a config, which may be one of an older version, has a feed of this name.
pub fn names_feed(text: &str, name: &str) -> bool {
    let Ok(document) = DeTable::parse(text) else { return false };
    let feeds = document.get_ref().get("feed").and_then(|feeds| feeds.get_ref().as_array());
    feeds.into_iter().flatten().any(|feed| {
        let given = feed.get_ref().as_table().and_then(|feed| feed.get("name"));
        given.and_then(|given| given.get_ref().as_str()) == Some(name)
    })
}

/// Reads accrued.toml. `path` is the file as the user named it; relative paths in it are seen from its folder.
/// `env` gives the variables that `${NAME}` may name.
pub fn load(path: &Path, text: &str, env: Environment<'_>) -> Result<Config, Faults> {
    load_under(path, text, env, &Beside::default())
}

/// Likewise, with what stands over the file.
pub fn load_under(path: &Path, text: &str, env: Environment<'_>, beside: &Beside) -> Result<Config, Faults> {
    let shown = path.display().to_string();
    let (document, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        let faults = errors.iter().map(not_toml).collect();
        return Err(sorted(Faults { path: shown, text: secrets::masked(text), faults }));
    }
    let given = over::given(beside, text.len());
    let over = Over::new(&given);
    let mut reading = Reading::new(shown.clone(), text, &over);
    let folder = path.parent().unwrap_or(Path::new(""));
    let scope = Scope { folder, env, over: &over };
    let top = Table::new("", "the top level", 0..0, Some(document.get_ref())).under(&over);
    let parts = parts(top, &mut reading, scope);
    reading.faults.extend(over.faults());
    let Reading { faults, warnings, deferred, mut settings, secrets, .. } = reading;
    // only now is every setting asked for
    settings.iter_mut().for_each(|setting| setting.variable = over.variable(&setting.key));
    let placed = |faults: Vec<Fault>| -> Vec<Fault> {
        faults.into_iter().map(|fault| over.placed(fault, &secrets)).collect()
    };
    let (faults, warnings, deferred) = (placed(faults), placed(warnings), placed(deferred));
    match parts {
        Some((data_dir, schemes_dir, schedule, (publish, report, log_format), (feeds, pushes, hooks)))
            if faults.is_empty() =>
        {
            Ok(Config {
                path: path.to_owned(),
                text: text.to_owned(),
                beside: beside.clone(),
                data_dir,
                schemes_dir,
                schedule,
                publish,
                report,
                feeds,
                pushes,
                hooks,
                log_format,
                settings,
                warnings,
                deferred,
            })
        }
        _ => {
            let faults = faults.into_iter().chain(deferred).collect();
            Err(sorted(Faults { path: shown, text: secrets::without(text, &secrets), faults }))
        }
    }
}

type Parts = (std::path::PathBuf, std::path::PathBuf, Option<Schedule>, (Publish, Report, LogFormat), Places);

/// Where files come from, where they go, and who is told.
type Places = (Vec<super::Feed>, Vec<super::Push>, Vec<super::Hook>);

fn parts<'t>(mut top: Table<'t>, reading: &mut Reading<'_>, scope: Scope<'t>) -> Option<Parts> {
    let data_dir = paths::setting_or(&mut top, reading, "data_dir", "var", scope);
    let schemes_dir = paths::setting_or(&mut top, reading, "schemes_dir", "schemes", scope);
    let schedule = schedule(&mut top, reading);
    control(&mut top, reading);
    let publish = (publish(&mut top, reading), report(&mut top, reading), hook::log(&mut top, reading));
    let feeds = feeds(&mut top, reading, scope);
    let pushes = pushes(&mut top, reading, scope);
    let hooks = hooks(&mut top, reading, scope);
    top.close(reading);
    agree::check(reading, &feeds);
    let feeds: Option<Vec<_>> = feeds.into_iter().map(|placed| placed.feed).collect();
    Some((data_dir, schemes_dir, schedule, publish, (feeds?, pushes?, hooks?)))
}

fn not_toml(error: &toml::de::Error) -> Fault {
    let message = format!("this is not TOML: {}", error.message().replace('\n', "; "));
    let help = "texts stand in quotes, tables begin with [name], each key stands once";
    Fault { span: error.span(), ..Fault::error(0..0, message, "", help) }
}

fn sorted(mut faults: Faults) -> Faults {
    faults.sort();
    faults
}

fn schedule(top: &mut Table<'_>, reading: &mut Reading<'_>) -> Option<Schedule> {
    let mut table = top.table(reading, "schedule", "[schedule]");
    if !table.is_given(&["cron", "timezone", "catch_up", "retry", "retry_for"]) {
        return None;
    }
    let help = "write sec min hour day month weekday, such as \"0 30 2 * * *\" for 02:30 every day";
    let cron = table.required(reading, "cron", "add cron = \"0 30 2 * * *\"", |value| {
        let line = text(value)?;
        match Cron::new(&line) {
            Ok(_) => Ok(line),
            Err(why) => {
                Err(Wrong::new(format!("{why}: {}", as_toml(value)), "never comes due as written", help))
            }
        }
    });
    let timezone = table.required(reading, "timezone", "add timezone = \"Asia/Kolkata\"", zone);
    let catch_up = table.or(reading, "catch_up", true, "true", flag).value;
    let retry = table.or(reading, "retry", Duration::from_secs(30 * 60), "\"30m\"", some_duration).value;
    let retry_for = table.or(reading, "retry_for", Duration::from_secs(24 * 3600), "\"24h\"", duration).value;
    table.close(reading);
    Some(Schedule { cron: cron?.value, timezone: timezone?.value, catch_up, retry, retry_for })
}

fn control(top: &mut Table<'_>, reading: &mut Reading<'_>) {
    let mut table = top.table(reading, "control", "[control]");
    let two_person = table.or(reading, "two_person", false, "false", flag);
    if two_person.value {
        let at = two_person.place(&table);
        reading.not_yet(
            "control.two_person = true",
            at,
            "write two_person = false; nothing here needs a second person yet",
        );
    }
    match table.written("operators") {
        None => reading.note(table.key("operators"), "{}".to_owned(), None),
        Some((value, at)) => {
            reading.note(table.key("operators"), as_toml(value), Some(&at));
            match value {
                DeValue::Table(operators) if operators.is_empty() => {}
                DeValue::Table(_) => {
                    reading.not_yet("control.operators", at, "write operators = {}, or remove it")
                }
                other => {
                    let help = "write operators = {}, or remove the line";
                    reading.wrong("operators", Wrong::kind("a table", other, help), at);
                }
            }
        }
    }
    table.close(reading);
}

fn publish(top: &mut Table<'_>, reading: &mut Reading<'_>) -> Publish {
    let mut table = top.table(reading, "publish", "[publish]");
    let publish = Publish {
        transactions: table.or(reading, "transactions", true, "true", flag).value,
        partner_files: table.or(reading, "partner_files", false, "false", flag).value,
    };
    table.close(reading);
    publish
}

fn report(top: &mut Table<'_>, reading: &mut Reading<'_>) -> Report {
    let mut table = top.table(reading, "report", "[report]");
    let usual = Decimal::new(5, 3);
    let tolerance = table.or(reading, "reconciliation_tolerance", usual, "\"0.005\"", not_negative);
    table.close(reading);
    Report { reconciliation_tolerance: tolerance.value }
}

/// The tables of a list such as `[[feed]]`: each with its number from 1, and where its header stands. What is no table is a fault.
fn tables<'t>(
    top: &mut Table<'t>,
    reading: &mut Reading<'_>,
    key: &'static str,
    help: &str,
) -> Vec<(usize, Range<usize>, &'t DeTable<'t>)> {
    let Some((value, at)) = top.written(key) else { return Vec::new() };
    let DeValue::Array(items) = value else {
        reading.wrong(key, Wrong::kind("a list of tables", value, help), at);
        return Vec::new();
    };
    let mut tables = Vec::new();
    for (number, item) in (1..).zip(items) {
        match item.get_ref() {
            DeValue::Table(entries) => tables.push((number, item.span(), entries)),
            other => reading.wrong(key, Wrong::kind("a list of tables", other, help), item.span()),
        }
    }
    tables
}

fn feeds<'t>(top: &mut Table<'t>, reading: &mut Reading<'_>, scope: Scope<'t>) -> Vec<Placed> {
    let written = tables(top, reading, "feed", "write [[feed]], in two brackets, once for each feed");
    let read = |(number, header, entries)| feed::read(reading, scope, number, header, entries);
    written.into_iter().map(read).collect()
}

/// `None` where one of them has faults.
fn pushes(top: &mut Table<'_>, reading: &mut Reading<'_>, scope: Scope<'_>) -> Option<Vec<super::Push>> {
    let help = "write [[push]], in two brackets, once for each folder that is pushed to";
    let written = tables(top, reading, "push", help);
    let read = |(number, header, entries)| push::read(reading, scope, number, header, entries);
    let (names, pushes): (Vec<_>, Vec<_>) = written.into_iter().filter_map(read).unzip();
    push::check_names(reading, &names);
    pushes.into_iter().collect()
}

/// `None` where one of them has faults.
fn hooks(top: &mut Table<'_>, reading: &mut Reading<'_>, scope: Scope<'_>) -> Option<Vec<super::Hook>> {
    let help = "write [[hook]], in two brackets, once for each program that is told of runs";
    let written = tables(top, reading, "hook", help);
    let read = |(number, header, entries)| hook::read(reading, scope, number, header, entries);
    // all are read, also behind one with faults
    let hooks: Vec<_> = written.into_iter().map(read).collect();
    hooks.into_iter().collect()
}
