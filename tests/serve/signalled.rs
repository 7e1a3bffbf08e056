//! Signals: stop, whatever is under way; run now; read the config again.

use super::rig::{
    EACH_SECOND, HEADER, SCHEME, Served, YEARLY, feed, records, schedule, slots, until, workspace,
};
use crate::support::program::Workspace;
use std::fmt::Write as _;
use std::net::TcpListener;
use std::time::Duration;

/// Exits within seconds, also where many others use the machine; a service manager waits longer.
pub const SECONDS: Duration = Duration::from_secs(20);

fn ends_well(workspace: &Workspace) {
    workspace.trial(&["run", "-q"]).check();
    workspace.trial(&["verify", "--deep"]).check();
}

#[test]
fn a_person_who_asks_twice_while_a_run_goes_on_gets_one_more() {
    let mut workspace = workspace(&schedule(YEARLY, ""), &feed(2));
    workspace.drop("drop/a.csv", format!("{HEADER}A1,1,2026-01-10,P1,1000\n"));
    let mut served = Served::start_with(&workspace, |command| {
        command.env("RUST_LOG", "info");
    });
    served.says("serving", 1);
    served.signal("USR1");
    until("the run has begun", || records(&workspace, "run-started").len() == 1);
    for _ in 0..3 {
        served.signal("USR1");
    }
    served.says("exit 0; next run", 2);
    // had another been asked for, it would have begun before this is read
    served.signal("HUP");
    served.says("read accrued.toml again", 1);
    assert_eq!(records(&workspace, "run-started").len(), 2, "{}", served.log());
    assert_eq!(slots(&workspace), [], "a person's run uses up no slot");
    served.stop("TERM", 143);
}

#[test]
fn a_good_new_config_is_taken_and_a_bad_one_refused() {
    let workspace = workspace(&schedule(YEARLY, ""), &feed(0));
    let mut served = Served::start(&workspace);
    served.says("serving", 1);
    workspace.write("accrued.toml", format!("{}colour = \"red\"\n{}", schedule(EACH_SECOND, ""), feed(0)));
    served.signal("HUP");
    served.says("the new config is refused: the old one stays in force", 1);
    assert!(served.log().contains("colour = \"red\""), "the fault is shown with its line: {}", served.log());
    workspace.write("accrued.toml", feed(0));
    served.signal("HUP");
    served.says("accrued serve needs [schedule]", 1);
    served.says("the new config is refused: the old one stays in force", 2);
    served.signal("USR1");
    served.says("exit 0; next run 2028", 1);
    workspace.write("accrued.toml", format!("{}{}", schedule(EACH_SECOND, ""), feed(0)));
    served.signal("HUP");
    served.says("read accrued.toml again", 1);
    served.says("running for 20", 2);
    served.stop("TERM", 143);
    workspace.trial(&["verify", "--deep"]).check();
}

#[test]
fn a_new_data_dir_is_a_new_store() {
    let workspace = workspace(&schedule(YEARLY, ""), &feed(0));
    let mut served = Served::start(&workspace);
    served.says("serving", 1);
    workspace.write("accrued.toml", format!("data_dir = \"other\"\n{}{}", schedule(YEARLY, ""), feed(0)));
    served.signal("HUP");
    served.says("serving", 2);
    served.signal("USR1");
    served.says("exit 0; next run", 1);
    served.stop("TERM", 143);
    assert_eq!(records(&workspace, "run-started").len(), 0);
    assert!(workspace.path("other/accrued.db").exists());
}

#[test]
fn a_signal_ends_it_while_it_waits() {
    for (signal, status) in [("TERM", 143), ("INT", 130)] {
        let workspace = workspace(&schedule(YEARLY, ""), &feed(0));
        let mut served = Served::start(&workspace);
        served.says("serving", 1);
        let took = served.stop(signal, status);
        assert!(took < SECONDS, "{took:?}");
        assert!(served.log().contains(&format!("stopping by SIG{signal}: nothing is under way")));
    }
}

#[test]
fn a_signal_ends_it_while_files_settle() {
    let mut workspace = workspace(&schedule(YEARLY, ""), &feed(3600));
    workspace.drop("drop/a.csv", format!("{HEADER}A1,1,2026-01-10,P1,1000\n"));
    let mut served = Served::start(&workspace);
    served.says("serving", 1);
    served.signal("USR1");
    until("the run has begun", || records(&workspace, "run-started").len() == 1);
    let took = served.stop("TERM", 143);
    assert!(took < SECONDS, "{took:?}");
    workspace.write("accrued.toml", feed(0));
    ends_well(&workspace);
}

#[test]
fn a_signal_ends_it_while_a_server_says_nothing() {
    let silent = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let port = silent.local_addr().expect("its address").port();
    let far = format!(
        "[[feed]]\nname = \"far\"\nkind = \"sales\"\nurl = \"sftp://a@127.0.0.1:{port}/out\"\nfiles = \"*.csv\"\n\
         timezone = \"Asia/Kolkata\"\n[feed.ssh]\nhost_key = \"SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"\n\
         password_file = \"secret\"\nconnect_timeout = \"1h\"\nidle_timeout = \"1h\"\n"
    );
    let workspace = workspace(&schedule(YEARLY, ""), &far);
    workspace.write("secret", "secret\n");
    let mut served = Served::start(&workspace);
    served.says("serving", 1);
    served.signal("USR1");
    let (_client, _) = silent.accept().expect("a client");
    let took = served.stop("TERM", 143);
    assert!(took < SECONDS, "{took:?}");
    workspace.write("accrued.toml", feed(0));
    ends_well(&workspace);
}

/// Many lines of a few hundred partners.
fn large(lines: usize) -> String {
    let mut text = HEADER.to_owned();
    for i in 0..lines {
        writeln!(text, "A{i},1,2026-0{}-10,P{:03},{}.25", 1 + i % 9, i % 300, 37 * i % 900)
            .expect("a string");
    }
    text
}

#[test]
fn a_signal_ends_it_wherever_a_large_file_is_by_then() {
    let wanted = {
        let mut workspace = workspace("", &feed(0));
        workspace.drop("drop/large.csv", large(30_000));
        workspace.trial(&["run", "-q"]).check();
        ledger(&workspace)
    };
    let mut workspace = workspace(&schedule(YEARLY, ""), &feed(0));
    workspace.drop("drop/large.csv", large(30_000));
    let mut served = Served::start(&workspace);
    served.says("serving", 1);
    for pause in 0..6_u32 {
        served.signal("USR1");
        let began = records(&workspace, "run-started").len();
        until("a run has begun", || records(&workspace, "run-started").len() > began.saturating_sub(1));
        let end = std::time::Instant::now() + Duration::from_millis(90) * pause;
        until("some time has passed", || std::time::Instant::now() >= end);
        let took = served.stop("TERM", 143);
        assert!(took < SECONDS, "{took:?}");
        served = Served::start(&workspace);
        served.says("serving", 2 + pause as usize);
    }
    served.signal("USR1");
    served.says("exit 0; next run", 1);
    served.stop("TERM", 143);
    assert_eq!(ledger(&workspace), wanted);
    workspace.trial(&["verify", "--deep"]).check();
}

/// The ledger without what only tells when it was posted.
pub fn ledger(workspace: &Workspace) -> Vec<std::collections::BTreeMap<String, String>> {
    let mut rows = workspace.trial(&["ledger", "--format", "csv"]).check().csv();
    for row in &mut rows {
        for column in ["posted_at", "posting_date", "run", "hash"] {
            row.remove(column).expect("a column of the ledger");
        }
    }
    rows
}

#[test]
fn a_terminal_that_closes_and_schemes_that_do_not_load_do_not_end_it() {
    let workspace = workspace(&schedule(YEARLY, ""), &feed(0));
    let mut served = Served::start(&workspace);
    served.says("serving", 1);
    workspace.write("schemes/club.toml", SCHEME.replace("from = 0", "from = -1"));
    served.signal("HUP");
    served.says("the new config is refused", 1);
    workspace.write("schemes/club.toml", SCHEME);
    served.signal("HUP");
    served.says("read accrued.toml again", 1);
    served.stop("TERM", 143);
}
