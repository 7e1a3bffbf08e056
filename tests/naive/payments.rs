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

/// A payment is told by its documents, the distributor whose numbers they are, and its reference.
type Key = (String, String, String);

/// What is said of one payment: a row for each invoice that it pays.
type Says = BTreeMap<String, Payment>;

/// Every payment that was said.
#[derive(Clone, Debug, Default)]
pub struct Payments {
    speaking: BTreeMap<Key, Says>,
    held: Vec<Conflict>,
}

/// What a file says of a payment that was said otherwise before, and where the first row of it stands that does.
#[derive(Clone, Debug)]
struct Conflict {
    file: usize,
    line: u64,
    key: Key,
    says: Says,
}

impl Payments {
    /// Takes one file, the `file`th of all: a payment that comes again with other content is held, never applied twice.
    pub fn take(&mut self, bytes: &[u8], feed: &Feed, file: usize) -> Fates {
        let mut fates = Fates::default();
        let mut said: BTreeMap<Key, Vec<(u64, Payment)>> = BTreeMap::new();
        for (line, cells) in reading::rows(bytes, feed) {
            match payment(cells, feed) {
                Some((key, payment)) => said.entry(key).or_default().push((line, payment)),
                None => fates.rejected += 1,
            }
        }
        for (key, rows) in said {
            self.take_one(key, &rows, file, &mut fates);
        }
        fates
    }

    fn take_one(&mut self, key: Key, rows: &[(u64, Payment)], file: usize, fates: &mut Fates) {
        // the first row for each invoice, then those that contradict one of these, and so on
        let mut contents: Vec<BTreeMap<String, (u64, Payment)>> = vec![];
        for (line, row) in rows {
            let of_invoice = contents.iter().take_while(|content| content.contains_key(&row.invoice));
            if of_invoice.clone().any(|content| content[&row.invoice].1 == *row) {
                fates.duplicate += 1;
                continue;
            }
            let place = of_invoice.count();
            contents.resize_with(contents.len().max(place + 1), BTreeMap::new);
            contents[place].insert(row.invoice.clone(), (*line, row.clone()));
        }
        let says = |content: &BTreeMap<String, (u64, Payment)>| -> Says {
            content.iter().map(|(invoice, (_, row))| (invoice.clone(), row.clone())).collect()
        };
        let first = says(&contents[0]);
        let before = self.speaking.get(&key).cloned();
        for (place, content) in contents.iter().enumerate() {
            if place == 0 && before.is_none() {
                fates.accepted += content.len();
                self.speaking.insert(key.clone(), first.clone());
                continue;
            }
            let known = |row: &Payment| before.as_ref().is_some_and(|b| b.get(&row.invoice) == Some(row));
            let news: Vec<u64> =
                content.values().filter(|(_, row)| !known(row)).map(|(line, _)| *line).collect();
            fates.duplicate += content.len() - news.len();
            fates.held += news.len();
            if let Some(line) = news.into_iter().min() {
                let mut all = first.clone();
                all.extend(says(content));
                self.held.push(Conflict { file, line, key: key.clone(), says: all });
            }
        }
    }

    /// What was paid under each reference of a deposit on each day; none under "".
    pub fn by_deposit(&self) -> BTreeMap<(String, NaiveDate), Frac> {
        let mut paid = BTreeMap::new();
        for payment in self.speaking.values().flat_map(Says::values) {
            let reference = payment.other.get("deposit_ref").cloned().unwrap_or_default();
            *paid.entry((reference, payment.paid_on)).or_insert_with(Frac::zero) += &payment.amount;
        }
        paid
    }

    /// Where those stand that wait for a person.
    pub fn held(&self) -> impl Iterator<Item = (usize, u64)> {
        self.held.iter().map(|held| (held.file, held.line))
    }

    /// What the file says of the payment speaks instead of all that was said of it before.
    pub fn release(&mut self, file: usize, line: u64) {
        let Some(place) = self.held.iter().position(|held| (held.file, held.line) == (file, line)) else {
            return;
        };
        let held = self.held.remove(place);
        self.speaking.insert(held.key, held.says);
    }

    /// A discarded row never speaks.
    pub fn discard(&mut self, file: usize, line: u64) {
        self.held.retain(|held| (held.file, held.line) != (file, line));
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
        let of = self.speaking.values().flat_map(Says::values).filter(|p| {
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

fn payment(mut cells: Cells, feed: &Feed) -> Option<(Key, Payment)> {
    let distributor = cells.remove("distributor_code").unwrap_or_default();
    let payment = Payment {
        documents: feed.documents.clone(),
        distributor: if feed.numbers_of_space { String::new() } else { distributor },
        invoice: cells.remove("invoice_no")?,
        paid_on: time::read(&cells.remove("paid_on")?, &feed.dates, feed.zone)?.written(),
        amount: number::in_file(&cells.remove("amount")?, feed.decimal_mark)?,
        other: Cells::new(),
    };
    let key = (payment.documents.clone(), payment.distributor.clone(), cells.remove("payment_ref")?);
    Some((key, Payment { other: cells, ..payment }))
}
