//! A disk that is full or read-only: exit 1, nothing half done, and the next run finishes the work.

#[path = "support/program.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod program;

use accrued::store::Store;
use accrued::store::ledger::Wanted;
use program::Workspace;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

const CONFIG: &str = "data_dir = \"var\"\nschemes_dir = \"schemes\"\n\n[[feed]]\nname = \"sales\"\nkind = \"sales\"\n\
                      url = \"file:drop\"\nfiles = \"*.csv\"\ntimezone = \"Asia/Kolkata\"\nsettle_seconds = 0\n";
const SCHEME: &str = "[scheme]\nid = \"club\"\nname = \"Club\"\ncompany = \"Example\"\ncurrency = \"INR\"\n\
                      timezone = \"Asia/Kolkata\"\nstarts = 2026-04-01\n[cycle]\nlength = \"month\"\n[slabs]\nmode = \"whole\"\n\
                      [[slab]]\nfrom = 0\nrate = \"1%\"\n";
const AS_OF: &str = "2026-07-10T00:00:00Z";

/// Two thousand lines of two hundred partners in three months: some 150 KB, and more in the store.
fn sales() -> String {
    let mut rows = String::from("invoice_no,line_no,invoice_date,partner_code,sku,amount,partner_name\n");
    for number in 0..2_000 {
        let (month, day, partner) = (4 + number % 3, 1 + number % 28, number % 200);
        writeln!(rows, "I{number},1,2026-{month:02}-{day:02},P{partner:03},SKU-{number},{number}.50,Partner number {partner}")
            .unwrap();
    }
    rows
}

fn workspace() -> Workspace {
    let mut workspace = Workspace::new(CONFIG);
    workspace.write("schemes/club.toml", SCHEME);
    workspace.drop("drop/a.csv", sales());
    workspace
}

fn entries(workspace: &Workspace) -> Vec<(String, String, i64)> {
    let mut entries = Vec::new();
    if let Some(store) = Store::open_reading(&workspace.path("var")).unwrap() {
        store
            .each_entry(&Wanted::default(), |entry| {
                entries.push((entry.cycle, entry.partner_code, entry.points.0));
                Ok(())
            })
            .unwrap();
    }
    entries
}

/// Published tables by path; manifests tell of instants and hashes of their own run.
fn tables(workspace: &Workspace) -> BTreeMap<String, Vec<u8>> {
    let mut files = workspace.tree("var/statements");
    files.retain(|name, _| !name.ends_with("MANIFEST.csv"));
    files
}

#[test]
fn a_full_disk_fails_the_run_and_the_next_one_ends_as_if_nothing_had_been() {
    let undisturbed = workspace();
    undisturbed.trial(&["run", "--as-of", AS_OF]).check();
    let (ledger, published) = (entries(&undisturbed), tables(&undisturbed));
    assert_eq!(ledger.len(), 600);
    let mut failed = 0;
    for kib in [1, 8, 33, 64, 100, 160, 200, 260, 330, 400, 500, 650] {
        let workspace = workspace();
        let outcome = workspace.within(kib, &["run", "--as-of", AS_OF]);
        if outcome.status != 0 {
            failed += 1;
            assert_eq!(outcome.status, 1, "{kib} KiB: {}", outcome.whole());
            assert!(outcome.stderr.contains("error:"), "{kib} KiB: {}", outcome.whole());
        }
        for (name, bytes) in tables(&workspace) {
            assert_eq!(Some(&bytes), published.get(&name), "{kib} KiB: {name} is whole or not there");
        }
        workspace.trial(&["run", "--as-of", AS_OF]).check();
        assert_eq!(entries(&workspace), ledger, "{kib} KiB");
        assert_eq!(tables(&workspace), published, "{kib} KiB");
    }
    assert!(failed >= 5, "the limits must bite: {failed} did");
}

#[test]
fn a_read_only_data_dir_is_said_with_its_path() {
    let workspace = workspace();
    workspace.trial(&["run", "--as-of", AS_OF]).check();
    let before = workspace.tree("var/statements");
    // where anybody may run it
    let program = workspace.path("accrued");
    std::fs::copy(env!("CARGO_BIN_EXE_accrued"), &program).expect("the program can be copied");
    let said = read_only(&workspace, &["run", "--as-of", "2026-07-11T00:00:00Z"], 1);
    assert!(said.contains("var/"), "{said}");
    assert_eq!(workspace.tree("var/statements"), before);
    // whoever may only read can
    for command in
        [&["balances"][..], &["verify"], &["files"], &["holds"], &["status"], &["report", "reconciliation"]]
    {
        read_only(&workspace, command, 0);
    }
}

/// Runs it as somebody who may not write to data_dir; what it says to people.
fn read_only(workspace: &Workspace, args: &[&str], status: i32) -> String {
    let program = workspace.path("accrued");
    let root = Command::new("id").arg("-u").output().expect("id starts").stdout == b"0\n";
    let mut command = if root {
        // root may write anywhere: be somebody else
        let mut command = Command::new("setpriv");
        command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups"]).arg(&program);
        command
    } else {
        Command::new(&program)
    };
    let mode = |folder: &str, mode| {
        let permissions = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(workspace.path(folder), permissions).expect("it is ours");
    };
    mode("", 0o755);
    mode("var", 0o555);
    let output = command.args(args).current_dir(workspace.root()).output().expect("the program starts");
    mode("var", 0o755);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(status), "{args:?}: {said}");
    said
}
