//! The account statements of closed cycles, added up as an auditor would: each begins where the one before has ended, each row
//! is carried on, and together they are the ledger up to the last of them, no entry left out and none twice.

use std::collections::BTreeMap;

use super::compare::millionths;
use super::within::{Books, Entry};
use crate::naive::Judgement;
use crate::naive::number::{self, Frac, show};
use crate::papers::Row;
use crate::program::{Workspace, csv_rows};

/// What a scheme's statements have said so far.
#[derive(Default)]
struct Told {
    /// The balance of each partner.
    balances: BTreeMap<String, Frac>,
    /// The number of the last entry.
    last: usize,
}

/// Whether the statements of every scheme add up to its part of the ledger.
pub fn same_accounts(workspace: &Workspace, books: &Books, judgement: &Judgement) -> Result<(), String> {
    for (id, seen) in &judgement.schemes {
        let mut told = Told::default();
        for (cycle, _) in seen.cycles.iter().filter(|(_, closed)| *closed) {
            let place = format!("var/statements/{id}/{}/statement", cycle.name);
            let tree = workspace.tree(&place);
            let text = tree.get("statement.csv").ok_or_else(|| format!("{place} has no statement.csv"))?;
            told.take(&csv_rows(text)).map_err(|e| format!("{place}: {e}"))?;
            told.is_the_ledger(id, &books.entries).map_err(|e| format!("{place}: {e}"))?;
        }
    }
    Ok(())
}

fn figure(row: &Row, column: &str) -> Result<Frac, String> {
    match row[column].as_str() {
        "" => Ok(number::int(0)),
        text => number::plain(text).ok_or_else(|| format!("{column} of {row:?}")),
    }
}

impl Told {
    fn take(&mut self, rows: &[Row]) -> Result<(), String> {
        let mut open: Option<&str> = None;
        for row in rows {
            let partner = row["partner_code"].as_str();
            let balance = self.balances.entry(partner.to_string()).or_insert_with(|| number::int(0));
            match (row["kind"].as_str(), open) {
                ("opening", None) => open = Some(partner),
                ("closing", Some(of)) if of == partner => open = None,
                (kind, Some(of)) if of == partner && kind != "opening" => {
                    *balance += figure(row, "credit")? - figure(row, "debit")?;
                    let entry = row["entry"].parse().map_err(|e| format!("{e}: {row:?}"))?;
                    self.last = self.last.max(entry);
                }
                _ => return Err(format!("out of place: {row:?}")),
            }
            if *balance != figure(row, "balance")? {
                return Err(format!("{} is the balance at {row:?}", show(balance)));
            }
        }
        open.map_or(Ok(()), |partner| Err(format!("{partner} has no closing row")))
    }

    /// Up to the last entry that a statement names, the ledger holds what the statements say.
    fn is_the_ledger(&self, id: &str, entries: &[Entry]) -> Result<(), String> {
        let mut held: BTreeMap<&str, Frac> = BTreeMap::new();
        for entry in entries.iter().take(self.last).filter(|entry| entry.scheme == id) {
            *held.entry(&entry.partner).or_insert_with(|| number::int(0)) += millionths(entry.points);
        }
        let partners = held.keys().map(|p| (*p).to_string()).chain(self.balances.keys().cloned());
        for partner in partners {
            let zero = number::int(0);
            let (held, told) = (held.get(partner.as_str()), self.balances.get(&partner));
            let (held, told) = (held.unwrap_or(&zero), told.unwrap_or(&zero));
            if held != told {
                return Err(format!(
                    "{partner} has {}, the ledger {} up to entry {}",
                    show(told),
                    show(held),
                    self.last
                ));
            }
        }
        Ok(())
    }
}
