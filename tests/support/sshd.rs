//! A real OpenSSH server on a loopback port, with its own keys in its own temporary folder, gone when dropped.
#![allow(dead_code, reason = "each test program uses its part of it")]

use std::fs::{self, File, Permissions};
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use tempfile::TempDir;

const SSHD: &str = "/usr/sbin/sshd";

/// How the server is set up.
#[derive(Default)]
pub struct Setup {
    /// types of its host keys as ssh-keygen names them; empty: `["ed25519"]`
    pub host_keys: Vec<&'static str>,
    /// further lines of sshd_config
    pub config: Vec<String>,
}

/// A running server.
pub struct Sshd {
    dir: TempDir,
    child: Child,
    /// where it listens
    pub addr: SocketAddr,
    log: Arc<Mutex<String>>,
}

impl Sshd {
    /// With an ed25519 host key and login by key.
    pub fn start() -> Sshd {
        Sshd::start_with(&Setup::default())
    }

    /// As set up.
    pub fn start_with(setup: &Setup) -> Sshd {
        assert!(Path::new(SSHD).exists(), "{SSHD} is needed: apt-get install openssh-server");
        let dir = tempfile::tempdir().expect("a temporary folder");
        fs::set_permissions(dir.path(), Permissions::from_mode(0o755)).expect("open to the server's users");
        if is_root() {
            // privilege separation asks for it
            fs::create_dir_all("/run/sshd").expect("/run/sshd");
        }
        let types = if setup.host_keys.is_empty() { vec!["ed25519"] } else { setup.host_keys.clone() };
        for kind in &types {
            keygen(&dir.path().join(format!("host_{kind}")), kind, "");
        }
        keygen(&dir.path().join("user"), "ed25519", "");
        fs::copy(dir.path().join("user.pub"), dir.path().join("authorized_keys")).expect("authorised");
        fs::create_dir(dir.path().join("outbound")).expect("a folder to serve");
        // a port found free may be taken before sshd has it: then another
        for _ in 0..20 {
            if let Some((child, addr, log)) = listen(dir.path(), &types, setup) {
                return Sshd { dir, child, addr, log };
            }
        }
        panic!("sshd found no port to listen on");
    }

    /// The folder it serves, by its absolute path on both sides.
    pub fn outbound(&self) -> PathBuf {
        self.dir.path().join("outbound")
    }

    /// A place for the test's own files.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The private key that it lets in.
    pub fn user_key(&self) -> PathBuf {
        self.path("user")
    }

    /// Writes a file into the folder it serves.
    pub fn put(&self, name: impl AsRef<Path>, bytes: &[u8]) -> PathBuf {
        let path = self.outbound().join(name);
        fs::write(&path, bytes).expect("written");
        path
    }

    /// The fingerprint of a host key, as ssh-keygen prints it.
    pub fn fingerprint(&self, kind: &str) -> String {
        fingerprint(&self.path(&format!("host_{kind}.pub")))
    }

    /// A known_hosts file, for this port, with this host key.
    pub fn known_hosts(&self, kind: &str) -> PathBuf {
        let key = fs::read_to_string(self.path(&format!("host_{kind}.pub"))).expect("a public key");
        let path = self.path(&format!("known_{kind}"));
        fs::write(&path, format!("[127.0.0.1]:{} {key}", self.addr.port())).expect("written");
        path
    }

    /// Also lets this public key in.
    pub fn authorise(&self, public: &Path) {
        let mut file =
            File::options().append(true).open(self.path("authorized_keys")).expect("authorized_keys");
        file.write_all(&fs::read(public).expect("a public key")).expect("authorised");
    }

    /// Of the process that listens: what its sessions cost is counted there once they have ended.
    pub fn pid(&self) -> String {
        self.child.id().to_string()
    }

    /// What it logged so far.
    pub fn log(&self) -> String {
        self.log.lock().expect("no panic").clone()
    }

    /// Ends the sessions under way; the server goes on.
    pub fn kill_sessions(&self) {
        kill(&descendants(self.child.id()));
    }

    /// Ends the server with all its sessions, at once.
    pub fn kill(&mut self) {
        let sessions = descendants(self.child.id());
        let _ = self.child.kill();
        let _ = self.child.wait();
        kill(&sessions);
    }
}

/// The processes under this one: a session of sshd is several, each in a group of its own.
fn descendants(of: u32) -> Vec<u32> {
    let processes = || fs::read_dir("/proc").expect("/proc").flatten();
    let parent = |pid: u32| -> Option<u32> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // pid (name) state parent ...
        stat.rsplit(')').next()?.split_whitespace().nth(1)?.parse().ok()
    };
    let mut found = vec![of];
    let mut done = 0;
    while let Some(&above) = found.get(done) {
        let pids = processes().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        found.extend(pids.filter(|&pid| parent(pid) == Some(above)));
        done += 1;
    }
    found.split_off(1)
}

fn kill(pids: &[u32]) {
    for pid in pids {
        let _ = Command::new("kill").args(["-KILL", &pid.to_string()]).stderr(Stdio::null()).status();
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        self.kill();
    }
}

type Running = (Child, SocketAddr, Arc<Mutex<String>>);

/// Starts it on a free port; `None` if it could not listen there.
fn listen(dir: &Path, types: &[&str], setup: &Setup) -> Option<Running> {
    let free = TcpListener::bind(("127.0.0.1", 0)).expect("a port").local_addr().expect("bound");
    let mut config = format!(
        "Port {}\nListenAddress 127.0.0.1\nPidFile none\nUsePAM no\nStrictModes no\nUseDNS no\nPermitRootLogin yes\n\
         AuthorizedKeysFile {}\nPasswordAuthentication no\nKbdInteractiveAuthentication no\nMaxStartups 100\n\
         LogLevel VERBOSE\n",
        free.port(),
        dir.join("authorized_keys").display()
    );
    if !setup.config.iter().any(|line| line.starts_with("Subsystem")) {
        config.push_str("Subsystem sftp internal-sftp\n");
    }
    // sshd takes the first of two settings
    config.insert_str(0, &setup.config.iter().map(|line| format!("{line}\n")).collect::<String>());
    for kind in types {
        config.push_str(&format!("HostKey {}\n", dir.join(format!("host_{kind}")).display()));
    }
    fs::write(dir.join("sshd_config"), config).expect("a config");
    let mut child = Command::new(SSHD)
        .args(["-D", "-e", "-f"])
        .arg(dir.join("sshd_config"))
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("sshd starts");
    let mut lines = BufReader::new(child.stderr.take().expect("piped")).lines();
    let mut said = String::new();
    loop {
        let Some(Ok(line)) = lines.next() else {
            let _ = child.wait();
            assert!(said.contains("Address already in use"), "sshd does not start:\n{said}");
            return None;
        };
        said.push_str(&format!("{line}\n"));
        if line.contains("Server listening on") {
            break;
        }
    }
    let log = Arc::new(Mutex::new(said));
    let sink = Arc::clone(&log);
    std::thread::spawn(move || {
        for line in lines.map_while(Result::ok) {
            sink.lock().expect("no panic").push_str(&format!("{line}\n"));
        }
    });
    Some((child, free, log))
}

/// Makes a key pair.
pub fn keygen(path: &Path, kind: &str, passphrase: &str) {
    let done = Command::new("ssh-keygen")
        .args(["-q", "-t", kind, "-N", passphrase, "-C", "test", "-f"])
        .arg(path)
        .status()
        .expect("ssh-keygen is needed: apt-get install openssh-client");
    assert!(done.success(), "ssh-keygen -t {kind}");
}

/// What `ssh-keygen -l` prints of a public key.
pub fn fingerprint(public: &Path) -> String {
    let out = Command::new("ssh-keygen").arg("-lf").arg(public).output().expect("ssh-keygen");
    let text = String::from_utf8(out.stdout).expect("text");
    text.split_whitespace().nth(1).expect("a fingerprint").to_owned()
}

/// Who the tests run as, and so who logs in by key.
pub fn user() -> String {
    let out = Command::new("id").arg("-un").output().expect("id");
    String::from_utf8(out.stdout).expect("text").trim().to_owned()
}

fn is_root() -> bool {
    user() == "root"
}

/// A system account with a password: sshd asks no one else for one. It is made by root only and removed when dropped.
pub struct Account {
    pub name: String,
    pub password: String,
}

impl Account {
    pub fn new() -> Account {
        assert!(
            is_root(),
            "a password login needs a system account: run as root, sudo -E cargo test --test sftp_login"
        );
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let account = Account {
            name: format!("accrued{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed)),
            password: "correct horse 4711".to_owned(),
        };
        let _one_at_a_time = passwd_lock();
        sweep();
        run(Command::new("useradd").args([
            "--no-create-home",
            "--home-dir",
            "/",
            "--shell",
            "/bin/sh",
            &account.name,
        ]));
        let mut chpasswd = Command::new("chpasswd").stdin(Stdio::piped()).spawn().expect("chpasswd");
        let line = format!("{}:{}\n", account.name, account.password);
        chpasswd.stdin.take().expect("piped").write_all(line.as_bytes()).expect("written");
        assert!(chpasswd.wait().expect("chpasswd").success(), "chpasswd");
        account
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        let _one_at_a_time = passwd_lock();
        let _ = Command::new("userdel").arg(&self.name).status();
    }
}

/// Removes accounts of test programs that were killed.
fn sweep() {
    let text = fs::read_to_string("/etc/passwd").unwrap_or_default();
    for name in text.lines().filter_map(|line| line.split(':').next()) {
        let pid = name.strip_prefix("accrued").and_then(|rest| rest.split_once('-')).map(|(pid, _)| pid);
        let Some(pid) = pid.filter(|pid| pid.parse::<u32>().is_ok()) else { continue };
        if !Path::new("/proc").join(pid).exists() {
            let _ = Command::new("userdel").arg(name).status();
        }
    }
}

/// useradd and userdel fail when another one is at work.
fn passwd_lock() -> File {
    let file = File::create(std::env::temp_dir().join("accrued-tests-passwd.lock")).expect("a lock file");
    file.lock().expect("locked");
    file
}

fn run(command: &mut Command) {
    let done = command.status().expect("it is installed");
    assert!(done.success(), "{command:?}");
}
