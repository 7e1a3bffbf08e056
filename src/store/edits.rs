//! What a scheme file that was edited in place would change in closed cycles, partner by partner: worked out while partners are
//! evaluated, and kept so that only those whose facts move are weighed again.

use super::Store;
use anyhow::{Context, Result};

/// What it would change in one cycle, all partners together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EditChange {
    /// who would have other points
    pub partners: u64,
    /// millionths that they would have more
    pub points: i64,
}

impl Store {
    /// Everybody is weighed anew.
    pub fn forget_edits(&self, scheme: &str) -> Result<()> {
        self.connection.prepare_cached("DELETE FROM edit_difference WHERE scheme = ?1")?.execute([scheme])?;
        Ok(())
    }

    /// Keeps what one partner would have more, by cycle, instead of what was kept of it before.
    pub fn keep_edits(&self, scheme: &str, partner: &str, differences: &[(i32, i64)]) -> Result<()> {
        self.connection
            .prepare_cached("DELETE FROM edit_difference WHERE scheme = ?1 AND partner = ?2")?
            .execute((scheme, partner))?;
        for (cycle, points) in differences {
            self.connection
                .prepare_cached("INSERT INTO edit_difference VALUES (?1, ?2, ?3, ?4)")?
                .execute((scheme, partner, cycle, points))
                .context("cannot keep what an edited scheme would change")?;
        }
        Ok(())
    }

    /// What all partners would have more in a cycle.
    pub fn edit_change(&self, scheme: &str, cycle: i32) -> Result<EditChange> {
        Ok(self
            .connection
            .prepare_cached(
                "SELECT count(*), coalesce(sum(points), 0) FROM edit_difference WHERE scheme = ?1 AND cycle = ?2",
            )?
            .query_row((scheme, cycle), |row| {
                Ok(EditChange { partners: row.get(0)?, points: row.get(1)? })
            })?)
    }
}
