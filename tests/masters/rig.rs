//! A scheme of months from January 2026 at 1%, and what a run made of it.

use crate::support::program::{Outcome, Workspace};
use std::collections::BTreeMap;

const HEAD: &str = "[scheme]\nid = \"club\"\nname = \"Club\"\ncompany = \"Example\"\ncurrency = \"INR\"\n\
                    timezone = \"Asia/Kolkata\"\nstarts = 2026-01-01\n[cycle]\nlength = \"month\"\npost = \"continuous\"\n";
const SLABS: &str = "[points]\ndecimals = 2\n[slabs]\nmode = \"whole\"\n[[slab]]\nfrom = 0\nrate = \"1%\"\n";

pub const SALES: &str = "invoice_no,line_no,invoice_date,partner_code,amount,currency\n";

/// A feed of each kind in `drop/KIND`, and a scheme with these further rules.
pub fn workspace(kinds: &[&str], rules: &str) -> Workspace {
    let feeds: String = kinds.iter().map(|kind| feed(kind, kind, "")).collect();
    let workspace = Workspace::new(&feeds);
    workspace.write("schemes/club.toml", scheme(rules));
    for kind in kinds {
        std::fs::create_dir_all(workspace.path(&format!("drop/{kind}"))).expect("a folder can be made");
    }
    workspace
}

pub fn scheme(rules: &str) -> String {
    format!("{HEAD}{rules}{SLABS}")
}

/// The same, posting when a cycle closes: nobody is evaluated but for news.
pub fn at_close(rules: &str) -> String {
    scheme(rules).replace("post = \"continuous\"\n", "")
}

pub fn feed(name: &str, kind: &str, more: &str) -> String {
    format!(
        "[[feed]]\nname = \"{name}\"\nkind = \"{kind}\"\nurl = \"file:drop/{name}\"\nfiles = \"*.csv\"\n\
         timezone = \"Asia/Kolkata\"\nsettle_seconds = 0\n{more}"
    )
}

/// Runs, and lets the store prove itself.
pub fn run(workspace: &Workspace, day: &str, status: i32) -> Outcome {
    let outcome = workspace.trial(&["run", "--as-of", day]).status(status).check();
    workspace.trial(&["verify"]).check();
    outcome
}

/// Every line: `invoice: counts why_not scheme_amount`.
pub fn lines(workspace: &Workspace) -> Vec<String> {
    let rows = workspace.trial(&["lines", "--format", "csv"]).check().csv();
    let told = |row: &BTreeMap<String, String>| {
        format!(
            "{} {}: {} {} {}",
            row["partner_code"], row["invoice_no"], row["counts"], row["why_not"], row["scheme_amount"]
        )
    };
    rows.iter().map(told).collect()
}

/// What every partner has accumulated.
pub fn balances(workspace: &Workspace) -> BTreeMap<String, String> {
    let rows = workspace.trial(&["balances", "--format", "csv"]).check().csv();
    rows.iter().map(|row| (row["partner_code"].clone(), row["accumulated"].clone())).collect()
}

/// What waits: `kind partner amount detail`.
pub fn holds(workspace: &Workspace) -> Vec<String> {
    let rows = workspace.trial(&["holds", "--format", "csv"]).check().csv();
    rows.iter()
        .map(|row| format!("{} {} {} {}", row["kind"], row["partner_code"], row["lines"], row["amount"]))
        .collect()
}

/// How many partners a run evaluated.
pub fn evaluated(outcome: &Outcome) -> u64 {
    let line = outcome.stdout.lines().find(|line| line.starts_with("evaluated")).expect("a summary");
    line.split_whitespace().nth(1).and_then(|count| count.parse().ok()).expect("a number")
}
