//! Which entries of a folder are files of the feed. Pure. A listing entry is data: a name counts only as one plain path
//! component, and whatever else it is, it is refused by name and never used as a path.

use super::pattern::Named;
use super::{Candidate, Complete, Listing, Passed, Source};
use std::collections::BTreeMap;

/// Longest name in bytes: what Linux file systems hold.
const LONGEST: usize = 255;

/// Most bytes of control totals.
const LARGEST_TOTALS: u64 = 64 * 1024;

/// Of the marker beside a file.
const MARKER: &str = ".done";

/// What a directory entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Nature {
    File,
    Folder,
    Symlink,
    /// a pipe, socket or device
    Special,
}

/// What the folder says of one entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Facts {
    pub nature: Nature,
    /// bytes; `None` where the server does not tell
    pub size: Option<u64>,
    /// seconds since the epoch
    pub mtime: Option<i64>,
}

/// What a name alone says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Sort {
    /// a file of the feed, if it is a file
    Ours(String, Named),
    /// the marker of this name
    Marker(String),
    /// the control totals of this name, if they are a file
    Sidecar { of: String, name: String },
    /// reported
    Refused(Passed),
    /// none of the feed's business
    Other,
}

/// The name of the marker beside a file.
pub(super) fn marker_of(name: &str) -> String {
    format!("{name}{MARKER}")
}

/// Sorts a raw name.
pub(super) fn sort(source: &Source, raw: &[u8]) -> Sort {
    if raw == b"." || raw == b".." {
        return Sort::Other;
    }
    match plain(raw) {
        Ok(name) => sort_plain(source, name),
        Err(why) if resembles(source, raw) => {
            Sort::Refused(Passed { name: printable(raw), why: why.to_owned() })
        }
        Err(_) => Sort::Other,
    }
}

fn sort_plain(source: &Source, name: &str) -> Sort {
    if source.complete == Complete::Marker
        && let Some(of) = name.strip_suffix(MARKER)
    {
        return Sort::Marker(of.to_owned());
    }
    if let Some(of) = accompanied(source, name) {
        return Sort::Sidecar { of: of.to_owned(), name: name.to_owned() };
    }
    match source.pattern.matches(name) {
        Some(named) => Sort::Ours(name.to_owned(), named),
        None => Sort::Other,
    }
}

/// The file of the feed whose control totals would have this name.
fn accompanied<'n>(source: &Source, name: &'n str) -> Option<&'n str> {
    let (before, after) = source.sidecar.as_deref()?.split_once("{name}")?;
    let of = name.strip_prefix(before)?.strip_suffix(after)?;
    source.pattern.matches(of).map(|_| of)
}

/// What is fetched: a file of the feed, or the control totals of one.
pub(super) fn fetched(source: &Source, raw: &[u8]) -> Option<(String, Named)> {
    match sort(source, raw) {
        Sort::Ours(name, named) => Some((name, named)),
        Sort::Sidecar { name, .. } => Some((name, Named::default())),
        Sort::Marker(_) | Sort::Refused(_) | Sort::Other => None,
    }
}

/// The name if it is one plain path component: valid UTF-8, at most 255 bytes, no control characters.
fn plain(raw: &[u8]) -> Result<&str, &'static str> {
    if raw.is_empty() || raw.contains(&b'/') || raw.contains(&0) || raw == b"." || raw == b".." {
        return Err("its name is not one plain path component; rename it on the server");
    }
    if raw.len() > LONGEST {
        return Err("its name is longer than 255 bytes; rename it on the server");
    }
    let name =
        std::str::from_utf8(raw).map_err(|_| "its name is not valid UTF-8; rename it on the server")?;
    if name.chars().any(char::is_control) {
        return Err("its name has a line break or another control character; rename it on the server");
    }
    Ok(name)
}

/// Whether a refused name was meant for this feed: without what is wrong with it, or with its last component alone,
/// it would match.
fn resembles(source: &Source, raw: &[u8]) -> bool {
    let text = String::from_utf8_lossy(raw);
    let last = text.rsplit('/').next().unwrap_or_default();
    let cleaned: String = last.chars().filter(|c| !c.is_control() && *c != '\u{fffd}').collect();
    let spaced: String = last.chars().map(|c| if c.is_control() { '_' } else { c }).collect();
    [cleaned.as_str(), spaced.as_str()].iter().any(|name| source.pattern.matches(name).is_some())
}

/// What a stranger wrote, for messages: line breaks and other control characters are escaped, a monster is cut.
pub(super) fn printable(raw: &[u8]) -> String {
    let text = String::from_utf8_lossy(raw);
    let mut out: String = text
        .chars()
        .take(120)
        .flat_map(|c| {
            let escaped: Vec<char> = if c.is_control() { c.escape_default().collect() } else { vec![c] };
            escaped
        })
        .collect();
    if text.chars().count() > 120 {
        out.push_str("...");
    }
    out
}

/// The candidate, or why an entry named like a file of the feed is none.
pub(super) fn candidate(
    source: &Source,
    name: String,
    named: Named,
    facts: Facts,
) -> Result<Candidate, Passed> {
    let refuse = |name: String, why: String| Err(Passed { name, why });
    match facts.nature {
        Nature::File => {}
        Nature::Folder => return refuse(name, "it is a folder, not a file".to_owned()),
        Nature::Symlink => {
            return refuse(
                name,
                "it is a symbolic link; these are never followed: put the file itself there".to_owned(),
            );
        }
        Nature::Special => return refuse(name, "it is a pipe, socket or device, not a file".to_owned()),
    }
    let Some(size) = facts.size else {
        return refuse(
            name,
            "the server does not tell its size, so a whole download cannot be known".to_owned(),
        );
    };
    if size > source.max_bytes {
        return refuse(name, format!("it has {size} bytes, more than max_bytes of {}", source.max_bytes));
    }
    Ok(Candidate { name, size, mtime: facts.mtime, named })
}

/// A listing in which nothing was seen yet.
pub(super) fn empty(source: &Source) -> Listing {
    Listing { sidecars: source.sidecar.as_ref().map(|_| BTreeMap::new()), ..Listing::default() }
}

/// Puts control totals into a listing.
pub(super) fn accompany(source: &Source, listing: &mut Listing, of: String, name: String, facts: Facts) {
    match candidate(source, name, Named::default(), facts) {
        Ok(file) if file.size <= LARGEST_TOTALS => {
            listing.sidecars.get_or_insert_default().insert(of, file);
        }
        Ok(file) => {
            let why = format!("it has {} bytes: too many for control totals (rows,sum)", file.size);
            listing.passed.push(Passed { name: file.name, why });
        }
        Err(passed) => listing.passed.push(passed),
    }
}

/// An mtime for messages.
pub(super) fn shown(mtime: Option<i64>) -> String {
    mtime.map_or("none".to_owned(), |at| {
        chrono::DateTime::from_timestamp_nanos(at).to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true)
    })
}

/// Puts a listing into its order: files by mtime, then name; what was passed by name.
pub(super) fn in_order(mut listing: Listing) -> Listing {
    listing.files.sort_by(|a, b| (a.mtime_seconds(), &a.name).cmp(&(b.mtime_seconds(), &b.name)));
    listing.passed.sort_by(|a, b| a.name.cmp(&b.name));
    listing
}
