//! Several feeds and pushes looked at side by side, so that those that do not answer cost their time limits together. What is found
//! is told in the order of the config, each as soon as those before it are through.
//!
//! Answers for: how many are looked at at once, and that no server gets more connections than its settings let a run make.

use super::{Place, Source};
use anyhow::Result;
use std::collections::BTreeMap;
use std::sync::mpsc::channel;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// So many are looked at at once.
const AT_ONCE: usize = 8;

/// Looks at each source, by its place in the list, on one of a few threads; `tell` hears of each, in order. Its first failure ends the telling, and what was not
/// begun is left out.
pub fn side_by_side<T: Send>(
    sources: &[&Source],
    look: impl Fn(usize) -> T + Sync,
    mut tell: impl FnMut(usize, T) -> Result<()>,
) -> Result<()> {
    let desk = Desk::of(sources);
    let (found, finds) = channel();
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE.min(sources.len()) {
            let (desk, look, found) = (&desk, &look, found.clone());
            scope.spawn(move || {
                while let Some(turn) = desk.next() {
                    // nobody listens any more once the telling has failed
                    let _ = found.send((turn.at, look(turn.at)));
                }
            });
        }
        drop(found);
        let mut early = BTreeMap::new();
        let mut next = 0;
        let told = finds.iter().try_for_each(|(at, what)| {
            early.insert(at, what);
            while let Some(what) = early.remove(&next) {
                tell(next, what)?;
                next += 1;
            }
            Ok(())
        });
        desk.close();
        told
    })
}

/// What waits to be looked at, and how busy each server is with us.
struct Desk<'s> {
    sources: &'s [&'s Source],
    /// connections at once, by server
    most: BTreeMap<Server<'s>, usize>,
    state: Mutex<State<'s>>,
    moved: Condvar,
}

type Server<'s> = (&'s str, u16);

#[derive(Default)]
struct State<'s> {
    waiting: Vec<usize>,
    busy: BTreeMap<Server<'s>, usize>,
}

impl<'s> Desk<'s> {
    fn of(sources: &'s [&'s Source]) -> Desk<'s> {
        let mut most: BTreeMap<Server<'s>, usize> = BTreeMap::new();
        for source in sources {
            if let Place::Sftp(sftp) = &source.place {
                let most = most.entry((&sftp.host, sftp.port)).or_insert(usize::MAX);
                *most = sftp.at_once().min(*most);
            }
        }
        let state = State { waiting: (0..sources.len()).collect(), busy: BTreeMap::new() };
        Desk { sources, most, state: Mutex::new(state), moved: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State<'s>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The first that waits and whose server has room for us.
    fn next(&self) -> Option<Turn<'_, 's>> {
        let mut state = self.lock();
        while !state.waiting.is_empty() {
            if let Some(at) = state.waiting.iter().position(|&at| self.has_room(&state, at)) {
                let at = state.waiting.remove(at);
                if let Some(server) = self.server(at) {
                    *state.busy.entry(server).or_default() += 1;
                }
                return Some(Turn { desk: self, at });
            }
            state = self.moved.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        None
    }

    fn has_room(&self, state: &State<'s>, at: usize) -> bool {
        self.server(at).is_none_or(|server| {
            state.busy.get(&server).copied().unwrap_or(0) < self.most.get(&server).copied().unwrap_or(1)
        })
    }

    fn server(&self, at: usize) -> Option<Server<'s>> {
        match &self.sources.get(at)?.place {
            Place::Folder(_) => None,
            Place::Sftp(sftp) => Some((&sftp.host, sftp.port)),
        }
    }

    /// Nothing more is begun.
    fn close(&self) {
        self.lock().waiting.clear();
        self.moved.notify_all();
    }
}

/// The right to look at one; the server has room again when it is dropped.
struct Turn<'d, 's> {
    desk: &'d Desk<'s>,
    at: usize,
}

impl Drop for Turn<'_, '_> {
    fn drop(&mut self) {
        if let Some(server) = self.desk.server(self.at) {
            let mut state = self.desk.lock();
            if let Some(busy) = state.busy.get_mut(&server) {
                *busy = busy.saturating_sub(1);
            }
        }
        self.desk.moved.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inbox::pattern::Pattern;
    use crate::inbox::{After, Complete, Login, Sftp};
    use std::sync::Barrier;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    fn source(place: Place) -> Source {
        Source {
            feed: "f".into(),
            place,
            pattern: Pattern::new("*").unwrap(),
            complete: Complete::Marker,
            max_bytes: 1,
            sidecar: None,
            after: After::Leave,
        }
    }

    fn folder() -> Source {
        source(Place::Folder("drop".into()))
    }

    fn server(host: &str, connections: usize) -> Source {
        source(Place::Sftp(Box::new(Sftp {
            host: host.into(),
            port: 22,
            user: "u".into(),
            folder: "/".into(),
            host_keys: Vec::new(),
            login: Login::Agent,
            connect_timeout: Duration::from_secs(1),
            idle_timeout: Duration::from_secs(1),
            file_deadline: Duration::from_secs(1),
            run_deadline: Duration::from_secs(1),
            retries: 0,
            read_buffer: 1 << 20,
            connections,
        })))
    }

    #[test]
    fn what_takes_longest_is_told_in_its_place() {
        let sources = [folder(), folder(), folder()];
        let sources: Vec<&Source> = sources.iter().collect();
        // the three wait for each other: they are under way at once
        let all = Barrier::new(3);
        let mut told = Vec::new();
        let look = |_| all.wait().is_leader();
        side_by_side(&sources, look, |at, _| {
            told.push(at);
            Ok(())
        })
        .unwrap();
        assert_eq!(told, [0, 1, 2]);
        side_by_side(&[], look, |_, _| panic!("there is none")).unwrap();
    }

    #[test]
    fn a_server_gets_no_more_connections_than_its_settings_say() {
        let sources: Vec<Source> = (0..12).map(|at| server("one", if at == 7 { 2 } else { 4 })).collect();
        let sources: Vec<&Source> = sources.iter().collect();
        let (now, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let look = |_| {
            most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            std::thread::yield_now();
            now.fetch_sub(1, Ordering::SeqCst);
        };
        let mut told = 0;
        side_by_side(&sources, look, |_, ()| {
            told += 1;
            Ok(())
        })
        .unwrap();
        assert_eq!(told, 12);
        assert!(most.load(Ordering::SeqCst) <= 2);
    }

    #[test]
    fn a_failure_to_tell_ends_it() {
        let sources: Vec<Source> = (0..40).map(|_| server("one", 1)).collect();
        let sources: Vec<&Source> = sources.iter().collect();
        let mut told = 0;
        let ended = side_by_side(
            &sources,
            |_| (),
            |_, ()| {
                told += 1;
                Err(anyhow::anyhow!("stopped"))
            },
        );
        assert!(ended.is_err());
        assert_eq!(told, 1);
    }
}
