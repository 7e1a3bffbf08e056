//! The journal beside a lost store, read back: what was recorded after a backup, as far as the chain proves it.

use crate::batch::JOURNAL_FILE;
use crate::store::journal::Record;
use anyhow::{Context, Result, bail};
use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind};
use std::path::{Path, PathBuf};

/// What `journal.jsonl` has beyond a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Tail {
    /// there is no such file
    Absent,
    /// it does not tell of this store, or of none of its records
    Foreign,
    /// it goes on, or ends with the record
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
    /// Of data_dir, beyond the record with that number and hash.
    ///
    /// # Errors
    /// Where the chain breaks after that record: somebody has changed what is recorded.
    pub(super) fn read(data_dir: &Path, (after, head): (i64, &str)) -> Result<Tail> {
        let path = data_dir.join(JOURNAL_FILE);
        let mut last: Option<(i64, String)> = (after == 0).then(|| (0, head.to_owned()));
        let mut is_there = false;
        each_line(&path, &mut |line| {
            is_there = true;
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
                            "{}: record {} does not follow record {seq}: it was changed since it was written; without it the backup \
                             is restored by --as-backed-up",
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
        Ok(match last {
            Some(last) if is_there => Tail::After(Follows { path, after, last }),
            Some(_) | None if !is_there => Tail::Absent,
            Some(_) | None => Tail::Foreign,
        })
    }
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
