//! Taking a sales file into the store: whole or not at all, in memory that does not grow with it.
//!
//! 1. Threads read; rows and document numbers go into sorters, rejects and cancellations straight into the store.
//! 2. The numbers, in order, are put into the document index; it tells which partners have said something about them
//!    before, and which numbers several partners claim.
//! 3. The rows, partner by partner, are settled against what was said before where anything was, and become bundles:
//!    on a thread that runs beside step 2, again here where step 2 finds that something was said before.

mod events;
mod feeder;
mod groups;
mod held;
mod judge;
mod numbers;
mod review;
mod weight;

pub use events::EVENT_CONFLICT;
pub(super) use events::News;
pub use feeder::Feeder;
pub use held::held_facts;
pub(super) use numbers::parties_of;
pub(super) use weight::Weight;

use super::Store;
use super::files::{Arrival, Counts, FileState};
use super::holds::NewHold;
use super::journal::Stamp;
use super::moved::Moved;
use super::rejects::Claimed;
use crate::facts::movement::Movement;
use crate::facts::settle::NumberScope;
use anyhow::{Context, Result, anyhow};
use feeder::{Aside, Claim, Fed, Issuers, Told};
use groups::{Drafts, Groups};
use judge::Taking;
use numbers::Numbers;
use review::{Earlier, EarlierFate, Review};
use rust_decimal::Decimal;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::mpsc::{Receiver, sync_channel};
use weight::too_much_void;

/// Rejects of a refused file that are kept, so that its reject file shows what is wrong.
pub(super) const REFUSED_SAMPLE: usize = 1_000;
/// Rejects up to this many never refuse a file (interfaces.md 2, `max_reject_percent`).
const REJECTS_ALWAYS_ALLOWED: u64 = 10;

/// Threads that may read a file at once.
const FEEDERS: usize = 2;
/// Blocks of which what they tell waits to be kept.
const BLOCKS_WAITING: usize = 4;

/// How the rows of a feed's files hang together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intake {
    /// document space
    pub documents: String,
    /// within what its numbers are unique
    pub scope: NumberScope,
    /// in hundredths
    pub max_reject_percent: Decimal,
    /// in hundredths: a file that would void more of what the files it replaces carried is held; `None`: however much
    pub max_void_percent: Option<Decimal>,
}

/// How reading ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading {
    /// at the end of the file
    Whole,
    /// the file cannot be taken
    Refused {
        /// a word
        reason: &'static str,
        /// why, in the reader's words
        detail: String,
    },
    /// a person must say whether it is to be taken
    Held {
        /// the kind of hold
        kind: &'static str,
        /// why, in the reader's words
        detail: String,
    },
}

impl Reading {
    /// Gives the file up where it was not read whole.
    pub(super) fn whole(self, counts: &Counts) -> Result<(), GivenUp> {
        match self {
            Reading::Whole => Ok(()),
            Reading::Refused { reason, detail } => Err(GivenUp::Refused { reason, detail, counts: *counts }),
            Reading::Held { kind, detail } => Err(GivenUp::Held { kind, detail }),
        }
    }
}

/// What became of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// journal sequence
    pub seq: i64,
    /// ingested or refused
    pub state: FileState,
    /// a word, where it was refused
    pub reason: String,
    /// for people
    pub detail: String,
    /// its rows
    pub counts: Counts,
    /// lines that came under its name before, are in force, and are not in it any more
    pub gone: u64,
    /// opened where it was held whole
    pub hold: Option<NewHold>,
}

impl Outcome {
    /// Of a file with nothing to tell but this.
    pub(super) fn of(
        seq: i64,
        state: FileState,
        (reason, detail): (&str, String),
        counts: Counts,
    ) -> Outcome {
        Outcome { seq, state, reason: reason.to_owned(), detail, counts, gone: 0, hold: None }
    }
}

/// How far taking a file came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attempt {
    /// it was recorded
    Taken(Box<Outcome>),
    /// nothing was: a person must say first whether it is to be taken
    Held {
        /// the kind of hold
        kind: &'static str,
        /// why
        detail: String,
    },
}

/// A row that was not understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject {
    /// line in the file
    pub line: u64,
    /// a word
    pub reason: String,
    /// column, value and what was looked for
    pub detail: String,
    /// the row
    pub text: String,
    /// the line it speaks of, as far as that could be told
    pub claimed: Option<Box<super::rejects::Claimed>>,
}

/// Why taking a file was given up: everything written is undone.
pub(super) enum GivenUp {
    Refused { reason: &'static str, detail: String, counts: Counts },
    Held { kind: &'static str, detail: String },
    Failed(anyhow::Error),
}

impl<E: Into<anyhow::Error>> From<E> for GivenUp {
    fn from(fault: E) -> GivenUp {
        GivenUp::Failed(fault.into())
    }
}

impl Store {
    /// Takes one sales file in one transaction. `read` feeds every row and reject, each block of the file in order to one of the
    /// feeders, so that several threads may read; `texts` gives the text of rows by line, for rows that are found wanting only
    /// beside others.
    pub fn take_sales(
        &mut self,
        stamp: &Stamp,
        arrival: &Arrival,
        intake: &Intake,
        read: impl FnOnce(&mut [Feeder]) -> Result<Reading> + Send,
        texts: impl FnOnce(&BTreeSet<u64>) -> Result<HashMap<u64, String>>,
    ) -> Result<Attempt> {
        self.take(stamp, arrival, |store, sample| {
            store.take_rows(stamp, arrival, intake, read, texts, sample)
        })
    }

    /// Takes a file of any kind in one transaction: whole, or else as one that was refused and says nothing, or not at all.
    /// `work` puts the first rejects aside for a file that is refused.
    pub(super) fn take(
        &mut self,
        stamp: &Stamp,
        arrival: &Arrival,
        work: impl FnOnce(&mut Store, &mut Vec<Reject>) -> Result<Outcome, GivenUp>,
    ) -> Result<Attempt> {
        self.begin()?;
        let mut sample = Vec::new();
        let given_up = match work(self, &mut sample) {
            Ok(outcome) => {
                self.commit()?;
                return Ok(Attempt::Taken(outcome.into()));
            }
            Err(given_up) => given_up,
        };
        self.rollback()?;
        match given_up {
            GivenUp::Failed(fault) => Err(fault),
            GivenUp::Refused { reason, detail, counts } => self
                .refuse_file(stamp, arrival, reason, detail, refused_whole(counts), &sample)
                .map(|outcome| Attempt::Taken(outcome.into())),
            GivenUp::Held { kind, detail } => Ok(Attempt::Held { kind, detail }),
        }
    }

    /// Records a file that is taken, as the journal record `seq` by which its facts know it.
    pub(super) fn record_taken(
        &self,
        stamp: &Stamp,
        arrival: &Arrival,
        seq: i64,
        detail: String,
        counts: Counts,
    ) -> Result<Outcome> {
        let recorded = self.record_file(stamp, arrival, FileState::Ingested, ("", &detail), &counts)?;
        if recorded != seq {
            return Err(anyhow!("the journal moved while a file was taken"));
        }
        Ok(Outcome::of(seq, FileState::Ingested, ("", detail), counts))
    }

    /// Records a file that was refused whole, with the first of its rejects.
    pub fn refuse_file(
        &mut self,
        stamp: &Stamp,
        arrival: &Arrival,
        reason: &'static str,
        detail: String,
        counts: Counts,
        rejects: &[Reject],
    ) -> Result<Outcome> {
        self.whole(|store| {
            let seq = store.record_file(stamp, arrival, FileState::Refused, (reason, &detail), &counts)?;
            for reject in rejects {
                // what the file made known of issuers is undone
                store.insert_reject(seq, &Reject { claimed: None, ..reject.clone() })?;
            }
            Ok(Outcome::of(seq, FileState::Refused, (reason, detail), counts))
        })
    }

    pub(super) fn insert_reject(&self, seq: i64, reject: &Reject) -> Result<()> {
        self.connection
            .prepare_cached(
                "INSERT INTO reject (seq, line, reason, detail, text, issuer, number, line_no) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )?
            .execute((
                seq,
                reject.line,
                &reject.reason,
                &reject.detail,
                &reject.text,
                reject.claimed.as_ref().map(|claimed| claimed.issuer),
                reject.claimed.as_ref().map(|claimed| &claimed.number),
                reject.claimed.as_ref().map(|claimed| &claimed.line_no),
            ))
            .context("cannot keep a reject")?;
        Ok(())
    }

    fn take_rows(
        &mut self,
        stamp: &Stamp,
        arrival: &Arrival,
        intake: &Intake,
        read: impl FnOnce(&mut [Feeder]) -> Result<Reading> + Send,
        texts: impl FnOnce(&BTreeSet<u64>) -> Result<HashMap<u64, String>>,
        sample: &mut Vec<Reject>,
    ) -> Result<Outcome, GivenUp> {
        let seq = self.next_seq()?;
        self.fall_silent(&arrival.silences, seq)?;
        let space = self.space(&intake.documents, intake.scope)?;
        let mut issuers = self.issuers(space)?;
        let (fed, mut counts) = self.read_rows(seq, intake, read, &mut issuers, sample)?;
        refuse_if_too_many(intake.max_reject_percent, &counts)?;
        self.insert_issuers(space, &issuers)?;
        let earlier = self.earlier_of(arrival)?;
        let silences = &arrival.silences;
        let taking = Taking { seq, rank: arrival.rank.unwrap_or(seq), space, scope: intake.scope };
        let (rows, numbers) = fed.into_iter().map(|fed| (fed.rows, fed.numbers)).unzip();
        let judged = std::thread::scope(|threads| -> Result<_> {
            let numbers = Numbers::start(threads, numbers)?;
            let drafts = Drafts::start(threads, taking, rows)?;
            let parties = self.index_numbers(numbers, &issuers)?;
            let reviewed = self.gather_reviewed(&earlier, silences)?;
            let mut groups = Groups::new(self, taking, &parties, &issuers, reviewed)?;
            groups.take(drafts)?;
            groups.finish()
        })?;
        counts.add(&judged.counts);
        if !judged.twice.is_empty() {
            self.reject_twice(seq, &judged.twice, texts, sample)?;
        }
        refuse_if_too_many(intake.max_reject_percent, &counts)?;
        self.close_accepted(seq, space, intake.scope)?;
        let fate = if arrival.silences.is_empty() { EarlierFate::SpeaksOn } else { EarlierFate::Silent };
        let review = self.review(&Earlier { seq, rank: taking.rank, files: &earlier, fate })?;
        let moved = self.weigh(arrival, intake, review, judged.movement.clone(), &mut counts)?;
        let detail = notices(&[judged.notice(), gone_notice(&moved), self.order_notice(arrival, &moved)?]);
        self.keep_moved(seq, &moved)?;
        let outcome = self.record_taken(stamp, arrival, seq, detail, counts)?;
        Ok(Outcome { gone: moved.gone.lines, ..outcome })
    }

    /// The files whose lines a file may take away: those it replaces, else the one that came under its name before.
    fn earlier_of(&self, arrival: &Arrival) -> Result<Vec<i64>> {
        if !arrival.silences.is_empty() {
            return Ok(arrival.silences.clone());
        }
        Ok(self.speaking_of_name(&arrival.feed, &arrival.name)?.into_iter().collect())
    }

    /// What the file moved in all; it is given up where it would void too much.
    fn weigh(
        &self,
        arrival: &Arrival,
        intake: &Intake,
        review: Review,
        mut movement: Movement,
        counts: &mut Counts,
    ) -> Result<Moved, GivenUp> {
        if let (Some(most), false) = (intake.max_void_percent, arrival.silences.is_empty())
            && let Some(detail) = too_much_void(&review.void, &review.carried, most)
        {
            return Err(GivenUp::Held { kind: "void_over_limit", detail });
        }
        if !arrival.silences.is_empty() {
            review.recount(counts);
        }
        movement.absorb(review.movement);
        Ok(self.moved_by(arrival.mtime, &movement, &arrival.silences, review.gone)?)
    }

    /// Said of a file that is older than what it supersedes or replaces: it is taken by the rules all the same.
    fn order_notice(&self, arrival: &Arrival, moved: &Moved) -> Result<String> {
        let Some(newer) = moved.older_than.map(|seq| self.file(seq)).transpose()?.flatten() else {
            return Ok(String::new());
        };
        let what = if arrival.silences.contains(&newer.seq) { "replaces" } else { "supersedes lines of" };
        Ok(format!(
            "it {what} {}, although it is the older export by its mtime ({} before {})",
            newer.arrival.name,
            shown_mtime(arrival.mtime),
            shown_mtime(newer.arrival.mtime)
        ))
    }

    /// Step 1: reads on threads of their own while rejects and cancellations are kept here.
    fn read_rows(
        &mut self,
        seq: i64,
        intake: &Intake,
        read: impl FnOnce(&mut [Feeder]) -> Result<Reading> + Send,
        issuers: &mut Issuers,
        sample: &mut Vec<Reject>,
    ) -> Result<(Vec<Fed>, Counts), GivenUp> {
        self.forget_cancelled()?;
        let (tell, told) = sync_channel(BLOCKS_WAITING);
        let feeder = |tell| Feeder::new(&self.scratch, intake.scope, tell);
        let mut feeders: Vec<Feeder> = vec![tell; FEEDERS].into_iter().map(feeder).collect();
        let (reading, fed, mut counts) = std::thread::scope(|scope| -> Result<_> {
            let reader = std::thread::Builder::new().name("read".into()).spawn_scoped(scope, move || {
                let reading = read(&mut feeders)?;
                Ok::<_, anyhow::Error>((reading, feeders.into_iter().map(Feeder::finish).collect::<Vec<_>>()))
            })?;
            let kept = self.keep_told(seq, &told, issuers, sample);
            drop(told); // a reader that still sends must not wait for us
            let read = reader.join().map_err(|_| anyhow!("reading the file failed"))?;
            // a store that failed says why better than the reader that could not go on
            let counts = kept?;
            let (reading, fed) = read?;
            Ok((reading, fed, counts))
        })?;
        counts.rows += fed.iter().map(|fed| fed.rows_fed).sum::<u64>();
        reading.whole(&counts)?;
        Ok((fed, counts))
    }

    /// Keeps what blocks tell, in the order of the file.
    fn keep_told(
        &self,
        seq: i64,
        told: &Receiver<Told>,
        issuers: &mut Issuers,
        sample: &mut Vec<Reject>,
    ) -> Result<Counts> {
        let mut counts = Counts::default();
        // those that were read before the one that comes next: no more than the readers are ahead of each other
        let mut early: BTreeMap<u64, Told> = BTreeMap::new();
        let mut next = 0;
        for told in told {
            early.insert(told.block, told);
            while let Some(Told { distributors, asides, .. }) = early.remove(&next) {
                next += 1;
                for distributor in &distributors {
                    issuers.id(distributor);
                }
                for aside in asides {
                    self.keep_aside_of(seq, aside, issuers, &mut counts, sample)?;
                }
            }
        }
        Ok(counts)
    }

    fn keep_aside_of(
        &self,
        seq: i64,
        aside: Aside,
        issuers: &mut Issuers,
        counts: &mut Counts,
        sample: &mut Vec<Reject>,
    ) -> Result<()> {
        counts.rows += 1;
        match aside {
            Aside::Reject(reject, claim) => {
                let claimed = claim.map(|Claim { distributor, number, line_no }| {
                    Box::new(Claimed { issuer: issuers.id(&distributor), number, line_no })
                });
                let reject = Reject { claimed, ..reject };
                self.insert_reject(seq, &reject)?;
                counts.rejected += 1;
                if sample.len() < REFUSED_SAMPLE {
                    sample.push(reject);
                }
            }
            Aside::Cancellation(cancellation) => {
                let issuer = issuers.id(&cancellation.distributor);
                if self.keep_cancellation(seq, issuer, &cancellation)? {
                    self.note_cancelled(issuer, &cancellation)?;
                    counts.accepted += 1;
                } else {
                    counts.duplicate += 1;
                }
            }
        }
        Ok(())
    }

    /// `identity_twice`: every row of such a line is rejected, with its text.
    fn reject_twice(
        &self,
        seq: i64,
        twice: &std::collections::BTreeMap<u64, String>,
        texts: impl FnOnce(&BTreeSet<u64>) -> Result<HashMap<u64, String>>,
        sample: &mut Vec<Reject>,
    ) -> Result<()> {
        let mut texts = texts(&twice.keys().copied().collect())?;
        for (&line, detail) in twice {
            let reject = Reject {
                line,
                reason: "identity_twice".to_owned(),
                detail: detail.clone(),
                text: texts.remove(&line).unwrap_or_default(),
                claimed: None,
            };
            self.insert_reject(seq, &reject)?;
            if sample.len() < REFUSED_SAMPLE {
                sample.push(reject);
            }
        }
        Ok(())
    }

    /// The number of a document space; its scope is what the feeds say now.
    fn space(&self, name: &str, scope: NumberScope) -> Result<i64> {
        let word = scope_word(scope);
        self.connection.execute(
            "INSERT INTO space (name, scope) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET scope = excluded.scope",
            (name, word),
        )?;
        Ok(self.connection.query_row("SELECT id FROM space WHERE name = ?1", [name], |row| row.get(0))?)
    }
}

/// What is worth telling, in one line.
fn notices(all: &[String]) -> String {
    let told: Vec<&str> = all.iter().map(String::as_str).filter(|one| !one.is_empty()).collect();
    told.join("; ")
}

/// Said of a file that came again under its name without some of its lines.
fn gone_notice(moved: &Moved) -> String {
    let gone = &moved.gone;
    match gone.lines {
        0 => String::new(),
        1 => format!(
            "1 line that came under this name before is not in it any more ({} in amount): it stays in force until it is cancelled",
            gone.amounts.words(|sum| sum.normalize().to_string())
        ),
        many => format!(
            "{many} lines that came under this name before are not in it any more ({} in amount): they stay in force until they are cancelled",
            gone.amounts.words(|sum| sum.normalize().to_string())
        ),
    }
}

fn shown_mtime(mtime: Option<i64>) -> String {
    mtime.map_or_else(String::new, |at| {
        chrono::DateTime::from_timestamp_nanos(at).to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
    })
}

pub(super) fn scope_word(scope: NumberScope) -> &'static str {
    match scope {
        NumberScope::Distributor => "distributor",
        NumberScope::Space => "space",
    }
}

/// The counts of a file that is refused: none of its rows counts, whatever they were found to be before. Where its rejects tell
/// why, all its rows are rejected (product.md, nothing lost: the six numbers add up to the rows).
fn refused_whole(counts: Counts) -> Counts {
    match counts.rejected {
        0 => Counts::default(),
        _ => Counts { rows: counts.rows, rejected: counts.rows, ..Counts::default() },
    }
}

/// A file of which so many rows were rejected is refused whole (interfaces.md 2, `max_reject_percent`).
pub(super) fn refuse_if_too_many(max_reject_percent: Decimal, counts: &Counts) -> Result<(), GivenUp> {
    let percent = Decimal::from(counts.rejected) * Decimal::ONE_HUNDRED;
    if counts.rejected <= REJECTS_ALWAYS_ALLOWED || percent <= max_reject_percent * Decimal::from(counts.rows)
    {
        return Ok(());
    }
    let detail = format!(
        "{} of {} rows were rejected, more than max_reject_percent = \"{max_reject_percent}\" allows: see its reject file, \
         mend the export or the feed's settings",
        counts.rejected, counts.rows
    );
    Err(GivenUp::Refused { reason: "too_many_rejects", detail, counts: *counts })
}
