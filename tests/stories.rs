//! evaluation.md 5 as whole-program stories. A story is a folder in tests/stories/:
//!
//! - `schemes/`: the scheme files;
//! - `accrued.toml`: the config, where the common one will not do;
//! - `in/AS-OF/FEED/FILE`: what is dropped before the run of that day, one run a folder, in their order;
//! - `expected/ledger.csv`, `expected/summary.csv`: the entries, and the rows of the papers in force, in the columns
//!   that the header names.
//!
//! What asks for more than a folder can say is told in tests/told/.

#[path = "support/papers.rs"]
mod papers;
#[path = "support/program.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod program;
#[path = "told/rows_alike.rs"]
mod rows_alike;
#[path = "told/summer_time.rs"]
mod summer_time;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use program::{Workspace, csv_rows};

const CONFIG: &str = "data_dir = \"var\"\nschemes_dir = \"schemes\"\n\n[[feed]]\nname = \"sales\"\nkind = \"sales\"\n\
                      url = \"file:drop/sales\"\nfiles = \"*.csv\"\ntimezone = \"Asia/Kolkata\"\nsettle_seconds = 0\n";

type Row = BTreeMap<String, String>;

fn sorted_entries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut paths: Vec<PathBuf> = entries.map(|e| e.expect("a folder can be read").path()).collect();
    paths.sort();
    paths
}

fn name(path: &Path) -> String {
    path.file_name().expect("an entry has a name").to_string_lossy().into_owned()
}

fn stories() -> Vec<PathBuf> {
    sorted_entries(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/stories")))
}

/// Lays the story out and makes its runs.
fn told(story: &Path) -> Workspace {
    let config = fs::read_to_string(story.join("accrued.toml")).unwrap_or_else(|_| CONFIG.to_string());
    let mut workspace = Workspace::new(&config);
    for scheme in sorted_entries(&story.join("schemes")) {
        workspace.write(&format!("schemes/{}", name(&scheme)), fs::read(&scheme).expect("a scheme"));
    }
    for step in sorted_entries(&story.join("in")) {
        for feed in sorted_entries(&step) {
            for file in sorted_entries(&feed) {
                let path = format!("drop/{}/{}", name(&feed), name(&file));
                workspace.drop(&path, fs::read(&file).expect("a file"));
            }
        }
        workspace.trial(&["run", "--as-of", &name(&step)]).check();
    }
    workspace
}

/// A number without the zeros at its end, anything else as it is: how many decimals a measure shows is not told here.
fn value(cell: &str) -> String {
    let plain = cell.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-'));
    if plain && cell.contains('.') {
        cell.trim_end_matches('0').trim_end_matches('.').to_string()
    } else {
        cell.to_string()
    }
}

/// Rows in the columns that are wanted, in order.
fn narrowed(rows: &[Row], columns: &Row) -> Vec<Row> {
    let cell = |row: &Row, column: &String| {
        (column.clone(), value(row.get(column).unwrap_or_else(|| panic!("no column {column} in {row:?}"))))
    };
    let mut rows: Vec<Row> =
        rows.iter().map(|row| columns.keys().map(|column| cell(row, column)).collect()).collect();
    rows.sort();
    rows
}

fn expected(story: &Path, file: &str) -> Vec<Row> {
    let rows = csv_rows(&fs::read(story.join("expected").join(file)).expect("an expected file"));
    narrowed(&rows, &rows[0])
}

#[test]
fn every_story_ends_in_its_ledger() {
    for story in stories() {
        let workspace = told(&story);
        let wanted = expected(&story, "ledger.csv");
        let ledger = workspace.trial(&["ledger", "--format", "csv"]).check().csv();
        assert_eq!(narrowed(&ledger, &wanted[0]), wanted, "{}", story.display());
    }
}

#[test]
fn every_story_ends_in_its_papers() {
    for story in stories() {
        let workspace = told(&story);
        let wanted = expected(&story, "summary.csv");
        let (scheme, cycle) = (&wanted[0]["scheme"], &wanted[0]["cycle"]);
        let papers =
            papers::closed(&workspace, scheme, cycle).unwrap_or_else(|e| panic!("{}: {e}", story.display()));
        let rows: Vec<Row> = papers.summary.into_values().collect();
        assert_eq!(narrowed(&rows, &wanted[0]), wanted, "{}", story.display());
    }
}

#[test]
fn a_second_run_of_a_story_changes_nothing() {
    for story in stories() {
        let workspace = told(&story);
        let last = name(sorted_entries(&story.join("in")).last().expect("a step"));
        let ledger = || workspace.trial(&["ledger", "--format", "csv"]).check().stdout;
        let before = (workspace.tree("var/statements"), ledger());
        workspace.trial(&["run", "--as-of", &last]).check();
        assert!(before == (workspace.tree("var/statements"), ledger()), "{}", story.display());
    }
}
