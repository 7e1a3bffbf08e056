//! Prometheus text, read as its own parser and `promtool check metrics` read it. Where promtool is installed it has its say too.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::process::{Command, Stdio};

/// `name{label="value"}` -> value as text; checked on the way.
#[derive(Debug, Clone, Default)]
pub struct Metrics {
    pub samples: BTreeMap<String, String>,
    pub counters: BTreeSet<String>,
}

/// Units that are not base units, and words that name a type.
const NOT_IN_NAMES: [&str; 24] = [
    "milliseconds",
    "microseconds",
    "nanoseconds",
    "minutes",
    "hours",
    "days",
    "weeks",
    "kilobytes",
    "megabytes",
    "gigabytes",
    "bits",
    "percent",
    "ms",
    "us",
    "ns",
    "sec",
    "kb",
    "mb",
    "gb",
    "counter",
    "gauge",
    "histogram",
    "summary",
    "untyped",
];

impl Metrics {
    /// Panics with the line that cannot stand.
    pub fn read(text: &str) -> Metrics {
        let mut metrics = Metrics::default();
        let mut current: Option<(String, bool)> = None;
        let (mut helped, mut seen): (BTreeSet<String>, BTreeSet<String>) = Default::default();
        assert!(text.ends_with('\n') && !text.contains('\r'), "line ends");
        for line in text.lines() {
            if let Some(rest) = line.strip_prefix("# HELP ") {
                let (name, help) = rest.split_once(' ').unwrap_or_else(|| panic!("no help: {line}"));
                assert!(!help.is_empty() && helped.insert(name.to_owned()), "{line}");
                current = None;
            } else if let Some(rest) = line.strip_prefix("# TYPE ") {
                let (name, kind) = rest.split_once(' ').unwrap_or_else(|| panic!("no type: {line}"));
                assert!(helped.contains(name) && seen.insert(name.to_owned()), "{line}");
                current = Some((name.to_owned(), well_named(name, kind)));
            } else {
                let (series, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("no value: {line}"));
                let (name, counts) = current.as_ref().unwrap_or_else(|| panic!("before its type: {line}"));
                assert_eq!(series.split('{').next(), Some(name.as_str()), "{line}");
                well_labelled(series, line);
                assert!(is_number(value), "{line}");
                assert!(
                    metrics.samples.insert(series.to_owned(), value.to_owned()).is_none(),
                    "twice: {line}"
                );
                if *counts {
                    metrics.counters.insert(series.to_owned());
                }
            }
        }
        promtool(text);
        metrics
    }

    /// The value of a series.
    pub fn value(&self, series: &str) -> &str {
        self.samples.get(series).unwrap_or_else(|| panic!("no {series} in {:#?}", self.samples))
    }

    pub fn has(&self, name: &str) -> bool {
        self.samples.keys().any(|series| series.split('{').next() == Some(name))
    }

    /// Whole and fraction of a second, as a float: no test depends on its last digits.
    pub fn seconds(&self, series: &str) -> f64 {
        self.value(series).parse().expect("a number")
    }

    /// No counter of an earlier reading has fallen or gone.
    pub fn follows(&self, earlier: &Metrics, when: &str) {
        for series in &earlier.counters {
            let number = |metrics: &Metrics| metrics.value(series).parse::<f64>().expect("a number");
            assert!(number(self) >= number(earlier), "{series} fell {when}");
        }
    }
}

/// Whether it is a counter.
fn well_named(name: &str, kind: &str) -> bool {
    assert!(name.starts_with("accrued_"), "{name}");
    assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_'), "{name}");
    for part in name.split('_') {
        assert!(!NOT_IN_NAMES.contains(&part), "{name} has {part:?} in it");
    }
    let counts = match kind {
        "counter" => true,
        "gauge" => false,
        _ => panic!("{name} is a {kind}"),
    };
    assert_eq!(name.ends_with("_total"), counts, "{name} is a {kind}");
    assert!(!["_count", "_sum", "_bucket"].iter().any(|end| name.ends_with(end)), "{name}");
    counts
}

fn well_labelled(series: &str, line: &str) {
    let Some((_, labels)) = series.split_once('{') else { return };
    let mut rest = labels.strip_suffix('}').unwrap_or_else(|| panic!("{line}"));
    while !rest.is_empty() {
        let (name, after) = rest.split_once("=\"").unwrap_or_else(|| panic!("{line}"));
        assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{line}");
        let mut escaped = false;
        let end = after.find(|c: char| {
            let ends = c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            ends
        });
        let after = &after[end.unwrap_or_else(|| panic!("{line}")) + 1..];
        rest = after.strip_prefix(',').unwrap_or(after);
    }
}

fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let all = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    all(whole) && all(fraction)
}

/// What promtool says, where there is one: on the path, or as PROMTOOL names it.
fn promtool(text: &str) {
    let named = std::env::var_os("PROMTOOL").unwrap_or_else(|| "promtool".into());
    let mut command = Command::new(named);
    command.args(["check", "metrics"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let Ok(mut child) = command.spawn() else { return };
    child.stdin.take().expect("a pipe").write_all(text.as_bytes()).expect("it reads");
    let said = child.wait_with_output().expect("it ends");
    let words = String::from_utf8_lossy(&said.stdout).into_owned() + &String::from_utf8_lossy(&said.stderr);
    assert!(said.status.success() && words.trim().is_empty(), "promtool: {words}\n{text}");
}
