//! The answer as people read it, in at most a hundred columns.

use super::gather::{Explained, Missing, Told};
use crate::cli::aligned::{Side, aligned, hanging};
use crate::cli::output::{grouped, printable};
use crate::domain::points::Points;
use crate::scheme::Measure;

/// Most lines that people are shown.
const LINES: usize = 200;

impl Explained {
    /// The whole text. The same answer is the same bytes on every terminal.
    pub(in crate::cli) fn for_people(&self) -> String {
        let mut out = self.head();
        out.push_str("\narithmetic\n");
        for step in &self.steps {
            let lead = format!("  {:13} ", step.name);
            out.push_str(&hanging(&lead, &format!("{} = {}", step.working, step.result)));
        }
        self.tell_missing(&mut out);
        let (counting, others): (Vec<&Told>, Vec<&Told>) =
            self.lines.iter().partition(|line| line.counts == "yes");
        let outside: Vec<&Told> = self.outside.iter().collect();
        self.tell_lines(&mut out, "lines that count", &counting, Side::Right, |line| grouped(&line.points));
        let why = |line: &Told| line.why_not.to_owned();
        self.tell_lines(&mut out, "lines that do not count", &others, Side::Left, why);
        self.tell_lines(&mut out, "lines in no cycle of the scheme", &outside, Side::Left, why);
        self.tell_posted(&mut out);
        out
    }

    fn head(&self) -> String {
        let name = if self.name.is_empty() { String::new() } else { format!(" {}", printable(&self.name)) };
        let (first, last) = self.days;
        let mut out = hanging(
            "",
            &format!(
                "{}{name}, {} {} ({first} to {last})",
                printable(&self.partner),
                self.scheme,
                self.cycle
            ),
        );
        let tier = if self.tier.is_empty() { "no tier" } else { &self.tier };
        out.push_str(&format!("{} points, {}\n", self.points(self.points), printable(tier)));
        if let Some(then) = &self.then {
            out.push_str(&format!("as it stood at {then}\n"));
        }
        if let Some(entry) = &self.entry {
            out.push_str(&format!(
                "as it stood when entry {} was posted (run {}, {})\n",
                entry.entry, entry.run, entry.posted_at
            ));
            out.push_str(&self.told_difference());
        }
        let version: String = self.version.chars().take(8).collect();
        out.push_str(&format!("rules: {} (version {version})\n", printable(&self.path)));
        out
    }

    /// `2,580 due - 2,460 posted before = 120`
    fn told_difference(&self) -> String {
        let Some(difference) = self.difference() else { return String::new() };
        let waited = match difference.waited {
            Points::ZERO => String::new(),
            waited => format!(" - {} held", self.points(waited)),
        };
        let points = difference.points().map_or(String::new(), |points| self.points(points));
        format!(
            "{} due{waited} - {} posted before = {points}\n",
            self.points(difference.due),
            self.points(difference.before)
        )
    }

    fn tell_missing(&self, out: &mut String) {
        if self.missing.is_empty() {
            return;
        }
        out.push_str("\nto go\n");
        let rows: Vec<Vec<String>> = self.missing.iter().map(to_go).collect();
        out.push_str(&aligned(2, &[Side::Right, Side::Left], &rows));
    }

    fn tell_lines(
        &self,
        out: &mut String,
        title: &str,
        lines: &[&Told],
        side: Side,
        last: impl Fn(&Told) -> String,
    ) {
        if lines.is_empty() {
            return;
        }
        out.push_str(&format!("\n{title}\n"));
        let rows: Vec<Vec<String>> =
            lines.iter().take(LINES).map(|line| row(line, self.measure, last(line))).collect();
        let left = Side::Left;
        let sides = [left, left, left, left, Side::Right, side, left, left];
        out.push_str(&aligned(2, &sides, &rows));
        if lines.len() > LINES {
            out.push_str(&format!(
                "  and {} more: accrued lines --partner {} --cycle {} --scheme {} --format csv\n",
                lines.len() - LINES,
                printable(&self.partner),
                self.cycle,
                self.scheme
            ));
        }
    }

    fn tell_posted(&self, out: &mut String) {
        out.push_str("\nposted\n");
        let mut rows: Vec<Vec<String>> = self
            .entries
            .iter()
            .map(|entry| {
                vec![
                    format!("entry {}", entry.entry),
                    entry.posting_date.to_string(),
                    entry.kind.word().to_owned(),
                    self.points(entry.points),
                    printable(&entry.reason),
                ]
            })
            .collect();
        let posted = self.posted().unwrap_or_default();
        let together = if self.entries.is_empty() { "nothing yet" } else { "together" };
        rows.push(vec![together.into(), String::new(), String::new(), self.points(posted), String::new()]);
        if let Some((rest, why)) = &self.waiting {
            rows.push(vec![
                "the rest".into(),
                String::new(),
                String::new(),
                self.points(*rest),
                (*why).into(),
            ]);
        }
        let sides = [Side::Left, Side::Left, Side::Left, Side::Right, Side::Left];
        out.push_str(&aligned(2, &sides, &rows));
        for hold in &self.holds {
            let lines = (hold.lines > 0)
                .then(|| format!("{} lines, {}", hold.lines, grouped(&hold.amount.to_string())));
            let points =
                (hold.points != Points::ZERO).then(|| format!("{} points", self.points(hold.points)));
            let stake = lines.into_iter().chain(points).collect::<Vec<_>>().join(", ");
            let words = format!("{} ({stake}): {}", hold.kind, printable(&hold.detail));
            out.push_str(&hanging(&format!("  held  hold {}, ", hold.id), &words));
        }
    }

    fn points(&self, points: Points) -> String {
        grouped(&self.decimals.points(points))
    }
}

fn to_go(missing: &Missing) -> Vec<String> {
    let from = grouped(&missing.from);
    let what = match missing.of {
        "slab" => format!("to the slab from {from}: {}", printable(&missing.name)),
        _ => format!("to the tier {}, from {from}", printable(&missing.name)),
    };
    vec![grouped(&missing.amount), what]
}

fn row(line: &Told, measure: Measure, last: String) -> Vec<String> {
    let measured = match measure {
        Measure::Amount => &line.amount,
        Measure::Quantity => &line.quantity,
    };
    let document = match (line.doc_type, line.line_no.as_str()) {
        ("credit_note", "") => format!("note {}", line.invoice_no),
        ("credit_note", number) => format!("note {} line {number}", line.invoice_no),
        (_, "") => line.invoice_no.clone(),
        (_, number) => format!("{} line {number}", line.invoice_no),
    };
    vec![
        line.business_date.to_string(),
        printable(&document),
        printable(&line.distributor),
        printable(&line.sku),
        grouped(measured),
        last,
        format!("{}:{}", printable(&line.file), line.file_line),
        printable(&line.note),
    ]
}
