//! The benchmarks' generator, small: its export runs through, and what is published adds up to what was generated.

#[path = "../benches/speed/generator.rs"]
mod generator;
#[path = "support/papers.rs"]
mod papers;
#[path = "support/program.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod program;

use program::Workspace;
use rust_decimal::Decimal;

const CONFIG: &str = "data_dir = \"var\"\nschemes_dir = \"schemes\"\n\n[[feed]]\nname = \"sales\"\nkind = \"sales\"\n\
                      url = \"file:drop\"\nfiles = \"*.csv\"\ntimezone = \"Asia/Kolkata\"\nsettle_seconds = 0\n";
const SCHEME: &str = "[scheme]\nid = \"bench\"\nname = \"Bench\"\ncompany = \"Example\"\ncurrency = \"INR\"\n\
                      timezone = \"Asia/Kolkata\"\nstarts = 2026-04-01\n\n[cycle]\nlength = \"quarter\"\n\
                      year_starts = \"april\"\n\n[slabs]\nmode = \"whole\"\n\n[[slab]]\nfrom = \"5 lakh\"\nrate = \"0.2%\"\n";
const ROWS: u64 = 20_000;

fn generated(seed: u64) -> (Vec<u8>, generator::Totals) {
    let mut bytes = Vec::new();
    let totals = generator::export(&mut bytes, ROWS, seed).expect("memory takes it");
    (bytes, totals)
}

#[test]
fn one_seed_gives_one_export() {
    assert_eq!(generated(7), generated(7));
    assert_ne!(generated(7).0, generated(8).0);
}

#[test]
fn an_export_has_everything_that_it_promises() {
    // enough rows for what is rare
    const ROWS: u64 = 200_000;
    let mut bytes = Vec::new();
    let totals = generator::export(&mut bytes, ROWS, 7).expect("memory takes it");
    let mut reader = csv::Reader::from_reader(bytes.as_slice());
    assert_eq!(reader.headers().expect("a header").len(), 14);
    let rows: Vec<csv::StringRecord> = reader.records().map(|row| row.expect("a row")).collect();
    let of_kind = |kind: &str| rows.iter().filter(|row| &row[2] == kind).count() as u64;
    assert_eq!(rows.len() as u64, ROWS);
    assert_eq!(
        (of_kind("credit_note"), of_kind("cancellation")),
        (totals.credit_notes, totals.cancellations)
    );
    assert!(totals.credit_notes > 0 && totals.cancellations > 0 && totals.sent_again > 0);
    let with_offset = rows.iter().filter(|row| row[3].len() > 19).count() as u64;
    assert!((ROWS / 6..ROWS / 4).contains(&with_offset), "{with_offset}");
}

#[test]
fn a_run_over_it_adds_up() {
    let (bytes, totals) = generated(7);
    let mut workspace = Workspace::new(CONFIG);
    workspace.write("schemes/bench.toml", SCHEME);
    workspace.drop("drop/export.csv", bytes);
    workspace.trial(&["run", "--as-of", "2027-04-10T00:00:00Z"]).check();
    let mut lines = 0;
    for (quarter, &expected) in totals.measure.iter().enumerate() {
        let papers =
            papers::closed(&workspace, "bench", &format!("FY2026-27-Q{}", quarter + 1)).expect("closed");
        let measure = |row: &papers::Row| row["measure"].parse::<Decimal>().expect("a measure");
        let sum: Decimal = papers.summary.values().map(measure).sum();
        assert_eq!(sum, Decimal::new(expected, 2), "quarter {}", quarter + 1);
        lines += papers.transactions.len() as u64;
    }
    assert_eq!(lines, totals.lines());
}
