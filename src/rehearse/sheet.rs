//! The sales of one example as the rows of one file, and what evaluation makes of them.

use super::Aside;
use crate::calendar::{Cycle, ZoneCache, business_date};
use crate::domain::decimal::DecimalMark;
use crate::evaluate::{Payments, Position, Positions, Subject, World, evaluate};
use crate::facts::fx::Rates;
use crate::facts::master::PartnerRecord;
use crate::facts::record::{self, Document};
use crate::facts::row::DocType;
use crate::facts::settle::{Fate, HeldFact, Line, NumberScope, Said, settle};
use crate::ingest::{self, CreditNotes, Encoding, LastRow, Layout, Packing, Stop, Taken};
use crate::scheme::{Example, ExampleSale, Family, Scheme};
use chrono::NaiveDate;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The partner of an example that names none.
const PARTNER: &str = "EXAMPLE";
/// Columns that every file has.
const REQUIRED: [&str; 4] = ["invoice_no", "invoice_date", "partner_code", "amount"];

/// An example's sales, read.
#[derive(Debug)]
pub(super) struct Sheet {
    /// each row as `facts::record` keeps it
    records: Vec<Vec<u8>>,
    /// line of each sale in the file that they make
    lines: Vec<u64>,
    partner: String,
    masters: HashMap<String, Vec<PartnerRecord>>,
    /// a day on which nothing is in the future
    today: NaiveDate,
    /// the cycle that is checked
    pub(super) cycle: Cycle,
}

/// What evaluation makes of a sheet.
pub(super) struct Played<'p> {
    /// every position
    pub(super) all: &'p Positions,
    /// that of the cycle checked
    pub(super) position: Option<&'p Position>,
    /// what they were worked out from
    pub(super) lines: &'p [Line<'p>],
    /// rows that no position has, by line of the file, and why
    pub(super) set_aside: Vec<(u64, &'static str)>,
}

impl Sheet {
    /// Reads the sales as a file of a feed in the scheme's own zone and in canonical columns would be read.
    pub(super) fn read(scheme: &Scheme, example: &Example) -> Result<Sheet, Vec<Aside>> {
        let partner = partner(example);
        let (file, lines) = file(example, partner);
        let mut records = Vec::new();
        let mut days = Vec::new();
        let mut rejects = Vec::new();
        let sale_at = |line: u64| lines.iter().rposition(|start| *start <= line).map_or(0, |index| index + 1);
        let read = ingest::sales(&mut file.as_bytes(), Packing::Plain, &layout(scheme), &mut |taken| {
            match taken {
                Taken::Row(row) => {
                    let (mut document, mut bytes) = (Document::new(NumberScope::Distributor), Vec::new());
                    document.push(row);
                    document.finish(&mut bytes);
                    records.push(bytes);
                    days.push(business_date(row.when, scheme.timezone, scheme.day_closes_at));
                    if row.doc_type != DocType::Cancellation && row.partner_code != partner {
                        let why = format!("is of partner {}, the example of {partner}", row.partner_code);
                        rejects.push(Aside { sale: sale_at(row.file_line), why });
                    }
                }
                Taken::Reject(reject) => rejects.push(Aside {
                    sale: sale_at(reject.line),
                    why: format!("{}: {}", reject.reason, reject.detail),
                }),
            }
            Ok(())
        });
        if let Err(stop) = read {
            rejects.push(Aside { sale: 1, why: refusal(stop) });
        }
        if !rejects.is_empty() {
            return Err(rejects);
        }
        let named = example.cycle.as_ref().and_then(|name| scheme.calendar.parse(name));
        let first = days.first().copied().unwrap_or(scheme.starts);
        let cycle = named.unwrap_or_else(|| scheme.calendar.cycle_of(first));
        let today = days.into_iter().fold(scheme.calendar.days(cycle).1, NaiveDate::max);
        let masters = masters(scheme, partner);
        Ok(Sheet { records, lines, partner: partner.to_owned(), masters, today, cycle })
    }

    /// Which of the example's sales, from 1, a line of the file is.
    pub(super) fn sale_at(&self, file_line: u64) -> usize {
        self.lines.iter().rposition(|start| *start <= file_line).map_or(0, |index| index + 1)
    }

    /// Settles and evaluates the sales by the rules of a family, and looks at what comes out.
    pub(super) fn play<T>(&self, family: &Family, look: impl FnOnce(&Played<'_>) -> T) -> T {
        let said = self.said();
        let settled = settle(&said, &[], &[]);
        let Some(version) = family.versions.first() else {
            let none = Positions::default();
            return look(&Played { all: &none, position: None, lines: &[], set_aside: Vec::new() });
        };
        let zone = ZoneCache::new(version.timezone);
        let rates = Rates::default();
        let world = World {
            family,
            items: None,
            has_partner_master: !self.masters.is_empty(),
            rates: &rates,
            waived: None,
            today: self.today,
            zone: &zone,
        };
        let known_cycles: BTreeSet<Cycle> =
            family.index_for(self.cycle).map(|_| self.cycle).into_iter().collect();
        let subject = Subject {
            partner_code: &self.partner,
            lines: &settled.lines,
            masters: &self.masters,
            called: None,
            known_cycles: &known_cycles,
            payments: Payments::TakenAsPaid,
        };
        let all = evaluate(&world, &subject);
        let position = all.positions.iter().find(|position| position.cycle == self.cycle);
        let set_aside = said
            .iter()
            .zip(&settled.fates)
            .filter_map(|(said, fate)| Some((said.row.file_line, word(*fate)?)))
            .collect();
        look(&Played { all: &all, position, lines: &settled.lines, set_aside })
    }

    fn said(&self) -> Vec<Said<'_>> {
        let mut said = Vec::with_capacity(self.records.len());
        for record in &self.records {
            // what was encoded above decodes
            let _decoded = record::decode_each(record, |row| {
                said.push(Said { seq: 1, rank: 1, space: 1, scope: NumberScope::Distributor, row: *row });
            });
        }
        said
    }
}

/// Why a row has no part in any position.
fn word(fate: Fate) -> Option<&'static str> {
    match fate {
        Fate::Accepted | Fate::Superseding => None,
        Fate::Duplicate => Some("duplicate"),
        Fate::Outdated => Some("outdated"),
        Fate::Held(HeldFact::IdentityConflict) => Some("identity_conflict"),
        Fate::Held(HeldFact::RowsVanished) => Some("rows_vanished"),
        Fate::Rejected(_) => Some("identity_twice"),
    }
}

fn refusal(stop: Stop) -> String {
    match stop {
        Stop::Refused(refusal) => format!("{}: {}", refusal.reason, refusal.detail),
        Stop::Io(fault) => fault.to_string(),
        Stop::Taker(fault) => format!("{fault:#}"),
    }
}

fn cell<'e>(sale: &'e ExampleSale, column: &str) -> Option<&'e str> {
    sale.cells.iter().find(|(name, _)| name == column).map(|(_, text)| text.as_str())
}

/// The first partner that a sale names.
fn partner(example: &Example) -> &str {
    let named = example.sales.iter().filter_map(|sale| cell(sale, "partner_code"));
    named.into_iter().find(|code| !code.is_empty()).unwrap_or(PARTNER)
}

/// The sales as CSV with every cell quoted, and the line on which each begins.
fn file(example: &Example, partner: &str) -> (String, Vec<u64>) {
    let mut columns: Vec<&str> = REQUIRED.to_vec();
    let named = example.sales.iter().flat_map(|sale| &sale.cells).map(|(column, _)| column.as_str());
    for column in named {
        if !columns.contains(&column) {
            columns.push(column);
        }
    }
    let mut text = columns.join(",") + "\n";
    let mut lines = Vec::with_capacity(example.sales.len());
    let mut line = 2;
    for (index, sale) in example.sales.iter().enumerate() {
        lines.push(line);
        let own_number = format!("sale {}", index + 1);
        for (at, column) in columns.iter().enumerate() {
            let blank = match *column {
                "invoice_no" => own_number.as_str(),
                "partner_code" => partner,
                "amount" => "0",
                _ => "",
            };
            let written = cell(sale, column).filter(|written| !written.is_empty()).unwrap_or(blank);
            line += written.matches('\n').count() as u64;
            text.push_str(if at == 0 { "\"" } else { ",\"" });
            text.push_str(&written.replace('"', "\"\""));
            text.push('"');
        }
        text.push('\n');
        line += 1;
    }
    (text, lines)
}

fn layout(scheme: &Scheme) -> Layout {
    Layout {
        delimiter: b',',
        encoding: Encoding::Utf8,
        decimal_mark: DecimalMark::Point,
        dates: Vec::new(),
        credit_notes: CreditNotes::PositiveOrNegative,
        columns: BTreeMap::new(),
        defaults: BTreeMap::new(),
        values: BTreeMap::new(),
        timezone: scheme.timezone,
        numbers_restart: None,
        max_bytes: u64::MAX,
        last_row: LastRow::Data,
    }
}

/// A scheme for some classes is rehearsed with a partner of the first of them.
fn masters(scheme: &Scheme, partner: &str) -> HashMap<String, Vec<PartnerRecord>> {
    let Some(class) = scheme.earn.partner_classes.first() else { return HashMap::new() };
    let record = PartnerRecord {
        effective_from: NaiveDate::MIN,
        seq: 0,
        name: String::new(),
        class: class.clone(),
        channel: String::new(),
        email: String::new(),
        phone: String::new(),
        joined_on: None,
        active: true,
        tracked: true,
        referred_by: String::new(),
    };
    HashMap::from([(partner.to_owned(), vec![record])])
}
