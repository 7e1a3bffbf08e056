//! `accrued doctor` of feeds on a real server: what was agreed on, and every way in which it cannot be reached.

use crate::support::program::{Outcome, Workspace};
use crate::support::sshd::{Sshd, fingerprint, keygen};
use crate::{HEADER, workspace};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

/// `(state, finding, remedy)` of a check.
fn of(outcome: &Outcome, check: &str) -> (String, String, String) {
    let rows = outcome.csv();
    let row = rows.iter().find(|row| row["check"] == check).unwrap_or_else(|| panic!("{}", outcome.whole()));
    (row["state"].clone(), row["finding"].clone(), row["remedy"].clone())
}

fn doctor(workspace: &Workspace, status: i32) -> Outcome {
    workspace.trial(&["doctor"]).status(status).check()
}

#[test]
fn a_feed_tells_its_host_key_what_was_agreed_on_and_what_waits() {
    let server = Sshd::start();
    server.put("january.csv", HEADER.as_bytes());
    let workspace = workspace(&server, &server.fingerprint("ed25519"), 0);
    let outcome = doctor(&workspace, 0);
    let (state, finding, _) = of(&outcome, "feed far");
    assert_eq!(
        (state.as_str(), finding.as_str()),
        ("ok", "reached; 1 file matching \"*.csv\", 1 new; 0 names passed over")
    );
    let (_, key, _) = of(&outcome, "host key of far");
    assert_eq!(key, format!("{} (ssh-ed25519), pinned", server.fingerprint("ed25519")));
    let (_, agreed, _) = of(&outcome, "algorithms of far");
    for part in
        ["key exchange ", "host key ssh-ed25519", "cipher aes128-gcm@openssh.com", "mac that of the cipher"]
    {
        assert!(agreed.contains(part), "{agreed}");
    }
    assert_eq!(of(&outcome, "secret of far").0, "ok");
    // it only looked
    assert!(!workspace.path("var").exists());
    let offline = workspace.trial(&["doctor", "--offline"]).check();
    assert!(offline.csv().iter().all(|row| row["check"] != "feed far"), "{}", offline.whole());
    // files without what is to come beside them
    let marked = workspace.trial(&["doctor", "--set", "feed.far.complete=marker"]).check();
    let (state, finding, remedy) = of(&marked, "feed far");
    assert!(finding.ends_with("january.csv without its marker january.csv.done"), "{finding}");
    assert_eq!((state.as_str(), remedy.is_empty()), ("warn", false));
}

#[test]
fn another_key_a_readable_secret_and_a_server_that_is_gone_have_their_ends_and_remedies() {
    let mut server = Sshd::start();
    let other = server.path("other");
    keygen(&other, "ed25519", "");
    let pinned = fingerprint(&other.with_extension("pub"));
    let wrong = workspace(&server, &pinned, 0);
    let (state, finding, remedy) = of(&doctor(&wrong, 12), "feed far");
    assert_eq!(state, "bad");
    assert!(finding.contains(&pinned) && finding.contains(&server.fingerprint("ed25519")), "{finding}");
    assert!(remedy.contains("ask its operators whether the key was changed"), "{remedy}");

    let workspace = workspace(&server, &server.fingerprint("ed25519"), 0);
    let key = server.user_key();
    fs::set_permissions(&key, Permissions::from_mode(0o644)).expect("ours");
    let (state, finding, remedy) = of(&doctor(&workspace, 12), "secret of far");
    assert_eq!((state.as_str(), remedy), ("bad", format!("chmod 600 {}", key.display())));
    assert!(finding.contains("can be read or written by others (mode 0644)"), "{finding}");
    fs::set_permissions(&key, Permissions::from_mode(0o600)).expect("ours");
    doctor(&workspace, 0);

    // a credential that only the service has
    let text = fs::read_to_string(workspace.path("accrued.toml")).expect("the config");
    let service = text.replace(&key.display().to_string(), "${CREDENTIALS_DIRECTORY}/sftp_key");
    workspace.write("accrued.toml", &service);
    let outcome = doctor(&workspace, 0);
    assert_eq!(of(&outcome, "secret of far").0, "warn");
    assert_eq!(of(&outcome, "feed far").0, "warn");
    assert_eq!(of(&outcome, "feed near").0, "ok");
    workspace.write("accrued.toml", text);

    server.kill();
    let (state, finding, remedy) = of(&doctor(&workspace, 5), "feed far");
    assert_eq!(state, "bad");
    assert!(finding.contains("connection refused") && !remedy.is_empty(), "{finding}: {remedy}");
}
