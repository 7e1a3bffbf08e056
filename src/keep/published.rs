//! What stands of a published folder against what was published.

use crate::outbox::check::{self, Finding};
use crate::statement::manifest;
use crate::store::cycles::Publication;
use anyhow::{Context, Result};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Of one folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// every byte as it was published
    Whole,
    /// there is none
    Missing,
    /// other bytes
    Other {
        /// path within the folder
        file: String,
        /// SHA-256 as published
        published: String,
        /// SHA-256 now, or nothing where the file is gone
        found: Option<String>,
    },
}

/// Compares a publication with the folder below `root` (a data_dir, or what has its shape). Files that nobody published are not
/// looked for.
///
/// # Errors
/// The disk's.
pub fn standing(root: &Path, publication: &Publication) -> Result<Standing> {
    of_folder(&root.join(&publication.folder), &publication.manifest)
}

/// Likewise, of a folder wherever it is.
pub(super) fn of_folder(folder: &Path, wanted: &str) -> Result<Standing> {
    if folder.symlink_metadata().is_err() {
        return Ok(Standing::Missing);
    }
    let other = |file: &str, published: &str, found| Standing::Other {
        file: file.to_owned(),
        published: published.to_owned(),
        found,
    };
    let path = folder.join(manifest::FILE_NAME);
    let found = check::file_sha256(&path)?;
    if found.as_deref() != Some(wanted) {
        return Ok(other(manifest::FILE_NAME, wanted, found));
    }
    for finding in check::folder(folder, &files(folder)?)? {
        match finding {
            Finding::Missing { file } => return Ok(other(&file, "", None)),
            Finding::Changed { file, published, found } => return Ok(other(&file, &published, Some(found))),
            Finding::Extra { .. } => {}
        }
    }
    Ok(Standing::Whole)
}

/// The files that a folder's manifest lists, with their SHA-256; without the manifest.
pub(super) fn files(folder: &Path) -> Result<BTreeMap<String, String>> {
    let path = folder.join(manifest::FILE_NAME);
    let bytes = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let read = manifest::parse(&bytes).with_context(|| format!("in {}", folder.display()))?;
    Ok(read.files.into_iter().map(|file| (file.file, file.sha256)).collect())
}

/// Puts the files of a folder below another one, each the same file where that can be; the manifest last.
pub(super) fn same_folder(from: &Path, to: &Path) -> Result<()> {
    let listed = files(from)?;
    for file in listed.keys().map(String::as_str).chain([manifest::FILE_NAME]) {
        crate::outbox::parcel::same_file(&from.join(file), &to.join(file))?;
    }
    Ok(())
}
