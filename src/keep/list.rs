//! The two lists of a backup. `MANIFEST.csv` tells what the backup holds and of which state it is; `archive.csv` lists every
//! archived file that its store knows. Pure but for reading what `std` hands over.

use crate::store::Store;
use anyhow::{Context, Result, bail};
use std::collections::BTreeSet;

/// Name of the first.
pub(super) const MANIFEST: &str = "MANIFEST.csv";
/// Name of the second.
pub(super) const ARCHIVE_LIST: &str = "archive.csv";
/// Name of the store in a backup, as in data_dir.
pub(super) const STORE: &str = "accrued.db";

const LEDGER: &str = "ledger:last_entry";
const JOURNAL: &str = "journal:last_record";

/// `file, rows, bytes, sha256`: files of the backup, then what its store ends with and who made it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Manifest {
    /// in the order in which they are checked
    pub files: Vec<Listed>,
    /// last entry and its chain hash
    pub ledger: (i64, String),
    /// last record and its chain hash
    pub journal: (i64, String),
    /// the instant at which it was made
    pub at: String,
    /// `accrued 0.1.0`
    pub program: String,
    /// version of the time-zone data: `2025b`
    pub tzdata: String,
}

/// A file of a backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Listed {
    /// path in the backup
    pub file: String,
    /// its size
    pub bytes: u64,
    /// lower-case hex
    pub sha256: String,
}

/// An archived file under one of its names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Archived {
    /// lower-case hex
    pub sha256: String,
    /// bytes as stored
    pub size: u64,
    /// feed that brought it
    pub feed: String,
    /// its name there
    pub name: String,
}

impl Manifest {
    /// Its bytes.
    pub(super) fn render(&self) -> Result<Vec<u8>> {
        let mut out = csv::Writer::from_writer(Vec::new());
        out.write_record(["file", "number", "bytes", "sha256"])?;
        for file in &self.files {
            out.write_record([&file.file, "", &file.bytes.to_string(), &file.sha256])?;
        }
        out.write_record([LEDGER, &self.ledger.0.to_string(), "", &self.ledger.1])?;
        out.write_record([JOURNAL, &self.journal.0.to_string(), "", &self.journal.1])?;
        for (word, value) in [("taken", &self.at), ("program", &self.program), ("tzdata", &self.tzdata)] {
            out.write_record([&format!("{word}:{value}"), "", "", ""])?;
        }
        Ok(out.into_inner()?)
    }

    /// Reads what [`Manifest::render`] wrote.
    pub(super) fn parse(bytes: &[u8]) -> Result<Manifest> {
        let mut manifest = Manifest::default();
        let mut reader = csv::Reader::from_reader(bytes);
        if reader.headers()? != vec!["file", "number", "bytes", "sha256"] {
            bail!("it has other columns than file, number, bytes, sha256");
        }
        for row in reader.records() {
            let row = row?;
            let cell = |at: usize| row.get(at).unwrap_or_default();
            let number =
                |at: usize| cell(at).parse::<i64>().with_context(|| format!("{:?} is no number", cell(at)));
            match cell(0).split_once(':') {
                Some(("ledger", _)) => manifest.ledger = (number(1)?, cell(3).to_owned()),
                Some(("journal", _)) => manifest.journal = (number(1)?, cell(3).to_owned()),
                Some(("taken", at)) => manifest.at = at.to_owned(),
                Some(("program", program)) => manifest.program = program.to_owned(),
                Some(("tzdata", tzdata)) => manifest.tzdata = tzdata.to_owned(),
                Some(_) | None => manifest.files.push(Listed {
                    file: cell(0).to_owned(),
                    bytes: u64::try_from(number(2)?)?,
                    sha256: cell(3).to_owned(),
                }),
            }
        }
        if manifest.journal.1.is_empty() || manifest.tzdata.is_empty() {
            bail!("it ends too early");
        }
        Ok(manifest)
    }
}

/// Every archived file that a store knows, with each name under which it came, in the order taken.
pub(super) fn archived(store: &Store) -> Result<Vec<Archived>> {
    let mut seen = BTreeSet::new();
    let mut list = Vec::new();
    for file in store.files(None)? {
        let of = &file.arrival;
        let beside = of.sidecar.iter().map(|sidecar| (&sidecar.sha256, sidecar.size, &sidecar.name));
        for (sha256, size, name) in [(&of.sha256, of.size, &of.name)].into_iter().chain(beside) {
            let one = Archived { sha256: sha256.clone(), size, feed: of.feed.clone(), name: name.clone() };
            if seen.insert(one.clone()) {
                list.push(one);
            }
        }
    }
    Ok(list)
}

/// The list's bytes: `sha256, size, feed, name`.
pub(super) fn render(list: &[Archived]) -> Result<Vec<u8>> {
    let mut out = csv::Writer::from_writer(Vec::new());
    out.write_record(["sha256", "size", "feed", "name"])?;
    for one in list {
        out.write_record([&one.sha256, &one.size.to_string(), &one.feed, &one.name])?;
    }
    Ok(out.into_inner()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_is_read_as_it_was_written() {
        let manifest = Manifest {
            files: vec![
                Listed { file: STORE.to_owned(), bytes: 4096, sha256: "ab".repeat(32) },
                Listed { file: "statements/a,b/MANIFEST.csv".to_owned(), bytes: 7, sha256: "cd".repeat(32) },
            ],
            ledger: (3, "01".repeat(32)),
            journal: (18, "02".repeat(32)),
            at: "2026-07-06T00:00:00Z".to_owned(),
            program: "accrued 0.1.0".to_owned(),
            tzdata: "2025b".to_owned(),
        };
        let bytes = manifest.render().unwrap();
        assert_eq!(Manifest::parse(&bytes).unwrap(), manifest);
        let text = String::from_utf8(bytes).unwrap();
        assert!(text.contains("\nledger:last_entry,3,,0101"), "{text}");
        assert!(text.contains("\ntaken:2026-07-06T00:00:00Z,,,\n"), "{text}");
    }

    #[test]
    fn what_is_no_manifest_is_refused() {
        for bytes in
            [&b""[..], b"a,b\n", b"file,number,bytes,sha256\n", b"file,number,bytes,sha256\nx,,many,\n"]
        {
            assert!(Manifest::parse(bytes).is_err());
        }
    }
}
