//! Masters, local codes and rates that are replaced, read again, and replayed.

use crate::rig::{balances, feed, holds, lines, run, workspace};
use crate::support::program::Workspace;

const SALES: &str = "distributor_code,invoice_no,line_no,invoice_date,partner_code,amount,currency\n";

fn reread(workspace: &Workspace, feed: &str, day: &str) {
    let outcome = workspace.accrued(&["reread", "--feed", feed, "--as-of", day]);
    assert!([0, 3].contains(&outcome.status), "{}", outcome.whole());
    workspace.trial(&["verify"]).check();
}

fn state(workspace: &Workspace) -> (Vec<String>, Vec<String>) {
    (lines(workspace), holds(workspace))
}

/// Partners with their codes, and rates, read with a wrong setting at first.
fn with_wrong_settings() -> Workspace {
    let mut workspace = workspace(&["sales", "partners", "fx"], "");
    let wrong_partners = feed("partners", "partners", "[feed.columns]\nlocal_code = \"Other\"\n");
    let wrong_fx = feed("fx", "fx", "[feed.csv]\ndates = [\"%m/%d/%Y\"]\n");
    workspace.write("accrued.toml", format!("{}{wrong_partners}{wrong_fx}", feed("sales", "sales", "")));
    let rows = "D1,A1,1,2026-01-05,55,100,\nD1,A2,1,2026-03-05,55,200,\nD1,A3,1,2026-01-06,R-2,10,USD\n";
    workspace.drop("drop/sales/1.csv", format!("{SALES}{rows}"));
    workspace.drop(
        "drop/partners/1.csv",
        "partner_code,name,distributor_code,Code,Other\nR-1,One,D1,55,77\nR-2,Two,,,\n",
    );
    workspace.drop("drop/fx/1.csv", "date,from,to,rate\n02/01/2026,USD,INR,80\n");
    run(&workspace, "2026-03-10", 3);
    // a second dump gives 55 to R-2 from the day on which it comes
    workspace
        .drop("drop/partners/2.csv", "partner_code,name,distributor_code,Code,Other\nR-2,Two,D1,55,77\n");
    run(&workspace, "2026-03-11", 0);
    assert_eq!(
        state(&workspace),
        (
            vec![
                "55 A1: held partner_unlisted_held 100.00".into(),
                "55 A2: held partner_unlisted_held 200.00".into(),
                "R-2 A3: held no_fx_rate ".into()
            ],
            vec![
                "partner_unlisted_held 55 1 100".into(),
                "partner_unlisted_held 55 1 200".into(),
                "no_fx_rate R-2 1 10".into()
            ]
        )
    );
    workspace
}

#[test]
fn what_is_read_again_stands_where_its_first_reading_stood() {
    let workspace = with_wrong_settings();
    let partners = feed("partners", "partners", "[feed.columns]\nlocal_code = \"Code\"\n");
    let fx = feed("fx", "fx", "[feed.csv]\ndates = [\"%d/%m/%Y\"]\n");
    workspace.write("accrued.toml", format!("{}{partners}{fx}", feed("sales", "sales", "")));
    reread(&workspace, "partners", "2026-03-20");
    reread(&workspace, "fx", "2026-03-21");
    let expected = ["R-1 A1: yes  100.00", "R-1 A2: yes  200.00", "R-2 A3: yes  800.00"];
    assert_eq!(state(&workspace), (expected.map(str::to_owned).to_vec(), vec![]));
    workspace.trial(&["verify", "--deep"]).check();
}

#[test]
fn the_newest_dump_of_a_period_speaks_for_it() {
    let mut workspace = workspace(&["sales", "partners"], "");
    let replacing = feed("partners", "partners", "mode = \"replace\"\nmax_void_percent = \"100\"\n")
        .replace("\"*.csv\"", "\"p{yyyy}-{mm}*.csv\"");
    workspace.write("accrued.toml", format!("{}{replacing}", feed("sales", "sales", "")));
    workspace
        .drop("drop/sales/1.csv", format!("{SALES}D1,A1,1,2026-01-05,55,100,\nD1,A2,1,2026-01-05,R-9,7,\n"));
    workspace.drop(
        "drop/partners/p2026-01.csv",
        "partner_code,distributor_code,local_code,name\nR-1,D1,55,One\nR-9,,,Nine\n",
    );
    run(&workspace, "2026-01-10", 0);
    assert_eq!(lines(&workspace), ["R-1 A1: yes  100.00", "R-9 A2: yes  7.00"]);
    // corrected: 55 was R-2 all along, and R-9 is none of ours
    workspace.drop(
        "drop/partners/p2026-01b.csv",
        "partner_code,distributor_code,local_code,name\nR-2,D1,55,Two\n",
    );
    let outcome = workspace.accrued(&["run", "--as-of", "2026-01-11"]);
    assert!([0, 3].contains(&outcome.status), "{}", outcome.whole());
    workspace.trial(&["verify"]).check();
    assert_eq!(lines(&workspace), ["R-2 A1: yes  100.00", "R-9 A2: held partner_unlisted_held 7.00"]);
    assert_eq!(balances(&workspace)["R-2"], "1.00");
    workspace.trial(&["verify", "--deep"]).check();
}

#[test]
fn a_rate_that_nobody_says_any_more_bounds_no_other() {
    let mut workspace = workspace(&["sales", "fx"], "");
    let feeds = |dates: &str| {
        format!(
            "{}{}",
            feed("sales", "sales", ""),
            feed("fx", "fx", &format!("[feed.csv]\ndates = [\"{dates}\"]\n"))
        )
    };
    workspace.write("accrued.toml", feeds("%m/%d/%Y"));
    workspace.drop("drop/sales/1.csv", format!("{SALES}D1,A1,1,2026-02-10,P1,100,USD\n"));
    workspace.drop("drop/fx/1.csv", "date,from,to,rate\n01/01/2026,USD,INR,70\n02/01/2026,USD,INR,80\n");
    run(&workspace, "2026-02-11", 0);
    // 2 January it was, not 1 February
    workspace.write("accrued.toml", feeds("%d/%m/%Y"));
    reread(&workspace, "fx", "2026-02-12");
    assert_eq!(balances(&workspace)["P1"], "80.00");
    workspace.drop("drop/fx/2.csv", "date,from,to,rate\n05/01/2026,USD,INR,90\n");
    run(&workspace, "2026-02-13", 0);
    assert_eq!(balances(&workspace)["P1"], "90.00");
}

#[test]
fn what_is_read_again_unchanged_is_no_news() {
    let mut workspace = workspace(&["sales", "partners", "items", "fx"], "");
    workspace.drop("drop/sales/s.csv", format!("{SALES}D1,A1,1,2026-02-10,55,100,USD\n"));
    let partners = "partner_code,class,distributor_code,local_code,effective_from\nR-1,A,D1,55,\nR-1,B,,,2026-02-01\nR-2,A,D1,56,\n";
    workspace.drop("drop/partners/p.csv", partners);
    workspace.drop("drop/items/i.csv", "sku,category\nLED-1,lamps\nFAN-1,fans\n");
    workspace.drop("drop/fx/f.csv", "date,from,to,rate\n2026-01-01,USD,INR,70\n2026-02-01,USD,INR,80\n");
    run(&workspace, "2026-02-11", 0);
    let counts = |file: &str| {
        let taken = workspace.accrued(&["files", file, "--format", "csv"]).csv().pop().expect("it was taken");
        ["rows", "accepted", "superseding", "duplicate"].map(|column| taken[column].clone()).join(" ")
    };
    assert_eq!(["p.csv", "i.csv", "f.csv"].map(counts), ["3 2 1 0", "2 2 0 0", "2 2 0 0"]);
    for feed in ["partners", "items", "fx"] {
        reread(&workspace, feed, "2026-02-12");
    }
    assert_eq!(["p.csv", "i.csv", "f.csv"].map(counts), ["3 0 0 3", "2 0 0 2", "2 0 0 2"]);
    workspace.trial(&["verify", "--deep"]).check();
}
