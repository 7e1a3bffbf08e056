//! The scheme file, read by hand: nothing is checked here, a bad scheme is the product's to refuse.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Duration, NaiveDate, NaiveTime};
use chrono_tz::Tz;
use num_traits::{One, Zero};
use toml::{Table, Value};

use super::number::{self, Frac};
use super::time::{self, Calendar, Cycle};

/// One version of a scheme (one file).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scheme {
    pub id: String,
    pub currency: String,
    pub zone: Tz,
    pub starts: NaiveDate,
    pub ends: Option<NaiveDate>,
    pub calendar: Calendar,
    pub day_closes_at: NaiveTime,
    pub continuous: bool,
    pub grace_days: i64,
    pub waits_for_files: bool,
    pub lock_after_days: Option<i64>,
    pub by_quantity: bool,
    pub on_payment: bool,
    pub payment_tolerance: Frac,
    pub statuses: Vec<String>,
    pub return_statuses: Vec<String>,
    pub channels: Vec<String>,
    pub partner_classes: Vec<String>,
    pub payment_methods: Vec<String>,
    pub currencies: Vec<String>,
    pub exclude_skus: Vec<String>,
    pub only_skus: Vec<String>,
    pub exclude_categories: Vec<String>,
    pub only_categories: Vec<String>,
    pub unlisted_skus: String,
    pub unlisted_partners: String,
    pub returns_at_original: bool,
    pub marginal: bool,
    pub slabs: Vec<Slab>,
    pub multiply_all: bool,
    pub multipliers: Vec<Multiplier>,
    pub bonuses: Vec<(String, Frac)>,
    pub ladder: Vec<(String, Frac)>,
    pub tier_window: String,
    pub tier_applies: String,
    pub cap_cycle: Option<Frac>,
    pub cap_invoice: Option<Frac>,
    pub cap_sku: Option<Frac>,
    pub limit: Option<Frac>,
    pub rounding: String,
    pub round_lines: bool,
    pub decimals: u32,
}

/// The versions of a scheme as a run goes by them (evaluation.md 4).
#[derive(Clone, Debug)]
pub struct Rules {
    /// In order of their dates, as the files say today.
    pub versions: Vec<Scheme>,
    /// What each closed cycle was closed with, by its name.
    pub closed: BTreeMap<String, Scheme>,
    /// Closed cycles that a person lets go by what its file said in the last run.
    pub adopted: BTreeSet<String>,
}

impl Rules {
    /// Of a scheme that has closed nothing.
    pub fn of(versions: &[Scheme]) -> Rules {
        Rules { versions: versions.to_vec(), closed: BTreeMap::new(), adopted: BTreeSet::new() }
    }

    pub fn first(&self) -> &Scheme {
        &self.versions[0]
    }

    pub fn last(&self) -> &Scheme {
        self.versions.last().expect("a version")
    }

    /// What a closed cycle was closed with; else the version in force on the cycle's first day, or the first that comes
    /// into force in it.
    pub fn of_cycle(&self, cycle: &Cycle) -> &Scheme {
        self.closed.get(&cycle.name).unwrap_or_else(|| self.today(cycle))
    }

    fn today(&self, cycle: &Cycle) -> &Scheme {
        self.versions.iter().rev().find(|v| v.starts <= cycle.first).unwrap_or(self.first())
    }

    /// As the next run goes by them: what was adopted is what a person has seen, not what was written since.
    pub fn next(&self, versions: &[Scheme]) -> Rules {
        let mut next = Rules { closed: self.closed.clone(), ..Rules::of(versions) };
        for name in &self.adopted {
            let first = self.cycle_named(name);
            if let Some(cycle) = first.filter(|cycle| self.today(cycle) == next.today(cycle)) {
                next.closed.remove(&cycle.name);
            }
        }
        next
    }

    /// The same for a cycle by its name.
    pub fn of_cycle_named(&self, name: &str) -> Option<&Scheme> {
        Some(self.of_cycle(&self.cycle_named(name)?))
    }

    fn cycle_named(&self, name: &str) -> Option<Cycle> {
        let mut cycle = self.first().calendar.cycle_of(self.first().starts);
        for _ in 0..1000 {
            if cycle.name == name {
                return Some(cycle);
            }
            cycle = self.first().calendar.cycle_of(cycle.last + Duration::days(1));
        }
        None
    }

    /// The version a day goes by: that of its cycle.
    pub fn of_day(&self, day: NaiveDate) -> &Scheme {
        self.of_cycle(&self.first().calendar.cycle_of(day))
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slab {
    pub from: Frac,
    pub to: Option<Frac>,
    pub rate: Rate,
    pub points: Frac,
    pub tier: Option<String>,
    pub cap: Option<Frac>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rate {
    Times(Frac),
    PerFull { points: Frac, step: Frac },
}

impl Rate {
    pub fn of(&self, x: &Frac) -> Frac {
        match self {
            Rate::Times(rate) => x * rate,
            Rate::PerFull { points, step } => (x / step).floor() * points,
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Multiplier {
    pub skus: Vec<String>,
    pub categories: Vec<String>,
    pub channels: Vec<String>,
    pub tiers: Vec<String>,
    pub from: Option<NaiveDate>,
    pub to: Option<NaiveDate>,
    pub factor: Frac,
}

/// One section of the file, with what to take where a key is absent.
struct Section(Table);

impl Section {
    fn text(&self, key: &str, default: &str) -> String {
        self.0.get(key).map_or(default.to_string(), |v| v.as_str().expect("text").to_string())
    }
    fn list(&self, key: &str) -> Vec<String> {
        let list = self.0.get(key).map_or(vec![], |v| v.as_array().expect("a list").clone());
        list.iter().map(|v| v.as_str().expect("text").to_string()).collect()
    }
    fn number(&self, key: &str) -> Option<Frac> {
        self.0.get(key).map(number::in_scheme)
    }
    fn whole(&self, key: &str, default: i64) -> i64 {
        self.0.get(key).map_or(default, |v| v.as_integer().expect("an integer"))
    }
    /// Absent is yes.
    fn yes(&self, key: &str) -> bool {
        self.0.get(key).is_none_or(|v| v.as_bool().expect("true or false"))
    }
    fn date(&self, key: &str) -> Option<NaiveDate> {
        self.0.get(key).map(|v| v.to_string().parse().expect("a date"))
    }
}

/// Reads one scheme file.
pub fn read(text: &str) -> Scheme {
    let file: Table = text.parse().expect("a scheme is TOML");
    let section = |name: &str| Section(file.get(name).map_or(Table::new(), table));
    let each = |name: &str| -> Vec<Section> {
        let list = file.get(name).map_or(vec![], |v| v.as_array().expect("a list of tables").clone());
        list.iter().map(|v| Section(table(v))).collect()
    };
    let (scheme, cycle, earn) = (section("scheme"), section("cycle"), section("earn"));
    let (tier, cap, points) = (section("tier"), section("cap"), section("points"));
    Scheme {
        id: scheme.text("id", ""),
        currency: scheme.text("currency", ""),
        zone: scheme.text("timezone", "").parse().expect("a zone"),
        starts: scheme.date("starts").expect("starts"),
        ends: scheme.date("ends"),
        calendar: Calendar {
            months: match cycle.text("length", "").as_str() {
                "month" => 1,
                "quarter" => 3,
                "half-year" => 6,
                "year" => 12,
                other => panic!("no cycle is {other} long"),
            },
            year_starts: time::month(&cycle.text("year_starts", "january")),
        },
        day_closes_at: NaiveTime::parse_from_str(&cycle.text("day_closes_at", "00:00"), "%H:%M")
            .expect("a time"),
        continuous: cycle.text("post", "at-close") == "continuous",
        grace_days: cycle.whole("grace_days", 0),
        waits_for_files: cycle.yes("wait_for_files"),
        lock_after_days: cycle.0.get("lock_after_days").map(|v| v.as_integer().expect("an integer")),
        by_quantity: earn.text("measure", "amount") == "quantity",
        on_payment: earn.text("on", "invoice") == "payment",
        payment_tolerance: earn.number("payment_tolerance").unwrap_or_else(Frac::zero),
        statuses: earn.list("statuses"),
        return_statuses: earn.list("return_statuses"),
        channels: earn.list("channels"),
        partner_classes: earn.list("partner_classes"),
        payment_methods: earn.list("payment_methods"),
        currencies: earn.list("currencies"),
        exclude_skus: earn.list("exclude_skus"),
        only_skus: earn.list("only_skus"),
        exclude_categories: earn.list("exclude_categories"),
        only_categories: earn.list("only_categories"),
        unlisted_skus: earn.text("unlisted_skus", "earn"),
        unlisted_partners: earn.text("unlisted_partners", "hold"),
        returns_at_original: earn.text("returns", "original-cycle") == "original-cycle",
        marginal: section("slabs").text("mode", "") == "marginal",
        slabs: slabs(&each("slab")),
        multiply_all: section("multipliers").text("stacking", "highest") == "product",
        multipliers: each("multiplier").iter().map(multiplier).collect(),
        bonuses: each("tier_bonus")
            .iter()
            .map(|b| (b.text("tier", ""), number::percent(&b.text("percent", ""))))
            .collect(),
        ladder: each("tier_level")
            .iter()
            .map(|l| (l.text("name", ""), l.number("from").expect("from")))
            .collect(),
        tier_window: tier.text("measured_over", "cycle"),
        tier_applies: tier.text("applies", "retroactive"),
        cap_cycle: cap.number("per_cycle"),
        cap_invoice: cap.number("per_invoice"),
        cap_sku: cap.number("per_sku"),
        limit: section("limits").number("accrual"),
        rounding: points.text("rounding", "floor"),
        round_lines: points.text("round_at", "cycle") == "line",
        decimals: points.whole("decimals", 0) as u32,
    }
}

fn table(value: &Value) -> Table {
    value.as_table().expect("a table").clone()
}

fn slabs(sections: &[Section]) -> Vec<Slab> {
    let from = |s: &Section| s.number("from").expect("from");
    let mut slabs: Vec<Slab> = sections
        .iter()
        .map(|s| Slab {
            from: from(s),
            to: s.number("to"),
            rate: s.0.get("rate").map_or(Rate::Times(Frac::zero()), |r| rate(r.as_str().expect("text"))),
            points: s.number("points").unwrap_or_else(Frac::zero),
            tier: s.0.get("tier").map(|t| t.as_str().expect("text").to_string()),
            cap: s.number("cap"),
        })
        .collect();
    slabs.sort_by(|a, b| a.from.cmp(&b.from));
    for i in 1..slabs.len() {
        let next = slabs[i].from.clone();
        slabs[i - 1].to.get_or_insert(next);
    }
    slabs
}

fn rate(text: &str) -> Rate {
    if text.ends_with('%') {
        return Rate::Times(number::percent(text));
    }
    let (points, step) = text.split_once(" per ").expect("N% or N per M");
    let points = number::plain(points.trim()).expect("a decimal");
    let of = |step: &str| number::in_scheme(&Value::String(step.to_string()));
    match step.trim().strip_prefix("full ") {
        Some(step) => Rate::PerFull { points, step: of(step) },
        None => Rate::Times(points / of(step)),
    }
}

fn multiplier(section: &Section) -> Multiplier {
    Multiplier {
        skus: section.list("skus"),
        categories: section.list("categories"),
        channels: section.list("channels"),
        tiers: section.list("tiers"),
        from: section.date("from"),
        to: section.date("to"),
        factor: section.number("factor").unwrap_or_else(Frac::one),
    }
}
