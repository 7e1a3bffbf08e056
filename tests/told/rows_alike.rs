//! Rows alike, without line numbers: what comes again with more of them is more, with fewer is held. Never one, never five.

use crate::CONFIG;
use crate::program::Workspace;

const SCHEME: &str = include_str!("../stories/two-identical-rows/schemes/club.toml");
const ROW: &str = "INV/7,2026-04-10,P,X,1000\n";

fn export(rows: usize, more: &str) -> String {
    format!("invoice_no,invoice_date,partner_code,sku,amount\n{}{more}", ROW.repeat(rows))
}

/// Points of April after these files, each in a run of its own.
fn points(config: &str, files: &[(&str, String)]) -> String {
    let mut workspace = Workspace::new(config);
    workspace.write("schemes/club.toml", SCHEME);
    for (name, text) in files {
        workspace.drop(&format!("drop/sales/{name}"), text);
        let outcome = workspace.accrued(&["run", "--as-of", "2026-05-07"]);
        assert!(matches!(outcome.status, 0 | 3), "{}", outcome.whole());
    }
    workspace.trial(&["verify"]).check();
    let row = &workspace.trial(&["balances", "--format", "csv"]).check().csv()[0];
    row["accumulated"].clone()
}

#[test]
fn the_full_day_and_then_a_part_of_it_is_the_full_day() {
    let full = ("full.csv", export(3, "INV/8,2026-04-10,P,X,500\n"));
    let part = ("part.csv", export(2, ""));
    let same = ("same.csv", export(3, "\n"));
    assert_eq!(points(CONFIG, &[full.clone(), part.clone()]), "35");
    assert_eq!(points(CONFIG, &[part.clone(), full.clone()]), "35");
    assert_eq!(points(CONFIG, &[part, full.clone(), same]), "35");
}

#[test]
fn rows_alike_of_one_line_number_are_one() {
    let lines = "A,1,2026-04-10,P,1000\n".repeat(3) + "A,2,2026-04-10,P,1000\n";
    let text = format!("invoice_no,line_no,invoice_date,partner_code,amount\n{lines}");
    assert_eq!(points(CONFIG, &[("a.csv", text)]), "20");
}
