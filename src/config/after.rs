//! `after` of a feed (interfaces.md 2): what becomes of a file once the store has it. Pure.

use super::paths::{self, PathFault, Scope};
use super::table::{Read, Reading, Table};
use super::values::{Wrong, as_toml, shown};
use crate::fault::nearest;
use crate::inbox::pattern::Pattern;
use crate::inbox::{After, Place, Sftp};
use std::path::{Component, Path, PathBuf};
use toml::de::DeValue;

const HELP: &str =
    "write \"leave\", \"delete\", or \"move:DIR\" with a folder beside the files: \"move:done\"";

/// Reads the key. Files are never moved to where they would be taken from again.
pub(super) fn read(
    table: &mut Table<'_>,
    reading: &mut Reading<'_>,
    scope: Scope<'_>,
    place: Option<&Place>,
    pattern: Option<&Read<Pattern>>,
) -> After {
    let Some((value, at)) = table.raw(reading, "after") else {
        reading.note(table.key("after"), "\"leave\"".to_owned(), None);
        return After::Leave;
    };
    let written = value.as_str().and_then(|text| text.strip_prefix("move:")).map(str::trim);
    let read = match (value.as_str(), written) {
        (Some("leave"), _) => Ok(After::Leave),
        (Some("delete"), _) => Ok(After::Delete),
        (_, Some(dir)) => match paths::expand(dir, scope.env) {
            Ok(dir) => folder(&dir, place, pattern).map(|()| After::Move(dir)),
            Err(PathFault::Wrong(wrong)) => Err(wrong),
            Err(PathFault::Unset(variable)) => {
                paths::refuse_unset(reading, "after", &variable, &at, paths::Needed::OnContact);
                Ok(After::Leave)
            }
        },
        (given, None) => Err(no_such(given.unwrap_or_default(), value)),
    };
    reading.note(table.key("after"), as_toml(value), Some(&at));
    read.unwrap_or_else(|wrong| {
        reading.wrong("after", wrong, at);
        After::Leave
    })
}

fn no_such(given: &str, value: &DeValue<'_>) -> Wrong {
    let near = nearest(given, &["leave", "delete", "move:DIR"]);
    let label = near.map_or_else(|| "not one of them".to_owned(), |near| format!("did you mean {near:?}?"));
    Wrong::new(format!("cannot be {}", shown(value)), label, HELP)
}

/// Whether files can be moved to a folder without being taken from there.
fn folder(dir: &str, place: Option<&Place>, pattern: Option<&Read<Pattern>>) -> Result<(), Wrong> {
    if dir.is_empty() || dir.chars().any(char::is_control) {
        return Err(Wrong::new("names no folder to move files to", "which folder?", HELP));
    }
    let here = match place {
        Some(Place::Folder(path)) => path.clone(),
        Some(Place::Sftp(sftp)) => PathBuf::from(&sftp.folder),
        None => return Ok(()),
    };
    let (here, there) = (plain(&here), plain(&here.join(dir)));
    if there == here {
        return Err(Wrong::new("moves files to where they are", "the feed's own folder", HELP));
    }
    let inside = there.strip_prefix(&here).ok().and_then(|rest| rest.components().next());
    let name = inside.map(|first| first.as_os_str().to_string_lossy().into_owned());
    match (name, pattern) {
        (Some(name), Some(pattern)) if pattern.value.matches(&name).is_some() => Err(Wrong::new(
            format!("moves files to {name:?}, which is named like one of this feed's files"),
            "would be told of at every run",
            "give the folder another name, such as \"move:done\"",
        )),
        (_, _) => Ok(()),
    }
}

/// Where a feed's files go to, beside them on the same machine; `None` where they are not moved.
pub(super) fn target(place: &Place, after: &After) -> Option<Place> {
    let After::Move(dir) = after else { return None };
    Some(match place {
        Place::Folder(path) => Place::Folder(plain(&path.join(dir))),
        Place::Sftp(sftp) => {
            let folder = plain(&Path::new(&sftp.folder).join(dir)).to_string_lossy().into_owned();
            Place::Sftp(Box::new(Sftp { folder, ..(**sftp).clone() }))
        }
    })
}

/// Without `.` and `..`, as far as the names tell.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                plain.pop();
            }
            Component::Prefix(_) | Component::RootDir | Component::Normal(_) => plain.push(component),
        }
    }
    plain
}
