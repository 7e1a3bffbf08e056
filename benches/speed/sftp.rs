//! One export from a real sshd, in turn with OpenSSH's own client: on loopback and through 20 ms of round trip.

#[path = "../../tests/support/delay_proxy.rs"]
mod delay_proxy;
#[path = "../../tests/support/feed.rs"]
mod feed;
#[path = "../../tests/support/sshd.rs"]
mod sshd;

use crate::measure::median;
use crate::table::Table;
use crate::workspace::Workspace;
use accrued::inbox::Cancel;
use anyhow::{Context, Result, bail};
use delay_proxy::DelayProxy;
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const ROUND_TRIP: Duration = Duration::from_millis(20);

/// Both ways, both clients.
pub fn run(workspace: &Workspace, rounds: usize, table: &mut Table) -> Result<()> {
    let server = sshd::Sshd::start();
    std::fs::copy(workspace.path("drop/export.csv"), server.outbound().join("export.csv"))?;
    let megabytes = workspace.size()? as f64 / 1e6;
    let proxy = DelayProxy::start(server.addr, ROUND_TRIP);
    for (way, addr) in [("loopback", server.addr), ("20 ms of round trip", proxy.addr)] {
        let (mut ours, mut openssh) = (Vec::new(), Vec::new());
        for round in 1..=rounds {
            openssh.push(by_openssh(&server, addr)?);
            ours.push(by_accrued(&server, addr)?);
            eprintln!(
                "sftp, {way}, round {round}: accrued {:.2} s, sftp {:.2} s",
                ours[round - 1],
                openssh[round - 1]
            );
        }
        let (ours, openssh) = (median(ours.into_iter()), median(openssh.into_iter()));
        for (what, seconds) in [("accrued", ours), ("OpenSSH `sftp`", openssh)] {
            table.row([
                format!("SFTP of {megabytes:.0} MB, {way}: {what}"),
                format!("{seconds:.2} s"),
                format!("{:.2}", seconds / ours),
                String::new(),
                format!("{:.0} MB/s", megabytes / seconds),
            ]);
        }
    }
    Ok(())
}

/// Connects, lists, downloads, checks, hashes and archives.
fn by_accrued(server: &sshd::Sshd, addr: SocketAddr) -> Result<f64> {
    let store = feed::Store::new();
    let source = feed::source(feed::through(addr, server));
    let began = Instant::now();
    let mut connection = accrued::inbox::Connection::open(&source, &Cancel::default())
        .map_err(|fault| anyhow::anyhow!("{fault:?}"))?;
    let file = feed::only(connection.list().map_err(|fault| anyhow::anyhow!("{fault:?}"))?);
    connection.fetch(&file, &store.archive).map_err(|fault| anyhow::anyhow!("{fault:?}"))?;
    Ok(began.elapsed().as_secs_f64())
}

/// Its batch mode, into a file beside.
fn by_openssh(server: &sshd::Sshd, addr: SocketAddr) -> Result<f64> {
    let target = server.path("fetched.csv");
    let batch = server.path("batch");
    let remote = server.outbound().join("export.csv");
    std::fs::write(&batch, format!("get {} {}\n", remote.display(), target.display()))?;
    let began = Instant::now();
    let status = Command::new("sftp")
        .args([
            "-q",
            "-o",
            "StrictHostKeyChecking=no",
            "-o",
            "UserKnownHostsFile=/dev/null",
            "-o",
            "LogLevel=ERROR",
        ])
        .args(["-P", &addr.port().to_string(), "-i"])
        .arg(server.user_key())
        .arg("-b")
        .arg(&batch)
        .arg(format!("{}@127.0.0.1", sshd::user()))
        .stdout(Stdio::null())
        .status()
        .context("sftp is needed: apt-get install openssh-client")?;
    let taken = began.elapsed().as_secs_f64();
    if !status.success() {
        bail!("sftp failed");
    }
    std::fs::remove_file(target)?;
    Ok(taken)
}
