//! One export from a real sshd, in turn with OpenSSH's own client: on loopback and through 20 ms of round trip. And through that,
//! 20 files of 10 MB in turn with one of 200 MB.

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
    many(workspace, rounds, table)
}

const MANY: usize = 20;
const PART: usize = 10_000_000;

/// 20 files of 10 MB, and one of 200 MB.
fn many(workspace: &Workspace, rounds: usize, table: &mut Table) -> Result<()> {
    let export = std::fs::read(workspace.path("drop/export.csv"))?;
    let (several, single) = (sshd::Sshd::start(), sshd::Sshd::start());
    // an export smaller than that goes round
    let bytes: Vec<u8> = export.iter().copied().cycle().take(MANY * PART).collect();
    for (number, part) in bytes.chunks(PART).enumerate() {
        // none like another: the archive keeps equal ones once
        several.put(format!("part{number:02}.csv"), &[part, number.to_string().as_bytes()].concat());
    }
    single.put("whole.csv", &bytes);
    let proxies = [&several, &single].map(|server| DelayProxy::start(server.addr, ROUND_TRIP));
    let (mut parts, mut whole) = (Vec::new(), Vec::new());
    for round in 1..=rounds {
        parts.push(by_accrued(&several, proxies[0].addr)?);
        whole.push(by_accrued(&single, proxies[1].addr)?);
        eprintln!(
            "sftp, round {round}: 20 files of 10 MB {:.2} s, one of 200 MB {:.2} s",
            parts[round - 1],
            whole[round - 1]
        );
    }
    let (parts, whole) = (median(parts.into_iter()), median(whole.into_iter()));
    table.row([
        "SFTP of 20 files of 10 MB, 20 ms of round trip, beside one of 200 MB".to_owned(),
        format!("{parts:.2} s"),
        format!("{:.2}", parts / whole),
        String::new(),
        format!("one: {whole:.2} s"),
    ]);
    Ok(())
}

/// Connects, lists, downloads all there is, checks, hashes and archives.
fn by_accrued(server: &sshd::Sshd, addr: SocketAddr) -> Result<f64> {
    let store = feed::Store::new();
    let source = feed::source(feed::through(addr, server));
    let began = Instant::now();
    let mut connection = accrued::inbox::Connection::open(&source, &Cancel::default())
        .map_err(|fault| anyhow::anyhow!("{fault:?}"))?;
    let listing = connection.list().map_err(|fault| anyhow::anyhow!("{fault:?}"))?;
    for (_, brought) in connection.bring(feed::wanted(listing), &store.archive, &|_| ()) {
        brought.map_err(|fault| anyhow::anyhow!("{fault:?}"))?;
    }
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
