//! Which invoices are paid: evaluation.md 2, last two sentences. Asked only where a scheme earns on payment.
//!
//! An invoice is paid when its payments up to the run's day, less those taken back, reach its `invoice_total` less its credit
//! notes less `payment_tolerance`. A credit note is paid when its invoice is; one without a known invoice is not.
//!
//! # Readings
//! - `invoice_total` is said on every line, in its currency; where they disagree the largest must be reached, of equal ones
//!   the first line's. Lines that are not in force say nothing. An invoice none of whose lines has one is worth the sum of its lines.
//! - Credit notes are counted in the same terms: beside a gross total a note that has an `invoice_total` of its own and names
//!   this invoice only counts with that, else with the sum of its lines.
//! - Notes and payments dated after the run's day are not there yet.
//! - Money is counted in the invoice's own currency (the scheme's where it names none); a payment in another one pays nothing
//!   (`payment_currency`), one without a currency is in the invoice's, whatever that of its credit notes. An invoice in several
//!   currencies must be paid in each, and what came without one is in the scheme's.
//! - With restarting numbers a payment pays the latest invoice on or before its day.

use super::dates::LineDate;
use super::{Payments, Subject, World};
use crate::domain::frac::Frac;
use crate::facts::identity::DocumentNo;
use crate::facts::money::Payment;
use crate::facts::row::DocType;
use crate::facts::settle::{Line, Reference};
use crate::scheme::{EarnOn, Scheme, same_word};
use chrono::NaiveDate;
use rust_decimal::Decimal;
use std::collections::BTreeMap;

/// What is missing until an invoice is paid.
#[derive(Debug, Clone, PartialEq)]
pub struct Missing {
    /// index into [`super::Position::lines`]
    pub at: usize,
    /// in the invoice's currency, and which that is; `None`: the line has no invoice
    pub amount: Option<(Frac, String)>,
    /// `no_ref` (a credit note that names no invoice), `payment_currency` (money came in another currency), or empty
    pub note: &'static str,
}

/// A document: its number and, where numbers restart, its year.
type Document<'p> = (DocumentNo<'p>, Option<i32>);

/// Every invoice among a partner's lines, and which line belongs to which.
#[derive(Debug, Default)]
pub(super) struct Paid<'p> {
    bills: Vec<Bill<'p>>,
    /// index into `bills`, for each of the subject's lines
    of_line: Vec<Option<usize>>,
    /// whether lines are asked for their payment at all
    asked: bool,
}

/// One invoice.
#[derive(Debug, Default)]
struct Bill<'p> {
    /// earliest written day of its lines
    day: Option<NaiveDate>,
    /// the largest total that a line in force gives, and that line's currency
    gross: Option<(Decimal, &'p str)>,
    /// sums of its lines in force, by currency
    net: Vec<Sum<'p>>,
    notes: BTreeMap<Document<'p>, Note<'p>>,
    paid: Vec<Sum<'p>>,
    /// the next day on which a note or a payment is there
    wakes: Option<NaiveDate>,
}

/// What one credit note takes off an invoice.
#[derive(Debug, Default)]
struct Note<'p> {
    gross: Option<Decimal>,
    net: Vec<Sum<'p>>,
}

/// Money in one currency.
#[derive(Debug, Clone)]
struct Sum<'p> {
    /// as written, empty where it is not
    currency: &'p str,
    amount: Frac,
}

impl<'p> Paid<'p> {
    /// Nothing is looked up where no version of the scheme earns on payment.
    pub(super) fn of(world: &World<'_>, subject: &Subject<'p>, dates: &[LineDate<'_>]) -> Paid<'p> {
        let payments: &'p [Payment] = match subject.payments {
            Payments::Said(payments) => payments,
            Payments::TakenAsPaid => return Paid::default(),
        };
        if world.family.texts().all(|text| text.earn.on == EarnOn::Invoice) {
            return Paid::default();
        }
        let mut paid = Paid { asked: true, of_line: vec![None; subject.lines.len()], ..Paid::default() };
        let bills = paid.bill(subject.lines);
        paid.take_notes(subject.lines, dates, world.today);
        paid.take_payments(&bills, payments, world.today);
        paid
    }

    /// Why a line counts as not paid; `None`: it is paid, or the scheme does not ask.
    pub(super) fn missing(&self, scheme: &Scheme, line: usize, said: &Line<'_>) -> Option<Missing> {
        if !self.asked || scheme.earn.on == EarnOn::Invoice {
            return None;
        }
        let Some(bill) = self.of_line.get(line).copied().flatten() else {
            let note = if said.reference == Reference::None { "no_ref" } else { "" };
            return Some(Missing { at: 0, amount: None, note });
        };
        self.bills[bill].missing(scheme)
    }

    /// The next day on which the line's invoice may be paid or no longer be paid though no fact comes.
    pub(super) fn wakes(&self, line: usize) -> Option<NaiveDate> {
        self.of_line.get(line).copied().flatten().and_then(|bill| self.bills[bill].wakes)
    }

    /// The lines of invoices; gives where each invoice is.
    fn bill(&mut self, lines: &'p [Line<'p>]) -> BTreeMap<Document<'p>, usize> {
        let mut bills = BTreeMap::new();
        for (index, line) in lines.iter().enumerate() {
            match line.row.doc_type {
                DocType::Invoice => {}
                DocType::CreditNote | DocType::Cancellation => continue,
            }
            let at = *bills.entry(document(line)).or_insert_with(|| {
                self.bills.push(Bill::default());
                self.bills.len() - 1
            });
            self.of_line[index] = Some(at);
            self.bills[at].take_line(line);
        }
        bills
    }

    fn take_notes(&mut self, lines: &'p [Line<'p>], dates: &[LineDate<'_>], today: NaiveDate) {
        let mut names: BTreeMap<Document<'p>, Vec<&'p str>> = BTreeMap::new();
        for (index, line) in lines.iter().enumerate() {
            if line.row.doc_type == DocType::CreditNote {
                let named = names.entry(document(line)).or_default();
                if !named.contains(&line.row.ref_invoice_no) {
                    named.push(line.row.ref_invoice_no);
                }
            }
            if let Reference::Found(returned) = &line.reference {
                self.of_line[index] = returned.first().and_then(|first| self.of_line[*first]);
            }
        }
        for (index, line) in lines.iter().enumerate() {
            let Some(bill) = self.of_line[index].filter(|_| line.row.doc_type == DocType::CreditNote) else {
                continue;
            };
            let day = dates[index].business;
            if day > today {
                self.bills[bill].wake_on(day);
                continue;
            }
            let note = self.bills[bill].notes.entry(document(line)).or_default();
            add(&mut note.net, line.row.currency, line.row.amount);
            let alone = names.get(&document(line)).is_some_and(|named| named.len() == 1);
            if let Some(total) = line.row.invoice_total.filter(|_| alone) {
                note.gross = Some(note.gross.map_or(total.abs(), |gross| gross.max(total.abs())));
            }
        }
    }

    fn take_payments(
        &mut self,
        bills: &BTreeMap<Document<'p>, usize>,
        payments: &'p [Payment],
        today: NaiveDate,
    ) {
        for payment in payments {
            let number = DocumentNo {
                space: payment.space,
                distributor_code: &payment.distributor_code,
                number: &payment.invoice_no,
            };
            let years = bills.range((number, None)..=(number, Some(i32::MAX)));
            let before = |bill: usize| self.bills[bill].day.is_some_and(|day| day <= payment.paid_on);
            let named = years
                .filter(|((_, year), bill)| year.is_none() || before(**bill))
                .map(|(_, bill)| *bill)
                .next_back();
            let Some(bill) = named.map(|at| &mut self.bills[at]) else { continue };
            if payment.paid_on > today {
                bill.wake_on(payment.paid_on);
            } else {
                add(&mut bill.paid, &payment.currency, payment.amount);
            }
        }
    }
}

impl<'p> Bill<'p> {
    fn take_line(&mut self, line: &Line<'p>) {
        let day = line.row.when.written_day();
        self.day = Some(self.day.map_or(day, |before| before.min(day)));
        if line.cancelled {
            return;
        }
        add(&mut self.net, line.row.currency, line.row.amount);
        if let Some(total) = line.row.invoice_total
            && self.gross.is_none_or(|(gross, _)| gross < total)
        {
            self.gross = Some((total, line.row.currency));
        }
    }

    fn wake_on(&mut self, day: NaiveDate) {
        self.wakes = Some(self.wakes.map_or(day, |before| before.min(day)));
    }

    /// The currency of its total, else of its lines; the scheme's where those are in several.
    fn currency(&self, scheme: &Scheme) -> &'p str {
        match (self.gross, self.net.as_slice()) {
            (Some((_, currency)), _) => currency,
            (None, [first, rest @ ..])
                if rest.iter().all(|sum| alike(scheme, first.currency, sum.currency)) =>
            {
                first.currency
            }
            (None, _) => "",
        }
    }

    /// What is to be paid, credit notes taken off, by currency.
    fn due(&self, scheme: &Scheme) -> Vec<Sum<'_>> {
        let mut due: Vec<Sum<'_>> = Vec::with_capacity(1);
        let mut take = |currency: &'p str, amount: &Frac| match due
            .iter_mut()
            .find(|sum| alike(scheme, sum.currency, currency))
        {
            Some(sum) => sum.amount += amount,
            None => due.push(Sum { currency, amount: amount.clone() }),
        };
        match self.gross {
            Some((gross, currency)) => take(currency, &Frac::from(gross)),
            None => self.net.iter().for_each(|sum| take(sum.currency, &sum.amount)),
        }
        for note in self.notes.values() {
            match (self.gross, note.gross, note.net.as_slice()) {
                (Some(_), Some(gross), [net]) => {
                    let gross = if net.amount.sign().is_gt() { gross } else { -gross };
                    take(net.currency, &Frac::from(gross));
                }
                (Some(_) | None, Some(_) | None, net) => {
                    net.iter().for_each(|sum| take(sum.currency, &sum.amount));
                }
            }
        }
        due
    }

    fn missing(&self, scheme: &Scheme) -> Option<Missing> {
        let due = self.due(scheme);
        let tolerance = Frac::from(scheme.earn.payment_tolerance);
        let own = self.currency(scheme);
        let paid_in = |of: &str| -> Frac {
            let said = |paid: &Sum<'p>| if paid.currency.is_empty() { own } else { paid.currency };
            self.paid.iter().filter(|paid| alike(scheme, of, said(paid))).map(|paid| &paid.amount).sum()
        };
        let missing = due.iter().find_map(|sum| {
            let missing = &sum.amount - &paid_in(sum.currency);
            (missing > tolerance).then_some((missing, sum.currency))
        })?;
        let foreign = |paid: &Sum<'_>| {
            let known = |sum: &Sum<'_>| alike(scheme, sum.currency, paid.currency);
            !paid.currency.is_empty() && !due.iter().any(known)
        };
        Some(Missing {
            at: 0,
            amount: Some((missing.0, meant(scheme, missing.1).to_owned())),
            note: if self.paid.iter().any(foreign) { "payment_currency" } else { "" },
        })
    }
}

fn document<'p>(line: &Line<'p>) -> Document<'p> {
    (DocumentNo::of(line.space, line.scope, &line.row), line.row.number_year)
}

/// Whether two currencies are one; none is the scheme's.
fn alike(scheme: &Scheme, one: &str, other: &str) -> bool {
    same_word(meant(scheme, one), meant(scheme, other))
}

fn meant<'c>(scheme: &'c Scheme, currency: &'c str) -> &'c str {
    if currency.is_empty() { &scheme.currency } else { currency }
}

fn add<'p>(sums: &mut Vec<Sum<'p>>, currency: &'p str, amount: Decimal) {
    match sums.iter_mut().find(|sum| same_word(sum.currency, currency)) {
        Some(sum) => sum.amount += &Frac::from(amount),
        None => sums.push(Sum { currency, amount: Frac::from(amount) }),
    }
}
