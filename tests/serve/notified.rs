//! What systemd hears, word by word, at a socket of a path and at one of the abstract kind.

use super::rig::{HEADER, Served, YEARLY, feed, schedule, workspace};
use crate::support::program::Workspace;
use std::io::ErrorKind;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::{Duration, Instant};

/// A service manager that writes down what it hears.
struct Manager {
    socket: UnixDatagram,
    heard: Vec<(Instant, String)>,
}

impl Manager {
    fn at(address: &SocketAddr) -> Manager {
        let socket = UnixDatagram::bind_addr(address).expect("a socket");
        socket.set_read_timeout(Some(Duration::from_secs(30))).expect("a time limit");
        Manager { socket, heard: Vec::new() }
    }

    /// The next datagram that has a line which begins so; what comes before it is written down.
    fn hears(&mut self, what: &str) -> String {
        let mut bytes = [0; 4096];
        loop {
            let count = match self.socket.recv(&mut bytes) {
                Ok(count) => count,
                // a signal of somebody else's
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => panic!("no {what} ({error}) but {:#?}", self.heard),
            };
            let text = String::from_utf8_lossy(&bytes[..count]).into_owned();
            self.heard.push((Instant::now(), text.clone()));
            if text.lines().any(|line| line.starts_with(what)) {
                return text;
            }
        }
    }

    fn count(&self, what: &str) -> usize {
        self.heard.iter().filter(|(_, text)| text.starts_with(what)).count()
    }
}

fn serve(workspace: &Workspace, socket: &str, watchdog: Option<Duration>) -> Served {
    Served::start_with(workspace, |command| {
        command.env("NOTIFY_SOCKET", socket);
        if let Some(watchdog) = watchdog {
            command.env("WATCHDOG_USEC", watchdog.as_micros().to_string());
        }
    })
}

#[test]
fn a_life_as_systemd_hears_it() {
    let mut workspace = workspace(&schedule(YEARLY, ""), &feed(1));
    let path = workspace.path("notify");
    let mut manager = Manager::at(&SocketAddr::from_pathname(&path).expect("an address"));
    let mut served = serve(&workspace, path.to_str().expect("text"), None);
    let ready = manager.hears("READY=1");
    assert_eq!(ready, "READY=1\nSTATUS=next run 2028-02-29 00:00:00 Asia/Kolkata");
    workspace.drop("drop/a.csv", format!("{HEADER}A1,1,2026-01-10,P1,1000\n"));
    served.signal("USR1");
    manager.hears("STATUS=running, since it was asked to");
    manager.hears("STATUS=looking at feed sales");
    manager.hears("STATUS=waiting 1 s for files to settle");
    manager.hears("STATUS=reading a.csv of feed sales");
    manager.hears("STATUS=posting club 2026-01");
    let idle = manager.hears("STATUS=next run");
    assert!(idle.contains("; last run 1 at 20") && idle.ends_with(": exit 0"), "{idle}");
    served.signal("HUP");
    let reloading = manager.hears("RELOADING=1");
    let instant =
        reloading.lines().find_map(|line| line.strip_prefix("MONOTONIC_USEC=")).expect("an instant");
    assert!(instant.parse::<u64>().expect("a number") > 0);
    manager.hears("READY=1");
    workspace.write("accrued.toml", "nonsense");
    served.signal("HUP");
    manager.hears("RELOADING=1");
    assert!(
        manager.hears("READY=1").contains("STATUS=the new config was refused, the old one stays; next run")
    );
    served.signal("TERM");
    manager.hears("STOPPING=1");
    assert_eq!(served.ends(), 143);
    assert_eq!(manager.count("WATCHDOG"), 0, "nobody has asked for it");
    assert_eq!(manager.count("READY=1"), 3);
}

#[test]
fn the_watchdog_is_told_at_half_of_its_time_at_an_abstract_socket() {
    let mut workspace = workspace(&schedule(YEARLY, ""), &feed(2));
    let name = format!("accrued-test-{}", std::process::id());
    let mut manager = Manager::at(&SocketAddr::from_abstract_name(&name).expect("an address"));
    let limit = Duration::from_secs(1);
    let mut served = serve(&workspace, &format!("@{name}"), Some(limit));
    manager.hears("READY=1");
    for _ in 0..3 {
        manager.hears("WATCHDOG=1");
    }
    // a run that waits for files to settle goes on
    workspace.drop("drop/a.csv", format!("{HEADER}A1,1,2026-01-10,P1,1000\n"));
    served.signal("USR1");
    manager.hears("STATUS=waiting 2 s");
    for _ in 0..3 {
        manager.hears("WATCHDOG=1");
    }
    manager.hears("STATUS=next run");
    served.signal("TERM");
    manager.hears("STOPPING=1");
    assert_eq!(served.ends(), 143);
    let told: Vec<Instant> =
        manager.heard.iter().filter(|(_, text)| text == "WATCHDOG=1").map(|(at, _)| *at).collect();
    let gaps: Vec<Duration> = told.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(gaps.iter().all(|gap| *gap > limit / 4), "no more often than needed: {gaps:?}");
}

#[test]
fn a_watchdog_of_another_process_is_not_ours() {
    let workspace = workspace(&schedule(YEARLY, ""), &feed(0));
    let path = workspace.path("notify");
    let mut manager = Manager::at(&SocketAddr::from_pathname(&path).expect("an address"));
    let mut served = Served::start_with(&workspace, |command| {
        command.env("NOTIFY_SOCKET", &path).env("WATCHDOG_USEC", "1000").env("WATCHDOG_PID", "1");
    });
    manager.hears("READY=1");
    served.signal("TERM");
    manager.hears("STOPPING=1");
    assert_eq!(served.ends(), 143);
    assert_eq!(manager.count("WATCHDOG"), 0);
}

#[test]
fn systemd_hears_ready_while_another_run_holds_the_lock() {
    let workspace = workspace(&schedule(YEARLY, ""), &feed(0));
    workspace.trial(&["run"]).check();
    let taken = accrued::lock::take(&workspace.path("var"), "2026-07-06T02:30:00Z").expect("a lock");
    let path = workspace.path("notify");
    let mut manager = Manager::at(&SocketAddr::from_pathname(&path).expect("an address"));
    let mut served = serve(&workspace, path.to_str().expect("text"), None);
    let ready = manager.hears("READY=1");
    assert!(
        ready.contains("STATUS=waiting for another run: pid ")
            && ready.ends_with("since 2026-07-06T02:30:00Z"),
        "{ready}"
    );
    drop(taken);
    manager.hears("STATUS=next run 2028");
    served.stop("TERM", 143);
}
