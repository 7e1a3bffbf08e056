//! `[[push]]`: statements, balances and reject files in folders of others, on a real OpenSSH server and on a local disk.

mod support {
    #[allow(dead_code, reason = "each test program uses its own part")]
    pub mod program;
    #[allow(dead_code, reason = "each test program uses its own part")]
    pub mod random;
    pub mod sshd;
}

use nix::sys::signal::{self, Signal};
use nix::unistd::Pid;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, Instant};
use support::program::{Outcome, Workspace};
use support::random::Random;
use support::sshd::{Setup, Sshd, keygen, user};

const SCHEME: &str = "[scheme]\nid = \"club\"\nname = \"Club\"\ncompany = \"Example\"\ncurrency = \"INR\"\n\
                      timezone = \"Asia/Kolkata\"\nstarts = 2026-01-01\n[cycle]\nlength = \"month\"\n[slabs]\n\
                      mode = \"whole\"\n[[slab]]\nfrom = 0\nrate = \"1%\"\n[points]\nvalue = \"0.25\"\n";
const FEED: &str = "[[feed]]\nname = \"sales\"\nkind = \"sales\"\nurl = \"file:drop\"\nfiles = \"*.csv\"\n\
                    timezone = \"Asia/Kolkata\"\nsettle_seconds = 0\n";
const HEADER: &str = "invoice_no,line_no,invoice_date,partner_code,amount\n";
const FEBRUARY: &str = "2026-02-08";
const ALL: &str = "[\"statements\", \"balances\", \"rejects\"]";

fn with(push: &str) -> Workspace {
    let mut workspace = Workspace::new(&format!("{FEED}{push}"));
    workspace.write("schemes/club.toml", SCHEME);
    workspace.drop(
        "drop/jan.csv",
        format!("{HEADER}A1,1,2026-01-05,P1,1000\nA2,1,2026-01-06,P2,250\nA3,1,never,P2,9\n"),
    );
    workspace
}

fn local(what: &str) -> Workspace {
    with(&format!("[[push]]\nname = \"portal\"\nurl = \"file:out/portal\"\nwhat = {what}\n"))
}

/// A push to a server, with what stands in its url and its login.
fn remote(server: &Sshd, what: &str, more: &str) -> Workspace {
    with(&pushing(server, what, &server.fingerprint("ed25519"), &server.user_key(), more))
}

fn pushing(server: &Sshd, what: &str, host_key: &str, key: &Path, more: &str) -> String {
    format!(
        "[[push]]\nname = \"portal\"\nurl = \"sftp://{}@127.0.0.1:{}{}\"\nwhat = {what}\n[push.ssh]\n\
         host_key = \"{host_key}\"\nprivate_key = \"{}\"\nretries = 0\n{more}",
        user(),
        server.addr.port(),
        server.outbound().display(),
        key.display()
    )
}

fn run(workspace: &Workspace, day: &str, status: i32) -> Outcome {
    workspace.trial(&["run", "--as-of", day]).status(status).check()
}

/// Every file below a folder, by its path there.
fn tree(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(here) = folders.pop() {
        for entry in fs::read_dir(&here).into_iter().flatten() {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).expect("below it").display().to_string();
                // what is under way is renamed while we look
                found.extend(fs::read(&path).ok().map(|bytes| (name, bytes)));
            }
        }
    }
    found
}

/// What must have been pushed of a workspace: what is published, but for the standing of open cycles and the wallets.
fn published(workspace: &Workspace) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for root in ["statements", "rejects"] {
        for (path, bytes) in workspace.tree(&format!("var/{root}")) {
            if !path.contains("/current/") {
                files.insert(format!("{root}/{path}"), bytes);
            }
        }
    }
    files
}

fn without_balances(mut files: BTreeMap<String, Vec<u8>>) -> BTreeMap<String, Vec<u8>> {
    files.retain(|path, _| !path.starts_with("balances/"));
    files
}

/// A late line and a mended file follow January.
fn go_on(workspace: &mut Workspace) {
    workspace.drop("drop/late.csv", format!("{HEADER}A4,1,2026-01-07,P1,500\nA5,1,no,P1,5\n"));
}

fn everything_goes_once(mut workspace: Workspace, out: &Path) {
    let first = run(&workspace, FEBRUARY, 3);
    let files = tree(out);
    assert_eq!(without_balances(files.clone()), published(&workspace));
    let said = format!("pushed     portal: {} files\n", files.len());
    assert!(first.stdout.contains(&said), "{said}: {}", first.whole());
    let balances = workspace.trial(&["balances", "--format", "csv"]).check().stdout;
    assert_eq!(files["balances/2026-02-08T000000Z.csv"], balances.as_bytes());
    // nothing new: nothing is pushed, nor is anybody contacted
    let again = run(&workspace, "2026-02-09", 0);
    assert!(!again.stdout.contains("pushed"), "{}", again.whole());
    assert_eq!(tree(out), files);
    go_on(&mut workspace);
    run(&workspace, "2026-02-10", 3);
    let after = tree(out);
    assert_eq!(without_balances(after.clone()), published(&workspace));
    let balances = workspace.trial(&["balances", "--format", "csv"]).check().stdout;
    assert_eq!(after["balances/2026-02-10T000000Z.csv"], balances.as_bytes());
    assert!(files.iter().all(|(path, bytes)| after.get(path) == Some(bytes)), "what was pushed is as it was");
    let status = workspace.accrued(&["status", "--format", "csv"]).csv();
    let push = status.iter().find(|row| row["what"] == "push").expect("a row of the push");
    assert_eq!((push["state"].as_str(), push["since"].as_str()), ("nothing waits", "2026-02-10T00:00:00Z"));
    assert!(push["detail"].starts_with(&format!("{} files pushed to ", after.len())), "{push:?}");
    workspace.trial(&["verify", "--deep"]).check();
}

#[test]
fn everything_published_goes_to_a_local_folder_once() {
    let workspace = local(ALL);
    let out = workspace.path("out/portal");
    workspace.trial(&["check"]).check();
    assert!(!out.exists(), "a check makes nothing");
    everything_goes_once(workspace, &out);
}

#[test]
fn everything_published_goes_to_a_server_once() {
    let server = Sshd::start();
    let workspace = remote(&server, ALL, "");
    let reached = workspace.trial(&["check"]).check();
    assert!(reached.stderr.contains("push portal: reached"), "{}", reached.whole());
    everything_goes_once(workspace, &server.outbound());
}

#[test]
fn only_what_is_asked_for_goes() {
    for (what, roots) in [
        ("[\"rejects\"]", vec!["rejects"]),
        ("[\"statements\"]", vec!["statements"]),
        ("[\"balances\"]", vec!["balances"]),
    ] {
        let workspace = local(what);
        run(&workspace, FEBRUARY, 3);
        let mut found: Vec<_> = tree(&workspace.path("out/portal"))
            .into_keys()
            .map(|path| path.split('/').next().expect("a part").to_owned())
            .collect();
        found.dedup();
        assert_eq!(found, roots);
    }
}

#[test]
fn a_rehearsal_an_offline_run_and_a_reading_command_push_nothing() {
    let workspace = local(ALL);
    workspace.trial(&["run", "--dry-run", "--as-of", FEBRUARY]).status(3).check();
    assert!(!workspace.path("out").exists());
    workspace.write("drop/.hidden", "");
    run(&workspace, "2026-01-20", 3);
    let pushed = tree(&workspace.path("out/portal"));
    workspace.write("drop/feb.csv", format!("{HEADER}B1,1,2026-01-25,P1,100\n"));
    workspace.trial(&["run", "--offline", "--as-of", "2026-02-08"]).check();
    workspace.trial(&["close", "club", "2026-01", "--reason", "enough", "--as-of", "2026-02-08"]).check();
    assert_eq!(tree(&workspace.path("out/portal")), pushed);
    let waits = workspace.accrued(&["status", "--format", "csv"]).csv();
    let push = waits.iter().find(|row| row["what"] == "push").expect("a row of the push");
    assert!(push["state"].ends_with(" files waiting"), "{push:?}");
    run(&workspace, "2026-02-09", 0);
    assert_eq!(without_balances(tree(&workspace.path("out/portal"))), published(&workspace));
}

#[test]
fn a_server_that_is_down_is_5_and_gets_everything_later() {
    let mut server = Sshd::start();
    let mut workspace = remote(&server, ALL, "");
    server.kill();
    let down = run(&workspace, FEBRUARY, 5);
    assert!(down.stderr.contains("error: push portal: cannot connect to 127.0.0.1:"), "{}", down.whole());
    // what the feeds brought stands all the same
    assert_eq!(workspace.trial(&["ledger"]).check().csv().len(), 2);
    let status = workspace.accrued(&["status", "--format", "csv"]).csv();
    let push = status.iter().find(|row| row["what"] == "push").expect("a row of the push");
    assert!(push["state"].ends_with("files waiting"), "{push:?}");
    workspace.trial(&["verify", "--deep"]).check();
    let server = Sshd::start();
    workspace.write(
        "accrued.toml",
        format!("{FEED}{}", pushing(&server, ALL, &server.fingerprint("ed25519"), &server.user_key(), "")),
    );
    go_on(&mut workspace);
    run(&workspace, "2026-02-09", 3);
    assert_eq!(without_balances(tree(&server.outbound())), published(&workspace));
    assert_eq!(tree(&server.outbound()).keys().filter(|path| path.starts_with("balances/")).count(), 1);
    workspace.trial(&["verify", "--deep"]).check();
}

#[test]
fn another_host_key_or_a_refused_login_is_12() {
    let server = Sshd::start();
    let other = server.path("other");
    keygen(&other, "ed25519", "");
    let wrong = support::sshd::fingerprint(&server.path("other.pub"));
    let pinned = server.fingerprint("ed25519");
    for (host_key, key) in [(&wrong, server.user_key()), (&pinned, other)] {
        let workspace = with(&pushing(&server, ALL, host_key, &key, ""));
        let refused = run(&workspace, FEBRUARY, 12);
        assert!(refused.stderr.contains("error: push portal: "), "{}", refused.whole());
        assert_eq!(workspace.trial(&["ledger"]).check().csv().len(), 2);
        workspace.trial(&["check"]).status(12).check();
    }
    assert!(tree(&server.outbound()).is_empty());
}

#[test]
fn a_folder_that_is_not_there_or_not_ours_waits_for_a_person() {
    let server = Sshd::start();
    let config = pushing(&server, ALL, &server.fingerprint("ed25519"), &server.user_key(), "");
    let workspace = with(&config.replace("/outbound", "/nowhere"));
    let missing = run(&workspace, FEBRUARY, 3);
    assert!(missing.stderr.contains("does not exist on 127.0.0.1; mend url"), "{}", missing.whole());
    if user() != "root" {
        fs::set_permissions(server.outbound(), fs::Permissions::from_mode(0o555)).expect("ours");
        let workspace = with(&config);
        let denied = run(&workspace, FEBRUARY, 3);
        assert!(denied.stderr.contains("permission denied; let "), "{}", denied.whole());
        fs::set_permissions(server.outbound(), fs::Permissions::from_mode(0o755)).expect("ours");
    }
}

#[test]
fn what_stands_there_already_is_never_overwritten() {
    let server = Sshd::start();
    for local_one in [true, false] {
        let (mut workspace, out) = if local_one {
            let workspace = local(ALL);
            let out = workspace.path("out/portal");
            (workspace, out)
        } else {
            (remote(&server, ALL, ""), server.outbound())
        };
        let put = |path: &str, bytes: &[u8]| {
            fs::create_dir_all(out.join(path).parent().expect("a folder")).expect("made");
            fs::write(out.join(path), bytes).expect("written");
        };
        put("statements/club/2026-01/rev-001/summary.csv", b"somebody else's");
        let other = run(&workspace, FEBRUARY, 3);
        let said =
            "error: push portal: statements/club/2026-01/rev-001/summary.csv stands there with 15 bytes";
        assert!(other.stderr.contains(said), "{}", other.whole());
        // the rest is there, but for the manifest that would call the folder whole
        let mut expected = published(&workspace);
        expected
            .insert("statements/club/2026-01/rev-001/summary.csv".to_owned(), b"somebody else's".to_vec());
        expected.remove("statements/club/2026-01/rev-001/MANIFEST.csv");
        expected.remove("statements/club/2026-01/rev-001/transactions.csv");
        assert_eq!(without_balances(tree(&out)), expected);
        // the same bytes, and those of the same length
        let right = published(&workspace);
        let summary = &right["statements/club/2026-01/rev-001/summary.csv"];
        put("statements/club/2026-01/rev-001/summary.csv", &vec![b'x'; summary.len()]);
        let other = run(&workspace, "2026-02-09", 3);
        assert!(other.stderr.contains("bytes with SHA-256 "), "{}", other.whole());
        put("statements/club/2026-01/rev-001/summary.csv", summary);
        run(&workspace, "2026-02-10", 0);
        assert_eq!(without_balances(tree(&out)), right);
        workspace.trial(&["verify", "--deep"]).check();
        go_on(&mut workspace);
        run(&workspace, "2026-02-11", 3);
        assert_eq!(without_balances(tree(&out)), published(&workspace));
    }
}

#[test]
fn a_published_file_that_was_changed_is_not_pushed() {
    let mut workspace = local("[\"statements\"]");
    workspace.write("out", "in the way of the folder");
    run(&workspace, FEBRUARY, 1);
    fs::remove_file(workspace.path("out")).expect("a file");
    let path = "var/statements/club/2026-01/rev-001/summary.csv";
    let right = fs::read(workspace.path(path)).expect("published");
    workspace.write(path, "tampered");
    go_on(&mut workspace);
    let changed = run(&workspace, "2026-02-09", 1);
    assert!(changed.stderr.contains("summary.csv: it was changed"), "{}", changed.whole());
    let out = tree(&workspace.path("out/portal"));
    assert!(!out.contains_key("statements/club/2026-01/rev-001/MANIFEST.csv"));
    assert!(out.contains_key("statements/club/2026-01/rev-002/MANIFEST.csv"), "other folders go");
    workspace.write(path, right);
    run(&workspace, "2026-02-10", 0);
    assert_eq!(tree(&workspace.path("out/portal")), {
        let mut files = published(&workspace);
        files.retain(|path, _| path.starts_with("statements/"));
        files
    });
}

#[test]
fn a_folder_full_of_something_else_is_told_in_eleven_lines() {
    let workspace = local(ALL);
    for number in 1..=30 {
        workspace.write(&format!("drop/{number}.csv"), format!("{HEADER}R{number},1,never,P1,9\n"));
    }
    run(&workspace, FEBRUARY, 3);
    for path in tree(&workspace.path("out/portal")).into_keys() {
        workspace.write(&format!("other/{path}"), "other");
    }
    fs::rename(workspace.path("out/portal"), workspace.path("out/before")).expect("moved");
    let config = fs::read_to_string(workspace.path("accrued.toml")).expect("the config");
    workspace.write("accrued.toml", config.replace("file:out/portal", "file:other"));
    let told = run(&workspace, "2026-02-09", 3);
    assert_eq!(told.stderr.matches("error: push portal: ").count(), 11, "{}", told.whole());
    assert!(told.stderr.contains(" more files or folders could not be pushed"), "{}", told.whole());
    let there = tree(&workspace.path("other"));
    let untouched = there.iter().filter(|(path, _)| *path != "balances/2026-02-09T000000Z.csv");
    assert!(untouched.into_iter().all(|(_, bytes)| bytes == b"other"), "{:?}", there.keys());
}

#[test]
fn rejects_of_another_reading_go_beside_the_first() {
    let mut workspace = local("[\"rejects\"]");
    run(&workspace, FEBRUARY, 3);
    let first = tree(&workspace.path("out/portal"));
    assert_eq!(first.len(), 1);
    let mut config = fs::read_to_string(workspace.path("accrued.toml")).expect("the config");
    config = config.replace(
        "settle_seconds = 0\n",
        "settle_seconds = 0\nmax_reject_percent = \"90\"\n[feed.columns]\namount = \"invoice_no\"\n",
    );
    workspace.drop("drop/nothing.csv", HEADER);
    workspace.write("accrued.toml", config);
    workspace.accrued(&["reread", "jan.csv"]);
    workspace.accrued(&["run", "--as-of", "2026-02-10"]);
    let both = tree(&workspace.path("out/portal"));
    let (name, bytes) = first.first_key_value().expect("one");
    assert_eq!(both.get(name), Some(bytes));
    let second = name.replace(".csv", "").replacen("jan", "jan.csv", 1) + ".2.csv";
    let standing = workspace
        .tree("var/rejects")
        .into_iter()
        .find(|(path, _)| path.contains("jan.csv"))
        .expect("rejects");
    assert_eq!(both.get(&second), Some(&standing.1), "{second} in {:?}", both.keys());
}

#[test]
fn a_killed_push_goes_on() {
    let server = Sshd::start();
    let mut random = Random::new(3);
    let (mut killed, mut cut) = (0, 0);
    for round in 0..10 {
        fs::remove_dir_all(server.outbound()).expect("the folder");
        fs::create_dir(server.outbound()).expect("the folder");
        let mut workspace = remote(&server, ALL, "");
        let mut config = fs::read_to_string(workspace.path("accrued.toml")).expect("the config");
        config.push_str("[publish]\npartner_files = true\n");
        workspace.write("accrued.toml", config);
        let rows: String = (0..40).map(|n| format!("Z{n},1,2026-01-09,Q{n},{n}00\n")).collect();
        workspace.drop("drop/many.csv", format!("{HEADER}{rows}"));
        let pushing = || tree(&server.outbound()).len();
        let mut child = workspace.start(&["run", "--as-of", FEBRUARY]);
        let until = 1 + random.below(40);
        let deadline = Instant::now() + Duration::from_secs(60);
        while pushing() < until && child.try_wait().expect("our own child").is_none() {
            assert!(Instant::now() < deadline, "nothing is pushed");
            std::thread::yield_now();
        }
        if round % 3 == 2 {
            // held while its sessions end, or it may be through before they do
            let pid = Pid::from_raw(i32::try_from(child.id()).expect("a process"));
            let _ = signal::kill(pid, Signal::SIGSTOP);
            cut += usize::from(child.try_wait().expect("our own child").is_none());
            server.kill_sessions();
            let _ = signal::kill(pid, Signal::SIGCONT);
            // a connection that is lost between two files is made anew
            let status = child.wait().expect("our own child").code();
            assert!(matches!(status, Some(3 | 5)), "{status:?}");
        } else {
            child.kill().expect("our own child");
            killed += usize::from(child.wait().expect("our own child").code().is_none());
        }
        let before = tree(&server.outbound());
        // a manifest vouches for its folder
        for path in before.keys().filter(|path| path.ends_with("MANIFEST.csv")) {
            let folder = path.trim_end_matches("MANIFEST.csv");
            for (file, bytes) in published(&workspace).iter().filter(|(file, _)| file.starts_with(folder)) {
                assert_eq!(before.get(file), Some(bytes), "{path} is there, {file} is not");
            }
        }
        workspace.accrued(&["run", "--as-of", "2026-02-09"]);
        assert_eq!(without_balances(tree(&server.outbound())), published(&workspace), "round {round}");
        workspace.trial(&["verify", "--deep"]).check();
    }
    assert!(killed >= 3 && cut >= 1, "{killed} were killed, {cut} cut off");
}

/// Whoever records what was pushed to `portal` waits for ever, once the wallets are among it: the store is in the state between.
const HELD: &str =
    "CREATE VIEW forever AS WITH RECURSIVE c (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT x FROM c;
                    CREATE TRIGGER held BEFORE INSERT ON pushed WHEN NEW.path LIKE 'balances/%'
                    BEGIN SELECT RAISE(ABORT, 'never') WHERE (SELECT count(*) FROM forever) = 0; END;";

fn forge(workspace: &Workspace, sql: &str) {
    let store = rusqlite::Connection::open(workspace.path("var/accrued.db")).expect("a store");
    store.execute_batch(sql).expect("forged");
}

/// A workspace whose wallets stand in out/portal, pushed by a run that was killed before it could record that.
fn killed_between() -> Workspace {
    let push =
        "[[push]]\nname = \"portal\"\nurl = \"file:out/portal\"\nwhat = [\"statements\", \"balances\"]\n";
    let workspace = with("");
    run(&workspace, FEBRUARY, 3);
    forge(&workspace, HELD);
    workspace.write("accrued.toml", format!("{FEED}{push}"));
    let mut child = workspace.start(&["run", "--as-of", "2026-02-09"]);
    let there = workspace.path("out/portal/balances/2026-02-09T000000Z.csv");
    let deadline = Instant::now() + Duration::from_secs(60);
    while !there.exists() && Instant::now() < deadline {
        std::thread::yield_now();
    }
    assert!(child.try_wait().expect("our own child").is_none(), "it has recorded what it pushed");
    child.kill().expect("our own child");
    child.wait().expect("our own child");
    assert!(there.exists(), "nothing was pushed");
    forge(&workspace, "DROP TRIGGER held; DROP VIEW forever");
    workspace
}

fn balances(workspace: &Workspace) -> Vec<String> {
    let all = tree(&workspace.path("out/portal"));
    all.into_keys().filter(|path| path.starts_with("balances/")).collect()
}

#[test]
fn wallets_that_a_killed_push_has_renamed_do_not_go_again_under_another_name() {
    let workspace = killed_between();
    let next = run(&workspace, "2026-02-10", 0);
    assert!(next.stdout.contains("pushed     portal: "), "{}", next.whole());
    assert_eq!(balances(&workspace), ["balances/2026-02-09T000000Z.csv"]);
    let again = run(&workspace, "2026-02-11", 0);
    assert!(!again.stdout.contains("pushed"), "{}", again.whole());
    assert_eq!(balances(&workspace), ["balances/2026-02-09T000000Z.csv"]);
    workspace.trial(&["verify", "--deep"]).check();
}

#[test]
fn wallets_that_have_moved_since_go_under_a_name_of_their_own() {
    let mut workspace = killed_between();
    go_on(&mut workspace);
    run(&workspace, "2026-02-10", 3);
    assert_eq!(balances(&workspace), ["balances/2026-02-09T000000Z.csv", "balances/2026-02-10T000000Z.csv"]);
    let now = workspace.trial(&["balances", "--format", "csv"]).check().stdout;
    let pushed = tree(&workspace.path("out/portal"))["balances/2026-02-10T000000Z.csv"].clone();
    assert_eq!(String::from_utf8(pushed).expect("text"), now);
    workspace.trial(&["verify", "--deep"]).check();
    // the journal tells restore all of it
    workspace.trial(&["backup", "kept"]).check();
    fs::remove_file(workspace.path("var/accrued.db")).expect("the store");
    workspace.trial(&["restore", "kept"]).check();
    let next = run(&workspace, "2026-02-11", 0);
    assert!(!next.stdout.contains("pushed"), "{}", next.whole());
}

#[test]
fn a_restored_store_pushes_nothing_twice() {
    let mut workspace = local(ALL);
    run(&workspace, FEBRUARY, 3);
    workspace.trial(&["backup", "kept"]).check();
    go_on(&mut workspace);
    run(&workspace, "2026-02-09", 3);
    let out = tree(&workspace.path("out/portal"));
    fs::remove_file(workspace.path("var/accrued.db")).expect("the store");
    workspace.trial(&["restore", "kept"]).check();
    let next = run(&workspace, "2026-02-10", 0);
    assert!(!next.stdout.contains("pushed"), "{}", next.whole());
    assert_eq!(tree(&workspace.path("out/portal")), out);
    workspace.trial(&["verify", "--deep"]).check();
}

/// `(state, finding, remedy)` of a check of `accrued doctor`.
fn found(workspace: &Workspace, status: i32, check: &str) -> (String, String, String) {
    let outcome = workspace.trial(&["doctor"]).status(status).check();
    let rows = outcome.csv();
    let row = rows.iter().find(|row| row["check"] == check).unwrap_or_else(|| panic!("{}", outcome.whole()));
    (row["state"].clone(), row["finding"].clone(), row["remedy"].clone())
}

#[test]
fn doctor_looks_where_files_are_pushed_to_and_leaves_nothing_there() {
    let mut server = Sshd::start();
    let workspace = remote(&server, ALL, "");
    let (state, finding, _) = found(&workspace, 0, "push portal");
    assert_eq!((state.as_str(), finding.as_str()), ("ok", "reached; files can be made there"));
    let entries = || fs::read_dir(server.outbound()).expect("the folder").count();
    assert_eq!(entries(), 0);
    assert!(found(&workspace, 0, "host key of push portal").1.starts_with(&server.fingerprint("ed25519")));
    assert!(found(&workspace, 0, "algorithms of push portal").1.starts_with("key exchange "));
    // one that was cut off has left its folder
    fs::create_dir(server.outbound().join(".accrued-doctor")).expect("a folder");
    assert_eq!(found(&workspace, 0, "push portal").0, "ok");
    assert_eq!(entries(), 0);
    run(&workspace, FEBRUARY, 3);
    assert!(found(&workspace, 0, "push portal").1.ends_with("; nothing waits to be pushed"));
    server.kill();
    let (state, finding, remedy) = found(&workspace, 5, "push portal");
    assert!(finding.contains("connection refused") && !remedy.is_empty(), "{state} {finding}: {remedy}");

    let workspace = local(ALL);
    let (state, finding, _) = found(&workspace, 0, "push portal");
    assert!(state == "ok" && finding.ends_with("/out/portal is not there and can be made"), "{finding}");
    assert!(!workspace.path("out").exists());
    workspace.write("out/portal", "");
    let (state, _, remedy) = found(&workspace, 1, "push portal");
    assert_eq!((state.as_str(), remedy.as_str()), ("bad", "mend url"));
}

#[test]
fn doctor_tells_a_folder_that_nothing_can_be_pushed_to() {
    let with = |force: &str| Sshd::start_with(&Setup { config: vec![force.to_owned()], ..Setup::default() });
    let server = with("ForceCommand internal-sftp -R");
    let (state, finding, remedy) = found(&remote(&server, ALL, ""), 1, "push portal");
    assert!(finding.ends_with("cannot be written to: permission denied"), "{finding}");
    assert_eq!((state, remedy), ("bad".to_owned(), format!("let {} write there", user())));
    let server = with("ForceCommand internal-sftp -P rmdir");
    let (state, finding, remedy) = found(&remote(&server, ALL, ""), 1, "push portal");
    assert_eq!(
        (state.as_str(), finding.as_str()),
        ("bad", "a folder could be made there and not be removed again")
    );
    assert!(
        remedy.starts_with("remove the empty folder ") && remedy.contains("/.accrued-doctor"),
        "{remedy}"
    );
}
