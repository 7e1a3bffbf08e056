//! Many rows in one statement: what a statement costs by itself (its savepoint, the triggers' part of it) is paid once.

use anyhow::Result;
use rusqlite::{Connection, Statement, ToSql};

/// Rows of a full statement.
pub(super) const AT_ONCE: usize = 32;

/// Inserts rows in order, full statements first. `before` and `after` stand around the rows' placeholders, of which
/// `row` is one: `(?, ?, unhex(?))`. `bind` binds the cells of a row in order.
pub(super) fn insert<T>(
    connection: &Connection,
    (before, row, after): (&str, &str, &str),
    rows: &[T],
    bind: impl Fn(&T, &mut Cells<'_, '_>) -> rusqlite::Result<()>,
) -> Result<()> {
    let full = rows.chunks_exact(AT_ONCE);
    let rest = full.remainder().chunks(1);
    for chunk in full.chain(rest) {
        let values = vec![row; chunk.len()].join(", ");
        let mut insert = connection.prepare_cached(&format!("{before} {values} {after}"))?;
        let mut cells = Cells { statement: &mut insert, bound: 0 };
        for row in chunk {
            bind(row, &mut cells)?;
        }
        insert.raw_execute()?;
    }
    Ok(())
}

/// The cells of a statement, in order.
pub(super) struct Cells<'s, 'c> {
    statement: &'s mut Statement<'c>,
    bound: usize,
}

impl Cells<'_, '_> {
    /// Binds the next one.
    pub(super) fn next(&mut self, value: impl ToSql) -> rusqlite::Result<()> {
        self.bound += 1;
        self.statement.raw_bind_parameter(self.bound, value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inserted(count: usize) -> Vec<(i64, String)> {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("CREATE TABLE said (number INTEGER, word TEXT)").unwrap();
        let rows: Vec<i64> = (0..count as i64).collect();
        insert(&connection, ("INSERT INTO said VALUES", "(?, ?)", ""), &rows, |row, cells| {
            cells.next(*row)?;
            cells.next(format!("word {row}"))
        })
        .unwrap();
        let mut select = connection.prepare("SELECT number, word FROM said ORDER BY rowid").unwrap();
        let rows = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        rows.map(Result::unwrap).collect()
    }

    #[test]
    fn every_row_is_inserted_once_and_in_order_however_many_there_are() {
        for count in [0, 1, AT_ONCE - 1, AT_ONCE, AT_ONCE + 1, 3 * AT_ONCE + 7] {
            let expected: Vec<(i64, String)> =
                (0..count as i64).map(|number| (number, format!("word {number}"))).collect();
            assert_eq!(inserted(count), expected);
        }
    }

    #[test]
    fn a_refused_row_is_an_error() {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("CREATE TABLE said (number INTEGER NOT NULL)").unwrap();
        let rows = [Some(1), None];
        assert!(
            insert(&connection, ("INSERT INTO said VALUES", "(?)", ""), &rows, |row, cells| cells.next(*row))
                .is_err()
        );
    }
}
