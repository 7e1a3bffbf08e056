//! A folder with a config, the scheme of evaluation.md 5 and exports, under the build's target folder.

use crate::generator::{self, Totals};
use crate::measure::{Taken, measure};
use anyhow::{Context, Result, bail};
use rust_decimal::Decimal;
use std::fs::{self, File};
use std::io::BufWriter;
use std::path::{Path, PathBuf};

const SEED: u64 = 20_260_401;
/// All four quarters are over, their grace days too.
const AS_OF: &str = "2027-04-10T00:00:00Z";

const CONFIG: &str = r#"data_dir = "var"
schemes_dir = "schemes"

[[feed]]
name = "sales"
kind = "sales"
url = "file:drop"
files = "*.csv"
timezone = "Asia/Kolkata"
settle_seconds = 0
"#;

const SCHEME: &str = r#"[scheme]
id = "lighting-retail"
name = "Lighting Retailer Club"
company = "Example Lighting Ltd"
currency = "INR"
timezone = "Asia/Kolkata"
starts = 2026-04-01
ends = 2027-03-31

[cycle]
length = "quarter"
year_starts = "april"
grace_days = 5

[earn]
statuses = ["approved", "posted"]
exclude_skus = ["GIFT-*"]

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

[points]
rounding = "floor"
"#;

/// Where one size of export is worked on; it is removed in the end.
pub struct Workspace {
    root: PathBuf,
    /// what is in the export
    pub totals: Totals,
}

impl Drop for Workspace {
    fn drop(&mut self) {
        // what cannot be removed now is replaced by the next benchmark
        let _ = fs::remove_dir_all(&self.root);
    }
}

impl Workspace {
    /// Lays it out and makes an export of `rows` rows.
    pub fn new(folder: &Path, rows: u64) -> Result<Workspace> {
        let root = folder.join(format!("rows-{rows}"));
        if root.exists() {
            fs::remove_dir_all(&root)?;
        }
        for folder in ["drop", "schemes"] {
            fs::create_dir_all(root.join(folder))?;
        }
        fs::write(root.join("accrued.toml"), CONFIG)?;
        fs::write(root.join("schemes/lighting-retail.toml"), SCHEME)?;
        let mut out = BufWriter::new(File::create(root.join("drop/export.csv"))?);
        let totals = generator::export(&mut out, rows, SEED)?;
        Ok(Workspace { root, totals })
    }

    /// A path in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// Size of the export in bytes.
    pub fn size(&self) -> Result<u64> {
        Ok(fs::metadata(self.path("drop/export.csv"))?.len())
    }

    /// Forgets everything that runs have made.
    pub fn forget(&self) -> Result<()> {
        for name in ["var", "duck.db", "duck.db.wal", "plain.db", "plain.db-wal", "plain.db-shm"] {
            let path = self.path(name);
            let gone = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
            if let Err(fault) = gone
                && fault.kind() != std::io::ErrorKind::NotFound
            {
                return Err(fault).with_context(|| path.display().to_string());
            }
        }
        Ok(())
    }

    /// `accrued run`, whole. Exit 3 is a run that is done and has something to show to a person.
    pub fn accrued(&self) -> Result<Taken> {
        self.command(&["run", "--as-of", AS_OF], &[3])
    }

    /// `accrued verify --deep`, beside the check that costs least: every run so far is done again.
    pub fn replayed(&self) -> Result<Taken> {
        self.command(&["verify", "files", "--deep"], &[])
    }

    fn command(&self, args: &[&str], fine: &[i32]) -> Result<Taken> {
        let config = self.path("accrued.toml");
        let config = config.to_str().context("a path")?;
        let command = [&[env!("CARGO_BIN_EXE_accrued"), "--config", config], args].concat();
        measure(&command, &self.path("out.txt"), fine)
    }

    /// A rival's script into a database of its own.
    pub fn rival(&self, python: &Path, script: &str, database: &str) -> Result<Taken> {
        let script = format!("{}/benches/speed/{script}", env!("CARGO_MANIFEST_DIR"));
        let (export, database) = (self.path("drop/export.csv"), self.path(database));
        let command =
            [python, Path::new(&script), &export, &database].map(|path| path.to_str().unwrap_or_default());
        measure(&command, &self.path("out.txt"), &[])
    }

    /// One new line in a small new file, in the first cycle.
    pub fn drop_one_line(&self, number: usize) -> Result<()> {
        self.drop_one_line_of(number, 42)
    }

    /// The same, of another partner.
    pub fn drop_one_line_of(&self, number: usize, partner: usize) -> Result<()> {
        let text = format!(
            "invoice_no,line_no,doc_type,invoice_date,partner_code,distributor_code,sku,category,amount,status\n\
             LATE-{number},1,invoice,2026-05-04T10:00:00,P{partner:05},D17,LED-9W,LED,1000.00,approved\n"
        );
        Ok(fs::write(self.path(&format!("drop/late-{number}.csv")), text)?)
    }

    /// What is published must add up to what was generated: a fast wrong run is no run.
    pub fn check_totals(&self) -> Result<()> {
        for (quarter, &expected) in self.totals.measure.iter().enumerate() {
            let folder = format!("var/statements/lighting-retail/FY2026-27-Q{}/rev-001", quarter + 1);
            let mut summary = csv::Reader::from_path(self.path(&folder).join("summary.csv"))?;
            let column =
                summary.headers()?.iter().position(|name| name == "measure").context("no measure")?;
            let mut sum = Decimal::ZERO;
            for row in summary.records() {
                sum += row?[column].parse::<Decimal>()?;
            }
            if sum != Decimal::new(expected, 2) {
                bail!("{folder} adds up to {sum}, the export to {}", Decimal::new(expected, 2));
            }
        }
        Ok(())
    }
}
