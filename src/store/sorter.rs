//! Sorting more records than memory should hold: sorted runs are spilled to an unlinked temporary file and merged.
//!
//! Filling goes on while a full chunk is sorted and written by a thread of its own. Memory: two chunks, small enough that
//! sorting one stays near the processor, and a small buffer a run while merging.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

/// Bytes of records with which a chunk is full.
const CHUNK: usize = 2 << 20;
/// Bytes before a record that tell its length.
const LENGTH: usize = 4;
/// Room for the record that fills a chunk, unless it is an uncommonly long one.
const SLACK: usize = 64 << 10;
/// Buffers for reading the runs back, together, unless there are very many: one has [`RUN_BUFFER`] bytes.
const RUN_BUFFERS: usize = 6 << 20;
/// Least and most bytes of one.
const RUN_BUFFER: std::ops::RangeInclusive<usize> = 16 << 10..=64 << 10;

/// The part of a record that decides its order, as plain bytes.
pub type Key = fn(&[u8]) -> &[u8];

/// Takes records in any order, gives them back in order of their keys.
pub struct Sorter {
    key: Key,
    folder: PathBuf,
    filling: Chunk,
    spiller: Option<Spiller>,
}

struct Spiller {
    full: SyncSender<Chunk>,
    empty: Receiver<Chunk>,
    thread: JoinHandle<io::Result<Vec<Spilled>>>,
}

#[derive(Default)]
struct Chunk {
    bytes: Vec<u8>,
    /// the beginning of the key, and where the record begins
    order: Vec<(Prefix, u32)>,
}

impl Sorter {
    /// A sorter that spills into `folder` if it must.
    pub fn new(folder: &Path, key: Key) -> Sorter {
        Sorter { key, folder: folder.to_path_buf(), filling: Chunk::default(), spiller: None }
    }

    /// Takes the record that `write` appends to the bytes that are there.
    pub fn push(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> io::Result<()> {
        self.filling.push(write, self.key);
        if self.filling.bytes.len() >= CHUNK { self.spill() } else { Ok(()) }
    }

    fn spill(&mut self) -> io::Result<()> {
        let spiller = match self.spiller.take() {
            Some(spiller) => spiller,
            None => Spiller::start(self.folder.clone(), self.key)?,
        };
        let full = std::mem::take(&mut self.filling);
        let handed = spiller.full.send(full).is_ok();
        let empty = if handed { spiller.empty.recv().ok() } else { None };
        match empty {
            Some(chunk) => {
                self.filling = chunk;
                self.spiller = Some(spiller);
                Ok(())
            }
            None => {
                // the thread has stopped: its error is the answer
                spiller.finish()?;
                Err(io::Error::other("sorting stopped"))
            }
        }
    }

    /// All records in order.
    pub fn finish(self) -> io::Result<Merge> {
        Sorter::finish_all(vec![self])
    }

    /// All records of sorters with one key, in order.
    pub fn finish_all(sorters: Vec<Sorter>) -> io::Result<Merge> {
        let key: Key = sorters.first().map_or(|record| record, |sorter| sorter.key);
        let (mut runs, mut spilled) = (Vec::new(), Vec::new());
        for mut sorter in sorters {
            sorter.filling.sort(key);
            if let Some(spiller) = sorter.spiller.take() {
                spilled.extend(spiller.finish()?);
            }
            runs.push(Source::Memory { chunk: sorter.filling, next: 0 });
        }
        let buffer = (RUN_BUFFERS / spilled.len().max(1)).clamp(*RUN_BUFFER.start(), *RUN_BUFFER.end());
        runs.extend(spilled.into_iter().map(|run| Source::Spilled(BufReader::with_capacity(buffer, run))));
        Merge::new(runs, key)
    }
}

impl Spiller {
    fn start(folder: PathBuf, key: Key) -> io::Result<Spiller> {
        let (full, chunks) = sync_channel::<Chunk>(0);
        let (emptied, empty) = sync_channel::<Chunk>(2);
        // the second chunk of the pair
        emptied.send(Chunk::default()).map_err(io::Error::other)?;
        let thread = std::thread::Builder::new().name("sort".into()).spawn(move || {
            let file = Arc::new(unlinked(&folder)?);
            let mut out = BufWriter::with_capacity(1 << 20, &*file);
            let (mut runs, mut at) = (Vec::new(), 0);
            for mut chunk in chunks {
                chunk.sort(key);
                let end = at + chunk.write(&mut out)?;
                runs.push(Spilled { file: Arc::clone(&file), at, end });
                at = end;
                chunk.clear();
                // whoever fills may have finished already
                let _ = emptied.send(chunk);
            }
            out.flush()?;
            drop(out);
            Ok(runs)
        })?;
        Ok(Spiller { full, empty, thread })
    }

    fn finish(self) -> io::Result<Vec<Spilled>> {
        drop(self.full);
        drop(self.empty);
        self.thread.join().map_err(|_| io::Error::other("the sorting thread failed"))?
    }
}

impl Chunk {
    fn push(&mut self, write: impl FnOnce(&mut Vec<u8>), key: Key) {
        if self.bytes.capacity() == 0 {
            // room is taken at once and touched as it fills: growing would copy what is there
            self.bytes.reserve(CHUNK + SLACK);
        }
        let at = self.bytes.len();
        let begin = at + LENGTH;
        self.bytes.extend_from_slice(&[0; LENGTH]);
        write(&mut self.bytes);
        let length = u32::try_from(self.bytes.len() - begin).expect("a record is a row of bounded length");
        self.bytes[at..begin].copy_from_slice(&length.to_le_bytes());
        let at = u32::try_from(at).expect("a chunk is far smaller than 4 GiB");
        self.order.push((prefix(key(&self.bytes[begin..])), at));
    }

    fn sort(&mut self, key: Key) {
        let bytes = &self.bytes;
        self.order.sort_unstable_by(|a, b| {
            a.0.cmp(&b.0).then_with(|| key(record_at(bytes, a.1)).cmp(key(record_at(bytes, b.1))))
        });
    }

    /// Writes the records in order; how many bytes they take.
    fn write(&self, out: &mut impl Write) -> io::Result<u64> {
        for &(_, at) in &self.order {
            let record = record_at(&self.bytes, at);
            out.write_all(&(record.len() as u32).to_le_bytes())?;
            out.write_all(record)?;
        }
        Ok(self.bytes.len() as u64)
    }

    fn clear(&mut self) {
        self.bytes.clear();
        self.order.clear();
    }
}

/// The first sixteen bytes of a key, in their order: they tell most keys apart without a look at the records.
type Prefix = [u64; 2];

fn prefix(key: &[u8]) -> Prefix {
    let mut first = [0; 16];
    let length = key.len().min(first.len());
    first[..length].copy_from_slice(&key[..length]);
    let (words, _) = first.as_chunks::<8>();
    [u64::from_be_bytes(words[0]), u64::from_be_bytes(words[1])]
}

fn record_at(bytes: &[u8], at: u32) -> &[u8] {
    let (length, rest) = bytes[at as usize..].split_first_chunk::<LENGTH>().expect("four bytes of length");
    &rest[..u32::from_le_bytes(*length) as usize]
}

/// A file without a name: it is gone when it is closed, also by a crash.
fn unlinked(folder: &Path) -> io::Result<File> {
    use std::sync::atomic::{AtomicU64, Ordering};
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let path = folder.join(format!("sort-{}-{number}", std::process::id()));
    let file = File::options().read(true).write(true).create(true).truncate(true).open(&path)?;
    std::fs::remove_file(&path)?;
    Ok(file)
}

/// Records in order of their keys.
pub struct Merge {
    key: Key,
    runs: Vec<Run>,
    /// indexes of runs that have a record, smallest first: a binary heap
    heap: Vec<usize>,
    /// whether the first of them has been taken
    taken: bool,
}

enum Source {
    Memory { chunk: Chunk, next: usize },
    Spilled(BufReader<Spilled>),
}

/// A run in the file that its sorter spilled to.
struct Spilled {
    file: Arc<File>,
    at: u64,
    end: u64,
}

impl Read for Spilled {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.end - self.at).unwrap_or(usize::MAX).min(out.len());
        let read = self.file.read_at(&mut out[..left], self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}

struct Run {
    source: Source,
    current: Vec<u8>,
    prefix: Prefix,
}

impl Merge {
    fn new(runs: Vec<Source>, key: Key) -> io::Result<Merge> {
        let run = |source| Run { source, current: Vec::new(), prefix: Prefix::default() };
        let mut runs: Vec<Run> = runs.into_iter().map(run).collect();
        let mut heap = Vec::new();
        for (index, run) in runs.iter_mut().enumerate() {
            if run.advance(key)? {
                heap.push(index);
            }
        }
        let mut merge = Merge { key, runs, heap, taken: false };
        for at in (0..merge.heap.len() / 2).rev() {
            merge.sink(at);
        }
        Ok(merge)
    }

    /// The next record, until the next call.
    pub fn next(&mut self) -> io::Result<Option<&[u8]>> {
        if self.taken {
            self.advance()?;
        }
        self.taken = true;
        Ok(self.first())
    }

    /// The record that [`Merge::next`] would give, without taking it.
    pub fn peek(&mut self) -> io::Result<Option<&[u8]>> {
        if self.taken {
            self.advance()?;
            self.taken = false;
        }
        Ok(self.first())
    }

    /// Takes what [`Merge::peek`] gave.
    pub fn skip(&mut self) {
        self.taken = true;
    }

    fn first(&self) -> Option<&[u8]> {
        self.heap.first().map(|&index| self.runs[index].record())
    }

    fn advance(&mut self) -> io::Result<()> {
        if let Some(&first) = self.heap.first() {
            if !self.runs[first].advance(self.key)? {
                self.heap.swap_remove(0);
            }
            self.sink(0);
        }
        Ok(())
    }

    fn before(&self, a: usize, b: usize) -> bool {
        let (a, b) = (&self.runs[self.heap[a]], &self.runs[self.heap[b]]);
        let order = a.prefix.cmp(&b.prefix);
        order.then_with(|| (self.key)(a.record()).cmp((self.key)(b.record()))).is_lt()
    }

    fn sink(&mut self, mut at: usize) {
        loop {
            let (left, right) = (2 * at + 1, 2 * at + 2);
            let mut least = at;
            if left < self.heap.len() && self.before(left, least) {
                least = left;
            }
            if right < self.heap.len() && self.before(right, least) {
                least = right;
            }
            if least == at {
                return;
            }
            self.heap.swap(at, least);
            at = least;
        }
    }
}

impl Run {
    fn record(&self) -> &[u8] {
        match &self.source {
            Source::Memory { chunk, next } => record_at(&chunk.bytes, chunk.order[*next - 1].1),
            Source::Spilled(_) => &self.current,
        }
    }

    fn advance(&mut self, key: Key) -> io::Result<bool> {
        match &mut self.source {
            Source::Memory { chunk, next } => {
                let Some(&(prefix, _)) = chunk.order.get(*next) else { return Ok(false) };
                self.prefix = prefix;
                *next += 1;
            }
            Source::Spilled(file) => {
                let mut length = [0; 4];
                match file.read_exact(&mut length) {
                    Ok(()) => {}
                    Err(fault) if fault.kind() == io::ErrorKind::UnexpectedEof => return Ok(false),
                    Err(fault) => return Err(fault),
                }
                self.current.resize(u32::from_le_bytes(length) as usize, 0);
                file.read_exact(&mut self.current)?;
                self.prefix = prefix(key(&self.current));
            }
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_back_everything_in_order_however_much_it_spills() {
        let folder = tempfile::tempdir().unwrap();
        let mut sorter = Sorter::new(folder.path(), |record| record);
        let filler = "x".repeat(2000);
        let mut expected = Vec::new();
        for number in 0..40_000_u64 {
            let record = format!("{:016}{filler}", number.wrapping_mul(0x9E37_79B9_7F4A_7C15) % 1_000_003);
            sorter.push(|out| out.extend_from_slice(record.as_bytes())).unwrap();
            expected.push(record);
        }
        expected.sort();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "spilled files have no name");
        let mut merge = sorter.finish().unwrap();
        for record in expected {
            assert_eq!(merge.next().unwrap(), Some(record.as_bytes()));
        }
        assert_eq!(merge.next().unwrap(), None);
    }

    #[test]
    fn several_are_merged_as_one() {
        let folder = tempfile::tempdir().unwrap();
        let mut sorters: Vec<Sorter> = (0..3).map(|_| Sorter::new(folder.path(), |record| record)).collect();
        let filler = "x".repeat(2000);
        for number in 0..12_000_usize {
            // the third one spills nothing
            let to = if number % 100 == 0 { 2 } else { number % 2 };
            let record = format!("{number:08}{filler}");
            sorters[to].push(|out| out.extend_from_slice(record.as_bytes())).unwrap();
        }
        let mut merge = Sorter::finish_all(sorters).unwrap();
        for number in 0..12_000 {
            assert_eq!(
                merge.next().unwrap().map(|record| &record[..8]),
                Some(format!("{number:08}").as_bytes())
            );
        }
        assert_eq!(merge.next().unwrap(), None);
        assert_eq!(Sorter::finish_all(Vec::new()).unwrap().next().unwrap(), None);
    }

    #[test]
    fn an_unwritable_folder_is_an_error() {
        let mut sorter = Sorter::new(Path::new("/nonexistent/folder"), |record| record);
        let record = vec![0; 1 << 20];
        assert!((0..64).any(|_| sorter.push(|out| out.extend_from_slice(&record)).is_err()));
    }
}
