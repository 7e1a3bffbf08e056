//! What a published folder holds against what it should hold, for `accrued verify statements`.

use super::fault::OutboxFault;
use crate::domain::chain;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::path::Path;

/// A file that is not as it was published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// it is gone
    Missing {
        /// path within the folder
        file: String,
    },
    /// its bytes were changed
    Changed {
        /// path within the folder
        file: String,
        /// SHA-256 as published
        published: String,
        /// SHA-256 now
        found: String,
    },
    /// nobody published it
    Extra {
        /// path within the folder
        file: String,
    },
}

/// Compares a folder with the files that it should hold (path within the folder -> SHA-256), the manifest among them.
/// Findings are in order of file.
///
/// # Errors
/// The disk's, where something cannot be read that is there.
pub fn folder(path: &Path, expected: &BTreeMap<String, String>) -> Result<Vec<Finding>, OutboxFault> {
    let mut findings = BTreeMap::new();
    for (file, published) in expected {
        match file_sha256(&path.join(file))? {
            None => drop(findings.insert(file.clone(), Finding::Missing { file: file.clone() })),
            Some(found) if found == *published => {}
            Some(found) => {
                let (file, published) = (file.clone(), published.clone());
                findings.insert(file.clone(), Finding::Changed { file, published, found });
            }
        }
    }
    list(path, "", &mut |file| {
        if !expected.contains_key(&file) {
            findings.insert(file.clone(), Finding::Extra { file });
        }
    })?;
    Ok(findings.into_values().collect())
}

/// SHA-256 of a file, lower-case hex; `None` where there is none.
///
/// # Errors
/// The disk's, where something cannot be read that is there.
pub fn file_sha256(path: &Path) -> Result<Option<String>, OutboxFault> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(error) => return Err(OutboxFault::disk("read", path)(error)),
    };
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 256 << 10];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(Some(chain::hex(&hasher.finalize()))),
            Ok(read) => hasher.update(&buffer[..read]),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(OutboxFault::disk("read", path)(error)),
        }
    }
}

fn list(root: &Path, inner: &str, found: &mut dyn FnMut(String)) -> Result<(), OutboxFault> {
    let folder = root.join(inner);
    let entries = match fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(OutboxFault::disk("list", &folder)(error)),
    };
    for entry in entries {
        let entry = entry.map_err(OutboxFault::disk("list", &folder))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let file = if inner.is_empty() { name } else { format!("{inner}/{name}") };
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            list(root, &file, found)?;
        } else {
            found(file);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::staged::sha256;
    use super::*;

    #[test]
    fn finds_what_is_gone_changed_and_added() {
        let data = tempfile::tempdir().unwrap();
        let expected: BTreeMap<String, String> = ["a.csv", "b.csv", "partners/c.csv"]
            .map(|file| (file.to_owned(), sha256(file.as_bytes())))
            .into();
        fs::create_dir(data.path().join("partners")).unwrap();
        for file in expected.keys() {
            fs::write(data.path().join(file), file).unwrap();
        }
        assert_eq!(folder(data.path(), &expected).unwrap(), []);
        fs::write(data.path().join("b.csv"), "other").unwrap();
        fs::remove_file(data.path().join("partners/c.csv")).unwrap();
        fs::write(data.path().join("partners/d.csv"), "").unwrap();
        let (b, c, d) = ("b.csv".to_owned(), "partners/c.csv".to_owned(), "partners/d.csv".to_owned());
        assert_eq!(
            folder(data.path(), &expected).unwrap(),
            [
                Finding::Changed {
                    file: b.clone(),
                    published: sha256(b.as_bytes()),
                    found: sha256(b"other")
                },
                Finding::Missing { file: c },
                Finding::Extra { file: d },
            ]
        );
    }

    #[test]
    fn a_folder_that_is_gone_misses_everything() {
        let data = tempfile::tempdir().unwrap();
        let expected = BTreeMap::from([("a.csv".to_owned(), sha256(b""))]);
        let findings = folder(&data.path().join("none"), &expected).unwrap();
        assert_eq!(findings, [Finding::Missing { file: "a.csv".to_owned() }]);
    }
}
