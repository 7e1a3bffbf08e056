//! Every entry of the ledger, explained: the figures of `explain --entry` must be those that were posted then.

use std::collections::BTreeMap;

use crate::program::Workspace;

/// Points as integers of their millionths: `-12.5` is `-12500000`.
fn millionths(cell: &str) -> i64 {
    let (sign, digits) = cell.strip_prefix('-').map_or((1, cell), |digits| (-1, digits));
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let part = format!("{part:0<6}");
    sign * (whole.parse::<i64>().expect("whole points") * 1_000_000 + part.parse::<i64>().expect("decimals"))
}

/// What is wrong with the first entry that is not explained as it was posted.
pub fn every_entry(workspace: &Workspace) -> Result<usize, String> {
    let ledger = workspace.accrued(&["ledger", "--format", "csv"]);
    let mut before: BTreeMap<(String, String, String), i64> = BTreeMap::new();
    let mut explained = 0;
    for entry in ledger.csv() {
        if !matches!(entry["kind"].as_str(), "accrual" | "correction") {
            continue;
        }
        let (scheme, cycle, partner) = (&entry["scheme"], &entry["cycle"], &entry["partner_code"]);
        let sum = before.entry((scheme.clone(), cycle.clone(), partner.clone())).or_default();
        let number = entry["entry"].as_str();
        let args =
            ["explain", partner, "--scheme", scheme, "--cycle", cycle, "--entry", number, "--format", "csv"];
        let told = workspace.accrued(&args);
        let wrong =
            |why: &str| Err(format!("entry {number} of {}: {why}\n{}", entry["points"], told.whole()));
        if told.status != 0 || told.stderr.contains("note:") {
            return wrong("cannot be explained");
        }
        let rows = told.csv();
        let row = |section: &str| rows.iter().find(|row| row["section"] == section).ok_or("a row is missing");
        let (position, difference) = (row("position")?, row("difference")?);
        let held = difference["working"].split(" - ").nth(1).and_then(|part| part.strip_suffix(" held"));
        let due = millionths(&position["points"]) - millionths(held.ok_or("held is not told")?);
        let points = millionths(&entry["points"]);
        if due - *sum != points || millionths(&difference["points"]) != points {
            return wrong(&format!("{due} was due, {sum} was posted before"));
        }
        *sum += points;
        explained += 1;
    }
    Ok(explained)
}
