//! Several files of one feed over a few connections: all of them whole, each once, whatever becomes of those that help.

use crate::support::delay_proxy::{DelayProxy, Fate};
use crate::support::feed::{Store, open, settings, source, through, wanted};
use crate::support::sshd::Sshd;
use accrued::inbox::{Archive, Cancel, Connection, InboxFault, Sftp};
use std::fs;
use std::sync::Mutex;
use std::time::{Duration, Instant};

const ROUND_TRIP: Duration = Duration::from_millis(20);

fn logins(server: &Sshd) -> usize {
    server.log().matches("Accepted publickey").count()
}

/// So many files, none like another.
fn put(server: &Sshd, count: usize, size: usize) {
    for number in 0..count {
        let mut bytes = format!("file {number}\n").into_bytes();
        bytes.resize(size.max(bytes.len()), u8::try_from(number % 251).expect("small"));
        server.put(format!("sales {number:03}.csv"), &bytes);
    }
}

/// Brings all that is listed; how long it took.
fn bring_all(open: &mut Connection, server: &Sshd, archive: &Archive) -> Duration {
    let listing = open.list().expect("listed");
    let names: Vec<String> = listing.files.iter().map(|file| file.name.clone()).collect();
    let begun = Mutex::new(Vec::new());
    let began = Instant::now();
    let outcomes = open.bring(wanted(listing), archive, &|file| {
        begun.lock().expect("no panic").push(file.name.clone());
    });
    let took = began.elapsed();
    assert_eq!(outcomes.iter().map(|(wanted, _)| wanted.file.name.clone()).collect::<Vec<_>>(), names);
    for (wanted, brought) in outcomes {
        let path = brought.expect("brought").file.path;
        let sent = fs::read(server.outbound().join(&wanted.file.name)).expect("there");
        assert!(fs::read(path).expect("archived") == sent, "{}", wanted.file.name);
    }
    let mut begun = begun.into_inner().expect("no panic");
    begun.sort();
    begun.dedup();
    assert_eq!(begun.len(), names.len());
    took
}

#[test]
fn many_small_files_over_a_long_wire_come_over_several_connections_and_sooner() {
    let server = Sshd::start();
    put(&server, 200, 100);
    let proxy = DelayProxy::start(server.addr, ROUND_TRIP);
    let mut alone = open(Sftp { connections: 1, ..through(proxy.addr, &server) }).expect("open");
    let long = bring_all(&mut alone, &server, &Store::new().archive);
    assert_eq!(logins(&server), 1);
    let mut several = open(through(proxy.addr, &server)).expect("open");
    let short = bring_all(&mut several, &server, &Store::new().archive);
    assert!((3..=5).contains(&logins(&server)), "{}", logins(&server));
    assert!(short * 3 < long * 2, "{short:?}, alone {long:?}");
}

#[test]
fn a_few_small_files_come_over_one_connection() {
    let server = Sshd::start();
    // so few that one which takes long on a busy machine is no reason for another connection
    put(&server, 2, 100);
    let proxy = DelayProxy::start(server.addr, ROUND_TRIP);
    let mut open = open(through(proxy.addr, &server)).expect("open");
    bring_all(&mut open, &server, &Store::new().archive);
    assert_eq!(logins(&server), 1);
}

#[test]
fn a_fragile_server_is_asked_for_one_connection() {
    let server = Sshd::start();
    put(&server, 12, 10_000_000);
    let mut open = open(Sftp { read_buffer: 512 * 1024, ..settings(&server) }).expect("open");
    bring_all(&mut open, &server, &Store::new().archive);
    assert_eq!(logins(&server), 1);
}

#[test]
fn connections_that_are_refused_or_break_cost_nothing_but_time() {
    let server = Sshd::start();
    put(&server, 20, 10_000_000);
    let proxy = DelayProxy::start(server.addr, ROUND_TRIP);
    for fates in [
        // one is cut off in its greeting, and once more when it is asked why
        [Fate::CutAfter(1), Fate::CutAfter(1), Fate::CutAfter(1), Fate::CutAfter(1), Fate::CutAfter(1)],
        // they break in their first file, in their second, in the middle of logging in
        [Fate::CutAfter(4 << 20), Fate::CutAfter(14 << 20), Fate::CutAfter(1700), Fate::Whole, Fate::Whole],
    ] {
        let mut open = open(through(proxy.addr, &server)).expect("open");
        let listing = open.list().expect("listed");
        assert_eq!(listing.files.len(), 20);
        fates.into_iter().for_each(|fate| proxy.next(fate));
        let store = Store::new();
        bring_all(&mut open, &server, &store.archive);
        assert_eq!(store.files().len(), 20);
    }
}

#[test]
fn a_server_that_goes_leaves_whole_files_only_and_says_so_once() {
    let server = Sshd::start();
    put(&server, 20, 10_000_000);
    let proxy = DelayProxy::start(server.addr, ROUND_TRIP);
    let mut open = open(through(proxy.addr, &server)).expect("open");
    let listing = open.list().expect("listed");
    let outbound = server.outbound();
    let (store, state) = (Store::new(), Mutex::new((0, server)));
    let outcomes = open.bring(wanted(listing), &store.archive, &|_| {
        let (begun, server) = &mut *state.lock().expect("no panic");
        *begun += 1;
        if *begun == 8 {
            server.kill();
        }
    });
    let (brought, lost): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(|(_, brought)| brought.is_ok());
    assert!(brought.len() < 20 && lost.len() == 1, "{} and {}", brought.len(), lost.len());
    assert!(matches!(&lost[0].1, Err(InboxFault::Temporary(_))), "{lost:?}");
    for (wanted, taken) in brought {
        let sent = fs::read(outbound.join(&wanted.file.name)).expect("there");
        assert!(fs::read(taken.expect("brought").file.path).expect("archived") == sent);
    }
}

#[test]
fn a_signal_ends_all_of_them_at_once() {
    let server = Sshd::start();
    put(&server, 20, 10_000_000);
    let proxy = DelayProxy::start(server.addr, ROUND_TRIP);
    // one that helps hangs in its greeting, another in its first file
    let cancel = Cancel::default();
    let mut open = Connection::open(&source(through(proxy.addr, &server)), &cancel).expect("open");
    let listing = open.list().expect("listed");
    proxy.next(Fate::StallAfter(1));
    proxy.next(Fate::StallAfter(5 << 20));
    let (began, begun) = (Instant::now(), Mutex::new(0));
    let outcomes = open.bring(wanted(listing), &Store::new().archive, &|_| {
        let mut begun = begun.lock().expect("no panic");
        *begun += 1;
        if *begun == 5 {
            cancel.set();
        }
    });
    assert!(outcomes.iter().any(|(_, brought)| matches!(brought, Err(InboxFault::Stopped))), "{outcomes:?}");
    // connecting may take 20 s, idling a minute
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
}
