//! The law of order over masters, local codes and rates: where every record has its own day, any order of files gives the
//! same lines, points and holds, and so does one run over all of them.

use crate::random::Random;
use crate::rig::{balances, holds, lines, workspace};
use crate::support::program::Workspace;
use std::collections::{BTreeMap, BTreeSet};

/// `ACCRUED_HISTORIES` plays more.
const HISTORIES: u64 = 6;
const ORDERS: usize = 3;

/// A file to drop: folder and text.
type File = (&'static str, String);

fn day(random: &mut Random) -> String {
    format!("2026-01-{:02}", 1 + random.below(25))
}

/// What distributors call partners: distributor, local code and day, and the partner from that day on.
type Calls = BTreeMap<(String, String, String), String>;

fn partners(random: &mut Random, said: &mut BTreeSet<String>, calls: &mut Calls) -> File {
    let mut text = "partner_code,class,active,distributor_code,local_code,effective_from\n".to_owned();
    for _ in 0..1 + random.below(4) {
        let (code, day) = (format!("R-{}", random.below(4)), day(random));
        let local =
            random.chance(60).then(|| (format!("D{}", random.below(2)), format!("{}", random.below(3))));
        let (distributor, local) = local.unwrap_or_default();
        let alias_is_new = local.is_empty() || said.insert(format!("{distributor} {local} {day}"));
        if alias_is_new && said.insert(format!("{code} {day}")) {
            let (class, active) = (random.pick(&["gold", "silver"]), random.pick(&["yes", "yes", "no"]));
            text.push_str(&format!("{code},{class},{active},{distributor},{local},{day}\n"));
            if !local.is_empty() {
                calls.insert((distributor, local, day), code);
            }
        }
    }
    ("partners", text)
}

fn items(random: &mut Random, said: &mut BTreeSet<String>) -> File {
    let mut text = "sku,category,earns_points,effective_from\n".to_owned();
    for _ in 0..1 + random.below(3) {
        let (sku, day) = (format!("S{}", random.below(3)), day(random));
        if said.insert(format!("{sku} {day}")) {
            let (category, earns) = (random.pick(&["lamp", "gift"]), random.pick(&["yes", "yes", "no"]));
            text.push_str(&format!("{sku},{category},{earns},{day}\n"));
        }
    }
    ("items", text)
}

fn rates(random: &mut Random, said: &mut BTreeSet<String>) -> File {
    let mut text = "date,from,to,rate\n".to_owned();
    for _ in 0..1 + random.below(3) {
        let (from, day) = (*random.pick(&["USD", "eur"]), day(random));
        if said.insert(format!("{from} {day}")) {
            text.push_str(&format!("{day},{from},INR,{}.{}\n", 1 + random.below(90), random.below(1_000)));
        }
    }
    ("fx", text)
}

fn sales(random: &mut Random, number: &mut usize) -> File {
    let header =
        "distributor_code,invoice_no,doc_type,invoice_date,partner_code,sku,amount,currency,ref_invoice_no\n";
    let mut text = header.to_owned();
    for _ in 0..1 + random.below(6) {
        *number += 1;
        let code =
            if random.chance(70) { format!("{}", random.below(3)) } else { format!("R-{}", random.below(4)) };
        let returns = random.chance(30).then(|| format!("A{}", 1 + random.below(*number)));
        let kind = if returns.is_some() { "credit_note" } else { "invoice" };
        text.push_str(&format!(
            "D{},A{number},{kind},{},{code},{},{}.{},{},{}\n",
            random.below(2),
            day(random),
            random.pick(&["S0", "s1", "S2", "S3", ""]),
            random.below(1_000),
            random.below(10),
            random.pick(&["", "INR", "USD", "EUR"]),
            returns.unwrap_or_default()
        ));
    }
    ("sales", text)
}

/// The invoices of sales files once more, each under the partner's own code where it came under a local one: once the masters
/// have come they say nothing new, whichever came first.
fn under_own_codes(files: &[File], calls: &Calls) -> Option<File> {
    let (mut header, mut again) = (String::new(), String::new());
    for (_, text) in files.iter().filter(|(folder, _)| *folder == "sales") {
        let (first, rows) = text.split_once('\n').expect("a header");
        first.clone_into(&mut header);
        for row in rows.lines() {
            let mut cells: Vec<&str> = row.split(',').collect();
            let (distributor, kind, day, code) = (cells[0], cells[2], cells[3], cells[4]);
            let of = |called: &str| (distributor.to_owned(), code.to_owned(), called.to_owned());
            let meant = calls.range(of("")..=of(day)).next_back();
            if let (Some((_, partner)), "invoice") = (meant, kind) {
                cells[4] = partner;
                again.push_str(&(cells.join(",") + "\n"));
            }
        }
    }
    (!again.is_empty()).then(|| ("sales", format!("{header}\n{again}")))
}

fn history(seed: u64) -> Vec<File> {
    let (mut random, mut said, mut number) = (Random::new(seed), BTreeSet::new(), 0);
    let mut calls = Calls::new();
    let mut files = Vec::new();
    for _ in 0..8 + random.below(6) {
        files.push(match random.below(6) {
            0 => partners(&mut random, &mut said, &mut calls),
            1 => items(&mut random, &mut said),
            2 => rates(&mut random, &mut said),
            3 => partners(&mut random, &mut said, &mut calls),
            _ => sales(&mut random, &mut number),
        });
    }
    files.extend(under_own_codes(&files, &calls));
    files
}

type Outcome = (Vec<String>, BTreeMap<String, String>, BTreeSet<String>);

fn outcome(workspace: &Workspace) -> Outcome {
    let mut lines = lines(workspace);
    lines.sort();
    let points = balances(workspace).into_iter().filter(|(_, points)| points.parse::<f64>() != Ok(0.0));
    (lines, points.collect(), holds(workspace).into_iter().collect())
}

fn rules() -> &'static str {
    "[earn]\nexclude_categories = [\"gift\"]\npartner_classes = [\"gold\"]\nunlisted_skus = \"hold\"\n"
}

fn one_run(files: &[File]) -> Outcome {
    let mut workspace = workspace(&["sales", "partners", "items", "fx"], rules());
    for (at, (folder, text)) in files.iter().enumerate() {
        workspace.drop(&format!("drop/{folder}/{at}.csv"), text);
    }
    workspace.accrued(&["run", "--as-of", "2026-01-28"]);
    workspace.trial(&["verify"]).check();
    outcome(&workspace)
}

fn in_runs(files: &[File], random: &mut Random) -> Outcome {
    let mut workspace = workspace(&["sales", "partners", "items", "fx"], rules());
    let mut at = 0;
    let mut hour = 0;
    while at < files.len() {
        for _ in 0..1 + random.below(3) {
            if let Some((folder, text)) = files.get(at) {
                workspace.drop(&format!("drop/{folder}/{at}.csv"), text);
                at += 1;
            }
        }
        hour += 1;
        workspace.accrued(&["run", "--as-of", &format!("2026-01-28T{hour:02}:00:00Z")]);
    }
    workspace.trial(&["verify"]).check();
    outcome(&workspace)
}

#[test]
fn any_order_of_dated_masters_codes_and_rates_gives_the_same() {
    let more = std::env::var("ACCRUED_HISTORIES").ok().and_then(|count| count.parse().ok());
    for seed in 0..more.unwrap_or(HISTORIES) {
        let mut files = history(seed);
        let expected = one_run(&files);
        let mut random = Random::new(seed ^ 77);
        for order in 0..ORDERS {
            random.shuffle(&mut files);
            assert_eq!(in_runs(&files, &mut random), expected, "seed {seed}, order {order}: {files:#?}");
        }
    }
}
