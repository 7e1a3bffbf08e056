//! The program and what it stands on.

use super::Findings;
use crate::inbox::libssh2_version;
use crate::store::health::sqlite_version;

/// Below it, a hostile server reaches a heap overflow before login.
const FLOOR: [u32; 3] = [0, 3, 4];

pub(super) fn look(findings: &mut Findings) {
    let libssh2 = libssh2_version();
    let finding =
        format!("accrued {}, libssh2 {libssh2}, SQLite {}", env!("CARGO_PKG_VERSION"), sqlite_version());
    match is_below_floor(&libssh2) {
        false => findings.ok("program", finding),
        true => findings.warn(
            "program",
            finding,
            "build accrued with libssh2-sys 0.3.4 or later: before it a hostile server can take over the process",
        ),
    }
}

/// `1.11.1 (libssh2-sys 0.3.4)`; one that tells no version is taken to be below it.
fn is_below_floor(version: &str) -> bool {
    let told = version.split_once("libssh2-sys ").map_or("", |(_, told)| told.trim_end_matches(')'));
    let numbers: Option<Vec<u32>> = told.split(['.', '+']).take(3).map(|part| part.parse().ok()).collect();
    numbers.is_none_or(|numbers| numbers.as_slice() < FLOOR.as_slice())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_floor_is_that_of_the_crate() {
        assert!(!is_below_floor(&libssh2_version()));
        assert!(!is_below_floor("1.11.1 (libssh2-sys 0.4.0)"));
        for below in ["1.10.0 (libssh2-sys 0.3.3)", "1.9 (libssh2-sys 0.2.23)", "unknown"] {
            assert!(is_below_floor(below), "{below}");
        }
    }
}
