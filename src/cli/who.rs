//! Who types: the operating-system user, for the journal.

use nix::unistd::{Uid, User};

/// The name of the user that this process runs as, or `uid:1001` where the system knows no name for it.
pub(super) fn user() -> String {
    let uid = Uid::current();
    match User::from_uid(uid) {
        Ok(Some(user)) if !user.name.is_empty() => user.name,
        Ok(Some(_) | None) | Err(_) => format!("uid:{uid}"),
    }
}
