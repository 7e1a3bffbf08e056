//! kill -9 at random points of a run, many times: the next run finishes the work, and only run numbers and instants
//! tell (product.md, all or nothing).

#[path = "support/program.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod program;
#[path = "support/random.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod random;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

use program::Workspace;
use random::Random;

/// How many times a run is killed; `ACCRUED_KILLS` asks for more.
const KILLS: usize = 60;

const CONFIG: &str = "data_dir = \"var\"\nschemes_dir = \"schemes\"\n\n[[feed]]\nname = \"sales\"\nkind = \"sales\"\n\
                      url = \"file:drop\"\nfiles = \"*.csv\"\ntimezone = \"Asia/Kolkata\"\nsettle_seconds = 0\n";

const SCHEME: &str = "[scheme]\nid = \"club\"\nname = \"Club\"\ncompany = \"Example\"\ncurrency = \"INR\"\n\
                      timezone = \"Asia/Kolkata\"\nstarts = 2026-01-01\n[cycle]\nlength = \"month\"\n[slabs]\n\
                      mode = \"whole\"\n[[slab]]\nfrom = 0\nrate = \"1%\"\ntier = \"Silver\"\n[[slab]]\n\
                      from = 1000\nrate = \"2%\"\ntier = \"Gold\"\n";

/// The days of the two runs: the first closes two cycles, the second posts corrections to them and closes a third.
const RUNS: [&str; 2] = ["2026-03-06T12:00:00Z", "2026-04-06T12:00:00Z"];

fn workspace() -> Workspace {
    let workspace = Workspace::new(CONFIG);
    workspace.write("schemes/club.toml", SCHEME);
    std::fs::create_dir_all(workspace.path("drop")).expect("a folder can be made");
    workspace
}

/// Some hundreds of invoices of forty partners, and later returns of some of them.
fn drop_files(workspace: &mut Workspace, run: usize) {
    let header = "invoice_no,line_no,doc_type,invoice_date,partner_code,amount,ref_invoice_no\n";
    for file in 0..3 {
        let mut text = header.to_string();
        for i in 0..120 {
            let number = run * 1000 + file * 200 + i;
            let (partner, month) = (number % 40, 1 + (run + number) % 3);
            let amount = 37 * number % 900;
            writeln!(text, "A{number},1,invoice,2026-{month:02}-05,P{partner:02},{amount}.25,")
                .expect("a string");
            if run == 1 && i % 10 == 0 {
                let sold = file * 200 + i;
                let partner = sold % 40;
                writeln!(text, "C{number},1,credit_note,2026-03-09,P{partner:02},5,A{sold}")
                    .expect("a string");
            }
        }
        workspace.drop(&format!("drop/{run}-{file}.csv"), text);
    }
}

/// What must be the same whatever was killed.
#[derive(PartialEq, Eq, Debug)]
struct End {
    ledger: Vec<BTreeMap<String, String>>,
    published: BTreeMap<String, Vec<u8>>,
    archive: Vec<String>,
}

fn end(workspace: &Workspace) -> End {
    let mut ledger = workspace.trial(&["ledger", "--format", "csv"]).check().csv();
    for row in &mut ledger {
        for column in ["posted_at", "run", "hash"] {
            row.remove(column).expect("a column of the ledger");
        }
    }
    let mut published = workspace.tree("var/statements");
    published.retain(|path, _| !path.ends_with("MANIFEST.csv"));
    let archive = workspace.tree("var/archive").into_keys().collect();
    End { ledger, published, archive }
}

/// How long an undisturbed run takes, and what it leaves.
fn undisturbed() -> (Vec<Duration>, End) {
    let mut workspace = workspace();
    let mut times = vec![];
    for (run, day) in RUNS.iter().enumerate() {
        drop_files(&mut workspace, run);
        let start = Instant::now();
        workspace.trial(&["run", "--as-of", day]).check();
        times.push(start.elapsed());
    }
    (times, end(&workspace))
}

/// The first line that differs is told.
fn same_text(found: &[u8], wanted: &[u8]) -> Result<(), String> {
    let (found, wanted) = (String::from_utf8_lossy(found), String::from_utf8_lossy(wanted));
    let mut pairs = found.lines().zip(wanted.lines());
    match pairs.find(|(a, b)| a != b) {
        Some((a, b)) => Err(format!("is      {a}\nmust be {b}")),
        None if found != wanted => Err(format!("{} bytes, not {}", found.len(), wanted.len())),
        None => Ok(()),
    }
}

#[test]
fn a_killed_run_is_finished_by_the_next() {
    let kills = std::env::var("ACCRUED_KILLS").ok().map_or(KILLS, |n| n.parse().expect("a number"));
    let (times, wanted) = undisturbed();
    let mut random = Random::new(9);
    let mut alive = 0;
    let mut killings = 0;
    while killings < kills {
        let mut workspace = workspace();
        let mut story = String::new();
        for (run, day) in RUNS.iter().enumerate() {
            drop_files(&mut workspace, run);
            for _ in 0..1 + random.below(4) {
                let share = u32::try_from(random.below(1000)).expect("a small number");
                let after = times[run] * share / 1000;
                alive += usize::from(workspace.killed(&["run", "--as-of", day], after));
                killings += 1;
                write!(story, "killed the run of {day} after {after:?}; ").expect("a string");
            }
            workspace.trial(&["run", "--as-of", day]).check();
        }
        let found = end(&workspace);
        assert_eq!(found.ledger, wanted.ledger, "the ledger after: {story}");
        assert!(found.archive == wanted.archive, "the archive after: {story}");
        assert_eq!(
            found.published.keys().collect::<Vec<_>>(),
            wanted.published.keys().collect::<Vec<_>>(),
            "{story}"
        );
        for (path, bytes) in &wanted.published {
            same_text(&found.published[path], bytes).unwrap_or_else(|e| panic!("{path} after: {story}\n{e}"));
        }
        workspace.trial(&["verify", "--deep"]).check();
    }
    assert!(alive * 4 > killings, "{alive} of {killings} runs were still alive when they were killed");
}
