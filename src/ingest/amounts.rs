//! The amounts of a file as it writes them, rejected rows among them: for reports that hold the store against the archive.
//!
//! Answers for: what each data row's amount cell says and in which currency, as far as it can be read. Does not: judge a row;
//! a column that is missing or a row that is no row has no amount.

use super::cells::Cells;
use super::header::{Column, Header, Need};
use super::records::Next;
use super::sales::doc_type;
use super::{Layout, Packing, Stop, open};
use crate::domain::decimal;
use crate::facts::row::DocType;
use rust_decimal::Decimal;
use std::io::Read;

/// What a data row says of money.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Amount<'r> {
    /// line in the file where the row begins, the header being 1
    pub line: u64,
    /// as written, empty where it is not
    pub currency: &'r str,
    /// the amount cell; `None` where it cannot be read
    pub written: Option<Decimal>,
    /// the amount as it counts: of credit notes negative, unless the feed is `signed`
    pub counted: Option<Decimal>,
    /// an invoice where the file does not say, or not in words that are known
    pub doc_type: DocType,
}

/// Gives every data row of a file in order. A file without a header that can be read is refused.
pub fn amounts(
    bytes: &mut dyn Read,
    packing: Packing,
    layout: &Layout,
    take: &mut dyn FnMut(Amount<'_>),
) -> Result<(), Stop> {
    let mut records = open(bytes, packing, layout)?;
    let mut header = Header::read(&mut records, layout)?;
    let mut column = |name| header.column(name, Need::Optional);
    let columns = Columns {
        amount: column("amount"),
        currency: column("currency"),
        doc_type: column("doc_type"),
        layout,
    };
    loop {
        match records.next()? {
            Next::End => return Ok(()),
            Next::Broken(_, line, _) => take(columns.unreadable(line)),
            Next::Record(record) => match Cells::new(record, header.headers()) {
                Ok(cells) => take(columns.read(&cells)),
                Err(_) => take(columns.unreadable(record.line)),
            },
        }
    }
}

struct Columns<'l> {
    amount: Column,
    currency: Column,
    doc_type: Column,
    layout: &'l Layout,
}

impl Columns<'_> {
    fn read<'r>(&'r self, cells: &Cells<'r>) -> Amount<'r> {
        let written = decimal::parse(cells.value(&self.amount), self.layout.decimal_mark).ok();
        let doc_type = doc_type(cells.value(&self.doc_type)).unwrap_or(DocType::Invoice);
        Amount {
            line: cells.line(),
            currency: cells.value(&self.currency),
            written,
            counted: written.map(|amount| self.layout.credit_notes.signed(doc_type, amount)),
            doc_type,
        }
    }

    fn unreadable(&self, line: u64) -> Amount<'_> {
        Amount { line, currency: "", written: None, counted: None, doc_type: DocType::Invoice }
    }
}
