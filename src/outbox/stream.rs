//! One file, written while it is rendered: a thread of its own hashes and writes what is handed over, so that rendering,
//! hashing and the disk overlap.

use super::fault::OutboxFault;
use crate::domain::chain;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{self, Write};
use std::num::NonZeroU64;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

/// Bytes handed over at once.
const BUFFER: usize = 256 << 10;
/// Buffers waiting for the disk: with those in the making the memory of a stream stays below 2 MiB.
const WAITING: usize = 3;
/// Bytes after which the disk is told to begin with them, so that the last flush has little left to wait for.
const BEGIN_EVERY: u64 = 8 << 20;

/// A file that is whole on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// path within its folder, parts separated by `/`
    pub file: String,
    /// data rows, as the renderer counted them
    pub rows: u64,
    /// of its bytes, lower-case hex
    pub sha256: String,
    /// its size
    pub bytes: u64,
}

/// A file in the making. Dropped before [`FileStream::finish`], it is left incomplete where no reader looks.
#[derive(Debug)]
pub struct FileStream {
    file: String,
    path: PathBuf,
    rows: u64,
    buffer: Vec<u8>,
    full: SyncSender<Vec<u8>>,
    empty: Receiver<Vec<u8>>,
    writer: Writer,
}

/// A file whose last bytes are on their way.
#[derive(Debug)]
pub struct Closing {
    file: String,
    path: PathBuf,
    rows: u64,
    writer: Writer,
}

/// The thread that writes; `None` once its refusal has been told.
type Writer = Option<JoinHandle<io::Result<Hashed>>>;

#[derive(Debug)]
struct Hashed {
    sha256: String,
    bytes: u64,
}

impl FileStream {
    /// Creates (or empties) the file at `path`; `file` is its name in the manifest.
    pub(super) fn create(path: &Path, file: &str) -> Result<FileStream, OutboxFault> {
        let disk = File::create(path).map_err(OutboxFault::disk("create", path))?;
        let (full, to_write) = sync_channel(WAITING);
        let (written, empty) = sync_channel(WAITING + 2);
        let writer = std::thread::Builder::new()
            .name("outbox".to_owned())
            .spawn(move || write_all(disk, &to_write, &written))
            .map_err(OutboxFault::disk("start a writer for", path))?;
        Ok(FileStream {
            file: file.to_owned(),
            path: path.to_owned(),
            rows: 0,
            buffer: Vec::with_capacity(BUFFER + BUFFER / 4),
            full,
            empty,
            writer: Some(writer),
        })
    }

    /// Lets `render` append to the file; it answers how many data rows it has appended.
    ///
    /// # Errors
    /// The disk's, of this or an earlier call.
    pub fn append(&mut self, render: impl FnOnce(&mut Vec<u8>) -> u64) -> Result<(), OutboxFault> {
        self.rows += render(&mut self.buffer);
        if self.buffer.len() >= BUFFER { self.hand_over() } else { Ok(()) }
    }

    /// Appends bytes that were rendered elsewhere (by another thread), with their data rows.
    ///
    /// # Errors
    /// As [`FileStream::append`].
    pub fn append_bytes(&mut self, bytes: &[u8], rows: u64) -> Result<(), OutboxFault> {
        self.append(|out| {
            out.extend_from_slice(bytes);
            rows
        })
    }

    fn hand_over(&mut self) -> Result<(), OutboxFault> {
        let mut next = self.empty.try_recv().unwrap_or_else(|_none| Vec::with_capacity(BUFFER + BUFFER / 4));
        next.clear();
        let full = std::mem::replace(&mut self.buffer, next);
        match self.full.send(full) {
            Ok(()) => Ok(()),
            // the writer stops early only where the disk refuses: do not render on for nothing
            Err(_stopped) => answer(self.writer.take(), &self.path).and_then(|_none| {
                Err(OutboxFault::disk("write", &self.path)(io::Error::other("its writer stopped early")))
            }),
        }
    }

    /// Hands over what is left. The disk goes on by itself; [`Closing::wait`] before the file is named anywhere.
    pub fn close(self) -> Closing {
        let FileStream { file, path, rows, buffer, full, empty, writer } = self;
        // a refusal shows in what the writer answers
        drop(full.send(buffer));
        drop((full, empty));
        Closing { file, path, rows, writer }
    }

    /// Waits until every byte is on disk for good.
    ///
    /// # Errors
    /// The first refusal of the disk, with the path.
    pub fn finish(self) -> Result<Written, OutboxFault> {
        self.close().wait()
    }
}

impl Closing {
    /// Waits until every byte is on disk for good.
    ///
    /// # Errors
    /// The first refusal of the disk, with the path.
    pub fn wait(self) -> Result<Written, OutboxFault> {
        let Hashed { sha256, bytes } = answer(self.writer, &self.path)?;
        Ok(Written { file: self.file, rows: self.rows, sha256, bytes })
    }
}

/// What the writer has to say when it is done.
fn answer(writer: Writer, path: &Path) -> Result<Hashed, OutboxFault> {
    let told = io::Error::other("the disk refused what came before");
    let lost = io::Error::other("its writer stopped without an answer");
    writer
        .map_or(Err(told), |writer| writer.join().unwrap_or(Err(lost)))
        .map_err(OutboxFault::disk("write", path))
}

fn write_all(
    mut disk: File,
    to_write: &Receiver<Vec<u8>>,
    written: &SyncSender<Vec<u8>>,
) -> io::Result<Hashed> {
    let mut hasher = Sha256::new();
    let (mut bytes, mut begun) = (0, 0);
    for buffer in to_write {
        disk.write_all(&buffer)?;
        hasher.update(&buffer);
        bytes += buffer.len() as u64;
        if bytes - begun >= BEGIN_EVERY {
            begin(&disk, begun, bytes - begun);
            begun = bytes;
        }
        // the other side may have gone: then no one needs the buffer
        drop(written.try_send(buffer));
    }
    disk.sync_all()?;
    Ok(Hashed { sha256: chain::hex(&hasher.finalize()), bytes })
}

/// Lets the disk begin with a part of the file, without waiting for it: Linux writes out what it is told will not be needed.
/// Measured on 360 MB: the last flush takes 5 ms instead of 130; a `sync_data` now and then costs more than it saves.
fn begin(disk: &File, from: u64, bytes: u64) {
    // only a hint: what the disk refuses shows in the last flush
    let _hint = rustix::fs::fadvise(disk, from, NonZeroU64::new(bytes), rustix::fs::Advice::DontNeed);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_and_counts_what_it_writes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        let mut stream = FileStream::create(&path, "a.csv").unwrap();
        let mut expected = Vec::new();
        for row in 0..200_000u64 {
            let text = format!("{row},some text to fill a buffer\n");
            expected.extend_from_slice(text.as_bytes());
            stream.append_bytes(text.as_bytes(), 1).unwrap();
        }
        let written = stream.finish().unwrap();
        let on_disk = std::fs::read(&path).unwrap();
        assert!(on_disk == expected, "the file holds other bytes than were given");
        assert_eq!(written.rows, 200_000);
        assert_eq!(written.bytes, expected.len() as u64);
        assert_eq!(written.sha256, chain::hex(&Sha256::digest(&expected)));
    }

    #[test]
    fn an_empty_file_is_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let written = FileStream::create(&folder.path().join("e"), "e").unwrap().finish().unwrap();
        assert_eq!((written.rows, written.bytes), (0, 0));
        assert_eq!(written.sha256, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    }

    const FULL: &str =
        "cannot write /dev/full: No space left on device (os error 28); free some space there and run again";

    #[test]
    fn a_full_disk_stops_the_renderer_with_its_cause() {
        let mut stream = FileStream::create(Path::new("/dev/full"), "x.csv").unwrap();
        let row = vec![b'x'; BUFFER];
        let refusal = (0..100).find_map(|_| stream.append_bytes(&row, 1).err());
        assert_eq!(refusal.expect("a full disk takes no 25 MiB").to_string(), FULL);
        let again = stream.finish().unwrap_err().to_string();
        assert!(again.starts_with("cannot write /dev/full: the disk refused what came before"), "{again}");
    }

    #[test]
    fn a_disk_that_is_full_at_the_end_is_named() {
        let mut stream = FileStream::create(Path::new("/dev/full"), "x.csv").unwrap();
        stream.append_bytes(b"x", 1).unwrap();
        assert_eq!(stream.finish().unwrap_err().to_string(), FULL);
    }

    #[test]
    fn a_missing_folder_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("none/a.csv");
        let message = FileStream::create(&path, "a.csv").unwrap_err().to_string();
        assert!(message.starts_with(&format!("cannot create {}: No such file", path.display())), "{message}");
    }
}
