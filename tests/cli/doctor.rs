//! `accrued doctor`: what people read, and every bad line, provoked.

use crate::ends::waiting_run;
use crate::rig::{FEBRUARY, SCHEME, closed, feed, january, with, workspace};
use crate::support::golden;
use crate::support::program::{Outcome, Workspace, csv_rows, without_settings};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).expect("ours");
}

/// `(state, finding, remedy)` of a check.
fn of(stdout: &str, check: &str) -> (String, String, String) {
    let rows = csv_rows(stdout.as_bytes());
    let row = rows.iter().find(|row| row["check"] == check).unwrap_or_else(|| panic!("{check} in {stdout}"));
    (row["state"].clone(), row["finding"].clone(), row["remedy"].clone())
}

fn doctor(workspace: &Workspace, status: i32, more: &[&str]) -> Outcome {
    workspace.trial(&[&["doctor"], more].concat()).status(status).check()
}

/// Each bad line has a remedy.
fn bad(outcome: &Outcome, check: &str, finding: &str, remedy: &str) {
    let (state, found, does) = of(&outcome.stdout, check);
    assert_eq!(state, "bad", "{}", outcome.whole());
    assert!(found.contains(finding) && does.contains(remedy), "{}", outcome.whole());
    for row in outcome.csv() {
        assert_eq!(row["state"] == "ok", row["remedy"].is_empty(), "{row:?}");
    }
}

/// In a shell with mounts of its own; status and stdout.
fn in_shell(workspace: &Workspace, wrapper: &[&str], script: &str) -> (i32, String) {
    let mut command = Command::new(wrapper[0]);
    without_settings(&mut command);
    command
        .args(&wrapper[1..])
        .args(["bash", "-c", script])
        .current_dir(workspace.root())
        .stdin(Stdio::null());
    let output = command.env("ACCRUED", env!("CARGO_BIN_EXE_accrued")).output().expect("it starts");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&output.stdout).into_owned() + &said)
}

/// What differs from machine to machine, and from version to version.
fn masked(text: &str) -> String {
    let mut out = String::new();
    let mut left_out = false;
    for line in text.lines() {
        // what goes on under a line that is left out is left out too
        let begins = line.chars().next().is_some_and(|first| first != ' ');
        if left_out && !begins {
            continue;
        }
        let check = line.get(6..).and_then(|rest| rest.split_once("  ")).map_or("", |(check, _)| check);
        left_out = matches!(check, "program" | "disk");
        let masked = if left_out { format!("ok    {check}  ...") } else { line.to_owned() };
        let is_size = |word: &str| word == "MB" || word == "kB";
        let words: Vec<&str> = masked.split(' ').collect();
        let size =
            |at: usize| words.get(at + 1).is_some_and(|unit| is_size(unit.trim_end_matches([',', ';'])));
        let shown = |(at, word): (usize, &&str)| match word.len() {
            64 if word.bytes().all(|b| b.is_ascii_hexdigit()) => "HASH".to_owned(),
            _ if size(at) => "N".to_owned(),
            _ => (*word).to_owned(),
        };
        let words: Vec<String> = words.iter().enumerate().map(shown).collect();
        out.push_str(&words.join(" "));
        out.push('\n');
    }
    out
}

#[test]
fn people_read_what_is_well_first_and_each_remedy_below_its_finding() {
    let workspace = closed();
    mode(&workspace.path("var"), 0o750);
    let script =
        "TZDIR=/nonexistent \"$ACCRUED\" doctor --format table --as-of 2026-11-22 2>&1; echo exit $?";
    let (_, whole) = in_shell(&workspace, &["env"], script);
    mode(&workspace.path("schemes"), 0o777);
    let (_, open) =
        in_shell(&workspace, &["env"], &script.replace("--as-of 2026-11-22", "--offline --as-of 2026-11-22"));
    let fresh = with(&feed("sales", "sales", "delimeter = 1\n"));
    let (_, invalid) = in_shell(&fresh, &["env"], script);
    let all = [masked(&whole), masked(&open), masked(&invalid)].join("\n");
    golden::check("doctor.txt", &all);
}

#[test]
fn without_a_config_or_a_store_it_says_so() {
    let workspace = workspace();
    let outcome = doctor(&workspace, 0, &[]);
    let (state, finding, remedy) = of(&outcome.stdout, "store");
    assert_eq!(
        (state.as_str(), finding.as_str(), remedy.as_str()),
        ("warn", "there is none in var yet", "accrued run makes it")
    );
    assert!(!workspace.path("var").exists(), "it only looks");
    fs::remove_file(workspace.path("accrued.toml")).expect("it was there");
    bad(&doctor(&workspace, 1, &[]), "config", "no accrued.toml here", "accrued init DIR");
    let json = doctor(&workspace, 1, &["--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&json.stdout).expect("json");
    assert_eq!((json["command"].as_str(), json["rows"][1]["state"].as_str()), (Some("doctor"), Some("bad")));
}

#[test]
fn a_config_or_a_scheme_that_cannot_be_meant_is_78() {
    let workspace = with(&feed("sales", "sales", "delimeter = 1\nmod = 2\n"));
    bad(&doctor(&workspace, 78, &[]), "config", "unknown key delimeter", "accrued check --offline");
    let workspace = with(&feed("sales", "sales", ""));
    workspace.write("schemes/club.toml", SCHEME.replace("rate = \"1%\"", "rate = 0.01"));
    let outcome = doctor(&workspace, 78, &[]);
    bad(&outcome, "schemes", "rate", "accrued check --offline");
    assert_eq!(of(&outcome.stdout, "feed sales").0, "ok", "the rest is looked at all the same");
}

fn forge(workspace: &Workspace, sql: &str) {
    let store = rusqlite::Connection::open(workspace.path("var/accrued.db")).expect("a store");
    store.execute_batch(sql).expect("forged");
}

#[test]
fn a_store_of_another_version_or_that_somebody_changed_is_told() {
    let workspace = closed();
    assert_eq!(of(&doctor(&workspace, 0, &[]).stdout, "chain").0, "ok");
    forge(&workspace, "PRAGMA user_version = 999");
    bad(
        &doctor(&workspace, 1, &[]),
        "store",
        "the store has form 999",
        "use the newer accrued that wrote it",
    );
    forge(&workspace, "PRAGMA user_version = 3");
    let (state, finding, remedy) = of(&doctor(&workspace, 0, &[]).stdout, "store");
    assert_eq!((state.as_str(), remedy.as_str()), ("warn", "accrued run brings it up to date"), "{finding}");

    let workspace = closed();
    forge(&workspace, "DROP TRIGGER ledger_keeps");
    bad(&doctor(&workspace, 1, &[]), "chain", "triggers are gone: ledger_keeps", "accrued verify");
    let workspace = closed();
    forge(
        &workspace,
        "DROP TRIGGER ledger_keeps; DROP TRIGGER ledger_holds; DELETE FROM ledger WHERE entry = 2",
    );
    bad(&doctor(&workspace, 1, &[]), "chain", "is not what the last run recorded", "accrued verify");

    let workspace = closed();
    let path = workspace.path("var/accrued.db");
    let mut bytes = fs::read(&path).expect("a store");
    let middle = bytes.len() / 2;
    bytes[middle..].iter_mut().for_each(|byte| *byte = !*byte);
    fs::write(&path, bytes).expect("damaged");
    let outcome = doctor(&workspace, 1, &[]);
    bad(&outcome, "store", "", "accrued restore brings a backup back");
}

#[test]
fn a_clock_before_the_last_run_is_told() {
    let mut workspace = workspace();
    january(&mut workspace);
    workspace.trial(&["run"]).check();
    assert_eq!(of(&doctor(&workspace, 0, &[]).stdout, "clock").0, "ok");
    bad(
        &doctor(&workspace, 1, &["--as-of", "2025-06-01"]),
        "clock",
        "is before the last run at ",
        "set the clock",
    );
    fs::remove_dir_all(workspace.path("var")).expect("it was there");
    bad(
        &doctor(&workspace, 1, &["--as-of", "2024-06-01"]),
        "clock",
        "time-zone data were released",
        "set the clock",
    );
}

#[test]
fn a_run_that_holds_the_lock_is_told_and_not_disturbed() {
    let (workspace, mut child) = waiting_run();
    for _ in 0..20 {
        let (state, finding, _) = of(&doctor(&workspace, 0, &[]).stdout, "lock");
        assert_eq!(state, "ok");
        assert!(finding.starts_with(&format!("held by a run, pid {} since 2", child.id())), "{finding}");
    }
    child.kill().expect("ours");
    child.wait().expect("ended");
    assert_eq!(of(&doctor(&workspace, 0, &[]).stdout, "lock").1, "free");
}

#[test]
fn a_disk_that_is_full_or_read_only_is_told() {
    let workspace = closed();
    let apart = ["unshare", "--mount"];
    let (status, said) = in_shell(
        &workspace,
        &apart,
        "mkdir small && mount -t tmpfs -o size=1m,mode=750 none small && \"$ACCRUED\" doctor --set data_dir=small 2>/dev/null",
    );
    assert_eq!(status, 1, "{said}");
    let (state, finding, remedy) = of(&said, "disk");
    assert_eq!((state.as_str(), remedy.as_str()), ("bad", "make room, or move data_dir to a larger disk"));
    assert!(finding.starts_with("1.0 MB free of 1.0 MB under "), "{finding}");
    let script = "mount --bind var var && mount -o remount,bind,ro var && \"$ACCRUED\" doctor 2>/dev/null";
    let (status, said) = in_shell(&workspace, &apart, script);
    assert_eq!(status, 1, "{said}");
    assert!(of(&said, "disk").1.ends_with("is on a file system that is mounted read-only"), "{said}");
    assert_eq!((of(&said, "data_dir").0, of(&said, "chain").0), ("bad".into(), "ok".into()), "{said}");
    let script = "mount -t tmpfs -o size=9m none var/statements && \"$ACCRUED\" doctor 2>/dev/null";
    let (status, said) = in_shell(&workspace, &apart, script);
    assert_eq!(status, 1, "{said}");
    let (_, finding, remedy) = of(&said, "file systems");
    assert!(finding.contains("var/statements are on different file systems"), "{finding}");
    assert_eq!(remedy, "keep all of var on one file system");
}

#[test]
fn who_may_only_read_is_told_so_and_an_owner_who_may_not_write_is_bad() {
    let workspace = closed();
    fs::copy(env!("CARGO_BIN_EXE_accrued"), workspace.path("accrued")).expect("copied");
    mode(workspace.root(), 0o755);
    let stranger = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"];
    let (status, said) = in_shell(&workspace, &stranger, "./accrued doctor 2>/dev/null");
    assert_eq!(status, 0, "{said}");
    let (state, finding, remedy) = of(&said, "data_dir");
    assert!(state == "warn" && finding.contains("the store belongs to uid 0"), "{said}");
    assert_eq!(remedy, "to see what its runs may do: sudo -u '#0' accrued doctor");
    let (_, said) = in_shell(&workspace, &["env"], "chown -R 65534:65534 var && chmod 555 var");
    assert_eq!(said, "");
    let (status, said) = in_shell(&workspace, &stranger, "./accrued doctor 2>/dev/null");
    assert_eq!(status, 1, "{said}");
    let (state, finding, remedy) = of(&said, "data_dir");
    assert!(state == "bad" && finding.contains("cannot be written to: Permission denied"), "{said}");
    assert_eq!(remedy, "chown 65534 var, or chmod u+rwx var");
}

#[test]
fn rules_that_everybody_may_change_are_bad() {
    let workspace = closed();
    mode(&workspace.path("schemes"), 0o777);
    bad(
        &doctor(&workspace, 1, &[]),
        "permissions of schemes_dir",
        "schemes can be changed by everybody (mode 0777)",
        "chmod o-w schemes",
    );
}

/// A zone's file with nothing but a rule.
fn zone_file(rule: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for _ in 0..2 {
        bytes.extend(b"TZif2");
        bytes.extend([0; 15]);
        for count in [0_u32, 0, 0, 0, 1, 4] {
            bytes.extend(count.to_be_bytes());
        }
        bytes.extend(b"\0\0\0\0\0\0UTC\0");
    }
    bytes.extend(format!("\n{rule}\n").as_bytes());
    bytes
}

#[test]
fn time_zones_that_the_system_has_otherwise_and_old_data_are_told() {
    let workspace = workspace();
    let script = "TZDIR=zones \"$ACCRUED\" doctor --as-of 2026-11-22 2>/dev/null";
    for (rule, version, state, finding, remedy) in [
        ("IST-5:30", "2026c", "ok", "as the system's (2026c) says until 2031", ""),
        ("IST-6", "2026c", "warn", "from 2024-11-", "install an accrued"),
        (
            "IST-5:30IDT,M3.2.0,M11.1.0",
            "2026c",
            "warn",
            "from 2025-03-08T20:30:00Z on it is +05:30 here, the system's (2026c) say +06:30",
            "install an accrued",
        ),
        ("IST-6", "2024a", "warn", "the system's (2024a) say +06:00", "update the system's"),
    ] {
        workspace.write("zones/Asia/Kolkata", zone_file(rule));
        workspace.write("zones/tzdata.zi", format!("# version {version}\n"));
        let (status, said) = in_shell(&workspace, &["env"], script);
        assert_eq!(status, 0, "{said}");
        let found = of(&said, "zone Asia/Kolkata");
        assert!(
            found.0 == state && found.1.contains(finding) && found.2.contains(remedy),
            "{rule}: {found:?}"
        );
    }
    let (state, finding, remedy) =
        of(&doctor(&workspace, 0, &["--as-of", "2026-11-22"]).stdout, "time-zone data");
    assert!(
        state == "warn" && finding.contains("20 months old") && remedy.contains("newer data"),
        "{finding}"
    );
    assert_eq!(of(&doctor(&workspace, 0, &["--as-of", "2025-12-01"]).stdout, "time-zone data").0, "ok");
    workspace.write("schemes/club.toml", SCHEME.replace("Asia/Kolkata", "America/Vancouver"));
    let (_, finding, _) = of(&doctor(&workspace, 0, &["--as-of", FEBRUARY]).stdout, "time-zone data");
    assert!(!finding.contains("Vancouver"), "not old yet: {finding}");
    let (_, finding, _) = of(&doctor(&workspace, 0, &["--as-of", "2026-11-22"]).stdout, "time-zone data");
    assert!(finding.ends_with("America/Vancouver is wrong from 2027-01-01 on"), "{finding}");
}

/// A feed or push on a server of its own, at loopback address `n`.
fn far(table: &str, name: &str, n: usize, port: u16) -> String {
    let more = match table {
        "feed" => "kind = \"sales\"\nfiles = \"*.csv\"\ntimezone = \"Asia/Kolkata\"\n",
        _ => "what = [\"statements\"]\n",
    };
    format!(
        "[[{table}]]\nname = \"{name}\"\nurl = \"sftp://u@127.0.0.{n}:{port}/x\"\n{more}[{table}.ssh]\n\
         host_key = \"SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"\npassword_file = \"secret\"\n\
         connect_timeout = \"60s\"\nretries = 0\n"
    )
}

/// The server lets nobody go before all have come: one after the other they would each wait for a minute.
#[test]
fn feeds_and_pushes_that_do_not_answer_are_waited_for_together_and_told_in_order() {
    let server = std::net::TcpListener::bind("0.0.0.0:0").expect("a port");
    server.set_nonblocking(true).expect("it looks whether anybody comes");
    let port = server.local_addr().expect("bound").port();
    let feeds = (1..=6).map(|n| far("feed", &format!("f{n}"), n, port));
    let pushes = (7..=8).map(|n| far("push", &format!("p{n}"), n, port));
    let config: String = feeds.chain(pushes).collect();
    for command in ["doctor", "check"] {
        let workspace = Workspace::new(&config);
        workspace.write("schemes/club.toml", SCHEME);
        workspace.write("secret", "x");
        mode(&workspace.path("secret"), 0o600);
        let over = AtomicBool::new(false);
        let outcome = std::thread::scope(|scope| {
            scope.spawn(|| {
                let (mut kept, mut come) = (Vec::new(), 0);
                while !over.load(Ordering::SeqCst) {
                    match server.accept() {
                        Ok(one) => (come, kept) = (come + 1, kept.into_iter().chain([one]).collect()),
                        Err(_) => std::thread::yield_now(),
                    }
                    if come >= 8 {
                        kept.clear();
                    }
                }
            });
            let outcome = workspace.accrued(&[command]);
            over.store(true, Ordering::SeqCst);
            outcome
        });
        assert_eq!(outcome.status, 5, "{}", outcome.whole());
        let said = if command == "doctor" { &outcome.stdout } else { &outcome.stderr };
        let places: Vec<_> =
            ["feed f1", "feed f2", "feed f3", "feed f4", "feed f5", "feed f6", "push p7", "push p8"]
                .iter()
                .map(|name| said.find(name))
                .collect();
        assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{}", outcome.whole());
        assert!(!said.contains("connect_timeout"), "{}", outcome.whole());
    }
}
