//! A server that falls silent in the midst of a file: nobody polls meanwhile, a signal ends it within seconds, nothing half done is
//! left, and the next start ends as if nothing had been.

use super::rig::{EACH_SECOND, HEADER, Served, YEARLY, feed, schedule, until, workspace};
use super::signalled::{SECONDS, ledger};
use crate::support::servers::Server;
use crate::support::sshd::user;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

/// More than the misbehaving server gives before it sins.
fn export() -> String {
    let mut text = HEADER.to_owned();
    for i in 0..6_000 {
        writeln!(text, "F{i},1,2026-0{}-11,P{:02},{}.25", 1 + i % 3, i % 20, 37 * i % 900).expect("a string");
    }
    text
}

/// A feed on the server, which is waited for as long as it takes.
fn far(server: &Server) -> String {
    format!(
        "[[feed]]\nname = \"sales\"\nkind = \"sales\"\nurl = \"sftp://{}@127.0.0.1:{}{}\"\nfiles = \"*.csv\"\n\
         timezone = \"Asia/Kolkata\"\nsettle_seconds = 0\n[feed.ssh]\nhost_key = \"{}\"\nprivate_key = \"{}\"\n\
         idle_timeout = \"1h\"\nfile_deadline = \"1h\"\n",
        user(),
        server.addr.port(),
        server.outbound.display(),
        server.fingerprint(),
        server.user_key().display()
    )
}

fn undisturbed() -> Vec<std::collections::BTreeMap<String, String>> {
    let mut workspace = workspace("", &feed(0));
    workspace.drop("drop/sales.csv", export());
    workspace.trial(&["run", "-q"]).check();
    ledger(&workspace)
}

#[test]
fn a_signal_ends_it_in_the_midst_of_a_file_and_the_next_start_takes_it_whole() {
    let server = Server::misbehaving(&["stalls"]);
    server.put("sales.csv", export().as_bytes());
    let workspace = workspace(&schedule(EACH_SECOND, ""), &far(&server));
    let mut served = Served::start(&workspace);
    until("the server has stalled", || server.sinned());
    let took = served.stop("TERM", 143);
    assert!(took < SECONDS, "{took:?}");
    let whole = |name: &String| !name.contains(".incoming/");
    let archive = workspace.tree("var/archive");
    assert_eq!(archive.keys().filter(|name| whole(name)).count(), 0, "nothing of it is taken: {archive:?}");
    assert_eq!(workspace.trial(&["files", "--format", "csv"]).check().csv(), []);
    workspace.trial(&["verify"]).check();
    server.behave();
    let mut served = Served::start(&workspace);
    served.says("exit 0; next run", 1);
    served.stop("TERM", 143);
    assert_eq!(ledger(&workspace), undisturbed());
    assert!(!workspace.tree("var/archive").keys().any(|name| !whole(name)), "nor is anything left over");
    workspace.trial(&["verify", "--deep"]).check();
}

/// How often its threads have gone to sleep so far.
fn naps(pid: u32) -> u64 {
    let of = |thread: std::fs::DirEntry| {
        // one that has just ended has no more naps
        let status = std::fs::read_to_string(thread.path().join("status")).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
        line.map_or(0, |count| count.trim().parse::<u64>().expect("a number"))
    };
    let threads = std::fs::read_dir(format!("/proc/{pid}/task")).expect("it is there");
    threads.map(|thread| of(thread.expect("a thread"))).sum()
}

/// Comes to rest: in a whole second hardly any thread has woken.
fn rests(what: &str, served: &Served) {
    let second = Duration::from_secs(1);
    until(what, || {
        let (before, since) = (naps(served.pid()), Instant::now());
        until("a second has passed", || since.elapsed() >= second);
        naps(served.pid()).saturating_sub(before) <= 3
    });
}

#[test]
fn whoever_waits_sleeps() {
    let idle = workspace(&schedule(YEARLY, ""), &feed(0));
    let mut served = Served::start(&idle);
    served.says("serving", 1);
    rests("waiting for a slot", &served);
    served.stop("TERM", 143);

    let mut settling = workspace(&schedule(YEARLY, ""), &feed(3600));
    settling.drop("drop/a.csv", format!("{HEADER}A1,1,2026-01-10,P1,1000\n"));
    let mut served = Served::start_with(&settling, |command| {
        command.env("RUST_LOG", "info");
    });
    served.says("serving", 1);
    served.signal("USR1");
    served.says("waiting for files to settle", 1);
    rests("waiting for files to settle", &served);
    served.stop("TERM", 143);

    let server = Server::misbehaving(&["stalls"]);
    server.put("sales.csv", export().as_bytes());
    let stalled = workspace(&schedule(YEARLY, ""), &far(&server));
    let mut served = Served::start(&stalled);
    served.says("serving", 1);
    served.signal("USR1");
    until("the server has stalled", || server.sinned());
    rests("waiting for a server", &served);
    served.stop("TERM", 143);
}
