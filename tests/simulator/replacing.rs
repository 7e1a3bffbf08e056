//! Feeds whose newest file of a period speaks for it: the file of a month (or of a part of it) comes again, with some
//! documents gone, some revised and some new, and some moved to the file of another month or part.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::plan::{FilePlan, Row};
use super::rows::Maker;
use crate::random::often;

/// What the last file of each feed and name held, and what was left out of the files of each feed since, by name.
#[derive(Default)]
pub struct Standing {
    held: BTreeMap<(usize, String), Vec<Vec<Row>>>,
    left_out: BTreeMap<usize, Vec<(String, Vec<Row>)>>,
}

/// The files of replacing feeds that a run finds.
pub fn files(maker: &mut Maker, standing: &mut Standing, day: NaiveDate) -> Vec<FilePlan> {
    let replacing =
        |f: &usize| maker.feeds[*f].kind == "sales" && maker.feeds[*f].settings.contains("replace");
    let feeds: Vec<usize> = (0..maker.feeds.len()).filter(replacing).collect();
    let mut files: Vec<FilePlan> = vec![];
    for feed in feeds {
        // often only what was left out before comes, in the file of another month
        let moves = standing.left_out.get(&feed).is_some_and(|some| !some.is_empty()) && maker.r.below(3) > 0;
        let count = if moves { 1 } else { 1 + maker.r.below(often(2, 4)) };
        for _ in 0..count {
            let month = *maker.r.pick(&["2026-02", "2026-03", "2026-03"]);
            let month = if moves { "2026-04" } else { month };
            let name = match maker.feeds[feed].pattern {
                "{yyyy}-{mm}.csv" => format!("{month}.csv"),
                // of parts of the month, or of several files of it that contradict each other where they come in one run
                _ => format!("{month}-{}.csv", maker.r.pick(&["a", "a", "b"])),
            };
            if files.iter().any(|f| f.feed == feed && f.name == name) {
                continue;
            }
            let documents = file(maker, standing, (feed, name.clone()), day);
            files.push(FilePlan { feed, name, documents });
        }
    }
    files
}

fn file(maker: &mut Maker, standing: &mut Standing, key: (usize, String), day: NaiveDate) -> Vec<Vec<Row>> {
    let mut documents: Vec<Vec<Row>> = vec![];
    let left_out = standing.left_out.entry(key.0).or_default();
    if key.1.starts_with("2026-04") || maker.r.below(3) == 0 {
        // what other files of the feed said, in this run or an earlier one
        let elsewhere = left_out.extract_if(.., |(name, _)| *name != key.1);
        documents.extend(elsewhere.map(|(_, rows)| rows));
    }
    let moved = !documents.is_empty();
    let before = standing.held.get(&key).cloned().unwrap_or_default();
    let tries = if before.is_empty() { 8 } else { maker.r.below(4) };
    for rows in before {
        match maker.r.below(10) {
            0 | 1 if !moved => left_out.push((key.1.clone(), rows)),
            2 => documents.push(maker.revised_of(&rows)),
            _ => documents.push(rows),
        }
    }
    for _ in 0..tries {
        let back = chrono::Duration::days(*maker.r.pick(&[0, 2, 20, 40]));
        let document = maker.event(day - back);
        if document.feed == key.0 {
            documents.push(document.rows);
        }
    }
    standing.held.insert(key, documents.clone());
    documents
}
