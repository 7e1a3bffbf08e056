//! What distributors call partners: a sale under a local code is the partner's, whenever the master comes.

use crate::rig::{at_close, balances, evaluated, feed, holds, lines, run, workspace};
use crate::support::program::{Workspace, csv_rows};

const SALES: &str = "distributor_code,invoice_no,line_no,invoice_date,partner_code,amount\n";
const CALLS: &str = "partner_code,name,distributor_code,local_code\n";

fn both() -> Workspace {
    workspace(&["sales", "partners"], "")
}

/// In that order, a run each; the last must leave nothing waiting.
fn taken(files: &[(&str, String)]) -> Workspace {
    let mut workspace = both();
    for (day, (name, text)) in (10..).zip(files) {
        workspace.drop(&format!("drop/{name}"), text);
        workspace.accrued(&["run", "--as-of", &format!("2026-03-{day}")]);
        workspace.trial(&["verify"]).check();
    }
    workspace
}

fn points(workspace: &Workspace) -> Vec<(String, String)> {
    balances(workspace).into_iter().filter(|(_, points)| points.parse::<f64>() != Ok(0.0)).collect()
}

fn own(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(code, points)| ((*code).to_owned(), (*points).to_owned())).collect()
}

#[test]
fn the_master_may_come_before_or_after_the_sales() {
    let sales = (
        "sales/1.csv",
        format!("{SALES}D1,A1,1,2026-01-05,55,1000\nD2,A1,1,2026-01-05,55,500\nD3,A1,1,2026-01-05,55,10\n"),
    );
    let calls = ("partners/1.csv", format!("{CALLS}R-1,One,D1,55\nR-2,Two,D2,55\n55,Fifty-five,,\n"));
    let expected = own(&[("55", "0.10"), ("R-1", "10.00"), ("R-2", "5.00")]);
    for files in [[sales.clone(), calls.clone()], [calls, sales]] {
        let workspace = taken(&files);
        assert_eq!(points(&workspace), expected);
        assert_eq!(lines(&workspace), ["55 A1: yes  10.00", "R-1 A1: yes  1000.00", "R-2 A1: yes  500.00"]);
        assert!(holds(&workspace).is_empty());
        let papers = workspace.tree("var/statements/club/2026-01");
        let summary = papers.get("rev-002/summary.csv").unwrap_or(&papers["rev-001/summary.csv"]);
        let summary = csv_rows(summary);
        let partners: Vec<(&str, &str)> =
            summary.iter().map(|row| (row["partner_code"].as_str(), row["partner_name"].as_str())).collect();
        assert_eq!(partners, [("55", "Fifty-five"), ("R-1", "One"), ("R-2", "Two")]);
        let told = workspace.trial(&["explain", "R-1", "--cycle", "2026-01"]).check();
        assert!(told.stdout.contains("10.00"), "{}", told.whole());
    }
}

#[test]
fn who_is_not_listed_is_asked_of_the_partner_that_is_meant() {
    let sales = ("sales/1.csv", format!("{SALES}D1,A1,1,2026-01-05,55,1000\nD1,A2,1,2026-01-05,66,1000\n"));
    let calls = ("partners/1.csv", format!("{CALLS}R-1,One,D1,55\n"));
    let workspace = taken(&[calls, sales]);
    assert_eq!(lines(&workspace), ["66 A2: held partner_unlisted_held 1000.00", "R-1 A1: yes  1000.00"]);
    assert_eq!(holds(&workspace), ["partner_unlisted_held 66 1 1000"]);
}

#[test]
fn a_code_that_a_distributor_gives_to_another_partner_is_that_partners_with_it_alone() {
    // R-2 is a partner's own code, and what D1 calls R-1
    let sales = (
        "sales/1.csv",
        format!(
            "{SALES}D1,A1,1,2026-01-05,R-2,1000\nD2,A2,1,2026-01-05,R-2,500\nD1,A3,1,2026-01-05,R-1,10\n"
        ),
    );
    let calls = ("partners/1.csv", format!("{CALLS}R-1,One,D1,R-2\nR-2,Two,,\n"));
    for files in [[sales.clone(), calls.clone()], [calls, sales]] {
        let workspace = taken(&files);
        assert_eq!(points(&workspace), own(&[("R-1", "10.10"), ("R-2", "5.00")]));
    }
}

#[test]
fn a_code_given_anew_from_a_day_and_the_return_of_an_older_sale() {
    let header = "distributor_code,invoice_no,doc_type,invoice_date,partner_code,amount,ref_invoice_no\n";
    let rows = "D1,A1,invoice,2026-01-05,55,1000,\nD1,A2,invoice,2026-02-05,55,300,\nD1,C1,credit_note,2026-02-20,55,1000,A1\n";
    let calls = "partner_code,name,distributor_code,local_code,effective_from\nR-1,One,D1,55,\nR-2,Two,D1,55,2026-02-01\n";
    let files = [("sales/1.csv", format!("{header}{rows}")), ("partners/1.csv", calls.to_owned())];
    for files in [files.clone(), [files[1].clone(), files[0].clone()]] {
        let workspace = taken(&files);
        assert_eq!(
            lines(&workspace),
            ["R-1 A1: yes  1000.00", "R-1 C1: yes  -1000.00", "R-2 A2: yes  300.00"]
        );
        assert_eq!(points(&workspace), own(&[("R-2", "3.00")]));
    }
}

#[test]
fn an_undated_code_given_anew_applies_from_the_day_of_its_file() {
    let sales = ("sales/1.csv", format!("{SALES}D1,A1,1,2026-03-05,55,1000\nD1,A2,1,2026-03-10,55,300\n"));
    let first = ("partners/1.csv", format!("{CALLS}R-1,One,D1,55\n"));
    let again = ("partners/2.csv", format!("{CALLS}R-2,Two,D1,55\n"));
    // taken on the 10th, 11th and 12th: nothing is dated after the 12th
    let workspace = taken(&[first.clone(), sales.clone(), again.clone()]);
    assert_eq!(points(&workspace), own(&[("R-1", "13.00")]));
    // taken on the 10th: A2 is of that day
    let workspace = taken(&[("partners/0.csv", format!("{CALLS}R-1,One,D1,55\nR-2,Two,D1,55\n")), sales]);
    assert_eq!(points(&workspace), own(&[("R-1", "10.00"), ("R-2", "3.00")]));
}

#[test]
fn one_document_under_both_codes_is_one_partners() {
    let calls = ("partners/1.csv", format!("{CALLS}R-1,One,D1,55\n"));
    let local = ("sales/1.csv", format!("{SALES}D1,A1,1,2026-01-05,55,1000\n"));
    let brand = ("sales/2.csv", format!("{SALES}D1,A1,1,2026-01-05,R-1,1000\n"));
    let other = ("sales/3.csv", format!("{SALES}D1,A1,1,2026-01-06,R-1,1200\n"));
    // known before: the same said again is a duplicate, other content supersedes
    let workspace = taken(&[calls.clone(), local.clone(), brand.clone(), other.clone()]);
    let files = workspace.trial(&["files", "--format", "csv"]).check().csv();
    let judged: Vec<(&str, &str, &str)> = files
        .iter()
        .map(|file| (file["duplicate"].as_str(), file["superseding"].as_str(), file["held"].as_str()))
        .collect();
    assert_eq!(judged[2..], [("1", "0", "0"), ("0", "1", "0")]);
    assert_eq!(points(&workspace), own(&[("R-1", "12.00")]));
    // not known yet: it contradicts, waits, and counts by itself once the master has come
    let workspace = taken(&[local.clone(), other.clone()]);
    assert_eq!(holds(&workspace), ["identity_conflict R-1 1 1200"]);
    assert_eq!(points(&workspace), own(&[("55", "10.00")]));
    let workspace = taken(&[local, other, calls]);
    assert!(holds(&workspace).is_empty(), "{:?}", holds(&workspace));
    assert_eq!(points(&workspace), own(&[("R-1", "12.00")]));
    assert_eq!(lines(&workspace), ["R-1 A1: yes  1200.00"]);
}

#[test]
fn a_file_of_local_codes_alone_says_nothing_else_of_a_partner() {
    let mut workspace = workspace(&["sales", "partners"], "[earn]\npartner_classes = [\"gold\"]\n");
    workspace.drop("drop/partners/1.csv", "partner_code,class,active\nR-1,Gold,yes\n");
    workspace.drop("drop/partners/2.csv", "partner_code,distributor_code,local_code\nR-1,D1,55\nR-9,D1,56\n");
    workspace
        .drop("drop/sales/1.csv", format!("{SALES}D1,A1,1,2026-01-05,55,1000\nD1,A2,1,2026-01-05,56,5\n"));
    run(&workspace, "2026-01-25", 0);
    assert_eq!(lines(&workspace), ["R-1 A1: yes  1000.00", "R-9 A2: no partner_class 5.00"]);
}

#[test]
fn a_closed_cycle_is_corrected_for_both_codes() {
    let mut workspace = both();
    workspace.write("schemes/club.toml", at_close(""));
    workspace.drop("drop/sales/1.csv", format!("{SALES}D1,A1,1,2026-01-05,55,1000\n"));
    run(&workspace, "2026-02-10", 0);
    workspace.drop("drop/partners/1.csv", format!("{CALLS}R-1,One,D1,55\n"));
    let outcome = run(&workspace, "2026-02-11", 0);
    assert!(outcome.stdout.contains("0 points to 2 partners"), "{}", outcome.whole());
    let ledger = workspace.trial(&["ledger", "--format", "csv"]).check().csv();
    let entries: Vec<(&str, &str, &str)> = ledger
        .iter()
        .map(|entry| (entry["partner_code"].as_str(), entry["points"].as_str(), entry["reason"].as_str()))
        .collect();
    assert_eq!(
        entries,
        [("55", "10.00", ""), ("55", "-10.00", "master data"), ("R-1", "10.00", "master data")]
    );
}

#[test]
fn news_under_a_code_evaluate_whom_it_means_and_nobody_else() {
    let mut workspace = both();
    workspace.write("schemes/club.toml", at_close(""));
    let mut calls = CALLS.to_owned();
    let mut sales = SALES.to_owned();
    for distributor in 0..10 {
        for code in 0..10 {
            calls.push_str(&format!("R-{distributor}-{code},N,D{distributor},{code}\n"));
            sales.push_str(&format!("D{distributor},A{code},1,2026-01-05,{code},1000\n"));
        }
    }
    workspace.drop("drop/partners/1.csv", &calls);
    workspace.drop("drop/sales/1.csv", &sales);
    run(&workspace, "2026-02-10", 0);
    workspace.drop("drop/partners/2.csv", format!("{CALLS}R-new,N,D3,77\n"));
    assert_eq!(evaluated(&run(&workspace, "2026-02-11", 0)), 2, "77 and R-new");
    workspace.drop("drop/partners/3.csv", &calls);
    assert_eq!(evaluated(&run(&workspace, "2026-02-12", 0)), 0, "the same again");
    let papers = workspace.tree("var/statements/club/2026-01/rev-001");
    assert_eq!(csv_rows(&papers["summary.csv"]).len(), 100);
}

#[test]
fn a_local_code_without_its_distributor_is_rejected_and_a_feeds_own_is_its_default() {
    let mut workspace = both();
    workspace.drop("drop/partners/1.csv", format!("{CALLS}R-1,One,,55\n"));
    run(&workspace, "2026-01-25", 3);
    let rejects = workspace.tree("var/rejects/partners");
    let rows = csv_rows(rejects.values().next().expect("a reject file"));
    assert_eq!(rows[0]["reason"], "distributor_code_missing");
    let one = "distributors = [\"D7\"]\n";
    workspace.write(
        "accrued.toml",
        format!("{}{}", feed("sales", "sales", one), feed("partners", "partners", one)),
    );
    workspace.drop("drop/partners/2.csv", "partner_code,name,local_code\nR-1,One,55\n");
    workspace
        .drop("drop/sales/1.csv", "invoice_no,invoice_date,partner_code,amount\nA1,2026-01-05,55,1000\n");
    run(&workspace, "2026-01-26", 0);
    assert_eq!(lines(&workspace), ["R-1 A1: yes  1000.00"]);
}

#[test]
fn the_day_of_a_local_code_is_the_business_date() {
    let calls = "partner_code,name,distributor_code,local_code,effective_from\nR-1,One,D1,55,\nR-2,Two,D1,55,2026-02-01\n";
    let sales = format!(
        "{SALES}D1,A1,1,2026-02-01T01:00:00+08:00,55,1000\nD1,A2,1,2026-01-31T23:30:00+02:00,55,500\n"
    );
    let workspace = taken(&[("partners/1.csv", calls.to_owned()), ("sales/1.csv", sales)]);
    assert_eq!(lines(&workspace), ["R-1 A1: yes  1000.00", "R-2 A2: yes  500.00"]);
}

#[test]
fn news_under_a_local_code_concern_whom_that_distributor_calls_so() {
    let mut workspace = workspace(&["sales", "partners"], "");
    workspace.write("schemes/club.toml", at_close(""));
    let said: String = (1..=5).map(|n| format!("R-{n},D{n},55\n")).collect();
    workspace.drop("drop/partners/1.csv", format!("partner_code,distributor_code,local_code\n{said}"));
    let header = "invoice_no,line_no,doc_type,invoice_date,partner_code,distributor_code,amount\n";
    let of = |number: &str, doc_type: &str, n: u32, amount: u32| {
        format!("{number},1,{doc_type},2026-01-05,55,D{n},{amount}\n")
    };
    let first: String = (1..=5).map(|n| of("A", "", n, 1000)).collect();
    workspace.drop("drop/sales/1.csv", format!("{header}{first}"));
    run(&workspace, "2026-02-10", 0);
    let mut evaluated = |day: &str, name: &str, rows: &str| {
        workspace.drop(&format!("drop/sales/{name}.csv"), format!("{header}{rows}"));
        let outcome = run(&workspace, day, 0);
        let line = outcome.stdout.lines().find(|line| line.starts_with("evaluated")).expect("it is told");
        (line.replace("evaluated ", "").trim().to_owned(), balances(&workspace)["R-3"].clone())
    };
    // whom D3 calls so, and whoever bears the code as its own
    let two = |points: &str| ("2 partners".to_owned(), points.to_owned());
    assert_eq!(evaluated("2026-02-11", "late", &of("B", "", 3, 500)), two("15.00"));
    assert_eq!(evaluated("2026-02-12", "cancelled", &of("B", "cancellation", 3, 0)), two("10.00"));
    assert_eq!(evaluated("2026-02-13", "returned", &of("A", "credit_note", 3, 100)), two("9.00"));
    let all = evaluated("2026-02-14", "two", &(of("C", "", 3, 100) + &of("C", "", 4, 100)));
    assert_eq!(all, ("3 partners".to_owned(), "10.00".to_owned()));
    assert_eq!(balances(&workspace)["R-4"], "11.00");
    workspace.trial(&["verify", "--deep"]).check();
}
