//! The commands that read: ledger, balances, lines, statement, explain and test, each printed exactly.

#[path = "support/golden.rs"]
mod golden;
#[path = "support/program.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod program;

use program::{Outcome, Workspace, csv_rows};

const CONFIG: &str = "[[feed]]\nname = \"sales\"\nkind = \"sales\"\nurl = \"file:drop/sales\"\nfiles = \"*.csv\"\n\
                      timezone = \"Asia/Kolkata\"\nsettle_seconds = 0\n";
const CLUB: &str = r#"
[scheme]
id = "club"
name = "Club"
company = "C"
currency = "INR"
timezone = "Asia/Kolkata"
starts = 2026-04-01
[cycle]
length = "month"
[earn]
exclude_skus = ["GIFT-*"]
[slabs]
mode = "whole"
[[slab]]
from = "1000"
rate = "1%"
tier = "Silver"
[[slab]]
from = "5000"
rate = "2%"
tier = "Gold"
cap = 150
[points]
value = "0.25"
"#;
const HEAD: &str =
    "invoice_no,line_no,doc_type,invoice_date,partner_code,partner_name,sku,amount,ref_invoice_no\n";
const APRIL: &str = "A-1,1,invoice,2026-03-30,P1,=Asha,LED-9,50,\n\
                     A-2,1,invoice,2026-04-02,P1,=Asha,LED-9,5200.50,\n\
                     A-2,2,invoice,2026-04-02,P1,=Asha,GIFT-1,99,\n\
                     A-3,1,invoice,2026-04-03,P2,Bharat,LED-9,999,\n\
                     A-4,1,invoice,2026-04-04,P3,Chandni,LED-9,9000,\n\
                     A-5,1,invoice,2026-06-04,P3,Chandni,LED-9,10,\n";
const MAY: &str = "C-1,1,credit_note,2026-05-02,P1,=Asha,LED-9,300,A-2\n\
                   A-6,1,invoice,2026-05-09,P1,=Asha,LED-9,1500,\n";

/// April closed, then a return of it in May.
fn club() -> Workspace {
    let mut workspace = Workspace::new(CONFIG);
    workspace.write("schemes/club.toml", CLUB);
    workspace.drop("drop/sales/april.csv", format!("{HEAD}{APRIL}"));
    workspace.trial(&["run", "-q", "--as-of", "2026-05-01"]).status(3).check();
    workspace.drop("drop/sales/may.csv", format!("{HEAD}{MAY}"));
    workspace.trial(&["run", "-q", "--as-of", "2026-05-20"]).check();
    workspace
}

/// Commands with what they print, one after the other.
fn transcript(workspace: &Workspace, commands: &[&str]) -> String {
    let told = |command: &&str| {
        let outcome = workspace.accrued(&command.split(' ').collect::<Vec<_>>());
        let Outcome { status, stdout, stderr, .. } = outcome;
        let exit = if status == 0 { String::new() } else { format!("exit {status}\n") };
        format!("$ accrued {command}\n{stdout}{stderr}{exit}\n")
    };
    commands.iter().map(told).collect()
}

#[test]
fn for_people() {
    let commands = [
        "ledger --format table",
        "ledger --partner P1 --format table",
        "balances --format table",
        "lines --cycle 2026-04 --format table",
        "statement P1 --format table",
        "explain P1 --cycle 2026-04 --format table",
        "explain P1 --entry 1 --format table",
        "explain P1 --format table",
        "explain P2 --format table",
        "explain P3 --cycle 2026-04 --format table",
    ];
    golden::check("reading/people.txt", &transcript(&club(), &commands));
}

#[test]
fn in_a_pipe() {
    let commands = [
        "ledger --cycle 2026-04",
        "balances --partner P1",
        "lines --partner P1",
        "lines --partner P3",
        "statement P1",
        "statement P1 --cycle 2026-04",
        "statement P1 --cycle 2026-05",
        "explain P1 --cycle 2026-04",
        "balances --partner P1 --format json",
    ];
    golden::check("reading/pipe.txt", &transcript(&club(), &commands));
}

#[test]
fn what_is_not_there_is_answered_with_what_is_near() {
    let commands = [
        "explain P9",
        "explain nobody-at-all",
        "explain P1 --scheme clubb",
        "explain P1 --cycle Q1",
        "explain P1 --cycle 2026-01",
        "explain P1 --entry 99",
        "explain P2 --entry 1",
        "statement P1 --cycle 2026-07",
        "ledger --partner P9",
        "lines --scheme other",
        "lines --cycle April",
        "balances --partner P2",
    ];
    golden::check("reading/not_there.txt", &transcript(&club(), &commands));
}

#[test]
fn lines_are_those_of_the_published_papers() {
    let workspace = club();
    let lines = workspace.trial(&["lines", "--cycle", "2026-04"]).check().csv();
    let tree = workspace.tree("var/statements/club/2026-04");
    let mut published = csv_rows(&tree["rev-001/transactions.csv"]);
    let revised = csv_rows(&tree["rev-002/transactions.csv"]);
    published.retain(|row| revised.iter().all(|new| new["partner_code"] != row["partner_code"]));
    published.extend(revised);
    published.sort();
    let mut lines = lines;
    lines.sort();
    assert_eq!(lines, published);
}

#[test]
fn the_account_is_the_published_statement() {
    let workspace = club();
    let account = workspace.trial(&["statement", "P3", "--cycle", "2026-04"]).check().stdout;
    let tree = workspace.tree("var/statements/club/2026-04/statement");
    let published = String::from_utf8(tree["statement.csv"].clone()).expect("text");
    let of_partner = |line: &&str| line.starts_with("partner_code,") || line.starts_with("P3,");
    assert_eq!(account.lines().collect::<Vec<_>>(), published.lines().filter(of_partner).collect::<Vec<_>>());
}

#[test]
fn a_partner_in_two_schemes_must_say_which() {
    let workspace = club();
    workspace.write("schemes/other.toml", CLUB.replace("id = \"club\"", "id = \"other\""));
    workspace.trial(&["run", "-q", "--as-of", "2026-05-21"]).status(3).check();
    let commands = [
        "explain P1",
        "statement P1",
        "lines --partner P2",
        "explain P1 --scheme other --cycle 2026-04 --entry 2",
    ];
    golden::check("reading/two_schemes.txt", &transcript(&workspace, &commands));
}

#[test]
fn what_is_held_and_what_a_person_decided_is_said() {
    let mut workspace = Workspace::new(CONFIG);
    workspace.write("schemes/club.toml", format!("{CLUB}[limits]\naccrual = 100\n"));
    workspace
        .drop("drop/sales/april.csv", format!("{HEAD}A-2,1,invoice,2026-04-02,P1,Asha,LED-9,5200.50,\n"));
    workspace.trial(&["run", "-q", "--as-of", "2026-05-01"]).status(3).check();
    let commands = ["explain P1 --format table", "explain P1", "explain P1 --entry 1 --format table"];
    let held = transcript(&workspace, &commands);
    workspace.trial(&["holds", "discard", "1", "--reason", "no", "--as-of", "2026-05-02"]).check();
    golden::check("reading/held.txt", &format!("{held}{}", transcript(&workspace, &commands[..1])));
}

#[test]
fn before_the_first_run() {
    let workspace = Workspace::new(CONFIG);
    workspace.write("schemes/club.toml", CLUB);
    for command in [&["ledger"][..], &["explain", "P1"]] {
        let said = workspace.trial(command).status(1).check().stderr;
        assert!(said.starts_with("error: there is no store in var yet"), "{said}");
    }
}

const EXAMPLES: &str = r#"
[[example]]
name = "on the first edge"
sales = [{ date = 2026-04-02, amount = "1000" }]
expect = { points = 10, tier = "Silver" }
[[example]]
name = "a gift earns nothing"
sales = [
    { date = 2026-04-02, amount = "6000" },
    { date = 2026-04-03, sku = "GIFT-1", amount = "5000" },
]
expect = { points = 150, tier = "Silver" }
"#;

#[test]
fn examples_are_tried() {
    let workspace = Workspace::new("");
    workspace.write("club.toml", format!("{CLUB}{EXAMPLES}"));
    workspace.write("bad.toml", CLUB.replace("to = ", "").replace("\"1%\"", "1"));
    workspace.write("none.toml", CLUB);
    std::fs::remove_file(workspace.path("accrued.toml")).expect("removed");
    let commands = [
        "test club.toml --format table",
        "test club.toml",
        "test club.toml --format json",
        "test none.toml --format table",
        "test bad.toml",
        "test club.toml none.toml",
        "test missing.toml",
    ];
    golden::check("reading/test.txt", &transcript(&workspace, &commands));
    workspace.trial(&["test"]).status(1).check();
}

#[test]
fn examples_of_schemes_dir_are_tried() {
    let workspace = Workspace::new(CONFIG);
    workspace.write("schemes/club.toml", format!("{CLUB}{EXAMPLES}"));
    let rows = workspace.trial(&["test"]).status(4).check().csv();
    let results: Vec<&str> = rows.iter().map(|row| row["result"].as_str()).collect();
    assert_eq!(results, ["ok", "fail", "untouched", "untouched"]);
    assert_eq!(rows[2]["name"], "the slab edge at 5000");
}
