//! What comes before the first run: init, check, config show; and what a package installs.

use crate::rig::{HEADER, SCHEME, closed, feed, january, with, workspace};
use crate::support::program::Workspace;

#[test]
fn init_lays_out_a_workspace_that_checks_and_runs_and_never_overwrites() {
    let here = Workspace::new("");
    here.trial(&["init", "w"]).stdout("").check();
    let mut first = here.tree("w");
    first.retain(|path, _| path != "drop");
    let again = here.trial(&["init", "w"]).status(1).check();
    assert!(again.stderr.starts_with("error: w has README.txt, accrued.toml, "), "{}", again.whole());
    assert!(first == here.tree("w"));
    let config = ["--config", "w/accrued.toml"];
    for command in [&["check"][..], &["config", "show"], &["status"]] {
        here.trial(&[command, &config[..]].concat()).check();
    }
    let outcome = here.trial(&[&["run", "--as-of", "2026-04-02"][..], &config[..]].concat()).check();
    assert!(outcome.stdout.contains("files      none new"), "{}", outcome.whole());
}

#[test]
fn init_leaves_alone_what_is_there() {
    let here = Workspace::new("");
    here.write("w/schemes/example-club.toml", "mine");
    here.trial(&["init", "w"]).status(1).file("w/schemes/example-club.toml", "mine").check();
    assert_eq!(here.tree("w").len(), 1);
}

#[test]
fn check_tells_likely_mistakes_and_4_where_they_are_denied() {
    let workspace = workspace();
    workspace.trial(&["check", "--offline", "--deny-warnings"]).check();
    workspace.write("schemes/other.toml", SCHEME.replace("\"club\"", "\"other\""));
    let told = workspace.trial(&["check", "--offline"]).check();
    assert!(told.stderr.contains("the schemes club and other pay for the same lines"), "{}", told.whole());
    assert!(told.stderr.contains("accrued.toml: 1 feed, 2 schemes, 1 warning"), "{}", told.whole());
    workspace.trial(&["check", "--offline", "--deny-warnings"]).status(4).check();
}

#[test]
fn check_lists_every_feed_what_is_new_taken_and_passed_over() {
    let mut workspace = closed();
    workspace.drop("drop/sales/feb.csv", HEADER);
    std::fs::create_dir(workspace.path("drop/sales/x.csv")).expect("a folder");
    let listed = workspace.trial(&["check"]).check();
    let rows = listed.csv();
    let told: Vec<_> = rows.iter().map(|row| (row["file"].as_str(), row["state"].as_str())).collect();
    assert_eq!(told, [("jan.csv", "taken"), ("feb.csv", "new"), ("x.csv", "passed over")]);
    assert!(
        listed
            .stderr
            .contains("feed sales: reached; 2 files matching \"*.csv\", 1 of them new; 1 name passed over"),
        "{}",
        listed.whole()
    );
    // it only looks
    assert_eq!(workspace.trial(&["files"]).check().csv().len(), 1);
}

#[test]
fn a_folder_that_is_not_there_is_told_by_check_and_by_run_alike() {
    let workspace = with(&feed("sales", "sales", ""));
    std::fs::remove_dir(workspace.path("drop/sales")).expect("a folder");
    let checked = workspace.trial(&["check"]).status(3).check();
    let run = workspace.trial(&["run", "--as-of", "2026-01-02"]).status(3).check();
    for outcome in [checked, run] {
        assert!(outcome.stderr.contains("error: feed sales: "), "{}", outcome.whole());
        assert!(outcome.stderr.contains("drop/sales"), "{}", outcome.whole());
    }
}

#[test]
fn config_show_tells_every_setting_and_where_it_comes_from() {
    let workspace = workspace();
    for args in [&["config", "show"][..], &["config", "show", "--origin"]] {
        let rows = workspace.trial(args).check().csv();
        let of = |key: &str| {
            let row =
                rows.iter().find(|row| row["setting"] == key).unwrap_or_else(|| panic!("{key}: {rows:?}"));
            (row["value"].clone(), row["origin"].clone())
        };
        assert_eq!(of("data_dir").1, "default");
        assert_eq!(of("feed.sales.settle_seconds"), ("0".into(), "accrued.toml:7".into()));
    }
}

#[test]
fn a_package_has_completions_and_man_pages() {
    let workspace = workspace();
    for shell in ["bash", "zsh", "fish"] {
        let script = workspace.trial(&["completions", shell]).check().stdout;
        assert!(script.contains("accrued") && script.contains("explain"), "{shell}");
    }
    workspace.trial(&["man", "share/man"]).stdout("").check();
    let pages = workspace.tree("share/man");
    for page in ["accrued.1", "accrued-run.1", "accrued-verify.1", "accrued-holds-release.1"] {
        assert!(pages.contains_key(page), "{page} in {:?}", pages.keys());
    }
}

#[test]
fn versions_are_told() {
    let outcome = workspace().trial(&["--version"]).stderr("").check();
    let lines: Vec<&str> = outcome.stdout.lines().collect();
    assert_eq!(lines[0], concat!("accrued ", env!("CARGO_PKG_VERSION")));
    assert!(lines[1].starts_with("libssh2 1."), "{lines:?}");
    assert!(lines[2].starts_with("time-zone data 20"), "{lines:?}");
}

#[test]
fn the_config_is_found_by_flag_and_variable() {
    let mut workspace = workspace();
    january(&mut workspace);
    let elsewhere = workspace.path("drop");
    let command = |args: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_accrued"));
        command.args(args).current_dir(&elsewhere).env_remove("ACCRUED_CONFIG");
        command
    };
    let config = workspace.path("accrued.toml");
    let flag =
        command(&["run", "--as-of", "2026-02-08", "--config"]).arg(&config).output().expect("it starts");
    assert_eq!(flag.status.code(), Some(0));
    let variable = command(&["files"]).env("ACCRUED_CONFIG", &config).output().expect("it starts");
    assert!(String::from_utf8_lossy(&variable.stdout).contains("jan.csv"));
    assert!(workspace.path("var/accrued.db").is_file(), "paths are relative to the file");
}
