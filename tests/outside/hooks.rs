//! `[[hook]]`: programs that are told what happened.

use crate::rig::{self, FEBRUARY, feed};
use crate::support::program::Workspace;
use serde_json::Value;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

/// Keeps what it is told, one file an event, and how often.
const KEEPS: &str = "#!/bin/sh\ncat >> told/$ACCRUED_EVENT.$1\necho heard \"$1\"\n";

fn program(workspace: &Workspace, name: &str, text: &str) {
    workspace.write(name, text);
    let everybody = fs::Permissions::from_mode(0o755);
    fs::set_permissions(workspace.path(name), everybody).expect("our own file");
}

fn hook(on: &str, command: &str, more: &str) -> String {
    format!("[[hook]]\non = {on}\ncommand = [{command}]\n{more}")
}

const ALL: &str = "[\"run-finished\", \"run-failed\", \"file-refused\", \"heartbeat\"]";

/// The rig's workspace, every event of which is kept in told/EVENT.all.
fn workspace(more: &str) -> Workspace {
    let hooks = hook(ALL, "\"./keep\", \"all\"", "timeout = \"60s\"\n");
    let workspace = rig::with(&(feed("sales", "sales", "") + &hooks + more));
    program(&workspace, "keep", KEEPS);
    fs::create_dir(workspace.path("told")).expect("a folder can be made");
    workspace
}

/// What was told on an event so far, call by call.
fn told(workspace: &Workspace, event: &str) -> Vec<Value> {
    let text = fs::read_to_string(workspace.path(&format!("told/{event}.all"))).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).expect("one object a line")).collect()
}

#[test]
fn a_run_that_did_its_work_is_told_whole() {
    let mut workspace = workspace("");
    rig::january(&mut workspace);
    workspace.drop("drop/sales/bad.csv", "a,b\n1,2\n");
    let run = workspace.trial(&["run", "--as-of", FEBRUARY]).status(3).check();
    let events = [("run-finished", 1), ("heartbeat", 1), ("file-refused", 1), ("run-failed", 0)];
    for (event, calls) in events {
        assert_eq!(told(&workspace, event).len(), calls, "{event}: {}", run.whole());
    }
    let body = &told(&workspace, "run-finished")[0];
    assert_eq!(body["schema"], 1);
    assert_eq!((&body["event"], &body["run"], &body["exit"]), (&"run-finished".into(), &1.into(), &3.into()));
    assert_eq!((&body["start"], &body["counts"]["accepted"]), (&"2026-02-08T00:00:00Z".into(), &2.into()));
    assert_eq!(body["posted"][0]["scheme"], "club");
    assert_eq!(body["posted"][0]["points"], "12");
    assert_eq!(body["posted"][0]["closed"], true);
    assert_eq!(body["files"].as_array().expect("a list").len(), 2);
    let head = run.stdout.lines().find_map(|line| line.strip_prefix("chain head ")).expect("the head");
    assert_eq!(
        format!("{} {}", body["chain"]["entry"], body["chain"]["head"].as_str().expect("a hash")),
        head
    );
    let refused = &told(&workspace, "file-refused")[0]["files"];
    assert_eq!((refused.as_array().map(Vec::len), &refused[0]["name"]), (Some(1), &"bad.csv".into()));
    assert_eq!((&refused[0]["feed"], &refused[0]["state"]), (&"sales".into(), &"refused".into()));
    assert!(refused[0]["detail"].as_str().is_some_and(|why| !why.is_empty()), "{refused}");

    // what was refused before is no news, and a rehearsal is no run
    workspace.trial(&["run", "--as-of", "2026-02-09"]).check();
    workspace.trial(&["run", "--dry-run", "--as-of", "2026-02-09"]).check();
    let counts = ["run-finished", "heartbeat", "file-refused"].map(|event| told(&workspace, event).len());
    assert_eq!(counts, [2, 2, 1]);
}

#[test]
fn the_heartbeat_is_silent_when_work_failed() {
    let mut workspace = workspace("");
    rig::january(&mut workspace);
    workspace.obstructed("var/statements", &["run", "--as-of", FEBRUARY]);
    let failed = told(&workspace, "run-failed");
    assert_eq!((failed.len(), &failed[0]["exit"]), (1, &1.into()));
    let error = failed[0]["error"].as_str().expect("why");
    assert!(error.contains("statements"), "{error}");
    assert_eq!((told(&workspace, "heartbeat").len(), told(&workspace, "run-finished").len()), (0, 0));

    // neither does a config or scheme that cannot be gone by pass unnoticed
    workspace.trial(&["run", "--as-of", FEBRUARY]).check();
    workspace.write("schemes/club.toml", rig::SCHEME.replace("rate", "rat"));
    workspace.trial(&["run", "--as-of", "2026-02-09"]).status(78).check();
    let failed = told(&workspace, "run-failed");
    assert_eq!((failed.len(), &failed[1]["exit"]), (2, &78.into()));
    let metrics = fs::read_to_string(workspace.path("var/metrics.prom")).expect("metrics.prom");
    assert!(metrics.contains("accrued_last_run_exit_code 78\n"), "{metrics}");
    assert_eq!(told(&workspace, "heartbeat").len(), 1);
}

#[test]
fn a_hook_that_fails_hangs_or_is_not_there_changes_nothing() {
    let hooks = [
        hook("\"run-finished\"", "\"./fails\"", ""),
        hook("\"run-finished\"", "\"./hangs\"", "timeout = \"1s\"\n"),
        hook("\"run-finished\"", "\"/no/such/program\"", ""),
        hook("\"run-finished\"", "\"./keep\", \"last\"", ""),
    ];
    let mut workspace = workspace(&hooks.concat());
    program(&workspace, "fails", "#!/bin/sh\necho it cannot be told >&2\nexit 7\n");
    program(&workspace, "hangs", "#!/bin/sh\nsleep 600 &\necho $! > told/child\nwait\n");
    rig::january(&mut workspace);
    let start = Instant::now();
    let run = workspace.trial(&["run", "--as-of", FEBRUARY]).check();
    assert!(start.elapsed() < Duration::from_secs(120), "{:?}", start.elapsed());
    for said in ["exit 7", "it cannot be told", "timeout of 1 s", "/no/such/program"] {
        assert!(run.stderr.contains(said), "{said} in\n{}", run.whole());
    }
    // one after the other, the last one too
    assert!(workspace.path("told/run-finished.last").exists());
    let child = fs::read_to_string(workspace.path("told/child")).expect("what it started");
    assert_ended(child.trim());
    // the lock was given back before
    workspace.trial(&["run", "--as-of", "2026-02-09"]).check();
}

/// Whoever reaps it may take his time.
fn assert_ended(process: &str) {
    let end = Instant::now() + Duration::from_secs(30);
    loop {
        let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
        let state = stat.rsplit(") ").next().and_then(|rest| rest.chars().next());
        if matches!(state, None | Some('Z')) {
            return;
        }
        assert!(Instant::now() < end, "process {process} lives: {stat}");
        std::thread::yield_now();
    }
}

#[test]
fn the_lock_is_free_while_a_hook_is_called() {
    let mut workspace = workspace(&hook("\"run-finished\"", "\"./again\"", ""));
    let again = format!(
        "#!/bin/sh\n[ -e told/again ] && exit 0\n'{}' run --as-of 2026-02-10 > told/again 2>&1\necho \"exit $?\" >> told/again\n",
        env!("CARGO_BIN_EXE_accrued")
    );
    program(&workspace, "again", &again);
    rig::january(&mut workspace);
    workspace.trial(&["run", "--as-of", FEBRUARY]).check();
    let said = fs::read_to_string(workspace.path("told/again")).expect("it was called");
    assert!(said.ends_with("exit 0\n"), "{said}");
    // the later run's metrics stand
    let metrics = fs::read_to_string(workspace.path("var/metrics.prom")).expect("metrics.prom");
    assert!(metrics.contains("accrued_last_run_number 2\n"), "{metrics}");
}

#[test]
fn check_says_which_hook_cannot_be_called() {
    let workspace = workspace(&hook("\"run-failed\"", "\"./not-there\"", ""));
    let check = workspace.trial(&["check", "--offline", "--deny-warnings"]).status(4).check();
    assert!(check.stderr.contains("not-there"), "{}", check.whole());
    let shown = workspace.trial(&["config", "show", "--format", "csv"]).check();
    assert!(shown.stdout.contains("hook.1.timeout"), "{}", shown.stdout);
}
