//! Which partners an item concerns: those with lines of its SKU, told by a small sketch of the SKUs of each.

use super::Store;
use crate::facts::sketch::may_have;
use anyhow::{Context, Result};

/// More items than this concern everybody.
pub(super) const FEW: usize = 1_000;

impl Store {
    /// Remembers the SKUs of a partner's lines.
    pub fn note_skus(&self, partner: &str, sketch: &[u8]) -> Result<()> {
        self.connection
            .prepare_cached(
                "INSERT INTO sku_sketch VALUES (?1, ?2) ON CONFLICT (partner) DO UPDATE SET skus = excluded.skus
                 WHERE skus <> excluded.skus",
            )?
            .execute((partner, sketch))
            .context("cannot note the SKUs of a partner")?;
        Ok(())
    }

    /// Marks whoever may have lines of these SKUs.
    pub(super) fn mark_sellers_stale(&self, skus: &[String]) -> Result<()> {
        if skus.is_empty() {
            return Ok(());
        }
        let mut sellers: Vec<String> = Vec::new();
        {
            let mut select = self.connection.prepare_cached("SELECT partner, skus FROM sku_sketch")?;
            let mut rows = select.query([])?;
            while let Some(row) = rows.next()? {
                let sketch = row.get_ref(1)?.as_blob()?;
                if skus.len() > FEW || skus.iter().any(|sku| may_have(sketch, sku)) {
                    sellers.push(row.get(0)?);
                }
            }
        }
        sellers.iter().try_for_each(|partner| self.mark_stale(partner))
    }

    /// Marks whoever may have lines of the items of a file, since it falls silent.
    pub(super) fn mark_itemised_by(&self, seq: i64) -> Result<()> {
        let skus: Vec<String> = {
            let mut select =
                self.connection.prepare_cached("SELECT DISTINCT sku FROM item_record WHERE seq = ?1")?;
            let rows = select.query_map([seq], |row| row.get(0))?;
            rows.collect::<rusqlite::Result<_>>()?
        };
        self.mark_sellers_stale(&skus)
    }
}
