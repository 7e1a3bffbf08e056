//! Data on stdout: one table model, printed as csv (plain numbers, text guarded against spreadsheets), json (a schema
//! version, numbers of money and points as strings) or a table for people (numbers grouped and to the right).
//!
//! csv and json are written row by row, so that a ledger of any length passes through; a table for people is kept until its end.

use crate::statement::cell;
use anyhow::Result;
use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, presets};
use serde_json::Value;
use std::io::{BufWriter, IsTerminal, Stdout, Write};

/// Of the whole json output; raised when a column goes or changes its meaning.
const SCHEMA: u32 = 1;

/// How data is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// for people
    Table,
    /// for spreadsheets and scripts
    Csv,
    /// for programs
    Json,
}

/// A column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Column {
    name: &'static str,
    kind: Kind,
}

impl Column {
    /// its name, as csv and json have it
    pub(super) fn name(&self) -> &'static str {
        self.name
    }

    /// whether people see it to the right
    pub(super) fn is_number(&self) -> bool {
        match self.kind {
            Kind::Text => false,
            Kind::Number | Kind::Count => true,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Number,
    Count,
}

/// A column of words.
pub(crate) const fn text(name: &'static str) -> Column {
    Column { name, kind: Kind::Text }
}

/// A column of money, points or measures: exact, so a string in json.
pub(crate) const fn number(name: &'static str) -> Column {
    Column { name, kind: Kind::Number }
}

/// A column of whole numbers: rows, lines, entries.
pub(crate) const fn count(name: &'static str) -> Column {
    Column { name, kind: Kind::Count }
}

/// A table on its way to stdout (or to any writer, for tests).
pub(crate) struct Table<W: Write = BufWriter<Stdout>> {
    command: &'static str,
    columns: Vec<Column>,
    sink: Sink,
    out: W,
    rows: u64,
    line: Vec<u8>,
}

enum Sink {
    Csv,
    Json,
    People(Box<comfy_table::Table>),
}

impl Table {
    /// On stdout.
    pub(super) fn begin(command: &'static str, format: Format, columns: &[Column]) -> Result<Table> {
        let mut table = Table::over(BufWriter::new(std::io::stdout()), command, format, columns)?;
        if let (Sink::People(people), true) = (&mut table.sink, std::io::stdout().is_terminal()) {
            people.set_content_arrangement(ContentArrangement::Dynamic);
        }
        Ok(table)
    }
}

impl<W: Write> Table<W> {
    fn over(out: W, command: &'static str, format: Format, columns: &[Column]) -> Result<Table<W>> {
        let sink = match format {
            Format::Csv => Sink::Csv,
            Format::Json => Sink::Json,
            Format::Table => Sink::People(Box::new(people(columns))),
        };
        let mut table = Table { command, columns: columns.to_vec(), sink, out, rows: 0, line: Vec::new() };
        match &table.sink {
            Sink::Csv => {
                cell::header(&mut table.line, columns.iter().map(|column| column.name));
                table.flush_line()?;
            }
            Sink::Json => {
                write!(table.out, "{{\"schema\": {SCHEMA}, \"command\": \"{}\", \"rows\": [", table.command)?;
            }
            Sink::People(_) => {}
        }
        Ok(table)
    }

    /// Adds a row: a cell for each column, empty for none. Numbers are plain digits.
    pub(crate) fn row<C: AsRef<str>>(&mut self, cells: &[C]) -> Result<()> {
        debug_assert_eq!(cells.len(), self.columns.len(), "a cell for each column of {}", self.command);
        self.rows += 1;
        match &mut self.sink {
            Sink::Csv => {
                for (index, (column, cell)) in self.columns.iter().zip(cells).enumerate() {
                    if index > 0 {
                        cell::comma(&mut self.line);
                    }
                    match column.kind {
                        Kind::Text => cell::text(&mut self.line, cell.as_ref()),
                        Kind::Number | Kind::Count => cell::plain(&mut self.line, cell.as_ref()),
                    }
                }
                cell::end(&mut self.line);
                self.flush_line()
            }
            Sink::Json => {
                let row: serde_json::Map<String, Value> = self
                    .columns
                    .iter()
                    .zip(cells)
                    .map(|(column, cell)| (column.name.to_owned(), json(column.kind, cell.as_ref())))
                    .collect();
                let before = if self.rows == 1 { "\n  " } else { ",\n  " };
                write!(self.out, "{before}{}", Value::Object(row))?;
                Ok(())
            }
            Sink::People(people) => {
                people.add_row(
                    self.columns.iter().zip(cells).map(|(column, cell)| shown(column.kind, cell.as_ref())),
                );
                Ok(())
            }
        }
    }

    /// Ends the table; how many rows it had.
    pub(crate) fn end(mut self) -> Result<u64> {
        match &mut self.sink {
            Sink::Csv => {}
            Sink::Json if self.rows == 0 => writeln!(self.out, "]}}")?,
            Sink::Json => writeln!(self.out, "\n]}}")?,
            Sink::People(_) if self.rows == 0 => {}
            Sink::People(people) => {
                hide_empty(people);
                for line in people.lines() {
                    writeln!(self.out, "{}", line.trim_end())?;
                }
            }
        }
        self.out.flush()?;
        Ok(self.rows)
    }

    fn flush_line(&mut self) -> Result<()> {
        self.out.write_all(&self.line)?;
        self.line.clear();
        Ok(())
    }
}

fn people(columns: &[Column]) -> comfy_table::Table {
    let mut table = comfy_table::Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(columns.iter().map(|column| column.name));
    for (column, described) in table.column_iter_mut().zip(columns) {
        column.set_padding((0, 2));
        match described.kind {
            Kind::Text => {}
            Kind::Number | Kind::Count => column.set_cell_alignment(CellAlignment::Right),
        }
    }
    table
}

/// People are not shown a column that says nothing in any row.
fn hide_empty(table: &mut comfy_table::Table) {
    for index in 0..table.column_count() {
        let says_something =
            table.column_cells_iter(index).any(|cell| cell.is_some_and(|cell| !cell.content().is_empty()));
        if let (false, Some(column)) = (says_something, table.column_mut(index)) {
            column.set_constraint(ColumnConstraint::Hidden);
        }
    }
}

fn json(kind: Kind, cell: &str) -> Value {
    match kind {
        Kind::Text => Value::from(cell),
        Kind::Number | Kind::Count if cell.is_empty() => Value::Null,
        Kind::Number => Value::from(cell),
        Kind::Count => cell.parse::<i64>().map_or_else(|_| Value::from(cell), Value::from),
    }
}

fn shown(kind: Kind, cell: &str) -> String {
    match kind {
        Kind::Text => printable(cell),
        Kind::Number | Kind::Count => grouped(cell),
    }
}

/// Text of others on a terminal: control characters are shown, not obeyed.
pub(crate) fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() {
            out.extend(c.escape_debug());
        } else {
            out.push(c);
        }
    }
    out
}

/// Plain digits in groups of three, for people: `-12,345.50`.
pub(crate) fn grouped(plain: &str) -> String {
    let (sign, digits) = plain.strip_prefix('-').map_or(("", plain), |digits| ("-", digits));
    let (whole, fraction) = digits.find('.').map_or((digits, ""), |point| digits.split_at(point));
    if !whole.bytes().all(|byte| byte.is_ascii_digit()) {
        return plain.to_owned();
    }
    let mut out = String::with_capacity(plain.len() + whole.len() / 3);
    out.push_str(sign);
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    out.push_str(fraction);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: [Column; 3] = [text("name"), number("points"), count("rows")];

    fn printed(format: Format, rows: &[[&str; 3]]) -> String {
        let mut bytes = Vec::new();
        let mut table = Table::over(&mut bytes, "sample", format, &COLUMNS).expect("begun");
        for row in rows {
            table.row(row).expect("a row");
        }
        assert_eq!(table.end().expect("ended"), rows.len() as u64);
        String::from_utf8(bytes).expect("text")
    }

    const ROWS: [[&str; 3]; 2] = [["=SUM(A1)", "-1234567.50", "12"], ["a, b", "", "0"]];

    #[test]
    fn csv_is_plain_and_guards_text_alone() {
        assert_eq!(printed(Format::Csv, &ROWS), "name,points,rows\n'=SUM(A1),-1234567.50,12\n\"a, b\",,0\n");
        assert_eq!(printed(Format::Csv, &[]), "name,points,rows\n");
    }

    #[test]
    fn json_carries_a_schema_and_exact_numbers_as_strings() {
        assert_eq!(
            printed(Format::Json, &ROWS),
            "{\"schema\": 1, \"command\": \"sample\", \"rows\": [\n  \
             {\"name\":\"=SUM(A1)\",\"points\":\"-1234567.50\",\"rows\":12},\n  \
             {\"name\":\"a, b\",\"points\":null,\"rows\":0}\n]}\n"
        );
        let empty: Value = serde_json::from_str(&printed(Format::Json, &[])).expect("json");
        assert_eq!(empty["rows"], Value::Array(vec![]));
    }

    #[test]
    fn a_table_is_grouped_aligned_and_harmless() {
        assert_eq!(
            printed(Format::Table, &[["a\u{1b}[31m", "-1234567.50", "1200"], ["b", "5", "7"]]),
            "name                points   rows\na\\u{1b}[31m  -1,234,567.50  1,200\nb                        5      7\n"
        );
    }

    #[test]
    fn people_are_not_shown_a_column_that_says_nothing() {
        assert_eq!(
            printed(Format::Table, &[["a", "", "1"], ["b", "", "2"]]),
            "name  rows\na        1\nb        2\n"
        );
    }

    #[test]
    fn digits_are_grouped_and_words_are_not() {
        for (plain, shown) in [
            ("0", "0"),
            ("999", "999"),
            ("1000", "1,000"),
            ("-1000.25", "-1,000.25"),
            ("", ""),
            ("n/a", "n/a"),
        ] {
            assert_eq!(grouped(plain), shown);
        }
    }
}
