//! `accrued test`: the worked examples inside the scheme files, and what none of them touches.

use super::aligned::{Side, aligned, hanging};
use super::exit::Exit;
use super::output::{Column, Format, count, grouped, number, printable, text};
use super::session::Session;
use super::shown::Decimals;
use crate::batch::Invalid;
use crate::fault::Faults;
use crate::rehearse::{Aside, Came, Outcome, Part, Rehearsal, Tried, Untouched, rehearse};
use crate::scheme::{self, Example, Family};
use anyhow::{Context, Result};
use std::io::Write;
use std::path::{Path, PathBuf};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Scheme files [default: every one in schemes_dir]; files with the same id are tried together
    #[arg(value_name = "SCHEME.toml")]
    files: Vec<PathBuf>,
}

const COLUMNS: [Column; 11] = [
    text("result"),
    text("scheme"),
    text("file"),
    count("line"),
    text("name"),
    text("cycle"),
    number("expected_points"),
    number("points"),
    text("expected_tier"),
    text("tier"),
    text("detail"),
];

pub(super) fn run(session: &Session, args: &Args) -> Result<Exit> {
    let families = match args.files.as_slice() {
        [] => session.schemes(&session.config()?)?.families,
        files => read(files)?,
    };
    let rehearsals: Vec<(&Family, Rehearsal<'_>)> =
        families.iter().map(|family| (family, rehearse(family))).collect();
    match session.format() {
        Format::Table => {
            let mut told = String::new();
            for (family, rehearsal) in &rehearsals {
                told.push_str(&for_people(family, rehearsal));
            }
            let mut out = std::io::stdout().lock();
            out.write_all(told.as_bytes())?;
            out.flush()?;
        }
        Format::Csv | Format::Json => {
            let mut table = session.table("test", &COLUMNS)?;
            for (_, rehearsal) in &rehearsals {
                for tried in &rehearsal.tried {
                    table.row(&tried_row(tried))?;
                }
                for untouched in &rehearsal.untouched {
                    table.row(&untouched_row(untouched))?;
                }
            }
            table.end()?;
        }
    }
    let tried: Vec<&Tried<'_>> = rehearsals.iter().flat_map(|(_, rehearsal)| &rehearsal.tried).collect();
    let failed: Vec<&&Tried<'_>> = tried.iter().filter(|tried| !is_as_expected(tried)).collect();
    session.say(summary(tried.len(), failed.len(), families.len()));
    let Some(first) = failed.first() else { return Ok(Exit::Done) };
    session.next(format!(
        "mend the rule or the example at {}:{}, then run accrued test again",
        first.scheme.path, first.example.line
    ));
    Ok(Exit::Found)
}

fn summary(tried: usize, failed: usize, schemes: usize) -> String {
    let examples = if tried == 1 { "1 example" } else { &format!("{tried} examples") };
    let schemes = if schemes == 1 { "1 scheme" } else { &format!("{schemes} schemes") };
    match failed {
        0 if tried == 0 => format!("no example in {schemes}: write one with [[example]]"),
        0 => format!("{examples} in {schemes}: all as expected"),
        1 => format!("{examples} in {schemes}: 1 came out otherwise"),
        _ => format!("{examples} in {schemes}: {failed} came out otherwise"),
    }
}

/// The schemes in some files, whatever accrued.toml says.
fn read(files: &[PathBuf]) -> Result<Vec<Family>> {
    let mut schemes = Vec::new();
    let mut faults: Vec<Faults> = Vec::new();
    for path in files {
        match parsed(path)? {
            Ok(scheme) => schemes.push(scheme),
            Err(found) => faults.push(found),
        }
    }
    if faults.is_empty() {
        match scheme::families(schemes) {
            Ok(families) => return Ok(families),
            Err(found) => faults = found,
        }
    }
    Err(Invalid(faults).into())
}

fn parsed(path: &Path) -> Result<Result<scheme::Scheme, Faults>> {
    let shown = path.display().to_string();
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {shown}"))?;
    Ok(scheme::parse(&shown, &text).map(|(scheme, _)| scheme))
}

fn is_as_expected(tried: &Tried<'_>) -> bool {
    match tried.outcome {
        Outcome::AsExpected(_) => true,
        Outcome::Differs(_) | Outcome::Unreadable(_) => false,
    }
}

fn for_people(family: &Family, rehearsal: &Rehearsal<'_>) -> String {
    let mut out = String::new();
    for version in &family.versions {
        out.push_str(&format!("{}  {}\n", version.id, printable(&version.path)));
        for tried in rehearsal.tried.iter().filter(|tried| tried.scheme.path == version.path) {
            out.push_str(&tried_for_people(tried));
        }
        let untouched: Vec<&Untouched<'_>> =
            rehearsal.untouched.iter().filter(|untouched| untouched.scheme.path == version.path).collect();
        if !untouched.is_empty() {
            out.push_str("  no example touches\n");
            for untouched in untouched {
                out.push_str(&format!("    {}\n", part(&untouched.part, grouped)));
            }
        }
    }
    out
}

fn tried_for_people(tried: &Tried<'_>) -> String {
    let name = printable(&tried.example.name);
    match &tried.outcome {
        Outcome::AsExpected(_) => hanging("  ok    ", &name),
        Outcome::Differs(came) => {
            let mut out = hanging("  FAIL  ", &format!("{name} (line {})", tried.example.line));
            out.push_str(&differences(tried, came));
            for aside in &came.aside {
                out.push_str(&hanging("        ", &aside_in_words(tried.example, aside)));
            }
            for step in &came.steps {
                let lead = format!("        {:14}", step.name);
                out.push_str(&hanging(&lead, &format!("{} = {}", step.working, step.result)));
            }
            out
        }
        Outcome::Unreadable(sales) => {
            let mut out = hanging("  FAIL  ", &format!("{name} (line {})", tried.example.line));
            for aside in sales {
                out.push_str(&hanging("        ", &aside_in_words(tried.example, aside)));
            }
            out
        }
    }
}

/// Both values of what differs.
fn differences(tried: &Tried<'_>, came: &Came) -> String {
    let (expected, found) = points(tried, came);
    let mut rows = Vec::new();
    if expected != found {
        rows.push(
            ["points", "expected", &grouped(&expected), "came to", &grouped(&found)]
                .map(str::to_owned)
                .to_vec(),
        );
    }
    if let Some(tier) = tried.example.tier.as_ref().filter(|tier| **tier != came.tier) {
        rows.push(
            ["tier", "expected", named(tier), "came to", named(&came.tier)].map(str::to_owned).to_vec(),
        );
    }
    aligned(8, &[Side::Left; 5], &rows)
}

fn named(tier: &str) -> &str {
    if tier.is_empty() { "none" } else { tier }
}

/// Expected and found, in the scheme's decimals; more where the example writes more.
fn points(tried: &Tried<'_>, came: &Came) -> (String, String) {
    let decimals = Decimals::of(tried.scheme);
    let expected = crate::domain::points::Points::from_decimal(tried.example.points)
        .map_or_else(|| tried.example.points.to_string(), |points| decimals.points(points));
    (expected, decimals.points(came.points))
}

/// `sale 2 (date 2026-05-02, amount 5): sku_excluded`
fn aside_in_words(example: &Example, aside: &Aside) -> String {
    let cells: Vec<String> = example
        .sales
        .get(aside.sale.wrapping_sub(1))
        .map(|sale| &sale.cells)
        .into_iter()
        .flatten()
        .map(|(column, written)| match column.as_str() {
            "invoice_date" => format!("date {written}"),
            _ => format!("{column} {}", printable(written)),
        })
        .collect();
    format!("sale {} ({}): {}", aside.sale, cells.join(", "), aside.why)
}

/// A part of the rules in words, its numbers written by `write`.
fn part(part: &Part, write: impl Fn(&str) -> String) -> String {
    let number = |value: &rust_decimal::Decimal| write(&value.normalize().to_string());
    match part {
        Part::Edge(from) => format!("the slab edge at {}", number(from)),
        Part::Tier(tier) => format!("the tier {}", printable(tier)),
        Part::SlabCap { from, cap } => {
            format!("the cap of {} points of the slab from {}", number(cap), number(from))
        }
        Part::PerCycle(cap) => format!("the cap of {} points per_cycle", number(cap)),
        Part::PerInvoice(cap) => format!("the cap of {} points per_invoice", number(cap)),
        Part::PerSku(cap) => format!("the cap of {} points per_sku", number(cap)),
        Part::Limit(limit) => format!("the limit of {} points (accrual)", number(limit)),
    }
}

fn tried_row(tried: &Tried<'_>) -> [String; 11] {
    let example = tried.example;
    let expected_tier = example.tier.clone().unwrap_or_default();
    let (result, expected, found, tier, detail) = match &tried.outcome {
        Outcome::AsExpected(came) => {
            let (expected, found) = points(tried, came);
            ("ok", expected, found, came.tier.clone(), String::new())
        }
        Outcome::Differs(came) => {
            let (expected, found) = points(tried, came);
            ("fail", expected, found, came.tier.clone(), detail(tried, came))
        }
        Outcome::Unreadable(sales) => {
            let why: Vec<String> = sales.iter().map(|aside| aside_in_words(example, aside)).collect();
            ("fail", example.points.to_string(), String::new(), String::new(), why.join("; "))
        }
    };
    [
        result.to_owned(),
        tried.scheme.id.clone(),
        tried.scheme.path.clone(),
        example.line.to_string(),
        example.name.clone(),
        tried.cycle.clone(),
        expected,
        found,
        expected_tier,
        tier,
        detail,
    ]
}

/// What does not count, then the trail.
fn detail(tried: &Tried<'_>, came: &Came) -> String {
    let aside = came.aside.iter().map(|aside| aside_in_words(tried.example, aside));
    let steps = came.steps.iter().map(|step| format!("{}: {} = {}", step.name, step.working, step.result));
    aside.chain(steps).collect::<Vec<_>>().join("; ")
}

fn untouched_row(untouched: &Untouched<'_>) -> [String; 11] {
    let blank = String::new;
    [
        "untouched".to_owned(),
        untouched.scheme.id.clone(),
        untouched.scheme.path.clone(),
        blank(),
        part(&untouched.part, str::to_owned),
        blank(),
        blank(),
        blank(),
        blank(),
        blank(),
        blank(),
    ]
}
