//! The threads that evaluate: batches of partners are handed out in turn, and answers taken in the order of the questions.

use super::answering::{Answers, Question, answer_all};
use super::evaluating::Scene;
use super::sheets::Sheets;
use crate::calendar::ZoneCache;
use anyhow::{Result, anyhow};
use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

/// Threads that evaluate.
const WORKERS: usize = 2;
/// Batches under way with each worker.
const UNDER_WAY: usize = 2;

/// One worker's ends: batches go in at the first and come out of the second, in order.
type Worker = (SyncSender<Vec<Question>>, Receiver<Result<Answers>>);

/// Workers, and whose turn it is.
pub(super) struct Desk {
    workers: Vec<Worker>,
    turns: VecDeque<usize>,
    next: usize,
}

impl Desk {
    pub(super) fn open<'scope>(
        threads: &'scope std::thread::Scope<'scope, '_>,
        scene: &'scope Scene<'scope>,
    ) -> Result<Desk> {
        let mut workers = Vec::with_capacity(WORKERS);
        for _ in 0..WORKERS {
            let (ask, questions) = sync_channel::<Vec<Question>>(UNDER_WAY);
            let (reply, answers) = sync_channel(UNDER_WAY);
            std::thread::Builder::new().name("evaluate".into()).spawn_scoped(threads, move || {
                let zone = scene.family.versions.first().map(|version| ZoneCache::new(version.timezone));
                let mut sheets = Sheets::default();
                for batch in questions {
                    let answers = match &zone {
                        Some(zone) => answer_all(scene, zone, batch, &mut sheets),
                        None => Ok(Answers::default()),
                    };
                    if reply.send(answers).is_err() {
                        return;
                    }
                }
            })?;
            workers.push((ask, answers));
        }
        Ok(Desk { workers, turns: VecDeque::new(), next: 0 })
    }

    /// Hands in a batch; where the desk is full, takes the oldest answers first.
    pub(super) fn hand_in(&mut self, batch: Vec<Question>) -> Result<Option<Answers>> {
        let answers = if self.turns.len() == WORKERS * UNDER_WAY { self.next_answers()? } else { None };
        self.workers[self.next].0.send(batch).map_err(|_| anyhow!("an evaluating thread has stopped"))?;
        self.turns.push_back(self.next);
        self.next = (self.next + 1) % WORKERS;
        Ok(answers)
    }

    pub(super) fn next_answers(&mut self) -> Result<Option<Answers>> {
        let Some(worker) = self.turns.pop_front() else { return Ok(None) };
        self.workers[worker].1.recv().map_err(|_| anyhow!("an evaluating thread has stopped"))?.map(Some)
    }
}
