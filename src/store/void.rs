//! What a replacing file of master data would take away: codes, SKUs and rates of which nobody says anything any more.

use super::Store;
use super::files::Arrival;
use super::silence::speaks;
use anyhow::Result;
use rust_decimal::Decimal;

impl Store {
    /// Why a file is held whose records are written, where more than `most` percent of what the files it replaces had is
    /// said by no file that speaks.
    pub(super) fn too_many_records_void(&self, arrival: &Arrival, most: Decimal) -> Result<Option<String>> {
        let (mut void, mut carried) = (0_u64, 0_u64);
        for (table, same) in [
            ("partner_record", "now.code = was.code"),
            ("item_record", "now.sku = was.sku"),
            ("fx_rate", "now.from_code = was.from_code AND now.to_code = was.to_code AND now.day = was.day"),
        ] {
            for file in &arrival.silences {
                let (gone, all): (u64, u64) = self
                    .connection
                    .prepare_cached(&format!(
                        "SELECT coalesce(sum(NOT EXISTS (SELECT 1 FROM {table} AS now WHERE {same} AND {})), 0), count(*)
                         FROM {table} AS was WHERE was.seq = ?1",
                        speaks("now.seq", "?2")
                    ))?
                    .query_row((file, i64::MAX), |row| Ok((row.get(0)?, row.get(1)?)))?;
                void += gone;
                carried += all;
            }
        }
        let (part, whole) = (Decimal::from(void), Decimal::from(carried));
        let over = part.saturating_mul(Decimal::ONE_HUNDRED) > whole.saturating_mul(most);
        Ok(over.then(|| {
            let percent = part.saturating_mul(Decimal::ONE_HUNDRED).checked_div(whole).unwrap_or_default();
            format!(
                "it would void {void} of {carried} records ({}%) of its period, more than max_void_percent = \"{most}\" allows: \
                 release it if they are meant to go",
                percent.round_dp(2).normalize()
            )
        }))
    }
}
