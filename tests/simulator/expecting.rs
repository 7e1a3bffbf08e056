//! Feeds whose files must come, and the files that have nothing to say but that they came.

use std::collections::BTreeSet;

use chrono::{Datelike, Months, NaiveDate};

use super::plan::{FeedPlan, FilePlan};
use crate::random::Random;

/// Of files that are named by month.
pub const BY_MONTH: &str = "{yyyy}-{mm}*.csv";

/// At times a feed of sales expects files.
pub fn settings(r: &mut Random, pattern: &mut &'static str, settings: &mut String) {
    if !r.chance(30) {
        return;
    }
    if *pattern == "*.csv" {
        *pattern = BY_MONTH;
    }
    *settings += &format!("expected = \"{}\"\n", r.pick(&["monthly", "quarterly", "quarterly"]));
}

/// The month by which a file of such a feed is named: mostly that of the run.
pub fn named(r: &mut Random, feed: &FeedPlan, day: NaiveDate, name: String) -> String {
    if feed.pattern != BY_MONTH {
        return name;
    }
    let month = day - Months::new(*r.pick(&[0, 0, 1, 2]));
    format!("{}-{:02}-{name}", month.year(), month.month())
}

/// Files for months that nothing has come for since the first scheme began: mostly all of them, empty ones.
pub fn files(
    r: &mut Random,
    feeds: &[FeedPlan],
    begin: NaiveDate,
    day: NaiveDate,
    before: &[FilePlan],
) -> Vec<FilePlan> {
    let mut files = vec![];
    for (feed, plan) in feeds.iter().enumerate().filter(|(_, f)| f.settings.contains("expected")) {
        let come: BTreeSet<&str> =
            before.iter().filter(|f| f.feed == feed).filter_map(|f| f.name.get(..7)).collect();
        let every = if plan.settings.contains("quarterly") { 3 } else { 1 };
        let mut month = begin;
        while month <= day {
            let begins = format!("{}-{:02}", month.year(), month.month());
            if !come.contains(begins.as_str()) && r.chance(90) {
                let name = match plan.pattern {
                    "{yyyy}-{mm}.csv" => format!("{begins}.csv"),
                    _ => format!("{begins}-a.csv"),
                };
                files.push(FilePlan { feed, name, documents: vec![] });
            }
            month = month + Months::new(every);
        }
    }
    files
}
