//! Slots: each once, missed ones caught up, failed ones tried again.

use super::rig::{
    EACH_SECOND, HEADER, SCHEME, Served, YEARLY, feed, records, schedule, slots, until, workspace,
};
use crate::support::program::Workspace;
use crate::support::sshd::{Sshd, user};
use accrued::batch::{self, Fetch, Order, Progress, Scheduled, Slot, Why};
use accrued::inbox::Cancel;
use accrued::store::journal::Stamp;
use accrued::store::{ClockMode, Store};
use accrued::{clock, config, lock};
use chrono::{DateTime, Duration, SubsecRound, Utc};
use std::collections::BTreeSet;
use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};

#[test]
fn each_second_of_a_schedule_of_seconds_runs_once_and_takes_what_came() {
    let mut workspace = workspace(&schedule(EACH_SECOND, ""), &feed(0));
    let mut served = Served::start(&workspace);
    served.says("exit 0; next run", 1);
    workspace.drop("drop/a.csv", format!("{HEADER}A1,1,2026-01-10,P1,1000\n"));
    served.says("posted club 2026-01: 10 points to 1 partner", 1);
    served.says("exit 0; next run", 3);
    served.stop("TERM", 143);
    let slots = slots(&workspace);
    let dues: BTreeSet<&String> = slots.iter().map(|(due, _)| due).collect();
    assert_eq!(dues.len(), slots.len(), "{slots:?}");
    assert!(slots.iter().all(|(_, why)| why == "due"), "{slots:?}");
    let ledger = workspace.trial(&["ledger", "--format", "csv"]).check().csv();
    assert_eq!(ledger.len(), 1);
    workspace.trial(&["verify", "--deep"]).check();
}

#[test]
fn a_fresh_store_has_missed_nothing_and_says_when_its_first_run_is() {
    let workspace = workspace(&schedule(YEARLY, ""), &feed(0));
    let mut served = Served::start(&workspace);
    served.says("serving accrued.toml; next run 2028-02-29 00:00:00 Asia/Kolkata (2028-02-28T18:30:00Z)", 1);
    until("the schedule is journalled", || records(&workspace, "scheduled").len() == 1);
    // a store without a run is no broken one
    workspace.trial(&["verify", "--deep"]).check();
    let status = workspace.trial(&["status", "--format", "csv"]).check();
    assert_eq!(status.csv()[0]["state"], "never");
    served.stop("TERM", 143);
    let mut served = Served::start(&workspace);
    served.says("serving", 2);
    served.stop("INT", 130);
    assert_eq!(records(&workspace, "scheduled").len(), 1, "the same schedule goes on");
    assert_eq!(slots(&workspace), []);
    workspace.trial(&["run"]).check();
    workspace.trial(&["verify", "--deep"]).check();
}

/// A schedule that came into force some days ago.
fn served_before(workspace: &Workspace, cron: &str, days: i64) {
    let data = workspace.path("var");
    fs::create_dir_all(data.join("tmp")).expect("a folder");
    let mut store = Store::open(&data, &data.join("tmp")).expect("a store");
    let at = clock::stamp(clock::now() - Duration::days(days));
    let stamp = Stamp { at, run: 0, actor: "accrued".into() };
    store.take_up_schedule(&stamp, cron, "Asia/Kolkata").expect("journalled");
}

#[test]
fn however_many_runs_were_missed_while_down_one_happens_at_start() {
    let hourly = schedule("0 0 * * * *", "");
    let workspace = workspace(&hourly, &feed(0));
    served_before(&workspace, "0 0 * * * *", 3);
    let mut served = Served::start(&workspace);
    served.says("which was missed: one run makes up for all that were", 1);
    served.says("exit 0; next run", 1);
    served.stop("TERM", 143);
    let missed = slots(&workspace);
    assert_eq!(missed.len(), 1, "{missed:?}");
    assert_eq!(missed[0].1, "missed");
    let due: DateTime<Utc> = missed[0].0.parse().expect("an instant");
    assert!(clock::now() - due < Duration::minutes(61), "the last of those that were missed: {missed:?}");
    // it is recorded with its run: the next start has missed nothing
    let mut served = Served::start(&workspace);
    served.says("serving", 2);
    served.says("next run", 3);
    served.stop("TERM", 143);
    assert_eq!(slots(&workspace), missed);
    workspace.trial(&["verify", "--deep"]).check();
}

#[test]
fn without_catch_up_what_was_missed_is_passed_over_and_said() {
    let workspace = workspace(&schedule("0 0 * * * *", "catch_up = false\n"), &feed(0));
    served_before(&workspace, "0 0 * * * *", 3);
    let mut served = Served::start(&workspace);
    served.says("was missed and catch_up = false: it is passed over; next run", 1);
    served.stop("TERM", 143);
    assert_eq!(slots(&workspace), []);
}

#[test]
fn what_an_earlier_schedule_missed_is_caught_up_and_the_new_one_has_missed_nothing() {
    let workspace = workspace(&schedule(YEARLY, ""), &feed(0));
    served_before(&workspace, "0 0 * * * *", 3);
    let mut served = Served::start(&workspace);
    served.says("which was missed", 1);
    served.says("exit 0; next run 2028-02-29", 1);
    until("the new schedule is journalled", || records(&workspace, "scheduled").len() == 2);
    served.stop("TERM", 143);
    assert_eq!(slots(&workspace).len(), 1);
    // and the other way round: an hourly schedule that is new was never due before
    workspace.write("accrued.toml", format!("{}{}", schedule("0 0 * * * *", ""), feed(0)));
    let mut served = Served::start(&workspace);
    until("the new schedule is journalled", || records(&workspace, "scheduled").len() == 3);
    served.stop("TERM", 143);
    assert_eq!(slots(&workspace).len(), 1);
}

/// A run of a slot as one that served some time ago has left it.
fn run_then(workspace: &Workspace, minutes_ago: i64, cancel: &Cancel) {
    let path = workspace.path("accrued.toml");
    let text = fs::read_to_string(&path).expect("a config");
    let config =
        config::load(&path, &text, &|_| None).unwrap_or_else(|faults| panic!("{}", faults.render(false)));
    let now = (clock::now() - Duration::minutes(minutes_ago)).trunc_subsecs(0);
    let slot = Slot { due: now, wall: now.naive_utc(), zone: "Asia/Kolkata".into() };
    let order = Order {
        now,
        clock: ClockMode::Real,
        feeds: Vec::new(),
        fetch: Fetch::Feeds,
        close: None,
        reread: None,
        actor: "accrued".into(),
        cancel: cancel.clone(),
        progress: Progress::default(),
        replay: None,
        slot: Some(Scheduled { slot, why: Why::Due }),
    };
    let schemes = batch::load_schemes(&config).expect("schemes");
    // stopped ones fail
    let _ = batch::run(&config, schemes, &order);
}

#[test]
fn a_run_that_was_stopped_is_finished_at_start() {
    let workspace = workspace(&schedule(YEARLY, ""), &feed(0));
    served_before(&workspace, YEARLY, 1);
    let stopped = Cancel::default();
    stopped.set();
    run_then(&workspace, 10, &stopped);
    let mut served = Served::start(&workspace);
    served.says("finishing the work of", 1);
    served.says("exit 0; next run", 1);
    served.stop("TERM", 143);
    let whys: Vec<String> = slots(&workspace).into_iter().map(|(_, why)| why).collect();
    assert_eq!(whys, ["due", "stopped"]);
}

/// Nobody listens at a port that was found free, until somebody forwards it.
struct Later(SocketAddr);

impl Later {
    fn new() -> Later {
        Later(TcpListener::bind(("127.0.0.1", 0)).expect("a port").local_addr().expect("its address"))
    }

    /// From now on a server is there.
    fn comes_up(&self, server: SocketAddr) {
        let listener = TcpListener::bind(self.0).expect("the port is still free");
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Ok(server) = TcpStream::connect(server) else { continue };
                let clone = |stream: &TcpStream| stream.try_clone().expect("a handle");
                let (from, to) = (clone(&client), clone(&server));
                std::thread::spawn(move || carry(from, to));
                std::thread::spawn(move || carry(server, client));
            }
        });
    }
}

fn carry(mut from: TcpStream, mut to: TcpStream) {
    let mut bytes = [0; 65_536];
    while let Ok(count @ 1..) = from.read(&mut bytes) {
        if to.write_all(&bytes[..count]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
}

/// A feed on a server whose key is known, at an address of its own.
fn far(server: &Sshd, at: SocketAddr, host_key: &str) -> String {
    format!(
        "[[feed]]\nname = \"far\"\nkind = \"sales\"\nurl = \"sftp://{}@127.0.0.1:{}{}\"\nfiles = \"*.csv\"\n\
         timezone = \"Asia/Kolkata\"\nsettle_seconds = 0\n[feed.ssh]\nhost_key = \"{host_key}\"\nprivate_key = \"{}\"\nretries = 0\n",
        user(),
        at.port(),
        server.outbound().display(),
        server.user_key().display(),
    )
}

#[test]
fn a_slot_whose_server_is_down_is_tried_again_until_it_is_up_also_across_a_restart() {
    let server = Sshd::start();
    server.put("a.csv", format!("{HEADER}A1,1,2026-01-10,P1,1000\n").as_bytes());
    let later = Later::new();
    let workspace = workspace(
        &schedule(YEARLY, "retry = \"1s\"\n"),
        &far(&server, later.0, &server.fingerprint("ed25519")),
    );
    served_before(&workspace, YEARLY, 1);
    run_then(&workspace, 10, &Cancel::default());
    let mut served = Served::start(&workspace);
    served.says("trying 2026-", 2);
    served.says("exit 5; tries again at", 2);
    // the failures are no news after a restart: it goes on
    served.stop("TERM", 143);
    let mut served = Served::start(&workspace);
    served.says("serving", 2);
    served.says("trying 2026-", 4);
    later.comes_up(server.addr);
    served.says("posted club: 10 points in", 1);
    served.says("exit 0; next run 2028", 1);
    served.stop("TERM", 143);
    let slots = slots(&workspace);
    let (first, others) = slots.split_first().expect("slots");
    assert_eq!(first.1, "due");
    assert!(others.iter().all(|(due, why)| *due == first.0 && why == "again"), "{slots:?}");
    workspace.trial(&["verify", "--deep"]).check();
}

#[test]
fn retries_are_over_after_retry_for() {
    let server = Sshd::start();
    let later = Later::new();
    let more = "retry = \"20m\"\nretry_for = \"5m\"\n";
    let workspace =
        workspace(&schedule(YEARLY, more), &far(&server, later.0, &server.fingerprint("ed25519")));
    served_before(&workspace, YEARLY, 1);
    run_then(&workspace, 30, &Cancel::default());
    let mut served = Served::start(&workspace);
    served.says("serving", 1);
    served.signal("USR1");
    served.says("exit 5; next run 2028-02-29", 1);
    served.stop("TERM", 143);
    assert_eq!(slots(&workspace).len(), 1);
}

#[test]
fn a_wrong_host_key_is_said_and_not_tried_again_and_other_feeds_go_on() {
    let server = Sshd::start();
    let wrong = "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let feeds = format!("{}{}", far(&server, server.addr, wrong), feed(0));
    let mut workspace = workspace(&schedule(EACH_SECOND, "retry = \"1s\"\n"), &feeds);
    let mut served = Served::start(&workspace);
    served.says("exit 12; next run", 1);
    workspace.drop("drop/a.csv", format!("{HEADER}A1,1,2026-01-10,P1,1000\n"));
    // of files the near feed has, none waits for the far one
    served.says("files 1 ingested", 1);
    served.stop("TERM", 143);
    assert!(slots(&workspace).iter().all(|(_, why)| why == "due"), "{}", served.log());
}

#[test]
fn a_scheme_that_has_become_invalid_fails_its_run_and_nothing_else() {
    let workspace = workspace(&schedule(YEARLY, ""), &feed(0));
    let mut served = Served::start(&workspace);
    served.says("serving", 1);
    workspace.write("schemes/club.toml", SCHEME.replace("mode = \"whole\"", "mode = \"hole\""));
    served.signal("USR1");
    served.says("exit 78; next run", 1);
    assert!(served.log().contains("mode = \"hole\""), "the fault is shown: {}", served.log());
    workspace.write("schemes/club.toml", SCHEME);
    served.signal("USR1");
    served.says("exit 0; next run", 1);
    served.stop("TERM", 143);
}

#[test]
fn another_run_that_holds_the_lock_is_named_and_waited_for() {
    let workspace = workspace(&schedule(YEARLY, ""), &feed(0));
    workspace.trial(&["run"]).check();
    let taken = lock::take(&workspace.path("var"), "2026-07-06T02:30:00Z").expect("a lock");
    let mut served = Served::start(&workspace);
    let holder = format!("pid {} since 2026-07-06T02:30:00Z; waiting for it to end", std::process::id());
    served.says(&holder, 1);
    served.signal("USR1");
    drop(taken);
    served.says("exit 0; next run", 1);
    let taken = lock::take(&workspace.path("var"), "2026-07-07T02:30:00Z").expect("a lock");
    served.signal("USR1");
    served.says("since 2026-07-07T02:30:00Z; waiting for it to end", 1);
    drop(taken);
    served.says("exit 0; next run", 2);
    served.stop("TERM", 143);
    assert_eq!(served.log().matches("waiting for it to end").count(), 2, "said once: {}", served.log());
}

#[test]
fn what_cannot_be_served_ends_at_start() {
    let no_schedule = workspace("", &feed(0));
    let refused = no_schedule.trial(&["serve"]).status(78).check();
    assert!(refused.stderr.contains("accrued serve needs [schedule]"), "{}", refused.whole());
    let workspace = workspace(&schedule(YEARLY, ""), &feed(0));
    let refused = workspace.trial(&["serve", "--as-of", "2026-07-01"]).status(2).check();
    assert!(refused.stderr.contains("serve goes by the machine's clock"), "{}", refused.whole());
    workspace.write("schemes/bad.toml", "[scheme]\n");
    workspace.trial(&["serve"]).status(78).check();
    fs::remove_file(workspace.path("schemes/bad.toml")).expect("removed");
    workspace.trial(&["run", "--as-of", "2026-07-01"]).check();
    let refused = workspace.trial(&["serve"]).status(1).check();
    assert!(refused.stderr.contains("was given its time"), "{}", refused.whole());
}
