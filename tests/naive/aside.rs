//! Files that are set aside whole, until a person lets them be read (interfaces.md 2 and 3).

use super::names::Named;
use super::settings::Feed;
use super::{Drop, Word};

/// Why only a person can say whether a file is to be read; released ones are read in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    OtherFeed,
    SeveralOfPeriod,
    TooMuchVoid,
    TotalsDisagree,
}

impl Why {
    pub fn word(self) -> &'static str {
        match self {
            Why::OtherFeed => "same_file_other_feed",
            Why::SeveralOfPeriod => "several_of_period",
            Why::TooMuchVoid => "void_over_limit",
            Why::TotalsDisagree => "totals_disagree",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Waits,
    Released,
    /// Discarded, read, or overtaken by a newer file.
    Over,
}

#[derive(Clone, Debug)]
struct Held {
    drop: Drop,
    named: Named,
    why: Why,
    state: State,
    /// How many events there were when it was set aside.
    at: usize,
}

/// Every file that was ever set aside.
#[derive(Clone, Debug, Default)]
pub struct Aside(Vec<Held>);

impl Aside {
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Sets a file aside. The same bytes wait no second time for the same reason.
    pub fn put(&mut self, drop: &Drop, named: &Named, why: Why, at: usize) {
        let asked = |h: &Held| {
            h.why == why
                && h.drop.feed == drop.feed
                && h.drop.bytes == drop.bytes
                && (why != Why::TotalsDisagree || h.drop.beside == drop.beside)
        };
        if !self.0.iter().any(asked) {
            let (drop, named) = (drop.clone(), named.clone());
            self.0.push(Held { drop, named, why, state: State::Waits, at });
        }
    }

    /// The files of that name that wait for that reason, oldest first.
    fn waiting(&self, feed: &str, name: &str, kind: &str) -> Vec<usize> {
        let waits = |h: &Held| {
            h.state == State::Waits && h.drop.feed == feed && h.drop.name == name && h.why.word() == kind
        };
        (0..self.0.len()).filter(|place| waits(&self.0[*place])).collect()
    }

    /// How many files of that name wait for that reason.
    pub fn waits(&self, feed: &str, name: &str, kind: &str) -> usize {
        self.waiting(feed, name, kind).len()
    }

    pub fn decide(&mut self, feed: &str, name: &str, kind: &str, nth: usize, verdict: Word) {
        let place = self.waiting(feed, name, kind)[nth];
        self.0[place].state = match verdict {
            Word::Release => State::Released,
            Word::Discard => State::Over,
        };
    }

    /// Those that a person has let be read since.
    pub fn released(&mut self) -> Vec<(Drop, Named, Why)> {
        let mut released = vec![];
        for held in self.0.iter_mut().filter(|h| h.state == State::Released) {
            held.state = State::Over;
            released.push((held.drop.clone(), held.named.clone(), held.why));
        }
        released.sort_by_key(|(_, _, why)| *why);
        released
    }

    /// Those that wait for a cause which can go by itself: place, file, why, and since which event.
    pub fn may_go(&self) -> Vec<(usize, Drop, Named, Why, usize)> {
        let may =
            |h: &Held| h.state == State::Waits && matches!(h.why, Why::TooMuchVoid | Why::TotalsDisagree);
        let told = |(place, h): (usize, &Held)| (place, h.drop.clone(), h.named.clone(), h.why, h.at);
        self.0.iter().enumerate().filter(|(_, h)| may(h)).map(told).collect()
    }

    pub fn waits_at(&self, place: usize) -> bool {
        self.0[place].state == State::Waits
    }

    /// The cause of one is gone.
    pub fn end(&mut self, place: usize) {
        self.0[place].state = State::Over;
    }

    /// Of a name, and where the feed replaces of a period, a newer file was read: those before it wait no longer.
    pub fn overtaken(&mut self, feed: &Feed, name: &str, named: &Named, upto: usize) {
        let by = |h: &Held| h.drop.name == name || (feed.replaces && h.named == *named);
        let waiting =
            self.0[..upto].iter_mut().filter(|h| h.state == State::Waits && h.drop.feed == feed.name);
        waiting.filter(|h| by(h)).for_each(|h| h.state = State::Over);
    }
}
