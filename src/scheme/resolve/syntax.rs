//! What is not TOML at all: its faults, and which others are only their echoes.

use crate::fault::Fault;
use std::ops::Range;

/// A fault for each place where the file is not TOML.
pub(super) fn faults(text: &str, broken: &[toml::de::Error]) -> Vec<Fault> {
    broken.iter().map(|error| fault(text, error)).collect()
}

fn fault(text: &str, error: &toml::de::Error) -> Fault {
    let span = error.span().unwrap_or(text.len()..text.len());
    let message = format!("not TOML: {}", error.message().trim_end_matches(", expected nothing"));
    let help = help(line(text, span.start), error.message());
    Fault::error(span, message, "cannot be read from here", help)
}

/// What a manager most likely meant on that line.
fn help(line: &str, message: &str) -> String {
    if message.contains("duplicate key") {
        return "it is written twice: keep one of the two".to_owned();
    }
    let Some((key, value)) = line.split_once('=') else {
        return "a line is `key = value`, `[section]`, `[[section]]` or a `# comment`".to_owned();
    };
    let (key, value) = (key.trim(), value.split('#').next().unwrap_or("").trim());
    if value.is_empty() {
        return format!("write a value after `{key} =`, or remove the line");
    }
    if value.starts_with(['"', '\'', '[', '{']) {
        return "look for a quote or a bracket that is not closed".to_owned();
    }
    format!("text, and numbers with a unit, stand in quotes: {key} = \"{value}\"")
}

/// Of the other faults, those that do not stand on a line that is not TOML.
pub(super) fn not_echoes(text: &str, syntax: &[Fault], others: Vec<Fault>) -> Vec<Fault> {
    let lines: Vec<Range<usize>> = syntax
        .iter()
        .filter_map(|fault| fault.span.as_ref())
        .map(|span| line_range(text, span.start))
        .collect();
    others
        .into_iter()
        .filter(|fault| match &fault.span {
            Some(span) => !lines.iter().any(|line| line.start <= span.start && span.start <= line.end),
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
