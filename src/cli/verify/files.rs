//! Every file ever taken is in the archive with the bytes it had, every reject file says what the store keeps, and the rows
//! of each file add up.

use super::{Proof, unfinished};
use crate::batch;
use crate::cli::summary::counted;
use crate::config::Config;
use crate::inbox::Archive;
use crate::outbox::check::file_sha256;
use crate::statement::name;
use crate::store::Store;
use crate::store::files::{FileRow, FileState};
use anyhow::Result;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

pub(super) fn prove(config: &Config, store: &Store) -> Result<Proof> {
    let mut proof = Proof::default();
    let archive = Archive::of(&config.data_dir);
    let mut archived: BTreeMap<String, FileRow> = BTreeMap::new();
    let mut with_rejects: BTreeMap<PathBuf, FileRow> = BTreeMap::new();
    for file in store.files(None)? {
        // a reject file is of the last reading of its bytes
        if file.counts.rejected > 0 {
            with_rejects.insert(reject_path(config, &file), file.clone());
        } else if file.state == FileState::Ingested {
            with_rejects.remove(&reject_path(config, &file));
        }
        archived.entry(file.arrival.sha256.clone()).or_insert(file);
    }
    let unfinished = unfinished(store)?;
    for (path, file) in &with_rejects {
        rejects(store, path, file, unfinished, &mut proof)?;
    }
    for (sha256, file) in &archived {
        let path = archive.path_of(sha256);
        let whose = || format!("{} of feed {}", file.arrival.name, file.arrival.feed);
        match file_sha256(&path)? {
            Some(found) if found == *sha256 => {}
            Some(found) => proof.finds(
                path.display().to_string(),
                format!("{} was changed: its SHA-256 is {found}", whose()),
            ),
            None => proof.finds(path.display().to_string(), format!("{} is missing", whose())),
        }
    }
    for (file, sidecar) in archived.values().filter_map(|file| Some((file, file.arrival.sidecar.as_ref()?))) {
        let path = archive.path_of(&sidecar.sha256);
        if file_sha256(&path)?.as_deref() != Some(sidecar.sha256.as_str()) {
            let how = format!(
                "{}, the control totals of {}, is missing or was changed",
                sidecar.name, file.arrival.name
            );
            proof.finds(path.display().to_string(), how);
        }
    }
    for how in store.miscounted_files()? {
        proof.finds("accrued.db", how);
    }
    proof.well = format!(
        "{} in the archive, {}",
        counted(archived.len() as u64, "file"),
        counted(with_rejects.len() as u64, "reject file")
    );
    Ok(proof)
}

fn reject_path(config: &Config, file: &FileRow) -> PathBuf {
    let name = name::reject_file(&file.arrival.name, &file.arrival.sha256);
    config.data_dir.join("rejects").join(&file.arrival.feed).join(name)
}

fn rejects(
    store: &Store,
    path: &Path,
    file: &FileRow,
    unfinished: Option<i64>,
    proof: &mut Proof,
) -> Result<()> {
    let wanted = batch::reject_bytes(store, &file.arrival.name, file.seq)?;
    let how = match std::fs::read(path) {
        Ok(found) if found == wanted => return Ok(()),
        Ok(_) => "was changed: it is not what the store keeps of these rejects",
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => "is missing",
        Err(error) => return Err(error.into()),
    };
    if unfinished == Some(file.run) {
        let path = path.display();
        proof.notes.push(format!("run {} has not finished: the next run writes {path}", file.run));
        return Ok(());
    }
    proof.finds(path.display().to_string(), how);
    Ok(())
}
