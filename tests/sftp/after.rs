//! `after = move | delete`: what the store has goes from its feed, once; what is not settled stays. From a server and from a
//! folder of this machine alike.

use crate::support::feed::{self, Store, changed};
use crate::support::program::Workspace;
use crate::support::sshd::{Setup, Sshd, user};
use accrued::inbox::{After, Away, Connection, InboxFault, Place, Source, Taken};
use std::fs::{self, File};
use std::path::PathBuf;

const SCHEME: &str = "[scheme]\nid = \"club\"\nname = \"Club\"\ncompany = \"Example\"\ncurrency = \"INR\"\n\
                      timezone = \"Asia/Kolkata\"\nstarts = 2026-01-01\n[cycle]\nlength = \"month\"\n[slabs]\n\
                      mode = \"whole\"\n[[slab]]\nfrom = 0\nrate = \"1%\"\n";
const HEADER: &str = "invoice_no,line_no,invoice_date,partner_code,amount\n";
const RUN: [&str; 3] = ["run", "--as-of", "2026-02-20T12:00:00Z"];

/// A workspace with one feed, on a server or in a folder of this machine.
struct Site {
    server: Option<Sshd>,
    workspace: Workspace,
}

impl Site {
    fn local() -> Site {
        let workspace = Workspace::new("");
        fs::create_dir(workspace.path("outbound")).expect("a folder");
        workspace.write("schemes/club.toml", SCHEME);
        Site { server: None, workspace }
    }

    fn far(setup: &Setup) -> Site {
        Site { server: Some(Sshd::start_with(setup)), ..Site::local() }
    }

    fn both() -> [Site; 2] {
        [Site::local(), Site::far(&Setup::default())]
    }

    fn set(&self, feed: &str) {
        let (url, ssh) = match &self.server {
            None => ("file:outbound".to_owned(), String::new()),
            Some(server) => (
                format!("sftp://{}@127.0.0.1:{}{}", user(), server.addr.port(), server.outbound().display()),
                format!(
                    "[feed.ssh]\nhost_key = \"{}\"\nprivate_key = \"{}\"\nretries = 0\n",
                    server.fingerprint("ed25519"),
                    server.user_key().display()
                ),
            ),
        };
        let config = format!(
            "[[feed]]\nname = \"far\"\nkind = \"sales\"\nurl = \"{url}\"\nfiles = \"*.csv\"\ntimezone = \"Asia/Kolkata\"\n\
             settle_seconds = 0\n{feed}{ssh}"
        );
        self.workspace.write("accrued.toml", config);
    }

    fn outbound(&self) -> PathBuf {
        self.server.as_ref().map_or_else(|| self.workspace.path("outbound"), Sshd::outbound)
    }

    fn put(&self, name: &str, rows: &str) {
        fs::write(self.outbound().join(name), format!("{HEADER}{rows}")).expect("written");
    }

    /// Everything in the feed's folder, and below it.
    fn lies(&self) -> Vec<String> {
        let mut found = Vec::new();
        let mut folders = vec![self.outbound()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).expect("a folder") {
                let path = entry.expect("an entry").path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    found.push(path.strip_prefix(self.outbound()).expect("in it").display().to_string());
                }
            }
        }
        found.sort();
        found
    }

    fn run(&self, status: i32) -> String {
        self.workspace.trial(&RUN).status(status).check().whole()
    }

    fn amounts(&self) -> Vec<String> {
        let lines = self.workspace.trial(&["lines", "--format", "csv"]).check().csv();
        lines.iter().map(|line| line["amount"].split('.').next().unwrap_or_default().to_owned()).collect()
    }
}

#[test]
fn what_was_taken_is_moved_with_what_came_beside_it_and_never_over_another() {
    for site in Site::both() {
        site.set("complete = \"marker\"\nafter = \"move:done\"\n[feed.totals]\nrows = \"{name}.ctl\"\n");
        site.workspace.write("accrued.toml", {
            let text = fs::read_to_string(site.workspace.path("accrued.toml")).expect("a config");
            text.replace("settle_seconds = 0\n", "")
        });
        for (name, amount) in [("jan.csv", "100"), ("feb.csv", "200")] {
            site.put(name, &format!("{name},1,2026-01-10,P1,{amount}\n"));
            fs::write(site.outbound().join(format!("{name}.ctl")), format!("1,{amount}\n")).expect("written");
        }
        fs::write(site.outbound().join("jan.csv.done"), "").expect("written");
        let dry = site.workspace.trial(&[&RUN[..], &["--dry-run"]].concat()).check().whole();
        assert!(site.lies().len() == 5, "a rehearsal moves nothing: {dry}");
        site.run(0);
        let unmarked = ["feb.csv", "feb.csv.ctl"];
        let moved = ["done/jan.csv", "done/jan.csv.ctl", "done/jan.csv.done"];
        assert_eq!(site.lies(), [&moved[..], &unmarked].concat());
        // another export of that name
        site.put("jan.csv", "N2,1,2026-01-11,P1,300\n");
        fs::write(site.outbound().join("jan.csv.ctl"), "1,300\n").expect("written");
        fs::write(site.outbound().join("jan.csv.done"), "").expect("written");
        // the lines of the first one are gone from it, and a person is told
        site.run(3);
        let lies = site.lies();
        let second: Vec<&String> = lies
            .iter()
            .filter(|name| name.starts_with("done/jan.csv") && !moved.contains(&name.as_str()))
            .collect();
        assert_eq!((lies.len(), second.len()), (8, 3), "{lies:?}");
        let behind = second[0].strip_prefix("done/jan.csv.").expect("its hash behind its name");
        assert!(behind.len() == 8 && behind.bytes().all(|b| b.is_ascii_hexdigit()), "{behind}");
        assert_eq!(site.amounts(), ["100", "300"]);
        let files = site.workspace.trial(&["files", "--format", "csv"]).check().csv();
        assert_eq!(files.len(), 2);
        site.workspace.trial(&["verify", "--deep"]).check();
    }
}

#[test]
fn duplicates_go_and_refused_and_held_files_stay_until_somebody_has_decided() {
    for site in Site::both() {
        site.set("max_reject_percent = \"0\"\nafter = \"delete\"\n");
        site.put("good.csv", "N1,1,2026-01-10,P1,100\n");
        site.put("same.csv", "N1,1,2026-01-10,P1,100\n");
        site.put("bad.csv", &"N9,1,2026-01-10,P1,many\n".repeat(20));
        site.run(3);
        assert_eq!(site.lies(), ["bad.csv"]);
        assert_eq!(site.amounts(), ["100"]);
        // one that a person discards goes too
        site.put("worse.csv", &"N8,1,2026-01-10,P1,lots\n".repeat(20));
        site.run(3);
        let discard =
            ["holds", "discard", "worse.csv", "--reason", "not meant", "--as-of", "2026-02-20T12:00:00Z"];
        site.workspace.trial(&discard).check();
        site.run(0);
        assert_eq!(site.lies(), ["bad.csv"]);
        // mended, and taken by itself
        site.put("bad.csv", "N9,1,2026-01-10,P1,7\n");
        site.run(0);
        assert_eq!(site.lies(), [""; 0]);
        assert_eq!(site.amounts(), ["100", "7"]);
        site.set("after = \"delete\"\n[feed.totals]\nrows = \"{name}.ctl\"\n");
        for number in [1, 2] {
            site.put(&format!("held{number}.csv"), &format!("H{number},1,2026-01-10,P1,5\n"));
            fs::write(site.outbound().join(format!("held{number}.csv.ctl")), "1,6\n").expect("written");
        }
        site.run(3);
        assert_eq!(site.lies().len(), 4);
        site.run(0);
        assert_eq!(site.lies().len(), 4, "they wait for a person");
        let holds = site.workspace.trial(&["holds", "--format", "csv"]).check().csv();
        for (hold, word) in holds.iter().zip(["release", "discard"]) {
            let asked = ["holds", word, &hold["id"], "--reason", "asked", "--as-of", "2026-02-21"];
            site.workspace.trial(&asked).check();
        }
        site.workspace.trial(&["run", "--as-of", "2026-02-22"]).check();
        assert_eq!(site.lies(), [""; 0]);
        assert_eq!(site.amounts().len(), 3);
        site.workspace.trial(&["verify", "--deep"]).check();
    }
}

#[test]
fn what_cannot_be_moved_is_told_and_moved_at_the_next_run_and_never_loaded_twice() {
    for site in Site::both() {
        site.set("after = \"move:done\"\n");
        site.put("jan.csv", "N1,1,2026-01-10,P1,100\n");
        fs::write(site.outbound().join("done"), "in the way").expect("written");
        let said = site.run(3);
        assert!(said.contains("cannot be moved"), "{said}");
        assert_eq!(site.lies(), ["done", "jan.csv"]);
        assert_eq!(site.amounts(), ["100"]);
        // also what was committed by a run that was killed before it could be moved
        site.set("");
        site.put("feb.csv", "N2,1,2026-01-10,P1,200\n");
        site.run(0);
        site.set("after = \"move:done\"\n");
        fs::remove_file(site.outbound().join("done")).expect("out of the way");
        let said = site.run(0);
        assert!(said.contains("files      none new"), "{said}");
        assert_eq!(site.lies(), ["done/feb.csv", "done/jan.csv"]);
        assert_eq!(site.amounts(), ["100", "200"]);
        site.run(0);
    }
}

#[test]
fn a_server_that_lets_us_read_only_is_told_of_and_its_files_count() {
    let config = vec!["Subsystem sftp internal-sftp -R".to_owned()];
    let site = Site::far(&Setup { config, ..Setup::default() });
    site.put("jan.csv", "N1,1,2026-01-10,P1,100\n");
    site.put("feb.csv", "N2,1,2026-01-10,P1,200\n");
    fs::create_dir(site.outbound().join("done")).expect("a folder");
    for (after, word) in [("move:done", "moved"), ("delete", "deleted")] {
        site.set(&format!("after = \"{after}\"\n"));
        let said = site.run(3);
        assert!(said.contains(&format!("cannot be {word}")) && said.contains("permission denied"), "{said}");
        assert!(said.contains("so with 1 more"), "{said}");
        assert_eq!(site.lies(), ["feb.csv", "jan.csv"]);
        assert_eq!(site.amounts().len(), 2);
    }
}

/// One file, listed and taken, of each kind of feed; `act` happens before it is put away.
fn put_away(after: &After, act: &dyn Fn(&File)) -> Vec<(Result<Away, InboxFault>, Vec<String>)> {
    Site::both()
        .into_iter()
        .map(|site| {
            let source = match &site.server {
                Some(server) => feed::source(feed::settings(server)),
                None => {
                    let place = Place::Folder(site.outbound());
                    Source { place, ..feed::source(feed::settings(&Sshd::start())) }
                }
            };
            site.put("s.csv", "");
            let mut open = Connection::open(&Source { after: after.clone(), ..source }, &Default::default())
                .expect("open");
            let file = feed::only(open.list().expect("listed"));
            let sha256 = open.fetch(&file, &Store::new().archive).expect("fetched").sha256;
            act(&File::options().append(true).open(site.outbound().join("s.csv")).expect("there"));
            open.make_room().expect("room");
            let away = open.put_away(&Taken { file, marked: false, sidecar: None, sha256 });
            (away, site.lies())
        })
        .collect()
}

#[test]
fn a_file_that_is_another_by_then_stays() {
    let epoch = std::time::SystemTime::UNIX_EPOCH;
    for after in [After::Move("done".to_owned()), After::Delete] {
        for act in [&|file: &File| file.set_len(3).expect("cut"), &|file: &File| {
            file.set_modified(epoch).expect("touched");
        }] as [&dyn Fn(&File); 2]
        {
            for (away, lies) in put_away(&after, act) {
                assert!(changed(away).contains("s.csv changed after it was taken"));
                assert_eq!(lies, ["s.csv"]);
            }
        }
        for (away, lies) in put_away(&after, &|_| ()) {
            away.expect("put away");
            assert_ne!(lies, ["s.csv"]);
        }
    }
}
