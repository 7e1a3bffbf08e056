//! The answer as rows, for programs and spreadsheets: one table, told apart by `section`.

use super::gather::{Explained, Told};
use crate::cli::output::{Column, count, number, text};
use crate::cli::session::Session;
use anyhow::Result;

const COLUMNS: [Column; 18] = [
    text("section"),
    text("name"),
    text("working"),
    text("result"),
    text("date"),
    text("doc_type"),
    text("invoice_no"),
    text("line_no"),
    text("distributor_code"),
    text("sku"),
    number("quantity"),
    number("amount"),
    text("counts"),
    text("why_not"),
    text("note"),
    number("points"),
    text("file"),
    count("file_line"),
];

/// A row in the making: nothing in any cell.
#[derive(Default)]
struct Row {
    section: &'static str,
    name: String,
    working: String,
    result: String,
    date: String,
    amount: String,
    note: String,
    points: String,
}

impl Row {
    fn cells(self) -> [String; 18] {
        let blank = String::new;
        [
            self.section.to_owned(),
            self.name,
            self.working,
            self.result,
            self.date,
            blank(),
            blank(),
            blank(),
            blank(),
            blank(),
            blank(),
            self.amount,
            blank(),
            blank(),
            self.note,
            self.points,
            blank(),
            blank(),
        ]
    }
}

impl Explained {
    /// Prints every row: the position, its steps, what is missing, its lines, its entries, what is held.
    pub(super) fn print(&self, session: &Session) -> Result<()> {
        let mut table = session.table("explain", &COLUMNS)?;
        let position = Row {
            section: "position",
            name: format!("{} {} {}", self.partner, self.scheme, self.cycle),
            result: self.tier.clone(),
            note: match (&self.entry, &self.then) {
                (Some(entry), _) => format!("as of entry {}", entry.entry),
                (None, Some(then)) => format!("as of {then}"),
                (None, None) => String::new(),
            },
            points: self.decimals.points(self.points),
            ..Row::default()
        };
        table.row(&position.cells())?;
        if let (Some(entry), Some(difference)) = (&self.entry, self.difference()) {
            let points = |points| self.decimals.points(points);
            let row = Row {
                section: "difference",
                name: entry.entry.to_string(),
                working: format!(
                    "{} due - {} held - {} posted before",
                    points(difference.due),
                    points(difference.waited),
                    points(difference.before)
                ),
                points: difference.points().map_or(String::new(), points),
                ..Row::default()
            };
            table.row(&row.cells())?;
        }
        for step in &self.steps {
            let row = Row {
                section: "step",
                name: step.name.to_owned(),
                working: step.working.clone(),
                result: step.result.clone(),
                ..Row::default()
            };
            table.row(&row.cells())?;
        }
        for missing in &self.missing {
            let row = Row {
                section: "to_go",
                name: missing.of.to_owned(),
                working: format!("from {}", missing.from),
                result: missing.name.clone(),
                amount: missing.amount.clone(),
                ..Row::default()
            };
            table.row(&row.cells())?;
        }
        for line in self.lines.iter().chain(&self.outside) {
            table.row(&line_row(line))?;
        }
        for entry in &self.entries {
            let row = Row {
                section: "entry",
                name: entry.entry.to_string(),
                working: entry.reason.clone(),
                result: entry.kind.word().to_owned(),
                date: entry.posting_date.to_string(),
                amount: self.decimals.measure(entry.amount),
                points: self.decimals.points(entry.points),
                ..Row::default()
            };
            table.row(&row.cells())?;
        }
        if let Some((rest, why)) = &self.waiting {
            let row = Row {
                section: "rest",
                working: (*why).to_owned(),
                points: self.decimals.points(*rest),
                ..Row::default()
            };
            table.row(&row.cells())?;
        }
        for hold in &self.holds {
            let row = Row {
                section: "hold",
                name: hold.id.to_string(),
                working: hold.detail.clone(),
                result: hold.kind.clone(),
                amount: hold.amount.normalize().to_string(),
                points: self.decimals.points(hold.points),
                ..Row::default()
            };
            table.row(&row.cells())?;
        }
        table.end().map(drop)
    }
}

fn line_row(line: &Told) -> [String; 18] {
    [
        "line".to_owned(),
        String::new(),
        String::new(),
        String::new(),
        line.business_date.to_string(),
        line.doc_type.to_owned(),
        line.invoice_no.clone(),
        line.line_no.clone(),
        line.distributor.clone(),
        line.sku.clone(),
        line.quantity.clone(),
        line.amount.clone(),
        line.counts.to_owned(),
        line.why_not.to_owned(),
        line.note.clone(),
        line.points.clone(),
        line.file.clone(),
        line.file_line.to_string(),
    ]
}
