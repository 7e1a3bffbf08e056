//! The working papers of the closed cycles, compared with what the naive evaluator says of each partner and line.

use std::collections::BTreeMap;

use crate::naive::counting::Verdict;
use crate::naive::number::{self, Frac, show};
use crate::naive::rules::Scheme;
use crate::naive::{Judgement, Seen};
use crate::papers;
use crate::program::Workspace;
use num_traits::Signed;

/// Whether the papers of every closed cycle say what was judged.
pub fn same_papers(workspace: &Workspace, judgement: &Judgement) -> Result<(), String> {
    for (id, seen) in &judgement.schemes {
        for (cycle, _) in seen.cycles.iter().filter(|(_, closed)| *closed) {
            let papers = papers::closed(workspace, id, &cycle.name)?;
            same_summary(&papers, seen, &cycle.name).map_err(|e| format!("{id} {}: {e}", cycle.name))?;
            same_lines(&papers, seen, &cycle.name).map_err(|e| format!("{id} {}: {e}", cycle.name))?;
        }
    }
    Ok(())
}

fn same_summary(papers: &papers::Papers, seen: &Seen, cycle: &str) -> Result<(), String> {
    for ((_, partner), position) in seen.positions.iter().filter(|((c, _), _)| c == cycle) {
        let Some(row) = papers.summary.get(partner) else {
            if position.measure == number::int(0) && position.points == number::int(0) {
                continue;
            }
            return Err(format!("summary.csv has no row for {partner}: {position:?}"));
        };
        let tier = position.tier.clone().unwrap_or_default();
        for (column, wanted) in [
            ("measure", &position.measure),
            ("carried", &position.carried),
            // what is due in all; held_points is the part of it over the limit
            ("points", &(&position.points + &position.held)),
            ("held_points", &position.held),
            ("base_points", &position.base),
        ] {
            let found = number::plain(&row[column]).unwrap_or_else(|| number::int(0));
            // sums are shown with six decimals at most
            if (&found - wanted).abs() > number::int(1) / number::int(2_000_000) {
                return Err(format!(
                    "summary.csv, {partner}, {column}: {}, not {}",
                    row[column],
                    show(wanted)
                ));
            }
        }
        adds_up(row, seen.rules.of_cycle_named(cycle))?;
        if row["tier"] != tier {
            return Err(format!("summary.csv, {partner}, tier: {:?}, not {tier:?}", row["tier"]));
        }
    }
    Ok(())
}

/// The steps of a row lead from one to the next: the months to the measure, and what was earned to the points but for one rounding.
fn adds_up(row: &papers::Row, scheme: Option<&Scheme>) -> Result<(), String> {
    let figure = |column: &str| number::plain(&row[column]).unwrap_or_else(|| number::int(0));
    let sum = |columns: &[&str]| columns.iter().fold(number::int(0), |sum, column| sum + figure(column));
    let months: Vec<&str> =
        row.keys().map(String::as_str).filter(|column| column.starts_with("sales_")).collect();
    // each is shown with six decimals at most
    let shown = number::int(1) / number::int(100_000);
    let measure = sum(&months) + figure("carried");
    if (&measure - figure("measure")).abs() > shown {
        return Err(format!("summary.csv: {} in months: {row:?}", show(&measure)));
    }
    let Some(scheme) = scheme.filter(|scheme| !scheme.round_lines) else { return Ok(()) };
    let earned = sum(&["base_points", "fixed_points", "multiplier_points", "bonus_points"]);
    let unit = number::int(1) / number::int(10_i64.pow(scheme.decimals));
    if (earned - figure("capped_points") - figure("points")).abs() > unit + shown {
        return Err(format!("summary.csv: its steps do not lead to its points: {row:?}"));
    }
    Ok(())
}

/// transactions.csv: the lines of the cycle with whether they count and why not, and points that add up.
fn same_lines(papers: &papers::Papers, seen: &Seen, cycle: &str) -> Result<(), String> {
    let mut wanted: Vec<String> = vec![];
    for line in seen.lines.iter().filter(|l| l.in_scheme && l.cycle.name == cycle) {
        let (counts, why) = match line.verdict {
            Verdict::Counts => ("yes", ""),
            Verdict::No(why) => ("no", why),
            Verdict::Held(why) => ("held", why),
        };
        let (number, line_no) = (&line.sale.number, &line.sale.line_no);
        wanted.push(format!("{} {number} {line_no:?} {counts} {why}", line.partner));
    }
    let mut found: Vec<String> = vec![];
    let mut sums: BTreeMap<&str, Frac> = BTreeMap::new();
    for row in &papers.transactions {
        let cell = |c: &str| row[c].clone();
        found.push(format!(
            "{} {} {:?} {} {}",
            cell("partner_code"),
            cell("invoice_no"),
            row["line_no"],
            cell("counts"),
            cell("why_not")
        ));
        let points = number::plain(&row["points"]).unwrap_or_else(|| number::int(0));
        *sums.entry(&row["partner_code"]).or_insert_with(|| number::int(0)) += points;
    }
    wanted.sort();
    found.sort();
    if found != wanted {
        let times = |all: &[String], one: &String| all.iter().filter(|l| *l == one).count();
        let only = |a: &[String], b: &[String]| -> Vec<String> {
            a.iter().filter(|l| times(a, l) > times(b, l)).cloned().collect()
        };
        return Err(format!(
            "transactions.csv: not as judged: {:?}; missing there: {:?}; {} and {} rows",
            only(&found, &wanted),
            only(&wanted, &found),
            found.len(),
            wanted.len()
        ));
    }
    for (partner, sum) in sums {
        let points = number::plain(&papers.summary[partner]["points"]).expect("points are plain");
        let counting =
            papers.transactions.iter().any(|r| r["partner_code"] == partner && r["counts"] == "yes");
        if counting && sum != points {
            return Err(format!(
                "points of {partner}: {} in lines, {} in summary",
                show(&sum),
                show(&points)
            ));
        }
    }
    Ok(())
}
