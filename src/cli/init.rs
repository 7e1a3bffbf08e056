//! `accrued init DIR`: a first workspace. What is there already is never overwritten.

use super::exit::{Exit, Fault};
use super::session::Session;
use crate::config::init::{FILES, FOLDERS};
use crate::outbox::single;
use anyhow::{Context, Result};
use std::path::{Path, PathBuf};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The folder to lay it out in; made if it is not there
    dir: PathBuf,
}

pub(super) fn run(session: &Session, args: &Args) -> Result<Exit> {
    let there: Vec<&str> =
        FILES.iter().map(|file| file.path).filter(|path| args.dir.join(path).exists()).collect();
    if !there.is_empty() {
        return Err(Fault::failed(format!(
            "{} has {} already, and nothing is overwritten: name another folder, or move them away",
            args.dir.display(),
            there.join(", ")
        )));
    }
    for folder in FOLDERS {
        make(&args.dir.join(folder))?;
    }
    for file in FILES {
        let path = args.dir.join(file.path);
        make(path.parent().unwrap_or(&args.dir))?;
        single::put(&path, file.text.as_bytes())?;
        session.say(path.display());
    }
    session.next(format!("read {}", args.dir.join(FILES[0].path).display()));
    session.next(format!("cd {} && accrued check --offline", args.dir.display()));
    Ok(Exit::Done)
}

fn make(folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))
}
