//! When systemd's watchdog is told that we are alive: at half of its time, and while a run is under way only if it has moved on
//! since. Arithmetic: the instant is passed in.

use std::time::{Duration, Instant};

/// What the watchdog was told last.
#[derive(Debug)]
pub(super) struct Pulse {
    /// half of the watchdog's time
    half: Duration,
    told: Instant,
    beats: u64,
}

/// Whether to tell it now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Beat {
    /// yes
    Tell,
    /// ask again after so long
    Wait(Duration),
}

impl Pulse {
    /// Of a watchdog that ends us after `limit` of silence, told for the first time at `now`.
    pub(super) fn new(limit: Duration, now: Instant) -> Pulse {
        Pulse { half: (limit / 2).max(Duration::from_millis(1)), told: now, beats: 0 }
    }

    /// A run begins, with a count of its own.
    pub(super) fn begins(&mut self) {
        self.beats = 0;
    }

    /// Whether to tell the watchdog at `now`. `beats` counts how often the run that is under way has moved on; `None` while
    /// there is none: who waits for the next slot is well.
    pub(super) fn ask(&mut self, now: Instant, beats: Option<u64>) -> Beat {
        let silent = now.saturating_duration_since(self.told);
        if silent < self.half {
            return Beat::Wait(self.half - silent);
        }
        match beats {
            // looked at more often now, so that a word that comes late still comes in time
            Some(beats) if beats == self.beats => {
                return Beat::Wait((self.half / 8).max(Duration::from_millis(1)));
            }
            Some(beats) => self.beats = beats,
            None => {}
        }
        self.told = now;
        Beat::Tell
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(80);

    #[test]
    fn it_is_told_at_half_of_its_time_while_nothing_runs() {
        let start = Instant::now();
        let mut pulse = Pulse::new(LIMIT, start);
        let at = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(pulse.ask(at(39), None), Beat::Wait(Duration::from_secs(1)));
        assert_eq!(pulse.ask(at(40), None), Beat::Tell);
        assert_eq!(pulse.ask(at(41), None), Beat::Wait(Duration::from_secs(39)));
        assert_eq!(pulse.ask(at(85), None), Beat::Tell);
    }

    #[test]
    fn a_run_that_stands_still_is_not_vouched_for_and_one_that_moves_late_is() {
        let start = Instant::now();
        let mut pulse = Pulse::new(LIMIT, start);
        let at = |seconds| start + Duration::from_secs(seconds);
        pulse.begins();
        assert_eq!(pulse.ask(at(40), Some(3)), Beat::Tell);
        assert_eq!(pulse.ask(at(80), Some(3)), Beat::Wait(Duration::from_secs(5)));
        assert_eq!(pulse.ask(at(85), Some(3)), Beat::Wait(Duration::from_secs(5)));
        assert_eq!(pulse.ask(at(90), Some(4)), Beat::Tell);
        assert_eq!(pulse.ask(at(130), Some(4)), Beat::Wait(Duration::from_secs(5)));
        // the next run counts from nothing
        pulse.begins();
        assert_eq!(pulse.ask(at(131), Some(4)), Beat::Tell);
    }

    #[test]
    fn a_run_that_has_not_moved_at_all_is_not_vouched_for() {
        let start = Instant::now();
        let mut pulse = Pulse::new(LIMIT, start);
        assert_eq!(pulse.ask(start + LIMIT, Some(0)), Beat::Wait(Duration::from_secs(5)));
    }
}
