//! Reads published accounts back, as far as it takes to add them up (`accrued verify statements`).

use crate::domain::points::Points;
use rust_decimal::Decimal;
use std::io::Read;

/// A row of statement.csv, as far as it is added up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountRow {
    /// as written, with its guard against spreadsheets
    pub partner_code: String,
    /// `opening`, `closing`, or the kind of an entry
    pub kind: String,
    /// zero where the cell is empty
    pub credit: Points,
    /// zero where the cell is empty
    pub debit: Points,
    /// after this row
    pub balance: Points,
}

/// A statement that cannot be read: something else wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadingFault {
    /// line in the file, the header being 1
    pub line: u64,
    /// what is wrong
    pub reason: String,
}

impl std::fmt::Display for ReadingFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}: {}", self.line, self.reason)
    }
}

impl std::error::Error for ReadingFault {}

/// Hands every row of a statement.csv to `take`, in order.
///
/// # Errors
/// [`ReadingFault`] at the first row that is none of a statement.
pub fn each_account_row(bytes: impl Read, mut take: impl FnMut(AccountRow)) -> Result<(), ReadingFault> {
    let mut reader = csv::ReaderBuilder::new().from_reader(bytes);
    let headers = reader.headers().map_err(|error| fault(1, error.to_string()))?.clone();
    let place = |name: &str| {
        headers
            .iter()
            .position(|header| header == name)
            .ok_or_else(|| fault(1, format!("there is no column {name}")))
    };
    let (partner, kind) = (place("partner_code")?, place("kind")?);
    let (credit, debit, balance) = (place("credit")?, place("debit")?, place("balance")?);
    for (index, record) in reader.records().enumerate() {
        let line = index as u64 + 2;
        let record = record.map_err(|error| fault(line, error.to_string()))?;
        let cell = |at: usize| record.get(at).unwrap_or_default();
        let points = |at: usize| points(cell(at)).ok_or_else(|| fault(line, not_points(cell(at))));
        take(AccountRow {
            partner_code: cell(partner).to_owned(),
            kind: cell(kind).to_owned(),
            credit: points(credit)?,
            debit: points(debit)?,
            balance: points(balance)?,
        });
    }
    Ok(())
}

fn points(cell: &str) -> Option<Points> {
    if cell.is_empty() {
        return Some(Points::ZERO);
    }
    cell.parse::<Decimal>().ok().and_then(Points::from_decimal)
}

fn not_points(cell: &str) -> String {
    format!("{cell:?} are no points")
}

fn fault(line: u64, reason: String) -> ReadingFault {
    ReadingFault { line, reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "partner_code,kind,amount,credit,debit,balance\n";

    fn rows(text: &str) -> Result<Vec<AccountRow>, ReadingFault> {
        let mut rows = Vec::new();
        each_account_row(text.as_bytes(), |row| rows.push(row)).map(|()| rows)
    }

    #[test]
    fn rows_are_read_and_empty_cells_are_nothing() {
        let read = rows(&format!("{HEADER}P1,opening,,,,0\nP1,accrual,9.00,12.50,,12.50\n")).expect("read");
        assert_eq!(read[0].balance, Points::ZERO);
        assert_eq!(read[1].credit, Points(12_500_000));
        assert_eq!((read[1].debit, read[1].kind.as_str()), (Points::ZERO, "accrual"));
    }

    #[test]
    fn what_is_no_statement_says_where() {
        assert_eq!(rows("a,b\n").unwrap_err().to_string(), "line 1: there is no column partner_code");
        let wrong = rows(&format!("{HEADER}P1,opening,,,,0\nP1,closing,,,,x\n")).unwrap_err();
        assert_eq!(wrong.to_string(), "line 3: \"x\" are no points");
    }
}
