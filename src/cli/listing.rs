//! A listing of any length: every row and column in csv and json; for people the columns that fit a screen, whole numbers and
//! words, and a bounded number of rows.

use super::aligned::{Side, titled};
use super::output::{Column, Format, Table, grouped, printable};
use super::session::Session;
use anyhow::Result;
use std::io::Write;

/// Most rows that people are shown.
const ROWS: u64 = 1_000;

/// A column that people are shown: its name, and what they call it.
pub(super) type Titled = (&'static str, &'static str);

/// Rows on their way to stdout.
pub(super) struct Listing {
    sink: Sink,
    rows: u64,
}

enum Sink {
    /// row by row
    All(Box<Table>),
    /// kept until the end
    People(People),
}

struct People {
    /// place of the column, and how it is shown
    columns: Vec<(usize, &'static str, Side)>,
    rows: Vec<Vec<String>>,
}

impl Listing {
    /// Begins a listing; people are shown the columns in `for_people`, in that order.
    pub(super) fn begin(
        session: &Session,
        command: &'static str,
        columns: &[Column],
        for_people: &[Titled],
    ) -> Result<Listing> {
        let sink = match session.format() {
            Format::Csv | Format::Json => Sink::All(Box::new(session.table(command, columns)?)),
            Format::Table => {
                let shown = |(name, title): &Titled| {
                    let place = columns.iter().position(|column| column.name() == *name)?;
                    let side = if columns[place].is_number() { Side::Right } else { Side::Left };
                    Some((place, *title, side))
                };
                let columns = for_people.iter().filter_map(shown).collect();
                Sink::People(People { columns, rows: Vec::new() })
            }
        };
        Ok(Listing { sink, rows: 0 })
    }

    /// A row: a cell for each column.
    pub(super) fn row<C: AsRef<str>>(&mut self, cells: &[C]) -> Result<()> {
        self.rows += 1;
        match &mut self.sink {
            Sink::All(table) => table.row(cells),
            Sink::People(_) if self.rows > ROWS => Ok(()),
            Sink::People(people) => {
                let shown = |(place, _, side): &(usize, &str, Side)| {
                    let cell = cells.get(*place).map_or("", AsRef::as_ref);
                    match side {
                        Side::Left => printable(cell),
                        Side::Right => grouped(cell),
                    }
                };
                people.rows.push(people.columns.iter().map(shown).collect());
                Ok(())
            }
        }
    }

    /// Ends the listing, and says what was not shown; how many rows there are.
    pub(super) fn end(self, session: &Session) -> Result<u64> {
        match self.sink {
            Sink::All(table) => return table.end(),
            Sink::People(people) => {
                let columns: Vec<(&str, Side)> =
                    people.columns.iter().map(|(_, title, side)| (*title, *side)).collect();
                let mut out = std::io::stdout().lock();
                out.write_all(titled(&columns, &people.rows).as_bytes())?;
                out.flush()?;
            }
        }
        if self.rows > ROWS {
            session.say(format_args!(
                "the first {ROWS} of {} rows; --format csv prints all of them, with every column",
                self.rows
            ));
        }
        Ok(self.rows)
    }
}
