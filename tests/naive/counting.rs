//! evaluation.md 1.4 to 1.6 and 2: a line as a scheme sees it: its date, what it returns, whether it counts.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use num_traits::Signed;

use super::facts::{Document, Facts};
use super::masters::{self, Master, Rates};
use super::number::{self, Frac};
use super::payments::Payments;
use super::reading::{Kind, Sale};
use super::rules::{Rules, Scheme};
use super::time::{self, Cycle};

/// Everything the feeds said, up to one moment.
#[derive(Clone, Debug, Default)]
pub struct Known {
    pub facts: Facts,
    pub partners: Master,
    pub items: Master,
    pub rates: Rates,
    pub payments: Payments,
}

/// Whether a line counts, and if not why.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    Counts,
    No(&'static str),
    Held(&'static str),
}

/// A line as one scheme sees it.
#[derive(Clone, Debug)]
pub struct Line {
    pub document: Document,
    pub sale: Sale,
    pub partner: String,
    pub sku: String,
    pub category: String,
    pub channel: String,
    pub payment_method: String,
    /// Its date for every rule.
    pub date: NaiveDate,
    pub cycle: Cycle,
    /// Whether the scheme is in force on its date: else it is in no cycle, and `cycle` only says where it would be.
    pub in_scheme: bool,
    pub verdict: Verdict,
    /// Signed, in the scheme's currency; zero where there is no rate.
    pub amount: Frac,
    pub quantity: Frac,
    /// The invoice whose `per_invoice` cap it falls under.
    pub invoice: Document,
}

/// A line in the making: facts joined with the invoice lines it returns.
struct Joined<'a> {
    document: &'a Document,
    sale: &'a Sale,
    signed: bool,
    cancelled: bool,
    /// For a credit note: its invoice, and the places of the lines it returns.
    invoice: Option<Document>,
    returned: Vec<usize>,
}

/// All lines whose version speaks, as the scheme (in its versions) sees them.
pub fn lines(known: &Known, rules: &Rules, today: NaiveDate) -> Vec<Line> {
    let joined = join(known);
    let judge = Judge { known, rules, today, joined: &joined };
    (0..joined.len()).map(|place| judge.line(place)).collect()
}

fn join(known: &Known) -> Vec<Joined<'_>> {
    let mut joined = vec![];
    for (key, version) in &known.facts.speaking {
        if key.0.kind == Kind::Cancellation {
            continue;
        }
        let cancelled = known.facts.cancelled(key);
        joined.extend(version.rows.iter().map(|sale| Joined {
            document: &key.0,
            sale,
            signed: version.signed,
            cancelled,
            invoice: None,
            returned: vec![],
        }));
    }
    for place in 0..joined.len() {
        let (invoice, returned) = find_invoice(&joined, place, &known.facts);
        let note = &mut joined[place];
        note.cancelled |= invoice.is_some() && returned.is_empty();
        (note.invoice, note.returned) = (invoice, returned);
    }
    joined
}

/// evaluation.md 1.6: the invoice a credit note names, and the places of the lines in force that it returns.
fn find_invoice(joined: &[Joined], place: usize, facts: &Facts) -> (Option<Document>, Vec<usize>) {
    let note = &joined[place];
    let named = note.sale.cell("ref_invoice_no");
    if note.document.kind != Kind::CreditNote || named.is_empty() {
        return (None, vec![]);
    }
    let Some(invoice) = facts.named(note.document, Kind::Invoice, named, note.sale.dated()) else {
        return (None, vec![]);
    };
    let in_force: Vec<usize> =
        (0..joined.len()).filter(|i| *joined[*i].document == invoice && !joined[*i].cancelled).collect();
    let only = |test: &dyn Fn(&Sale) -> bool| -> Vec<usize> {
        in_force.iter().copied().filter(|i| test(joined[*i].sale)).collect()
    };
    let line = note.sale.cell("ref_line_no");
    let by_line = only(&|s| !line.is_empty() && s.line_no == line);
    let sku = note.sale.cell("sku");
    let by_sku = only(&|s| !sku.is_empty() && same(s.cell("sku"), sku));
    let returned = [by_line, by_sku, in_force].into_iter().find(|lines| !lines.is_empty());
    (Some(invoice), returned.unwrap_or_default())
}

struct Judge<'a> {
    known: &'a Known,
    rules: &'a Rules,
    today: NaiveDate,
    joined: &'a [Joined<'a>],
}

impl Judge<'_> {
    fn line(&self, place: usize) -> Line {
        let line = &self.joined[place];
        let date = self.date(place);
        let scheme = self.rules.of_day(date);
        let sku = self.filled(place, "sku");
        let category = self.category(place);
        let amount = self.converted(place, date, scheme);
        Line {
            partner: self.partner(place),
            channel: self.channel(place),
            payment_method: self.filled(place, "payment_method"),
            cycle: scheme.calendar.cycle_of(date),
            in_scheme: self
                .rules
                .versions
                .iter()
                .any(|v| v.starts <= date && v.ends.is_none_or(|ends| date <= ends)),
            verdict: self.verdict(place),
            amount: amount.unwrap_or_else(|| number::int(0)),
            quantity: signed(line, &line.sale.quantity),
            invoice: match (&line.invoice, line.returned.is_empty()) {
                (Some(invoice), false) => invoice.clone(),
                _ => line.document.clone(),
            },
            document: line.document.clone(),
            sale: line.sale.clone(),
            sku,
            category,
            date,
        }
    }

    fn own_date(&self, place: usize) -> NaiveDate {
        let scheme = self.rules.first();
        time::business_date(&self.joined[place].sale.when, scheme.zone, scheme.day_closes_at)
    }

    /// Who that is, by the code as the file writes it or by what its distributor calls the partner.
    fn partner(&self, place: usize) -> String {
        let sale = self.joined[place].sale;
        self.known.partners.partner(
            sale.cell("distributor_code"),
            sale.cell("partner_code"),
            self.date(place),
        )
    }

    /// evaluation.md 1.6: with original-cycle, the earliest date among the lines it returns.
    fn date(&self, place: usize) -> NaiveDate {
        let own = self.own_date(place);
        let returned = &self.joined[place].returned;
        if !self.rules.of_day(own).returns_at_original {
            return own;
        }
        returned.iter().map(|i| self.own_date(*i)).min().unwrap_or(own)
    }

    /// A cell of the line, or for a credit note without it what the lines it returns all have.
    fn filled(&self, place: usize, column: &str) -> String {
        let line = &self.joined[place];
        let own = line.sale.cell(column);
        let theirs: Vec<&str> = line.returned.iter().map(|i| self.joined[*i].sale.cell(column)).collect();
        match theirs.first() {
            Some(first) if own.is_empty() && theirs.iter().all(|t| same(t, first)) => (*first).to_string(),
            _ => own.to_string(),
        }
    }

    fn category(&self, place: usize) -> String {
        let own = self.filled(place, "category");
        if !own.is_empty() {
            return own;
        }
        let item = self.known.items.on(&self.filled(place, "sku").to_lowercase(), self.date(place));
        item.and_then(|i| i.get("category")).cloned().unwrap_or_else(|| {
            let theirs: Vec<String> =
                self.joined[place].returned.iter().map(|line| self.category(*line)).collect();
            let alike = theirs.windows(2).all(|pair| same(&pair[0], &pair[1]));
            theirs.into_iter().next().filter(|_| alike).unwrap_or_default()
        })
    }

    fn channel(&self, place: usize) -> String {
        let own = self.filled(place, "channel");
        if !own.is_empty() {
            return own;
        }
        let record = self.known.partners.on(&self.partner(place), self.date(place));
        record.and_then(|r| r.get("channel")).cloned().unwrap_or_default()
    }

    /// Signed amount in the scheme's currency, or None where the day has no rate.
    fn converted(&self, place: usize, date: NaiveDate, scheme: &Scheme) -> Option<Frac> {
        let line = &self.joined[place];
        let amount = signed(line, &line.sale.amount);
        let currency = line.sale.cell("currency");
        if currency.is_empty() || same(currency, &scheme.currency) {
            return Some(amount);
        }
        self.known.rates.on(currency, &scheme.currency, date).map(|rate| amount * rate)
    }

    /// evaluation.md 2: the first reason, in its order; what would be `no` for good is never held.
    fn verdict(&self, place: usize) -> Verdict {
        let line = &self.joined[place];
        let date = self.date(place);
        let scheme = self.rules.of_day(date);
        if line.cancelled {
            return Verdict::No("cancelled");
        }
        if self.own_date(place) > self.today {
            return Verdict::Held("future_date");
        }
        if date < self.rules.first().starts {
            return Verdict::No("before_scheme");
        }
        if self.rules.last().ends.is_some_and(|ends| date > ends) {
            return Verdict::No("after_scheme");
        }
        let statuses =
            if line.document.kind == Kind::Invoice { &scheme.statuses } else { &scheme.return_statuses };
        if !allows(statuses, line.sale.cell("status")) {
            return Verdict::No("status");
        }
        let inner = if line.returned.is_empty() {
            self.own_rules(place, scheme, date)
        } else {
            match self.returned_rules(place) {
                Verdict::No(why) => Verdict::No(why),
                // "a credit note is paid when its invoice is", by the rules of its own cycle
                _ if scheme.on_payment && !self.paid(line.returned[0], scheme) => Verdict::No("unpaid"),
                inner => inner,
            }
        };
        match inner {
            Verdict::Counts if self.converted(place, date, scheme).is_none() => Verdict::Held("no_fx_rate"),
            inner => inner,
        }
    }

    /// A credit note that has found its invoice goes by the lines it returns.
    fn returned_rules(&self, place: usize) -> Verdict {
        let verdicts: Vec<Verdict> = self.joined[place].returned.iter().map(|i| self.verdict(*i)).collect();
        if verdicts.contains(&Verdict::Counts) {
            return Verdict::Counts;
        }
        let held = verdicts.iter().find(|v| matches!(v, Verdict::Held(_)));
        held.unwrap_or(&verdicts[0]).clone()
    }

    fn own_rules(&self, place: usize, scheme: &Scheme, date: NaiveDate) -> Verdict {
        let sale = self.joined[place].sale;
        let currency = match sale.cell("currency") {
            "" => &scheme.currency,
            written => written,
        };
        if !allows(&scheme.currencies, currency) {
            return Verdict::No("currency");
        }
        if !allows(&scheme.channels, &self.channel(place)) {
            return Verdict::No("channel");
        }
        let mut held = None;
        if let Some(verdict) = self.partner_rules(&self.partner(place), scheme, date) {
            match verdict {
                Verdict::Held(_) => held = Some(verdict),
                Verdict::Counts | Verdict::No(_) => return verdict,
            }
        }
        if !allows(&scheme.payment_methods, &self.filled(place, "payment_method")) {
            return Verdict::No("payment_method");
        }
        if let Some(verdict) = self.item_rules(place, scheme, date) {
            match verdict {
                Verdict::Held(_) => held = held.or(Some(verdict)),
                Verdict::Counts | Verdict::No(_) => return verdict,
            }
        }
        if scheme.on_payment && !self.paid(place, scheme) {
            return Verdict::No("unpaid");
        }
        held.unwrap_or(Verdict::Counts)
    }

    /// Whether a line's invoice is paid in full: of a credit note that has found none, it is not.
    fn paid(&self, place: usize, scheme: &Scheme) -> bool {
        let line = &self.joined[place];
        if line.document.kind != Kind::Invoice {
            return false;
        }
        let billed = self.billed(line.document, scheme);
        let own = if billed.len() == 1 { billed.keys().next() } else { None };
        let own = own.unwrap_or(&scheme.currency);
        let names = |invoice: &Document, day: NaiveDate| {
            self.known.facts.named(invoice, Kind::Invoice, &invoice.number, day).as_ref() == Some(invoice)
        };
        self.due(line.document, scheme).iter().all(|(currency, wanted)| {
            let pays = |said: &str| same(currency, if said.is_empty() { own } else { said });
            let received = self.known.payments.received(line.document, names, self.today, pays);
            received >= wanted - &scheme.payment_tolerance
        })
    }

    /// What an invoice comes to by currency: the largest total that a line of it says, else the sum of its lines.
    fn billed(&self, invoice: &Document, scheme: &Scheme) -> BTreeMap<String, Frac> {
        let own = || self.joined.iter().filter(|l| l.document == invoice && !l.cancelled);
        let total = |l: &Joined| number::plain(l.sale.cell("invoice_total"));
        let totals: Vec<&Joined> = own().filter(|l| total(l).is_some()).collect();
        // the first of the largest, whatever the currencies
        match totals.iter().rev().max_by_key(|l| total(l)) {
            Some(line) => BTreeMap::from([(currency(line, scheme), total(line).expect("it has one"))]),
            None => {
                let mut sums = BTreeMap::new();
                own().for_each(|l| add(&mut sums, currency(l, scheme), l.sale.amount.clone()));
                sums
            }
        }
    }

    /// What is to be paid for an invoice, its credit notes taken off, by currency.
    fn due(&self, invoice: &Document, scheme: &Scheme) -> BTreeMap<String, Frac> {
        let mut due = self.billed(invoice, scheme);
        for (place, note) in self.joined.iter().enumerate() {
            if note.invoice.as_ref() == Some(invoice) && !note.cancelled && self.own_date(place) <= self.today
            {
                add(&mut due, currency(note, scheme), signed(note, &note.sale.amount));
            }
        }
        due
    }

    fn partner_rules(&self, code: &str, scheme: &Scheme, date: NaiveDate) -> Option<Verdict> {
        let record = self.known.partners.on(code, date);
        let unlisted = record.is_none() && !self.known.partners.is_empty();
        match scheme.unlisted_partners.as_str() {
            "exclude" if unlisted => return Some(Verdict::No("partner_unlisted")),
            "hold" if unlisted => return Some(Verdict::Held("partner_unlisted_held")),
            _ => {}
        }
        let cell = |column: &str| record.and_then(|r| r.get(column)).map_or("", String::as_str);
        if !allows(&scheme.partner_classes, cell("class")) {
            return Some(Verdict::No("partner_class"));
        }
        if record.is_some_and(|r| masters::says_no(r, "active")) {
            return Some(Verdict::No("partner_inactive"));
        }
        record.is_some_and(|r| masters::says_no(r, "tracked")).then_some(Verdict::No("partner_untracked"))
    }

    fn item_rules(&self, place: usize, scheme: &Scheme, date: NaiveDate) -> Option<Verdict> {
        let (sku, category) = (self.filled(place, "sku"), self.category(place));
        let item = self.known.items.on(&sku.to_lowercase(), date);
        let left_out = |only: &[String], cell: &str| !only.is_empty() && !matches(only, cell);
        if matches(&scheme.exclude_skus, &sku)
            || left_out(&scheme.only_skus, &sku)
            || item.is_some_and(|i| masters::says_no(i, "earns_points"))
        {
            return Some(Verdict::No("sku_excluded"));
        }
        if matches(&scheme.exclude_categories, &category) || left_out(&scheme.only_categories, &category) {
            return Some(Verdict::No("category_excluded"));
        }
        let unlisted = !sku.is_empty() && item.is_none() && !self.known.items.is_empty();
        match scheme.unlisted_skus.as_str() {
            "exclude" if unlisted => Some(Verdict::No("sku_unlisted")),
            "hold" if unlisted => Some(Verdict::Held("sku_unlisted_held")),
            _ => None,
        }
    }
}

fn currency(line: &Joined, scheme: &Scheme) -> String {
    match line.sale.cell("currency") {
        "" => scheme.currency.to_lowercase(),
        written => written.to_lowercase(),
    }
}

fn add(sums: &mut BTreeMap<String, Frac>, currency: String, amount: Frac) {
    *sums.entry(currency).or_insert_with(|| number::int(0)) += amount;
}

/// evaluation.md 3.2: credit notes are negative, unless the feed says `signed`.
fn signed(line: &Joined, figure: &Frac) -> Frac {
    if line.document.kind == Kind::CreditNote && !line.signed { -figure.abs() } else { figure.clone() }
}

pub fn same(a: &str, b: &str) -> bool {
    a.to_lowercase() == b.to_lowercase()
}

fn allows(list: &[String], cell: &str) -> bool {
    list.is_empty() || list.iter().any(|l| same(l, cell))
}

/// Whether any of the patterns matches: `*` and `?` are wildcards, nothing else is, case does not matter.
pub fn matches(patterns: &[String], cell: &str) -> bool {
    let cell: Vec<char> = cell.to_lowercase().chars().collect();
    patterns.iter().any(|p| {
        let pattern: Vec<char> = p.to_lowercase().chars().collect();
        !cell.is_empty() && wild(&pattern, &cell)
    })
}

fn wild(pattern: &[char], text: &[char]) -> bool {
    match (pattern.split_first(), text.split_first()) {
        (None, rest) => rest.is_none(),
        (Some(('*', after)), _) => (0..=text.len()).any(|i| wild(after, &text[i..])),
        (Some(_), None) => false,
        (Some((p, after)), Some((c, rest))) => (*p == '?' || p == c) && wild(after, rest),
    }
}

/// How many lines have which verdict, for messages.
pub fn tally(lines: &[Line]) -> BTreeMap<Verdict, usize> {
    let mut tally = BTreeMap::new();
    for line in lines {
        *tally.entry(line.verdict.clone()).or_default() += 1;
    }
    tally
}
