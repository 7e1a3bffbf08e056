//! Makes a failing history small: leaves out a part at a time for as long as it still fails.

use std::time::{Duration, Instant};

use super::plan::History;

/// The smallest failing history found within three quarters of a minute, and how it fails.
pub fn smallest(
    history: History,
    failure: String,
    fails: impl Fn(&History, &str) -> Option<String>,
) -> (History, String) {
    let seconds = std::env::var("ACCRUED_SHRINK_SECONDS").ok().and_then(|text| text.parse().ok());
    let end = Instant::now() + Duration::from_secs(seconds.unwrap_or(45));
    let (mut best, mut how) = (history, failure);
    'again: loop {
        for smaller in smaller(&best) {
            if Instant::now() > end {
                return (best, how);
            }
            if let Some(failure) = fails(&smaller, &how) {
                (best, how) = (smaller, failure);
                continue 'again;
            }
        }
        return (best, how);
    }
}

/// Every history with one part less, the largest parts first.
fn smaller(history: &History) -> Vec<History> {
    let mut all = vec![];
    let mut try_one = |change: &dyn Fn(&mut History)| {
        let mut smaller = history.clone();
        change(&mut smaller);
        smaller
            .batches
            .iter_mut()
            .for_each(|b| b.files.retain(|f| f.documents.is_empty() || !f.documents.concat().is_empty()));
        all.push(smaller);
    };
    for batch in 0..history.batches.len() {
        if history.batches.len() > 1 {
            try_one(&|h| drop(h.batches.remove(batch)));
            if batch > 0 {
                try_one(&|h| {
                    let files = h.batches[batch - 1].files.split_off(0);
                    h.batches[batch].files.splice(0..0, files);
                    let acts = h.batches[batch - 1].acts.split_off(0);
                    h.batches[batch].acts.splice(0..0, acts);
                    h.batches.remove(batch - 1);
                });
            }
        }
        for act in 0..history.batches[batch].acts.len() {
            try_one(&|h| drop(h.batches[batch].acts.remove(act)));
        }
        for trouble in 0..history.batches[batch].troubles.len() {
            try_one(&|h| {
                h.batches[batch].troubles.remove(trouble);
            });
        }
        for file in 0..history.batches[batch].files.len() {
            try_one(&|h| drop(h.batches[batch].files.remove(file)));
        }
    }
    for scheme in 0..history.schemes.len() {
        if history.schemes.len() > 1 {
            try_one(&|h| drop(h.schemes.remove(scheme)));
        }
        for section in 0..history.schemes[scheme].sections.len() {
            try_one(&|h| drop(h.schemes[scheme].sections.remove(section)));
        }
    }
    for (b, batch) in history.batches.iter().enumerate() {
        for (f, file) in batch.files.iter().enumerate() {
            for (d, document) in file.documents.iter().enumerate() {
                try_one(&|h| drop(h.batches[b].files[f].documents.remove(d)));
                for row in 0..document.len() {
                    if document.len() > 1 {
                        try_one(&|h| drop(h.batches[b].files[f].documents[d].remove(row)));
                    }
                }
            }
        }
    }
    for feed in 0..history.feeds.len() {
        try_one(&|h| {
            h.feeds[feed].dialect = super::plan::Dialect::default();
        });
        try_one(&|h| h.feeds[feed].wrong = None);
    }
    all.retain(names_differ);
    all
}

/// Of two files of one name in one run only the later would be found.
fn names_differ(history: &History) -> bool {
    history.batches.iter().all(|batch| {
        let mut names: Vec<_> = batch.files.iter().map(|f| (f.feed, &f.name)).collect();
        names.sort();
        names.windows(2).all(|pair| pair[0] != pair[1])
    })
}
