//! `[[example]]`: worked cases that live with the rules. Answers for: reading them, dates and numbers made plain.
//! Does not: run them (`rehearse` does).

use super::reader::{At, Bound, Section, Sink, Value, amount_of, iso_day};
use super::resolve::Known;
use super::{Example, ExampleSale, Measure};
use crate::calendar::Calendar;
use crate::fault::nearest;
use chrono::{DateTime, NaiveDate, NaiveDateTime};
use toml::de::DeValue;
use toml::value::Datetime;

/// Canonical columns of `sales` (interfaces.md 3); in an example `date` is another word for `invoice_date`.
const COLUMNS: [&str; 20] = [
    "invoice_no",
    "line_no",
    "doc_type",
    "invoice_date",
    "partner_code",
    "partner_name",
    "distributor_code",
    "distributor_name",
    "channel",
    "sku",
    "category",
    "quantity",
    "amount",
    "currency",
    "status",
    "payment_method",
    "invoice_total",
    "ref_invoice_no",
    "ref_line_no",
    "updated_at",
];

pub(super) fn examples(
    root: &mut Section<'_>,
    calendar: Option<Calendar>,
    measure: Measure,
    tiers: &Known,
    out: &mut Sink<'_>,
) -> Vec<Example> {
    let reading = Reading { calendar, measure, tiers };
    root.sections("example", out).into_iter().filter_map(|section| reading.example(section, out)).collect()
}

struct Reading<'r> {
    calendar: Option<Calendar>,
    measure: Measure,
    tiers: &'r Known,
}

impl Reading<'_> {
    fn example(&self, mut section: Section<'_>, out: &mut Sink<'_>) -> Option<Example> {
        let place = section.place.clone().unwrap_or_default();
        let name = section.name("name", out);
        out.required(&section, "name", "say in a few words what it shows: name = \"a Gold quarter\"");
        let sales = section.sections("sales", out);
        out.required(
            &section,
            "sales",
            "write its sales: sales = [{ date = 2026-05-02, amount = \"900000\" }]",
        );
        let sales: Vec<ExampleSale> = sales.into_iter().filter_map(|sale| self.sale(sale, out)).collect();
        let cycle = self.cycle(&mut section, out);
        let mut expect = section.section("expect", out);
        out.required(
            &section,
            "expect",
            "write what must come out: expect = { points = 2700, tier = \"Gold\" }",
        );
        let points = expect.amount("points", Bound::Any, out);
        if section.has("expect") {
            out.required(
                &expect,
                "points",
                "write the points that must come out: expect = { points = 2700 }",
            );
        }
        let tier = expect.text("tier", out);
        if let Some(tier) = tier.as_ref().filter(|tier| !tier.value.is_empty()) {
            self.tiers.check(&tier.value, &tier.span, out);
        }
        expect.finish(out);
        section.finish(out);
        if sales.is_empty() && cycle.is_none() && section.has("sales") {
            let help = "write at least one sale, or name the cycle: cycle = \"2026-04\"";
            out.later(&place, "an example without sales belongs to no cycle", "no sales", help);
        }
        Some(Example {
            name: name?.value,
            sales,
            points: points?.value,
            tier: tier.map(|tier| tier.value),
            cycle: cycle.map(|cycle| cycle.value),
            line: out.line_of(place.start),
        })
    }

    fn cycle(&self, section: &mut Section<'_>, out: &mut Sink<'_>) -> Option<At<String>> {
        let cycle = section.name("cycle", out)?;
        let calendar = self.calendar?;
        if calendar.parse(&cycle.value).is_none() {
            let first = calendar.cycle_of(NaiveDate::from_ymd_opt(2026, 4, 1)?);
            let message = format!("the scheme has no cycle named `{}`", cycle.value);
            let help = format!("its cycles are named as {} is", calendar.name(first));
            out.later(&cycle.span, message, "no such cycle", help);
        }
        Some(cycle)
    }

    fn sale(&self, sale: Section<'_>, out: &mut Sink<'_>) -> Option<ExampleSale> {
        let mut cells: Vec<(String, String)> = Vec::new();
        for (key, value) in sale.entries() {
            let Some(column) = column(&key, out) else { continue };
            if cells.iter().any(|(taken, _)| taken == column) {
                let message = "a sale has both `date` and `invoice_date`";
                out.error(&key.span, message, "one too many", "keep one of them");
                continue;
            }
            if let Some(text) = cell(key.value, column, &value, out) {
                cells.push((column.to_owned(), text));
            }
        }
        self.lacks(&sale, out);
        cells.sort_by_key(|(column, _)| COLUMNS.iter().position(|known| known == column));
        Some(ExampleSale { cells })
    }

    fn lacks(&self, sale: &Section<'_>, out: &mut Sink<'_>) {
        if !sale.has("invoice_date") {
            out.required(sale, "date", "write its day: date = 2026-05-02");
        }
        let by_quantity = match self.measure {
            Measure::Amount => false,
            Measure::Quantity => sale.has("quantity"),
        };
        if !by_quantity {
            out.required(sale, "amount", "write its net amount: amount = \"900000\"");
        }
    }
}

fn column(key: &At<&str>, out: &mut Sink<'_>) -> Option<&'static str> {
    if key.value == "date" {
        return Some("invoice_date");
    }
    if let Some(column) = COLUMNS.iter().find(|column| **column == key.value) {
        return Some(column);
    }
    let help = match nearest(key.value, &COLUMNS) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "write `date`, `amount` or another column of a sales file, by its canonical name".to_owned(),
    };
    out.error(&key.span, format!("a sale has no column `{}`", key.value), "unknown", help);
    None
}

fn cell(key: &str, column: &str, value: &Value<'_>, out: &mut Sink<'_>) -> Option<String> {
    match column {
        "invoice_date" | "updated_at" => moment(key, value, out),
        "quantity" | "amount" | "invoice_total" => {
            amount_of(column, value, out).map(|amount| amount.to_string())
        }
        _ => text(column, value, out),
    }
}

fn text(column: &str, value: &Value<'_>, out: &mut Sink<'_>) -> Option<String> {
    match value.value {
        DeValue::String(text) => Some(text.trim().to_owned()),
        DeValue::Integer(_) => amount_of(column, value, out).map(|number| number.to_string()),
        DeValue::Float(_)
        | DeValue::Boolean(_)
        | DeValue::Datetime(_)
        | DeValue::Array(_)
        | DeValue::Table(_) => {
            out.wrong_kind(column, value, "a text", &format!("write it in quotes: {column} = \"...\""));
            None
        }
    }
}

/// A date or timestamp as ISO 8601 text.
fn moment(column: &str, value: &Value<'_>, out: &mut Sink<'_>) -> Option<String> {
    let iso = match value.value {
        DeValue::Datetime(written) => written.date.and(iso(&with_seconds(*written).to_string())),
        DeValue::String(text) => iso(text.trim()),
        DeValue::Integer(_)
        | DeValue::Float(_)
        | DeValue::Boolean(_)
        | DeValue::Array(_)
        | DeValue::Table(_) => None,
    };
    if iso.is_none() {
        let help = "write 2026-05-02, 2026-05-02T23:30:00, or with an offset 2026-05-02T23:30:00+05:30";
        let message = format!("`{column}` is not a date or a timestamp");
        out.error(&value.span, message, "not a date", help);
    }
    iso
}

fn with_seconds(mut written: Datetime) -> Datetime {
    if let Some(time) = &mut written.time {
        time.second = time.second.or(Some(0));
    }
    written
}

fn iso(text: &str) -> Option<String> {
    if let Some(day) = iso_day(text) {
        return Some(day.to_string());
    }
    let text = text.replacen(' ', "T", 1);
    if let Ok(instant) = DateTime::parse_from_rfc3339(&text) {
        return Some(instant.to_rfc3339());
    }
    let local = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M"];
    let local = local.iter().find_map(|form| NaiveDateTime::parse_from_str(&text, form).ok())?;
    Some(local.format("%Y-%m-%dT%H:%M:%S%.f").to_string())
}
