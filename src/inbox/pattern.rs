//! `files = "sales_north_{yyyy}-{mm}*.csv"`: globs and period placeholders. Pure.

use chrono::NaiveDate;

/// A checked `files` pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    /// as written
    pub text: String,
}

/// What a name says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Named {
    /// first and last day of the period: a day, month, quarter or year by the placeholders it has
    pub period: Option<(NaiveDate, NaiveDate)>,
    /// `{part}`
    pub part: Option<String>,
    /// `{distributor}`
    pub distributor: Option<String>,
}

impl Pattern {
    /// What the name says of itself, if it is one of the feed's; `None` if not.
    pub fn matches(&self, _name: &str) -> Option<Named> {
        todo!()
    }
}
