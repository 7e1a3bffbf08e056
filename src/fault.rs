//! A fault in a file that a person wrote (accrued.toml, a scheme): where it is, what is wrong, what to do. Pure.
//!
//! Every fault of a file is collected; rendering puts a caret under each (annotate-snippets).

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

impl Faults {
    /// Every fault with line, column, the line itself and a caret; plain text, or with colours.
    pub fn render(&self, _colour: bool) -> String {
        todo!()
    }
}

/// The known key nearest to an unknown one, if one is near enough to be meant.
pub fn nearest<'k>(_unknown: &str, _known: &[&'k str]) -> Option<&'k str> {
    todo!()
}
