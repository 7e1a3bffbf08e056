//! A server that misbehaves on purpose. What it may do, is put up with; whatever else it does, nothing of a file is taken, in its
//! time, and the next run takes it once the server behaves.

use super::{NOTHING, noise};
use crate::support::feed::{Store, names, only, open};
use crate::support::servers::Server;
use accrued::inbox::{InboxFault, Sftp};
use std::fs;
use std::time::{Duration, Instant};

fn impatient(server: &Server) -> Sftp {
    let (idle_timeout, file_deadline) = (Duration::from_secs(1), Duration::from_secs(4));
    Sftp { idle_timeout, file_deadline, ..server.settings(server.addr.port()) }
}

/// What version 3 of SFTP lets a server do.
fn is_put_up_with(ways: &[&str], size: usize) {
    let server = Server::misbehaving(ways);
    let bytes = noise(size, 5);
    server.put("sales.csv", &bytes);
    let mut open = open(server.settings(server.addr.port())).expect("open");
    let store = Store::new();
    let file = only(open.list().expect("listed"));
    let taken = open.fetch(&file, &store.archive).expect("fetched");
    assert!(fs::read(taken.path).expect("archived") == bytes, "{ways:?}");
}

#[test]
fn lists_without_attributes_without_dots_and_of_one_name_a_packet_are_lists() {
    is_put_up_with(&["bare-names"], 300_000);
    is_put_up_with(&["one-name", "no-dots"], 300_000);
    is_put_up_with(&["no-mtime", "no-perm"], 300_000);
    is_put_up_with(&["bare-names", "no-perm", "no-mtime"], 300_000);
}

#[test]
fn a_byte_at_a_time_and_answers_out_of_order_arrive_whole() {
    is_put_up_with(&["one-byte"], 500);
    is_put_up_with(&["pieces"], 5_000);
    is_put_up_with(&["reversed"], 3_000_000);
}

#[test]
fn links_are_seen_also_where_the_server_tells_no_kind() {
    let server = Server::misbehaving(&["no-perm"]);
    server.put("sales.csv", b"s");
    std::os::unix::fs::symlink("/etc/passwd", server.outbound.join("link.csv")).expect("a link");
    let listing = open(server.settings(server.addr.port())).expect("open").list().expect("listed");
    assert_eq!(names(&listing), ["sales.csv"]);
    assert_eq!(listing.passed.len(), 1);
}

#[test]
fn hostile_names_are_no_paths() {
    let server = Server::misbehaving(&["hostile-names"]);
    server.put("sales.csv", b"s");
    let mut open = open(server.settings(server.addr.port())).expect("open");
    let listing = open.list().expect("listed");
    assert_eq!(names(&listing), ["sales.csv"], "{listing:?}");
    let passed: Vec<&str> = listing.passed.iter().map(|passed| passed.name.as_str()).collect();
    assert!(passed.contains(&"../sales.csv") && passed.contains(&"/etc/passwd.csv"), "{passed:?}");
}

/// What no server may do: nothing is taken, in time, and all is well once it behaves.
fn is_not_taken(way: &str) {
    let server = Server::misbehaving(&[way]);
    server.put("sales.csv", &noise(300_000, 6));
    let store = Store::new();
    let began = Instant::now();
    let outcome = open(impatient(&server)).and_then(|mut open| {
        let listing = open.list()?;
        open.fetch(&only(listing), &store.archive)
    });
    let took = began.elapsed();
    match outcome {
        Err(InboxFault::Temporary(_) | InboxFault::Changed(_) | InboxFault::Limit(_)) => {}
        other => panic!("{way}: {other:?}"),
    }
    assert!(took < Duration::from_secs(20), "{way}: {took:?}");
    assert_eq!(store.archived(), NOTHING, "{way}");
    server.behave();
    store.archive.prepare().expect("a new run");
    let mut open = open(server.settings(server.addr.port())).expect("open");
    let file = only(open.list().expect("listed"));
    let taken = open.fetch(&file, &store.archive).expect("fetched");
    let there = fs::read(server.outbound.join("sales.csv")).expect("there");
    assert!(fs::read(taken.path).expect("archived") == there, "{way}");
}

#[test]
fn a_server_that_stalls_dribbles_or_never_ends_its_list_is_left_in_time() {
    for way in ["stalls", "dribbles", "answers-another", "endless-list"] {
        is_not_taken(way);
    }
}

#[test]
fn a_server_that_closes_fails_or_raves_in_the_middle_gives_nothing() {
    for way in ["closes", "fails", "raves", "ends-early", "denies"] {
        is_not_taken(way);
    }
}

#[test]
fn a_size_that_is_a_lie_is_found_out() {
    for way in ["says-more", "says-less"] {
        is_not_taken(way);
    }
}

#[test]
fn a_file_that_changes_under_the_reader_is_left() {
    for way in ["touches", "cuts", "grows", "replaces"] {
        is_not_taken(way);
    }
}
