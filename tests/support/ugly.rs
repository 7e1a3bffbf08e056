//! A history in which everything changes that can change.

use crate::program::Workspace;

pub const CONFIG: &str = "data_dir = \"var\"\nschemes_dir = \"schemes\"\n\n[[feed]]\nname = \"sales\"\nkind = \"sales\"\n\
                      url = \"file:drop/sales\"\nfiles = \"*.csv\"\ntimezone = \"Asia/Kolkata\"\nsettle_seconds = 0\n\
                      [[feed]]\nname = \"partners\"\nkind = \"partners\"\nurl = \"file:drop/partners\"\nfiles = \"*.csv\"\n\
                      timezone = \"Asia/Kolkata\"\nsettle_seconds = 0\n";
pub const HEADER: &str = "invoice_no,line_no,doc_type,invoice_date,partner_code,sku,amount,ref_invoice_no\n";

/// A ladder over the year so far, shortfalls carried, a limit: every cycle rests on its neighbours.
fn scheme(rate: &str, post: &str) -> String {
    format!(
        "[scheme]\nid = \"club\"\nname = \"Club\"\ncompany = \"Example\"\ncurrency = \"INR\"\ntimezone = \"Asia/Kolkata\"\n\
         starts = 2026-01-01\n\n[cycle]\nlength = \"month\"\npost = \"{post}\"\n\n[earn]\npartner_classes = [\"A\"]\n\
         returns = \"return-cycle\"\n\n[slabs]\nmode = \"whole\"\n[[slab]]\nfrom = 0\nrate = \"{rate}\"\n\n\
         [[tier_level]]\nname = \"Gold\"\nfrom = 1000\n[[tier_bonus]]\ntier = \"Gold\"\npercent = \"50%\"\n\
         [tier]\nmeasured_over = \"year-to-date\"\napplies = \"next-cycle\"\n[limits]\naccrual = 100\n"
    )
}

/// Lays a workspace out.
pub fn laid_out(post: &str) -> Workspace {
    let mut workspace = Workspace::new(CONFIG);
    workspace.write("schemes/club.toml", scheme("10%", post));
    workspace.drop("drop/sales/.keep", "");
    workspace.drop(
        "drop/partners/p1.csv",
        "partner_code,class,effective_from\nP1,A,2025-01-01\nP2,A,2025-01-01\n",
    );
    workspace
}

pub fn drop_sales(workspace: &mut Workspace, name: &str, rows: &str) {
    workspace.drop(&format!("drop/sales/{name}.csv"), format!("{HEADER}{rows}"));
}

pub fn run(workspace: &Workspace, day: &str) {
    let outcome = workspace.accrued(&["run", "--as-of", day]);
    assert!(matches!(outcome.status, 0 | 3), "{}", outcome.whole());
}

pub fn release_all(workspace: &Workspace) {
    for hold in workspace.accrued(&["holds", "--format", "csv"]).csv() {
        if matches!(hold["kind"].as_str(), "over_limit" | "identity_conflict" | "scheme_edited") {
            let args = ["holds", "release", &hold["id"], "--reason", "meant"];
            workspace.trial(&args).check();
        }
    }
}

/// Late lines, other versions, notes, cancellations, conflicts and limits released, an edited scheme put back again, master
/// records from other days, days that come.
pub fn ugly_history(post: &str) -> Workspace {
    let mut w = laid_out(post);
    drop_sales(&mut w, "a", "A1,1,invoice,2026-01-05,P1,X,300,\nA2,1,invoice,2026-01-06,P2,X,2000,\n");
    run(&w, "2026-02-03");
    drop_sales(
        &mut w,
        "b",
        "A1,1,invoice,2026-01-05,P1,X,400,\nB1,1,credit_note,2026-02-04,P2,X,900,A2\n\
         B2,1,invoice,2026-03-20,P1,X,70,\nA2,1,invoice,2026-01-06,P1,X,50,\n",
    );
    run(&w, "2026-02-05");
    release_all(&w);
    w.write("schemes/club.toml", scheme("20%", post));
    run(&w, "2026-03-02");
    release_all(&w);
    drop_sales(&mut w, "c", "C1,1,invoice,2026-02-10,P2,X,500,\nA1,1,cancellation,2026-01-05,P1,,0,\n");
    run(&w, "2026-03-03");
    w.write("schemes/club.toml", scheme("10%", post));
    w.drop("drop/partners/p2.csv", "partner_code,class,effective_from\nP1,B,2026-02-01\n");
    run(&w, "2026-03-21");
    w.drop("drop/partners/p3.csv", "partner_code,class,effective_from\nP1,A,2026-02-01\n");
    drop_sales(&mut w, "d", "D1,1,invoice,2026-01-31,P1,X,10,\n");
    run(&w, "2026-04-02");
    release_all(&w);
    run(&w, "2026-04-03");
    w
}
