//! A small workspace: one local feed, one scheme with monthly cycles, two partners.

use crate::support::program::Workspace;

pub const SCHEME: &str = "[scheme]\nid = \"club\"\nname = \"Club\"\ncompany = \"Example\"\ncurrency = \"INR\"\n\
                          timezone = \"Asia/Kolkata\"\nstarts = 2026-01-01\n[cycle]\nlength = \"month\"\n[slabs]\n\
                          mode = \"whole\"\n[[slab]]\nfrom = 0\nrate = \"1%\"\n";

pub const HEADER: &str = "invoice_no,line_no,invoice_date,partner_code,amount\n";

/// After the grace of January, in February.
pub const FEBRUARY: &str = "2026-02-08";

/// A feed of `kind` in `drop/NAME`.
pub fn feed(name: &str, kind: &str, more: &str) -> String {
    format!(
        "[[feed]]\nname = \"{name}\"\nkind = \"{kind}\"\nurl = \"file:drop/{name}\"\nfiles = \"*.csv\"\n\
         timezone = \"Asia/Kolkata\"\nsettle_seconds = 0\n{more}"
    )
}

/// The workspace with these feeds; their folders are there.
pub fn with(feeds: &str) -> Workspace {
    let workspace = Workspace::new(feeds);
    workspace.write("schemes/club.toml", SCHEME);
    for line in feeds.lines() {
        if let Some(name) = line.strip_prefix("name = \"").and_then(|rest| rest.strip_suffix('"')) {
            std::fs::create_dir_all(workspace.path(&format!("drop/{name}"))).expect("a folder can be made");
        }
    }
    workspace
}

/// One sales feed, nothing dropped yet.
pub fn workspace() -> Workspace {
    with(&feed("sales", "sales", ""))
}

/// January's sales of two partners are dropped.
pub fn january(workspace: &mut Workspace) {
    workspace
        .drop("drop/sales/jan.csv", format!("{HEADER}A1,1,2026-01-05,P1,1000\nA2,1,2026-01-06,P2,250\n"));
}

/// January is closed, and P1 has 10 points, P2 has 2.
pub fn closed() -> Workspace {
    let mut workspace = workspace();
    january(&mut workspace);
    workspace.trial(&["run", "--as-of", FEBRUARY]).check();
    workspace
}

/// A long hash in the text is shown as so many characters of nothing in particular.
pub fn without_hashes(text: &str) -> String {
    let is_hash = |word: &str| word.len() == 64 && word.bytes().all(|b| b.is_ascii_hexdigit());
    let words = |line: &str| {
        let words: Vec<&str> = line
            .split(' ')
            .map(|word| if is_hash(word.trim_end_matches([',', ';'])) { "HASH" } else { word })
            .collect();
        words.join(" ")
    };
    text.lines().map(|line| words(line) + "\n").collect()
}
