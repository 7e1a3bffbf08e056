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
