//! Secrets through the binary: whose files are taken, what is said of others, and that a secret is nowhere afterwards.

use crate::support::program::{Workspace, without_settings};
use crate::support::sshd::{Account, Setup, Sshd, fingerprint, keygen};
use crate::{AFTER_JANUARY, HEADER, run, workspace};
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).expect("ours");
}

#[test]
fn a_key_that_others_may_read_is_12_at_each_use_with_its_mode_and_remedy() {
    let server = Sshd::start();
    server.put("january.csv", format!("{HEADER}F1,1,2026-01-11,P2,1000\n").as_bytes());
    let workspace = workspace(&server, &server.fingerprint("ed25519"), 0);
    let key = server.user_key();
    for (bits, who) in [(0o644, "others"), (0o640, "its group"), (0o604, "others"), (0o460, "its group")] {
        mode(&key, bits);
        for args in [&["run", "--as-of", AFTER_JANUARY][..], &["check"]] {
            let outcome = workspace.trial(args).status(12).check();
            let said = format!(
                "error: feed far: private_key {} can be read or written by {who} (mode {bits:04o}); chmod 600 {}",
                key.display(),
                key.display()
            );
            assert!(outcome.stderr.contains(&said), "{}", outcome.whole());
        }
    }
    assert!(!server.log().contains("Accepted"), "nobody logged in: {}", server.log());
    mode(&key, 0o400);
    // a link to it will do
    let link = workspace.path("key");
    symlink(&key, &link).expect("a link");
    let by_link = workspace.trial(&["check", "--set", "feed.far.ssh.private_key=key"]).check();
    assert!(by_link.stderr.contains("feed far: reached; 1 file"), "{}", by_link.whole());
    // not one that leads to somebody else's
    chown(&key, Some(65534), None).expect("the tests run as root");
    let outcome = workspace.trial(&["check", "--set", "feed.far.ssh.private_key=key"]).status(12).check();
    assert!(
        outcome.stderr.contains("private_key key is owned by nobody (uid 65534): "),
        "{}",
        outcome.whole()
    );
    chown(&key, Some(0), None).expect("the tests run as root");
    run(&workspace, 0);
}

const SECRETS: [&str; 2] = ["hunter-4711-two", "open-sesame-0815"];

/// No file below, and none of these texts, has a secret or a line of the private key.
fn nowhere(workspace: &Workspace, key: &str, said: &[String]) {
    let lines = key.lines().filter(|line| line.len() > 40);
    let secrets: Vec<&str> = SECRETS.into_iter().chain(lines).collect();
    let holds =
        |bytes: &[u8], secret: &str| bytes.windows(secret.len()).any(|part| part == secret.as_bytes());
    for secret in secrets {
        for said in said {
            assert!(!holds(said.as_bytes(), secret), "{secret} in {said}");
        }
        for (name, bytes) in workspace.tree("var") {
            assert!(!holds(&bytes, secret), "{secret} in {name}");
        }
    }
}

#[test]
fn no_secret_is_in_any_output_log_journal_or_file() {
    let server = Sshd::start();
    server.put("january.csv", format!("{HEADER}F1,1,2026-01-11,P2,1000\n").as_bytes());
    let (key, phrase, password) = (server.path("locked"), server.path("phrase"), server.path("password"));
    keygen(&key, "ed25519", SECRETS[1]);
    server.authorise(&key.with_extension("pub"));
    for (path, text) in [(&phrase, SECRETS[1]), (&password, SECRETS[0])] {
        fs::write(path, format!("{text}\n")).expect("written");
        mode(path, 0o600);
    }
    let workspace = workspace(&server, &server.fingerprint("ed25519"), 0);
    let (key, phrase) = (key.display().to_string(), phrase.display().to_string());
    let with_key =
        [format!("feed.far.ssh.private_key={key}"), format!("feed.far.ssh.passphrase_file={phrase}")];
    let with_key = ["--set", &with_key[0], "--set", &with_key[1]];
    let mut said = Vec::new();
    for (args, status) in [
        (&["run", "-v", "-v", "--as-of", AFTER_JANUARY][..], 0),
        (&["check", "-v", "-v"], 0),
        (&["config", "show", "--origin", "--format", "json"], 0),
        (&["status", "-v", "-v"], 0),
        (&["verify", "--deep", "-v", "-v"], 0),
    ] {
        let outcome = workspace.trial(&[args, &with_key[..]].concat()).status(status).check();
        said.push(outcome.whole());
    }
    // a refusal too, of a passphrase that does not open it
    mode(Path::new(&password), 0o600);
    let wrong = format!("feed.far.ssh.passphrase_file={}", password.display());
    let args = ["check", "-v", "-v", with_key[0], with_key[1], "--set", &wrong];
    said.push(workspace.trial(&args).status(12).check().whole());
    // what is refused as a setting is not shown either
    for set in ["feed.far.ssh.password=hunter-4711-two", "feed.far.url=sftp://u:hunter-4711-two@h/x"] {
        let outcome = workspace.trial(&["status", "--set", set]).status(78).check();
        said.push(outcome.stderr);
    }
    let key = fs::read_to_string(&key).expect("the key");
    nowhere(&workspace, &key, &said);
}

#[test]
fn a_password_is_nowhere_either() {
    let account = Account::new();
    let config = vec!["PasswordAuthentication yes".to_owned()];
    let server = Sshd::start_with(&Setup { config, ..Setup::default() });
    server.put("january.csv", format!("{HEADER}F1,1,2026-01-11,P2,1000\n").as_bytes());
    let file = server.path("password");
    let workspace = workspace(&server, &fingerprint(&server.path("host_ed25519.pub")), 0);
    let text = fs::read_to_string(workspace.path("accrued.toml")).expect("the config");
    let line = text.lines().find(|line| line.starts_with("private_key")).expect("a login");
    let text = text.replace(line, &format!("password_file = \"{}\"", file.display()));
    let user = crate::support::sshd::user();
    workspace.write(
        "accrued.toml",
        text.replace(&format!("sftp://{user}@"), &format!("sftp://{}@", account.name)),
    );
    for (password, status) in [(account.password.as_str(), 0), (SECRETS[0], 12)] {
        fs::write(&file, format!("{password}\n")).expect("written");
        mode(&file, 0o644);
        let refused = workspace.trial(&["check", "-v", "-v"]).status(12).check();
        assert!(
            refused.stderr.contains("chmod 600 ") && !refused.stderr.contains(password),
            "{}",
            refused.whole()
        );
        mode(&file, 0o600);
        let outcome = workspace.trial(&["check", "-v", "-v"]).status(status).check();
        assert!(!outcome.whole().contains(password), "{}", outcome.whole());
    }
}

/// The program while it waits for a file to settle: what other processes of its user can learn of it.
#[test]
fn no_core_is_written_and_no_secret_is_an_argument() {
    let server = Sshd::start();
    server.put("january.csv", format!("{HEADER}F1,1,2026-01-11,P2,1000\n").as_bytes());
    let workspace = workspace(&server, &server.fingerprint("ed25519"), 300);
    let mut command = Command::new(env!("CARGO_BIN_EXE_accrued"));
    without_settings(&mut command);
    // with the limit lifted before: the program itself lowers it
    let script = "ulimit -c unlimited 2>/dev/null; exec \"$0\" run";
    let mut child = Command::new("bash")
        .args(["-c", script, env!("CARGO_BIN_EXE_accrued")])
        .current_dir(workspace.root())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    let until = Instant::now() + Duration::from_secs(60);
    while !server.log().contains("Accepted publickey") {
        assert!(Instant::now() < until && child.try_wait().expect("ours").is_none(), "it never logged in");
        std::thread::yield_now();
    }
    let of = |name: &str| fs::read_to_string(format!("/proc/{}/{name}", child.id())).expect("it runs");
    let limits = of("limits");
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).expect("a limit");
    let words: Vec<&str> = core.split_whitespace().collect();
    assert_eq!(words[4..6], ["0", "0"], "{limits}");
    assert_eq!(of("cmdline").replace('\0', " ").trim_end(), format!("{} run", env!("CARGO_BIN_EXE_accrued")));
    // what is not dumpable belongs to root in /proc, also where another user runs it; its memory is not for that user
    assert!(of("status").contains("CoreDumping:\t0"), "{}", of("status"));
    child.kill().expect("ours");
    child.wait().expect("it has ended");
}

/// As another user, who is not root: its own processes cannot look into it.
#[test]
fn a_process_of_the_same_user_cannot_read_its_memory() {
    let workspace = Workspace::new(
        "[[feed]]\nname = \"n\"\nkind = \"sales\"\nurl = \"file:drop\"\nfiles = \"*.csv\"\ntimezone = \"UTC\"\n",
    );
    workspace.write("drop/a.csv", HEADER);
    workspace.write("schemes/none", "");
    let program = workspace.path("accrued");
    fs::copy(env!("CARGO_BIN_EXE_accrued"), &program).expect("copied");
    for path in [workspace.root().to_owned(), workspace.path("drop"), workspace.path("schemes")] {
        chown(&path, Some(65534), Some(65534)).expect("the tests run as root");
        mode(&path, 0o755);
    }
    let script = "./accrued run >/dev/null 2>&1 & pid=$!\n\
                  until [ -s var/lock ]; do kill -0 $pid || exit 9; done\n\
                  cat /proc/$pid/environ >/dev/null 2>&1 && echo read; stat -c %u /proc/$pid/mem; kill $pid; wait $pid; echo $?";
    let output = Command::new("setpriv")
        .args(["--reuid", "65534", "--regid", "65534", "--clear-groups", "bash", "-c", script])
        .current_dir(workspace.root())
        .output()
        .expect("setpriv starts");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(said, "0\n143\n", "{}", String::from_utf8_lossy(&output.stderr));
}
