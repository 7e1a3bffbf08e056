//! A workspace with a schedule, and a daemon in it whose log is read.

use crate::support::program::Workspace;
use accrued::store::Store;
use serde_json::Value;
use std::fs::{self, File};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

/// What is waited for comes within this time, or the test fails.
const PATIENCE: Duration = Duration::from_secs(60);

/// A schedule of which no slot comes while a test runs.
pub const YEARLY: &str = "0 0 0 29 FEB *";
pub const EACH_SECOND: &str = "* * * * * *";

pub const SCHEME: &str = "[scheme]\nid = \"club\"\nname = \"Club\"\ncompany = \"Example\"\ncurrency = \"INR\"\n\
                          timezone = \"Asia/Kolkata\"\nstarts = 2026-01-01\n[cycle]\nlength = \"month\"\n[slabs]\n\
                          mode = \"whole\"\n[[slab]]\nfrom = 0\nrate = \"1%\"\n";

pub const HEADER: &str = "invoice_no,line_no,invoice_date,partner_code,amount\n";

/// `[schedule]` with a line and further settings.
pub fn schedule(cron: &str, more: &str) -> String {
    format!("[schedule]\ncron = \"{cron}\"\ntimezone = \"Asia/Kolkata\"\n{more}")
}

/// A feed that reads `drop/`.
pub fn feed(settle_seconds: u32) -> String {
    format!(
        "[[feed]]\nname = \"sales\"\nkind = \"sales\"\nurl = \"file:drop\"\nfiles = \"*.csv\"\n\
         timezone = \"Asia/Kolkata\"\nsettle_seconds = {settle_seconds}\n"
    )
}

pub fn workspace(schedule: &str, feed: &str) -> Workspace {
    let workspace = Workspace::new(&format!("{schedule}{feed}"));
    workspace.write("schemes/club.toml", SCHEME);
    fs::create_dir_all(workspace.path("drop")).expect("a folder can be made");
    workspace
}

/// Waits until something is so.
pub fn until(what: &str, mut is: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !is() {
        assert!(Instant::now() < end, "{what}: not within {PATIENCE:?}");
        std::thread::park_timeout(Duration::from_millis(2));
    }
}

/// A daemon, killed when dropped.
pub struct Served {
    child: Child,
    log: PathBuf,
}

impl Served {
    pub fn start(workspace: &Workspace) -> Served {
        Served::start_with(workspace, |_| {})
    }

    /// With what a service manager gives it.
    pub fn start_with(workspace: &Workspace, with: impl FnOnce(&mut Command)) -> Served {
        let log = workspace.path("serve.log");
        let file = File::options().create(true).append(true).open(&log).expect("a log");
        let mut command = workspace.command(&["serve"]);
        command.stdout(file.try_clone().expect("a log")).stderr(file);
        with(&mut command);
        Served { child: command.spawn().expect("the binary starts"), log }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).expect("a log")
    }

    /// Waits until the log says so, that many times.
    pub fn says(&mut self, what: &str, times: usize) {
        let end = Instant::now() + PATIENCE;
        loop {
            let log = self.log();
            if log.matches(what).count() >= times {
                return;
            }
            let gone = self.child.try_wait().expect("our own child");
            assert!(gone.is_none(), "it has ended ({gone:?}) before it said {what:?} {times} times:\n{log}");
            assert!(Instant::now() < end, "it has not said {what:?} {times} times:\n{log}");
            std::thread::park_timeout(Duration::from_millis(2));
        }
    }

    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").args(["-s", name, &self.pid().to_string()]).status();
        assert!(sent.expect("kill").success(), "it is there");
    }

    /// Its exit status, or 128 and the signal that killed it.
    pub fn ends(&mut self) -> i32 {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().expect("our own child") {
                return status.code().unwrap_or_else(|| -status.signal().expect("a signal"));
            }
            assert!(Instant::now() < end, "it does not end:\n{}", self.log());
            std::thread::park_timeout(Duration::from_millis(2));
        }
    }

    /// Asks it to stop: how long that took.
    pub fn stop(&mut self, signal: &str, status: i32) -> Duration {
        let start = Instant::now();
        self.signal(signal);
        assert_eq!(self.ends(), status, "{}", self.log());
        start.elapsed()
    }

    pub fn kill(&mut self) {
        self.child.kill().expect("our own child");
        self.child.wait().expect("it has ended");
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The bodies of journal records of a kind, with their instants.
pub fn records(workspace: &Workspace, kind: &str) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    let Some(store) = Store::open_reading(&workspace.path("var")).expect("a store") else { return found };
    let take = |record: accrued::store::journal::Record| {
        if record.kind == kind {
            found.push((record.stamp.at, serde_json::from_str(&record.body)?));
        }
        Ok(())
    };
    store.each_record(take).expect("a journal");
    found
}

/// Which slots have run, and why.
pub fn slots(workspace: &Workspace) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let of = |(_, body): (String, Value)| {
        body["slot"].is_object().then(|| (text(&body["slot"]["due"]), text(&body["slot"]["why"])))
    };
    records(workspace, "run-started").into_iter().filter_map(of).collect()
}
