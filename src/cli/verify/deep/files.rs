//! Two trees of published files, byte by byte.

use super::Proof;
use anyhow::{Context, Result};
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{BufReader, ErrorKind, Read};
use std::path::Path;

/// Read at once of each file.
const BUFFER: usize = 256 << 10;

/// Compares what stands below `root` in data_dir with what the replay has published there. Folders that wait to be placed,
/// and reject files of a run that has not finished, may be missing.
pub(super) fn compare(
    data_dir: &Path,
    replayed: &Path,
    root: &str,
    waiting: &BTreeSet<String>,
    unfinished: Option<i64>,
    proof: &mut Proof,
) -> Result<()> {
    let (here, there) = (names(data_dir, root)?, names(replayed, root)?);
    for name in here.union(&there) {
        if waiting.iter().any(|folder| name.starts_with(&format!("{folder}/"))) {
            continue;
        }
        match (here.contains(name), there.contains(name)) {
            (true, false) => proof.finds(name, "is not what the replay publishes"),
            (false, true) if unfinished.is_some() => {}
            (false, _) => proof.finds(name, "is missing: the replay publishes it"),
            (true, true) => {
                if let Some(at) = first_difference(&data_dir.join(name), &replayed.join(name))? {
                    proof.finds(name, format!("differs from what the replay publishes, from byte {at} on"));
                }
            }
        }
    }
    Ok(())
}

/// Every file below a folder, by its path from `base`.
fn names(base: &Path, root: &str) -> Result<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        let path = base.join(&folder);
        let entries = match fs::read_dir(&path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(error) => return Err(error).with_context(|| format!("cannot list {}", path.display())),
        };
        for entry in entries {
            let entry = entry?;
            let name = format!("{folder}/{}", entry.file_name().to_string_lossy());
            if entry.file_type()?.is_dir() {
                folders.push(name);
            } else {
                found.insert(name);
            }
        }
    }
    Ok(found)
}

/// The first byte (from 1) at which two files differ, or one of them ends.
fn first_difference(one: &Path, other: &Path) -> Result<Option<u64>> {
    let open = |path: &Path| {
        File::open(path)
            .map(|file| BufReader::with_capacity(BUFFER, file))
            .with_context(|| format!("cannot read {}", path.display()))
    };
    let (mut one, mut other) = (open(one)?.bytes(), open(other)?.bytes());
    let mut at = 0;
    loop {
        at += 1;
        match (one.next().transpose()?, other.next().transpose()?) {
            (None, None) => return Ok(None),
            (one, other) if one == other => {}
            (_, _) => return Ok(Some(at)),
        }
    }
}
