//! No core dump of ours: what is in memory may be a key or a password.

use nix::sys::prctl;
use nix::sys::resource::{Resource, setrlimit};

/// From now on the system writes no core of this process, to a file or to a program, and no other user's process may look into it.
/// Where the system refuses that, nothing is lost but this second line of defence: who may see our memory may see our files.
pub(super) fn keep_memory_private() {
    let _ = setrlimit(Resource::RLIMIT_CORE, 0, 0);
    let _ = prctl::set_dumpable(false);
}
