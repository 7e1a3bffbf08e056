//! What stands over accrued.toml: `ACCRUED_*`, then `--set`; where it is told, kept and refused.

use crate::rig::{FEBRUARY, HEADER, feed, with};
use crate::support::program::{Workspace, without_settings};
use std::process::{Command, Stdio};

/// What the program does with these variables: status, stdout, stderr.
fn given(workspace: &Workspace, variables: &[(&str, &str)], args: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_accrued"));
    without_settings(&mut command);
    command.args(args).current_dir(workspace.root()).envs(variables.iter().copied()).stdin(Stdio::null());
    let output = command.output().expect("it starts");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().unwrap_or(-1), text(&output.stdout), text(&output.stderr))
}

fn two_feeds() -> Workspace {
    with(&format!(
        "{}{}",
        feed("north-sales", "sales", ""),
        feed("south", "sales", "[feed.columns]\namount = \"Net\"\n")
    ))
}

/// `setting,value,origin,stands_over` of these settings.
fn shown(workspace: &Workspace, variables: &[(&str, &str)], args: &[&str], settings: &[&str]) -> Vec<String> {
    let all = [&["config", "show", "--origin", "--format", "csv"], args].concat();
    let (status, out, err) = given(workspace, variables, &all);
    assert_eq!((status, err.as_str()), (0, ""), "{out}");
    let rows: Vec<&str> = out.lines().collect();
    let of = |setting: &&str| {
        let row = rows.iter().find(|row| row.starts_with(&format!("{setting},")));
        row.unwrap_or_else(|| panic!("{setting} in {out}")).rsplit_once(',').expect("a variable").0.to_owned()
    };
    settings.iter().map(of).collect()
}

#[test]
fn a_variable_stands_over_the_file_and_a_flag_over_both() {
    let workspace = two_feeds();
    workspace.write("accrued.toml", format!("data_dir = \"var\"\n{}", feed("north-sales", "sales", "")));
    let variables = [
        ("ACCRUED_DATA_DIR", "elsewhere"),
        ("ACCRUED_FEED_NORTH_SALES_SETTLE_SECONDS", "7"),
        ("ACCRUED_FEED_NORTH_SALES_DISTRIBUTORS", "[\"D1\", { code = \"D2\", from = 2030-01-01 }]"),
        ("ACCRUED_FEED_NORTH_SALES_COLUMNS_AMOUNT", "Net, of tax"),
        ("ACCRUED_SCHEDULE_CRON", "0 30 2 * * *"),
        ("ACCRUED_SCHEDULE_TIMEZONE", "Asia/Kolkata"),
        ("ACCRUED_PUBLISH_TRANSACTIONS", "false"),
        ("ACCRUED_SCHEMES_DIR", ""),
    ];
    let settings = [
        "data_dir",
        "feed.north-sales.settle_seconds",
        "feed.north-sales.columns.amount",
        "schedule.cron",
        "publish.transactions",
        "schemes_dir",
    ];
    assert_eq!(
        shown(
            &workspace,
            &variables,
            &["--set", "publish.transactions=true", "--set", "data_dir=third"],
            &settings
        ),
        [
            "data_dir,\"\"\"third\"\"\",flag --set data_dir,\"\"\"elsewhere\"\" (ACCRUED_DATA_DIR), then \"\"var\"\" (accrued.toml:1)\"",
            "feed.north-sales.settle_seconds,7,ACCRUED_FEED_NORTH_SALES_SETTLE_SECONDS,0 (accrued.toml:8)",
            "feed.north-sales.columns.amount,\"\"\"Net, of tax\"\"\",ACCRUED_FEED_NORTH_SALES_COLUMNS_AMOUNT,default",
            "schedule.cron,\"\"\"0 30 2 * * *\"\"\",ACCRUED_SCHEDULE_CRON,default",
            "publish.transactions,true,flag --set publish.transactions,\"\"\"false\"\" (ACCRUED_PUBLISH_TRANSACTIONS), then default\"",
            "schemes_dir,\"\"\"schemes\"\"\",default,",
        ]
    );
}

#[test]
fn every_setting_that_config_show_names_a_variable_of_can_be_set_by_it() {
    let workspace = two_feeds();
    let (_, out, _) = given(&workspace, &[], &["config", "show", "--origin", "--format", "csv"]);
    let mut reader = csv::Reader::from_reader(out.as_bytes());
    let rows: Vec<csv::StringRecord> = reader.records().map(|row| row.expect("a row")).collect();
    let mut tried = 0;
    for row in rows.iter().filter(|row| !row[4].is_empty()) {
        // as TOML writes it, and so in quotes where it is a text
        let (status, again, err) =
            given(&workspace, &[(&row[4], &row[1])], &["config", "show", "--format", "csv"]);
        assert_eq!(status, 0, "{}={}: {err}", &row[4], &row[1]);
        let mut reader = csv::Reader::from_reader(again.as_bytes());
        let found = reader.records().map(|row| row.expect("a row")).find(|found| found[0] == row[0]);
        let found = found.unwrap_or_else(|| panic!("{}", &row[0]));
        assert_eq!((&found[1], &found[2]), (&row[1], &row[4]), "{again}");
        tried += 1;
    }
    assert!(tried > 40, "{tried}");
    let unnamed: Vec<&str> =
        rows.iter().filter(|row| row[4].is_empty()).map(|row| row.get(0).unwrap_or("")).collect();
    assert_eq!(unnamed, ["control.operators", "feed.north-sales.name", "feed.south.name"]);
}

#[test]
fn what_no_setting_answers_to_is_refused_without_its_value() {
    let workspace = two_feeds();
    for (name, told) in [
        ("ACCRUED_DATADIR", "did you mean ACCRUED_DATA_DIR?"),
        ("ACCRUED_FEED_NORTH_SALES_ULR", "did you mean ACCRUED_FEED_NORTH_SALES_URL?"),
        ("ACCRUED_FEED_NORTH_SALES_NAME", "ACCRUED_FEED_NORTH_SALES_"),
        ("ACCRUED_SCHEDULE", "set one by one, such as ACCRUED_SCHEDULE_CATCH_UP"),
        ("ACCRUED_HISTORIES", "accrued config show lists every setting"),
        ("ACCRUED_FEED_NORTH_SALES_SSH_PASSWORD", "and write password_file"),
    ] {
        for args in [&["check", "--offline"][..], &["run", "--offline"], &["status"], &["config", "show"]] {
            let (status, out, err) = given(&workspace, &[(name, "hunter2")], args);
            assert_eq!((status, out.as_str()), (78, ""), "{name}: {err}");
            assert!(
                err.contains(name) && err.contains(told) && err.contains("the environment"),
                "{name}: {err}"
            );
            assert!(!err.contains("hunter2"), "{err}");
        }
    }
    let (status, _, err) = given(&workspace, &[], &["status", "--set", "data_dri=x"]);
    assert_eq!(status, 78);
    assert!(
        err.contains("--set: no setting is named data_dri") && err.contains("did you mean data_dir?"),
        "{err}"
    );
    let (status, ..) = given(&workspace, &[], &["status", "--set", "data_dir"]);
    assert_eq!(status, 2);
    // no command needs a config to tell who it is
    assert_eq!(given(&workspace, &[("ACCRUED_DATADIR", "x")], &["--version"]).0, 0);
}

#[test]
fn a_variable_that_two_settings_answer_to_is_refused() {
    let workspace = with(&format!("{}{}", feed("a-b", "sales", ""), feed("a.b", "sales", "")));
    assert_eq!(given(&workspace, &[], &["check", "--offline"]).0, 0);
    let (status, _, err) = given(&workspace, &[("ACCRUED_FEED_A_B_DUE_DAYS", "9")], &["check", "--offline"]);
    assert_eq!(status, 78);
    assert!(err.contains("could be any of feed.\"a.b\".due_days, feed.a-b.due_days"), "{err}");
    // a flag names one of them
    let settings = ["feed.a-b.due_days", "feed.\"\"a.b\"\".due_days"];
    let all = ["config", "show", "--set", "feed.a-b.due_days=9", "--format", "csv"];
    let (_, out, _) = given(&workspace, &[], &all);
    assert!(out.contains(&format!("{},9,", settings[0])), "{out}");
    assert!(
        out.contains(&format!("\"{}\",5,default", settings[1])) || out.contains(".due_days,5,default"),
        "{out}"
    );
}

#[test]
fn a_wrong_value_is_told_as_kindly_as_one_in_the_file() {
    let workspace = two_feeds();
    let (status, _, err) = given(
        &workspace,
        &[("ACCRUED_FEED_SOUTH_DISTRIBUTORS", "[\"D1\", { code = \"D2\", form = 2030-01-01 }]")],
        &["status"],
    );
    assert_eq!(status, 78);
    assert_eq!(
        err,
        "error: unknown key form in a distributor\n --> ACCRUED_FEED_SOUTH_DISTRIBUTORS:1:23\n  |\n\
         1 | [\"D1\", { code = \"D2\", form = 2030-01-01 }]\n  |                       ^^^^ did you mean from?\n  |\n  \
         = help: write from, or remove the line\n"
    );
    let (status, _, err) = given(&workspace, &[], &["status", "--set", "publish.transactions=yes"]);
    assert_eq!(status, 78);
    assert!(
        err.starts_with(
            "error: transactions must be true or false, found \"yes\"\n --> flag --set publish.transactions:1:1\n"
        ),
        "{err}"
    );
    // two places that disagree, one of them in the file
    let ssh = format!("[feed.ssh]\nhost_key = \"SHA256:{}\"\nagent = true\n", "A".repeat(43));
    let far = feed("far", "sales", &ssh).replace("file:drop/far", "sftp://u@h/x");
    let workspace = with(&far);
    let (status, _, err) =
        given(&workspace, &[("ACCRUED_FEED_FAR_SSH_KNOWN_HOSTS", "known")], &["check", "--offline"]);
    assert_eq!(status, 78);
    assert!(
        err.contains("--> ACCRUED_FEED_FAR_SSH_KNOWN_HOSTS:1:1") && err.contains("accrued.toml:9:12"),
        "{err}"
    );
    let (_, _, err) =
        given(&workspace, &[("ACCRUED_FEED_FAR_URL", "sftp://u:hunter2@h/x")], &["check", "--offline"]);
    assert!(
        err.contains("url holds a password") && err.contains("********") && !err.contains("hunter2"),
        "{err}"
    );
}

#[test]
fn a_replay_goes_by_what_was_in_force_then() {
    let mut workspace = with(&feed("sales", "sales", ""));
    workspace.drop("drop/sales/a.csv", HEADER.replace("amount", "Net") + "A1,1,2026-01-05,P1,1000\n");
    let variables = [("ACCRUED_FEED_SALES_COLUMNS_AMOUNT", "Net"), ("ACCRUED_PUBLISH_TRANSACTIONS", "false")];
    let flag = ["--set", "feed.sales.documents=all"];
    let (status, out, err) =
        given(&workspace, &variables, &[&["run", "--as-of", FEBRUARY], &flag[..]].concat());
    assert_eq!(status, 0, "{out}{err}");
    assert!(out.contains("1 accepted"), "{out}");
    let papers = workspace.tree("var/statements");
    assert!(!papers.keys().any(|name| name.contains("transactions")), "{:?}", papers.keys());
    // then without them: the second run journals the config anew
    workspace.drop("drop/sales/b.csv", format!("{HEADER}A2,1,2026-02-05,P1,500\n"));
    workspace.trial(&["run", "--as-of", "2026-03-08"]).check();
    let proved = workspace.trial(&["verify", "--deep"]).check();
    assert!(
        proved.stdout.contains("2 runs replayed") || proved.stderr.contains("2 runs replayed"),
        "{}",
        proved.whole()
    );
}
