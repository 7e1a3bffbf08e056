//! A large file that two connections share: whole when all goes well, and whatever becomes of either of them. Beside it, several
//! files over a few connections.

mod support {
    pub mod delay_proxy;
    pub mod feed;
    pub mod sshd;
}

#[path = "sftp/several.rs"]
mod several;

use accrued::inbox::{Archived, Cancel, Candidate, Connection, InboxFault, Sftp};
use std::fs::{self, File};
use std::path::PathBuf;
use std::sync::LazyLock;
use std::time::{Duration, Instant, SystemTime};
use support::delay_proxy::{DelayProxy, Fate};
use support::feed::{Store, changed, names, only, open, settings, source, temporary, through};
use support::sshd::Sshd;

const SIZE: usize = 64 << 20;
/// Where the second connection begins, give or take 1 MiB: a third of what the first one has left when it is there.
const BORDER: u64 = 22 << 20;
const NOTHING: Vec<PathBuf> = Vec::new();

/// Bytes that no repetition explains away.
static NOISE: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut bytes = Vec::with_capacity(SIZE);
    while bytes.len() < SIZE {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes
});

/// A server with one large file, and a proxy before it that holds the first connection up after 3 MiB: the second one is there
/// in time, however slow the machine.
struct Site {
    server: Sshd,
    proxy: DelayProxy,
    store: Store,
}

impl Site {
    fn new() -> Site {
        let server = Sshd::start();
        server.put("large.csv", &NOISE);
        let proxy = DelayProxy::start(server.addr, Duration::ZERO);
        Site { server, proxy, store: Store::new() }
    }

    /// Opens over a first connection that is held up, and says what becomes of the next ones.
    fn open(
        &self,
        change: impl Fn(Sftp) -> Sftp,
        cancel: &Cancel,
        fates: &[Fate],
    ) -> (Connection, Candidate) {
        self.proxy.next(Fate::PauseAfter(3 << 20));
        let settings = change(through(self.proxy.addr, &self.server));
        let mut open = Connection::open(&source(settings), cancel).expect("open");
        fates.iter().for_each(|&fate| self.proxy.next(fate));
        let file = only(open.list().expect("listed"));
        (open, file)
    }

    /// Fetches, and does something once the second connection has written so much of its first part.
    fn fetch(
        &self,
        (open, file): &mut (Connection, Candidate),
        bytes: u64,
        act: impl Fn() + Sync,
    ) -> Result<Archived, InboxFault> {
        std::thread::scope(|scope| {
            scope.spawn(|| {
                self.store.await_bytes(BORDER + bytes);
                act();
                self.proxy.resume();
            });
            open.fetch(file, &self.store.archive)
        })
    }

    fn logins(&self) -> usize {
        self.server.log().matches("Accepted publickey").count()
    }

    fn is_whole(&self, taken: Archived) {
        assert!(fs::read(&taken.path).expect("archived") == *NOISE);
        let sum = std::process::Command::new("sha256sum").arg(&taken.path).output().expect("sha256sum");
        assert!(String::from_utf8_lossy(&sum.stdout).starts_with(&taken.sha256));
        assert_eq!(self.store.files(), [taken.path]);
    }
}

#[test]
fn two_connections_bring_a_large_file_whole() {
    let site = Site::new();
    let mut opened = site.open(|sftp| sftp, &Cancel::default(), &[Fate::Whole]);
    let taken = site.fetch(&mut opened, 2 << 20, || ()).expect("fetched");
    site.is_whole(taken);
    assert_eq!(site.logins(), 2);
    // the first one is as good as before
    assert_eq!(names(&opened.0.list().expect("listed")), ["large.csv"]);
    assert_eq!(site.logins(), 2);
}

#[test]
fn a_server_that_grants_no_second_connection_is_read_over_one_and_not_asked_again() {
    let server = Sshd::start();
    server.put("large.csv", &NOISE);
    let proxy = DelayProxy::start(server.addr, Duration::ZERO);
    let mut open = open(through(proxy.addr, &server)).expect("open");
    let file = only(open.list().expect("listed"));
    // cut off in its greeting, and once more when it is asked why
    for _ in 0..2 {
        proxy.next(Fate::CutAfter(1));
    }
    for _ in 0..2 {
        let taken = open.fetch(&file, &Store::new().archive).expect("fetched");
        assert_eq!(taken.size, SIZE as u64);
    }
    assert_eq!(server.log().matches("Accepted publickey").count(), 1);
}

#[test]
fn a_small_read_buffer_asks_for_one_connection_only() {
    let server = Sshd::start();
    server.put("large.csv", &NOISE);
    let mut open = open(Sftp { read_buffer: 512 * 1024, ..settings(&server) }).expect("open");
    let file = only(open.list().expect("listed"));
    open.fetch(&file, &Store::new().archive).expect("fetched");
    assert_eq!(server.log().matches("Accepted publickey").count(), 1);
}

#[test]
fn a_second_connection_that_breaks_leaves_nothing_and_a_retry_goes_alone() {
    let site = Site::new();
    let cut = [Fate::CutAfter(10 << 20)];
    let mut opened = site.open(|sftp| sftp, &Cancel::default(), &cut);
    let why = temporary(site.fetch(&mut opened, 2 << 20, || ()));
    assert!(why.contains("reading large.csv"), "{why}");
    assert_eq!(site.store.archived(), NOTHING);

    let site = Site::new();
    let mut opened = site.open(|sftp| Sftp { retries: 1, ..sftp }, &Cancel::default(), &cut);
    let taken = site.fetch(&mut opened, 2 << 20, || ()).expect("fetched");
    site.is_whole(taken);
    assert_eq!(site.logins(), 3, "one more for the retry, none beside it");
}

#[test]
fn a_first_connection_that_breaks_ends_the_second() {
    let mut site = Site::new();
    let mut opened = site.open(|sftp| sftp, &Cancel::default(), &[Fate::PauseAfter(4 << 20)]);
    std::thread::scope(|scope| {
        let (store, proxy, server) = (&site.store, &site.proxy, &mut site.server);
        scope.spawn(move || {
            store.await_bytes(BORDER + (1 << 20));
            server.kill();
            proxy.resume();
        });
        temporary(opened.0.fetch(&opened.1, &store.archive));
    });
    assert_eq!(site.store.archived(), NOTHING);
}

#[test]
fn a_file_cut_grown_or_touched_under_two_readers_is_not_taken() {
    // asks for 4 MiB ahead, so that the server has read some 8 MiB of the second's part at most
    let seen = |change: fn(&File)| {
        let site = Site::new();
        let path = site.server.outbound().join("large.csv");
        let mut opened = site.open(|sftp| sftp, &Cancel::default(), &[Fate::PauseAfter(3 << 20)]);
        let why = changed(site.fetch(&mut opened, 1 << 20, || {
            change(&File::options().write(true).open(&path).expect("there"));
        }));
        assert_eq!(site.store.files(), NOTHING, "{why}");
        // the first connection is still good
        assert_eq!(names(&opened.0.list().expect("listed")), ["large.csv"]);
        why
    };
    let why = seen(|file| file.set_len(60 << 20).expect("cut"));
    assert!(why.contains("had 67108864 bytes and ended after 62914560"), "{why}");
    let why = seen(|file| file.set_len(20 << 20).expect("cut"));
    assert!(why.contains("had 67108864 bytes and ended after 20971520"), "{why}");
    let why = seen(|file| file.set_len(SIZE as u64 + 1).expect("grown"));
    assert!(why.contains("grew beyond its 67108864 bytes"), "{why}");
    let why = seen(|file| file.set_modified(SystemTime::UNIX_EPOCH).expect("touched"));
    assert!(why.contains("it had 67108864 and 1970-01-01T00:00:00Z"), "{why}");
}

#[test]
fn a_second_connection_that_stalls_is_left_in_time_and_a_signal_is_quicker() {
    let began = Instant::now();
    let site = Site::new();
    let stall = [Fate::StallAfter(4 << 20)];
    let second = Duration::from_secs(1);
    let mut opened = site.open(|sftp| Sftp { idle_timeout: second, ..sftp }, &Cancel::default(), &stall);
    let why = temporary(site.fetch(&mut opened, 1 << 20, || ()));
    assert!(why.contains("nothing came for 1 s (idle_timeout)"), "{why}");
    assert_eq!(site.store.archived(), NOTHING);

    let site = Site::new();
    let cancel = Cancel::default();
    let mut opened = site.open(|sftp| sftp, &cancel, &stall);
    let outcome = site.fetch(&mut opened, 1 << 20, || cancel.set());
    assert!(matches!(outcome, Err(InboxFault::Stopped)), "{outcome:?}");
    assert_eq!(site.store.archived(), NOTHING);
    // the feed's idle_timeout is a minute, its deadline ten
    assert!(began.elapsed() < Duration::from_secs(50), "{:?}", began.elapsed());
}
