//! Staged folders to their published places, by rename. Every step may be repeated after a crash at any instant.
//!
//! What tells one folder's bytes from another's is the SHA-256 of its manifest, which the store has recorded.

use super::check;
use super::fault::OutboxFault;
use super::folder::{self, Exchanged};
use super::staged::{MANIFEST, Sealed, sha256};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// What became of a staged folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placed {
    /// it is in place now
    Now,
    /// it was in place before
    Already,
    /// neither staged nor in place: it must be rendered again
    Missing,
}

/// Places a folder that never changes afterwards (`rev-001/`, `statement/`).
///
/// # Errors
/// [`OutboxFault::Differs`] where a folder with other bytes stands there; the disk's.
pub fn place(sealed: &Sealed, target: &Path) -> Result<Placed, OutboxFault> {
    let staged = whole(sealed)?;
    match manifest(target)? {
        Standing::Nothing => match staged {
            Stage::Whole => put_in_place(&sealed.folder, target),
            Stage::Unusable => Ok(Placed::Missing),
        },
        Standing::Manifest(found) if found == sealed.manifest_sha256 => {
            if staged == Stage::Whole {
                same_bytes(&sealed.folder, target, "")?;
            }
            folder::remove(&sealed.folder)?;
            Ok(Placed::Already)
        }
        Standing::Manifest(found) => Err(differs(sealed, target, format!("SHA-256 {found}"))),
        Standing::NoManifest => Err(differs(sealed, target, "nothing".to_owned())),
    }
}

/// Replaces a folder as a whole (`current/`): a reader finds the old one or the new one, never a half one.
///
/// On a file system that cannot exchange two names in one step there is an instant at which a reader finds none.
///
/// # Errors
/// The disk's.
pub fn replace(sealed: &Sealed, target: &Path) -> Result<Placed, OutboxFault> {
    match manifest(target)? {
        Standing::Manifest(found) if found == sealed.manifest_sha256 => {
            // what is staged is the folder replaced by an earlier run that was killed, or the same once more
            folder::remove(&sealed.folder)?;
            return Ok(Placed::Already);
        }
        Standing::Nothing | Standing::Manifest(_) | Standing::NoManifest => {}
    }
    match whole(sealed)? {
        Stage::Unusable => Ok(Placed::Missing),
        Stage::Whole if target.exists() => swap(&sealed.folder, target),
        Stage::Whole => put_in_place(&sealed.folder, target),
    }
}

/// Takes a published folder away in one step (`current/` of a cycle that has closed). Fine if there is none.
/// `unique` names it in `staging` until it is removed.
///
/// # Errors
/// The disk's.
pub fn take_away(target: &Path, staging: &Path, unique: &str) -> Result<(), OutboxFault> {
    if !target.exists() {
        return Ok(());
    }
    let away = staging.join(unique);
    folder::remove(&away)?;
    folder::make(staging)?;
    folder::rename(target, &away)?;
    folder::remove(&away)
}

fn put_in_place(staged: &Path, target: &Path) -> Result<Placed, OutboxFault> {
    if let Some(parent) = target.parent() {
        folder::make(parent)?;
    }
    folder::rename(staged, target)?;
    Ok(Placed::Now)
}

fn swap(staged: &Path, target: &Path) -> Result<Placed, OutboxFault> {
    match folder::exchange(staged, target)? {
        Exchanged::Yes => folder::remove(staged)?,
        Exchanged::Unsupported => {
            let old = beside(staged);
            folder::remove(&old)?;
            folder::rename(target, &old)?;
            // killed here: nothing stands, and the next run puts the staged folder in place
            folder::rename(staged, target)?;
            folder::remove(&old)?;
        }
    }
    Ok(Placed::Now)
}

fn beside(staged: &Path) -> PathBuf {
    let mut name = staged.file_name().unwrap_or_default().to_owned();
    name.push(".old");
    staged.with_file_name(name)
}

/// What stands at a path.
#[derive(Debug, PartialEq, Eq)]
enum Standing {
    Nothing,
    /// a folder, by the SHA-256 of its manifest
    Manifest(String),
    /// something that is no published folder
    NoManifest,
}

fn manifest(folder: &Path) -> Result<Standing, OutboxFault> {
    let path = folder.join(MANIFEST);
    match fs::read(&path) {
        Ok(bytes) => Ok(Standing::Manifest(sha256(&bytes))),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            // a broken symbolic link stands there too
            let stands = folder.symlink_metadata().is_ok();
            Ok(if stands { Standing::NoManifest } else { Standing::Nothing })
        }
        Err(error) => Err(OutboxFault::disk("read", &path)(error)),
    }
}

/// Whether what is staged is the folder that was sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Whole,
    Unusable,
}

fn whole(sealed: &Sealed) -> Result<Stage, OutboxFault> {
    Ok(match manifest(&sealed.folder)? {
        Standing::Manifest(found) if found == sealed.manifest_sha256 => Stage::Whole,
        Standing::Manifest(_) | Standing::Nothing | Standing::NoManifest => Stage::Unusable,
    })
}

fn differs(sealed: &Sealed, target: &Path, placed_has: String) -> OutboxFault {
    OutboxFault::Differs {
        placed: target.to_owned(),
        staged: sealed.folder.clone(),
        file: MANIFEST.to_owned(),
        placed_has,
        staged_has: format!("SHA-256 {}", sealed.manifest_sha256),
    }
}

/// A folder may stand with the right manifest and other files: somebody has changed them.
fn same_bytes(staged: &Path, placed: &Path, inner: &str) -> Result<(), OutboxFault> {
    let folder = staged.join(inner);
    for entry in fs::read_dir(&folder).map_err(OutboxFault::disk("list", &folder))? {
        let entry = entry.map_err(OutboxFault::disk("list", &folder))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let file = if inner.is_empty() { name } else { format!("{inner}/{name}") };
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            same_bytes(staged, placed, &file)?;
            continue;
        }
        let (here, there) = (check::file_sha256(&entry.path())?, check::file_sha256(&placed.join(&file))?);
        if there != here {
            let told = |sha256: Option<String>| {
                sha256.map_or("nothing".to_owned(), |sha256| format!("SHA-256 {sha256}"))
            };
            return Err(OutboxFault::Differs {
                placed: placed.to_owned(),
                staged: staged.to_owned(),
                file,
                placed_has: told(there),
                staged_has: told(here),
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::staged::Staged;
    use super::*;

    struct Room {
        data: tempfile::TempDir,
    }

    impl Room {
        fn new() -> Room {
            Room { data: tempfile::tempdir().unwrap() }
        }

        fn staging(&self) -> PathBuf {
            self.data.path().join("staging")
        }

        fn target(&self) -> PathBuf {
            self.data.path().join("statements/lighting/2026-Q1/rev-001")
        }

        fn stage(&self, unique: &str, content: &str) -> Sealed {
            let mut staged = Staged::begin(&self.staging(), unique).unwrap();
            staged.small("summary.csv", content.as_bytes(), 1).unwrap();
            staged.small("partners/P.csv", b"p", 1).unwrap();
            staged.seal(format!("manifest of {content}").as_bytes()).unwrap()
        }

        fn published(&self) -> String {
            fs::read_to_string(self.target().join("summary.csv")).unwrap()
        }

        fn staged_names(&self) -> usize {
            fs::read_dir(self.staging()).unwrap().count()
        }
    }

    #[test]
    fn a_folder_is_placed_once_whatever_is_repeated() {
        let room = Room::new();
        let sealed = room.stage("a", "one");
        assert_eq!(place(&sealed, &room.target()).unwrap(), Placed::Now);
        // killed after the rename, before the store knew: the same step again
        assert_eq!(place(&sealed, &room.target()).unwrap(), Placed::Already);
        // killed before the commit: all is rendered again, with the same bytes
        let again = room.stage("a", "one");
        assert_eq!(place(&again, &room.target()).unwrap(), Placed::Already);
        assert_eq!((room.published().as_str(), room.staged_names()), ("one", 0));
    }

    #[test]
    fn a_published_folder_never_changes() {
        let room = Room::new();
        place(&room.stage("a", "one"), &room.target()).unwrap();
        let other = room.stage("b", "two");
        let message = place(&other, &room.target()).unwrap_err().to_string();
        for part in [room.target().display().to_string(), other.folder.display().to_string()] {
            assert!(message.contains(&part), "{message}");
        }
        assert_eq!(room.published(), "one");
        assert!(other.folder.exists());
    }

    #[test]
    fn a_placed_file_with_other_bytes_is_found() {
        let room = Room::new();
        place(&room.stage("a", "one"), &room.target()).unwrap();
        fs::write(room.target().join("partners/P.csv"), "y").unwrap();
        let message = place(&room.stage("a", "one"), &room.target()).unwrap_err().to_string();
        assert!(message.contains("partners/P.csv has SHA-256 a1fce4363854ff888cff4b8e7875d600c2682390412a8cf79b37d0b11148b0fa there"), "{message}");
    }

    #[test]
    fn something_else_in_its_place_is_not_overwritten() {
        let room = Room::new();
        fs::create_dir_all(room.target()).unwrap();
        assert!(place(&room.stage("a", "one"), &room.target()).is_err());
        fs::remove_dir(room.target()).unwrap();
        fs::write(room.target(), "a file").unwrap();
        assert!(place(&room.stage("a", "one"), &room.target()).is_err());
        assert_eq!(fs::read_to_string(room.target()).unwrap(), "a file");
    }

    #[test]
    fn what_is_lost_must_be_rendered_again() {
        let room = Room::new();
        let sealed = room.stage("a", "one");
        fs::remove_dir_all(&sealed.folder).unwrap();
        assert_eq!(place(&sealed, &room.target()).unwrap(), Placed::Missing);
        assert_eq!(replace(&sealed, &room.target()).unwrap(), Placed::Missing);
        // killed while staging: no manifest yet
        fs::create_dir_all(&sealed.folder).unwrap();
        assert_eq!(place(&sealed, &room.target()).unwrap(), Placed::Missing);
        assert!(!room.target().exists());
    }

    #[test]
    fn current_is_replaced_as_a_whole() {
        let room = Room::new();
        assert_eq!(replace(&room.stage("a", "one"), &room.target()).unwrap(), Placed::Now);
        let two = room.stage("b", "two");
        assert_eq!(replace(&two, &room.target()).unwrap(), Placed::Now);
        assert_eq!((room.published().as_str(), room.staged_names()), ("two", 0));
        assert_eq!(replace(&two, &room.target()).unwrap(), Placed::Already);
        assert_eq!(room.published(), "two");
    }

    #[test]
    fn a_replacement_killed_at_any_step_is_finished_by_the_next_run() {
        // after the exchange, before the old folder was removed
        let room = Room::new();
        replace(&room.stage("a", "one"), &room.target()).unwrap();
        let two = room.stage("b", "two");
        assert_eq!(folder::exchange(&two.folder, &room.target()).unwrap(), Exchanged::Yes);
        assert_eq!(replace(&two, &room.target()).unwrap(), Placed::Already);
        assert_eq!((room.published().as_str(), room.staged_names()), ("two", 0));

        // without exchange: between the two renames
        let three = room.stage("c", "three");
        folder::rename(&room.target(), &beside(&three.folder)).unwrap();
        assert_eq!(replace(&three, &room.target()).unwrap(), Placed::Now);
        assert_eq!(room.published(), "three");
        super::super::staged::sweep(&room.staging(), &|_| false).unwrap();
        assert_eq!(room.staged_names(), 0);
    }

    #[test]
    fn current_goes_when_its_cycle_has_closed() {
        let room = Room::new();
        take_away(&room.target(), &room.staging(), "away").unwrap();
        replace(&room.stage("a", "one"), &room.target()).unwrap();
        take_away(&room.target(), &room.staging(), "away").unwrap();
        assert!(!room.target().exists());
        assert_eq!(room.staged_names(), 0);
    }
}
