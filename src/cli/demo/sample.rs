//! The sample workspace: its files, what is dropped before each run, and laying it out.
//!
//! A folder is taken only if it is empty, new or one that the demo made: nothing of anyone else is ever removed.

use crate::cli::exit::Fault;
use anyhow::{Context, Result};
use std::fs::{self, File, FileTimes};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// What says that a folder was made by the demo.
const MARK: Sample = Sample { path: "DEMO.txt", bytes: include_bytes!("../../../fixtures/demo/DEMO.txt") };

/// accrued.toml.
pub(super) const CONFIG: Sample =
    Sample { path: "accrued.toml", bytes: include_bytes!("../../../fixtures/demo/accrued.toml") };

/// The rules.
pub(super) const SCHEME: Sample = Sample {
    path: "schemes/lighting-club.toml",
    bytes: include_bytes!("../../../fixtures/demo/schemes/lighting-club.toml"),
};

/// Rules with a gap between two slabs.
pub(super) const BAD_SCHEME: Sample = Sample {
    path: "broken/schemes/lighting-club.toml",
    bytes: include_bytes!("../../../fixtures/demo/bad-slab.toml"),
};

/// accrued.toml beside it.
pub(super) const BROKEN_CONFIG: Sample = Sample { path: "broken/accrued.toml", bytes: CONFIG.bytes };

/// Everything that the demo makes in its folder.
const OURS: [&str; 6] = ["DEMO.txt", "accrued.toml", "schemes", "drop", "var", "broken"];

/// A file of the workspace.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sample {
    /// below the workspace
    pub(super) path: &'static str,
    /// its content
    pub(super) bytes: &'static [u8],
}

/// One run, and what the distributors drop before it.
pub(super) struct Step {
    /// the run's instant
    pub(super) at: &'static str,
    /// what happens, in words
    pub(super) what: &'static str,
    /// with the second of modification that each file has
    pub(super) drops: &'static [(Sample, u64)],
}

const NORTH_Q1: &[u8] = include_bytes!("../../../fixtures/demo/drop/north/north_2026-q1.csv");

/// The demo's history. Modification times are given, since files are taken in their order.
pub(super) const STEPS: [Step; 3] = [
    Step {
        at: "2026-07-06T02:30:00+05:30",
        what: "April to June, from a distributor in Delhi and one in Dubai",
        drops: &[
            (Sample { path: "drop/north/north_2026-q1.csv", bytes: NORTH_Q1 }, 1_783_050_000),
            (
                Sample {
                    path: "drop/gulf/gulf_2026-q1.csv",
                    bytes: include_bytes!("../../../fixtures/demo/drop/gulf/gulf_2026-q1.csv"),
                },
                1_783_060_000,
            ),
        ],
    },
    Step {
        at: "2026-09-03T02:30:00+05:30",
        what: "a late file, a return, and an export that was sent twice",
        drops: &[
            (Sample { path: "drop/north/north_2026-q1_again.csv", bytes: NORTH_Q1 }, 1_788_300_000),
            (
                Sample {
                    path: "drop/north/north_2026-q1_late.csv",
                    bytes: include_bytes!("../../../fixtures/demo/drop/north/north_2026-q1_late.csv"),
                },
                1_788_310_000,
            ),
            (
                Sample {
                    path: "drop/north/north_2026-08_returns.csv",
                    bytes: include_bytes!("../../../fixtures/demo/drop/north/north_2026-08_returns.csv"),
                },
                1_788_320_000,
            ),
        ],
    },
    Step {
        at: "2026-10-06T02:30:00+05:30",
        what: "July to September",
        drops: &[
            (
                Sample {
                    path: "drop/north/north_2026-q2.csv",
                    bytes: include_bytes!("../../../fixtures/demo/drop/north/north_2026-q2.csv"),
                },
                1_791_100_000,
            ),
            (
                Sample {
                    path: "drop/gulf/gulf_2026-q2.csv",
                    bytes: include_bytes!("../../../fixtures/demo/drop/gulf/gulf_2026-q2.csv"),
                },
                1_791_110_000,
            ),
        ],
    },
];

/// Makes the folder as it is before the first run. What an earlier demo made there goes.
pub(super) fn lay_out(folder: &Path, earlier: &[PathBuf]) -> Result<()> {
    for found in earlier {
        remove(found)?;
    }
    for sample in [MARK, CONFIG, SCHEME] {
        write(folder, sample)?;
    }
    for feed in ["drop/north", "drop/gulf"] {
        make(&folder.join(feed))?;
    }
    Ok(())
}

/// What stands in the folder, all of it the demo's own; refused where anything is not.
pub(super) fn contents(folder: &Path) -> Result<Vec<PathBuf>> {
    let listing = match fs::read_dir(folder) {
        Ok(listing) => listing,
        Err(fault) if fault.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(fault) => return Err(fault).with_context(|| format!("cannot look into {}", folder.display())),
    };
    let mut found = Vec::new();
    let mut foreign = None;
    for entry in listing {
        let entry = entry.with_context(|| format!("cannot look into {}", folder.display()))?;
        if !OURS.iter().any(|ours| entry.file_name() == *ours) {
            foreign = Some(entry.path());
        }
        found.push(entry.path());
    }
    let marked = fs::read(folder.join(MARK.path)).is_ok_and(|bytes| bytes == MARK.bytes);
    let what = match (found.is_empty() || marked, foreign) {
        (true, None) => return Ok(found),
        (true, Some(foreign)) => format!("it has {}, which the demo did not make", foreign.display()),
        (false, _) => "it is not empty, and the demo did not make it".to_owned(),
    };
    Err(Fault::failed(format!(
        "will not touch {}: {what}; name a new folder: accrued demo DIR",
        folder.display()
    )))
}

/// Takes away something that the demo made. A link is taken away, not what it leads to.
fn remove(path: &Path) -> Result<()> {
    let kind = fs::symlink_metadata(path).map(|metadata| metadata.file_type());
    let removed = match kind {
        Ok(kind) if kind.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(fault) => Err(fault),
    };
    removed.with_context(|| format!("cannot take away {}", path.display()))
}

pub(super) fn make(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))
}

/// Writes a file of the workspace.
pub(super) fn write(folder: &Path, sample: Sample) -> Result<PathBuf> {
    let path = folder.join(sample.path);
    if let Some(parent) = path.parent() {
        make(parent)?;
    }
    fs::write(&path, sample.bytes).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(path)
}

/// Drops a file into a feed's folder, modified at a given second.
pub(super) fn drop_file(folder: &Path, (sample, second): (Sample, u64)) -> Result<()> {
    let path = write(folder, sample)?;
    let modified = SystemTime::UNIX_EPOCH + Duration::from_secs(second);
    File::options()
        .write(true)
        .open(&path)
        .and_then(|file| file.set_times(FileTimes::new().set_modified(modified)))
        .with_context(|| format!("cannot set the time of {}", path.display()))
}
