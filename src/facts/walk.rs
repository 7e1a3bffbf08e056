//! The slow walk over one number: its documents of one type, file by file and release by release (evaluation.md 1.1, 1.2).
//!
//! Answers for: which versions speak, and the fate of each row on arrival. Does not: know cancellations, which are no
//! part of it: versions are measured against the one that speaks, cancelled or not.

use super::content;
use super::settle::{Decision, Fate, HeldFact, Said, Twice, Verdict};
use chrono::{Days, NaiveDate};
use std::collections::BTreeMap;

/// A date may move by so many days before a person is asked.
pub(super) const NEAR: u64 = 31;

/// The decisions, to be asked by the version they are about.
#[derive(Debug)]
pub(super) struct Decisions<'d>(Vec<&'d Decision>);

impl<'d> Decisions<'d> {
    pub(super) fn new(decisions: &'d [Decision]) -> Self {
        let mut sorted: Vec<&Decision> = decisions.iter().collect();
        sorted.sort_by_key(|decision| (decision.rank, decision.file_line, decision.at));
        Decisions(sorted)
    }

    /// when a held row was released; the first decision about it is the one that holds
    fn released(&self, rank: i64, file_line: u64) -> Option<i64> {
        let at = self.0.partition_point(|decision| (decision.rank, decision.file_line) < (rank, file_line));
        let first =
            self.0.get(at).filter(|decision| (decision.rank, decision.file_line) == (rank, file_line))?;
        match first.verdict {
            Verdict::Release => Some(first.at),
            Verdict::Discard => None,
        }
    }
}

/// What one file said of one fact: one row for a line, all rows of a document without line numbers.
#[derive(Debug)]
struct Version {
    /// indexes into what was said, in order of their lines in the file
    rows: Vec<usize>,
    /// the latest of its rows, or of a duplicate's
    updated_at: Option<i64>,
    /// the earliest written day
    day: NaiveDate,
}

/// The versions that speak for one document.
#[derive(Debug)]
enum Speaking<'a> {
    Nothing,
    /// by line_no
    Lines(BTreeMap<&'a str, Version>),
    Whole(Version),
}

#[derive(Debug)]
struct Document<'a> {
    year: Option<i32>,
    speaking: Speaking<'a>,
    /// the days of the versions that speak, with how many versions have them
    days: BTreeMap<NaiveDate, usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fact<'a> {
    Line(&'a str),
    Whole,
}

/// A version on its way in.
#[derive(Debug)]
struct Arrival<'a> {
    /// index of its document
    document: usize,
    fact: Fact<'a>,
    version: Version,
}

/// How an arrival compares with the version that speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Judgement {
    New,
    Same,
    Newer,
    Older,
    Contradicts(HeldFact),
}

/// Whether what contradicts is held, or speaks since a person has said so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holds {
    Observed,
    Waived,
}

/// The walk over one number.
pub(super) struct Walk<'w, 'a> {
    said: &'w [Said<'a>],
    fates: &'w mut [Fate],
    decisions: &'w Decisions<'w>,
    documents: Vec<Document<'a>>,
    /// held versions that a person has released, and when
    released: Vec<(i64, Arrival<'a>)>,
}

impl<'w, 'a> Walk<'w, 'a> {
    /// `rows` are all rows of one number and type, sorted by year, line_no and file_line. Sets their fates and gives
    /// each row that speaks in that order, with the `updated_at` that is kept for it, to `speak`.
    pub(super) fn over(
        said: &'w [Said<'a>],
        rows: &[usize],
        decisions: &'w Decisions<'w>,
        fates: &'w mut [Fate],
        mut speak: impl FnMut(usize, Option<i64>),
    ) {
        let year = |row: &usize| said[*row].row.number_year;
        let documents = rows.chunk_by(|a, b| year(a) == year(b)).map(|rows| Document {
            year: year(&rows[0]),
            speaking: Speaking::Nothing,
            days: BTreeMap::new(),
        });
        let mut walk = Walk { said, fates, decisions, documents: documents.collect(), released: Vec::new() };
        let mut files = rows.to_vec();
        files.sort_by_key(|row| said[*row].rank);
        for file in files.chunk_by(|a, b| said[*a].seq == said[*b].seq) {
            walk.release(said[file[0]].rank);
            walk.file(file);
        }
        walk.release(i64::MAX);
        for document in &walk.documents {
            document.speak(said, &mut speak);
        }
    }

    fn year(&self, row: usize) -> Option<i32> {
        self.said[row].row.number_year
    }

    /// lets versions speak that were released before the file of this rank
    fn release(&mut self, rank: i64) {
        while let Some(next) = (0..self.released.len()).min_by_key(|i| self.released[*i].0) {
            if self.released[next].0 >= rank {
                return;
            }
            let (_, arrival) = self.released.remove(next);
            self.arrive(arrival, Holds::Waived);
        }
    }

    fn file(&mut self, rows: &[usize]) {
        let mut documents: Vec<&[usize]> = rows.chunk_by(|a, b| self.year(*a) == self.year(*b)).collect();
        documents.sort_by_key(|rows| rows.iter().map(|row| self.said[*row].row.file_line).min());
        for rows in documents {
            let year = self.year(rows[0]);
            let found = self.documents.iter().position(|document| document.year == year);
            let Some(document) = found else { continue };
            self.document(document, rows);
        }
    }

    /// the rows that one file has of one document
    fn document(&mut self, document: usize, rows: &[usize]) {
        let blank = |row: &usize| self.said[*row].row.line_no.is_empty();
        if !rows.iter().any(blank) {
            return rows
                .chunk_by(|a, b| self.said[*a].row.line_no == self.said[*b].row.line_no)
                .for_each(|line| self.line(document, line));
        }
        let mixed = !rows.iter().all(blank);
        let arrival = Arrival { document, fact: Fact::Whole, version: self.version(rows) };
        if mixed && self.judge(&arrival) != Judgement::Same {
            self.hold(arrival, HeldFact::IdentityConflict);
        } else {
            self.arrive_with_fate(arrival);
        }
    }

    /// the rows that one file has of one line: the first speaks for those that say the same, else none does
    fn line(&mut self, document: usize, rows: &[usize]) {
        let row = |row: &usize| &self.said[*row].row;
        let (first, others) = (rows[0], &rows[1..]);
        if !others.iter().all(|other| content::same(row(&first), row(other))) {
            return rows.iter().for_each(|row| self.fates[*row] = Fate::Rejected(Twice));
        }
        let fact = Fact::Line(row(&first).line_no);
        let mut version = self.version(rows);
        version.rows.truncate(1);
        self.arrive_with_fate(Arrival { document, fact, version });
        others.iter().for_each(|other| self.fates[*other] = Fate::Duplicate);
    }

    fn version(&self, rows: &[usize]) -> Version {
        let row = |row: &usize| &self.said[*row].row;
        let mut rows = rows.to_vec();
        rows.sort_by_key(|at| row(at).file_line);
        Version {
            updated_at: rows.iter().filter_map(|at| row(at).updated_at).max(),
            day: rows.iter().map(|at| row(at).when.written_day()).min().unwrap_or(NaiveDate::MIN),
            rows,
        }
    }

    fn arrive_with_fate(&mut self, arrival: Arrival<'a>) {
        let judgement = self.judge(&arrival);
        let fate = match judgement {
            Judgement::New => Fate::Accepted,
            Judgement::Same => Fate::Duplicate,
            Judgement::Newer => Fate::Superseding,
            Judgement::Older => Fate::Outdated,
            Judgement::Contradicts(reason) => return self.hold(arrival, reason),
        };
        arrival.version.rows.iter().for_each(|row| self.fates[*row] = fate);
        self.arrive(arrival, Holds::Observed);
    }

    fn hold(&mut self, arrival: Arrival<'a>, reason: HeldFact) {
        arrival.version.rows.iter().for_each(|row| self.fates[*row] = Fate::Held(reason));
        let released =
            |row: &usize| self.decisions.released(self.said[*row].rank, self.said[*row].row.file_line);
        if let Some(at) = arrival.version.rows.iter().find_map(released) {
            self.released.push((at, arrival));
        }
    }

    fn arrive(&mut self, arrival: Arrival<'a>, holds: Holds) {
        match (self.judge(&arrival), holds) {
            (Judgement::New | Judgement::Newer, _) | (Judgement::Contradicts(_), Holds::Waived) => {
                self.documents[arrival.document].replace(arrival.fact, arrival.version);
            }
            (Judgement::Same, _) => {
                let document = &mut self.documents[arrival.document];
                document.keep_later(arrival.fact, arrival.version.updated_at);
            }
            (Judgement::Older, _) | (Judgement::Contradicts(_), Holds::Observed) => {}
        }
    }

    fn judge(&self, arrival: &Arrival<'a>) -> Judgement {
        let document = &self.documents[arrival.document];
        if document.speaks_otherwise(arrival.fact) {
            return Judgement::Contradicts(HeldFact::IdentityConflict);
        }
        let new = &arrival.version;
        let Some(old) = document.version(arrival.fact) else {
            return match self.neighbour_is_near(document, new.day) {
                true => Judgement::Contradicts(HeldFact::IdentityConflict),
                false => Judgement::New,
            };
        };
        if self.same_content(old, new) {
            return Judgement::Same;
        }
        if matches!((old.updated_at, new.updated_at), (Some(old), Some(new)) if new < old) {
            return Judgement::Older;
        }
        let moved = !near(old.day, new.day) || self.neighbour_is_near(document, new.day);
        if moved || self.partners(old) != self.partners(new) {
            return Judgement::Contradicts(HeldFact::IdentityConflict);
        }
        if new.rows.len() < old.rows.len() {
            return Judgement::Contradicts(HeldFact::RowsVanished);
        }
        Judgement::Newer
    }

    fn same_content(&self, a: &Version, b: &Version) -> bool {
        if let ([a], [b]) = (a.rows.as_slice(), b.rows.as_slice()) {
            return content::same(&self.said[*a].row, &self.said[*b].row); // nearly always, and nothing to allocate
        }
        let rows = |version: &Version| version.rows.iter().map(|row| &self.said[*row].row).collect();
        content::same_rows(rows(a), rows(b))
    }

    fn partners(&self, version: &Version) -> Vec<&'a str> {
        let mut partners: Vec<&str> =
            version.rows.iter().map(|row| self.said[*row].row.partner_code).collect();
        partners.sort_unstable();
        partners.dedup();
        partners
    }

    /// Whether a day brings a document near to the same number of a neighbouring year. Where it was near already (a
    /// person has released it), that is no news.
    fn neighbour_is_near(&self, document: &Document<'a>, day: NaiveDate) -> bool {
        let Some(year) = document.year else { return false };
        let neighbour = |other: &&Document<'a>| other.year.is_some_and(|other| other.abs_diff(year) == 1);
        self.documents
            .iter()
            .filter(neighbour)
            .any(|other| other.is_near(day) && !document.days.keys().any(|day| other.is_near(*day)))
    }
}

impl<'a> Document<'a> {
    fn version(&self, fact: Fact<'a>) -> Option<&Version> {
        match (&self.speaking, fact) {
            (Speaking::Lines(lines), Fact::Line(line_no)) => lines.get(line_no),
            (Speaking::Whole(version), Fact::Whole) => Some(version),
            (Speaking::Nothing, _)
            | (Speaking::Lines(_), Fact::Whole)
            | (Speaking::Whole(_), Fact::Line(_)) => None,
        }
    }

    /// with line numbers where this comes without them, or the other way round
    fn speaks_otherwise(&self, fact: Fact<'a>) -> bool {
        match (&self.speaking, fact) {
            (Speaking::Lines(_), Fact::Whole) | (Speaking::Whole(_), Fact::Line(_)) => true,
            (Speaking::Nothing, _)
            | (Speaking::Lines(_), Fact::Line(_))
            | (Speaking::Whole(_), Fact::Whole) => false,
        }
    }

    fn is_near(&self, day: NaiveDate) -> bool {
        let from = day.checked_sub_days(Days::new(NEAR)).unwrap_or(NaiveDate::MIN);
        let to = day.checked_add_days(Days::new(NEAR)).unwrap_or(NaiveDate::MAX);
        self.days.range(from..=to).next().is_some()
    }

    /// lets a version speak for its fact, and what spoke before no longer
    fn replace(&mut self, fact: Fact<'a>, version: Version) {
        *self.days.entry(version.day).or_default() += 1;
        let before = match (&mut self.speaking, fact) {
            (Speaking::Lines(lines), Fact::Line(line_no)) => {
                let before = lines.insert(line_no, version);
                return before.into_iter().for_each(|version| self.forget(version.day));
            }
            (_, Fact::Line(line_no)) => {
                std::mem::replace(&mut self.speaking, Speaking::Lines(BTreeMap::from([(line_no, version)])))
            }
            (_, Fact::Whole) => std::mem::replace(&mut self.speaking, Speaking::Whole(version)),
        };
        match before {
            Speaking::Nothing => {}
            Speaking::Lines(lines) => lines.into_values().for_each(|version| self.forget(version.day)),
            Speaking::Whole(version) => self.forget(version.day),
        }
    }

    fn forget(&mut self, day: NaiveDate) {
        let left = self.days.get(&day).map_or(0, |count| count.saturating_sub(1));
        if left == 0 {
            self.days.remove(&day);
        } else {
            self.days.insert(day, left);
        }
    }

    fn keep_later(&mut self, fact: Fact<'a>, updated_at: Option<i64>) {
        let version = match (&mut self.speaking, fact) {
            (Speaking::Lines(lines), Fact::Line(line_no)) => lines.get_mut(line_no),
            (Speaking::Whole(version), Fact::Whole) => Some(version),
            (Speaking::Nothing, _)
            | (Speaking::Lines(_), Fact::Whole)
            | (Speaking::Whole(_), Fact::Line(_)) => None,
        };
        if let Some(version) = version {
            version.updated_at = version.updated_at.max(updated_at);
        }
    }

    fn speak(&self, said: &[Said<'a>], speak: &mut impl FnMut(usize, Option<i64>)) {
        match &self.speaking {
            Speaking::Nothing => {}
            Speaking::Lines(lines) => {
                for version in lines.values() {
                    version.rows.iter().for_each(|row| speak(*row, version.updated_at));
                }
            }
            Speaking::Whole(version) => {
                let mut rows = version.rows.clone();
                rows.sort_by_key(|row| (said[*row].row.line_no, said[*row].row.file_line));
                rows.into_iter().for_each(|row| speak(row, version.updated_at));
            }
        }
    }
}

/// At most 31 days apart.
pub(super) fn near(a: NaiveDate, b: NaiveDate) -> bool {
    (a - b).num_days().unsigned_abs() <= NEAR
}
