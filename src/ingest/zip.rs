//! The one file in a zip archive: where it lies, how it is packed, what it must come to.
//!
//! Answers for: reading the archive's directory (also of archives over 4 GiB), and refusing what is no archive of one file.
//! Does not: unpack (`bytes` does, in pieces, counting), nor believe the sizes that a directory says.

use super::bytes::refuse;
use super::{Refusal, Stop};
use std::io::{Read, Seek, SeekFrom};

/// Most bytes of a directory: some thousands of names, where one is wanted.
const LARGEST_DIRECTORY: u64 = 1 << 20;
/// The directory's end and the comment after it are within so many bytes of the archive's end.
const END_WITHIN: u64 = 22 + 65_535;
/// Names told of an archive with several.
const NAMES_TOLD: usize = 3;

/// The file in an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member {
    /// where its packed bytes begin
    pub start: u64,
    /// how many they are
    pub packed: u64,
    /// how many bytes it has unpacked, as the directory says
    pub unpacked: u64,
    /// their CRC-32
    pub crc: u32,
    /// how it is packed
    pub method: Method,
}

/// How a file is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// as it is
    Stored,
    /// deflate
    Deflated,
}

/// Where a directory is.
struct Directory {
    start: u64,
    size: u64,
}

/// Finds the one file; folders, and what some systems put beside (`__MACOSX/`), are none.
pub fn member<R: Read + Seek>(archive: &mut R) -> Result<Member, Stop> {
    let size = archive.seek(SeekFrom::End(0)).map_err(Stop::Io)?;
    if size == 0 {
        return Err(refuse("empty_file", "the archive has 0 bytes; send it again".to_owned()));
    }
    if bytes(archive, 0, size.min(4))?.as_slice() != b"PK\x03\x04" && size > 22 {
        return Err(refuse("not_zip", "the name says zip, but the file does not begin as one".to_owned()));
    }
    let directory = directory(archive, size)?;
    let bytes = bytes(archive, directory.start, directory.size)?;
    let entries = entries(&bytes)?;
    match entries.as_slice() {
        [one] => one.member(archive),
        [] => Err(refuse("zip_not_one_file", "the zip archive holds no file; put one into it".to_owned())),
        many => {
            let names: Vec<&str> = many.iter().take(NAMES_TOLD).map(|one| one.name.as_str()).collect();
            let more = if many.len() > NAMES_TOLD { ", ..." } else { "" };
            let detail = format!(
                "the zip archive holds {} files ({}{more}); send one file an archive",
                many.len(),
                names.join(", ")
            );
            Err(refuse("zip_not_one_file", detail))
        }
    }
}

fn damaged(what: &str) -> Stop {
    Stop::Refused(Refusal {
        reason: "zip_damaged",
        detail: format!("the zip archive {what}; it was cut short or damaged: send it again"),
    })
}

fn bytes<R: Read + Seek>(archive: &mut R, start: u64, size: u64) -> Result<Vec<u8>, Stop> {
    // no file is so long: a seek there is no fault of the disk
    if i64::try_from(start).is_err() {
        return Err(damaged("has a directory that points beyond its end"));
    }
    archive.seek(SeekFrom::Start(start)).map_err(Stop::Io)?;
    let mut bytes = Vec::new();
    archive.by_ref().take(size).read_to_end(&mut bytes).map_err(Stop::Io)?;
    if (bytes.len() as u64) < size { Err(damaged("ends too early")) } else { Ok(bytes) }
}

fn directory<R: Read + Seek>(archive: &mut R, size: u64) -> Result<Directory, Stop> {
    let tail_start = size.saturating_sub(END_WITHIN);
    let tail = bytes(archive, tail_start, size - tail_start)?;
    let whole =
        |at: usize| tail.len() >= at + 22 && at + 22 + usize::from(short(&tail, at + 20)) <= tail.len();
    let end = (0..tail.len().saturating_sub(3))
        .rev()
        .find(|&at| tail[at..].starts_with(b"PK\x05\x06") && whole(at));
    let Some(end) = end else { return Err(damaged("has no directory at its end")) };
    let found = Directory { start: long(&tail, end + 16).into(), size: long(&tail, end + 12).into() };
    let locator = end.checked_sub(20).filter(|&at| tail[at..].starts_with(b"PK\x06\x07"));
    let found = match locator {
        Some(at) => {
            let wide = bytes(archive, longer(&tail, at + 8), 56)?;
            Directory { start: longer(&wide, 48), size: longer(&wide, 40) }
        }
        None => found,
    };
    if found.size > LARGEST_DIRECTORY {
        return Err(refuse(
            "zip_not_one_file",
            "the zip archive holds thousands of files; send one file an archive".to_owned(),
        ));
    }
    if found.start.checked_add(found.size).is_none_or(|end| end > size) {
        return Err(damaged("has a directory that points beyond its end"));
    }
    Ok(found)
}

/// A file as the directory has it.
struct Entry {
    name: String,
    flags: u16,
    method: u16,
    crc: u32,
    packed: u64,
    unpacked: u64,
    header: u64,
}

/// Fixed bytes of an entry, before its name.
const ENTRY: usize = 46;

fn entries(directory: &[u8]) -> Result<Vec<Entry>, Stop> {
    let mut entries = Vec::new();
    let mut at = 0;
    while directory[at..].starts_with(b"PK\x01\x02") {
        let lengths = [28, 30, 32].map(|field| usize::from(short(directory, at + field)));
        let end = at + ENTRY + lengths.iter().sum::<usize>();
        if end > directory.len() {
            return Err(damaged("has a directory that is cut short"));
        }
        let name = String::from_utf8_lossy(&directory[at + ENTRY..at + ENTRY + lengths[0]]).into_owned();
        let extra = &directory[at + ENTRY + lengths[0]..at + ENTRY + lengths[0] + lengths[1]];
        if !name.ends_with('/') && !name.starts_with("__MACOSX/") {
            entries.push(entry(&directory[at..end], name, extra));
        }
        at = end;
    }
    // an entry that is damaged hides a file; only a signature may stand behind the last one
    if at < directory.len() && !directory[at..].starts_with(b"PK\x05\x05") {
        return Err(damaged("has a directory that cannot be read to its end"));
    }
    Ok(entries)
}

/// Sizes that do not fit 32 bits stand in an extra field, in this order.
fn entry(fixed: &[u8], name: String, extra: &[u8]) -> Entry {
    let mut wide = wide_field(extra).chunks_exact(8).map(|eight| longer(eight, 0));
    let mut field = |at: usize| match long(fixed, at) {
        u32::MAX => wide.next().unwrap_or(u64::from(u32::MAX)),
        value => value.into(),
    };
    let (unpacked, packed, header) = (field(24), field(20), field(42));
    Entry {
        name,
        flags: short(fixed, 8),
        method: short(fixed, 10),
        crc: long(fixed, 16),
        packed,
        unpacked,
        header,
    }
}

fn wide_field(mut extra: &[u8]) -> &[u8] {
    while let Some((head, rest)) = extra.split_at_checked(4) {
        let Some((field, after)) = rest.split_at_checked(usize::from(short(head, 2))) else { break };
        if short(head, 0) == 1 {
            return field;
        }
        extra = after;
    }
    &[]
}

impl Entry {
    fn member<R: Read + Seek>(&self, archive: &mut R) -> Result<Member, Stop> {
        if self.flags & 1 == 1 {
            let detail = format!("{} in the zip archive is encrypted; send it without a password", self.name);
            return Err(refuse("zip_encrypted", detail));
        }
        let method = match self.method {
            0 => Method::Stored,
            8 => Method::Deflated,
            other => {
                let detail = format!(
                    "{} in the zip archive is packed by method {other}; use deflate, as zip does",
                    self.name
                );
                return Err(refuse("zip_method", detail));
            }
        };
        let header = bytes(archive, self.header, 30)?;
        if !header.starts_with(b"PK\x03\x04") {
            return Err(damaged("has a directory that points to no file"));
        }
        let start = self.header + 30 + u64::from(short(&header, 26)) + u64::from(short(&header, 28));
        let Entry { packed, unpacked, crc, .. } = *self;
        Ok(Member { start, packed, unpacked, crc, method })
    }
}

/// Little-endian; what is not there is 0.
fn short(bytes: &[u8], at: usize) -> u16 {
    bytes.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |two| u16::from_le_bytes(*two))
}

fn long(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |four| u32::from_le_bytes(*four))
}

fn longer(bytes: &[u8], at: usize) -> u64 {
    bytes.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |eight| u64::from_le_bytes(*eight))
}
