//! How fast a sales file is read: generates 2 million rows (14 columns) in memory and reads them, several times over.
//!
//! `cargo bench --bench ingest_throughput -- [ROWS]`

use accrued::domain::decimal::DecimalMark;
use accrued::ingest::{self, CreditNotes, Encoding, Layout, Packing, Taken};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Instant;

fn main() {
    let rows = std::env::args().skip(1).find_map(|rows| rows.parse().ok()).unwrap_or(2_000_000);
    let text = generated(rows);
    let layout = layout();
    let all_quoted = quoted(&text);
    for quoted in [text, all_quoted] {
        let megabytes = quoted.len() as f64 / 1e6;
        by_csv(&quoted);
        for _ in 0..3 {
            let (begun, busy) = (Instant::now(), on_cpu());
            let (mut sum, mut rejects) = (0_i128, 0_u64);
            let tally = ingest::sales(&mut quoted.as_bytes(), Packing::Plain, &layout, &mut |taken| {
                match taken {
                    Taken::Row(row) => sum += row.amount.mantissa(),
                    Taken::Reject(_) => rejects += 1,
                }
                Ok(())
            });
            let (seconds, busy) = (begun.elapsed().as_secs_f64(), on_cpu() - busy);
            let rate = megabytes / if busy > 0.0 { busy } else { seconds };
            println!(
                "{megabytes:.0} MB in {seconds:.3} s, {busy:.3} s of it computing: {rate:.0} MB/s; {tally:?}, {sum}, {rejects}"
            );
        }
    }
}

/// What only splitting costs by the `csv` crate: the measure of this machine at this moment.
fn by_csv(text: &str) {
    let busy = on_cpu();
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
    let (mut record, mut cells) = (csv::ByteRecord::new(), 0);
    while reader.read_byte_record(&mut record).unwrap_or(false) {
        cells += record.len();
    }
    let busy = on_cpu() - busy;
    println!("csv alone: {busy:.3} s, {:.0} MB/s, {cells} cells", text.len() as f64 / 1e6 / busy);
}

/// Seconds this thread has computed: on a busy machine the wall clock tells little. 0 where the system does not say.
fn on_cpu() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = text.split(' ').next().and_then(|first| first.parse::<f64>().ok());
    nanoseconds.unwrap_or(0.0) / 1e9
}

/// One row in five has an offset, the others are local times.
fn generated(rows: usize) -> String {
    let mut text = String::from(
        "invoice_no,line_no,invoice_date,partner_code,partner_name,distributor_code,channel,sku,category,quantity,amount,currency,status,updated_at\n",
    );
    for row in 0..rows {
        let (month, day) = (1 + row * 7 % 12, 1 + row * 11 % 28);
        let (hour, minute) = (row % 24, row * 13 % 60);
        let offset = if row % 5 == 0 { "+05:30" } else { "" };
        let _ = writeln!(
            text,
            "INV/2026/{:07},{},2026-{month:02}-{day:02}T{hour:02}:{minute:02}:00{offset},P{:05},Partner {:05},D{:02},retail,LED-{:03},Lighting,{},{}.{:02},INR,posted,2026-{month:02}-{day:02}",
            row / 3,
            row % 3 + 1,
            row * 31 % 50_000,
            row * 31 % 50_000,
            row % 12,
            row % 500,
            row % 9 + 1,
            row * 17 % 90_000,
            row % 100,
        );
    }
    text
}

/// The same with every cell in quotes.
fn quoted(text: &str) -> String {
    let rows: Vec<String> =
        text.lines().map(|row| format!("\"{}\"\r\n", row.replace(',', "\",\""))).collect();
    rows.concat()
}

fn layout() -> Layout {
    Layout {
        delimiter: b',',
        encoding: Encoding::Utf8,
        decimal_mark: DecimalMark::Point,
        dates: Vec::new(),
        credit_notes: CreditNotes::PositiveOrNegative,
        columns: BTreeMap::new(),
        defaults: BTreeMap::new(),
        values: BTreeMap::new(),
        timezone: chrono_tz::Tz::Asia__Kolkata,
        numbers_restart: None,
        max_bytes: 1 << 32,
        last_row: accrued::ingest::LastRow::Data,
    }
}
