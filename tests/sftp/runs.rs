//! `accrued run` itself against the server that misbehaves: what is wrong is told and gives its exit, the other feed is committed, and
//! once the server behaves the store is that of a site where nothing ever went wrong.

use crate::support::program::{Outcome, Workspace};
use crate::support::servers::Server;
use crate::support::sshd::user;
use std::fmt::Write as _;
use std::sync::LazyLock;

pub const SCHEME: &str = "[scheme]\nid = \"club\"\nname = \"Club\"\ncompany = \"Example\"\ncurrency = \"INR\"\n\
                          timezone = \"Asia/Kolkata\"\nstarts = 2026-01-01\n[cycle]\nlength = \"month\"\n[slabs]\n\
                          mode = \"whole\"\n[[slab]]\nfrom = 0\nrate = \"1%\"\n";
pub const HEADER: &str = "invoice_no,line_no,invoice_date,partner_code,amount\n";

/// While January is open, and when it has closed.
const IN_JANUARY: &str = "2026-01-20T12:00:00Z";
pub const AFTER_JANUARY: &str = "2026-02-20T12:00:00Z";

/// What the server is not waited for long; nothing of it stands in the config.
const HURRY: [&str; 4] = ["--set", "feed.far.ssh.idle_timeout=2s", "--set", "feed.far.ssh.file_deadline=5s"];

/// More than the misbehaving server gives before it sins.
pub fn export(lines: usize) -> String {
    let mut text = HEADER.to_owned();
    for i in 0..lines {
        writeln!(text, "F{i},1,2026-01-{:02},P{:02},{}.25", 1 + i % 15, i % 20, 37 * i % 900)
            .expect("a string");
    }
    text
}

/// A workspace with a feed on the server, named `far`, and one of this machine.
pub struct Site {
    pub server: Server,
    pub workspace: Workspace,
}

impl Site {
    pub fn of(ways: &[&str], feed: &str) -> Site {
        let server = Server::misbehaving(ways);
        let url = format!("sftp://{}@127.0.0.1:{}{}", user(), server.addr.port(), server.outbound.display());
        let ssh = format!(
            "[feed.ssh]\nhost_key = \"{}\"\nprivate_key = \"{}\"\nretries = 0\n",
            server.fingerprint(),
            server.user_key().display()
        );
        Site { server, workspace: workspace(&url, &format!("{feed}{ssh}")) }
    }

    pub fn run(&self, at: &str, more: &[&str], status: i32) -> Outcome {
        self.workspace.trial(&[&["run", "--as-of", at], more].concat()).status(status).check()
    }

    pub fn ledger(&self) -> String {
        ledger(&self.workspace)
    }

    /// Files taken by any run, by name.
    pub fn taken(&self) -> Vec<String> {
        let files = self.workspace.trial(&["files", "--format", "csv"]).check().csv();
        let names = files.into_iter().map(|mut file| file.remove("name").expect("a column"));
        let mut names: Vec<String> = names.collect();
        names.sort();
        names
    }
}

fn workspace(url: &str, more: &str) -> Workspace {
    let feed = |name: &str, url: &str, more: &str| {
        format!(
            "[[feed]]\nname = \"{name}\"\nkind = \"sales\"\nurl = \"{url}\"\nfiles = \"*.csv\"\n\
             timezone = \"Asia/Kolkata\"\nsettle_seconds = 0\n{more}"
        )
    };
    let mut workspace = Workspace::new(&(feed("far", url, more) + &feed("near", "file:drop", "")));
    workspace.write("schemes/club.toml", SCHEME);
    workspace.drop("drop/near.csv", format!("{HEADER}N1,1,2026-01-10,P01,1000\n"));
    workspace
}

fn ledger(workspace: &Workspace) -> String {
    workspace.trial(&["ledger", "--format", "csv"]).check().stdout
}

const LINES: usize = 6_000;

/// The ledger of a site where the file came between the two runs.
static UNDISTURBED: LazyLock<String> = LazyLock::new(|| {
    let mut workspace = workspace("file:far", "");
    std::fs::create_dir(workspace.path("far")).expect("a folder");
    workspace.trial(&["run", "--as-of", IN_JANUARY]).check();
    workspace.drop("far/far.csv", export(LINES));
    workspace.trial(&["run", "--as-of", AFTER_JANUARY]).check();
    ledger(&workspace)
});

/// A run meets a server that sins, and the next one meets it after that.
fn is_told_and_made_good(way: &str, status: i32, words: &[&str]) {
    let site = Site::of(&[way], "");
    site.server.put("far.csv", export(LINES).as_bytes());
    let said = site.run(IN_JANUARY, &HURRY, status).whole();
    for word in words {
        assert!(said.contains(word), "{way}: {word:?} in\n{said}");
    }
    assert_eq!(site.taken(), ["near.csv"], "{way}");
    site.workspace.trial(&["verify"]).check();
    site.server.behave();
    // whoever was writing it is done
    site.server.put("far.csv", export(LINES).as_bytes());
    site.run(AFTER_JANUARY, &[], 0);
    assert_eq!(site.ledger(), *UNDISTURBED, "{way}");
    site.workspace.trial(&["verify", "--deep"]).check();
}

#[test]
fn a_server_that_stalls_or_dribbles_ends_with_5() {
    let idle = ["feed far: 127.0.0.1:", "nothing came for 2 s (idle_timeout)"];
    is_told_and_made_good("stalls", 5, &[idle[0], "reading far.csv", idle[1]]);
    is_told_and_made_good("stalls-list", 5, &[idle[0], "listing /", idle[1]]);
    is_told_and_made_good("stalls-login", 5, &[idle[0], "logging in", "not done after 2 s (idle_timeout)"]);
    is_told_and_made_good("dribbles", 5, &[idle[0], "reading far.csv", "not done after 5 s (file_deadline)"]);
    is_told_and_made_good("endless-list", 5, &[idle[0], "listing /", "not done after 5 s (file_deadline)"]);
}

#[test]
fn a_server_that_breaks_off_ends_with_5() {
    for way in ["closes", "fails", "raves", "answers-another"] {
        is_told_and_made_good(way, 5, &["feed far: 127.0.0.1:", "reading far.csv"]);
    }
}

#[test]
fn a_file_that_may_not_be_read_waits_for_a_person() {
    is_told_and_made_good("denies", 3, &["feed far: far.csv may not be read by", "mend its permissions"]);
}

#[test]
fn a_size_that_is_a_lie_and_a_file_that_changes_are_told_and_left_for_the_next_run() {
    let left = "left for the next run";
    is_told_and_made_good("says-more", 0, &["feed far: far.csv", "ended after", left]);
    is_told_and_made_good("says-less", 0, &["feed far: far.csv", "grew beyond its", left]);
    is_told_and_made_good("ends-early", 0, &["feed far: far.csv", "ended after", left]);
    for way in ["touches", "cuts", "grows", "replaces"] {
        is_told_and_made_good(way, 0, &["feed far: far.csv", left]);
    }
}

#[test]
fn what_version_3_lets_a_server_do_changes_nothing() {
    let cases = [
        (&["one-byte"][..], 20),
        // of more than one request
        (&["one-byte"], 400),
        (&["most-8192"], LINES),
        (&["most-3000"], LINES),
        (&["most-700"], 1_000),
        (&["pieces"], 200),
        (&["reversed"], LINES),
    ];
    for (ways, lines) in cases {
        let site = Site::of(ways, "");
        site.server.put("far.csv", export(lines).as_bytes());
        site.run(AFTER_JANUARY, &[], 0);
        let rows = site.workspace.trial(&["lines", "--format", "csv"]).check().csv();
        assert_eq!(rows.len(), lines + 1, "{ways:?}");
    }
}

#[test]
fn hostile_names_are_told_once_and_touch_nothing() {
    let site = Site::of(&["hostile-names"], "");
    site.server.put("sales.csv", export(20).as_bytes());
    let said = site.run(AFTER_JANUARY, &[], 3).whole();
    for name in ["../sales.csv", "/etc/passwd.csv", "a\\nb.csv"] {
        assert!(said.contains(name), "{name} in\n{said}");
    }
    assert!(!said.contains("a\nb.csv"), "printed as it came:\n{said}");
    assert_eq!(site.taken(), ["near.csv", "sales.csv"], "{said}");
    site.run(AFTER_JANUARY, &[], 0);
    site.workspace.trial(&["verify", "--deep"]).check();
}
