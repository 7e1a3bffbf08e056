//! What distributors call partners: local codes, and whom each means on a day (interfaces.md 3, `partners`).
//!
//! A code in a sales file is a local code where that very distributor calls some partner so on that day; else it is the
//! partner's own. One step is taken, never two: what a local code means is not looked up again. Codes match exactly.

use super::master::{Dated, on};
use chrono::NaiveDate;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// A distributor's own code for a partner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalCode {
    /// distributor_code
    pub distributor: String,
    /// local_code
    pub code: String,
}

/// Of what a row of a `partners` file speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Says {
    /// of the partner, blank cells among it
    Partner,
    /// of a local code alone: the file has no column of the partner's own. Such a row lists the partner and supersedes nothing
    LocalCode,
}

/// From a day on, a distributor's local code means this partner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AliasRecord {
    /// first day it applies to
    pub effective_from: NaiveDate,
    /// place in the order of ingestion; of two records for one day the later speaks
    pub seq: i64,
    /// the partner's own code
    pub partner: String,
}

impl Dated for AliasRecord {
    fn effective_from(&self) -> NaiveDate {
        self.effective_from
    }
    fn seq(&self) -> i64 {
        self.seq
    }
    fn from(self, day: NaiveDate) -> Self {
        AliasRecord { effective_from: day, ..self }
    }
    fn at(self, seq: i64) -> Self {
        AliasRecord { seq, ..self }
    }
}

/// Local codes and what they mean: those that a set of facts may bear, not all there are.
#[derive(Debug, Clone, Default)]
pub struct Aliases {
    /// by local code, then by distributor
    by_code: BTreeMap<String, BTreeMap<String, Vec<AliasRecord>>>,
}

/// What one code means, distributor by distributor.
#[derive(Debug, Clone, Copy)]
pub struct Meanings<'m>(&'m BTreeMap<String, Vec<AliasRecord>>);

impl Aliases {
    /// Notes every record of one distributor's local code.
    pub fn insert(&mut self, distributor: &str, code: &str, records: Vec<AliasRecord>) {
        if !records.is_empty() {
            self.by_code.entry(code.to_owned()).or_default().insert(distributor.to_owned(), records);
        }
    }

    /// Notes what others know.
    pub fn absorb(&mut self, other: Aliases) {
        for (code, meanings) in other.by_code {
            self.by_code.entry(code).or_default().extend(meanings);
        }
    }

    /// Whether there is no local code among them.
    pub fn is_empty(&self) -> bool {
        self.by_code.is_empty()
    }

    /// What a code means; `None` where no distributor has it for a local one.
    pub fn of(&self, code: &str) -> Option<Meanings<'_>> {
        self.by_code.get(code).map(Meanings)
    }

    /// Whom a distributor means by a code on a day.
    pub fn partner<'a>(&'a self, distributor: &str, code: &'a str, day: NaiveDate) -> &'a str {
        self.of(code).and_then(|meanings| meanings.partner(distributor, day)).unwrap_or(code)
    }

    /// Every partner that is meant by one of them on some day.
    pub fn partners(&self) -> BTreeSet<&str> {
        let records = self.by_code.values().flat_map(BTreeMap::values).flatten();
        records.map(|record| record.partner.as_str()).collect()
    }
}

impl<'m> Meanings<'m> {
    /// Whom a distributor means on a day; `None` where it has no such local code by then.
    pub fn partner(self, distributor: &str, day: NaiveDate) -> Option<&'m str> {
        on(self.0.get(distributor)?, day).map(|record| record.partner.as_str())
    }

    /// Whether a distributor ever means this partner.
    pub fn ever(self, distributor: &str, partner: &str) -> bool {
        self.0.get(distributor).is_some_and(|records| means(records, partner))
    }

    /// Whether any distributor ever does.
    pub fn ever_by_any(self, partner: &str) -> bool {
        self.0.values().any(|records| means(records, partner))
    }
}

fn means(records: &[AliasRecord], partner: &str) -> bool {
    records.iter().any(|record| record.partner == partner)
}

/// The codes that rows bear where they may be local ones: by journal sequence and line of their file.
#[derive(Debug)]
pub struct Called<'c> {
    /// what they mean
    pub aliases: &'c Aliases,
    /// as the files write them
    pub codes: HashMap<(i64, u64), &'c str>,
}

impl<'c> Called<'c> {
    /// Whose a row is if this is its day; `None` where its code means one partner whatever the day.
    pub fn partner(&self, row: (i64, u64), distributor: &str, day: NaiveDate) -> Option<&'c str> {
        let code = self.codes.get(&row)?;
        Some(self.aliases.partner(distributor, code, day))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(month: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, month, 1).unwrap()
    }

    fn from(month: u32, partner: &str) -> AliasRecord {
        AliasRecord { effective_from: day(month), seq: 1, partner: partner.into() }
    }

    #[test]
    fn a_code_means_whom_its_distributor_says_on_that_day_and_else_itself() {
        let mut aliases = Aliases::default();
        aliases.insert("D1", "55", vec![from(3, "R-1"), from(6, "R-2")]);
        aliases.insert("D2", "55", vec![from(1, "R-3")]);
        assert_eq!(aliases.partner("D1", "55", day(2)), "55");
        assert_eq!(aliases.partner("D1", "55", day(3)), "R-1");
        assert_eq!(aliases.partner("D1", "55", day(6)), "R-2");
        assert_eq!(aliases.partner("D2", "55", day(6)), "R-3");
        assert_eq!(aliases.partner("d1", "55", day(6)), "55", "distributors match exactly");
        assert_eq!(aliases.partner("", "55", day(6)), "55");
        assert_eq!(aliases.partner("D1", "R-1", day(6)), "R-1");
        assert_eq!(aliases.partners(), ["R-1", "R-2", "R-3"].into());
    }

    #[test]
    fn what_a_local_code_means_is_not_looked_up_again() {
        let mut aliases = Aliases::default();
        aliases.insert("D1", "A", vec![from(1, "B")]);
        aliases.insert("D1", "B", vec![from(1, "A")]);
        assert_eq!((aliases.partner("D1", "A", day(2)), aliases.partner("D1", "B", day(2))), ("B", "A"));
    }

    #[test]
    fn a_row_is_of_whom_its_code_means_on_the_day_that_is_asked_about() {
        let mut aliases = Aliases::default();
        aliases.insert("D1", "55", vec![from(3, "R-1"), from(6, "R-2")]);
        let called = Called { aliases: &aliases, codes: HashMap::from([((7, 2), "55")]) };
        let on = |day| called.partner((7, 2), "D1", day);
        assert_eq!(on(day(6).pred_opt().unwrap()), Some("R-1"));
        assert_eq!(on(day(6)), Some("R-2"));
        assert_eq!(called.partner((7, 3), "D1", day(6)), None, "its code is no local one");
    }
}
