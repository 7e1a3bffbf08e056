//! Two stores held against each other, row by row: a store and what the journal and the archive give when they are replayed.
//!
//! Answers for: every table but those that tell of looks at folders and of news for the next run. Walks both in one order and
//! keeps one row of each: memory does not grow with them. Does not: know why they differ.

use super::Store;
use crate::domain::points::Points;
use anyhow::Result;
use rusqlite::types::Value;
use rusqlite::{Rows, Statement};
use std::cmp::Ordering;

/// Tables that no journal record makes: names seen and told of, partners with news, how the store came to its form, what is told
/// outside.
const NOT_COMPARED: [&str; 8] =
    ["sighting", "passed", "missing", "stale", "stale_code", "migration", "tally", "measured"];

/// Tables worked out from the others: in a store whose last run was killed they wait for the next.
const WORKED_OUT: [&str; 6] = ["position", "waking", "evaluated", "hold", "fx_asked", "sku_sketch"];

/// Tables whose rows are told apart by something else than their primary key, with columns that may differ.
const KEYS: [(&str, &[&str], &[&str]); 5] = [
    ("bundle", &["partner", "seq", "chunk"], &["id"]),
    ("reject", &["seq", "line", "reason"], &["id"]),
    // a run that was killed may have opened one at an earlier record
    ("hold", &["kind", "subject"], &["id", "opened", "ended"]),
    ("publication", &["seq"], &["staging", "placed"]),
    ("position", &["scheme", "partner", "cycle"], &["settled", "run"]),
];

/// Most differences told of one table.
const TOLD: usize = 10;

/// Which tables are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compared {
    /// all
    All,
    /// without what the next run works out again
    Recorded,
}

/// What differs in one table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Differences {
    /// its name
    pub table: String,
    /// rows that differ, are gone or are too many
    pub rows: u64,
    /// the first of them, in words
    pub told: Vec<String>,
}

/// One table as it is walked.
struct Table {
    name: String,
    columns: Vec<String>,
    /// how many of the columns tell rows apart
    keys: usize,
    /// what puts rows of one key in order
    then: &'static str,
}

impl Store {
    /// What this store has and another has not, table by table; nothing where they are alike.
    pub fn differences(&self, replayed: &Store, compared: Compared) -> Result<Vec<Differences>> {
        let mut found = Vec::new();
        for table in self.tables(compared)? {
            let differences = self.compare(replayed, &table)?;
            if differences.rows > 0 {
                found.push(differences);
            }
        }
        Ok(found)
    }

    fn tables(&self, compared: Compared) -> Result<Vec<Table>> {
        let mut select = self.connection.prepare(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY rootpage",
        )?;
        let names: Vec<String> = select.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
        let wanted = |name: &&String| {
            let worked_out = WORKED_OUT.contains(&name.as_str());
            !NOT_COMPARED.contains(&name.as_str()) && (compared == Compared::All || !worked_out)
        };
        names.iter().filter(wanted).map(|name| self.table(name)).collect()
    }

    fn table(&self, name: &str) -> Result<Table> {
        let mut select =
            self.connection.prepare("SELECT name, pk FROM pragma_table_info(?1) ORDER BY cid")?;
        let all: Vec<(String, i64)> = select
            .query_map([name], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<rusqlite::Result<_>>()?;
        let special = KEYS.iter().find(|(table, _, _)| *table == name);
        let mut columns: Vec<String> = match special {
            Some((_, keys, _)) => keys.iter().map(|&key| key.to_owned()).collect(),
            None => {
                let mut keys: Vec<&(String, i64)> = all.iter().filter(|(_, pk)| *pk > 0).collect();
                keys.sort_by_key(|(_, pk)| *pk);
                keys.into_iter().map(|(key, _)| key.clone()).collect()
            }
        };
        if columns.is_empty() {
            columns = all.iter().map(|(column, _)| column.clone()).collect();
        }
        let keys = columns.len();
        let left_out = special.map_or(&[][..], |(_, _, left_out)| *left_out);
        for (column, _) in &all {
            if !columns.contains(column) && !left_out.contains(&column.as_str()) {
                columns.push(column.clone());
            }
        }
        let then = if left_out.contains(&"id") { ", id" } else { "" };
        Ok(Table { name: name.to_owned(), columns, keys, then })
    }

    fn compare(&self, replayed: &Store, table: &Table) -> Result<Differences> {
        let (mut ours, mut theirs) = (self.walk(table)?, replayed.walk(table)?);
        let (mut ours, mut theirs) = (ours.query([])?, theirs.query([])?);
        let mut found = Differences { table: table.name.clone(), ..Differences::default() };
        let (mut one, mut other) = (table.next(&mut ours)?, table.next(&mut theirs)?);
        loop {
            let order = match (&one, &other) {
                (None, None) => return Ok(found),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(one), Some(other)) => table.order(one, other),
            };
            match order {
                Ordering::Less => {
                    found.note(|| {
                        format!("{} is not what the journal and the archive give", table.tell(&one))
                    });
                    one = table.next(&mut ours)?;
                }
                Ordering::Greater => {
                    found.note(|| format!("{} is gone", table.tell(&other)));
                    other = table.next(&mut theirs)?;
                }
                Ordering::Equal => {
                    if one != other {
                        found.note(|| table.difference(&one, &other));
                    }
                    one = table.next(&mut ours)?;
                    other = table.next(&mut theirs)?;
                }
            }
        }
    }

    fn walk(&self, table: &Table) -> Result<Statement<'_>> {
        let quoted = |columns: &[String]| {
            columns.iter().map(|column| format!("\"{column}\"")).collect::<Vec<_>>().join(", ")
        };
        let sql = format!(
            "SELECT {} FROM \"{}\" ORDER BY {}{}",
            quoted(&table.columns),
            table.name,
            quoted(&table.columns[..table.keys]),
            table.then
        );
        Ok(self.connection.prepare(&sql)?)
    }
}

impl Differences {
    fn note(&mut self, words: impl FnOnce() -> String) {
        self.rows += 1;
        if self.told.len() < TOLD {
            self.told.push(words());
        }
    }
}

type Cells = Vec<Value>;

impl Table {
    fn next(&self, rows: &mut Rows<'_>) -> Result<Option<Cells>> {
        let Some(row) = rows.next()? else { return Ok(None) };
        let cells = (0..self.columns.len()).map(|at| row.get(at)).collect::<rusqlite::Result<_>>()?;
        Ok(Some(cells))
    }

    fn order(&self, one: &Cells, other: &Cells) -> Ordering {
        let pairs = one.iter().zip(other).take(self.keys);
        pairs.map(|(one, other)| order(one, other)).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
    }

    /// `position: scheme club, cycle 24312, partner P1`
    fn tell(&self, cells: &Option<Cells>) -> String {
        let cells = cells.iter().flatten().take(self.keys);
        let keys: Vec<String> = self
            .columns
            .iter()
            .zip(cells)
            .filter(|(_, cell)| !matches!(cell, Value::Blob(_)))
            .map(|(column, cell)| format!("{column} {}", shown(column, cell)))
            .collect();
        format!("{}: {}", self.name, keys.join(", "))
    }

    /// The first columns that differ, with both values. A chain hash that differs follows from another column, or from the row before.
    fn difference(&self, one: &Option<Cells>, other: &Option<Cells>) -> String {
        let (Some(ours), Some(theirs)) = (one, other) else { return self.tell(one) };
        let differing: Vec<String> = self
            .columns
            .iter()
            .zip(ours.iter().zip(theirs))
            .filter(|(_, (one, other))| one != other)
            .map(|(column, (one, other))| match (one, other) {
                (Value::Blob(_), _) | (_, Value::Blob(_)) => format!("another {column}"),
                (one, other) => {
                    format!("{column} {}, replayed it is {}", shown(column, one), shown(column, other))
                }
            })
            .collect();
        format!("{} has {}", self.tell(one), differing.join("; "))
    }
}

/// As SQLite orders values: nothing, numbers, texts, bytes.
fn order(one: &Value, other: &Value) -> Ordering {
    let class = |value: &Value| match value {
        Value::Null => 0,
        Value::Integer(_) | Value::Real(_) => 1,
        Value::Text(_) => 2,
        Value::Blob(_) => 3,
    };
    match (one, other) {
        (Value::Integer(one), Value::Integer(other)) => one.cmp(other),
        (Value::Text(one), Value::Text(other)) => one.cmp(other),
        (Value::Blob(one), Value::Blob(other)) => one.cmp(other),
        (one, other) => class(one).cmp(&class(other)),
    }
}

/// Most characters of a text that are shown.
const SHOWN: usize = 120;

fn shown(column: &str, value: &Value) -> String {
    match (column, value) {
        (_, Value::Null) => "nothing".to_owned(),
        ("points" | "held", Value::Integer(points)) => Points(*points).to_string(),
        (_, Value::Integer(number)) => number.to_string(),
        (_, Value::Real(number)) => number.to_string(),
        (_, Value::Text(text)) if text.chars().count() > SHOWN => {
            format!("{:?}...", text.chars().take(SHOWN).collect::<String>())
        }
        (_, Value::Text(text)) => format!("{text:?}"),
        (_, Value::Blob(bytes)) => format!("{} bytes", bytes.len()),
    }
}
