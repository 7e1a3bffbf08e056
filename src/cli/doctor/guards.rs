//! Who may do what: the lock, the permissions of folders, and the files of secrets.

use super::Findings;
use crate::cli::exit::Exit;
use crate::config::Config;
use crate::inbox::{Place, Source};
use crate::lock::{self, Held};
use chrono::{DateTime, Utc};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// A run that takes so long is told of.
const LONG_HOURS: i64 = 24;

pub(super) fn lock(config: &Config, now: DateTime<Utc>, findings: &mut Findings) {
    match lock::look(&config.data_dir) {
        Held::No => findings.ok("lock", "free"),
        Held::Unknown => findings.ok("lock", "the system does not tell who holds it"),
        Held::By(who) => {
            let since = who.split("since ").nth(1).and_then(|since| DateTime::parse_from_rfc3339(since).ok());
            let hours = since.map_or(0, |since| (now - since.to_utc()).num_hours());
            if hours >= LONG_HOURS {
                let finding = format!("held by a run, {who}: for {hours} hours");
                findings.warn(
                    "lock",
                    finding,
                    "see whether it moves (accrued status, its log); SIGTERM ends it cleanly",
                );
            } else {
                findings.ok("lock", format!("held by a run, {who}"));
            }
        }
    }
}

/// Folders and files that decide what is posted, and what they hold.
pub(super) fn permissions(config: &Config, findings: &mut Findings) {
    let mut well = true;
    for (what, path) in
        [("data_dir", &config.data_dir), ("schemes_dir", &config.schemes_dir), ("config", &config.path)]
    {
        let Ok(found) = std::fs::metadata(path) else { continue };
        let mode = found.mode() & 0o7777;
        let (shown, check) = (path.display(), format!("permissions of {what}"));
        if mode & 0o002 != 0 {
            well = false;
            let finding = format!("{shown} can be changed by everybody (mode {mode:04o})");
            findings.bad(check, Exit::Failed, finding, format!("chmod o-w {shown}"));
        } else if what == "data_dir" && mode & 0o004 != 0 {
            well = false;
            let finding =
                format!("{shown}, with every partner's sales, can be read by everybody (mode {mode:04o})");
            findings.warn(check, finding, format!("chmod o-rwx {shown}"));
        }
    }
    if well {
        findings.ok("permissions", "nobody else may change config, schemes or store");
    }
}

/// Whose the files of secrets are. What only the service has is looked at by the service alone.
pub(super) fn secrets(config: &Config, findings: &mut Findings) {
    let sources = config.feeds.iter().map(|feed| &feed.source);
    for source in sources.chain(config.pushes.iter().map(|push| &push.source)) {
        for (key, path, judged) in secrets_of(source) {
            let check = format!("secret of {}", source.feed);
            if unknown(path) {
                let finding = format!("{key} {}: that variable is not set here", path.display());
                findings.warn(check, finding, credentials(path));
                continue;
            }
            match judged {
                Ok(()) => findings.ok(check, format!("{key} {} is for its owner alone", path.display())),
                Err(fault) => findings.bad(check, Exit::Refused, fault.finding, fault.remedy),
            }
        }
    }
}

type Judged<'f> = (&'static str, &'f Path, Result<(), crate::inbox::Unsafe>);

fn secrets_of(source: &Source) -> Vec<Judged<'_>> {
    match &source.place {
        Place::Folder(_) => Vec::new(),
        Place::Sftp(sftp) => sftp.login.secrets(),
    }
}

/// Whether a path names a variable that is not set: `${CREDENTIALS_DIRECTORY}` is there for the service alone.
fn unknown(path: &Path) -> bool {
    path.to_string_lossy().contains("${")
}

fn credentials(path: &Path) -> String {
    if path.to_string_lossy().contains("${CREDENTIALS_DIRECTORY}") {
        return "only the service has it: CREDENTIALS_DIRECTORY=FOLDER accrued doctor, as its user, looks at the files themselves"
            .to_owned();
    }
    "set it where accrued runs, or write the path itself".to_owned()
}

/// Whether a feed or push can be contacted from here at all.
pub(super) fn has_secrets(source: &Source) -> bool {
    !secrets_of(source).iter().any(|(_, path, _)| unknown(path))
}
