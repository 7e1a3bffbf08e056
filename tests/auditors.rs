//! Who reads is another user: a member of the store's group, who may write nowhere. Reading works at any moment of a run,
//! shows one state, and keeps no run waiting. Real users are needed, so these tests are run as root.

#[path = "support/program.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod program;

use program::Workspace;
use std::fmt::Write as _;
use std::io::Read;
use std::os::unix::fs::{PermissionsExt, chown};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const CONFIG: &str = "data_dir = \"var\"\nschemes_dir = \"schemes\"\n\n[[feed]]\nname = \"sales\"\nkind = \"sales\"\n\
                      url = \"file:drop\"\nfiles = \"*.csv\"\ntimezone = \"Asia/Kolkata\"\nsettle_seconds = 0\n";
const SCHEME: &str = "[scheme]\nid = \"club\"\nname = \"Club\"\ncompany = \"Example\"\ncurrency = \"INR\"\n\
                      timezone = \"Asia/Kolkata\"\nstarts = 2026-04-01\n[cycle]\nlength = \"month\"\n[slabs]\nmode = \"whole\"\n\
                      [[slab]]\nfrom = 0\nrate = \"1%\"\n";
const FIRST: &str = "2026-07-10T00:00:00Z";
const SECOND: &str = "2026-07-11T00:00:00Z";

/// The group that may read.
const AUDITORS: u32 = 65_002;

/// Who runs accrued, who audits it, and who has no business with it: user and group.
const ACCRUED: (u32, u32) = (65_001, AUDITORS);
const AUDITOR: (u32, u32) = (65_003, AUDITORS);
const STRANGER: (u32, u32) = (65_004, 65_004);

/// Every command that only reads, and whether it prints what the store holds.
const READING: [&[&str]; 12] = [
    &["status"],
    &["ledger"],
    &["balances"],
    &["lines"],
    &["files"],
    &["holds"],
    &["statement", "P1", "--scheme", "club"],
    &["explain", "P1", "--scheme", "club", "--cycle", "2026-04"],
    &["report", "reconciliation"],
    &["verify"],
    &["verify", "--deep"],
    &["run", "--dry-run", "--as-of", SECOND],
];

struct Site {
    workspace: Workspace,
}

impl Site {
    /// A workspace whose data_dir is written by one user and read by the group of auditors, as the service sets it up.
    fn new() -> Site {
        let root = Command::new("id").arg("-u").output().expect("id starts").stdout == b"0\n";
        assert!(root, "two users are needed: run as root, sudo -E cargo test --test auditors");
        let workspace = Workspace::new(CONFIG);
        workspace.write("schemes/club.toml", SCHEME);
        // where anybody may run it
        std::fs::copy(env!("CARGO_BIN_EXE_accrued"), workspace.path("accrued")).expect("it can be copied");
        std::fs::create_dir_all(workspace.path("drop")).expect("a folder can be made");
        std::fs::create_dir_all(workspace.path("var")).expect("a folder can be made");
        let site = Site { workspace };
        site.mode("", 0o755);
        site.mode("var", 0o750);
        chown(site.workspace.path("var"), Some(ACCRUED.0), Some(ACCRUED.1)).expect("root may");
        site
    }

    fn mode(&self, path: &str, mode: u32) {
        let permissions = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(self.workspace.path(path), permissions).expect("it is ours");
    }

    /// So many sales of three partners in three months.
    fn drop(&mut self, name: &str, sales: usize) {
        let mut rows = String::from("invoice_no,line_no,invoice_date,partner_code,amount\n");
        for number in 0..sales {
            writeln!(rows, "{name}{number},1,2026-0{}-05,P{},{number}.50", 4 + number % 3, number / 3 % 3)
                .expect("a string");
        }
        self.workspace.drop(&format!("drop/{name}.csv"), rows);
    }

    fn command(&self, (user, group): (u32, u32), args: &[&str]) -> Command {
        let mut command = Command::new("setpriv");
        command.args(["--reuid", &user.to_string(), "--regid", &group.to_string(), "--clear-groups"]);
        command.args(["--", "sh", "-c", "umask 027; exec ./accrued \"$@\"", "sh"]).args(args);
        command.current_dir(self.workspace.root()).env("NO_COLOR", "1").env_remove("ACCRUED_CONFIG");
        command.stdin(Stdio::null());
        command
    }

    /// Runs it to its end; stdout.
    fn told(&self, who: (u32, u32), args: &[&str]) -> String {
        let output = self.command(who, args).output().expect("setpriv starts");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{args:?} of {who:?}: {said}");
        String::from_utf8(output.stdout).expect("text")
    }

    fn run(&self, at: &str) {
        self.told(ACCRUED, &["run", "--as-of", at]);
    }

    fn start(&self, who: (u32, u32), args: &[&str]) -> Child {
        let mut command = self.command(who, args);
        command.stdout(Stdio::piped()).stderr(Stdio::null());
        command.spawn().expect("setpriv starts")
    }

    fn log_size(&self) -> u64 {
        std::fs::metadata(self.workspace.path("var/accrued.db-wal")).map_or(0, |log| log.len())
    }

    /// A run that is stopped in its tracks with something in the write-ahead log that is not in the file.
    fn stopped_in_a_write(&self) -> Child {
        let mut run = self.start(ACCRUED, &["run", "--as-of", SECOND]);
        let deadline = Instant::now() + Duration::from_secs(60);
        while self.log_size() == 0 {
            assert!(Instant::now() < deadline, "the run writes at some time");
            assert!(run.try_wait().expect("our child").is_none(), "the run is long enough to be stopped");
        }
        signal(&run, "STOP");
        assert!(self.log_size() > 0);
        run
    }
}

fn signal(child: &Child, which: &str) {
    let status = Command::new("kill").args([&format!("-{which}"), &child.id().to_string()]).status();
    assert!(status.expect("kill starts").success());
}

#[test]
fn an_auditor_reads_before_while_and_after_a_run_writes() {
    let mut site = Site::new();
    site.drop("A", 300);
    site.run(FIRST);
    let all: Vec<String> = READING.iter().map(|command| site.told(AUDITOR, command)).collect();
    let ledger = site.told(AUDITOR, &["ledger"]);
    assert!(ledger.lines().count() > 9, "{ledger}");

    site.drop("B", 12_000);
    let mut run = site.stopped_in_a_write();
    for (command, before) in READING.iter().zip(&all) {
        let said = site.told(AUDITOR, command);
        if !matches!(command[0], "run" | "status" | "verify" | "files") {
            assert_eq!(&said, before, "{command:?} shows what was committed");
        }
    }
    signal(&run, "CONT");
    assert!(run.wait().expect("it ends").success());

    for command in READING {
        site.told(AUDITOR, command);
    }
    let after = site.told(AUDITOR, &["ledger"]);
    assert_ne!(after, ledger);
    assert_eq!(after, site.told(ACCRUED, &["ledger"]), "the same is shown to both");
}

#[test]
fn an_auditor_reads_what_a_killed_run_has_left() {
    let mut site = Site::new();
    site.drop("A", 300);
    site.run(FIRST);
    let ledger = site.told(AUDITOR, &["ledger"]);
    site.drop("B", 12_000);
    let mut run = site.stopped_in_a_write();
    run.kill().expect("our own child");
    run.wait().expect("it has ended");
    assert!(site.log_size() > 0);
    assert_eq!(site.told(AUDITOR, &["ledger"]), ledger);
    site.told(AUDITOR, &["verify"]);
    site.run(SECOND);
    assert_eq!(site.told(AUDITOR, &["ledger"]), site.told(ACCRUED, &["ledger"]));
}

#[test]
fn who_reads_for_long_keeps_no_run_waiting_and_sees_one_state() {
    let mut site = Site::new();
    site.drop("A", 20_000);
    site.run(FIRST);
    let lines = site.told(AUDITOR, &["lines"]);
    assert!(lines.len() > 1 << 20, "more than a pipe holds");
    // prints until the pipe is full, and stays there with the store open
    let mut reader = site.start(AUDITOR, &["lines"]);
    let mut out = reader.stdout.take().expect("piped");
    let mut first = vec![0; 4096];
    out.read_exact(&mut first).expect("it prints");

    site.drop("B", 2_000);
    let begun = Instant::now();
    site.run(SECOND);
    assert!(begun.elapsed() < Duration::from_secs(9), "no wait for the reader: {:?}", begun.elapsed());
    assert!(reader.try_wait().expect("our child").is_none(), "it still reads");

    let mut said = String::from_utf8(first).expect("text");
    out.read_to_string(&mut said).expect("text");
    assert!(reader.wait().expect("it ends").success());
    assert!(said == lines, "the reader saw the state that it began with");
    assert!(site.told(AUDITOR, &["lines"]).len() > lines.len());
    // the next run finds nobody reading and brings everything into the file
    site.run("2026-07-12T00:00:00Z");
    assert_eq!(site.log_size(), 0);
}

#[test]
fn a_stranger_is_told_what_may_not_be_read_and_an_auditor_may_not_write() {
    let mut site = Site::new();
    site.drop("A", 30);
    site.run(FIRST);
    let refused = |who, args: &[&str]| {
        let output = site.command(who, args).output().expect("setpriv starts");
        assert_eq!(output.status.code(), Some(1), "{args:?}");
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let said = refused(STRANGER, &["balances"]);
    assert!(said.contains("var/accrued.db") && said.contains("group"), "{said}");
    let before = site.workspace.tree("var");
    refused(AUDITOR, &["run", "--as-of", SECOND]);
    refused(AUDITOR, &["close", "club", "2026-07", "--reason", "x", "--as-of", SECOND]);
    assert_eq!(site.workspace.tree("var"), before);
}
