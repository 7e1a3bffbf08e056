//! Feeds whose files must come, and the files that have nothing to say but that they came.

use chrono::{Datelike, Duration, NaiveDate};

use super::plan::{FeedPlan, FilePlan};
use crate::naive::names::{self, Named};
use crate::naive::{closing, settings};
use crate::random::{Random, often};

/// Of files that are named by month.
pub const BY_MONTH: &str = "{yyyy}-{mm}*.csv";
const BY_DAY: &str = "{yyyy}-{mm}-{dd}*.csv";
const MONTH_OF: &str = "{distributor}_{yyyy}-{mm}*.csv";
const DAY_OF: &str = "{distributor}_{yyyy}-{mm}-{dd}*.csv";

/// Distributors that come and go, around the ends of months.
const COME_AND_GO: [&str; 4] = [
    "\"D1\", \"D2\"",
    "\"D1\", { code = \"D2\", from = 2026-03-10, to = 2026-04-30 }",
    "{ code = \"D1\", to = 2026-02-28 }, { code = \"D2\", from = 2026-03-01 }",
    "{ code = \"D1\", from = 2026-01-31, to = 2026-03-31 }, { code = \"D2\", from = 2026-04-01, to = 2026-04-01 }",
];

/// Those of whom something is expected every day: not for long.
const BRIEFLY: &str = "{ code = \"D1\", from = 2026-03-29, to = 2026-04-02 }, { code = \"D2\", from = 2026-02-28, to = 2026-03-01 }";

/// At times a feed of sales expects files.
pub fn settings(r: &mut Random, pattern: &mut &'static str, settings: &mut String) {
    if !r.chance(often(30, 45)) {
        return;
    }
    let replaces = *pattern != "*.csv";
    let every =
        *r.pick(&["monthly", "monthly", "monthly", "quarterly", "quarterly", "quarterly", "weekly", "daily"]);
    let every = if replaces && matches!(every, "weekly" | "daily") { "monthly" } else { every };
    let several = !replaces && (every == "daily" || r.chance(40));
    if !replaces {
        *pattern = match (every, several) {
            ("weekly" | "daily", false) => BY_DAY,
            ("weekly" | "daily", true) => DAY_OF,
            (_, false) => BY_MONTH,
            (_, true) => MONTH_OF,
        };
    }
    if several {
        let distributors = if every == "daily" { BRIEFLY } else { r.pick(&COME_AND_GO) };
        *settings += &format!("distributors = [{distributors}]\n");
    }
    *settings += &format!("expected = \"{every}\"\n");
}

/// The month, or the day, by which a file of such a feed is named: mostly that of the run.
pub fn named(r: &mut Random, feed: &FeedPlan, day: NaiveDate, name: String) -> String {
    let distributor = r.pick(&["D1", "D2"]).to_string();
    let of = day - Duration::days(*r.pick(&[0, 0, 30, 60]));
    called(feed.pattern, of, &distributor).map_or(name.clone(), |begins| format!("{begins}-{name}"))
}

/// How the name of a file of that day begins; `None` where names do not tell days.
fn called(pattern: &str, day: NaiveDate, distributor: &str) -> Option<String> {
    let month = format!("{}-{:02}", day.year(), day.month());
    match pattern {
        BY_MONTH => Some(month),
        BY_DAY => Some(day.to_string()),
        MONTH_OF => Some(format!("{distributor}_{month}")),
        DAY_OF => Some(format!("{distributor}_{day}")),
        _ => None,
    }
}

/// Files for periods that nothing has come for since the first scheme began: mostly all of them, empty ones.
pub fn files(
    r: &mut Random,
    feeds: &[FeedPlan],
    begin: NaiveDate,
    day: NaiveDate,
    before: &[FilePlan],
) -> Vec<FilePlan> {
    let mut files = vec![];
    for (feed, plan) in feeds.iter().enumerate().filter(|(_, f)| f.settings.contains("expected")) {
        let come: Vec<Named> = before
            .iter()
            .filter(|f| f.feed == feed)
            .filter_map(|f| names::read(plan.pattern, &f.name))
            .collect();
        let told = &settings::feeds(&plan.config())[0];
        for period in closing::expected(&told.expected, begin, day) {
            let lasts = |d: &&settings::Distributor| d.from <= period.1 && period.0 <= d.to;
            let mut whose: Vec<Option<&str>> =
                told.distributors.iter().filter(lasts).map(|d| Some(d.code.as_str())).collect();
            if told.distributors.is_empty() {
                whose.push(None);
            }
            for whose in whose {
                let is_it = |named: &Named| {
                    named.distributor.as_deref() == whose
                        && named.period.is_some_and(|(from, to)| from <= period.1 && period.0 <= to)
                };
                if come.iter().any(is_it) || !r.chance(often(90, 75)) {
                    continue;
                }
                let begins = called(plan.pattern, period.0, whose.unwrap_or_default());
                let month = format!("{}-{:02}", period.0.year(), period.0.month());
                let name = match (begins, plan.pattern) {
                    (Some(begins), _) => format!("{begins}-a.csv"),
                    (None, "{yyyy}-{mm}.csv") => format!("{month}.csv"),
                    (None, _) => format!("{month}-a.csv"),
                };
                files.push(FilePlan { feed, name, documents: vec![] });
            }
        }
    }
    files
}
