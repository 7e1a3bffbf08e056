//! Several files of one feed at once, over a few connections: each file over one, and a further connection only where it pays.
//! Those that help log in by themselves and give back what they cannot bring; the first one alone tries again, and alone
//! says what is wrong with the server.

use super::Remote;
use super::crew::Queue;
use crate::inbox::connection::{Begun, Outcome, pair};
use crate::inbox::{Archive, Cancel, InboxFault, Sftp, Wanted};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

impl Remote {
    /// Brings all of them, or those begun before the server was lost.
    pub(in crate::inbox) fn bring(
        &mut self,
        wanted: Vec<Wanted>,
        archive: &Archive,
        begun: Begun<'_>,
    ) -> Vec<Outcome> {
        let through = self.cancel.part();
        let helpers = self.crew.most().min(wanted.len().saturating_sub(1));
        let helpers: Vec<Remote> = (0..helpers).map(|_| self.helper(&through)).collect();
        let queue = Queue::of(wanted, begun);
        std::thread::scope(|scope| {
            let queue = &queue;
            for (number, helper) in helpers.into_iter().enumerate() {
                scope.spawn(move || helper.help(number + 1, queue, archive));
            }
            while let Some(task) = queue.next() {
                let brought = pair(&task.1, &mut |file| self.fetch(file, archive));
                queue.done(task, brought);
            }
            // whoever still logs in need not any more
            through.set();
        });
        queue.outcomes()
    }

    /// One that helps, not connected yet. Together they ask for as much ahead as one large file does.
    fn helper(&self, through: &Cancel) -> Remote {
        let settings =
            Sftp { retries: 0, read_buffer: self.settings.read_buffer / 2, ..self.settings.clone() };
        Remote {
            source: self.source.clone(),
            settings,
            cancel: through.clone(),
            wire: None,
            methods: self.methods.clone(),
            crew: Arc::clone(&self.crew),
            login: self.login,
            terse: AtomicBool::new(false),
            until: self.until,
            footing: Mutex::default(),
        }
    }

    fn help(mut self, number: usize, queue: &Queue<'_>, archive: &Archive) {
        if !queue.pays(number, self.login) {
            return;
        }
        let Some(_place) = self.crew.place() else { return };
        match self.trying(|_, _| Ok(())) {
            Ok(()) => self.help_with(queue, archive),
            // they were through before it
            Err(InboxFault::Stopped) => {}
            Err(why) => {
                tracing::debug!(feed = %self.source.feed, %why, "no further connection");
                self.crew.dismiss();
            }
        }
    }

    fn help_with(mut self, queue: &Queue<'_>, archive: &Archive) {
        while let Some(task) = queue.help() {
            let brought = pair(&task.1, &mut |file| self.fetch(file, archive));
            match brought {
                Err(why) if why.ends_the_feed() => {
                    tracing::debug!(feed = %self.source.feed, %why, "a further connection is lost");
                    self.crew.dismiss();
                    return queue.give_back(task);
                }
                other => queue.done(task, other),
            }
        }
        // nobody waits for its farewell
        if let Some(wire) = self.wire.take() {
            wire.hang_up();
        }
    }
}
