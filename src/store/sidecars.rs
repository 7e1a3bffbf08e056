//! Control totals that came beside files: which bytes they were.

use super::Store;
use super::files::Sidecar;
use anyhow::{Context, Result};

impl Store {
    pub(super) fn keep_sidecar(&self, seq: i64, sidecar: &Sidecar) -> Result<()> {
        self.connection
            .prepare_cached("INSERT INTO sidecar VALUES (?1, ?2, ?3, ?4, ?5)")?
            .execute((seq, &sidecar.name, sidecar.size, sidecar.mtime, &sidecar.sha256))
            .context("cannot record the control totals of a file")?;
        Ok(())
    }

    /// Whether a file that was set aside or refused has got other control totals beside it since, so that it is to be looked at again.
    pub fn has_other_totals(
        &self,
        feed: &str,
        (name, size, mtime): (&str, u64, Option<i64>),
        (totals_size, totals_mtime): (u64, Option<i64>),
    ) -> Result<bool> {
        Ok(self
            .connection
            .prepare_cached(
                "SELECT coalesce((SELECT (state IN ('held', 'refused') OR reason = 'held_before')
                     AND (sidecar.size, sidecar.mtime) IS NOT (?5, ?6)
                 FROM file LEFT JOIN sidecar USING (seq)
                 WHERE feed = ?1 AND file.name = ?2 AND file.size = ?3 AND file.mtime IS ?4 ORDER BY seq DESC LIMIT 1), 0)",
            )?
            .query_row((feed, name, size, mtime, totals_size, totals_mtime), |row| row.get(0))?)
    }
}
