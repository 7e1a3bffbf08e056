//! A large file over two connections at once: which bytes each of them reads. One connection decrypts on one thread, and has so
//! much on its way and no more; two keep both ends and a long wire busy. The second one is a favour that the server may
//! refuse: the first begins at once and shares what is left only when the second is there. From then on each takes the next part,
//! smaller and smaller ones, so that both are through at the same time and the hash is close behind them.

use crate::inbox::{Cancel, InboxFault};
use std::ops::Range;
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

/// Bytes of a part at least: to begin another one costs a round trip.
const LEAST: u64 = 4 << 20;

/// A part is so much of what nobody has taken.
const SHARE: u64 = 3;

/// Bytes before a part that are read once more with it.
pub(super) const SEAM: usize = 64 << 10;

/// How many bytes to read at once with so many left: libssh2 asks for four times as many ahead, and what is asked for beyond
/// the end is carried and decrypted for nothing.
pub(super) fn piece(left: u64, buffer: usize) -> usize {
    let tapered = usize::try_from((left / 4).max(REQUEST)).unwrap_or(buffer);
    tapered.min(buffer)
}

/// What two connections know of each other.
pub(super) struct Sharing {
    state: Mutex<State>,
    /// ends the second connection, whatever it is doing
    pub second: Cancel,
}

struct State {
    /// bytes that the first has read of its first part
    front: u64,
    /// where the first part ends; the file's size while there is no second connection
    border: u64,
    /// where that begins which nobody has taken
    free: u64,
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
    /// nothing more of its first part
    Done,
}

impl Sharing {
    /// Of a file of this size, of which so much is here; all of the rest is the first connection's.
    pub(super) fn of(size: u64, front: u64, cancel: &Cancel) -> Sharing {
        let state = State { front, border: size, free: size, size, lost: None };
        Sharing { state: Mutex::new(state), second: cancel.part() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the first connection reads next of its first part, having read so much.
    ///
    /// # Errors
    /// What the second one failed of, once it had a part.
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

    /// The second connection is ready to read: its first part, if it is worth it.
    pub(super) fn share(&self) -> Option<Range<u64>> {
        let mut state = self.lock();
        let left = state.size.saturating_sub(state.front);
        if left < WORTH_SHARING || self.second.is_set() {
            return None;
        }
        state.border = state.front + left / SHARE;
        state.free = state.border;
        state.part()
    }

    /// The next part, for whoever is through with one.
    ///
    /// # Errors
    /// What the second one failed of.
    pub(super) fn take(&self) -> Result<Option<Range<u64>>, InboxFault> {
        let mut state = self.lock();
        match state.lost.take() {
            Some(fault) => Err(fault),
            None => Ok(state.part()),
        }
    }

    /// The second one failed in a part of its; of no interest if it was told to.
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

impl State {
    /// Takes the next part; the last one is at most half as long again as the least.
    fn part(&mut self) -> Option<Range<u64>> {
        let left = self.size - self.free;
        let share = (left / SHARE).max(LEAST);
        let begin = self.free;
        self.free += if left - share.min(left) < LEAST / 2 { left } else { share };
        (left > 0).then_some(begin..self.free)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_shared_once_the_second_is_there() {
        let sharing = Sharing::of(100 << 20, 0, &Cancel::default());
        assert_eq!(sharing.next(10 << 20).expect("fine"), Next::End);
        assert_eq!(sharing.share(), Some(40 << 20..60 << 20));
        assert_eq!(sharing.next(39 << 20).expect("fine"), Next::Until(1 << 20));
        assert_eq!(sharing.next(40 << 20).expect("fine"), Next::Done);
        sharing.whole().expect("nothing lost");
    }

    #[test]
    fn parts_follow_each_other_to_the_end_and_become_small() {
        for size in (32 << 20..400 << 20).step_by(7_654_321) {
            let sharing = Sharing::of(size, 0, &Cancel::default());
            let mut end = sharing.share().expect("worth it").end;
            let mut last = 0;
            while let Some(part) = sharing.take().expect("fine") {
                assert_eq!(part.start, end);
                (end, last) = (part.end, part.end - part.start);
                assert!(last >= LEAST / 2, "{last}");
            }
            assert_eq!(end, size);
            assert!(last <= LEAST + LEAST / 2, "{last}");
            assert_eq!(sharing.take().expect("fine"), None);
        }
    }

    #[test]
    fn a_second_connection_that_comes_late_or_is_not_wanted_gets_nothing() {
        let sharing = Sharing::of(100 << 20, 0, &Cancel::default());
        sharing.next(90 << 20).expect("fine");
        assert_eq!(sharing.share(), None);
        let sharing = Sharing::of(100 << 20, 0, &Cancel::default());
        sharing.second.set();
        assert_eq!(sharing.share(), None);
        assert_eq!(sharing.next(0).expect("fine"), Next::End);
    }

    #[test]
    fn what_the_second_fails_of_ends_the_first() {
        let sharing = Sharing::of(100 << 20, 0, &Cancel::default());
        sharing.share().expect("shared");
        sharing.lose(InboxFault::Temporary("gone".to_owned()));
        assert!(matches!(sharing.next(0), Err(InboxFault::Temporary(why)) if why == "gone"));
        sharing.lose(InboxFault::Temporary("gone".to_owned()));
        assert!(matches!(sharing.take(), Err(InboxFault::Temporary(why)) if why == "gone"));
    }

    #[test]
    fn pieces_shrink_towards_the_end() {
        assert_eq!(piece(100 << 20, 1 << 20), 1 << 20);
        assert_eq!(piece(2 << 20, 1 << 20), 512 << 10);
        assert_eq!(piece(10, 1 << 20), 30_000);
        assert_eq!(piece(10, 1024), 1024);
    }
}
