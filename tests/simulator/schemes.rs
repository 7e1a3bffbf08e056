//! Random schemes that `accrued check` accepts.

use chrono::NaiveDate;

use super::plan::SchemePlan;
use crate::random::{Random, often, raised};

pub const ZONES: [&str; 8] = [
    "Asia/Kolkata",
    "Asia/Kuala_Lumpur",
    "America/New_York",
    "Europe/London",
    "Australia/Lord_Howe",
    "Africa/Cairo",
    "Asia/Beirut",
    "Asia/Gaza",
];

/// Thresholds that the amounts of the rows are made to meet to the paisa.
pub const THRESHOLDS: [&str; 4] = ["500", "1000", "2500.50", "6000"];

const RATES: [&str; 10] = [
    "1%",
    "0.2%",
    "2.5%",
    "5 per 10",
    "1 per 3",
    "5 per full 10",
    "1 per full 7",
    "0.333%",
    "0.7 per 3",
    "2 per full 2.5",
];

const CONTINUOUS: &str = "post = \"continuous\"\n";

const LENGTHS: [&str; 6] = ["month", "month", "quarter", "half-year", "year", "quarter"];

const YEARS: [&str; 6] = ["january", "april", "february", "march", "july", "october"];

const TIERS: [&str; 3] = ["Silver", "Gold", "Platinum"];

/// The schemes of a history: one or two, the first of them at times in two versions.
pub fn schemes(r: &mut Random, payments: bool) -> Vec<SchemePlan> {
    let head = Head::random(r, "s1");
    let mut schemes = if r.chance(often(20, 45)) { versions(r, &head) } else { vec![scheme(r, "s1", &head)] };
    if r.chance(often(20, 30)) {
        let head = Head::random(r, "s2");
        schemes.push(scheme(r, "s2", &head));
    }
    if payments {
        let on = r.pick(&["on = \"payment\"\n", "on = \"payment\"\npayment_tolerance = \"1\"\n"]);
        schemes.iter_mut().for_each(|s| s.sections[0].push_str(on));
    }
    schemes
}

/// One scheme, whose returns reduce the cycle of their invoice.
pub fn of_original_cycles(r: &mut Random) -> SchemePlan {
    let head = Head::random(r, "s1");
    let mut plan = scheme(r, "s1", &head);
    same_returns(&[], &mut plan.sections);
    // nor does a lock hold what a return takes away
    plan.head =
        plan.head.lines().filter(|l| !l.starts_with("lock_after")).map(|l| format!("{l}\n")).collect();
    plan
}

/// Two versions of a scheme with touching dates. What a shortfall or a return in one means to the other is left
/// open by evaluation.md: both say the same of returns.
fn versions(r: &mut Random, head: &Head) -> Vec<SchemePlan> {
    let (ends, starts) =
        *r.pick(&[("2026-03-31", "2026-04-01"), ("2026-02-28", "2026-03-01"), ("2026-03-10", "2026-03-11")]);
    let first = Head { ends: Some(ends), ..head.clone() };
    let second = Head { starts, ends: None, ..head.clone() };
    let first = scheme(r, "s1", &first);
    let mut second = scheme(r, "s1-later", &second);
    same_returns(&first.sections, &mut second.sections);
    vec![first, second]
}

/// What `returns` says, and what is measured, is as before.
fn same_returns(before: &[String], after: &mut [String]) {
    for line in ["returns = \"return-cycle\"\n"] {
        let kept = before.iter().any(|s| s.contains(line));
        for section in after.iter_mut().filter(|s| s.starts_with("[earn]\n")) {
            *section = section.replace(line, "");
            if kept {
                section.push_str(line);
            }
        }
    }
}

/// Other rules for a scheme: what a person writes into its file. Its calendar stays.
pub fn edited(r: &mut Random, plan: &SchemePlan) -> (String, Vec<String>) {
    let SchemePlan { slabs, mut sections, .. } = scheme(r, &plan.file, &plan.base);
    same_returns(&plan.sections, &mut sections);
    (slabs, sections)
}

/// The version that takes over from a scheme that had no end, and the day before it does.
pub fn successor(r: &mut Random, plan: &SchemePlan) -> (&'static str, SchemePlan) {
    let (ends, starts) =
        *r.pick(&[("2026-04-30", "2026-05-01"), ("2026-06-30", "2026-07-01"), ("2026-07-10", "2026-07-11")]);
    let mut after = scheme(r, "s1-later", &Head { starts, ends: None, ..plan.base.clone() });
    same_returns(&plan.sections, &mut after.sections);
    // what was posted while a cycle was open stays posted
    after.head = after.head.replace(CONTINUOUS, "");
    if plan.head.contains(CONTINUOUS) {
        after.head.push_str(CONTINUOUS);
    }
    (ends, after)
}

fn scheme(r: &mut Random, file: &str, head: &Head) -> SchemePlan {
    let by_quantity = r.chance(15);
    // where there is a year before this one, what is measured over twelve months matters
    let old = head.starts() < NaiveDate::from_ymd_opt(2025, 6, 1).expect("a date");
    let ladder = r.chance(if old { 80 } else { 40 });
    let marginal = r.chance(40);
    let head_text = head.toml(r);
    let mut slabs = slabs(r, marginal, ladder, by_quantity);
    if ladder {
        slabs += &levels(by_quantity);
    }
    let mut sections = vec![earn(r, by_quantity)];
    if r.chance(if old { 90 } else { 60 }) {
        sections.push(tier(r, ladder, old));
    }
    if r.chance(70) {
        sections.push(multipliers(r, ladder));
    }
    if r.chance(60) {
        sections.push(format!(
            "[[tier_bonus]]\ntier = \"Gold\"\npercent = \"{}\"\n",
            r.pick(&["20%", "12.5%", "33%"])
        ));
        if r.chance(50) {
            sections.push("[[tier_bonus]]\ntier = \"Silver\"\npercent = \"7%\"\n".into());
        }
    }
    if r.chance(50) {
        sections.push(caps(r));
    }
    if r.chance(often(15, 35)) {
        sections.push(format!("[limits]\naccrual = {}\n", r.pick(&["40", "100"])));
    }
    sections.push(points(r));
    SchemePlan { file: file.into(), base: head.clone(), head: head_text, slabs, sections }
}

/// What all versions of a scheme share, and their dates.
#[derive(Clone, Debug)]
pub struct Head {
    pub id: &'static str,
    starts: &'static str,
    pub ends: Option<&'static str>,
    zone: &'static str,
    currency: &'static str,
    length: &'static str,
    year_starts: &'static str,
    closes: &'static str,
}

impl Head {
    fn random(r: &mut Random, id: &'static str) -> Head {
        Head {
            id,
            starts: r.pick::<&str>(&["2025-01-01", "2025-10-01", "2026-01-01", "2026-01-01", "2026-02-10"]),
            ends: if r.chance(20) { Some("2026-06-30") } else { None },
            zone: ZONES[r.below(often(5, ZONES.len()))],
            currency: if raised() && r.chance(20) { "USD" } else { "INR" },
            length: r.pick::<&str>(&LENGTHS[..often(4, LENGTHS.len())]),
            year_starts: r.pick::<&str>(&YEARS[..often(2, YEARS.len())]),
            closes: if r.chance(often(20, 40)) { "day_closes_at = \"02:00\"\n" } else { "" },
        }
    }

    /// The day on which it begins.
    pub fn starts(&self) -> NaiveDate {
        self.starts.parse().expect("a date")
    }

    fn toml(&self, r: &mut Random) -> String {
        let ends = self.ends.map_or(String::new(), |ends| format!("ends = {ends}\n"));
        let post = if r.chance(30) { CONTINUOUS } else { "" };
        let lock = if r.chance(often(25, 50)) {
            format!("lock_after_days = {}\n", r.pick(&["0", "1", "10"]))
        } else {
            String::new()
        };
        let wait = if r.chance(15) { "wait_for_files = false\n" } else { "" };
        let Head { id, starts, zone, currency, length, year_starts, closes, .. } = self;
        format!(
            "[scheme]\nid = \"{id}\"\nname = \"Scheme {id}\"\ncompany = \"Example\"\ncurrency = \"{currency}\"\n\
             timezone = \"{zone}\"\nstarts = {starts}\n{ends}[cycle]\nlength = \"{length}\"\n\
             year_starts = \"{year_starts}\"\ngrace_days = {}\n{post}{closes}{lock}{wait}",
            r.pick(&["0", "3", "5"]),
        )
    }
}

fn slabs(r: &mut Random, marginal: bool, ladder: bool, by_quantity: bool) -> String {
    let mut text = format!("[slabs]\nmode = \"{}\"\n", if marginal { "marginal" } else { "whole" });
    let from_zero = r.chance(50);
    let count = 1 + r.below(3);
    for (place, tier) in TIERS.iter().enumerate().take(count) {
        let threshold = match (place, from_zero) {
            (0, true) => "0",
            (place, _) => level(place, by_quantity),
        };
        text += &format!("[[slab]]\nfrom = \"{threshold}\"\n");
        if !r.chance(8) {
            let rate = r.pick(&RATES[..often(7, RATES.len())]);
            text += &format!("rate = \"{rate}\"\n");
        }
        if r.chance(20) {
            text += "points = 25\n";
        }
        if !ladder && (place > 0 || r.chance(60)) {
            text += &format!("tier = \"{tier}\"\n");
        }
        if r.chance(20) {
            text += "cap = 150\n";
        }
    }
    if !ladder && !text.contains("Gold") {
        let threshold = level(3, by_quantity);
        text += &format!("[[slab]]\nfrom = \"{threshold}\"\nrate = \"3%\"\ntier = \"Gold\"\n");
    }
    if !ladder && !text.contains("Silver") {
        text = text
            .replacen("[[slab]]\n", "[[slab]]\ntier = \"Silver\"\n", 1)
            .replace("tier = \"Silver\"\ntier", "tier");
    }
    text
}

fn level(place: usize, by_quantity: bool) -> &'static str {
    if by_quantity { ["2", "5", "9.5", "20"][place] } else { THRESHOLDS[place] }
}

fn levels(by_quantity: bool) -> String {
    let each = TIERS.iter().enumerate();
    each.map(|(i, name)| {
        format!("[[tier_level]]\nname = \"{name}\"\nfrom = \"{}\"\n", level(i + 1, by_quantity))
    })
    .collect()
}

fn tier(r: &mut Random, ladder: bool, old: bool) -> String {
    let windows: &[&str] = match (ladder, old) {
        (false, _) => &["cycle"],
        (true, false) => &["cycle", "year-to-date", "trailing-12-months"],
        (true, true) => &["year-to-date", "trailing-12-months", "trailing-12-months", "trailing-12-months"],
    };
    format!(
        "[tier]\nmeasured_over = \"{}\"\napplies = \"{}\"\n",
        r.pick(windows),
        r.pick(&["retroactive", "from-crossing", "next-cycle"])
    )
}

fn earn(r: &mut Random, by_quantity: bool) -> String {
    let mut text = "[earn]\n".to_string();
    if by_quantity {
        text += "measure = \"quantity\"\n";
    }
    for (percent, line) in [
        (25, "returns = \"return-cycle\"\n"),
        (30, "statuses = [\"approved\", \"POSTED\"]\n"),
        (20, "return_statuses = [\"approved\"]\n"),
        (20, "channels = [\"Retail\"]\n"),
        (15, "payment_methods = [\"cash\", \"upi\"]\n"),
        (15, "partner_classes = [\"A\", \"b\"]\n"),
        (10, "currencies = [\"inr\"]\n"),
        (30, "exclude_skus = [\"gift-*\"]\n"),
        (10, "only_categories = [\"Light?\"]\n"),
        (10, "exclude_categories = [\"fan*\"]\n"),
    ] {
        if r.chance(percent) {
            text += line;
        }
    }
    let unlisted = ["earn", "hold", "exclude"];
    if r.chance(50) {
        text += &format!("unlisted_skus = \"{}\"\n", r.pick(&unlisted));
    }
    if r.chance(50) {
        text += &format!("unlisted_partners = \"{}\"\n", r.pick(&unlisted));
    }
    text
}

fn multipliers(r: &mut Random, ladder: bool) -> String {
    let mut text = format!("[multipliers]\nstacking = \"{}\"\n", r.pick(&["highest", "product"]));
    for place in 0..=r.below(3) {
        const FACTORS: [&str; 7] = ["2", "1.5", "0.5", "3", "0", "0.333", "1.07"];
        let factor = r.pick(&FACTORS[..often(4, FACTORS.len())]);
        let mut one = String::new();
        if r.chance(60) {
            one += &format!("skus = [\"{}\"]\n", r.pick(&["LED-*", "*-1", "FAN-?"]));
        }
        if r.chance(20) {
            one += "categories = [\"light*\"]\n";
        }
        if r.chance(20) {
            one += "channels = [\"retail\"]\n";
        }
        if r.chance(if ladder { 25 } else { 10 }) {
            one += "tiers = [\"Gold\"]\n";
        }
        if one.is_empty() || r.chance(30) {
            let windows = [(15, 30), (29, 23), (8, 4), (28, 24), (31, 1), (30, 5)];
            let (from, to) = if raised() { *r.pick(&windows) } else { windows[0] };
            one += &format!("from = 2026-03-{from:02}\nto = 2026-04-{to:02}\n");
        }
        text += &format!("[[multiplier]]\nname = \"M{place}\"\nfactor = \"{factor}\"\n{one}");
    }
    text
}

/// One of two, the second of them only where what is seldom is to be often.
fn seldom(r: &mut Random) -> usize {
    if raised() { r.below(2) } else { 0 }
}

fn caps(r: &mut Random) -> String {
    let mut text = "[cap]\n".to_string();
    if r.chance(50) {
        text += "per_cycle = 120\n";
    }
    match r.below(3) {
        0 => text += ["per_invoice = 15\n", "per_invoice = \"7.35\"\n"][seldom(r)],
        1 => text += ["per_sku = 30\n", "per_sku = \"12.01\"\n"][seldom(r)],
        _ => {}
    }
    text
}

fn points(r: &mut Random) -> String {
    format!(
        "[points]\nrounding = \"{}\"\nround_at = \"{}\"\ndecimals = {}\n",
        r.pick(&["floor", "half-up", "half-even", "ceiling"]),
        r.pick(&["cycle", "cycle", "line"]),
        r.pick(&["0", "0", "1", "2", "3", "6"][..often(4, 6)]),
    )
}
