//! Holds: what waits for a person. Opened when there is cause, ended by a person or when the cause is gone.

use super::Store;
use super::journal::Stamp;
use crate::domain::points::Points;
use anyhow::{Context, Result, bail};
use rusqlite::{OptionalExtension, Row};
use rust_decimal::Decimal;
use serde_json::json;

/// A hold to be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewHold {
    /// `identity_conflict`, `rows_vanished`, `same_file_other_feed`, `scheme_edited`, `cycle_locked`, `over_limit`, `other_version`, `future_date`, ...
    pub kind: &'static str,
    /// names it uniquely among its kind
    pub subject: String,
    /// scheme id, or empty
    pub scheme: String,
    /// cycle name, or empty
    pub cycle: String,
    /// partner code, or empty
    pub partner: String,
    /// journal sequence of the file
    pub file: Option<i64>,
    /// line in it
    pub line: Option<u64>,
    /// how many lines wait
    pub lines: u64,
    /// money at stake
    pub amount: Decimal,
    /// millionths of points at stake
    pub points: i64,
    /// what it is, in words
    pub detail: String,
}

/// Where a hold stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HoldState {
    /// waits
    Open,
    /// a person let it count; the next run carries it out
    Released,
    /// a person decided that it never counts
    Discarded,
    /// its cause is gone
    Gone,
    /// released, and carried out
    Done,
}

impl HoldState {
    /// the word in the store
    pub fn word(self) -> &'static str {
        match self {
            HoldState::Open => "open",
            HoldState::Released => "released",
            HoldState::Discarded => "discarded",
            HoldState::Gone => "gone",
            HoldState::Done => "done",
        }
    }

    fn from_word(word: &str) -> HoldState {
        match word {
            "released" => HoldState::Released,
            "discarded" => HoldState::Discarded,
            "gone" => HoldState::Gone,
            "done" => HoldState::Done,
            _ => HoldState::Open,
        }
    }
}

/// A hold in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// what a person names it by
    pub id: i64,
    /// see [`NewHold`]
    pub kind: String,
    /// see [`NewHold`]
    pub subject: String,
    /// scheme id, or empty
    pub scheme: String,
    /// cycle name, or empty
    pub cycle: String,
    /// partner code, or empty
    pub partner: String,
    /// journal sequence of the file
    pub file: Option<i64>,
    /// line in it
    pub line: Option<u64>,
    /// how many lines wait
    pub lines: u64,
    /// money at stake
    pub amount: Decimal,
    /// points at stake
    pub points: Points,
    /// what it is, in words
    pub detail: String,
    /// journal sequence at which it was opened
    pub opened: i64,
    /// where it stands
    pub state: HoldState,
}

fn hold(row: &Row<'_>) -> rusqlite::Result<Hold> {
    Ok(Hold {
        id: row.get(0)?,
        kind: row.get(1)?,
        subject: row.get(2)?,
        scheme: row.get(3)?,
        cycle: row.get(4)?,
        partner: row.get(5)?,
        file: row.get(6)?,
        line: row.get(7)?,
        lines: row.get(8)?,
        amount: row.get_ref(9)?.as_str()?.parse().unwrap_or_default(),
        points: Points(row.get(10)?),
        detail: row.get(11)?,
        opened: row.get(12)?,
        state: HoldState::from_word(row.get_ref(13)?.as_str()?),
    })
}

const COLUMNS: &str =
    "id, kind, subject, scheme, cycle, partner, file, line, lines, amount, points, detail, opened, state";

impl Hold {
    /// The scheme and cycle (by its first month) of a hold on a partner's position.
    fn position(&self) -> Option<(&str, i32)> {
        let mut parts = self.subject.splitn(3, '|');
        let (scheme, cycle, partner) = (parts.next()?, parts.next()?, parts.next()?);
        (partner == self.partner).then_some((scheme, cycle.parse().ok()?))
    }
}

/// What a person said about a hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// instant
    pub at: String,
    /// the operating system's name of the user
    pub actor: String,
    /// why
    pub reason: String,
}

/// Whether opening a hold found it open already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opened {
    /// a person has not seen it yet
    New,
    /// it waited before; what is at stake was brought up to date
    Known,
}

impl Store {
    /// Opens a hold, or brings what is at stake in it up to date.
    pub fn open_hold(&self, seq: i64, new: &NewHold) -> Result<Opened> {
        let known = self
            .connection
            .prepare_cached(
                "UPDATE hold SET lines = ?3, amount = ?4, points = ?5, detail = ?6 WHERE kind = ?1 AND subject = ?2 AND state = 'open'",
            )?
            .execute((new.kind, &new.subject, new.lines, new.amount.normalize().to_string(), new.points, &new.detail))
            .context("cannot bring a hold up to date")?;
        if known > 0 {
            return Ok(Opened::Known);
        }
        self.connection
            .prepare_cached(
                "INSERT INTO hold (kind, subject, scheme, cycle, partner, file, line, lines, amount, points, detail, opened, state)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, 'open')",
            )?
            .execute(rusqlite::params![
                new.kind,
                new.subject,
                new.scheme,
                new.cycle,
                new.partner,
                new.file,
                new.line,
                new.lines,
                new.amount.normalize().to_string(),
                new.points,
                new.detail,
                seq,
            ])
            .context("cannot open a hold")?;
        Ok(Opened::New)
    }

    /// Every hold that waits, oldest first; ended ones too on request.
    pub fn holds(&self, ended: Ended) -> Result<Vec<Hold>> {
        let filter = match ended {
            Ended::Without => "WHERE state = 'open'",
            Ended::With => "",
        };
        let mut select =
            self.connection.prepare(&format!("SELECT {COLUMNS} FROM hold {filter} ORDER BY id"))?;
        let rows = select.query_map([], hold)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// One hold.
    pub fn hold(&self, id: i64) -> Result<Option<Hold>> {
        Ok(self
            .connection
            .query_row(&format!("SELECT {COLUMNS} FROM hold WHERE id = ?1"), [id], hold)
            .optional()?)
    }

    /// A person's word on a hold: when, who and why; `None` where nobody has said any.
    pub fn word_on(&self, id: i64) -> Result<Option<Word>> {
        Ok(self
            .connection
            .prepare_cached(
                "SELECT at, actor, coalesce(body ->> 'reason', '') FROM journal
                 WHERE kind = 'decision' AND body ->> 'hold' = ?1 ORDER BY seq DESC LIMIT 1",
            )?
            .query_row([id], |row| Ok(Word { at: row.get(0)?, actor: row.get(1)?, reason: row.get(2)? }))
            .optional()?)
    }

    /// The last hold of a kind on a subject, whatever its state.
    pub fn last_hold(&self, kind: &str, subject: &str) -> Result<Option<Hold>> {
        Ok(self
            .connection
            .prepare_cached(&format!(
                "SELECT {COLUMNS} FROM hold WHERE kind = ?1 AND subject = ?2 ORDER BY id DESC LIMIT 1"
            ))?
            .query_row((kind, subject), hold)
            .optional()?)
    }

    /// Open holds of one partner, of kinds that evaluation opens and closes by itself.
    pub fn open_holds_of(&self, scheme: &str, partner: &str) -> Result<Vec<Hold>> {
        let mut select = self.connection.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM hold WHERE partner = ?2 AND state = 'open' AND scheme = ?1"
        ))?;
        let rows = select.query_map((scheme, partner), hold)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// The holds of a kind on rows of one file that wait, in order of their lines.
    pub fn holds_on_rows(&self, kind: &'static str, file: i64) -> Result<Vec<NewHold>> {
        let mut select = self.connection.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM hold WHERE kind = ?1 AND subject >= ?2 AND subject < ?3 AND state = 'open' ORDER BY line"
        ))?;
        let rows = select.query_map((kind, format!("{file}:"), format!("{file};")), hold)?;
        let new = |hold: Hold| NewHold {
            kind,
            subject: hold.subject,
            scheme: hold.scheme,
            cycle: hold.cycle,
            partner: hold.partner,
            file: hold.file,
            line: hold.line,
            lines: hold.lines,
            amount: hold.amount,
            points: hold.points.0,
            detail: hold.detail,
        };
        rows.map(|row| Ok(new(row?))).collect()
    }

    /// Every hold on what is to be posted for one partner and cycle, oldest first.
    pub fn holds_of_cycle(&self, scheme: &str, cycle: &str, partner: &str) -> Result<Vec<Hold>> {
        let mut select = self.connection.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM hold WHERE partner = ?3 AND scheme = ?1 AND cycle = ?2 AND kind IN ('over_limit', 'cycle_locked', 'other_version') ORDER BY id"
        ))?;
        let rows = select.query_map((scheme, cycle, partner), hold)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Holds of a kind that stand so, oldest first: released are those that no run has carried out yet.
    pub fn holds_of_kind(&self, kind: &str, state: HoldState) -> Result<Vec<Hold>> {
        let mut select = self.connection.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM hold WHERE kind = ?1 AND state = ?2 ORDER BY id"
        ))?;
        let rows = select.query_map((kind, state.word()), hold)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Whether any hold is open.
    pub fn has_open_holds(&self) -> Result<bool> {
        Ok(self.connection.query_row(
            "SELECT EXISTS (SELECT 1 FROM hold WHERE state = 'open')",
            [],
            |row| row.get(0),
        )?)
    }

    /// Ends a hold.
    pub fn end_hold(&self, id: i64, state: HoldState, seq: i64) -> Result<()> {
        self.connection.prepare_cached("UPDATE hold SET state = ?2, ended = ?3 WHERE id = ?1")?.execute((
            id,
            state.word(),
            seq,
        ))?;
        Ok(())
    }

    /// Ends every open hold of a kind whose subject begins so.
    pub fn end_holds(&self, kind: &str, subject: &str, state: HoldState, seq: i64) -> Result<()> {
        self.connection.execute(
            "UPDATE hold SET state = ?3, ended = ?4 WHERE kind = ?1 AND state = 'open' AND substr(subject, 1, length(?2)) = ?2",
            (kind, subject, state.word(), seq),
        )?;
        Ok(())
    }

    /// Points of a subject that persons have released so far, in millionths.
    pub fn released_points(&self, kind: &str, subject: &str) -> Result<i64> {
        Ok(self
            .connection
            .prepare_cached(
                "SELECT coalesce(sum(points), 0) FROM hold WHERE kind = ?1 AND subject = ?2 AND state IN ('released', 'done')",
            )?
            .query_row((kind, subject), |row| row.get(0))?)
    }

    /// The same as persons had decided when the journal record `upto` was the last.
    pub fn released_points_upto(&self, kind: &str, subject: &str, upto: i64) -> Result<i64> {
        Ok(self
            .connection
            .prepare_cached(
                "SELECT coalesce(sum(points), 0) FROM hold WHERE kind = ?1 AND subject = ?2 AND state IN ('released', 'done')
                 AND EXISTS (SELECT 1 FROM journal WHERE journal.kind = 'decision' AND seq <= ?3 AND body ->> 'hold' = hold.id)",
            )?
            .query_row((kind, subject, upto), |row| row.get(0))?)
    }

    /// The hold of a kind on a subject that a person has released and no run has carried out yet.
    pub fn released_hold(&self, kind: &str, subject: &str) -> Result<Option<Hold>> {
        Ok(self
            .connection
            .prepare_cached(&format!(
                "SELECT {COLUMNS} FROM hold WHERE kind = ?1 AND subject = ?2 AND state = 'released' ORDER BY id LIMIT 1"
            ))?
            .query_row((kind, subject), hold)
            .optional()?)
    }

    /// Whether there ever was a hold of a kind.
    pub fn has_holds(&self, kind: &str) -> Result<bool> {
        Ok(self
            .connection
            .prepare_cached("SELECT EXISTS (SELECT 1 FROM hold WHERE kind = ?1)")?
            .query_row([kind], |row| row.get(0))?)
    }

    /// What the last hold of a kind on a subject kept from being posted when the journal record `upto` was the last.
    pub fn held_points_upto(&self, kind: &str, subject: &str, upto: i64) -> Result<Points> {
        let points = self
            .connection
            .prepare_cached(
                "SELECT CASE WHEN state = 'gone' AND ended <= ?3 OR state IN ('released', 'done') AND EXISTS (SELECT 1 FROM journal
                   WHERE journal.kind = 'decision' AND seq <= ?3 AND body ->> 'hold' = hold.id) THEN 0 ELSE points END
                 FROM hold WHERE kind = ?1 AND subject = ?2 AND opened <= ?3 ORDER BY id DESC LIMIT 1",
            )?
            .query_row((kind, subject, upto), |row| row.get(0))
            .optional()?;
        Ok(Points(points.unwrap_or(0)))
    }

    /// Gives a hold the number that the journal calls it by, where a replay has opened holds in another order.
    pub fn renumber_hold(&self, from: i64, to: i64) -> Result<()> {
        if from == to {
            return Ok(());
        }
        let free: i64 =
            self.connection.query_row("SELECT max(max(id), ?1) + 1 FROM hold", [to], |row| row.get(0))?;
        for (from, to) in [(to, free), (from, to)] {
            self.connection.execute("UPDATE hold SET id = ?2 WHERE id = ?1", (from, to))?;
        }
        Ok(())
    }

    /// A person's word on a hold: journalled with who and why; what it concerns is evaluated again by the next run.
    pub fn decide_hold(&mut self, stamp: &Stamp, id: i64, state: HoldState, reason: &str) -> Result<Hold> {
        self.whole(|store| {
            let Some(hold) = store.hold(id)? else {
                bail!("there is no hold {id}: `accrued holds` lists what waits");
            };
            if hold.state != HoldState::Open {
                match hold.state {
                    HoldState::Gone => bail!("hold {id} has ended by itself, since its cause is gone: nothing to do"),
                    HoldState::Open | HoldState::Released | HoldState::Discarded | HoldState::Done => {
                        bail!("hold {id} is {} already: nothing to do", hold.state.word())
                    }
                }
            }
            let body = json!({
                "hold": id, "kind": hold.kind, "subject": hold.subject, "decision": state.word(), "reason": reason,
            });
            let at = store.append(stamp, "decision", &body)?;
            store.end_hold(id, state, at)?;
            if let (Some(seq), Some(file_line)) = (hold.file, hold.line) {
                store.insert_decision(at, seq, file_line, &hold.partner, state)?;
            }
            if let (super::EVENT_CONFLICT, Some(seq), Some(file_line)) =
                (hold.kind.as_str(), hold.file, hold.line)
            {
                store.mark_payers_stale(seq, file_line)?;
            }
            if let Some((scheme, cycle)) = hold.position() {
                store.unsettle(scheme, cycle, &hold.partner)?;
            }
            if !hold.partner.is_empty() {
                store.mark_stale(&hold.partner)?;
                store.mark_linked_stale(&hold.partner)?;
                store.spread_stale()?;
            }
            Ok(hold)
        })
    }
}

/// Whether ended holds are listed too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// only what waits
    Without,
    /// all there ever were
    With,
}
