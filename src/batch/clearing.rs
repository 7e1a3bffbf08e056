//! After: what the store has goes from its feed, where the feed says so (interfaces.md 2, `after`).
//!
//! What is still to go is known from the store and the folder alone: a file that lies there as it was taken and of which nothing is
//! open. So one that could not be moved, or whose run was killed before it, goes at the next run; and since the same bytes
//! never speak twice, none is ever loaded again. Refused files stay where people see them, and held ones until a person has
//! decided: what lies there is what is not settled.

use super::Run;
use super::replay;
use super::report::{Exit, FeedFault};
use crate::config::Feed;
use crate::inbox::{After, Archive, Away, Candidate, Connection, InboxFault, Listing, Taken};
use anyhow::Result;
use std::collections::{BTreeMap, BTreeSet};

/// What lay at a feed that does not leave its files, when it was looked at.
pub(super) struct Lying<'c> {
    feed: &'c Feed,
    connection: Connection,
    files: Vec<Candidate>,
    markers: BTreeSet<String>,
    sidecars: BTreeMap<String, Candidate>,
}

/// What lies at a feed, to be kept in mind until the files of the run are taken.
#[derive(Debug, Default)]
pub(super) struct Beside {
    files: Vec<Candidate>,
    markers: BTreeSet<String>,
    sidecars: BTreeMap<String, Candidate>,
}

impl Beside {
    /// Nothing, where files are left where they are.
    pub(super) fn of(feed: &Feed, listing: &Listing) -> Beside {
        match feed.source.after {
            After::Leave => Beside::default(),
            After::Move(_) | After::Delete => Beside {
                files: listing.files.clone(),
                markers: listing.markers.clone(),
                sidecars: listing.sidecars.clone().unwrap_or_default(),
            },
        }
    }

    pub(super) fn at<'c>(self, feed: &'c Feed, connection: Connection) -> Lying<'c> {
        let Beside { files, markers, sidecars } = self;
        Lying { feed, connection, files, markers, sidecars }
    }
}

impl Run<'_> {
    /// Clears each feed of what the store has by now.
    pub(super) fn clear(&mut self, feeds: Vec<Lying<'_>>) -> Result<()> {
        if let Some(replay) = &self.order.replay {
            return self.note_stuck(replay.stuck.clone());
        }
        let before = self.report.faults.len();
        for mut lying in feeds {
            let taken = self.settled(&lying)?;
            if taken.is_empty() {
                continue;
            }
            match lying.connection.make_room() {
                Ok(()) => self.put_away(&mut lying, &taken)?,
                Err(fault) => self.feed_fault(lying.feed, fault)?,
            }
        }
        let stuck = self.report.faults.split_off(before);
        self.note_stuck(stuck)
    }

    /// Journals what could not be put away: it counts in the run's exit, which a replay must come to as well.
    fn note_stuck(&mut self, stuck: Vec<FeedFault>) -> Result<()> {
        if stuck.is_empty() {
            return Ok(());
        }
        let (stamp, body) = (self.stamp.clone(), replay::faults_body(&stuck));
        self.report.faults.extend(stuck);
        self.store.whole(|store| store.append(&stamp, replay::STUCK, &body).map(drop))
    }

    fn settled(&mut self, lying: &Lying<'_>) -> Result<Vec<Taken>> {
        let archive = Archive::of(&self.places.data);
        let mut taken = Vec::new();
        for file in &lying.files {
            let Some(sha256) =
                self.store.settled_file(&lying.feed.name, &file.name, file.size, file.mtime)?
            else {
                continue;
            };
            // whoever keeps the only copy does not part with it
            if !archive.holds(&sha256, file.size) {
                let why =
                    format!("{}: its bytes are missing from the archive: it stays where it is", file.name);
                self.report.faults.push(FeedFault { feed: lying.feed.name.clone(), exit: Exit::Waits, why });
                continue;
            }
            taken.push(Taken {
                file: file.clone(),
                marked: lying.markers.contains(&file.name),
                sidecar: lying.sidecars.get(&file.name).cloned(),
                sha256,
            });
        }
        Ok(taken)
    }

    fn put_away(&mut self, lying: &mut Lying<'_>, taken: &[Taken]) -> Result<()> {
        let mut stuck: Option<(String, usize)> = None;
        for one in taken {
            self.order.cancel.check()?;
            let (feed, file) = (&lying.feed.name, &one.file.name);
            match lying.connection.put_away(one) {
                Ok(Away::Moved(name)) => tracing::info!(%feed, %file, as_ = %name, "moved"),
                Ok(Away::Deleted) => tracing::info!(%feed, %file, "deleted"),
                Ok(Away::Gone) => tracing::info!(%feed, %file, "was gone already"),
                // hundreds of files that may not be moved are one thing to mend
                Err(InboxFault::Limit(why)) => stuck.get_or_insert((why, 0)).1 += 1,
                Err(fault) => {
                    let lost = matches!(fault, InboxFault::Temporary(_) | InboxFault::Refused(_));
                    self.feed_fault(lying.feed, fault)?;
                    if lost {
                        break;
                    }
                }
            }
        }
        if let Some((why, count)) = stuck {
            let others = if count > 1 { format!("; so with {} more", count - 1) } else { String::new() };
            let why = format!("{why}{others}; tried again at the next run");
            self.report.faults.push(FeedFault { feed: lying.feed.name.clone(), exit: Exit::Waits, why });
        }
        Ok(())
    }
}
