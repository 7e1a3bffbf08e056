//! One sales feed and a continuous monthly scheme that pays a point for each rupee: balances are what is in force.

use crate::support::program::{Outcome, Workspace};
use std::collections::BTreeMap;
use std::fs::{File, FileTimes};
use std::time::{Duration, SystemTime};

pub const SCHEME: &str = "[scheme]\nid = \"club\"\nname = \"Club\"\ncompany = \"Example\"\ncurrency = \"INR\"\n\
                          timezone = \"Asia/Kolkata\"\nstarts = 2026-01-01\n[cycle]\nlength = \"month\"\n\
                          post = \"continuous\"\n[slabs]\nmode = \"whole\"\n[[slab]]\nfrom = 0\nrate = \"100%\"\n";

pub const HEADER: &str = "invoice_no,line_no,invoice_date,partner_code,amount\n";

/// A workspace whose runs come a day apart, from 2026-05-01 on.
pub struct Shop {
    pub at: Workspace,
    day: u64,
}

/// A feed in `drop/NAME`.
pub fn feed(name: &str, files: &str, more: &str) -> String {
    format!(
        "[[feed]]\nname = \"{name}\"\nkind = \"sales\"\nurl = \"file:drop/{name}\"\nfiles = \"{files}\"\n\
         timezone = \"Asia/Kolkata\"\nsettle_seconds = 0\n{more}\n"
    )
}

/// Sales of one month, `mode = "replace"`.
pub fn replacing(more: &str) -> Shop {
    Shop::new(&feed("s", "sales_{yyyy}-{mm}*.csv", &format!("mode = \"replace\"\n{more}")))
}

/// A row with a line number: invoice, amount, partner P1, in April.
pub fn row(invoice: &str, amount: i64) -> String {
    of("P1", invoice, amount)
}

pub fn of(partner: &str, invoice: &str, amount: i64) -> String {
    format!("{invoice},1,2026-04-10,{partner},{amount}\n")
}

pub fn file(rows: &[String]) -> String {
    format!("{HEADER}{}", rows.concat())
}

impl Shop {
    pub fn new(feeds: &str) -> Shop {
        let at = Workspace::new(feeds);
        at.write("schemes/club.toml", SCHEME);
        for line in feeds.lines() {
            if let Some(name) = line.strip_prefix("name = \"").and_then(|rest| rest.strip_suffix('"')) {
                std::fs::create_dir_all(at.path(&format!("drop/{name}"))).expect("a folder can be made");
            }
        }
        Shop { at, day: 0 }
    }

    /// Drops a file into the feed `s`.
    pub fn drop(&mut self, name: &str, rows: &[String]) {
        self.at.drop(&format!("drop/s/{name}"), file(rows));
    }

    /// Gives a dropped file another time: so many seconds after the epoch.
    pub fn touch(&self, name: &str, seconds: u64) {
        let file = File::options()
            .write(true)
            .open(self.at.path(&format!("drop/s/{name}")))
            .expect("it was dropped");
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        file.set_times(FileTimes::new().set_modified(time)).expect("its time can be set");
    }

    /// The instant of the next run.
    pub fn next_day(&mut self) -> String {
        self.day += 1;
        let first = chrono::NaiveDate::from_ymd_opt(2026, 5, 1).expect("a date");
        (first + chrono::Days::new(self.day)).to_string()
    }

    /// The next run, a day after the one before, which must end so.
    pub fn run(&mut self, status: i32) -> Outcome {
        let day = self.next_day();
        self.at.trial(&["run", "--as-of", &day]).status(status).check()
    }

    /// The next run; and that one more has nothing to do, and the store is whole.
    pub fn settled(&mut self, status: i32) -> Outcome {
        let outcome = self.run(status);
        let published = self.at.tree("var/statements");
        let again = self.run(0);
        assert!(again.stdout.contains("posted     nothing"), "{}", again.whole());
        assert_eq!(
            published,
            self.at.tree("var/statements"),
            "a run with nothing new changes no published byte"
        );
        self.at.trial(&["verify", "--deep"]).check();
        outcome
    }

    /// What each partner has.
    pub fn balances(&self) -> BTreeMap<String, String> {
        let rows = self.at.trial(&["balances", "--format", "csv"]).check().csv();
        rows.into_iter().map(|row| (row["partner_code"].clone(), row["available"].clone())).collect()
    }

    /// What P1 has.
    pub fn points(&self) -> String {
        self.balances().remove("P1").unwrap_or_else(|| "none".to_owned())
    }

    /// The last taking of a name, as `accrued files` shows it.
    pub fn last(&self, name: &str) -> BTreeMap<String, String> {
        self.at.trial(&["files", name, "--format", "csv"]).check().csv().pop().expect("it was taken")
    }

    /// The holds that wait: id and kind.
    pub fn holds(&self) -> Vec<(String, String)> {
        let rows = self.at.trial(&["holds", "--format", "csv"]).check().csv();
        rows.into_iter().map(|row| (row["id"].clone(), row["kind"].clone())).collect()
    }

    pub fn decide(&self, verb: &str, id: &str) {
        self.at.trial(&["holds", verb, id, "--reason", "it is meant"]).check();
    }
}

/// One column of a taking, and another, ...
pub fn cells<const N: usize>(row: &BTreeMap<String, String>, names: [&str; N]) -> [String; N] {
    names.map(|name| row[name].clone())
}
