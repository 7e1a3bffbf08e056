//! The gallery of bad rows and bad files: each fixture of `tests/gallery/rows`, and inputs too large or too odd to keep,
//! is read and what is said of it compared with NAME.txt. `UPDATE_GOLDENS=1` writes the goldens anew.

use accrued::domain::decimal::DecimalMark;
use accrued::facts::money::EventKind;
use accrued::ingest::{
    self, CreditNotes, Encoding, LastRow, Layout, Packing, Refusal, Reject, Stop, Taken, Tally,
};
use flate2::Compression;
use flate2::write::GzEncoder;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::{Read, Write as _};
use std::path::{Path, PathBuf};

const HEADER: &str = "invoice_no,invoice_date,partner_code,amount,partner_name\n";
const GOOD: &str = "A/1,2026-04-30,P1,100.00,Asha\n";

struct Case {
    name: String,
    bytes: Box<dyn Read>,
    packing: Packing,
    layout: Layout,
}

#[test]
fn every_fault_is_told_as_the_gallery_says() {
    let mut cases = fixtures();
    cases.extend(odd_bytes());
    cases.extend(packed());
    cases.extend(huge());
    let mut wrong = Vec::new();
    let mut names = BTreeSet::new();
    for case in cases {
        let golden = folder().join(format!("{}.txt", case.name));
        assert!(names.insert(golden.clone()), "{} is there twice", case.name);
        let told = told(case);
        if std::env::var_os("UPDATE_GOLDENS").is_some() {
            std::fs::write(&golden, &told).expect("a writable gallery");
        }
        let wanted = std::fs::read_to_string(&golden).unwrap_or_default();
        if told != wanted {
            wrong.push(format!("{}\nwanted:\n{wanted}\ntold:\n{told}", golden.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let goldens: BTreeSet<PathBuf> = files("txt").into_iter().collect();
    assert_eq!(goldens.difference(&names).collect::<Vec<_>>(), Vec::<&PathBuf>::new(), "goldens of nothing");
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/gallery/rows")
}

fn files(extension: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder()).expect("the gallery");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let mut found: Vec<PathBuf> =
        paths.filter(|path| path.extension().is_some_and(|found| found == extension)).collect();
    found.sort();
    found
}

fn fixtures() -> Vec<Case> {
    let case = |path: PathBuf| {
        let name = path.file_stem().expect("a name").to_str().expect("UTF-8").to_string();
        let bytes = Box::new(std::fs::File::open(&path).expect("a fixture"));
        let layout = layout_of(&name);
        Case { name, bytes, packing: Packing::Plain, layout }
    };
    files("csv").into_iter().map(case).collect()
}

/// What one case's rows, rejects or refusal are, in text.
fn told(mut case: Case) -> String {
    let mut told = String::new();
    let outcome = match case.name.split('-').next() {
        Some("partners") => ingest::partners(&mut case.bytes, case.packing, &case.layout, &mut |taken| {
            tell(&mut told, taken, |row| {
                let from = row.dated.then_some(row.record.effective_from);
                format!(
                    "line {}: {} active {} tracked {} from {from:?}",
                    row.file_line, row.code, row.record.active, row.record.tracked
                )
            });
            Ok(())
        }),
        Some("items") => ingest::items(&mut case.bytes, case.packing, &case.layout, &mut |taken| {
            tell(&mut told, taken, |row| {
                format!(
                    "line {}: {} earns_points {} launched_on {:?}",
                    row.file_line, row.code, row.record.earns_points, row.record.launched_on
                )
            });
            Ok(())
        }),
        Some(name @ ("payments" | "deposits")) => {
            let kind = if name == "payments" { EventKind::Payment } else { EventKind::Deposit };
            ingest::monies(&mut case.bytes, case.packing, &case.layout, kind, &mut |taken| {
                tell(&mut told, taken, |row| {
                    let of = if row.invoice_no.is_empty() {
                        String::new()
                    } else {
                        format!(" for {}", row.invoice_no)
                    };
                    format!(
                        "line {}: {}{of}: {} {} on {} [{}] [{}]",
                        row.file_line,
                        row.reference,
                        row.amount,
                        row.currency,
                        row.day,
                        row.method,
                        row.deposit_ref
                    )
                });
                Ok(())
            })
        }
        Some("fx") => ingest::fx(&mut case.bytes, case.packing, &case.layout, &mut |taken| {
            tell(&mut told, taken, |row| {
                let rate = row.record;
                format!("line {}: {} {} to {} {}", row.file_line, rate.day, rate.from, rate.to, rate.rate)
            });
            Ok(())
        }),
        Some(_) | None => ingest::sales(&mut case.bytes, case.packing, &case.layout, &mut |taken| {
            tell(&mut told, taken, |row| {
                format!(
                    "line {}: {} {} {:?} {} {} {}",
                    row.file_line,
                    row.doc_type.word(),
                    row.invoice_no,
                    row.when,
                    row.partner_code,
                    row.amount,
                    row.partner_name.escape_debug()
                )
            });
            Ok(())
        }),
    };
    finish(&mut told, outcome);
    told
}

fn tell<R>(told: &mut String, taken: Taken<'_, R>, row: impl FnOnce(R) -> String) {
    // of many rows the first tell enough
    let enough = told.len() > 10_000;
    let said = match taken {
        Taken::Row(_) if enough => return,
        Taken::Row(taken) => row(taken),
        Taken::Reject(Reject { line, reason, detail, text, .. }) => {
            assert!(text.chars().count() <= 4_000, "line {line}: a reject keeps at most 4,000 characters");
            let shown: String = text.chars().take(120).collect();
            format!("line {line}: rejected: {reason}\n  {detail}\n  | {}", shown.escape_debug())
        }
    };
    let _ = writeln!(told, "{said}");
}

fn finish(told: &mut String, outcome: Result<Tally, Stop>) {
    match outcome {
        Ok(Tally { rows, rejects, bytes }) => {
            let _ = writeln!(told, "{rows} rows, {rejects} rejects, {bytes} bytes");
        }
        Err(Stop::Refused(Refusal { reason, detail })) => {
            let _ = writeln!(told, "refused: {reason}\n  {detail}");
        }
        Err(stop @ (Stop::Io(_) | Stop::Taker(_))) => panic!("{stop:?}"),
    }
}

fn plain() -> Layout {
    Layout {
        delimiter: b',',
        encoding: Encoding::Utf8,
        decimal_mark: DecimalMark::Point,
        dates: Vec::new(),
        credit_notes: CreditNotes::PositiveOrNegative,
        columns: BTreeMap::new(),
        defaults: BTreeMap::new(),
        values: BTreeMap::new(),
        timezone: chrono_tz::Tz::America__New_York,
        numbers_restart: None,
        max_bytes: 64 << 20,
        last_row: LastRow::Data,
    }
}

fn words(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(one, other)| ((*one).to_string(), (*other).to_string())).collect()
}

/// The feed that a fixture belongs to.
fn layout_of(name: &str) -> Layout {
    let mut layout = plain();
    match name {
        "missing-mapped" => {
            layout.columns =
                words(&[("partner_code", "Dealer Code"), ("amount", "Net Amount"), ("status", "State")]);
        }
        "missing-default" => layout.defaults = words(&[("partner_code", "P9"), ("currency", "INR")]),
        "dialect-german" => {
            layout.delimiter = b';';
            layout.decimal_mark = DecimalMark::Comma;
            layout.dates = vec!["%d.%m.%Y".to_string(), "%d.%m.%Y %H:%M".to_string()];
            layout.columns = words(&[("partner_code", "Händler"), ("amount", "Netto")]);
            layout.values.insert(
                "doc_type".to_string(),
                words(&[("Rechnung", "invoice"), ("Gutschrift", "credit_note")]),
            );
        }
        "dates-day-first" => layout.dates = vec!["%d/%m/%Y".to_string(), "%d-%b-%y %I:%M %p".to_string()],
        "cancellations-restarting" => layout.numbers_restart = Some(4),
        "ambiguous-case" => layout.columns = words(&[("amount", "amount")]),
        _ => {}
    }
    layout
}

fn case(name: &str, bytes: impl Into<Vec<u8>>, encoding: Encoding) -> Case {
    let layout = Layout { encoding, ..plain() };
    let bytes = Box::new(std::io::Cursor::new(bytes.into()));
    Case { name: name.to_string(), bytes, packing: Packing::Plain, layout }
}

fn utf16(text: &str, mark: bool, order: fn(u16) -> [u8; 2]) -> Vec<u8> {
    let mark = mark.then_some(0xFEFF);
    mark.into_iter().chain(text.encode_utf16()).flat_map(order).collect()
}

/// What an editor or version control would not leave alone.
fn odd_bytes() -> Vec<Case> {
    let good = format!("{HEADER}{GOOD}A/2,2026-04-30,P1,100.00,Zoë\n");
    let latin = encoding_rs::WINDOWS_1252.encode(&good).0.into_owned();
    let mut half_pair = utf16(&good, true, u16::to_le_bytes);
    half_pair.extend("A/3,2026-04-30,P1,1,".encode_utf16().flat_map(u16::to_le_bytes));
    half_pair.extend([0x00, 0xD8, b'\n', 0, b'A']);
    let mixed = format!(
        "{}{}A/2,2026-04-30,P1,1,\"a\rb\nc\"\rA/3,2026-04-30,P1,x,\r\n\r\n\rA/4,2026-04-30,P1,4,",
        HEADER.replace('\n', "\r\n"),
        GOOD
    );
    vec![
        case("empty-file", "", Encoding::Utf8),
        case("blank-file", "\n\n  \n", Encoding::Utf8),
        case("mark-only", "\u{feff}", Encoding::Utf8),
        case("utf8-mark", format!("\u{feff}{good}"), Encoding::Utf8),
        case("mixed-line-ends", mixed, Encoding::Utf8),
        case("old-mac-line-ends", good.replace('\n', "\r"), Encoding::Utf8),
        case("nul-bytes", format!("{HEADER}A/1,2026-04-30,P1,1\0,x\n{GOOD}"), Encoding::Utf8),
        case("nul-header", format!("\0{HEADER}"), Encoding::Utf8),
        case("latin-row-as-utf8", latin.clone(), Encoding::Utf8),
        case(
            "latin-header-as-utf8",
            b"invoice_no,invoice_date,partner_code,amount,Gr\xF6\xDFe\n".to_vec(),
            Encoding::Utf8,
        ),
        case("latin", latin, Encoding::Windows1252),
        case("utf8-mark-as-latin", format!("\u{feff}{good}"), Encoding::Windows1252),
        case("utf16-little", utf16(&good, true, u16::to_le_bytes), Encoding::Utf16),
        case("utf16-big", utf16(&good, true, u16::to_be_bytes), Encoding::Utf16),
        case("utf16-no-mark", utf16(&good, false, u16::to_le_bytes), Encoding::Utf16),
        case("utf16-half-pair", half_pair, Encoding::Utf16),
        case("utf16-as-utf8", utf16(&good, true, u16::to_le_bytes), Encoding::Utf8),
        case("utf16-no-mark-as-utf8", utf16(&good, false, u16::to_le_bytes), Encoding::Utf8),
        case("utf8-as-utf16", good.clone(), Encoding::Utf16),
        case("workbook", "PK\x03\x04rest", Encoding::Utf8),
        case(
            "control-characters",
            format!(
                "{HEADER}A\u{1}1,2026-04-30,P1,1,x\nA/2,2026-04-30,\"P\n1\",1,x\nA/3,2026-04-30,P1,1,\"x\ty\"\n"
            ),
            Encoding::Utf8,
        ),
        case(
            "noise",
            (0..4_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect::<Vec<u8>>(),
            Encoding::Utf8,
        ),
    ]
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

fn packed() -> Vec<Case> {
    let good = format!("{HEADER}{GOOD}");
    let two = [gzip(good.as_bytes()), gzip(b"A/2,2026-04-30,P1,2,\n")].concat();
    let mut cut = gzip(good.as_bytes());
    cut.truncate(cut.len() - 9);
    let mut flipped = gzip(good.as_bytes());
    let last = flipped.len() - 6;
    flipped[last] ^= 1;
    let mut bomb = GzEncoder::new(Vec::new(), Compression::best());
    bomb.write_all(good.as_bytes()).expect("memory");
    for _ in 0..65 {
        bomb.write_all(&vec![b'x'; 1 << 20]).expect("memory");
    }
    let gz =
        |name: &str, bytes: Vec<u8>| Case { packing: Packing::Gzip, ..case(name, bytes, Encoding::Utf8) };
    vec![
        gz("gzip-two-members", two),
        gz("gzip-zero-bytes", Vec::new()),
        gz("gzip-of-nothing", gzip(b"")),
        gz("gzip-cut-short", cut),
        gz("gzip-damaged", flipped),
        gz("gzip-not", good.clone().into_bytes()),
        gz("gzip-bomb", bomb.finish().expect("memory")),
        case("gzip-unnamed", gzip(good.as_bytes()), Encoding::Utf8),
    ]
}

/// `begin`, then `unit` so many times, then `end`, without holding it.
fn long(name: &str, begin: &str, unit: &'static str, times: u64, end: &str) -> Case {
    let middle = Repeated { unit: unit.as_bytes(), left: times * unit.len() as u64, at: 0 };
    let begin = std::io::Cursor::new(begin.to_string().into_bytes());
    let end = std::io::Cursor::new(end.to_string().into_bytes());
    Case { bytes: Box::new(begin.chain(middle).chain(end)), ..case(name, "", Encoding::Utf8) }
}

struct Repeated {
    unit: &'static [u8],
    left: u64,
    at: usize,
}

impl Read for Repeated {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let size = out.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        for byte in &mut out[..size] {
            *byte = self.unit[self.at];
            self.at = (self.at + 1) % self.unit.len();
        }
        self.left -= size as u64;
        Ok(size)
    }
}

fn huge() -> Vec<Case> {
    let row = format!("{HEADER}{GOOD}A/2,2026-04-30,P1,1,");
    let quoted = format!("{row}\"");
    vec![
        long("huge-line", &row, "x", 10 << 20, &format!("\n{GOOD}")),
        long("huge-line-last", &row, "x", 10 << 20, ""),
        long("huge-line-bare-return", &row, "x", 10 << 20, &format!("\r{GOOD}")),
        long("huge-quoted-cell", &quoted, "x", 10 << 20, &format!("\"\n{GOOD}")),
        long("huge-cells-in-row", &row, ",", 1 << 20, &format!("\n{GOOD}")),
        long("huge-quote-never-closed", &quoted, "x", 10 << 20, &format!("\n{GOOD}")),
        long("huge-quote-never-closed-lines", &quoted, "x\n", 5 << 20, GOOD),
        long("huge-header", "invoice_no", "x", 10 << 20, "\n"),
        long("huge-columns", "invoice_no", ",", 1_000_000, "\n"),
        long("huge-columns-named", "invoice_no", ",column", 1_000_000, "\n"),
        long("huge-no-line-ends", "", "\0", 10 << 20, ""),
        long("huge-text", &row, "é", 4_001, &format!("\n{GOOD}")),
        long("huge-number", &format!("{HEADER}A/1,2026-04-30,P1,"), "9", 100_000, &format!(",\n{GOOD}")),
        Case {
            layout: Layout { max_bytes: 1 << 20, ..plain() },
            ..long("huge-over-max-bytes", HEADER, GOOD, 40_000, "")
        },
    ]
}
