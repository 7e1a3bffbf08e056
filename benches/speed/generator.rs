//! Makes a DMS sales export of any size: the same bytes for the same size and seed, on any machine.
//!
//! 14 columns, about 113 bytes a line; invoices of one to seven lines (four on average) over the four quarters of
//! FY2026-27, 25 distributors with numbers of their own, 50,000 partners. A fifth of the timestamps have an offset
//! (of three kinds), a hundredth of the lines comes twice, a hundredth of the documents is a credit note with its
//! reference, one in 2,000 a cancellation. What it says in sum is counted on the way, so that a run can be checked.

use std::io::{self, Write};

/// Partners with sales.
pub const PARTNERS: u64 = 50_000;
/// Distributors; each partner buys from one of them.
const DISTRIBUTORS: u64 = 25;
/// Recent invoices that a credit note or a cancellation may name, and lines that wait to be sent again.
const REMEMBERED: usize = 1 << 16;

/// What an export says in sum.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Totals {
    /// rows without the header
    pub rows: u64,
    /// rows that say again what was said before
    pub sent_again: u64,
    /// rows that are cancellations
    pub cancellations: u64,
    /// rows that are credit notes
    pub credit_notes: u64,
    /// net sales of each quarter in paise: credit notes at the date of their invoice, cancelled invoices left out
    pub measure: [i64; 4],
}

impl Totals {
    /// Lines in force or cancelled, each once.
    pub fn lines(&self) -> u64 {
        self.rows - self.sent_again - self.cancellations
    }
}

/// An invoice that may still be returned or cancelled.
#[derive(Clone, Copy, Default)]
struct Invoice {
    number: u64,
    partner: u64,
    quarter: usize,
    paise: i64,
    sku: usize,
    first_line: i64,
}

const SKUS: [(&str, &str); 12] = [
    ("LED-9W", "LED"),
    ("LED-12W", "LED"),
    ("LED-TUBE-20", "LED"),
    ("BULB-60", "Bulbs"),
    ("BULB-100", "Bulbs"),
    ("FAN-1200", "Fans"),
    ("SW-MOD-6A", "Switches"),
    ("SW-MOD-16A", "Switches"),
    ("WIRE-1.5", "Wires"),
    ("WIRE-2.5", "Wires"),
    ("PANEL-18W", "Panels"),
    ("MCB-32", "Safety"),
];
const CHANNELS: [&str; 4] = ["retail", "retail", "project", "online"];
const TOWNS: [&str; 8] = ["Pune", "Surat", "Kochi", "Indore", "Nagpur", "Jaipur", "Patna", "Mysuru"];
const HEADER: &str = "invoice_no,line_no,doc_type,invoice_date,partner_code,partner_name,distributor_code,channel,sku,\
                      category,quantity,amount,status,ref_invoice_no\n";

/// Writes an export of `rows` rows and says what is in it.
pub fn export(out: &mut impl Write, rows: u64, seed: u64) -> io::Result<Totals> {
    let mut export = Export {
        dice: Dice(seed),
        rows,
        totals: Totals::default(),
        bytes: Vec::with_capacity(1 << 21),
        last_number: [0; DISTRIBUTORS as usize],
        recent: vec![None; REMEMBERED],
        waiting: vec![Vec::new(); REMEMBERED],
    };
    export.bytes.extend_from_slice(HEADER.as_bytes());
    while export.totals.rows < rows {
        export.document();
        if export.bytes.len() > 1 << 20 {
            out.write_all(&export.bytes)?;
            export.bytes.clear();
        }
    }
    out.write_all(&export.bytes)?;
    out.flush()?;
    Ok(export.totals)
}

struct Export {
    dice: Dice,
    rows: u64,
    totals: Totals,
    bytes: Vec<u8>,
    last_number: [u64; DISTRIBUTORS as usize],
    recent: Vec<Option<Invoice>>,
    waiting: Vec<Vec<u8>>,
}

/// What all rows of a document share.
struct Head<'h> {
    number: u64,
    kind: Kind,
    date: &'h [u8],
    partner: u64,
    reference: Option<u64>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Invoice,
    CreditNote,
    Cancellation,
}

impl Export {
    fn document(&mut self) {
        match self.dice.below(2000) {
            0 => self.cancellation(),
            1..=20 => self.credit_note(),
            _ => self.invoice(),
        }
    }

    /// Seconds since 2026-04-01T00:00 in India: documents come in order of their days.
    fn moment(&mut self) -> u64 {
        (self.totals.rows * 365 / self.rows) * 86_400 + self.dice.below(86_400)
    }

    fn invoice(&mut self) {
        let partner = self.partner();
        let number = self.next_number(partner);
        let moment = self.moment();
        let date = timestamp(moment, &mut self.dice);
        let quarter = quarter_of(moment / 86_400);
        let head = Head { number, kind: Kind::Invoice, date: &date, partner, reference: None };
        let lines = (1 + self.dice.below(7)).min(self.rows - self.totals.rows);
        let mut invoice = Invoice { number, partner, quarter, ..Invoice::default() };
        for line in 1..=lines {
            let sku = self.dice.index(SKUS.len());
            let paise = self.amount();
            let begins = self.bytes.len();
            self.row(&head, Some(line), sku, paise);
            self.totals.measure[quarter] += paise;
            invoice.paise += paise;
            if line == 1 {
                (invoice.sku, invoice.first_line) = (sku, paise);
            }
            if self.dice.below(100) == 0 {
                self.send_again_later(begins);
            }
        }
        let slot = self.dice.index(REMEMBERED);
        self.recent[slot] = Some(invoice);
    }

    /// The line that waited in its place is sent now.
    fn send_again_later(&mut self, begins: usize) {
        let slot = self.dice.index(64);
        let row = self.bytes[begins..].to_vec();
        let waited = std::mem::replace(&mut self.waiting[slot], row);
        if !waited.is_empty() && self.totals.rows < self.rows {
            self.bytes.extend_from_slice(&waited);
            self.totals.rows += 1;
            self.totals.sent_again += 1;
        }
    }

    fn credit_note(&mut self) {
        let slot = self.dice.index(REMEMBERED);
        let Some(invoice) = self.recent[slot].take() else { return };
        let number = self.next_number(invoice.partner);
        let moment = self.moment();
        let date = timestamp(moment, &mut self.dice);
        let head = Head {
            number,
            kind: Kind::CreditNote,
            date: &date,
            partner: invoice.partner,
            reference: Some(invoice.number),
        };
        let paise = invoice.first_line / (1 + self.dice.below(4) as i64);
        self.row(&head, Some(1), invoice.sku, paise);
        self.totals.measure[invoice.quarter] -= paise;
        self.totals.credit_notes += 1;
    }

    fn cancellation(&mut self) {
        let slot = self.dice.index(REMEMBERED);
        let Some(invoice) = self.recent[slot].take() else { return };
        let moment = self.moment();
        let date = timestamp(moment, &mut self.dice);
        let head = Head {
            number: invoice.number,
            kind: Kind::Cancellation,
            date: &date,
            partner: invoice.partner,
            reference: None,
        };
        self.row(&head, None, 0, 0);
        self.totals.measure[invoice.quarter] -= invoice.paise;
        self.totals.cancellations += 1;
    }

    /// Some buy more often than others.
    fn partner(&mut self) -> u64 {
        self.dice.below(PARTNERS).min(self.dice.below(PARTNERS * 3))
    }

    fn next_number(&mut self, partner: u64) -> u64 {
        let last = &mut self.last_number[(partner % DISTRIBUTORS) as usize];
        *last += 1;
        *last
    }

    fn amount(&mut self) -> i64 {
        (10_000 + self.dice.below(14_990_000)) as i64
    }

    fn row(&mut self, head: &Head<'_>, line: Option<u64>, sku: usize, paise: i64) {
        let quantity = 1 + self.dice.below(48);
        let channel = CHANNELS[self.dice.index(CHANNELS.len())];
        let status = ["approved", "posted"][self.dice.index(2)];
        let out = &mut self.bytes;
        number(out, b"IN", head.number, 7);
        out.push(b',');
        if let Some(line) = line {
            number(out, b"", line, 1);
        }
        out.extend_from_slice(match head.kind {
            Kind::Invoice => b",invoice,",
            Kind::CreditNote => b",credit_note,",
            Kind::Cancellation => b",cancellation,",
        });
        out.extend_from_slice(head.date);
        number(out, b",P", head.partner, 5);
        out.push(b',');
        out.extend_from_slice(TOWNS[(head.partner % 8) as usize].as_bytes());
        out.extend_from_slice(b" Electricals");
        number(out, b",D", head.partner % DISTRIBUTORS, 2);
        for cell in [channel, SKUS[sku].0, SKUS[sku].1] {
            out.push(b',');
            out.extend_from_slice(cell.as_bytes());
        }
        number(out, b",", quantity, 1);
        number(out, b",", paise as u64 / 100, 1);
        number(out, b".", paise as u64 % 100, 2);
        out.push(b',');
        out.extend_from_slice(status.as_bytes());
        out.push(b',');
        if let Some(reference) = head.reference {
            number(out, b"IN", reference, 7);
        }
        out.push(b'\n');
        self.totals.rows += 1;
    }
}

/// A quarter of FY2026-27 by the day of that year, from 0.
fn quarter_of(day: u64) -> usize {
    [91, 183, 275, 365].iter().position(|&end| day < end).unwrap_or(3)
}

/// A local time in India, one in five written as an instant: in India's own offset, Singapore's or UTC.
fn timestamp(moment: u64, dice: &mut Dice) -> Vec<u8> {
    let mut out = Vec::with_capacity(25);
    // the first day's early hours would be in March at UTC: earlier than the epoch used here
    let (ahead, offset): (i64, &[u8]) = match dice.below(15) {
        0 => (0, b"+05:30"),
        1 => (9_000, b"+08:00"),
        2 => (-19_800, b"Z"),
        _ => (0, b""),
    };
    let epoch = 86_400 * 31; // 1 March
    let shown = (moment + epoch).checked_add_signed(ahead).unwrap_or(0);
    date(&mut out, shown / 86_400);
    let second = shown % 86_400;
    number(&mut out, b"T", second / 3600, 2);
    number(&mut out, b":", second / 60 % 60, 2);
    number(&mut out, b":", second % 60, 2);
    out.extend_from_slice(offset);
    out
}

/// A date by days since 2026-03-01.
fn date(out: &mut Vec<u8>, mut days: u64) {
    const LENGTHS: [u64; 14] = [31, 30, 31, 30, 31, 31, 30, 31, 30, 31, 31, 28, 31, 30];
    let mut month = 2;
    for length in LENGTHS {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    number(out, b"", 2026 + month / 12, 4);
    number(out, b"-", month % 12 + 1, 2);
    number(out, b"-", days + 1, 2);
}

fn number(out: &mut Vec<u8>, before: &[u8], value: u64, digits: usize) {
    out.extend_from_slice(before);
    let mut text = [b'0'; 20];
    let (mut at, mut left) = (20, value);
    while left > 0 {
        at -= 1;
        text[at] = b'0' + (left % 10) as u8;
        left /= 10;
    }
    out.extend_from_slice(&text[at.min(20 - digits)..]);
}

/// SplitMix64: the same numbers everywhere, without a dependency.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(limit)) >> 64) as u64
    }

    fn index(&mut self, length: usize) -> usize {
        self.below(length as u64) as usize
    }
}
