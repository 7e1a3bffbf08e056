//! `accrued run` against a real OpenSSH server: what arrives is paid for, and what cannot be reached gives its exit status
//! while the other feeds are committed all the same.

mod support {
    pub mod delay_proxy;
    pub mod feed;
    #[allow(dead_code, reason = "each test program uses its own part")]
    pub mod program;
    pub mod sshd;
}

#[path = "sftp/after.rs"]
mod after;
#[path = "sftp/doctor.rs"]
mod doctor;
#[path = "sftp/secrets.rs"]
mod secrets;

use std::fs;
use std::os::unix::fs::symlink;
use std::time::{Duration, Instant};
use support::delay_proxy::{DelayProxy, Fate};
use support::program::{Outcome, Workspace};
use support::sshd::{Sshd, fingerprint, keygen, user};

const SCHEME: &str = "[scheme]\nid = \"club\"\nname = \"Club\"\ncompany = \"Example\"\ncurrency = \"INR\"\n\
                      timezone = \"Asia/Kolkata\"\nstarts = 2026-01-01\n[cycle]\nlength = \"month\"\n[slabs]\n\
                      mode = \"whole\"\n[[slab]]\nfrom = 0\nrate = \"1%\"\n";

const HEADER: &str = "invoice_no,line_no,invoice_date,partner_code,amount\n";

const AFTER_JANUARY: &str = "2026-02-20T12:00:00Z";

/// A feed on the server and a local one.
fn workspace(server: &Sshd, host_key: &str, settle_seconds: u32) -> Workspace {
    let workspace = Workspace::new(&format!(
        "data_dir = \"var\"\nschemes_dir = \"schemes\"\n\
         [[feed]]\nname = \"far\"\nkind = \"sales\"\nurl = \"sftp://{}@127.0.0.1:{}{}\"\nfiles = \"*.csv\"\n\
         timezone = \"Asia/Kolkata\"\nsettle_seconds = {settle_seconds}\n\
         [feed.ssh]\nhost_key = \"{host_key}\"\nprivate_key = \"{}\"\nretries = 0\n\
         [[feed]]\nname = \"near\"\nkind = \"sales\"\nurl = \"file:drop\"\nfiles = \"*.csv\"\n\
         timezone = \"Asia/Kolkata\"\nsettle_seconds = 0\n",
        user(),
        server.addr.port(),
        server.outbound().display(),
        server.user_key().display(),
    ));
    workspace.write("schemes/club.toml", SCHEME);
    workspace.write("drop/near.csv", format!("{HEADER}N1,1,2026-01-10,P1,1000\n"));
    workspace
}

fn run(workspace: &Workspace, status: i32) -> Outcome {
    workspace.trial(&["run", "--as-of", AFTER_JANUARY]).status(status).check()
}

/// How many files the archive holds, downloads under way included.
fn archived(workspace: &Workspace) -> usize {
    workspace.tree("var/archive").len()
}

/// The bytes of every published summary, one after the other.
fn summaries(workspace: &Workspace) -> String {
    let files = workspace.tree("var/statements");
    let summaries = files.iter().filter(|(name, _)| name.ends_with("summary.csv"));
    summaries.map(|(_, bytes)| String::from_utf8_lossy(bytes).into_owned()).collect()
}

#[test]
fn files_of_a_server_are_pulled_and_paid_for_once() {
    let server = Sshd::start();
    server.put("jan uary.csv", format!("{HEADER}F1,1,2026-01-11,P2,70000\n").as_bytes());
    let workspace = workspace(&server, &server.fingerprint("ed25519"), 0);
    run(&workspace, 0);
    assert_eq!(archived(&workspace), 2);
    let paid = summaries(&workspace);
    assert!(paid.contains("P1") && paid.contains("P2") && paid.contains("700"), "{paid}");
    let before = workspace.tree("var/statements");
    run(&workspace, 0);
    assert_eq!(archived(&workspace), 2);
    assert!(workspace.tree("var/statements") == before);
}

#[test]
fn another_host_key_is_exit_12_with_both_fingerprints_and_the_other_feed_is_committed() {
    let server = Sshd::start();
    server.put("january.csv", format!("{HEADER}F1,1,2026-01-11,P2,1000\n").as_bytes());
    keygen(&server.path("other"), "ed25519", "");
    let pinned = fingerprint(&server.path("other.pub"));
    let workspace = workspace(&server, &pinned, 0);
    let said = run(&workspace, 12).whole();
    let checked = workspace.trial(&["check"]).status(12).check().whole();
    assert!(checked.contains("error: feed far: ") && checked.contains("feed near: reached"), "{checked}");
    assert!(said.contains(&pinned) && said.contains(&server.fingerprint("ed25519")), "{said}");
    assert_eq!(archived(&workspace), 1);
    assert!(!server.log().contains("Accepted"), "{}", server.log());
}

#[test]
fn a_refused_login_is_exit_12() {
    let server = Sshd::start();
    let workspace = workspace(&server, &server.fingerprint("ed25519"), 0);
    fs::write(server.path("authorized_keys"), "").expect("nobody is let in");
    let said = run(&workspace, 12).whole();
    assert!(said.contains("the key is not among those authorised for this user"), "{said}");
}

#[test]
fn a_server_that_is_gone_is_exit_5_and_the_other_feed_is_committed() {
    let mut server = Sshd::start();
    let workspace = workspace(&server, &server.fingerprint("ed25519"), 0);
    server.kill();
    let said = run(&workspace, 5).whole();
    assert!(said.contains("connection refused"), "{said}");
    assert_eq!(archived(&workspace), 1);
}

#[test]
fn what_is_no_plain_file_is_named_and_the_rest_is_taken() {
    let server = Sshd::start();
    server.put("vente été..csv", format!("{HEADER}F1,1,2026-01-11,P2,1000\n").as_bytes());
    server.put("line\nbreak.csv", b"hostile");
    symlink("/etc/passwd", server.outbound().join("link.csv")).expect("a link");
    fs::create_dir(server.outbound().join("folder.csv")).expect("a folder");
    let workspace = workspace(&server, &server.fingerprint("ed25519"), 0);
    let said = workspace.accrued(&["run", "--as-of", AFTER_JANUARY]).whole();
    for name in ["link.csv", "folder.csv", "break.csv"] {
        assert!(said.contains(name), "{name}: {said}");
    }
    assert_eq!(archived(&workspace), 2, "{said}");
    assert!(summaries(&workspace).contains("P2"));
}

#[test]
fn control_totals_beside_a_file_come_over_the_same_connection() {
    let server = Sshd::start();
    let workspace = workspace(&server, &server.fingerprint("ed25519"), 0);
    let config = fs::read_to_string(workspace.path("accrued.toml")).expect("a config");
    let beside = config.replacen("retries = 0\n", "retries = 0\n[feed.totals]\nrows = \"{name}.ctl\"\n", 1);
    workspace.write("accrued.toml", beside);
    server.put("vente é.csv", format!("{HEADER}F1,1,2026-01-11,P2,70000\n").as_bytes());
    let said = run(&workspace, 0).whole();
    assert!(
        said.contains("vente é.csv: its control totals are not there yet: left for the next run"),
        "{said}"
    );
    server.put("vente é.csv.ctl", b"2,70000\n");
    let said = run(&workspace, 3).whole();
    assert!(said.contains("vente é.csv.ctl says 2 rows and 70000 in amount"), "{said}");
    assert!(!summaries(&workspace).contains("P2"));
    server.put("vente é.csv.ctl", b"1,70000.00\n");
    run(&workspace, 0);
    assert!(summaries(&workspace).contains("P2"));
    // both totals, both exports
    assert_eq!(archived(&workspace), 4);
    assert_eq!(workspace.trial(&["holds", "--format", "csv"]).check().csv(), []);
    workspace.trial(&["verify", "--deep"]).check();
    // a link in the place of totals is no totals
    server.put("other.csv", format!("{HEADER}F2,1,2026-01-11,P2,1\n").as_bytes());
    symlink("vente é.csv.ctl", server.outbound().join("other.csv.ctl")).expect("a link");
    let said = workspace.accrued(&["run", "--as-of", AFTER_JANUARY]).whole();
    assert!(said.contains("other.csv.ctl") && archived(&workspace) == 4, "{said}");
}

#[test]
fn a_file_still_growing_is_left_alone() {
    let server = Sshd::start();
    let path = server.put("january.csv", HEADER.as_bytes());
    let workspace = workspace(&server, &server.fingerprint("ed25519"), 1);
    let (done, grows) = std::sync::mpsc::channel::<()>();
    let writer = std::thread::spawn(move || {
        // grows until the run is over
        let pause = std::time::Duration::from_millis(20);
        let mut i = 0;
        while grows.recv_timeout(pause) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
            i += 1;
            let line = format!("F{i},1,2026-01-11,P2,1000\n");
            let mut file = fs::File::options().append(true).open(&path).expect("there");
            std::io::Write::write_all(&mut file, line.as_bytes()).expect("grown");
        }
    });
    let said = workspace.accrued(&["run", "--as-of", AFTER_JANUARY]).whole();
    drop(done);
    writer.join().expect("it ended");
    assert_eq!(archived(&workspace), 1, "{said}");
    // no longer growing: another run waits its second and takes it
    run(&workspace, 0);
    assert_eq!(archived(&workspace), 2);
}

#[test]
fn a_run_that_is_killed_in_a_download_is_gone_on_with_by_the_next() {
    const SIZE: usize = 64 << 20;
    let server = Sshd::start();
    server.put("large.csv", &b"no export of anybody's\n".repeat(SIZE / 23));
    let proxy = DelayProxy::start(server.addr, Duration::ZERO);
    let workspace = workspace(&server, &server.fingerprint("ed25519"), 0);
    let config = fs::read_to_string(workspace.path("accrued.toml")).expect("a config");
    let port = |port: u16| format!(":{port}/");
    let config = config.replace(&port(server.addr.port()), &port(proxy.addr.port()));
    workspace.write("accrued.toml", config.replace("retries = 0\n", "retries = 0\nconnections = 1\n"));
    proxy.next(Fate::StallAfter(56 << 20));
    let mut child = workspace.start(&["run", "--as-of", AFTER_JANUARY]);
    let recorded = || workspace.tree("var/archive").keys().any(|name| name.ends_with(".record"));
    let deadline = Instant::now() + Duration::from_secs(120);
    while !recorded() {
        assert!(Instant::now() < deadline, "no record of what is here");
        std::thread::yield_now();
    }
    child.kill().expect("our own child can be killed");
    child.wait().expect("it has ended");
    let before = proxy.passed();
    let said = run(&workspace, 3).whole();
    assert!(said.contains("large.csv"), "{said}");
    // the first 16 MiB were on record at least
    assert!(proxy.passed() - before < (52 << 20), "{} bytes came", proxy.passed() - before);
    // refused for what is in it, but whole
    assert_eq!(archived(&workspace), 2);
    workspace.trial(&["verify", "files"]).check();
}
