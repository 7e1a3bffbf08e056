//! What the naive evaluator needs to know of accrued.toml: each feed and how to read its files.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use chrono_tz::Tz;
use toml::{Table, Value};

use super::names::Named;
use super::time;

/// One feed's settings (interfaces.md 2).
#[derive(Clone, Debug)]
pub struct Feed {
    pub name: String,
    pub kind: String,
    pub documents: String,
    pub numbers_of_space: bool,
    pub numbers_restart: Option<u32>,
    pub zone: Tz,
    pub delimiter: u8,
    pub decimal_mark: char,
    pub dates: Vec<String>,
    pub notes_signed: bool,
    pub columns: BTreeMap<String, String>,
    pub defaults: BTreeMap<String, String>,
    pub values: BTreeMap<String, BTreeMap<String, String>>,
    pub max_reject_percent: super::number::Frac,
    pub files: String,
    pub replaces: bool,
    pub expected: String,
    /// The last row of a file is TRAILER,rows,sum.
    pub trailer: bool,
    /// A file beside it says rows,sum.
    pub sidecar: bool,
    pub distributors: Vec<Distributor>,
    pub max_void_percent: super::number::Frac,
}

/// One of a feed's `distributors`, and the days on which it lasts.
#[derive(Clone, Debug)]
pub struct Distributor {
    pub code: String,
    pub from: NaiveDate,
    pub to: NaiveDate,
}

impl Feed {
    /// The same for one file: whose it is stands in its name, or there is only one.
    pub fn of_file(&self, named: &Named) -> Feed {
        let mut feed = self.clone();
        let only = self.distributors.first().filter(|_| self.distributors.len() == 1).map(|d| d.code.clone());
        if let Some(code) = named.distributor.clone().or(only) {
            feed.defaults.entry("distributor_code".into()).or_insert(code);
        }
        feed
    }
}

fn distributor(value: &Value) -> Distributor {
    let day = |key: &str, otherwise: NaiveDate| {
        value.get(key).map_or(otherwise, |day| day.to_string().parse().expect("a date"))
    };
    let code = value.as_str().or_else(|| value["code"].as_str()).expect("a code");
    Distributor {
        code: code.into(),
        from: if value.is_str() { NaiveDate::MIN } else { day("from", NaiveDate::MIN) },
        to: if value.is_str() { NaiveDate::MAX } else { day("to", NaiveDate::MAX) },
    }
}

/// Every feed of a config, in its order.
pub fn feeds(config: &str) -> Vec<Feed> {
    let config: Table = config.parse().expect("accrued.toml is TOML");
    let feeds = config["feed"].as_array().expect("[[feed]]");
    feeds.iter().map(|feed| one(feed.as_table().expect("a table"))).collect()
}

fn one(feed: &Table) -> Feed {
    let text = |key: &str, default: &str| {
        feed.get(key).map_or(default.to_string(), |v| v.as_str().expect("text").to_string())
    };
    let empty = Table::new();
    let csv = feed.get("csv").map_or(&empty, |v| v.as_table().expect("a table"));
    let csv_text = |key: &str, default: &str| {
        csv.get(key).map_or(default.to_string(), |v| v.as_str().expect("text").into())
    };
    let name = text("name", "");
    Feed {
        documents: text("documents", &name),
        kind: text("kind", ""),
        numbers_of_space: text("number_scope", "distributor") == "space",
        numbers_restart: feed.get("numbers_restart").map(|m| time::month(m.as_str().expect("text"))),
        zone: text("timezone", "").parse().expect("a zone"),
        delimiter: csv_text("delimiter", ",").as_bytes()[0],
        decimal_mark: csv_text("decimal_mark", ".").chars().next().expect("a mark"),
        dates: csv.get("dates").map_or(vec![], |v| {
            v.as_array().expect("a list").iter().map(|f| f.as_str().expect("text").to_string()).collect()
        }),
        notes_signed: csv_text("credit_notes", "positive-or-negative") == "signed",
        columns: words(feed.get("columns")),
        defaults: words(feed.get("defaults")),
        values: feed.get("values").map_or(BTreeMap::new(), |v| {
            v.as_table().expect("a table").iter().map(|(k, v)| (k.clone(), words(Some(v)))).collect()
        }),
        files: text("files", ""),
        expected: text("expected", "none"),
        trailer: feed.get("totals").is_some_and(|totals| totals["rows"].as_str() == Some("trailer")),
        sidecar: feed.get("totals").is_some_and(|totals| totals["rows"].as_str() != Some("trailer")),
        distributors: feed
            .get("distributors")
            .map_or(vec![], |v| v.as_array().expect("a list").iter().map(distributor).collect()),
        replaces: text("mode", "append") == "replace",
        max_void_percent: super::number::plain(&text("max_void_percent", "5")).expect("a decimal"),
        max_reject_percent: super::number::plain(&text("max_reject_percent", "1")).expect("a decimal"),
        name,
    }
}

fn words(table: Option<&Value>) -> BTreeMap<String, String> {
    table.map_or(BTreeMap::new(), |t| {
        let entries = t.as_table().expect("a table").iter();
        entries.map(|(k, v)| (k.clone(), v.as_str().expect("text").to_string())).collect()
    })
}
