//! What is logged: text, JSON, and the journal's own fields.

use crate::rig::{self, FEBRUARY, feed};
use crate::support::program::{Outcome, Workspace};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixDatagram;
use std::process::{Command, Stdio};
use std::time::Duration;

fn workspace(format: &str) -> Workspace {
    let mut workspace = rig::with(&(feed("sales", "sales", "") + &format!("[log]\nformat = \"{format}\"\n")));
    rig::january(&mut workspace);
    workspace.drop("drop/sales/bad.csv", "a,b\n1,2\n");
    workspace
}

/// Every line of stderr.
fn lines(run: &Outcome) -> Vec<Value> {
    let read = |line: &str| {
        serde_json::from_str::<Value>(line).unwrap_or_else(|fault| panic!("{line}: {fault}\n{}", run.whole()))
    };
    run.stderr.lines().map(read).collect()
}

fn said<'l>(lines: &'l [Value], message: &str) -> Vec<&'l Value> {
    lines.iter().filter(|line| line["message"].as_str().is_some_and(|said| said.contains(message))).collect()
}

#[test]
fn json_lines_name_run_feed_file_and_cycle() {
    let workspace = workspace("json");
    let run = workspace.trial(&["run", "--as-of", FEBRUARY]).status(3).check();
    let lines = lines(&run);
    for line in &lines {
        assert!(
            line["at"].as_str().is_some_and(|at| at.ends_with('Z')) && line["level"].is_string(),
            "{line}"
        );
    }
    let taken = said(&lines, "file taken");
    assert_eq!(taken.len(), 2, "{}", run.stderr);
    assert_eq!((&taken[0]["run"], &taken[0]["feed"]), (&1.into(), &"sales".into()));
    assert_eq!((&taken[0]["file"], &taken[0]["state"]), (&"jan.csv".into(), &"ingested".into()));
    for message in ["posted", "cycle closed"] {
        let told = said(&lines, message);
        assert_eq!(told.len(), 1, "{message} in {}", run.stderr);
        let (scheme, cycle) = (&told[0]["scheme"], &told[0]["cycle"]);
        assert_eq!((&told[0]["run"], scheme, cycle), (&1.into(), &"club".into(), &"2026-01".into()));
    }
    assert_eq!(said(&lines, "published").len(), 2, "{}", run.stderr);
    let refused = said(&lines, "refused: feed sales");
    assert_eq!((&refused[0]["level"], &refused[0]["file"]), (&"warn".into(), &"bad.csv".into()));
    assert_eq!((&refused[0]["run"], &refused[0]["feed"]), (&1.into(), &"sales".into()));
    let ends = said(&lines, "the run ends");
    assert_eq!((&ends[0]["exit"], &ends[0]["entry"]), (&3.into(), &2.into()));
    // data is data
    assert!(run.stdout.starts_with("run        1 at"), "{}", run.stdout);

    // what ends a command is a line like any other
    let failed = workspace.accrued(&["run", "--feed", "norht", "--as-of", FEBRUARY]);
    assert_eq!(failed.status, 2, "{}", failed.whole());
}

#[test]
fn the_variable_stands_over_the_file_and_counts_before_it_is_read() {
    let workspace = workspace("text");
    let with = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_accrued"));
        command.args(args).current_dir(workspace.root()).env("ACCRUED_LOG_FORMAT", "json");
        command.stdin(Stdio::null()).output().expect("the binary starts")
    };
    let output = with(&["run", "--as-of", FEBRUARY]);
    let text = String::from_utf8(output.stderr).expect("text");
    assert_eq!(output.status.code(), Some(3), "{text}");
    for line in text.lines() {
        serde_json::from_str::<Value>(line).unwrap_or_else(|fault| panic!("{line}: {fault}"));
    }
    workspace.write("accrued.toml", "nonsense");
    let output = with(&["run"]);
    let text = String::from_utf8(output.stderr).expect("text");
    let line: Value = serde_json::from_str(text.trim_end()).unwrap_or_else(|fault| panic!("{text}: {fault}"));
    assert!(line["message"].as_str().is_some_and(|said| said.contains("accrued.toml")), "{text}");
}

#[test]
fn text_is_for_people_and_quiet_unless_asked() {
    let workspace = workspace("auto");
    let run = workspace.trial(&["run", "--as-of", FEBRUARY]).status(3).check();
    assert!(run.stderr.starts_with("refused: feed sales: bad.csv: "), "{}", run.stderr);
    let next = workspace.trial(&["run", "-v", "--as-of", "2026-02-09"]).check();
    assert!(next.stderr.contains(" INFO the run begins") && next.stderr.contains("run=2"), "{}", next.stderr);
}

/// The fields of one datagram.
fn fields(datagram: &[u8]) -> BTreeMap<String, String> {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("text");
    let mut fields = BTreeMap::new();
    let mut rest = datagram;
    while !rest.is_empty() {
        let end = rest.iter().position(|b| matches!(b, b'=' | b'\n')).expect("a name ends");
        let (name, after) = (text(&rest[..end]), &rest[end + 1..]);
        let (value, next) = if rest[end] == b'=' {
            let end = after.iter().position(|b| *b == b'\n').expect("a value ends");
            (text(&after[..end]), end)
        } else {
            let length = u64::from_le_bytes(after[..8].try_into().expect("eight bytes"));
            let length = usize::try_from(length).expect("small");
            (text(&after[8..8 + length]), 8 + length)
        };
        assert_eq!(after[next], b'\n', "{name}");
        rest = &after[next + 1..];
        fields.insert(name, value);
    }
    fields
}

#[test]
fn the_journal_gets_fields_where_stderr_is_the_journal() {
    let workspace = workspace("auto");
    let socket = workspace.path("journal.socket");
    let journal = UnixDatagram::bind(&socket).expect("a socket");
    journal.set_read_timeout(Some(Duration::from_millis(200))).expect("a time limit");
    let stream = File::create(workspace.path("stderr.txt")).expect("a file");
    let stat = stream.metadata().expect("our own file");
    let mut command = Command::new(env!("CARGO_BIN_EXE_accrued"));
    command
        .args(["run", "--as-of", FEBRUARY])
        .current_dir(workspace.root())
        .env("JOURNAL_STREAM", format!("{}:{}", stat.dev(), stat.ino()))
        .env("JOURNAL_SOCKET", &socket)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(stream);
    let mut child = command.spawn().expect("the binary starts");
    let mut told = Vec::new();
    let mut bytes = vec![0; 1 << 20];
    let mut ended = false;
    loop {
        match journal.recv(&mut bytes) {
            Ok(length) => told.push(fields(&bytes[..length])),
            Err(_) if ended => break,
            Err(_) => ended = child.try_wait().expect("our own child").is_some(),
        }
    }
    assert_eq!(child.wait().expect("it has ended").code(), Some(3));
    let left = std::fs::read_to_string(workspace.path("stderr.txt")).expect("a file");
    assert_eq!(left, "", "all of it went to the journal");
    let one = |message: &str| {
        let found = told.iter().find(|line| line["MESSAGE"].contains(message));
        found.unwrap_or_else(|| panic!("{message} in {told:#?}"))
    };
    let taken = one("file taken");
    for (name, value) in [
        ("PRIORITY", "6"),
        ("SYSLOG_IDENTIFIER", "accrued"),
        ("ACCRUED_RUN", "1"),
        ("ACCRUED_FEED", "sales"),
        ("ACCRUED_FILE", "jan.csv"),
    ] {
        assert_eq!(taken.get(name).map(String::as_str), Some(value), "{name} of {taken:?}");
    }
    assert!(taken["MESSAGE"].contains("feed=sales"), "{taken:?}");
    assert_eq!(one("cycle closed")["ACCRUED_CYCLE"], "2026-01");
    let refused = one("refused: feed sales: bad.csv");
    assert_eq!((refused["PRIORITY"].as_str(), refused["ACCRUED_FILE"].as_str()), ("4", "bad.csv"));
}
