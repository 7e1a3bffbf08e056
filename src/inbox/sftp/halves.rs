//! A large file over two connections at once: which bytes each of them reads. One connection decrypts on one thread, and has so
//! much on its way and no more; two keep both ends and a long wire busy. The second one is a favour that the server may
//! refuse: the first begins at once and shares what is left only when the second is there.

use crate::inbox::{Cancel, InboxFault};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Files from this size on are worth a second login.
pub(super) const LARGE: u64 = 48 << 20;

/// A `read_buffer` below this one, the default, is for servers that one had better ask for little.
pub(in crate::inbox) const ROBUST: usize = 1 << 20;

/// So much is left to share, or the first connection goes on alone. What it has asked for ahead (8 MiB at most, by
/// libssh2) is well within its half.
const WORTH_SHARING: u64 = 32 << 20;

/// What libssh2 asks for in one request.
pub(super) const REQUEST: u64 = 30_000;

/// Bytes before the border that both connections read.
pub(super) const SEAM: usize = 64 << 10;

/// How many bytes to read at once with so many left: libssh2 asks for four times as many ahead, and what is asked for beyond
/// the end is carried and decrypted for nothing.
pub(super) fn piece(left: u64, buffer: usize) -> usize {
    let tapered = usize::try_from((left / 4).max(REQUEST)).unwrap_or(buffer);
    tapered.min(buffer)
}

/// What two connections know of each other.
pub(super) struct Halves {
    state: Mutex<State>,
    /// ends the second connection, whatever it is doing
    pub second: Cancel,
}

struct State {
    /// bytes that the first has read
    front: u64,
    /// where the second begins; the file's size while there is none
    border: u64,
    size: u64,
    lost: Option<InboxFault>,
}

/// What the first connection reads next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// so many bytes until its part ends
    Until(u64),
    /// to the end of the file and one look beyond
    End,
    /// nothing: the rest is the other's
    Done,
}

impl Halves {
    /// Of a file of this size, of which so much is here; all of the rest is the first connection's.
    pub(super) fn of(size: u64, front: u64, cancel: &Cancel) -> Halves {
        let state = State { front, border: size, size, lost: None };
        Halves { state: Mutex::new(state), second: cancel.part() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the first connection reads next, having read so much.
    ///
    /// # Errors
    /// What the second one failed of, once it had its half.
    pub(super) fn next(&self, front: u64) -> Result<Next, InboxFault> {
        let mut state = self.lock();
        state.front = front;
        match state.lost.take() {
            Some(fault) => Err(fault),
            None if state.border == state.size => Ok(Next::End),
            None if front >= state.border => Ok(Next::Done),
            None => Ok(Next::Until(state.border - front)),
        }
    }

    /// The second connection is ready to read: from here on, if it is worth it.
    pub(super) fn share(&self) -> Option<u64> {
        let mut state = self.lock();
        let left = state.size.saturating_sub(state.front);
        if left < WORTH_SHARING || self.second.is_set() {
            return None;
        }
        state.border = state.size - left / 2;
        Some(state.border)
    }

    /// The second one failed in its half; of no interest if it was told to.
    pub(super) fn lose(&self, fault: InboxFault) {
        if !self.second.is_set() {
            self.lock().lost = Some(fault);
        }
    }

    /// The first one is through with the file, or failed: there is nothing left for the second one.
    pub(super) fn give_up(&self) {
        self.second.set();
    }

    /// What became of the second one, once both are through.
    pub(super) fn whole(&self) -> Result<(), InboxFault> {
        self.lock().lost.take().map_or(Ok(()), Err)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_shared_once_the_second_is_there() {
        let halves = Halves::of(100 << 20, 0, &Cancel::default());
        assert_eq!(halves.next(10 << 20).expect("fine"), Next::End);
        assert_eq!(halves.share(), Some(55 << 20));
        assert_eq!(halves.next(54 << 20).expect("fine"), Next::Until(1 << 20));
        assert_eq!(halves.next(55 << 20).expect("fine"), Next::Done);
        halves.whole().expect("nothing lost");
    }

    #[test]
    fn a_second_connection_that_comes_late_or_is_not_wanted_gets_nothing() {
        let halves = Halves::of(100 << 20, 0, &Cancel::default());
        halves.next(90 << 20).expect("fine");
        assert_eq!(halves.share(), None);
        let halves = Halves::of(100 << 20, 0, &Cancel::default());
        halves.second.set();
        assert_eq!(halves.share(), None);
        assert_eq!(halves.next(0).expect("fine"), Next::End);
    }

    #[test]
    fn what_the_second_fails_of_ends_the_first() {
        let halves = Halves::of(100 << 20, 0, &Cancel::default());
        halves.share().expect("shared");
        halves.lose(InboxFault::Temporary("gone".to_owned()));
        assert!(matches!(halves.next(0), Err(InboxFault::Temporary(why)) if why == "gone"));
    }

    #[test]
    fn pieces_shrink_towards_the_end() {
        assert_eq!(piece(100 << 20, 1 << 20), 1 << 20);
        assert_eq!(piece(2 << 20, 1 << 20), 512 << 10);
        assert_eq!(piece(10, 1 << 20), 30_000);
        assert_eq!(piece(10, 1024), 1024);
    }
}
