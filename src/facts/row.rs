//! One row of a sales file as its feed's layout read it: canonical columns, typed and checked.

use crate::domain::when::When;
use chrono::NaiveDate;
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

    /// what bundles, records and keys write for it; in the order of the type
    pub(super) fn byte(self) -> u8 {
        match self {
            DocType::Invoice => 0,
            DocType::CreditNote => 1,
            DocType::Cancellation => 2,
        }
    }

    pub(super) fn from_byte(byte: u8) -> Option<DocType> {
        match byte {
            0 => Some(DocType::Invoice),
            1 => Some(DocType::CreditNote),
            2 => Some(DocType::Cancellation),
            _ => None,
        }
    }
}

/// A row of a `sales` file. Texts are trimmed; empty means that the file did not say.
/// Amount and quantity of a credit note are already negative (unless the feed is `signed`).
#[derive(Debug, Clone, Copy, PartialEq)]
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

impl<'a> Row<'a> {
    /// A row that says nothing but whose it is: an invoice of 1 piece for nothing on 1970-01-01.
    pub fn blank(partner_code: &'a str) -> Row<'a> {
        Row {
            file_line: 0,
            doc_type: DocType::Invoice,
            invoice_no: "",
            line_no: "",
            when: When::Day(NaiveDate::default()),
            number_year: None,
            partner_code,
            partner_name: "",
            distributor_code: "",
            distributor_name: "",
            channel: "",
            sku: "",
            category: "",
            quantity: Decimal::ONE,
            amount: Decimal::ZERO,
            currency: "",
            status: "",
            payment_method: "",
            invoice_total: None,
            ref_invoice_no: "",
            ref_line_no: "",
            updated_at: None,
        }
    }
}

#[cfg(test)]
pub(super) mod any {
    //! Arbitrary rows for the laws of this room.

    use super::{DocType, Row};
    use crate::domain::when::{ClockNote, When};
    use chrono::NaiveDate;
    use proptest::prelude::*;
    use rust_decimal::Decimal;

    /// A row that owns its texts.
    #[derive(Debug, Clone)]
    pub struct Owned {
        texts: Vec<String>,
        row: Row<'static>,
    }

    impl Owned {
        pub fn borrow<'a>(&'a self, partner_code: &'a str) -> Row<'a> {
            let text = |at: usize| self.texts[at].as_str();
            Row {
                partner_code,
                invoice_no: text(0),
                line_no: text(1),
                partner_name: text(2),
                distributor_code: text(3),
                distributor_name: text(4),
                channel: text(5),
                sku: text(6),
                category: text(7),
                currency: text(8),
                status: text(9),
                payment_method: text(10),
                ref_invoice_no: text(11),
                ref_line_no: text(12),
                ..self.row
            }
        }
    }

    fn when() -> impl Strategy<Value = When> {
        let clock = prop_oneof![Just(ClockNote::Plain), Just(ClockNote::Repeated), Just(ClockNote::Skipped)];
        let day = |days| When::Day(NaiveDate::from_num_days_from_ce_opt(days).unwrap());
        prop_oneof![
            (-90_000_000i32..90_000_000).prop_map(day),
            (730_000i32..740_000).prop_map(day),
            (-7_900_000_000_000i64..=7_900_000_000_000, -86_399i32..86_400, clock)
                .prop_map(|(epoch, offset, clock)| When::At { epoch, offset, clock }),
            (1_700_000_000i64..1_800_000_000).prop_map(|epoch| When::At {
                epoch,
                offset: 19_800,
                clock: ClockNote::Plain
            }),
        ]
    }

    fn decimal() -> impl Strategy<Value = Decimal> {
        prop_oneof![
            (any::<i64>(), 0u32..=28).prop_map(|(mantissa, scale)| Decimal::new(mantissa, scale)),
            (0i64..40, 0u32..3).prop_map(|(mantissa, scale)| Decimal::new(mantissa, scale)),
            (any::<u32>(), any::<u32>(), any::<u32>(), any::<bool>(), 0u32..=28)
                .prop_map(|(lo, mid, hi, negative, scale)| Decimal::from_parts(lo, mid, hi, negative, scale)),
        ]
    }

    pub fn row() -> impl Strategy<Value = Owned> {
        let doc_type =
            prop_oneof![Just(DocType::Invoice), Just(DocType::CreditNote), Just(DocType::Cancellation)];
        let text = prop_oneof![Just(String::new()), "[ab\u{1}é]{1,2}", "\\PC{0,12}", "A{120,140}"];
        let numbers =
            (any::<u64>(), any::<Option<i32>>(), proptest::option::of(decimal()), any::<Option<i64>>());
        (proptest::collection::vec(text, 13), doc_type, when(), decimal(), decimal(), numbers).prop_map(
            |(
                texts,
                doc_type,
                when,
                quantity,
                amount,
                (file_line, number_year, invoice_total, updated_at),
            )| Owned {
                texts,
                row: Row {
                    file_line,
                    doc_type,
                    when,
                    number_year,
                    quantity,
                    amount,
                    invoice_total,
                    updated_at,
                    ..Row::blank("")
                },
            },
        )
    }
}
