//! What becomes of a file at its feed once the store has it (interfaces.md 2, `after`): it stays, it is moved, it goes. Only what was
//! taken is touched: size and mtime are looked at again right before, and a file that is another by then stays for the
//! next run. What came beside it, its marker and its control totals, goes first: a marker left behind would vouch for a
//! file to come.

use super::{Candidate, InboxFault};

/// What becomes of a file that was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum After {
    /// it stays where it is
    Leave,
    /// it is moved into this folder: one of the feed's folder where it is not absolute
    Move(String),
    /// it is deleted
    Delete,
}

/// A file that the store has, and what came beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// as it was listed and taken
    pub file: Candidate,
    /// whether its marker lies beside it
    pub marked: bool,
    /// its control totals, as they were listed and taken
    pub sidecar: Option<Candidate>,
    /// of its bytes, lower-case hex
    pub sha256: String,
}

/// Where a taken file is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Away {
    /// in the folder for such files, under this name
    Moved(String),
    /// nowhere
    Deleted,
    /// somebody else has taken it away
    Gone,
}

/// What came of putting one file into the other folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Put {
    /// it is there
    Done,
    /// there is one of that name already
    Occupied,
    /// it was not in the feed's folder any more
    Gone,
    /// it was another by then, and is back in the feed's folder
    Another,
}

/// A feed's folder, and the one that its files are moved to.
pub(super) trait Shelf {
    /// What lies under a name in the feed's folder.
    fn look(&self, name: &str) -> Result<Option<Candidate>, InboxFault>;
    /// Moves a name of the feed's folder, never over another; `file` is what it must be.
    fn put(&self, from: &str, to: &str, file: Option<&Candidate>) -> Result<Put, InboxFault>;
    /// Moves it back.
    fn put_back(&self, from: &str, to: &str) -> Result<(), InboxFault>;
    /// Deletes a name of the feed's folder, if it is there.
    fn remove(&self, name: &str) -> Result<(), InboxFault>;
}

/// Names that a moved file is given, one after the other: its own; with the first eight digits of its SHA-256 behind it where there
/// is one of that name; numbered where that is there too.
const TRIES: u32 = 9;

fn name_there(name: &str, sha256: &str, tried: u32) -> String {
    let short = sha256.get(..8).unwrap_or(sha256);
    match tried {
        0 => name.to_owned(),
        1 => format!("{name}.{short}"),
        more => format!("{name}.{short}.{more}"),
    }
}

/// Moves a file and what came beside it.
pub(super) fn put_away(shelf: &dyn Shelf, taken: &Taken) -> Result<Away, InboxFault> {
    if !still(shelf, &taken.file)? {
        return Ok(Away::Gone);
    }
    if let Some(sidecar) = &taken.sidecar {
        still(shelf, sidecar)?;
    }
    let mut moved: Vec<(String, String)> = Vec::new();
    let outcome = put_all(shelf, taken, &mut moved);
    if !matches!(outcome, Ok(Away::Moved(_))) {
        // what came beside it belongs to whatever is there now
        for (from, to) in moved.iter().rev() {
            shelf.put_back(to, from)?;
        }
    }
    outcome
}

fn put_all(shelf: &dyn Shelf, taken: &Taken, moved: &mut Vec<(String, String)>) -> Result<Away, InboxFault> {
    for (name, file) in beside(taken) {
        if let Some(there) = put_one(shelf, &name, file, &taken.sha256)? {
            moved.push((name, there));
        }
    }
    if !moved.is_empty() && !still(shelf, &taken.file)? {
        return Ok(Away::Gone);
    }
    let there = put_one(shelf, &taken.file.name, Some(&taken.file), &taken.sha256)?;
    Ok(there.map_or(Away::Gone, Away::Moved))
}

/// The name that it has there; `None` where it was gone.
fn put_one(
    shelf: &dyn Shelf,
    name: &str,
    file: Option<&Candidate>,
    sha256: &str,
) -> Result<Option<String>, InboxFault> {
    for tried in 0..TRIES {
        let there = name_there(name, sha256, tried);
        match shelf.put(name, &there, file)? {
            Put::Done => return Ok(Some(there)),
            Put::Gone => return Ok(None),
            Put::Another => return Err(changed(name)),
            Put::Occupied => {}
        }
    }
    Err(InboxFault::Limit(format!(
        "{name} was taken and cannot be moved: there are {TRIES} files of its name and bytes already; clear the folder it is moved to"
    )))
}

/// Deletes a file and what came beside it.
pub(super) fn delete(shelf: &dyn Shelf, taken: &Taken) -> Result<Away, InboxFault> {
    if !still(shelf, &taken.file)? {
        return Ok(Away::Gone);
    }
    if let Some(sidecar) = &taken.sidecar {
        still(shelf, sidecar)?;
    }
    let mut alone = true;
    for (name, _) in beside(taken) {
        shelf.remove(&name)?;
        alone = false;
    }
    if !alone && !still(shelf, &taken.file)? {
        return Ok(Away::Gone);
    }
    shelf.remove(&taken.file.name)?;
    Ok(Away::Deleted)
}

/// Names beside a file that go with it, and what they must be.
fn beside(taken: &Taken) -> Vec<(String, Option<&Candidate>)> {
    let marker = taken.marked.then(|| (super::sieve::marker_of(&taken.file.name), None));
    let sidecar = taken.sidecar.as_ref().map(|sidecar| (sidecar.name.clone(), Some(sidecar)));
    marker.into_iter().chain(sidecar).collect()
}

/// Whether it is there; a fault if it is another by now.
fn still(shelf: &dyn Shelf, file: &Candidate) -> Result<bool, InboxFault> {
    match shelf.look(&file.name)? {
        None => Ok(false),
        Some(now) if (now.size, now.mtime) == (file.size, file.mtime) => Ok(true),
        Some(_) => Err(changed(&file.name)),
    }
}

/// Said where files would be moved to where they are.
pub(super) fn same_folder(there: &str) -> String {
    format!(
        "files that were taken would be moved to where they are: {there} is the feed's own folder; mend after"
    )
}

fn changed(name: &str) -> InboxFault {
    InboxFault::Changed(format!("{name} changed after it was taken: it stays, for the next run"))
}
