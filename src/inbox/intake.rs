//! Bytes on their way into the archive: read on one thread, hashed and written on another, in large buffers that go round.
//! A third one sends them on to the disk meanwhile, so that little is left to wait for at the end.

use super::archive::Temporary;
use super::{Archive, Archived, InboxFault};
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::ScopedJoinHandle;

/// Buffers between the two threads.
const BUFFERS: usize = 4;

/// Up to this many bytes a second thread costs more than it saves.
const SMALL: u64 = 256 * 1024;

/// Bytes written between two calls that send them on to the disk.
const STEP: u64 = 32 * 1024 * 1024;

/// Which thread hashes: the one with less to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hashing {
    /// reading is cheap: a local file
    WhileReading,
    /// reading decrypts: SFTP
    WhileWriting,
}

/// How a file is read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    /// bytes that it should have
    pub size: u64,
    /// bytes asked for at once
    pub buffer: usize,
    pub hashing: Hashing,
}

/// A download that is all here and not yet kept: dropped, it leaves nothing behind.
#[derive(Debug)]
pub(super) struct Draft {
    temporary: Temporary,
    file: File,
    sha256: String,
    /// bytes read
    pub size: u64,
}

impl Draft {
    /// Makes it durable in the archive.
    pub(super) fn keep(self, archive: &Archive) -> Result<Archived, InboxFault> {
        archive.keep(self.temporary, &self.file, self.sha256, self.size)
    }
}

/// Takes in all that `read` gives, until it gives 0 bytes.
pub(super) fn take(
    archive: &Archive,
    plan: Plan,
    read: &mut dyn FnMut(&mut [u8]) -> Result<usize, InboxFault>,
) -> Result<Draft, InboxFault> {
    let (temporary, file) = archive.temporary()?;
    let mut sink = Sink { temporary: &temporary, file: &file, hasher: Sha256::new(), size: 0 };
    if plan.size <= SMALL {
        alone(&mut sink, plan, read)?;
    } else {
        with_writer(&mut sink, plan, read)?;
    }
    let (hasher, size) = (sink.hasher, sink.size);
    let sha256 = hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(Draft { temporary, file, sha256, size })
}

struct Sink<'a> {
    temporary: &'a Temporary,
    file: &'a File,
    hasher: Sha256,
    size: u64,
}

impl Sink<'_> {
    fn write(&mut self, bytes: &[u8]) -> Result<(), InboxFault> {
        self.file.write_all(bytes).map_err(|e| InboxFault::disk(self.temporary.path(), "write", &e))
    }

    fn hash(&mut self, bytes: &[u8]) {
        self.hasher.update(bytes);
        self.size += bytes.len() as u64;
    }
}

type Read<'r> = &'r mut dyn FnMut(&mut [u8]) -> Result<usize, InboxFault>;

fn alone(sink: &mut Sink<'_>, plan: Plan, read: Read<'_>) -> Result<(), InboxFault> {
    let small = usize::try_from(plan.size).unwrap_or(plan.buffer).saturating_add(1);
    let mut buffer = vec![0; plan.buffer.min(small)];
    loop {
        let got = read(&mut buffer)?;
        if got == 0 {
            return Ok(());
        }
        let bytes = buffer.get(..got).unwrap_or_default();
        sink.hash(bytes);
        sink.write(bytes)?;
    }
}

/// A full buffer on its way to the writer: the bytes, and how many of them count.
type Full = (Vec<u8>, usize);

fn with_writer(sink: &mut Sink<'_>, plan: Plan, read: Read<'_>) -> Result<(), InboxFault> {
    let (full, to_write) = sync_channel::<Full>(BUFFERS);
    let (empty, to_fill) = sync_channel::<Vec<u8>>(BUFFERS);
    for _ in 0..BUFFERS {
        // cannot fail: there is room for all of them
        let _ = empty.send(vec![0; plan.buffer]);
    }
    let mut hasher = Sha256::new();
    let mut size = 0;
    let (step, steps) = sync_channel::<()>(1);
    let (file, path) = (sink.file, sink.temporary.path());
    let done = std::thread::scope(|scope| {
        let flusher = scope.spawn(move || flush_all(file, path, steps));
        let writer = scope.spawn(|| write_all(sink, plan.hashing, (to_write, empty), step));
        let read = fill_all(plan.hashing, read, full, to_fill, (&mut hasher, &mut size));
        // a writer that failed says why better than the reader that could not go on
        joined(writer).and(read).and(joined(flusher))
    });
    if plan.hashing == Hashing::WhileReading {
        (sink.hasher, sink.size) = (hasher, size);
    }
    done
}

/// The kernel tells of a failed write once: who asks first must not forget it.
fn flush_all(file: &File, path: &Path, steps: Receiver<()>) -> Result<(), InboxFault> {
    while steps.recv().is_ok() {
        file.sync_data().map_err(|e| InboxFault::disk(path, "write", &e))?;
    }
    Ok(())
}

fn joined(thread: ScopedJoinHandle<'_, Result<(), InboxFault>>) -> Result<(), InboxFault> {
    thread
        .join()
        .unwrap_or_else(|_| Err(InboxFault::Disk(std::io::Error::other("the archive's writer died"))))
}

fn fill_all(
    hashing: Hashing,
    read: Read<'_>,
    full: SyncSender<Full>,
    to_fill: Receiver<Vec<u8>>,
    (hasher, size): (&mut Sha256, &mut u64),
) -> Result<(), InboxFault> {
    while let Ok(mut buffer) = to_fill.recv() {
        let got = read(&mut buffer)?;
        if got == 0 {
            break;
        }
        if hashing == Hashing::WhileReading {
            hasher.update(buffer.get(..got).unwrap_or_default());
            *size += got as u64;
        }
        if full.send((buffer, got)).is_err() {
            break;
        }
    }
    Ok(())
}

fn write_all(
    sink: &mut Sink<'_>,
    hashing: Hashing,
    (to_write, empty): (Receiver<Full>, SyncSender<Vec<u8>>),
    step: SyncSender<()>,
) -> Result<(), InboxFault> {
    let mut since = 0;
    while let Ok((buffer, got)) = to_write.recv() {
        let bytes = buffer.get(..got).unwrap_or_default();
        if hashing == Hashing::WhileWriting {
            sink.hash(bytes);
        }
        sink.write(bytes)?;
        since += got as u64;
        if since >= STEP {
            since = 0;
            // one that is still at work takes these along, or the end does
            let _ = step.try_send(());
        }
        // the reader may be through already
        let _ = empty.send(buffer);
    }
    Ok(())
}
