//! Exchange rates (evaluation.md 3.1): carried forward, never turned round, and only who they concern is evaluated.

use crate::rig::{SALES, at_close, balances, evaluated, holds, lines, run, workspace};
use crate::support::program::{Workspace, csv_rows};

fn sold() -> Workspace {
    let mut workspace = workspace(&["sales", "fx"], "");
    let rows = "A1,1,2026-01-05,P1,100.00,USD\nA2,1,2026-01-20,P1,10,usd\nA3,1,2026-01-06,P2,1000,\nA4,1,2026-01-06,P3,50,AED\n";
    workspace.drop("drop/sales/jan.csv", format!("{SALES}{rows}"));
    workspace
}

#[test]
fn lines_without_a_rate_wait_and_count_by_themselves_once_it_has_come() {
    let mut workspace = sold();
    run(&workspace, "2026-01-25", 3);
    assert_eq!(holds(&workspace), ["no_fx_rate P1 2 110", "no_fx_rate P3 1 50"]);
    let detail = workspace.trial(&["holds", "--format", "csv"]).check().csv();
    assert_eq!(
        detail[0]["detail"],
        "no rate from USD to INR on or before 2026-01-05: send it in a file of an fx feed; the amount is in USD"
    );
    // a rate from the 10th on is none for the 5th, and no rate for dirhams
    workspace
        .drop("drop/fx/1.csv", "date,from,to,rate\n2026-01-10,usd,inr,83.335\n2026-01-01,INR,AED,0.04\n");
    run(&workspace, "2026-01-26", 0);
    assert_eq!(
        lines(&workspace),
        ["P1 A1: held no_fx_rate ", "P1 A2: yes  833.35", "P2 A3: yes  1000.00", "P3 A4: held no_fx_rate "]
    );
    assert_eq!(holds(&workspace), ["no_fx_rate P1 1 100", "no_fx_rate P3 1 50"]);
    assert_eq!(balances(&workspace)["P1"], "8.33");
    // the first of the year is carried forward to the 5th
    workspace.drop("drop/fx/2.csv", "date,from,to,rate\n2026-01-01,USD,INR,80\n2026-01-05,AED,INR,20\n");
    run(&workspace, "2026-01-27", 0);
    assert!(holds(&workspace).is_empty());
    assert_eq!(balances(&workspace), [("P1", "88.33"), ("P2", "10.00"), ("P3", "10.00")].map(own).into());
}

fn own((code, points): (&str, &str)) -> (String, String) {
    (code.to_owned(), points.to_owned())
}

#[test]
fn papers_and_explain_show_the_conversion() {
    let mut workspace = sold();
    workspace.drop("drop/fx/1.csv", "date,from,to,rate\n2026-01-01,USD,INR,83.333333333\n");
    run(&workspace, "2026-01-25", 3);
    let papers = workspace.tree("var/statements/club/2026-01/current");
    let rows = csv_rows(&papers["transactions.csv"]);
    assert_eq!(
        (rows[0]["amount"].as_str(), rows[0]["currency"].as_str(), rows[0]["scheme_amount"].as_str()),
        ("100.00", "USD", "8333.333333")
    );
    assert_eq!((rows[3]["scheme_amount"].as_str(), rows[3]["why_not"].as_str()), ("", "no_fx_rate"));
    let told = workspace.trial(&["explain", "P1", "--format", "table"]).check();
    assert!(told.stdout.contains("110.00 USD x 83.333333333 (2 lines) = 9,166.66666663"), "{}", told.whole());
    assert!(told.stdout.contains("USD x 83.333333333 = 8333.333333"), "{}", told.whole());
}

#[test]
fn a_rate_that_comes_again_supersedes_and_only_lines_of_its_days_move() {
    let mut workspace = sold();
    workspace.drop("drop/sales/feb.csv", format!("{SALES}B1,1,2026-02-03,P4,100,USD\n"));
    let rates = "date,from,to,rate\n2026-01-01,USD,INR,80\n2026-02-01,USD,INR,90\n2026-01-01,AED,INR,20\n";
    workspace.drop("drop/fx/1.csv", rates);
    run(&workspace, "2026-02-04", 0);
    assert_eq!(
        (balances(&workspace)["P1"].as_str(), balances(&workspace)["P4"].as_str()),
        ("88.00", "90.00")
    );
    workspace.drop("drop/fx/2.csv", "date,from,to,rate\n2026-01-01,USD,INR,80.0\n2026-02-01,USD,INR,91\n");
    let outcome = run(&workspace, "2026-02-05", 0);
    assert!(
        outcome.stdout.contains("1 superseding") && outcome.stdout.contains("1 duplicate"),
        "{}",
        outcome.whole()
    );
    assert_eq!(balances(&workspace)["P4"], "91.00");
}

#[test]
fn only_partners_with_lines_that_a_rate_converts_are_evaluated_again() {
    let mut workspace = sold();
    workspace.write("schemes/club.toml", at_close(""));
    workspace
        .drop("drop/sales/feb.csv", format!("{SALES}B1,1,2026-02-03,P4,100,USD\nB2,1,2026-02-03,P4,1,\n"));
    let rates = "date,from,to,rate\n2026-01-01,USD,INR,80\n2026-02-01,USD,INR,90\n2026-01-01,AED,INR,20\n";
    workspace.drop("drop/fx/1.csv", rates);
    run(&workspace, "2026-02-04", 0);
    let mut rate = |day: &str, rates: &str| {
        workspace.drop(&format!("drop/fx/{day}.csv"), format!("date,from,to,rate\n{rates}"));
        evaluated(&run(&workspace, day, 0))
    };
    assert_eq!(rate("2026-02-05", "2026-01-01,USD,INR,80.0\n2026-02-01,USD,INR,91\n"), 1);
    assert_eq!(rate("2026-02-06", "2026-01-01,USD,INR,81\n"), 1);
    assert_eq!(rate("2026-02-07", "2026-01-20,USD,INR,82\n2026-01-01,AED,INR,21\n"), 2);
    // what changes no day of a line evaluates nobody
    let idle = "2026-02-05,USD,INR,95\n2026-01-15,USD,INR,81\n2026-02-03,USD,EUR,2\n2026-02-03,INR,USD,2\n";
    assert_eq!(rate("2026-02-08", idle), 0);
    assert_eq!(lines(&workspace)[..2], ["P1 A1: yes  8100.00", "P1 A2: yes  820.00"]);
    assert_eq!(balances(&workspace)["P1"], "89.20");
}

#[test]
fn a_full_return_is_exactly_zero_whatever_the_rate_is_by_then() {
    let mut workspace = workspace(&["sales", "fx"], "");
    workspace
        .drop("drop/fx/1.csv", "date,from,to,rate\n2026-01-01,USD,INR,83.3333333\n2026-02-01,USD,INR,97.1\n");
    let header = "invoice_no,doc_type,invoice_date,partner_code,amount,currency,ref_invoice_no\n";
    workspace.drop(
        "drop/sales/all.csv",
        format!("{header}A1,invoice,2026-01-05,P1,99.99,USD,\nC1,credit_note,2026-03-01,P1,99.99,USD,A1\n"),
    );
    run(&workspace, "2026-03-05", 0);
    assert!(balances(&workspace).values().all(|points| points == "0.00" || points == "0"));
    assert_eq!(lines(&workspace), ["P1 A1: yes  8332.499997", "P1 C1: yes  -8332.499997"]);
}

#[test]
fn currencies_of_the_scheme_are_asked_before_the_rate() {
    let mut workspace = workspace(&["sales", "fx"], "[earn]\ncurrencies = [\"inr\", \"Usd\"]\n");
    workspace
        .drop("drop/sales/jan.csv", format!("{SALES}A1,1,2026-01-05,P1,1,usd\nA2,1,2026-01-05,P2,1,EUR\n"));
    run(&workspace, "2026-01-25", 3);
    assert_eq!(lines(&workspace), ["P1 A1: held no_fx_rate ", "P2 A2: no currency "]);
}

#[test]
fn what_cannot_be_a_rate_is_rejected() {
    let mut workspace = workspace(&["sales", "fx"], "");
    let rows = "2026-01-01,USD,INR,0\n2026-01-01,USD,INR,-1\n2026-01-01,USD,usd,2\n2026-01-01,INR,inr,1.0\n,USD,INR,1\n\
                2026-01-01,,INR,1\n2026-01-01,USD,INR,1e2\n2026-01-01,USD,INR,\n2026-01-01T23:00:00Z,USD,INR,81\n";
    workspace.drop("drop/fx/1.csv", format!("date,from,to,rate\n{rows}"));
    run(&workspace, "2026-01-25", 3);
    let rejects = workspace.tree("var/rejects/fx");
    let rows = csv_rows(rejects.values().next().expect("a reject file"));
    let reasons: Vec<&str> = rows.iter().map(|row| row["reason"].as_str()).collect();
    assert_eq!(
        reasons,
        [
            "rate_not_positive",
            "rate_not_positive",
            "same_currency",
            "date_missing",
            "currency_missing",
            "rate_not_a_number",
            "rate_missing"
        ]
    );
}

#[test]
fn rates_may_come_before_or_after_the_sales() {
    let outcome = |fx_first: bool| {
        let mut workspace = workspace(&["sales", "fx"], "");
        let sales = format!("{SALES}A1,1,2026-01-05,P1,100.00,USD\n");
        let rates = "date,from,to,rate\n2026-01-01,USD,INR,80\n";
        if fx_first {
            workspace.drop("drop/fx/1.csv", rates);
            run(&workspace, "2026-01-06", 0);
            workspace.drop("drop/sales/1.csv", sales);
        } else {
            workspace.drop("drop/sales/1.csv", sales);
            run(&workspace, "2026-01-06", 3);
            workspace.drop("drop/fx/1.csv", rates);
        }
        run(&workspace, "2026-01-07", 0);
        (balances(&workspace), lines(&workspace), holds(&workspace))
    };
    assert_eq!(outcome(true), outcome(false));
}
