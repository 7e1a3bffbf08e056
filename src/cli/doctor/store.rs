//! The store: there, of this program's form, sound, its chain's head the one that was recorded; its size and growth.

use super::{Findings, MayBe, size};
use crate::cli::exit::Exit;
use crate::cli::session::Session;
use crate::cli::summary::counted;
use crate::config::Config;
use crate::outbox::space::space;
use crate::store::health::{Checked, Month};
use crate::store::{OtherForm, Store};
use anyhow::Result;
use std::path::Path;
use std::time::Duration;

/// So long the file is checked: a large store takes minutes, and `verify chain` takes them.
const CHECKED_FOR: Duration = Duration::from_secs(10);
/// A write-ahead log that no run needs is folded into the store at its end.
const LARGE_LOG: u64 = 256 << 20;
/// Warned of when the disk would be full so soon.
const MONTHS_LEFT: u64 = 6;

pub(super) fn look(session: &Session, config: &Config, findings: &mut Findings) -> Result<Option<Store>> {
    let store = match session.store_if_any(config) {
        Ok(Some(store)) => store,
        Ok(None) => {
            let finding = format!("there is none in {} yet", config.data_dir.display());
            findings.warn("store", finding, "accrued run makes it");
            return Ok(None);
        }
        Err(fault) => {
            let form = fault.chain().find_map(|cause| cause.downcast_ref::<OtherForm>());
            let finding = form.map_or_else(|| format!("{fault:#}"), |form| before_colon(&form.to_string()));
            match form {
                Some(OtherForm::Older(_)) => {
                    findings.warn("store", finding, "accrued run brings it up to date")
                }
                Some(OtherForm::Newer(_)) => {
                    findings.bad("store", Exit::Failed, finding, "use the newer accrued that wrote it");
                }
                None => findings.bad(
                    "store",
                    Exit::Failed,
                    finding,
                    "read it as the user who runs accrued, or restore a backup",
                ),
            }
            return Ok(None);
        }
    };
    // what cannot be asked of a damaged file is one more finding
    if let Err(fault) = sound(config, &store, findings) {
        let remedy = "accrued verify says what is damaged; accrued restore brings a backup back";
        findings.bad("store", Exit::Failed, format!("{fault:#}"), remedy);
        return Ok(None);
    }
    Ok(Some(store))
}

fn before_colon(text: &str) -> String {
    text.split(": ").next().unwrap_or(text).to_owned()
}

fn sound(config: &Config, store: &Store, findings: &mut Findings) -> Result<()> {
    let path = config.data_dir.join("accrued.db");
    let bytes = length(&path);
    let last = store.last_record("run-started")?;
    let last =
        last.map(|run| format!("; last run {} at {}", run.stamp.run, run.stamp.at)).unwrap_or_default();
    let finding = format!("{}, {}{last}", path.display(), size(bytes));
    let damaged = "accrued verify says what is damaged; accrued restore brings a backup back";
    match store.quick_check(CHECKED_FOR)? {
        Checked::Sound => findings.ok("store", finding),
        Checked::Damaged(how) => {
            findings.bad("store", Exit::Failed, format!("{finding}: the file is damaged: {how}"), damaged);
        }
        Checked::NotDone => {
            let limit = CHECKED_FOR.as_secs();
            findings.ok(
                "store",
                format!("{finding}; sound as far as {limit} s go (accrued verify chain looks at all)"),
            );
        }
    }
    log(&path, findings);
    chain(store, findings)?;
    growth(config, store, bytes, findings)
}

fn length(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |found| found.len())
}

fn log(path: &Path, findings: &mut Findings) {
    let bytes = length(&path.with_extension("db-wal"));
    if bytes > LARGE_LOG {
        let finding = format!("{} wait to be folded into the store", size(bytes));
        findings.warn(
            "store log",
            finding,
            "end what reads the store for long, then run once: accrued run --offline",
        );
    }
}

/// The head as the last run recorded it, and the triggers that keep rows from being changed.
fn chain(store: &Store, findings: &mut Findings) -> Result<()> {
    let gone = store.guards_gone()?;
    let (entry, head) = store.ledger_head()?;
    let recorded = store.last_record("run-finished")?;
    let recorded: Option<serde_json::Value> =
        recorded.and_then(|record| serde_json::from_str(&record.body).ok());
    let told = recorded.as_ref().and_then(|body| Some((body["entry"].as_i64()?, body["head"].as_str()?)));
    let broken = match told {
        Some((entry, head)) if entry > 0 => store.entry_hash(entry)?.as_deref() != Some(head),
        Some(_) | None => false,
    };
    let proved = "accrued verify says what was changed; the head in the last run's output and in manifests is the witness";
    if broken {
        let finding = format!("head {entry} {head} is not what the last run recorded");
        findings.bad("chain", Exit::Failed, finding, proved);
    } else if !gone.is_empty() {
        let finding = format!("head {entry} {head}; triggers are gone: {}", gone.join(", "));
        findings.bad("chain", Exit::Failed, finding, proved);
    } else {
        findings.ok("chain", format!("head {entry} {head}"));
    }
    Ok(())
}

fn growth(config: &Config, store: &Store, bytes: u64, findings: &mut Findings) -> Result<()> {
    let months = store.months()?;
    let (archive, _) = store.archived_bytes()?;
    let rows = months.iter().map(|month| month.rows).sum::<i64>();
    let entries = months.iter().map(|month| month.entries).sum::<i64>();
    let a_month = (bytes + archive) / calendar_months(&months).max(1);
    let latest: Vec<String> = months
        .iter()
        .rev()
        .take(3)
        .map(|month| {
            format!(
                "{}: {}, {} and {}",
                month.month,
                files(month),
                rows_of(month.rows),
                entries_of(month.entries)
            )
        })
        .collect();
    let finding = format!(
        "store {}, archive {}, {} and {} in all; about {} a month; {}",
        size(bytes),
        size(archive),
        rows_of(rows),
        entries_of(entries),
        size(a_month),
        latest.join("; ")
    );
    let left = space(&config.data_dir).map_or(u64::MAX, |space| space.free / a_month.max(1));
    if left < MONTHS_LEFT {
        let remedy = "enlarge the disk of data_dir, or move data_dir to a larger one";
        findings.warn(
            "growth",
            format!("{finding}; the disk is full in about {}", counted(left, "month")),
            remedy,
        );
    } else {
        let ahead = if left < 120 {
            format!("; the disk is full in about {}", counted(left, "month"))
        } else {
            String::new()
        };
        findings.ok("growth", format!("{finding}{ahead}"));
    }
    Ok(())
}

fn files(month: &Month) -> String {
    counted(u64::try_from(month.files).unwrap_or(0), "file")
}

fn rows_of(rows: i64) -> String {
    counted(u64::try_from(rows).unwrap_or(0), "row")
}

fn entries_of(entries: i64) -> String {
    match entries {
        1 => "1 entry".to_owned(),
        several => format!("{several} entries"),
    }
}

/// From the first month with a run to the last, both counted.
fn calendar_months(months: &[Month]) -> u64 {
    let number = |month: &Month| {
        let (year, month) = month.month.split_once('-')?;
        Some(year.parse::<u64>().ok()? * 12 + month.parse::<u64>().ok()?)
    };
    let ends = months.first().and_then(number).zip(months.last().and_then(number));
    ends.map_or(1, |(first, last)| last.saturating_sub(first) + 1)
}

/// What a run needs: its files once more in the archive, in the store, in its log and in sorting.
pub(super) fn needed(store: MayBe<'_>) -> u64 {
    let largest = store.and_then(|store| store.archived_bytes().ok()).map_or(0, |(_, largest)| largest);
    (64 << 20) + 4 * largest
}
