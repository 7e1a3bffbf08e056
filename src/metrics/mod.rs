//! Metrics: a store and its last run as Prometheus reads them (the text format, `metrics.prom`).
//!
//! Answers for: the format, which metrics there are and what each says ([`told`]). Does not: gather what is told, nor write a
//! file. Values are texts, so that points and money stay exact as far as this file goes; Prometheus itself reads floats.

mod told;

pub use told::{Counted, LastRun, Posted, SchemeTold, Stage, Told, families};

/// What a metric may do over time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    /// it only grows
    Counter,
    /// it goes up and down
    Gauge,
}

impl Type {
    fn word(self) -> &'static str {
        match self {
            Type::Counter => "counter",
            Type::Gauge => "gauge",
        }
    }
}

/// One metric with all its samples.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Family {
    /// `accrued_rows_total`
    pub name: &'static str,
    /// what it says, in one line
    pub help: &'static str,
    /// how it moves
    pub kind: Type,
    /// names of its labels
    pub labels: &'static [&'static str],
    /// in order; no two with the same labels
    pub samples: Samples,
}

/// The values of a metric.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Samples {
    /// these, or none
    Known(Vec<Sample>),
    /// it cannot be told now: what was told last stays
    Unknown,
}

/// One value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// one for each label of its family
    pub labels: Vec<String>,
    /// a plain decimal number
    pub value: String,
}

/// The text of metrics; one without samples is left out, and one that cannot be told stands as in the text `before`.
pub fn render(families: &[Family], before: &str) -> Vec<u8> {
    let mut out = String::new();
    for family in families {
        match &family.samples {
            Samples::Known(samples) if samples.is_empty() => {}
            Samples::Known(samples) => out.push_str(&text(family, samples)),
            Samples::Unknown => out.push_str(&told_before(before, family)),
        }
    }
    out.into_bytes()
}

fn text(family: &Family, samples: &[Sample]) -> String {
    let mut out = head(family);
    for sample in samples {
        let named: Vec<String> = family
            .labels
            .iter()
            .zip(&sample.labels)
            .map(|(label, value)| format!("{label}=\"{}\"", label_text(value)))
            .collect();
        let named = if named.is_empty() { String::new() } else { format!("{{{}}}", named.join(",")) };
        out.push_str(&format!("{}{named} {}\n", family.name, sample.value));
    }
    out
}

fn head(Family { name, help, kind, .. }: &Family) -> String {
    format!("# HELP {name} {}\n# TYPE {name} {}\n", help_text(help), kind.word())
}

/// The samples of a metric in an earlier text, under today's words; nothing where it had none.
fn told_before(before: &str, family: &Family) -> String {
    let ours = |line: &&str| {
        let rest = line.strip_prefix(family.name);
        rest.is_some_and(|rest| rest.starts_with(['{', ' ']))
    };
    let samples: Vec<&str> = before.lines().filter(ours).collect();
    match samples.as_slice() {
        [] => String::new(),
        samples => format!("{}{}\n", head(family), samples.join("\n")),
    }
}

fn help_text(text: &str) -> String {
    text.replace('\\', "\\\\").replace('\n', "\\n")
}

fn label_text(text: &str) -> String {
    help_text(text).replace('"', "\\\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_metric_is_its_help_its_type_and_its_samples() {
        let sample = |feed: &str, value: &str| Sample { labels: vec![feed.into()], value: value.into() };
        let family = |samples| Family {
            name: "accrued_x_total",
            help: "a\\b\nc",
            kind: Type::Counter,
            labels: &["feed"],
            samples: Samples::Known(samples),
        };
        let text =
            String::from_utf8(render(&[family(vec![sample("a\"b\\c\nd", "1"), sample("e", "0.5")])], ""));
        let expected = "# HELP accrued_x_total a\\\\b\\nc\n# TYPE accrued_x_total counter\n\
                        accrued_x_total{feed=\"a\\\"b\\\\c\\nd\"} 1\naccrued_x_total{feed=\"e\"} 0.5\n";
        assert_eq!(text.as_deref(), Ok(expected));
        assert!(render(&[family(Vec::new())], expected).is_empty());
    }

    #[test]
    fn what_cannot_be_told_now_stands_as_it_was_told_last() {
        let family =
            |name, samples| Family { name, help: "new words", kind: Type::Gauge, labels: &["a"], samples };
        let before = "# HELP accrued_a old words\n# TYPE accrued_a gauge\naccrued_a{a=\"x y\"} 1\naccrued_a{a=\"z\"} 2\n\
                      # HELP accrued_ab other\n# TYPE accrued_ab gauge\naccrued_ab 3\n";
        let known = Samples::Known(vec![Sample { labels: vec!["n".into()], value: "4".into() }]);
        let all = [
            family("accrued_a", Samples::Unknown),
            family("accrued_ab", known),
            family("accrued_c", Samples::Unknown),
        ];
        assert_eq!(
            String::from_utf8(render(&all, before)).as_deref(),
            Ok(
                "# HELP accrued_a new words\n# TYPE accrued_a gauge\naccrued_a{a=\"x y\"} 1\naccrued_a{a=\"z\"} 2\n\
                # HELP accrued_ab new words\n# TYPE accrued_ab gauge\naccrued_ab{a=\"n\"} 4\n"
            )
        );
    }
}
