//! Metrics: a store and its last run as Prometheus reads them (the text format, `metrics.prom`).
//!
//! Answers for: the format, which metrics there are and what each says ([`told`]). Does not: gather what is told, nor write a
//! file. Values are texts, so that points and money stay exact as far as this file goes; Prometheus itself reads floats.

mod told;

pub use told::{LastRun, Posted, SchemeTold, Stage, Told, families};

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
    pub samples: Vec<Sample>,
}

/// One value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// one for each label of its family
    pub labels: Vec<String>,
    /// a plain decimal number
    pub value: String,
}

/// The text of metrics; one without samples is left out.
pub fn render(families: &[Family]) -> Vec<u8> {
    let mut out = String::new();
    for family in families.iter().filter(|family| !family.samples.is_empty()) {
        let Family { name, help, kind, labels, samples } = family;
        out.push_str(&format!("# HELP {name} {}\n# TYPE {name} {}\n", help_text(help), kind.word()));
        for sample in samples {
            let named: Vec<String> = labels
                .iter()
                .zip(&sample.labels)
                .map(|(label, value)| format!("{label}=\"{}\"", label_text(value)))
                .collect();
            let named = if named.is_empty() { String::new() } else { format!("{{{}}}", named.join(",")) };
            out.push_str(&format!("{name}{named} {}\n", sample.value));
        }
    }
    out.into_bytes()
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
            samples,
        };
        let text = String::from_utf8(render(&[family(vec![sample("a\"b\\c\nd", "1"), sample("e", "0.5")])]));
        let expected = "# HELP accrued_x_total a\\\\b\\nc\n# TYPE accrued_x_total counter\n\
                        accrued_x_total{feed=\"a\\\"b\\\\c\\nd\"} 1\naccrued_x_total{feed=\"e\"} 0.5\n";
        assert_eq!(text.as_deref(), Ok(expected));
        assert!(render(&[family(Vec::new())]).is_empty());
    }
}
