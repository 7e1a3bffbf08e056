//! Every file ever taken is in the archive with the bytes it had, every reject file says what the store keeps, and the rows
//! of each file add up.

use super::Proof;
use crate::batch;
use crate::cli::summary::counted;
use crate::config::Config;
use crate::inbox::Archive;
use crate::outbox::check::file_sha256;
use crate::statement::name;
use crate::store::Store;
use crate::store::files::FileRow;
use anyhow::Result;
use std::collections::BTreeMap;

pub(super) fn prove(config: &Config, store: &Store) -> Result<Proof> {
    let mut proof = Proof::default();
    let archive = Archive::of(&config.data_dir);
    let mut archived: BTreeMap<String, FileRow> = BTreeMap::new();
    let mut reject_files = 0;
    for file in store.files(None)? {
        if file.counts.rejected > 0 {
            reject_files += 1;
            rejects(config, store, &file, &mut proof)?;
        }
        archived.entry(file.arrival.sha256.clone()).or_insert(file);
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
    for how in store.miscounted_files()? {
        proof.finds("accrued.db", how);
    }
    proof.well = format!(
        "{} in the archive, {}",
        counted(archived.len() as u64, "file"),
        counted(reject_files, "reject file")
    );
    Ok(proof)
}

fn rejects(config: &Config, store: &Store, file: &FileRow, proof: &mut Proof) -> Result<()> {
    let path = config
        .data_dir
        .join("rejects")
        .join(&file.arrival.feed)
        .join(name::reject_file(&file.arrival.name, &file.arrival.sha256));
    let wanted = batch::reject_bytes(store, &file.arrival.name, file.seq)?;
    let how = match std::fs::read(&path) {
        Ok(found) if found == wanted => return Ok(()),
        Ok(_) => "was changed: it is not what the store keeps of these rejects",
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => "is missing",
        Err(error) => return Err(error.into()),
    };
    proof.finds(path.display().to_string(), how);
    Ok(())
}
