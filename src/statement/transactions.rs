//! `transactions.csv`: every line in force of the cycle, counted or not, in the order of `Position::lines`.
//!
//! The largest file of a run (2 million rows, 360 MB), so its cells are written by hand and what repeats from row to row is
//! rendered once. The `points` column of a partner adds up to the `points` of its summary row.
//!
//! `currency` is the scheme's where the file gave none, for such a line is in the scheme's (evaluation.md 3.1). `scheme_amount`
//! has the digits of `amount` where no conversion was needed, and is empty
//! while no rate is known, and of lines in no cycle. Several notes are separated by `; `.

use super::cell::{LastDay, comma, date, end, header, plain, text, when};
use super::number::{decimal, frac, points, unsigned};
use super::papers::{MONEY, Papers};
use crate::domain::frac::Frac;
use crate::domain::points::Points;
use crate::domain::word::same_word;
use crate::evaluate::{Converted, Counts, HeldLine, LineOutcome, Missing, Outside, Position, WhyNot};
use crate::facts::row::Row;
use crate::facts::settle::Line;
use crate::facts::texts::same;
use chrono::NaiveDate;
use std::ops::Range;

/// The columns (interfaces.md 5).
const COLUMNS: [&str; 21] = [
    "partner_code",
    "doc_type",
    "invoice_no",
    "line_no",
    "invoice_date",
    "business_date",
    "distributor_code",
    "distributor_name",
    "channel",
    "sku",
    "category",
    "quantity",
    "amount",
    "currency",
    "scheme_amount",
    "counts",
    "why_not",
    "note",
    "points",
    "file",
    "file_line",
];

impl Papers<'_> {
    /// The header of `transactions.csv`.
    pub fn transactions_header(out: &mut Vec<u8>) {
        header(out, COLUMNS);
    }

    /// A partner's rows, of which there are as many as the answer says. `lines` are those that the position was worked out
    /// from; `file_name` tells the name of the file that an ingestion (`seq`) took.
    pub fn transaction_rows<'n>(
        &self,
        out: &mut Vec<u8>,
        partner_code: &str,
        position: &Position,
        lines: &[Line<'_>],
        file_name: &dyn Fn(i64) -> &'n str,
    ) -> u64 {
        let mut repeats = Repeats::new(partner_code);
        let mut rows = 0;
        let mut missing = position.missing.iter().peekable();
        for (at, outcome) in position.lines.iter().enumerate() {
            let missing = missing.next_if(|missing| missing.at == at);
            if let Some(line) = lines.get(outcome.line) {
                self.transaction(out, &mut repeats, (outcome, missing), line, file_name);
                rows += 1;
            }
        }
        rows
    }

    /// Likewise the rows of lines that belong to no cycle of the scheme; they earn nothing.
    pub fn outside_rows<'n>(
        &self,
        out: &mut Vec<u8>,
        partner_code: &str,
        outside: &[Outside],
        lines: &[Line<'_>],
        file_name: &dyn Fn(i64) -> &'n str,
    ) {
        let mut repeats = Repeats::new(partner_code);
        for outside in outside {
            let Some(line) = lines.get(outside.line) else { continue };
            let outcome = LineOutcome {
                line: outside.line,
                business_date: outside.business_date,
                rule_date: outside.business_date,
                counts: outside.counts,
                notes: Vec::new(),
                scheme_amount: Frac::ZERO,
                converted: self.unconverted(&line.row),
                share: Frac::ZERO,
                factor: Frac::ZERO,
                earned: Frac::ZERO,
                bonus: Frac::ZERO,
                tier: None,
                points: Points::ZERO,
            };
            self.transaction(out, &mut repeats, (&outcome, None), line, file_name);
        }
    }

    fn transaction<'l, 'n>(
        &self,
        out: &mut Vec<u8>,
        repeats: &mut Repeats<'l>,
        (outcome, missing): (&LineOutcome, Option<&Missing>),
        line: &'l Line<'_>,
        file_name: &dyn Fn(i64) -> &'n str,
    ) {
        let row = &line.row;
        repeats.document(out, row, outcome.business_date);
        for cell in [row.channel, row.sku, row.category] {
            text(out, cell);
            comma(out);
        }
        self.amounts(out, row, outcome);
        verdict(out, outcome, missing);
        points(out, outcome.points, self.points);
        comma(out);
        out.extend_from_slice(repeats.file(line.seq, file_name));
        unsigned(out, row.file_line);
        end(out);
    }

    fn amounts(&self, out: &mut Vec<u8>, row: &Row<'_>, outcome: &LineOutcome) {
        decimal(out, row.quantity, 0);
        comma(out);
        let start = out.len();
        decimal(out, row.amount, MONEY);
        let amount = start..out.len();
        comma(out);
        text(out, if row.currency.is_empty() { &self.scheme.currency } else { row.currency });
        comma(out);
        match outcome.converted {
            Converted::AsItIs => out.extend_from_within(amount),
            Converted::At(_) => frac(out, &outcome.scheme_amount, MONEY),
            Converted::NoRate => (),
        }
        comma(out);
    }

    /// A line of no cycle is not converted: it has no day for the rules.
    fn unconverted(&self, row: &Row<'_>) -> Converted {
        let own = row.currency.is_empty() || same_word(row.currency, &self.scheme.currency);
        if own { Converted::AsItIs } else { Converted::NoRate }
    }
}

/// `counts`, `why_not`, `note` and the comma after them.
fn verdict(out: &mut Vec<u8>, outcome: &LineOutcome, missing: Option<&Missing>) {
    match outcome.counts {
        Counts::Yes => out.extend_from_slice(b"yes,,"),
        Counts::No(why) => {
            out.extend_from_slice(b"no,");
            plain(out, why_not(why));
            comma(out);
        }
        Counts::Held(why) => {
            out.extend_from_slice(b"held,");
            plain(out, held(why));
            comma(out);
        }
    }
    for (index, note) in outcome.notes.iter().enumerate() {
        if index > 0 {
            plain(out, "; ");
        }
        plain(out, note);
    }
    if let Some(missing) = missing {
        let words = missing_note(missing);
        if !(outcome.notes.is_empty() || words.is_empty()) {
            plain(out, "; ");
        }
        plain(out, &words);
    }
    comma(out);
}

/// Of a line that is `unpaid`: what is missing of its invoice (`missing 680.00 INR`), and why nothing came in.
pub fn missing_note(missing: &Missing) -> String {
    let mut words = Vec::new();
    if let Some((amount, currency)) = &missing.amount {
        words.extend_from_slice(b"missing ");
        frac(&mut words, amount, MONEY);
        words.push(b' ');
        words.extend(currency.chars().filter(|c| c.is_alphanumeric()).collect::<String>().bytes());
    }
    if !missing.note.is_empty() {
        words.extend_from_slice(if words.is_empty() { b"" } else { b"; " });
        words.extend_from_slice(missing.note.as_bytes());
    }
    String::from_utf8(words).unwrap_or_default()
}

/// The word of evaluation.md 2.
pub fn why_not(why: WhyNot) -> &'static str {
    match why {
        WhyNot::Cancelled => "cancelled",
        WhyNot::BeforeScheme => "before_scheme",
        WhyNot::AfterScheme => "after_scheme",
        WhyNot::Status => "status",
        WhyNot::Currency => "currency",
        WhyNot::Channel => "channel",
        WhyNot::PartnerUnlisted => "partner_unlisted",
        WhyNot::PartnerClass => "partner_class",
        WhyNot::PartnerInactive => "partner_inactive",
        WhyNot::PartnerUntracked => "partner_untracked",
        WhyNot::PaymentMethod => "payment_method",
        WhyNot::SkuExcluded => "sku_excluded",
        WhyNot::CategoryExcluded => "category_excluded",
        WhyNot::SkuUnlisted => "sku_unlisted",
        WhyNot::Unpaid => "unpaid",
    }
}

/// The word of evaluation.md 2.
pub fn held(why: HeldLine) -> &'static str {
    match why {
        HeldLine::FutureDate => "future_date",
        HeldLine::PartnerUnlistedHeld => "partner_unlisted_held",
        HeldLine::SkuUnlistedHeld => "sku_unlisted_held",
        HeldLine::NoFxRate => "no_fx_rate",
    }
}

/// Writes what stands in `out` already once more, else what `write` does; where it stands now.
fn written(
    out: &mut Vec<u8>,
    before: Option<Range<usize>>,
    write: impl FnOnce(&mut Vec<u8>),
) -> Range<usize> {
    let start = out.len();
    match before {
        Some(before) => out.extend_from_within(before),
        None => write(out),
    }
    start..out.len()
}

/// Cells that repeat from row to row, with the comma after them.
struct Repeats<'l> {
    partner: Vec<u8>,
    document: Option<DocumentCells<'l>>,
    day: Option<NaiveDate>,
    day_cell: Vec<u8>,
    seq: Option<i64>,
    file_cell: Vec<u8>,
    /// of the moment that the file wrote
    written: LastDay,
}

/// The cells of a row that other lines of its document mostly have too, and where they stand in what was written.
struct DocumentCells<'l> {
    row: &'l Row<'l>,
    business_date: NaiveDate,
    /// from `partner_code` to `invoice_no`
    head: Range<usize>,
    /// from `invoice_date` to `distributor_name`
    rest: Range<usize>,
}

impl DocumentCells<'_> {
    fn are_of(&self, row: &Row<'_>, business_date: NaiveDate) -> bool {
        let last = self.row;
        same(last.invoice_no, row.invoice_no)
            && (last.doc_type, last.when, self.business_date) == (row.doc_type, row.when, business_date)
            && same(last.distributor_code, row.distributor_code)
            && same(last.distributor_name, row.distributor_name)
    }
}

impl<'l> Repeats<'l> {
    fn new(partner_code: &str) -> Self {
        let mut partner = Vec::with_capacity(partner_code.len() + 1);
        text(&mut partner, partner_code);
        comma(&mut partner);
        Repeats {
            partner,
            document: None,
            day: None,
            day_cell: Vec::new(),
            seq: None,
            file_cell: Vec::new(),
            written: LastDay::default(),
        }
    }

    /// The cells up to `distributor_name`.
    fn document(&mut self, out: &mut Vec<u8>, row: &'l Row<'_>, business_date: NaiveDate) {
        let last = self.document.take().filter(|cells| cells.are_of(row, business_date));
        let (head, rest) = last.map(|cells| (cells.head, cells.rest)).unzip();
        let head = written(out, head, |out| self.head(out, row));
        text(out, row.line_no);
        comma(out);
        let rest = written(out, rest, |out| self.rest(out, row, business_date));
        self.document = Some(DocumentCells { row, business_date, head, rest });
    }

    fn head(&self, out: &mut Vec<u8>, row: &Row<'_>) {
        out.extend_from_slice(&self.partner);
        plain(out, row.doc_type.word());
        comma(out);
        text(out, row.invoice_no);
        comma(out);
    }

    fn rest(&mut self, out: &mut Vec<u8>, row: &Row<'_>, business_date: NaiveDate) {
        when(out, row.when, &mut self.written);
        comma(out);
        out.extend_from_slice(self.day(business_date));
        for cell in [row.distributor_code, row.distributor_name] {
            text(out, cell);
            comma(out);
        }
    }

    fn day(&mut self, day: NaiveDate) -> &[u8] {
        if self.day != Some(day) {
            self.day = Some(day);
            self.day_cell.clear();
            date(&mut self.day_cell, day);
            comma(&mut self.day_cell);
        }
        &self.day_cell
    }

    fn file<'n>(&mut self, seq: i64, file_name: &dyn Fn(i64) -> &'n str) -> &[u8] {
        if self.seq != Some(seq) {
            self.seq = Some(seq);
            self.file_cell.clear();
            text(&mut self.file_cell, file_name(seq));
            comma(&mut self.file_cell);
        }
        &self.file_cell
    }
}
