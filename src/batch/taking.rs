//! Ingest: a file of the archive becomes facts or master records, a duplicate, a refusal or a hold; whole or not at all.

use super::Run;
use super::fetching::Fetched;
use super::progress::Step;
use super::reading;
use super::report::FileLine;
use super::rereading::Known;
use super::totals::{DISAGREE, Weighed};
use crate::config::{Feed, Kind, Mode};
use crate::facts::master::Day;
use crate::facts::money::{EventKind, Money};
use crate::inbox::pattern::Named;
use crate::inbox::{Cancel, InboxFault};
use crate::ingest::{self, CreditNotes, Encoding, LastRow, Layout, Packing, Refusal, Stop, Taken};
use crate::outbox;
use crate::statement::{name, rejects};
use crate::store::files::{Arrival, Counts, FileRow, FileState};
use crate::store::masters::{ItemSaid, MasterSaid, PartnerSaid, TakeMaster};
use crate::store::{Attempt, EVENT_CONFLICT, Feeder, Intake, Outcome, Reading, Reject, Store};
use anyhow::{Context, Result, anyhow};
use chrono::{DateTime, NaiveDate};
use serde_json::json;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

/// Said of a file whose bytes came before under its own name: only its mtime is another.
pub const TOUCHED: &str = "touched";

/// What is not asked of a file any more, since a person has released it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Waived {
    Nothing,
    /// how much it voids
    Void,
    /// that, and whether its control totals agree
    VoidAndTotals,
}

/// Whether a file that would void too much may wait for others of its run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Patience {
    None,
    ForOthers,
}

/// What came of one attempt at a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Took {
    File,
    /// it is to be tried again
    Nothing,
}

/// Kind of the holds on files that would void too much.
pub(super) const VOIDS: &str = "void_over_limit";

/// Read at once from the archive.
const READ_BUFFER: usize = 1 << 20;

/// Kinds of holds on rows of a file that was ingested.
const ROW_HOLDS: [&str; 3] = ["identity_conflict", "rows_vanished", EVENT_CONFLICT];

impl Run<'_> {
    /// Takes files in their order. Lines may move from one period's file to another's: one that would void too much is looked at
    /// again once the others of its kind are taken.
    pub(super) fn take_all(&mut self, files: Vec<Fetched<'_>>) -> Result<()> {
        let mut waiting = files;
        // what is replayed comes in the order in which it was taken
        let mut patience = if self.order.replay.is_some() { Patience::None } else { Patience::ForOthers };
        while !waiting.is_empty() {
            let (count, mut again) = (waiting.len(), Vec::new());
            for (at, file) in waiting.iter().enumerate() {
                self.go_on()?;
                let alike = |other: &Fetched<'_>| other.feed.kind == file.feed.kind;
                let others = waiting[at + 1..].iter().any(alike)
                    || again.iter().any(|&at: &usize| alike(&waiting[at]));
                let patience = if others { patience } else { Patience::None };
                if self.take(file, patience)? == Took::Nothing {
                    again.push(at);
                }
            }
            if again.len() == count {
                patience = Patience::None;
            }
            let mut at = 0..count;
            waiting.retain(|_| at.next().is_some_and(|at| again.contains(&at)));
        }
        Ok(())
    }

    /// Takes one file.
    fn take(&mut self, file: &Fetched<'_>, patience: Patience) -> Result<Took> {
        let named = &file.candidate.named;
        let layout = file.feed.layout_of(named);
        let mut arrival = arrival(file);
        let outcome = match self.judge_file(file.feed, named, &mut arrival, &file.archived.path)? {
            Attempt::Taken(outcome) => *outcome,
            Attempt::Held { kind: VOIDS, .. } if patience == Patience::ForOthers => return Ok(Took::Nothing),
            Attempt::Held { kind, detail } => self.hold(&layout, &arrival, (kind, detail))?,
        };
        self.note_file(arrival, outcome)?;
        Ok(Took::File)
    }

    /// What comes of a file about which no person has said anything.
    pub(super) fn judge_file(
        &mut self,
        feed: &Feed,
        named: &Named,
        arrival: &mut Arrival,
        path: &Path,
    ) -> Result<Attempt> {
        if let Some(before) = self.said_before(arrival)? {
            let stamp = self.stamp.clone();
            return self
                .store
                .note_duplicate(&stamp, arrival, before)
                .map(|told| Attempt::Taken(told.into()));
        }
        if let Some((kind, detail)) = self.came_to_another_feed(arrival)? {
            return Ok(Attempt::Held { kind, detail });
        }
        self.put_in_place(feed, named, arrival)?;
        self.attempt(feed, &feed.layout_of(named), arrival, path, Waived::Nothing)
    }

    /// Whether the feed has ingested these bytes before. An empty file says nothing: under another name it stands for
    /// another period.
    fn said_before(&self, arrival: &Arrival) -> Result<Option<(&'static str, String)>> {
        let before = self.store.files_of_bytes(&arrival.feed, &arrival.sha256, FileState::Ingested)?;
        let same = |file: &&FileRow| file.counts.rows > 0 || file.arrival.name == arrival.name;
        let Some(first) = before.iter().find(same) else { return Ok(None) };
        let known = format!("the same bytes were ingested as {} at {}", first.arrival.name, first.taken_at);
        if first.arrival.name != arrival.name {
            return Ok(Some(("duplicate_file", known)));
        }
        let speaks = self.store.speaking_under(&arrival.feed, &arrival.name)?;
        Ok(Some(match speaks.filter(|file| file.arrival.sha256 != arrival.sha256) {
            None => (TOUCHED, known),
            Some(newer) => (
                "duplicate_file",
                format!(
                    "{known}, and others under this name at {}, which go on speaking: were the old ones meant to speak again, send them with any change (an empty line at the end will do)",
                    newer.taken_at
                ),
            ),
        }))
    }

    /// Why a person must say first whether a file is to be read.
    fn came_to_another_feed(&self, arrival: &Arrival) -> Result<Option<(&'static str, String)>> {
        let before = self.store.ingested_bytes(&arrival.sha256)?;
        Ok(before.iter().find(|file| file.counts.rows > 0).map(|first| {
            let detail = format!(
                "the same bytes were ingested from feed {} as {}: release it if both are meant",
                first.arrival.feed, first.arrival.name
            );
            ("same_file_other_feed", detail)
        }))
    }

    /// Takes a file out of the archive, or sets it aside.
    pub(super) fn read_file(
        &mut self,
        feed: &Feed,
        layout: &Layout,
        arrival: &Arrival,
        path: &Path,
        waived: Waived,
    ) -> Result<Outcome> {
        match self.attempt(feed, layout, arrival, path, waived)? {
            Attempt::Taken(outcome) => Ok(*outcome),
            Attempt::Held { kind, detail } => self.hold(layout, arrival, (kind, detail)),
        }
    }

    /// Takes a file unless a person must say first whether it is to be taken: then nothing is recorded.
    fn attempt(
        &mut self,
        feed: &Feed,
        layout: &Layout,
        arrival: &Arrival,
        path: &Path,
        waived: Waived,
    ) -> Result<Attempt> {
        tracing::debug!(feed = %arrival.feed, file = %arrival.name, "taking");
        self.order.progress.tell(Step::Ingesting { feed: &arrival.feed, file: &arrival.name });
        let stamp = self.stamp.clone();
        let packing = match packing(&arrival.name, path) {
            Ok(packing) => packing,
            Err(Stop::Refused(Refusal { reason, detail })) => {
                let none = Counts::default();
                return self
                    .store
                    .refuse_file(&stamp, arrival, reason, detail, none, &[])
                    .map(|outcome| Attempt::Taken(outcome.into()));
            }
            Err(Stop::Io(fault)) => return Err(fault).context("cannot read a file from the archive"),
            Err(Stop::Taker(fault)) => return Err(fault),
        };
        if waived != Waived::VoidAndTotals {
            match self.weigh_totals(feed, (layout, packing), arrival, path)? {
                Weighed::Agrees => {}
                // once let through, it is read again as it is
                Weighed::Disagrees(_) if self.store.released_before(arrival, DISAGREE)? => {}
                Weighed::Refused { reason, detail } => {
                    let none = Counts::default();
                    return self
                        .store
                        .refuse_file(&stamp, arrival, reason, detail, none, &[])
                        .map(|outcome| Attempt::Taken(outcome.into()));
                }
                Weighed::Disagrees(detail) => return Ok(Attempt::Held { kind: DISAGREE, detail }),
            }
        }
        let cancel = self.order.cancel.clone();
        let lying = Lying { path, cancel: &cancel };
        match feed.kind {
            Kind::Sales => {
                let intake = intake(feed, waived);
                let read = |feeders: &mut [Feeder]| reading::sales(lying, packing, layout, feeders);
                let texts = |lines: &std::collections::BTreeSet<u64>| {
                    let mut bytes = lying.open()?;
                    ingest::texts(&mut bytes, packing, layout, lines).map_err(|fault| match fault {
                        Stop::Refused(refusal) => anyhow!(refusal.detail),
                        Stop::Io(fault) => fault.into(),
                        Stop::Taker(fault) => fault,
                    })
                };
                self.store.take_sales(&stamp, arrival, &intake, read, texts)
            }
            Kind::Payments | Kind::Deposits => {
                let kind = event_kind(feed.kind);
                let read = |take: &mut TakeMoney<'_>| read_events(kind, lying, packing, layout, take);
                self.store.take_events(&stamp, arrival, &intake(feed, waived), kind, read)
            }
            Kind::Partners | Kind::Items | Kind::Fx => {
                let day = self.undated_day(feed, arrival)?;
                let percents = (feed.max_reject_percent, max_void_percent(feed, waived));
                let read =
                    |take: &mut TakeMaster<'_>| read_master(feed.kind, lying, packing, layout, day, take);
                self.store.take_master(&stamp, arrival, read, percents)
            }
        }
    }

    /// Sets a file aside whole, with what waits in it.
    pub(super) fn hold(
        &mut self,
        layout: &Layout,
        arrival: &Arrival,
        (kind, detail): (&'static str, String),
    ) -> Result<Outcome> {
        let at_stake = self.at_stake(layout, arrival)?;
        self.store.hold_file(&self.stamp, arrival, kind, detail, &at_stake)
    }

    /// A later undated record applies from the period that its file names, else from the day of ingestion (evaluation.md 2),
    /// which is read in the feed's zone; a file that is read again keeps that of its first reading.
    fn undated_day(&self, feed: &Feed, arrival: &Arrival) -> Result<NaiveDate> {
        if let Some((first, _)) = arrival.period {
            return Ok(first);
        }
        let taken = arrival.rank.map(|rank| self.store.file(rank)).transpose()?.flatten();
        let at = match taken {
            Some(file) => DateTime::parse_from_rfc3339(&file.taken_at)?.to_utc(),
            None => self.order.now,
        };
        Ok(at.with_timezone(&feed.layout.timezone).date_naive())
    }

    pub(super) fn note_file(&mut self, arrival: Arrival, outcome: Outcome) -> Result<()> {
        let Counts { rows, held, rejected, .. } = outcome.counts;
        tracing::info!(feed = %arrival.feed, file = %arrival.name, state = outcome.state.word(), reason = %outcome.reason, rows, held, rejected, "file taken");
        self.write_rejects(&arrival, (outcome.seq, outcome.state), &outcome.counts)?;
        let rejects = (outcome.counts.rejected > 0).then(|| {
            let name = name::reject_file(&arrival.name, &arrival.sha256);
            format!("rejects/{}/{name}", arrival.feed)
        });
        let told = outcome.state == FileState::Refused
            && self.store.refused_before(&arrival, outcome.seq, &outcome.detail)?;
        self.report.new_holds.extend(outcome.hold);
        if outcome.state == FileState::Ingested && outcome.counts.held > 0 {
            for kind in ROW_HOLDS {
                self.report.new_holds.extend(self.store.holds_on_rows(kind, outcome.seq)?);
            }
        }
        self.report.files.push(FileLine {
            rejects,
            gone: outcome.gone,
            told,
            feed: arrival.feed,
            name: arrival.name,
            state: outcome.state,
            reason: outcome.reason,
            detail: outcome.detail,
            counts: outcome.counts,
            known: Known::News,
        });
        Ok(())
    }

    /// The reject file is of the last reading of these bytes.
    fn write_rejects(
        &self,
        arrival: &Arrival,
        (seq, state): (i64, FileState),
        counts: &Counts,
    ) -> Result<()> {
        if counts.rejected > 0 {
            let bytes = reject_bytes(&self.store, &arrival.name, seq)?;
            outbox::single::put(&self.reject_path(arrival), &bytes)?;
        } else if state == FileState::Ingested {
            outbox::single::take_away(&self.reject_path(arrival))?;
        }
        Ok(())
    }

    fn reject_path(&self, arrival: &Arrival) -> PathBuf {
        self.places.rejects.join(&arrival.feed).join(name::reject_file(&arrival.name, &arrival.sha256))
    }

    /// A run that was killed between its commit and its reject files is finished by the next one.
    pub(super) fn write_rejects_of(&self, run: i64) -> Result<()> {
        for file in self.store.files_of_run(run)? {
            self.write_rejects(&file.arrival, (file.seq, file.state), &file.counts)?;
        }
        Ok(())
    }
}

/// The reject file of one taking of a file.
pub fn reject_bytes(store: &Store, file: &str, seq: i64) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    rejects::reject_header(&mut bytes);
    store.each_reject(seq, |reject| {
        rejects::reject_row(&mut bytes, file, reject.line, [&reject.reason, &reject.detail, &reject.text]);
        Ok(())
    })?;
    Ok(bytes)
}

/// Gives each payment, deposit or reject of a file to the store.
type TakeMoney<'t> = dyn FnMut(Result<Money, Reject>) -> Result<()> + 't;

fn intake(feed: &Feed, waived: Waived) -> Intake {
    Intake {
        documents: feed.documents.clone(),
        scope: feed.number_scope,
        max_reject_percent: feed.max_reject_percent,
        max_void_percent: max_void_percent(feed, waived),
    }
}

fn event_kind(kind: Kind) -> EventKind {
    match kind {
        Kind::Deposits => EventKind::Deposit,
        Kind::Payments | Kind::Sales | Kind::Partners | Kind::Items | Kind::Fx => EventKind::Payment,
    }
}

fn read_events(
    kind: EventKind,
    lying: Lying<'_>,
    packing: Packing,
    layout: &Layout,
    take: &mut TakeMoney<'_>,
) -> Result<Reading> {
    let mut bytes = lying.open()?;
    ended(ingest::monies(&mut bytes, packing, layout, kind, &mut |taken| match taken {
        Taken::Row(row) => take(Ok(row)),
        Taken::Reject(reject) => take(Err(kept(reject))),
    }))
}

fn kept(reject: &ingest::Reject) -> Reject {
    Reject {
        line: reject.line,
        reason: reject.reason.to_owned(),
        detail: reject.detail.clone(),
        text: reject.text.clone(),
        claimed: None,
    }
}

/// What is known of a file before it is read.
pub(super) fn arrival(file: &Fetched<'_>) -> Arrival {
    let named = &file.candidate.named;
    Arrival {
        feed: file.feed.name.clone(),
        name: file.candidate.name.clone(),
        size: file.archived.size,
        mtime: file.candidate.mtime,
        sha256: file.archived.sha256.clone(),
        period: named.period,
        part: named.part.clone(),
        distributor: file.feed.distributor_of(named).map(str::to_owned),
        layout: layout_text(file.feed.kind, &file.feed.layout_of(named)),
        rank: None,
        silences: Vec::new(),
        sidecar: file.sidecar.clone(),
        idles: Vec::new(),
        freed: None,
    }
}

fn max_void_percent(feed: &Feed, waived: Waived) -> Option<rust_decimal::Decimal> {
    match (feed.mode, waived) {
        (Mode::Replace { max_void_percent }, Waived::Nothing) => Some(max_void_percent),
        (Mode::Replace { .. }, Waived::Void | Waived::VoidAndTotals) | (Mode::Append, _) => None,
    }
}

/// A file of the archive, read for a run that a signal may end.
#[derive(Clone, Copy)]
pub(super) struct Lying<'l> {
    pub(super) path: &'l Path,
    pub(super) cancel: &'l Cancel,
}

impl Lying<'_> {
    pub(super) fn open(self) -> Result<BufReader<Watched>> {
        let fault = || format!("cannot read {} from the archive", self.path.display());
        let file = File::open(self.path).with_context(fault)?;
        Ok(BufReader::with_capacity(READ_BUFFER, Watched { file, cancel: self.cancel.clone() }))
    }
}

/// Each piece that is read says that the run goes on, or is refused once it is not to.
pub(super) struct Watched {
    file: File,
    cancel: Cancel,
}

impl Read for Watched {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.cancel.check().map_err(io::Error::other)?;
        self.file.read(into)
    }
}

/// Whether a fault is that of reading on after a signal.
pub(super) fn was_read_no_further(fault: &anyhow::Error) -> bool {
    let inner = |cause: &(dyn std::error::Error + 'static)| {
        cause
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref)
            .is_some_and(|inner| inner.is::<InboxFault>())
    };
    fault.chain().any(inner)
}

/// How a file is packed, by its name; of a zip archive also where its file lies.
pub fn packing(name: &str, path: &Path) -> Result<Packing, Stop> {
    let lower = name.to_lowercase();
    if lower.ends_with(".zip") {
        let mut archive = File::open(path).map_err(Stop::Io)?;
        return ingest::member(&mut archive).map(Packing::Zip);
    }
    Ok(if lower.ends_with(".gz") { Packing::Gzip } else { Packing::Plain })
}

pub(super) fn ended<T>(read: Result<T, Stop>) -> Result<Reading> {
    match read {
        Ok(_) => Ok(Reading::Whole),
        Err(Stop::Refused(Refusal { reason, detail })) => Ok(Reading::Refused { reason, detail }),
        Err(Stop::Io(fault)) => Err(fault).context("cannot read a file from the archive"),
        Err(Stop::Taker(fault)) => Err(fault),
    }
}

fn read_master(
    kind: Kind,
    lying: Lying<'_>,
    packing: Packing,
    layout: &Layout,
    otherwise: NaiveDate,
    take: &mut TakeMaster<'_>,
) -> Result<Reading> {
    let mut bytes = lying.open()?;
    let day = |dated: bool, from: NaiveDate| if dated { Day::Given(from) } else { Day::Otherwise(otherwise) };
    let rejected = |reject: &ingest::Reject| Err(kept(reject));
    match kind {
        Kind::Items => ended(ingest::items(&mut bytes, packing, layout, &mut |taken| match taken {
            Taken::Row(row) => {
                let day = day(row.dated, row.record.effective_from);
                let sku = crate::scheme::fold(&row.code);
                let (file_line, record) = (row.file_line, row.record);
                take(Ok(MasterSaid::Item(Box::new(ItemSaid { sku, file_line, day, record }))))
            }
            Taken::Reject(reject) => take(rejected(reject)),
        })),
        Kind::Fx => ended(ingest::fx(&mut bytes, packing, layout, &mut |taken| match taken {
            Taken::Row(row) => take(Ok(MasterSaid::Rate(row.record, row.file_line))),
            Taken::Reject(reject) => take(rejected(reject)),
        })),
        Kind::Partners | Kind::Sales | Kind::Payments | Kind::Deposits => {
            ended(ingest::partners(&mut bytes, packing, layout, &mut |taken| match taken {
                Taken::Row(row) => take(Ok(MasterSaid::Partner(Box::new(PartnerSaid {
                    day: day(row.dated, row.record.effective_from),
                    code: row.code,
                    file_line: row.file_line,
                    record: row.record,
                    local_code: row.local_code,
                    says: row.says,
                })))),
                Taken::Reject(reject) => take(rejected(reject)),
            }))
        }
    }
}

/// How a file is read, as the journal keeps it: as what, and in which dialect.
pub fn layout_text(kind: Kind, layout: &Layout) -> String {
    let encoding = match layout.encoding {
        Encoding::Utf8 => "utf-8",
        Encoding::Utf16 => "utf-16",
        Encoding::Windows1252 => "windows-1252",
    };
    let credit_notes = match layout.credit_notes {
        CreditNotes::PositiveOrNegative => "positive-or-negative",
        CreditNotes::Signed => "signed",
    };
    let mark = match layout.decimal_mark {
        crate::domain::decimal::DecimalMark::Point => ".",
        crate::domain::decimal::DecimalMark::Comma => ",",
    };
    let mut text = json!({
        "kind": kind.word(), "delimiter": char::from(layout.delimiter).to_string(), "encoding": encoding, "decimal_mark": mark,
        "dates": layout.dates, "credit_notes": credit_notes, "columns": layout.columns, "defaults": layout.defaults,
        "values": layout.values, "timezone": layout.timezone.name(), "numbers_restart": layout.numbers_restart,
        "max_bytes": layout.max_bytes,
    });
    match layout.last_row {
        LastRow::Data => {}
        LastRow::Trailer => text["totals"] = "trailer".into(),
    }
    text.to_string()
}
