//! One row of a sales file as its feed's layout read it: canonical columns, typed and checked.

use crate::domain::when::When;
use rust_decimal::Decimal;

/// What a row is a line of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DocType {
    /// a sale
    Invoice,
    /// a return or a reduction; its amount and quantity are negative unless the feed says `signed`
    CreditNote,
    /// voids the lines of the invoice whose number it names
    Cancellation,
}

impl DocType {
    /// the canonical word in files
    pub fn word(self) -> &'static str {
        match self {
            DocType::Invoice => "invoice",
            DocType::CreditNote => "credit_note",
            DocType::Cancellation => "cancellation",
        }
    }
}

/// A row of a `sales` file. Texts are trimmed; empty means that the file did not say.
/// Amount and quantity of a credit note are already negative (unless the feed is `signed`).
#[derive(Debug, Clone, PartialEq)]
pub struct Row<'a> {
    /// line in the file, the header being 1 (of a quoted cell with line breaks, where the row begins)
    pub file_line: u64,
    /// invoice, credit note or cancellation
    pub doc_type: DocType,
    /// document number
    pub invoice_no: &'a str,
    /// empty: the whole document is one fact
    pub line_no: &'a str,
    /// `invoice_date`
    pub when: When,
    /// the year its number belongs to, where the feed's numbers restart (the calendar year in which that numbering year began)
    pub number_year: Option<i32>,
    /// whose sale
    pub partner_code: &'a str,
    /// as the file writes it
    pub partner_name: &'a str,
    /// part of the document's identity unless numbers are unique in the whole space
    pub distributor_code: &'a str,
    /// as the file writes it
    pub distributor_name: &'a str,
    /// matched without case
    pub channel: &'a str,
    /// matched without case
    pub sku: &'a str,
    /// matched without case
    pub category: &'a str,
    /// 1 where the file has none
    pub quantity: Decimal,
    /// net line amount
    pub amount: Decimal,
    /// empty: the scheme's
    pub currency: &'a str,
    /// matched without case
    pub status: &'a str,
    /// matched without case
    pub payment_method: &'a str,
    /// gross total of the whole document
    pub invoice_total: Option<Decimal>,
    /// which invoice a credit note returns
    pub ref_invoice_no: &'a str,
    /// which line of it
    pub ref_line_no: &'a str,
    /// microseconds since 1970-01-01T00:00:00Z
    pub updated_at: Option<i64>,
}
