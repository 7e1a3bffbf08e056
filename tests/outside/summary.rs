//! What a run says of twenty feeds, several schemes and many cycles: read in five seconds.

use crate::rig::{HEADER, SCHEME};
use crate::support::program::{Outcome, Workspace};
use serde_json::Value;
use std::fs;
use std::os::unix::fs::PermissionsExt;

const MONTHS: usize = 6;

/// Twenty feeds: of five the server or folder is away, three miss files, one is refused whole; four schemes, two of them continuous.
fn many() -> Workspace {
    let mut config = String::new();
    for n in 0..20 {
        let url = if is_away(n) { "sftp://u@127.0.0.1:1/x".to_owned() } else { format!("file:drop/f{n:02}") };
        let ssh = "[feed.ssh]\nhost_key = \"SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"\npassword_file = \"secret\"\nretries = 0\n";
        let more = if is_away(n) { ssh } else { "settle_seconds = 0\n" };
        config += &format!(
            "[[feed]]\nname = \"f{n:02}\"\nkind = \"sales\"\nurl = \"{url}\"\nfiles = \"s_{{yyyy}}-{{mm}}.csv\"\n\
             timezone = \"Asia/Kolkata\"\nexpected = \"monthly\"\n{more}"
        );
    }
    let mut workspace = Workspace::new(&config);
    workspace.write("secret", "x");
    fs::set_permissions(workspace.path("secret"), fs::Permissions::from_mode(0o600)).expect("ours");
    for (id, post) in [("a", "at-close"), ("b", "at-close"), ("c", "continuous"), ("d", "continuous")] {
        let text = SCHEME.replace("\"club\"", &format!("\"{id}\""));
        let text = text.replace("length = \"month\"", &format!("length = \"month\"\npost = \"{post}\""));
        workspace.write(&format!("schemes/{id}.toml"), text);
    }
    for n in (0..20).filter(|n| !is_away(*n)) {
        for month in 1..=MONTHS {
            let bad = if n == 5 { "X,1,never,P1,1\n" } else { "" };
            let row = format!("D{n}-{month},1,2026-{month:02}-05,P{n},1000\n");
            workspace.drop(&format!("drop/f{n:02}/s_2026-{month:02}.csv"), format!("{HEADER}{row}{bad}"));
        }
    }
    workspace
}

fn is_away(n: usize) -> bool {
    n % 4 == 3
}

fn first_run(workspace: &Workspace) -> Outcome {
    workspace.trial(&["run", "--as-of", "2026-07-08"]).status(5).check()
}

#[test]
fn many_feeds_schemes_and_cycles_are_read_in_five_seconds() {
    let workspace = many();
    let run = first_run(&workspace);
    let summary: Vec<&str> = run.stdout.lines().collect();
    let waits = |scheme: &str| {
        format!(
            "waits      {scheme} 2026-01: s_2026-01.csv of feed f03 has not been ingested, and 4 more (`accrued close` closes without it)"
        )
    };
    assert_eq!(
        summary[..summary.len() - 1],
        [
            "run        1 at 2026-07-08T00:00:00Z",
            "feeds      5 of 20 with errors: f03, f07, f11 and 2 more",
            "files      90 ingested",
            "rows       90 accepted, 6 rejected",
            "missing    30 files of 5 feeds",
            "holds      0 new, 0 in all",
            "evaluated  60 partners",
            "posted     c: 900 points in 6 cycles, 2026-01 to 2026-06",
            "             in var/statements/c",
            "posted     d: 900 points in 6 cycles, 2026-01 to 2026-06",
            "             in var/statements/d",
            &waits("a"),
            &waits("b"),
            &waits("c"),
            &waits("d"),
        ],
        "{}",
        run.whole()
    );
    let troubles: Vec<&str> = run.stderr.lines().collect();
    assert!(
        troubles[0].starts_with("error: feeds f03, f07, f11, f15, f19: cannot connect to 127.0.0.1:1"),
        "{}",
        run.whole()
    );
    assert!(
        troubles.contains(&"missing: s_2026-01.csv of feed f03, due 2026-02-05, and 5 more"),
        "{}",
        run.whole()
    );
    assert_eq!(troubles.iter().filter(|line| line.starts_with("rejected: feed f05: ")).count(), 6);
    assert_eq!(troubles.len(), 1 + 6 + 5 + 2, "{}", run.whole());
    assert!(
        troubles[troubles.len() - 2].starts_with("next: accrued check looks at every feed and push"),
        "{}",
        run.whole()
    );
    // told once
    let again = workspace.accrued(&["run", "--as-of", "2026-07-09"]);
    assert!(!again.stdout.contains("missing") && !again.stderr.contains("missing: "), "{}", again.whole());
}

#[test]
fn a_log_for_machines_has_each_of_them_with_its_feed() {
    let workspace = many();
    let config = fs::read_to_string(workspace.path("accrued.toml")).expect("a config");
    workspace.write("accrued.toml", config + "[log]\nformat = \"json\"\n");
    let run = first_run(&workspace);
    let lines: Vec<Value> =
        run.stderr.lines().map(|line| serde_json::from_str(line).expect("json")).collect();
    let said = |what: &str, feed: &str| {
        let ours = |line: &&Value| {
            line["message"].as_str().is_some_and(|said| said.starts_with(what)) && line["feed"] == feed
        };
        lines.iter().filter(ours).count()
    };
    assert_eq!(
        (said("missing: ", "f07"), said("feed f07: cannot connect", "f07"), said("rejected: ", "f05")),
        (6, 1, 6),
        "{}",
        run.whole()
    );
}
