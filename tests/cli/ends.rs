//! Every exit status of interfaces.md 1, and the signals.

use crate::rig::{FEBRUARY, SCHEME, closed, feed, january, with, workspace};
use crate::support::program::Workspace;
use std::process::{Child, Command, Stdio};

fn accrued(workspace: &Workspace, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_accrued"));
    command.args(args).current_dir(workspace.root()).env_remove("ACCRUED_CONFIG").stdin(Stdio::null());
    command
}

/// A run that waits for a file to settle, with the lock in its hands.
pub fn waiting_run() -> (Workspace, Child) {
    let settings = feed("sales", "sales", "").replace("settle_seconds = 0", "settle_seconds = 300");
    let mut workspace = with(&settings);
    january(&mut workspace);
    let mut child = workspace.start(&["run"]);
    let lock = workspace.path("var/lock");
    while std::fs::read_to_string(&lock).map_or(true, |who| !who.ends_with('\n')) {
        assert!(child.try_wait().expect("our child").is_none(), "the run has ended");
        std::thread::yield_now();
    }
    (workspace, child)
}

fn signal(child: &Child, signal: &str) {
    let status = Command::new("kill").args([signal, &child.id().to_string()]).status().expect("kill");
    assert!(status.success());
}

#[test]
fn another_run_holds_the_lock_11_and_sigterm_ends_it_143() {
    let (workspace, mut child) = waiting_run();
    for args in [&["run"][..], &["close", "club", "2026-01", "--reason", "r"], &["run", "--offline"]] {
        let refused = workspace.trial(args).status(11).stdout("").check();
        let pid = format!("error: another run holds the lock of var: pid {} since 2", child.id());
        assert!(refused.stderr.starts_with(&pid), "{}", refused.whole());
    }
    // reading and rehearsing do not need it
    workspace.trial(&["check", "--offline"]).check();
    workspace.trial(&["run", "--dry-run", "--offline"]).check();
    signal(&child, "-TERM");
    assert_eq!(child.wait().expect("it ends").code(), Some(143));
    workspace.trial(&["run", "--offline"]).check();
    workspace.trial(&["verify"]).check();
}

#[test]
fn sigint_ends_a_run_130() {
    let (_workspace, mut child) = waiting_run();
    signal(&child, "-INT");
    assert_eq!(child.wait().expect("it ends").code(), Some(130));
}

#[test]
fn nothing_to_go_by_is_1() {
    let empty = Workspace::new("");
    std::fs::remove_file(empty.path("accrued.toml")).expect("it was there");
    let outcome = empty.trial(&["run"]).status(1).stdout("").check();
    assert_eq!(
        outcome.stderr,
        "error: no accrued.toml here and none in /etc/accrued; name one with --config FILE, or write a first one with accrued init DIR\n"
    );
    let outcome = empty.trial(&["run", "--config", "other.toml"]).status(1).check();
    assert!(outcome.stderr.starts_with("error: cannot read the config other.toml"), "{}", outcome.whole());
    let fresh = workspace();
    for command in [&["files"][..], &["holds"], &["verify"]] {
        fresh
            .trial(command)
            .status(1)
            .stderr("error: there is no store in var yet: `accrued run` makes it\n")
            .check();
    }
}

#[test]
fn wrong_usage_is_2() {
    let workspace = workspace();
    for args in [
        &[][..],
        &["runn"],
        &["run", "--as-of", "yesterday"],
        &["run", "--offline", "--feed", "sales"],
        &["run", "-q", "-v"],
        &["close", "club", "2026-01"],
        &["close", "club", "2026-01", "--reason", " "],
        &["holds", "release", "1"],
        &["run", "--format", "xml"],
        &["verify", "everything"],
    ] {
        workspace.trial(args).status(2).stdout("").check();
    }
    workspace
        .trial(&["run", "--feed", "sale"])
        .status(2)
        .stderr("error: accrued.toml has no feed \"sale\" (did you mean sales?); its feeds are: sales\n")
        .check();
}

#[test]
fn what_later_issues_bring_says_so() {
    let workspace = workspace();
    for command in [
        &["plan", "x.toml", "--out", "f"][..],
        &["apply", "f"],
        &["record", "P1", "--scheme", "s", "--cycle", "c"],
        &["adjust", "propose"],
        &["dispute", "list"],
        &["scheme", "diff"],
        &["report", "--html", "d"],
        &["export", "--format", "csv", "d"],
    ] {
        let outcome = workspace.trial(command).status(1).stdout("").check();
        assert!(outcome.stderr.contains("is not yet supported by accrued"), "{}", outcome.whole());
    }
}

#[test]
fn a_server_that_is_not_there_is_5() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("its number");
    let far = format!(
        "[[feed]]\nname = \"far\"\nkind = \"sales\"\nurl = \"sftp://u@127.0.0.1:{}/out\"\nfiles = \"*.csv\"\n\
         timezone = \"Asia/Kolkata\"\n[feed.ssh]\nhost_key = \"SHA256:{}\"\nprivate_key = \"key\"\nretries = 0\n",
        free.port(),
        "A".repeat(43)
    );
    let mut workspace = with(&format!("{}{far}", feed("sales", "sales", "")));
    january(&mut workspace);
    let outcome = workspace.trial(&["run", "--as-of", FEBRUARY]).status(5).check();
    assert!(outcome.stderr.starts_with("error: feed far: "), "{}", outcome.whole());
    assert!(
        outcome.stdout.contains("files      1 ingested"),
        "what the other fetched stays: {}",
        outcome.whole()
    );
    assert!(
        outcome.stdout.contains("waits      club 2026-01: every feed must be listed"),
        "{}",
        outcome.whole()
    );
    let checked = workspace.trial(&["check"]).status(5).check();
    assert!(checked.stderr.contains("error: feed far: "), "{}", checked.whole());
    assert!(checked.stderr.contains("feed sales: reached; 1 file matching"), "{}", checked.whole());
    workspace.trial(&["run", "--feed", "sales", "--as-of", FEBRUARY]).check();
}

#[test]
fn a_config_that_cannot_be_meant_is_78_with_every_fault() {
    let workspace = with(&feed("sales", "sales", "delimeter = 1\n"));
    let outcome = workspace.trial(&["run"]).status(78).stdout("").check();
    assert!(outcome.stderr.contains("accrued.toml:8:1"), "{}", outcome.whole());
    assert!(!workspace.path("var").exists());
    let workspace = with(&feed("sales", "sales", ""));
    workspace.write("schemes/a.toml", SCHEME.replace("rate = \"1%\"", "rate = 0.01"));
    workspace.write("schemes/b.toml", SCHEME.replace("length = \"month\"", "length = \"moon\""));
    workspace.write("schemes/c.toml", b"\xff\xfe");
    let outcome = workspace.trial(&["check", "--offline"]).status(78).stdout("").check();
    for file in ["schemes/a.toml:", "schemes/b.toml:", "schemes/c.toml"] {
        assert!(outcome.stderr.contains(file), "{file} in {}", outcome.whole());
    }
    std::fs::remove_dir_all(workspace.path("schemes")).expect("a folder");
    let outcome = workspace.trial(&["check", "--offline"]).status(78).check();
    assert!(outcome.stderr.contains("schemes_dir schemes cannot be read"), "{}", outcome.whole());
}

#[test]
fn a_variable_that_is_missing_stops_only_who_contacts_a_feed() {
    let workspace = with(&format!(
        "{}[[feed]]\nname = \"far\"\nkind = \"sales\"\nurl = \"sftp://u@127.0.0.1:1/out\"\nfiles = \"*.csv\"\n\
         timezone = \"Asia/Kolkata\"\n[feed.ssh]\nhost_key = \"SHA256:{}\"\nprivate_key = \"${{NO_SUCH_PLACE}}/key\"\n",
        feed("sales", "sales", ""),
        "A".repeat(43)
    ));
    for args in [&["run"][..], &["check"]] {
        let outcome = workspace.trial(args).status(78).check();
        assert!(outcome.stderr.contains("NO_SUCH_PLACE"), "{}", outcome.whole());
    }
    for args in [&["check", "--offline"][..], &["run", "--offline"], &["status"], &["verify"]] {
        workspace.trial(args).check();
    }
}

#[test]
fn whoever_stops_reading_is_no_failure() {
    let workspace = closed();
    for args in
        [&["files"][..], &["config", "show"], &["status", "--format", "table"], &["completions", "bash"]]
    {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let output =
            accrued(&workspace, args).stdout(writer).stderr(Stdio::piped()).output().expect("it starts");
        assert_eq!(output.status.code(), Some(0), "{args:?}");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{args:?}");
    }
}

#[test]
fn colours_are_for_who_asks() {
    let workspace = with(&feed("sales", "sales", "delimeter = 1\n"));
    let seen = |args: &[&str], no_color: &str| {
        let output = accrued(&workspace, args).env("NO_COLOR", no_color).output().expect("it starts");
        output.stderr.contains(&0x1b)
    };
    assert!(!seen(&["check"], ""), "in a pipe");
    assert!(seen(&["check", "--color", "always"], ""));
    assert!(!seen(&["check", "--color", "never"], ""));
}
