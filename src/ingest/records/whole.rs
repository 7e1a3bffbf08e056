//! A file in blocks of whole records, so that several threads can split and read them.
//!
//! A block ends where a record does that is found in the buffer by the very rules of [`Records::next`]: where there are no quotes,
//! at the last line end, else the records are walked over one by one, without their cells.

use super::{Found, LastRow, Records, Split, Stop, line_breaks};
use memchr::{memchr, memrchr};
use std::ops::Range;

/// What comes next in a file.
#[derive(Debug)]
pub enum Piece {
    /// records
    Whole(Whole),
    /// one that is longer than a record may be
    TooLong {
        /// delimiters in its first part
        cells: usize,
        /// where it begins
        line: u64,
        /// its beginning
        raw: Vec<u8>,
    },
}

/// Whole records of a file.
#[derive(Debug)]
pub struct Whole {
    pub(super) bytes: Vec<u8>,
    pub(super) range: Range<usize>,
    /// of the first of them
    pub(super) line: u64,
}

/// How the records of a file are split.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    pub(super) delimiter: u8,
    pub(super) most_cells: usize,
    pub(super) last_row: LastRow,
}

impl Records<'_> {
    /// How these are split.
    pub fn shape(&self) -> Shape {
        Shape { delimiter: self.delimiter, most_cells: self.most_cells, last_row: self.last_row }
    }

    /// Those of a block.
    pub fn of_whole<'b>(shape: Shape, whole: Whole) -> Records<'b> {
        Records {
            bytes: None,
            delimiter: shape.delimiter,
            most_cells: shape.most_cells,
            last_row: shape.last_row,
            buffer: whole.bytes,
            start: whole.range.start,
            end: whole.range.end,
            searched: whole.range.start,
            ended: true,
            line: whole.line,
            spans: Vec::new(),
            copy: Vec::new(),
        }
    }

    /// Whether nothing follows.
    pub fn ended(&self) -> bool {
        self.start == self.end && self.ended
    }

    /// What the bytes lay in, to be filled again.
    pub fn into_room(self) -> Vec<u8> {
        self.buffer
    }

    /// The next records that are in the buffer whole, or the next one that is too long. The bytes are handed out as they lie, and
    /// what follows is read into `room`.
    pub fn next_piece(&mut self, room: Vec<u8>) -> Result<Option<Piece>, Stop> {
        loop {
            let (from, line) = (self.start, self.line);
            self.pass_whole();
            if self.start > from {
                return Ok(Some(Piece::Whole(self.hand_out(from, line, room))));
            }
            if self.ended() {
                return Ok(None);
            }
            match self.any_record()? {
                // more was read
                None => {}
                Some(Found::Row { .. } | Found::Broken { .. }) => {
                    return Ok(Some(Piece::Whole(self.hand_out(from, line, room))));
                }
                Some(Found::PassedOver { cells, line }) => {
                    return Ok(Some(Piece::TooLong { cells, line, raw: self.copy.clone() }));
                }
                Some(Found::End) => return Ok(None),
            }
        }
    }

    fn hand_out(&mut self, from: usize, line: u64, mut room: Vec<u8>) -> Whole {
        let range = from..self.start;
        let rest = self.start..self.end;
        room.resize(self.buffer.len(), 0);
        room[..rest.len()].copy_from_slice(&self.buffer[rest.clone()]);
        (self.start, self.end) = (0, rest.len());
        self.searched = 0;
        Whole { bytes: std::mem::replace(&mut self.buffer, room), range, line }
    }

    /// Passes over the records that end in the buffer.
    fn pass_whole(&mut self) {
        let window = &self.buffer[self.start..self.end];
        let end = if self.ended { Some(window.len()) } else { memrchr(b'\n', window).map(|at| at + 1) };
        match end.and_then(|end| window.get(..end)) {
            Some(lines) if memchr(b'"', lines).is_none() => {
                let (length, breaks) = (lines.len(), line_breaks(lines));
                self.pass(length, breaks);
            }
            Some(_) | None => while self.pass_record() {},
        }
    }

    /// `false` where no record ends in the buffer.
    fn pass_record(&mut self) -> bool {
        if self.start == self.end {
            return false;
        }
        if let Some((_, newline)) = self.plain_end() {
            self.pass(newline + 1 - self.start, 1);
            return true;
        }
        match self.split_record().0 {
            Split::Row { consumed, breaks, .. } | Split::Broken { consumed, breaks, .. } => {
                self.pass(consumed, breaks);
                true
            }
            // told by whoever reads on
            Split::NotClosed(_) | Split::More(_) | Split::Doubled => false,
        }
    }
}
