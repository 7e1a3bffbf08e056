//! Payments and deposits as whole runs: part payments, tolerance, money taken back, credit notes of unpaid invoices, events
//! that come again, one document space over several feeds. The numbers are worked out by hand from evaluation.md 2.

#[path = "support/program.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod program;

use program::Workspace;
use std::collections::BTreeMap;

const CONFIG: &str = r#"data_dir = "var"
schemes_dir = "schemes"
[[feed]]
name = "sales"
kind = "sales"
url = "file:drop/sales"
files = "*.csv"
documents = "north"
timezone = "Asia/Kolkata"
settle_seconds = 0
[[feed]]
name = "notes"
kind = "sales"
url = "file:drop/notes"
files = "*.csv"
documents = "north"
timezone = "Asia/Kolkata"
settle_seconds = 0
[feed.defaults]
doc_type = "credit_note"
[[feed]]
name = "payments"
kind = "payments"
url = "file:drop/payments"
files = "*.csv"
documents = "north"
timezone = "Asia/Kolkata"
settle_seconds = 0
[[feed]]
name = "bank"
kind = "deposits"
url = "file:drop/bank"
files = "*.csv"
timezone = "Asia/Kolkata"
settle_seconds = 0
"#;

/// 1% of what is paid, by quarter.
const SCHEME: &str = r#"[scheme]
id = "club"
name = "Club"
company = "Example"
currency = "INR"
timezone = "Asia/Kolkata"
starts = 2026-04-01
[cycle]
length = "quarter"
year_starts = "april"
[earn]
on = "payment"
[slabs]
mode = "whole"
[[slab]]
from = 0
rate = "1%"
"#;

const SALES: &str = "invoice_no,line_no,invoice_date,partner_code,distributor_code,amount,invoice_total,ref_invoice_no,currency\n";
const PAYMENTS: &str = "payment_ref,invoice_no,distributor_code,paid_on,amount,currency,deposit_ref\n";

struct Shop {
    workspace: Workspace,
    files: usize,
    day: String,
}

impl Shop {
    fn new() -> Shop {
        Shop::with(CONFIG, SCHEME)
    }

    fn with(config: &str, scheme: &str) -> Shop {
        let workspace = Workspace::new(config);
        workspace.write("schemes/club.toml", scheme);
        for feed in ["sales", "notes", "payments", "bank"] {
            workspace.write(&format!("drop/{feed}/.keep"), "");
        }
        Shop { workspace, files: 0, day: "2026-06-15".into() }
    }

    fn drop(&mut self, feed: &str, header: &str, rows: &[&str]) -> &mut Shop {
        self.files += 1;
        let path = format!("drop/{feed}/{feed}-{:02}.csv", self.files);
        self.workspace.drop(&path, format!("{header}{}\n", rows.join("\n")));
        self
    }

    fn sells(&mut self, rows: &[&str]) -> &mut Shop {
        self.drop("sales", SALES, rows)
    }

    fn notes(&mut self, rows: &[&str]) -> &mut Shop {
        self.drop("notes", SALES, rows)
    }

    fn pays(&mut self, rows: &[&str]) -> &mut Shop {
        self.drop("payments", PAYMENTS, rows)
    }

    fn on(&mut self, day: &str) -> &mut Shop {
        self.day = day.into();
        self
    }

    fn runs(&mut self, status: i32) -> &mut Shop {
        let day = self.day.clone();
        self.workspace.trial(&["run", "--as-of", &day]).status(status).check();
        self
    }

    /// invoice_no, amount, counts, why_not and note of every line of a partner, without the cycle.
    fn lines_of(&self, partner: &str) -> Vec<String> {
        let rows = self.workspace.trial(&["lines", "--partner", partner, "--format", "csv"]).check().csv();
        let told = |row: &BTreeMap<String, String>| {
            let cells =
                ["invoice_no", "amount", "counts", "why_not", "note"].map(|column| row[column].clone());
            cells.join(" ").trim_end().to_owned()
        };
        rows.iter().map(told).collect()
    }

    fn lines(&self) -> Vec<String> {
        self.lines_of("P")
    }

    /// kind, cycle, points and reason of each entry of a partner.
    fn ledger(&self) -> Vec<String> {
        let rows = self.workspace.trial(&["ledger", "--partner", "P", "--format", "csv"]).check().csv();
        let told = |row: &BTreeMap<String, String>| {
            let cells = ["kind", "cycle", "points", "reason"].map(|column| row[column].clone());
            cells.join(" ").trim_end().to_owned()
        };
        rows.iter().map(told).collect()
    }

    fn holds(&self) -> Vec<BTreeMap<String, String>> {
        self.workspace.trial(&["holds", "--format", "csv"]).check().csv()
    }

    /// accepted, duplicate, held, rejected of the file taken last.
    fn last_file(&self) -> String {
        let rows = self.workspace.trial(&["files", "--format", "csv"]).check().csv();
        let row = rows.last().expect("a file was taken");
        ["accepted", "duplicate", "held", "rejected"].map(|column| row[column].clone()).join(" ")
    }

    fn decides(&mut self, word: &str, status: i32) -> &mut Shop {
        let id = self.holds()[0]["id"].clone();
        self.workspace.trial(&["holds", word, &id, "--reason", "looked at it"]).check();
        self.runs(status)
    }

    fn verifies(&self) {
        self.workspace.trial(&["verify", "--deep"]).check();
    }
}

/// One invoice A of P over 1,000 net, 1,180 gross.
const SOLD: &str = "A,1,2026-05-02,P,D,1000,1180,,";

#[test]
fn an_invoice_counts_once_it_is_paid_in_full_and_says_what_is_missing() {
    let mut shop = Shop::new();
    assert_eq!(shop.sells(&[SOLD]).runs(0).lines(), ["A 1000.00 no unpaid missing 1180.00 INR"]);
    assert_eq!(
        shop.pays(&["R1,A,D,2026-05-20,500,,"]).runs(0).lines(),
        ["A 1000.00 no unpaid missing 680.00 INR"]
    );
    assert_eq!(
        shop.pays(&["R2,A,D,2026-05-21,679.99,,"]).runs(0).lines(),
        ["A 1000.00 no unpaid missing 0.01 INR"]
    );
    assert_eq!(shop.pays(&["R3,A,D,2026-05-22,0.01,,"]).runs(0).lines(), ["A 1000.00 yes"]);
    assert_eq!(shop.on("2026-07-06").runs(0).ledger(), ["accrual FY2026-27-Q1 10"]);
    shop.verifies();
}

#[test]
fn a_payment_after_the_close_is_a_correction_of_the_cycle_of_the_sale() {
    let mut shop = Shop::new();
    shop.sells(&[SOLD, "B,1,2026-05-03,P,D,2000,,,"]).pays(&["R1,A,D,2026-05-20,1180,,"]);
    assert_eq!(shop.on("2026-07-06").runs(0).ledger(), ["accrual FY2026-27-Q1 10"]);
    shop.pays(&["R2,B,D,2026-08-01,2000,INR,"]).on("2026-08-02").runs(0);
    assert_eq!(shop.ledger()[1..], ["correction FY2026-27-Q1 20 payment"]);
    shop.pays(&["R2-back,B,D,2026-08-20,-2000,INR,"]).on("2026-08-21").runs(0);
    assert_eq!(shop.ledger()[2..], ["correction FY2026-27-Q1 -20 payment"]);
    assert_eq!(shop.lines()[1], "B 2000.00 no unpaid missing 2000.00 INR");
    shop.on("2026-08-22").runs(0);
    assert_eq!(shop.ledger().len(), 3, "nothing new posts nothing");
    shop.verifies();
}

#[test]
fn what_is_paid_before_its_invoice_waits_for_it() {
    let mut shop = Shop::new();
    shop.pays(&["R1,A,D,2026-04-20,1180,,"]).runs(0);
    assert_eq!(shop.sells(&[SOLD]).runs(0).lines(), ["A 1000.00 yes"]);
    // the number of another distributor is another invoice
    shop.sells(&["A,1,2026-05-02,P,E,500,,,"]).runs(0);
    assert_eq!(shop.lines(), ["A 1000.00 yes", "A 500.00 no unpaid missing 500.00 INR"]);
}

#[test]
fn a_tolerance_is_forgiven_and_not_a_paisa_more() {
    let scheme = SCHEME.replace("on = \"payment\"", "on = \"payment\"\npayment_tolerance = \"1.50\"");
    let mut shop = Shop::with(CONFIG, &scheme);
    shop.sells(&[SOLD, "B,1,2026-05-02,P,D,1,,,"]).pays(&["R1,A,D,2026-05-20,1178.49,,"]).runs(0);
    assert_eq!(shop.lines(), ["A 1000.00 no unpaid missing 1.51 INR", "B 1.00 yes"]);
    assert_eq!(shop.pays(&["R2,A,D,2026-05-20,0.01,,"]).runs(0).lines()[0], "A 1000.00 yes");
}

#[test]
fn a_credit_note_lowers_what_is_due_and_is_paid_when_its_invoice_is() {
    let mut shop = Shop::new();
    shop.sells(&[SOLD]).notes(&["N1,1,2026-05-10,P,D,200,236,A,"]).runs(0);
    assert_eq!(
        shop.lines(),
        ["A 1000.00 no unpaid missing 944.00 INR", "N1 -200.00 no unpaid missing 944.00 INR"]
    );
    shop.pays(&["R1,A,D,2026-05-20,944,,"]).runs(0);
    assert_eq!(shop.lines(), ["A 1000.00 yes", "N1 -200.00 yes"]);
    // paid and then returned in full, the money given back: exactly nothing
    shop.on("2026-07-06").runs(0);
    shop.notes(&["N2,1,2026-07-10,P,D,800,944,A,"]).pays(&["R2,A,D,2026-07-11,-944,,"]);
    assert_eq!(
        shop.on("2026-07-12").runs(0).ledger(),
        ["accrual FY2026-27-Q1 8", "correction FY2026-27-Q1 -8 credit note, payment"]
    );
    shop.verifies();
}

#[test]
fn an_invoice_credited_in_full_needs_no_money() {
    let mut shop = Shop::new();
    shop.sells(&["A,1,2026-05-02,P,D,1000,,,"]).notes(&["N1,1,2026-05-10,P,D,1000,,A,"]).runs(0);
    assert_eq!(shop.lines(), ["A 1000.00 yes", "N1 -1000.00 yes"]);
    // more than it was: nothing is missing either
    shop.notes(&["N2,1,2026-05-11,P,D,1,,A,"]).runs(0);
    assert_eq!(shop.lines(), ["A 1000.00 yes", "N1 -1000.00 yes", "N2 -1.00 yes"]);
}

#[test]
fn a_note_without_its_invoice_is_not_paid() {
    let mut shop = Shop::new();
    shop.notes(&["N1,1,2026-05-10,P,D,100,,A,", "N2,1,2026-05-10,P,D,100,,,"]).runs(0);
    assert_eq!(shop.lines(), ["N1 -100.00 no unpaid unknown_ref", "N2 -100.00 no unpaid no_ref"]);
    shop.sells(&["A,1,2026-05-02,P,D,1000,,,"]).pays(&["R1,A,D,2026-05-20,900,,"]).runs(0);
    assert_eq!(shop.lines(), ["A 1000.00 yes", "N1 -100.00 yes", "N2 -100.00 no unpaid no_ref"]);
}

#[test]
fn gross_and_net_are_not_mixed() {
    let mut shop = Shop::new();
    // without a total of the invoice, that of the note says nothing
    shop.sells(&["A,1,2026-05-02,P,D,1000,,,"]).notes(&["N1,1,2026-05-10,P,D,200,236,A,"]).runs(0);
    assert_eq!(shop.lines()[0], "A 1000.00 no unpaid missing 800.00 INR");
    // of totals that disagree the largest must be reached
    shop.sells(&["B,1,2026-05-02,P,D,500,1100,,", "B,2,2026-05-02,P,D,500,1180,,"]).runs(0);
    assert_eq!(shop.lines()[1], "B 500.00 no unpaid missing 1180.00 INR");
    // a line that is not in force has no say
    shop.drop(
        "sales",
        "invoice_no,doc_type,invoice_date,partner_code,distributor_code,amount\n",
        &["B,cancellation,2026-05-09,P,D,0"],
    );
    assert_eq!(shop.runs(0).lines()[1], "B 500.00 no cancelled");
}

#[test]
fn money_in_another_currency_pays_nothing_and_one_without_is_in_the_invoices() {
    let mut shop = Shop::new();
    shop.sells(&["A,1,2026-05-02,P,D,1000,,,"]).pays(&["R1,A,D,2026-05-20,1000,USD,"]).runs(0);
    assert_eq!(shop.lines(), ["A 1000.00 no unpaid missing 1000.00 INR; payment_currency"]);
    shop.pays(&["R2,A,D,2026-05-20,600,inr,", "R3,A,D,2026-05-20,400,,"]).runs(0);
    assert_eq!(shop.lines(), ["A 1000.00 yes"]);
}

#[test]
fn a_credit_note_in_another_currency_leaves_that_of_its_invoice() {
    let mut shop = Shop::new();
    shop.sells(&["A,1,2026-05-02,P,D,1000,1180,,USD"]).notes(&["N1,1,2026-05-10,P,D,100,,A,"]);
    shop.pays(&["R1,A,D,2026-05-20,1000,,"]).runs(0);
    assert_eq!(shop.lines()[0], "A 1000.00 no unpaid missing 180.00 USD");
    shop.pays(&["R2,A,D,2026-05-21,180,,"]).runs(3);
    assert_eq!(shop.lines()[0], "A 1000.00 held no_fx_rate");
    // of totals that are equal in several currencies the first line's is meant
    shop.sells(&["B,1,2026-05-02,P,D,500,1180,,", "B,2,2026-05-02,P,D,6000,1180,,USD"]);
    shop.notes(&["N2,1,2026-05-10,P,D,100,,B,"]).pays(&["R3,B,D,2026-05-20,1080,,"]).runs(0);
    assert_eq!(shop.lines()[1], "B 500.00 yes");
}

#[test]
fn money_dated_in_the_future_is_not_there_yet_and_comes_by_itself() {
    let mut shop = Shop::new();
    shop.sells(&["A,1,2026-05-02,P,D,1000,,,"]).pays(&["R1,A,D,2026-08-10,1000,,"]);
    shop.on("2026-07-06").runs(0);
    assert_eq!(shop.ledger(), Vec::<String>::new());
    assert_eq!(shop.on("2026-08-10").runs(0).ledger(), ["correction FY2026-27-Q1 10 payment"]);
    shop.pays(&["R2,A,D,2026-08-20,-1000,,"]).on("2026-08-11").runs(0);
    assert_eq!(shop.ledger().len(), 1, "it is taken back only on its day");
    assert_eq!(shop.on("2026-08-20").runs(0).ledger()[1..], ["correction FY2026-27-Q1 -10 payment"]);
    shop.verifies();
}

#[test]
fn an_event_that_comes_again_is_a_duplicate_or_held_and_never_paid_twice() {
    let mut shop = Shop::new();
    shop.sells(&["A,1,2026-05-02,P,D,1000,,,", "B,1,2026-05-02,P,D,1000,,,"]);
    shop.pays(&["R1,A,D,2026-05-20,1000,INR,"]).runs(0);
    // the same, written otherwise
    shop.pays(&["R1,A,D,2026-05-20,1000.00,inr,"]).runs(0);
    assert_eq!(shop.last_file(), "0 1 0 0");
    // for another invoice: a conflict
    shop.pays(&["R1,B,D,2026-05-20,1000,INR,"]).runs(3);
    assert_eq!(shop.last_file(), "0 0 1 0");
    assert_eq!(shop.lines(), ["A 1000.00 yes", "B 1000.00 no unpaid missing 1000.00 INR"]);
    assert_eq!(shop.holds()[0]["kind"], "event_conflict");
    shop.runs(0);
    // released, it speaks instead of what was said before
    shop.decides("release", 0);
    assert_eq!(shop.lines(), ["A 1000.00 no unpaid missing 1000.00 INR", "B 1000.00 yes"]);
    assert!(shop.holds().is_empty());
    // what was said first is a conflict now; discarded, it never speaks
    shop.pays(&["R1,A,D,2026-05-20,1000,INR,", "R9,A,D,2026-05-20,1,,"]).runs(3);
    assert_eq!(shop.last_file(), "1 0 1 0");
    shop.decides("discard", 0);
    assert_eq!(shop.lines()[0], "A 1000.00 no unpaid missing 999.00 INR");
    shop.verifies();
}

#[test]
fn one_payment_may_pay_several_invoices_and_contradicts_itself_only_within_one() {
    let mut shop = Shop::new();
    shop.sells(&["A,1,2026-05-02,P,D,1000,,,", "B,1,2026-05-02,Q,D,1000,,,"]);
    shop.pays(&[
        "R1,A,D,2026-05-20,1000,,",
        "R1,B,D,2026-05-20,600,,",
        "R1,B,D,2026-05-20,600.00,,",
        "R1,B,D,2026-05-20,1000,,",
    ]);
    shop.runs(3);
    assert_eq!(shop.last_file(), "2 1 1 0");
    assert_eq!(shop.lines(), ["A 1000.00 yes"]);
    assert_eq!(shop.lines_of("Q"), ["B 1000.00 no unpaid missing 400.00 INR"]);
    shop.decides("release", 0);
    assert_eq!(shop.lines(), ["A 1000.00 yes"]);
    assert_eq!(shop.lines_of("Q"), ["B 1000.00 yes"]);
}

#[test]
fn a_note_of_another_partner_is_paid_when_the_invoice_is() {
    let mut shop = Shop::new();
    shop.sells(&["A,1,2026-05-02,P,D,1000,,,"]).notes(&["N1,1,2026-05-10,Q,D,100,,A,"]).runs(0);
    assert_eq!(shop.lines_of("Q"), ["N1 -100.00 no unpaid missing 900.00 INR"]);
    shop.pays(&["R1,A,D,2026-05-20,900,,"]).runs(0);
    assert_eq!(
        (shop.lines(), shop.lines_of("Q")),
        (vec!["A 1000.00 yes".into()], vec!["N1 -100.00 yes".into()])
    );
}

#[test]
fn unpaid_is_the_last_reason_and_comes_before_a_hold() {
    let scheme = SCHEME.replace("on = \"payment\"", "on = \"payment\"\nchannels = [\"retail\"]");
    let mut shop = Shop::with(CONFIG, &scheme);
    shop.sells(&["A,1,2026-05-02,P,D,1000,,,", "F,1,2027-05-02,P,D,1000,,,"]).runs(3);
    assert_eq!(shop.lines(), ["A 1000.00 no channel", "F 1000.00 held future_date"]);
}

#[test]
fn numbers_that_restart_are_paid_each_for_itself() {
    let config =
        CONFIG.replace("documents = \"north\"", "documents = \"north\"\nnumbers_restart = \"april\"");
    let scheme = SCHEME.replace("2026-04-01", "2025-04-01");
    let mut shop = Shop::with(&config, &scheme);
    shop.sells(&["A,1,2025-05-02,P,D,100,,,", "A,1,2026-05-02,P,D,200,,,"]);
    shop.pays(&["R1,A,D,2025-06-01,100,,", "R2,A,D,2026-06-01,150,,"]).runs(0);
    assert_eq!(shop.lines(), ["A 100.00 yes", "A 200.00 no unpaid missing 50.00 INR"]);
}

#[test]
fn a_scheme_that_no_feed_brings_payments_for_is_warned_of() {
    let (sales, _) = CONFIG.split_once("[[feed]]\nname = \"payments\"").expect("sales come first");
    let shop = Shop::with(sales, SCHEME);
    let told = shop.workspace.trial(&["check", "--offline", "--deny-warnings"]).status(4).check().stderr;
    assert!(told.contains("no feed brings payments"), "{told}");
    Shop::new().workspace.trial(&["check", "--deny-warnings"]).check();
}

#[test]
fn bad_rows_are_rejected_with_their_reasons() {
    let mut shop = Shop::new();
    shop.pays(&[
        ",A,D,2026-05-20,1000,,",
        "R1,,D,2026-05-20,1000,,",
        "R2,A,D,20/05/2026,1000,,",
        "R3,A,D,2026-05-20,much,,",
        "R4,A,D,2026-05-20,1,,",
    ]);
    shop.runs(3);
    assert_eq!(shop.last_file(), "1 0 0 4");
    let rejects = shop.workspace.tree("var/rejects/payments");
    let text = String::from_utf8(rejects.into_values().next().expect("a reject file")).expect("text");
    for reason in ["payment_ref_missing", "invoice_no_missing", "date_not_understood", "amount_not_a_number"]
    {
        assert!(text.contains(reason), "{text}");
    }
}

#[test]
fn deposits_are_events_too() {
    let mut shop = Shop::new();
    let header = "deposit_ref,date,amount,currency\n";
    shop.drop("bank", header, &["B1,2026-05-21,1000,INR", "B1,2026-05-21,1000.0,INR"]).runs(0);
    assert_eq!(shop.last_file(), "1 1 0 0");
    shop.drop("bank", header, &["B1,2026-05-22,1000,INR", "B2,2026-05-22,5,"]).runs(3);
    assert_eq!(shop.last_file(), "1 0 1 0");
    assert!(shop.holds()[0]["detail"].starts_with("deposit B1 came again with other content"));
}

#[test]
fn a_replacing_file_takes_back_what_it_does_not_say_any_more() {
    let replacing = "files = \"p_{yyyy}-{mm}*.csv\"\nmode = \"replace\"\nmax_void_percent = \"50\"";
    let (head, tail) =
        CONFIG.split_once("url = \"file:drop/payments\"\nfiles = \"*.csv\"").expect("its feed");
    let config = format!("{head}url = \"file:drop/payments\"\n{replacing}{tail}");
    let mut shop = Shop::with(&config, SCHEME);
    shop.sells(&["A,1,2026-05-02,P,D,1000,,,", "B,1,2026-05-02,P,D,500,,,"]);
    let drop = |shop: &mut Shop, number: u32, rows: &[&str], status: i32| {
        let path = format!("drop/payments/p_2026-05_{number}.csv");
        shop.workspace.drop(&path, format!("{PAYMENTS}{}\n", rows.join("\n")));
        shop.runs(status);
    };
    let (first, second) = ("R1,A,D,2026-05-20,1000,,", "R2,B,D,2026-05-20,500,,");
    drop(&mut shop, 1, &[first, second], 0);
    assert_eq!(shop.lines(), ["A 1000.00 yes", "B 500.00 yes"]);
    drop(&mut shop, 2, &[first, "R2,B,D,2026-05-21,400,,"], 0);
    assert_eq!(shop.last_file(), "0 1 0 0", "what it replaces is no conflict");
    assert_eq!(shop.lines(), ["A 1000.00 yes", "B 500.00 no unpaid missing 100.00 INR"]);
    // 1,000 of 1,400 would be taken back
    drop(&mut shop, 3, &["R2,B,D,2026-05-21,500,,"], 3);
    assert_eq!(shop.holds()[0]["kind"], "void_over_limit");
    assert_eq!(shop.lines()[0], "A 1000.00 yes");
    shop.decides("release", 0);
    assert_eq!(shop.lines(), ["A 1000.00 no unpaid missing 1000.00 INR", "B 500.00 yes"]);
    shop.verifies();
}

#[test]
fn what_a_person_decided_holds_when_the_file_is_read_again() {
    let dates = "[feed.csv]\ndates = [\"%m/%d/%Y\"]\n[[feed]]\nname = \"bank\"";
    let config = CONFIG.replace("[[feed]]\nname = \"bank\"", dates);
    let mut shop = Shop::with(&config, SCHEME);
    shop.sells(&["A,1,2026-05-02,P,D,1000,,,", "B,1,2026-05-02,P,D,500,,,"]);
    shop.pays(&["R1,A,D,05/06/2026,1000,,", "R2,B,D,06/05/2026,500,,", "R3,B,D,20/05/2026,100,,"]).runs(3);
    shop.pays(&["R2,B,D,06/05/2026,400,,"]).runs(3);
    shop.decides("release", 0);
    assert_eq!(shop.lines(), ["A 1000.00 yes", "B 500.00 no unpaid missing 100.00 INR"]);
    shop.workspace.write("accrued.toml", config.replace("%m/%d/%Y", "%d/%m/%Y"));
    shop.workspace.trial(&["reread", "--feed", "payments", "--as-of", "2026-06-16"]).check();
    assert_eq!(shop.lines(), ["A 1000.00 yes", "B 500.00 yes"]);
    assert!(shop.holds().is_empty(), "{:?}", shop.holds());
    shop.verifies();
}

#[test]
fn a_payment_that_is_understood_at_last_speaks_instead_of_what_came_after_it() {
    let dates = "[feed.csv]\ndates = [\"%m/%d/%Y\"]\n[[feed]]\nname = \"bank\"";
    let config = CONFIG.replace("[[feed]]\nname = \"bank\"", dates);
    let mut shop = Shop::with(&config, SCHEME);
    shop.sells(&["A,1,2026-05-02,Q,D,1000,,,", "B,1,2026-05-02,P,D,500,,,"]);
    shop.pays(&["R1,A,D,20/05/2026,1000,,"]).runs(3);
    shop.pays(&["R1,B,D,06/05/2026,500,,"]).on("2026-07-15").runs(0);
    assert_eq!(shop.ledger(), ["accrual FY2026-27-Q1 5"]);
    shop.workspace.write("accrued.toml", config.replace("%m/%d/%Y", "%d/%m/%Y"));
    shop.workspace.trial(&["reread", "payments-02.csv", "--as-of", "2026-07-16"]).check();
    assert_eq!(shop.lines(), ["B 500.00 no unpaid missing 500.00 INR"]);
    assert_eq!(shop.ledger(), ["accrual FY2026-27-Q1 5", "correction FY2026-27-Q1 -5 payment"]);
    shop.verifies();
}

#[test]
fn the_order_of_files_tells_nothing() {
    let files: [(&str, &str, &[&str]); 4] = [
        ("sales", SALES, &[SOLD, "B,1,2026-05-03,Q,D,300,,,"]),
        ("notes", SALES, &["N1,1,2026-05-10,P,D,200,236,A,", "N2,1,2026-05-10,Q,D,300,,B,"]),
        ("payments", PAYMENTS, &["R1,A,D,2026-05-20,500,,"]),
        ("payments", PAYMENTS, &["R2,A,D,2026-05-21,444,,", "R3,Z,D,2026-05-21,1,,"]),
    ];
    for order in [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1], [1, 3, 0, 2]] {
        let mut shop = Shop::new();
        for file in order {
            let (feed, header, rows) = files[file];
            shop.drop(feed, header, rows).runs(0);
        }
        let lines = (shop.lines(), shop.lines_of("Q"));
        assert_eq!(lines.0, ["A 1000.00 yes", "N1 -200.00 yes"], "{order:?}");
        assert_eq!(lines.1, ["B 300.00 yes", "N2 -300.00 yes"], "{order:?}");
        shop.on("2026-07-06").runs(0).verifies();
        assert_eq!(shop.ledger(), ["accrual FY2026-27-Q1 8"], "{order:?}");
    }
}
