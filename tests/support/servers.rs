//! Servers that no one here wrote, each on a loopback port with its own keys in its own temporary folder: OpenSSH, ProFTPD with
//! mod_sftp, AsyncSSH. And one over AsyncSSH that speaks SFTP by itself and misbehaves on purpose (`tests/sftp/server.py`).
#![allow(dead_code, reason = "each test program uses its part of it")]

use super::sshd::{Sshd, fingerprint, keygen, user};
use accrued::inbox::{HostKey, Login, Sftp};
use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Debian's, for which its python3-asyncssh is installed.
const PYTHON: &str = "/usr/bin/python3";
const PROFTPD: &str = "/usr/sbin/proftpd";

/// Whose server it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    OpenSsh,
    ProFtpd,
    AsyncSsh,
}

/// A running server.
pub struct Server {
    pub addr: SocketAddr,
    /// the folder it serves, by its absolute path on both sides
    pub outbound: PathBuf,
    running: Running,
}

enum Running {
    Sshd(Box<Sshd>),
    Other { child: Child, dir: TempDir },
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Running::Other { child, .. } = self {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Server {
    pub fn start(kind: Kind) -> Server {
        match kind {
            Kind::OpenSsh => {
                let server = Sshd::start();
                Server {
                    addr: server.addr,
                    outbound: server.outbound(),
                    running: Running::Sshd(Box::new(server)),
                }
            }
            Kind::ProFtpd => proftpd(),
            Kind::AsyncSsh => Server::misbehaving(&["plain"]),
        }
    }

    /// The one that misbehaves, in these ways.
    pub fn misbehaving(ways: &[&str]) -> Server {
        let dir = keys();
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/sftp/server.py");
        let path = |name: &str| dir.path().join(name);
        let mut child = Command::new(PYTHON)
            .args(["-W", "ignore", script])
            .args([path("host"), path("user.pub"), path("outbound")])
            .args(ways)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("python3 starts");
        let mut said = String::new();
        let mut out = BufReader::new(child.stdout.take().expect("piped"));
        out.read_line(&mut said).expect("it speaks");
        let port = said.trim().rsplit(' ').next().and_then(|port| port.parse::<u16>().ok());
        let port = port.expect("python3 with AsyncSSH is needed: apt-get install python3-asyncssh");
        let outbound = path("outbound");
        Server { addr: ([127, 0, 0, 1], port).into(), outbound, running: Running::Other { child, dir } }
    }

    /// The misbehaving one behaves from now on.
    pub fn behave(&self) {
        fs::write(self.outbound.with_file_name("behave"), "").expect("written");
    }

    /// Whether the misbehaving one has let somebody wait.
    pub fn sinned(&self) -> bool {
        self.outbound.with_file_name("sinned").exists()
    }

    pub fn put(&self, name: impl AsRef<Path>, bytes: &[u8]) -> PathBuf {
        let path = self.outbound.join(name);
        fs::write(&path, bytes).expect("written");
        path
    }

    pub fn user_key(&self) -> PathBuf {
        match &self.running {
            Running::Sshd(server) => server.user_key(),
            Running::Other { dir, .. } => dir.path().join("user"),
        }
    }

    pub fn fingerprint(&self) -> String {
        match &self.running {
            Running::Sshd(server) => server.fingerprint("ed25519"),
            Running::Other { dir, .. } => fingerprint(&dir.path().join("host.pub")),
        }
    }

    /// Settings that reach it by its pinned key, without retries; through a proxy where its port is another.
    pub fn settings(&self, port: u16) -> Sftp {
        Sftp {
            host: "127.0.0.1".to_owned(),
            port,
            user: user(),
            folder: self.outbound.to_str().expect("text").to_owned(),
            host_keys: vec![HostKey::Fingerprint(self.fingerprint())],
            login: Login::PrivateKey { path: self.user_key(), passphrase_file: None },
            connect_timeout: Duration::from_secs(20),
            idle_timeout: Duration::from_secs(60),
            file_deadline: Duration::from_secs(600),
            run_deadline: Duration::from_secs(3600),
            retries: 0,
            read_buffer: 1 << 20,
            connections: 4,
        }
    }
}

/// A host key, a user's key and a folder to serve.
fn keys() -> TempDir {
    let dir = tempfile::tempdir().expect("a temporary folder");
    fs::set_permissions(dir.path(), Permissions::from_mode(0o755)).expect("open to the server's users");
    for name in ["host", "user"] {
        keygen(&dir.path().join(name), "ed25519", "");
    }
    fs::create_dir(dir.path().join("outbound")).expect("a folder to serve");
    dir
}

fn proftpd() -> Server {
    assert!(
        Path::new(PROFTPD).exists(),
        "{PROFTPD} is needed: apt-get install proftpd-core proftpd-mod-crypto"
    );
    let dir = keys();
    // a port found free may be taken before it has it: then another
    for _ in 0..20 {
        let free = TcpListener::bind(("127.0.0.1", 0)).expect("a port").local_addr().expect("bound");
        let mut child = proftpd_on(&dir, free.port());
        let deadline = Instant::now() + Duration::from_secs(30);
        while child.try_wait().expect("our own child").is_none() && Instant::now() < deadline {
            if TcpStream::connect(free).is_ok() {
                let outbound = dir.path().join("outbound");
                return Server { addr: free, outbound, running: Running::Other { child, dir } };
            }
            std::thread::yield_now();
        }
        let _ = child.kill();
        let _ = child.wait();
    }
    panic!(
        "proftpd does not start: {}",
        fs::read_to_string(dir.path().join("system.log")).unwrap_or_default()
    );
}

fn proftpd_on(dir: &TempDir, port: u16) -> Child {
    let path = |name: &str| dir.path().join(name).display().to_string();
    let id = |which: &str| {
        let out = Command::new("id").arg(which).output().expect("id");
        String::from_utf8(out.stdout).expect("text").trim().to_owned()
    };
    let public =
        Command::new("ssh-keygen").args(["-e", "-f", &path("user.pub")]).output().expect("ssh-keygen");
    fs::write(path("authorized"), public.stdout).expect("written");
    let (user, group) = (id("-un"), id("-gn"));
    fs::write(path("passwd"), format!("{user}:x:{}:{}::/:/bin/sh\n", id("-u"), id("-g"))).expect("written");
    fs::set_permissions(path("passwd"), Permissions::from_mode(0o600)).expect("its own");
    let config = format!(
        "ModulePath /usr/lib/proftpd\nLoadModule mod_sftp.c\nServerName accrued\nServerType standalone\n\
         DefaultAddress 127.0.0.1\nSocketBindTight on\nPort {port}\nUser {user}\nGroup {group}\nPidFile {}\n\
         ScoreboardFile {}\nSystemLog {}\nDelayEngine off\nUseReverseDNS off\nRequireValidShell off\nRootLogin on\n\
         UseFtpUsers off\nWtmpLog off\nTransferLog none\nAuthOrder mod_auth_file.c\nAuthUserFile {}\nSFTPEngine on\n\
         SFTPHostKey {}\nSFTPAuthorizedUserKeys file:{}\nSFTPAuthMethods publickey\n",
        path("pid"),
        path("scoreboard"),
        path("system.log"),
        path("passwd"),
        path("host"),
        path("authorized"),
    );
    fs::write(path("proftpd.conf"), config).expect("written");
    Command::new(PROFTPD)
        .args(["-n", "-c", &path("proftpd.conf")])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("proftpd starts")
}
