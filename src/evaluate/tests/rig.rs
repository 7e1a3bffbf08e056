//! Hand-made lines and schemes for the tests.

use crate::calendar::ZoneCache;
use crate::domain::frac::Frac;
use crate::domain::when::{ClockNote, When};
use crate::evaluate::{Counts, LineOutcome, Payments, Position, Positions, Subject, World, evaluate};
use crate::facts::fx::{RateRecord, Rates};
use crate::facts::master::{ItemRecord, PartnerRecord};
use crate::facts::money::Payment;
use crate::facts::row::{DocType, Row};
use crate::facts::settle::{Line, NumberScope, Reference};
use crate::scheme::{Family, Scheme, parse};
use chrono::NaiveDate;
use rust_decimal::Decimal;
use std::collections::{BTreeSet, HashMap};

pub const S: &str = r#"
[slabs]
mode = "whole"
[[slab]]
from = "5 lakh"
rate = "0.2%"
tier = "Silver"
[[slab]]
from = "8 lakh"
rate = "0.3%"
tier = "Gold"
[[slab]]
from = "20 lakh"
rate = "0.5%"
tier = "Platinum"
cap = 15000
"#;

pub const ONE_PERCENT: &str = "[slabs]\nmode = \"whole\"\n[[slab]]\nfrom = 0\nrate = \"1%\"\n";

pub fn day(text: &str) -> NaiveDate {
    text.parse().expect("a day")
}

pub fn dec(text: &str) -> Decimal {
    text.parse().expect("a decimal")
}

pub fn frac(text: &str) -> Frac {
    Frac::from(dec(text))
}

pub fn instant(text: &str) -> When {
    let instant = chrono::DateTime::parse_from_rfc3339(text).expect("an instant");
    When::At {
        epoch: instant.timestamp(),
        offset: instant.offset().local_minus_utc(),
        clock: ClockNote::Plain,
    }
}

/// A scheme of quarters from April 2026 without end, with these rules.
pub fn scheme(rules: &str) -> Scheme {
    with_head("starts = 2026-04-01", "length = \"quarter\"\nyear_starts = \"april\"", rules)
}

/// A scheme of months.
pub fn monthly(rules: &str) -> Scheme {
    with_head("starts = 2026-01-01", "length = \"month\"", rules)
}

pub fn with_head(dates: &str, cycle: &str, rules: &str) -> Scheme {
    let head = "id = \"s\"\nname = \"S\"\ncompany = \"C\"\ncurrency = \"INR\"\ntimezone = \"Asia/Kolkata\"";
    let text = format!("[scheme]\n{head}\n{dates}\n[cycle]\n{cycle}\n{rules}");
    match parse("s.toml", &text) {
        Ok((scheme, _)) => scheme,
        Err(faults) => panic!("{}", faults.render(false)),
    }
}

/// An invoice line of partner P.
pub fn sale(number: &'static str, date: &str, amount: &str) -> Line<'static> {
    Line {
        row: Row {
            file_line: 2,
            invoice_no: number,
            line_no: "1",
            when: When::Day(day(date)),
            distributor_code: "D",
            amount: dec(amount),
            ..Row::blank("P")
        },
        seq: 1,
        rank: 1,
        space: 1,
        scope: NumberScope::Distributor,
        cancelled: false,
        reference: Reference::None,
    }
}

/// A credit note that returns the lines at these indexes.
pub fn note(number: &'static str, date: &str, amount: &str, returned: &[usize]) -> Line<'static> {
    let mut line = sale(number, date, amount);
    line.row.doc_type = DocType::CreditNote;
    line.row.quantity = -Decimal::ONE;
    line.reference =
        if returned.is_empty() { Reference::Unknown } else { Reference::Found(returned.to_vec()) };
    line
}

/// With another SKU.
pub fn of(sku: &'static str, mut line: Line<'static>) -> Line<'static> {
    line.row.sku = sku;
    line
}

/// With any other cell.
pub fn with(mut line: Line<'static>, change: impl FnOnce(&mut Row<'static>)) -> Line<'static> {
    change(&mut line.row);
    line
}

/// Everything that evaluation takes, with a partner P.
pub struct Rig {
    pub family: Family,
    pub items: Option<HashMap<String, Vec<ItemRecord>>>,
    pub masters: HashMap<String, Vec<PartnerRecord>>,
    pub known: BTreeSet<crate::calendar::Cycle>,
    pub rates: Vec<RateRecord>,
    pub today: NaiveDate,
    pub payments: Vec<Payment>,
}

pub fn rig(scheme: Scheme) -> Rig {
    rig_of(vec![scheme])
}

pub fn rig_of(versions: Vec<Scheme>) -> Rig {
    Rig {
        family: Family::new("s".to_string(), versions),
        items: None,
        masters: HashMap::new(),
        known: BTreeSet::new(),
        rates: Vec::new(),
        today: day("2028-03-31"),
        payments: Vec::new(),
    }
}

impl Rig {
    pub fn positions(&self, lines: &[Line<'static>]) -> Positions {
        let zone = ZoneCache::new(self.family.versions[0].timezone);
        let rates = Rates::new(self.rates.clone());
        let world = World {
            family: &self.family,
            items: self.items.as_ref(),
            has_partner_master: !self.masters.is_empty(),
            rates: &rates,
            waived: None,
            today: self.today,
            zone: &zone,
        };
        let subject = Subject {
            partner_code: "P",
            lines,
            masters: &self.masters,
            called: None,
            known_cycles: &self.known,
            payments: Payments::Said(&self.payments),
        };
        evaluate(&world, &subject)
    }

    /// The position of a cycle by name.
    pub fn position(&self, cycle: &str, lines: &[Line<'static>]) -> Position {
        self.find(cycle, lines).unwrap_or_else(|| panic!("no position for {cycle}"))
    }

    pub fn find(&self, cycle: &str, lines: &[Line<'static>]) -> Option<Position> {
        let calendar = self.family.versions[0].calendar;
        let positions = self.positions(lines).positions;
        positions.into_iter().find(|position| calendar.name(position.cycle) == cycle)
    }

    /// The only position there is.
    pub fn only(&self, lines: &[Line<'static>]) -> Position {
        let mut positions = self.positions(lines).positions;
        assert_eq!(positions.len(), 1, "{positions:?}");
        positions.remove(0)
    }

    /// How each line fares, in the order given, wherever it is.
    pub fn counts(&self, lines: &[Line<'static>]) -> Vec<Counts> {
        let found = self.positions(lines);
        let inside = found.positions.iter().flat_map(|position| &position.lines);
        let inside = inside.map(|line| (line.line, line.counts));
        let outside = found.outside.iter().map(|line| (line.line, line.counts));
        let mut all: Vec<(usize, Counts)> = inside.chain(outside).collect();
        all.sort_by_key(|(line, _)| *line);
        all.into_iter().map(|(_, counts)| counts).collect()
    }

    pub fn item(mut self, sku: &str, change: impl FnOnce(&mut ItemRecord)) -> Rig {
        let mut record = ItemRecord {
            effective_from: NaiveDate::MIN,
            seq: 1,
            name: String::new(),
            category: String::new(),
            earns_points: true,
            launched_on: None,
        };
        change(&mut record);
        self.items.get_or_insert_default().entry(crate::scheme::fold(sku)).or_default().push(record);
        self
    }

    pub fn rate(mut self, from: &str, date: &str, rate: &str) -> Rig {
        let (from, to) = (from.to_string(), "INR".to_string());
        self.rates.push(RateRecord { day: day(date), from, to, rate: dec(rate) });
        self
    }

    pub fn partner(mut self, code: &str, change: impl FnOnce(&mut PartnerRecord)) -> Rig {
        let mut record = PartnerRecord {
            effective_from: NaiveDate::MIN,
            seq: 1,
            name: String::new(),
            class: String::new(),
            channel: String::new(),
            email: String::new(),
            phone: String::new(),
            joined_on: None,
            active: true,
            tracked: true,
            referred_by: String::new(),
        };
        change(&mut record);
        self.masters.entry(code.to_string()).or_default().push(record);
        self
    }
}

/// A position's points in plain digits, and the tier reached.
pub fn earned(position: &Position) -> (String, &str) {
    (position.points.to_string(), position.tier.as_str())
}

/// The line that a position has of the subject's line `index`.
pub fn line_of(position: &Position, index: usize) -> &LineOutcome {
    position.lines.iter().find(|line| line.line == index).expect("the line is in this cycle")
}
