//! `files = "sales_north_{yyyy}-{mm}*.csv"`: globs and period placeholders. Pure.
//!
//! Answers for: which names are files of a feed, and what a name says of the period, part and distributor it
//! covers (interfaces.md 2). Does not: look at a folder, nor know which files are expected (`config::expected`).
//!
//! `*` stands for any characters, `?` for one, everything else for itself, in its own case. `{part}` takes as
//! much as it can, `*` as little: `{part}*` gives the whole rest to the part.

use chrono::NaiveDate;
use std::collections::HashSet;

/// Endings of names that are never files (interfaces.md 2): someone is still writing them.
const NEVER: [&str; 6] = [".tmp", ".part", ".filepart", ".partial", ".swp", "~"];
/// Placeholders as a person may write them, for messages.
const KNOWN: &str = "{yyyy} {mm} {dd} {q} {part} {distributor}";

/// A checked `files` pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    /// as written
    pub text: String,
    pieces: Vec<Piece>,
    /// the codes that `{distributor}` may be; empty: any
    distributors: Vec<String>,
}

/// What a name says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Named {
    /// first and last day of the period: a day, month, quarter or year by the placeholders it has
    pub period: Option<(NaiveDate, NaiveDate)>,
    /// `{part}`
    pub part: Option<String>,
    /// `{distributor}`
    pub distributor: Option<String>,
}

/// How long a period a name can tell apart; the finer one is the smaller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grain {
    /// `{yyyy} {mm} {dd}`
    Day,
    /// `{yyyy} {mm}`
    Month,
    /// `{yyyy} {q}`: calendar quarters, 1 to 4
    Quarter,
    /// `{yyyy}`
    Year,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    /// stands for itself
    Exactly(String),
    /// `*`
    Any,
    /// `?`
    One,
    /// `{yyyy}` and its like: a fixed number of digits
    Digits(Unit),
    /// `{part}`
    Part,
    /// `{distributor}`
    Distributor,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Year,
    Month,
    Day,
    Quarter,
}

impl Unit {
    fn width(self) -> usize {
        match self {
            Unit::Year => 4,
            Unit::Month | Unit::Day => 2,
            Unit::Quarter => 1,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Unit::Year => "{yyyy}",
            Unit::Month => "{mm}",
            Unit::Day => "{dd}",
            Unit::Quarter => "{q}",
        }
    }
}

impl Pattern {
    /// Checks a pattern. The error says in one sentence what cannot be meant.
    pub fn new(text: &str) -> Result<Pattern, String> {
        if text.is_empty() {
            return Err("is empty: it would match no name".to_owned());
        }
        if let Some(bad) = text.chars().find(|c| *c == '/' || c.is_control()) {
            return Err(format!(
                "holds {bad:?}: a file is one name in the feed's folder, and url names the folder"
            ));
        }
        let pieces = pieces(text)?;
        check_units(&pieces)?;
        check_never(&pieces)?;
        Ok(Pattern { text: text.to_owned(), pieces, distributors: Vec::new() })
    }

    /// The same pattern, `{distributor}` being one of these codes (the feed's `distributors`).
    #[must_use]
    pub fn with_distributors(mut self, codes: Vec<String>) -> Pattern {
        self.distributors = codes;
        // of D1 and D17 the longer is tried first
        self.distributors.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        self.distributors.dedup();
        self
    }

    /// What the name says of itself, if it is a file of this feed.
    pub fn matches(&self, name: &str) -> Option<Named> {
        if name.starts_with('.') || NEVER.iter().any(|end| name.ends_with(end)) {
            return None;
        }
        let mut walk = Walk { pattern: self, name, failed: HashSet::new() };
        let found = walk.from(0, 0, Found::default())?;
        let text = |span: Option<(usize, usize)>| span.map(|(from, to)| name[from..to].to_owned());
        Some(Named { period: found.period(), part: text(found.part), distributor: text(found.distributor) })
    }

    /// How finely names tell periods apart; `None` without a period placeholder.
    pub fn grain(&self) -> Option<Grain> {
        let has = |unit| self.pieces.contains(&Piece::Digits(unit));
        if has(Unit::Day) {
            Some(Grain::Day)
        } else if has(Unit::Month) {
            Some(Grain::Month)
        } else if has(Unit::Quarter) {
            Some(Grain::Quarter)
        } else if has(Unit::Year) {
            Some(Grain::Year)
        } else {
            None
        }
    }

    /// Whether it has `{distributor}`.
    pub fn names_distributor(&self) -> bool {
        self.pieces.contains(&Piece::Distributor)
    }

    /// The name that a file of this period would have, for messages: what the period does not settle stays a wildcard.
    pub fn expected_name(&self, period: (NaiveDate, NaiveDate), distributor: Option<&str>) -> String {
        self.pieces.iter().map(|piece| expected_piece(piece, period, distributor)).collect()
    }
}

fn expected_piece(piece: &Piece, (first, last): (NaiveDate, NaiveDate), distributor: Option<&str>) -> String {
    match piece {
        Piece::Exactly(text) => text.clone(),
        Piece::Any | Piece::Part => "*".to_owned(),
        Piece::One => "?".to_owned(),
        Piece::Distributor => distributor.unwrap_or("{distributor}").to_owned(),
        Piece::Digits(unit) => {
            let (from, to) = (digits(*unit, first), digits(*unit, last));
            if from == to { from } else { unit.word().to_owned() }
        }
    }
}

fn digits(unit: Unit, day: NaiveDate) -> String {
    use chrono::Datelike;
    match unit {
        Unit::Year => format!("{:04}", day.year()),
        Unit::Month => format!("{:02}", day.month()),
        Unit::Day => format!("{:02}", day.day()),
        Unit::Quarter => (day.month0() / 3 + 1).to_string(),
    }
}

/// Splits the text into pieces; literals are joined, repeated `*` are one.
fn pieces(text: &str) -> Result<Vec<Piece>, String> {
    let mut pieces: Vec<Piece> = Vec::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let mut taken = c.len_utf8();
        let piece = match c {
            '*' => Piece::Any,
            '?' => Piece::One,
            '{' => {
                let end = rest
                    .find('}')
                    .ok_or_else(|| format!("has a {{ that no }} closes; placeholders are {KNOWN}"))?;
                taken = end + 1;
                placeholder(&rest[..taken])?
            }
            '}' => return Err(format!("has a }} without its {{; placeholders are {KNOWN}")),
            other => Piece::Exactly(other.to_string()),
        };
        rest = &rest[taken..];
        match (pieces.last_mut(), piece) {
            (Some(Piece::Exactly(before)), Piece::Exactly(now)) => before.push_str(&now),
            (Some(Piece::Any), Piece::Any) => {}
            (_, piece) => pieces.push(piece),
        }
    }
    Ok(pieces)
}

fn placeholder(text: &str) -> Result<Piece, String> {
    match text {
        "{yyyy}" => Ok(Piece::Digits(Unit::Year)),
        "{mm}" => Ok(Piece::Digits(Unit::Month)),
        "{dd}" => Ok(Piece::Digits(Unit::Day)),
        "{q}" => Ok(Piece::Digits(Unit::Quarter)),
        "{part}" => Ok(Piece::Part),
        "{distributor}" => Ok(Piece::Distributor),
        other => Err(format!("has an unknown placeholder {other}; placeholders are {KNOWN}")),
    }
}

/// Placeholders must name one period: each at most once, no day without its month, no month or quarter without its year.
fn check_units(pieces: &[Piece]) -> Result<(), String> {
    let count = |wanted: &Piece| pieces.iter().filter(|piece| *piece == wanted).count();
    let all = [
        (Piece::Digits(Unit::Year), "{yyyy}"),
        (Piece::Digits(Unit::Month), "{mm}"),
        (Piece::Digits(Unit::Day), "{dd}"),
        (Piece::Digits(Unit::Quarter), "{q}"),
        (Piece::Part, "{part}"),
        (Piece::Distributor, "{distributor}"),
    ];
    if let Some((_, word)) = all.iter().find(|(piece, _)| count(piece) > 1) {
        return Err(format!("has {word} twice; a name tells each once"));
    }
    let has = |unit| count(&Piece::Digits(unit)) > 0;
    let needs =
        |unit: Unit, other: Unit| format!("has {} without {}: no period is named", unit.word(), other.word());
    if has(Unit::Day) && !has(Unit::Month) {
        return Err(needs(Unit::Day, Unit::Month));
    }
    if has(Unit::Month) && !has(Unit::Year) {
        return Err(needs(Unit::Month, Unit::Year));
    }
    if has(Unit::Quarter) && !has(Unit::Year) {
        return Err(needs(Unit::Quarter, Unit::Year));
    }
    if has(Unit::Quarter) && has(Unit::Month) {
        return Err("has both {mm} and {q}: a file covers a month or a quarter".to_owned());
    }
    Ok(())
}

/// A pattern of names that are never files would match nothing, for ever, and silently.
fn check_never(pieces: &[Piece]) -> Result<(), String> {
    if let Some(Piece::Exactly(start)) = pieces.first()
        && start.starts_with('.')
    {
        return Err("begins with a dot: such names are never files".to_owned());
    }
    if let Some(Piece::Exactly(end)) = pieces.last()
        && let Some(never) = NEVER.iter().find(|never| end.ends_with(*never))
    {
        return Err(format!("ends in {never}: such names are never files"));
    }
    Ok(())
}

/// What has been read of a name so far; byte ranges of the captures.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
struct Found {
    year: Option<u32>,
    month: Option<u32>,
    day: Option<u32>,
    quarter: Option<u32>,
    part: Option<(usize, usize)>,
    distributor: Option<(usize, usize)>,
}

impl Found {
    fn with(mut self, unit: Unit, value: u32) -> Option<Found> {
        let (slot, range) = match unit {
            Unit::Year => (&mut self.year, 1..=9999),
            Unit::Month => (&mut self.month, 1..=12),
            Unit::Day => (&mut self.day, 1..=31),
            Unit::Quarter => (&mut self.quarter, 1..=4),
        };
        *slot = Some(value);
        range.contains(&value).then_some(self)
    }

    /// Whether its digits are a day that the calendar has.
    fn exists(&self) -> bool {
        self.year.is_none() || self.period().is_some()
    }

    fn period(&self) -> Option<(NaiveDate, NaiveDate)> {
        let year = i32::try_from(self.year?).ok()?;
        if let (Some(month), Some(day)) = (self.month, self.day) {
            let date = NaiveDate::from_ymd_opt(year, month, day)?;
            return Some((date, date));
        }
        let (first, months) = match (self.month, self.quarter) {
            (Some(month), _) => (month, 1),
            (None, Some(quarter)) => (quarter * 3 - 2, 3),
            (None, None) => (1, 12),
        };
        let first = NaiveDate::from_ymd_opt(year, first, 1)?;
        let last = first.checked_add_months(chrono::Months::new(months))?.pred_opt()?;
        Some((first, last))
    }
}

/// One name against one pattern; what has failed once from a place is not tried again, so no name costs more than its length allows.
struct Walk<'w> {
    pattern: &'w Pattern,
    name: &'w str,
    failed: HashSet<(usize, usize, Found)>,
}

impl Walk<'_> {
    fn from(&mut self, piece: usize, at: usize, found: Found) -> Option<Found> {
        // the captured texts do not decide whether the rest matches, the period does
        let state = (piece, at, Found { part: None, distributor: None, ..found });
        if self.failed.contains(&state) {
            return None;
        }
        let outcome = self.step(piece, at, found);
        if outcome.is_none() {
            self.failed.insert(state);
        }
        outcome
    }

    fn step(&mut self, piece: usize, at: usize, found: Found) -> Option<Found> {
        let name = self.name;
        let rest = &name[at..];
        let pattern = self.pattern;
        match pattern.pieces.get(piece) {
            None => (rest.is_empty() && found.exists()).then_some(found),
            Some(Piece::Exactly(text)) => {
                rest.starts_with(text.as_str()).then(|| self.from(piece + 1, at + text.len(), found))?
            }
            Some(Piece::One) => {
                let width = rest.chars().next()?.len_utf8();
                self.from(piece + 1, at + width, found)
            }
            Some(Piece::Any) => ends(rest).find_map(|end| self.from(piece + 1, at + end, found)),
            Some(Piece::Digits(unit)) => {
                let text =
                    rest.get(..unit.width()).filter(|text| text.bytes().all(|b| b.is_ascii_digit()))?;
                let found = found.with(*unit, text.parse().ok()?)?;
                self.from(piece + 1, at + unit.width(), found)
            }
            Some(Piece::Part) => {
                self.longest(piece, at, |found, span| Found { part: Some(span), ..found }, found)
            }
            Some(Piece::Distributor) if pattern.distributors.is_empty() => {
                self.longest(piece, at, |found, span| Found { distributor: Some(span), ..found }, found)
            }
            Some(Piece::Distributor) => {
                pattern.distributors.iter().filter(|code| rest.starts_with(code.as_str())).find_map(|code| {
                    let end = at + code.len();
                    self.from(piece + 1, end, Found { distributor: Some((at, end)), ..found })
                })
            }
        }
    }

    /// At least one character, as many as leave the rest a match.
    fn longest(
        &mut self,
        piece: usize,
        at: usize,
        keep: fn(Found, (usize, usize)) -> Found,
        found: Found,
    ) -> Option<Found> {
        let ends: Vec<usize> = ends(&self.name[at..]).skip(1).collect();
        ends.into_iter().rev().find_map(|end| self.from(piece + 1, at + end, keep(found, (at, at + end))))
    }
}

/// Every place between two characters, from the start to the end.
fn ends(text: &str) -> impl Iterator<Item = usize> {
    text.char_indices().map(|(at, _)| at).chain(std::iter::once(text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("a date")
    }

    fn pattern(text: &str) -> Pattern {
        Pattern::new(text).expect(text)
    }

    fn period(text: &str, name: &str) -> Option<(String, String)> {
        let (first, last) = pattern(text).matches(name)?.period?;
        Some((first.to_string(), last.to_string()))
    }

    #[test]
    fn a_name_tells_its_period() {
        let of = |first: &str, last: &str| Some((first.to_owned(), last.to_owned()));
        assert_eq!(period("s_{yyyy}-{mm}*.csv", "s_2026-04.csv"), of("2026-04-01", "2026-04-30"));
        assert_eq!(period("s_{yyyy}-{mm}*.csv", "s_2024-02_b.csv"), of("2024-02-01", "2024-02-29"));
        assert_eq!(period("s_{yyyy}{mm}{dd}.csv", "s_20261231.csv"), of("2026-12-31", "2026-12-31"));
        assert_eq!(period("s_{dd}.{mm}.{yyyy}.csv", "s_03.04.2026.csv"), of("2026-04-03", "2026-04-03"));
        assert_eq!(period("s_{yyyy}Q{q}.csv", "s_2026Q4.csv"), of("2026-10-01", "2026-12-31"));
        assert_eq!(period("s_{yyyy}.csv", "s_2026.csv"), of("2026-01-01", "2026-12-31"));
    }

    #[test]
    fn what_the_calendar_lacks_is_no_period() {
        for (text, name) in [
            ("s_{yyyy}-{mm}.csv", "s_2026-13.csv"),
            ("s_{yyyy}-{mm}.csv", "s_2026-00.csv"),
            ("s_{yyyy}{mm}{dd}.csv", "s_20260230.csv"),
            ("s_{yyyy}{q}.csv", "s_20265.csv"),
            ("s_{yyyy}.csv", "s_0000.csv"),
            ("s_{yyyy}-{mm}.csv", "s_2026-4.csv"),
            ("s_{yyyy}-{mm}.csv", "s_२०२६-०४.csv"),
        ] {
            assert_eq!(pattern(text).matches(name), None, "{name}");
        }
    }

    #[test]
    fn a_false_date_gives_way_to_a_true_one_further_on() {
        assert_eq!(
            period("*{yyyy}{mm}{dd}*.csv", "a_20260230_20260301.csv"),
            Some(("2026-03-01".to_owned(), "2026-03-01".to_owned()))
        );
    }

    #[test]
    fn globs_are_stars_and_question_marks_only_and_mind_case() {
        assert!(pattern("*.csv").matches("a b ü.csv").is_some());
        assert!(pattern("a?c.csv").matches("aüc.csv").is_some());
        assert!(pattern("a?c.csv").matches("ac.csv").is_none());
        assert!(pattern("a*.csv").matches("a.csv").is_some());
        assert!(pattern("a*.csv").matches("A.csv").is_none());
        assert!(pattern("a[bc].csv").matches("ab.csv").is_none());
        assert!(pattern("a[bc].csv").matches("a[bc].csv").is_some());
        assert!(pattern("*.csv").matches("a.csv.gz").is_none());
    }

    #[test]
    fn half_written_and_hidden_names_are_never_files() {
        for name in ["x.tmp", "x.part", "x.filepart", "x.partial", "x.swp", "x~", ".x", "x.csv~", ".csv"] {
            assert_eq!(pattern("*").matches(name), None, "{name}");
        }
        assert!(pattern("*").matches("x.parts").is_some());
    }

    #[test]
    fn parts_and_distributors_are_taken_from_the_name() {
        let named = pattern("{distributor}_{yyyy}-{mm}_{part}.csv")
            .with_distributors(vec!["D1".into(), "D1_X".into()])
            .matches("D1_X_2026-04_a_b.csv")
            .expect("a match");
        assert_eq!(named.distributor.as_deref(), Some("D1_X"));
        assert_eq!(named.part.as_deref(), Some("a_b"));
        let only = pattern("{distributor}*.csv").with_distributors(vec!["D1".into()]);
        assert!(only.matches("D2.csv").is_none());
        assert_eq!(pattern("s{part}*.csv").matches("s12.csv").and_then(|n| n.part).as_deref(), Some("12"));
        assert!(pattern("s{part}.csv").matches("s.csv").is_none());
    }

    #[test]
    fn a_pattern_that_cannot_be_meant_is_refused() {
        for text in [
            "",
            "a/b.csv",
            "a\nb",
            "{yyyy",
            "yyyy}",
            "{year}.csv",
            "{}",
            "{dd}.csv",
            "{mm}.csv",
            "{q}.csv",
            "{yyyy}{dd}",
            "{yyyy}{mm}{q}",
            "{yyyy}{yyyy}",
            "{part}{part}",
            "{YYYY}",
            ".csv",
            "*.part",
            "*~",
            "{yyyy}{q}{dd}",
        ] {
            assert!(Pattern::new(text).is_err(), "{text}");
        }
        assert_eq!(
            Pattern::new("{year}.csv").unwrap_err(),
            "has an unknown placeholder {year}; placeholders are {yyyy} {mm} {dd} {q} {part} {distributor}"
        );
    }

    #[test]
    fn an_expected_name_leaves_open_what_the_period_does_not_settle() {
        let pattern = pattern("{distributor}_{yyyy}-{mm}-{dd}_{part}*.csv");
        let week = (day("2026-03-30"), day("2026-04-05"));
        assert_eq!(pattern.expected_name(week, Some("D1")), "D1_2026-{mm}-{dd}_**.csv");
        let one = (day("2026-03-30"), day("2026-03-30"));
        assert_eq!(pattern.expected_name(one, None), "{distributor}_2026-03-30_**.csv");
    }

    #[test]
    fn many_stars_against_a_long_name_end_soon() {
        let text = format!("{}b", "*a".repeat(60));
        assert_eq!(pattern(&text).matches(&"a".repeat(255)), None);
    }

    proptest! {
        #[test]
        fn the_expected_name_of_a_day_is_a_file_of_that_day(days in 0i64..40_000) {
            let date = day("1970-01-01") + chrono::Duration::days(days);
            for text in ["x_{yyyy}{mm}{dd}*.csv", "{dd}-{mm}-{yyyy}.csv", "x_{yyyy}-{mm}.csv", "{yyyy}q{q}.csv"] {
                let pattern = pattern(text);
                let named = pattern.matches(&pattern.expected_name((date, date), None)).expect("a match");
                let (first, last) = named.period.expect("a period");
                prop_assert!(first <= date && date <= last);
            }
        }

        #[test]
        fn no_name_and_no_pattern_panics(text in "\\PC{0,20}", name in "\\PC{0,40}") {
            if let Ok(pattern) = Pattern::new(&text) {
                let _ = pattern.matches(&name);
            }
        }
    }
}
