//! Paths in the file: `${NAME}` from the environment that is passed in, relative to the file's folder. Pure.

use super::over::Over;
use super::table::{Read, Reading, Table};
use super::values::{Wrong, text, text_as_toml};
use crate::fault::Fault;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// The environment as the shell passes it in.
pub type Environment<'e> = &'e dyn Fn(&str) -> Option<String>;

/// Why a path cannot be meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum PathFault {
    /// it can never be
    Wrong(Wrong),
    /// the environment lacks this variable, or it is empty
    Unset(String),
}

/// From where paths are seen.
#[derive(Clone, Copy)]
pub(super) struct Scope<'e> {
    /// the folder of the file
    pub folder: &'e Path,
    pub env: Environment<'e>,
    /// what stands over the file
    pub over: &'e Over<'e>,
}

/// When a variable that is not set stops the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Needed {
    /// nothing works without the path
    Always,
    /// only who contacts the feed: under systemd `${CREDENTIALS_DIRECTORY}` is there for the service alone, and
    /// `accrued status` of a person must work all the same
    OnContact,
}

/// Reads a key that holds a path.
pub(super) fn setting(
    table: &mut Table<'_>,
    reading: &mut Reading<'_>,
    key: &'static str,
    scope: Scope<'_>,
    needed: Needed,
) -> Option<Read<PathBuf>> {
    let (value, at) = table.raw(reading, key)?;
    let name = table.key(key);
    let value = match text(value) {
        Ok(value) => value,
        Err(wrong) => {
            reading.wrong(key, wrong, at);
            return None;
        }
    };
    match path(&value, scope) {
        Ok(path) => {
            note(reading, name, &value, &path.to_string_lossy(), &at);
            Some(Read { value: path, at: Some(at) })
        }
        Err(PathFault::Wrong(wrong)) => {
            if value.contains("PRIVATE KEY") {
                reading.secrets.push(at.clone());
            }
            reading.wrong(key, wrong, at);
            None
        }
        Err(PathFault::Unset(variable)) => {
            refuse_unset(reading, key, &variable, &at, needed);
            note(reading, name, &value, &value, &at);
            Some(Read { value: scope.folder.join(value), at: Some(at) })
        }
    }
}

/// Reads a key that holds a path and has a default.
pub(super) fn setting_or(
    table: &mut Table<'_>,
    reading: &mut Reading<'_>,
    key: &'static str,
    default: &str,
    scope: Scope<'_>,
) -> PathBuf {
    let path = scope.folder.join(default);
    if !table.has(key) {
        reading.note(table.key(key), text_as_toml(&path.to_string_lossy()), None);
    }
    setting(table, reading, key, scope, Needed::Always).map_or(path, |read| read.value)
}

/// Notes a path as it came out; where the environment had a say the origin says so.
pub(super) fn note(reading: &mut Reading<'_>, key: String, written: &str, meant: &str, at: &Range<usize>) {
    reading.note(key, text_as_toml(meant), Some(at));
    if written.contains("${")
        && let Some(setting) = reading.settings.last_mut()
    {
        setting.origin.push_str(" and the environment");
    }
}

/// Says that the environment lacks a variable, now or once it matters.
pub(super) fn refuse_unset(
    reading: &mut Reading<'_>,
    key: &str,
    variable: &str,
    at: &Range<usize>,
    needed: Needed,
) {
    let wrong = unset(variable);
    let fault = Fault::error(at.clone(), format!("{key} {}", wrong.message), wrong.label, wrong.help);
    match needed {
        Needed::Always => reading.faults.push(fault),
        Needed::OnContact => reading.deferred.push(fault),
    }
}

/// Puts in the variables of the environment.
pub(super) fn expand(text: &str, env: Environment<'_>) -> Result<String, PathFault> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        out.push_str(&rest[..start]);
        let named = &rest[start + 2..];
        let end = named.find('}').ok_or_else(|| unclosed(text))?;
        let name = &named[..end];
        if !is_name(name) {
            return Err(unclosed(text));
        }
        match env(name) {
            Some(value) if !value.is_empty() => out.push_str(&value),
            Some(_) | None => return Err(PathFault::Unset(name.to_owned())),
        }
        rest = &named[end + 1..];
    }
    out.push_str(rest);
    Ok(out)
}

fn unclosed(text: &str) -> PathFault {
    PathFault::Wrong(Wrong::new(
        format!("has a ${{ that names no variable: {text:?}"),
        "not a variable",
        "write ${NAME}: a name of letters, digits and _",
    ))
}

fn is_name(name: &str) -> bool {
    let word = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    word && !name.is_empty() && !name.starts_with(|c: char| c.is_ascii_digit())
}

/// A path of the file with its variables put in, as seen from the file's folder.
pub(super) fn path(text: &str, scope: Scope<'_>) -> Result<PathBuf, PathFault> {
    check(text).map_err(PathFault::Wrong)?;
    let expanded = expand(text, scope.env)?;
    plain(&expanded, scope).map_err(PathFault::Wrong)
}

/// A path whose variables are in already: a `${` that came with one is a character like any other.
pub(super) fn plain(text: &str, scope: Scope<'_>) -> Result<PathBuf, Wrong> {
    check(text).map(|()| scope.folder.join(text))
}

fn check(text: &str) -> Result<(), Wrong> {
    let wrong = |message: &str, label: &str, help: &str| Err(Wrong::new(message, label, help));
    if text.contains("PRIVATE KEY") {
        return wrong(
            "holds a key",
            "secrets are never values in this file",
            "write the path of the file that holds it",
        );
    }
    if text.chars().any(char::is_control) {
        return wrong("holds a control character", "no path has one", "write the path of a file");
    }
    if text == "~" || text.starts_with("~/") {
        return wrong(
            "begins with ~, which only shells understand",
            "taken as it stands",
            "write ${HOME}/...",
        );
    }
    Ok(())
}

/// What to say of a variable that is not there.
pub(super) fn unset(name: &str) -> Wrong {
    Wrong::new(
        format!("names ${{{name}}}, which the environment does not have"),
        "not set, or empty",
        format!("set {name} where accrued runs, or write the path itself"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(name: &str) -> Option<String> {
        match name {
            "A" => Some("/a".into()),
            "B_2" => Some("b".into()),
            "EMPTY" => Some(String::new()),
            _ => None,
        }
    }

    #[test]
    fn variables_are_put_in_and_the_folder_before() {
        let at =
            |text| path(text, Scope { folder: Path::new("/etc/accrued"), env: &env, over: &Over::default() });
        assert_eq!(at("var"), Ok(PathBuf::from("/etc/accrued/var")));
        assert_eq!(at("${A}/x"), Ok(PathBuf::from("/a/x")));
        assert_eq!(at("x${B_2}y${B_2}"), Ok(PathBuf::from("/etc/accrued/xbyb")));
        assert_eq!(at("$A/x"), Ok(PathBuf::from("/etc/accrued/$A/x")));
        assert_eq!(
            path("var", Scope { folder: Path::new(""), env: &env, over: &Over::default() }),
            Ok(PathBuf::from("var"))
        );
    }

    #[test]
    fn what_cannot_be_put_in_is_said() {
        let at = |text| path(text, Scope { folder: Path::new(""), env: &env, over: &Over::default() });
        assert_eq!(at("${NONE}/x"), Err(PathFault::Unset("NONE".into())));
        assert_eq!(at("${EMPTY}/x"), Err(PathFault::Unset("EMPTY".into())));
        for text in ["${A", "${}", "${1A}", "${A B}", "~/x", "~", "a\nb"] {
            assert!(matches!(at(text), Err(PathFault::Wrong(_))), "{text}");
        }
    }
}
