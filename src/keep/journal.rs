//! The journal beside a lost store, read back: what was recorded after a backup, as far as the chain proves it.

use crate::batch::JOURNAL_FILE;
use crate::store::journal::Record;
use anyhow::{Context, Result, bail};
use std::fs::{self, File};
use std::io::{BufRead, BufReader, ErrorKind};
use std::path::{Path, PathBuf};

/// What the journals of a data_dir have beyond a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Tail {
    /// there is no journal
    Absent,
    /// none of them tells of this store
    Foreign,
    /// one goes on from the record, or ends with it
    After(Follows),
}

/// Records after one, each proved to follow the one before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Follows {
    path: PathBuf,
    after: i64,
    /// the last of them, and its hash
    pub last: (i64, String),
}

impl Tail {
    /// Of data_dir, beyond the record with that number and hash. Where a run has begun a store anew before anybody saw that the old one
    /// was lost, the old one's journal was set aside: the one that goes furthest is the one to go by.
    ///
    /// # Errors
    /// Where the chain breaks after that record: somebody has changed what is recorded.
    pub(super) fn read(data_dir: &Path, from: (i64, &str)) -> Result<Tail> {
        let mut furthest: Option<Follows> = None;
        let journals = journals(data_dir)?;
        for path in &journals {
            let Some(follows) = follow(path, from)? else { continue };
            if furthest.as_ref().is_none_or(|other| other.last.0 < follows.last.0) {
                furthest = Some(follows);
            }
        }
        Ok(match furthest {
            Some(follows) => Tail::After(follows),
            None if journals.is_empty() => Tail::Absent,
            None => Tail::Foreign,
        })
    }
}

/// `journal.jsonl`, and those that were set aside.
fn journals(data_dir: &Path) -> Result<Vec<PathBuf>> {
    let cannot = || format!("cannot list {}", data_dir.display());
    let mut found = Vec::new();
    for entry in fs::read_dir(data_dir).with_context(cannot)? {
        let entry = entry.with_context(cannot)?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name == JOURNAL_FILE || name.starts_with("journal.") && name.ends_with(".jsonl") {
            found.push(entry.path());
        }
    }
    found.sort();
    Ok(found)
}

/// What one journal has beyond a record; none where it does not have that record.
fn follow(path: &Path, (after, head): (i64, &str)) -> Result<Option<Follows>> {
    let mut last: Option<(i64, String)> = (after == 0).then(|| (0, head.to_owned()));
    each_line(path, &mut |line| {
        let Some(record) = Record::of_line(line) else {
            if last.is_some() {
                bail!("{} has a line that is no record after record {after}", path.display());
            }
            return Ok(());
        };
        match &mut last {
            None if record.seq == after && record.hash == head => last = Some((after, record.hash)),
            None => {}
            Some((seq, hash)) => {
                if record.seq != *seq + 1 || !record.follows(hash) {
                    bail!(
                        "{}: record {} does not follow record {seq}: it was changed since it was written; without it the backup is \
                         restored by --as-backed-up",
                        path.display(),
                        record.seq
                    );
                }
                *seq = record.seq;
                *hash = record.hash;
            }
        }
        Ok(())
    })?;
    Ok(last.map(|last| Follows { path: path.to_owned(), after, last }))
}

impl Follows {
    /// How many records there are.
    pub(super) fn count(&self) -> u64 {
        u64::try_from(self.last.0 - self.after).unwrap_or(0)
    }

    /// Walks them in order.
    pub(super) fn each(&self, take: &mut dyn FnMut(&Record) -> Result<()>) -> Result<()> {
        each_line(&self.path, &mut |line| match Record::of_line(line) {
            Some(record) if record.seq > self.after => take(&record),
            Some(_) | None => Ok(()),
        })
    }
}

/// Whole lines; one that was torn by the machine's end is none.
fn each_line(path: &Path, take: &mut dyn FnMut(&str) -> Result<()>) -> Result<()> {
    let cannot = || format!("cannot read {}", path.display());
    let mut lines = match File::open(path) {
        Ok(file) => BufReader::with_capacity(1 << 18, file),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error).with_context(cannot),
    };
    let mut line = Vec::new();
    loop {
        line.clear();
        lines.read_until(b'\n', &mut line).with_context(cannot)?;
        let Some(whole) = line.strip_suffix(b"\n") else { return Ok(()) };
        take(std::str::from_utf8(whole).unwrap_or_default())?;
    }
}
