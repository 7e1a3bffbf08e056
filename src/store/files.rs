//! Files taken, and names seen in feeds' folders.

use super::Store;
use super::holds::HoldState;
use super::journal::Stamp;
use anyhow::{Context, Result};
use chrono::{DateTime, NaiveDate, Utc};
use rusqlite::{OptionalExtension, Row};
use serde_json::{Value, json};
use std::collections::HashMap;

/// What is known of a file before it is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrival {
    /// feed name
    pub feed: String,
    /// file name
    pub name: String,
    /// bytes as stored
    pub size: u64,
    /// nanoseconds since the epoch (servers tell whole seconds)
    pub mtime: Option<i64>,
    /// lower-case hex
    pub sha256: String,
    /// first and last day of the period its name gives
    pub period: Option<(NaiveDate, NaiveDate)>,
    /// `{part}`
    pub part: Option<String>,
    /// `{distributor}`
    pub distributor: Option<String>,
    /// how it is read, as text
    pub layout: String,
    /// its place in the order of ingestion, where it is not its own: a file that is read again keeps that of its first reading
    pub rank: Option<i64>,
    /// files that say nothing any more once this one is taken
    pub silences: Vec<i64>,
    /// the control totals that came beside it
    pub sidecar: Option<Sidecar>,
    /// held files about which nobody need be asked any more once this one is taken
    pub idles: Vec<i64>,
    /// the hold on it that ends by taking it, whatever comes of it
    pub freed: Option<Freed>,
}

/// Why a file that was held is taken after all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freed {
    /// a person has released it
    ByPerson {
        /// the hold
        hold: i64,
    },
    /// the cause of its hold is gone
    CauseGone {
        /// the hold
        hold: i64,
        /// journal sequence at which the file was held
        file: i64,
    },
}

/// Control totals that came beside a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sidecar {
    /// file name
    pub name: String,
    /// bytes as stored
    pub size: u64,
    /// nanoseconds since the epoch
    pub mtime: Option<i64>,
    /// lower-case hex
    pub sha256: String,
}

impl Sidecar {
    /// As the journal keeps it.
    fn body(&self) -> Value {
        json!({ "name": self.name, "size": self.size, "mtime": self.mtime, "sha256": self.sha256 })
    }

    /// Out of the journal.
    pub fn read(body: &Value) -> Option<Sidecar> {
        Some(Sidecar {
            name: body["name"].as_str()?.to_owned(),
            size: body["size"].as_u64()?,
            mtime: body["mtime"].as_i64(),
            sha256: body["sha256"].as_str()?.to_owned(),
        })
    }
}

/// What an ingested file speaks for: first and last day of its period, and its distributor.
pub type Spoken = ((NaiveDate, NaiveDate), Option<String>);

/// What a look saw of a file: name, size, mtime, and since when (our clock, milliseconds) it stands so.
pub type Sighting = (String, u64, Option<i64>, i64);

/// What became of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FileState {
    /// its rows were judged one by one
    Ingested,
    /// its bytes were ingested before
    Duplicate,
    /// refused whole
    Refused,
    /// set aside whole
    Held,
}

impl FileState {
    /// the word people read
    pub fn word(self) -> &'static str {
        match self {
            FileState::Ingested => "ingested",
            FileState::Duplicate => "duplicate",
            FileState::Refused => "refused",
            FileState::Held => "held",
        }
    }

    fn from_word(word: &str) -> FileState {
        match word {
            "ingested" => FileState::Ingested,
            "duplicate" => FileState::Duplicate,
            "held" => FileState::Held,
            _ => FileState::Refused,
        }
    }
}

/// How the data rows of a file were judged: they add up to `rows`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// data rows
    pub rows: u64,
    /// new facts
    pub accepted: u64,
    /// said before
    pub duplicate: u64,
    /// speak instead of a version said before
    pub superseding: u64,
    /// older than the version that speaks
    pub outdated: u64,
    /// set aside for a person
    pub held: u64,
    /// not understood
    pub rejected: u64,
}

impl Counts {
    /// Adds those of other rows of the same file.
    pub fn add(&mut self, other: &Counts) {
        self.rows += other.rows;
        self.accepted += other.accepted;
        self.duplicate += other.duplicate;
        self.superseding += other.superseding;
        self.outdated += other.outdated;
        self.held += other.held;
        self.rejected += other.rejected;
    }
}

/// A file as it stands in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileRow {
    /// journal sequence of its taking
    pub seq: i64,
    /// what was known of it (its layout and what it silences are not filled)
    pub arrival: Arrival,
    /// instant of the run that took it
    pub taken_at: String,
    /// its run
    pub run: i64,
    /// what became of it
    pub state: FileState,
    /// a word, where it was not ingested
    pub reason: String,
    /// why, for people; notices of an ingested file
    pub detail: String,
    /// its rows
    pub counts: Counts,
    /// the journal record since which it says nothing any more
    pub silent_since: Option<i64>,
}

const COLUMNS: &str = "seq, feed, name, size, mtime, sha256, taken_at, run, state, reason, detail, period_first, period_last, \
     part, distributor, rows, accepted, duplicate, superseding, outdated, held, rejected, rank, \
     (SELECT by FROM silenced WHERE silenced.seq = file.seq), \
     (SELECT json_object('name', name, 'size', size, 'mtime', mtime, 'sha256', sha256) FROM sidecar WHERE sidecar.seq = file.seq)";

fn file_row(row: &Row<'_>) -> rusqlite::Result<FileRow> {
    let first: Option<NaiveDate> = row.get(11)?;
    let last: Option<NaiveDate> = row.get(12)?;
    let state: String = row.get(8)?;
    let sidecar: Option<String> = row.get(24)?;
    Ok(FileRow {
        seq: row.get(0)?,
        arrival: Arrival {
            feed: row.get(1)?,
            name: row.get(2)?,
            size: row.get(3)?,
            mtime: row.get(4)?,
            sha256: row.get(5)?,
            period: first.zip(last),
            part: row.get(13)?,
            distributor: row.get(14)?,
            layout: String::new(),
            rank: row.get(22)?,
            silences: Vec::new(),
            sidecar: sidecar.and_then(|text| Sidecar::read(&serde_json::from_str(&text).unwrap_or_default())),
            idles: Vec::new(),
            freed: None,
        },
        taken_at: row.get(6)?,
        run: row.get(7)?,
        state: FileState::from_word(&state),
        reason: row.get(9)?,
        detail: row.get(10)?,
        counts: Counts {
            rows: row.get(15)?,
            accepted: row.get(16)?,
            duplicate: row.get(17)?,
            superseding: row.get(18)?,
            outdated: row.get(19)?,
            held: row.get(20)?,
            rejected: row.get(21)?,
        },
        silent_since: row.get(23)?,
    })
}

impl Store {
    /// Records what became of a file: journal and file row. Its number must have been [`Store::next_seq`].
    pub fn record_file(
        &self,
        stamp: &Stamp,
        arrival: &Arrival,
        state: FileState,
        (reason, detail): (&str, &str),
        counts: &Counts,
    ) -> Result<i64> {
        let mut body = json!({
            "feed": arrival.feed, "name": arrival.name, "size": arrival.size, "mtime": arrival.mtime,
            "sha256": arrival.sha256, "layout": arrival.layout, "state": state.word(), "reason": reason,
            "rows": counts.rows, "accepted": counts.accepted, "duplicate": counts.duplicate,
            "superseding": counts.superseding, "outdated": counts.outdated, "held": counts.held,
            "rejected": counts.rejected,
        });
        let speaks = match state {
            FileState::Ingested => true,
            FileState::Duplicate | FileState::Refused | FileState::Held => false,
        };
        let rank = arrival.rank.filter(|_| speaks);
        if let Some(rank) = rank {
            body["rank"] = rank.into();
        }
        if speaks && !arrival.silences.is_empty() {
            body["silences"] = arrival.silences.as_slice().into();
        }
        if let Some(sidecar) = &arrival.sidecar {
            body["sidecar"] = sidecar.body();
        }
        if let Some(Freed::CauseGone { file, .. }) = arrival.freed {
            body["judged_again"] = file.into();
        }
        let seq = self.append(stamp, "file", &body)?;
        self.connection
            .execute("INSERT OR IGNORE INTO layout (text) VALUES (?1)", [&arrival.layout])
            .context("cannot record how the file was read")?;
        self.connection.prepare_cached(
            "INSERT INTO file (seq, feed, name, size, mtime, sha256, taken_at, run, state, reason, detail, period_first, period_last,
                 part, distributor, layout, rows, accepted, duplicate, superseding, outdated, held, rejected, rank)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15,
                 (SELECT id FROM layout WHERE text = ?16), ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24)",
        )?
        .execute(rusqlite::params![
            seq,
            arrival.feed,
            arrival.name,
            arrival.size,
            arrival.mtime,
            arrival.sha256,
            stamp.at,
            stamp.run,
            state.word(),
            reason,
            detail,
            arrival.period.map(|period| period.0),
            arrival.period.map(|period| period.1),
            arrival.part,
            arrival.distributor,
            arrival.layout,
            counts.rows,
            counts.accepted,
            counts.duplicate,
            counts.superseding,
            counts.outdated,
            counts.held,
            counts.rejected,
            rank,
        ])
        .context("cannot record the file")?;
        if let Some(sidecar) = &arrival.sidecar {
            self.keep_sidecar(seq, sidecar)?;
        }
        match arrival.freed {
            None => {}
            Some(Freed::ByPerson { hold }) => self.end_hold(hold, HoldState::Done, seq)?,
            Some(Freed::CauseGone { hold, .. }) => self.end_hold(hold, HoldState::Gone, seq)?,
        }
        if speaks {
            self.end_idle_holds(&arrival.idles, seq)?;
            if counts.rejected == 0 {
                self.close_unclaimed(seq, &arrival.feed, &arrival.name)?;
            }
        }
        Ok(seq)
    }

    /// Whether a file with this name, size and mtime was taken from the feed already, so that it need not be fetched
    /// again. One that was refused is looked at again once the feed is read in another way.
    pub fn knows_file(
        &self,
        feed: &str,
        name: &str,
        size: u64,
        mtime: Option<i64>,
        layout: &str,
    ) -> Result<bool> {
        Ok(self
            .connection
            .prepare_cached(
                "SELECT EXISTS (SELECT 1 FROM file JOIN layout ON layout.id = file.layout
                 WHERE feed = ?1 AND name = ?2 AND size = ?3 AND mtime IS ?4 AND (state <> 'refused' OR layout.text = ?5))",
            )?
            .query_row((feed, name, size, mtime, layout), |row| row.get(0))?)
    }

    /// The SHA-256 of a file that this feed has taken as it stands and of which nothing is open any more: it was ingested, its bytes
    /// were, or a person has decided about it. One that was refused, or that is held, is not.
    pub fn settled_file(
        &self,
        feed: &str,
        name: &str,
        size: u64,
        mtime: Option<i64>,
    ) -> Result<Option<String>> {
        let kinds = super::FILE_HOLDS.map(|kind| format!("'{kind}'")).join(", ");
        let sql = format!(
            "SELECT sha256, CASE state WHEN 'refused' THEN seq END FROM (SELECT * FROM file
                 WHERE feed = ?1 AND name = ?2 AND size = ?3 AND mtime IS ?4 ORDER BY seq DESC LIMIT 1) AS last
             WHERE NOT EXISTS (SELECT 1 FROM file JOIN hold ON hold.file = file.seq
                 WHERE file.sha256 = last.sha256 AND file.feed = ?1 AND hold.kind IN ({kinds})
                 AND hold.state IN ('open', 'released'))"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let found: Option<(String, Option<i64>)> = statement
            .query_row((feed, name, size, mtime), |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        match found {
            Some((_, Some(refused))) if !self.is_discarded(refused)? => Ok(None),
            Some((sha256, _)) => Ok(Some(sha256)),
            None => Ok(None),
        }
    }

    /// The earlier taking of the same bytes that was ingested, and by which feed.
    pub fn ingested_bytes(&self, sha256: &str) -> Result<Vec<FileRow>> {
        self.file_rows(
            &format!("SELECT {COLUMNS} FROM file WHERE sha256 = ?1 AND state = 'ingested' ORDER BY seq"),
            [sha256],
        )
    }

    /// Whether the same bytes were refused before under the same name for the same reason.
    pub fn refused_before(&self, file: &Arrival, seq: i64, detail: &str) -> Result<bool> {
        Ok(self
            .connection
            .prepare_cached(
                "SELECT EXISTS (SELECT 1 FROM file WHERE sha256 = ?1 AND feed = ?2 AND name = ?3 AND state = 'refused'
                 AND detail = ?4 AND seq < ?5)",
            )?
            .query_row((&file.sha256, &file.feed, &file.name, detail, seq), |row| row.get(0))?)
    }

    /// The last file that came under a name, of those that speak.
    pub fn speaking_under(&self, feed: &str, name: &str) -> Result<Option<FileRow>> {
        let seq = self.speaking_of_name(feed, name)?;
        Ok(seq.map(|seq| self.file(seq)).transpose()?.flatten())
    }

    /// The last file that was taken from a feed under a name and speaks.
    pub(super) fn speaking_of_name(&self, feed: &str, name: &str) -> Result<Option<i64>> {
        Ok(self
            .connection
            .prepare_cached(
                "SELECT max(seq) FROM file WHERE feed = ?1 AND name = ?2 AND state = 'ingested'
                 AND seq NOT IN (SELECT seq FROM silenced)",
            )?
            .query_row((feed, name), |row| row.get(0))?)
    }

    /// The files of a feed in a state that name a period, and none that is silent: of one part, and of one distributor, where the
    /// feed's names tell them.
    pub fn files_of_period(
        &self,
        feed: &str,
        period: (NaiveDate, NaiveDate),
        (part, distributor): (Option<&str>, Option<&str>),
        state: FileState,
    ) -> Result<Vec<i64>> {
        let mut select = self.connection.prepare_cached(
            "SELECT seq FROM file WHERE feed = ?1 AND state = ?6 AND period_first = ?2 AND period_last = ?3
             AND (?4 IS NULL OR part IS ?4) AND (?5 IS NULL OR distributor IS ?5)
             AND seq NOT IN (SELECT seq FROM silenced) ORDER BY seq",
        )?;
        let parameters = (feed, period.0, period.1, part, distributor, state.word());
        let rows = select.query_map(parameters, |row| row.get(0))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Whether a file of one of these feeds was ingested after a record, or a person has decided something, or the config has
    /// changed.
    pub fn has_news_since(&self, seq: i64, feeds: &[&str]) -> Result<bool> {
        Ok(self
            .connection
            .prepare_cached(
                "SELECT EXISTS (SELECT 1 FROM journal WHERE seq > ?1 AND kind IN ('config', 'decision'))
                 OR EXISTS (SELECT 1 FROM file WHERE seq > ?1 AND state = 'ingested' AND feed IN (SELECT value FROM json_each(?2)))",
            )?
            .query_row((seq, json!(feeds).to_string()), |row| row.get(0))?)
    }

    /// The files of a feed that were held under a name.
    pub fn held_of_name(&self, feed: &str, name: &str) -> Result<Vec<i64>> {
        let mut select = self.connection.prepare_cached(
            "SELECT seq FROM file WHERE feed = ?1 AND name = ?2 AND state = 'held' ORDER BY seq",
        )?;
        let rows = select.query_map((feed, name), |row| row.get(0))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// The takings of the same bytes by one feed that ended in a state, in order.
    pub fn files_of_bytes(&self, feed: &str, sha256: &str, state: FileState) -> Result<Vec<FileRow>> {
        self.file_rows(
            &format!(
                "SELECT {COLUMNS} FROM file WHERE sha256 = ?1 AND feed = ?2 AND state = ?3 ORDER BY seq"
            ),
            [sha256, feed, state.word()],
        )
    }

    /// Every taking, in order; of one name where it is given.
    pub fn files(&self, name: Option<&str>) -> Result<Vec<FileRow>> {
        self.file_rows(
            &format!("SELECT {COLUMNS} FROM file WHERE ?1 IS NULL OR name = ?1 ORDER BY seq"),
            [name],
        )
    }

    /// The files taken by one run.
    pub fn files_of_run(&self, run: i64) -> Result<Vec<FileRow>> {
        self.file_rows(&format!("SELECT {COLUMNS} FROM file WHERE run = ?1 ORDER BY seq"), [run])
    }

    /// One taking.
    pub fn file(&self, seq: i64) -> Result<Option<FileRow>> {
        Ok(self.file_rows(&format!("SELECT {COLUMNS} FROM file WHERE seq = ?1"), [seq])?.pop())
    }

    fn file_rows(&self, sql: &str, parameters: impl rusqlite::Params) -> Result<Vec<FileRow>> {
        let mut select = self.connection.prepare_cached(sql)?;
        let rows = select.query_map(parameters, file_row)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Names of ingested files by journal sequence, for papers.
    pub fn file_names(&self) -> Result<HashMap<i64, String>> {
        let mut select =
            self.connection.prepare_cached("SELECT seq, name FROM file WHERE state = 'ingested'")?;
        let rows = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Periods (and distributors) that ingested files of a feed speak for.
    pub fn periods_ingested(&self, feed: &str) -> Result<Vec<Spoken>> {
        let mut select = self.connection.prepare_cached(
            "SELECT DISTINCT period_first, period_last, distributor FROM file
             WHERE feed = ?1 AND state = 'ingested' AND period_first IS NOT NULL ORDER BY period_first",
        )?;
        let rows = select.query_map([feed], |row| Ok(((row.get(0)?, row.get(1)?), row.get(2)?)))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// The instant of the first config whose text is as wanted.
    pub fn config_known_since(&self, wanted: impl Fn(&str) -> bool) -> Result<Option<DateTime<Utc>>> {
        let mut select = self
            .connection
            .prepare_cached("SELECT at, body ->> 'text' FROM journal WHERE kind = 'config' ORDER BY seq")?;
        let mut configs = select.query([])?;
        while let Some(config) = configs.next()? {
            if wanted(config.get_ref(1)?.as_str()?) {
                let at = DateTime::parse_from_rfc3339(config.get_ref(0)?.as_str()?)?;
                return Ok(Some(at.to_utc()));
            }
        }
        Ok(None)
    }

    /// Whether it was told before that an expected file is missing.
    pub fn knows_missing(&self, what: &str) -> Result<bool> {
        Ok(self
            .connection
            .prepare_cached("SELECT EXISTS (SELECT 1 FROM missing WHERE what = ?1)")?
            .query_row([what], |row| row.get(0))?)
    }

    /// Remembers that it was told.
    pub fn note_missing(&self, stamp: &Stamp, what: &str) -> Result<()> {
        self.connection.execute("INSERT INTO missing VALUES (?1, ?2)", (what, &stamp.at))?;
        Ok(())
    }

    /// Names that were told to be passed over at the last look at a feed, each with why.
    pub fn told(&self, feed: &str) -> Result<Vec<String>> {
        let mut select =
            self.connection.prepare_cached("SELECT what FROM passed WHERE feed = ?1 ORDER BY rowid")?;
        let rows = select.query_map([feed], |row| row.get(0))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Remembers what was told, instead of what was before.
    pub fn tell(&self, feed: &str, told: &[String]) -> Result<()> {
        self.connection.execute("DELETE FROM passed WHERE feed = ?1", [feed])?;
        for what in told {
            self.connection.execute("INSERT INTO passed VALUES (?1, ?2)", (feed, what))?;
        }
        Ok(())
    }

    /// The rejects of one file, in order of line.
    pub fn each_reject(&self, seq: i64, mut take: impl FnMut(super::Reject) -> Result<()>) -> Result<()> {
        let mut select = self.connection.prepare_cached(
            "SELECT line, reason, detail, text FROM reject WHERE seq = ?1 ORDER BY line, id",
        )?;
        let mut rows = select.query([seq])?;
        while let Some(row) = rows.next()? {
            take(super::Reject {
                line: row.get(0)?,
                reason: row.get(1)?,
                detail: row.get(2)?,
                text: row.get(3)?,
                claimed: None,
            })?;
        }
        Ok(())
    }

    /// What earlier looks saw of a feed.
    pub fn sightings(&self, feed: &str) -> Result<Vec<Sighting>> {
        let mut select = self
            .connection
            .prepare_cached("SELECT name, size, mtime, since FROM sighting WHERE feed = ?1")?;
        let rows =
            select.query_map([feed], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Remembers a look, instead of those before it.
    pub fn keep_sightings(&self, feed: &str, seen: &[(&str, u64, Option<i64>, i64)]) -> Result<()> {
        self.connection.prepare_cached("DELETE FROM sighting WHERE feed = ?1")?.execute([feed])?;
        let mut insert =
            self.connection.prepare_cached("INSERT INTO sighting VALUES (?1, ?2, ?3, ?4, ?5)")?;
        for (name, size, mtime, since) in seen {
            insert.execute((feed, name, size, mtime, since))?;
        }
        Ok(())
    }
}
