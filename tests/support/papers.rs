//! The working papers of a cycle as they are in force: for each partner the latest revision that has them.

use std::collections::BTreeMap;

use crate::program::{Workspace, csv_rows};

pub type Row = BTreeMap<String, String>;

#[derive(Debug, Default)]
pub struct Papers {
    /// summary.csv by partner.
    pub summary: BTreeMap<String, Row>,
    /// The rows of transactions.csv.
    pub transactions: Vec<Row>,
}

/// The papers of a closed cycle.
pub fn closed(workspace: &Workspace, scheme: &str, cycle: &str) -> Result<Papers, String> {
    let folder = format!("var/statements/{scheme}/{cycle}");
    let tree = workspace.tree(&folder);
    let mut papers = Papers::default();
    let mut revision = 1;
    loop {
        let file = |name: &str| tree.get(&format!("rev-{revision:03}/{name}"));
        let Some(summary) = file("summary.csv") else { break };
        let transactions =
            file("transactions.csv").ok_or(format!("{folder}/rev-{revision:03}: no transactions"))?;
        let summary = csv_rows(summary);
        let revised: Vec<&String> = summary.iter().map(|r| &r["partner_code"]).collect();
        papers.transactions.retain(|r| !revised.contains(&&r["partner_code"]));
        papers.transactions.extend(csv_rows(transactions));
        papers.summary.extend(summary.iter().map(|r| (r["partner_code"].clone(), r.clone())));
        revision += 1;
    }
    if revision == 1 {
        return Err(format!("{folder} has no rev-001: {:?}", tree.keys()));
    }
    Ok(papers)
}
