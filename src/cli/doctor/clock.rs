//! The clock: not before what is known to have been, and the one that dates the files beside the store.

use super::{Findings, MayBe};
use crate::cli::exit::Exit;
use crate::cli::session::Session;
use crate::clock;
use crate::config::Config;
use crate::outbox::space::writable;
use crate::store::ClockMode;
use anyhow::Result;
use chrono::{DateTime, NaiveTime, Utc};
use std::path::Path;

/// A file may be dated so far off our clock: file systems of other machines have their own.
const SECONDS_OFF: i64 = 120;

const REMEDY: &str =
    "set the clock (timedatectl status says whether it is kept right); runs are refused until then";

pub(super) fn look(
    session: &Session,
    config: &Config,
    store: MayBe<'_>,
    findings: &mut Findings,
) -> Result<()> {
    let now = session.now();
    let stamp = clock::stamp(now);
    let built = clock::time_zone_data_released().and_time(NaiveTime::MIN).and_utc();
    if let Some((mode, last)) = store.map(|store| store.clock()).transpose()?.flatten() {
        match mode {
            ClockMode::Given => {
                findings
                    .ok("clock", format!("{stamp}; the store goes by given instants, the last one {last}"));
                return Ok(());
            }
            ClockMode::Real if stamp < last => {
                findings.bad(
                    "clock",
                    Exit::Failed,
                    format!("{stamp} is before the last run at {last}"),
                    REMEDY,
                );
                return Ok(());
            }
            ClockMode::Real => {}
        }
    }
    if now < built {
        let finding =
            format!("{stamp} is before this program's time-zone data were released, {}", built.date_naive());
        findings.bad("clock", Exit::Failed, finding, REMEDY);
        return Ok(());
    }
    let off = session.as_of().is_none().then(|| seconds_off(&config.data_dir)).flatten();
    match off.filter(|seconds| seconds.abs() > SECONDS_OFF) {
        Some(seconds) => {
            let finding = format!(
                "{stamp}; a file made in {} just now is dated {seconds} s off it",
                config.data_dir.display()
            );
            findings.warn(
                "clock",
                finding,
                "set the clock of this machine and of the one that has the disk by one source (NTP)",
            );
        }
        None => findings.ok("clock", stamp),
    }
    Ok(())
}

/// How far the date of a fresh file is from our clock; `None` where none can be made.
fn seconds_off(folder: &Path) -> Option<i64> {
    writable(folder).ok()?;
    let path = folder.join(format!(".doctor-{}", std::process::id()));
    let made =
        std::fs::File::create_new(&path).and_then(|file| file.metadata()).and_then(|found| found.modified());
    let _ = std::fs::remove_file(&path);
    let dated: DateTime<Utc> = made.ok()?.into();
    Some((dated - clock::now()).num_seconds())
}
