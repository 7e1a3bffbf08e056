//! Payments: what was received for an invoice (interfaces.md 3, evaluation.md 2).

use std::collections::BTreeMap;

use chrono::NaiveDate;
use num_traits::Zero;

use super::facts::{Document, Fates};
use super::number::{self, Frac};
use super::reading::{self, Cells};
use super::settings::Feed;
use super::time;

/// One payment, as values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    pub documents: String,
    pub distributor: String,
    pub invoice: String,
    pub paid_on: NaiveDate,
    pub amount: Frac,
    other: Cells,
}

/// Every payment that was said, by its reference.
#[derive(Clone, Debug, Default)]
pub struct Payments(BTreeMap<(String, String), Payment>);

impl Payments {
    /// Takes one file: an event that comes again with other content is held, never applied twice.
    pub fn take(&mut self, bytes: &[u8], feed: &Feed) -> Fates {
        let mut fates = Fates::default();
        for (_, cells) in reading::rows(bytes, feed) {
            let Some((reference, payment)) = payment(cells, feed) else {
                fates.rejected += 1;
                continue;
            };
            match self.0.get(&(feed.documents.clone(), reference.clone())) {
                None => {
                    fates.accepted += 1;
                    self.0.insert((feed.documents.clone(), reference), payment);
                }
                Some(said) if *said == payment => fates.duplicate += 1,
                Some(_) => fates.held += 1,
            }
        }
        fates
    }

    /// The payments of an invoice up to a day, less those taken back, in the currencies that `pays` takes. Where numbers
    /// restart, of the year that `names` tells.
    pub fn received(
        &self,
        invoice: &Document,
        names: impl Fn(&Document, NaiveDate) -> bool,
        today: NaiveDate,
        pays: impl Fn(&str) -> bool,
    ) -> Frac {
        let of = self.0.values().filter(|p| {
            p.documents == invoice.documents
                && p.distributor == invoice.distributor
                && p.invoice == invoice.number
                && p.paid_on <= today
                && pays(p.other.get("currency").map_or("", String::as_str))
                && (invoice.year == 0 || names(invoice, p.paid_on))
        });
        of.fold(Frac::zero(), |sum, p| sum + &p.amount)
    }
}

fn payment(mut cells: Cells, feed: &Feed) -> Option<(String, Payment)> {
    let distributor = cells.remove("distributor_code").unwrap_or_default();
    let payment = Payment {
        documents: feed.documents.clone(),
        distributor: if feed.numbers_of_space { String::new() } else { distributor },
        invoice: cells.remove("invoice_no")?,
        paid_on: time::read(&cells.remove("paid_on")?, &feed.dates, feed.zone)?.written(),
        amount: number::in_file(&cells.remove("amount")?, feed.decimal_mark)?,
        other: Cells::new(),
    };
    let reference = cells.remove("payment_ref")?;
    Some((reference, Payment { other: cells, ..payment }))
}
