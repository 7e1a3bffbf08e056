//! A person's word on held versions of lines.

use super::Store;
use super::holds::HoldState;
use super::silence::rank;
use crate::facts::settle::{Decision, Verdict};
use anyhow::Result;

impl Store {
    pub(super) fn insert_decision(
        &self,
        at: i64,
        seq: i64,
        file_line: u64,
        partner: &str,
        state: HoldState,
    ) -> Result<()> {
        let verdict = match state {
            HoldState::Released => "release",
            HoldState::Open | HoldState::Discarded | HoldState::Gone | HoldState::Done => "discard",
        };
        self.connection.execute(
            "INSERT INTO decision VALUES (?1, ?2, ?3, ?4, ?5)",
            (at, seq, file_line, partner, verdict),
        )?;
        Ok(())
    }

    /// Decisions on held versions of a partner, as they stood at journal sequence `upto` where given.
    pub(super) fn decisions(&self, partner: &str, upto: Option<i64>) -> Result<Vec<Decision>> {
        let mut select = self.connection.prepare_cached(&format!(
            "SELECT at, {}, file_line, verdict FROM decision WHERE partner = ?1 AND at <= ?2 ORDER BY at",
            rank("decision.seq")
        ))?;
        let rows = select.query_map((partner, upto.unwrap_or(i64::MAX)), |row| {
            let release = row.get_ref(3)?.as_str()? == "release";
            Ok(Decision {
                at: row.get(0)?,
                rank: row.get(1)?,
                file_line: row.get(2)?,
                verdict: if release { Verdict::Release } else { Verdict::Discard },
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}
