//! One file, written while it is rendered: a thread of its own hashes and writes what is handed over, so that rendering,
//! hashing and the disk overlap.

use super::fault::OutboxFault;
use crate::domain::chain;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

/// Bytes handed over at once.
const BUFFER: usize = 256 << 10;
/// Buffers waiting for the disk: with those in the making the memory of a stream stays below 4 MiB.
const WAITING: usize = 4;
/// Bytes that are not copied where they can be given.
const LARGE: usize = BUFFER / 16;
/// Bytes after which the disk is asked to take them for good, so that the end has little left to wait for: papers of all the
/// cycles that close in a run are made side by side, and end together.
const FLUSH_EVERY: usize = 8 << 20;

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
    /// whole pieces, and the bytes in them, that wait to be handed over together
    pieces: Vec<Vec<u8>>,
    waiting: usize,
    /// the piece that is rendered into, behind them
    buffer: Vec<u8>,
    full: SyncSender<Vec<Vec<u8>>>,
    empty: Receiver<Vec<u8>>,
    writer: JoinHandle<io::Result<Hashed>>,
}

/// A file whose last bytes are on their way.
#[derive(Debug)]
pub struct Closing {
    file: String,
    path: PathBuf,
    rows: u64,
    writer: JoinHandle<io::Result<Hashed>>,
}

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
            pieces: Vec::new(),
            waiting: 0,
            buffer: Vec::with_capacity(BUFFER + BUFFER / 4),
            full,
            empty,
            writer,
        })
    }

    /// Lets `render` append to the file; it answers how many data rows it has appended.
    ///
    /// # Errors
    /// The disk's, of this or an earlier call.
    pub fn append(&mut self, render: impl FnOnce(&mut Vec<u8>) -> u64) -> Result<(), OutboxFault> {
        self.rows += render(&mut self.buffer);
        self.hand_over_full()
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

    /// Likewise bytes that are of no further use to whoever rendered them: they are not copied.
    ///
    /// # Errors
    /// As [`FileStream::append`].
    pub fn give(&mut self, bytes: Vec<u8>, rows: u64) -> Result<(), OutboxFault> {
        if bytes.len() < LARGE {
            return self.append_bytes(&bytes, rows);
        }
        self.rows += rows;
        self.end_piece();
        self.waiting += bytes.len();
        self.pieces.push(bytes);
        self.hand_over_full()
    }

    /// What was rendered becomes a piece of its own.
    fn end_piece(&mut self) {
        if !self.buffer.is_empty() {
            let next = self.empty.try_recv().unwrap_or_else(|_none| Vec::with_capacity(BUFFER + BUFFER / 4));
            let piece = std::mem::replace(&mut self.buffer, next);
            self.waiting += piece.len();
            self.pieces.push(piece);
        }
    }

    fn hand_over_full(&mut self) -> Result<(), OutboxFault> {
        if self.waiting + self.buffer.len() < BUFFER {
            return Ok(());
        }
        self.end_piece();
        self.waiting = 0;
        let full = std::mem::take(&mut self.pieces);
        // whoever writes has stopped only because the disk failed: `finish` tells why, but do not render on for nothing
        self.full.send(full).map_err(|_stopped| {
            OutboxFault::disk("write", &self.path)(io::Error::other("the disk refused what came before"))
        })
    }

    /// Hands over what is left. The disk goes on by itself; [`Closing::wait`] before the file is named anywhere.
    pub fn close(self) -> Closing {
        let FileStream { file, path, rows, mut pieces, waiting: _, buffer, full, empty, writer } = self;
        pieces.push(buffer);
        // a refusal shows in what the writer answers
        drop(full.send(pieces));
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
        let answer = self
            .writer
            .join()
            .unwrap_or_else(|_panic| Err(io::Error::other("its writer stopped without an answer")));
        let Hashed { sha256, bytes } = answer.map_err(OutboxFault::disk("write", &self.path))?;
        Ok(Written { file: self.file, rows: self.rows, sha256, bytes })
    }
}

fn write_all(
    disk: File,
    to_write: &Receiver<Vec<Vec<u8>>>,
    written: &SyncSender<Vec<u8>>,
) -> io::Result<Hashed> {
    let mut hasher = Sha256::new();
    let mut bytes = 0;
    std::thread::scope(|scope| {
        let mut flusher = None;
        let mut unflushed = 0;
        for mut buffer in to_write.iter().flatten() {
            (&disk).write_all(&buffer)?;
            hasher.update(&buffer);
            bytes += buffer.len() as u64;
            unflushed += buffer.len();
            if unflushed >= FLUSH_EVERY {
                unflushed = 0;
                let (step, _) = flusher.get_or_insert_with(|| {
                    let (step, steps) = sync_channel(1);
                    (step, scope.spawn(|| flush_all(&disk, steps)))
                });
                // one that is still at work takes these along, or the end does
                let _ = step.try_send(());
            }
            buffer.clear();
            // buffers go round that any piece fits; the other side may have gone: then no one needs them
            if buffer.capacity() >= BUFFER {
                drop(written.try_send(buffer));
            }
        }
        let Some((step, flushing)) = flusher else { return Ok(()) };
        drop(step);
        flushing
            .join()
            .unwrap_or_else(|_panic| Err(io::Error::other("who flushes stopped without an answer")))
    })?;
    disk.sync_all()?;
    Ok(Hashed { sha256: chain::hex(&hasher.finalize()), bytes })
}

/// Of whoever writes, nobody waits for the disk. The kernel tells of a failed write once: who asks first must not forget it.
fn flush_all(disk: &File, steps: Receiver<()>) -> io::Result<()> {
    steps.into_iter().try_for_each(|()| disk.sync_data())
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
            if row % 20_000 == 0 {
                for length in [1, LARGE - 1, LARGE, BUFFER / 3, BUFFER * 2] {
                    expected.resize(expected.len() + length, b'x');
                    stream.give(vec![b'x'; length], 1).unwrap();
                }
            }
        }
        let written = stream.finish().unwrap();
        let on_disk = std::fs::read(&path).unwrap();
        assert!(on_disk == expected, "the file holds other bytes than were given");
        assert_eq!(written.rows, 200_000 + 5 * 10);
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

    #[test]
    fn a_full_disk_stops_the_renderer_and_is_named() {
        let full = Path::new("/dev/full");
        let mut stream = FileStream::create(full, "x.csv").unwrap();
        let row = vec![b'x'; BUFFER];
        let mut refused = false;
        for _ in 0..100 {
            if stream.append_bytes(&row, 1).is_err() {
                refused = true;
                break;
            }
        }
        assert!(refused, "50 MiB were taken by a full disk");
        let message = stream.finish().unwrap_err().to_string();
        assert_eq!(
            message,
            "cannot write /dev/full: No space left on device (os error 28); free some space there and run again"
        );
    }

    #[test]
    fn a_missing_folder_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("none/a.csv");
        let message = FileStream::create(&path, "a.csv").unwrap_err().to_string();
        assert!(message.starts_with(&format!("cannot create {}: No such file", path.display())), "{message}");
    }
}
