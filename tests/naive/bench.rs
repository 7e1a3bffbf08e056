//! What the unit tests of the naive evaluator lay on the table: one feed, one scheme, some rows.

use super::naive::number::{self, Frac};
use super::naive::{Drop, Judgement, Run, World, judge};

pub const HEADER: &str = "invoice_no,line_no,doc_type,invoice_date,partner_code,distributor_code,sku,amount,\
                          ref_invoice_no,ref_line_no,updated_at\n";

/// Slabs S of evaluation.md 5, with further text after them.
pub fn slabs_s(after: &str) -> String {
    scheme(&format!(
        "[slabs]\nmode = \"whole\"\n\
         [[slab]]\nfrom = \"5 lakh\"\nrate = \"0.2%\"\ntier = \"Silver\"\n\
         [[slab]]\nfrom = \"8 lakh\"\nrate = \"0.3%\"\ntier = \"Gold\"\n\
         [[slab]]\nfrom = \"20 lakh\"\nrate = \"0.5%\"\ntier = \"Platinum\"\ncap = 15000\n{after}"
    ))
}

/// A quarterly scheme in Asia/Kolkata with that text after its head.
pub fn scheme(after: &str) -> String {
    scheme_of("quarter", after)
}

pub fn scheme_of(length: &str, after: &str) -> String {
    format!(
        "[scheme]\nid = \"s\"\nname = \"S\"\ncompany = \"C\"\ncurrency = \"INR\"\ntimezone = \"Asia/Kolkata\"\n\
         starts = 2026-01-01\n[cycle]\nlength = \"{length}\"\nyear_starts = \"april\"\n{after}"
    )
}

pub fn feed(more: &str) -> String {
    format!(
        "[[feed]]\nname = \"f\"\nkind = \"sales\"\nurl = \"file:drop\"\nfiles = \"*.csv\"\n\
         timezone = \"Asia/Kolkata\"\n{more}"
    )
}

/// Judges files of one feed, each in a run of its own, the last on that day at noon.
pub fn judged(feed: &str, scheme: &str, day: &str, files: &[String]) -> Judgement {
    let world = World::new(feed, &[scheme.to_string()]);
    let as_of = format!("{day}T12:00:00Z").parse().expect("an instant");
    let run = |(i, rows): (usize, &String)| Run {
        as_of,
        drops: vec![Drop {
            feed: "f".into(),
            name: format!("{i}.csv"),
            bytes: format!("{HEADER}{rows}").into(),
            beside: None,
        }],
    };
    judge(&world, &files.iter().enumerate().map(run).collect::<Vec<_>>())
}

/// Points and tier of partner P in a cycle.
pub fn position(scheme: &str, rows: &str, cycle: &str) -> (Frac, String) {
    let judgement = judged(&feed(""), scheme, "2026-12-31", &[rows.to_string()]);
    let position = &judgement.schemes["s"].positions[&(cycle.to_string(), "P".to_string())];
    (position.points.clone(), position.tier.clone().unwrap_or_else(|| "none".into()))
}

pub fn n(text: &str) -> Frac {
    number::plain(text).expect("a decimal")
}

/// One sale of P: number, date, sku, amount.
pub fn sale(number: &str, date: &str, sku: &str, amount: &str) -> String {
    format!("{number},1,invoice,{date},P,D,{sku},{amount},,,\n")
}

/// One credit note of P: number, date, sku, amount, the invoice it names.
pub fn note(number: &str, date: &str, sku: &str, amount: &str, of: &str) -> String {
    format!("{number},1,credit_note,{date},P,D,{sku},{amount},{of},,\n")
}
