//! Files that hold a secret: a private key, its passphrase, a password. Who else may read one is asked each time it is used.
//!
//! A secret is a plain file (a link to one will do) that is ours or root's and that nobody else may read or write: mode 600 or 400.
//! The group may read it only as mode 440 of root's own group: so systemd hands over credentials, and these bits then are the
//! mask of an access list that names us. A file of root's for our own group is refused: others are in that group, auditors
//! in ours. What was read is overwritten once it has been used, as far as it is in our hands, and shows itself to nobody.

use super::InboxFault;
use nix::unistd::{Uid, User, geteuid};
use std::fmt;
use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

/// More bytes than any key or password has.
const MOST: u64 = 64 * 1024;

/// A secret in memory.
pub(super) struct Secret(Vec<u8>);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.fill(0);
        // what nobody looks at any more would not be written
        std::hint::black_box(&self.0);
    }
}

/// Why a file cannot be used as a secret, and what to do. Neither says anything of what it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsafe {
    /// names the setting, the file and what is wrong
    pub finding: String,
    /// a command, or what to write where
    pub remedy: String,
}

impl fmt::Display for Unsafe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.finding, self.remedy)
    }
}

impl From<Unsafe> for InboxFault {
    /// A login that cannot be: it is never retried.
    fn from(fault: Unsafe) -> InboxFault {
        InboxFault::Refused(fault.to_string())
    }
}

/// A secret's file, for messages: the setting that names it, and where it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Named<'p> {
    pub key: &'p str,
    pub path: &'p Path,
}

impl Named<'_> {
    fn fault(self, what: impl fmt::Display, remedy: impl Into<String>) -> Unsafe {
        let finding = format!("{} {} {what}", self.key, self.path.display());
        Unsafe { finding, remedy: remedy.into() }
    }

    fn unreadable(self, error: &io::Error) -> Unsafe {
        let finding = format!("cannot read {} {}: {error}", self.key, self.path.display());
        let remedy = match error.kind() {
            io::ErrorKind::NotFound => "mend the path, or put the file there".to_owned(),
            _ => format!("it must be a file that {} may read", who(geteuid().as_raw())),
        };
        Unsafe { finding, remedy }
    }
}

impl Secret {
    /// Reads a secret that nobody else may read.
    pub fn read(named: Named<'_>) -> Result<Secret, Unsafe> {
        let (file, found) = open(named)?;
        // never moved while it grows: an earlier place would not be overwritten
        let mut secret = Secret(Vec::with_capacity(usize::try_from(found.len()).unwrap_or(0) + 1));
        let room = secret.0.capacity() as u64;
        file.take(room).read_to_end(&mut secret.0).map_err(|error| named.unreadable(&error))?;
        if secret.0.len() as u64 > found.len() {
            return Err(named.fault("was written to while it was read", "run again"));
        }
        match std::str::from_utf8(&secret.0) {
            Ok(_) => Ok(secret),
            Err(_) => Err(named.fault("is not text", "it must be as ssh-keygen or an editor writes it")),
        }
    }

    /// What it is.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// Likewise, without the line break that editors put behind it.
    pub fn line(&self, named: Named<'_>) -> Result<&str, Unsafe> {
        let text = self.text();
        let line = text.strip_suffix('\n').map_or(text, |text| text.strip_suffix('\r').unwrap_or(text));
        if line.is_empty() || line.contains(['\n', '\0']) {
            return Err(named.fault("must hold one line that is not empty", "write the secret alone into it"));
        }
        Ok(line)
    }
}

/// Whether a file may be used as a secret; nothing of it is read.
pub(super) fn check(named: Named<'_>) -> Result<(), Unsafe> {
    open(named).map(drop)
}

/// Opens it and asks the open file who else may: a path may lead elsewhere a moment later.
fn open(named: Named<'_>) -> Result<(File, Metadata), Unsafe> {
    let flags = libc::O_NONBLOCK | libc::O_CLOEXEC;
    let file = OpenOptions::new().read(true).custom_flags(flags).open(named.path);
    let file = file.map_err(|error| named.unreadable(&error))?;
    let found = file.metadata().map_err(|error| named.unreadable(&error))?;
    if !found.is_file() {
        return Err(named.fault("is no file", "name the file that holds the secret"));
    }
    let facts = Facts { owner: found.uid(), group: found.gid(), mode: found.mode() & 0o7777 };
    facts.judge(named, geteuid().as_raw())?;
    match found.len() {
        0..=MOST => Ok((file, found)),
        more => {
            Err(named.fault(format!("has {more} bytes, no secret has more than {MOST}"), "name another file"))
        }
    }
}

/// Whose a file is and who may do what with it.
#[derive(Debug, Clone, Copy)]
struct Facts {
    owner: u32,
    group: u32,
    mode: u32,
}

impl Facts {
    fn judge(self, named: Named<'_>, us: u32) -> Result<(), Unsafe> {
        let Facts { owner, group, mode } = self;
        let path = named.path.display();
        if owner != us && owner != 0 {
            return Err(named.fault(
                format!("is owned by {}: a secret must be {}'s or root's", who(owner), who(us)),
                format!("chown {us} {path} && chmod 600 {path}"),
            ));
        }
        let handed_over = owner == 0 && group == 0 && mode == 0o440;
        if mode & 0o077 == 0 || handed_over {
            return Ok(());
        }
        let can = if mode & 0o007 != 0 { "others" } else { "its group" };
        let remedy = match owner {
            0 if us != 0 => format!(
                "chown {us} {path} && chmod 600 {path}, or hand it over with LoadCredential= of systemd"
            ),
            _ => format!("chmod 600 {path}"),
        };
        Err(named.fault(format!("can be read or written by {can} (mode {mode:04o})"), remedy))
    }
}

/// `asha (uid 1001)`
fn who(uid: u32) -> String {
    match User::from_uid(Uid::from_raw(uid)) {
        Ok(Some(user)) => format!("{} (uid {uid})", user.name),
        Ok(None) | Err(_) => format!("uid {uid}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn said(owner: u32, group: u32, mode: u32, us: u32) -> Option<String> {
        let named = Named { key: "private_key", path: Path::new("/k") };
        Facts { owner, group, mode }.judge(named, us).err().map(|fault| fault.to_string())
    }

    #[test]
    fn only_ours_or_roots_and_for_nobody_else() {
        for (owner, group, mode) in [
            (990, 990, 0o600),
            (990, 990, 0o400),
            (990, 7, 0o700),
            (0, 0, 0o600),
            // as systemd hands over a credential: the group's bits are the mask of an access list
            (0, 0, 0o440),
            (0, 990, 0o400),
        ] {
            assert_eq!(said(owner, group, mode, 990), None, "{owner}:{group} {mode:o}");
        }
        for (owner, group, mode, told) in [
            (990, 990, 0o644, "can be read or written by others (mode 0644); chmod 600 /k"),
            (990, 990, 0o640, "can be read or written by its group (mode 0640); chmod 600 /k"),
            (990, 990, 0o602, "by others (mode 0602)"),
            (990, 990, 0o620, "by its group"),
            (0, 990, 0o640, "by its group (mode 0640); chown 990 /k && chmod 600 /k, or hand it over"),
            (0, 0, 0o640, "by its group"),
            (0, 0, 0o444, "by others"),
            (0, 0, 0o460, "by its group"),
            (991, 991, 0o600, "is owned by uid 991: a secret must be"),
        ] {
            let said = said(owner, group, mode, 990).unwrap_or_default();
            assert!(said.starts_with("private_key /k ") && said.contains(told), "{said}");
        }
        assert!(said(991, 991, 0o600, 0).is_some(), "root's own are root's");
        assert!(said(0, 990, 0o640, 0).is_some_and(|said| said.ends_with("; chmod 600 /k")));
    }

    #[test]
    fn the_file_that_a_link_leads_to_counts_and_each_time_anew() {
        let folder = tempfile::tempdir().expect("a folder");
        let (key, link) = (folder.path().join("key"), folder.path().join("link"));
        fs::write(&key, "hunter2\n").expect("written");
        symlink(&key, &link).expect("a link");
        let named = Named { key: "password_file", path: &link };
        let mode = |mode| fs::set_permissions(&key, fs::Permissions::from_mode(mode)).expect("ours");
        mode(0o600);
        let secret = Secret::read(named).expect("for nobody else");
        assert_eq!(secret.line(named), Ok("hunter2"));
        assert_eq!(format!("{secret:?}"), "Secret(..)");
        mode(0o644);
        let fault = Secret::read(named).expect_err("others may read it");
        assert!(
            fault.to_string().contains("(mode 0644); chmod 600 ") && !fault.to_string().contains("hunter2")
        );
        assert_eq!(check(named), Err(fault));
    }

    #[test]
    fn what_is_no_secret_is_said() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("s");
        let said = |bytes: &[u8]| {
            fs::write(&path, bytes).expect("written");
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("ours");
            let named = Named { key: "password_file", path: &path };
            match Secret::read(named) {
                Ok(secret) => secret.line(named).map(str::to_owned),
                Err(fault) => Err(fault),
            }
        };
        assert_eq!(said(b"a b\r\n"), Ok("a b".to_owned()));
        for (bytes, told) in [
            (&b""[..], "must hold one line"),
            (b"\n", "must hold one line"),
            (b"a\nb\n", "must hold one line"),
            (b"\xff", "is not text"),
            (&[b'x'; 70_000], "has 70000 bytes"),
        ] {
            assert!(said(bytes).is_err_and(|fault| fault.finding.contains(told)), "{told}");
        }
        let nowhere = Named { key: "private_key", path: Path::new("/no/such") };
        assert!(
            check(nowhere)
                .is_err_and(|fault| fault.finding.starts_with("cannot read private_key /no/such: "))
        );
        let no_file = Named { key: "private_key", path: folder.path() };
        assert!(check(no_file).is_err_and(|fault| fault.finding.ends_with("is no file")));
    }
}
