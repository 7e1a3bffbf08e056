//! Archived files that a restored store does not know, where no journal tells of them: the manifests of published folders tell their
//! names and their order, the config which feed has such names.

use super::list;
use crate::batch::{Arrived, Looked, Replay};
use crate::clock;
use crate::config::Config;
use crate::inbox::Archive;
use crate::statement::manifest;
use crate::store::Store;
use anyhow::{Context, Result};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// What is to be done about them.
#[derive(Debug, Default)]
pub(super) struct Unknown {
    /// files that can be taken again, in the order of the manifests
    pub takes: Vec<Arrived>,
    /// paths of the others, with what is known of them
    pub nameless: Vec<(PathBuf, String)>,
}

/// Looks through a data_dir's archive and published folders.
pub(super) fn find(config: &Config, store: &Store) -> Result<Unknown> {
    let known: BTreeSet<String> = list::archived(store)?.into_iter().map(|one| one.sha256).collect();
    let mut there = archived(&config.data_dir.join("archive"))?;
    there.retain(|sha256, _| !known.contains(sha256));
    let mut found = Unknown::default();
    let mut told = BTreeMap::new();
    for (name, sha256) in sources(&config.data_dir.join("statements"))? {
        if !there.contains_key(&sha256) {
            continue;
        }
        let feeds: Vec<&str> = config
            .feeds
            .iter()
            .filter(|feed| feed.source.pattern.matches(&name).is_some())
            .map(|feed| feed.name.as_str())
            .collect();
        match feeds.as_slice() {
            [feed] => {
                let size = there.remove(&sha256).unwrap_or(0);
                let feed = (*feed).to_owned();
                found.takes.push(Arrived {
                    feed,
                    name,
                    size,
                    mtime: None,
                    sha256,
                    sidecar: None,
                    judged_again: None,
                });
            }
            [] => drop(told.insert(sha256, format!("{name}, and no feed has such names"))),
            several => {
                drop(told.insert(sha256, format!("{name}, of one of the feeds {}", several.join(", "))))
            }
        }
    }
    let archive = Archive::of(&config.data_dir);
    for sha256 in there.into_keys() {
        let what = told.remove(&sha256).unwrap_or_else(|| "its name is told nowhere".to_owned());
        found.nameless.push((archive.path_of(&sha256), what));
    }
    Ok(found)
}

/// The run that takes them: as if it had found them at its feeds, in that order. That others may be missing keeps cycles open.
pub(super) fn replay(files: Vec<Arrived>) -> Replay {
    Replay {
        files,
        looked: Looked { all: false, ..Looked::default() },
        stuck: Vec::new(),
        pushes: Vec::new(),
        until: i64::MAX,
        program: env!("CARGO_PKG_VERSION").to_owned(),
        time_zone_data: clock::time_zone_data().to_owned(),
    }
}

/// SHA-256 and size of every file in an archive.
fn archived(root: &Path) -> Result<BTreeMap<String, u64>> {
    let mut found = BTreeMap::new();
    for folder in entries(root)? {
        for path in entries(&folder)? {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let is_hash = name.len() == 64 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
            if is_hash {
                let size =
                    fs::metadata(&path).with_context(|| format!("cannot look at {}", path.display()))?.len();
                found.insert(name, size);
            }
        }
    }
    Ok(found)
}

/// Names and SHA-256 of the files behind everything published, as the manifests tell them: by the ledger entry over which
/// they were written.
fn sources(statements: &Path) -> Result<Vec<(String, String)>> {
    let mut manifests = Vec::new();
    for scheme in entries(statements)? {
        for cycle in entries(&scheme)? {
            for folder in entries(&cycle)? {
                let Ok(bytes) = fs::read(folder.join(manifest::FILE_NAME)) else { continue };
                // one that cannot be read is verify's to tell
                let Ok(manifest) = manifest::parse(&bytes) else { continue };
                manifests.push((manifest.last_entry, folder, manifest.sources));
            }
        }
    }
    manifests.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
    let sources = manifests.into_iter().flat_map(|(_, _, sources)| sources);
    Ok(sources.map(|source| (source.name, source.sha256)).collect())
}

/// What is in a folder, by name; nothing where there is none.
fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let Ok(listed) = fs::read_dir(folder) else { return Ok(Vec::new()) };
    let mut paths = Vec::new();
    for entry in listed {
        paths.push(entry.with_context(|| format!("cannot list {}", folder.display()))?.path());
    }
    paths.sort();
    Ok(paths)
}
