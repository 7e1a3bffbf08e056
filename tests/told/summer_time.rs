//! Nine instants in New York across the change to summer time of 2023 (12 March): three in March, four in April, two in
//! May, however they are written and whichever month the first run was in.

use crate::papers;
use crate::program::Workspace;

/// By the clock on the wall, with the offset that it had from UTC in hours.
const LOCAL: [(&str, i64); 9] = [
    ("2023-03-01T04:00:00", -5),
    ("2023-03-15T00:00:00", -4),
    ("2023-03-31T23:59:00", -4),
    ("2023-04-01T00:00:00", -4),
    ("2023-04-01T00:01:00", -4),
    ("2023-04-15T00:00:00", -4),
    ("2023-04-30T23:59:00", -4),
    ("2023-05-01T00:00:00", -4),
    ("2023-05-01T00:01:00", -4),
];

const SCHEME: &str = "[scheme]\nid = \"club\"\nname = \"Club\"\ncompany = \"Example\"\ncurrency = \"USD\"\n\
                      timezone = \"America/New_York\"\nstarts = 2023-01-01\n[cycle]\nlength = \"month\"\n[slabs]\n\
                      mode = \"whole\"\n[[slab]]\nfrom = 0\nrate = \"1%\"\n";

/// How a feed writes its instants.
#[derive(Clone, Copy, Debug)]
enum Written {
    WithOffset,
    InUtc,
    LocalTime,
}

fn cell(written: Written, local: &str, offset: i64) -> String {
    match written {
        Written::WithOffset => format!("{local}-{:02}:00", -offset),
        Written::InUtc => {
            let local: chrono::NaiveDateTime = local.parse().expect("a local time");
            format!("{}Z", (local - chrono::Duration::hours(offset)).format("%Y-%m-%dT%H:%M:%S"))
        }
        Written::LocalTime => local.to_string(),
    }
}

fn workspace(written: Written) -> Workspace {
    let mut workspace = Workspace::new(
        "[[feed]]\nname = \"sales\"\nkind = \"sales\"\nurl = \"file:drop\"\nfiles = \"*.csv\"\n\
         timezone = \"America/New_York\"\nsettle_seconds = 0\n",
    );
    workspace.write("schemes/club.toml", SCHEME);
    let rows = LOCAL
        .iter()
        .enumerate()
        .map(|(i, (local, offset))| format!("A{i},1,{},P,{}\n", cell(written, local, *offset), 100 << i));
    let rows: String = rows.collect();
    workspace.drop("drop/all.csv", format!("invoice_no,line_no,invoice_date,partner_code,amount\n{rows}"));
    workspace
}

fn counting(workspace: &Workspace, cycle: &str) -> Vec<String> {
    let papers = papers::closed(workspace, "club", cycle).expect("the cycle has closed");
    let rows = papers.transactions.iter().filter(|row| row["counts"] == "yes");
    rows.map(|row| row["invoice_no"].clone()).collect()
}

#[test]
fn nine_instants_in_new_york_are_three_four_and_two() {
    for written in [Written::WithOffset, Written::InUtc, Written::LocalTime] {
        for first in ["2023-03-20T12:00:00Z", "2023-04-20T12:00:00Z", "2023-05-20T12:00:00Z"] {
            let workspace = workspace(written);
            let outcome = workspace.accrued(&["run", "--as-of", first]);
            assert!(matches!(outcome.status, 0 | 3), "{}", outcome.whole());
            for day in ["2023-04-01T04:00:00Z", "2023-05-01T04:00:00Z", "2023-06-02T00:00:00Z"] {
                if day > first {
                    let outcome = workspace.accrued(&["run", "--as-of", day]);
                    assert!(matches!(outcome.status, 0 | 3), "{}", outcome.whole());
                }
            }
            let told = format!("{written:?}, first run {first}");
            assert_eq!(counting(&workspace, "2023-03"), ["A0", "A1", "A2"], "{told}");
            assert_eq!(counting(&workspace, "2023-04"), ["A3", "A4", "A5", "A6"], "{told}");
            assert_eq!(counting(&workspace, "2023-05"), ["A7", "A8"], "{told}");
            let ledger = workspace.trial(&["ledger", "--format", "csv"]).check().csv();
            let points: i64 = ledger.iter().map(|row| row["points"].parse::<i64>().expect("whole")).sum();
            assert_eq!(points, 511, "{told}: {ledger:?}");
        }
    }
}
