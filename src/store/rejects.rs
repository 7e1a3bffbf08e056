//! Rejects: kept for ever with their line, text and reason; open until their line is accepted later, their file falls silent, or
//! a person discards them (interfaces.md 3).
//!
//! Answers for: which are open, what closes them. Does not: understand rows.

use super::Store;
use super::files::FileState;
use super::journal::Stamp;
use crate::facts::bundle;
use crate::facts::settle::NumberScope;
use anyhow::{Context, Result, anyhow};
use serde_json::json;

/// SQL: a reject that waits. The files of `reject` stand in `file`.
const OPEN: &str =
    "file.state = 'ingested' AND NOT EXISTS (SELECT 1 FROM silenced WHERE silenced.seq = file.seq)
     AND NOT EXISTS (SELECT 1 FROM reject_closed WHERE reject_closed.id = reject.id)";

/// The line that a rejected row speaks of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimed {
    /// number of who issued the document number
    pub issuer: i64,
    /// the document's number
    pub number: String,
    /// empty where the row has none
    pub line_no: String,
}

impl Store {
    /// Rejects of a file that wait.
    pub fn open_rejects(&self, seq: i64) -> Result<u64> {
        Ok(self
            .connection
            .prepare_cached(&format!(
                "SELECT count(*) FROM reject JOIN file USING (seq) WHERE reject.seq = ?1 AND {OPEN}"
            ))?
            .query_row([seq], |row| row.get(0))?)
    }

    /// Closes the rejects of other files whose line is among the rows of the file `seq`. Part of its transaction.
    pub(super) fn close_accepted(&self, seq: i64, space: i64, scope: NumberScope) -> Result<()> {
        let mut select = self.connection.prepare_cached(&format!(
            "SELECT reject.id, reject.issuer, reject.number, reject.line_no, issuer.distributor
             FROM reject JOIN file USING (seq) JOIN issuer ON issuer.id = reject.issuer
             WHERE issuer.space = ?1 AND reject.seq <> ?2 AND {OPEN} ORDER BY reject.id"
        ))?;
        let mut rows = select.query((space, seq))?;
        while let Some(row) = rows.next()? {
            let claimed = Claimed { issuer: row.get(1)?, number: row.get(2)?, line_no: row.get(3)? };
            if self.says(seq, scope, &claimed, row.get_ref(4)?.as_str()?)? {
                self.close_reject(row.get(0)?, seq, "accepted")?;
            }
        }
        Ok(())
    }

    /// Closes the rejects of earlier files of the same name that cannot be told by their line, once it comes without any.
    pub(super) fn close_unclaimed(&self, seq: i64, feed: &str, name: &str) -> Result<()> {
        self.connection.prepare_cached(&format!(
            "INSERT INTO reject_closed SELECT reject.id, ?1, 'accepted' FROM reject JOIN file USING (seq)
             WHERE file.feed = ?2 AND file.name = ?3 AND file.seq < ?1 AND reject.number IS NULL AND {OPEN} ORDER BY reject.id"
        ))?
        .execute((seq, feed, name))
        .context("cannot close rejects")?;
        Ok(())
    }

    fn says(&self, seq: i64, scope: NumberScope, claimed: &Claimed, distributor: &str) -> Result<bool> {
        for partner in self.parties(claimed.issuer, &claimed.number)? {
            let mut select = self
                .connection
                .prepare_cached("SELECT body FROM bundle WHERE partner = ?1 AND seq = ?2 ORDER BY chunk")?;
            let mut bodies = select.query((&partner, seq))?;
            while let Some(row) = bodies.next()? {
                let mut found = false;
                bundle::decode_each(&partner, row.get_ref(0)?.as_blob()?, |said| {
                    found |= said.invoice_no == claimed.number
                        && said.line_no == claimed.line_no
                        && scope.issuer(said.distributor_code) == distributor;
                })
                .map_err(|fault| anyhow!("the facts of partner {partner} cannot be read: {}", fault.0))?;
                if found {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    fn close_reject(&self, id: i64, by: i64, how: &str) -> Result<()> {
        self.connection
            .prepare_cached("INSERT INTO reject_closed VALUES (?1, ?2, ?3)")?
            .execute((id, by, how))
            .context("cannot close a reject")?;
        Ok(())
    }

    /// A person's word that open rejects of a file (or of one line of it) need not be mended; how many there were. Journalled
    /// where there were any.
    pub fn discard_rejects(
        &mut self,
        stamp: &Stamp,
        seq: i64,
        line: Option<u64>,
        reason: &str,
    ) -> Result<usize> {
        self.whole(|store| {
            let open: Vec<i64> = {
                let mut select = store.connection.prepare_cached(&format!(
                    "SELECT reject.id FROM reject JOIN file USING (seq)
                     WHERE reject.seq = ?1 AND (?2 IS NULL OR reject.line = ?2) AND {OPEN} ORDER BY reject.id"
                ))?;
                let rows = select.query_map((seq, line), |row| row.get(0))?;
                rows.collect::<rusqlite::Result<_>>()?
            };
            if open.is_empty() {
                return Ok(0);
            }
            let body = json!({ "file": seq, "line": line, "rows": open.len(), "reason": reason });
            let at = store.append(stamp, "rejects-discarded", &body)?;
            for &id in &open {
                store.close_reject(id, at, "discarded")?;
            }
            Ok(open.len())
        })
    }

    /// A person's word that a file that was refused whole need not come again; `false` where it was not refused, or somebody has
    /// said so before. Journalled.
    pub fn discard_refusal(&mut self, stamp: &Stamp, seq: i64, reason: &str) -> Result<bool> {
        self.whole(|store| {
            let refused = store.file(seq)?.is_some_and(|file| file.state == FileState::Refused);
            if !refused || store.is_discarded(seq)? {
                return Ok(false);
            }
            store.append(stamp, "refusal-discarded", &json!({ "file": seq, "reason": reason }))?;
            Ok(true)
        })
    }

    /// Whether a person has said that of a refused file.
    pub fn is_discarded(&self, seq: i64) -> Result<bool> {
        Ok(self
            .connection
            .prepare_cached(
                "SELECT EXISTS (SELECT 1 FROM journal WHERE kind = 'refusal-discarded' AND body ->> 'file' = ?1)",
            )?
            .query_row([seq], |row| row.get(0))?)
    }
}
