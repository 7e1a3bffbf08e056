//! The same against three servers that no one here wrote, OpenSSH, ProFTPD with mod_sftp and AsyncSSH; and against one that
//! misbehaves on purpose: whatever a server does, no file is ever taken in part or mixed of two.

mod support {
    pub mod delay_proxy;
    pub mod feed;
    #[allow(dead_code, reason = "each test program uses its own part")]
    pub mod program;
    pub mod servers;
    pub mod sshd;
}

#[path = "sftp/misbehaving.rs"]
mod misbehaving;
#[path = "sftp/put_away.rs"]
mod put_away;
#[path = "sftp/runs.rs"]
mod runs;

use accrued::inbox::{After, Away, Connection, HostKey, InboxFault, Login, Sftp, Taken};
use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime};
use support::delay_proxy::{DelayProxy, Fate};
use support::feed::{Store, changed, names, only, open, refused, source, temporary, wanted};
use support::program::Workspace;
use support::servers::{Kind, Server};
use support::sshd::{keygen, user};

const NOTHING: Vec<PathBuf> = Vec::new();

/// Settings with one time limit changed.
type Limited = fn(Sftp, Duration) -> Sftp;

/// Bytes that no repetition explains away.
fn noise(size: usize, seed: u64) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64 ^ seed;
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

macro_rules! against_all_three {
    ($($name:ident)*) => { $(
        mod $name {
            use super::Kind;

            #[test]
            fn openssh() {
                super::against::$name(Kind::OpenSsh);
            }

            #[test]
            fn proftpd() {
                super::against::$name(Kind::ProFtpd);
            }

            #[test]
            fn asyncssh() {
                super::against::$name(Kind::AsyncSsh);
            }
        }
    )* };
}

against_all_three! {
    odd_names_are_taken_and_links_and_folders_are_not
    every_size_arrives_whole
    a_large_file_and_many_files_arrive_whole_over_a_long_wire
    a_broken_download_goes_on
    what_changes_under_the_reader_is_left
    a_server_that_stalls_is_left_in_time
    what_was_taken_is_moved_or_deleted
    another_host_key_and_another_login_are_refused
    a_whole_run_pays_once
}

mod against {
    use super::*;

    pub fn odd_names_are_taken_and_links_and_folders_are_not(kind: Kind) {
        let server = Server::start(kind);
        let good = ["sales north 2026.csv", "vente été 日本.csv", "a..b.csv", "semi;colon '$(x)*.csv"];
        for name in good {
            server.put(name, name.as_bytes());
        }
        for never in [".hidden.csv", "half.csv.part", "line\nbreak.csv"] {
            server.put(never, b"never");
        }
        symlink("/etc/passwd", server.outbound.join("link.csv")).expect("a link");
        fs::create_dir(server.outbound.join("folder.csv")).expect("a folder");
        let mut open = open(server.settings(server.addr.port())).expect("open");
        let listing = open.list().expect("listed");
        let mut found = names(&listing);
        found.sort_unstable();
        let mut expected = good.to_vec();
        expected.sort_unstable();
        assert_eq!(found, expected);
        let passed: Vec<&str> = listing.passed.iter().map(|passed| passed.name.as_str()).collect();
        assert_eq!(passed, ["folder.csv", "line\\nbreak.csv", "link.csv"]);
        let store = Store::new();
        for file in &listing.files {
            let taken = open.fetch(file, &store.archive).expect("fetched");
            assert_eq!(fs::read(taken.path).expect("archived"), file.name.as_bytes());
        }
    }

    pub fn every_size_arrives_whole(kind: Kind) {
        let server = Server::start(kind);
        let mut open = open(server.settings(server.addr.port())).expect("open");
        for size in [0, 1, 29_999, 30_000, 30_001, 32_768, 262_144, 1 << 20, (1 << 20) + 1, 5_000_007] {
            let bytes = noise(size, size as u64);
            server.put("sales.csv", &bytes);
            let file = only(open.list().expect("listed"));
            let taken = open.fetch(&file, &Store::new().archive);
            assert_eq!(taken.expect("fetched").size, size as u64);
            let store = Store::new();
            let taken = open.fetch(&file, &store.archive).expect("fetched");
            assert!(fs::read(taken.path).expect("archived") == bytes, "{size} bytes");
        }
    }

    pub fn a_large_file_and_many_files_arrive_whole_over_a_long_wire(kind: Kind) {
        let server = Server::start(kind);
        let proxy = DelayProxy::start(server.addr, Duration::from_millis(20));
        server.put("large.csv", &noise(64 << 20, 1));
        for number in 0..40 {
            server.put(format!("part{number:02}.csv"), &noise(1_000_000 + number, number as u64));
        }
        let mut open = open(server.settings(proxy.addr.port())).expect("open");
        let (listing, store) = (open.list().expect("listed"), Store::new());
        assert_eq!(listing.files.len(), 41);
        for (wanted, brought) in open.bring(wanted(listing), &store.archive, &|_| ()) {
            let sent = fs::read(server.outbound.join(&wanted.file.name)).expect("there");
            assert!(fs::read(brought.expect("brought").file.path).expect("archived") == sent);
        }
        assert_eq!(store.files().len(), 41);
    }

    pub fn a_broken_download_goes_on(kind: Kind) {
        let server = Server::start(kind);
        let bytes = noise(16 << 20, 2);
        server.put("sales.csv", &bytes);
        let (proxy, store) = (DelayProxy::start(server.addr, Duration::ZERO), Store::new());
        // libssh2 gives up what it has asked for ahead, 4 MiB: a little more than twelve leave more than half of the file
        proxy.next(Fate::CutAfter((12 << 20) + (256 << 10)));
        let mut first = open(server.settings(proxy.addr.port())).expect("open");
        let file = only(first.list().expect("listed"));
        temporary(first.fetch(&file, &store.archive));
        assert_eq!(store.archived(), NOTHING);
        store.archive.prepare().expect("a new run");
        let before = proxy.passed();
        let mut next = open(server.settings(proxy.addr.port())).expect("open");
        let taken = next.fetch(&file, &store.archive).expect("fetched");
        assert!(fs::read(&taken.path).expect("archived") == bytes);
        assert!(proxy.passed() - before < (8 << 20), "{} bytes came", proxy.passed() - before);
        assert_eq!(store.files(), [taken.path]);
    }

    pub fn what_changes_under_the_reader_is_left(kind: Kind) {
        let server = Server::start(kind);
        let changes: [&(dyn Fn(&File) + Sync); 3] = [
            &|file| file.set_len(10 << 20).expect("cut"),
            &|file| file.set_len((16 << 20) + 1).expect("grown"),
            &|file| file.set_modified(SystemTime::UNIX_EPOCH).expect("touched"),
        ];
        for change in changes {
            let path = server.put("sales.csv", &noise(16 << 20, 3));
            let (proxy, store) = (DelayProxy::start(server.addr, Duration::ZERO), Store::new());
            proxy.next(Fate::PauseAfter(3 << 20));
            let settings = Sftp { read_buffer: 512 * 1024, ..server.settings(proxy.addr.port()) };
            let mut open = open(settings).expect("open");
            let file = only(open.list().expect("listed"));
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    store.await_bytes(1 << 20);
                    change(&File::options().write(true).open(&path).expect("there"));
                    proxy.resume();
                });
                changed(open.fetch(&file, &store.archive));
            });
            assert_eq!(store.files(), NOTHING);
        }
        let mut open = open(server.settings(server.addr.port())).expect("open");
        let file = only(open.list().expect("listed"));
        fs::remove_file(server.outbound.join("sales.csv")).expect("gone");
        assert!(changed(open.fetch(&file, &Store::new().archive)).contains("went away"));
        assert_eq!(open.look("sales.csv").expect("looked"), None);
    }

    pub fn a_server_that_stalls_is_left_in_time(kind: Kind) {
        let server = Server::start(kind);
        server.put("sales.csv", &noise(8 << 20, 4));
        let proxy = DelayProxy::start(server.addr, Duration::ZERO);
        let began = Instant::now();
        let second = Duration::from_secs(1);
        let limited: [(Limited, &str); 3] = [
            (|sftp, limit| Sftp { idle_timeout: limit, ..sftp }, "(idle_timeout)"),
            (|sftp, limit| Sftp { file_deadline: limit, retries: 3, ..sftp }, "not done after 1 s"),
            (|sftp, limit| Sftp { run_deadline: limit * 2, retries: 3, ..sftp }, "after 2 s (run_deadline)"),
        ];
        for (limit, words) in limited {
            proxy.next(Fate::StallAfter(3 << 20));
            let mut open = open(limit(server.settings(proxy.addr.port()), second)).expect("open");
            let (file, store) = (only(open.list().expect("listed")), Store::new());
            let why = temporary(open.fetch(&file, &store.archive));
            assert!(why.contains(words), "{why}");
            assert_eq!(store.archived(), NOTHING);
        }
        assert!(began.elapsed() < Duration::from_secs(50), "{:?}", began.elapsed());
    }

    pub fn what_was_taken_is_moved_or_deleted(kind: Kind) {
        let server = Server::start(kind);
        fs::create_dir(server.outbound.join("done")).expect("a folder");
        fs::write(server.outbound.join("done/a.csv"), "of yesterday").expect("written");
        let take = |after: After, act: &dyn Fn()| {
            let feed = accrued::inbox::Source { after, ..source(server.settings(server.addr.port())) };
            let mut open = Connection::open(&feed, &Default::default()).expect("open");
            let file = only(open.list().expect("listed"));
            let sha256 = open.fetch(&file, &Store::new().archive).expect("fetched").sha256;
            act();
            open.make_room().expect("room");
            open.put_away(&Taken { file, marked: false, sidecar: None, sha256 })
        };
        let to = |dir: &str| After::Move(dir.to_owned());
        server.put("a.csv", b"of today");
        // SHA-256 of what it holds
        assert_eq!(take(to("done"), &|| ()).expect("moved"), Away::Moved("a.csv.b128e333".to_owned()));
        assert_eq!(fs::read(server.outbound.join("done/a.csv")).expect("there"), b"of yesterday");
        assert_eq!(fs::read(server.outbound.join("done/a.csv.b128e333")).expect("there"), b"of today");
        server.put("b.csv", b"b");
        assert_eq!(take(to("made"), &|| ()).expect("moved"), Away::Moved("b.csv".to_owned()));
        assert_eq!(fs::read(server.outbound.join("made/b.csv")).expect("there"), b"b");
        for after in [to("made"), After::Delete] {
            server.put("c.csv", b"c");
            let why = changed(take(after.clone(), &|| drop(server.put("c.csv", b"more"))));
            assert!(why.contains("c.csv changed after it was taken"), "{why}");
            assert_eq!(fs::read(server.outbound.join("c.csv")).expect("there"), b"more");
            assert_eq!(
                take(after, &|| fs::remove_file(server.outbound.join("c.csv")).expect("gone")).expect("fine"),
                Away::Gone
            );
        }
        server.put("d.csv", b"d");
        assert_eq!(take(After::Delete, &|| ()).expect("deleted"), Away::Deleted);
        assert!(!server.outbound.join("d.csv").exists());
    }

    pub fn another_host_key_and_another_login_are_refused(kind: Kind) {
        let server = Server::start(kind);
        let settings = || server.settings(server.addr.port());
        let other = tempfile::tempdir().expect("a folder");
        keygen(&other.path().join("key"), "ed25519", "");
        let print = super::support::sshd::fingerprint(&other.path().join("key.pub"));
        let why = refused(open(Sftp { host_keys: vec![HostKey::Fingerprint(print)], ..settings() }));
        assert!(why.contains("is not the pinned one") && why.contains(&server.fingerprint()), "{why}");
        let login = Login::PrivateKey { path: other.path().join("key"), passphrase_file: None };
        let why = refused(open(Sftp { login, retries: 4, ..settings() }));
        assert!(why.contains("refuses the login"), "{why}");
        let folder = server.outbound.join("nowhere").to_str().expect("text").to_owned();
        let mut open = open(Sftp { folder, ..settings() }).expect("open");
        match open.list() {
            Err(InboxFault::Limit(why)) => assert!(why.contains("does not exist"), "{why}"),
            other => panic!("{other:?}"),
        }
    }

    pub fn a_whole_run_pays_once(kind: Kind) {
        let server = Server::start(kind);
        let workspace = Workspace::new(&format!(
            "[[feed]]\nname = \"far\"\nkind = \"sales\"\nurl = \"sftp://{}@127.0.0.1:{}{}\"\nfiles = \"*.csv\"\n\
             timezone = \"Asia/Kolkata\"\nsettle_seconds = 0\nafter = \"move:done\"\n[feed.ssh]\nhost_key = \"{}\"\n\
             private_key = \"{}\"\n",
            user(),
            server.addr.port(),
            server.outbound.display(),
            server.fingerprint(),
            server.user_key().display(),
        ));
        workspace.write(
            "schemes/club.toml",
            "[scheme]\nid = \"club\"\nname = \"Club\"\ncompany = \"Example\"\ncurrency = \"INR\"\ntimezone = \"Asia/Kolkata\"\n\
             starts = 2026-01-01\n[cycle]\nlength = \"month\"\n[slabs]\nmode = \"whole\"\n[[slab]]\nfrom = 0\nrate = \"1%\"\n",
        );
        let rows = "invoice_no,line_no,invoice_date,partner_code,amount\nF1,1,2026-01-11,P2,70000\n";
        for name in ["january.csv", "again.csv"] {
            server.put(name, rows.as_bytes());
        }
        let run = ["run", "--as-of", "2026-02-20T12:00:00Z"];
        workspace.trial(&run).check();
        let ledger = workspace.trial(&["ledger", "--format", "csv"]).check().stdout;
        workspace.trial(&run).check();
        assert_eq!(workspace.trial(&["ledger", "--format", "csv"]).check().stdout, ledger);
        assert_eq!(ledger.lines().count(), 2, "{ledger}");
        let left = fs::read_dir(&server.outbound)
            .expect("a folder")
            .map(|entry| entry.expect("an entry").file_name());
        assert_eq!(left.collect::<Vec<_>>(), ["done"]);
    }
}
