//! Files on a real OpenSSH server: which are taken, and that each arrives whole or leaves nothing behind.

mod support {
    pub mod delay_proxy;
    pub mod feed;
    pub mod sshd;
}

use accrued::inbox::complete::{Looks, judge};
use accrued::inbox::{Cancel, Complete, Connection, InboxFault, Sftp, Source};
use chrono::{DateTime, TimeDelta};
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use support::delay_proxy::{DelayProxy, Fate};
use support::feed::{Store, changed, names, only, open, settings, source, temporary, through};
use support::sshd::Sshd;

/// Bytes that no compression or repetition explains away.
fn noise(size: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut bytes = Vec::with_capacity(size + 8);
    while bytes.len() < size {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend(state.to_le_bytes());
    }
    bytes.truncate(size);
    bytes
}

const NOTHING: Vec<PathBuf> = Vec::new();

#[test]
fn two_hundred_files_arrive_whole_in_order_over_one_connection() {
    let server = Sshd::start();
    let old = std::time::SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    for i in 0..200_u64 {
        let path = server.put(
            format!("sales {i:03}.csv"),
            format!("file {i}\n").repeat(usize::try_from(i).expect("small") * 40).as_bytes(),
        );
        let file = File::options().write(true).open(path).expect("there");
        // the last by name are the first by mtime
        file.set_modified(old + Duration::from_secs((199 - i) / 2)).expect("touched");
    }
    let store = Store::new();
    let mut open = open(settings(&server)).expect("open");
    let listing = open.list().expect("listed");
    assert_eq!(listing.files.len(), 200);
    assert_eq!(names(&listing)[..4], ["sales 198.csv", "sales 199.csv", "sales 196.csv", "sales 197.csv"]);
    for file in &listing.files {
        let taken = open.fetch(file, &store.archive).expect("fetched");
        let sent = fs::read(server.outbound().join(&file.name)).expect("there");
        assert!(fs::read(&taken.path).expect("archived") == sent, "{}", file.name);
        assert_eq!(taken.size, file.size);
    }
    assert_eq!(store.files().len(), 200);
    assert_eq!(server.log().matches("Accepted publickey").count(), 1);
}

#[test]
fn odd_names_are_taken_and_hostile_ones_refused_by_name() {
    let server = Sshd::start();
    let good = [
        "sales north 2026.csv",
        "vente été 日本 🧾.csv",
        "sales..csv",
        "a..b..csv",
        "semi;colon '\"$(x)*.csv",
        "back\\slash.csv",
    ];
    for name in good {
        server.put(name, name.as_bytes());
    }
    for hidden in ["..csv", ".sales.csv", "...csv"] {
        server.put(hidden, b"hidden");
    }
    for hostile in [b"line\nbreak.csv".as_slice(), b"tab\there.csv", b"esc\x1b[31m.csv", b"latin\xe9.csv"] {
        server.put(std::ffi::OsStr::from_bytes(hostile), b"hostile");
    }
    symlink("/etc/passwd", server.outbound().join("link.csv")).expect("a link");
    symlink("sales..csv", server.outbound().join("near.csv")).expect("a link");
    fs::create_dir(server.outbound().join("folder.csv")).expect("a folder");
    let mut open = open(settings(&server)).expect("open");
    let listing = open.list().expect("listed");
    let mut found = names(&listing);
    let mut expected = good.to_vec();
    found.sort_unstable();
    expected.sort_unstable();
    assert_eq!(found, expected);
    let passed: Vec<String> = listing
        .passed
        .iter()
        .map(|p| format!("{}: {}", p.name, p.why.split(&[';', ','][..]).next().unwrap_or("")))
        .collect();
    assert_eq!(
        passed,
        [
            "esc\\u{1b}[31m.csv: its name has a line break or another control character",
            "folder.csv: it is a folder",
            "latin\u{fffd}.csv: its name is not valid UTF-8",
            "line\\nbreak.csv: its name has a line break or another control character",
            "link.csv: it is a symbolic link",
            "near.csv: it is a symbolic link",
            "tab\\there.csv: its name has a line break or another control character",
        ]
    );
    let store = Store::new();
    for file in &listing.files {
        let taken = open.fetch(file, &store.archive).expect("fetched");
        assert_eq!(fs::read(taken.path).expect("archived"), file.name.as_bytes());
    }
}

#[test]
fn a_file_still_growing_is_left_alone() {
    let server = Sshd::start();
    let settle = Duration::from_secs(60);
    let feed = Source { complete: Complete::Stable { settle }, ..source(settings(&server)) };
    let path = server.put("sales.csv", b"half");
    let mut open = Connection::open(&feed, &Cancel::default()).expect("open");
    let start = DateTime::from_timestamp(1_800_000_000, 0).expect("in range");
    let first = judge(feed.complete, &open.list().expect("listed"), &Looks::new(), start);
    assert_eq!((first.ready.len(), first.wait()), (0, Some(settle)));
    File::options().append(true).open(&path).and_then(|mut f| f.write_all(b" and more")).expect("grown");
    let later = start + TimeDelta::seconds(60);
    let second = judge(feed.complete, &open.list().expect("listed"), &first.looks, later);
    assert_eq!((second.ready.len(), second.wait()), (0, Some(settle)));
    let third =
        judge(feed.complete, &open.list().expect("listed"), &second.looks, later + TimeDelta::seconds(60));
    assert_eq!(third.ready.len(), 1);
    // it grows once more after the last look: the download itself sees it
    File::options().append(true).open(&path).and_then(|mut f| f.write_all(b"!")).expect("grown");
    let store = Store::new();
    let why = changed(open.fetch(&third.ready[0], &store.archive));
    assert!(why.contains("was listed with 13 bytes") && why.contains("it had 14"), "{why}");
    fs::remove_file(&path).expect("gone");
    assert!(changed(open.fetch(&third.ready[0], &store.archive)).contains("went away"));
    assert_eq!(open.look("sales.csv").expect("looked"), None);
    assert_eq!(store.files(), NOTHING);
}

#[test]
fn a_marker_beside_the_file_says_that_it_is_complete() {
    let server = Sshd::start();
    for name in ["a.csv", "a.csv.done", "b.csv"] {
        server.put(name, b"");
    }
    let feed = Source { complete: Complete::Marker, ..source(settings(&server)) };
    let mut open = Connection::open(&feed, &Cancel::default()).expect("open");
    let listing = open.list().expect("listed");
    let judged = judge(feed.complete, &listing, &Looks::new(), DateTime::UNIX_EPOCH);
    assert_eq!(judged.ready.iter().map(|f| f.name.as_str()).collect::<Vec<_>>(), ["a.csv"]);
}

/// What is seen of a file that changes while the download is held up after 3 MiB.
fn changed_meanwhile(server: &Sshd, change: impl Fn(&File) + Sync) -> String {
    let path = server.put("sales.csv", &noise(SIZE));
    let store = Store::new();
    let proxy = DelayProxy::start(server.addr, Duration::ZERO);
    proxy.next(Fate::PauseAfter(3 << 20));
    // asks for 2 MiB ahead, so that the server has read 6 MiB at most
    let mut open = open(Sftp { read_buffer: 512 * 1024, ..through(proxy.addr, server) }).expect("open");
    let file = only(open.list().expect("listed"));
    let why = std::thread::scope(|scope| {
        scope.spawn(|| {
            store.await_bytes(2 << 20);
            change(&File::options().write(true).open(&path).expect("there"));
            proxy.resume();
        });
        changed(open.fetch(&file, &store.archive))
    });
    assert_eq!(store.files(), NOTHING, "{why}");
    // the connection is still good
    assert_eq!(names(&open.list().expect("listed")), ["sales.csv"]);
    why
}

const SIZE: usize = 16 << 20;

#[test]
fn a_file_cut_or_touched_under_the_reader_is_not_taken() {
    let server = Sshd::start();
    let why = changed_meanwhile(&server, |file| file.set_len(10 << 20).expect("cut"));
    assert!(why.contains("had 16777216 bytes and ended after 10485760"), "{why}");
    let why = changed_meanwhile(&server, |file| file.set_len((SIZE + 1) as u64).expect("grown"));
    assert!(why.contains("grew beyond its 16777216 bytes"), "{why}");
    let epoch = std::time::SystemTime::UNIX_EPOCH;
    let why = changed_meanwhile(&server, |file| file.set_modified(epoch).expect("touched"));
    assert!(why.contains("it had 16777216 and 1970-01-01T00:00:00Z"), "{why}");
}

#[test]
fn a_download_that_breaks_takes_nothing_and_a_retry_goes_on_with_it() {
    let server = Sshd::start();
    let bytes = noise(SIZE);
    server.put("sales.csv", &bytes);
    let proxy = DelayProxy::start(server.addr, Duration::ZERO);
    let store = Store::new();
    proxy.next(Fate::CutAfter(3 << 20));
    let mut once = open(through(proxy.addr, &server)).expect("open");
    let file = only(once.list().expect("listed"));
    let why = temporary(once.fetch(&file, &store.archive));
    assert!(why.contains("reading sales.csv"), "{why}");
    assert_eq!(store.archived(), NOTHING);
    let before = proxy.passed();
    proxy.next(Fate::CutAfter(12 << 20));
    let mut again = open(Sftp { retries: 1, ..through(proxy.addr, &server) }).expect("open");
    let taken = again.fetch(&file, &store.archive).expect("fetched");
    assert!(fs::read(&taken.path).expect("archived") == bytes);
    // and some that had been asked for ahead when it broke
    assert!(proxy.passed() - before < (22 << 20), "{} bytes came", proxy.passed() - before);
    assert_eq!(store.files(), [taken.path]);
}

/// Breaks a download of 16 MiB after some 12, and lets something happen before the next run takes it: what it brings, and how many
/// bytes came for that.
fn taken_again(happens: impl Fn(&Sshd, &Store)) -> (Vec<u8>, u64) {
    let server = Sshd::start();
    server.put("sales.csv", &noise(SIZE));
    let (proxy, store) = (DelayProxy::start(server.addr, Duration::ZERO), Store::new());
    proxy.next(Fate::CutAfter(12 << 20));
    let mut first = open(through(proxy.addr, &server)).expect("open");
    let file = only(first.list().expect("listed"));
    temporary(first.fetch(&file, &store.archive));
    assert_eq!(store.archived(), NOTHING);
    assert_eq!(store.files().len(), 2, "what is here, and its record");
    happens(&server, &store);
    store.archive.prepare().expect("a new run");
    let before = proxy.passed();
    let mut next = open(through(proxy.addr, &server)).expect("open");
    let file = only(next.list().expect("listed"));
    let taken = next.fetch(&file, &store.archive).expect("fetched");
    let bytes = fs::read(&taken.path).expect("archived");
    let sum = std::process::Command::new("sha256sum").arg(&taken.path).output().expect("sha256sum");
    assert!(String::from_utf8_lossy(&sum.stdout).starts_with(&taken.sha256));
    if file.name == "sales.csv" {
        assert_eq!(store.archived(), [taken.path]);
    }
    (bytes, proxy.passed() - before)
}

#[test]
fn a_broken_download_goes_on_at_the_next_run_where_it_stopped() {
    let (bytes, came) = taken_again(|_, _| ());
    assert!(bytes == noise(SIZE));
    assert!(came < (SIZE / 2) as u64, "{came} bytes came");
}

#[test]
fn a_broken_download_begins_anew_where_the_file_or_what_is_here_is_another() {
    let all = SIZE as u64;
    let other: Vec<u8> = noise(SIZE).into_iter().rev().collect();
    let (bytes, came) = taken_again(|server, _| {
        fs::write(server.outbound().join("sales.csv"), &other).expect("replaced");
        let file = File::options().write(true).open(server.outbound().join("sales.csv")).expect("there");
        file.set_modified(std::time::SystemTime::UNIX_EPOCH).expect("touched");
    });
    assert!(bytes == other && came > all, "{came} bytes came");
    // the same size and mtime, and yet other bytes where it broke off
    let (bytes, came) = taken_again(|server, _| {
        let path = server.outbound().join("sales.csv");
        let mtime = fs::metadata(&path).and_then(|found| found.modified()).expect("an mtime");
        fs::write(&path, &other).expect("replaced");
        let file = File::options().write(true).open(path).expect("there");
        file.set_modified(mtime).expect("touched");
    });
    assert!(bytes == other && came > all, "{came} bytes came");
    let (bytes, came) = taken_again(|_, store| {
        let part = store.files().into_iter().find(|path| path.extension().is_some_and(|e| e == "part"));
        let path = part.expect("what is here");
        let mut bytes = fs::read(&path).expect("there");
        bytes[1_000_000] ^= 1;
        fs::write(path, bytes).expect("damaged");
    });
    assert!(bytes == noise(SIZE) && came > all, "{came} bytes came");
}

#[test]
fn a_server_killed_in_the_middle_leaves_nothing() {
    let mut server = Sshd::start();
    server.put("sales.csv", &noise(SIZE));
    let proxy = DelayProxy::start(server.addr, Duration::ZERO);
    proxy.next(Fate::PauseAfter(3 << 20));
    let store = Store::new();
    let mut open = open(Sftp { read_buffer: 512 * 1024, ..through(proxy.addr, &server) }).expect("open");
    let file = only(open.list().expect("listed"));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            store.await_bytes(2 << 20);
            server.kill();
            proxy.resume();
        });
        temporary(open.fetch(&file, &store.archive));
    });
    assert_eq!(store.archived(), NOTHING);
}

#[test]
fn a_server_that_stalls_is_left_in_time_and_a_signal_is_quicker() {
    let server = Sshd::start();
    // more than three tries bring that break off after 3 MiB: each goes on where the last one was
    server.put("sales.csv", &noise(16 << 20));
    let proxy = DelayProxy::start(server.addr, Duration::ZERO);
    let store = Store::new();
    let began = Instant::now();
    let stalled = |change: fn(Sftp) -> Sftp| {
        proxy.next(Fate::StallAfter(3 << 20));
        let mut open = open(change(through(proxy.addr, &server))).expect("open");
        let file = only(open.list().expect("listed"));
        temporary(open.fetch(&file, &store.archive))
    };
    let why = stalled(|sftp| Sftp { idle_timeout: Duration::from_secs(1), ..sftp });
    assert!(why.contains("nothing came for 1 s (idle_timeout)"), "{why}");
    // a deadline is not tried again: it would only pass again
    let why = stalled(|sftp| Sftp { file_deadline: Duration::from_secs(1), retries: 4, ..sftp });
    assert!(why.ends_with("not done after 1 s (file_deadline)"), "{why}");

    let cancel = Cancel::default();
    proxy.next(Fate::StallAfter(3 << 20));
    let mut open = Connection::open(&source(through(proxy.addr, &server)), &cancel).expect("open");
    let file = only(open.list().expect("listed"));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            store.await_bytes(1 << 20);
            cancel.set();
        });
        let outcome = open.fetch(&file, &store.archive);
        assert!(matches!(outcome, Err(InboxFault::Stopped)), "{outcome:?}");
    });
    assert!(matches!(open.list(), Err(InboxFault::Stopped)));
    assert_eq!(store.archived(), NOTHING);
    // the feed's idle_timeout is a minute, its deadline ten
    assert!(began.elapsed() < Duration::from_secs(55), "{:?}", began.elapsed());
}
