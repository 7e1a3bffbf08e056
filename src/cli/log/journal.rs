//! The journal's own protocol: one datagram a line, with its fields.
//!
//! See systemd's "Native Journal Protocol": `NAME=value\n`, or for a value with line ends `NAME\n`, its length as eight bytes (little
//! endian), the value and `\n`.

use super::line::{Line, plain};
use rustix::fs::fstat;
use std::io;
use std::os::unix::net::UnixDatagram;
use std::sync::OnceLock;

/// Where journald listens.
const SOCKET: &str = "/run/systemd/journal/socket";

/// Names another socket: for containers that have it elsewhere, and for tests.
const SOCKET_VARIABLE: &str = "JOURNAL_SOCKET";

/// Whether stderr goes to the journal: systemd says which file that is.
pub(super) fn is_stderr() -> bool {
    let Ok(said) = std::env::var("JOURNAL_STREAM") else { return false };
    let Ok(stat) = fstat(io::stderr()) else { return false };
    said == format!("{}:{}", stat.st_dev, stat.st_ino)
}

/// Sends a line.
pub(super) fn send(line: &Line) -> io::Result<()> {
    static UNBOUND: OnceLock<Option<UnixDatagram>> = OnceLock::new();
    let Some(unbound) = UNBOUND.get_or_init(|| UnixDatagram::unbound().ok()) else {
        return Err(io::ErrorKind::NotConnected.into());
    };
    let named = std::env::var_os(SOCKET_VARIABLE);
    unbound.send_to(&datagram(line), named.unwrap_or_else(|| SOCKET.into())).map(drop)
}

fn datagram(line: &Line) -> Vec<u8> {
    let mut bytes = Vec::new();
    add(&mut bytes, "MESSAGE", &line.words());
    add(&mut bytes, "PRIORITY", &line.priority().to_string());
    add(&mut bytes, "SYSLOG_IDENTIFIER", "accrued");
    for (name, value) in &line.fields {
        add(&mut bytes, &format!("ACCRUED_{}", name.to_ascii_uppercase()), &plain(value));
    }
    bytes
}

fn add(bytes: &mut Vec<u8>, name: &str, value: &str) {
    bytes.extend_from_slice(name.as_bytes());
    if value.contains('\n') {
        bytes.push(b'\n');
        bytes.extend_from_slice(&(value.len() as u64).to_le_bytes());
    } else {
        bytes.push(b'=');
    }
    bytes.extend_from_slice(value.as_bytes());
    bytes.push(b'\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_with_line_ends_is_told_with_its_length() {
        let mut bytes = Vec::new();
        add(&mut bytes, "A", "b=c");
        add(&mut bytes, "MESSAGE", "d\ne");
        assert_eq!(bytes, b"A=b=c\nMESSAGE\n\x03\0\0\0\0\0\0\0d\ne\n");
    }
}
