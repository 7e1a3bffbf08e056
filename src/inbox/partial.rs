//! What is here of a download that broke: its bytes, and a record of which file they are of and how many of them are sound, under
//! their SHA-256. Within a run and across runs, killed ones too, the next try goes on from there.
//!
//! A record never says more than what the disk has: it is written after the bytes were, so that after a loss of power they
//! are those of the record or are not used. Few are kept, and not for long.

use super::{Archive, Candidate, InboxFault};
use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Fewer bytes than these are quicker fetched again than kept.
const WORTH: u64 = 1 << 20;

/// So many broken downloads are kept, the latest.
const MOST: usize = 8;

/// What is here of a file.
const PART: &str = "part";

/// What its record is called.
const RECORD: &str = "record";

/// The first line of a record.
const HEAD: &str = "accrued partial 1";

/// Read at once while hashing.
const PIECE: usize = 256 * 1024;

/// Which file of which place: another size or mtime makes it another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct What {
    text: String,
}

impl What {
    /// `None` for a file that cannot be known again, since its server tells no mtime, or that is not worth it.
    pub(super) fn of(feed: &str, place: &str, file: &Candidate) -> Option<What> {
        let mtime = file.mtime?;
        let Candidate { name, size, .. } = file;
        (*size > WORTH).then(|| What { text: format!("{feed}\n{place}\n{name}\n{size}\n{mtime}\n") })
    }

    fn key(&self) -> String {
        hex(Sha256::digest(&self.text)).split_off(32)
    }
}

/// A file that a download is written to. Dropped, it goes, unless it was kept in the archive or left for the next try.
#[derive(Debug)]
pub(super) struct Temporary {
    path: PathBuf,
    /// of which file it is, where it may be left
    what: Option<What>,
    left: bool,
}

impl Temporary {
    /// One that is never left.
    pub(super) fn passing(path: PathBuf) -> Temporary {
        Temporary { path, what: None, left: false }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    fn record_path(&self) -> PathBuf {
        self.path.with_extension(RECORD)
    }

    /// Says that the first `size` bytes, with this hash, are on the disk.
    pub(super) fn record(&self, size: u64, hasher: Sha256) -> Result<(), InboxFault> {
        self.record_sum(size, &hex(hasher.finalize()))
    }

    fn record_sum(&self, size: u64, sha256: &str) -> Result<(), InboxFault> {
        let Some(what) = &self.what else { return Ok(()) };
        let (path, beside) = (self.record_path(), self.path.with_extension("new"));
        let text = format!("{HEAD}\n{size} {sha256}\n{}", what.text);
        let written = fs::write(&beside, text).and_then(|()| fs::rename(&beside, &path));
        written.map_err(|e| InboxFault::disk(&path, "write", &e))
    }

    /// Leaves what is here for the next try, if it is worth that.
    pub(super) fn leave(mut self, file: &File, size: u64, sha256: &str) {
        if self.what.is_none() || size < WORTH {
            return;
        }
        // a disk that fails here leaves nothing, and the next try begins anew
        let sound = file.set_len(size).and_then(|()| file.sync_data());
        self.left = sound.is_ok() && self.record_sum(size, sha256).is_ok();
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if self.left {
            return;
        }
        // fails when it was renamed, which is what it was made for; else `prepare` of the next run removes it
        let _ = fs::remove_file(&self.path);
        if self.what.is_some() {
            let _ = fs::remove_file(self.record_path());
        }
    }
}

/// Where a download goes on: after the bytes that are here, which are hashed already.
#[derive(Debug)]
pub(super) struct Start {
    pub temporary: Temporary,
    pub file: File,
    pub hasher: Sha256,
    /// bytes that are here
    pub size: u64,
}

impl Start {
    /// The last bytes that are here, at most so many.
    pub(super) fn last(&self, most: usize) -> Result<Vec<u8>, InboxFault> {
        use std::os::unix::fs::FileExt;
        let count = usize::try_from(self.size).unwrap_or(most).min(most);
        let mut bytes = vec![0; count];
        let read = self.file.read_exact_at(&mut bytes, self.size - count as u64);
        read.map_err(|e| InboxFault::disk(self.temporary.path(), "read", &e))?;
        Ok(bytes)
    }

    /// Leaves what is here as it was found.
    pub(super) fn leave(mut self) {
        self.temporary.left = self.size > 0;
    }

    /// Forgets what is here.
    pub(super) fn anew(&mut self) -> Result<(), InboxFault> {
        let emptied = self.file.set_len(0).and_then(|()| self.file.rewind());
        emptied.map_err(|e| InboxFault::disk(self.temporary.path(), "write", &e))?;
        (self.hasher, self.size) = (Sha256::new(), 0);
        Ok(())
    }
}

impl Archive {
    /// What is here of a file, or the beginning of it. A record that does not fit its bytes is no record.
    pub(super) fn resume(&self, what: What) -> Result<Start, InboxFault> {
        let folder = self.incoming();
        fs::create_dir_all(&folder).map_err(|e| InboxFault::disk(&folder, "create", &e))?;
        let path = folder.join(what.key()).with_extension(PART);
        let fault = |e: io::Error| InboxFault::disk(&path, "read", &e);
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(|e| InboxFault::disk(&path, "create", &e))?;
        let temporary = Temporary { path: path.clone(), what: Some(what), left: false };
        let (hasher, size) = sound(&temporary, &mut file).map_err(fault)?.unwrap_or((Sha256::new(), 0));
        file.set_len(size).and_then(|()| file.seek(SeekFrom::Start(size))).map_err(fault)?;
        Ok(Start { temporary, file, hasher, size })
    }

    /// Removes what killed runs left of downloads, but for the latest that can be resumed.
    pub(super) fn sweep(&self) -> Result<(), InboxFault> {
        let folder = self.incoming();
        let mut kept = Vec::new();
        let fault = |e: io::Error| InboxFault::disk(&folder, "read", &e);
        let mut paths = Vec::new();
        for entry in fs::read_dir(&folder).map_err(fault)? {
            paths.push(entry.map_err(fault)?.path());
        }
        for path in &paths {
            let has = |extension: &str| paths.contains(&path.with_extension(extension));
            match path.extension().and_then(|extension| extension.to_str()) {
                Some(PART) if has(RECORD) => kept.push((written(path), path.clone())),
                Some(RECORD) if has(PART) => {}
                Some(_) | None => remove(path)?,
            }
        }
        kept.sort();
        let old = kept.len().saturating_sub(MOST);
        kept.into_iter().take(old).try_for_each(|(_, path)| remove_both(&path))
    }

    /// Forgets broken downloads that were last written to before this.
    ///
    /// # Errors
    /// Of the disk, with the path.
    pub fn forget_partials(&self, before: DateTime<Utc>) -> Result<(), InboxFault> {
        let folder = self.incoming();
        let fault = |e: io::Error| InboxFault::disk(&folder, "read", &e);
        for entry in fs::read_dir(&folder).map_err(fault)? {
            let path = entry.map_err(fault)?.path();
            let of_part = path.extension().is_some_and(|extension| extension == PART);
            if of_part && written(&path).is_some_and(|written| DateTime::<Utc>::from(written) < before) {
                remove_both(&path)?;
            }
        }
        Ok(())
    }
}

fn written(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).and_then(|found| found.modified()).ok()
}

fn remove(path: &Path) -> Result<(), InboxFault> {
    fs::remove_file(path).map_err(|e| InboxFault::disk(path, "remove", &e))
}

fn remove_both(part: &Path) -> Result<(), InboxFault> {
    remove(part)?;
    remove(&part.with_extension(RECORD))
}

/// How many bytes of the file the record vouches for, hashed; `None` where there is no record of this file or its bytes are others.
fn sound(temporary: &Temporary, file: &mut File) -> io::Result<Option<(Sha256, u64)>> {
    let text = fs::read_to_string(temporary.record_path()).unwrap_or_default();
    let Some((size, sha256)) = temporary.what.as_ref().and_then(|what| said(&text, what)) else {
        return Ok(None);
    };
    if file.metadata()?.len() < size {
        return Ok(None);
    }
    let mut hasher = Sha256::new();
    let mut bytes = file.by_ref().take(size);
    let mut piece = vec![0; PIECE];
    loop {
        match bytes.read(&mut piece)? {
            0 => break,
            got => hasher.update(piece.get(..got).unwrap_or_default()),
        }
    }
    Ok((hex(hasher.clone().finalize()) == sha256).then_some((hasher, size)))
}

/// Size and SHA-256 out of a record of this file.
fn said<'t>(text: &'t str, what: &What) -> Option<(u64, &'t str)> {
    let rest = text.strip_prefix(HEAD)?.strip_prefix('\n')?;
    let (said, of) = rest.split_once('\n')?;
    let (size, sha256) = said.split_once(' ')?;
    Some((size.parse().ok()?, sha256)).filter(|_| of == what.text)
}

/// Lower-case hex.
pub(super) fn hex(bytes: impl AsRef<[u8]>) -> String {
    bytes.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inbox::pattern::Named;
    use std::io::Write;

    fn what(name: &str, mtime: Option<i64>) -> Option<What> {
        let file = Candidate { name: name.to_owned(), size: 5 << 20, mtime, named: Named::default() };
        What::of("north", "sftp://h/f", &file)
    }

    struct Site {
        dir: tempfile::TempDir,
        archive: Archive,
    }

    impl Site {
        fn new() -> Site {
            let dir = tempfile::tempdir().expect("a folder");
            let archive = Archive::of(dir.path());
            archive.prepare().expect("prepared");
            Site { dir, archive }
        }

        fn incoming(&self) -> usize {
            fs::read_dir(self.dir.path().join("archive/.incoming")).expect("there").count()
        }

        /// Leaves a broken download.
        fn leave(&self, name: &str, bytes: &[u8]) -> PathBuf {
            let mut start = self.archive.resume(what(name, Some(1)).expect("worth it")).expect("begun");
            start.file.write_all(bytes).expect("written");
            let path = start.temporary.path().to_owned();
            start.temporary.leave(&start.file, bytes.len() as u64, &hex(Sha256::digest(bytes)));
            path
        }

        fn resumed(&self, name: &str, mtime: i64) -> u64 {
            self.archive.resume(what(name, Some(mtime)).expect("worth it")).expect("begun").size
        }
    }

    #[test]
    fn what_was_left_goes_on_and_is_gone_once_it_was_dropped() {
        let site = Site::new();
        let bytes = vec![7; 2 << 20];
        site.leave("a.csv", &bytes);
        site.archive.prepare().expect("prepared");
        let start = site.archive.resume(what("a.csv", Some(1)).expect("worth it")).expect("begun");
        assert_eq!((start.size, start.last(3).expect("read")), (2 << 20, vec![7; 3]));
        assert_eq!(start.hasher.clone().finalize(), Sha256::digest(&bytes));
        drop(start);
        assert_eq!(site.incoming(), 0);
    }

    #[test]
    fn bytes_that_are_not_the_records_and_files_that_are_others_begin_anew() {
        let site = Site::new();
        let path = site.leave("a.csv", &vec![7; 2 << 20]);
        assert_eq!(site.resumed("a.csv", 2), 0, "another mtime is another file");
        fs::write(&path, vec![8; 2 << 20]).expect("damaged");
        assert_eq!(site.resumed("a.csv", 1), 0);
        let path = site.leave("a.csv", &vec![7; 2 << 20]);
        fs::write(&path, vec![7; 2 << 19]).expect("cut");
        assert_eq!(site.resumed("a.csv", 1), 0);
        site.leave("a.csv", &[7; 100]);
        assert_eq!(site.incoming(), 0, "a few bytes are not worth it");
        assert_eq!(what("a.csv", None), None);
    }

    #[test]
    fn few_are_kept_and_not_for_long() {
        let site = Site::new();
        for number in 0..12_u64 {
            let path = site.leave(&format!("{number}.csv"), &vec![7; 1 << 20]);
            let at = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_800_000_000 + number);
            File::options().write(true).open(path).and_then(|f| f.set_modified(at)).expect("touched");
        }
        fs::write(site.dir.path().join("archive/.incoming/lost.part"), b"without a record").expect("written");
        site.archive.prepare().expect("prepared");
        assert_eq!(site.incoming(), 2 * MOST);
        assert_eq!((site.resumed("3.csv", 1), site.resumed("4.csv", 1)), (0, 1 << 20));
        let before = DateTime::from_timestamp(1_800_000_011, 0).expect("in range");
        site.archive.forget_partials(before).expect("forgotten");
        assert_eq!(site.incoming(), 2);
        assert_eq!(site.resumed("11.csv", 1), 1 << 20);
    }
}
