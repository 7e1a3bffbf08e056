//! What the store adds up to, for whoever watches from outside: files, rows, points, runs. Sums of what only grows are kept up to a
//! journal record and a ledger entry, so that adding up costs what is new and not what is stored.
//!
//! Answers for: sums that are right whatever runs were killed (what is not in the kept ones is added each time it is asked for).
//! Does not: say what they mean.

use super::Store;
use super::files::FileState;
use super::holds::Ended;
use super::silence::speaks;
use crate::domain::points::Points;
use anyhow::{Context, Result};
use chrono::DateTime;
use std::collections::BTreeMap;

/// What can become of a row.
pub const OUTCOMES: [&str; 6] = ["accepted", "duplicate", "superseding", "outdated", "held", "rejected"];

/// What the entries of one kind in one scheme add up to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    /// scheme id
    pub scheme: String,
    /// kind of the entries
    pub kind: String,
    /// of those that add to a wallet
    pub credit: Points,
    /// of those that take from it, without their sign
    pub debit: Points,
}

/// What a store adds up to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Totals {
    /// runs that began
    pub runs_started: u64,
    /// runs that came to their end, by exit status
    pub runs_finished: Vec<(i64, u64)>,
    /// instant of the last run that looked at feeds and did its work, seconds since the epoch
    pub last_success: Option<i64>,
    /// (feed, state) -> files
    pub files: BTreeMap<(String, String), u64>,
    /// (feed, outcome) -> rows
    pub rows: BTreeMap<(String, String), u64>,
    /// feed -> rejected rows that wait
    pub rejects_open: BTreeMap<String, u64>,
    /// kind -> holds that wait
    pub holds_open: BTreeMap<String, u64>,
    /// in order of scheme and kind
    pub moved: Vec<Moved>,
    /// number of the last entry
    pub last_entry: i64,
}

/// What is summed, and whose it is: `("files", feed, state)`.
type Key = (String, String, String);

/// Sums up to a journal record and a ledger entry.
#[derive(Debug, Clone, Default)]
struct Sums {
    seq: i64,
    entry: i64,
    all: BTreeMap<Key, i64>,
}

impl Sums {
    fn add(&mut self, what: &str, one: &str, other: &str, by: i64) {
        let sum = self.all.entry((what.to_owned(), one.to_owned(), other.to_owned())).or_default();
        *sum = sum.saturating_add(by);
    }

    fn of<'s>(&'s self, what: &'static str) -> impl Iterator<Item = (&'s str, &'s str, i64)> {
        let ours = self.all.iter().filter(move |((kept, _, _), _)| kept == what);
        ours.map(|((_, one, other), sum)| (one.as_str(), other.as_str(), *sum))
    }

    fn by_two(&self, what: &'static str) -> BTreeMap<(String, String), u64> {
        let counted = |(one, other, sum): (&str, &str, i64)| ((one.to_owned(), other.to_owned()), count(sum));
        self.of(what).map(counted).collect()
    }
}

/// What entries of one kind in one scheme add up to, as [`Moved`] tells it.
struct EntrySums {
    scheme: String,
    kind: String,
    credit: i64,
    debit: i64,
}

impl EntrySums {
    fn of(scheme: &str, kind: &str, points: i64) -> EntrySums {
        let mut sums = EntrySums { scheme: scheme.to_owned(), kind: kind.to_owned(), credit: 0, debit: 0 };
        sums.add(points);
        sums
    }

    fn add(&mut self, points: i64) {
        self.credit = self.credit.saturating_add(points.max(0));
        self.debit = self.debit.saturating_sub(points.min(0));
    }
}

fn count(sum: i64) -> u64 {
    u64::try_from(sum).unwrap_or_default()
}

impl Store {
    /// Adds everything up.
    pub fn totals(&self) -> Result<Totals> {
        let sums = self.summed()?;
        let mut totals = Totals {
            runs_started: sums.of("started").map(|(_, _, sum)| count(sum)).sum(),
            last_success: sums.of("success").map(|(_, _, at)| at).next(),
            files: sums.by_two("files"),
            rows: sums.by_two("rows"),
            rejects_open: sums.of("rejects").map(|(feed, _, sum)| (feed.to_owned(), count(sum))).collect(),
            last_entry: sums.entry,
            ..Totals::default()
        };
        for (exit, _, runs) in sums.of("finished") {
            totals.runs_finished.push((exit.parse().context("an exit status is a number")?, count(runs)));
        }
        totals.runs_finished.sort_unstable();
        for hold in self.holds(Ended::Without)? {
            *totals.holds_open.entry(hold.kind).or_default() += 1;
        }
        let debits: BTreeMap<(&str, &str), i64> =
            sums.of("debit").map(|(scheme, kind, sum)| ((scheme, kind), sum)).collect();
        totals.moved = sums
            .of("credit")
            .map(|(scheme, kind, credit)| Moved {
                scheme: scheme.to_owned(),
                kind: kind.to_owned(),
                credit: Points(credit),
                debit: Points(debits.get(&(scheme, kind)).copied().unwrap_or_default()),
            })
            .collect();
        Ok(totals)
    }

    /// Keeps the sums as they are now, so that the next who asks adds only what is new.
    pub fn keep_sums(&mut self) -> Result<()> {
        self.whole(|store| {
            let sums = store.summed()?;
            store.connection.execute("DELETE FROM tally", [])?;
            let mut insert = store.connection.prepare_cached("INSERT INTO tally VALUES (?1, ?2, ?3, ?4)")?;
            for ((what, one, other), sum) in &sums.all {
                insert.execute((what, one, other, sum))?;
            }
            for (what, upto) in [("seq", sums.seq), ("entry", sums.entry)] {
                insert.execute(("upto", what, "", upto))?;
            }
            Ok(())
        })
        .context("cannot keep the sums of the store")
    }

    /// What is kept, and what is new since.
    fn summed(&self) -> Result<Sums> {
        let mut sums = self.kept_sums()?;
        let (seq, entry) = (self.journal_head()?.0, self.ledger_head()?.0);
        self.add_runs(&mut sums)?;
        self.add_files(&mut sums)?;
        self.add_rejects(&mut sums)?;
        self.add_entries(&mut sums)?;
        Ok(Sums { seq, entry, ..sums })
    }

    fn kept_sums(&self) -> Result<Sums> {
        let mut sums = Sums::default();
        let mut select = self.connection.prepare_cached("SELECT what, one, other, sum FROM tally")?;
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            let (key, sum): (Key, i64) = ((row.get(0)?, row.get(1)?, row.get(2)?), row.get(3)?);
            match (key.0.as_str(), key.1.as_str()) {
                ("upto", "seq") => sums.seq = sum,
                ("upto", "entry") => sums.entry = sum,
                _ => {
                    sums.all.insert(key, sum);
                }
            }
        }
        Ok(sums)
    }

    fn add_runs(&self, sums: &mut Sums) -> Result<()> {
        let mut select = self.connection.prepare_cached(
            "SELECT kind, at, coalesce(body ->> 'exit', ''), kind = 'run-finished' AND coalesce((SELECT started.body ->> 'fetch'
                 FROM journal AS started WHERE started.kind = 'run-started' AND started.run = journal.run), 0)
             FROM journal WHERE seq > ?1 AND kind IN ('run-started', 'run-finished') ORDER BY seq",
        )?;
        let mut rows = select.query([sums.seq])?;
        while let Some(row) = rows.next()? {
            if row.get_ref(0)?.as_str()? == "run-started" {
                sums.add("started", "", "", 1);
                continue;
            }
            let exit: i64 = row.get(2)?;
            sums.add("finished", &exit.to_string(), "", 1);
            if let (0 | 3, true) = (exit, row.get(3)?) {
                let at = DateTime::parse_from_rfc3339(row.get_ref(1)?.as_str()?)
                    .context("the instant of a run is none")?;
                sums.all.insert(("success".into(), String::new(), String::new()), at.timestamp());
            }
        }
        Ok(())
    }

    fn add_files(&self, sums: &mut Sums) -> Result<()> {
        let outcomes = OUTCOMES.map(|outcome| format!("sum({outcome})")).join(", ");
        let mut select = self.connection.prepare_cached(&format!(
            "SELECT feed, state, count(*), {outcomes} FROM file WHERE seq > ?1 GROUP BY feed, state"
        ))?;
        let mut rows = select.query([sums.seq])?;
        while let Some(row) = rows.next()? {
            let (feed, state): (String, String) = (row.get(0)?, row.get(1)?);
            sums.add("files", &feed, &state, row.get(2)?);
            for (at, outcome) in OUTCOMES.iter().enumerate() {
                sums.add("rows", &feed, outcome, row.get(3 + at)?);
            }
        }
        Ok(())
    }

    fn add_entries(&self, sums: &mut Sums) -> Result<()> {
        // added up here: to group them, SQLite would sort them all
        let mut select =
            self.connection.prepare_cached("SELECT scheme, kind, points FROM ledger WHERE entry > ?1")?;
        let mut rows = select.query([sums.entry])?;
        let mut wallets: Vec<EntrySums> = Vec::new();
        while let Some(row) = rows.next()? {
            let (scheme, kind) = (row.get_ref(0)?.as_str()?, row.get_ref(1)?.as_str()?);
            let known = wallets.iter_mut().find(|sums| sums.kind == kind && sums.scheme == scheme);
            match known {
                Some(sums) => sums.add(row.get(2)?),
                None => wallets.push(EntrySums::of(scheme, kind, row.get(2)?)),
            }
        }
        for EntrySums { scheme, kind, credit, debit } in wallets {
            sums.add("credit", &scheme, &kind, credit);
            sums.add("debit", &scheme, &kind, debit);
        }
        Ok(())
    }

    /// Rejects that wait, of the files that came since, or fell silent, or of which a reject was closed: what waits of each now, less
    /// what waited then.
    fn add_rejects(&self, sums: &mut Sums) -> Result<()> {
        let waits = |upto: &str| {
            format!(
                "file.rejected - (SELECT count(*) FROM reject JOIN reject_closed USING (id) WHERE reject.seq = file.seq AND by <= {upto})"
            )
        };
        let mut select = self.connection.prepare_cached(&format!(
            "WITH moved (seq) AS (
                 SELECT seq FROM file WHERE seq > ?1
                 UNION SELECT reject.seq FROM reject_closed JOIN reject USING (id) WHERE reject_closed.by > ?1
                 UNION SELECT seq FROM silenced WHERE by > ?1)
             SELECT file.feed, sum(
                 CASE WHEN NOT {now_speaks} THEN 0 ELSE {now} END
                 - CASE WHEN file.seq > ?1 OR NOT {then_spoke} THEN 0 ELSE {then} END)
             FROM moved JOIN file USING (seq) WHERE file.state = ?2 AND file.rejected > 0 GROUP BY file.feed",
            now_speaks = speaks("file.seq", "9223372036854775807"),
            now = waits("9223372036854775807"),
            then_spoke = speaks("file.seq", "?1"),
            then = waits("?1"),
        ))?;
        let mut rows = select.query((sums.seq, FileState::Ingested.word()))?;
        while let Some(row) = rows.next()? {
            sums.add("rejects", row.get_ref(0)?.as_str()?, "", row.get(1)?);
        }
        Ok(())
    }
}

/// What was measured of the last run: told outside with the sums, and part of nothing that is worked out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Measured {
    /// number of the run; `None` where it did not come as far as having one
    pub run: Option<i64>,
    /// seconds since the epoch
    pub start: i64,
    /// exit status
    pub exit: u8,
    /// microseconds, by what they were spent on; the whole under the empty word
    pub micros: BTreeMap<String, i64>,
}

impl Store {
    /// Keeps what was measured of the last run.
    pub fn keep_measured(&mut self, measured: &Measured) -> Result<()> {
        self.whole(|store| {
            store.connection.execute("DELETE FROM measured", [])?;
            let mut insert = store.connection.prepare_cached("INSERT INTO measured VALUES (?1, ?2, ?3)")?;
            let Measured { run, start, exit, micros } = measured;
            for (what, value) in [("run", *run), ("start", Some(*start)), ("exit", Some(i64::from(*exit)))] {
                if let Some(value) = value {
                    insert.execute((what, "", value))?;
                }
            }
            for (spent_on, micros) in micros {
                insert.execute(("micros", spent_on, micros))?;
            }
            Ok(())
        })
        .context("cannot keep what was measured of the run")
    }

    /// What was measured of the last run; `None` before the first.
    pub fn measured(&self) -> Result<Option<Measured>> {
        let mut select = self.connection.prepare_cached("SELECT what, part, value FROM measured")?;
        let mut rows = select.query([])?;
        let (mut run, mut start, mut exit, mut micros) = (None, None, None, BTreeMap::new());
        while let Some(row) = rows.next()? {
            let value: i64 = row.get(2)?;
            match row.get_ref(0)?.as_str()? {
                "run" => run = Some(value),
                "start" => start = Some(value),
                "exit" => exit = u8::try_from(value).ok(),
                "micros" => drop(micros.insert(row.get(1)?, value)),
                _ => {}
            }
        }
        let known = start.zip(exit);
        Ok(known.map(|(start, exit)| Measured { run, start, exit, micros }))
    }
}
