//! `accrued demo`: the same bytes on any machine, the failures it shows are those that the commands find, and no folder of
//! anyone else is touched.

#[path = "support/golden.rs"]
mod golden;
#[path = "support/program.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod program;

use program::{Workspace, csv_rows};
use std::fs;
use std::process::{Command, Stdio};

/// stdout, stderr and status of the program in a folder, with an environment of its own.
fn demo(workspace: &Workspace, args: &[&str], environment: &[(&str, &str)]) -> (String, String, i32) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_accrued"));
    command.args(args).current_dir(workspace.root()).env_remove("ACCRUED_CONFIG").stdin(Stdio::null());
    let output = command.envs(environment.iter().copied()).output().expect("the binary starts");
    (
        String::from_utf8(output.stdout).expect("text"),
        String::from_utf8_lossy(&output.stderr).into_owned(),
        output.status.code().unwrap_or(-1),
    )
}

const HOME: [(&str, &str); 2] = [("TZ", "Asia/Kolkata"), ("LANG", "en_IN.UTF-8")];
const ABROAD: [(&str, &str); 5] =
    [("TZ", "America/New_York"), ("LANG", "C"), ("LC_ALL", "C"), ("USER", "someone"), ("COLUMNS", "40")];

#[test]
fn the_same_bytes_every_time_and_everywhere() {
    let (one, other) = (Workspace::new(""), Workspace::new(""));
    let (text, said, status) = demo(&one, &["demo"], &HOME);
    golden::check("demo.txt", &text);
    assert_eq!((said.as_str(), status), ("", 0));
    assert_eq!(demo(&one, &["demo"], &ABROAD), (text.clone(), String::new(), 0), "made anew");
    assert_eq!(demo(&other, &["demo", "accrued-demo"], &ABROAD), (text, String::new(), 0), "made elsewhere");
    let published = |workspace: &Workspace| {
        ["statements", "rejects"].map(|folder| workspace.tree(&format!("accrued-demo/var/{folder}")))
    };
    assert!(published(&one) == published(&other));
    assert!(published(&one)[0].len() > 10, "{:?}", published(&one)[0].keys());
}

#[test]
fn what_it_prints_fits_a_screen() {
    for name in ["demo.txt", "demo_break.txt"] {
        let text = fs::read_to_string(format!("{}/tests/golden/{name}", env!("CARGO_MANIFEST_DIR")));
        let text = text.expect("a golden");
        assert!(text.lines().count() < 60, "{name} has {} lines", text.lines().count());
        for line in text.lines() {
            assert!(line.chars().count() <= 100 && line.trim_end() == line, "{name}: {line:?}");
        }
    }
}

#[test]
fn every_cause_of_a_correction_is_in_the_ledger() {
    let workspace = Workspace::new("");
    demo(&workspace, &["demo", "d"], &HOME);
    let ledger = workspace.trial(&["--config", "d/accrued.toml", "ledger", "--format", "csv"]).check().csv();
    let corrections: Vec<[&str; 3]> = ledger
        .iter()
        .filter(|row| row["kind"] == "correction")
        .map(|row| [&row["partner_code"], &row["points"], &row["reason"]].map(String::as_str))
        .collect();
    assert_eq!(corrections, [["R-101", "-880", "credit note"], ["R-104", "1020", "late line"]]);
    workspace.trial(&["--config", "d/accrued.toml", "verify"]).check();
    workspace.trial(&["--config", "d/accrued.toml", "check", "--deny-warnings"]).check();
    workspace.trial(&["--config", "d/accrued.toml", "test"]).check();
    workspace.trial(&["--config", "d/accrued.toml", "run", "--as-of", "2026-10-07"]).check();
}

#[test]
fn what_break_shows_is_what_the_commands_find() {
    let workspace = Workspace::new("");
    let (text, said, status) = demo(&workspace, &["demo", "--break"], &HOME);
    golden::check("demo_break.txt", &text);
    assert_eq!((said.as_str(), status), ("", 0));
    assert_eq!(demo(&workspace, &["demo", "--break"], &ABROAD).0, text);

    let check =
        workspace.trial(&["--config", "accrued-demo/broken/accrued.toml", "check"]).status(78).check();
    for line in check.stderr.lines() {
        assert!(text.contains(line), "check says what the demo does not: {line}");
    }
    let verify = workspace
        .trial(&["--config", "accrued-demo/broken/accrued.toml", "verify", "chain"])
        .status(4)
        .check();
    let findings = csv_rows(verify.stdout.as_bytes());
    let plain = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(findings.len(), 1, "{}", verify.stdout);
    assert!(plain(&text).contains(&plain(&findings[0]["detail"])), "{}", verify.stdout);
    workspace.trial(&["--config", "accrued-demo/accrued.toml", "verify"]).check();

    let rejects = workspace.tree("accrued-demo/var/rejects/north");
    let (name, bytes) = rejects.first_key_value().expect("a reject file");
    assert!(text.contains(name), "{name}");
    let reject = &csv_rows(bytes)[0];
    for column in ["line", "reason", "detail", "text"] {
        assert!(plain(&text).contains(&plain(&reject[column])), "{column}: {}", reject[column]);
    }
}

#[test]
fn a_folder_of_someone_else_is_not_touched() {
    let workspace = Workspace::new("");
    workspace.write("theirs/schemes/rules.toml", "mine");
    let (text, said, status) = demo(&workspace, &["demo", "theirs"], &HOME);
    assert_eq!((text.as_str(), status), ("", 1));
    assert_eq!(
        said,
        "error: will not touch theirs: it is not empty, and the demo did not make it; name a new folder: accrued demo DIR\n"
    );
    assert_eq!(workspace.tree("theirs").len(), 1);

    demo(&workspace, &["demo", "d"], &HOME);
    workspace.write("d/notes.txt", "mine");
    let before = workspace.tree("d");
    let (_, said, status) = demo(&workspace, &["demo", "d"], &HOME);
    assert_eq!(status, 1);
    assert!(said.contains("it has d/notes.txt, which the demo did not make"), "{said}");
    assert!(workspace.tree("d") == before);

    workspace.write("file", "");
    let (_, said, status) = demo(&workspace, &["demo", "file"], &HOME);
    assert_eq!(status, 1);
    assert!(said.contains("cannot look into file"), "{said}");
    fs::create_dir(workspace.path("empty")).expect("a folder");
    assert_eq!(demo(&workspace, &["demo", "empty"], &HOME).2, 0);
}
