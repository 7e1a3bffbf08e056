//! Reaching and entering a real OpenSSH server: host keys, logins, refusals, servers that are gone or silent.

mod support {
    pub mod feed;
    pub mod sshd;
}

use accrued::inbox::{Cancel, Connection, HostKey, InboxFault, Login, Sftp};
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use support::feed::{limit, names, open, refused, settings, source, temporary};
use support::sshd::{Account, Setup, Sshd, fingerprint, keygen};

fn key(path: PathBuf, passphrase_file: Option<PathBuf>) -> Login {
    Login::PrivateKey { path, passphrase_file }
}

/// A file for nobody else.
fn secret(path: &Path, text: &str) {
    fs::write(path, text).expect("written");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    fs::set_permissions(path, mode).expect("ours");
}

fn lists(sftp: Sftp) {
    let listing = open(sftp).and_then(|mut open| open.list()).expect("listed");
    assert_eq!(names(&listing), ["sales.csv"]);
}

fn server_with_a_file(setup: &Setup) -> Sshd {
    let server = Sshd::start_with(setup);
    server.put("sales.csv", b"invoice_no\n");
    server
}

#[test]
fn keys_of_every_kind_log_in_and_their_passphrases_are_read_from_a_file() {
    let server = server_with_a_file(&Setup::default());
    lists(settings(&server));
    let phrase = server.path("phrase");
    secret(&phrase, "open sesame\r\n");
    for kind in ["ed25519", "ecdsa", "rsa"] {
        for (name, passphrase, file) in [("plain", "", None), ("locked", "open sesame", Some(phrase.clone()))]
        {
            let path = server.path(&format!("{kind}-{name}"));
            keygen(&path, kind, passphrase);
            server.authorise(&path.with_extension("pub"));
            lists(Sftp { login: key(path, file), ..settings(&server) });
        }
    }
}

#[test]
fn a_key_that_cannot_be_used_says_why_and_keeps_its_secrets() {
    let server = Sshd::start();
    let (locked, stranger, phrase) = (server.path("locked"), server.path("stranger"), server.path("phrase"));
    keygen(&locked, "ed25519", "open sesame");
    keygen(&stranger, "ed25519", "");
    server.authorise(&locked.with_extension("pub"));
    secret(&phrase, "SECRETWORD\n");
    let try_key = |path: &Path, file: Option<&PathBuf>| {
        let why = refused(open(Sftp { login: key(path.to_owned(), file.cloned()), ..settings(&server) }));
        assert!(!why.contains("SECRETWORD"), "{why}");
        why
    };
    assert!(try_key(&locked, None).ends_with("needs a passphrase; set passphrase_file"));
    let why = try_key(&locked, Some(&phrase));
    assert!(why.starts_with("the passphrase in ") && why.contains("does not open private_key"), "{why}");
    assert!(try_key(&stranger, None).contains("the key is not among those authorised for this user"));
    assert!(try_key(&locked.with_extension("pub"), None).contains("holds a public key"));
    assert!(try_key(&server.path("absent"), None).contains("cannot read private_key"));
    let broken = server.path("broken");
    secret(&broken, "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n");
    assert!(try_key(&broken, None).contains("cannot be read; it must be"));
    secret(&phrase, "");
    assert!(
        try_key(&locked, Some(&phrase))
            .ends_with("must hold one line that is not empty; write the secret alone into it")
    );
}

#[test]
fn a_password_logs_in_by_both_methods_and_a_wrong_one_is_refused() {
    let account = Account::new();
    let password = ["PasswordAuthentication yes"];
    let interactive = ["UsePAM yes", "KbdInteractiveAuthentication yes"];
    for config in [password.as_slice(), interactive.as_slice()] {
        let server = server_with_a_file(&Setup {
            config: config.iter().map(|&line| line.to_owned()).collect(),
            ..Setup::default()
        });
        let file = server.path("password");
        let login = |password: &str| {
            secret(&file, &format!("{password}\n"));
            Sftp { user: account.name.clone(), login: Login::PasswordFile(file.clone()), ..settings(&server) }
        };
        lists(login(&account.password));
        let why = refused(open(login("SECRETWORD")));
        assert!(why.contains("the user name or the password is wrong"), "{why}");
        assert!(!why.contains("SECRETWORD"), "{why}");
    }
}

#[test]
fn a_method_that_the_server_does_not_take_is_named() {
    let server = Sshd::start();
    let file = server.path("password");
    secret(&file, "x");
    let why = refused(open(Sftp { login: Login::PasswordFile(file), ..settings(&server) }));
    assert!(why.contains("the server takes publickey only"), "{why}");
    let config = vec!["PubkeyAuthentication no\nPasswordAuthentication yes".to_owned()];
    let server = Sshd::start_with(&Setup { config, ..Setup::default() });
    let why = refused(open(settings(&server)));
    assert!(why.contains("the server takes password only"), "{why}");
}

#[test]
fn a_file_that_the_user_may_not_read_is_passed_over_with_its_reason() {
    use std::os::unix::fs::PermissionsExt;
    let account = Account::new();
    let server = server_with_a_file(&Setup::default());
    fs::set_permissions(server.outbound().join("sales.csv"), fs::Permissions::from_mode(0o600))
        .expect("closed");
    let mut open = open(Sftp { user: account.name.clone(), ..settings(&server) }).expect("open");
    let file = support::feed::only(open.list().expect("listed"));
    let store = support::feed::Store::new();
    let why = limit(open.fetch(&file, &store.archive));
    assert!(why.contains("sales.csv may not be read by"), "{why}");
    assert_eq!(store.files(), Vec::<PathBuf>::new());
}

/// The environment belongs to a whole process: the test runs itself as a child with the agent's socket in it.
#[test]
fn an_agent_logs_in() {
    const CHILD: &str = "ACCRUED_TEST_AGENT";
    let server = server_with_a_file(&Setup::default());
    let agent_login = || Sftp { login: Login::Agent, ..settings(&server) };
    match std::env::var(CHILD).as_deref() {
        Ok("empty") => {
            let why = refused(open(agent_login()));
            assert!(why.contains("it holds no key; add one with ssh-add"), "{why}");
            let added = Command::new("ssh-add").arg(server.user_key()).stderr(Stdio::null()).status();
            assert!(added.expect("ssh-add").success());
            lists(agent_login());
        }
        Ok(_) => assert!(refused(open(agent_login())).contains("no ssh-agent answers")),
        Err(_) => {
            let socket = server.path("agent");
            let mut agent = Command::new("ssh-agent")
                .arg("-D")
                .arg("-a")
                .arg(&socket)
                .stdout(Stdio::null())
                .spawn()
                .expect("ssh-agent");
            while !socket.exists() {
                std::thread::yield_now();
            }
            for (word, socket) in [("empty", socket), ("none", server.path("nowhere"))] {
                let child = Command::new(std::env::current_exe().expect("this program"))
                    .args(["--exact", "an_agent_logs_in"])
                    .env(CHILD, word)
                    .env("SSH_AUTH_SOCK", socket)
                    .output()
                    .expect("runs");
                assert!(child.status.success(), "{word}: {}", String::from_utf8_lossy(&child.stdout));
            }
            agent.kill().expect("ended");
            agent.wait().expect("ended");
        }
    }
}

#[test]
fn another_host_key_is_refused_with_both_fingerprints_before_anything_is_sent() {
    let server = Sshd::start_with(&Setup { host_keys: vec!["ed25519", "ecdsa", "rsa"], ..Setup::default() });
    let other = server.path("other");
    keygen(&other, "ed25519", "");
    let pinned = fingerprint(&other.with_extension("pub"));
    let why = refused(open(Sftp {
        host_keys: vec![HostKey::Fingerprint(pinned.clone())],
        retries: 4,
        ..settings(&server)
    }));
    assert!(why.contains(&format!("pinned {pinned}, shown ")), "{why}");
    for kind in ["ed25519", "ecdsa", "rsa"] {
        assert!(why.contains(&server.fingerprint(kind)), "{kind}: {why}");
    }
    let log = server.log();
    assert!(!log.contains(&format!("user {}", support::sshd::user())) && !log.contains("Accepted"), "{log}");
}

#[test]
fn a_pinned_key_is_found_whichever_the_server_would_rather_show() {
    let server =
        server_with_a_file(&Setup { host_keys: vec!["ed25519", "ecdsa", "rsa"], ..Setup::default() });
    let other = HostKey::Fingerprint(format!("SHA256:{}", "A".repeat(43)));
    for kind in ["ed25519", "ecdsa", "rsa"] {
        let print = HostKey::Fingerprint(server.fingerprint(kind));
        lists(Sftp { host_keys: vec![other.clone(), print], ..settings(&server) });
        lists(Sftp { host_keys: vec![HostKey::KnownHosts(server.known_hosts(kind))], ..settings(&server) });
        let line = fs::read_to_string(server.path(&format!("host_{kind}.pub"))).expect("a public key");
        lists(Sftp { host_keys: vec![HostKey::Fingerprint(line.trim().to_owned())], ..settings(&server) });
    }
}

#[test]
fn known_hosts_refuse_changed_missing_and_revoked_keys() {
    let server = Sshd::start();
    let shown = server.fingerprint("ed25519");
    let known = |text: String| {
        let path = server.path("known");
        fs::write(&path, text).expect("written");
        refused(open(Sftp { host_keys: vec![HostKey::KnownHosts(path)], ..settings(&server) }))
    };
    let at = format!("[127.0.0.1]:{}", server.addr.port());
    let public = fs::read_to_string(server.path("host_ed25519.pub")).expect("a public key");
    for kind in ["ed25519", "ecdsa"] {
        let other = server.path(&format!("other_{kind}"));
        keygen(&other, kind, "");
        let other = other.with_extension("pub");
        let why = known(format!("{at} {}", fs::read_to_string(&other).expect("a public key")));
        assert!(why.contains(&fingerprint(&other)) && why.contains(&shown), "{why}");
    }
    let why = known(format!("127.0.0.1 {public}"));
    assert!(why.starts_with("known_hosts has no key of 127.0.0.1:") && why.contains(&shown), "{why}");
    let why = known(format!("{at} {public}\n@revoked * {public}"));
    assert!(why.contains("is revoked in known_hosts"), "{why}");
    let absent = vec![HostKey::KnownHosts(server.path("absent"))];
    assert!(
        refused(open(Sftp { host_keys: absent, ..settings(&server) })).contains("cannot read known_hosts")
    );
}

#[test]
fn what_an_old_server_lacks_is_named() {
    for (line, family, theirs) in [
        ("KexAlgorithms diffie-hellman-group14-sha1", "key exchange", "diffie-hellman-group14-sha1"),
        ("Ciphers aes256-ctr\nMACs hmac-sha1", "mac", "hmac-sha1"),
    ] {
        let server = Sshd::start_with(&Setup { config: vec![line.to_owned()], ..Setup::default() });
        let why = limit(open(Sftp { retries: 4, ..settings(&server) }));
        assert!(why.contains(&format!("{family}: the server offers {theirs}")), "{why}");
        assert!(why.contains("we offer "), "{why}");
    }
}

#[test]
fn a_user_without_sftp_and_a_folder_that_is_not_there_are_settings_to_mend() {
    let server =
        Sshd::start_with(&Setup { config: vec!["Subsystem sftp /bin/false".to_owned()], ..Setup::default() });
    let why = limit(open(settings(&server)));
    assert!(why.contains("has no SFTP for this user"), "{why}");
    let server = Sshd::start();
    let folder = "/no/such/folder".to_owned();
    let why = limit(open(Sftp { folder, ..settings(&server) }).and_then(|mut open| open.list()));
    assert_eq!(why, "folder /no/such/folder does not exist on 127.0.0.1; mend url");
}

#[test]
fn a_server_that_is_gone_may_come_back() {
    let mut server = Sshd::start();
    let mut connected = open(settings(&server)).expect("open");
    server.kill();
    temporary(connected.list());
    let why = temporary(open(settings(&server)));
    assert!(why.contains("connection refused; is the server up"), "{why}");
    let why = temporary(open(Sftp { retries: 1, ..settings(&server) }));
    assert!(why.ends_with("(tried 2 times)"), "{why}");
    let host = "no-such-host.invalid".to_owned();
    let why = temporary(open(Sftp { host, ..settings(&server) }));
    assert!(why.contains("the host name is not found"), "{why}");
}

#[test]
fn what_may_pass_is_tried_again_after_growing_pauses_and_a_refusal_never() {
    let server = Sshd::start();
    let rude = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let port = rude.local_addr().expect("bound").port();
    std::thread::spawn(move || rude.incoming().for_each(drop));
    let began = Instant::now();
    let why = temporary(open(Sftp { port, retries: 2, ..settings(&server) }));
    assert!(why.ends_with("(tried 3 times)"), "{why}");
    // half a second and a whole one, each by half at most taken off at random
    assert!(began.elapsed() >= Duration::from_millis(750), "{:?}", began.elapsed());
    fs::write(server.path("authorized_keys"), "").expect("nobody is let in");
    let why = refused(open(Sftp { retries: 4, ..settings(&server) }));
    assert!(!why.contains("tried"), "{why}");
    assert!(server.log().matches("Connection from").count() <= 1, "{}", server.log());
}

#[test]
fn a_session_that_was_ended_is_made_anew() {
    let server = server_with_a_file(&Setup::default());
    // no second try: a server may end a session that was idle
    let mut open = open(Sftp { retries: 0, ..settings(&server) }).expect("open");
    for _ in 0..2 {
        server.kill_sessions();
        assert_eq!(names(&open.list().expect("listed")), ["sales.csv"]);
    }
}

#[test]
fn a_server_that_never_speaks_is_left_in_time_and_a_signal_is_quicker() {
    let server = Sshd::start();
    let silent = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let port = silent.local_addr().expect("bound").port();
    let began = Instant::now();
    let brief = Sftp { port, connect_timeout: Duration::from_millis(300), ..settings(&server) };
    let why = temporary(open(brief));
    assert!(why.contains("greeting: not done after 0.3 s (connect_timeout)"), "{why}");
    let cancel = Cancel::default();
    let flag = cancel.clone();
    let setter = std::thread::spawn(move || {
        // once the client has connected it waits for a greeting
        let _client = silent.accept().and_then(|_| silent.accept()).expect("connected");
        flag.set();
        _client
    });
    let patient = Sftp { port, connect_timeout: Duration::from_secs(600), ..settings(&server) };
    let outcome = Connection::open(&source(patient), &cancel);
    assert!(matches!(outcome, Err(InboxFault::Stopped)), "{outcome:?}");
    setter.join().expect("set");
    assert!(began.elapsed() < Duration::from_secs(300), "{:?}", began.elapsed());
}
