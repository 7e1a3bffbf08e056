//! Random documents and what happens to them: sent again, revised, cancelled, returned, contradicted, mistyped.

use chrono::{Duration, NaiveDate};

use super::plan::{FeedPlan, History, Row};
use super::schemes::THRESHOLDS;
use crate::random::{Random, often, raised};

/// A document as it stands, with all its rows.
#[derive(Clone, Debug)]
pub struct Document {
    pub feed: usize,
    pub rows: Vec<Row>,
}

/// Makes the documents of a history, one event after the other.
pub struct Maker<'a> {
    pub r: &'a mut Random,
    pub feeds: Vec<FeedPlan>,
    pub any_order: bool,
    /// How many of a hundred versions carry an `updated_at`.
    pub stamps: usize,
    pub restarting: bool,
    pub known: Vec<Document>,
    /// Payments that were told.
    pub paid: Vec<Row>,
    pub clock: i64,
    pub numbers: usize,
}

impl Maker<'_> {
    /// One event around a day: the rows of one document for a file.
    pub fn event(&mut self, day: NaiveDate) -> Document {
        let what = if self.known.is_empty() { 0 } else { self.r.below(100) };
        let what = if raised() { [0, 0, 0, 50, 58, 58, 72, 80, 80, 95][what / 10] } else { what };
        let document = match what {
            0..50 => self.new_invoice(day),
            50..58 => self.any_known(),
            58..72 => self.revised(),
            72..80 => self.cancellation(day),
            80..95 => self.credit_note(day),
            _ if self.any_order => self.new_invoice(day),
            95 if raised() && self.r.chance(50) => self.mistyped(day),
            95..97 => self.contradicted(),
            _ => self.mistyped(day),
        };
        self.known.push(document.clone());
        document
    }

    fn new_invoice(&mut self, day: NaiveDate) -> Document {
        let sales: Vec<usize> = (0..self.feeds.len()).filter(|f| self.feeds[*f].kind == "sales").collect();
        let feed = *self.r.pick(&sales);
        self.numbers += 1;
        let again = self.r.chance(15) && !self.any_order;
        let number =
            if again { format!("A{}", self.r.below(self.numbers) + 1) } else { format!("A{}", self.numbers) };
        let mut row = Row::new();
        row.insert("invoice_no", number);
        row.insert("doc_type", "invoice".into());
        row.insert("invoice_date", self.date(day));
        row.insert("partner_code", self.r.pick(&["P1", "P2", "P2", "p1"]).to_string());
        if self.r.chance(15) {
            row.insert("partner_code", "L1".into());
        }
        row.insert("distributor_code", self.r.pick(&["D1", "D1", "D2"]).to_string());
        row.insert("channel", self.r.pick(&["retail", "Retail", "", "online"]).to_string());
        row.insert("status", self.r.pick(&["approved", "Posted", "approved", "draft", ""]).to_string());
        row.insert("payment_method", self.r.pick(&["cash", "UPI", "card", ""]).to_string());
        self.stamp(&mut row);
        if self.r.chance(25) {
            row.insert("invoice_total", self.r.pick(&["1180", "590.5", "2000"]).to_string());
        }
        let numbered = self.r.chance(80);
        let mut rows = vec![];
        for line in 1..=1 + self.r.below(3) {
            let mut row = row.clone();
            if numbered {
                row.insert("line_no", line.to_string());
            }
            self.goods(&mut row);
            rows.push(row);
        }
        Document { feed, rows }
    }

    fn goods(&mut self, row: &mut Row) {
        row.insert("sku", self.r.pick(&["LED-1", "led-2", "FAN-1", "GIFT-1", ""]).to_string());
        row.insert("category", self.r.pick(&["lights", "Fans", "", ""]).to_string());
        row.insert("quantity", self.r.pick(&["", "1", "2", "2.5", "4"]).to_string());
        row.insert("amount", self.amount());
        let foreign = if self.feeds.iter().any(|f| f.kind == "fx") { 20 } else { 4 };
        if self.r.chance(foreign) {
            row.insert("currency", self.r.pick(&["USD", "inr", "EUR", "usd"][..often(2, 4)]).to_string());
        }
    }

    fn amount(&mut self) -> String {
        match self.r.below(10) {
            0..3 => self.r.pick(&THRESHOLDS).to_string(),
            3 => "999.99".into(),
            4 => "0.01".into(),
            5 => "333.33".into(),
            6 => "-50".into(),
            _ => format!("{}.{:02}", self.r.below(2000), self.r.below(100)),
        }
    }

    /// A day within some days, plainly, at a local time, or (where numbers never restart) with an offset.
    fn date(&mut self, day: NaiveDate) -> String {
        let day = day - Duration::days(self.r.below(9) as i64) + Duration::days(self.r.below(5) as i64);
        // at times a day on which a multiplier begins, has begun, ends or has ended
        let edges = [(2026, 3, 14), (2026, 3, 15), (2026, 4, 30), (2026, 5, 1)];
        let clocks = [
            (2026, 3, 8),
            (2026, 3, 29),
            (2026, 4, 5),
            (2026, 4, 24),
            (2026, 3, 28),
            (2026, 3, 31),
            (2026, 4, 1),
        ];
        let (year, month, date) =
            if raised() && self.r.chance(60) { *self.r.pick(&clocks) } else { *self.r.pick(&edges) };
        let edge = NaiveDate::from_ymd_opt(year, month, date).expect("a date");
        let day = if self.r.chance(often(20, 40)) { edge } else { day };
        let time = self.r.pick(&["00:00:00", "01:30:00", "12:00:00", "21:00:00", "23:30:00", "02:15:00"]);
        let time = if raised() && self.r.chance(50) {
            self.r.pick(&["00:30:00", "01:45:00", "02:00:00", "02:30:00", "01:59:59", "23:59:59"])
        } else {
            time
        };
        match self.r.below(4) {
            0 | 1 => day.to_string(),
            2 if !self.restarting => {
                format!("{day}T{time}{}", self.r.pick(&["+08:00", "+05:30", "-05:00", "Z"]))
            }
            _ => format!("{day}T{time}"),
        }
    }

    fn stamp(&mut self, row: &mut Row) {
        self.clock += 1;
        if self.r.chance(self.stamps) {
            let late = match self.r.below(10) {
                0 if !self.any_order => self.clock - 20,
                1 if !self.any_order => self.clock - 1 - i64::from(self.r.chance(50)),
                _ => self.clock,
            };
            let at =
                NaiveDate::from_ymd_opt(2026, 1, 1).expect("a date").and_hms_opt(0, 0, 0).expect("a time");
            let at = at + Duration::minutes(late);
            row.insert("updated_at", at.format("%Y-%m-%dT%H:%M:%SZ").to_string());
        } else {
            row.remove("updated_at");
        }
    }

    fn any_known(&mut self) -> Document {
        self.r.pick(&self.known).clone()
    }

    fn some_invoice(&mut self) -> Document {
        let invoices: Vec<&Document> =
            self.known.iter().filter(|d| d.rows.iter().all(|r| r["doc_type"] == "invoice")).collect();
        if invoices.is_empty() { self.known[0].clone() } else { (*self.r.pick(&invoices)).clone() }
    }

    /// Another version of a document.
    pub fn revised_of(&mut self, rows: &[Row]) -> Vec<Row> {
        self.known.push(Document { feed: 0, rows: rows.to_vec() });
        let place = self.known.len() - 1;
        let revised = self.revision(self.known[place].clone());
        self.known.remove(place);
        revised.rows
    }

    fn revised(&mut self) -> Document {
        let mut document = self.any_known();
        if document.rows[0]["doc_type"] == "cancellation" {
            return document;
        }
        if self.any_order {
            // the latest version, so that the date wanders no further than from it
            let number = document.rows[0]["invoice_no"].clone();
            let kind = document.rows[0]["doc_type"].clone();
            let same = |d: &&Document| d.rows[0]["invoice_no"] == number && d.rows[0]["doc_type"] == kind;
            document = self.known.iter().rev().find(same).expect("it is known").clone();
        }
        self.revision(document)
    }

    fn revision(&mut self, mut document: Document) -> Document {
        if document.rows[0]["doc_type"] == "cancellation" {
            return document;
        }
        let mut stamp = Row::new();
        self.stamp(&mut stamp);
        let place = self.r.below(document.rows.len());
        let change = self.r.below(6);
        let amount = self.amount();
        for (i, row) in document.rows.iter_mut().enumerate() {
            row.remove("updated_at");
            row.extend(stamp.clone());
            match change {
                0 if !self.any_order => move_date(row, 3),
                1 if !self.any_order && row["invoice_date"].len() == 10 => move_date(row, 31),
                2 => drop(row.insert("status", "approved".into())),
                _ if i == place => drop(row.insert("amount", amount.clone())),
                _ => {}
            }
        }
        if change == 3 && !self.any_order && document.rows.len() > 1 {
            document.rows.remove(place);
        }
        if change == 4 {
            let mut more = document.rows[0].clone();
            if more.contains_key("line_no") {
                more.insert("line_no", (document.rows.len() + 1).to_string());
            }
            document.rows.push(more);
        }
        document
    }

    fn cancellation(&mut self, day: NaiveDate) -> Document {
        let invoice = self.some_invoice();
        let mut row = Row::new();
        let first = &invoice.rows[0];
        for column in ["invoice_no", "partner_code", "distributor_code"] {
            row.insert(column, first[column].clone());
        }
        row.insert("doc_type", "cancellation".into());
        row.insert("invoice_date", (day + Duration::days(1)).to_string());
        row.insert("amount", "0".into());
        self.stamp(&mut row);
        if let (true, Some(same)) = (self.r.chance(20), first.get("updated_at")) {
            row.insert("updated_at", same.clone());
        }
        Document { feed: invoice.feed, rows: vec![row] }
    }

    fn credit_note(&mut self, day: NaiveDate) -> Document {
        let invoice = self.some_invoice();
        let line = self.r.pick(&invoice.rows).clone();
        self.numbers += 1;
        let mut row = Row::new();
        row.insert("invoice_no", format!("C{}", self.numbers));
        row.insert("doc_type", "credit_note".into());
        row.insert("invoice_date", self.date(day));
        for column in ["partner_code", "distributor_code"] {
            row.insert(column, line[column].clone());
        }
        if self.r.chance(7) {
            row.insert("partner_code", self.r.pick(&["P1", "P2", "p1"]).to_string());
        }
        if !self.r.chance(10) {
            row.insert("ref_invoice_no", line["invoice_no"].clone());
        }
        if self.r.chance(50) {
            for column in ["sku", "category", "channel", "payment_method"] {
                row.insert(column, line.get(column).cloned().unwrap_or_default());
            }
        }
        if self.r.chance(50) {
            row.insert("ref_line_no", self.r.pick(&["1", "2", "9", "9"]).to_string());
        }
        row.insert("line_no", "1".into());
        row.insert("status", self.r.pick(&["approved", "approved", "draft"]).to_string());
        let whole = line.get("amount").cloned().unwrap_or_default();
        row.insert("amount", if self.r.chance(50) { whole } else { self.amount() });
        row.insert("quantity", line.get("quantity").cloned().unwrap_or_default());
        self.stamp(&mut row);
        Document { feed: invoice.feed, rows: vec![row] }
    }

    /// Another partner, or a date too far away: to be held.
    fn contradicted(&mut self) -> Document {
        let mut document = self.revised();
        let other_partner = self.r.chance(50);
        for row in &mut document.rows {
            if other_partner {
                row.insert("partner_code", "P9".into());
            } else {
                move_date(row, 32);
            }
        }
        document
    }

    fn mistyped(&mut self, day: NaiveDate) -> Document {
        let mut document = self.new_invoice(day);
        let row = &mut document.rows[0];
        match self.r.below(3) {
            0 => row.insert("amount", "12x".into()),
            1 => row.insert("invoice_date", "2026-02-30".into()),
            _ => row.insert("partner_code", String::new()),
        };
        document
    }
}

fn move_date(row: &mut Row, days: i64) {
    let (day, rest) = row["invoice_date"].split_at(10);
    if let Ok(day) = day.parse::<NaiveDate>() {
        let moved = format!("{}{rest}", day + Duration::days(days));
        row.insert("invoice_date", moved);
    }
}

/// How many rows a history has.
pub fn size(history: &History) -> usize {
    history.batches.iter().flat_map(|b| &b.files).map(|f| f.documents.concat().len()).sum()
}
