//! A TCP connection within a time limit, host name look-up included, that `Cancel` can end.

use crate::inbox::{Cancel, InboxFault};
use std::io;
use std::net::{TcpStream, ToSocketAddrs};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// A connection that is idle for so long is probed, at this distance, and given up after so many.
const IDLE: Duration = Duration::from_secs(30);
const BETWEEN: Duration = Duration::from_secs(10);
const PROBES: u32 = 3;

/// Connects. A thread of its own does it: a look-up cannot be ended, only left behind.
pub(super) fn dial(host: &str, port: u16, limit: Duration, cancel: &Cancel) -> Result<TcpStream, InboxFault> {
    cancel.check()?;
    let (done, wait) = channel();
    let stop = done.clone();
    let _woken = cancel.wakes(move || drop(stop.send(Dialled::Stopped)));
    let _limited = cancel.limited();
    let (name, until) = (host.to_owned(), Instant::now() + limit);
    let spawned = std::thread::Builder::new().name("connect".to_owned()).spawn(move || {
        // nobody waits any more when this fails
        let _ = done.send(Dialled::Done(connect(&name, port, until)));
    });
    spawned.map_err(|e| InboxFault::Temporary(format!("cannot start a thread: {e}")))?;
    match wait.recv_timeout(limit) {
        Ok(Dialled::Done(Ok(tcp))) => Ok(tcp),
        Ok(Dialled::Done(Err(why))) => {
            Err(InboxFault::Temporary(format!("cannot connect to {host}:{port}: {why}")))
        }
        Ok(Dialled::Stopped) => Err(InboxFault::Stopped),
        Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
            Err(InboxFault::Temporary(format!(
                "cannot connect to {host}:{port}: no answer within {} (connect_timeout); is the port right, and does a firewall let us through?",
                seconds(limit)
            )))
        }
    }
}

/// What a dial ends with.
enum Dialled {
    Done(Result<TcpStream, String>),
    Stopped,
}

/// `20 s`, `1.5 s`.
pub(super) fn seconds(limit: Duration) -> String {
    format!("{} s", limit.as_secs_f64())
}

/// While we are busy elsewhere, a connection is kept open through whatever forgets idle ones, and a server that is gone is noticed.
/// It is done below SSH, whose own way would need somebody to wait for its answers.
fn keep_alive(tcp: &TcpStream) {
    use rustix::net::sockopt;
    // a network that cannot do it is as good as before
    let _ = sockopt::set_socket_keepalive(tcp, true)
        .and_then(|()| sockopt::set_tcp_keepidle(tcp, IDLE))
        .and_then(|()| sockopt::set_tcp_keepintvl(tcp, BETWEEN))
        .and_then(|()| sockopt::set_tcp_keepcnt(tcp, PROBES));
}

fn connect(host: &str, port: u16, until: Instant) -> Result<TcpStream, String> {
    let addresses: Vec<_> = (host, port)
        .to_socket_addrs()
        .map_err(|e| format!("the host name is not found ({e}); is it spelt right?"))?
        .collect();
    let mut last = None;
    for address in addresses {
        let left = until.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
        match TcpStream::connect_timeout(&address, left) {
            Ok(tcp) => {
                // requests are small and should not wait for company
                let _ = tcp.set_nodelay(true);
                keep_alive(&tcp);
                return Ok(tcp);
            }
            Err(e) => last = Some(e),
        }
    }
    Err(match last {
        Some(e) if e.kind() == io::ErrorKind::ConnectionRefused => {
            "connection refused; is the server up, and the port right?".to_owned()
        }
        Some(e) => e.to_string(),
        None => "the host name has no address".to_owned(),
    })
}
