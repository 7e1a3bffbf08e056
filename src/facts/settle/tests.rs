//! Each clause of evaluation.md 1.1 to 1.3 and 1.6, and the laws over random histories.

mod cancellations;
mod documents;
mod laws;
mod returns;
mod versions;

pub(super) use super::*;
pub(super) use crate::domain::when::When;

pub(super) const CONFLICT: Fate = Fate::Held(HeldFact::IdentityConflict);
pub(super) const VANISHED: Fate = Fate::Held(HeldFact::RowsVanished);
pub(super) const TWICE: Fate = Fate::Rejected(Twice);

/// a line of partner P, distributor D, dated 2026-05-01
pub(super) fn line_of(invoice_no: &'static str, line_no: &'static str, amount: i64) -> Row<'static> {
    Row {
        invoice_no,
        line_no,
        amount: amount.into(),
        distributor_code: "D",
        when: When::Day(day(5, 1)),
        ..Row::blank("P")
    }
}

pub(super) fn day(month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, month, day).unwrap()
}

/// whether two lines of distributors' own numbers stand as lines should
pub(super) fn in_their_order(a: &Line<'_>, b: &Line<'_>) -> bool {
    let scope = NumberScope::Distributor;
    identity::order((a.space, scope, &a.row), (b.space, scope, &b.row)).is_le()
}

/// what was said, file by file
#[derive(Debug, Default)]
pub(super) struct History {
    pub(super) said: Vec<Said<'static>>,
    pub(super) cancellations: Vec<Cancellation>,
    pub(super) decisions: Vec<Decision>,
    pub(super) scope: Option<NumberScope>,
}

impl History {
    /// the next file: rows get its seq (10, 20, ...) and lines from 2 on
    pub(super) fn file(mut self, rows: &[Row<'static>]) -> Self {
        let seq = self.seq() + 10;
        let scope = self.scope.unwrap_or(NumberScope::Distributor);
        self.said.extend((2..).zip(rows).map(|(file_line, row)| Said {
            seq,
            rank: seq,
            space: 1,
            scope,
            row: Row { file_line, ..*row },
        }));
        self
    }

    /// the next file: one cancellation, dated 2026-05-01
    pub(super) fn cancel(self, invoice_no: &str, updated_at: Option<i64>) -> Self {
        self.cancel_on(invoice_no, day(5, 1), updated_at)
    }

    pub(super) fn cancel_on(mut self, invoice_no: &str, day: NaiveDate, updated_at: Option<i64>) -> Self {
        let seq = self.seq() + 10;
        self.cancellations.push(Cancellation {
            seq,
            rank: seq,
            space: 1,
            distributor_code: "D".into(),
            invoice_no: invoice_no.into(),
            day,
            updated_at,
            file_line: 2,
        });
        self
    }

    /// a decision about a row of the file with this seq
    pub(super) fn decide(mut self, seq: i64, file_line: u64, verdict: Verdict) -> Self {
        self.decisions.push(Decision { at: self.seq() + 1, rank: seq, file_line, verdict });
        self
    }

    fn seq(&self) -> i64 {
        let said = self.said.iter().map(|said| said.seq);
        said.chain(self.cancellations.iter().map(|void| void.seq)).max().unwrap_or(0)
    }

    pub(super) fn settle(&self) -> Settled<'static> {
        settle(&self.said, &self.cancellations, &self.decisions)
    }

    pub(super) fn fates(&self) -> Vec<Fate> {
        self.settle().fates
    }

    /// amounts of the lines in force
    pub(super) fn in_force(&self) -> Vec<i64> {
        self.settle().lines.iter().filter(|line| !line.cancelled).map(amount).collect()
    }
}

pub(super) fn amount(line: &Line<'_>) -> i64 {
    i64::try_from(line.row.amount.mantissa()).unwrap()
}

pub(super) fn history() -> History {
    History::default()
}
