//! `after = move | delete` on a server that lets us wait in the midst of it: killed there, or stopped, or given up, the next run puts
//! the file away, and it is never loaded twice.

use super::runs::{AFTER_JANUARY, Site, export};
use std::fs;
use std::process::Child;
use std::time::{Duration, Instant};

const LINES: usize = 20;
const MOVE: &str = "after = \"move:done\"\n";
const DELETE: &str = "after = \"delete\"\n";

fn site(way: &str, after: &str) -> Site {
    let site = Site::of(&[way], after);
    site.server.put("far.csv", export(LINES).as_bytes());
    site
}

/// A run that is in the midst of putting the file away.
fn under_way(site: &Site) -> Child {
    let child = site.workspace.start(&["run", "--as-of", AFTER_JANUARY]);
    let end = Instant::now() + Duration::from_secs(60);
    while !site.server.sinned() {
        assert!(Instant::now() < end, "it does not come to it");
        std::thread::park_timeout(Duration::from_millis(2));
    }
    child
}

fn lies(site: &Site, name: &str) -> bool {
    site.server.outbound.join(name).exists()
}

/// The file has gone from where it came, whole, and counts once.
fn is_put_away_once(site: &Site, after: &str) {
    site.server.behave();
    let said = site.run(AFTER_JANUARY, &[], 0).whole();
    assert!(said.contains("files      none new"), "{said}");
    assert!(!lies(site, "far.csv"));
    assert_eq!(lies(site, "done/far.csv"), after == MOVE);
    if after == MOVE {
        let moved = fs::read_to_string(site.server.outbound.join("done/far.csv")).expect("there");
        assert_eq!(moved, export(LINES));
    }
    assert_eq!(site.taken(), ["far.csv", "near.csv"]);
    let rows = site.workspace.trial(&["lines", "--format", "csv"]).check().csv();
    assert_eq!(rows.len(), LINES + 1);
    site.workspace.trial(&["verify", "--deep"]).check();
}

/// Whether a server has done what it was asked for when it falls silent.
const WAYS: [(&str, &str); 4] = [
    ("stalls-rename", MOVE),
    ("renames-silently", MOVE),
    ("stalls-remove", DELETE),
    ("removes-silently", DELETE),
];

#[test]
fn killed_between_the_commit_and_the_move_the_next_run_moves_it_and_loads_it_never_again() {
    for (way, after) in WAYS {
        let site = site(way, after);
        let mut child = under_way(&site);
        assert_eq!(lies(&site, "far.csv"), way.starts_with("stalls"), "{way}");
        child.kill().expect("our own child can be killed");
        child.wait().expect("it has ended");
        assert_eq!(site.taken(), ["far.csv", "near.csv"], "committed before: {way}");
        is_put_away_once(&site, after);
    }
}

#[test]
fn a_signal_ends_it_there_and_the_next_run_goes_on() {
    let site = site("stalls-rename", MOVE);
    let mut child = under_way(&site);
    let began = Instant::now();
    let sent = std::process::Command::new("kill").arg(child.id().to_string()).status();
    assert!(sent.expect("kill").success());
    assert_eq!(child.wait().expect("it has ended").code(), Some(143));
    // its idle_timeout is a minute
    assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
    assert!(lies(&site, "far.csv"));
    is_put_away_once(&site, MOVE);
}

#[test]
fn a_server_that_falls_silent_is_left_with_5_and_a_refusal_waits_with_3() {
    for (way, after) in [("stalls-rename", MOVE), ("stalls-remove", DELETE)] {
        let site = site(way, after);
        let said = site.run(AFTER_JANUARY, &["--set", "feed.far.ssh.idle_timeout=2s"], 5).whole();
        assert!(said.contains("far.csv away: nothing came for 2 s (idle_timeout)"), "{way}: {said}");
        assert_eq!(site.taken(), ["far.csv", "near.csv"], "{way}");
        is_put_away_once(&site, after);
    }
    // a folder of another file system is refused likewise
    let site = site("refuses-rename", MOVE);
    for _ in 0..2 {
        let said = site.run(AFTER_JANUARY, &[], 3).whole();
        let words = "/far.csv was taken and cannot be moved on 127.0.0.1: the server refuses it";
        assert!(said.contains(words) && said.contains("moving needs one file system"), "{said}");
        assert!(said.contains("tried again at the next run"), "{said}");
        assert!(lies(&site, "far.csv"));
    }
    is_put_away_once(&site, MOVE);
}

#[test]
fn a_connection_that_is_lost_in_the_midst_is_made_anew_and_what_was_done_stays_done() {
    for (way, after) in [("renames-silently", MOVE), ("removes-silently", DELETE)] {
        let site = site(way, after);
        let hurry = ["--set", "feed.far.ssh.idle_timeout=2s", "--set", "feed.far.ssh.retries=1", "-v"];
        let said = site.run(AFTER_JANUARY, &hurry, 0).whole();
        assert!(said.contains("was gone already"), "{way}: {said}");
        is_put_away_once(&site, after);
    }
}
