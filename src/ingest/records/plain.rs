//! Blocks of plain lines, which most exports are made of: printable ASCII, no quotes, `\n` line ends. What a block is made of is
//! looked at once for all its lines; they are the records that [`super::Records`] would give.

use super::whole::{Shape, Whole};
use super::{LastRow, Record, Span, blank, split_plain};
use memchr::memchr;

/// The lines of a plain block.
pub struct Lines {
    text: String,
    start: usize,
    end: usize,
    /// of the next line
    line: u64,
    delimiter: u8,
    most_cells: usize,
    spans: Vec<Span>,
}

impl Lines {
    /// Those of a block; the block again where it is none of plain lines, or where one of them may be a trailer.
    pub fn of(shape: Shape, whole: Whole) -> Result<Lines, Whole> {
        let Shape { delimiter, most_cells, last_row } = shape;
        if last_row == LastRow::Trailer || !is_plain(&whole.bytes[whole.range.clone()]) {
            return Err(whole);
        }
        let Whole { bytes, range, line } = whole;
        let (start, end) = (range.start, range.end);
        match String::from_utf8(bytes) {
            Ok(text) => Ok(Lines { text, start, end, line, delimiter, most_cells, spans: Vec::new() }),
            // of what lies behind the block
            Err(fault) => Err(Whole { bytes: fault.into_bytes(), range, line }),
        }
    }

    /// The next record, and its text; blank lines are none.
    pub fn next(&mut self) -> Option<(Record<'_>, &str)> {
        let line = self.next_line()?;
        let text = &self.text[line];
        let raw = text.as_bytes();
        let cells = split_plain(raw, self.delimiter, self.most_cells, &mut self.spans);
        Some((Record { line: self.line - 1, raw, text: raw, spans: &self.spans, cells }, text))
    }

    fn next_line(&mut self) -> Option<std::ops::Range<usize>> {
        while self.start < self.end {
            let from = self.start;
            let rest = &self.text.as_bytes()[from..self.end];
            let length = memchr(b'\n', rest).unwrap_or(rest.len());
            self.start = from + length + 1;
            self.line += 1;
            if !blank(&rest[..length], self.delimiter) {
                return Some(from..from + length);
            }
        }
        None
    }

    /// What the bytes lay in, to be filled again.
    pub fn into_room(self) -> Vec<u8> {
        self.text.into_bytes()
    }
}

fn is_plain(bytes: &[u8]) -> bool {
    // no early end: so that many bytes are looked at together
    bytes
        .iter()
        .fold(true, |plain, &byte| plain & ((b' '..=b'~').contains(&byte) | (byte == b'\n')) & (byte != b'"'))
}
