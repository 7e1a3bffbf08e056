//! Bytes on their way into the archive: read on one thread, hashed and written on another, in large buffers that go round.
//! A third one sends them on to the disk meanwhile, so that little is left to wait for at the end. The rest of a large file may
//! come from two sides at the same time: written where it belongs, and hashed from there once what is before it is hashed.

mod rest;

use super::partial::{Start, Temporary, hex};
use super::{Archive, Archived, InboxFault};
pub(super) use rest::{Behind, Rest};
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, channel, sync_channel};
use std::thread::ScopedJoinHandle;

/// Buffers between the two threads, where they are large.
const BUFFERS: usize = 4;

/// Bytes of them where they are small: the file system stops who writes while it makes what is there durable, and reading and
/// hashing go on meanwhile.
const AHEAD: usize = 8 * 1024 * 1024;

/// Buffers at most.
const MOST_BUFFERS: usize = 32;

/// Up to this many bytes a second thread costs more than it saves.
const SMALL: u64 = 256 * 1024;

/// Bytes written between two calls that send them on to the disk.
const STEP: u64 = 16 * 1024 * 1024;

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
    /// Leaves it for the next try, if it can be resumed.
    pub(super) fn leave(self) {
        self.temporary.leave(&self.file, self.size, &self.sha256);
    }

    /// Makes it durable in the archive.
    pub(super) fn keep(self, archive: &Archive) -> Result<Archived, InboxFault> {
        archive.keep(self.temporary, &self.file, self.sha256, self.size)
    }
}

/// Takes in all that `read` gives, until it gives 0 bytes, behind what is here.
pub(super) fn take(start: Start, plan: Plan, read: Read<'_>) -> Result<Draft, InboxFault> {
    if plan.size <= SMALL {
        drafted(start, |sink| alone(sink, plan, read))
    } else {
        drafted(start, |sink| with_writer(sink, plan, read, None))
    }
}

/// Takes in what `read` gives, until it gives 0 bytes, and what is written behind it. The draft ends where the first gap is.
pub(super) fn take_with_rest(
    start: Start,
    plan: Plan,
    read: Read<'_>,
    rest: Rest<'_>,
) -> Result<Draft, InboxFault> {
    drafted(start, |sink| with_writer(sink, plan, read, Some(rest)))
}

/// What breaks off is left for the next try, unless its bytes are in doubt.
fn drafted(
    start: Start,
    take: impl FnOnce(&mut Sink<'_>) -> Result<(), InboxFault>,
) -> Result<Draft, InboxFault> {
    let Start { temporary, file, hasher, size } = start;
    let mut sink = Sink { temporary: &temporary, file: &file, hasher, size, doubtful: false };
    let taken = take(&mut sink);
    let (hasher, size, doubtful) = (sink.hasher, sink.size, sink.doubtful);
    let draft = Draft { temporary, file, sha256: hex(hasher.finalize()), size };
    match taken {
        Ok(()) => Ok(draft),
        Err(fault) => {
            if fault.may_pass() && !doubtful {
                draft.leave();
            }
            Err(fault)
        }
    }
}

/// Gives bytes in order; 0 of them at the end.
pub(super) type Read<'r> = &'r mut dyn FnMut(&mut [u8]) -> Result<usize, InboxFault>;

/// Sends what was written on to the disk, a step at a time, by the thread that flushes.
#[derive(Clone)]
struct Flush {
    step: SyncSender<Option<Sound>>,
    /// bytes written by all who write, since the last step
    since: Arc<AtomicU64>,
}

/// How many bytes are here from the beginning, and their hash so far.
type Sound = (u64, Sha256);

impl Flush {
    fn wrote(&self, bytes: usize, sound: impl FnOnce() -> Option<Sound>) {
        let bytes = bytes as u64;
        if self.since.fetch_add(bytes, Ordering::Relaxed) + bytes >= STEP {
            self.since.store(0, Ordering::Relaxed);
            // one that is still at work takes these along, or the end does
            let _ = self.step.try_send(sound());
        }
    }
}

struct Sink<'a> {
    temporary: &'a Temporary,
    file: &'a File,
    hasher: Sha256,
    size: u64,
    /// two connections gave other bytes of the same place
    doubtful: bool,
}

impl Sink<'_> {
    fn write(&mut self, bytes: &[u8]) -> Result<(), InboxFault> {
        self.file.write_all(bytes).map_err(|e| InboxFault::disk(self.temporary.path(), "write", &e))
    }

    fn read_back(&self, at: u64, bytes: &mut [u8]) -> Result<(), InboxFault> {
        let read = self.file.read_exact_at(bytes, at);
        read.map_err(|e| InboxFault::disk(self.temporary.path(), "read", &e))
    }

    fn hash(&mut self, bytes: &[u8]) {
        self.hasher.update(bytes);
        self.size += bytes.len() as u64;
    }
}

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

fn with_writer(
    sink: &mut Sink<'_>,
    plan: Plan,
    read: Read<'_>,
    rest: Option<Rest<'_>>,
) -> Result<(), InboxFault> {
    let most = (AHEAD / plan.buffer.max(1)).clamp(BUFFERS, MOST_BUFFERS);
    let (full, to_write) = sync_channel::<Full>(most);
    let (empty, emptied) = sync_channel::<Vec<u8>>(most);
    let to_fill = Buffers { emptied, size: plan.buffer, left: most };
    let (mut hasher, mut size) = (sink.hasher.clone(), sink.size);
    let (step, steps) = sync_channel(1);
    let (pieces, behind) = channel();
    let (file, temporary, path) = (sink.file, sink.temporary, sink.temporary.path());
    let flush = Flush { step, since: Arc::default() };
    let done = std::thread::scope(|scope| {
        let flusher = scope.spawn(move || flush_all(file, temporary, steps));
        // without a rest, nobody has `pieces` any more
        let shared = rest.map(|Rest { then, meanwhile }| {
            let here = Behind { file, path, pieces, flush: flush.clone() };
            let there = here.clone();
            let beside = scope.spawn(move || {
                meanwhile(there);
                Ok(())
            });
            (then, here, beside)
        });
        let writer = scope.spawn(|| {
            // what is hashed behind the front was written before: counted once more, it is recorded as often as the front
            let hashed = Flush { since: Arc::default(), ..flush.clone() };
            write_all(sink, plan.hashing, (to_write, empty), &flush)?;
            drop(flush);
            rest::hash_rest(sink, behind, &hashed)
        });
        let front = fill_all(plan.hashing, read, full, to_fill, (&mut hasher, &mut size));
        let (read, beside) = match shared {
            Some((then, here, beside)) => (front.and_then(|()| then(here)), Some(beside)),
            None => (front, None),
        };
        // a writer that failed says why better than the reader that could not go on
        joined(writer).and(read).and(beside.map_or(Ok(()), joined)).and(joined(flusher))
    });
    if plan.hashing == Hashing::WhileReading {
        (sink.hasher, sink.size) = (hasher, size);
    }
    done
}

/// The kernel tells of a failed write once: who asks first must not forget it.
fn flush_all(file: &File, temporary: &Temporary, steps: Receiver<Option<Sound>>) -> Result<(), InboxFault> {
    for sound in steps {
        file.sync_data().map_err(|e| InboxFault::disk(temporary.path(), "write", &e))?;
        if let Some((size, hasher)) = sound {
            temporary.record(size, hasher)?;
        }
    }
    Ok(())
}

fn joined(thread: ScopedJoinHandle<'_, Result<(), InboxFault>>) -> Result<(), InboxFault> {
    thread
        .join()
        .unwrap_or_else(|_| Err(InboxFault::Disk(std::io::Error::other("the archive's writer died"))))
}

/// Buffers to fill: more are made only while whoever writes falls behind.
struct Buffers {
    emptied: Receiver<Vec<u8>>,
    size: usize,
    /// that may be made yet
    left: usize,
}

impl Buffers {
    /// `None` where nobody writes any more.
    fn next(&mut self) -> Option<Vec<u8>> {
        match self.emptied.try_recv() {
            Ok(buffer) => Some(buffer),
            Err(TryRecvError::Empty) if self.left > 0 => {
                self.left -= 1;
                Some(vec![0; self.size])
            }
            Err(TryRecvError::Empty | TryRecvError::Disconnected) => self.emptied.recv().ok(),
        }
    }
}

fn fill_all(
    hashing: Hashing,
    read: Read<'_>,
    full: SyncSender<Full>,
    mut to_fill: Buffers,
    (hasher, size): (&mut Sha256, &mut u64),
) -> Result<(), InboxFault> {
    while let Some(mut buffer) = to_fill.next() {
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
    flush: &Flush,
) -> Result<(), InboxFault> {
    while let Ok((buffer, got)) = to_write.recv() {
        let bytes = buffer.get(..got).unwrap_or_default();
        if hashing == Hashing::WhileWriting {
            sink.hash(bytes);
        }
        sink.write(bytes)?;
        flush.wrote(got, || (hashing == Hashing::WhileWriting).then(|| (sink.size, sink.hasher.clone())));
        // the reader may be through already
        let _ = empty.send(buffer);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes `front` from the reader while `rest` writes behind it; the files left in the archive beside it.
    fn taken(front: &[u8], rest: &(dyn Fn(Behind<'_>) + Sync)) -> (Result<Archived, InboxFault>, usize) {
        taken_by_both(front, &mut |_| Ok(()), rest)
    }

    fn taken_by_both(
        front: &[u8],
        then: &mut dyn FnMut(Behind<'_>) -> Result<(), InboxFault>,
        meanwhile: &(dyn Fn(Behind<'_>) + Sync),
    ) -> (Result<Archived, InboxFault>, usize) {
        let dir = tempfile::tempdir().expect("a folder");
        let archive = Archive::of(dir.path());
        archive.prepare().expect("prepared");
        let plan = Plan { size: 1 << 20, buffer: 1000, hashing: Hashing::WhileWriting };
        let mut left = front;
        let draft = take_with_rest(
            archive.begin().expect("begun"),
            plan,
            &mut |buffer| Ok(std::io::Read::read(&mut left, buffer).expect("memory")),
            Rest { then, meanwhile },
        );
        let kept = draft.and_then(|draft| draft.keep(&archive));
        let incoming = std::fs::read_dir(dir.path().join("archive/.incoming")).expect("there").count();
        (kept, incoming)
    }

    fn sum(bytes: &[u8]) -> String {
        Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn fault() -> InboxFault {
        InboxFault::Temporary("another file".to_owned())
    }

    #[test]
    fn what_is_written_behind_is_hashed_after_what_is_before_it() {
        let bytes: Vec<u8> = (0..700_000_u32).flat_map(u32::to_le_bytes).collect();
        let (front, back) = bytes.split_at(1_200_000);
        let (kept, incoming) = taken(front, &|behind| {
            behind.join(1_199_000, front[1_199_000..].to_vec(), fault()).expect("wanted");
            let mut at = front.len() as u64;
            for piece in back.chunks(300_001) {
                behind.write(at, piece).expect("written");
                at += piece.len() as u64;
            }
        });
        let kept = kept.expect("whole");
        assert_eq!((kept.size, kept.sha256), (2_800_000, sum(&bytes)));
        assert_eq!(incoming, 0);
    }

    #[test]
    fn parts_from_both_sides_are_hashed_in_their_order() {
        let bytes: Vec<u8> = (0..700_000_u32).flat_map(u32::to_le_bytes).collect();
        let part = |behind: &Behind<'_>, from: usize, to: usize| {
            behind.join(from as u64 - 500, bytes[from - 500..from].to_vec(), fault())?;
            (from..to)
                .step_by(9_999)
                .try_for_each(|at| behind.write(at as u64, &bytes[at..to.min(at + 9_999)]))
        };
        let (kept, _) = taken_by_both(
            &bytes[..1_000_000],
            &mut |behind| part(&behind, 2_000_000, 2_300_000).and(part(&behind, 1_600_000, 2_000_000)),
            &|behind| {
                part(&behind, 2_300_000, 2_800_000).expect("wanted");
                part(&behind, 1_000_000, 1_600_000).expect("wanted");
            },
        );
        let kept = kept.expect("whole");
        assert_eq!((kept.size, kept.sha256), (2_800_000, sum(&bytes)));
    }

    #[test]
    fn what_the_first_fails_of_behind_its_front_is_told() {
        let (kept, incoming) = taken_by_both(&[1; 5000], &mut |_| Err(fault()), &|_| ());
        assert!(matches!(kept, Err(InboxFault::Temporary(why)) if why == "another file"));
        assert_eq!(incoming, 0);
    }

    #[test]
    fn a_rest_that_does_not_join_is_not_taken() {
        let (kept, incoming) = taken(&[1; 5000], &|behind| {
            behind.join(4000, vec![2; 1000], fault()).expect("wanted");
            // nobody may want it any more
            let _ = behind.write(5000, &[2; 5000]);
        });
        assert!(matches!(kept, Err(InboxFault::Temporary(why)) if why == "another file"));
        assert_eq!(incoming, 0);
    }

    #[test]
    fn a_gap_ends_the_draft() {
        let (kept, _) = taken(&[1; 5000], &|behind| {
            let _ = behind.join(5500, vec![1; 500], fault());
            let _ = behind.write(6000, &[1; 5000]);
        });
        assert_eq!(kept.expect("what there is").sha256, sum(&[1; 5000]));
    }

    #[test]
    fn a_rest_that_never_comes_is_not_waited_for() {
        let (kept, _) = taken(&[1; 5000], &|behind| drop(behind));
        assert_eq!(kept.expect("the front").size, 5000);
    }
}
