//! Backup and restore through the binary: copies made while runs go on, what came after them taken again, and everything that may
//! be wrong with a backup, a disk or what stands in the way.

#[path = "support/program.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod program;
#[path = "support/random.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod random;
#[path = "support/ugly.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod ugly;

use program::Workspace;
use random::Random;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};
use ugly::{drop_sales, laid_out, release_all, run};

/// Everything that people can see of a store.
#[derive(PartialEq, Eq, Debug)]
struct Seen {
    ledger: String,
    holds: String,
    files: String,
    published: BTreeMap<String, Vec<u8>>,
    rejects: BTreeMap<String, Vec<u8>>,
}

fn seen(w: &Workspace) -> Seen {
    let said = |args: &[&str]| w.trial(args).check().stdout;
    Seen {
        ledger: said(&["ledger", "--format", "csv"]),
        holds: said(&["holds", "--all", "--format", "csv"]),
        files: said(&["files", "--format", "csv"]),
        published: w.tree("var/statements"),
        rejects: w.tree("var/rejects"),
    }
}

/// The store is lost; what is beside it is not.
fn lose(w: &Workspace) {
    for name in ["accrued.db", "accrued.db-wal", "accrued.db-shm"] {
        let _ = fs::remove_file(w.path(&format!("var/{name}")));
    }
    assert!(!w.path("var/accrued.db").exists());
}

fn sound(w: &Workspace) {
    w.trial(&["verify", "--deep"]).check();
}

/// A month of whatever happens: sales of three partners, other versions of them, notes, bad rows, bytes sent twice.
fn month(w: &mut Workspace, random: &mut Random, number: u64) {
    let mut rows = String::new();
    for _ in 0..1 + random.below(6) {
        let (document, partner) = (random.below(9), 1 + random.below(3));
        let (month, day, amount) = (1 + random.below(3), 10 + random.below(18), random.below(900));
        let kind = ["invoice", "invoice", "credit_note", "cancellation"][random.below(4)];
        let amount = if random.below(12) == 0 { "no".to_owned() } else { amount.to_string() };
        rows.push_str(&format!("A{document},1,{kind},2026-{month:02}-{day},P{partner},X,{amount},\n"));
    }
    drop_sales(w, &format!("m{number}"), &rows);
    if random.below(3) == 0 {
        drop_sales(w, &format!("again{number}"), &rows);
    }
    if random.below(3) == 0 {
        let class = *random.pick(&["A", "B"]);
        w.drop(&format!("drop/partners/{number}.csv"), format!("partner_code,class\nP3,{class}\n"));
    }
}

const DAYS: [&str; 6] = ["2026-01-20", "2026-02-03", "2026-02-20", "2026-03-04", "2026-04-03", "2026-05-05"];

#[test]
fn whatever_came_after_a_backup_is_taken_again_to_the_last_byte() {
    for seed in 0..6 {
        let mut random = Random::new(seed);
        let mut w = laid_out(if seed % 2 == 0 { "continuous" } else { "at-close" });
        let backed_up = random.below(6);
        for (number, day) in DAYS.iter().enumerate() {
            month(&mut w, &mut random, number as u64);
            if random.below(3) == 0 {
                w.killed(&["run", "--as-of", day], Duration::from_millis(random.next() % 90));
            }
            if number == backed_up && w.path("var/accrued.db").exists() && random.below(2) == 0 {
                // perhaps in the middle of a run
                w.accrued(&["backup", "early"]);
            }
            run(&w, day);
            if number == backed_up && !w.path("early").exists() {
                w.trial(&["backup", "early"]).check();
            }
            if random.below(3) == 0 {
                release_all(&w);
            }
        }
        let before = seen(&w);
        lose(&w);
        if random.below(2) == 0 {
            // published folders are made again
            fs::remove_dir_all(w.path("var/statements")).expect("it was published");
        }
        let outcome = w.accrued(&["restore", "early"]);
        assert_eq!(outcome.status, 0, "seed {seed}: {}", outcome.whole());
        assert_eq!(seen(&w), before, "seed {seed}: {}", outcome.whole());
        sound(&w);
        assert!(!w.path("var/.restore").exists());
        let next = w.accrued(&["run", "--as-of", "2026-05-06"]);
        assert!(next.stdout.contains("files      none new"), "seed {seed}: {}", next.whole());
        sound(&w);
    }
}

fn history() -> Workspace {
    let mut w = laid_out("continuous");
    drop_sales(&mut w, "a", "A1,1,invoice,2026-01-05,P1,X,300,\nA2,1,invoice,2026-01-06,P2,X,no,\n");
    run(&w, "2026-02-03");
    w
}

#[test]
fn a_backup_says_what_it_is_and_is_read_by_anyone() {
    let mut w = history();
    let outcome = w.trial(&["backup", "kept/backup/", "--format", "table"]).check();
    let ledger = w.trial(&["ledger"]).check().csv();
    let head = &ledger.last().expect("an entry")["hash"];
    assert!(outcome.stdout.contains(&format!("ledger head   1 {head}")), "{}", outcome.whole());
    let files: Vec<String> = w.tree("kept").into_keys().collect();
    assert_eq!(files, ["backup/MANIFEST.csv", "backup/accrued.db", "backup/archive.csv"]);
    let list = program::csv_rows(&w.tree("kept")["backup/archive.csv"]);
    let names: Vec<_> = list.iter().map(|row| (row["feed"].as_str(), row["name"].as_str())).collect();
    assert_eq!(names, [("partners", "p1.csv"), ("sales", "a.csv")]);
    // it is a store that reading commands take, also where nobody may write
    w.write("other.toml", ugly::CONFIG.replace("\"var\"", "\"kept/backup\""));
    fs::set_permissions(w.path("kept/backup"), fs::Permissions::from_mode(0o555)).expect("ours");
    let other = w.trial(&["--config", "other.toml", "ledger"]).check();
    assert_eq!(other.csv(), ledger);
    w.trial(&["--config", "other.toml", "verify", "chain", "balances", "--head", head]).check();
    fs::set_permissions(w.path("kept/backup"), fs::Permissions::from_mode(0o755)).expect("ours");
    // never over something
    drop_sales(&mut w, "b", "B1,1,invoice,2026-02-05,P1,X,10,\n");
    run(&w, "2026-02-06");
    let again = w.trial(&["backup", "kept/backup"]).status(1).check();
    assert!(again.stderr.contains("holds something"), "{}", again.whole());
    w.trial(&["backup", "accrued.toml"]).status(1).check();
    fs::create_dir(w.path("empty")).expect("a folder");
    w.trial(&["backup", "empty"]).check();
    w.trial(&["restore", "empty"]).status(1).check();
}

#[test]
fn without_a_run_there_is_nothing_to_back_up_or_restore() {
    let w = laid_out("at-close");
    let outcome = w.trial(&["backup", "b"]).status(1).check();
    assert!(outcome.stderr.contains("nothing to back up"), "{}", outcome.whole());
    let outcome = w.trial(&["restore", "b"]).status(1).check();
    assert!(outcome.stderr.contains("is no whole backup"), "{}", outcome.whole());
    assert!(!w.path("b").exists() && !w.path("var/accrued.db").exists());
    // a first run without a file is a state like any other
    let w = Workspace::new(ugly::CONFIG);
    w.write("drop/sales/.keep", "");
    w.write("drop/partners/.keep", "");
    run(&w, "2026-01-01");
    w.trial(&["backup", "b"]).check();
    lose(&w);
    w.trial(&["restore", "b"]).check();
    sound(&w);
}

#[test]
fn nothing_is_restored_over_a_store_or_while_a_run_is_at_work() {
    let w = history();
    w.trial(&["backup", "b"]).check();
    let tree = || {
        let mut tree = w.tree("var");
        // it names who had it last
        tree.remove("lock");
        tree
    };
    let before = tree();
    let outcome = w.trial(&["restore", "b"]).status(1).check();
    assert!(outcome.stderr.contains("nothing is restored over it"), "{}", outcome.whole());
    assert_eq!(tree(), before);
    lose(&w);
    let held = fs::File::options().write(true).open(w.path("var/lock")).expect("the lock");
    held.lock().expect("it is free");
    w.trial(&["restore", "b"]).status(11).check();
    drop(held);
    w.trial(&["restore", "b"]).check();
}

#[test]
fn a_backup_with_a_changed_byte_is_refused_whichever_file_it_is_in() {
    let w = history();
    w.trial(&["backup", "b", "--with-files"]).check();
    lose(&w);
    fs::rename(w.path("var"), w.path("lost")).expect("data_dir can be moved");
    let files = w.tree("b");
    assert!(files.keys().any(|path| path.starts_with("statements/")), "{:?}", files.keys());
    for (path, bytes) in &files {
        let archived = path.starts_with("archive/");
        let table = path.starts_with("statements/") && !path.ends_with("MANIFEST.csv");
        let mut changed = bytes.clone();
        let at = changed.len() / 2;
        changed[at] ^= 1;
        for tampered in [Some(changed), None] {
            let here = w.path(&format!("b/{path}"));
            fs::remove_file(&here).expect("it is there");
            if let Some(bytes) = &tampered {
                fs::write(&here, bytes).expect("it can be written");
            }
            let outcome = w.accrued(&["restore", "b"]);
            // a published file is made again from the archive, an archived one that is gone is told
            let expected = match (archived, table, &tampered) {
                (_, true, _) => 0,
                (true, _, None) => 3,
                _ => 1,
            };
            assert_eq!(outcome.status, expected, "{path}: {}", outcome.whole());
            assert_eq!(w.path("var/accrued.db").exists(), expected != 1, "{path}");
            let _ = fs::remove_dir_all(w.path("var"));
            fs::write(&here, bytes).expect("it can be written");
        }
    }
    w.trial(&["restore", "b"]).check();
    sound(&w);
}

#[test]
fn a_store_that_is_not_sound_is_not_backed_up() {
    let w = history();
    let store = rusqlite::Connection::open(w.path("var/accrued.db")).expect("a store");
    store.execute_batch("DROP TRIGGER ledger_keeps; UPDATE ledger SET points = points + 1").expect("SQL");
    drop(store);
    let outcome = w.trial(&["backup", "b"]).status(1).check();
    assert!(outcome.stderr.contains("the trigger ledger_keeps is gone"), "{}", outcome.whole());
    assert!(!w.path("b").exists() && !w.path(".b.accrued-partial").exists());
}

#[test]
fn archived_files_that_are_gone_or_changed_are_told() {
    let w = history();
    let path = w.tree("var/archive").into_keys().next().expect("an archived file");
    let bytes = fs::read(w.path(&format!("var/archive/{path}"))).expect("it is there");
    w.write(&format!("var/archive/{path}"), vec![b'x'; bytes.len()]);
    w.trial(&["backup", "sizes"]).check();
    let outcome = w.trial(&["backup", "bytes", "--deep"]).status(3).check();
    assert!(outcome.stderr.contains("was changed"), "{}", outcome.whole());
    fs::remove_file(w.path(&format!("var/archive/{path}"))).expect("it is there");
    w.trial(&["backup", "gone"]).status(3).check();
    assert!(w.path("gone/MANIFEST.csv").exists());
    lose(&w);
    let outcome = w.trial(&["restore", "gone"]).status(3).check();
    assert!(outcome.stderr.contains("is not in the archive"), "{}", outcome.whole());
}

#[test]
fn a_published_folder_with_other_bytes_stops_publishing() {
    let mut w = history();
    w.trial(&["backup", "b"]).check();
    drop_sales(&mut w, "b", "B1,1,invoice,2026-01-07,P1,X,50,\n");
    run(&w, "2026-02-06");
    let right = w.tree("var/statements");
    let path = "var/statements/club/2026-01/rev-002/summary.csv";
    let mut changed = fs::read(w.path(path)).expect("published");
    changed.pop();
    changed.push(b' ');
    w.write(path, &changed);
    lose(&w);
    let outcome = w.trial(&["restore", "b"]).status(1).check();
    for said in ["statements/club/2026-01/rev-002", "summary.csv has SHA-256 ", "nothing is published until"]
    {
        assert!(outcome.stderr.contains(said), "{said}: {}", outcome.whole());
    }
    // the store is there, and nothing is published over or beside it
    let stopped = w.trial(&["run", "--as-of", "2026-02-07"]).status(1).check();
    assert!(
        stopped.stderr.contains("rev-002") && stopped.stderr.contains("summary.csv"),
        "{}",
        stopped.whole()
    );
    assert_eq!(fs::read(w.path(path)).expect("still there"), changed);
    w.trial(&["run", "--as-of", "2026-02-07"]).status(1).check();
    fs::rename(w.path("var/statements/club/2026-01/rev-002"), w.path("evidence")).expect("it can be moved");
    run(&w, "2026-02-07");
    assert_eq!(w.tree("var/statements"), right);
    sound(&w);
}

#[test]
fn as_backed_up_leaves_what_came_after_and_never_publishes_over_it() {
    let mut w = history();
    w.trial(&["backup", "b"]).check();
    let before = w.trial(&["ledger"]).check().stdout;
    drop_sales(&mut w, "b", "B1,1,invoice,2026-01-07,P1,X,50,\n");
    run(&w, "2026-02-06");
    let right = fs::read(w.path("var/statements/club/2026-01/rev-002/MANIFEST.csv")).expect("published");
    lose(&w);
    w.trial(&["restore", "b", "--as-backed-up"]).check();
    assert_eq!(w.trial(&["ledger"]).check().stdout, before);
    // the same file at another instant makes other bytes of what partners have been given
    let outcome = w.trial(&["run", "--as-of", "2026-02-09"]).status(1).check();
    assert!(outcome.stderr.contains("published folder never changes"), "{}", outcome.whole());
    assert_eq!(fs::read(w.path("var/statements/club/2026-01/rev-002/MANIFEST.csv")).expect("there"), right);
}

#[test]
fn without_the_journal_files_are_taken_again_in_the_order_of_the_manifests() {
    let mut w = history();
    // names tell the feed
    let config = ugly::CONFIG.replacen("\"*.csv\"", "\"?.csv\"", 1).replacen("\"*.csv\"", "\"p*.csv\"", 1);
    w.write("accrued.toml", config);
    w.trial(&["backup", "b"]).check();
    for (name, day) in [("z", "2026-02-06"), ("b", "2026-02-07")] {
        drop_sales(
            &mut w,
            name,
            &format!(
                "N{name},1,invoice,2026-01-07,P1,X,50,\nA1,1,invoice,2026-01-05,P1,X,{},\n",
                name.len() * 7
            ),
        );
        run(&w, day);
    }
    let balances = w.trial(&["balances"]).check().stdout;
    lose(&w);
    fs::remove_file(w.path("var/journal.jsonl")).expect("it is kept");
    fs::remove_dir_all(w.path("drop/sales")).expect("files go from servers");
    w.write("drop/sales/.keep", "");
    let outcome = w.trial(&["restore", "b", "--as-of", "2026-02-08"]).status(1).check();
    let taken: Vec<_> = outcome.stdout.lines().filter(|line| line.starts_with("taken again")).collect();
    assert_eq!(
        taken,
        ["taken again,z.csv of feed sales", "taken again,b.csv of feed sales"],
        "{}",
        outcome.whole()
    );
    assert_eq!(w.trial(&["balances"]).check().stdout, balances);
    // entries have other instants than those that partners were given, so publishing stops
    assert!(outcome.stderr.contains("rev-002: stands with other bytes"), "{}", outcome.whole());
    w.trial(&["run", "--as-of", "2026-02-09"]).status(1).check();
    for number in ["rev-002", "rev-003"] {
        let _ = fs::rename(w.path(&format!("var/statements/club/2026-01/{number}")), w.path(number));
    }
    run(&w, "2026-02-09");
    sound(&w);
}

#[test]
fn a_run_that_began_anew_before_anybody_saw_the_loss_hides_nothing() {
    let mut w = history();
    w.trial(&["backup", "b"]).check();
    drop_sales(&mut w, "b", "B1,1,invoice,2026-01-07,P1,X,50,\n");
    run(&w, "2026-02-06");
    let before = seen(&w);
    lose(&w);
    // the timer fires: an empty store takes what lies at the feeds, and may not publish it
    let anew = w.trial(&["run", "--as-of", "2026-02-10"]).status(1).check();
    assert!(anew.stderr.contains("published folder never changes"), "{}", anew.whole());
    w.trial(&["run", "--as-of", "2026-02-11"]).status(1).check();
    w.trial(&["restore", "b"]).status(1).check();
    lose(&w);
    w.trial(&["restore", "b"]).check();
    assert_eq!(seen(&w), before);
    run(&w, "2026-02-12");
    sound(&w);
}

#[test]
fn a_changed_journal_is_not_believed() {
    let mut w = history();
    w.trial(&["backup", "b"]).check();
    drop_sales(&mut w, "b", "B1,1,invoice,2026-01-07,P1,X,50,\n");
    run(&w, "2026-02-06");
    let before = seen(&w);
    lose(&w);
    let kept = fs::read_to_string(w.path("var/journal.jsonl")).expect("it is kept");
    let line = kept.lines().find(|line| line.contains("b.csv")).expect("a record of the file");
    w.write("var/journal.jsonl", kept.replace(line, &line.replace("b.csv", "c.csv")));
    let outcome = w.trial(&["restore", "b"]).status(1).check();
    assert!(outcome.stderr.contains("was changed since it was written"), "{}", outcome.whole());
    assert!(!w.path("var/accrued.db").exists());
    // a line that the machine's end has torn is none
    w.write("var/journal.jsonl", format!("{kept}{{\"seq\":99,\"at\""));
    w.trial(&["restore", "b"]).check();
    assert_eq!(seen(&w), before);
    // without its bytes a file cannot be taken again
    lose(&w);
    let list = w.trial(&["backup", "c"]).status(1).check();
    drop(list);
    let archive = w.tree("var/archive");
    let (path, bytes) =
        archive.iter().find(|(_, bytes)| bytes.windows(2).any(|two| two == b"B1")).expect("b.csv");
    fs::remove_file(w.path(&format!("var/archive/{path}"))).expect("archived");
    let outcome = w.trial(&["restore", "b"]).status(1).check();
    assert!(outcome.stderr.contains("--as-backed-up"), "{}", outcome.whole());
    w.write(&format!("var/archive/{path}"), bytes);
    w.trial(&["restore", "b"]).check();
    assert_eq!(seen(&w), before);
}

#[test]
fn backups_are_made_while_runs_go_on() {
    let mut w = laid_out("continuous");
    let mut days = (1..28).map(|day| format!("2026-03-{day:02}T00:00:00Z"));
    let mut made = 0;
    let next = |w: &mut Workspace, number: usize, days: &mut dyn Iterator<Item = String>| {
        let mut rows = String::new();
        for line in 0..150 {
            rows.push_str(&format!(
                "R{number}-{line},1,invoice,2026-0{}-11,P{},X,{},\n",
                1 + line % 2,
                1 + line % 2,
                line
            ));
        }
        drop_sales(w, &format!("r{number}"), &rows);
        days.next().expect("days enough")
    };
    let first = next(&mut w, 0, &mut days);
    run(&w, &first);
    for number in 1..20 {
        let day = next(&mut w, number, &mut days);
        let mut running = w.start(&["run", "--as-of", &day]);
        let mut backups = 0;
        while running.try_wait().expect("our own child").is_none() || backups == 0 {
            let name = format!("bk/{made}");
            let outcome = w.accrued(&["backup", &name, "--with-files"]);
            assert_eq!(outcome.status, 0, "{}", outcome.whole());
            made += 1;
            backups += 1;
        }
        let status = running.wait().expect("our own child").code();
        assert!(matches!(status, Some(0 | 3)), "the run beside backups ended with {status:?}");
    }
    let whole = w.trial(&["ledger"]).check().stdout;
    // each is a state that the ledger was in, and is restored elsewhere
    for number in (0..made).step_by(3) {
        let name = format!("bk/{number}");
        w.write("other.toml", ugly::CONFIG.replace("\"var\"", &format!("\"other{number}\"")));
        w.trial(&["--config", "other.toml", "restore", &name]).check();
        let ledger = w.trial(&["--config", "other.toml", "ledger"]).check().stdout;
        assert!(whole.starts_with(&ledger), "backup {number} is no state of the ledger");
        w.trial(&["--config", "other.toml", "verify"]).check();
    }
}

/// How long a command takes undisturbed.
fn time(w: &Workspace, args: &[&str]) -> Duration {
    let start = Instant::now();
    w.trial(args).check();
    start.elapsed()
}

#[test]
fn killed_at_any_instant_a_backup_is_not_there_and_a_restore_begins_anew() {
    let mut w = history();
    w.trial(&["backup", "early"]).check();
    drop_sales(&mut w, "b", "B1,1,invoice,2026-01-07,P1,X,50,\n");
    run(&w, "2026-02-06");
    let before = seen(&w);
    let whole = time(&w, &["backup", "first", "--with-files"]);
    let mut random = Random::new(7);
    let mut alive = 0;
    for number in 0..15 {
        let after = whole * u32::try_from(random.below(1000)).expect("small") / 1000;
        alive += usize::from(w.killed(&["backup", "killed", "--with-files"], after));
        if w.path("killed").exists() {
            assert!(w.path("killed/MANIFEST.csv").exists(), "killed after {after:?}");
            fs::remove_dir_all(w.path("killed")).expect("a folder");
        } else {
            w.trial(&["backup", "killed", "--with-files"]).check();
            fs::remove_dir_all(w.path("killed")).expect("a folder");
        }
        assert!(!w.path(".killed.accrued-partial").exists(), "{number}");
    }
    assert!(alive > 5, "{alive} of 15 were alive");
    lose(&w);
    let whole = time(&w, &["restore", "early"]);
    let mut alive = 0;
    for _ in 0..15 {
        lose(&w);
        let _ = fs::remove_dir_all(w.path("var/statements"));
        let after = whole * u32::try_from(random.below(1200)).expect("small") / 1000;
        alive += usize::from(w.killed(&["restore", "early"], after));
        if !w.path("var/accrued.db").exists() {
            w.trial(&["restore", "early"]).check();
        }
        assert_eq!(seen(&w), before, "killed after {after:?}");
    }
    assert!(alive > 5, "{alive} of 15 were alive");
    run(&w, "2026-02-07");
    sound(&w);
}

#[test]
fn a_full_disk_leaves_no_half_backup_and_no_half_store() {
    let mut w = history();
    w.trial(&["backup", "early"]).check();
    drop_sales(&mut w, "b", "B1,1,invoice,2026-01-07,P1,X,50,\n");
    run(&w, "2026-02-06");
    let before = seen(&w);
    let mut failed = 0;
    for kib in [1, 16, 64, 200, 500, 700] {
        let outcome = w.within(kib, &["backup", "full"]);
        if outcome.status == 0 {
            fs::remove_dir_all(w.path("full")).expect("a backup");
            continue;
        }
        failed += 1;
        assert_eq!(outcome.status, 1, "{kib} KiB: {}", outcome.whole());
        assert!(!w.path("full").exists() && !w.path(".full.accrued-partial").exists(), "{kib} KiB");
    }
    lose(&w);
    for kib in [1, 16, 64, 200, 500, 700] {
        let outcome = w.within(kib, &["restore", "early"]);
        if outcome.status == 0 {
            lose(&w);
            continue;
        }
        failed += 1;
        assert_eq!(outcome.status, 1, "{kib} KiB: {}", outcome.whole());
        assert!(!w.path("var/accrued.db").exists(), "{kib} KiB");
    }
    assert!(failed >= 6, "the limits must bite: {failed} did");
    w.trial(&["restore", "early"]).check();
    assert_eq!(seen(&w), before);
    sound(&w);
}
