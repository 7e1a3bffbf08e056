//! One run at a time: a lock on data_dir that says who holds it. It ends with the process that holds it, however that ends.

use anyhow::{Context, Result};
use std::fs::{File, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::Path;

/// Held for one run.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

/// Whether the lock was free.
#[derive(Debug)]
pub enum Taken {
    /// it is ours until dropped
    Ours(Lock),
    /// another run holds it; what it says of itself
    Theirs(String),
}

/// Takes the lock of a data_dir for a run that began at `since`.
pub fn take(data_dir: &Path, since: &str) -> Result<Taken> {
    let path = data_dir.join("lock");
    let mut file = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .with_context(|| format!("cannot open the lock {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut who = String::new();
            file.read_to_string(&mut who)?;
            return Ok(Taken::Theirs(who.trim().to_owned()));
        }
        Err(TryLockError::Error(fault)) => {
            return Err(fault).with_context(|| format!("cannot lock {}", path.display()));
        }
    }
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "pid {} since {since}", std::process::id())?;
    Ok(Taken::Ours(Lock { _file: file }))
}

/// Whether a lock is held, without touching it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Held {
    /// by nobody
    No,
    /// by a run; what it says of itself
    By(String),
    /// the system does not tell
    Unknown,
}

/// The kernel gives its list in pieces of a page: where locks come and go meanwhile, one that stays may be left out of it. So
/// often it is asked before a lock counts as free.
const LOOKS: usize = 8;

/// Looks at the lock of a data_dir by the kernel's list of locks. Trying to take it would be in the way of a run that begins just now.
pub fn look(data_dir: &Path) -> Held {
    let path = data_dir.join("lock");
    let Ok(found) = std::fs::metadata(&path) else { return Held::No };
    let inode = format!(":{}", std::os::unix::fs::MetadataExt::ino(&found));
    let mut holder = None;
    for _ in 0..LOOKS {
        let Ok(locks) = std::fs::read_to_string("/proc/locks") else { return Held::Unknown };
        holder = holder_in(&locks, &inode);
        if holder.is_some() {
            break;
        }
    }
    let Some(pid) = holder else { return Held::No };
    match std::fs::read_to_string(&path) {
        Ok(who) if !who.trim().is_empty() => Held::By(who.trim().to_owned()),
        Ok(_) | Err(_) => Held::By(format!("pid {pid}")),
    }
}

/// Who holds the lock of the file whose place ends so; a line reads `3: FLOCK  ADVISORY  WRITE 4711 fe:00:131 0 EOF`.
fn holder_in(locks: &str, inode: &str) -> Option<String> {
    locks.lines().find_map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let ours = words.get(1) == Some(&"FLOCK") && words.get(5).is_some_and(|place| place.ends_with(inode));
        words.get(4).filter(|_| ours).map(|pid| (*pid).to_owned())
    })
}
