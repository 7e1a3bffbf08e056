//! `MANIFEST.csv`: what a published folder holds and what it rests on.
//!
//! Three columns throughout, so that any CSV reader takes it. First the folder's files, then the facts behind them, told
//! apart by a word and a colon, which no published file has in its name:
//!
//! | file | rows | sha256 |
//! | --- | --- | --- |
//! | `summary.csv` (path within the folder) | data rows, the header not counted | of the file's bytes |
//! | `ledger:last_entry` | number of the ledger's last entry, 0 for none | its chain hash |
//! | `scheme:ID` | | version of the scheme (SHA-256 of its canonical form) |
//! | `program:accrued 0.1.0` | | |
//! | `tzdata:2025b` | | |
//! | `source:NAME` | data rows of the source file, where known | of the bytes as fetched |
//!
//! The manifest's own SHA-256 names the folder's bytes as a whole.

use super::cell::{comma, end, header, plain, text};
use super::number::{integer, unsigned};

/// The name of a manifest in its folder.
pub const FILE_NAME: &str = "MANIFEST.csv";

const COLUMNS: [&str; 3] = ["file", "rows", "sha256"];
const LEDGER: &str = "ledger:last_entry";
const SCHEME: &str = "scheme:";
const PROGRAM: &str = "program:";
const TZDATA: &str = "tzdata:";
const SOURCE: &str = "source:";

/// A file of the folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// path within the folder, parts separated by `/`
    pub file: String,
    /// data rows
    pub rows: u64,
    /// lower-case hex
    pub sha256: String,
}

/// A file that a feed brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// its name on the feed
    pub name: String,
    /// data rows, where known
    pub rows: Option<u64>,
    /// lower-case hex
    pub sha256: String,
}

/// A manifest. Files and sources are written in the order given; callers keep to one order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// the folder's files, without the manifest itself
    pub files: Vec<Listed>,
    /// the ledger's last entry, 0 for none
    pub last_entry: i64,
    /// the ledger's chain hash, lower-case hex
    pub chain_hash: String,
    /// scheme id
    pub scheme: String,
    /// its version, lower-case hex
    pub scheme_version: String,
    /// `accrued 0.1.0`
    pub program: String,
    /// version of the time-zone data: `2025b`
    pub tzdata: String,
    /// what the folder rests on
    pub sources: Vec<Source>,
}

/// A manifest that cannot be read: it was changed by something else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManifestFault {
    /// line in the manifest, the header being 1
    pub line: u64,
    /// what is wrong
    pub reason: String,
}

impl std::fmt::Display for ManifestFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{FILE_NAME}:{}: {}", self.line, self.reason)
    }
}

impl std::error::Error for ManifestFault {}

/// The manifest's bytes.
pub fn render(out: &mut Vec<u8>, manifest: &Manifest) {
    header(out, COLUMNS);
    for file in &manifest.files {
        row(out, "", &file.file, Some(file.rows), &file.sha256);
    }
    plain(out, LEDGER);
    comma(out);
    integer(out, manifest.last_entry);
    comma(out);
    text(out, &manifest.chain_hash);
    end(out);
    row(out, SCHEME, &manifest.scheme, None, &manifest.scheme_version);
    row(out, PROGRAM, &manifest.program, None, "");
    row(out, TZDATA, &manifest.tzdata, None, "");
    for source in &manifest.sources {
        row(out, SOURCE, &source.name, source.rows, &source.sha256);
    }
}

fn row(out: &mut Vec<u8>, word: &str, name: &str, rows: Option<u64>, sha256: &str) {
    if word.is_empty() {
        text(out, name);
    } else {
        text(out, &format!("{word}{name}"));
    }
    comma(out);
    if let Some(rows) = rows {
        unsigned(out, rows);
    }
    comma(out);
    text(out, sha256);
    end(out);
}

/// Reads what [`render`] wrote.
///
/// # Errors
/// [`ManifestFault`] at the first line that is none of a manifest, or at the end where something is missing.
pub fn parse(bytes: &[u8]) -> Result<Manifest, ManifestFault> {
    let mut reader = csv::ReaderBuilder::new().from_reader(bytes);
    let found = reader.headers().map_err(|error| fault(1, error.to_string()))?;
    if found != COLUMNS.as_slice() {
        let found: Vec<&str> = found.iter().collect();
        return Err(fault(1, format!("expected columns {}, found {}", COLUMNS.join(","), found.join(","))));
    }
    let mut partial = Partial::default();
    let mut line = 1;
    for record in reader.records() {
        let record = record.map_err(|error| fault(line + 1, error.to_string()))?;
        line = record.position().map_or(line + 1, csv::Position::line);
        partial.take(&record).map_err(|reason| fault(line, reason))?;
    }
    partial.whole().map_err(|missing| fault(line, format!("{missing} is missing, the file ends here")))
}

fn fault(line: u64, reason: String) -> ManifestFault {
    ManifestFault { line, reason }
}

/// What was read so far.
#[derive(Default)]
struct Partial {
    files: Vec<Listed>,
    ledger: Option<(i64, String)>,
    scheme: Option<(String, String)>,
    program: Option<String>,
    tzdata: Option<String>,
    sources: Vec<Source>,
}

impl Partial {
    fn take(&mut self, record: &csv::StringRecord) -> Result<(), String> {
        let cell = |index| record.get(index).unwrap_or_default();
        let (name, rows, sha256) = (cell(0), cell(1), cell(2).to_owned());
        if name == LEDGER {
            self.ledger = Some((number(rows)?, sha256));
        } else if let Some(id) = name.strip_prefix(SCHEME) {
            self.scheme = Some((id.to_owned(), sha256));
        } else if let Some(version) = name.strip_prefix(PROGRAM) {
            self.program = Some(version.to_owned());
        } else if let Some(version) = name.strip_prefix(TZDATA) {
            self.tzdata = Some(version.to_owned());
        } else if let Some(source) = name.strip_prefix(SOURCE) {
            let rows = if rows.is_empty() { None } else { Some(number(rows)?) };
            self.sources.push(Source { name: source.to_owned(), rows, sha256 });
        } else {
            self.files.push(Listed { file: name.to_owned(), rows: number(rows)?, sha256 });
        }
        Ok(())
    }

    fn whole(self) -> Result<Manifest, &'static str> {
        let (last_entry, chain_hash) = self.ledger.ok_or(LEDGER)?;
        let (scheme, scheme_version) = self.scheme.ok_or(SCHEME)?;
        Ok(Manifest {
            files: self.files,
            last_entry,
            chain_hash,
            scheme,
            scheme_version,
            program: self.program.ok_or(PROGRAM)?,
            tzdata: self.tzdata.ok_or(TZDATA)?,
            sources: self.sources,
        })
    }
}

fn number<N: std::str::FromStr>(cell: &str) -> Result<N, String> {
    cell.parse().map_err(|_not| format!("rows is {cell:?}, expected a number"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Manifest {
        Manifest {
            files: vec![Listed { file: "summary.csv".into(), rows: 3, sha256: "ab".repeat(32) }],
            last_entry: 42,
            chain_hash: "cd".repeat(32),
            scheme: "lighting-retail".into(),
            scheme_version: "ef".repeat(32),
            program: "accrued 0.1.0".into(),
            tzdata: "2025b".into(),
            sources: vec![
                Source { name: "=north, \"04\".csv".into(), rows: Some(120), sha256: "01".repeat(32) },
                Source { name: "south.csv".into(), rows: None, sha256: "23".repeat(32) },
            ],
        }
    }

    fn bytes(manifest: &Manifest) -> Vec<u8> {
        let mut out = Vec::new();
        render(&mut out, manifest);
        out
    }

    #[test]
    fn lists_files_then_what_they_rest_on() {
        let golden = format!(
            "file,rows,sha256\n\
             summary.csv,3,{}\n\
             ledger:last_entry,42,{}\n\
             scheme:lighting-retail,,{}\n\
             program:accrued 0.1.0,,\n\
             tzdata:2025b,,\n\
             \"source:=north, \"\"04\"\".csv\",120,{}\n\
             source:south.csv,,{}\n",
            "ab".repeat(32),
            "cd".repeat(32),
            "ef".repeat(32),
            "01".repeat(32),
            "23".repeat(32)
        );
        assert_eq!(String::from_utf8(bytes(&sample())).unwrap(), golden);
    }

    #[test]
    fn reads_what_it_wrote() {
        assert_eq!(parse(&bytes(&sample())).unwrap(), sample());
    }

    #[test]
    fn says_where_a_manifest_was_changed() {
        let whole = String::from_utf8(bytes(&sample())).unwrap();
        for (changed, message) in [
            (
                whole.replacen("rows", "lines", 1),
                "MANIFEST.csv:1: expected columns file,rows,sha256, found file,lines,sha256",
            ),
            (whole.replacen(",3,", ",three,", 1), "MANIFEST.csv:2: rows is \"three\", expected a number"),
            (whole.replacen("tzdata:", "zone/", 1), "MANIFEST.csv:6: rows is \"\", expected a number"),
            (
                "file,rows,sha256\n".to_owned(),
                "MANIFEST.csv:1: ledger:last_entry is missing, the file ends here",
            ),
            (String::new(), "MANIFEST.csv:1: expected columns file,rows,sha256, found "),
        ] {
            assert_eq!(parse(changed.as_bytes()).unwrap_err().to_string(), message);
        }
        assert!(parse(b"file,rows,sha256\n\xff,1,x\n").is_err());
        assert!(parse(b"file,rows,sha256\na,1\n").is_err());
    }
}
