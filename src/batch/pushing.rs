//! Push: what is published goes to the folders that `[[push]]` names, each file once. What was pushed is recorded; what waits is known
//! from the store and the published folders alone, so a push that failed or was killed goes on at the next run.
//!
//! Answers for: which files go where, in which order (a folder's manifest last: who sees it sees a whole folder), and that one
//! push's trouble is its own. Does not: know how a file gets there.

use super::Run;
use super::report::{Exit, FeedFault};
use super::taking::reject_bytes;
use crate::config::{Config, Push, What};
use crate::domain::chain;
use crate::inbox::{Content, InboxFault, Outgoing, Outlet, Place, Pushed};
use crate::outbox::check::file_sha256;
use crate::scheme;
use crate::statement::balances::{Row, balances_header, balances_row};
use crate::statement::{manifest, name};
use crate::store::Store;
use crate::store::files::FileState;
use crate::store::pushed::{Destination, PUSHED, PUSHING, PushedFile};
use anyhow::{Context, Result, anyhow};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Files recorded at once: what a killed push has done beyond its last record is looked at again.
const RECORD: usize = 200;
/// So many troubles of one push are told one by one; more of them have one cause, most likely.
const TROUBLES: usize = 10;
/// Folder of the wallets.
const BALANCES: &str = "balances/";

/// A file that waits to be pushed.
#[derive(Debug)]
struct Due {
    path: String,
    holds: Holds,
    /// the published folder that it belongs to
    folder: Option<String>,
}

#[derive(Debug)]
enum Holds {
    /// a published file, by its SHA-256
    File { path: PathBuf, sha256: String },
    /// the rejects of one taking of a file
    Rejects { file: String, seq: i64 },
    /// these bytes
    Bytes(Vec<u8>),
}

/// What waits for a push.
#[derive(Debug, Default)]
struct Waiting {
    files: Vec<Due>,
    /// published folders that cannot be pushed as they stand
    faults: Vec<String>,
}

/// How many files wait to be pushed, at the instant given.
pub fn waiting_for(store: &Store, config: &Config, push: &Push, at: &str) -> Result<u64> {
    let place = place_of(push);
    let to = Destination { push: &push.name, place: &place };
    let waiting = waiting(store, &config.data_dir, push, to, at)?;
    Ok((waiting.files.len() + waiting.faults.len()) as u64)
}

/// Where a push leads, as the store knows it.
pub fn place_of(push: &Push) -> String {
    match &push.source.place {
        Place::Folder(folder) => {
            let named = std::path::absolute(folder).unwrap_or_else(|_| folder.clone());
            named.display().to_string()
        }
        Place::Sftp(at) => format!("sftp://{}@{}:{}{}", at.user, at.host, at.port, at.folder),
    }
}

fn waiting(store: &Store, data_dir: &Path, push: &Push, to: Destination<'_>, at: &str) -> Result<Waiting> {
    let mut waiting = Waiting::default();
    for what in &push.what {
        match what {
            What::Statements => statements(store, data_dir, to, &mut waiting)?,
            What::Balances => waiting.files.extend(balances(store, to, at)?),
            What::Rejects => rejects(store, to, &mut waiting)?,
        }
    }
    Ok(waiting)
}

/// Folders that never change; the standing of an open cycle is replaced as a whole, which no server can do.
fn statements(store: &Store, data_dir: &Path, to: Destination<'_>, waiting: &mut Waiting) -> Result<()> {
    for publication in store.in_place()? {
        let folder = &publication.folder;
        let last = format!("{folder}/{}", manifest::FILE_NAME);
        if folder.ends_with("/current") || store.is_pushed(to, &last)? {
            continue;
        }
        let here = data_dir.join(&last);
        if file_sha256(&here)?.as_ref() != Some(&publication.manifest) {
            waiting.faults.push(format!("{last} is gone or was changed since it was published, so {folder} is not pushed; accrued verify statements tells more"));
            continue;
        }
        let bytes = fs::read(&here).with_context(|| format!("cannot read {}", here.display()))?;
        let listed = manifest::parse(&bytes).with_context(|| format!("in {folder}"))?.files;
        let manifest = (manifest::FILE_NAME.to_owned(), publication.manifest.clone());
        for (file, sha256) in listed.into_iter().map(|file| (file.file, file.sha256)).chain([manifest]) {
            let path = format!("{folder}/{file}");
            if !store.is_pushed(to, &path)? {
                let holds = Holds::File { path: data_dir.join(&path), sha256 };
                waiting.files.push(Due { path, holds, folder: Some(folder.clone()) });
            }
        }
    }
    Ok(())
}

/// The last reading of each file's bytes; one after the first has its number in its name, since nothing is overwritten there.
fn rejects(store: &Store, to: Destination<'_>, waiting: &mut Waiting) -> Result<()> {
    let mut readings: BTreeMap<String, (u32, Option<(String, i64)>)> = BTreeMap::new();
    for file in store.files(None)? {
        let name = name::reject_file(&file.arrival.name, &file.arrival.sha256);
        let reading = readings.entry(format!("rejects/{}/{name}", file.arrival.feed)).or_default();
        if file.counts.rejected > 0 {
            *reading = (reading.0 + 1, Some((file.arrival.name, file.seq)));
        } else if file.state == FileState::Ingested {
            reading.1 = None;
        }
    }
    for (path, (number, last)) in readings {
        let Some((file, seq)) = last else { continue };
        let path = numbered(&path, number);
        if !store.is_pushed(to, &path)? {
            waiting.files.push(Due { path, holds: Holds::Rejects { file, seq }, folder: None });
        }
    }
    Ok(())
}

/// `a.csv`, `a.2.csv`, `a.3.csv`
fn numbered(path: &str, number: u32) -> String {
    match (number, path.strip_suffix(".csv")) {
        (0 | 1, _) => path.to_owned(),
        (_, Some(stem)) => format!("{stem}.{number}.csv"),
        (_, None) => format!("{path}.{number}"),
    }
}

/// The wallets, where they are others than were pushed last. Those of a push that was killed go under the name that they may stand
/// under already; that name tells nothing of the wallets as they are now, unless they are the same.
fn balances(store: &Store, to: Destination<'_>, at: &str) -> Result<Option<Due>> {
    let left = store.left_pushing(to)?;
    let last = store.last_pushed(to, BALANCES)?;
    if last.is_none() && left.is_none() && store.ledger_head()?.0 == 0 {
        return Ok(None);
    }
    let bytes = balance_bytes(store)?;
    let sha256 = sha256(&bytes);
    let path = match (left, last) {
        (Some(left), _) if left.sha256 == sha256 => left.path,
        (None, Some(last)) if last.sha256 == sha256 => return Ok(None),
        (left, _) => free_name(store, to, at, left.as_ref())?,
    };
    Ok(Some(Due { path, holds: Holds::Bytes(bytes), folder: None }))
}

/// The first name of an instant that nothing was pushed under, nor may have been.
fn free_name(store: &Store, to: Destination<'_>, at: &str, left: Option<&PushedFile>) -> Result<String> {
    let dated = format!("{BALANCES}{}.csv", at.replace(':', ""));
    let mut number = 1;
    loop {
        let name = numbered(&dated, number);
        if left.is_none_or(|left| left.path != name) && !store.is_pushed(to, &name)? {
            return Ok(name);
        }
        number += 1;
    }
}

/// Points as the scheme's latest text shows and values them.
fn balance_bytes(store: &Store) -> Result<Vec<u8>> {
    let mut shown: BTreeMap<String, (u32, Option<Decimal>)> = BTreeMap::new();
    for text in store.scheme_texts()? {
        let (scheme, _) = scheme::parse(&text.path, &text.text).map_err(|faults| {
            anyhow!("a scheme text in the store cannot be read any more: {}", faults.render(false))
        })?;
        shown.insert(text.scheme, (scheme.decimals, scheme.value));
    }
    let mut bytes = Vec::new();
    balances_header(&mut bytes);
    store.each_wallet(None, |wallet| {
        let (decimals, value) = shown.get(&wallet.scheme).copied().unwrap_or((0, None));
        let points = [wallet.accumulated, wallet.redeemed, wallet.reserved, wallet.expired, wallet.available];
        let (scheme, partner_code, tier) = (&*wallet.scheme, &*wallet.partner_code, &*wallet.tier);
        balances_row(&mut bytes, &Row { scheme, partner_code, points, tier, decimals, value });
        Ok(())
    })?;
    Ok(bytes)
}

fn sha256(bytes: &[u8]) -> String {
    chain::hex(&Sha256::digest(bytes))
}

impl Run<'_> {
    /// Pushes what waits; of a run that is done again, what was recorded of its pushes.
    pub(super) fn push(&mut self) -> Result<()> {
        let (config, order) = (self.config, self.order);
        if let Some(replay) = &order.replay {
            return replay.pushes.iter().try_for_each(|(kind, body)| self.push_again(kind, body));
        }
        if order.fetch == super::Fetch::Nothing || config.pushes.is_empty() {
            return Ok(());
        }
        self.keep_journal()?;
        config.pushes.iter().try_for_each(|push| self.push_to(push))
    }

    fn push_again(&mut self, kind: &str, body: &Value) -> Result<()> {
        self.go_on()?;
        let stamp = self.stamp.clone();
        match kind {
            PUSHED => return self.store.append_pushed(&stamp, body),
            PUSHING => return self.store.whole(|store| store.append(&stamp, kind, body).map(drop)),
            _ => {}
        }
        let text = |key: &str| body[key].as_str().unwrap_or_default().to_owned();
        let exit = Exit::of_code(body["exit"].as_u64());
        self.report.push_faults.push(FeedFault { feed: text("push"), exit, why: text("why") });
        self.store.whole(|store| store.append(&stamp, kind, body).map(drop))
    }

    fn push_to(&mut self, push: &Push) -> Result<()> {
        let place = place_of(push);
        let to = Destination { push: &push.name, place: &place };
        let waiting = waiting(&self.store, &self.places.data, push, to, &self.stamp.at)?;
        let mut troubles: Vec<(Exit, String)> =
            waiting.faults.into_iter().map(|why| (Exit::Failed, why)).collect();
        let pushed = match waiting.files.as_slice() {
            [] => Ok(()),
            files => self.push_files((push, to), files, &mut troubles),
        };
        // the gravest decides how the run ends, so it is among those told
        troubles.sort_by_key(|(exit, _)| rank(*exit));
        let more = troubles.len().saturating_sub(TROUBLES);
        for (exit, why) in troubles.drain(..).take(TROUBLES) {
            self.note_push_fault(push, exit, why)?;
        }
        if more > 0 {
            let why = format!("{more} more files or folders could not be pushed for reasons like these");
            self.note_push_fault(push, Exit::Waits, why)?;
        }
        pushed
    }

    fn push_files(
        &mut self,
        (push, to): (&Push, Destination<'_>),
        files: &[Due],
        troubles: &mut Vec<(Exit, String)>,
    ) -> Result<()> {
        tracing::info!(push = %push.name, files = files.len(), "pushing");
        let mut outlet = match Outlet::open(&push.source, &self.order.cancel) {
            Ok(outlet) => outlet,
            Err(fault) => return ended_by(fault, troubles),
        };
        let mut done = Vec::new();
        let mut stuck: BTreeSet<&str> = BTreeSet::new();
        for due in files {
            let folder = due.folder.as_deref();
            if folder.is_some_and(|folder| stuck.contains(folder)) {
                continue;
            }
            if let Holds::Bytes(bytes) = &due.holds {
                self.announce(to, &due.path, bytes)?;
            }
            match self.put(&mut outlet, due) {
                Ok((file, Pushed::Now | Pushed::Already)) => done.push(file),
                Ok((_, Pushed::Other(why))) => {
                    stuck.extend(folder);
                    troubles.push((Exit::Waits, why));
                }
                Err(Trouble::There(fault)) if is_of_one_file(&fault) => {
                    stuck.extend(folder);
                    ended_by(fault, troubles)?;
                }
                Err(trouble) => {
                    self.record((push, to), &mut outlet, &mut done, troubles)?;
                    return match trouble {
                        Trouble::Ours(fault) => Err(fault),
                        Trouble::There(fault) => ended_by(fault, troubles),
                    };
                }
            }
            if done.len() >= RECORD
                && self.record((push, to), &mut outlet, &mut done, troubles)? == Settled::Not
            {
                return Ok(());
            }
        }
        self.record((push, to), &mut outlet, &mut done, troubles).map(drop)
    }

    /// Wallets are dated by the run that pushes them: their name is written down first, also beside the store, so that one
    /// that is killed has not sent what the next sends again under another name.
    fn announce(&mut self, to: Destination<'_>, path: &str, bytes: &[u8]) -> Result<()> {
        let file = PushedFile { path: path.to_owned(), sha256: sha256(bytes), size: bytes.len() as u64 };
        if self.store.left_pushing(to)?.is_some_and(|left| left == file) {
            return Ok(());
        }
        let stamp = self.stamp.clone();
        self.store.note_pushing(&stamp, to, &file)?;
        self.keep_journal()
    }

    fn put(&self, outlet: &mut Outlet, due: &Due) -> Result<(PushedFile, Pushed), Trouble> {
        let rendered;
        let (content, size, sha256) = match &due.holds {
            Holds::File { path, sha256 } => {
                let size = fs::metadata(path).map_or(0, |found| found.len());
                (Content::File(path), size, sha256.clone())
            }
            Holds::Rejects { file, seq } => {
                rendered = reject_bytes(&self.store, file, *seq).map_err(Trouble::Ours)?;
                (Content::Bytes(&rendered), rendered.len() as u64, sha256(&rendered))
            }
            Holds::Bytes(bytes) => (Content::Bytes(bytes), bytes.len() as u64, sha256(bytes)),
        };
        let file = Outgoing { path: &due.path, content, size, sha256: &sha256 };
        let pushed = outlet.put(&file).map_err(Trouble::There)?;
        Ok((PushedFile { path: due.path.clone(), sha256, size }, pushed))
    }

    fn record(
        &mut self,
        (push, to): (&Push, Destination<'_>),
        outlet: &mut Outlet,
        done: &mut Vec<PushedFile>,
        troubles: &mut Vec<(Exit, String)>,
    ) -> Result<Settled> {
        if done.is_empty() {
            return Ok(Settled::All);
        }
        if let Err(fault) = outlet.settle() {
            // the next run finds those that are there
            done.clear();
            return ended_by(fault, troubles).map(|()| Settled::Not);
        }
        let stamp = self.stamp.clone();
        self.store.note_pushed(&stamp, to, done)?;
        match self.report.pushed.iter_mut().find(|(name, _)| *name == push.name) {
            Some((_, count)) => *count += done.len() as u64,
            None => self.report.pushed.push((push.name.clone(), done.len() as u64)),
        }
        done.clear();
        Ok(Settled::All)
    }

    fn note_push_fault(&mut self, push: &Push, exit: Exit, why: String) -> Result<()> {
        let stamp = self.stamp.clone();
        let body = json!({ "push": push.name, "exit": exit.code(), "why": why });
        self.store.whole(|store| store.append(&stamp, crate::store::pushed::PUSH_FAILED, &body).map(drop))?;
        self.report.push_faults.push(FeedFault { feed: push.name.clone(), exit, why });
        Ok(())
    }
}

/// Whether others may still be pushed.
fn is_of_one_file(fault: &InboxFault) -> bool {
    match fault {
        InboxFault::Limit(_) | InboxFault::Changed(_) | InboxFault::Disk(_) => true,
        InboxFault::Temporary(_) | InboxFault::Refused(_) | InboxFault::Stopped => false,
    }
}

/// How a fault ends a run; only a signal does so at once.
fn ended_by(fault: InboxFault, troubles: &mut Vec<(Exit, String)>) -> Result<()> {
    let exit = match &fault {
        InboxFault::Temporary(_) => Exit::Temporary,
        InboxFault::Refused(_) => Exit::Refused,
        InboxFault::Limit(_) | InboxFault::Changed(_) => Exit::Waits,
        InboxFault::Disk(_) => Exit::Failed,
        InboxFault::Stopped => return Err(fault.into()),
    };
    troubles.push((exit, fault.to_string()));
    Ok(())
}

/// Of several exits the first of 1, 12, 5, 3, 0 (interfaces.md 1).
fn rank(exit: Exit) -> u8 {
    match exit {
        Exit::Failed => 0,
        Exit::Refused => 1,
        Exit::Temporary => 2,
        Exit::Waits => 3,
        Exit::Done => 4,
    }
}

/// Whether what was put stands where it belongs: if not, nothing may follow it, least of all the manifest of its folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Settled {
    All,
    Not,
}

/// Whose trouble it is.
enum Trouble {
    /// the store's, or the disk's on which it is
    Ours(anyhow::Error),
    /// the push's
    There(InboxFault),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_stand_in_its_own_way_is_numbered() {
        assert_eq!(numbered("a/b.csv", 1), "a/b.csv");
        assert_eq!(numbered("a/b.csv", 2), "a/b.2.csv");
        assert_eq!(numbered("a/b", 12), "a/b.12");
    }
}
