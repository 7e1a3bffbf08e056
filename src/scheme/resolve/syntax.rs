//! What is not TOML at all: its faults, and which others are only their echoes.
//!
//! The parser goes on after an error and stumbles again over what follows from it; a person is told the cause, once a line.

use crate::fault::Fault;
use std::ops::Range;

/// Sections of which there can be several: written `[[slab]]`.
const LISTS: [&str; 5] = ["slab", "multiplier", "tier_bonus", "tier_level", "example"];

/// A fault for each place where the file is not TOML, and of the `others` those that are no echo of one.
pub(super) fn with_others(text: &str, broken: &[toml::de::Error], others: Vec<Fault>) -> Vec<Fault> {
    let open =
        broken.iter().any(|error| is_unclosed_value(error.message())).then(|| open_bracket(text)).flatten();
    let mut faults = faults(text, broken, open);
    let others = not_echoes(text, &faults, others, open.unwrap_or(text.len()));
    faults.extend(others);
    faults
}

fn faults(text: &str, broken: &[toml::de::Error], open: Option<usize>) -> Vec<Fault> {
    let mut faults: Vec<Fault> = Vec::new();
    let mut told: Option<Range<usize>> = None;
    let mut under_twin_header = false;
    let mut after_open_header = false;
    for error in broken {
        let at = error.span().map_or(text.len(), |span| span.start);
        if open.is_some_and(|open| at >= open) {
            break;
        }
        let lines = line_range(text, at);
        let is_twin = error.message().contains("duplicate key");
        let is_header = line(text, at).trim_start().starts_with('[');
        after_open_header |=
            error.message().contains("unclosed table") || error.message().contains("unclosed array table");
        let echo = (is_twin && after_open_header)
            || told.as_ref() == Some(&lines)
            || (is_twin && !is_header && under_twin_header);
        under_twin_header = if is_twin { under_twin_header || is_header } else { false };
        if !echo {
            faults.push(fault(text, error));
        }
        told = Some(lines);
    }
    faults.extend(open.map(unclosed));
    faults
}

fn is_unclosed_value(message: &str) -> bool {
    message.contains("unclosed array,")
        || message.contains("unclosed inline table")
        || message == "unclosed array"
}

fn unclosed(open: usize) -> Fault {
    let message = "not TOML: a bracket is opened here and never closed";
    Fault::error(
        open..open + 1,
        message,
        "opened here",
        "close it with `]` or `}` before the next line begins",
    )
}

fn fault(text: &str, error: &toml::de::Error) -> Fault {
    let span = error.span().unwrap_or(text.len()..text.len());
    let message = format!("not TOML: {}", error.message().trim_end_matches(", expected nothing"));
    let help = help(line(text, span.start), error.message());
    Fault::error(span, message, "cannot be read from here", help)
}

/// What a manager most likely meant on that line.
fn help(line: &str, message: &str) -> String {
    let header = line.trim().trim_start_matches('[').split(']').next().unwrap_or("").trim();
    if line.trim_start().starts_with('[') {
        return match LISTS.contains(&header) {
            true if line.trim_start().starts_with("[[") => {
                format!("further up it is written [{header}]: write double brackets there as well")
            }
            true => format!("write [[{header}]], with double brackets: there can be several"),
            false if message.contains("duplicate key") => {
                format!("[{header}] is written twice: put its keys together")
            }
            false => "a section is written [name], one of several [[name]]".to_owned(),
        };
    }
    if message.contains("duplicate key") {
        return "it is written twice: keep one of the two".to_owned();
    }
    match line.split_once('=') {
        Some((key, value)) => {
            help_for_value(key.trim(), value.split('#').next().unwrap_or("").trim(), message)
        }
        None => "a line is `key = value`, `[section]`, `[[section]]` or a `# comment`".to_owned(),
    }
}

fn help_for_value(key: &str, value: &str, message: &str) -> String {
    if value.is_empty() {
        return format!("write a value after `{key} =`, or remove the line");
    }
    if message.contains("date") && value.starts_with(|c: char| c.is_ascii_digit()) {
        return format!("write a day of the calendar as year-month-day: {key} = 2026-04-01");
    }
    if value.starts_with(['"', '\'', '[', '{']) {
        return "look for a quote or a bracket that is not closed, or a comma that is missing".to_owned();
    }
    let bare = value.trim_matches(['“', '”', '„', '‘', '’', '"', '\'']);
    format!("text, and numbers with a unit, stand in straight quotes: {key} = \"{bare}\"")
}

/// Where the bracket stands that was still open when a new line of the file began, or the file ended.
fn open_bracket(text: &str) -> Option<usize> {
    let mut open: Vec<usize> = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        if !open.is_empty() && begins_anew(line) {
            break;
        }
        if !(open.is_empty() && line.trim_start().starts_with('[')) {
            brackets(line, start, &mut open);
        }
        start += line.len();
    }
    open.last().copied()
}

/// Whether a line is a header, or a key at its very beginning, as none is inside a list.
fn begins_anew(line: &str) -> bool {
    let key = line.split('=').next().unwrap_or("").trim_end();
    let is_key = line.contains('=')
        && !key.is_empty()
        && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let name = line.trim_start_matches('[').split(']').next().unwrap_or("");
    let is_header = line.starts_with('[')
        && !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    is_key || is_header
}

/// The brackets of one line outside quotes and comments.
fn brackets(line: &str, start: usize, open: &mut Vec<usize>) {
    let mut quote: Option<char> = None;
    let mut escaped = false;
    for (at, c) in line.char_indices() {
        match quote {
            Some('"') if escaped => escaped = false,
            Some('"') if c == '\\' => escaped = true,
            Some(mark) if c == mark => quote = None,
            Some(_) => {}
            None => match c {
                '#' => return,
                '"' | '\'' => quote = Some(c),
                '[' | '{' => open.push(start + at),
                ']' | '}' => {
                    open.pop();
                }
                _ => {}
            },
        }
    }
}

/// Of the other faults, those that stand neither on a line that is not TOML nor after a bracket that is never closed.
fn not_echoes(text: &str, syntax: &[Fault], others: Vec<Fault>, until: usize) -> Vec<Fault> {
    let lines: Vec<Range<usize>> = syntax
        .iter()
        .filter_map(|fault| fault.span.as_ref())
        .map(|span| line_range(text, span.start))
        .collect();
    others
        .into_iter()
        .filter(|fault| match &fault.span {
            Some(span) => {
                span.start < until
                    && !lines.iter().any(|line| line.start <= span.start && span.start <= line.end)
            }
            None => false,
        })
        .collect()
}

fn line(text: &str, at: usize) -> &str {
    text.get(line_range(text, at)).unwrap_or("")
}

fn line_range(text: &str, at: usize) -> Range<usize> {
    let bytes = text.as_bytes();
    let at = at.min(bytes.len());
    let start = bytes[..at].iter().rposition(|&byte| byte == b'\n').map_or(0, |before| before + 1);
    let end = bytes[at..].iter().position(|&byte| byte == b'\n').map_or(bytes.len(), |after| at + after);
    start..end
}
