//! A file that only grows, line by line: what was appended is on disk for good, and a line that a power cut has torn is cut off.

use super::fault::OutboxFault;
use super::folder;
use std::fs::{self, File};
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// Looked at once for where the last line begins.
const PIECE: u64 = 64 << 10;

/// Such a file, open at its end.
#[derive(Debug)]
pub struct Lines {
    file: File,
    path: PathBuf,
    last: Option<Vec<u8>>,
}

impl Lines {
    /// Opens it, making it if it is not there. Only for whoever holds the lock of its folder.
    ///
    /// # Errors
    /// The disk's.
    pub fn open(path: &Path) -> Result<Lines, OutboxFault> {
        let fault = |doing| OutboxFault::disk(doing, path);
        let made = !path.exists();
        let mut file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(fault("open"))?;
        if made {
            folder::flush_parent(path)?;
        }
        let (last, whole) = last_line(&mut file).map_err(fault("read"))?;
        if whole < file.metadata().map_err(fault("read"))?.len() {
            file.set_len(whole).map_err(fault("write"))?;
        }
        file.seek(SeekFrom::End(0)).map_err(fault("read"))?;
        Ok(Lines { file, path: path.to_owned(), last })
    }

    /// Its last line, without the line end; none where it is empty.
    pub fn last(&self) -> Option<&[u8]> {
        self.last.as_deref()
    }

    /// Appends whole lines, each with its line end.
    ///
    /// # Errors
    /// The disk's; what was appended of them then is cut off when the file is opened next, but for whole lines.
    pub fn append(&mut self, lines: &[u8]) -> Result<(), OutboxFault> {
        self.file.write_all(lines).map_err(OutboxFault::disk("write", &self.path))
    }

    /// Waits until everything appended is on disk for good.
    ///
    /// # Errors
    /// The disk's.
    pub fn flush(&self) -> Result<(), OutboxFault> {
        self.file.sync_data().map_err(OutboxFault::disk("write", &self.path))
    }
}

/// Gives a file another name beside its own. Fine if there is none.
///
/// # Errors
/// The disk's.
pub fn set_aside(path: &Path, name: &str) -> Result<(), OutboxFault> {
    match fs::rename(path, path.with_file_name(name)) {
        Ok(()) => folder::flush_parent(path),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(OutboxFault::disk("rename", path)(error)),
    }
}

/// The last whole line, and where it ends.
fn last_line(file: &mut File) -> std::io::Result<(Option<Vec<u8>>, u64)> {
    let end = file.seek(SeekFrom::End(0))?;
    let mut tail: Vec<u8> = Vec::new();
    let mut from = end;
    loop {
        let piece = from.min(PIECE);
        from -= piece;
        let mut read = vec![0; usize::try_from(piece).unwrap_or(0)];
        file.seek(SeekFrom::Start(from))?;
        file.read_exact(&mut read)?;
        read.append(&mut tail);
        tail = read;
        let newline = |bytes: &[u8]| bytes.iter().rposition(|&byte| byte == b'\n');
        let Some(last) = newline(&tail) else {
            if from == 0 {
                return Ok((None, 0));
            }
            continue;
        };
        let begin = match newline(&tail[..last]) {
            Some(before) => before + 1,
            None if from == 0 => 0,
            None => continue,
        };
        return Ok((Some(tail[begin..last].to_vec()), from + last as u64 + 1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grows_and_knows_its_last_line() {
        let data = tempfile::tempdir().unwrap();
        let path = data.path().join("a.jsonl");
        let mut lines = Lines::open(&path).unwrap();
        assert_eq!(lines.last(), None);
        lines.append(b"one\ntwo\n").unwrap();
        lines.flush().unwrap();
        assert_eq!(Lines::open(&path).unwrap().last(), Some(&b"two"[..]));
        let long = vec![b'x'; 3 * PIECE as usize + 7];
        let mut lines = Lines::open(&path).unwrap();
        lines.append(&long).unwrap();
        lines.append(b"\n").unwrap();
        assert_eq!(Lines::open(&path).unwrap().last(), Some(&long[..]));
        assert!(fs::read(&path).unwrap().starts_with(b"one\ntwo\nxxx"));
    }

    #[test]
    fn a_torn_line_is_cut_off() {
        let data = tempfile::tempdir().unwrap();
        let path = data.path().join("a.jsonl");
        for (torn, last, whole) in [
            (&b"one\ntwo\nthr"[..], Some(&b"two"[..]), &b"one\ntwo\n"[..]),
            (b"on", None, b""),
            (b"\n", Some(b""), b"\n"),
            (b"", None, b""),
        ] {
            fs::write(&path, torn).unwrap();
            assert_eq!(Lines::open(&path).unwrap().last(), last);
            assert_eq!(fs::read(&path).unwrap(), whole);
        }
    }

    #[test]
    fn is_set_aside_under_another_name() {
        let data = tempfile::tempdir().unwrap();
        let path = data.path().join("a.jsonl");
        set_aside(&path, "b.jsonl").unwrap();
        fs::write(&path, "one\n").unwrap();
        set_aside(&path, "b.jsonl").unwrap();
        assert!(!path.exists() && data.path().join("b.jsonl").exists());
    }
}
