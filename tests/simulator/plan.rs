//! A history as a plan: feeds with their dialects, schemes in sections, and batches of files of rows. Everything in
//! it can be left out piece by piece, so that a failing history can be made small.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use chrono::{DateTime, NaiveDate, NaiveDateTime};

use super::schemes::Head;
use crate::naive::{Word, number};
use crate::random::raised;

/// A row in canonical columns, numbers plain and dates as ISO 8601.
pub type Row = BTreeMap<&'static str, String>;

#[derive(Clone, Debug)]
pub struct History {
    pub seed: u64,
    pub feeds: Vec<FeedPlan>,
    pub schemes: Vec<SchemePlan>,
    pub batches: Vec<Batch>,
    /// Nothing in it depends on which file came later.
    pub any_order: bool,
}

#[derive(Clone, Debug)]
pub struct FeedPlan {
    pub name: String,
    pub kind: &'static str,
    pub zone: &'static str,
    /// Which names are its files.
    pub pattern: &'static str,
    /// Further lines of its `[[feed]]` table.
    pub settings: String,
    pub dialect: Dialect,
    /// How it is read, as a person wrote it down, until somebody mends it: another zone, other dates, ...
    pub wrong: Option<Wrong>,
}

/// In the settings of a feed: its files end with their totals.
pub const TRAILER: &str = "# with a trailer\n";
/// In the settings of a feed: its files come with their totals beside them.
pub const SIDECAR: &str = "# with a sidecar\n";

/// A setting that a person got wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrong {
    Zone,
    Dates,
    DecimalMark,
    Signs,
    Column,
}

/// How a feed writes its files.
#[derive(Clone, Debug, Default)]
pub struct Dialect {
    pub semicolons: bool,
    pub decimal_comma: bool,
    pub day_first: bool,
    pub own_headers: bool,
    pub own_words: bool,
    /// Credit notes are written with their sign and taken as written.
    pub signed: bool,
    /// Thousands and lakhs are grouped.
    pub grouped: bool,
    /// Cells have spaces around them.
    pub spaced: bool,
    /// Columns that the file has not.
    pub without: Vec<&'static str>,
}

#[derive(Clone, Debug)]
pub struct SchemePlan {
    /// Its file's name without `.toml`: versions of one scheme share the id.
    pub file: String,
    /// What cannot change once it has posted.
    pub base: Head,
    /// Its dates and its calendar.
    pub head: String,
    /// Its slabs and levels.
    pub slabs: String,
    /// Sections that may be left out.
    pub sections: Vec<String>,
}

#[derive(Clone, Debug)]
pub struct Batch {
    pub as_of: String,
    /// What people do before the run.
    pub acts: Vec<Act>,
    pub files: Vec<FilePlan>,
    /// What befalls the run before it is made undisturbed.
    pub troubles: Vec<Trouble>,
}

/// What a person does.
#[derive(Clone, Debug)]
pub enum Act {
    /// Puts the settings of a feed right and has its files read again.
    Mend { feed: usize },
    /// Has a feed's files read again, with nothing mended.
    Reread { feed: usize },
    /// Writes other rules into the file of a scheme.
    Edit { scheme: usize, slabs: String, sections: Vec<String> },
    /// Ends the last version of a scheme and lets another one begin.
    Succeed { ends: &'static str, successor: SchemePlan },
    /// Decides about one of the versions, payments or files that wait.
    Decide { which: usize, verdict: Word },
    /// Lets a closed cycle go by what its file says now: one of those that wait.
    Adopt { which: usize },
    /// Decides about points that wait: over a limit, in a locked cycle, by an edited scheme.
    DecidePoints { which: usize, verdict: Word },
    /// Closes the next cycle of a scheme without a file that will not come, once its last day has passed.
    Close { scheme: usize },
    /// The next thing that somebody does is tried first by a command that is killed after so many milliseconds.
    Stumble(u64),
}

/// What befalls a run.
#[derive(Clone, Copy, Debug)]
pub enum Trouble {
    /// kill -9 after so many milliseconds.
    Killed(u64),
    /// No file may grow beyond so many KiB.
    DiskFull(u32),
}

#[derive(Clone, Debug)]
pub struct FilePlan {
    pub feed: usize,
    pub name: String,
    /// Its rows, document by document (a master file is one).
    pub documents: Vec<Vec<Row>>,
}

const SALES: [&str; 18] = [
    "invoice_no",
    "line_no",
    "doc_type",
    "invoice_date",
    "partner_code",
    "distributor_code",
    "channel",
    "sku",
    "category",
    "quantity",
    "amount",
    "invoice_total",
    "currency",
    "status",
    "payment_method",
    "ref_invoice_no",
    "ref_line_no",
    "updated_at",
];
const PARTNERS: [&str; 8] = [
    "partner_code",
    "class",
    "channel",
    "active",
    "tracked",
    "effective_from",
    "distributor_code",
    "local_code",
];
const PAYMENTS: [&str; 7] =
    ["payment_ref", "invoice_no", "distributor_code", "paid_on", "amount", "currency", "deposit_ref"];
const DEPOSITS: [&str; 3] = ["deposit_ref", "date", "amount"];
const FX: [&str; 4] = ["date", "from", "to", "rate"];
const ITEMS: [&str; 4] = ["sku", "category", "earns_points", "effective_from"];

impl History {
    /// accrued.toml as it was at first, or is once these feeds are mended.
    pub fn config(&self, mended: &[usize]) -> String {
        let mut config = "data_dir = \"var\"\nschemes_dir = \"schemes\"\n".to_string();
        for (place, feed) in self.feeds.iter().enumerate() {
            config += &feed.toml(if mended.contains(&place) { State::Mended } else { State::Unmended });
        }
        config
    }

    /// accrued.toml with nothing wrong in it.
    pub fn right_config(&self) -> String {
        self.config(&(0..self.feeds.len()).collect::<Vec<_>>())
    }

    pub fn scheme_files(&self) -> Vec<String> {
        self.schemes.iter().map(SchemePlan::text).collect()
    }

    pub fn bytes(&self, file: &FilePlan) -> Vec<u8> {
        let trailer = match (self.feeds[file.feed].settings.contains(TRAILER), file.name.contains("off")) {
            (false, _) => Trailer::None,
            (true, false) => Trailer::Right,
            (true, true) => Trailer::Off,
        };
        self.feeds[file.feed].render(&file.documents.concat(), trailer)
    }

    /// The totals that stand beside a file from the run of its batch on; `None` where there are none, or they come late.
    pub fn beside(&self, file: &FilePlan) -> Option<Vec<u8>> {
        if file.name.contains("late") { None } else { self.totals(file, file.name.contains("off")) }
    }

    /// The totals that come beside a file before the run of the next batch: late, or right at last.
    pub fn beside_later(&self, file: &FilePlan) -> Option<Vec<u8>> {
        let later = file.name.contains("late") || file.name.contains("mend");
        if later { self.totals(file, false) } else { None }
    }

    fn totals(&self, file: &FilePlan, off: bool) -> Option<Vec<u8>> {
        let feed = &self.feeds[file.feed];
        let trailer = if off { Trailer::Off } else { Trailer::Right };
        feed.settings.contains(SIDECAR).then(|| feed.totals(&file.documents.concat(), trailer))
    }

    /// The files that the run of a batch finds anew, each with what stands beside it: those whose totals have come since first.
    pub fn found(&self, place: usize) -> Vec<(&FilePlan, Option<Vec<u8>>)> {
        let before = place.checked_sub(1).map_or(&[][..], |before| &self.batches[before].files);
        let since = before.iter().filter_map(|file| Some((file, Some(self.beside_later(file)?))));
        let now = self.batches[place].files.iter().map(|file| (file, self.beside(file)));
        let waits = |file: &FilePlan| self.feeds[file.feed].settings.contains(SIDECAR);
        since.chain(now.filter(|(file, beside)| beside.is_some() || !waits(file))).collect()
    }

    /// The whole history as text, for the message of a failing test.
    pub fn print(&self) -> String {
        let mut text = format!("seed {}\n--- accrued.toml\n{}", self.seed, self.config(&[]));
        let mut mended = vec![];
        for (plan, scheme) in self.schemes.iter().zip(self.scheme_files()) {
            write!(text, "--- schemes/{}.toml\n{scheme}", plan.file).expect("a string takes text");
        }
        for (place, batch) in self.batches.iter().enumerate() {
            for act in &batch.acts {
                writeln!(text, "--- {}", act.print()).expect("a string takes text");
                if let Act::Mend { feed } = act {
                    mended.push(*feed);
                    write!(text, "{}", self.config(&mended)).expect("a string takes text");
                }
            }
            for file in &batch.files {
                let bytes = String::from_utf8(self.bytes(file)).expect("rendered as UTF-8");
                write!(text, "--- {}\n{bytes}", self.path(file)).expect("a string takes text");
            }
            for (file, beside) in self.found(place) {
                if let Some(beside) = beside {
                    let beside = String::from_utf8(beside).expect("rendered as UTF-8");
                    write!(text, "--- {}.ctl\n{beside}", self.path(file)).expect("a string takes text");
                }
            }
            for trouble in &batch.troubles {
                writeln!(text, "--- {trouble:?}: accrued run --as-of {}", batch.as_of)
                    .expect("a string takes text");
            }
            writeln!(text, "--- accrued run --as-of {}", batch.as_of).expect("a string takes text");
        }
        text
    }

    pub fn path(&self, file: &FilePlan) -> String {
        format!("drop/{}/{}", self.feeds[file.feed].name, file.name)
    }
}

impl SchemePlan {
    pub fn text(&self) -> String {
        format!("{}{}{}", self.head, self.slabs, self.sections.concat())
    }
}

impl Act {
    fn print(&self) -> String {
        match self {
            Act::Mend { feed } => format!("accrued reread --feed (the {feed}th), with accrued.toml mended:"),
            Act::Reread { feed } => format!("accrued reread --feed (the {feed}th)"),
            Act::Edit { scheme, slabs, sections } => {
                format!(
                    "the {scheme}th scheme file goes on after its calendar:\n{slabs}{}",
                    sections.concat()
                )
            }
            Act::Succeed { ends, successor } => {
                format!("s1 ends on {ends}; schemes/{}.toml:\n{}", successor.file, successor.text())
            }
            Act::Decide { which, verdict } => {
                format!("{verdict:?} of number {which} of the versions, payments and files that wait")
            }
            Act::Close { scheme } => {
                format!("accrued close of the next cycle of the {scheme}th scheme, where that is over")
            }
            Act::Stumble(after) => format!("the next command is killed after {after} ms, and given again:"),
            Act::DecidePoints { which, verdict } => {
                format!("{verdict:?} of points {which} of those that wait")
            }
            Act::Adopt { which } => format!("release of edited cycle {which} of those that wait"),
        }
    }
}

/// What a file ends with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trailer {
    None,
    Right,
    /// It says one row more than there is.
    Off,
}

/// Whether a person has put the settings of a feed right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Unmended,
    Mended,
}

impl FeedPlan {
    pub fn columns(&self) -> Vec<&'static str> {
        let all: &[&'static str] = match self.kind {
            "sales" => &SALES,
            "partners" => &PARTNERS,
            "payments" => &PAYMENTS,
            "deposits" => &DEPOSITS,
            "fx" => &FX,
            _ => &ITEMS,
        };
        all.iter().filter(|c| !self.dialect.without.contains(c)).copied().collect()
    }

    /// Its `[[feed]]` with nothing wrong in it.
    pub fn config(&self) -> String {
        self.toml(State::Mended)
    }

    fn toml(&self, state: State) -> String {
        let d = &self.dialect;
        let wrong = self.wrong.filter(|_| state == State::Unmended);
        let mut text = format!(
            "[[feed]]\nname = \"{0}\"\nkind = \"{1}\"\nurl = \"file:drop/{0}\"\nfiles = \"{4}\"\n\
             timezone = \"{2}\"\nsettle_seconds = 0\nmax_reject_percent = \"100\"\n{3}",
            self.name,
            self.kind,
            if wrong == Some(Wrong::Zone) { "Pacific/Auckland" } else { self.zone },
            self.settings,
            self.pattern
        );
        text += "[feed.csv]\n";
        if d.semicolons {
            text += "delimiter = \";\"\n";
        }
        if d.decimal_comma != (wrong == Some(Wrong::DecimalMark)) {
            text += "decimal_mark = \",\"\n";
        }
        if d.signed != (wrong == Some(Wrong::Signs)) {
            text += "credit_notes = \"signed\"\n";
        }
        let day_first = if wrong == Some(Wrong::Dates) { ("%m", "%d") } else { ("%d", "%m") };
        if d.day_first {
            let (a, b) = day_first;
            writeln!(text, "dates = [\"{a}/{b}/%Y\", \"{a}/{b}/%Y %H:%M\"]").expect("a string takes text");
        }
        if self.settings.contains(TRAILER) {
            text += "[feed.totals]\nrows = \"trailer\"\n";
        }
        if self.settings.contains(SIDECAR) {
            text += "[feed.totals]\nrows = \"{name}.ctl\"\n";
        }
        if d.own_headers || wrong == Some(Wrong::Column) {
            text += "[feed.columns]\n";
        }
        if wrong == Some(Wrong::Column) {
            text += "sku = \"category\"\ncategory = \"sku\"\n";
        }
        if d.own_headers {
            text += "partner_code = \"Dealer Code\"\n";
            if self.kind == "sales" {
                text += "invoice_no = \"Bill No.\"\namount = \"Net Value\"\n";
            }
        }
        if d.own_words && self.kind == "sales" {
            text += "[feed.values.doc_type]\n\"Tax Invoice\" = \"invoice\"\nReturn = \"credit_note\"\n";
        }
        let mut defaults = vec![];
        if d.without.contains(&"distributor_code") && !self.settings.contains("distributors") {
            defaults.push("distributor_code = \"D1\"\n");
        }
        if raised() && d.without.contains(&"currency") && d.spaced {
            defaults.push("currency = \"usd\"\n");
        }
        if raised() && d.without.contains(&"channel") && d.grouped {
            defaults.push("channel = \"Retail\"\n");
        }
        if !defaults.is_empty() {
            text += &format!("[feed.defaults]\n{}", defaults.concat());
        }
        text
    }

    fn render(&self, rows: &[Row], trailer: Trailer) -> Vec<u8> {
        let delimiter = if self.dialect.semicolons { b';' } else { b',' };
        let mut writer = csv::WriterBuilder::new().delimiter(delimiter).flexible(true).from_writer(vec![]);
        let columns = self.columns();
        writer.write_record(columns.iter().map(|c| self.header(c))).expect("to memory");
        for row in rows {
            let cells = columns.iter().map(|c| self.spaced(self.cell(c, &self.signed(c, row))));
            writer.write_record(cells).expect("to memory");
        }
        if trailer != Trailer::None {
            writer.write_record(self.trailer(rows, trailer)).expect("to memory");
        }
        writer.into_inner().expect("to memory")
    }

    /// The same in a file of its own: below a header at times, and in the feed's own dialect at times.
    fn totals(&self, rows: &[Row], trailer: Trailer) -> Vec<u8> {
        let header = if rows.len() % 3 == 1 { "rows,sum\n" } else { "" };
        let own = self.dialect.semicolons && rows.len() % 2 == 1;
        let plain = FeedPlan {
            dialect: Dialect { signed: self.dialect.signed, ..Dialect::default() },
            ..self.clone()
        };
        let [_, count, sum] = if own { self.trailer(rows, trailer) } else { plain.trailer(rows, trailer) };
        let (header, delimiter) = if own { ("", ';') } else { (header, ',') };
        format!("{header}{count}{delimiter}{sum}\n").into_bytes()
    }

    /// How many rows, and the sum of their amounts as written.
    fn trailer(&self, rows: &[Row], trailer: Trailer) -> [String; 3] {
        let amounts = rows.iter().filter_map(|row| number::plain(&self.signed("amount", row)));
        let sum = amounts.fold(number::int(0), |sum, amount| sum + amount);
        let count = if trailer == Trailer::Off { rows.len() + 1 } else { rows.len() };
        ["TRAILER".into(), count.to_string(), self.figure(&number::show(&sum))]
    }

    fn header(&self, column: &'static str) -> &'static str {
        match column {
            "partner_code" if self.dialect.own_headers => "Dealer Code",
            "invoice_no" if self.dialect.own_headers => "Bill No.",
            "amount" if self.dialect.own_headers => "Net Value",
            other => other,
        }
    }

    fn spaced(&self, cell: String) -> String {
        if self.dialect.spaced { format!(" {cell}  ") } else { cell }
    }

    /// The cell, made negative where the feed's credit notes say so themselves.
    fn signed(&self, column: &str, row: &Row) -> String {
        let cell = row.get(column).map_or("", String::as_str);
        let figure = matches!(column, "amount" | "quantity");
        let is_note = row.get("doc_type").is_some_and(|t| t == "credit_note");
        if !(self.dialect.signed && figure && is_note) {
            return cell.to_string();
        }
        match cell {
            "" => "-1".into(),
            cell => format!("-{}", cell.trim_start_matches('-')),
        }
    }

    fn figure(&self, cell: &str) -> String {
        let cell = if self.dialect.grouped { in_lakhs(cell) } else { cell.to_string() };
        if !self.dialect.decimal_comma {
            return cell;
        }
        let swapped = cell.chars().map(|c| match c {
            '.' => ',',
            ',' => '.',
            other => other,
        });
        swapped.collect()
    }

    fn cell(&self, column: &str, cell: &str) -> String {
        match column {
            "amount" | "quantity" | "invoice_total" => self.figure(cell),
            "invoice_date" | "updated_at" | "effective_from" | "paid_on" | "date"
                if self.dialect.day_first =>
            {
                day_first(cell)
            }
            "doc_type" if self.dialect.own_words && cell == "invoice" => "Tax Invoice".into(),
            "doc_type" if self.dialect.own_words && cell == "credit_note" => "Return".into(),
            _ => cell.into(),
        }
    }
}

/// `1234567.8` as `12,34,567.8`. What is no number stays as it is.
fn in_lakhs(cell: &str) -> String {
    let (whole, part) = cell.split_once('.').map_or((cell, None), |(whole, part)| (whole, Some(part)));
    let (sign, digits) = whole.strip_prefix('-').map_or(("", whole), |digits| ("-", digits));
    if digits.len() < 4 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return cell.to_string();
    }
    let (mut head, tail) = digits.split_at(digits.len() - 3);
    let mut groups = vec![tail];
    while head.len() > 2 {
        let (rest, group) = head.split_at(head.len() - 2);
        groups.insert(0, group);
        head = rest;
    }
    groups.insert(0, head);
    let part = part.map_or(String::new(), |part| format!(".{part}"));
    format!("{sign}{}{part}", groups.join(","))
}

/// An ISO date or timestamp as `dd/mm/yyyy` or `dd/mm/yyyy hh:mm`; an offset is lost. Others stay as they are.
fn day_first(cell: &str) -> String {
    if let Ok(day) = cell.parse::<NaiveDate>() {
        return day.format("%d/%m/%Y").to_string();
    }
    let local = DateTime::parse_from_rfc3339(cell).map(|at| at.naive_local());
    let local = local.or_else(|_| NaiveDateTime::parse_from_str(cell, "%Y-%m-%dT%H:%M:%S"));
    local.map_or(cell.to_string(), |at| at.format("%d/%m/%Y %H:%M").to_string())
}
