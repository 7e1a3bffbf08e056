//! Feeds whose newest file of a period speaks for it: the file of a month (or of a part of it) comes again, with some
//! documents gone, some revised and some new, and some moved to the file of another month or part.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::plan::{FilePlan, Row};
use super::rows::Maker;
use crate::random::often;

/// What the last file of each feed and name held, and what was left out of files of each feed since.
#[derive(Default)]
pub struct Standing {
    held: BTreeMap<(usize, String), Vec<Vec<Row>>>,
    left_out: BTreeMap<usize, Vec<Vec<Row>>>,
}

/// The files of replacing feeds that a run finds.
pub fn files(maker: &mut Maker, standing: &mut Standing, day: NaiveDate) -> Vec<FilePlan> {
    let replacing =
        |f: &usize| maker.feeds[*f].kind == "sales" && maker.feeds[*f].settings.contains("replace");
    let feeds: Vec<usize> = (0..maker.feeds.len()).filter(replacing).collect();
    let mut files: Vec<FilePlan> = vec![];
    for feed in feeds {
        for _ in 0..1 + maker.r.below(often(2, 4)) {
            let month = *maker.r.pick(&["2026-02", "2026-03", "2026-03"]);
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
    // what another file of the feed said, in this run or an earlier one
    let left_out = standing.left_out.entry(key.0).or_default();
    if maker.r.below(2) == 0 {
        documents.append(left_out);
    }
    for rows in standing.held.get(&key).cloned().unwrap_or_default() {
        match maker.r.below(10) {
            0 | 1 => left_out.push(rows),
            2 => documents.push(maker.revised_of(&rows)),
            _ => documents.push(rows),
        }
    }
    for _ in 0..maker.r.below(4) {
        let back = chrono::Duration::days(*maker.r.pick(&[0, 2, 20, 40]));
        let document = maker.event(day - back);
        if document.feed == key.0 {
            documents.push(document.rows);
        }
    }
    standing.held.insert(key, documents.clone());
    documents
}
