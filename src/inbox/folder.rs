//! A feed's local folder (`file:`), by the same rules as a remote one: no link is followed, no file is taken that changes.

mod shelf;

use super::intake::{self, Hashing, Plan};
use super::sieve::{self, Facts, Nature, Sort};
use super::{Archive, Archived, Cancel, Candidate, InboxFault, Listing, Source};
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Bytes read at once: large enough to spare calls, small enough for the processor's cache.
const BUFFER: usize = 256 * 1024;

/// An existing folder.
#[derive(Debug)]
pub struct Folder {
    source: Source,
    path: PathBuf,
    cancel: Cancel,
}

impl Folder {
    pub(super) fn open(source: &Source, path: &Path, cancel: &Cancel) -> Result<Folder, InboxFault> {
        match fs::metadata(path) {
            Ok(found) if found.is_dir() => {
                Ok(Folder { source: source.clone(), path: path.to_owned(), cancel: cancel.clone() })
            }
            Ok(_) => Err(InboxFault::Limit(format!("{} is not a folder; mend url", path.display()))),
            Err(error) => Err(folder_fault(path, &error)),
        }
    }

    pub(super) fn list(&mut self) -> Result<Listing, InboxFault> {
        let mut listing = sieve::empty(&self.source);
        for entry in fs::read_dir(&self.path).map_err(|e| folder_fault(&self.path, &e))? {
            self.cancel.check()?;
            let name = entry.map_err(|e| folder_fault(&self.path, &e))?.file_name();
            match sieve::sort(&self.source, name.as_bytes()) {
                Sort::Ours(name, named) => {
                    if let Some(facts) = self.facts(&name)? {
                        match sieve::candidate(&self.source, name, named, facts) {
                            Ok(file) => listing.files.push(file),
                            Err(passed) => listing.passed.push(passed),
                        }
                    }
                }
                Sort::Sidecar { of, name } => {
                    if let Some(facts) = self.facts(&name)? {
                        sieve::accompany(&self.source, &mut listing, of, name, facts);
                    }
                }
                Sort::Marker(of) => {
                    listing.markers.insert(of);
                }
                Sort::Refused(passed) => listing.passed.push(passed),
                Sort::Other => {}
            }
        }
        Ok(sieve::in_order(listing))
    }

    pub(super) fn look(&mut self, name: &str) -> Result<Option<Candidate>, InboxFault> {
        self.look_at(name)
    }

    fn look_at(&self, name: &str) -> Result<Option<Candidate>, InboxFault> {
        let Some((name, named)) = sieve::fetched(&self.source, name.as_bytes()) else {
            return Ok(None);
        };
        let facts = self.facts(&name)?;
        Ok(facts.and_then(|facts| sieve::candidate(&self.source, name, named, facts).ok()))
    }

    /// `None` for a name that went between the listing and now.
    fn facts(&self, name: &str) -> Result<Option<Facts>, InboxFault> {
        match fs::symlink_metadata(self.path.join(name)) {
            Ok(found) => Ok(Some(Facts {
                nature: nature(&found),
                size: Some(found.len()),
                mtime: Some(moment(&found)),
            })),
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
            Err(e) => Err(folder_fault(&self.path, &e)),
        }
    }

    pub(super) fn fetch(&mut self, file: &Candidate, archive: &Archive) -> Result<Archived, InboxFault> {
        let Some(_) = sieve::fetched(&self.source, file.name.as_bytes()) else {
            return Err(InboxFault::Limit(format!("{:?} is not a name of this feed's files", file.name)));
        };
        let path = self.path.join(&file.name);
        let mut open = open(&path)?;
        let start = open.metadata().map_err(|e| read_fault(&path, &e))?;
        expect(&path, "when opened", file, &start)?;
        let mut read = 0;
        let draft = intake::take(
            archive.begin()?,
            Plan { size: file.size, buffer: BUFFER, hashing: Hashing::WhileReading },
            &mut |buffer| {
                self.cancel.check()?;
                let got = read_some(&path, &mut open, buffer)?;
                read += got as u64;
                if read > file.size {
                    return Err(changed(
                        &path,
                        &format!("grew beyond its {} bytes while it was read", file.size),
                    ));
                }
                Ok(got)
            },
        )?;
        if draft.size != file.size {
            return Err(changed(&path, &format!("had {} bytes and ended after {}", file.size, draft.size)));
        }
        let end = open.metadata().map_err(|e| read_fault(&path, &e))?;
        let fresh = fs::symlink_metadata(&path).map_err(|e| read_fault(&path, &e))?;
        same(&path, &start, &end)?;
        same(&path, &start, &fresh)?;
        draft.keep(archive)
    }
}

fn nature(found: &Metadata) -> Nature {
    let kind = found.file_type();
    if kind.is_file() {
        Nature::File
    } else if kind.is_dir() {
        Nature::Folder
    } else if kind.is_symlink() {
        Nature::Symlink
    } else {
        Nature::Special
    }
}

/// Never through a link, and never waiting for the other end of a pipe.
fn open(path: &Path) -> Result<File, InboxFault> {
    OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK)
        .open(path)
        .map_err(|e| read_fault(path, &e))
}

fn read_some(path: &Path, file: &mut File, buffer: &mut [u8]) -> Result<usize, InboxFault> {
    loop {
        match file.read(buffer) {
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            other => return other.map_err(|e| read_fault(path, &e)),
        }
    }
}

/// The opened file is the one that was listed.
fn expect(path: &Path, when: &str, file: &Candidate, found: &Metadata) -> Result<(), InboxFault> {
    if found.is_file() && found.len() == file.size && Some(moment(found)) == file.mtime {
        return Ok(());
    }
    Err(changed(
        path,
        &format!(
            "was listed with {} bytes and mtime {}, {when} it had {} and {}",
            file.size,
            sieve::shown(file.mtime),
            found.len(),
            sieve::shown(Some(moment(found)))
        ),
    ))
}

/// Its mtime in nanoseconds since the epoch: a file that is written twice within a second is two files.
fn moment(found: &Metadata) -> i64 {
    found.mtime().saturating_mul(1_000_000_000).saturating_add(found.mtime_nsec())
}

/// It is the same file with the same size and mtime, to the nanosecond.
fn same(path: &Path, start: &Metadata, now: &Metadata) -> Result<(), InboxFault> {
    let identity = |m: &Metadata| (m.dev(), m.ino(), m.len(), moment(m));
    if now.is_file() && identity(start) == identity(now) {
        return Ok(());
    }
    Err(changed(path, "was written to or replaced while it was read"))
}

fn changed(path: &Path, what: &str) -> InboxFault {
    InboxFault::Changed(format!("{} {what}; left for the next run", path.display()))
}

fn read_fault(path: &Path, error: &io::Error) -> InboxFault {
    match error.kind() {
        ErrorKind::NotFound => changed(path, "went away since it was listed"),
        ErrorKind::PermissionDenied => {
            InboxFault::Limit(format!("{} may not be read: {error}; let this user read it", path.display()))
        }
        _ if error.raw_os_error() == Some(libc::ELOOP) => {
            InboxFault::Limit(format!("{} is a symbolic link; these are never followed", path.display()))
        }
        _ => InboxFault::Temporary(format!("cannot read {}: {error}", path.display())),
    }
}

fn folder_fault(path: &Path, error: &io::Error) -> InboxFault {
    match error.kind() {
        ErrorKind::NotFound => {
            InboxFault::Limit(format!("folder {} does not exist; create it or mend url", path.display()))
        }
        ErrorKind::PermissionDenied => InboxFault::Limit(format!(
            "folder {} may not be read: {error}; let this user read it",
            path.display()
        )),
        _ => InboxFault::Temporary(format!("cannot read folder {}: {error}", path.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inbox::pattern::Pattern;
    use crate::inbox::{Complete, Connection, Place};
    use std::ffi::OsStr;
    use std::os::unix::fs::symlink;
    use std::time::Duration;

    /// A drop folder and an archive of their own.
    struct Site {
        dir: tempfile::TempDir,
    }

    impl Site {
        fn new() -> Site {
            let dir = tempfile::tempdir().expect("a temporary folder");
            fs::create_dir(dir.path().join("drop")).expect("drop");
            Site { dir }
        }

        fn drop(&self) -> PathBuf {
            self.dir.path().join("drop")
        }

        fn put(&self, name: impl AsRef<OsStr>, bytes: &[u8]) -> PathBuf {
            let path = self.drop().join(name.as_ref());
            fs::write(&path, bytes).expect("written");
            path
        }

        fn archive(&self) -> Archive {
            let archive = Archive::of(self.dir.path());
            archive.prepare().expect("prepared");
            archive
        }

        fn open_with(&self, pattern: &str, complete: Complete, max_bytes: u64) -> Connection {
            let source = Source {
                feed: "north".to_owned(),
                place: Place::Folder(self.drop()),
                pattern: Pattern::new(pattern).expect("a pattern"),
                complete,
                max_bytes,
                sidecar: None,
                after: crate::inbox::After::Leave,
            };
            Connection::open(&source, &Cancel::default()).expect("open")
        }

        fn open(&self, pattern: &str) -> Connection {
            self.open_with(pattern, Complete::Stable { settle: Duration::ZERO }, u64::MAX)
        }

        /// Every file under the archive, downloads under way included.
        fn archived(&self) -> Vec<PathBuf> {
            let mut found = Vec::new();
            let mut folders = vec![self.dir.path().join("archive")];
            while let Some(folder) = folders.pop() {
                for entry in fs::read_dir(folder).expect("readable") {
                    let path = entry.expect("entry").path();
                    if path.is_dir() { folders.push(path) } else { found.push(path) }
                }
            }
            found
        }
    }

    fn names(listing: &Listing) -> Vec<&str> {
        listing.files.iter().map(|f| f.name.as_str()).collect()
    }

    #[test]
    fn files_come_in_order_of_mtime_then_name_and_unfinished_ones_never() {
        let site = Site::new();
        let old = std::time::SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
        for (name, age) in [("s b.csv", 5), ("s ü.csv", 5), ("s z.csv", 1), ("s..a.csv", 9)] {
            let file = File::create(site.drop().join(name)).expect("made");
            file.set_modified(old + Duration::from_secs(age)).expect("touched");
        }
        for name in [
            ".s.csv",
            "s.csv.tmp",
            "s.csv.part",
            "s.csv.filepart",
            "s.csv.partial",
            "s.csv.swp",
            "s.csv~",
            "x.csv",
        ] {
            site.put(name, b"x");
        }
        let listing = site.open("s*").list().expect("listed");
        assert_eq!(names(&listing), ["s z.csv", "s b.csv", "s ü.csv", "s..a.csv"]);
        assert_eq!(listing.passed, []);
    }

    #[test]
    fn what_is_named_like_a_file_and_is_none_is_passed_with_its_reason() {
        let site = Site::new();
        fs::create_dir(site.drop().join("s1.csv")).expect("a folder");
        symlink("/etc/passwd", site.drop().join("s2.csv")).expect("a link");
        site.put("s3\n.csv", b"x");
        site.put(OsStr::from_bytes(b"s4\xff.csv"), b"x");
        site.put("s5.csv", b"too large");
        site.put("other\n", b"not this feed's");
        let mut open = site.open_with("s*.csv", Complete::Stable { settle: Duration::ZERO }, 8);
        let listing = open.list().expect("listed");
        assert_eq!(listing.files, []);
        let passed: Vec<String> = listing.passed.iter().map(|p| format!("{}: {}", p.name, p.why)).collect();
        assert_eq!(
            passed,
            [
                "s1.csv: it is a folder, not a file",
                "s2.csv: it is a symbolic link; these are never followed: put the file itself there",
                "s3\\n.csv: its name has a line break or another control character; rename it on the server",
                "s4\u{fffd}.csv: its name is not valid UTF-8; rename it on the server",
                "s5.csv: it has 9 bytes, more than max_bytes of 8",
            ]
        );
        assert_eq!(open.look("s2.csv").expect("looked"), None);
    }

    #[test]
    fn markers_are_seen_and_are_no_files() {
        let site = Site::new();
        for name in ["a.csv", "a.csv.done", "b.csv"] {
            site.put(name, b"");
        }
        let listing = site.open_with("*", Complete::Marker, u64::MAX).list().expect("listed");
        assert_eq!(names(&listing).len(), 2);
        assert_eq!(listing.markers.iter().collect::<Vec<_>>(), ["a.csv"]);
    }

    #[test]
    fn a_file_is_archived_under_its_hash_and_only_once() {
        let site = Site::new();
        site.put("s.csv", b"abc");
        site.put("t.csv", b"abc");
        let archive = site.archive();
        let mut open = site.open("*.csv");
        let listing = open.list().expect("listed");
        let taken: Vec<Archived> =
            listing.files.iter().map(|f| open.fetch(f, &archive).expect("fetched")).collect();
        let sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(taken[0].sha256, sha256);
        assert_eq!(taken[0], taken[1]);
        assert_eq!(taken[0].path, site.dir.path().join("archive/ba").join(sha256));
        assert_eq!(site.archived(), [taken[0].path.clone()]);
        assert_eq!(fs::read(&taken[0].path).expect("readable"), b"abc");
    }

    #[test]
    fn large_and_odd_sizes_arrive_whole() {
        let site = Site::new();
        let archive = site.archive();
        for size in [0, 1, BUFFER - 1, BUFFER, BUFFER + 1, 5 * BUFFER + 7] {
            let bytes: Vec<u8> = (0..size).map(|i| (i * 31 % 251) as u8).collect();
            site.put("s.csv", &bytes);
            let mut open = site.open("s.csv");
            let file = open.look("s.csv").expect("looked").expect("there");
            let taken = open.fetch(&file, &archive).expect("fetched");
            assert_eq!(taken.size, size as u64);
            assert!(fs::read(&taken.path).expect("readable") == bytes, "{size} bytes");
        }
    }

    #[test]
    fn a_damaged_archive_file_is_mended_by_the_same_bytes() {
        let site = Site::new();
        site.put("s.csv", b"abc");
        let archive = site.archive();
        let mut open = site.open("*.csv");
        let file = open.look("s.csv").expect("looked").expect("there");
        let first = open.fetch(&file, &archive).expect("fetched");
        fs::write(&first.path, b"a").expect("damaged");
        let again = open.fetch(&file, &archive).expect("fetched");
        assert_eq!(fs::read(again.path).expect("readable"), b"abc");
    }

    #[test]
    fn a_file_that_moved_on_since_it_was_listed_is_left_and_leaves_nothing() {
        let site = Site::new();
        let path = site.put("s.csv", b"abc");
        let archive = site.archive();
        let mut open = site.open("*.csv");
        let file = open.look("s.csv").expect("looked").expect("there");
        let moved = |change: &dyn Fn()| {
            change();
            match site.open("*.csv").fetch(&file, &archive) {
                Err(InboxFault::Changed(why)) => why,
                other => panic!("{other:?}"),
            }
        };
        assert!(moved(&|| fs::write(&path, b"abcd").expect("grown")).contains("was listed with 3 bytes"));
        assert!(
            moved(&|| {
                fs::write(&path, b"abc").expect("same size");
                File::options()
                    .write(true)
                    .open(&path)
                    .and_then(|f| f.set_modified(std::time::SystemTime::UNIX_EPOCH))
                    .expect("touched");
            })
            .contains("mtime")
        );
        assert!(moved(&|| fs::remove_file(&path).expect("gone")).contains("went away"));
        assert_eq!(site.archived(), Vec::<PathBuf>::new());
    }

    #[test]
    fn a_link_or_a_pipe_put_in_a_files_place_is_not_followed_and_does_not_hang() {
        let site = Site::new();
        let path = site.put("s.csv", b"abc");
        let archive = site.archive();
        let mut open = site.open("*.csv");
        let file = open.look("s.csv").expect("looked").expect("there");
        fs::remove_file(&path).expect("gone");
        symlink("/etc/passwd", &path).expect("a link");
        assert!(
            matches!(open.fetch(&file, &archive), Err(InboxFault::Limit(why)) if why.contains("symbolic link"))
        );
        fs::remove_file(&path).expect("gone");
        assert!(std::process::Command::new("mkfifo").arg(&path).status().expect("mkfifo").success());
        assert!(matches!(open.fetch(&file, &archive), Err(InboxFault::Changed(_))));
        assert_eq!(site.archived(), Vec::<PathBuf>::new());
    }

    #[test]
    fn names_that_are_no_names_of_the_feed_are_never_paths() {
        let site = Site::new();
        site.put("s.csv", b"abc");
        let mut open = site.open("*");
        let mut file = open.look("s.csv").expect("looked").expect("there");
        file.name = "../drop/s.csv".to_owned();
        assert!(matches!(open.fetch(&file, &site.archive()), Err(InboxFault::Limit(_))));
        assert_eq!(open.look("../drop/s.csv").expect("looked"), None);
    }

    #[test]
    fn a_folder_that_is_not_there_says_what_to_do() {
        let site = Site::new();
        fs::remove_dir(site.drop()).expect("gone");
        let source = Source {
            feed: "north".to_owned(),
            place: Place::Folder(site.drop()),
            pattern: Pattern::new("*").expect("a pattern"),
            complete: Complete::Marker,
            max_bytes: 1,
            sidecar: None,
            after: crate::inbox::After::Leave,
        };
        match Connection::open(&source, &Cancel::default()) {
            Err(InboxFault::Limit(why)) => {
                assert!(why.ends_with("does not exist; create it or mend url"), "{why}")
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_signal_ends_the_download_and_leaves_nothing() {
        let site = Site::new();
        site.put("s.csv", &vec![7; 3 * BUFFER]);
        let archive = site.archive();
        let cancel = Cancel::default();
        let mut open = site.open("*.csv");
        let file = open.look("s.csv").expect("looked").expect("there");
        let Connection::Folder(folder) = &mut open else { panic!("a folder") };
        folder.cancel = cancel.clone();
        cancel.set();
        assert!(matches!(folder.fetch(&file, &archive), Err(InboxFault::Stopped)));
        assert_eq!(site.archived(), Vec::<PathBuf>::new());
    }

    #[test]
    fn leftovers_of_a_killed_run_are_swept_and_a_lost_archive_is_a_fault_of_the_disk() {
        let site = Site::new();
        let archive = site.archive();
        fs::write(site.dir.path().join("archive/.incoming/17-0"), b"half").expect("left");
        archive.prepare().expect("prepared");
        assert_eq!(site.archived(), Vec::<PathBuf>::new());
        site.put("s.csv", b"abc");
        let mut open = site.open("*.csv");
        let file = open.look("s.csv").expect("looked").expect("there");
        let nowhere = Archive::of(Path::new("/proc/no-such-place"));
        assert!(matches!(open.fetch(&file, &nowhere), Err(InboxFault::Disk(_))));
    }
}
