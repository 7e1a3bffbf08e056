//! Papers of a batch of partners, by cycle: rendered by the thread that evaluates them, and handed on in one piece a cycle.

use crate::calendar::Cycle;
use crate::evaluate::Position;
use crate::facts::settle::Line;
use crate::scheme::Scheme;
use crate::statement::cell;
use crate::statement::papers::{Papers as Rendering, Partner};
use sha2::{Digest, Sha256};
use std::collections::HashMap;

/// The rows of one cycle.
pub(super) struct Sheet {
    pub cycle: Cycle,
    name: String,
    /// rows of `summary.csv`, one a partner
    pub summary: Vec<u8>,
    /// whose they are
    pub partners: Vec<String>,
    /// rows of `transactions.csv`, and how many
    pub transactions: Vec<u8>,
    pub rows: u64,
    /// the ingestions that said them
    pub sources: Vec<i64>,
}

/// Rows of one position, at the end of its sheet.
pub(super) struct Piece {
    sheet: usize,
    summary: usize,
    transactions: usize,
    rows: u64,
    /// of all of them
    pub hash: [u8; 32],
}

/// Sheets in the making.
#[derive(Default)]
pub(super) struct Sheets {
    sheets: Vec<Sheet>,
    /// bytes that the largest sheet before had
    room: usize,
}

/// Whether transactions are published, and from which files lines come.
pub(super) struct Listing<'l> {
    pub transactions: bool,
    pub file_names: &'l HashMap<i64, String>,
}

impl Sheets {
    /// Renders a position; [`Sheets::keep`] or [`Sheets::drop`] it before the next.
    pub(super) fn render(
        &mut self,
        listing: &Listing<'_>,
        version: &Scheme,
        partner: Partner<'_>,
        position: &Position,
        lines: &[Line<'_>],
    ) -> Piece {
        let at = self.of(version, position.cycle);
        let sheet = &mut self.sheets[at];
        let rendering = Rendering::new(version, &sheet.name);
        let (summary, transactions) = (sheet.summary.len(), sheet.transactions.len());
        rendering.summary_row(&mut sheet.summary, partner, position, "");
        let mut rows = 0;
        if listing.transactions {
            let file_name = |seq: i64| listing.file_names.get(&seq).map_or("", String::as_str);
            let out = &mut sheet.transactions;
            rows = rendering.transaction_rows(out, partner.code, position, lines, &file_name);
        }
        let mut hash = Sha256::new();
        hash.update(&sheet.summary[summary..]);
        hash.update(&sheet.transactions[transactions..]);
        Piece { sheet: at, summary, transactions, rows, hash: hash.finalize().into() }
    }

    /// It is published, with this reason (the last column of its summary, rendered without).
    pub(super) fn keep(
        &mut self,
        piece: &Piece,
        partner: &str,
        reason: &str,
        position: &Position,
        lines: &[Line<'_>],
    ) {
        let sheet = &mut self.sheets[piece.sheet];
        if !reason.is_empty() {
            sheet.summary.pop();
            cell::text(&mut sheet.summary, reason);
            cell::end(&mut sheet.summary);
        }
        sheet.partners.push(partner.to_owned());
        sheet.rows += piece.rows;
        for line in position.lines.iter().filter_map(|outcome| lines.get(outcome.line)) {
            if sheet.sources.last() != Some(&line.seq) && !sheet.sources.contains(&line.seq) {
                sheet.sources.push(line.seq);
            }
        }
    }

    /// It is not.
    pub(super) fn drop(&mut self, piece: &Piece) {
        let sheet = &mut self.sheets[piece.sheet];
        sheet.summary.truncate(piece.summary);
        sheet.transactions.truncate(piece.transactions);
    }

    /// What was kept since the last time; empty again.
    pub(super) fn take(&mut self) -> Vec<Sheet> {
        self.room = self.sheets.iter().map(|sheet| sheet.transactions.len()).max().unwrap_or(0);
        self.sheets.retain(|sheet| !sheet.partners.is_empty());
        std::mem::take(&mut self.sheets)
    }

    fn of(&mut self, version: &Scheme, cycle: Cycle) -> usize {
        let known = self.sheets.iter().position(|sheet| sheet.cycle == cycle);
        known.unwrap_or_else(|| {
            self.sheets.push(Sheet {
                cycle,
                name: version.calendar.name(cycle),
                summary: Vec::with_capacity(self.room / 8),
                partners: Vec::new(),
                transactions: Vec::with_capacity(self.room + self.room / 4),
                rows: 0,
                sources: Vec::new(),
            });
            self.sheets.len() - 1
        })
    }
}
