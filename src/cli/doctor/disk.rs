//! The disk under data_dir: room for a run, leave to write, and one file system for what is staged and what is published.

use super::store::needed;
use super::{Findings, MayBe, size};
use crate::batch::Places;
use crate::cli::exit::Exit;
use crate::config::Config;
use crate::outbox::space::{Space, space, writable};
use anyhow::Result;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

pub(super) fn look(config: &Config, store: MayBe<'_>, findings: &mut Findings) -> Result<()> {
    let folder = standing(&config.data_dir);
    match space(&folder) {
        Ok(space) => room(&folder, space, needed(store), findings),
        Err(fault) => {
            let finding = format!("{} cannot be looked at: {fault}", folder.display());
            findings.bad(
                "disk",
                Exit::Failed,
                finding,
                "mend data_dir, or the permissions of the folders above it",
            );
        }
    }
    may_write(config, &folder, findings);
    one_file_system(config, findings);
    Ok(())
}

/// The folder itself, or the nearest above it that is there.
fn standing(folder: &Path) -> PathBuf {
    let whole = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    whole.ancestors().find(|above| above.exists()).map_or(whole.clone(), Path::to_owned)
}

fn room(folder: &Path, space: Space, needed: u64, findings: &mut Findings) {
    let finding = format!(
        "{} free of {} under {}; a run may need {}",
        size(space.free),
        size(space.total),
        folder.display(),
        size(needed)
    );
    let remedy = "make room, or move data_dir to a larger disk";
    if space.read_only {
        let finding = format!("{} is on a file system that is mounted read-only", folder.display());
        return findings.bad(
            "disk",
            Exit::Failed,
            finding,
            "see why (dmesg), then mount it read-write: mount -o remount,rw",
        );
    }
    if space.files_free == Some(0) {
        return findings.bad(
            "disk",
            Exit::Failed,
            format!("{finding}; no further file can be made (inodes)"),
            remedy,
        );
    }
    match space.free {
        free if free < needed => findings.bad("disk", Exit::Failed, finding, remedy),
        free if free < needed.saturating_mul(4) => findings.warn("disk", finding, remedy),
        _ => findings.ok("disk", finding),
    }
}

/// Whether runs of this user can write. Who only reads is told so: what another user may do is not seen from here.
fn may_write(config: &Config, folder: &Path, findings: &mut Findings) {
    let places = Places::of(config);
    let all = [&places.data, &places.staging, &places.scratch, &places.statements, &places.rejects];
    let refused = all
        .into_iter()
        .filter(|place| place.exists())
        .find_map(|place| Some((place, writable(place).err()?)));
    let above = (!places.data.exists()).then(|| writable(folder).err()).flatten();
    let shown = config.data_dir.display();
    let us = nix::unistd::geteuid().as_raw();
    let owner = std::fs::metadata(places.data.join("accrued.db")).map(|found| found.uid()).ok();
    match (refused, above, owner) {
        (Some((place, fault)), _, Some(owner)) if owner != us => {
            let finding = format!(
                "{} is for reading to this user ({fault}); the store belongs to uid {owner}",
                place.display()
            );
            findings.warn(
                "data_dir",
                finding,
                format!("to see what its runs may do: sudo -u '#{owner}' accrued doctor"),
            );
        }
        (Some((place, fault)), _, _) => {
            let finding = format!("{} cannot be written to: {fault}", place.display());
            let remedy = match fault.kind() {
                ErrorKind::ReadOnlyFilesystem => "mount it read-write".to_owned(),
                _ => format!("chown {us} {0}, or chmod u+rwx {0}", place.display()),
            };
            findings.bad("data_dir", Exit::Failed, finding, remedy);
        }
        (None, Some(fault), _) => {
            let finding =
                format!("{shown} is not there, and {} cannot be written to: {fault}", folder.display());
            findings.bad("data_dir", Exit::Failed, finding, format!("make {shown} and give it to uid {us}"));
        }
        (None, None, Some(owner)) if owner != us => {
            let finding = format!(
                "{shown} can be written to, but its store belongs to uid {owner}, and this is uid {us}"
            );
            findings.warn(
                "data_dir",
                finding,
                format!("run accrued as that user: sudo -u '#{owner}' accrued ..."),
            );
        }
        (None, None, _) => findings.ok("data_dir", format!("{shown} can be written to")),
    }
}

/// Folders are staged whole and appear by one rename, which does not go from one file system to another.
fn one_file_system(config: &Config, findings: &mut Findings) {
    let places = Places::of(config);
    let device = |place: &Path| std::fs::metadata(place).map(|found| found.dev()).ok();
    let Some(staging) = device(&places.staging) else { return };
    let archive = places.data.join("archive");
    for place in [&places.statements, &places.rejects, &archive] {
        if device(place).is_some_and(|other| other != staging) {
            let finding = format!(
                "{} and {} are on different file systems: nothing can be renamed from one to the other",
                places.staging.display(),
                place.display()
            );
            let remedy = format!("keep all of {} on one file system", places.data.display());
            findings.bad("file systems", Exit::Failed, finding, remedy);
        }
    }
}
