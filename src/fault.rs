//! A fault in a file that a person wrote (accrued.toml, a scheme): where it is, what is wrong, what to do. Pure.
//!
//! Every fault of a file is collected; rendering puts a caret under each (annotate-snippets).

use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use std::ops::Range;

/// How grave it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gravity {
    /// the file cannot be meant
    Error,
    /// likely a mistake
    Warning,
}

/// One fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// error or warning
    pub gravity: Gravity,
    /// what is wrong, lower case, no full stop: `the slab from 8 lakh overlaps the one before it`
    pub message: String,
    /// byte range of the fault in the text; `None` where something is missing altogether
    pub span: Option<Range<usize>>,
    /// what is written beside the caret: `starts here`
    pub label: String,
    /// a second place that disagrees, with its label
    pub other: Option<(Range<usize>, String)>,
    /// what to do next
    pub help: String,
    /// where `span` is, where that is not the file
    pub place: Option<Elsewhere>,
    /// likewise for `other`
    pub other_place: Option<Elsewhere>,
}

/// A text beside the file that a fault was found in: the value of a variable, of a flag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Elsewhere {
    /// what it is called: `ACCRUED_SCHEDULE_CRON`
    pub path: String,
    /// all of it
    pub text: String,
}

/// A text with its path and the faults found in it.
#[derive(Debug, Clone)]
pub struct Faults {
    /// as the user named it
    pub path: String,
    /// the whole text
    pub text: String,
    /// in order of position
    pub faults: Vec<Fault>,
}

impl Fault {
    /// Something that cannot be meant, at `span`.
    pub fn error(
        span: Range<usize>,
        message: impl Into<String>,
        label: impl Into<String>,
        help: impl Into<String>,
    ) -> Fault {
        Fault {
            gravity: Gravity::Error,
            message: message.into(),
            span: Some(span),
            label: label.into(),
            other: None,
            help: help.into(),
            place: None,
            other_place: None,
        }
    }

    /// Something that is likely a mistake, at `span`.
    pub fn warning(
        span: Range<usize>,
        message: impl Into<String>,
        label: impl Into<String>,
        help: impl Into<String>,
    ) -> Fault {
        Fault { gravity: Gravity::Warning, ..Fault::error(span, message, label, help) }
    }

    /// Something that is not in the file at all: no place to put a caret.
    pub fn missing(message: impl Into<String>, help: impl Into<String>) -> Fault {
        Fault { span: None, ..Fault::error(0..0, message, "", help) }
    }

    /// The same fault with a second place that disagrees.
    pub fn and(self, span: Range<usize>, label: impl Into<String>) -> Fault {
        Fault { other: Some((span, label.into())), ..self }
    }
}

impl Faults {
    /// Every fault with line, column, the line itself and a caret; plain text, or with colours.
    ///
    /// The same faults give the same bytes everywhere: the width of the terminal does not matter.
    /// Ends with a line break, unless there is no fault.
    pub fn render(&self, colour: bool) -> String {
        let renderer = if colour { Renderer::styled() } else { Renderer::plain() }.term_width(WIDTH);
        let mut out = String::new();
        for (index, fault) in self.faults.iter().enumerate() {
            if index > 0 {
                out.push('\n');
            }
            out.push_str(&renderer.render(&[self.group(fault)]));
            out.push('\n');
        }
        out
    }

    /// Puts faults in order of position: those of no place in the file last, ties as they were found.
    pub fn sort(&mut self) {
        let in_file = |fault: &Fault| fault.span.clone().filter(|_| fault.place.is_none());
        self.faults.sort_by_key(|fault| in_file(fault).map_or((true, 0), |span| (false, span.start)));
    }

    /// Whether any fault means that the file cannot be used.
    pub fn has_errors(&self) -> bool {
        self.faults.iter().any(|fault| match fault.gravity {
            Gravity::Error => true,
            Gravity::Warning => false,
        })
    }

    fn group<'f>(&'f self, fault: &'f Fault) -> Group<'f> {
        let level = match fault.gravity {
            Gravity::Error => Level::ERROR,
            Gravity::Warning => Level::WARNING,
        };
        let group = Group::with_title(level.primary_title(one_line(&fault.message)));
        let own = (self.path.as_str(), self.text.as_str());
        let named = |place: &'f Option<Elsewhere>| {
            place.as_ref().map_or(own, |place| (place.path.as_str(), place.text.as_str()))
        };
        let (here, there) = (named(&fault.place), named(&fault.other_place));
        let other = fault.other.as_ref().map(|(span, label)| (span, label.as_str()));
        let group = match &fault.span {
            Some(span) if here == there => group.element(snippet(here, (span, &fault.label), other)),
            Some(span) => {
                let group = group.element(snippet(here, (span, &fault.label), None));
                match other {
                    Some((span, label)) => group.element(context(there, span, label)),
                    None => group,
                }
            }
            None => group.element(Origin::path(one_line(here.0))),
        };
        if fault.help.is_empty() {
            return group;
        }
        group.element(Level::HELP.message(one_line(&fault.help)))
    }
}

/// A path and the text that is there.
type Named<'f> = (&'f str, &'f str);

/// The lines of the fault and of what is between its two places: the rest of a long file costs nothing.
fn snippet<'f>(
    (path, text): Named<'f>,
    (span, label): (&Range<usize>, &'f str),
    other: Option<(&Range<usize>, &'f str)>,
) -> Snippet<'f, Annotation<'f>> {
    let here = within(text, span);
    let there = other.map(|(other, label)| (within(text, other), label));
    let first = there.as_ref().map_or(here.start, |(other, _)| other.start.min(here.start));
    let last = there.as_ref().map_or(here.end, |(other, _)| other.end.max(here.end));
    let (from, lines) = lines(path, text, first..last);
    let within_lines = |span: &Range<usize>| span.start - from..span.end - from;
    let primary = AnnotationKind::Primary.span(within_lines(&here));
    let primary = if label.is_empty() { primary } else { primary.label(one_line(label)) };
    let snippet = lines.annotation(primary);
    match &there {
        Some((other, label)) => {
            snippet.annotation(AnnotationKind::Context.span(within_lines(other)).label(one_line(label)))
        }
        None => snippet,
    }
}

/// A second place, in another text.
fn context<'f>((path, text): Named<'f>, span: &Range<usize>, label: &'f str) -> Snippet<'f, Annotation<'f>> {
    let there = within(text, span);
    let (from, lines) = lines(path, text, there.clone());
    lines
        .annotation(AnnotationKind::Context.span(there.start - from..there.end - from).label(one_line(label)))
}

/// The whole lines around a place, and where they begin.
fn lines<'f>(path: &'f str, text: &'f str, place: Range<usize>) -> (usize, Snippet<'f, Annotation<'f>>) {
    let from = text[..place.start].rfind('\n').map_or(0, |before| before + 1);
    let to = text[place.end..].find('\n').map_or(text.len(), |length| place.end + length);
    let snippet = Snippet::source(&text[from..to])
        .line_start(1 + text[..from].bytes().filter(|&byte| byte == b'\n').count())
        .path(one_line(path));
    (from, snippet)
}

/// Columns of a rendered fault; fixed, so that the same fault is always the same text.
const WIDTH: usize = 140;

/// A span that can be drawn whatever it was: inside the text, on character boundaries, on one line.
fn within(text: &str, span: &Range<usize>) -> Range<usize> {
    let start = floor_boundary(text, span.start);
    let line_end = text[start..].find(['\n', '\r']).map_or(text.len(), |length| start + length);
    let end = floor_boundary(text, span.end).clamp(start, line_end);
    start..end
}

fn floor_boundary(text: &str, index: usize) -> usize {
    let index = index.min(text.len());
    (0..=index).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0)
}

/// Text of a person's file inside a message: control characters are shown, not obeyed.
fn one_line(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() {
            out.extend(c.escape_debug());
        } else {
            out.push(c);
        }
    }
    out
}

/// The known key nearest to an unknown one, if one is near enough to be meant: about one slip in three letters,
/// letter case and `-` for `_` being none. Of equally near ones the first.
pub fn nearest<'k>(unknown: &str, known: &[&'k str]) -> Option<&'k str> {
    let unknown = plain(unknown);
    let allowed = (unknown.chars().count() / 3).max(1);
    let mut best: Option<(usize, &'k str)> = None;
    for &candidate in known {
        let slips = strsim::damerau_levenshtein(&unknown, &plain(candidate));
        if slips <= allowed && best.is_none_or(|(fewest, _)| slips < fewest) {
            best = Some((slips, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

fn plain(key: &str) -> String {
    key.to_lowercase().replace(['-', ' '], "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(text: &str, faults: Vec<Fault>) -> Faults {
        Faults { path: "schemes/a.toml".into(), text: text.into(), faults }
    }

    #[test]
    fn shows_path_line_column_caret_label_second_place_and_help() {
        let text = "a = 1\nfrom = 9\nto = 8\n";
        let fault = Fault::error(13..14, "ends before it starts", "starts here", "swap them")
            .and(20..21, "ends here");
        let shown = faults(text, vec![fault]).render(false);
        assert_eq!(
            shown,
            "error: ends before it starts\n --> schemes/a.toml:2:8\n  |\n2 | from = 9\n  |        ^ starts here\n3 | to = 8\n  |      - ends here\n  |\n  = help: swap them\n"
        );
    }

    #[test]
    fn a_missing_thing_names_the_file_and_a_warning_says_so() {
        let mut missing = Fault::missing("no slab", "write one");
        missing.gravity = Gravity::Warning;
        let shown = faults("x = 1", vec![missing]).render(false);
        assert_eq!(shown, "warning: no slab\n--> schemes/a.toml\n = help: write one\n");
    }

    #[test]
    fn several_are_told_apart_by_a_blank_line_and_colours_only_add_escapes() {
        let both = faults(
            "x = 1\ny = 2\n",
            vec![Fault::error(6..7, "second", "", ""), Fault::error(0..1, "first", "", "")],
        );
        let mut sorted = both.clone();
        sorted.sort();
        assert_eq!(sorted.faults[0].message, "first");
        let plain = sorted.render(false);
        assert_eq!(plain.matches("error:").count(), 2);
        assert!(plain.contains("^\n\nerror: second"), "{plain}");
        let coloured = sorted.render(true);
        assert!(coloured.contains('\u{1b}'));
        assert_eq!(faults("", vec![]).render(false), "");
    }

    #[test]
    fn spans_that_cannot_be_drawn_do_no_harm() {
        for text in ["", "é", "a\r\nb", "\n\n", "\u{feff}x", "ta\tb = \u{7}"] {
            for start in 0..8 {
                for end in 0..8 {
                    let fault = Fault::error(start..end, "m\u{7}\nn", "l", "h").and(end..start, "o");
                    let shown = faults(text, vec![fault]).render(false);
                    assert!(shown.contains("m\\u{7}\\nn"), "{shown}");
                }
            }
        }
    }

    #[test]
    fn nearest_forgives_slips_case_and_dashes_only() {
        let known = ["from", "to", "rate", "points", "day_closes_at", "grace_days"];
        assert_eq!(nearest("form", &known), Some("from"));
        assert_eq!(nearest("Rate", &known), Some("rate"));
        assert_eq!(nearest("day-closes-at", &known), Some("day_closes_at"));
        assert_eq!(nearest("gracedays", &known), Some("grace_days"));
        assert_eq!(nearest("colour", &known), None);
        assert_eq!(nearest("", &known), None);
    }
}
