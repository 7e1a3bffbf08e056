//! `accrued report reconciliation`: worked numbers, and the law that its differences are zero after any history. What a file says
//! in all is summed up here from the file itself.

#[path = "support/program.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod program;
#[path = "support/random.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod random;

use program::Workspace;
use random::Random;
use std::collections::{BTreeMap, BTreeSet};

type Row = BTreeMap<String, String>;

fn feed(name: &str, kind: &str, more: &str) -> String {
    format!(
        "[[feed]]\nname = \"{name}\"\nkind = \"{kind}\"\nurl = \"file:drop/{name}\"\nfiles = \"*.csv\"\ndocuments = \"north\"\n\
         timezone = \"Asia/Kolkata\"\nsettle_seconds = 0\nmax_reject_percent = \"100\"\n{more}\n"
    )
}

fn scheme(id: &str, rules: &str) -> String {
    format!(
        "[scheme]\nid = \"{id}\"\nname = \"Club\"\ncompany = \"Example\"\ncurrency = \"INR\"\ntimezone = \"Asia/Kolkata\"\n\
         starts = 2026-02-01\n[cycle]\nlength = \"month\"\n{rules}\n[slabs]\nmode = \"whole\"\n[[slab]]\nfrom = 0\nrate = \"1%\"\n"
    )
}

fn workspace(report: &str) -> Workspace {
    let feeds = [
        feed("sales", "sales", ""),
        feed(
            "signed",
            "sales",
            "[feed.csv]\ncredit_notes = \"signed\"\ndecimal_mark = \",\"\ndelimiter = \";\"",
        ),
        feed("payments", "payments", ""),
        feed("bank", "deposits", ""),
        feed("rates", "fx", ""),
        feed("monthly", "sales", "mode = \"replace\"\nmax_void_percent = \"100\"")
            .replace("\"*.csv\"", "\"m_{yyyy}-{mm}_*.csv\""),
    ];
    let workspace = Workspace::new(&format!("{report}{}", feeds.concat()));
    for name in ["sales", "signed", "payments", "bank", "rates", "monthly"] {
        workspace.write(&format!("drop/{name}/.keep"), "");
    }
    workspace.write("schemes/net.toml", scheme("net", "[earn]\nreturns = \"return-cycle\""));
    workspace.write("schemes/paid.toml", scheme("paid", "[earn]\non = \"payment\"\nstatuses = [\"ok\"]"));
    workspace.write("schemes/pieces.toml", scheme("pieces", "[earn]\nmeasure = \"quantity\""));
    workspace
}

fn report(workspace: &Workspace) -> Vec<Row> {
    workspace.trial(&["report", "reconciliation", "--format", "csv"]).check().csv()
}

/// An amount in ten-thousandths.
fn units(text: &str) -> i128 {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    assert!(fraction.len() <= 4, "{text}");
    let digits = format!("{}{fraction:0<4}", whole.trim_start_matches('-'));
    let size: i128 = digits.parse().unwrap_or_else(|_| panic!("{text}"));
    if text.starts_with('-') { -size } else { size }
}

/// section, file, scheme, cycle, currency, item and reason -> rows and amount.
fn cell(rows: &[Row], wanted: &[(&str, &str)]) -> Option<(String, String)> {
    let row = rows.iter().find(|row| wanted.iter().all(|(column, value)| row[*column] == *value))?;
    Some((row["rows"].clone(), row["amount"].clone()))
}

/// Every bridge adds up by itself: its first row is the total, the rows up to its difference are the parts.
fn every_bridge_adds_up(rows: &[Row], history: &str) {
    let bridge = |row: &Row| {
        let of_file = row["section"] != "cycle";
        let file = if of_file { row["seq"].clone() } else { row["cycle"].clone() };
        ["section", "feed", "scheme", "currency"]
            .map(|column| match (of_file, column) {
                (false, "feed" | "currency") => String::new(),
                (true | false, _) => row[column].clone(),
            })
            .join("|")
            + &file
    };
    let mut bridges: BTreeMap<String, Vec<&Row>> = BTreeMap::new();
    for row in rows.iter().filter(|row| row["section"] != "deposits") {
        bridges.entry(bridge(row)).or_default().push(row);
    }
    for (name, rows) in bridges {
        let total = |row: &&Row| {
            ["dms_total", "measure"].contains(&row["item"].as_str())
                || (row["section"] == "scheme" && row["item"] == "accepted")
        };
        let (mut amount, mut count) = (0, 0);
        for row in &rows {
            let (sign, counts) = match (row["item"].as_str(), total(row)) {
                ("difference", _) => (0, 0),
                (_, true) => (1, i128::from(row["section"] != "cycle")),
                (_, false) => (-1, -i128::from(row["section"] != "cycle")),
            };
            amount += sign * units(&row["amount"]);
            count += counts * row["rows"].parse::<i128>().expect("rows");
        }
        assert_eq!((amount, count), (0, 0), "{name}\n{rows:#?}\n{history}");
        let last = rows.iter().filter(|row| row["item"] == "difference").count();
        assert_eq!(last, 1, "{name}");
    }
    for row in rows.iter().filter(|row| row["item"] == "difference") {
        assert_eq!((row["rows"].as_str(), row["amount"].as_str()), ("0", "0.00"), "{row:#?}\n{history}");
    }
}

const SALES: &str =
    "invoice_no,line_no,doc_type,invoice_date,partner_code,amount,quantity,currency,status,ref_invoice_no\n";

#[test]
fn each_row_of_a_file_is_found_again() {
    let mut workspace = workspace("");
    workspace.drop(
        "drop/sales/a.csv",
        format!(
            "{SALES}A,1,,2026-05-02,P,1000.10,1,INR,ok,\nA,2,,2026-05-02,P,500,1,inr,ok,\nB,1,,2026-05-03,P,200,1,USD,ok,\n\
             C,1,,2026-05-04,Q,bad,1,INR,ok,\nD,1,,2026-05-04,Q,70,1,INR,ok,\nD,1,,2026-05-04,Q,71,1,INR,ok,\n\
             E,1,,2026-05-04,Q,33.33,1,INR,ok,\nE,1,,2026-05-04,Q,33.33,1,INR,ok,\nN,1,credit_note,2026-05-10,P,100,1,INR,ok,A\n\
             F,1,,2026-05-05,P,55.5,1,INR,ok,\nF,,cancellation,2026-05-06,P,55.5,1,INR,ok,\nG,1,,2026-01-05,P,7,1,INR,ok,\n"
        ),
    );
    workspace.drop(
        "drop/sales/b.csv",
        format!(
            "{SALES}A,1,,2026-05-02,P,900,1,INR,ok,\nA,2,,2026-05-02,P,500,1,INR,ok,\nE,1,,2026-05-04,P,33,1,INR,ok,\n\
             H,1,,2026-08-04,P,10,1,INR,ok,\n"
        ),
    );
    workspace.trial(&["run", "--as-of", "2026-06-06"]).status(3).check();
    let rows = report(&workspace);
    every_bridge_adds_up(&rows, "");
    let of = |file: &str, currency: &str, item: &str, reason: &str| {
        let wanted =
            [("section", "file"), ("file", file), ("currency", currency), ("item", item), ("reason", reason)];
        let (rows, amount) = cell(&rows, &wanted).unwrap_or_default();
        format!("{rows} {amount}")
    };
    for (item, reason, expected) in [
        ("dms_total", "", "11 1925.76"),
        ("rejected_unreadable", "amount_not_a_number", "1 0.00"),
        ("rejected", "identity_twice", "2 141.00"),
        ("cancellation", "", "1 55.50"),
        ("credit_note_sign", "", "0 200.00"),
        ("duplicate", "", "1 33.33"),
        ("accepted", "", "5 495.83"),
        ("superseded", "", "1 1000.10"),
    ] {
        assert_eq!(of("a.csv", "INR", item, reason), expected, "{item}");
    }
    assert_eq!(of("a.csv", "USD", "accepted", ""), "1 200.00");
    assert_eq!(of("b.csv", "INR", "held", "identity_conflict"), "1 33.00");
    let seen = |scheme: &str, file: &str, cycle: &str, item: &str, reason: &str| {
        let wanted = [
            ("section", "scheme"),
            ("scheme", scheme),
            ("file", file),
            ("cycle", cycle),
            ("item", item),
            ("reason", reason),
        ];
        let (rows, amount) = cell(&rows, &wanted).unwrap_or_default();
        format!("{rows} {amount}")
    };
    assert_eq!(seen("net", "a.csv", "2026-05", "counted", ""), "3 433.33");
    assert_eq!(seen("net", "a.csv", "2026-05", "not_counted", "cancelled"), "1 55.50");
    assert_eq!(seen("net", "a.csv", "", "not_counted", "before_scheme"), "1 7.00");
    assert_eq!(seen("net", "a.csv", "2026-05", "held", "no_fx_rate"), "1 200.00");
    assert_eq!(seen("paid", "b.csv", "2026-05", "not_counted", "unpaid"), "1 900.00");
    assert_eq!(seen("net", "b.csv", "2026-08", "held", "future_date"), "1 10.00");
    let measure = [("section", "cycle"), ("scheme", "net"), ("cycle", "2026-05"), ("item", "measure")];
    assert_eq!(cell(&rows, &measure).expect("a measure").1, "1333.33");
}

#[test]
fn payments_and_deposits_meet_by_reference_and_day() {
    let drop = |report: &str| {
        let mut workspace = workspace(report);
        workspace.drop(
            "drop/payments/p.csv",
            "payment_ref,invoice_no,paid_on,amount,currency,deposit_ref\nR1,A,2026-05-20,1000,INR,D1\nR2,A,2026-05-20,500,,D1\n\
             R3,B,2026-05-21,200,USD,D2\nR4,X,2026-05-22,12.34,INR,D3\nR5,X,2026-05-22,5,INR,\nR6,X,2026-05-22,5,INR,D5\n\
             R1,A,2026-05-20,1000,INR,D1\n",
        );
        workspace.drop(
            "drop/bank/d.csv",
            "deposit_ref,date,amount,currency\nD1,2026-05-20,1500.005,INR\nD2,2026-05-22,200,USD\nD3,2026-05-22,12.33,INR\n\
             D4,2026-05-23,9,INR\n",
        );
        workspace.trial(&["run", "--as-of", "2026-06-06"]).check();
        let rows = report_of(&workspace);
        every_bridge_adds_up(&rows, "");
        rows.into_iter()
            .filter(|row| row["item"] == "variance")
            .map(|row| {
                ["deposit_ref", "date", "reason", "amount", "paid", "deposited"]
                    .map(|column| row[column].clone())
                    .join(" ")
            })
            .collect::<Vec<_>>()
    };
    fn report_of(workspace: &Workspace) -> Vec<Row> {
        report(workspace)
    }
    let usual = [
        " 2026-05-22 no deposit_ref 5.00 5.00 0.00",
        "D2 2026-05-21 another day 200.00 200.00 0.00",
        "D2 2026-05-22 another day -200.00 0.00 200.00",
        "D3 2026-05-22 amount 0.01 12.34 12.33",
        "D4 2026-05-23 no payment -9.00 0.00 9.00",
        "D5 2026-05-22 no deposit 5.00 5.00 0.00",
    ];
    assert_eq!(drop(""), usual, "a variance of exactly the tolerance is not above it");
    let strict = drop("[report]\nreconciliation_tolerance = \"0.0049\"\n");
    assert_eq!(strict.len(), 7);
    assert!(strict.contains(&"D1 2026-05-20 amount -0.005 1500.00 1500.005".to_owned()), "{strict:?}");
    assert_eq!(drop("[report]\nreconciliation_tolerance = 5\n").len(), 3);
}

/// What a file says in all, by currency: rows and amount in ten-thousandths.
type Told = BTreeMap<String, (i128, i128)>;

/// A history of files, each with what it says.
struct Chance {
    random: Random,
    told: Vec<(String, Told)>,
    text: String,
}

impl Chance {
    fn drop(&mut self, workspace: &mut Workspace, number: usize) {
        let feed = *self.random.pick(&["sales", "sales", "signed", "payments", "bank", "monthly"]);
        let (mut text, mark, comma) = match feed {
            "payments" => {
                ("payment_ref,invoice_no,paid_on,amount,currency,deposit_ref\n".to_owned(), '.', ',')
            }
            "bank" => ("deposit_ref,date,amount,currency\n".to_owned(), '.', ','),
            "signed" => (SALES.replace(',', ";"), ',', ';'),
            _ => (SALES.to_owned(), '.', ','),
        };
        let mut told = Told::new();
        for _ in 0..1 + self.random.below(12) {
            let hundredths = self.random.below(50) as i128 * 250;
            let negative = self.random.chance(15) && hundredths != 0;
            let sign = if negative { "-" } else { "" };
            let mut amount = format!("{sign}{}{mark}{:02}", hundredths / 100, hundredths % 100);
            let mut units = if negative { -hundredths * 100 } else { hundredths * 100 };
            if self.random.chance(6) {
                amount = "much".into();
                units = 0;
            }
            let currency = *self.random.pick(&["INR", "INR", "inr", "", "USD", "EUR"]);
            let repeats: i128 = if self.random.chance(20) { 2 } else { 1 };
            let cells = self.cells(feed, &amount, currency);
            let row = cells.join(&comma.to_string()) + "\n";
            (0..repeats).for_each(|_| text += &row);
            let sum = told.entry(currency.to_uppercase()).or_default();
            *sum = (sum.0 + repeats, sum.1 + repeats * units);
        }
        let name = match feed {
            "monthly" => format!("m_2026-0{}_{number}.csv", 4 + self.random.below(2)),
            _ => format!("{number:03}.csv"),
        };
        self.text += &format!("--- {feed}/{name}\n{text}");
        workspace.drop(&format!("drop/{feed}/{name}"), &text);
        self.told.push((name, told));
    }

    fn cells(&mut self, feed: &str, amount: &str, currency: &str) -> Vec<String> {
        let random = &mut self.random;
        let number = *random.pick(&["A", "B", "C", "D", "E"]);
        let day = format!("2026-{:02}-{:02}", 1 + random.below(7), 1 + random.below(28));
        let reference = format!("R{}", random.below(9));
        let deposit = *random.pick(&["D1", "D2", "D3", ""]);
        let own = |text: &str| text.to_owned();
        match feed {
            "payments" => vec![reference, own(number), day, own(amount), own(currency), own(deposit)],
            "bank" => vec![own(random.pick::<&str>(&["D1", "D2", "D3"])), day, own(amount), own(currency)],
            _ => {
                let kind = *random.pick(&["", "", "", "invoice", "credit_note", "cancellation", "nonsense"]);
                let line = *random.pick(&["1", "1", "2", ""]);
                let partner = *random.pick(&["P", "P", "Q"]);
                let status = *random.pick(&["ok", "draft"]);
                let day = if random.chance(70) { "2026-05-05".to_owned() } else { day };
                let of = *random.pick(&["A", "B", "Z", ""]);
                let words = [number, line, kind, &day, partner, amount, "2", currency, status, of];
                words.map(own).to_vec()
            }
        }
    }
}

#[test]
fn the_differences_are_zero_after_any_history() {
    let mut met = BTreeSet::new();
    for seed in 0..24 {
        let mut workspace = workspace("");
        let mut chance = Chance { random: Random::new(seed), told: vec![], text: format!("seed {seed}\n") };
        if chance.random.chance(60) {
            workspace.drop(
                "drop/rates/fx.csv",
                "date,from,to,rate\n2026-01-01,USD,INR,83.125\n2026-05-06,USD,INR,84\n",
            );
        }
        let mut number = 0;
        for day in ["2026-03-02", "2026-06-20", "2026-07-02"] {
            for _ in 0..1 + chance.random.below(4) {
                number += 1;
                chance.drop(&mut workspace, number);
            }
            let outcome = workspace.accrued(&["run", "--as-of", day]);
            assert!(matches!(outcome.status, 0 | 3), "{}\n{}", outcome.whole(), chance.text);
        }
        let rows = report(&workspace);
        every_bridge_adds_up(&rows, &chance.text);
        for (name, told) in &chance.told {
            for (currency, (count, amount)) in told {
                let wanted = [
                    ("section", "file"),
                    ("file", name.as_str()),
                    ("currency", currency),
                    ("item", "dms_total"),
                ];
                let (rows, total) =
                    cell(&rows, &wanted).unwrap_or_else(|| panic!("{name} {currency}\n{}", chance.text));
                assert_eq!(
                    (rows, units(&total)),
                    (count.to_string(), *amount),
                    "{name} {currency}\n{}",
                    chance.text
                );
            }
        }
        met.extend(rows.into_iter().map(|row| row["item"].clone()));
        workspace.trial(&["verify"]).check();
    }
    for item in [
        "accepted",
        "superseded",
        "held",
        "duplicate",
        "rejected",
        "rejected_unreadable",
        "cancellation",
        "credit_note_sign",
        "counted",
        "not_counted",
        "converted",
        "carried",
        "measure",
        "variance",
        "silent_file",
        "held_file",
    ] {
        assert!(met.contains(item), "no history had {item}");
    }
}

#[test]
fn an_archive_that_was_changed_is_found() {
    let mut workspace = workspace("");
    workspace.drop("drop/sales/a.csv", format!("{SALES}A,1,,2026-05-02,P,1000,1,INR,ok,\n"));
    workspace.trial(&["run", "--as-of", "2026-06-06"]).check();
    for (path, bytes) in workspace.tree("var/archive") {
        let text = String::from_utf8(bytes).expect("text").replace(",1000,", ",1001,");
        let path = format!("var/archive/{path}");
        std::fs::remove_file(workspace.path(&path)).expect("it can be taken away");
        workspace.write(&path, text);
    }
    let outcome = workspace.trial(&["report", "reconciliation", "--format", "csv"]).status(4).check();
    assert!(outcome.stderr.contains("store and archive disagree"), "{}", outcome.whole());
    let rows = outcome.csv();
    let difference = [("section", "file"), ("currency", "INR"), ("item", "difference")];
    assert_eq!(cell(&rows, &difference), Some(("0".into(), "1.00".into())));
}

#[test]
fn a_feed_that_is_gone_is_read_as_what_it_was() {
    let mut workspace = workspace("");
    workspace.drop(
        "drop/payments/p.csv",
        "payment_ref,invoice_no,paid_on,amount,currency\nP-1,A,2026-03-05,10,INR\n",
    );
    workspace.drop("drop/rates/fx.csv", "date,from,to,rate\n2026-03-01,USD,INR,80\n");
    workspace.trial(&["run", "--as-of", "2026-04-10"]).check();
    let before = report(&workspace);
    let config = std::fs::read_to_string(workspace.path("accrued.toml")).expect("it is there");
    let (kept, gone) = (config.find("[[feed]]"), config.find("[[feed]]\nname = \"monthly\""));
    let (first, monthly) = (kept.expect("feeds"), gone.expect("the last one"));
    workspace.write("accrued.toml", format!("{}{}", &config[..first], &config[monthly..]));
    let after = report(&workspace);
    every_bridge_adds_up(&after, "the feeds are gone");
    let files =
        |rows: &[Row]| -> Vec<Row> { rows.iter().filter(|row| row["section"] == "file").cloned().collect() };
    assert_eq!(files(&after), files(&before), "rates are no money, payments are");
}

#[test]
fn other_reports_say_that_they_are_not_there_yet() {
    let workspace = workspace("");
    workspace.trial(&["run", "--as-of", "2026-06-06"]).check();
    for what in ["liability", "cycle", "tiers", "anomalies"] {
        let outcome = workspace.trial(&["report", what]).status(1).check();
        assert!(
            outcome.stderr.contains(&format!("report {what} is not yet supported")),
            "{}",
            outcome.whole()
        );
    }
    workspace.trial(&["report"]).status(2).check();
}
