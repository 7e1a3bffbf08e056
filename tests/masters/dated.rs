//! Which master record applies on a day (evaluation.md 2), in the awkward cases.

use crate::rig::{at_close, evaluated, lines, run, workspace};
use crate::support::program::Workspace;

const SALES: &str = "invoice_no,line_no,doc_type,invoice_date,partner_code,sku,amount,ref_invoice_no\n";
const PARTNERS: &str = "partner_code,name,class,active,effective_from\n";

fn gold(kinds: &[&str]) -> Workspace {
    workspace(kinds, "[earn]\npartner_classes = [\"gold\"]\n")
}

fn sale(number: &str, day: &str, partner: &str) -> String {
    format!("{number},1,invoice,{day},{partner},X,100,\n")
}

#[test]
fn a_record_applies_from_its_day_within_a_cycle_too() {
    let mut workspace = gold(&["sales", "partners"]);
    let sales =
        sale("A1", "2026-01-14", "P1") + &sale("A2", "2026-01-15", "P1") + &sale("A3", "2026-01-20", "P1");
    workspace.drop("drop/sales/1.csv", format!("{SALES}{sales}"));
    let rows =
        "P1,One,silver,,\nP1,One,gold,,2026-01-15\nP1,One,gold,no,2026-01-20\nP1,One,gold,,2027-01-01\n";
    workspace.drop("drop/partners/1.csv", format!("{PARTNERS}{rows}"));
    run(&workspace, "2026-01-25", 0);
    assert_eq!(
        lines(&workspace),
        ["P1 A1: no partner_class 100.00", "P1 A2: yes  100.00", "P1 A3: no partner_inactive 100.00"]
    );
}

#[test]
fn of_two_records_for_one_day_the_later_speaks_and_before_the_first_nobody_is_listed() {
    let mut workspace = gold(&["sales", "partners"]);
    let sales = sale("A1", "2026-01-14", "P1") + &sale("A2", "2026-01-15", "P1");
    workspace.drop("drop/sales/1.csv", format!("{SALES}{sales}"));
    workspace.drop(
        "drop/partners/1.csv",
        format!("{PARTNERS}P1,One,silver,,2026-01-15\nP1,One,gold,,2026-01-15\n"),
    );
    run(&workspace, "2026-01-25", 3);
    assert_eq!(lines(&workspace), ["P1 A1: held partner_unlisted_held 100.00", "P1 A2: yes  100.00"]);
    workspace.drop("drop/partners/2.csv", format!("{PARTNERS}P1,One,silver,,2026-01-15\n"));
    run(&workspace, "2026-01-26", 0);
    assert_eq!(lines(&workspace)[1], "P1 A2: no partner_class 100.00");
    // the same again is no news, and a record of an earlier day changes nothing later
    workspace.drop(
        "drop/partners/3.csv",
        format!("{PARTNERS}P1,One,gold,,2026-01-01\nP1,One,silver,,2026-01-15\n"),
    );
    run(&workspace, "2026-01-27", 0);
    assert_eq!(lines(&workspace), ["P1 A1: yes  100.00", "P1 A2: no partner_class 100.00"]);
}

#[test]
fn an_undated_dump_applies_from_the_beginning_and_the_next_from_its_period_or_its_day() {
    let mut workspace = gold(&["sales", "partners"]);
    workspace.write(
        "accrued.toml",
        std::fs::read_to_string(workspace.path("accrued.toml")).expect("a config").replace(
            "url = \"file:drop/partners\"\nfiles = \"*.csv\"",
            "url = \"file:drop/partners\"\nfiles = \"p*{yyyy}-{mm}*.csv\"",
        ),
    );
    let days = ["2025-12-31", "2026-01-01", "2026-01-31", "2026-02-01"];
    let sales: String = (1..).zip(days).map(|(n, day)| sale(&format!("A{n}"), day, "P1")).collect();
    workspace.write(
        "schemes/club.toml",
        std::fs::read_to_string(workspace.path("schemes/club.toml"))
            .expect("a scheme")
            .replace("starts = 2026-01-01", "starts = 2025-01-01"),
    );
    workspace.drop("drop/sales/1.csv", format!("{SALES}{sales}"));
    workspace.drop("drop/partners/p2026-03.csv", "partner_code,class\nP1,gold\n");
    run(&workspace, "2026-03-10", 0);
    assert!(lines(&workspace).iter().all(|line| line.contains("yes")));
    workspace.drop("drop/partners/p2026-01.csv", "partner_code,class\nP1,silver\n");
    run(&workspace, "2026-03-11", 0);
    let counts: Vec<bool> = lines(&workspace).iter().map(|line| line.contains("yes")).collect();
    assert_eq!(counts, [true, false, false, false]);
    // the file of February comes last and speaks from February on
    workspace.drop("drop/partners/p2026-02.csv", "partner_code,class,name\nP1,gold,\n");
    run(&workspace, "2026-03-12", 0);
    let counts: Vec<bool> = lines(&workspace).iter().map(|line| line.contains("yes")).collect();
    assert_eq!(counts, [true, false, false, true]);
}

#[test]
fn a_return_is_judged_by_the_masters_of_the_day_of_its_sale() {
    let mut workspace = workspace(
        &["sales", "partners", "items"],
        "[earn]\npartner_classes = [\"gold\"]\nexclude_categories = [\"gift\"]\n",
    );
    workspace.drop("drop/partners/1.csv", format!("{PARTNERS}P1,One,gold,,\nP1,One,gold,no,2026-02-01\n"));
    workspace.drop(
        "drop/items/1.csv",
        "sku,category,earns_points,effective_from\nX,lamp,yes,\nX,gift,no,2026-02-01\n",
    );
    let rows = "A1,1,invoice,2026-01-14,P1,x,100,\nC1,1,credit_note,2026-02-10,P1,X,100,A1\nC2,1,credit_note,2026-02-10,P1,X,5,A9\n";
    workspace.drop("drop/sales/1.csv", format!("{SALES}{rows}"));
    run(&workspace, "2026-02-15", 0);
    assert_eq!(
        lines(&workspace),
        ["P1 A1: yes  100.00", "P1 C1: yes  -100.00", "P1 C2: no partner_inactive -5.00"]
    );
}

#[test]
fn a_return_of_another_partners_sale_follows_that_partners_master() {
    let mut workspace = workspace(&["sales", "partners"], "");
    workspace.write("schemes/club.toml", at_close(""));
    workspace.drop("drop/partners/1.csv", format!("{PARTNERS}P1,One,,,\nP2,Two,,,\nP3,Three,,,\n"));
    let rows = "A1,1,invoice,2026-01-14,P1,X,100,\nC1,1,credit_note,2026-01-15,P2,X,100,A1\nA3,1,invoice,2026-01-14,P3,X,7,\n";
    workspace.drop("drop/sales/1.csv", format!("{SALES}{rows}"));
    run(&workspace, "2026-01-20", 0);
    assert_eq!(lines(&workspace)[1], "P2 C1: yes  -100.00");
    workspace.drop("drop/partners/2.csv", format!("{PARTNERS}P1,One,,no,2026-01-01\n"));
    assert_eq!(evaluated(&run(&workspace, "2026-01-21", 0)), 2);
    assert_eq!(
        lines(&workspace)[..2],
        ["P1 A1: no partner_inactive 100.00", "P2 C1: no partner_inactive -100.00"]
    );
}

#[test]
fn items_move_only_partners_with_lines_of_them() {
    let mut workspace = workspace(&["sales", "items"], "");
    workspace.write("schemes/club.toml", at_close("[earn]\nexclude_categories = [\"gift\"]\n"));
    let sales: String = (0..40).map(|n| format!("A{n},1,invoice,2026-01-14,P{n},SKU-{n},100,\n")).collect();
    workspace.drop("drop/sales/1.csv", format!("{SALES}{sales}C7,1,credit_note,2026-01-15,P99,,10,A7\n"));
    workspace.drop("drop/items/1.csv", "sku,category\nSKU-1,lamp\n");
    run(&workspace, "2026-01-20", 0);
    let mut item = |day: &str, rows: &str| {
        workspace.drop(
            &format!("drop/items/{day}.csv"),
            format!("sku,name,category,earns_points,launched_on,effective_from\n{rows}"),
        );
        evaluated(&run(&workspace, day, 0))
    };
    assert!(item("2026-01-21", "sku-7,Seven,gift,,,\n") < 8, "P7 and P99, who returns its sale");
    assert_eq!(
        item("2026-01-22", "SKU-7,Seven renamed,gift,,2026-01-01,2026-01-01\n"),
        0,
        "nothing that a rule asks for"
    );
    assert_eq!(item("2026-01-23", "SKU-none,None,gift,no,,\n"), 0);
    assert!((1..8).contains(&item("2026-01-24", "SKU-9,Nine,,no,,2026-01-01\n")));
    let told = lines(&workspace);
    assert!(
        told.contains(&"P7 A7: no category_excluded 100.00".into())
            && told.contains(&"P99 C7: no category_excluded -10.00".into())
    );
    assert!(told.contains(&"P9 A9: no sku_excluded 100.00".into()));
}
