//! Many rows in one statement: what a statement costs by itself is paid once, and what all rows have alike is bound once.

use anyhow::Result;
use rusqlite::{CachedStatement, Connection, Statement, ToSql};

/// An insert of rows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Insert<'q> {
    /// what stands before the rows: `INSERT INTO ledger VALUES`
    pub into: &'q str,
    /// one row: `#` is a cell of its own, `?1` the first of those that all rows share
    pub row: &'q str,
    /// what stands after the rows
    pub after: &'q str,
    /// cells that all rows share
    pub shared: usize,
    /// rows of a full statement
    pub at_once: usize,
}

/// Rows of a full statement where a table has no trigger: there a statement of many is quickest.
pub(super) const AT_ONCE: usize = 128;
/// Rows of a statement for what does not fill one.
const FEW: usize = 16;

impl<'q> Insert<'q> {
    /// Ready to insert again and again.
    pub(super) fn on(self, connection: &Connection) -> Inserting<'q, '_> {
        let sizes = [self.at_once, FEW.min(self.at_once), 1];
        Inserting { insert: self, connection, statements: sizes.map(|at_once| (at_once, None)) }
    }

    /// Inserts rows in order, full statements first. `shared` binds the cells that they share, `bind` those of one row, in
    /// order.
    pub(super) fn run<T>(
        self,
        connection: &Connection,
        shared: impl Fn(&mut Cells<'_, '_>) -> rusqlite::Result<()>,
        rows: &[T],
        bind: impl Fn(&T, &mut Cells<'_, '_>) -> rusqlite::Result<()>,
    ) -> Result<()> {
        self.on(connection).run(shared, rows, bind)
    }

    fn sql(&self, rows: usize) -> String {
        let mut sql = String::with_capacity(self.into.len() + rows * self.row.len() * 2 + self.after.len());
        sql.push_str(self.into);
        let mut number = self.shared;
        for row in 0..rows {
            sql.push_str(if row == 0 { " " } else { ", " });
            for part in self.row.split_inclusive('#') {
                match part.strip_suffix('#') {
                    Some(before) => {
                        number += 1;
                        sql.push_str(before);
                        sql.push('?');
                        sql.push_str(&number.to_string());
                    }
                    None => sql.push_str(part),
                }
            }
        }
        sql.push(' ');
        sql.push_str(self.after);
        sql
    }
}

/// An insert whose statements are kept: to find a long one again costs as much as some of its rows.
pub(super) struct Inserting<'q, 'c> {
    insert: Insert<'q>,
    connection: &'c Connection,
    /// by rows of each, most first
    statements: [(usize, Option<CachedStatement<'c>>); 3],
}

impl Inserting<'_, '_> {
    /// Inserts rows as [`Insert::run`] does.
    pub(super) fn run<T>(
        &mut self,
        shared: impl Fn(&mut Cells<'_, '_>) -> rusqlite::Result<()>,
        rows: &[T],
        bind: impl Fn(&T, &mut Cells<'_, '_>) -> rusqlite::Result<()>,
    ) -> Result<()> {
        let Inserting { insert, connection, statements } = self;
        let mut left = rows;
        for (at_once, kept) in statements {
            let (rows, rest) = left.split_at(left.len() - left.len() % *at_once);
            left = rest;
            if rows.is_empty() {
                continue;
            }
            let statement = match kept {
                Some(statement) => statement,
                None => kept.insert(connection.prepare_cached(&insert.sql(*at_once))?),
            };
            let mut cells = Cells { statement, bound: 0 };
            shared(&mut cells)?;
            for chunk in rows.chunks(*at_once) {
                cells.bound = insert.shared;
                for row in chunk {
                    bind(row, &mut cells)?;
                }
                cells.statement.raw_execute()?;
            }
        }
        Ok(())
    }
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

    fn inserted(count: usize, at_once: usize) -> Vec<(i64, String, String)> {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("CREATE TABLE said (number INTEGER, by TEXT, word TEXT)").unwrap();
        let rows: Vec<i64> = (0..count as i64).collect();
        let insert =
            Insert { into: "INSERT INTO said VALUES", row: "(#, ?1, #)", after: "", shared: 1, at_once };
        insert
            .run(
                &connection,
                |cells| cells.next("P1"),
                &rows,
                |row, cells| {
                    cells.next(*row)?;
                    cells.next(format!("word {row}"))
                },
            )
            .unwrap();
        let mut select = connection.prepare("SELECT number, by, word FROM said ORDER BY rowid").unwrap();
        let rows = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
        rows.map(Result::unwrap).collect()
    }

    #[test]
    fn every_row_is_inserted_once_and_in_order_however_many_there_are() {
        for (count, at_once) in
            [(0, 4), (1, 1), (3, 4), (4, 4), (5, 4), (19, 4), (7, 1), (300, AT_ONCE), (150, AT_ONCE)]
        {
            let expected: Vec<_> =
                (0..count as i64).map(|number| (number, "P1".to_owned(), format!("word {number}"))).collect();
            assert_eq!(inserted(count, at_once), expected);
        }
    }

    #[test]
    fn a_refused_row_is_an_error() {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("CREATE TABLE said (number INTEGER NOT NULL)").unwrap();
        let insert = Insert { into: "INSERT INTO said VALUES", row: "(#)", after: "", shared: 0, at_once: 2 };
        let rows = [Some(1), None];
        assert!(insert.run(&connection, |_| Ok(()), &rows, |row, cells| cells.next(*row)).is_err());
    }
}
