//! `metrics.prom`: after runs that went well, waited, failed and were killed.

use crate::prometheus::Metrics;
use crate::rig::{self, FEBRUARY, HEADER, feed};
use crate::support::program::Workspace;
use crate::support::random::Random;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

fn metrics(workspace: &Workspace) -> Metrics {
    let text = fs::read_to_string(workspace.path("var/metrics.prom")).expect("metrics.prom");
    Metrics::read(&text)
}

/// Seconds since the epoch of 2026-02-08T00:00:00Z.
const THEN: &str = "1770508800";

#[test]
fn a_run_that_did_its_work_is_told_whole() {
    let workspace = rig::closed();
    let told = metrics(&workspace);
    for (series, value) in [
        ("accrued_last_run_number", "1"),
        ("accrued_last_run_start_timestamp_seconds", THEN),
        ("accrued_last_success_timestamp_seconds", THEN),
        ("accrued_last_run_exit_code", "0"),
        ("accrued_runs_started_total", "1"),
        ("accrued_runs_finished_total{exit=\"0\"}", "1"),
        ("accrued_files_total{feed=\"sales\",state=\"ingested\"}", "1"),
        ("accrued_files_total{feed=\"sales\",state=\"refused\"}", "0"),
        ("accrued_rows_total{feed=\"sales\",outcome=\"accepted\"}", "2"),
        ("accrued_rows_total{feed=\"sales\",outcome=\"rejected\"}", "0"),
        ("accrued_rejects_open{feed=\"sales\"}", "0"),
        ("accrued_ledger_entries_total", "2"),
        ("accrued_points_posted_total{scheme=\"club\",kind=\"accrual\",sign=\"credit\"}", "12"),
        ("accrued_points_posted_total{scheme=\"club\",kind=\"correction\",sign=\"debit\"}", "0"),
        ("accrued_points_outstanding{scheme=\"club\"}", "12"),
        ("accrued_missing_files{feed=\"sales\"}", "0"),
        ("accrued_cycles_waiting{scheme=\"club\"}", "0"),
    ] {
        assert_eq!(told.value(series), value, "{series}");
    }
    // a point has no value in this scheme, and nothing is held
    assert!(!told.has("accrued_liability") && !told.has("accrued_holds_open"));
    let whole = told.seconds("accrued_last_run_duration_seconds");
    let stages = ["start", "fetch", "ingest", "evaluate", "post", "publish"];
    let stages = stages
        .map(|stage| told.seconds(&format!("accrued_last_run_stage_duration_seconds{{stage=\"{stage}\"}}")));
    let sum: f64 = stages.iter().sum();
    assert!(whole > 0.0 && sum <= whole + 0.01 && sum >= whole - 0.02, "{stages:?} of {whole}");
    let size = fs::metadata(workspace.path("var/accrued.db")).expect("a store").len();
    assert_eq!(told.value("accrued_store_bytes"), size.to_string());
    let version = format!("version=\"{}\"", env!("CARGO_PKG_VERSION"));
    assert!(told.samples.keys().any(|series| series.contains(&version)), "{version}");
}

#[test]
fn what_waits_is_told_until_a_person_has_decided() {
    let scheme = format!("{}[points]\nvalue = \"0.25\"\ndecimals = 2\n[limits]\naccrual = 20\n", rig::SCHEME);
    let expecting = feed("sales", "sales", "expected = \"monthly\"\n").replace("*.csv", "s_{yyyy}-{mm}.csv");
    let mut workspace = rig::with(&expecting);
    workspace.write("schemes/club.toml", scheme);
    // P1 has more than the limit; one row has no amount
    workspace.drop(
        "drop/sales/s_2026-01.csv",
        format!("{HEADER}A1,1,2026-01-05,P1,3000.50\nA2,1,2026-01-06,P2,250.75\nA3,1,2026-01-07,P3,-\n"),
    );
    workspace.trial(&["run", "--as-of", FEBRUARY]).status(3).check();
    let told = metrics(&workspace);
    for (series, value) in [
        ("accrued_last_run_exit_code", "3"),
        ("accrued_last_success_timestamp_seconds", THEN),
        ("accrued_rejects_open{feed=\"sales\"}", "1"),
        ("accrued_rows_total{feed=\"sales\",outcome=\"rejected\"}", "1"),
        ("accrued_holds_open{kind=\"over_limit\"}", "1"),
        ("accrued_points_outstanding{scheme=\"club\"}", "22.5"),
        ("accrued_liability{scheme=\"club\",currency=\"INR\"}", "5.625"),
    ] {
        assert_eq!(told.value(series), value, "{series}");
    }

    let holds = workspace.accrued(&["holds", "--format", "csv"]).csv();
    workspace.trial(&["holds", "release", &holds[0]["id"], "--reason", "it is right"]).check();
    let released = metrics(&workspace);
    released.follows(&told, "by a release");
    assert!(!released.has("accrued_holds_open"));
    assert_eq!(released.value("accrued_last_run_number"), "1", "a decision is no run");
    assert_eq!(
        released.value("accrued_last_run_duration_seconds"),
        told.value("accrued_last_run_duration_seconds")
    );
    workspace.trial(&["holds", "discard", "s_2026-01.csv", "--reason", "a slip"]).check();
    assert_eq!(metrics(&workspace).value("accrued_rejects_open{feed=\"sales\"}"), "0");

    // March comes, February's file does not
    workspace.trial(&["run", "--as-of", "2026-03-20"]).status(3).check();
    let waiting = metrics(&workspace);
    waiting.follows(&released, "by a run");
    assert_eq!(waiting.value("accrued_missing_files{feed=\"sales\"}"), "1");
    assert_eq!(waiting.value("accrued_cycles_waiting{scheme=\"club\"}"), "1");
    workspace
        .trial(&["close", "club", "2026-02", "--reason", "they were shut", "--as-of", "2026-03-20"])
        .check();
    let closed = metrics(&workspace);
    closed.follows(&waiting, "by a close");
    assert_eq!(closed.value("accrued_missing_files{feed=\"sales\"}"), "0");
    assert_eq!(closed.value("accrued_cycles_waiting{scheme=\"club\"}"), "0");
    assert_eq!(
        closed.value("accrued_last_success_timestamp_seconds"),
        "1773964800",
        "a close looks at no feed"
    );
}

#[test]
fn a_run_that_failed_leaves_the_last_success_as_it_was() {
    let mut workspace = rig::closed();
    workspace.drop("drop/sales/feb.csv", format!("{HEADER}B1,1,2026-02-05,P1,1000\n"));
    // the ledger cannot be published: the run fails on the way
    let later = ["run", "--as-of", "2026-03-08"];
    workspace.obstructed("var/statements", &later);
    let failed = metrics(&workspace);
    for (series, value) in [
        ("accrued_last_run_exit_code", "1"),
        ("accrued_last_success_timestamp_seconds", THEN),
        ("accrued_last_run_start_timestamp_seconds", "1772928000"),
    ] {
        assert_eq!(failed.value(series), value, "{series}");
    }
    workspace.trial(&later).check();
    let mended = metrics(&workspace);
    mended.follows(&failed, "by a run");
    assert_eq!(mended.value("accrued_last_success_timestamp_seconds"), "1772928000");
    assert_eq!(mended.value("accrued_files_total{feed=\"sales\",state=\"ingested\"}"), "2");

    // a server that is away: what could be done is done, and it is no success
    let away = "[[feed]]\nname = \"away\"\nkind = \"sales\"\nurl = \"sftp://dms@127.0.0.1:1/out\"\nfiles = \"*.csv\"\n\
                timezone = \"Asia/Kolkata\"\n[feed.ssh]\nhost_key = \"SHA256:uNiVztksCsDhcc0u9e8BrDWhyVTAWx0Ep7zTMJNLhR8\"\n\
                password_file = \"password\"\nretries = 0\n";
    workspace.write("accrued.toml", feed("sales", "sales", "") + away);
    workspace.write("password", "secret\n");
    fs::set_permissions(workspace.path("password"), fs::Permissions::from_mode(0o600)).expect("our own file");
    workspace.trial(&["run", "--as-of", "2026-03-09"]).status(5).check();
    let told = metrics(&workspace);
    told.follows(&mended, "by a server that is away");
    assert_eq!(told.value("accrued_last_run_exit_code"), "5");
    assert_eq!(told.value("accrued_runs_finished_total{exit=\"5\"}"), "1");
    assert_eq!(told.value("accrued_last_success_timestamp_seconds"), "1772928000");
}

/// A workspace with a liability, a missing file, a hold and a reject.
fn much_told() -> Workspace {
    let scheme = format!("{}[points]\nvalue = \"0.25\"\n[limits]\naccrual = 20\n", rig::SCHEME);
    let expecting = feed("sales", "sales", "expected = \"monthly\"\n").replace("*.csv", "s_{yyyy}-{mm}.csv");
    let mut workspace = rig::with(&expecting);
    workspace.write("schemes/club.toml", scheme);
    workspace.drop(
        "drop/sales/s_2026-01.csv",
        format!("{HEADER}A1,1,2026-01-05,P1,3000\nA2,1,2026-01-06,P2,200\nA3,1,2026-01-07,P3,-\n"),
    );
    workspace.trial(&["run", "--as-of", "2026-03-20"]).status(3).check();
    workspace
}

/// What is told of the store, without the last run.
fn of_store(told: &Metrics) -> Vec<(&String, &String)> {
    let of_run =
        |series: &str| series.starts_with("accrued_last_run_") || series.starts_with("accrued_store_");
    told.samples.iter().filter(|(series, _)| !of_run(series)).collect()
}

#[test]
fn a_run_that_cannot_begin_changes_nothing_but_what_is_told_of_it() {
    let workspace = much_told();
    let before = metrics(&workspace);
    for (series, value) in [
        ("accrued_liability{scheme=\"club\",currency=\"INR\"}", "5.50"),
        ("accrued_missing_files{feed=\"sales\"}", "1"),
        ("accrued_cycles_waiting{scheme=\"club\"}", "1"),
        ("accrued_holds_open{kind=\"over_limit\"}", "1"),
        ("accrued_rejects_open{feed=\"sales\"}", "1"),
    ] {
        assert_eq!(before.value(series), value, "{series}");
    }
    // rules that cannot be meant: the rules of the last run tell what points are worth
    let rules = fs::read_to_string(workspace.path("schemes/club.toml")).expect("rules");
    workspace.write("schemes/club.toml", rules.replace("\"1%\"", "0.01"));
    workspace.trial(&["run", "--as-of", "2026-03-21"]).status(78).check();
    let invalid = metrics(&workspace);
    assert_eq!(invalid.value("accrued_last_run_exit_code"), "78");
    assert_eq!(of_store(&invalid), of_store(&before));
    workspace.write("schemes/club.toml", &rules);
    // a config that cannot be read leads nowhere: what was told stands
    let config = fs::read_to_string(workspace.path("accrued.toml")).expect("a config");
    let told = fs::read(workspace.path("var/metrics.prom")).expect("metrics.prom");
    workspace.write("accrued.toml", format!("{config}delimeter = 1\n"));
    workspace.trial(&["run", "--as-of", "2026-03-21"]).status(78).check();
    assert!(fs::read(workspace.path("var/metrics.prom")).expect("metrics.prom") == told);
    workspace.write("accrued.toml", &config);
    // a store that this program cannot read
    let store = rusqlite::Connection::open(workspace.path("var/accrued.db")).expect("a store");
    let form: i64 = store.query_row("PRAGMA user_version", [], |row| row.get(0)).expect("a form");
    store.execute_batch("PRAGMA user_version = 999").expect("forged");
    let newer = workspace.trial(&["run", "--as-of", "2026-03-21"]).status(1).check();
    assert!(newer.stderr.contains("what it told before"), "{}", newer.whole());
    let unread = metrics(&workspace);
    assert_eq!(unread.value("accrued_last_run_exit_code"), "1");
    assert_eq!(of_store(&unread), of_store(&before));
    assert_eq!(unread.value("accrued_store_bytes"), invalid.value("accrued_store_bytes"));
    store.execute_batch(&format!("PRAGMA user_version = {form}")).expect("mended");
    // what is done with by then goes
    let holds = workspace.accrued(&["holds", "--format", "csv"]).csv();
    workspace.trial(&["holds", "release", &holds[0]["id"], "--reason", "it is right"]).check();
    assert!(!metrics(&workspace).has("accrued_holds_open"));
}

#[test]
fn a_file_that_cannot_be_written_fails_no_run() {
    let workspace = rig::closed();
    let place = workspace.path("var/metrics.prom");
    fs::remove_file(&place).expect("it is there");
    fs::create_dir(&place).expect("a folder can be made");
    let run = workspace.trial(&["run", "--as-of", "2026-02-09"]).check();
    assert!(run.stderr.contains("metrics.prom"), "{}", run.whole());
}

#[test]
fn a_rehearsal_and_reading_tell_nothing() {
    let mut workspace = rig::closed();
    let before = fs::read(workspace.path("var/metrics.prom")).expect("metrics.prom");
    workspace.drop("drop/sales/feb.csv", format!("{HEADER}B1,1,2026-02-05,P1,1000\n"));
    workspace.trial(&["run", "--dry-run", "--as-of", "2026-03-08"]).check();
    workspace.trial(&["status"]).check();
    workspace.trial(&["verify", "--deep"]).check();
    assert!(before == fs::read(workspace.path("var/metrics.prom")).expect("metrics.prom"));
}

#[test]
fn counters_never_fall_whatever_is_killed() {
    let mut workspace = rig::workspace();
    let mut random = Random::new(5);
    let mut before: Option<Metrics> = None;
    let mut time = Duration::from_millis(200);
    for month in 1..=6 {
        let mut text = HEADER.to_owned();
        for row in 0..60 {
            // of some lines a later file says something else, and some are no lines
            let amount = if row == 7 { "-".to_owned() } else { (row * 31 * month).to_string() };
            let of = 1.max(month - row % 2);
            text += &format!("M{month}-{row},1,2026-{of:02}-05,P{},{amount}\n", row % 9);
        }
        workspace.drop(&format!("drop/sales/{month}.csv"), text);
        let day = format!("2026-{:02}-09", month + 1);
        for _ in 0..random.below(4) {
            let share = u32::try_from(random.below(1000)).expect("a small number");
            workspace.killed(&["run", "--as-of", &day], time * share / 1000);
            if workspace.path("var/metrics.prom").exists() {
                let told = metrics(&workspace);
                if let Some(before) = &before {
                    told.follows(before, "by a kill");
                }
            }
        }
        let start = Instant::now();
        let run = workspace.accrued(&["run", "--as-of", &day]);
        assert!([0, 3].contains(&run.status), "{}", run.whole());
        time = start.elapsed();
        let told = metrics(&workspace);
        if let Some(before) = &before {
            told.follows(before, "by a run");
        }
        let files = told.value("accrued_files_total{feed=\"sales\",state=\"ingested\"}");
        assert_eq!(files, month.to_string());
        before = Some(told);
    }
    // what is kept to be quick adds up to what stands in the store, also once files have fallen silent
    let before = before.expect("six months");
    let config = fs::read_to_string(workspace.path("accrued.toml")).expect("a config");
    workspace.write("accrued.toml", format!("{config}[feed.csv]\ncredit_notes = \"signed\"\n"));
    let reread = workspace.accrued(&["reread", "--feed", "sales", "--as-of", "2026-07-09"]);
    assert!([0, 3].contains(&reread.status), "{}", reread.whole());
    let told = metrics(&workspace);
    told.follows(&before, "by a reread");
    let store = rusqlite::Connection::open(workspace.path("var/accrued.db")).expect("a store");
    store.execute_batch("DELETE FROM tally").expect("forgotten");
    drop(store);
    workspace.trial(&["run", "--offline", "--as-of", "2026-07-09"]).check();
    let anew = metrics(&workspace);
    let counted = |told: &Metrics| {
        let of = |series: &str| {
            ["files", "rows", "rejects", "points", "ledger"]
                .iter()
                .any(|one| series.starts_with(&format!("accrued_{one}_")))
        };
        told.samples.clone().into_iter().filter(|(series, _)| of(series)).collect::<Vec<_>>()
    };
    assert_eq!(counted(&told), counted(&anew));
    assert_ne!(told.value("accrued_rejects_open{feed=\"sales\"}"), "0");
    let ledger = workspace.accrued(&["ledger", "--format", "csv"]).csv();
    let points = |kind: &str, sign: &str| {
        let series =
            format!("accrued_points_posted_total{{scheme=\"club\",kind=\"{kind}\",sign=\"{sign}\"}}");
        told.value(&series).parse::<i64>().expect("whole points")
    };
    let posted = |kind: &str| {
        let of_kind = ledger.iter().filter(|row| row["kind"] == kind);
        of_kind.map(|row| row["points"].parse::<i64>().expect("whole points")).sum::<i64>()
    };
    for kind in ["accrual", "correction"] {
        assert_eq!(points(kind, "credit") - points(kind, "debit"), posted(kind), "{kind}");
    }
    assert!(posted("correction") != 0, "the history has no correction");
    let rejected: i64 = workspace
        .accrued(&["files", "--format", "csv"])
        .csv()
        .iter()
        .map(|row| row["rejected"].parse::<i64>().expect("a count"))
        .sum();
    assert_eq!(told.value("accrued_rows_total{feed=\"sales\",outcome=\"rejected\"}"), rejected.to_string());
}
