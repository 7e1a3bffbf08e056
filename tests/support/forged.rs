//! A store as another version of the program would have left it: what it has posted and published is changed, and every hash is
//! made to fit, so that nothing of it is broken.

use std::collections::BTreeMap;

use accrued::domain::chain;
use rusqlite::Connection;

use crate::program::Workspace;

/// Makes all runs so far those of another version, which gave each of these partners so many points more.
pub fn by_another_version(workspace: &Workspace, program: &str, zones: &str, gave: &[(&str, i64)]) {
    let store = Connection::open(workspace.path("var/accrued.db")).expect("a store");
    let guards = lift_guards(&store);
    let sql = "UPDATE journal SET body = json_set(body, '$.program', ?1, '$.time_zone_data', ?2) WHERE kind = 'run-started'";
    store.execute(sql, [program, zones]).expect("runs");
    let mut hashes = BTreeMap::new();
    for (partner, more) in gave {
        give(workspace, &store, partner, *more);
    }
    chain_ledger(&store, &mut hashes);
    publish(workspace, &store, [("program:accrued ", program), ("tzdata:", zones)], &mut hashes);
    chain_journal(&store, &hashes);
    store.execute_batch(&guards).expect("guards");
}

/// Makes what those runs made of one partner something that they made of another: of the first they made nothing then. To be made
/// those of another version afterwards.
pub fn made_of_another(workspace: &Workspace, partner: &str, other: &str) {
    let store = Connection::open(workspace.path("var/accrued.db")).expect("a store");
    let guards = lift_guards(&store);
    for sql in [
        "UPDATE ledger SET partner_code = ?2 WHERE partner_code = ?1",
        "UPDATE position SET partner = ?2 WHERE partner = ?1",
    ] {
        store.execute(sql, [partner, other]).expect(sql);
    }
    store.execute_batch(&guards).expect("guards");
    let from = format!("{partner},");
    let row = |line: &str| match line.strip_prefix(&from) {
        Some(rest) => format!("{other},{rest}\n"),
        None => format!("{line}\n"),
    };
    for (path, bytes) in workspace.tree("var/statements") {
        let text = String::from_utf8(bytes).expect("text");
        workspace.write(&format!("var/statements/{path}"), text.lines().map(row).collect::<String>());
    }
}

/// Makes the journal one that does not tell which versions of the schemes runs went by.
pub fn begun_early(workspace: &Workspace) {
    let store = Connection::open(workspace.path("var/accrued.db")).expect("a store");
    let guards = lift_guards(&store);
    let sql = "UPDATE journal SET kind = 'posted', body = '{}' WHERE kind = 'schemes'";
    store.execute_batch(sql).expect("a record");
    chain_journal(&store, &BTreeMap::new());
    store.execute_batch(&guards).expect("guards");
}

/// Takes the guards away and gives what puts them back.
fn lift_guards(store: &Connection) -> String {
    let mut guards = String::new();
    for name in ["journal_keeps", "ledger_keeps"] {
        let sql: String = store
            .query_row("SELECT sql FROM sqlite_schema WHERE name = ?1", [name], |row| row.get(0))
            .expect("a guard");
        guards.push_str(&format!("{sql};"));
        store.execute_batch(&format!("DROP TRIGGER {name}")).expect("a guard can be dropped");
    }
    guards
}

/// The partner's last entry, its position and its rows in what is published.
fn give(workspace: &Workspace, store: &Connection, partner: &str, more: i64) {
    let last = "SELECT points, cycle FROM ledger WHERE partner_code = ?1 ORDER BY entry DESC LIMIT 1";
    let (points, cycle): (i64, String) =
        store.query_row(last, [partner], |row| Ok((row.get(0)?, row.get(1)?))).expect("an entry");
    let sql = "UPDATE ledger SET points = points + ?2 WHERE entry = (SELECT max(entry) FROM ledger WHERE partner_code = ?1)";
    store.execute(sql, (partner, more * 1_000_000)).expect("the ledger");
    let sql = "UPDATE position SET points = points + ?2, papers = zeroblob(32), published = CASE WHEN published IS NOT NULL THEN zeroblob(32) END
               WHERE partner = ?1 AND points = ?3";
    store.execute(sql, (partner, more * 1_000_000, points)).expect("the position");
    let (from, to) = (points / 1_000_000, points / 1_000_000 + more);
    let root = format!("var/statements/club/{cycle}");
    for (path, bytes) in workspace.tree(&root) {
        let text = String::from_utf8(bytes).expect("text");
        let cell = |cell: &str| if cell == from.to_string() { to.to_string() } else { cell.to_owned() };
        let row = |line: &str| match line.starts_with(&format!("{partner},")) {
            true => line.split(',').map(cell).collect::<Vec<_>>().join(","),
            false => line.to_owned(),
        };
        let rows: String = text.lines().map(|line| row(line) + "\n").collect();
        workspace.write(&format!("{root}/{path}"), rows);
    }
}

fn chain_ledger(store: &Connection, hashes: &mut BTreeMap<String, String>) {
    let mut previous = chain::GENESIS.to_owned();
    for (entry, fields, before) in rows(
        store,
        "SELECT entry, json_array(CAST(entry AS TEXT), posted_at, posting_date, ledger.scheme, cycle, partner_code, kind,
           CAST(points AS TEXT), amount, tier, reference, against, coalesce(expires_on, ''), reason, CAST(run AS TEXT), actor, version),
           lower(hex(hash)) FROM ledger JOIN scheme_text ON scheme_text.id = version_id ORDER BY entry",
    ) {
        let hash = link(&previous, &fields);
        store.execute("UPDATE ledger SET hash = unhex(?2) WHERE entry = ?1", (entry, &hash)).expect("an entry");
        hashes.insert(before, hash.clone());
        previous = hash;
    }
}

/// Manifests name the hashes of their files and of the ledger, and the journal names theirs.
fn publish(
    workspace: &Workspace,
    store: &Connection,
    versions: [(&str, &str); 2],
    hashes: &mut BTreeMap<String, String>,
) {
    for (seq, folder, before) in rows(store, "SELECT seq, folder, manifest FROM publication ORDER BY seq") {
        let files = workspace.tree(&format!("var/{folder}"));
        // a folder that was replaced since is gone
        let Some(manifest) = files.get("MANIFEST.csv") else { continue };
        let manifest = String::from_utf8(manifest.clone()).expect("text");
        let line = |line: &str| {
            let mut cells: Vec<String> = line.split(',').map(str::to_owned).collect();
            if let (Some(bytes), Some(last)) = (files.get(&cells[0]), cells.last_mut()) {
                *last = sha256(bytes);
            }
            if let Some((what, version)) = versions.iter().find(|(what, _)| cells[0].starts_with(what)) {
                cells[0] = format!("{what}{version}");
            }
            replaced(&cells.join(","), hashes) + "\n"
        };
        let text: String = manifest.lines().map(line).collect();
        let hash = sha256(text.as_bytes());
        workspace.write(&format!("var/{folder}/MANIFEST.csv"), text);
        store.execute("UPDATE publication SET manifest = ?2 WHERE seq = ?1", (seq, &hash)).expect("a folder");
        hashes.insert(before, hash);
    }
}

fn chain_journal(store: &Connection, hashes: &BTreeMap<String, String>) {
    for (seq, body, _) in rows(store, "SELECT seq, body, '' FROM journal ORDER BY seq") {
        store
            .execute("UPDATE journal SET body = ?2 WHERE seq = ?1", (seq, replaced(&body, hashes)))
            .expect("a record");
    }
    let mut previous = chain::GENESIS.to_owned();
    for (seq, fields, _) in rows(
        store,
        "SELECT seq, json_array(CAST(seq AS TEXT), at, CAST(run AS TEXT), actor, kind, body), '' FROM journal ORDER BY seq",
    ) {
        previous = link(&previous, &fields);
        store
            .execute("UPDATE journal SET hash = unhex(?2) WHERE seq = ?1", (seq, &previous))
            .expect("a record");
    }
}

fn rows(store: &Connection, sql: &str) -> Vec<(i64, String, String)> {
    let mut select = store.prepare(sql).expect(sql);
    let rows = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).expect(sql);
    rows.collect::<Result<_, _>>().expect(sql)
}

/// `fields` is a JSON array of texts.
fn link(previous: &str, fields: &str) -> String {
    let fields: Vec<String> = serde_json::from_str(fields).expect("texts");
    chain::link(previous, &fields.iter().map(String::as_str).collect::<Vec<_>>())
}

fn replaced(text: &str, hashes: &BTreeMap<String, String>) -> String {
    hashes.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}

fn sha256(bytes: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    chain::hex(&Sha256::digest(bytes))
}
