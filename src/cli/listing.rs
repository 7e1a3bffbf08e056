//! A listing of any length: every row in csv and json, for people the columns that fit a screen and a bounded number of rows.

use super::output::{Column, Format, Table};
use super::session::Session;
use anyhow::Result;

/// Most rows that people are shown.
const ROWS: u64 = 1_000;

/// Rows on their way to stdout.
pub(super) struct Listing {
    table: Table,
    /// which columns are printed; `None`: all
    shown: Option<Vec<usize>>,
    /// most rows
    limit: u64,
    rows: u64,
}

impl Listing {
    /// Begins a listing; people are shown the columns that are named in `for_people`.
    pub(super) fn begin(
        session: &Session,
        command: &'static str,
        columns: &[Column],
        for_people: &[&str],
    ) -> Result<Listing> {
        let (shown, limit) = match session.format() {
            Format::Csv | Format::Json => (None, u64::MAX),
            Format::Table => {
                let named =
                    |(index, column): (usize, &Column)| for_people.contains(&column.name()).then_some(index);
                (Some(columns.iter().enumerate().filter_map(named).collect::<Vec<_>>()), ROWS)
            }
        };
        let printed: Vec<Column> = match &shown {
            None => columns.to_vec(),
            Some(shown) => shown.iter().filter_map(|index| columns.get(*index)).copied().collect(),
        };
        Ok(Listing { table: session.table(command, &printed)?, shown, limit, rows: 0 })
    }

    /// A row: a cell for each column.
    pub(super) fn row<C: AsRef<str>>(&mut self, cells: &[C]) -> Result<()> {
        self.rows += 1;
        if self.rows > self.limit {
            return Ok(());
        }
        match &self.shown {
            None => self.table.row(cells),
            Some(shown) => {
                let cells: Vec<&str> =
                    shown.iter().filter_map(|index| cells.get(*index)).map(AsRef::as_ref).collect();
                self.table.row(&cells)
            }
        }
    }

    /// Ends the listing, and says what was not shown; how many rows there are.
    pub(super) fn end(self, session: &Session) -> Result<u64> {
        self.table.end()?;
        if self.rows > self.limit {
            session.say(format_args!(
                "the first {} of {} rows; --format csv prints all of them, with every column",
                self.limit, self.rows
            ));
        }
        Ok(self.rows)
    }
}
